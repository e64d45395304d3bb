"""Warp fields: identity, composition, change of size, and moving least squares."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import U8
from mojing.core.geometry import Affine
from mojing.core.warp import WarpField, mls_similarity

affines = st.builds(
    lambda s, a, x, y: Affine.similarity(s, a, move=(x, y)),
    st.floats(0.3, 3),
    st.floats(-1, 1),
    st.floats(-20, 20),
    st.floats(-20, 20),
)
shapes = st.tuples(st.integers(3, 40), st.integers(3, 40))


def smooth_field(rng: np.random.Generator, hw: tuple[int, int], amount: float) -> WarpField:
    """Random smooth warp that moves pixels by about `amount`."""
    shift = cv2.resize(rng.normal(0, amount, (4, 4, 2)).astype(np.float32), (hw[1], hw[0]))
    return WarpField(WarpField.identity(hw).map_xy + shift)


@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
@pytest.mark.parametrize("channels", [0, 3, 4])
def test_identity_is_exact(rng: np.random.Generator, interpolation: str, channels: int) -> None:
    image = rng.integers(0, 255, (40, 56, channels) if channels else (40, 56)).astype(np.uint8)
    field = WarpField.identity((40, 56))
    np.testing.assert_array_equal(field.apply(image, interpolation=interpolation), image)  # type: ignore[arg-type]
    np.testing.assert_array_equal(field.apply(image.astype(np.float32), 0), image.astype(np.float32))


@given(shapes, affines)
def test_identity_composes_away(hw: tuple[int, int], affine: Affine) -> None:
    field = WarpField.from_affine(affine, hw)
    same = WarpField.identity(hw)
    np.testing.assert_allclose(field.compose(same).map_xy, field.map_xy, atol=2e-4)
    np.testing.assert_allclose(same.compose(field).map_xy, field.map_xy, atol=2e-4)


@given(shapes, affines)
def test_from_affine_agrees_with_the_affine(hw: tuple[int, int], affine: Affine) -> None:
    field = WarpField.from_affine(affine, hw).map_xy
    corner = np.array([hw[1] - 1.0, hw[0] - 1.0])
    np.testing.assert_allclose(field[-1, -1], affine.apply(corner), atol=1e-3)


def test_compose_is_looking_through_both(rng: np.random.Generator) -> None:
    image = cv2.GaussianBlur(rng.random((80, 90)).astype(np.float32), (0, 0), 4)
    outer, inner = smooth_field(rng, (60, 70), 2.0), smooth_field(rng, (80, 90), 2.0)
    twice = outer.apply(inner.apply(image))
    once = outer.compose(inner).apply(image)
    assert np.abs(twice - once)[8:-8, 8:-8].max() < 0.01


def test_compose_with_the_inverse_is_identity() -> None:
    affine = Affine.similarity(1.2, 0.2, move=(4, -3))
    field = WarpField.from_affine(affine, (50, 60))
    inner = WarpField.from_affine(affine.inverse(), (90, 100))
    found = field.compose(inner).map_xy
    inside = (field.map_xy > 0).all(axis=2)
    assert np.abs(found - WarpField.identity((50, 60)).map_xy)[inside].max() < 1e-3


@settings(max_examples=40)
@given(shapes, shapes, affines)
def test_resize_is_exact_for_affine_fields(small: tuple[int, int], large: tuple[int, int], affine: Affine) -> None:
    fy, fx = small[0] / large[0], small[1] / large[1]
    down = Affine(np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5]]))
    want = WarpField.from_affine(affine.compose(down), large)
    got = WarpField.from_affine(affine, small).resize(large)
    np.testing.assert_allclose(got.map_xy, want.map_xy, atol=2e-3)


def test_resize_with_the_source() -> None:
    field = WarpField.identity((30, 40)).resize((60, 80), source_scale=(2.0, 2.0))
    np.testing.assert_allclose(field.map_xy, WarpField.identity((60, 80)).map_xy, atol=1e-4)
    same = WarpField.identity((30, 40)).resize((30, 40), source_scale=(0.5, 0.5))
    np.testing.assert_allclose(same.map_xy[1, 3], [1.25, 0.25], atol=1e-5)


def test_shrinking_averages_instead_of_aliasing() -> None:
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 255
    field = WarpField.from_affine(Affine.similarity(8.0, move=(3.5, 3.5)), (50, 50))
    assert np.abs(field.apply(stripes).astype(int) - 127).max() <= 2
    assert set(np.unique(field.apply(stripes, antialias=False, interpolation="nearest"))) <= {0, 255}


def test_borders(picture: U8) -> None:
    away = WarpField(WarpField.identity((48, 64)).map_xy + np.float32(500))
    assert not away.apply(picture, 0).any()
    np.testing.assert_array_equal(away.apply(picture)[0, 0], picture[-1, -1])


def test_the_map_is_read_only_and_tiny_fields_work(picture: U8) -> None:
    field = WarpField.identity((1, 1))
    with pytest.raises(ValueError, match="read-only"):
        field.map_xy[0, 0] = 1
    np.testing.assert_array_equal(field.apply(picture)[0, 0], picture[0, 0])
    assert field.resize((4, 5)).hw == (4, 5)


@given(affines)
def test_mls_of_a_similarity_is_that_similarity(affine: Affine) -> None:
    target = np.array([[5.0, 5], [60, 8], [30, 50], [10, 70]])
    field = mls_similarity(affine.apply(target), target, hw=(80, 70))
    want = WarpField.from_affine(affine, (80, 70))
    assert np.abs(field.map_xy - want.map_xy).max() < 1e-2


def test_mls_passes_through_the_points(rng: np.random.Generator) -> None:
    target = np.array([[10.0, 10], [60, 12], [35, 40], [12, 70], [62, 66]])
    source = target + rng.normal(0, 4, target.shape)
    field = mls_similarity(source, target, hw=(80, 75), step=1)
    for p, q in zip(target, source, strict=True):
        assert np.abs(field.map_xy[int(p[1]), int(p[0])] - q).max() < 0.05
    coarse = mls_similarity(source, target, hw=(80, 75), step=4)
    assert np.abs(coarse.map_xy - field.map_xy).mean() < 0.2


def test_mls_of_one_point_moves_and_weights_count() -> None:
    field = mls_similarity(np.array([[3.0, 4.0]]), np.array([[5.0, 1.0]]), hw=(20, 20))
    np.testing.assert_allclose(field.map_xy, WarpField.identity((20, 20)).map_xy + np.array([-2, 3]), atol=1e-4)
    source, target = np.array([[0.0, 0], [10, 0], [99, 99]]), np.array([[0.0, 0], [10, 0], [0, 10]])
    field = mls_similarity(source, target, hw=(20, 20), weights=np.array([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(field.map_xy, WarpField.identity((20, 20)).map_xy, atol=1e-3)
