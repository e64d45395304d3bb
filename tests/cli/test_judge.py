"""`mojing eval gan` as a command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mojing.cli.judge import Judging, choose_extractor, judge
from mojing.core.errors import InputError, MissingExtraError
from mojing.core.image import save


def order(target: Path, data: Path, **changes: object) -> Judging:
    """An order with the defaults of the command line, but for pixels as features."""
    values: dict[str, object] = {"extractor": "pixels", "json_out": None, "count": 40, "seed": 0, "threads": 1}
    return Judging(target, data, **{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of 30 RGBA pictures and an npz file of 40 grey ones."""
    rng = np.random.default_rng(0)
    for i in range(30):
        rgba = np.zeros((20, 20, 4), np.uint8)
        rgba[4:16, 4:16] = (*rng.integers(0, 255, 3), 255)
        save(tmp_path / "designs" / f"{i:04d}.png", rgba)
    np.savez(tmp_path / "real.npz", images=rng.integers(0, 255, (40, 28, 28)).astype(np.uint8))
    return tmp_path


def test_a_folder_against_an_npz_file(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = pictures / "deep" / "figures.json"
    judge(order(pictures / "designs", pictures / "real.npz", json_out=out))
    found = json.loads(out.read_text())
    assert found["samples"] == 30
    assert found["size_px"] == 20
    assert found["real"]["train"] + found["real"]["held_out"] == 40
    assert set(found["generated"]) >= {"fid", "kid", "precision", "recall", "density", "coverage"}
    assert found["generated"]["fid"] > 0
    assert "fid" in capsys.readouterr().out


def test_what_cannot_be_judged(pictures: Path) -> None:
    with pytest.raises(InputError) as caught:
        judge(order(pictures / "none", pictures / "real.npz"))
    assert caught.value.code == "not_found"
    with pytest.raises(InputError) as caught:
        choose_extractor("vgg", threads=1)
    assert caught.value.code == "bad_options"


def test_inception_without_its_library_says_what_is_missing() -> None:
    pytest.importorskip("torch", reason="the extra train")
    try:
        import torch_fidelity  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match="torch-fidelity") as caught:
            choose_extractor("inception", threads=1)
        assert caught.value.hint.endswith("pip install torch-fidelity torchvision")


def test_a_run_is_drawn_from_and_judged_by_its_own_split(tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="the extra train")
    from mojing.train.adversarial import train
    from mojing.train.recipes.gan import recipe

    rng = np.random.default_rng(0)
    data, run, out = tmp_path / "data.npz", tmp_path / "run", tmp_path / "figures.json"
    np.savez(data, images=rng.integers(0, 255, (80, 28, 28)).astype(np.uint8))
    train(
        recipe("dcgan", data=data, out=run, steps=2, batch=8, width=8, threads=1, tensorboard=False, metrics_samples=0)
    )
    judge(order(run, data, json_out=out))
    found = json.loads(out.read_text())
    held = json.loads((run / "data.json").read_text())["held_out"]
    assert found["real"] == {"train": 80 - len(held), "held_out": len(held)}
    assert found["samples"] == 40
    assert found["size_px"] == 28
