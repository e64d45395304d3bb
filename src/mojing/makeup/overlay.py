"""A change of a picture as a layer over it: RGBA such that laying it over what was there gives what was painted."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray


def as_layer(before: U8, after: U8, *, opacity: AnyArray) -> U8:
    """RGBA (h, w, 4) that laid over `before` (h, w, 3) in sRGB gives `after` (h, w, 3) to one step of 255.

    Many pairs of colour and alpha do that. Taken is the alpha nearest to `opacity` (h, w) 0..1, how much of the skin
    the product hides, with which a colour exists: at least (after - before) / (255 - before) where it gets lighter
    and (before - after) / before where it gets darker. Where nothing changes alpha is 0.
    """
    h, w = opacity.shape
    pairs = cv2.add(cv2.multiply(before, 256.0, dtype=cv2.CV_16U), after, dtype=cv2.CV_16U)
    alpha = cv2.convertScaleAbs(opacity, alpha=255.0)
    changed = np.zeros((h, w), np.uint8)
    for plane in cv2.split(cv2.LUT(pairs, _least())):
        cv2.max(alpha, plane, alpha)
        cv2.bitwise_or(changed, plane, changed)
    alpha[changed == 0] = 0
    scale = cv2.LUT(alpha, _INVERSE)
    change = cv2.subtract(after, before, dtype=cv2.CV_32F)
    colour = cv2.add(cv2.multiply(change, cv2.merge([scale] * 3)), before, dtype=cv2.CV_8U)
    planes = [cv2.bitwise_and(c, c, mask=alpha) for c in cv2.split(colour)]
    return np.asarray(cv2.merge([*planes, alpha]), np.uint8)


_INVERSE: F32 = (255.0 / np.maximum(np.arange(256), 1)).astype(np.float32)


@cache
def _least() -> U8:
    """Least alpha (65536,) that turns one byte into another, at 256 x before + after."""
    before, after = np.divmod(np.arange(65536), 256)
    room = np.where(after > before, 255 - before, before)
    return np.asarray(np.ceil(np.abs(after - before) * 255.0 / np.maximum(room, 1)), np.uint8)


def laid(rgba: AnyArray, below: AnyArray) -> F32:
    """The layer (h, w, 4) uint8 over a picture (h, w, 3) in 0..255; float32, not rounded, so that layers add up."""
    alpha = rgba[..., 3:].astype(np.float32) * np.float32(1 / 255)
    bottom = below.astype(np.float32)
    return np.asarray(bottom + alpha * (rgba[..., :3].astype(np.float32) - bottom), np.float32)
