"""The colour of somebody's skin under D65, with its uncertainty, from one photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mojing.core.arrays import F64, U8, AnyArray, readonly
from mojing.core.color import delta_e_2000, ita, linear_to_srgb, rgb_to_lab, to_uint8
from mojing.core.errors import InputError
from mojing.makeup.bare import BareSkin, bare_skin
from mojing.makeup.card import Card
from mojing.makeup.light import Light, read_light, refuse_mixed, sides_apart, to_d65, white_of
from mojing.makeup.places import Closeup, closeup, log_chroma, luminance
from mojing.perception.faceview import FaceView

DRAWS: Final = 300
"""Skin colours drawn from what is known of light and skin: enough for the ends of a 90 % interval."""
FINE: Final = 4.0
WIDE: Final = 8.0
"""A skin colour that lies within FINE (CIEDE2000, nine times in ten) is called good, within WIDE rough, else uncertain.
Neighbouring shades of one foundation are some 2 to 4 apart."""
_HUES: Final = (5.0, 100.0)
"""Hue angles in degrees outside which no skin lies: if it seems to, the light was misjudged."""
USUAL_HUE: Final = (51.1, -0.05)
"""Hue angle of skin of lightness L* on our portraits, degrees: first number plus second times L*; all tones weigh
alike (tools/shade_calibrate.py). Half of all portraits lie within the 4 degrees that are called neutral."""
_NEUTRAL: Final = 4.0
"""Degrees of hue on either side of the usual that are called neutral."""


@dataclass(frozen=True, eq=False)
class SkinColour:
    """Skin under D65.

    Attributes:
        lab: (3,) CIE Lab, the best guess.
        draws: (300, 3) Lab of skins that it may be, each as likely as its probability.
        linear: (3,) linear sRGB in 0..1 of the best guess.
        light: the light that it was seen in.
        skin: the skin as the camera saw it.
        notices: what should be told.
    """

    lab: F64
    draws: F64
    linear: F64
    light: Light
    skin: BareSkin
    notices: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("lab", "draws", "linear"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    @property
    def cov(self) -> F64:
        """Covariance (3, 3) of Lab: the uncertainty ellipsoid."""
        return np.cov(self.draws.T)

    @property
    def radius(self) -> float:
        """CIEDE2000 within which the true colour lies nine times in ten, if all assumptions hold."""
        return float(np.quantile(delta_e_2000(self.draws, self.lab), 0.9))

    @property
    def certainty(self) -> str:
        """good, rough or uncertain: whether the colour is known well enough to choose a shade by."""
        return "good" if self.radius <= FINE else "rough" if self.radius <= WIDE else "uncertain"

    @property
    def hue(self) -> float:
        """Hue angle in degrees: 0 red, 90 yellow."""
        return float(hue_of(self.lab))

    @property
    def ita(self) -> float:
        """Individual typology angle in degrees."""
        return float(ita(self.lab))

    @property
    def hex(self) -> str:
        """The best guess as #rrggbb."""
        return hex_of(self.linear)

    def undertone(self) -> tuple[str, float]:
        """warm, neutral or cool beside other skin of that lightness, and its probability; "unknown" below a half."""
        beyond = hue_of(self.draws) - (USUAL_HUE[0] + USUAL_HUE[1] * self.draws[:, 0])
        shares = {
            "cool": float((beyond < -_NEUTRAL).mean()),
            "neutral": float((np.abs(beyond) <= _NEUTRAL).mean()),
            "warm": float((beyond > _NEUTRAL).mean()),
        }
        name = max(shares, key=lambda n: shares[n])
        return (name if shares[name] >= 0.5 else "unknown"), shares[name]

    def to_json(self) -> dict[str, Any]:
        """Figures for a report."""
        name, sure = self.undertone()
        low, high = np.quantile(self.draws, [0.05, 0.95], axis=0)
        return {
            "lab_d65": [round(float(v), 2) for v in self.lab],
            "lab_90_percent": [[round(float(a), 2), round(float(b), 2)] for a, b in zip(low, high, strict=True)],
            "lab_cov": [[round(float(v), 3) for v in row] for row in self.cov],
            "radius_de00": round(self.radius, 2),
            "certainty": self.certainty,
            "hex": self.hex,
            "ita_degrees": round(self.ita, 1),
            "hue_degrees": round(self.hue, 1),
            "undertone": {"name": name, "probability": round(sure, 2)},
            "places": {"used": list(self.skin.used), "left_out": dict(self.skin.left_out)},
            "light": self.light.to_json(),
            "notices": list(self.notices),
        }


def skin_colour(rgb: U8, face: FaceView, *, card: Card | None = None) -> SkinColour:
    """Read the skin colour of a face in a photo uint8 (H, W, 3).

    Raises:
        InputError: covered, dark, overexposed, mixed_light, coloured_light.
    """
    return skin_of(closeup(rgb, face), card=card)


def skin_of(view: Closeup, *, card: Card | None = None) -> SkinColour:
    """The same from a close-up that was made already."""
    refuse_mixed(sides_apart(view))
    skin = bare_skin(view)
    light = read_light(view, skin=skin, card=card)
    linear = np.clip(to_d65(skin.colour, white=light.white), 1e-4, 1.0)
    lab = lab_of(linear)
    rng = np.random.default_rng(0)
    draws = lab_of(to_d65(_seen(skin, rng), white=light.draw(rng, DRAWS)))
    if not _HUES[0] <= float(hue_of(lab)) <= _HUES[1]:
        raise InputError(
            "coloured_light",
            f"the skin would have a hue of {float(hue_of(lab)):.0f} degrees, which none has",
            "take the photo in daylight or under one white lamp, or hold a grey card (--card)",
        )
    return SkinColour(lab, draws, linear, light, skin, light.notices)


def _seen(skin: BareSkin, rng: np.random.Generator) -> F64:
    """Colours (300, 3) that the skin may have had in the photo."""
    middle = np.array([np.log(float(luminance(skin.colour))), *log_chroma(skin.colour)])
    values = rng.multivariate_normal(middle, skin.cov, size=DRAWS, method="cholesky")
    return white_of(values[:, 1:], level=np.exp(values[:, 0]))


def lab_of(linear: AnyArray) -> F64:
    """Lab (..., 3) of linear light, clipped to what sRGB can show."""
    return rgb_to_lab(linear_to_srgb(linear))


def hue_of(lab: AnyArray) -> F64:
    """Hue angle in degrees, -180..180, of Lab (..., 3)."""
    lab = np.asarray(lab, np.float64)
    return np.asarray(np.degrees(np.arctan2(lab[..., 2], lab[..., 1])), np.float64)


def hex_of(linear: AnyArray) -> str:
    """#rrggbb of linear light (3,)."""
    r, g, b = (int(v) for v in to_uint8(linear_to_srgb(np.asarray(linear))))
    return f"#{r:02x}{g:02x}{b:02x}"
