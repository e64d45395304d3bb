"""Cutting whole-pixel rectangles out of photos for the networks, and finding one's way back.

Whole pixels keep `cv2.resize` exact: a network map that covers a rectangle is that rectangle, shrunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.geometry import Affine, Border, Box, crop_affine, warp_crop


@dataclass(frozen=True)
class Rect:
    """Whole pixels x0 <= x < x1, y0 <= y < y1 of a photo; may reach outside it."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def wh(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.x1 - self.x0, self.y1 - self.y0

    def inside(self, hw: tuple[int, int]) -> Rect:
        """The part that lies within a photo of this size."""
        h, w = hw
        return Rect(min(max(self.x0, 0), w), min(max(self.y0, 0), h), min(max(self.x1, 0), w), min(max(self.y1, 0), h))

    def moved(self, dx: int, dy: int) -> Rect:
        """The same rectangle, shifted."""
        return Rect(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)


def letterbox_rect(hw: tuple[int, int], wh: tuple[int, int]) -> Rect:
    """Smallest rectangle with the proportions of `wh` around a whole photo, the photo in its middle."""
    h, w = hw
    scale = max(w / wh[0], h / wh[1])
    return around((w / 2, h / 2), (scale * wh[0], scale * wh[1]), wh)


def around(centre: tuple[float, float], size: tuple[float, float], wh: tuple[int, int]) -> Rect:
    """Rectangle about a point (in edge coordinates), grown to the proportions of `wh` so that it holds `size`."""
    scale = max(size[0] / wh[0], size[1] / wh[1], 4.0 / min(wh))
    w, h = max(round(scale * wh[0]), 4), max(round(scale * wh[1]), 4)
    x0, y0 = round(centre[0] - w / 2), round(centre[1] - h / 2)
    return Rect(x0, y0, x0 + w, y0 + h)


def border_colour(rgb: U8) -> tuple[int, int, int]:
    """Mean colour of a photo's outermost pixels, the colour that letterboxes are filled with."""
    edge = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    r, g, b = (int(v) for v in edge.mean(axis=0).round())
    return r, g, b


def cut(rgb: U8, rect: Rect, *, wh: tuple[int, int], border: Border) -> U8:
    """The rectangle as a picture of `wh`, free of aliasing; beyond the photo lies `border`."""
    box = Box(float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1))
    return np.asarray(warp_crop(rgb, crop_affine(box, wh), out_wh=wh, border=border), np.uint8)


def cut_square(rgb: U8, to: Affine, *, side: int) -> U8:
    """The picture (side, side, 3) that `to` (photo px -> its px) shows; only the part of the photo under it is touched.

    Beyond the photo its edge goes on; black where hardly any of it is seen.
    """
    edge = side + 1.0
    corners = to.inverse().apply(np.array([[-2.0, -2.0], [edge, -2.0], [-2.0, edge], [edge, edge]]))
    rows, cols = Box.around(corners).slices((rgb.shape[0], rgb.shape[1]))
    if rows.stop - rows.start < 2 or cols.stop - cols.start < 2:
        return np.zeros((side, side, 3), np.uint8)
    moved = to.compose(Affine(np.array([[1.0, 0.0, cols.start], [0.0, 1.0, rows.start]])))
    return np.asarray(warp_crop(rgb[rows, cols], moved, out_wh=(side, side), border="edge"), np.uint8)


def as_input(rgb: U8) -> F32:
    """RGB uint8 (H, W, 3) -> float32 (1, 3, H, W) in 0..1, the only pre-processing outside the network."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32) / np.float32(255.0)
