"""Catalogues of any brands, and what is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mojing.core.errors import InputError
from mojing.makeup.catalogue import Catalogue, product_id, shipped_look, shipped_looks
from mojing.makeup.kinds import KINDS
from mojing.makeup.spectrum import linear_of_spectrum

HEAD = "brand,product,kind,shade,hex,spectrum,finish,coverage"
ROW = "Aa,Lip One,lip,Red,#a01020,,matte,0.8"


def test_rows_of_one_product_become_its_shades(tmp_path: Path) -> None:
    spectrum = " ".join(["0.3"] * 31)
    rows = [HEAD, ROW, "Bb,Tint,lip,Rose,#c06070,,sheer,0.4", f"Aa,Lip One,lip,Grey,,{spectrum},matte,0.8"]
    path = tmp_path / "shop.csv"
    path.write_text("\n".join(rows), encoding="utf-8-sig")
    found = Catalogue.load(path)
    assert list(found.products) == ["aa-lip-one", "bb-tint"]
    lip = found.products["aa-lip-one"]
    assert [s.name for s in lip.shades] == ["Red", "Grey"]
    assert lip.coverage == 0.8
    np.testing.assert_allclose(lip.shades[1].colour, linear_of_spectrum([0.3] * 31))
    assert [p.id for p in found.of_kind("lip")] == ["aa-lip-one", "bb-tint"]
    assert not found.of_kind("blush")


def test_json_says_the_same(tmp_path: Path) -> None:
    item = {"brand": "Aa", "product": "Lip One", "kind": "lip", "finish": "matte", "coverage": 0.8}
    path = tmp_path / "shop.json"
    shades = [{"name": "Red", "hex": "#a01020"}]
    path.write_text(json.dumps({"products": [{**item, "shades": shades}]}))
    a, b = Catalogue.load(path).products, Catalogue.of_csv(f"{HEAD}\n{ROW}\n").products
    assert list(a) == list(b)
    assert a["aa-lip-one"].shades[0].hex == b["aa-lip-one"].shades[0].hex
    assert Catalogue.of_json(json.dumps({"products": [{**item, "id": "x", "shades": shades}]})).products["x"]


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        ("", "row 1"),
        ("brand,product", "row 1"),
        (f"{HEAD},price\n", "row 1"),
        (f"{HEAD}\nAa,Lip One,lip", "row 2"),
        (f"{HEAD}\n{ROW},1", "row 2"),
        (f"{HEAD}\n{ROW}\n{ROW}", "row 3: shade"),
        (f"{HEAD}\n{ROW.replace('lip,', 'lipstick,')}", "kind"),
        (f"{HEAD}\n{ROW.replace('lip,', 'smooth,')}", "kind"),
        (f"{HEAD}\n{ROW.replace('#a01020', 'red')}", "row 2.hex"),
        (f"{HEAD}\n{ROW.replace('#a01020', '')}", "row 2"),
        (f"{HEAD}\n{ROW.replace('#a01020,', ',1 two')}", "row 2: spectrum"),
        (f"{HEAD}\n{ROW.replace('0.8', 'much')}", "coverage"),
        (f"{HEAD}\n{ROW.replace('0.8', 'nan')}", "coverage"),
        (f"{HEAD}\n{ROW.replace('matte', 'wet')}", "finish"),
        (f"{HEAD}\n{ROW}\n{ROW.replace('Red', 'Rose').replace('0.8', '0.7')}", "row 3: coverage"),
    ],
)
def test_faults_are_told_with_their_row(bad: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        Catalogue.of_csv(bad)
    assert caught.value.code == "bad_catalogue"
    assert place in str(caught.value)


@pytest.mark.parametrize("bad", ["[]", "{", '{"products": [1]}', '{"products": [{"brand": "x"}]}', '{"products": 1}'])
def test_faults_of_json(bad: str) -> None:
    with pytest.raises(InputError) as caught:
        Catalogue.of_json(bad)
    assert caught.value.code == "bad_catalogue"


def test_a_catalogue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        Catalogue.load(tmp_path / "none.csv")
    assert caught.value.code == "not_found"
    with pytest.raises(InputError) as caught:
        shipped_look("none")
    assert caught.value.code == "not_found"


def test_ids_are_made_of_letters() -> None:
    assert product_id("Aa & Co.", "Lip No 1") == "aa-co-lip-no-1"


def test_what_is_shipped_covers_every_kind() -> None:
    products = Catalogue.shipped().products.values()
    assert {p.kind for p in products} == set(KINDS) - {"remove", "smooth"}
    looks = [shipped_look(name) for name in shipped_looks()]
    assert len(looks) >= 12
    assert {x.kind for look in looks for x in look.layers} == set(KINDS) - {"remove"}
    for name, look in zip(shipped_looks(), looks, strict=True):
        assert look.name == name
        order = [KINDS.index(layer.kind) for layer in look.layers]
        assert order == sorted(order), name


def test_a_head_row_that_is_no_csv_and_names_for_no_terminal_are_refused() -> None:
    row = ROW.replace("Lip One", "Lip \x1b[31m")
    for text in ("x" * 200_000, f"{HEAD}\n{row}", f"{HEAD}\n{ROW.replace('Aa', 'A' * 300)}"):
        with pytest.raises(InputError) as caught:
            Catalogue.of_csv(text)
        assert caught.value.code == "bad_catalogue"
        assert caught.value.hint
