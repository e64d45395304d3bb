"""Pictures to train a GAN on, from a folder, an npz or IDX file, all of one size and kept as uint8 in memory.

A folder is searched with its sub-folders; the first level of sub-folders gives the labels unless a CSV does. An npz
file holds `images` (N, H, W) or (N, H, W, C) uint8 with optional `labels` (N,), `names` (N,) and `held` (N,) bool for
those kept out of training, or `points` (N, 2) float. MNIST's own IDX files are read as they are (`train.data.idx`). Two
domains (pix2pix, CycleGAN) are the arrays `a` and `b`, or the sub-folders `a` and `b`. What cannot be used is skipped
and told.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import FORMATS, load
from mojing.core.progress import track
from mojing.curate.duplicates import group_images
from mojing.train.data.idx import find_images, read_pair

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".ppm", ".pgm")
MIN_SIDE: Final = 16
DEFAULT_SIZE: Final = 64
_DATA_HINT: Final = (
    "give a folder of pictures, an npz file with `images` (N, H, W) or (N, H, W, C) of uint8, or MNIST's IDX files"
)
_BESIDE: Final = ("labels", "points", "conditions", "names", "held")
"""Arrays of an npz file that are read beside the pictures."""
_DOMAINS: Final = (("a", "b"), ("A", "B"), ("trainA", "trainB"))

Skip = tuple[str, str]
"""Name of a picture that was left out, and why."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one size.

    `pixels` uint8 (N, C, H, W), or float32 (N, 2) for points in the plane; `labels` int64 (N,) or None;
    `names` one a picture; `classes` what the labels stand for; `skipped` what was left out and why;
    `conditions` float32 (N, K), numbers that a picture is asked for with (an npz file's array of that name), or None;
    `held` bool (N,), those that the data themselves keep out of training, or None.
    """

    pixels: NDArray[Any]
    names: tuple[str, ...]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[Skip, ...] = ()
    conditions: NDArray[np.float32] | None = None
    held: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def points(self) -> bool:
        """Whether these are points in the plane, not pictures."""
        return self.pixels.ndim == 2

    @property
    def size(self) -> int:
        """Side in pixels, the shorter one; 1 for points."""
        return min(self.hw)

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width in pixels; pictures made in memory (`data.pairs`) need not be square. (1, 1) for points."""
        return (1, 1) if self.points else (int(self.pixels.shape[2]), int(self.pixels.shape[3]))

    @property
    def channels(self) -> int:
        """Channels of a picture; 2 for points."""
        return int(self.pixels.shape[1])

    def take(self, rows: NDArray[np.int64]) -> Pictures:
        """Those at the given indices."""
        labels = None if self.labels is None else self.labels[rows]
        conditions = None if self.conditions is None else self.conditions[rows]
        held = None if self.held is None else self.held[rows]
        names = tuple(self.names[i] for i in rows)
        return replace(self, pixels=self.pixels[rows], names=names, labels=labels, conditions=conditions, held=held)


@dataclass(frozen=True)
class Frame:
    """The form pictures are brought to: side in px and channels (0: as they are), padded or cropped to a square."""

    size: int = 0
    channels: int = 0
    pad: bool = False


def square(picture: U8, size: int, *, pad: bool = False) -> U8:
    """`picture` (H, W, C) uint8 as (size, size, C): its middle square, or all of it on its border's median colour."""
    h, w = picture.shape[:2]
    if pad:
        side = max(h, w)
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        canvas = np.empty((side, side, picture.shape[2]), np.uint8)
        canvas[:] = np.median(border, axis=0).astype(np.uint8)
        y, x = (side - h) // 2, (side - w) // 2
        canvas[y : y + h, x : x + w] = picture
        picture = canvas
    else:
        side = min(h, w)
        y, x = (h - side) // 2, (w - side) // 2
        picture = picture[y : y + side, x : x + side]
    if side != size:
        how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
        picture = np.asarray(cv2.resize(np.ascontiguousarray(picture), (size, size), interpolation=how), np.uint8)
    return picture.reshape(size, size, -1)


def load_pictures(path: Path, *, frame: Frame = Frame(), labels: Path | None = None, limit: int = 0) -> Pictures:
    """Pictures of a folder, npz file or IDX file.

    Args:
        path: folder (of pictures, or of IDX files), npz file, or IDX file.
        frame: the form to bring them to. A size of 0 keeps the pictures' own where they are alike and square, else
            makes it 64; channels of 0 are 1 when every picture is grey, else 3; `pad` keeps the whole picture, with a
            border, rather than its middle square.
        labels: CSV of two columns, file name (or path inside the folder) and label, with a header.
        limit: take only so many, evenly spread; 0 takes all.

    Raises:
        InputError: not_found, no_images, too_few, bad_data, bad_array.
    """
    if path.suffix == ".npz":
        found = _from_npz(path, "images", frame=frame, limit=limit)
    elif (file := find_images(path) if path.is_dir() else path) is not None and file.is_file():
        found = _from_idx(file, frame=frame, limit=limit)
    else:
        found = _from_folder(path, frame=frame, labels=labels, limit=limit)
    return _enough(found, path)


def load_domains(
    path: Path, *, second: Path | None = None, paired: bool, frame: Frame = Frame()
) -> tuple[Pictures, Pictures]:
    """The pictures of two domains; `paired` ones go together by name (folder) or by row (npz).

    Args:
        path: npz file with `a` and `b`, folder with sub-folders `a` and `b`, or the first of two folders.
        second: the second folder, where there are two.
        paired: whether a picture of one goes with a picture of the other.
        frame: the form to bring them to, as for `load_pictures`.

    Raises:
        InputError: as `load_pictures`.
    """
    if path.suffix == ".npz":
        a, b = (_from_npz(path, key, frame=frame, limit=0) for key in ("a", "b"))
        if paired and len(a) != len(b):
            raise InputError("bad_data", f"{path.name}: `a` has {len(a)} rows and `b` {len(b)}", "pair them row by row")
    else:
        first, second = (path, second) if second is not None else _domain_folders(path)
        a = _from_folder(first, frame=frame, labels=None, limit=0)
        b = _from_folder(second, frame=replace(frame, size=a.size), labels=None, limit=0)
    if a.size != b.size:
        raise InputError("bad_data", f"{path.name}: pictures of {a.size} and {b.size} px", "set --size")
    if paired and path.suffix != ".npz":
        a, b = _match(a, b)
    return _enough(a, path), _enough(b, path)


def held_out_rows(pictures: Pictures, share: float) -> NDArray[np.bool_]:
    """Which pictures (N,) are kept out of training: those that the data name, whatever the share, or else by a hash of
    the pixels, so that copies and near-copies stay on one side.

    At least one of twenty or more is held out when `share` is positive, and at least two are left to train on.
    """
    if share <= 0:
        return np.zeros(len(pictures), np.bool_)
    if pictures.held is not None:
        return pictures.held
    digests = [hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest() for row in pictures.pixels]
    least: dict[int, bytes] = {}
    groups = range(len(pictures)) if pictures.points else group_images(_pictures_of(pictures))
    for group, digest in zip(groups, digests, strict=True):
        least[group] = min(digest, least.get(group, digest))
    scores = np.array([_score(least[group]) for group in groups])
    held = scores < share
    if len(pictures) >= 20 and not held.any():
        held = scores == scores.min()
    if (~held).sum() < 2:
        held[:] = False
    return np.asarray(held, np.bool_)


def _pictures_of(pictures: Pictures) -> Iterator[U8]:
    """Each as RGB uint8 (H, W, 3)."""
    for row in pictures.pixels:
        yield np.ascontiguousarray(np.broadcast_to(row, (3, *row.shape[1:])).transpose(1, 2, 0))


def _score(digest: bytes) -> float:
    return int.from_bytes(hashlib.sha256(digest).digest()[:6], "little") / 2.0**48


def _enough(pictures: Pictures, path: Path) -> Pictures:
    if len(pictures) < 2:
        why = "; ".join(f"{name}: {reason}" for name, reason in pictures.skipped[:3])
        seen = f"{path} has {len(pictures)} usable picture{'' if len(pictures) == 1 else 's'}"
        code = "too_few" if len(pictures) else "no_images"
        raise InputError(code, f"{seen}{f' ({why})' if why else ''}", _DATA_HINT)
    return pictures


def _from_npz(path: Path, key: str, *, frame: Frame, limit: int) -> Pictures:
    try:
        with np.load(path, allow_pickle=False) as data:
            held = {name: data[name] for name in (key, *_BESIDE) if name in data.files}
            names = data.files
    except FileNotFoundError as exc:
        raise InputError("not_found", f"there is no file {path}", _DATA_HINT) from exc
    except (OSError, ValueError, EOFError) as exc:
        raise InputError("bad_data", f"{path.name} cannot be read: {exc}", _DATA_HINT) from exc
    if key == "images" and "points" in held:
        points = np.asarray(held["points"], np.float32)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise InputError("bad_array", f"{path.name}: points are finite (N, 2); got {points.shape}", _DATA_HINT)
        return _some(Pictures(points, _numbers(len(points)), _labels(held.get("labels"), len(points), path)), limit)
    if key not in held:
        raise InputError("bad_data", f"{path.name} has no `{key}`, only {', '.join(names) or 'nothing'}", _DATA_HINT)
    images = held[key]
    good = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3, 4))
    if not good or images.dtype not in (np.uint8, np.uint16):
        raise InputError("bad_array", f"{path.name}: `{key}` is {images.dtype} {images.shape}", _DATA_HINT)
    labels = _labels(held.get("labels"), len(images), path) if key == "images" else None
    found = Pictures(images, _numbers(len(images)), labels, conditions=_conditions(held.get("conditions"), len(images)))
    if key == "images":
        found = _marked(found, held, path)
    return _framed(found, frame=frame, limit=limit)


