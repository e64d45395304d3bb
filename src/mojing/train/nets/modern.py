"""The modern pair: a style-modulated residual generator and a residual discriminator, light enough for a CPU.

Generator: mapping network and modulated convolutions (StyleGAN2, Karras et al. 2020, arXiv:1912.04958), skip-layer
excitation from coarse to fine levels (FastGAN, Liu et al. 2021, arXiv:2101.04775). Discriminator: residual blocks and
minibatch standard deviation; neither side has batch norm. Meant for the relativistic loss with R1 and R2
(R3GAN, Huang et al. 2024, arXiv:2501.05441).

Deviations from StyleGAN2: features are scaled before and demodulated after an ordinary convolution, which equals
scaling each sample's weights (its eq. 1-3) without grouped convolutions; residual blocks instead of summed RGB skips;
bilinear upsampling; no noise inputs, so a design is a function of its styles alone; three mapping layers, W of 128;
ordinary initialisation instead of equalised learning rates.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.train.nets.specs import Conditioned, DiscriminatorSpec, GeneratorSpec, Projection, leaky, levels_of
from mojing.train.regularisers import MinibatchStd

STYLE = 128
MOST_CHANNELS = 256


class ModernGenerator(nn.Module):
    """z (N, latent), labels (N,) long | None, conditions (N, K) | None -> pictures (N, C, H, W) in [-1, 1]."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.mapping = Mapping(spec)
        self.synthesis = Synthesis(spec)

    def styles(self, z: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """One style a layer, (N, L, W): all equal; swap rows of two designs to mix them."""
        return self.mapping(z, labels, conditions).unsqueeze(1).repeat(1, self.synthesis.layers, 1)

    def forward(self, z: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        return self.synthesis(self.styles(z, labels, conditions))

    def style_weights(self) -> list[Tensor]:
        """Per layer the matrix (C, W) from style to channel scales, which SeFa factorises (arXiv:2007.06600)."""
        return [layer.style.weight.detach() for layer in self.synthesis.modulated()]


def mean_style(
    net: ModernGenerator,
    *,
    labels: Tensor | None = None,
    conditions: Tensor | None = None,
    count: int = 1024,
    generator: torch.Generator,
) -> Tensor:
    """Mean style (W,) over `count` latents, the centre of truncation.

    Labels (count,) long and conditions (count, K) are needed where the network takes them.
    """
    z = torch.randn(count, net.mapping.start.latent, generator=generator)
    with torch.no_grad():
        return net.mapping(z, labels, conditions).mean(0)


def truncate(styles: Tensor, *, mean: Tensor, psi: float) -> Tensor:
    """Styles (N, L, W) drawn towards their `mean` (W,): psi 1 leaves them, 0 gives the average design.

    The truncation trick in W, Karras et al. 2019 (arXiv:1812.04948), appendix B.
    """
    return torch.lerp(mean.expand_as(styles), styles, psi)


class Mapping(nn.Module):
    """Latent, label and conditions to one style: (N, latent) -> (N, 128), three layers over the normalised latent."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.start = Conditioned(latent=spec.latent, classes=spec.classes, conditions=spec.conditions)
        self.body = nn.ModuleList(nn.Linear(STYLE if i else self.start.out, STYLE) for i in range(3))
        for layer in self.body:
            unit_gain(layer)

    def forward(self, z: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        x = self.start(z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8), labels, conditions)
        for layer in self.body:
            x = leaky(layer(x)) * math.sqrt(2)
        return x


class Modulated(nn.Module):
    """Convolution whose input channels are scaled by the style: (N, C_in, H, W), (N, W) -> (N, C_out, H, W).

    With demodulation (StyleGAN2, eq. 3) the output has unit variance where the input has, whatever the style.
    """

    def __init__(self, c_in: int, c_out: int, *, kernel: int = 3, demodulate: bool = True) -> None:
        super().__init__()
        self.style = nn.Linear(STYLE, c_in)
        nn.init.normal_(self.style.weight, 0.0, STYLE**-0.5)
        nn.init.ones_(self.style.bias)
        self.conv = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False)
        nn.init.normal_(self.conv.weight, 0.0, (c_in * kernel**2) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(c_out, 1, 1))
        self.demodulate = demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale = self.style(w)
        x = self.conv(x * scale[:, :, None, None])
        if self.demodulate:
            # A norm, squared: the exporter folds it into a constant, where it would keep a copy of squared weights.
            power = torch.linalg.vector_norm(self.conv.weight, dim=(2, 3)).square()
            x = x * torch.rsqrt(scale.square() @ power.t() + 1e-8)[:, :, None, None]
        return x + self.bias


class StyledBlock(nn.Module):
    """Twice the size: convolution, upsampling, convolution, and a 1x1 shortcut; the first works at the smaller size."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.coarse = Modulated(c_in, c_out)
        self.fine = Modulated(c_out, c_out)
        self.skip = nn.Conv2d(c_in, c_out, 1, bias=False)
        nn.init.normal_(self.skip.weight, 0.0, c_in**-0.5)

    def forward(self, x: Tensor, coarse: Tensor, fine: Tensor) -> Tensor:
        y = _act(self.coarse(x, coarse))
        both = F.interpolate(torch.cat([y, self.skip(x)], 1), scale_factor=2, mode="bilinear", align_corners=False)
        y, skip = both.chunk(2, 1)
        return (_act(self.fine(y, fine)) + skip) * math.sqrt(0.5)


class Excitation(nn.Module):
    """Skip-layer excitation: coarse features (N, C_in, h, h) gate the channels of fine ones (N, C_out, H, W).

    FastGAN (arXiv:2101.04775), eq. 2; pooling to base x base, a convolution of that size, leaky ReLU, 1x1, sigmoid.
    Twice the sigmoid, unlike the paper, so that an untrained gate is open and keeps the variance.
    """

    def __init__(self, c_in: int, c_out: int, *, base: int, pool: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(pool) if pool > 1 else nn.Identity()
        self.squeeze = unit_gain(nn.Conv2d(c_in, c_out, base))
        self.gate = unit_gain(nn.Conv2d(c_out, c_out, 1))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return fine * (2 * torch.sigmoid(self.gate(leaky(self.squeeze(self.pool(coarse))))))


class Synthesis(nn.Module):
    """Styles (N, L, W) -> pictures (N, C, H, W) in [-1, 1]; L = 2 + 2 * doublings."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        base, doublings = levels_of(spec.size)
        widths = channels_of(spec.size, doublings, width=spec.width)
        self.layers, self.style = 2 + 2 * doublings, STYLE
        self.constant = nn.Parameter(torch.randn(1, widths[0], base, base))
        self.first = Modulated(widths[0], widths[0])
        self.blocks = nn.ModuleList(StyledBlock(a, b) for a, b in pairwise(widths))
        self.head = Modulated(widths[-1], spec.channels, kernel=1, demodulate=False)
        # From the same level on at every size, so that a generator can be grown from one of half the size.
        self.sources = {fine: max(0, fine - 4) for fine in range(min(3, max(2, doublings - 1)), doublings + 1)}
        self.excite = nn.ModuleDict(
            {
                str(fine): Excitation(widths[coarse], widths[fine], base=base, pool=2**coarse)
                for fine, coarse in self.sources.items()
            }
        )

    def modulated(self) -> list[Modulated]:
        """The layers that take a style, in order, coarse to fine."""
        return [layer for layer in self.modules() if isinstance(layer, Modulated)]

    def forward(self, styles: Tensor) -> Tensor:
        x = _act(self.first(self.constant.expand(styles.shape[0], -1, -1, -1), styles[:, 0]))
        levels = [x]
        for i, block in enumerate(self.blocks):
            x = block(x, styles[:, 1 + 2 * i], styles[:, 2 + 2 * i])
            if i + 1 in self.sources:
                x = self.excite[str(i + 1)](levels[self.sources[i + 1]], x)
            levels.append(x)
        return torch.tanh(self.head(x, styles[:, -1]))


class ResidualDown(nn.Module):
    """Half the size: convolution, average pooling, convolution, and a pooled 1x1 shortcut."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.fine = unit_gain(nn.Conv2d(c_in, c_in, 3, padding=1))
        self.coarse = unit_gain(nn.Conv2d(c_in, c_out, 3, padding=1))
        self.skip = nn.Conv2d(c_in, c_out, 1, bias=False)
        nn.init.normal_(self.skip.weight, 0.0, c_in**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        y = _act(self.coarse(F.avg_pool2d(_act(self.fine(x)), 2)))
        return (y + self.skip(F.avg_pool2d(x, 2))) * math.sqrt(0.5)


class ModernDiscriminator(nn.Module):
    """Pictures (N, C, H, W) -> logits (N,): residual blocks, minibatch standard deviation, projection on the labels."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        base, doublings = levels_of(spec.size)
        widths = channels_of(spec.size, doublings, width=spec.width)[::-1]
        self.first = unit_gain(nn.Conv2d(spec.channels, widths[0], 1))
        self.blocks = nn.Sequential(*[ResidualDown(a, b) for a, b in pairwise(widths)])
        self.std = MinibatchStd() if spec.minibatch_std else nn.Identity()
        self.mix = unit_gain(nn.Conv2d(widths[-1] + int(spec.minibatch_std), widths[-1], 3, padding=1))
        self.flat = unit_gain(nn.Linear(widths[-1] * base**2, widths[-1]))
        self.head = Projection(widths[-1], classes=spec.classes, conditions=spec.conditions)

    def entry(self, x: Tensor) -> Tensor:
        """Features (N, C, H, W) of a picture before the first block."""
        return _act(self.first(x))

    def forward(self, x: Tensor, labels: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        x = _act(self.mix(self.std(self.blocks(self.entry(x)))))
        return self.head(_act(self.flat(x.flatten(1))), labels, conditions)


def channels_of(size: int, doublings: int, *, width: int) -> list[int]:
    """Channels of each level, coarse to fine: `width` at full size, doubled at every halving up to 256.

    Width 0 stands for 2048 / size, which costs about the same at every size.
    """
    width = width or max(8, 2048 // size // 8 * 8)
    return [min(width << (doublings - i), max(width, MOST_CHANNELS)) for i in range(doublings + 1)]


def _act(x: Tensor) -> Tensor:
    """Leaky ReLU times sqrt 2, which keeps the variance of a unit Gaussian about one."""
    return leaky(x) * math.sqrt(2)


def unit_gain(layer: nn.Module) -> nn.Module:
    """Unit gain: weights from N(0, 1 / inputs), bias 0; the gain of the activation is in `_act`."""
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    nn.init.normal_(layer.weight, 0.0, layer.weight[0].numel() ** -0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
