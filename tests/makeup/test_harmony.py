"""Colours that suit: for everybody, different for different people, and no grey film on dark skin."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.arrays import F64
from mojing.core.color import delta_e_2000, lab_to_rgb, rgb_to_lab
from mojing.makeup.harmony import CAVEAT, KINDS, Palette, candidates, colour_name, harmony, suggest, two_colour
from mojing.makeup.pigment import USUAL_BLOOD, skin_albedo
from mojing.makeup.skincolour import lab_of
from tests.makeup.studio import photo, seen

TONES = (0.0, 0.25, 0.5, 0.75, 1.0)
lab = st.tuples(st.floats(5, 95), st.floats(-60, 60), st.floats(-60, 60))


def palette(melanin: float) -> Palette:
    """Somebody with dark hair and eyes."""
    skin = lab_of(skin_albedo(np.asarray(melanin), np.asarray(USUAL_BLOOD)))
    return Palette(skin, hair=np.array([15.0, 3.0, 4.0]), eyes=np.array([22.0, 6.0, 9.0]))


def lab_of_hex(code: str) -> F64:
    """Lab of #rrggbb."""
    return np.asarray(rgb_to_lab(np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)), np.float64)


@pytest.mark.parametrize("melanin", TONES)
def test_every_tone_gets_as_many_and_as_good_suggestions(melanin: float) -> None:
    found = suggest(palette(melanin))
    for kind, most in (("lip", 6), ("blush", 6), ("eyeshadow", 6), ("garment", 12)):
        assert len(found[kind]) == most
        assert min(s.score for s in found[kind]) > 0.6
        assert all(0 <= s.harmony <= 1 and s.why for s in found[kind])
        colours = np.array([lab_of_hex(s.hex) for s in found[kind]])
        apart = delta_e_2000(colours[:, None], colours[None]) + 99 * np.eye(len(colours))
        assert apart.min() > 8, "no two are alike"


def test_the_quality_is_the_same_over_the_range_of_tones() -> None:
    means = [np.mean([s.score for v in suggest(palette(m)).values() for s in v]) for m in TONES]
    assert max(means) - min(means) < 0.05


def test_suggestions_vary_with_the_skin() -> None:
    tops = [suggest(palette(m))["lip"] for m in TONES]
    for one, other in pairwise(tops):
        assert {s.hex for s in one} != {s.hex for s in other}


@pytest.mark.parametrize("melanin", [0.75, 1.0])
def test_nothing_looks_ashen_on_dark_skin(melanin: float) -> None:
    own = palette(melanin)
    chroma = float(np.hypot(*own.skin[1:]))
    for suggestion in suggest(own)["lip"]:
        colour = lab_of_hex(suggestion.hex)
        assert np.hypot(*colour[1:]) > 0.8 * chroma or colour[0] < own.skin[0] + 12


def test_strength_follows_contrast() -> None:
    skin = palette(0.2).skin
    soft = Palette(skin, hair=np.array([62.0, 4.0, 20.0]), eyes=np.array([52.0, -2.0, -4.0]))
    assert palette(0.2).contrast > soft.contrast
    quiet, strong = (np.mean([s.stands_out for s in suggest(p)["garment"]]) for p in (soft, palette(0.2)))
    assert strong > quiet


def test_stronger_suggestions_stand_out_more() -> None:
    for found in suggest(palette(0.4)).values():
        out = [np.mean([s.stands_out for s in found if s.strength == n]) for n in ("quiet", "everyday", "strong")]
        assert out[0] < out[1] < out[2]


@given(lab, lab)
def test_the_model_of_two_colours_is_symmetric_and_bounded(one: tuple[float, ...], other: tuple[float, ...]) -> None:
    a, b = np.array(one), np.array(other)
    assert two_colour(a, b) == pytest.approx(float(two_colour(b, a)))
    assert -2.0 < float(two_colour(a, b)) < 2.5


def test_like_hues_go_better_than_opposite_ones_and_light_better_than_dark() -> None:
    red, rose, green = np.array([50.0, 40, 20]), np.array([60.0, 38, 14]), np.array([60.0, -40, 20])
    assert two_colour(red, rose) > two_colour(red, green)
    assert two_colour(np.array([85.0, 5, 5]), np.array([75.0, 5, 5])) > two_colour(
        np.array([25.0, 5, 5]), np.array([15.0, 5, 5])
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_candidates_can_be_shown(kind: str) -> None:
    colours = candidates(kind)
    assert len(colours) > 100
    np.testing.assert_allclose(rgb_to_lab(lab_to_rgb(colours)), colours, atol=0.5)


@pytest.mark.parametrize(
    ("colour", "name"),
    [((10, 0, 0), "black"), ((97, 0, 0), "white"), ((50, 0, 0), "grey"), ((30, 40, -15), "deep berry")],
)
def test_colours_have_plain_names(colour: tuple[float, float, float], name: str) -> None:
    assert colour_name(np.array(colour)) == name


def test_a_photo_gives_harmony_and_a_season_only_on_request() -> None:
    hair = np.zeros((300, 300), np.float32)
    hair[:60] = 1.0
    found = harmony(photo(), seen(), hair=hair)
    assert found.season is None
    told = json.loads(json.dumps(found.to_json()))
    assert told["season"] is None
    assert told["colours"]["hair"]["lab_d65"][0] < 40
    assert told["colours"]["eyes"] is not None
    unseen = harmony(photo(), seen(), season=True)
    assert unseen.palette.hair is None
    assert any("hair" in n for n in unseen.notices)
    if unseen.season is not None:
        assert unseen.to_json()["season"]["caveat"] == CAVEAT
