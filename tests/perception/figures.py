"""A painted figure and a tiny real ONNX graph that reads it, so that the passes around a network can be tested alone.

Every label and every joint has a colour of its own; the graph's 1x1 convolutions measure the distance to each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mojing.core.skeleton import BODY_JOINTS, J
from mojing.perception.labels import LABELS, L
from mojing.runtime import ModelStore

LEVELS = (10, 90, 165, 245)
_GRID = np.array([(r, g, b) for r in LEVELS for g in LEVELS for b in LEVELS], np.uint8)
LABEL_COLOURS = _GRID[np.r_[63, 0:20]]
JOINT_COLOURS = _GRID[24:45]

POSE: dict[str, tuple[float, float]] = {
    "nose": (0, 0.09),
    "left_eye": (0.02, 0.07),
    "right_eye": (-0.02, 0.07),
    "left_ear": (0.05, 0.08),
    "right_ear": (-0.05, 0.08),
    "left_shoulder": (0.11, 0.2),
    "right_shoulder": (-0.11, 0.2),
    "left_elbow": (0.17, 0.33),
    "right_elbow": (-0.17, 0.33),
    "left_wrist": (0.19, 0.45),
    "right_wrist": (-0.19, 0.45),
    "left_hip": (0.07, 0.5),
    "right_hip": (-0.07, 0.5),
    "left_knee": (0.08, 0.72),
    "right_knee": (-0.08, 0.72),
    "left_ankle": (0.08, 0.92),
    "right_ankle": (-0.08, 0.92),
    "left_hand": (0.19, 0.49),
    "right_hand": (-0.19, 0.49),
    "left_toe": (0.1, 0.97),
    "right_toe": (-0.1, 0.97),
}
"""Joints in units of the figure's height from the top of its head, x to the wearer's left (the picture's right)."""


def joints(x: float, y: float, height: float, *, pose: Mapping[str, tuple[float, float]] = POSE) -> NDArray[np.float32]:
    """Joint positions (21, 2) in px of a figure whose head's top is at (x, y)."""
    return np.array([(x + pose[n][0] * height, y + pose[n][1] * height) for n in BODY_JOINTS], np.float32)


def paint(
    canvas: NDArray[np.uint8], pts: NDArray[np.float32], height: float, *, face: bool = True
) -> NDArray[np.uint8]:
    """Draw the figure onto canvas (H, W, 3) in place and return its label map (H, W)."""
    labels = np.zeros(canvas.shape[:2], np.uint8)
    p = {n: (round(float(pts[i, 0])), round(float(pts[i, 1]))) for n, i in J.items()}

    def limb(a: str, b: str, label: str, width: float) -> None:
        cv2.line(labels, p[a], p[b], L[label], max(round(width * height), 1))

    for s in ("left", "right"):
        limb(f"{s}_hip", f"{s}_knee", "trousers", 0.1)
        limb(f"{s}_knee", f"{s}_ankle", "trousers", 0.08)
        limb(f"{s}_ankle", f"{s}_toe", "shoes", 0.06)
        limb(f"{s}_shoulder", f"{s}_elbow", "upper", 0.08)
        limb(f"{s}_elbow", f"{s}_wrist", f"{s}_arm", 0.06)
        limb(f"{s}_wrist", f"{s}_hand", f"{s}_arm", 0.06)
    trunk = np.array([p["left_shoulder"], p["right_shoulder"], p["right_hip"], p["left_hip"]], np.int32)
    cv2.fillConvexPoly(labels, trunk, L["upper"])
    cv2.circle(labels, p["nose"], round(0.105 * height), L["hair"], -1)
    if face:
        cv2.circle(labels, p["nose"], round(0.075 * height), L["face"], -1)
    on = labels > 0
    canvas[on] = LABEL_COLOURS[labels[on]]
    for i, (x, y) in enumerate(pts):
        colour = [int(v) for v in JOINT_COLOURS[i]]
        cv2.circle(canvas, (round(float(x)), round(float(y))), max(round(0.018 * height), 2), colour, -1)
    return labels


def blank(hw: tuple[int, int]) -> NDArray[np.uint8]:
    """An empty photo (H, W, 3) in the background's colour."""
    return np.full((*hw, 3), LABEL_COLOURS[0], np.uint8)


def body_store(folder: Path) -> ModelStore:
    """A model store whose `body` reads painted figures."""
    labels, found = LABEL_COLOURS / 255.0, JOINT_COLOURS / 255.0

    def distances(colours: NDArray[np.float64], scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        weight = np.concatenate([2 * colours, -np.ones_like(colours)], axis=1) * scale
        return weight[..., None, None].astype(np.float32), (-(colours**2).sum(axis=1) * scale).astype(np.float32)

    parse_w, parse_b = distances(labels, 40.0)
    heat_w, heat_b = distances(found, 80.0)
    alpha_w, alpha_b = -parse_w[:1], -parse_b[:1] - 2.0
    constants = {
        "parse_w": parse_w,
        "parse_b": parse_b,
        "alpha_w": alpha_w,
        "alpha_b": alpha_b,
        "heat_w": heat_w,
        "heat_b": heat_b + 1.0,
        "gain": np.array(4.0, np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["image", "image"], ["square"]),
        helper.make_node("Concat", ["image", "square"], ["both"], axis=1),
    ]
    for name, side in (("parse", 2), ("alpha", 2), ("heat", 4)):
        pool: dict[str, Any] = {"kernel_shape": [side, side], "strides": [side, side]}
        nodes.append(helper.make_node("Conv", ["both", f"{name}_w", f"{name}_b"], [f"{name}_raw"]))
        if name == "parse":
            nodes.append(helper.make_node("AveragePool", ["parse_raw"], ["parse"], **pool))
            continue
        bend = "Relu" if name == "heat" else "Tanh"
        nodes.append(helper.make_node(bend, [f"{name}_raw"], [f"{name}_bent"]))
        nodes.append(helper.make_node("AveragePool", [f"{name}_bent"], [f"{name}_pooled"], **pool))
        nodes.append(helper.make_node("Mul", [f"{name}_pooled", "gain"], [f"{name}_loud" if name == "heat" else name]))
    nodes.append(helper.make_node("Tanh", ["heat_loud"], ["heat"]))
    shapes = {"parse": (len(LABELS), 128, 96), "alpha": (1, 128, 96), "heat": (len(BODY_JOINTS), 64, 48)}
    # The painted colours tell left from right, which no mirror image could.
    about = {"mirrored": False}
    ports = {"image": (3, 256, 192)}
    return write(folder, "body", nodes=nodes, constants=constants, inputs=ports, outputs=shapes, about=about)


CLOTH = _GRID[50]
INNER = _GRID[35]
ANCHOR_COLOURS = _GRID[0:17]


def garment_store(folder: Path, *, category: int = 0, sleeve: int = 1) -> ModelStore:
    """A model store whose `garment` reads cloth of the colour CLOTH, an inner back of INNER, and anchors as discs."""
    cloth = np.stack([CLOTH, INNER]) / 255.0

    def distances(colours: NDArray[np.float64], scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        weight = np.concatenate([2 * colours, -np.ones_like(colours)], axis=1) * scale
        return weight[..., None, None].astype(np.float32), (-(colours**2).sum(axis=1) * scale).astype(np.float32)

    seg_w, seg_b = distances(cloth, 150.0)
    seg_w = np.concatenate([np.zeros_like(seg_w[:1]), seg_w])
    heat_w, heat_b = distances(ANCHOR_COLOURS / 255.0, 80.0)
    constants = {
        "seg_w": seg_w,
        "seg_b": np.concatenate([np.zeros(1, np.float32), seg_b + 6.0]).astype(np.float32),
        "heat_w": heat_w,
        "heat_b": heat_b + 1.0,
        "gain": np.array(4.0, np.float32),
        "cat_w": np.zeros((5, 3, 1, 1), np.float32),
        "cat_b": (8.0 * np.eye(5)[category]).astype(np.float32),
        "sleeve_w": np.zeros((3, 3, 1, 1), np.float32),
        "sleeve_b": (8.0 * np.eye(3)[sleeve]).astype(np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["image", "image"], ["square"]),
        helper.make_node("Concat", ["image", "square"], ["both"], axis=1),
        helper.make_node("Conv", ["both", "seg_w", "seg_b"], ["seg_raw"]),
        helper.make_node("AveragePool", ["seg_raw"], ["seg"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["both", "heat_w", "heat_b"], ["heat_raw"]),
        helper.make_node("Relu", ["heat_raw"], ["heat_bent"]),
        helper.make_node("AveragePool", ["heat_bent"], ["heat_pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Mul", ["heat_pooled", "gain"], ["heat_loud"]),
        helper.make_node("Tanh", ["heat_loud"], ["heat"]),
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
    ]
    for name in ("cat", "sleeve"):
        nodes.append(helper.make_node("Conv", ["mean", f"{name}_w", f"{name}_b"], [f"{name}_map"]))
        target = "category" if name == "cat" else name
        nodes.append(helper.make_node("Flatten", [f"{name}_map"], [target], axis=1))
    shapes = {"seg": (3, 128, 128), "heat": (17, 64, 64), "category": (5,), "sleeve": (3,)}
    return write(folder, "garment", nodes=nodes, constants=constants, inputs={"image": (3, 256, 256)}, outputs=shapes)


def write(
    folder: Path,
    name: str,
    *,
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[np.float32]],
    inputs: Mapping[str, tuple[int, ...]],
    outputs: Mapping[str, tuple[int, ...]],
    about: Mapping[str, Any] | None = None,
) -> ModelStore:
    """Write NAME.onnx and NAME.json, which says `about` too, with a free batch size; return the folder's store."""

    def value(key: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(key, TensorProto.FLOAT, ["N", *shape])

    graph = helper.make_graph(
        nodes,
        name,
        [value(k, s) for k, s in inputs.items()],
        [value(k, s) for k, s in outputs.items()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data = model.SerializeToString()
    (folder / f"{name}.onnx").write_bytes(data)

    def described(tensors: Mapping[str, tuple[int, ...]]) -> list[dict[str, object]]:
        return [{"name": k, "dtype": "float32", "shape": ["N", *s]} for k, s in tensors.items()]

    spec = {
        "name": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "inputs": described(inputs),
        "outputs": described(outputs),
        **(about or {}),
    }
    (folder / f"{name}.json").write_text(json.dumps(spec))
    return ModelStore(folder)
