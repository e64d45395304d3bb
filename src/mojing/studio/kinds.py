"""Which kinds of garment a picture looks like, in numbers: the edit's own eyes, so that edits can keep the kind.

A linear reader over coarse gradients and a thumbnail, fitted to the garments the generator learnt from. Right kinds
matter less than what moves them: a change of the picture that moves these numbers is one between kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, readonly
from mojing.core.errors import ModelError
from mojing.studio.generate import flatten
from mojing.studio.invert import SIDE, compared

FILE: Final = "design-kinds.npz"
"""Beside the model: `kinds` (K,) text, `weights` (D, K) and `bias` (K,)."""

GRADIENT_SIDE: Final = 32
"""Side in px at which gradients are taken; they are pooled over CELL x CELL px."""
CELL: Final = 4
TURNS: Final = 8
"""Orientations told apart."""
_GRADIENTS, _COLOURS = 2.0, 0.5
"""What both kinds of numbers weigh."""
_RIDGE: Final = 3.0


@dataclass(frozen=True, eq=False)
class KindReader:
    """Scores of kinds, in their standard deviations over the garments it was fitted to.

    Attributes:
        kinds: names of the scores.
        weights: (D, K) float32, and bias: (K,) float32, from what `numbers` gives to scores.
    """

    kinds: tuple[str, ...]
    weights: F32
    bias: F32

    def __post_init__(self) -> None:
        assert self.weights.shape[1:] == self.bias.shape == (len(self.kinds),)
        object.__setattr__(self, "weights", readonly(self.weights))
        object.__setattr__(self, "bias", readonly(self.bias))

    def __call__(self, rgba: U8) -> F32:
        """Scores (N, K) of pictures (N, S, S, 4)."""
        return np.asarray(numbers(rgba) @ self.weights + self.bias, np.float32)

    @classmethod
    def fit(cls, rgba: U8, kinds: Sequence[str]) -> KindReader:
        """Ridge regression from pictures (N, S, S, 4), and their mirror images, to whether they are of each kind."""
        names = tuple(dict.fromkeys(kinds))
        x = np.concatenate([numbers(rgba), numbers(rgba[:, :, ::-1])]).astype(np.float64)
        y = np.tile(np.array(kinds)[:, None] == np.array(names), (2, 1)).astype(np.float64)
        middle, mean = x.mean(axis=0), y.mean(axis=0)
        x -= middle
        scatter = x.T @ x
        scatter += _RIDGE * np.trace(scatter) / len(x) * np.eye(len(scatter))
        weights = np.linalg.solve(scatter, x.T @ (y - mean))
        weights /= np.maximum((x @ weights).std(axis=0), 1e-6)
        return cls(names, weights.astype(np.float32), np.asarray(-middle @ weights, np.float32))

    def save(self, path: Path) -> Path:
        """Write to an .npz file."""
        half = self.weights.astype(np.float16)
        np.savez_compressed(path, kinds=np.array(self.kinds), weights=half, bias=self.bias)
        return path

    @classmethod
    def load(cls, path: Path) -> KindReader:
        """Read what `save` wrote.

        Raises:
            ModelError: model_corrupt.
        """
        try:
            with np.load(path, allow_pickle=False) as f:
                return cls(tuple(map(str, f["kinds"])), f["weights"].astype(np.float32), f["bias"])
        except (OSError, ValueError, KeyError, AssertionError) as exc:
            raise ModelError("model_corrupt", f"{path.name} cannot be read: {exc}") from exc


def numbers(rgba: U8) -> F32:
    """What kinds are told by (N, D): gradients of opacity and lightness on white, pooled, and a thumbnail."""
    pooled = np.empty((len(rgba), 2 * TURNS * (GRADIENT_SIDE // CELL) ** 2), np.float32)
    for row, picture, white in zip(pooled, rgba, flatten(rgba), strict=True):
        grey = cv2.cvtColor(white, cv2.COLOR_RGB2GRAY)
        row[:] = np.concatenate([_gradients(picture[..., 3]), _gradients(grey)])
    half = SIDE // 2
    small = compared(rgba).reshape(len(rgba), half, 2, half, 2, 4).mean(axis=(2, 4)).reshape(len(rgba), 4 * half**2)
    return np.concatenate([_GRADIENTS * pooled, _COLOURS * small], axis=1).astype(np.float32)


def _gradients(level: U8) -> F32:
    """Root of the mean gradient in each cell and orientation of a picture (S, S), as one row."""
    small = cv2.resize(level, (GRADIENT_SIDE, GRADIENT_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    right, down = cv2.Sobel(small, -1, 1, 0, scale=1 / 1020), cv2.Sobel(small, -1, 0, 1, scale=1 / 1020)
    turn = np.arctan2(down, right) * np.float32(TURNS / (2 * np.pi))
    gap = np.abs((turn[..., None] - np.arange(TURNS, dtype=np.float32) + TURNS / 2) % TURNS - TURNS / 2)
    shares = np.hypot(right, down)[..., None] * np.maximum(1.0 - gap, 0.0)
    n = GRADIENT_SIDE // CELL
    return np.asarray(np.sqrt(shares.reshape(n, CELL, n, CELL, TURNS).mean(axis=(1, 3))), np.float32).ravel()
