"""Eyeshadow of one to five pans: lid, crease, outer and inner corner, lower lid and brow bone."""

from __future__ import annotations

from functools import cache

import numpy as np

from mojing.core.arrays import F32, F64
from mojing.makeup.charts import EYE_SHEET, painted
from mojing.makeup.curves import soften
from mojing.makeup.geometry import BROW_LOWER, CREASE, LID_LOWER, LID_UPPER, Eye, Geometry
from mojing.makeup.kinds import AREAS
from mojing.makeup.look import Layer
from mojing.makeup.paint import laid, oval, ramp
from mojing.makeup.placed import Placed
from mojing.perception.facemesh import mean_shape

_HIDES = ("hair", "cover", "glasses")
_INNER, _OUTER = -0.27, -0.73
"""x of the corners of the mean right eye."""


def place(layer: Layer, g: Geometry) -> list[Placed]:
    """Every pan where its pattern puts it, from the lightest to the darkest, each soft into the next.

    single: a wash over the lid. duo: first shade on the inner half, second on the outer. gradient: first shade under
    the brow to last at the lashes. halo: first shade in the middle of the lid, second on both sides, then crease, lower
    lid, inner corner. cut-crease: first shade on the lid with a sharp upper edge, then crease, outer corner, lower lid,
    brow bone. smoky: first shade widest, last at the lashes of both lids. Areas that a layer names and its pattern
    leaves out get the first shade.
    """
    count = len(layer.shades)
    areas = tuple(word for word in AREAS["eyeshadow"] if word in layer.region)
    settings = (layer.pattern, count, areas, layer.size, layer.softness)
    textures, below = painted(_textures, *settings), painted(_below, *settings)
    out = []
    for side, eye in g.eyes.items():
        if layer.has(side):
            out += _on(eye, textures, below)
    return out


def _on(eye: Eye, textures: F32, below: F32) -> list[Placed]:
    """Pans (n, 2, h, w), each for the upper and the lower lid, laid on one eye."""
    masks = []
    for (upper, lower), some in zip(textures, below, strict=True):
        mask = EYE_SHEET.read(upper, eye.upper_maps)
        masks.append(np.maximum(mask, EYE_SHEET.read(lower, eye.lower_maps)) if some else mask)
    window = eye.grid.window(np.maximum.reduce(masks))
    if window is None:
        return []
    grid, part = window
    free = eye.geometry.kept(np.ones(grid.hw, np.float32), grid, *_HIDES)
    found = []
    for shade, mask in enumerate(masks):
        soft = eye.spared(grid.full(mask[part] * free), grid.box)
        found.append(Placed(grid.box, soft, shade, area=eye.side))
    return found


@cache
def _chart() -> tuple[F64, F64, F64, F64, F64]:
    """x and y of the sheet, along the lid (0 inner corner, 1 outer), height above the upper lid (1 at the crease, 2 at
    the brow) and depth below the lower lid (1 at a lash's length)."""
    mean = mean_shape().astype(np.float64)
    x, y = EYE_SHEET.centres()
    along = (x - _INNER) / (_OUTER - _INNER)
    # Beyond the corners the lines go on the way a wing does: outwards and up.
    lid = _line(mean, LID_UPPER, x, before=(-1.05, -0.06), after=(-0.10, 0.06))
    crease = _line(mean, CREASE, x, before=(-1.05, -0.13), after=(-0.10, 0.02))
    brow = _line(mean, BROW_LOWER, x, before=(-1.10, -0.08), after=(-0.05, -0.16)) + 0.02
    low = _line(mean, LID_LOWER, x, before=(-1.05, -0.02), after=(-0.10, 0.06))
    crease = np.minimum(crease, lid - 0.03)
    brow = np.minimum(brow, crease - 0.05)
    below = (lid - y) / (lid - crease)
    above = 1.0 + (crease - y) / (crease - brow)
    return x, y, along, np.where(y > crease, below, above), (y - low) / 0.06


