"""The face recipes: samples keep picture, mesh and labels together; both networks train, resume and ship."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32, U8
from mojing.core.geometry import Affine
from mojing.core.image import load
from mojing.perception import facemesh as fm
from mojing.perception.face import Faces
from mojing.perception.facedetail import EYE_REACH, LIPS_REACH, PATCH, FaceDetail, patch_affines, point_sets
from mojing.perception.facefind import SIDE, STRIDE, peaks, where
from mojing.perception.faceview import FACE_PARTS, parts_affine
from mojing.runtime.store import ModelStore
from mojing.train.data import face_augment as dress
from mojing.train.data import faces as data
from mojing.train.export import Port, export
from mojing.train.nets.face import ANCHORS, FaceNet, centres
from mojing.train.recipes import face, facedetail, facefinder
from mojing.train.ship import ship

torch.set_num_threads(1)
PORTRAIT = Path(__file__).parents[2] / "examples" / "faces" / "astronaut.jpg"
EYES = ((203.7, 101.4), (246.8, 103.6))
"""Iris centres of the bundled portrait in px, right and left."""


def portrait_mesh() -> F32:
    """The mean shape laid onto the bundled portrait by its eyes."""
    (x0, y0), (x1, y1) = EYES
    size = float(np.hypot(x1 - x0, y1 - y0))
    angle = float(np.arctan2(y1 - y0, x1 - x0))
    c, s = np.cos(angle) * size, np.sin(angle) * size
    mesh = fm.mean_shape().copy()
    mesh[:, :2] = mesh[:, :2] @ np.array([[c, s], [-s, c]], np.float32) + ((x0 + x1) / 2, (y0 + y1) / 2)
    mesh[:, 2] *= size
    return mesh


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets of a few copies of the portrait, with the teacher's labels of them."""
    root = tmp_path_factory.mktemp("faces")
    rgb, mesh = load(PORTRAIT).flat(), portrait_mesh()
    pose = np.zeros((33, 4), np.float32)
    pose[2, :2], pose[5, :2] = EYES[1], EYES[0]
    for name, stems in (("faces", ("0001", "0002", "0004")), ("garments", ("a", "b", "c", "d", "e", "f"))):
        photos, labels = root / name / "photos", root / "teacher" / name
        photos.mkdir(parents=True)
        labels.mkdir(parents=True)
        for i, stem in enumerate(stems):
            picture = rgb if name == "faces" else np.roll(rgb[280:, 200:], 20 * i, axis=1)
            cv2.imwrite(str(photos / f"{stem}.webp"), picture[..., ::-1])
            if name == "faces":
                hw = np.array(rgb.shape[:2], np.int32)
                np.savez(labels / f"{stem}.npz", pose=pose, mask=np.zeros((4, 4), np.uint8), face=mesh, hw=hw)
    (root / "faces" / "faces.csv").write_text("image,gender\n0001,female\n0002,female\n0004,female\n")
    return root


@pytest.fixture(scope="module")
def stored(folder: Path) -> list[data.Face]:
    return data.load_faces(folder, folder / "teacher", cache=folder / "cache", held_out=False)


def test_faces_are_stored_upright_with_their_labels(folder: Path, stored: list[data.Face]) -> None:
    held_out = data.load_faces(folder, folder / "teacher", cache=folder / "cache", held_out=True)
    assert [f.name for f in stored] == ["faces/0001", "faces/0002"]
    assert [f.name for f in held_out] == ["faces/0004"]
    one = stored[0]
    assert one.rgb.shape == (384, 384, 3)
    assert abs(one.mesh[468, 1] - one.mesh[473, 1]) < 0.5
    inside = data.filled(one.mesh[list(fm.OVAL), :2], 384) > 0
    assert (one.label[inside] == data.PART["skin"]).mean() > 0.4
    assert not np.isin(one.label, (data.PART["beard"], data.PART["glasses"])).any(), "she wears neither"
    x, y = np.rint(one.mesh[10, :2]).astype(int)
    assert (one.label[y - 40 : y - 20, x - 40 : x + 40] == data.PART["hair"]).mean() > 0.5


