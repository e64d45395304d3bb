"""WarpField: a dense backward map. For each target pixel it holds the source pixel to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, AnyArray, readonly
from mojing.core.geometry import Affine, Border, border_args, shrink

Interpolation = Literal["linear", "cubic", "nearest"]
_FLAGS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST}


@dataclass(frozen=True, eq=False, slots=True)
class WarpField:
    """Backward map of a HxW target: `map_xy` float32 (H, W, 2) in source pixels, (x, y), read-only.

    Values outside the source are allowed and mean that nothing is there.
    """

    map_xy: F32

    def __post_init__(self) -> None:
        assert self.map_xy.ndim == 3 and self.map_xy.shape[2] == 2, self.map_xy.shape
        object.__setattr__(self, "map_xy", readonly(np.ascontiguousarray(self.map_xy, np.float32)))

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width of the target."""
        return int(self.map_xy.shape[0]), int(self.map_xy.shape[1])

    @classmethod
    def identity(cls, hw: tuple[int, int]) -> WarpField:
        """Each pixel looks at itself."""
        return cls(_grid(hw))

    @classmethod
    def from_affine(cls, target_to_source: Affine, hw: tuple[int, int]) -> WarpField:
        """Field of an affine map from target pixels to source pixels."""
        return cls(_affine_field(target_to_source.matrix, hw))

    def apply(
        self,
        image: AnyArray,
        border: Border = "edge",
        *,
        interpolation: Interpolation = "linear",
        antialias: bool = True,
    ) -> AnyArray:
        """Source picture HxW or HxWxC (uint8 or float32) seen through the field, at the target's size.

        Where the field shrinks the source (by its median magnification) the source is averaged first, unless
        `antialias` is off or labels are read with `nearest`.
        """
        field: AnyArray = self.map_xy
        if antialias and interpolation != "nearest":
            factor = self._minification((image.shape[0], image.shape[1]))
            if factor > 1.6:
                image, (sx, sy) = shrink(image, factor)
                scale = np.array([sx, sy], np.float32)
                field = (field + np.float32(0.5)) * scale - np.float32(0.5)
        mode, value = border_args(border)
        return _remap(image, field, flags=_FLAGS[interpolation], mode=mode, value=value)

    def compose(self, inner: WarpField) -> WarpField:
        """Field of looking through `inner` first and then through this one: p -> inner(self(p)).

        `a.compose(b).apply(image)` is `a.apply(b.apply(image))` with one interpolation instead of two. Beyond the
        border of `inner` its displacement is carried on.
        """
        ih, iw = inner.hw
        shift = inner.map_xy - _grid(inner.hw)
        inside = np.clip(self.map_xy, 0, np.array([iw - 1, ih - 1], np.float32))
        # One channel at a time: with more, OpenCV rounds positions to 1/32 px.
        moved = [_remap(shift[..., k], inside, flags=cv2.INTER_LINEAR, mode=cv2.BORDER_REPLICATE) for k in range(2)]
        return WarpField(np.stack(moved, axis=-1) + self.map_xy)

    def resize(self, hw: tuple[int, int], *, source_scale: tuple[float, float] = (1.0, 1.0)) -> WarpField:
        """The same warp for a target of another size, and for a source scaled by (sx, sy).

        Exact for affine fields, borders included: only the rest of the field is interpolated.
        """
        scale = np.array(source_scale, np.float64)
        if hw == self.hw:
            field: AnyArray = self.map_xy
        else:
            trend = _trend(self.map_xy)
            rest = self.map_xy - _affine_field(trend, self.hw)
            rest = np.asarray(cv2.resize(rest, (hw[1], hw[0])), np.float32).reshape(*hw, 2)
            fy, fx = self.hw[0] / hw[0], self.hw[1] / hw[1]
            down = Affine(np.array([[fx, 0.0, 0.5 * fx - 0.5], [0.0, fy, 0.5 * fy - 0.5]]))
            field = rest + _affine_field(Affine(trend).compose(down).matrix, hw)
        if source_scale != (1.0, 1.0):
            field = ((field + 0.5) * scale - 0.5).astype(np.float32)
        return WarpField(field)

    def _minification(self, source_hw: tuple[int, int]) -> float:
        """Median number of source pixels a target pixel steps over, where the field looks inside the source."""
        h, w = self.hw
        if h < 2 or w < 2:
            return 1.0
        step = max(1, min(h, w) // 64)
        field = self.map_xy[: h - 1 : step, : w - 1 : step]
        dx = self.map_xy[: h - 1 : step, 1:w:step][:, : field.shape[1]] - field
        dy = self.map_xy[1:h:step, : w - 1 : step][: field.shape[0]] - field
        inside = (field > -1).all(axis=2) & (field[..., 0] < source_hw[1]) & (field[..., 1] < source_hw[0])
        if not inside.any():
            return 1.0
        area = np.abs(dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0])[inside]
        return float(np.sqrt(np.median(area)))


