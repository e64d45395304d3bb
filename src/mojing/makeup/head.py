"""Where a head's hair is: the body network from far enough, then a cut between colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import srgb_to_linear
from mojing.core.geometry import Affine, Box
from mojing.makeup.optics import LUMA
from mojing.perception.crops import Rect
from mojing.perception.facemesh import OVAL
from mojing.perception.faceview import FACE_PARTS, PARTS_SIZE, FaceView
from mojing.perception.labels import L

if TYPE_CHECKING:
    from mojing.perception.body import BodyNet

WORK = 200
"""Longest side in px of the window round the head at which hair is cut out."""

DISTANCES = (4.5, 6.5)
"""Heights of the picture in heights of the face at which the network, which knows whole people, sees heads best."""

LEAST = 0.04
"""Hair of less than this share of the face's area is none."""


SCALP_EYES = 70.0
"""Distance of the eyes in px at which the roughness of hair is looked at, at most."""
SCALP_AREA, SCALP_ROUGH, SCALP_CHROMA, SCALP_DARK = 0.4, 1.0, 0.65, 2.0
"""What is hair for sure: more of it than this share of the face's box; rougher than so many times the skin; ln(R/G) and
ln(G/B) farther from the skin's; ln of its brightness farther from the skin's."""
_SQUARE = np.ones((5, 5), np.uint8)
_BARE = (
    (104, 69, 108, 151, 337, 299, 333, 296, 336, 9, 107, 66),
    (117, 118, 101, 36, 205, 187, 123),
    (346, 347, 330, 266, 425, 411, 352),
)
"""Forehead and cheeks as points of the mesh."""


def head_window(face: FaceView) -> Box:
    """The part of the photo in which a head's hair can lie: whole pixels, a face up and aside, more than one down."""
    box = face.box
    w, h = box.width, box.height
    rows, cols = Box(box.x0 - 0.9 * w, box.y0 - 1.0 * h, box.x1 + 0.9 * w, box.y1 + 1.5 * h).slices(face.hw)
    return Box(cols.start, rows.start, cols.stop, rows.stop)


def hair_of_head(rgb: U8, face: FaceView, *, body: BodyNet) -> F32:
    """Hair (H, W) float32 0..1 of one head, at the coarseness of `WORK`; all 0 where there is none.

    What the network is sure of gives the colours of hair and of all else; a graph cut (Rother et al. 2004) settles
    the rest, so that a bald head, which the network takes for hair now and then, counts as skin.
    """
    box = head_window(face)
    rows, cols = box.slices(face.hw)
    out = np.zeros(face.hw, np.float32)
    if box.width < 8 or box.height < 8:
        return out
    scale = min(1.0, WORK / max(box.width, box.height))
    wh = max(round(box.width * scale), 8), max(round(box.height * scale), 8)
    small = np.ascontiguousarray(cv2.resize(rgb[rows, cols], wh, interpolation=cv2.INTER_AREA))
    body_hair = _seen(rgb, face, body=body, box=box, wh=wh)
    mesh = (face.mesh[:, :2] - (box.x0, box.y0) + 0.5) * (wh[0] / box.width, wh[1] / box.height) - 0.5
    state = _state(small, mesh, body_hair=body_hair, near=_Near.of(face, box=box, wh=wh))
    if not (state == cv2.GC_FGD).any():
        return out
    cv2.setRNGSeed(5)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cut, *_ = cv2.grabCut(small, state.copy(), None, *models, 2, cv2.GC_INIT_WITH_MASK)
    found = _kept(np.isin(cut, (cv2.GC_FGD, cv2.GC_PR_FGD)), state == cv2.GC_FGD)
    if found.sum() < LEAST * float(cv2.contourArea(np.asarray(mesh[list(OVAL)], np.float32))):
        return out
    soft = cv2.GaussianBlur(found.astype(np.float32), (0, 0), 0.7)
    whole = cv2.resize(soft, (round(box.width), round(box.height)), interpolation=cv2.INTER_LINEAR)
    out[rows, cols] = np.clip(whole, 0.0, 1.0)
    return np.zeros_like(out) if is_scalp(rgb, face, hair=out) else out


def is_scalp(rgb: U8, face: FaceView, *, hair: F32) -> bool:
    """Whether what was taken for hair (H, W) 0..1 is a bald or shaven head: little of it, of the skin's colour, and no
    rougher than the skin of forehead and cheeks.

    The limits lie between the bald heads and the rest of those portraits that are not held out.
    """
    unit = max(face.inter_ocular, 1.0)
    box = head_window(face)
    rows, cols = box.slices(face.hw)
    if float(hair[rows, cols].sum()) > SCALP_AREA * face.box.area:
        return False
    k = min(1.0, SCALP_EYES / unit)
    wh = max(round(box.width * k), 1), max(round(box.height * k), 1)
    small = cv2.resize(rgb[rows, cols], wh, interpolation=cv2.INTER_AREA)
    on = cv2.erode((cv2.resize(hair[rows, cols], wh, interpolation=cv2.INTER_AREA) > 0.6).astype(np.uint8), _SQUARE) > 0
    mesh = (face.mesh[:, :2] - (box.x0, box.y0)) * k
    bare = np.zeros((wh[1], wh[0]), np.uint8)
    for place in _BARE:
        cv2.fillPoly(bare, [np.rint(mesh[list(place)]).astype(np.int32)], 1)
    skin = (bare > 0) & ~on
    if min(on.sum(), skin.sum()) < 50:
        return False
    logs = np.log(srgb_to_linear(small) + np.float32(4e-3))
    level = logs @ LUMA
    rough = np.abs(level - cv2.GaussianBlur(level, (0, 0), max(0.03 * k * unit, 0.6)))
    ratio = float(np.median(rough[on])) / max(float(np.median(rough[skin])), 1e-3)
    colour = np.dstack([logs[..., 0] - logs[..., 1], logs[..., 1] - logs[..., 2], level])
    apart = np.abs(np.median(colour[on], axis=0) - np.median(colour[skin], axis=0))
    return bool(ratio < SCALP_ROUGH and np.hypot(*apart[:2]) < SCALP_CHROMA and apart[2] < SCALP_DARK)


