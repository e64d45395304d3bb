"""A garment's silhouette at the photo's size: the network says what the garment is, the photo says where it ends.

On a plain background (shop photos, a bed sheet) the background's colour is known from the border, so the outline is
found by colour, and a white shirt on white by the faint line that encloses it. On a busy one the colours of what the
network is sure of decide about the rest (GrabCut), and a guided filter finds the edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.blend import guided_alpha
from mojing.core.geometry import enlarge_cells, shrink_cells
from mojing.perception.decode import fill_holes, largest_piece

WORK = 448
"""Longest side in px at which colours are compared."""

CUT_SIDE = 224
"""Longest side in px at which a busy background is told from the garment by colours."""

CERTAIN = 0.985
"""Probability from which the network is not asked again whether a pixel is garment."""

DENIED = 0.1
"""Probability below which what is a little unlike a plain background belongs to it all the same: light is uneven."""

PLAIN_SHARE = 0.86
"""Share of the border that must follow the fitted background colour for it to count as plain."""


_BAND = 256
"""Rows that `own_colour` works on at a time; a multiple of its cells."""

_KNOWN = 4.0
"""Share of cloth near by, of 255, from which there is a colour to carry on."""

STRETCH = (0.05, 0.95)
"""What the filter's values become clear and opaque at, so that flat inside and outside are exactly so."""


@dataclass(frozen=True, eq=False)
class Background:
    """Colour distance (h, w) of every pixel from the plain background in Lab units, lightness drop (h, w) below it, the
    chroma distance (h, w), and the distance that noise stays below."""

    distance: F32
    drop: F32
    chroma: F32
    noise: float


