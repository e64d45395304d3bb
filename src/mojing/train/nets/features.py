"""The fashion feature network: residual, small, at home on a CPU.

Its first layers are those of the project's U-Net (`nets/unet.py`), so that it can start from the body or garment
network; the feature joins what the last stage sees (kind) with mean and spread of the middle one (colour, pattern).
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from mojing.perception.features import KINDS, WIDTH
from mojing.train.nets.unet import ConvNorm, ResBlock

WIDTHS = (24, 48, 96, 160)
BLOCKS = (1, 1, 2, 1)
STYLE = 8
"""Numbers that say how the garment looks: mean Lab, spread of Lab, detail at two scales."""


class FeatureNet(nn.Module):
    """RGB (N, 3, H, W) in [0, 1], H and W divisible by 16 -> feature (N, 256) and kind logits (N, 18).

    The feature's last step is a batch norm without weights, which gives every number unit variance over the training
    photos: a plain Euclidean distance weighs them alike.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, WIDTHS[0], stride=2)
        self.stages = nn.ModuleList(
            nn.Sequential(*[ResBlock(width, width) for _ in range(count)])
            for width, count in zip(WIDTHS, BLOCKS, strict=True)
        )
        self.downs = nn.ModuleList(ConvNorm(a, b, stride=2) for a, b in itertools.pairwise(WIDTHS))
        self.join = nn.Linear(WIDTHS[3] + 2 * WIDTHS[2], WIDTH, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH, affine=False)
        self.kind = nn.Linear(WIDTH, len(KINDS))
        self.style = nn.Linear(WIDTH, STYLE)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem((image - 0.5) * 4.0)
        seen = []
        for i, stage in enumerate(self.stages):
            x = stage(x if i == 0 else self.downs[i - 1](x))
            seen.append(x)
        middle, last = seen[2].float(), seen[3].float()
        mean = middle.mean(dim=(2, 3))
        spread = (middle * middle).mean(dim=(2, 3)) - mean * mean
        pooled = torch.cat([last.mean(dim=(2, 3)), mean, torch.sqrt(spread.clamp(min=0.0) + 1e-4)], dim=1)
        feature = self.norm(self.join(pooled).float())
        dropped = nn.functional.dropout(feature, 0.2, self.training)
        return feature, self.kind(dropped)

    def start_from(self, weights: dict[str, Tensor]) -> int:
        """Take over the first layers of the body or garment network (its state dict); returns how many fitted."""
        own = self.state_dict()
        fitting = {}
        for key, value in weights.items():
            name = key.removeprefix("unet.")
            if key.startswith("unet.") and name in own and own[name].shape == value.shape:
                fitting[name] = value
        self.load_state_dict({**own, **fitting})
        return len(fitting)
