"""Drawn garments: what is said of them is what is to be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.skeleton import GARMENT_ANCHORS, A
from mojing.train.data import drawn
from mojing.train.data.garments import scene


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_drawn_garment_lies_whole_on_its_sheet_with_its_anchors_in_it(seed: int) -> None:
    item = drawn.draw(np.random.default_rng(seed), [])
    alpha = item.view.alpha
    assert alpha.shape == (drawn.CANVAS, drawn.CANVAS)
    assert 0.02 < (alpha > 127).mean() < 0.7
    assert max(alpha[0].max(), alpha[:, 0].max(), alpha[:, -1].max()) < 128
    known = item.view.anchors[item.view.anchors[:, 2] > 0]
    assert len(known) >= 4
    assert ((known[:, :2] >= 0) & (known[:, :2] < drawn.CANVAS)).all()
    assert not ((alpha > 200) & (item.view.inner > 200)).any()


@pytest.mark.parametrize("kind", drawn.KINDS)
def test_every_kind_has_the_anchors_of_its_kind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "CHANCES", tuple(float(k == kind) for k in drawn.KINDS))
    item = drawn.draw(np.random.default_rng(3), [])
    assert item.view.category == kind
    needed = {"skirt": ("left_waist", "left_hem"), "trousers": ("left_hip", "right_hem")}
    for name in needed.get(kind, ("left_shoulder", "right_shoulder", "left_hem")):
        assert item.view.anchors[A[name], 2] > 0, name


def test_left_lies_to_the_right_in_the_picture() -> None:
    for seed in range(6):
        anchors = drawn.draw(np.random.default_rng(seed), []).view.anchors
        for name in GARMENT_ANCHORS:
            if name.startswith("left_"):
                left, right = anchors[A[name]], anchors[A["right_" + name[5:]]]
                assert min(left[2], right[2]) == 0 or left[0] > right[0] - 12


def test_a_scene_of_a_drawn_garment_shows_its_inner_back() -> None:
    items = [drawn.draw(np.random.default_rng(seed), []) for seed in range(8)]
    inside = next(item for item in items if (item.view.inner > 127).sum() > 200)
    made = scene(inside, np.random.default_rng(0), [], side=128)
    assert (made.seg == 2).sum() > 5
    assert made.image.shape == (128, 128, 3)


def test_cloth_of_a_photo_is_used() -> None:
    red = np.full((48, 48, 3), (250, 10, 10), np.uint8)
    shown = [drawn.fabric(np.random.default_rng(seed), [red], side=64) for seed in range(12)]
    assert any(float(np.abs(cloth - [250, 10, 10]).max()) < 1 for cloth in shown)


def test_cloth_that_runs_out_of_its_photo_is_cut_inside_it() -> None:
    item = drawn.draw(np.random.default_rng(0), [])
    item.view = replace(item.view, alpha=np.full_like(item.view.alpha, 255))
    (piece,) = drawn.cloth_of([item])
    side = min(item.view.alpha.shape)
    assert 0.7 * side <= min(piece.shape[:2]) <= side
