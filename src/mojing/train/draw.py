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
from mojing.train.data.designs import Designs
from mojing.train.data.images import Pictures
from mojing.train.recipes.design import SMALL, material_of
from mojing.train.settings import Options


@dataclass(frozen=True, eq=False)
class Drawn:
    """Generated pictures (N, C, H, W) uint8, the real ones they are to be like, and what the training took."""

    samples: U8
    train: Pictures
    held: Pictures
    training: dict[str, Any]


def draw(run: Path, count: int, *, data: Path | None = None, seed: int | None = None) -> Drawn:
    """About `count` pictures of the averaged generator of a run; `data` where they lie elsewhere now.

    Pictures with opacity (the design recipe's) are given as they look on white, which is how its RGB is made.

    Raises:
        InputError: bad_data, when the folder holds no run with a checkpoint or makes points; those of its data.
    """
    options = replace(recorded(run), devices=1, accelerator="cpu", precision="32-true")
    options = replace(options, data=data or options.data, seed=options.seed if seed is None else seed)
    if not (run / "last.pt").is_file():
        raise InputError("bad_data", f"{run} has no checkpoint", "let the run go on until it saves one")
    channels = json.loads((run / "options.json").read_text(encoding="utf-8"))["facts"]["channels"]
    designs = channels == 4  # only the design recipe makes opacity
    material = material_of(Designs.load(options.data), options.size) if designs else load_material(options)
    if material.train.points:
        raise InputError("bad_data", f"{run} makes points, not pictures", "see mojing bench modes for points")
    game = build_game(options, material, fabric=make_fabric(options))
    state = torch.load(run / "last.pt", map_location="cpu", weights_only=True)
    game.restore(state["game"])
    samples = game.make(count).numpy()
    told = training(run, options)
    train, held = material.train, material.held
    if material.second is not None:
        train, held = material.second, material.second_held or material.second.take(np.zeros(0, np.int64))
    train, held = (replace(part, pixels=part.pixels[:, :3]) for part in (train, held))
    return Drawn(samples[:, :3], train, held, told)


def training(run: Path, options: Options) -> dict[str, Any]:
    """Recipe, minutes and steps of a run, its first part (`train design`) included, clock, threads, pictures a step."""
    minutes, steps = 0.0, 0
    for folder in (run, run / SMALL):
        if (folder / "last.pt").is_file():
            state = torch.load(folder / "last.pt", map_location="cpu", weights_only=True)
            minutes, steps = minutes + state["spent"] / 60, steps + int(state["step"])
    return {
        "recipe": options.recipe,
        "minutes": round(minutes, 2),
        "clock": options.clock,
        "steps": steps,
        "threads": options.threads,
        "batch": options.batch,
    }


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
