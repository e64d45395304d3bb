"""Reading a look off a face, beyond the network's answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mojing.core.arrays import U8
from mojing.core.color import delta_e_2000, linear_to_srgb, rgb_to_lab, srgb_to_linear
from mojing.makeup import transfer
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.reading import READ
from mojing.makeup.render import render
from mojing.makeup.transfer import Transfer, skin_colour
from mojing.perception.faceview import FACE_PARTS, FaceView
from mojing.runtime.store import ModelStore
from tests.makeup.test_uv import mesh_at


def sitter(skin: tuple[int, int, int]) -> tuple[U8, FaceView]:
    """A plain face."""
    noise = np.random.default_rng(0).normal(0, 3, (320, 320, 1))
    rgb = np.clip(np.asarray(skin) + noise, 0, 255).astype(np.uint8)
    return rgb, FaceView.of_mesh(mesh_at(70.0), (320, 320))


def lightness(colour: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    return float(rgb_to_lab(linear_to_srgb(colour))[0])


def test_shades_move_towards_what_the_photo_shows() -> None:
    bare, face = sitter((205, 165, 145))
    true, guess = (Look("", (Layer("lip", (Shade.of_hex(h),), coverage=0.8),)) for h in ("#8c1c3a", "#b85040"))
    photo = render(bare, face, look=true).image
    wanted = rgb_to_lab(linear_to_srgb(true.layers[0].shades[0].colour))
    gaps = []
    for _ in range(4):
        gaps.append(float(delta_e_2000(rgb_to_lab(linear_to_srgb(guess.layers[0].shades[0].colour)), wanted)))
        guess = transfer.closer(guess, bare, face, photo=photo)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.3 * gaps[0]


def test_a_look_that_explains_the_photo_keeps_its_shades() -> None:
    bare, face = sitter((205, 165, 145))
    look = Look("", (Layer("lip", (Shade.of_hex("#8c1c3a"),), coverage=0.8),))
    after = transfer.closer(look, bare, face, photo=render(bare, face, look=look).image)
    np.testing.assert_allclose(after.layers[0].shades[0].colour, look.layers[0].shades[0].colour, atol=0.01)


def test_skin_of_the_reference_does_not_come_along() -> None:
    """A light foundation is put on dark skin in a shade for dark skin; what is no skin tone stays what it was."""
    light = Shade("", srgb_to_linear(np.array([230, 200, 180], np.uint8)))
    look = Look(
        "", (Layer("foundation", (light,)), Layer("contour", (light,)), Layer("lip", (Shade.of_hex("#8c1c3a"),)))
    )
    rgb, face = sitter((105, 70, 52))
    transfers = object.__new__(Transfer)  # no network is asked
    foundation, contour, lip = transfers.fit(look, rgb, face).layers
    skin = skin_colour(rgb, face).astype(np.float32)
    assert abs(lightness(foundation.shades[0].colour) - lightness(skin)) < 1.0
    assert lightness(contour.shades[0].colour) < lightness(skin) - 5
    assert lip is look.layers[2]
    plain = Look("", (look.layers[2],))
    assert transfers.fit(plain, rgb, face) is plain


needs_model = pytest.mark.skipif(not ModelStore().has("makeup"), reason="the model is not in the package")


@needs_model
def test_glasses_are_not_taken_for_make_up_of_the_eyes_so_easily() -> None:
    reader, (_, face) = Transfer(ModelStore(), threads=1), sitter((205, 165, 145))
    assert reader.sure_enough(face) == reader.thresholds
    parts = np.zeros_like(face.parts)
    parts[FACE_PARTS.index("glasses")] = 1.0
    strict = dict(zip(READ, reader.sure_enough(replace(face, parts=parts)), strict=True))
    usual = dict(zip(READ, reader.thresholds, strict=True))
    assert strict["lip"] == usual["lip"]
    assert all(1 - strict[kind] == pytest.approx(0.5 * (1 - usual[kind])) for kind in ("eyeliner", "lashes", "brows"))


@needs_model
def test_partial_transfer_is_a_slider() -> None:
    rgb, face = sitter((205, 165, 145))
    worn = render(rgb, face, look=Look("", (Layer("lip", (Shade.of_hex("#8c1c3a"),), coverage=0.9),))).image
    found = Transfer(ModelStore(), threads=1).read(worn, face)
    lips = found.only("lip")
    full, less = (render(rgb, face, look=lips.at(a)) for a in (1.0, 0.5))
    assert (full.image[full.mask == 0] == rgb[full.mask == 0]).all()
    assert np.abs(less.image.astype(int) - rgb).sum() < np.abs(full.image.astype(int) - rgb).sum()
