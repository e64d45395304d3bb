"""Pictures drawn from a GAN run's last checkpoint, with the pictures it was trained on and those it never saw."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.train.adversarial import build_game, load_material, make_fabric
from mojing.train.data.images import Pictures
from mojing.train.settings import Options


@dataclass(frozen=True, eq=False)
class Drawn:
    """Generated pictures (N, C, H, W) uint8, and the real ones they are to be like."""

    samples: U8
    train: Pictures
    held: Pictures


def draw(run: Path, count: int, *, data: Path | None = None, seed: int | None = None) -> Drawn:
    """About `count` pictures of the averaged generator of a run; `data` where they lie elsewhere now.

    Raises:
        InputError: bad_data, when the folder holds no run with a checkpoint or makes points; those of its data.
    """
    options = replace(recorded(run), devices=1, accelerator="cpu")
    options = replace(options, data=data or options.data, seed=options.seed if seed is None else seed)
    if not (run / "last.pt").is_file():
        raise InputError("bad_data", f"{run} has no checkpoint", "let the run go on until it saves one")
    material = load_material(options)
    if material.train.points:
        raise InputError("bad_data", f"{run} makes points, not pictures", "see mojing bench modes for points")
    game = build_game(options, material, fabric=make_fabric(options))
    state = torch.load(run / "last.pt", map_location="cpu", weights_only=True)
    game.restore(state["game"])
    samples = game.make(count).numpy()
    if material.second is not None:
        return Drawn(samples, material.second, material.second_held or material.second.take(np.zeros(0, np.int64)))
    return Drawn(samples, material.train, material.held)


def recorded(run: Path) -> Options:
    """The options a run was started with.

    Raises:
        InputError: bad_data.
    """
    paths = {"data", "data_b", "labels", "out"}
    try:
        raw = json.loads((run / "options.json").read_text(encoding="utf-8"))
        known = {f.name for f in fields(Options)} & raw.keys()
        values: dict[str, Any] = {k: Path(raw[k]) if k in paths and raw[k] is not None else raw[k] for k in known}
        return Options(**values)
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        raise InputError("bad_data", f"{run} is no run: {exc}", "give the --out of mojing train gan") from exc
