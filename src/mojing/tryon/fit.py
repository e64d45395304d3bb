"""Size charts and body measures become ease, and ease moves a garment's anchors, so that S and XL look different.

A size chart says how wide and long each size is (cm, as shops print them: chest is the full girth, shoulder from
seam to seam, length from the shoulder's highest point to the hem, sleeve from the shoulder seam). The photo is
taken to show the size that fits the body best (or the one named); another size is wider and longer by the ratio of
the two. A garment that is larger than the one in the photo is the photo with the body inside it drawn smaller: so its
joints move towards the neck (or the waist), and the same drape makes the cloth wider and longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.core.errors import InputError
from mojing.core.skeleton import GARMENT_ANCHORS, A

CLOTH_EASE_CM: dict[str, float] = {"chest": 8.0, "waist": 6.0, "hip": 4.0}
"""Ease (garment girth less body girth, cm) of a regular fit: what a garment photo is taken to show."""

_GIRTHS = ("chest", "waist", "hip")
_LIMIT = (0.7, 1.45)


@dataclass(frozen=True)
class Fit:
    """How much larger the chosen size is than the one the photo shows: 1.0 is as in the photo.

    `ease_cm` is the garment's girth less the body's at the governing girth (chest for tops, waist or hip else), for
    reports; None when the chart or the body does not tell.
    """

    width: float = 1.0
    length: float = 1.0
    sleeve: float = 1.0
    ease_cm: float | None = None

    def __post_init__(self) -> None:
        for name in ("width", "length", "sleeve"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(
                    "bad_size", f"{name} {value} of a fit is not a positive number", "check the size chart"
                )


def choose(
    chart: Mapping[str, Mapping[str, float]], size: str, *, body_cm: Mapping[str, float], shown: str | None = None
) -> Fit:
    """Fit of one size of a chart on a body.

    Args:
        chart: size name -> measures in cm; any of chest, waist, hip (girths), length, sleeve, shoulder.
        size: the size to wear.
        body_cm: the body's girths in cm: any of chest, waist, hip.
        shown: the size in the photo; without it the size whose ease is nearest to a regular fit on this body.

    Raises:
        InputError: the size is not in the chart, or chart and body share no girth.
    """
    if size not in chart or (shown is not None and shown not in chart):
        known = ", ".join(chart)
        raise InputError(
            "bad_size", f"size {size if size not in chart else shown} is not in the chart", f"use: {known}"
        )
    girth = next((g for g in _GIRTHS if g in body_cm and all(g in m for m in chart.values())), None)
    if girth is None:
        raise InputError("bad_size", "the chart and the body share no girth", "give chest, waist or hip in cm for both")
    ease = {name: measures[girth] - body_cm[girth] for name, measures in chart.items()}
    base = shown or min(ease, key=lambda name: abs(ease[name] - CLOTH_EASE_CM[girth]))

    def ratio(key: str) -> float:
        a, b = chart[size].get(key), chart[base].get(key)
        return float(np.clip(a / b, *_LIMIT)) if a and b else 1.0

    # The photo's garment is drawn as a regular fit. When even the nearest size is not one, the rest is ease, too.
    girth_shown = body_cm[girth] + CLOTH_EASE_CM[girth] if shown is None else chart[base][girth]
    width = float(np.clip(chart[size][girth] / girth_shown, *_LIMIT))
    return Fit(width=width, length=ratio("length"), sleeve=ratio("sleeve"), ease_cm=float(ease[size]))


def shift_anchors(anchors: AnyArray, fit: Fit) -> F32:
    """Move a garment's anchors (17, 3) so that the drape makes it larger (or smaller) by the fit's factors.

    Joints move towards the neck (upper body) or the middle of the hips (no shoulders): across by `width`, down by
    `length`, along the arm by `sleeve`. `waist` and `hem` lie on the cloth's outline and stay. Confidence 0 stays 0.
    """
    out = np.array(anchors, np.float32)
    seen = out[:, 2] > 0
    root = _root(out, seen)
    if root is None:
        return out
    origin, down = root
    across = np.array([down[1], -down[0]], np.float32)
    for name in GARMENT_ANCHORS:
        row = A[name]
        if not seen[row] or name.endswith(("waist", "hem", "wrist", "elbow")):
            continue
        rel = out[row, :2] - origin
        # Half of a girth's growth is seen from the front; shoulders grow by a third of what the chest does.
        share = 0.35 if name.endswith("shoulder") else 1.0
        width = 1.0 + share * (fit.width - 1.0)
        out[row, :2] = origin + across * (rel @ across) / width + down * (rel @ down) / fit.length
    for side in ("left", "right"):
        _shift_arm(np.asarray(anchors, np.float32), out, side=side, fit=fit)
    return out


def _root(anchors: F32, seen: AnyArray) -> tuple[F32, F32] | None:
    """The point that stays and the direction down, from the joints that were seen."""
    shoulders = [A["left_shoulder"], A["right_shoulder"]]
    hips = [A["left_hip"], A["right_hip"]]
    if seen[shoulders].all():
        origin = anchors[shoulders, :2].mean(axis=0)
        spread = anchors[shoulders[0], :2] - anchors[shoulders[1], :2]
    elif seen[hips].all():
        waist = [A["left_waist"], A["right_waist"]]
        origin = anchors[waist if seen[waist].all() else hips, :2].mean(axis=0)
        spread = anchors[hips[0], :2] - anchors[hips[1], :2]
    else:
        return None
    norm = float(np.hypot(*spread))
    if norm < 1e-3:
        return None
    down = np.array([-spread[1], spread[0]], np.float32) / norm
    return origin.astype(np.float32), down if down[1] >= 0 else -down


def _shift_arm(before: F32, out: F32, *, side: str, fit: Fit) -> None:
    """Draw elbow and wrist nearer to the shoulder, which has moved already."""
    last_old, last_new = before[A[f"{side}_shoulder"], :2], out[A[f"{side}_shoulder"], :2]
    for name in ("elbow", "wrist"):
        row = A[f"{side}_{name}"]
        if before[row, 2] <= 0 or before[A[f"{side}_shoulder"], 2] <= 0:
            continue
        moved = last_new + (before[row, :2] - last_old) / fit.sleeve
        last_old, last_new = before[row, :2], moved
        out[row, :2] = moved
