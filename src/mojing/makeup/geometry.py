"""The lines of one face that products follow: eyes, lips, local directions, and its maps to the mean face.

Everything is worked out when first asked for and kept as long as the face is, since the layers of a look share it.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, readonly
from mojing.core.geometry import Box
from mojing.makeup.charts import EYE_SHEET, FACE_SHEET, Grid, ThinPlate, look_up
from mojing.makeup.curves import fill, resample, shifted, soften, spline
from mojing.makeup.placed import around
from mojing.perception.facemesh import LIPS_INNER, LIPS_OUTER, OVAL, mean_shape, mirror, uv
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
        return np.asarray((self.points[33] - self.points[133]) / MEAN_EYE, np.float64)

    @cached_property
    def up(self) -> F64:
        """Px (2,) of one inter-ocular distance towards the brow."""
        return self.geometry.up

    def moved(self, across: float, up: float) -> F64:
        """Px (2,) of a step given in inter-ocular distances."""
        return np.asarray(across * self.across + up * self.up)

    @cached_property
    def upper_lid(self) -> F64:
        """Curve (m, 2) along the upper lid's edge, from the inner to the outer corner.

        The mesh's eye ends short of the corners of real ones, so that the ends are moved towards the next ring.
        """
        return self._lid(LID_UPPER)

    @cached_property
    def lower_lid(self) -> F64:
        """Curve (m, 2) along the lower lid's edge, from the inner to the outer corner."""
        return self._lid(LID_LOWER)

    @property
    def corner(self) -> F64:
        """The outer corner (2,) px, where wings begin."""
        return np.asarray(self.upper_lid[-1])

    def _lid(self, ring: tuple[int, ...]) -> F64:
        points = self.points[list(ring[::-1])]
        points[0] += 0.25 * (self.points[243] - points[0])
        points[-1] += 0.75 * (self.points[130] - points[-1])
        return spline(points, per=6)

    @cached_property
    def opening(self) -> F64:
        """Closed outline of what shows of the eyeball."""
        return np.concatenate([self.upper_lid, self.lower_lid[-2:0:-1]])

    @cached_property
    def brow_edges(self) -> tuple[F64, F64]:
        """Lower and upper edge (40, 2) of the brow, from its head to its tail.

        The mesh's brow sits higher than the hair does, by about a twentieth of the inter-ocular distance below.
        """
        low = resample(spline(self.points[list(BROW_LOWER[::-1])], per=6), 40) - 0.035 * self.up
        high = resample(spline(self.points[list(BROW_UPPER[::-1])], per=6), 40) - 0.010 * self.up
        return low, high

    @cached_property
    def brow_outline(self) -> F64:
        """Closed outline of the brow."""
        low, high = self.brow_edges
        return np.concatenate([low, high[::-1]])

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
        return look_up(plate, self.grid, step_px=0.08 * self.geometry.unit)

    @cached_property
    def _ball(self) -> tuple[Box, F32]:
        box = around(self.opening, pad=1.0, hw=self.geometry.hw)
        return box, fill([self.opening], box=box)

    def eyeball(self, box: Box) -> F32:
        """How much of each pixel of `box` is eyeball."""
        return 1.0 - self.spared(np.ones((round(box.height), round(box.width)), np.float32), box)

    def spared(self, mask: F32, box: Box) -> F32:
        """A mask (h, w) of `box` without what is eyeball, in place."""
        return _less(mask, box, *self._ball)


