"""Hairs: tapered curved strands drawn with exact coverage, and the fixed chance that makes them look grown."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mojing.core.arrays import F64, AnyArray, readonly


@lru_cache(maxsize=32)
def chance(count: int, columns: int, seed: int) -> F64:
    """Numbers (count, columns) in -1..1 that are the same in every picture, so that hairs keep still in a video."""
    return readonly(np.random.default_rng(seed).uniform(-1.0, 1.0, (count, columns)))


def strands(roots: F64, *, bends: F64, tips: F64, width: AnyArray) -> F64:
    """Outlines (n, m, 2) of strands that leave their roots (n, 2) towards `bends` and end in `tips`.

    Quadratic curves, `width` (n,) px wide at the root and running out to nothing; m is greater for longer strands.
    """
    reach = float(np.abs(tips - roots).max(initial=0.0))
    count = int(np.clip(4 + reach / 12.0, 4, 10))
    line_of, along_of, taper = _quadratic(count)
    pins = np.stack([roots, bends, tips], axis=1)
    line, along = line_of @ pins, along_of @ pins
    half = (0.5 * np.asarray(width))[:, None] * taper / np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-9)
    out = along[..., ::-1] * half[..., None] * np.array([1.0, -1.0])
    return np.concatenate([line + out, (line - out)[:, -2:0:-1]], axis=1)


@lru_cache(maxsize=16)
def _quadratic(count: int) -> tuple[F64, F64, F64]:
    """What three points are multiplied by to get points and directions (count, 3) of a curve; its taper (count,)."""
    s = np.linspace(0.0, 1.0, count)
    line = np.stack([(1 - s) ** 2, 2 * s * (1 - s), s**2], axis=1)
    along = np.stack([-2 * (1 - s), 2 - 4 * s, 2 * s], axis=1)
    return readonly(line), readonly(along), readonly(1.0 - s**1.5)
