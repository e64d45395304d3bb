"""What the outline says against the network: shorts read as a skirt, legs longer than the cloth, false linings.

Thresholds were set on 169 phone photos of senders whose photos are not trained on.
"""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.skeleton import A
from mojing.perception.outline import TOPS, Mirror, body_axis, symmetry

NOTCH = 0.06
"""Depth of the gap between two legs, as a share of the garment's height, from which a lower garment is trousers."""

SHORTS, CROPPED = 1.65, 2.05
"""Length over waist width below which trousers do not reach the knees, and below which they do not reach the ankles."""

SURE_SKIRT = 0.5
"""Probability from which a skirt is not taken for a sleeveless top."""

CLEAR = 0.3
"""Confidence of both anchors of a pair from which they are left where they were seen."""

SYMMETRIC = 0.8
"""Overlap of an outline with its mirror image from which left and right must agree."""

TORN = (0.15, 0.1)
"""Shares of the outline's width and height by which left and right anchors may differ and still nearly agree."""

EVEN = 0.93
"""Overlap from which anchors that contradict each other cannot both be right, however clearly they were seen."""

NARROW = 0.47
"""Half distance of the shoulders, as a share of the hem's, below which they lie on a hood or collar."""

TRUNK = (0.82, 1.45)
"""Torso length of an upper garment as it lies, in widths of its body, between which anchors are believed."""

YOKE = (0.5, 0.95)
"""Distance of its shoulder joints, in widths of its body, between which anchors are believed."""

PAIRS = ("shoulder", "elbow", "wrist", "waist", "hip", "knee", "ankle", "hem")

LINING_DEPTH = {"outer": 0.7}
"""Share of the garment's height, from the top, in which its inside may show; 0.3 for what is closed in front."""


def leg_gap(outline: U8) -> float:
    """Depth of the notch in the middle of the lower edge of an upright garment, as a share of its height."""
    mask = outline > 127
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    if w < 8 or h < 8:
        return 0.0
    inside = mask[y : y + h, x : x + w]
    low = np.where(inside.any(axis=0), h - 1 - inside[::-1].argmax(axis=0), 0)
    middle = int(low[int(0.3 * w) : max(int(0.7 * w), int(0.3 * w) + 1)].min())
    sides = int(min(low[: int(0.4 * w)].max(), low[int(0.6 * w) :].max()))
    return float(max(sides - middle, 0) / h)


def settle(category: str, anchors: F32, outline: U8, *, sure: float = 0.0) -> str:
    """The category, corrected where outline and anchors contradict a skirt.

    Args:
        category: the network's.
        anchors: (17, 3) the network's, before any were dropped.
        outline: (H, W) uint8 opacity.
        sure: the network's probability of it; a skirt it is sure of stays one whatever shoulders were seen.
    """
    if category != "skirt":
        return category
    neck = float(anchors[A["neck"], 2])
    shoulders = float(max(anchors[A["left_shoulder"], 2], anchors[A["right_shoulder"], 2]))
    if leg_gap(outline) >= NOTCH and neck < 0.25:
        return "trousers"
    return "top" if sure < SURE_SKIRT and shoulders >= 0.42 and neck >= 0.28 else category


def fit_legs(anchors: F32, outline: U8) -> F32:
    """Anchors of trousers without the joints their cloth cannot reach, told by length over waist width."""
    out = anchors.copy()
    waist = out[[A["left_waist"], A["right_waist"]]]
    _, y, w, h = cv2.boundingRect((outline > 127).astype(np.uint8))
    known = bool((waist[:, 2] > 0).all())
    width = float(np.hypot(*(waist[0, :2] - waist[1, :2]))) if known else 0.75 * w
    top = float(waist[:, 1].mean()) if known else float(y)
    ratio = (y + h - top) / max(width, 1.0)
    gone = ("knee", "ankle") if ratio < SHORTS else ("ankle",) if ratio < CROPPED else ()
    for name in gone:
        out[[A[f"left_{name}"], A[f"right_{name}"]]] = 0
    return out


def true_lining(inner: U8, outline: U8, *, category: str) -> U8:
    """The inner back without spots that lie too low to be one, such as holes in a print."""
    if not inner.any():
        return inner
    _, y, _, h = cv2.boundingRect((outline > 127).astype(np.uint8))
    count, pieces, stats, centres = cv2.connectedComponentsWithStats((inner > 24).astype(np.uint8))
    deepest = y + LINING_DEPTH.get(category, 0.3) * h
    keep: AnyArray = np.zeros(count, bool)
    keep[1:] = (centres[1:, 1] < deepest) & (stats[1:, cv2.CC_STAT_AREA] > 2e-4 * inner.size)
    return np.where(keep[pieces], inner, np.uint8(0)).astype(np.uint8)


