"""What a mesh tells of a face that matters for putting make-up on it: its shape, eyes, brows and lips.

Only what our face network tells much as the teacher does is used (tools/face_measures.py --photos); the distance of the
eyes, for one, is not, as the network draws it near the mean. Ratios of lengths are compared with those of faces seen
from the front (`USUAL`), so that what is called long is so among people, not against an ideal. Lengths in mm take the
iris to be 11.7 mm wide, as it is in most people to about half a millimetre (the measure that Ablavatski et al. 2020
tell distances by).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mojing.core.arrays import F64
from mojing.perception.facemesh import CHIN, FOREHEAD, LEFT_IRIS, RIGHT_IRIS
from mojing.perception.faceview import FaceView

IRIS_MM: Final = 11.7

USUAL: Final[dict[str, tuple[float, float]]] = {
    "length": (1.205, 0.052),
    "temples": (0.933, 0.015),
    "jaw": (0.856, 0.016),
    "chin": (0.447, 0.017),
    "tilt": (2.63, 1.756),
    "opening": (0.285, 0.046),
    "upper_lip": (0.794, 0.140),
}
"""Mean and standard deviation of every figure of `measure` over faces seen from the front (tools/face_measures.py)."""

SHAPES: Final[dict[str, tuple[float, float, float, float]]] = {
    "oval": (0.4, 0.0, -0.3, -0.2),
    "round": (-1.3, 0.0, 0.2, 0.6),
    "square": (-0.4, 0.6, 1.3, 1.0),
    "long": (1.7, 0.2, 0.2, 0.0),
    "heart": (0.0, 1.2, -1.0, -1.2),
    "diamond": (0.3, -1.3, -0.8, -0.6),
}
"""Length, temples, jaw and chin of the shapes that make-up artists name, in standard deviations from the usual face."""

BETWEEN: Final = 0.65
"""A second shape is named too when the nearest is not nearer than this share of its distance."""
TURNED: Final = 18.0
"""Beyond this yaw or so, in degrees, one side is seen too slantingly to be measured."""
FAR_MM: Final = 2.2
"""Brows that differ in height by less are level for most eyes, and within what a mesh tells."""


@dataclass(frozen=True)
class Traits:
    """What is told of a face.

    Attributes:
        shape: the nearest of `SHAPES`.
        other: the second nearest if the face lies between two, or empty.
        brow_mm: by how much the left brow stands higher than the right one, in mm.
        mm_per_px: millimetres of a pixel at the eyes.
        hints: what advice is given for: a shape if it is clear, and any of downturned, upturned, round-eyes,
            narrow-eyes, brow-left-high, brow-right-high, thin-upper, thin-lower, smile.
        sure: False where the face is turned too far for all this to be believed; then there are no hints.
    """

    shape: str
    other: str
    brow_mm: float
    mm_per_px: float
    hints: tuple[str, ...]
    sure: bool


def measure(mesh: F64) -> dict[str, float]:
    """The figures of `USUAL` of a mesh (478, 3): lengths in widths of the face or of an eye, the tilt in degrees."""
    across, down = _axes(mesh)
    cheeks = _far(mesh, 234, 454)
    eyes = (_far(mesh, 33, 133) + _far(mesh, 263, 362)) / 2
    corners = [mesh[33] - mesh[133], mesh[263] - mesh[362]]
    tilt = np.mean([np.degrees(np.arctan2(-(v @ down), abs(v @ across))) for v in corners])
    return {
        "length": _far(mesh, FOREHEAD, CHIN) / cheeks,
        "temples": _far(mesh, 21, 251) / cheeks,
        "jaw": (_far(mesh, 172, 397) + _far(mesh, 58, 288)) / 2 / cheeks,
        "chin": _far(mesh, 149, 378) / cheeks,
        "tilt": float(tilt),
        "opening": (_far(mesh, 159, 145) + _far(mesh, 386, 374)) / 2 / eyes,
        "upper_lip": _far(mesh, 0, 13) / max(_far(mesh, 14, 17), 1e-6),
    }


def traits(face: FaceView) -> Traits:
    """What the mesh of a face tells."""
    mesh = np.asarray(face.mesh, np.float64)
    found = measure(mesh)
    z = {name: (value - USUAL[name][0]) / USUAL[name][1] for name, value in found.items()}
    at = np.array([z["length"], z["temples"], z["jaw"], z["chin"]])
    far = {name: float(np.linalg.norm(at - np.array(centre))) for name, centre in SHAPES.items()}
    shape, second = sorted(far, key=far.__getitem__)[:2]
    other = second if far[shape] > BETWEEN * far[second] else ""
    iris = (_far(mesh, *RIGHT_IRIS[1::2]) + _far(mesh, *LEFT_IRIS[1::2])) / 2
    mm = IRIS_MM / max(iris, 1e-6)
    _, down = _axes(mesh)
    brow_mm = float(((mesh[105] - mesh[468]) - (mesh[334] - mesh[473])) @ down) * mm
    sure = abs(face.yaw) < TURNED
    mouth = _far(mesh, 13, 14) / max(_far(mesh, 61, 291), 1e-6)
    shapes = () if other else (shape,)
    hints = (*shapes, *_eye_hints(z), *_rest(z, brow_mm=brow_mm, mouth=mouth)) if sure else ()
    return Traits(shape, other, brow_mm, mm, hints, sure)


def _eye_hints(z: dict[str, float]) -> list[str]:
    told = (
        ("tilt", "downturned", "upturned"),
        ("opening", "narrow-eyes", "round-eyes"),
    )
    return [low if z[name] < 0 else high for name, low, high in told if abs(z[name]) > 1.0]


def _rest(z: dict[str, float], *, brow_mm: float, mouth: float) -> list[str]:
    hints = []
    if abs(brow_mm) > FAR_MM:
        hints.append("brow-left-high" if brow_mm > 0 else "brow-right-high")
    if abs(z["upper_lip"]) > 1.3:
        hints.append("thin-upper" if z["upper_lip"] < 0 else "thin-lower")
    return [*hints, "smile"] if mouth > 0.1 else hints


def _axes(mesh: F64) -> tuple[F64, F64]:
    """Unit vectors (3,) to the wearer's left and down the face."""
    across = (mesh[263] + mesh[362] - mesh[33] - mesh[133]) / 2
    across = across / max(float(np.linalg.norm(across)), 1e-9)
    down = mesh[CHIN] - mesh[FOREHEAD]
    down = down - (down @ across) * across
    return across, down / max(float(np.linalg.norm(down)), 1e-9)


def _far(mesh: F64, a: int, b: int) -> float:
    return float(np.linalg.norm(mesh[a] - mesh[b]))
