"""Augmentations on uint8 RGB pictures, shared by the body, garment and try-on recipes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def similarity(
    centre: tuple[float, float],
    *,
    scale: float,
    degrees: float,
    out_wh: tuple[int, int],
    shift: tuple[float, float] = (0, 0),
) -> NDArray[np.float32]:
    """2x3 matrix that maps `centre` to the middle of the output plus `shift`, scaled and rotated about it."""
    c, s = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    rot = np.array([[c, s], [-s, c]])
    target = np.array([(out_wh[0] - 1) / 2 + shift[0], (out_wh[1] - 1) / 2 + shift[1]])
    return np.concatenate([rot, (target - rot @ np.asarray(centre))[:, None]], axis=1).astype(np.float32)


def move_points(points: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply a 2x3 matrix to the first two columns of (N, 2+) points."""
    out = points.copy()
    out[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return out


def warp_levels(
    levels: list[NDArray[np.uint8]], matrix: NDArray[np.float32], out_wh: tuple[int, int], border: Any = None
) -> Array:
    """Warp a picture pyramid (full, 1/2, 1/4 size) by a full-size matrix, from the level that avoids aliasing."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    level = min(len(levels) - 1, max(0, int(np.floor(np.log2(1.15 / max(scale, 1e-6))))))
    return warp_level(levels[level], matrix, out_wh, factor=2.0**level, border=border)


def warp_level(
    img: Array,
    matrix: NDArray[np.float32],
    out_wh: tuple[int, int],
    *,
    factor: float = 1.0,
    border: Any = None,
    nearest: bool = False,
) -> Array:
    """Warp a picture that is `factor` times smaller than the matrix's source, pixel centres respected."""
    up = np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2], [0, 0, 1]], np.float32)
    m = (np.vstack([matrix, [0, 0, 1]]).astype(np.float32) @ up)[:2]
    return cv2.warpAffine(
        img,
        m,
        out_wh,
        flags=cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT,
        borderValue=0 if border is None else border,
    )


def jitter_colour(img: Array, rng: np.random.Generator, *, strength: float = 1.0) -> Array:
    """Exposure, contrast, channel gain, saturation, gamma, blur, noise and JPEG as a camera might."""
    gain = np.exp(rng.normal(0, 0.12 * strength, 3)) * np.exp(rng.normal(0, 0.15 * strength))
    gamma = np.exp(rng.normal(0, 0.22 * strength))
    ramp = np.arange(256, dtype=np.float32)[:, None] / 255
    table = np.clip((ramp**gamma) * gain[None] * 255 + rng.normal(0, 6 * strength), 0, 255).astype(np.uint8)
    out = cv2.LUT(img, table[:, None, :])
    if rng.random() < 0.4 * strength:
        grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        a = 1.0 if rng.random() < 0.2 else float(rng.uniform(-0.3, 0.7))
        out = cv2.addWeighted(out, 1 - a, grey, a, 0)
    kind = rng.random()
    if kind < 0.12 * strength:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.6)))
    elif kind < 0.24 * strength:
        noise = rng.normal(0, rng.uniform(2, 9), (out.shape[0], out.shape[1], 1)).astype(np.float32)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    elif kind < 0.34 * strength:
        ok, buf = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
        out = cv2.imdecode(buf, cv2.IMREAD_COLOR) if ok else out
    return out


def recolour(img: Array, mask: Array, rng: np.random.Generator) -> Array:
    """Shift hue, saturation and lightness of the masked pixels, so that colour does not tell the garment's kind."""
    hsv = cv2.cvtColor(img, cv2.COLOR_RGB2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + int(rng.integers(0, 180))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.4, 1.8) + rng.uniform(-20, 40), 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * rng.uniform(0.5, 1.5) + rng.uniform(-20, 50), 0, 255)
    other = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.where(mask[..., None] > 0, other, img)


def heat_maps(
    points: NDArray[np.float32], shown: NDArray[np.bool_], hw: tuple[int, int], *, stride: float, sigma: float = 1.5
) -> NDArray[np.float32]:
    """Gaussian heat maps (K, h, w), one per point, all zero where the point is not shown."""
    gx, gy = (points[:, 0] + 0.5) / stride - 0.5, (points[:, 1] + 0.5) / stride - 0.5
    ex = np.exp(-((np.arange(hw[1])[None] - gx[:, None]) ** 2) / (2 * sigma**2))
    ey = np.exp(-((np.arange(hw[0])[None] - gy[:, None]) ** 2) / (2 * sigma**2))
    out = ey[:, :, None] * ex[:, None, :]
    out[~shown] = 0
    return out.astype(np.float32)


def occlude(img: Array, rng: np.random.Generator, patch: Array) -> tuple[Array, Array]:
    """Paste a random ellipse of `patch` (RGB, any size); returns the picture and the pasted area (uint8 0/1)."""
    h, w = img.shape[:2]
    area = np.zeros((h, w), np.uint8)
    axes = (int(rng.uniform(0.04, 0.16) * w), int(rng.uniform(0.04, 0.2) * h))
    centre = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
    cv2.ellipse(area, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    fill = cv2.resize(patch, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.where(area[..., None] > 0, fill, img), area
