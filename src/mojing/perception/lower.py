"""Below the waist a piece of cloth is one garment: a dress, a skirt or trousers, not a patchwork of them.

Pixel by pixel a network hesitates between the three; over all its pixels together it is right far more often. It
was shown rare kinds more often than photos show them, which is put right here (Elkan 2001, "The foundations of
cost-sensitive learning", theorem 2).
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.skeleton import J
from mojing.perception.labels import LABELS, L
from mojing.perception.people import SEEN

RIVALS = ("dress", "skirt", "trousers")
WAIST = 0.5
"""Torso lengths above the hips from which cloth of these labels takes part; chosen on training photos."""
LEAST = 0.001
"""Share of the map below which a piece keeps its labels."""
FLOOR = 0.001
"""Probability below which a label is as good as not seen, whatever is usual."""


def one_garment_below(
    labels: U8, logits: F32, joints: F32, *, present: U8, prior: Mapping[str, float] | None = None
) -> U8:
    """Give every connected piece of dress, skirt and trousers below the waist the likeliest of the three labels.

    Where the piece that covers most turns out to be no dress, what was read as a dress above it is a top or a coat.

    Args:
        labels: (H, W) label ids, the largest of `logits` or cleaned of specks.
        logits: (C, H, W) of the labels in `present`.
        joints: (21, 3) in px of the map.
        present: (C,) label ids of the channels.
        prior: by name, the log of how much more often photos show one of the three than the network's training did; 0
            where it is not told.

    Returns:
        (H, W) label ids; `labels` itself where shoulders or hips are unseen or fewer than two of the three are present.
    """
    rows = joints[[J[f"{side}_{name}"] for name in ("shoulder", "hip") for side in ("left", "right")]]
    rivals = [name for name in RIVALS if L[name] in present]
    if rows[:, 2].min() < SEEN or len(rivals) < 2:
        return labels
    ids = np.array([L[name] for name in rivals], np.uint8)
    shoulders, hips = float(rows[:2, 1].mean()), float(rows[2:, 1].mean())
    line = int(np.clip(round(hips - WAIST * (hips - shoulders)), 0, len(labels)))
    below = np.isin(labels, ids)
    below[:line] = False
    out = labels.copy()
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(below.astype(np.uint8), connectivity=8)
    for piece in range(1, count):
        area = int(stats[piece, cv2.CC_STAT_AREA])
        if area < LEAST * labels.size:
            continue
        inside = pieces == piece
        winner = _likeliest(logits[:, inside], ids, present, prior=prior)
        out[inside] = winner
        above = labels == L["dress"]
        above[line:] = False
        tops = np.array([L[name] for name in ("upper", "outer") if L[name] in present], np.uint8)
        if winner != L["dress"] and 2 * area > below.sum() and above.any() and len(tops):
            out[above] = _likeliest(logits[:, above], tops, present)
    return out


def _likeliest(logits: F32, ids: U8, present: U8, *, prior: Mapping[str, float] | None = None) -> int:
    """Of the labels `ids`, the one with the largest mean probability over pixels (C, N), told what is usual."""
    odds = np.exp(logits - logits.max(axis=0))
    odds /= odds.sum(axis=0)
    usual = np.array([(prior or {}).get(LABELS[i], 0.0) for i in ids], np.float32)
    return int(ids[int((np.log(odds[np.searchsorted(present, ids)].mean(axis=1) + FLOOR) + usual).argmax())])
