"""A look in words: every kind and pattern in both languages, in an order that can be followed, for this face."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mojing.makeup.catalogue import shipped_look, shipped_looks
from mojing.makeup.cautions import cautions, skin_colour, uncertain_light
from mojing.makeup.kinds import AREAS, FINISHES, KINDS, PATTERNS, shade_counts
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.names import PATTERN_NAMES
from mojing.makeup.pigment import skin_albedo
from mojing.makeup.steps import Step, about, steps
from mojing.makeup.strokes import STROKES, strokes, wing_tip
from mojing.makeup.traits import SHAPES, TOLD, measure, traits
from mojing.makeup.wording import LANGUAGES, Words, colour_name, say, table
from mojing.perception.facemesh import mean_shape, mirror
from mojing.perception.faceview import FaceView
from tests.makeup.faces import sitter
from tests.makeup.lessons import CODES, layers, looks

HAN = re.compile(r"[\u4e00-\u9fff]")
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def face(scale: float = 100.0) -> FaceView:
    """The mean face in a picture of 512 px."""
    mesh = mean_shape() * scale
    return FaceView.of_mesh((mesh + np.array([256.0, 230.0, 0.0])).astype(np.float32), (512, 512))


def sample(kind: str, pattern: str, **more: object) -> Layer:
    least, _ = shade_counts(kind, pattern)
    shades = tuple(Shade.of_hex(code) for code in CODES[:least])
    residual = np.zeros((64, 64, 4), np.uint8) if kind == "remove" else None
    return Layer(kind, shades, pattern=pattern, residual=residual, **more)  # type: ignore[arg-type]


def texts(step: Step) -> list[Words]:
    single = (step.title, step.tool, step.dose)
    return [*single, *step.products, *step.how, *step.person, *step.warnings]


def everything(node: object) -> list[Words]:
    """All texts of the table."""
    if isinstance(node, Words):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return list(chain.from_iterable(everything(child) for child in children))


def test_every_text_is_written_in_both_languages() -> None:
    found = everything(table())
    assert len(found) > 300
    for words in found:
        assert words.en.strip()
        assert words.zh.strip()
        assert not HAN.search(words.en), words.en
        assert HAN.search(words.zh) or not re.search("[a-z]{3}", words.zh), words.zh
        assert set(re.findall(r"{(\w+)}", words.en)) == set(re.findall(r"{(\w+)}", words.zh)), words.en


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_pattern_finish_and_area_has_its_own_words(kind: str) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for pattern in PATTERNS[kind]:
        made = next(s for s in steps(Look("", (sample(kind, pattern),)), face()) if s.kind == kind)
        how = tuple(words.en for words in made.how)
        assert how not in seen, f"{pattern} reads like {seen.get(how)}"
        seen[how] = pattern
        if len(PATTERNS[kind]) > 1:
            assert PATTERN_NAMES[kind][pattern]["zh"] in made.title.zh
        for language in LANGUAGES:
            assert all(words.of(language) and "{" not in words.of(language) for words in texts(made))
    if "finish_group" in table()["kinds"][kind]:
        told = {f: [w.en for w in steps(Look("", (sample(kind, PATTERNS[kind][0], finish=f),)), face())[1].how]
                for f in FINISHES}  # fmt: skip
        assert len({tuple(how) for how in told.values()}) == len(FINISHES)


def test_areas_are_told_and_left_out() -> None:
    for kind, areas in AREAS.items():
        for area in areas:
            layer = sample(kind, PATTERNS[kind][0], region=(area,))
            one = next(s for s in steps(Look("", (layer,)), face()) if s.kind == kind)
            whole = next(s for s in steps(Look("", (sample(kind, PATTERNS[kind][0]),)), face()) if s.kind == kind)
            assert [w.en for w in one.how] != [w.en for w in whole.how], (kind, area)


@FEW
@given(looks(), st.booleans())
def test_any_look_becomes_steps_in_order(look: Look, known: bool) -> None:
    skin = skin_albedo(np.array(0.3), np.array(0.5)) if known else None
    made = steps(look, face(), skin=skin)
    rank = table()["order"]
    places = [rank.index(step.kind) for step in made]
    assert places == sorted(places)
    worn = [i for i, layer in enumerate(look.layers) if layer.amount > 0 and layer.coverage > 0]
    assert sorted(step.layer for step in made if step.layer is not None) == worn
    assert {"prepare", "check"} <= {step.kind for step in made}
    for words in chain.from_iterable(texts(step) for step in made):
        assert words.en.strip()
        assert words.zh.strip()
        assert not HAN.search(words.en)


def test_dye_and_lenses_come_before_the_skin_is_prepared_or_painted() -> None:
    look = Look("", tuple(sample(kind, PATTERNS[kind][0]) for kind in ("lip", "foundation", "lens", "hair")))
    assert [s.kind for s in steps(look, face())] == ["hair", "prepare", "lens", "foundation", "lip", "check"]


def test_left_is_left_in_the_mirror() -> None:
    left, right = (sample("brows", "natural", region=(side,)) for side in ("left", "right"))
    told = {side: steps(Look("", (layer,)), face())[1].how[-1] for side, layer in (("left", left), ("right", right))}
    assert told["left"] == say("left_only")
    assert told["right"] == say("right_only")
    # On the photo the wearer's left is on the right.
    for layer, sign in ((left, 1), (right, -1)):
        assert all(np.all((way[:, 0] - 256.0) * sign > 0) for way in strokes(layer, face()))


@FEW
@given(layers())
def test_strokes_lie_on_the_face_and_are_mirrored(layer: Layer) -> None:
    one = face()
    ways = strokes(layer, one)
    box = one.box.pad(0.05)
    for way in ways:
        assert np.all(way >= (box.x0, box.y0))
        assert np.all(way <= (box.x1, box.y1))
    if {"left", "right"} & set(layer.region) or layer.kind == "eyeliner":
        return
    flipped = one.mesh[mirror()] * np.array([-1.0, 1.0, 1.0], np.float32) + np.array([511.0, 0.0, 0.0], np.float32)
    other = strokes(layer, FaceView.of_mesh(flipped.astype(np.float32), (512, 512)))
    assert len(other) == len(ways)
    ends = np.array([end for way in other for end in (way[0], way[-1])])
    for end in (end for way in ways for end in (way[0], way[-1])):
        assert np.hypot(*(ends - (511.0 - end[0], end[1])).T).min() < 2.0


def test_every_kind_with_an_edge_has_strokes() -> None:
    for kind in KINDS:
        for pattern in PATTERNS[kind]:
            silent = kind in ("lens", "hair")
            assert bool(strokes(sample(kind, pattern), face())) != silent, (kind, pattern)
    known = {(kind, word) for kind in KINDS for word in (*PATTERNS[kind], *AREAS[kind])}
    assert STROKES.keys() <= known


def test_a_wing_is_measured_in_mm_and_grows() -> None:
    tips = []
    for size in (0.7, 1.0, 1.8):
        tip = wing_tip(sample("eyeliner", "wing", size=size, amount=1.0), face(), side="left")
        assert tip is not None
        tips.append(float(np.hypot(*(tip - face().mesh[263, :2]))))
    assert tips[0] < tips[1] < tips[2]
    told = steps(Look("", (sample("eyeliner", "wing"),)), face())[1].how[0]
    mm = int(re.findall(r"about (\d+) mm", told.en)[0])
    assert mm == round(tips[1] * traits(face()).mm_per_px)
    assert f"约 {mm} 毫米" in told.zh


def test_the_mean_face_is_ordinary() -> None:
    known = traits(face())
    assert known.sure
    assert set(known.hints[1:]) <= {"smile"}
    assert 0.8 < known.mm_per_px * face().inter_ocular / 60.0 < 1.25


@pytest.mark.parametrize(
    ("stretch", "shape"),
    [((1.0, 1.12), {"long"}), ((1.0, 0.9), {"round", "square"}), ((1.1, 1.0), {"round", "square"})],
)
def test_a_stretched_face_is_told(stretch: tuple[float, float], shape: set[str]) -> None:
    mesh = face().mesh * np.array([*stretch, 1.0], np.float32)
    known = traits(FaceView.of_mesh(mesh, (600, 600)))
    assert known.shape in shape
    assert known.shape in SHAPES
    assert known.other in (*SHAPES, "")


def test_lifted_corners_are_told_and_advised_on() -> None:
    mesh = face().mesh.copy()
    mesh[[33, 263], 1] -= 4.0
    up = FaceView.of_mesh(mesh, (512, 512))
    assert measure(mesh.astype(np.float64))["tilt"] > measure(face().mesh.astype(np.float64))["tilt"]
    assert "upturned" in traits(up).hints
    told = next(s for s in steps(Look("", (sample("eyeliner", "wing"),)), up) if s.kind == "eyeliner").person
    assert table()["person"]["eyeliner"]["upturned"] in told
    assert say("corner_upturned") in about(up)


def altered(points: tuple[int, ...], *, by: tuple[float, float], scale: float = 100.0) -> FaceView:
    """The mean face with some points and their mirror images moved by so many px: outwards, and up."""
    mesh = face(scale).mesh.copy()
    for index, sign in ((list(points), -1.0), ([int(mirror()[p]) for p in points], 1.0)):
        mesh[index, 0] += sign * by[0]
        mesh[index, 1] -= by[1]
    return FaceView.of_mesh(mesh, (512, 512))


EYE = (468, 469, 470, 471, 472)
BROW = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107)


@pytest.mark.parametrize(
    ("points", "by", "hint", "kind"),
    [
        (EYE, (3.0, 0.0), "wide-set", "eyeliner"),
        (EYE, (-3.0, 0.0), "close-set", "eyeshadow"),
        (BROW, (0.0, 5.0), "high-brows", "brows"),
        (BROW, (0.0, -5.0), "low-brows", "eyeshadow"),
        ((0,), (0.0, -2.5), "thin-upper", "lip"),
        ((17,), (0.0, 3.0), "thin-lower", "lip_liner"),
    ],
)
def test_what_differs_a_little_from_the_networks_own_usual_is_told(
    points: tuple[int, ...], by: tuple[float, float], hint: str, kind: str
) -> None:
    seen = altered(points, by=by)
    assert hint in traits(seen).hints
    assert hint not in traits(face()).hints
    pattern = "classic" if kind == "eyeliner" else PATTERNS[kind][0]
    told = next(s for s in steps(Look("", (sample(kind, pattern),)), seen) if s.kind == kind).person
    assert table()["person"][kind][hint] in told


def test_every_hint_has_its_words() -> None:
    named = {name for row in table()["person"].values() for name in row}
    told = {name for _, *names in TOLD for name in names}
    assert told | set(SHAPES) | {"brow-left-high", "brow-right-high", "smile"} <= named


def test_a_brow_that_stands_higher_is_told_in_mm() -> None:
    mesh = face().mesh.copy()
    mesh[[int(mirror()[p]) for p in BROW], 1] -= 2.0
    known = traits(FaceView.of_mesh(mesh, (512, 512)))
    assert "brow-left-high" in known.hints
    assert 1.5 < known.brow_mm < 8.0
    assert traits(face()).brow_mm == pytest.approx(0.0, abs=0.4)


def test_a_shape_between_two_gives_no_advice() -> None:
    between = next(
        f
        for stretch in np.linspace(0.85, 1.2, 36)
        if traits(f := FaceView.of_mesh(face().mesh * np.array([1.0, stretch, 1.0], np.float32), (700, 700))).other
    )
    known = traits(between)
    assert not set(known.hints) & set(SHAPES)
    assert "between" in about(between)[0].en


def test_a_turned_face_gets_no_personal_advice() -> None:
    mesh = face().mesh.copy()
    mesh[:, 2] += (mesh[:, 0] - 256.0) * 0.6
    turned = FaceView.of_mesh(mesh, (512, 512))
    assert not traits(turned).sure
    assert traits(turned).hints == ()
    assert about(turned) == (table()["warnings"]["turned"],)


TONES = {"light": 0.05, "medium": 0.45, "dark": 0.85}


def warned(layer: Layer, tone: str) -> tuple[str, ...]:
    return cautions(layer, skin=skin_albedo(np.array(TONES[tone]), np.array(0.5)), face=face())


def blush(code: str, **more: object) -> Layer:
    return Layer("blush", (Shade.of_hex(code),), coverage=0.5, amount=1.0, finish="matte", **more)  # type: ignore[arg-type]


def test_pale_powder_is_warned_of_on_dark_skin_only() -> None:
    pale = blush("#f0d8dc")
    assert "ashy" in warned(pale, "dark")
    assert "ashy" not in warned(pale, "light")
    assert warned(blush("#a82c3c"), "dark") == ()


def test_a_contour_must_be_darker_and_a_base_near() -> None:
    brown = Layer("contour", (Shade.of_hex("#8d6650"),), coverage=0.5)
    assert warned(brown, "light") == ()
    assert warned(brown, "dark") == ("no-shade",)
    base = Layer("foundation", (Shade.of_hex("#e8c8b0"),), coverage=0.6)
    assert warned(base, "dark") == ("base-light",)
    deep = Layer("foundation", (Shade.of_hex("#4a2c20"),), coverage=0.6)
    assert warned(deep, "light") == ("base-dark",)


def test_a_colour_that_is_the_skin_will_hardly_show() -> None:
    skin = skin_albedo(np.array(0.45), np.array(0.5))
    layer = Layer("eyeshadow", (Shade("", np.asarray(skin, np.float32)),), coverage=0.4, finish="matte")
    assert cautions(layer, skin=skin, face=face()) == ("faint",)


def test_skin_is_read_off_the_photo() -> None:
    rgb, one = sitter()
    found = skin_colour(rgb, one)
    assert found is not None
    assert np.all(found > 0.0)
    assert np.all(found < 1.0)
    assert found[0] > found[1] > found[2]
    far = FaceView.of_mesh(one.mesh + np.array([5000.0, 0.0, 0.0], np.float32), one.hw)
    assert skin_colour(rgb, far) is None


def test_coloured_light_is_told() -> None:
    assert not uncertain_light(np.array([1.0, 0.9, 0.8]))
    assert not uncertain_light(None)
    assert uncertain_light(np.array([1.0, 0.5, 0.2]))


@pytest.mark.parametrize(("code", "name"), [("#ffffff", "white"), ("#c3182b", "red"), ("#161416", "black")])
def test_colours_have_the_names_people_use(code: str, name: str) -> None:
    assert colour_name(Shade.of_hex(code)).en == name


def test_what_is_hidden_in_the_photo_is_told() -> None:
    seen = face()
    parts = np.zeros_like(seen.parts)
    parts[4] = 1.0  # glasses everywhere
    behind = replace(seen, parts=parts)
    shadow, lip = sample("eyeshadow", "single"), sample("lip", "full")
    assert "covered" in cautions(shadow, skin=None, face=behind)
    assert "covered" not in cautions(lip, skin=None, face=behind)
    assert "covered" not in cautions(shadow, skin=None, face=seen)
    prepare = next(s for s in steps(Look("", (shadow,)), behind) if s.kind == "prepare")
    assert table()["person"]["prepare"]["glasses"] in prepare.person


def test_shipped_looks_are_taught_under_their_names() -> None:
    assert set(table()["looks"]) == set(shipped_looks())
    for name in shipped_looks():
        look = shipped_look(name)
        made = steps(look, face(), skin=skin_albedo(np.array(0.3), np.array(0.5)))
        assert len(made) == len(look.layers) + 2
        for step in made:
            assert all(brand in step.products[0].en for brand in _brand(look, step.layer))


def _brand(look: Look, index: int | None) -> list[str]:
    ref = None if index is None else look.layers[index].product
    return [ref.brand] if ref else []


def test_a_single_shadow_kept_to_areas_is_told_by_them() -> None:
    layer = sample("eyeshadow", "single", region=("outer", "crease"))
    how = [words.en for words in steps(Look("", (layer,)), face())[1].how]
    assert how[0].startswith("Crease")
    assert how[1].startswith("Outer corner")
    assert len(strokes(layer, face())) == 4
