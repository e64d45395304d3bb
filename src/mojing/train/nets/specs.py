"""What a generator and a discriminator of the GAN laboratory are asked for, and how all of them take labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.core.errors import InputError

GENERATORS: Final = ("points", "dcgan", "modern", "unet", "resnet")
DISCRIMINATORS: Final = ("points", "dcgan", "modern", "patch")
TRANSLATORS: Final = ("unet", "resnet")
"""Generators whose input is a picture instead of a latent vector."""
NORMS: Final = ("batch", "instance", "layer", "none")


@dataclass(frozen=True)
class GeneratorSpec:
    """A generator: `build_generator(spec)` makes it."""

    architecture: str
    """points, dcgan, modern (latent to picture), unet or resnet (picture to picture)"""
    size: int = 64
    """side of the pictures in pixels; dcgan and modern take 4 or 7 times a power of two; points ignores it"""
    channels: int = 3
    """channels that come out: 1 grey, 3 RGB, 4 RGBA"""
    latent: int = 128
    """numbers in the latent vector; ignored by unet and resnet"""
    classes: int = 0
    """number of labels; 0 for a generator without labels"""
    width: int = 0
    """feature channels at full resolution; 0 for the architecture's own choice"""
    conditions: int = 0
    """numbers in the extra condition vector (a Lab colour has three); modern only"""
    channels_in: int = 0
    """channels of the picture that unet and resnet take; 0 for as many as come out"""
    hw: tuple[int, int] | None = None
    """height and width of pictures that are not square, `size` being the shorter side (unet, resnet)"""


@dataclass(frozen=True)
class DiscriminatorSpec:
    """A discriminator or critic: `build_discriminator(spec)` makes it."""

    architecture: str
    """points, dcgan, modern (one logit a picture) or patch (a map of logits)"""
    size: int = 64
    """side of the pictures in pixels, as in the generator"""
    channels: int = 3
    """channels that go in; pix2pix adds those of the condition picture"""
    classes: int = 0
    """number of labels; 0 for a discriminator without labels"""
    width: int = 0
    """feature channels at full resolution; 0 for the architecture's own choice"""
    conditions: int = 0
    """numbers in the extra condition vector; modern only"""
    norm: str = "batch"
    """batch, instance, layer or none, in dcgan and patch; a gradient penalty forbids batch"""
    minibatch_std: bool = True
    """whether modern sees how alike the pictures of a batch are"""


def check_choice(what: str, name: str, *, known: tuple[str, ...]) -> None:
    """Refuse a name that is not among those known.

    Raises:
        InputError: bad_options.
    """
    if name not in known:
        raise InputError("bad_options", f"there is no {what} {name!r}", hint=f"choose one of {', '.join(known)}")


def levels_of(size: int, *, least: int = 28, most: int = 256) -> tuple[int, int]:
    """(base, doublings) with size = base * 2^doublings and base 4 or 7.

    Raises:
        InputError: bad_options, for a size that is not of this form or outside least..most.
    """
    for base in (4, 7):
        doublings = (size // base).bit_length() - 1
        if least <= size <= most and size == base << doublings:
            return base, doublings
    raise InputError(
        "bad_options",
        f"this architecture does not make pictures of {size} pixels",
        hint=f"choose 4 or 7 times a power of two from {least} to {most}, such as 28, 32, 64 or 128",
    )


class InstanceNorm(nn.Module):
    """Each channel of each picture to mean 0 and variance 1 (Ulyanov et al. 2016, arXiv:1607.08022), without weights.

    torch's own layer checks sizes in Python, which the exporter cannot trace; groups of one channel are the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.channels, None, None, 1e-5, False)


def norm_layer(name: str, channels: int) -> nn.Module:
    """Batch norm, instance norm, layer norm over (C, H, W) as WGAN-GP advises, or nothing."""
    check_choice("norm", name, known=NORMS)
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "instance":
        return InstanceNorm(channels)
    return nn.GroupNorm(1, channels) if name == "layer" else nn.Identity()


def init_gaussian(net: nn.Module) -> None:
    """Weights from N(0, 0.02), batch norm scales from N(1, 0.02), biases 0, as in DCGAN, pix2pix and CycleGAN."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


class Conditioned(nn.Module):
    """The vector a generator starts from: latent, label and conditions brought to one length and joined.

    z (N, latent), labels (N,) long, conditions (N, conditions) -> (N, out). Labels are embedded and concatenated, the
    conditional GAN of Mirza and Osindero 2014 (arXiv:1411.1784) with a learned code instead of a one-hot one.
    """

    def __init__(self, *, latent: int, classes: int = 0, conditions: int = 0) -> None:
        super().__init__()
        self.latent, self.classes, self.conditions = latent, classes, conditions
        self.label = nn.Embedding(classes, latent) if classes else None
        self.condition = nn.Linear(conditions, latent) if conditions else None
        self.out = latent * (1 + bool(classes) + bool(conditions))

    def forward(self, z: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        parts = [z]
        if self.label is not None:
            parts.append(self.label(needed(labels, "labels")))
        if self.condition is not None:
            parts.append(self.condition(needed(conditions, "conditions")))
        return torch.cat(parts, 1) if len(parts) > 1 else z


class Projection(nn.Module):
    """The last step of a discriminator: features (N, D) and labels to logits (N,).

    Linear score plus the inner product of features and label code: Miyato and Koyama 2018 (arXiv:1802.05637), eq. 3;
    divided by sqrt(D) so that width does not set the gain; conditions enter by a linear code in the same way.
    """

    def __init__(self, features: int, *, classes: int = 0, conditions: int = 0) -> None:
        super().__init__()
        self.score = nn.Linear(features, 1)
        self.label = nn.Embedding(classes, features) if classes else None
        self.condition = nn.Linear(conditions, features) if conditions else None
        self.gain = features**-0.5

    def forward(self, features: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        logits = self.score(features).squeeze(1)
        if self.label is not None:
            logits = logits + (self.label(needed(labels, "labels")) * features).sum(1) * self.gain
        if self.condition is not None:
            logits = logits + (self.condition(needed(conditions, "conditions")) * features).sum(1) * self.gain
        return logits


def needed(value: Tensor | None, what: str) -> Tensor:
    """The value, which a conditional network cannot do without.

    Raises:
        InputError: bad_options, when it is None.
    """
    if value is None:
        raise InputError("bad_options", f"this network was made for {what} and got none", hint=f"pass {what}")
    return value


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU with slope 0.2, the discriminator's activation since DCGAN."""
    return F.leaky_relu(x, 0.2)