def silhouette(rgb: U8, garment: F32) -> tuple[U8, bool]:
    """Opacity (H, W) of everything that belongs to the garment, its inner back included, and whether colour decided.

    Args:
        rgb: (H, W, 3) photo.
        garment: (h, w) float32 0..1, the network's probability over the same photo, any size.
    """
    h, w = rgb.shape[:2]
    scale = min(1.0, WORK / max(h, w))
    wh = (max(round(w * scale), 1), max(round(h * scale), 1))
    small = np.asarray(cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA), np.uint8)
    soft = np.asarray(cv2.resize(garment, wh, interpolation=cv2.INTER_LINEAR), np.float32)
    background = plain_background(small, soft)
    if background is None:
        solid = cv2.resize(by_regions(small, soft), wh, interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
        return guided_alpha(_coarse(solid), rgb, radius=3, eps=2e-3, span=STRETCH), False
    solid = by_colour(background, soft)
    return guided_alpha(cv2.blur(solid, (3, 3)), _grey(rgb), radius=2, eps=1e-4, span=STRETCH), True


def own_colour(rgb: U8, outline: U8, *, rim: float = 0.004, reach: float = 0.018) -> U8:
    """The picture with the cloth's own colour along its edge, where camera and outline mix it with what is behind.

    The colours are gathered and spread at a reduced size; nothing else is made at the photo's.

    Args:
        rgb: (H, W, 3).
        outline: (H, W) uint8 opacity.
        rim: how far (share of the garment's size) the mixing reaches inwards; at least a pixel.
        reach: how far (share of the garment's size) beyond it the cloth's colours are carried on.

    Returns:
        (H, W, 3) uint8: equal to `rgb` further inside and far outside, between them the mean of the cloth near by,
        mixed with `rgb` as far as the outline, drawn in by `rim`, is solid.
    """
    out = rgb.copy()
    x, y, w, h = cv2.boundingRect(cv2.compare(outline, 12, cv2.CMP_GT))
    radius = max(round(rim * max(w, h)), 1)
    spread = max(round(reach * max(w, h)), 2 * radius + 4)
    cells = 2 ** max(int(np.log2(spread / 4)), 0)
    window = slice(max(y - spread, 0), y + h + spread), slice(max(x - spread, 0), x + w + spread)
    part = out[window]
    side = 2 * radius + 1
    core = cv2.erode(outline[window], np.ones((side, side), np.uint8))
    solid = cv2.compare(core, 250, cv2.CMP_GT)
    bands = [slice(a, min(a + _BAND, solid.shape[0])) for a in range(0, solid.shape[0], _BAND)]
    own = [shrink_cells(cv2.bitwise_and(part[at], part[at], mask=solid[at]), cells) for at in bands]
    sigma = spread / 2.5 / cells
    far = (2 * round(spread / cells) + 1,) * 2
    weight = cv2.GaussianBlur(shrink_cells(solid, cells).astype(np.float32), far, sigma)
    near = cv2.GaussianBlur(np.concatenate(own).astype(np.float32), far, sigma)
    mean = np.rint(near * (255.0 / np.maximum(weight, 1e-3))[..., None]).clip(0, 255).astype(np.uint8)
    for at in bands:
        tile = (at, slice(0, solid.shape[1]))
        known = cv2.compare(enlarge_cells(weight, cells, tile), _KNOWN, cv2.CMP_GT)
        share = core[at].astype(np.float32) * np.float32(1 / 255)
        mixed = cv2.blendLinear(np.ascontiguousarray(part[at]), enlarge_cells(mean, cells, tile), share, 1 - share)
        cv2.copyTo(mixed, cv2.bitwise_and(known, cv2.bitwise_not(solid[at])), part[at])
    return out


def by_regions(rgb: U8, garment: F32) -> U8:
    """Garment mask (h, w) 0 or 255, at most CUT_SIDE px long, on a busy background.

    GrabCut (Rother et al. 2004): the colours of what the network takes for the garment and of what lies about it decide
    about the pixels of which it is unsure, such as prints, shadows and folds.

    Args:
        rgb: (H, W, 3) photo.
        garment: (H, W) float32 0..1 probability.
    """
    scale = min(1.0, CUT_SIDE / max(garment.shape))
    wh = (max(round(garment.shape[1] * scale), 8), max(round(garment.shape[0] * scale), 8))
    small = np.asarray(cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA), np.uint8)
    soft = np.asarray(cv2.resize(garment, wh, interpolation=cv2.INTER_AREA), np.float32)
    first = largest_piece(np.where(soft > 0.5, np.uint8(255), np.uint8(0)), keep_share=0.2)
    filled = fill_holes(first, share=0.05)
    reach = max(round(0.06 * CUT_SIDE), 3) | 1
    near = cv2.dilate(filled, np.ones((reach, reach), np.uint8)) > 0
    known = np.full(soft.shape, cv2.GC_PR_BGD, np.uint8)
    known[filled > 0] = cv2.GC_PR_FGD
    known[(soft > CERTAIN) & (filled > 0)] = cv2.GC_FGD
    known[~near | ((soft < 0.02) & (filled == 0))] = cv2.GC_BGD
    both = [np.isin(known, kinds).sum() for kinds in ((cv2.GC_FGD, cv2.GC_PR_FGD), (cv2.GC_BGD, cv2.GC_PR_BGD))]
    if min(both) < 64:
        return filled
    cv2.setRNGSeed(0)  # its colour clusters start at random places
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(small[..., ::-1]), known, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    mask = np.where(np.isin(known, (cv2.GC_FGD, cv2.GC_PR_FGD)), np.uint8(255), np.uint8(0))
    if np.count_nonzero(mask) < 0.3 * np.count_nonzero(filled):
        return filled
    return fill_holes(largest_piece(mask, keep_share=0.2), share=0.05)


def _coarse(mask: F32) -> F32:
    """Half size: the network's own grid, where the filter's colour model is cheap."""
    wh = (max(round(mask.shape[1] / 2), 1), max(round(mask.shape[0] / 2), 1))
    return np.asarray(cv2.resize(mask, wh, interpolation=cv2.INTER_AREA), np.float32)


