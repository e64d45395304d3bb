"""Make-up on a photo: layers painted one over the other in linear light, over the skin's own shading.

The face is taken apart once (`skin.split`). Product changes its albedo as a film of Kubelka and Munk (`optics`), its
finish changes what shines (`finish`), and the shading of pores, wrinkles and lips stays. What no layer lies on is the
photo, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.color import srgb_to_linear
from mojing.core.geometry import Box
from mojing.makeup import finish, smooth
from mojing.makeup.canvas import Canvas
from mojing.makeup.hair import dye, place_hair
from mojing.makeup.iris import lay_lens
from mojing.makeup.look import Layer, Look
from mojing.makeup.overlay import as_layer
from mojing.makeup.pans import Patch, gathered, patches, union
from mojing.makeup.placed import Placed, whole
from mojing.makeup.regions import place
from mojing.makeup.residual import lay
from mojing.makeup.skin import Skin, split
from mojing.perception.faceview import FaceView

DENSE = frozenset({"eyeliner", "lashes", "brows"})
"""Kinds whose products hide at once: what coverage leaves open is squared."""


@dataclass(frozen=True, eq=False)
class Painted:
    """One layer as it was painted: RGBA (h, w, 4) uint8 in sRGB, straight alpha, for the whole pixels of `box`."""

    layer: Layer
    box: Box
    rgba: U8

    def __post_init__(self) -> None:
        object.__setattr__(self, "rgba", readonly(self.rgba))


@dataclass(frozen=True, eq=False)
class Made:
    """A painted photo.

    Attributes:
        image: (H, W, 3) uint8. Equal to the photo wherever `mask` is 0.
        layers: in painting order; laid one over the other on the photo in sRGB they give `image` to one step of 255.
        mask: (H, W) uint8, 255 where a layer lies.
        light: (3,) the light that was used, linear, and tone: (3,) the albedo of the skin in it; None where no face
            was painted. light_spread: standard deviation of the log of the light's brightness.
    """

    image: U8
    layers: tuple[Painted, ...] = field(repr=False)
    mask: U8 = field(repr=False)
    light: F32 | None = None
    tone: F32 | None = None
    light_spread: float = 0.0

    def __post_init__(self) -> None:
        for name in ("image", "mask"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


def render(
    rgb: U8,
    face: FaceView,
    *,
    look: Look,
    hair: F32 | None = None,
    light: AnyArray | None = None,
    tone: AnyArray | None = None,
    layers: bool = True,
    still: bool = True,
) -> Made:
    """Paint a look on a face.

    Args:
        rgb: (H, W, 3) photo.
        face: what is known of its face.
        look: layers, painted first to last.
        hair: (H, W) float32 alpha of the hair; without it hair keeps its colour.
        light: (3,) linear light that a fully lit white surface throws back, if known; otherwise it is estimated.
        tone: (3,) albedo of the skin as `Made.tone` told it for the frame before, in a video; None in a photo.
        layers: whether the layers are wanted as pictures; without them a frame takes less time.
        still: False for a frame of a video, in which streaks of hair keep their place instead of following its strands.
    """
    painter = _Painter(rgb, face, hair=hair, known=(light, tone), keep=layers)
    painter.still = still
    return painter.paint(look)


class _Painter:
    """One photo while it is painted."""

    def __init__(
        self,
        rgb: U8,
        face: FaceView,
        *,
        hair: F32 | None,
        known: tuple[AnyArray | None, AnyArray | None],
        keep: bool,
    ) -> None:
        self.rgb, self.face, self.hair, self.keep = rgb, face, hair, keep
        self.light, self.tone = known
        self.still = True
        self.image = rgb.copy()
        self.mask = np.zeros(rgb.shape[:2], np.uint8)
        self.painted: list[Painted] = []
        self.canvas: Canvas | None = None
        self.skin: Skin | None = None

    def paint(self, look: Look) -> Made:
        """All layers, in order."""
        for layer in look.layers if self._crop().area > 0 else ():
            if layer.amount <= 0.0:
                continue
            if layer.kind == "remove":
                self._settle()
                self._remove(layer)
            elif layer.kind == "hair":
                self._settle()
                self._hair(layer)
            else:
                self._lay(layer)
        self._settle()
        skin = self.skin
        return Made(
            self.image,
            tuple(self.painted),
            self.mask,
            skin.light if skin else None,
            skin.tone if skin else None,
            skin.spread if skin else 0.0,
        )

    def _face(self) -> Canvas:
        """The face taken apart, when first needed: what was removed before is not skin any more."""
        if self.canvas is None:
            self.skin = split(self.image, self.face, box=self._crop(), light=self.light, tone=self.tone)
            self.canvas = Canvas(self.skin)
        return self.canvas

    def _crop(self) -> Box:
        """The face in whole pixels; of no area where it lies outside the photo."""
        return whole(self.face.box.pad(0.06), self.face.hw)

    def _lay(self, layer: Layer) -> None:
        found = place(layer, self.face) if layer.shades or layer.kind == "smooth" else ()
        for group in gathered(patches(found, layer.shades)):
            self._group(layer, group)
        if layer.residual is not None:
            laid = lay(layer, self.face)
            if laid.box.area > 0:
                self._group(layer, (Patch(Placed(laid.box, laid.mask), srgb_to_linear(laid.colour)),))

    def _group(self, layer: Layer, group: tuple[Patch, ...]) -> None:
        """Patches that lie together: the film of each, then what their surface mirrors, once."""
        canvas = self._face()
        inside = [patch for patch in (_inside(p, canvas.skin.box) for p in group) if patch.placed.mask.any()]
        done = [patch for patch in (self._film(layer, p) for p in inside) if patch.placed.mask.any()]
        if not done:
            return
        laid = done[0] if len(done) == 1 else union(done)
        window = canvas.window(laid.placed.box)
        canvas.touched[window] |= laid.placed.mask > 0
        if layer.kind not in ("smooth", "lens"):
            finish.apply(canvas, layer, laid.placed, product=laid.product, face=self.face, window=window)
        if self.keep:
            self._keep(layer, laid.placed, opacity=_coverage(layer, laid.placed.mask))

    def _film(self, layer: Layer, patch: Patch) -> Patch:
        canvas, placed, product = self._face(), patch.placed, patch.product
        window = canvas.window(placed.box)
        if layer.kind == "concealer" and placed.area == "spots":
            placed = replace(placed, mask=placed.mask * smooth.spots(canvas, window, unit=self.face.inter_ocular))
        coverage = _coverage(layer, placed.mask)
        sheer = layer.finish == "sheer"
        if layer.kind == "smooth":
            smooth.even(canvas, coverage, window=window, unit=self.face.inter_ocular)
        elif layer.kind == "lens":
            lay_lens(canvas, product, coverage, window=window)
        elif product.ndim == 1:
            canvas.film(product, coverage, window=window, sheer=sheer)
        else:
            canvas.film_of(product, coverage, window=window, sheer=sheer)
        return Patch(placed, product)

    def _keep(self, layer: Layer, placed: Placed, *, opacity: F32) -> None:
        """Write a layer's part of the picture now, and what it changed as RGBA."""
        assert self.canvas is not None
        at = self._at(placed.box)
        before = self.image[at].copy()
        on = (placed.mask > 0).astype(np.uint8)
        after = cv2.copyTo(self.canvas.encode(self.canvas.window(placed.box)), on, before.copy())
        self.image[at] = after
        self.mask[at] |= on * np.uint8(255)
        self.painted.append(Painted(layer, placed.box, as_layer(before, after, opacity=opacity)))

    def _settle(self) -> None:
        """Write everything painted on the face so far into the picture, if that was not done layer by layer."""
        if self.canvas is None or self.keep:
            return
        at, touched = self._at(self.canvas.skin.box), self.canvas.touched
        on = touched.astype(np.uint8)
        x, y, w, h = cv2.boundingRect(on)
        part = (slice(y, y + h), slice(x, x + w))
        self.image[at][part] = cv2.copyTo(self.canvas.encode(part), on[part], self.image[at][part].copy())
        self.mask[at][part] |= on[part] * np.uint8(255)

    def _at(self, box: Box) -> tuple[slice, slice]:
        return box.slices(self.face.hw)

    def _remove(self, layer: Layer) -> None:
        found = lay(layer, self.face, rgb=self.image)
        if found.box.area == 0:
            return
        at = self._at(found.box)
        before = self.image[at].copy()
        alpha = found.mask * np.float32(layer.amount)
        mixed = before + alpha[..., None] * (found.colour * np.float32(255.0) - before)
        after = np.where((alpha > 0)[..., None], np.clip(np.rint(mixed), 0, 255), before).astype(np.uint8)
        self._write(layer, found.box, after=after, opacity=alpha)

    def _hair(self, layer: Layer) -> None:
        if self.hair is None:
            return
        light = self._face().skin.light
        for placed in place_hair(layer, self.face, hair=self.hair, rgb=self.rgb if self.still else None):
            at = self._at(placed.box)
            coverage = placed.mask * np.float32(layer.amount * layer.coverage)
            after = dye(self.image[at], layer.shades[placed.shade].colour, amount=coverage, light=light)
            self._write(layer, placed.box, after=after, opacity=coverage)

    def _write(self, layer: Layer, box: Box, *, after: U8, opacity: F32) -> None:
        at = self._at(box)
        before = self.image[at].copy()
        self.image[at] = after
        self.mask[at] |= np.where(opacity > 0, np.uint8(255), np.uint8(0))
        self.canvas = None
        if self.keep:
            self.painted.append(Painted(layer, box, as_layer(before, after, opacity=opacity)))


