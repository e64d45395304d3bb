"""Layers that are pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mojing.core.errors import InputError
from mojing.core.image import encode
from mojing.makeup.look import Layer, Look, Shade, load, save
from mojing.makeup.render import render
from mojing.makeup.residual import lay, picture
from mojing.perception.faceview import FaceView
from tests.makeup.test_uv import mesh_at


def face() -> FaceView:
    return FaceView.of_mesh(mesh_at(70.0), (320, 320))


def rgba(colour: tuple[int, int, int], *, alpha: int = 255) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((64, 64, 4), (*colour, alpha), np.uint8)


def test_a_residual_lies_on_the_face_alone() -> None:
    laid = lay(Layer("remove", residual=rgba((200, 100, 50))), face())
    assert laid.mask.shape == (round(laid.box.height), round(laid.box.width))
    assert laid.mask.max() > 0.99
    assert laid.mask[0].max() < 0.6
    assert np.abs(laid.colour[laid.mask > 0.5] - np.array([200, 100, 50]) / 255).max() < 0.01
    left = lay(Layer("foundation", residual=rgba((0, 0, 0)), region=("left",)), face())
    middle = round(160 - left.box.x0)
    assert left.mask[:, : middle - 8].max() == 0.0
    assert left.mask[:, middle + 8 :].max() > 0.99


def test_bare_face_is_painted_in_proportion_and_only_within_its_mask() -> None:
    photo = np.full((320, 320, 3), (180, 140, 120), np.uint8)
    layer = Layer("remove", residual=rgba((160, 120, 100)))
    full, half, none = (render(photo, face(), look=Look("", (layer,)).at(amount)) for amount in (1.0, 0.5, 0.0))
    assert (full.image[full.mask == 0] == photo[full.mask == 0]).all()
    cheek = (200, 100)
    np.testing.assert_allclose(full.image[cheek], (160, 120, 100), atol=1.5)
    np.testing.assert_allclose(half.image[cheek], (170, 130, 110), atol=1.5)
    np.testing.assert_array_equal(none.image, photo)


def test_a_residual_goes_to_a_file_and_back(tmp_path: Path) -> None:
    mine = np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8)
    look = Look("n", (Layer("remove", residual=mine), Layer("lip", (Shade.of_hex("#aa0000"),))))
    again = load(save(look, tmp_path / "look.json"))
    assert isinstance(again.layers[0].residual, Path)
    np.testing.assert_array_equal(picture(again.layers[0]), mine)
    assert again.layers[1].residual is None


@pytest.mark.parametrize("shape", [(64, 32, 4), (8, 8, 4)])
def test_pictures_that_are_no_flat_layout_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match="square"):
        picture(Layer("remove", residual=np.zeros(shape, np.uint8)))
    with pytest.raises(InputError, match="RGBA"):
        Layer("remove", residual=np.zeros((64, 64, 3), np.uint8))


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "lip.png"
    layer = Layer("lip", residual=path)
    for colour in ((200, 10, 40), (20, 90, 160)):
        path.unlink(missing_ok=True)
        encoded = encode(rgba(colour))
        path.write_bytes(encoded)
        os.utime(path, ns=(colour[0], colour[0]))
        assert tuple(picture(layer)[5, 5, :3]) == colour
    path.unlink()
    with pytest.raises(InputError) as caught:
        picture(layer)
    assert caught.value.code == "not_found"
