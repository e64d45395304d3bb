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
from mojing.tryon.agnostic import Edit
from mojing.tryon.limbs import LIGHTER, Rect, Skin, over_window, paint
from mojing.tryon.parts import SIDES

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


def uncover(
    invented: U8,
    rgb: U8,
    body: BodyView,
    *,
    edit: Edit,
    tone: dict[str, F64] | None,
    seen: F32,
    rect: Rect,
    upper: bool,
) -> U8:
    """The network's colours (h, w, 3) for a window, with bare limbs and what lies beside the body painted over.

    Args:
        invented: what the network painted, for the window.
        rgb: (H, W, 3) the photo.
        body: the person.
        edit: what may change; its `limbs` are painted.
        tone: see `tones`; None where no skin is seen, so that none can be painted.
        seen: (h, w) 0..1, where the network sees bare limbs: off the body it paints them where sleeves were.
        rect: the window.
        upper: whether what is put on covers the chest.
    """
    x, y, w, h = rect
    window = np.s_[y : y + h, x : x + w]
    length = max(float(np.hypot(*(_middle(body, "shoulder") - _middle(body, "hip")))), 8.0)
    out = invented
    side = _outside(edit, body, rect=rect, length=length, upper=upper)
    if side.any():
        out = _mix(out, background(rgb, body, rect=rect), side * np.maximum(seen, _beside(edit, rect)))
    if not edit.limbs or tone is None:
        return out
    skin = paint(edit.limbs, tone, rect=rect)
    shift = _offset(skin, rgb[window], _true_skin(body, edit, window), length=length)
    # Skin that was seen before is left to the network: it paints that well.
    was = cv2.blur(edit.remove[window], (5, 5)).astype(np.float32) * np.float32(2 / 255)
    share = skin.alpha * np.minimum(was, 1)
    if shift is None:
        return _mix(out, skin.rgb, share)
    return _mix(out, np.asarray(cv2.add(shift, skin.rgb, dtype=cv2.CV_8U), np.uint8), share)


def _mix(below: U8, above: U8, share: F32) -> U8:
    """One picture (h, w, 3) over another by a share (h, w) 0..1."""
    return np.asarray(cv2.blendLinear(above, below, share, 1 - share), np.uint8)


def _true_skin(body: BodyView, edit: Edit, window: tuple[slice, slice]) -> U8:
    """Pixels of a window, 0 or 255, of arms and legs that the photo keeps."""
    table = np.zeros(256, np.uint8)
    table[[L[f"{side}_{kind}"] for side in SIDES for kind in ("arm", "leg")]] = 255
    kept = cv2.bitwise_or(cv2.compare(edit.mask[window], 0, cv2.CMP_EQ), edit.stay[window])
    return np.asarray(cv2.bitwise_and(cv2.LUT(body.parse[window], table), kept), np.uint8)


