"""What the baselines are told, and how their answers come to lie on the photo."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")

from onnx import helper

from mojing.core.errors import InputError, ModelError
from mojing.runtime import ModelStore
from mojing.tryon.baselines import CHANNELS, BaselineRenderer, find_baselines, kind_of, paired_input, pasted_input
from mojing.tryon.baselines import signed as to_signed
from tests.perception.figures import write
from tests.tryon.test_render import scene


def write_baseline(folder: Path, kind: str, *, takes: tuple[int, ...], hw: tuple[int, int] = (64, 48)) -> None:
    """A baseline whose answer is three of its input's channels."""
    weight = np.zeros((3, CHANNELS[kind], 1, 1), np.float32)
    weight[[0, 1, 2], list(takes)] = 1
    node = helper.make_node("Conv", ["image", "weight"], ["result"])
    name, ports = f"baseline-{kind}", {"image": (CHANNELS[kind], *hw)}
    write(folder, name, nodes=[node], constants={"weight": weight}, inputs=ports, outputs={"result": (3, *hw)})


@settings(max_examples=25)
@given(seed=st.integers(0, 999))
def test_neither_baseline_is_told_what_lies_in_the_edit_region(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb, other = (rng.integers(0, 256, (16, 12, 3), np.uint8) for _ in range(2))
    mask = np.where(rng.random((16, 12)) < 0.5, np.uint8(255), np.uint8(0))
    alpha = rng.random((16, 12)).astype(np.float32)
    cloth = rng.uniform(0, 255, (16, 12, 3)).astype(np.float32) * alpha[..., None]
    mixed = np.where(mask[..., None] > 0, other, rgb)
    for make in (paired_input, pasted_input):
        told = make(rgb, mask, cloth=cloth, alpha=alpha)
        np.testing.assert_array_equal(told, make(mixed, mask, cloth=cloth, alpha=alpha))
        np.testing.assert_array_equal(told[:3, mask == 0], rgb[mask == 0].T)
        assert np.abs(to_signed(told)).max() <= 1
    bare = pasted_input(rgb, mask, cloth=cloth * 0, alpha=alpha * 0)
    assert (bare[:, mask > 0] == 128).all()
    full = pasted_input(rgb, mask, cloth=cloth, alpha=np.ones_like(alpha))
    np.testing.assert_allclose(full[:, mask > 0], cloth[mask > 0].T, atol=0.51)


@pytest.mark.parametrize(("kind", "takes"), [("pix2pix", (4, 5, 6)), ("cyclegan", (0, 1, 2))])
def test_a_baseline_paints_the_edit_region_and_nothing_else(kind: str, takes: tuple[int, ...], tmp_path: Path) -> None:
    write_baseline(tmp_path, kind, takes=takes)
    (spec,) = find_baselines(tmp_path)
    assert kind_of(spec) == kind
    rgb, body, drape, edit = scene()
    done = BaselineRenderer(spec, threads=1)(rgb, body, drape=drape, edit=edit, category="top")
    inside = edit.mask > 0
    np.testing.assert_array_equal(done.image[~inside], rgb[~inside])
    solid = inside & (drape.alpha > 0.99)
    assert solid.any()
    # The answer is the draped garment itself, at the network's size: coarse, but of the right colours where it lies.
    assert np.abs(done.image[solid].astype(float).mean(axis=0) - drape.rgb[solid].mean(axis=0)).max() < 12
    assert (done.alpha[~inside] == 0).all()


def test_the_answer_lies_where_it_was_asked_for(tmp_path: Path) -> None:
    write_baseline(tmp_path, "cyclegan", takes=(0, 1, 2), hw=(512, 384))
    rgb, body, drape, edit = scene()
    render = BaselineRenderer(find_baselines(tmp_path)[0], threads=1)
    done = render(rgb, body, drape=drape, edit=edit, category="top").image.astype(float)
    solid = cv2.erode(((edit.mask > 0) & (drape.alpha > 0.99)).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    there = np.abs(done - drape.rgb)[solid].mean()
    for by in (-3, 3):
        assert there < 0.7 * np.abs(np.roll(done, by, axis=0) - drape.rgb)[solid].mean()
        assert there < 0.7 * np.abs(np.roll(done, by, axis=1) - drape.rgb)[solid].mean()


def test_other_models_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_baselines(tmp_path)
    assert caught.value.code == "bad_data"
    node = helper.make_node("Identity", ["image"], ["result"])
    for name, channels in (("baseline-pix2pix", 3), ("baseline-other", 3), ("render", 3)):
        shapes = (channels, 64, 48)
        write(tmp_path, name, nodes=[node], constants={}, inputs={"image": shapes}, outputs={"result": shapes})
        with pytest.raises(ModelError) as refused:
            BaselineRenderer(ModelStore(tmp_path).spec(name))
        assert refused.value.code == "model_mismatch"
