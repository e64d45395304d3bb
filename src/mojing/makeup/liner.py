"""Eyeliner: strokes along the lids, their wings and second lines, never on the eyeball."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F64
from mojing.makeup.charts import Grid
from mojing.makeup.curves import fill, normals, resample, soften, spline
from mojing.makeup.geometry import CREASE, Eye, Geometry
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed, around

_HIDES = ("hair", "cover", "glasses")
_POINTS = 48


@dataclass(frozen=True)
class _Style:
    """A line along the upper lid, in inter-ocular distances: how thick at the inner and the outer corner, and the
    wing's tip as seen from the outer corner (outwards, upwards)."""

    inner: float
    outer: float
    tip: tuple[float, float]
    leaves: float = 0.72
    """Where along the lid, 0..1, the wing's upper edge leaves it."""


_STYLES = {
    "classic": _Style(0.006, 0.024, (0.035, 0.016), 0.84),
    "thin": _Style(0.004, 0.013, (0.018, 0.007), 0.88),
    "wing": _Style(0.006, 0.028, (0.130, 0.080), 0.66),
    "cat-eye": _Style(0.011, 0.038, (0.175, 0.118), 0.55),
    "puppy": _Style(0.007, 0.030, (0.120, -0.036), 0.80),
    "smudged": _Style(0.018, 0.040, (0.055, 0.020), 0.80),
    "double": _Style(0.006, 0.026, (0.125, 0.078), 0.68),
    "graphic": _Style(0.005, 0.020, (0.165, 0.115), 0.72),
}


def place(layer: Layer, g: Geometry) -> list[Placed]:
    """The line of each eye; `double` and `graphic` draw a second one above, in the second shade where there is one."""
    out: list[Placed] = []
    for side, eye in g.eyes.items():
        if not layer.has(side):
            continue
        if layer.pattern == "lower":
            out.append(_stroke([_lower(eye, layer.size)], eye, layer, shade=0))
            continue
        style = _STYLES[layer.pattern]
        shapes = [_upper(eye, style, layer.size)]
        if layer.pattern == "cat-eye":
            shapes.append(_inner_point(eye, layer.size))
        if layer.pattern == "smudged":
            shapes.append(_lower(eye, layer.size * 1.3))
        second = {"double": _second, "graphic": _graphic}.get(layer.pattern)
        if second is not None and len(layer.shades) < 2:
            shapes.append(second(eye, style, layer.size))
        out.append(_stroke(shapes, eye, layer, shade=0))
        if second is not None and len(layer.shades) == 2:
            out.append(_stroke([second(eye, style, layer.size)], eye, layer, shade=1))
    return out


def _stroke(shapes: list[F64], eye: Eye, layer: Layer, *, shade: int) -> Placed:
    g = eye.geometry
    blur = 0.022 if layer.pattern == "smudged" else 0.008
    sigma = (0.0015 + blur * layer.softness) * g.unit
    box = around(np.concatenate(shapes), pad=3.0 * sigma + 1.5, hw=g.hw)
    mask = np.clip(soften(fill(shapes, box=box), sigma), 0.0, 1.0)
    mask = g.kept(eye.spared(mask, box), Grid(box, 1), *_HIDES)
    return Placed(box, mask, shade, area=eye.side)


