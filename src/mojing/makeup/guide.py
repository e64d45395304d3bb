"""Where a step goes, drawn on the person's own face: outlines, hatching, and arrows of the strokes.

Pictures are turned like a mirror, since that is where make-up is put on: the wearer's left is on the left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8
from mojing.core.geometry import Affine, Box, crop_affine, warp_crop
from mojing.makeup.curves import resample, spline
from mojing.makeup.hair import place_hair
from mojing.makeup.look import Layer
from mojing.makeup.regions import place
from mojing.makeup.residual import lay
from mojing.makeup.strokes import strokes
from mojing.perception.facemesh import LEFT_BROW, LEFT_EYE, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE
from mojing.perception.faceview import FaceView

MARK: Final = (0, 214, 224)
"""Colour of what is drawn: no skin and hardly a product has it."""
_CASING: Final = (20, 34, 44)
_UNLINED: Final = frozenset({"lashes"})
"""Kinds whose places are too fine to be outlined: the arrows say enough."""
_LEAST: Final = 0.12
"""A mask thinner than this is not outlined."""

_NEAR: Final[dict[str, str]] = {
    "brows": "eyes",
    "eyeshadow": "eyes",
    "eyeliner": "eyes",
    "lashes": "eyes",
    "lens": "eyes",
    "lip_liner": "lips",
    "lip": "lips",
    "hair": "head",
}
LEVEL: Final = 6.0
"""A face tilted by more, in degrees, is set upright in the pictures."""
_BEYOND: Final = 236
"""Grey of what lies outside the photo."""
WIDTH: Final = 720
"""Width of a picture in px; a small face is enlarged to at most eight times its size."""


@dataclass(frozen=True)
class View:
    """What a picture of `wh` pixels shows, as in a mirror: `box` of the photo after `turn`."""

    box: Box
    wh: tuple[int, int]
    turn: Affine = field(default_factory=Affine.identity)

    @property
    def affine(self) -> Affine:
        """From pixels of the photo to those of the picture."""
        flip = Affine(np.array([[-1.0, 0.0, self.wh[0] - 1.0], [0.0, 1.0, 0.0]]))
        return flip.compose(crop_affine(self.box, self.wh)).compose(self.turn)

    @property
    def seen(self) -> Box:
        """Smallest box of the photo that holds all that the picture shows."""
        x, y = np.meshgrid([self.box.x0, self.box.x1], [self.box.y0, self.box.y1])
        return Box.around(self.turn.inverse().apply(np.stack([x.ravel(), y.ravel()], axis=1)))

    def of(self, rgb: U8) -> U8:
        """The picture (h, w, 3) uint8 of a photo (H, W, 3) uint8; grey where the photo ends."""
        if self.affine.scale <= 1.0:
            return np.asarray(warp_crop(rgb, self.affine, out_wh=self.wh, border=_BEYOND), np.uint8)
        flags, border = cv2.INTER_CUBIC, cv2.BORDER_CONSTANT
        fill = (float(_BEYOND),) * 3
        big = cv2.warpAffine(rgb, self.affine.matrix, self.wh, flags=flags, borderMode=border, borderValue=fill)
        return np.asarray(big, np.uint8)


def view(kind: str, face: FaceView) -> View:
    """The part of the photo that a step of this kind is shown on: face, head, eyes or lips, set upright."""
    near = _NEAR.get(kind, "face")
    turn = _upright(face)
    mesh = turn.apply(np.asarray(face.mesh[:, :2], np.float64))
    around = Box.around(mesh)
    aspect = 0.84
    if near == "eyes":
        around, aspect = Box.around(mesh[[*RIGHT_EYE, *LEFT_EYE, *RIGHT_BROW, *LEFT_BROW]]).pad(0.1), 2.1
    elif near == "lips":
        lips = Box.around(mesh[list(LIPS_OUTER)])
        around, aspect = Box(lips.x0, lips.y0 - 0.5 * lips.height, lips.x1, lips.y1 + 0.4 * lips.height).pad(0.25), 1.6
    else:
        grow = 0.5 if near == "head" else 0.1
        around = Box(around.x0, around.y0 - grow * around.height, around.x1, around.y1).pad(0.07 + 0.7 * (grow - 0.1))
    box = around.fit_aspect(aspect)
    if abs(face.roll) <= LEVEL:
        box = _inside(box, face.hw)
    width = int(np.clip(round(8.0 * box.width), 320, WIDTH))
    return View(box, (width, max(round(width * box.height / max(box.width, 1.0)), 16)), turn)


def _upright(face: FaceView) -> Affine:
    """Turns the photo about the face so that its eyes are level; nothing where they nearly are."""
    if abs(face.roll) <= LEVEL:
        return Affine.identity()
    centre = np.array([face.box.centre])
    turn = Affine.similarity(1.0, -np.radians(face.roll))
    dx, dy = (centre - turn.apply(centre))[0]
    return Affine.similarity(1.0, -np.radians(face.roll), move=(dx, dy))


def _inside(box: Box, hw: tuple[int, int]) -> Box:
    """The box pushed into the photo, and cut where it is larger than it."""
    dx = max(-box.x0, 0.0) + min(hw[1] - box.x1, 0.0) if box.width <= hw[1] else 0.0
    dy = max(-box.y0, 0.0) + min(hw[0] - box.y1, 0.0) if box.height <= hw[0] else 0.0
    return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy).clip(hw)


def drawn(rgb: U8, layer: Layer, face: FaceView, *, on: View, hair: F32 | None = None) -> U8:
    """The picture of a photo (H, W, 3) with the layer's places outlined and hatched, and its strokes as arrows.

    `hair` (H, W) float32 in 0..1 is where the hair is, for dyes.
    """
    fine = 2
    big = replace(on, wh=(on.wh[0] * fine, on.wh[1] * fine))
    picture = _calm(big.of(rgb))
    mask = _mask(layer, face, on=big, hair=hair, rgb=rgb)
    if layer.kind == "brows":  # single hairs: what counts is the form that they fill
        mask = cv2.GaussianBlur(mask, (0, 0), 0.03 * big.affine.scale * face.inter_ocular)
    if mask.max() > _LEAST and layer.kind not in _UNLINED:
        _hatch(picture, mask)
    for points in strokes(layer, face):
        _arrow(picture, big.affine.apply(points), unit=big.affine.scale * face.inter_ocular)
    return np.asarray(cv2.resize(picture, on.wh, interpolation=cv2.INTER_AREA), np.uint8)


def _calm(picture: U8) -> U8:
    """Paler and less coloured, so that what is drawn stands out on skin of any tone."""
    grey = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    mixed = 0.5 * picture + 0.5 * grey[..., None]
    return np.ascontiguousarray((mixed * 0.84 + 26.0).clip(0, 255).astype(np.uint8))


def _mask(layer: Layer, face: FaceView, *, on: View, hair: F32 | None, rgb: U8) -> F32:
    """How thickly the layer lies, (h, w) float32 in 0..1, in the pixels of a picture."""
    found: list[tuple[Box, F32]] = []
    if layer.kind == "hair":
        placed_hair = () if hair is None else place_hair(layer, face, hair=hair, rgb=rgb)
        found += [(placed.box, placed.mask) for placed in placed_hair]
    elif layer.kind == "smooth" or layer.shades:
        # A concealer's spots may be anywhere: they would hatch the whole face.
        found += [(placed.box, placed.mask) for placed in place(layer, face) if placed.area != "spots"]
    if layer.residual is not None:
        laid = lay(layer, face)
        found.append((laid.box, laid.mask))
    out = np.zeros((on.wh[1], on.wh[0]), np.float32)
    for box, mask in found:
        if mask.size:
            shift = Affine(np.array([[1.0, 0.0, box.x0], [0.0, 1.0, box.y0]]))
            out = np.maximum(out, warp_crop(mask, on.affine.compose(shift), out_wh=on.wh, border=0.0))
    return out


def _hatch(picture: U8, mask: F32) -> None:
    """Outline a mask at two fifths of its greatest thickness and hatch what lies inside, in place."""
    h, w = mask.shape
    inside = np.asarray(mask > max(0.4 * float(mask.max()), _LEAST), np.uint8)
    gap = max(w // 48, 8)
    y, x = np.mgrid[0:h, 0:w]
    lines = ((x + y) % gap < max(w // 480, 2)) & (inside > 0)
    tint = 0.14 if inside.mean() < 0.2 else 0.06
    picture[inside > 0] = (picture[inside > 0] * (1.0 - tint) + np.array(MARK) * tint).astype(np.uint8)
    picture[lines] = (picture[lines] * 0.35 + np.array(MARK) * 0.65).astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    width = max(w // 360, 2)
    cv2.drawContours(picture, outlines, -1, _CASING, width + 2, cv2.LINE_AA)
    cv2.drawContours(picture, outlines, -1, MARK, width, cv2.LINE_AA)


def _arrow(picture: U8, points: F64, *, unit: float) -> None:
    """A dot where the tool is set down and an arrow along its way, in place; `unit` is the distance of the eyes, px."""
    w = picture.shape[1]
    thick = max(w // 190, 3)
    radius = round(1.9 * thick)
    curve = points if len(points) < 3 else spline(points, per=10)
    if len(points) > 1:
        curve = resample(curve, 40)
        way = float(np.hypot(*np.diff(curve, axis=0).T).sum())
        head = min(6.0 * thick, 0.45 * way, 0.2 * unit)
        for colour, pen in ((_CASING, thick + max(thick // 2, 2)), ((255, 255, 255), thick)):
            cv2.polylines(picture, [_fixed(_cut(curve, head * 0.6))], False, colour, pen, cv2.LINE_AA, shift=4)
        _head(picture, curve, size=head, casing=max(thick // 3, 2))
    start = tuple(int(v) for v in _fixed(curve[:1])[0])
    for colour, size in (
        (_CASING, radius + max(thick // 3, 2)),
        ((255, 255, 255), radius),
        (MARK, round(radius * 0.6)),
    ):
        cv2.circle(picture, start, size * 16, colour, -1, cv2.LINE_AA, shift=4)


def _cut(curve: F64, length: float) -> F64:
    """The curve without its last `length` px."""
    left = np.cumsum(np.hypot(*np.diff(curve[::-1], axis=0).T))
    keep = len(curve) - 1 - int(np.searchsorted(left, length))
    return curve[: max(keep, 2)]


def _head(picture: U8, curve: F64, *, size: float, casing: int) -> None:
    tip = curve[-1]
    back = curve[max(len(curve) - 6, 0)]
    way = (tip - back) / max(float(np.hypot(*(tip - back))), 1e-6)
    side = np.array([-way[1], way[0]])
    corners = np.stack([tip, tip - way * size + side * size * 0.5, tip - way * size - side * size * 0.5])
    cv2.fillPoly(picture, [_fixed(corners)], (255, 255, 255), cv2.LINE_AA, shift=4)
    cv2.polylines(picture, [_fixed(corners)], True, _CASING, casing, cv2.LINE_AA, shift=4)


def _fixed(points: F64) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Points in the sixteenths of a pixel that OpenCV draws with."""
    return np.rint(points * 16.0).astype(np.int32)
