"""Why a face that was found cannot be made up: too small, dark, turned away, covered, or no photo of a living face.

Darkness is judged by the face's brightest pixels (whites of the eyes, shine, teeth), which are as bright in a dark face
as in a light one. Drawings are told by large areas without any grain, statues by a face without colour in a coloured
photo; a painted portrait or a coloured sculpture passes for a face.
"""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import srgb_to_linear
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.perception import facemesh
from mojing.perception.faceview import FACE_PARTS, PARTS_SIZE, FaceView

SMALL_PX, SMALLISH_PX = 12.0, 24.0
"""Inter-ocular distance in px below which a face is refused, and below which a notice is given."""
PROFILE_DEG, TURNED_DEG = 42.0, 28.0
"""Yaw in degrees from which a face is refused, and from which a notice is given."""
DARK, DIM = 0.02, 0.06
"""Linear luminance of the brightest fiftieth of the face below which it is refused, and below which dim."""
FLAT = 0.65
"""Share of a face's neighbouring pixels of one and the same colour from which it is a drawing."""
TINTED = 0.28
"""Light around the eyes over that of the cheeks, in the channel that suffers most, below which lenses are dark."""
GLASSES = 0.25
"""Share of the eyes behind glasses or something else from which glasses are worn."""
GREY = 2.0
"""Mean chroma of a face in Lab below which it is grey."""
STONE = 6.0
"""Mean chroma below which a face may be of stone; then the eyes must have irises."""


_LENS = (230, 229, 231, 450, 449, 451, 27, 28, 29, 257, 258, 259)
_CHEEKS = (50, 280, 205, 425, 187, 411)


def fault_of(rgb: U8, face: FaceView) -> InputError | None:
    """Why this face must be refused, None when it need not."""
    if face.inter_ocular < SMALL_PX:
        told = f"the face is too small: {face.inter_ocular:.0f} px between the eyes"
        return InputError("small", told, hint=f"at least {SMALL_PX:.0f} px are needed; use a closer photo")
    if abs(face.yaw) > PROFILE_DEG:
        told = f"the face is turned {abs(face.yaw):.0f} degrees away"
        return InputError("profile", told, hint="use a photo in which both eyes look towards the camera")
    if brightest(rgb, face) < DARK:
        return InputError("dark", "the face is too dark", hint="use a photo with light on the face")
    if flatness(rgb, face) > FLAT:
        return InputError("not_a_photo", "this looks like a drawing", hint="use a photo of a living face")
    return _covered(rgb, face) or _statue(rgb, face)


def _covered(rgb: U8, face: FaceView) -> InputError | None:
    covers = covering(face)
    if covers["mouth"] > 0.5:
        return InputError("covered", "mouth and chin are covered", hint="take the mask off, or the hand away")
    if covers["eyes"] > 0.6 and covers["behind"] > 0.5 and lens_light(rgb, face) < TINTED:
        return InputError("covered", "the eyes are behind dark glasses", hint="take the sunglasses off")
    if covers["face"] > 0.35:
        return InputError("covered", "much of the face is covered", hint="use a photo in which the whole face is seen")
    return None


def _statue(rgb: U8, face: FaceView) -> InputError | None:
    hint = "use a photo of a living face"
    own, around = chroma(rgb, face)
    if own < GREY and around > 3 * GREY:
        return InputError("not_a_photo", "the face has no colour, the photo has: a statue?", hint=hint)
    if own < STONE and iris_contrast(rgb, face) > 0.78:
        return InputError("not_a_photo", "the face has no colour and the eyes no irises: a statue?", hint=hint)
    return None


def notices_of(rgb: U8, face: FaceView) -> tuple[str, ...]:
    """What should be told of a face that is not refused."""
    told = []
    if face.inter_ocular < SMALLISH_PX:
        told.append(f"the face is small ({face.inter_ocular:.0f} px between the eyes): fine lines cannot be exact")
    if abs(face.yaw) > TURNED_DEG:
        told.append(f"the face is turned {abs(face.yaw):.0f} degrees to the side: the far side is guessed")
    if brightest(rgb, face) < DIM:
        told.append("the face is dim: colours are less sure")
    covers = covering(face)
    if max(covers["face"], 0.5 * covers["mouth"]) > 0.12:
        told.append("a part of the face is covered: nothing is painted there")
    if covers["eyes"] > GLASSES:
        told.append("glasses are worn: make-up of the eyes lies behind them, where they are clear")
    if face.confidence < 0.99:
        told.append("the face is seen only vaguely: check the result")
    if chroma(rgb, face)[0] < GREY:
        told.append("the face has no colour: a black-and-white photo?")
    return tuple(told)


def covering(face: FaceView) -> dict[str, float]:
    """Share (0..1) of the face, of mouth and chin behind something, of the eyes behind glasses, and of the eyes where
    that hides them: not behind clear ones."""
    grid = face.to_parts.apply(face.mesh[:, :2])
    cover = face.parts[FACE_PARTS.index("cover")]
    glasses = face.parts[FACE_PARTS.index("glasses")]
    oval = _inside(grid[list(facemesh.OVAL)])
    lower = _inside(grid[[*facemesh.OVAL[13:24], 425, 2, 205]])
    eyes = np.maximum(_inside(grid[list(facemesh.RIGHT_EYE)]), _inside(grid[list(facemesh.LEFT_EYE)]))
    return {
        "face": _mean(cover, oval),
        "mouth": _mean(cover, lower),
        "eyes": _mean(glasses + cover, eyes),
        "behind": _mean(face.seen_parts[FACE_PARTS.index("glasses")] + cover, eyes),
    }


