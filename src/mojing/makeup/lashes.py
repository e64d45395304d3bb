"""Lashes, hair by hair, fanning out along the lids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F64
from mojing.makeup.charts import Grid
from mojing.makeup.curves import directions, fill_many, normals, resample, soften
from mojing.makeup.geometry import Eye, Geometry
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed, around
from mojing.makeup.strands import chance, strands

_HIDES = ("hair", "cover", "glasses")
_POINTS = 64


@dataclass(frozen=True)
class _Style:
    """Lashes of the upper lid: how many, how long (inter-ocular distances) at the inner corner, in the middle and at
    the outer corner, how thick, how many lean together in one tuft, and how long those of the lower lid are."""

    count: int
    length: tuple[float, float, float]
    width: float
    tuft: int
    lower: float


_STYLES = {
    "natural": _Style(30, (0.035, 0.070, 0.075), 0.0062, 2, 0.022),
    "volume": _Style(54, (0.050, 0.088, 0.095), 0.0075, 3, 0.030),
    "doll": _Style(42, (0.050, 0.112, 0.080), 0.0070, 3, 0.042),
    "cat": _Style(44, (0.030, 0.075, 0.128), 0.0072, 2, 0.024),
}


def place(layer: Layer, g: Geometry) -> list[Placed]:
    """The lashes of each eye, upper and lower lid together."""
    style = _STYLES[layer.pattern]
    out = []
    for side, eye in g.eyes.items():
        if not layer.has(side):
            continue
        lids = [lid(eye, style, layer.size) for lid, word in ((_upper, "upper"), (_lower, "lower")) if layer.has(word)]
        roots, bends, tips, width = (np.concatenate(values) for values in zip(*lids, strict=True))
        hairs = strands(roots, bends=bends, tips=tips, width=width)
        sigma = (0.001 + 0.004 * layer.softness) * g.unit
        box = around(hairs.reshape(-1, 2), pad=3.0 * sigma + 1.0, hw=g.hw)
        mask = soften(fill_many(hairs, box=box), sigma)
        mask = g.kept(eye.spared(mask, box), Grid(box, 1), *_HIDES)
        out.append(Placed(box, mask, area=side))
    return out


_Hairs = tuple[F64, F64, F64, F64]
"""Roots, bends and tips (n, 2) and widths (n,) of strands."""


def _upper(eye: Eye, style: _Style, size: float) -> _Hairs:
    n = style.count
    noise = chance(n, 4, seed=5)
    t = np.clip(np.linspace(0.07, 1.0, n) + noise[:, 0] * 0.35 / n, 0.0, 1.0)
    roots, away, along = _frame(eye, t, upper=True)
    length = np.interp(
        t, (0.0, 0.5, 0.92, 1.0), (style.length[0], style.length[1], style.length[2], 0.85 * style.length[2])
    )
    length = length * size * (1.0 + 0.16 * noise[:, 1]) * eye.geometry.unit
    lean = np.interp(t, (0.0, 0.35, 1.0), (-0.55, 0.0, 0.95)) + 0.07 * noise[:, 2] + _tufts(n, style.tuft)
    tips = roots + (away * np.cos(lean)[:, None] + along * np.sin(lean)[:, None]) * length[:, None]
    # A lash first grows outwards from the lid and then curls up, so that its bend lies on the outer side.
    early = lean + np.interp(t, (0.0, 0.5, 1.0), (0.15, 0.40, 0.55))
    bends = roots + (away * np.cos(early)[:, None] + along * np.sin(early)[:, None]) * (0.55 * length)[:, None]
    return roots, bends, tips, _width(n, style.width, eye)


def _lower(eye: Eye, style: _Style, size: float) -> _Hairs:
    n = max(14, style.count // 2)
    noise = chance(n, 4, seed=6)
    t = np.clip(np.linspace(0.30, 0.97, n) + noise[:, 0] * 0.35 / n, 0.0, 1.0)
    roots, away, along = _frame(eye, t, upper=False)
    length = style.lower * size * (1.0 + 0.2 * noise[:, 1]) * np.sin(np.pi * (0.15 + 0.75 * t)) * eye.geometry.unit
    lean = np.interp(t, (0.0, 1.0), (0.0, 0.75)) + 0.1 * noise[:, 2] + _tufts(n, style.tuft)
    tips = roots + (away * np.cos(lean)[:, None] + along * np.sin(lean)[:, None]) * length[:, None]
    bends = roots + away * (0.55 * length)[:, None]
    return roots, bends, tips, _width(n, 0.75 * style.width, eye)


def _frame(eye: Eye, t: F64, *, upper: bool) -> tuple[F64, F64, F64]:
    """At places `t` (n,) along a lid: points, steps of unit length away from the eyeball, and steps outwards."""
    line = resample(eye.upper_lid if upper else eye.lower_lid, _POINTS)
    away = normals(line)
    if float(away[_POINTS // 2] @ (eye.up if upper else -eye.up)) < 0:
        away = -away
    along = directions(line)
    along = along / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    at = t * (_POINTS - 1)
    pick = [np.interp(at, np.arange(_POINTS), column) for column in (*line.T, *away.T, *along.T)]
    return np.stack(pick[0:2], axis=1), np.stack(pick[2:4], axis=1), np.stack(pick[4:6], axis=1)


def _tufts(count: int, size: int) -> F64:
    """Angles (count,) by which lashes of a tuft lean together."""
    within = np.arange(count) % size
    return np.asarray(-(within - (size - 1) / 2) * 0.13, np.float64)


def _width(count: int, width: float, eye: Eye) -> F64:
    return np.full(count, width * eye.geometry.unit)