def test_what_cannot_be_trusted_is_left_out() -> None:
    mesh, hw = portrait_mesh(), (512, 512)
    pose = np.zeros((33, 4), np.float32)
    pose[2, :2], pose[5, :2] = EYES[1], EYES[0]
    assert data.trusted(mesh, pose, hw)
    assert not data.trusted(mesh[:0], pose, hw)
    assert not data.trusted(mesh + np.array([60, 0, 0], np.float32), pose, hw), "eyes elsewhere than the pose's"
    assert not data.trusted(mesh * np.float32(0.1), pose, hw), "tiny"
    assert not data.trusted(mesh - np.array([0, 60, 0], np.float32), pose - 60, hw), "cut off"


def drawn(mesh: F32, side: int) -> U8:
    """A picture with a white dot at each of a few points of a mesh."""
    image = np.zeros((side, side, 3), np.uint8)
    for x, y in mesh[[468, 473, 1, 61, 291], :2]:
        cv2.circle(image, (round(float(x)), round(float(y))), 2, (255, 255, 255), -1)
    return image


@settings(max_examples=15, deadline=None)
@given(st.floats(-25, 25), st.floats(-15, 15))
def test_turning_in_depth_moves_picture_and_mesh_alike(yaw: float, pitch: float) -> None:
    side = 192
    mesh = fm.mean_shape() * 50 + np.array([96, 80, 0], np.float32)
    label = np.zeros((side, side), np.uint8)
    image, _, moved = dress.turned(drawn(mesh, side), label, mesh, yaw=yaw, pitch=pitch)
    for point in (468, 473, 1, 61, 291):
        x, y = np.rint(moved[point, :2]).astype(int)
        assert image[y - 1 : y + 2, x - 1 : x + 2].max() > 120


@pytest.mark.parametrize("seed", range(4))
def test_another_shape_moves_picture_and_mesh_alike_and_is_another(seed: int) -> None:
    mesh = fm.mean_shape() * 50 + np.array([96, 80, 0], np.float32)
    label = np.zeros((192, 192), np.uint8)
    image, _, moved = dress.reshaped(drawn(mesh, 192), label, mesh, rng=np.random.default_rng(seed))
    for point in (468, 473, 1, 61, 291):
        x, y = np.rint(moved[point, :2]).astype(int)
        assert image[y - 1 : y + 2, x - 1 : x + 2].max() > 120
    ratio = [np.hypot(*(m[10, :2] - m[152, :2])) / np.hypot(*(m[234, :2] - m[454, :2])) for m in (mesh, moved)]
    assert 0.7 < ratio[1] / ratio[0] < 1.4
    assert ratio[0] != pytest.approx(ratio[1], abs=1e-3)


def test_faces_turned_to_the_side_are_drawn_more_often(stored: list[data.Face]) -> None:
    front = stored[0]
    aside = replace(front, mesh=dress.turned(front.rgb, front.label, front.mesh, yaw=35.0, pitch=0.0)[2])
    chance = face.chances([front, aside])
    assert chance.sum() == pytest.approx(1.0)
    assert 2.0 < chance[1] / chance[0] <= 5.0


def test_turning_to_the_left_takes_the_left_eye_away() -> None:
    mesh = fm.mean_shape() * 50 + np.array([96, 80, 0], np.float32)
    blank = np.zeros((192, 192, 3), np.uint8)
    for yaw in (-20.0, 20.0):
        moved = dress.turned(blank, blank[..., 0], mesh, yaw=yaw, pitch=0.0)[2]
        assert np.sign(moved[263, 2] - moved[33, 2]) == np.sign(yaw)
        near, far = (np.hypot(*(moved[a, :2] - moved[b, :2])) for a, b in ((133, 33), (362, 263)))
        assert (near > far) == (yaw > 0), "the far eye is narrower"


def test_darker_skin_keeps_its_hue_and_leaves_the_rest_alone() -> None:
    image = np.full((64, 64, 3), (220, 170, 140), np.uint8)
    label = np.zeros((64, 64), np.uint8)
    label[:, 32:] = data.PART["skin"]
    out = dress.retoned(image, label, melanin=1.0, hair=0.0)
    assert (out[:, :24] == image[:, :24]).all()
    r, g, b = out[32, 60].astype(int)
    assert r > g > b
    assert r < 190
    assert b < 110


