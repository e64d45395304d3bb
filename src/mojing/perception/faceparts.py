"""What the face network says of pixels, made plausible: no beard without a chin or upper lip, no glasses without a
bridge; and where one sees through a lens."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import srgb_to_linear
from mojing.perception import facemesh
from mojing.perception.faceview import FACE_PARTS, PARTS_SIZE

BEARD = 0.25
"""Mean beard (0..1) on the chin's front or on the upper lip without which a beard is the shadow of the jaw."""
GLASSES = 0.012
"""Share of the face that glasses take at least: thin frames take about 0.03."""
BRIDGE, BROAD = 5, 0.035
"""Cells between the eyes that glasses take at least, unless they take more than this share of the face: eyes in deep
shadow and eyes already made up look like glasses to the network, on training portraits, but never between the eyes."""
LENS_CHROMA, LENS_SHADE = 0.5, 1.0
"""How far ln(R/G), ln(G/B) of what is seen through a clear lens lie from the skin's, at most, and by how much ln of its
brightness lies below it: frames are darker, or of another colour."""
LENS_SHARE = 0.12
"""Share of skin around eyes behind glasses from which lenses are clear, and eyes and lids are seen through them."""
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
    seen = (parts[_PART["glasses"]] > 0.5).astype(np.float32)
    share = _mean(seen, oval)
    if share < GLASSES or (share < BROAD and float((seen * _between_eyes(grid) * oval).sum()) < BRIDGE):
        out[_PART["glasses"]] = 0.0
        out /= np.maximum(out.sum(axis=0), 1e-6)
    return out


def clear_lenses(parts: F32, grid: AnyArray, *, crop: U8) -> F32 | None:
    """How surely (96, 96) 0..1 skin and eyes are seen through clear lenses where glasses are; None without any.

    `parts` (7, 96, 96) are plausible already, `grid` (478, 2+) is the mesh in their pixels, and `crop` (h, w, 3) is
    the picture that their grid lies on.
    """
    glasses = parts[_PART["glasses"]] > 0.3
    if not glasses.any():
        return None
    side = (PARTS_SIZE, PARTS_SIZE)
    bare = (parts[_PART["skin"]] > 0.8) & (_inside(grid[list(facemesh.OVAL)]) > 0)
    if bare.sum() < 30:
        return None
    logs = np.log(srgb_to_linear(np.asarray(cv2.resize(crop, side, interpolation=cv2.INTER_AREA))) + np.float32(4e-3))
    values = np.dstack([logs[..., 0] - logs[..., 1], logs[..., 1] - logs[..., 2], logs.mean(axis=2)])
    apart = values - np.median(values[bare], axis=0)
    skin = (np.hypot(apart[..., 0], apart[..., 1]) < LENS_CHROMA) & (apart[..., 2] > -LENS_SHADE)
    unit = float(np.hypot(*(grid[468, :2] - grid[473, :2])))
    eyes = np.maximum(_inside(grid[list(facemesh.RIGHT_EYE)]), _inside(grid[list(facemesh.LEFT_EYE)]))
    near, around = (cv2.dilate(eyes, _disc(reach * unit)) > 0 for reach in (0.07, 0.20))
    lids = around & ~near & glasses
    clear = skin | near if not lids.any() or float(skin[lids].mean()) > LENS_SHARE else skin
    soft = cv2.GaussianBlur((clear & glasses).astype(np.float32), (0, 0), 0.7)
    return np.asarray(np.clip(1.4 * soft - 0.2, 0.0, 1.0), np.float32)


def _disc(radius: float) -> U8:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _between_eyes(grid: AnyArray) -> F32:
    """1 on the stripe (96, 96) that holds the bridge of the nose, a third of the way from eye to eye wide."""
    across = np.asarray(grid[473, :2] - grid[468, :2], np.float64)
    middle = (grid[473, :2] + grid[468, :2]) / 2
    y, x = np.mgrid[0:PARTS_SIZE, 0:PARTS_SIZE]
    along = ((x - middle[0]) * across[0] + (y - middle[1]) * across[1]) / max(float(across @ across), 1e-6)
    return np.asarray(np.abs(along) < 0.18, np.float32)


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
