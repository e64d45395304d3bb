"""Decoding on synthetic heat maps, logits and label maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.perception import decode
from mojing.perception.crops import Rect, around, letterbox_rect
from mojing.perception.labels import L


def bump(x: float, y: float, *, hw: tuple[int, int] = (64, 48), height: float = 0.9) -> np.ndarray:
    """A Gaussian of sigma 1.5 cells, as the network is taught."""
    gy, gx = np.mgrid[0 : hw[0], 0 : hw[1]]
    return np.asarray(height * np.exp(-((gx - x) ** 2 + (gy - y) ** 2) / 4.5), np.float32)


@settings(max_examples=40, deadline=None)
@given(st.floats(1.0, 46.0), st.floats(1.0, 62.0))
def test_peaks_of_gaussians_are_found_to_a_fiftieth_of_a_cell(x: float, y: float) -> None:
    found = decode.peaks(bump(x, y)[None])
    assert found[0, :2] == pytest.approx([x, y], abs=0.02)
    assert 0.7 < found[0, 2] <= 0.9


def test_the_second_peak_is_another_bump() -> None:
    heat = np.maximum(bump(10, 20), bump(30, 40, height=0.6))[None]
    assert decode.peaks(heat, second=True)[0] == pytest.approx([30, 40, 0.6], abs=0.02)
    alone = decode.peaks(bump(10, 20)[None], second=True)
    assert alone[0, 2] < 0.05


def test_mirror_joints_on_one_peak_are_told_apart() -> None:
    both = np.maximum(bump(10, 20), bump(30, 20, height=0.8))
    heat = np.stack([bump(10, 20), both])
    moved = decode.untangle(decode.peaks(heat), heat, [(0, 1)])
    assert moved[0, 0] == pytest.approx(10, abs=0.1)
    assert moved[1, 0] == pytest.approx(30, abs=0.1)
    crossed = np.stack([bump(10, 20), bump(10.5, 20)])
    kept = decode.peaks(crossed)
    assert np.array_equal(decode.untangle(kept, crossed, [(0, 1)]), kept)


def test_cells_and_photo_agree_with_the_half_pixel_rule() -> None:
    cells = np.array([[0.0, 0.0, 1.0], [47.0, 63.0, 1.0]], np.float32)
    px = decode.to_photo(cells, (64, 48), Rect(0, 0, 192, 256))
    assert px[:, :2].tolist() == [[1.5, 1.5], [189.5, 253.5]]


def test_labels_are_the_largest_logit() -> None:
    logits = np.random.default_rng(0).normal(size=(21, 30, 20)).astype(np.float32)
    assert np.array_equal(decode.labels_of(logits), logits.argmax(axis=0))


def test_merge_is_the_closer_look_inside_and_the_wider_one_at_the_rim() -> None:
    canvas, detail = np.zeros((2, 40, 40), np.float32), np.ones((2, 20, 20), np.float32)
    weight = decode.soft_window((20, 20), open_sides=(False, False, False, True))
    decode.merge(canvas, detail, at=Rect(10, 20, 30, 40), weight=weight)
    assert canvas[0, 30, 20] == 1.0
    assert canvas[0, 39, 20] == 1.0
    assert 0 < canvas[0, 20, 20] < 0.5
    assert canvas[0, :20].max() == 0


def test_specks_take_the_label_around_them() -> None:
    parse = np.zeros((100, 100), np.uint8)
    parse[20:80, 20:80] = 3
    parse[50, 50] = 7
    parse[5, 5] = 9
    clean = decode.drop_specks(parse)
    assert set(np.unique(clean)) == {0, 3}
    assert clean[50, 50] == 3
    assert clean[5, 5] == 0
    same = np.full((4, 4), 5, np.uint8)
    assert np.array_equal(decode.drop_specks(same), same)


def test_enlarged_labels_are_smooth_and_keep_their_area() -> None:
    gy, gx = np.mgrid[0:60, 0:40]
    parse = (((gx - 20) ** 2 + (gy - 30) ** 2) < 15**2).astype(np.uint8) * 4
    large = decode.resize_labels(parse, (320, 480))
    assert large.shape == (480, 320)
    assert set(np.unique(large)) == {0, 4}
    gy, gx = np.mgrid[0:480, 0:320]
    circle = ((gx - 163.5) ** 2 + (gy - 243.5) ** 2) < 120**2
    assert ((large == 4) ^ circle).mean() < 0.012
    assert decode.resize_labels(parse, (40, 60)) is parse
    assert decode.resize_labels(parse, (20, 30)).shape == (30, 20)


def test_pieces_and_holes() -> None:
    mask = np.zeros((50, 50), np.uint8)
    mask[5:40, 5:40] = 255
    mask[10:12, 10:12] = 0
    mask[20:35, 20:35] = 0
    mask[45:48, 45:48] = 255
    kept = decode.fill_holes(decode.largest_piece(mask), share=0.05)
    assert kept[46, 46] == 0
    assert kept[10, 10] == 255
    assert kept[25, 25] == 0


def test_rectangles() -> None:
    assert letterbox_rect((512, 384), (192, 256)) == Rect(0, 0, 384, 512)
    wide = letterbox_rect((300, 900), (192, 256))
    assert wide.wh == (900, 1200)
    assert (wide.y0 + wide.y1) / 2 == 150
    assert around((50, 60), (40, 10), (192, 256)).wh == (40, 53)
    assert Rect(-5, -5, 500, 20).inside((30, 40)) == Rect(0, 0, 40, 20)


def test_pieces_that_belong_to_nobody_are_dropped() -> None:
    parse, alpha = np.zeros((60, 60), np.uint8), np.zeros((60, 60), np.float32)
    parse[10:50, 20:40], alpha[10:50, 20:40] = 3, 0.9
    parse[30:36, 44:50], alpha[30:36, 44:50] = 10, 0.9
    parse[5:20, 50:60], alpha[5:20, 50:60] = 3, 0.1
    clean = decode.only_person(parse, alpha)
    assert clean[33, 46] == 10
    assert clean[10, 55] == 0
    assert (clean[10:50, 20:40] == 3).all()


def test_arms_take_the_side_of_the_nearer_bones() -> None:
    from mojing.perception.labels import L
    from tests.perception import figures

    photo = figures.blank((400, 300))
    pts = figures.joints(150, 20, 360)
    truth = figures.paint(photo, pts, 360)
    swapped = truth.copy()
    swapped[truth == L["left_arm"]] = L["right_arm"]
    joints = np.concatenate([pts, np.ones((21, 1), np.float32)], axis=1)
    assert np.array_equal(decode.nearest_sides(swapped, joints), truth)
    joints[:, 2] = 0
    assert decode.nearest_sides(swapped, joints) is swapped


def test_a_part_of_enlarged_labels_is_that_part_of_the_whole() -> None:
    parse = np.zeros((60, 40), np.uint8)
    parse[10:40, 12:30], parse[25:50, 20:35] = 3, 7
    part = Rect(50, 130, 215, 400)
    whole = decode.resize_labels(parse, (230, 410))
    assert np.array_equal(decode.resize_labels(parse, (230, 410), part=part), whole[130:400, 50:215])


def test_a_gap_between_arm_and_trunk_is_nobody() -> None:
    parse = np.full((20, 20), L["upper"], np.uint8)
    alpha = np.ones((20, 20), np.float32)
    alpha[8:12, 8:12] = 0.3
    out = decode.without_gaps(parse, alpha)
    assert not out[8:12, 8:12].any()
    assert (out > 0).sum() == 400 - 16
