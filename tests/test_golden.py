"""The shipped models still say of the bundled examples what they said when they were shipped, within tolerances.

Other processors and runtimes round in other ways; a changed pre-processing or a wrong file differs by far more.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from mojing.runtime.store import ModelStore

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden.json"

pytestmark = pytest.mark.skipif(
    not GOLDEN.exists() or not all(ModelStore().has(name) for name in ("body", "garment", "render")),
    reason="the models are not in the package",
)


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, Any], dict[str, Any]]:
    """What is written down, and what the models say now."""
    describe = runpy.run_path(str(ROOT / "tools" / "golden.py"))["describe"]
    from mojing.tryon.pipeline import TryOn

    return json.loads(GOLDEN.read_text()), describe(TryOn(strict=False, threads=1))


def _near(a: list[float], b: list[float], *, px: float) -> bool:
    return abs(a[0] - b[0]) <= px and abs(a[1] - b[1]) <= px


def test_people_are_read_as_before(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    was, now = both[0]["people"], both[1]["people"]
    assert was.keys() == now.keys()
    for name, person in was.items():
        sure = {n: j for n, j in person["joints"].items() if j[2] > 0.4}
        assert len(sure) >= 12, name
        wrong = [n for n, j in sure.items() if not _near(j, now[name]["joints"][n], px=6)]
        assert not wrong, (name, wrong)
        for label, share in person["shares"].items():
            assert now[name]["shares"].get(label, 0) == pytest.approx(share, abs=0.01), (name, label)


def test_garments_are_read_as_before(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    was, now = both[0]["garments"], both[1]["garments"]
    assert was.keys() == now.keys()
    for name, garment in was.items():
        assert now[name]["category"] == garment["category"], name
        assert now[name]["cover"] == pytest.approx(garment["cover"], abs=0.02), name
        there = {n: a for n, a in garment["anchors"].items() if n in now[name]["anchors"]}
        assert len(there) >= len(garment["anchors"]) - 2, name
        wrong = [n for n, a in there.items() if not _near(a, now[name]["anchors"][n], px=10)]
        assert len(wrong) <= 2, (name, wrong)


def test_try_ons_look_as_before(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    was, now = both[0]["worn"], both[1]["worn"]
    for name, pair in was.items():
        assert now[name]["score"] == pytest.approx(pair["score"], abs=0.12), name
        assert now[name]["mask"] == pytest.approx(pair["mask"], abs=0.02), name
        assert now[name]["mean_colour"] == pytest.approx(pair["mean_colour"], abs=8), name
