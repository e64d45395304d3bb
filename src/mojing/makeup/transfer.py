"""What a face wears, read off a photo: layers of products to be put on somebody else, and the bare face under them.

The face is unwrapped into the mesh's flat layout, so pose and place do not matter. A network names kinds, colours,
coverage, finish and pattern; beside that it draws the product as a map, of which only what the layers leave unsaid
is kept, as their residuals. Nothing is repainted: what comes out is a look like any other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.color import rgb_to_lab, srgb_to_linear, to_uint8
from mojing.core.errors import ModelError
from mojing.core.geometry import Box
from mojing.makeup.histogram import REGIONS, regions
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.reading import READ, WIDTH, decode
from mojing.makeup.render import render
from mojing.makeup.skin import split
from mojing.makeup.uv import SIZE, unwrap
from mojing.perception.facefaults import GLASSES, covering
from mojing.perception.faceview import FaceView
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

SKIN_TONED: Final = {"foundation": 1.0, "concealer": 1.15, "contour": 0.55, "bronzer": 0.7}
"""Products chosen by the wearer's skin, and how light they are beside it in linear light."""

LEAST_SURE: Final = 0.5
"""Chance from which a kind may be said to be there at all: to invent make-up is worse than to miss some."""

FRAMED: Final = frozenset({"eyeshadow", "brows", "eyeliner", "lashes"})
"""Kinds for which glasses are mistaken."""

