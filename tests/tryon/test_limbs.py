"""Bare limbs and long sleeves: where they lie, what is painted on them, and what lies beside them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F64, U8, AnyArray
from mojing.core.skeleton import J
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.tryon.agnostic import edit_region
from mojing.tryon.cuffs import LONG, course
from mojing.tryon.drape import drape
from mojing.tryon.limbs import Limb, layout, paint
from mojing.tryon.uncover import background, tones, uncover
from tests.tryon.wardrobe import BENT, HW, body, garment, lying

SKIN = np.array([170, 120, 100], np.uint8)
WALL = np.array([60, 120, 180], np.uint8)
OLD = np.array([20, 160, 20], np.uint8)


def limb(points: F64, *, start: float = 0.0, inward: float = 1.0) -> Limb:
    return Limb("arm", points, start, inward, 100.0)


ARM = np.array([[60.0, 20.0], [64.0, 78.0], [60.0, 126.0]])


@given(st.floats(-3.1, 3.1), st.floats(30, 200), st.floats(30, 200), st.floats(0.0, 1.9))
@settings(max_examples=40, deadline=None)
def test_a_limb_turned_and_moved_lies_where_its_joints_do(angle: float, x: float, y: float, start: float) -> None:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 150, (200, 2))
    near, side = limb(ARM, start=start).place(points)
    moved, other = limb(ARM @ turn.T + [x, y], start=start).place(points @ turn.T + [x, y])
    clear = np.abs(near - moved) < 1e-3
    assert clear.mean() > 0.97, "only where a place is as near to two ends may rounding decide"
    assert np.allclose(side[clear & (near < 5)], other[clear & (near < 5)], atol=1e-2)


def test_a_limb_begins_where_the_sleeve_ends_and_is_darker_towards_the_body() -> None:
    area = layout((limb(ARM, start=1.0),), (160, 140))
    assert area[100, 62] == 255
    assert area[50, 62] == 0
    assert layout((limb(ARM),), (160, 140))[50, 62] == 255
    skin = paint((limb(ARM),), {"arm": np.array([60.0, 12.0, 16.0])}, rect=(0, 0, 140, 160))
    row = skin.rgb[60].astype(int).sum(axis=1)
    assert row[57] < row[62] - 5, "the body lies to the left of a left arm"
    assert skin.alpha[60, 62] == 1
    assert skin.alpha[60, 100] == 0


def test_only_what_hangs_down_has_an_outer_side() -> None:
    hips = np.array([20.0, 110.0])
    hanging = limb(ARM).beyond(hips)
    assert len(hanging) == 2
    assert all((corners[2:, 0] > corners[:2, 0].max()).all() for corners in hanging)
    assert max(corners[:, 1].max() for corners in hanging) < 120
    raised = np.array([[60.0, 90.0], [110.0, 60.0], [120.0, 20.0]])
    assert limb(raised).beyond(hips) == []


def photo(person: BodyView) -> U8:
    rgb = np.empty((*person.hw, 3), np.uint8)
    rgb[:] = WALL
    rgb[person.parse > 0] = SKIN
    rgb[np.isin(person.parse, [L["upper"], L["outer"], L["dress"]])] = OLD
    return rgb


def clad(person: BodyView) -> BodyView:
    """The person with arms in the top's sleeves; hands stay."""
    parse = np.array(person.parse)
    arms = np.isin(parse, [L["left_arm"], L["right_arm"]])
    for side in ("left", "right"):
        x, y = person.joints[J[f"{side}_hand"], :2]
        cv2.circle(hands := np.zeros(person.hw, np.uint8), (round(float(x)), round(float(y))), 14, 1, -1)
        arms &= hands == 0
    parse[arms] = L["upper"]
    return BodyView(person.hw, person.joints, parse, person.alpha, person.box)


@pytest.mark.parametrize("pose", [None, BENT])
def test_what_a_sleeve_covered_becomes_skin_of_the_persons_tone(pose: dict[str, tuple[float, float]] | None) -> None:
    person = clad(body(pose) if pose else body())
    rgb = photo(person)
    edit = edit_region(person, drape(lying(garment("top", sleeve="none")), person), "top")
    tone = tones(rgb, person.parse, edit.mask, skin=SKIN.astype(np.float32) / 127.5 - 1)
    rect = cv2.boundingRect(edit.mask)
    x, y, w, h = rect
    painted, bare = np.full((h, w, 3), OLD, np.uint8), np.ones((h, w), np.float32)
    out = uncover(painted, rgb, person, edit=edit, tone=tone, rect=(x, y, w, h), seen=bare, upper=True)
    ex, ey = (person.joints[J["right_shoulder"], :2] + person.joints[J["right_elbow"], :2]) / 2
    found = out[round(float(ey)) - y, round(float(ex)) - x]
    share = found / found.sum()
    assert np.abs(share - SKIN / SKIN.sum()).sum() < 0.1
    none = edit_region(person, drape(garment("top", sleeve="long"), person), "top")
    same = uncover(painted, rgb, person, edit=none, tone=tone, rect=(x, y, w, h), seen=bare, upper=True)
    middle = same[round(float(ey)) - y, round(float(ex)) - x]
    assert np.allclose(middle, OLD) or np.allclose(middle, WALL, atol=30), "no skin where cloth will be"


