"""Colours that suit somebody: by how well they go with skin, hair and eyes, and by how strong the face's contrasts are.

Two colours are judged by the model of Ou and Luo 2006, fitted to 1,431 pairs that people judged. It likes light pairs
better than dark ones whatever else they have, so its figure is never compared between people: every colour is ranked
among all others on the same skin, which gives dark and light skin the same range of scores.
Taste is not physics: the scores order colours, they forbid none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.color import delta_e_2000, lab_to_rgb, rgb_to_lab, srgb_to_linear
from mojing.core.geometry import Box
from mojing.makeup.card import Card
from mojing.makeup.light import to_d65
from mojing.makeup.optics import film, thickness_for
from mojing.makeup.places import CLIPPED, Closeup, closeup, luminance
from mojing.makeup.skincolour import SkinColour, hex_of, hue_of, lab_of, skin_of
from mojing.perception.facemesh import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS
from mojing.perception.faceview import FaceView

CAVEAT: Final = "a rule of thumb without evidence behind it; the scores do not use it"


@dataclass(frozen=True)
class _Kind:
    """What colours a kind comes in: ranges of hue (degrees), chroma and lightness; how much of the skin it hides; for
    each strength, from quiet to strong, by how much (CIEDE2000) it stands out on a face of middling contrast, and its
    range of chroma: the model of harmony alone would give everybody greys and browns."""

    hues: tuple[float, float]
    chroma: tuple[float, float]
    lightness: tuple[float, float]
    coverage: float
    steps: tuple[float, float, float]
    vivid: tuple[tuple[float, float], ...]


KINDS: Final[dict[str, _Kind]] = {
    "lip": _Kind((-25.0, 50.0), (12.0, 62.0), (22.0, 70.0), 0.75, (9.0, 18.0, 30.0), ((14, 30), (28, 46), (42, 63))),
    "blush": _Kind((-20.0, 55.0), (18.0, 60.0), (30.0, 75.0), 0.30, (3.0, 5.0, 8.0), ((20, 36), (30, 48), (40, 61))),
    "eyeshadow": _Kind(
        (-180.0, 180.0), (4.0, 45.0), (15.0, 85.0), 0.55, (8.0, 15.0, 26.0), ((4, 20), (14, 32), (26, 46))
    ),
    "garment": _Kind(
        (-180.0, 180.0), (0.0, 70.0), (12.0, 92.0), 1.0, (20.0, 32.0, 44.0), ((0, 13), (17, 42), (40, 71))
    ),
}
_STRENGTHS: Final = ("quiet", "everyday", "strong")
_APART: Final = 9.0
"""CIEDE2000 between two suggestions of one kind, at least."""
_HUES_APART: Final = 22.0
"""Degrees of hue between two coloured suggestions of one kind and strength, at least; twice that for garments."""
_NEON: Final = 125.0
"""Lightness plus chroma above which a colour is one of screens rather than of cloth or make-up."""
_USUAL_CONTRAST: Final = 55.0
"""Range of lightness over skin, hair, irises and whites of the eyes that counts as middling."""
_EYE_WHITE: Final = 78.0
"""L* of the white of the eye. It counts as the light end of the contrast: dark skin has its contrast there, light skin
against hair and irises."""
_HUE_NAMES: Final = (
    (-165.0, "teal"),
    (-130.0, "blue-green"),
    (-95.0, "sky blue"),
    (-60.0, "blue"),
    (-35.0, "violet"),
    (-12.0, "berry"),
    (12.0, "rose"),
    (32.0, "red"),
    (48.0, "coral"),
    (68.0, "terracotta"),
    (85.0, "amber"),
    (105.0, "yellow"),
    (130.0, "olive green"),
    (165.0, "green"),
    (180.0, "teal"),
)


@dataclass(frozen=True, eq=False)
class Palette:
    """Somebody's own colours as Lab (3,) under D65: `skin`, and `hair` and `eyes` where they were seen."""

    skin: F64
    hair: F64 | None = None
    eyes: F64 | None = None

    def __post_init__(self) -> None:
        for name in ("skin", "hair", "eyes"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, readonly(np.asarray(value, np.float64)))

    @property
    def contrast(self) -> float:
        """Range of lightness over skin, hair, irises and whites of the eyes; the usual one where neither was seen."""
        others = [float(o[0]) for o in (self.hair, self.eyes) if o is not None]
        if not others:
            return _USUAL_CONTRAST
        levels = [float(self.skin[0]), _EYE_WHITE, *others]
        return max(levels) - min(levels)

    @property
    def colourfulness(self) -> float:
        """Largest difference of chroma between skin and hair or eyes; 0 where neither was seen."""
        own = float(np.hypot(*self.skin[1:]))
        return max((abs(float(np.hypot(*o[1:])) - own) for o in (self.hair, self.eyes) if o is not None), default=0.0)


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A colour that suits.

    Attributes:
        kind: lip, blush, eyeshadow or garment.
        strength: quiet, everyday or strong: how far it stands out.
        name, hex: the colour.
        score: 0..1, its rank among all colours of the kind on this skin.
        harmony: rank 0..1 by Ou and Luo's model alone.
        stands_out: CIEDE2000 between the skin with it and the bare skin.
        why: the reasons in words.
    """

    kind: str
    strength: str
    name: str
    hex: str
    score: float
    harmony: float
    stands_out: float
    why: str

    def to_json(self) -> dict[str, Any]:
        """The suggestion with rounded figures."""
        return {
            "strength": self.strength,
            "name": self.name,
            "hex": self.hex,
            "score": round(self.score, 3),
            "harmony": round(self.harmony, 3),
            "stands_out_de00": round(self.stands_out, 1),
            "why": self.why,
        }


@dataclass(frozen=True, eq=False)
class Harmony:
    """Somebody's colours and what suits them; `season` is None unless it was asked for and can be told."""

    palette: Palette
    suggestions: Mapping[str, tuple[Suggestion, ...]]
    season: str | None
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What `mojing makeup harmony --json` writes."""
        own = {
            n: None if v is None else {"lab_d65": [round(float(x), 1) for x in v], "hex": _hex(v)}
            for n, v in (("skin", self.palette.skin), ("hair", self.palette.hair), ("eyes", self.palette.eyes))
        }
        return {
            "colours": own,
            "contrast_lightness": round(self.palette.contrast, 1),
            "contrast_chroma": round(self.palette.colourfulness, 1),
            "suggestions": {k: [s.to_json() for s in v] for k, v in self.suggestions.items()},
            "season": None if self.season is None else {"label": self.season, "caveat": CAVEAT},
            "notices": list(self.notices),
        }


def harmony(
    rgb: U8, face: FaceView, *, hair: F32 | None = None, card: Card | None = None, season: bool = False
) -> Harmony:
    """Colours that suit the face in a photo uint8 (H, W, 3); `hair` is its alpha (H, W) 0..1 where that is known.

    Raises:
        InputError: covered, dark, overexposed, mixed_light, coloured_light.
    """
    view = closeup(rgb, face)
    skin = skin_of(view, card=card)
    palette = Palette(skin.lab, hair_lab(view, skin, hair=hair), eye_lab(view, skin))
    missing = [n for n, v in (("hair", palette.hair), ("eyes", palette.eyes)) if v is None]
    told = tuple(f"the colour of the {n} was not seen and is left out" for n in missing)
    label = _season(skin, palette) if season else None
    return Harmony(palette, suggest(palette), label, (*skin.notices, *told))


def suggest(palette: Palette) -> dict[str, tuple[Suggestion, ...]]:
    """Two colours of every strength for lips, cheeks and lids, and four for garments, best first in each strength."""
    return {kind: _of_kind(palette, kind) for kind in KINDS}


def two_colour(one: AnyArray, other: AnyArray) -> F64:
    """Harmony of two colours, Lab (..., 3) that broadcast, about -1.2 to 1.5.

    Ou and Luo 2006, equations 5 to 11: CH = HC + HL + HH.
    """
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    ca, cb = np.hypot(a[..., 1], a[..., 2]), np.hypot(b[..., 1], b[..., 2])
    ha, hb = np.radians(hue_of(a)), np.radians(hue_of(b))
    dh = 2 * np.sqrt(ca * cb) * np.sin((ha - hb) / 2)
    chromatic = np.hypot(dh, (ca - cb) / 1.46)
    by_chroma = 0.04 + 0.53 * np.tanh(0.8 - 0.045 * chromatic)
    total, apart = a[..., 0] + b[..., 0], np.abs(a[..., 0] - b[..., 0])
    by_lightness = 0.28 + 0.54 * np.tanh(-3.88 + 0.029 * total) + 0.14 + 0.15 * np.tanh(-2 + 0.2 * apart)
    return np.asarray(by_chroma + by_lightness + _hue_liked(a, ca) + _hue_liked(b, cb), np.float64)


def _hue_liked(lab: F64, chroma: F64) -> F64:
    degrees = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    h = np.radians(degrees)
    strength = 0.5 + 0.5 * np.tanh(-2 + 0.5 * chroma)
    hue = -0.08 - 0.14 * np.sin(h + np.radians(50)) - 0.07 * np.sin(2 * h + np.radians(90))
    rise = (90 - degrees) / 10
    yellow = (0.22 * lab[..., 0] - 12.8) / 10 * np.exp(rise - np.exp(np.minimum(rise, 30.0)))
    return np.asarray(strength * (hue + yellow), np.float64)


@cache
def candidates(kind: str) -> F64:
    """All colours Lab (n, 3) of a kind that a screen can show."""
    k = KINDS[kind]
    hues = np.radians(np.arange(k.hues[0], k.hues[1], 7.5))
    grid = np.stack(
        np.meshgrid(np.arange(k.lightness[0], k.lightness[1], 5.0), np.arange(k.chroma[0], k.chroma[1], 6.0), hues),
        axis=-1,
    ).reshape(-1, 3)
    lab = np.stack([grid[:, 0], grid[:, 1] * np.cos(grid[:, 2]), grid[:, 1] * np.sin(grid[:, 2])], axis=-1)
    back = rgb_to_lab(lab_to_rgb(lab))
    made = (np.abs(back - lab).max(axis=1) < 0.5) & ((grid[:, 1] < 25.0) | (grid[:, :2].sum(axis=1) < _NEON))
    return readonly(np.unique(lab[made].round(3), axis=0))


def _of_kind(palette: Palette, kind: str) -> tuple[Suggestion, ...]:
    k, colours = KINDS[kind], candidates(kind)
    on = _worn(palette.skin, colours, coverage=k.coverage)
    out = delta_e_2000(on, palette.skin)
    raw = _liked(palette, kind, on=on, colours=colours)
    chroma = np.hypot(colours[:, 1], colours[:, 2])
    kept = ~_ashen(palette.skin, on) if kind != "garment" else np.ones(len(on), bool)
    strength = float(np.clip(palette.contrast / _USUAL_CONTRAST, 0.7, 1.4))
    found: list[Suggestion] = []
    taken: list[int] = []
    for step, vivid, name in zip(k.steps, k.vivid, _STRENGTHS, strict=True):
        target = step * strength
        among = kept & (chroma >= vivid[0]) & (chroma <= vivid[1])
        liked = _rank(raw, among)
        fits = np.exp(-(np.log(np.maximum(out, 0.1) / target) ** 2) / (2 * 0.35**2))
        score = np.where(among, (0.6 * liked + 0.4) * fits, -1.0)
        ranks = _rank(score, among)
        count, hues_apart = (4, 2 * _HUES_APART) if kind == "garment" else (2, _HUES_APART)
        for index in _spread(score, colours, taken=taken, count=count, hues_apart=hues_apart):
            taken.append(index)
            said = _why(palette, kind, liked=float(liked[index]), out=float(out[index]), target=target)
            called = colour_name(colours[index])
            values = float(ranks[index]), float(liked[index]), float(out[index])
            found.append(Suggestion(kind, name, called, _hex(colours[index]), *values, said))
    return tuple(found)


def _worn(skin: F64, colours: F64, *, coverage: float) -> F64:
    """Lab (n, 3) of the skin with every colour on it; garments hide what is under them."""
    if coverage >= 1.0:
        return colours
    base = srgb_to_linear(lab_to_rgb(skin)).astype(np.float64)
    products = srgb_to_linear(lab_to_rgb(colours)).astype(np.float64)
    thick = thickness_for(products, np.full(len(products), coverage))
    return lab_of(film(np.broadcast_to(base, products.shape), products, thickness=thick))


def _liked(palette: Palette, kind: str, *, on: F64, colours: F64) -> F64:
    """Harmony with the skin, and with hair and eyes at half its weight; eyeshadow lives beside the eyes."""
    parts = [(palette.skin, 1.0), (palette.hair, 0.5), (palette.eyes, 1.0 if kind == "eyeshadow" else 0.3)]
    total, weight = np.zeros(len(colours)), 0.0
    for other, w in parts:
        if other is not None:
            total += w * two_colour(on, other)
            weight += w
    return total / weight


def _ashen(skin: F64, on: F64) -> AnyArray:
    """Chalky on the skin: clearly lighter than it and less colourful, which pale products become on dark skin."""
    own = float(np.hypot(*skin[1:]))
    return np.asarray((on[:, 0] > skin[0] + 6.0) & (np.hypot(on[:, 1], on[:, 2]) < 0.85 * own))


def _rank(values: AnyArray, among: AnyArray) -> F64:
    """Rank 0..1 of every value among those that count (bool); 0 for the others."""
    ranks = np.zeros(len(values))
    order = np.argsort(np.argsort(values[among], kind="stable"), kind="stable")
    ranks[among] = order / max(int(among.sum()) - 1, 1)
    return ranks


def _spread(score: F64, colours: F64, *, taken: list[int], count: int, hues_apart: float) -> list[int]:
    """The best `count` indices that are not too near each other or to those taken."""
    chosen: list[int] = []
    hues, coloured = hue_of(colours), np.hypot(colours[:, 1], colours[:, 2]) > 12.0
    free = score > 0
    for index in taken:
        free &= delta_e_2000(colours, colours[index]) >= _APART
    while len(chosen) < count and free.any():
        best = int(np.where(free, score, -np.inf).argmax())
        chosen.append(best)
        turned = np.abs((hues - hues[best] + 180.0) % 360.0 - 180.0)
        free &= delta_e_2000(colours, colours[best]) >= _APART
        if coloured[best]:
            free &= (turned >= hues_apart) | ~coloured
    return chosen


def _why(palette: Palette, kind: str, *, liked: float, out: float, target: float) -> str:
    seen = [n for n, v in (("skin", palette.skin), ("hair", palette.hair), ("eyes", palette.eyes)) if v is not None]
    level = palette.contrast / _USUAL_CONTRAST
    word = "low" if level < 0.75 else "high" if level > 1.25 else "middling"
    first = f"goes with {' and '.join(seen)} better than {100 * liked:.0f} % of colours (Ou and Luo)"
    where = "beside the face" if kind == "garment" else "on the skin"
    return f"{first}; stands out by {out:.0f} {where}, {target:.0f} suits the face's {word} contrast"


def colour_name(lab: AnyArray) -> str:
    """A plain English name of a Lab colour (3,), such as "deep berry"."""
    light, chroma, hue = float(lab[0]), float(np.hypot(lab[1], lab[2])), float(hue_of(lab))
    depth = "deep " if light < 35 else "light " if light > 72 else ""
    if chroma < 7:
        return "black" if light < 15 else "white" if light > 92 else f"{depth}grey"
    tone = "soft " if chroma < 22 else "vivid " if chroma > 52 else ""
    name = next(n for end, n in _HUE_NAMES if hue <= end)
    if name in ("coral", "terracotta", "amber", "red") and light < 42 and chroma < 45:
        name = "brown" if name != "red" else "brick"
    elif name in ("coral", "terracotta", "amber") and chroma < 26:
        name = "beige" if light > 60 else "taupe"
    return f"{depth}{tone}{name}"


def _hex(lab: AnyArray) -> str:
    return hex_of(srgb_to_linear(lab_to_rgb(lab)))


def hair_lab(view: Closeup, skin: SkinColour, *, hair: F32 | None = None) -> F64 | None:
    """Lab (3,) of the hair under D65: the middle of what is surely hair; None where too little is seen."""
    if hair is not None:
        rows, cols = view.box.slices((hair.shape[0], hair.shape[1]))
        sure = np.asarray(cv2.resize(hair[rows, cols], (view.hw[1], view.hw[0]), interpolation=cv2.INTER_AREA))
    else:
        sure = view.face.part("hair", box=Box(0, 0, view.hw[1], view.hw[0]))
    on = (sure > 0.85) & (view.top < CLIPPED)
    if on.sum() < 0.3 * view.face.inter_ocular**2 / 4:
        return None
    return lab_of(to_d65(np.median(view.linear[on], axis=0), white=skin.light.white))


def eye_lab(view: Closeup, skin: SkinColour) -> F64 | None:
    """Lab (3,) of the irises under D65, without pupil and reflections; None where they are not seen or too small."""
    found = []
    for iris, rim in ((RIGHT_IRIS, RIGHT_EYE), (LEFT_IRIS, LEFT_EYE)):
        mesh = view.face.mesh
        centre = mesh[iris[0], :2]
        radius = float(np.mean(np.hypot(*(mesh[list(iris[1:]), :2] - centre).T)))
        if radius < 2.5:
            continue
        ys, xs = np.mgrid[: view.hw[0], : view.hw[1]]
        away = np.hypot(xs - centre[0], ys - centre[1])
        opened = np.zeros(view.hw, np.uint8)
        cv2.fillPoly(opened, [np.rint(mesh[list(rim), :2]).astype(np.int32)], 1)
        on = (away > 0.45 * radius) & (away < 0.85 * radius) & (opened > 0)
        if on.sum() < 12:
            continue
        values = view.linear[on]
        light = luminance(values)
        middle = (light > np.quantile(light, 0.3)) & (light < np.quantile(light, 0.8))
        if middle.sum() >= 4:
            found.append(np.median(values[middle], axis=0))
    if not found:
        return None
    return lab_of(to_d65(np.mean(found, axis=0), white=skin.light.white))


def _season(skin: SkinColour, palette: Palette) -> str | None:
    """One of the four seasons of colour advice, by undertone and contrast, never by lightness; None in between."""
    tone, _ = skin.undertone()
    strong = palette.contrast >= _USUAL_CONTRAST
    names = {("warm", True): "spring", ("warm", False): "autumn", ("cool", True): "winter", ("cool", False): "summer"}
    return names.get((tone, strong))
