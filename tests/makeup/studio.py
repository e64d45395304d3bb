"""Drawn faces in a shirt, with eyes and teeth as photos show them, in any light: what shade matching is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.color import linear_to_srgb, to_uint8
from mojing.core.geometry import Box
from mojing.makeup.places import filled, outline
from mojing.perception.facemesh import (
    LEFT_EYE,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    OVAL,
    RIGHT_EYE,
    RIGHT_IRIS,
    mean_shape,
)
from mojing.perception.faceview import FaceView

SIDE = 300
SKIN = (0.40, 0.235, 0.155)
SCLERA = (0.39, 0.26, 0.222)
"""White of the eye as it measures in photos beside a white of 0.9."""
CARD = Box(6.0, 6.0, 46.0, 46.0)


@dataclass(frozen=True)
class Scene:
    """What is drawn: colours (3,) linear under neutral light; `shirt` and `card` None leave them out."""

    skin: tuple[float, float, float] = SKIN
    shirt: tuple[float, float, float] | None = (0.82, 0.82, 0.82)
    card: float | None = None
    circles: float = 1.0
    blush: float = 1.0
    gloss: float = 0.0


@cache
def albedo(scene: Scene) -> F32:
    """Colours (300, 300, 3) of the scene, faintly shaded and grained."""
    face = seen()
    out = np.full((SIDE, SIDE, 3), 0.05, np.float32)
    if scene.shirt is not None:
        out[int(face.box.y1) + 8 :, 30:270] = scene.shirt
    skin = np.asarray(scene.skin, np.float32)
    _fill(out, face.mesh[list(OVAL), :2], skin)
    for side in ("right", "left"):
        _fill(out, outline(f"under_eye_{side}", face.mesh), skin * scene.circles)
        _fill(out, outline(f"cheek_{side}", face.mesh), skin * np.array([1.0, scene.blush, scene.blush], np.float32))
    _fill(out, face.mesh[list(LIPS_OUTER), :2], skin * np.array([0.75, 0.5, 0.55], np.float32))
    _fill(out, face.mesh[list(LIPS_INNER), :2], np.array([0.02, 0.01, 0.01], np.float32))
    for ring, iris in ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS)):
        _fill(out, face.mesh[list(ring), :2], np.array(SCLERA, np.float32))
        _fill(out, face.mesh[list(iris[1:]), :2], np.array([0.05, 0.04, 0.03], np.float32))
    y = np.mgrid[:SIDE, :SIDE][0] / SIDE
    grain = np.random.default_rng(3).standard_normal((SIDE, SIDE)) * 0.01
    out = out * (1.04 - 0.12 * y + grain)[..., None]
    nose = filled(outline("nose", face.mesh), (SIDE, SIDE)) | filled(outline("forehead", face.mesh), (SIDE, SIDE))
    spots = np.add.outer(np.arange(SIDE) // 10, np.arange(SIDE) // 10) % 3 == 0
    out[nose & spots] += scene.gloss
    if scene.card is not None:
        out[4:50, 4:50] = scene.card
    return readonly(out.astype(np.float32))


def photo(scene: Scene | None = None, *, light: AnyArray | tuple[float, float, float] = (0.9, 0.9, 0.9)) -> U8:
    """The scene (300, 300, 3) uint8 under light (3,) or (300, 300, 3)."""
    return to_uint8(linear_to_srgb(albedo(scene or Scene()) * np.asarray(light)))


@cache
def seen() -> FaceView:
    """The face of every scene."""
    mesh = mean_shape().astype(np.float64) * 78.0 + np.array([SIDE / 2, SIDE * 0.38, 0.0])
    return FaceView.of_mesh(mesh.astype(np.float32), (SIDE, SIDE))


def _fill(out: F32, ring: AnyArray, value: F32) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.rint(np.asarray(ring) * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    a = (mask / np.float32(255))[..., None]
    out[:] = out * (1 - a) + value * a
