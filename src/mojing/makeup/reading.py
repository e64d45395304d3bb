"""A look in numbers, as the make-up network says it: one row of `WIDTH` numbers for each kind that it can read.

`encode` makes rows of a look for training; `decode` makes a look of the network's raw answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from mojing.core.arrays import F32, AnyArray, readonly
from mojing.core.color import linear_to_srgb, srgb_to_linear
from mojing.makeup.kinds import AREAS, FINISHES, KINDS, PATTERNS, shade_counts
from mojing.makeup.look import SIZES, Layer, Look, Shade

READ: Final[tuple[str, ...]] = tuple(k for k in KINDS if k not in ("remove", "smooth", "hair"))
"""Kinds that are read off a face. Smoothing leaves nothing to see, and hair lies outside the flat layout."""

SHADES: Final = 5
FIELDS: Final[dict[str, int]] = {
    "present": 1,
    "count": SHADES,
    "colour": 3 * SHADES,
    "finish": len(FINISHES),
    "pattern": max(len(PATTERNS[k]) for k in READ),
    "area": max(len(AREAS[k]) for k in READ),
    "scalar": 3,
}
"""Parts of a row and how many numbers each has; scalar = coverage, size and softness."""

WIDTH: Final = sum(FIELDS.values())
_ENDS = np.cumsum([0, *FIELDS.values()])
PART: Final[dict[str, slice]] = {
    name: slice(int(a), int(b)) for name, (a, b) in zip(FIELDS, pairwise(_ENDS), strict=True)
}
"""Where each part of a row stands."""


@dataclass(frozen=True, eq=False)
class Truth:
    """A look in numbers: `values` (len(READ), WIDTH) float32, and `known`, of the same shape, 1 where a value counts.

    Classes are one-hot; colours are encoded sRGB in 0..1; scalars lie in 0..1. A kind that is absent has only
    `present` known; of several layers of one kind the most opaque one is taken.
    """

    values: F32
    known: F32

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", readonly(self.values))
        object.__setattr__(self, "known", readonly(self.known))


def encode(look: Look) -> Truth:
    """The numbers of a look."""
    values = np.zeros((len(READ), WIDTH), np.float32)
    known = np.zeros_like(values)
    known[:, PART["present"]] = 1.0
    for row, kind in enumerate(READ):
        layers = [layer for layer in look.layers if layer.kind == kind and layer.coverage * layer.amount > 0]
        if layers:
            layer = max(layers, key=lambda la: la.coverage * la.amount)
            _encode(layer, values[row], known[row])
    return Truth(values, known)


def _encode(layer: Layer, values: AnyArray, known: AnyArray) -> None:
    values[PART["present"]] = 1.0
    if layer.shades:
        n = len(layer.shades)
        values[PART["count"]][n - 1] = 1.0
        known[PART["count"]] = 1.0
        colours = linear_to_srgb(np.stack([shade.colour for shade in layer.shades]))
        values[PART["colour"]][: 3 * n] = colours.ravel()
        known[PART["colour"]][: 3 * n] = 1.0
    values[PART["finish"]][FINISHES.index(layer.finish)] = 1.0
    known[PART["finish"]] = 1.0
    patterns = PATTERNS[layer.kind]
    values[PART["pattern"]][patterns.index(layer.pattern)] = 1.0
    known[PART["pattern"]][: len(patterns)] = 1.0
    areas = AREAS[layer.kind]
    values[PART["area"]][: len(areas)] = [float(layer.has(area)) for area in areas]
    known[PART["area"]][: len(areas)] = 1.0
    values[PART["scalar"]] = (layer.coverage * layer.amount, _of_size(layer.size), layer.softness)
    known[PART["scalar"]] = 1.0


def decode(rows: AnyArray, *, thresholds: Sequence[float], name: str = "") -> Look:
    """The look that raw answers (len(READ), WIDTH) say: logits, but colours encoded sRGB and scalars 0..1 already.

    A kind is there when the chance of its presence reaches its threshold (len(READ),) in 0..1.
    """
    assert rows.shape == (len(READ), WIDTH)
    layers = []
    for row, kind, threshold in zip(np.asarray(rows, np.float64), READ, thresholds, strict=True):
        if _sigmoid(row[PART["present"]])[0] >= threshold:
            layers.append(_decode(row, kind))
    return Look(name, tuple(layers))


def _decode(row: AnyArray, kind: str) -> Layer:
    patterns, areas = PATTERNS[kind], AREAS[kind]
    pattern = patterns[int(row[PART["pattern"]][: len(patterns)].argmax())]
    least, most = shade_counts(kind, pattern)
    n = least + int(row[PART["count"]][least - 1 : most].argmax())
    colours = srgb_to_linear(np.clip(row[PART["colour"]][: 3 * n].reshape(n, 3), 0.0, 1.0))
    there = [area for area, logit in zip(areas, row[PART["area"]], strict=False) if logit > 0]
    coverage, size, softness = np.clip(row[PART["scalar"]], 0.0, 1.0)
    return Layer(
        kind,
        tuple(Shade("", np.clip(colour, 0.0, 1.0)) for colour in colours),
        finish=FINISHES[int(row[PART["finish"]].argmax())],
        coverage=round(float(coverage), 3),
        pattern=pattern,
        region=() if len(there) in (0, len(areas)) else tuple(there),
        size=round(_to_size(float(size)), 3),
        softness=round(float(softness), 3),
    )


def _of_size(size: float) -> float:
    """Size on a scale of 0..1 on which doubling is a step of one half."""
    low, high = SIZES
    return float(np.log(size / low) / np.log(high / low))


def _to_size(value: float) -> float:
    low, high = SIZES
    return float(np.clip(low * (high / low) ** value, low, high))


def _sigmoid(x: AnyArray) -> AnyArray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0))))