_HOLDERS: Final = {"skin": "blush", "eyes": "eyeshadow", "lips": "lip"}
"""Region of the flat layout -> the kind whose layer takes what is left over there."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What the network answers for one face.

    Attributes:
        texture, valid: the face unwrapped, float32 (256, 256, 3) in 0..1 and (256, 256) 0 or 1.
        rows: (kinds, WIDTH) as `reading.decode` takes them.
        bare: RGBA (256, 256, 4) float32 in 0..1, to be laid over the photo.
        product: RGBA (256, 256, 4) float32 in 0..1, the product's colour and coverage.
    """

    texture: F32
    valid: F32
    rows: F32
    bare: F32
    product: F32

    def __post_init__(self) -> None:
        for name in ("texture", "valid", "rows", "bare", "product"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


class Transfer:
    """The make-up network on the CPU."""

    def __init__(self, store: ModelStore, *, threads: int = 2) -> None:
        spec = store.spec("makeup")
        self.session = Session(spec, threads=threads)
        self.thresholds = tuple(max(float(t), LEAST_SURE) for t in spec.extra.get("thresholds", ()))
        if len(self.thresholds) != len(READ):
            raise ModelError("model_mismatch", f"{spec.path.name} reads other kinds than this version of mojing")

    def see(self, rgb: U8, face: FaceView) -> Reading:
        """The network's raw answer for a face of a photo (H, W, 3)."""
        texture, valid = unwrap(rgb, face.mesh)
        fed = np.concatenate([texture, valid[..., None]], axis=2).transpose(2, 0, 1)[None]
        out = self.session.run({"face": fed})
        rows = np.asarray(out["rows"][0], np.float32)
        assert rows.shape == (len(READ), WIDTH)
        pictures = [np.asarray(out[name][0], np.float32).transpose(1, 2, 0) for name in ("bare", "product")]
        return Reading(texture, valid, rows, *pictures)

    def read(self, rgb: U8, face: FaceView, *, name: str = "", refine: int = 1, residual: bool = True) -> Look:
        """The look that a face of a photo (H, W, 3) wears.

        The colours that the network names are corrected `refine` times: the look is painted on the estimated bare
        face, and what differs from the photo is put into the shades. `residual` keeps what no layer can say.
        """
        seen = self.see(rgb, face)
        look = decode(seen.rows, thresholds=self.sure_enough(face), name=name)
        if not look.layers and not residual:
            return look
        bare = render(rgb, face, look=_removal(seen), layers=False).image
        for _ in range(refine):
            look = closer(look, bare, face, photo=rgb)
        return _with_rest(look, seen, bare, face=face) if residual else look

    def sure_enough(self, face: FaceView) -> tuple[float, ...]:
        """Chances (len(READ),) from which a kind is believed.

        Frames of glasses and their shadows pass for make-up of the eyes, which must be twice as sure on who wears some.
        """
        if covering(face)["eyes"] <= GLASSES:
            return self.thresholds
        return tuple(0.5 + 0.5 * t if k in FRAMED else t for k, t in zip(READ, self.thresholds, strict=True))

    def bare(self, rgb: U8, face: FaceView) -> Look:
        """The bare face under the make-up, as a look of one layer for this very photo."""
        return _removal(self.see(rgb, face))

    def fit(self, look: Look, rgb: U8, face: FaceView) -> Look:
        """The look with skin-toned products in shades for the wearer of a photo: products travel, skin does not."""
        return fitted(look, rgb, face)


def fitted(look: Look, rgb: U8, face: FaceView, *, chosen: Collection[str] = ()) -> Look:
    """The look with skin-toned products (`SKIN_TONED`) in shades for the face of a photo (H, W, 3).

    The kinds in `chosen` stay as they are.
    """
    if not any(layer.kind in SKIN_TONED and layer.kind not in chosen for layer in look.layers):
        return look
    skin = skin_colour(rgb, face)
    return replace(look, layers=tuple(la if la.kind in chosen else _fitted(la, skin) for la in look.layers))


def skin_colour(rgb: U8, face: FaceView) -> F64:
    """Albedo (3,) in linear light of the face's bare skin, the median over cheeks, nose and forehead."""
    rows, cols = face.box.pad(0.06).slices(face.hw)
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    albedo = np.ascontiguousarray(np.moveaxis(split(rgb, face, box=box).albedo, 0, 2))
    moved = np.asarray(face.mesh - np.array([box.x0, box.y0, 0.0]), np.float32)
    texture, valid = unwrap(albedo, moved, size=64)
    on = (regions(64)[0] > 0.9) & (valid > 0)
    if not on.any():
        return np.full(3, 0.4)
    return np.asarray(np.median(texture[on].astype(np.float64), axis=0))


def _fitted(layer: Layer, skin: F64) -> Layer:
    lightness = SKIN_TONED.get(layer.kind)
    if lightness is None or not layer.shades:
        return layer
    colour = np.clip(skin * lightness, 0.0, 1.0).astype(np.float32)
    return replace(layer, shades=tuple(Shade("", colour) for _ in layer.shades), product=None)


def _removal(seen: Reading) -> Look:
    return Look("bare", (Layer("remove", residual=to_uint8(seen.bare)),))


def closer(look: Look, bare: U8, face: FaceView, *, photo: U8) -> Look:
    """The look with every shade moved towards what the photo shows where its layer is what one sees.

    What is on top counts: a layer's weight at a pixel is its opacity times what later layers let through. A shade
    moves by the mean difference in linear light, divided by how opaque the layer is there, and half of the way.
    """
    made = render(bare, face, look=look)
    gap = srgb_to_linear(photo) - srgb_to_linear(made.image)
    through = np.ones(photo.shape[:2], np.float32)
    moves: dict[int, F64] = {}
    for part in reversed(made.layers):
        rows, cols = part.box.slices(face.hw)
        opacity = part.rgba[..., 3].astype(np.float32) / np.float32(255.0)
        weight = opacity * through[rows, cols]
        through[rows, cols] *= 1.0 - opacity
        total = float((weight * opacity).sum())
        if part.layer.kind in _MOVABLE and total > 20.0:
            move = (gap[rows, cols] * weight[..., None]).sum(axis=(0, 1)) / total
            white = made.light if made.light is not None else np.ones(3)
            moves[id(part.layer)] = np.asarray(move / np.maximum(white, 0.1), np.float64)
    layers = [_moved(layer, moves.get(id(layer))) for layer in look.layers]
    return replace(look, layers=tuple(layers))


_MOVABLE: Final = frozenset({"blush", "eyeshadow", "lip", "lip_liner", "bronzer", "contour", "lens"})
"""Kinds whose colour is corrected by painting; thin lines and what is nearly skin are left to the network."""


def _moved(layer: Layer, move: F64 | None) -> Layer:
    if move is None:
        return layer
    step = np.clip(0.5 * move, -0.15, 0.15).astype(np.float32)
    return replace(layer, shades=tuple(Shade(s.name, np.clip(s.colour + step, 0.0, 1.0)) for s in layer.shades))


def _with_rest(look: Look, seen: Reading, bare: U8, *, face: FaceView) -> Look:
    """The look with the network's map of product, where it is thick and the painted layers leave the photo unlike."""
    made = render(bare, face, look=look, layers=False).image
    painted, _ = unwrap(made, face.mesh)
    gap = np.sqrt(np.square(_smooth_lab(painted) - _smooth_lab(seen.texture)).sum(axis=2))
    unlike = np.clip((gap - 10.0) / 12.0, 0.0, 1.0).astype(np.float32)
    thick = np.clip((seen.product[..., 3] - 0.25) / 0.25, 0.0, 1.0)
    rest = seen.product.copy()
    rest[..., 3] = cv2.GaussianBlur(rest[..., 3] * unlike * thick * seen.valid, (0, 0), 1.5)
    layers = list(look.layers)
    for region, kind in _HOLDERS.items():
        alpha = rest[..., 3] * _territory(region)
        if float((alpha > 0.1).mean()) <= _LEAST_REST:
            continue
        at = [i for i, layer in enumerate(layers) if layer.kind == kind]
        if at:
            picture = to_uint8(np.dstack([rest[..., :3], alpha / max(layers[at[-1]].coverage, 0.2)]))
            layers[at[-1]] = replace(layers[at[-1]], residual=picture)
        else:
            layers.append(Layer(kind, coverage=1.0, residual=to_uint8(np.dstack([rest[..., :3], alpha]))))
    return replace(look, layers=tuple(layers))


_LEAST_REST: Final = 0.002
"""Share of the flat layout that must be left over for a residual to be worth its while."""


@cache
def _territory(region: str) -> F32:
    return np.asarray(regions(SIZE)[REGIONS.index(region)], np.float32)


def _smooth_lab(texture: AnyArray) -> F64:
    small = cv2.GaussianBlur(np.asarray(texture, np.float32), (0, 0), 2.0)
    return rgb_to_lab(np.clip(small, 0.0, 1.0))
