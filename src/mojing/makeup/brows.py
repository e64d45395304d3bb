"""Brows: a soft base and single hairs within the brow, raised, straightened or brushed up a little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F32, F64
from mojing.core.geometry import Box
from mojing.makeup.charts import Grid
from mojing.makeup.curves import directions, fill, fill_many, soften
from mojing.makeup.geometry import Eye, Geometry
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed, around
from mojing.makeup.strands import chance, strands

_HIDES = ("hair", "cover", "glasses")


@dataclass(frozen=True)
class _Style:
    """How strong the soft base and the hairs are, how many hairs, how long (inter-ocular distances), how far from the
    brow's direction they stand up (radians more than usual), and how the brow is bent: an arch higher by `arch`
    inter-ocular distances, and drawn towards a straight line by `straight` (0..1)."""

    base: float
    hairs: float
    count: int
    length: float
    up: float = 0.0
    arch: float = 0.0
    straight: float = 0.0


_STYLES = {
    "natural": _Style(0.42, 0.75, 90, 0.058),
    "arched": _Style(0.55, 0.75, 90, 0.055, arch=0.034),
    "straight": _Style(0.55, 0.70, 90, 0.055, straight=0.45),
    "feathered": _Style(0.16, 0.95, 110, 0.078, up=0.35),
}


def place(layer: Layer, g: Geometry) -> list[Placed]:
    """The brow over each eye: the base lighter at its head, hairs upright there and lying down towards the tail."""
    style = _STYLES[layer.pattern]
    out = []
    for side, eye in g.eyes.items():
        if not layer.has(side):
            continue
        middle, half = _shape(eye, style, layer.size)
        outline = np.concatenate([middle - half, (middle + half)[::-1]])
        hairs = _hairs(eye, style, middle=middle, half=half)
        box = around(np.concatenate([outline, hairs.reshape(-1, 2)]), pad=0.06 * g.unit + 1.0, hw=g.hw)
        mask = _base(outline, box, softness=layer.softness, unit=g.unit) * np.float32(style.base)
        fine = soften(fill_many(hairs, box=box), (0.001 + 0.006 * layer.softness) * g.unit) * np.float32(style.hairs)
        mask = 1.0 - (1.0 - mask) * (1.0 - fine)
        out.append(Placed(box, g.kept(np.asarray(mask, np.float32), Grid(box, 1), *_HIDES), area=side))
    return out


def _shape(eye: Eye, style: _Style, size: float) -> tuple[F64, F64]:
    """Middle line (40, 2) from head to tail, and half of the way (40, 2) across it, towards the forehead."""
    low, high = eye.brow_edges
    middle, half = (low + high) / 2, (high - low) / 2
    t = np.linspace(0.0, 1.0, len(middle))[:, None]
    # The mesh's brow has a blunt tail; hair runs out to a point, a little further on.
    half = half * (0.88 + 0.12 * size) * np.interp(t, (0.0, 0.12, 0.55, 1.0), (0.72, 0.95, 1.0, 0.25))
    middle = middle + eye.across * 0.03 * np.clip((t - 0.8) / 0.2, 0.0, 1.0)
    chord = middle[:1] + (middle[-1:] - middle[:1]) * t
    # What is straightened stays as high as it was in the mean.
    level = chord + (middle - chord).mean(axis=0)
    middle = middle + style.straight * (level - middle)
    bump = np.exp(-(((t - 0.64) / 0.20) ** 2)) - 0.55 * t**6
    return middle + style.arch * bump * eye.up, half


def _base(outline: F64, box: Box, *, softness: float, unit: float) -> F32:
    """The brow filled in, three fifths as thick at its head."""
    n = len(outline) // 2
    rest = np.concatenate([outline[n // 5 : n], outline[n : n + n - n // 5]])
    both = np.float32(0.6) * fill([outline], box=box) + np.float32(0.4) * soften(fill([rest], box=box), 0.03 * unit)
    return soften(both, (0.006 + 0.024 * softness) * unit)


def _hairs(eye: Eye, style: _Style, *, middle: F64, half: F64) -> F64:
    n = style.count
    noise = chance(n, 5, seed=7)
    t = np.clip(np.linspace(0.02, 0.97, n) + noise[:, 0] * 1.5 / n, 0.0, 1.0)
    across = 0.85 * noise[:, 1] - 0.15
    at = t * (len(middle) - 1)
    steps = np.arange(len(middle))

    def pick(values: F64) -> F64:
        return np.stack([np.interp(at, steps, column) for column in values.T], axis=1)

    roots = pick(middle) + across[:, None] * pick(half)
    along = directions(middle)
    along = pick(along / np.maximum(np.hypot(*along.T), 1e-9)[:, None])
    up = np.stack([along[:, 1], -along[:, 0]], axis=1)
    up = up * np.sign(up @ eye.up)[:, None]
    # Hairs of the lower edge grow upwards, those of the upper edge lie flat, so that they meet in the middle.
    angle = np.interp(t, (0.0, 0.15, 0.45, 1.0), (1.35, 0.95, 0.50, 0.08)) - 0.30 * across + 0.12 * noise[:, 2]
    angle = angle + style.up * np.interp(t, (0.0, 0.6, 1.0), (0.2, 1.0, 0.6))
    length = style.length * (1.0 + 0.25 * noise[:, 3]) * np.interp(t, (0.0, 0.2, 1.0), (0.75, 1.0, 0.8))
    length = length * eye.geometry.unit
    tips = roots + (along * np.cos(angle)[:, None] + up * np.sin(angle)[:, None]) * length[:, None]
    early = angle + 0.25
    bends = roots + (along * np.cos(early)[:, None] + up * np.sin(early)[:, None]) * (0.5 * length)[:, None]
    width = np.full(n, 0.0065 * eye.geometry.unit)
    return strands(roots, bends=bends, tips=tips, width=width)
