"""Places for results, asked about before any work is done: can they be written, and is nothing given destroyed?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mojing.core import files
from mojing.core.errors import InputError


def check_places(
    results: Iterable[Path | None], *, inputs: Iterable[Path | None] = (), folders: Iterable[Path | None] = ()
) -> None:
    """Refuse files that cannot be written, that were given as inputs or twice, and folders that cannot be.

    Raises:
        InputError: unwritable.
    """
    given = [place for place in inputs if place is not None]
    asked: list[Path] = []
    for place in results:
        if place is None:
            continue
        files.check_file(place)
        if any(same(place, other) for other in given):
            raise InputError("unwritable", f"{place} was given as an input", "choose another place for the result")
        if any(same(place, other) for other in asked):
            raise InputError("unwritable", f"{place} cannot hold two results", "choose two places")
        asked.append(place)
    for folder in folders:
        if folder is not None:
            files.check_folder(folder)


def same(a: Path, b: Path) -> bool:
    """Whether two names lead to one file."""
    return os.path.realpath(a) == os.path.realpath(b)
