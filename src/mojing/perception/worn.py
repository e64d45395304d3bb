"""Taking a garment off the person who wears it in a photo: its pixels by the parse map, its anchors by the joints."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.blend import guided_alpha
from mojing.core.skeleton import GARMENT_ANCHORS, A, J
from mojing.perception import decode, people
from mojing.perception.body import BodyView, Pass
from mojing.perception.corners import corner, legs_of, pair_of_corners, without_strings
from mojing.perception.cutout import plain_background
from mojing.perception.labels import CLOTHES, SKIN, L
from mojing.perception.outline import TOPS

KINDS: dict[str, tuple[str, ...]] = {
    "top": ("upper",),
    "outer": ("outer",),
    "dress": ("dress",),
    "skirt": ("skirt",),
    "trousers": ("trousers",),
}
LEAST = 0.012
"""Share of the photo below which a garment is too small to be taken off."""


LEAST_BARE = 0.05
"""Share of head, arms and legs in a person's labels from which a photo shows a wearer and not a lying garment."""

REACH = 0.1
"""Torso lengths beyond the cloth up to which a joint counts as one that the garment reaches."""

OUTLINED = 0.6
"""Confidence of an anchor that the outline gave."""

CORNER_SIDE = 256
"""Longest side in px, but for less than twice as much, at which corners of a worn garment are looked for."""


@dataclass(frozen=True, eq=False)
class Taken:
    """A garment taken off: alpha (H, W) uint8, anchors (17, 3), category, sleeve, confidence 0..1."""

    alpha: U8
    anchors: F32
    category: str
    sleeve: str
    confidence: float


def somebody(found: Pass) -> bool:
    """Whether a find pass shows a person rather than a lying garment: skin or hair, and joints beyond the cloth.

    A flat shirt can light up the shoulders' maps and even the person mask, so that a face or both arms or legs of skin
    must be there too.
    """
    if "none" in found.kinds:
        return found.kinds["none"] + found.kinds["face"] < 0.35
    alpha = decode.sigmoid(found.alpha) > 0.5
    area = float(alpha.mean())
    if area < 0.02:
        return False
    labels = decode.labels_of(found.parse)[alpha]
    share = np.bincount(labels, minlength=21) / max(len(labels), 1)
    head = share[L["face"]] + share[L["hair"]]
    limbs = share[[L[n] for n in ("left_arm", "right_arm", "left_leg", "right_leg", "neck")]].sum()
    joints = found.joints[:, 2]
    trunk = joints[[J["left_shoulder"], J["right_shoulder"], J["left_hip"], J["right_hip"]]]
    strong = int((trunk > people.SEEN).sum()) >= 2
    faced = share[L["face"]] > 0.008 and joints[J["nose"]] > people.SEEN
    return strong and bool(faced or (head + limbs > 0.12 and (head > 0.02 or limbs > 0.1)))


def bare(parse: U8) -> float:
    """Share of hair, face, neck, arms and legs in a parse map's labels."""
    area = np.bincount(parse.ravel(), minlength=21).astype(np.float64)
    return float(area[[L[n] for n in (*SKIN, "hair")]].sum() / max(area[1:].sum(), 1.0))


def choose(parse: U8, category: str | None) -> tuple[str, tuple[str, ...]] | None:
    """Category and labels to take off a parse map (H, W): the one asked for, or what covers most of the person."""
    area = np.bincount(parse.ravel(), minlength=21) / parse.size
    size = {kind: float(sum(area[L[n]] for n in names)) for kind, names in KINDS.items()}
    if category == "top" and size["top"] < max(LEAST, 0.3 * size["outer"]):
        return ("top", ("upper", "outer")) if size["top"] + size["outer"] >= LEAST else None
    if category is None:
        weight = {"top": 1.25, "outer": 1.4}
        category = max(size, key=lambda k: size[k] * weight.get(k, 1.0))
    if size[category] < LEAST:
        return None
    upper = [k for k in ("top", "outer", "dress") if size[k] > 0]
    if category in upper and size[category] > 0.65 * sum(size[k] for k in upper):
        return category, tuple(n for k in upper for n in KINDS[k])
    return category, KINDS[category]


def _below(parse: U8, category: str | None) -> tuple[str, tuple[str, ...]] | None:
    """Category and labels where only legs are in view: the network takes such cloth for anything."""
    area = np.bincount(parse.ravel(), minlength=21) / parse.size
    if category not in (None, "skirt", "trousers"):
        return None
    kind = category or ("skirt" if area[L["skirt"]] > area[L["trousers"]] else "trousers")
    return (kind, CLOTHES) if sum(area[L[n]] for n in CLOTHES) >= LEAST else None


