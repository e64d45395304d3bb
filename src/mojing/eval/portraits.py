"""Portraits with the teacher's mesh, as they are and with other skin tones and lights, and the groups they belong to.

A face keeps its mesh when its skin or its light is changed, so the teacher's mesh of the photo is the truth for all of
its pictures, and whatever a network then sees differently comes from tone or light alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8
from mojing.core.color import ita, rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.image import load
from mojing.makeup.tones import NewLight, melanin_seen, relight, retone
from mojing.perception import facemesh as fm
from mojing.perception.faceview import FaceView
from mojing.perception.ground_truth import is_validation

TONES: tuple[tuple[str, float], ...] = (
    ("1 very light", 55.0),
    ("2 light", 41.0),
    ("3 intermediate", 28.0),
    ("4 tan", 10.0),
    ("5 brown", -30.0),
    ("6 dark", -181.0),
)
"""Groups of the individual typology angle and the degrees each begins above (Chardon 1991, Del Bino 2006)."""
RED = 52.0
"""Hue angle in degrees of Lab below which skin is called reddish, and from which on yellowish."""
MELANIN = (0.55, 0.72, 0.92)
"""Melanin that light faces are re-toned to, one after the other."""
LIGHTS: dict[str, NewLight] = {
    "side": NewLight((0.9, -0.2, -0.4), strength=1.3, exposure=0.9),
    "warm": NewLight((-0.4, -0.7, -0.6), strength=0.5, colour=(1.16, 1.0, 0.74)),
    "cold": NewLight((0.0, -0.8, -0.5), strength=0.4, colour=(0.9, 1.0, 1.18)),
    "dim": NewLight((0.2, -0.4, -0.9), strength=0.3, colour=(1.06, 1.0, 0.9), exposure=0.3, noise=0.012),
}
"""Lights that photos are put in besides their own."""
OWN = "as taken"


@dataclass(frozen=True, eq=False)
class Portrait:
    """One picture of one face: `rgb` (H, W, 3), the teacher's mesh (478, 3) px, groups by key, own light or which."""

    who: str
    rgb: U8
    mesh: F32
    light: str = OWN
    retoned: bool = False
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def face(self) -> FaceView:
        """The face as the teacher sees it."""
        return FaceView.of_mesh(self.mesh, (self.rgb.shape[0], self.rgb.shape[1]))


def cheek_lab(rgb: U8, mesh: F32) -> F64:
    """Median Lab (3,) of both cheeks of a photo (H, W, 3), as photographed."""
    mask = np.zeros(rgb.shape[:2], np.uint8)
    for ring in (_CHEEK, tuple(int(fm.mirror()[i]) for i in _CHEEK)):
        cv2.fillPoly(mask, [np.rint(mesh[list(ring), :2]).astype(np.int32)], 255)
    pixels = rgb[mask > 0] if mask.any() else rgb.reshape(-1, 3)
    return np.asarray(np.median(rgb_to_lab(pixels), axis=0), np.float64)


def tone_groups(rgb: U8, mesh: F32) -> dict[str, str]:
    """The skin tone group of a face as photographed, alone and with its hue."""
    lab = cheek_lab(rgb, mesh)
    angle, hue = float(ita(lab)), float(np.degrees(np.arctan2(lab[2], lab[1])))
    name = next(n for n, above in TONES if angle > above)
    return {"tone": name, "tone and hue": f"{name}, {'reddish' if hue < RED else 'yellowish'}"}


def read_portraits(
    data: Path, teacher: Path, *, limit: int | None = None, everything: bool = False
) -> Iterator[Portrait]:
    """Held-out portraits of DATA/faces/photos of which the teacher has a mesh in TEACHER/faces (or TEACHER itself).

    Raises:
        InputError: bad_data.
    """
    photos = sorted((data / "faces" / "photos").glob("*.*"))
    folder = teacher / "faces" if (teacher / "faces").is_dir() else teacher
    chosen = [p for p in photos if everything or is_validation(p.stem)]
    chosen = [p for p in chosen if (folder / f"{p.stem}.npz").is_file()][:limit]
    if not chosen:
        raise InputError(
            "bad_data",
            f"no held-out portrait of {data / 'faces' / 'photos'} has a mesh in {folder}",
            hint="docs/training.md tells the layout; `mojing label` makes the meshes",
        )
    for path in chosen:
        with np.load(folder / f"{path.stem}.npz") as known:
            mesh = known["face"].astype(np.float32)
        if len(mesh) == fm.POINTS:
            rgb = load(path).rgb
            yield Portrait(path.stem, rgb, mesh, groups={**tone_groups(rgb, mesh), "light": OWN})


def pictures(portrait: Portrait, *, number: int) -> Iterator[Portrait]:
    """The photo itself, with darker skin if its own is light, and in one of `LIGHTS`; `number` picks which."""
    yield portrait
    rng = np.random.default_rng([number, 478])
    rgb = portrait.rgb
    if melanin_seen(rgb, portrait.face) < MELANIN[0] - 0.1:
        rgb = retone(rgb, portrait.face, melanin=MELANIN[number % len(MELANIN)], brighten=0.12)
        groups = {**tone_groups(rgb, portrait.mesh), "light": OWN}
        yield Portrait(portrait.who, rgb, portrait.mesh, retoned=True, groups=groups)
    # The two are counted through separately, so that every tone meets every light.
    name = list(LIGHTS)[(number // len(MELANIN)) % len(LIGHTS)]
    other = relight(rgb if number % 2 else portrait.rgb, portrait.face, light=LIGHTS[name], rng=rng)
    yield Portrait(portrait.who, other, portrait.mesh, light=name, groups={"light": name})


_CHEEK: tuple[int, ...] = (116, 117, 118, 101, 36, 205, 187, 123)
"""The right cheek, below the eye."""
