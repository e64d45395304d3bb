"""What the render network is told: the picture with the edit region blanked, the draped garment, the pose, the rest.

Training and run time call the same functions, so the network never meets inputs made in another way.
"""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.skeleton import J
from mojing.perception.labels import L

CROP_WH = (384, 512)
"""Width and height of the crop the render network works on."""

PICTURE_CHANNELS = 8
"""Blanked RGB, edit mask, coarse garment RGB, coarse garment alpha."""

STRIDE = 4
"""The context is this many times smaller than the picture."""

CATEGORIES = ("top", "outer", "dress", "skirt", "trousers")

LIMBS: tuple[tuple[str, str], ...] = (
    ("left_shoulder", "left_elbow"),
    ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("right_hip", "right_knee"),
    ("left_knee", "left_ankle"),
    ("right_knee", "right_ankle"),
)
"""One map each; a ninth holds the trunk, a tenth the head."""

KEPT: tuple[tuple[str, ...], ...] = (
    ("background",),
    ("hair", "face", "hat", "glasses"),
    ("neck", "left_arm", "right_arm", "left_leg", "right_leg"),
    ("upper", "outer", "dress", "scarf"),
    ("skirt", "trousers", "legwear", "shoes", "belt"),
    ("bag", "accessories"),
)
"""Groups of labels whose kept pixels (outside the edit mask) the network is shown."""

CONTEXT_CHANNELS = len(LIMBS) + 2 + len(KEPT) + 3 + len(CATEGORIES)

_GROUP = np.zeros(256, np.uint8)
for _index, _names in enumerate(KEPT):
    for _name in _names:
        _GROUP[L[_name]] = _index


def picture_input(rgb: U8, mask: U8, *, coarse: U8, alpha: F32) -> F32:
    """(8, H, W) float32: all colours in [-1, 1], zero where blanked or where there is no garment.

    Args:
        rgb: (H, W, 3) crop of the photo.
        mask: (H, W) edit mask, 0 or 255.
        coarse: (H, W, 3) draped garment.
        alpha: (H, W) its opacity 0..1.
    """
    h, w = mask.shape
    out = np.empty((PICTURE_CHANNELS, h, w), np.float32)
    edit = np.minimum(mask, 1).astype(np.float32)
    kept = 1 - edit
    for k, (photo, cloth) in enumerate(zip(cv2.split(rgb), cv2.split(coarse), strict=True)):
        np.multiply(photo * np.float32(2 / 255) - 1, kept, out=out[k])
        np.multiply(cloth * np.float32(2 / 255) - 1, alpha, out=out[4 + k])
    out[3], out[7] = edit, alpha
    return out


def context_input(joints: F32, parse: U8, mask: U8, *, rgb: U8, category: str, skin: F32 | None = None) -> F32:
    """(24, H/4, W/4) float32 0..1 (skin colour -1..1): limbs, kept labels, skin colour, garment category.

    Args:
        joints: (21, 3) x_px, y_px, confidence in the crop.
        parse: (H, W) labels of the photo as it is; only those outside the edit mask are used, and the skin's colour.
        mask: (H, W) edit mask.
        rgb: (H, W, 3) crop of the photo.
        category: the new garment's.
        skin: (3,) -1..1 colour of the person's skin; that of the crop by default.
    """
    skin = skin_colour(rgb, parse, mask) if skin is None else skin
    h, w = mask.shape[0] // STRIDE, mask.shape[1] // STRIDE
    out = np.zeros((CONTEXT_CHANNELS, h, w), np.float32)
    _draw_pose(out, joints)
    step = slice(STRIDE // 2, None, STRIDE)
    groups, kept = _GROUP[parse[step, step]], mask[step, step] == 0
    at = len(LIMBS) + 2
    for i in range(len(KEPT)):
        out[at + i] = (groups == i) & kept
    at += len(KEPT)
    out[at : at + 3] = skin[:, None, None]
    out[at + 3 + CATEGORIES.index(category)] = 1.0
    return out


def _draw_pose(out: F32, joints: F32) -> None:
    at = (joints[:, :2] + 0.5) / STRIDE - 0.5
    seen = joints[:, 2] > 0.15
    torso = float(
        np.hypot(*(at[J["left_shoulder"]] + at[J["right_shoulder"]] - at[J["left_hip"]] - at[J["right_hip"]]))
    )
    thick = max(1, round(0.07 * torso))
    canvas = np.zeros(out.shape[1:], np.uint8)
    limit = 4.0 * max(out.shape[1:])
    points = np.clip(np.rint(at), -limit, limit).astype(int)

    def point(name: str) -> tuple[int, int]:
        return int(points[J[name], 0]), int(points[J[name], 1])

    for i, (a, b) in enumerate(LIMBS):
        if seen[J[a]] and seen[J[b]]:
            canvas[:] = 0
            cv2.line(canvas, point(a), point(b), 1, thick)
            out[i] = canvas
    canvas[:] = 0
    corners = [point(n) for n in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    cv2.fillPoly(canvas, [np.array(corners, np.int32)], 1)
    out[len(LIMBS)] = canvas
    canvas[:] = 0
    neck = tuple(int(v) for v in (points[J["left_shoulder"]] + points[J["right_shoulder"]]) // 2)
    cv2.line(canvas, neck, point("nose"), 1, 2 * thick)
    out[len(LIMBS) + 1] = canvas


def skin_colour(rgb: U8, parse: U8, mask: U8) -> F32:
    """Median colour (3,) in [-1, 1] of the face and neck that stay, else of any skin, else zeros."""
    step = slice(0, None, 2)
    small, labels, kept = rgb[step, step], parse[step, step], mask[step, step] == 0
    for names in (("face", "neck"), ("left_arm", "right_arm", "left_leg", "right_leg")):
        pixels = small[np.isin(labels, [L[n] for n in names]) & kept]
        if len(pixels) > 12:
            return np.asarray(np.median(pixels, axis=0) * (2 / 255) - 1, np.float32)
    return np.zeros(3, np.float32)


def crop_rect(mask: U8, *, hw: tuple[int, int], margin: float = 0.12) -> tuple[float, float, float, float]:
    """Crop x0, y0, width, height (px, may reach outside the photo) of the network's aspect around the edit mask."""
    x, y, w, h = cv2.boundingRect(mask)
    if w == 0:
        x, y, w, h = 0, 0, hw[1], hw[0]
    aspect = CROP_WH[0] / CROP_WH[1]
    tall = max(h * (1 + 2 * margin), w * (1 + 2 * margin) / aspect)
    return x + w / 2 - tall * aspect / 2, y + h / 2 - tall / 2, tall * aspect, tall
