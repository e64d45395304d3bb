"""Pictures for the try-on baselines out of the crops that our try-on is trained on (`data.dressing`).

Domain `a` is what a baseline is told (`tryon.baselines`), `b` the photo. For pix2pix row i of both is one person; for
CycleGAN the rows of `b` are those of `a` shuffled, and its game draws both in unlike orders, so that no pair is ever
shown as one: both domains show the same people, as in the paper's own experiments on paired sets.

Each crop is there as it was prepared, its drape a little wrong, and in further copies that are disturbed as ours are in
training (`dressing.augment`): bent and shaded cloth, holes, wider masks, other colours.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.progress import track
from mojing.train.data.dressing import Dressing, augment, read_each
from mojing.train.data.images import Pictures
from mojing.tryon.baselines import INPUTS
from mojing.tryon.conditions import CROP_WH

HELD = 0.05
"""Share of the people held out where the folder has no crops of held-out people."""

Pair = tuple[Pictures, Pictures]
_View = tuple[U8, U8, F32, F32]
"""RGB, edit mask, garment's colours times opacity, opacity."""


def read_pairs(folder: Path, kind: str, *, height: int, copies: int = 1, limit: int = 0, seed: int = 0) -> list[Pair]:
    """Pictures (a, b) to train on, and (a, b) of held-out people.

    Args:
        folder: what `dressing.prepare` wrote; `validation` in it holds the crops of held-out people, if there is one.
        kind: of baseline: pix2pix or cyclegan.
        height: of the pictures in px; the width is three quarters of it.
        copies: further, disturbed ones of each crop to train on.
        limit: use only so many crops, evenly spread; 0 uses all.
        seed: of the disturbances.

    Raises:
        InputError: no_images, too_few.
    """
    paths = sorted(folder.glob("*.npz"))
    if limit and limit < len(paths):
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, limit).round().astype(int)]
    if not paths:
        raise InputError("no_images", f"{folder} holds no crops", "`mojing train tryon` prepares them in its --crops")
    held = sorted((folder / "validation").glob("*.npz"))
    if not held:
        apart = [zlib.crc32(_person(path).encode()) % 1000 < 1000 * HELD for path in paths]
        held = [path for path, out in zip(paths, apart, strict=True) if out]
        paths = [path for path, out in zip(paths, apart, strict=True) if not out]
    hw = (height, height * CROP_WH[0] // CROP_WH[1])
    crops = read_each(track(paths, "crops read"))
    found = [make_pairs(crops, kind, hw=hw, copies=copies, seed=seed), make_pairs(read_each(held), kind, hw=hw)]
    if len(found[0][0]) < 2:
        raise InputError("too_few", f"{folder} holds {len(found[0][0])} usable crops", "prepare more people")
    return found


def _person(path: Path) -> str:
    return path.stem.rpartition("_")[0]


def make_pairs(crops: Iterable[Dressing], kind: str, *, hw: tuple[int, int], copies: int = 0, seed: int = 0) -> Pair:
    """What the baseline is told, uint8 (N, C, H, W), and the photos, uint8 (N, 3, H, W)."""
    told: list[U8] = []
    photos: list[U8] = []
    names: list[str] = []
    for crop in crops:
        for copy, (rgb, mask, cloth, alpha) in enumerate(_views(crop, copies=copies, seed=seed)):
            small = _small((rgb, mask, cloth, alpha), hw=hw)
            told.append(INPUTS[kind](small[0], small[1], cloth=small[2], alpha=small[3]))
            photos.append(np.ascontiguousarray(small[0].transpose(2, 0, 1)))
            names.append(f"{crop.key}-{crop.category}-{copy}")
    a, b = (Pictures(np.stack(v) if v else np.zeros((0, 3, *hw), np.uint8), tuple(names)) for v in (told, photos))
    return (a, b) if kind == "pix2pix" else (a, b.take(np.random.default_rng(seed).permutation(len(b))))


def _views(crop: Dressing, *, copies: int, seed: int) -> Iterator[_View]:
    """The crop as it was prepared, and its disturbed copies at half the size."""
    alpha = crop.alpha.astype(np.float32) / np.float32(255)
    yield crop.rgb, crop.mask, crop.coarse.astype(np.float32) * alpha[..., None], alpha
    for copy in range(copies):
        chance = np.random.default_rng((seed, copy, zlib.crc32(f"{crop.key}-{crop.category}".encode())))
        sample = augment(crop, chance, half=True)
        alpha = sample.picture[7]
        cloth = (sample.picture[4:7] + alpha).transpose(1, 2, 0) * np.float32(127.5)
        yield sample.photo, (sample.picture[3] * 255).astype(np.uint8), np.ascontiguousarray(cloth), alpha


def _small(view: _View, *, hw: tuple[int, int]) -> _View:
    rgb, mask, cloth, alpha = view
    wh = (hw[1], hw[0])
    rgb, cloth, alpha = (cv2.resize(v, wh, interpolation=cv2.INTER_AREA) for v in (rgb, cloth, alpha))
    return rgb, np.asarray(cv2.resize(mask, wh, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8), cloth, alpha
