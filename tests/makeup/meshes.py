"""Faces made of the mean mesh: of any size, place, roll and yaw, with the mouth open or closed."""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32
from mojing.makeup.look import Layer, Shade
from mojing.perception.facemesh import LIPS_INNER, LIPS_OUTER, mean_shape
from mojing.perception.faceview import FaceView

HW = (220, 200)
CODES = ("#8a1030", "#303a80", "#2f7a40", "#c8a040", "#201818")


def mesh(
    unit: float = 60.0,
    *,
    at: tuple[float, float] = (100.0, 85.0),
    roll: float = 0.0,
    yaw: float = 0.0,
    mouth: float = 0.25,
) -> F32:
    """Mean mesh (478, 3) px with `unit` px between the irises, the middle between them at `at`, turned by degrees.

    `mouth` inter-ocular distances is how far the lower lip has dropped.
    """
    points = mean_shape().astype(np.float64).copy()
    lower = [*LIPS_OUTER[6:15], *LIPS_INNER[6:15]]
    points[lower, 1] += mouth * np.tile(np.sin(np.linspace(0.1, 0.9, 9) * np.pi), 2)
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    points = points @ np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]]).T
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    points = points @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(points * unit + np.array([*at, 0.0]), np.float32)


def view(points: F32, hw: tuple[int, int] = HW) -> FaceView:
    """A face of which this mesh is known."""
    return FaceView.of_mesh(points, hw)


def layer(kind: str, pattern: str = "", count: int = 1, region: tuple[str, ...] = ()) -> Layer:
    """A layer with as many plain shades as are asked for."""
    return Layer(kind, tuple(Shade.of_hex(code) for code in CODES[:count]), pattern=pattern, region=region)
