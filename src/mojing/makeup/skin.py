"""A face taken apart: what light falls on it, how its form shades it, what its skin throws back, and what only shines.

The model of every pixel is dichromatic (Shafer 1985) in linear light: picture = light x shading x albedo + rest, where
light is the colour of a white surface at shading 1, shading is one number a pixel and `rest` is mostly the mirrored
light, of the light's own colour. Product on skin replaces the albedo; shading stays, so that pores, wrinkles and the
folds of lips stay too.

What is assumed. Skin's colours are those of two pigments (`pigment`), so a change of its chromaticity says how much of
a change of its brightness is pigment; the remainder is shading. What changes slowly over a face, redder shadows and
paler bright sides, is the light and the camera rather than the skin. How bright the light is cannot be read from a
face alone: see `light_of` for what is taken to be likely.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.core.color import srgb_to_linear
from mojing.core.geometry import Box
from mojing.makeup.optics import LUMA
from mojing.makeup.pigment import USUAL_BLOOD, skin_albedo
from mojing.perception.facemesh import (
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    triangles,
)
from mojing.perception.faceview import FACE_PARTS, FaceView

WORK = 36.0
"""Distance of the eyes in px at which colours are compared; a finer picture is averaged first."""

BYTE: F32 = srgb_to_linear(np.arange(256, dtype=np.uint8))


@dataclass(frozen=True, eq=False)
class Skin:
    """A face's crop taken apart; planes of colours are (3, h, w) float32 in linear light.

    Attributes:
        tone: (3,) albedo of the skin in the main light.
        box: whole pixels of the photo that the crop shows.
        light: (3,) light that a white surface throws back where shading is 1.
        lit: light x shading, with the slow change of the light's colour over the face.
        spread: standard deviation of the logarithm of the light's brightness.
        shading: (h, w), 1 on skin in the main light.
        albedo: in 0..1.
        rest: what lit x albedo leaves of the picture; above all what shines.
        shine: (h, w) the mirrored light in units of `light`.
        normal: (3, gh, gw) unit normals on a coarse grid over the crop: x right, y down, z to the camera.
        towards: (3,) unit vector to the main light.
    """

    box: Box
    light: F32
    tone: F32
    spread: float
    shading: F32
    lit: F32
    albedo: F32
    rest: F32
    shine: F32
    normal: F32
    towards: F32


CALM = 0.06
"""How far the albedo of skin moves from one frame of a video to the next, of what it seems to have moved."""


def split(rgb: U8, face: FaceView, *, box: Box, light: AnyArray | None = None, tone: AnyArray | None = None) -> Skin:
    """Take the crop `box` (whole pixels inside the photo) of a photo (H, W, 3) apart around its face.

    `light` (3,) is the light if it is known, from a grey card or a white balance; otherwise it is estimated. `tone`
    (3,) is the albedo of this skin as found in earlier frames: it moves little by little, so that colours stay calm.
    """
    rows, cols = box.slices((rgb.shape[0], rgb.shape[1]))
    crop = cv2.LUT(np.ascontiguousarray(rgb[rows, cols]), BYTE)
    survey = _survey(crop, face, box=box)
    colour, spread = light_of(survey.skin, sclera=_sclera(crop, face, box=box, skin=survey.skin))
    if light is not None:
        colour, spread = np.asarray(light, np.float32), 0.0
    elif tone is not None:
        held = np.log(np.maximum(np.asarray(tone, np.float64), 1e-4))
        found = np.log(survey.skin / colour)
        colour = np.asarray(survey.skin / np.exp(held + CALM * (found - held)), np.float32)
    model = _Model.of(survey.skin / colour)
    drift = _drift(survey)
    expected = _expected(survey, model=model, drift=drift, hw=(crop.shape[0], crop.shape[1]))
    level = cv2.transform(crop, LUMA[None])
    shine = _shine(crop, level, survey=survey, colour=colour, model=model, expected=expected)
    diffuse = np.maximum(cv2.scaleAdd(shine, -float(LUMA @ colour), level), np.float32(1e-4))
    shading = cv2.divide(diffuse, expected)
    lit, albedo, rest = (np.empty((3, *shading.shape), np.float32) for _ in range(3))
    for k, c in enumerate(colour.tolist()):
        plane = cv2.extractChannel(crop, k)
        slow = cv2.resize(drift[k], (plane.shape[1], plane.shape[0]), interpolation=cv2.INTER_LINEAR)
        cv2.multiply(slow, shading, lit[k], scale=c)
        body = cv2.divide(cv2.scaleAdd(shine, -c, plane), lit[k])
        np.clip(body, 0.0, 1.0, out=albedo[k])
        cv2.subtract(plane, cv2.multiply(albedo[k], lit[k]), rest[k])
    own = np.asarray(survey.skin / colour, np.float32)
    return Skin(box, colour, own, spread, shading, lit, albedo, rest, shine, survey.normal, survey.towards)


# -- the light -------------------------------------------------------------------------------------------------

LIGHT_MEAN: F64 = np.array([-0.12, 0.04, 0.0])
LIGHT_COV: F64 = np.array([[0.12, 0.0, 0.0], [0.0, 0.020, 0.009], [0.0, 0.009, 0.030]])
"""What light is likely, as mean and covariance of log luminance, log R/G, log G/B: most pictures are exposed so that a
white card held to the face comes out a little below full white, within a third of a stop or so of that."""

SCLERA: F64 = np.log([0.45, 0.38, 0.345])
SCLERA_COV: F64 = np.array([[0.028, 0.0, 0.0], [0.0, 0.015, 0.004], [0.0, 0.004, 0.012]])
"""The white of an eye reflects about 0.6, its lids keep a third of the light off it and redden it; how far it strays.
Spectra make it less red than this, portraits by cameras redder: the middle was taken."""

LIP_SHARE = 25.0
"""Per cent of the lips that are taken to mirror nothing."""

VEIL = 0.005
"""What skin mirrors everywhere, of a white surface's light: oil and a rough surface spread even sharp lights so far."""


