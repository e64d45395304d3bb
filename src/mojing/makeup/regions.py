"""Where each layer of a look lies on a face."""

from __future__ import annotations

from collections.abc import Callable

from mojing.makeup import brows, complexion, lashes, lens, liner, lips, shadow, tresses
from mojing.makeup.geometry import Geometry, geometry
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed, trimmed
from mojing.perception.faceview import FaceView

__all__ = ["Placed", "place"]

_PLACERS: dict[str, Callable[[Layer, Geometry], list[Placed]]] = {
    "smooth": complexion.place,
    "foundation": complexion.place,
    "concealer": complexion.place,
    "contour": complexion.place,
    "bronzer": complexion.place,
    "blush": complexion.place,
    "highlighter": complexion.place,
    "eyeshadow": shadow.place,
    "brows": brows.place,
    "eyeliner": liner.place,
    "lashes": lashes.place,
    "lens": lens.place,
    "hair": tresses.place,
    "lip": lips.place_lip,
    "lip_liner": lips.place_liner,
}


def place(layer: Layer, face: FaceView) -> tuple[Placed, ...]:
    """The pixels of a photo that a layer covers, one entry a shade and place, in the order in which they are painted.

    Masks leave out what cannot be painted: the eyeballs and the mouth, and hair, glasses or a hand in front of the
    face. Edges are exact to a fraction of a pixel, boxes are as small as can be, and nothing lies outside the photo.
    A layer that is only a residual (`residual.lay`) has none.
    """
    if not layer.shades and layer.kind != "smooth":
        return ()
    found = (trimmed(p) for p in _PLACERS[layer.kind](layer, geometry(face)))
    return tuple(p for p in found if p is not None)
