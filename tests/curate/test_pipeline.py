"""A whole folder: what is found, the report, the clean copy, the parts; the source stays as it is."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.image import save
from mojing.core.progress import listening
from mojing.curate.check import Limits
from mojing.curate.offtopic import Sight
from mojing.curate.pipeline import Survey, clean_copy, split_parts, survey, write_parts
from mojing.curate.report import write_report
from tests.curate.scenes import folder_of, scene, state

pytest.importorskip("imagehash", reason="the extra 'train' is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty sound pictures, and one of every fault."""
    folder = folder_of(tmp_path / "photos", 30)
    save(folder / "copy" / "again.png", scene(3))
    save(folder / "smaller.png", np.asarray(cv2.resize(scene(4), (90, 120), interpolation=cv2.INTER_AREA), np.uint8))
    save(folder / "white.png", np.full((90, 90, 3), 255, np.uint8))
    save(folder / "thin.png", scene(41, (300, 80)))
    (folder / "<b>&.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


EXPECTED = {
    "<b>&.jpg": "corrupt",
    "copy/again.png": "duplicate",
    "smaller.png": "near-duplicate",
    "white.png": "near-blank",
    "thin.png": "wrong ratio",
}


def flagged(found: Survey) -> dict[str, str]:
    return {p.name: "; ".join(flag.reason for flag in p.flags) for p in found.pictures if p.flags}


def test_survey_and_report(folder: Path, tmp_path: Path) -> None:
    before = state(folder)
    heard: list[tuple[int, int, str]] = []

    def listener(done: int, total: int, *, what: str) -> None:
        heard.append((done, total, what))

    with listening(listener):
        found = survey(folder, threads=3)
    assert flagged(found) == EXPECTED
    assert (35, 35, "pictures checked") in heard
    assert len(found.notes) == 2
    assert "no feature network" in found.notes[0]
    page, flags, pictures = write_report(found, tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;&amp;.jpg" in text
    assert "<b>&.jpg" not in text
    assert not re.search(r'(src|href)="(?!data:)|https?://|@import|url\(', text)
    assert text.count("data:image/webp;base64,") == 6
    with flags.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["file"]: row["reason"] for row in rows} == EXPECTED
    assert {row["file"]: row["like"] for row in rows if row["like"]} == {
        "copy/again.png": "003.png",
        "smaller.png": "004.png",
    }
    with pictures.open(newline="", encoding="utf-8") as handle:
        assert len(list(csv.DictReader(handle))) == 35
    assert state(folder) == before
    with pytest.raises(InputError, match="source folder"):
        write_report(found, folder / "report")


def test_clean_copy_is_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    before = state(folder)
    found = survey(folder)
    names = clean_copy(found, tmp_path / "clean")
    after = state(tmp_path / "clean")
    assert set(names) == after.keys() == {f"{i:03d}.png" for i in range(30)}
    assert after.items() <= before.items()
    assert state(folder) == before
    assert set(found.clean(keep=["duplicate", "wrong ratio"])) == {*names, "copy/again.png", "thin.png"}
    with pytest.raises(InputError, match="no reason"):
        found.clean(keep=["ugly"])
    with pytest.raises(InputError, match="not empty"):
        clean_copy(found, tmp_path / "clean")


def test_strangers_by_a_given_network(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", 70)
    red = np.clip(scene(99) * 0.1 + (220, 0, 0), 0, 255).astype(np.uint8)
    save(folder / "stranger.png", red)
    sizes: list[int] = []

    def mean_colour(images: Sequence[U8]) -> F32:
        sizes.append(len(images))
        return np.array([image.mean(axis=(0, 1)) for image in images], np.float32)

    found = survey(folder, features=mean_colour, limits=Limits(strangeness=6.0))
    assert flagged(found) == {"stranger.png": "off-topic"}
    assert max(sizes) <= 64
    assert sum(sizes) == 71
    assert not found.notes


def test_strangers_that_keep_each_other_company_are_told_by_what_the_network_knows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", 40)
    for i in range(8):
        save(folder / f"stranger{i}.png", np.clip(scene(99 + i) * 0.3 + (178, 0, 0), 0, 255).astype(np.uint8))

    def sight(images: Sequence[U8]) -> Sight:
        colours = np.array([image.mean(axis=(0, 1)) for image in images], np.float32)
        return Sight(colours, (colours[:, 0] - colours[:, 1] > 150).astype(np.float32))

    strangers = {f"stranger{i}.png" for i in range(8)}
    limits = Limits(strangeness=99.0, near=0)
    assert {n for n, why in flagged(survey(folder, features=sight, limits=limits)).items() if "off" in why} == strangers
    reds = tmp_path / "reds"
    reds.mkdir()
    for i in range(24):  # a set of nothing that the network knows is a set of its own
        save(reds / f"{i}.png", np.clip(scene(i) * 0.3 + (178, 0, 0), 0, 255).astype(np.uint8))
    assert not any("off" in why for why in flagged(survey(reds, features=sight, limits=limits)).values())


def test_parts_keep_copies_and_senders_together(folder: Path, tmp_path: Path) -> None:
    found = survey(folder)
    sender = [None if p.name == "005.png" else p.name[:2] for p in found.pictures]
    part_of, groups = split_parts(found, by=[sender], shares={"train": 0.6, "test": 0.4}, seed=1)
    assert part_of.keys() == {p.name for p in found.pictures} - {"<b>&.jpg"}
    assert part_of["copy/again.png"] == part_of["003.png"]
    assert part_of["smaller.png"] == part_of["004.png"]
    for tens in ("01", "02"):
        assert len({part for name, part in part_of.items() if name.startswith(tens)}) == 1
    counts = write_parts(found, part_of, groups=groups, out=tmp_path / "parts")
    assert sum(counts.values()) == 34
    listed = (tmp_path / "parts" / "test.txt").read_text(encoding="utf-8").splitlines()
    assert listed == [name for name, part in part_of.items() if part == "test"]


def test_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        survey(tmp_path / "none")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match="no pictures"):
        survey(tmp_path)
    (tmp_path / "a.png").write_text("x")
    found = survey(tmp_path)
    assert flagged(found) == {"a.png": "corrupt"}
    with pytest.raises(InputError, match="can be read"):
        split_parts(found, shares={"a": 1}, seed=0)
