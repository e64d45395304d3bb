"""Altered copies of pictures: turned, scaled, cropped, mirrored, recoloured, each alteration written down."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F64, U8
from mojing.core.errors import InputError
from mojing.core.geometry import Affine, Box, crop_affine
from mojing.core.image import Photo, load, save
from mojing.core.progress import track
from mojing.curate.files import in_parallel, pictures, result_folder

TABLE: Final = "augment.csv"
_WRITABLE: Final = (".jpeg", ".jpg", ".png", ".webp")
_LUMA: Final = np.array([0.299, 0.587, 0.114])
_DIGITS: Final = 6


@dataclass(frozen=True)
class Ranges:
    """How far the copies may stray from their originals."""

    rotate: float = 10.0
    """turn by up to so many degrees either way"""
    scale: float = 0.1
    """enlarge or shrink by up to this share, 0 to 0.4"""
    crop: float = 0.1
    """cut off up to this share of width and height, 0 to 0.6"""
    flip: float = 0.5
    """chance to be mirrored, 0 to 1"""
    colour: float = 0.15
    """strength of changes of exposure, contrast, saturation and hue, 0 to 1"""

    def __post_init__(self) -> None:
        top = {"rotate": 180.0, "scale": 0.4, "crop": 0.6, "flip": 1.0, "colour": 1.0}
        for name, most in top.items():
            if not 0 <= getattr(self, name) <= most:
                raise InputError("bad_options", f"{name} is {getattr(self, name)}", f"give 0 to {most:g}")


@dataclass(frozen=True)
class Change:
    """One alteration, as a row of augment.csv says it.

    About the middle: `degrees` clockwise, times `scale`; then the crop from `left`, `top`, of `size` (shares of width
    and height) fills the picture again; mirrored if `flip`; then colour: times `exposure`, away from the mean by
    `contrast`, from grey by `saturation`, `hue` degrees about the grey axis.
    """

    degrees: float = 0.0
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0
    size: float = 1.0
    flip: bool = False
    exposure: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Change:
        """Read it back from a row of augment.csv."""
        values = {f.name: float(row[f.name]) for f in fields(cls) if f.name != "flip"}
        return replace(cls(), flip=row["flip"] == "1", **values)

    def row(self) -> dict[str, str]:
        """Its fields as text, exact enough to make the same pixels again."""
        return {f.name: f"{float(getattr(self, f.name)):.{_DIGITS}g}" for f in fields(self)}


def draw(rng: np.random.Generator, ranges: Ranges) -> Change:
    """One alteration at random within the ranges; scales and gains are uniform in their logarithm."""

    def gain(strength: float) -> float:
        return float(np.exp(rng.uniform(-1, 1) * np.log1p(strength)))

    size = 1 - float(rng.uniform(0, ranges.crop))
    change = Change(
        degrees=float(rng.uniform(-ranges.rotate, ranges.rotate)),
        scale=gain(ranges.scale),
        left=float(rng.uniform(0, 1 - size)),
        top=float(rng.uniform(0, 1 - size)),
        size=size,
        flip=bool(rng.random() < ranges.flip),
        exposure=gain(ranges.colour),
        contrast=gain(ranges.colour),
        saturation=gain(2 * ranges.colour),
        hue=float(rng.uniform(-60, 60) * ranges.colour),
    )
    return Change.from_row(change.row())


def apply(photo: Photo, change: Change) -> U8:
    """The altered picture at the photo's size: uint8 HxWx3, or HxWx4 with straight alpha.

    What comes in from outside the picture is its mirror image, and transparent where the photo has alpha.
    """
    h, w = photo.hw
    middle = ((w - 1) / 2, (h - 1) / 2)
    about = Affine.similarity(1.0, move=(-middle[0], -middle[1]))
    turned = Affine.similarity(change.scale, float(np.deg2rad(change.degrees)), move=middle).compose(about)
    box = Box(change.left * w, change.top * h, (change.left + change.size) * w, (change.top + change.size) * h)
    matrix = crop_affine(box, (w, h)).compose(turned).matrix
    if change.flip:
        matrix = Affine(np.array([[-1.0, 0.0, w - 1.0], [0.0, 1.0, 0.0]])).compose(Affine(matrix)).matrix
    rgb = cv2.warpAffine(photo.rgb, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    rgb = _recoloured(np.asarray(rgb, np.uint8), change)
    if photo.alpha is None:
        return rgb
    alpha = cv2.warpAffine(photo.alpha, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.dstack([rgb, alpha]).astype(np.uint8)


def _recoloured(rgb: U8, change: Change) -> U8:
    """Colour changes as one affine map of the sRGB values; changes nothing if all are neutral."""
    if (change.exposure, change.contrast, change.saturation, change.hue) == (1.0, 1.0, 1.0, 0.0):
        return rgb
    mean = change.exposure * float(rgb.reshape(-1, 3).mean(axis=0) @ _LUMA)
    matrix = change.contrast * change.exposure * _colour_matrix(change.saturation, change.hue)
    out = rgb.astype(np.float32) @ matrix.T.astype(np.float32) + np.float32((1 - change.contrast) * mean)
    return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8)


def _colour_matrix(saturation: float, hue: float) -> F64:
    """RGB -> RGB (3, 3) that keeps greys: chroma turned by `hue` degrees about the grey axis, then scaled."""
    turn = np.deg2rad(hue)
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation = np.cos(turn) * np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * np.outer(axis, axis)
    grey = np.outer(np.ones(3), _LUMA)
    return np.asarray(grey + saturation * (rotation - grey @ rotation), np.float64)


@dataclass(frozen=True)
class Augmented:
    """What was written: `rows` of augment.csv, and `skipped` pictures (name, reason) that could not be read."""

    rows: tuple[dict[str, str], ...]
    skipped: tuple[tuple[str, str], ...]


def augment(
    folder: Path,
    out: Path,
    *,
    ranges: Ranges = Ranges(),
    copies: int = 4,
    seed: int = 0,
    suffix: str = "",
    threads: int = 2,
) -> Augmented:
    """Write altered copies of every picture of `folder` into `out`, and augment.csv with what was done to each.

    A copy depends on the seed, the picture's name and the copy's number alone, so adding pictures changes no other.
    Copies have the suffix of their original where that can be written, else .png, unless `suffix` names one.

    Raises:
        InputError: not_found, no_images, unwritable, bad_options.
    """
    if copies < 1 or (suffix and suffix not in _WRITABLE):
        raise InputError("bad_options", f"{copies} copies as {suffix or 'images'}", f"1 or more, {' '.join(_WRITABLE)}")
    listing = pictures(folder)
    result_folder(out, source=folder)
    stems = Counter(str(PurePosixPath(name).with_suffix("")) for name in listing.names)
    rows: list[dict[str, str]] = []
    skipped: list[tuple[str, str]] = []
    one = partial(_augmented, _Plan(folder, out, ranges, copies, seed, suffix, stems))
    for name, made in track(
        zip(listing.names, in_parallel(one, listing.names, threads=threads), strict=True),
        "pictures augmented",
        total=len(listing.names),
    ):
        if isinstance(made, InputError):
            skipped.append((name, f"{made.code}: {made}"))
        else:
            rows.extend(made)
    _write_table(out / TABLE, rows)
    return Augmented(tuple(rows), tuple(skipped))


@dataclass(frozen=True)
class _Plan:
    """What is to be done to every picture; `stems` counts the pictures of each name without suffix."""

    folder: Path
    out: Path
    ranges: Ranges
    copies: int
    seed: int
    suffix: str
    stems: Mapping[str, int]


def _augmented(plan: _Plan, name: str) -> list[dict[str, str]] | InputError:
    try:
        photo = load(plan.folder / name, min_side=1)
    except InputError as error:
        return error
    rows = []
    for target, number in _targets(plan, name):
        salt = f"{plan.seed}:{number}:{name}".encode("utf-8", "surrogateescape")
        rng = np.random.default_rng(int.from_bytes(hashlib.blake2b(salt, digest_size=16).digest(), "little"))
        change = draw(rng, plan.ranges)
        save(plan.out / target, apply(photo, change))
        rows.append({"file": target, "source": name, "copy": str(number), "seed": str(plan.seed), **change.row()})
    return rows


def _targets(plan: _Plan, name: str) -> Iterator[tuple[str, int]]:
    """Names of the copies; the old suffix stays in them where two pictures differ in nothing else."""
    path = PurePosixPath(name)
    stem = str(path.with_suffix(""))
    if plan.stems[stem] > 1:
        stem = name
    ending = plan.suffix or (path.suffix if path.suffix.lower() in _WRITABLE else ".png")
    for number in range(1, plan.copies + 1):
        yield f"{stem}-{number:03d}{ending}", number


def _write_table(path: Path, rows: list[dict[str, str]]) -> None:
    names = ["file", "source", "copy", "seed", *(f.name for f in fields(Change))]
    try:
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, names)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as exc:
        raise InputError("unwritable", f"{path} cannot be written: {exc.strerror}", "choose another place") from exc
