"""Photos of real faces with more or less melanin, or in another light: skin tones that a set of photos lacks.

A photo of skin is albedo times shading plus gloss. Melanin lies above everything else and takes light away in its own
proportions (Tsumura et al. 2003), so another tone is a factor on the part that came through the skin, taken from the
pigment model; gloss, which never entered the skin, stays as it was: that is why dark skin shines.
Eyes, teeth, hair and all that is not skin stay as they are; lips change less, as they hold less melanin.
The results are for testing and training, not for showing somebody another skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.core.blend import guided_upsample
from mojing.core.color import linear_to_srgb, rgb_to_lab, srgb_to_linear, to_uint8
from mojing.makeup.pigment import USUAL_BLOOD, skin_albedo
from mojing.perception import facemesh as fm
from mojing.perception.faceview import FaceView

WORK = 256
"""Long side in px at which the skin is looked for."""
LIP_MELANIN = 0.75
"""How much of a change of melanin reaches the lips."""
WASHED_OUT = 0.9
"""Cameras show light skin paler than it is. So much of the difference between the photo's skin and the pigments' own
colour is taken to come from that and goes with the lightness; the rest is taken to be the light's colour and stays."""


@dataclass(frozen=True)
class NewLight:
    """Another light on a face.

    Attributes:
        direction: where the light comes from: x to the wearer's left, y down, z towards the camera is negative.
        strength: 0 leaves the photo's own shading, 1 halves the light where the face turns away by 90 degrees.
        colour: (3,) linear factors of the light's colour on the whole photo.
        exposure: factor on the whole photo.
        noise: standard deviation of sensor noise at mid grey, linear.
    """

    direction: tuple[float, float, float] = (0.0, 0.0, -1.0)
    strength: float = 0.0
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    exposure: float = 1.0
    noise: float = 0.0


def melanin_seen(rgb: U8, face: FaceView) -> float:
    """Melanin 0..1, as `skin_albedo` counts it, of a face (H, W, 3), from the lightness of its cheeks as photographed.

    Exposure is taken to be usual; it cannot be told from one photo, so this is a rough figure.
    """
    h, w = rgb.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    for ring in (_CHEEK, tuple(int(fm.mirror()[i]) for i in _CHEEK)):
        cv2.fillPoly(mask, [np.rint(face.mesh[list(ring), :2]).astype(np.int32)], 255)
    pixels = rgb[mask > 0]
    if not len(pixels):
        return 0.3
    lightness = float(np.median(rgb_to_lab(pixels)[:, 0])) - 4.0  # the share of gloss
    scale = np.linspace(0.0, 1.0, 101)
    known = rgb_to_lab(linear_to_srgb(skin_albedo(scale, np.full_like(scale, USUAL_BLOOD))))[:, 0]
    return float(np.interp(-lightness, -known, scale))


def retone(rgb: U8, face: FaceView, *, melanin: float, brighten: float = 0.25) -> U8:
    """The photo (H, W, 3) with skin of `melanin` 0..1 (0 lightest, 1 darkest; L* 71 to 27).

    `brighten`: the share of the skin's loss of lightness that the camera makes up for by exposing longer, 0..1.
    """
    now = melanin_seen(rgb, face)
    linear = srgb_to_linear(rgb)
    skin, lips = skin_mask(rgb, face), _lips(face, rgb.shape[:2])
    gloss = _gloss(linear, face, skin=skin)
    before = skin_albedo(np.asarray(now), np.asarray(USUAL_BLOOD)).astype(np.float64)
    after = skin_albedo(np.asarray(melanin), np.asarray(USUAL_BLOOD)).astype(np.float64)
    seen = _usual(linear - gloss, skin * (1 - lips))
    washed = (seen / seen.sum()) / (before / before.sum())
    density = np.log(before * washed**WASHED_OUT / after)
    amount = skin * (1 - (1 - LIP_MELANIN) * lips)
    factor = np.exp(-amount[..., None] * density.astype(np.float32))
    luma = np.array([0.2126, 0.7152, 0.0722])
    gain = float((before @ luma) / (after @ luma)) ** brighten
    out = np.clip(linear - gloss, 0.0, 1.0) * factor + gloss
    return to_uint8(linear_to_srgb(out * _rolled(gain, out)))


