"""What one picture is like, in figures, and which figures say that it is not fit to train on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import Photo, load
from mojing.curate.duplicates import NEAR, RECOLOUR, Fingerprint, fingerprint

REASONS: Final[dict[str, str]] = {
    "corrupt": "the file cannot be read as a picture",
    "truncated": "the file ends before the picture does, or its lower part was filled in",
    "too large": "more pixels than are read",
    "tiny": "the shorter side is too short",
    "wrong ratio": "too narrow or too wide for its height",
    "near-blank": "hardly anything in it",
    "blurred": "blurring it once more takes away too little of its detail",
    "duplicate": "the same pixels as another picture",
    "near-duplicate": "nearly another picture: rescaled, mirrored, compressed or corrected",
    "off-topic": "unlike its nearest neighbours in the set, or no garment in a set of garments, by the feature network",
}
"""Every reason to leave a picture out, gravest first."""

SHARPNESS_SIDE: Final = 256
_SMALL_SIDE: Final = 64
_FILL_GREY: Final = 128


@dataclass(frozen=True)
class Limits:
    """Where a figure becomes a reason; set by looking at the pictures that were flagged (docs/data.md)."""

    min_side: int = 64
    """shorter side in px, at least"""
    min_ratio: float = 0.4
    """width / height, at least"""
    max_ratio: float = 2.5
    """width / height, at most"""
    contrast: float = 6.0
    """standard deviation of the most varied colour channel at 64x64 px, 0..127, at least"""
    sharpness: float = 3.5
    """variance of the Laplacian over that of the blurred picture, at 256 px, at least"""
    filled: float = 0.03
    """share of the height at the bottom that is exactly the grey decoders fill in, at most"""
    near: int = NEAR
    """bits of 256 in which the perceptual hashes of near-duplicates differ, at most"""
    recolour: float = RECOLOUR
    """ΔE by which the colours of near-duplicates differ somewhere, beyond what exposure explains, at most"""
    strangeness: float = 3.3
    """distance to the nearest neighbours in the set, in robust standard deviations from the median, at most"""
    foreign: float = 0.65
    """how surely the network sees nothing it knows, 0..1, at most, in a set of what it knows"""


@dataclass(frozen=True)
class Flag:
    """One reason to leave a picture out: its `figure`, the `limit` it breaks, and the picture it is `like`, if any."""

    reason: str
    figure: float | None = None
    limit: float | None = None
    like: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        assert self.reason in REASONS, self.reason


@dataclass(frozen=True)
class Picture:
    """One file of the set.

    `name` is its path inside the folder, `hw` its size in px, `sharpness` > 0 and `contrast` 0..127 are as in
    `Limits`, `filled` 0..1 the share of filled-in rows; all None if the file could not be read, and `flags` say why.
    """

    name: str
    size_bytes: int
    hw: tuple[int, int] | None = None
    sharpness: float | None = None
    contrast: float | None = None
    filled: float | None = None
    fingerprint: Fingerprint | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Width / height."""
        return None if self.hw is None else self.hw[1] / self.hw[0]


def measure(folder: Path, name: str, *, limits: Limits) -> tuple[Picture, U8 | None]:
    """Look at one file: its figures with the flags they give, and a small copy, RGB uint8 of at most 256 px a side.

    Duplicates and strangers need the whole set and are not told here.

    Raises:
        MissingExtraError: the perceptual hash is not installed.
    """
    path = folder / name
    try:
        size = path.stat().st_size
        photo = load(path, min_side=1)
    except InputError as error:
        return Picture(name, size, flags=(_unreadable(error, size),)), None
    except OSError as error:
        return Picture(name, 0, flags=(Flag("corrupt", words=f"cannot be opened: {error.strerror}"),)), None
    rgb = photo.flat()
    small = shrunk(rgb, SHARPNESS_SIDE)
    picture = Picture(
        name,
        size,
        hw=photo.hw,
        sharpness=sharpness(small),
        contrast=contrast(small),
        filled=filled_share(photo),
        fingerprint=fingerprint(rgb, alpha=photo.alpha),
    )
    return replace(picture, flags=judge(picture, limits)), small


