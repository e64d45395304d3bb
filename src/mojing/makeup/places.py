"""Where on a face its colours are read: cheeks, forehead, jaw, under the eyes, the whites of the eyes, teeth, clothes.

All colours are read on a close-up of moderate size, in linear light. A place's pixels are chosen by rank (brightest,
least red), never by a fixed colour, so that the same pixels are chosen under any light.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.color import srgb_to_linear
from mojing.core.geometry import Affine, Box
from mojing.perception.facemesh import (
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    mirror,
)
from mojing.perception.faceview import FaceView

_EYES_PX: Final = 160.0
"""Distance of the irises in the close-up, at most: enough for the whites of the eyes, cheap for a large photo."""
CLIPPED: Final = 251
"""A channel at or above this level has lost what it knew; JPEG leaves a few levels of play."""
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])

_Corner = tuple[int, int]


def _same(*indices: int) -> tuple[_Corner, ...]:
    return tuple((i, i) for i in indices)


_RIGHT: Final[dict[str, tuple[_Corner, ...]]] = {
    "cheek": _same(117, 118, 101, 36, 205, 187, 123),
    "jaw": _same(192, 214, 210, 211, 170, 169, 135, 138),
    "under_eye": (*_same(228, 229, 230, 231), (231, 120), *_same(120, 119, 118)),
    "brow": (*_same(104, 69, 108, 151), (151, 9), (108, 107), (69, 66), (104, 105)),
}
_MIDDLE: Final[dict[str, tuple[_Corner, ...]]] = {
    "forehead": (
        *_same(104, 69, 108, 151, 337, 299, 333),
        *((333, 334), (299, 296), (337, 336), (151, 9), (108, 107), (69, 66), (104, 105)),
    ),
    "nose": _same(196, 197, 419, 281, 275, 274, 1, 44, 45, 51),
    "chin": _same(201, 200, 421, 428, 199, 208),
}


def _places() -> dict[str, tuple[_Corner, ...]]:
    other = mirror()
    found = {f"{name}_right": corners for name, corners in _RIGHT.items()}
    found |= {f"{name}_left": tuple((int(other[i]), int(other[j])) for i, j in c) for name, c in _RIGHT.items()}
    return found | _MIDDLE


PLACES: Final[dict[str, tuple[_Corner, ...]]] = _places()
"""Outline of every place; a corner is the middle of two mesh points."""


@dataclass(frozen=True, eq=False)
class Closeup:
    """The face and what is around it, shrunk where the photo is larger than colours need.

    Attributes:
        rgb: uint8 (H, W, 3), encoded, lightly smoothed against noise.
        linear: float32 (H, W, 3), the same in linear light.
        face: the face in the close-up's pixels.
        box: what it shows of the photo, in the photo's pixels.
        to_photo: from pixels of the close-up to those of the photo.
        bare: float32 (H, W) 0..1, how surely a pixel is skin with nothing before it.
        top: uint8 (H, W), the brightest channel.
        known: places that were read already.
    """

    rgb: U8
    linear: F32
    face: FaceView
    box: Box
    to_photo: Affine
    bare: F32
    top: U8
    known: dict[str, Patch] = field(default_factory=dict, repr=False)

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width of the close-up in pixels."""
        return self.rgb.shape[0], self.rgb.shape[1]


