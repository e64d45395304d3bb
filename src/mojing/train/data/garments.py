"""Garments with known anchors, made from worn ones, and real garment photos with what is known of them.

A worn garment is cut out of a photo by its label, laid on a made-up flat figure by the project's own drape (so its
anchors are that figure's joints), given an inner back of the collar and put on a background.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mojing.core.geometry import Box
from mojing.core.skeleton import GARMENT_ANCHORS, A, J
from mojing.perception.body import BodyView
from mojing.perception.garment import AGAIN, CATEGORIES, GarmentView, on_white
from mojing.perception.ground_truth import garment_rows, seen_whole
from mojing.perception.labels import L
from mojing.perception.worn import KINDS, worn_anchors
from mojing.train.data import augment as aug
from mojing.train.data.people import Person
from mojing.tryon.drape import drape
from mojing.tryon.pattern import make_pattern

SIDE = 256
"""Side of the square picture the garment network reads."""

FLAT_SHARE = 0.6
"""Share of the made-up pictures that show a worn garment laid flat; the others show it as it is worn."""

ALONE = 0.35
"""Share of the pictures that show a garment as `GarmentNet.again` does: its cut-out on white, from near by or afar."""

SLEEVES = ("none", "short", "long")


@dataclass
class Worn:
    """A garment taken off somebody, the wearer's joints (21, 3) in its picture, and pictures of it laid out flat."""

    view: GarmentView
    joints: NDArray[np.float32]
    sleeve: str
    key: str
    flat: list[Flat] = field(default_factory=list)


