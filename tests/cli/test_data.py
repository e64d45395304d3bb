"""`mojing data`: what it prints, writes and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from mojing.core.image import save
from tests.cli.conftest import Run
from tests.curate.scenes import folder_of, scene, state

pytest.importorskip("imagehash", reason="the extra 'train' is not installed")


@pytest.fixture
def run(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `mojing data` in this process: exit code, stdout, stderr. There is no feature network."""
    monkeypatch.setenv("MOJING_MODELS", str(tmp_path / "no models"))
    return lambda *words: run("data", *words)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten scenes, one of them twice."""
    folder = folder_of(tmp_path / "photos", 10)
    save(folder / "twice.png", scene(0))
    return folder


def test_check(run: Run, photos: Path, tmp_path: Path) -> None:
    before = state(photos)
    code, out, _ = run("check", photos, "--report", tmp_path / "report")
    assert code == 0
    assert "1 of 11 pictures flagged" in out
    assert "features.onnx is not installed" in out
    assert (tmp_path / "report" / "report.html").is_file()
    out = run("check", photos, "--report", tmp_path / "report", "--limit", "min-side=130", "--no-off-topic")[1]
    assert "11 of 11 pictures flagged" in out
    assert "not asked for" in out
    assert state(photos) == before


def test_clean(run: Run, photos: Path, tmp_path: Path) -> None:
    out, listing = tmp_path / "clean", tmp_path / "lists" / "clean.txt"
    code, said, _ = run("clean", photos, "--out", out, "--list", listing, "--report", tmp_path / "report")
    assert code == 0
    assert "10 of 11 pictures are clean" in said
    assert sorted(state(out)) == listing.read_text().splitlines() == [f"{i:03d}.png" for i in range(10)]
    run("clean", photos, "--list", listing, "--report", tmp_path / "report", "--keep", "duplicate")
    assert len(listing.read_text().splitlines()) == 11


def test_augment(run: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "bad.png").write_bytes(b"")
    code, said, _ = run("augment", photos, "--out", tmp_path / "more", "--copies", 2, "--suffix", ".jpg")
    assert code == 0
    assert "skipped bad.png" in said
    assert "22 pictures written, 1 skipped" in said
    assert len(list((tmp_path / "more").glob("*.jpg"))) == 22


def test_split(run: Run, photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "senders.csv"
    table.write_text("file,who\n" + "".join(f"{i:03d}.png,{i % 3}\n" for i in range(10)))
    words = ("--table", table, "--group-by", "who", "--shares", "train=0.7,test=0.3", "--copy")
    code, said, _ = run("split", photos, "--out", tmp_path / "parts", *words)
    assert code == 0
    assert "1 pictures have no who" in said
    train, test = ((tmp_path / "parts" / f"{part}.txt").read_text().split() for part in ("train", "test"))
    assert len(train) + len(test) == 11
    assert not {int(name[:3]) % 3 for name in train if name[0] == "0"} & {int(n[:3]) % 3 for n in test if n[0] == "0"}
    assert ("twice.png" in train) == ("000.png" in train)
    assert all((tmp_path / "parts" / "test" / name).is_file() for name in test)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", "none"], "not_found"),
        (["check", "photos", "--report", "photos/x"], "unwritable"),
        (["check", "photos", "--limit", "beauty=3"], "bad_options"),
        (["check", "photos", "--limit", "near=few"], "bad_options"),
        (["clean", "photos"], "bad_options"),
        (["clean", "photos", "--out", "photos"], "unwritable"),
        (["clean", "photos", "--list", "photos/list.txt"], "unwritable"),
        (["clean", "photos", "--list", "list.txt", "--keep", "ugly"], "bad_options"),
        (["augment", "photos", "--out", "photos/more"], "unwritable"),
        (["augment", "photos", "--out", "more", "--rotate", "400"], "bad_options"),
        (["augment", "photos", "--out", "more", "--suffix", ".tga"], "bad_options"),
        (["split", "photos", "--out", "parts", "--shares", "1,2"], "bad_options"),
        (["split", "photos", "--out", "parts", "--shares", "a=1,../b=2"], "bad_options"),
        (["split", "photos", "--out", "parts", "--shares", "a=x"], "bad_options"),
        (["split", "photos", "--out", "parts", "--group-by", "who"], "bad_options"),
        (["split", "photos", "--out", "parts", "--group-by", "who", "--table", "none.csv"], "not_found"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else words,
)
def test_refusals(
    run: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = state(photos)
    done, _, err = run(*words)
    assert done == 3
    assert err.startswith(f"{code}: ")
    assert state(photos) == before
