"""Differentiable augmentation: chance from one generator, gradients that pass, nothing at p = 0; and its adaptation."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mojing.core.errors import InputError
from mojing.train.diffaugment import POLICIES, Ada, diff_augment

FEW = settings(max_examples=20, deadline=None)
POLICY = st.lists(st.sampled_from(POLICIES), unique=True).map(",".join)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(policy=POLICY, channels=st.sampled_from([1, 3, 4, 6]), seed=st.integers(0, 99), p=st.floats(0, 1))
@FEW
def test_shape_stays_and_chance_is_the_generators(policy: str, channels: int, seed: int, p: float) -> None:
    x = torch.randn(3, channels, 16, 12)
    first = diff_augment(x, policy=policy, p=p, generator=seeded(seed))
    assert first.shape == x.shape
    torch.rand(5)  # global chance does not matter
    assert torch.equal(first, diff_augment(x, policy=policy, p=p, generator=seeded(seed)))
    if p == 0 or not policy:
        assert torch.equal(first, x)


def test_a_chance_of_zero_leaves_every_picture_and_one_changes_every_picture() -> None:
    x = torch.rand(32, 3, 16, 16) + 0.5
    for policy in POLICIES:
        y = diff_augment(x, policy=policy, p=1.0, generator=seeded(0))
        changed = (y != x).flatten(1).any(1).float().mean()
        assert changed > 0.9  # a shift of (0, 0) is one of the shifts
        half = diff_augment(x, policy=policy, p=0.5, generator=seeded(0))
        assert 0.2 < (half != x).flatten(1).any(1).float().mean() < 0.8
        assert diff_augment(x, policy=policy, p=0.0, generator=seeded(0)) is x


@pytest.mark.parametrize("policy", [*POLICIES, ",".join(POLICIES)])
def test_the_gradient_is_the_true_one(policy: str) -> None:
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)

    def augmented(t: Tensor) -> Tensor:
        return diff_augment(t, policy=policy, generator=seeded(4))

    assert torch.autograd.gradcheck(augmented, (x,), fast_mode=True)


def test_a_second_gradient_passes_for_the_penalties() -> None:
    x = torch.randn(2, 4, 8, 8, requires_grad=True)
    y = diff_augment(x, generator=seeded(1))
    (first,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    assert second.abs().sum() > 0


def test_translation_moves_pixels_and_lets_zeros_in() -> None:
    x = torch.arange(1.0, 65.0).view(1, 1, 8, 8).repeat(64, 1, 1, 1)
    y = diff_augment(x, policy="translation", generator=seeded(0))
    seen = set()
    for image in y[:, 0]:
        r, c = (int(i) for i in (image > 0).nonzero()[0])
        there = int(image[r, c]) - 1
        dy, dx = r - there // 8, c - there % 8
        seen.add((dy, dx))
        expected = torch.zeros(8, 8)
        for i in range(8):
            for j in range(8):
                if 0 <= i - dy < 8 and 0 <= j - dx < 8:
                    expected[i, j] = x[0, 0, i - dy, j - dx]
        assert torch.equal(image, expected)
    assert seen == {(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}


def test_cutout_blanks_one_square_and_colour_leaves_alpha() -> None:
    x = torch.ones(16, 4, 16, 16)
    cut = diff_augment(x, policy="cutout", generator=seeded(0))
    assert set(cut.unique().tolist()) == {0.0, 1.0}
    blank = (cut[:, 0] == 0).sum((1, 2))
    assert blank.max() <= 64
    assert blank.min() >= 9
    rgba = torch.randn(4, 4, 8, 8)
    coloured = diff_augment(rgba, policy="color", generator=seeded(0))
    assert torch.equal(coloured[:, 3], rgba[:, 3])
    assert not torch.isclose(coloured[:, :3], rgba[:, :3]).any(0).all()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="flip"):
        diff_augment(torch.zeros(1, 3, 4, 4), policy="color,flip", generator=seeded(0))


@given(signs=st.lists(st.booleans(), min_size=1, max_size=40))
@FEW
def test_adaptation_follows_the_signs_and_stays_in_its_range(signs: list[bool]) -> None:
    ada = Ada(images=100, ceiling=0.5)
    for sure in signs:
        before = ada.p
        logits = torch.full((10,), 2.0 if sure else -2.0)
        after = ada.update(float(logits.sign().mean()), images=len(logits))
        assert 0.0 <= after <= 0.5
        assert after >= before if sure else after <= before
    again = Ada()
    again.load_state_dict(ada.state_dict())
    assert again.p == ada.p


def test_adaptation_rests_where_the_target_is() -> None:
    """A discriminator that is less sure the stronger the augmentation: p settles where the mean sign is 0.6."""
    ada, chance = Ada(images=2_000), seeded(0)
    for _ in range(1500):
        share_positive = 1.0 - 0.5 * ada.p  # mean sign 1 - p, so 0.6 at p = 0.4
        right = (torch.rand(32, generator=chance) < share_positive).float()
        ada.update(float((2 * right - 1).mean()), images=32)
    assert ada.p == pytest.approx(0.4, abs=0.12)
