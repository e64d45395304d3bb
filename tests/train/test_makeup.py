"""The make-up recipe: its film is the renderer's, its pairs hold what they say, and it trains, resumes and ships."""

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

from mojing.core.color import rgb_to_lab, srgb_to_linear
from mojing.makeup import optics
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.reading import PART, READ, WIDTH
from mojing.makeup.transfer import Transfer
from mojing.perception.faceview import FaceView
from mojing.runtime.store import ModelStore
from mojing.train import painting
from mojing.train.data.makeup import Face, Pairs, find_faces, painted, prepare
from mojing.train.nets.makeup import MakeupNet, Repainter
from mojing.train.readers import best_threshold, validate
from mojing.train.recipes import makeup
from mojing.train.ship import ship
from tests.makeup.test_uv import mesh_at

torch.set_num_threads(1)
unit = st.floats(0.02, 0.98)


@settings(max_examples=40, deadline=None)
@given(skin=unit, product=unit, coverage=st.floats(0.0, 0.97))
def test_film_is_that_of_the_renderer(skin: float, product: float, coverage: float) -> None:
    colours = np.array([product, product**2, product / 2])
    thickness = optics.thickness_for(colours, np.asarray(coverage))
    true = optics.film(np.full(3, skin), colours, thickness=thickness)
    ours = painting.film(
        torch.full((1, 3, 1, 1), skin),
        torch.tensor(colours, dtype=torch.float32).view(1, 3, 1, 1),
        coverage=torch.full((1, 1, 1, 1), coverage),
    )
    np.testing.assert_allclose(ours.flatten().numpy(), true, atol=2e-3)


def test_colours_in_torch_are_those_in_numpy() -> None:
    rgb = np.random.default_rng(0).random((50, 3)).astype(np.float32)
    there = torch.from_numpy(rgb)
    np.testing.assert_allclose(painting.lab(there).numpy(), rgb_to_lab(rgb), atol=0.01)
    np.testing.assert_allclose(painting.to_linear(there).numpy(), srgb_to_linear(rgb), atol=1e-5)
    np.testing.assert_allclose(painting.to_srgb(painting.to_linear(there)).numpy(), rgb, atol=1e-4)


def test_a_bare_product_map_leaves_the_face_as_it_is() -> None:
    bare = torch.rand(2, 3, 8, 8) * 0.8 + 0.1
    product = torch.rand(2, 4, 8, 8)
    product[:, 3] = 0.0
    made = painting.paint(painting.to_linear(bare), product, white=torch.ones(2, 3, 8, 8))
    torch.testing.assert_close(made, bare, atol=2e-3, rtol=0)


def test_reading_rightly_costs_least() -> None:
    truth = torch.zeros(1, len(READ), WIDTH)
    known = torch.zeros_like(truth)
    known[..., 0] = 1
    row = READ.index("lip")
    truth[0, row, 0], truth[0, row, PART["colour"].start] = 1, 0.8
    known[0, row, PART["colour"].start : PART["colour"].start + 3] = 1
    right = truth.clone()
    right[..., 0] = torch.where(truth[..., 0] > 0, 8.0, -8.0)
    wrong = right.clone()
    wrong[0, row, PART["colour"].start] = 0.2
    best, worse = (painting.rows_loss(x, truth, known)[0].item() for x in (right, wrong))
    assert best < 0.01 < worse


