"""The picture of docs/studio.md: example garments recoloured, printed on and with a logo.

python tools/studio_picture.py examples/garments -o docs/images/studio.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from mojing.cli.examples import cell
from mojing.core.image import Photo, load, save
from mojing.studio.colours import parse_colour
from mojing.studio.look import look
from mojing.studio.prints import Cloth, place_logo, print_pattern, recolour
from mojing.studio.textiles import procedural

NAMES = ("shirt", "tee-striped", "hoodie", "dress", "trousers", "jacket")


def logo() -> Photo:
    """A round badge with a star."""
    canvas = np.zeros((240, 240, 4), np.uint8)
    cv2.circle(canvas, (120, 120), 112, (250, 210, 60, 255), -1, cv2.LINE_AA)
    cv2.circle(canvas, (120, 120), 96, (180, 40, 40, 255), 8, cv2.LINE_AA)
    turns = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2 == 0, 78, 32)
    star = np.stack([120 + radius * np.cos(turns), 120 + radius * np.sin(turns)], axis=1)
    cv2.fillPoly(canvas, [np.rint(star).astype(np.int32)], (180, 40, 40, 255), cv2.LINE_AA)
    return Photo(np.ascontiguousarray(canvas[..., :3]), np.ascontiguousarray(canvas[..., 3]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/images/studio.jpg"))
    args = parser.parse_args()
    badge = logo()
    cream, navy, red, gold = ((245, 240, 225), (30, 50, 110), (190, 40, 50), (225, 175, 60))
    columns = []
    for name in NAMES:
        cloth = Cloth.of(look(load(args.folder / f"{name}.jpg"), threads=1))
        pictures = [
            cloth.source.rgb,
            recolour(cloth, [parse_colour("teal")]).image,
            recolour(cloth, [parse_colour("#2b2b30")]).image,
            print_pattern(cloth, procedural("floral", [cream, red, navy, gold], seed=3), repeat=0.4).image,
            print_pattern(cloth, procedural("tartan", [red, navy, gold]), repeat=0.25, keep_print=True).image,
            place_logo(cloth, badge).image,
        ]
        columns.append(np.vstack([cell(np.asarray(p)) for p in pictures]))
    sheet = np.hstack(columns)
    save(args.out, np.asarray(cv2.resize(sheet, None, fx=0.62, fy=0.62, interpolation=cv2.INTER_AREA), np.uint8))


if __name__ == "__main__":
    main()
