"""Penalties in closed form on linear critics, spectral norm by singular values, minibatch statistics, image pool."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mojing.train.nets.gan import DiscriminatorSpec, build_discriminator
from mojing.train.regularisers import (
    ImagePool,
    MinibatchStd,
    gradient_penalty,
    instance_noise,
    mode_seeking,
    r1,
    r2,
    spectral_norm,
)

FEW = settings(max_examples=20, deadline=None)


def linear(weight: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.numel(), 1)
    layer.weight.data = weight[None].clone()
    return layer


@given(weight=st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=5), seed=st.integers(0, 99))
@FEW
def test_gradient_penalty_of_a_linear_critic(weight: list[float], seed: int) -> None:
    torch.manual_seed(seed)
    w = torch.tensor(weight)
    real, fake = torch.randn(4, len(w)), torch.randn(4, len(w))
    found = gradient_penalty(linear(w), real=real, fake=fake, alpha=torch.rand(4))
    assert found.item() == pytest.approx((float(w.norm()) - 1) ** 2, rel=1e-3, abs=1e-4)


@given(alpha=st.floats(0, 1, width=32))
@FEW
def test_gradient_penalty_looks_on_the_line_between_the_pictures(alpha: float) -> None:
    real, fake = torch.full((1, 1, 2, 2), 3.0), torch.zeros(1, 1, 2, 2)

    def critic(x: Tensor) -> Tensor:  # its gradient is the place itself
        return 0.5 * x.square().sum((1, 2, 3))

    found = gradient_penalty(critic, real=real, fake=fake, alpha=torch.tensor([alpha]))
    assert found.item() == pytest.approx((2 * 3.0 * alpha - 1) ** 2, rel=1e-3, abs=1e-3)


@given(weight=st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=5), gamma=st.floats(0.125, 8))
@FEW
def test_r1_and_r2_of_a_linear_discriminator(weight: list[float], gamma: float) -> None:
    w = torch.tensor(weight)
    images = torch.randn(6, len(w), requires_grad=True)
    net = linear(w)
    for penalty in (r1, r2):
        found = penalty(net(images), images, gamma=gamma)
        assert found.item() == pytest.approx(0.5 * gamma * float(w.square().sum()), rel=1e-3, abs=1e-4)
        (slope,) = torch.autograd.grad(found, net.weight)
        torch.testing.assert_close(slope[0], gamma * w, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("architecture", ["dcgan", "modern", "patch"])
def test_penalties_reach_every_layer_that_shapes_the_gradient(architecture: str) -> None:
    torch.manual_seed(0)
    net = build_discriminator(DiscriminatorSpec(architecture, size=28, channels=1, width=4, norm="layer", classes=0))
    images = torch.randn(4, 1, 28, 28, requires_grad=True)
    r1(net(images), images, gamma=1.0).backward()
    kernels = [p for name, p in net.named_parameters() if name.endswith("weight") and p.dim() > 1]
    assert kernels
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in kernels)


def test_spectral_norm_holds_the_largest_singular_value_at_one() -> None:
    torch.manual_seed(0)
    net = spectral_norm(build_discriminator(DiscriminatorSpec("dcgan", size=28, channels=1, width=4, classes=3)))
    images, labels = torch.randn(4, 1, 28, 28), torch.tensor([0, 1, 2, 0])
    with torch.no_grad():
        for _ in range(30):
            net(images, labels)
    found = [
        float(torch.linalg.matrix_norm(m.weight.detach().flatten(1), 2))
        for m in net.modules()
        if isinstance(m, nn.Conv2d | nn.Embedding)
    ]
    assert len(found) == 4
    assert found == pytest.approx([1.0] * 4, abs=0.02)


def test_instance_noise_has_its_deviation_and_its_own_chance() -> None:
    x = torch.zeros(2, 3, 64, 64)

    def noisy() -> Tensor:
        return instance_noise(x, sigma=0.3, generator=torch.Generator().manual_seed(3))

    assert noisy().std().item() == pytest.approx(0.3, rel=0.05)
    assert torch.equal(noisy(), noisy())
    assert instance_noise(x, sigma=0.0, generator=torch.Generator()) is x


@given(n=st.integers(1, 9))
@FEW
def test_minibatch_std_takes_any_batch(n: int) -> None:
    x = torch.randn(n, 3, 4, 5)
    y = MinibatchStd(group=4)(x)
    assert y.shape == (n, 4, 4, 5)
    assert torch.equal(y[:, :3], x)
    if n == 1:
        assert y[:, 3].max() < 1e-3


def test_minibatch_std_is_the_mean_deviation_and_sees_sameness() -> None:
    x = torch.randn(4, 3, 4, 4)
    expected = x.std(0, unbiased=False).mean()
    torch.testing.assert_close(MinibatchStd()(x)[:, 3], expected.expand(4, 4, 4), rtol=1e-4, atol=1e-4)
    same = x[:1].expand(4, -1, -1, -1).clone().requires_grad_()
    (slope,) = torch.autograd.grad(MinibatchStd()(same)[:, 3].sum(), same, create_graph=True)
    assert torch.isfinite(slope).all()


@given(size=st.integers(0, 6), seed=st.integers(0, 99))
@FEW
def test_the_pool_gives_back_pictures_it_was_given(size: int, seed: int) -> None:
    pool, chance = ImagePool(size), torch.Generator().manual_seed(seed)
    given_so_far: set[float] = set()
    for step in range(6):
        batch = torch.arange(3.0).add(3 * step).view(3, 1, 1, 1).requires_grad_()
        given_so_far |= set(batch.flatten().tolist())
        shown = pool.exchange(batch, generator=chance)
        assert shown.shape == batch.shape
        assert not shown.requires_grad
        assert set(shown.flatten().tolist()) <= given_so_far
        assert len(pool.images) == min(size, 3 * (step + 1))
        if size == 0 or 3 * (step + 1) <= size:
            assert torch.equal(shown, batch)


def test_mode_seeking_wants_pictures_as_unlike_as_their_latents() -> None:
    apart = torch.full((4, 8), 2.0)
    made = torch.zeros(4, 3, 5, 5)
    unlike = [mode_seeking(made, made + gap, apart=apart).item() for gap in (0.0, 0.1, 1.0)]
    assert unlike[0] > unlike[1] > unlike[2]
    assert unlike[2] == pytest.approx(1 / (1.0 / 2.0), rel=1e-3)


def test_a_full_pool_answers_with_an_old_picture_half_of_the_time() -> None:
    pool, chance = ImagePool(50), torch.Generator().manual_seed(0)
    pool.exchange(torch.zeros(50, 1), generator=chance)
    shown = torch.cat([pool.exchange(torch.full((1, 1), 1.0 + i), generator=chance) for i in range(400)])
    old = (shown.flatten() != torch.arange(1.0, 401.0)).float().mean()
    assert 0.4 < float(old) < 0.6


def test_a_pool_goes_on_where_it_was_saved() -> None:
    pool, again = ImagePool(4), ImagePool(4)
    again.load_state_dict(pool.state_dict())
    pool.exchange(torch.randn(6, 2), generator=torch.Generator().manual_seed(1))
    again.load_state_dict(pool.state_dict())
    batch = torch.randn(5, 2)
    shown = [p.exchange(batch, generator=torch.Generator().manual_seed(2)) for p in (pool, again)]
    assert torch.equal(shown[0], shown[1])
    assert torch.equal(torch.stack(pool.images), torch.stack(again.images))
