"""A face that needs no network: photographed from the mean mesh, so that its own mesh is known."""

from __future__ import annotations

from functools import cache

import numpy as np

from mojing.core.arrays import U8, readonly
from mojing.eval.syntheticface import LIGHTS, photograph
from mojing.makeup.look import Layer, Look, Shade
from mojing.perception.faceview import FaceView


@cache
def sitter() -> tuple[U8, FaceView]:
    """A photo (384, 384, 3) of a face and what is known of it."""
    scene = photograph(4, LIGHTS[0], seed=3)
    return readonly(scene.rgb), FaceView.of_mesh(scene.mesh, scene.rgb.shape[:2])


def layer(kind: str, *codes: str, **more: object) -> Layer:
    """A layer of these colours."""
    return Layer(kind, tuple(Shade.of_hex(code) for code in codes), **more)  # type: ignore[arg-type]


LOOK = Look("test", (layer("eyeliner", "#101010"), layer("lip", "#8a1030", finish="matte", coverage=0.9)))


def moved(face: FaceView, *, by: tuple[float, float], hw: tuple[int, int]) -> FaceView:
    """The face elsewhere, in a picture of another size."""
    mesh = face.mesh.copy()
    mesh[:, :2] += np.array(by, np.float32)
    return FaceView.of_mesh(mesh, hw)
