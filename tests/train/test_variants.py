"""A GAN run becomes ONNX models that agree with torch, and the commands around it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mojing.cli import app as cli
from mojing.core.errors import InputError
from mojing.runtime import ModelStore
from mojing.runtime.session import Session
from mojing.train.adversarial import train
from mojing.train.data.images import Pictures
from mojing.train.games import Material
from mojing.train.overhead import bench_gan
from mojing.train.recipes.gan import recipe
from mojing.train.variants import TOLERANCE, export_run

SMALL = {
    "width": 4, "batch": 4, "threads": 1, "steps": 1, "samples_every": 0, "metrics_samples": 0, "tensorboard": False,
    "accelerator": "cpu", "log_every": 0,
}  # fmt: skip


def shapes(count: int, *, size: int) -> Pictures:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 1, size, size), np.uint8)
    return Pictures(pixels, tuple(map(str, range(count))), np.arange(count) % 3, ("a", "b", "c"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", ["cgan", "modern", "cyclegan"])
def test_a_run_is_exported_listed_and_runs(name: str, tmp_path: Path) -> None:
    data = shapes(12, size=28)
    material = Material(data, data, data, data) if name == "cyclegan" else Material(data, data)
    train(recipe(name, out=tmp_path / "run", **SMALL), material)
    with (tmp_path / "run" / "log.jsonl").open("a") as log:
        log.write('{"event": "metrics", "step": 1, "fid": 2.5}\n{"half a li')  # as a killed run leaves it
    (tmp_path / "models").mkdir()
    if name == "cyclegan":
        (tmp_path / "models" / "lab-a-to-b-int8.json").write_text("of an earlier export")
    table = export_run(tmp_path / "run", tmp_path / "models", name="lab", threads=1)
    written = [row for row in table if row.path is not None]
    assert all(row.gap <= TOLERANCE and row.megabytes > 0 and row.one_ms > 0 for row in written)
    store = ModelStore(tmp_path / "models")
    assert {row.name for row in written} == {spec.name for spec in store.list()}
    assert not any(check.problem for check in store.verify())
    for spec in store.list():
        feeds = {
            t.name: np.zeros([2 if isinstance(n, str) else n for n in t.shape], np.dtype(t.dtype)) for t in spec.inputs
        }
        assert Session(spec, threads=1).run(feeds)[spec.outputs[0].name].shape == (2, 1, 28, 28)
    about = json.loads((tmp_path / "models" / f"{written[0].name}.json").read_text())
    assert about["training"]["recipe"] == name
    assert about["metrics"]["fid"] == 2.5
    assert any(row.name.endswith("int8") for row in table) == (name != "cyclegan")  # which multiplies no matrices


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        export_run(tmp_path, tmp_path / "out", name="x")
    assert caught.value.code == "bad_data"


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "d.npz", images=shapes(10, size=28).pixels[:, 0], labels=np.arange(10) % 3)

    def go(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["mojing", *map(str, words)])
        try:
            cli.main()
        except SystemExit as stop:
            if stop.code:
                pytest.fail(capsys.readouterr().err)
        return capsys.readouterr().out

    assert "--gradient-penalty" in go("train", "gan", "--help")
    run = tmp_path / "run"
    flags = [f"--{k.replace('_', '-')}={v}" for k, v in SMALL.items() if not isinstance(v, bool)]
    words = [
        "train",
        "gan",
        "--recipe",
        "dcgan",
        "--data",
        tmp_path / "d.npz",
        "--out",
        run,
        "--no-tensorboard",
        *flags,
    ]
    told = go(*words, "--dry-run")
    assert "DcganGenerator" in told
    assert not run.exists()
    assert str(run) in go(*words)
    assert "pictures/s" in go("train", "export", "gan", "--run", run, "--out", tmp_path / "models", "--threads", "1")
    assert "run-int8" in go("models", "list", "--folder", tmp_path / "models")


def test_the_loop_is_timed_against_a_plain_one() -> None:
    told = bench_gan(recipe("modern", **{**SMALL, "log_every": 1}), size=28, rounds=1, steps=2)
    assert told["images_per_s"] > 0
    assert told["time_ratio"] > 0
