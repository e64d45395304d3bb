"""What `mojing eval transfer` measures, on drawn faces and with known answers."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from mojing.core.errors import ModelError
from mojing.eval import transfer
from mojing.eval.portraits import Portrait
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.reading import READ
from mojing.runtime.store import ModelStore
from tests.makeup.test_uv import mesh_at

LIPS = Layer("lip", (Shade.of_hex("#8c1c3a"),), coverage=0.9)
FAINT = Layer("blush", (Shade.of_hex("#c05040"),), coverage=0.01)


def portrait(level: int, angle: float) -> Portrait:
    noise = np.random.default_rng(level).normal(0, 3, (320, 320, 1))
    rgb = np.clip(np.array([1.0, 0.8, 0.7]) * level + noise, 0, 255).astype(np.uint8)
    return Portrait(str(level), rgb, mesh_at(70.0, angle=angle))


@pytest.fixture(scope="module")
def pair() -> transfer.Pair:
    return transfer.pair_of(Look("", (FAINT, LIPS)), portrait(190, 0.0), portrait(120, 0.1))


def test_a_pair_wears_one_look(pair: transfer.Pair) -> None:
    assert pair.seen["lip"] > transfer.SEEN > pair.seen.get("blush", 0.0)
    assert (pair.reference != pair.a.rgb).any()
    assert (pair.truth != pair.b.rgb).any()


def test_the_truth_is_without_fault_and_doing_nothing_is_not(pair: transfer.Pair) -> None:
    areas = transfer.areas_of(pair)
    found = {name: defaultdict[str, list[float]](list) for name in ("truth", "nothing", "elsewhere")}
    spoilt = pair.truth.copy()
    spoilt[:4] = 0
    for name, image in (("truth", pair.truth), ("nothing", pair.b.rgb), ("elsewhere", spoilt)):
        transfer.judge(image, pair, areas, into=found[name])
    assert found["truth"]["de00_changed"] == [0.0]
    assert found["truth"]["outside_face_max"] == [0.0]
    assert found["nothing"]["de00_lips"][0] > 5
    assert found["nothing"]["de00_unchanged"] == [0.0]
    assert found["elsewhere"]["outside_face_max"][0] > 100


def test_a_folder_without_a_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="makeup-repaint"):
        transfer.rival(tmp_path)


@pytest.mark.skipif(not ModelStore().has("makeup"), reason="no shipped network")
def test_another_network_of_ours_is_judged_like_a_baseline(pair: transfer.Pair) -> None:
    name, method, training = transfer.rival(ModelStore().folder)
    assert name == "ours-equal"
    assert training["steps"] > 0
    made = method(pair)
    assert (made != pair.b.rgb).any()


def test_only_what_can_be_seen_is_asked_for(pair: transfer.Pair) -> None:
    lens = Layer("lens", (Shade.of_hex("#406080"),))
    wrong = Layer("lip", (Shade.of_hex("#c07060"),), coverage=0.5)
    perfect, poor = transfer.Reading(), transfer.Reading()
    perfect.add(pair, Look("", (LIPS,)))
    poor.add(pair, Look("", (wrong, lens)))
    best, worse = (r.figures()["all"] for r in (perfect, poor))
    assert best["presence_f1"] == 1.0
    assert best["colour_de00"] < 0.01
    assert best["layers"] == 1.0
    assert worse["presence_f1"] == pytest.approx(2 / 3, abs=1e-3)
    assert worse["colour_de00"] > 10
    assert worse["coverage_error"] == pytest.approx(0.4)
    assert set(poor.figures()["by_kind"]) <= set(READ)