def _grid(hw: tuple[int, int]) -> F32:
    return _affine_field(np.eye(2, 3), hw)


def _affine_field(matrix: F64, hw: tuple[int, int]) -> F32:
    """`matrix` (2, 3) evaluated at every pixel, float32 (H, W, 2)."""
    xs, ys = np.arange(hw[1], dtype=np.float64), np.arange(hw[0], dtype=np.float64)
    field = np.empty((*hw, 2), np.float32)
    for k in range(2):
        row, column = matrix[k, 0] * xs + matrix[k, 2], matrix[k, 1] * ys
        np.add(row[None].astype(np.float32), column[:, None].astype(np.float32), out=field[..., k])
    return field


def _trend(field: F32) -> F64:
    """Affine part of a field: its mean slope along x and y through its mean value, float64 (2, 3)."""
    h, w = field.shape[:2]
    mean = field.mean(axis=(0, 1), dtype=np.float64)
    zero = np.zeros(2)
    gx = (field[:, -1] - field[:, 0]).mean(axis=0, dtype=np.float64) / (w - 1) if w > 1 else zero
    gy = (field[-1] - field[0]).mean(axis=0, dtype=np.float64) / (h - 1) if h > 1 else zero
    return np.column_stack([gx, gy, mean - gx * (w - 1) / 2 - gy * (h - 1) / 2])


def _remap(
    image: AnyArray, at_xy: AnyArray, *, flags: int, mode: int, value: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
) -> AnyArray:
    # Two maps, not one of two channels: it is faster, and OpenCV 5.0 misreads an empty second map.
    xs, ys = np.ascontiguousarray(at_xy[..., 0]), np.ascontiguousarray(at_xy[..., 1])
    return np.asarray(cv2.remap(image, xs, ys, flags, borderMode=mode, borderValue=value))


def mls_similarity(
    source: AnyArray,
    target: AnyArray,
    *,
    hw: tuple[int, int],
    weights: AnyArray | None = None,
    alpha: float = 1.0,
    step: int = 8,
) -> WarpField:
    """Backward map that carries target points onto source points by moving least squares with similarities.

    `source`, `target` (N, 2) in pixels, N >= 1; `hw` the target's size; `weights` (N,) >= 0, how much each pair
    counts. Schaefer, McPhail, Warren 2006, section 2.2, equation 6, with weights w / |p - v|^(2 alpha); evaluated every
    `step` pixels and interpolated in between, which deviates by far less than a pixel for anchors further apart.
    """
    p, q = np.asarray(target, np.float64)[:, :2], np.asarray(source, np.float64)[:, :2]
    assert len(p) == len(q) > 0
    gh, gw = max(2, -(-hw[0] // step)), max(2, -(-hw[1] // step))
    xs, ys = (np.arange(gw) + 0.5) * hw[1] / gw - 0.5, (np.arange(gh) + 0.5) * hw[0] / gh - 0.5
    v = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    w = 1.0 / (((v[:, None] - p) ** 2).sum(axis=2) + 1e-6) ** alpha
    if weights is not None:
        w = w * np.asarray(weights, np.float64)
    w /= w.sum(axis=1, keepdims=True)
    p_mean, q_mean = w @ p, w @ q
    p_rel, q_rel = p - p_mean[:, None], q - q_mean[:, None]
    spread = (w * (p_rel**2).sum(axis=2)).sum(axis=1)
    a = (w * (p_rel * q_rel).sum(axis=2)).sum(axis=1)
    b = (w * (p_rel[..., 0] * q_rel[..., 1] - p_rel[..., 1] * q_rel[..., 0])).sum(axis=1)
    safe = np.where(spread > 1e-9, spread, 1.0)
    a, b = np.where(spread > 1e-9, a / safe, 1.0), np.where(spread > 1e-9, b / safe, 0.0)
    d = v - p_mean
    out = q_mean + np.stack([a * d[:, 0] - b * d[:, 1], b * d[:, 0] + a * d[:, 1]], axis=1)
    return WarpField(out.reshape(gh, gw, 2).astype(np.float32)).resize(hw)
