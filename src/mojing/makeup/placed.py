"""A product where it lies on a face: what `regions.place` gives and the renderer paints."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, readonly
from mojing.core.geometry import Box

_LEAST = 1.0 / 1024.0
"""What is thinner is nothing."""


@dataclass(frozen=True, eq=False)
class Placed:
    """One shade of a layer on a face.

    Attributes:
        box: whole pixels of the photo; nothing is painted outside.
        mask: (h, w) float32 in 0..1, how thickly the product lies there (without the layer's coverage and amount).
        shade: index into the layer's shades.
        detail: (h, w) float32 in 0..1 or None. Ombre lips: 0 at the mouth's line, 1 at the outer edge. Lens: 0 at
            the pupil, 1 at the edge of the iris.
        area: which of the kind's areas this is, or empty: what the picture of a tutorial step may name.
    """

    box: Box
    mask: F32
    shade: int = 0
    detail: F32 | None = None
    area: str = ""

    def __post_init__(self) -> None:
        hw = (round(self.box.height), round(self.box.width))
        assert self.mask.shape == hw and self.mask.dtype == np.float32, (self.mask.shape, hw)
        assert self.detail is None or self.detail.shape == hw
        object.__setattr__(self, "mask", readonly(self.mask))
        if self.detail is not None:
            object.__setattr__(self, "detail", readonly(self.detail))


def whole(box: Box, hw: tuple[int, int]) -> Box:
    """The whole pixels of a box inside a photo of `hw`; of no area where it lies outside."""
    rows, cols = box.slices(hw)
    return Box(cols.start, rows.start, max(cols.stop, cols.start), max(rows.stop, rows.start))


def around(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, pad: float, hw: tuple[int, int]) -> Box:
    """Whole pixels of the photo around points (n, 2), `pad` px more on every side."""
    box = Box.around(points)
    return whole(Box(box.x0 - pad, box.y0 - pad, box.x1 + pad, box.y1 + pad), hw)


def trimmed(placed: Placed) -> Placed | None:
    """The same in the smallest box that holds all of it; None where there is nothing."""
    mask = placed.mask
    if mask.size and min(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) > _LEAST:
        return placed
    on = (mask > _LEAST).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(on)
    if w == 0 or h == 0:
        return None
    if (h, w) == placed.mask.shape:
        return placed
    part = (slice(y, y + h), slice(x, x + w))
    box = Box(placed.box.x0 + x, placed.box.y0 + y, placed.box.x0 + x + w, placed.box.y0 + y + h)
    detail = None if placed.detail is None else np.ascontiguousarray(placed.detail[part])
    return Placed(box, np.ascontiguousarray(placed.mask[part]), placed.shade, detail, placed.area)
