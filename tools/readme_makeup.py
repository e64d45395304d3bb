"""The make-up picture in the README, from the bundled portrait: python tools/readme_makeup.py"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mojing import Makeup
from mojing.core.geometry import Box, crop_affine, warp_crop
from mojing.core.image import load, save
from mojing.makeup.pipeline import Sitter

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "makeup.jpg"
PORTRAIT = ROOT / "examples" / "faces" / "astronaut.jpg"
LOOKS = ("office", "evening", "retro", "smoky", "editorial")
SIDE = 300


def head(rgb: np.ndarray, sitter: Sitter) -> np.ndarray:
    """The head alone, square."""
    box = sitter.face.box.pad(0.3).fit_aspect(1.0)
    up = 0.08 * box.height
    crop = crop_affine(Box(box.x0, box.y0 - up, box.x1, box.y1 - up), (SIDE, SIDE))
    return warp_crop(rgb, crop, out_wh=(SIDE, SIDE))


def main() -> None:
    """The portrait and five looks on it, in two rows."""
    photo = load(PORTRAIT)
    # The face in the portrait is small: enlarged, lines and lashes are drawn at the size at which they are shown.
    large = cv2.resize(photo.flat(), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    mirror = Makeup()
    sitter = mirror.look(large)
    cells = [head(large, sitter), *(head(mirror(sitter, look).image, sitter) for look in LOOKS)]
    save(TARGET, np.vstack([np.hstack(cells[:3]), np.hstack(cells[3:])]))
    print(f"wrote {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