def test_threshold_parts_what_is_there() -> None:
    chance = np.array([0.1, 0.3, 0.35, 0.7, 0.9])
    there = np.array([False, False, True, True, True])
    assert 0.3 < best_threshold(chance, there, np.ones(5)) <= 0.35


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two drawn faces to train on and one that is held out, with their meshes."""
    root = tmp_path_factory.mktemp("faces")
    data, teacher = root / "data", root / "teacher"
    (data / "faces" / "photos").mkdir(parents=True)
    (teacher / "faces").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("0000", "0001", "0004"):
        photo = np.clip(rng.normal((120, 140, 190), 6, (320, 320, 3)), 0, 255).astype(np.uint8)
        mesh = mesh_at(62.0, angle=rng.normal(0, 0.1))
        for ring in (slice(468, 473), slice(473, 478)):
            cv2.circle(photo, np.rint(mesh[ring][0, :2]).astype(int).tolist(), 6, (40, 40, 40), -1)
        cv2.imwrite(str(data / "faces" / "photos" / f"{name}.webp"), photo)
        np.savez(teacher / "faces" / f"{name}.npz", face=mesh)
    (data / "faces" / "faces.csv").write_text("image,gender\n0000,female\n0001,male\n")
    return data, teacher


@pytest.fixture(scope="module")
def options(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> makeup.Options:
    root = tmp_path_factory.mktemp("makeup")
    return makeup.Options(
        data=folders[0], teacher=folders[1], out=root / "run", pairs=root / "pairs", count=3, held_out=2,
        batch=2, drawn=1, minutes=0.02, judge_from=0.2,
    )  # fmt: skip


def test_faces_are_held_out_by_their_number(folders: tuple[Path, Path]) -> None:
    seen, held = (find_faces(*folders, held_out=h) for h in (False, True))
    assert [(f.name, f.madeup) for f in seen] == [("0000", True), ("0001", False)]
    assert [f.name for f in held] == ["0004"]


def test_pairs_show_the_look_they_tell_of(options: makeup.Options) -> None:
    pairs, held_out = makeup.load_pairs(options)
    assert pairs.made.shape == (3, 2, 256, 256, 3)
    assert len(held_out.faces) == 1
    for i, (a, b) in enumerate(pairs.pair):
        changed = np.abs(pairs.made[i].astype(int) - pairs.faces[[a, b]]).max()
        assert (changed > 2) == bool(pairs.rows[i, :, 0].any())
    again = prepare([], options.pairs / "seen", count=9)
    np.testing.assert_array_equal(again.rows, pairs.rows)


def test_what_cannot_be_seen_is_not_known() -> None:
    face = FaceView.of_mesh(mesh_at(62.0), (320, 320))
    photo = np.full((320, 320, 3), (200, 160, 140), np.uint8)
    faint, strong = (Layer("lip", (Shade.of_hex("#701030"),), coverage=c) for c in (0.01, 0.9))
    row = READ.index("lip")
    known = [painted(Look("", (layer,)), photo, face)[0].known[row, 0] for layer in (faint, strong)]
    assert known[0] < 0.2
    assert known[1] == 1.0
    unsure = painted(Look("", (strong,)), photo, face, unsure=True)[0].known[:, 0]
    assert np.delete(unsure, row).max() < 0.5


def test_the_bare_and_the_worn_picture_are_disturbed_alike() -> None:
    worn = torch.rand(2, 3, 256, 256)
    for seed in range(4):
        a, b = makeup.disturb(worn, worn[:1].clone(), rng=np.random.default_rng(seed))
        torch.testing.assert_close(a[:1], b)


def test_it_trains_goes_on_and_ships(options: makeup.Options, tmp_path: Path) -> None:
    checkpoint = makeup.train(options)
    assert checkpoint is not None
    state = torch.load(checkpoint, weights_only=True)
    steps = state["step"]
    assert len(state["thresholds"]) == len(READ)
    makeup.train(replace(options, minutes=state["spent"] / 60 + 0.01))
    assert torch.load(checkpoint, weights_only=True)["step"] > steps
    rows = [json.loads(line) for line in (options.out / "log.jsonl").read_text().splitlines()]
    assert {"presence_f1", "move_de00", "remove_de00"} <= rows[-1].keys()
    about = json.loads(ship("makeup", options.out, tmp_path).with_suffix(".json").read_text())
    assert about["labels"] == list(READ)
    face = FaceView.of_mesh(mesh_at(62.0), (320, 320))
    photo = np.full((320, 320, 3), (200, 160, 140), np.uint8)
    transfer = Transfer(ModelStore(tmp_path), threads=1)
    seen = transfer.see(photo, face)
    assert seen.bare.shape == seen.product.shape == (256, 256, 4)
    assert {layer.kind for layer in transfer.read(photo, face).layers} <= set(READ)
    assert [layer.kind for layer in transfer.bare(photo, face).layers] == ["remove"]


def test_it_goes_on_from_shipped_weights_counting_cpu_time(options: makeup.Options, tmp_path: Path) -> None:
    shipped = ModelStore().folder / "makeup.onnx"
    if not shipped.exists():
        pytest.skip("no shipped network")
    checkpoint = makeup.train(replace(options, start=shipped, out=tmp_path, minutes=0.01, lr=1e-6, clock="cpu"))
    assert checkpoint is not None
    state = torch.load(checkpoint, weights_only=True)
    assert state["start"].startswith("from makeup.onnx")
    net = MakeupNet()
    net.load_state_dict(state["ema"])
    face = torch.rand(1, 4, 256, 256)
    rows = Transfer(ModelStore(), threads=1).session.run({"face": face.numpy()})["rows"]
    with torch.no_grad():
        assert np.corrcoef(net.eval()(face)[0].numpy().ravel(), rows.ravel())[0, 1] > 0.8


def test_the_baseline_trains_and_is_exported(options: makeup.Options, tmp_path: Path) -> None:
    makeup.train(replace(options, net="repaint", out=tmp_path, minutes=0.01))
    assert ModelStore(tmp_path / "export").has("makeup-repaint")
    pairs = Pairs.open(options.pairs / "held-out")
    assert validate(Repainter().eval(), pairs, most=1).keys() == {"move_de00"}
    assert 0.8 < _size(Repainter()) / _size(MakeupNet()) < 1.25


def _size(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_missing_photos_are_told(tmp_path: Path) -> None:
    from mojing.core.errors import InputError

    with pytest.raises(InputError, match="no pairs"):
        Pairs.open(tmp_path)
    ghost = Face("x", tmp_path / "x.webp", tmp_path / "x.npz", False)
    with pytest.raises(InputError, match="cannot be read"):
        prepare([ghost], tmp_path / "p", count=1)
