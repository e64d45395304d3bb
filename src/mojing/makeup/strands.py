"""Hairs: tapered curved strands drawn with exact coverage, and the fixed chance that makes them look grown."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mojing.core.arrays import F32, F64, AnyArray, readonly
from mojing.core.geometry import Box
from mojing.makeup.curves import fill_many


@lru_cache(maxsize=32)
def chance(count: int, columns: int, seed: int) -> F64:
    """Numbers (count, columns) in -1..1 that are the same in every picture, so that hairs keep still in a video."""
    return readonly(np.random.default_rng(seed).uniform(-1.0, 1.0, (count, columns)))


def strands(roots: F64, *, bends: F64, tips: F64, width: AnyArray) -> F64:
    """Outlines (n, 14, 2) of strands that leave their roots (n, 2) towards `bends` and end in `tips`.

    Quadratic curves, `width` (n,) px wide at the root and running out to nothing.
    """
    s = np.linspace(0.0, 1.0, 8)[None, :, None]
    p, b, q = roots[:, None], bends[:, None], tips[:, None]
    line = (1 - s) ** 2 * p + 2 * s * (1 - s) * b + s**2 * q
    along = 2 * (1 - s) * (b - p) + 2 * s * (q - b)
    length = np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-9)
    out = np.stack([along[..., 1], -along[..., 0]], axis=-1) / length[..., None]
    half = 0.5 * np.asarray(width)[:, None, None] * (1.0 - s**1.5)
    left, right = line + out * half, line - out * half
    return np.concatenate([left[:, :-1], right[:, :0:-1]], axis=1)


def drawn(outlines: list[F64], *, box: Box) -> F32:
    """How much of each pixel of `box` strands cover: float32 (h, w) in 0..1."""
    return fill_many(np.concatenate(outlines), box=box)