@pytest.mark.parametrize("seed", range(8))
def test_crops_keep_mesh_and_labels_on_the_face(stored: list[data.Face], seed: int) -> None:
    rng = np.random.default_rng(seed)
    patch = np.full((64, 64, 3), 90, np.uint8)
    sample = face.crop(stored[0], rng, side=128, others=[patch])
    assert sample.image.shape == (128, 128, 3)
    assert sample.label.shape == (64, 64)
    if sample.face:
        mouth = sample.mesh[list(fm.LIPS_OUTER), :2].mean(axis=0)
        x, y = (mouth * 64 - 0.5).round().astype(int)
        assert sample.label[y, x] in [data.PART[n] for n in ("mouth", "skin", "cover")] + [data.IGNORE]


def test_glasses_masks_and_hands_are_labelled_where_they_are_drawn(stored: list[data.Face]) -> None:
    one, patch = stored[0], np.full((64, 64, 3), 90, np.uint8)
    for seed in range(6):
        for name, what in (("glasses", dress.spectacled), ("cover", dress.masked), ("cover", dress.covered)):
            rng = np.random.default_rng(seed)
            if what is dress.spectacled:
                image, label = dress.spectacled(one.rgb, one.label, one.mesh, rng)
            else:
                chosen = dress.masked if what is dress.masked else dress.covered
                image, label = chosen(one.rgb, one.label, one.mesh, rng, patch=patch)
            here = label == data.PART[name]
            assert here.sum() > 30
            changed = np.abs(image.astype(int) - one.rgb).max(axis=-1)
            assert changed[~cv2.dilate(here.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)].mean() < 3


def test_the_centre_of_mass_finds_a_spot_between_cells() -> None:
    heat = torch.full((1, 1, 12, 12), -20.0)
    heat[0, 0, 4, 6], heat[0, 0, 4, 7] = 5.0, 5.0
    assert centres(heat)[0, 0].tolist() == pytest.approx([7.0 / 12, 4.5 / 12], abs=1e-4)


def test_the_map_from_anchors_to_mesh_is_right_from_the_start(stored: list[data.Face]) -> None:
    net = FaceNet()
    face.start_shape(net, stored)
    mesh = stored[0].mesh / 384
    with torch.no_grad():
        told = net.anchors_to_mesh(torch.from_numpy(mesh[list(ANCHORS), :2]).flatten()[None]).reshape(-1, 3)
    assert np.abs(told[:, :2].numpy() - mesh[:, :2]).max() < 0.02


