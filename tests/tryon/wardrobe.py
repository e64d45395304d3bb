"""Painted bodies and garments with known joints, so that a drape can be held against what it should be."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from mojing.core.arrays import F64, U8
from mojing.core.geometry import Box
from mojing.core.skeleton import BODY_JOINTS, GARMENT_ANCHORS, A, J, mirror_order
from mojing.perception.body import BodyView
from mojing.perception.garment import GarmentView
from mojing.perception.labels import mirror_labels
from tests.perception.figures import POSE, blank, joints, paint

HW = (480, 360)
HEIGHT = 420.0
TRUNK = 0.3 * HEIGHT
"""Torso length of a painted figure, px."""

BENT = {**POSE, "left_wrist": (0.06, 0.3), "left_hand": (0.03, 0.29)}
RAISED = {
    **POSE,
    "left_elbow": (0.24, 0.17),
    "left_wrist": (0.37, 0.15),
    "left_hand": (0.41, 0.15),
    "right_elbow": (-0.24, 0.2),
    "right_wrist": (-0.37, 0.22),
    "right_hand": (-0.41, 0.22),
}
STRIDE = {**POSE, "left_knee": (0.13, 0.72), "left_ankle": (0.18, 0.92), "right_knee": (-0.12, 0.72)}


def body(
    pose: Mapping[str, tuple[float, float]] = POSE,
    *,
    hw: tuple[int, int] = HW,
    height: float = HEIGHT,
    x: float = 180.0,
) -> BodyView:
    """A painted person: parse, alpha and joints agree with one another."""
    pts = joints(x, 20.0 * height / HEIGHT, height, pose=pose)
    parse = paint(blank(hw), pts, height)
    alpha = np.asarray((parse > 0) * np.uint8(255))
    bx, by, bw, bh = cv2.boundingRect(alpha)
    known = np.concatenate([pts, np.ones((len(pts), 1), np.float32)], axis=1)
    return BodyView(hw, known.astype(np.float32), parse, alpha, Box(bx, by, bx + bw, by + bh))


def texture(hw: tuple[int, int]) -> U8:
    """A smooth picture (H, W, 3) in which every place has its own colour."""
    ys, xs = np.mgrid[: hw[0], : hw[1]]
    rgb = np.stack([xs * 255 / hw[1], ys * 255 / hw[0], 127 + 100 * np.sin(xs / 9) * np.sin(ys / 9)], axis=-1)
    return rgb.astype(np.uint8)


def garment(
    category: str, *, sleeve: str = "long", legs: str = "full", of: BodyView | None = None, hem: float = 1.0
) -> GarmentView:
    """A garment cut to the measure of a painted body, its anchors that body's joints; `hem` in torso lengths."""
    view = of or body()
    alpha = np.zeros(view.hw, np.uint8)
    p = {n: view.joints[i, :2].astype(np.float64) for n, i in J.items()}
    known: dict[str, F64] = {}
    neck, hips = (p["left_shoulder"] + p["right_shoulder"]) / 2, (p["left_hip"] + p["right_hip"]) / 2
    length = float(np.hypot(*(hips - neck)))
    if category in ("top", "outer", "dress"):
        low = neck + hem * (hips - neck)
        flare = 1.0 if category != "dress" else 1.5
        quad = [
            p["left_shoulder"],
            p["right_shoulder"],
            low + flare * (p["right_hip"] - hips),
            low + flare * (p["left_hip"] - hips),
        ]
        cv2.fillConvexPoly(alpha, np.rint(quad).astype(np.int32), 255)
        cv2.line(alpha, _at(p["left_shoulder"]), _at(p["right_shoulder"]), 255, round(0.12 * length))
        ends = {"none": [], "short": ["elbow"], "long": ["elbow", "wrist"]}[sleeve]
        for side in ("left", "right"):
            joint = p[f"{side}_shoulder"]
            for name in ends:
                end = p[f"{side}_{name}"] if sleeve == "long" else joint + 0.6 * (p[f"{side}_{name}"] - joint)
                cv2.line(alpha, _at(joint), _at(end), 255, round(0.25 * length))
                joint = end
            known[f"{side}_shoulder"], known[f"{side}_hip"] = p[f"{side}_shoulder"], p[f"{side}_hip"]
            if sleeve == "long":
                known[f"{side}_elbow"], known[f"{side}_wrist"] = p[f"{side}_elbow"], p[f"{side}_wrist"]
        known["neck"] = neck
    else:
        waist = hips + 0.3 * (neck - hips)
        known["left_waist"], known["right_waist"] = (
            waist + 1.5 * (p["left_hip"] - hips),
            waist + 1.5 * (p["right_hip"] - hips),
        )
        known["left_hip"], known["right_hip"] = p["left_hip"], p["right_hip"]
        if category == "trousers":
            quad = [known["left_waist"], known["right_waist"], p["right_hip"], p["left_hip"]]
            cv2.fillConvexPoly(alpha, np.rint(quad).astype(np.int32), 255)
            for side in ("left", "right"):
                knee, ankle = p[f"{side}_knee"], p[f"{side}_ankle"]
                end = knee if legs == "full" else p[f"{side}_hip"] + 0.5 * (knee - p[f"{side}_hip"])
                cv2.line(alpha, _at(p[f"{side}_hip"]), _at(end), 255, round(0.28 * length))
                if legs == "full":
                    cv2.line(alpha, _at(knee), _at(ankle), 255, round(0.2 * length))
                    known[f"{side}_knee"], known[f"{side}_ankle"] = knee, ankle
        else:
            low = hips + (hem - 1.0) * length * np.array([0.0, 1.0])
            quad = [
                known["left_waist"],
                known["right_waist"],
                low + 2.4 * (p["right_hip"] - hips),
                low + 2.4 * (p["left_hip"] - hips),
            ]
            cv2.fillConvexPoly(alpha, np.rint(quad).astype(np.int32), 255)
    anchors = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    for name, point in known.items():
        anchors[A[name]] = (*point, 1.0)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.6), np.uint8)
    attributes = {"sleeve": sleeve, "closure": "closed"}
    return GarmentView(
        view.hw, texture(view.hw), alpha, np.zeros_like(alpha), category, attributes, anchors, 1.0, (), True
    )


