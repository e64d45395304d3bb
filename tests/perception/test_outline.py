"""Anchors and attributes from drawn silhouettes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mojing.core.skeleton import A
from mojing.perception.outline import attributes, outline_anchors, symmetry


def polygon(points: list[tuple[int, int]], hw: tuple[int, int] = (420, 400)) -> np.ndarray:
    """A filled silhouette (H, W) uint8 0/255."""
    mask = np.zeros(hw, np.uint8)
    cv2.fillPoly(mask, [np.array(points, np.int32)], 255)
    return mask


TEE = polygon([(160, 50), (240, 50), (290, 75), (350, 150), (310, 180), (285, 150), (285, 300), (115, 300), (115, 150),
               (90, 180), (50, 150), (110, 75)])  # fmt: skip
LONG = polygon([(160, 50), (240, 50), (290, 75), (370, 300), (335, 312), (285, 150), (285, 300), (115, 300), (115, 150),
                (65, 312), (30, 300), (110, 75)])  # fmt: skip
TANK = polygon([(165, 50), (180, 90), (220, 90), (235, 50), (255, 50), (285, 140), (285, 300), (115, 300), (115, 140),
                (145, 50)])  # fmt: skip
JEANS = polygon([(130, 20), (270, 20), (300, 400), (225, 400), (200, 150), (175, 400), (100, 400)])
SHORTS = polygon([(130, 20), (270, 20), (300, 165), (210, 165), (200, 130), (190, 165), (100, 165)])


def at(anchors: np.ndarray, name: str) -> np.ndarray:
    """One anchor's row."""
    return np.asarray(anchors[A[name]])


def test_a_tee_has_shoulders_waist_hem_and_elbows_where_its_sleeves_point() -> None:
    found = outline_anchors(TEE, "top")
    assert at(found, "neck")[0] == pytest.approx(200, abs=3)
    assert at(found, "left_shoulder")[0] > 200 > at(found, "right_shoulder")[0]
    assert 60 < at(found, "left_shoulder")[1] < 100
    assert at(found, "left_hem")[:2] == pytest.approx([285, 297], abs=3)
    assert at(found, "right_waist")[0] == pytest.approx(115, abs=3)
    assert at(found, "left_elbow")[0] > 300
    assert 0 < at(found, "left_elbow")[2] < at(found, "neck")[2]
    assert at(found, "left_wrist")[2] == 0
    assert at(found, "left_hip")[2] > 0
    assert at(found, "left_knee")[2] == 0


def test_long_sleeves_have_wrists_and_a_tank_has_no_elbows() -> None:
    found = outline_anchors(LONG, "top")
    assert at(found, "left_wrist")[:2] == pytest.approx([352, 300], abs=14)
    assert at(found, "right_wrist")[2] > 0
    assert at(outline_anchors(TANK, "top"), "left_elbow")[2] == 0


def test_mirrored_cloth_has_mirrored_anchors() -> None:
    shape = np.roll(LONG, 17, axis=1)
    found, other = outline_anchors(shape, "top"), outline_anchors(np.ascontiguousarray(shape[:, ::-1]), "top")
    for name in ("shoulder", "elbow", "wrist", "hem"):
        assert 399 - at(other, f"right_{name}")[0] == pytest.approx(at(found, f"left_{name}")[0], abs=2)


def test_trousers_reach_the_ankle_and_shorts_do_not() -> None:
    jeans = outline_anchors(JEANS, "trousers")
    assert at(jeans, "left_waist")[0] > at(jeans, "right_waist")[0]
    assert at(jeans, "left_ankle")[0] > 225
    assert at(jeans, "left_ankle")[2] > 0
    shorts = outline_anchors(SHORTS, "trousers")
    assert at(shorts, "left_ankle")[2] == 0
    none = np.zeros_like(JEANS)
    assert attributes(JEANS, none, anchors=jeans, category="trousers", sleeve="none")["length"] == "full"
    assert attributes(SHORTS, none, anchors=shorts, category="trousers", sleeve="none")["length"] == "shorts"


def test_lengths_of_tops_and_skirts() -> None:
    none = np.zeros_like(TEE)
    anchors = outline_anchors(TEE, "top")
    assert attributes(TEE, none, anchors=anchors, category="top", sleeve="short")["length"] == "regular"
    cropped = TEE.copy()
    cropped[210:] = 0
    assert attributes(cropped, none, anchors=anchors, category="top", sleeve="short")["length"] == "cropped"
    mini = polygon([(150, 20), (250, 20), (290, 140), (110, 140)])
    maxi = polygon([(150, 20), (250, 20), (300, 400), (100, 400)])
    for shape, length in ((mini, "mini"), (maxi, "maxi")):
        anchors = outline_anchors(shape, "skirt")
        assert attributes(shape, none, anchors=anchors, category="skirt", sleeve="none")["length"] == length


def test_an_open_front_is_open() -> None:
    jacket, none = LONG.copy(), np.zeros_like(LONG)
    anchors = outline_anchors(LONG, "outer")
    assert attributes(jacket, none, anchors=anchors, category="outer", sleeve="long")["closure"] == "closed"
    jacket[80:, 185:215] = 0
    assert attributes(jacket, none, anchors=anchors, category="outer", sleeve="long")["closure"] == "open"


def test_necklines() -> None:
    none = np.zeros_like(TEE)

    def neckline(shape: np.ndarray) -> str:
        return attributes(shape, none, anchors=outline_anchors(TEE, "top"), category="top", sleeve="short")["neckline"]

    assert neckline(TEE) == "crew"
    vee = TEE.copy()
    cv2.fillPoly(vee, [np.array([(160, 40), (240, 40), (200, 140)], np.int32)], 0)
    assert neckline(vee) == "v"
    bare = TEE.copy()
    bare[:110] = 0
    assert neckline(bare) == "strapless"
    hood = TEE.copy()
    cv2.ellipse(hood, (200, 40), (45, 38), 0, 0, 360, 255, -1)
    assert neckline(hood) == "hood"


def test_nothing_gives_nothing() -> None:
    for category in ("top", "skirt", "trousers"):
        assert outline_anchors(np.zeros((50, 50), np.uint8), category)[:, 2].max() == 0


def test_the_line_of_symmetry_is_found_when_the_garment_lies_askew() -> None:
    point, along, overlap = symmetry(TEE)
    assert overlap > 0.97
    assert abs(point[0] - 200) < 4
    assert along[1] > 0.99
    turn = cv2.getRotationMatrix2D((200, 200), 9, 1.0)
    askew = cv2.warpAffine(TEE, turn, (400, 420))
    _, along, overlap = symmetry(np.asarray(askew, np.uint8))
    assert overlap > 0.95
    assert np.degrees(np.arctan2(along[0], along[1])) == pytest.approx(9, abs=2)
    half = TEE.copy()
    half[:, 210:] = 0
    half[300:, 210:] = 255
    assert symmetry(half)[2] < 0.9