def level_pairs(anchors: F32, outline: U8, *, category: str, mirror: Mirror | None = None) -> F32:
    """Make left and right anchors of a lying garment mirror images of each other where its outline is symmetric.

    Pairs that nearly agree stay where both are clearly seen and are averaged by confidence where not; of those that
    contradict each other the wider shoulder, the lower hip of a top and otherwise the surer anchor counts. Shoulders of
    a sleeved garment that are narrower than half its hem lie on a hood or collar, and are set where the outline reaches
    the hem's width. An uneven pair would lay the garment on askew. `mirror` is the outline's line of symmetry, where it
    is known.
    """
    point, along, overlap = mirror or symmetry(outline)
    if overlap < SYMMETRIC:
        return anchors
    out = anchors.copy()
    across = np.array([along[1], -along[0]])
    _, _, w, h = cv2.boundingRect((outline > 127).astype(np.uint8))
    halves: dict[str, tuple[float, float]] = {}
    torn: set[str] = set()
    for name in PAIRS:
        rows = [A[f"left_{name}"], A[f"right_{name}"]]
        if out[rows, 2].min() <= 0:
            continue
        u = (out[rows, :2] - point) @ across * np.array([1.0, -1.0])
        v = (out[rows, :2] - point) @ along
        weight = out[rows, 2] / out[rows, 2].sum()
        if abs(u[0] - u[1]) > TORN[0] * w or abs(v[0] - v[1]) > TORN[1] * h:
            lower = name == "hip" and category in TOPS  # one read too high would stretch the garment
            chosen = int(np.argmax(u if name == "shoulder" else v if lower else weight))
            weight = np.eye(2)[chosen]
            if overlap >= EVEN:
                torn.add(name)
        halves[name] = float(u @ weight), float(v @ weight)
    moved = False
    if category in ("top", "outer") and {"shoulder", "elbow", "hem"} <= halves.keys():
        half, hem = halves["shoulder"][0], halves["hem"]
        if half < NARROW * hem[0]:
            moved = True
            halves["shoulder"] = 0.9 * hem[0], _reaches(outline, (point, along), half=hem[0])
    for name, (u_half, v_at) in halves.items():
        clear = out[[A[f"left_{name}"], A[f"right_{name}"]], 2].min() >= CLEAR
        if clear and name not in torn and not (moved and name == "shoulder"):
            continue
        for side, sign in (("left", 1.0), ("right", -1.0)):
            out[A[f"{side}_{name}"], :2] = point + sign * u_half * across + v_at * along
    if out[A["neck"], 2] > 0:
        level = halves["shoulder"][1] if moved else float((out[A["neck"], :2] - point) @ along)
        out[A["neck"], :2] = point + level * along
    return out


def fit_trunk(anchors: F32, outline: U8, *, category: str, mirror: Mirror | None = None) -> F32:
    """Anchors of a lying upper garment whose torso and shoulders are those of somebody its body's width would fit.

    One hip or shoulder read a hand too high would scale the whole garment; its width is seen. Waist and hips are moved
    along the garment unless both hips are clearly seen, the shoulders across it, to the nearest end of TRUNK and YOKE.
    """
    need = [A[n] for n in ("neck", "left_shoulder", "right_shoulder")]
    if category not in TOPS or anchors[need, 2].min() <= 0:
        return anchors
    out = anchors.copy()
    _, width = body_axis(outline > 127, share=(0.25, 0.45) if category == "dress" else (0.45, 0.75))
    _, along, _ = mirror or symmetry(outline)
    across = np.array([along[1], -along[0]])
    neck = out[A["neck"], :2].copy()
    shoulders = [A["left_shoulder"], A["right_shoulder"]]
    half = 0.5 * float((out[shoulders[0], :2] - out[shoulders[1], :2]) @ across)
    wanted = float(np.clip(2 * half, YOKE[0] * width, YOKE[1] * width)) / 2
    for row, sign in zip(shoulders, (1.0, -1.0), strict=True):
        out[row, :2] += sign * (wanted - half) * across
    hips = [A["left_hip"], A["right_hip"]]
    if out[hips, 2].min() <= 0 or out[hips, 2].min() >= CLEAR:
        return out
    length = float((out[hips, :2].mean(axis=0) - neck) @ along)
    wanted = float(np.clip(length, TRUNK[0] * width, TRUNK[1] * width))
    for row in hips:
        out[row, :2] += (wanted - length) * along
    waist = [A["left_waist"], A["right_waist"]]
    if out[waist, 2].min() > 0:
        level = float((out[waist, :2].mean(axis=0) - neck) @ along)
        for row in waist:
            out[row, :2] += (float(np.clip(level, 0.5 * wanted, 0.85 * wanted)) - level) * along
    return out


def _reaches(outline: U8, axis: tuple[AnyArray, AnyArray], *, half: float) -> float:
    """How far along the axis (px from its point) the outline is first as wide as the hem, seen from above."""
    point, along = axis
    across = np.array([along[1], -along[0]])
    ys, xs = np.nonzero(outline > 127)
    rel = np.stack([xs, ys], axis=1) - point
    v, u = rel @ along, rel @ across
    wide = v[(u > 0.8 * half) & (u < 1.1 * half)], v[(u < -0.8 * half) & (u > -1.1 * half)]
    found = [float(np.percentile(side, 2)) for side in wide if len(side)]
    return float(np.mean(found)) if found else float(v.min())
