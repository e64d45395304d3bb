"""`mojing eval gan` from pictures to figures: good samples beat bad ones, copies are found, wrong input is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mojing.core.arrays import U8
from mojing.core.errors import InputError, ModelError
from mojing.eval import gan
from mojing.perception.features import KINDS, Seen, square


def spots(seed: int, n: int) -> U8:
    """Pictures (n, 24, 24, 3): a bright square somewhere on a coloured ground."""
    rng = np.random.default_rng(seed)
    out = np.empty((n, 24, 24, 3), np.uint8)
    for image in out:
        image[:] = rng.integers(0, 200, 3)
        y, x = rng.integers(0, 16, 2)
        image[y : y + 8, x : x + 8] = 255
    return out


def coarse() -> gan.Extractor:
    """A picture's 4x4 mean levels."""

    def look(images: gan.Pictures) -> gan.Looked:
        stack = np.stack(list(images)).astype(np.float32) / 255
        return gan.Looked(stack.reshape(len(stack), 4, 6, 4, 6, 3).mean(axis=(2, 4)).reshape(len(stack), -1))

    return gan.Extractor("coarse", look)


def test_fresh_samples_of_the_same_kind_are_as_good_as_training_pictures() -> None:
    real, held = spots(0, 300), np.arange(300) >= 180
    good = gan.judge(spots(1, 150), real, held_out=held, extractor=coarse())
    flat = gan.judge(np.full((150, 24, 24, 3), 128, np.uint8), real, held_out=held, extractor=coarse())
    assert good["reference"] == "held-out pictures"
    usual = good["training_pictures_instead"]
    assert good["generated"]["fid"] < 2.5 * usual["fid"]
    assert good["generated"]["recall"] > 0.8 * usual["recall"]
    assert good["nearest_train"]["ratio"] == pytest.approx(1, abs=0.1)
    assert good["pixels"]["mean_gap"] < 0.1
    assert flat["generated"]["fid"] > 5 * good["generated"]["fid"]
    assert flat["generated"]["kid"] > good["generated"]["kid"]
    assert flat["generated"]["recall"] == 0
    assert flat["diversity"]["ratio"] == 0
    assert any("collapsed" in text for text in flat["notices"])
    assert "inception_score" not in good


def test_copies_of_training_pictures_are_named() -> None:
    real, held = spots(0, 120), np.arange(120) >= 100
    names = tuple(f"{i:03d}.png" for i in range(120))
    result = gan.judge(real[10:40], real, held_out=held, extractor=gan.pixels(), names=names)
    assert result["reference"] == "all real pictures"
    memory = result["nearest_train"]
    assert memory["least"] == pytest.approx(0, abs=1e-4)
    assert memory["nearer_than_all_but_5_percent_of_held_out"] == 1.0
    assert {row["picture"] for row in memory["closest"]} <= set(names[10:40])
    assert any("memorised" in text for text in result["notices"])


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        gan.judge(spots(0, 4), spots(1, 50), held_out=np.zeros(50, bool), extractor=gan.pixels())
    assert caught.value.code == "too_few"


def test_networks_and_generators_come_from_onnx(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="makes the files")
    from mojing.train.export import Port, export

    torch.set_num_threads(1)
    torch.manual_seed(0)
    flat = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten())
    export(flat, tmp_path, "flat", inputs=[Port("image", torch.rand(2, 3, 16, 16))], outputs=["feature"], card={})
    extractor = gan.from_onnx(tmp_path / "flat.onnx", threads=1)
    assert extractor.look(spots(0, 5)).feature.shape == (5, 48)
    maker = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Tanh(), torch.nn.Unflatten(1, (1, 8, 8)))
    export(maker, tmp_path, "maker", inputs=[Port("z", torch.randn(2, 4), -4, 4)], outputs=["image"], card={})
    made = gan.draw(tmp_path / "maker.onnx", 20, seed=3, threads=1)
    assert made.shape == (20, 8, 8, 3)
    assert made.std() > 10
    assert np.array_equal(made, gan.draw(tmp_path / "maker.onnx", 20, seed=3, threads=1))
    with pytest.raises(ModelError) as caught:
        gan.draw(tmp_path / "flat.onnx", 4)
    assert caught.value.code == "model_mismatch"
    with pytest.raises(ModelError):
        gan.from_onnx(tmp_path / "maker.onnx")
    with pytest.raises(ModelError) as caught:
        gan.from_onnx(tmp_path / "none.onnx")
    assert caught.value.code == "model_missing"


def test_levels_of_a_generator() -> None:
    made = gan.to_levels(np.array([-1.0, 0.0, 1.0, 7.0], np.float32).reshape(1, 1, 2, 2))
    assert made[0, :, :, 0].tolist() == [[0, 128], [255, 255]]
    assert (made[..., 0] == made[..., 2]).all()


def test_a_picture_goes_whole_onto_the_square() -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 30:] = 255
    out = square(wide, 30)
    assert out.shape == (30, 30, 3)
    assert out[15, 2].tolist() == [0, 0, 0]
    assert out[15, 27].tolist() == [255, 255, 255]
    assert 0 < out[1, 1, 0] < 255
    with pytest.raises(InputError):
        square(np.zeros((4, 4), np.uint8))
    seen = Seen(np.zeros((2, 256), np.float32), np.eye(len(KINDS), dtype=np.float32)[[0, 3]])
    assert seen.names == (KINDS[0], KINDS[3])
