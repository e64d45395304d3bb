"""Soft masks, alpha compositing and edge-aware upsampling."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.geometry import enlarge_cells, shrink_cells


def unit(mask: AnyArray) -> F32:
    """Mask as float32 in 0..1 from uint8 0..255, bool, or float 0..1."""
    if mask.dtype == np.uint8:
        return np.asarray(mask * np.float32(1 / 255), np.float32)
    return mask.astype(np.float32)


def feather(mask: AnyArray, radius: float, *, inward: bool = False) -> F32:
    """Soften a mask HxW over about `radius` pixels: float32 HxW in 0..1.

    With `inward` the result is 0 wherever the mask was 0, so that nothing outside it can change.
    """
    soft = unit(mask)
    if radius <= 0:
        return soft
    if inward:
        side = 2 * max(1, round(radius / 2)) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        core = cv2.erode(soft, disc, borderType=cv2.BORDER_REPLICATE)
        blurred = cv2.GaussianBlur(core, (0, 0), radius / 3, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(np.minimum(blurred, soft), np.float32)
    return np.asarray(cv2.GaussianBlur(soft, (0, 0), radius / 2, borderType=cv2.BORDER_REPLICATE), np.float32)


def over(top: U8, bottom: U8, *, alpha: AnyArray) -> U8:
    """Lay `top` over `bottom` (uint8 HxWx3) by `alpha` HxW (uint8 0..255 or float 0..1).

    Where alpha is 0 the result equals `bottom` exactly, and where it is 1 it equals `top` exactly.
    """
    assert top.shape == bottom.shape and alpha.shape == top.shape[:2], (top.shape, bottom.shape, alpha.shape)
    a = cv2.merge([unit(alpha)] * 3)
    change = cv2.subtract(top, bottom, dtype=cv2.CV_32F)
    # Between 0 and 255 by construction, so that the absolute value only rounds.
    return np.asarray(cv2.convertScaleAbs(cv2.add(cv2.multiply(change, a), bottom, dtype=cv2.CV_32F)), np.uint8)


def guided_coefficients(guide: AnyArray, values: AnyArray, *, radius: int, eps: float) -> tuple[F32, F32]:
    """Local linear model values ~ a . guide + b: a float32 HxWxC and b HxW.

    He, Sun, Tang 2013, equations 14-15 (colour) and 5-6 (grey, C = 1), averaged over the windows as in equation 16.
    """
    planes = [np.ascontiguousarray(plane) for plane in np.atleast_3d(unit(guide)).transpose(2, 0, 1)]
    p = unit(values)
    assert p.shape == planes[0].shape, (p.shape, guide.shape)
    *a, b = _model(planes, p, radius=radius, eps=eps)
    return np.stack(a, axis=2), b


def _model(guide: list[F32], p: F32, *, radius: int, eps: float) -> list[F32]:
    """Slopes for each plane HxW of the guide, and the offset."""
    side = 2 * radius + 1

    def box(plane: AnyArray) -> F32:
        return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    mean_p, means = box(p), [box(g) for g in guide]
    share = [np.asarray(box(g * p) - mean * mean_p, np.float32) for g, mean in zip(guide, means, strict=True)]
    if len(guide) == 1:
        a = [np.asarray(share[0] / (box(guide[0] * guide[0]) - means[0] * means[0] + np.float32(eps)), np.float32)]
    else:
        pairs = [(i, j) for i in range(3) for j in range(i, 3)]
        cov = [np.asarray(box(guide[i] * guide[j]) - means[i] * means[j], np.float32) for i, j in pairs]
        a = _solve(cov, share, eps=eps)
    b = mean_p
    for slope, mean in zip(a, means, strict=True):
        b = np.asarray(b - slope * mean, np.float32)
    return [box(plane) for plane in [*a, b]]


def _solve(cov: list[F32], share: list[F32], *, eps: float) -> list[F32]:
    """(cov + eps) a = share in every window, by cofactors: a fifth of the time of a general solver."""
    xx, xy, xz, yy, yz, zz = cov
    xx, yy, zz = (plane + np.float32(eps) for plane in (xx, yy, zz))
    c0, c1, c2 = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d1, d2, e2 = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    p, q, r = share
    whole = 1 / (xx * c0 + xy * c1 + xz * c2)
    rows = ((c0, c1, c2), (c1, d1, d2), (c2, d2, e2))
    return [np.asarray((a * p + b * q + c * r) * whole, np.float32) for a, b, c in rows]


def guided_upsample(low: AnyArray, guide: AnyArray, *, radius: int = 4, eps: float = 1e-3) -> F32:
    """Bring a small soft mask to the guide's size so that its edges follow the guide's: float32 HxW in 0..1.

    `low` hxw (uint8 or float 0..1); `guide` HxW or HxWx3 (uint8 or float 0..1); `radius` in pixels of `low`; `eps` the
    variance in 0..1 units below which the guide counts as flat. The fast guided filter of He and Sun 2015:
    coefficients at the small size, applied at the large one.
    """
    out = np.empty(guide.shape[:2], np.float32)
    for rows, cols, values in _guided_tiles(low, guide, radius=radius, eps=eps):
        out[rows, cols] = values if isinstance(values, float) else np.clip(values, 0.0, 1.0)
    return out


def guided_alpha(
    low: AnyArray, guide: AnyArray, *, radius: int = 4, eps: float = 1e-3, span: tuple[float, float] = (0.0, 1.0)
) -> U8:
    """`guided_upsample` as opacity, uint8 HxW, with `span` stretched to 0..255; no float map of the guide's size."""
    out = np.empty(guide.shape[:2], np.uint8)
    gain = 255.0 / (span[1] - span[0])
    for rows, cols, values in _guided_tiles(low, guide, radius=radius, eps=eps):
        if isinstance(values, float):
            out[rows, cols] = 255 if values else 0
        else:
            out[rows, cols] = cv2.addWeighted(values, gain, values, 0, -span[0] * gain, dtype=cv2.CV_8U)
    return out


