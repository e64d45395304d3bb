"""Faces of known albedo and light: what a product on them must look like is known to the last decimal.

The mean mesh is turned, rasterised, and given skin from spectra (`eval.skinspectra`) with pores, freckles, brows and
lips; it stands in a light of known colour and direction, is photographed by a camera whose white balance is right only
in part, and can be photographed again with other albedo in the same light with the same noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, readonly
from mojing.core.color import linear_to_srgb, srgb_to_linear, to_uint8
from mojing.eval.skinspectra import BLOOD, MONK, linear_of, melanin_of, reflectance, skin
from mojing.eval.syntheticskin import TEXTURE, Texture, texture
from mojing.eval.syntheticstage import FINE, SCLERA, Pose, Stage, stage_of


@dataclass(frozen=True)
class Light:
    """Light of a scene and the camera that looks at it.

    Attributes:
        key_cct, fill_cct: colour temperature in K of the directed and of the surrounding light.
        direction: from the face to the key light: x to the wearer's left, y down, z towards the camera is negative.
        fill: share of the surrounding light in what a surface that faces the key gets, 0..1.
        balanced: how much of the key's colour the camera takes out, 0 (nothing) to 1 (all).
        exposure: linear value 0..1 of a white surface that faces the key.
        noise: standard deviation of sensor noise at mid grey, linear.
        gloss: how much the skin shines, 1 is usual.
        shadows: whether nose and brows cast them.
        curve: how much contrast the camera adds, 0 (none: plain sRGB) to about 0.4 (a phone).
    """

    name: str
    key_cct: float = 6500.0
    fill_cct: float = 6500.0
    direction: tuple[float, float, float] = (0.2, -0.4, -1.0)
    fill: float = 0.45
    balanced: float = 1.0
    exposure: float = 0.95
    noise: float = 0.004
    gloss: float = 1.0
    shadows: bool = False
    curve: float = 0.0


LIGHTS: tuple[Light, ...] = (
    Light("daylight"),
    Light("window", 6500.0, 7500.0, direction=(0.9, -0.3, -0.7), fill=0.35, balanced=0.95, exposure=0.9, shadows=True),
    Light("lamp", 2900.0, 3400.0, direction=(-0.3, -0.8, -0.8), fill=0.4, balanced=0.85, exposure=0.85, noise=0.008),
    Light("shade", 7800.0, 8000.0, direction=(0.0, -0.9, -0.5), fill=0.7, balanced=0.85, exposure=0.8),
    Light("sun", 5400.0, 8000.0, direction=(-0.6, -0.6, -0.8), fill=0.25, balanced=1.0, gloss=1.8, shadows=True),
    Light("dim", 3800.0, 3800.0, direction=(0.1, -0.3, -1.0), fill=0.5, balanced=0.9, exposure=0.45, noise=0.012),
    Light("phone", 5600.0, 6500.0, direction=(0.4, -0.6, -0.9), exposure=0.95, shadows=True, curve=0.4),
)
"""Seven lights from 2,900 to 8,000 K: front, side, above; right and wrong white balance; bright and dim. The last is
seen by a camera that adds contrast, which makes colours stronger than they are; nothing in the photo tells of it."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A photographed synthetic face: `rgb` uint8 (H, W, 3), its mesh (478, 3), and the means to take it again."""

    rgb: U8
    mesh: F32
    stage: Stage
    albedo: F32
    light: Light
    irradiance: F32
    gloss: F32
    grain: F32

    def again(self, change: Callable[[F32], F32]) -> U8:
        """The same photo with the albedo (h, w, 3), `FINE` times finer than the photo, put through `change`."""
        return _expose(change(self.albedo) * self.irradiance + self.gloss, self.light, grain=self.grain)

    def bare(self) -> F32:
        """Albedo (H, W, 3) in linear light at the photo's size."""
        return _shrink(self.albedo)


def tone_albedo(tone: int, *, swatch: bool = False) -> F32:
    """Mean albedo (3,) linear of tone 1 (lightest) to 10: of skin from spectra, or the Monk scale's own swatch."""
    if swatch:
        code = MONK[tone - 1]
        return srgb_to_linear(np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.uint8))
    return linear_of(reflectance(np.asarray(melanin_of(tone)), np.asarray(BLOOD)))