def _marked(found: Pictures, arrays: Mapping[str, NDArray[Any]], path: Path) -> Pictures:
    """With the names of an npz file's pictures, and which of them it keeps out of training."""
    names, held = arrays.get("names"), arrays.get("held")
    for title, array, kinds in (("names", names, "U"), ("held", held, "b")):
        if array is not None and (array.shape != (len(found),) or array.dtype.kind not in kinds):
            raise InputError("bad_data", f"{path.name}: `{title}` is {array.dtype} {array.shape}", "one each, (N,)")
    if names is not None:
        found = replace(found, names=tuple(str(name) for name in names))
    return replace(found, held=held)


def _from_idx(path: Path, *, frame: Frame, limit: int) -> Pictures:
    images, labels = read_pair(path)
    found = Pictures(images, _numbers(len(images)), None if labels is None else labels.astype(np.int64))
    return _framed(found, frame=frame, limit=limit)


def _framed(found: Pictures, *, frame: Frame, limit: int) -> Pictures:
    """Those whose pixels are still (N, H, W[, C]) in the form asked for, their classes named by number."""
    if found.labels is not None:
        found = replace(found, classes=tuple(str(i) for i in range(int(found.labels.max(initial=-1)) + 1)))
    found = _some(found, limit)
    return replace(found, pixels=_stack(found.pixels, frame))


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(f"{i:06d}" for i in range(count))


