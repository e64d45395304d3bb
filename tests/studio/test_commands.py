"""`mojing design` end to end in one process, with the toy generator and no other networks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mojing.cli.app import app
from mojing.cli.atelier import parse_changes
from mojing.core.errors import InputError, MojingError
from mojing.core.image import load
from mojing.studio.novelty import FILE, Index


@pytest.fixture
def studio(models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models, which the commands find by the environment."""
    monkeypatch.setenv("MOJING_MODELS", str(models))
    return models


def run(*words: object) -> str:
    """Output of a command that must succeed."""
    done = CliRunner().invoke(app, [str(w) for w in ("design", *words)])
    if isinstance(done.exception, MojingError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def rows(folder: Path) -> list[dict[str, object]]:
    """The designs of a folder."""
    return list(json.loads((folder / "designs.json").read_text())["designs"])


def test_designs_edits_mixtures_and_seasons(studio: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    run("--kind", "dress", "--n", 2, "--color", "teal", "--seed", 7, "--out", made)
    assert [r["file"] for r in rows(made)] == ["0000.png", "0001.png"]
    assert rows(made)[0]["controls"] == {"truncation": 0.85, "colour_asked": True, "color": "#008080"}
    before = (made / "0000.png").read_bytes()
    run("--kind", "dress", "--n", 1, "--color", "teal", "--seed", 7, "--out", tmp_path / "again")
    assert (tmp_path / "again" / "0000.png").read_bytes() == before
    for words in (("edit", made / "0000.png", "--set", "sleeve=1"), ("mix", made / "0000.png", made / "0001.png")):
        with pytest.raises(InputError, match="given as an input"):
            run(*words, "--out", made)
    known = tmp_path / "known.npz"
    assert "sleeve" in run("directions", "--out", known, "--n", 120)
    edited = run("edit", made / "0000.png", "--set", "sleeve=+1", "--out", tmp_path / "e", "--directions", known)
    assert "asked +1.00" in edited
    assert rows(tmp_path / "e")[1]["controls"]["edits"] == {"sleeve": 1.0}  # type: ignore[index]
    run("season", made / "0001.png", "--out", tmp_path / "s", "--directions", known)
    assert [r["season"] for r in rows(tmp_path / "s")] == ["as it was", "summer", "winter"]
    run("mix", made / "0000.png", made / "0001.png", "--out", tmp_path / "m")
    run("interpolate", made / "0000.png", made / "0001.png", "--steps", 4, "--out", tmp_path / "i", "--size", 96)
    assert len(rows(tmp_path / "i")) == 4
    assert load(tmp_path / "i" / "0003.png").hw == (96, 96)
    told = run("check", "--directions", known, "--n", 4, "--json", tmp_path / "check.json")
    assert "kind kept" in told
    assert json.loads((tmp_path / "check.json").read_text())["lightness"]["changed"] >= 0.75
    for method in ("sefa", "ganspace"):
        run("directions", "--method", method, "--out", tmp_path / "u", "--count", 2, "--n", 64)
        assert load(tmp_path / "u" / f"{method}.png").hw == (2 * 64, 7 * 64)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--kind", "boat"), "bad_category"),
        (("--color", "nocolour"), "bad_colour"),
        (("edit", "none.png", "--set", "sleeve=1"), "not_found"),
        (("edit", "none.png", "--set", "sleeve"), "bad_design"),
        (("print", "none.jpg", "--pattern", "wool"), "bad_pattern"),
        (("recolour", "none.jpg", "--color", "teal"), "not_found"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0].strip("-"),
)
def test_refusals(studio: Path, words: tuple[str, ...], code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        run(*words, "--out", tmp_path / "x.png")
    assert error.value.code == code


def test_what_comes_too_near_to_a_training_garment_is_withheld(
    studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, known = tmp_path / "made", tmp_path / "known.npz"
    run("--kind", "dress", "--n", 2, "--out", made)
    run("directions", "--out", known, "--n", 64)
    wary = Path(shutil.copytree(studio, tmp_path / "models"))
    some = np.random.default_rng(0).normal(size=(4, 256)).astype(np.float32)
    Index.of(["a", "b", "c", "d"], some, near=1e9).save(wary / FILE)
    monkeypatch.setenv("MOJING_MODELS", str(wary))
    first, second = made / "0000.png", made / "0001.png"
    for words in (
        ("edit", first, "--set", "lightness=+1", "--directions", known),
        ("mix", first, second),
        ("interpolate", first, second),
        ("season", first, "--directions", known),
    ):
        out = tmp_path / str(words[0])
        with pytest.raises(InputError) as error:
            run(*words, "--out", out)
        assert error.value.code == "too_near"
        assert not out.exists()
        run(*words, "--out", out, "--allow-near")
        assert rows(out)[-1]["too_near"] is True


def test_changes_are_read() -> None:
    asked = parse_changes(["sleeve=+1", "hue=-30", "colour=#ff0000"])
    assert asked == {"sleeve": 1.0, "hue": -30.0, "color": (255, 0, 0)}
    for bad in ("sleeve", "sleeve=much"):
        with pytest.raises(InputError):
            parse_changes([bad])


def test_several_kinds_take_turns(studio: Path, tmp_path: Path) -> None:
    run("--kind", "dress,tee", "--n", 3, "--out", tmp_path)
    assert [r["kind"] for r in rows(tmp_path)] == ["dress", "dress", "t-shirt"]


def test_help_names_every_command() -> None:
    text = run("--help")
    for name in ("recolour", "print", "logo", "edit", "mix", "interpolate", "invert", "season", "like", "wear"):
        assert name in text
