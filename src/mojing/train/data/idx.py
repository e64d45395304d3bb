"""IDX files, the form in which MNIST and its kin (Fashion-MNIST, KMNIST) are given: a short header, then raw bytes.

Header, big-endian: two zero bytes, a byte for the type (8: uint8), one for the number of dimensions, then each
dimension as a 32-bit number. The labels of `X-images-idx3-ubyte` lie beside it in `X-labels-idx1-ubyte`; either may be
gzipped, with `.gz` at the end of its name or without. LeCun et al. 1998, yann.lecun.com/exdb/mnist, "File formats".
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np

from mojing.core.arrays import U8
from mojing.core.errors import InputError

MOST_BYTES: Final = 2**31
"""Larger files are refused: all of it would have to lie in memory."""
_UINT8: Final = 8
_GZIP: Final = b"\x1f\x8b"
_HINT: Final = "give train-images-idx3-ubyte(.gz), or the folder it lies in, as MNIST is published"


def read_idx(path: Path) -> U8:
    """The array of an IDX file of uint8, gzipped or not, in the shape that its header tells.

    Raises:
        InputError: not_found; bad_data, for another format or type, too few or too many bytes, a damaged archive.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP
            raw.seek(0)
            if not zipped:
                return _parse(raw, path)
            with gzip.open(raw) as unzipped:
                return _parse(cast(BinaryIO, unzipped), path)
    except FileNotFoundError as exc:
        raise InputError("not_found", f"there is no file {path}", _HINT) from exc
    except (OSError, EOFError, zlib.error) as exc:
        raise InputError("bad_data", f"{path.name} cannot be read: {exc}", _HINT) from exc


def read_pair(path: Path) -> tuple[U8, U8 | None]:
    """Pictures (N, H, W) uint8 of an IDX file and, where their file lies beside it, labels (N,) uint8.

    Raises:
        InputError: as `read_idx`; bad_data too when these are no pictures, or not as many labels.
    """
    images = read_idx(path)
    if images.ndim != 3:
        raise InputError("bad_data", f"{path.name} holds an array {images.shape}, not pictures (N, H, W)", _HINT)
    beside = labels_beside(path)
    if beside is None:
        return images, None
    labels = read_idx(beside)
    if labels.shape != images.shape[:1]:
        raise InputError("bad_data", f"{beside.name} is {labels.shape} for {len(images)} pictures", _HINT)
    return images, labels


def find_images(folder: Path) -> Path | None:
    """The file of pictures in a folder or below it, None where there is none.

    Of several the one to train on (`train` in its name) is meant; of a file and its gzipped copy, the file.

    Raises:
        InputError: bad_data, when it stays open which is meant.
    """
    found: dict[str, Path] = {}
    for path in _idx_files(folder):
        found.setdefault(_bare(str(path)), path)
    train = [path for path in found.values() if "train" in path.name]
    chosen = train or list(found.values())
    if len(chosen) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in chosen)
        raise InputError("bad_data", f"{folder} holds several sets of pictures: {names}", "give one of the files")
    return chosen[0] if chosen else None


def labels_beside(path: Path) -> Path | None:
    """The file of labels that goes with a file of pictures, None where there is none."""
    bare = _bare(path.name).replace("images", "labels").replace("idx3", "idx1")
    both = (path.with_name(bare), path.with_name(f"{bare}.gz"))
    return next((p for p in both if bare != _bare(path.name) and p.is_file()), None)


def _idx_files(folder: Path) -> Iterable[Path]:
    """Files of pictures, those that are not gzipped first."""
    found = [p for p in folder.rglob("*idx3-ubyte*") if _bare(p.name).endswith("idx3-ubyte") and p.is_file()]
    return sorted(found, key=lambda p: (p.suffix == ".gz", str(p)))


def _bare(name: str) -> str:
    return name.removesuffix(".gz")


def _parse(file: BinaryIO, path: Path) -> U8:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or not 1 <= head[3] <= 4:
        raise InputError("bad_data", f"{path.name} is no IDX file", f"{_HINT}; or a folder of pictures, or an npz file")
    if head[2] != _UINT8:
        raise InputError("bad_data", f"{path.name} holds numbers of type 0x{head[2]:02x}, not bytes (0x08)", _HINT)
    sizes = file.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise InputError("bad_data", f"{path.name} ends within its header", _HINT)
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    count = math.prod(shape)
    if count > MOST_BYTES:
        raise InputError("bad_data", f"{path.name} is said to hold {shape}, too much to keep in memory", _HINT)
    data = file.read(count + 1)
    if len(data) != count:
        more = "more" if len(data) > count else f"{len(data)}"
        raise InputError("bad_data", f"{path.name} should hold {count} bytes {shape} and has {more}", _HINT)
    return np.frombuffer(data, np.uint8).reshape(shape)
