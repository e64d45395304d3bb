"""Pictures to train a GAN on: folders and npz files, mixed and broken ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mojing.core.errors import InputError
from mojing.core.image import save
from mojing.train.data.images import (
    Frame,
    Pictures,
    held_out_rows,
    load_domains,
    load_pictures,
    square,
)


def paint(path: Path, *, hw: tuple[int, int] = (40, 40), grey: bool = False, seed: int = 0) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (*hw, 3), np.uint8)
    save(path, np.repeat(pixels[..., :1], 3, axis=2) if grey else pixels)


def code_of(call: object) -> str:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    return caught.value.code


def test_a_folder_of_mixed_sizes_with_labels_by_sub_folder(tmp_path: Path) -> None:
    for i, hw in enumerate([(40, 40), (30, 60), (90, 45), (64, 64)]):
        paint(tmp_path / ("dress" if i % 2 else "skirt") / f"{i}.png", hw=hw, seed=i)
    found = load_pictures(tmp_path)
    assert found.pixels.shape == (4, 3, 64, 64)
    assert found.classes == ("dress", "skirt")
    assert found.labels is not None
    assert [found.classes[k] for k in found.labels] == [Path(name).parts[0] for name in found.names]


def test_what_cannot_be_used_is_skipped_with_its_reason(tmp_path: Path) -> None:
    for i in range(3):
        paint(tmp_path / f"{i}.png", seed=i)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "0.png").read_bytes()[:400])
    cv2.imwrite(str(tmp_path / "tiny.png"), np.zeros((5, 5, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "deep.png"), np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40)
    (tmp_path / "notes.txt").write_text("not a picture, and not said to be one")
    found = load_pictures(tmp_path)
    assert len(found) == 4
    assert "deep.png" in found.names
    assert {name: reason.split(":")[0] for name, reason in found.skipped} == {
        "broken.png": "undecodable",
        "cut.png": "truncated",
        "tiny.png": "too_small",
    }


def test_grey_pictures_have_one_channel_unless_three_are_asked_for(tmp_path: Path) -> None:
    for i in range(3):
        paint(tmp_path / f"{i}.png", hw=(28, 28), grey=True, seed=i)
    assert load_pictures(tmp_path).pixels.shape == (3, 1, 28, 28)
    assert load_pictures(tmp_path, frame=Frame(32, 3)).pixels.shape == (3, 3, 32, 32)


def test_labels_by_csv_and_pictures_without_one(tmp_path: Path) -> None:
    for i in range(3):
        paint(tmp_path / "p" / f"{i}.png", seed=i)
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n0.png,red\n1.png,blue\n")
    found = load_pictures(tmp_path / "p", labels=table)
    assert found.labels is not None
    assert found.labels.tolist() == [1, 0]
    assert found.skipped == (("2.png", "labels_missing: it has no label"),)


def test_labels_of_other_pictures_are_told(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / "p" / f"{i}.png", np.full((20, 20, 3), 40 * i, np.uint8))
    (tmp_path / "labels.csv").write_text("file,label\nelsewhere.png,a\n")
    with pytest.raises(InputError, match=r"labels\.csv has no row") as caught:
        load_pictures(tmp_path / "p", labels=tmp_path / "labels.csv")
    assert caught.value.code == "labels_missing"


def test_npz_arrays_of_every_accepted_form(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for shape, channels in (((6, 28, 28), 1), ((6, 28, 28, 3), 3), ((6, 28, 28, 4), 3), ((6, 40, 28, 1), 1)):
        np.savez(tmp_path / "x.npz", images=rng.integers(0, 256, shape, np.uint8), labels=np.arange(6) % 3)
        found = load_pictures(tmp_path / "x.npz")
        assert found.pixels.shape[:2] == (6, channels)
        assert found.pixels.shape[2] == found.pixels.shape[3]
        assert found.classes == ("0", "1", "2")
    np.savez(tmp_path / "deep.npz", images=np.full((3, 28, 28), 65535, np.uint16))
    assert (load_pictures(tmp_path / "deep.npz").pixels == 255).all()
    np.savez(tmp_path / "p.npz", points=rng.normal(size=(9, 2)))
    assert load_pictures(tmp_path / "p.npz").points


def test_an_npz_file_says_what_its_pictures_are_called_and_which_are_held_out(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28, 4), np.uint8)
    held, names = np.arange(6) % 3 == 1, np.array(list("abcdef"))
    np.savez(tmp_path / "x.npz", images=images, held=held, names=names)
    found = load_pictures(tmp_path / "x.npz")
    assert found.names == tuple("abcdef")
    assert found.channels == 3  # laid on white
    assert held_out_rows(found, 0.5).tolist() == held.tolist()
    assert load_pictures(tmp_path / "x.npz", limit=2).names == ("a", "f")
    for wrong in ({"held": np.arange(6)}, {"held": held[:3]}, {"names": np.arange(6)}):
        np.savez(tmp_path / "y.npz", images=images, **wrong)
        with pytest.raises(InputError) as caught:
            load_pictures(tmp_path / "y.npz")
        assert caught.value.code == "bad_data"


def test_bad_data_is_refused_by_code(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    paint(tmp_path / "one" / "a.png")
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"PK nonsense")
    np.savez(tmp_path / "other.npz", pictures=np.zeros((3, 8, 8), np.uint8))
    np.savez(tmp_path / "float.npz", images=np.zeros((3, 28, 28)))
    np.savez(tmp_path / "labels.npz", images=np.zeros((3, 28, 28), np.uint8), labels=np.zeros(2, np.int64))
    np.savez(tmp_path / "none.npz", images=np.zeros((0, 28, 28), np.uint8))
    np.savez(tmp_path / "nan.npz", points=np.full((4, 2), np.nan))
    expected = {
        "empty": "no_images", "one": "too_few", "missing": "not_found", "bad.npz": "bad_data", "other.npz": "bad_data",
        "float.npz": "bad_array", "labels.npz": "bad_data", "none.npz": "no_images", "nan.npz": "bad_array",
        "missing.npz": "not_found",
    }  # fmt: skip
    assert {name: code_of(lambda name=name: load_pictures(tmp_path / name)) for name in expected} == expected


def test_pairs_go_together_by_name_and_lonely_ones_are_told(tmp_path: Path) -> None:
    for i in range(4):
        paint(tmp_path / "a" / f"{i}.png", seed=i)
        paint(tmp_path / "b" / f"{i + 1}.jpg", seed=i)
    a, b = load_domains(tmp_path, paired=True)
    assert [Path(n).stem for n in a.names] == [Path(n).stem for n in b.names] == ["1", "2", "3"]
    assert {name for name, _ in a.skipped} == {"0", "4"}
    a, b = load_domains(tmp_path / "a", second=tmp_path / "b", paired=False)
    assert (len(a), len(b)) == (4, 4)
    assert code_of(lambda: load_domains(tmp_path / "a", paired=True)) == "bad_data"


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))), st.booleans())
def test_every_picture_becomes_a_square(picture: np.ndarray, pad: bool) -> None:
    assert square(picture, 16, pad=pad).shape == (16, 16, 3)


def test_padding_keeps_all_of_the_picture() -> None:
    picture = np.full((20, 60, 3), 200, np.uint8)
    picture[:, 0:4], picture[:, -4:] = 10, 10
    assert (square(picture, 60, pad=True) == 10).any()
    assert not (square(picture, 20) == 10).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 40), st.floats(0, 0.5), st.integers(0, 5))
def test_copies_of_a_picture_are_never_on_both_sides(count: int, share: float, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 1, 16, 16), np.uint8)
    twice = Pictures(np.concatenate([pixels, pixels]), tuple(map(str, range(2 * count))))
    held = held_out_rows(twice, share)
    assert (held[:count] == held[count:]).all()
    assert (~held).sum() >= 2
    if share > 0.01 and count >= 20:
        assert held.any()
