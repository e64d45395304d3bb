"""What may change in a photo, and what stays, by category."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mojing.core.arrays import AnyArray
from mojing.core.skeleton import J
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.tryon.agnostic import Edit, edit_region, grow, soft_mask
from mojing.tryon.drape import drape
from tests.tryon.wardrobe import BENT, HW, body, garment, lying

CATEGORIES = ("top", "outer", "dress", "skirt", "trousers")


def edit(person: BodyView, category: str, *, sleeve: str = "long", hem: float = 1.1) -> Edit:
    view = lying(garment(category, sleeve=sleeve, hem=hem))
    return edit_region(person, drape(view, person), category)


def relabelled(person: BodyView, old: str, new: str) -> BodyView:
    parse = np.array(person.parse)
    parse[parse == L[old]] = L[new]
    return BodyView(person.hw, person.joints, parse, person.alpha, person.box)


def on(mask: AnyArray, person: BodyView, label: str) -> float:
    """Share of a label's pixels that are in the mask."""
    at = person.parse == L[label]
    return float((mask[at] > 0).mean()) if at.any() else 0.0


@pytest.mark.parametrize("category", CATEGORIES)
def test_masks_are_consistent(category: str) -> None:
    person = body(BENT)
    found = edit(person, category, hem=1.5)
    for mask in (found.mask, found.keep, found.remove, found.stay, found.bare):
        assert mask.shape == HW
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 255}
    assert not (found.mask & found.keep).any()
    assert not (found.stay & ~found.mask).any()
    assert ((found.remove > 0) <= ((found.mask > 0) | (found.keep > 0))).all()


@pytest.mark.parametrize("category", CATEGORIES)
def test_hair_face_and_bags_are_never_touched(category: str) -> None:
    person = body()
    parse = np.array(person.parse)
    parse[240:290, 150:200] = L["bag"]
    person = BodyView(HW, person.joints, parse, person.alpha, person.box)
    found = edit(person, category, hem=1.6)
    for label in ("hair", "face", "bag"):
        assert on(found.mask, person, label) == 0
        assert on(found.keep, person, label) == 1


def test_the_old_garment_goes_with_a_margin() -> None:
    person = body()
    found = edit(person, "top", sleeve="short")
    assert on(found.remove, person, "upper") == 1
    assert on(found.mask, person, "upper") > 0.95
    around = grow(np.asarray((person.parse == L["upper"]) * np.uint8(255)), 3)
    free = (around > 0) & (person.parse == L["background"])
    assert (found.mask[free] > 0).mean() > 0.95


def test_each_category_takes_off_its_own_slot() -> None:
    person = body()
    assert on(edit(person, "top").remove, person, "trousers") == 0
    assert on(edit(person, "trousers").remove, person, "trousers") == 1
    assert on(edit(person, "trousers").keep, person, "upper") == 1
    assert on(edit(person, "skirt", hem=1.6).remove, person, "trousers") == 1
    dress = edit(person, "dress", hem=1.6)
    assert on(dress.remove, person, "trousers") == on(dress.remove, person, "upper") == 1
    assert any("bare legs" in n for n in dress.notices)


def test_a_coat_goes_over_what_is_worn() -> None:
    person = body()
    found = edit(person, "outer", hem=1.2)
    trunk = (person.parse == L["upper"]) & (found.mask == 0)
    middle = np.zeros(HW, bool)
    x, y = person.joints[[J["left_shoulder"], J["right_hip"]], :2].mean(axis=0)
    middle[round(float(y)) - 3 : round(float(y)) + 3, round(float(x)) - 3 : round(float(x)) + 3] = True
    assert not (found.remove[middle] > 0).any()
    assert found.remove[trunk].max(initial=0) == 0


