"""Boxes, affine maps and crops.

Points are (x, y) with pixel centres at integers. A box has the edges of an array slice: `Box(0, 0, w, h)` is the
whole picture and pixel (0, 0) is its first. Resizing follows the half-pixel rule: out = (in + 0.5) * scale - 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from mojing.core.arrays import F64, AnyArray, readonly

Border = Literal["edge"] | int | float | tuple[float, ...]
"""What lies outside a picture: its edge pixels repeated, or one value (a number, or one number a channel)."""


def border_args(border: Border) -> tuple[int, tuple[float, ...]]:
    """OpenCV's border mode and border value of a `Border`."""
    if border == "edge":
        return cv2.BORDER_REPLICATE, (0.0, 0.0, 0.0, 0.0)
    assert not isinstance(border, str)
    values = (float(border),) * 4 if isinstance(border, int | float) else tuple(float(v) for v in border)
    return cv2.BORDER_CONSTANT, (*values, 0.0, 0.0, 0.0, 0.0)[:4]


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-aligned rectangle in pixels, edges as in an array slice: x0, y0 inside, x1, y1 just outside."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area in px²; 0 for a box turned inside out."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def centre(self) -> tuple[float, float]:
        """Middle point in slice coordinates."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @classmethod
    def around(cls, points: AnyArray) -> Box:
        """Smallest box that holds the pixels under points (N, 2+); further columns are ignored."""
        assert len(points) > 0
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        return cls(float(low[0]), float(low[1]), float(high[0]) + 1.0, float(high[1]) + 1.0)

    @classmethod
    def of_mask(cls, mask: AnyArray, *, above: float = 0) -> Box | None:
        """Smallest box around the pixels of a HxW mask that are greater than `above`; None where there are none."""
        on = mask > above
        ys, xs = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
        if not len(ys):
            return None
        return cls(float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))

    def pad(self, fraction: float) -> Box:
        """Grow each side by `fraction` of the box's own width and height."""
        dx, dy = self.width * fraction, self.height * fraction
        return Box(self.x0 - dx, self.y0 - dy, self.x1 + dx, self.y1 + dy)

    def clip(self, hw: tuple[int, int]) -> Box:
        """Part of the box inside a picture of `hw`."""
        h, w = hw
        x0, y0 = min(max(self.x0, 0.0), float(w)), min(max(self.y0, 0.0), float(h))
        return Box(x0, y0, max(min(self.x1, float(w)), x0), max(min(self.y1, float(h)), y0))

    def fit_aspect(self, aspect: float) -> Box:
        """Smallest box with the same centre that holds this one and has width / height = `aspect`."""
        assert aspect > 0
        cx, cy = self.centre
        w = max(self.width, self.height * aspect)
        h = w / aspect
        return Box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)

    def union(self, other: Box) -> Box:
        """Smallest box that holds both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def iou(self, other: Box) -> float:
        """Intersection over union in 0..1."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        x1, y1 = min(self.x1, other.x1), min(self.y1, other.y1)
        inside = Box(x0, y0, x1, y1).area
        total = self.area + other.area - inside
        return inside / total if total > 0 else 0.0

    def slices(self, hw: tuple[int, int]) -> tuple[slice, slice]:
        """Row and column slice of the whole pixels that the box touches inside a picture of `hw`."""
        box = self.clip(hw)
        return (
            slice(int(np.floor(box.y0)), int(np.ceil(box.y1))),
            slice(int(np.floor(box.x0)), int(np.ceil(box.x1))),
        )


