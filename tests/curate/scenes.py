"""Small made-up photos: coloured things on a coloured ground, all different, sharp and grainy as photos are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.image import save


def scene(seed: int, hw: tuple[int, int] = (160, 120)) -> U8:
    """A picture (H, W, 3) of six convex things on a plain ground."""
    rng = np.random.default_rng(seed)
    h, w = hw
    out = np.full((h, w, 3), rng.integers(150, 230, 3), np.uint8)
    for _ in range(6):
        points = (rng.random((5, 2)) * (w, h)).astype(np.int32)
        cv2.fillConvexPoly(out, cv2.convexHull(points), rng.integers(0, 255, 3).tolist())
    grain = rng.normal(0, 3, (h, w, 1))
    return np.clip(out + grain, 0, 255).astype(np.uint8)


def folder_of(path: Path, count: int, *, first: int = 0) -> Path:
    """A folder of `count` scenes, 000.png and on."""
    for i in range(first, first + count):
        save(path / f"{i:03d}.png", scene(i))
    return path


def state(folder: Path) -> dict[str, str]:
    """Every file below a folder and what it holds, to see that nothing has changed."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
