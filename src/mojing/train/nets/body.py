"""The body network: parsing, person alpha and joints from one photo crop."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.core.skeleton import BODY_JOINTS
from mojing.perception.labels import LABELS
from mojing.train.nets.unet import ConvNorm, UNet


class BodyNet(nn.Module):
    """RGB crop (N, 3, 256, 192) in [0, 1] -> parse logits (N, 21, 128, 96), alpha logits (N, 1, 128, 96) and joint
    heat maps (N, 21, 64, 48).

    Which labels the crop shows at all is told from the whole of it and held against every pixel's logits, so that a
    skirt is a skirt everywhere: after the context encoding of EncNet (arXiv:1803.08904), but on the logits, by a
    learned share of the log-probability that the label is present.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(3)
        self.dense = nn.Conv2d(24, len(LABELS) + 1, 1)
        self.joints = nn.Sequential(ConvNorm(48, 48), nn.Conv2d(48, len(BODY_JOINTS), 1))
        self.presence = nn.Sequential(nn.Linear(448, 128), nn.ReLU(), nn.Linear(128, len(LABELS)))
        self.gate = nn.Parameter(torch.zeros(len(LABELS)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.answer(image)[:3]

    def answer(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What `forward` gives, and logits (N, 21) that a label is present in the crop."""
        half, quarter, deep = self.unet((image - 0.5) * 4.0)
        dense = self.dense(half)
        present = self.presence(torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], dim=1))
        # The logarithm of the chance of presence; log(sigmoid), as logsigmoid is exported, is -inf below -88.
        parse = dense[:, : len(LABELS)] - (self.gate * F.softplus(-present))[:, :, None, None]
        return parse, dense[:, len(LABELS) :], self.joints(quarter), present


def channels_last_bf16(device: str) -> torch.autocast:
    """The autocast context every training uses: bfloat16 on CPU and GPU."""
    return torch.autocast(device, dtype=torch.bfloat16)
