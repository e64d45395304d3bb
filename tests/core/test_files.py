"""Results are written whole or not at all, and places that cannot be written are refused beforehand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mojing.core import files
from mojing.core.errors import InputError


def refused(place: Path) -> str:
    """What a file's place is refused for."""
    with pytest.raises(InputError) as caught:
        files.check_file(place)
    assert caught.value.code == "unwritable"
    assert caught.value.hint
    return str(caught.value)


def test_places_for_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "folder" in refused(tmp_path)
    refused(tmp_path / "file" / "x.png")
    refused(tmp_path / "file" / "deep" / "x.png")
    refused(tmp_path / "bad\0name.png")
    refused(tmp_path / ("n" * 300) / "x.png")
    files.check_file(tmp_path / "file")
    files.check_file(tmp_path / "new" / "deep" / "x.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"], "asking creates nothing"


def test_places_for_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "deep"):
        with pytest.raises(InputError) as caught:
            files.check_folder(place)
        assert caught.value.code == "unwritable"
    files.check_folder(tmp_path)
    files.check_folder(tmp_path / "new" / "deep")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_write_protected_places(tmp_path: Path) -> None:
    kept = tmp_path / "kept.png"
    kept.write_text("x")
    kept.chmod(0o444)
    refused(kept)
    tmp_path.chmod(0o555)
    refused(tmp_path / "new.png")
    with pytest.raises(InputError):
        files.check_folder(tmp_path)
    tmp_path.chmod(0o755)


def test_a_file_is_replaced_whole_and_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    path = files.write(tmp_path / "deep" / "x", b"one")
    path.chmod(0o640)
    (tmp_path / "link").symlink_to(path)
    files.write(tmp_path / "link", b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()
    assert [p.name for p in path.parent.iterdir()] == ["x"]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"kept")
    for place in (tmp_path / "folder", tmp_path / "file" / "x", tmp_path / ("n" * 300), tmp_path / "a\0b"):
        with pytest.raises(InputError) as caught:
            files.write(place, b"new")
        assert caught.value.code == "unwritable"
    assert (tmp_path / "file").read_bytes() == b"kept"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_what_is_no_plain_file_is_written_directly() -> None:
    files.write(os.devnull, b"gone")
    assert Path(os.devnull).is_char_device()


def test_a_file_filled_bit_by_bit_appears_when_it_is_whole(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "clip.mp4"
    with files.whole(place) as path:
        assert path.suffix == ".mp4"
        path.write_bytes(b"half")
        assert not place.exists()
        path.write_bytes(b"whole")
    assert place.read_bytes() == b"whole"

    def fail_halfway() -> None:
        with files.whole(place) as path:
            path.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    with pytest.raises(InputError, match="cannot be written"), files.whole(place):
        pass  # nothing was written that could take its place
    assert [p.name for p in place.parent.iterdir()] == ["clip.mp4"]
    assert place.read_bytes() == b"whole"
