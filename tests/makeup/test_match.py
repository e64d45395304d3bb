"""Grey cards, tables of shades, and the shades nearest to a skin."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.makeup.card import CHART_GREYS, find_card, read_card
from mojing.makeup.match import SWATCH_LIMIT, ShadeTable, match, match_skin, overlap, worn
from mojing.makeup.skincolour import SkinColour, hex_of, skin_colour
from tests.makeup.studio import CARD, SKIN, Scene, photo, seen

ROWS = [
    ("Aster", "Veil", f"{k}", hex_of(np.clip(np.array(SKIN) * f, 0, 1)))
    for k, f in enumerate(np.geomspace(0.15, 2.2, 24))
] + [("Birch", "Base", "own", hex_of(np.array(SKIN))), ("Birch", "Base", "pale", "#f3e4d7")]


@pytest.fixture(scope="module")
def known() -> SkinColour:
    """A skin read with a card."""
    rgb = photo(Scene(card=0.18))
    return skin_colour(rgb, seen(), card=read_card(rgb, CARD, reflectance=0.18))


def test_the_shade_of_the_skin_itself_is_among_the_nearest(known: SkinColour) -> None:
    found = match_skin(known, shades=ShadeTable.of(ROWS))
    assert len(found.top) == 5
    assert "own" in [s.name for s in found.top[:3]]
    assert [s.delta_e for s in found.top] == sorted(s.delta_e for s in found.top)
    assert sum(s.best for s in found.top) == pytest.approx(1.0)
    for shade in found.top:
        assert shade.low <= shade.delta_e <= shade.high
    assert SWATCH_LIMIT in found.notices


def test_within_a_brand_only_its_shades_are_suggested(known: SkinColour) -> None:
    found = match_skin(known, shades=ShadeTable.of(ROWS), brand="birch")
    assert {s.brand for s in found.top} == {"Birch"}
    assert len(found.top) == 2
    with pytest.raises(InputError, match="no brand") as caught:
        match_skin(known, shades=ShadeTable.of(ROWS), brand="Birhc")
    assert caught.value.code == "bad_table"
    assert "Birch" in caught.value.hint


def test_a_wide_interval_asks_for_a_card(known: SkinColour) -> None:
    guessed = match(photo(Scene(shirt=None)), seen(), shades=ShadeTable.of(ROWS))
    assert guessed.skin.certainty == "uncertain"
    assert "card" in guessed.advice
    assert guessed.skin.radius > known.radius
    told = guessed.to_json()
    assert told["skin"]["certainty"] == "uncertain"
    assert len(told["top"][0]["worn"]) == 3


@settings(max_examples=20)
@given(st.tuples(*[st.floats(0.03, 0.9)] * 3), st.tuples(*[st.floats(0.03, 0.9)] * 3))
def test_more_coverage_brings_the_skin_nearer_the_shade(
    skin: tuple[float, float, float], product: tuple[float, float, float]
) -> None:
    steps = [worn(np.array(skin), np.array(product), coverage=c) for c in (0.0, 0.3, 0.6, 0.9)]
    assert steps[0].delta_e < 0.05
    target = worn(np.array(skin), np.array(product), coverage=1.0).lab
    away = [float(np.linalg.norm(s.lab - target)) for s in steps]
    assert all(a >= b - 0.3 for a, b in pairwise(away))


def test_overlap_counts_shades_in_common(known: SkinColour) -> None:
    table = ShadeTable.of(ROWS)
    top = match_skin(known, shades=table).top
    assert overlap(top, top) == 1.0
    assert overlap(top[:2], top[2:]) == 0.0


def test_a_table_is_read_as_shops_write_it(tmp_path: Path) -> None:
    path = tmp_path / "shades.csv"
    path.write_text(
        "\ufeffbrand,product,name,specific,hex\nA,B,NA,12W,#A06F4A\nA,B,NA,12W,#000000\nA,B,Honey,NA,a06f4b\n", "utf-8"
    )
    table = ShadeTable.load(path)
    assert len(table) == 2
    assert table.names == ("12W", "Honey")
    assert hex_of(table.linear[0]) == "#a06f4a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("brand,product,hex\nA,B,#ffffff\n", "lacks a column"),
        ("brand,product,name,hex\nA,B,C,#fffff\n", "line 2"),
        ("brand,product,name,hex\nA,B,C\n", "line 2"),
        ("brand,product,name,hex\n", "no shades"),
        ("", "lacks a column"),
        ("\xff\xfe", "UTF-8"),
    ],
)
def test_a_bad_table_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=said) as caught:
        ShadeTable.load(path)
    assert caught.value.code == "bad_table"
    with pytest.raises(InputError) as gone:
        ShadeTable.load(tmp_path / "none.csv")
    assert gone.value.code == "not_found"


@pytest.mark.parametrize(
    ("box", "reflectance", "said"),
    [
        (Box(280, 280, 320, 320), None, "not inside"),
        (Box(-5, 0, 30, 30), None, "not inside"),
        (Box(10, 10, 13, 13), None, "not inside"),
        (Box(20, 60, 200, 280), None, "not plain"),
        (CARD, 1.5, "cannot reflect"),
    ],
)
def test_a_bad_card_is_refused(box: Box, reflectance: float | None, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_card(photo(Scene(card=0.18)), box, reflectance=reflectance)
    assert caught.value.code == "bad_card"
    assert caught.value.hint


def test_a_burnt_or_black_card_is_refused() -> None:
    for level in (255, 2):
        rgb = photo().copy()
        rgb[4:50, 4:50] = level
        with pytest.raises(InputError) as caught:
            read_card(rgb, CARD)
        assert caught.value.code == "bad_card"


def test_the_grey_row_of_a_chart_is_found_and_its_reflectance_known() -> None:
    rgb = np.full((400, 600, 3), 40, np.uint8)
    gains = np.array([1.0, 0.8, 0.5])
    for k, grey in enumerate(CHART_GREYS):
        level = np.clip(255 * (0.85 * grey * gains) ** (1 / 2.2), 0, 255).astype(np.uint8)
        cv2.rectangle(rgb, (60 + 70 * k, 150), (60 + 70 * k + 55, 205), tuple(int(v) for v in level), -1)
    card = find_card(rgb)
    assert card is not None
    assert card.how == "chart"
    np.testing.assert_allclose(card.colour / card.colour[1], gains / gains[1], rtol=0.15)
    assert card.reflectance is not None
    assert min(abs(np.log(card.reflectance / g)) for g in CHART_GREYS) < 1e-6


def test_no_chart_is_seen_where_there_is_none(rng: np.random.Generator) -> None:
    assert find_card(photo()) is None
    assert find_card(rng.integers(0, 255, (200, 300, 3)).astype(np.uint8)) is None
    assert find_card(np.full((200, 300, 3), 128, np.uint8)) is None


def test_tables_that_are_no_csv_and_names_for_no_terminal_are_refused(tmp_path: Path) -> None:
    head = "brand,product,name,hex"
    for number, text in enumerate(("x" * 200_000, f"{head}\nA\x1b[2J,b,c,#aabbcc")):
        path = tmp_path / f"{number}.csv"
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            ShadeTable.load(path)
        assert caught.value.code == "bad_table"
    (tmp_path / "lines.csv").write_text(f'{head}\nA,"b\n  c",d,#aabbcc')
    assert ShadeTable.load(tmp_path / "lines.csv").products == ("b c",)
