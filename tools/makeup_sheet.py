"""Contact sheet of make-up: python tools/makeup_sheet.py --data DATA [--teacher LABELS] --out out/makeup-sheet.png

Eight looks on twelve held-out portraits from the lightest to the darkest, women and men. With --teacher the regions lie
on the teacher's meshes, without it on those that our network sees. --probe paints one bold product a column instead of
looks, which shows faults of edges and places best. For looking at, not for publishing: these are real people.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from mojing import Makeup
from mojing.core.arrays import U8
from mojing.core.color import ita
from mojing.core.errors import InputError
from mojing.core.geometry import Affine, warp_crop
from mojing.core.image import load, save
from mojing.eval.portraits import cheek_lab
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.pipeline import Sitter
from mojing.perception.facemesh import POINTS
from mojing.perception.faceview import FaceView
from mojing.perception.ground_truth import is_validation

SIDE = 288
LOOKS = ("natural", "office", "evening", "smoky", "bridal", "editorial", "festival", "groomed")


def portraits(data: Path, count: int) -> list[Path]:
    """Held-out portraits evenly over the lightness of skin, women and men in turn."""
    with (data / "faces" / "faces.csv").open(encoding="utf-8") as file:
        gender = {row["image"]: row["gender"] for row in csv.DictReader(file)}
    seen: dict[str, list[tuple[float, Path]]] = {"female": [], "male": []}
    for path in sorted((data / "faces" / "photos").glob("*.webp")):
        if is_validation(path.stem) and gender.get(path.stem) in seen:
            # Any portrait has its face near the middle; a rough look at it is enough to sort by.
            rgb = load(path).flat()
            h, w = rgb.shape[:2]
            middle = rgb[int(0.3 * h) : int(0.5 * h), int(0.4 * w) : int(0.6 * w)]
            seen[gender[path.stem]].append((float(np.median(middle)), path))
    chosen = []
    for own in seen.values():
        own.sort(reverse=True)
        chosen += [own[i] for i in np.linspace(0, len(own) - 1, count // 2).astype(int)]
    return [path for _, path in sorted(chosen, reverse=True)]


def probes() -> list[Look]:
    """Bold single products, finishes and patterns."""

    def one(kind: str, *codes: str, finish: str = "satin", coverage: float = 0.8, pattern: str = "") -> Layer:
        shades = tuple(Shade.of_hex(c) for c in codes)
        return Layer(kind, shades, finish=finish, coverage=coverage, pattern=pattern)

    return [
        Look("matte red lip, classic line", (one("lip", "#a8182c", finish="matte"), one("eyeliner", "#101010"))),
        Look("gloss, wing", (one("lip", "#c04a60", finish="gloss"), one("eyeliner", "#101010", pattern="wing"))),
        Look("smoky, lashes", (one("eyeshadow", "#3a3036", "#6b5560", pattern="smoky"), one("lashes", "#0a0a0a"))),
        Look("blush, highlighter", (one("blush", "#c9586a", coverage=0.6), one("highlighter", "#f4dcc0"))),
        Look("contour, ombre", (one("contour", "#6b4a38"), one("lip", "#5f1b33", "#d07080", pattern="ombre"))),
        Look("brows, lens", (one("brows", "#3a2a20"), one("lens", "#3f7fb0"), one("lip_liner", "#7a2a35"))),
        Look("foundation tan", (one("foundation", "#c79a76", coverage=0.7), one("concealer", "#e0b898"))),
        Look("smooth, metallic", (Layer("smooth"), one("lip", "#b06a40", finish="metallic"))),
    ]


def head(rgb: U8, face: FaceView) -> U8:
    """The face alone, square, `SIDE` px."""
    box = face.box.pad(0.12).fit_aspect(1.0)
    scale = SIDE / box.width
    move = (-(box.x0 - 0.5) * scale - 0.5, -(box.y0 - 0.5) * scale - 0.5)
    return np.asarray(warp_crop(rgb, Affine.similarity(scale, move=move), out_wh=(SIDE, SIDE)))


def sitters(mirror: Makeup, paths: Iterable[Path], *, teacher: Path | None) -> list[Sitter]:
    """The portraits with their faces; those without one are left out and named."""
    found = []
    for path in paths:
        photo = load(path)
        if teacher is None:
            try:
                found.append(mirror.look(photo))
            except InputError as error:
                print(f"{path.stem}: {error.code}")
            continue
        mesh = np.load(teacher / "faces" / f"{path.stem}.npz")["face"]
        if len(mesh) == POINTS:
            found.append(Sitter(photo, (FaceView.of_mesh(mesh, photo.hw),)))
    return found


def main() -> None:
    """Write the sheet: the bare face and eight looks a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/makeup-sheet.png"))
    parser.add_argument("--probe", action="store_true")
    parser.add_argument("--looks", nargs="*", default=list(LOOKS), help="names or files of looks")
    parser.add_argument("--faces", type=int, default=12)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    mirror = Makeup(threads=1)
    rows = []
    for sitter in sitters(mirror, portraits(options.data, options.faces), teacher=options.teacher):
        rgb = sitter.photo.flat()
        cells = [head(rgb, sitter.face)]
        for look in probes() if options.probe else options.looks:
            cells.append(head(mirror(sitter, look).image, sitter.face))
        rows.append(np.hstack(cells))
        print(f"ITA {float(ita(cheek_lab(rgb, sitter.face.mesh))):.0f}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save(options.out, np.vstack(rows))
    print(options.out)


if __name__ == "__main__":
    main()
