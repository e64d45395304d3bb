"""Ground truth of labelled photos in the project's own terms: 21 labels, 21 joints, garments, and who is held out.

The street photos carry 59 classes in which `skin` is one; it is split here by the nearest bone of the joints.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mojing.core.skeleton import J
from mojing.perception.labels import L
from mojing.perception.outline import TOPS

FROM_59: dict[str, str] = {
    "null": "background",
    "accessories": "accessories",
    "bag": "bag",
    "belt": "belt",
    "blazer": "outer",
    "blouse": "upper",
    "bodysuit": "upper",
    "boots": "shoes",
    "bra": "upper",
    "bracelet": "accessories",
    "cape": "outer",
    "cardigan": "outer",
    "clogs": "shoes",
    "coat": "outer",
    "dress": "dress",
    "earrings": "accessories",
    "flats": "shoes",
    "glasses": "glasses",
    "gloves": "accessories",
    "hair": "hair",
    "hat": "hat",
    "heels": "shoes",
    "hoodie": "upper",
    "intimate": "upper",
    "jacket": "outer",
    "jeans": "trousers",
    "jumper": "upper",
    "leggings": "trousers",
    "loafers": "shoes",
    "necklace": "accessories",
    "panties": "trousers",
    "pants": "trousers",
    "pumps": "shoes",
    "purse": "bag",
    "ring": "accessories",
    "romper": "dress",
    "sandals": "shoes",
    "scarf": "scarf",
    "shirt": "upper",
    "shoes": "shoes",
    "shorts": "trousers",
    "skin": "face",
    "skirt": "skirt",
    "sneakers": "shoes",
    "socks": "legwear",
    "stockings": "legwear",
    "suit": "outer",
    "sunglasses": "glasses",
    "sweater": "upper",
    "sweatshirt": "upper",
    "swimwear": "upper",
    "t-shirt": "upper",
    "tie": "accessories",
    "tights": "legwear",
    "top": "upper",
    "vest": "upper",
    "wallet": "bag",
    "watch": "accessories",
    "wedges": "shoes",
}
"""Class of the clothing-co-parsing labels -> our label (`skin` is split afterwards by `split_skin`)."""

POSE_33: dict[str, tuple[int, ...]] = {
    "nose": (0,),
    "left_eye": (2,),
    "right_eye": (5,),
    "left_ear": (7,),
    "right_ear": (8,),
    "left_shoulder": (11,),
    "right_shoulder": (12,),
    "left_elbow": (13,),
    "right_elbow": (14,),
    "left_wrist": (15,),
    "right_wrist": (16,),
    "left_hip": (23,),
    "right_hip": (24,),
    "left_knee": (25,),
    "right_knee": (26,),
    "left_ankle": (27,),
    "right_ankle": (28,),
    "left_hand": (17, 19),
    "right_hand": (18, 20),
    "left_toe": (31,),
    "right_toe": (32,),
}
"""Our joint -> the teacher's landmarks whose mean it is."""


def joints_from_pose(pose: NDArray[np.float32]) -> NDArray[np.float32]:
    """Our joints (21, 3: x_px, y_px, visibility 0..1) from the teacher's landmarks (33, 4: x, y, depth, visibility)."""
    out = np.zeros((len(J), 3), np.float32)
    for name, rows in POSE_33.items():
        picked = pose[list(rows)]
        out[J[name], :2] = picked[:, :2].mean(axis=0)
        out[J[name], 2] = picked[:, 3].min()
    return out


def label_table(names_json: Path) -> tuple[NDArray[np.uint8], int]:
    """Look-up table (256,) from the data set's class index to our label id, and the index of `skin`."""
    names: list[str] = json.loads(names_json.read_text())
    table = np.zeros(256, np.uint8)
    for index, name in enumerate(names):
        table[index] = L[FROM_59[name]]
    return table, names.index("skin")


def split_skin(
    label59: NDArray[np.uint8], joints: NDArray[np.float32], table: NDArray[np.uint8], skin: int
) -> NDArray[Any]:
    """Parse map (H, W) uint8 in our 21 labels; every skin pixel gets the label of its nearest bone."""
    parse = table[label59]
    ys, xs = np.nonzero(label59 == skin)
    if len(xs) == 0:
        return parse
    pts = np.stack([xs, ys], axis=1).astype(np.float32)
    best = np.full(len(xs), np.inf, np.float32)
    chosen = np.zeros(len(xs), np.uint8)
    for name, (a, b) in _skin_bones(joints):
        ab = b - a
        t = np.clip(((pts - a) @ ab) / max(float(ab @ ab), 1e-6), 0, 1)
        d = np.linalg.norm(pts - (a + t[:, None] * ab), axis=1)
        closer = d < best
        best[closer] = d[closer]
        chosen[closer] = L[name]
    parse[ys, xs] = chosen
    return parse


