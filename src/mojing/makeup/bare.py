"""The colour of somebody's bare skin as the camera saw it, before the light is known.

Cheeks, forehead, jaw and chin are read one by one; places that are shaded, bearded, covered, made up or over-exposed
are left out, and what is left is put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mojing.core.arrays import F64, readonly
from mojing.core.errors import InputError
from mojing.makeup.places import CLIPPED, Closeup, Patch, filled, luminance, outline, read

SKIN_PLACES: Final[dict[str, float]] = {
    "cheek_right": 1.0,
    "cheek_left": 1.0,
    "brow_right": 0.8,
    "brow_left": 0.8,
    "jaw_right": 0.6,
    "jaw_left": 0.6,
    "chin": 0.4,
}
"""Where skin is read, and how much a place counts: cheeks are large and even, jaw and chin often shaded or bearded."""

_MIN_PIXELS, _MIN_SHARE = 24, 0.3
_SHADE, _GLARE = 0.5, 0.4
"""Places darker than the usual level by more than the first (natural logarithm) are in shadow, or hair; those brighter
by more than the second shine. On dark skin gloss outshines the skin, so the brightest place is no measure."""
_SHINES: Final = "shines"
_GLOSS_OR_LIGHT: Final = 0.4
"""Share of the difference between what shines and the rest by which the level may be wrong: one photo cannot tell gloss
on dark skin from a lamp above light skin."""
_LEVEL: Final = 0.6
"""The usual level: this quantile of the places, by weight."""
_ODD: Final = 0.30
"""Places whose ln(R/G), ln(B/G) lie farther than this from the others' middle show something else than bare skin."""
_DARK_LEVEL: Final = 22.0
"""Encoded level of green below which noise and rounding decide about colour."""
_CLIPPED_SHARE: Final = 0.35
_DIM: Final = 0.10
"""Luminance of skin below which what it mirrors is no small part of what it shows."""
_SPOTS, _SHEEN = 0.08, 1.3
"""How much whiter, in luminances of the skin, the brighter pixels of a place are without gloss; and how much gloss lies
on all of it for one that they have more (faces from spectra with none to six times the usual gloss)."""


@dataclass(frozen=True, eq=False)
class BareSkin:
    """Bare skin as the camera saw it.

    Attributes:
        colour: (3,) linear light.
        cov: (3, 3) covariance of ln(Y), ln(R/G), ln(B/G) of that colour: how far the places disagree.
        patches: every place that was read, by name.
        used: names of those that were believed.
        left_out: place -> why not.
        notices: what should be told.
    """

    colour: F64
    cov: F64
    patches: Mapping[str, Patch]
    used: tuple[str, ...]
    left_out: Mapping[str, str]
    notices: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "colour", readonly(self.colour))
        object.__setattr__(self, "cov", readonly(self.cov))


def bare_skin(view: Closeup) -> BareSkin:
    """Read the skin of a face.

    Raises:
        InputError: covered (too little skin is seen), dark, overexposed.
    """
    patches = {name: read(view, name) for name in SKIN_PLACES}
    _refuse_exposure(view, patches)
    left_out: dict[str, str] = {}
    for name, patch in patches.items():
        if patch.clipped > _CLIPPED_SHARE:
            left_out[name] = "over-exposed"
        elif patch.pixels < _MIN_PIXELS or patch.share < _MIN_SHARE:
            left_out[name] = "covered"
    seen = [n for n in patches if n not in left_out]
    if not seen:
        raise InputError("covered", "no bare skin of cheeks, forehead or jaw is seen", "move hair, hands and mask away")
    values = {n: _log(patches[n]) for n in seen}
    _leave_out_odd(values, left_out)
    used = tuple(n for n in seen if n not in left_out)
    if sum(SKIN_PLACES[n] for n in used) < 0.8:
        raise InputError("covered", "too little bare skin is seen", "move hair, hands and mask away from the face")
    middle, cov = _pooled(values, used)
    notices = _make_up(values, used)
    beyond = max([values[n][0] - middle[0] for n, why in left_out.items() if why == _SHINES], default=0.0)
    if beyond > 0.0:
        cov[0, 0] += (_GLOSS_OR_LIGHT * beyond) ** 2
        notices = (*notices, "parts of the face are much brighter than the rest: gloss, or the rest is in shadow")
    level = float(np.exp(middle[0]))
    sheen = _sheen(view, used, skin=level) if level < _DIM else 0.0
    if sheen > 0.0:
        cov[0, 0] += (sheen / level) ** 2
        notices = (*notices, "the skin shines: it may be darker than it reads; powder or softer light tells more")
    return BareSkin(_linear(middle), cov, patches, used, left_out, notices)


