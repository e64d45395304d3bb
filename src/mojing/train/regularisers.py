"""What keeps adversarial training stable: gradient penalties, spectral norm, noise, minibatch statistics, image pool.

Penalties differentiate through a gradient, so they cost a second backward pass; apply them to float32 logits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as _spectral_norm


def gradient_penalty(critic: Callable[[Tensor], Tensor], *, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """Mean of (||gradient of the critic|| - 1)^2 on the lines between real and made images; multiply by lambda (10).

    `real` and `fake` are (N, ...) of one shape, `alpha` (N,) uniform in [0, 1) is where on the line to look.
    Labels are bound by the caller: `gradient_penalty(lambda x: d(x, labels), ...)`.
    Gulrajani et al. 2017 (arXiv:1704.00028), eq. 3.
    """
    mix = alpha.view(-1, *[1] * (real.dim() - 1)).to(real.dtype)
    between = torch.lerp(fake.detach(), real.detach(), mix).requires_grad_(True)
    norm = _gradients(critic(between), between).norm(dim=1)
    return (norm - 1.0).square().mean()


def r1(logits: Tensor, images: Tensor, *, gamma: float) -> Tensor:
    """gamma / 2 * mean over real images of ||gradient of the logit||^2: zero-centred, so D may rest at the optimum.

    `images` (N, ...) are those the logits were computed from, with requires_grad set before.
    Mescheder et al. 2018 (arXiv:1801.04406), eq. 9.
    """
    return 0.5 * gamma * _gradients(logits, images).square().sum(1).mean()


def r2(logits: Tensor, images: Tensor, *, gamma: float) -> Tensor:
    """As `r1`, on made images: logits and images are those of the (detached) fakes.

    Mescheder et al. 2018, eq. 10; with R1 it is the noise regulariser of Roth et al. 2017 (arXiv:1705.09367) and what
    makes the relativistic loss converge locally (Huang et al. 2024, arXiv:2501.05441).
    """
    return r1(logits, images, gamma=gamma)


def spectral_norm(net: nn.Module) -> nn.Module:
    """Divide every weight of `net` by its largest singular value (one power iteration a step); changes `net` in place.

    Miyato et al. 2018 (arXiv:1802.05957); convolutions count as matrices (C_out, C_in * kh * kw) as in the paper.
    """
    for module in list(net.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Embedding):
            _spectral_norm(module)
    return net


def instance_noise(x: Tensor, *, sigma: float, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise of standard deviation `sigma` to what the discriminator sees, real or made, of any shape.

    Sonderby et al. 2016 (arXiv:1610.04490), Arjovsky and Bottou 2017 (arXiv:1701.04862): overlapping supports.
    """
    if sigma <= 0.0:
        return x
    noise = torch.randn(x.shape, generator=generator, device=generator.device, dtype=torch.float32)
    return x + sigma * noise.to(x)


def mode_seeking(made: Tensor, other: Tensor, *, apart: Tensor) -> Tensor:
    """How little pictures differ for how much their latents do, 1 / (|made - other| / |apart|), to be made small.

    `made` and `other` (N, ...) come from latents that differ by `apart` (N, Z) and from one label each; means of
    absolute differences. Mao et al. 2019 (arXiv:1903.05628), eq. 1, in the form of the authors' code.
    """
    ratio = (made - other).abs().flatten(1).mean(1) / apart.abs().mean(1)
    return 1.0 / (ratio.mean() + 1e-5)


class MinibatchStd(nn.Module):
    """Append one channel: the mean standard deviation of the features over a group of samples, so D sees sameness.

    (N, C, H, W) -> (N, C + 1, H, W). Karras et al. 2018 (arXiv:1710.10196), section 3. The group is the largest divisor
    of N that is at most `group`, so any batch size works; one sample alone has deviation about 0.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        size = next(g for g in range(min(self.group, n), 0, -1) if n % g == 0)
        grouped = x.reshape(size, n // size, c, h, w)
        deviation = (grouped - grouped.mean(0)).square().mean(0).add(1e-8).sqrt()
        channel = deviation.mean((1, 2, 3)).view(1, -1, 1, 1, 1).expand(size, -1, 1, h, w).reshape(n, 1, h, w)
        return torch.cat([x, channel], 1)


class ImagePool:
    """A history of made images; D is shown an old one every second time, so that it does not forget.

    Shrivastava et al. 2017 (arXiv:1612.07828), section 2.3; 50 images as Zhu et al. 2017 (arXiv:1703.10593).
    """

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor, *, generator: torch.Generator) -> Tensor:
        """Images (N, ...) for D: while the pool fills they come back as they are; later each with chance 1/2 stays in
        the pool and an older one comes in its place. Nothing carries a gradient."""
        shown = []
        for image in images.detach():
            if len(self.images) < self.size:
                self.images.append(image.clone())
                shown.append(image)
                continue
            if self.size and torch.rand((), generator=generator, device=generator.device).item() < 0.5:
                index = int(torch.randint(self.size, (), generator=generator, device=generator.device))
                shown.append(self.images[index])
                self.images[index] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"images": torch.stack(self.images) if self.images else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the pool of a stopped run."""
        self.images = [] if state["images"] is None else list(state["images"].unbind(0))


def _gradients(logits: Tensor, images: Tensor) -> Tensor:
    """Gradient of the summed logits with respect to each image, (N, D), itself differentiable."""
    (grads,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return grads.float().flatten(1)
