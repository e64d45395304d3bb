"""What to mind before a product goes on: how its colour will come out on this skin, and safety.

How a colour comes out is computed, not looked up by skin tone: the film of the layer's coverage over the sitter's own
skin (Kubelka and Munk, `optics`), compared with the bare skin.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mojing.core.arrays import F64, U8, AnyArray
from mojing.core.color import delta_e_2000, linear_to_srgb, rgb_to_lab
from mojing.core.geometry import Box
from mojing.makeup.look import Layer
from mojing.makeup.optics import film, thickness_for
from mojing.makeup.skin import split
from mojing.perception.faceview import FACE_PARTS, FaceView

_CHEEKS: Final = (50, 205, 117, 280, 425, 346)
FAINT: Final = 3.0
"""ΔE00 to the bare skin below which a colour is hardly seen beside it."""
CHALKY: Final = 18.0
"""A film lighter than the skin by this much (L) and by 40 %, and greyer (chroma for its L), is chalk to the eye."""
STRONG: Final = 28.0
"""A film this much darker than the skin (L) shows every stroke."""
BASE: Final = 4.5
"""A foundation this much lighter or darker than the cheeks (L) shows at the jaw."""

COLOURED: Final = 0.7
"""Light whose channels differ by more than this logarithm is coloured: that of a candle, or of a neon sign."""

_SHOWS = frozenset({"blush", "bronzer", "eyeshadow", "lip", "lip_liner", "highlighter", "contour", "foundation"})
_GLEAMS = frozenset({"gloss", "metallic", "shimmer", "holographic"})
_EYES = frozenset({"eyeshadow", "eyeliner", "lashes"})


_EYE_POINTS: Final = (159, 386, 145, 374)
_LIP_POINTS: Final = (0, 17, 61, 291)
_PLACES: Final[dict[str, tuple[tuple[str, ...], tuple[int, ...]]]] = {
    **dict.fromkeys(_EYES, (("glasses", "hair", "cover"), _EYE_POINTS)),
    "brows": (("hair", "cover"), (105, 334, 52, 282)),
    "lip": (("cover",), _LIP_POINTS),
    "lip_liner": (("cover",), _LIP_POINTS),
}
"""What may lie over the place of a kind, and the mesh points that stand for the place."""


def skin_colour(rgb: U8, face: FaceView) -> F64 | None:
    """Albedo (3,) of the cheeks in linear light, from a photo (H, W, 3); None where no bare cheek shows."""
    rows, cols = face.box.slices(rgb.shape[:2])
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    if min(box.width, box.height) < 16:
        return None
    seen = split(rgb, face, box=box)
    reach = max(face.inter_ocular * 0.12, 2.0)
    y, x = np.mgrid[rows.start : rows.stop, cols.start : cols.stop]
    near = np.zeros(y.shape, bool)
    for index in _CHEEKS:
        near |= np.hypot(x - face.mesh[index, 0], y - face.mesh[index, 1]) < reach
    near &= face.part("skin", box=box) > 0.6
    return np.median(seen.albedo[:, near], axis=1).astype(np.float64) if near.sum() >= 12 else None


def uncertain_light(light: AnyArray | None) -> bool:
    """Whether the light (3,) on the face has so strong a colour that shades cannot be judged in the photo."""
    if light is None:
        return False
    red, green, blue = np.maximum(np.asarray(light, np.float64), 1e-4)
    return bool(max(abs(np.log(red / green)), abs(np.log(green / blue))) > COLOURED)


def cautions(layer: Layer, *, skin: AnyArray | None, face: FaceView) -> tuple[str, ...]:
    """Names of the warnings of data/tutorial.json that this layer calls for.

    `skin` (3,) is the albedo of the wearer's skin in linear light, or None where it is not known.
    """
    found = [*_colour(layer, skin), *_care(layer)] if skin is not None else [*_care(layer)]
    if layer.residual is not None and not layer.shades and layer.kind != "remove":
        found.append("reference")
    if hidden(layer, face):
        found.append("covered")
    return tuple(found)


def _colour(layer: Layer, skin: AnyArray) -> list[str]:
    if layer.kind not in _SHOWS or not layer.shades:
        return []
    cover = layer.coverage * layer.amount
    colours = np.stack([shade.colour for shade in layer.shades]).astype(np.float64)
    thick = thickness_for(colours, np.full(len(colours), cover), sheer=layer.finish == "sheer")
    made = film(np.broadcast_to(skin, colours.shape), colours, thickness=thick)
    lab, bare = (rgb_to_lab(linear_to_srgb(c)) for c in (made, np.asarray(skin)))
    rise = lab[:, 0] - bare[0]
    if layer.kind == "foundation":
        return ["base-light"] if rise[0] > BASE else ["base-dark"] if rise[0] < -BASE else []
    if layer.kind == "contour":
        return ["no-shade"] if rise[0] > -1.0 else []
    gleams = layer.finish in _GLEAMS
    if layer.kind == "highlighter":
        return ["no-light"] if rise[0] < 0.5 and not gleams else []
    vivid = [np.hypot(c[..., 1], c[..., 2]) / np.maximum(c[..., 0], 1.0) for c in (lab, bare)]
    chalky = (rise > np.maximum(CHALKY, 0.4 * bare[0])) & (vivid[0] < 0.72 * vivid[1])
    if chalky.any() and not gleams:
        return ["ashy"]
    if float(delta_e_2000(lab, bare).max()) < FAINT and not gleams:
        return ["faint"]
    return ["strong"] if layer.kind in ("blush", "bronzer") and rise.min() < -STRONG else []


def _care(layer: Layer) -> list[str]:
    if layer.kind == "hair":
        return ["hair-dye"]
    if layer.kind == "lens":
        return ["lens-care"]
    found = []
    if layer.kind == "eyeliner" and layer.pattern in ("lower", "thin", "smudged"):
        found.append("waterline")
    if layer.kind in _EYES and layer.finish in ("shimmer", "holographic"):
        found.append("glue")
    return found


def hidden(layer: Layer, face: FaceView) -> bool:
    """Whether hair, glasses or a hand lie over most of the points that stand for where this kind goes."""
    parts, points = _PLACES.get(layer.kind, ((), ()))
    if not parts:
        return False
    seen = face.seen_parts[[FACE_PARTS.index(name) for name in parts]].sum(axis=0)
    at = np.rint(face.to_parts.apply(face.mesh[list(points), :2])).astype(int).clip(0, seen.shape[0] - 1)
    return bool((seen[at[:, 1], at[:, 0]] > 0.5).mean() >= 0.5)
