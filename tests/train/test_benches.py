"""The benches of the laboratory at their smallest: runs that are made ill, and modes that are counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.train import modes, sick
from mojing.train.doctor import ILLNESSES, Finding

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def test_every_illness_is_induced_in_five_runs_and_twelve_are_healthy() -> None:
    runs = sick.rounds(sick.JUDGEMENT)
    kinds = [case.kind for case, _ in runs]
    assert all(kinds.count(kind) == 5 for kind in ILLNESSES)
    assert kinds.count("healthy") == 12
    assert not set(sick.JUDGEMENT) & set(sick.CALIBRATION)


def test_exploding_weights_are_told_of_a_real_run(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    case = sick.Case(
        "exploding_gradients", "ring", {"loss": "lsgan", "lr_d": 5.0, "lr_g": 5.0, "steps": 60, "log_every": 5}
    )
    verdict = sick.judge(case, 0, folder=tmp_path / "run")
    assert verdict.right
    assert verdict.told[0].kind == "exploding_gradients"


def test_the_summary_counts_what_was_told() -> None:
    ill = sick.Case("oscillation", "ring")
    seen = (Finding("oscillation", 0.9, "", ""), Finding("mode_collapse", 0.6, "", ""))
    well = sick.Case("healthy", "ring")
    result = sick.summary(
        [
            sick.Verdict(ill, 0, seen, 1.0),
            sick.Verdict(ill, 1, (), 1.0),
            sick.Verdict(well, 0, (), 1.0),
            sick.Verdict(well, 1, seen[1:], 1.0),
        ],
        (0, 1),
    )
    assert (result["detection"], result["false_alarms"], result["told_first"]) == (0.5, 0.5, 0.5)
    assert result["kinds"]["oscillation"] == {
        "runs": 2, "detected": 1, "told_first": 1, "also_told": {"mode_collapse": 1},
    }  # fmt: skip


@pytest.mark.parametrize("problem", sorted({case.problem for case in (*sick.SICK, *sick.HEALTHY)}))
def test_problems_are_drawn_alike_from_a_seed(problem: str) -> None:
    first, again, other = (sick.material(problem, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.train.pixels, again.train.pixels)
    assert not np.array_equal(first.train.pixels, other.train.pixels)
    assert len(first.held) > 0


@given(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any))
def test_the_divergence_is_nought_at_the_truth_and_never_below(counts: list[int]) -> None:
    count = np.array(counts)
    assert modes.divergence(count, np.full(4, 0.25)) >= -1e-12
    truth = (count + 1e-12) / (count + 1e-12).sum()
    assert modes.divergence(count, truth) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("name", "count"), [("ring", 8), ("grid", 25)])
def test_real_points_cover_every_mode(name: str, count: int) -> None:
    problem = modes.point_problem(name, 0)
    real = problem.cover(problem.material.train.pixels, recipe="real data")
    assert (real.modes, real.of) == (count, count)
    assert real.quality > 0.98
    assert real.kl < 0.01
    one = problem.cover(np.repeat(sick.modes(name)[:1], 50, axis=0), recipe="one mode")
    assert (one.modes, one.quality) == (1, 1.0)
    assert one.kl == pytest.approx(np.log(count))


def test_every_unconditional_recipe_learns_for_the_time_it_is_given() -> None:
    assert modes.unconditional() == ["dcgan", "modern", "wgan-gp"]
    problem = modes.point_problem("ring", 0)
    problem = replace(problem, drawn=64, settings={**problem.settings, "width": 8, "batch": 8})
    row = modes.learn("modern", problem, seconds=0.3, seed=0)
    assert row.steps > 1
    assert 0.03 < row.seconds < 10
    assert np.isfinite(row.kl)


def stripes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten kinds of pictures (N, 28, 28) that a classifier tells apart at once: a bright bar at ten heights."""
    labels = np.arange(count) % 10
    images = np.random.default_rng(0).integers(0, 60, (count, 28, 28)).astype(np.uint8)
    for i, label in enumerate(labels):
        images[i, 2 * label + 3 : 2 * label + 5] = 250
    return images, labels.astype(np.uint8)


def test_stacked_pictures_have_the_mode_of_their_channels(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    images, labels = stripes(240)
    np.savez(tmp_path / "f.npz", images=images, labels=labels)
    problem, accuracy, real = modes.stacked_problem(tmp_path / "f.npz", 0, count=200, drawn=300)
    assert accuracy == 1.0
    told, sure = problem.tell(np.stack([images[[1, 2, 3]], images[[9, 0, 5]]]))
    assert told.tolist() == [123, 905]
    assert sure.all()
    assert problem.cover(real, recipe="real data").modes > 200


def test_other_files_are_refused(tmp_path: Path) -> None:
    images, labels = stripes(80)
    np.savez(tmp_path / "few.npz", images=images, labels=labels % 3)
    np.savez(tmp_path / "unlabelled.npz", images=images)
    for name in ("few.npz", "unlabelled.npz", "missing.npz"):
        with pytest.raises(InputError, match=name):
            modes.stacked_problem(tmp_path / name, 0)