def _inside(polygon: AnyArray) -> U8:
    mask = np.zeros((PARTS_SIZE, PARTS_SIZE), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32)], 1, shift=4)
    return mask


def _mean(values: F32, mask: U8) -> float:
    return float(values[mask > 0].mean()) if mask.any() else 0.0


def _pixels(rgb: U8, face: FaceView) -> tuple[U8, U8]:
    """The face's crop, at most some 256 px high, and the mask 0/1 of the face's inside in it."""
    box = Box.around(face.mesh[list(facemesh.OVAL), :2])
    rows, cols = box.slices(face.hw)
    crop = rgb[rows, cols]
    if crop.size == 0:
        return np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), np.uint8)
    step = max(crop.shape[0] // 256, 1)
    points = (face.mesh[list(facemesh.OVAL), :2] - (cols.start, rows.start)) / step
    crop = crop[::step, ::step]
    mask = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
    return crop, mask if mask.any() else np.ones_like(mask)


def brightest(rgb: U8, face: FaceView) -> float:
    """Linear luminance (0..1) that a fiftieth of the face exceeds."""
    crop, mask = _pixels(rgb, face)
    linear = srgb_to_linear(crop[mask > 0])
    return float(np.quantile(linear @ np.array([0.2126, 0.7152, 0.0722]), 0.98))


def flatness(rgb: U8, face: FaceView) -> float:
    """Share of the face's pixels that equal both the pixel to the right and the one below in all channels.

    Near white or black, where cameras clip, nothing is counted.
    """
    crop, mask = _pixels(rgb, face)
    if min(crop.shape[:2]) < 8:
        return 0.0
    here = crop[:-1, :-1].astype(np.int16)
    same = (here == crop[:-1, 1:]).all(axis=-1) & (here == crop[1:, :-1]).all(axis=-1)
    counted = (mask[:-1, :-1] > 0) & (here.min(axis=-1) < 254) & (here.max(axis=-1) > 8)
    return float(same[counted].mean()) if counted.sum() > 32 else 0.0


def chroma(rgb: U8, face: FaceView) -> tuple[float, float]:
    """Mean chroma in Lab of the face, and the highest tenth's chroma of the whole photo."""
    crop, mask = _pixels(rgb, face)
    step = max(max(rgb.shape[:2]) // 128, 1)
    small = np.ascontiguousarray(rgb[::step, ::step])
    return float(_chroma(crop)[mask > 0].mean()), float(np.quantile(_chroma(small), 0.9))


def _chroma(rgb: U8) -> F32:
    lab = cv2.cvtColor(np.ascontiguousarray(rgb).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(np.hypot(lab[..., 1], lab[..., 2]), np.float32)


def lens_light(rgb: U8, face: FaceView) -> float:
    """Linear light of the skin around the eyes over that of the cheeks, in the channel that suffers most.

    On any skin 0.3 to 1.2 through clear lenses, whose frames cast shadows; dark or coloured lenses leave less.
    """
    size = max(0.04 * face.inter_ocular, 0.5)
    rows = []
    for points in (_LENS, _CHEEKS):
        boxes = [Box(x - size, y - size, x + size + 1, y + size + 1) for x, y in face.mesh[list(points), :2]]
        parts = [rgb[box.slices(face.hw)] for box in boxes]
        seen = [srgb_to_linear(p).reshape(-1, 3).mean(axis=0) for p in parts if p.size]
        if not seen:
            return 1.0
        rows.append(np.median(seen, axis=0))
    return float((rows[0] / np.maximum(rows[1], 1e-3)).min())


def iris_contrast(rgb: U8, face: FaceView) -> float:
    """Linear luminance of both irises over that of the eyes' surroundings: well below one in a living face."""
    linear = []
    for iris, eye in ((facemesh.RIGHT_IRIS, facemesh.RIGHT_EYE), (facemesh.LEFT_IRIS, facemesh.LEFT_EYE)):
        middle = face.mesh[iris[0], :2]
        radius = max(0.6 * float(np.hypot(*(face.mesh[list(iris[1:]), :2] - middle).T).mean()), 1.0)
        disc = Box(middle[0] - radius, middle[1] - radius, middle[0] + radius + 1, middle[1] + radius + 1)
        around = Box.around(face.mesh[list(eye), :2]).pad(0.5)
        values = [_luminance(rgb, box) for box in (disc, around)]
        if None not in values:
            linear.append(values)
    if not linear:
        return 0.0
    inner, outer = np.array(linear, np.float64).mean(axis=0)
    return float(inner / max(outer, 1e-4))


def _luminance(rgb: U8, box: Box) -> float | None:
    rows, cols = box.slices((rgb.shape[0], rgb.shape[1]))
    part = rgb[rows, cols]
    if part.size == 0:
        return None
    return float((srgb_to_linear(part) @ np.array([0.2126, 0.7152, 0.0722])).mean())
