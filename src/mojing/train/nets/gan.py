"""Networks of the GAN laboratory: the factories, the small network for 2-D points, and DCGAN.

All generators take (z, labels, conditions) and all discriminators (x, labels, conditions); what a network was not made
for is ignored, what it was made for and is missing raises InputError.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from mojing.train.nets.modern import ModernDiscriminator, ModernGenerator
from mojing.train.nets.specs import (
    DISCRIMINATORS,
    GENERATORS,
    TRANSLATORS,
    Conditioned,
    DiscriminatorSpec,
    GeneratorSpec,
    Projection,
    check_choice,
    init_gaussian,
    levels_of,
    needed,
    norm_layer,
)
from mojing.train.nets.translate import PatchDiscriminator, ResnetGenerator, UnetGenerator

__all__ = [
    "DISCRIMINATORS",
    "GENERATORS",
    "TRANSLATORS",
    "DiscriminatorSpec",
    "GeneratorSpec",
    "build_discriminator",
    "build_generator",
]


def build_generator(spec: GeneratorSpec) -> nn.Module:
    """The generator of `spec`, freshly initialised from torch's global random state.

    forward(z (N, latent), labels (N,) long | None, conditions (N, conditions) | None) -> (N, C, H, W) in [-1, 1], for
    `points` (N, 2); for `unet` and `resnet` the first argument is a picture (N, C_in, H, W) in [-1, 1].

    Raises:
        InputError: bad_options, for an unknown architecture or a size that it cannot make.
    """
    check_choice("generator", spec.architecture, known=GENERATORS)
    kinds = {
        "points": PointGenerator,
        "dcgan": DcganGenerator,
        "modern": ModernGenerator,
        "unet": UnetGenerator,
        "resnet": ResnetGenerator,
    }
    return kinds[spec.architecture](spec)


def build_discriminator(spec: DiscriminatorSpec) -> nn.Module:
    """The discriminator of `spec`, freshly initialised from torch's global random state.

    forward(x (N, C, H, W), labels (N,) long | None, conditions | None) -> logits (N,), for `patch` (N, 1, h, w).

    Raises:
        InputError: bad_options, for an unknown architecture or a size that it cannot take.
    """
    check_choice("discriminator", spec.architecture, known=DISCRIMINATORS)
    kinds = {
        "points": PointDiscriminator,
        "dcgan": DcganDiscriminator,
        "modern": ModernDiscriminator,
        "patch": PatchDiscriminator,
    }
    return kinds[spec.architecture](spec)


class PointGenerator(nn.Module):
    """Three hidden layers of `width` (128) ReLUs: z -> points (N, 2), not bounded."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        width = spec.width or 128
        self.start = Conditioned(latent=spec.latent, classes=spec.classes)
        self.body = nn.Sequential(
            nn.Linear(self.start.out, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 2),
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        return self.body(self.start(z, labels))


class PointDiscriminator(nn.Module):
    """Three hidden layers of `width` (128) leaky ReLUs over points (N, 2), then a projection on the labels."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        width = spec.width or 128
        self.body = nn.Sequential(
            nn.Linear(2, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
        )
        self.head = Projection(width, classes=spec.classes)

    def forward(self, x: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        return self.head(self.body(x), labels)


class DcganGenerator(nn.Module):
    """DCGAN, Radford et al. 2015 (arXiv:1511.06434): 4x4 transposed convolutions, batch norm, ReLU, tanh.

    `width` (64) channels before the last layer, doubled at every halving up to eight times as many. Deviations: starts
    at 7x7 for sizes such as 28; with labels their code is joined to z (arXiv:1411.1784).
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.base, doublings = levels_of(spec.size)
        widths = _widths(spec.width or 64, doublings)[::-1]
        self.start = Conditioned(latent=spec.latent, classes=spec.classes)
        self.project = nn.Linear(self.start.out, widths[0] * self.base**2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
        for c_in, c_out in pairwise(widths):
            layers += [nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out)]
            layers.append(nn.ReLU(inplace=True))
        layers += [nn.ConvTranspose2d(widths[-1], spec.channels, 4, 2, 1), nn.Tanh()]
        self.body = nn.Sequential(*layers)
        init_gaussian(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        x = self.project(self.start(z, labels))
        return self.body(x.view(x.shape[0], -1, self.base, self.base))


class DcganDiscriminator(nn.Module):
    """DCGAN's discriminator: 4x4 convolutions with stride 2, leaky ReLU, norm after all but the first.

    Deviations: the norm can be chosen (WGAN-GP needs layer or none); with labels the score is a projection on the mean
    of the last features over the picture (arXiv:1802.05637 takes the sum).
    """

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        base, doublings = levels_of(spec.size)
        widths = _widths(spec.width or 64, doublings)
        layers: list[nn.Module] = [nn.Conv2d(spec.channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for c_in, c_out in pairwise(widths):
            bias = spec.norm == "none"
            layers += [nn.Conv2d(c_in, c_out, 4, 2, 1, bias=bias), norm_layer(spec.norm, c_out), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.score = nn.Conv2d(widths[-1], 1, base)
        self.label = nn.Embedding(spec.classes, widths[-1]) if spec.classes else None
        init_gaussian(self)

    def forward(self, x: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        features = self.body(x)
        logits = self.score(features).flatten()
        if self.label is not None:
            logits = logits + (self.label(needed(labels, "labels")) * features.mean((2, 3))).sum(1)
        return logits


def _widths(width: int, doublings: int) -> list[int]:
    """Channels after each halving, from the finest to the coarsest level."""
    return [min(width << i, width * 8) for i in range(doublings)]