def _coverage(layer: Layer, mask: F32) -> F32:
    """How much of the skin is hidden (h, w) where the product lies `mask` thick."""
    full = layer.coverage
    if layer.kind in DENSE:
        full = 1.0 - (1.0 - full) ** 2
    return np.asarray(mask * np.float32(full * layer.amount), np.float32)


def _inside(patch: Patch, box: Box) -> Patch:
    """The part of a patch that lies in `box`."""
    placed = patch.placed
    x0, y0 = max(placed.box.x0, box.x0), max(placed.box.y0, box.y0)
    x1, y1 = min(placed.box.x1, box.x1), min(placed.box.y1, box.y1)
    if (x0, y0, x1, y1) == (placed.box.x0, placed.box.y0, placed.box.x1, placed.box.y1):
        return patch
    if x1 <= x0 or y1 <= y0:
        return Patch(Placed(Box(x0, y0, x0, y0), np.zeros((0, 0), np.float32), placed.shade), patch.product)
    part = (
        slice(round(y0 - placed.box.y0), round(y1 - placed.box.y0)),
        slice(round(x0 - placed.box.x0), round(x1 - placed.box.x0)),
    )
    detail = None if placed.detail is None else placed.detail[part]
    product = patch.product if patch.product.ndim == 1 else patch.product[part]
    return Patch(Placed(Box(x0, y0, x1, y1), placed.mask[part], placed.shade, detail, placed.area), product)
