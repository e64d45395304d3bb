"""Colour: sRGB, linear light, CIE Lab (D65, 2 degrees), skin tone angle, and the CIEDE2000 difference.

sRGB is uint8 in 0..255 or float in 0..1; linear light is float in 0..1; Lab is float with L in 0..100.
"""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray

_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _RGB_TO_XYZ.sum(axis=1)
_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ)
_DELTA = 6.0 / 29.0


def _decode(values: AnyArray) -> F64:
    values = np.asarray(values, np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0.0) + 0.055) / 1.055) ** 2.4)


_LINEAR_OF_BYTE: F32 = _decode(np.arange(256) / 255.0).astype(np.float32)


def srgb_to_linear(srgb: AnyArray) -> F32:
    """Linear light, float32 of the same shape, from sRGB as uint8 0..255 or float 0..1 (IEC 61966-2-1)."""
    if srgb.dtype == np.uint8:
        return _LINEAR_OF_BYTE[srgb]
    return _decode(srgb).astype(np.float32)


def linear_to_srgb(linear: AnyArray) -> F32:
    """sRGB float32 in 0..1 from linear light; values outside 0..1 are clipped."""
    x = np.clip(np.asarray(linear, np.float64), 0.0, 1.0)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def to_uint8(srgb: AnyArray) -> U8:
    """Round float 0..1 to uint8 0..255, clipping what is outside."""
    return np.clip(np.rint(np.asarray(srgb) * 255.0), 0, 255).astype(np.uint8)


def luma(rgb: AnyArray) -> F32:
    """Brightness as the eye sees it (Rec. 709 luma of encoded sRGB), float32 HxW in 0..1, from uint8 or float HxWx3."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    if rgb.dtype == np.uint8:
        weights = weights / np.float32(255.0)
    return np.asarray(rgb.astype(np.float32) @ weights, np.float32)


def rgb_to_lab(srgb: AnyArray) -> F64:
    """CIE Lab float64 (..., 3) from sRGB (..., 3) as uint8 or float 0..1."""
    xyz = srgb_to_linear(np.asarray(srgb)).astype(np.float64) @ _RGB_TO_XYZ.T / _WHITE
    f = np.where(xyz > _DELTA**3, np.cbrt(xyz), xyz / (3 * _DELTA**2) + 4.0 / 29.0)
    return np.stack(
        [116.0 * f[..., 1] - 16.0, 500.0 * (f[..., 0] - f[..., 1]), 200.0 * (f[..., 1] - f[..., 2])], axis=-1
    )


def lab_to_rgb(lab: AnyArray) -> F32:
    """sRGB float32 (..., 3) in 0..1 from CIE Lab; colours outside sRGB are clipped."""
    lab = np.asarray(lab, np.float64)
    fy = (lab[..., 0] + 16.0) / 116.0
    f = np.stack([fy + lab[..., 1] / 500.0, fy, fy - lab[..., 2] / 200.0], axis=-1)
    xyz = np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4.0 / 29.0)) * _WHITE
    return linear_to_srgb(xyz @ _XYZ_TO_RGB.T)


def linear_to_xyz(linear: AnyArray) -> F64:
    """CIE XYZ float64 (..., 3) of linear sRGB light; white has Y = 1. Values may lie outside 0..1."""
    return np.asarray(np.asarray(linear, np.float64) @ _RGB_TO_XYZ.T, np.float64)


def xyz_to_linear(xyz: AnyArray) -> F64:
    """Linear sRGB light float64 (..., 3) of CIE XYZ, not clipped."""
    return np.asarray(np.asarray(xyz, np.float64) @ _XYZ_TO_RGB.T, np.float64)


def ita(lab: AnyArray) -> F64:
    """Individual typology angle of skin in degrees, about +55 very light to -30 and below dark, from Lab (..., 3).

    Chardon, Cretois, Hourseau 1991: atan((L - 50) / b). atan2 is used, so that b <= 0 stays defined.
    """
    lab = np.asarray(lab, np.float64)
    return np.asarray(np.degrees(np.arctan2(lab[..., 0] - 50.0, lab[..., 2])), np.float64)


def delta_e_2000(lab_a: AnyArray, lab_b: AnyArray) -> F64:
    """CIEDE2000 colour difference of Lab arrays (..., 3) that broadcast; 1 is about just noticeable.

    Sharma, Wu, Dalal 2005, equations 2-22, with kL = kC = kH = 1.
    """
    a, b = np.asarray(lab_a, np.float64), np.asarray(lab_b, np.float64)
    c_mean = (np.hypot(a[..., 1], a[..., 2]) + np.hypot(b[..., 1], b[..., 2])) / 2
    g = 0.5 * (1 - np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)))
    a1, a2 = (1 + g) * a[..., 1], (1 + g) * b[..., 1]
    c1, c2 = np.hypot(a1, a[..., 2]), np.hypot(a2, b[..., 2])
    h1, h2 = np.degrees(np.arctan2(a[..., 2], a1)) % 360, np.degrees(np.arctan2(b[..., 2], a2)) % 360
    grey = c1 * c2 == 0
    d_hue = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    # Exactly opposite hues: the paper takes +180 for h2 > h1, the modulo gives -180.
    d_hue = np.where(~grey & (h2 - h1 == 180), 180.0, d_hue)
    dl, dc = b[..., 0] - a[..., 0], c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(d_hue / 2))
    l_mean, c_mean = (a[..., 0] + b[..., 0]) / 2, (c1 + c2) / 2
    total = h1 + h2
    h_far = np.where(total < 360, (total + 360) / 2, (total - 360) / 2)
    h_mean = np.where(grey, total, np.where(np.abs(h1 - h2) <= 180, total / 2, h_far))
    t = (
        1
        - 0.17 * np.cos(np.radians(h_mean - 30))
        + 0.24 * np.cos(np.radians(2 * h_mean))
        + 0.32 * np.cos(np.radians(3 * h_mean + 6))
        - 0.20 * np.cos(np.radians(4 * h_mean - 63))
    )
    turn = 30 * np.exp(-(((h_mean - 275) / 25) ** 2))
    rc = 2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7))
    sl = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    sc, sh = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    rt = -np.sin(np.radians(2 * turn)) * rc
    x, y, z = dl / sl, dc / sc, dh / sh
    return np.asarray(np.sqrt(np.maximum(x**2 + y**2 + z**2 + rt * y * z, 0.0)), np.float64)
