"""How a garment photo is cut into parts."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.skeleton import GARMENT_ANCHORS, A
from mojing.perception.garment import GarmentView
from mojing.tryon.pattern import make_pattern
from tests.tryon.wardrobe import texture


def hanging_polo() -> GarmentView:
    """A short-sleeved top on a hanger, tapered, its sleeves close beside it, elbows seen at their ends."""
    alpha = np.zeros((320, 202), np.uint8)
    trunk = np.array([(40, 60), (165, 60), (168, 175), (150, 285), (52, 285), (34, 175)])
    cv2.fillConvexPoly(alpha, trunk, 255)
    for shoulder, elbow in (((160, 72), (182, 160)), ((45, 72), (20, 160))):
        cv2.line(alpha, shoulder, elbow, 255, 30)
    anchors = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    known = {"neck": (102, 66), "left_shoulder": (162, 72), "right_shoulder": (42, 72), "left_elbow": (184, 170),
             "right_elbow": (18, 170), "left_hem": (150, 285), "right_hem": (52, 285)}  # fmt: skip
    for name, point in known.items():
        anchors[A[name]] = (*point, 0.8)
    attributes = {"sleeve": "short", "length": "regular"}
    inner = np.zeros_like(alpha)
    return GarmentView(alpha.shape, texture(alpha.shape), alpha, inner, "top", attributes, anchors, 0.9)


def wide_tee() -> GarmentView:
    """A T-shirt that fills its photo and flares below its sleeves, elbows seen beside its waist."""
    alpha = np.zeros((320, 240), np.uint8)
    cv2.fillConvexPoly(alpha, np.array([(30, 30), (210, 30), (236, 310), (4, 310)]), 255)
    cv2.fillConvexPoly(alpha, np.array([(30, 30), (210, 30), (238, 110), (2, 110)]), 255)
    anchors = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    known = {"neck": (118, 36), "left_shoulder": (205, 36), "right_shoulder": (35, 36), "left_elbow": (210, 180),
             "right_elbow": (30, 180), "left_hem": (236, 310), "right_hem": (4, 310)}  # fmt: skip
    for name, point in known.items():
        anchors[A[name]] = (*point, 0.8)
    inner = np.zeros_like(alpha)
    return GarmentView(alpha.shape, texture(alpha.shape), alpha, inner, "top", {"sleeve": "short"}, anchors, 0.9)


def test_a_flaring_hem_is_no_sleeve() -> None:
    pattern = make_pattern(wide_tee())
    scale = pattern.masks["trunk"].shape[1] / pattern.hw[1]
    for side, x, beside in (("left", 228, 225), ("right", 12, 15)):
        low, cuff = (round(290 * scale), round(x * scale)), (round(100 * scale), round(beside * scale))
        assert pattern.masks["trunk"][low] == 255
        if side in pattern.limbs:
            assert pattern.masks[side][low] == 0
            assert pattern.masks[side][cuff] > 200
    assert pattern.limbs


def test_the_trunk_below_a_hanging_short_sleeve_is_no_sleeve() -> None:
    pattern = make_pattern(hanging_polo())
    assert set(pattern.limbs) == {"left", "right"}
    scale = pattern.masks["trunk"].shape[1] / pattern.hw[1]
    for side, x, beside in (("left", 152, 180), ("right", 50, 22)):
        low, cuff = (round(240 * scale), round(x * scale)), (round(150 * scale), round(beside * scale))
        assert pattern.masks[side][low] == 0
        assert pattern.masks["trunk"][low] == 255
        assert pattern.masks[side][cuff] > 200
        assert pattern.masks["trunk"][cuff] < 128
