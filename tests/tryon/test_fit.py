"""Sizes: which fit a chart gives, and how it moves the anchors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.core.skeleton import A
from mojing.tryon.fit import Fit, choose, shift_anchors
from tests.tryon.wardrobe import garment

CHART = {
    "S": {"chest": 96.0, "length": 68.0, "sleeve": 61.0},
    "M": {"chest": 102.0, "length": 70.0, "sleeve": 62.5},
    "L": {"chest": 108.0, "length": 72.0, "sleeve": 64.0},
    "XL": {"chest": 114.0, "length": 74.0, "sleeve": 65.5},
}
BODY = {"chest": 94.0}


def test_the_size_that_fits_is_as_in_the_photo() -> None:
    fit = choose(CHART, "M", body_cm=BODY)
    assert fit == Fit(width=1.0, length=1.0, sleeve=1.0, ease_cm=8.0)


def test_sizes_are_ordered() -> None:
    fits = [choose(CHART, size, body_cm=BODY) for size in CHART]
    assert [f.width for f in fits] == sorted(f.width for f in fits)
    assert [f.length for f in fits] == sorted(f.length for f in fits)
    assert fits[0].width < 1 < fits[3].width
    assert [f.ease_cm for f in fits] == [2.0, 8.0, 14.0, 20.0]


def test_the_shown_size_can_be_named() -> None:
    fit = choose(CHART, "XL", body_cm=BODY, shown="S")
    assert fit.width == pytest.approx(114 / 96)
    assert fit.length == pytest.approx(74 / 68)


def test_even_the_nearest_size_can_be_too_large() -> None:
    assert choose(CHART, "S", body_cm={"chest": 80.0}).width > 1.05


@pytest.mark.parametrize(
    ("size", "body", "shown"), [("XXL", BODY, None), ("M", BODY, "3"), ("M", {"waist": 80.0}, None)]
)
def test_what_the_chart_does_not_tell_is_an_error(size: str, body: dict[str, float], shown: str | None) -> None:
    with pytest.raises(InputError) as error:
        choose(CHART, size, body_cm=body, shown=shown)
    assert error.value.code == "bad_size"
    assert error.value.hint


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), float("inf")])
def test_a_fit_is_positive(width: float) -> None:
    with pytest.raises(InputError):
        Fit(width=width)


@pytest.mark.parametrize("category", ["top", "dress", "skirt", "trousers"])
def test_no_change_of_size_moves_nothing(category: str) -> None:
    anchors = garment(category).anchors
    np.testing.assert_allclose(shift_anchors(anchors, Fit()), anchors, atol=1e-3)


@settings(max_examples=25)
@given(st.floats(0.75, 1.4), st.floats(0.75, 1.4), st.floats(0.75, 1.4))
def test_a_larger_garment_has_its_joints_nearer_together(width: float, length: float, sleeve: float) -> None:
    before = garment("top").anchors
    after = shift_anchors(before, Fit(width=width, length=length, sleeve=sleeve))

    def span(anchors: np.ndarray[tuple[int, ...], np.dtype[np.float32]], a: str, b: str) -> float:
        return float(np.hypot(*(anchors[A[a], :2] - anchors[A[b], :2])))

    assert span(before, "left_hip", "right_hip") / span(after, "left_hip", "right_hip") == pytest.approx(
        width, rel=1e-3
    )
    down = [float(a[A["left_hip"], 1] - a[A["neck"], 1]) for a in (before, after)]
    assert down[0] / down[1] == pytest.approx(length, rel=1e-3)
    for a, b in (("left_shoulder", "left_elbow"), ("right_elbow", "right_wrist")):
        assert span(before, a, b) / span(after, a, b) == pytest.approx(sleeve, rel=1e-3)
    assert (after[:, 2] == before[:, 2]).all()


def test_anchors_without_a_root_stay() -> None:
    anchors = np.zeros((17, 3), np.float32)
    anchors[A["left_hem"]] = (5, 6, 1)
    np.testing.assert_array_equal(shift_anchors(anchors, Fit(width=1.2)), anchors)
