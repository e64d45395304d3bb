"""Hair colour: where the hair is, down to strands, and what bleach and dye make of it.

Dye is transparent: it takes light away and can only darken what is there. Light colours on dark hair need bleach, which
takes hair's own melanin out step by step to pale yellow, further with more of it. So a light shade at a small amount
turns dark hair brown or orange first, as it does on a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.blend import guided_upsample
from mojing.core.color import linear_to_srgb, luma, srgb_to_linear, to_uint8
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.makeup.head import hair_of_head
from mojing.makeup.look import Layer
from mojing.makeup.optics import LUMA, swatch
from mojing.makeup.placed import Placed, trimmed
from mojing.makeup.regions import place
from mojing.perception.faceview import FaceView
from mojing.perception.labels import L

if TYPE_CHECKING:
    from mojing.perception.body import BodyNet

WORK = 360
"""Longest side in px at which the edge of the hair is drawn; finer edges follow the photo."""

STRAND_EYES = 40.0
"""Distance of the eyes in px at which streaks are drawn, at most."""

PALE: F32 = np.array([0.56, 0.43, 0.25], np.float32)
"""Hair with all its melanin bleached out, linear."""

MOST_LIFT = 0.93
"""How far towards pale, in the logarithm, the strongest bleach brings black hair."""

BLONDEST = 1.7
"""A strand brighter than this many times its surroundings mirrors the light there, without the hair's colour."""


def hair_alpha(rgb: U8, body: BodyNet, *, face: FaceView | None = None) -> F32 | None:
    """Opacity (H, W) float32 0..1 of the hair of the person in a photo (H, W, 3); None where no hair is found.

    With a `face` the hair is that of this head; without one, that of the largest person.
    """
    if face is not None:
        hair = hair_of_head(rgb, face, body=body)
    else:
        try:
            hair = (body(rgb, strict=False).parse == L["hair"]).astype(np.float32)
        except InputError:
            return None
    if float(hair.sum()) < 64.0:
        return None
    return refined(rgb, hair, face=face)


def own_share(face: FaceView, everyone: Sequence[FaceView]) -> F32:
    """1 (H, W) where hair is rather that of a face than of another one in the photo, in units of the faces' sizes."""
    h, w = face.hw
    y, x = np.ogrid[0:h, 0:w]

    def away(one: FaceView) -> F32:
        cx, cy = one.box.centre
        return np.asarray(np.hypot(x - cx, y - cy) / max(one.box.height, 1.0), np.float32)

    others = [one for one in everyone if np.hypot(*np.subtract(one.box.centre, face.box.centre)) > 0.5 * face.box.width]
    own = np.ones((h, w), np.float32)
    for one in others:
        own *= away(face) <= away(one)
    return own


def refined(rgb: U8, rough: F32, *, face: FaceView | None = None) -> F32:
    """A rough mask (H, W) 0..1 with edges that follow the strands of the photo, float32 0..1."""
    h, w = rough.shape
    scale = min(1.0, WORK / max(h, w))
    wh = max(round(w * scale), 1), max(round(h * scale), 1)
    low = cv2.GaussianBlur(cv2.resize(rough, wh, interpolation=cv2.INTER_AREA), (0, 0), 1.2)
    fine = guided_upsample(low, rgb, radius=5, eps=2e-4)
    # The guide must not carry hair into what is surely none, such as a dark coat or wall.
    reach = cv2.resize(cv2.dilate(low, np.ones((19, 19), np.uint8)), (w, h), interpolation=cv2.INTER_LINEAR)
    fine = np.minimum(fine, reach)
    if face is not None:
        fine = fine * (1.0 - _core(face))
    return np.asarray(np.clip(fine * 1.15 - 0.08, 0.0, 1.0), np.float32)


