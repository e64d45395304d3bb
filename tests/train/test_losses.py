"""Adversarial losses against values computed by hand, and the signs of their gradients."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mojing.core.errors import InputError
from mojing.train.losses import LOSSES, SMOOTHABLE, discriminator_loss, generator_loss

FEW = settings(max_examples=20, deadline=None)
LOGITS = st.lists(st.floats(-6, 6, width=32), min_size=1, max_size=6)


def softplus(t: float) -> float:
    return math.log1p(math.exp(t))


def by_hand(name: str, r: float, f: float) -> tuple[float, float]:
    """What discriminator and generator minimise for one real logit r and one made logit f."""
    fool = {"minimax": -softplus(f)}.get(name, softplus(-f))
    return {
        "bce": (softplus(-r) + softplus(f), fool),
        "minimax": (softplus(-r) + softplus(f), fool),
        "non-saturating": (softplus(-r) + softplus(f), fool),
        "hinge": (max(0.0, 1 - r) + max(0.0, 1 + f), -f),
        "lsgan": (0.5 * (r - 1) ** 2 + 0.5 * f**2, 0.5 * (f - 1) ** 2),
        "wasserstein": (f - r, -f),
        "relativistic": (softplus(-(r - f)), softplus(-(f - r))),
    }[name]


@pytest.mark.parametrize("name", LOSSES)
@given(real=LOGITS, fake=LOGITS)
@FEW
def test_values_are_those_of_the_formulas(name: str, real: list[float], fake: list[float]) -> None:
    n = min(len(real), len(fake))
    pairs = [by_hand(name, r, f) for r, f in zip(real[:n], fake[:n], strict=True)]
    r, f = torch.tensor(real[:n]), torch.tensor(fake[:n])
    expected = torch.tensor(pairs).mean(0)
    assert discriminator_loss(name, real=r, fake=f).item() == pytest.approx(expected[0].item(), rel=1e-4, abs=1e-5)
    assert generator_loss(name, real=r, fake=f).item() == pytest.approx(expected[1].item(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@given(real=LOGITS, fake=LOGITS)
@FEW
def test_d_never_gains_by_lower_reals_and_g_gains_by_higher_fakes(
    name: str, real: list[float], fake: list[float]
) -> None:
    n = min(len(real), len(fake))
    r = torch.tensor(real[:n]).requires_grad_()
    f = torch.tensor(fake[:n]).requires_grad_()
    of_r, of_f = torch.autograd.grad(discriminator_loss(name, real=r, fake=f), [r, f])
    if name == "lsgan":  # its targets can be overshot
        of_r, of_f = of_r[r < 1], of_f[f > 0]
    assert (of_r <= 0).all()
    assert (of_f >= 0).all()
    (of_g,) = torch.autograd.grad(generator_loss(name, real=r, fake=f), [f])
    assert (of_g[f < 1] < 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_any_shape_is_reduced_to_the_mean(name: str) -> None:
    real, fake = torch.randn(2, 1, 3, 3), torch.randn(2, 1, 3, 3)
    whole = discriminator_loss(name, real=real, fake=fake)
    assert whole.shape == ()
    torch.testing.assert_close(whole, discriminator_loss(name, real=real.flatten(), fake=fake.flatten()))
    torch.testing.assert_close(whole, discriminator_loss(name, real=torch.cat([real] * 2), fake=torch.cat([fake] * 2)))


def test_the_saturating_generator_gets_no_gradient_where_d_is_sure() -> None:
    def slope(name: str) -> float:
        logit = torch.tensor([-9.0], requires_grad=True)
        (g,) = torch.autograd.grad(generator_loss(name, real=logit.detach(), fake=logit), [logit])
        return abs(float(g))

    assert slope("minimax") < 1e-3
    assert slope("non-saturating") > 0.99


@given(logit=st.floats(-4, 4, width=32), smoothing=st.floats(0.0, 0.5, width=32))
@FEW
def test_smoothing_lowers_the_target_of_the_reals_only(logit: float, smoothing: float) -> None:
    real, fake = torch.tensor([logit]), torch.tensor([0.5])

    def value(name: str, amount: float) -> float:
        return float(discriminator_loss(name, real=real, fake=fake, smoothing=amount))

    bce = (1 - smoothing) * softplus(-logit) + smoothing * softplus(logit) + softplus(0.5)
    assert value("bce", smoothing) == pytest.approx(bce, rel=1e-4, abs=1e-5)
    assert value("lsgan", smoothing) == pytest.approx(0.5 * (logit - 1 + smoothing) ** 2 + 0.125, rel=1e-4, abs=1e-5)


def test_large_logits_stay_finite() -> None:
    huge = torch.tensor([-1e4, 1e4])
    for name in LOSSES:
        assert torch.isfinite(discriminator_loss(name, real=huge, fake=-huge))
        assert torch.isfinite(generator_loss(name, real=huge, fake=-huge))


@pytest.mark.parametrize(
    ("name", "fake", "smoothing"),
    [("hinges", torch.zeros(2), 0.0), ("relativistic", torch.zeros(3), 0.0), ("bce", torch.zeros(2), 1.0)]
    + [(name, torch.zeros(2), 0.1) for name in LOSSES if name not in SMOOTHABLE],
)
def test_what_does_not_fit_is_refused(name: str, fake: Tensor, smoothing: float) -> None:
    with pytest.raises(InputError) as caught:
        discriminator_loss(name, real=torch.zeros(2), fake=fake, smoothing=smoothing)
    assert caught.value.code == "bad_options"
    assert caught.value.hint
