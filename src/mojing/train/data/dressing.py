"""Training crops of the try-on GAN: take a worn garment off, drape it back a little wrong, blank what is redone."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mojing.core.geometry import Box
from mojing.core.skeleton import BODY_JOINTS, J
from mojing.perception.body import BodyView
from mojing.perception.garment import GarmentView
from mojing.perception.labels import L
from mojing.perception.worn import KINDS, worn_anchors
from mojing.train.data import augment as aug
from mojing.train.data.people import IGNORE, Person, mirrored, mirrored_parse
from mojing.tryon.agnostic import edit_region, grow
from mojing.tryon.conditions import CROP_WH, context_input, picture_input
from mojing.tryon.drape import drape
from mojing.tryon.pattern import make_pattern

COATS = 0.4
"""Share of the tops whose crop reaches down to the feet, as if a long coat had been taken off."""

LEAST = {"top": 0.02, "outer": 0.02, "dress": 0.03, "skirt": 0.015, "trousers": 0.02}
"""Smallest share of the photo a garment must cover to be trained on."""


@dataclass
class Dressing:
    """One crop at CROP_WH: rgb, parse (255 unknown), joints (21, 3), the draped garment and its alpha, edit mask, and
    `keep` (what may never be blanked), all uint8 but the joints."""

    rgb: NDArray[np.uint8]
    parse: NDArray[np.uint8]
    joints: NDArray[np.float32]
    coarse: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    keep: NDArray[np.uint8]
    category: str
    key: str
    weight: float


def slots(person: Person) -> list[str]:
    """Categories of garments a person visibly wears."""
    assert person.parse is not None
    area = np.bincount(person.parse.ravel(), minlength=256) / person.parse.size
    found = [c for c, names in KINDS.items() if sum(area[L[n]] for n in names) > LEAST[c]]
    hidden = area[L["outer"]] > 0.6 * area[L["upper"]]
    return [c for c in found if not (c == "top" and hidden)]


def undress(person: Person, category: str, rng: np.random.Generator, *, jitter: float = 0.035) -> Dressing | None:
    """Crop around a worn garment, drape it back with wrong anchors, and blank it; None when the drape is lost.

    `jitter` is the standard deviation of the anchors' error in torso lengths.
    """
    assert person.parse is not None
    mask = np.isin(person.parse, [L[n] for n in KINDS[category]])
    m = _crop_matrix(person, mask, category, rng)
    rgb = aug.warp_levels(person.levels, m, CROP_WH)
    parse = aug.warp_level(person.parse, m, CROP_WH, nearest=True, border=0)
    joints = aug.move_points(person.joints, m)
    known = np.where(parse == IGNORE, 0, parse).astype(np.uint8)
    body = BodyView(parse.shape, joints, known, ((known > 0) * np.uint8(255)), _box(known))
    worn = np.isin(known, [L[n] for n in KINDS[category]])
    if worn.mean() < 0.02:
        return None
    view = _garment(rgb, worn, joints, category, rng, jitter=jitter)
    result = drape(make_pattern(view), body)
    fresh = result.alpha > 0.5
    if (fresh & worn).sum() < 0.6 * worn.sum() or (fresh & worn).sum() < 0.5 * fresh.sum():
        return None
    edit = edit_region(body, result, category, margin=float(rng.uniform(0.03, 0.14)))
    alpha = np.clip(result.alpha * 255, 0, 255).astype(np.uint8)
    return Dressing(
        rgb, parse, joints, result.rgb.copy(), alpha, edit.mask.copy(), edit.keep.copy(), category, person.key,
        1.0 if person.labelled else 0.6,
    )  # fmt: skip


def _crop_matrix(
    person: Person, mask: NDArray[np.bool_], category: str, rng: np.random.Generator
) -> NDArray[np.float32]:
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    limbs = {
        "top": ("elbow", "wrist", "hand"),
        "outer": ("elbow", "wrist", "hand"),
        "dress": ("elbow", "wrist", "knee"),
    }
    points = [np.array([[x, y], [x + w, y + h]], np.float32)]
    # A top may replace a long coat: then the network has to go on with what is worn below, so it must see it.
    coat = category == "top" and rng.random() < COATS
    for name in (*limbs.get(category, ("hip", "knee", "ankle")), *(("knee", "ankle") if coat else ())):
        for side in ("left", "right"):
            j = person.joints[BODY_JOINTS.index(f"{side}_{name}")]
            if j[2] > 0.4:
                points.append(j[None, :2])
    stacked = np.concatenate(points)
    (x0, y0), (x1, y1) = stacked.min(axis=0), stacked.max(axis=0)
    tall = max((y1 - y0) * 1.24, (x1 - x0) * 1.24 * CROP_WH[1] / CROP_WH[0])
    scale = CROP_WH[1] / max(float(tall), 32.0) * float(np.exp(rng.uniform(-0.22, 0.1)))
    shift = (float(rng.normal(0, 0.03) * CROP_WH[0]), float(rng.normal(0, 0.03) * CROP_WH[1]))
    centre = (float(x0 + x1) / 2, float(y0 + y1) / 2)
    return aug.similarity(centre, scale=scale, degrees=float(rng.normal(0, 3)), out_wh=CROP_WH, shift=shift)


def _box(parse: NDArray[np.uint8]) -> Box:
    x, y, w, h = cv2.boundingRect((parse > 0).astype(np.uint8))
    return Box(x, y, x + max(w, 1), y + max(h, 1))


def _garment(
    rgb: NDArray[np.uint8],
    worn: NDArray[np.bool_],
    joints: NDArray[np.float32],
    category: str,
    rng: np.random.Generator,
    *,
    jitter: float,
) -> GarmentView:
    """The worn garment as if from a product photo: small holes closed, anchors a little wrong."""
    cut = worn.astype(np.uint8) * np.uint8(255)
    anchors, sleeve = worn_anchors(worn, joints, category)
    torso = float(np.hypot(*(joints[[5, 6], :2].mean(axis=0) - joints[[11, 12], :2].mean(axis=0)))) + 1e-6
    wrong = anchors.copy()
    wrong[:, :2] += rng.normal(0, rng.uniform(0, 1.6) * jitter * torso, (len(anchors), 2))
    scale = np.exp(rng.normal(0, 0.03, 2))
    centre = wrong[wrong[:, 2] > 0, :2].mean(axis=0) if (wrong[:, 2] > 0).any() else np.zeros(2)
    wrong[:, :2] = (wrong[:, :2] - centre) * scale + centre
    alpha = cv2.erode(cut, np.ones((3, 3), np.uint8))
    return GarmentView(
        hw=(worn.shape[0], worn.shape[1]),
        rgb=rgb,
        alpha=alpha,
        inner=np.zeros_like(cut),
        category=category,
        attributes={"sleeve": sleeve, "worn": "yes"},
        anchors=wrong.astype(np.float32),
        confidence=1.0,
    )


def prepare(people: Sequence[Person], folder: Path, *, seed: int = 0, limit: int | None = None) -> list[Dressing]:
    """One crop of every garment of every person; kept in `folder`, so that a resumed run does not make them again."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Dressing] = []
    for person in people:
        if person.parse is None:
            continue
        for category in slots(person):
            path = folder / f"{person.key.replace('/', '_')}_{category}.npz"
            crop = _read(path) if path.exists() else _make(person, category, path, seed=seed)
            if crop is not None:
                found.append(crop)
        if limit is not None and len(found) >= limit:
            break
    return found


