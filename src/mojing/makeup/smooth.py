"""Evener skin that keeps its pores: blotches of middling size fade, finer and coarser structure stays."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32
from mojing.makeup.canvas import Canvas

FINE, COARSE = 0.014, 0.15
"""Shares of the distance of the eyes: sizes between them are evened; pores are finer, the face's form coarser."""

EDGE = 0.28
"""Change of log brightness that counts as an edge (a fold, a lid, a nostril) and stays."""

WORK = 80.0


def even(canvas: Canvas, amount: F32, *, window: tuple[slice, slice], unit: float) -> None:
    """Fade blotches by `amount` (h, w) 0..1 in a window; `unit` is the distance of the eyes in px.

    The band between two Gaussians of log colour is taken off, less where it is strong (a soft threshold as of
    Perona and Malik 1990); outside the mask nothing flows in, as the blurs are normalised by it.
    """
    skin = canvas.skin
    rows, cols = window
    planes = zip(canvas.albedo, skin.lit, canvas.rest, strict=True)
    values = np.stack([a[window] * c[window] + r[window] for a, c, r in planes], axis=-1)
    scale = min(1.0, WORK / max(unit, 1.0))
    h, w = amount.shape
    wh = max(round(w * scale), 2), max(round(h * scale), 2)
    small = np.log(np.maximum(cv2.resize(values, wh, interpolation=cv2.INTER_AREA), np.float32(1e-3)))
    inside = cv2.resize(amount, wh, interpolation=cv2.INTER_AREA)
    full = max(float(inside.max()), 1e-6)
    weight = np.clip(inside / full, 0.0, 1.0) + np.float32(1e-3)
    size = unit * scale
    fine = _blurred(small, weight, sigma=max(FINE * size, 0.5))
    band = fine - _blurred(small, weight, sigma=max(COARSE * size, 1.5))
    step = np.abs(band).max(axis=2)
    keep = np.exp(-((step / EDGE) ** 2))
    gain = np.exp(-band * (keep * inside)[..., None])
    gain = np.asarray(cv2.resize(gain, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    for k in range(3):
        plane = gain[..., k]
        canvas.albedo[k][rows, cols] *= plane
        canvas.rest[k][rows, cols] *= plane
    over = np.maximum(canvas.albedo[:, rows, cols] - 1.0, 0.0)
    if over.any():
        canvas.albedo[:, rows, cols] -= over
        canvas.rest[:, rows, cols] += over * skin.lit[:, rows, cols]


def spots(canvas: Canvas, window: tuple[slice, slice], *, unit: float) -> F32:
    """Where a concealer is dabbed (h, w) 0..1: small places darker or redder than the skin around them.

    Spots are small and weak; where much changes all around lie folds, lids and nostrils, which are left alone.
    """
    skin = canvas.skin
    values = skin.albedo[:, window[0], window[1]] * skin.lit[:, window[0], window[1]]
    h, w = values.shape[1:]
    scale = min(1.0, WORK / max(unit, 1.0))
    wh = max(round(w * scale), 2), max(round(h * scale), 2)
    small = [cv2.resize(v, wh, interpolation=cv2.INTER_AREA) for v in values]
    logs = np.log(np.maximum(np.dstack(small), np.float32(2e-3)))
    size = unit * scale
    near = cv2.GaussianBlur(logs, (0, 0), max(0.012 * size, 0.5), borderType=cv2.BORDER_REPLICATE)
    wide = cv2.GaussianBlur(logs, (0, 0), max(0.07 * size, 1.5), borderType=cv2.BORDER_REPLICATE)
    green = wide[..., 1] - near[..., 1]
    form = cv2.GaussianBlur(np.abs(green), (0, 0), max(0.05 * size, 1.0), borderType=cv2.BORDER_REPLICATE)
    found = np.clip((green - 0.08) / 0.12, 0.0, 1.0) * np.clip((0.14 - form) / 0.06, 0.0, 1.0)
    soft = cv2.GaussianBlur(found, (0, 0), max(0.012 * size, 0.6), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(np.minimum(1.3 * soft, 1.0), (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def _blurred(values: F32, weight: F32, *, sigma: float) -> F32:
    """Values (h, w, 3) smoothed where `weight` (h, w) is (Knutsson and Westin 1993)."""
    both = np.dstack([values * weight[..., None], weight])
    out = cv2.GaussianBlur(both, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out[..., :3] / np.maximum(out[..., 3:], np.float32(1e-6)), np.float32)
