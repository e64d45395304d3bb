"""Make-up from a face that was seen to a picture: what is not covered stays, and everything is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mojing import Makeup
from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.makeup.debug import write_debug
from mojing.makeup.look import Look, dumps, load
from mojing.makeup.pipeline import Sitter, find_look, save_look
from mojing.perception.faceview import FACE_PARTS
from tests.makeup.faces import LOOK, layer, moved, sitter


@pytest.fixture(scope="module")
def mirror() -> Makeup:
    """Without a network: none is needed for a sitter whose face is known."""
    return Makeup()


@pytest.fixture(scope="module")
def seen() -> Sitter:
    rgb, face = sitter()
    return Sitter(Photo(rgb), (face,))


def test_only_what_is_covered_changes(mirror: Makeup, seen: Sitter) -> None:
    result = mirror(seen, LOOK)
    rgb = seen.photo.rgb
    assert result.image.shape == rgb.shape
    assert set(np.unique(result.mask)) == {0, 255}
    assert (result.image[result.mask == 0] == rgb[result.mask == 0]).all()
    x, y = np.rint(seen.face.mesh[[0, 13], :2].mean(axis=0)).astype(int)
    assert result.mask[y, x] == 255
    assert np.abs(result.image[y, x].astype(int) - rgb[y, x]).max() > 15, "a dark lip is seen"
    assert [p.layer.kind for p in result.layers][-1] == "lip"


def test_nothing_put_on_changes_nothing(mirror: Makeup, seen: Sitter) -> None:
    for look in (LOOK.at(0.0), Look("", ())):
        result = mirror(seen, look)
        assert (result.image == seen.photo.rgb).all()
        assert not result.mask.any()


def test_without_layers_the_picture_is_the_same(mirror: Makeup, seen: Sitter) -> None:
    whole, quick = mirror(seen, LOOK), mirror(seen, LOOK, layers=False)
    assert not quick.layers
    assert np.abs(whole.image.astype(int) - quick.image).max() <= 1


def test_alpha_is_kept(mirror: Makeup, seen: Sitter) -> None:
    alpha = np.full(seen.photo.hw, 255, np.uint8)
    alpha[:40] = 0
    result = mirror(Sitter(Photo(seen.photo.rgb, alpha), seen.faces), LOOK)
    assert (result.picture[..., 3] == alpha).all()
    assert (result.picture[..., :3] == result.image).all()


def test_two_faces_both_wear_it(mirror: Makeup, seen: Sitter) -> None:
    rgb, face = sitter()
    h, w = rgb.shape[:2]
    both: U8 = np.hstack([rgb, rgb])
    faces = tuple(moved(face, by=(x, 0.0), hw=(h, 2 * w)) for x in (0.0, float(w)))
    result = mirror(Sitter(Photo(both), faces), LOOK)
    left, right = result.mask[:, :w] > 0, result.mask[:, w:] > 0
    assert left.any()
    assert (left == right).mean() > 0.995
    assert len(result.report()["faces"]) == 2


def test_the_report_is_json_and_tells_the_look(mirror: Makeup, seen: Sitter) -> None:
    told = json.loads(json.dumps(mirror(seen, LOOK).report()))
    assert told["status"] == "ok"
    assert [la["kind"] for la in told["look"]["layers"]] == ["eyeliner", "lip"]
    assert told["timings_ms"]["paint"] > 0
    assert told["size"] == list(seen.photo.hw)[::-1]
    assert 0 < told["changed_share"] < 0.5


def test_hair_that_is_not_found_keeps_its_colour(mirror: Makeup, seen: Sitter) -> None:
    result = mirror(seen, Look("", (layer("hair", "#602030"),)))
    assert (result.image == seen.photo.rgb).all()
    assert any("hair" in notice for notice in result.notices)


def test_debug_shows_every_layer_at_the_photos_size(mirror: Makeup, seen: Sitter, tmp_path: Path) -> None:
    result = mirror(seen, LOOK)
    write_debug(result, tmp_path)
    names = sorted(p.name for p in tmp_path.glob("*.png"))
    assert names[0].startswith("01-")
    assert names == ["01-eyeliner.png", "02-lip.png", "mask.png", "result.png"], "one of each layer, both eyes together"
    covered = np.zeros(seen.photo.hw, bool)
    for name in names[:2]:
        with Image.open(tmp_path / name) as picture:
            assert (picture.mode, picture.size[::-1]) == ("RGBA", seen.photo.hw)
            covered |= np.asarray(picture)[..., 3] > 0
    mask = np.asarray(Image.open(tmp_path / "mask.png"))
    assert set(np.unique(mask)) <= {0, 255}
    assert not (covered & (mask == 0)).any()


def test_looks_by_name_and_by_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(dumps(LOOK))
    assert [la.kind for la in find_look(path).layers] == ["eyeliner", "lip"]
    assert find_look("natural").layers
    for name, code in (("no-such-look", "not_found"), (str(tmp_path / "none.json"), "not_found")):
        with pytest.raises(InputError) as caught:
            find_look(name)
        assert caught.value.code == code
        assert caught.value.hint


def test_a_look_with_a_picture_is_saved_wherever_it_came_from(tmp_path: Path) -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[20:40, 20:40] = (180, 40, 60, 200)
    look = Look("mine", (layer("lip", residual=rgba),))
    save_look(look, tmp_path / "a" / "look.json")
    again = load(tmp_path / "a" / "look.json")
    save_look(again, tmp_path / "b" / "look.json")
    assert {p.suffix for p in (tmp_path / "b").iterdir()} == {".json", ".png"}
    assert load(tmp_path / "b" / "look.json").layers[0].kind == "lip"


def test_foundation_of_a_shipped_look_suits_the_skin(mirror: Makeup, seen: Sitter) -> None:
    asked = find_look("full").only("foundation")
    own = mirror(seen, asked, fit=True)
    assert any("fitted" in notice for notice in own.notices)
    as_is = mirror(seen, asked)
    assert as_is.look is asked
    assert not as_is.notices
    rgb = seen.photo.rgb.astype(int)
    on = own.mask > 0
    off = [float(np.abs(r.image.astype(int) - rgb)[on].mean()) for r in (own, as_is)]
    assert off[0] < 0.6 * off[1], "what suits the skin changes its colour little"


def test_a_shade_that_was_chosen_stays_while_the_rest_is_fitted(mirror: Makeup, seen: Sitter) -> None:
    asked = Look("", (layer("foundation", "#5a3a28"), layer("concealer", "#f0d8c0")))
    made = mirror(seen, asked, fit=True, chosen=("foundation",)).look
    assert made.layers[0].shades[0].hex == "#5a3a28"
    assert made.layers[1].shades[0].hex != "#f0d8c0"
    assert mirror(seen, asked, fit=True, chosen=("foundation", "concealer")).look is asked


def test_everyones_hair_is_dyed(mirror: Makeup, seen: Sitter) -> None:
    rgb, face = sitter()
    h, w = rgb.shape[:2]
    faces = tuple(moved(face, by=(x, 0.0), hw=(h, 2 * w)) for x in (0.0, float(w)))
    alpha = np.zeros((2, h, 2 * w), np.float32)
    alpha[0, :60, :w], alpha[1, :60, w:] = 1.0, 1.0
    two = Sitter(Photo(np.hstack([rgb, rgb])), faces, read_hair=lambda: (alpha[0], alpha[1]))
    result = mirror(two, Look("", (layer("hair", "#8a1c1c", coverage=0.9),)))
    assert result.mask[:60, :w].any()
    assert result.mask[:60, w:].any()
    one = Sitter(two.photo, faces, read_hair=lambda: (alpha[0], None))
    result = mirror(one, Look("", (layer("hair", "#8a1c1c", coverage=0.9),)))
    assert not result.mask[:, w:].any()
    assert any("hair" in notice for notice in result.notices)


def test_what_is_hidden_is_told(mirror: Makeup, seen: Sitter) -> None:
    parts = np.zeros_like(seen.face.parts)
    parts[FACE_PARTS.index("cover")] = 1.0
    behind = Sitter(seen.photo, (replace(seen.face, parts=parts),))
    result = mirror(behind, LOOK)
    assert (result.image == seen.photo.rgb).all()
    assert any("eyeliner, lip colour" in notice for notice in result.notices)
    assert not mirror(seen, LOOK).notices
