"""Brushes for painting soft products on a sheet of the mean face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.makeup.charts import Sheet
from mojing.makeup.curves import fill, resample, soften, spline

Point = tuple[float, float]


def ramp(x: AnyArray, low: float, high: float) -> F32:
    """0 up to `low`, 1 from `high` on, smooth in between; falling where `high` is less than `low`."""
    s = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(s * s * (3.0 - 2.0 * s), np.float32)


def oval(xy: tuple[AnyArray, AnyArray], centre: Point, radii: Point, *, tilt: float = 0.0) -> F32:
    """A round touch of the brush: 1 in the middle, a seventh at the radii; `tilt` in degrees, from x towards y."""
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    dx, dy = xy[0] - centre[0], xy[1] - centre[1]
    u, v = (c * dx + s * dy) / radii[0], (c * dy - s * dx) / radii[1]
    return np.asarray(np.exp(-2.0 * (u * u + v * v)), np.float32)


def stroke(sheet: Sheet, points: Sequence[Point], *, widths: Sequence[float], blur: float) -> F32:
    """A brush stroke along points on both sides of the sheet's middle (x and -x), with a soft edge.

    `widths` at the points and `blur` in mean-face units.
    """
    line = spline(sheet.texels(np.array(points)), per=8)
    half = np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, len(widths)), widths) * 0.5 * sheet.density
    line = resample(line, 40)
    along = np.gradient(line, axis=0)
    out = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None] * half[:, None]
    right = soften(fill([np.concatenate([line + out, (line - out)[::-1]])], box=sheet.box), blur * sheet.density)
    return np.maximum(right, right[:, ::-1])


def area(sheet: Sheet, points: AnyArray, *, blur: float) -> F32:
    """What a closed curve through points (n, 2) encloses, with a soft edge."""
    return soften(fill([spline(sheet.texels(points), per=6, closed=True)], box=sheet.box), blur * sheet.density)


def laid(*touches: AnyArray) -> F32:
    """Several touches together: as thick as the thickest."""
    total = touches[0]
    for touch in touches[1:]:
        total = np.maximum(total, touch)
    return np.asarray(np.clip(total, 0.0, 1.0), np.float32)