def test_targets_of_the_finder_say_where_the_face_is() -> None:
    mesh = fm.mean_shape() * 20 + np.array([150, 90, 0], np.float32)
    maps, near = facefinder.targets([mesh])
    maps[0] = np.log(np.maximum(maps[0], 1e-6)) + 3
    x, y, size, roll = where(mesh)
    (found,) = peaks(maps, limit=0.9)
    assert (found.x, found.y, found.size, found.roll) == pytest.approx((x, y, size, roll), abs=0.1)
    assert maps.shape == (6, SIDE // STRIDE, SIDE // STRIDE)
    assert near.max() == pytest.approx(1.0)


def test_both_networks_train_resume_and_ship(folder: Path, tmp_path: Path) -> None:
    how = face.Options(data=folder, teacher=folder / "teacher", out=folder, minutes=0.005, batch=3, others=4, settle=1)
    face.train(how)
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert np.isfinite(rows[-1]["mesh_pct"])
    step = torch.load(folder / "last.pt", weights_only=True)["step"]
    face.train(replace(how, minutes=0.08))
    assert torch.load(folder / "last.pt", weights_only=True)["step"] > step
    shipped = ship("face", folder, tmp_path)
    again = replace(how, minutes=0.0, start=shipped, out=folder / "again")
    (folder / "again").mkdir()
    (folder / "again" / "cache").symlink_to(folder / "cache")
    state = torch.load(face.train(again), weights_only=True)
    assert state["step"] == 0
    assert state["start"].startswith("from face.onnx")
    run = folder / "finder"
    facefinder.train(
        facefinder.Options(data=folder, teacher=folder / "teacher", out=run, minutes=0.01, batch=3, others=3)
    )
    ship("facefinder", run, tmp_path)
    close = facedetail.Options(
        data=folder, teacher=folder / "teacher", cache=folder / "cache", out=folder / "close", minutes=0.01, batch=2
    )
    facedetail.train(close)
    ship("facedetail", close.out, tmp_path)
    faces = Faces(ModelStore(tmp_path), threads=1)
    rgb = load(PORTRAIT).flat()
    view = faces.look(rgb, parts_affine(portrait_mesh(), size=192))
    assert view is not None
    assert view.parts.shape == (len(FACE_PARTS), 96, 96)
    assert np.allclose(view.parts.sum(axis=0), 1, atol=1e-4)
    assert isinstance(faces.find(rgb), tuple)


@settings(max_examples=20, deadline=None)
@given(roll=st.floats(-60, 60), size=st.floats(20, 300), seed=st.integers(0, 99))
def test_patches_show_eyes_and_lips_upright_and_their_points_go_back(roll: float, size: float, seed: int) -> None:
    turn = Affine.similarity(size, float(np.radians(roll)), move=(400.0, 380.0))
    mesh = turn.apply(fm.mean_shape()).astype(np.float32)
    mesh[:, 2] *= size
    right, left, lips = patch_affines(mesh)
    assert np.allclose(right.apply(mesh[list(fm.RIGHT_EYE), :2]).mean(axis=0), (PATCH - 1) / 2, atol=0.1)
    assert right.apply(mesh[33:34, :2])[0, 0] < right.apply(mesh[133:134, :2])[0, 0]
    assert left.apply(mesh[263:264, :2])[0, 0] < left.apply(mesh[362:363, :2])[0, 0], "seen in a mirror"
    assert lips.apply(mesh[61:62, :2])[0, 0] < lips.apply(mesh[291:292, :2])[0, 0]
    flat = right.apply(mesh[[468, 473], :2])
    assert abs(flat[0, 1] - flat[1, 1]) < 0.1, "eyes are level"
    _, points, unit = facedetail.patches_of(np.zeros((40, 40, 3), np.uint8), mesh, rng=np.random.default_rng(seed))
    assert points.shape == (sum(len(s) for s in point_sets()), 2)
    assert np.allclose(unit[0], 1 / (2 * EYE_REACH), rtol=0.4)


def test_a_closer_look_moves_only_what_it_sees_and_not_beyond_belief(tmp_path: Path) -> None:
    class Told(torch.nn.Module):
        """Says that every point lies where the mean shape has it, moved by `way` of a patch."""

        def __init__(self, way: float) -> None:
            super().__init__()
            mesh = fm.mean_shape() * np.float32(100)
            rows = zip(patch_affines(mesh), point_sets(), strict=True)
            at = np.concatenate([a.apply(mesh[p, :2]) + 0.5 for a, p in rows]) / PATCH + (way, 0.0)
            self.at = torch.nn.Parameter(torch.from_numpy(at.astype(np.float32)))

        def forward(self, patches: torch.Tensor) -> torch.Tensor:
            return self.at[None] + 0 * patches.mean(dim=(1, 2, 3, 4))[:, None, None]

    mesh = fm.mean_shape() * np.float32(100) + np.array([200, 200, 0], np.float32)
    rgb = np.full((400, 400, 3), 128, np.uint8)
    moved = {}
    for way in (0.03, 0.5):
        example = Port("patches", torch.rand(2, 3, 3, PATCH, PATCH))
        folder = tmp_path / str(way)
        export(Told(way), folder, "facedetail", inputs=[example], outputs=["points"], card={"licence": "Apache-2.0"})
        moved[way] = FaceDetail(ModelStore(folder), threads=1)(rgb, mesh)[:, :2] - mesh[:, :2]
    lip, nose, chin = fm.LIPS_INNER[0], fm.NOSE_TIP, fm.CHIN
    assert np.allclose(moved[0.03][lip], (0.03 * 2 * LIPS_REACH * 100, 0), atol=0.2)
    assert np.allclose(moved[0.03][159], (0.03 * 2 * EYE_REACH * 100, 0), atol=0.2)
    assert np.allclose(moved[0.03][386], (-0.03 * 2 * EYE_REACH * 100, 0), atol=0.2), "the left eye is seen in a mirror"
    assert np.allclose(moved[0.03][[nose, chin]], 0, atol=1e-3) or fm.NOSE_TIP in point_sets()[2]
    assert np.allclose(moved[0.5], 0), "half a patch away is not believed"
