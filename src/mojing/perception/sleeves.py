"""Telling sleeves and trouser legs from bare limbs by colour, where the parse map took cloth for skin.

The face tells what the person's skin looks like in this light. A limb whose colour is far from it and near the cloth
beside it is covered by that cloth.
"""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.perception.labels import L

_LIMBS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("left_arm", "right_arm"), ("upper", "outer", "dress")),
    (("left_leg", "right_leg"), ("trousers", "legwear", "skirt", "dress")),
)
FAR = 17.0
"""Colour distance (Lab units, lightness halved) from the face above which a limb's pixel may be cloth."""

NEARER = 0.6
"""A pixel is cloth when the cloth's colour is nearer than this share of the skin's."""

LEAST = 0.2
"""Share of a limb that must be cloth before any of it is relabelled; less is shading along its edge."""

_WANTED = np.zeros(256, bool)
_WANTED[[L[name] for group in _LIMBS for names in group for name in names] + [L["face"]]] = True

_COLOURS = 4
_SEED = 3


def clothe_limbs(labels: U8, rgb: U8) -> U8:
    """Parse map with covered limbs given to the cloth that covers them.

    Args:
        labels: (h, w) label ids; not changed.
        rgb: (h, w, 3) the same picture.
    """
    face = labels == L["face"]
    if np.count_nonzero(face) < 30:
        return labels
    lab = _colours_of(rgb, np.nonzero(_WANTED[labels]))
    skin = _main_colours(lab[face], 2)
    out = labels.copy()
    for limbs, cloths in _LIMBS:
        known = {
            c: _main_colours(lab[labels == L[c]], _COLOURS) for c in cloths if np.count_nonzero(labels == L[c]) > 60
        }
        if not known:
            continue
        for limb in limbs:
            _clothe(out, lab, labels == L[limb], skin=skin, known=known)
    return out


def like_skin(labels: U8, rgb: U8, where: AnyArray) -> AnyArray:
    """Pixels (h, w) bool of `where` (h, w) bool whose colour is one of the face's; none where no face is seen."""
    face = labels == L["face"]
    out = np.zeros(labels.shape, bool)
    if np.count_nonzero(face) < 30 or not where.any():
        return out
    lab = _colours_of(rgb, np.nonzero(where | face))
    out[where] = _distance(lab[where], _main_colours(lab[face], 2)) < FAR
    return out


def _colours_of(rgb: U8, where: tuple[AnyArray, ...]) -> F32:
    """Lab colours (h, w, 3), lightness halved, of the pixels at these rows and columns; zeros elsewhere."""
    out = np.zeros(rgb.shape, np.float32)
    if len(where[0]):
        lab = cv2.cvtColor(rgb[where][None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
        out[where] = lab * np.array([0.5, 1, 1], np.float32)
    return out


def _clothe(out: U8, lab: F32, limb: AnyArray, *, skin: F32, known: dict[str, F32]) -> None:
    """Relabel the covered part of one limb in `out`."""
    if np.count_nonzero(limb) < 30:
        return
    pixels = lab[limb]
    from_skin = _distance(pixels, skin)
    names = list(known)
    from_cloth = np.stack([_distance(pixels, known[n]) for n in names])
    best = from_cloth.argmin(axis=0)
    covered = np.zeros(limb.shape, np.uint8)
    covered[limb] = (from_skin > FAR) & (from_cloth.min(axis=0) < NEARER * from_skin)
    size = max(3, round(0.05 * np.sqrt(limb.sum())) * 2 + 1)
    covered = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)) & limb.astype(np.uint8)
    covered = cv2.morphologyEx(covered, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if covered.sum() < LEAST * limb.sum():
        return
    chosen = names[int(np.bincount(best[covered[limb] > 0], minlength=len(names)).argmax())]
    out[covered > 0] = L[chosen]


def _main_colours(pixels: F32, count: int) -> F32:
    """Centres (k, 3) of a k-means over at most 600 of the pixels (N, 3)."""
    step = max(1, len(pixels) // 600)
    some = np.ascontiguousarray(pixels[::step], np.float32)
    count = min(count, len(some))
    cv2.setRNGSeed(_SEED)
    rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 8, 0.5)
    _, _, centres = cv2.kmeans(some, count, None, rule, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(centres, np.float32)


def _distance(pixels: F32, centres: F32) -> F32:
    """Distance (N,) of each pixel from the nearest centre."""
    return np.asarray(np.linalg.norm(pixels[:, None] - centres[None], axis=2).min(axis=1), np.float32)
