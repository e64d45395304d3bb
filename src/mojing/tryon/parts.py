"""The common measure of bodies and garments: a complete set of joints, and the torso's axis with its widths.

Both a person's 21 joints and a garment's 17 anchors become a `Figure` in which every joint that a drape needs has a
place; what was not seen is filled in by the proportions of a standing adult, in units of torso length (neck to
middle of the hips), which were measured over 1,938 street photos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F64, AnyArray

SHOULDERS, HIPS, UPPER_ARM, FOREARM, THIGH, SHIN = 0.65, 0.36, 0.56, 0.49, 0.82, 0.74
"""Distance between the shoulder joints, between the hip joints, and bone lengths, in torso lengths."""

SIDES = ("left", "right")
_HALVES = {"shoulder": SHOULDERS / 2, "hip": HIPS / 2}


@dataclass(frozen=True, eq=False)
class Figure:
    """Joints of a body or a garment, complete: name without gaps -> (x, y) in px; `known` are those that were seen."""

    at: dict[str, F64]
    known: frozenset[str]

    def mid(self, name: str) -> F64:
        """Middle between the left and the right joint."""
        return (self.at[f"left_{name}"] + self.at[f"right_{name}"]) / 2

    def knows(self, *names: str) -> bool:
        """Whether both sides of all these joints were seen."""
        return all(f"{side}_{name}" in self.known for name in names for side in SIDES)

    @property
    def facing(self) -> float:
        """Cross product of the line across and the line down, over torso length squared: negative from behind."""
        down = self.mid("hip") - self.mid("shoulder")
        across = (self.at["left_shoulder"] - self.at["right_shoulder"]) + (self.at["left_hip"] - self.at["right_hip"])
        return float((across[0] * down[1] - across[1] * down[0]) / (down @ down + 1e-9))

    def swapped(self) -> Figure:
        """The same figure with left and right exchanged."""
        other = {"left": "right", "right": "left"}
        flip = {n: f"{other[n.partition('_')[0]]}_{n.partition('_')[2]}" if "_" in n else n for n in self.at}
        return Figure({flip[n]: self.at[n] for n in self.at}, frozenset(flip[n] for n in self.known if n in flip))


def complete(
    joints: AnyArray, names: Sequence[str], *, bounds: tuple[float, float, float, float], floor: float = 0.1
) -> Figure:
    """Fill in what is missing in joints or anchors (J, 3: x_px, y_px, confidence).

    `bounds` x0, y0, x1, y1 is where the figure's pixels lie, used only when too few joints are known. A joint counts
    as seen from confidence `floor` on. Never gives NaN.
    """
    good = np.isfinite(joints).all(axis=1) & (joints[:, 2] >= floor)
    seen = {n: joints[i, :2].astype(np.float64) for i, n in enumerate(names) if good[i]}
    at = dict(seen)
    _complete_trunk(at, bounds)
    down = at["hips"] - at["neck"]
    length = float(np.hypot(*down)) + 1e-6
    down = down / length
    across = np.array([down[1], -down[0]])
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        arm = _unit(down + 0.2 * sign * across)
        _chain(at, [f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"], (UPPER_ARM, FOREARM), arm, length)
        _chain(at, [f"{side}_hip", f"{side}_knee", f"{side}_ankle"], (THIGH, SHIN), down, length)
    return Figure(at, frozenset(seen))


def _complete_trunk(at: dict[str, F64], bounds: tuple[float, float, float, float]) -> None:
    """Put shoulders, hips, `neck` and `hips` (their middles) into `at`."""
    x0, y0, x1, y1 = bounds
    down = np.array([0.0, 1.0])
    pairs = {n: [f"{s}_{n}" for s in SIDES] for n in _HALVES}
    have = {n: [k for k in keys if k in at] for n, keys in pairs.items()}
    mids = {n: np.mean([at[k] for k in keys], axis=0) for n, keys in pairs.items() if len(have[n]) == 2}
    if "shoulder" in mids and "hip" in mids:
        length = float(np.hypot(*(mids["hip"] - mids["shoulder"])))
        if length > 1e-3:
            down = (mids["hip"] - mids["shoulder"]) / length
    elif "shoulder" in mids:
        spread = at["left_shoulder"] - at["right_shoulder"]
        length = float(np.hypot(*spread)) / SHOULDERS
        down = _upright(np.array([-spread[1], spread[0]]))
    elif "hip" in mids:
        spread = at["left_hip"] - at["right_hip"]
        length = float(np.hypot(*spread)) / HIPS
        down = _upright(np.array([-spread[1], spread[0]]))
    else:
        length = 0.62 * max(y1 - y0, 1.0)
    length = max(length, 1e-2)
    across = np.array([down[1], -down[0]])
    for name, half in _HALVES.items():
        keys = pairs[name]
        if name in mids:
            continue
        if len(have[name]) == 1:
            sign = 1.0 if have[name][0].startswith("left") else -1.0
            mid = at[have[name][0]] - sign * half * length * across
        elif mids or any(have.values()):
            other = "hip" if name == "shoulder" else "shoulder"
            base = mids.get(other)
            if base is None:
                key = next((k for k in have[other]), None)
                base = at[key] if key else np.array([(x0 + x1) / 2, (y0 + y1) / 2])
            mid = base + (length if name == "hip" else -length) * down
        else:
            mid = np.array(
                [(x0 + x1) / 2, y0 + (0.15 * (y1 - y0) if name == "shoulder" else 0.15 * (y1 - y0) + length)]
            )
        mids[name] = mid
        for key, sign in zip(keys, (1.0, -1.0), strict=True):
            at.setdefault(key, mid + sign * half * length * across)
    at["neck"] = (at["left_shoulder"] + at["right_shoulder"]) / 2
    at["hips"] = (at["left_hip"] + at["right_hip"]) / 2


def _upright(v: AnyArray) -> F64:
    v = _unit(v)
    return v if v[1] >= 0 else -v


def _chain(at: dict[str, F64], names: list[str], lengths: tuple[float, float], ahead: F64, torso: float) -> None:
    """Extend a limb whose further joints were not seen in the direction of what was seen."""
    for a, b, share in zip(names, names[1:], lengths, strict=False):
        if b not in at or np.hypot(*(at[b] - at[a])) < 0.02 * torso:
            at[b] = at[a] + share * torso * ahead
        ahead = _unit(at[b] - at[a])


def _unit(v: AnyArray) -> F64:
    return np.asarray(v / (np.hypot(v[0], v[1]) + 1e-9), np.float64)


@dataclass(frozen=True, eq=False)
class Axis:
    """The trunk's middle line, in units of torso length: s = 0 at the neck, 1 at the hips, more below.

    `across0`, `across1` are unit vectors to the wearer's left at the shoulders and at the hips; `half0`, `half1` the
    half distances of the joints there; `tail` is the unit direction below the hips.
    """

    neck: F64
    hips: F64
    across0: F64
    across1: F64
    half0: float
    half1: float
    tail: F64

    @property
    def length(self) -> float:
        """Torso length in px."""
        return float(np.hypot(*(self.hips - self.neck))) + 1e-6

    @property
    def down(self) -> F64:
        """Unit vector from neck to hips."""
        return _unit(self.hips - self.neck)

    def centre(self, s: AnyArray) -> F64:
        """Points (N, 2) of the middle line at s (N,)."""
        s = np.asarray(s, np.float64)[:, None]
        return np.asarray(
            self.neck
            + np.minimum(s, 1.0) * (self.hips - self.neck)
            + np.maximum(s - 1.0, 0.0) * self.length * self.tail
        )

    def across(self, s: AnyArray) -> F64:
        """Unit vectors (N, 2) to the wearer's left at s (N,)."""
        t = np.clip(np.asarray(s, np.float64), 0, 1)[:, None]
        v = (1 - t) * self.across0 + t * self.across1
        return np.asarray(v / (np.linalg.norm(v, axis=1, keepdims=True) + 1e-9))

    def half(self, s: AnyArray) -> F64:
        """Half distance (N,) px between the joints, interpolated from shoulders to hips."""
        t = np.clip(np.asarray(s, np.float64), 0, 1)
        return np.asarray((1 - t) * self.half0 + t * self.half1)

    def coordinates(self, points: AnyArray) -> tuple[F64, F64]:
        """s and the signed distance (px) to the wearer's left, for points (..., 2), by one straight frame."""
        rel = np.asarray(points, np.float64) - self.neck
        left = np.array([self.down[1], -self.down[0]])
        left = left if float(left @ self.across0) >= 0 else -left
        return rel @ self.down / self.length, rel @ left


