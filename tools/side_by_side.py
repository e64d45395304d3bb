"""Our try-on beside the baselines: python tools/side_by_side.py --baseline RUNS/pix2pix/export --out out/side.jpg

A row shows a person, a garment, and what drape-only, each baseline and ours make of them, all from the same drape and
edit region. With --data, held-out people of a data folder: half of the rows wear garments of others, half get their own
back (as `mojing eval tryon` measures), where the photo itself is the truth. Such sheets are for looking at, not for
publishing. Without it, the bundled examples.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import Photo, load, save
from mojing.eval.putback import disturbed, worn_view
from mojing.perception.ground_truth import garment_rows, is_validation
from mojing.tryon.baselines import baseline_tryon, find_baselines, kind_of
from mojing.tryon.pattern import make_pattern
from mojing.tryon.pipeline import GarmentLook, PersonLook, TryOn

CELL = (320, 240)
KINDS = ("T-Shirt", "Longsleeve", "Shirt", "Dress", "Skirt", "Pants", "Hoodie")
TITLES = {"pix2pix": "pix2pix", "cyclegan": "CycleGAN"}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

Scene = tuple[PersonLook, GarmentLook, str]
"""Who, what, and a word on the row."""


def cell(rgb: U8, text: str = "") -> U8:
    """The picture fitted into the middle of a white cell, with a line of text below."""
    h, w = CELL
    scale = min(h / rgb.shape[0], w / rgb.shape[1])
    small = cv2.resize(
        rgb, (max(1, int(rgb.shape[1] * scale)), max(1, int(rgb.shape[0] * scale))), interpolation=cv2.INTER_AREA
    )
    out = np.full((h + 18, w + 4, 3), 255, np.uint8)
    y, x = (h - small.shape[0]) // 2, (w - small.shape[1]) // 2
    out[y : y + small.shape[0], x : x + small.shape[1]] = small
    cv2.putText(out, text, (6, h + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return out


def pictures(folder: Path) -> list[Path]:
    """The photos of a folder."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def examples(mirror: TryOn, folder: Path) -> Iterator[Scene]:
    """Everyone of people/ in every garment of garments/: first one garment each, then the next."""
    people, garments = pictures(folder / "people"), pictures(folder / "garments")
    looks = [mirror.look(load(p)) for p in people]
    worn = [mirror.garment(load(p)) for p in garments]
    for turn in range(len(worn)):
        for i, look in enumerate(looks):
            yield look, worn[(i + turn) % len(worn)], ""


def held_out(mirror: TryOn, data: Path, *, seed: int) -> Iterator[Scene]:
    """Held-out street people: in turn with a held-out garment of `garments`, and with their own taken off them."""
    rng = np.random.default_rng(seed)
    people = sorted(p for p in (data / "people" / "photos").iterdir() if is_validation(p.stem))
    rows = garment_rows(data, validation=True)
    garments = [row.photo for row in rows if row.label in KINDS and not row.kids]
    for turn, i in enumerate(rng.permutation(len(people))):
        try:
            look = mirror.look(load(people[i]))
            if turn % 2:
                yield look, mirror.garment(load(garments[int(rng.integers(len(garments)))])), "another's"
                continue
            own = worn_view(look.photo.rgb, look.body)
            if own is not None:
                own = disturbed(own, np.random.default_rng(turn))
                yield look, GarmentLook(Photo(own.rgb), own, make_pattern(own)), "their own, put back"
        except InputError:
            continue


def shown(garment: GarmentLook) -> U8:
    """The garment's photo; a worn one cut out, on white."""
    view = garment.view
    if not view.worn:
        return garment.photo.rgb
    x, y, w, h = cv2.boundingRect((view.alpha > 60).astype(np.uint8))
    part = np.s_[y : y + h, x : x + w]
    solid = view.alpha[part].astype(np.float32)[..., None] / 255
    return np.asarray(view.rgb[part] * solid + 255 * (1 - solid), np.uint8)


def row(scene: Scene, mirrors: dict[str, TryOn]) -> U8:
    """Person, garment and every result side by side.

    Raises:
        InputError: the person cannot wear this.
    """
    look, garment, text = scene
    cells = [cell(look.photo.rgb, "person"), cell(shown(garment), f"garment {text}".strip())]
    cells += [cell(mirror(look, garment).image, name) for name, mirror in mirrors.items()]
    return np.hstack(cells)


def main() -> int:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--baseline", type=Path, action="append", default=[], help="folder of baselines; repeatable")
    parser.add_argument("--data", type=Path, help="folder of the data sets; the bundled examples if not given")
    parser.add_argument("--examples", type=Path, default=Path("examples"), help="folder with people/ and garments/")
    parser.add_argument("--out", type=Path, default=Path("out/side-by-side.jpg"))
    parser.add_argument("--count", type=int, default=8, help="rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    mirrors = {"drape only": TryOn(gan=False, strict=False, threads=args.threads)}
    for spec in (s for folder in args.baseline for s in find_baselines(folder)):
        mirrors[TITLES[kind_of(spec)]] = baseline_tryon(spec, threads=args.threads)
    ours = mirrors["ours"] = TryOn(strict=False, threads=args.threads)
    scenes = held_out(ours, args.data, seed=args.seed) if args.data else examples(ours, args.examples)

    def rows() -> Iterator[U8]:
        for scene in scenes:
            try:
                yield row(scene, mirrors)
            except InputError as error:
                print(f"left out: {error.code}: {error}")

    found = list(islice(rows(), args.count))
    if not found:
        print("nothing could be dressed")
        return 1
    save(args.out, np.vstack(found))
    print(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
