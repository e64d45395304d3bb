"""How good a set of generated pictures is, told from features of generated and real ones; NumPy alone.

Features are (N, D) arrays, one row a picture, from any extractor; all sums run in float64. Distances are Euclidean and
computed in blocks of rows, so that memory grows with N, not with N squared. The Fréchet distance is in `eval.metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mojing.core.arrays import readonly

F64 = NDArray[np.float64]
ROWS = 1024
TIE = 1e-12
"""Squared distances this close, relative to the largest from the centre, are equal but for rounding."""


@dataclass(frozen=True)
class Estimate:
    """A mean over splits or subsets, and their standard deviation (0 when there is one)."""

    mean: float
    std: float


@dataclass(frozen=True)
class Cover:
    """Two shares: how many fakes lie among the reals, and how many reals lie among the fakes."""

    fidelity: float
    spread: float


@dataclass(frozen=True, eq=False)
class Nearest:
    """Neighbours of N pictures, nearest first: `index` (N, k) int64 into the bank, `distance` (N, k) float64."""

    index: NDArray[np.int64]
    distance: F64

    def __post_init__(self) -> None:
        assert self.index.shape == self.distance.shape
        object.__setattr__(self, "index", readonly(self.index))
        object.__setattr__(self, "distance", readonly(self.distance))


@dataclass(frozen=True, eq=False)
class PixelStatistics:
    """Mean and variance of every pixel over a set: (H, W, C) float64 of levels 0..1; `count` pictures."""

    mean: F64
    variance: F64
    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", readonly(self.mean))
        object.__setattr__(self, "variance", readonly(self.variance))


def inception_score(probs: NDArray[Any], *, splits: int = 10, seed: int | None = 0) -> Estimate:
    """exp E KL(p(y|x) || p(y)) (Salimans et al. 2016, section 4): 1 is worst, the number of classes best.

    Args:
        probs: (N, K) class probabilities, rows summing to one.
        splits: parts whose scores are averaged; at most N are made.
        seed: of the shuffle that goes before the split; None keeps the order.

    Raises:
        ValueError: not a table of probabilities.
    """
    p = _points(probs, "probabilities", least=1)
    if p.min() < -1e-6 or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("probabilities must be at least 0 and sum to 1 in every row")
    if splits < 1:
        raise ValueError(f"splits must be at least 1, not {splits}")
    p = np.clip(p, 0, None)
    if seed is not None:
        p = p[np.random.default_rng(seed).permutation(len(p))]
    scores = []
    for part in np.array_split(p, min(splits, len(p))):
        whole = part.mean(axis=0)
        ratio = np.divide(part, whole, out=np.ones_like(part), where=part > 0)
        scores.append(np.exp((part * np.log(ratio)).sum(axis=1).mean()))
    return Estimate(float(np.mean(scores)), float(np.std(scores)))


def kid(
    real: NDArray[Any], fake: NDArray[Any], *, subsets: int = 100, size: int = 1000, degree: int = 3, seed: int = 0
) -> Estimate:
    """Kernel distance (Bińkowski et al. 2018, eq. 3-4): unbiased squared MMD of the kernel (x.y / D + 1)^degree.

    Clouds of no more than `size` points are taken whole, once; larger ones as `subsets` random draws of `size`. The
    value scatters about zero for equal distributions and may be negative.

    Raises:
        ValueError: clouds of different width, or fewer than two points.
    """
    x, y = _pair(real, fake, least=2)
    if size < 2 or subsets < 1:
        raise ValueError(f"size must be at least 2 and subsets at least 1, not {size} and {subsets}")
    if max(len(x), len(y)) <= size:
        return Estimate(_mmd(x, y, degree=degree), 0.0)
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        a = x[rng.choice(len(x), min(size, len(x)), replace=False)]
        b = y[rng.choice(len(y), min(size, len(y)), replace=False)]
        values.append(_mmd(a, b, degree=degree))
    return Estimate(float(np.mean(values)), float(np.std(values)))


def precision_recall(real: NDArray[Any], fake: NDArray[Any], *, k: int = 3) -> Cover:
    """Improved precision (`fidelity`) and recall (`spread`) (Kynkäänniemi et al. 2019, eq. 1-2).

    Precision is the share of fakes inside a ball around some real, whose radius reaches that real's k-th neighbour
    among the reals; recall is the same with the roles exchanged.

    Raises:
        ValueError: clouds of different width, or no more than `k` points.
    """
    x, y = _pair(real, fake, least=k + 1)
    return Cover(float(_inside(y, x, k=k).mean()), float(_inside(x, y, k=k).mean()))


def density_coverage(real: NDArray[Any], fake: NDArray[Any], *, k: int = 5) -> Cover:
    """Density (`fidelity`, may exceed 1) and coverage (`spread`) (Naeem et al. 2020, eq. 3-4).

    Density is how many real balls a fake lies in, over k; coverage the share of reals whose own ball holds a fake.
    Unlike precision and recall they are not thrown by single outliers.

    Raises:
        ValueError: clouds of different width, or no more than `k` points.
    """
    x, y = _pair(real, fake, least=k + 1)
    radius, tie = _radii(x, k=k), _tie(x, y)
    hits, closest = 0, np.full(len(x), np.inf)
    for _, block in _distances(y, x):
        hits += int(np.count_nonzero(block <= radius + tie))
        np.minimum(closest, block.min(axis=0), out=closest)
    return Cover(hits / (k * len(y)), float((closest <= radius + tie).mean()))


def diversity(features: NDArray[Any]) -> float:
    """Mean distance of all pairs of different rows, as LPIPS diversity is taken (Zhu et al. 2017, section 5.2).

    Ours has a network of its own behind the features where LPIPS has VGG, hence figures that compare only with each
    other. Zero when every picture is the same.

    Raises:
        ValueError: fewer than two points.
    """
    x = _points(features, "features", least=2)
    x = x - x.mean(axis=0)
    total = 0.0
    for start, block in _distances(x, x):
        rows = np.arange(len(block))
        block[rows, start + rows] = 0.0
        total += float(np.sqrt(block).sum())
    return total / (len(x) * (len(x) - 1))


def nearest(queries: NDArray[Any], bank: NDArray[Any], *, k: int = 1, same: bool = False) -> Nearest:
    """The `k` nearest rows of `bank` for every row of `queries`, nearest first, equals by lower index.

    Args:
        queries: (N, D). bank: (M, D).
        same: the two are one set, and no row is its own neighbour.

    Raises:
        ValueError: clouds of different width, or fewer than `k` rows in the bank.
    """
    x, y = _pair(queries, bank, least=1)
    if not 1 <= k <= len(y) - same:
        raise ValueError(f"{k} neighbours were asked for of a bank of {len(y) - same}")
    if same and len(x) != len(y):
        raise ValueError(f"queries and bank cannot be the same: {len(x)} and {len(y)} rows")
    index = np.empty((len(x), k), np.int64)
    squared = np.empty((len(x), k))
    for start, block in _distances(x, y):
        rows = np.arange(len(block))
        if same:
            block[rows, start + rows] = np.inf
        order = np.argsort(block, axis=1, kind="stable")[:, :k] if k > 1 else block.argmin(axis=1)[:, None]
        index[start : start + len(block)] = order
        squared[start : start + len(block)] = block[rows[:, None], order]
    return Nearest(index, np.sqrt(squared))


def pixel_statistics(images: Iterable[NDArray[np.uint8]]) -> PixelStatistics:
    """Per-pixel mean and variance (over N, not N - 1) of uint8 pictures (H, W, C) of one size, read one by one.

    Raises:
        ValueError: no picture, or pictures of several sizes.
    """
    count, total, squares = 0, np.zeros(0), np.zeros(0)
    for image in images:
        levels = np.asarray(image, np.float64)
        if count == 0:
            total, squares = np.zeros_like(levels), np.zeros_like(levels)
        if levels.shape != total.shape:
            raise ValueError(f"pictures differ in size: {total.shape} and {levels.shape}")
        total += levels
        squares += levels * levels
        count += 1
    if count == 0:
        raise ValueError("there is no picture")
    mean = total / count
    return PixelStatistics(mean / 255, np.clip(squares / count - mean * mean, 0, None) / 255**2, count)


def _points(features: NDArray[Any], what: str, *, least: int) -> F64:
    points = np.asarray(features, np.float64)
    if points.ndim != 2 or len(points) < least:
        raise ValueError(f"{what} must be (N, D) with N at least {least}, not {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError(f"{what} hold values that are not finite")
    return points


def _pair(a: NDArray[Any], b: NDArray[Any], *, least: int) -> tuple[F64, F64]:
    x, y = _points(a, "features", least=least), _points(b, "features", least=least)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"features differ in width: {x.shape[1]} and {y.shape[1]}")
    return x, y


def _distances(x: F64, y: F64) -> Iterator[tuple[int, F64]]:
    """Squared distances of x's rows to y's, `ROWS` rows of x at a time, each block with its first row's number.

    Both are moved to y's mean first: |a|^2 - 2ab + |b|^2 loses the digits that the common part takes.
    """
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    squares = np.einsum("ij,ij->i", y, y)
    for start in range(0, len(x), ROWS):
        part = x[start : start + ROWS]
        block = part @ (-2.0 * y.T)
        block += squares
        block += np.einsum("ij,ij->i", part, part)[:, None]
        yield start, np.maximum(block, 0.0, out=block)


def _radii(x: F64, *, k: int) -> F64:
    """Squared distance (N,) of every row to its k-th neighbour, itself not counted."""
    radius = np.empty(len(x))
    for start, block in _distances(x, x):
        rows = np.arange(len(block))
        block[rows, start + rows] = np.inf
        radius[start : start + len(block)] = np.partition(block, k - 1, axis=1)[:, k - 1]
    return radius


def _inside(x: F64, y: F64, *, k: int) -> NDArray[np.bool_]:
    """Whether each row of x (N,) lies in the ball of some row of y."""
    radius = _radii(y, k=k) + _tie(x, y)
    return np.concatenate([(block <= radius).any(axis=1) for _, block in _distances(x, y)])


def _tie(x: F64, y: F64) -> float:
    centre = y.mean(axis=0)
    return TIE * max(float(np.square(x - centre).sum(axis=1).max()), float(np.square(y - centre).sum(axis=1).max()))


def _mmd(x: F64, y: F64, *, degree: int) -> float:
    def kernel(a: F64, b: F64) -> F64:
        return np.asarray((a @ b.T / a.shape[1] + 1.0) ** degree)

    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    own = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(own - 2.0 * kernel(x, y).mean())
