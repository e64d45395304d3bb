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
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import Tensor, nn

from mojing.core.errors import InputError
from mojing.runtime.store import ModelStore
from mojing.train.adversarial import build_game, launch, train
from mojing.train.data.designs import FILE, OF_KIND, SIDE, Designs, prepare
from mojing.train.games import Batch, Game, Material, NoiseGame
from mojing.train.loop import CLOCKS, Run
from mojing.train.monitor import Watch
from mojing.train.options import parse_options
from mojing.train.recipes.gan import recipe
from mojing.train.settings import Common, Options

CLIP = 10.0
"""Norm of gradients beyond which they are shortened; those of a healthy run stay mostly below."""

HAND_OVER = 500
"""Steps in which the outermost layers of a grown network learn to do what those of the small one did."""

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
    """gamma of the penalties R1 and R2 at half the size; at full size four times it, as it goes with the pixels"""
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
        clock=asked.clock,
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
            grow(first, options, small=material_of(designs, first.size), material=material)
        return train(options, material)
    return train(options, material_of(designs, options.size))


def begun(run: Path) -> bool:
    """Whether a run has taken a step; one that was only grown is grown anew, as its first half may have gone on."""
    last = run / "last.pt"
    return last.exists() and bool(torch.load(last, map_location="cpu", weights_only=True)["step"] > 0)


def grow(first: Options, options: Options, *, small: Material, material: Material) -> None:
    """Begin the run of `options` with the networks of a finished run `first` at half the size and twice the width.

    The new outermost layers learn first, alone, to do what the old ones did (`hand_over`): with fresh ones the rest
    forgot in some hundred steps what it had learnt. The time this takes is the new run's.
    """
    before: dict[str, Any] = torch.load(first.out / "last.pt", map_location="cpu", weights_only=True)["game"]

    def work(fabric: Fabric) -> None:
        run = Run(options.out, minutes=max(options.minutes, 1.0), steps=options.steps, clock=CLOCKS[options.clock])
        old, game = build_game(first, small, fabric=fabric), build_game(options, material, fabric=fabric)
        run.start()
        old.restore(before)
        for name, player in game.players.items():
            judge = name in game.judges
            weights = old.players[name].net.state_dict()
            player.net.load_state_dict(grown(player.net.state_dict(), weights, judge=judge))
            hand_over(game, name, old=old.players[name].net, new=player.net)
        for name, average in game.averages.items():
            average.net.load_state_dict(game.players[name].net.state_dict())
            weights = old.averages[name].net.state_dict()
            average.net.load_state_dict(grown(average.net.state_dict(), weights, judge=False))
            hand_over(game, name, old=old.averages[name].net, new=average.net, steps=HAND_OVER // 2)
        run.prepared()
        run.save({"game": game.state(), "watch": Watch(game).state()})

    launch(options, work)


def hand_over(game: Game, name: str, *, old: nn.Module, new: nn.Module, steps: int = HAND_OVER) -> float:
    """Teach the outermost layers of a grown network, the rest held still, to do what the old network's did.

    A generator's picture should be the old one's at twice the size; what a discriminator's second block is given, what
    the old one's first was given of the picture at half the size. Returns the last mean squared difference.
    """
    assert isinstance(game, NoiseGame)
    judge = name in game.judges
    fresh = ("first.", "blocks.0.") if judge else _last_of(new)
    learnt = [p for key, p in new.named_parameters() if key.startswith(fresh)]
    before = {p: p.requires_grad for p in new.parameters()}
    new.requires_grad_(False)
    for p in learnt:
        p.requires_grad_(True)
    optimizer = torch.optim.Adam(learnt, lr=4e-3)
    loss = torch.zeros(())
    for step in range(steps):
        generator = torch.Generator().manual_seed(step)
        rows = torch.randint(len(game.bank), (16,), generator=generator)
        batch = game.bank.at(rows).to(game.fabric.device)
        z = torch.randn((16, game.options.latent), generator=generator).to(game.fabric.device)
        with game.fabric.autocast():
            loss = _gap(old, new, batch=batch, z=z, judge=judge)
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * (1 - step / steps)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    for p, learns in before.items():
        p.requires_grad_(learns)
    return float(loss.detach())


def _gap(old: nn.Module, new: nn.Module, *, batch: Batch, z: Tensor, judge: bool) -> Tensor:
    """Mean squared difference of what old and new outermost layers do."""
    if judge:
        with torch.no_grad():
            wanted = old.entry(F.avg_pool2d(batch.x, 2))  # type: ignore[operator]
        return F.mse_loss(new.blocks[0](new.entry(batch.x)).float(), wanted.float())  # type: ignore[index, operator]
    with torch.no_grad():
        wanted = F.interpolate(old(z, *batch.about).float(), scale_factor=2, mode="bilinear", align_corners=False)
    return F.mse_loss(new(z, *batch.about).float(), wanted)


def _last_of(net: nn.Module) -> tuple[str, ...]:
    """Beginnings of the names of a modern generator's outermost layers."""
    last = max(int(key.split(".")[2]) for key, _ in net.named_parameters() if key.startswith("synthesis.blocks."))
    return (f"synthesis.blocks.{last}.", f"synthesis.excite.{last + 1}.", "synthesis.head.")


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
