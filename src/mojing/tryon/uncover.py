"""What a shorter garment uncovers: skin of the person's own tone where limbs lie, and beside them the background.

The render network paints both, but smeared and in the old garment's colours where a sleeve or a trouser leg was; where
the joints tell what must be there it is painted outright.
"""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.core.skeleton import J
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.tryon.agnostic import Edit, grow
from mojing.tryon.limbs import LIGHTER, Limb, paint
from mojing.tryon.parts import SIDES

Rect = tuple[int, int, int, int]
"""x, y, width, height of a window of the photo in px."""

_CORRIDOR = 3.6
"""How many half widths from a bare limb's line cloth that was taken off can have been its sleeve or trouser leg."""

_LIKE = (14.0, 28.0)
"""Most that hands and limbs that stay may differ from the face, in chroma and in lightness, to be taken for skin."""


def tones(rgb: U8, parse: U8, mask: U8, *, skin: F32) -> dict[str, F64]:
    """CIELAB colour of the middle of arms and legs, from face and neck and from hands and limbs that stay.

    Args:
        rgb: (H, W, 3) the photo or a crop of it.
        parse: (H, W) its labels.
        mask: (H, W) edit mask.
        skin: (3,) -1..1 colour of face and neck, see `conditions.skin_colour`.
    """
    face = _lab(np.asarray(skin, np.float32) * np.float32(0.5) + np.float32(0.5))
    step = slice(0, None, 2)
    small, labels, kept = rgb[step, step], parse[step, step], mask[step, step] == 0
    out: dict[str, F64] = {}
    for kind, lighter in LIGHTER.items():
        tone = face + np.array([lighter, 0.0, 0.0])
        own = small[np.isin(labels, [L[f"{side}_{kind}"] for side in SIDES]) & kept]
        if len(own) > 30:
            found = _lab(np.median(own, axis=0).astype(np.float32) / np.float32(255))
            if np.hypot(*(found - face)[1:]) < _LIKE[0] and abs(found[0] - tone[0]) < _LIKE[1]:
                tone = np.array([0.5, 0.3, 0.3]) * tone + np.array([0.5, 0.7, 0.7]) * found
        tone[0] = np.clip(tone[0], 12.0, 92.0)
        out[kind] = tone
    return out


def _lab(rgb: F32) -> F64:
    return np.asarray(cv2.cvtColor(rgb.reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0], np.float64)


def uncover(invented: F32, rgb: U8, body: BodyView, *, edit: Edit, tone: dict[str, F64], rect: Rect) -> F32:
    """The network's colours (h, w, 3) 0..255 for a window, with bare limbs and what lies beside them painted over.

    Args:
        invented: what the network painted, for the window.
        rgb: (H, W, 3) the photo.
        body: the person.
        edit: what may change; its `limbs` are painted.
        tone: see `tones`.
        rect: the window.
    """
    x, y, w, h = rect
    window = np.s_[y : y + h, x : x + w]
    if not edit.limbs:
        return invented
    skin = paint(edit.limbs, tone, rect=rect)
    length = edit.limbs[0].length
    side = _outside(edit, body, rect=rect, length=length) * (1 - skin.alpha)
    out = invented
    if side.any():
        behind = _background(rgb, body, rect=rect)
        out = out + (behind - out) * side[..., None]
    colour = skin.rgb + _offset(skin.rgb, skin.alpha, rgb[window], _true_skin(body, edit)[window], length=length)
    return np.asarray(out + (np.clip(colour, 0, 255) - out) * skin.alpha[..., None], np.float32)


def _true_skin(body: BodyView, edit: Edit) -> AnyArray:
    """Pixels (H, W) bool of arms and legs that the photo keeps."""
    table = np.zeros(256, bool)
    table[[L[f"{side}_{kind}"] for side in SIDES for kind in ("arm", "leg")]] = True
    return np.asarray(table[body.parse] & ((edit.mask == 0) | (edit.stay > 0)))