_TILE = 160
"""About the side in px of the squares in which a guided filter is applied: small enough for a processor's cache."""

_FLAT = 1e-4
"""Slope below which, and distance from 0 or 1 within which, a mask is taken for flat."""

Tile = tuple[slice, slice, F32 | float]


def _guided_tiles(low: AnyArray, guide: AnyArray, *, radius: int, eps: float) -> Iterator[Tile]:
    """Rows, columns and values, unclipped, of the tiles of an enlarged mask; 0.0 or 1.0 where a tile is flat.

    The model is fitted on cells of whole pixels, about as large as a pixel of `low`: these are quick to average and to
    enlarge, tile by tile.
    """
    h, w = guide.shape[:2]
    larger = h / low.shape[0]
    cells = max(round(larger), 1)
    small = shrink_cells(guide, cells)
    planes = [unit(plane) for plane in cv2.split(small)]
    to_low = [(n / m * cells, 0.5 * n / m * cells - 0.5) for n, m in zip(low.shape[1::-1], (w, h), strict=True)]
    move = np.array([[to_low[0][0], 0, to_low[0][1]], [0, to_low[1][0], to_low[1][1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wh = (small.shape[1], small.shape[0])
    soft = np.asarray(cv2.warpAffine(unit(low), move, wh, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
    model = _model(planes, soft, radius=max(round(radius * larger / cells), 1), eps=eps)
    straight = np.max([np.abs(plane) for plane in model[:-1]], axis=0) < _FLAT
    clear, solid = straight & (np.abs(model[-1]) < _FLAT), straight & (np.abs(model[-1] - 1) < _FLAT)
    step = max(round(_TILE / cells), 6)
    for y in range(0, wh[1], step):
        for x in range(0, wh[0], step):
            near = np.s_[max(y - 1, 0) : y + step + 1, max(x - 1, 0) : x + step + 1]
            tile = (
                slice(y * cells, min((y + step) * cells, h)),
                slice(x * cells, min((x + step) * cells, w)),
            )
            flat = bool(solid[near].all())
            if flat or clear[near].all():
                yield *tile, float(flat)
            else:
                *slopes, out = (enlarge_cells(plane, cells, tile) for plane in model)
                yield *tile, _modelled(slopes, out, guide[tile])


def _modelled(slopes: list[AnyArray], out: AnyArray, guide: AnyArray) -> F32:
    """a . guide + b from planes (h, w) of a and b, and a guide (h, w[, 3])."""
    scale = 1 / 255 if guide.dtype == np.uint8 else 1.0
    for slope, colour in zip(slopes, cv2.split(guide), strict=True):
        out = cv2.add(out, cv2.multiply(slope, colour, scale=scale, dtype=cv2.CV_32F))
    return np.asarray(out, np.float32)
