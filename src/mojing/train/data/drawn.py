"""Drawn garments: flat clothes whose anchors are known because they are drawn around a figure's joints.

Nobody has marked joints in photos of lying clothes, and garments taken off people are seldom hoods, open jackets or
shorts on a table. So outlines are drawn around `flat_figure` - trunk, sleeves, legs, skirt, hood, collar, opening, neck
with its inner back - and covered with cloth from real photos, drawn patterns, folds and seams. Plain arithmetic; no
garment of anybody is shown whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mojing.core.skeleton import J
from mojing.perception.garment import GarmentView
from mojing.perception.worn import worn_anchors
from mojing.train.data.garments import Worn, flat_figure

CANVAS = 448
"""Side in px of the square a garment is drawn on."""
FIGURE = {"top": 230, "outer": 230, "dress": 330, "skirt": 400, "trousers": 400}
"""Side in px of the figure in its middle, so that every kind fits the square."""

KINDS = ("top", "outer", "dress", "skirt", "trousers")
CHANCES = (0.32, 0.26, 0.14, 0.1, 0.18)
"""How often each kind is drawn."""

Points = NDArray[np.float64]


@dataclass
class Cut:
    """What a garment is like; lengths in units of the figure's trunk."""

    kind: str
    ease: float
    length: float
    flare: float
    taper: float
    hips: float
    sleeve: str
    sleeve_width: float
    cuff_width: float
    sleeve_end: float
    neck_width: float
    neck_depth: float
    collar: str
    opening: float


class Sheet:
    """What has been drawn so far: light, cover (0/1) and the inner back (0/1)."""

    def __init__(self) -> None:
        side = CANVAS
        self.light = np.ones((side, side), np.float32)
        self.cover = np.zeros((side, side), np.uint8)
        self.inner = np.zeros((side, side), np.uint8)
        self.lines: list[tuple[Points, float]] = []

    def area(self, outline: Points) -> NDArray[np.uint8]:
        """Mask 0/1 of a closed outline (n, 2) in px of the canvas."""
        mask = np.zeros_like(self.cover)
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
        return mask

    def add(self, outline: Points, rng: np.random.Generator, *, edge: float = 0.16) -> None:
        """Lay a piece of cloth over what is there; its rim throws a faint shadow on it."""
        mask = self.area(outline)
        near = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 5.0)
        self.light = np.where(mask > 0, 1.0, self.light * (1 - edge * rng.uniform(0.3, 1.2) * near)).astype(np.float32)
        inside = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(6, 20))
        self.light = np.where(mask > 0, self.light * (0.8 + 0.2 * np.clip(inside * 1.6 - 0.5, 0, 1)), self.light)
        self.cover |= mask
        self.lines.append((np.vstack([outline, outline[:1]]), 0.75))

    def cut(self, outline: Points, *, inner: bool) -> None:
        """Take cloth away inside an outline: nothing is left there, or the garment's inner back."""
        mask = self.area(outline) & self.cover
        self.cover[mask > 0] = 0
        if inner:
            self.inner |= mask
        self.lines.append((np.vstack([outline, outline[:1]]), 0.8))