def light_of(skin: AnyArray, *, sclera: AnyArray | None = None) -> tuple[F32, float]:
    """Light (3,) float32 on a face and the spread of its log brightness, from the colour (3,) its lit skin shows.

    All skin colours that the two pigments can make are tried, melanin evenly, so that no tone is likelier than
    another. Each explains the picture with one light; how likely that light is, and how well it explains the white of
    the eyes (`sclera` (3,), None if it does not show), gives its weight. The answer is the weighted mean of the
    logarithms.
    """
    colours, prior = _tones()
    seen = np.log(np.exp(colours) + VEIL)
    x = _axes(np.log(np.maximum(np.asarray(skin, np.float64), 1e-4)) - seen)
    score = prior - 0.5 * _distance(x - LIGHT_MEAN, LIGHT_COV)
    if sclera is not None:
        eye = _axes(np.log(np.maximum(np.asarray(sclera, np.float64), 1e-4)) - SCLERA)
        # Lids cover eyes and pictures are small: a long tail, so that a bad look at them decides nothing.
        score = score - 2.0 * np.log1p(_distance(x - eye, SCLERA_COV) / 4.0)
    weight = np.exp(score - score.max())
    weight /= weight.sum()
    mean = weight @ x
    spread = float(np.sqrt(weight @ (x[:, 0] - mean[0]) ** 2))
    return np.exp(_colour_of(mean)).astype(np.float32), spread


@cache
def _tones() -> tuple[F64, F64]:
    """Logarithms (n, 3) of skin's colours on a grid of pigments, and of how likely the blood is (n,)."""
    melanin, blood = np.meshgrid(np.linspace(0.0, 1.0, 33), np.linspace(0.15, 0.75, 7), indexing="ij")
    colours = np.log(skin_albedo(melanin, blood).astype(np.float64)).reshape(-1, 3)
    return colours, -0.5 * ((blood.ravel() - USUAL_BLOOD) / 0.13) ** 2


def _axes(logs: F64) -> F64:
    """Logarithms of colours (..., 3) as log luminance (nearly: of the channels' weighted mean), log R/G, log G/B."""
    r, g, b = logs[..., 0], logs[..., 1], logs[..., 2]
    return np.stack([logs @ np.asarray(LUMA, np.float64), r - g, g - b], axis=-1)


def _colour_of(axes: F64) -> F64:
    """The inverse of `_axes` for one colour (3,)."""
    level, rg, gb = axes
    g = level - float(LUMA[0]) * rg + float(LUMA[2]) * gb
    return np.array([g + rg, g, g - gb])


def _distance(gap: F64, cov: F64) -> F64:
    """Squared Mahalanobis distance (n,) of gaps (n, 3)."""
    return np.asarray(np.einsum("ni,ij,nj->n", gap, np.linalg.inv(cov), gap), np.float64)