def axis_of(figure: Figure, *, tail: F64) -> Axis:
    """Axis of a complete figure; `tail` is the direction below the hips (any length)."""
    shoulders = figure.at["left_shoulder"] - figure.at["right_shoulder"]
    hips = figure.at["left_hip"] - figure.at["right_hip"]
    down = _unit(figure.at["hips"] - figure.at["neck"])
    side = np.array([down[1], -down[0]])
    side = side if float(side @ (shoulders + hips)) >= 0 else -side
    # A line across that is nearly parallel to the spine (seen from the side) carries no direction.
    a0 = _unit(shoulders) if abs(float(_unit(shoulders) @ side)) > 0.6 else side
    a1 = _unit(hips) if abs(float(_unit(hips) @ side)) > 0.6 else side
    a0 = a0 if float(a0 @ side) > 0 else side
    a1 = a1 if float(a1 @ side) > 0 else side
    return Axis(
        figure.at["neck"],
        figure.at["hips"],
        a0,
        a1,
        float(np.hypot(*shoulders)) / 2,
        float(np.hypot(*hips)) / 2,
        _unit(tail),
    )


def sample(mask: AnyArray, points: AnyArray) -> AnyArray:
    """Nearest values of a picture (H, W) at points (..., 2) px; 0 outside."""
    h, w = mask.shape
    x, y = np.rint(points[..., 0]).astype(np.intp), np.rint(points[..., 1]).astype(np.intp)
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    return np.where(inside, mask[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)], 0)


