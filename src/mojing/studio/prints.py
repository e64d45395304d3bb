"""Recolour, print on and put a logo on the garment of a real photo, keeping its folds and shadows.

What leaves here equals the photo bit for bit outside the garment's cut-out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.color import delta_e_2000, linear_to_srgb, luma, rgb_to_lab, srgb_to_linear, to_uint8
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.core.image import Photo
from mojing.core.skeleton import A
from mojing.perception.garment import GarmentView
from mojing.studio.colours import hex_code
from mojing.studio.flow import Flow, flow_of
from mojing.studio.paint import encode, relief, repaint, soft_clip
from mojing.studio.shading import Split, split

PLACES = ("chest", "left-chest", "belly", "back", "hem", "left-sleeve", "right-sleeve", "left-thigh", "right-thigh")

Colour = Sequence[int]


@dataclass(frozen=True, eq=False)
class Printed:
    """A garment photo with new cloth.

    Attributes:
        image: (H, W, 3) uint8, the whole photo.
        alpha: (H, W) uint8, the cut-out, its inner back included; outside it nothing changed.
        before: hex codes of the cloth's dyes, the main one first, and after: what became of each.
        notices: sentences about what may look wrong.
    """

    image: U8
    alpha: U8
    before: tuple[str, ...]
    after: tuple[str, ...]
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", readonly(self.image))
        object.__setattr__(self, "alpha", readonly(self.alpha))


WORK = 1200
"""Longest side in px at which a garment is taken apart and painted; finer detail of larger photos is put back after."""


@dataclass(frozen=True, eq=False)
class Cloth:
    """A garment made ready for any number of prints.

    Attributes:
        source: the garment as it was seen, and box: (x0, y0, x1, y1) px, the part of its photo that is worked on.
        view: the garment in that box, WORK px long at most; parts, flow and alpha (inner back included) belong to it.
    """

    source: GarmentView
    box: tuple[int, int, int, int]
    view: GarmentView
    parts: Split
    flow: Flow
    alpha: U8

    @classmethod
    def of(cls, view: GarmentView) -> Cloth:
        """Take a garment apart.

        Raises:
            InputError: no_garment.
        """
        box = _box_around(np.maximum(view.alpha, view.inner))
        small = _part(view, box)
        alpha = np.maximum(small.alpha, small.inner)
        return cls(view, box, small, split(small.rgb, alpha), flow_of(small), alpha)

    @property
    def dyes(self) -> tuple[str, ...]:
        """Hex codes of the dyes, the main one first."""
        return tuple(hex_code(c) for c in to_uint8(linear_to_srgb(self.parts.dyes.colour)))


def _box_around(alpha: U8) -> tuple[int, int, int, int]:
    """The garment with a tenth of its size around it, within the photo."""
    h, w = alpha.shape
    found = Box.of_mask(alpha)
    if found is None:
        return 0, 0, w, h
    rows, columns = found.pad(0.1).slices((h, w))
    return columns.start, rows.start, columns.stop, rows.stop


def _part(view: GarmentView, box: tuple[int, int, int, int]) -> GarmentView:
    """The view of a box, made smaller if it is larger than WORK."""
    x0, y0, x1, y1 = box
    scale = min(1.0, WORK / max(x1 - x0, y1 - y0))
    wh = max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1)

    def cut(image: U8) -> U8:
        piece = image[y0:y1, x0:x1]
        return piece if scale == 1.0 else np.asarray(cv2.resize(piece, wh, interpolation=cv2.INTER_AREA), np.uint8)

    anchors = view.anchors.copy()
    for column, (start, factor) in enumerate(((x0, wh[0] / (x1 - x0)), (y0, wh[1] / (y1 - y0)))):
        anchors[:, column] = (anchors[:, column] - start + 0.5) * factor - 0.5
    rgb, alpha, inner = cut(view.rgb), cut(view.alpha), cut(view.inner)
    return replace(view, hw=(wh[1], wh[0]), rgb=rgb, alpha=alpha, inner=inner, anchors=anchors)


def _finish(cloth: Cloth, image: U8, *, after: tuple[str, ...], notices: tuple[str, ...]) -> Printed:
    """The painted part (h, w, 3) back in its photo, with the photo's own fine detail where it had been made smaller."""
    x0, y0, x1, y1 = cloth.box
    out = cloth.source.rgb.copy()
    alpha = np.maximum(cloth.source.alpha, cloth.source.inner)
    hit = (image != cloth.view.rgb).any(axis=2)
    if image.shape[:2] != (y1 - y0, x1 - x0):
        wh = x1 - x0, y1 - y0
        hit = np.asarray(cv2.resize(hit.astype(np.float32), wh, interpolation=cv2.INTER_LINEAR)) > 0.02
        was = cv2.resize(luma(cloth.view.rgb), wh, interpolation=cv2.INTER_LINEAR)
        # Luma is about the square root of light.
        detail = ((luma(out[y0:y1, x0:x1]) + 0.05) / (np.asarray(was) + 0.05)) ** 2
        light = cv2.resize(srgb_to_linear(image), wh, interpolation=cv2.INTER_CUBIC)
        image = encode(soft_clip(np.asarray(light * np.clip(detail, 0.4, 2.5)[..., None], np.float32)))
    hit &= alpha[y0:y1, x0:x1] > 0
    out[y0:y1, x0:x1][hit] = image[hit]
    return Printed(out, alpha, cloth.dyes, after, notices)


