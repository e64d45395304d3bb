"""Lip colour and lip liner: the lips between their outer edge and the mouth, corners pointed, teeth left out."""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32, F64
from mojing.core.geometry import Box
from mojing.makeup.charts import Grid, ThinPlate, look_up
from mojing.makeup.curves import feather_inward, fill, shifted, soften, spline, turn
from mojing.makeup.geometry import Geometry
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed, around
from mojing.perception.facemesh import LIPS_INNER, LIPS_OUTER

_HIDES = ("hair", "cover", "glasses")


def place_lip(layer: Layer, g: Geometry) -> list[Placed]:
    """Lip colour: the whole lips, darker or lighter towards the mouth (ombre), or one shade a lip (two-tone)."""
    box, mask = _lips(g, softness=layer.softness)
    mask = g.kept(mask, Grid(box, 1), *_HIDES)
    upper, lower = layer.has("upper"), layer.has("lower")
    if layer.pattern == "two-tone":
        share = _upper(g, box)
        top = Placed(box, mask * share, 0, area="upper")
        bottom = Placed(box, mask * (1.0 - share), 1, area="lower")
        return [p for p, wanted in ((top, upper), (bottom, lower)) if wanted]
    if not (upper and lower):
        share = _upper(g, box)
        mask = mask * (share if upper else 1.0 - share)
    if layer.pattern == "full":
        return [Placed(box, mask)]
    depth = _depth(g, box)
    count = len(layer.shades)
    at = (1.0 - depth) * np.float32(count - 1) * np.float32(1.25) - np.float32(0.125 * (count - 1))
    at = np.clip(at, 0.0, count - 1)
    parts = [np.clip(1.0 - np.abs(at - np.float32(i)), 0.0, 1.0) for i in range(count)]
    return [Placed(box, mask * _eased(part), i, detail=depth) for i, part in enumerate(parts)]


def place_liner(layer: Layer, g: Geometry) -> list[Placed]:
    """Lip liner: a line just inside the lips' edge, or drawn beyond it at the bow and below the lower lip."""
    width = 0.024 * layer.size * g.unit
    over = np.zeros(len(g.lips_outer))
    if layer.pattern == "overlined":
        over = 0.020 * g.unit * _away_from_corners(g.lips_outer)
    edge = shifted(g.lips_outer, over)
    box = around(edge, pad=0.03 * g.unit + 1.0, hw=g.hw)
    way = turn(edge)
    mask = fill([edge], box=box, way=way) - fill([shifted(edge, -width - over * 0.5)], box=box, way=way)
    mask = soften(np.clip(mask, 0.0, 1.0), (0.002 + 0.012 * layer.softness) * g.unit)
    mask = np.minimum(mask, 1.0 - fill([g.lips_inner], box=box, way=turn(g.lips_outer)))
    if not (layer.has("upper") and layer.has("lower")):
        share = _upper(g, box)
        mask = mask * (share if layer.has("upper") else 1.0 - share)
    return [Placed(box, g.kept(mask, Grid(box, 1), *_HIDES))]


def _lips(g: Geometry, *, softness: float) -> tuple[Box, F32]:
    box, cover = g.lips
    mouth = fill([g.lips_inner], box=box, way=turn(g.lips_outer))
    mask = feather_inward(cover, 0.02 * softness * g.unit)
    return box, np.asarray(np.minimum(mask, np.float32(1.0) - mouth), np.float32)


def _upper(g: Geometry, box: Box) -> F32:
    """How much of each pixel lies above the line between the lips."""
    inner = g.points[list(LIPS_INNER)]
    middle = (inner[5:16] + np.concatenate([inner[15:], inner[:6]])[::-1]) / 2
    ring = g.points[list(LIPS_OUTER)]
    line = spline(np.concatenate([ring[5:6], middle, ring[15:16]]), per=4)
    reach = 0.5 * g.up
    ends = np.stack([ring[15] - 0.2 * g.along, ring[15] - 0.2 * g.along + reach, ring[5] + 0.2 * g.along + reach])
    return fill([np.concatenate([line, ends, ring[5:6] + 0.2 * g.along])], box=box)


def _depth(g: Geometry, box: Box) -> F32:
    """(h, w) in 0..1: 0 at the mouth, 1 at the lips' outer edge, smooth in between."""
    outer, inner = g.points[list(LIPS_OUTER)], g.points[list(LIPS_INNER)]
    corners = np.array([i not in (5, 15) for i in range(20)])
    pins = np.concatenate([outer, inner[corners]])
    value = np.concatenate([np.ones(20), np.zeros(18)])
    plate = ThinPlate(pins, np.stack([value, value], axis=1), smooth=1e-3)
    grid = Grid(box, max(1, int(g.unit / 120.0)))
    return np.clip(grid.full(look_up(plate, grid, step_px=0.03 * g.unit)[0]), 0.0, 1.0)


def _eased(ramp: F32) -> F32:
    return np.asarray(ramp * ramp * (np.float32(3.0) - np.float32(2.0) * ramp), np.float32)


def _away_from_corners(outline: F64) -> F64:
    """1 along the lips, falling to 0 at the corners of the mouth: (n,) for an outline whose halves end there."""
    half = len(outline) // 2
    t = np.arange(half) / half
    return np.tile(np.sqrt(np.sin(np.pi * t).clip(0.0, 1.0)) * np.sin(np.pi * t).clip(0.0, 1.0), 2)
