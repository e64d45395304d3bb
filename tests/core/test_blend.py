"""Masks, compositing and the guided filter against its slow definition."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.arrays import F64, U8, AnyArray
from mojing.core.blend import feather, guided_alpha, guided_coefficients, guided_upsample, over, unit


def test_unit_of_every_kind() -> None:
    np.testing.assert_allclose(unit(np.array([0, 255], np.uint8)), [0, 1])
    np.testing.assert_allclose(unit(np.array([False, True])), [0, 1])
    assert unit(np.array([0.25])).dtype == np.float32


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_over_is_between_and_exact_at_the_ends(top: int, bottom: int, alpha: int) -> None:
    a, b = np.full((2, 2, 3), top, np.uint8), np.full((2, 2, 3), bottom, np.uint8)
    out = int(over(a, b, alpha=np.full((2, 2), alpha, np.uint8))[0, 0, 0])
    assert min(top, bottom) <= out <= max(top, bottom)
    np.testing.assert_array_equal(over(a, b, alpha=np.zeros((2, 2), np.float32)), b)
    np.testing.assert_array_equal(over(a, b, alpha=np.full((2, 2), 255, np.uint8)), a)


@pytest.mark.parametrize("radius", [1, 3, 8.5])
def test_inward_feather_never_leaves_the_mask(radius: float) -> None:
    mask = np.zeros((60, 60), np.uint8)
    cv2.circle(mask, (30, 30), 20, (255.0,), -1)
    soft = feather(mask, radius, inward=True)
    assert soft[mask == 0].max() == 0
    assert soft[30, 30] == pytest.approx(1, abs=1e-3)
    assert 0 < soft[mask > 0].min() < 0.9
    both = feather(mask, radius)
    assert both[mask == 0].max() > 0
    np.testing.assert_array_equal(feather(mask, 0), unit(mask))


def slow_guided(guide: F64, values: F64, radius: int, eps: float) -> tuple[F64, F64]:
    """He, Sun, Tang 2013, window by window, away from the borders."""
    h, w = values.shape
    a, b = np.zeros((h, w, guide.shape[2])), np.zeros((h, w))
    for y in range(radius, h - radius):
        for x in range(radius, w - radius):
            window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            g, p = guide[window].reshape(-1, guide.shape[2]), values[window].ravel()
            cov = np.cov(g.T, bias=True).reshape(guide.shape[2], -1) + eps * np.eye(guide.shape[2])
            a[y, x] = np.linalg.solve(cov, (g * p[:, None]).mean(0) - g.mean(0) * p.mean())
            b[y, x] = p.mean() - a[y, x] @ g.mean(0)
    return a, b


@pytest.mark.parametrize("channels", [1, 3])
def test_guided_filter_agrees_with_its_definition(rng: np.random.Generator, channels: int) -> None:
    guide, values = rng.random((15, 16, channels)), rng.random((15, 16))
    radius, eps = 2, 0.01
    a, b = slow_guided(guide, values, radius, eps)
    g: AnyArray = guide[..., 0] if channels == 1 else guide
    fast_a, fast_b = guided_coefficients(g, values, radius=radius, eps=eps)
    inner = np.s_[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    side = (2 * radius + 1, 2 * radius + 1)
    np.testing.assert_allclose(fast_a[inner], cv2.blur(a, side).reshape(a.shape)[inner], atol=2e-4)
    np.testing.assert_allclose(fast_b[inner], cv2.blur(b, side)[inner], atol=2e-4)


@pytest.mark.parametrize("colour", [True, False])
def test_upsampled_edges_follow_the_guide(colour: bool) -> None:
    guide = np.full((160, 160, 3), 40, np.uint8)
    cv2.circle(guide, (80, 80), 50, (200.0, 190.0, 180.0), -1)
    truth = guide[..., 0] > 100
    low = cv2.resize(truth.astype(np.float32), (20, 20), interpolation=cv2.INTER_AREA)
    up = guided_upsample(low, guide if colour else guide[..., 0], eps=1e-4)
    plain = cv2.resize(low, (160, 160), interpolation=cv2.INTER_LINEAR)
    assert up.shape == (160, 160)
    assert np.abs(up - truth).mean() < 0.5 * np.abs(plain - truth).mean()


def test_upsampling_on_a_flat_guide_is_smooth(picture: U8) -> None:
    low = np.zeros((12, 12), np.uint8)
    low[:, 6:] = 255
    up = guided_upsample(low, np.full((48, 48, 3), 128, np.uint8))
    assert up.min() >= 0
    assert up.max() <= 1
    assert up[20, 2] < 0.2
    assert up[20, -2] > 0.8
    assert (np.diff(up[20]) > -1e-4).all()


def test_opacity_in_8_bits_is_the_soft_mask_stretched() -> None:
    rng = np.random.default_rng(2)
    guide = rng.integers(0, 255, (200, 330, 3), np.uint8)
    guide[:, 150:] //= 4
    low = np.zeros((40, 66), np.float32)
    low[:, 30:] = 1
    soft = guided_upsample(low, guide, eps=1e-3)
    for span in ((0.0, 1.0), (0.1, 0.9)):
        wanted = np.clip((soft - span[0]) / (span[1] - span[0]) * 255, 0, 255)
        assert np.abs(guided_alpha(low, guide, eps=1e-3, span=span) - wanted).max() <= 1
