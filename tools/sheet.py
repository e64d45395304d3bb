"""Contact sheet of try-ons on photos not trained on: python tools/sheet.py --data DATA --out out/sheet.png

Held-out people of `people` and `shop` wear held-out garments of `garments` and `shop`; each cell shows the person, the
garment and the result, with the score, or the code of the refusal. For looking at, not for publishing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import load, save
from mojing.perception.ground_truth import garment_rows, is_validation
from mojing.tryon.pipeline import TryOn

CELL = (300, 210)
KINDS = ("T-Shirt", "Longsleeve", "Shirt", "Hoodie", "Outwear", "Blazer", "Dress", "Skirt", "Pants", "Shorts")
FULL_LENGTH = ("Dress", "Skirt", "Pants", "Shorts")


def held_out(data: Path) -> tuple[list[Path], list[Path], dict[str, list[Path]]]:
    """Held-out street people, shop people (front views), and garments by kind (`shop` holds worn ones)."""
    street = sorted(p for p in (data / "people/photos").iterdir() if is_validation(p.stem))
    shop = sorted(p for p in (data / "shop/photos").glob("*_main.webp") if is_validation(p.stem))
    garments: dict[str, list[Path]] = {"shop": shop}
    for row in garment_rows(data, validation=True):
        if row.label in KINDS and not row.kids:
            garments.setdefault(row.label, []).append(row.photo)
    return street, shop, garments


def cell(rgb: U8) -> U8:
    """The picture fitted into a cell on white."""
    h, w = CELL
    scale = min(h / rgb.shape[0], w / rgb.shape[1])
    wh = (max(1, int(rgb.shape[1] * scale)), max(1, int(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA)
    out = np.full((h, w, 3), 255, np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    return out


def words(image: U8, text: str) -> U8:
    """The picture with a line of text."""
    out = image.copy()
    cv2.putText(out, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (220, 0, 0), 1, cv2.LINE_AA)
    return out


def one(mirror: TryOn, person: Path, garment: Path) -> tuple[U8, str]:
    """Person, garment and result side by side, and what became of it."""
    shown = [cell(load(person).flat()), cell(load(garment).flat())]
    try:
        result = mirror(mirror.look(person), mirror.garment(garment))
    except InputError as error:
        blank = np.full((*CELL, 3), 235, np.uint8)
        return np.hstack([*shown, words(blank, f"{error.code} {getattr(error, 'score', '')}")]), error.code
    label = f"{result.category} {result.quality.score:.2f}"
    return np.hstack([*shown, words(cell(result.image), label)]), result.status


def main() -> int:
    """Write the sheet and the count of outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/sheet.png"))
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-gan", action="store_true")
    parser.add_argument("--models", type=Path, default=None)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    street, shop, garments = held_out(args.data)
    mirror = TryOn(args.models, gan=not args.no_gan, strict=True)
    cells, outcomes = [], []
    kinds = [*KINDS, "shop", "shop"]
    for i in range(args.count):
        kind = kinds[i % len(kinds)]
        people = street if kind in FULL_LENGTH or rng.random() < 0.5 else shop
        person = people[int(rng.integers(len(people)))]
        garment = garments[kind][int(rng.integers(len(garments[kind])))]
        picture, outcome = one(mirror, person, garment)
        cells.append(words(picture, f"{i} {person.stem[:12]} + {kind} {garment.stem[:8]}"))
        outcomes.append(outcome)
    while len(cells) % args.columns:
        cells.append(np.full_like(cells[0], 255))
    rows = [np.hstack(cells[i : i + args.columns]) for i in range(0, len(cells), args.columns)]
    save(args.out, np.vstack(rows))
    print({o: outcomes.count(o) for o in sorted(set(outcomes))})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
