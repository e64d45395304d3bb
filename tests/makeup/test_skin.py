"""A face taken apart: the parts make the picture again, and the light found is the light there was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.arrays import F32
from mojing.core.color import delta_e_2000, linear_to_srgb, rgb_to_lab, srgb_to_linear
from mojing.core.geometry import Box
from mojing.makeup.optics import LUMA
from mojing.makeup.pigment import USUAL_BLOOD, skin_albedo
from mojing.makeup.skin import SCLERA, VEIL, Skin, light_of, split
from tests.makeup.skins import Drawn, drawn


def taken_apart(face: Drawn, *, light: F32 | None = None) -> Skin:
    rows, cols = face.face.box.pad(0.06).slices(face.face.hw)
    return split(face.rgb, face.face, box=Box(cols.start, rows.start, cols.stop, rows.stop), light=light)


@pytest.mark.parametrize("melanin", [0.1, 0.4, 0.7, 0.95])
def test_parts_make_the_picture_again(melanin: float) -> None:
    face = drawn(skin_albedo(np.asarray(melanin), np.asarray(USUAL_BLOOD)), grain=0.05)
    skin = taken_apart(face)
    again = skin.lit * skin.albedo + skin.rest
    rows, cols = skin.box.slices(face.face.hw)
    assert np.abs(np.moveaxis(again, 0, 2) - srgb_to_linear(face.rgb[rows, cols])).max() < 1e-5
    assert (skin.albedo >= 0).all()
    assert (skin.albedo <= 1).all()
    assert (skin.shading > 0).all()
    length = np.sqrt((skin.normal**2).sum(axis=0))
    assert np.allclose(length, 1.0, atol=1e-4)


@given(st.floats(0.0, 1.0), st.floats(0.5, 1.1), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_light_is_found_from_skin_and_eyes(melanin: float, level: float, warm: float, green: float) -> None:
    light = level * np.exp([warm, green, -warm])
    skin = (skin_albedo(np.asarray(melanin), np.asarray(USUAL_BLOOD)) + VEIL) * light
    found, spread = light_of(skin, sclera=np.exp(SCLERA) * light)
    assert abs(float(np.log(found @ LUMA / (light @ LUMA)))) < 0.26
    assert np.abs(np.log(found / light)).max() < 0.36
    assert 0.0 < spread < 0.5


@given(st.floats(0.0, 1.0), st.floats(0.4, 1.2))
def test_eyes_make_the_light_surer(melanin: float, level: float) -> None:
    skin = (skin_albedo(np.asarray(melanin), np.asarray(USUAL_BLOOD)) + VEIL) * level
    _, alone = light_of(skin)
    _, both = light_of(skin, sclera=np.exp(SCLERA) * level)
    assert both <= alone + 0.02


@pytest.mark.parametrize("melanin", [0.1, 0.35, 0.6, 0.9])
@pytest.mark.parametrize("light", [(0.8, 0.8, 0.8), (0.85, 0.78, 0.68), (0.6, 0.63, 0.68)])
def test_albedo_of_a_photo_is_that_of_the_skin(melanin: float, light: tuple[float, float, float]) -> None:
    albedo = skin_albedo(np.asarray(melanin), np.asarray(USUAL_BLOOD))
    skin = taken_apart(drawn(albedo, light))
    h, w = skin.shading.shape
    cheek = skin.albedo[:, int(0.55 * h) : int(0.62 * h), int(0.25 * w) : int(0.35 * w)].mean(axis=(1, 2))
    found, true = rgb_to_lab(linear_to_srgb(cheek)), rgb_to_lab(linear_to_srgb(albedo))
    assert float(delta_e_2000(found, true)) < 9.0


def test_known_light_is_used() -> None:
    face = drawn(light=(0.5, 0.45, 0.3))
    told = taken_apart(face, light=np.array([0.5, 0.45, 0.3], np.float32))
    assert np.allclose(told.light, (0.5, 0.45, 0.3))
    assert told.spread == 0.0


def test_grain_is_shading_and_not_pigment() -> None:
    skin = taken_apart(drawn(grain=0.06))
    h, w = skin.shading.shape
    part = np.s_[int(0.55 * h) : int(0.65 * h), int(0.2 * w) : int(0.35 * w)]
    lightness = np.tensordot(LUMA, skin.albedo, axes=1)[part]
    assert skin.shading[part].std() / skin.shading[part].mean() > 0.04
    assert lightness.std() / lightness.mean() < 0.03


def test_tone_is_held_from_frame_to_frame() -> None:
    face = drawn(light=(0.6, 0.6, 0.6))
    first = taken_apart(face)
    rows, cols = face.face.box.pad(0.06).slices(face.face.hw)
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    held = np.array([0.3, 0.2, 0.15], np.float32)
    second = split(face.rgb, face.face, box=box, tone=held)
    drawn_to = np.log(second.tone / held) / np.log(first.tone / held)
    assert np.allclose(drawn_to, drawn_to[0], atol=1e-2)
    assert 0.0 < drawn_to[0] < 0.2
    assert np.allclose(second.light * second.tone, first.light * first.tone, rtol=1e-4)