def relight(rgb: U8, face: FaceView, *, light: NewLight, rng: np.random.Generator) -> U8:
    """The photo (H, W, 3) with more light from one side, of another colour, exposure and noise."""
    linear = srgb_to_linear(rgb)
    way = np.asarray(light.direction, np.float64)
    way = way / np.linalg.norm(way)
    facing = normals(face, rgb.shape[:2]) @ way
    shade = 1.0 + light.strength * 0.5 * (facing - max(float(facing.mean()), 0.2))
    out = linear * np.clip(shade, 0.1, None)[..., None] * np.asarray(light.colour) * light.exposure
    sigma = light.noise * np.sqrt(np.clip(out, 0.0, 1.0) / 0.18 * 0.8 + 0.2)
    out = out + sigma * rng.standard_normal(out.shape)
    return to_uint8(linear_to_srgb(out))


def normals(face: FaceView, hw: tuple[int, int]) -> F32:
    """Smooth unit normals (H, W, 3) of the face, z negative to the camera; what lies around looks at the camera."""
    h, w = hw
    mesh, triangles = face.mesh.astype(np.float64), fm.triangles()
    corner = mesh[triangles]
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    flat *= -np.sign(flat[:, 2].sum())
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    scale = min(1.0, WORK / max(h, w))
    out = np.zeros((max(1, round(h * scale)), max(1, round(w * scale)), 3), np.float32)
    out[:] = (0.0, 0.0, -1.0)
    for t in np.argsort(-corner[:, :, 2].mean(axis=1)):
        if flat[t, 2] < 0:
            points = np.rint(corner[t, :, :2] * scale * 16).astype(np.int32)
            cv2.fillConvexPoly(out, points, tuple(float(v) for v in flat[t]), shift=4)
    out = cv2.GaussianBlur(out, (0, 0), max(1.0, 0.12 * face.inter_ocular * scale))
    out = cv2.resize(out, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=2, keepdims=True), 1e-6), np.float32)


def skin_mask(rgb: U8, face: FaceView) -> F32:
    """Share (H, W) 0..1 of bare skin: of the face, and what has its colour near it (ears, neck)."""
    h, w = rgb.shape[:2]
    scale = min(1.0, WORK / max(h, w))
    wh = max(1, round(w * scale)), max(1, round(h * scale))
    small = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA)
    mesh = face.mesh[:, :2] * scale
    unit = face.inter_ocular * scale
    oval, eyes = _fill(mesh, (fm.OVAL,), wh), _fill(mesh, (fm.LEFT_EYE, fm.RIGHT_EYE, fm.LIPS_INNER), wh)
    sure = (oval > 0.5) & (_fill(mesh, (fm.LEFT_BROW, fm.RIGHT_BROW, fm.LIPS_OUTER), wh) + eyes < 0.1)
    alike = _alike(small, sure)
    far = cv2.distanceTransform((oval < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / max(unit, 1.0)
    around = _joined(_cut(small, sure=sure, maybe=(alike > 0.35) & (far < 0.8), far=far), oval) * alike
    inside = oval * np.clip(0.25 + 1.5 * alike, 0.0, 1.0)
    lips = _fill(mesh, (fm.LIPS_OUTER,), wh)
    mask = np.maximum(np.maximum(inside, around), 0.9 * lips) * (1 - eyes)
    mask = cv2.GaussianBlur(np.asarray(mask, np.float32), (0, 0), 0.8)
    whole = guided_upsample(mask, rgb, radius=max(2, round(0.05 * unit)), eps=2e-3)
    shut = _fill(face.mesh[:, :2], (fm.LEFT_EYE, fm.RIGHT_EYE, fm.LIPS_INNER), (w, h))
    return np.asarray(whole * (1 - cv2.GaussianBlur(shut, (0, 0), max(0.3, 0.01 * face.inter_ocular))), np.float32)


def _alike(small: U8, sure: AnyArray) -> F32:
    """How much (h, w) 0..1 each pixel has the sure skin's colour: chromaticity by its spread, brightness widely."""
    linear = srgb_to_linear(small) + np.float32(1e-3)
    log = np.log(linear)
    chroma = np.stack([log[..., 0] - log[..., 1], log[..., 1] - log[..., 2]], axis=2)
    own = chroma[sure] if sure.any() else chroma.reshape(-1, 2)
    middle = np.median(own, axis=0)
    spread = np.cov((own - middle).T) + np.diag([0.004, 0.004])
    d = chroma - middle
    distance = np.einsum("hwi,ij,hwj->hw", d, np.linalg.inv(spread), d)
    bright = log.mean(axis=2)
    level = float(np.median(bright[sure])) if sure.any() else float(np.median(bright))
    too_dark = np.clip((level - 1.3 - bright) / 0.6, 0.0, None)
    return np.asarray(np.exp(-0.5 * np.clip(distance - 4.0, 0, None) / 4.0 - too_dark**2), np.float32)


def _cut(small: U8, *, sure: AnyArray, maybe: AnyArray, far: F32) -> F32:
    """Skin (h, w) 0 or 1 by graph cut between the colours of the face and those farther off (Rother et al. 2004)."""
    state = np.where(maybe, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    state[far > 1.3] = cv2.GC_BGD
    state[sure] = cv2.GC_FGD
    if not (far > 1.3).any() or not sure.any():
        return sure.astype(np.float32)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    state, *_ = cv2.grabCut(np.ascontiguousarray(small), state, None, *models, 2, cv2.GC_INIT_WITH_MASK)
    return np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)


def _joined(around: F32, oval: F32) -> F32:
    """What of `around` hangs together with the face."""
    on = ((around > 0.05) | (oval > 0.5)).astype(np.uint8)
    on = cv2.morphologyEx(on, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(on)
    kept = np.unique(labels[oval > 0.5])
    table = np.zeros(count, np.float32)
    table[kept[kept > 0]] = 1.0
    return np.asarray(around * table[labels], np.float32)


def _lips(face: FaceView, hw: tuple[int, int]) -> F32:
    h, w = hw
    mask = _fill(face.mesh[:, :2], (fm.LIPS_OUTER,), (w, h))
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.03 * face.inter_ocular)), np.float32)


