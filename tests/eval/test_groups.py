"""Groups of people: means by face, honest intervals, and who is too few to be judged."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.eval.groups import LEAST, Measure, Sample, compare, interval, markdown

ERROR = Measure("error", "px", gap=1.0)
SHARE = Measure("share", "%", gap=5.0, more_is_better=True)


def people(name: str, values: list[float], *, each: int = 1) -> list[Sample]:
    """One face a value, each measured `each` times."""
    return [Sample(f"{name}{i}", v, {"tone": name}) for i, v in enumerate(values) for _ in range(each)]


def test_a_gap_within_what_is_allowed_is_fair_and_beyond_it_is_not() -> None:
    light = people("1 light", [2.0, 2.1] * 5)
    fair = compare([*light, *people("2 dark", [2.6, 2.7] * 5)], ERROR, key="tone")
    assert fair.fair is True
    assert fair.gap == pytest.approx(0.6)
    unfair = compare([*light, *people("2 dark", [3.4, 3.5] * 5)], ERROR, key="tone")
    assert unfair.fair is False
    assert unfair.judged[-1].name == "2 dark"
    assert "**not kept**" in "\n".join(markdown(unfair))


def test_the_worst_is_the_least_where_more_is_better() -> None:
    verdict = compare([*people("a", [99.0] * 9), *people("b", [80.0] * 9)], SHARE, key="tone")
    assert verdict.judged[0].name == "a"
    assert verdict.gap == pytest.approx(19.0)
    assert verdict.fair is False


def test_few_faces_are_not_judged_however_often_they_are_measured() -> None:
    few = people("few", [9.0] * (LEAST - 1), each=20)
    verdict = compare([*few, *people("many", [1.0] * LEAST)], ERROR, key="tone")
    said = {g.name: g.why for g in verdict.groups}
    assert "too few" in said["few"]
    assert said["many"] == ""
    assert verdict.fair is None
    assert verdict.as_dict()["gap"] is None


def test_a_group_whose_interval_is_wider_than_the_gap_is_not_judged() -> None:
    wild = people("wild", [0.0, 10.0] * 5)
    verdict = compare([*wild, *people("calm", [1.0] * 10)], ERROR, key="tone")
    assert "wide" in next(g.why for g in verdict.groups if g.name == "wild")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30))
def test_the_interval_holds_the_mean_and_repeats_itself(values: list[float]) -> None:
    samples = people("x", values)
    mean, low, high = interval(samples)
    assert low - 1e-9 <= mean <= high + 1e-9
    assert mean == pytest.approx(float(np.mean(values)), abs=1e-9)
    assert interval(samples) == (mean, low, high)
    assert interval(people("x", values, each=3)) == pytest.approx((mean, low, high))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for k in range(120):
        _, low, high = interval(people("x", rng.normal(0.0, 1.0, 30).tolist()), seed=k)
        hits += low <= 0 <= high
    assert 104 <= hits <= 120


def test_samples_without_the_key_are_left_out() -> None:
    verdict = compare([Sample("a", 1.0, {"light": "dim"}), *people("x", [1.0])], ERROR, key="tone")
    assert [g.name for g in verdict.groups] == ["x"]
    assert math.isnan(verdict.gap)


def test_a_group_too_scattered_to_judge_is_still_called_behind_when_that_is_sure() -> None:
    rng = np.random.default_rng(3)
    poor = people("poor", rng.normal(20.0, 4.0, 12).tolist())
    verdict = compare([*poor, *people("good", [1.0, 1.2] * 6)], ERROR, key="tone")
    assert "wide" in next(g.why for g in verdict.groups if g.name == "poor")
    assert [g.name for g in verdict.behind] == ["poor"]
    assert verdict.fair is False
    assert "Surely behind" in "\n".join(markdown(verdict))
    shares = compare([*people("a", [100.0] * 9), *people("b", [0.0, 50.0] * 6)], SHARE, key="tone")
    assert shares.fair is False
    assert compare(people("alone", [5.0] * 9), ERROR, key="tone").behind == ()
