"""What the render network is told."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.arrays import U8
from mojing.perception.labels import L
from mojing.tryon.conditions import (
    CATEGORIES,
    CONTEXT_CHANNELS,
    CROP_WH,
    KEPT,
    LIMBS,
    context_input,
    crop_rect,
    picture_input,
    skin_colour,
)
from tests.tryon.wardrobe import body


def _mask(hw: tuple[int, int]) -> U8:
    mask = np.zeros(hw, np.uint8)
    mask[hw[0] // 4 : hw[0] // 2, hw[1] // 4 : hw[1] // 2] = 255
    return mask


def test_blanked_pixels_and_missing_garments_are_zero() -> None:
    view = body()
    rgb = np.full((*view.hw, 3), 200, np.uint8)
    mask, alpha = _mask(view.hw), np.zeros(view.hw, np.float32)
    alpha[100:150, 100:150] = 1
    out = picture_input(rgb, mask, coarse=rgb, alpha=alpha)
    assert np.abs(out[:3, mask > 0]).max() == 0
    assert np.abs(out[4:, alpha == 0]).max() == 0
    assert np.allclose(out[:3, mask == 0], 200 / 127.5 - 1)
    assert set(np.unique(out[3])) == {0.0, 1.0}


def test_the_context_hides_what_the_mask_blanks() -> None:
    view = body()
    rgb = np.full((*view.hw, 3), 128, np.uint8)
    everything = np.full(view.hw, 255, np.uint8)
    out = context_input(view.joints, view.parse, everything, rgb=rgb, category="top")
    assert out.shape == (CONTEXT_CHANNELS, view.hw[0] // 4, view.hw[1] // 4)
    first = len(LIMBS) + 2
    assert out[first : first + len(KEPT)].max() == 0
    nothing = context_input(view.joints, view.parse, everything * 0, rgb=rgb, category="top")
    assert np.allclose(nothing[first : first + len(KEPT)].sum(axis=0), 1)


def test_every_category_has_its_own_channel() -> None:
    view = body()
    rgb = np.zeros((*view.hw, 3), np.uint8)
    last = [context_input(view.joints, view.parse, _mask(view.hw), rgb=rgb, category=c)[-5:, 0, 0] for c in CATEGORIES]
    assert np.array_equal(np.stack(last), np.eye(5))


def test_unseen_joints_draw_no_limb() -> None:
    view = body()
    joints = view.joints.copy()
    joints[:, 2] = 0
    out = context_input(joints, view.parse, _mask(view.hw), rgb=np.zeros((*view.hw, 3), np.uint8), category="dress")
    assert out[: len(LIMBS)].max() == 0


def test_skin_is_read_off_face_and_neck_first() -> None:
    view = body()
    rgb = np.full((*view.hw, 3), 10, np.uint8)
    rgb[np.isin(view.parse, [L["face"], L["neck"]])] = (200, 150, 100)
    rgb[np.isin(view.parse, [L["left_arm"], L["right_arm"]])] = (90, 60, 30)
    colour = (skin_colour(rgb, view.parse, np.zeros(view.hw, np.uint8)) + 1) * 127.5
    assert np.allclose(colour, (200, 150, 100), atol=1)
    no_face = np.where(np.isin(view.parse, [L["face"], L["neck"]]), 0, view.parse).astype(np.uint8)
    colour = (skin_colour(rgb, no_face, np.zeros(view.hw, np.uint8)) + 1) * 127.5
    assert np.allclose(colour, (90, 60, 30), atol=1)


@given(st.integers(0, 80), st.integers(0, 60), st.integers(1, 90), st.integers(1, 90))
def test_the_crop_holds_the_mask_and_has_the_networks_shape(y: int, x: int, h: int, w: int) -> None:
    mask = np.zeros((200, 160), np.uint8)
    mask[y : y + h, x : x + w] = 255
    x0, y0, cw, ch = crop_rect(mask, hw=(200, 160))
    assert x0 <= x
    assert y0 <= y
    assert x0 + cw >= x + w
    assert y0 + ch >= y + h
    assert np.isclose(cw / ch, CROP_WH[0] / CROP_WH[1])
