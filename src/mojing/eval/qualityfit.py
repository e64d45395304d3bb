"""Fitting the quality score to the render network: try-ons of known truth in, logistic weights for render.json out.

    python -m mojing.eval.qualityfit DATA --teacher LABELS --models FOLDER

People of the training part get their own garment back after it was spoiled in a known way: hardly, with wrong anchors,
as another kind of garment, or on wrong joints. A try-on counts as good when the garment covers what it covered in the
photo (IoU of at least GOOD_IOU) in colours that are near (L1 of at most GOOD_L1 inside). The fit is checked on held-out
people: the area under the ROC curve, and how far the stated chance is from the share that was good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.progress import track
from mojing.eval.fitting import Place, amend, place, put
from mojing.eval.metrics import iou
from mojing.eval.people import photo_ids, read_people
from mojing.eval.putback import disturbed, worn_view
from mojing.perception.garment import CATEGORIES, GarmentView
from mojing.tryon.pattern import make_pattern
from mojing.tryon.pipeline import GarmentLook, PersonLook, TryOn
from mojing.tryon.quality import THRESHOLD, chance
from mojing.tryon.render import torso_px

GOOD_IOU, GOOD_L1 = 0.8, 0.12
FITTED = ("agreement", "body", "garment", "kept", "shift", "size", "stretch")
"""Signs that mean the same for somebody's own garment and for another. How much is invented and how far the cloth
reaches beyond the body tell more about a garment put back, but a wider garment than the one taken off does both by
right."""

PEOPLE = 110
"""People of the training part that are dressed, three times each; as many held-out ones check the fit."""


@dataclass(frozen=True)
class Trial:
    """One try-on of known truth: its signs and whether it was good."""

    signs: dict[str, float]
    good: bool


def trials(tryon: TryOn, where: Place, ids: Sequence[str]) -> list[Trial]:
    """Dress everyone three times, each time spoiled in another way."""
    out = []
    people = read_people(where.data, list(ids), teacher=where.teacher)
    for index, person in enumerate(track(people, "people", total=len(ids))):
        rng = np.random.default_rng(index)
        try:
            look = tryon.look(Photo(person.rgb))
            garment = worn_view(person.rgb, look.body)
            if garment is None:
                continue
            truth = np.asarray(garment.alpha) > 127
            for spoil in (0, 1, 2):
                out.append(_trial(tryon, look, disturbed(garment, rng), truth, rng=rng, spoil=spoil))
        except InputError:
            continue
    return out


def _trial(
    tryon: TryOn, look: PersonLook, garment: GarmentView, truth: AnyArray, *, rng: np.random.Generator, spoil: int
) -> Trial:
    if spoil == 1:
        garment = replace(garment, anchors=_moved(garment.anchors, rng, most=0.3))
    elif spoil == 2 and rng.random() < 0.5:
        garment = replace(garment, category=str(rng.choice([c for c in CATEGORIES if c != garment.category])))
    elif spoil == 2:
        joints = look.body.joints.copy()
        joints[:, :2] += rng.normal(0, rng.uniform(0.05, 0.25) * torso_px(look.body), joints[:, :2].shape)
        look = replace(look, body=replace(look.body, joints=joints))
    result = tryon(look, GarmentLook(Photo(garment.rgb), garment, make_pattern(garment)))
    cover = iou(result.alpha > 0.5, truth)
    apart = np.abs(result.image.astype(np.float32) - look.photo.rgb)[truth]
    return Trial(result.quality.signs, cover >= GOOD_IOU and float(apart.mean()) / 255 <= GOOD_L1)


def _moved(anchors: F32, rng: np.random.Generator, *, most: float) -> F32:
    """Anchors off by a normal error of up to `most` of the garment's spread."""
    out = anchors.copy()
    seen = out[:, 2] > 0
    spread = float(np.ptp(out[seen, 1])) if seen.any() else 1.0
    out[seen, :2] += rng.normal(0, rng.uniform(0.02, most) * spread, (int(seen.sum()), 2)).astype(np.float32)
    return out


def fit(
    found: Sequence[Trial], *, names_fitted: Sequence[str] = FITTED, decay: float = 2e-3, steps: int = 4000
) -> dict[str, float]:
    """Logistic regression on standardised signs by gradient descent; weights are returned for the signs as they are.

    Raises:
        InputError: bad_data, when all trials came out alike.
    """
    names = sorted(n for n in found[0].signs if n in names_fitted) if found else []
    x = np.array([[t.signs[n] for n in names] for t in found], np.float64)
    y = np.array([t.good for t in found], np.float64)
    if len(found) < 8 or y.min() == y.max():
        raise InputError("bad_data", "too few try-ons, or all of them alike: the score cannot be fitted")
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    z = np.concatenate([(x - mean) / scale, np.ones((len(x), 1))], axis=1)
    w = np.zeros(z.shape[1])
    for _ in range(steps):
        gradient = z.T @ (1 / (1 + np.exp(-z @ w)) - y) / len(y)
        gradient[:-1] += decay * w[:-1]
        w -= 0.5 * gradient
    slope = w[:-1] / scale
    return {**dict(zip(names, slope.tolist(), strict=True)), "bias": float(w[-1] - slope @ mean)}


def check(found: Sequence[Trial], weights: dict[str, float]) -> dict[str, Any]:
    """Area under the ROC curve, the mean gap between chance and share over five bins, and the share that was good."""
    p = np.array([chance(t.signs, weights) for t in found])
    good = np.array([t.good for t in found])
    if good.all() or not good.any():
        return {"trials": len(found), "good": float(good.mean()) if len(good) else 0.0}
    above = (p[good][:, None] > p[~good][None]).mean() + 0.5 * (p[good][:, None] == p[~good][None]).mean()
    bins = np.clip((p * 5).astype(int), 0, 4)
    gaps = [
        abs(p[bins == b].mean() - good[bins == b].mean()) * (bins == b).mean() for b in range(5) if (bins == b).any()
    ]
    return {
        "trials": len(found),
        "good": float(good.mean()),
        "roc_area": float(above),
        "calibration_gap": float(sum(gaps)),
        "refused_good": float((p[good] < THRESHOLD).mean()),
        "refused_bad": float((p[~good] < THRESHOLD).mean()),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and write the weights into render.json."""
    where = place(argv, what="Fit the quality score to try-ons of known truth.")
    tryon = TryOn(models=where.store.folder, strict=False)
    held = photo_ids(where.data, everything=False, limit=None)
    rest = sorted(set(photo_ids(where.data, everything=True, limit=None)) - set(held))
    weights = fit(trials(tryon, where, rest[:: max(len(rest) // PEOPLE, 1)]))
    figures = check(trials(tryon, where, held[:PEOPLE]), weights)
    rounded = {k: round(v, 4) for k, v in weights.items()}
    amend(Path(where.store.folder) / "render.json", put("quality", rounded, metric="quality", figures=figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