def _off_plain(mask: U8, rgb: U8) -> U8:
    """Take the gaps between arms and body out of a mask where the photo's plain background shows through them."""
    h, w = mask.shape
    scale = min(1.0, 448 / max(h, w))
    wh = (max(round(w * scale), 1), max(round(h * scale), 1))
    small = np.asarray(cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA), np.uint8)
    soft = np.asarray(cv2.resize(mask, wh, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    background = plain_background(small, soft)
    if background is None:
        return mask
    alike = (background.distance < max(1.5 * background.noise, 2.0)).astype(np.uint8)
    alike = cv2.morphologyEx(alike, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(alike, connectivity=4)
    inside = np.bincount(pieces.ravel(), weights=soft.ravel(), minlength=count) / np.maximum(stats[:, 4], 1)
    clear = (stats[:, 4] > 12) & (inside < 0.9)
    clear[0] = False
    gone = cv2.resize(clear[pieces].astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST)
    return np.where(gone > 0, np.uint8(0), mask).astype(np.uint8)


def take_off(body: BodyView, rgb: U8, category: str | None, *, legs: bool = False) -> Taken | None:
    """The worn garment of a category, or the most visible one; None when there is none.

    Args:
        body: the wearer.
        rgb: (H, W, 3) the photo.
        category: what to take off; the most visible by default.
        legs: the photo shows legs only, so that all cloth in it is trousers or a skirt.
    """
    chosen = _below(body.parse, category) if legs else choose(body.parse, category)
    if chosen is None:
        return None
    kind, names = chosen
    mask = np.isin(body.parse, [L[n] for n in names]).astype(np.uint8) * np.uint8(255)
    mask = decode.fill_holes(decode.largest_piece(_off_plain(mask, rgb), keep_share=0.08), share=0.004)
    alpha = _edges(mask, rgb)
    anchors, sleeve = worn_anchors(mask > 0, body.joints, kind)
    trunk = [J[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
    sure = float(np.clip(body.joints[trunk, 2].mean() / 0.8, 0, 1))
    return Taken(alpha, anchors, kind, sleeve, sure * (0.5 if body.fault else 0.9))


def _edges(mask: U8, rgb: U8) -> U8:
    x, y, w, h = cv2.boundingRect(mask)
    pad = 8
    rows = slice(max(y - pad, 0), min(y + h + pad, mask.shape[0]))
    cols = slice(max(x - pad, 0), min(x + w + pad, mask.shape[1]))
    part = mask[rows, cols]
    scale = min(1.0, 320 / max(part.shape))
    low = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    guide = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb[rows, cols]), cv2.COLOR_RGB2GRAY))
    out = np.zeros_like(mask)
    out[rows, cols] = guided_alpha(low, guide, radius=2, eps=4e-3, span=(0.1, 0.9))
    return out


def worn_anchors(mask: AnyArray, joints: F32, kind: str, *, shown: bool = False) -> tuple[F32, str]:
    """Anchors and sleeve of a worn garment; waist and hem are corners of its outline.

    Args:
        mask: (H, W) bool, its pixels.
        joints: (21, 3) of the wearer.
        kind: its category.
        shown: only hips, knees and ankles that the cloth reaches, within REACH torso lengths: a picture of the garment
            alone could tell no others. Who lays it on somebody else is glad of those a little above it, too.

    Returns:
        The anchors (17, 3) and the sleeve.
    """
    out = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    t = people.torso(joints) or 1.0
    rows = np.flatnonzero(mask.any(axis=1))
    high, low = float(rows[0]), float(rows[-1])
    sleeve = "none"
    if kind in TOPS:
        out[A["neck"]] = joints[[J["left_shoulder"], J["right_shoulder"]]].mean(axis=0)
        for side in ("left", "right"):
            out[A[f"{side}_shoulder"]] = joints[J[f"{side}_shoulder"]]
        sleeve = _sleeves(mask, joints, out)
    for side in ("left", "right"):
        for name in ("hip", "knee", "ankle"):
            joint = joints[J[f"{side}_{name}"]]
            near = high - 0.15 * t < joint[1] < low + 0.1 * t
            if joint[2] > people.SEEN and (_reached(mask, joint, by=REACH * t) if shown else near):
                out[A[f"{side}_{name}"]] = joint
    step = max(max(mask.shape) // CORNER_SIDE, 1)
    small = np.asarray(joints / np.array([step, step, 1], np.float32), np.float32)
    found = (_upper_sides if kind in TOPS else _lower_sides)(mask[::step, ::step], small, kind)
    for name, point in found.items():
        out[A[name]] = *(step * point), OUTLINED
    return out, sleeve


def _reached(mask: AnyArray, joint: F32, *, by: float) -> bool:
    """Whether a joint lies on the cloth, between its left and right parts, or at most `by` px beyond."""
    y0, y1 = max(int(joint[1] - by), 0), max(int(joint[1] + by) + 1, 0)
    columns = np.flatnonzero(mask[y0:y1].any(axis=0))
    return bool(len(columns) and columns[0] - by <= joint[0] <= columns[-1] + by)


def _upper_sides(mask: AnyArray, joints: F32, kind: str) -> dict[str, AnyArray]:
    """Waist and hem of a top, a coat or a dress; arms that hang beside its trunk are left out."""
    t = people.torso(joints) or 1.0
    neck = joints[[J["left_shoulder"], J["right_shoulder"]], 1].mean()
    base = joints[[J["left_hip"], J["right_hip"]], 1].mean()
    rows = np.flatnonzero(mask.any(axis=1))
    level = int(np.clip(round(float(neck + 0.62 * (base - neck))), rows[0], rows[-1]))
    trunk = _trunk_only(mask, joints, t=t)
    # Of an open coat beneath crossed arms nothing may be left between them.
    cloth = next(c for c in (without_strings(trunk), trunk, mask) if c[level:].any())
    level += int(cloth[level:].any(axis=1).argmax())
    ends = np.flatnonzero(cloth[level])
    lower = cloth.copy()
    lower[:level] = False
    left, right = pair_of_corners(lower, ahead=np.array([0.0, 1.0]))
    return {
        "left_waist": np.array([ends[-1], level], np.float64),
        "right_waist": np.array([ends[0], level], np.float64),
        "left_hem": left,
        "right_hem": right,
    }


def _lower_sides(mask: AnyArray, joints: F32, kind: str) -> dict[str, AnyArray]:
    """Waist and hem of a skirt or of trousers, whose legs end each for itself."""
    solid = without_strings(mask)
    rows = np.flatnonzero(solid.any(axis=1))
    up, down = np.array([0.0, -1.0]), np.array([0.0, 1.0])
    upper, lower = solid.copy(), solid.copy()
    middle = int(rows[0] + rows[-1]) // 2
    upper[middle:], lower[:middle] = False, False
    left, right = pair_of_corners(upper, ahead=up)
    out = {"left_waist": left, "right_waist": right}
    legs = legs_of(solid, joints) if kind == "trousers" else {}
    if legs:
        apart = joints[J["left_ankle"], 0] - joints[J["right_ankle"], 0]
        left = np.array([1.0 if apart >= 0 else -1.0, 0.0])
        for side, leg in legs.items():
            out[f"{side}_hem"] = corner(leg, ahead=down, side=left if side == "left" else -left)
    elif lower.any():
        out["left_hem"], out["right_hem"] = pair_of_corners(lower, ahead=down)
    return out


def _trunk_only(mask: AnyArray, joints: F32, *, t: float) -> AnyArray:
    """The cloth between the arms that hang beside the trunk."""
    shoulders, hips = joints[[J["left_shoulder"], J["right_shoulder"]], :2], joints[[J["left_hip"], J["right_hip"]], :2]
    top, low = shoulders.mean(axis=0), hips.mean(axis=0)
    out = mask.copy()
    columns = np.arange(mask.shape[1])
    for y in np.flatnonzero(mask.any(axis=1)):
        share = (y - float(top[1])) / max(float(low[1] - top[1]), 1.0)
        axis = float(top[0] + np.clip(share, 0, 1) * (low[0] - top[0]))
        for side, sign in (("left", 1.0), ("right", -1.0)):
            limit = _arm_limit(joints, side, y=float(y), t=t, axis=axis)
            if limit is not None:
                out[y, sign * (columns - limit) > 0] = False
    return np.asarray(out)


def _sleeves(mask: AnyArray, joints: F32, out: F32) -> str:
    found = []
    for side in ("left", "right"):
        shoulder, elbow, wrist = (joints[J[f"{side}_{n}"]] for n in ("shoulder", "elbow", "wrist"))
        upper, fore = _covered(mask, shoulder, elbow), _covered(mask, elbow, wrist)
        if fore > 0.5 and wrist[2] > people.SEEN:
            out[A[f"{side}_elbow"]], out[A[f"{side}_wrist"]] = elbow, wrist
            found.append("long")
        elif upper > 0.35 and elbow[2] > people.SEEN:
            out[A[f"{side}_elbow"]] = elbow
            found.append("short")
        elif elbow[2] > people.SEEN:
            found.append("none")
    for sleeve in ("long", "short"):
        if sleeve in found:
            return sleeve
    return "none"


def _covered(mask: AnyArray, a: F32, b: F32) -> float:
    """Share of the bone from a to b, its ends left out, that lies on cloth."""
    pts = a[:2] + np.linspace(0.25, 0.9, 14)[:, None] * (b[:2] - a[:2])
    x = np.clip(np.round(pts[:, 0]), 0, mask.shape[1] - 1).astype(int)
    y = np.clip(np.round(pts[:, 1]), 0, mask.shape[0] - 1).astype(int)
    return float(mask[y, x].mean())


def _arm_limit(joints: F32, side: str, *, y: float, t: float, axis: float) -> float | None:
    """Inner side of the arm in row y, but at least 0.26 T from the axis; None where the arm is not in that row."""
    sign = 1.0 if side == "left" else -1.0
    chain = [joints[J[f"{side}_{n}"]] for n in ("shoulder", "elbow", "wrist", "hand")]
    near = [
        float(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
        for a, b in pairwise(chain)
        if min(a[2], b[2]) > people.SEEN and abs(b[1] - a[1]) > 1 and min(a[1], b[1]) <= y <= max(a[1], b[1])
    ]
    if not near:
        return None
    inner = min(sign * (x - axis) for x in near) - 0.11 * t
    return axis + sign * max(inner, 0.26 * t)
