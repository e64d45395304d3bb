"""Where a lying garment's sleeve runs, from its outline alone: the way from the shoulder through the cloth to the cuff.

The network's elbow and wrist are guesses of joints that cloth does not show. A long sleeve's cuff lies at the wrist,
whatever was guessed, and its elbow about half-way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F64, U8, AnyArray
from mojing.tryon.parts import FOREARM, UPPER_ARM

LONG = {"long": 0.7, "short": 0.82}
"""Length of a sleeve from the shoulder joint, in widths of the garment's body, from which it reaches the wrist, by the
sleeve that the network read. On training photos tees have 0.3 to 0.5, sleeves to below the elbow 0.6 to 0.76, long
ones more; photos show sleeves foreshortened, and children's are short for their width."""

_MOST = 1.5
"""Longer ways run on into a hem, or into something beside the garment."""

_NARROW = 0.8
"""Least width of a body (torso lengths) that a sleeve is measured by: no garment that lies flat is narrower."""

_START = 0.13
"""Radius (torso lengths) about the shoulder from whose edge the way is measured."""

_ELBOW = UPPER_ARM / (UPPER_ARM + FOREARM)


@dataclass(frozen=True, eq=False)
class Course:
    """A sleeve's course, in the frame of its shoulder (u outwards, v downwards, torso lengths).

    Attributes:
        reach: length of the way from the shoulder joint to the cuff, in widths of the garment's body.
        elbow, wrist: (2,) u and v where a long sleeve's elbow and wrist lie on it.
    """

    reach: float
    elbow: F64
    wrist: F64


def course(rows: AnyArray, *, u: F64, v: F64, half: float) -> Course | None:
    """The course of the sleeve in a grid of cloth; None where no sleeve stands out from the trunk.

    Args:
        rows: (V, U) bool, whether there is cloth at v and u.
        u: (U,) distance outwards from the shoulder joint, torso lengths, even steps.
        v: (V,) distance downwards, even steps.
        half: distance of the shoulder joint from the middle line, torso lengths.
    """
    side = _side(rows, u, v)
    if side is None:
        return None
    du, dv = float(u[1] - u[0]), float(v[1] - v[0])
    beyond = rows & (u[None] > side + 0.03) & (v[:, None] > -0.3) & (v[:, None] < 1.75)
    start = rows & (np.hypot(u[None] - min(side, 0.1), v[:, None] - 0.06) < _START)
    if not start.any():
        return None
    allowed = (beyond | start | (rows & (u[None] > -0.06) & (v[:, None] < 0.25))).astype(np.uint8)
    far = _travel(start.astype(np.uint8), allowed, step=(dv, du))
    far[~beyond] = 0.0
    if np.count_nonzero(far) < 12:
        return None
    reach = float(np.percentile(far[far > 0], 97))
    from_joint = reach + float(np.hypot(min(side, 0.1), 0.06)) + _START
    half_way = reach - (1 - _ELBOW) * from_joint
    elbow = _middle(far, u, v, (half_way - 0.07 * reach, half_way + 0.07 * reach))
    wrist = _middle(far, u, v, (0.93 * reach, 2 * reach))
    if elbow is None or wrist is None:
        return None
    width = 2 * (half + max(side, -0.5 * half))
    share = from_joint / max(width, _NARROW)
    return Course(share, elbow, wrist) if share < _MOST else None


def _side(rows: AnyArray, u: F64, v: F64) -> float | None:
    """How far out (u) the trunk reaches below the sleeve: the narrowest quarter of its rows."""
    found = []
    for i in np.flatnonzero((v > 0.35) & (v < 1.0)):
        gaps = np.flatnonzero(~rows[i])
        if rows[i, 0]:
            found.append(float(u[gaps[0]]) if len(gaps) else float(u[-1]))
    return float(np.percentile(found, 25)) if len(found) > 5 else None


def _travel(start: U8, allowed: U8, *, step: tuple[float, float]) -> F64:
    """Length of the way (torso lengths) from `start` through `allowed` to every cell, 0 where there is none."""
    cross, square = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.ones((3, 3), np.uint8)
    pace = 0.53 * (step[0] + step[1])  # squares and crosses in turn grow an octagon, 1.06 cells a step on average
    reached, since = cv2.bitwise_and(start, allowed), np.zeros_like(start)
    steps, size = 0, 0
    for steps in range(1, 161):
        since = cv2.add(since, reached)
        reached = cv2.bitwise_and(cv2.dilate(reached, square if steps % 2 else cross), allowed)
        if steps % 8 == 0:
            size, before = cv2.countNonZero(reached), size
            if size == before:
                break
    return np.where(since > 0, (steps - since.astype(np.float64)) * pace, 0.0)


def _middle(far: F64, u: F64, v: F64, span: tuple[float, float]) -> F64 | None:
    rows, cols = np.nonzero((far > span[0]) & (far <= span[1]))
    return np.array([u[cols].mean(), v[rows].mean()]) if len(rows) else None