def _sclera(crop: F32, face: FaceView, *, box: Box, skin: F64) -> F64 | None:
    """Mean colour (3,) of the whites of the eyes, or None where they do not show: bright, and less red than skin."""
    found = []
    for edge, iris in ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS)):
        points = face.mesh[list(edge), :2] - (box.x0, box.y0)
        x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
        x1, y1 = np.ceil(points.max(axis=0)).astype(int) + 1
        eye = crop[y0:y1, x0:x1]
        if min(eye.shape[:2]) < 3:
            continue
        inside = np.zeros(eye.shape[:2], np.uint8)
        cv2.fillPoly(inside, [_fixed(points - (x0, y0))], 1, shift=4)
        centre = face.mesh[iris[0], :2] - (box.x0 + x0, box.y0 + y0)
        radius = 1.15 * float(np.linalg.norm(face.mesh[list(iris[1:]), :2] - face.mesh[iris[0], :2], axis=1).mean())
        cv2.circle(inside, _fixed(centre).tolist(), round(16 * radius), 0, -1, shift=4)
        found.append(eye[inside > 0])
    pixels = np.concatenate(found) if found else np.zeros((0, 3), np.float32)
    ratio = (skin[0] + 1e-3) / (skin[2] + 1e-3)
    level = pixels @ LUMA
    white = (pixels[:, 0] < 0.72 * ratio * pixels[:, 2]) & (level > 0.3 * float(skin @ LUMA))
    if white.sum() < max(12, 0.12 * len(pixels)):
        return None
    low, high = np.percentile(level[white], [40, 92])
    return np.asarray(pixels[white & (level >= low) & (level <= high)].mean(axis=0), np.float64)


# -- the coarse look -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Survey:
    """The crop averaged to `WORK`: `small` (gh, gw, 3), `bare` and `lips` (gh, gw) 0..1, skin's lit colour (3,),
    low shading `low` (gh, gw) relative to it, normals (3, gh, gw), direction of the light."""

    small: F32
    bare: F32
    lips: F32
    skin: F64
    low: F32
    normal: F32
    towards: F32


