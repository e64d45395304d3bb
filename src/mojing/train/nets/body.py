"""The body network: parsing, person alpha and joints from one photo crop."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mojing.core.skeleton import BODY_JOINTS
from mojing.perception.labels import LABELS
from mojing.train.nets.unet import ConvNorm, UNet


class BodyNet(nn.Module):
    """RGB crop (N, 3, 256, 192) in [0, 1] -> parse logits (N, 21, 128, 96), alpha logits (N, 1, 128, 96) and joint
    heat maps (N, 21, 64, 48)."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(3)
        self.dense = nn.Conv2d(24, len(LABELS) + 1, 1)
        self.joints = nn.Sequential(ConvNorm(48, 48), nn.Conv2d(48, len(BODY_JOINTS), 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        half, quarter, _ = self.unet((image - 0.5) * 4.0)
        dense = self.dense(half)
        return dense[:, : len(LABELS)], dense[:, len(LABELS) :], self.joints(quarter)


def channels_last_bf16(device: str) -> torch.autocast:
    """The autocast context every training uses: bfloat16 on CPU and GPU."""
    return torch.autocast(device, dtype=torch.bfloat16)
