"""Which kinds of garment a picture looks like, in numbers: the edit's own eyes, so that edits can keep the kind.

A linear reader over coarse gradients and a thumbnail, fitted to the garments the generator learnt from. Right kinds
matter less than what moves them: a change of the picture that moves these numbers is one between kinds. Kinds that say
how long sleeves are teach a second reader, of sleeves, which outlines do not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.errors import ModelError
from mojing.studio.generate import flatten
from mojing.studio.invert import SIDE, compared

FILE: Final = "design-kinds.npz"
"""Beside the model: `kinds` (K,) text, `weights` (D, K), `bias` (K,), and of sleeves `sleeve_weights` (D,) and
`sleeve_bias`."""

LADDERS: Final[dict[str, tuple[str, ...]]] = {
    "sleeve": ("undershirt", "t-shirt", "longsleeve"),
    "length": ("shorts", "pants"),
}
"""Attribute -> kinds that differ by it alone, from less of it to more."""

SLEEVES: Final[dict[str, float]] = {
    "undershirt": 0.0,
    "t-shirt": 1.0,
    "polo": 1.0,
    "longsleeve": 2.0,
    "hoodie": 2.0,
    "outwear": 2.0,
    "blazer": 2.0,
}
"""Kind -> its sleeves: 0 none, 1 short, 2 long, where the kind tells."""

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
        sleeve_weights: (D,) float32, and sleeve_bias, from the same to sleeves; None where no kinds told.
    """

    kinds: tuple[str, ...]
    weights: F32
    bias: F32
    sleeve_weights: F32 | None = None
    sleeve_bias: float = 0.0

    def __post_init__(self) -> None:
        assert self.weights.shape[1:] == self.bias.shape == (len(self.kinds),)
        object.__setattr__(self, "weights", readonly(self.weights))
        object.__setattr__(self, "bias", readonly(self.bias))

    def __call__(self, rgba: U8) -> F32:
        """Scores (N, K) of pictures (N, S, S, 4)."""
        return np.asarray(numbers(rgba) @ self.weights + self.bias, np.float32)

    def sleeves(self, rgba: U8) -> F32 | None:
        """Sleeves (N,) of pictures (N, S, S, 4): about 0 none, 1 short, 2 long; None where no kinds told."""
        if self.sleeve_weights is None:
            return None
        return np.asarray(numbers(rgba) @ self.sleeve_weights + np.float32(self.sleeve_bias), np.float32)

    def likeness(self, rgba: U8, *, own: str, attribute: str) -> F32:
        """Of the scores of pictures (N, S, S, 4), what is to stay (N, K') when an attribute of a design changes.

        `own` is the design's kind. Kinds that differ by the attribute alone count as one (see LADDERS). Sleeves part so
        many kinds that only the likeness to its own is to stay.
        """
        scores, ladder = self(rgba), LADDERS.get(attribute, ())
        same = np.array([kind in ladder if own in ladder else kind == own for kind in self.kinds])
        together = scores[:, same].sum(axis=1, keepdims=True)
        return together if attribute == "sleeve" else np.concatenate([scores[:, ~same], together], axis=1)

    @classmethod
    def fit(cls, rgba: U8, kinds: Sequence[str]) -> KindReader:
        """Ridge regression from pictures (N, S, S, 4), and their mirror images, to whether they are of each kind."""
        names = tuple(dict.fromkeys(kinds))
        x = np.concatenate([numbers(rgba), numbers(rgba[:, :, ::-1])]).astype(np.float64)
        both = np.tile(np.array(kinds), 2)
        weights, _ = _ridge(x, (both[:, None] == np.array(names)).astype(np.float64), np.ones(len(x)))
        scores = x @ weights
        size = np.maximum(scores.std(axis=0), 1e-6)
        known = cls(names, (weights / size).astype(np.float32), (-scores.mean(axis=0) / size).astype(np.float32))
        told = np.array([kind in SLEEVES for kind in both])
        truth = np.array([SLEEVES[kind] for kind in both[told]])
        if len(set(truth.tolist())) < 2:
            return known
        even = np.array([1.0 / np.count_nonzero(truth == value) for value in truth])
        weights, bias = _ridge(x[told], truth[:, None], even / even.mean())
        return replace(known, sleeve_weights=weights[:, 0].astype(np.float32), sleeve_bias=float(bias[0]))

    def save(self, path: Path) -> Path:
        """Write to an .npz file."""
        half = self.weights.astype(np.float16)
        arrays: dict[str, AnyArray] = {"kinds": np.array(self.kinds), "weights": half, "bias": self.bias}
        if self.sleeve_weights is not None:
            arrays |= {"sleeve_weights": self.sleeve_weights, "sleeve_bias": np.array([self.sleeve_bias], np.float32)}
        np.savez_compressed(path, allow_pickle=False, **arrays)
        return path

    @classmethod
    def load(cls, path: Path) -> KindReader:
        """Read what `save` wrote.

        Raises:
            ModelError: model_corrupt.
        """
        try:
            with np.load(path, allow_pickle=False) as f:
                known = cls(tuple(map(str, f["kinds"])), f["weights"].astype(np.float32), f["bias"])
                if "sleeve_weights" not in f.files:
                    return known
                return replace(known, sleeve_weights=f["sleeve_weights"], sleeve_bias=float(f["sleeve_bias"][0]))
        except (OSError, ValueError, KeyError, AssertionError) as exc:
            raise ModelError("model_corrupt", f"{path.name} cannot be read: {exc}") from exc


def _ridge(x: F64, y: F64, share: F64) -> tuple[F64, F64]:
    """Weights (D, K) and bias (K,) of the ridge regression of y (N, K) on x (N, D), each row counted by its share."""
    root = np.sqrt(share)[:, None]
    middle, mean = np.average(x, axis=0, weights=share), np.average(y, axis=0, weights=share)
    rows = (x - middle) * root
    scatter = rows.T @ rows
    scatter += _RIDGE * np.trace(scatter) / len(rows) * np.eye(len(scatter))
    weights = np.linalg.solve(scatter, rows.T @ ((y - mean) * root))
    return np.asarray(weights, np.float64), np.asarray(mean - middle @ weights, np.float64)


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
