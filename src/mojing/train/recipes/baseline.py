"""`mojing train baseline pix2pix|cyclegan`: the field's first try-on networks on the crops our own is trained on.

A thin recipe over the laboratory's: the same game, loop, log and doctor; the run's generator becomes
`baseline-KIND.onnx` in RUN/export, where `mojing eval tryon --baseline` finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import torch

from mojing.core.errors import InputError
from mojing.train.adversarial import train as play
from mojing.train.data.pairs import read_pairs
from mojing.train.export import export
from mojing.train.games import Material
from mojing.train.nets.exportable import Exportable, ports
from mojing.train.options import parse_options
from mojing.train.recipes.gan import recipe
from mojing.train.settings import Common
from mojing.train.settings import Options as GanOptions
from mojing.train.ship import LIMITS, PEOPLE, SHOP
from mojing.train.variants import load_makers, read_run
from mojing.tryon.baselines import INPUTS, PREFIX

_TELLS = {
    "pix2pix": "8 channels -1..1: photo blanked in the edit region, that region, draped garment, its opacity",
    "cyclegan": "3 channels -1..1: photo, grey in the edit region, the draped garment pasted there",
}


@dataclass(frozen=True)
class Options(Common):
    """Train a baseline of the try-on; the first word says which: pix2pix or cyclegan."""

    crops: Path = Path("runs/dressing")
    """folder of the crops that `mojing train tryon` prepared; `validation` in it, if there is one, is held out"""
    out: Path = Path("runs/baseline")
    """folder of the run, as for `train gan`; an existing run is resumed; the model comes to lie in `export` in it"""
    height: Literal[128, 256] = 128
    """height of the pictures in px; they are 96 or 192 px wide"""
    copies: int = 1
    """further copies of each crop, disturbed as ours are in training"""
    batch: int = 0
    """pictures a step; 0 for the recipe's own"""
    width: int = 0
    """channels of the networks at full resolution; 0 for the recipe's own"""


def load_material(kind: str, options: Options) -> Material:
    """The pictures of the crops.

    Raises:
        InputError: no_images, too_few.
    """
    o = options
    seen, held = read_pairs(o.crops, kind, height=o.height, copies=o.copies, limit=o.limit, seed=o.seed)
    return Material(seen[0], held[0], seen[1], held[1])


def gan_options(kind: str, options: Options) -> GanOptions:
    """The laboratory's options of a baseline: those of its recipe, and what was asked for."""
    o = options
    given = {name: getattr(o, name) for name in ("batch", "width") if getattr(o, name)}
    return recipe(
        kind, data=o.crops, out=o.out, minutes=o.minutes, clock=o.clock, steps=o.steps, accelerator=o.accelerator,
        precision=o.precision, tensorboard=o.tensorboard, threads=o.threads, seed=o.seed, metrics_samples=256, **given,
    )  # fmt: skip


def train(kind: str, options: Options) -> Path:
    """Train, or go on with, a baseline and export it; returns the model's path.

    Raises:
        InputError: the crops or options cannot be used. DivergedError: something is not finite.
    """
    _check(kind)
    cv2.setNumThreads(1)
    torch.set_num_threads(options.threads)
    material = load_material(kind, options)
    return export_baseline(play(gan_options(kind, options), material), options.out / "export")


def export_baseline(run: Path, folder: Path) -> Path:
    """Write `baseline-KIND.onnx` and its description of a run, finished or not, into `folder`; returns its path.

    Raises:
        InputError: bad_data, when it is no run of a baseline. ModelError: model_mismatch.
    """
    options, state = read_run(run)
    kind, maker = options["recipe"], load_makers(run)[0]
    _check(kind)
    inputs = ports(maker.spec)
    card = {
        "purpose": f"baseline of the try-on ({kind}), for comparison only: {_TELLS[kind]} -> the person dressed, -1..1",
        "licence": "Apache-2.0",
        "datasets": [PEOPLE, SHOP],
        "limits": LIMITS,
        "training": {
            "minutes": round(state["spent"] / 60, 1),
            "clock": options.get("clock", "wall"),
            "threads": options["threads"],
            "steps": state["step"],
            "batch": options["batch"],
            "images": options["facts"]["images"],
        },
    }
    net = Exportable(maker.net, maker.spec)
    return export(net, folder, PREFIX + kind, inputs=inputs, outputs=["result"], card=card)


def _check(kind: str) -> None:
    if kind not in INPUTS:
        raise InputError("bad_options", f"there is no baseline {kind!r}", f"choose {' or '.join(INPUTS)}")


def parse(argv: Sequence[str]) -> tuple[str, Options]:
    """Kind of baseline and options of a command line.

    Raises:
        InputError: bad_options.
    """
    words = list(argv)
    kind = words.pop(0) if words and not words[0].startswith("-") else ""
    options = parse_options(Options, words)
    _check(kind)
    return kind, options


def main(argv: Sequence[str]) -> int:
    """Entry point of the recipe without a command line around it."""
    train(*parse(argv))
    return 0
