"""What a mesh tells of a face that matters for putting make-up on it: its shape, eyes, brows and lips.

Ratios of lengths are compared with those that our own face network draws on faces seen from the front (`USUAL`), so
that what is called long is so among people, not against an ideal. The network draws every face a little towards the
average one: its meshes must be held against its own, or nobody would ever have a thin lip. Only figures are used of
which it tells the side of the usual much as its teacher does (tools/face_measures.py prints both). Lengths in mm take
the iris to be 11.7 mm wide, as it is in most people to about half a millimetre (the measure that Ablavatski et al.
2020 tell distances by).
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
    "length": (1.210, 0.044),
    "temples": (0.935, 0.009),
    "jaw": (0.855, 0.007),
    "chin": (0.447, 0.008),
    "tilt": (2.541, 0.948),
    "opening": (0.284, 0.019),
    "upper_lip": (0.771, 0.067),
    "apart": (0.450, 0.010),
    "brow_height": (0.618, 0.050),
    "brow_level": (0.005, 0.043),
}
"""Mean and standard deviation of every figure of `measure` that the shipped network draws on training portraits seen
from the front, as the tool prints them; to be printed anew when the network is trained anew."""
BROW_GAIN: Final = 1.89
"""The network draws brows more level than they are: slope of the teacher's `brow_level` over the network's."""
CLEAR: Final = 1.0
"""Standard deviations from the usual from which something is told: there the teacher sees it on the same side of its
own usual in nine of ten training portraits (0.85 to 1.00, by the figure), as the tool prints."""

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
FAR_MM: Final = 1.6
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
            narrow-eyes, close-set, wide-set, low-brows, high-brows, brow-left-high, brow-right-high, thin-upper,
            thin-lower, smile.
        sure: False where the face is turned too far for all this to be believed; then there are no hints.
    """

    shape: str
    other: str
    brow_mm: float
    mm_per_px: float
    hints: tuple[str, ...]
    sure: bool


def measure(mesh: F64) -> dict[str, float]:
    """The figures of `USUAL` of a mesh (478, 3): lengths in widths of the face, of an eye or (`brow_level`: how much
    higher the left brow stands) of an iris; the tilt in degrees."""
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
        "apart": _far(mesh, LEFT_IRIS[0], RIGHT_IRIS[0]) / cheeks,
        "brow_height": float((mesh[159] - mesh[105] + mesh[386] - mesh[334]) @ down) / 2 / eyes,
        "brow_level": float(((mesh[105] - mesh[468]) - (mesh[334] - mesh[473])) @ down) / _iris(mesh),
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
    brow_mm = BROW_GAIN * IRIS_MM * (found["brow_level"] - USUAL["brow_level"][0])
    sure = abs(face.yaw) < TURNED
    mouth = _far(mesh, 13, 14) / max(_far(mesh, 61, 291), 1e-6)
    shapes = () if other else (shape,)
    told = (low if z[name] < 0 else high for name, low, high in TOLD if abs(z[name]) > CLEAR)
    brows = ("brow-left-high" if brow_mm > 0 else "brow-right-high",) if abs(brow_mm) > FAR_MM else ()
    hints = (*shapes, *told, *brows, *(("smile",) if mouth > 0.1 else ())) if sure else ()
    return Traits(shape, other, brow_mm, IRIS_MM / _iris(mesh), hints, sure)


TOLD: Final = (
    ("tilt", "downturned", "upturned"),
    ("opening", "narrow-eyes", "round-eyes"),
    ("apart", "close-set", "wide-set"),
    ("brow_height", "low-brows", "high-brows"),
    ("upper_lip", "thin-upper", "thin-lower"),
)
"""Figures, and what is told of one that is clearly less or more than usual."""


def _iris(mesh: F64) -> float:
    """Width of the irises."""
    return max((_far(mesh, *RIGHT_IRIS[1::2]) + _far(mesh, *LEFT_IRIS[1::2])) / 2, 1e-6)


def _axes(mesh: F64) -> tuple[F64, F64]:
    """Unit vectors (3,) to the wearer's left and down the face."""
    across = (mesh[263] + mesh[362] - mesh[33] - mesh[133]) / 2
    across = across / max(float(np.linalg.norm(across)), 1e-9)
    down = mesh[CHIN] - mesh[FOREHEAD]
    down = down - (down @ across) * across
    return across, down / max(float(np.linalg.norm(down)), 1e-9)


def _far(mesh: F64, a: int, b: int) -> float:
    return float(np.linalg.norm(mesh[a] - mesh[b]))
