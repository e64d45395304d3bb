"""The doctor on logs with the course of each illness, on broken, short and live ones, and on any numbers at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.train.doctor import ILLNESSES, KINDS, diagnose, examine
from mojing.train.logbook import logbook, read_log
from mojing.train.signs import advantage, descent, period, ramp, swing

Course = Callable[[float], float]
"""A figure over the run: share of it in 0..1 -> value."""
Row = dict[str, Any]
CHANCE = 2 * math.log(2)


def softplus(x: float) -> float:
    return math.log1p(math.exp(-abs(x))) + max(x, 0.0)


def run_of(
    count: int = 40, *, fid: Course | None = None, noise: float = 0.03, ended: bool = True, **courses: Course
) -> list[Row]:
    """Rows of a run with the non-saturating loss: a settled healthy course, where none is given."""
    rng = np.random.default_rng(0)
    base: dict[str, Course] = {
        "d_real": lambda t: 0.3,
        "d_fake": lambda t: -0.3,
        "d_held_out": lambda t: 0.28,
        "grad_d": lambda t: 0.5,
        "grad_g": lambda t: 0.5,
        "grad_g_min_layer": lambda t: 0.1,
        "sample_std": lambda t: 1 - 0.7 * math.exp(-10 * t),
        "sample_diversity": lambda t: 1 - 0.7 * math.exp(-10 * t),
        "sample_change": lambda t: 0.02 + 0.3 * math.exp(-10 * t),
        **courses,
    }
    rows: list[Row] = [{"event": "data", "step": 0, "images": 1000}]
    for i in range(count):
        t = i / count
        row: Row = {name: course(t) * (1 + noise * rng.normal()) for name, course in base.items()}
        row["d_loss"] = softplus(-row["d_real"]) + softplus(row["d_fake"])
        row["g_loss"] = softplus(-row["d_fake"])
        rows.append({"step": 10 * (i + 1), "minutes": i / 60, **row})
        if fid is not None and i % 5 == 4:
            good = 1 / (1 + fid(t))
            rows.append({"event": "metrics", "step": 10 * (i + 1), "fid": fid(t), "precision": good, "coverage": good})
    return rows + ([{"event": "end", "step": 10 * count, "reason": "steps"}] if ended else [])


def told(rows: list[Row], **options: Any) -> set[str]:
    """The kinds found, but for when to stop."""
    found = examine(logbook(rows, options={"loss": "non-saturating", **options}))
    return {finding.kind for finding in found} - {"stop"}


def settled(t: float) -> float:
    return 0.05 + 3 * math.exp(-15 * t)


def test_a_settled_run_is_healthy_and_may_stop() -> None:
    found = examine(logbook(run_of(fid=settled), options={"loss": "non-saturating"}))
    assert [finding.kind for finding in found] == ["healthy", "stop"]


ILL: Mapping[str, list[Row]] = {
    "mode_collapse": run_of(
        sample_diversity=lambda t: 1.0 if t < 0.4 else 0.1,
        sample_std=lambda t: 1.0 if t < 0.4 else 0.1,
        fid=lambda t: 1.0 if t < 0.4 else 4.0,
    ),
    "vanishing_gradients": run_of(
        d_real=lambda t: 3 + 20 * t,
        d_fake=lambda t: -3 - 20 * t,
        grad_g=lambda t: 0.5 * 10 ** (-8 * t),
        sample_diversity=lambda t: 0.3,
        sample_std=lambda t: 0.3,
        sample_change=lambda t: 0.2 * 10 ** (-6 * t),
    ),
    "exploding_gradients": run_of(
        grad_d=lambda t: 10 ** (6 * t), d_real=lambda t: 10 ** (5 * t), d_fake=lambda t: -(10 ** (5 * t))
    ),
    "discriminator_wins": run_of(d_real=lambda t: 1 + 8 * t, d_fake=lambda t: -1 - 8 * t, grad_g=lambda t: 3.0),
    "generator_wins": run_of(
        d_real=lambda t: 0.001, d_fake=lambda t: 0.001, sample_diversity=lambda t: 2.5, fid=lambda t: 8.0
    ),
    "oscillation": run_of(
        sample_std=lambda t: 0.8 + 0.7 * math.sin(40 * t),
        sample_diversity=lambda t: 0.8 + 0.7 * math.sin(40 * t),
        sample_change=lambda t: 0.5,
    ),
    "memorisation": run_of(
        d_real=lambda t: 0.3 + 3 * t, d_held_out=lambda t: 0.3 - 3 * t, d_fake=lambda t: -0.3 - 2.5 * t
    ),
    "under_training": run_of(fid=lambda t: 5 - 4 * t),
}


@pytest.mark.parametrize("kind", ILLNESSES)
def test_every_illness_is_told_by_its_course(kind: str) -> None:
    found = {f.kind: f for f in examine(logbook(ILL[kind], options={"loss": "non-saturating"}))}
    assert kind in found
    assert "healthy" not in found
    assert any(char.isdigit() for char in found[kind].evidence)
    assert found[kind].advice


def test_one_picture_a_class_is_a_collapse_however_varied_the_classes() -> None:
    alike, varied = run_of(sample_diversity_in_class=lambda t: 0.13), run_of(sample_diversity_in_class=lambda t: 0.9)
    (first, *_) = examine(logbook(alike, options={"loss": "non-saturating", "recipe": "cgan"}))
    assert first.kind == "mode_collapse"
    assert "within a class" in first.evidence
    assert "latent is ignored" in first.advice
    assert told(varied) == {"healthy"}


def test_what_is_seen_of_a_live_run() -> None:
    assert "under_training" not in told(run_of(fid=lambda t: 5 - 4 * t, ended=False))
    assert "mode_collapse" in told(ILL["mode_collapse"][:-1])


def test_a_resumed_run_is_live_again() -> None:
    rows = [*run_of(20), *run_of(20, ended=False)[1:]]
    assert logbook(rows).end is None


def test_short_logs_are_too_early_to_tell() -> None:
    assert told(run_of(5)) == {"too_early"}
    assert told(run_of(5, ended=False)) == {"too_early"}
    assert told([]) == {"too_early"}


def test_a_run_that_ended_in_nan_has_exploded_however_short() -> None:
    for count in (0, 3, 40):
        rows = [*run_of(count, ended=False), {"event": "nan", "tensor": "generator.body.0.weight", "step": 7}]
        found = examine(logbook(rows))
        assert found[0].kind == "exploding_gradients"
        assert "generator.body.0.weight" in found[0].evidence
        assert "step 7" in found[0].evidence


def test_advice_leaves_out_what_is_already_on() -> None:
    rows = ILL["discriminator_wins"]
    plain = examine(logbook(rows, options={"loss": "non-saturating"}))[0]
    noisy = examine(logbook(rows, options={"loss": "non-saturating", "instance_noise": 0.1}))[0]
    assert "instance_noise" in plain.advice
    assert "instance_noise" not in noisy.advice


def test_a_wasserstein_critic_cannot_win() -> None:
    rows = run_of(d_real=lambda t: 30.0, d_fake=lambda t: -30.0, fid=settled)
    assert "discriminator_wins" not in told(rows, loss="wasserstein")


def test_half_a_line_and_unknown_rows_do_no_harm(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in run_of(fid=settled, ended=False)]
    lines += ["", "[1, 2]", '{"event": "from a later version", "step": 3}', '{"step": 410, "d_lo']
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    assert {f.kind for f in diagnose(tmp_path)} == {"healthy", "stop"}
    assert read_log(tmp_path).unread == 2


def test_no_log_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"log\.jsonl"):
        diagnose(tmp_path)


def test_missing_columns_and_options_are_lived_with(tmp_path: Path) -> None:
    rows = [{"step": i, "d_loss": 1.3, "d_accuracy": 0.6} for i in range(30)]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "options.json").write_text("{broken")
    assert {f.kind for f in diagnose(tmp_path)} == {"healthy", "stop"}


NAMES = ("d_loss", "g_loss", "d_real", "d_fake", "d_accuracy", "grad_d", "grad_g", "grad_g_min_layer", "sample_std")
MORE = ("sample_diversity", "sample_change", "d_held_out", "fid", "precision", "coverage", "nearest_train")
numbers = st.one_of(st.none(), st.floats(), st.just("x"), st.booleans())
any_row = st.fixed_dictionaries(
    {"step": st.integers(0, 1000), "event": st.sampled_from([None, None, None, "metrics", "end", "nan"])},
    optional=dict.fromkeys(NAMES + MORE, numbers),
).map(lambda row: {k: v for k, v in row.items() if k != "event" or v is not None})


@settings(max_examples=60, deadline=None)
@given(st.lists(any_row, max_size=25), st.sampled_from(["", "wasserstein", "lsgan", "relativistic", "bce"]))
def test_no_log_makes_the_doctor_fall_over(rows: list[Row], loss: str) -> None:
    found = examine(logbook(rows, options={"loss": loss, "smoothing": 0.1}))
    assert found
    assert all(finding.kind in KINDS and 0 <= finding.confidence <= 1 for finding in found)


def test_the_advantage_is_nought_for_guessing_and_one_for_certainty() -> None:
    chance = {"non-saturating": CHANCE, "hinge": 2.0, "lsgan": 0.25, "relativistic": math.log(2)}
    for loss, value in chance.items():
        log = logbook([{"step": 1, "d_loss": value}, {"step": 2, "d_loss": 0.0}], options={"loss": loss})
        assert advantage(log) == pytest.approx([0, 1])


@given(st.floats(-1e6, 1e6), st.floats(-10, 10), st.floats(0.01, 10))
def test_a_ramp_stays_in_range_and_turns_with_its_limits(value: float, zero: float, width: float) -> None:
    up = ramp(value, zero, zero + width)
    assert 0 <= up <= 1
    assert up + ramp(value, zero + width, zero) == pytest.approx(1)


def test_signs_on_known_series() -> None:
    t = np.arange(60.0)
    assert swing(1 + 0.01 * t) == pytest.approx(0, abs=1e-6)
    assert swing(2 + np.sin(t)) == pytest.approx(0.35, abs=0.03)
    assert period(np.sin(2 * np.pi * t / 12), 10 * t) == pytest.approx(120, rel=0.1)
    assert period(np.ones(60), t) is None
    assert descent(np.array([10, 1, 1, 1, 1, 1.0])) == 0
    assert descent(np.linspace(10, 1, 12)) > 0.3
    assert descent(np.array([1.0, 2, 3, 4])) == 0
