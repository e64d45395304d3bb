"""A drawn face of known skin under a known light, small enough for tests."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.color import linear_to_srgb, to_uint8
from mojing.perception.facemesh import LEFT_EYE, LEFT_IRIS, LIPS_OUTER, OVAL, RIGHT_EYE, RIGHT_IRIS, mean_shape
from mojing.perception.faceview import FaceView


@dataclass(frozen=True, eq=False)
class Drawn:
    """The photo, its face, the light (3,) and the shading (H, W)."""

    rgb: U8
    face: FaceView
    light: F32
    shading: F32


def drawn(
    albedo: tuple[float, float, float] | F32 = (0.44, 0.26, 0.18),
    light: tuple[float, float, float] = (0.8, 0.8, 0.8),
    *,
    side: int = 160,
    grain: float = 0.0,
) -> Drawn:
    """Skin of one `albedo` with redder lips, eyes with whites, shaded from one side; `grain` = pores."""
    mesh = mean_shape().astype(np.float64) * (0.24 * side) + np.array([side / 2, side * 0.42, 0.0])
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    shading = 1.05 - 0.25 * np.abs(x - 0.42) - 0.1 * y
    noise = np.random.default_rng(3).standard_normal((side, side)).astype(np.float32)
    shading = np.asarray(shading * (1.0 + grain * noise), np.float32)
    colour = np.zeros((side, side, 3), np.float32) + np.float32(0.2)

    def fill(ring: tuple[int, ...], value: object) -> None:
        mask = np.zeros((side, side), np.uint8)
        cv2.fillPoly(mask, [np.rint(mesh[list(ring), :2] * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
        a = (mask / np.float32(255))[..., None]
        colour[:] = colour * (1 - a) + np.asarray(value, np.float32) * a

    skin = np.asarray(albedo, np.float32)
    fill(OVAL, skin)
    fill(LIPS_OUTER, skin * np.array([0.75, 0.5, 0.55], np.float32))
    for ring, iris in ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS)):
        fill(ring, (0.42, 0.40, 0.38))
        fill(iris[1:], (0.05, 0.04, 0.03))
    lit = np.asarray(light, np.float32)
    rgb = to_uint8(linear_to_srgb(colour * shading[..., None] * lit))
    return Drawn(rgb, FaceView.of_mesh(mesh.astype(np.float32), (side, side)), lit, shading)