def _offset(skin: Skin, photo: U8, known: U8, *, length: float) -> F32 | None:
    """What to add to painted skin (h, w, 3) so that it runs into the photo's own, fading away from that."""
    h, w = known.shape
    step = max(1, round(length / 24))
    few = np.s_[step // 2 :: step, step // 2 :: step]
    on = ((known[few] > 0) & (skin.alpha[few] > 0.5)).astype(np.float32)
    if not on.any():
        return None
    rest = (photo[few].astype(np.float32) - skin.rgb[few]) * on[..., None]
    sigma = 0.1 * length / step
    small = cv2.GaussianBlur(rest, (0, 0), sigma) / (cv2.GaussianBlur(on, (0, 0), sigma) + 0.04)[..., None]
    return np.asarray(over_window(small, step, (h, w)), np.float32)


def _outside(edit: Edit, body: BodyView, *, rect: Rect, length: float, upper: bool) -> F32:
    """How surely (0..1) a window's pixels, which old clothes covered, are background: off the trunk and what is below.

    Limbs are painted over it, and the new garment is laid over that.
    """
    x, y, w, h = rect
    step = max(1, round(length / 60))
    half = step // 2
    few = np.s_[y + half : y + h : step, x + half : x + w : step]
    was = cv2.dilate(np.ascontiguousarray(edit.remove[few]), np.ones((3, 3), np.uint8))
    trunk = np.zeros(was.shape, np.uint8)
    corners = (_trunk(body, upper=upper) - (x, y)) / step
    cv2.fillPoly(trunk, [np.rint(np.clip(corners, -30000, 30000)).astype(np.int32)], 255)
    far = cv2.distanceTransform(cv2.bitwise_not(trunk), cv2.DIST_L2, 3) * np.float32(step / (0.03 * length))
    soft = np.asarray((was > 0) * np.clip(far, 0, 1), np.float32)
    return np.asarray(over_window(soft, step, (h, w)), np.float32)


def _beside(edit: Edit, rect: Rect) -> F32:
    """How surely (0..1) a window's pixels lie near enough to a bare limb to have been its sleeve or trouser leg."""
    x, y, w, h = rect
    if not edit.limbs:
        return np.zeros((h, w), np.float32)
    step = max(1, round(edit.limbs[0].length / 60))
    half = step // 2
    ys, xs = np.arange(y + half, y + h, step, dtype=np.float32), np.arange(x + half, x + w, step, dtype=np.float32)
    grid = np.stack(np.broadcast_arrays(xs[None], ys[:, None]), axis=-1)
    near = np.min([limb.place(grid)[0] for limb in edit.limbs], axis=0)
    soft = np.clip((_CORRIDOR - near) / 0.5, 0, 1).astype(np.float32)
    return np.asarray(over_window(soft, step, (h, w)), np.float32)


def _middle(body: BodyView, name: str) -> F64:
    return np.asarray((body.joints[J[f"left_{name}"], :2] + body.joints[J[f"right_{name}"], :2]) / 2, np.float64)


def _trunk(body: BodyView, *, upper: bool) -> F64:
    """Corners (N, 2) of what is no background whatever is taken off: neck, trunk, and under a coat what is below."""
    neck, hips = _middle(body, "shoulder"), _middle(body, "hip")
    down = hips - neck
    ends = {n: [body.joints[J[f"{side}_{n}"], :2] for side in SIDES] for n in ("shoulder", "hip")}
    wide = [1.75 * (at - hips) for at in ends["hip"]]
    left = [neck - 0.5 * down + 0.6 * (ends["shoulder"][0] - neck), neck + 1.1 * (ends["shoulder"][0] - neck)]
    right = [neck - 0.5 * down + 0.6 * (ends["shoulder"][1] - neck), neck + 1.1 * (ends["shoulder"][1] - neck)]
    low = hips + (3.0 if upper else 0.0) * down
    left += [hips + wide[0], low + wide[0]]
    right += [hips + wide[1], low + wide[1]]
    return np.asarray([*left, *reversed(right)], np.float64)


def background(rgb: U8, body: BodyView, *, rect: Rect) -> U8:
    """The photo's background carried on behind the person, for a window (h, w, 3).

    Its colours are spread smoothly; its texture is that of the other side of the person's outline, mirrored.
    """
    x, y, w, h = rect
    pad = max(w, h) // 3
    x0, y0 = max(x - pad, 0), max(y - pad, 0)
    wide = np.s_[y0 : min(y + h + pad, body.hw[0]), x0 : min(x + w + pad, body.hw[1])]
    step = max(1, max(w, h) // 56)
    few = np.s_[wide[0].start : wide[0].stop : step, wide[1].start : wide[1].stop : step]
    mass = _free(body.alpha[few]).astype(np.float32) / 255
    colour = rgb[few].astype(np.float32) * mass[..., None]
    fill, weight = np.zeros_like(colour), np.zeros_like(mass)
    for sigma in (0.8, 2.0, 5.0, 16.0):
        c, m = cv2.GaussianBlur(colour, (0, 0), sigma), cv2.GaussianBlur(mass, (0, 0), sigma)
        lack = np.clip(1.0 - weight, 0, 1)
        fill += c * lack[..., None]
        weight += m * lack
    small = np.rint(fill / np.maximum(weight, 1e-4)[..., None]).astype(np.uint8)
    photo = rgb[wide]
    smooth = np.asarray(over_window(small, step, (photo.shape[0], photo.shape[1])), np.uint8)
    inner = np.s_[y - y0 : y - y0 + h, x - x0 : x - x0 + w]
    texture = _mirrored(cv2.subtract(photo, smooth, dtype=cv2.CV_16S), body.alpha[wide], inner)
    return np.asarray(cv2.add(smooth[inner], texture, dtype=cv2.CV_8U), np.uint8)


def _free(alpha: U8) -> U8:
    """Where nobody is, 0 or 255."""
    return np.asarray(cv2.erode(cv2.compare(np.ascontiguousarray(alpha), 12, cv2.CMP_LE), np.ones((3, 3), np.uint8)))


def _mirrored(texture: AnyArray, alpha: U8, inner: tuple[slice, slice]) -> AnyArray:
    """Texture (h, w, 3) of the background, for a window of it: on the person that of the point as far beyond the next
    edge, none where that is on a person, too."""
    step = max(1, max(alpha.shape) // 320)
    free = _free(alpha[::step, ::step])
    if not free.any():
        return np.zeros_like(texture[inner])
    _, nearest = cv2.distanceTransformWithLabels(cv2.bitwise_not(free), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    ys, xs = np.nonzero(free)
    where = np.zeros((int(nearest.max()) + 1, 2), np.float32)
    where[nearest[ys, xs]] = np.stack([xs, ys], axis=1)
    grid = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in free.shape[::-1])), axis=-1)
    source = np.where(free[..., None] > 0, grid, 2 * where[nearest] - grid)
    wh = (alpha.shape[1], alpha.shape[0])
    maps = [cv2.resize(m, wh, interpolation=cv2.INTER_LINEAR)[inner] for m in cv2.split((source - grid) * step)]
    full = np.meshgrid(*(np.arange(k.start, k.stop, dtype=np.float32) for k in inner[::-1]))
    at = [np.ascontiguousarray(m + g, np.float32) for m, g in zip(maps, full, strict=True)]
    there = cv2.remap(_free(alpha), at[0], at[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    found = cv2.remap(texture, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(cv2.copyTo(found, there))
