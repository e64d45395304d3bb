"""The finder: where faces are in any photo, how large, and how far they are rolled.

A small network sees the whole letterboxed photo. Where it finds nothing it looks again, from further away (a face that
fills the frame) and at overlapping parts of the photo (small faces).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.geometry import Affine, Box, crop_affine, letterbox, warp_crop
from mojing.perception.crops import as_input, border_colour
from mojing.perception.faceview import parts_affine
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

SIDE = 256
"""Side of the finder's input in px."""
STRIDE = 8
"""Input px from cell to cell of its maps."""
MAPS = ("face", "dx", "dy", "log_size", "sin", "cos")
"""Maps: logit of a face's middle in this cell; offset of the middle from the cell's in cells; log of the face's size
in cells; sine and cosine of its roll."""


@dataclass(frozen=True)
class Found:
    """A face's middle and size in px of the photo, its roll in degrees, and how sure (0..1) the finder is."""

    x: float
    y: float
    size: float
    roll: float
    score: float

    def crop(self, side: int, *, reach: float = 1.6) -> Affine:
        """Upright square of `reach` times the face's size, as `faceview.parts_affine` makes of a mesh."""
        scale, angle = side / (reach * self.size), -np.deg2rad(self.roll)
        turn = Affine.similarity(scale, angle)
        at = turn.apply(np.array([[self.x, self.y]]))[0]
        return Affine.similarity(scale, angle, move=((side - 1) / 2 - at[0], (side - 1) / 2 - at[1]))


class FaceFinder:
    """The finder network and its three looks."""

    def __init__(self, store: ModelStore, *, threads: int = 2) -> None:
        spec = store.spec("facefinder")
        self.session = Session(spec, threads=threads)
        self.limit = float(spec.extra.get("limit", 0.35))

    def looks(self, rgb: U8) -> Iterator[tuple[Found, ...]]:
        """Faces of a photo (H, W, 3), surest first: in the whole of it, from further away, in its parts.

        Whoever asks stops when a look has shown a face.
        """
        hw = (rgb.shape[0], rgb.shape[1])
        yield self._look(rgb, [letterbox(hw, (SIDE, SIDE))])
        far = Box(0.0, 0.0, float(hw[1]), float(hw[0])).fit_aspect(1.0).pad(0.35)
        yield self._look(rgb, [crop_affine(far, (SIDE, SIDE))])
        if min(hw) > SIDE // 2:
            yield self._look(rgb, _tiles(hw))

    def _look(self, rgb: U8, views: Sequence[Affine]) -> tuple[Found, ...]:
        found: list[Found] = []
        colour = border_colour(rgb)
        for view in views:
            image = np.asarray(warp_crop(rgb, view, out_wh=(SIDE, SIDE), border=colour), np.uint8)
            maps = self.session.run({"image": as_input(image)})["maps"][0]
            found += [_to_photo(f, view) for f in peaks(maps, limit=self.limit)]
        return apart(found)


def _tiles(hw: tuple[int, int]) -> list[Affine]:
    """Overlapping squares of half the photo's longer side."""
    size = max(hw) / 2
    rows, cols = (np.unique(np.linspace(0, max(n - size, 0), 3)) for n in hw)
    return [crop_affine(Box(x, y, x + size, y + size), (SIDE, SIDE)) for y in rows for x in cols]


def _to_photo(found: Found, view: Affine) -> Found:
    back = view.inverse()
    x, y = back.apply(np.array([[found.x, found.y]]))[0]
    return Found(float(x), float(y), found.size * back.scale, found.roll, found.score)


def peaks(maps: AnyArray, *, limit: float) -> list[Found]:
    """Faces that maps (6, h, w) tell of, in input px."""
    score = (1.0 / (1.0 + np.exp(-maps[0].astype(np.float64)))).astype(np.float32)
    top = cv2.dilate(score, np.ones((3, 3), np.uint8))
    found = []
    for row, col in np.argwhere((score >= top) & (score > limit)):
        _, dx, dy, log_size, sine, cosine = (float(v) for v in maps[:, row, col])
        x = (col + 0.5 + dx) * STRIDE - 0.5
        y = (row + 0.5 + dy) * STRIDE - 0.5
        roll = float(np.degrees(np.arctan2(sine, cosine)))
        found.append(Found(x, y, float(np.exp(np.clip(log_size, -1, 4)) * STRIDE), roll, float(score[row, col])))
    return found


def apart(found: Sequence[Found]) -> tuple[Found, ...]:
    """The surest faces, none with its middle inside half the size of a surer one."""
    kept: list[Found] = []
    for face in sorted(found, key=lambda f: -f.score):
        if all(np.hypot(face.x - k.x, face.y - k.y) > 0.5 * max(face.size, k.size) for k in kept):
            kept.append(face)
    return tuple(kept)


def where(mesh: F32) -> tuple[float, float, float, float]:
    """Middle x, y, size and roll in degrees of a mesh (478, 3), as the finder tells them."""
    crop = parts_affine(mesh, size=100, reach=1.0)
    x, y = crop.inverse().apply(np.array([[49.5, 49.5]]))[0]
    eyes = mesh[473, :2] - mesh[468, :2]
    return float(x), float(y), 100.0 / crop.scale, float(np.degrees(np.arctan2(eyes[1], eyes[0])))
