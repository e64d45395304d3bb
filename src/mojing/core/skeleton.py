"""Joint and anchor names shared by bodies and garments, with their bones and mirror images.

Left and right are the wearer's. A set of joints is a float32 array (J, 3) of x_px, y_px, confidence in [0, 1].
"""

from __future__ import annotations

BODY_JOINTS: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_hand",
    "right_hand",
    "left_toe",
    "right_toe",
)
"""COCO's 17 joints in COCO's order, then the knuckles of each hand and the tip of each foot."""

GARMENT_ANCHORS: tuple[str, ...] = (
    "neck",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_waist",
    "right_waist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_hem",
    "right_hem",
)
"""Where the wearer's joints lie in a garment photo; `neck` is the pit of the neck (midpoint of the shoulder joints),
`waist` and `hem` are the outline's side points at the waist and at the lower edge."""

BODY_BONES: tuple[tuple[str, str], ...] = (
    ("left_shoulder", "right_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("left_wrist", "left_hand"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("right_wrist", "right_hand"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_hip", "right_hip"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("left_ankle", "left_toe"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
    ("right_ankle", "right_toe"),
)

J: dict[str, int] = {name: i for i, name in enumerate(BODY_JOINTS)}
"""Body joint name -> row."""

A: dict[str, int] = {name: i for i, name in enumerate(GARMENT_ANCHORS)}
"""Garment anchor name -> row."""


def mirror_order(names: tuple[str, ...]) -> list[int]:
    """Row order that swaps left and right, for a horizontally flipped picture."""
    swap = {"left": "right", "right": "left"}
    index = {name: i for i, name in enumerate(names)}
    order = []
    for name in names:
        side, _, rest = name.partition("_")
        order.append(index[f"{swap[side]}_{rest}"] if side in swap else index[name])
    return order
