"""`mojing examples`: everyone in everything, on one sheet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from mojing.cli.console import progress_bar, say
from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import check_suffix, load, save
from mojing.core.progress import track

if TYPE_CHECKING:
    from mojing.tryon.pipeline import GarmentLook, PersonLook, TryOn

_T = TypeVar("_T")
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
_CELL_HW = (320, 240)


def contact_sheet(folder: Path, out: Path, *, gan: bool, threads: int) -> None:
    """Dress every photo of FOLDER/people in every garment of FOLDER/garments and write one sheet.

    The first row shows the garments, the first column the people; a refusal is shown by its code.
    """
    check_suffix(out)
    people, garments = _photos(folder / "people"), _photos(folder / "garments")
    from mojing.tryon.pipeline import TryOn

    rows = [np.hstack([np.full((*_CELL_HW, 3), 255, np.uint8), *(cell(load(path).flat()) for path in garments)])]
    refused: list[str] = []
    with progress_bar():
        mirror = TryOn(threads=threads, gan=gan)
        looks = [tried(partial(mirror.garment, path)) for path in track(garments, "garments")]
        for path in track(people, "people"):
            person = tried(partial(mirror.look, path))
            cells = [cell(load(path).flat())]
            for look, garment in zip(looks, garments, strict=True):
                made = _dressed(mirror, person, look)
                if isinstance(made, InputError):
                    refused.append(f"{path.name} + {garment.name}: {made.code}: {made}")
                cells.append(words(made.code) if isinstance(made, InputError) else cell(made))
            rows.append(np.hstack(cells))
    save(out, np.vstack(rows))
    for line in refused:
        say(line)
    total = len(people) * len(garments)
    say(f"{total - len(refused)} of {total} pictures made; the sheet is {out}")


def tried(make: Callable[[], _T]) -> _T | InputError:
    """What `make` gives, or its refusal: one bad photo must not stop the sheet."""
    try:
        return make()
    except InputError as error:
        return error


def _dressed(mirror: TryOn, person: PersonLook | InputError, garment: GarmentLook | InputError) -> U8 | InputError:
    if isinstance(person, InputError):
        return person
    if isinstance(garment, InputError):
        return garment
    result = tried(partial(mirror, person, garment))
    return result if isinstance(result, InputError) else result.image


def _photos(folder: Path) -> list[Path]:
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in _SUFFIXES)
    if not found:
        raise InputError("not_found", f"there are no photos in {folder}", "give a folder with people/ and garments/")
    return found


def cell(rgb: U8) -> U8:
    """The picture fitted into a cell on white: uint8 HxWx3."""
    h, w = _CELL_HW
    scale = min(h / rgb.shape[0], w / rgb.shape[1])
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    cell = np.full((h, w, 3), 255, np.uint8)
    y, x = (h - size[1]) // 2, (w - size[0]) // 2
    cell[y : y + size[1], x : x + size[0]] = small
    return cell


def words(text: str) -> U8:
    cell = np.full((*_CELL_HW, 3), 235, np.uint8)
    black = (60.0, 60.0, 60.0)
    cv2.putText(cell, text, (12, _CELL_HW[0] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.6, black, 1, cv2.LINE_AA)
    return cell
