"""How a product throws back light beyond its colour: what its surface mirrors, by finish.

A matte powder scatters what skin would mirror; oil and gloss lay a smooth surface over it, with sharp bright spots
where the surface faces between light and camera; metal mirrors in its own colour; shimmer is flakes, each of which
flashes when it happens to face right; holographic film takes its colour from the angle. Flakes are fixed in the mesh's
flat layout, so that they stay on the skin when the face moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.core.geometry import Box
from mojing.makeup.canvas import Canvas
from mojing.makeup.look import Layer
from mojing.makeup.placed import Placed
from mojing.perception.facemesh import uv
from mojing.perception.faceview import FaceView


@dataclass(frozen=True)
class Surface:
    """What a finish does at full thickness.

    Attributes:
        shine: factor on what the skin mirrors under it.
        broad, sharp: brightness of a wide and of a narrow lobe of mirrored light, for a white surface at 1.
        tint: 0 = mirrored light has the light's colour, 1 = the product's.
        flakes: brightness of single flakes. hues: brightness of colours that change with the angle.
        body: factor on the product's own colour, where the rest of the light is mirrored away.
    """

    shine: float
    broad: float = 0.0
    sharp: float = 0.0
    tint: float = 0.0
    flakes: float = 0.0
    hues: float = 0.0
    body: float = 1.0


SURFACES: dict[str, Surface] = {
    "matte": Surface(0.35),
    "satin": Surface(1.1),
    "sheer": Surface(1.15, sharp=0.03),
    "gloss": Surface(1.3, broad=0.03, sharp=0.42),
    "metallic": Surface(0.7, broad=0.7, sharp=0.45, tint=0.8, flakes=0.15, body=0.7),
    "shimmer": Surface(1.0, broad=0.11, sharp=0.07, tint=0.4, flakes=0.9),
    "holographic": Surface(0.9, broad=0.06, sharp=0.05, flakes=0.4, hues=0.24),
}

_VIEW: F32 = np.array([0.0, 0.0, 1.0], np.float32)


def apply(
    canvas: Canvas,
    layer: Layer,
    placed: Placed,
    *,
    product: AnyArray,
    face: FaceView,
    window: tuple[slice, slice],
) -> None:
    """Change what shines where a layer's product lies, by the layer's finish."""
    surface = SURFACES[layer.finish]
    if np.ndim(product) == 3:
        weight = placed.mask[..., None] / max(float(placed.mask.sum()), 1e-6)
        product = (product * weight).sum(axis=(0, 1))
    thick = placed.mask * np.float32(layer.amount)
    if surface.shine != 1.0:
        _dim(canvas, thick, factor=surface.shine, window=window)
    if surface.body < 1.0:
        canvas.albedo[:, window[0], window[1]] *= 1.0 - np.float32(1.0 - surface.body) * thick
    if surface.broad + surface.sharp + surface.flakes + surface.hues <= 0.0:
        return
    at = _Geometry.of(canvas, window, mask=placed.mask)
    tint = _tint(product, surface.tint)
    light = canvas.skin.light
    mirrored = surface.broad * at.broad + surface.sharp * at.sharp
    colour = np.stack([mirrored * t for t in tint])
    if surface.flakes > 0.0:
        flakes = surface.flakes * _flakes(face, placed.box, normal=at.normal, half=at.half)
        colour += np.stack([flakes * t for t in _tint(product, max(surface.tint, 0.5))])
    if surface.hues > 0.0:
        colour += np.float32(surface.hues) * _hues(at)
    lit = np.minimum(at.lit, np.float32(1.6)) * thick
    canvas.mirror(colour * lit * light[:, None, None], window=window)


def _dim(canvas: Canvas, thick: F32, *, factor: float, window: tuple[slice, slice]) -> None:
    canvas.mirror(cv2.multiply(canvas.skin.shine[window], thick, scale=factor - 1.0), window=window)


def _tint(product: AnyArray, share: float) -> F32:
    """Colour (3,) of mirrored light: white mixed with the product's hue at full brightness."""
    pure = np.asarray(product, np.float32)
    pure = (pure + np.float32(0.02)) / (float(pure.max()) + 0.02)
    return np.asarray((1.0 - share) + share * pure, np.float32)


@dataclass(frozen=True, eq=False)
class _Geometry:
    """How a window lies to the light: normals (3, h, w), unit half vector (3,), lobes and smooth light (h, w)."""

    normal: F32
    half: F32
    broad: F32
    sharp: F32
    lit: F32

    @classmethod
    def of(cls, canvas: Canvas, window: tuple[slice, slice], *, mask: F32) -> _Geometry:
        """Lobes after Blinn (1977) about the normals of the mesh; small relief is read from the shading itself.

        Where skin of one colour is a little brighter than its surroundings it faces the light more: the mirrored light
        of folds and lips' lines follows the picture, not a smooth mesh.
        """
        skin = canvas.skin
        half = skin.towards + _VIEW
        half = half / np.linalg.norm(half)
        normal = canvas.normal(window)
        facing = np.clip(np.tensordot(half, normal, axes=1), 0.0, 1.0)
        shading = skin.shading[window]
        unit = max(1.0, 0.09 * float(np.sqrt(mask.sum())))
        weight = np.float32(0.02) + mask
        near = cv2.GaussianBlur(shading, (0, 0), max(0.6, 0.12 * unit), borderType=cv2.BORDER_REPLICATE)
        lit = _blur(shading * weight, 3.0 * unit) / _blur(weight, 3.0 * unit)
        relief = near / np.maximum(lit, np.float32(1e-3)) - 1.0
        inside = mask > 0.5 if (mask > 0.5).any() else mask > 0.0
        aligned = np.clip(facing / max(float(facing[inside].max()), 1e-3), 0.0, 1.0)
        # What shines in the picture already, and what is brightest, is where a gloss will shine.
        peak = _top(relief, inside, 86.0, 99.0) * np.clip(relief / np.float32(0.06), 0.0, 1.0)
        own = skin.shine[window] / np.maximum(lit, np.float32(0.05))
        wet = _top(own, inside, 70.0, 98.0) * np.clip(own / np.float32(0.05), 0.0, 1.0)
        sharp = np.maximum(np.maximum(peak * peak * aligned**4, wet * wet), np.float32(0.25) * aligned**60)
        broad = aligned**5 * np.clip(0.55 + 1.6 * relief, 0.0, 1.6)
        return cls(normal, half.astype(np.float32), broad, sharp, lit)


