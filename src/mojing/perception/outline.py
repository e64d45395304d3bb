"""A garment's anchors from its outline alone, for when the network is unsure, and the attributes that geometry tells.

Lengths are in torso lengths T (pit of the neck to the middle of the hips). A flat garment's body is about one T wide;
a standing adult's shoulder joints are 0.65 T apart, hip joints 0.36 T, thigh 0.82 T, shin 0.74 T, upper arm 0.56 T.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.skeleton import GARMENT_ANCHORS, A

TOPS = ("top", "outer", "dress")
SLEEVES = ("none", "short", "long")
SURE = 0.35
"""Confidence of an anchor read off the outline; what is extrapolated beyond the cloth gets half."""

Anchors = dict[str, tuple[float, float, float]]


def outline_anchors(alpha: U8, category: str) -> F32:
    """Anchors (17, 3: x_px, y_px, confidence) of an upright garment from its silhouette (H, W) uint8.

    Joints that the cloth does not reach have confidence 0, but for the elbow of a short sleeve, which lies where the
    sleeve points to.
    """
    mask = alpha > 127
    found: Anchors = {}
    if mask.any():
        if category in TOPS:
            _top(mask, found, dress=category == "dress")
        elif category == "trousers":
            _trousers(mask, found)
        else:
            _skirt(mask, found)
    out = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    for name, point in found.items():
        out[A[name]] = point
    return out


class Mirror(NamedTuple):
    """The line about which a silhouette is most nearly symmetric: a point on it (2,) and its unit direction (2,),
    downwards, in px, and the share of the silhouette that its mirror image covers, 0..1."""

    point: AnyArray
    along: AnyArray
    overlap: float


def symmetry(alpha: U8) -> Mirror:
    """The line about which a silhouette (H, W) is most nearly symmetric, within 15 degrees of upright."""
    scale = 72.0 / max(alpha.shape)
    wh = (max(round(alpha.shape[1] * scale), 8), max(round(alpha.shape[0] * scale), 8))
    mask = np.asarray(cv2.resize(alpha, wh, interpolation=cv2.INTER_AREA)) > 127
    ys, xs = np.nonzero(mask)
    if len(xs) < 16:
        return Mirror(np.zeros(2), np.array([0.0, 1.0]), 0.0)
    pts = np.stack([xs, ys], axis=1).astype(np.float64)
    middle = pts.mean(axis=0)
    shifts = np.linspace(-0.06, 0.06, 7) * wh[0]
    some = pts[:: max(len(pts) // 500, 1)]  # enough to find the line; its overlap is counted on all
    best = (-1.0, middle, np.array([0.0, 1.0]))
    for tilt in np.deg2rad(np.arange(-15, 15.1, 3)):
        along = np.array([np.sin(tilt), np.cos(tilt)])
        across = np.array([along[1], -along[0]])
        side = (some - middle) @ across - shifts[:, None]
        hits = _mirrored(mask, some[None] - 2 * side[..., None] * across).mean(axis=1)
        at = int(hits.argmax())
        if hits[at] > best[0]:
            best = (float(hits[at]), middle + shifts[at] * across, along)
    _, point, along = best
    across = np.array([along[1], -along[0]])
    overlap = float(_mirrored(mask, pts - 2 * ((pts - point) @ across)[:, None] * across).mean())
    return Mirror((point + 0.5) / scale - 0.5, along, overlap)


def _mirrored(mask: AnyArray, points: AnyArray) -> AnyArray:
    """Whether points (..., 2) lie on the mask; outside the picture they do not."""
    x, y = np.moveaxis(np.rint(points).astype(np.intp), -1, 0)
    h, w = mask.shape
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    return np.asarray(inside & mask[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)])


def _run(mask: AnyArray, y: float, x: float) -> tuple[float, float] | None:
    """Left and right end of the run of cloth in row y that holds x, or that lies nearest to it."""
    row = mask[int(np.clip(round(y), 0, len(mask) - 1))]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2] - 1
    gap = np.maximum(np.maximum(starts - x, x - ends), 0)
    best = int(np.lexsort((-(ends - starts), gap))[0])
    return float(starts[best]), float(ends[best])


def _span(mask: AnyArray, y: float) -> tuple[float, float] | None:
    xs = np.flatnonzero(mask[int(np.clip(round(y), 0, len(mask) - 1))])
    return (float(xs[0]), float(xs[-1])) if len(xs) else None


def _rows(mask: AnyArray) -> tuple[int, int]:
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[0]), int(rows[-1])


def _sides(found: Anchors, name: str, ends: tuple[float, float] | None, y: float, sure: float = SURE) -> None:
    """Store the wearer's left (the picture's right) and right point of a pair."""
    if ends is not None:
        found[f"right_{name}"], found[f"left_{name}"] = (ends[0], y, sure), (ends[1], y, sure)


def body_axis(mask: AnyArray, *, share: tuple[float, float]) -> tuple[float, float]:
    """Middle line x and median width of the body, over rows at these shares of the garment's height."""
    y0, y1 = _rows(mask)
    xs = np.flatnonzero(mask.any(axis=0))
    centre = median_column(mask)
    rows = np.linspace(y0 + share[0] * (y1 - y0), y0 + share[1] * (y1 - y0), 24)
    found = [r for r in (_run(mask, y, centre) for y in rows) if r is not None]
    runs = np.array(found or [(xs[0], xs[-1])] if len(xs) else [(0.0, 0.0)], np.float64)
    return float(np.median(runs.mean(axis=1))), float(np.median(runs[:, 1] - runs[:, 0] + 1))