def _unreadable(error: InputError, size: int) -> Flag:
    if error.code == "truncated":
        return Flag("truncated", figure=float(size), words=f"{error} ({size} bytes)")
    if error.code == "too_large":
        return Flag("too large", words=str(error))
    return Flag("corrupt", figure=float(size), words="the file is empty" if not size else str(error))


def check_reasons(names: Iterable[str]) -> None:
    """Refuse what is not in `REASONS`.

    Raises:
        InputError: bad_options.
    """
    for name in names:
        if name not in REASONS:
            raise InputError("bad_options", f"{name!r} is no reason", f"reasons are: {', '.join(REASONS)}")


def judge(picture: Picture, limits: Limits) -> tuple[Flag, ...]:
    """The flags that a readable picture's own figures give."""
    assert picture.hw is not None
    assert picture.ratio is not None
    flags: list[Flag] = []
    side = min(picture.hw)
    if picture.filled is not None and picture.filled > limits.filled:
        words = f"the lowest {picture.filled:.0%} is the grey that decoders fill in"
        flags.append(Flag("truncated", picture.filled, limits.filled, words=words))
    if side < limits.min_side:
        flags.append(Flag("tiny", side, limits.min_side, words=f"{picture.hw[1]}x{picture.hw[0]} px"))
    if not limits.min_ratio <= picture.ratio <= limits.max_ratio:
        bound = limits.min_ratio if picture.ratio < limits.min_ratio else limits.max_ratio
        flags.append(Flag("wrong ratio", picture.ratio, bound, words=f"{picture.hw[1]}x{picture.hw[0]} px"))
    blank = picture.contrast is not None and picture.contrast < limits.contrast
    if blank:
        flags.append(Flag("near-blank", picture.contrast, limits.contrast))
    elif picture.sharpness is not None and picture.sharpness < limits.sharpness:
        flags.append(Flag("blurred", picture.sharpness, limits.sharpness))
    return tuple(flags)


def shrunk(rgb: U8, side: int) -> U8:
    """The picture with its longer side no more than `side` px, by area averaging; never enlarged."""
    h, w = rgb.shape[:2]
    if max(h, w) <= side:
        return np.ascontiguousarray(rgb)
    scale = side / max(h, w)
    wh = max(1, round(w * scale)), max(1, round(h * scale))
    return np.asarray(cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA), np.uint8)


def sharpness(rgb: U8) -> float:
    """How much of the Laplacian's variance one more Gaussian blur (sigma 1 px) takes away: about 2 blurred, 10 sharp.

    The variance of the Laplacian alone (Pech-Pacheco et al. 2000, "Diatom autofocusing") is small for plain things as
    for blurred ones. Held against the picture's own blurred copy (the idea of Crete et al. 2007, "The blur effect")
    it is not. Brought to 256 px before (`shrunk`), so that a figure means the same at every size. The 1 below keeps the
    rounding to whole levels, a Laplacian of variance 20 / 12, from passing for detail where there is none.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
    fine = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    coarse = float(cv2.Laplacian(soft, cv2.CV_32F).var())
    return fine / (coarse + 1.0)


def contrast(rgb: U8) -> float:
    """Standard deviation (0..127) of the most varied channel of the picture at 64x64, where noise has averaged out."""
    small = cv2.resize(rgb, (_SMALL_SIDE, _SMALL_SIDE), interpolation=cv2.INTER_AREA)
    return float(small.reshape(-1, 3).astype(np.float32).std(axis=0).max())


def filled_share(photo: Photo) -> float:
    """Share of the height, from the bottom up, that is exactly mid-grey: what decoders put for lost data."""
    grey = (photo.rgb == _FILL_GREY).all(axis=(1, 2))
    lost = len(grey) if grey.all() else int(np.argmin(grey[::-1]))
    return 0.0 if lost == len(grey) else lost / len(grey)
