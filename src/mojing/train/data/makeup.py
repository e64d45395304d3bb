"""Pairs for the make-up network: faces of photos, bare and made up by our own renderer, in the flat layout.

A random look is painted on two faces. One of them is what the network reads; the other one, bare and painted, says what
the look is on somebody else. Some photos are darkened to other skin tones before, because the photos hold few.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.core.color import linear_to_srgb, rgb_to_lab, srgb_to_linear, to_uint8
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.core.progress import track
from mojing.makeup.histogram import regions
from mojing.makeup.look import Look
from mojing.makeup.reading import READ, WIDTH, Truth, encode
from mojing.makeup.render import render
from mojing.makeup.sample import random_look
from mojing.makeup.skin import split
from mojing.makeup.tones import melanin_seen, retone
from mojing.makeup.uv import SIZE, unwrap
from mojing.perception.facemesh import inter_ocular, yaw
from mojing.perception.faceview import FaceView
from mojing.perception.ground_truth import is_validation

SEEN: Final = 6.0
"""Levels of 255 by which a layer must change the pixels it changes most, to count as there to be seen."""

SMALLEST: Final = 45.0
"""Least distance of the eyes in px in photos that are used."""

MOST_YAW: Final = 35.0
"""Degrees by which a head may be turned to the side in photos that are used."""

SHADE_SCALE: Final = 100.0
MAX_SIDE: Final = 900
_FILES: Final = ("faces", "valid", "shade", "light", "made", "pair", "rows", "known")


@dataclass(frozen=True)
class Face:
    """A photo of one face: its name, path, mesh file, and whether its wearer may well be made up in it already."""

    name: str
    photo: Path
    mesh: Path
    madeup: bool


@dataclass(frozen=True)
class Pairs:
    """A folder of pairs, as memory maps.

    Attributes:
        faces: (F, 256, 256, 3) uint8, bare faces; `valid` (F, 256, 256) uint8 0 or 255.
        shade: (F, 256, 256) uint8, their shading times `SHADE_SCALE`; `light` (F, 3) float32, see `makeup.skin`.
        made: (N, 2, 256, 256, 3) uint8, look i on both of its faces.
        pair: (N, 2) int32, which faces these are.
        rows, known: (N, kinds, WIDTH) float32, the look in numbers (`makeup.reading`); what cannot be seen on the
            first face is not known.
    """

    faces: U8
    valid: U8
    shade: U8
    light: F32
    made: U8
    pair: AnyArray
    rows: F32
    known: F32

    @classmethod
    def open(cls, folder: Path) -> Pairs:
        """Pairs that `prepare` wrote.

        Raises:
            InputError: not_found.
        """
        if not (folder / "done").exists():
            raise InputError("not_found", f"there are no pairs in {folder}", "prepare them first")
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in _FILES))


def find_faces(data: Path, teacher: Path, *, held_out: bool) -> list[Face]:
    """Photos of faces large enough, of `faces` and, for training, `shop`; only those held out, or only the others."""
    women = _women(data / "faces" / "faces.csv")
    found = []
    for source in ("faces",) if held_out else ("faces", "shop"):
        for photo in sorted((data / source / "photos").glob("*.webp")):
            mesh = teacher / source / f"{photo.stem}.npz"
            if mesh.exists() and is_validation(photo.stem) == held_out and _usable(mesh):
                found.append(Face(photo.stem, photo, mesh, source == "shop" or photo.stem in women))
    return found


def _usable(path: Path) -> bool:
    """Whether a face is large enough and not turned far away."""
    mesh = np.load(path)["face"].astype(np.float32)
    if len(mesh) == 0 or inter_ocular(mesh) < SMALLEST:
        return False
    return abs(yaw(mesh)) < MOST_YAW


def _women(path: Path) -> set[str]:
    if not path.exists():
        return set()
    with path.open(encoding="utf-8") as file:
        return {row["image"] for row in csv.DictReader(file) if row.get("gender") == "female"}


def load_face(face: Face) -> tuple[U8, FaceView]:
    """The photo around the face, uint8 RGB of at most `MAX_SIDE` px, and the face in it.

    Raises:
        InputError: undecodable.
    """
    bgr = cv2.imread(str(face.photo), cv2.IMREAD_COLOR)
    if bgr is None:
        raise InputError("undecodable", f"{face.photo.name} cannot be read", "give readable photos")
    mesh = np.load(face.mesh)["face"].astype(np.float32)
    rows, cols = Box.around(mesh[:468]).pad(0.35).slices(bgr.shape[:2])
    crop = np.ascontiguousarray(bgr[rows, cols, ::-1])
    mesh[:, :2] -= (cols.start, rows.start)
    scale = min(1.0, MAX_SIDE / max(crop.shape[:2]))
    if scale < 1.0:
        wh = round(crop.shape[1] * scale), round(crop.shape[0] * scale)
        crop = cv2.resize(crop, wh, interpolation=cv2.INTER_AREA)
        mesh[:, :2] = (mesh[:, :2] + 0.5) * scale - 0.5
        mesh[:, 2] *= scale
    return np.asarray(crop, np.uint8), FaceView.of_mesh(mesh, (crop.shape[0], crop.shape[1]))


def darker(rgb: U8, face: FaceView, *, rng: np.random.Generator) -> U8:
    """The same face with more melanin, anywhere from a little to the darkest tone."""
    now = melanin_seen(rgb, face)
    return retone(rgb, face, melanin=float(rng.uniform(min(now + 0.1, 0.9), 1.0)))


def prepare(
    faces: Sequence[Face], folder: Path, *, count: int, seed: int = 0, dark: float = 0.3, fitting: float = 0.6
) -> Pairs:
    """Paint `count` random looks on two faces each and write them to `folder`; a finished folder is only opened.

    `dark` is the share of faces that are darkened before, `fitting` that of looks whose skin-toned products suit the
    face that is read.
    """
    if (folder / "done").exists():
        return Pairs.open(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    n, f = count, len(faces)
    arrays = {
        "faces": _create(folder, "faces", (f, SIZE, SIZE, 3), np.uint8),
        "valid": _create(folder, "valid", (f, SIZE, SIZE), np.uint8),
        "shade": _create(folder, "shade", (f, SIZE, SIZE), np.uint8),
        "light": _create(folder, "light", (f, 3), np.float32),
        "made": _create(folder, "made", (n, 2, SIZE, SIZE, 3), np.uint8),
        "pair": _create(folder, "pair", (n, 2), np.int32),
        "rows": _create(folder, "rows", (n, len(READ), WIDTH), np.float32),
        "known": _create(folder, "known", (n, len(READ), WIDTH), np.float32),
    }
    looked: list[tuple[U8, FaceView]] = []
    tones: list[F64] = []
    for i, face in enumerate(track(list(faces), "faces unwrapped")):
        rgb, view = load_face(face)
        rgb = darker(rgb, view, rng=rng) if rng.random() < dark else rgb
        texture, valid = unwrap(rgb, view.mesh)
        arrays["faces"][i], arrays["valid"][i] = to_uint8(texture), valid * 255
        skin = split(rgb, view, box=Box(0, 0, rgb.shape[1], rgb.shape[0]))
        shading, _ = unwrap(skin.shading, view.mesh)
        arrays["shade"][i] = np.clip(shading * SHADE_SCALE, 0, 255)
        arrays["light"][i] = skin.light
        tones.append(_tone(texture, shading, light=skin.light, on=valid > 0))
        looked.append((rgb, view))
    for i in track(range(n), "looks painted"):
        first, second = rng.choice(f, 2, replace=f < 2)
        look = random_look(rng, skin=tones[first] if rng.random() < fitting else None)
        arrays["pair"][i] = first, second
        truth, made = painted(look, *looked[first], unsure=faces[first].madeup)
        arrays["made"][i, 0] = to_uint8(unwrap(made, looked[first][1].mesh)[0])
        other = render(looked[second][0], looked[second][1], look=look, layers=False).image
        arrays["made"][i, 1] = to_uint8(unwrap(other, looked[second][1].mesh)[0])
        arrays["rows"][i], arrays["known"][i] = truth.values, truth.known
    for array in arrays.values():
        array.flush()
    (folder / "done").write_text(f"{n}\n")
    return Pairs.open(folder)


def _tone(texture: F32, shading: F32, *, light: F32, on: AnyArray) -> F64:
    """Lab (3,) of a face's skin as if in daylight, the median of the flat layout's skin."""
    skin = on & (regions(SIZE)[0] > 0.9) & (shading > 0.05)
    albedo = srgb_to_linear(texture[skin]) / (shading[skin][:, None] * light)
    return rgb_to_lab(linear_to_srgb(np.median(albedo, axis=0) if skin.any() else np.full(3, 0.3)))


def painted(look: Look, rgb: U8, face: FaceView, *, unsure: bool = False) -> tuple[Truth, U8]:
    """A look in numbers, of which only what can be seen on this face is known, and the face made up.

    A kind is seen when its layer changes the picture by `SEEN` levels. `unsure` says that the face may be made up
    already: that a kind is absent then counts little.
    """
    truth = encode(look)
    known = truth.known.copy()
    made = render(rgb, face, look=look)
    now, seen = rgb.astype(np.float32), dict.fromkeys(READ, 0.0)
    for part in made.layers:
        rows, cols = part.box.slices(face.hw)
        alpha = part.rgba[..., 3:].astype(np.float32) / np.float32(255.0)
        change = alpha * (part.rgba[..., :3] - now[rows, cols])
        now[rows, cols] += change
        if part.layer.kind in seen:
            seen[part.layer.kind] = max(seen[part.layer.kind], strength(change, face))
    for row, kind in enumerate(READ):
        if truth.values[row, 0] > 0:
            known[row] *= min(seen[kind] / SEEN, 1.0) ** 2
        elif unsure:
            known[row] *= 0.25
    return Truth(truth.values, known), made.image


def strength(change: F32, face: FaceView) -> float:
    """Mean size in levels of a change (h, w, 3) over the 0.4 % of the face's pixels that change most."""
    gap = np.abs(change).mean(axis=2).ravel()
    if gap.size == 0:
        return 0.0
    most = min(max(round(face.box.area / 250), 60), gap.size)
    return float(np.partition(gap, gap.size - most)[-most:].mean())


def _create(folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> np.memmap[Any, Any]:
    path = folder / f"{name}.npy"
    if path.exists():
        os.unlink(path)
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
