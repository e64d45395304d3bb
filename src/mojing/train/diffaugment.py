"""Augmentation that the gradient passes through, the same kind for real and made images, so D cannot learn few images
by heart and G does not learn the augmentation. Zhao et al. 2020, DiffAugment (arXiv:2006.10738).

All chance comes from an explicit torch.Generator: the same generator state gives the same augmentation.
"""

from __future__ import annotations

from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from mojing.core.errors import InputError

POLICIES: Final = ("color", "translation", "cutout")
"""Kinds of augmentation; a policy is any of them joined by commas, an empty string for none."""


def diff_augment(
    x: Tensor, *, generator: torch.Generator, policy: str = "color,translation,cutout", p: float = 1.0
) -> Tensor:
    """Augment images (N, C, H, W) in [-1, 1]; each kind of the policy hits each image with probability `p`.

    p = 1 is the paper's; p = 0 gives the images back as they are. Colour changes the first three channels of RGB and
    RGBA images and leaves alpha; other channel counts are changed as a whole.

    Raises:
        InputError: bad_options, for an unknown kind.
    """
    kinds = [kind.strip() for kind in policy.split(",") if kind.strip()]
    if unknown := [kind for kind in kinds if kind not in POLICIES]:
        raise InputError(
            "bad_options", f"there is no augmentation {unknown[0]!r}", hint=f"choose from {', '.join(POLICIES)}"
        )
    if p <= 0.0:
        return x
    for kind in POLICIES:
        if kind in kinds:
            x = {"color": _color, "translation": _translation, "cutout": _cutout}[kind](x, generator=generator, p=p)
    return x


class Ada:
    """Augmentation probability driven by over-fitting: up while D is too sure of the real images, else down.

    Karras et al. 2020 (arXiv:2006.06676): r_t = mean sign of D on real images, held at `target`. Deviations: `p`
    reaches at most `ceiling`, as DiffAugment is stronger than the paper's single operations; `images` is how many real
    images it takes `p` to go from 0 to 1 (the paper's 500,000 suits weeks of GPU time).
    """

    def __init__(self, *, target: float = 0.6, images: int = 50_000, ceiling: float = 0.9, p: float = 0.0) -> None:
        self.target, self.images, self.ceiling, self.p = target, images, ceiling, p

    def update(self, sure: float, *, images: int) -> float:
        """Adapt to `images` more real images, on which the mean sign of D's logits was `sure`; the new probability.

        Under the relativistic loss take the sign of real minus made logits, as those alone mean nothing.
        """
        step = images / self.images
        self.p = min(max(self.p + (step if sure > self.target else -step), 0.0), self.ceiling)
        return self.p

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"p": self.p}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the probability of a stopped run."""
        self.p = float(state["p"])


def _uniform(n: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """(n, 1, 1, 1) uniform in [0, 1)."""
    return torch.rand(n, 1, 1, 1, generator=generator, device=generator.device).to(like)


def _hit(n: int, like: Tensor, *, generator: torch.Generator, p: float) -> Tensor:
    """(n, 1, 1, 1): 1 where the augmentation is applied, 0 where the image stays."""
    return (_uniform(n, like, generator) < p).to(like.dtype)


def _color(x: Tensor, *, generator: torch.Generator, p: float) -> Tensor:
    """Brightness +-0.5 (of a range of 2), saturation x0..2, contrast x0.5..1.5, the paper's ranges."""
    n, c = x.shape[:2]
    alpha = x[:, 3:] if c == 4 else None
    y = x[:, :3] if c == 4 else x
    hit = _hit(n, x, generator=generator, p=p)
    brightness = (_uniform(n, x, generator) - 0.5) * hit
    saturation = 1 + (_uniform(n, x, generator) * 2 - 1) * hit
    contrast = 1 + (_uniform(n, x, generator) - 0.5) * hit
    y = y + brightness
    grey = y.mean(1, keepdim=True)
    y = grey + (y - grey) * saturation
    mean = y.mean((1, 2, 3), keepdim=True)
    y = mean + (y - mean) * contrast
    return y if alpha is None else torch.cat([y, alpha], 1)


def _translation(x: Tensor, *, generator: torch.Generator, p: float, ratio: float = 0.125) -> Tensor:
    """Shift by whole pixels, up to `ratio` of the side each way; zeros come in."""
    n, c, h, w = x.shape
    hit = _hit(n, x, generator=generator, p=p).view(n, 1)
    reach_y, reach_x = int(h * ratio + 0.5), int(w * ratio + 0.5)
    dy = ((_uniform(n, x, generator).view(n, 1) * (2 * reach_y + 1)).floor() - reach_y) * hit
    dx = ((_uniform(n, x, generator).view(n, 1) * (2 * reach_x + 1)).floor() - reach_x) * hit
    rows = torch.arange(h, device=x.device) + dy.long() + reach_y
    columns = torch.arange(w, device=x.device) + dx.long() + reach_x
    padded = F.pad(x, (reach_x, reach_x, reach_y, reach_y))
    y = padded.gather(2, rows.view(n, 1, h, 1).expand(n, c, h, w + 2 * reach_x))
    return y.gather(3, columns.view(n, 1, 1, w).expand(n, c, h, w))


def _cutout(x: Tensor, *, generator: torch.Generator, p: float, ratio: float = 0.5) -> Tensor:
    """A square of half the side, its centre anywhere, becomes zero."""
    n, _, h, w = x.shape
    hit = _hit(n, x, generator=generator, p=p)
    cy, cx = _uniform(n, x, generator) * h, _uniform(n, x, generator) * w
    rows = torch.arange(h, device=x.device, dtype=x.dtype).view(1, 1, h, 1) + 0.5
    columns = torch.arange(w, device=x.device, dtype=x.dtype).view(1, 1, 1, w) + 0.5
    inside = ((rows - cy).abs() < h * ratio / 2) & ((columns - cx).abs() < w * ratio / 2)
    return x * (1 - inside.to(x.dtype) * hit)
