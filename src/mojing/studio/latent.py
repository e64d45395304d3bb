"""Steering in the space of styles: principal and SeFa directions, mixing, interpolation.

Styles are (L, W): one row of W numbers a layer. A direction is (L, W) too; rows of zeros leave a layer alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mojing.core.arrays import F32, readonly
from mojing.core.errors import InputError, ModelError
from mojing.studio.generate import Designer

WEIGHTS_FILE = "design-style-weights.npz"
"""Beside the model: array `layer_00`, `layer_01`, ... (C, W), the matrices from style to channel scales."""

LAYER_GROUPS = ("all", "coarse", "middle", "fine")


@dataclass(frozen=True, eq=False)
class Pca:
    """Principal components of styles (GANSpace, Härkönen et al. 2020, section 2.1).

    Attributes:
        mean: (W,) float32.
        components: (k, W) float32, orthonormal, the one of most variance first.
        sigma: (k,) float32, standard deviation along each.
    """

    mean: F32
    components: F32
    sigma: F32

    def __post_init__(self) -> None:
        for name in ("mean", "components", "sigma"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def coordinates(self, style: F32) -> F32:
        """Coordinates (..., k), in standard deviations, of styles (..., W)."""
        return np.asarray((style - self.mean) @ self.components.T / self.sigma, np.float32)

    def style(self, coordinates: F32) -> F32:
        """Styles (..., W) of coordinates (..., k)."""
        return np.asarray(self.mean + (coordinates * self.sigma) @ self.components, np.float32)


def principal(styles: F32, *, count: int | None = None) -> Pca:
    """Principal components of styles (N, W), N >= 2; those without variance are left out."""
    mean = styles.mean(axis=0)
    _, values, rows = np.linalg.svd(styles - mean, full_matrices=False)
    sigma = values / np.sqrt(max(len(styles) - 1, 1))
    keep = sigma > 1e-5 * max(float(sigma[0]), 1e-12)
    k = int(keep.sum()) if count is None else min(count, int(keep.sum()))
    return Pca(mean.astype(np.float32), rows[:k].astype(np.float32), sigma[:k].astype(np.float32))


def sample_styles(designer: Designer, *, n: int, seed: int = 0, kinds: Sequence[str] = ()) -> tuple[F32, list[str]]:
    """Styles (n, L, W) of random designs, the kinds taking turns, and their kinds."""
    rng = np.random.default_rng(seed)
    names = [designer.kind(k) for k in kinds] or list(designer.kinds)
    out = np.empty((n, designer.layers, designer.width), np.float32)
    turn = np.arange(n) % len(names)
    for i, name in enumerate(names):
        rows = np.flatnonzero(turn == i)
        z = rng.standard_normal((len(rows), designer.latent), np.float32)
        if len(rows):
            out[rows] = designer.styles(z, kind=name, colours=designer.draw_colours(rng, len(rows)))
    return out, [names[i] for i in turn]


def sefa(weights: Sequence[F32], *, count: int = 10) -> tuple[F32, F32]:
    """Directions (count, W) that change the picture most, and how much (count,): Shen and Zhou 2021, equation 5.

    Eigenvectors of A^T A, where A stacks the style matrices (C, W) of the layers looked at, each row of unit length as
    in the authors' code. The sign is chosen so that the largest entry is positive.
    """
    stacked = np.concatenate([np.asarray(w, np.float64) for w in weights])
    stacked /= np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)
    values, vectors = np.linalg.eigh(stacked.T @ stacked)
    order = np.argsort(-values)[:count]
    rows = vectors[:, order].T
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])
    return (rows * signs[:, None]).astype(np.float32), values[order].astype(np.float32)


def read_weights(folder: Path) -> tuple[F32, ...]:
    """The style matrices of all layers from the file beside the model.

    Raises:
        ModelError: model_missing, model_corrupt.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelError("model_missing", f"there is no {WEIGHTS_FILE}", hint="reinstall mojing with its generator")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return tuple(np.asarray(arrays[name], np.float32) for name in sorted(arrays.files))
    except (OSError, ValueError) as exc:
        raise ModelError("model_corrupt", f"{WEIGHTS_FILE} cannot be read: {exc}") from exc


def write_weights(folder: Path, weights: Sequence[F32]) -> Path:
    """Write the style matrices (C, W) of a generator's layers, coarse to fine, beside its model."""
    path = folder / WEIGHTS_FILE
    arrays = {f"layer_{i:02d}": np.asarray(w, np.float16) for i, w in enumerate(weights)}
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


def layer_rows(group: str, layers: int) -> slice:
    """The layers of a group: all, or the coarse (shape), middle or fine (colour, texture) third.

    Raises:
        InputError: bad_design.
    """
    if group not in LAYER_GROUPS:
        raise InputError("bad_design", f"there are no {group} layers", hint=f"use one of {', '.join(LAYER_GROUPS)}")
    third = max(layers // 3, 1)
    return {
        "all": slice(0, layers),
        "coarse": slice(0, third),
        "middle": slice(third, layers - third),
        "fine": slice(layers - third, layers),
    }[group]


def interpolate(a: F32, b: F32, *, steps: int) -> F32:
    """Styles (steps, L, W) on the straight way from a to b (L, W), both ends included; styles are close to Gaussian."""
    share = np.linspace(0.0, 1.0, max(steps, 2), dtype=np.float32)[:, None, None]
    return np.asarray((1 - share) * a + share * b, np.float32)


def mix(shape: F32, colour: F32, *, crossover: int | None = None) -> F32:
    """Styles (L, W) with the coarse layers of `shape` and, from `crossover` on, the fine ones of `colour`."""
    at = len(shape) // 2 if crossover is None else crossover
    return np.concatenate([shape[:at], colour[at:]]).astype(np.float32)
