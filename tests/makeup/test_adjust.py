"""Changing a look by hand: what is asked for changes, the rest stays, and nonsense is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.makeup.adjust import adjusted, kinds
from mojing.makeup.kinds import KINDS
from mojing.makeup.look import Layer, Look, Product, ProductRef, Shade

RED, PINK = Shade.of_hex("#aa1122", "Ruby"), Shade.of_hex("#dd8899", "Rose")
LOOK = Look("test", (Layer("blush", (PINK,)), Layer("lip", (RED,), product=ProductRef("l1", "Brand", "Ruby"))))
PRODUCTS = {
    "l1": Product("l1", "Brand", "Lips", "lip", "gloss", 0.8, (RED, PINK)),
    "b1": Product("b1", "Other", "Cheeks", "blush", "matte", 0.4, (PINK,)),
}


def layer(look: Look, kind: str) -> Layer:
    return next(layer for layer in look.layers if layer.kind == kind)


def test_a_colour_of_ones_own_is_no_product_any_more() -> None:
    lip = layer(adjusted(LOOK, ["lip.shade=#a01830", "lip.finish=gloss"], products=PRODUCTS), "lip")
    assert ([s.hex for s in lip.shades], lip.finish, lip.product) == (["#a01830"], "gloss", None)


def test_a_shade_by_its_name_and_a_product_by_its_id() -> None:
    lip = layer(adjusted(LOOK, ["lip.shade=Rose"], products=PRODUCTS), "lip")
    assert lip.shades == (PINK,)
    assert lip.product == ProductRef("l1", "Brand", "Rose")
    blush = layer(adjusted(LOOK, ["blush.product=b1"], products=PRODUCTS), "blush")
    assert (blush.finish, blush.coverage, blush.product) == ("matte", 0.4, ProductRef("b1", "Other", "Rose"))
    two = layer(
        adjusted(LOOK, ["lip.product=l1", "lip.shade=Ruby,Rose", "lip.pattern=ombre"], products=PRODUCTS), "lip"
    )
    assert (two.shades, two.pattern, two.product) == ((RED, PINK), "ombre", ProductRef("l1", "Brand", "Ruby, Rose"))


def test_a_kind_that_the_look_has_not_is_added_in_its_place() -> None:
    look = adjusted(
        LOOK, ["eyeliner.shade=#101010", "eyeliner.pattern=wing", "smooth.amount=0.5", "lens.color=#336699"]
    )
    assert [la.kind for la in look.layers] == ["smooth", "blush", "eyeliner", "lip", "lens"]
    assert layer(look, "eyeliner").pattern == "wing"
    assert LOOK.layers[0] in look.layers, "what was not named stays"


@given(st.sampled_from(["amount", "coverage", "softness"]), st.floats(0, 1))
def test_numbers_arrive_as_they_are(name: str, value: float) -> None:
    look = adjusted(LOOK, [f"lip.{name}={value!r}"])
    assert getattr(layer(look, "lip"), name) == value
    assert look.layers[0] == LOOK.layers[0]


@pytest.mark.parametrize(
    "change",
    [
        "lip",
        "lip.shade",
        "lip.shade=",
        "=",
        "nose.shade=#112233",
        "lip.size=9",
        "lip.amount=nan",
        "lip.amount=much",
        "lip.shade=red",
        "lip.shade=Green",
        "lip.finish=wet",
        "lip.pattern=ombre",
        "lip.region=cheek",
        "lip.product=none",
        "lip.product=b1",
        "lip.kind=blush",
        "lens.amount=1",
    ],
)
def test_nonsense_is_refused_with_what_to_do(change: str) -> None:
    with pytest.raises(InputError) as caught:
        adjusted(LOOK, [change], products=PRODUCTS)
    assert caught.value.code == "bad_look"
    assert caught.value.hint


def test_kinds_by_commas() -> None:
    assert kinds(["lip,blush", "lip-liner"]) == ("lip", "blush", "lip_liner")
    assert kinds([",".join(KINDS)]) == KINDS
    assert np.array(kinds([])).size == 0
    with pytest.raises(InputError, match="nose"):
        kinds(["nose"])


def test_another_product_takes_the_place_of_a_picture_of_product() -> None:
    read = Look("", (Layer("lip", residual=np.full((64, 64, 4), 90, np.uint8)),))
    lip = layer(adjusted(read, ["lip.product=l1"], products=PRODUCTS), "lip")
    assert lip.residual is None
    assert [s.name for s in lip.shades] == ["Ruby"]