def _at(point: F64) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def mirrored(view: BodyView) -> BodyView:
    """The person in a mirror: picture flipped, left and right exchanged."""
    table = np.array(mirror_labels(), np.uint8)
    known = np.array(view.joints)[mirror_order(BODY_JOINTS)]
    known[:, 0] = view.hw[1] - 1 - known[:, 0]
    x0, x1 = view.hw[1] - view.box.x1, view.hw[1] - view.box.x0
    parse = np.ascontiguousarray(table[view.parse][:, ::-1])
    return BodyView(
        view.hw, known, parse, np.ascontiguousarray(view.alpha[:, ::-1]), Box(x0, view.box.y0, x1, view.box.y1)
    )


def mirrored_garment(view: GarmentView) -> GarmentView:
    """The garment in a mirror."""
    known = np.array(view.anchors)[mirror_order(GARMENT_ANCHORS)]
    known[:, 0] = np.where(known[:, 2] > 0, view.hw[1] - 1 - known[:, 0], known[:, 0])
    flip = [np.ascontiguousarray(a[:, ::-1]) for a in (view.rgb, view.alpha, view.inner)]
    return GarmentView(view.hw, flip[0], flip[1], flip[2], view.category, view.attributes, known, 1.0, (), view.worn)


def lying(view: GarmentView) -> GarmentView:
    """The same garment as if it had been photographed lying."""
    return GarmentView(
        view.hw, view.rgb, view.alpha, view.inner, view.category, view.attributes, view.anchors, 1.0, (), False
    )
