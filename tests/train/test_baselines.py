"""The try-on baselines: pairs out of prepared crops, training, and the model that the put-back test takes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric

from mojing.cli import app as cli
from mojing.core.errors import InputError
from mojing.train.adversarial import build_game
from mojing.train.data.dressing import Dressing, prepare, read_all
from mojing.train.data.images import Pictures
from mojing.train.data.pairs import make_pairs, read_pairs
from mojing.train.data.people import load_people
from mojing.train.games import Material
from mojing.train.recipes import baseline
from mojing.train.recipes.gan import recipe
from mojing.train.translation import PairedGame
from mojing.tryon.baselines import CHANNELS, BaselineRenderer, find_baselines
from tests.tryon.test_render import scene


@pytest.fixture(scope="module")
def crops(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared crops of the tiny data set."""
    folder = tmp_path_factory.mktemp("crops")
    prepare([p for p in load_people(data, data / "teacher") if p.labelled], folder, limit=6)
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_pairs_go_together_and_keep_the_truth_out(crops: Path) -> None:
    known = {f"{c.key}-{c.category}": c for c in read_all(crops)}
    (a, b), (held_a, held_b) = read_pairs(crops, "pix2pix", height=128, copies=1)
    assert a.pixels.shape[1:] == (CHANNELS["pix2pix"], 128, 96)
    assert b.pixels.shape[1:] == (3, 128, 96)
    assert a.names == b.names
    assert len(a) + 2 * len(held_a) == 2 * len(known)
    assert {n.split("-")[0] for n in a.names}.isdisjoint(n.split("-")[0] for n in held_b.names)
    for told, photo, name in zip(a.pixels, b.pixels, a.names, strict=True):
        outside = told[3] == 0
        assert set(np.unique(told[3])) <= {0, 255}
        np.testing.assert_array_equal(told[:3, outside], photo[:, outside])
        assert (told[:3, ~outside] == 128).all()
        assert name.rpartition("-")[0] in known


def test_cyclegan_is_never_shown_a_pair_as_one(crops: Path) -> None:
    (a, b), _ = read_pairs(crops, "cyclegan", height=128, copies=0)
    assert a.pixels.shape[1:] == b.pixels.shape[1:] == (3, 128, 96)
    assert sorted(a.names) == sorted(b.names)
    assert a.names != b.names


def test_crops_without_a_folder_of_held_out_people_are_split_by_person(tmp_path: Path) -> None:
    w, h = 48, 64
    flat = np.zeros((h, w), np.uint8)
    crop = Dressing(np.zeros((h, w, 3), np.uint8), flat, np.zeros((21, 3), np.float32), np.zeros((h, w, 3), np.uint8),
                    flat, flat, flat, "top", "x", 1.0)  # fmt: skip
    arrays: dict[str, Any] = {k: v for k, v in vars(crop).items() if isinstance(v, np.ndarray)}
    (tmp_path / "none").mkdir()
    for i in range(40):
        for category in ("top", "skirt"):
            about = np.array([f"p/{i:03d}", category, "1"])
            np.savez(tmp_path / f"p_{i:03d}_{category}.npz", about=about, **arrays)
    (a, _), (held, _) = read_pairs(tmp_path, "pix2pix", height=128, copies=0)
    seen, unseen = ({n.split("-")[0] for n in p.names} for p in (a, held))
    assert len(a) + len(held) == 80
    assert unseen
    assert not seen & unseen
    with pytest.raises(InputError) as caught:
        read_pairs(tmp_path / "none", "pix2pix", height=128)
    assert caught.value.code == "no_images"
    assert len(make_pairs([], "pix2pix", hw=(128, 96))[0]) == 0


@pytest.mark.parametrize("kind", ["pix2pix", "cyclegan"])
def test_the_command_trains_exports_and_the_model_dresses(
    kind: str, crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    words = ["train", "baseline", kind, "--crops", crops, "--out", run, "--steps", "1", "--width", "4", "--limit", "6",
             "--copies", "0", "--batch", "2", "--no-tensorboard", "--accelerator", "cpu", "--threads", "1"]  # fmt: skip
    export = ["train", "export", "baseline", "--run", run, "--out", tmp_path / "m"]
    for line in (words, export):
        monkeypatch.setattr(sys, "argv", ["mojing", *map(str, line)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        assert f"baseline-{kind}.onnx" in capsys.readouterr().out
    (spec,) = find_baselines(tmp_path / "m")
    assert spec.inputs[0].shape == ("N", CHANNELS[kind], 128, 96)
    assert json.loads((run / "options.json").read_text())["facts"]["hw"] == [128, 96]
    assert spec.datasets
    assert spec.licence
    rgb, body, drape, edit = scene()
    done = BaselineRenderer(spec, threads=1)(rgb, body, drape=drape, edit=edit, category="top")
    np.testing.assert_array_equal(done.image[edit.mask == 0], rgb[edit.mask == 0])
    assert (done.image != rgb).any()


def test_what_is_no_baseline_is_refused(tmp_path: Path) -> None:
    for words in (["stylegan"], [], ["--steps", "1"]):
        with pytest.raises(InputError) as caught:
            baseline.parse(words)
        assert caught.value.code == "bad_options"
    with pytest.raises(InputError) as caught:
        baseline.export_baseline(tmp_path, tmp_path / "m")
    assert caught.value.code == "bad_data"


def test_pictures_that_are_not_square_are_for_translations_alone() -> None:
    tall = Pictures(np.zeros((4, 3, 64, 48), np.uint8), ("a", "b", "c", "d"))
    assert (tall.size, tall.hw) == (48, (64, 48))
    fabric = Fabric(accelerator="cpu", devices=1)
    small = {"width": 4, "batch": 2, "threads": 1}
    PairedGame(recipe("pix2pix", **small), Material(tall, tall, tall, tall), fabric=fabric).play(0)
    with pytest.raises(InputError) as caught:
        build_game(recipe("dcgan", **small), Material(tall, tall), fabric=fabric)
    assert caught.value.code == "bad_options"
