"""The baseline that needs no training: every region's colours are matched to those of the reference's region.

Histogram matching by channel within lips, eye surroundings and skin, as in the colour loss of BeautyGAN (Li et al.
2018, section 3.2), or matching of mean and spread in Lab (Reinhard et al. 2001). It cannot tell a product from the skin
it lies on, nor light from colour, and that is what it is here to show.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.color import lab_to_rgb, rgb_to_lab
from mojing.core.geometry import Box
from mojing.makeup.uv import SIZE, unwrap, wrap
from mojing.perception.facemesh import LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_EYE, uv
from mojing.perception.faceview import FaceView

REGIONS: Final = ("skin", "eyes", "lips")
"""What is matched on its own."""

Method = Literal["histogram", "reinhard"]

_AROUND_EYES = 0.055
"""How far, in uv, the surroundings of an eye reach beyond its edge."""


@cache
def regions(size: int = SIZE) -> F32:
    """Where the regions of `REGIONS` lie in the flat layout: float32 (3, size, size), at most 1 in sum."""
    lips = np.clip(_filled(LIPS_OUTER, size) - _filled(LIPS_INNER, size), 0.0, 1.0)
    holes = np.maximum(_filled(RIGHT_EYE, size), _filled(LEFT_EYE, size))
    reach = max(3, round(_AROUND_EYES * size) * 2 + 1)
    eyes = cv2.dilate(holes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    eyes = np.clip(cv2.GaussianBlur(eyes, (0, 0), size / 100) - holes, 0.0, 1.0)
    skin = np.clip(1.0 - eyes - holes - _filled(LIPS_OUTER, size), 0.0, 1.0)
    return readonly(np.stack([skin, eyes, lips]).astype(np.float32))


def match(rgb: U8, face: FaceView, *, reference: U8, reference_face: FaceView, method: Method = "histogram") -> U8:
    """The photo `rgb` (H, W, 3) with every region's colours those of the reference's region; the rest stays."""
    source, source_valid = unwrap(reference, reference_face.mesh)
    target, target_valid = unwrap(rgb, face.mesh)
    rows, cols = face.box.slices(face.hw)
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    masks, cover = wrap(np.ascontiguousarray(regions().transpose(1, 2, 0)), face.mesh, box=box)
    masks = masks * (cover * face.part("skin", "beard", box=box))[..., None]
    crop = rgb[rows, cols]
    change = np.zeros(crop.shape, np.float32)
    for mask, where in zip(masks.transpose(2, 0, 1), regions(), strict=True):
        ours, theirs = target[(where * target_valid) > 0.5], source[(where * source_valid) > 0.5]
        if len(ours) > 30 and len(theirs) > 30:
            made = (_histogram if method == "histogram" else _reinhard)(crop, ours, theirs)
            change += mask[..., None] * (made - crop)
    out = rgb.copy()
    out[rows, cols] = np.clip(np.rint(crop + change), 0, 255).astype(np.uint8)
    return out


def _histogram(crop: U8, ours: AnyArray, theirs: AnyArray) -> F32:
    """`crop` in 0..255 through each channel's curve that gives `ours` the distribution of `theirs` (n, 3), 0..1."""
    shares = np.linspace(0.0, 1.0, 129)
    made = np.empty(crop.shape, np.float32)
    for c in range(3):
        low, high = (np.quantile(some[:, c], shares) * 255.0 for some in (ours, theirs))
        low = np.maximum.accumulate(low + np.arange(len(low)) * 1e-6)
        curve = np.interp(np.arange(256), low, high)
        made[..., c] = curve[crop[..., c]]
    return made


def _reinhard(crop: U8, ours: AnyArray, theirs: AnyArray) -> F32:
    """`crop` in 0..255 with mean and spread in Lab moved from those of `ours` to those of `theirs` (n, 3) in 0..1."""
    mine, other = rgb_to_lab(ours), rgb_to_lab(theirs)
    ratio = other.std(axis=0) / np.maximum(mine.std(axis=0), 1e-3)
    lab = (rgb_to_lab(crop) - mine.mean(axis=0)) * ratio + other.mean(axis=0)
    return lab_to_rgb(lab) * np.float32(255.0)


def _filled(points: tuple[int, ...], size: int) -> F32:
    """Polygon of mesh points in the flat layout, float32 (size, size), 0..1."""
    fine = 4
    big = np.zeros((size * fine, size * fine), np.uint8)
    cv2.fillPoly(big, [np.rint((uv()[list(points)] * size * fine - 0.5) * 16).astype(np.int32)], 255, shift=4)
    return np.asarray(cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255.0)
