"""Soft products of the whole face: foundation, concealer, smoothing, blush, bronzer, contour, highlighter.

They are painted once on the flat face (the layout of `facemesh.uv`, scaled so that the irises are one apart and the
middle between them is the origin) and looked up through a smooth map from the photo.
"""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32
from mojing.makeup.charts import painted
from mojing.makeup.curves import soften
from mojing.makeup.geometry import FACE_SHEET, Geometry, flat_face
from mojing.makeup.kinds import AREAS
from mojing.makeup.look import Layer
from mojing.makeup.paint import Point, area, laid, oval, ramp, stroke
from mojing.makeup.placed import Placed
from mojing.perception.facemesh import OVAL

_HIDES = ("other", "hair", "glasses", "cover", "mouth")


def place(layer: Layer, g: Geometry) -> list[Placed]:
    """One soft mask of the layer on the face; both shades of a draped blush; the spots of a concealer apart."""
    sides = tuple(side for side in ("left", "right") if layer.has(side))
    areas = tuple(word for word in AREAS[layer.kind] if layer.has(word))
    shades = range(max(len(layer.shades), 1))
    out = []
    for shade in shades:
        texture = painted(
            _texture, layer.kind, layer.pattern, areas, sides, layer.size, layer.softness, shade, len(shades)
        )
        out += _on(texture, layer.kind, g, shade=shade, name="")
    if layer.kind == "concealer" and "spots" in areas:
        texture = painted(_texture, "smooth", "full", (), sides, 1.0, layer.softness, 0, 1)
        out += _on(texture, "smooth", g, shade=0, name="spots")
    return out


def _on(texture: F32, kind: str, g: Geometry, *, shade: int, name: str) -> list[Placed]:
    mask = FACE_SHEET.read(texture, g.maps)
    window = g.grid.window(mask)
    if window is None:
        return []
    grid, part = window
    brows = kind in ("foundation", "smooth", "concealer")
    mask = mask[part] * g.free(grid, hides=_HIDES, fade=_FADES[kind], brows=brows)
    return [Placed(grid.box, g.spared(grid.full(mask), grid.box), shade, area=name)]


def _texture(
    kind: str,
    pattern: str,
    areas: tuple[str, ...],
    sides: tuple[str, ...],
    size: float,
    softness: float,
    shade: int,
    shades: int,
) -> F32:
    """What a layer looks like on the flat face: float32 (h, w) of `FACE_SHEET` in 0..1."""
    painter = _PAINTERS[kind]
    sigma = 0.10 * softness * _SOFT.get(kind, 1.0) * FACE_SHEET.density
    touches = [np.zeros(FACE_SHEET.hw, np.float32)]
    for name in areas or (pattern,):
        touch = soften(painter(name, size), sigma)
        # However soft, its middle is as thick as the product is laid on there.
        touches.append(touch * np.float32(_THICK.get((kind, name), 1.0) / max(float(touch.max()), 1e-6)))
    texture = laid(*touches)
    x, y = FACE_SHEET.centres()
    if kind == "blush" and shades == 2:  # draped: the first shade on the cheek, the second towards the temple
        high = ramp(y - 0.35 * np.abs(x), 0.22, -0.22)
        texture = texture * (high if shade else 1.0 - high)
    if len(sides) == 1:
        texture = texture * (ramp(x, -0.06, 0.06) if sides[0] == "left" else ramp(x, 0.06, -0.06))
    return np.asarray(np.clip(texture, 0.0, 1.0), np.float32)


_SOFT = {"highlighter": 0.5, "contour": 0.7, "concealer": 0.5}
"""How much `softness` softens a kind, where it is not as usual."""

_THICK = {
    ("contour", "nose"): 0.65,
    ("contour", "forehead"): 0.85,
    ("bronzer", "nose"): 0.45,
    ("bronzer", "jaw"): 0.8,
    ("highlighter", "nose"): 0.8,
    ("highlighter", "cupids-bow"): 0.6,
    ("highlighter", "inner-corner"): 0.8,
    ("highlighter", "brow-bone"): 0.6,
}
"""How thickly an area is laid on in its middle, where it is less than elsewhere."""

_FADES = {
    "smooth": 0.03,
    "foundation": 0.10,
    "concealer": 0.02,
    "contour": 0.10,
    "bronzer": 0.10,
    "blush": 0.05,
    "highlighter": 0.02,
}
"""Over how many inter-ocular distances a kind runs out towards hair, glasses or a hand."""


def _both(centre: Point, radii: Point, *, tilt: float = 0.0) -> F32:
    x, y = FACE_SHEET.centres()
    return oval((np.abs(x), y), centre, radii, tilt=tilt)


def _blush(pattern: str, size: float) -> F32:
    k = np.sqrt(size)
    if pattern == "apples":
        return _both((0.70, 0.70), (0.40 * k, 0.32 * k), tilt=-15.0)
    if pattern == "lifted":
        return _both((0.94, 0.53), (0.56 * k, 0.24 * k), tilt=-36.0)
    if pattern == "draped":
        path = [(0.66, 0.68), (0.98, 0.48), (1.18, 0.14), (1.10, -0.22)]
        return stroke(FACE_SHEET, path, widths=(0.34 * k, 0.34 * k, 0.30 * k, 0.16 * k), blur=0.11)
    if pattern == "sun-kissed":
        nose = _both((0.0, 0.42), (0.34, 0.15 * k))
        return laid(
            _both((0.64, 0.56), (0.42 * k, 0.24 * k), tilt=-10.0), 0.85 * nose, 0.35 * _both((0.0, 0.70), (0.14, 0.10))
        )
    under = _both((0.62, 0.40), (0.40 * k, 0.15 * k), tilt=-8.0)
    return laid(under, 0.75 * _both((0.0, 0.36), (0.40, 0.11 * k)), 0.5 * _both((0.80, 0.50), (0.30 * k, 0.20 * k)))