def draw_all(count: int, cloth: Sequence[NDArray[np.uint8]], *, seed: int = 0) -> list[Worn]:
    """`count` drawn garments; `cloth` are pictures (h, w, 3) of real fabric to cover them with."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda i: draw(np.random.default_rng((seed, 7, i)), cloth), range(count)))


def draw(rng: np.random.Generator, cloth: Sequence[NDArray[np.uint8]]) -> Worn:
    """One garment with everything that is known about it, as if it had been taken off a lying figure."""
    kind = KINDS[int(rng.choice(len(KINDS), p=CHANCES))]
    side = FIGURE[kind]
    joints = flat_figure(rng, side=side, category=kind)
    low = 0.6 if kind in ("top", "outer") else 0.4 if kind == "dress" else 0.8
    joints[:, :2] += [(CANVAS - side) / 2, (CANVAS - side) * low]
    cut = random_cut(kind, rng)
    sheet = Sheet()
    if kind in ("skirt", "trousers"):
        _legs(sheet, joints, cut, rng)
    else:
        _upper(sheet, joints, cut, rng)
    rgb, alpha, inner = _dressed(sheet, rng, cloth)
    anchors, _ = worn_anchors(alpha > 127, joints, kind, shown=True)
    off = ((anchors[:, :2] < 0) | (anchors[:, :2] >= CANVAS)).any(axis=1)
    anchors[off] = 0
    view = GarmentView(alpha.shape, rgb, alpha, inner, kind, {"sleeve": cut.sleeve, "worn": "no"}, anchors, 1.0)
    return Worn(view, joints, cut.sleeve, "drawn")


def random_cut(kind: str, rng: np.random.Generator) -> Cut:
    """A plausible garment of a kind."""
    sleeve = str(rng.choice(["none", "short", "long"], p=[0.25, 0.4, 0.35])) if kind in ("top", "dress") else "long"
    if kind == "outer" and rng.random() < 0.06:
        sleeve = "none"
    collars = {"top": ["crew", "v", "shirt", "turtle", "hood", "scoop"], "outer": ["shirt", "hood", "lapel", "stand"],
               "dress": ["crew", "v", "shirt", "scoop"]}  # fmt: skip
    collar = str(rng.choice(collars.get(kind, ["none"])))
    if sleeve == "none" and collar in ("hood", "turtle"):
        collar = "scoop"
    length = {
        "top": rng.uniform(0.8, 1.3),
        "outer": rng.uniform(0.85, 1.25) if rng.random() < 0.7 else rng.uniform(1.3, 2.1),
        "dress": rng.uniform(1.55, 2.5),
        "skirt": rng.uniform(0.45, 1.5),
        "trousers": rng.uniform(0.25, 0.75) if rng.random() < 0.35 else rng.uniform(1.35, 1.62),
    }[kind]
    return Cut(
        kind,
        ease=float(rng.uniform(0.0, 0.16)),
        length=float(length),
        flare=float(rng.normal(0.0, 0.08) if kind in ("top", "outer") else rng.uniform(0.0, 0.5)),
        taper=float(rng.uniform(0.72, 0.95) if kind == "dress" else rng.uniform(0.86, 1.03)),
        hips=float(rng.uniform(0.9, 1.12)),
        sleeve=sleeve,
        sleeve_width=float(rng.uniform(0.15, 0.23)),
        cuff_width=float(rng.uniform(0.06, 0.12)),
        sleeve_end=float(rng.uniform(0.35, 0.85) if sleeve == "short" else rng.uniform(1.75, 2.08)),
        neck_width=float(rng.uniform(0.11, 0.17)),
        neck_depth=float({"v": 0.28, "scoop": 0.22, "lapel": 0.34}.get(collar, 0.07) * rng.uniform(0.7, 1.3)),
        collar=collar,
        opening=float(rng.uniform(0.02, 0.3)) if kind == "outer" and rng.random() < 0.6 else 0.0,
    )


def smooth(points: Points, *, per: int = 8) -> Points:
    """Closed Catmull-Rom curve through points (n, 2)."""
    t = np.linspace(0, 1, per, endpoint=False)[:, None]
    out = []
    for i in range(len(points)):
        a, b, c, d = (points[(i + k) % len(points)] for k in (-1, 0, 1, 2))
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate(out)


def by(points: Points, x: float, y: float) -> Points:
    """A point (2,), or points (n, 2), moved."""
    return points + np.array([x, y])


def _at(joints: NDArray[np.float32], name: str) -> Points:
    return joints[J[name], :2].astype(np.float64)


def _upper(sheet: Sheet, joints: NDArray[np.float32], cut: Cut, rng: np.random.Generator) -> None:
    """Tops, jackets and dresses: sleeves behind or before the trunk, then neck, collar and opening."""
    left, right = _at(joints, "left_shoulder"), _at(joints, "right_shoulder")
    hips = (_at(joints, "left_hip") + _at(joints, "right_hip")) / 2
    neck = (left + right) / 2
    t = float(hips[1] - neck[1])
    hood = cut.collar == "hood"
    if hood:
        _hood(sheet, neck, t, rng)
    behind = rng.random() < 0.5
    trunk = _trunk(joints, cut, t)
    sleeves = [_sleeve(joints, side, cut, t=t) for side in ("left", "right")] if cut.sleeve != "none" else []
    if behind:
        for outline in sleeves:
            sheet.add(outline, rng)
    sheet.add(trunk, rng)
    if not behind:
        for outline in sleeves:
            sheet.add(outline, rng)
    _neck(sheet, neck, cut, t, rng)
    if cut.collar in ("shirt", "lapel", "stand"):
        _collar(sheet, neck, cut, t, rng)
    bottom = neck[1] + cut.length * t
    if cut.opening > 0.02:
        low, top = cut.opening * t * rng.uniform(0.5, 1.4), neck[1] + 0.04 * t
        shift = rng.normal(0, 0.04) * t
        wedge = np.array([[neck[0] - 0.05 * t, top], [neck[0] + 0.05 * t, top], [neck[0] + shift + low / 2, bottom + 9],
                          [neck[0] + shift - low / 2, bottom + 9]])  # fmt: skip
        sheet.cut(wedge, inner=bool(rng.random() < 0.9))
    elif cut.collar in ("shirt", "lapel") or cut.kind == "outer":
        centre = np.array([[neck[0], neck[1]], [neck[0] + rng.normal(0, 0.02) * t, bottom]])
        sheet.lines.append((centre, 0.6))
        sheet.lines.append((by(centre, 0.05 * t, 0), 0.8))


def _trunk(joints: NDArray[np.float32], cut: Cut, t: float) -> Points:
    left, right = _at(joints, "left_shoulder"), _at(joints, "right_shoulder")
    half = (left[0] - right[0]) / 2
    neck = (left + right) / 2
    strap = 0.45 if cut.sleeve == "none" and cut.collar == "scoop" else 1.0
    top = 0.12 * t
    shoulder = half * (1.0 if cut.sleeve != "none" else 0.92 * strap + 0.1)
    chest = half * (0.92 + cut.ease * 1.2)
    waist = chest * cut.taper
    right_side = [
        (cut.neck_width * t, -top),
        (shoulder, -0.35 * top if strap == 1.0 else -top),
        (chest * (0.86 if cut.sleeve == "none" else 0.97), 0.3 * t),
        (chest, 0.38 * t),
        (waist, 0.72 * t),
    ]
    wide = (waist + chest) / 2 * cut.hips
    for y in np.linspace(1.0, cut.length, 4) if cut.length > 1.15 else (cut.length,):
        right_side.append((wide * (1 + cut.flare * max(y - 0.75, 0.0) / max(cut.length - 0.75, 0.3)), float(y) * t))
    side = np.array(right_side)
    drop = np.array([[0.0, cut.length * t + 0.015 * t]])
    return np.vstack([neck + side, neck + drop, neck + side[::-1] * [-1, 1]])


def _sleeve(joints: NDArray[np.float32], side: str, cut: Cut, *, t: float) -> Points:
    """Outline of a sleeve from the armhole along the arm up to `sleeve_end` (1 the elbow, 2 the wrist)."""
    sign = 1.0 if side == "left" else -1.0
    way = [_at(joints, f"{side}_{name}") for name in ("shoulder", "elbow", "wrist", "hand")]
    end = cut.sleeve_end
    path = [way[0]]
    for i in range(3):
        if end > i + 1:
            path.append(way[i + 1])
        else:
            path.append(way[i] + (way[i + 1] - way[i]) * (end - i))
            break
    inner, outer = [], []
    for i, point in enumerate(path):
        ahead = path[min(i + 1, len(path) - 1)] - path[max(i - 1, 0)]
        ahead = ahead / (np.hypot(*ahead) + 1e-6)
        normal = np.array([-ahead[1], ahead[0]])
        share = (i if i < len(path) - 1 else end) / 2
        width = (cut.sleeve_width * (1 - share) + cut.cuff_width * share) * t
        inner.append(point + normal * width)
        outer.append(point - normal * width)
    over, under = (outer, inner) if side == "left" else (inner, outer)
    half = abs(float(way[0][0] - _at(joints, "nose")[0]))
    neck = way[0] - [sign * half, 0]
    over[0] = by(neck, sign * half * 0.96, -0.05 * t)
    under[0] = by(neck, sign * half * 0.8, max(0.3, 2.0 * cut.sleeve_width) * t)
    tip = way[0] + [sign * 0.03 * t, 0.0]
    return smooth_side(np.array(over), tip, np.array(under))


def smooth_side(over: Points, tip: Points, under: Points) -> Points:
    """A sleeve's outline: its upper edge, rounded over the shoulder's `tip`, and its lower edge back."""
    rounded = np.vstack([over[:1], [0.5 * tip + 0.25 * (over[0] + over[1])], over[1:]])
    return np.vstack([rounded, under[::-1]])


def _neck(sheet: Sheet, neck: Points, cut: Cut, t: float, rng: np.random.Generator) -> None:
    """The neck opening: its hindmost part shows the inner back unless the collar closes it."""
    w, d, top = cut.neck_width * t, cut.neck_depth * t, 0.12 * t
    if cut.collar == "turtle":
        sheet.add(neck + np.array([[-w, -top * 0.8], [-w * 0.9, -3 * top], [w * 0.9, -3 * top], [w, -top * 0.8]]), rng)
        return
    if cut.collar == "hood":
        d *= 0.8
    floor = [[-0.55 * w, d * 0.6], [0, d], [0.55 * w, d * 0.6]] if cut.collar != "v" else [[0, d]]
    sag = rng.uniform(0.1, 0.6) * top
    front = np.array([[-w, -1.3 * top], *floor, [w, -1.3 * top]])
    sheet.cut(neck + front, inner=bool(rng.random() < 0.85))
    gone = np.array([[-w, -1.6 * top], [-w, -top], [0, -top + sag], [w, -top], [w, -1.6 * top]])
    mask = sheet.area(neck + gone)
    if cut.collar != "hood":
        sheet.inner[mask > 0] = 0
    sheet.lines.append((neck + front[1:-1] + [0, 0.05 * t], 0.8))


def _collar(sheet: Sheet, neck: Points, cut: Cut, t: float, rng: np.random.Generator) -> None:
    w, top = cut.neck_width * t, 0.12 * t
    long = {"shirt": 0.24, "lapel": 0.42, "stand": 0.1}[cut.collar] * t * rng.uniform(0.8, 1.2)
    for sign in (-1, 1):
        fall = np.array([[sign * w, -1.5 * top], [sign * w * 1.6, -0.4 * top], [sign * w * 1.1, long * 0.75],
                         [sign * w * 0.15, long * 0.6 if cut.collar == "shirt" else long]])  # fmt: skip
        sheet.add(neck + fall, rng, edge=0.3)
    if rng.random() < 0.6:
        band = np.array([[-w, -2.0 * top], [w, -2.0 * top], [w * 1.1, -top], [-w * 1.1, -top]])
        sheet.add(neck + band, rng)


def _hood(sheet: Sheet, neck: Points, t: float, rng: np.random.Generator) -> None:
    """A hood lies behind the neck, its mouth shows the inside."""
    w, h = rng.uniform(0.26, 0.36) * t, rng.uniform(0.4, 0.62) * t
    ring = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    around = np.stack([np.cos(ring), np.sin(ring)], axis=1)
    centre = by(neck, rng.normal(0, 0.03) * t, -0.45 * h)
    sheet.add(centre + around * [w, h * 0.75], rng)
    sheet.cut(by(centre, 0, 0.12 * h) + around * [w * rng.uniform(0.4, 0.7), h * rng.uniform(0.35, 0.6)], inner=True)


def _legs(sheet: Sheet, joints: NDArray[np.float32], cut: Cut, rng: np.random.Generator) -> None:
    """Skirts, trousers and shorts from the waist down."""
    left, right = _at(joints, "left_hip"), _at(joints, "right_hip")
    hips = (left + right) / 2
    half = (left[0] - right[0]) / 2
    t = half / 0.19
    rise = rng.uniform(0.04, 0.3) * t
    waist = half * rng.uniform(1.1, 1.35)
    wide = half * (1.35 + cut.ease * 2)
    bottom = cut.length * t
    if cut.kind == "skirt":
        hem = wide * (0.9 + 1.6 * cut.flare)
        right_side = np.array([(waist, -rise), (wide, 0.12 * t), ((wide + hem) / 2, bottom * 0.6), (hem, bottom)])
        sheet.add(
            np.vstack([hips + right_side, by(hips, 0, bottom * 1.03)[None], hips + right_side[::-1] * [-1, 1]]), rng
        )
    else:
        for side, sign in (("left", 1.0), ("right", -1.0)):
            sheet.add(_leg(joints, side, sign, cut=cut, sizes=(t, rise, waist, wide)), rng)
        sheet.lines.append((np.array([by(hips, 0, -rise), by(hips, 0, 0.3 * t)]), 0.7))
    band = np.array([by(hips, -waist, -rise + 0.07 * t), by(hips, waist, -rise + 0.07 * t)])
    sheet.lines.append((band, 0.7))
    if rng.random() < 0.5:
        ring = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        sag = rng.uniform(0.02, 0.07) * t
        mouth = by(hips, 0, -rise) + np.stack([np.cos(ring) * waist * 0.96, np.sin(ring) * sag], axis=1)
        sheet.cut(mouth, inner=True)


def _leg(
    joints: NDArray[np.float32], side: str, sign: float, *, cut: Cut, sizes: tuple[float, float, float, float]
) -> Points:
    t, rise, waist, wide = sizes
    hips = (_at(joints, "left_hip") + _at(joints, "right_hip")) / 2
    hip, knee, ankle = (_at(joints, f"{side}_{name}") for name in ("hip", "knee", "ankle"))
    upper, lower = float(np.hypot(*(knee - hip))), float(np.hypot(*(ankle - knee)))
    length = cut.length * t
    along = max(length - upper, 0.0)
    end = hip + (knee - hip) * min(length / upper, 1.0) if along <= 0 else knee + (ankle - knee) * (along / lower)
    at_knee = wide * (0.42 + 0.25 * cut.ease)
    at_end = at_knee * (0.75 + cut.flare) if along > 0 else wide * (0.52 + 0.5 * cut.flare)
    outer = [by(hips, sign * waist, -rise), by(hips, sign * wide, 0.12 * t)]
    inner = [by(hips, 0.0, -rise), by(hips, 0.0, 0.27 * t)]
    if along > 0:
        outer.append(by(knee, sign * at_knee, 0))
        inner.append(knee - [sign * at_knee, 0])
    outer.append(by(end, sign * at_end, 0))
    inner.append(end - [sign * at_end, 0])
    return np.array(outer + inner[::-1])


def _dressed(
    sheet: Sheet, rng: np.random.Generator, cloth: Sequence[NDArray[np.uint8]]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Cloth, folds, seams and a slightly bent outline; rgb, alpha and inner back (0..255) at the canvas's size."""
    side = CANVAS
    colour = fabric(rng, cloth, side=side)
    light = sheet.light * folds(rng, side)
    for line, dark in sheet.lines:
        if rng.random() < 0.7:
            seam = np.zeros((side, side), np.float32)
            at = [np.rint(line * 8).astype(np.int32)]
            cv2.polylines(seam, at, False, 1.0, int(rng.integers(1, 4)), cv2.LINE_AA, 3)
            light = light * (1 - (1 - dark) * rng.uniform(0.2, 1.0) * seam)
    back = colour * rng.uniform(0.35, 0.85) if rng.random() < 0.7 else np.full_like(colour, rng.uniform(20, 235))
    rgb = np.where(sheet.cover[..., None] > 0, colour * light[..., None], back * light[..., None])
    rgb = np.clip(rgb + rng.normal(0, rng.uniform(0, 3), (side, side, 1)), 0, 255).astype(np.uint8)
    bend = cv2.resize(
        rng.normal(0, rng.uniform(0.3, 3.0), (9, 9, 2)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
    )
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).astype(np.float32) + bend
    out = []
    inside = sheet.inner * (1 - sheet.cover)
    for layer in (rgb, sheet.cover * np.uint8(255), inside * np.uint8(255)):
        out.append(cv2.remap(layer, grid, None, cv2.INTER_LINEAR))
    return out[0], out[1], out[2]