@dataclass(frozen=True, eq=False)
class Patch:
    """What was read at one place.

    Attributes:
        name: which place.
        mask: bool (h, w) in the close-up's pixels: the pixels that were believed.
        colour: (3,) linear light, median of those pixels.
        spread: (2,) robust standard deviation of ln(R/G) and ln(B/G) over them.
        pixels: how many there are.
        share: of the place's pixels, how many were bare skin and not clipped, 0..1.
        clipped: of the place's bare pixels, how many were over-exposed, 0..1.
        darkest: median encoded level of the darkest channel, 0..255.
    """

    name: str
    mask: AnyArray
    colour: F64
    spread: F64
    pixels: int
    share: float
    clipped: float
    darkest: float

    def __post_init__(self) -> None:
        for name in ("mask", "colour", "spread"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    @property
    def chroma(self) -> F64:
        """ln(R/G), ln(B/G) of the colour."""
        return log_chroma(self.colour)

    @property
    def luminance(self) -> float:
        """Luminance of the colour, 0..1."""
        return float(self.colour @ _LUMINANCE)


def log_chroma(linear: AnyArray) -> F64:
    """ln(R/G) and ln(B/G) (..., 2) of linear light (..., 3): a change of the light's colour only adds to both."""
    values = np.log(np.maximum(np.asarray(linear, np.float64), 1e-5))
    return np.stack([values[..., 0] - values[..., 1], values[..., 2] - values[..., 1]], axis=-1)


def luminance(linear: AnyArray) -> F64:
    """Luminance (...,) of linear light (..., 3)."""
    return np.asarray(np.asarray(linear, np.float64) @ _LUMINANCE, np.float64)


def closeup(rgb: U8, face: FaceView) -> Closeup:
    """Cut the face with hair and collar out of a photo uint8 (H, W, 3), and shrink it to a moderate size."""
    h, w = rgb.shape[:2]
    around = face.box
    wide, high = around.width, around.height
    grown = Box(around.x0 - 0.6 * wide, around.y0 - 0.4 * high, around.x1 + 0.6 * wide, around.y1 + 0.9 * high)
    rows, cols = grown.slices((h, w))
    scale = min(1.0, _EYES_PX / max(face.inter_ocular, 1.0))
    crop = rgb[rows, cols]
    wh = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
    small = cv2.resize(crop, wh, interpolation=cv2.INTER_AREA) if scale < 1.0 else crop
    sx, sy = wh[0] / crop.shape[1], wh[1] / crop.shape[0]
    move = [[sx, 0.0, (0.5 - cols.start) * sx - 0.5], [0.0, sy, (0.5 - rows.start) * sy - 0.5]]
    inward = Affine(np.array(move))
    mesh = np.column_stack([inward.apply(face.mesh[:, :2]), face.mesh[:, 2] * sx]).astype(np.float32)
    to_photo = inward.inverse()
    view = replace(face, mesh=mesh, to_parts=face.to_parts.compose(to_photo), hw=(wh[1], wh[0]))
    smooth = np.asarray(cv2.GaussianBlur(small, (3, 3), 0.0), np.uint8)
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    bare = view.part("skin", box=Box(0, 0, wh[0], wh[1])) * (1.0 - _features(mesh, (wh[1], wh[0])))
    top = np.maximum(np.maximum(smooth[..., 0], smooth[..., 1]), smooth[..., 2])
    return Closeup(smooth, srgb_to_linear(smooth), view, box, to_photo, bare.astype(np.float32), top)


def outline(name: str, mesh: F32) -> F64:
    """Corners (n, 2) in px of a place on a mesh (478, 2+)."""
    pairs = np.array(PLACES[name])
    return np.asarray(mesh[pairs, :2].astype(np.float64).mean(axis=1))


def filled(polygon: AnyArray, hw: tuple[int, int]) -> AnyArray:
    """Pixels bool (H, W) inside a polygon (n, 2)."""
    mask = np.zeros(hw, np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon).astype(np.int32)], 1)
    return mask > 0


def _features(mesh: F32, hw: tuple[int, int]) -> F32:
    """1 on lips, eyes and brows, whose colour is not the skin's."""
    on = np.zeros(hw, np.uint8)
    for points in (LIPS_OUTER, RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW):
        cv2.fillPoly(on, [np.rint(mesh[list(points), :2]).astype(np.int32)], 1)
    return on.astype(np.float32)


def read(view: Closeup, name: str) -> Patch:
    """Colour of one place of `PLACES`: without what is not skin, clipped, shining, shaded, redder than the rest."""
    if name not in view.known:
        view.known[name] = _read(view, name)
    return view.known[name]


def _read(view: Closeup, name: str) -> Patch:
    polygon = outline(name, view.face.mesh)
    rows, cols = Box.around(polygon).slices(view.hw)
    inside = filled(
        polygon - [cols.start, rows.start], (max(rows.stop - rows.start, 1), max(cols.stop - cols.start, 1))
    )
    inside = inside[: rows.stop - rows.start, : cols.stop - cols.start]
    bare = inside & (view.bare[rows, cols] > 0.5)
    over = bare & (view.top[rows, cols] >= CLIPPED)
    good = bare & ~over
    share = float(good.sum()) / max(int(inside.sum()), 1)
    clipped = float(over.sum()) / max(int(bare.sum()), 1)
    chosen = np.zeros(view.hw, bool)
    if good.sum() >= 8:
        ys, xs = np.nonzero(good)
        ys, xs = ys + rows.start, xs + cols.start
        keep = _typical(view.linear[ys, xs])
        chosen[ys[keep], xs[keep]] = True
    return _patch(view, name, chosen=chosen, share=share, clipped=clipped)


def _patch(view: Closeup, name: str, *, chosen: AnyArray, share: float, clipped: float) -> Patch:
    at = np.nonzero(chosen)
    values = view.linear[at].astype(np.float64)
    if not len(values):
        return Patch(name, chosen, np.zeros(3), np.full(2, np.inf), 0, 0.0, clipped, 0.0)
    chroma = log_chroma(values)
    spread = 1.4826 * np.median(np.abs(chroma - np.median(chroma, axis=0)), axis=0)
    darkest = float(np.median(view.rgb[at].min(axis=1)))
    return Patch(name, chosen, np.median(values, axis=0), spread, len(values), share, clipped, darkest)


def _typical(values: F32) -> AnyArray:
    """Which of the pixels (n, 3) have neither gloss, shadow nor an odd colour: bool (n,)."""
    light = luminance(values)
    low, high = np.quantile(light, [0.15, 0.7])
    chroma = log_chroma(values)
    middle = np.median(chroma, axis=0)
    mad = 1.4826 * np.median(np.abs(chroma - middle), axis=0) + 0.01
    near = (np.abs(chroma - middle) <= 2.0 * mad).all(axis=1)
    return np.asarray(near & (light >= low) & (light <= high))


