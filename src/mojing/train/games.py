"""What is played: a generator against a discriminator over a bank of pictures, one step at a time.

A game holds the players, the averaged generators and whatever else a resumed run needs; the loop around it
(`train.adversarial`) knows only the base class. Games of picture-to-picture translation are in `train.translation`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from mojing.core.errors import InputError
from mojing.train.chance import Chance, Purpose
from mojing.train.data.images import Pictures
from mojing.train.diffaugment import Ada, diff_augment
from mojing.train.loop import Ema
from mojing.train.losses import discriminator_loss, generator_loss
from mojing.train.nets.gan import DiscriminatorSpec, GeneratorSpec, build_discriminator, build_generator
from mojing.train.players import Player
from mojing.train.regularisers import gradient_penalty, instance_noise, mode_seeking, r1, r2, spectral_norm
from mojing.train.settings import Options

FIXED: Final = 64
"""So many latents are kept fixed, to watch what becomes of them."""

Stats = dict[str, Tensor]


def to_signed(pixels: Tensor) -> Tensor:
    """uint8 (N, C, H, W) in 0..255 as float32 in [-1, 1]; floats (points) come back as they are."""
    return pixels.float() / 127.5 - 1 if pixels.dtype == torch.uint8 else pixels


def to_bytes(images: Tensor) -> Tensor:
    """float (N, C, H, W) in [-1, 1] as uint8; points (N, 2) come back as they are."""
    return images if images.dim() == 2 else ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


@dataclass(frozen=True)
class Batch:
    """Pictures (N, C, H, W) in [-1, 1] or points (N, 2), with labels (N,) and conditions (N, K) where there are any."""

    x: Tensor
    labels: Tensor | None = None
    conditions: Tensor | None = None

    @property
    def about(self) -> tuple[Tensor | None, Tensor | None]:
        """What a conditional network is told."""
        return self.labels, self.conditions

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        labels = None if self.labels is None else self.labels.to(device)
        conditions = None if self.conditions is None else self.conditions.to(device)
        return Batch(self.x.to(device), labels, conditions)


class Bank:
    """Pictures as a source of batches."""

    def __init__(self, pictures: Pictures, *, conditional: bool, flip: bool = False) -> None:
        self.pixels = torch.from_numpy(np.ascontiguousarray(pictures.pixels))
        told = conditional and pictures.labels is not None
        self.labels = torch.from_numpy(pictures.labels) if told else None
        asked = conditional and pictures.conditions is not None
        self.conditions = torch.from_numpy(pictures.conditions) if asked else None
        self.flip = flip and not pictures.points

    def __len__(self) -> int:
        return len(self.pixels)

    def at(self, rows: Tensor) -> Batch:
        """Those at the given indices (N,)."""
        labels = None if self.labels is None else self.labels[rows]
        conditions = None if self.conditions is None else self.conditions[rows]
        return Batch(to_signed(self.pixels[rows]), labels, conditions)

    def batch(self, step: int, chance: Chance, *, order: Purpose = Purpose.order) -> Batch:
        """The batch of a step, mirrored by halves when flipping."""
        batch = self.at(chance.rows(step, len(self), purpose=order))
        if not self.flip:
            return batch
        turned = chance.uniform(step, Purpose.flip) < 0.5
        return replace(batch, x=torch.where(turned[:, None, None, None], batch.x.flip(3), batch.x))

    def spread(self, count: int) -> Batch:
        """So many from all over the bank, the same every time."""
        return self.at(torch.linspace(0, len(self) - 1, min(count, len(self))).round().long())


@dataclass(frozen=True)
class Material:
    """What a run is trained and measured on; `second` is the other domain of a translation."""

    train: Pictures
    held: Pictures
    second: Pictures | None = None
    second_held: Pictures | None = None


class Game(ABC):
    """Players, averaged generators, and one step. `judges` and `makers` name discriminators and generators."""

    makers: tuple[str, ...]
    judges: tuple[str, ...]

    def __init__(self, options: Options, *, fabric: Fabric) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        self.fabric = fabric
        self.chance = Chance(options.seed, batch=options.batch, rank=fabric.global_rank, world=fabric.world_size)
        self.players: dict[str, Player] = {}
        self.averages: dict[str, Ema] = {}
        self.noise = options.instance_noise
        self.ada = Ada() if options.augment == "ada" else None
        self.penalties: Stats = {}

    def seat(self, name: str, net: nn.Module, *, maker: bool) -> Player:
        """Give a network its optimizer and, for a generator, its average."""
        o = self.options
        if not maker and o.spectral_norm:
            net = spectral_norm(net)
        if o.precision == "bf16-mixed":
            net = net.to(memory_format=torch.channels_last)  # a CPU's bf16 convolutions are faster so
        player = Player(
            name, net, lr=o.lr_g if maker else o.lr_d, betas=(o.beta1, o.beta2), clip=o.clip, fabric=self.fabric
        )
        self.players[name] = player
        if maker and o.ema:
            self.averages[name] = Ema(player.net, decay=o.ema)
        return player

    def judged(self, x: Tensor, step: int, purpose: Purpose) -> Tensor:
        """What a discriminator is shown of `x`: with noise and augmented, if so set."""
        if self.noise > 0:
            both = (2 * step + int(purpose in (Purpose.augment_fake, Purpose.augment_g_fake)), Purpose.noise)
            x = instance_noise(x, sigma=self.noise, generator=self.chance.generator(*both, shared=False))
        if self.options.augment == "none" or x.dim() == 2:
            return x
        p = 1.0 if self.ada is None else self.ada.p
        generator = self.chance.generator(step, purpose, shared=False)
        return diff_augment(x, generator=generator, policy=self.options.policy, p=p)

    def teach(
        self, judge: Player, *, real: Tensor, fake: Tensor, step: int, at: int, about: tuple[Tensor | None, ...] = ()
    ) -> Stats:
        """One update of a discriminator, with the penalties of the options; `at` numbers its turns over the run.

        `about` is what it is told of both, besides the pictures.
        """
        o = self.options
        shown = self.judged(real, at, Purpose.augment_real)
        made = self.judged(fake.detach(), at, Purpose.augment_fake)
        lazy = (o.r1 > 0 or o.r2 > 0) and step % o.penalty_every == 0
        if lazy:
            shown, made = shown.detach().requires_grad_(o.r1 > 0), made.detach().requires_grad_(o.r2 > 0)
        on_real, on_fake = judge(shown, *about), judge(made, *about)
        loss = discriminator_loss(o.loss, real=on_real, fake=on_fake, smoothing=o.smoothing)
        penalties: Stats = {}
        if lazy and o.r1:
            penalties["r1"] = r1(one_each(on_real), shown, gamma=o.r1 * o.penalty_every)
        if lazy and o.r2:
            penalties["r2"] = r2(one_each(on_fake), made, gamma=o.r2 * o.penalty_every)
        if o.gradient_penalty:
            alpha = self.chance.uniform(at, Purpose.line).to(on_real.device)
            penalty = gradient_penalty(lambda x: one_each(judge.net(x, *about)), real=shown, fake=made, alpha=alpha)
            penalties["gradient_penalty"] = o.gradient_penalty * penalty
        # Lazy ones are told until the next.
        self.penalties.update({f"{judge.name}/{name}": p.detach() for name, p in penalties.items()})
        told = {key.split("/")[1]: p for key, p in self.penalties.items() if key.startswith(f"{judge.name}/")}
        stats = {"d_loss": loss.detach(), **told, **verdict(on_real, on_fake)}
        judge.learn(
            loss + sum(penalties.values()), step, parts={"samples": made, "d_real": on_real, "d_fake": on_fake, **stats}
        )
        self._adapt(on_real - on_fake if o.loss == "relativistic" else on_real)
        return stats

    def _adapt(self, logits: Tensor) -> None:
        """Augment more or less, as all processes' logits on real pictures say together."""
        if self.ada is None:
            return
        sure, world = logits.detach().sign().mean(), self.fabric.world_size
        if world > 1:
            mean = self.fabric.all_reduce(sure, reduce_op="mean")
            assert isinstance(mean, Tensor)
            sure = mean
        self.ada.update(float(sure), images=len(logits) * world)

    def advance(self, progress: float) -> None:
        """Take what falls over a run to where it is at `progress` in [0, 1]."""
        self.noise = self.options.instance_noise * (1 - progress)

    def play(self, step: int) -> Stats:
        """One step of all players; returns what the log tells, as scalars.

        Raises:
            DivergedError: something is not finite.
        """
        self.chance.seed_torch(step)
        stats = self._play(step)
        for name, average in self.averages.items():
            average.update(self.players[name].net)
        if self.ada is not None:
            stats["augment_p"] = torch.tensor(self.ada.p)
        return stats

    @abstractmethod
    def _play(self, step: int) -> Stats:
        """One step of all players."""

    @abstractmethod
    def fixed(self, *, averaged: bool) -> Tensor:
        """What the generator makes of the same inputs every time: (N, C, H, W) in [-1, 1], or points."""

    @abstractmethod
    def reals(self) -> Tensor:
        """As many real pictures, the same every time."""

    def fixed_labels(self) -> Tensor | None:
        """The labels (N,) of `fixed` and `reals`, on the CPU, where the generator is told labels."""
        return None

    @abstractmethod
    def held_out_score(self, step: int) -> Tensor | None:
        """Mean logit on real pictures that were held out, shown as in training; None where there are none."""

    @abstractmethod
    def make(self, count: int) -> Tensor:
        """About so many pictures uint8 (N, C, H, W), or points, of the averaged generator, for the metrics."""

    def sheet(self) -> Tensor:
        """Pictures uint8 for the sample sheet, in rows of eight."""
        return to_bytes(self.fixed(averaged=True))

    def net(self, name: str, *, averaged: bool) -> nn.Module:
        """A network, or its average where that is asked for and kept."""
        if averaged and name in self.averages:
            return self.averages[name].net
        return self.players[name].net

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs besides the step: all chance follows from that."""
        return {
            "players": {name: player.state() for name, player in self.players.items()},
            "averages": {name: {"net": e.net.state_dict(), "steps": e.steps} for name, e in self.averages.items()},
            "ada": None if self.ada is None else self.ada.state_dict(),
            "penalties": dict(self.penalties),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`."""
        for name, player in self.players.items():
            player.restore(state["players"][name])
        for name, average in self.averages.items():
            average.net.load_state_dict(state["averages"][name]["net"])
            average.steps = state["averages"][name]["steps"]
        if self.ada is not None:
            self.ada.load_state_dict(state["ada"])
        self.penalties = dict(state.get("penalties", {}))


