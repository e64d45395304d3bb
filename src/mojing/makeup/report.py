"""A report on somebody's skin as one photo shows it: tone, hue, evenness, redness, shine, shadows under the eyes.

It is cosmetic, not medical. Every figure says where and how it was measured and how sure it is; what cannot be measured
says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from mojing.core.arrays import F64, U8, AnyArray, readonly
from mojing.core.color import delta_e_2000, ita, rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.makeup.card import Card
from mojing.makeup.light import to_d65
from mojing.makeup.places import CLIPPED, Closeup, closeup, filled, luminance, outline, read
from mojing.makeup.skincolour import SkinColour, hue_of, lab_of, skin_of
from mojing.perception.faceview import FaceView

NOT_MEDICAL: Final = "cosmetic figures from a photo, not a medical finding; ask a doctor about changes of your skin"

MONK: Final[tuple[str, ...]] = (
    "#f6ede4",
    "#f3e7db",
    "#f7ead0",
    "#eadaba",
    "#d7bd96",
    "#a07e56",
    "#825c43",
    "#604134",
    "#3a312a",
    "#292420",
)
"""The ten colours of the Monk Skin Tone scale, light to dark (Ellis Monk, published openly by Google in 2022)."""

_ITA_CLASSES: Final = (
    (55.0, "very light"),
    (41.0, "light"),
    (28.0, "intermediate"),
    (10.0, "tan"),
    (-30.0, "brown"),
    (-90.0, "dark"),
)
"""Chardon, Cretois, Hourseau 1991; Del Bino and Bernerd 2013."""

_MELANIN: Final = (0.4143, 0.3570, 0.8372)
_BLOOD: Final = (0.2988, 0.6838, 0.6657)
"""Densities of the two pigments in R, G, B after Tsumura et al. 2003."""
_PIGMENTS: Final = np.linalg.inv(np.array([_MELANIN, _BLOOD, (1.0, 1.0, 1.0)]).T)
_GLOSS: Final = 0.06
"""A pixel shines when the lamp's own colour adds more than this share of white to it."""
_T_ZONE: Final = ("forehead", "nose", "chin")
_SMALL: Final = 40.0
"""Distance of the irises in px below which spots and lines are not seen."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One figure of the report.

    Attributes:
        name, unit: what it is.
        value: None where it could not be measured; `why` says why not.
        low, high: 90 % interval, where one is known.
        label: the value in words, "" where there are none.
        confidence: 0..1.
        how: how it was measured.
        places: where, names of `makeup.places.PLACES`.
    """

    name: str
    value: float | None
    unit: str
    confidence: float
    how: str
    places: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    label: str = ""
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The figure with all that belongs to it."""
        rounded = {k: None if v is None else round(v, 2) for k, v in (("value", self.value), ("low", self.low))}
        return {
            **rounded,
            "high": None if self.high is None else round(self.high, 2),
            "unit": self.unit,
            "label": self.label,
            "confidence": round(self.confidence, 2),
            "how": self.how,
            "places": list(self.places),
            **({"not_measured": self.why} if self.value is None else {}),
        }


@dataclass(frozen=True, eq=False)
class SkinReport:
    """All figures of one face; `outlines` are the places (n, 2) in px of the photo."""

    skin: SkinColour
    measures: tuple[Measure, ...]
    outlines: dict[str, F64]
    box: Box

    def __post_init__(self) -> None:
        object.__setattr__(self, "outlines", {k: readonly(v) for k, v in self.outlines.items()})

    def __getitem__(self, name: str) -> Measure:
        return next(m for m in self.measures if m.name == name)

    def to_json(self) -> dict[str, Any]:
        """What `mojing inspect face` writes as skin.json."""
        return {
            "note": NOT_MEDICAL,
            "measures": {m.name: m.to_json() for m in self.measures},
            "skin": self.skin.to_json(),
        }

    def overlay(self, rgb: U8) -> U8:
        """The face in the photo uint8 (H, W, 3) with the outlines of the places and what the light was told by."""
        drawn = rgb.copy()
        width = max(1, round(self.box.width / 250))
        for name, line in self.outlines.items():
            used = name in self.skin.skin.used
            colour = (60, 220, 90) if used else (250, 210, 60) if name not in self.skin.skin.left_out else (230, 70, 60)
            cv2.polylines(drawn, [np.rint(line).astype(np.int32)], True, colour, width, cv2.LINE_AA)
        for clue in self.skin.light.clues:
            if clue.name != "skin":
                x0, y0, x1, y1 = (round(v) for v in (clue.box.x0, clue.box.y0, clue.box.x1, clue.box.y1))
                cv2.rectangle(drawn, (x0, y0), (x1, y1), (80, 140, 255) if clue.used else (120, 120, 120), width)
        rows, cols = self.box.pad(0.25).slices((rgb.shape[0], rgb.shape[1]))
        return np.ascontiguousarray(drawn[rows, cols])


def skin_report(rgb: U8, face: FaceView, *, card: Card | None = None) -> SkinReport:
    """Measure the skin of a face in a photo uint8 (H, W, 3).

    Raises:
        InputError: covered, dark, overexposed, mixed_light, coloured_light.
    """
    view = closeup(rgb, face)
    skin = skin_of(view, card=card)
    even = to_d65(view.linear, white=skin.light.white)
    measures = (*_tone(skin), _evenness(view, even), *_redness(view, skin), _shine(view, skin), *_circles(view, skin))
    names = sorted({p for m in measures for p in m.places})
    outlines = {n: view.to_photo.apply(outline(n, view.face.mesh)) for n in names}
    return SkinReport(skin, measures, outlines, face.box)


def skin_json(rgb: U8, face: FaceView, *, card: Card | None = None) -> dict[str, Any]:
    """The report as JSON; where the light forbids one, what forbids it and what to do."""
    try:
        return skin_report(rgb, face, card=card).to_json()
    except InputError as error:
        return {"note": NOT_MEDICAL, "refused": {"code": error.code, "message": str(error), "hint": error.hint}}


def monk_lab() -> F64:
    """Lab (10, 3) of the Monk scale."""
    rgb = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in MONK], np.uint8)
    return rgb_to_lab(rgb)


def monk_of(lab: AnyArray) -> AnyArray:
    """Nearest step 1..10 of the Monk scale to Lab (..., 3), by CIEDE2000."""
    return np.asarray(delta_e_2000(np.asarray(lab)[..., None, :], monk_lab()).argmin(axis=-1) + 1)


def ita_class(degrees: float) -> str:
    """The name of a range of the individual typology angle."""
    return next(name for low, name in _ITA_CLASSES if degrees > low or name == "dark")


def _tone(skin: SkinColour) -> tuple[Measure, ...]:
    angles, hues, steps = ita(skin.draws), hue_of(skin.draws), monk_of(skin.draws)
    step, name = int(monk_of(skin.lab)), ita_class(skin.ita)
    undertone, sure = skin.undertone()
    same_class = float(np.mean([ita_class(float(a)) == name for a in angles]))
    near = float((np.abs(steps - step) <= 1).mean())
    where = skin.skin.used
    how = "median of bare skin under D65, light told by " + ", ".join(c.name for c in skin.light.clues if c.used)

    def ends(values: AnyArray) -> tuple[float, float]:
        low, high = np.quantile(values, [0.05, 0.95])
        return float(low), float(high)

    return (
        Measure("ita", skin.ita, "degrees", same_class, f"atan((L* - 50) / b*), {how}", where, *ends(angles), name),
        Measure("hue", skin.hue, "degrees", sure, f"atan2(b*, a*), {how}", where, *ends(hues), undertone),
        Measure("monk", float(step), "step 1-10", near, f"nearest by CIEDE2000, {how}", where, *ends(steps)),
    )


def _missing(name: str, unit: str, how: str, *, why: str, places: tuple[str, ...]) -> Measure:
    return Measure(name, None, unit, 0.0, how, places, why=why)


def _evenness(view: Closeup, even: F64) -> Measure:
    places = ("cheek_right", "cheek_left", "forehead")
    how = "spread of a* and b* within cheeks and forehead, without what varies slower than a third of the place"
    if view.face.inter_ocular < _SMALL:
        return _missing("unevenness", "ΔE*ab", how, why="the face is too small in the photo", places=places)
    lab = lab_of(cv2.GaussianBlur(even.astype(np.float32), (0, 0), 0.012 * view.face.inter_ocular))
    found = []
    for name in places:
        on = filled(outline(name, view.face.mesh), view.hw) & (view.bare > 0.6)
        on &= view.top < CLIPPED
        if on.sum() < 200:
            continue
        size = np.sqrt(float(on.sum())) / 3.0
        weight = cv2.GaussianBlur(on.astype(np.float32), (0, 0), size)[on]
        chroma = [lab[..., k] for k in (1, 2)]
        slow = [cv2.GaussianBlur(np.where(on, c, 0.0).astype(np.float32), (0, 0), size)[on] / weight for c in chroma]
        apart = np.hypot(*(c[on] - s for c, s in zip(chroma, slow, strict=True)))
        found.append(float(np.median(apart)) * 1.4826)
    if len(found) < 2:
        return _missing("unevenness", "ΔE*ab", how, why="too little bare skin is seen", places=places)
    sure = min(1.0, view.face.inter_ocular / 120.0) * len(found) / len(places)
    return Measure("unevenness", float(np.median(found)), "ΔE*ab", 0.8 * sure, how, places)


def blood_of(linear: AnyArray) -> AnyArray:
    """Haemoglobin density (...,) of skin (..., 3) in linear light under D65, whatever its shading (Tsumura 2003)."""
    density = -np.log(np.clip(np.asarray(linear, np.float64), 1e-3, 1.0))
    return np.asarray(density @ _PIGMENTS[1])


def _redness(view: Closeup, skin: SkinColour) -> tuple[Measure, Measure]:
    a_star = skin.draws[:, 1]
    spread = float(np.std(a_star))
    low, high = (float(v) for v in np.quantile(a_star, [0.05, 0.95]))
    how = "a* of bare skin under D65"
    value = float(skin.lab[1])
    first = Measure("redness", value, "a*", float(np.exp(-spread / 6.0)), how, skin.skin.used, low, high)
    places = ("cheek_right", "cheek_left", "brow_right", "brow_left")
    how = "haemoglobin density (Tsumura) of the cheeks minus that of the forehead; the light's colour drops out"
    patches = {n: read(view, n) for n in places}
    seen = {n: p for n, p in patches.items() if p.pixels >= 24 and p.share > 0.3}
    cheeks = [float(blood_of(to_d65(p.colour, white=skin.light.white))) for n, p in seen.items() if "cheek" in n]
    above = [float(blood_of(to_d65(p.colour, white=skin.light.white))) for n, p in seen.items() if "brow" in n]
    if not cheeks or not above:
        second = _missing("flush", "density", how, why="cheeks or forehead are not seen", places=places)
    else:
        sure = 0.7 * len(seen) / len(places)
        second = Measure("flush", float(np.mean(cheeks) - np.mean(above)), "density", sure, how, places)
    return first, second


def _shine(view: Closeup, skin: SkinColour) -> Measure:
    how = "share of forehead, nose, chin where the lamp's own colour adds over 6 % of white to the place's duller half"
    shining, total, seen = 0, 0, []
    for name in _T_ZONE:
        on = filled(outline(name, view.face.mesh), view.hw) & (view.bare > 0.6)
        if on.sum() < 40:
            continue
        burnt = view.top[on] >= CLIPPED
        values = to_d65(view.linear[on], white=skin.light.white)
        light = luminance(values)
        dull = np.maximum(np.median(values[light <= np.median(light)], axis=0), 1e-3)
        shining += int(((gloss_of(values, skin=dull) > _GLOSS) | burnt).sum())
        total += int(on.sum())
        seen.append(name)
    if "nose" not in seen and "forehead" not in seen:
        return _missing("shine", "%", how, why="forehead and nose are covered", places=_T_ZONE)
    sure = 0.7 * len(seen) / len(_T_ZONE) * max(skin.light.confidence, 0.3)
    return Measure("shine", 100.0 * shining / total, "%", sure, how, tuple(seen))


def gloss_of(values: AnyArray, *, skin: AnyArray) -> F64:
    """White light (n,) in pixels (n, 3) on top of shaded skin (3,), all under D65: least squares of the two colours."""
    base = np.stack([np.asarray(skin, np.float64), np.ones(3)], axis=1)
    return np.asarray((np.asarray(values, np.float64) @ np.linalg.pinv(base).T)[:, 1], np.float64)


def _circles(view: Closeup, skin: SkinColour) -> tuple[Measure, Measure]:
    places = ("under_eye_right", "under_eye_left", "cheek_right", "cheek_left")
    how = "under the eyes minus the cheek below, under D65; both eyes where both are lit alike"
    glasses = view.face.part("glasses", box=Box(0, 0, view.hw[1], view.hw[0]))
    found: list[F64] = []
    for side in ("right", "left"):
        eye, cheek = read(view, f"under_eye_{side}"), read(view, f"cheek_{side}")
        framed = filled(outline(f"under_eye_{side}", view.face.mesh), view.hw)
        if min(eye.pixels, cheek.pixels) < 24 or eye.share < 0.5 or float(glasses[framed].mean()) > 0.2:
            continue
        if abs(np.log(eye.luminance / cheek.luminance)) > 1.2:
            continue
        found.append(lab_of(to_d65(eye.colour, white=skin.light.white)) - _lab(cheek.colour, skin))
    if not found:
        why = "glasses, hair or shadow lie under the eyes"
        return (
            _missing("circles_lightness", "ΔL*", how, why=why, places=places),
            _missing("circles_yellow", "Δb*", how, why=why, places=places),
        )
    middle = np.mean(found, axis=0)
    apart = float(np.ptp(np.array(found)[:, 0])) if len(found) == 2 else 6.0
    sure = 0.8 * float(np.exp(-apart / 8.0))
    return (
        Measure("circles_lightness", float(middle[0]), "ΔL*", sure, how, places),
        Measure("circles_yellow", float(middle[2]), "Δb*", sure, how, places),
    )


def _lab(colour: AnyArray, skin: SkinColour) -> F64:
    return lab_of(to_d65(colour, white=skin.light.white))