@dataclass
class Flat:
    """A garment laid out flat: RGB, alpha and anchors (17, 3) at SIDE x SIDE."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    anchors: NDArray[np.float32]


@dataclass
class Scene:
    """One training picture: image (SIDE, SIDE, 3), seg (SIDE, SIDE) 0 background, 1 garment, 2 inner back, 255 unknown;
    anchors (17, 3), category and sleeve index (-1 unknown), and which of them count."""

    image: NDArray[np.uint8]
    seg: NDArray[np.uint8]
    anchors: NDArray[np.float32]
    category: int
    sleeve: int
    anchors_known: float


def take_all_off(people: Sequence[Person], *, least: float = 0.012) -> list[Worn]:
    """Every garment of every photo that is seen nearly whole: one connected piece, compact, without big holes."""
    found = []
    for person in people:
        if person.parse is None:
            continue
        for category, names in KINDS.items():
            worn = _take_off(person, category, names, least=least)
            if worn is not None:
                found.append(worn)
    return found


def _take_off(person: Person, category: str, names: Sequence[str], *, least: float) -> Worn | None:
    assert person.parse is not None
    mask = np.isin(person.parse, [L[n] for n in names]).astype(np.uint8)
    if mask.mean() < least:
        return None
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, w, h, area = (int(v) for v in stats[largest])
    if area < 0.85 * mask.sum() or min(w, h) < 40:
        return None
    solid = (pieces == largest).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outer = max(contours, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(outer))
    if area < 0.62 * hull or area < 0.93 * cv2.contourArea(outer):
        return None
    pad = round(0.12 * max(w, h))
    rows = slice(max(y - pad, 0), min(y + h + pad, mask.shape[0]))
    cols = slice(max(x - pad, 0), min(x + w + pad, mask.shape[1]))
    if not seen_whole(person.parse, solid, person.joints, category):
        return None
    rgb, cut = person.levels[0][rows, cols], solid[rows, cols] * np.uint8(255)
    joints = person.joints - np.array([cols.start, rows.start, 0], np.float32)
    scale = min(1.0, 384 / max(cut.shape))
    if scale < 1:
        rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        joints = joints * np.array([scale, scale, 1], np.float32)
    anchors, sleeve = worn_anchors(cut > 127, joints, category, shown=True)
    alpha = cv2.erode(cut, np.ones((3, 3), np.uint8))
    attributes = {"sleeve": sleeve, "worn": "yes"}
    view = GarmentView(cut.shape, rgb.copy(), alpha, np.zeros_like(cut), category, attributes, anchors, 1.0)
    return Worn(view, joints, sleeve, person.key)


def flat_figure(rng: np.random.Generator, *, side: int, category: str) -> NDArray[np.float32]:
    """Joints (21, 3) of a figure as a garment lies: arms hanging to spread, legs slightly apart, facing the viewer."""
    out = np.zeros((len(J), 3), np.float32)
    out[:, 2] = 1.0
    upper = category in ("top", "outer", "dress")
    t = side * (rng.uniform(0.42, 0.6) if category in ("top", "outer") else rng.uniform(0.26, 0.34))
    neck = np.array([side / 2, side * (0.22 if upper else 0.02)])
    shoulders = t * rng.uniform(0.58, 0.74)
    hips = t * rng.uniform(0.33, 0.42)
    spread, bend = np.deg2rad(rng.uniform(8, 80)), np.deg2rad(rng.normal(0, 14))
    legs = np.deg2rad(rng.uniform(0, 9))
    for sign, name in ((1, "left"), (-1, "right")):
        shoulder = neck + np.array([sign * shoulders / 2, 0])
        hip = neck + np.array([sign * hips / 2, t])
        a, b = spread + np.deg2rad(rng.normal(0, 5)), spread + bend + np.deg2rad(rng.normal(0, 5))
        elbow = shoulder + 0.56 * t * np.array([sign * np.sin(a), np.cos(a)])
        wrist = elbow + 0.49 * t * np.array([sign * np.sin(b), np.cos(b)])
        hand = wrist + 0.15 * t * np.array([sign * np.sin(b), np.cos(b)])
        leg = np.array([sign * np.sin(legs), np.cos(legs)])
        knee, ankle = hip + 0.82 * t * leg, hip + 1.56 * t * leg
        rows = ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "toe")
        points = (shoulder, elbow, wrist, hand, hip, knee, ankle, ankle + np.array([0, 0.1 * t]))
        for row, point in zip(rows, points, strict=True):
            out[J[f"{name}_{row}"], :2] = point
        out[J[f"{name}_eye"], :2] = neck + np.array([sign * 0.08 * t, -0.42 * t])
        out[J[f"{name}_ear"], :2] = neck + np.array([sign * 0.16 * t, -0.4 * t])
    out[J["nose"], :2] = neck + np.array([0, -0.36 * t])
    return out


def lay_all_flat(garments: Sequence[Worn], *, count: int, seed: int = 0) -> None:
    """Lay every garment out flat `count` times, each on another figure (about 50 ms each)."""

    def lay(i: int) -> None:
        rng = np.random.default_rng((seed, i))
        garments[i].flat = [lay_flat(garments[i], rng) for _ in range(count)]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lay, range(len(garments))))


def lay_flat(worn: Worn, rng: np.random.Generator, *, side: int = SIDE) -> Flat:
    """A worn garment laid out flat on a random figure."""
    joints = flat_figure(rng, side=side, category=worn.view.category)
    nothing = np.zeros((side, side), np.uint8)
    body = BodyView((side, side), joints, nothing, nothing, Box(0, 0, side, side))
    result = drape(make_pattern(worn.view), body)
    alpha = (result.alpha * 255).astype(np.uint8)
    anchors, _ = worn_anchors(alpha > 127, joints, worn.view.category, shown=True)
    return Flat(result.rgb.copy(), alpha, _covered_only(anchors, worn.view.anchors))


def _covered_only(anchors: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Limb joints count only where the worn garment covered that limb in its own photo."""
    out = anchors.copy()
    for name in (
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ):
        if known[A[name], 2] < 0.1:
            out[A[name]] = 0
    return out