@dataclass(frozen=True, eq=False, slots=True)
class Affine:
    """Map q = M[:, :2] p + M[:, 2] between pixel coordinates; `matrix` float64 (2, 3), read-only."""

    matrix: F64

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, np.float64)
        assert matrix.shape == (2, 3), matrix.shape
        object.__setattr__(self, "matrix", readonly(matrix))

    @classmethod
    def identity(cls) -> Affine:
        """The map that moves nothing."""
        return cls(np.eye(2, 3))

    @classmethod
    def similarity(cls, scale: float, angle: float = 0.0, *, move: tuple[float, float] = (0.0, 0.0)) -> Affine:
        """Scale and turn about the origin (`angle` in radians, from x towards y), then move."""
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        return cls(np.array([[c, -s, move[0]], [s, c, move[1]]]))

    @property
    def scale(self) -> float:
        """Square root of the area magnification."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    def apply(self, points: AnyArray) -> F64:
        """Map points (..., 2); further columns, such as a confidence, are carried over unchanged."""
        points = np.asarray(points, np.float64)
        moved = points[..., :2] @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.concatenate([moved, points[..., 2:]], axis=-1)

    def compose(self, first: Affine) -> Affine:
        """The map that does `first` and then this one."""
        linear = self.matrix[:, :2] @ first.matrix[:, :2]
        move = self.matrix[:, :2] @ first.matrix[:, 2] + self.matrix[:, 2]
        return Affine(np.column_stack([linear, move]))

    def inverse(self) -> Affine:
        """The map back; the map must not be flat."""
        linear = np.linalg.inv(self.matrix[:, :2])
        return Affine(np.column_stack([linear, -linear @ self.matrix[:, 2]]))


def crop_affine(box: Box, out_wh: tuple[int, int]) -> Affine:
    """Map from picture pixels to the pixels of a crop of `box` resized to `out_wh`."""
    assert box.area > 0, box
    sx, sy = out_wh[0] / box.width, out_wh[1] / box.height
    return Affine(np.array([[sx, 0.0, (0.5 - box.x0) * sx - 0.5], [0.0, sy, (0.5 - box.y0) * sy - 0.5]]))


def letterbox(hw: tuple[int, int], out_wh: tuple[int, int]) -> Affine:
    """Map that fits a whole picture of `hw`, centred and undistorted, into `out_wh`."""
    return crop_affine(Box(0.0, 0.0, float(hw[1]), float(hw[0])).fit_aspect(out_wh[0] / out_wh[1]), out_wh)


def fit_similarity(source: AnyArray, target: AnyArray, *, weights: AnyArray | None = None) -> Affine:
    """Similarity that moves source points (N, 2) onto target points (N, 2) with least weighted squared error.

    Umeyama (1991), equations 39-42, without reflection.
    """
    w = np.ones(len(source)) if weights is None else np.asarray(weights, np.float64)
    assert len(source) == len(target) == len(w) > 0
    w = w / max(float(w.sum()), 1e-12)
    p, q = np.asarray(source, np.float64)[:, :2], np.asarray(target, np.float64)[:, :2]
    pm, qm = w @ p, w @ q
    p, q = p - pm, q - qm
    spread = float(w @ (p**2).sum(axis=1))
    if spread < 1e-9:
        return Affine.similarity(1.0, move=(float(qm[0] - pm[0]), float(qm[1] - pm[1])))
    a = float(w @ (p * q).sum(axis=1)) / spread
    b = float(w @ (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])) / spread
    linear = np.array([[a, -b], [b, a]])
    return Affine(np.column_stack([linear, qm - linear @ pm]))


def shrink(image: AnyArray, factor: float) -> tuple[AnyArray, tuple[float, float]]:
    """Make a picture about `factor` times smaller by area averaging; also returns the exact (sx, sy) it was scaled by.

    OpenCV's warps read four pixels at most, so anything that shrinks must be averaged first or it aliases.
    """
    h, w = image.shape[:2]
    wh = max(1, round(w / factor)), max(1, round(h / factor))
    return cv2.resize(image, wh, interpolation=cv2.INTER_AREA), (wh[0] / w, wh[1] / h)


def warp_crop(
    image: AnyArray, affine: Affine, *, out_wh: tuple[int, int], border: Border = "edge", nearest: bool = False
) -> AnyArray:
    """Picture of `out_wh` seen through `affine` (picture pixels -> output pixels), free of aliasing.

    `image` HxW or HxWxC, uint8 or float32; `nearest` keeps label ids whole.
    """
    if not nearest and affine.scale < 0.6:
        image, affine = _averaged(image, affine, out_wh)
    mode, value = border_args(border)
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    out = cv2.warpAffine(image, affine.matrix, out_wh, flags=flags, borderMode=mode, borderValue=value)
    return np.asarray(out)


def _averaged(image: AnyArray, affine: Affine, out_wh: tuple[int, int]) -> tuple[AnyArray, Affine]:
    """The part of a picture that `affine` shows, averaged over whole squares of pixels, and the map from there.

    Squares of a whole number of pixels are several times faster to average than others.
    """
    cells = max(round(1.0 / affine.scale), 2)
    h, w = image.shape[:2]
    seen = affine.inverse().apply(np.array([(x, y) for x in (0, out_wh[0] - 1) for y in (0, out_wh[1] - 1)]))
    low, high = seen.min(axis=0) - 2 * cells, seen.max(axis=0) + 2 * cells + 1
    x0, y0 = (int(np.clip(v // cells, 0, (n - 1) // cells)) * cells for v, n in zip(low, (w, h), strict=True))
    x1, y1 = (int(np.clip(np.ceil(v), a + 1, n)) for v, a, n in zip(high, (x0, y0), (w, h), strict=True))
    # The last squares may reach beyond the part that is seen.
    part = image[y0 : y0 - (-(y1 - y0) // cells) * cells, x0 : x0 - (-(x1 - x0) // cells) * cells]
    half = (cells - 1) / 2
    return shrink_cells(part, cells), affine.compose(
        Affine(np.array([[cells, 0.0, x0 + half], [0.0, cells, y0 + half]]))
    )


def shrink_cells(image: AnyArray, cells: int) -> AnyArray:
    """Mean over squares of `cells` px a side, from the first pixel on; one more row and column for what is left over.

    What is left over at the right and below, less than a square wide, is given the value of the squares beside it.
    """
    h, w = image.shape[:2]
    small = image[: h - h % cells or h, : w - w % cells or w]
    left = cells
    while left > 1:
        # Two by two is by far the fastest.
        step = 2 if left % 2 == 0 else left
        wh = (max(small.shape[1] // step, 1), max(small.shape[0] // step, 1))
        small, left = cv2.resize(small, wh, interpolation=cv2.INTER_AREA), left // step
    below, beside = -(-h // cells) - small.shape[0], -(-w // cells) - small.shape[1]
    return np.asarray(
        cv2.copyMakeBorder(small, 0, below, 0, beside, cv2.BORDER_REPLICATE) if below or beside else small
    )


def enlarge_cells(small: AnyArray, cells: int, window: tuple[slice, slice]) -> AnyArray:
    """Rows and columns of a picture HxW[xC] made `cells` times larger bilinearly, without making the rest of it."""
    crop, inner = [], []
    for span in window:
        first, last = max(span.start // cells - 1, 0), (span.stop - 1) // cells + 2
        crop.append(slice(first, last))
        inner.append(slice(span.start - first * cells, span.stop - first * cells))
    part = small[tuple(crop)]
    wh = (part.shape[1] * cells, part.shape[0] * cells)
    return np.asarray(cv2.resize(part, wh, interpolation=cv2.INTER_LINEAR) if cells > 1 else part)[tuple(inner)]
