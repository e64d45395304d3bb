"""What a design looks like, in numbers: the attributes that latent directions are found for and edits are judged by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import rgb_to_lab

ATTRIBUTES: Final = ("sleeve", "length", "neckline", "lightness", "red", "yellow", "pattern")
"""Columns of what a reader gives. `red` and `yellow` are Lab's a and b, whose angle is the hue.

sleeve: share of the cloth above the hem that lies beside the trunk, 0..1, or, where a reader of sleeves is at hand, how
long they are, 0 none, 1 short, 2 long; length: from top to hem, in units of the side of a square as large as the cloth,
for pictures are as large as fits; neckline: depth of the neckline, in trunk widths; lightness: mean L; pattern: how
much colour changes within the garment, in Lab units."""

Reader = Callable[[U8], F32]
"""Pictures (N, S, S, 4) uint8 -> (N, len(ATTRIBUTES)) float32."""


def read(rgba: U8, *, sleeves: Callable[[U8], F32 | None] | None = None) -> F32:
    """Attributes (N, 7) of designs (N, S, S, 4), measured on their pixels and outlines; no network.

    A design without cloth gives zeros. `sleeves` reads sleeves (N,) better than outlines tell, where it can.
    """
    if not len(rgba):
        return np.zeros((0, len(ATTRIBUTES)), np.float32)
    found = np.stack([_one(picture) for picture in rgba])
    told = None if sleeves is None else sleeves(rgba)
    if told is not None:
        found[:, ATTRIBUTES.index("sleeve")] = np.where(found.any(axis=1), told, 0)
    return found


def _one(rgba: U8) -> F32:
    mask = rgba[..., 3] > 127
    if mask.sum() < 32:
        return np.zeros(len(ATTRIBUTES), np.float32)
    sleeve, length, neckline = outline_numbers(rgba[..., 3].astype(np.float32) / np.float32(255))
    lab = np.asarray(rgb_to_lab(rgba[..., :3]), np.float32)
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inside = inside if inside.any() else mask
    colour = lab[inside].mean(axis=0)
    return np.array([sleeve, length, neckline, *colour, _pattern(lab, inside)], np.float32)


def outline_numbers(alpha: F32) -> tuple[float, float, float]:
    """Sleeve, length and neckline of a silhouette (H, W), opacity 0..1, as told under ATTRIBUTES.

    Edges are found between pixels and areas weighed by opacity, so that a small step in styles shows.
    """
    mask = alpha > 0.5
    ys = np.flatnonzero(mask.any(axis=1))
    y0, y1, middle = int(ys[0]), int(ys[-1]), float(np.median(np.nonzero(mask)[1]))
    height = y1 - y0 + 1
    width = max(float(np.median(_widths(mask, middle, rows=(0.5, 0.85)))), 2.0)
    # Long sleeves hang against the trunk in most rows: its own width shows where a gap opens between them.
    half = 0.55 * max(float(np.percentile(_widths(mask, middle, rows=(0.35, 0.97)), 10)), 2.0)
    upper = alpha[: y0 + max(int(0.75 * height), 1)]
    out = np.clip(np.abs(np.arange(alpha.shape[1]) - middle) - half + 0.5, 0.0, 1.0)
    beside, trunk = float((upper * out).sum()), max(float((alpha * (1 - out)).sum()), 1.0)
    rows = alpha.max(axis=1)
    top, low = _edge(rows), len(rows) - 1 - _edge(rows[::-1])
    centre = alpha[:, max(int(middle) - 1, 0) : int(middle) + 2].max(axis=1)
    first = _edge(centre) if (centre > 0.5).any() else top
    return beside / (beside + trunk), (low - top + 1) / float(np.sqrt(alpha.sum())), max(first - top, 0.0) / width


def _edge(profile: F32) -> float:
    """Where a profile (H,) of opacity, which does so somewhere, first rises above a half, between pixels."""
    i = int(np.flatnonzero(profile > 0.5)[0])
    return 0.0 if i == 0 else i - float((profile[i] - 0.5) / (profile[i] - profile[i - 1]))


def _widths(mask: AnyArray, middle: float, *, rows: tuple[float, float]) -> list[int]:
    """Lengths of the runs of cloth that hold the middle, in 13 rows between two shares of the garment's height."""
    ys = np.flatnonzero(mask.any(axis=1))
    top, height = int(ys[0]), int(ys[-1] - ys[0]) + 1
    at = np.linspace(top + rows[0] * height, top + rows[1] * height, 13).astype(int)
    return [b - a + 1 for a, b in (_run(mask[y], middle) for y in at)]


def _run(row: AnyArray, x: float) -> tuple[int, int]:
    """Ends of the run of cloth in a row (W,) bool that holds x, or is nearest to it."""
    on = np.flatnonzero(row)
    if not len(on):
        return 0, 0
    inside = int(on[np.abs(on - x).argmin()])
    off = np.flatnonzero(~row)
    after = int(np.searchsorted(off, inside))
    return int(off[after - 1]) + 1 if after else 0, int(off[after]) - 1 if after < len(off) else len(row) - 1


def _pattern(lab: F32, inside: AnyArray) -> float:
    """Mean distance of colours from their surroundings' (a Gaussian of a twelfth of the picture) within the cloth."""
    weight = inside.astype(np.float32)
    sigma = max(lab.shape[0] / 12.0, 1.0)
    near = cv2.GaussianBlur(lab * weight[..., None], (0, 0), sigma)
    support = cv2.GaussianBlur(weight, (0, 0), sigma)
    local = near / np.maximum(support, 1e-3)[..., None]
    # Folds change lightness: it counts half.
    gap = (lab - local) * np.array([0.5, 1.0, 1.0], np.float32)
    return float(np.linalg.norm(gap[inside], axis=1).mean())
