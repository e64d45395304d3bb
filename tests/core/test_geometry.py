"""Boxes, affine maps and crops."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.arrays import U8
from mojing.core.geometry import (
    Affine,
    Box,
    crop_affine,
    enlarge_cells,
    fit_similarity,
    letterbox,
    shrink_cells,
    warp_crop,
)

numbers = st.floats(-500, 500)
sizes = st.floats(1, 500)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), numbers, numbers, sizes, sizes)
affines = st.builds(
    lambda s, a, x, y, shear: Affine(
        Affine.similarity(s, a, move=(x, y)).matrix + np.array([[0, shear, 0], [0, 0, 0]])
    ),
    st.floats(0.1, 10),
    st.floats(-1.4, 1.4),
    numbers,
    numbers,
    st.floats(0, 0.05),
)
POINTS = np.array([[0.0, 0.0], [10.0, 3.0], [-7.0, 22.0], [100.0, 50.0]])


@given(affines)
def test_inverse_undoes(affine: Affine) -> None:
    np.testing.assert_allclose(affine.inverse().apply(affine.apply(POINTS)), POINTS, atol=1e-6)
    np.testing.assert_allclose(affine.compose(affine.inverse()).matrix, np.eye(2, 3), atol=1e-6)


@given(affines, affines)
def test_compose_is_one_after_the_other(a: Affine, b: Affine) -> None:
    np.testing.assert_allclose(a.compose(b).apply(POINTS), a.apply(b.apply(POINTS)), rtol=1e-9, atol=1e-6)


@given(boxes, st.floats(0.2, 5))
def test_fit_aspect_holds_the_box(box: Box, aspect: float) -> None:
    grown = box.fit_aspect(aspect)
    assert grown.width / grown.height == pytest.approx(aspect)
    assert grown.x0 <= box.x0 + 1e-6
    assert grown.y1 >= box.y1 - 1e-6
    assert grown.centre == pytest.approx(box.centre)


@given(boxes, boxes)
def test_union_clip_and_overlap(a: Box, b: Box) -> None:
    both = a.union(b)
    assert both.area >= max(a.area, b.area) - 1e-6
    assert 0 <= a.iou(b) <= 1
    assert a.iou(a) == pytest.approx(1)
    inside = a.clip((100, 80))
    assert 0 <= inside.x0 <= inside.x1 <= 80
    assert 0 <= inside.y0 <= inside.y1 <= 100
    rows, columns = a.slices((100, 80))
    assert 0 <= rows.start <= rows.stop <= 100
    assert 0 <= columns.start <= columns.stop <= 80


def test_box_of_points_and_masks() -> None:
    assert Box.around(np.array([[2.0, 3.0, 0.9], [5.0, 4.0, 0.1]])) == Box(2, 3, 6, 5)
    mask = np.zeros((10, 12), np.uint8)
    assert Box.of_mask(mask) is None
    mask[3:5, 2:6] = 1
    assert Box.of_mask(mask) == Box(2, 3, 6, 5)
    assert Box(0, 0, 10, 20).pad(0.1) == Box(-1, -2, 11, 22)


@given(boxes, st.integers(8, 300), st.integers(8, 300))
def test_crop_affine_maps_edges_to_edges(box: Box, w: int, h: int) -> None:
    corners = np.array([[box.x0 - 0.5, box.y0 - 0.5], [box.x1 - 0.5, box.y1 - 0.5]])
    mapped = crop_affine(box, (w, h)).apply(corners)
    np.testing.assert_allclose(mapped, [[-0.5, -0.5], [w - 0.5, h - 0.5]], atol=1e-6)


def test_whole_picture_crop_is_the_picture(picture: U8) -> None:
    affine = crop_affine(Box(0, 0, 64, 48), (64, 48))
    np.testing.assert_allclose(affine.matrix, np.eye(2, 3), atol=1e-12)
    np.testing.assert_array_equal(warp_crop(picture, affine, out_wh=(64, 48)), picture)


def test_crop_is_a_slice(picture: U8) -> None:
    crop = warp_crop(picture, crop_affine(Box(10, 5, 42, 37), (32, 32)), out_wh=(32, 32))
    np.testing.assert_array_equal(crop, picture[5:37, 10:42])


def test_shrinking_averages_instead_of_aliasing() -> None:
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    small = warp_crop(stripes, crop_affine(Box(0, 0, 512, 512), (64, 64)), out_wh=(64, 64))
    assert np.abs(small.astype(int) - 127).max() <= 2


def test_borders(picture: U8) -> None:
    outside = crop_affine(Box(-64, 0, 0, 48), (64, 48))
    black = warp_crop(picture, outside, out_wh=(64, 48), border=(1, 2, 3))
    assert tuple(black[10, 10]) == (1, 2, 3)
    edge = warp_crop(picture, outside, out_wh=(64, 48))
    np.testing.assert_array_equal(edge[:, 5], picture[:, 0])


def test_nearest_keeps_labels_whole(rng: np.random.Generator) -> None:
    labels = rng.choice(np.array([0, 7, 20], np.uint8), (200, 200))
    small = warp_crop(labels, crop_affine(Box(0, 0, 200, 200), (31, 31)), out_wh=(31, 31), nearest=True)
    assert set(np.unique(small)) <= {0, 7, 20}


def test_letterbox_centres() -> None:
    affine = letterbox((100, 50), (192, 256))
    np.testing.assert_allclose(affine.apply(np.array([24.5, 49.5])), [95.5, 127.5])
    assert affine.scale == pytest.approx(2.56)


@given(st.floats(0.2, 5), st.floats(-3, 3), numbers, numbers)
def test_fit_similarity_recovers(scale: float, angle: float, x: float, y: float) -> None:
    truth = Affine.similarity(scale, angle, move=(x, y))
    found = fit_similarity(POINTS, truth.apply(POINTS), weights=np.array([1.0, 2.0, 0.5, 1.0]))
    np.testing.assert_allclose(found.matrix, truth.matrix, atol=1e-6)


def test_fit_similarity_of_one_point_moves() -> None:
    found = fit_similarity(np.array([[3.0, 4.0]]), np.array([[5.0, 1.0]]))
    np.testing.assert_allclose(found.matrix, [[1, 0, 2], [0, 1, -3]])


def test_apply_carries_confidence() -> None:
    moved = Affine.similarity(2.0).apply(np.array([[1.0, 2.0, 0.7]]))
    np.testing.assert_allclose(moved, [[2, 4, 0.7]])


@given(h=st.integers(9, 60), w=st.integers(9, 60), cells=st.integers(1, 5))
def test_a_window_of_enlarged_cells_is_cut_out_of_the_whole(h: int, w: int, cells: int) -> None:
    small = shrink_cells(np.random.default_rng(h * w).random((h, w)).astype(np.float32), cells)
    assert small.shape == (-(-h // cells), -(-w // cells))
    whole = cv2.resize(small, (small.shape[1] * cells, small.shape[0] * cells), interpolation=cv2.INTER_LINEAR)
    window = np.s_[h // 3 : h, w // 4 : w - 2]
    assert np.allclose(enlarge_cells(small, cells, window), whole[window], atol=1e-5)