def _grown(noise: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """A coarse grid of numbers as a smooth picture (side, side, ...)."""
    return np.asarray(cv2.resize(noise.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def folds(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Light (side, side) around 1 on cloth that lies uneven: broad shades and soft creases."""
    light = np.ones((side, side), np.float32)
    for cells, strength in ((4, 0.1), (9, 0.07), (22, 0.05)):
        noise = rng.normal(0, strength * rng.uniform(0.2, 1.0), (cells, cells))
        light += _grown(noise, side)
    for _ in range(int(rng.integers(0, 12))):
        x, y, angle, long = (
            rng.uniform(0, side),
            rng.uniform(0, side),
            rng.uniform(0, np.pi),
            rng.uniform(0.08, 0.4) * side,
        )
        ridge = np.zeros((side, side), np.float32)
        ends = np.array([[x, y], [x + long * np.cos(angle), y + long * np.sin(angle)]])
        cv2.line(ridge, *[tuple(int(v) for v in p) for p in ends], 1.0, int(rng.integers(2, 9)))
        ridge = cv2.GaussianBlur(ridge, (0, 0), float(rng.uniform(2, 8)))
        light += ridge / max(float(ridge.max()), 1e-6) * rng.uniform(-0.22, 0.16)
    return np.clip(light, 0.3, 1.5)


def fabric(rng: np.random.Generator, cloth: Sequence[NDArray[np.uint8]], *, side: int) -> NDArray[np.float32]:
    """Cloth (side, side, 3) float32 0..255: real, plain, striped, checked or dotted, with a print now and then."""
    base = (
        rng.integers(8, 250, 3).astype(np.float32)
        if rng.random() < 0.6
        else np.full(3, rng.uniform(10, 245), np.float32)
    )
    kind = rng.random()
    if kind < 0.4 and cloth:
        piece = cloth[int(rng.integers(len(cloth)))]
        tile = np.concatenate([piece, piece[:, ::-1]], axis=1)
        tile = np.concatenate([tile, tile[::-1]], axis=0)
        repeat = int(rng.integers(1, 4))
        return cv2.resize(np.tile(tile, (repeat, repeat, 1)), (side, side)).astype(np.float32)
    out = np.broadcast_to(base.astype(np.float32), (side, side, 3)).copy()
    other = rng.integers(0, 256, 3).astype(np.float32)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    many, shift = rng.uniform(8, 40), rng.uniform(0, 1)
    if kind < 0.55:
        phase = (y if rng.random() < 0.7 else x) * many + shift
        out[(phase % 1) < rng.uniform(0.2, 0.6)] = other
    elif kind < 0.65:
        both = ((y * many) % 1 < 0.4).astype(np.float32) + ((x * many) % 1 < 0.4)
        out = out * (1 - both[..., None] * 0.4) + other * (both[..., None] * 0.4)
    elif kind < 0.7:
        spot = np.hypot((x * many) % 1 - 0.5, (y * many) % 1 - 0.5) < rng.uniform(0.15, 0.35)
        out[spot] = other
    if rng.random() < 0.2:
        w, h = (int(v) for v in rng.uniform(0.06, 0.22, 2) * side)
        cx, cy = int(rng.normal(0.5, 0.05) * side), int(rng.uniform(0.3, 0.5) * side)
        mark = cv2.resize(
            rng.uniform(0, 255, (4, 5, 3)).astype(np.float32), (2 * w, 2 * h), interpolation=cv2.INTER_NEAREST
        )
        out[cy - h : cy + h, cx - w : cx + w] = mark
    return out + cv2.resize(rng.normal(0, 6, (side // 2, side // 2, 1)).astype(np.float32), (side, side))[..., None]


def cloth_of(worn: Sequence[Worn], *, least: int = 40) -> list[NDArray[np.uint8]]:
    """Squares of real cloth from inside worn garments, at least `least` px wide."""
    found = []
    for item in worn[::2]:
        cloth = np.pad((item.view.alpha > 200).astype(np.uint8), 1)  # the photo ends where cloth does
        inside = cv2.distanceTransform(cloth, cv2.DIST_C, 3)[1:-1, 1:-1]
        y, x = np.unravel_index(int(inside.argmax()), inside.shape)
        r = int(inside[y, x] * 0.9)
        if 2 * r >= least:
            found.append(np.ascontiguousarray(item.view.rgb[y - r : y + r, x - r : x + r]))
    return found
