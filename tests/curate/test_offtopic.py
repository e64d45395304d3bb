"""Strangers stand out by their distance to the set, copies of strangers too, and a tight set has none."""

from __future__ import annotations

import numpy as np
import pytest

from mojing.core.errors import InputError
from mojing.curate.offtopic import strangeness


def test_strangers_stand_out(rng: np.random.Generator) -> None:
    centres = rng.normal(0, 5, (4, 16))
    usual = centres[rng.integers(0, 4, 300)] + rng.normal(0, 1, (300, 16))
    strangers = rng.normal(0, 1, (5, 16)) + 40 * np.eye(16)[:5]
    figures = strangeness(np.concatenate([usual, strangers]), range(305))
    assert figures[300:].min() > 6
    assert (figures[:300] > 6).mean() == 0
    assert abs(np.median(figures)) < 0.1


def test_copies_of_a_stranger_are_no_company(rng: np.random.Generator) -> None:
    features = np.concatenate([rng.normal(0, 1, (100, 8)), np.full((10, 8), 30.0)])
    groups = [*range(100), *([100] * 10)]
    assert strangeness(features, groups)[100:].min() > 3.3
    assert strangeness(features, range(110))[100:].max() < 3.3


def test_small_and_bad_sets(rng: np.random.Generator) -> None:
    assert not strangeness(rng.normal(0, 1, (10, 4)), range(10)).any()
    assert np.isfinite(strangeness(np.zeros((50, 4)), range(50))).all()
    with pytest.raises(InputError, match="finite"):
        strangeness(np.full((30, 4), np.nan), range(30))
    with pytest.raises(InputError, match="30"):
        strangeness(np.zeros((20, 4)), range(30))
