"""The 478-point face mesh: which point is which, its triangles, its mirror image, and its flat (UV) layout.

The numbering is that of MediaPipe's face mesh with irises (Kartynnik et al. 2019, Grishchenko et al. 2020,
Apache-2.0), so that mesh.json can be read by anything that reads theirs. Left and right are the wearer's.
`facemesh.npz` holds what was
derived from it by tools/face_topology.py: the mean shape of our training faces and a flat layout without folds.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np

from mojing.core.arrays import F32, I32, AnyArray, readonly

POINTS = 478
"""Points of a mesh; 0-467 are skin, 468-472 the right iris (centre first), 473-477 the left."""

# fmt: off
OVAL: tuple[int, ...] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
"""The edge of the face, from the middle of the hairline over the wearer's left side and the chin."""

LIPS_OUTER: tuple[int, ...] = (
    0, 267, 269, 270, 409, 291, 375, 321, 405, 314,
    17, 84, 181, 91, 146, 61, 185, 40, 39, 37,
)
"""Outer edge of the lips, from the middle of the cupid's bow over the left corner (291) to the right one (61)."""
LIPS_INNER: tuple[int, ...] = (
    13, 312, 311, 310, 415, 308, 324, 318, 402, 317,
    14, 87, 178, 88, 95, 78, 191, 80, 81, 82,
)
"""Inner edge of the lips, in the order of the outer one; what lies inside is mouth."""

RIGHT_EYE: tuple[int, ...] = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
"""Edge of the right eye: outer corner, lower lid, inner corner (133), upper lid."""
LEFT_EYE: tuple[int, ...] = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
"""Edge of the left eye, the mirror image of the right one."""

RIGHT_BROW: tuple[int, ...] = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
"""Right eyebrow: lower edge from the outer end inwards, upper edge back."""
LEFT_BROW: tuple[int, ...] = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
"""Left eyebrow, the mirror image of the right one."""

RIGHT_IRIS: tuple[int, ...] = (468, 469, 470, 471, 472)
"""Right iris: centre and four points of its edge."""
LEFT_IRIS: tuple[int, ...] = (473, 474, 475, 476, 477)
"""Left iris: centre and four points of its edge."""

# fmt: on

FINE: tuple[int, ...] = (*LIPS_OUTER, *LIPS_INNER, *RIGHT_EYE, *LEFT_EYE, *RIGHT_IRIS, *LEFT_IRIS)
"""Lips, eyes and irises: what make-up follows most closely."""

NOSE_TIP, CHIN, FOREHEAD = 1, 152, 10


@cache
def _table() -> dict[str, AnyArray]:
    with resources.as_file(resources.files(__package__) / "facemesh.npz") as path, np.load(path) as file:
        return {name: readonly(file[name]) for name in file.files}


def mean_shape() -> F32:
    """Mean shape (478, 3): iris centres one apart, their middle at the origin; x to the left eye, y down, z away."""
    return _table()["mean"]


def uv() -> F32:
    """Flat layout (478, 2) in 0..1, u to the wearer's left, v down; symmetric, and no triangle is folded over."""
    return _table()["uv"]


def triangles() -> I32:
    """Triangles (852, 3) over points 0-467, all of one orientation in `uv`; eyes and mouth are holes."""
    return _table()["triangles"].astype(np.int32)


def mirror() -> I32:
    """Index (478,): the point that each point becomes in a mirrored picture."""
    return _table()["mirror"].astype(np.int32)


def inter_ocular(mesh: F32) -> float:
    """Distance of the iris centres of a mesh (478, 2 or 3) in its own unit: what errors are given in per cent of."""
    return float(np.hypot(*(mesh[468, :2] - mesh[473, :2])))


def yaw(mesh: AnyArray) -> float:
    """Turn of a mesh (478, 3) to the side in degrees from the depths of the eyes: positive when the left is farther."""
    d = mesh[263] - mesh[33]
    return float(np.degrees(np.arctan2(d[2], np.hypot(d[0], d[1]))))
