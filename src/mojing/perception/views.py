"""What kind of photo a find pass looked at: a person from the front or the back, legs only, a face only, or nobody.

A linear softmax on what the body network says of the whole photo: how sure it is of each joint, which labels it gives
the person, how much of the photo it takes up. The weights are fitted by `eval.viewfit` and kept in body.json (`views`),
because they belong to those weights of the network and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.core.skeleton import J
from mojing.perception.labels import LABELS

KINDS = ("front", "back", "legs", "face", "none")


def describe(parse: F32, alpha: F32, joints: F32, *, side: float) -> F32:
    """Features (46,) of a find pass.

    Args:
        parse: (21, h, w) logits.
        alpha: (h, w) logits.
        joints: (21, 3) x_px, y_px, confidence.
        side: longer side in px of what the pass looked at.
    """
    inside = alpha > 0
    share, sure, clear = np.zeros(len(LABELS)), 0.0, 0.0
    if inside.any():
        chosen = parse[:, inside]
        labels = np.bincount(chosen.argmax(axis=0), minlength=len(LABELS))
        share = labels / labels.sum()
        sure = float((1.0 / (1.0 + np.exp(-alpha[inside]))).mean())
        clear = float((1.0 / np.exp(chosen - chosen.max(axis=0)).sum(axis=0)).mean())
    across = float(joints[J["left_shoulder"], 0] - joints[J["right_shoulder"], 0]) / side
    rest = [float(inside.mean()), sure, clear, across]
    return np.concatenate([joints[:, 2], np.sqrt(share), rest]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class ViewHead:
    """The fitted softmax: mean (46,), scale (46,), weights (47, 5), the last row being the offsets."""

    mean: AnyArray
    scale: AnyArray
    weights: AnyArray

    @classmethod
    def read(cls, extra: Mapping[str, Any]) -> ViewHead | None:
        """From the further keys of body.json; None when these weights of the network have not been fitted."""
        raw = extra.get("views")
        if raw is None:
            return None
        return cls(*(np.array(raw[key], np.float64) for key in ("mean", "scale", "weights")))

    def __call__(self, features: AnyArray) -> dict[str, float]:
        """Probability of each of KINDS."""
        logits = np.append((features - self.mean) / self.scale, 1.0) @ self.weights
        odds = np.exp(logits - logits.max())
        return dict(zip(KINDS, (odds / odds.sum()).tolist(), strict=True))