def _seen(rgb: U8, face: FaceView, *, body: BodyNet, box: Box, wh: tuple[int, int]) -> F32:
    """Probability of hair (h, w) in the window `box` shrunk to `wh`: the mean over distances."""
    cx, cy = face.box.centre
    total = np.zeros((wh[1], wh[0]), np.float32)
    for distance in DISTANCES:
        high = distance * face.box.height
        x0, y0 = round(cx - 0.375 * high), round(cy - 0.28 * high)
        rect = Rect(x0, y0, x0 + round(0.75 * high), y0 + round(high))
        parse = body.window(rgb, rect).parse
        odds = np.exp(parse - parse.max(axis=0))
        hair = np.asarray(odds[L["hair"]] / odds.sum(axis=0), np.float32)
        sx, sy = hair.shape[1] / rect.wh[0], hair.shape[0] / rect.wh[1]
        fx, fy = box.width / wh[0], box.height / wh[1]
        ax, ay = fx * sx, fy * sy
        matrix = np.array(
            [
                [ax, 0.0, (0.5 * fx + box.x0 - rect.x0) * sx - 0.5],
                [0.0, ay, (0.5 * fy + box.y0 - rect.y0) * sy - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        total += cv2.warpAffine(hair, matrix, wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(total / len(DISTANCES), np.float32)


@dataclass(frozen=True, eq=False)
class _Near:
    """What the face network tells around the face, each (h, w) 0..1: hair of the head, what is surely something else,
    and where it tells anything at all."""

    hair: F32
    other: F32
    known: F32

    @classmethod
    def of(cls, face: FaceView, *, box: Box, wh: tuple[int, int]) -> _Near:
        """Seen in the window `box` of the photo shrunk to `wh`."""
        fx, fy = box.width / wh[0], box.height / wh[1]
        shrunk = np.array([[fx, 0.0, box.x0 + 0.5 * fx - 0.5], [0.0, fy, box.y0 + 0.5 * fy - 0.5]])
        matrix = face.to_parts.compose(Affine(shrunk)).matrix
        index = {name: i for i, name in enumerate(FACE_PARTS)}
        other = face.parts[[index[name] for name in ("skin", "beard", "glasses", "mouth", "cover")]].sum(axis=0)
        inside = np.pad(np.ones((PARTS_SIZE - 6, PARTS_SIZE - 6), np.float32), 3)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = [cv2.warpAffine(plane, matrix, wh, flags=flags) for plane in (face.parts[index["hair"]], other, inside)]
        return cls(*(np.asarray(plane, np.float32) for plane in seen))


def _state(small: U8, mesh: AnyArray, *, body_hair: F32, near: _Near) -> U8:
    """What the graph cut starts from, (h, w) of OpenCV's four states.

    The face network knows the hairline and what is beside the face, the body network the whole of the head.
    """
    oval = np.zeros(body_hair.shape, np.uint8)
    cv2.fillPoly(oval, [np.rint(mesh[list(OVAL)]).astype(np.int32)], 1)
    unit = float(np.linalg.norm(mesh[468] - mesh[473]))
    side = 2 * max(1, round(0.12 * unit)) + 1
    core = cv2.erode(oval, np.ones((side, side), np.uint8)) > 0
    skin = _skinlike(small, core)
    rough = body_hair + np.float32(0.5) * near.known * (near.hair - body_hair)
    state: U8 = np.full(rough.shape, cv2.GC_PR_BGD, np.uint8)
    state[rough > 0.4] = cv2.GC_PR_FGD
    state[(rough > 0.7) & (skin < 0.4)] = cv2.GC_FGD
    state[(rough < 0.06) | (near.other > 0.7) | core] = cv2.GC_BGD
    return state


def _skinlike(small: U8, core: AnyArray) -> F32:
    """How much (h, w) 0..1 a pixel has the colour of the face's skin: chromaticity closely, brightness loosely."""
    logs = np.log(srgb_to_linear(small) + np.float32(4e-3))
    parts = np.dstack([logs[..., 0] - logs[..., 1], logs[..., 1] - logs[..., 2], 0.5 * logs.mean(axis=2)])
    own = parts[core]
    if len(own) < 16:
        return np.zeros(core.shape, np.float32)
    middle = np.median(own, axis=0)
    spread = 1.4826 * np.median(np.abs(own - middle), axis=0) + np.array([0.05, 0.06, 0.08])
    gap = (((parts - middle) / spread) ** 2).sum(axis=2)
    return np.asarray(np.exp(-0.5 * np.maximum(gap - 2.0, 0.0) / 2.5), np.float32)


def _kept(found: AnyArray, sure: AnyArray) -> AnyArray:
    """The pieces (h, w) bool that hold something sure, crumbs left out."""
    solid = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    keep = np.zeros(count, bool)
    keep[np.unique(labels[sure & (solid > 0)])] = True
    keep &= stats[:, cv2.CC_STAT_AREA] > 0.02 * max(float(solid.sum()), 1.0)
    keep[0] = False
    return np.asarray(keep[labels])
