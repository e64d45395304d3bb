"""The face network: mesh, confidence and parts from one crop.

A thin residual network with one feature pyramid (arXiv:1612.03144) that serves all heads. The mesh is read in two
steps: heat maps of `ANCHORS` points whose centre of mass is taken (integral regression, Sun et al. 2018,
arXiv:1711.08229), which move with the picture by construction, and a linear map from these and the pooled features to
all points.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.perception import facemesh
from mojing.perception.facedetail import eye_region, lips_region
from mojing.perception.faceview import FACE_PARTS
from mojing.train.nets.unet import ConvNorm, ResBlock

NOSE = (1, 2, 4, 5, 6, 19, 94, 98, 168, 195, 197, 327, 48, 278, 64, 294)
CHEEKS = (50, 280, 101, 330, 205, 425, 187, 411, 117, 346, 151, 9)
ANCHORS: tuple[int, ...] = (
    *facemesh.OVAL[::2],
    *facemesh.LIPS_OUTER,
    *facemesh.LIPS_INNER,
    *facemesh.RIGHT_EYE,
    *facemesh.LEFT_EYE,
    *facemesh.RIGHT_BROW[::2],
    *facemesh.LEFT_BROW[::2],
    *facemesh.RIGHT_IRIS,
    *facemesh.LEFT_IRIS,
    *NOSE,
    *CHEEKS,
)
"""Mesh points that get a heat map: edges of lips, eyes and irises in full, the rest thinly."""


class FaceNet(nn.Module):
    """RGB crop (N, 3, 192, 192) in [0, 1] -> mesh (N, 478, 3), confidence logit (N, 1), parts logits (N, 7, 96, 96).

    Mesh x and y are crop pixels over the crop's side, z in the same unit. In training the anchors (N, A, 2) and
    their heat maps' logits (N, A, 24, 24) come too.
    Dense thin convolutions: depth-wise ones have fewer operations, but on a CPU they train at two thirds of the speed.
    """

    def __init__(
        self, *, widths: tuple[int, ...] = (16, 24, 48, 96, 128), blocks: tuple[int, ...] = (1, 2, 3, 1)
    ) -> None:
        super().__init__()
        self.stem = ConvNorm(3, widths[0], stride=2)
        self.stages = nn.ModuleList(
            nn.Sequential(ConvNorm(a, b, stride=2), *[ResBlock(b, b) for _ in range(count)])
            for a, b, count in zip(widths[:-1], widths[1:], blocks, strict=True)
        )
        self.up12 = ConvNorm(widths[4], widths[3], kernel=1)
        self.merge12 = ConvNorm(widths[3], 64)
        self.side24 = ConvNorm(widths[2], 64, kernel=1, act=False)
        self.merge24 = ConvNorm(64, 64)
        self.up48 = ConvNorm(64, widths[1], kernel=1)
        self.merge48 = ConvNorm(widths[1], widths[1])
        self.up96 = ConvNorm(widths[1], widths[0], kernel=1)
        self.parts = nn.Sequential(ConvNorm(widths[0], 16), nn.Conv2d(16, len(FACE_PARTS), 1))
        self.heat = nn.Conv2d(64, len(ANCHORS), 1)
        self.anchors_to_mesh = nn.Linear(2 * len(ANCHORS), 3 * facemesh.POINTS)
        self.context = nn.Sequential(nn.Linear(widths[4] + 64, 96), nn.ReLU(inplace=True))
        self.context_to_mesh = nn.Linear(96, 3 * facemesh.POINTS)
        nn.init.zeros_(self.context_to_mesh.weight)
        nn.init.zeros_(self.context_to_mesh.bias)
        self.sure = nn.Linear(96, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        at96 = self.stem((image - 0.5) * 4.0)
        at48, at24, at12, at6 = self.encoded(at96)
        x = self.merge12(at12 + twice(self.up12(at6)))
        x = top = self.merge24(F.relu(self.side24(at24) + twice(x)))
        x = self.merge48(at48 + twice(self.up48(x)))
        parts = self.parts(at96 + twice(self.up96(x)))
        heat = self.heat(top)
        anchors = centres(heat)
        context = self.context(torch.cat([at6.mean(dim=(2, 3)), top.mean(dim=(2, 3))], dim=1))
        with torch.autocast(image.device.type, enabled=False):  # bfloat16 would round to half a pixel
            mesh = self.anchors_to_mesh(anchors.flatten(1)) + self.context_to_mesh(context.float())
        mesh = mesh.reshape(-1, facemesh.POINTS, 3)
        if self.training:
            return mesh, self.sure(context), parts, anchors, heat
        return mesh, self.sure(context), parts

    def encoded(self, x: Tensor) -> list[Tensor]:
        """Features of the four stages, from fine to coarse."""
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        return seen


def twice(x: Tensor) -> Tensor:
    """Maps at twice the size."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def centres(heat: Tensor) -> Tensor:
    """Centre of mass (N, K, 2) of the softmax of maps (N, K, H, W), in crop widths from the crop's top left edge."""
    n, k, h, w = heat.shape
    share = torch.softmax(heat.float().reshape(n, k, h * w), dim=-1).reshape(n, k, h, w)
    xs = (torch.arange(w, device=heat.device, dtype=torch.float32) + 0.5) / w
    ys = (torch.arange(h, device=heat.device, dtype=torch.float32) + 0.5) / h
    return torch.stack([(share.sum(dim=2) * xs).sum(dim=-1), (share.sum(dim=3) * ys).sum(dim=-1)], dim=-1)


