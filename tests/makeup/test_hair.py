"""Hair colour: dye only darkens, bleach lightens by degrees, strands and their shine stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mojing.core.arrays import F32, U8
from mojing.core.color import linear_to_srgb, luma, srgb_to_linear, to_uint8
from mojing.makeup.hair import dye, own_share, place_hair, refined
from mojing.makeup.head import is_scalp
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.render import render
from mojing.perception.facemesh import FOREHEAD, OVAL
from tests.makeup.faces import moved
from tests.makeup.skins import Drawn, drawn

LIGHT = np.array([0.9, 0.9, 0.9], np.float32)
BLONDE, BLACK, RED = (Shade.of_hex(c).colour for c in ("#d9b77e", "#1a1310", "#8a1c1c"))


def strands(tone: tuple[int, int, int]) -> U8:
    """(60, 80, 3) of hair with light and dark strands, and one that shines."""
    rng = np.random.default_rng(5)
    line = 1.0 + 0.25 * rng.standard_normal(80)
    out = np.clip(np.array(tone) * line[None, :, None], 0, 255) * np.ones((60, 1, 1))
    out[:, 40] = 235
    return out.astype(np.uint8)


def full(value: float) -> F32:
    return np.full((60, 80), value, np.float32)


@pytest.mark.parametrize("shade", [BLONDE, BLACK, RED])
def test_no_amount_is_the_photo(shade: F32) -> None:
    hair = strands((60, 45, 35))
    assert (dye(hair, shade, amount=full(0.0), light=LIGHT) == hair).all()
    half = full(0.0)
    half[:, :30] = 0.8
    assert (dye(hair, shade, amount=half, light=LIGHT)[:, 30:] == hair[:, 30:]).all()


def test_dark_hair_turns_light_by_degrees() -> None:
    hair = strands((40, 30, 24))
    levels = [float(luma(dye(hair, BLONDE, amount=full(a), light=LIGHT)).mean()) for a in (0.0, 0.3, 0.6, 1.0)]
    assert levels == sorted(levels)
    assert levels[1] < levels[0] + 0.08 < levels[3] - 0.1
    lifted = srgb_to_linear(dye(hair, BLONDE, amount=full(0.6), light=LIGHT)).mean(axis=(0, 1))
    assert lifted[0] > 1.3 * lifted[2]  # brassy on the way


def test_dark_dye_needs_no_bleach() -> None:
    hair = strands((190, 150, 100))
    dark = dye(hair, BLACK, amount=full(1.0), light=LIGHT)
    assert float(np.median(luma(dark))) < 0.2 < float(np.median(luma(hair)))


def test_strands_and_shine_stay() -> None:
    hair = strands((90, 65, 45))
    red = dye(hair, RED, amount=full(0.9), light=LIGHT)
    dull = [i for i in range(80) if abs(i - 40) > 2]
    a, b = luma(hair)[30, dull], luma(red)[30, dull]
    assert np.corrcoef(a, b)[0, 1] > 0.9
    assert float(luma(red)[30, 40]) > 2.0 * float(b.mean())
    assert red[..., 0].mean() > 1.5 * red[..., 1].mean()


@pytest.mark.parametrize("pattern", ["whole", "ombre", "streaks", "roots"])
def test_hair_is_painted_where_it_is(pattern: str) -> None:
    face = drawn()
    alpha = np.zeros(face.face.hw, np.float32)
    alpha[:50] = 1.0
    alpha[50:140, :20] = 0.5
    shades = (Shade.of_hex("#8a1c1c"),)
    one = Layer("hair", shades, pattern=pattern, coverage=0.9)
    made = render(face.rgb, face.face, look=Look("", (one,)), hair=alpha)
    assert (made.image[alpha == 0] == face.rgb[alpha == 0]).all()
    assert (made.image != face.rgb).any()
    assert (made.mask[alpha == 0] == 0).all()
    for placed in place_hair(one, face.face, hair=alpha):
        assert placed.mask.min() >= 0.0
        assert placed.mask.max() <= 1.0
    assert (render(face.rgb, face.face, look=Look("", (one,))).image == face.rgb).all()


def test_edge_of_the_mask_follows_the_photo() -> None:
    rgb = np.full((120, 160, 3), 225, np.uint8)
    rgb[:, :80] = 30
    rgb[40:44, 80:100] = 30  # a strand that the rough mask misses
    rough = np.zeros((120, 160), np.float32)
    rough[:, :77] = 1.0
    alpha = refined(rgb, rough)
    assert alpha.min() >= 0.0
    assert alpha.max() <= 1.0
    assert alpha[20, 60] > 0.9
    assert alpha[20, 110] < 0.05
    assert alpha[42, 82] > alpha[20, 82] + 0.1


def crowned(tone: F32, *, grain: float) -> tuple[Drawn, F32]:
    """A face with a crown above it in a colour (3,) that strands make rough by `grain`, and the crown's alpha."""
    face = drawn(side=240, grain=0.02)
    h, w = face.face.hw
    y, x = np.mgrid[0:h, 0:w]
    oval = cv2.convexHull(face.face.mesh[list(OVAL), :2]).astype(np.int32)
    inside = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(inside, oval, 1)
    cx, cy = face.face.mesh[FOREHEAD, :2]
    alpha = ((np.hypot((x - cx) / 1.3, y - cy) < 40) & (inside == 0)).astype(np.float32)
    line = 1.0 + grain * np.random.default_rng(2).standard_normal((1, w, 1))
    crown = to_uint8(linear_to_srgb(np.clip(tone * line * np.ones((h, 1, 1)), 0, 1)))
    return Drawn(np.where(alpha[..., None] > 0, crown, face.rgb), face.face, face.light, face.shading), alpha


