"""Copies of the same picture: exact ones by a hash of the pixels, near ones by a perceptual hash, mirrored ones too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from mojing.core.arrays import F32, U8, readonly
from mojing.core.errors import MissingExtraError
from mojing.core.progress import track

SIDE_BITS: Final = 16
BITS: Final = SIDE_BITS**2
"""Length of the perceptual hash. At 64 bits, shirts photographed on one bed by one sender cannot be told apart."""
NEAR: Final = 32
"""Bits of `BITS` in which near-duplicates differ at most (`Limits.near`)."""
RECOLOUR: Final = 12.0
"""ΔE up to which two pictures of one perceptual hash have the same colours (`Limits.recolour`)."""
_GRID: Final = 8
_USUAL: Final = 18.0
_CELLS: Final = 8_000_000


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What tells copies: `pixels` is a hash of all pixels, `plain` and `mirrored` the `BITS` of the perceptual hash of
    the picture and of its mirror image, packed into bytes, and `colours` float32 (8, 8, 3) its CIELAB colours."""

    pixels: str
    plain: bytes
    mirrored: bytes
    colours: F32


@dataclass(frozen=True)
class Match:
    """The picture (by index) that another is a copy of: `bits` that differ, whether mirrored, whether pixel-equal."""

    index: int
    bits: int
    mirrored: bool
    exact: bool


@dataclass(frozen=True)
class Copies:
    """`groups` numbers the group of every picture, in order of first appearance; `matches` has, for every picture that
    can be left out, the earlier one that stays and that it is a copy of."""

    groups: tuple[int, ...]
    matches: tuple[Match | None, ...]


class UnionFind:
    """Sets of 0..n-1 that grow together (Tarjan 1975), with path halving; the least member stands for its set."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def find(self, item: int) -> int:
        """The least member of the item's set."""
        while self.parent[item] != item:
            self.parent[item] = self.parent[self.parent[item]]
            item = self.parent[item]
        return item

    def union(self, a: int, b: int) -> None:
        """Make one set of the sets of `a` and `b`."""
        low, high = sorted((self.find(a), self.find(b)))
        self.parent[high] = low

    def groups(self) -> tuple[int, ...]:
        """Group number of every item, counted in order of first appearance."""
        number: dict[int, int] = {}
        return tuple(number.setdefault(self.find(item), len(number)) for item in range(len(self.parent)))


