"""Render: from the draped garment to the finished photo, with the GAN or without it.

The network sees a 512x384 crop around the edit region and answers with a residual flow, the garment's opacity, a
shading gain, and colours for what was never seen. The picture itself is put together at the photo's own resolution:
garment pixels come from the garment photo, only invented pixels come from the network, and every pixel outside the edit
mask is the input's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.geometry import Affine, Box, crop_affine, warp_crop
from mojing.core.warp import WarpField
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore
from mojing.tryon.agnostic import Edit, grow, soft_mask
from mojing.tryon.conditions import CATEGORIES, CROP_WH, context_input, crop_rect, picture_input, skin_colour
from mojing.tryon.drape import Drape
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
class Rendered:
    """A finished picture and what it is made of.

    Attributes:
        image: (H, W, 3) uint8, equal to the photo wherever the edit mask is 0.
        alpha: (H, W) float32 0..1, opacity of the garment in the picture.
        field: person px -> garment px, the drape's map with the network's correction.
        parse: (h, w) uint8 labels of the crop as the network expects them, None without the network.
        crop: the network's crop in px of the photo.
        agreement: 0..1, how far the network's parse map and the garment's final opacity tell the same; 1 without it.
        shift: mean length of the residual flow in torso lengths, over the garment.
        kept: share of the draped garment that is still there in the end.
    """

    image: U8
    alpha: F32
    field: WarpField
    parse: U8 | None
    crop: Box
    agreement: float
    shift: float
    kept: float

    def __post_init__(self) -> None:
        for name in ("image", "alpha"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


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
    stays, flow (h, w, 2) px of the crop, gain (h, w), parse (21, h, w) logits."""

    rgb: F32
    keep: F32
    flow: F32
    gain: F32
    parse: F32
    tone: dict[str, F64] | None
    """Colours of arms and legs, None when no skin is seen."""


