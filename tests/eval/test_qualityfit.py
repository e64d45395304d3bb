"""The quality score's fit on made-up signs with a known rule."""

from __future__ import annotations

import numpy as np
import pytest

from mojing.core.errors import InputError
from mojing.eval import qualityfit
from mojing.tryon.quality import chance


def made_up(count: int, *, seed: int) -> list[qualityfit.Trial]:
    """Good with a chance that grows with `agreement` and falls with `shift`; `noise` tells nothing."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        signs = {"agreement": float(rng.random()), "shift": float(rng.random()), "noise": float(rng.random())}
        p = 1 / (1 + np.exp(-(6 * signs["agreement"] - 4 * signs["shift"] - 1)))
        out.append(qualityfit.Trial(signs, bool(rng.random() < p)))
    return out


def test_the_rule_is_found_and_the_chance_is_true() -> None:
    weights = qualityfit.fit(made_up(1500, seed=0), names_fitted=("agreement", "shift", "noise"))
    assert weights["agreement"] == pytest.approx(6, abs=1.5)
    assert weights["shift"] == pytest.approx(-4, abs=1.5)
    assert abs(weights["noise"]) < 0.8
    figures = qualityfit.check(made_up(1500, seed=1), weights)
    assert figures["roc_area"] > 0.8
    assert figures["calibration_gap"] < 0.05
    assert chance({"agreement": 1, "shift": 0, "noise": 0.5}, weights) > 0.95


def test_trials_that_are_all_alike_cannot_be_fitted() -> None:
    same = [qualityfit.Trial(t.signs, good=True) for t in made_up(20, seed=2)]
    with pytest.raises(InputError, match="all of them alike") as caught:
        qualityfit.fit(same)
    assert caught.value.code == "bad_data"
    assert qualityfit.check(same, {"bias": 0.0}) == {"trials": 20, "good": 1.0}
