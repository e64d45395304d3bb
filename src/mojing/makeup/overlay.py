"""A change of a picture as a layer over it: RGBA such that laying it over what was there gives what was painted."""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray


def as_layer(before: U8, after: U8, *, opacity: AnyArray) -> U8:
    """RGBA (h, w, 4) that laid over `before` (h, w, 3) in sRGB gives `after` (h, w, 3) to one step of 255.

    Many pairs of colour and alpha do that. Taken is the alpha nearest to `opacity` (h, w) 0..1, how much of the skin
    the product hides, with which a colour exists: at least (after - before) / (255 - before) where it gets lighter
    and (before - after) / before where it gets darker. Where nothing changes alpha is 0.
    """
    b, change = before.astype(np.float32), cv2.subtract(after, before, dtype=cv2.CV_32F)
    room = np.where(change > 0, 255.0 - b, b)
    least = np.abs(change) / np.maximum(room, 1.0)
    alpha = np.clip(np.ceil(np.maximum(least.max(axis=2), opacity) * 255.0), 0, 255)
    alpha[~change.any(axis=2)] = 0
    scale = 255.0 / np.maximum(alpha, 1.0)
    colour = np.clip(np.rint(b + change * scale[..., None]), 0, 255)
    colour[alpha == 0] = 0
    return np.dstack([colour, alpha]).astype(np.uint8)


def laid(rgba: AnyArray, below: AnyArray) -> F32:
    """The layer (h, w, 4) uint8 over a picture (h, w, 3) in 0..255; float32, not rounded, so that layers add up."""
    alpha = rgba[..., 3:].astype(np.float32) * np.float32(1 / 255)
    bottom = below.astype(np.float32)
    return np.asarray(bottom + alpha * (rgba[..., :3].astype(np.float32) - bottom), np.float32)
