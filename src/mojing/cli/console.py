"""What the commands say: a progress bar on stderr, JSON on stdout, reports in files."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mojing.core import files
from mojing.core.errors import MojingError, QualityError
from mojing.core.progress import listening

if TYPE_CHECKING:
    from mojing.core.image import Photo

LINE_EVERY_S = 10.0


@contextmanager
def progress_bar() -> Iterator[None]:
    """Show all progress reported inside the block as bars on stderr, or as a line now and then if it is no terminal."""
    if not sys.stderr.isatty():
        with listening(_Lines()):
            yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def listen(done: int, total: int, *, what: str) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        with listening(listen):
            yield


class _Lines:
    """Progress as plain lines for logs, one every few seconds, so that short work leaves none."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, done: int, total: int, *, what: str) -> None:
        now = time.monotonic()
        if now - self.last >= LINE_EVERY_S:
            self.last = now
            print(f"{what}: {done}" + (f" of {total}" if total else ""), file=sys.stderr)


@contextmanager
def unheard() -> Iterator[None]:
    """Keep what libraries of C write to stderr by themselves from the user: the refusal says it in one line."""
    sys.stderr.flush()
    try:
        heard = os.dup(2)
    except OSError:  # there is no stderr to be written to
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(heard, 2)
        os.close(heard)
        os.close(nowhere)


def read_photo(path: Path) -> Photo:
    """The picture of a file; complaints of decoders about damaged files are not heard.

    Raises:
        InputError: as `core.image.load` does.
    """
    from mojing.core.image import load

    with unheard():
        return load(path)


def say(text: str, *, quiet: bool = False) -> None:
    """Print a line for the user on stdout."""
    if not quiet:
        print(text)


def to_json(data: Any) -> str:
    """Indented JSON; NumPy numbers and arrays become numbers and lists, paths become text."""
    return json.dumps(data, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def write_json(path: Path, data: Any) -> None:
    """Write JSON, making folders as needed.

    Raises:
        InputError: unwritable.
    """
    # A file name need not be text; what is none is written as an escape, which JSON reads.
    files.write(path, (to_json(data) + "\n").encode("utf-8", "backslashreplace"))


def refusal(error: MojingError) -> dict[str, Any]:
    """Report of a try-on that was refused."""
    report: dict[str, Any] = {
        "status": "refused",
        "error": {"code": error.code, "message": str(error), "hint": error.hint},
    }
    if isinstance(error, QualityError):
        report["quality"] = {"score": error.score, "reasons": list(error.reasons), "ok": False}
    return report


def figures(data: Mapping[str, Any], *, indent: str = "") -> str:
    """Nested figures as readable lines, floats to four places."""
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{key}")
            lines.append(figures(value, indent=indent + "  "))
        elif isinstance(value, list) and len(value) > 8:
            lines.append(f"{indent}{key:<28} {len(value)} values")
        else:
            lines.append(f"{indent}{key:<28} {f'{value:.4f}' if isinstance(value, float) else value}")
    return "\n".join(lines)
