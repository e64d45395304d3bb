"""Recipe of the design generator: garments cut out of photos, then the laboratory's `modern` recipe on them.

The networks are told the kind of garment and the colour of its cloth and make RGBA. A run begins at half the size,
where a step costs less and shapes are learnt, and goes on at full size with those weights (progressive growing, Karras
et al. 2018, arXiv:1710.10196, without the fade: the new layers are learnt at once, under the penalties).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor

from mojing.core.errors import InputError
from mojing.runtime.store import ModelStore
from mojing.train.adversarial import build_game, launch, train
from mojing.train.data.designs import FILE, OF_KIND, SIDE, Designs, prepare
from mojing.train.games import Material
from mojing.train.loop import Run
from mojing.train.monitor import Watch
from mojing.train.options import parse_options
from mojing.train.recipes.gan import recipe
from mojing.train.settings import Common, Options

CLIP = 10.0
"""Norm of gradients beyond which they are shortened; those of a healthy run stay mostly below."""

SMALL = "small"
"""Folder inside the run's that holds the half at half the size."""


@dataclass(frozen=True)
class DesignOptions(Common):
    """Train the design generator on photos of garments. A stopped run goes on when the same command is given again."""

    data: Path = Path("data")
    """folder of the data sets: garments/ and, where there is one, shop/"""
    out: Path = Path("runs/design")
    """folder of the run; its first part, at half the size, lies in small/ inside it"""
    designs: Path | None = None
    """npz file of cut-outs, made on first use; OUT/designs.npz if not given"""
    limit: int = 0
    """cut out only so many photos, evenly spread; 0 takes all"""
    of_kind: int = OF_KIND
    """photos to train on that a kind of garment must have to be learnt"""
    prepare_only: bool = False
    """make the cut-outs and stop"""

    minutes: float = 60.0
    """training time, not counting the cut-outs"""
    steps: int = 0
    """how many steps instead, for each part of the run; 0 counts minutes"""
    small_share: float = 0.5
    """share of the time spent at half the size; 0 for full size all along"""
    size: int = SIDE
    """side of the pictures in px"""
    width: int = 8
    """channels at full size, twice as many at half of it, and so on"""
    batch: int = 32
    """pictures a step"""
    lr: float = 1e-3
    """learning rate of both networks at half the size; at full size, where weights are taken over, half of it"""
    r: float = 1.0
    """gamma of the penalties R1 and R2 at half the size; at full size four times it: it goes with the number of pixels"""
    metrics_samples: int = 1000
    """made and real pictures measured on at the end; 0 measures never"""
    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed"
    """numbers to compute in"""


def options_of(asked: DesignOptions, designs: Path, *, small: bool) -> Options:
    """The loop's options for one part of the run.

    Colours are left alone by the augmentation, as the discriminator is told them; mirrored garments are garments. The
    penalties' gamma grows with the number of pixels (Karras et al. 2020, arXiv:2006.06676, appendix C): with that of
    half the size, and the same learning rate, a run diverged at full size after 450 steps.
    """
    share = asked.small_share if small else 1 - asked.small_share
    lr, gamma = (asked.lr, asked.r) if small else (asked.lr / 2, asked.r * 4)
    known = ModelStore().has("features")
    found = "gpu" if torch.cuda.is_available() else "cpu"
    return recipe(
        "modern",
        data=designs,
        out=asked.out / SMALL if small else asked.out,
        size=asked.size // 2 if small else asked.size,
        width=asked.width * 2 if small else asked.width,
        minutes=0.0 if asked.steps else asked.minutes * share,
        steps=asked.steps,
        batch=asked.batch,
        conditional=True,
        flip=True,
        policy="translation,cutout",
        lr_g=lr,
        lr_d=lr,
        r1=gamma,
        r2=gamma,
        clip=CLIP,
        features="ours" if known else "pixels",
        metrics_samples=0 if small else asked.metrics_samples,
        accelerator=found if asked.accelerator == "auto" else asked.accelerator,
        precision=asked.precision,
        tensorboard=asked.tensorboard,
        threads=asked.threads,
        seed=asked.seed,
    )


def material_of(designs: Designs, size: int) -> Material:
    """Pictures of one size to train on, and those of held-out senders and photos."""
    pictures = designs.pictures(size)
    train_rows, held_rows = np.flatnonzero(~designs.held), np.flatnonzero(designs.held)
    return Material(pictures.take(train_rows), pictures.take(held_rows))


def run_design(asked: DesignOptions) -> Path:
    """Prepare the cut-outs where there are none yet, then train, or go on; returns the run's folder.

    Raises:
        InputError: the data or options cannot be used. DivergedError: something is not finite.
    """
    if not 0 <= asked.small_share < 1 or asked.minutes <= 0 or asked.size % 2 or asked.steps < 0:
        raise InputError("bad_options", "--small-share is 0 up to, not with, 1; --minutes above 0; --size even",
                         hint="see mojing train design --help")  # fmt: skip
    path = asked.designs or asked.out / FILE
    if not path.is_file():
        models = ModelStore()
        prepare(
            asked.data, path, models=models, threads=asked.threads, limit=asked.limit, of_kind=max(asked.of_kind, 1)
        )
    if asked.prepare_only:
        return path
    designs = Designs.load(path)
    options = options_of(asked, path, small=False)
    if asked.small_share > 0:
        first = options_of(asked, path, small=True)
        train(first, material_of(designs, first.size))
        material = material_of(designs, options.size)
        if not begun(options.out):
            grow(first.out, options, material)
        return train(options, material)
    return train(options, material_of(designs, options.size))


def begun(run: Path) -> bool:
    """Whether a run has taken a step; one that was only grown is grown anew, as its first half may have gone on."""
    last = run / "last.pt"
    return last.exists() and bool(torch.load(last, map_location="cpu", weights_only=True)["step"] > 0)


def grow(small: Path, options: Options, material: Material) -> None:
    """Begin the run of `options` with the weights of a finished run at half the size and twice the width."""
    before: dict[str, Any] = torch.load(small / "last.pt", map_location="cpu", weights_only=True)["game"]

    def work(fabric: Fabric) -> None:
        game = build_game(options, material, fabric=fabric)
        for name, player in game.players.items():
            weights = before["players"][name]["net"]
            player.net.load_state_dict(grown(player.net.state_dict(), weights, judge=name in game.judges))
        for name, average in game.averages.items():
            average.net.load_state_dict(grown(average.net.state_dict(), before["averages"][name]["net"], judge=False))
        run = Run(options.out, minutes=max(options.minutes, 1.0), steps=options.steps)
        run.save({"game": game.state(), "watch": Watch(game).state()})

    launch(options, work)


def grown(fresh: Mapping[str, Tensor], small: Mapping[str, Tensor], *, judge: bool) -> dict[str, Tensor]:
    """Weights of a modern network with those it shares with one of half the size: all but its outermost layers.

    The generator's new block is its last, the discriminator's its first, so there the others move up by one.
    """
    out = dict(fresh)
    for name, weight in small.items():
        if judge and name.startswith("blocks."):
            _, number, rest = name.split(".", 2)
            name = f"blocks.{int(number) + 1}.{rest}"
        outermost = name.startswith("first.") if judge else name.startswith("synthesis.head.")
        if not outermost and name in out and out[name].shape == weight.shape:
            out[name] = weight
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the recipe."""
    run_design(parse_options(DesignOptions, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
