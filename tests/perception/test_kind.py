"""What the outline says against the network."""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.skeleton import GARMENT_ANCHORS, A
from mojing.perception.kind import fit_legs, leg_gap, level_pairs, settle, true_lining


def skirt() -> U8:
    out = np.zeros((200, 160), np.uint8)
    out[40:150, 40:120] = 255
    return out


def trousers(length: int) -> U8:
    """Waist 80 px wide, the crotch 60 px below it."""
    out = np.zeros((320, 160), np.uint8)
    out[20 : 20 + length, 40:120] = 255
    out[80 : 20 + length, 74:86] = 0
    return out


def anchors(length: int) -> F32:
    out = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    for name, x, y in (("waist", 40, 20), ("hip", 25, 50), ("knee", 22, 110), ("ankle", 22, 20 + length)):
        out[A[f"left_{name}"]], out[A[f"right_{name}"]] = (80 + x, y, 0.8), (80 - x, y, 0.8)
    return out


def test_two_legs_are_no_skirt() -> None:
    nothing = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    assert leg_gap(skirt()) < 0.03
    assert leg_gap(trousers(200)) > 0.5
    assert settle("skirt", nothing, trousers(100)) == "trousers"
    assert settle("skirt", nothing, skirt()) == "skirt"
    assert settle("dress", nothing, trousers(100)) == "dress"


def test_what_has_shoulders_and_a_neck_is_no_skirt() -> None:
    seen = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    seen[[A["neck"], A["left_shoulder"], A["right_shoulder"]], 2] = (0.4, 0.6, 0.5)
    assert settle("skirt", seen, skirt()) == "top"


def test_shorts_reach_neither_knee_nor_ankle() -> None:
    short, cropped, full = (fit_legs(anchors(n), trousers(n)) for n in (100, 150, 200))
    for name, there in (("knee", (False, True, True)), ("ankle", (False, False, True)), ("hip", (True, True, True))):
        row = A[f"left_{name}"]
        assert tuple(bool(a[row, 2] > 0) for a in (short, cropped, full)) == there, name


def test_a_spot_in_a_print_is_no_lining() -> None:
    outline, inner = skirt(), np.zeros((200, 160), np.uint8)
    inner[42:52, 65:95] = 200
    inner[100:110, 70:85] = 200
    kept = true_lining(inner, outline, category="top")
    assert kept[45, 80] == 200
    assert not kept[60:].any()
    assert true_lining(inner, outline, category="outer")[105, 75] == 200


def hoodie() -> U8:
    out = np.zeros((240, 200), np.uint8)
    out[20:70, 80:121] = 255
    out[60:200, 50:151] = 255
    return out


def test_uneven_anchors_of_an_even_garment_are_levelled() -> None:
    seen = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    seen[A["left_hem"]], seen[A["right_hem"]] = (150, 190, 0.25), (52, 198, 0.25)
    seen[A["left_shoulder"]], seen[A["right_shoulder"]] = (140, 66, 0.2), (62, 70, 0.2)
    seen[A["neck"]] = (108, 60, 0.5)
    out = level_pairs(seen, hoodie(), category="top")
    for name in ("hem", "shoulder"):
        left, right = out[A[f"left_{name}"]], out[A[f"right_{name}"]]
        assert abs(left[1] - right[1]) < 1.5
        assert abs((left[0] + right[0]) / 2 - 100) < 1.5
    assert abs(out[A["neck"], 0] - 100) < 1.5
    assert (out[:, 2] == seen[:, 2]).all()


def test_pairs_that_are_clearly_seen_stay() -> None:
    seen = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    seen[A["left_hem"]], seen[A["right_hem"]] = (150, 190, 0.9), (52, 198, 0.9)
    out = level_pairs(seen, hoodie(), category="top")
    assert np.array_equal(out[[A["left_hem"], A["right_hem"]]], seen[[A["left_hem"], A["right_hem"]]])


def test_shoulders_on_a_hood_are_put_on_the_shoulders() -> None:
    seen = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    seen[A["left_hem"]], seen[A["right_hem"]] = (150, 198, 0.9), (50, 198, 0.9)
    seen[A["left_shoulder"]], seen[A["right_shoulder"]] = (112, 30, 0.6), (88, 30, 0.6)
    seen[A["left_elbow"]], seen[A["right_elbow"]] = (150, 120, 0.6), (50, 120, 0.6)
    out = level_pairs(seen, hoodie(), category="outer")
    assert out[A["left_shoulder"], 0] > 135
    assert 55 < out[A["left_shoulder"], 1] < 75


def test_an_uneven_garment_is_left_alone() -> None:
    outline = np.zeros((200, 200), np.uint8)
    outline[20:180, 20:60] = 255
    outline[140:180, 20:180] = 255
    seen = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    seen[A["left_hem"]], seen[A["right_hem"]] = (170, 170, 0.9), (30, 150, 0.9)
    assert np.array_equal(level_pairs(seen, outline, category="top"), seen)


def test_of_hips_that_contradict_each_other_the_lower_one_counts() -> None:
    outline = np.zeros((320, 240), np.uint8)
    outline[40:300, 60:180] = 255
    seen = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    seen[A["left_hip"]], seen[A["right_hip"]] = (170, 90, 0.45), (70, 280, 0.4)
    for category, level in (("top", 280), ("skirt", 90)):
        out = level_pairs(seen, outline, category=category)
        np.testing.assert_allclose(out[[A["left_hip"], A["right_hip"]], 1], level, atol=2)
