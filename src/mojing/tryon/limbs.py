"""Bare arms and legs: where they lie when a new garment leaves them uncovered, and what their skin looks like.

Widths and shading were measured on hand-labelled street photos of the training part (645 places on shins, 846 on arms):
the side towards the body is darker, the outer one hardly is, and arms are lighter than the face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.tryon.parts import SIDES, Figure

if TYPE_CHECKING:
    from mojing.tryon.drape import Drape

_HALVES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "arm": ((0.0, 0.15, 0.5, 1.0, 1.3, 1.7, 2.0), (0.08, 0.075, 0.068, 0.069, 0.066, 0.052, 0.048)),
    "leg": ((0.0, 0.5, 1.0, 1.4, 2.0), (0.14, 0.128, 0.1, 0.097, 0.058)),
}
"""Half widths of bare limbs, in torso lengths, at places along them: 1 is the elbow or knee, 2 the wrist or ankle."""

_JOINTS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}

_INNER = {"arm": 16.0, "leg": 6.0}
"""How much darker (L*) than its middle a limb is at its edge towards the body."""

_OUTER = {"arm": 4.0, "leg": 1.5}

LIGHTER = {"arm": 9.0, "leg": 1.0}
"""How much lighter (L*) than face and neck the middle of a limb is."""


Rect = tuple[int, int, int, int]
"""x, y, width, height of a window of the photo in px."""


@dataclass(frozen=True, eq=False)
class Limb:
    """One arm or leg that a garment leaves bare from `start` on (1 = elbow or knee).

    Attributes:
        kind: arm or leg.
        points: (3, 2) px of its joints.
        start: where it begins to be bare, in bones.
        inward: +1 or -1, the side of the bone that faces the body.
        length: torso length in px.
        end: where it is hidden again, 2 at the wrist or ankle.
    """

    kind: str
    points: F64
    start: float
    inward: float
    length: float
    end: float = 2.0

    def scaled(self, scale: float) -> Limb:
        """The same limb in a picture `scale` times as large."""
        return replace(self, points=(self.points + 0.5) * scale - 0.5, length=self.length * scale)

    def beyond(self, hips: F64) -> list[F64]:
        """Corners (4, 2) of what lies on the outer side of an arm that hangs down, above the hips' point (2,).

        No cloth of the trunk is seen there: the arm hangs outside it.
        """
        out = []
        for i in (0, 1):
            a, d = self.points[i], self.points[i + 1] - self.points[i]
            long = float(np.hypot(*d)) + 1e-6
            first, last = max(self.start - i, 0.0), min(self.end - i, 1.0)
            last = min(last, float(hips[1] - a[1]) / max(float(d[1]), 1e-6))
            if d[1] < 0.8 * long or last <= first:
                break
            outer = -self.inward * np.array([-d[1], d[0]]) / long * 0.7 * self.length
            ends = np.array([a + first * d, a + last * d])
            out.append(np.concatenate([ends, ends[::-1] + outer]))
        return out

    def rect(self, hw: tuple[int, int]) -> Rect:
        """Bounds x, y, width, height within a photo of this size; width or height 0 outside it."""
        reach = 0.16 * self.length + 2
        low = np.clip(np.floor(self.points.min(axis=0) - reach), 0, [hw[1], hw[0]]).astype(int)
        high = np.clip(np.ceil(self.points.max(axis=0) + reach), 0, [hw[1], hw[0]]).astype(int)
        return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])

    def place(self, points: AnyArray) -> tuple[F32, F32]:
        """How far points (..., 2) px lie from the limb's line, in its half widths, and the same with a sign: + inward.

        1 is its edge; far away where the limb is covered.
        """
        knots, halves = _HALVES[self.kind]
        near = np.full(points.shape[:-1], np.float32(9.0))
        side = np.zeros(points.shape[:-1], np.float32)
        for i in (0, 1):
            a, d = self.points[i], self.points[i + 1] - self.points[i]
            long2 = float(d @ d) + 1e-6
            rel = points - a
            t = np.clip((rel @ d) / long2, 0.0, 1.0)
            half = np.interp(i + t, knots, halves) * self.length
            off = rel - t[..., None] * d
            far = np.hypot(off[..., 0], off[..., 1]) / np.maximum(half, 0.5)
            far = np.where((i + t >= self.start) & (i + t <= self.end), far, 9.0)
            cross = (d[0] * rel[..., 1] - d[1] * rel[..., 0]) * self.inward / np.sqrt(long2) / np.maximum(half, 0.5)
            closer = far < near
            near = np.where(closer, far, near).astype(np.float32)
            side = np.where(closer, np.clip(cross, -1.2, 1.2), side).astype(np.float32)
        return near, side


def bare_limbs(figure: Figure, drape: Drape, category: str) -> dict[str, Limb]:
    """Limbs beyond the new garment's ends: arms for upper-body garments, legs for what ends above the ankle.

    By side for an arm, by `left_leg` or `right_leg` for a leg.
    """
    length = float(np.hypot(*(figure.at["hips"] - figure.at["neck"])))
    kinds = [k for k, on in (("arm", ("top", "dress")), ("leg", ("dress", "skirt", "trousers"))) if category in on]
    out = {}
    for kind in kinds:
        for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
            start = drape.extents.get(f"{side}_{'sleeve' if kind == 'arm' else 'leg'}", 0.0)
            if start < 1.97:
                points = np.array([figure.at[f"{side}_{n}"] for n in _JOINTS[kind]], np.float64)
                # Where a body faces away its left is on the other side of the picture.
                turned = sign if figure.facing >= 0 else -sign
                name = side if kind == "arm" else f"{side}_leg"
                out[name] = Limb(kind, np.clip(points, -30000, 30000), start, turned, length)
    return out


def _grid(rect: Rect, step: int) -> F32:
    x, y, w, h = rect
    xs = x + (np.arange(-(-w // step), dtype=np.float32) + 0.5) * step - 0.5
    ys = y + (np.arange(-(-h // step), dtype=np.float32) + 0.5) * step - 0.5
    return np.stack(np.broadcast_arrays(xs[None], ys[:, None]), axis=-1).astype(np.float32)


def over_window(cells: AnyArray, step: int, hw: tuple[int, int]) -> AnyArray:
    """Values at every pixel of a window from those at the middles of its cells of `step` px, carried on at its end."""
    h, w = cells.shape[:2]
    big = cv2.resize(cells, (w * step, h * step), interpolation=cv2.INTER_LINEAR)
    more = ((0, max(hw[0] - h * step, 0)), (0, max(hw[1] - w * step, 0)), *([(0, 0)] * (cells.ndim - 2)))
    return np.ascontiguousarray(np.pad(big, more, mode="edge")[: hw[0], : hw[1]])


def layout(limbs: Sequence[Limb], hw: tuple[int, ...], *, edge: float = 1.0) -> U8:
    """The limbs' area (H, W), 0 or 255, out to `edge` half widths."""
    out = np.zeros(hw, np.uint8)
    for limb in limbs:
        rect = limb.rect((hw[0], hw[1]))
        if rect[2] > 0 and rect[3] > 0:
            x, y, w, h = rect
            near = over_window(limb.place(_grid(rect, _step(limb)))[0], _step(limb), (h, w))
            part = out[y : y + h, x : x + w]
            np.maximum(part, cv2.compare(near, edge, cv2.CMP_LE), out=part)
    return out


