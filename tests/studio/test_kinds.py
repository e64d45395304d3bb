"""The edit's own reader of kinds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mojing.core.arrays import U8
from mojing.core.errors import ModelError
from mojing.runtime.store import ModelStore
from mojing.studio import attributes
from mojing.studio.directions import edit, find_directions
from mojing.studio.generate import Designer
from mojing.studio.kinds import KindReader, numbers


def drawn(count: int, *, seed: int) -> tuple[U8, list[str]]:
    """Wide and tall pieces of cloth in any colour."""
    rng = np.random.default_rng(seed)
    pictures, kinds = np.zeros((count, 64, 64, 4), np.uint8), []
    for i, picture in enumerate(pictures):
        half = (24, 10) if i % 2 else (10, 24)
        y, x = (int(v) for v in rng.integers(28, 36, 2))
        picture[y - half[1] : y + half[1], x - half[0] : x + half[0], :3] = rng.integers(0, 256, 3)
        picture[y - half[1] : y + half[1], x - half[0] : x + half[0], 3] = 255
        kinds.append("wide" if i % 2 else "tall")
    return pictures, kinds


@pytest.fixture(scope="module")
def reader() -> KindReader:
    return KindReader.fit(*drawn(40, seed=0))


def test_kinds_are_told_by_shape_whatever_the_colour(reader: KindReader) -> None:
    pictures, kinds = drawn(20, seed=1)
    scores = reader(pictures)
    assert [reader.kinds[i] for i in scores.argmax(axis=1)] == kinds
    recoloured = pictures.copy()
    recoloured[..., :3] = np.where(pictures[..., 3:] > 0, 255 - pictures[..., :3], 0)
    between = np.abs(scores[::2].mean(axis=0) - scores[1::2].mean(axis=0)).mean()
    assert np.abs(reader(recoloured) - scores).mean() < 0.3 * between


def test_numbers_of_nothing(reader: KindReader) -> None:
    assert len(numbers(np.zeros((0, 64, 64, 4), np.uint8))) == 0
    assert reader(np.zeros((0, 64, 64, 4), np.uint8)).shape == (0, 2)
    assert np.isfinite(reader(np.zeros((1, 64, 64, 4), np.uint8))).all()


def test_a_reader_survives_its_file(reader: KindReader, tmp_path: Path) -> None:
    pictures, _ = drawn(4, seed=2)
    back = KindReader.load(reader.save(tmp_path / "k.npz"))
    assert back.kinds == reader.kinds
    np.testing.assert_allclose(back(pictures), reader(pictures), atol=0.02)
    (tmp_path / "bad.npz").write_bytes(b"?")
    with pytest.raises(ModelError):
        KindReader.load(tmp_path / "bad.npz")


def test_what_makes_another_kind_costs(models: Path) -> None:
    designer = Designer(ModelStore(models), threads=1)
    known = find_directions(designer, attributes.read, n=120, seed=1)
    named = [d for kind in ("t-shirt", "dress") for d in designer.draw(kind, n=12, seed=5)]
    kinds = KindReader.fit(np.stack([d.rgba for d in named]), [d.kind for d in named])
    strict = replace(kinds, weights=10 * kinds.weights, bias=10 * kinds.bias)
    design = named[0]
    free, kept = (
        edit(designer, design, {"length": 1.5}, known=known, reader=attributes.read, kinds=eyes).design
        for eyes in (None, strict)
    )
    moved = [float(np.square(kinds(d.rgba[None]) - kinds(design.rgba[None])).sum()) for d in (free, kept)]
    assert moved[1] < moved[0]
