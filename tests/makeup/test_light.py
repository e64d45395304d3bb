"""The light on a face: what told it, how sure it is, and when it is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import AnyArray
from mojing.core.color import delta_e_2000
from mojing.core.errors import InputError
from mojing.eval.match import halves, relit
from mojing.eval.syntheticface import LIGHTS, photograph
from mojing.makeup.card import read_card
from mojing.makeup.light import (
    CONES,
    Light,
    angle,
    planck_white,
    read_light,
    temperature,
    to_d65,
    white_of,
)
from mojing.makeup.places import closeup, eye_white, log_chroma, luminance, read
from mojing.makeup.skincolour import lab_of, skin_colour
from mojing.perception.faceview import FaceView
from tests.makeup.studio import CARD, SKIN, Scene, photo, seen

gain = st.floats(0.5, 1.0)
chroma = st.floats(-0.8, 0.8)


def light_of(rgb: AnyArray, *, card: bool = False) -> Light:
    """The light of a drawn photo."""
    view = closeup(rgb, seen())
    return read_light(view, card=read_card(rgb, CARD, reflectance=0.18) if card else None)


@settings(max_examples=40)
@given(st.floats(2000.0, 12000.0))
def test_the_temperature_of_a_black_body_is_found(kelvin: float) -> None:
    found, duv = temperature(planck_white(kelvin))
    assert abs(found / kelvin - 1) < 0.02
    assert abs(duv) < 1e-3


def test_green_lies_above_the_line_of_black_bodies_and_magenta_below() -> None:
    assert temperature(np.array([0.8, 1.0, 0.8]))[1] > 0.01
    assert temperature(np.array([1.0, 0.7, 1.0]))[1] < -0.01


@settings(max_examples=40)
@given(chroma, chroma, st.floats(0.1, 2.0), st.sampled_from(sorted(CONES)))
def test_white_becomes_white_and_the_way_back_is_the_way_back(r: float, b: float, level: float, cones: str) -> None:
    white = white_of(np.array([r, b]), level=level)
    assert np.isclose(luminance(white), level)
    np.testing.assert_allclose(log_chroma(white), [r, b], atol=1e-9)
    np.testing.assert_allclose(to_d65(white, white=white, cones=cones), 1.0, atol=2e-3)
    # Carried over from D65 to that white and back: the white of D65 seen from there is the inverse of the first.
    there = to_d65(np.array(SKIN), white=to_d65(np.ones(3), white=white, cones=cones), cones=cones)
    np.testing.assert_allclose(to_d65(there, white=white, cones=cones), SKIN, atol=1e-6)


@settings(max_examples=4)
@given(gain, gain, gain)
def test_the_estimate_follows_the_light(r: float, g: float, b: float) -> None:
    plain, other = light_of(photo()), light_of(photo(light=(0.9 * r, 0.9 * g, 0.9 * b)))
    moved = log_chroma(other.white) - log_chroma(plain.white)
    np.testing.assert_allclose(moved, [np.log(r / g), np.log(b / g)], atol=0.04)


def test_white_cloth_and_eyes_tell_a_neutral_light() -> None:
    found = light_of(photo())
    assert {c.name for c in found.clues if c.used} == {"eyes", "cloth", "skin"}
    assert angle(found.white, np.ones(3)) < 4.0
    assert abs(np.log(found.level / 0.9)) < 0.35


def test_the_more_is_seen_the_surer_it_is() -> None:
    bare = light_of(photo(Scene(shirt=None)))
    shirt = light_of(photo())
    card = light_of(photo(Scene(card=0.18)), card=True)
    assert bare.angle_sd > shirt.angle_sd > card.angle_sd
    assert bare.level_sd > shirt.level_sd > card.level_sd
    assert bare.confidence < shirt.confidence < card.confidence <= 1
    assert any("guessed" in n for n in bare.notices)


@pytest.mark.parametrize("kelvin", [2700.0, 4000.0, 9000.0])
def test_a_card_undoes_lamps(kelvin: float) -> None:
    gains = planck_white(kelvin) / planck_white(6504.0)
    rgb = photo(Scene(card=0.18), light=tuple(0.9 * gains / gains.max()))
    card = read_card(rgb, CARD, reflectance=0.18)
    assert angle(read_light(closeup(rgb, seen()), card=card).white, gains) < 1.5
    before = lab_of(read(closeup(rgb, seen()), "cheek_left").colour)
    after = skin_colour(rgb, seen(), card=card).lab
    truth = lab_of(np.array(SKIN))
    assert np.hypot(*(after - truth)[1:]) < 0.6 * np.hypot(*(before - truth)[1:])


def test_a_card_that_is_not_grey_is_doubted() -> None:
    rgb = photo(Scene(card=0.18)).copy()
    rgb[4:50, 4:50] = (92, 110, 145)
    found = read_light(closeup(rgb, seen()), card=read_card(rgb, CARD))
    assert any("disagrees" in n for n in found.notices)
    assert not any("disagrees" in n for n in light_of(photo(Scene(card=0.18)), card=True).notices)


def test_draws_spread_as_they_say(rng: np.random.Generator) -> None:
    found = light_of(photo())
    drawn = found.draw(rng, 4000)
    np.testing.assert_allclose(np.cov(log_chroma(drawn).T), found.cov, atol=0.15 * np.trace(found.cov))
    assert np.isclose(np.log(luminance(drawn)).std(), found.level_sd, rtol=0.1)


def test_eyes_that_disagree_are_believed_less() -> None:
    rgb = photo(Scene(shirt=None)).copy()
    other = rgb.copy()
    patch = eye_white(closeup(rgb, seen()), "left")
    assert patch is not None
    x = slice(int(seen().mesh[362, 0]) - 4, int(seen().mesh[263, 0]) + 4)
    y = slice(int(seen().mesh[473, 1]) - 12, int(seen().mesh[473, 1]) + 12)
    other[y, x, 2] = (other[y, x, 2] * 0.6).astype(np.uint8)
    agree, apart = (next(c for c in light_of(p).clues if c.name == "eyes") for p in (rgb, other))
    assert np.trace(apart.cov) > np.trace(agree.cov)


def test_closed_eyes_are_no_clue() -> None:
    mesh = seen().mesh.copy()
    for upper, lower in ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373)):
        mesh[upper] = mesh[lower]
    face = type(seen()).of_mesh(mesh, seen().hw)
    assert eye_white(closeup(photo(), face), "left") is None


def _refusable(name: str, rng: np.random.Generator) -> AnyArray:
    if name == "dark":
        return relit(photo(), np.ones(3), stops=-7.0, rng=rng)
    if name == "overexposed":
        return photo(light=(4.0, 4.0, 4.0))
    if name == "mixed_light":
        return relit(photo(), halves(seen(), planck_white(2700.0), left=planck_white(6500.0)), rng=rng)
    return relit(photo(), np.array([0.3, 1.0, 0.35]), rng=rng)


@pytest.mark.parametrize("code", ["dark", "overexposed", "mixed_light", "coloured_light"])
def test_bad_light_is_refused_and_what_to_do_is_said(code: str, rng: np.random.Generator) -> None:
    with pytest.raises(InputError) as caught:
        skin_colour(_refusable(code, rng), seen())
    assert caught.value.code == code
    assert caught.value.hint


def test_the_darker_the_photo_the_less_is_known_and_it_is_told() -> None:
    truth = skin_colour(photo(), seen()).lab
    radius = []
    for stops in (0.0, -1.0, -2.0, -2.5):
        known = skin_colour(photo(light=(0.9 * 2**stops,) * 3), seen())
        radius.append(known.radius)
        assert float(delta_e_2000(known.lab, truth)) < max(known.radius, 1.0)
        assert any("cannot be relied on" in notice for notice in known.notices) == (stops < 0.0)
    assert radius == sorted(radius)
    assert radius[-1] > radius[0] + 6.0
    with pytest.raises(InputError) as caught:
        skin_colour(photo(light=(0.9 * 2**-4.0,) * 3), seen())
    assert caught.value.code == "dark"


@pytest.mark.parametrize("tone", [2, 10])
def test_gloss_on_dark_skin_is_told_and_widens_what_it_may_be(tone: int) -> None:
    known = []
    for gloss in (0.0, 6.0):
        scene = photograph(tone, replace(LIGHTS[0], gloss=gloss), seed=tone)
        known.append(skin_colour(scene.rgb, FaceView.of_mesh(scene.mesh, scene.rgb.shape[:2])))
    shines = [any("shines" in notice for notice in one.notices) for one in known]
    assert shines == [False, tone == 10]
    spreads = [float(one.skin.cov[0, 0]) for one in known]
    if tone == 10:
        assert spreads[1] > 2.0 * spreads[0]


def test_a_card_measures_a_dark_photo() -> None:
    rgb = photo(Scene(card=0.18), light=(0.12, 0.12, 0.12))
    known = skin_colour(rgb, seen(), card=read_card(rgb, CARD, reflectance=0.18))
    assert not any("cannot be relied on" in notice for notice in known.notices)
    assert known.light.level == pytest.approx(0.12, rel=0.15)


def test_a_covered_face_is_refused() -> None:
    rgb = photo().copy()
    face = seen()
    hidden = face.parts.copy()
    hidden[6], hidden[1] = hidden[1], 0.0
    masked = type(face)(face.mesh, 1.0, hidden, face.to_parts, face.hw)
    with pytest.raises(InputError) as caught:
        skin_colour(rgb, masked)
    assert caught.value.code == "covered"


def test_a_large_photo_gives_the_same_skin() -> None:
    rgb = photo()
    big = np.repeat(np.repeat(rgb, 4, axis=0), 4, axis=1)
    mesh = np.column_stack([(seen().mesh[:, :2] + 0.5) * 4 - 0.5, seen().mesh[:, 2] * 4]).astype(np.float32)
    large = skin_colour(big, type(seen()).of_mesh(mesh, (1200, 1200)))
    np.testing.assert_allclose(large.lab, skin_colour(rgb, seen()).lab, atol=2.5)
