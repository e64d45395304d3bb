"""How well the light on a face is told and undone, and how steady the shade match is: `mojing eval match`.

Held-out portraits are put in other light by factors on their linear pixels: lamps and daylight of known colour,
exposures, two lights at once, coloured light, darkness. The portrait as taken is counted as neutral light; official
portraits nearly are, but what they are off by counts as our error. Light faces are also re-toned to darker skin. Faces
from spectra (`eval.syntheticface`), whose albedo is known, tell the absolute error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from mojing.core.arrays import F64, U8, AnyArray
from mojing.core.color import delta_e_2000, ita, linear_to_srgb, srgb_to_linear, to_uint8, xyz_to_linear
from mojing.core.errors import InputError
from mojing.core.progress import track
from mojing.eval.groups import Measure, Sample, compare, interval
from mojing.eval.portraits import MELANIN, Portrait, read_portraits
from mojing.eval.skinspectra import BLOOD, NM, linear_of, melanin_of, observer, reflectance
from mojing.eval.syntheticface import LIGHTS, photograph
from mojing.makeup.bare import bare_skin
from mojing.makeup.light import CONES, angle, planck_white, to_d65
from mojing.makeup.match import ShadeTable, Suggested, match_skin, overlap
from mojing.makeup.places import closeup, filled, outline
from mojing.makeup.skincolour import SkinColour, lab_of, skin_colour
from mojing.makeup.tones import melanin_seen, retone
from mojing.perception.faceview import FaceView

GROUPS: Final = (
    (55.0, "1 very light"),
    (41.0, "2 light"),
    (28.0, "3 intermediate"),
    (10.0, "4 tan"),
    (-30.0, "5 brown"),
)
"""Skin-tone groups by the individual typology angle of the photo as taken; "6 dark" is the rest."""

WHITES: Final[dict[str, tuple[float, float]]] = {
    "2700 K": (2700.0, 0.0),
    "3500 K": (3500.0, 0.0),
    "5000 K": (5000.0, 0.0),
    "6500 K, 1.5 stops darker": (6500.0, -1.5),
    "8000 K": (8000.0, 0.0),
    "3500 K, 1.5 stops darker": (3500.0, -1.5),
}
"""Lights that should be undone: colour temperature in K, and exposure in stops."""
RETONED_WHITES: Final = ("3500 K", "8000 K")
MIXED: Final[dict[str, tuple[float, float]]] = {"2700 K and 6500 K": (2700, 6500), "3500 K and 8000 K": (3500, 8000)}
"""Lights from the right and from the left that should be refused."""
COLOURED: Final[dict[str, tuple[float, float, float]]] = {
    "red": (1.0, 0.25, 0.2),
    "green": (0.35, 1.0, 0.4),
    "blue": (0.2, 0.35, 1.0),
    "magenta": (1.0, 0.25, 0.9),
}
DARK_STOPS: Final = -7.0
NOISE: Final = 0.004
"""Standard deviation of sensor noise at mid grey, linear."""

_MEASURES: Final[dict[str, Measure]] = {
    "angle_before": Measure("angle_before", "degrees", 3.0),
    "angle_after": Measure("angle_after", "degrees", 3.0),
    "skin_before": Measure("skin_before", "ΔE00", 3.0),
    "skin_after": Measure("skin_after", "ΔE00", 3.0),
    "skin_after_without_lightness": Measure("skin_after_without_lightness", "ΔE00", 3.0),
    "within_90_percent": Measure("within_90_percent", "share", 0.2, more_is_better=True),
    "top5_kept": Measure("top5_kept", "share", 0.3, more_is_better=True),
    "nearest_shade_moved": Measure("nearest_shade_moved", "ΔE00", 3.0),
    "synthetic_skin": Measure("synthetic_skin", "ΔE00", 3.0),
    "synthetic_skin_as_photographed": Measure("synthetic_skin_as_photographed", "ΔE00", 3.0),
    "synthetic_within_90_percent": Measure("synthetic_within_90_percent", "share", 0.2, more_is_better=True),
}


@dataclass
class _Tally:
    """All measurements, and how often what was refused."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    refused: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, name: str, value: float, *, who: str, groups: dict[str, str]) -> None:
        """One measurement."""
        self.samples.setdefault(name, []).append(Sample(who, value, groups))

    def tell(self, scene: str, code: str) -> None:
        """What became of a picture: "accepted" or the code of its refusal."""
        row = self.refused.setdefault(scene, {})
        row[code] = row.get(code, 0) + 1


