"""Contact lenses: a ring of colour on the iris, clear over the pupil, cut off by the lids."""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32
from mojing.core.geometry import Box
from mojing.makeup.charts import Grid
from mojing.makeup.curves import soften
from mojing.makeup.geometry import Eye, Geometry
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed, around
from mojing.makeup.strands import chance
from mojing.perception.facemesh import RIGHT_IRIS

_PUPIL = 0.40
"""Radius of the clear middle, in radii of the iris; the pupil of daylight is about a third."""


def place(layer: Layer, g: Geometry) -> list[Placed]:
    """The lens of each eye: fibres (natural), a dark edge (ring), or one shade into another (gradient).

    With two shades the first lies outside: the edge of `ring`, the outer half of `gradient`.
    """
    out = []
    for side, eye in g.eyes.items():
        if layer.has(side):
            out += _lens(layer, eye)
    return out


def _lens(layer: Layer, eye: Eye) -> list[Placed]:
    g = eye.geometry
    iris = eye.points[list(RIGHT_IRIS)]
    box = around(iris, pad=0.04 * g.unit + 2.0, hw=g.hw)
    if box.area == 0:
        return []
    radius, angle, px = _polar(eye, box, size=layer.size)
    edge = _ramp((1.0 - radius) * px + 0.5, 0.0, 1.0 + 0.10 * layer.softness * px)
    clear = _ramp(radius, _PUPIL - 0.10, _PUPIL + 0.12)
    ball = eye.eyeball(box)
    lid = soften(ball, 0.004 * g.unit) * ball
    whole = edge * clear * lid
    whole = g.kept(np.ascontiguousarray(whole, np.float32), Grid(box, 1), "hair", "cover", "glasses")
    depth = np.asarray(np.clip((radius - _PUPIL) / (1.0 - _PUPIL), 0.0, 1.0), np.float32)
    ring = np.asarray(_ramp(radius, 0.66, 0.92), np.float32)
    if layer.pattern == "natural":
        mask = whole * (0.72 + 0.28 * _fibres(angle, radius)) * (0.85 + 0.15 * ring)
        return [Placed(box, np.asarray(mask, np.float32), 0, depth, eye.side)]
    if layer.pattern == "ring" and len(layer.shades) == 1:
        return [Placed(box, np.asarray(whole * (0.30 + 0.70 * ring), np.float32), 0, depth, eye.side)]
    if layer.pattern == "gradient" and len(layer.shades) == 1:
        return [Placed(box, np.asarray(whole * (0.15 + 0.85 * depth), np.float32), 0, depth, eye.side)]
    share = ring if layer.pattern == "ring" else _ramp(depth, 0.25, 0.85)
    pair = (whole * (1.0 - share), 1), (whole * share, 0)
    return [Placed(box, np.asarray(mask, np.float32), shade, depth, eye.side) for mask, shade in pair]


def _polar(eye: Eye, box: Box, *, size: float) -> tuple[F32, F32, float]:
    """Radius (1 = edge of the iris) and angle of each pixel of `box`, and the iris's radius in px.

    The iris is the ellipse through its four points; lenses of size 1 cover it, larger ones reach beyond.
    """
    centre, right, top, left, bottom = eye.points[list(RIGHT_IRIS)]
    scale = 0.5 * (0.9 + 0.1 * size)
    axes = np.stack([(right - left) * scale, (bottom - top) * scale], axis=1)
    px = float(np.sqrt(max(abs(np.linalg.det(axes)), 1e-6)))
    if abs(np.linalg.det(axes)) < 1e-3:
        axes = np.eye(2) * px
    back = np.linalg.inv(axes)
    h, w = round(box.height), round(box.width)
    x = np.arange(w)[None] + box.x0 - centre[0]
    y = np.arange(h)[:, None] + box.y0 - centre[1]
    u, v = back[0, 0] * x + back[0, 1] * y, back[1, 0] * x + back[1, 1] * y
    return np.hypot(u, v).astype(np.float32), np.arctan2(v, u).astype(np.float32), px


def _fibres(angle: F32, radius: F32) -> F32:
    """The iris's radial fibres, 0..1, the same in every picture."""
    noise = chance(6, 2, seed=9)
    waves = (9, 14, 21, 29, 38, 47)
    total = np.zeros_like(angle)
    for (shift, bend), k in zip(noise, waves, strict=True):
        total += np.cos(k * angle + 3.1 * shift + 4.5 * bend * radius) / np.sqrt(k)
    return np.asarray(np.clip(0.5 + 0.55 * total, 0.0, 1.0), np.float32)


def _ramp(x: F32, low: float, high: float) -> F32:
    s = np.clip((x - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.asarray(s * s * (3.0 - 2.0 * s), np.float32)
