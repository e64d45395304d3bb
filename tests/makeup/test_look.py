"""Looks are read strictly and come back as they were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.makeup.catalogue import Catalogue
from mojing.makeup.kinds import AREAS, FINISHES, KINDS, ONE_SIDED, PATTERNS, regions, shade_counts
from mojing.makeup.look import Layer, Look, ProductRef, Shade, dumps, load, loads, save
from mojing.makeup.names import FINISH_NAMES, KIND_NAMES, PATTERN_NAMES, REGION_NAMES
from mojing.makeup.schema import look_schema, schema_text
from mojing.makeup.spectrum import WAVELENGTHS, linear_of_spectrum

LIP: dict[str, Any] = {"kind": "lip", "shades": ["#a01020"]}


def text(*layers: object, **more: object) -> str:
    return json.dumps({"version": 1, "name": "x", "layers": list(layers), **more})


def names(most: int) -> st.SearchStrategy[str]:
    """Texts that can be printed."""
    return st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=most)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    kind = draw(st.sampled_from([k for k in KINDS if k != "remove"]))
    pattern = draw(st.sampled_from(PATTERNS[kind]))
    least, most = shade_counts(kind, pattern)
    codes = draw(st.lists(st.integers(0, 0xFFFFFF), min_size=least, max_size=most))
    unit = st.floats(0, 1)
    return Layer(
        kind,
        tuple(Shade.of_hex(f"#{code:06x}", draw(names(5))) for code in codes),
        finish=draw(st.sampled_from(FINISHES)),
        coverage=draw(unit),
        amount=draw(unit),
        pattern=pattern,
        region=tuple(draw(st.lists(st.sampled_from(regions(kind)), unique=True))) if regions(kind) else (),
        size=draw(st.floats(0.5, 2.0)),
        softness=draw(unit),
        product=draw(st.sampled_from([None, ProductRef("a", "b", "c"), ProductRef("a")])),
    )


@given(st.lists(layers(), max_size=4), names(20))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(found: list[Layer], name: str) -> None:
    written = dumps(Look(name, tuple(found)))
    again = loads(written)
    assert dumps(again) == written
    assert again.name == name
    for a, b in zip(found, again.layers, strict=True):
        assert (a.kind, a.pattern, a.region, a.finish, a.size, a.product) == (
            b.kind, b.pattern, b.region, b.finish, b.size, b.product,
        )  # fmt: skip
        assert (a.coverage, a.amount, a.softness) == (b.coverage, b.amount, b.softness)
        for p, q in zip(a.shades, b.shades, strict=True):
            np.testing.assert_array_equal(p.colour, q.colour)


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (text({**LIP, "colour": "#fff"}), "layers[0].colour"),
        (text(LIP, {**LIP, "kind": "lipstick"}), "layers[1].kind"),
        (text({**LIP, "pattern": "halo"}), "layers[0].pattern"),
        (text({**LIP, "shades": ["#fff"]}), "layers[0].shades[0].hex"),
        (text({**LIP, "shades": [{"hex": "#ffffff", "spectrum": []}]}), "layers[0].shades[0]"),
        (text({**LIP, "shades": [{"spectrum": [0.5] * 30}]}), "layers[0].shades[0].spectrum"),
        (text({**LIP, "shades": [{"spectrum": [0.5] * 30 + [1.5]}]}), "layers[0].shades[0].spectrum[30]"),
        (text({**LIP, "shades": []}), "layers[0].shades"),
        (text({**LIP, "pattern": "ombre"}), "layers[0].shades"),
        (text({**LIP, "coverage": 1.2}), "layers[0].coverage"),
        (text({**LIP, "coverage": True}), "layers[0].coverage"),
        (text({**LIP, "amount": "1"}), "layers[0].amount"),
        (text({**LIP, "size": 0.1}), "layers[0].size"),
        (text({**LIP, "region": "left"}), "layers[0].region"),
        (text({**LIP, "region": ["upper", "upper"]}), "layers[0].region"),
        (text({**LIP, "residual": "../lip.png"}), "layers[0].residual"),
        (text({**LIP, "residual": "/lip.png"}), "layers[0].residual"),
        (text({"shades": ["#ffffff"]}), "layers[0].kind"),
        (text({"kind": "lip", "shade": "Cherry"}), "layers[0].shade"),
        (text({"product": "nobody", "shade": "Cherry"}), "layers[0].product"),
        (text({"product": "marisel-velvet-lip", "shade": "Chery"}), "layers[0].shade"),
        (text({"product": "marisel-velvet-lip", "shade": "Cherry", "kind": "blush"}), "layers[0].kind"),
        (text({"product": {"id": "x", "ean": "1"}, **LIP}), "layers[0].product.ean"),
        (text(version=2), "version"),
        (text(version=True), "version"),
        (text(author="me"), "author"),
        ("[]", "the look"),
        ("{", "JSON"),
        ('{"version": 1, "layers": NaN}', "NaN"),
        (text(*[LIP] * 65), "layers"),
    ],
)
def test_faults_are_told_with_their_place(bad: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        loads(bad, products=Catalogue.shipped().products)
    assert caught.value.code == "bad_look"
    assert place in str(caught.value)
    assert caught.value.hint


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
@settings(max_examples=60, deadline=None)
def test_any_json_is_a_look_or_a_fault(value: object) -> None:
    with pytest.raises(InputError) as caught:
        loads(json.dumps({"version": 1, "layers": [value]}))
    assert caught.value.code == "bad_look"


def test_files_that_are_no_looks(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path / "none.json")
    assert caught.value.code == "not_found"
    for data in (b"\xff\xfe\x00", b"[" * 100_000, b" " * (2**20 + 1)):
        path = tmp_path / "bad.json"
        path.write_bytes(data)
        with pytest.raises(InputError) as caught:
            load(path)
        assert caught.value.code == "bad_look"


def test_a_saved_look_keeps_its_residual_beside_it(tmp_path: Path) -> None:
    layer = Layer("lip", (Shade.of_hex("#a01020", "Cherry"),), residual=tmp_path / "maps" / "lip.png")
    path = save(Look("mine", (layer,)), tmp_path / "mine.json")
    assert json.loads(path.read_text())["layers"][0]["residual"] == "maps/lip.png"
    assert load(path).layers[0].residual == tmp_path / "maps" / "lip.png"
    with pytest.raises(InputError, match=r"layers\[0\]\.residual"):
        save(Look("mine", (layer,)), tmp_path / "elsewhere" / "mine.json")


def test_a_product_gives_kind_finish_coverage_and_colour() -> None:
    products = Catalogue.shipped().products
    look = loads(
        text({"product": "marisel-velvet-lip", "shade": ["Bare", "Cherry"], "pattern": "ombre"}), products=products
    )
    layer, product = look.layers[0], products["marisel-velvet-lip"]
    assert (layer.kind, layer.finish, layer.coverage) == ("lip", product.finish, product.coverage)
    assert [s.hex for s in layer.shades] == [product.shade("Bare").hex, product.shade("Cherry").hex]
    assert layer.product == ProductRef(product.id, product.brand, "Bare, Cherry")


def test_parts_and_amounts_of_a_look() -> None:
    look = loads(text(LIP, {"kind": "smooth", "amount": 0.5}))
    assert [x.kind for x in look.only("smooth").layers] == ["smooth"]
    assert [x.amount for x in look.at(0.5).layers] == [0.5, 0.25]


def test_a_layer_has_what_it_does_not_leave_out() -> None:
    eye = Layer("eyeshadow", (Shade.of_hex("#a01020"),), region=("left", "crease"))
    assert eye.has("left")
    assert not eye.has("right")
    assert eye.has("crease")
    assert not eye.has("lid")
    assert Layer("eyeshadow", eye.shades, region=("left",)).has("lid")


@given(st.floats(0, 1))
def test_grey_spectra_are_grey(level: float) -> None:
    np.testing.assert_allclose(linear_of_spectrum([level] * 31), level, atol=1e-6)


def test_spectra_have_the_colours_that_they_reflect() -> None:
    red = linear_of_spectrum([float(w > 600) for w in WAVELENGTHS])
    blue = linear_of_spectrum([float(w < 480) for w in WAVELENGTHS])
    assert red.argmax() == 0
    assert red[0] > 0.6
    assert blue.argmax() == 2
    assert blue[2] > 0.6


def test_everything_has_a_name() -> None:
    assert set(KIND_NAMES) == set(PATTERNS) == set(AREAS) == set(KINDS)
    assert set(FINISH_NAMES) == set(FINISHES)
    for kind in KINDS:
        assert set(PATTERN_NAMES[kind]) == set(PATTERNS[kind])
        assert set(regions(kind)) <= set(REGION_NAMES)
        assert ONE_SIDED & {kind} or {"left", "right"} <= set(regions(kind))


def test_the_shipped_schema_is_that_of_the_tables() -> None:
    import mojing.makeup

    path = Path(mojing.makeup.__file__).parent / "data" / "look.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text()
    layer = look_schema()["$defs"]["layer"]["properties"]
    shown = json.loads(dumps(Look("x", (Layer("lip", (Shade.of_hex("#a01020", "n"),), region=("upper",), size=2.0),))))
    assert set(shown["layers"][0]) <= set(layer)


def test_the_documentation_names_everything_and_its_example_can_be_read() -> None:
    text_of = (Path(__file__).parents[2] / "docs" / "look.md").read_text(encoding="utf-8")
    example = text_of.split("```json\n", 1)[1].split("```", 1)[0]
    assert len(loads(example, products=Catalogue.shipped().products).layers) == 6
    rows = {line.split("`")[1]: line for line in text_of.splitlines() if line.startswith("| `")}
    for kind in KINDS:
        for pattern in PATTERNS[kind]:
            least, most = shade_counts(kind, pattern)
            assert f"`{pattern}` ({least if least == most else f'{least}-{most}'})" in rows[kind], (kind, pattern)
        assert all(f"`{word}`" in rows[kind] for word in AREAS[kind])
    for field in look_schema()["$defs"]["layer"]["properties"]:
        assert field in rows
    assert all(f"`{finish}`" in rows["finish"] for finish in FINISHES)


@pytest.mark.parametrize("name", ["\ud800", "\x1b[2J", "two\nlines", "x" * 201])
def test_names_that_cannot_be_printed_are_refused(name: str) -> None:
    bought = ({"id": name}, {"id": "a", "brand": name})
    for written in (text(name=name), *(text({**LIP, "product": product}) for product in bought)):
        with pytest.raises(InputError) as caught:
            loads(written)
        assert caught.value.code == "bad_look"
        assert caught.value.hint
    assert loads(text(name="晚妆　一 ✨")).name == "晚妆　一 ✨"


def test_a_number_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        loads(text({**LIP, "amount": 10**400}))
    assert "amount" in str(caught.value)


@pytest.mark.parametrize("path", ["C:secret.png", "..\\secret.png", "/secret.png", "a/../../b.png"])
def test_residuals_lie_beside_the_look(path: str) -> None:
    with pytest.raises(InputError, match="residual"):
        loads(text({"kind": "lip", "residual": path}))