def recolour(cloth: Cloth, colours: Sequence[Colour], *, instead_of: Colour | None = None) -> Printed:
    """Dye the garment anew.

    Args:
        cloth: the garment.
        colours: RGB 0..255; the first replaces the main dye, the second the one that covers next most, and so on; dyes
            for which no colour is given stay as they are.
        instead_of: replace the dye nearest to this colour instead; one colour only.

    Raises:
        InputError: bad_colour, when no colour is given, or several together with `instead_of`.
    """
    if not colours or (instead_of is not None and len(colours) > 1):
        raise InputError("bad_colour", "one colour for a dye is needed", hint="give one --color for one --from")
    dyes = cloth.parts.dyes.colour
    rows = list(range(min(len(colours), len(dyes))))
    if instead_of is not None:
        seen = rgb_to_lab(to_uint8(linear_to_srgb(dyes)))
        rows = [int(delta_e_2000(seen, rgb_to_lab(np.array(instead_of, np.uint8))).argmin())]
    new = dyes.copy()
    for row, colour in zip(rows, colours, strict=False):
        new[row] = srgb_to_linear(np.array(colour, np.uint8))
    changed = cloth.parts.weight[..., rows].sum(axis=2)
    mixed = cloth.parts.weight[..., rows] @ new[rows] / np.maximum(changed, 1e-4)[..., None]
    image = repaint(cloth.parts, mixed, changed=changed)
    notices = []
    if len(colours) > len(dyes):
        notices.append(f"the garment has {len(dyes)} colours: only as many were used")
    after = tuple(hex_code(c) for c in to_uint8(linear_to_srgb(new)))
    return _finish(cloth, image, after=after, notices=(*notices, *_doubts(cloth)))


def print_pattern(
    cloth: Cloth, tile: U8, *, repeat: float = 0.18, turn: float = 0.0, keep_print: bool = False
) -> Printed:
    """Print a seamless pattern on the garment; it runs down the trunk and turns with sleeves and legs.

    Args:
        cloth: the garment.
        tile: (h, w, 3) or (h, w, 4) uint8 seamless tile; where it is transparent the garment's own colour stays.
        repeat: width of one tile as a share of the trunk's width, > 0.
        turn: degrees the pattern is turned by on the cloth.
        keep_print: print only on the main dye, leaving letters, trims and buttons; otherwise on everything.

    Raises:
        InputError: bad_pattern.
    """
    if not 0.005 <= repeat <= 10:
        raise InputError("bad_pattern", f"a repeat of {repeat} cannot be seen", hint="use 0.02 to 2 of the width")
    sampled = _sample(tile, cloth, repeat=repeat, turn=turn)
    albedo = srgb_to_linear(np.clip(sampled[..., :3] / 255.0, 0, 1))
    own = cloth.parts.weight[..., 0] if keep_print else np.ones(cloth.view.hw, np.float32)
    cover = sampled[..., 3] / 255.0 if sampled.shape[2] == 4 else np.ones(cloth.view.hw, np.float32)
    image = repaint(cloth.parts, albedo, changed=own * cover)
    after = (hex_code(np.rint(tile[..., :3].reshape(-1, 3).mean(axis=0))), *cloth.dyes[1:])
    return _finish(cloth, image, after=after, notices=_doubts(cloth))


