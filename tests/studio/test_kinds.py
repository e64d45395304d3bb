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
from mojing.studio.kinds import LADDERS, SLEEVES, KindReader, numbers
from mojing.studio.shapes import SHARES, between_kinds


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


def sleeved(count: int, *, seed: int) -> tuple[U8, list[str]]:
    """Tops with no, short and long sleeves, spread to the sides."""
    rng = np.random.default_rng(seed)
    pictures, kinds = np.zeros((count, 64, 64, 4), np.uint8), []
    for i, picture in enumerate(pictures):
        reach = (0, 8, 18)[i % 3]
        picture[10:56, 22:42] = (*rng.integers(0, 256, 3), 255)
        picture[10:20, 22 - reach : 42 + reach] = picture[30, 30]
        kinds.append(("undershirt", "t-shirt", "hoodie")[i % 3])
    return pictures, kinds


def test_kinds_teach_sleeves(tmp_path: Path) -> None:
    known = KindReader.fit(*sleeved(30, seed=0))
    pictures, kinds = sleeved(12, seed=1)
    truth = [SLEEVES[kind] for kind in kinds]
    found = known.sleeves(pictures)
    assert found is not None
    np.testing.assert_allclose(found, truth, atol=0.4)
    again = KindReader.load(known.save(tmp_path / "k.npz")).sleeves(pictures)
    assert again is not None
    np.testing.assert_allclose(again, found, atol=1e-3)
    read = attributes.read(pictures, sleeves=known.sleeves)
    np.testing.assert_allclose(read[:, 0], found)
    np.testing.assert_allclose(read[:, 1:], attributes.read(pictures)[:, 1:])
    empty = np.zeros((1, 64, 64, 4), np.uint8)
    assert not attributes.read(empty, sleeves=known.sleeves).any()


def test_kinds_that_do_not_tell_teach_no_sleeves(reader: KindReader) -> None:
    assert reader.sleeves(drawn(2, seed=3)[0]) is None


def test_which_kind_of_a_ladder_it_is_is_all_the_same() -> None:
    known = KindReader.fit(*sleeved(30, seed=0))
    pictures, _ = sleeved(3, seed=1)
    for own, attribute, columns in (("t-shirt", "sleeve", 1), ("hoodie", "sleeve", 1), ("t-shirt", "length", 3)):
        assert known.likeness(pictures, own=own, attribute=attribute).shape == (3, columns)
    together = known.likeness(pictures, own="t-shirt", attribute="sleeve")
    alone = known.likeness(pictures, own="hoodie", attribute="sleeve")
    assert together[:2].min() > together[2]  # an undershirt and a T-shirt are alike, a hoodie is not
    assert alone[2] > alone[:2].max()


def test_shapes_lead_from_kind_to_kind(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LADDERS, "sleeve", ("dress", "t-shirt"))
    designer = Designer(ModelStore(models), threads=1)
    design = designer.draw("t-shirt", n=1, seed=3)[0]
    back, beyond = (between_kinds(designer, design, "sleeve", more=more) for more in (False, True))
    assert len(back) == len(beyond) == 2 * len(SHARES)
    way = designer.mean("dress") - designer.mean("t-shirt")
    np.testing.assert_allclose(back[4, 0] - design.styles[0], way[0], atol=1e-5)
    np.testing.assert_allclose(beyond[4, 0] - design.styles[0], -way[0], atol=1e-5)
    np.testing.assert_array_equal(back[:, -1], np.tile(design.styles[-1], (len(back), 1)))
    for attribute in ("pattern", "length"):
        assert not len(between_kinds(designer, design, attribute, more=True))