def eye_white(view: Closeup, side: str) -> Patch | None:
    """The white of one eye (`side` "left" or "right"): bright, least red part between lids and iris; None if not seen.

    The pixels are the brighter part of the eye outside the iris, and of these the half that is least reddish:
    veins and the inner corner go. An eye that is all but closed, or darker than a third of the skin, is not believed.
    """
    rim, iris = (RIGHT_EYE, RIGHT_IRIS) if side == "right" else (LEFT_EYE, LEFT_IRIS)
    mesh = view.face.mesh
    corners = mesh[list(rim), :2].astype(np.float64)
    width = float(np.hypot(*(corners[0] - corners[8])))
    opening = float(np.mean([np.hypot(*(corners[i] - corners[16 - i])) for i in (3, 4, 5)]))
    if width < 8.0 or opening < 0.12 * width:
        return None
    fine = 4
    hw = (view.hw[0] * fine, view.hw[1] * fine)
    box = Box.around(corners).pad(0.2)
    rows, cols = box.slices(view.hw)
    local = ((corners - [cols.start, rows.start]) + 0.5) * fine - 0.5
    hw = ((rows.stop - rows.start) * fine, (cols.stop - cols.start) * fine)
    on = filled(local, hw).astype(np.uint8)
    centre = ((mesh[iris[0], :2] - [cols.start, rows.start]) + 0.5) * fine - 0.5
    radius = float(np.mean(np.hypot(*(mesh[list(iris[1:]), :2] - mesh[iris[0], :2]).T)))
    cv2.circle(on, (round(float(centre[0])), round(float(centre[1]))), round(1.12 * radius * fine), 0, -1)
    edge = max(3, int(0.07 * width * fine) | 1)
    on = cv2.erode(on, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge)))
    small = cv2.resize(on.astype(np.float32), (cols.stop - cols.start, rows.stop - rows.start), interpolation=3)
    mask = np.zeros(view.hw, bool)
    mask[rows, cols] = small > 0.75
    return _brightest_white(view, mask, name=f"eye_{side}")


def _brightest_white(view: Closeup, mask: AnyArray, *, name: str) -> Patch | None:
    """Of eye or teeth pixels bool (H, W), those that are bright and least red; None where they are too few or dark."""
    mask = mask & (view.top < CLIPPED)
    if mask.sum() < 12:
        return None
    ys, xs = np.nonzero(mask)
    values = view.linear[ys, xs]
    light = luminance(values)
    keep = light >= np.quantile(light, 0.5)
    if keep.sum() < 6:
        return None
    chroma = log_chroma(values)
    red = chroma[:, 0] - 0.5 * chroma[:, 1]
    keep &= red <= np.quantile(red[keep], 0.5)
    chosen = np.zeros(view.hw, bool)
    chosen[ys[keep], xs[keep]] = True
    return _patch(view, name, chosen=chosen, share=float(keep.mean()), clipped=0.0)


def teeth(view: Closeup) -> Patch | None:
    """The teeth between open lips; None where the mouth is shut or what shows is dark."""
    inner = view.face.mesh[list(LIPS_INNER), :2].astype(np.float64)
    width = float(np.hypot(*(inner[5] - inner[15])))
    height = float(np.hypot(*(inner[0] - inner[10])))
    if width < 8.0 or height < 0.12 * width:
        return None
    mask = filled(inner, view.hw).astype(np.uint8)
    size = max(3, int(0.08 * width) | 1)
    mask = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return _brightest_white(view, mask > 0, name="teeth")


def brightest(view: Closeup) -> float:
    """ln of the luminance that a two-hundredth of face and collar exceeds; a bright window behind does not count."""
    oval = view.face.mesh[list(OVAL), :2]
    on = filled(oval, view.hw)
    wide = 0.3 * float(np.ptp(oval[:, 0]))
    left, right = (int(np.clip(v, 0, view.hw[1])) for v in (oval[:, 0].min() - wide, oval[:, 0].max() + wide))
    on[int(np.clip(oval[:, 1].max(), 0, view.hw[0])) :, left:right] = True
    seen = luminance(view.linear[on])
    return float(np.log(max(float(np.quantile(seen, 0.995)), 1e-5))) if len(seen) else 0.0


def below_chin(view: Closeup) -> AnyArray:
    """Pixels bool (H, W) where clothes are to be looked for: under and beside the chin, no face, no bare skin."""
    mesh = view.face.mesh
    oval = mesh[list(OVAL), :2]
    chin, top = float(oval[:, 1].max()), float(oval[:, 1].min())
    mask = np.zeros(view.hw, bool)
    start = int(chin + 0.04 * (chin - top))
    mask[max(start, 0) :] = True
    return mask & (view.bare < 0.3)