def _offset(painted: F32, alpha: F32, photo: U8, known: AnyArray, *, length: float) -> F32:
    """What to add to painted skin so that it runs into the photo's own, fading away from that."""
    scale = float(np.clip(24.0 / length, 0.05, 1.0))
    wh = (max(round(alpha.shape[1] * scale), 1), max(round(alpha.shape[0] * scale), 1))
    on = (known & (alpha > 0.5)).astype(np.float32)
    if not on.any():
        return np.zeros((1, 1, 3), np.float32)
    rest = (photo.astype(np.float32) - painted) * on[..., None]
    sigma = 0.1 * length * scale
    mass = cv2.GaussianBlur(cv2.resize(on, wh, interpolation=cv2.INTER_AREA), (0, 0), sigma)
    sums = cv2.GaussianBlur(cv2.resize(rest, wh, interpolation=cv2.INTER_AREA), (0, 0), sigma)
    small = sums / (mass + 0.04)[..., None]
    return np.asarray(cv2.resize(small, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _outside(edit: Edit, body: BodyView, *, rect: Rect, length: float) -> F32:
    """How surely (0..1) a window's pixels, which old clothes covered, are background: beside a bare limb and off it."""
    x, y, w, h = rect
    window = np.s_[y : y + h, x : x + w]
    was = grow(edit.remove, 0.02 * length)[window] > 0
    near = np.zeros((h, w), np.float32)
    for limb in edit.limbs:
        near = np.maximum(near, _corridor(limb, rect))
    trunk = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(trunk, _trunk(body, limbs=edit.limbs, corner=(x, y)), 255)
    far = cv2.distanceTransform(cv2.bitwise_not(trunk), cv2.DIST_L2, 3)
    return np.asarray(near * was * np.clip(far / (0.03 * length), 0, 1), np.float32)


def _corridor(limb: Limb, rect: Rect) -> F32:
    x, y, w, h = rect
    step = 4
    xs = x + np.arange(-(-w // step), dtype=np.float32) * step + 1.5
    ys = y + np.arange(-(-h // step), dtype=np.float32) * step + 1.5
    near, _ = limb.place(np.stack(np.broadcast_arrays(xs[None], ys[:, None]), axis=-1))
    soft = np.clip((_CORRIDOR - near) / 0.5, 0, 1)
    big = cv2.resize(soft, (soft.shape[1] * step, soft.shape[0] * step), interpolation=cv2.INTER_LINEAR)
    return np.asarray(big[:h, :w], np.float32)


def _trunk(body: BodyView, *, limbs: tuple[Limb, ...], corner: tuple[int, int]) -> AnyArray:
    """Corners (N, 2) of what is no background whatever is taken off: the trunk, and for arms all below the hips."""
    at = {n: body.joints[J[n], :2].astype(np.float64) for n in J}
    neck = (at["left_shoulder"] + at["right_shoulder"]) / 2
    hips = (at["left_hip"] + at["right_hip"]) / 2
    wide = 1.75
    corners = [neck + 1.1 * (at[f"{s}_shoulder"] - neck) for s in SIDES]
    corners += [hips + wide * (at[f"{s}_hip"] - hips) for s in reversed(SIDES)]
    if any(limb.kind == "arm" for limb in limbs):
        down = hips - neck
        corners[2:] = [hips + wide * (at[f"{s}_hip"] - hips) + 3 * down for s in reversed(SIDES)]
    return np.rint(np.clip(np.array(corners) - corner, -30000, 30000)).astype(np.int32)


def _background(rgb: U8, body: BodyView, *, rect: Rect) -> F32:
    """The photo's background carried on behind the person, for a window (h, w, 3) 0..255."""
    x, y, w, h = rect
    pad = max(w, h) // 3
    x0, y0 = max(x - pad, 0), max(y - pad, 0)
    part = np.s_[y0 : min(y + h + pad, body.hw[0]), x0 : min(x + w + pad, body.hw[1])]
    step = max(1, max(w, h) // 96)
    full = rgb[part]
    wh = (max(full.shape[1] // step, 1), max(full.shape[0] // step, 1))
    free = cv2.compare(body.alpha[part], 12, cv2.CMP_LE)
    free = cv2.erode(free, np.ones((3, 3), np.uint8), iterations=max(step // 2, 1)).astype(np.float32) / 255
    mass = cv2.resize(free, wh, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(full.astype(np.float32) * free[..., None], wh, interpolation=cv2.INTER_AREA)
    fill, weight = np.zeros_like(colour), np.zeros_like(mass)
    for sigma in (0.8, 2.0, 5.0, 12.0, 40.0):
        c, m = cv2.GaussianBlur(colour, (0, 0), sigma), cv2.GaussianBlur(mass, (0, 0), sigma)
        lack = np.clip(1.0 - weight, 0, 1)
        fill += c * lack[..., None]
        weight += m * lack
    small = fill / np.maximum(weight, 1e-4)[..., None]
    big = cv2.resize(small, (full.shape[1], full.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(big[y - y0 : y - y0 + h, x - x0 : x - x0 + w], np.float32)
