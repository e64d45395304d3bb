"""Altered copies: as the table says, the same every time, the source untouched."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.core.image import Photo, load, save
from mojing.curate.augment import TABLE, Change, Ranges, apply, augment, draw
from tests.curate.scenes import folder_of, scene, state


def test_the_table_makes_the_same_pixels_again(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in" / "deep", 3).parent
    before = state(source)
    made = augment(source, tmp_path / "out", copies=3, seed=5)
    assert state(source) == before
    with (tmp_path / "out" / TABLE).open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows) == made.rows
    assert [row["file"] for row in rows[:3]] == [f"deep/000-{n:03d}.png" for n in (1, 2, 3)]
    assert len({row["degrees"] for row in rows}) == 9
    for row in rows:
        again = apply(load(source / row["source"]), Change.from_row(row))
        np.testing.assert_array_equal(load(tmp_path / "out" / row["file"]).rgb, again)


def test_copies_depend_on_seed_and_name_alone(tmp_path: Path) -> None:
    few, more = folder_of(tmp_path / "few", 2), folder_of(tmp_path / "more", 4)
    out = [tmp_path / name for name in "abc"]
    augment(few, out[0], copies=2, threads=1)
    augment(more, out[1], copies=2, threads=3)
    augment(few, out[2], copies=2, seed=1)
    first, second, other = (state(folder) for folder in out)
    del first[TABLE]
    assert first.items() <= second.items()
    assert not set(first.values()) & set(other.values())


@given(st.integers(0, 10_000))
def test_changes_stay_in_range(seed: int) -> None:
    ranges = Ranges(rotate=20, scale=0.2, crop=0.3, flip=0.5, colour=0.2)
    change = draw(np.random.default_rng(seed), ranges)
    assert abs(change.degrees) <= 20
    assert 1 / 1.21 < change.scale < 1.21
    assert 0.7 <= change.size <= 1
    assert 0 <= change.left <= 1 - change.size + 1e-6
    assert 0 <= change.top <= 1 - change.size + 1e-6
    assert abs(change.hue) <= 12
    assert Change.from_row(change.row()) == change


def test_each_change_does_what_it_says() -> None:
    photo = Photo(scene(3))
    h, w = photo.hw
    np.testing.assert_array_equal(apply(photo, Change()), photo.rgb)
    np.testing.assert_array_equal(apply(photo, Change(flip=True)), photo.rgb[:, ::-1])
    np.testing.assert_array_equal(apply(photo, Change(degrees=180)), photo.rgb[::-1, ::-1])
    quarter = apply(photo, Change(left=0.5, top=0.5, size=0.5))
    close = cv2.resize(photo.rgb[h // 2 :, w // 2 :], (w, h), interpolation=cv2.INTER_LINEAR)
    assert np.abs(quarter[2:-2, 2:-2].astype(int) - close[2:-2, 2:-2]).mean() < 1
    grey = apply(photo, Change(saturation=0.0))
    assert (grey.max(axis=2) - grey.min(axis=2)).max() <= 1
    assert apply(photo, Change(exposure=0.5)).mean() == pytest.approx(photo.rgb.mean() / 2, rel=0.02)
    assert apply(photo, Change(contrast=0.5)).std() < photo.rgb.std()
    plain = Photo(np.full((40, 40, 3), 90, np.uint8))
    np.testing.assert_array_equal(apply(plain, Change(hue=120, saturation=1.5)), plain.rgb)


def test_outside_a_cut_out_is_nothing() -> None:
    photo = Photo(scene(1), np.full((160, 120), 200, np.uint8))
    out = apply(photo, Change(degrees=30, scale=0.8))
    assert out.shape == (160, 120, 4)
    assert out[0, 0, 3] == 0
    assert out[80, 60, 3] == 200


def test_names_and_formats(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", 1)
    save(source / "000.jpg", scene(8))
    assert cv2.imwrite(str(source / "old.bmp"), scene(9))
    (source / "bad.jpg").write_bytes(b"x")
    made = augment(source, tmp_path / "out", copies=1)
    assert sorted(row["file"] for row in made.rows) == ["000.jpg-001.jpg", "000.png-001.png", "old-001.png"]
    assert [name for name, _ in made.skipped] == ["bad.jpg"]
    webp = augment(source, tmp_path / "webp", copies=1, suffix=".webp")
    assert all(row["file"].endswith(".webp") for row in webp.rows)


def test_refusals(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", 1)
    with pytest.raises(InputError, match="source folder"):
        augment(source, source / "more")
    with pytest.raises(InputError, match="not empty"):
        augment(source, tmp_path)
    with pytest.raises(InputError, match="no folder"):
        augment(tmp_path / "none", tmp_path / "out")
    with pytest.raises(InputError, match="0 copies"):
        augment(source, tmp_path / "out", copies=0)
    for values in ({"rotate": 200.0}, {"scale": 0.5}, {"crop": -0.1}, {"flip": 2.0}, {"colour": float("nan")}):
        with pytest.raises(InputError):
            Ranges(**values)
