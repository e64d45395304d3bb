"""The try-on generator and its discriminator.

The generator works on 4x4 patches (pixel-unshuffle, as in vision transformers and ESPCN, arXiv:1609.05158): garment
detail never passes through it, it comes from the garment photo by the predicted warp; what it paints is what was never
seen.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from mojing.perception.labels import LABELS
from mojing.train.nets.unet import Attention, ConvNorm, ResBlock
from mojing.tryon.conditions import CONTEXT_CHANNELS, PICTURE_CHANNELS, STRIDE

MAX_FLOW = 0.06
"""Largest residual shift, as a share of the crop's height."""

MAX_GAIN = 0.6
"""Largest shading gain or loss, as a natural logarithm."""


class Generator(nn.Module):
    """Picture (N, 8, H, W) and context (N, 24, H/4, W/4) -> rgb (N, 3, H, W) 0..1, alpha logits (N, 1, H, W), flow
    (N, 2, H/4, W/4) in px of the crop, gain (N, 1, H/4, W/4) as a factor, parse logits (N, 21, H/4, W/4).

    H and W are divisible by 32.
    """

    def __init__(self, widths: tuple[int, ...] = (64, 96, 160, 224), blocks: tuple[int, ...] = (1, 2, 2, 2)) -> None:
        super().__init__()
        c_in = PICTURE_CHANNELS * STRIDE**2 + CONTEXT_CHANNELS
        self.stem = ConvNorm(c_in, widths[0], kernel=1)
        self.downs = nn.ModuleList(ConvNorm(a, b, stride=2) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*[ResBlock(w, w) for _ in range(n)]) for w, n in zip(widths, blocks, strict=True)
        )
        self.attention = Attention(widths[-1])
        self.ups = nn.ModuleList(ConvNorm(b, a, kernel=1) for a, b in pairwise(widths))
        self.merges = nn.ModuleList(ResBlock(2 * w, w) for w in widths[:-1])
        self.coarse_head = nn.Conv2d(widths[0], 3 + len(LABELS), 1)
        self.fine_head = nn.Sequential(ConvNorm(widths[0], 64), nn.Conv2d(64, 4 * STRIDE**2, 3, padding=1))
        nn.init.normal_(self.coarse_head.weight, std=0.01)
        nn.init.zeros_(self.coarse_head.bias)  # type: ignore[arg-type]

    def forward(self, picture: Tensor, context: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        height = picture.shape[2]
        x = self.stem(torch.cat([F.pixel_unshuffle(picture, STRIDE), context], dim=1))
        skips = []
        for i, stage in enumerate(self.stages):
            x = stage(x if i == 0 else self.downs[i - 1](x))
            skips.append(x)
        x = self.attention(x)
        for i in reversed(range(len(self.ups))):
            x = F.interpolate(self.ups[i](x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = self.merges[i](torch.cat([x, skips[i]], dim=1))
        coarse = self.coarse_head(x)
        fine = F.pixel_shuffle(self.fine_head(x), STRIDE)
        flow = torch.tanh(coarse[:, :2]) * (MAX_FLOW * height)
        gain = torch.exp(torch.tanh(coarse[:, 2:3]) * MAX_GAIN)
        return torch.sigmoid(fine[:, :3]), fine[:, 3:], flow, gain, coarse[:, 3:]


def compose(
    out: tuple[Tensor, Tensor, Tensor, Tensor, Tensor], *, photo: Tensor, picture: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The finished picture (N, 3, H, W) 0..1, the garment's final alpha and the warped garment.

    photo (N, 3, H, W) 0..1; picture is the generator's input. Outside the edit mask the photo stays.
    """
    rgb, alpha_logits, flow, gain, _ = out
    h, w = photo.shape[2:]
    mask, coarse, alpha = picture[:, 3:4], (picture[:, 4:7] + picture[:, 7:8]) / 2, picture[:, 7:8]
    fine = F.interpolate(flow, size=(h, w), mode="bilinear", align_corners=False)
    gy, gx = torch.meshgrid(torch.arange(h, dtype=torch.float32), torch.arange(w, dtype=torch.float32), indexing="ij")
    gx, gy = gx.to(flow.device), gy.to(flow.device)
    at = torch.stack([(gx + fine[:, 0]) * (2 / (w - 1)) - 1, (gy + fine[:, 1]) * (2 / (h - 1)) - 1], dim=-1)
    moved = F.grid_sample(torch.cat([coarse, alpha], 1), at, mode="bilinear", align_corners=True, padding_mode="zeros")
    solid = moved[:, 3:4]
    colour = moved[:, :3] / solid.clamp(min=0.05)
    lit = (colour * F.interpolate(gain, size=(h, w), mode="bilinear", align_corners=False)).clamp(0, 1)
    final = torch.sigmoid(alpha_logits) * solid.clamp(0, 1)
    new = final * lit + (1 - final) * rgb
    return mask * new + (1 - mask) * photo, final, lit


class Discriminator(nn.Module):
    """PatchGAN (arXiv:1611.07004) with spectral norm (arXiv:1802.05957) on picture, edit mask and coarse garment alpha.

    (N, 5, H, W) -> patch logits (N, 1, H/16, W/16) and the features of its layers for feature matching.
    """

    def __init__(self, widths: tuple[int, ...] = (48, 96, 160)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        c = 5 * 4
        for width in widths:
            layers.append(spectral_norm(nn.Conv2d(c, width, 4, stride=2, padding=1)))
            c = width
        self.layers = nn.ModuleList(layers)
        self.head = spectral_norm(nn.Conv2d(c, 1, 3, padding=1))

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = F.pixel_unshuffle(image, 2)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.head(x), features
