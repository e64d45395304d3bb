"""The colours that skin can have: two pigments, melanin above and blood below, make nearly all of its colour.

Light crosses the epidermis, where melanin absorbs it, is scattered back by the dermis, where blood absorbs it, and
crosses the epidermis again (Jacques 2013; Tsumura et al. 2003). The constants were fitted to mean colours of measured
skin from very light (ITA above 55) to very dark (below -50), which the model meets to 0.6 of each of L*, a* and b*.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mojing.core.arrays import F32, F64, AnyArray
from mojing.makeup.spectrum import WAVELENGTHS, weights

# Molar extinction of oxygenated and bare haemoglobin at WAVELENGTHS, 1e5 / (cm M) (Prahl 1998).
# fmt: off
_OXY = np.array([
    2.66232, 4.66840, 4.80360, 2.46072, 1.02580, 0.62816, 0.44480, 0.33209, 0.26629, 0.23684, 0.20932, 0.20035,
    0.24202, 0.39957, 0.53236, 0.43016, 0.32613, 0.44496, 0.50104, 0.14401, 0.03200, 0.01506, 0.00942, 0.00610,
    0.00442, 0.00368, 0.00320, 0.00294, 0.00278, 0.00276, 0.00290,
])
_BARE = np.array([
    2.23296, 3.03956, 4.07560, 5.28600, 4.13280, 1.03292, 0.23389, 0.16156, 0.14550, 0.16684, 0.20862, 0.25774,
    0.31590, 0.39036, 0.46592, 0.53412, 0.53788, 0.45072, 0.37020, 0.28324, 0.14677, 0.09444, 0.06510, 0.05149,
    0.04345, 0.03750, 0.03227, 0.02795, 0.02408, 0.02052, 0.01794,
])
# fmt: on
_HAEMOGLOBIN: F64 = 0.75 * _OXY + 0.25 * _BARE

MOST_MELANIN: Final = 1.95
MOST_BLOOD: Final = 3.0
USUAL_BLOOD: Final = 0.42
"""Blood of a face at rest, as `skin_albedo` counts it."""


def skin_albedo(melanin: AnyArray | float, blood: AnyArray | float) -> F32:
    """Colour (..., 3) float32 in linear light of skin with `melanin` (...) 0..1 and `blood` (...) 0..1, under D65.

    Melanin runs about evenly in lightness, from L* 71 at 0 to 28 at 1.
    """
    wave = np.asarray(WAVELENGTHS, np.float64) / 500.0
    pigment = (0.03 + (MOST_MELANIN - 0.03) * np.asarray(melanin, np.float64) ** 2)[..., None]
    ratio = (MOST_BLOOD * np.asarray(blood, np.float64)[..., None] * _HAEMOGLOBIN + 0.110 * wave**-1.204) / wave**-1.247
    dermis = 1.0 + ratio - np.sqrt(ratio * ratio + 2.0 * ratio)
    spectrum = 0.0375 + 0.9625 * dermis * np.exp(-2.0 * pigment * (wave**-2.72 + 0.1045))
    return np.asarray(spectrum @ weights(), np.float32)
