"""Soft masks, alpha compositing and edge-aware upsampling."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray


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
    a = unit(alpha)[..., None]
    below = bottom.astype(np.float32)
    mixed = below + (top.astype(np.float32) - below) * a
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def _box(values: AnyArray, radius: int) -> F32:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def guided_coefficients(guide: AnyArray, values: AnyArray, *, radius: int, eps: float) -> tuple[F32, F32]:
    """Local linear model values ~ a . guide + b: a float32 HxWxC and b HxW.

    He, Sun, Tang 2013, equations 14-15 (colour) and 5-6 (grey, C = 1), averaged over the windows as in equation 16.
    """
    g = unit(guide)
    g = g[..., None] if g.ndim == 2 else g
    p = unit(values)
    assert p.shape == g.shape[:2], (p.shape, g.shape)
    channels = g.shape[2]
    mean_g = _box(g, radius).reshape(g.shape)
    mean_p = _box(p, radius)
    cov_gp = _box(g * p[..., None], radius).reshape(g.shape) - mean_g * mean_p[..., None]
    sigma = np.empty((*p.shape, channels, channels), np.float32)
    for i in range(channels):
        for j in range(i, channels):
            cov = _box(g[..., i] * g[..., j], radius) - mean_g[..., i] * mean_g[..., j]
            sigma[..., i, j] = sigma[..., j, i] = cov + (eps if i == j else 0.0)
    a = cov_gp / sigma[..., 0] if channels == 1 else np.linalg.solve(sigma, cov_gp[..., None])[..., 0]
    a = np.asarray(a, np.float32)
    b = mean_p - (a * mean_g).sum(axis=2)
    return _box(a, radius).reshape(g.shape), _box(b, radius)


def guided_upsample(low: AnyArray, guide: AnyArray, *, radius: int = 4, eps: float = 1e-3) -> F32:
    """Bring a small soft mask to the guide's size so that its edges follow the guide's: float32 HxW in 0..1.

    `low` hxw (uint8 or float 0..1); `guide` HxW or HxWx3 (uint8 or float 0..1); `radius` in pixels of `low`; `eps` the
    variance in 0..1 units below which the guide counts as flat. The fast guided filter of He and Sun 2015:
    coefficients at the small size, applied at the large one.
    """
    h, w = low.shape[:2]
    big = unit(guide)
    small = cv2.resize(big, (w, h), interpolation=cv2.INTER_AREA)
    a, b = guided_coefficients(small, low, radius=radius, eps=eps)
    wh = (guide.shape[1], guide.shape[0])
    a = np.asarray(cv2.resize(a, wh, interpolation=cv2.INTER_LINEAR), np.float32).reshape(*guide.shape[:2], -1)
    b = np.asarray(cv2.resize(b, wh, interpolation=cv2.INTER_LINEAR), np.float32)
    product = a[..., 0] * big if big.ndim == 2 else np.einsum("hwc,hwc->hw", a, big)
    return np.asarray(np.clip(product + b, 0.0, 1.0), np.float32)