def _labels(raw: NDArray[Any] | None, count: int, path: Path) -> NDArray[np.int64] | None:
    if raw is None:
        return None
    if raw.shape != (count,) or raw.dtype.kind not in "iu" or (count and int(raw.min()) < 0):
        raise InputError("bad_data", f"{path.name}: `labels` is {raw.dtype} {raw.shape}", "whole numbers (N,) from 0")
    return raw.astype(np.int64)


def _conditions(raw: NDArray[Any] | None, count: int) -> NDArray[np.float32] | None:
    if raw is None:
        return None
    if raw.ndim != 2 or len(raw) != count or not np.isfinite(raw).all():
        raise InputError("bad_data", f"`conditions` is {raw.dtype} {raw.shape}", "finite numbers (N, K)")
    return raw.astype(np.float32)


def _some(pictures: Pictures, limit: int) -> Pictures:
    if not limit or limit >= len(pictures):
        return pictures
    return pictures.take(np.linspace(0, len(pictures) - 1, limit).round().astype(np.int64))


def _stack(images: NDArray[Any], frame: Frame) -> U8:
    """(N, H, W[, C]) of uint8 or uint16 as uint8 (N, C, size, size)."""
    if images.dtype == np.uint16:
        images = ((images.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if images.ndim == 3:
        images = images[..., None]
    if images.shape[3] == 4:
        alpha = images[..., 3:].astype(np.uint16)
        images = ((images[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    h, w = images.shape[1:3]
    if len(images) and min(h, w) < 4:
        raise InputError("too_small", f"the pictures are {w}x{h} px", "give larger ones")
    side = frame.size or (h if h == w else DEFAULT_SIZE)
    if (h, w) != (side, side):
        images = np.stack([square(image, side, pad=frame.pad) for image in images]) if len(images) else images
    return np.ascontiguousarray(_recolour(images, frame.channels).transpose(0, 3, 1, 2))


def _recolour(images: U8, channels: int) -> U8:
    """(N, H, W, C) with the channels asked for; 0 means one channel if every picture is grey."""
    if images.shape[3] == 3 and channels != 3:
        grey = bool((images[..., :1] == images).all())
        if grey or channels == 1:
            weights = np.array([0.299, 0.587, 0.114], np.float32)
            images = images[..., :1] if grey else (images @ weights + 0.5).astype(np.uint8)[..., None]
    elif images.shape[3] == 1 and channels == 3:
        images = np.repeat(images, 3, axis=3)
    return images


def _domain_folders(path: Path) -> tuple[Path, Path]:
    for a, b in _DOMAINS:
        if (path / a).is_dir() and (path / b).is_dir():
            return path / a, path / b
    raise InputError("bad_data", f"{path} has no sub-folders a and b", "or give the second domain with --data-b")


def _match(a: Pictures, b: Pictures) -> tuple[Pictures, Pictures]:
    """Those of both whose names agree but for the suffix; the others are added to the skipped."""
    at_a = {Path(name).stem: i for i, name in enumerate(a.names)}
    at_b = {Path(name).stem: i for i, name in enumerate(b.names)}
    both = [stem for stem in at_a if stem in at_b]
    alone = tuple((stem, "has no partner") for stem in sorted(at_a.keys() ^ at_b.keys()))
    rows = (np.array([at[stem] for stem in both], np.int64) for at in (at_a, at_b))
    a, b = (side.take(r) for side, r in zip((a, b), rows, strict=True))
    return replace(a, skipped=a.skipped + alone), b


def _from_folder(path: Path, *, frame: Frame, labels: Path | None, limit: int) -> Pictures:
    if not path.is_dir():
        raise InputError("not_found", f"there is no folder {path}", _DATA_HINT)
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if limit and limit < len(files):
        files = [files[i] for i in np.linspace(0, len(files) - 1, limit).round().astype(int)]
    size = frame.size or _common_size(files)
    pixels: list[U8] = []
    kept: list[Path] = []
    skipped: list[Skip] = []
    for file in track(files, "pictures read"):
        try:
            pixels.append(square(load(file, min_side=MIN_SIDE).flat(), size, pad=frame.pad))
            kept.append(file.relative_to(path))
        except InputError as error:
            skipped.append((str(file.relative_to(path)), f"{error.code}: {error}"))
    names = tuple(str(file) for file in kept)
    stack = np.stack(pixels) if pixels else np.zeros((0, size, size, 3), np.uint8)
    found = Pictures(_recolour(stack, frame.channels).transpose(0, 3, 1, 2).copy(), names, skipped=tuple(skipped))
    words = _words(labels, kept)
    if labels is not None and kept and not any(words):
        raise InputError(
            "labels_missing",
            f"{labels.name} has no row for any picture of {path}",
            "a CSV with a header: file name, label",
        )
    return _labelled(found, words)


def _common_size(files: Sequence[Path]) -> int:
    """The side of the pictures when all are square and alike, by their headers alone; else 64."""
    sizes = set()
    for file in files:
        try:
            with Image.open(file, formats=FORMATS) as image:
                sizes.add(image.size)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # it is reported when it is read
    (w, h) = sizes.pop() if len(sizes) == 1 else (0, 1)
    return w if w == h else DEFAULT_SIZE


def _words(labels: Path | None, files: Sequence[Path]) -> list[str | None]:
    """The label of every file in words: by the CSV, or the sub-folder it lies in."""
    if labels is None:
        tops = [file.parts[0] if len(file.parts) > 1 else None for file in files]
        return tops if len(set(tops)) > 1 and None not in tops else [None] * len(files)
    try:
        with labels.open(encoding="utf-8-sig", newline="") as handle:
            rows = [row for row in csv.reader(handle) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise InputError("bad_data", f"{labels} cannot be read: {exc}", "a CSV of file name and label") from exc
    if any(len(row) < 2 for row in rows):
        raise InputError("bad_data", f"{labels.name} has a row of one column", "a CSV of file name and label")
    known = {row[0].strip(): row[1].strip() for row in rows[1:]}
    return [known.get(str(file), known.get(file.name, known.get(file.stem))) for file in files]


def _labelled(found: Pictures, words: list[str | None]) -> Pictures:
    if not any(words):
        return found
    classes = tuple(sorted({word for word in words if word}))
    rows = np.array([i for i, word in enumerate(words) if word], np.int64)
    without = tuple((found.names[i], "labels_missing: it has no label") for i, word in enumerate(words) if not word)
    number = {word: i for i, word in enumerate(classes)}
    labels = np.array([number[word] for word in words if word], np.int64)
    kept = found.take(rows)
    return replace(kept, labels=labels, classes=classes, skipped=found.skipped + without)
