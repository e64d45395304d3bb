"""The commands on the bundled examples, with the shipped models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mojing.core.image import load
from mojing.runtime import ModelStore

ROOT = Path(__file__).parents[2]
PEOPLE = sorted((ROOT / "examples" / "people").glob("*.*"))
GARMENTS = sorted((ROOT / "examples" / "garments").glob("*.*"))
READY = bool(PEOPLE) and bool(GARMENTS) and all(ModelStore().has(name) for name in ("body", "garment", "render"))
pytestmark = pytest.mark.skipif(not READY, reason="needs the shipped models and the bundled examples")


def mojing(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "mojing", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_tryon_writes_picture_report_and_debug(tmp_path: Path) -> None:
    out, report, debug = tmp_path / "out.png", tmp_path / "r.json", tmp_path / "debug"
    done = mojing("tryon", PEOPLE[0], GARMENTS[0], "-o", out, "--report", report, "--debug", debug)
    assert done.returncode == 0, done.stderr
    person, result = load(PEOPLE[0]), load(out)
    assert result.hw == person.hw
    found = json.loads(report.read_text())
    assert {"status", "quality", "category", "timings_ms", "models"} <= set(found)
    assert {"score", "reasons"} <= set(found["quality"])
    mask = load(debug / "edit_mask.png").rgb[..., 0]
    assert set(np.unique(mask)) <= {0, 255}
    assert 0 < (mask > 0).mean() < 1
    np.testing.assert_array_equal(result.rgb[mask == 0], person.rgb[mask == 0])


def test_inspect_writes_the_fixed_formats(tmp_path: Path) -> None:
    assert mojing("inspect", "person", PEOPLE[0], "--out", tmp_path / "p").returncode == 0
    joints = json.loads((tmp_path / "p" / "joints.json").read_text())["joints"]
    assert {"nose", "left_shoulder", "right_ankle"} <= set(joints)
    assert load(tmp_path / "p" / "parse.png").hw == load(PEOPLE[0]).hw
    assert mojing("inspect", "garment", GARMENTS[0], "--out", tmp_path / "g").returncode == 0
    assert "anchors" in json.loads((tmp_path / "g" / "anchors.json").read_text())
    assert load(tmp_path / "g" / "cutout.png").alpha is not None


def test_a_photo_without_anybody_is_refused(tmp_path: Path) -> None:
    done = mojing("tryon", GARMENTS[0], GARMENTS[0], "-o", tmp_path / "x.png")
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1


def test_contact_sheet_shows_everyone_in_everything(tmp_path: Path) -> None:
    for folder, photos in (("people", PEOPLE[:1]), ("garments", GARMENTS[:2])):
        (tmp_path / folder).mkdir()
        for photo in photos:
            shutil.copy(photo, tmp_path / folder)
    # A person's photo that shows nobody is one grey row, not the end of the sheet.
    shutil.copy(GARMENTS[0], tmp_path / "people" / f"z{GARMENTS[0].suffix}")
    done = mojing("examples", tmp_path, "-o", tmp_path / "out" / "sheet.png")
    assert done.returncode == 0, done.stderr
    assert "sheet.png" in done.stdout
    assert load(tmp_path / "out" / "sheet.png").hw == (3 * 320, 3 * 240)
