"""`mojing train doctor` and the tables of the laboratory's benches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mojing.cli.clinic import doctor, doctor_table, modes_table
from mojing.core.errors import InputError
from mojing.train import modes, sick
from mojing.train.doctor import Finding


def stopped_run(folder: Path) -> Path:
    """A run that ended in a number that is not finite."""
    rows = [{"step": 10, "d_loss": 1.0}, {"event": "nan", "tensor": "d_loss", "step": 20}]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_findings_in_words_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stopped_run(tmp_path)
    doctor(run, as_json=False)
    words = capsys.readouterr().out
    assert "exploding gradients (confidence 0.97)" in words
    assert "step 20" in words
    doctor(run, as_json=True)
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert set(finding) == {"kind", "confidence", "evidence", "advice"}
    assert finding["kind"] == "exploding_gradients"


def test_a_folder_without_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        doctor(tmp_path, as_json=True)
    assert caught.value.code == "not_found"


def test_the_doctor_needs_no_torch(tmp_path: Path) -> None:
    code = "app(sys.argv[1:], standalone_mode=False); print('torch' in sys.modules)"
    script = f"import sys; from mojing.cli.app import app; {code}"
    command = [sys.executable, "-c", script, "train", "doctor", str(stopped_run(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_tables_hold_the_figures() -> None:
    case = sick.Case("oscillation", "ring")
    verdict = sick.Verdict(case, 0, (Finding("oscillation", 0.9, "", ""), Finding("mode_collapse", 0.6, "", "")), 1.5)
    table = doctor_table(sick.summary([verdict], (0,)))
    assert "mode_collapse 1" in table
    assert "detection 1.000 of 1 ill runs" in table
    problem = modes.point_problem("ring", 0)
    row = problem.cover(problem.material.train.pixels, recipe="real data")
    table = modes_table({"rows": [vars(row)], "skipped": {"stacked": "no data"}})
    assert "8 of 8" in table
    assert "stacked was left out: no data" in table
