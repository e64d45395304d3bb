"""What `mojing inspect face` writes is what was seen, in the photo's own pixels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from mojing.core.arrays import F32, U8, AnyArray
from mojing.perception.faceexport import REGIONS, regions, write_face
from mojing.perception.facemesh import POINTS, mean_shape
from mojing.perception.faceview import FACE_PARTS, FaceView


def mean_face(eyes: float = 80.0, at: tuple[float, float] = (150.0, 130.0)) -> F32:
    """The mean shape with its eyes so far apart (px) and their middle there."""
    mesh = mean_shape() * np.float32(eyes)
    mesh[:, :2] += np.array(at, np.float32)
    return np.asarray(mesh, np.float32)


def at(ids: U8, point: AnyArray) -> str:
    return REGIONS[int(ids[round(float(point[1])), round(float(point[0]))])]


def test_regions_lie_where_the_mesh_says() -> None:
    mesh = mean_face()
    ids = regions(FaceView.of_mesh(mesh, (320, 300)))
    assert ids.shape == (320, 300)
    assert at(ids, mesh[468]) == "right_iris"
    assert at(ids, mesh[473]) == "left_iris"
    assert at(ids, mesh[[0, 13]].mean(axis=0)) == "lips"
    assert at(ids, mesh[[17, 14]].mean(axis=0)) == "lips"
    assert at(ids, mesh[[65, 66]].mean(axis=0)) == "right_brow"
    assert at(ids, mesh[1]) == "skin"
    assert ids[0, 0] == 0


def test_what_hides_the_face_hides_its_regions() -> None:
    face = FaceView.of_mesh(mean_face(), (320, 300))
    parts = np.zeros_like(face.parts)
    parts[FACE_PARTS.index("cover")] = 1.0
    ids = regions(replace(face, parts=parts))
    assert set(np.unique(ids)) <= {0, REGIONS.index("cover")}


def test_a_face_that_hangs_over_the_edge(tmp_path: Path) -> None:
    for place in ((5.0, 10.0), (-900.0, 50.0)):
        face = FaceView.of_mesh(mean_face(at=place), (200, 220))
        assert regions(face).shape == (200, 220)


def test_the_files(tmp_path: Path) -> None:
    mesh = mean_face()
    rgb = np.full((320, 300, 3), 128, np.uint8)
    write_face(FaceView.of_mesh(mesh, (320, 300), confidence=0.875), rgb, tmp_path)
    told = json.loads((tmp_path / "mesh.json").read_text())
    assert np.shape(told["mesh"]) == (POINTS, 3)
    assert np.abs(np.array(told["mesh"]) - mesh).max() <= 0.006
    assert told["confidence"] == 0.875
    names = json.loads((tmp_path / "regions.json").read_text())["regions"]
    with Image.open(tmp_path / "regions.png") as picture:
        ids = np.asarray(picture)
        assert (picture.mode, ids.shape) == ("L", (320, 300))
    assert set(np.unique(ids)) <= set(names.values())
    assert {"lips", "left_eye", "right_iris", "left_brow", "skin", "hair"} <= set(names)
    with Image.open(tmp_path / "overlay.png") as picture:
        assert picture.mode == "RGB"