def test_a_bald_head_is_no_hair() -> None:
    skin = np.array([0.44, 0.26, 0.18], np.float32)
    for tone, grain, bald in (
        (1.2 * skin, 0.02, True),
        (0.6 * skin, 0.02, True),
        (0.9 * skin, 0.35, False),
        (skin * (0.2, 0.5, 0.9), 0.02, False),
        (0.05 * skin, 0.02, False),
    ):
        face, alpha = crowned(np.asarray(tone, np.float32), grain=grain)
        assert is_scalp(face.rgb, face.face, hair=alpha) == bald, (tone, grain)
    face, alpha = crowned(skin, grain=0.02)
    assert not is_scalp(face.rgb, face.face, hair=np.ones_like(alpha)), "so much of it is hair"


def test_hair_belongs_to_the_nearest_head() -> None:
    face = drawn().face
    h, w = face.hw
    both = [moved(face, by=(x, 0.0), hw=(h, 2 * w)) for x in (0.0, float(w))]
    left, right = (own_share(one, both) for one in both)
    assert ((left > 0) | (right > 0)).all()
    assert left[:, : w // 2].min() == 1.0
    assert left[:, -w // 2 :].max() == 0.0
    assert (own_share(both[0], both[:1]) == 1.0).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_streaks_run_along_the_strands_of_the_photo(axis: int) -> None:
    face = drawn(side=240).face
    h, w = face.hw
    line = 90.0 + 50.0 * np.random.default_rng(4).standard_normal((h, 1) if axis else (1, w))
    rgb = np.repeat(np.clip(line * np.ones((h, w)), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    layer = Layer("hair", (Shade.of_hex("#c89a50"),), pattern="streaks")
    placed = place_hair(layer, face, hair=np.ones((h, w), np.float32), rgb=rgb)
    mask = placed[0].mask
    changes = [float(np.abs(np.diff(mask, axis=a)).mean()) for a in (0, 1)]
    assert changes[axis] < 0.5 * changes[1 - axis]
    assert 0.05 < float(mask.mean()) < 0.6
    assert (place_hair(layer, face, hair=np.ones((h, w), np.float32), rgb=rgb)[0].mask == mask).all()
