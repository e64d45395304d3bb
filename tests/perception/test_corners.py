"""Side points of outlines: corners, not rows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mojing.core.skeleton import A, J
from mojing.perception.corners import legs_of, pair_of_corners, side_points, without_strings
from mojing.perception.worn import worn_anchors
from tests.perception.test_outline import JEANS, LONG, polygon

UPRIGHT = (np.array([200.0, 200.0]), np.array([0.0, 1.0]))
SLANTED = polygon([(130, 40), (270, 20), (300, 400), (225, 400), (200, 150), (175, 340), (95, 340)])
"""Trousers (420, 400) whose waistband slants and whose wearer's right leg is the shorter one."""


def near(point: np.ndarray, x: float, y: float) -> bool:
    """Whether a point lies within 6 px of another."""
    return bool(np.hypot(point[0] - x, point[1] - y) < 6)


def wearer(hips: float = 60, *, crossed: bool = False) -> np.ndarray:
    """Joints (21, 3) of somebody who stands in SLANTED, in px."""
    out = np.zeros((21, 3), np.float32)
    out[:, 2] = 1
    for side, sign in (("left", 1), ("right", -1)):
        swap = -1 if crossed else 1
        places = {"shoulder": (45, -140), "elbow": (70, -60), "wrist": (80, 10), "hip": (30, hips), "knee": (40, 220)}
        for name, (x, y) in (places | {"ankle": (swap * 60, 345), "hand": (85, 30)}).items():
            out[J[f"{side}_{name}"], :2] = 200 + sign * x, y
    return out


def test_slanted_waists_and_uneven_legs_have_corners_of_their_own() -> None:
    found = side_points(SLANTED, "trousers", axis=UPRIGHT)
    assert near(found["left_waist"], 270, 20)
    assert near(found["right_waist"], 130, 40)
    assert near(found["left_hem"], 300, 400)
    assert near(found["right_hem"], 95, 340)
    assert set(side_points(JEANS, "skirt", axis=UPRIGHT)) == set(found)
    assert set(side_points(JEANS, "dress", axis=UPRIGHT)) == {"left_hem", "right_hem"}


def test_cuffs_are_no_hems() -> None:
    assert side_points(LONG, "top", axis=UPRIGHT) == {}
    assert side_points(np.zeros((40, 40), np.uint8), "skirt", axis=UPRIGHT) == {}


def test_corners_turn_with_the_garment() -> None:
    for degrees in (-12, 9):
        turn = cv2.getRotationMatrix2D((200, 210), degrees, 1.0)
        turned = cv2.warpAffine(JEANS, turn, (400, 420))
        axis = turn[:, :2] @ np.array([0.0, 1.0])
        found = side_points(turned, "trousers", axis=(turn @ [200, 200, 1], axis))
        for name, place in (("left_hem", (300, 400)), ("right_waist", (130, 20))):
            assert near(found[name], *(turn @ [*place, 1]))


def test_strings_have_no_corners() -> None:
    mask = JEANS > 0
    mask[10:60, 300:303] = True
    mask[20:23, 260:303] = True
    left, _ = pair_of_corners(without_strings(mask), ahead=np.array([0.0, -1.0]))
    assert near(left, 270, 20)
    thin = np.zeros((50, 50), bool)
    thin[20] = True
    assert (without_strings(thin) == thin).all()


def test_worn_trousers_end_leg_by_leg() -> None:
    anchors, _ = worn_anchors(SLANTED > 0, wearer(), "trousers")
    assert near(anchors[A["left_hem"]], 300, 400)
    assert near(anchors[A["right_hem"]], 95, 340)
    assert near(anchors[A["left_waist"]], 270, 20)
    assert anchors[A["left_hip"], 2] > 0


@pytest.mark.parametrize(("hips", "seen"), [(-30, False), (10, True)])
def test_hips_above_the_cloth_are_not_shown(hips: float, seen: bool) -> None:
    anchors, _ = worn_anchors(SLANTED > 0, wearer(hips), "trousers", shown=True)
    assert bool(anchors[A["left_hip"], 2] > 0) is seen
    assert worn_anchors(SLANTED > 0, wearer(0), "trousers")[0][A["left_hip"], 2] > 0, "enough to lay it on somebody"


def test_a_leg_that_is_hidden_ends_nowhere() -> None:
    one = SLANTED.copy()
    one[100:, :200] = 0
    legs = legs_of(one > 0, wearer())
    assert set(legs) == {"left"}
    anchors, _ = worn_anchors(one > 0, wearer(), "trousers")
    assert anchors[A["right_hem"], 2] == 0
    assert anchors[A["left_hem"], 2] > 0


def test_crossed_legs_end_on_their_own_side() -> None:
    anchors, _ = worn_anchors(SLANTED > 0, wearer(crossed=True), "trousers")
    assert anchors[A["left_hem"], 0] < anchors[A["right_hem"], 0]


def test_an_open_coat_beneath_arms_still_has_a_hem() -> None:
    joints = wearer(160)
    for side, sign in (("left", 1), ("right", -1)):
        joints[J[f"{side}_shoulder"], :2] = 200 + sign * 60, 40
        for name, (x, y) in {"elbow": (40, 110), "wrist": (35, 180), "hand": (35, 260)}.items():
            joints[J[f"{side}_{name}"], :2] = 200 + sign * x, y
    coat = np.zeros((420, 400), bool)
    coat[40:260, 132:150] = coat[40:260, 250:268] = True
    anchors, _ = worn_anchors(coat, joints, "outer")
    assert anchors[[A[n] for n in ("left_hem", "right_hem", "left_waist", "right_waist")], 2].min() > 0
