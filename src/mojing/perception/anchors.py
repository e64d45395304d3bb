"""A lying garment's anchors made whole: what the network saw of them, held against the outline."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.skeleton import GARMENT_ANCHORS, A, mirror_order
from mojing.perception.corners import side_points
from mojing.perception.kind import fit_legs, fit_trunk, level_pairs
from mojing.perception.outline import SURE, TOPS, Mirror, outline_anchors, symmetry

CLEAR_END = 0.3
"""Confidence of an elbow or a wrist from which the garment reaches there, whatever it is called."""

SEEN = 0.1
"""Confidence from which the network's anchor is believed; the place is often right where the heat map is faint."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "top": ("neck", "left_shoulder", "right_shoulder", "left_waist", "right_waist", "left_hem", "right_hem"),
    "outer": ("neck", "left_shoulder", "right_shoulder", "left_waist", "right_waist", "left_hem", "right_hem"),
    "dress": ("neck", "left_shoulder", "right_shoulder", "left_waist", "right_waist", "left_hem", "right_hem"),
    "skirt": ("left_waist", "right_waist", "left_hem", "right_hem"),
    "trousers": ("left_waist", "right_waist", "left_hip", "right_hip", "left_hem", "right_hem"),
}
"""Anchors that a garment of a category always has; one that the network misses is read off the outline."""


def placed_anchors(
    anchors: F32, outline: U8, *, step: int, category: str, sleeve: str, sure: float
) -> tuple[F32, list[str]]:
    """Anchors (17, 3) in px of the photo, and the names of those that the outline gave.

    Args:
        anchors: (17, 3) the network's, in px of the photo.
        outline: (h, w) every so many pixels (`step`) of the cut-out.
        step: so many.
        category: of the garment.
        sleeve: as it was read.
        sure: probability of that sleeve.
    """
    outline = np.ascontiguousarray(outline)
    mirror = symmetry(outline)
    anchors, missed = complete_anchors(
        rescaled(anchors, 1 / step), outline, category=category, sleeve=sleeve, sure=sure, mirror=mirror
    )
    for name, at in side_points(outline, category, axis=mirror[:2]).items():
        anchors[A[name]] = *at, max(anchors[A[name], 2], SURE)
    if category == "trousers":
        anchors = fit_legs(anchors, outline)
    anchors = level_pairs(anchors, outline, category=category, mirror=mirror)
    return rescaled(fit_trunk(anchors, outline, category=category, mirror=mirror), step), missed


def rescaled(anchors: F32, scale: float) -> F32:
    """Anchors in a picture `scale` times as large, whose first pixels lie on each other; absent ones stay."""
    out = np.array(anchors, np.float32)
    out[out[:, 2] > 0, :2] *= np.float32(scale)
    return out


def complete_anchors(
    anchors: F32, outline: U8, *, category: str, sleeve: str, sure: float = 0.0, mirror: Mirror | None = None
) -> tuple[F32, list[str]]:
    """The network's anchors, unsure ones set to absent, those that must be there read off the outline.

    `sure` is the probability of the sleeve, `mirror` the outline's line of symmetry where it is known.

    Returns the anchors (17, 3) and the names of those the outline gave.
    """
    out = anchors.copy()
    out[out[:, 2] < SEEN] = 0
    lower = category not in TOPS
    upper = ("neck", "shoulder", "elbow", "wrist")
    # A limb's end that is clearly seen counts more than a word for the sleeve that is not sure.
    ends = {n: float(max(out[A[f"left_{n}"], 2], out[A[f"right_{n}"], 2])) for n in ("elbow", "wrist")}
    short = "short" if sleeve == "none" and ends["elbow"] > CLEAR_END else sleeve
    longest = "long" if ends["wrist"] > CLEAR_END else short
    worn_sleeve = sleeve if sure > 0.8 else longest
    absent = upper if lower else {"none": ("elbow", "wrist"), "short": ("wrist",)}.get(worn_sleeve, ())
    for name, row in A.items():
        if name.split("_")[-1] in absent:
            out[row] = 0
    fallback = outline_anchors(outline, category)
    out = _believable(out, outline, tops=not lower, mirror=mirror or symmetry(outline))
    missed = [n for n in REQUIRED[category] if out[A[n], 2] == 0 and fallback[A[n], 2] > 0]
    if len(missed) > 0.5 * len(REQUIRED[category]):
        return fallback, list(REQUIRED[category])
    for name in missed:
        out[A[name]] = fallback[A[name]]
    if not lower and sleeve != "none":
        for name in ("left_elbow", "right_elbow"):
            if out[A[name], 2] == 0:
                out[A[name]] = fallback[A[name]]
    return out, missed


