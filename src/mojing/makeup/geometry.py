"""The lines of one face that products follow: eyes, lips, local directions, and its maps to the mean face.

Everything is worked out when first asked for and kept as long as the face is, since the layers of a look share it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from mojing.core.arrays import F32, F64, readonly
from mojing.core.geometry import Affine, Box
from mojing.makeup.charts import EYE_SHEET, FACE_SHEET, Grid, Sheet, ThinPlate, look_up
from mojing.makeup.curves import fill, spline
from mojing.makeup.placed import Placed, around, whole
from mojing.perception.facemesh import LIPS_INNER, LIPS_OUTER, OVAL, mean_shape, mirror
from mojing.perception.faceview import FACE_PARTS, FaceView

# Rings around the right eye, each from its outer to its inner end (names as in MediaPipe's keypoints).
# fmt: off
LID_UPPER: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133)
LID_LOWER: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133)
CREASE: Final = (130, 247, 30, 29, 27, 28, 56, 190, 243)
SOCKET: Final = (226, 113, 225, 224, 223, 222, 221, 189, 244)
BAG: Final = (226, 31, 228, 229, 230, 231, 232, 233, 244)
UNDER: Final = (130, 25, 110, 24, 23, 22, 26, 112, 243)
TROUGH: Final = (143, 111, 117, 118, 119, 120, 121, 128, 245)
BROW_LOWER: Final = (46, 53, 52, 65, 55)
BROW_UPPER: Final = (70, 63, 105, 66, 107)
"""Right eyebrow's edges, from the tail to the head."""

_UPPER_PINS: Final = (*LID_UPPER, *CREASE, *SOCKET[1:8], *BROW_LOWER, *BROW_UPPER, 156, 143, 35, 193, 168)
_LOWER_PINS: Final = (*LID_LOWER, *UNDER, *BAG, *TROUGH, 35, 168, 50, 205)
_FACE_PINS: Final = (
    *OVAL[::2], 151, 9, 8, 168, 6, 197, 5, 4, 2, 164, 0, 17, 18, 200,
    *(p for r in (
        108, 69, 68, 71, 139, 105, 46, 143, 111, 117, 119, 121, 188, 50, 205, 36, 123, 187, 147, 207,
        214, 192, 203, 129, 98, 102, 61, 57, 202, 211, 135, 33, 133, 159, 145,
    ) for p in (r, -r)),
)
# fmt: on

MEAN_EYE: Final = 0.425
"""Width of an eye of the mean face seen from the front, in units of the inter-ocular distance."""


class Eye:
    """One eye, told as if it were a right one: `points` (478, 2) float64 px are those of the mirror for a left eye."""

    def __init__(self, geometry: Geometry, side: str) -> None:
        self.geometry, self.side = geometry, side
        self.points: F64 = geometry.points if side == "right" else geometry.points[mirror()]

    @cached_property
    def across(self) -> F64:
        """Px (2,) of one inter-ocular distance outwards, foreshortened as this eye is."""
        return (self.points[33] - self.points[133]) / MEAN_EYE

    @cached_property
    def up(self) -> F64:
        """Px (2,) of one inter-ocular distance towards the brow."""
        return self.geometry.up

    def moved(self, across: float, up: float) -> F64:
        """Px (2,) of a step given in inter-ocular distances."""
        return np.asarray(across * self.across + up * self.up)

    @cached_property
    def upper_lid(self) -> F64:
        """Curve (m, 2) along the upper lid's edge, from the inner to the outer corner."""
        return spline(self.points[list(LID_UPPER[::-1])], per=6)

    @cached_property
    def lower_lid(self) -> F64:
        """Curve (m, 2) along the lower lid's edge, from the inner to the outer corner."""
        return spline(self.points[list(LID_LOWER[::-1])], per=6)

    @cached_property
    def opening(self) -> F64:
        """Closed outline of what shows of the eyeball."""
        return np.concatenate([self.upper_lid, self.lower_lid[-2:0:-1]])

    @cached_property
    def grid(self) -> Grid:
        """Coarse pixels over the eye, its lids and brow."""
        reach = (*SOCKET, *BAG, *BROW_LOWER, *BROW_UPPER, 143, 156, 35)
        corner = self.points[33] + self.moved(0.30, 0.0)
        pins = np.concatenate([self.points[list(reach)], corner[None]])
        box = around(pins, pad=0.06 * self.geometry.unit, hw=self.geometry.hw)
        return Grid(box, max(1, int(self.geometry.unit / 160.0)))

    @cached_property
    def upper_maps(self) -> tuple[F32, F32]:
        """Right-eye mean-face coordinates of the coarse pixels, true above the opening."""
        return self._maps(_UPPER_PINS)

    @cached_property
    def lower_maps(self) -> tuple[F32, F32]:
        """Right-eye mean-face coordinates of the coarse pixels, true below the opening."""
        return self._maps(_LOWER_PINS)

    def _maps(self, pins: tuple[int, ...]) -> tuple[F32, F32]:
        index = list(pins)
        plate = ThinPlate(self.points[index], mean_shape()[index, :2], smooth=1e-3)
        return look_up(plate, self.grid, step_px=0.05 * self.geometry.unit)

    def eyeball(self, box: Box) -> F32:
        """How much of each pixel of `box` is eyeball."""
        return fill([self.opening], box=box)


