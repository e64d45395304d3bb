"""MNIST's own files: bytes as they are published, written here, and what can be wrong with them."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.train.data.idx import find_images, labels_beside, read_idx
from mojing.train.data.images import Frame, load_pictures

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array: np.ndarray, *, kind: int = 8) -> bytes:
    """The bytes of an IDX file, by the published format."""
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()


def digits(count: int = 30, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 28, 28), np.uint8), (np.arange(count) % 10).astype(np.uint8)


def publish(folder: Path, *, part: str = "train", zipped: bool = True, count: int = 30, seed: int = 0) -> Path:
    """A set as MNIST is published: pictures and labels, gzipped; the path of the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = digits(count, seed=seed)
    end = ".gz" if zipped else ""
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        data = idx(array)
        (folder / f"{part}-{kind}-ubyte{end}").write_bytes(gzip.compress(data) if zipped else data)
    return folder / f"{part}-images-idx3-ubyte{end}"


@pytest.mark.parametrize("zipped", [True, False])
def test_the_folder_of_mnist_and_its_file_are_the_same_pictures(tmp_path: Path, zipped: bool) -> None:
    file = publish(tmp_path, zipped=zipped)
    publish(tmp_path, part="t10k", zipped=zipped, count=7, seed=1)
    images, labels = digits()
    for path in (tmp_path, file):
        found = load_pictures(path)
        assert found.pixels.shape == (30, 1, 28, 28)
        assert (found.pixels[:, 0] == images).all()
        assert found.labels is not None
        assert (found.labels == labels).all()
        assert found.classes == tuple("0123456789")
    assert len(load_pictures(file.with_name(file.name.replace("train", "t10k")))) == 7


def test_size_channels_and_limit_are_heeded(tmp_path: Path) -> None:
    found = load_pictures(publish(tmp_path), frame=Frame(32, 3), limit=5)
    assert found.pixels.shape == (5, 3, 32, 32)
    assert found.names == ("000000", "000007", "000014", "000022", "000029")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 7, 4, 2, 9]


def test_the_unzipped_of_two_copies_in_a_sub_folder_and_the_dotted_name(tmp_path: Path) -> None:
    publish(tmp_path / "MNIST" / "raw", zipped=True)
    plain = publish(tmp_path / "MNIST" / "raw", zipped=False)
    assert find_images(tmp_path) == plain
    dotted = tmp_path / "dotted" / "train-images.idx3-ubyte"
    dotted.parent.mkdir()
    dotted.write_bytes(plain.read_bytes())
    assert labels_beside(dotted) is None
    assert load_pictures(dotted).labels is None
    dotted.with_name("train-labels.idx1-ubyte").write_bytes(plain.with_name(LABELS).read_bytes())
    assert load_pictures(dotted.parent).labels is not None


def test_several_sets_need_a_choice(tmp_path: Path) -> None:
    publish(tmp_path / "mnist")
    publish(tmp_path / "fashion")
    with pytest.raises(InputError, match="several sets") as caught:
        load_pictures(tmp_path)
    assert caught.value.code == "bad_data"
    assert len(load_pictures(tmp_path / "mnist")) == 30


def test_damaged_files_are_refused_with_what_is_wrong(tmp_path: Path) -> None:
    images, labels = digits()
    whole = idx(images)
    bad = {
        "no IDX file": b"PK\3\4 something else",
        "no IDX file ": b"\0\0",
        "type 0x0d": idx(images.astype(">f4"), kind=13),
        "within its header": whole[:9],
        "and has 100": whole[:116],
        "and has more": whole + b"\0",
        "not pictures": idx(labels),
        "too much": struct.pack(">HBB3I", 0, 8, 3, *[2**31] * 3),
        "cannot be read": gzip.compress(whole)[:200],
        "cannot be read ": gzip.compress(whole)[:-8] + b"\0" * 8,
    }
    for words, data in bad.items():
        (tmp_path / IMAGES).write_bytes(data)
        with pytest.raises(InputError, match=words.strip()) as caught:
            load_pictures(tmp_path / IMAGES)
        assert caught.value.code == "bad_data"
    (tmp_path / IMAGES).write_bytes(whole)
    (tmp_path / LABELS).write_bytes(idx(labels[:-1]))
    with pytest.raises(InputError, match="for 30 pictures"):
        load_pictures(tmp_path)
    with pytest.raises(InputError) as gone:
        read_idx(tmp_path / "nothing")
    assert gone.value.code == "not_found"


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.booleans(), st.integers(0, 99))
def test_any_array_comes_back_as_it_was(tmp_path: Path, shape: list[int], zipped: bool, seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    path = tmp_path / "array"
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    found = read_idx(path)
    assert found.shape == tuple(shape)
    assert (found == array).all()
