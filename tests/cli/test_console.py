"""What commands print and write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mojing.cli.console import figures, progress_bar, refusal, to_json, write_json
from mojing.core.errors import InputError, QualityError
from mojing.core.progress import track


def test_json_of_arrays_and_paths() -> None:
    data = {"a": np.float32(0.5), "b": np.arange(3), "c": Path("x"), "名": "魔镜"}
    assert json.loads(to_json(data)) == {"a": 0.5, "b": [0, 1, 2], "c": "x", "名": "魔镜"}
    assert "魔镜" in to_json(data)
    with pytest.raises(TypeError, match="no JSON form"):
        to_json(object())


def test_json_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        write_json(tmp_path / "file" / "x.json", {})
    assert caught.value.code == "unwritable"


def test_refusal_of_a_poor_result() -> None:
    report = refusal(QualityError("poor_result", "bad", "retry", score=0.1, reasons=("hands",)))
    assert report["quality"] == {"score": 0.1, "reasons": ["hands"], "ok": False}
    assert report["error"] == {"code": "poor_result", "message": "bad", "hint": "retry"}


def test_figures_are_readable() -> None:
    text = figures({"miou": 0.71234, "per": {"hair": 0.5}, "all": list(range(20)), "n": 3})
    assert [line.split() for line in text.splitlines()] == [
        ["miou", "0.7123"],
        ["per"],
        ["hair", "0.5000"],
        ["all", "20", "values"],
        ["n", "3"],
    ]


def test_progress_in_a_log_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar():
        assert list(track(range(3), "photos")) == [0, 1, 2]
    assert capsys.readouterr().err == "", "short work leaves no lines"
    monkeypatch.setattr("mojing.cli.console.LINE_EVERY_S", 0.0)
    with progress_bar():
        list(track(range(2), "photos"))
        list(track(iter("a"), "letters"))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["photos: 0 of 2", "photos: 1 of 2", "photos: 2 of 2", "letters: 0", "letters: 1"]


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_bar():
        assert list(track(range(3), "photos")) == [0, 1, 2]
    assert capsys.readouterr().out == ""