def _sheen(view: Closeup, used: tuple[str, ...], *, skin: float) -> float:
    """White light, linear, that may lie on all of a skin of luminance `skin`.

    Where the brighter pixels of a place differ from its duller ones by more than a factor, it is by gloss (Shafer
    1985), or by a camera that makes bright colours paler; so this says how much is not known, and the colour stays.
    """
    found = []
    for name in used:
        values = view.linear[filled(outline(name, view.face.mesh), view.hw) & (view.bare > 0.5) & (view.top < CLIPPED)]
        light = luminance(values)
        if len(light) < 40:
            continue
        low, dull, bright, high = np.quantile(light, [0.05, 0.3, 0.7, 0.95])
        duller = np.median(values[(light >= low) & (light <= dull)], axis=0).astype(np.float64)
        brighter = np.median(values[(light >= bright) & (light <= high)], axis=0).astype(np.float64)
        found.append(np.linalg.lstsq(np.stack([duller, np.ones(3)], axis=1), brighter - duller, rcond=None)[0][1])
    return _SHEEN * max(0.0, (float(np.median(found)) if found else 0.0) - _SPOTS * skin)


def _refuse_exposure(view: Closeup, patches: Mapping[str, Patch]) -> None:
    """Too dark or burnt out: asked of the places as they are, so that black hair over the forehead does not count."""
    cheeks = [patches[n] for n in ("cheek_right", "cheek_left", "brow_right", "brow_left")]
    seen = [p for p in cheeks if p.pixels or p.clipped]
    if seen and np.median([p.clipped for p in seen]) > 0.5:
        raise InputError(
            "overexposed",
            f"{100 * np.median([p.clipped for p in seen]):.0f} % of the skin is over-exposed",
            "take the photo with less light, without flash, or with the exposure set on the face",
        )
    lit = [p for p in cheeks if p.pixels >= _MIN_PIXELS]
    if not lit:
        return
    green = max(float(np.median(view.rgb[p.mask][:, 1])) for p in lit)
    if green < _DARK_LEVEL:
        raise InputError(
            "dark",
            f"the brightest skin has level {green:.0f} of 255",
            "face a window or a lamp and take the photo again",
        )


def _log(patch: Patch) -> F64:
    return np.array([np.log(max(patch.luminance, 1e-5)), *patch.chroma])


def _linear(values: F64) -> F64:
    """Linear light (3,) of ln(Y), ln(R/G), ln(B/G)."""
    r, b = np.exp(values[1]), np.exp(values[2])
    green = np.exp(values[0]) / (0.2126 * r + 0.7152 + 0.0722 * b)
    return np.array([r * green, green, b * green])


def _leave_out_odd(values: Mapping[str, F64], left_out: dict[str, str]) -> None:
    usual = _usual_level(values)
    for name, value in values.items():
        if value[0] < usual - _SHADE:
            left_out[name] = "in shadow, or hair"
        elif value[0] > usual + _GLARE:
            left_out[name] = _SHINES
    rest = [n for n in values if n not in left_out]
    middle = np.median([values[n][1:] for n in rest], axis=0)
    for name in rest:
        if len(rest) > 2 and np.hypot(*(values[name][1:] - middle)) > _ODD:
            left_out[name] = "another colour than the rest: beard, make-up or a reflection"


def _usual_level(values: Mapping[str, F64]) -> float:
    names = sorted(values, key=lambda n: values[n][0])
    total = np.cumsum([SKIN_PLACES[n] for n in names])
    return float(values[names[int(np.searchsorted(total, _LEVEL * total[-1]))]][0])


def _pooled(values: Mapping[str, F64], used: tuple[str, ...]) -> tuple[F64, F64]:
    weights = np.array([SKIN_PLACES[n] for n in used])
    weights /= weights.sum()
    all_values = np.array([values[n] for n in used])
    middle = weights @ all_values
    apart = all_values - middle
    floor = np.diag(np.square([0.06, 0.03, 0.04]))
    effective = 1.0 / float((weights**2).sum())
    return middle, (apart.T * weights) @ apart / max(effective - 1.0, 1.0) + floor


def _make_up(values: Mapping[str, F64], used: tuple[str, ...]) -> tuple[str, ...]:
    """Cheeks redder than forehead and jaw by more than skin is: blush, flush or sunburn."""
    cheeks = [values[n][1] for n in used if n.startswith("cheek")]
    rest = [values[n][1] for n in used if not n.startswith("cheek")]
    if cheeks and rest and min(cheeks) - max(rest) > 0.12:
        return ("the cheeks are redder than forehead and jaw: blush or a flush would spoil the match",)
    return ()