def _step(limb: Limb) -> int:
    return int(np.clip(limb.length // 90, 1, 4))


@dataclass(frozen=True, eq=False)
class Skin:
    """Painted skin in a window of the photo: colours (h, w, 3) and how much of each pixel it fills, 0..1."""

    rgb: U8
    alpha: F32


def paint(limbs: Sequence[Limb], tone: dict[str, F64], *, rect: Rect) -> Skin:
    """The limbs' skin in a rectangle x, y, width, height of the photo.

    Args:
        limbs: what is bare.
        tone: CIELAB colour of the middle of an arm and of a leg.
        rect: the window.
    """
    x0, y0, w0, h0 = rect
    rgb = np.zeros((h0, w0, 3), np.uint8)
    alpha = np.zeros((h0, w0), np.float32)
    for limb in limbs:
        x, y, w, h = limb.rect((y0 + h0, x0 + w0))
        left, above = max(x, x0), max(y, y0)
        inner = (left, above, x + w - left, y + h - above)
        if inner[2] <= 0 or inner[3] <= 0:
            continue
        near, side = limb.place(_grid(inner, _step(limb)))
        shade = _INNER[limb.kind] * np.clip(side, 0, 1) ** 2.2 + _OUTER[limb.kind] * np.clip(-side, 0, 1) ** 4
        lab = np.empty((*near.shape, 3), np.float32)
        lab[...] = tone[limb.kind]
        lab[..., 0] -= shade
        colour = np.rint(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * np.float32(255)).astype(np.uint8)
        size = (inner[3], inner[2])
        own = over_window(colour, _step(limb), size)
        sharp = 0.6 * max(0.068 * limb.length, 2.0)  # 0.6 px per half width, about
        fill = np.clip(over_window(near, _step(limb), size) * np.float32(-sharp) + np.float32(sharp + 0.5), 0, 1)
        window = np.s_[above - y0 : above - y0 + inner[3], left - x0 : left - x0 + inner[2]]
        before = np.ascontiguousarray(rgb[window])
        rgb[window] = cv2.copyTo(own, cv2.compare(fill, np.ascontiguousarray(alpha[window]), cv2.CMP_GT), before)
        alpha[window] = np.maximum(alpha[window], fill)
    return Skin(rgb, alpha)
