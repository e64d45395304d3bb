"""The shipped feature network still says of the bundled garments what it said when shipped, within tolerances."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from mojing.perception.features import Features
from mojing.runtime.store import ModelStore

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden-features.json"


@pytest.mark.skipif(not GOLDEN.exists() or not ModelStore().has("features"), reason="the model is not in the package")
def test_garments_have_the_features_they_had() -> None:
    describe = runpy.run_path(str(ROOT / "tools" / "golden.py"))["describe_features"]
    was, now = json.loads(GOLDEN.read_text()), describe(Features(ModelStore(), threads=1))
    assert was.keys() == now.keys()
    for name, garment in was.items():
        assert now[name]["sure"] == pytest.approx(garment["sure"], abs=0.03), name
        if garment["sure"] > 0.5:
            assert now[name]["kind"] == garment["kind"], name
        for other, distance in garment["apart"].items():
            assert now[name]["apart"][other] == pytest.approx(distance, abs=0.02 * distance + 0.05), (name, other)
