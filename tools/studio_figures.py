"""Figures of docs/studio.md: recolouring measured on garment photos, and the usual contrast of folds.

    python tools/studio_figures.py DATA/garments --limit 60

Printed per target colour: the CIEDE2000 between the colour asked for and the garment's median recoloured pixel on fully
lit cloth, the correlation of fine luminance before and after (are the folds kept), and how many values outside the
cut-out changed, which must be 0.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from mojing.core.color import delta_e_2000, luma, rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.image import load
from mojing.perception.garment import GarmentNet
from mojing.runtime import ModelStore
from mojing.studio.colours import parse_colour
from mojing.studio.prints import Cloth, recolour

KINDS = {"T-Shirt", "Longsleeve", "Pants", "Dress", "Outwear", "Shirt", "Shorts", "Skirt", "Polo", "Blazer", "Hoodie"}
TARGETS = ("teal", "gold", "crimson", "navy", "white", "black")
LEVELS = (0.0, 0.02, 0.05, 0.15, 0.4, 1.0)


def photos(folder: Path, limit: int) -> list[Path]:
    """Photos of wearable garments, in an order that depends on the name's hash alone."""
    with (folder / "images.csv").open(encoding="utf-8") as file:
        names = [row["image"] for row in csv.DictReader(file) if row["label"] in KINDS]
    names.sort(key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    found = (folder / "photos" / f"{name}.webp" for name in names)
    return [path for path in found if path.is_file()][:limit]


def fine(rgb: np.ndarray) -> np.ndarray:
    """Log luminance without its broad parts: what folds and seams show."""
    log = np.log(luma(rgb) + 0.03)
    return np.asarray(log - cv2.GaussianBlur(log, (0, 0), 12))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=60)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    net = GarmentNet(ModelStore(), threads=1)
    gaps: dict[str, list[float]] = {t: [] for t in TARGETS}
    kept: dict[str, list[float]] = {t: [] for t in TARGETS}
    contrast: list[tuple[float, float]] = []
    changed, spent, count, plain = 0, 0.0, 0, 0
    for path in photos(args.folder, args.limit):
        try:
            view = net(load(path))
        except InputError:
            continue
        start = time.process_time()
        cloth = Cloth.of(view)
        spent += time.process_time() - start
        count += 1
        parts = cloth.parts
        x0, y0, x1, y1 = cloth.box
        inside = (parts.region > 0.98) & (parts.weight[..., 0] > 0.9)
        lit = inside & (np.abs(np.log(parts.shading)) < 0.1)
        if inside.sum() < 400 or lit.sum() < 50:
            continue
        if parts.dyes.share[0] > 0.9:
            plain += 1
            contrast.append((float(luma(parts.dyes.colour[:1])[0]), float(np.log(parts.shading[inside]).std())))
        for target in TARGETS:
            colour = parse_colour(target)
            made = recolour(cloth, [colour])
            image = made.image[y0:y1, x0:x1]
            median = np.median(image[lit], axis=0).astype(np.uint8)
            gaps[target].append(float(delta_e_2000(rgb_to_lab(median), rgb_to_lab(np.array(colour, np.uint8)))))
            kept[target].append(float(np.corrcoef(fine(cloth.view.rgb)[inside], fine(image)[inside])[0, 1]))
            changed += int((made.image[made.alpha == 0] != view.rgb[made.alpha == 0]).sum())
    each = 1000 * spent / max(count, 1)
    print(f"{count} garments, {plain} of one main colour; taken apart in {each:.0f} ms of CPU each")
    print(f"values changed outside the cut-outs: {changed}")
    print("| colour asked | CIEDE2000 median | 90th percentile | folds kept (correlation), median |\n|---|---|---|---|")
    for t in TARGETS:
        print(f"| {t} | {np.median(gaps[t]):.1f} | {np.percentile(gaps[t], 90):.1f} | {np.median(kept[t]):.2f} |")
    print("\n| luminance of the cloth | garments | median spread of log shading |\n|---|---|---|")
    table = np.array(contrast).reshape(-1, 2)
    for low, high in pairwise(LEVELS):
        rows = table[(table[:, 0] >= low) & (table[:, 0] < high)]
        if len(rows):
            print(f"| {low} to {high} | {len(rows)} | {np.median(rows[:, 1]):.2f} |")


if __name__ == "__main__":
    main()
