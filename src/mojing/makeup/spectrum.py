"""Colour of a surface whose reflectance was measured, under daylight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from mojing.core.arrays import F32, F64

WAVELENGTHS: Final[tuple[int, ...]] = tuple(range(400, 701, 10))
"""nm, where a spectrum is given: 31 values."""

# CIE 015:2018 (D65, relative) and CIE 1931, 2 degrees: x, y, z; one row for every wavelength.
# fmt: off
_D65 = np.array([
    82.7549, 91.4860, 93.4318, 86.6823, 104.865, 117.008, 117.812, 114.861, 115.923, 108.811, 109.354, 107.802,
    104.790, 107.689, 104.405, 104.046, 100.000, 96.3342, 95.7880, 88.6856, 90.0062, 89.5991, 87.6987, 83.2886,
    83.6992, 80.0268, 80.2146, 82.2778, 78.2842, 69.7213, 71.6091,
])
_OBSERVER = np.array([
    [0.01431, 0.000396, 0.06785], [0.04351, 0.00121, 0.2074], [0.13438, 0.0040, 0.6456], [0.2839, 0.0116, 1.3856],
    [0.34828, 0.0230, 1.74706], [0.3362, 0.0380, 1.77211], [0.2908, 0.0600, 1.6692], [0.19536, 0.09098, 1.28764],
    [0.09564, 0.13902, 0.81295], [0.03201, 0.20802, 0.46518], [0.0049, 0.3230, 0.2720], [0.0093, 0.5030, 0.1582],
    [0.06327, 0.7100, 0.07825], [0.1655, 0.8620, 0.04216], [0.2904, 0.9540, 0.0203], [0.43345, 0.99495, 0.00875],
    [0.5945, 0.9950, 0.0039], [0.7621, 0.9520, 0.0021], [0.9163, 0.8700, 0.00165], [1.0263, 0.7570, 0.0011],
    [1.0622, 0.6310, 0.0008], [1.0026, 0.5030, 0.00034], [0.85445, 0.3810, 0.00019], [0.6424, 0.2650, 0.00005],
    [0.4479, 0.1750, 0.00002], [0.2835, 0.1070, 0.0], [0.1649, 0.0610, 0.0], [0.0874, 0.0320, 0.0],
    [0.04677, 0.0170, 0.0], [0.0227, 0.00821, 0.0], [0.01136, 0.004102, 0.0],
])
# fmt: on
_XYZ_TO_RGB = np.linalg.inv(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def weights() -> F64:
    """(31, 3): how much each wavelength adds to linear red, green, blue; a perfect white comes out as (1, 1, 1)."""
    xyz = _D65[:, None] * _OBSERVER
    white = np.linalg.inv(_XYZ_TO_RGB).sum(axis=1)
    return np.asarray((xyz / xyz.sum(axis=0) * white) @ _XYZ_TO_RGB.T, np.float64)


_WEIGHTS = weights()


def linear_of_spectrum(reflectance: Sequence[float]) -> F32:
    """Linear light (3,) float32 in 0..1 of a reflectance (31,) in 0..1 at `WAVELENGTHS`, under D65.

    Weighted sum over 10 nm steps (CIE 015:2018, section 7.2); colours outside sRGB are clipped.
    """
    assert len(reflectance) == len(WAVELENGTHS)
    rgb = np.asarray(reflectance, np.float64) @ _WEIGHTS
    return np.clip(rgb, 0.0, 1.0).astype(np.float32)
