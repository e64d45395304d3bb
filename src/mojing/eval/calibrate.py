"""Calibrating the body network's labels: one number per label is added to its logits, so that labels are claimed as
often as they are right.

Training weighs rare labels up, which makes the network claim them too often. The numbers are found by coordinate ascent
on the mean IoU of photos that were trained on and checked on the held-out ones; they are kept in body.json
(`logit_bias`), because they belong to these weights and no others.

    python -m mojing.eval.calibrate DATA --teacher LABELS --models FOLDER
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.errors import InputError
from mojing.core.progress import track
from mojing.eval.fitting import amend, place, put
from mojing.eval.metrics import ParseMeter
from mojing.eval.people import Person, find_teacher, photo_ids, read_people
from mojing.perception import decode
from mojing.perception.body import BodyNet, enlarged_logits, merged_joints, on_map
from mojing.perception.crops import Rect
from mojing.perception.labels import EVAL_GROUPS, LABELS, L
from mojing.perception.lower import one_garment_below
from mojing.runtime import ModelStore

STEPS = (0.8, 0.4)
LEAST_GAIN = 2e-4
TUNING_PHOTOS = 400
EVERY = np.arange(len(LABELS), dtype=np.uint8)
GRID_WH = (144, 192)
"""Canvas on which mean IoU is measured while searching."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Merged logits (21, h, w) of a photo, truth (h, w) and joints (21, 3) on the same cells, and background cells
    beyond them."""

    logits: F32 = field(repr=False)
    truth: U8 = field(repr=False)
    joints: F32 = field(repr=False)
    beyond: int


def calibrate(data: Path, *, teacher: Path | None, store: ModelStore) -> dict[str, Any]:
    """Find the numbers; also tells the mean IoU before and after on photos that did not take part in finding them.

    Raises:
        InputError: bad_data.
    """
    net = BodyNet(store)
    net.bias[:] = 0
    labels = find_teacher(data, teacher)
    held = photo_ids(data, everything=False, limit=None, labelled=True)
    rest = [i for i in photo_ids(data, everything=True, limit=None, labelled=True) if i not in set(held)]
    tuning = _samples(net, data, rest[:: max(len(rest) // TUNING_PHOTOS, 1)], teacher=labels)
    checking = _samples(net, data, held, teacher=labels)
    if min(len(tuning), len(checking)) < 2:
        raise InputError("bad_data", "too few labelled photos to calibrate on")
    bias = climb(tuning, net.prior).round(2)
    return {
        "logit_bias": dict(zip(LABELS, bias.tolist(), strict=True)),
        "held_out_mean_iou": {
            "before": score(checking, np.zeros(len(LABELS)), net.prior),
            "after": score(checking, bias, net.prior),
        },
    }


def _samples(net: BodyNet, data: Path, ids: list[str], *, teacher: Path | None) -> list[Sample]:
    people = read_people(data, ids, teacher=teacher)
    return [s for p in track(people, "people", total=len(ids)) if (s := _sample(net, p)) is not None]


def _sample(net: BodyNet, person: Person) -> Sample | None:
    if person.parse is None:
        return None
    try:
        looks = net.passes(person.rgb)
    except InputError:
        return None
    rect, (h, w) = looks.whole.rect, person.parse.shape
    logits = enlarged_logits(looks, wh=GRID_WH)[: len(LABELS)]
    truth = _on_grid(person.parse, rect)
    inside = rect.inside((h, w)).wh
    beyond = (h * w - inside[0] * inside[1]) * GRID_WH[0] * GRID_WH[1] / (rect.wh[0] * rect.wh[1])
    return Sample(logits, truth, on_map(merged_joints(looks), rect, GRID_WH), round(beyond))


def _on_grid(parse: U8, rect: Rect) -> U8:
    w, h = GRID_WH
    x = (np.arange(w, dtype=np.float32) + 0.5) * rect.wh[0] / w - 0.5 + rect.x0
    y = (np.arange(h, dtype=np.float32) + 0.5) * rect.wh[1] / h - 0.5 + rect.y0
    gx, gy = np.meshgrid(x, y)
    return np.asarray(cv2.remap(parse, gx, gy, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT), np.uint8)


def score(samples: Sequence[Sample], bias: AnyArray, prior: Mapping[str, float] | None = None) -> float:
    """Mean IoU over the reported groups with these numbers added."""
    meter = ParseMeter()
    for sample in samples:
        logits = sample.logits + bias[:, None, None].astype(np.float32)
        labels = one_garment_below(decode.labels_of(logits), logits, sample.joints, present=EVERY, prior=prior)
        meter.add(labels, sample.truth)
        meter.matrix[0, 0] += sample.beyond
    return float(meter.result()["mean_iou"])


def climb(samples: Sequence[Sample], prior: Mapping[str, float] | None = None) -> AnyArray:
    """Coordinate ascent from zero; left and right share their number, and labels of no group stay as they are."""
    grouped = {name for names in EVAL_GROUPS.values() for name in names} - {"background"}
    moves = [[L[n]] for n in LABELS if n in grouped and not n.startswith(("left", "right"))]
    moves += [[L[f"left_{limb}"], L[f"right_{limb}"]] for limb in ("arm", "leg")]
    bias = np.zeros(len(LABELS))
    best = score(samples, bias, prior)
    for step in STEPS:
        improved = True
        while improved:
            improved = False
            for rows in moves:
                for change in (step, -step):
                    trial = bias.copy()
                    trial[rows] += change
                    value = score(samples, trial, prior)
                    if value > best + LEAST_GAIN:
                        best, bias, improved = value, trial, True
                        break
    return bias


def main(argv: Sequence[str] | None = None) -> int:
    """Calibrate and write the numbers into body.json."""
    at = place(argv, what="Calibrate the labels of the body network.")
    found = calibrate(at.data, teacher=at.teacher, store=at.store)
    figures = found["held_out_mean_iou"]
    amend(at.store.folder / "body.json", put("logit_bias", found["logit_bias"], metric="calibration", figures=figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