def run_match(
    data: Path, *, teacher: Path, shades: ShadeTable | None = None, limit: int | None = None, everything: bool = False
) -> dict[str, Any]:
    """All figures on held-out portraits of DATA/faces and on synthetic faces.

    `shades` is the table to match with; without one DATA/tables/foundation_shades.csv is taken where there is one.

    Raises:
        InputError: bad_data, bad_table.
    """
    table = data / "tables" / "foundation_shades.csv"
    if shades is None and table.is_file():
        shades = ShadeTable.load(table)
    tally = _Tally()
    faces = list(read_portraits(data, teacher, limit=limit, everything=everything))
    for number, portrait in enumerate(track(faces, "faces", total=len(faces))):
        _one(tally, portrait, number=number, shades=shades)
    _synthetic(tally, count=limit or len(LIGHTS) * 10)
    return {
        "suite": "match",
        "faces": len(faces),
        "shades": 0 if shades is None else len(shades),
        **{
            name: _figures(tally.samples[name], measure) for name, measure in _MEASURES.items() if name in tally.samples
        },
        "adaptation": adaptation(),
        "refusals": {scene: _shares(row) for scene, row in tally.refused.items()},
    }


def _figures(samples: Sequence[Sample], measure: Measure) -> dict[str, Any]:
    mean, low, high = interval(samples)
    return {
        "mean": mean,
        "low": low,
        "high": high,
        "median": float(np.median([s.value for s in samples])),
        "by_tone": compare(samples, measure, key="tone").as_dict(),
        "by_light": {g.name: g.mean for g in compare(samples, measure, key="light").groups},
    }


def _shares(row: dict[str, int]) -> dict[str, Any]:
    total = sum(row.values())
    return {"pictures": total, **{code: count / total for code, count in sorted(row.items())}}


def tone_group(lab: AnyArray) -> str:
    """Name of the skin-tone group of Lab (3,)."""
    angle_ = float(ita(lab))
    return next((name for above, name in GROUPS if angle_ > above), "6 dark")


def relit(rgb: U8, gains: AnyArray, *, stops: float = 0.0, rng: np.random.Generator) -> U8:
    """A photo uint8 (H, W, 3) in other light: `gains` (3,) or (H, W, 3) linear, at most 1 after scaling, and noise."""
    gains = np.asarray(gains, np.float64)
    gains = gains / gains.max() * 2.0**stops
    linear = srgb_to_linear(rgb).astype(np.float64) * gains
    sigma = NOISE * np.sqrt(np.clip(linear, 0.0, 1.0) / 0.18 * 0.8 + 0.2)
    return to_uint8(linear_to_srgb(linear + sigma * rng.standard_normal(rgb.shape)))


def halves(face: FaceView, right: AnyArray, *, left: AnyArray) -> F64:
    """Gains (H, W, 3) that go over from the wearer's right side to the left one within half the face's width."""
    h, w = face.hw
    middle, width = face.mesh[1, :2], face.box.width
    turn = np.radians(face.roll)
    ys, xs = np.mgrid[:h, :w]
    along = (xs - middle[0]) * np.cos(turn) + (ys - middle[1]) * np.sin(turn)
    share = np.clip(0.5 + along / (0.5 * width), 0.0, 1.0)[..., None]
    return np.asarray((1 - share) * np.asarray(right) + share * np.asarray(left), np.float64)


def _one(tally: _Tally, portrait: Portrait, *, number: int, shades: ShadeTable | None) -> None:
    face, rng = portrait.face, np.random.default_rng([number, 1931])
    home = _read(tally, "as taken", portrait.rgb, face=face)
    if home is None:
        return  # over-exposed or mixed light to begin with: there is no neutral light to compare with
    who = portrait.who
    _whites(tally, portrait.rgb, face, who=who, home=home, names=tuple(WHITES), shades=shades, rng=rng)
    for scene, gains, stops in _to_refuse(face):
        _read(tally, scene, relit(portrait.rgb, gains, stops=stops, rng=rng), face=face)
    if melanin_seen(portrait.rgb, face) < MELANIN[0] - 0.1:
        dark = retone(portrait.rgb, face, melanin=MELANIN[number % len(MELANIN)])
        home = _read(tally, "re-toned", dark, face=face)
        if home is not None:
            _whites(tally, dark, face, who=who, home=home, names=RETONED_WHITES, shades=shades, rng=rng)


def _to_refuse(face: FaceView) -> Iterator[tuple[str, AnyArray, float]]:
    for name, (right, left) in MIXED.items():
        yield f"mixed: {name}", halves(face, planck_white(right), left=planck_white(left)), 0.0
    for name, gains in COLOURED.items():
        yield f"coloured: {name}", np.array(gains), 0.0
    yield "dark", np.ones(3), DARK_STOPS


