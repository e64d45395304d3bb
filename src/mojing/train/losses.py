"""Adversarial losses, all on raw logits (critic scores) of any shape and reduced by the mean over every element.

With D the discriminator's logit of a real image r or a made one f, s = softplus(t) = log(1 + exp(t)), sg = sigmoid:

    name            discriminator minimises                       generator minimises
    bce             BCE(sg(D r), 1 - smoothing) + BCE(sg(D f), 0) BCE(sg(D f), 1)
    minimax         s(-D r) + s(D f)                              -s(D f), i.e. log(1 - sg(D f)), which saturates
    non-saturating  s(-D r) + s(D f)                              s(-D f)
    hinge           max(0, 1 - D r) + max(0, 1 + D f)             -D f
    lsgan           (D r - 1 + smoothing)^2 / 2 + (D f)^2 / 2     (D f - 1)^2 / 2
    wasserstein     D f - D r                                     -D f
    relativistic    s(-(D r - D f))                               s(-(D f - D r))

`bce` is how tutorials write `non-saturating`: the same values without smoothing, but with targets that can be smoothed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from mojing.core.errors import InputError

LOSSES: Final = ("bce", "minimax", "non-saturating", "hinge", "lsgan", "wasserstein", "relativistic")
"""Names that `discriminator_loss` and `generator_loss` take."""

SMOOTHABLE: Final = ("bce", "lsgan")
"""Losses that have a target for real images, which label smoothing can lower."""


def discriminator_loss(name: str, *, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Loss of the discriminator, a scalar, from its logits on real and on made images (any shape).

    `smoothing` in [0, 1) lowers the target of the real images only (one-sided, Salimans et al. 2016, arXiv:1606.03498).
    The relativistic loss pairs real[i] with fake[i], so it needs the same shape of both.

    Raises:
        InputError: bad_options, for an unknown name, smoothing without a target, or pairs that do not match.
    """
    _check(name, real=real, fake=fake)
    if not 0.0 <= smoothing < 1.0 or (smoothing and name not in SMOOTHABLE):
        raise InputError(
            "bad_options",
            f"label smoothing {smoothing} does not fit the loss {name}",
            hint=f"smoothing is in [0, 1) and works with {', '.join(SMOOTHABLE)}",
        )
    if name == "bce":
        return _bce(real, 1.0 - smoothing) + _bce(fake, 0.0)
    if name == "lsgan":
        return 0.5 * (real - (1.0 - smoothing)).square().mean() + 0.5 * fake.square().mean()
    return _PAIRS[name].discriminator(real, fake)


def generator_loss(name: str, *, real: Tensor, fake: Tensor) -> Tensor:
    """Loss of the generator, a scalar, from the discriminator's logits; `real` matters to the relativistic loss only.

    Raises:
        InputError: bad_options, for an unknown name or relativistic pairs that do not match.
    """
    _check(name, real=real, fake=fake)
    if name == "bce":
        return _bce(fake, 1.0)
    if name == "lsgan":
        return 0.5 * (fake - 1.0).square().mean()
    return _PAIRS[name].generator(real, fake)


@dataclass(frozen=True)
class _Pair:
    """What either side minimises, as functions of (real logits, made logits)."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


def _logistic(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's side of eq. 1 of Goodfellow et al. 2014 (arXiv:1406.2661), as a loss."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _saturating(real: Tensor, fake: Tensor) -> Tensor:
    """The generator's side of the same equation: log(1 - sigmoid(D f)) = -softplus(D f); flat where D is sure."""
    return -F.softplus(fake).mean()


def _non_saturating(real: Tensor, fake: Tensor) -> Tensor:
    """Section 3 of the same paper: -log sigmoid(D f) instead, whose gradient is strong where D is sure."""
    return F.softplus(-fake).mean()


def _hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Geometric GAN, Lim and Ye 2017 (arXiv:1705.02894); eq. 16 of Miyato et al. 2018 (arXiv:1802.05957)."""
    return F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()


def _critic(real: Tensor, fake: Tensor) -> Tensor:
    """Wasserstein GAN, eq. 2 of Arjovsky et al. 2017 (arXiv:1701.07875), negated."""
    return fake.mean() - real.mean()


def _lower(real: Tensor, fake: Tensor) -> Tensor:
    """The generator's side of the hinge and the Wasserstein loss: raise the score of what was made."""
    return -fake.mean()


def _real_above(real: Tensor, fake: Tensor) -> Tensor:
    """Jolicoeur-Martineau 2018 (arXiv:1807.00734), as pairs: Huang et al. 2024 (arXiv:2501.05441), eq. 2."""
    return F.softplus(-(real - fake)).mean()


def _fake_above(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-(fake - real)).mean()


_PAIRS: Final = {
    "minimax": _Pair(_logistic, _saturating),
    "non-saturating": _Pair(_logistic, _non_saturating),
    "hinge": _Pair(_hinge, _lower),
    "wasserstein": _Pair(_critic, _lower),
    "relativistic": _Pair(_real_above, _fake_above),
}


def _bce(logits: Tensor, target: float) -> Tensor:
    """Binary cross-entropy of logits against one constant target in [0, 1]."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def _check(name: str, *, real: Tensor, fake: Tensor) -> None:
    if name not in LOSSES:
        raise InputError("bad_options", f"there is no loss {name!r}", hint=f"choose one of {', '.join(LOSSES)}")
    if name == "relativistic" and real.shape != fake.shape:
        raise InputError(
            "bad_options",
            f"the relativistic loss compares pairs, but the logits are {tuple(real.shape)} and {tuple(fake.shape)}",
            hint="use batches of one size for real and made images",
        )