def fingerprint(rgb: U8, *, alpha: U8 | None = None) -> Fingerprint:
    """Fingerprint of a picture, RGB uint8 HxWx3 (transparent ones laid on white), and its alpha, uint8 HxW.

    Raises:
        MissingExtraError: imagehash is not installed.
    """
    try:
        import imagehash
    except ImportError as exc:
        raise MissingExtraError("train", needs="imagehash") from exc
    h, w = rgb.shape[:2]
    digest = hashlib.blake2b(f"{h}x{w}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(rgb).tobytes())
    if alpha is not None:
        digest.update(np.ascontiguousarray(alpha).tobytes())
    side = 4 * SIDE_BITS  # what imagehash would shrink to, by area averaging
    small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA if min(h, w) > side else cv2.INTER_LINEAR)
    plain, mirrored = (
        np.packbits(imagehash.phash(Image.fromarray(view), hash_size=SIDE_BITS).hash.ravel()).tobytes()
        for view in (small, np.ascontiguousarray(small[:, ::-1]))
    )
    cells = cv2.resize(small, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colours = np.asarray(cv2.cvtColor(cells, cv2.COLOR_RGB2LAB), np.float32)
    return Fingerprint(digest.hexdigest(), plain, mirrored, readonly(colours))


def recoloured(one: Fingerprint, other: Fingerprint, *, mirrored: bool = False) -> float:
    """How differently two like pictures are coloured: ΔE (CIE 1976) of the cell of an 8x8 grid that differs most, less
    the median of all cells (18 at most), so that a change of exposure counts little and another garment colour much."""
    theirs = other.colours[:, ::-1] if mirrored else other.colours
    delta = np.sqrt(((one.colours - theirs) ** 2).sum(axis=2))
    return float(delta.max() - min(float(np.median(delta)), _USUAL))


def find_copies(
    prints: Sequence[Fingerprint], *, limit: int = NEAR, recolour: float = RECOLOUR, plain: Sequence[bool] | None = None
) -> Copies:
    """Group copies, and choose of every group those that stay: earlier pictures win, so put the best first.

    Groups join whatever is alike step by step (union-find): a leak-free split keeps them whole. Leaving pictures out
    is stricter: only what is itself a copy of a picture that stays, in the same colours (`recoloured` of no more than
    `recolour`): a garment in another colour is worth keeping, but not in another part. `plain` marks pictures with
    nothing in them, whose perceptual hash means nothing: they have exact copies only. Time grows with N².
    """
    count = len(prints)
    sets = UnionFind(count)
    matches: list[Match | None] = [None] * count
    first: dict[str, int] = {}
    for i, item in enumerate(prints):
        earlier = first.setdefault(item.pixels, i)
        if earlier != i:
            sets.union(earlier, i)
            matches[i] = Match(earlier, 0, mirrored=False, exact=True)
    blank = [False] * count if plain is None else plain
    rows = np.array([i for i in range(count) if matches[i] is None and not blank[i]], np.int64)
    _near_copies(prints, rows, limits=(limit, recolour), sets=sets, matches=matches)
    for i, match in enumerate(matches):  # an exact copy of one that goes is a copy of the one that stays
        if match is not None and match.exact:
            stays = matches[match.index]
            matches[i] = match if stays is None else stays
    return Copies(sets.groups(), tuple(matches))


def _near_copies(
    prints: Sequence[Fingerprint],
    rows: Any,
    *,
    limits: tuple[int, float],
    sets: UnionFind,
    matches: list[Match | None],
) -> None:
    """Compare all pairs, a block of rows against all earlier ones at a time, filling `sets` and `matches`."""
    limit, recolour = limits
    plain = _signs([prints[i].plain for i in rows])
    mirrored = _signs([prints[i].mirrored for i in rows])
    stays = np.ones(len(rows), np.bool_)
    step = max(1, _CELLS // max(len(rows), 1))
    for start in track(range(0, len(rows), step), "copies"):
        end = min(start + step, len(rows))
        same = (BITS - plain[start:end] @ plain[:end].T) / 2
        turned = (BITS - plain[start:end] @ mirrored[:end].T) / 2
        bits = np.minimum(same, turned)
        for at in np.flatnonzero((bits <= limit).sum(axis=1) > 1) + start:
            near = np.flatnonzero(bits[at - start, :at] <= limit)
            for other in near:
                sets.union(int(rows[other]), int(rows[at]))
            for other in near[np.argsort(bits[at - start, near], kind="stable")]:
                is_turned = bool(turned[at - start, other] < same[at - start, other])
                one, two = prints[rows[at]], prints[rows[other]]
                if stays[other] and recoloured(one, two, mirrored=is_turned) <= recolour:
                    stays[at] = False
                    matches[rows[at]] = Match(int(rows[other]), int(bits[at - start, other]), is_turned, exact=False)
                    break


def _signs(hashes: list[bytes]) -> F32:
    """Bits as -1 and 1, float32 (N, BITS): their dot product is BITS less twice the bits that differ."""
    packed = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), BITS // 8)
    return np.asarray(np.unpackbits(packed, axis=1), np.float32) * 2 - 1


def group_images(images: Iterable[U8], *, limit: int = NEAR) -> tuple[int, ...]:
    """Group number of every picture (RGB uint8 HxWx3, or grey HxW) so that copies and near-copies share one.

    Raises:
        MissingExtraError: imagehash is not installed.
    """
    prints = [
        fingerprint(image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2))
        for image in track(images, "fingerprints")
    ]
    return find_copies(prints, limit=limit).groups