def read_all(folder: Path) -> list[Dressing]:
    """All crops that `prepare` kept in a folder."""
    return list(read_each(sorted(folder.glob("*.npz"))))


def read_each(paths: Iterable[Path]) -> Iterator[Dressing]:
    """The crops of files that `prepare` wrote, one at a time; files that say there is none are passed over."""
    return (crop for crop in map(_read, paths) if crop is not None)


def _make(person: Person, category: str, path: Path, *, seed: int) -> Dressing | None:
    crop = undress(person, category, np.random.default_rng((seed, zlib.crc32(path.stem.encode()))))
    arrays: dict[str, Any] = {k: v for k, v in vars(crop).items() if isinstance(v, np.ndarray)} if crop else {}
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.savez(file, **arrays, about=np.array([person.key, category, str(crop.weight if crop else 0)]))
    temporary.replace(path)
    return crop


def _read(path: Path) -> Dressing | None:
    with np.load(path) as known:
        if "rgb" not in known:
            return None
        key, category, weight = (str(v) for v in known["about"])
        arrays = {k: known[k] for k in known.files if k not in ("about", "weight")}
    return Dressing(**arrays, category=category, key=key, weight=float(weight))


@dataclass
class Sample:
    """Network inputs and truth: picture (8, H, W), context (24, H/4, W/4), photo (H, W, 3) uint8, parse at a quarter
    size, and the garment's true alpha (H, W) 0/1, 255 unknown."""

    picture: NDArray[np.float32]
    context: NDArray[np.float32]
    photo: NDArray[np.uint8]
    parse: NDArray[np.uint8]
    garment: NDArray[np.uint8]
    weight: float


