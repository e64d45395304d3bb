"""A closer look at eyes and lips: where the face network's mesh lies a little off, patches around them tell better.

The attention mesh (Grishchenko et al. 2020, arXiv:2006.10962) looks again at eyes and lips inside its own features;
here a network of its own looks at the photo's pixels, so it sees what the 192 px of the face network's crop lose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from mojing.core.arrays import F32, I32, U8, AnyArray
from mojing.core.geometry import Affine
from mojing.perception import facemesh
from mojing.perception.crops import as_input, cut_square
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

PATCH = 64
"""Side of a patch in px."""
EYE_REACH, LIPS_REACH = 0.52, 0.62
"""Half a patch's side in inter-ocular distances."""
INNER, OUTER = 0.3, 0.44
"""Points nearer to a patch's middle than the first (inter-ocular distances, of the larger coordinate) move all the way,
those further than the second not at all."""
FARTHEST = 0.2
"""Mean way in inter-ocular distances beyond which the patch's answer is not believed: something covers the face."""


@dataclass(frozen=True, eq=False)
class Region:
    """Points (K,) of the mesh that one kind of patch tells, and how far (K, 1) each follows it, 0..1."""

    points: I32
    follow: F32


@cache
def eye_region() -> Region:
    """The right eye with its brow; the left eye is its mirror image."""
    return _region(facemesh.RIGHT_EYE)


@cache
def lips_region() -> Region:
    """The lips and what lies about them."""
    return _region(facemesh.LIPS_OUTER)


def _region(ring: tuple[int, ...]) -> Region:
    mean = facemesh.mean_shape()[:, :2]
    far = np.abs(mean - mean[list(ring)].mean(axis=0)).max(axis=1)
    points = np.flatnonzero(far < OUTER)
    follow = np.clip((OUTER - far[points]) / (OUTER - INNER), 0.0, 1.0)
    return Region(points.astype(np.int32), follow[:, None].astype(np.float32))


def patch_affines(mesh: F32) -> tuple[Affine, Affine, Affine]:
    """From photo to patch pixels: right eye, left eye seen in a mirror, lips; all as upright as the eyes of the mesh.

    `mesh` is (478, 3) in px of the photo.
    """
    gap = np.asarray(mesh[473] - mesh[468], np.float64)
    size, angle = max(float(np.linalg.norm(gap)), 2.0), float(np.arctan2(gap[1], gap[0]))
    flip = Affine(np.array([[-1.0, 0.0, PATCH - 1.0], [0.0, 1.0, 0.0]]))
    right = _around(mesh[list(facemesh.RIGHT_EYE)], size=size * EYE_REACH, angle=angle)
    left = _around(mesh[list(facemesh.LEFT_EYE)], size=size * EYE_REACH, angle=angle)
    return right, flip.compose(left), _around(mesh[list(facemesh.LIPS_OUTER)], size=size * LIPS_REACH, angle=angle)


def _around(ring: AnyArray, *, size: float, angle: float) -> Affine:
    """A square of half side `size` about the middle of some points, turned upright."""
    turn = Affine.similarity(PATCH / (2 * size), -angle)
    middle = (PATCH - 1) / 2 - turn.apply(np.asarray(ring, np.float64)[:, :2].mean(axis=0, keepdims=True))[0]
    return Affine.similarity(PATCH / (2 * size), -angle, move=(float(middle[0]), float(middle[1])))


def point_sets() -> tuple[I32, I32, I32]:
    """Mesh points that the patches tell, in the order of `patch_affines`."""
    eye, lips = eye_region().points, lips_region().points
    return eye, facemesh.mirror()[eye], lips


class FaceDetail:
    """The network of the closer look; safe to call from several threads."""

    def __init__(self, store: ModelStore, *, threads: int = 2) -> None:
        self.session = Session(store.spec("facedetail"), threads=threads)

    def __call__(self, rgb: U8, mesh: F32) -> F32:
        """The mesh (478, 3) of a photo (H, W, 3) with eyes, brows and lips moved to where the patches show them."""
        affines = patch_affines(mesh)
        patches = np.concatenate([as_input(cut_square(rgb, affine, side=PATCH)) for affine in affines])
        told = self.session.run({"patches": patches[None]})["points"][0]
        size = facemesh.inter_ocular(mesh)
        way, weight = np.zeros((facemesh.POINTS, 2)), np.zeros((facemesh.POINTS, 1))
        start = 0
        for points, affine, region in zip(
            point_sets(), affines, (eye_region(), eye_region(), lips_region()), strict=True
        ):
            found = told[start : start + len(points)].astype(np.float64) * PATCH - 0.5
            start += len(points)
            moved = affine.inverse().apply(found) - mesh[points, :2]
            if not np.hypot(*moved.T).mean() < FARTHEST * size:
                continue
            way[points] += region.follow * moved
            weight[points] += region.follow
        out = mesh.copy()
        out[:, :2] += (way / np.maximum(weight, 1.0)).astype(np.float32)
        return out
