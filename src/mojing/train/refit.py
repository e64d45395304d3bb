"""What a trained face network gets wrong again and again, by the face's shape: corrected in closed form.

Descent with a falling rate stops short along weak directions, and a network draws every face a little towards the
average one. What is left depends on the answered shape itself: reduced-rank ridge regression from an answer's principal
components to what it lacks says how, and being linear it folds into the network's last linear maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F64, AnyArray
from mojing.perception import facemesh

ROLLS = (0.0, -20.0, 20.0)
"""Degrees by which answers and truths are turned alike, so that faces which are not upright are corrected as well."""


@dataclass(frozen=True, eq=False)
class Correction:
    """Adds `matrix @ x + shift` to an answer x (D,): matrix (D, D), shift (D,)."""

    matrix: F64
    shift: F64

    def __call__(self, said: AnyArray) -> F64:
        """Corrected answers (N, D)."""
        return np.asarray(said + said @ self.matrix.T + self.shift)

    def of_map(self, weight: AnyArray) -> AnyArray:
        """Weight (D, K) of a linear map to answers, or what it adds (D,), corrected but not yet shifted; same type."""
        return np.asarray(weight + self.matrix @ weight, weight.dtype)


def mesh_correction(said: AnyArray, true: AnyArray, *, rank: int, strength: float) -> Correction:
    """The correction of meshes (N, 478, 3) over their crop's side, left and right alike, however they are rolled."""
    unit = np.hypot(*(true[:, 468, :2] - true[:, 473, :2]).T)
    rows = [
        np.concatenate([rolled(m, d) for d in ROLLS for m in (meshes, mirrored(meshes))]) for meshes in (said, true)
    ]
    blind = moves(rows[1].mean(axis=0))
    flat = [meshes.reshape(len(meshes), -1) for meshes in rows]
    return correction(*flat, unit=np.tile(unit, 2 * len(ROLLS)), blind=blind, rank=rank, strength=strength)


def mirrored(meshes: AnyArray) -> AnyArray:
    """Meshes (N, 478, 3) over the crop's side, as the crop's mirror image shows them."""
    out = meshes[:, facemesh.mirror()]
    out[..., 0] = 1 - out[..., 0]
    return out


def rolled(meshes: AnyArray, degrees: float) -> AnyArray:
    """Meshes (N, 478, 3) turned about the middle of their crop."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    middle = np.array([0.5, 0.5, 0.0])
    return np.asarray((meshes - middle) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + middle)


def moves(mesh: AnyArray) -> F64:
    """How a mesh (478, 3) changes, (5, 1434), when its crop is shifted, scaled or rolled: it tells nothing of shape."""
    shifts = np.broadcast_to(np.eye(3)[:, None], (3, *mesh.shape))
    spread = mesh - mesh.mean(axis=0)
    turn = spread @ np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    return np.concatenate([shifts, spread[None], turn[None]]).reshape(5, -1)


def correction(
    said: AnyArray, true: AnyArray, *, unit: AnyArray, blind: AnyArray, rank: int, strength: float, rounds: int = 3
) -> Correction:
    """The correction that brings answers (N, D) nearest to the truth (N, D).

    Args:
        said, true: answers and truths.
        unit: (N,) each row's unit of length. After the first of `rounds` a row counts by one over its mean error (of a
            hundredth or more), so that the sum of errors is made small and not that of squares.
        blind: (B, D) ways along which an answer may lie anywhere without changing what is added.
        rank: principal components used of the rest.
        strength: how firmly their weights are held back; the constant is free.
    """
    said, true = np.asarray(said, np.float64), np.asarray(true, np.float64)
    mean = said.mean(axis=0)
    ways = np.linalg.qr(np.asarray(blind, np.float64).T)[0]
    seen = (said - mean) - (said - mean) @ ways @ ways.T
    _, spread, axes = np.linalg.svd(seen, full_matrices=False)
    rank = min(rank, int((spread > 1e-9 * spread[0]).sum()))
    onto = (axes[:rank] / (spread[:rank, None] / np.sqrt(len(said)))).T
    inputs = np.concatenate([(said - mean) @ onto, np.ones((len(said), 1))], axis=1)
    held = np.diag([strength] * rank + [0.0])
    weight, found = 1.0 / unit**2, np.zeros((rank + 1, said.shape[1]))
    for _ in range(rounds):
        heavy = (inputs * weight[:, None]).T
        found = np.linalg.solve(heavy @ inputs + weight.sum() * held, heavy @ (true - said))
        error = np.abs(true - said - inputs @ found).mean(axis=1) / unit
        weight = 1.0 / (unit**2 * np.maximum(error, 0.01))
    matrix = (onto @ found[:-1]).T
    return Correction(matrix, found[-1] - matrix @ mean)