def _run(
    session: Session, rgb: U8, body: BodyView, *, cloth: F32, drape: Drape, edit: Edit, category: str, to: Affine
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
    out = session.run(
        {
            "picture": picture_input(photo, mask, coarse=plain, alpha=solid)[None],
            "context": context_input(joints, parse, mask, rgb=photo, category=category)[None],
        }
    )
    labels = out["parse"][0].argmax(axis=0).astype(np.uint8)
    skin = skin_colour(photo, parse, mask)
    return _Out(
        true_skin(out["rgb"][0].transpose(1, 2, 0), labels, skin),
        1 / (1 + np.exp(-out["alpha"][0, 0])),
        out["flow"][0].transpose(1, 2, 0),
        out["gain"][0, 0],
        out["parse"][0],
        tones(photo, parse, mask, skin=skin) if skin.any() else None,
    )


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
    table = np.zeros(256, np.float32)
    table[[L[n] for n in _SKIN]] = 1
    bare = table[labels]
    out = np.ascontiguousarray(rgb, np.float32)
    if not skin.any() or not bare.any():
        return out * np.float32(255)
    wh = (rgb.shape[1], rgb.shape[0])
    soft = cv2.resize(cv2.GaussianBlur(bare, (0, 0), 0.8), wh, interpolation=cv2.INTER_LINEAR)[..., None]
    own = cv2.cvtColor(((skin + 1) / 2).astype(np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]
    lab = cv2.cvtColor(out, cv2.COLOR_RGB2LAB)
    toned = lab.copy()
    toned[..., 1:] = own[1:] + _CHROMA * (lab[..., 1:] - own[1:])
    middle = float(np.median(lab[..., 0][soft[..., 0] > 0.5])) if (soft > 0.5).any() else float(own[0])
    toned[..., 0] += float(np.clip(middle, own[0] - _LIGHT, own[0] + _LIGHT)) - middle
    mixed = out + (cv2.cvtColor(toned, cv2.COLOR_LAB2RGB) - out) * soft
    return np.asarray(np.clip(mixed, 0, 1) * np.float32(255), np.float32)


def _with_network(session: Session, rgb: U8, body: BodyView, *, drape: Drape, edit: Edit, category: str) -> Rendered:
    x, y, w, h = crop_rect(edit.mask, hw=body.hw)
    crop = Box(x, y, x + w, y + h)
    to = crop_affine(crop, CROP_WH)
    cloth = _cloth(drape)
    out = _run(session, rgb, body, cloth=cloth, drape=drape, edit=edit, category=category, to=to)
    bx, by, bw, bh = cv2.boundingRect(edit.mask)
    window = np.s_[by : by + bh, bx : bx + bw]
    at = _positions(to, (bx, by, bw, bh))
    flow = _read(out.flow, at, stride=4) * np.float32(1 / to.scale)
    moved, solid = _move(cloth, drape.alpha, flow, corner=(bx, by))
    keep = np.clip((_read(out.keep, at) - EDGE[0]) / (EDGE[1] - EDGE[0]), 0, 1)
    alpha = np.asarray(solid * keep, np.float32)
    lit = moved * _read(out.gain, at, stride=4)[..., None]
    invented = _read(out.rgb, at)
    rect = (bx, by, bw, bh)
    invented = uncover(invented, rgb, body, edit=edit, tone=out.tone, rect=rect, upper=category in UPPER)
    # Beside the person the background is in the photo: cloth goes over that, nothing need be invented.
    behind = np.where(_beside(body)[window][..., None], rgb[window].astype(np.float32), invented)
    new = behind + (lit - behind) * alpha[..., None]
    soft = soft_mask(edit, radius=max(1.5, 0.004 * max(body.hw)), rect=(bx, by, bw, bh))
    # What the garment covers must be painted, also where the photo's own pixels would otherwise stay.
    soft = np.maximum(soft, alpha * (edit.mask[window] > 0))
    image = rgb.copy()
    part = image[window].astype(np.float32)
    part += (new - part) * soft[..., None]
    image[window] = np.where(edit.mask[window][..., None] > 0, np.clip(part + 0.5, 0, 255), image[window])
    whole = np.zeros(body.hw, np.float32)
    whole[window] = alpha * (edit.mask[window] > 0)
    labels = out.parse.argmax(axis=0).astype(np.uint8)
    torso = torso_px(body)
    was = float(drape.alpha[window][edit.mask[window] > 0].sum())
    return Rendered(
        image=image,
        alpha=whole,
        field=_corrected(drape.field, flow, corner=(bx, by)),
        parse=labels,
        crop=crop,
        agreement=_agreement(labels, alpha, at, category=category),
        shift=float((np.hypot(flow[..., 0], flow[..., 1]) * alpha).sum() / max(float(alpha.sum()), 1.0) / torso),
        kept=min(float(whole.sum()) / max(was, 1.0), 1.0),
    )


def _beside(body: BodyView) -> AnyArray:
    """Pixels (H, W) bool of the photo that show no part of the person, nor their outline's soft rim."""
    person = np.asarray(cv2.compare(body.alpha, 12, cv2.CMP_GT), np.uint8)
    return np.asarray(grow(person, max(0.006 * torso_px(body), 1.0)) == 0)


def _positions(to_crop: Affine, rect: tuple[int, int, int, int]) -> tuple[F32, F32]:
    """Crop coordinates of the pixels of a rectangle of the photo: two (h, w) maps."""
    x0, y0, w, h = rect
    m = to_crop.matrix
    xs = (m[0, 0] * (x0 + np.arange(w)) + m[0, 2]).astype(np.float32)
    ys = (m[1, 1] * (y0 + np.arange(h)) + m[1, 2]).astype(np.float32)
    return np.broadcast_to(xs, (h, w)), np.broadcast_to(ys[:, None], (h, w))


def _read(values: AnyArray, at: tuple[F32, F32], *, stride: int = 1) -> F32:
    """Values of a map of the crop (`stride` times smaller) at crop positions, bilinear, the border carried on."""
    (xs, ys) = at
    scale = np.float32(1 / stride)
    mx, my = (xs + np.float32(0.5)) * scale - np.float32(0.5), (ys + np.float32(0.5)) * scale - np.float32(0.5)
    return np.asarray(
        cv2.remap(np.ascontiguousarray(values), mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _cloth(drape: Drape) -> F32:
    """The drape's colours times its opacity (H, W, 3) 0..255, which may be resampled without a dark rim."""
    return drape.rgb.astype(np.float32) * drape.alpha[..., None]


def _move(cloth: F32, alpha: F32, flow: F32, *, corner: tuple[int, int]) -> tuple[F32, F32]:
    """The draped garment (h, w, 3) 0..255 and its opacity, shifted by the residual flow, for a window of the photo."""
    h, w = flow.shape[:2]
    gx = flow[..., 0] + (corner[0] + np.arange(w, dtype=np.float32))
    gy = flow[..., 1] + (corner[1] + np.arange(h, dtype=np.float32))[:, None]
    colour = cv2.remap(cloth, gx, gy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    solid = np.clip(cv2.remap(alpha, gx, gy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), 0, 1)
    return np.asarray(colour / np.maximum(solid, 0.05)[..., None], np.float32), np.asarray(solid, np.float32)


def _corrected(field: WarpField, flow: F32, *, corner: tuple[int, int]) -> WarpField:
    """The drape's map read at shifted positions; nearest, because parts meet with a jump."""
    h, w = flow.shape[:2]
    full = np.asarray(field.map_xy).copy()
    gx = np.clip(np.rint(flow[..., 0] + corner[0] + np.arange(w)), 0, full.shape[1] - 1).astype(np.intp)
    gy = np.clip(np.rint(flow[..., 1] + corner[1] + np.arange(h)[:, None]), 0, full.shape[0] - 1).astype(np.intp)
    full[corner[1] : corner[1] + h, corner[0] : corner[0] + w] = np.asarray(field.map_xy)[gy, gx]
    return WarpField(full)


def _agreement(labels: U8, alpha: F32, at: tuple[F32, F32], *, category: str) -> float:
    """IoU of the garment's final opacity and its labels in the network's parse map."""
    table = np.zeros(256, np.float32)
    table[[L[n] for n in GARMENT_LABELS[category]]] = 1
    step = slice(None, None, 4)
    said = _read(table[labels], (at[0][step, step], at[1][step, step]), stride=4) > 0.5
    done = alpha[step, step] > 0.5
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
    change[_beside(body)] = 0
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
    return Rendered(image, alpha, drape.field, None, Box(0, 0, w, h), 1.0, 0.0, kept)