def _believable(anchors: F32, outline: U8, *, tops: bool, mirror: Mirror) -> F32:
    """Drop anchors far off the cloth or on the wrong side, and let the surer of two mirror anchors correct the other.

    A lying garment is nearly symmetric. Where its outline is, and left and right disagree by more than a fifth of its
    width or one of them is missing, and one is at least twice as sure as the other, that one is mirrored.
    """
    out = anchors.copy()
    x, y, w, h = cv2.boundingRect((outline > 127).astype(np.uint8))
    reach = 0.15 * max(w, h)
    off = (out[:, 0] < x - reach) | (out[:, 0] > x + w + reach) | (out[:, 1] < y - reach) | (out[:, 1] > y + h + reach)
    out[off] = 0
    point, along, overlap = mirror
    out = _in_order(out, outline, along=along, tops=tops)
    across = np.array([along[1], -along[0]])
    for left, right in MIRROR_PAIRS:
        for row, sign in ((left, 1.0), (right, -1.0)):
            if sign * float((out[row, :2] - point) @ across) < -0.04 * w:
                out[row] = 0
    for name in ("waist", "hem"):
        rows = [A[f"left_{name}"], A[f"right_{name}"]]
        if out[rows, 2].min() > 0 and abs(float((out[rows[0], :2] - out[rows[1], :2]) @ along)) > 0.1 * h:
            out[rows] = 0
    if overlap < 0.75:
        return out
    for left, right in MIRROR_PAIRS:
        a, b = (left, right) if out[left, 2] >= out[right, 2] else (right, left)
        if out[a, 2] == 0:
            continue
        rest = out[a, :2] - point
        mirrored = point + 2 * (rest @ along) * along - rest
        unsure = out[b, 2] < 0.5 * out[a, 2]
        if unsure and (out[b, 2] == 0 or np.hypot(*(out[b, :2] - mirrored)) > 0.2 * min(w, h)):
            out[b] = *mirrored, 0.6 * out[a, 2]
    return out


RANGES = {
    True: {
        "shoulder": (-0.1, 0.45),
        "neck": (-0.1, 0.45),
        "waist": (0.15, 0.95),
        "hip": (0.2, 1.15),
        "hem": (0.6, 1.05),
    },
    False: {"waist": (-0.1, 0.3), "hip": (0.0, 0.7), "knee": (0.2, 1.1), "ankle": (0.5, 1.15), "hem": (0.6, 1.05)},
}
"""Where anchors may lie along the garment, 0 its top and 1 its lower end, for tops and for what is worn below."""


def _in_order(anchors: F32, outline: U8, *, along: AnyArray, tops: bool) -> F32:
    """Drop anchors that lie where they cannot be along the garment, such as a waist above the shoulders."""
    ys, xs = np.nonzero(outline[::4, ::4] > 127)
    if not len(xs):
        return anchors
    places = 4 * np.stack([xs, ys], axis=1) @ along
    start, end = (float(v) for v in np.percentile(places, [0.5, 99.5]))
    out = anchors.copy()
    share = (out[:, :2] @ along - start) / max(end - start, 1.0)
    for name, row in A.items():
        low, high = RANGES[tops].get(name.split("_")[-1], (-1.0, 2.0))
        if not low <= share[row] <= high:
            out[row] = 0
    return out


MIRROR_PAIRS = [(i, j) for i, j in enumerate(mirror_order(GARMENT_ANCHORS)) if i < j]
"""Rows of left anchors and their right ones."""
