"""Joints and anchors as JSON: `{"joints": {"left_shoulder": [x_px, y_px, confidence], ...}}`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.core.errors import InputError

_HINT = "write it as mojing inspect garment does: names with [x_px, y_px, confidence]"


def points_json(points: AnyArray, names: tuple[str, ...], *, key: str) -> dict[str, dict[str, list[float]]]:
    """JSON form of points (J, 3) of x_px, y_px, confidence, in the order of `names`, under `key`."""
    assert len(points) == len(names), (len(points), len(names))
    rows = {name: [round(float(v), 3) for v in row[:3]] for name, row in zip(names, points, strict=True)}
    return {key: rows}


def read_points(path: str | Path, names: tuple[str, ...]) -> F32:
    """Points float32 (J, 3) of x_px, y_px, confidence from a JSON file; names left out get confidence 0.

    The names may stand at the top or under "anchors" or "joints"; a confidence left out is 1.

    Raises:
        InputError: not_found, bad_anchors.
    """
    path = Path(path)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise InputError("not_found", f"there is no file {path}", "check the path") from exc
    except (OSError, ValueError, RecursionError) as exc:
        raise InputError("bad_anchors", f"{path.name} is not JSON: {exc}", _HINT) from exc
    return parse_points(raw, names, source=path.name)


def parse_points(raw: Any, names: tuple[str, ...], *, source: str = "the points") -> F32:
    """Points float32 (J, 3) from the JSON form.

    Raises:
        InputError: bad_anchors.
    """
    rows = next((raw[key] for key in ("anchors", "joints") if key in raw), raw) if isinstance(raw, dict) else None
    if not isinstance(rows, dict) or not rows:
        raise InputError("bad_anchors", f"{source} holds no named points", _HINT)
    points = np.zeros((len(names), 3), np.float32)
    for name, row in rows.items():
        if name not in names:
            raise InputError("bad_anchors", f"{source} names {name!r}; known are {', '.join(names)}", _HINT)
        numbers = isinstance(row, list) and all(type(v) in (int, float) for v in row)
        if not numbers or len(row) not in (2, 3) or not np.isfinite(row).all():
            raise InputError("bad_anchors", f"{source}: {name} must be [x_px, y_px, confidence]", _HINT)
        points[names.index(name)] = (*row, 1.0)[:3]
    return points
