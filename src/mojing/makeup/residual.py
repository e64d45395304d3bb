"""Layers that are pictures: RGBA in the face's flat layout, for what shades and patterns cannot say.

What a picture means depends on the layer's kind. For `remove` it is the bare face that is meant to show: encoded
colours laid over the photo, as opaque as alpha. For every product it is a map of product: its colour as an opaque
swatch, and in alpha how thickly it lies, to be painted like any other shade over the skin's own shading.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mojing.core.arrays import F32, U8, readonly
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.core.image import load
from mojing.makeup.look import Layer
from mojing.makeup.uv import unwrap, wrap
from mojing.perception.faceview import FaceView

_SIDES = (32, 2048)
_FINEST = 0.06
"""Pores and noise differ from their surroundings by less than this; a line that does so by more is make-up."""
_HINT = "a residual is a square RGBA PNG in the face's flat layout, see docs/look.md"


@dataclass(frozen=True, eq=False)
class Laid:
    """A residual on a face: `box` of whole pixels in the photo, `colour` (h, w, 3) encoded sRGB 0..1 and `mask`
    (h, w) 0..1, how opaque or thick it is there (the layer's amount is not in it)."""

    box: Box
    colour: F32
    mask: F32


def lay(layer: Layer, face: FaceView, *, rgb: U8 | None = None) -> Laid:
    """The layer's residual where it lies on a face: nothing in eyes and mouth, on hair, glasses or a cover.

    Given the photo `rgb` (H, W, 3) too, its grain that is finer than the residual's texels is added to the colours, so
    that pores stay where skin is laid over skin.

    Raises:
        InputError: not_found, bad_look.
    """
    rows, cols = face.box.pad(0.02).slices(face.hw)
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    if box.area == 0:
        return Laid(box, np.zeros((0, 0, 3), np.float32), np.zeros((0, 0), np.float32))
    values, cover = wrap(_premultiplied(layer), face.mesh, box=box)
    alpha = values[..., 3]
    colour = values[..., :3] / np.maximum(alpha, np.float32(1e-4))[..., None]
    if rgb is not None:
        colour = colour + _grain(rgb, face, box=box, size=picture(layer).shape[0])
    # Brows and a beard are skin with hair on it: they are painted. Small steps of the coarse parts are smoothed away.
    blocked = face.part("hair", "glasses", "mouth", "cover", box=box, through=True)
    mask = alpha * cover * np.clip((1.0 - blocked) * 2.0 - 0.5, 0.0, 1.0)
    for word, sign in (("left", 1.0), ("right", -1.0)):
        if not layer.has(word):
            mask = mask * _half(face, box, sign=-sign)
    return Laid(box, np.clip(colour, 0.0, 1.0).astype(np.float32), np.clip(mask, 0.0, 1.0).astype(np.float32))


def _grain(rgb: U8, face: FaceView, *, box: Box, size: int) -> F32:
    """What of a photo's crop, encoded in 0..1, is lost on the way into the flat layout and back, at most `_FINEST`."""
    coarse, _ = wrap(unwrap(rgb, face.mesh, size=size)[0], face.mesh, box=box)
    own = rgb[box.slices(face.hw)].astype(np.float32) / np.float32(255.0)
    return np.asarray(np.clip(own - coarse, -_FINEST, _FINEST), np.float32)


def _half(face: FaceView, box: Box, *, sign: float) -> F32:
    """1 on the wearer's left (`sign` 1) or right (-1) half of the face."""
    u = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), (64, 64))
    side = wrap(np.ascontiguousarray(u), face.mesh, box=box)[0]
    return np.asarray((side - 0.5) * sign > 0, np.float32)


def picture(layer: Layer) -> U8:
    """The residual itself, uint8 (s, s, 4) RGBA.

    Raises:
        InputError: not_found, bad_look.
    """
    if isinstance(layer.residual, Path):
        path = layer.residual
        try:
            state = path.stat()
        except (OSError, ValueError) as exc:
            raise InputError("not_found", f"there is no file {path}", hint="check the path") from exc
        return _read(path, state.st_mtime_ns, state.st_size)
    if layer.residual is None:
        raise InputError("bad_look", f"a {layer.kind} layer without shades needs a residual", _HINT)
    return _square(layer.residual, "the residual")


def _premultiplied(layer: Layer) -> F32:
    """Colours times alpha, and alpha, so that clear texels do not colour their neighbours."""
    rgba = picture(layer).astype(np.float32) / np.float32(255.0)
    rgba[..., :3] *= rgba[..., 3:]
    return rgba


@lru_cache(maxsize=16)
def _read(path: Path, changed_ns: int, size: int) -> U8:
    """The picture of a file; one that was changed since is read again."""
    photo = load(path, min_side=1)
    alpha = np.full(photo.hw, 255, np.uint8) if photo.alpha is None else photo.alpha
    return readonly(_square(np.dstack([photo.rgb, alpha]), path.name))


def _square(rgba: U8, name: str) -> U8:
    h, w = rgba.shape[:2]
    if h != w or not _SIDES[0] <= h <= _SIDES[1]:
        raise InputError("bad_look", f"{name} is {w}x{h}; a square of {_SIDES[0]} to {_SIDES[1]} px is needed", _HINT)
    return rgba
