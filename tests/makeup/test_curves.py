"""Coverage is exact, curves pass through their points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F64
from mojing.core.geometry import Box
from mojing.makeup.curves import feather_inward, fill, fill_many, resample, shifted, soften, spline, turn

BOX = Box(0.0, 0.0, 40.0, 30.0)


def ellipse(cx: float, cy: float, *, rx: float = 11.0, ry: float = 7.0) -> F64:
    t = np.linspace(0.0, 2 * np.pi, 50, endpoint=False)
    return np.stack([cx + rx * np.cos(t), cy + ry * np.sin(t)], axis=1)


def area(p: F64) -> float:
    q = np.roll(p, -1, axis=0)
    return abs(float(p[:, 0] @ q[:, 1] - p[:, 1] @ q[:, 0])) / 2


@given(st.floats(14, 26), st.floats(11, 19), st.booleans())
@settings(max_examples=40, deadline=None)
def test_fill_has_the_area_and_the_middle_of_the_outline(cx: float, cy: float, backwards: bool) -> None:
    p = ellipse(cx, cy)
    mask = fill([p[::-1] if backwards else p], box=BOX)
    assert mask.sum() == pytest.approx(area(p), abs=1e-2)
    assert (mask.sum(axis=0) @ np.arange(40)) / mask.sum() == pytest.approx(cx, abs=5e-3)
    assert (mask.sum(axis=1) @ np.arange(30)) / mask.sum() == pytest.approx(cy, abs=5e-3)
    assert mask.min() >= 0.0
    assert mask.max() == pytest.approx(1.0, abs=1e-5)


def test_fill_of_whole_pixels_is_exact_and_clips_at_the_box() -> None:
    square = np.array([[4.5, 2.5], [9.5, 2.5], [9.5, 7.5], [4.5, 7.5]])
    wanted = np.zeros((30, 40), np.float32)
    wanted[3:8, 5:10] = 1.0
    np.testing.assert_allclose(fill([square], box=BOX), wanted, atol=1e-6)
    np.testing.assert_allclose(fill([square], box=Box(7.0, 5.0, 20.0, 20.0)), wanted[5:20, 7:20], atol=1e-6)
    assert fill([square], box=Box(3.0, 3.0, 3.0, 9.0)).shape == (6, 0)
    half = fill([square + 0.5], box=BOX)
    assert half[5, 5] == pytest.approx(0.5)
    assert half[3, 5] == pytest.approx(0.25)


def test_overlapping_outlines_count_once_and_folded_ones_not_at_all() -> None:
    both = fill([ellipse(15, 15), ellipse(18, 15)[::-1]], box=BOX)
    many = fill_many(np.stack([ellipse(15, 15), ellipse(18, 15)[::-1]]), box=BOX)
    np.testing.assert_allclose(both, many, atol=1e-6)
    assert both.max() == pytest.approx(1.0, abs=1e-5)
    p = ellipse(20, 15)
    assert fill([p[::-1]], box=BOX, way=turn(p)).max() < 1e-9


def test_a_small_step_changes_coverage_a_little() -> None:
    p = ellipse(20.0, 15.0)
    for step in ((0.1, 0.0), (0.0, 0.1), (0.07, -0.07)):
        assert np.abs(fill([p + step], box=BOX) - fill([p], box=BOX)).max() < 0.16


def test_splines_pass_through_their_points() -> None:
    points = np.array([[0.0, 0.0], [4.0, 1.0], [8.0, -1.0], [12.0, 3.0]])
    curve = spline(points, per=5)
    np.testing.assert_allclose(curve[::5], points)
    closed = spline(points, per=5, closed=True)
    assert len(closed) == 20
    steps = np.hypot(*np.diff(resample(curve, 30), axis=0).T)
    assert steps.std() < 0.02 * steps.mean()


def test_an_outline_grows_and_shrinks_by_the_distance() -> None:
    p = ellipse(20, 15, rx=8.0, ry=8.0)
    for q in (p, p[::-1]):
        assert area(shifted(q, 2.0)) == pytest.approx(area(ellipse(20, 15, rx=10.0, ry=10.0)), rel=1e-2)
        assert area(shifted(q, -2.0)) == pytest.approx(area(ellipse(20, 15, rx=6.0, ry=6.0)), rel=1e-2)


def test_feathering_inward_stays_inside() -> None:
    mask = fill([ellipse(20, 15)], box=BOX)
    soft = feather_inward(mask, 2.0)
    assert (soft <= mask + 1e-6).all()
    assert soft[15, 20] > 0.98
    assert soft.sum() < mask.sum()
    assert feather_inward(mask, 0.0) is mask
    assert soften(mask, 0.1) is mask


def test_very_soft_masks_are_like_slowly_blurred_ones() -> None:
    box = Box(0.0, 0.0, 203.0, 171.0)
    mask = fill([ellipse(100, 80, rx=45.0, ry=30.0)], box=box)
    exact = cv2.GaussianBlur(mask, (0, 0), 11.0, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(soften(mask, 11.0), exact, atol=0.03)
