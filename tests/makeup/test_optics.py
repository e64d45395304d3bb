"""A film of product: bare at no thickness, the swatch at endless, and never brighter than light allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.color import linear_to_srgb, rgb_to_lab
from mojing.makeup.optics import contrast, film, mixture, swatch, thickness_for, transmission_for
from mojing.makeup.pigment import USUAL_BLOOD, skin_albedo

share = st.floats(0.0, 1.0)
colour = st.tuples(share, share, share).map(np.array)


@given(colour, colour, st.floats(0.0, 50.0))
def test_film_stays_between_black_and_white(skin: np.ndarray, product: np.ndarray, thickness: float) -> None:
    out = film(skin, product, thickness=thickness)
    assert out.dtype == np.float32
    assert (out >= 0).all()
    assert (out <= 1).all()


@given(colour, colour)
def test_no_film_is_skin_and_endless_film_is_the_swatch(skin: np.ndarray, product: np.ndarray) -> None:
    assert np.allclose(film(skin, product, thickness=0.0), skin, atol=1e-6)
    assert np.allclose(film(skin, product, thickness=np.inf), swatch(product), atol=1e-6)


@given(colour, colour, st.floats(0.0, 5.0), st.floats(0.01, 5.0))
def test_more_product_comes_nearer_to_the_swatch(
    skin: np.ndarray, product: np.ndarray, thin: float, more: float
) -> None:
    goal = swatch(product)
    before = np.abs(film(skin, product, thickness=thin) - goal)
    after = np.abs(film(skin, product, thickness=thin + more) - goal)
    assert (after <= before + 1e-6).all()


@given(st.floats(0.02, 0.9), st.floats(0.0, 1.0), st.floats(0.01, 4.0))
def test_film_is_kubelka_s_hyperbolic_solution(product: float, skin: float, thickness: float) -> None:
    a = (1.0 / product + product) / 2.0
    b = np.sqrt(a * a - 1.0)
    c = b / np.tanh(b * thickness)
    want = (1.0 - skin * (a - c)) / (a - skin + c)
    assert film(np.full(3, skin), np.full(3, product), thickness=thickness) == pytest.approx(want, abs=1e-5)


@given(colour, colour, st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_two_coats_are_one_of_their_thickness(skin: np.ndarray, product: np.ndarray, one: float, two: float) -> None:
    twice = film(film(skin, product, thickness=one), product, thickness=two)
    assert np.allclose(twice, film(skin, product, thickness=one + two), atol=1e-5)


@given(colour, share)
def test_coverage_is_what_an_opacity_chart_shows(product: np.ndarray, coverage: float) -> None:
    thickness = thickness_for(product, coverage)
    white, black = (film(np.full(3, v), product, thickness=thickness) for v in (1.0, 0.0))
    assert np.allclose(white - black, 1.0 - coverage, atol=2e-5)


@given(colour, share)
def test_sheer_product_hides_the_luminance_and_spares_its_own_colour(product: np.ndarray, coverage: float) -> None:
    t = transmission_for(product, coverage, sheer=True)
    left = contrast(swatch(product), t)
    assert float(left @ np.array([0.2126, 0.7152, 0.0722])) == pytest.approx(1.0 - coverage, abs=1e-4)
    order = np.argsort(swatch(product))
    assert (np.diff(t[order]) >= -1e-9).all()


@given(colour, colour, share)
def test_mixture_lies_between_its_parts(a: np.ndarray, b: np.ndarray, part: float) -> None:
    both = np.stack([swatch(a), swatch(b)])
    out = mixture(both, np.array([part, 1.0 - part]))
    assert (out >= both.min(axis=0) - 1e-9).all()
    assert (out <= both.max(axis=0) + 1e-9).all()


def test_thickness_may_differ_in_every_pixel() -> None:
    skin = np.full((4, 5, 3), 0.4)
    product = np.array([0.5, 0.1, 0.1])
    coverage = np.linspace(0.0, 1.0, 20).reshape(4, 5)
    whole = film(skin, product, thickness=thickness_for(product, coverage))
    one = film(skin[2, 3], product, thickness=thickness_for(product, coverage[2, 3]))
    assert whole.shape == (4, 5, 3)
    assert np.allclose(whole[2, 3], one)
    assert film(skin, product, thickness=np.full((4, 5), 0.3)).shape == (4, 5, 3)


@given(st.floats(0.0, 0.95), share)
def test_skin_darkens_with_melanin_and_reddens_with_blood(melanin: float, blood: float) -> None:
    here, darker = skin_albedo(np.array([melanin, melanin + 0.05]), np.full(2, blood))
    assert (darker < here).all()
    assert (here > 0).all()
    assert (here < 1).all()
    pale, red = rgb_to_lab(linear_to_srgb(skin_albedo(np.full(2, melanin), np.array([0.2, 0.7]))))
    assert red[1] > pale[1]
    assert red[0] < pale[0]


def test_skin_meets_measured_tones() -> None:
    tones = rgb_to_lab(linear_to_srgb(skin_albedo(np.linspace(0, 1, 200), np.full(200, USUAL_BLOOD))))
    for want in ((65.5, 9.5, 15.5), (57.0, 11.5, 20.0), (45.0, 12.5, 20.0), (34.0, 11.0, 14.0)):
        assert np.abs(tones - np.array(want)).max(axis=1).min() < 1.0
