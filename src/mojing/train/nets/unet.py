"""The residual U-Net that all of the project's networks share.

Encoder-decoder with skip connections (Ronneberger et al. 2015, arXiv:1505.04597) of pre-norm-free residual blocks
(He et al. 2015, arXiv:1512.03385), and one self-attention block at the coarsest scale for whole-picture context.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, unless told otherwise, ReLU: (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)."""

    def __init__(self, c_in: int, c_out: int, *, kernel: int = 3, stride: int = 1, act: bool = True) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(c_out),
        ]
        if act:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class ResBlock(nn.Module):
    """Two 3x3 convolutions with a skip; a 1x1 projection where the width changes."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvNorm(c_in, c_out), ConvNorm(c_out, c_out, act=False))
        self.skip = nn.Identity() if c_in == c_out else ConvNorm(c_in, c_out, kernel=1, act=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.skip(x), inplace=True)


class Attention(nn.Module):
    """Multi-head self-attention over all cells with a depth-wise convolution as position code (arXiv:2102.10882)."""

    def __init__(self, width: int, *, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.position = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        x = x + self.position(x)
        tokens = x.flatten(2).transpose(1, 2)
        q, k, v = (
            self.qkv(self.norm(tokens))
            .reshape(n, h * w, 3, self.heads, c // self.heads)
            .permute(2, 0, 3, 1, 4)
            .unbind(0)
        )
        mixed = torch.softmax(q @ k.transpose(-1, -2) * (c // self.heads) ** -0.5, dim=-1) @ v
        return x + self.out(mixed.transpose(1, 2).reshape(n, h * w, c)).transpose(1, 2).reshape(n, c, h, w)


class UNet(nn.Module):
    """Features at 1/2 and 1/4 of the input and at the bottleneck.

    `widths[i]` and `blocks[i]` belong to scale 1/2^(i+1). Input (N, c_in, H, W) with H, W divisible by 2^len(widths).
    """

    def __init__(
        self,
        c_in: int,
        *,
        widths: Sequence[int] = (24, 48, 96, 160, 224),
        blocks: Sequence[int] = (1, 2, 3, 3, 1),
    ) -> None:
        super().__init__()
        self.stem = ConvNorm(c_in, widths[0], stride=2)
        self.stages = nn.ModuleList()
        self.downs = nn.ModuleList()
        for i, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            if i:
                self.downs.append(ConvNorm(widths[i - 1], width, stride=2))
            self.stages.append(nn.Sequential(*[ResBlock(width, width) for _ in range(count)]))
        self.attention = Attention(widths[-1])
        self.ups = nn.ModuleList(ConvNorm(widths[i + 1], widths[i], kernel=1) for i in range(len(widths) - 1))
        self.merges = nn.ModuleList(ResBlock(2 * widths[i], widths[i]) for i in range(len(widths) - 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.stem(x)
        skips = []
        for i, stage in enumerate(self.stages):
            x = stage(x if i == 0 else self.downs[i - 1](x))
            skips.append(x)
        x = bottleneck = self.attention(x)
        quarter = x
        for i in reversed(range(len(self.ups))):
            x = F.interpolate(self.ups[i](x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = self.merges[i](torch.cat([x, skips[i]], dim=1))
            if i == 1:
                quarter = x
        return x, quarter, bottleneck
