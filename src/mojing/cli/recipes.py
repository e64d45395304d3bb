"""`mojing train` and `mojing label`: the only way from the installed package into `mojing.train`."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import typer

from mojing.cli.console import progress_bar
from mojing.core.errors import InputError, MissingExtraError


def run_recipe(name: str, argv: list[str]) -> None:
    """Hand the rest of the command line to a training recipe, or to the export of a finished run.

    Raises:
        MissingExtraError: torch is not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtraError("train", needs="torch")
    recipe = import_module("mojing.train.ship" if name == "export" else f"mojing.train.recipes.{name}")
    with progress_bar():
        code = recipe.main(argv)
    if code:
        raise typer.Exit(code)


def run_teacher(photos: Path, out: Path, *, python: Path | None) -> None:
    """Run the teacher as a script, under `python` or the current interpreter.

    It cannot be imported: mediapipe needs numpy < 2, so it lives in another environment.

    Raises:
        InputError: not_found. MissingExtraError: mediapipe is not installed there.
    """
    if not photos.is_dir():
        raise InputError("not_found", f"there is no folder {photos}", "give a folder of photos")
    interpreter = str(python) if python is not None else sys.executable
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('mediapipe') is None)"
    try:
        found = subprocess.run([interpreter, "-c", probe], check=False, capture_output=True)
    except OSError as exc:
        raise InputError("not_found", f"{interpreter} cannot be run", "give --python a Python interpreter") from exc
    if found.returncode != 0:
        raise MissingExtraError("teacher", needs="mediapipe (in an environment of its own, see --python)")
    script = Path(__file__).parents[1] / "train" / "data" / "teacher.py"
    done = subprocess.run([interpreter, str(script), str(photos), "--out", str(out)], check=False)
    if done.returncode:
        raise typer.Exit(1)