def median_column(mask: AnyArray) -> float:
    """Median x of a mask's pixels, 0 without any: from the sums of its columns, which takes a tenth of the time."""
    sums = np.cumsum(cv2.reduce(mask.astype(np.uint8), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0])
    count = int(sums[-1])
    return float(np.searchsorted(sums, [(count - 1) // 2, count // 2], side="right").mean()) if count else 0.0


def body_bottom(mask: AnyArray, x: float, *, half: float) -> int:
    """Lowest row of cloth within `half` px of the middle line; sleeves that hang lower do not count."""
    columns = mask[:, max(int(x - half), 0) : max(int(x + half) + 1, 1)]
    rows = np.flatnonzero(columns.any(axis=1))
    return int(rows[-1]) if len(rows) else _rows(mask)[1]


def _top(mask: AnyArray, found: Anchors, *, dress: bool) -> None:
    y0, y1 = _rows(mask)
    cx, t = body_axis(mask, share=(0.25, 0.4) if dress else (0.5, 0.8))
    y1 = body_bottom(mask, cx, half=0.2 * t)
    t = max(min(t, (0.65 if dress else 1.6) * (y1 - y0)), 4.0)
    half = 0.325 * t
    tops = []
    for x in (cx - half, cx + half):
        column = np.flatnonzero(mask[:, int(np.clip(round(x), 0, mask.shape[1] - 1))])
        tops.append(float(column[0]) if len(column) else float(y0))
    sy = float(np.mean(tops)) + 0.08 * t
    _sides(found, "shoulder", (cx - half, cx + half), sy)
    found["neck"] = (cx, sy, SURE)
    _sides(found, "waist", _run(mask, min(sy + 0.62 * t, y1), cx), min(sy + 0.62 * t, y1))
    hem_y = y1 - 0.015 * (y1 - y0)
    _sides(found, "hem", _run(mask, hem_y, cx), hem_y)
    for name, down, apart in (("hip", 1.0, 0.18), ("knee", 1.82, 0.17), ("ankle", 2.56, 0.16)):
        if sy + down * t <= y1 + 0.1 * t:
            _sides(found, name, (cx - apart * t, cx + apart * t), sy + down * t)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        _sleeve(mask, found, side=side, sign=sign, cx=cx, t=t)


def _sleeve(mask: AnyArray, found: Anchors, *, side: str, sign: float, cx: float, t: float) -> None:
    """Follow the cloth outside the body's width to the cuff; put elbow and wrist where such a sleeve has them."""
    shoulder = np.array(found[f"{side}_shoulder"][:2])
    columns = sign * (np.arange(mask.shape[1]) - cx) > 0.56 * t
    first = int(columns.argmax())
    beyond = mask[: max(int(np.ceil(shoulder[1] + 1.6 * t)), 0), first : first + int(columns.sum())]
    if np.count_nonzero(beyond) < max(0.012 * np.count_nonzero(mask), 1):
        return
    ys, xs = np.nonzero(beyond)
    pts = np.stack([xs + first, ys], axis=1).astype(np.float64)
    far = np.linalg.norm(pts - shoulder, axis=1)
    cuff = pts[far > far.max() - 0.12 * t].mean(axis=0)
    length = float(np.linalg.norm(cuff - shoulder))
    if length < 0.2 * t:
        return
    ahead = (cuff - shoulder) / length
    if length > 0.78 * t:
        elbow = shoulder + 0.53 * (cuff - shoulder)
        found[f"{side}_wrist"] = (float(cuff[0]), float(cuff[1]), SURE)
        found[f"{side}_elbow"] = (float(elbow[0]), float(elbow[1]), SURE)
    else:
        elbow = shoulder + 0.56 * t * ahead
        found[f"{side}_elbow"] = (float(elbow[0]), float(elbow[1]), SURE / 2)


def _trousers(mask: AnyArray, found: Anchors) -> None:
    y0, y1 = _rows(mask)
    height = y1 - y0
    waist_y, hem_y = y0 + 0.02 * height, y1 - 0.02 * height
    _sides(found, "waist", _span(mask, waist_y), waist_y)
    ends = _span(mask, waist_y)
    cx = (ends[0] + ends[1]) / 2 if ends is not None else median_column(mask)
    spans = [_span(mask, y0 + f * height) for f in (0.08, 0.12, 0.16)]
    widths = [s[1] - s[0] for s in spans if s is not None]
    t = float(np.clip(np.median(widths) if widths else height / 2, height / 3.2, 1.6 * height))
    hip_y = waist_y + 0.32 * t
    _sides(found, "hip", (cx - 0.2 * t, cx + 0.2 * t), hip_y)
    _sides(found, "hem", _span(mask, hem_y), hem_y)
    for name, down in (("knee", 0.82), ("ankle", 1.56)):
        y = hip_y + down * t
        if y > y1 + 0.12 * t:
            continue
        y = min(y, float(y1))
        for side, sign in (("left", 1.0), ("right", -1.0)):
            row = np.flatnonzero(mask[int(y)])
            own = row[sign * (row - cx) > 0]
            if len(own):
                found[f"{side}_{name}"] = (float(own.mean()), y, SURE)


def _skirt(mask: AnyArray, found: Anchors) -> None:
    y0, y1 = _rows(mask)
    height = y1 - y0
    waist_y, hem_y = y0 + 0.03 * height, y1 - 0.02 * height
    ends = _span(mask, waist_y)
    _sides(found, "waist", ends, waist_y)
    _sides(found, "hem", _span(mask, hem_y), hem_y)
    if ends is None:
        return
    cx, t = (ends[0] + ends[1]) / 2, max((ends[1] - ends[0]) / 0.75, 4.0)
    for name, down, apart in (("hip", 0.36, 0.18), ("knee", 1.18, 0.17), ("ankle", 1.92, 0.16)):
        y = waist_y + down * t
        if y <= y1 + 0.1 * t:
            _sides(found, name, (cx - apart * t, cx + apart * t), y)


def attributes(alpha: U8, inner: U8, *, anchors: F32, category: str, sleeve: str) -> dict[str, str]:
    """Sleeve, neckline, length and closure of a garment.

    Args:
        alpha: (H, W) cut-out without its inner back.
        inner: (H, W) inner back.
        anchors: (17, 3) as found.
        category: one of the five categories.
        sleeve: the network's (or the outline's) sleeve.
    """
    out = {"sleeve": sleeve if category in TOPS else "none"}
    t = torso_length(anchors)
    mask = alpha > 127
    if not mask.any():
        return out | {"neckline": "other", "length": "regular", "closure": "none"}
    out["length"] = _length(mask, anchors, category=category, t=t)
    out["neckline"] = _neckline(mask, anchors, t=t) if category in TOPS and t > 4 else "other"
    out["closure"] = _closure(mask, inner > 127, anchors, category=category, t=t)
    return out


def torso_length(anchors: F32) -> float:
    """T in px from neck and hips, else from the shoulders' or the hips' distance; 0 when none is known."""
    seen = anchors[:, 2] > 0.1
    neck, lh, rh = A["neck"], A["left_hip"], A["right_hip"]
    if seen[[neck, lh, rh]].all():
        return float(np.linalg.norm(anchors[neck, :2] - (anchors[lh, :2] + anchors[rh, :2]) / 2))
    for a, b, share in (("left_shoulder", "right_shoulder", 0.65), ("left_hip", "right_hip", 0.36)):
        if seen[A[a]] and seen[A[b]]:
            return float(np.linalg.norm(anchors[A[a], :2] - anchors[A[b], :2])) / share
    return 0.0


def _length(mask: AnyArray, anchors: F32, *, category: str, t: float) -> str:
    y0, y1 = _rows(mask)
    if category == "trousers":
        knees, ankles = anchors[[A["left_knee"], A["right_knee"]], 2], anchors[[A["left_ankle"], A["right_ankle"]], 2]
        return "full" if ankles.max() > 0.2 else ("cropped" if knees.max() > 0.2 else "shorts")
    if t <= 4:
        return "regular"
    if category == "skirt":
        reach = (y1 - y0) / t + 0.62
        return _step(reach, (1.62, "mini"), (1.95, "knee"), (2.35, "midi"), last="maxi")
    cx, neck_y = float(anchors[A["neck"], 0]), float(anchors[A["neck"], 1])
    reach = (body_bottom(mask, cx, half=0.25 * t) - neck_y) / t
    if category == "dress":
        return _step(reach, (1.62, "mini"), (1.95, "knee"), (2.35, "midi"), last="maxi")
    return _step(reach, (0.85, "cropped"), (1.42, "regular"), last="long")


def _step(value: float, *steps: tuple[float, str], last: str) -> str:
    for limit, name in steps:
        if value < limit:
            return name
    return last


def _neckline(mask: AnyArray, anchors: F32, *, t: float) -> str:
    cx, sy = float(anchors[A["neck"], 0]), float(anchors[A["neck"], 1])
    xs = np.clip(np.round(cx + np.linspace(-0.3, 0.3, 31) * t), 0, mask.shape[1] - 1).astype(int)
    columns = mask[:, xs]
    top = np.where(columns.any(axis=0), columns.argmax(axis=0), mask.shape[0]).astype(np.float64)
    rise = (sy - top) / t
    middle, sides = rise[13:18].mean(), max(rise[3:12].max(), rise[19:28].max())
    if middle > 0.38:
        return "hood"
    if rise.max() < -0.1:
        return "strapless"
    depth = sides - middle
    if depth > 0.3:
        halfway = (rise[9] + rise[21]) / 2
        return "v" if halfway - middle > 0.35 * depth else "other"
    if sides > 0.22:
        return "collar"
    return "crew"


def _closure(mask: AnyArray, inner: AnyArray, anchors: F32, *, category: str, t: float) -> str:
    if category not in ("outer", "top") or t <= 4:
        return "none"
    y1 = _rows(mask)[1]
    neck = anchors[A["neck"]]
    rows = np.arange(int(min(neck[1] + 0.3 * t, y1 - 1)), y1)
    cx = float(neck[0])
    x0, x1 = (int(np.clip(cx + d * t, 0, mask.shape[1] - 1)) for d in (-0.15, 0.15))
    if not len(rows) or x1 <= x0:
        return "none"
    gap = (~mask[rows, x0:x1]) | inner[rows, x0:x1]
    share = float((gap.mean(axis=1) > 0.08).mean())
    if share > 0.6:
        return "open"
    return "closed" if category == "outer" else "none"
