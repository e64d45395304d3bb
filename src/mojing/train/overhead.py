"""What the loop costs: pictures a second of a recipe against a plain loop of the same networks, in one run.

The plain loop is what one would write by hand for the modern recipe: the same networks, losses, penalties and
augmentation, the same optimizer, no log, samples, averages, checks or checkpoints. Both take turns every few steps, so
that whatever else the machine does slows both alike; every turn gives one ratio, and the median of them is told. The
ratio of CPU times holds on a busy machine too, where the clock's does not.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from mojing.train.adversarial import Trial, launch
from mojing.train.data.images import Pictures
from mojing.train.diffaugment import diff_augment
from mojing.train.games import Material, noise_specs, to_signed
from mojing.train.losses import discriminator_loss, generator_loss
from mojing.train.nets.gan import build_discriminator, build_generator
from mojing.train.regularisers import r1, r2
from mojing.train.settings import Options

WARM_UP: Final = 4


def random_pictures(size: int, *, count: int = 512, channels: int = 3) -> Pictures:
    """Noise to measure speed on: the time of a step does not depend on what the pictures show."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, channels, size, size), np.uint8)
    return Pictures(pixels, tuple(map(str, range(count))))


class PlainLoop:
    """The modern recipe by hand."""

    def __init__(self, options: Options, pictures: Pictures) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        maker, judge = noise_specs(options, pictures)
        self.g, self.d = build_generator(maker), build_discriminator(judge)
        betas = (options.beta1, options.beta2)
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=options.lr_g, betas=betas)
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=options.lr_d, betas=betas)
        self.pixels = torch.from_numpy(pictures.pixels)
        self.chance = torch.Generator().manual_seed(0)

    def _shown(self, x: Tensor, p: float) -> Tensor:
        if self.options.augment == "none":
            return x
        return diff_augment(x, generator=self.chance, policy=self.options.policy, p=p)

    def step(self, step: int, *, p: float) -> None:
        """One update of both networks; `p` is how likely a picture is augmented."""
        o = self.options
        real = to_signed(self.pixels[torch.randint(len(self.pixels), (o.batch,))])
        with torch.no_grad():
            fake = self.g(torch.randn(o.batch, o.latent))
        shown, made = self._shown(real, p), self._shown(fake, p)
        lazy = step % o.penalty_every == 0
        if lazy:
            shown, made = shown.requires_grad_(), made.requires_grad_()
        on_real, on_fake = self.d(shown), self.d(made)
        loss = discriminator_loss(o.loss, real=on_real, fake=on_fake)
        if lazy:
            loss = loss + r1(on_real, shown, gamma=o.r1) + r2(on_fake, made, gamma=o.r2)
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        self.d.requires_grad_(False)
        on_fake = self.d(self._shown(self.g(torch.randn(o.batch, o.latent)), p))
        with torch.no_grad():
            on_real = self.d(self._shown(real, p))
        self.opt_g.zero_grad()
        generator_loss(o.loss, real=on_real, fake=on_fake).backward()
        self.opt_g.step()
        self.d.requires_grad_(True)


def bench_gan(options: Options, *, size: int = 64, rounds: int = 12, steps: int = 8) -> dict[str, Any]:
    """Pictures a second of the loop and of the plain loop, and the median ratio of their times over the rounds.

    `options` are those of a recipe with a relativistic loss, R1 and R2. The loop logs at its usual rate (`log_every`),
    averages weights, checks for numbers that are none, and saves at the end of every round.
    """
    torch.set_num_threads(options.threads)
    pictures = random_pictures(size)
    with tempfile.TemporaryDirectory() as tmp:
        options = replace(options, out=Path(tmp), steps=10**9, samples_every=0, metrics_samples=0, tensorboard=True)
        found: list[dict[str, Any]] = []
        launch(options, lambda fabric: found.append(_compare(options, pictures, fabric, rounds=rounds, steps=steps)))
    facts = {"recipe": options.recipe, "size": size, "batch": options.batch, "threads": options.threads}
    return {**facts, "log_every": options.log_every, **found[0]}


def _compare(options: Options, pictures: Pictures, fabric: Fabric, *, rounds: int, steps: int) -> dict[str, Any]:
    trial = Trial(options, Material(pictures, pictures.take(np.arange(64))), fabric=fabric)
    plain = PlainLoop(options, pictures)
    done = 0
    ours: list[NDArray[np.float64]] = []
    theirs: list[NDArray[np.float64]] = []
    with trial.opened():
        for turn in range(rounds + 1):
            count = steps if turn else WARM_UP
            p = 0.0 if trial.game.ada is None else trial.game.ada.p
            start = _now()
            for _ in range(count):
                trial.once()
            middle = _now()
            for i in range(count):
                plain.step(done + i, p=p)
            end = _now()
            done += count
            if turn:
                ours.append(middle - start)
                theirs.append(end - middle)
    pictures_a_round = steps * options.batch
    loop, by_hand = np.array(ours), np.array(theirs)
    ratio, cpu = np.median(loop / by_hand, axis=0)
    return {
        "images_per_s": pictures_a_round / float(np.median(loop[:, 0])),
        "plain_images_per_s": pictures_a_round / float(np.median(by_hand[:, 0])),
        "images_per_cpu_s": pictures_a_round / float(np.median(loop[:, 1])),
        "plain_images_per_cpu_s": pictures_a_round / float(np.median(by_hand[:, 1])),
        "time_ratio": float(ratio),
        "cpu_time_ratio": float(cpu),
        "rounds": rounds,
    }


def _now() -> NDArray[np.float64]:
    """Seconds on the wall's clock, and those all threads of this process had a CPU."""
    return np.array([time.perf_counter(), time.process_time()])
