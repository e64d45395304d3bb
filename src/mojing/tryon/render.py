"""Render: from the draped garment to the finished photo, with the GAN or without it.

The network sees a 512x384 crop around the edit region and answers with a residual flow, the garment's opacity, a
shading gain, and colours for what was never seen. The picture itself is put together at the photo's own resolution:
garment pixels come from the garment photo, only invented pixels come from the network, and every pixel outside the edit
mask is the input's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.geometry import Affine, Box, crop_affine, warp_crop
from mojing.core.warp import WarpField
from mojing.perception.body import BodyView
from mojing.perception.decode import labels_of, sigmoid
from mojing.perception.labels import L
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore
from mojing.tryon.agnostic import Edit, grow, soft_mask
from mojing.tryon.conditions import CATEGORIES, CROP_WH, STRIDE, context_input, crop_rect, picture_input, skin_colour
from mojing.tryon.drape import Drape
from mojing.tryon.limbs import Rect
from mojing.tryon.pattern import UPPER
from mojing.tryon.uncover import tones, uncover

GARMENT_LABELS: dict[str, tuple[str, ...]] = {
    "top": ("upper",),
    "outer": ("outer", "upper"),
    "dress": ("dress",),
    "skirt": ("skirt",),
    "trousers": ("trousers",),
}
"""Labels that the new parse map may give the garment's pixels."""


@dataclass(frozen=True, eq=False)
class Shifts:
    """The residual flow of a crop, (h, w, 2) in px of the photo, one value for STRIDE px of the crop; `to` maps the
    photo to the crop; `rect` is the window of the photo in which it counts."""

    flow: F32
    to: Affine
    rect: Rect


