"""The skin of a synthetic face in the mesh's flat layout: melanin, blood, brows, oil and relief."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mojing.core.arrays import F32, AnyArray, readonly
from mojing.perception import facemesh as fm

TEXTURE = 768
"""Side of the flat layout in px."""


@dataclass(frozen=True, eq=False)
class Texture:
    """Maps (768, 768) of one person's skin in the mesh's flat layout.

    Attributes:
        seed: the person's number.
        melanin, blood: factors on the person's mean, about 1. brow: 0..1 share of hair. oil: gloss, about 1.
        bump: (768, 768, 2) change of the unit normal in x and y.
        lips: 0..1 where the red of the lips is.
    """

    seed: int
    melanin: F32
    blood: F32
    brow: F32
    oil: F32
    bump: F32
    lips: F32


@lru_cache(maxsize=8)
def texture(seed: int) -> Texture:
    """The skin of person number `seed`."""
    rng = np.random.default_rng([seed, 478])
    lips = np.clip(_area(fm.LIPS_OUTER) - _area(fm.LIPS_INNER), 0, 1)
    lips = cv2.GaussianBlur(lips, (0, 0), 2.0)
    melanin = np.exp(0.10 * _noise(rng, 90) + 0.06 * _noise(rng, 12) + 0.05 * _noise(rng, 1.2))
    blood = np.exp(0.20 * _noise(rng, 70) + 0.12 * _noise(rng, 8) + 0.08 * _noise(rng, 1.5))
    blood *= 1 + 0.9 * _spot((0.25, 0.55), 0.09) + 0.9 * _spot((0.75, 0.55), 0.09) + 0.8 * _spot((0.5, 0.5), 0.05)
    melanin *= 1 + 0.12 * _spot((0.34, 0.40), 0.04) + 0.12 * _spot((0.66, 0.40), 0.04)
    if seed % 2:
        melanin *= 1 + _freckles(rng)
    pores = np.clip(_noise(rng, 1.6) - 1.2, 0, None)
    melanin *= 1 + 0.25 * pores * (1 - lips)
    melanin = melanin * (1 - lips) + lips * (0.75 * np.exp(0.08 * _noise(rng, 3)))
    blood = blood * (1 - lips) + lips * (4.5 * np.exp(0.15 * _noise(rng, 4)))
    oil = np.exp(0.3 * _noise(rng, 40)) * (0.7 + 0.8 * _spot((0.5, 0.35), 0.12) + 0.5 * lips)
    height = 0.5 * _noise(rng, 1.6) + 0.6 * _noise(rng, 5) - 0.8 * pores
    bump = 0.035 * np.stack([cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)], axis=2) / 2
    maps = (melanin, blood, _brows(rng), oil, bump, lips)
    return Texture(seed, *(readonly(np.asarray(m, np.float32)) for m in maps))


def _area(ring: tuple[int, ...]) -> F32:
    mask = np.zeros((TEXTURE, TEXTURE), np.uint8)
    points = fm.uv()[list(ring)] * (TEXTURE - 1)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(mask, np.float32) / np.float32(255)


def _noise(rng: np.random.Generator, size: float) -> F32:
    """Smooth noise of mean 0 and deviation 1, details about `size` px."""
    small = max(8, round(TEXTURE / max(size, 1.0)))
    field = rng.standard_normal((small, small)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), 1.0)
    out = cv2.resize(field, (TEXTURE, TEXTURE), interpolation=cv2.INTER_CUBIC)
    return np.asarray((out - out.mean()) / out.std(), np.float32)


def _spot(centre: tuple[float, float], radius: float) -> F32:
    y, x = np.mgrid[0:TEXTURE, 0:TEXTURE].astype(np.float32) / (TEXTURE - 1)
    return np.asarray(np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * radius**2)), np.float32)


def _freckles(rng: np.random.Generator) -> F32:
    mask = np.zeros((TEXTURE, TEXTURE), np.uint8)
    for _ in range(160):
        at = (rng.normal([0.5, 0.48], [0.16, 0.07]) * TEXTURE).astype(int)
        cv2.circle(mask, (int(at[0]), int(at[1])), int(rng.integers(1, 5)), int(rng.integers(60, 200)), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.0), np.float32) / np.float32(255)


def _brows(rng: np.random.Generator) -> F32:
    """Hairs drawn over the area of both brows, the second the mirror image of the first."""
    mask = np.zeros((TEXTURE, TEXTURE), np.uint8)
    points = fm.uv()[list(fm.RIGHT_BROW)] * (TEXTURE - 1)
    low, high = points[:5], points[5:][::-1]
    for _ in range(420):
        t, across = rng.uniform(0, 1), rng.uniform(0, 1)
        root = _along(low, t) * (1 - across) + _along(high, t) * across
        lean = _along(high, max(t - 0.12, 0.0)) - _along(low, t)
        tip = root + 0.45 * lean + rng.normal(0, 1.0, 2)
        ends = [tuple(int(v) for v in np.rint(p * 8)) for p in (root, tip)]
        cv2.line(mask, ends[0], ends[1], 255, 1, cv2.LINE_AA, shift=3)
    mask = np.maximum(mask, mask[:, ::-1])
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.8), np.float32) / np.float32(255) * np.float32(0.85)


def _along(line: AnyArray, t: float) -> AnyArray:
    at = t * (len(line) - 1)
    k = min(int(at), len(line) - 2)
    return np.asarray(line[k] * (1 - (at - k)) + line[k + 1] * (at - k))