def _gloss(linear: F32, face: FaceView, *, skin: F32) -> F32:
    """Mirrored light (H, W, 3): what makes a pixel of skin brighter and whiter than the skin around it.

    With the colour c of the skin around, blue over red q = c_b / c_r, a pixel is a c + s, so s = (b - q r) / (1 - q).
    """
    sigma = max(1.0, 0.35 * face.inter_ocular)
    luma = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    weight = skin**2 + np.float32(1e-4)
    usual = cv2.GaussianBlur(luma * weight, (0, 0), sigma) / cv2.GaussianBlur(weight, (0, 0), sigma)
    weight = weight * np.clip(1.5 - luma / np.maximum(usual, 1e-3), 0.02, 1.0)
    around = cv2.GaussianBlur(linear * weight[..., None], (0, 0), sigma)
    q = np.clip(around[..., 2] / np.maximum(around[..., 0], 1e-6), 0.0, 0.85)
    s = (linear[..., 2] - q * linear[..., 0]) / (1 - q)
    s = cv2.GaussianBlur(np.asarray(np.clip(s, 0.0, None), np.float32), (0, 0), max(0.6, 0.01 * face.inter_ocular))
    s = np.minimum(s, np.clip(0.5 * (luma - 1.2 * usual), 0.0, None)) * skin
    s = np.minimum(s, linear.min(axis=2))
    return np.asarray(np.repeat(s[..., None], 3, axis=2), np.float32)


def _usual(linear: F32, weight: F32) -> F64:
    """Mean (3,) of the pixels (H, W, 3) by weight."""
    total = np.einsum("hwc,hw->c", linear, weight, dtype=np.float64)
    return np.asarray(np.maximum(total / max(float(weight.sum()), 1e-6), 1e-3), np.float64)


def _rolled(gain: float, linear: F32) -> F32:
    """Longer exposure (H, W, 1) that does not burn out what was bright already."""
    peak = linear.max(axis=2, keepdims=True)
    return np.asarray(1.0 + (gain - 1.0) * np.clip(1.0 - peak, 0.0, 1.0) ** 0.5, np.float32)


def _fill(mesh: AnyArray, rings: tuple[tuple[int, ...], ...], wh: tuple[int, int]) -> F32:
    mask = np.zeros((wh[1], wh[0]), np.uint8)
    for ring in rings:
        points: F64 = np.asarray(mesh[list(ring), :2], np.float64)
        cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(mask, np.float32) / np.float32(255)


_CHEEK: tuple[int, ...] = (116, 117, 118, 101, 36, 205, 187, 123)
"""The right cheek, below the eye."""
