"""The GAN loop: every recipe runs, a killed run goes on exactly, NaN stops it, two processes are one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric

from mojing.core.errors import InputError, ModelError
from mojing.train.adversarial import build_game, dry_run, load_material, train
from mojing.train.chance import Chance, Purpose
from mojing.train.monitor import spread_within
from mojing.train.options import field_help
from mojing.train.players import DivergedError, pace
from mojing.train.recipes.gan import parse, recipe
from mojing.train.settings import RECIPES, Options

SMALL = {
    "width": 4, "latent": 8, "batch": 4, "threads": 1, "log_every": 2, "samples_every": 0, "metrics_samples": 0,
    "tensorboard": False, "accelerator": "cpu",
}  # fmt: skip
TIMES = ("minutes", "images_per_s")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures 28x28 of four kinds, with labels, and the same as two domains."""
    rng = np.random.default_rng(0)
    kind = np.arange(40) % 4
    images = np.zeros((40, 28, 28), np.uint8)
    for i, k in enumerate(kind):
        images[i, 4 + 4 * k : 12 + 4 * k, 6:22] = rng.integers(120, 255)
    path = tmp_path_factory.mktemp("gan") / "shapes.npz"
    big = images.repeat(2, 1).repeat(2, 2)[:, :32, :32]
    np.savez(path, images=images, labels=kind, a=big, b=255 - big)
    return path


def rows(folder: Path) -> list[dict[str, Any]]:
    """The log without what clocks say."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in lines]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Every tensor of the last checkpoint, by its path."""
    found: dict[str, torch.Tensor] = {}

    def walk(node: Any, at: str) -> None:
        if isinstance(node, torch.Tensor):
            found[at] = node
        elif isinstance(node, dict):
            for key, value in node.items():
                walk(value, f"{at}/{key}")

    walk({k: v for k, v in torch.load(folder / "last.pt", weights_only=True).items() if k != "spent"}, "")
    return found


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_runs_and_logs_what_the_doctor_reads(name: str, pictures: Path, tmp_path: Path) -> None:
    options = replace(recipe(name, data=pictures, out=tmp_path, steps=2, **SMALL), metrics_samples=16)
    if name in ("pix2pix", "cyclegan"):
        options = replace(options, batch=2)
    train(options)
    log = rows(tmp_path)
    assert [row.get("event") for row in log] == ["data", None, "metrics", "end"]
    wanted = {
        "step", "d_loss", "g_loss", "d_real", "d_fake", "d_accuracy", "grad_d", "grad_g", "grad_g_min_layer",
        "sample_std", "sample_diversity", "sample_change", "d_held_out", "lr_d", "lr_g",
    }  # fmt: skip
    assert wanted <= log[1].keys()
    assert {"fid", "kid", "precision", "recall", "density", "coverage", "diversity", "nearest_train"} <= log[2].keys()
    assert len(list((tmp_path / "samples").glob("*.png"))) == 1
    assert json.loads((tmp_path / "options.json").read_text())["recipe"] == name


def command(options: Options) -> list[str]:
    """The command line of the options."""
    words = [sys.executable, "-m", "mojing", "train", "gan"]
    for field in fields(Options):
        value, flag = getattr(options, field.name), field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif value is not None:
            words.append(f"--{flag}={value}")
    return words