def _survey(crop: F32, face: FaceView, *, box: Box) -> _Survey:
    scale = min(1.0, WORK / max(face.inter_ocular, 1.0))
    h, w = crop.shape[:2]
    wh = max(round(w * scale), 8), max(round(h * scale), 8)
    small = np.asarray(cv2.resize(crop, wh, interpolation=cv2.INTER_AREA), np.float32)
    fit = np.array([wh[0] / w, wh[1] / h])
    mesh = (face.mesh[:, :2] - (box.x0, box.y0) + 0.5) * fit - 0.5
    bare, lips = _masks(mesh, face, box=box, wh=wh, fit=fit)
    level = np.maximum(cv2.transform(small, LUMA[None]), np.float32(1e-4))
    sure = bare > 0.9
    if int(sure.sum()) < 16:
        sure = bare >= bare.max()
    low, high = np.percentile(level[sure], [35, 80])
    lit = sure & (level >= low) & (level <= high)
    skin = np.maximum(np.asarray(small[lit].mean(axis=0), np.float64), 1e-3)
    half = max(wh[0] // 2, 4), max(wh[1] // 2, 4)
    normal = _normals(face.mesh, (mesh + 0.5) * (half[0] / wh[0], half[1] / wh[1]) - 0.5, half)
    coarse = [cv2.resize(v, half, interpolation=cv2.INTER_AREA) for v in (np.log(level / float(skin @ LUMA)), bare)]
    shape, towards = _shape(coarse[0], coarse[1], normal)
    form = np.asarray(cv2.resize(shape, wh, interpolation=cv2.INTER_LINEAR), np.float32)
    return _Survey(small, bare, lips, skin, form, normal, towards)


def _masks(mesh: AnyArray, face: FaceView, *, box: Box, wh: tuple[int, int], fit: AnyArray) -> tuple[F32, F32]:
    """Where bare skin is for sure, and how far each cell is of the lips, float32 (gh, gw) in 0..1."""
    skin, lips = np.zeros((wh[1], wh[0]), np.uint8), np.zeros((wh[1], wh[0]), np.uint8)
    unit = float(np.linalg.norm(mesh[468] - mesh[473]))
    cv2.fillPoly(skin, [_fixed(mesh[list(OVAL)])], 255, shift=4)
    for part, reach in ((LIPS_OUTER, 0.06), (RIGHT_EYE, 0.14), (LEFT_EYE, 0.14), (RIGHT_BROW, 0.08), (LEFT_BROW, 0.08)):
        points = _fixed(mesh[list(part)])
        cv2.fillPoly(skin, [points], 0, shift=4)
        cv2.polylines(skin, [points], True, 0, max(1, round(2 * reach * unit)), shift=4)
    edge = max(1, round(0.2 * unit))
    cv2.polylines(skin, [_fixed(mesh[list(OVAL)])], True, 0, edge, shift=4)
    cv2.fillPoly(lips, [_fixed(mesh[list(LIPS_OUTER)])], 255, shift=4, lineType=cv2.LINE_AA)
    cv2.fillPoly(lips, [_fixed(mesh[list(LIPS_INNER)])], 0, shift=4)
    grid = face.to_parts.matrix @ np.array(
        [[1 / fit[0], 0.0, box.x0 + 0.5 / fit[0] - 0.5], [0.0, 1 / fit[1], box.y0 + 0.5 / fit[1] - 0.5], [0, 0, 1.0]]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(face.parts[FACE_PARTS.index("skin")], grid, wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    bare = skin.astype(np.float32) * np.float32(1 / 255) * np.clip(seen, 0.0, 1.0)
    return np.asarray(bare, np.float32), lips.astype(np.float32) * np.float32(1 / 255)


def _normals(mesh: F32, at: AnyArray, wh: tuple[int, int]) -> F32:
    """Unit normals (3, gh, gw) to the camera: of the mesh's points, spread over the grid and smoothed."""
    tri = triangles()
    p = mesh * np.array([1.0, 1.0, -1.0])
    e, f = p[tri[:, 1]] - p[tri[:, 0]], p[tri[:, 2]] - p[tri[:, 0]]
    normal = np.zeros((3, 468))
    for axis in range(3):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turned = e[:, i] * f[:, j] - e[:, j] * f[:, i]
        normal[axis] = np.bincount(tri.ravel(), np.repeat(turned, 3), 468)
    # All triangles turn the same way: the sum tells which.
    normal *= np.sign(normal[2].sum()) / np.maximum(np.sqrt((normal * normal).sum(axis=0)), 1e-9)
    x = np.clip(np.rint(at[:468, 0]), 0, wh[0] - 1).astype(np.int64)
    y = np.clip(np.rint(at[:468, 1]), 0, wh[1] - 1).astype(np.int64)
    cells = [np.bincount(y * wh[0] + x, v, wh[0] * wh[1]) for v in (*normal, np.ones(468))]
    grid = np.stack(cells, axis=-1).reshape(wh[1], wh[0], 4).astype(np.float32)
    unit = float(np.linalg.norm(at[468] - at[473]))
    near = cv2.GaussianBlur(grid, (0, 0), max(0.075 * unit, 0.8), borderType=cv2.BORDER_REPLICATE)
    side = 2 * max(1, round(0.4 * unit)) + 1
    far = cv2.blur(cv2.blur(grid, (side, side)), (side, side))
    both = near + np.float32(0.02) * far + np.array([0, 0, 1e-9, 0], np.float32)
    out = np.moveaxis(both[..., :3], 2, 0)
    return np.asarray(out / np.maximum(np.sqrt((out * out).sum(axis=0)), 1e-12), np.float32)


def _shape(ratio: F32, bare: F32, normal: F32) -> tuple[F32, F32]:
    """Smooth shading (gh, gw) fitted to log brightness on bare skin and carried on over lips, eyes and brows.

    Spherical harmonics of second order in the normals (Ramamoorthi and Hanrahan 2001), on the logarithm so that it
    stays positive, then what they leave, smoothed by normalised convolution. Also the direction of the main light.
    """
    x, y, z = normal
    basis = np.stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], axis=-1)
    on = bare > 0.5
    a, b = basis[on].astype(np.float64), ratio[on].astype(np.float64)
    weight: F64 = np.ones(len(b))
    k: F64 = np.zeros(9)
    for _ in range(2):
        aw = a * weight[:, None]
        k = np.asarray(
            np.linalg.solve(aw.T @ a + 1e-3 * max(len(b), 1) * np.diag([1e-3, *[1.0] * 8]), aw.T @ b), np.float64
        )
        weight = np.asarray(1.0 / (1.0 + ((b - a @ k) / 0.25) ** 2), np.float64)
    fit = basis @ k.astype(np.float32)
    unit = np.sqrt(max(float(on.sum()), 1.0))
    # Spots that shine are not form.
    sure = bare / (1.0 + (np.maximum(ratio - fit, 0.0) / np.float32(0.2)) ** 2)
    left = np.dstack([(ratio - fit) * sure, sure]).astype(np.float32)
    blurred = cv2.GaussianBlur(left, (0, 0), max(0.06 * unit, 1.0), borderType=cv2.BORDER_REPLICATE)
    smooth = fit + blurred[..., 0] / (blurred[..., 1] + 0.05)
    towards = np.array([k[1], k[2], max(k[3], 0.0) + 0.35 * float(np.hypot(k[1], k[2])) + 0.15])
    return np.exp(np.clip(smooth, -3.0, 1.5)).astype(np.float32), (towards / np.linalg.norm(towards)).astype(np.float32)


# -- pigment or shading? ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Model:
    """Skin near one tone: how log albedo changes with blood (3,), and log luminance with log R/G and log G/B (2,)."""

    blood: F64
    slope: F64

    @classmethod
    def of(cls, albedo: AnyArray) -> _Model:
        """The model about the tone of the two pigments that is nearest to an albedo (3,)."""
        colours, _ = _tones()
        want = np.log(np.clip(np.asarray(albedo, np.float64), 1e-3, 1.0))
        grid = colours.reshape(33, 7, 3)
        m, b = divmod(int(((colours - want) ** 2).sum(axis=1).argmin()), 7)
        m0, m1, b0, b1 = max(m - 2, 0), min(m + 2, 32), max(b - 1, 0), min(b + 1, 6)
        blood: F64 = grid[m, b1] - grid[m, b0]
        melanin: F64 = grid[m1, b] - grid[m0, b]
        change = _axes(np.stack([melanin / np.linalg.norm(melanin), blood / np.linalg.norm(blood)]))
        # Ridge: near the darkest tones chromaticity says little about melanin.
        chroma, light = change[:, 1:], change[:, 0]
        slope = np.linalg.solve(chroma.T @ chroma + 0.03 * np.eye(2), chroma.T @ light)
        return cls(blood / np.linalg.norm(blood), np.asarray(slope, np.float64))


CURVE = 0.5
"""Greatest change of log R/G or log G/B for one of log luminance that is put down to light and camera."""

SLOW, SHARE = 0.32, 0.85
"""Colour that changes over more than this share of the distance of the eyes is the light's, to this share."""


def _drift(survey: _Survey) -> F32:
    """Factors (3, gh, gw) on the light's colour, about 1, of luminance 1.

    Two things are not pigment: what chromaticity does along with brightness, as shadows in another light and the
    contrast curves of cameras make it, by regression over the bare skin; and what of the remainder changes slowly.
    """
    h, w = survey.bare.shape
    wh = max(w // 2, 2), max(h // 2, 2)
    whole = (survey.small, survey.bare, survey.lips, survey.low)
    small, bare, lips, low = (cv2.resize(v, wh, interpolation=cv2.INTER_AREA) for v in whole)
    r, g, b = cv2.split(np.log(np.maximum(small, np.float32(2e-3)) / survey.skin.astype(np.float32)))
    rg, gb = r - g, g - b
    near = np.exp(-0.5 * ((rg / 0.5) ** 2 + (gb / 0.6) ** 2)) * bare
    level = np.clip(np.log(np.maximum(small @ LUMA, np.float32(2e-3)) / float(survey.skin @ LUMA)), -1.6, 0.8)
    # Lips are dark without lying in the shade.
    lips = np.clip(2.0 * lips, 0.0, 1.0)
    level = level + lips * (np.log(low) - level)
    spread = float((near * level * level).sum()) + 0.02 * float(near.sum()) + 1e-6
    curve = [float(np.clip((near * level * v).sum() / spread, -CURVE, CURVE)) * SHARE for v in (rg, gb)]
    rg, gb = rg - level * np.float32(curve[0]), gb - level * np.float32(curve[1])
    side = 2 * max(1, round(0.5 * SLOW * WORK)) + 1
    slow = cv2.blur(cv2.blur(np.dstack([rg * near, gb * near, near]), (side, side)), (side, side))
    fade = np.float32(SHARE) / (slow[..., 2] + np.float32(0.01))
    rg, gb = slow[..., 0] * fade + level * np.float32(curve[0]), slow[..., 1] * fade + level * np.float32(curve[1])
    green = np.float32(LUMA[2]) * gb - np.float32(LUMA[0]) * rg
    planes = np.exp(np.stack([green + rg, green, green - gb]))
    return np.stack([cv2.resize(p, (w, h), interpolation=cv2.INTER_LINEAR) for p in planes])


def _expected(survey: _Survey, *, model: _Model, drift: F32, hw: tuple[int, int]) -> F32:
    """Luminance (h, w) that the picture would have at shading 1, from chromaticity and from where the lips are."""
    small = cv2.GaussianBlur(survey.small, (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE)
    home = np.moveaxis(drift, 0, 2) * survey.skin.astype(np.float32)
    logs = np.log(np.maximum(small, np.float32(2e-3)) / home)
    rg, gb = logs[..., 0] - logs[..., 1], logs[..., 1] - logs[..., 2]
    pigment = np.clip(np.float32(model.slope[0]) * rg + np.float32(model.slope[1]) * gb, -0.6, 0.35)
    # Dark places are noisy, and what is far from skin's colour is not skin.
    level = survey.small @ LUMA
    near = np.exp(-0.5 * ((rg / 0.5) ** 2 + (gb / 0.6) ** 2)) * np.clip(level / float(survey.skin @ LUMA) / 0.3, 0, 1)
    # Lips are not a shade of the skin around them: how light they are is seen, not told by their redness.
    pigment = pigment * near * (1.0 - survey.lips)
    mouth = survey.lips > 0.9
    if mouth.sum() >= 6:
        own = np.log(np.maximum(level[mouth], 1e-4) / float(survey.skin @ LUMA) / survey.low[mouth]) - pigment[mouth]
        pigment = pigment + survey.lips * np.float32(np.clip(np.median(own), -1.2, 0.7))
    wanted = np.exp(pigment, dtype=np.float32) * np.float32(survey.skin @ LUMA)
    return np.asarray(cv2.resize(wanted, (hw[1], hw[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _shine(crop: F32, level: F32, *, survey: _Survey, colour: F32, model: _Model, expected: F32) -> F32:
    """Mirrored light (h, w) in units of the light's colour.

    The combination of the channels that is 0 for skin, 0 for a change of its blood, and 1 for the light's colour; but
    no more than what is brighter than the smooth shading, so that burnt-out skin does not turn grey without it.
    """
    skin, (h, w) = survey.skin, level.shape
    rows = np.stack([skin / skin.sum(), skin * model.blood / np.linalg.norm(skin), colour.astype(np.float64)])
    dual = np.linalg.solve(rows + 1e-9 * np.eye(3), np.array([0.0, 0.0, 1.0]))
    dual = dual / max(1.0, float(np.linalg.norm(dual)) / 8.0)
    values = survey.small[survey.bare > 0.9] @ dual.astype(np.float32)
    floor = float(np.median(np.abs(values - np.median(values)))) * 1.5 + 0.004 if len(values) else 0.02
    found = cv2.transform(crop, dual.astype(np.float32)[None]) - np.float32(floor)
    mouth = survey.lips > 0.9
    if mouth.sum() >= 6:
        # Lips are redder than blood alone makes skin; only what differs from lip to lip place is mirrored.
        usual = float(np.percentile(survey.small[mouth] @ dual.astype(np.float32), LIP_SHARE)) - floor
        found -= np.float32(max(usual, 0.0)) * cv2.resize(survey.lips, (w, h), interpolation=cv2.INTER_LINEAR)
    # Wet lips mirror light all over: their median is not free of it.
    low = survey.low * (1.0 - np.float32(0.3) * survey.lips)
    smooth = cv2.resize(low, (w, h), interpolation=cv2.INTER_LINEAR) * expected
    most = cv2.subtract(level, smooth)
    most *= np.float32(0.95 / float(LUMA @ colour))
    np.minimum(found, most, out=found)
    np.maximum(found, np.float32(0.0), out=found)
    veil = np.minimum(level, np.float32(LUMA @ skin))
    return np.asarray(cv2.scaleAdd(veil, VEIL / float(LUMA @ skin), found), np.float32)


def _fixed(points: AnyArray) -> AnyArray:
    """Points in the 28.4 fixed point that OpenCV draws with `shift=4`."""
    return np.rint(np.asarray(points) * 16.0).astype(np.int32)