def _core(face: FaceView) -> F32:
    """1 about eyes, brows, nose and mouth, where there is no hair of the head to dye, fading outwards."""
    h, w = face.hw
    points = face.mesh[[70, 105, 107, 336, 334, 300, 263, 291, 17, 61, 33], :2]
    core = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(core, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    small = cv2.resize(core, (max(w // 4, 1), max(h // 4, 1)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), max(0.03 * face.inter_ocular, 0.5))
    return np.asarray(cv2.resize(soft, (w, h)) / np.float32(255.0), np.float32)


def place_hair(layer: Layer, face: FaceView, *, hair: F32, rgb: U8 | None = None) -> tuple[Placed, ...]:
    """Where each shade of a hair layer lies: the layer's pattern about the head (`regions.place`) times the alpha.

    Given the photo `rgb` (H, W, 3) too, streaks run along its strands.
    """
    out, found = [], place(layer, face)
    if rgb is not None and layer.pattern == "streaks" and found:
        found = streaked(layer, face, rgb=rgb, hair=hair, box=found[0].box)
    for placed in found:
        rows, cols = placed.box.slices(face.hw)
        mask = trimmed(Placed(placed.box, placed.mask * hair[rows, cols], placed.shade, None, placed.area))
        if mask is not None:
            out.append(mask)
    return tuple(out)


def streaked(layer: Layer, face: FaceView, *, rgb: U8, hair: F32, box: Box) -> tuple[Placed, ...]:
    """Masks in `box`, one a shade, of streaks along the strands of a photo (H, W, 3).

    Grains of noise are drawn out along the strands by line integral convolution (Cabral and Leedom 1993); the
    strands' direction is that of the structure tensor (Bigun and Granlund 1987) of the hair's light and dark.
    """
    rows, cols = box.slices(face.hw)
    unit = max(face.inter_ocular, 1.0)
    k = min(1.0, STRAND_EYES / unit)
    wh = max(round(box.width * k), 2), max(round(box.height * k), 2)
    small = luma(np.asarray(cv2.resize(rgb[rows, cols], wh, interpolation=cv2.INTER_AREA), np.uint8))
    alpha = np.asarray(cv2.resize(hair[rows, cols], wh, interpolation=cv2.INTER_AREA), np.float32)
    along = _directions(small, alpha, sigma=0.12 * k * unit)
    y, x = np.mgrid[0 : wh[1], 0 : wh[0]].astype(np.float32)
    grain = max(0.05 * layer.size * k * unit, 0.8)
    out = []
    for shade in range(len(layer.shades)):
        noise = np.random.default_rng([11, shade]).standard_normal((wh[1], wh[0])).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), grain)
        total = noise.copy()
        for sign in (-1.0, 1.0):
            px, py, way = x.copy(), y.copy(), np.float32(sign) * along
            for _ in range(round(1.2 * k * unit)):
                px, py = px + way[..., 0], py + way[..., 1]
                total += cv2.remap(noise, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
                turned = cv2.remap(along, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                same = np.sign((turned * way).sum(axis=2, keepdims=True))
                way = turned * np.where(same == 0, np.float32(1.0), same)
        inside = total[alpha > 0.3]
        low, high = np.quantile(inside, [0.62, 0.86]) if inside.size else (0.0, 1.0)
        soft = np.clip((total - low) / max(float(high - low), 1e-6), 0.0, 1.0)
        mask = cv2.resize(soft, (round(box.width), round(box.height)), interpolation=cv2.INTER_LINEAR)
        out.append(Placed(box, np.asarray(mask, np.float32), shade))
    return tuple(out)


def _directions(level: F32, alpha: F32, *, sigma: float) -> F32:
    """Unit vectors (h, w, 2) along the strands of hair with light and dark `level` (h, w) where `alpha` is hair."""
    gx, gy = (cv2.Sobel(level, cv2.CV_32F, dx, 1 - dx, ksize=3) * alpha for dx in (1, 0))
    xx, yy, xy = (cv2.GaussianBlur(v, (0, 0), max(sigma, 0.8)) for v in (gx * gx, gy * gy, gx * gy))
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy) + np.float32(np.pi / 2)
    return np.asarray(np.dstack([np.cos(angle), np.sin(angle)]), np.float32)


def dye(rgb: U8, product: AnyArray, *, amount: F32, light: AnyArray) -> U8:
    """Hair in a crop (h, w, 3) coloured with a shade (3,) by `amount` (h, w) 0..1, under a `light` (3,).

    The colour of a lock is changed, and the strands' own light and dark are laid back over it; what they mirror stays
    as it is. Where amount is 0 the result equals the photo bit for bit.
    """
    light = np.asarray(light, np.float32)
    linear = srgb_to_linear(rgb)
    h, w = amount.shape
    step = max(1, round(max(h, w) / 220))
    wh = max(w // step, 1), max(h // step, 1)
    weight = cv2.resize(amount, wh, interpolation=cv2.INTER_AREA)
    full = max(float(amount.max()), 1e-6)
    shown = np.clip(weight / full, 0.0, 1.0)
    small = cv2.resize(linear, wh, interpolation=cv2.INTER_AREA)
    both = cv2.GaussianBlur(np.dstack([small * shown[..., None], shown]), (0, 0), 4.0, borderType=cv2.BORDER_REPLICATE)
    lock = np.maximum(both[..., :3] / np.maximum(both[..., 3:], np.float32(1e-4)), np.float32(1e-3))
    gain, contrast = _dyed(lock / light, swatch(product).astype(np.float32), full=full)
    lock_full = cv2.resize(lock, (w, h), interpolation=cv2.INTER_LINEAR)
    gain_full = cv2.resize(gain, (w, h), interpolation=cv2.INTER_LINEAR)
    level, base = linear @ LUMA, np.maximum(lock_full @ LUMA, np.float32(1e-4))
    mirrored = np.maximum(level - BLONDEST * base, 0.0) / float(LUMA @ light)
    # Colour is the lock's, not the pixel's: bleaching black hair would lift the colour noise of cameras and JPEG too.
    strands = np.maximum((level - mirrored * float(LUMA @ light)) / base, np.float32(0.02)) ** np.float32(contrast)
    share = np.clip(amount / np.float32(full), 0.0, 1.0)[..., None]
    painted = lock_full * gain_full * np.clip(strands, 0.0, 2.5)[..., None] + mirrored[..., None] * light
    out = to_uint8(linear_to_srgb(linear + share * (painted - linear)))
    return np.where((amount > 0)[..., None], out, rgb)


def _dyed(albedo: F32, product: F32, *, full: float) -> tuple[F32, float]:
    """Factor (h, w, 3) on the colour of locks, and the power that their strands' contrast is raised to.

    Bleach of strength `full` 0..1 lifts each channel along the way to `PALE` as far as the shade needs it, then dye
    takes away what is too light.
    """
    base = np.clip(albedo, 1e-3, 0.9)
    pale = np.maximum(PALE, base)
    span = np.maximum(np.log(pale / base), np.float32(1e-3))
    need = np.clip(np.log(np.maximum(product, 2e-3) / base) / span, 0.0, 1.0).max(axis=2, keepdims=True)
    lift = np.minimum(need, np.float32(MOST_LIFT)) * np.float32(full * full)
    bleached = base * np.exp(span * lift)
    dyed = np.minimum(product, bleached)
    toned = bleached * (dyed / bleached) ** np.float32(full)
    mean_lift = float(np.median(np.log(np.maximum(toned @ LUMA, 1e-4) / (base @ LUMA))))
    contrast = float(np.clip(1.0 - 0.22 * mean_lift, 0.55, 1.15))
    return np.asarray(toned / base, np.float32), contrast
