"""The report on a skin: known changes of a drawn face show in the right figure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.color import rgb_to_lab
from mojing.makeup.report import (
    MONK,
    NOT_MEDICAL,
    SkinReport,
    blood_of,
    gloss_of,
    ita_class,
    monk_lab,
    monk_of,
    skin_json,
    skin_report,
)
from mojing.perception.faceview import FaceView
from tests.makeup.studio import SKIN, Scene, photo, seen


@pytest.fixture(scope="module")
def plain() -> SkinReport:
    """The report on an even face."""
    return skin_report(photo(), seen())


def test_every_figure_says_how_where_and_how_sure(plain: SkinReport) -> None:
    told = json.loads(json.dumps(plain.to_json()))
    assert told["note"] == NOT_MEDICAL
    assert set(told["measures"]) >= {
        "ita",
        "hue",
        "monk",
        "unevenness",
        "redness",
        "flush",
        "shine",
        "circles_lightness",
        "circles_yellow",
    }
    for name, measure in told["measures"].items():
        assert measure["how"], name
        assert measure["unit"], name
        assert 0 <= measure["confidence"] <= 1, name
        assert measure["places"], name
        assert (measure["value"] is None) == ("not_measured" in measure), name


def test_an_even_face_has_neither_flush_shine_nor_circles(plain: SkinReport) -> None:
    for name, most in (("flush", 0.05), ("shine", 5.0), ("circles_lightness", 2.0), ("unevenness", 2.0)):
        value = plain[name].value
        assert value is not None
        assert abs(value) < most, name


@pytest.mark.parametrize(
    ("scene", "name", "sign"),
    [
        (Scene(blush=0.8), "flush", 1),
        (Scene(circles=0.75), "circles_lightness", -1),
        (Scene(gloss=0.2), "shine", 1),
        (Scene(skin=(0.2, 0.12, 0.08)), "ita", -1),
        (Scene(skin=(0.2, 0.12, 0.08)), "monk", 1),
        (Scene(skin=(0.42, 0.22, 0.155)), "redness", 1),
    ],
)
def test_a_known_change_shows(plain: SkinReport, scene: Scene, name: str, sign: int) -> None:
    now, before = skin_report(photo(scene), seen())[name].value, plain[name].value
    assert now is not None
    assert before is not None
    assert sign * (now - before) > 0.05


def test_glasses_over_the_eyes_leave_the_circles_unmeasured() -> None:
    face = seen()
    parts = face.parts.copy()
    rows = slice(36, 56)
    parts[4, rows], parts[1, rows] = 1.0, 0.0
    report = skin_report(photo(), FaceView(face.mesh, 1.0, parts, face.to_parts, face.hw))
    assert report["circles_lightness"].value is None
    assert "glasses" in report["circles_lightness"].why


def test_bad_light_is_told_instead_of_a_report() -> None:
    told = skin_json((photo() * 0.03).astype(np.uint8), seen())
    assert told["refused"]["code"] == "dark"
    assert told["refused"]["hint"]


def test_the_overlay_shows_the_face(plain: SkinReport) -> None:
    shown = plain.overlay(photo())
    assert shown.dtype == np.uint8
    assert min(shown.shape[:2]) > 200
    assert (shown == (60, 220, 90)).all(axis=2).any(), "places that were used are drawn green"


def test_each_monk_swatch_is_its_own_nearest() -> None:
    assert list(monk_of(monk_lab())) == list(range(1, 11))
    rgb = np.array([[int(MONK[9][i : i + 2], 16) for i in (1, 3, 5)]], np.uint8)
    np.testing.assert_allclose(monk_lab()[9], rgb_to_lab(rgb)[0])


@pytest.mark.parametrize(
    ("degrees", "name"), [(70, "very light"), (55, "light"), (30, "intermediate"), (0, "brown"), (-70, "dark")]
)
def test_classes_of_the_typology_angle(degrees: float, name: str) -> None:
    assert ita_class(degrees) == name


@given(st.floats(0.2, 1.0), st.floats(0.7, 0.99))
def test_blood_ignores_shading_and_grows_with_redness(shade: float, less: float) -> None:
    skin = np.array(SKIN)
    assert blood_of(skin * shade) == pytest.approx(float(blood_of(skin)), abs=1e-9)
    assert blood_of(skin * [1.0, less, less]) > blood_of(skin)


@given(st.floats(0.3, 1.1), st.floats(0.0, 0.4))
def test_gloss_is_told_from_shading(shade: float, gloss: float) -> None:
    seen_ = np.array(SKIN) * shade + gloss
    assert gloss_of(seen_[None], skin=np.array(SKIN))[0] == pytest.approx(gloss, abs=1e-9)
