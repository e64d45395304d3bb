"""The command line: exit codes, one line a refusal, reports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mojing import __version__
from mojing.cli import app as cli
from mojing.core.arrays import U8
from mojing.core.errors import InputError, MissingExtraError, ModelError, QualityError
from mojing.core.image import save
from tests.cli.conftest import Run


def test_help_and_version(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert all(word in out for word in ("tryon", "inspect", "eval", "bench", "train", "label", "models", "examples"))
    assert run("--version")[1].strip() == f"mojing {__version__}"
    for words in (["tryon"], ["inspect", "person"], ["inspect", "garment"], ["eval"], ["bench", "tryon"], ["label"]):
        assert run(*words, "--help")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["tryon"],
        ["tryon", "a.jpg"],
        ["tryon", "a.jpg", "b.jpg", "--category", "shoe"],
        ["tryon", "a.jpg", "b.jpg", "--person", "0"],
        ["tryon", "a.jpg", "b.jpg", "--threads", "none"],
        ["inspect", "person", "a.jpg"],
        ["eval", "shoes", "--data", "x"],
        ["eval", "body"],
        ["train", "shoes"],
    ],
    ids=" ".join,
)
def test_wrong_usage(run: Run, words: list[str]) -> None:
    assert run(*words)[0] == 2


def refused(result: tuple[int, str, str], code: str) -> None:
    """The refusal is exit code 3 and one line that begins with the error's code."""
    exit_code, out, err = result
    assert (exit_code, out) == (3, "")
    assert len(err.strip().splitlines()) == 1
    assert err.startswith(f"{code}: ")


def test_photos_that_cannot_be_read(run: Run, tmp_path: Path, picture: U8) -> None:
    good, text = save(tmp_path / "good.png", picture), tmp_path / "text.jpg"
    text.write_text("not a picture")
    tiny = save(tmp_path / "tiny.png", np.zeros((1, 1, 3), np.uint8))
    out = tmp_path / "out.png"
    refused(run("tryon", text, good, "-o", out), "undecodable")
    refused(run("tryon", good, tmp_path / "none.jpg", "-o", out), "not_found")
    refused(run("tryon", tiny, good, "-o", out), "too_small")
    refused(run("tryon", good, good, "-o", tmp_path / "out.tga"), "unwritable")
    refused(run("inspect", "person", text, "--out", tmp_path), "undecodable")
    refused(run("inspect", "garment", tiny, "--out", tmp_path), "too_small")
    assert not out.exists()


def test_a_refusal_is_reported(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "deep" / "report.json"
    assert run("tryon", "none.jpg", "none.jpg", "-o", tmp_path / "x.png", "--report", report)[0] == 3
    found = json.loads(report.read_text())
    assert found["status"] == "refused"
    assert found["error"]["code"] == "not_found"
    assert found["error"]["hint"]


def test_folders_that_are_not_there(run: Run, tmp_path: Path) -> None:
    refused(run("eval", "body", "--data", tmp_path / "none"), "bad_data")
    refused(run("examples", tmp_path), "not_found")
    refused(run("label", tmp_path / "none", "--out", tmp_path), "not_found")
    refused(run("label", tmp_path, "--out", tmp_path, "--python", tmp_path / "python"), "not_found")


def test_the_teacher_needs_its_own_environment(run: Run, tmp_path: Path) -> None:
    code, _, err = run("label", tmp_path, "--out", tmp_path / "labels")
    assert code == 2
    assert "mojing[teacher]" in err


def test_training_needs_torch(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mojing.cli.recipes.find_spec", lambda name: None)
    code, _, err = run("train", "body", "--minutes", "1")
    assert code == 2
    assert "mojing[train]" in err


@pytest.mark.parametrize("name", ["body", "garment", "tryon"])
def test_recipes_take_the_rest_of_the_line(run: Run, name: str) -> None:
    pytest.importorskip("torch", reason="recipes import torch")
    pytest.importorskip(f"mojing.train.recipes.{name}", reason="not written yet")
    code, out, _ = run("train", name, "--help")
    assert code == 0
    assert "--minutes" in out or "usage" in out


def test_models(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOJING_MODELS", str(tmp_path))
    for word in ("list", "verify"):
        code, _, err = run("models", word)
        assert code == 1
        assert err.startswith("model_missing: ")
    card = {"name": "x", "sha256": "0" * 64, "inputs": [], "outputs": [], "licence": "MIT", "datasets": ["d"]}
    (tmp_path / "x.json").write_text(json.dumps(card))
    (tmp_path / "x.onnx").write_bytes(b"altered")
    assert run("models", "list")[1].split() == ["x@00000000", "0.0", "MB", "MIT", "d"]
    code, out, _ = run("models", "verify")
    assert code == 1
    assert "model_corrupt" in out


def test_exit_codes() -> None:
    assert cli.exit_code(InputError("no_person", "x")) == 3
    assert cli.exit_code(QualityError("poor_result", "x")) == 3
    assert cli.exit_code(MissingExtraError("train", needs="torch")) == 2
    assert cli.exit_code(ModelError("model_missing", "x")) == 1


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "mojing", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"mojing {__version__}"
