"""What the face network says of pixels, made plausible: no beard without a chin or upper lip, no crumbs of glasses."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.perception import facemesh
from mojing.perception.faceview import FACE_PARTS, PARTS_SIZE

BEARD = 0.25
"""Mean beard (0..1) on the chin's front or on the upper lip without which a beard is the shadow of the jaw."""
GLASSES = 0.012
"""Share of the face that glasses take at least: thin frames take about 0.03."""
_PART = {name: i for i, name in enumerate(FACE_PARTS)}


def plausible(parts: F32, grid: AnyArray) -> F32:
    """Probabilities (7, 96, 96) with beards and glasses that cannot be given back to the other parts.

    `grid` (478, 2+) is the mesh in pixels of the parts' grid.
    """
    out = parts.copy()
    if max(_mean(parts[_PART["beard"]], front) for front in _fronts(grid)) < BEARD:
        out[_PART["skin"]] += out[_PART["beard"]]
        out[_PART["beard"]] = 0.0
    oval = _inside(grid[list(facemesh.OVAL)])
    if _mean((parts[_PART["glasses"]] > 0.5).astype(np.float32), oval) < GLASSES:
        out[_PART["glasses"]] = 0.0
        out /= np.maximum(out.sum(axis=0), 1e-6)
    return out


def _fronts(grid: AnyArray) -> tuple[U8, U8]:
    """The middle of the chin below the lips, and of the upper lip's skin, as masks of the grid."""
    half = 0.2 * float(np.hypot(*(grid[468, :2] - grid[473, :2])))
    along = (grid[473, :2] - grid[468, :2]) / max(2 * half / 0.4, 1e-6) * half
    chin = np.stack([grid[17, :2] - along, grid[17, :2] + along, grid[175, :2] + along, grid[175, :2] - along])
    lip = np.stack([grid[2, :2] - along, grid[2, :2] + along, grid[0, :2] + along, grid[0, :2] - along])
    return _inside(chin), _inside(lip)


def _inside(polygon: AnyArray) -> U8:
    mask = np.zeros((PARTS_SIZE, PARTS_SIZE), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon[:, :2] * 16).astype(np.int32)], 1, shift=4)
    return mask


def _mean(values: F32, mask: U8) -> float:
    return float(values[mask > 0].mean()) if mask.any() else 0.0
