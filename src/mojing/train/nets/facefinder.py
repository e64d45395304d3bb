"""The face finder's network: one look at a letterboxed photo, six maps (`perception.facefind.MAPS`)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.perception.facefind import MAPS
from mojing.train.nets.face import twice
from mojing.train.nets.unet import ConvNorm, ResBlock


class FinderNet(nn.Module):
    """RGB (N, 3, H, W) in [0, 1], H and W divisible by 32 -> maps (N, 6, H/8, W/8)."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            ConvNorm(3, 12, stride=2), ConvNorm(12, 20, stride=2), ConvNorm(20, 40, stride=2), ResBlock(40, 40)
        )
        self.middle = nn.Sequential(ConvNorm(40, 64, stride=2), ResBlock(64, 64))
        self.coarse = nn.Sequential(ConvNorm(64, 80, stride=2), ResBlock(80, 80))
        self.up = ConvNorm(80, 64, kernel=1)
        self.merge = ConvNorm(64, 48)
        self.side = ConvNorm(40, 48, kernel=1, act=False)
        last = nn.Conv2d(48, len(MAPS), 1)
        assert last.bias is not None
        with torch.no_grad():
            last.bias[0] = -4.0  # faces are rare
        self.head = nn.Sequential(ConvNorm(48, 48), last)

    def forward(self, image: Tensor) -> Tensor:
        fine = self.fine((image - 0.5) * 4.0)
        middle = self.middle(fine)
        x = self.merge(middle + twice(self.up(self.coarse(middle))))
        maps: Tensor = self.head(F.relu(self.side(fine) + twice(x)))
        return maps
