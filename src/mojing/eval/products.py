"""Product photos with known truth, made from worn garments: cut out by their labels, put on plain and busy backgrounds.

They are not real product photos. A worn garment has folds, a body inside it and no inner collar, and its outline is as
rough as the hand-made label; figures on them tell one network from another, and are no promise for a shop's photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.image import load
from mojing.eval.people import Person
from mojing.perception.ground_truth import seen_whole
from mojing.perception.labels import L
from mojing.perception.worn import KINDS, worn_anchors

SIDE = 512
SOLID = {"trousers": 0.55, "skirt": 0.8, "dress": 0.72, "top": 0.66, "outer": 0.68}
"""Least share of its convex hull that a worn garment must fill to be taken."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A worn garment with a margin: RGB (h, w, 3), alpha (h, w) uint8, anchors (17, 3), category, sleeve, whose."""

    rgb: U8
    alpha: U8
    anchors: F32
    category: str
    sleeve: str
    key: str


@dataclass(frozen=True, eq=False)
class Product:
    """A made-up product photo: RGB (SIDE, SIDE, 3), truth of the cut-out (SIDE, SIDE) bool, anchors (17, 3)."""

    rgb: U8
    truth: AnyArray
    anchors: F32
    piece: Piece


def pieces_of(person: Person) -> list[Piece]:
    """Garments that are worn upright and seen nearly whole: one connected, compact piece without big holes."""
    assert person.parse is not None and person.joints is not None
    out = []
    for category, names in KINDS.items():
        mask = np.isin(person.parse, [L[n] for n in names]).astype(np.uint8)
        piece = _largest(mask, solid=SOLID[category])
        if piece is None or not seen_whole(person.parse, piece, person.joints, category):
            continue
        x, y, w, h = cv2.boundingRect(piece)
        pad = round(0.1 * max(w, h))
        rows = slice(max(y - pad, 0), min(y + h + pad, mask.shape[0]))
        cols = slice(max(x - pad, 0), min(x + w + pad, mask.shape[1]))
        joints = person.joints - np.array([cols.start, rows.start, 0], np.float32)
        cut = np.ascontiguousarray(piece[rows, cols])
        anchors, sleeve = worn_anchors(cut > 0, joints, category, shown=True)
        rgb = np.ascontiguousarray(person.rgb[rows, cols])
        out.append(Piece(rgb, cut * np.uint8(255), anchors, category, sleeve, person.key))
    return out


def _largest(mask: U8, *, solid: float) -> U8 | None:
    if mask.mean() < 0.012:
        return None
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return None
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    area = int(stats[best, cv2.CC_STAT_AREA])
    piece = (pieces == best).astype(np.uint8)
    contours, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outer = max(contours, key=cv2.contourArea)
    compact = area >= solid * cv2.contourArea(cv2.convexHull(outer)) and area >= 0.95 * cv2.contourArea(outer)
    return piece if compact and area > 0.9 * mask.sum() else None


def make_product(piece: Piece, background: U8, rng: np.random.Generator) -> Product:
    """Lay a piece on a background (SIDE, SIDE, 3), a little turned, with a soft shadow and uneven light."""
    x, y, w, h = cv2.boundingRect(piece.alpha)
    scale = rng.uniform(0.6, 0.85) * SIDE / max(w, h)
    angle = np.deg2rad(rng.normal(0, 4))
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    rot = np.array([[c, s], [-s, c]])
    centre = np.array([x + w / 2, y + h / 2])
    move = np.array([SIDE / 2, SIDE / 2]) + rng.normal(0, 0.02 * SIDE, 2) - rot @ centre
    matrix = np.concatenate([rot, move[:, None]], axis=1)
    rgb = cv2.warpAffine(piece.rgb, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    hard = cv2.GaussianBlur(piece.alpha, (0, 0), 1.0)
    soft = cv2.warpAffine(hard, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    soft = np.clip((soft - 0.3) / 0.4, 0, 1)
    shadow = cv2.GaussianBlur(np.roll(soft, (4, 5), axis=(0, 1)), (0, 0), 6.0)
    light = cv2.resize(rng.normal(1, 0.025, (3, 3)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    back = background * (1 - rng.uniform(0, 0.2) * shadow[..., None])
    picture = (rgb * soft[..., None] + back * (1 - soft[..., None])) * light[..., None]
    anchors = piece.anchors.copy()
    anchors[:, :2] = piece.anchors[:, :2] @ rot.T + move
    return Product(np.clip(picture, 0, 255).astype(np.uint8), soft > 0.5, anchors.astype(np.float32), piece)


def plain(rng: np.random.Generator) -> U8:
    """White (half of the time), grey or a light colour, with faint noise."""
    kind = rng.random()
    base = (
        np.full(3, 252.0)
        if kind < 0.5
        else (np.full(3, rng.uniform(180, 245)) if kind < 0.75 else rng.uniform(150, 245, 3))
    )
    return np.clip(base + rng.normal(0, 1.2, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)


def busy(photo: U8) -> U8:
    """The surroundings of a phone photo of another garment: its left edge, mirrored over and over to the right."""
    width = max(round(0.12 * photo.shape[1]), 4)
    strip = photo[:, :width]
    pair = np.hstack([strip, strip[:, ::-1]])
    tiled = np.hstack([pair] * (photo.shape[1] // (2 * width) + 1))
    return np.asarray(cv2.resize(tiled, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


def busy_sources(data: Path, *, count: int) -> list[Path]:
    """Phone photos, spread evenly over the folder, whose corners serve as busy backgrounds."""
    photos = sorted((data / "garments" / "photos").glob("*.*"))
    return photos[:: max(len(photos) // max(count, 1), 1)][:count]


def read_small(path: Path) -> U8:
    """A photo as RGB (H, W, 3)."""
    return load(path).flat()


def products(pieces: Sequence[Piece], data: Path, *, seed: int = 0) -> list[tuple[str, Product]]:
    """Every piece once on a plain and once on a busy background: ("plain" or "busy", product)."""
    rng = np.random.default_rng(seed)
    sources = busy_sources(data, count=len(pieces))
    out: list[tuple[str, Product]] = []
    for i, piece in enumerate(pieces):
        out.append(("plain", make_product(piece, plain(rng), rng)))
        if sources:
            out.append(("busy", make_product(piece, busy(read_small(sources[i % len(sources)])), rng)))
    return out
