"""The make-up network: a face in the flat layout -> what it wears, the bare face under it, and the product as a map.

The photo's detail enters as sub-pixels of a grid four times coarser and leaves the same way (Shi et al. 2016,
arXiv:1609.05158), so that a line of one texel can be drawn while every convolution runs on 64x64 cells.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.makeup.histogram import regions
from mojing.makeup.reading import FIELDS, PART, READ, SHADES, WIDTH
from mojing.train.nets.unet import ConvNorm, UNet
from mojing.train.regularisers import spectral_norm

WIDTHS = (24, 48, 80, 128)
BLOCKS = (1, 1, 2, 1)
GRID = 32
"""Side of the grid on which the reader looks; a picture's side is 8 times as long."""

DENSE = 8
"""Channels of the dense answer: change to the bare face (3), its opacity, product colour (3), its thickness."""


class Reader(nn.Module):
    """Features (N, C, 32, 32), colours and their spread (N, 6, 32, 32), a summary (N, G) -> rows (N, kinds, `WIDTH`).

    Every kind looks at `SHADES` places of its own choice: the flat layout holds every face alike, so where to look is
    a learnt map that the features only correct. Its shades start from the colours seen there.
    """

    # Adam moves every number by about the learning rate a step: the factor lets maps change within a short run.
    factors: ClassVar[dict[str, float]] = {"where": 10.0}

    def __init__(self, channels: int, summary: int, *, features: int = 32, hidden: int = 56) -> None:
        super().__init__()
        kinds = len(READ)
        self.features = ConvNorm(channels, features, kernel=1)
        self.where = nn.Parameter(_first_look())
        self.correct = nn.Conv2d(channels, kinds * SHADES, 1)
        self.summary = nn.Linear(summary, 48)
        width = SHADES * (features + 6) + 48
        self.enter = nn.Parameter(torch.randn(kinds, width, hidden) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(kinds, 1, hidden))
        self.leave = nn.Parameter(torch.randn(kinds, hidden, WIDTH) * 0.3 * hidden**-0.5)
        self.rest = nn.Parameter(torch.zeros(kinds, 1, WIDTH))

    def forward(self, x: Tensor, colours: Tensor, summary: Tensor) -> Tensor:
        n, kinds = x.shape[0], len(READ)
        look = (self.factors["where"] * self.where + self.correct(x)).flatten(2).softmax(dim=2)
        seen = torch.cat([self.features(x), colours], dim=1).flatten(2)
        places = torch.matmul(look, seen.transpose(1, 2)).reshape(n, kinds, SHADES, -1)
        whole = F.relu(self.summary(summary))[:, None].expand(n, kinds, 48)
        told = torch.cat([places.flatten(2), whole], dim=2).transpose(0, 1)
        rows = torch.baddbmm(self.rest, F.relu(torch.baddbmm(self.bias, told, self.enter)), self.leave).transpose(0, 1)
        start = places[..., -6:-3].flatten(2).clamp(0.02, 0.98)
        shades = torch.sigmoid(torch.log(start / (1.0 - start)) + rows[..., PART["colour"]])
        scalars = torch.sigmoid(rows[..., PART["scalar"]])
        classes = [rows[..., PART[name]] for name in FIELDS]
        named = dict(zip(FIELDS, classes, strict=True)) | {"colour": shades, "scalar": scalars}
        return torch.cat([named[name] for name in FIELDS], dim=2)


def _first_look() -> Tensor:
    """Maps (kinds * SHADES, 32, 32) from which the search for where to look starts: mouth, eyes or skin."""
    skin, eyes, lips = torch.from_numpy(regions(GRID).copy())
    eyes = F.max_pool2d(eyes[None, None], 3, 1, 1)[0, 0]
    of = {
        "lip": lips,
        "lip_liner": lips,
        "eyeshadow": eyes,
        "brows": eyes,
        "eyeliner": eyes,
        "lashes": eyes,
        "lens": eyes,
    }
    maps = torch.stack([of.get(kind, skin) for kind in READ]).repeat_interleave(SHADES, dim=0)
    return 0.4 * maps + 0.02 * torch.randn(maps.shape)


