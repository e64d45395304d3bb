"""Measures of generated sets: closed forms, what must never change them, and agreement with torchmetrics."""

from __future__ import annotations

import math
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mojing.eval import generative as g
from mojing.eval.metrics import frechet

Cloud = NDArray[np.float64]


def cloud(seed: int, n: int = 60, d: int = 6, *, shift: float = 0.0, scale: float = 1.0) -> Cloud:
    """Independent normal points (n, d)."""
    return np.random.default_rng(seed).normal(shift, scale, (n, d))


def test_inception_score_of_certain_and_even_classes_is_their_number() -> None:
    sure = np.eye(8)[np.arange(400) % 8]
    assert g.inception_score(sure, splits=1).mean == pytest.approx(8)
    assert g.inception_score(sure, splits=5).mean == pytest.approx(8, rel=0.05)
    unsure = np.full((50, 8), 1 / 8)
    assert g.inception_score(unsure) == g.Estimate(1.0, 0.0)
    one_class = np.eye(8)[np.zeros(50, int)]
    assert g.inception_score(one_class).mean == pytest.approx(1)


def test_inception_score_of_two_halves_by_hand() -> None:
    probs = np.array([[0.9, 0.1], [0.1, 0.9]])
    by_hand = math.exp(0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5))
    assert g.inception_score(probs, splits=1).mean == pytest.approx(by_hand)


def test_kid_of_linear_kernel_is_the_squared_gap_of_the_means() -> None:
    """With degree 1 the kernel's MMD is |mean gap|^2 / D; unbiased, so it scatters about that."""
    gap = 2.0
    values = [g.kid(cloud(2 * i, 80), cloud(2 * i + 1, 80, shift=gap), degree=1, size=80).mean for i in range(40)]
    assert np.mean(values) == pytest.approx(gap**2, rel=0.05)


def test_kid_of_two_points_each_by_hand() -> None:
    x, y = np.array([[1.0], [2.0]]), np.array([[0.0], [3.0]])
    own = (1 * 2 + 1) ** 3 + (0 * 3 + 1) ** 3
    cross = np.mean([(a * b + 1) ** 3 for a in (1, 2) for b in (0, 3)])
    assert g.kid(x, y).mean == pytest.approx(own - 2 * cross)


def test_kid_is_unbiased_for_equal_gaussians_and_subsets_agree_with_the_whole() -> None:
    values = [g.kid(cloud(2 * i, 40), cloud(2 * i + 1, 40)).mean for i in range(60)]
    assert abs(np.mean(values)) < 3 * np.std(values) / math.sqrt(len(values))
    x, y = cloud(0, 300), cloud(1, 300, shift=1.0)
    whole, parts = g.kid(x, y), g.kid(x, y, subsets=60, size=100)
    assert parts.std > 0
    assert whole.std == 0
    assert parts.mean == pytest.approx(whole.mean, abs=4 * parts.std / math.sqrt(60))


def test_precision_and_recall_see_half_a_distribution() -> None:
    """Reals of two far modes, fakes of one of them: all fakes are good, half the reals are reached."""
    left, right = cloud(0, 200), cloud(1, 200, shift=100.0)
    found = g.precision_recall(np.concatenate([left, right]), cloud(2, 400))
    assert found.fidelity > 0.8
    assert 0.35 < found.spread <= 0.5
    turned = g.precision_recall(cloud(2, 400), np.concatenate([left, right]))
    assert turned == g.Cover(found.spread, found.fidelity)
    assert g.density_coverage(np.concatenate([left, right]), cloud(2, 400)).spread <= 0.5


def test_density_and_coverage_of_equal_distributions_have_their_expectations() -> None:
    """Naeem et al. 2020, lemmas 1 and 2: density 1, coverage 1 - prod (M-i)/(N+M-i) for equal distributions."""
    n, k = 150, 5
    expected = 1 - math.prod((n - i) / (2 * n - i) for i in range(1, k + 1))
    found = [g.density_coverage(cloud(2 * i, n), cloud(2 * i + 1, n), k=k) for i in range(30)]
    assert np.mean([f.fidelity for f in found]) == pytest.approx(1, abs=0.05)
    assert np.mean([f.spread for f in found]) == pytest.approx(expected, abs=0.02)


def test_density_is_not_thrown_by_a_real_outlier_where_precision_is() -> None:
    """Fakes near one far real lie in its wide ball and in no other."""
    real = np.concatenate([cloud(0, 100), np.full((1, 6), 12.0)])
    far = cloud(2, 100, shift=9.0, scale=0.5)
    assert g.precision_recall(real, far, k=3).fidelity == 1.0
    assert g.density_coverage(real, far, k=3).fidelity == pytest.approx(1 / 3)


def test_diversity_of_gaussians_has_its_closed_form() -> None:
    """E|x - y| of N(0, s^2 I_d) is 2 s Gamma((d + 1) / 2) / Gamma(d / 2)."""
    d, s = 6, 3.0
    expected = 2 * s * math.gamma((d + 1) / 2) / math.gamma(d / 2)
    assert g.diversity(cloud(0, 1500, d, scale=s)) == pytest.approx(expected, rel=0.02)
    assert g.diversity(np.ones((5, 3))) == 0.0


