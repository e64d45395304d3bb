"""What can be painted: kinds of products in their order, their patterns, areas and numbers of shades."""

from __future__ import annotations

from typing import Final

KINDS: Final[tuple[str, ...]] = (
    "remove",
    "smooth",
    "foundation",
    "concealer",
    "contour",
    "bronzer",
    "blush",
    "highlighter",
    "eyeshadow",
    "brows",
    "eyeliner",
    "lashes",
    "lip_liner",
    "lip",
    "lens",
    "hair",
)
"""Kinds of products, in the order in which they are put on unless a look says otherwise.

`remove` is an estimate of the bare face, which only a residual can say; the rest are products."""

FINISHES: Final[tuple[str, ...]] = ("matte", "satin", "gloss", "sheer", "metallic", "shimmer", "holographic")
"""How a product throws back light."""

PATTERNS: Final[dict[str, tuple[str, ...]]] = {
    "remove": ("full",),
    "smooth": ("full",),
    "foundation": ("full",),
    "concealer": ("full",),
    "contour": ("full",),
    "bronzer": ("full",),
    "blush": ("apples", "lifted", "draped", "sun-kissed", "igari"),
    "highlighter": ("full",),
    "eyeshadow": ("single", "duo", "gradient", "halo", "cut-crease", "smoky"),
    "brows": ("natural", "arched", "straight", "feathered"),
    "eyeliner": ("classic", "thin", "wing", "cat-eye", "puppy", "smudged", "double", "graphic", "lower"),
    "lashes": ("natural", "volume", "doll", "cat"),
    "lip_liner": ("full", "overlined"),
    "lip": ("full", "ombre", "two-tone"),
    "lens": ("natural", "ring", "gradient"),
    "hair": ("whole", "ombre", "streaks", "roots"),
}
"""How each kind can be laid on; the first is what is meant where nothing is said."""

SIDES: Final[tuple[str, ...]] = ("left", "right")
"""The wearer's sides."""

AREAS: Final[dict[str, tuple[str, ...]]] = {
    "remove": (),
    "smooth": (),
    "foundation": (),
    "concealer": ("under-eye", "nose", "spots"),
    "contour": ("cheek", "jaw", "nose", "forehead"),
    "bronzer": ("forehead", "cheek", "jaw", "nose"),
    "blush": (),
    "highlighter": ("cheekbone", "nose", "cupids-bow", "inner-corner", "brow-bone"),
    "eyeshadow": ("lid", "crease", "outer", "inner", "lower", "brow-bone"),
    "brows": (),
    "eyeliner": (),
    "lashes": ("upper", "lower"),
    "lip_liner": ("upper", "lower"),
    "lip": ("upper", "lower"),
    "lens": (),
    "hair": (),
}
"""Areas that a layer may be kept to; a layer that names none has all of them."""

ONE_SIDED: Final[frozenset[str]] = frozenset({"hair", "lip", "lip_liner"})
"""Kinds that know no left and right."""

_FEW: Final[dict[tuple[str, str], tuple[int, int]]] = {
    ("remove", "full"): (0, 0),
    ("smooth", "full"): (0, 0),
    ("eyeshadow", "single"): (1, 1),
    ("eyeshadow", "duo"): (2, 2),
    ("eyeshadow", "gradient"): (2, 5),
    ("eyeshadow", "halo"): (2, 5),
    ("eyeshadow", "cut-crease"): (2, 5),
    ("eyeshadow", "smoky"): (1, 5),
    ("blush", "draped"): (1, 2),
    ("lip", "ombre"): (2, 3),
    ("lip", "two-tone"): (2, 2),
    ("eyeliner", "double"): (1, 2),
    ("lens", "gradient"): (1, 2),
    ("lens", "ring"): (1, 2),
    ("hair", "ombre"): (1, 2),
    ("hair", "streaks"): (1, 5),
}


def shade_counts(kind: str, pattern: str) -> tuple[int, int]:
    """Least and greatest number of shades that a pattern takes."""
    return _FEW.get((kind, pattern), (1, 1))


def regions(kind: str) -> tuple[str, ...]:
    """Every word that a layer of this kind may have in `region`: sides, then areas."""
    return (() if kind in ONE_SIDED else SIDES) + AREAS[kind]