def _bronzer(name: str, size: float) -> F32:
    k = np.sqrt(size)
    if name == "forehead":
        path = [(0.30, -1.00), (0.75, -0.86), (1.08, -0.58), (1.26, -0.22)]
        return stroke(FACE_SHEET, path, widths=(0.16 * k, 0.30 * k, 0.36 * k, 0.24 * k), blur=0.12)
    if name == "cheek":
        return stroke(
            FACE_SHEET, [(1.42, 0.42), (1.10, 0.66), (0.80, 0.86)], widths=(0.30 * k, 0.28 * k, 0.12 * k), blur=0.12
        )
    if name == "jaw":
        path = [(1.46, 1.10), (1.25, 1.52), (0.85, 1.88)]
        return stroke(FACE_SHEET, path, widths=(0.16 * k, 0.26 * k, 0.12 * k), blur=0.12)
    return _both((0.0, 0.36), (0.20, 0.13 * k))


def _contour(name: str, size: float) -> F32:
    k = np.sqrt(size)
    if name == "cheek":
        path = [(1.46, 0.68), (1.20, 0.84), (0.96, 0.98), (0.76, 1.08)]
        return stroke(FACE_SHEET, path, widths=(0.18 * k, 0.18 * k, 0.14 * k, 0.04), blur=0.065)
    if name == "jaw":
        path = [(1.48, 1.18), (1.34, 1.46), (1.10, 1.70), (0.82, 1.90), (0.52, 2.07)]
        return stroke(FACE_SHEET, path, widths=(0.10, 0.20 * k, 0.22 * k, 0.16 * k, 0.06), blur=0.08)
    if name == "nose":
        path = [(0.165, -0.16), (0.125, 0.10), (0.135, 0.38), (0.150, 0.60)]
        return stroke(FACE_SHEET, path, widths=(0.07, 0.05 * k, 0.05 * k, 0.06), blur=0.030)
    # Along the temples, and thinning out before the middle: nobody knows where the hair of a bare head would begin.
    path = [(0.30, -1.00), (0.58, -0.94), (0.86, -0.80), (1.08, -0.58), (1.22, -0.30)]
    return stroke(FACE_SHEET, path, widths=(0.06, 0.20 * k, 0.26 * k, 0.26 * k, 0.14), blur=0.11)


def _highlighter(name: str, size: float) -> F32:
    k = size
    if name == "inner-corner":
        return _both((0.215, 0.045), (0.070 * np.sqrt(k), 0.060 * np.sqrt(k)))
    if name == "cheekbone":
        path, widths, blur = [(0.80, 0.43), (1.02, 0.28), (1.16, 0.04)], (0.06 * k, 0.14 * k, 0.06 * k), 0.055
    elif name == "nose":
        path, widths, blur = [(0.0, 0.06), (0.0, 0.30), (0.0, 0.54)], (0.05 * k, 0.06 * k, 0.06 * k), 0.028
    elif name == "cupids-bow":
        path, widths, blur = [(0.14, 1.095), (0.075, 1.070), (0.0, 1.085)], (0.02 * k, 0.045 * k, 0.03 * k), 0.018
    else:
        path, widths, blur = [(0.56, -0.225), (0.74, -0.190), (0.90, -0.085)], (0.03 * k, 0.07 * k, 0.03 * k), 0.035
    line = stroke(FACE_SHEET, path, widths=widths, blur=blur)
    return laid(line, 0.8 * _both((0.0, 0.67), (0.055 * k, 0.05 * k))) if name == "nose" else line


def _concealer(name: str, size: float) -> F32:
    k = np.sqrt(size)
    if name == "under-eye":
        path = [(0.25, 0.13), (0.38, 0.24), (0.56, 0.285), (0.76, 0.235)]
        return stroke(FACE_SHEET, path, widths=(0.10 * k, 0.17 * k, 0.18 * k, 0.08), blur=0.045)
    if name == "nose":
        return laid(_both((0.37, 0.74), (0.11 * k, 0.15 * k)), 0.6 * _both((0.0, 0.90), (0.12, 0.05)))
    return np.zeros(FACE_SHEET.hw, np.float32)


def _skin(pattern: str, size: float) -> F32:
    """The whole face, up over the forehead as far as there is skin; without the nostrils."""
    points = flat_face()[list(OVAL)].copy()
    top = points[:, 1] < -0.15
    points[top] *= np.array([1.0, 1.45])
    skin = area(FACE_SHEET, points * (0.985, 0.985), blur=0.01)
    return np.asarray(skin * (1.0 - _both((0.125, 0.80), (0.085, 0.045))), np.float32)


def _foundation(pattern: str, size: float) -> F32:
    """As `_skin`, running out towards hairline and jaw instead of ending there."""
    points = flat_face()[list(OVAL)].copy()
    points[points[:, 1] < -0.15] *= np.array([1.0, 1.45])
    edge = area(FACE_SHEET, points * (0.92, 0.935) + (0.0, 0.01), blur=0.075)
    return np.asarray(edge * _skin(pattern, size), np.float32)


_PAINTERS = {
    "smooth": _skin,
    "foundation": _foundation,
    "concealer": _concealer,
    "contour": _contour,
    "bronzer": _bronzer,
    "blush": _blush,
    "highlighter": _highlighter,
}
