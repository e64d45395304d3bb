"""Re-toned and re-lit faces, against synthetic ones photographed anew with that skin."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from mojing.core.arrays import U8
from mojing.core.color import delta_e_2000, rgb_to_lab, srgb_to_linear
from mojing.eval.portraits import cheek_lab, tone_groups
from mojing.eval.syntheticface import LIGHTS, Scene, photograph
from mojing.eval.syntheticstage import Pose
from mojing.makeup.tones import NewLight, melanin_seen, normals, relight, retone, skin_mask
from mojing.perception.facemesh import LEFT_IRIS, NOSE_TIP
from mojing.perception.faceview import FaceView

POSE = Pose(iris_px=48.0)
CHEEK, FOREHEAD = 50, 9


@cache
def scene(tone: int) -> Scene:
    return photograph(tone, LIGHTS[0], pose=POSE, seed=2)


def view(of: Scene) -> FaceView:
    return FaceView.of_mesh(of.mesh, of.rgb.shape[:2])


def level(rgb: U8, of: Scene, point: int) -> float:
    """Mean linear light about a point of the mesh."""
    x, y = np.rint(of.mesh[point, :2]).astype(int)
    return float(srgb_to_linear(rgb)[y - 2 : y + 3, x - 2 : x + 3].mean())


def test_light_skin_made_dark_looks_like_dark_skin() -> None:
    light, dark = scene(3), scene(8)
    face = view(light)
    made = retone(light.rgb, face, melanin=melanin_seen(dark.rgb, view(dark)), brighten=0.0)
    before = delta_e_2000(cheek_lab(light.rgb, light.mesh), cheek_lab(dark.rgb, dark.mesh))
    after = delta_e_2000(cheek_lab(made, light.mesh), cheek_lab(dark.rgb, dark.mesh))
    assert before > 15
    assert after < before / 4


def test_only_skin_changes_its_tone() -> None:
    light = scene(2)
    made = retone(light.rgb, view(light), melanin=0.8, brighten=0.0).astype(int)
    x, y = np.rint(light.mesh[LEFT_IRIS[0], :2]).astype(int)
    corner = (slice(0, 12), slice(0, 12))
    assert np.abs(made[corner] - light.rgb[corner]).max() <= 1, "background"
    assert np.abs(made[y, x] - light.rgb[y, x]).max() <= 3, "iris"
    assert level(made.astype(np.uint8), light, CHEEK) < 0.5 * level(light.rgb, light, CHEEK)


def test_a_camera_that_brightens_makes_up_for_part_of_it() -> None:
    light = scene(2)
    kept, lifted = (retone(light.rgb, view(light), melanin=0.8, brighten=b) for b in (0.0, 0.5))
    assert level(lifted, light, CHEEK) > 1.2 * level(kept, light, CHEEK)


def test_the_mask_holds_cheeks_and_neither_eyes_nor_hair_nor_background() -> None:
    light = scene(4)
    mask = skin_mask(light.rgb, view(light))
    at = {name: tuple(np.rint(light.mesh[i, :2]).astype(int)) for name, i in (("cheek", CHEEK), ("nose", NOSE_TIP))}
    assert all(mask[y, x] > 0.8 for x, y in at.values())
    x, y = np.rint(light.mesh[LEFT_IRIS[0], :2]).astype(int)
    assert mask[y, x] < 0.1
    above = int(light.mesh[10, 1] - 0.35 * POSE.iris_px)
    assert mask[above, int(light.mesh[10, 0])] < 0.3, "hair"
    assert mask[:10].max() < 0.1


def test_melanin_is_seen_in_its_order() -> None:
    seen = [melanin_seen(scene(t).rgb, view(scene(t))) for t in (1, 3, 5, 8)]
    assert seen == sorted(seen)
    assert seen[-1] - seen[0] > 0.4


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_light_from_one_side_brightens_that_cheek(side: float) -> None:
    plain = scene(5)
    face = view(plain)
    lit = relight(plain.rgb, face, light=NewLight((side, 0.0, -0.3), strength=1.2), rng=np.random.default_rng(0))
    right, left = 50, 280
    ratio = level(lit, plain, left) / level(lit, plain, right)
    usual = level(plain.rgb, plain, left) / level(plain.rgb, plain, right)
    assert (ratio > 1.2 * usual) if side > 0 else (ratio < usual / 1.2)


def test_colour_and_exposure_of_a_light_are_kept() -> None:
    plain = scene(5)
    warm = NewLight(colour=(1.1, 1.0, 0.8), exposure=0.5)
    made = relight(plain.rgb, view(plain), light=warm, rng=np.random.default_rng(0))
    ratio = srgb_to_linear(made)[:20].mean((0, 1)) / srgb_to_linear(plain.rgb)[:20].mean((0, 1))
    np.testing.assert_allclose(ratio, [0.55, 0.5, 0.4], rtol=0.03)


def test_normals_look_at_the_camera_and_turn_outwards() -> None:
    plain = scene(5)
    found = normals(view(plain), plain.rgb.shape[:2])
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1.0, atol=1e-4)
    assert found[..., 2].max() < 0.2
    right, left = (np.rint(plain.mesh[i, :2]).astype(int) for i in (123, 352))
    assert found[right[1], right[0], 0] < -0.1 < 0.1 < found[left[1], left[0], 0]


def test_groups_of_tones_follow_the_typology_angle() -> None:
    names = [tone_groups(scene(t).rgb, scene(t).mesh)["tone"] for t in (1, 4, 8)]
    assert names == sorted(names)
    assert len(set(names)) == 3
    lab = rgb_to_lab(np.full((40, 40, 3), (200, 170, 150), np.uint8))[0, 0]
    np.testing.assert_allclose(cheek_lab(np.full((386, 386, 3), (200, 170, 150), np.uint8), scene(1).mesh), lab)
