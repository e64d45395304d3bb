"""Cells of the contact sheet."""

from __future__ import annotations

import numpy as np
import pytest

from mojing.cli.examples import cell, tried, words
from mojing.core.errors import InputError


@pytest.mark.parametrize("hw", [(1000, 400), (100, 900), (320, 240), (33, 32)])
def test_a_picture_is_fitted_into_its_cell(hw: tuple[int, int]) -> None:
    made = cell(np.zeros((*hw, 3), np.uint8))
    assert made.shape == (320, 240, 3)
    dark = made[..., 0] < 128
    rows, columns = dark.any(axis=1).sum(), dark.any(axis=0).sum()
    assert rows == 320 or columns == 240
    assert rows / columns == pytest.approx(hw[0] / hw[1], rel=0.05)


def test_a_refusal_is_a_value() -> None:
    def refuse() -> int:
        raise InputError("no_person", "nobody")

    assert isinstance(tried(refuse), InputError)
    assert tried(lambda: 3) == 3
    assert (words("no_person") < 128).any()