def _top(values: F32, inside: AnyArray, low: float, high: float) -> F32:
    """Values (h, w) mapped to 0 at one percentile of those inside and to 1 at another."""
    known = values[inside]
    known = known[:: max(1, len(known) // SAMPLE)]
    i, j = (round(share / 100.0 * (len(known) - 1)) for share in (low, high))
    ranked = np.partition(known, (i, j))
    a, b = float(ranked[i]), float(ranked[j])
    return np.asarray(np.clip((values - np.float32(a)) * np.float32(1.0 / max(b - a, 1e-4)), 0.0, 1.0), np.float32)


def _blur(values: AnyArray, sigma: float) -> F32:
    """Gaussian blur of a float map; a wide one on a smaller copy."""
    step = max(1, int(sigma / 3.0))
    if step == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
    h, w = values.shape
    small = cv2.resize(values, (max(w // step, 1), max(h // step, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


SAMPLE = 4096
"""Pixels that are enough to rank brightness by."""

SINGLE = 400.0
"""Distance of the eyes in px at which a flake is as large as a pixel."""

FLASH = 0.06
"""Mean brightness of flakes."""


# -- flakes and hues -------------------------------------------------------------------------------------------


def _flakes(face: FaceView, box: Box, *, normal: F32, half: F32) -> F32:
    """Brightness (h, w) 0..1 of flakes, about 1.5 px apart, sitting in cells of the flat layout.

    A flake is about 0.15 mm across. Where a pixel is larger it holds many, which differ less from pixel to pixel the
    more they are, and their light spreads over it.
    """
    width = max(face.box.width, 32.0)
    cells = float(2 ** round(np.log2(width / 1.7)))
    spot = _flat(face, box) * np.float32(cells)
    cell = np.floor(spot)
    tilt_x, tilt_y, there = _chance(cell[..., 0].astype(np.int64), cell[..., 1].astype(np.int64))
    # A flake's normal strays from the skin's by up to 40 degrees; it flashes within some ten of the half vector.
    x = normal[0] + 0.65 * (2.0 * tilt_x - 1.0) - half[0]
    y = normal[1] + 0.65 * (2.0 * tilt_y - 1.0) - half[1]
    flash = np.exp(-(x * x + y * y) / np.float32(0.035)) + np.float32(0.12) * (tilt_x * tilt_y)
    flash = np.asarray(flash * (there > 0.35), np.float32)
    single = float(np.clip(face.inter_ocular / SINGLE, 0.15, 1.0))
    if single < 1.0:
        flash = cv2.GaussianBlur(flash, (0, 0), 0.9 - 0.4 * single)
    return np.asarray(FLASH + single * (flash - FLASH), np.float32)


def _flat(face: FaceView, box: Box) -> F32:
    """About where in the flat layout the pixels of `box` lie, float32 (h, w, 2): one affine map, the best near the
    box, which moves with the skin and costs little."""
    points = face.mesh[:468, :2].astype(np.float64)
    offset = points - (np.array(box.centre) - 0.5)
    reach = 0.5 * max(box.width, box.height, 0.5 * face.inter_ocular, 1.0)
    weight = np.exp(-0.5 * (offset**2).sum(axis=1) / reach**2) + 1e-6
    basis = np.column_stack([offset / reach, np.ones(len(points))])
    known = basis * weight[:, None]
    solved = np.linalg.inv(known.T @ basis + 1e-9 * np.eye(3)) @ (known.T @ uv()[:468].astype(np.float64))
    x = (np.arange(round(box.width)) - (box.width - 1) / 2) / reach
    y = (np.arange(round(box.height)) - (box.height - 1) / 2) / reach
    flat = x[None, :, None] * solved[0] + y[:, None, None] * solved[1] + solved[2]
    return np.asarray(flat, np.float32)


def _chance(ix: AnyArray, iy: AnyArray) -> tuple[F32, F32, F32]:
    """Three numbers in 0..1 that depend on whole coordinates alone (Steele, Lea and Flood 2014, the mixing step)."""
    with np.errstate(over="ignore"):
        z = ix.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + iy.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    parts = (z & np.uint64(0x1FFFFF), (z >> np.uint64(21)) & np.uint64(0x1FFFFF), z >> np.uint64(43))
    x, y, there = (np.asarray(part.astype(np.float32) * np.float32(2.0**-21), np.float32) for part in parts)
    return x, y, there


def _hues(at: _Geometry) -> F32:
    """Light (3, h, w) whose hue turns with the angle, as of a thin film: cosines a third of a turn apart."""
    phase = 3.0 * (1.0 - at.normal[2]) + 1.1 * at.normal[0] + 0.9 * at.normal[1] + 0.5 * at.broad
    colours = np.stack([0.6 + 0.4 * np.cos(2 * np.pi * (phase - k / 3.0)) for k in range(3)])
    return np.asarray(colours * (0.35 + 0.65 * at.broad), np.float32)