def test_a_dress_stays_below_a_top_and_above_a_skirt() -> None:
    person = relabelled(relabelled(body(), "upper", "dress"), "trousers", "dress")
    found = edit(person, "top")
    assert 0.1 < on(found.remove, person, "dress") < 0.9
    assert any("stays below as a skirt" in n for n in found.notices)
    rows = np.nonzero(found.remove.any(axis=1))[0]
    neck, hips = person.joints[J["left_shoulder"], 1], person.joints[J["left_hip"], 1]
    assert rows[0] < neck + 0.5 * (hips - neck)
    assert rows[-1] < hips
    found = edit(person, "skirt", hem=1.6)
    assert 0.1 < on(found.remove, person, "dress") < 0.9
    assert any("stays as a top" in n for n in found.notices)


def test_a_coat_is_taken_off_for_a_top() -> None:
    person = relabelled(body(), "upper", "outer")
    found = edit(person, "top")
    assert on(found.remove, person, "outer") == 1
    assert any("taken off" in n for n in found.notices)


def test_background_and_untouched_skin_stay() -> None:
    person = body()
    found = edit(person, "top", sleeve="short")
    background = (person.parse == L["background"]) & (found.mask > 0)
    assert (found.stay[background] > 0).mean() > 0.3
    old_or_new = grow(found.remove, 1.0) > 0
    assert not (found.stay > 0)[old_or_new].any()
    hand = person.joints[J["left_hand"], :2]
    x, y = round(float(hand[0])), round(float(hand[1]))
    assert found.mask[y, x] == 0 or found.stay[y, x] > 0


def test_bare_limbs_begin_where_the_garment_ends() -> None:
    person = body()
    x, y = (round(float(v)) for v in person.joints[[J["left_elbow"], J["left_wrist"]], :2].mean(axis=0))
    assert edit(person, "top", sleeve="short").bare[y, x] > 0
    assert edit(person, "top", sleeve="none").bare[y, x] > 0
    assert edit(person, "top", sleeve="long").bare[y, x] == 0
    x, y = (round(float(v)) for v in person.joints[[J["left_knee"], J["left_ankle"]], :2].mean(axis=0))
    assert edit(person, "skirt", hem=1.4).bare[y, x] > 0
    assert edit(person, "trousers").bare[y, x] == 0


def test_a_bare_forearm_across_the_body_stays_in_front() -> None:
    person = body(BENT)
    elbow, wrist = person.joints[J["left_elbow"], :2], person.joints[J["left_wrist"], :2]
    parse = np.array(person.parse)
    ends = [tuple(round(float(v)) for v in p) for p in (elbow, wrist)]
    cv2.line(parse, ends[0], ends[1], L["left_arm"], 20)
    person = BodyView(HW, person.joints, parse, person.alpha, person.box)
    x, y = (round(float(v)) for v in elbow + 0.7 * (wrist - elbow))
    assert edit(person, "top", sleeve="none").keep[y, x] > 0
    assert edit(person, "top", sleeve="long").keep[y, x] == 0


def test_grow_and_soft_mask() -> None:
    dot = np.zeros((21, 21), np.uint8)
    dot[10, 10] = 255
    assert grow(dot, 0.5).sum() == 255
    assert grow(dot, 3.0)[10, 13] == 255
    assert grow(dot, 3.0)[10, 14] == 0
    assert not grow(np.zeros((5, 5), np.uint8), 4.0).any()
    found = edit(body(), "top")
    soft = soft_mask(found, radius=4)
    assert soft.dtype == np.float32
    assert soft.min() >= 0
    assert soft.max() <= 1
    assert (soft[(found.mask == 0) | (found.stay > 0)] == 0).all()


def test_soft_mask_of_a_part_is_that_part_and_does_not_fade_at_the_photos_border() -> None:
    mask = np.zeros((40, 30), np.uint8)
    mask[20:, 8:22] = 255
    nothing = np.zeros_like(mask)
    cut = Edit(mask, nothing, nothing, nothing, nothing)
    whole = soft_mask(cut, radius=3)
    part = soft_mask(cut, radius=3, rect=cv2.boundingRect(mask))
    assert np.array_equal(whole[20:, 8:22], part)
    assert whole[-1, 15] == 1
    assert 0 < whole[20, 15] < 1
