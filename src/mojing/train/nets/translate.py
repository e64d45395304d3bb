"""Picture-to-picture networks: pix2pix's U-Net, CycleGAN's residual generator, and the PatchGAN both are judged by."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mojing.core.errors import InputError
from mojing.train.nets.specs import DiscriminatorSpec, GeneratorSpec, InstanceNorm, init_gaussian, norm_layer


class UnetGenerator(nn.Module):
    """pix2pix's U-Net, Isola et al. 2017 (arXiv:1611.07004), section 6.1: (N, C_in, H, W) -> (N, C, H, W) in [-1, 1].

    4x4 convolutions halve the picture until its shorter side is 2 or 3 (at most seven times), transposed ones bring it
    back, each level joined to its mirror; dropout in the three deepest levels while training is the only noise. `size`
    is the shorter side; sides must be multiples of 2^downs. Deviations: dropout is off at inference, so that an export
    has one answer; instance norm, which the paper's batch norm over batches of one amounts to; none at the bottom.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        width = spec.width or 64
        self.downs = 0
        while self.downs < 7 and spec.size % (2 << self.downs) == 0 and spec.size >= 4 << self.downs:
            self.downs += 1
        if self.downs < 2:
            raise InputError(
                "bad_options", f"a U-Net cannot halve {spec.size} pixels", hint="choose a multiple of 8, such as 128"
            )
        widths = [min(width << i, width * 8) for i in range(self.downs)]
        down, up = [], []
        for i, c_out in enumerate(widths):
            c_in = widths[i - 1] if i else (spec.channels_in or spec.channels)
            layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if i else []
            layers.append(nn.Conv2d(c_in, c_out, 4, 2, 1))
            if 0 < i < self.downs - 1:
                layers.append(InstanceNorm(c_out))
            down.append(nn.Sequential(*layers))
        for i in reversed(range(self.downs)):
            c_in = widths[i] * (1 if i == self.downs - 1 else 2)
            if i == 0:
                up.append(nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(c_in, spec.channels, 4, 2, 1), nn.Tanh()))
                continue
            layers = [nn.ReLU(), nn.ConvTranspose2d(c_in, widths[i - 1], 4, 2, 1), InstanceNorm(widths[i - 1])]
            up.append(nn.Sequential(*layers, *([nn.Dropout(0.5)] if i >= self.downs - 3 else [])))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        init_gaussian(self)

    def forward(self, x: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        levels = []
        for layer in self.down:
            x = layer(x)
            levels.append(x)
        x = self.up[0](levels.pop())
        for layer in list(self.up)[1:]:
            x = layer(torch.cat([x, levels.pop()], 1))
        return x


class ResnetGenerator(nn.Module):
    """CycleGAN's generator, Zhu et al. 2017 (arXiv:1703.10593), 7.2: (N, C_in, H, W) -> (N, C, H, W) in [-1, 1].

    c7s1-64, d128, d256, residual blocks (six below 256 pixels, else nine), u128, u64, c7s1, with reflection padding and
    instance norm; sides must be multiples of 4.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        width = spec.width or 64
        c_in = spec.channels_in or spec.channels
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(c_in, width, 7), *_norm_relu(width)]
        for c in (width, 2 * width):
            layers += [nn.Conv2d(c, 2 * c, 3, 2, 1), *_norm_relu(2 * c)]
        layers += [ReflectedResidual(4 * width) for _ in range(6 if spec.size < 256 else 9)]
        for c in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, output_padding=1), *_norm_relu(c // 2)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, spec.channels, 7), nn.Tanh()]
        self.body = nn.Sequential(*layers)
        init_gaussian(self)

    def forward(self, x: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        return self.body(x)


class ReflectedResidual(nn.Module):
    """Two 3x3 convolutions with reflection padding and instance norm, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *_norm_relu(channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class PatchDiscriminator(nn.Module):
    """PatchGAN of Isola et al. 2017: each logit of (N, 1, h, w) sees 70x70 pixels of (N, C, H, W).

    C64-C128-C256-C512, 4x4 convolutions, leaky ReLU, no norm in the first. pix2pix gives it the condition picture and
    the answer joined along the channels. Pictures under 64 pixels get one stride less (34x34).
    """

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        width = spec.width or 64
        strides = (2, 2, 2) if spec.size >= 64 else (2, 2)
        layers: list[nn.Module] = []
        c_in = spec.channels
        for i, stride in enumerate((*strides, 1)):
            c_out = min(width << i, width * 8)
            bias = i == 0 or spec.norm == "none"
            layers.append(nn.Conv2d(c_in, c_out, 4, stride, 1, bias=bias))
            if i:
                layers.append(norm_layer(spec.norm, c_out))
            layers.append(nn.LeakyReLU(0.2))
            c_in = c_out
        layers.append(nn.Conv2d(c_in, 1, 4, 1, 1))
        self.body = nn.Sequential(*layers)
        init_gaussian(self)

    def forward(self, x: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        return self.body(x)


def _norm_relu(channels: int) -> list[nn.Module]:
    return [InstanceNorm(channels), nn.ReLU(inplace=True)]
