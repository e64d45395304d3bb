"""Metrics against closed forms and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.skeleton import J
from mojing.eval import metrics
from mojing.perception.labels import EVAL_GROUPS, L


def test_iou_of_half_overlapping_boxes_is_a_third() -> None:
    a, b = np.zeros((10, 30)), np.zeros((10, 30))
    a[:, 0:20], b[:, 10:30] = 1, 255
    assert metrics.iou(a, b) == pytest.approx(1 / 3)
    assert metrics.iou(np.zeros((4, 4)), np.zeros((4, 4))) == 1.0


def test_every_group_has_a_row_and_upper_joins_outer() -> None:
    table = metrics.group_table()
    assert table[L["upper"]] == table[L["outer"]] == list(EVAL_GROUPS).index("top")
    assert table[L["hat"]] == metrics.UNGROUPED


def test_parse_meter_sums_over_the_set_before_dividing() -> None:
    meter = metrics.ParseMeter()
    small = np.full((2, 2), L["dress"], np.uint8)
    meter.add(np.zeros((2, 2), np.uint8), small)
    large = np.full((6, 6), L["dress"], np.uint8)
    meter.add(large, large)
    result = meter.result()
    assert result["groups"]["dress"] == pytest.approx(36 / 40)
    assert "skirt" not in result["groups"]
    assert "background" not in result["groups"]
    assert result["mean_iou"] == pytest.approx(36 / 40)
    assert result["photos"] == 2


def test_upper_called_outer_is_right_for_the_group() -> None:
    meter = metrics.ParseMeter()
    meter.add(np.full((3, 3), L["outer"], np.uint8), np.full((3, 3), L["upper"], np.uint8))
    assert meter.result()["groups"] == {"top": 1.0}
    assert meter.result()["labels"] == {"upper": 0.0}


def test_parse_meter_refuses_different_sizes() -> None:
    with pytest.raises(ValueError, match="differ"):
        metrics.ParseMeter().add(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8))


def test_pck_counts_points_on_the_tolerance_and_misses_nan() -> None:
    meter = metrics.PointMeter(("a", "b", "c"), 0.2)
    truth = np.zeros((3, 3))
    predicted = np.array([[20.0, 0, 1], [20.1, 0, 1], [np.nan, 0, 1]])
    meter.add(predicted, truth, scale_px=100.0)
    meter.add(predicted, truth, scale_px=100.0, counted=np.array([True, False, False]))
    result = meter.result()
    assert result["by_name"] == {"a": 1.0, "b": 0.0, "c": 0.0}
    assert result["pck"] == pytest.approx(2 / 4)


def test_torso_length() -> None:
    joints = np.zeros((21, 3))
    joints[J["left_shoulder"], :2], joints[J["right_shoulder"], :2] = (10, 0), (-10, 0)
    joints[J["left_hip"], :2], joints[J["right_hip"], :2] = (35, 40), (25, 40)
    assert metrics.torso_length(joints) == pytest.approx(50.0)


def test_l1_in_mask() -> None:
    a, b = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    b[:2] = 51
    assert metrics.l1(a, b) == pytest.approx(0.1)
    mask = np.zeros((4, 4))
    mask[:2] = 1
    assert metrics.l1(a, b, mask=mask) == pytest.approx(0.2)


def test_ssim_of_flat_pictures_is_the_luminance_term() -> None:
    a, b = np.full((20, 20), 100, np.uint8), np.full((20, 20), 150, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert metrics.ssim(a, b) == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1), abs=1e-6)


def test_ssim_of_negated_noise_is_minus_structure() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(-60, 61, (64, 64))
    a, b = (128 + noise).astype(np.uint8), (128 - noise).astype(np.uint8)
    assert metrics.ssim(a, a) == pytest.approx(1.0)
    assert metrics.ssim(a, b) < -0.9
    mask = np.zeros((64, 64))
    mask[:3] = 1
    assert metrics.ssim(a, b, mask=mask) == 1.0


def test_ssim_refuses_small_or_different() -> None:
    with pytest.raises(ValueError, match="11"):
        metrics.ssim(np.zeros((8, 20), np.uint8), np.zeros((8, 20), np.uint8))
    with pytest.raises(ValueError, match="differ"):
        metrics.ssim(np.zeros((20, 20), np.uint8), np.zeros((20, 21), np.uint8))


def _cloud(mean: np.ndarray, cov: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Points whose sample mean and covariance are exactly those asked for."""
    d = len(mean)
    x = rng.normal(size=(n, d))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return np.asarray(x @ np.linalg.cholesky(cov).T + mean)


def test_frechet_of_commuting_gaussians_is_closed_form() -> None:
    rng = np.random.default_rng(1)
    sa, sb = np.array([1.0, 4.0, 9.0]), np.array([4.0, 1.0, 0.25])
    gap = np.array([1.0, -2.0, 0.5])
    a = _cloud(np.zeros(3), np.diag(sa), 50, rng)
    b = _cloud(gap, np.diag(sb), 60, rng)
    expected = gap @ gap + ((np.sqrt(sa) - np.sqrt(sb)) ** 2).sum()
    assert metrics.frechet(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_of_general_gaussians_matches_the_definition() -> None:
    rng = np.random.default_rng(2)
    m1, m2 = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    s1, s2 = m1 @ m1.T + np.eye(4), m2 @ m2.T + np.eye(4)
    a, b = _cloud(np.zeros(4), s1, 40, rng), _cloud(np.ones(4), s2, 40, rng)
    product = np.linalg.eigvals(s1 @ s2)
    expected = 4 + np.trace(s1) + np.trace(s2) - 2 * np.sqrt(product.real).sum()
    assert metrics.frechet(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_needs_two_points() -> None:
    with pytest.raises(ValueError, match="two"):
        metrics.frechet(np.zeros((1, 3)), np.zeros((5, 3)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_frechet_is_symmetric_not_negative_and_zero_on_itself(seed: int, dim: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(30, dim)), rng.normal(1.0, 2.0, size=(25, dim))
    assert metrics.frechet(a, a) == pytest.approx(0.0, abs=1e-6)
    assert metrics.frechet(a, b) == pytest.approx(metrics.frechet(b, a), rel=1e-6)
    assert metrics.frechet(a, b) >= 0