def _sample(tile: U8, cloth: Cloth, *, repeat: float, turn: float) -> F32:
    """The tile seen through the cloth's coordinates: float32 (H, W, 3 or 4), 0..255."""
    period = max(repeat * cloth.flow.width, 2.0)
    wh = max(round(period), 2), max(round(period * tile.shape[0] / tile.shape[1]), 2)
    how = cv2.INTER_AREA if wh[0] <= tile.shape[1] else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(tile, wh, interpolation=how), np.float32).clip(0, 255)
    uv = cloth.flow.uv + relief(cloth.parts, px=0.008 * cloth.flow.width)
    angle = np.deg2rad(turn)
    u = uv[..., 0] * np.cos(angle) + uv[..., 1] * np.sin(angle)
    v = uv[..., 1] * np.cos(angle) - uv[..., 0] * np.sin(angle)
    # Centred, so that a stripe or a row of dots runs down the middle as a tailor would lay it.
    x = np.mod(u * wh[0] / period + wh[0] / 2 - 0.5, wh[0]).astype(np.float32)
    y = np.mod(v * wh[0] / period - 0.5, wh[1]).astype(np.float32)
    edged = cv2.copyMakeBorder(scaled, 1, 1, 1, 1, cv2.BORDER_WRAP)
    return np.asarray(cv2.remap(edged, x + 1, y + 1, cv2.INTER_LINEAR), np.float32)


def place_logo(
    cloth: Cloth,
    logo: Photo,
    *,
    at: str | tuple[float, float] | None = None,
    width: float | None = None,
    turn: float = 0.0,
) -> Printed:
    """Print a picture once on the garment, lying in its folds.

    Args:
        cloth: the garment.
        logo: the picture; where it is transparent the cloth shows.
        at: one of PLACES (by default the chest, of trousers the left thigh), or the middle as (across, down): shares of
            the trunk's width (0 the middle, positive towards the wearer's left) and length (0 the neck or waistband, 1
            the hem).
        width: the logo's width as a share of the trunk's width; by default 0.45, 0.2 on small places.
        turn: degrees, clockwise.

    Raises:
        InputError: bad_place.
    """
    usually = "left-thigh" if cloth.view.category == "trousers" else "chest"
    centre, axis, usual = _place(cloth, usually if at is None else at)
    wide = (usual if width is None else width) * cloth.flow.width
    if not 2.0 <= wide <= 4 * max(cloth.view.hw):
        raise InputError("bad_place", "the logo would not be seen", hint="use a width of 0.05 to 2")
    angle = np.deg2rad(turn) + np.arctan2(-axis[0], axis[1])
    ys, xs = np.mgrid[0 : cloth.view.hw[0], 0 : cloth.view.hw[1]].astype(np.float32)
    shift = relief(cloth.parts, px=0.008 * cloth.flow.width)
    dx, dy = xs + shift[..., 0] - np.float32(centre[0]), ys + shift[..., 1] - np.float32(centre[1])
    h, w = logo.hw
    wh = max(round(wide), 2), max(round(wide * h / w), 2)
    how = cv2.INTER_AREA if wh[0] <= w else cv2.INTER_CUBIC
    rgba = _premultiplied(logo)
    scaled = np.asarray(cv2.resize(rgba, wh, interpolation=how), np.float32).clip(0, 1)
    x = dx * np.cos(angle) + dy * np.sin(angle) + (wh[0] - 1) / 2
    y = dy * np.cos(angle) - dx * np.sin(angle) + (wh[1] - 1) / 2
    drawn = np.asarray(cv2.remap(scaled, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR), np.float32)
    cover = drawn[..., 3] * (1.0 - cloth.view.inner / np.float32(255))
    albedo = srgb_to_linear(np.clip(drawn[..., :3] / np.maximum(drawn[..., 3:], 1e-3), 0, 1))
    image = repaint(cloth.parts, albedo, changed=cover)
    notices = list(_doubts(cloth))
    seen = float((cover * cloth.parts.region).sum()) / max(float(scaled[..., 3].sum()), 1e-6)
    if seen < 0.9:
        notices.append(f"only {seen:.0%} of the logo lies on the cloth: make it smaller or place it elsewhere")
    return _finish(cloth, image, after=cloth.dyes, notices=tuple(notices))


