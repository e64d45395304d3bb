"""Unwrapping a face and wrapping it back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32
from mojing.core.geometry import Affine, Box
from mojing.makeup.uv import unwrap, wrap
from mojing.perception.facemesh import mean_shape, mirror, uv


def mesh_at(scale: float, *, angle: float = 0.0, yaw: float = 0.0) -> F32:
    """The mean face, `scale` px between the eyes, turned in the plane and to the side (radians), around (160, 160)."""
    shape = mean_shape().astype(np.float64)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    shape = shape @ turn.T
    flat = Affine.similarity(scale, angle, move=(160.0, 160.0)).apply(shape[:, :2])
    return np.column_stack([flat, shape[:, 2] * scale]).astype(np.float32)


def smooth(h: int, w: int) -> F32:
    y, x = np.mgrid[:h, :w]
    return np.stack([np.sin(x / 23) * 0.4 + 0.5, np.cos(y / 17) * 0.4 + 0.5, (x + y) / (h + w)], -1).astype(np.float32)


def test_texture_holds_the_photo_at_the_points_of_the_mesh() -> None:
    mesh = mesh_at(70.0, angle=0.2)
    y, x = np.mgrid[:320, :320].astype(np.float32)
    texture, valid = unwrap(np.dstack([x, y]), mesh)
    points = uv()[:468] * 256 - 0.5
    index = np.rint(points).astype(int)
    # Texels of the very edge may belong to the neighbouring triangle's plane, and the mesh is coarser than a texel.
    error = np.abs(texture[index[:, 1], index[:, 0]] - mesh[:468, :2]).max(-1)
    assert np.median(error) < 0.35
    assert error.max() < 2.0
    assert 0.5 < valid.mean() < 0.8


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(40, 90), angle=st.floats(-0.8, 0.8), yaw=st.floats(-0.4, 0.4), step=st.integers(-5, 5))
def test_unwrap_undoes_wrap(scale: float, angle: float, yaw: float, step: int) -> None:
    mesh = mesh_at(scale, angle=angle, yaw=yaw)
    mesh[:, 0] += step / 3
    box = Box(0, 0, 320, 320)
    picture, cover = wrap(smooth(256, 256), mesh, box=box)
    texture, valid = unwrap(picture, mesh)
    inner = valid > 0
    assert inner.mean() > 0.3
    assert np.abs(texture - smooth(256, 256))[inner].mean() < 0.004
    assert cover.max() <= 1.0
    assert cover[0, 0] == 0.0


def test_wrap_is_the_same_through_any_box() -> None:
    mesh = mesh_at(64.0, angle=0.1)
    whole, cover = wrap(smooth(128, 128), mesh, box=Box(0, 0, 320, 320))
    part, part_cover = wrap(smooth(128, 128), mesh, box=Box(120, 130, 200, 230))
    inside = part_cover > 0.99
    np.testing.assert_allclose(part_cover, cover[130:230, 120:200], atol=0.02)
    np.testing.assert_allclose(part[inside], whole[130:230, 120:200][inside], atol=0.02)


def test_mirrored_photo_gives_the_mirrored_texture() -> None:
    mesh, photo = mesh_at(60.0, yaw=0.3), smooth(320, 320)
    other = mesh[mirror()].copy()
    other[:, 0] = 319 - other[:, 0]
    texture, valid = unwrap(photo, mesh, size=64)
    flipped, flipped_valid = unwrap(photo[:, ::-1].copy(), other, size=64)
    both = (valid > 0) & (flipped_valid[:, ::-1] > 0)
    assert both.mean() > 0.4
    np.testing.assert_allclose(flipped[:, ::-1][both], texture[both], atol=0.02)


def test_far_cheek_and_what_lies_outside_are_not_valid() -> None:
    straight, turned = (unwrap(smooth(320, 320), mesh_at(60.0, yaw=a))[1] for a in (0.0, 1.0))
    assert turned.mean() < 0.75 * straight.mean()
    outside = mesh_at(60.0)
    outside[:, 0] -= 160
    assert unwrap(smooth(320, 320), outside)[1].mean() == pytest.approx(straight.mean() / 2, rel=0.15)


def test_a_face_turned_away_shows_nothing() -> None:
    mesh = mesh_at(60.0)
    mesh[:, 0] = 320 - mesh[:, 0]
    assert unwrap(smooth(320, 320), mesh)[1].max() == 0.0
    assert wrap(smooth(64, 64), mesh, box=Box(0, 0, 320, 320))[1].max() == 0.0