def _grey(rgb: U8) -> U8:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def plain_background(rgb: U8, garment: F32) -> Background | None:
    """Fit a colour that changes smoothly over the photo (uneven light) to the border; None when the border is busy.

    Args:
        rgb: (h, w, 3), small.
        garment: (h, w) probability; border pixels it claims are left out.
    """
    h, w = rgb.shape[:2]
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32)
    ring = np.zeros((h, w), bool)
    t = max(round(0.03 * min(h, w)), 2)
    ring[:t], ring[-t:], ring[:, :t], ring[:, -t:] = True, True, True, True
    ys, xs = np.nonzero(ring & (garment < 0.4))
    if len(ys) < 0.3 * ring.sum():
        return None
    some = slice(None, None, max(len(ys) // 4000, 1))
    ys, xs = ys[some], xs[some]
    colours = lab[ys, xs]
    terms = _terms(xs / w - 0.5, ys / h - 0.5)
    keep = _length(colours - np.median(colours, axis=0)) < 20.0
    fit = np.zeros((6, 3), np.float32)
    for _ in range(3):
        if keep.sum() < 0.5 * len(ys):
            return None
        # Normal equations: their six unknowns are well apart, and a general solver takes twenty times as long.
        own = terms[keep].astype(np.float64)
        fit = np.linalg.solve(own.T @ own + 1e-6 * np.eye(6), own.T @ colours[keep]).astype(np.float32)
        keep = _length(colours - terms @ fit) < 6.0
    if keep.mean() < PLAIN_SHARE:
        return None
    noise = float(np.percentile(_length(colours - terms @ fit)[keep], 90))
    light, *tint = (np.ascontiguousarray(plane) for plane in cv2.split(lab - _surface(fit, (h, w))))
    chroma = cv2.magnitude(*tint)
    return Background(np.asarray(cv2.magnitude(light, chroma), np.float32), -light, np.asarray(chroma), noise)


def _length(vectors: AnyArray) -> AnyArray:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def _surface(fit: F32, hw: tuple[int, int]) -> F32:
    """The fitted colour (h, w, 3) at every pixel: a sum of what depends on the row, on the column, and on both."""
    y, x = ((np.arange(n, dtype=np.float32) / n - 0.5)[:, None] for n in hw)
    one, a, b, ab, aa, bb = fit
    rows, cols = one + b * y + bb * y * y, a * x + aa * x * x
    return np.asarray(rows[:, None] + cols[None] + (y * ab)[:, None] * x[None], np.float32)


def _terms(x: AnyArray, y: AnyArray) -> F32:
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=1).astype(np.float32)


def by_colour(background: Background, garment: F32) -> F32:
    """Garment mask (h, w) float32 0 or 1 on a plain background.

    Background is whatever looks like it and is joined to the border, or is a hole that the network sees too; soft
    shadows (darker, hardly coloured) go with it where the network sees no cloth. What is left must touch the network's
    garment and stay near it, which drops hangers, floors and second objects.
    """
    level = float(np.clip(2.2 * background.noise, 1.8, 7.0))
    alike = background.distance < np.where(garment < DENIED, np.float32(2.5 * level), np.float32(level))
    shadow = (background.chroma < level + 2.0) & (background.drop > 0) & (background.drop < 28.0) & (garment < 0.35)
    open_ = (alike & (garment < 0.97)) | shadow
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(open_.astype(np.uint8), connectivity=4)
    outside = np.zeros(count, bool)
    edge = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    outside[np.unique(edge)] = True
    believed = np.bincount(pieces.ravel(), weights=garment.ravel(), minlength=count) / np.maximum(stats[:, 4], 1)
    outside |= (believed < 0.3) & (stats[:, 4] > 24)
    outside[0] = False
    mask = np.where(outside[pieces], np.uint8(0), np.uint8(255))
    reach = max(round(0.05 * max(mask.shape)), 3)
    far = cv2.distanceTransform((garment <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    mask[far > reach] = 0
    sure = cv2.erode((garment > 0.9).astype(np.uint8), np.ones((7, 7), np.uint8))
    mask[sure > 0] = 255
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    mask = fill_holes(largest_piece(mask, keep_share=0.2), share=0.002)
    return mask.astype(np.float32) / np.float32(255.0)