Inside = Callable[[AnyArray], AnyArray]
"""Whether points (..., 2) px lie in a region: looked up where asked, so that no mask of a whole photo is made."""


def extents(inside: Inside, axis: Axis, s: AnyArray, *, reach: float) -> F64:
    """How far a region reaches from the axis to the wearer's left and right at s: (N, 2) px, 0 where empty.

    A row is followed outwards over gaps of at most 4 % of the torso length, so an open coat counts to its outer
    edge and an arm that hangs apart does not.
    """
    steps = np.linspace(0.0, reach, 72)
    centre, across = axis.centre(s), axis.across(s)
    out = np.zeros((len(centre), 2))
    for k, sign in enumerate((1.0, -1.0)):
        points = centre[:, None] + sign * steps[None, :, None] * across[:, None]
        hit = inside(points)
        index = np.arange(len(steps))
        first = np.where(hit.any(axis=1), hit.argmax(axis=1), 0)
        bridge = max(1, int(0.04 * axis.length / (steps[1] + 1e-9)))
        gap = np.cumsum(~hit, axis=1) - np.maximum.accumulate(np.where(hit, np.cumsum(~hit, axis=1), 0), axis=1)
        broken = (gap > bridge) & (index[None] > first[:, None])
        stop = np.where(broken.any(axis=1), broken.argmax(axis=1), len(steps))
        reached = np.where(hit & (index[None] < stop[:, None]), index[None], -1).max(axis=1)
        out[:, k] = np.where(reached >= 0, steps[np.maximum(reached, 0)] + 0.5 * steps[1], 0.0)
    return out
