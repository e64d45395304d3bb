"""A garment photo made ready for draping: its figure, and the masks of its parts (torso, sleeves, legs).

Done once per garment and kept: the same pattern drapes onto every person and at every size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.core.geometry import shrink_cells
from mojing.core.skeleton import GARMENT_ANCHORS, A
from mojing.perception.cutout import own_colour
from mojing.tryon.cuffs import LONG, course
from mojing.tryon.fit import Fit, shift_anchors
from mojing.tryon.parts import (
    FOREARM,
    HIPS,
    SHIN,
    SIDES,
    THIGH,
    UPPER_ARM,
    Axis,
    Figure,
    axis_of,
    complete,
    sample,
)

if TYPE_CHECKING:
    from mojing.perception.garment import GarmentView

PARTS: dict[str, int] = {
    "none": 0,
    "torso": 1,
    "left_upper_sleeve": 2,
    "right_upper_sleeve": 3,
    "left_lower_sleeve": 4,
    "right_lower_sleeve": 5,
    "left_thigh": 6,
    "right_thigh": 7,
    "left_shin": 8,
    "right_shin": 9,
    "skirt": 10,
}
"""Ids in a drape's part map."""

UPPER = ("top", "outer", "dress")
RISE = 0.3
"""Height of a waistband above the hip joints, torso lengths."""
_SEAM = 0.02
"""Torso lengths by which neighbouring parts overlap at their seam."""