def _line(mean: F64, ring: tuple[int, ...], x: F64, *, before: tuple[float, float], after: tuple[float, float]) -> F64:
    """y (1, w) of a ring's points as a function of x, with one more point on either side."""
    points = np.array([before, *mean[list(ring), :2], after])
    points = points[np.argsort(points[:, 0])]
    dense = np.linspace(points[0, 0], points[-1, 0], 200)
    y = np.interp(dense, points[:, 0], points[:, 1])
    kernel = np.hanning(17)
    smooth = np.convolve(np.pad(y, 8, mode="edge"), kernel / kernel.sum(), mode="valid")
    return np.interp(x, dense, smooth)


def _zone(name: str, size: float) -> tuple[F32, F32]:
    """One area (h, w) of the upper and of the lower lid."""
    x, y, s, h, depth = _chart()
    h = h / np.sqrt(size)
    depth = depth / size
    nothing = np.zeros(EYE_SHEET.hw, np.float32)
    edges = ramp(h, -0.30, -0.05)
    if name == "lid":
        return edges * ramp(h, 1.20, 0.80) * ramp(s, -0.06, 0.08) * ramp(s, 1.18, 0.98), nothing
    if name == "crease":
        return _bell(h, 1.08, 0.26) * ramp(s, 0.05, 0.45) * ramp(s, 1.32, 1.0), nothing
    if name == "outer":
        fan = ramp(s + 0.30 * (h - 0.5), 0.62, 1.0) * ramp(s, 1.42, 1.08)
        under = ramp(depth, 1.4, 0.2) * ramp(depth, -1.0, -0.2) * ramp(s, 0.70, 0.98) * ramp(s, 1.25, 1.0)
        return edges * fan * ramp(h, 1.50, 0.95), np.float32(0.8) * under
    if name == "inner":
        spot = oval((x, y), (-0.255, 0.035), (0.085 * size, 0.070 * size))
        return spot, spot
    if name == "lower":
        return nothing, ramp(depth, -1.0, -0.2) * ramp(depth, 1.1, 0.25) * ramp(s, 0.02, 0.30) * ramp(s, 1.15, 1.0)
    assert name == "brow-bone", name
    return _bell(h, 1.72, 0.20) * ramp(s, 0.30, 0.65) * ramp(s, 1.40, 1.05), nothing


def _wash(low: float, high: float, size: float) -> F32:
    """The lid from the lashes up to `low`, fading out at `high` (1 = crease, 2 = brow), less high at the inner end."""
    _, _, s, h, _ = _chart()
    rise = np.interp(s, (-0.1, 0.35, 1.0), (0.75, 1.0, 1.0))
    h = h / np.sqrt(size) / rise
    return ramp(h, -0.30, -0.05) * ramp(h, high, low) * ramp(s, -0.08, 0.10) * ramp(s, 1.34, 1.0)


def _textures(pattern: str, count: int, areas: tuple[str, ...], size: float, softness: float) -> F32:
    """(count, 2, h, w) in 0..1."""
    pans = _PATTERNS[pattern](count, size)
    if areas:
        kept = [laid(*(_zone(a, size)[k] for a in areas)) for k in range(2)]
        full = [laid(*(pan[k] for pan in pans)) for k in range(2)]
        gap = [np.clip(kept[k] - full[k], 0.0, 1.0) for k in range(2)]
        pans = [(np.minimum(u, kept[0]), np.minimum(v, kept[1])) for u, v in pans]
        pans[0] = laid(pans[0][0], gap[0]), laid(pans[0][1], gap[1])
    sigma = (0.002 + 0.026 * softness) * EYE_SHEET.density
    sharp = 0 if pattern == "cut-crease" else None
    done = [
        [soften(np.ascontiguousarray(half, np.float32), sigma * (0.3 if i == sharp else 1.0)) for half in pan]
        for i, pan in enumerate(pans)
    ]
    return np.clip(np.array(done, np.float32), 0.0, 1.0)