def _lid(eye: Eye, *, upper: bool) -> tuple[F64, F64]:
    """Points (n, 2) along a lid from the inner to the outer corner, and unit normals away from the eyeball."""
    line = resample(eye.upper_lid if upper else eye.lower_lid, _POINTS)
    away = normals(line)
    towards = eye.up if upper else -eye.up
    if float(away[_POINTS // 2] @ towards) < 0:
        away = -away
    return line, away


def _upper(eye: Eye, style: _Style, size: float) -> F64:
    """Outline of the line along the upper lid with its wing."""
    line, away = _lid(eye, upper=True)
    t = np.linspace(0.0, 1.0, _POINTS)
    thick = (style.inner + (style.outer - style.inner) * t**1.4) * size * eye.geometry.unit
    thick = thick * np.clip(t / 0.10, 0.0, 1.0)
    edge = line + away * thick[:, None]
    reach = 0.5 + 0.5 * size
    tip = line[-1] + eye.moved(style.tip[0] * reach, style.tip[1] * reach)
    last = int(style.leaves * (_POINTS - 1))
    start, slope = edge[last], edge[last] - edge[last - 2]
    length = float(np.hypot(*(tip - start)))
    bend = start + slope / max(float(np.hypot(*slope)), 1e-9) * 0.42 * length
    if style.tip[1] < 0:  # a line that goes down stays on the lid's own curve
        bend = (bend + line[-1] + away[-1] * thick[-1]) / 2
    s = np.linspace(0.0, 1.0, 16)[:, None]
    wing = (1 - s) ** 2 * start + 2 * s * (1 - s) * bend + s**2 * tip
    inside = line - away * (0.012 * eye.geometry.unit)
    inside[-1] = line[-1]
    under = line[-1] + (tip - line[-1]) * np.linspace(0.0, 1.0, 8)[1:-1, None]
    sag = -0.06 * eye.moved(-style.tip[1], style.tip[0]) * np.sin(np.linspace(0.0, np.pi, 8))[1:-1, None]
    return np.concatenate([inside, under + sag, wing[::-1], edge[:last][::-1]])


def _inner_point(eye: Eye, size: float) -> F64:
    """The small point that a cat eye has at the inner corner."""
    line, away = _lid(eye, upper=True)
    tip = line[0] + eye.moved(-0.040 * size, -0.022 * size)
    top = line[:8] + away[:8] * np.linspace(0.004, 0.010, 8)[:, None] * size * eye.geometry.unit
    low = _lid(eye, upper=False)[0][:5]
    return np.concatenate([tip[None], top, low[::-1]])


def _lower(eye: Eye, size: float) -> F64:
    """Outline of a line under the outer two thirds of the lower lid."""
    line, away = _lid(eye, upper=False)
    t = np.linspace(0.0, 1.0, _POINTS)
    thick = (0.003 + 0.014 * t) * size * eye.geometry.unit * np.clip((t - 0.25) / 0.3, 0.0, 1.0)
    first = int(0.25 * _POINTS)
    edge = line + away * thick[:, None]
    return np.concatenate([line[first:] - away[first:] * 0.01 * eye.geometry.unit, edge[first:][::-1]])


def _second(eye: Eye, style: _Style, size: float) -> F64:
    """Outline of a line that floats in the crease, parallel to the wing."""
    crease = resample(spline(eye.points[list(CREASE[::-1])], per=6), _POINTS)[14:]
    tip = eye.corner + eye.moved(style.tip[0] * 0.92, style.tip[1] + 0.062)
    return _ribbon(np.concatenate([crease[:24], tip[None]]), eye, size)


def _graphic(eye: Eye, style: _Style, size: float) -> F64:
    """Outline of a line from the wing's tip back over the crease, so that the wing stays open."""
    socket = resample(spline(eye.points[list(CREASE[::-1])], per=6), _POINTS)
    reach = 0.5 + 0.5 * size
    tip = eye.corner + eye.moved(style.tip[0] * reach, style.tip[1] * reach)
    points = np.stack([socket[16] + eye.moved(0.0, 0.012), socket[28] + eye.moved(0.0, 0.02), tip])
    return _ribbon(points, eye, size)


def _ribbon(points: F64, eye: Eye, size: float) -> F64:
    """Outline of a line through points (n, 2) that runs out at both ends."""
    line = resample(spline(points, per=8), _POINTS)
    t = np.linspace(0.0, 1.0, _POINTS)
    half = 0.0065 * size * eye.geometry.unit * np.clip(np.minimum(t / 0.12, (1.0 - t) / 0.35), 0.0, 1.0)
    out = normals(line) * half[:, None]
    return np.concatenate([line + out, (line - out)[::-1]])