class Drawer(nn.Module):
    """Features (N, C, h, w) and their picture (N, K, 4h, 4w) -> channels (N, out, 4h, 4w), zero at first."""

    def __init__(self, features: int, picture: int, out: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(features + 16 * picture, 64, 1)
        self.leave = nn.Conv2d(64, 16 * out, 1)
        for weight in self.leave.parameters():
            nn.init.zeros_(weight)

    def forward(self, x: Tensor, picture: Tensor) -> Tensor:
        told = torch.cat([x, F.pixel_unshuffle(picture, 4).to(x.dtype)], dim=1)
        return F.pixel_shuffle(self.leave(F.relu(self.enter(told))), 4)


class SkinTone(nn.Module):
    """Mean colour (N, 3, 1, 1) of the valid skin of faces (N, 4, 256, 256) in the flat layout.

    Contrast with the wearer's own skin is what tells make-up; the networks are shown pictures less this colour.
    """

    where: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("where", torch.from_numpy(regions(GRID)[:1].copy()), persistent=False)

    def forward(self, face: Tensor) -> Tensor:
        small = F.avg_pool2d(face, 8)
        skin = self.where * small[:, 3:]
        return (small[:, :3] * skin).sum(dim=(2, 3), keepdim=True) / (skin.sum(dim=(2, 3), keepdim=True) + 1e-3)


class MakeupNet(nn.Module):
    """Face (N, 4, 256, 256): encoded RGB in 0..1 and where it is valid -> rows (N, kinds, `WIDTH`), the bare face
    (N, 4, 256, 256) and the product (N, 4, 256, 256), both RGBA in 0..1.

    The bare face's colour is the picture's own plus a change, so that the skin's texture goes through.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tone = SkinTone()
        self.unet = UNet(16, widths=WIDTHS, blocks=BLOCKS)
        self.drawer = Drawer(WIDTHS[0], 3, DENSE)
        self.reader = Reader(WIDTHS[1], WIDTHS[-1] + 3)

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        half, rows, skin = self.trunk(face)
        bare, product = self.layers(half, face[:, :3], skin)
        return rows, bare, product

    def trunk(self, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features on the fine grid (N, C, 64, 64), the rows, and the skin's colour (N, 3, 1, 1)."""
        skin = self.tone(face)
        rgb, valid = face[:, :3], face[:, 3:]
        x = torch.cat([(rgb - skin) * 4.0, valid], dim=1)
        half, quarter, bottom = self.unet(F.pixel_unshuffle(x, 2))
        mean = F.avg_pool2d(rgb, 8)
        spread = (F.avg_pool2d(rgb * rgb, 8) - mean * mean).clamp(min=1e-6).sqrt() * 4.0
        summary = torch.cat([bottom.mean(dim=(2, 3)), skin.flatten(1)], dim=1)
        return half, self.reader(quarter, torch.cat([mean, spread], dim=1), summary), skin

    def layers(self, half: Tensor, rgb: Tensor, skin: Tensor) -> tuple[Tensor, Tensor]:
        """Bare face and product, RGBA, of features (N, C, h, w) and the picture (N, 3, 4h, 4w) they belong to."""
        dense = self.drawer(half, (rgb - skin) * 4.0).float()
        colour = (rgb + torch.tanh(dense[:, :3])).clamp(0.0, 1.0)
        opacity = torch.sigmoid(dense[:, 3:4])
        start = torch.log(skin.clamp(0.05, 0.95) / (1.0 - skin.clamp(0.05, 0.95)))
        tint, thickness = torch.sigmoid(dense[:, 4:7] + start), torch.sigmoid(dense[:, 7:] - 1.5)
        return torch.cat([colour, opacity], dim=1), torch.cat([tint, thickness], dim=1)


class Repainter(nn.Module):
    """The baseline: picture to picture, as PSGAN does it (Jiang et al. 2020, arXiv:1909.06956), at our network's size.

    Both faces (N, 8, 256, 256), each encoded RGB in 0..1 and where it is valid, the bare one first -> the bare face
    repainted (N, 3, 256, 256). PSGAN's attention between two poses is not needed: the flat layout aligns the faces.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tone = SkinTone()
        self.unet = UNet(32, widths=(28, 56, 88, 140), blocks=BLOCKS)
        self.drawer = Drawer(28, 6, 3)

    def forward(self, faces: Tensor) -> Tensor:
        seen = self.seen(faces)
        return self.paint(self.trunk(seen), seen, faces[:, :3])

    def seen(self, faces: Tensor) -> Tensor:
        """Both pictures (N, 8, 256, 256), each less its own skin's colour."""
        parts = [(f[:, :3] - self.tone(f)) * 4.0 for f in (faces[:, :4], faces[:, 4:])]
        return torch.cat([*parts, faces[:, 3:4], faces[:, 7:]], dim=1)

    def trunk(self, seen: Tensor) -> Tensor:
        """Features (N, C, 64, 64)."""
        return self.unet(F.pixel_unshuffle(seen, 2))[0]

    def paint(self, half: Tensor, seen: Tensor, rgb: Tensor) -> Tensor:
        """The bare picture (N, 3, 4h, 4w) repainted, of features (N, C, h, w) and what was `seen` there."""
        return (rgb + torch.tanh(self.drawer(half, seen[:, :6]).float())).clamp(0.0, 1.0)


class Judge(nn.Module):
    """Patch discriminator of (source, made) pictures (N, 6, H, W) in 0..1 -> logits (N, 1, H/8, W/8).

    PatchGAN (Isola et al. 2017, arXiv:1611.07004) at a third of its width, its weights under spectral norm.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        c_in = 6
        for c_out in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(c_in, c_out, 4, 2, 1), nn.LeakyReLU(0.2)]
            c_in = c_out
        self.body = spectral_norm(nn.Sequential(*layers, nn.Conv2d(c_in, 1, 3, 1, 1)))

    def forward(self, source: Tensor, made: Tensor) -> Tensor:
        return self.body((torch.cat([source, made], dim=1) - 0.5) * 4.0)
