"""Quality: is the picture good enough to show, and if not, why.

The score is the estimated chance that a garment put on in this way lies where it should: a logistic function of the
signs, fitted to try-ons of known truth by `mojing.eval.qualityfit` and kept in render.json, because it belongs to
those weights. Without the network (or the fit) it is a product of the graded signs, which only orders results.
The reasons come from the grades: every sign has the value at which it counts as lost and the one from which it is good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import AnyArray
from mojing.core.skeleton import J
from mojing.perception.body import BodyView
from mojing.perception.garment import GarmentView
from mojing.tryon.agnostic import Edit
from mojing.tryon.drape import Drape
from mojing.tryon.render import Rendered, torso_px

THRESHOLD = 0.05
"""Below this score a result is refused."""

_SIGNS: dict[str, tuple[float, float, str]] = {
    "body": (0.15, 0.5, "the pose could not be read surely: stand upright, facing the camera, with the arms in view"),
    "garment": (0.1, 0.45, "the garment could not be read surely: use a photo of it lying flat or hanging, seen whole"),
    "kept": (
        0.25,
        0.75,
        "too much of the garment would be hidden: choose a photo with the hands and bags away from it",
    ),
    "agreement": (0.15, 0.55, "the garment does not fit the body in the photo: check its category and its anchors"),
    "stretch": (0.3, 0.8, "the garment had to be stretched too much: use photos with a like pose"),
    "size": (0.1, 0.5, "the garment came out too small or too large for the body: check its anchors"),
}
"""Sign -> value at which it is lost, value from which it is good, and what to say when it is bad."""


_AREA = {"top": (0.3, 2.6), "outer": (0.4, 4.5), "dress": (0.5, 5.0), "skirt": (0.12, 3.5), "trousers": (0.15, 3.2)}
"""Smallest and largest sensible area of a worn garment, in squared torso lengths."""


@dataclass(frozen=True)
class Quality:
    """Score in 0..1, whether it is good enough, what is wrong (worst first), and the signs it was made from."""

    score: float
    ok: bool
    reasons: tuple[str, ...]
    signs: dict[str, float]


def judge(
    body: BodyView,
    garment: GarmentView,
    *,
    drape: Drape,
    rendered: Rendered,
    edit: Edit,
    weights: Mapping[str, float] | None = None,
) -> Quality:
    """Judge a finished try-on; `weights` are the fitted ones by sign, with `bias`."""
    raw = signs_of(body, garment, drape=drape, rendered=rendered, edit=edit)
    graded = {name: _grade(raw[name], *_SIGNS[name][:2]) for name in _SIGNS}
    score = float(np.prod(list(graded.values())) ** (1 / 2)) if weights is None else chance(raw, weights)
    bad = sorted((value, name) for name, value in graded.items() if value < 0.6)
    reasons = tuple(_SIGNS[name][2] for _, name in bad)
    return Quality(round(score, 4), score >= THRESHOLD, reasons, {k: round(float(v), 4) for k, v in raw.items()})


def signs_of(body: BodyView, garment: GarmentView, *, drape: Drape, rendered: Rendered, edit: Edit) -> dict[str, float]:
    """Every sign's value: those of the grades in 0..1, and what else the fit uses.

    `shift` is the mean residual flow in torso lengths, `invented` the share of the changed area that no garment covers,
    `spill` the share of the garment that lies beyond the body and what was worn.
    """
    change = cv2.bitwise_and(edit.mask, cv2.bitwise_not(edit.stay))
    cloth = cv2.compare(rendered.alpha, 0.5, cv2.CMP_GT)
    known = np.maximum(cv2.compare(body.alpha, 127, cv2.CMP_GT), edit.remove)
    return {
        "body": _trunk_confidence(body, garment.category),
        "garment": garment.confidence,
        "kept": rendered.kept,
        "agreement": rendered.agreement,
        "stretch": _evenness(drape),
        "size": _covered(body, drape, garment.category),
        "shift": rendered.shift,
        "invented": _share(cv2.bitwise_not(cloth), change),
        "spill": _share(cv2.bitwise_not(known), cloth),
    }


def _share(part: AnyArray, whole: AnyArray) -> float:
    """Share of the pixels of one mask, 0 or 255, that lie in another."""
    return cv2.countNonZero(cv2.bitwise_and(part, whole)) / max(cv2.countNonZero(whole), 1)


def chance(signs: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Logistic function of the signs: `bias` + the sum of weight times sign, weights by the sign's name."""
    total = weights["bias"] + sum(weights[name] * signs[name] for name in weights if name != "bias")
    return float(1 / (1 + np.exp(-np.clip(total, -30, 30))))


def _grade(value: float, lost: float, good: float) -> float:
    """0.02 at `lost` and below, 1 at `good` and above, straight between."""
    return float(np.clip((value - lost) / (good - lost), 0.02, 1.0))


def _trunk_confidence(body: BodyView, category: str) -> float:
    names = ("shoulder", "hip") if category in ("top", "outer", "dress") else ("hip", "knee")
    rows = [J[f"{side}_{name}"] for name in names for side in ("left", "right")]
    return float(np.sort(body.joints[rows, 2])[:2].mean())


def _evenness(drape: Drape) -> float:
    """Share of the garment whose local stretch lies within a factor 2.5 of the garment's median stretch."""
    field, part = drape.cells()
    dx, dy = np.diff(field, axis=1)[:-1], np.diff(field, axis=0)[:, :-1]
    whole = (part[:-1, :-1] > 0) & (part[1:, :-1] == part[:-1, :-1]) & (part[:-1, 1:] == part[:-1, :-1])
    if whole.sum() < 16:
        return 0.0
    area = np.abs(dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0])[whole]
    middle = float(np.median(area)) + 1e-6
    return float(((area > middle / 6.25) & (area < middle * 6.25)).mean())


def _covered(body: BodyView, drape: Drape, category: str) -> float:
    """1 when the garment covers a sensible area for its kind; less when far too small or large."""
    area = cv2.countNonZero(cv2.compare(drape.alpha, 0.5, cv2.CMP_GT)) / torso_px(body) ** 2
    low, high = _AREA[category]
    return float(np.clip(min(area / low, high / max(area, 1e-6)), 0, 1))