def photograph(tone: int, light: Light, *, pose: Pose | None = None, seed: int = 0, swatch: bool = False) -> Scene:
    """A face of one of ten tones in one light.

    `swatch` takes the Monk scale's swatch as the skin's mean colour and only the variation from spectra; those of the
    scale's light end are lighter than any measured skin.
    """
    rng = np.random.default_rng(seed)
    stage = stage_of(pose or Pose())
    look = texture(seed)
    albedo = _albedo(stage, look, tone, swatch=swatch)
    irradiance = _irradiance(stage, light)
    gloss = _gloss(stage, look, light)
    grain = rng.standard_normal((*stage.hw, 3)).astype(np.float32)
    rgb = _expose(albedo * irradiance + gloss, light, grain=grain)
    return Scene(readonly(rgb), stage.mesh, stage, readonly(albedo), light, irradiance, gloss, grain)


def _albedo(stage: Stage, look: Texture, tone: int, *, swatch: bool) -> F32:
    own = melanin_of(tone)
    face = skin(np.clip(own * look.melanin, 0.004, 0.8), BLOOD * look.blood)
    if swatch:
        face = face * (tone_albedo(tone, swatch=True) / tone_albedo(tone))
    # Hair over skin: brows of dark and fair people differ less than their skin does.
    brow = np.array([0.035, 0.026, 0.02], np.float32) * (2.2 if tone <= 2 else 1.0)
    face = face * (1 - look.brow[..., None]) + brow * look.brow[..., None]
    on_face = _worn(face, stage)
    matte = stage.matte.copy()
    # The white of the eye differs between people: whiter or darker, bluish or yellow.
    white = np.random.default_rng([look.seed, 1]).normal([0.0, 0.0], [0.07, 0.06])
    eyes = np.all(np.abs(matte - np.array(SCLERA, np.float32)) < 0.02, axis=2)
    matte[eyes] *= np.exp(white[0] + white[1] * np.array([0.5, 0.0, -1.0])).astype(np.float32)
    neck = matte[..., 0] < 0
    matte[neck] = tone_albedo(tone, swatch=swatch) * 0.92
    cover = stage.cover[..., None]
    return np.asarray(on_face * cover + matte * (1 - cover), np.float32)


