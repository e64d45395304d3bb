"""Make-up in torch: the film of `makeup.optics` on pictures, and what a reading of a look costs.

Only what training needs; `tests/train/test_makeup.py` holds the film against the one in NumPy.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mojing.makeup.optics import DARKEST, LIGHTEST
from mojing.makeup.reading import PART

_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def to_linear(srgb: Tensor) -> Tensor:
    """Linear light of encoded sRGB in 0..1, of any shape (IEC 61966-2-1)."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb.clamp(min=0.0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """The inverse, clipped to 0..1; its slope is bounded at black."""
    x = linear.clamp(1e-5, 1.0)
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


def film(albedo: Tensor, product: Tensor, *, coverage: Tensor) -> Tensor:
    """Albedo (N, 3, H, W) under a film of a product (N, 3, H, W) that hides `coverage` (N, 1, H, W), all 0..1.

    Kubelka-Munk with the coverage alike in every channel: `optics.film` with `optics.thickness_for`.
    """
    r = product.clamp(DARKEST, LIGHTEST)
    left = (1.0 - coverage).clamp(1e-4, 1.0)
    p = (1.0 - r * r) * (1.0 + r) - left * r * (1.0 - r)
    t = 2.0 * left / (p + torch.sqrt(p * p + 4.0 * left * left * r**3))
    d, q = albedo - r, 1.0 - r * r
    return r + d * t * q / (q - r * d * (1.0 - t))


def paint(bare: Tensor, product: Tensor, *, white: Tensor) -> Tensor:
    """Encoded picture (N, 3, H, W) of a bare face in linear light with a map of product (N, 4, H, W) RGBA on it.

    `white` (N, 3, H, W) is the linear light that a white surface would throw back: light times shading. What the face
    throws back beyond a white surface is gloss, and stays.
    """
    white = white.clamp(min=0.02)
    albedo = (bare / white).clamp(DARKEST, LIGHTEST)
    covered = film(albedo, to_linear(product[:, :3]), coverage=product[:, 3:])
    return to_srgb(bare + white * (covered - albedo))


def lab(srgb: Tensor) -> Tensor:
    """CIE Lab of encoded sRGB, both (..., 3); as `core.color.rgb_to_lab`, with a bounded slope."""
    matrix = srgb.new_tensor(_XYZ)
    xyz = to_linear(srgb) @ matrix.T / matrix.sum(dim=1)
    delta = 6.0 / 29.0
    f = torch.where(xyz > delta**3, xyz.clamp(min=delta**3) ** (1 / 3), xyz / (3 * delta**2) + 4.0 / 29.0)
    return torch.stack(
        [116.0 * f[..., 1] - 16.0, 500.0 * (f[..., 0] - f[..., 1]), 200.0 * (f[..., 1] - f[..., 2])], dim=-1
    )


def rows_loss(rows: Tensor, truth: Tensor, known: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Loss of answers against truths, all (N, kinds, WIDTH), each number weighing as much as it is known; its parts."""
    part = {name: (rows[..., s], truth[..., s], known[..., s]) for name, s in PART.items()}
    losses = {name: _mean(F.binary_cross_entropy_with_logits(a, t, reduction="none"), k)
              for name, (a, t, k) in part.items() if name in ("present", "area")}  # fmt: skip
    for name in ("count", "finish", "pattern"):
        answer, target, k = part[name]
        shut = answer.masked_fill((k == 0) & (k.amax(dim=-1, keepdim=True) > 0), -1e4)
        losses[name] = _mean(-(target * F.log_softmax(shut, dim=-1)).sum(dim=-1), k.amax(dim=-1))
    answer, target, k = part["colour"]
    three = (*answer.shape[:-1], -1, 3)
    gap = (lab(answer.reshape(three)) - lab(target.reshape(three))).square().sum(dim=-1).add(1.0).sqrt() - 1.0
    losses["colour"] = _mean(gap, k.reshape(three)[..., 0]) / 10.0
    answer, target, k = part["scalar"]
    losses["scalar"] = _mean((answer - target).abs(), k)
    weights = {"present": 2.0, "area": 0.3, "count": 0.2, "finish": 0.3, "pattern": 0.4, "colour": 1.0, "scalar": 2.0}
    total = sum((weights[name] * loss for name, loss in losses.items()), rows.new_zeros(()))
    return total, {name: loss.item() for name, loss in losses.items()}


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1e-3)
