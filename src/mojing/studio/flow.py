"""Where the threads run: coordinates along the cloth of each part of a garment, from its anchors.

A garment is sewn of parts: trunk, two sleeves, two legs. In each, `v` runs along the part's bones (down the trunk, from
shoulder over elbow to cuff) and `u` across, both in photo pixels, so that a print keeps its scale and turns with the
sleeve. Parts meet in seams, where the print breaks off as it does in sewn cloth.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mojing.core.arrays import F32, F64, AnyArray, readonly
from mojing.core.skeleton import A
from mojing.perception.garment import GarmentView

PARTS = ("trunk", "left_sleeve", "right_sleeve", "left_leg", "right_leg")


@dataclass(frozen=True, eq=False)
class Flow:
    """Cloth coordinates of a garment photo.

    Attributes:
        part: (H, W) uint8, index into PARTS; defined everywhere, meaningful on the cloth.
        uv: (H, W, 2) float32 px, across and along the part from its upper middle.
        width: px, width of the trunk (of both legs together for trousers): the unit in which prints are sized.
        length: px, length of the trunk's axis.
    """

    part: AnyArray
    uv: F32
    width: float
    length: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "part", readonly(self.part))
        object.__setattr__(self, "uv", readonly(self.uv))


def flow_of(view: GarmentView) -> Flow:
    """Cloth coordinates of a garment from its anchors; anchors that are missing are read off the cut-out's box."""
    at = {n: view.anchors[i, :2].astype(np.float64) for n, i in A.items() if view.anchors[i, 2] > 0}
    mask = np.maximum(view.alpha, view.inner) > 127
    box = _box(mask)
    if view.category == "trousers":
        return _trousers(view, at, mask=mask, box=box)
    axis = _trunk_axis(view.category, at, box)
    width = _width_across(mask, axis)
    if _both(at, "shoulder") and view.category != "skirt":
        # Sleeves that lie against the trunk are no part of its width.
        width = min(width, max(1.6 * float(np.hypot(*(at["left_shoulder"] - at["right_shoulder"]))), 8.0))
    polylines = {"trunk": axis}
    for side in ("left", "right"):
        arm = [at[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist") if f"{side}_{n}" in at]
        if view.category in ("top", "outer", "dress") and view.attributes.get("sleeve") != "none" and len(arm) > 1:
            polylines[f"{side}_sleeve"] = np.stack(arm)
    part = np.zeros(view.hw, np.uint8)
    uv = along(view.hw, axis)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        name = f"{side}_sleeve"
        if name in polylines:
            on = _beyond_armhole(view.hw, at, side=side, sign=sign, axis=axis, arm=polylines[name], width=width)
            on &= _reached(view, polylines[name])
            part[on] = PARTS.index(name)
            uv[on] = along(view.hw, polylines[name])[on]
    return Flow(part, uv, width, float(np.hypot(*(axis[-1] - axis[0]))))


def _box(mask: AnyArray) -> tuple[float, float, float, float]:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(ys):
        return 0.0, 0.0, float(mask.shape[1] - 1), float(mask.shape[0] - 1)
    return float(xs[0]), float(ys[0]), float(xs[-1]), float(ys[-1])


def _middle(at: dict[str, F64], name: str) -> F64 | None:
    left, right = at.get(f"left_{name}"), at.get(f"right_{name}")
    return (left + right) / 2 if left is not None and right is not None else None


def _trunk_axis(category: str, at: dict[str, F64], box: tuple[float, float, float, float]) -> F64:
    """Polyline (n, 2) down the middle of the trunk, at least two points, px."""
    x0, y0, x1, y1 = box
    top = at.get("neck") if category != "skirt" else None
    if top is None:
        top = _middle(at, "shoulder") if category != "skirt" else _middle(at, "waist")
    if top is None:
        top = np.array([(x0 + x1) / 2, y0])
    hem = _middle(at, "hem")
    if hem is None or np.hypot(*(hem - top)) < 0.2 * (y1 - y0):
        hem = np.array([top[0], max(y1, top[1] + 1.0)])
    return np.stack([top, hem])


def _width_across(mask: AnyArray, axis: F64) -> float:
    """Median width of the cloth across the middle part of the trunk, px."""
    widths = []
    for share in (0.45, 0.55, 0.65):
        x, y = axis[0] + share * (axis[-1] - axis[0])
        row = mask[int(np.clip(round(float(y)), 0, mask.shape[0] - 1))]
        at = int(np.clip(round(float(x)), 0, len(row) - 1))
        gaps = np.flatnonzero(~row)
        left, right = gaps[gaps < at], gaps[gaps > at]
        low, high = (left[-1] if len(left) else -1), (right[0] if len(right) else len(row))
        if row[at]:
            widths.append(float(high - low - 1))
    fallback = max(float(np.sqrt(mask.sum())) * 0.6, 8.0)
    return max(float(np.median(widths)) if widths else fallback, 8.0)


def along(hw: tuple[int, int], line: F64) -> F32:
    """Coordinates (H, W, 2) px about a polyline (n, 2): signed distance across, and length along it.

    Each pixel belongs to its nearest segment; the first and the last reach beyond their ends. Seen along the line's
    direction, positive is to the left, which is the picture's right when the line runs down.
    """
    ys, xs = np.mgrid[0 : hw[0], 0 : hw[1]].astype(np.float32)
    best = np.full(hw, np.inf, np.float32)
    out = np.zeros((*hw, 2), np.float32)
    start = 0.0
    for i, (a, b) in enumerate(pairwise(line)):
        length = max(float(np.hypot(*(b - a))), 1e-6)
        dx, dy = (float(v) for v in (b - a) / length)
        px, py = xs - np.float32(a[0]), ys - np.float32(a[1])
        v, u = px * dx + py * dy, px * dy - py * dx
        low = -np.inf if i == 0 else 0.0
        high = np.inf if i == len(line) - 2 else length
        away = np.hypot(u, v - np.clip(v, low, high))
        nearer = away < best
        best = np.where(nearer, away, best)
        out[nearer] = np.stack([u, v + np.float32(start)], axis=-1)[nearer]
        start += length
    return out


def _beyond_armhole(
    hw: tuple[int, int], at: dict[str, F64], *, side: str, sign: float, axis: F64, arm: F64, width: float
) -> AnyArray:
    """(H, W) bool: pixels that belong to a sleeve, beyond the line from shoulder to the trunk's side, near the arm."""
    shoulder = arm[0]
    waist = at.get(f"{side}_waist")
    low = at.get(f"{side}_hem") if waist is None else waist
    down = axis[-1] - axis[0]
    if low is None:
        low = shoulder + 0.6 * down
    # The armhole leans inward at the top: it starts a little outside of the shoulder joint.
    across = np.array([sign, 0.0])
    top = shoulder + 0.10 * width * across
    # An outline in which sleeve and trunk lie together gives no waist: a trunk is about 1.5 shoulder breadths wide.
    trunk = along(hw, axis)
    breadth = float(np.hypot(*(at["left_shoulder"] - at["right_shoulder"]))) if _both(at, "shoulder") else width / 1.5
    middle = axis[0] + down * float(np.clip(((low - axis[0]) @ down) / (down @ down), 0.3, 1.0))
    reach = float(np.clip(np.hypot(*(low - middle)), 0.5 * breadth, 0.82 * breadth))
    foot = middle + reach * sign * np.array([down[1], -down[0]]) / max(float(np.hypot(*down)), 1e-6)
    direction = foot - top
    ys, xs = np.mgrid[0 : hw[0], 0 : hw[1]].astype(np.float32)
    outside = sign * ((xs - top[0]) * direction[1] - (ys - top[1]) * direction[0]) > 0
    own = along(hw, arm)
    near = np.abs(own[..., 0]) < 0.36 * width
    return np.asarray(outside & near & (own[..., 1] > -0.3 * width) & (sign * trunk[..., 0] > 0))


def _reached(view: GarmentView, arm: F64) -> AnyArray:
    """(H, W) bool: pixels no further along the arm than such a sleeve goes, so that no skirt counts as one."""
    length = float(np.hypot(*np.diff(arm, axis=0).T).sum())
    share = 1.2 if view.attributes.get("sleeve") == "long" else 0.85
    return np.asarray(along(view.hw, arm)[..., 1] < share * length)


def _both(at: dict[str, F64], name: str) -> bool:
    return f"left_{name}" in at and f"right_{name}" in at


def _trousers(view: GarmentView, at: dict[str, F64], *, mask: AnyArray, box: tuple[float, float, float, float]) -> Flow:
    """Seat and two legs; the legs part below the fork, each with threads along its own bones."""
    x0, y0, x1, y1 = box
    top = _middle(at, "waist")
    top = np.array([(x0 + x1) / 2, y0]) if top is None else top
    hips = _middle(at, "hip")
    hips = top + np.array([0.0, 0.3 * (y1 - y0)]) if hips is None else hips
    part = np.zeros(view.hw, np.uint8)
    axis = np.stack([top, hips + (hips - top) + np.array([0.0, 1e-3])])
    uv = along(view.hw, axis)
    ys, xs = np.mgrid[0 : view.hw[0], 0 : view.hw[1]].astype(np.float32)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        hip = at.get(f"{side}_hip")
        if hip is None:
            hip = hips + np.array([sign * 0.22 * (x1 - x0), 0.0])
        low = [at[f"{side}_{n}"] for n in ("knee", "ankle") if f"{side}_{n}" in at]
        hem = at.get(f"{side}_hem")
        end = low or ([np.array([(hem[0] + hip[0]) / 2, hem[1]])] if hem is not None else [np.array([hip[0], y1])])
        leg = np.stack([hip, *end])
        fork = hips[1] + 0.25 * max(float(hips[1] - top[1]), 0.05 * (y1 - y0))
        on = (sign * (xs - hips[0]) > 0) & (ys > fork)
        own = along(view.hw, leg)
        # The leg's threads carry on from the seat's: same length at the fork, same distance from the middle.
        shift = np.array([(hip - hips)[0], np.hypot(*(hips - top))], np.float32)
        part[on] = PARTS.index(f"{side}_leg")
        uv[on] = (own + shift)[on]
    width = max(_span(mask, hips[1]), 8.0)
    return Flow(part, uv, width, float(y1 - top[1]))


def _span(mask: AnyArray, y: float) -> float:
    row = np.flatnonzero(mask[int(np.clip(round(y), 0, mask.shape[0] - 1))])
    return float(row[-1] - row[0] + 1) if len(row) else 0.0