def verdict(real: Tensor, fake: Tensor) -> Stats:
    """Mean logits, and the share of both sides told right by their sign."""
    right = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
    return {"d_real": real.detach().mean(), "d_fake": fake.detach().mean(), "d_accuracy": right}


def one_each(logits: Tensor) -> Tensor:
    """One logit (N,) a picture, where a patch discriminator gives a map of them (N, 1, h, w)."""
    return logits if logits.dim() == 1 else logits.flatten(1).mean(1)


class NoiseGame(Game):
    """Pictures (or points) out of latent vectors: DCGAN, conditional GAN, WGAN-GP and the modern recipe."""

    makers = ("generator",)
    judges = ("discriminator",)

    def __init__(self, options: Options, material: Material, *, fabric: Fabric) -> None:
        super().__init__(options, fabric=fabric)
        if options.conditional and material.train.labels is None and material.train.conditions is None:
            raise InputError(
                "labels_missing",
                "a conditional recipe needs labels, and the data have none",
                hint="put `labels` in the npz file, make a sub-folder of each class, or give --labels CSV",
            )
        self.bank = Bank(material.train, conditional=options.conditional, flip=options.flip)
        self.held = Bank(material.held, conditional=options.conditional) if len(material.held) else None
        maker, judge = noise_specs(options, material.train)
        self.generator = self.seat("generator", build_generator(maker), maker=True)
        self.discriminator = self.seat("discriminator", build_discriminator(judge), maker=False)
        generator = self.chance.generator(0, Purpose.fixed)
        self.latents = torch.randn((FIXED, options.latent), generator=generator).to(fabric.device)
        self._reals = self._repeated(FIXED)

    def _repeated(self, count: int) -> Batch:
        rows = torch.arange(count) * len(self.bank) // count if count < len(self.bank) else torch.arange(count)
        return self.bank.at(rows % len(self.bank)).to(self.fabric.device)

    def _latent(self, step: int, purpose: Purpose) -> Tensor:
        return self.chance.normal(step, purpose, width=self.options.latent).to(self.fabric.device)

    def _play(self, step: int) -> Stats:
        turns = self.options.d_steps
        for turn in range(turns):
            batch = self.bank.batch(step * turns + turn, self.chance).to(self.fabric.device)
            with torch.no_grad():
                made = self.generator(self._latent(step * turns + turn, Purpose.latent), *batch.about)
            stats = self.teach(
                self.discriminator, real=batch.x, fake=made, step=step, at=step * turns + turn, about=batch.about
            )
        return {**stats, **self._teach_generator(batch, step)}

    def _teach_generator(self, batch: Batch, step: int) -> Stats:
        o, d = self.options, self.discriminator
        with d.frozen():
            z = self._latent(step, Purpose.latent_g)
            made = self.generator(z, *batch.about)
            fake = d(self.judged(made, step, Purpose.augment_g_fake), *batch.about)
            real = fake.detach()
            if o.loss == "relativistic":
                with torch.no_grad():
                    real = d(self.judged(batch.x, step, Purpose.augment_g_real), *batch.about)
            loss = generator_loss(o.loss, real=real, fake=fake)
            stats = {"g_loss": loss.detach()}
            if o.mode_seeking:
                other = self.generator(z.roll(1, 0), *batch.about)
                stats["mode_seeking"] = o.mode_seeking * mode_seeking(made, other, apart=z - z.roll(1, 0))
            total = loss + stats.get("mode_seeking", 0.0)
            self.generator.learn(total, step, parts={"samples": made, "d_fake": fake, **stats})
        return {name: part.detach() for name, part in stats.items()}

    def fixed(self, *, averaged: bool) -> Tensor:
        net = self.net("generator", averaged=averaged)
        with self.generator.observed():
            out: Tensor = net(self.latents, *self._reals.about)
        return out.float()

    def reals(self) -> Tensor:
        return self._reals.x

    def fixed_labels(self) -> Tensor | None:
        return None if self._reals.labels is None else self._reals.labels.cpu()

    def held_out_score(self, step: int) -> Tensor | None:
        if self.held is None:
            return None
        batch = self.held.spread(FIXED).to(self.fabric.device)
        with self.discriminator.observed():
            shown = self.judged(batch.x, step, Purpose.measure)
            return self.discriminator(shown, *batch.about).mean()

    @torch.no_grad()
    def make(self, count: int) -> Tensor:
        net, made = self.net("generator", averaged=True), []
        training = net.training
        net.eval()
        for start in range(0, count, FIXED):
            n = min(FIXED, count - start)
            generator = self.chance.generator(start, Purpose.measure)
            latents = torch.randn((n, self.options.latent), generator=generator).to(self.fabric.device)
            rows = torch.randint(len(self.bank), (n,), generator=generator)
            made.append(to_bytes(net(latents, *self.bank.at(rows).to(self.fabric.device).about).float()).cpu())
        net.train(training)
        return torch.cat(made)


def noise_specs(options: Options, pictures: Pictures) -> tuple[GeneratorSpec, DiscriminatorSpec]:
    """The networks of a game on these pictures; labels and conditions take part when the options say so."""
    labels, conditions = pictures.labels, pictures.conditions
    classes = max(int(labels.max()) + 1, len(pictures.classes)) if options.conditional and labels is not None else 0
    numbers = conditions.shape[1] if options.conditional and conditions is not None else 0
    maker, judge = ("points", "points") if pictures.points else (options.generator, options.discriminator)
    if pictures.hw[0] != pictures.hw[1]:
        raise InputError("bad_options", f"pictures of {pictures.hw} px are not square", "choose pix2pix or cyclegan")
    if not pictures.points and "points" in (maker, judge):
        raise InputError("bad_options", "points networks make points, not pictures", "choose dcgan or modern")
    return (
        GeneratorSpec(
            maker, size=pictures.size, channels=pictures.channels, latent=options.latent, classes=classes,
            width=options.width, conditions=numbers,
        ),
        DiscriminatorSpec(
            judge, size=pictures.size, channels=pictures.channels, classes=classes, width=options.width,
            conditions=numbers, norm=options.norm, minibatch_std=options.minibatch_std,
        ),
    )  # fmt: skip