def test_a_killed_run_ends_like_one_that_was_not(pictures: Path, tmp_path: Path) -> None:
    options = recipe("modern", data=pictures, steps=40, **SMALL)
    options = replace(options, save_every=0.0, spectral_norm=True, instance_noise=0.1, flip=True, schedule="linear")
    log = tmp_path / "killed" / "log.jsonl"
    child = subprocess.Popen(command(replace(options, out=log.parent)), stderr=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while child.poll() is None and time.monotonic() < until:
        if log.exists() and log.read_text().count("\n") > 4:
            os.kill(child.pid, signal.SIGKILL)
        time.sleep(0.002)
    assert child.wait() == -signal.SIGKILL
    assert 0 < torch.load(log.parent / "last.pt", weights_only=True)["step"] < 40
    train(replace(options, out=log.parent))
    train(replace(options, out=tmp_path / "whole"))
    assert rows(log.parent) == rows(tmp_path / "whole")
    ours, theirs = weights(log.parent), weights(tmp_path / "whole")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_an_interrupted_cyclegan_keeps_its_pool(pictures: Path, tmp_path: Path) -> None:
    options = recipe("cyclegan", data=pictures, **{**SMALL, "batch": 1})
    options = replace(options, pool=2, schedule="constant", flip=False)
    train(replace(options, out=tmp_path / "a", steps=4))
    train(replace(options, out=tmp_path / "b", steps=2))
    train(replace(options, out=tmp_path / "b", steps=4))
    ours, theirs = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert any("pools" in key for key in ours)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_two_processes_do_what_one_does_with_twice_the_batch(pictures: Path, tmp_path: Path) -> None:
    options = recipe("wgan-gp", data=pictures, **{**SMALL, "batch": 3}, steps=3, held_out=0.0)
    options = replace(options, generator="modern", discriminator="modern", minibatch_std=False, d_steps=1)
    train(replace(options, out=tmp_path / "two", devices=2))
    train(replace(options, out=tmp_path / "one", batch=6))
    ours, theirs = weights(tmp_path / "two"), weights(tmp_path / "one")
    for key in ours:
        if "/net/" in key:
            assert torch.allclose(ours[key], theirs[key], atol=2e-4), key
    two, one = rows(tmp_path / "two")[1], rows(tmp_path / "one")[1]
    assert two["d_loss"] == pytest.approx(one["d_loss"], abs=1e-3)


def test_two_processes_adapt_the_augmentation_together(pictures: Path, tmp_path: Path) -> None:
    options = recipe("modern", data=pictures, **{**SMALL, "batch": 3}, steps=3, held_out=0.0)
    options = replace(options, minibatch_std=False, policy="")  # it adapts, but changes no picture
    train(replace(options, out=tmp_path / "two", devices=2))
    train(replace(options, out=tmp_path / "one", batch=6))
    two, one = (torch.load(tmp_path / name / "last.pt", weights_only=True)["game"] for name in ("two", "one"))
    assert two["ada"]["p"] == one["ada"]["p"]


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_translations_take_the_stabilisers_too(name: str, pictures: Path, tmp_path: Path) -> None:
    options = recipe(name, data=pictures, out=tmp_path, steps=2, **{**SMALL, "batch": 2, "log_every": 1})
    train(replace(options, r1=1.0, r2=0.5, gradient_penalty=0.1, penalty_every=2, norm="instance", augment="ada"))
    first, second = (row for row in rows(tmp_path) if "event" not in row)
    assert min(first[key] for key in ("r1", "r2", "gradient_penalty")) > 0
    assert second["r1"] == first["r1"]  # a lazy penalty is told until the next
    assert second["gradient_penalty"] != first["gradient_penalty"]
    assert "ada" in torch.load(tmp_path / "last.pt", weights_only=True)["game"]


def test_variety_within_classes_is_told_where_there_are_classes(pictures: Path, tmp_path: Path) -> None:
    for name in ("cgan", "dcgan"):
        train(recipe(name, data=pictures, out=tmp_path / name, steps=2, **SMALL))
    assert rows(tmp_path / "cgan")[1]["sample_diversity_in_class"] > 0
    assert rows(tmp_path / "dcgan")[1]["sample_diversity_in_class"] is None
    images = torch.tensor([[0.0], [2.0], [10.0], [14.0], [99.0]])
    assert spread_within(images, torch.tensor([0, 0, 1, 1, 2])) == 3.0
    assert spread_within(images, torch.arange(5)) is None


def test_a_number_that_is_none_stops_the_run_with_step_and_tensor(pictures: Path, tmp_path: Path) -> None:
    options = recipe("dcgan", data=pictures, out=tmp_path, steps=50, **SMALL)
    with pytest.raises(DivergedError) as caught:
        train(replace(options, lr_g=1e30, lr_d=1e30))
    last = rows(tmp_path)[-1]
    assert (last["event"], last["tensor"], last["step"]) == ("nan", caught.value.tensor, caught.value.step)
    assert caught.value.tensor
    assert caught.value.code == "diverged"


def test_a_dry_run_leaves_nothing(pictures: Path, tmp_path: Path) -> None:
    options = recipe("modern", data=pictures, out=tmp_path / "run", **SMALL)
    told = dry_run(options, load_material(options))
    assert told["data"]["images"] + told["data"]["held_out"] == 40
    assert told["networks"]["generator"]["parameters"] > 1000
    assert np.isfinite(told["step"]["d_loss"])
    assert not (tmp_path / "run").exists()


def test_points_in_the_plane(tmp_path: Path) -> None:
    path = tmp_path / "ring.npz"
    angle = np.arange(200) % 8 * np.pi / 4
    np.savez(path, points=np.stack([np.cos(angle), np.sin(angle)], 1))
    train(recipe("modern", data=path, out=tmp_path / "run", steps=3, **{**SMALL, "samples_every": 2, "width": 16}))
    assert (tmp_path / "run" / "samples" / "0000002.png").exists()


def test_labels_missing_and_other_networks_are_refused(pictures: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.npz"
    np.savez(bare, images=np.load(pictures)["images"])
    with pytest.raises(InputError, match="needs labels") as caught:
        train(recipe("cgan", data=bare, out=tmp_path / "x", steps=1, **SMALL))
    assert caught.value.code == "labels_missing"
    options = recipe("dcgan", data=pictures, out=tmp_path / "y", steps=1, **SMALL)
    train(options)
    with pytest.raises(InputError, match="was begun with latent 8") as caught:
        train(replace(options, latent=9, steps=2))
    assert caught.value.code == "bad_options"
    train(options)  # a finished run stays as it is
    assert [row.get("event") for row in rows(tmp_path / "y")] == ["data", "end"]


def test_tensorboard_files_hold_losses_gradients_and_samples(pictures: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    small = {**SMALL, "tensorboard": True, "samples_every": 2}
    train(recipe("dcgan", data=pictures, out=tmp_path, steps=2, **small))
    found = EventAccumulator(str(tmp_path / "tb")).Reload().Tags()
    assert "run/d_loss" in found["scalars"]
    assert any(tag.startswith("gradients/generator/") for tag in found["scalars"])
    assert found["images"] == ["samples"]


def test_tensorboard_shows_the_rows_before_and_after_a_pause(pictures: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    options = recipe("wgan-gp", data=pictures, out=tmp_path, **{**SMALL, "tensorboard": True})
    for steps in (2, 4):
        train(replace(options, steps=steps))
    found = EventAccumulator(str(tmp_path / "tb")).Reload().Scalars("run/d_loss")
    assert [event.step for event in found] == [2, 4]


def test_what_a_run_ends_with_is_asked_for_before_it_begins(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOJING_MODELS", str(tmp_path))
    options = recipe("dcgan", data=pictures, out=tmp_path / "run", steps=1, **{**SMALL, "metrics_samples": 16})
    with pytest.raises(ModelError, match="features"):
        train(replace(options, features="ours"))
    assert not (tmp_path / "run" / "log.jsonl").exists()


def test_folders_of_other_runs_and_broken_ones_are_refused(pictures: Path, tmp_path: Path) -> None:
    options = recipe("dcgan", data=pictures, out=tmp_path, steps=1, **SMALL)
    torch.save({"spent": 1.0, "step": 5, "net": {}}, tmp_path / "last.pt")
    with pytest.raises(InputError, match="another kind"):
        train(options)
    (tmp_path / "options.json").write_text('{"half')
    with pytest.raises(InputError, match=r"options\.json"):
        train(options)


@pytest.mark.parametrize(
    "words",
    [["dcgan", "--l1", "1"], ["cgan", "--data-b", "x"], ["pix2pix", "--conditional"], ["cyclegan", "--d-steps", "2"]],
)
def test_settings_that_would_do_nothing_are_refused(words: list[str]) -> None:
    with pytest.raises(InputError, match=f"{words[1]} does nothing"):
        parse(["--recipe", *words])


def test_every_setting_is_documented_and_every_recipe_valid() -> None:
    assert set(field_help(Options)) == {f.name for f in fields(Options)}
    for name in RECIPES:
        assert parse(["--recipe", name]) == recipe(name)


def test_flags_files_and_recipes_lie_over_each_other(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("recipe: wgan-gp\nlr-g: 5e-4\ntensorboard: false\nbatch: 9\n")
    options = parse(["--recipe", str(path), "--batch", "7"])
    assert options == recipe("wgan-gp", lr_g=5e-4, tensorboard=False, batch=7)
    path.write_text("learning: 1\n")
    for argv in (["--recipe", str(path)], ["--recipe", "nonsense"], ["--batch", "0"], ["--held-out", "1"]):
        with pytest.raises(InputError) as caught:
            parse(argv)
        assert caught.value.code == "bad_options"


def test_the_order_shows_every_picture_once_an_epoch_whatever_the_processes() -> None:
    one = Chance(3, batch=6)
    two = [Chance(3, batch=3, rank=rank, world=2) for rank in range(2)]
    seen = [one.rows(step, 24) for step in range(8)]
    assert sorted(torch.cat(seen[:4]).tolist()) == list(range(24))
    assert not torch.equal(torch.cat(seen[:4]), torch.cat(seen[4:]))
    for step in range(8):
        assert torch.equal(seen[step], torch.cat([half.rows(step, 24) for half in two]))
    whole = one.normal(5, Purpose.latent, width=4)
    assert torch.equal(whole, torch.cat([half.normal(5, Purpose.latent, width=4) for half in two]))


def test_watching_changes_nothing(pictures: Path, tmp_path: Path) -> None:
    options = recipe("dcgan", data=pictures, out=tmp_path, **{**SMALL}, instance_noise=0.1, spectral_norm=True)
    game = build_game(options, load_material(options), fabric=Fabric(accelerator="cpu", devices=1))
    before = {k: v.clone() for p in game.players.values() for k, v in p.net.state_dict().items()}
    game.held_out_score(0)
    game.fixed(averaged=False)
    game.make(8)
    after = {k: v for p in game.players.values() for k, v in p.net.state_dict().items()}
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_schedules() -> None:
    assert pace("constant", 0.9) == 1.0
    assert (pace("linear", 0.4), pace("linear", 0.75)) == (1.0, 0.5)
    assert pace("cosine", 1.0) < pace("cosine", 0.5)
