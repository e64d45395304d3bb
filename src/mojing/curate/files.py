"""Folders of pictures: what is in them, and where results may be written so that no source is ever touched."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from mojing.core.errors import InputError

SUFFIXES: Final = frozenset(
    (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)

_A = TypeVar("_A")
_B = TypeVar("_B")


@dataclass(frozen=True)
class Listing:
    """Pictures of a folder and its sub-folders by name (`/` between folders, sorted), and how many files are others."""

    folder: Path
    names: tuple[str, ...]
    others: int


def pictures(folder: Path) -> Listing:
    """Find the files whose suffix is a picture's; hidden files and folders are passed over.

    Raises:
        InputError: not_found, no_images.
    """
    if not folder.is_dir():
        raise InputError("not_found", f"there is no folder {folder}", "give a folder of pictures")
    names, others = [], 0
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        if path.suffix.lower() in SUFFIXES:
            names.append(inside.as_posix())
        else:
            others += 1
    if not names:
        raise InputError("no_images", f"there are no pictures in {folder}", "give a folder of JPEG, PNG or WebP files")
    return Listing(folder, tuple(sorted(names)), others)


def result_folder(out: Path, *, source: Path, empty: bool = True) -> Path:
    """Make the folder for results: it may not lie in the source folder, and is new or empty if `empty`.

    Raises:
        InputError: unwritable.
    """
    keep_out(out, source=source)
    try:
        if empty and out.is_dir() and any(out.iterdir()):
            raise InputError("unwritable", f"{out} is not empty", "choose a new folder: nothing is overwritten")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise InputError("unwritable", f"{out} cannot be made: {exc.strerror}", "choose another place") from exc
    return out


def keep_out(out: Path, *, source: Path) -> None:
    """Refuse to write into the source folder.

    Raises:
        InputError: unwritable.
    """
    if out.resolve().is_relative_to(source.resolve()):
        raise InputError("unwritable", f"{out} lies in the source folder, which stays as it is", "choose another place")


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write a text file of one line each, making folders as needed.

    Raises:
        InputError: unwritable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as exc:
        raise InputError("unwritable", f"{path} cannot be written: {exc.strerror}", "choose another place") from exc
    return path


def in_parallel(work: Callable[[_A], _B], items: Iterable[_A], *, threads: int) -> Iterator[_B]:
    """What `work` makes of every item, in order, a few items ahead on `threads` threads.

    Only a few results wait at a time, so that memory does not grow with the number of items.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[_B]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 4 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
