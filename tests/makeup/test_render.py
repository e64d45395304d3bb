"""Painted faces: bit for bit where no product lies, layers that add up, more amount more colour, pores that stay."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32, U8
from mojing.core.color import linear_to_srgb, luma, rgb_to_lab
from mojing.core.geometry import Box
from mojing.makeup.canvas import Canvas
from mojing.makeup.kinds import FINISHES, PATTERNS, shade_counts
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.overlay import as_layer, laid
from mojing.makeup.regions import place
from mojing.makeup.render import Made, render
from mojing.makeup.skin import split
from mojing.perception.faceview import FACE_PARTS, FaceView
from tests.makeup.skins import Drawn, drawn

PAINTED = tuple(k for k in PATTERNS if k not in ("remove", "hair"))
CODES = ("#a8182c", "#3a2a60", "#d8a98a", "#f0e0d0", "#101010")


def layer(kind: str, *, finish: str = "satin", coverage: float = 0.7, amount: float = 1.0, pattern: str = "") -> Layer:
    least = shade_counts(kind, pattern or PATTERNS[kind][0])[0]
    shades = tuple(Shade.of_hex(CODES[i]) for i in range(least))
    return Layer(kind, shades, finish=finish, coverage=coverage, amount=amount, pattern=pattern)


def painted(face: Drawn, *layers: Layer, keep: bool = True) -> Made:
    return render(face.rgb, face.face, look=Look("", layers), layers=keep)


def stacked(face: Drawn, made: Made) -> F32:
    """All layers laid over the photo, not rounded in between."""
    out = face.rgb.astype(np.float32)
    for one in made.layers:
        at = one.box.slices(face.face.hw)
        out[at] = laid(one.rgba, out[at])
    return out


def where(face: Drawn, one: Layer) -> F32:
    mask = np.zeros(face.face.hw, np.float32)
    for placed in place(one, face.face):
        at = placed.box.slices(face.face.hw)
        mask[at] = np.maximum(mask[at], placed.mask)
    return mask


@pytest.mark.parametrize("kind", PAINTED)
def test_what_no_product_lies_on_is_the_photo(kind: str) -> None:
    face = drawn(grain=0.05)
    made = painted(face, layer(kind))
    free = where(face, layer(kind)) == 0
    assert (made.image[free] == face.rgb[free]).all()
    assert (made.mask[free] == 0).all()
    assert (made.image[made.mask == 0] == face.rgb[made.mask == 0]).all()
    if kind not in ("smooth", "concealer"):
        assert (made.image != face.rgb).any()


@pytest.mark.parametrize("finish", FINISHES)
def test_no_amount_is_the_photo(finish: str) -> None:
    face = drawn(grain=0.05)
    made = painted(face, *(layer(kind, finish=finish, amount=0.0) for kind in PAINTED))
    assert (made.image == face.rgb).all()
    assert not made.mask.any()


@given(st.data())
@settings(max_examples=12)
def test_layers_laid_over_the_photo_are_the_image(data: st.DataObject) -> None:
    face = drawn(grain=0.05)
    kinds = data.draw(st.lists(st.sampled_from(PAINTED), min_size=1, max_size=4))
    some = st.floats(0.05, 1.0)
    layers = [
        layer(k, finish=data.draw(st.sampled_from(FINISHES)), coverage=data.draw(some), amount=data.draw(some))
        for k in kinds
    ]
    made = painted(face, *layers)
    assert np.abs(stacked(face, made) - made.image).max() <= 1.0
    assert (painted(face, *layers, keep=False).image == made.image).all()


@given(st.integers(0, 255), st.integers(0, 255), st.floats(0.0, 1.0))
def test_any_change_is_a_layer(before: int, after: int, opacity: float) -> None:
    a, b = np.full((1, 1, 3), before, np.uint8), np.array([[[after, before, after]]], np.uint8)
    rgba = as_layer(a, b, opacity=np.full((1, 1), opacity, np.float32))
    assert np.abs(laid(rgba, a) - b).max() <= 1.0
    assert before != after or rgba[0, 0, 3] == 0


@pytest.mark.parametrize("kind", ["lip", "foundation", "blush", "eyeshadow", "eyeliner"])
def test_more_amount_changes_more(kind: str) -> None:
    face = drawn(grain=0.04)
    steps = [painted(face, layer(kind, amount=a)).image for a in (0.2, 0.5, 0.8, 1.0)]
    change = [float(np.abs(s.astype(int) - face.rgb).sum()) for s in steps]
    assert change == sorted(change)
    assert change[0] < 0.7 * change[-1]


@pytest.mark.parametrize("skin", [(0.54, 0.38, 0.30), (0.25, 0.12, 0.067), (0.09, 0.05, 0.04)])
def test_opaque_lipstick_is_its_swatch_in_the_light_there_is(skin: tuple[float, float, float]) -> None:
    face = drawn(skin, side=320)
    one = layer("lip", coverage=1.0, finish="satin")
    made = render(face.rgb, face.face, look=Look("", (one,)), light=face.light)
    full = cv2.erode(where(face, one), np.ones((3, 3), np.uint8)) > 0.99
    expected = linear_to_srgb(one.shades[0].colour * face.light * face.shading[full][:, None])
    gap = rgb_to_lab(made.image[full]).mean(axis=0) - rgb_to_lab(expected).mean(axis=0)
    assert np.abs(gap).max() < 5.0  # some light is taken to be mirrored everywhere


def _texture(rgb: U8, part: tuple[slice, slice]) -> F32:
    level = luma(rgb)
    return np.asarray((level - cv2.GaussianBlur(level, (0, 0), 2.0))[part], np.float32)


@pytest.mark.parametrize("kind", ["foundation", "smooth"])
def test_pores_stay(kind: str) -> None:
    face = drawn(side=320, grain=0.06)
    made = painted(face, layer(kind, coverage=0.8))
    x, y = face.face.mesh[117, :2]
    cheek = np.s_[int(y) - 12 : int(y) + 16, int(x) - 12 : int(x) + 16]
    before, after = _texture(face.rgb, cheek), _texture(made.image, cheek)
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.9
    assert after.std() > 0.5 * before.std()


def test_smoothing_fades_blotches() -> None:
    face = drawn(side=320)
    blotched = face.rgb.copy()
    x, y = (int(v) for v in face.face.mesh[50, :2])
    spot = cv2.circle(np.zeros(face.face.hw, np.float32), (x, y), 4, 1.0, -1, cv2.LINE_AA)
    spot = cv2.GaussianBlur(spot, (0, 0), 1.5)[..., None]
    blotched = np.rint(blotched * (1 - spot * np.array([0.01, 0.06, 0.05]))).astype(np.uint8)
    made = render(blotched, face.face, look=Look("", (layer("smooth", coverage=1.0),)))
    before, after = (float(face.rgb[y, x, 1]) - float(p[y, x, 1]) for p in (blotched, made.image))
    assert after < 0.6 * before


def test_matte_takes_shine_away_and_gloss_adds_it() -> None:
    face = drawn()
    shiny = face.rgb.copy()
    x, y = np.rint(face.face.mesh[17, :2]).astype(int)
    cv2.ellipse(shiny, (int(x), int(y) - 2), (5, 2), 0, 0, 360, (250, 240, 238), -1)
    lips = where(face, layer("lip")) > 0.9

    def top(finish: str) -> float:
        made = render(shiny, face.face, look=Look("", (layer("lip", finish=finish, coverage=0.8),)))
        return float(np.percentile(luma(made.image)[lips], 99))

    assert top("matte") < top("satin") < top("gloss") + 1e-6


@pytest.mark.parametrize("finish", ["shimmer", "holographic", "metallic"])
def test_flakes_move_with_the_face_and_do_not_flicker(finish: str) -> None:
    face = drawn(side=200)
    one = layer("lip", finish=finish)
    again = painted(face, one).image
    assert (painted(face, one).image == again).all()
    shifted = Drawn(np.roll(face.rgb, 7, axis=1), _moved(face, 7), face.light, face.shading)
    there = np.roll(painted(shifted, one).image, -7, axis=1)
    lips = where(face, one) > 0.5
    assert np.abs(there[lips].astype(int) - again[lips]).mean() < 2.0


@pytest.mark.parametrize(("more", "spills"), [(0.02, False), (0.9, True)])
def test_light_that_one_channel_cannot_show_is_shown_by_the_others(more: float, spills: bool) -> None:
    face = drawn()
    canvas = Canvas(split(face.rgb, face.face, box=Box(0, 0, 160, 160)))
    everywhere = (slice(0, 160), slice(0, 160))
    before = canvas.encode(everywhere).astype(int)
    red = np.zeros((3, 160, 160), np.float32)
    red[0] = more
    canvas.mirror(red, window=everywhere)
    after = canvas.encode(everywhere).astype(int)
    cheek = tuple(face.face.mesh[50, 1::-1].astype(int))
    assert after[cheek][0] > before[cheek][0]
    assert (after[cheek][1:] > before[cheek][1:]).all() == spills


def _moved(face: Drawn, dx: float) -> FaceView:
    mesh = face.face.mesh.copy()
    mesh[:, 0] += dx
    return FaceView.of_mesh(mesh, face.face.hw)


def test_two_shades_meet_without_a_seam() -> None:
    face = drawn()
    red = Shade.of_hex("#a01830")
    made = painted(face, Layer("lip", (red, red), pattern="two-tone", coverage=0.9))
    plain = painted(face, Layer("lip", (red,), coverage=0.9))
    assert np.abs(made.image.astype(int) - plain.image).max() <= 3


@pytest.mark.parametrize(("kind", "pattern"), [(k, p) for k in PAINTED for p in PATTERNS[k]])
def test_every_pattern_with_most_shades(kind: str, pattern: str) -> None:
    face = drawn()
    shades = tuple(Shade.of_hex(CODES[i]) for i in range(shade_counts(kind, pattern)[1]))
    one = Layer(kind, shades, pattern=pattern, coverage=0.8)
    made = painted(face, one)
    assert (made.image[where(face, one) == 0] == face.rgb[where(face, one) == 0]).all()
    assert np.abs(stacked(face, made) - made.image).max() <= 1.0


def test_layers_are_painted_in_order() -> None:
    face = drawn()
    dark = Layer("foundation", (Shade.of_hex("#5a3020"),), coverage=0.9)
    light = layer("blush", coverage=0.9)
    one, other = painted(face, dark, light).image, painted(face, light, dark).image
    assert (one != other).any()


@pytest.mark.parametrize("finish", FINISHES)
def test_a_picture_of_product_that_lies_nowhere_changes_nothing(finish: str) -> None:
    face = drawn()
    empty = Layer("lip", finish=finish, residual=np.zeros((64, 64, 4), np.uint8))
    made = painted(face, empty)
    assert (made.image == face.rgb).all()
    assert not made.layers
    full = Layer("lip", finish=finish, residual=np.full((64, 64, 4), (170, 30, 60, 255), np.uint8))
    hand = np.zeros_like(face.face.parts)
    hand[FACE_PARTS.index("cover")] = 1.0
    behind = Drawn(face.rgb, replace(face.face, parts=hand), face.light, face.shading)
    assert (painted(behind, full).image == face.rgb).all()
    assert (painted(face, full).image != face.rgb).any()


@pytest.mark.parametrize("step", [(0.0, -3.0), (3.0, 3.0), (-3.0, 0.0), (0.0, 0.8), (0.0, -1.1), (-1.1, 0.0)])
def test_a_face_that_leaves_the_photo_is_painted_as_far_as_it_is_seen(step: tuple[float, float]) -> None:
    face = drawn()
    mesh = face.face.mesh.copy()
    mesh[:, :2] += np.array(step, np.float32) * (face.face.box.width, face.face.box.height)
    away = Drawn(face.rgb, FaceView.of_mesh(mesh, face.face.hw), face.light, face.shading)
    look = [layer("hair"), layer("foundation"), layer("lip", finish="gloss"), layer("eyeshadow", finish="shimmer")]
    hair = np.ones(face.face.hw, np.float32)
    made = render(away.rgb, away.face, look=Look("", tuple(look)), hair=hair)
    assert (made.image[made.mask == 0] == face.rgb[made.mask == 0]).all()
    if max(abs(v) for v in step) > 2.0:
        assert (made.image == face.rgb).all()
