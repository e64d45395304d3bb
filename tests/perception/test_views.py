"""The kinds of photo: features, the fitted softmax, and what it is told to the body reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from mojing.core.errors import InputError
from mojing.eval import viewfit
from mojing.perception import views, worn
from mojing.perception.body import BodyNet
from mojing.perception.people import fault_of
from tests.perception import figures


def test_kinds_that_can_be_told_apart_are_learnt() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 5, 200)
    features = rng.normal(0, 0.2, (200, 46))
    features[np.arange(200), kinds] += 1
    found = viewfit.fit(features, kinds, steps=400)
    head = views.ViewHead(found["mean"], found["scale"], found["weights"])
    odds = head(features[3])
    assert sum(odds.values()) == pytest.approx(1)
    assert max(odds, key=lambda k: odds[k]) == views.KINDS[kinds[3]]
    owners = [str(i) for i in range(200)]
    assert viewfit.check(features, kinds, owners)["right"] > 0.95


def test_faults_need_a_clear_answer() -> None:
    assert fault_of({"none": 0.6, "front": 0.4, "back": 0.0, "legs": 0.0, "face": 0.0}) is None
    assert fault_of({"none": 0.9}) == "no_person"
    assert fault_of({"none": 0.5, "face": 0.4}) == "no_person"
    assert fault_of({"none": 0.4, "face": 0.42}) == "only_face"
    assert fault_of({"back": 0.9}) == "back_view"
    assert fault_of({"face": 0.9}) == "only_face"
    assert fault_of({}) is None


def test_a_head_in_the_description_is_used(tmp_path: Path) -> None:
    store = figures.body_store(tmp_path)
    path = tmp_path / "body.json"
    description = json.loads(path.read_text())
    weights = np.zeros((47, 5))
    weights[-1] = [0, 9, 0, 0, 0]
    description["views"] = {"mean": [0] * 46, "scale": [1] * 46, "weights": weights.tolist()}
    path.write_text(json.dumps(description))
    net = BodyNet(store, threads=1)
    photo = figures.blank((400, 300))
    figures.paint(photo, figures.joints(150, 20, 360), 360)
    assert net.describe(photo).shape == (46,)
    assert worn.somebody(net.find(photo))
    with pytest.raises(InputError) as refused:
        net(photo)
    assert refused.value.code == "back_view"
    assert net(photo, strict=False).fault == "back_view"