def _read(tally: _Tally, scene: str, rgb: U8, *, face: FaceView) -> SkinColour | None:
    try:
        found = skin_colour(rgb, face)
    except InputError as error:
        tally.tell(scene, error.code)
        return None
    tally.tell(scene, "accepted")
    return found


def as_photographed(rgb: U8, face: FaceView) -> F64:
    """Lab (3,) of bare skin if the light is taken to be neutral."""
    return lab_of(bare_skin(closeup(rgb, face)).colour)


def _whites(
    tally: _Tally,
    rgb: U8,
    face: FaceView,
    *,
    who: str,
    home: SkinColour,
    names: Sequence[str],
    shades: ShadeTable | None,
    rng: np.random.Generator,
) -> None:
    neutral = as_photographed(rgb, face)
    own_top = () if shades is None else match_skin(home, shades=shades).top
    for name in names:
        kelvin, stops = WHITES[name]
        gains = planck_white(kelvin) / planck_white(6504.0)
        other = relit(rgb, gains, stops=stops, rng=rng)
        groups = {"tone": tone_group(neutral), "light": name}
        found = _read(tally, name, other, face=face)
        if found is None:
            continue
        tally.add("angle_before", angle(gains, np.ones(3)), who=who, groups=groups)
        tally.add("angle_after", angle(gains, found.light.white), who=who, groups=groups)
        tally.add("skin_before", _apart(as_photographed(other, face), neutral), who=who, groups=groups)
        tally.add("skin_after", _apart(found.lab, neutral), who=who, groups=groups)
        flat = np.array([neutral[0], *found.lab[1:]])
        tally.add("skin_after_without_lightness", _apart(flat, neutral), who=who, groups=groups)
        inside = float(_apart(found.lab, neutral) <= found.radius)
        tally.add("within_90_percent", inside, who=who, groups=groups)
        if shades is not None:
            top = match_skin(found, shades=shades).top
            tally.add("top5_kept", overlap(top, own_top), who=who, groups=groups)
            tally.add("nearest_shade_moved", _moved(top[0], own_top[0]), who=who, groups=groups)


def _apart(one: AnyArray, other: AnyArray) -> float:
    return float(delta_e_2000(one, other))


def _moved(one: Suggested, other: Suggested) -> float:
    codes = [np.array([int(s.hex[i : i + 2], 16) for i in (1, 3, 5)], np.uint8) for s in (one, other)]
    a, b = (lab_of(srgb_to_linear(code)) for code in codes)
    return _apart(a, b)


def adaptation() -> dict[str, dict[str, float]]:
    """ΔE00 that each of `CONES` leaves of skin of ten tones under black bodies whose white is known, from spectra."""
    skins = reflectance(np.array([melanin_of(t) for t in range(1, 11)]), np.full(10, BLOOD))
    truth = lab_of(linear_of(skins))
    found: dict[str, dict[str, float]] = {name: {} for name in CONES}
    for kelvin in (2700.0, 3500.0, 5000.0, 8000.0):
        power = NM**-5 / np.expm1(1.4388e7 / (NM * kelvin))
        seen = xyz_to_linear((skins * power) @ observer())
        white = xyz_to_linear(power @ observer())
        for name, row in found.items():
            row[f"{kelvin:.0f} K"] = float(delta_e_2000(lab_of(to_d65(seen, white=white, cones=name)), truth).mean())
    return found


def _synthetic(tally: _Tally, *, count: int) -> None:
    """Faces from spectra of ten tones in six lights against the albedo of their cheeks and foreheads."""
    every = [(tone, light) for light in LIGHTS for tone in range(1, 11)]
    chosen = np.unique(np.linspace(0, len(every) - 1, min(count, len(every))).round().astype(int))
    scenes = [every[i] for i in chosen]
    for tone, light in track(scenes, "synthetic", total=len(scenes)):
        scene = photograph(tone, light, seed=tone)
        face = FaceView.of_mesh(scene.mesh, (scene.rgb.shape[0], scene.rgb.shape[1]))
        found = _read(tally, f"synthetic: {light.name}", scene.rgb, face=face)
        if found is None:
            continue
        on = np.logical_or.reduce([filled(outline(n, scene.mesh), face.hw) for n in found.skin.used])
        truth = lab_of(np.median(scene.bare()[on], axis=0))
        groups = {"tone": f"tone {tone:02d}", "light": light.name}
        who = f"tone {tone}, {light.name}"
        tally.add("synthetic_skin", _apart(found.lab, truth), who=who, groups=groups)
        raw = as_photographed(scene.rgb, face)
        tally.add("synthetic_skin_as_photographed", _apart(raw, truth), who=who, groups=groups)
        inside = float(_apart(found.lab, truth) <= found.radius)
        tally.add("synthetic_within_90_percent", inside, who=who, groups=groups)