class Geometry:
    """Lines and maps of one face, all in px of its photo."""

    def __init__(self, face: FaceView) -> None:
        self.points: F64 = readonly(np.asarray(face.mesh[:, :2], np.float64))
        self.hw = face.hw
        self._parts, self._to_parts = face.parts, face.to_parts
        depth = np.asarray(face.mesh[[33, 133, 362, 263], 2], np.float64)
        right, left = self.points[[33, 133]].mean(axis=0), self.points[[362, 263]].mean(axis=0)
        flat = np.hypot(*(left - right))
        deep = np.hypot(flat, depth[2:].mean() - depth[:2].mean())
        self.unit: float = float(np.clip(deep, flat, 1.5 * flat)) / 0.972
        """Px of the distance between the irises if the face were seen from the front."""
        along = (left - right) / max(flat, 1e-6)
        self.up: F64 = np.array([along[1], -along[0]]) * self.unit
        self.along: F64 = along * self.unit
        self.middle: F64 = (left + right) / 2

    @cached_property
    def eyes(self) -> dict[str, Eye]:
        """Both eyes by side."""
        return {side: Eye(self, side) for side in ("left", "right")}

    @cached_property
    def lips_outer(self) -> F64:
        """Closed outline of the lips, pointed at the corners of the mouth."""
        return _two_arcs(self.points[list(LIPS_OUTER)])

    @cached_property
    def lips_inner(self) -> F64:
        """Closed outline of the opening of the mouth."""
        return _two_arcs(self.points[list(LIPS_INNER)])

    @cached_property
    def outline(self) -> F64:
        """Closed outline of the face."""
        return spline(self.points[list(OVAL)], per=4, closed=True)

    @cached_property
    def grid(self) -> Grid:
        """Coarse pixels over the whole face."""
        box = around(self.outline, pad=0.08 * self.unit, hw=self.hw)
        return Grid(box, max(1, int(self.unit / 90.0)))

    @cached_property
    def maps(self) -> tuple[F32, F32]:
        """Mean-face coordinates of the coarse pixels of `grid`."""
        index = _face_pins()
        plate = ThinPlate(self.points[index], mean_shape()[index, :2], smooth=2e-3)
        return look_up(plate, self.grid, step_px=0.14 * self.unit)

    def blocked(self, grid: Grid, *names: str) -> F32:
        """0..1, how surely the coarse pixels show one of the named parts and cannot be painted."""
        rows = [FACE_PARTS.index(name) for name in names]
        p = grid.warp(self._parts[rows].sum(axis=0), self._to_parts)
        return np.asarray(np.clip(p * np.float32(2.0) - np.float32(0.5), 0.0, 1.0), np.float32)

    def part(self, grid: Grid, *names: str) -> F32:
        """Probability of the named parts at the coarse pixels."""
        rows = [FACE_PARTS.index(name) for name in names]
        return np.clip(grid.warp(self._parts[rows].sum(axis=0), self._to_parts), 0.0, 1.0)

    def kept(self, mask: F32, box: Box, *names: str) -> F32:
        """A mask (h, w) without what the named parts hide, in place."""
        if mask.size:
            grid = Grid(box, 1)
            np.multiply(mask, 1.0 - self.blocked(grid, *names), out=mask)
        return mask

    def box(self, box: Box) -> Box:
        """Whole pixels of a box inside the photo."""
        return whole(box, self.hw)


def _two_arcs(ring: F64) -> F64:
    """Closed curve through a ring (20, 2) of lip points, smooth but for its corners (5 and 15)."""
    lower = spline(ring[5:16], per=6)
    upper = spline(np.concatenate([ring[15:], ring[:6]]), per=6)
    return np.concatenate([lower[:-1], upper[:-1]])


def _face_pins() -> list[int]:
    back = mirror()
    return sorted({p if p >= 0 else int(back[-p]) for p in _FACE_PINS})


_KEPT: WeakKeyDictionary[FaceView, Geometry] = WeakKeyDictionary()


def geometry(face: FaceView) -> Geometry:
    """The lines of a face, worked out once for all layers."""
    found = _KEPT.get(face)
    if found is None:
        found = _KEPT[face] = Geometry(face)
    return found


__all__ = ["EYE_SHEET", "FACE_SHEET", "Affine", "Eye", "Geometry", "Placed", "Sheet", "geometry"]
