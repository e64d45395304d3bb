"""Games between two domains of pictures: pix2pix, where pictures come in pairs, and CycleGAN, where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import Tensor

from mojing.core.errors import InputError
from mojing.train.chance import Purpose
from mojing.train.games import Bank, Game, Material, Stats, to_bytes
from mojing.train.losses import generator_loss
from mojing.train.nets.gan import DiscriminatorSpec, GeneratorSpec, build_discriminator, build_generator
from mojing.train.players import Player
from mojing.train.regularisers import ImagePool
from mojing.train.settings import Options

WATCHED: Final = 8
"""So many pictures are translated again and again, to watch."""


class Translation(Game):
    """What pix2pix and CycleGAN share: two banks and fixed pictures to watch."""

    def __init__(self, options: Options, material: Material, *, fabric: Fabric) -> None:
        super().__init__(options, fabric=fabric)
        if material.second is None or material.second_held is None:
            raise InputError("bad_data", "this recipe translates between two domains", "give `a` and `b`")
        if options.discriminator != "patch":
            raise InputError("bad_options", "translations are judged by a patch discriminator", "--discriminator patch")
        self.a, self.b = (Bank(p, conditional=False, flip=options.flip) for p in (material.train, material.second))
        held = len(material.held) >= 2 and len(material.second_held) >= 2
        self.held_b = Bank(material.second_held, conditional=False) if held else None
        self.held_a = Bank(material.held, conditional=False) if held else None
        shown_a, shown_b = (self.held_a or self.a), (self.held_b or self.b)
        self.shown_a = shown_a.spread(WATCHED).x.to(fabric.device)
        self.shown_b = shown_b.spread(WATCHED).x.to(fabric.device)
        self.size, self.channels = material.train.size, (material.train.channels, material.second.channels)
        if material.train.hw != material.second.hw:
            raise InputError("bad_data", f"pictures of {material.train.hw} and {material.second.hw} px", "set --size")

    def maker(self, name: str, channels: tuple[int, int]) -> Player:
        """A generator from pictures of so many channels to pictures of so many."""
        o = self.options
        spec = GeneratorSpec(o.generator, size=self.size, channels=channels[1], channels_in=channels[0], width=o.width)
        return self.seat(name, build_generator(spec), maker=True)

    def judge(self, name: str, channels: int) -> Player:
        """A patch discriminator."""
        o = self.options
        spec = DiscriminatorSpec(o.discriminator, size=self.size, channels=channels, width=o.width, norm=o.norm)
        return self.seat(name, build_discriminator(spec), maker=False)

    def make(self, count: int) -> Tensor:
        source = self.held_a if self.held_a is not None and len(self.held_a) >= count else self.a
        name, made = self.makers[0], []
        net = self.net(name, averaged=True)
        training = net.training
        net.eval()
        with torch.no_grad():
            rows = torch.linspace(0, len(source) - 1, min(count, len(source))).round().long()
            for part in rows.split(WATCHED):
                made.append(to_bytes(net(source.at(part).x.to(self.fabric.device)).float()).cpu())
        net.train(training)
        return torch.cat(made)

    def reals(self) -> Tensor:
        return self.shown_b

    def translated(self, name: str, x: Tensor, *, averaged: bool) -> Tensor:
        """Pictures through a generator as at inference: without dropout, and leaving no trace."""
        net = self.net(name, averaged=averaged)
        training = net.training
        net.eval()
        with torch.no_grad():
            out: Tensor = net(x)
        net.train(training)
        return out.float()

    def fixed(self, *, averaged: bool) -> Tensor:
        return self.translated(self.makers[0], self.shown_a, averaged=averaged)


class PairedGame(Translation):
    """pix2pix, Isola et al. 2017 (arXiv:1611.07004): a U-Net against a PatchGAN that sees both pictures, and L1.

    Eq. 4: adversarial loss + lambda L1 with lambda 100 (`--l1`). Deviation: the discriminator's loss is not halved as
    in section 3.3, which Adam would hardly notice.
    """

    makers = ("generator",)
    judges = ("discriminator",)

    def __init__(self, options: Options, material: Material, *, fabric: Fabric) -> None:
        super().__init__(options, material, fabric=fabric)
        a, b = self.channels
        self.generator = self.maker("generator", (a, b))
        self.discriminator = self.judge("discriminator", a + b)

    def _play(self, step: int) -> Stats:
        o, d = self.options, self.discriminator
        a = self.a.batch(step, self.chance).x.to(self.fabric.device)
        b = self.b.batch(step, self.chance).x.to(self.fabric.device)
        made = self.generator(a)
        stats = self.teach(d, real=torch.cat([a, b], 1), fake=torch.cat([a, made], 1), step=step, at=step)
        with d.frozen():
            fake = d(self.judged(torch.cat([a, made], 1), step, Purpose.augment_g_fake))
            real = fake.detach()
            if o.loss == "relativistic":
                with torch.no_grad():
                    real = d(self.judged(torch.cat([a, b], 1), step, Purpose.augment_g_real))
            adversarial = generator_loss(o.loss, real=real, fake=fake)
            distance = F.l1_loss(made, b)
            parts = {"samples": made, "d_fake": fake, "l1": distance}
            self.generator.learn(adversarial + o.l1 * distance, step, parts=parts)
        return {**stats, "g_loss": adversarial.detach(), "l1": distance.detach()}

    def held_out_score(self, step: int) -> Tensor | None:
        if self.held_a is None or self.held_b is None:
            return None
        with self.discriminator.observed():
            return self.discriminator(torch.cat([self.shown_a, self.shown_b], 1)).mean()

    def sheet(self) -> Tensor:
        """Rows of eight: given, made, true."""
        rows = [self.shown_a, self.fixed(averaged=True), self.shown_b]
        return to_bytes(torch.cat([_rgb(row) for row in rows]))


class CycleGame(Translation):
    """CycleGAN, Zhu et al. 2017 (arXiv:1703.10593): two generators whose round trip leads back, two discriminators.

    Eq. 3 with lambda 10 (`--cycle`) and the identity loss of section 5.2 (`--identity`); the discriminators see old
    pictures too (`--pool`). Deviation: domains of unlike channels have no identity loss.
    """

    makers = ("a_to_b", "b_to_a")
    judges = ("judge_b", "judge_a")

    def __init__(self, options: Options, material: Material, *, fabric: Fabric) -> None:
        super().__init__(options, material, fabric=fabric)
        a, b = self.channels
        self.there, self.back = self.maker("a_to_b", (a, b)), self.maker("b_to_a", (b, a))
        self.judge_b, self.judge_a = self.judge("judge_b", b), self.judge("judge_a", a)
        self.pools = {name: ImagePool(options.pool) for name in self.judges}

    def _play(self, step: int) -> Stats:
        o, device = self.options, self.fabric.device
        a = self.a.batch(step, self.chance).x.to(device)
        b = self.b.batch(step, self.chance, order=Purpose.order_b).x.to(device)
        with self.judge_a.frozen(), self.judge_b.frozen():
            made_b, made_a = self.there(a), self.back(b)
            fake_b, fake_a = (
                self.judge_b(self.judged(made_b, step, Purpose.augment_g_fake)),
                self.judge_a(self.judged(made_a, step, Purpose.augment_g_fake)),
            )
            adversarial = self._adversarial(self.judge_b, fake=fake_b, real=b, step=step)
            adversarial = adversarial + self._adversarial(self.judge_a, fake=fake_a, real=a, step=step)
            cycle = F.l1_loss(self.back(made_b), a) + F.l1_loss(self.there(made_a), b)
            loss = adversarial + o.cycle * cycle
            stats = {"g_loss": adversarial.detach() / 2, "cycle": cycle.detach()}
            if o.identity and self.channels[0] == self.channels[1]:
                same = F.l1_loss(self.there(b), b) + F.l1_loss(self.back(a), a)
                loss = loss + o.cycle * o.identity * same
                stats["identity"] = same.detach()
            self._learn_both(loss, step, parts={"samples": made_b, "samples_a": made_a, **stats})
        judged = []
        for name, real, made in (("judge_b", b, made_b), ("judge_a", a, made_a)):
            generator = self.chance.generator(2 * step + (name == "judge_a"), Purpose.pool, shared=False)
            shown = self.pools[name].exchange(made, generator=generator)
            judged.append(self.teach(self.players[name], real=real, fake=shown, step=step, at=step))
        return {**{key: (judged[0][key] + judged[1][key]) / 2 for key in judged[0]}, **stats}

    def _adversarial(self, judge: Player, *, fake: Tensor, real: Tensor, step: int) -> Tensor:
        if self.options.loss != "relativistic":
            return generator_loss(self.options.loss, real=fake.detach(), fake=fake)
        with torch.no_grad():
            on_real = judge(self.judged(real, step, Purpose.augment_g_real))
        return generator_loss(self.options.loss, real=on_real, fake=fake)

    def _learn_both(self, loss: Tensor, step: int, *, parts: Mapping[str, Tensor]) -> None:
        """One backward pass through both generators, then an update of each."""
        for player in (self.there, self.back):
            player.clear()
        self.fabric.backward(loss)
        for player in (self.there, self.back):
            player.step(loss.detach(), step, parts=parts)

    def held_out_score(self, step: int) -> Tensor | None:
        if self.held_b is None:
            return None
        with self.judge_b.observed(), self.judge_a.observed():
            return (self.judge_b(self.shown_b).mean() + self.judge_a(self.shown_a).mean()) / 2

    def sheet(self) -> Tensor:
        """Rows of eight: a, made b, and back; b, made a, and back."""
        rows = []
        for x, there, back in ((self.shown_a, "a_to_b", "b_to_a"), (self.shown_b, "b_to_a", "a_to_b")):
            made = self.translated(there, x, averaged=True)
            rows += [x, made, self.translated(back, made, averaged=True)]
        return to_bytes(torch.cat([_rgb(row) for row in rows]))

    def state(self) -> dict[str, Any]:
        return {**super().state(), "pools": {name: pool.state_dict() for name, pool in self.pools.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        for name, pool in self.pools.items():
            pool.load_state_dict(state["pools"][name])


def _rgb(x: Tensor) -> Tensor:
    """Grey pictures with three channels, so that both domains fit on one sheet."""
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x[:, :3]
