"""Random looks that somebody might wear: for training the network that reads looks, and for tests.

Colours come from families that products are sold in, each drawn in Lab around a middle with a spread; now and then any
colour at all is taken, because people wear that too. Skin-toned products come in shades from very light to very
dark, whatever the face: which of them suits is not asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from mojing.core.arrays import F64
from mojing.core.color import lab_to_rgb, srgb_to_linear
from mojing.makeup.kinds import AREAS, PATTERNS, shade_counts
from mojing.makeup.look import Layer, Look, Shade

_Family = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Middle and standard deviation in Lab."""

REDS: Final[tuple[_Family, ...]] = (
    ((38, 52, 26), (6, 8, 7)),  # red
    ((46, 46, 8), (8, 9, 7)),  # pink
    ((57, 26, 17), (7, 6, 5)),  # nude
    ((26, 33, 10), (6, 8, 6)),  # berry
    ((50, 48, 34), (6, 7, 7)),  # coral
    ((34, 22, 16), (6, 6, 5)),  # brown
)
CHEEKS: Final[tuple[_Family, ...]] = (
    ((60, 36, 14), (7, 8, 7)),
    ((63, 30, 28), (6, 7, 6)),
    ((45, 34, 14), (7, 7, 6)),
)
SHADOWS: Final[tuple[_Family, ...]] = (
    ((45, 13, 18), (14, 6, 8)),  # brown, taupe
    ((72, 9, 17), (8, 5, 7)),  # champagne
    ((25, 3, 2), (10, 4, 5)),  # grey, black
    ((42, 26, -20), (12, 10, 10)),  # plum, violet
    ((42, -2, -32), (12, 8, 11)),  # blue
    ((45, -24, 14), (11, 10, 12)),  # green
    ((50, 36, 30), (9, 9, 10)),  # copper, red
    ((68, 32, -2), (8, 9, 7)),  # pink
)
LINES: Final[tuple[_Family, ...]] = (((9, 1, 1), (4, 2, 2)), ((20, 9, 9), (5, 4, 4)), ((30, 5, -30), (9, 8, 9)))
LENSES: Final[tuple[_Family, ...]] = (
    ((52, -2, -22), (9, 5, 9)),
    ((48, -14, 12), (9, 6, 8)),
    ((45, 10, 28), (8, 5, 8)),
    ((58, 0, 0), (9, 3, 4)),
    ((45, 24, -26), (9, 8, 9)),
)
HAIRS: Final[tuple[_Family, ...]] = (
    ((12, 2, 3), (5, 2, 3)),
    ((30, 10, 16), (8, 5, 6)),
    ((64, 8, 30), (9, 5, 8)),
    ((38, 36, 26), (8, 9, 9)),
)
BROWS: Final[tuple[_Family, ...]] = (((17, 3, 5), (6, 2, 4)), ((32, 8, 13), (8, 4, 5)), ((50, 7, 18), (7, 3, 5)))
GLOWS: Final[tuple[_Family, ...]] = (((86, 5, 14), (5, 4, 6)), ((80, 12, 8), (5, 5, 5)), ((88, 0, 2), (4, 2, 4)))

CHANCE: Final[Mapping[str, float]] = {
    "foundation": 0.4,
    "concealer": 0.25,
    "contour": 0.25,
    "bronzer": 0.2,
    "blush": 0.55,
    "highlighter": 0.3,
    "eyeshadow": 0.6,
    "brows": 0.4,
    "eyeliner": 0.5,
    "lashes": 0.5,
    "lip_liner": 0.25,
    "lip": 0.75,
    "lens": 0.15,
}
"""How often each kind is worn; smoothing and hair colour are left to those who ask for them."""

_COVERAGE: Final[Mapping[str, tuple[float, float]]] = {
    "foundation": (0.2, 0.75),
    "concealer": (0.3, 0.85),
    "contour": (0.2, 0.6),
    "bronzer": (0.15, 0.55),
    "blush": (0.2, 0.7),
    "highlighter": (0.2, 0.7),
    "eyeshadow": (0.25, 0.9),
    "brows": (0.3, 0.8),
    "eyeliner": (0.6, 1.0),
    "lashes": (0.5, 1.0),
    "lip_liner": (0.4, 0.95),
    "lip": (0.25, 0.97),
    "lens": (0.4, 0.95),
}

_FINISHES: Final[Mapping[str, tuple[str, ...]]] = {
    "lip": ("matte", "matte", "satin", "satin", "gloss", "gloss", "sheer", "metallic", "shimmer", "holographic"),
    "eyeshadow": ("matte", "matte", "satin", "shimmer", "shimmer", "metallic", "holographic"),
    "highlighter": ("satin", "shimmer", "shimmer", "metallic", "holographic"),
    "blush": ("matte", "satin", "sheer", "shimmer"),
    "eyeliner": ("matte", "satin", "gloss", "metallic"),
    "foundation": ("matte", "satin", "sheer"),
}

