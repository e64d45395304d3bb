"""Networks of the toy generator, in torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ToyMapping(nn.Module):
    """Latent, kind and colour to styles, linear; the kind makes dresses long, the colour is kept."""

    def __init__(self, *, latent: int, kinds: int, layers: int, width: int) -> None:
        super().__init__()
        self.layers = layers
        self.z = nn.Linear(latent, width)
        self.kind = nn.Linear(kinds, width, bias=False)
        self.colour = nn.Linear(3, width, bias=False)

    def forward(self, z: Tensor, kind: Tensor, colour: Tensor) -> Tensor:
        w: Tensor = 1.7 * self.z(z) + self.kind(kind) + self.colour(colour)
        return w.unsqueeze(1).repeat(1, self.layers, 1)


class ToySynthesis(nn.Module):
    """Styles to a drawn shirt: the first two layers hold its shape, the last two its colour and stripes."""

    x: Tensor
    y: Tensor
    stripe: Tensor

    def __init__(self, *, layers: int, width: int, side: int) -> None:
        super().__init__()
        self.shape = nn.Linear(width, 4, bias=False)
        self.paint = nn.Linear(width, 4, bias=False)
        nn.init.orthogonal_(self.shape.weight)
        nn.init.orthogonal_(self.paint.weight)
        at = torch.linspace(-1, 1, side)
        self.register_buffer("x", at.view(1, 1, -1).abs())
        self.register_buffer("y", at.view(1, -1, 1))
        self.register_buffer("stripe", torch.sin(12 * at).view(1, 1, -1, 1))

    def forward(self, styles: Tensor) -> Tensor:
        p = torch.tanh(0.6 * self.shape(styles[:, :2].mean(1))).unsqueeze(2).unsqueeze(3)
        half, low = 0.32 + 0.06 * p[:, 0], 0.2 + 0.35 * p[:, 1]
        reach, neck = 0.25 + 0.22 * p[:, 2], 0.16 + 0.1 * p[:, 3]
        below = self.y + 0.8
        trunk = torch.minimum(torch.minimum(half - self.x, below + 0 * half), low - self.y)
        sleeve = torch.minimum(torch.minimum(half + reach - self.x, below + 0 * half), -0.4 - self.y + 0 * half)
        hole = torch.sqrt(self.x**2 + below**2 + 1e-6) - neck
        alpha = torch.tanh(25 * torch.minimum(torch.maximum(trunk, sleeve), hole)).unsqueeze(1)
        c = torch.tanh(0.5 * self.paint(styles[:, -2:].mean(1))).unsqueeze(2).unsqueeze(3)
        rgb = 0.8 * c[:, :3] + 0.2 * torch.relu(c[:, 3:]) * self.stripe
        return torch.cat([rgb + 0 * alpha, alpha], 1)


class ToyFeatures(nn.Module):
    """Picture to 256 features and 18 kinds: a random projection of an 8 x 8 thumbnail."""

    def __init__(self) -> None:
        super().__init__()
        self.feature = nn.Linear(192, 256)
        self.kind = nn.Linear(192, 18)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        small = torch.nn.functional.avg_pool2d(image, 16).flatten(1)
        return 8 * self.feature(small), self.kind(small)