def test_beside_a_bare_arm_comes_the_background_and_not_what_the_network_made_up() -> None:
    person = clad(body())
    parse, alpha = np.array(person.parse), np.array(person.alpha)
    shoulder, elbow = (person.joints[J[f"left_{n}"], :2] for n in ("shoulder", "elbow"))
    wide = np.zeros(person.hw, np.uint8)
    cv2.line(wide, tuple(np.rint(shoulder).astype(int)), tuple(np.rint(elbow).astype(int)), 1, 60)
    parse[(wide > 0) & (parse == 0)], alpha[wide > 0] = L["upper"], 255
    person = BodyView(person.hw, person.joints, parse, alpha, person.box)
    rgb = photo(person)
    edit = edit_region(person, drape(lying(garment("top", sleeve="none")), person), "top")
    x, y, w, h = cv2.boundingRect(edit.mask)
    tone = tones(rgb, parse, edit.mask, skin=SKIN.astype(np.float32) / 127.5 - 1)
    painted, bare = np.full((h, w, 3), OLD, np.uint8), np.ones((h, w), np.float32)
    out = uncover(painted, rgb, person, edit=edit, tone=tone, rect=(x, y, w, h), seen=bare, upper=True)
    at = (shoulder + elbow) / 2 + [22, 0]
    assert np.abs(out[round(float(at[1])) - y, round(float(at[0])) - x].astype(int) - WALL).max() < 30


def sleeve(angle: float, length: float, *, width: float = 0.16) -> tuple[AnyArray, F64, F64]:
    """A trunk 1 T wide with a straight sleeve from the shoulder joint, 0.32 T from the middle."""
    v, u = np.linspace(-0.35, 1.9, 91), np.linspace(-0.3, 1.5, 91)
    gu, gv = np.meshgrid(u, v)
    rows = (gu < 0.18) & (gv > -0.05) & (gv < 1.2)
    along = gu * np.sin(angle) + gv * np.cos(angle)
    off = np.abs(gu * np.cos(angle) - gv * np.sin(angle))
    return rows | ((along > 0) & (along < length) & (off < width / 2)), u, v


@given(st.floats(0.5, 1.5), st.floats(0.7, 1.15))
@settings(max_examples=30, deadline=None)
def test_the_course_of_a_long_sleeve_ends_at_its_cuff(angle: float, length: float) -> None:
    rows, u, v = sleeve(angle, length)
    found = course(rows, u=u, v=v, half=0.32)
    assert found is not None
    assert found.reach == pytest.approx(length, abs=0.17)
    tip = length * np.array([np.sin(angle), np.cos(angle)])
    assert np.hypot(*(found.wrist - tip)) < 0.13
    assert np.hypot(*(found.elbow - 0.53 * tip)) < 0.13


@given(st.floats(0.5, 1.5), st.floats(0.2, 0.4))
@settings(max_examples=20, deadline=None)
def test_a_short_sleeve_is_not_taken_for_a_long_one(angle: float, length: float) -> None:
    rows, u, v = sleeve(angle, length)
    found = course(rows, u=u, v=v, half=0.32)
    assert found is None or found.reach < min(LONG.values())


def test_the_background_goes_on_behind_a_person_with_its_texture() -> None:
    """Stripes of a wall are not blurred away where somebody stood; nothing of the person's own colour is left."""
    person = body()
    stripes = np.where((np.arange(HW[1]) // 3 % 2)[None, :, None] > 0, np.uint8(150), np.uint8(90))
    rgb = np.broadcast_to(stripes, (*HW, 3)).copy()
    rgb[person.alpha > 0] = (250, 10, 10)
    x, y, w, h = cv2.boundingRect(person.alpha)
    behind = background(rgb, person, rect=(x, y, w, h))
    hidden = person.alpha[y : y + h, x : x + w] > 0
    assert behind.shape == (h, w, 3)
    seen = behind[hidden].astype(int)
    assert np.abs(seen.max(axis=1) - seen.min(axis=1)).mean() < 12  # grey, not red
    assert seen[:, 0].std() > 15  # striped, not flat
    outside = rgb[y : y + h, x : x + w][~hidden].astype(int)
    assert np.abs(behind[~hidden] - outside).mean() < 12
