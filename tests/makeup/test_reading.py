"""Looks in numbers and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32
from mojing.core.color import linear_to_srgb
from mojing.makeup.kinds import AREAS, FINISHES, PATTERNS, shade_counts
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.reading import PART, READ, WIDTH, decode, encode

unit = st.floats(0.0, 1.0, width=32)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    kind = draw(st.sampled_from(READ))
    pattern = draw(st.sampled_from(PATTERNS[kind]))
    least, most = shade_counts(kind, pattern)
    colours = draw(st.lists(st.tuples(unit, unit, unit), min_size=least, max_size=most))
    areas = draw(st.lists(st.sampled_from(AREAS[kind]), unique=True)) if AREAS[kind] else []
    return Layer(
        kind,
        tuple(Shade("", np.array(colour)) for colour in colours),
        finish=draw(st.sampled_from(FINISHES)),
        coverage=draw(st.floats(0.05, 1.0)),
        amount=draw(st.floats(0.1, 1.0)),
        pattern=pattern,
        region=tuple(areas),
        size=draw(st.floats(0.5, 2.0)),
        softness=draw(unit),
    )


def certain(values: F32) -> F32:
    """The answer of a network that knows the truth: classes as strong logits."""
    rows = values.copy()
    for name in ("present", "count", "finish", "pattern", "area"):
        rows[:, PART[name]] = np.where(values[:, PART[name]] > 0.5, 9.0, -9.0)
    return rows


@settings(max_examples=60, deadline=None)
@given(layer=layers())
def test_a_look_comes_back_from_its_numbers(layer: Layer) -> None:
    truth = encode(Look("", (layer,)))
    (found,) = decode(certain(truth.values), thresholds=[0.5] * len(READ)).layers
    assert (found.kind, found.pattern, found.finish) == (layer.kind, layer.pattern, layer.finish)
    assert len(found.shades) == len(layer.shades)
    for ours, true in zip(found.shades, layer.shades, strict=True):
        np.testing.assert_allclose(linear_to_srgb(ours.colour), linear_to_srgb(true.colour), atol=2e-3)
    assert found.coverage == pytest.approx(layer.coverage * layer.amount, abs=2e-3)
    assert found.size == pytest.approx(layer.size, abs=2e-3)
    assert all(found.has(area) == layer.has(area) for area in AREAS[layer.kind])


def test_only_what_is_there_is_known() -> None:
    truth = encode(Look("", (Layer("lip", (Shade.of_hex("#a01030"),)),)))
    row = READ.index("lip")
    assert truth.values.shape == (len(READ), WIDTH)
    assert truth.known[:, 0].all()
    assert not np.delete(truth.known[:, 1:], row, axis=0).any()
    assert truth.known[row, PART["colour"]].tolist() == [1.0] * 3 + [0.0] * 12


def test_of_two_layers_of_a_kind_the_more_opaque_one_counts() -> None:
    red, blue = (Layer("lip", (Shade.of_hex(c),), coverage=v) for c, v in (("#ff0000", 0.2), ("#0000ff", 0.8)))
    truth = encode(Look("", (red, blue)))
    np.testing.assert_allclose(truth.values[READ.index("lip"), PART["colour"]][:3], [0, 0, 1], atol=1e-6)


def test_thresholds_decide_what_is_there() -> None:
    rows = np.zeros((len(READ), WIDTH), np.float32)
    assert len(decode(rows, thresholds=[0.4] * len(READ)).layers) == len(READ)
    assert decode(rows, thresholds=[0.6] * len(READ)).layers == ()