class Geometry:
    """Lines and maps of one face, all in px of its photo."""

    def __init__(self, face: FaceView) -> None:
        self.points: F64 = readonly(np.asarray(face.mesh[:, :2], np.float64))
        self.hw = face.hw
        self._parts, self._to_parts = face.seen_parts, face.to_parts
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
        """Closed outline of the opening of the mouth, running the same way round as `lips_outer` unless it is shut.

        The mesh's runs on the lips themselves, which left a bright line between colour and teeth: it is drawn in by
        a hundredth of the inter-ocular distance, less where the lips are closer than that.
        """
        ring = self.points[list(LIPS_INNER)]
        across = np.empty_like(ring)
        across[5:16] = np.concatenate([ring[15:], ring[:6]])[::-1] - ring[5:16]
        across[16:], across[:5] = -across[6:15][::-1][:4], -across[6:15][::-1][4:]
        gap = np.maximum(np.hypot(*across.T), 1e-9)[:, None]
        return _two_arcs(ring + across * np.minimum(0.01 * self.unit / gap, 0.25))

    @cached_property
    def outline(self) -> F64:
        """Closed outline of the face."""
        return spline(self.points[list(OVAL)], per=4, closed=True)

    @cached_property
    def grid(self) -> Grid:
        """Coarse pixels over the whole face."""
        reach = np.concatenate([self.outline, self.outline + 0.45 * self.up])
        return Grid(around(reach, pad=0.04 * self.unit, hw=self.hw), max(1, round(self.unit / 45.0)))

    @cached_property
    def maps(self) -> tuple[F32, F32]:
        """Mean-face coordinates of the coarse pixels of `grid`."""
        index = _face_pins()
        plate = ThinPlate(self.points[index], flat_face()[index], smooth=2e-3)
        return look_up(plate, self.grid, step_px=0.18 * self.unit)

    @cached_property
    def lips(self) -> tuple[Box, F32]:
        """How much of each pixel lies inside the lips' outer edge, in a box of whole pixels around them."""
        box = around(self.lips_outer, pad=1.0, hw=self.hw)
        return box, fill([self.lips_outer], box=box)

    def spared(self, mask: F32, box: Box) -> F32:
        """A mask (h, w) of `box` without what is eyeball or lips, in place."""
        for eye in self.eyes.values():
            eye.spared(mask, box)
        return _less(mask, box, *self.lips)

    def free(self, grid: Grid, *, hides: tuple[str, ...], fade: float, brows: bool) -> F32:
        """0..1, how freely coarse pixels can be painted.

        Nothing where one of the parts `hides` is, and less and less `fade` inter-ocular distances before it; nothing
        beside the head; and little on brows if `brows`. Eyes are not taken for background.
        """
        key = (hides, fade, brows)
        found = self._free.get(key)
        if found is None:
            found = self._free[key] = self._free_parts(hides, fade=fade, brows=brows)
        return grid.warp(found, self._to_parts)

    @cached_property
    def _free(self) -> dict[tuple[tuple[str, ...], float, bool], F32]:
        return {}

    def _free_parts(self, hides: tuple[str, ...], *, fade: float, brows: bool) -> F32:
        eyes, head, hairs = self._on_parts
        hidden = sum(self._parts[FACE_PARTS.index(name)] * (1.0 - eyes if name == "other" else 1.0) for name in hides)
        free = 1.0 - np.clip(hidden * np.float32(2.0) - np.float32(0.5), 0.0, 1.0)
        # The grid is coarse: what is steeper than its cells would show them as steps.
        soft = soften(np.asarray(free, np.float32), max(0.5 * fade * self.unit * self._to_parts.scale, 0.8))
        free = np.clip(soft * np.float32(2.0) - np.float32(1.0), 0.0, 1.0) * head
        return np.asarray(free * (1.0 - np.float32(0.8) * hairs) if brows else free, np.float32)

    @cached_property
    def _on_parts(self) -> tuple[F32, F32, F32]:
        """0..1 on the grid of the parts: the eyes and what is next to them, the head, the brows."""
        h, w = self._parts.shape[1:]
        # Nothing lies beyond the silhouette, which on a turned head is nearer than the map's extrapolation goes.
        reach = np.concatenate([self.points[:468], self.points[list(OVAL)] + 0.45 * self.up])
        hull = cv2.convexHull(self._to_parts.apply(reach).astype(np.float32))[:, 0].astype(np.float64)
        wide = [self._to_parts.apply(shifted(eye.opening, 0.06 * self.unit)) for eye in self.eyes.values()]
        brows = [self._to_parts.apply(eye.brow_outline) for eye in self.eyes.values()]
        # All in one go, one below the other.
        tiles = []
        for k, outlines in enumerate((wide, [hull], brows)):
            tiles += [np.add(np.clip(outline, -0.5, h - 0.5), (0.0, k * h)) for outline in outlines]
        eyes, head, hairs = np.split(fill(tiles, box=Box(0.0, 0.0, float(w), 3.0 * h)), 3)
        return eyes, soften(head, 0.8), soften(hairs, 0.03 * self._to_parts.scale * self.unit)

    def kept(self, mask: F32, grid: Grid, *names: str) -> F32:
        """A mask (rows, columns) without what surely shows one of the named parts, in place."""
        found = self._blocked.get(names)
        if found is None:
            hidden = self._parts[[FACE_PARTS.index(name) for name in names]].sum(axis=0)
            found = np.clip(np.float32(1.5) - hidden * np.float32(2.0), 0.0, 1.0)
            found = self._blocked[names] = np.asarray(found, np.float32)
        b = grid.box
        corners = self._to_parts.apply(np.array([[b.x0, b.y0], [b.x1, b.y0], [b.x0, b.y1], [b.x1, b.y1]]))
        x0, y0 = np.clip(corners.min(axis=0) - 1.0, 0, self._parts.shape[1] - 1).astype(int)
        x1, y1 = np.clip(corners.max(axis=0) + 2.0, 1, self._parts.shape[1]).astype(int)
        if mask.size and float(found[y0:y1, x0:x1].min()) < 1.0:
            np.multiply(mask, grid.warp(found, self._to_parts), out=mask)
        return mask

    @cached_property
    def _blocked(self) -> dict[tuple[str, ...], F32]:
        return {}


@cache
def flat_face() -> F64:
    """`facemesh.uv` (478, 2) scaled and moved: iris centres one apart, their middle at the origin."""
    flat = uv().astype(np.float64)
    right, left = flat[468], flat[473]
    return readonly((flat - (right + left) / 2) / np.hypot(*(left - right)))


def _less(mask: F32, box: Box, own: Box, cover: F32) -> F32:
    """A mask (h, w) of `box` of no more than what `cover`, in a box of its `own`, leaves; in place."""
    x0, y0 = int(max(own.x0, box.x0)), int(max(own.y0, box.y0))
    x1, y1 = int(min(own.x1, box.x1)), int(min(own.y1, box.y1))
    if x1 > x0 and y1 > y0:
        inside = mask[y0 - int(box.y0) : y1 - int(box.y0), x0 - int(box.x0) : x1 - int(box.x0)]
        part = cover[y0 - int(own.y0) : y1 - int(own.y0), x0 - int(own.x0) : x1 - int(own.x0)]
        np.minimum(inside, np.float32(1.0) - part, out=inside)
    return mask


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


__all__ = ["EYE_SHEET", "FACE_SHEET", "Eye", "Geometry", "flat_face", "geometry"]
