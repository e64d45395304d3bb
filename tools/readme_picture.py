"""The picture in the README, made by the project from its own examples: python tools/readme_picture.py"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mojing.core.image import load, save
from mojing.tryon.pipeline import TryOn

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "tryon.jpg"
PAIRS = (("anna", "longsleeve-print"), ("kofi", "shirt"), ("mei", "skirt"), ("tom", "jacket"))
HEIGHT = 420


def scaled(rgb: np.ndarray, height: int = HEIGHT) -> np.ndarray:
    """The picture at this height."""
    wh = (round(rgb.shape[1] * height / rgb.shape[0]), height)
    return cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA)


def main() -> None:
    """Person and result side by side, the garment in the corner."""
    mirror = TryOn(strict=False)
    cells = []
    for person, garment in PAIRS:
        photo, cloth = load(ROOT / f"examples/people/{person}.jpg"), load(ROOT / f"examples/garments/{garment}.jpg")
        before, after = scaled(photo.flat()), scaled(mirror(photo, cloth).image)
        corner = scaled(cloth.flat(), HEIGHT // 6)
        before, after = before[:, 40:-40].copy(), after[:, 40:-40]
        before[4 : 4 + corner.shape[0], 4 : 4 + corner.shape[1]] = corner
        cells.append(np.hstack([before, after]))
    save(TARGET, np.hstack(cells))
    print(f"wrote {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
