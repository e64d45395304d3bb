"""Where products lie: on the right parts of the face, however it is turned, and as smoothly as it moves."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32, AnyArray
from mojing.core.geometry import Box
from mojing.makeup.curves import fill
from mojing.makeup.geometry import geometry
from mojing.makeup.kinds import AREAS, KINDS, ONE_SIDED, PATTERNS, shade_counts
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed, trimmed
from mojing.makeup.regions import place
from mojing.perception.facemesh import LEFT_EYE, LIPS_INNER, RIGHT_EYE, mirror
from mojing.perception.faceview import FaceView
from tests.makeup.meshes import HW, layer, mesh, view

PAINTED = [kind for kind in KINDS if kind != "remove"]
EVERY = [(kind, pattern) for kind in PAINTED for pattern in PATTERNS[kind]]


def most(kind: str, pattern: str) -> Layer:
    """The layer with as many shades as its pattern takes."""
    return layer(kind, pattern, shade_counts(kind, pattern)[1])


def spread(placed: tuple[Placed, ...], hw: tuple[int, int] = HW) -> F32:
    """All masks of a layer on one canvas: the thickest."""
    out = np.zeros(hw, np.float32)
    for p in placed:
        rows, cols = p.box.slices(hw)
        out[rows, cols] = np.maximum(out[rows, cols], p.mask)
    return out


def on(points: F32, what: Layer, hw: tuple[int, int] = HW) -> F32:
    return spread(place(what, view(points, hw)), hw)


def middle(mask: AnyArray) -> AnyArray:
    ys, xs = np.mgrid[: mask.shape[0], : mask.shape[1]]
    return np.array([(mask * xs).sum() / mask.sum(), (mask * ys).sum() / mask.sum()])


@pytest.mark.parametrize(("kind", "pattern"), EVERY)
def test_masks_are_thicknesses_in_their_boxes(kind: str, pattern: str) -> None:
    what = most(kind, pattern)
    for points in (mesh(), mesh(roll=20.0, yaw=30.0), mesh(at=(10.0, 200.0)), mesh(at=(-400.0, 50.0))):
        for p in place(what, view(points)):
            assert p.mask.dtype == np.float32
            assert p.mask.min() >= 0.0
            assert p.mask.max() <= 1.0
            assert 0 <= p.shade < max(len(what.shades), 1)
            assert p.box == Box(*(float(round(v)) for v in (p.box.x0, p.box.y0, p.box.x1, p.box.y1)))
            assert p.box.clip(HW) == p.box
            assert not p.mask.flags.writeable
            if p.detail is not None:
                assert p.detail.min() >= 0.0
                assert p.detail.max() <= 1.0
    shades = {p.shade for p in place(what, view(mesh()))}
    assert shades == set(range(max(len(what.shades), 1))), "every shade lies somewhere"


@pytest.mark.parametrize(("kind", "pattern"), EVERY)
def test_moving_by_whole_pixels_moves_the_mask(kind: str, pattern: str) -> None:
    a, b = on(mesh(), most(kind, pattern)), on(mesh(at=(107.0, 90.0)), most(kind, pattern))
    # Where the picture ends, nothing can move in; hair is asked for everywhere.
    np.testing.assert_allclose(b[5:, 7:], a[:-5, :-7], atol=0.02)


@pytest.mark.parametrize(("kind", "pattern"), EVERY)
def test_moving_a_little_changes_little(kind: str, pattern: str) -> None:
    points = mesh(roll=5.0, yaw=10.0)
    a, b = on(points, most(kind, pattern)), on(points + np.array([0.1, 0.06, 0.0], np.float32), most(kind, pattern))
    assert np.abs(a - b).max() < 0.3
    assert np.abs(a - b).sum() < (0.2 if kind in ("eyeliner", "lashes") else 0.1) * a.sum()


@pytest.mark.parametrize("kind", PAINTED)
def test_half_a_pixel_moves_the_middle_half_a_pixel(kind: str) -> None:
    what = most(kind, PATTERNS[kind][0])
    if kind == "hair":
        pytest.skip("hair is asked for up to the edges of the picture")
    a, b = on(mesh(), what), on(mesh(at=(100.5, 85.25)), what)
    np.testing.assert_allclose(middle(b) - middle(a), [0.5, 0.25], atol=0.2 if kind in ("bronzer", "contour") else 0.1)
    assert b.sum() == pytest.approx(a.sum(), rel=0.03)


@pytest.mark.parametrize("kind", [kind for kind in PAINTED if kind != "hair"])
def test_scale_and_roll_go_with_the_face(kind: str) -> None:
    what = most(kind, PATTERNS[kind][-1])
    hw = (400, 400)
    a = on(mesh(60.0, at=(200.0, 150.0)), what, hw)
    big, turned = on(mesh(90.0, at=(200.0, 150.0)), what, hw), on(mesh(60.0, at=(200.0, 150.0), roll=30.0), what, hw)
    assert big.sum() == pytest.approx(2.25 * a.sum(), rel=0.12)
    assert turned.sum() == pytest.approx(a.sum(), rel=0.05)
    c, s = np.cos(np.radians(30.0)), np.sin(np.radians(30.0))
    across, down = middle(a) - (200.0, 150.0)
    np.testing.assert_allclose(
        middle(turned) - (200.0, 150.0), [c * across - s * down, s * across + c * down], atol=1.3
    )
    np.testing.assert_allclose(middle(big) - (200.0, 150.0), [1.5 * across, 1.5 * down], atol=1.3)


@pytest.mark.parametrize(("kind", "pattern"), EVERY)
def test_a_mirrored_face_has_the_mirrored_mask(kind: str, pattern: str) -> None:
    points = mesh(at=(99.5, 85.0), roll=8.0, yaw=15.0)
    flipped = points[mirror()].copy()
    flipped[:, 0] = (HW[1] - 1) - flipped[:, 0]
    a, b = on(points, most(kind, pattern)), on(flipped, most(kind, pattern))
    if kind == "hair" and pattern == "streaks":
        assert b.sum() == pytest.approx(a.sum(), rel=0.15)  # streaks are not the same on both sides of any head
        return
    wrong = np.abs(a - b[:, ::-1])
    # The fibres of an iris are no mirror image; thin hairs and the coarse grid of hair and glasses do not fall alike.
    assert wrong.max() < (0.5 if kind == "lens" else 0.35)
    assert wrong.sum() < (0.1 if kind in ("lashes", "highlighter") else 0.06) * a.sum()


def test_contour_of_the_forehead_keeps_to_the_temples() -> None:
    points = mesh(90.0, at=(200.0, 180.0))
    mask = on(points, layer("contour", region=("forehead",)), (420, 400))
    x, y = np.rint(points[151, :2]).astype(int)
    in_the_middle = mask[:y, x - 8 : x + 9].max()
    assert in_the_middle < 0.35 * mask.max()


def eyes_and_mouth(face: FaceView) -> Iterator[F32]:
    box = Box(0.0, 0.0, float(face.hw[1]), float(face.hw[0]))
    for ring in (RIGHT_EYE, LEFT_EYE, LIPS_INNER):
        hole = fill([face.mesh[list(ring), :2]], box=box)
        # Lip colour reaches a hundredth of the inter-ocular distance over the mesh's inner lips.
        yield cv2.erode(hole, np.ones((3, 3), np.uint8)) if ring is LIPS_INNER else hole


@pytest.mark.parametrize(("kind", "pattern"), [kp for kp in EVERY if kp[0] not in ("lens", "hair")])
@pytest.mark.parametrize("turn", [(0.0, 0.0), (15.0, -25.0)])
def test_nothing_lies_on_eyeballs_or_in_the_mouth(kind: str, pattern: str, turn: tuple[float, float]) -> None:
    face = view(mesh(roll=turn[0], yaw=turn[1]))
    mask = spread(place(most(kind, pattern), face))
    for hole in eyes_and_mouth(face):
        assert mask[hole > 0.999].max(initial=0.0) < 0.02


@given(st.floats(40, 90), st.floats(-40, 40), st.floats(-30, 30), st.floats(0, 0.4))
@settings(max_examples=15, deadline=None)
def test_lip_colour_stays_inside_the_lips(unit: float, roll: float, yaw: float, mouth: float) -> None:
    face = view(mesh(unit, roll=roll, yaw=yaw, mouth=mouth, at=(100.0, 70.0)))
    mask = spread(place(layer("lip"), face))
    box = Box(0.0, 0.0, float(HW[1]), float(HW[0]))
    outside = fill([geometry(face).lips_outer], box=box) == 0.0
    assert mask[outside].max(initial=0.0) == 0.0
    assert mask.max() > 0.9


@pytest.mark.parametrize("kind", [kind for kind in PAINTED if kind not in ONE_SIDED])
def test_a_side_alone_stays_on_its_side(kind: str) -> None:
    count = shade_counts(kind, PATTERNS[kind][0])[1]
    left, right = (on(mesh(), layer(kind, count=count, region=(side,))) for side in ("left", "right"))
    both = on(mesh(), layer(kind, count=count))
    assert left[:, :94].max(initial=0.0) < 1e-3
    assert right[:, 107:].max(initial=0.0) < 1e-3
    np.testing.assert_allclose(np.maximum(left, right)[:, :94], both[:, :94], atol=1e-3)


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind in PAINTED for word in AREAS[kind]])
def test_an_area_alone_is_part_of_the_whole_or_added(kind: str, word: str) -> None:
    count = max(shade_counts(kind, PATTERNS[kind][0])[0], 1)
    part, whole = on(mesh(), layer(kind, count=count, region=(word,))), on(mesh(), layer(kind, count=count))
    assert part.sum() > 0.5
    if kind != "eyeshadow":
        assert (part <= whole + 0.02).all()
        assert part.sum() < whole.sum() or word == "spots"


def test_where_things_are() -> None:
    points = mesh(mouth=0.0)
    centre = np.array([100.0, 85.0])
    at = {kind: middle(on(points, most(kind, PATTERNS[kind][0]))) - centre for kind in PAINTED if kind != "hair"}
    assert all(abs(x) < 2.0 for x, _ in at.values()), "both sides alike"
    heights = [at[kind][1] for kind in ("brows", "eyeshadow", "lens", "blush", "lip")]
    assert heights == sorted(heights)
    classic, wing, puppy = (
        middle(on(points, layer("eyeliner", pattern, region=("left",)))) for pattern in ("classic", "wing", "puppy")
    )
    assert wing[0] > classic[0] + 0.5
    assert wing[1] < classic[1] - 0.1
    assert puppy[1] > classic[1]


def test_hair_glasses_and_hands_are_left_out() -> None:
    bare = view(mesh())
    parts = bare.parts.copy()
    for name in (2, 4, 6):
        hidden = parts.copy()
        hidden[:, :, 48:] = 0.0
        hidden[name, :, 48:] = 1.0
        face = FaceView(bare.mesh, 1.0, hidden, bare.to_parts, bare.hw)
        for kind in PAINTED:
            if kind != "hair":
                mask = spread(place(most(kind, PATTERNS[kind][0]), face))
                assert mask[:, 110:].max() < 0.02, kind
                assert mask[:, :90].max() > 0.3, kind


def test_size_softness_and_residuals() -> None:
    points = mesh()
    for kind in ("eyeliner", "lashes", "blush", "eyeshadow", "lip_liner", "contour", "highlighter"):
        small, large = (Layer(kind, layer(kind).shades, size=size) for size in (0.6, 1.8))
        assert on(points, large).sum() > 1.15 * on(points, small).sum(), kind
    for kind in ("eyeliner", "lip_liner", "eyeshadow"):
        crisp, soft = (Layer(kind, layer(kind).shades, softness=softness) for softness in (0.0, 1.0))
        steep = [np.abs(np.diff(on(points, what), axis=0)).max() for what in (crisp, soft)]
        assert steep[0] > steep[1], kind
    assert place(Layer("lip", residual=np.zeros((64, 64, 4), np.uint8)), view(points)) == ()
    assert place(Layer("remove", residual=np.zeros((64, 64, 4), np.uint8)), view(points)) == ()


def test_large_faces_are_like_small_ones() -> None:
    small, large = mesh(50.0, at=(90.0, 70.0)), mesh(400.0, at=(723.5, 563.5))
    for kind in ("foundation", "blush", "eyeshadow", "lip", "brows"):
        a, b = on(small, layer(kind), (200, 180)), on(large, layer(kind), (1600, 1440))
        shrunk = b.reshape(200, 8, 180, 8).mean(axis=(1, 3))
        assert np.abs(a - shrunk).mean() < 0.006, kind


def test_trimming_loses_nothing() -> None:
    mask = np.zeros((9, 12), np.float32)
    assert trimmed(Placed(Box(3, 4, 15, 13), mask)) is None
    mask[2:5, 6:7] = 0.5
    found = trimmed(Placed(Box(3, 4, 15, 13), mask, detail=mask))
    assert found is not None
    assert found.box == Box(9, 6, 10, 9)
    assert found.detail is not None
    assert found.mask.shape == found.detail.shape == (3, 1)