def _worn(flat: F32, stage: Stage) -> F32:
    """A map of the flat layout (s, s[, n]) on the face (h, w[, n]), made smaller first where the face is small."""
    size = min(TEXTURE, int(7.0 * stage.unit * FINE))
    if size < TEXTURE:
        flat = np.asarray(cv2.resize(flat, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    xy = np.nan_to_num(stage.uv * (size - 1), nan=-1.0).astype(np.float32)
    return np.asarray(cv2.remap(flat, xy, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _irradiance(stage: Stage, light: Light) -> F32:
    """Light (h, w, 3) that falls on each point, as the camera records white."""
    way = np.asarray(light.direction, np.float32)
    way = way / np.linalg.norm(way)
    facing = np.clip(stage.normal @ way, 0.0, None)
    # Light that enters skin comes out a little farther on, so that the edge of shade is soft.
    facing = cv2.GaussianBlur(facing, (0, 0), stage.unit / 42.0 * FINE)
    if light.shadows:
        facing = facing * _shadow(stage, way)
    around = 0.75 - 0.25 * stage.normal[..., 1]
    key, fill = light_rgb(light)
    direct = (1 - light.fill) * facing[..., None] * key
    return np.asarray((direct + light.fill * around[..., None] * fill) * stage.shade[..., None], np.float32)


def light_rgb(light: Light) -> tuple[F32, F32]:
    """Colour (3,) of key and fill as the camera records them on white, brightness 1 before exposure."""
    key, fill = planck(light.key_cct), planck(light.fill_cct)
    gain = key**light.balanced
    luma = np.array([0.2126, 0.7152, 0.0722])
    key, fill = key / gain, fill / gain
    return (key / (key @ luma)).astype(np.float32), (fill / (fill @ luma)).astype(np.float32)


def planck(kelvin: float) -> F64:
    """Linear sRGB (3,) of a black body on a white wall, (1, 1, 1) at 6500 K."""
    nm = np.arange(400.0, 701.0, 10.0)

    def power(t: float) -> F64:
        return np.asarray(nm**-5 / np.expm1(1.4388e7 / (nm * t)), np.float64)

    ratio = power(kelvin) / power(6500.0)
    rgb = linear_of(ratio / ratio.mean()).astype(np.float64)
    return np.asarray(np.maximum(rgb, 0.02) / rgb[1], np.float64)


def _gloss(stage: Stage, look: Texture, light: Light) -> F32:
    """Light (h, w, 3) mirrored by the skin's surface: a sharp and a broad lobe (Blinn-Phong), Schlick's Fresnel."""
    way = np.asarray(light.direction, np.float32)
    half = way / np.linalg.norm(way) + np.array([0, 0, -1.0], np.float32)
    half = half / np.linalg.norm(half)
    oil, bump = _worn(look.oil, stage), _worn(look.bump, stage)
    normal = stage.normal + np.stack([bump[..., 0], bump[..., 1], np.zeros_like(oil)], axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    aligned = np.clip(normal @ half, 0.0, 1.0)
    edge = (1 - np.clip(-normal[..., 2], 0.0, 1.0)) ** 5
    lobes = 0.7 * aligned**60 * 62 / 8 + 0.3 * aligned**12 * 14 / 8
    key, fill = light_rgb(light)
    fresnel = 0.028 + 0.3 * edge
    direct = (fresnel * lobes * oil)[..., None] * key * (1 - light.fill)
    around = (0.5 * fresnel * oil)[..., None] * fill * light.fill
    return np.asarray(light.gloss * (direct + around) * (stage.cover * stage.shade)[..., None], np.float32)


def _shadow(stage: Stage, way: F32) -> F32:
    """Share (h, w) of the key light that reaches each point: rays through the depth map, softened."""
    h, w = stage.depth.shape
    grid = np.stack(np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)), axis=2)
    lit = np.ones((h, w), np.float32)
    reach = 0.5 * float(np.ptp(stage.mesh[:, 0])) * FINE
    for step in np.linspace(0.02, 1.0, 24, dtype=np.float32):
        at = (grid + way[:2] * step * reach).astype(np.float32)
        seen = cv2.remap(stage.depth, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        ray = stage.depth + way[2] * step * reach / FINE
        lit = np.minimum(lit, (seen > ray - stage.unit / 56.0).astype(np.float32))
    return np.asarray(0.08 + 0.92 * cv2.GaussianBlur(lit, (0, 0), stage.unit / 28.0 * FINE), np.float32)


def _expose(light_in: F32, light: Light, *, grain: F32) -> U8:
    """Linear light (h, w, 3) to an sRGB photo: exposure, shot and read noise, clipping."""
    value = _shrink(light_in) * np.float32(light.exposure)
    sigma = light.noise * np.sqrt(np.clip(value, 0.0, 1.0) / 0.18 * 0.8 + 0.2)
    encoded = linear_to_srgb(value + sigma * grain)
    if light.curve:
        encoded = encoded + light.curve * 2 * (encoded - 0.5) * encoded * (1 - encoded)
    return to_uint8(encoded)


def _shrink(fine: F32) -> F32:
    """Mean of every `FINE` by `FINE` samples: (h, w[, 3]) to the photo's size."""
    h, w = fine.shape[:2]
    return np.asarray(cv2.resize(fine, (w // FINE, h // FINE), interpolation=cv2.INTER_AREA), np.float32)


def card(scene: Scene) -> F32:
    """Linear light (3,) that the camera records of a white card held to the face, lit as most of its skin is."""
    light = _shrink(scene.irradiance) * np.float32(scene.light.exposure)
    level = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    skin = _shrink(scene.stage.cover) > 0.99
    low, high = np.percentile(level[skin], [35, 80])
    return np.asarray(light[skin & (level >= low) & (level <= high)].mean(axis=0), np.float32)