def test_nearest_finds_what_a_full_table_finds() -> None:
    x, y = cloud(0, 37), cloud(1, 50)
    table = np.linalg.norm(x[:, None] - y, axis=2)
    found = g.nearest(x, y, k=4)
    np.testing.assert_array_equal(found.index, np.argsort(table, axis=1)[:, :4])
    np.testing.assert_allclose(found.distance, np.sort(table, axis=1)[:, :4])
    np.testing.assert_array_equal(g.nearest(x, y).index, found.index[:, :1])
    alone = g.nearest(x, x, same=True)
    assert not (alone.index[:, 0] == np.arange(37)).any()
    assert (alone.distance > 0).all()


def test_nearest_needs_memory_for_a_block_of_rows_only() -> None:
    x, y = cloud(0, 5000, 8), cloud(1, 4000, 8)
    tracemalloc.start()
    g.nearest(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * len(x) * len(y) * 8


def test_pixel_statistics_of_a_set() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 4, 3)).astype(np.uint8)
    found = g.pixel_statistics(iter(images))
    np.testing.assert_allclose(found.mean, images.mean(axis=0) / 255)
    np.testing.assert_allclose(found.variance, (images / 255).var(axis=0), atol=1e-12)
    assert found.count == 40
    with pytest.raises(ValueError, match="differ in size"):
        g.pixel_statistics([np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4, 3), np.uint8)])
    with pytest.raises(ValueError, match="no picture"):
        g.pixel_statistics([])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 40), st.integers(1, 9), st.floats(0.01, 1e4), st.floats(-1e5, 1e5))
def test_identical_sets_are_perfect(seed: int, n: int, d: int, scale: float, shift: float) -> None:
    x = cloud(seed, n, d, scale=scale, shift=shift)
    assert frechet(x, x) == pytest.approx(0, abs=1e-6 * scale**2)
    assert g.precision_recall(x, x) == g.Cover(1.0, 1.0)
    assert g.density_coverage(x, x).spread == 1.0
    assert g.nearest(x, x).distance.max() <= 1e-4 * max(scale, 1e-3 * abs(shift))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_the_pictures_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = cloud(seed, 30), cloud(seed + 1, 25, shift=0.5)
    p, q = x[rng.permutation(30)], y[rng.permutation(25)]
    assert g.precision_recall(p, q) == g.precision_recall(x, y)
    assert g.density_coverage(p, q) == g.density_coverage(x, y)
    assert g.kid(p, q).mean == pytest.approx(g.kid(x, y).mean)
    assert g.diversity(p) == pytest.approx(g.diversity(x))
    assert frechet(p, q) == pytest.approx(frechet(x, y))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_a_common_shift_moves_no_distance(seed: int, shift: float) -> None:
    x, y = cloud(seed, 30), cloud(seed + 1, 25)
    assert g.precision_recall(x + shift, y + shift) == g.precision_recall(x, y)
    assert g.diversity(x + shift) == pytest.approx(g.diversity(x))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_duplicates_are_inside_their_own_ball(seed: int, copies: int) -> None:
    """Balls of radius zero hold their own copies, whatever rounding says."""
    x = np.repeat(cloud(seed, 6, 16, shift=3.0), copies, axis=0)
    assert g.precision_recall(x, x[::-1], k=1) == g.Cover(1.0, 1.0)


def test_bad_features_are_refused() -> None:
    x = cloud(0)
    with pytest.raises(ValueError, match="width"):
        g.kid(x, x[:, :3])
    with pytest.raises(ValueError, match="not finite"):
        g.diversity(np.full((4, 4), np.nan))
    with pytest.raises(ValueError, match="at least 4"):
        g.precision_recall(x[:3], x)
    with pytest.raises(ValueError, match="sum to 1"):
        g.inception_score(np.ones((4, 4)))
    with pytest.raises(ValueError, match="neighbours"):
        g.nearest(x, x, k=60, same=True)


def test_agrees_with_torchmetrics_on_the_same_features() -> None:
    """FID, KID and IS of torchmetrics fed the same features through a network that only picks them out.

    Its Inception network comes with torch-fidelity, which needs torchvision; the formulas need neither.
    """
    torch = pytest.importorskip("torch")
    image = {n: pytest.importorskip(f"torchmetrics.image.{n}") for n in ("fid", "kid", "inception")}
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(16, 16))
    real, fake = rng.normal(size=(300, 16)) @ mix, rng.normal(0.3, 1.2, (300, 16)) @ mix

    class AsGiven(torch.nn.Module):  # type: ignore[misc, name-defined]
        num_features = 16

        def forward(self, x: object) -> object:
            return x

    def of(values: Cloud) -> object:
        return torch.from_numpy(values)

    fid = image["fid"].FrechetInceptionDistance(feature=AsGiven()).set_dtype(torch.float64)
    fid.update(of(real), real=True)
    fid.update(of(fake), real=False)
    assert frechet(real, fake) == pytest.approx(float(fid.compute()), rel=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        kid = image["kid"].KernelInceptionDistance(feature=AsGiven(), subsets=2, subset_size=300)
        score = image["inception"].InceptionScore(feature=AsGiven(), splits=1)
    kid.update(of(real), real=True)
    kid.update(of(fake), real=False)
    assert g.kid(real, fake).mean == pytest.approx(float(kid.compute()[0]), rel=1e-3)
    score.update(of(fake))
    probs = torch.softmax(of(fake), dim=1).numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the spread of one split
        theirs = float(score.compute()[0])
    assert g.inception_score(probs, splits=1).mean == pytest.approx(theirs, rel=1e-3)
