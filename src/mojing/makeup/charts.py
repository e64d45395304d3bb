"""Maps from a photo to the mean face, so that soft products are painted once on it and fit every face.

The mean face is `facemesh.mean_shape` around the eyes, and `geometry.flat_face` for the face as a whole: iris centres
one apart, x to the wearer's left, y down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, AnyArray, readonly
from mojing.core.geometry import Affine, Box


class ThinPlate:
    """Smooth map of the plane through pairs of points: least bending for the given closeness.

    Bookstein 1989, equation for U = r^2 log r^2; `smooth` is added on the diagonal (Wahba 1990), so that points that
    nearly coincide pull together instead of tearing the map.
    """

    def __init__(self, source: AnyArray, target: AnyArray, *, smooth: float = 1e-3) -> None:
        p = np.asarray(source, np.float64)
        self._centre = p.mean(axis=0)
        self._scale = 1.0 / max(float(np.abs(p - self._centre).max()), 1e-6)
        p = (p - self._centre) * self._scale
        n = len(p)
        d2 = (p[:, None, 0] - p[:, 0]) ** 2 + (p[:, None, 1] - p[:, 1]) ** 2
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = d2 * np.log(d2 + 1e-12)
        system[np.arange(n), np.arange(n)] = smooth
        system[:n, n], system[n, :n] = 1.0, 1.0
        system[:n, n + 1 :], system[n + 1 :, :n] = p, p.T
        right = np.zeros((n + 3, target.shape[1]))
        right[:n] = target
        solved = _solved(system, right)
        self._bends, self._flat = solved[:n].astype(np.float32), solved[n:]
        self._points = p.astype(np.float32)

    def grid(self, xs: AnyArray, ys: AnyArray) -> F32:
        """Where the points of a grid (len(ys), len(xs)) go: float32 (h, w, k)."""
        x, y = (np.asarray(xs) - self._centre[0]) * self._scale, (np.asarray(ys) - self._centre[1]) * self._scale
        dx = (x.astype(np.float32)[:, None] - self._points[:, 0]) ** 2
        dy = (y.astype(np.float32)[:, None] - self._points[:, 1]) ** 2
        d2 = dy[:, None] + dx[None]
        bent = (d2 * np.log(d2 + np.float32(1e-12))) @ self._bends
        flat = self._flat[0] + y[:, None, None] * self._flat[2] + x[None, :, None] * self._flat[1]
        return np.asarray(bent + flat, np.float32)


def _solved(system: F64, right: F64) -> F64:
    """Solution (n, k) of a system (n, n) for right sides (n, k), one half eliminated before the other: halves are too
    small for the linear algebra library to call its threads, which cost more than they save and hold up other work."""
    half = len(system) // 2
    first = np.linalg.solve(system[:half, :half], np.column_stack([system[:half, half:], right[:half]]))
    on_last, own = first[:, : len(system) - half], first[:, len(system) - half :]
    below = system[half:, :half]
    last = np.linalg.solve(system[half:, half:] - below @ on_last, right[half:] - below @ own)
    return np.vstack([own - on_last @ last, last])


@dataclass(frozen=True, eq=False)
class Grid:
    """Coarse pixels over whole pixels of a photo, `every` photo pixels a side."""

    box: Box
    every: int

    @property
    def hw(self) -> tuple[int, int]:
        """Rows and columns of coarse pixels; the last may reach over the box."""
        return -(-round(self.box.height) // self.every), -(-round(self.box.width) // self.every)

    def to_photo(self) -> Affine:
        """From coarse pixels to the photo's."""
        q = float(self.every)
        return Affine(np.array([[q, 0.0, self.box.x0 + q / 2 - 0.5], [0.0, q, self.box.y0 + q / 2 - 0.5]]))

    def full(self, mask: F32) -> F32:
        """A mask (rows, columns) at the photo's pixels: float32 (h, w) of the box."""
        if self.every == 1:
            return mask
        h, w = mask.shape
        big = cv2.resize(mask, (w * self.every, h * self.every), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(big[: round(self.box.height), : round(self.box.width)], np.float32)

    def window(self, mask: F32) -> tuple[Grid, tuple[slice, slice]] | None:
        """The part of the grid where a mask (rows, columns) is not nothing, one coarse pixel wider; None if nowhere."""
        x, y, w, h = cv2.boundingRect((mask > 1.0 / 512.0).astype(np.uint8))
        if w == 0:
            return None
        rows, cols = self.hw
        y0, y1, x0, x1 = max(y - 1, 0), min(y + h + 1, rows), max(x - 1, 0), min(x + w + 1, cols)
        b, q = self.box, self.every
        box = Box(b.x0 + x0 * q, b.y0 + y0 * q, min(b.x0 + x1 * q, b.x1), min(b.y0 + y1 * q, b.y1))
        return Grid(box, q), (slice(y0, y1), slice(x0, x1))

    def warp(self, values: F32, to_values: Affine) -> F32:
        """A picture (n, m) seen at the coarse pixels through a map from photo pixels to the picture's."""
        matrix = to_values.compose(self.to_photo()).matrix
        h, w = self.hw
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(values, matrix, (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
        )


def look_up(plate: ThinPlate, grid: Grid, *, step_px: float) -> tuple[F32, F32]:
    """Mean-face x and y (rows, columns) of a grid's coarse pixels, the plate asked every `step_px` photo px."""
    h, w = grid.hw
    if h == 0 or w == 0:
        return np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
    s = max(1, int(step_px / grid.every))
    n, m = -(-h // s) + 2, -(-w // s) + 2
    to_photo = grid.to_photo().matrix
    xs = (np.arange(m) - 0.5) * s - 0.5
    ys = (np.arange(n) - 0.5) * s - 0.5
    coarse = plate.grid(xs * to_photo[0, 0] + to_photo[0, 2], ys * to_photo[1, 1] + to_photo[1, 2])
    maps = []
    for k in range(2):
        channel = np.ascontiguousarray(coarse[..., k])
        if s > 1:
            # Not cubic: OpenCV's kernel bends even straight ramps.
            channel = cv2.resize(channel, (m * s, n * s), interpolation=cv2.INTER_LINEAR)
        maps.append(np.ascontiguousarray(channel[s : s + h, s : s + w]))
    return maps[0], maps[1]


@dataclass(frozen=True)
class Sheet:
    """A piece of the mean face that is painted on: `density` texels per unit, `box` its edges in mean-face units."""

    x0: float
    y0: float
    x1: float
    y1: float
    density: float

    @property
    def hw(self) -> tuple[int, int]:
        """Rows and columns of texels."""
        return round((self.y1 - self.y0) * self.density), round((self.x1 - self.x0) * self.density)

    @property
    def box(self) -> Box:
        """Its texels as a box."""
        return Box(0.0, 0.0, float(self.hw[1]), float(self.hw[0]))

    def texels(self, points: AnyArray) -> F64:
        """Texel coordinates of mean-face points (..., 2)."""
        return np.asarray((np.asarray(points)[..., :2] - (self.x0, self.y0)) * self.density - 0.5, np.float64)

    def centres(self) -> tuple[F64, F64]:
        """Mean-face x (1, w) and y (h, 1) of the texels."""
        h, w = self.hw
        x = np.asarray(self.x0 + (np.arange(w) + 0.5) / self.density, np.float64)
        y = np.asarray(self.y0 + (np.arange(h) + 0.5) / self.density, np.float64)
        return x[None], y[:, None]

    def read(self, texture: F32, maps: tuple[F32, F32]) -> F32:
        """A texture of this sheet at mean-face positions `maps` (x and y, each (h, w)); 0 outside the sheet."""
        if maps[0].size == 0:
            return np.zeros(maps[0].shape, np.float32)
        d = np.float32(self.density)
        x = (maps[0] - np.float32(self.x0)) * d - np.float32(0.5)
        y = (maps[1] - np.float32(self.y0)) * d - np.float32(0.5)
        found = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0)
        return np.asarray(found, np.float32)


FACE_SHEET = Sheet(-1.71875, -1.625, 1.71875, 2.375, 64.0)
"""The whole flat face, and the forehead above the mesh."""

EYE_SHEET = Sheet(-1.2, -0.6, 0.1, 0.55, 160.0)
"""Around the right eye; left eyes are read in the mirror."""


@lru_cache(maxsize=256)
def painted(painter: Callable[..., F32], *args: object) -> F32:
    """What a painter makes of its arguments, kept: textures depend on sliders, not on faces."""
    return readonly(painter(*args))
