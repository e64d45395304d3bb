"""`mojing examples`: everyone in everything, on one sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mojing.cli.console import progress_bar, say
from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import check_suffix, load, save
from mojing.core.progress import track

if TYPE_CHECKING:
    from mojing.tryon.pipeline import TryOn

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
_CELL_HW = (320, 240)


def contact_sheet(folder: Path, out: Path, *, gan: bool, threads: int) -> None:
    """Dress every photo of FOLDER/people in every garment of FOLDER/garments and write one sheet.

    The first row shows the garments, the first column the people; a refusal is shown by its code.
    """
    check_suffix(out)
    people, garments = _photos(folder / "people"), _photos(folder / "garments")
    from mojing.tryon.pipeline import TryOn

    garment_cells = [_cell(load(path).flat()) for path in garments]
    rows = [np.hstack([np.full((*_CELL_HW, 3), 255, np.uint8), *garment_cells])]
    refused: list[str] = []
    with progress_bar():
        mirror = TryOn(threads=threads, gan=gan)
        for path in track(people, "people"):
            rows.append(np.hstack(_row(mirror, path, garments=garments, refused=refused)))
    save(out, np.vstack(rows))
    for line in refused:
        say(line)
    done = len(people) * len(garments) - len(refused)
    say(f"{done} of {len(people) * len(garments)} pictures made; the sheet is {out}")


def _row(mirror: TryOn, person: Path, *, garments: list[Path], refused: list[str]) -> list[U8]:
    photo = load(person)
    cells = [_cell(photo.flat())]
    try:
        look = mirror.look(photo)
    except InputError as error:
        refused.extend(f"{person.name} + {garment.name}: {error.code}: {error}" for garment in garments)
        return cells + [_words(error.code)] * len(garments)
    for garment in garments:
        try:
            cells.append(_cell(mirror(look, load(garment)).image))
        except InputError as error:
            refused.append(f"{person.name} + {garment.name}: {error.code}: {error}")
            cells.append(_words(error.code))
    return cells


def _photos(folder: Path) -> list[Path]:
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in _SUFFIXES)
    if not found:
        raise InputError("not_found", f"there are no photos in {folder}", "give a folder with people/ and garments/")
    return found


def _cell(rgb: U8) -> U8:
    """The picture fitted into a cell on white: uint8 HxWx3."""
    h, w = _CELL_HW
    scale = min(h / rgb.shape[0], w / rgb.shape[1])
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    cell = np.full((h, w, 3), 255, np.uint8)
    y, x = (h - size[1]) // 2, (w - size[0]) // 2
    cell[y : y + size[1], x : x + size[0]] = small
    return cell


def _words(text: str) -> U8:
    cell = np.full((*_CELL_HW, 3), 235, np.uint8)
    black = (60.0, 60.0, 60.0)
    cv2.putText(cell, text, (12, _CELL_HW[0] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.6, black, 1, cv2.LINE_AA)
    return cell
