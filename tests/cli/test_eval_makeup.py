"""`mojing eval makeup`: what it refuses before it measures anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("words", [["--data", "none"], ["--teacher", "none"]])
def test_folders_that_are_not_there(run: Run, tmp_path: Path, words: list[str]) -> None:
    code, _, err = run("eval", "makeup", words[0], tmp_path / words[1])
    assert code == 3
    assert err.startswith("bad_data:")


def test_meshes_without_photos(run: Run, tmp_path: Path) -> None:
    code, _, err = run("eval", "makeup", "--teacher", tmp_path)
    assert code == 3
    assert err.startswith("bad_options:")
    assert "--data" in err


def test_photos_without_meshes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "faces" / "photos").mkdir(parents=True)
    code, _, err = run("eval", "makeup", "--data", tmp_path, "--teacher", tmp_path)
    assert code == 3
    assert "mojing label" in err
