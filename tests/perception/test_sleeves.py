"""Sleeves and trouser legs that the parse map took for skin."""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import U8
from mojing.perception.labels import L
from mojing.perception.sleeves import clothe_limbs

SKIN, SHIRT = (205, 160, 135), (40, 120, 90)


def figure(sleeve: tuple[int, int, int], *, from_row: int = 40) -> tuple[U8, U8]:
    """A face, a shirt and a left arm whose pixels from `from_row` on have the sleeve's colour."""
    labels = np.zeros((120, 90), np.uint8)
    rgb = np.full((120, 90, 3), 250, np.uint8)
    for name, rows, cols, colour in (
        ("face", slice(5, 25), slice(35, 55), SKIN),
        ("upper", slice(30, 90), slice(25, 65), SHIRT),
        ("left_arm", slice(30, 100), slice(66, 80), SKIN),
    ):
        labels[rows, cols] = L[name]
        rgb[rows, cols] = colour
    rgb[from_row:100, 66:80] = sleeve
    return labels, rgb


def test_an_arm_of_the_shirts_colour_is_a_sleeve() -> None:
    labels, rgb = figure(SHIRT, from_row=30)
    out = clothe_limbs(labels, rgb)
    assert (out[30:100, 66:80] == L["upper"]).mean() > 0.95
    assert np.array_equal(out[:, :66], labels[:, :66])


def test_a_bare_arm_stays_bare_and_a_short_sleeve_is_short() -> None:
    labels, rgb = figure(SKIN)
    assert np.array_equal(clothe_limbs(labels, rgb), labels)
    labels, rgb = figure(SKIN)
    rgb[30:55, 66:80] = SHIRT
    out = clothe_limbs(labels, rgb)
    assert (out[32:52, 66:80] == L["upper"]).mean() > 0.9
    assert (out[60:, 66:80] == labels[60:, 66:80]).all()


def test_without_a_face_nothing_is_changed() -> None:
    labels, rgb = figure(SHIRT)
    labels[labels == L["face"]] = 0
    assert np.array_equal(clothe_limbs(labels, rgb), labels)


def test_shading_along_an_edge_is_no_sleeve() -> None:
    labels, rgb = figure(SKIN)
    rgb[30:100, 66:67] = SHIRT
    assert np.array_equal(clothe_limbs(labels, rgb), labels)
