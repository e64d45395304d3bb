"""Synthetic faces: skin as measured on people, light as asked for, and truth that differs only where it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.color import ita, linear_to_srgb, rgb_to_lab, srgb_to_linear
from mojing.eval.skinspectra import MONK, linear_of, melanin_of, reflectance, skin
from mojing.eval.syntheticface import LIGHTS, card, light_rgb, photograph, planck, tone_albedo
from mojing.eval.syntheticstage import Pose, turned
from mojing.perception import facemesh as fm
from mojing.perception.faceview import FaceView

SMALL = Pose(iris_px=30.0)


def test_a_white_reflector_is_white() -> None:
    np.testing.assert_allclose(linear_of(np.ones(31)), 1.0, atol=1e-6)


def test_tones_span_the_typology_angles_of_people() -> None:
    lab = np.array([rgb_to_lab(linear_to_srgb(tone_albedo(t))) for t in range(1, 11)])
    assert np.all(np.diff(lab[:, 0]) < -3), "ever darker"
    assert ita(lab[0]) > 55
    assert ita(lab[9]) < -30
    assert np.all((lab[:, 1] > 4) & (lab[:, 1] < 18)), "a* of bare skin is red, but no more than measured"
    assert np.all((lab[:, 2] > 8) & (lab[:, 2] < 30))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 0.6), st.floats(0.004, 0.1), st.floats(1.05, 1.5))
def test_more_pigment_takes_light_away(melanin: float, blood: float, more: float) -> None:
    usual = reflectance(np.asarray(melanin), np.asarray(blood))
    assert np.all((usual > 0) & (usual < 1))
    assert np.all(reflectance(np.asarray(melanin * more), np.asarray(blood)) <= usual)
    assert np.all(reflectance(np.asarray(melanin), np.asarray(blood * more)) <= usual + 1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 0.6), st.floats(0.004, 0.2))
def test_the_table_of_skin_agrees_with_its_spectra(melanin: float, blood: float) -> None:
    exact = linear_of(reflectance(np.asarray(melanin), np.asarray(blood)))
    np.testing.assert_allclose(skin(np.array([[melanin]]), np.array([[blood]]))[0, 0], exact, atol=2e-3)


def test_swatches_are_those_of_the_scale() -> None:
    assert len(MONK) == 10
    swatch = linear_to_srgb(tone_albedo(6, swatch=True)) * 255
    np.testing.assert_allclose(swatch, [0xA0, 0x7E, 0x56], atol=0.5)


def test_lamps_are_warm_and_balance_takes_it_out() -> None:
    warm, cold = planck(2800.0), planck(8000.0)
    assert warm[0] > 1 > warm[2]
    assert cold[0] < 1 < cold[2]
    lamp = replace(LIGHTS[0], key_cct=2900.0, fill_cct=2900.0, balanced=1.0)
    np.testing.assert_allclose(light_rgb(lamp)[0], 1.0, atol=1e-5)
    left = light_rgb(replace(lamp, balanced=0.8))[0]
    assert left[0] > 1.02 > 0.98 > left[2]


@pytest.mark.parametrize("pose", [Pose(yaw=20.0), Pose(pitch=-12.0), Pose(roll=15.0)])
def test_poses_are_those_that_a_face_view_tells(pose: Pose) -> None:
    face = FaceView.of_mesh(turned(pose), (pose.side, pose.side))
    straight = FaceView.of_mesh(turned(Pose()), (pose.side, pose.side))
    assert face.yaw - straight.yaw == pytest.approx(pose.yaw, abs=0.5)
    assert face.roll - straight.roll == pytest.approx(pose.roll, abs=0.5)
    assert face.pitch - straight.pitch == pytest.approx(pose.pitch, abs=0.5)


def test_a_scene_is_the_same_every_time_and_lies_inside_its_picture() -> None:
    one, two = (photograph(4, LIGHTS[1], pose=SMALL, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.rgb, two.rgb)
    assert one.rgb.shape == (SMALL.side, SMALL.side, 3)
    assert one.mesh[:, :2].min() > 0
    assert one.mesh[:, :2].max() < SMALL.side
    assert fm.inter_ocular(one.mesh) == pytest.approx(SMALL.iris_px, rel=0.02)


def test_taken_again_unchanged_is_the_same_photo_and_black_skin_leaves_only_gloss() -> None:
    scene = photograph(3, LIGHTS[0], pose=SMALL)
    np.testing.assert_array_equal(scene.again(lambda albedo: albedo), scene.rgb)
    black = scene.again(np.zeros_like)
    cheek = np.rint(scene.mesh[50, :2]).astype(int)
    assert black[cheek[1], cheek[0]].max() < scene.rgb[cheek[1], cheek[0]].min()


def test_darker_people_are_darker_in_the_same_light() -> None:
    cheek = np.rint(turned(SMALL)[50, :2]).astype(int)
    at = (slice(cheek[1] - 2, cheek[1] + 3), slice(cheek[0] - 2, cheek[0] + 3))
    levels = [float(srgb_to_linear(photograph(t, LIGHTS[0], pose=SMALL).rgb)[at].mean()) for t in (1, 4, 7, 10)]
    assert levels == sorted(levels, reverse=True)


def test_a_card_shows_the_light_and_not_the_skin() -> None:
    cards = [card(photograph(t, LIGHTS[2], pose=SMALL)) for t in (2, 9)]
    np.testing.assert_allclose(cards[0], cards[1], rtol=1e-5)
    assert cards[0][0] > cards[0][2], "lamp light that the camera left warm"


def test_melanin_of_a_tone_rises() -> None:
    amounts = [melanin_of(t) for t in range(1, 11)]
    assert amounts == sorted(amounts)
