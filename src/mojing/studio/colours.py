"""Colours as users name them, as the generator takes them, and the palette of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import ImageColor

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import delta_e_2000, lab_to_rgb, rgb_to_lab, to_uint8
from mojing.core.errors import InputError

LAB_MIDDLE: F32 = np.array([50.0, 0.0, 0.0], np.float32)
LAB_SPAN: F32 = np.array([50.0, 110.0, 110.0], np.float32)
"""The generator is told a colour as (Lab - LAB_MIDDLE) / LAB_SPAN, which is about -1..1 in sRGB."""

_SEED = 7


def parse_colour(text: str) -> tuple[int, int, int]:
    """RGB 0..255 of a CSS colour name (`teal`), a hex code (`#008080`, `088`), `rgb(...)` or `hsl(...)`.

    Names are those of Pillow's ImageColor, which keeps the CSS4 list.

    Raises:
        InputError: bad_colour.
    """
    word = text.strip().lower().replace(" ", "") if "(" not in text else text.strip().lower()
    for candidate in (word, f"#{word}"):
        try:
            red, green, blue = ImageColor.getrgb(candidate)[:3]
        except ValueError:
            continue
        return int(red), int(green), int(blue)
    raise InputError(
        "bad_colour", f"there is no colour {text!r}", hint="use a CSS name like teal, or a code like #008080"
    )


def to_condition(rgb: AnyArray) -> F32:
    """The generator's colour input (..., 3) float32, about -1..1, from sRGB uint8 or float 0..1 (..., 3)."""
    return np.asarray((rgb_to_lab(np.asarray(rgb)) - LAB_MIDDLE) / LAB_SPAN, np.float32)


def from_condition(condition: AnyArray) -> U8:
    """sRGB uint8 (..., 3) of a generator's colour input."""
    return to_uint8(lab_to_rgb(np.asarray(condition, np.float64) * LAB_SPAN + LAB_MIDDLE))


def hex_code(rgb: Sequence[int] | AnyArray) -> str:
    """`#rrggbb` of an RGB triple 0..255."""
    red, green, blue = (int(v) for v in rgb)
    return f"#{red:02x}{green:02x}{blue:02x}"


def nearest_name(rgb: Sequence[int] | AnyArray) -> str:
    """The CSS colour name nearest by CIEDE2000, for reports."""
    names = [name for name in ImageColor.colormap if "grey" not in name]
    table = np.array([ImageColor.getrgb(name)[:3] for name in names], np.uint8)
    gaps = delta_e_2000(rgb_to_lab(table), rgb_to_lab(np.array(list(rgb), np.uint8)))
    return names[int(gaps.argmin())]


def palette_of(rgb: U8, alpha: U8 | None = None, *, count: int = 5) -> U8:
    """The `count` main colours of a picture (H, W, 3), the most frequent first: uint8 (<= count, 3).

    k-means in Lab over at most 4,000 opaque pixels; colours nearer than 8 CIEDE2000 are one colour.
    """
    pixels = rgb.reshape(-1, 3) if alpha is None else rgb[alpha > 200]
    pixels = pixels[:: max(1, len(pixels) // 4000)]
    lab = np.ascontiguousarray(rgb_to_lab(pixels), np.float32)
    if not len(lab):
        return np.zeros((0, 3), np.uint8)
    cv2.setRNGSeed(_SEED)
    rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, labels, centres = cv2.kmeans(lab, min(count, len(lab)), None, rule, 2, cv2.KMEANS_PP_CENTERS)
    sizes = np.bincount(np.asarray(labels).ravel(), minlength=len(centres))
    kept: list[AnyArray] = []
    for index in np.argsort(-sizes, kind="stable"):
        if sizes[index] and all(float(delta_e_2000(centres[index], other)) > 8.0 for other in kept):
            kept.append(np.asarray(centres[index]))
    return to_uint8(lab_to_rgb(np.stack(kept)))
