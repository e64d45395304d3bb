"""How new a design is: its nearest training garments, and a score that says how near is near."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.errors import ModelError

FILE = "design-index.npz"
"""Beside the model: `ids` (M,) text, `features` (M, F) float16 of the training garments on white, as the feature
network sees them; optionally `kinds` (M,) text and `near` (), the distance below which a design is too near."""

NEAR_SHARE = 0.02
"""Where no `near` is stored: the share of training garments whose own nearest neighbour is nearer than that."""


class HasFeature(Protocol):
    """What a feature network gives: (N, F) float32."""

    @property
    def feature(self) -> F32: ...


Looker = Callable[[U8], HasFeature]
"""Pictures on white (N, H, W, 3) uint8 -> features."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training garment and its distance in feature space."""

    id: str
    distance: float


@dataclass(frozen=True, slots=True)
class Novelty:
    """Nearest training garments, nearest first, the score 0..1, and whether the design is too near to show."""

    neighbours: tuple[Neighbour, ...]
    score: float
    too_near: bool


@dataclass(frozen=True, eq=False)
class Index:
    """Features of the training garments.

    Attributes:
        ids: (M,) names.
        features: (M, F) float32.
        own: (M,) float32 ascending, each training garment's distance to its nearest other one.
        near: designs nearer than this to a training garment are withheld.
        kinds: (M,) names, or empty.
    """

    ids: tuple[str, ...]
    features: F32
    own: F32
    near: float
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.ids) == len(self.features)
        object.__setattr__(self, "features", readonly(self.features))
        object.__setattr__(self, "own", readonly(self.own))

    @classmethod
    def of(cls, ids: Sequence[str], features: F32, *, near: float | None = None, kinds: Sequence[str] = ()) -> Index:
        """An index over features (M, F), M >= 2."""
        features = np.asarray(features, np.float32)
        own = np.sort(_nearest_other(features))
        limit = float(np.quantile(own, NEAR_SHARE)) if near is None else near
        return cls(tuple(map(str, ids)), features, own, limit, tuple(map(str, kinds)))

    @classmethod
    def load(cls, path: Path) -> Index:
        """Read an index file.

        Raises:
            ModelError: model_missing, model_corrupt.
        """
        if not path.is_file():
            raise ModelError("model_missing", f"there is no {path.name}", hint="reinstall mojing with its generator")
        try:
            with np.load(path, allow_pickle=False) as f:
                near = float(f["near"]) if "near" in f.files else None
                kinds = [str(k) for k in f["kinds"]] if "kinds" in f.files else []
                return cls.of([str(i) for i in f["ids"]], f["features"], near=near, kinds=kinds)
        except (OSError, ValueError, KeyError) as exc:
            raise ModelError("model_corrupt", f"{path.name} cannot be read: {exc}") from exc

    def save(self, path: Path) -> Path:
        """Write the index."""
        np.savez_compressed(
            path,
            ids=np.array(self.ids),
            features=self.features.astype(np.float16),
            near=np.float32(self.near),
            kinds=np.array(self.kinds or [""] * len(self.ids)),
        )
        return path

    def judge(self, features: F32, *, count: int = 3) -> list[Novelty]:
        """Novelty of designs with features (N, F).

        The score is the share of training garments that lie nearer to their own nearest neighbour than the design
        lies to its: 0 is a copy, 0.5 as far from all as garments usually are from each other, 1 further than any.
        """
        gaps = distances(np.asarray(features, np.float32), self.features)
        out = []
        for row in gaps:
            order = np.argsort(row, kind="stable")[:count]
            first = float(row[order[0]])
            score = float(np.searchsorted(self.own, first)) / len(self.own)
            neighbours = tuple(Neighbour(self.ids[i], float(row[i])) for i in order)
            out.append(Novelty(neighbours, score, first < self.near))
        return out


def distances(a: F32, b: F32) -> F32:
    """Euclidean distances (N, M) between features (N, F) and (M, F)."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2.0 * (a @ b.T)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)), np.float32)


def _nearest_other(features: F32, *, block: int = 512) -> AnyArray:
    out = np.empty(len(features), np.float32)
    for start in range(0, len(features), block):
        gaps = distances(features[start : start + block], features)
        rows = np.arange(len(gaps))
        gaps[rows, start + rows] = np.inf
        out[start : start + block] = gaps.min(axis=1)
    return out