def inner_collar(
    alpha: NDArray[np.uint8], rgb: NDArray[np.uint8], anchors: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paint the inner back of the collar into the neck opening; returns the picture and the painted area (0/1)."""
    left, right = anchors[A["left_shoulder"]], anchors[A["right_shoulder"]]
    if min(left[2], right[2]) <= 0:
        return rgb, np.zeros_like(alpha)
    width = float(np.hypot(*(left[:2] - right[:2])))
    neck = (left[:2] + right[:2]) / 2
    region = np.zeros_like(alpha)
    half, up, down = 0.42 * width, 0.28 * width, 0.5 * width
    x0, x1 = int(neck[0] - half), int(neck[0] + half)
    y0, y1 = int(neck[1] - up), int(neck[1] + down)
    region[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = 1
    solid = ((alpha > 127) & (region > 0)).astype(np.uint8)
    points = cv2.findNonZero(solid)
    if points is None:
        return rgb, np.zeros_like(alpha)
    hull = np.zeros_like(alpha)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    sag = int(rng.uniform(0, 0.12) * width)
    area = ((hull > 0) & (alpha <= 127)).astype(np.uint8)
    if sag:
        area[:sag] = 0
        area = area & np.roll(hull, sag, axis=0)
    if area.sum() < 30:
        return rgb, np.zeros_like(alpha)
    colour = np.median(rgb[solid > 0], axis=0) if rng.random() < 0.75 else rng.integers(0, 256, 3)
    shade = np.linspace(rng.uniform(0.7, 1.0), rng.uniform(0.45, 0.85), alpha.shape[0])[:, None, None]
    painted = np.clip(colour * shade, 0, 255) + rng.normal(0, 4, (*alpha.shape, 1))
    out = np.where(area[..., None] > 0, np.clip(painted, 0, 255), rgb).astype(np.uint8)
    if rng.random() < 0.5:
        w, h = max(int(0.1 * width), 2), max(int(0.05 * width), 2)
        ys = np.flatnonzero(area[:, int(np.clip(neck[0], 0, alpha.shape[1] - 1))])
        if len(ys):
            x, y = int(neck[0] - w / 2), int(ys[0] + 0.2 * h)
            out[max(y, 0) : y + h, max(x, 0) : x + w] = rng.integers(0, 256, 3)
            out = np.where((area[..., None] > 0) | (alpha[..., None] > 127), out, rgb)
    return out, area


def place(
    rgb: NDArray[np.uint8],
    cover: NDArray[np.uint8],
    background: NDArray[np.uint8],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Put a garment (RGB and soft cover, uint8) on a background with a soft shadow and uneven light."""
    h, w = cover.shape
    light = cv2.resize(
        rng.normal(1, rng.uniform(0, 0.1), (3, 3)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC
    )
    back = background.astype(np.float32)
    if rng.random() < 0.7:
        shift = np.array([[1, 0, rng.normal(0, 5)], [0, 1, rng.uniform(-1, 7)]], np.float32)
        shadow = cv2.warpAffine(cover, shift, (w, h))
        shadow = cv2.GaussianBlur(shadow, (0, 0), float(rng.uniform(1.5, 8))).astype(np.float32) / 255
        back = back * (1 - rng.uniform(0.1, 0.55) * shadow[..., None])
    soft = cover.astype(np.float32)[..., None] / 255
    return np.clip((rgb * soft + back * (1 - soft)) * light[..., None], 0, 255).astype(np.uint8)


def _afar(rng: np.random.Generator) -> float:
    """Share of the picture's side that a garment alone takes, about as `GarmentNet.again` frames it."""
    return float(1 / rng.uniform(0.93 * min(AGAIN), 1.08 * max(AGAIN)))


def background(rng: np.random.Generator, edges: Sequence[NDArray[np.uint8]], *, side: int) -> NDArray[np.uint8]:
    """White, plain, uneven or real (borders of garment photos, stretched and tiled by mirroring)."""
    kind = rng.random()
    if kind < 0.25:
        return np.full((side, side, 3), int(rng.integers(236, 256)), np.uint8)
    if kind < 0.45 or not edges:
        base = rng.integers(20, 256, 3).astype(np.float32)
        drift = cv2.resize(rng.normal(0, 12, (3, 3, 1)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        grain = rng.normal(0, rng.uniform(0, 6), (side, side, 1))
        return np.clip(base + drift[..., None] + grain, 0, 255).astype(np.uint8)
    strip = edges[int(rng.integers(len(edges)))]
    if rng.random() < 0.5:
        strip = np.ascontiguousarray(np.rot90(strip, int(rng.integers(4))))
    tile = np.concatenate([strip, strip[:, ::-1]], axis=1)
    while tile.shape[1] < tile.shape[0]:
        tile = np.concatenate([tile, tile[:, ::-1]], axis=1)
    tile = np.concatenate([tile, tile[::-1]], axis=0) if tile.shape[0] < tile.shape[1] / 2 else tile
    return cv2.resize(tile, (side, side), interpolation=cv2.INTER_LINEAR)


def scene(worn: Worn, rng: np.random.Generator, edges: Sequence[NDArray[np.uint8]], *, side: int = SIDE) -> Scene:
    """A made-up product photo of a worn garment with everything known about it."""
    if worn.flat and rng.random() < FLAT_SHARE:
        flat = worn.flat[int(rng.integers(len(worn.flat)))]
        rgb, alpha, anchors = flat.rgb, flat.alpha, flat.anchors.copy()
        inner = np.zeros_like(alpha)
    else:
        rgb, alpha, anchors = worn.view.rgb.copy(), worn.view.alpha.copy(), worn.view.anchors.copy()
        inner = (worn.view.inner > 127).astype(np.uint8)
    if not inner.any() and rng.random() < 0.7:
        rgb, inner = inner_collar(alpha, rgb, anchors, rng)
    if rng.random() < 0.6:
        rgb = aug.recolour(rgb, np.ones_like(alpha), rng)
    x, y, w, h = cv2.boundingRect(((alpha > 60) | (inner > 0)).astype(np.uint8))
    alone = rng.random() < ALONE
    fill = (_afar(rng) if alone else rng.uniform(0.6, 0.98)) * side / max(w, h, 8)
    stretch = np.exp(rng.normal(0, 0.07))
    m = aug.similarity(
        (x + w / 2, y + h / 2),
        scale=fill,
        degrees=rng.normal(0, 9),
        out_wh=(side, side),
        shift=tuple(rng.normal(0, 0.03 * side, 2)),
    )
    m[0] = m[0] * stretch + np.array([0, 0, (1 - stretch) * side / 2], np.float32)
    wh = (side, side)
    flags = cv2.INTER_AREA if fill < 1 else cv2.INTER_LINEAR
    rgb = cv2.warpAffine(rgb, m, wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(alpha, m, wh)
    inner = cv2.warpAffine(inner * np.uint8(255), m, wh)
    anchors = np.where(anchors[:, 2:] > 0, aug.move_points(anchors, m), 0).astype(np.float32)
    cover = np.maximum(alpha, cv2.GaussianBlur(inner, (3, 3), 0))
    image = on_white(rgb, cover) if alone else place(rgb, cover, background(rng, edges, side=side), rng)
    seg = np.where(alpha > 127, 1, np.where(inner > 127, 2, 0)).astype(np.uint8)
    if not alone and rng.random() < 0.15:
        image = _hanger(image, cover, anchors, rng)
    return Scene(
        aug.jitter_colour(image, rng, strength=0.8),
        seg,
        anchors,
        CATEGORIES.index(worn.view.category),
        SLEEVES.index(worn.sleeve) if worn.view.category in ("top", "outer", "dress") else -1,
        1.0,
    )


def _hanger(
    image: NDArray[np.uint8], cover: NDArray[np.uint8], anchors: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw a hanger behind the garment: it is background."""
    left, right = anchors[A["left_shoulder"]], anchors[A["right_shoulder"]]
    if min(left[2], right[2]) <= 0:
        return image
    neck = (left[:2] + right[:2]) / 2
    w = float(np.hypot(*(left[:2] - right[:2])))
    colour = tuple(int(v) for v in rng.integers(0, 256, 3))
    layer = image.copy()
    top = (int(neck[0]), int(neck[1] - rng.uniform(0.12, 0.3) * w))
    thick = max(1, int(rng.uniform(0.01, 0.04) * w))
    for end in (left, right):
        cv2.line(layer, top, (int(end[0]), int(end[1] - 0.02 * w)), colour, thick, cv2.LINE_AA)
    cv2.ellipse(
        layer, (top[0], int(top[1] - 0.1 * w)), (int(0.07 * w), int(0.1 * w)), 0, 90, 330, colour, thick, cv2.LINE_AA
    )
    soft = cover.astype(np.float32)[..., None] / 255
    return (image * soft + layer * (1 - soft)).astype(np.uint8)


@dataclass
class RealGarment:
    """A garment photo letterboxed to SIDE, its labels, and, after self-training, its segmentation and anchors."""

    image: NDArray[np.uint8]
    category: int
    sleeve: int
    sender: str
    inside: NDArray[np.uint8]
    seg: NDArray[np.uint8] | None = None
    anchors: NDArray[np.float32] | None = None


def load_garments(data: Path, *, validation: bool = False) -> list[RealGarment]:
    """Garment photos with a usable label; senders are split so that one sender's photos stay on one side."""
    found = []
    for row in garment_rows(data, validation=validation):
        bgr = cv2.imread(str(row.photo), cv2.IMREAD_COLOR)
        if bgr is None:
            continue
        image, inside = letterbox(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
        sleeve = SLEEVES.index(row.sleeve) if row.sleeve else -1
        found.append(RealGarment(image, CATEGORIES.index(row.category), sleeve, row.sender, inside))
    return found


def letterbox(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Fit a photo into SIDE x SIDE, the rest filled with its border's mean colour; and where the photo lies (0/1)."""
    h, w = rgb.shape[:2]
    scale = SIDE / max(h, w)
    wh = (max(round(w * scale), 1), max(round(h * scale), 1))
    small = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]]).mean(axis=0)
    out = np.empty((SIDE, SIDE, 3), np.uint8)
    out[:] = border.astype(np.uint8)
    y, x = (SIDE - wh[1]) // 2, (SIDE - wh[0]) // 2
    out[y : y + wh[1], x : x + wh[0]] = small
    inside = np.zeros((SIDE, SIDE), np.uint8)
    inside[y : y + wh[1], x : x + wh[0]] = 1
    return out, inside


def edges_of(garments: Sequence[RealGarment]) -> list[NDArray[np.uint8]]:
    """Border strips of garment photos: real floors, walls and blankets without the garment."""
    strips = []
    for g in garments[::3]:
        ys, xs = np.nonzero(g.inside)
        photo = g.image[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        side = max(photo.shape[1] // 8, 12)
        strips += [photo[:, :side].copy(), photo[:, -side:].copy()]
    return strips


def real_scene(garment: RealGarment, rng: np.random.Generator, *, side: int = SIDE) -> Scene:
    """An augmented view of a real garment photo, or of its cut-out alone once that is known."""
    alone = garment.seg is not None and rng.random() < ALONE
    centre, scale = (SIDE / 2 - 0.5, SIDE / 2 - 0.5), side / SIDE * rng.uniform(0.8, 1.1)
    source = garment.image
    if alone:
        cover = np.where((garment.seg == 1) | (garment.seg == 2), 255, 0).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(cover)
        centre, scale = (x + w / 2, y + h / 2), side * _afar(rng) / max(w, h, 8)
        source = on_white(source, cv2.GaussianBlur(cover, (3, 3), 0))
    m = aug.similarity(
        centre,
        scale=scale,
        degrees=rng.normal(0, 12),
        out_wh=(side, side),
        shift=tuple(rng.normal(0, 0.03 * side, 2)),
    )
    source = cv2.GaussianBlur(source, (0, 0), 0.6 * SIDE / side) if side < SIDE else source
    image = cv2.warpAffine(source, m, (side, side), borderMode=cv2.BORDER_REPLICATE)
    seg = np.full((side, side), 255, np.uint8)
    anchors = np.zeros((len(GARMENT_ANCHORS), 3), np.float32)
    known = 0.0
    if garment.seg is not None and garment.anchors is not None:
        seg = cv2.warpAffine(garment.seg, m, (side, side), flags=cv2.INTER_NEAREST, borderValue=255)
        anchors = np.where(garment.anchors[:, 2:] > 0, aug.move_points(garment.anchors, m), 0).astype(np.float32)
        known = 0.5
    return Scene(aug.jitter_colour(image, rng, strength=0.8), seg, anchors, garment.category, garment.sleeve, known)


def mirror(sample: Scene, order: Sequence[int]) -> Scene:
    """The horizontally flipped scene."""
    anchors = sample.anchors[list(order)].copy()
    anchors[:, 0] = np.where(anchors[:, 2] > 0, sample.image.shape[1] - 1 - anchors[:, 0], 0)
    return replace(
        sample,
        image=np.ascontiguousarray(sample.image[:, ::-1]),
        seg=np.ascontiguousarray(sample.seg[:, ::-1]),
        anchors=anchors,
    )