def _skin_bones(joints: NDArray[np.float32]) -> list[tuple[str, tuple[NDArray[Any], NDArray[Any]]]]:
    p = {name: joints[i, :2] for name, i in J.items()}
    eyes = (p["left_eye"] + p["right_eye"]) / 2
    down = p["nose"] - eyes
    span = np.linalg.norm(p["left_ear"] - p["right_ear"]) + 1e-3
    long = max(float(np.linalg.norm(down)), 0.25 * float(span))
    down = down / max(float(np.linalg.norm(down)), 1e-3) * long
    chin = p["nose"] + 1.35 * down
    neck = (p["left_shoulder"] + p["right_shoulder"]) / 2
    hips = (p["left_hip"] + p["right_hip"]) / 2
    chest = neck + 0.25 * (hips - neck)
    inner = {s: p[f"{s}_shoulder"] + 0.35 * (neck - p[f"{s}_shoulder"]) for s in ("left", "right")}
    bones: list[tuple[str, tuple[NDArray[Any], NDArray[Any]]]] = [
        ("face", (eyes - 1.5 * down, chin)),
        ("face", (p["left_ear"], p["right_ear"])),
        ("neck", (neck + 0.7 * (chin - neck), hips)),
        ("neck", (inner["left"], inner["right"])),
        ("neck", (inner["left"], chest)),
        ("neck", (inner["right"], chest)),
    ]
    for s in ("left", "right"):
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand")):
            bones.append((f"{s}_arm", (p[f"{s}_{a}"], p[f"{s}_{b}"])))
        hand = p[f"{s}_hand"] + 0.6 * (p[f"{s}_hand"] - p[f"{s}_wrist"])
        bones.append((f"{s}_arm", (p[f"{s}_hand"], hand)))
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("ankle", "toe")):
            bones.append((f"{s}_leg", (p[f"{s}_{a}"], p[f"{s}_{b}"])))
    return bones


FACING = 0.35
"""Distance of the shoulder joints, in torso lengths, below which somebody is seen from the side."""


def seen_whole(parse: NDArray[np.uint8], mask: NDArray[np.uint8], joints: NDArray[np.float32], category: str) -> bool:
    """Whether a worn garment is seen nearly whole, from the front or from behind, as a product photo would show it.

    Tops cover the trunk, what is worn below begins about the hips, and no coat hangs over either: a strip of a shirt in
    an open jacket has no shoulders, and a skirt below a coat no waist.

    Args:
        parse: (H, W) label ids of the wearer.
        mask: (H, W) the garment's pixels, not 0.
        joints: (21, 3) of the wearer.
        category: of the garment, one of `perception.worn.KINDS`.
    """
    at = joints[:, :2]
    neck = (at[J["left_shoulder"]] + at[J["right_shoulder"]]) / 2
    hips = (at[J["left_hip"]] + at[J["right_hip"]]) / 2
    torso = float(np.hypot(*(hips - neck))) + 1e-6
    if float(np.hypot(*(at[J["left_shoulder"]] - at[J["right_shoulder"]]))) < FACING * torso:
        return False
    y, x = np.nonzero(mask)
    upper = category in TOPS
    if category not in ("outer", "trousers") and (parse == L["outer"]).sum() > 0.12 * len(x):
        return False
    if abs(float(x.mean()) - float((neck[0] + hips[0]) / 2 if upper else hips[0])) > 0.22 * torso:
        return False
    if not upper:
        return bool(y.min() < hips[1] + 0.1 * torso)
    quad = np.zeros_like(mask)
    corners = [at[J[n]] for n in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    centre = np.mean(corners, axis=0)
    low = 0.6 if category == "top" else 0.9
    inner = np.array([centre + (c - centre) * [0.6, low if c[1] > centre[1] else 0.6] for c in corners])
    cv2.fillConvexPoly(quad, inner.astype(np.int32), 1)
    covered = float((mask[quad > 0] > 0).mean()) if quad.any() else 0.0
    return covered > (0.55 if category == "outer" else 0.85)


GARMENT_KINDS: dict[str, tuple[str, str | None]] = {
    "T-Shirt": ("top", "short"),
    "Longsleeve": ("top", "long"),
    "Shirt": ("top", None),
    "Polo": ("top", "short"),
    "Undershirt": ("top", "none"),
    "Hoodie": ("top", "long"),
    "Top": ("top", None),
    "Blouse": ("top", None),
    "Body": ("top", None),
    "Blazer": ("outer", "long"),
    "Outwear": ("outer", "long"),
    "Dress": ("dress", None),
    "Skirt": ("skirt", None),
    "Pants": ("trousers", None),
    "Shorts": ("trousers", None),
}
"""Label of the garment photos -> category and sleeve (None: the label does not tell). Shoes and hats are left out."""


@dataclass(frozen=True)
class GarmentRow:
    """A photo of a lying or hanging garment and what its sender says; `sleeve` is None where that tells nothing."""

    photo: Path
    label: str
    category: str
    sleeve: str | None
    sender: str
    kids: bool


def garment_rows(data: Path, *, validation: bool) -> list[GarmentRow]:
    """The photos of `garments` with a usable label, of held-out senders or of all but those."""
    rows = []
    with (data / "garments" / "images.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind = GARMENT_KINDS.get(row["label"])
            if kind is None or is_validation(row["sender_id"]) != validation:
                continue
            photo = data / "garments" / "photos" / f"{row['image']}.webp"
            rows.append(GarmentRow(photo, row["label"], *kind, row["sender_id"], row["kids"] == "True"))
    return rows


def is_validation(photo_id: str) -> bool:
    """Whether a photo is held out: street photos and portraits by number (every 9th), others by their first word."""
    if photo_id.isdigit():
        return int(photo_id) % 9 == 4
    key = photo_id.split("-")[0].split("_")[0]
    return sum(ord(c) * (i + 1) for i, c in enumerate(key)) % 9 == 4


def read_label(path: Path) -> NDArray[np.uint8]:
    """Read an 8-bit index label image (H, W)."""
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if label is None or label.ndim != 2:
        raise FileNotFoundError(f"{path}: not an 8-bit single-channel label image")
    return np.asarray(label, np.uint8)
