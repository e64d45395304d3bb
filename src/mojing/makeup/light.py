"""The light on a face, told from one photo: its colour, its strength, and how sure that is.

Colours of light are ln(R/G), ln(B/G) of what a perfect white would be in the photo, in linear sRGB; the camera's own
white balance is part of it. Every clue (whites of the eyes, teeth, white cloth, the skin itself, a card) says where
white lies, with a bias and a spread measured on portraits (tools/shade_calibrate.py), and the clues are put together
by their inverse covariances. Colours are then carried over to D65 by von Kries' rule on the cones of Hunt, Pointer and
Estevez: on spectra of skin it errs less than Bradford and CAT16 do, which were fitted to what eyes make of a light
(`mojing eval match` tells by how much).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from mojing.core.arrays import F64, AnyArray, readonly
from mojing.core.color import linear_to_xyz, xyz_to_linear
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.makeup.bare import BareSkin, bare_skin
from mojing.makeup.card import Card
from mojing.makeup.places import (
    CLIPPED,
    Closeup,
    Patch,
    below_chin,
    brightest,
    eye_white,
    log_chroma,
    luminance,
    read,
    teeth,
)

CONES: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "hunt_pointer_estevez": ((0.40024, 0.7076, -0.08081), (-0.2263, 1.16532, 0.0457), (0.0, 0.0, 0.91822)),
    "bradford": ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)),
    "cat16": ((0.401288, 0.650173, -0.051461), (-0.250268, 1.204414, 0.045854), (-0.002079, 0.048952, 0.953127)),
}
"""XYZ to the responses that a change of light scales, by name; the first is used."""
_CONES: Final = "hunt_pointer_estevez"
_HINT: Final = "stand in daylight from one side of a window or under one kind of lamp, or hold a grey card (--card)"


@dataclass(frozen=True)
class _Kind:
    """What a clue's reading means: it lies at `bias` of white, give or take `sd` with correlation `rho`.

    `shade` is ln(luminance) of what is read over that of a white surface facing the same light, `shade_sd` its spread.
    """

    bias: tuple[float, float]
    sd: tuple[float, float]
    rho: float
    shade: float = 0.0
    shade_sd: float = np.inf


_KINDS: Final[dict[str, _Kind]] = {
    "eyes": _Kind((0.41, -0.16), (0.20, 0.16), -0.43, -1.14, 0.55),
    "eye": _Kind((0.42, -0.16), (0.22, 0.17), -0.36, -1.18, 0.62),
    "teeth": _Kind((0.21, -0.18), (0.145, 0.135), -0.41, -0.48, 0.41),
    "cloth": _Kind((-0.01, 0.02), (0.10, 0.11), -0.40, -0.18, 0.15),
    "skin": _Kind((0.82, -0.48), (0.24, 0.35), -0.75),
    "card": _Kind((0.0, 0.0), (0.03, 0.03), 0.0, 0.0, 0.12),
}
"""Measured by tools/shade_calibrate.py on the portraits that are not held out, with these exceptions: the card's spread
is an assumption; cloth is spread wider, as shirts may be pale blue or cream; the skin's covers all tones alike, wide
along the line from light to dark skin and narrow across it, where the portraits have mostly light skin."""

_TAILS: Final = 1.5
"""Clues err together, and now and then by much: 90 % regions held 75 % of the portraits without this factor on their
covariance, and hold 88 % with it."""
_EXPOSURE_SD: Final = 0.5
"""Spread of ln(level) of photos whose exposure nothing tells: some 0.7 stops either way."""
_DULLEST: Final = 0.7
"""In nearly all portraits of usual exposure something in face or collar is brighter than exp(-0.7) of white."""
_HOPELESS: Final = 1.7
"""Above so much missing light, in ln, noise and rounding decide about the skin."""
_LOOSER, _WIDER = 0.5, 0.55
"""For one of missing light, in ln: how much less the usual exposure is believed, and how much wider the level's spread
is. Dark scenes, such as dark skin in a dark shirt, look like too short an exposure; so the level moves little."""
_DOUBTFUL: Final = 3.0
_FAR: Final = 0.07
"""What the carrying over to D65 errs by, per unit that ln(R/G), ln(B/G) of white lie from D65."""
_SIDES_LIMIT: Final = 0.5
"""Difference of the two sides along the line of daylight and lamps, above which light is mixed."""
_LAMP_AXIS: Final = np.array([-0.45, 0.89])
_SHADOW_SLOPE: Final[dict[str, tuple[float, float]]] = {
    "brow": (-0.36, 0.25),
    "under_eye": (-0.32, 0.22),
    "cheek": (-0.38, 0.21),
}
"""A shaded side of one and the same skin is redder: change of ln(R/G), ln(B/G) per unit of ln(Y)."""
_SIDES_WEIGHT: Final = {"brow": 1.0, "under_eye": 0.7, "cheek": 0.4}
_MAX_DUV: Final = 0.03
_MIN_CCT: Final = 2100.0
_LAMPS: Final = ((-0.6, -2.1), (1.15, 0.75))
"""Least and greatest ln(R/G), ln(B/G) of white of lamps and skies; beyond, a channel is too weak to tell skin."""
_LIGHTEST, _DARKEST = 0.50, 0.025
"""Luminance of the lightest and the darkest skin there is, relative to white."""


@dataclass(frozen=True, eq=False)
class Clue:
    """One thing that tells the light's colour.

    Attributes:
        name: eyes, eye, teeth, cloth, skin or card.
        white: (2,) ln(R/G), ln(B/G) of white by this clue.
        cov: (2, 2) its covariance.
        level, level_sd: ln of what a white surface would read by this clue, linear light; sd inf where it cannot tell.
        box: where it was read, px of the photo.
        used: whether it was believed.
    """

    name: str
    white: F64
    cov: F64
    level: float
    level_sd: float
    box: Box
    used: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "white", readonly(self.white))
        object.__setattr__(self, "cov", readonly(self.cov))


@dataclass(frozen=True, eq=False)
class Light:
    """The light on a face.

    Attributes:
        white: (3,) linear sRGB of a perfect white in that light, of luminance `level`.
        cov: (2, 2) covariance of its ln(R/G), ln(B/G).
        level: luminance that a perfect white would have in the photo; may exceed 1.
        level_sd: standard deviation of ln(level).
        cct: correlated colour temperature in K of white as the photo shows it, after the camera's white balance.
        duv: distance from the line of black bodies in CIE 1960 uv; positive is greenish.
        sides: how far the two sides of the face differ along the line from lamp to daylight; refused from 0.5.
        clues: what told it.
        notices: what should be told.
    """

    white: F64
    cov: F64
    level: float
    level_sd: float
    cct: float
    duv: float
    sides: float
    clues: tuple[Clue, ...]
    notices: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "white", readonly(self.white))
        object.__setattr__(self, "cov", readonly(self.cov))

    @property
    def angle_sd(self) -> float:
        """Expected angle in degrees between the estimated and the true white in linear RGB."""
        step = np.linalg.cholesky(self.cov + 1e-9 * np.eye(2))
        around = [white_of(log_chroma(self.white) + s * step[:, k], level=1.0) for k in (0, 1) for s in (-1.0, 1.0)]
        return float(np.sqrt(2.0) * np.sqrt(np.mean([angle(self.white, w) ** 2 for w in around])))

    @property
    def confidence(self) -> float:
        """0..1: 1 for a perfect card, about 0.6 for a white shirt, about 0.3 where only the skin tells."""
        return float(np.exp(-self.angle_sd / 10.0))

    def draw(self, rng: np.random.Generator, count: int) -> F64:
        """Whites (count, 3) that the light may have had, level and colour, each as likely as its probability."""
        chroma = rng.multivariate_normal(log_chroma(self.white), self.cov, size=count, method="cholesky")
        levels = self.level * np.exp(self.level_sd * rng.standard_normal(count))
        return white_of(chroma, level=levels)

    def to_json(self) -> dict[str, Any]:
        """Figures for a report."""
        return {
            "white_linear": [round(float(v), 4) for v in self.white],
            "level": round(self.level, 3),
            "level_sd_log": round(self.level_sd, 3),
            "angle_sd_degrees": round(self.angle_sd, 2),
            "cct_kelvin": round(self.cct),
            "duv": round(self.duv, 4),
            "sides": round(self.sides, 3),
            "confidence": round(self.confidence, 3),
            "clues": [
                {
                    "name": c.name,
                    "used": c.used,
                    "box_px": [round(v, 1) for v in (c.box.x0, c.box.y0, c.box.x1, c.box.y1)],
                }
                for c in self.clues
            ],
            "notices": list(self.notices),
        }


def read_light(view: Closeup, *, skin: BareSkin | None = None, card: Card | None = None) -> Light:
    """Tell the light on a face from its close-up, and from a card where there is one.

    Raises:
        InputError: dark, overexposed, covered (from the skin); mixed_light; coloured_light.
    """
    sides = sides_apart(view)
    refuse_mixed(sides)
    skin = skin or bare_skin(view)
    found = _clues(view, skin, card=card)
    found, white, cov = _combine(found)
    cov = cov + (_FAR**2) * float(white @ white) * np.eye(2)
    measured = card is not None and card.reflectance is not None
    missing = 0.0 if measured else max(0.0, -_DULLEST - brightest(view))
    if missing > _HOPELESS:
        told = f"nothing in the photo is brighter than {100 * np.exp(-missing - _DULLEST):.0f} % of white"
        raise InputError("dark", told, "turn to a window or a lamp and take the photo again, brighter")
    level, level_sd = _level(found, skin=float(luminance(skin.colour)), missing=missing)
    colour = white_of(white, level=level)
    cct, duv = temperature(colour)
    lamp = bool(np.all((white >= _LAMPS[0]) & (white <= _LAMPS[1])))
    if abs(duv) > _MAX_DUV or cct < _MIN_CCT or not lamp:
        raise InputError("coloured_light", f"the light is strongly coloured (Duv {duv:+.3f}, {cct:.0f} K)", _HINT)
    notices = (*skin.notices, *_notices(found), *_dark_notice(missing))
    return Light(colour, cov, level, level_sd, cct, duv, sides, found, notices)


def white_of(chroma: AnyArray, *, level: AnyArray | float) -> F64:
    """Linear light (..., 3) of ln(R/G), ln(B/G) (..., 2) at luminance `level` (...)."""
    r, b = np.exp(chroma[..., 0]), np.exp(chroma[..., 1])
    green = np.asarray(level) / (0.2126 * r + 0.7152 + 0.0722 * b)
    return np.stack([r * green, green, b * green], axis=-1)


def angle(one: AnyArray, other: AnyArray) -> float:
    """Angle in degrees between two colours of light (3,): the usual error of white balance."""
    cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def to_d65(linear: AnyArray, *, white: AnyArray, cones: str = _CONES) -> F64:
    """Linear light (..., 3) as it would be under D65, relative to white = 1, from that seen beside `white` (..., 3).

    Complete adaptation by one of `CONES`. Values may lie a little outside 0..1.
    """
    matrix = np.array(CONES[cones])
    theirs, ours = linear_to_xyz(white) @ matrix.T, linear_to_xyz(np.ones(3)) @ matrix.T
    return xyz_to_linear((linear_to_xyz(linear) @ matrix.T / theirs * ours) @ np.linalg.inv(matrix).T)


def planck_white(kelvin: AnyArray | float) -> F64:
    """Linear sRGB (..., 3), luminance 1, of a black body of 1,000 to 20,000 K; channels may be negative below 2,000 K.

    Krystek 1985, the rational approximation in CIE 1960 uv.
    """
    t = np.asarray(kelvin, np.float64)
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t**2) / (1 + 8.42420235e-4 * t + 7.08145163e-7 * t**2)
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t**2) / (1 - 2.89741816e-5 * t + 1.61456053e-7 * t**2)
    x, y = 3 * u / (2 * u - 8 * v + 4), 2 * v / (2 * u - 8 * v + 4)
    return xyz_to_linear(np.stack([x / y, np.ones_like(x), (1 - x - y) / y], axis=-1))


def temperature(white: AnyArray) -> tuple[float, float]:
    """Correlated colour temperature in K (1,500 to 20,000) and signed Duv of linear light (3,)."""
    kelvins, line = _line()
    at = _uv(np.asarray(white, np.float64))
    apart = np.hypot(*(line - at).T)
    k = int(apart.argmin())
    return float(kelvins[k]), float(apart[k] * np.sign(at[1] - line[k, 1]))


@cache
def _line() -> tuple[F64, F64]:
    kelvins = np.geomspace(1500.0, 20000.0, 600)
    return readonly(kelvins), readonly(_uv(planck_white(kelvins)))


def _uv(linear: AnyArray) -> F64:
    x, y, z = np.moveaxis(linear_to_xyz(linear), -1, 0)
    total = x + 15 * y + 3 * z
    return np.stack([4 * x / total, 6 * y / total], axis=-1)


def sides_apart(view: Closeup) -> float:
    """How much bluer the wearer's left side is lit than the right one, along the line from lamp to daylight.

    Forehead, under the eyes and cheeks; that shaded skin is redder is taken out first. 0 where only one side is seen.
    """
    total, weight = 0.0, 0.0
    for name, slope in _SHADOW_SLOPE.items():
        one, other = read(view, f"{name}_left"), read(view, f"{name}_right")
        if min(one.pixels, other.pixels) < 24 or min(one.share, other.share) < 0.3:
            continue
        if min(one.colour.min(), other.colour.min()) < 2e-3:
            continue
        darker = float(np.log(one.luminance / other.luminance))
        if abs(darker) > 1.2:
            continue  # hair, or a shadow so deep that other things light it
        apart = one.chroma - other.chroma - darker * np.array(slope)
        total += _SIDES_WEIGHT[name] * float(apart @ _LAMP_AXIS)
        weight += _SIDES_WEIGHT[name]
    return total / weight if weight else 0.0


def refuse_mixed(sides: float) -> None:
    """Raise mixed_light where the sides of a face differ by more than those of skin in one light do."""
    if abs(sides) > _SIDES_LIMIT:
        warm = "left" if sides < 0 else "right"
        raise InputError("mixed_light", f"the {warm} side of the face stands in warmer light than the other", _HINT)


def _clues(view: Closeup, skin: BareSkin, *, card: Card | None) -> tuple[Clue, ...]:
    found: list[Clue] = []
    if card is not None:
        shade = float(np.log(card.reflectance)) if card.reflectance else None
        found.append(_clue("card", card.colour, box=card.box, shade=shade))
    eyes = [p for p in (eye_white(view, "right"), eye_white(view, "left")) if p is not None and _fits(p, skin)]
    if len(eyes) == 2:
        found.append(_both_eyes(view, eyes))
    elif eyes:
        found.append(_clue("eye", eyes[0].colour, box=_box(view, eyes[0].mask)))
    shown = teeth(view)
    if shown is not None and _fits(shown, skin):
        found.append(_clue("teeth", shown.colour, box=_box(view, shown.mask)))
    cloth = white_cloth(view, skin)
    if cloth is not None:
        found.append(_clue("cloth", cloth.colour, box=_box(view, cloth.mask)))
    on = np.logical_or.reduce([skin.patches[n].mask for n in skin.used])
    found.append(_clue("skin", skin.colour, box=_box(view, on)))
    return tuple(found)


def _both_eyes(view: Closeup, eyes: list[Patch]) -> Clue:
    """Both whites together; what they disagree by, beyond the usual, makes them less believed."""
    kind = _KINDS["eyes"]
    clue = _clue("eyes", (eyes[0].colour + eyes[1].colour) / 2, box=_box(view, eyes[0].mask | eyes[1].mask))
    half = (eyes[0].chroma - eyes[1].chroma) / 2
    beyond = np.maximum(np.abs(half) - np.array([0.1, 0.06]), 0.0)
    return Clue("eyes", clue.white, clue.cov + np.diag(beyond**2), clue.level, kind.shade_sd, clue.box)


def _fits(patch: Patch, skin: BareSkin) -> bool:
    """Whether eye white or teeth are less red than the skin, and not black, whatever the light."""
    apart = patch.chroma - log_chroma(skin.colour)
    return patch.luminance > 0.08 * float(luminance(skin.colour)) and patch.darkest >= 3 and float(apart[0]) < 0.15


def _clue(name: str, colour: AnyArray, *, box: Box, shade: float | None = None) -> Clue:
    kind = _KINDS[name]
    cross = kind.rho * kind.sd[0] * kind.sd[1]
    cov = np.array([[kind.sd[0] ** 2, cross], [cross, kind.sd[1] ** 2]])
    tells = name != "card" or shade is not None
    level = float(np.log(max(float(luminance(colour)), 1e-5))) - (kind.shade if shade is None else shade)
    return Clue(name, log_chroma(colour) - np.array(kind.bias), cov, level, kind.shade_sd if tells else np.inf, box)


def _box(view: Closeup, mask: AnyArray) -> Box:
    box = Box.of_mask(mask)
    assert box is not None
    x0, y0 = view.to_photo.apply(np.array([box.x0 - 0.5, box.y0 - 0.5]))
    x1, y1 = view.to_photo.apply(np.array([box.x1 - 0.5, box.y1 - 0.5]))
    return Box(float(x0) + 0.5, float(y0) + 0.5, float(x1) + 0.5, float(y1) + 0.5)


def white_cloth(view: Closeup, skin: BareSkin) -> Patch | None:
    """White or pale neutral cloth, or wall, under and beside the chin; None where nothing is bright and even enough.

    It is told by what it is beside the skin, so that the light's colour does not matter: brighter, bluer, less red.
    """
    where = below_chin(view)
    step = 2
    region = where[::step, ::step] & (view.top[::step, ::step] < CLIPPED)
    values = view.linear[::step, ::step][region]
    total = int(where[::step, ::step].sum())
    if total < 100 or not len(values):
        return None
    apart = log_chroma(values) - log_chroma(skin.colour)
    pale = luminance(values) > 1.15 * float(luminance(skin.colour))
    pale &= (apart[:, 0] < -0.2) & (apart[:, 0] > -1.3) & (apart[:, 1] > 0.0) & (apart[:, 1] < 1.1)
    if pale.sum() < max(0.02 * total, 40):
        return None
    chroma = log_chroma(values[pale])
    middle = np.median(chroma, axis=0)
    spread = 1.4826 * np.median(np.abs(chroma - middle), axis=0)
    if spread.max() > 0.12:
        return None
    near = (np.abs(chroma - middle) < 2.5 * spread + 0.01).all(axis=1)
    ys, xs = np.nonzero(region)
    mask = np.zeros(view.hw, bool)
    mask[step * ys[pale][near], step * xs[pale][near]] = True
    kept = values[pale][near].astype(np.float64)
    bright = kept[luminance(kept) >= np.quantile(luminance(kept), 0.6)]
    colour = np.median(bright, axis=0)
    return Patch("cloth", mask, colour, spread, len(kept), len(kept) / total, 0.0, float(view.rgb[mask].min()))


def _combine(clues: tuple[Clue, ...]) -> tuple[tuple[Clue, ...], F64, F64]:
    """White (2,) and covariance (2, 2) of all clues; the worst is left out where it contradicts the rest."""
    used = list(clues)
    while True:
        white, cov = _mean(used)
        if len(used) < 3:
            break
        far = [_contradiction(c, used) for c in used]
        worst = int(np.argmax(far))
        if far[worst] < 3.3:
            break
        used.pop(worst)
    apart = [(c.white - white) @ np.linalg.solve(c.cov, c.white - white) for c in used]
    scale = max(1.0, float(np.sum(apart)) / max(2 * len(used) - 2, 1))
    marked = tuple(c if c in used else Clue(c.name, c.white, c.cov, c.level, np.inf, c.box, False) for c in clues)
    return marked, white, cov * scale * _TAILS


def _mean(clues: list[Clue]) -> tuple[F64, F64]:
    weights = [np.linalg.inv(c.cov) for c in clues]
    cov = np.linalg.inv(np.sum(weights, axis=0))
    pulled = np.sum([w @ c.white for w, c in zip(weights, clues, strict=True)], axis=0)
    return cov @ pulled, cov


def _contradiction(clue: Clue, used: list[Clue]) -> float:
    """Distance of a clue from what the others say, in standard deviations; a card is never contradicted."""
    return 0.0 if clue.name == "card" else _distance(clue, [c for c in used if c is not clue])


def _distance(clue: Clue, others: list[Clue]) -> float:
    rest, cov = _mean(others)
    apart = clue.white - rest
    return float(np.sqrt(apart @ np.linalg.solve(clue.cov + cov, apart)))


def _dark_notice(missing: float) -> tuple[str, ...]:
    if missing <= 0.0:
        return ()
    return ("the photo is dark, or shows nothing bright: how light the skin is cannot be relied on",)


def _level(clues: tuple[Clue, ...], *, skin: float, missing: float = 0.0) -> tuple[float, float]:
    """Luminance of white and the standard deviation of its logarithm; the camera's own exposure is the first guess.

    Teeth and eyes are often in shade and pale cloth or a wall is often grey, but none of them is lighter than white:
    one that makes white darker than usual is believed the less, the farther off it is. `skin` is the luminance of the
    skin in the photo: white lies where the skin becomes neither lighter nor darker than skin is. The more light is
    `missing` (ln), the less is known.
    """
    card = [c for c in clues if c.name == "card" and np.isfinite(c.level_sd)]
    if card:
        return float(np.exp(card[0].level)), card[0].level_sd
    parts = [(0.0, float(np.hypot(_EXPOSURE_SD, _LOOSER * missing)))]
    parts += [(c.level, c.level_sd + 0.5 * max(0.0, -c.level)) for c in clues if c.name != "cloth"]
    middle, _ = _weighted(parts)
    for clue in clues:
        if clue.name == "cloth":
            parts.append((clue.level, clue.level_sd + max(0.0, middle - clue.level)))
    middle, sd = _weighted(parts)
    known = [(v, s) for v, s in parts if np.isfinite(s)]
    apart = sum(((v - middle) / s) ** 2 for v, s in known) / max(len(known) - 1, 1)
    middle = float(np.clip(middle, np.log(skin / _LIGHTEST), np.log(skin / _DARKEST)))
    return float(np.exp(middle)), float(np.hypot(sd * max(1.0, float(np.sqrt(apart))), _WIDER * missing))


def _weighted(parts: list[tuple[float, float]]) -> tuple[float, float]:
    weights = np.array([1.0 / sd**2 for _, sd in parts])
    total = float(weights.sum())
    return float(weights @ np.array([v for v, _ in parts]) / total), float(np.sqrt(1.0 / total))


def _notices(clues: tuple[Clue, ...]) -> tuple[str, ...]:
    names = {c.name for c in clues if c.used}
    said: list[str] = []
    if names == {"skin"}:
        said.append("nothing white was seen: the light was guessed from the skin itself, so its undertone is not known")
    if not names & {"card", "cloth"}:
        said.append("how bright the light is was guessed: a white shirt or a grey card of known reflectance tells it")
    said.extend(
        "the card disagrees with all else that is seen: is it grey, and in the light that falls on the face?"
        for c in clues
        if c.name == "card" and _distance(c, [o for o in clues if o is not c]) > _DOUBTFUL
    )
    said.extend(f"the {c.name} contradicted the rest and was left out" for c in clues if not c.used)
    return tuple(said)
