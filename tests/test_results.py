"""The tables that tools/results_gan.py makes of what the commands wrote."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


def figures(fid: float) -> dict[str, float]:
    return {"fid": fid, "kid": fid / 10, "precision": 0.5, "recall": 0.31, "density": 0.4, "coverage": 0.6}


def test_generators_edits_and_speeds_make_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    section: Any = import_module("results_gan").section
    gain = {"fid": 50.0, "kid": None, "coverage": -20.0}
    spent = {"recipe": "dcgan", "minutes": 20.2, "threads": 1}
    gan = {
        "generated": figures(4.0),
        "training": spent,
        "samples": 1000,
        "size_px": 64,
        "real": {"held_out": 501},
        "extractor": "features@1",
        "training_pictures_instead": figures(1.0),
        "against": {"dcgan": {"generated": figures(8.0), "training": {**spent, "minutes": 8.0, "clock": "cpu"}}},
        "improvement_percent": {"dcgan": gain},
    }
    edits = {
        "sleeve": {"changed": 0.9, "kind_kept": 1.0, "kind_kept_exactly": 0.9, "tried": 30},
        "hem": {"changed": None, "kind_kept": 0.8, "kind_kept_exactly": None, "tried": 0},
    }
    page = "\n".join(section({"gan": gan, "design": edits, "bench-gan": {"cpu_time_ratio": 1.042}}))
    assert "dcgan: fid +50 %, kid not told, coverage -20 %" in page
    assert "| ours | 20 minutes x 1 threads | 64 | 4.000 | 0.400 |" in page
    assert "| training pictures |  | 64 | 1.000 |" in page
    assert "90 % / 90 %" in page
    assert "| hem | not measured | 80 % | not measured | 0 |" in page
    assert "| 1.04 | bench-gan |" in page
    assert "designs a second at 128 px, 2 threads | >= 100 | not measured" in page
    assert "| dcgan | 8 CPU minutes |  | 8.000 |" in page
    assert "| ours |" not in "\n".join(section({}))
    longer = {**gan, "training": {"minutes_on_2_cpu_cores": 100.3, "steps": 6530}, "size_px": 128}
    page = "\n".join(section({"gan-shipped": longer}))
    assert "| ours as shipped, longer trained | 100 minutes on 2 cpu cores | 128 | 4.000 |" in page
    assert "| recall of the shipped generator | >= 0.3 | 0.31 | gan-shipped |" in page


def test_try_ons_stand_beside_their_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    section: Any = import_module("results_gan").section
    shown = {"ssim": 0.5, "l1": 0.1, "frechet": 2.0}
    spent = {"minutes": 12.0, "clock": "cpu", "threads": 1}
    found = {"put_back": {"people": 60, "pix2pix": shown, "gan": shown}, "training_of_baselines": {"pix2pix": spent}}
    page = "\n".join(section({"tryon-baselines": found}))
    assert "| pix2pix | 12 CPU minutes | 0.500 | 0.100 | 2.000 |" in page
    assert "| ours |  | 0.500 |" in page
    assert "60 held-out people" in page