def knocked_out(logo: Photo) -> Photo:
    """A logo on a plain ground without its ground: what is joined to the border and of its colour becomes clear.

    Raises:
        InputError: bad_pattern, when the border is not of one colour.
    """
    if logo.alpha is not None:
        return logo
    lab = rgb_to_lab(logo.rgb)
    edge = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    ground = np.median(edge, axis=0)
    if float(np.percentile(np.linalg.norm(edge - ground, axis=1), 80)) > 8.0:
        raise InputError("bad_pattern", "the logo's border is not of one colour", hint="give a PNG with transparency")
    gap = np.linalg.norm(lab - ground, axis=2)
    _, labels = cv2.connectedComponents((gap < 18.0).astype(np.uint8), connectivity=4)
    outer = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    outside = np.isin(labels, outer[outer > 0])
    near = cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    opacity = np.where(near, np.clip((gap - 6.0) / 30.0, 0.0, 1.0), 1.0)
    return Photo(logo.rgb, np.rint(255 * opacity).astype(np.uint8), logo.notices)


def _premultiplied(logo: Photo) -> F32:
    """(h, w, 4) float32 0..1, colour times opacity, so that it can be resized without fringes."""
    opacity = np.ones(logo.hw, np.float32) if logo.alpha is None else logo.alpha / np.float32(255)
    return np.dstack([logo.rgb / np.float32(255) * opacity[..., None], opacity]).astype(np.float32)


def _place(cloth: Cloth, at: str | tuple[float, float]) -> tuple[AnyArray, AnyArray, float]:
    """Middle of a place (2,) px, direction of the threads there (2,), and the usual width of a logo."""
    view = cloth.view
    points = {n: view.anchors[i, :2].astype(np.float64) for n, i in A.items() if view.anchors[i, 2] > 0}
    trunk = {"chest": (0.0, 0.34, 0.45), "back": (0.0, 0.34, 0.6), "left-chest": (0.22, 0.22, 0.16)}
    trunk |= {"belly": (0.0, 0.6, 0.45), "hem": (0.25, 0.9, 0.2)}
    limbs = {"sleeve": ("shoulder", "elbow", "wrist"), "thigh": ("hip", "knee", "hem")}
    if isinstance(at, str) and at not in trunk:
        side, _, limb = at.partition("-")
        if limb not in limbs or side not in ("left", "right"):
            raise InputError("bad_place", f"there is no place {at}", hint=f"use x,y or one of {', '.join(PLACES)}")
        bone = [points[f"{side}_{n}"] for n in limbs[limb] if f"{side}_{n}" in points][:2]
        if len(bone) < 2 or (limb == "thigh") != (view.category == "trousers"):
            raise InputError("bad_place", f"this garment has no {at.replace('-', ' ')}", hint="choose another place")
        middle, axis = bone[0] + 0.55 * (bone[1] - bone[0]), bone[1] - bone[0]
        return middle, axis, 0.16
    across, down, usual = trunk[at] if isinstance(at, str) else (*at, 0.35)
    # A dress's chest lies as high as a shirt's, however long the dress.
    upper = isinstance(at, str) and at != "hem"
    length = min(cloth.flow.length, 1.3 * cloth.flow.width) if upper else cloth.flow.length
    return _on_trunk(cloth, across=across * cloth.flow.width, down=down * length), _axis(cloth), usual


def _axis(cloth: Cloth) -> AnyArray:
    """Direction (2,) of the trunk's threads: the gradient of v there."""
    on = (cloth.flow.part == 0) & (cloth.alpha > 127)
    down = cloth.flow.uv[..., 1]
    gx, gy = (np.asarray(np.gradient(down, axis=axis)) for axis in (1, 0))
    return np.array([float(np.median(gx[on])), float(np.median(gy[on]))]) if on.any() else np.array([0.0, 1.0])


def _on_trunk(cloth: Cloth, *, across: float, down: float) -> AnyArray:
    """The pixel (2,) of the trunk whose cloth coordinates are nearest to these (px)."""
    gap = np.hypot(cloth.flow.uv[..., 0] - across, cloth.flow.uv[..., 1] - down)
    gap = np.where(cloth.flow.part == 0, gap, np.inf)
    y, x = np.unravel_index(int(gap.argmin()), gap.shape)
    return np.array([float(x), float(y)])


def _doubts(cloth: Cloth) -> tuple[str, ...]:
    """What the user should look at twice."""
    if cloth.parts.busy > 0.6:
        return ("the garment's own print is fine and busy: some of it may show as shading",)
    return ()
