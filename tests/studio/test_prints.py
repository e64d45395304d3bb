"""Shading split from colour, recolouring, patterns, logos: on drawn garments whose dyes and shading are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32, U8
from mojing.core.color import delta_e_2000, luma, rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.skeleton import GARMENT_ANCHORS, A
from mojing.perception.garment import GarmentView, outline_anchors
from mojing.studio.colours import (
    from_condition,
    hex_code,
    nearest_name,
    palette_of,
    parse_colour,
    to_condition,
)
from mojing.studio.flow import PARTS, along, flow_of
from mojing.studio.look import left_out_is_cloth
from mojing.studio.paint import soft_clip
from mojing.studio.prints import WORK, Cloth, knocked_out, place_logo, print_pattern, recolour
from mojing.studio.shading import fill, split
from mojing.studio.textiles import PATTERNS, procedural, seamless
from tests.studio.conftest import shirt

TEAL = (0, 128, 128)


def view_of(rgb: U8, alpha: U8, category: str = "top", sleeve: str = "short") -> GarmentView:
    anchors = outline_anchors(alpha, category)
    return GarmentView(rgb.shape[:2], rgb, alpha, np.zeros_like(alpha), category, {"sleeve": sleeve}, anchors, 1.0)


def interior(alpha: U8) -> U8:
    """Well inside the cloth."""
    import cv2

    return np.asarray(cv2.erode(alpha, np.ones((9, 9), np.uint8)) > 127)


@pytest.mark.parametrize("rgb", [(235, 235, 230), (30, 30, 34), (180, 40, 60), (20, 60, 170)], ids=str)
def test_the_shading_of_plain_cloth_is_found(rgb: tuple[int, int, int]) -> None:
    photo, alpha, truth = shirt(rgb=rgb)
    parts = split(photo, alpha)
    assert len(parts.dyes.share) == 1
    inside = interior(alpha)
    found = np.log(parts.shading[inside])
    correlation = np.corrcoef(found, np.log(truth[inside]))[0, 1]
    assert correlation > 0.93


@pytest.mark.parametrize("rgb", [(235, 235, 230), (30, 30, 34), (180, 40, 60)], ids=str)
@pytest.mark.parametrize("target", [TEAL, (250, 250, 250), (20, 20, 20)], ids=str)
def test_cloth_takes_the_colour_asked_for_and_keeps_its_folds(
    rgb: tuple[int, int, int], target: tuple[int, int, int]
) -> None:
    photo, alpha, truth = shirt(rgb=rgb)
    made = recolour(Cloth.of(view_of(photo, alpha)), [target])
    inside = interior(alpha)
    lit = inside & (np.abs(truth / np.median(truth[inside]) - 1) < 0.05)
    median = np.median(made.image[lit], axis=0)
    assert delta_e_2000(rgb_to_lab(median / 255), rgb_to_lab(np.array(target, np.uint8))) < 6
    folds = np.corrcoef(luma(made.image)[inside], truth[inside])[0, 1]
    assert folds > 0.85
    np.testing.assert_array_equal(made.image[alpha == 0], photo[alpha == 0])
    assert made.after[0] == hex_code(target)


def striped(light: bool = True) -> tuple[U8, U8, F32]:
    """Navy and cream stripes under the same light."""
    photo, alpha, truth = shirt(rgb=(235, 225, 200))
    rows = (np.arange(160) // 12) % 2 == 1
    navy = ((np.array([25, 35, 90]) / 255.0) ** 2.2 * truth[..., None]) ** (1 / 2.2) * 255
    photo = np.where(rows[:, None, None] & (alpha > 0)[..., None], navy, photo).astype(np.uint8)
    return photo, alpha, truth


def test_two_dyes_are_told_apart_and_changed_one_by_one() -> None:
    photo, alpha, truth = striped()
    cloth = Cloth.of(view_of(photo, alpha))
    assert len(cloth.dyes) == 2
    inside = interior(alpha)
    x0, y0, x1, y1 = cloth.box
    seen = inside[y0:y1, x0:x1]
    assert np.corrcoef(np.log(cloth.parts.shading[seen]), np.log(truth[inside]))[0, 1] > 0.8
    made = recolour(cloth, [(200, 30, 30)], instead_of=(20, 30, 90))
    rows = (np.arange(160) // 12) % 2 == 1
    middle = np.zeros_like(rows)
    middle[3::12], middle[8::12] = True, True
    cream = inside & (~rows & middle)[:, None]
    navy = inside & (rows & middle)[:, None]
    assert np.abs(made.image[cream].astype(int) - photo[cream]).mean() < 3
    red = np.median(made.image[navy], axis=0)
    assert red[0] > 120
    assert red[2] < 70
    both = recolour(cloth, [(10, 120, 10), (240, 220, 0), (1, 2, 3)])
    assert any("2 colours" in n for n in both.notices)


def test_a_pattern_covers_the_old_print() -> None:
    photo, alpha, _ = striped()
    tile = np.full((16, 16, 3), (60, 160, 90), np.uint8)
    made = print_pattern(Cloth.of(view_of(photo, alpha)), tile)
    inside = interior(alpha)
    spread = rgb_to_lab(made.image)[inside].std(axis=0)
    assert spread[0] < 5
    assert spread[1:].max() < 5
    np.testing.assert_array_equal(made.image[alpha == 0], photo[alpha == 0])


def test_large_photos_keep_their_fine_detail() -> None:
    photo, alpha, _ = shirt(side=1600, rgb=(200, 60, 60))
    noise = np.random.default_rng(1).normal(0, 9, (1600, 1600, 1))
    photo = np.clip(photo + np.where(alpha[..., None] > 0, noise, 0), 0, 255).astype(np.uint8)
    wide = np.zeros((1700, 2000, 3), np.uint8)
    wide[50:1650, 300:1900] = photo
    mask = np.zeros((1700, 2000), np.uint8)
    mask[50:1650, 300:1900] = alpha
    cloth = Cloth.of(view_of(wide, mask))
    assert max(cloth.view.hw) == WORK
    made = recolour(cloth, [TEAL])
    assert made.image.shape == wide.shape
    np.testing.assert_array_equal(made.image[mask == 0], wide[mask == 0])
    where = (slice(700, 900), slice(1000, 1200))
    before, after = luma(wide)[where], luma(made.image)[where]
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.9
    assert np.abs(np.median(made.image[where], axis=(0, 1)) - TEAL).max() < 25


def test_recolour_needs_one_colour() -> None:
    photo, alpha, _ = shirt()
    cloth = Cloth.of(view_of(photo, alpha))
    for colours, old in (([], None), ([TEAL, TEAL], TEAL)):
        with pytest.raises(InputError) as error:
            recolour(cloth, colours, instead_of=old)
        assert error.value.code == "bad_colour"
    with pytest.raises(InputError) as refused:
        split(photo, np.zeros_like(alpha))
    assert refused.value.code == "no_garment"


def test_threads_turn_with_the_sleeve() -> None:
    photo, alpha, _ = shirt()
    view = view_of(photo, alpha)
    flow = flow_of(view)
    assert set(np.unique(flow.part[alpha > 0])) == {0, PARTS.index("left_sleeve"), PARTS.index("right_sleeve")}
    gx, gy = (np.asarray(np.gradient(flow.uv[..., 1], axis=axis)) for axis in (1, 0))
    for name, side in (("trunk", 0.0), ("left_sleeve", 1.0), ("right_sleeve", -1.0)):
        on = (flow.part == PARTS.index(name)) & interior(alpha)
        ahead = np.array([np.median(gx[on]), np.median(gy[on])])
        want = np.array([0.0, 1.0])
        if side:
            bone = [view.anchors[A[f"{name.split('_')[0]}_{n}"], :2] for n in ("shoulder", "elbow")]
            want = (bone[1] - bone[0]) / np.linalg.norm(bone[1] - bone[0])
        assert ahead @ want > 0.99, name


def test_what_was_left_out_is_cloth_or_skin() -> None:
    photo, alpha, _ = shirt()
    lying = view_of(photo, alpha)
    part = alpha.copy()
    part[:, :45] = 0
    assert left_out_is_cloth(replace(lying, alpha=part, worn=True), lying)
    assert not left_out_is_cloth(replace(lying, worn=True), lying)
    skin = photo.copy()
    skin[:, :45] = (225, 185, 160)
    assert not left_out_is_cloth(replace(lying, rgb=skin, alpha=part, worn=True), replace(lying, rgb=skin))


def test_legs_have_their_own_threads() -> None:
    alpha = np.zeros((160, 120), np.uint8)
    alpha[20:60, 30:90] = 255
    for x in range(60, 150):
        alpha[x, 30 - (x - 60) // 8 : 55 - (x - 60) // 8] = 255
        alpha[x, 65 + (x - 60) // 8 : 90 + (x - 60) // 8] = 255
    photo = np.full((160, 120, 3), 90, np.uint8)
    flow = flow_of(view_of(photo, alpha, "trousers", "none"))
    assert flow.part[140, 15 + 10] == PARTS.index("right_leg")
    assert flow.part[140, 95] == PARTS.index("left_leg")
    assert flow.part[25, 60] == 0


def test_no_anchors_at_all_still_give_threads() -> None:
    photo, alpha, _ = shirt()
    bare = replace(view_of(photo, alpha), anchors=np.zeros((len(GARMENT_ANCHORS), 3), np.float32))
    flow = flow_of(bare)
    assert np.isfinite(flow.uv).all()
    assert flow.width > 30


@given(st.floats(-3, 3), st.floats(5, 90))
def test_along_a_straight_line(angle: float, length: float) -> None:
    a = np.array([20.0, 20.0])
    b = a + length * np.array([np.cos(angle), np.sin(angle)])
    uv = along((48, 48), np.stack([a, b]))
    np.testing.assert_allclose(uv[20, 20], 0, atol=1e-3)
    np.testing.assert_allclose(np.hypot(uv[..., 0], uv[..., 1]), np.hypot(*(np.indices((48, 48)) - 20)), atol=1e-2)


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_patterns_are_seamless_and_use_their_colours(name: str) -> None:
    tile = procedural(name, [(250, 250, 250), (20, 30, 90), (200, 40, 40)], seed=2)
    assert tile.shape == (256, 256, 3)
    wide = np.tile(tile, (2, 2, 1)).astype(int)
    for axis in (0, 1):
        steps = np.abs(np.diff(wide, axis=axis)).mean(axis=(1 - axis, 2))
        assert steps[255] <= 2.0 * np.delete(steps, 255).max()
    assert tile.std() > 20
    np.testing.assert_array_equal(tile, procedural(name, [(250, 250, 250), (20, 30, 90), (200, 40, 40)], seed=2))


def test_flowers_cross_the_edges_whole() -> None:
    tile = procedural("floral", [(255, 255, 255), (200, 40, 40)], seed=1).astype(int)
    wrap = np.abs(tile[:, 0] - tile[:, -1]).mean()
    inside = np.abs(np.diff(tile, axis=1)).mean()
    assert wrap < 2.5 * inside


@pytest.mark.parametrize(("name", "colours"), [("wool", [TEAL, TEAL]), ("dots", [TEAL])])
def test_patterns_that_cannot_be(name: str, colours: list[tuple[int, int, int]]) -> None:
    with pytest.raises(InputError) as error:
        procedural(name, colours)
    assert error.value.code == "bad_pattern"
    photo, alpha, _ = shirt()
    with pytest.raises(InputError):
        print_pattern(Cloth.of(view_of(photo, alpha)), np.zeros((8, 8, 3), np.uint8), repeat=0.0)


def test_a_picture_becomes_seamless() -> None:
    rng = np.random.default_rng(0)
    import cv2

    picture = cv2.GaussianBlur(rng.integers(0, 256, (150, 200, 3)).astype(np.uint8), (0, 0), 3)
    picture = np.clip(picture * np.linspace(0.7, 1.3, 200)[None, :, None], 0, 255).astype(np.uint8)
    tile = seamless(picture).astype(int)
    assert tile.shape == (120, 160, 3)
    for axis in (0, 1):
        inner = np.abs(np.diff(tile, axis=axis)).mean()
        wrap = np.abs(np.take(tile, 0, axis) - np.take(tile, -1, axis)).mean()
        assert wrap < 2.0 * inner
    before = np.abs(picture[:, 0].astype(int) - picture[:, -1]).mean()
    assert before > 3 * np.abs(tile[:, 0] - tile[:, -1]).mean()


def logo_of(side: int = 40) -> Photo:
    rgb = np.full((side, side, 3), (240, 20, 20), np.uint8)
    alpha = np.zeros((side, side), np.uint8)
    alpha[4:-4, 4:-4] = 255
    return Photo(rgb, alpha)


def test_a_logo_lies_where_it_was_asked_for() -> None:
    photo, alpha, _ = shirt(rgb=(230, 230, 230))
    cloth = Cloth.of(view_of(photo, alpha))
    made = place_logo(cloth, logo_of(), at=(0.0, 0.5), width=0.4)
    red = (made.image[..., 0].astype(int) - made.image[..., 1]) > 60
    ys, xs = np.nonzero(red)
    assert xs.mean() == pytest.approx(79.5, abs=2.5)
    top = float(view_of(photo, alpha).anchors[A["neck"], 1])
    assert ys.mean() == pytest.approx(top + 0.5 * cloth.flow.length, abs=3)
    assert np.sqrt(red.sum()) == pytest.approx(0.4 * cloth.flow.width * 0.8, rel=0.15)
    same = ~red & (alpha > 0)
    assert np.abs(made.image[same].astype(int) - photo[same]).mean() < 3
    np.testing.assert_array_equal(made.image[alpha == 0], photo[alpha == 0])
    high, low = (place_logo(cloth, logo_of(), at=place).image for place in ("left-chest", "hem"))
    centre = [np.argwhere((i[..., 0].astype(int) - i[..., 1]) > 60).mean(axis=0) for i in (high, low)]
    assert centre[0][0] < centre[1][0]
    assert centre[0][1] > 85


def test_a_logo_on_the_sleeve_and_off_the_cloth() -> None:
    photo, alpha, _ = shirt(rgb=(230, 230, 230))
    cloth = Cloth.of(view_of(photo, alpha))
    red = place_logo(cloth, logo_of(), at="right-sleeve").image
    assert np.argwhere((red[..., 0].astype(int) - red[..., 1]) > 60)[:, 1].mean() < 60
    assert any("of the logo lies on the cloth" in n for n in place_logo(cloth, logo_of(), at=(0.9, 0.95)).notices)
    for at in ("moon", "left-thigh"):
        with pytest.raises(InputError) as error:
            place_logo(cloth, logo_of(), at=at)
        assert error.value.code == "bad_place"


def test_a_plain_ground_is_knocked_out() -> None:
    rgb = np.full((40, 60, 3), 250, np.uint8)
    rgb[10:30, 15:45] = (10, 90, 200)
    rgb[15:25, 25:35] = 250
    clear = knocked_out(Photo(rgb))
    assert clear.alpha is not None
    assert clear.alpha[0, 0] == 0
    assert clear.alpha[20, 30] == 255
    assert clear.alpha[12, 18] == 255
    assert knocked_out(logo_of()).alpha is not None
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    with pytest.raises(InputError):
        knocked_out(Photo(noise))


@settings(max_examples=30)
@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_colours_go_to_the_generator_and_back(r: int, g: int, b: int) -> None:
    rgb = np.array([r, g, b], np.uint8)
    condition = to_condition(rgb)
    assert np.abs(condition).max() <= 1.01
    assert np.abs(from_condition(condition).astype(int) - rgb).max() <= 1
    assert parse_colour(hex_code(rgb)) == (r, g, b)


def test_colour_names() -> None:
    assert parse_colour("Teal") == parse_colour("#008080") == parse_colour("008080") == TEAL
    assert parse_colour("rgb(1, 2, 3)") == (1, 2, 3)
    assert nearest_name((2, 127, 126)) == "teal"
    for bad in ("tea l!", "", "#12345"):
        with pytest.raises(InputError) as error:
            parse_colour(bad)
        assert error.value.code == "bad_colour"


def test_palettes_list_the_most_frequent_colour_first() -> None:
    picture = np.full((40, 40, 3), (250, 250, 0), np.uint8)
    picture[:10] = (0, 0, 120)
    assert palette_of(picture).tolist() == [[250, 250, 0], [0, 0, 120]]
    assert len(palette_of(picture, np.zeros((40, 40), np.uint8))) == 0


@settings(max_examples=20)
@given(st.floats(0, 5), st.floats(0, 5), st.floats(0, 5))
def test_clipped_light_keeps_order_and_range(r: float, g: float, b: float) -> None:
    light = np.array([[[r, g, b]]], np.float32)
    out = soft_clip(light)
    assert out.min() >= 0
    assert out.max() <= 1 + 1e-5
    order = np.argsort(light[0, 0], kind="stable")
    assert (np.diff(out[0, 0][order]) >= -1e-5).all()


def test_filling_keeps_constants_and_reaches_everywhere() -> None:
    weight = np.zeros((60, 80), np.float32)
    weight[20:24, 30:34] = 1
    out = fill(np.full((60, 80), 3.5, np.float32), weight, sigma=2)
    np.testing.assert_allclose(out, 3.5, atol=1e-3)
