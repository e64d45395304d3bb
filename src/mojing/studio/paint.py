"""Putting a new colour under old folds: the way back from a `Split` to a picture."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.blend import guided_coefficients
from mojing.core.color import linear_to_srgb, to_uint8
from mojing.studio.shading import Split

_LUMA: F32 = np.array([0.2126, 0.7152, 0.0722], np.float32)

FOLD_LEVEL: F32 = np.log(np.array([0.03, 0.09, 0.25, 0.65], np.float32))
FOLD_CONTRAST: F32 = np.array([0.54, 0.43, 0.30, 0.23], np.float32)
"""Usual spread of log shading on plain garments by the log of the cloth's luminance, as tools/studio_figures.py
measures it (docs/studio.md). Dark cloth shows more contrast (its gloss is not drowned), bright cloth less (light
bounces between folds)."""


WHITEST = 0.92
"""No cloth is painted lighter than this when fully lit, or its folds would drown in white."""


def usual_contrast(luminance: float) -> float:
    """Spread of log shading that plain cloth of this lit luminance (0..1, linear) usually shows in a photo."""
    return float(np.interp(np.log(max(luminance, 1e-3)), FOLD_LEVEL, FOLD_CONTRAST))


def folds_for(split: Split, luminance: float) -> F32:
    """The shading (H, W) as cloth of another luminance would show it.

    The log of the shading is scaled by the ratio of usual contrasts. When dark cloth becomes much lighter, its noise
    would become visible: it is smoothed within edges in proportion.
    """
    old = float(split.dyes.colour[0] @ _LUMA)
    gain = float(np.clip(usual_contrast(luminance) / usual_contrast(old), 0.5, 1.5))
    log = np.log(np.maximum(split.shading, 1e-3))
    lift = float(np.log(max(luminance, 1e-3) / max(old, 1e-3)))
    if lift > 1.0:
        share = min((lift - 1.0) / 2.0, 1.0)
        scaled = np.clip(log / 4.0 + 0.75, 0.0, 1.0).astype(np.float32)
        a, b = guided_coefficients(scaled, scaled, radius=2, eps=6e-4 * share)
        log = (a[..., 0] * scaled + b - 0.75) * 4.0
    return np.asarray(np.exp(np.clip(gain * log, -4.0, 1.2)), np.float32)


def repaint(split: Split, albedo: AnyArray, *, changed: AnyArray, shading: F32 | None = None) -> U8:
    """The photo (H, W, 3) uint8 with the cloth of `changed` in new colours.

    Args:
        split: the photo taken apart.
        albedo: (3,) or (H, W, 3) float linear light, the new colour when fully lit.
        changed: (H, W) 0..1, how much of each pixel's cloth gets it.
        shading: (H, W), when it shall not be the one that fits the new colour's mean brightness.

    Pixels outside the garment, and those of which nothing is changed, keep their value bit for bit.
    """
    albedo = np.asarray(albedo, np.float32)
    touched = split.region * changed
    if shading is None:
        shading = folds_for(split, _mean_luminance(albedo, touched))
    cloth = _lit(albedo, shading) + split.gloss[..., None]
    amount = np.asarray(changed, np.float32)[..., None]
    # A pixel half old dye, half another: what the other dye alone would look like there.
    others = split.weight * _kept(split, changed)
    total = others.sum(axis=2, keepdims=True)
    pure = np.where(total > 1e-3, (others @ split.dyes.colour) / np.maximum(total, 1e-3), split.linear)
    own = np.clip(1.0 - 1.25 * amount, 0.0, 1.0)
    kept = own * split.linear + (1 - own) * pure * split.shading[..., None]
    painted = amount * cloth + (1 - amount) * kept
    region = split.region[..., None]
    mixed = region * painted + (1 - region) * split.behind
    return np.where((touched > 1 / 256)[..., None], encode(soft_clip(mixed)), split.rgb)


_STEPS = 8191
_ENCODED: U8 = to_uint8(linear_to_srgb((np.arange(_STEPS + 1) / _STEPS) ** 2))


def encode(linear: F32) -> U8:
    """sRGB uint8 of linear light 0..1 by a table over its square root, which is fine enough for every byte."""
    index = np.sqrt(np.clip(linear, 0.0, 1.0)) * np.float32(_STEPS) + np.float32(0.5)
    return np.asarray(_ENCODED[index.astype(np.int32)], np.uint8)


def _lit(albedo: F32, shading: F32) -> F32:
    """Albedo (3,) or (H, W, 3) times shading (H, W), brighter parts bent so that channels near 1 softly."""
    top = albedo.max(axis=-1, keepdims=True)
    albedo = albedo * np.minimum(1.0, WHITEST / np.maximum(top, 1e-4))
    room = 1.0 / np.clip(top[..., 0], 0.02, WHITEST) - 1.0
    above = np.maximum(shading - 1.0, 0.0)
    bent = np.where(above > 0, 1.0 + room * (1.0 - np.exp(-above / room)), shading)
    return np.asarray(albedo * bent[..., None], np.float32)


def _kept(split: Split, changed: AnyArray) -> F32:
    """1 for dyes (H, W, k) that mostly stay where they are, 0 for those that are painted over."""
    mass = split.weight.reshape(-1, split.weight.shape[2])
    hit = (mass * np.asarray(changed, np.float32).reshape(-1, 1)).sum(axis=0) / np.maximum(mass.sum(axis=0), 1e-6)
    return np.asarray(hit < 0.5, np.float32)


def _mean_luminance(albedo: F32, where: AnyArray) -> float:
    if albedo.ndim == 1:
        return float(albedo @ _LUMA)
    on = where > 0.5
    return float((albedo[on] @ _LUMA).mean()) if on.any() else 0.3


def soft_clip(linear: F32) -> F32:
    """Bring light above 1 back by fading to white, as a camera does, instead of shifting the hue: float32, in 0..1."""
    top = linear.max(axis=-1, keepdims=True)
    over = np.maximum(top, 1.0)
    white = np.clip((over - 1.0) * 0.8, 0.0, 0.85)
    return np.asarray(np.where(top > 1.0, linear / over * (1 - white) + white, np.maximum(linear, 0.0)), np.float32)


def relief(split: Split, *, px: float) -> F32:
    """How far folds shift a print (H, W, 2) px: along the slope of the smoothed shading, at most about `px`."""
    log = np.log(np.maximum(split.shading, 0.05)).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(log, (0, 0), max(px * 1.5, 1.5)), np.float32)
    dx = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), np.float32)
    dy = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125), np.float32)
    slope = np.dstack([dx, dy]) * max(px, 1.0)
    length = np.linalg.norm(slope, axis=2, keepdims=True)
    return np.asarray(px * slope / (0.25 + length), np.float32)