def _bell(x: F64, middle: float, width: float) -> F32:
    return np.asarray(np.exp(-(((x - middle) / width) ** 2)), np.float32)


def _below(pattern: str, count: int, areas: tuple[str, ...], size: float, softness: float) -> F32:
    """Of each pan (count,), 1 if it has anything for the lower lid."""
    textures = painted(_textures, pattern, count, areas, size, softness)
    return np.asarray(textures[:, 1].max(axis=(1, 2)) > 0, np.float32)


_Pans = list[tuple[F32, F32]]


def _nothing() -> F32:
    return np.zeros(EYE_SHEET.hw, np.float32)


def _single(count: int, size: float) -> _Pans:
    return [(_wash(0.75, 1.45, size), _nothing())]


def _duo(count: int, size: float) -> _Pans:
    _, _, s, _, _ = _chart()
    wash, outer = _wash(0.75, 1.35, size), _zone("outer", size)
    split = ramp(s, 0.30, 0.72)
    lower = _zone("lower", size)[1]
    inner = laid(wash * (1.0 - split), _zone("inner", size)[0] * 0.7)
    return [(inner, 0.5 * lower * (1.0 - split)), (laid(wash * split, 0.9 * outer[0]), laid(lower * split, outer[1]))]


def _gradient(count: int, size: float) -> _Pans:
    tops = np.linspace(1.75, 0.55, count)
    pans = [(_wash(top - 0.55, top, size), _nothing()) for top in tops]
    pans[-1] = (pans[-1][0], 0.7 * _zone("lower", size)[1])
    return pans


def _halo(count: int, size: float) -> _Pans:
    _, _, s, h, _ = _chart()
    wash = _wash(0.80, 1.30, size)
    middle = _bell(s, 0.48, 0.20) * ramp(h, 1.25, 0.75)
    lower = _zone("lower", size)[1]
    pans = [
        (wash * middle, 0.7 * lower * _bell(s, 0.5, 0.22)),
        (laid(wash * (1.0 - middle), 0.8 * _zone("outer", size)[0]), lower * ramp(np.abs(s - 0.5), 0.12, 0.40)),
        (0.8 * _zone("crease", size)[0], _nothing()),
        (_nothing(), 0.8 * lower),
        (_zone("inner", size)[0], _zone("inner", size)[1]),
    ]
    return pans[:count]


def _cut(count: int, size: float) -> _Pans:
    _, _, s, h, _ = _chart()
    h = h / np.sqrt(size)
    lid = ramp(h, -0.30, -0.05) * ramp(h, 1.04, 0.97) * ramp(s, -0.05, 0.06) * ramp(s, 0.98, 0.72)
    above = ramp(h, 0.95, 1.06) * ramp(h, 1.70, 1.10) * ramp(s, 0.02, 0.30) * ramp(s, 1.34, 1.05)
    outer = _zone("outer", size)
    pans = [
        (lid, _nothing()),
        (laid(above, 0.9 * outer[0] * (1.0 - lid)), outer[1]),
        (outer[0] * (1.0 - lid), outer[1]),
        (_nothing(), 0.9 * _zone("lower", size)[1]),
        (_zone("brow-bone", size)[0], _nothing()),
    ]
    return pans[:count]


def _smoky(count: int, size: float) -> _Pans:
    tops = np.linspace(1.70, 0.95, count)
    lower = _zone("lower", size)[1]
    outer = _zone("outer", size)
    reach = np.linspace(1.6, 1.0, count)
    under = [soften(_zone("lower", size * r)[1], 2.0) for r in reach]
    pans = [(_wash(top - 0.70, top, size), low) for top, low in zip(tops, under, strict=True)]
    pans[-1] = (laid(pans[-1][0], outer[0]), laid(lower, outer[1]))
    return pans


_PATTERNS = {
    "single": _single,
    "duo": _duo,
    "gradient": _gradient,
    "halo": _halo,
    "cut-crease": _cut,
    "smoky": _smoky,
}
