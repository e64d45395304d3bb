"""What the fits of numbers that belong to a model's weights share: their command line, and writing NAME.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mojing.core.errors import InputError
from mojing.eval.people import find_teacher
from mojing.runtime import ModelStore


@dataclass(frozen=True)
class Place:
    """Where a fit finds the data (DATA), the teacher's labels of the street photos, and the models."""

    data: Path
    teacher: Path
    store: ModelStore


def place(argv: Sequence[str] | None, *, what: str) -> Place:
    """Read `DATA [--teacher LABELS] [--models FOLDER]`.

    Raises:
        InputError: bad_data, when the teacher's labels are not found.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("data", type=Path, help="folder of the data sets")
    parser.add_argument("--teacher", type=Path, help="folder of the teacher's labels")
    parser.add_argument("--models", type=Path, help="folder of the models; the package's own by default")
    options = parser.parse_args(argv)
    teacher = find_teacher(options.data, options.teacher)
    if teacher is None:
        raise InputError("bad_data", "the teacher's joints are needed", hint="make them with `mojing label`")
    return Place(options.data, teacher, ModelStore(options.models))


def amend(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a model's description in place; nothing else in it is touched."""
    description = json.loads(path.read_text(encoding="utf-8"))
    change(description)
    path.write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def put(key: str, value: Mapping[str, Any], *, metric: str, figures: Mapping[str, Any]) -> Callable[[Any], None]:
    """A change for `amend`: a fitted entry and the figures of its check, under `metrics`."""

    def change(description: dict[str, Any]) -> None:
        description[key] = dict(value)
        description.setdefault("metrics", {})[metric] = dict(figures)

    return change