_PAST_ELBOW, _CUFF = 0.05, 0.1
"""How far a short sleeve may reach past the elbow, in forearms, and its cuff's corner below that, in torso lengths."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """A garment's cut: the picture that is sampled and where its parts lie.

    Attributes:
        rgba: (H, W, 4) uint8 at the garment photo's size; colours are carried on beyond the cut-out's edge.
        figure: complete joints in garment px.
        category: top, outer, dress, skirt or trousers.
        limbs: sides that have a sleeve (upper body) or a leg (trousers).
        masks: part mask (h, w) uint8 at a reduced size: `trunk`, `left` and `right` for the limbs, `cloth` for all.
        worn: the garment was photographed on a person, so its widths are those of a worn garment.
        closed: the garment is closed in front and must cover the body's width.
    """

    rgba: U8
    figure: Figure
    category: str
    limbs: tuple[str, ...]
    masks: dict[str, U8]
    worn: bool
    closed: bool
    _made: dict[tuple[str, float], U8] = field(default_factory=dict, repr=False)

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width of the garment photo."""
        return self.rgba.shape[0], self.rgba.shape[1]

    def inside(self, points: AnyArray, *, trunk: bool) -> AnyArray:
        """Whether points (..., 2) garment px lie on the cloth, or on its trunk only."""
        on = sample(self.rgba[..., 3], points) > 127
        if trunk and self.category in UPPER and self.limbs:
            mask = self.masks["trunk"]
            on &= sample(mask, (points + 0.5) * (mask.shape[1] / self.hw[1]) - 0.5) > 127
        return np.asarray(on)

    def shown(self, name: str) -> U8:
        """Alpha (h, w) of one part at the masks' size, one cell wider than the cloth."""
        if (name, 0.0) not in self._made:
            mask = self.masks[name]
            small = cv2.resize(self.rgba[..., 3], (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_AREA)
            grown = cv2.dilate(np.minimum(small, mask), np.ones((3, 3), np.uint8))
            self._made[name, 0.0] = np.asarray(grown, np.uint8)
        return self._made[name, 0.0]

    def picture(self, name: str, shrink: float) -> U8:
        """The garment (h, w, 4) whose alpha shows one part only, shrunk (in steps of the root of 2) for sampling."""
        level = 2.0 ** (np.floor(2 * np.log2(max(shrink, 1.0)) + 0.3) / 2)
        if (name, level) not in self._made:
            rgba = self._shrunk(level)
            mask = cv2.resize(self.masks[name], (rgba.shape[1], rgba.shape[0]), interpolation=cv2.INTER_LINEAR)
            out = rgba.copy()
            cv2.insertChannel(cv2.multiply(cv2.extractChannel(rgba, 3), mask, scale=1 / 255), out, 3)
            self._made[name, level] = out
        return self._made[name, level]

    def _shrunk(self, level: float) -> U8:
        """The picture `level` times smaller: averaged over whole squares, a rest of the root of 2 interpolated."""
        if level == 1.0:
            return self.rgba
        if ("", level) not in self._made:
            wh = (max(1, round(self.hw[1] / level)), max(1, round(self.hw[0] / level)))
            small = shrink_cells(self.rgba, int(level + 1e-6))
            self._made["", level] = np.asarray(cv2.resize(small, wh, interpolation=cv2.INTER_LINEAR), np.uint8)
        return self._made["", level]


def make_pattern(garment: GarmentView, *, fit: Fit | None = None) -> Pattern:
    """Cut a garment photo into parts; about 15 ms for a 1024 px photo."""
    anchors = garment.anchors if fit is None else shift_anchors(garment.anchors, fit)
    alpha = garment.alpha
    if garment.category not in UPPER:
        anchors = _with_hips(anchors, flat=not garment.worn)
    figure = complete(anchors, GARMENT_ANCHORS, bounds=_bounds(alpha))
    scale = min(1.0, 256.0 / max(alpha.shape))
    small = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else alpha
    category = garment.category
    masks: dict[str, U8] = {name: np.full(small.shape, 255, np.uint8) for name in ("trunk", "cloth")}
    limbs: list[str] = []
    if category in UPPER:
        read = garment.attributes.get("sleeve", "short")
        if read != "none":
            if not garment.worn:
                figure = _long_sleeves(small > 127, figure, scale=scale, read=read)
            for side in SIDES:
                found = _sleeve(small > 127, figure, side=side, scale=scale, read=read)
                if found is None:
                    continue
                limbs.append(side)
                masks[side], trunk, at = found
                masks["trunk"] = np.minimum(masks["trunk"], trunk)
                figure = Figure({**figure.at, **at}, figure.known)
    elif category == "trousers":
        limbs = list(SIDES)
        legs, at = _legs(small > 127, figure, scale=scale)
        masks.update(legs)
        figure = Figure({**figure.at, **at}, figure.known)
    return Pattern(
        # Beyond its edge, too, the picture has the cloth's colours: no background shows along a resampled outline.
        rgba=np.asarray(cv2.merge([own_colour(garment.rgb, alpha, rim=0.0), alpha]), np.uint8),
        figure=figure,
        category=category,
        limbs=tuple(limbs),
        masks=masks,
        worn=garment.worn or garment.attributes.get("worn") == "yes",
        closed=category != "outer" or garment.attributes.get("closure") == "closed",
    )


def _with_hips(anchors: F32, *, flat: bool) -> F32:
    """Hip joints of a skirt or trousers whose waist alone was found, by the proportions of a standing adult."""
    hips, waist, knees = ([A[f"{side}_{n}"] for side in SIDES] for n in ("hip", "waist", "knee"))
    if (anchors[hips, 2] > 0.1).all() or not (anchors[waist, 2] > 0.1).all():
        return anchors
    left, right = anchors[waist[0], :2], anchors[waist[1], :2]
    middle, across = (left + right) / 2, left - right
    width = float(np.hypot(*across)) + 1e-6
    across = across / width
    down = np.array([-across[1], across[0]], np.float32)
    low = [anchors[k, :2].mean(axis=0) for k in (knees, [A["left_hem"], A["right_hem"]]) if (anchors[k, 2] > 0.1).all()]
    down = -down if low and float(down @ (low[0] - middle)) < 0 else down
    torso = width / (0.75 if flat else 0.58)
    if (anchors[knees, 2] > 0.1).all():
        torso = float(down @ (low[0] - middle)) / (RISE + THIGH)
    out = np.array(anchors, np.float32)
    for row, sign in zip(hips, (0.5, -0.5), strict=True):
        out[row, :2] = middle + RISE * torso * down + sign * HIPS * torso * across
        out[row, 2] = 0.15
    return out


def _bounds(alpha: U8) -> tuple[float, float, float, float]:
    x, y, w, h = cv2.boundingRect((alpha > 127).astype(np.uint8))
    return (float(x), float(y), float(x + w), float(y + h)) if w else (0.0, 0.0, alpha.shape[1], alpha.shape[0])


def _grid(hw: tuple[int, int], scale: float) -> AnyArray:
    xs, ys = ((np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(scale) - 0.5 for n in hw[::-1])
    return np.stack(np.meshgrid(xs, ys), axis=-1)


def _step(x: AnyArray, width: float) -> U8:
    """0 below -width / 2, 255 above width / 2, smooth between."""
    # Where a figure has collapsed to a point there is no side of a seam to be on: not a number counts as outside.
    t = np.clip(np.where(np.isnan(x), -np.inf, x) / width + 0.5, 0, 1)
    return np.asarray(255 * t * t * (3 - 2 * t) + 0.5, np.uint8)


Frame = tuple[F64, F64, F64, float]
"""A shoulder joint, unit vectors outwards and downwards, and the torso length: places in px as u and v from there."""


def _frame(cloth: AnyArray, figure: Figure, *, side: str, scale: float) -> tuple[Frame, tuple[F64, F64], AnyArray]:
    """The frame of one shoulder, a grid v, u in it, and whether there is cloth at every v and u."""
    axis = axis_of(figure, tail=figure.at["hips"] - figure.at["neck"])
    shoulder = figure.at[f"{side}_shoulder"]
    sign = 1.0 if side == "left" else -1.0
    left = np.array([axis.down[1], -axis.down[0]])
    out = sign * (left if float(left @ axis.across0) >= 0 else -left)
    v = np.linspace(-0.35, 1.9, 91)
    u = np.linspace(-0.3, 1.5, 91)
    points = shoulder + axis.length * (v[:, None, None] * axis.down + u[None, :, None] * out)
    rows = sample(cloth, (points + 0.5) * scale - 0.5).astype(bool)
    return (shoulder, out, axis.down, axis.length), (v, u), rows


def _long_sleeves(cloth: AnyArray, figure: Figure, *, scale: float, read: str) -> Figure:
    """The figure of a lying garment with elbows and wrists where its outline has them, if that is of long sleeves.

    `read` is the sleeve that the network read. Both sleeves are as long as they are on the average.
    """
    found = {}
    for side in SIDES:
        frame, (v, u), rows = _frame(cloth, figure, side=side, scale=scale)
        half = float((frame[0] - figure.at["neck"]) @ frame[1]) / frame[3]
        way = course(rows, u=u, v=v, half=half)
        if way is not None:
            found[side] = way, frame
    if not found or np.mean([way.reach for way, _ in found.values()]) < LONG.get(read, 9.0):
        return figure
    at = dict(figure.at)
    for side, (way, (shoulder, out, down, length)) in found.items():
        for name, place in (("elbow", way.elbow), ("wrist", way.wrist)):
            at[f"{side}_{name}"] = shoulder + length * (place[0] * out + place[1] * down)
    return Figure(at, figure.known | {f"{side}_{name}" for side in found for name in ("elbow", "wrist")})


def _sleeve(
    cloth: AnyArray, figure: Figure, *, side: str, scale: float, read: str
) -> tuple[U8, U8, dict[str, F64]] | None:
    """Mask of one sleeve, mask of everything but it, and its elbow and wrist; None where there is no sleeve."""
    frame, (v, u), rows = _frame(cloth, figure, side=side, scale=scale)
    shoulder, out, down, length = frame
    at = _arm_line(rows, figure, side=side, frame=frame, grid=(v, u), read=read)
    if at is None:
        return None
    line = np.stack([shoulder, at[f"{side}_elbow"], at[f"{side}_wrist"]])
    if read == "short" and f"{side}_elbow" in figure.known:
        line[2] = line[1] + _PAST_ELBOW * (line[2] - line[1])
    local = np.stack([(line - shoulder) @ out, (line - shoulder) @ down], axis=1) / length
    border = _armhole(rows, v, u, local, cuff=_CUFF if read == "short" else np.inf)
    rel = _grid((cloth.shape[0], cloth.shape[1]), scale) - shoulder.astype(np.float32)
    pu, pv = (rel @ (way / length).astype(np.float32) for way in (out, down))
    over = pu - np.interp(pv, v, border).astype(np.float32)
    if local[2, 0] < local[1, 0] - 0.1:
        over = np.maximum(over, 0.12 - _distance(pu, pv, local[1], local[2]))
    joint = np.minimum(0.14 - np.hypot(pu, pv), pu + 0.04)
    sleeve = _step(np.maximum(over + _SEAM, joint), 0.03)
    trunk = _step(_SEAM - over, 0.03)
    if np.count_nonzero(cloth & (over > 0.05)) < 0.008 * (length * scale) ** 2:
        return None
    stray = _stray(cloth, sleeve, near=np.hypot(pu, pv) < 0.3)
    return np.where(stray, np.uint8(0), sleeve), np.where(stray, np.uint8(255), trunk), at


def _stray(cloth: AnyArray, sleeve: U8, *, near: AnyArray) -> AnyArray:
    """Cloth taken for sleeve that does not hang together with what is `near` the shoulder, such as a flared hem."""
    _, pieces = cv2.connectedComponents((cloth & (sleeve > 127)).astype(np.uint8))
    own = np.unique(pieces[near])
    return ~np.isin(pieces, [0, *own])


def _distance(pu: AnyArray, pv: AnyArray, a: F64, b: F64) -> AnyArray:
    d = b - a
    t = np.clip(((pu - a[0]) * d[0] + (pv - a[1]) * d[1]) / (float(d @ d) + 1e-9), 0, 1)
    return np.asarray(np.hypot(pu - a[0] - t * d[0], pv - a[1] - t * d[1]))


def _arm_line(
    rows: AnyArray, figure: Figure, *, side: str, frame: tuple[F64, F64, F64, float], grid: tuple[F64, F64], read: str
) -> dict[str, F64] | None:
    """Elbow and wrist of a sleeve in garment px; a short sleeve's from where its cloth lies; None without a sleeve."""
    elbow, wrist = f"{side}_elbow", f"{side}_wrist"
    shoulder, out, down, length = frame
    if elbow in figure.known:
        at = figure.at[elbow]
        if wrist in figure.known:
            end = figure.at[wrist]
        elif read == "short":
            # It ends about the elbow: what lies beyond that is the trunk, beside which it hangs.
            end = at + FOREARM * length * (at - shoulder) / (float(np.hypot(*(at - shoulder))) + 1e-9)
        else:
            end = _cuff(rows, at, frame, grid)
        return {elbow: at, wrist: end}
    if float((shoulder - figure.at["neck"]) @ out) < 0.15 * length:
        return None  # seen from the side: cloth in front of the chest is no sleeve
    v, u = grid
    # The torso's own side, below any short sleeve, tells what of the cloth beyond the shoulder is sleeve.
    reach = np.where(rows.any(axis=1), u[rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)], -1.0)
    low = (v > 0.55) & (v < 0.95) & (reach > -1)
    side_u = float(np.median(reach[low])) if low.any() else 0.05
    beyond = rows & (u[None] > max(0.05, min(side_u, 0.2) + 0.03)) & (v[:, None] > -0.3) & (v[:, None] < 0.7)
    far = np.hypot(*np.broadcast_arrays(u[None], v[:, None]))
    beyond &= far < 0.85
    if np.count_nonzero(beyond) < 12:
        return None
    edge = float(np.percentile(far[beyond], 95))
    tip = beyond & (far > 0.55 * edge)
    tv, tu = np.nonzero(tip)
    ahead = np.array([u[tu].mean(), v[tv].mean()])
    ahead /= np.hypot(*ahead) + 1e-9
    if ahead[1] > 0.7:
        # Of a hanging sleeve only the outer part was beyond the trunk's side; its axis lies half a sleeve inside.
        ahead = np.array([float(np.median(reach[np.unique(tv)])) - 0.1, v[tv].mean()])
        ahead /= np.hypot(*ahead) + 1e-9
    joint = shoulder + UPPER_ARM * length * (ahead[0] * out + ahead[1] * down)
    return {elbow: joint, wrist: joint + 0.9 * (joint - shoulder)}


def _cuff(rows: AnyArray, elbow: F64, frame: tuple[F64, F64, F64, float], grid: tuple[F64, F64]) -> F64:
    """Where the wrist would be of a sleeve that ends between elbow and wrist: along the cloth beyond the elbow."""
    shoulder, out, down, length = frame
    v, u = grid
    at = np.array([(elbow - shoulder) @ out, (elbow - shoulder) @ down]) / length
    ahead = at / (np.hypot(*at) + 1e-9)
    du, dv = np.broadcast_arrays(u[None] - at[0], v[:, None] - at[1])
    far, on = np.hypot(du, dv), du * ahead[0] + dv * ahead[1]
    beyond = rows & (far > 0.08) & (far < 0.4) & (on > 0.5 * far) & (du > -0.14)
    if np.count_nonzero(beyond) > 12 and float(far[beyond].max()) > 0.12:
        middle = np.array([du[beyond].mean(), dv[beyond].mean()])
        middle /= np.hypot(*middle) + 1e-9
        ahead = 0.3 * ahead + 0.7 * middle
        ahead /= np.hypot(*ahead)
    return np.asarray(elbow + FOREARM * length * (ahead[0] * out + ahead[1] * down), np.float64)


def _armhole(rows: AnyArray, v: F64, u: F64, line: F64, *, cuff: float) -> F64:
    """Where the sleeve begins on every row: the distance (torso lengths) beyond the shoulder joint, one per v.

    `cuff` is how far below the end of the arm's line its corner may lie.
    """
    t = np.linspace(0, 1, 24)[:, None]
    path = np.concatenate([line[0] + t * (line[1] - line[0]), line[1] + t * (line[2] - line[1])])
    order = np.argsort(path[:, 1])
    on_axis = np.interp(v, path[order, 1], path[order, 0])
    border = np.full(len(v), np.nan)
    gaps = np.zeros(len(v), bool)
    last = np.nan
    for i in np.flatnonzero((v > 0.03) & rows.any(axis=1)):
        hits = np.flatnonzero(rows[i])
        at = _gap(rows[i], u, near=on_axis[i] if v[i] < path[:, 1].max() else 9.0)
        if at is not None:
            border[i], gaps[i] = at, True
        elif v[i] < path[:, 1].max() + 0.03 and u[hits[-1]] > on_axis[i]:
            border[i] = on_axis[i] - float(np.clip(u[hits[-1]] - on_axis[i], 0.05, 0.16))
        elif u[hits[-1]] > last + 0.02 and v[i] < path[:, 1].max() + cuff:
            border[i] = last  # the corner of a cuff below the end of the arm's line
        last = border[i]
    ends = np.flatnonzero(~np.isnan(border))
    if len(ends):
        border[ends[-1] : ends[-1] + 4] = border[ends[-1]]
    settled = gaps & np.append(gaps[1:], False)
    pit = float(v[settled][0]) if settled.any() else 0.3
    at_pit = border[(v >= pit - 1e-9) & ~np.isnan(border)]
    target = float(np.clip(at_pit[0] if len(at_pit) else 0.05, -0.06, 0.2))
    above = 0.03 + (target - 0.03) * np.clip(v / max(pit, 1e-3), 0, 1)
    return np.asarray(np.where(v < pit, above, np.where(np.isnan(border), 3.0, border)), np.float64)


def _gap(row: AnyArray, u: F64, *, near: float) -> float | None:
    """Middle of the gap between trunk and sleeve in a row: the last one, at least two cells wide, inside `near`."""
    hits = np.flatnonzero(row)
    jumps = np.flatnonzero(np.diff(hits) > 2)
    found = None
    for j in jumps:
        middle = float(u[hits[j]] + u[hits[j + 1]]) / 2
        if middle > -0.14 and (found is None or middle < near):
            found = middle
    return found


def steady(direction: F64, down: F64, *, limit: float = 0.3) -> F64:
    """A direction turned back to within `limit` rad of `down`: hems are cut askew, and their ends are guessed."""
    cross = float(down[0] * direction[1] - down[1] * direction[0])
    angle = float(np.clip(np.arctan2(cross, float(down @ direction)), -limit, limit))
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray([c * down[0] - s * down[1], s * down[0] + c * down[1]], np.float64)


def _legs(cloth: AnyArray, figure: Figure, *, scale: float) -> tuple[dict[str, U8], dict[str, F64]]:
    """Masks of the pelvis and of the two legs, split at the crotch; knees and ankles of legs that end above them."""
    hips = figure.at["hips"]
    length = float(np.hypot(*(figure.at["hips"] - figure.at["neck"])))
    axis = axis_of(figure, tail=figure.mid("knee") - hips)
    down, left = axis.tail, np.array([axis.tail[1], -axis.tail[0]])
    left = left if float(left @ axis.across1) >= 0 else -left
    v, u = np.linspace(0.0, 1.9, 77), np.linspace(-0.6, 0.6, 97)
    points = hips + length * (v[:, None, None] * down + u[None, :, None] * left)
    rows = sample(cloth, (points + 0.5) * scale - 0.5).astype(bool)
    middle = np.interp(
        v,
        [0.0, *(float((figure.mid(j) - hips) @ down / length) for j in ("knee", "ankle"))],
        [0.0, *(float((figure.mid(j) - hips) @ left / length) for j in ("knee", "ankle"))],
    )
    split, crotch = middle.copy(), None
    for i in np.flatnonzero((v > 0.06) & (rows.sum(axis=1) > 2)):
        hits = np.flatnonzero(rows[i])
        holes = np.flatnonzero(~rows[i, hits[0] : hits[-1]]) + hits[0]
        holes = holes[np.abs(u[holes] - middle[i]) < 0.25]
        if len(holes) >= 1:
            split[i] = u[holes].mean()
            crotch = float(v[i]) if crotch is None else crotch
    crotch = 0.25 if crotch is None else crotch
    first = int(np.searchsorted(v, crotch))
    split[:first] = np.interp(v[:first], [0.0, crotch], [0.0, split[min(first, len(split) - 1)]])
    rel = _grid((cloth.shape[0], cloth.shape[1]), scale) - hips
    pu, pv = rel @ left / length, rel @ down / length
    over = pu - np.interp(pv, v, split)
    seam = np.where(pv < crotch, 0.04, 0.01)
    at: dict[str, F64] = {}
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        if f"{side}_ankle" in figure.known:
            continue
        if f"{side}_knee" in figure.known:
            at[f"{side}_ankle"] = _trouser_end(cloth & (sign * over > 0), figure, side=side, scale=scale)
            continue
        leg = cloth & (sign * over > 0) & (pv > 0.5 * crotch)
        if np.count_nonzero(leg) > 20:
            end = leg & (pv > np.percentile(pv[leg], 70))
            centre = hips + length * (pu[end].mean() * left + pv[end].mean() * down)
            hip = figure.at[f"{side}_hip"]
            ahead = steady(centre - hip, down)
            at[f"{side}_knee"] = hip + THIGH * length * ahead
            at[f"{side}_ankle"] = hip + (THIGH + SHIN) * length * ahead
    masks = {
        "left": _step(over + seam, 0.02),
        "right": _step(seam - over, 0.02),
        "trunk": np.minimum(_step(crotch + 0.03 - pv, 0.1), _step(0.12 - np.abs(over), 0.06)),
    }
    return masks, at


def _trouser_end(leg: AnyArray, figure: Figure, *, side: str, scale: float) -> F64:
    """Where the ankle would be of a leg that ends between knee and ankle: along the cloth below the knee."""
    hip, knee = figure.at[f"{side}_hip"], figure.at[f"{side}_knee"]
    thigh = float(np.hypot(*(knee - hip))) + 1e-6
    ahead = (knee - hip) / thigh
    rel = _grid((leg.shape[0], leg.shape[1]), scale) - knee
    below = leg & (rel @ ahead > 0.15 * thigh)
    if np.count_nonzero(below) > 12:
        ahead = steady(np.asarray(rel[below].mean(axis=0), np.float64), ahead)
    return np.asarray(knee + SHIN / THIGH * thigh * ahead, np.float64)


def garment_axis(pattern: Pattern) -> Axis:
    """Axis of an upper-body garment; a dress hangs towards the knees, or straight down from the hips."""
    figure = pattern.figure
    down = figure.at["hips"] - figure.at["neck"]
    tail = down
    if pattern.category == "dress":
        if figure.knows("knee"):
            tail = figure.mid("knee") - figure.at["hips"]
        elif figure.knows("hip"):
            # The hem would be a worse guide: it is cut askew, flares, and its ends are hard to tell.
            across = figure.at["left_hip"] - figure.at["right_hip"]
            plumb = np.array([-across[1], across[0]])
            tail = steady(plumb if float(plumb @ down) > 0 else -plumb, down)
    return axis_of(figure, tail=tail)