def augment(d: Dressing, rng: np.random.Generator, *, half: bool) -> Sample:
    """Flip, colours, a further smooth warp, shading, holes and a wider mask; at full or half size."""
    rgb, parse, joints, coarse, alpha, mask, keep = d.rgb, d.parse, d.joints, d.coarse, d.alpha, d.mask, d.keep
    if half:
        wh = (CROP_WH[0] // 2, CROP_WH[1] // 2)
        rgb, coarse, alpha = (cv2.resize(v, wh, interpolation=cv2.INTER_AREA) for v in (rgb, coarse, alpha))
        parse, mask, keep = (np.ascontiguousarray(v[::2, ::2]) for v in (parse, mask, keep))
        joints = joints * np.array([0.5, 0.5, 1], np.float32)
    if rng.random() < 0.5:
        rgb, coarse, alpha, mask, keep = (np.ascontiguousarray(v[:, ::-1]) for v in (rgb, coarse, alpha, mask, keep))
        parse, joints = mirrored_parse(parse), mirrored(joints, rgb.shape[1])
    if rng.random() < 0.8:
        table = _colour_table(rng)
        rgb, coarse = cv2.LUT(rgb, table), cv2.LUT(coarse, table)
    coarse, alpha = _disturb(coarse, alpha, rng)
    if d.category in ("top", "outer", "dress") and rng.random() < 0.5:
        mask = np.maximum(mask, _coat(joints, mask.shape, rng))
    mask = _wider(mask, keep, rng)
    picture = picture_input(rgb, mask, coarse=coarse, alpha=alpha.astype(np.float32) / np.float32(255))
    known = np.where(parse == IGNORE, 0, parse).astype(np.uint8)
    context = context_input(joints, known, mask, rgb=rgb, category=d.category)
    worn = np.isin(parse, [L[n] for n in KINDS[d.category]]).astype(np.uint8)
    worn[parse == IGNORE] = 255
    return Sample(picture, context, rgb, np.ascontiguousarray(parse[2::4, 2::4]), worn, d.weight)


def _colour_table(rng: np.random.Generator) -> NDArray[np.uint8]:
    gain = np.exp(rng.normal(0, 0.08, 3)) * np.exp(rng.normal(0, 0.1))
    ramp = (np.arange(256) / 255)[:, None] ** np.exp(rng.normal(0, 0.15)) * gain
    return np.clip(ramp * 255, 0, 255).astype(np.uint8)[:, None, :]


def _disturb(
    coarse: NDArray[np.uint8], alpha: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Smooth random warp, low-frequency shading and elliptic holes."""
    h, w = alpha.shape
    cells = int(rng.integers(3, 8))
    size = (w, h)
    noise = rng.normal(0, rng.uniform(0, 0.011) * h, (cells + 1, cells, 2)).astype(np.float32)
    shift = cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    gy, gx = np.mgrid[0:h, 0:w].astype(np.float32)
    at = (gx + shift[..., 0], gy + shift[..., 1])
    coarse = cv2.remap(coarse, *at, cv2.INTER_LINEAR)
    alpha = cv2.remap(alpha, *at, cv2.INTER_LINEAR)
    shade = np.exp(
        cv2.resize(rng.normal(0, rng.uniform(0, 0.16), (5, 4)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    )
    shade = shade * np.exp(rng.normal(0, 0.12))
    coarse = np.clip(coarse * shade[..., None], 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        alpha = alpha.copy()
        for _ in range(int(rng.integers(1, 4))):
            axes = (int(rng.uniform(0.01, 0.07) * w), int(rng.uniform(0.01, 0.09) * h))
            centre = (int(rng.uniform(0.15, 0.85) * w), int(rng.uniform(0.1, 0.9) * h))
            cv2.ellipse(alpha, centre, axes, float(rng.uniform(0, 180)), 0, 360, 0, -1)
    return coarse, alpha


def _coat(joints: NDArray[np.float32], hw: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The area (0/255) of a coat that ends somewhere between hips and shins; empty where the crop ends above it."""
    out = np.zeros(hw[:2], np.uint8)
    at = joints[:, :2]
    neck, hips, knees = (at[[J[f"left_{n}"], J[f"right_{n}"]]].mean(axis=0) for n in ("shoulder", "hip", "knee"))
    torso = float(np.hypot(*(hips - neck))) + 1e-6
    if hips[1] + 0.2 * torso > hw[0]:
        return out
    ahead = (knees - hips) / (float(np.hypot(*(knees - hips))) + 1e-6)
    side = np.array([ahead[1], -ahead[0]])
    low = hips + ahead * torso * rng.uniform(0.2, 1.4)
    top, bottom = rng.uniform(0.25, 0.36) * torso, rng.uniform(0.28, 0.5) * torso
    waist = neck + 0.5 * (hips - neck)
    corners = [waist + side * top, waist - side * top, low - side * bottom, low + side * bottom]
    cv2.fillConvexPoly(out, cv2.convexHull(np.rint(np.array(corners)).astype(np.int32)), 255)
    return out


def _wider(mask: NDArray[np.uint8], keep: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Sometimes blank more than needed, so that skin, other clothes and background are learned, too."""
    out = mask
    if rng.random() < 0.6:
        out = grow(out, float(rng.uniform(0, 0.03) * mask.shape[0]))
    if rng.random() < 0.6:
        out = out.copy()
        ys, xs = np.nonzero(mask[::8, ::8])
        for _ in range(int(rng.integers(1, 4))):
            i = int(rng.integers(len(xs))) if len(xs) else 0
            centre = (int(xs[i]) * 8, int(ys[i]) * 8) if len(xs) else (mask.shape[1] // 2, mask.shape[0] // 2)
            axes = (int(rng.uniform(0.04, 0.2) * mask.shape[1]), int(rng.uniform(0.04, 0.2) * mask.shape[0]))
            cv2.ellipse(out, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    return np.asarray(cv2.bitwise_and(out, cv2.bitwise_not(keep)), np.uint8)
