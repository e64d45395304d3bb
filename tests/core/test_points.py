"""Anchors and joints through JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mojing.core.errors import InputError
from mojing.core.points import parse_points, points_json, read_points
from mojing.core.skeleton import BODY_BONES, BODY_JOINTS, GARMENT_ANCHORS, mirror_order


def test_round_trip(rng: np.random.Generator, tmp_path: Path) -> None:
    points = np.round(rng.random((len(GARMENT_ANCHORS), 3)) * 100, 2).astype(np.float32)
    path = tmp_path / "anchors.json"
    path.write_text(json.dumps(points_json(points, GARMENT_ANCHORS, key="anchors")))
    np.testing.assert_allclose(read_points(path, GARMENT_ANCHORS), points, atol=1e-3)


def test_names_left_out_have_no_confidence() -> None:
    points = parse_points({"neck": [3, 4]}, GARMENT_ANCHORS)
    assert points[0].tolist() == [3, 4, 1]
    assert not points[1:].any()


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {"anchors": {}},
        {"anchors": [1, 2]},
        {"nose": [1, 2, 1]},
        {"neck": [1]},
        {"neck": [1, 2, 3, 4]},
        {"neck": ["a", "b"]},
        {"neck": [True, False]},
        {"neck": [float("nan"), 1]},
        {"neck": "here"},
    ],
    ids=repr,
)
def test_bad_points(raw: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse_points(raw, GARMENT_ANCHORS)
    assert caught.value.code == "bad_anchors"


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        read_points(tmp_path / "none.json", GARMENT_ANCHORS)
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="not JSON"):
        read_points(tmp_path / "bad.json", GARMENT_ANCHORS)


@pytest.mark.parametrize("names", [BODY_JOINTS, GARMENT_ANCHORS])
def test_mirroring_twice_changes_nothing(names: tuple[str, ...]) -> None:
    order = mirror_order(names)
    assert [order[i] for i in order] == list(range(len(names)))
    assert all(a in BODY_JOINTS and b in BODY_JOINTS for a, b in BODY_BONES)