@dataclass(frozen=True, eq=False)
class Rendered:
    """A finished picture and what it is made of.

    Attributes:
        image: (H, W, 3) uint8, equal to the photo wherever the edit mask is 0.
        alpha: (H, W) float32 0..1, opacity of the garment in the picture.
        parse: (h, w) uint8 labels of the crop as the network expects them, None without the network.
        crop: the network's crop in px of the photo.
        agreement: 0..1, how far the network's parse map and the garment's final opacity tell the same; 1 without it.
        shift: mean length of the residual flow in torso lengths, over the garment.
        kept: share of the draped garment that is still there in the end.
        drape: the garment as it was laid on.
        shifts: how the network corrected it, None without it.
    """

    image: U8
    alpha: F32
    parse: U8 | None
    crop: Box
    agreement: float
    shift: float
    kept: float
    drape: Drape = field(repr=False)
    shifts: Shifts | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("image", "alpha"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    @cached_property
    def field(self) -> WarpField:
        """Person px -> garment px, the drape's map with the network's correction; made when it is first asked for."""
        return self.drape.field if self.shifts is None else _corrected(self.drape.field, self.shifts)


class Renderer:
    """The render network (`gan=True`) or the plain composite it is measured against."""

    def __init__(self, store: ModelStore, *, threads: int = 2, gan: bool = True) -> None:
        self.session = Session(store.spec("render"), threads=threads) if gan else None
        self.quality: Mapping[str, float] | None = (
            None if self.session is None else self.session.spec.extra.get("quality")
        )

    def __call__(self, rgb: U8, body: BodyView, *, drape: Drape, edit: Edit, category: str) -> Rendered:
        """Finish a try-on.

        Args:
            rgb: (H, W, 3) the person photo.
            body: the person.
            drape: the garment laid on the person, at the photo's size.
            edit: what may change.
            category: the garment's.
        """
        assert category in CATEGORIES
        if self.session is None or not edit.mask.any():
            return _plain(rgb, body, drape=drape, edit=edit)
        return _with_network(self.session, rgb, body, drape=drape, edit=edit, category=category)


@dataclass(frozen=True, eq=False)
class _Out:
    """The network's answer on the crop: rgb (H, W, 3) 0..255, keep (H, W) share of the garment's opacity that
    stays, flow (h, w, 2) px of the crop, gain (h, w), parse (h, w) labels."""

    rgb: U8
    keep: F32
    flow: F32
    gain: F32
    parse: U8
    tone: dict[str, F64] | None
    """Colours of arms and legs, None when no skin is seen."""


def _run(
    session: Session, rgb: U8, body: BodyView, *, cloth: U8, drape: Drape, edit: Edit, category: str, to: Affine
) -> _Out:
    wh = CROP_WH
    photo = np.asarray(warp_crop(rgb, to, out_wh=wh), np.uint8)
    mask = np.asarray(warp_crop(edit.mask, to, out_wh=wh, border=0, nearest=True), np.uint8)
    parse = np.asarray(warp_crop(body.parse, to, out_wh=wh, border=0, nearest=True), np.uint8)
    solid = np.asarray(warp_crop(drape.alpha, to, out_wh=wh, border=0), np.float32)
    coarse = np.asarray(warp_crop(cloth, to, out_wh=wh, border=0), np.float32)
    plain = np.asarray(np.clip(coarse / np.maximum(solid, 0.05)[..., None], 0, 255), np.uint8)
    joints = body.joints.copy()
    joints[:, :2] = to.apply(joints[:, :2])
    skin = skin_colour(photo, parse, mask)
    if not skin.any():
        skin = _skin_of_all(rgb, body, edit.mask)
    out = session.run(
        {
            "picture": picture_input(photo, mask, coarse=plain, alpha=solid)[None],
            "context": context_input(joints, parse, mask, rgb=photo, category=category, skin=skin)[None],
        }
    )
    labels = labels_of(out["parse"][0])
    painted = true_skin(cv2.merge(list(out["rgb"][0])), labels, skin)
    return _Out(
        np.asarray(cv2.add(painted, 0.0, dtype=cv2.CV_8U), np.uint8),
        sigmoid(out["alpha"][0, 0]),
        np.asarray(cv2.merge(list(out["flow"][0])), np.float32),
        out["gain"][0, 0],
        labels,
        tones(photo, parse, mask, skin=skin) if skin.any() else None,
    )


def _skin_of_all(rgb: U8, body: BodyView, mask: U8) -> F32:
    """Skin colour (3,) of the whole photo, for crops that end below the face, such as those about a skirt."""
    few = (slice(None, None, max(max(body.hw) // 512, 1)),) * 2
    return skin_colour(rgb[few], body.parse[few], mask[few])


_SKIN = ("neck", "left_arm", "right_arm", "left_leg", "right_leg")
_CHROMA = 0.3
"""Share of the invented chroma's deviation from the person's own that is kept."""

EDGE = (0.4, 0.8)
"""What the network keeps of the cloth, from not at all to wholly: its own edges are pixels wide, cloth's are not."""

_LIGHT = 22.0
"""Most that invented skin may be lighter or darker in the middle than the face, in L*."""


def true_skin(rgb: F32, labels: U8, skin: F32) -> F32:
    """Give invented skin the person's own tone: the hue of face and neck, and a lightness near theirs.

    Args:
        rgb: (H, W, 3) float32 0..1, what the network painted.
        labels: (h, w) its parse map.
        skin: (3,) in -1..1, see `conditions.skin_colour`; all zero when nothing is known.

    Returns:
        (H, W, 3) float32 0..255.
    """
    bare = _shown(labels, _SKIN)
    out = np.ascontiguousarray(rgb, np.float32)
    if not skin.any() or not bare.any():
        return out * np.float32(255)
    wh = (rgb.shape[1], rgb.shape[0])
    soft = cv2.resize(cv2.GaussianBlur(bare, (0, 0), 0.8), wh, interpolation=cv2.INTER_LINEAR)
    own = cv2.cvtColor(((skin + 1) / 2).astype(np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]
    near = np.flatnonzero(soft > 0.002)
    weight = soft.ravel()[near]
    painted = out.reshape(-1, 3)[near]
    lab = cv2.cvtColor(painted[None], cv2.COLOR_RGB2LAB)[0]
    middle = float(np.median(lab[weight > 0.5, 0])) if (weight > 0.5).any() else float(own[0])
    lab[:, 1:] = own[1:] + np.float32(_CHROMA) * (lab[:, 1:] - own[1:])
    lab[:, 0] += float(np.clip(middle, own[0] - _LIGHT, own[0] + _LIGHT)) - middle
    toned = cv2.cvtColor(lab[None], cv2.COLOR_LAB2RGB)[0]
    mixed = out * np.float32(255)
    mixed.reshape(-1, 3)[near] = np.clip(painted + (toned - painted) * weight[:, None], 0, 1) * np.float32(255)
    return np.asarray(mixed, np.float32)


def _with_network(session: Session, rgb: U8, body: BodyView, *, drape: Drape, edit: Edit, category: str) -> Rendered:
    x, y, w, h = crop_rect(edit.mask, hw=body.hw)
    crop = Box(x, y, x + w, y + h)
    to = crop_affine(crop, CROP_WH)
    cloth = _cloth(drape)
    out = _run(session, rgb, body, cloth=cloth, drape=drape, edit=edit, category=category, to=to)
    rect = _rect(edit.mask)
    window = _slices(rect)
    invented = np.asarray(_seen(out.rgb, to, rect), np.uint8)
    bare = np.asarray(_seen(_shown(out.parse, _SKIN), to, rect, stride=STRIDE), np.float32)
    upper = category in UPPER
    behind = uncover(invented, rgb, body, edit=edit, tone=out.tone, seen=bare, rect=rect, upper=upper)
    # Beside the person the background is in the photo: cloth goes over that, nothing need be invented.
    cv2.copyTo(rgb[window], _beside(body, rect), behind)
    soft = soft_mask(edit, radius=max(1.5, 0.004 * max(body.hw)), rect=rect)
    shifts = Shifts(out.flow * np.float32(1 / to.scale), to, rect)
    image, alpha = rgb.copy(), np.zeros(body.hw, np.float32)
    moved = 0.0
    for band in _bands(rect):
        flow = _seen(shifts.flow, to, band, stride=STRIDE)
        colour, solid = _move(cloth, drape.alpha, flow, rect=band)
        keep = np.clip((_seen(out.keep, to, band) - EDGE[0]) / (EDGE[1] - EDGE[0]), 0, 1)
        gain = keep * _seen(out.gain, to, band, stride=STRIDE)
        inside, at = edit.mask[_slices(band)], slice(band[1] - rect[1], band[1] - rect[1] + band[3])
        # What the garment covers must be painted, also where the photo's own pixels would otherwise stay.
        whole = solid * keep
        share = np.maximum(soft[at], cv2.copyTo(whole, inside))
        mixed = _mix(
            image[_slices(band)], behind[at], cloth=(colour, np.minimum(solid * 20, 1) * gain, whole), share=share
        )
        cv2.copyTo(mixed, inside, image[_slices(band)])
        cv2.copyTo(whole, inside, alpha[_slices(band)])
        moved += float((cv2.magnitude(flow[..., 0], flow[..., 1]) * whole).sum())
    covered = float(cv2.sumElems(alpha[window])[0])
    was = float(cv2.sumElems(cv2.copyTo(drape.alpha[window], edit.mask[window]))[0])
    return Rendered(
        image=image,
        alpha=alpha,
        parse=out.parse,
        crop=crop,
        agreement=_agreement(out.parse, alpha, shifts, category=category),
        shift=moved / max(covered, 1.0) / torso_px(body),
        kept=min(covered / max(was, 1.0), 1.0),
        drape=drape,
        shifts=shifts,
    )


_BAND = 100_000
"""About how many px are put together at a time: few enough for a processor's cache."""


def _rect(mask: U8) -> Rect:
    x, y, w, h = cv2.boundingRect(mask)
    return int(x), int(y), int(w), int(h)


def _slices(rect: Rect) -> tuple[slice, slice]:
    x, y, w, h = rect
    return slice(y, y + h), slice(x, x + w)


def _bands(rect: Rect) -> list[Rect]:
    """The rectangle in pieces of its full width."""
    x, y, w, h = rect
    rows = max(_BAND // w, 8)
    return [(x, top, w, min(rows, y + h - top)) for top in range(y, y + h, rows)]


def _mix(photo: U8, behind: U8, *, cloth: tuple[F32, AnyArray, AnyArray], share: AnyArray) -> U8:
    """`share` (h, w) 0..1 of the new picture over the photo (h, w, 3); the rest of it stays.

    The new picture is the cloth over what is behind it: `cloth` is its colours times its opacity, the light on them,
    and the opacity with which it covers.
    """
    colour, light, solid = cloth
    new = cv2.multiply(behind, cv2.merge([1 - solid] * 3), dtype=cv2.CV_32F)
    new = cv2.add(new, cv2.multiply(colour, cv2.merge([light] * 3)))
    change = cv2.multiply(cv2.subtract(new, photo, dtype=cv2.CV_32F), cv2.merge([share] * 3))
    return np.asarray(cv2.add(photo, change, dtype=cv2.CV_8U), np.uint8)


def _beside(body: BodyView, rect: Rect) -> U8:
    """Pixels (h, w) of a window, 0 or 255, that show no part of the person, nor their outline's soft rim."""
    x, y, w, h = rect
    radius = max(0.006 * torso_px(body), 1.0)
    pad = int(radius) + 3
    left, above = min(pad, x), min(pad, y)
    near = body.alpha[y - above : y + h + pad, x - left : x + w + pad]
    person = np.asarray(cv2.compare(near, 12, cv2.CMP_GT), np.uint8)
    return np.asarray(cv2.bitwise_not(grow(person, radius)[above : above + h, left : left + w]), np.uint8)


def _seen(values: AnyArray, to: Affine, rect: Rect, *, stride: int = 1, step: int = 1) -> AnyArray:
    """A map of the crop (`stride` times smaller) over a rectangle of the photo, bilinear, the border carried on.

    With a `step` only every so many pixels of the photo are looked up.
    """
    x, y, w, h = rect
    m = to.matrix
    scale = step / stride
    move = np.array(
        [
            [m[0, 0] * scale, 0, (m[0, 0] * x + m[0, 2] + 0.5) / stride - 0.5],
            [0, m[1, 1] * scale, (m[1, 1] * y + m[1, 2] + 0.5) / stride - 0.5],
        ]
    )
    wh = (-(-w // step), -(-h // step))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(values, move, wh, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _cloth(drape: Drape) -> U8:
    """The drape's colours times its opacity (H, W, 3), which may be resampled without a dark rim."""
    out = np.zeros_like(drape.rgb)
    window = _slices(_rect(cv2.compare(drape.alpha, 0, cv2.CMP_GT)))
    solid = cv2.convertScaleAbs(drape.alpha[window], alpha=255)
    out[window] = cv2.multiply(drape.rgb[window], cv2.merge([solid] * 3), scale=1 / 255)
    return out


def _move(cloth: U8, alpha: F32, flow: F32, *, rect: Rect) -> tuple[F32, F32]:
    """The draped garment's colours times its opacity (h, w, 3) 0..255, and its opacity, shifted by the residual flow
    (h, w, 2), for a rectangle of the photo."""
    x, y, w, h = rect
    gx = flow[..., 0] + np.arange(x, x + w, dtype=np.float32)
    gy = flow[..., 1] + np.arange(y, y + h, dtype=np.float32)[:, None]
    left, top = max(int(gx.min()) - 3, 0), max(int(gy.min()) - 3, 0)
    source = np.s_[top : max(int(gy.max()) + 5, top + 1), left : max(int(gx.max()) + 5, left + 1)]
    gx, gy = gx - np.float32(left), gy - np.float32(top)
    near = cloth[source].astype(np.float32)
    if not near.size:
        return np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32)
    colour = cv2.remap(near, gx, gy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    solid = cv2.remap(alpha[source], gx, gy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(colour, np.float32), np.asarray(np.clip(solid, 0, 1), np.float32)


def _corrected(field: WarpField, shifts: Shifts) -> WarpField:
    """The drape's map read at shifted positions; nearest, because parts meet with a jump."""
    full = np.asarray(field.map_xy).copy()
    for x, y, w, h in _bands(shifts.rect):
        flow = _seen(shifts.flow, shifts.to, (x, y, w, h), stride=STRIDE)
        gx = np.clip(np.rint(flow[..., 0] + np.arange(x, x + w)), 0, full.shape[1] - 1).astype(np.intp)
        gy = np.clip(np.rint(flow[..., 1] + np.arange(y, y + h)[:, None]), 0, full.shape[0] - 1).astype(np.intp)
        full[y : y + h, x : x + w] = np.asarray(field.map_xy)[gy, gx]
    return WarpField(full)


def _shown(labels: U8, names: tuple[str, ...]) -> F32:
    """1 where a parse map (h, w) has one of these labels, else 0."""
    table = np.zeros(256, np.float32)
    table[[L[n] for n in names]] = 1
    return np.asarray(table[labels], np.float32)


def _agreement(labels: U8, alpha: F32, shifts: Shifts, *, category: str) -> float:
    """IoU of the garment's final opacity and its labels in the network's parse map."""
    said = _seen(_shown(labels, GARMENT_LABELS[category]), shifts.to, shifts.rect, stride=STRIDE, step=4) > 0.5
    done = alpha[_slices(shifts.rect)][::4, ::4] > 0.5
    union = float((said | done).sum())
    return float((said & done).sum()) / union if union else 0.0


def torso_px(body: BodyView) -> float:
    """Distance from the middle of the shoulders to the middle of the hips in px, at least 1."""
    shoulders, hips = body.joints[5:7, :2].mean(axis=0), body.joints[11:13, :2].mean(axis=0)
    return max(float(np.hypot(*(shoulders - hips))), 1.0)


def _plain(rgb: U8, body: BodyView, *, drape: Drape, edit: Edit) -> Rendered:
    """Drape-only composite: what changes is filled in from its surroundings, and the new garment laid over it."""
    image = rgb.copy()
    inside = edit.mask > 0
    change = cv2.bitwise_and(edit.mask, cv2.bitwise_not(edit.stay))
    # Half-covered pixels, too: beneath them the old garment would show through, and flatter a garment put back.
    change[_beside(body, (0, 0, body.hw[1], body.hw[0])) > 0] = 0
    gone = (change > 0) & (drape.alpha < 0.99)
    if gone.any():
        scale = min(1.0, 256 / max(body.hw))
        wh = (max(round(body.hw[1] * scale), 1), max(round(body.hw[0] * scale), 1))
        small = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA)
        hole = cv2.resize(change, wh, interpolation=cv2.INTER_AREA)
        filled = cv2.inpaint(small, (hole > 0).astype(np.uint8), 3, cv2.INPAINT_TELEA)
        image = np.where(gone[..., None], cv2.resize(filled, (body.hw[1], body.hw[0])), image)
    alpha = np.where(inside, drape.alpha, 0).astype(np.float32)
    mixed = image + (drape.rgb.astype(np.float32) - image) * alpha[..., None]
    image = np.where(inside[..., None], np.clip(mixed + 0.5, 0, 255), rgb).astype(np.uint8)
    kept = float(alpha.sum()) / max(float(drape.alpha.sum()), 1.0)
    h, w = body.hw
    return Rendered(image, alpha, None, Box(0, 0, w, h), 1.0, 0.0, kept, drape)
