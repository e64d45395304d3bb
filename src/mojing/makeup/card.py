"""A grey or white card in the photo: given by its place, or found as a row of grey squares as colour charts have."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F64, U8, AnyArray, readonly
from mojing.core.color import srgb_to_linear
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.makeup.places import CLIPPED, log_chroma, luminance

_HINT: Final = "hold the card beside the face, facing the camera, and give X,Y,WIDTH,HEIGHT of its plain part in pixels"
CHART_GREYS: Final = (0.90, 0.59, 0.36, 0.19, 0.09, 0.03)
"""Reflectances of the grey row of the common 24-patch chart, white to black (McCamy et al. 1976, rounded)."""
_ROW: Final = 4
"""Squares of one grey in a row without which a chart is not believed to be one."""


@dataclass(frozen=True, eq=False)
class Card:
    """A neutral surface.

    Attributes:
        box: where it is in the photo, px.
        colour: (3,) linear light as the camera saw it.
        reflectance: share of light that it reflects, 0..1; None where that is not known.
        how: "given" or "chart".
    """

    box: Box
    colour: F64
    reflectance: float | None
    how: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "colour", readonly(self.colour))


def read_card(rgb: U8, box: Box, *, reflectance: float | None = None) -> Card:
    """The card at a box given in px of the photo uint8 (H, W, 3); `reflectance` 0.18 for a usual grey card.

    Its outer tenth is left out. Whether it is neutral cannot be told under an unknown light; whether it is plain can.

    Raises:
        InputError: bad_card.
    """
    h, w = rgb.shape[:2]
    inside = box.pad(-0.1)
    if box.x0 < 0 or box.y0 < 0 or box.x1 > w or box.y1 > h or min(inside.width, inside.height) < 4:
        raise InputError("bad_card", f"the card at {_said(box)} is not inside the photo of {w}x{h}", _HINT)
    if reflectance is not None and not 0.02 <= reflectance <= 1.0:
        raise InputError("bad_card", f"a card cannot reflect {reflectance:g} of the light", "0.18 is a usual grey card")
    rows, cols = inside.slices((h, w))
    pixels = rgb[rows, cols].reshape(-1, 3)
    if (pixels.max(axis=1) >= CLIPPED).mean() > 0.1:
        raise InputError("bad_card", "the card is over-exposed", "take the photo with less light")
    colour = np.median(srgb_to_linear(pixels), axis=0).astype(np.float64)
    if luminance(colour) < 0.004:
        raise InputError("bad_card", "the card is too dark", _HINT)
    if _unevenness(pixels) > 0.12 or _strangers(pixels) > 0.15:
        raise InputError("bad_card", f"what is at {_said(box)} is not plain", _HINT)
    return Card(box, colour, reflectance, "given")


def _said(box: Box) -> str:
    return f"{box.x0:g},{box.y0:g},{box.width:g},{box.height:g}"


def _unevenness(pixels: U8) -> float:
    """Robust spread of the encoded colours of pixels (n, 3), relative to their level."""
    values = pixels.astype(np.float64)
    middle = np.median(values, axis=0)
    mad = 1.4826 * np.median(np.abs(values - middle), axis=0)
    return float((mad / np.maximum(middle, 12.0)).max())


def _strangers(pixels: U8) -> float:
    """Share of pixels (n, 3) that are clearly not of the middle colour."""
    values = pixels.astype(np.float64)
    middle = np.median(values, axis=0)
    return float((np.abs(values - middle) > 0.2 * middle + 6.0).any(axis=1).mean())


def find_card(rgb: U8) -> Card | None:
    """The grey row of a colour chart: at least four plain squares of one size in a row, of one colour but ever darker.

    None where there is none; a single grey patch is not looked for, because walls and shirts look like one.
    """
    h, w = rgb.shape[:2]
    factor = min(1.0, 1024.0 / max(h, w))
    small = cv2.resize(rgb, (round(w * factor), round(h * factor)), interpolation=cv2.INTER_AREA)
    squares = _squares(small)
    row = _best_row(small, squares)
    if row is None:
        return None
    boxes = [squares[i] for i in row]
    colours = np.array([_middle(small, b) for b in boxes])
    unclipped = [i for i in range(len(row)) if colours[i].max() < 0.95 and colours[i].min() > 0.01]
    if not unclipped:
        return None
    chosen = unclipped[0]
    box = Box(*(v / factor for v in (boxes[chosen].x0, boxes[chosen].y0, boxes[chosen].x1, boxes[chosen].y1)))
    return Card(box, colours[chosen], _reflectance(luminance(colours), chosen), "chart")


def _squares(small: U8) -> list[Box]:
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    edges = cv2.dilate(cv2.Canny(cv2.GaussianBlur(grey, (3, 3), 0), 20, 50), np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(255 - edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found: list[Box] = []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        plain = cv2.contourArea(contour) > 0.8 * w * h and 0.7 < w / h < 1.4
        if min(w, h) >= 10 and max(w, h) <= 200 and plain:
            box = Box(x, y, x + w, y + h)
            rows, cols = box.pad(-0.15).slices(small.shape[:2])
            if _unevenness(small[rows, cols].reshape(-1, 3)) < 0.05 and all(box.iou(b) < 0.3 for b in found):
                found.append(box)
    return found[:200]


def _middle(small: U8, box: Box) -> F64:
    rows, cols = box.pad(-0.2).slices(small.shape[:2])
    return np.asarray(np.median(srgb_to_linear(small[rows, cols].reshape(-1, 3)), axis=0), np.float64)


def _best_row(small: U8, squares: list[Box]) -> list[int] | None:
    """The longest row of squares of one size and chromaticity that get ever darker; indices, white first."""
    if len(squares) < _ROW:
        return None
    colours = np.array([_middle(small, b) for b in squares])
    centres = np.array([b.centre for b in squares])
    sizes = np.array([np.sqrt(b.area) for b in squares])
    best: list[int] | None = None
    for a, b in combinations(range(len(squares)), 2):
        step = centres[b] - centres[a]
        length = float(np.hypot(*step))
        if not 1.05 * sizes[a] < length < 1.7 * sizes[a] or abs(np.log(sizes[a] / sizes[b])) > 0.2:
            continue
        row = _walk(a, step=step, centres=centres, sizes=sizes)
        row = row if luminance(colours[row[0]]) >= luminance(colours[row[-1]]) else row[::-1]
        if len(row) >= _ROW and _is_grey_row(colours[row]) and (best is None or len(row) > len(best)):
            best = row
    return best


def _walk(start: int, *, step: F64, centres: F64, sizes: F64) -> list[int]:
    row = [start]
    while len(row) < 8:
        near = np.hypot(*(centres - centres[row[-1]] - step).T)
        nxt = int(near.argmin())
        if near[nxt] > 0.25 * sizes[start] or abs(np.log(sizes[nxt] / sizes[start])) > 0.2:
            break
        row.append(nxt)
    return row


def _is_grey_row(colours: F64) -> bool:
    light = luminance(colours)
    usable = (colours.min(axis=1) > 0.01) & (colours.max(axis=1) < 0.95)
    if usable.sum() < 3 or light[0] / max(light[-1], 1e-4) < 3.0:
        return False
    chroma = log_chroma(colours[usable])
    falling = bool((np.diff(np.log(np.maximum(light, 1e-4))) < -0.15).all())
    return falling and float(np.ptp(chroma, axis=0).max()) < 0.2


def _reflectance(light: AnyArray, chosen: int) -> float | None:
    """Reflectance of one square of a row, from the steps between the squares; None where they fit no chart."""
    greys = np.log(CHART_GREYS)
    rows = [greys[s : s + len(light)] for s in range(len(greys) - len(light) + 1)]
    if not rows:
        return None
    seen = np.log(np.maximum(np.asarray(light, np.float64), 1e-4))
    errors = [float(np.std(seen - row)) for row in rows]
    best = int(np.argmin(errors))
    return float(np.exp(rows[best][chosen])) if errors[best] < 0.15 else None