_FAMILIES: Final[Mapping[str, tuple[_Family, ...]]] = {
    "lip": REDS,
    "lip_liner": REDS,
    "blush": CHEEKS,
    "eyeshadow": SHADOWS,
    "eyeliner": LINES,
    "lashes": LINES[:1],
    "brows": BROWS,
    "lens": LENSES,
    "highlighter": GLOWS,
    "hair": HAIRS,
}

_ANY: Final = 0.08
"""How often a colour is any colour at all, where that is ever worn."""


def random_look(rng: np.random.Generator, *, skin: F64 | None = None) -> Look:
    """A look of none to a dozen layers in the usual order, each kind as often as `CHANCE` says.

    `skin` (3,) Lab is the tone that skin-toned products go with; without it they go with any tone.
    """
    eager = rng.uniform(0.5, 1.3)
    kinds = [kind for kind, chance in CHANCE.items() if rng.random() < chance * eager]
    skin = _skin(rng) if skin is None else skin
    layers = [random_layer(kind, rng, skin=skin) for kind in kinds]
    lips = {layer.kind: layer for layer in layers}
    if "lip" in lips and "lip_liner" in lips and rng.random() < 0.6:
        near = Shade("", np.clip(lips["lip"].shades[-1].colour * rng.uniform(0.6, 0.95), 0.0, 1.0))
        layers[layers.index(lips["lip_liner"])] = replace(lips["lip_liner"], shades=(near,))
    return Look("random", tuple(layers))


def random_layer(kind: str, rng: np.random.Generator, *, skin: F64 | None = None) -> Layer:
    """One layer of a kind; `skin` (3,) Lab is the tone that skin-toned products go with, random if not given."""
    pattern = str(rng.choice(PATTERNS[kind]))
    least, most = shade_counts(kind, pattern)
    count = least if most == least else int(rng.integers(least, min(most, least + 2) + 1))
    tone = _skin(rng) if skin is None else skin
    low, high = _COVERAGE.get(kind, (0.3, 0.9))
    region: tuple[str, ...] = ()
    if AREAS[kind] and rng.random() < 0.25:
        chosen = rng.random(len(AREAS[kind])) < 0.5
        region = tuple(area for area, on in zip(AREAS[kind], chosen, strict=True) if on)
    return Layer(
        kind,
        _shades(kind, count, rng, skin=tone),
        finish=str(rng.choice(_FINISHES.get(kind, ("matte", "satin")))),
        coverage=float(rng.uniform(low, high)),
        pattern=pattern,
        region=region,
        size=float(np.clip(np.exp(rng.normal(0.0, 0.18)), 0.6, 1.7)),
        softness=float(rng.uniform(0.2, 0.8)),
    )


def _shades(kind: str, count: int, rng: np.random.Generator, *, skin: F64) -> tuple[Shade, ...]:
    if kind not in _FAMILIES:
        return tuple(_shade(_skin_toned(kind, rng, skin=skin)) for _ in range(count))
    families = _FAMILIES[kind]
    wild = kind in ("lip", "eyeshadow", "eyeliner", "lens", "blush") and rng.random() < _ANY
    middle, spread = families[int(rng.integers(len(families)))]
    first = np.array([rng.uniform(15, 85), *rng.normal(0, 40, 2)]) if wild else rng.normal(middle, spread)
    found = [first]
    while len(found) < count:
        other = families[int(rng.integers(len(families)))]
        near = found[-1] + rng.normal(0, (12, 8, 8))
        found.append(near if rng.random() < 0.6 else rng.normal(*other))
    return tuple(_shade(lab) for lab in found)


def _skin(rng: np.random.Generator) -> F64:
    """A skin tone in Lab, from light to dark evenly; chroma is highest in the middle (Del Bino and Bernerd 2013)."""
    level = rng.uniform(28.0, 75.0)
    return np.array(
        [level, 9.0 + 6.0 * np.sin((75.0 - level) / 47.0 * np.pi) + rng.normal(0, 1.5), rng.normal(18, 2.5)]
    )


def _skin_toned(kind: str, rng: np.random.Generator, *, skin: F64) -> F64:
    """A shade near a tone: foundation like it, concealer lighter, contour and bronzer darker."""
    shift = {"foundation": (0, 0, 0), "concealer": (6, 0, 2), "contour": (-18, 0, -3), "bronzer": (-11, 4, 6)}
    return np.asarray(skin + np.array(shift.get(kind, (0, 0, 0))) + rng.normal(0, (3.0, 1.5, 2.0)), np.float64)


def _shade(lab: F64) -> Shade:
    lab = np.array([np.clip(lab[0], 4.0, 95.0), lab[1], lab[2]])
    return Shade("", np.clip(srgb_to_linear(lab_to_rgb(lab)), 0.0, 1.0))