class PatchNet(nn.Module):
    """Patch (N, 3, 64, 64) in [0, 1] around an eye or the lips -> points (N, K, 2) over the patch's side.

    Each point is the centre of mass of its heat map on a grid of 4 px, plus a correction from the pooled features, for
    what lies under something or beyond the patch. In training the maps' logits (N, K, 16, 16) come too.
    """

    def __init__(self, points: int) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 16, stride=2)
        self.fine = nn.Sequential(ConvNorm(16, 32, stride=2), ResBlock(32, 32))
        self.coarse = nn.Sequential(ConvNorm(32, 64, stride=2), ResBlock(64, 64))
        self.side = ConvNorm(32, 48, kernel=1, act=False)
        self.up = ConvNorm(64, 48, kernel=1, act=False)
        self.merge = ConvNorm(48, 48)
        self.heat = nn.Conv2d(48, points, 1)
        self.context = nn.Sequential(nn.Linear(64 + 2 * points, 64), nn.ReLU(inplace=True))
        self.correct = nn.Linear(64, 2 * points)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, patch: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.fine(self.stem((patch - 0.5) * 4.0))
        coarse = self.coarse(fine)
        heat = self.heat(self.merge(F.relu(self.side(fine) + twice(self.up(coarse)))))
        found = centres(heat)
        with torch.autocast(patch.device.type, enabled=False):  # bfloat16 would round to a quarter of a pixel
            seen = torch.cat([coarse.mean(dim=(2, 3)).float(), (found - 0.5).flatten(1)], dim=1)
            found = found + 0.1 * self.correct(self.context(seen)).reshape(found.shape)
        return found, heat


class FaceDetailNet(nn.Module):
    """Patches (N, 3, 3, 64, 64): right eye, left eye in a mirror, lips -> points (N, 2 K_eye + K_lips, 2).

    In training the heat maps of the eyes (2 N, K_eye, 16, 16) and of the lips (N, K_lips, 16, 16) come too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.eyes, self.lips = PatchNet(len(eye_region().points)), PatchNet(len(lips_region().points))

    def forward(self, patches: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        eyes, eye_heat = self.eyes(patches[:, :2].flatten(0, 1))
        lips, lips_heat = self.lips(patches[:, 2])
        points = torch.cat([eyes.unflatten(0, (-1, 2)).flatten(1, 2), lips], dim=1)
        return (points, eye_heat, lips_heat) if self.training else points
