"""Designs from the generator, their files, novelty and what is withheld."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.errors import InputError, ModelError
from mojing.core.image import load
from mojing.eval.bench_design import bench_design
from mojing.runtime.store import ModelStore
from mojing.studio import novelty
from mojing.studio.files import enlarge, read_designs, write_designs
from mojing.studio.generate import Designer, truncate
from mojing.studio.novelty import Index
from mojing.studio.pipeline import Studio


@pytest.fixture(scope="module")
def designer(models: Path) -> Designer:
    return Designer(ModelStore(models), threads=1)


def test_the_same_seed_gives_the_same_designs_whatever_their_number(designer: Designer) -> None:
    four = designer.draw("t-shirt", n=4, seed=7)
    more = designer.draw("t-shirt", n=2, seed=7, start=2)
    for a, b in zip(four[2:], more, strict=True):
        np.testing.assert_array_equal(a.rgba, b.rgba)
        assert (a.seed, a.index, a.colour) == (b.seed, b.index, b.colour)
    assert any((d.rgba != four[0].rgba).any() for d in four[1:])
    assert designer.draw("tee", n=1, seed=7)[0].kind == "t-shirt"
    assert designer.draw("t-shirt", n=0) == []


def test_truncation_draws_towards_the_mean(designer: Designer) -> None:
    wide = designer.draw("dress", n=6, seed=1, truncation=1.0, colour=(0, 128, 128))
    none = designer.draw("dress", n=6, seed=1, truncation=0.0, colour=(0, 128, 128))
    spread = np.stack([d.styles for d in wide]).std(axis=0).mean()
    assert spread > 0.1
    assert np.stack([d.styles for d in none]).std(axis=0).max() < 1e-5
    assert wide[0].colour == pytest.approx((0, 128, 128), abs=1)


@given(st.floats(0, 1), st.integers(0, 100))
def test_truncation_lies_on_the_segment(psi: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    styles, mean = rng.normal(size=(3, 2, 4)).astype(np.float32), rng.normal(size=(2, 4)).astype(np.float32)
    out = truncate(styles, mean=mean, psi=psi)
    np.testing.assert_allclose(out - mean, psi * (styles - mean), atol=1e-5)


def test_unknown_kind(designer: Designer) -> None:
    with pytest.raises(InputError, match="no boat can be designed") as error:
        designer.draw("boat", n=1)
    assert error.value.code == "bad_category"


def test_without_a_generator(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        Designer(ModelStore(tmp_path))
    assert error.value.code == "model_missing"


def test_a_folder_of_designs_is_read_back(models: Path, tmp_path: Path) -> None:
    studio = Studio(models, threads=1)
    drawn = studio.design("t-shirt", n=3, seed=2)
    write_designs(tmp_path, drawn.shown, model=studio.designer.id, size=128)
    about = json.loads((tmp_path / "designs.json").read_text())
    assert [row["file"] for row in about["designs"]] == ["0000.png", "0001.png", "0002.png"]
    row = about["designs"][1]
    assert row["kind"] == "t-shirt"
    assert row["novelty"] is None
    assert row["neighbours"] is None
    assert row["category"] == "top"
    assert row["size"] == [128, 128]
    x, y, _ = row["anchors"]["neck"]
    assert 50 < x < 78
    assert 0 < y < 64
    photo = load(tmp_path / "0001.png")
    assert photo.hw == (128, 128)
    assert photo.alpha is not None
    stored = read_designs(tmp_path / "0001.png")[0]
    np.testing.assert_array_equal(stored.design.styles, drawn.shown[1].design.styles)
    again = studio.designer.render(stored.design.styles[None])[0]
    np.testing.assert_array_equal(again, drawn.shown[1].design.rgba)
    assert stored.design.colour == drawn.shown[1].design.colour


def test_what_is_no_design(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none", "not_found"), (tmp_path, "bad_design")):
        with pytest.raises(InputError) as error:
            read_designs(path)
        assert error.value.code == code
    (tmp_path / "designs.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        read_designs(tmp_path)


def test_a_copy_is_withheld_unless_asked_for(models: Path) -> None:
    studio = Studio(models, threads=1)
    assert studio.features is not None
    first = studio.designer.draw("t-shirt", n=4, seed=9)
    others = studio.designer.draw("t-shirt", n=40, seed=1)
    training = studio.features(np.stack([d.on_white() for d in (first[1], *others)])).feature
    studio.__dict__["index"] = Index.of([f"g{i}" for i in range(41)], training, near=0.1)
    drawn = studio.design("t-shirt", n=4, seed=9)
    assert [e.design.index for e in drawn.withheld] == [1]
    assert [e.design.index for e in drawn.shown] == [0, 2, 3, 4]
    verdict = drawn.withheld[0].novelty
    assert verdict is not None
    assert verdict.neighbours[0].id == "g0"
    assert verdict.neighbours[0].distance == pytest.approx(0, abs=0.05)
    assert verdict.score == 0
    assert len(studio.design("t-shirt", n=4, seed=9, allow_near=True).withheld) == 0
    studio.__dict__["index"] = replace(studio.__dict__["index"], near=1e9)
    with pytest.raises(InputError) as error:
        studio.design("t-shirt", n=2, seed=9)
    assert error.value.code == "too_near"


def test_novelty_grows_with_distance_and_survives_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    index = Index.of([str(i) for i in range(50)], rng.normal(size=(50, 8)).astype(np.float32), kinds=["dress"] * 50)
    direction = np.ones(8, np.float32)
    scores = [v.score for v in index.judge(index.features[3] + np.outer(np.linspace(0, 4, 9), direction))]
    assert scores[0] == 0
    assert scores[-1] == 1
    assert scores == sorted(scores)
    back = Index.load(index.save(tmp_path / novelty.FILE))
    assert back.ids == index.ids
    assert back.kinds == index.kinds
    np.testing.assert_allclose(back.features, index.features, atol=2e-3)
    with pytest.raises(ModelError):
        Index.load(tmp_path / "none.npz")


def test_hats_are_not_worn(models: Path) -> None:
    entry = Studio(models, threads=1).design("hat", n=1).shown[0]
    assert entry.category is None
    assert "cannot be tried on" in " ".join(entry.notices)


def test_enlarging_keeps_colour_and_clear_stays_clear() -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[8:24, 8:24] = (200, 30, 90, 255)
    large = enlarge(rgba, 128)
    assert large.shape == (128, 128, 4)
    assert (large[40:88, 40:88, :3] == (200, 30, 90)).all()
    assert not large[:20, :, 3].any()


def test_kinds_drawn_with_one_seed_have_colours_of_their_own(designer: Designer) -> None:
    shirts, dresses = (designer.draw(kind, n=3, seed=7) for kind in ("t-shirt", "dress"))
    assert {d.colour for d in shirts}.isdisjoint(d.colour for d in dresses)


def test_the_generator_is_timed(models: Path) -> None:
    told = bench_design(n=2, repeats=1, threads=1, models=ModelStore(models))
    assert told["designs_per_s"] > 0
    assert told["one_ms"] > 0
    assert told["with_novelty_per_s"] is None  # these models have no index of training garments
    assert told["size_px"] == 64
