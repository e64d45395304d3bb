"""A lesson on paper and on screen: well formed, whole, in both languages, nothing from elsewhere."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import load
from mojing.makeup.guide import drawn, view
from mojing.makeup.handout import handout
from mojing.makeup.lesson import Lesson, lesson
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.page import page
from mojing.makeup.pipeline import Sitter
from mojing.makeup.tutorial import write, write_lesson
from mojing.makeup.wording import LANGUAGES, TAGS
from mojing.perception.facemesh import mirror
from mojing.perception.faceview import FaceView
from tests.core.test_pdf import objects, shown
from tests.makeup.faces import layer, sitter
from tests.makeup.lessons import looks

VOID: Final = {"meta", "img", "input", "br"}
HAN: Final = re.compile(r"[\u4e00-\u9fff]")

LOOK = Look(
    "晚妆 <Evening> & 1",
    (
        layer("lip", "#8a1030", coverage=0.9),
        layer("blush", "#d9767a", pattern="apples", region=("left",)),
        layer("eyeliner", "#101010", pattern="wing", coverage=0.95),
    ),
)


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed where it should be, ids are unique."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.images: list[dict[str, str]] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.styles = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), f"an attribute of {tag} twice"
        if "id" in given:
            assert given["id"] not in self.ids
            self.ids.add(given["id"])
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if tag == "img":
            self.images.append(given)
        if tag == "a":
            self.links.append(given["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.styles += data
        else:
            self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


@cache
def taught() -> Lesson:
    rgb, face = sitter()
    return lesson(rgb, face, look=LOOK)


def picture(image: dict[str, str]) -> U8:
    kind, _, data = image["src"].partition(";base64,")
    assert kind == "data:image/webp"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data, validate=True))).convert("RGB"))


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    text = page(taught(), languages=LANGUAGES)
    found = read(text)
    assert text.startswith("<!doctype html>")
    assert ("html", "lang", TAGS["zh"]) in found.attributes
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"base64,[^\"]*", "", text))
    for tag, name, value in found.attributes:
        assert name not in ("srcset", "action", "background", "ping"), tag
        assert name not in ("src", "href") or value.startswith(("data:image/webp;base64,", "#s"))
    assert {link[1:] for link in found.links} <= found.ids
    assert any(value.startswith("default-src 'none'; img-src data:") for _, _, value in found.attributes)
    assert len(found.links) == len(taught().shown)
    assert "晚妆 <Evening> & 1" in found.text
    assert "<Evening>" not in text


def test_every_picture_has_words_in_both_languages_and_its_true_size() -> None:
    found = read(page(taught(), languages=LANGUAGES))
    pictures = sum((one.guide is not None) + (one.after is not None) for one in taught().shown)
    assert len(found.images) == 2 + pictures == 9
    for image in found.images:
        assert image["alt"] == image["data-zh"]
        assert HAN.search(image["data-zh"])
        assert not HAN.search(image["data-en"])
        assert len(image["data-en"]) > 20
        h, w = picture(image).shape[:2]
        assert (image["width"], image["height"]) == (str(w), str(h))
    assert len({image["data-en"] for image in found.images}) == len(found.images)


def test_one_language_has_no_word_of_the_other() -> None:
    plain = replace(taught(), look=Look("Evening", LOOK.layers))
    assert not HAN.search(read(page(plain, languages=("en",))).text)
    chinese = read(page(taught(), languages=("zh",)))
    assert "How much" not in chinese.text
    assert "用量" in chinese.text
    assert not any(name == "type" and value == "radio" for _, name, value in chinese.attributes)


def test_the_language_is_picked_without_a_script() -> None:
    text = page(taught(), languages=LANGUAGES)
    for one, other in (("zh", "en"), ("en", "zh")):
        assert f'#l-{one}:checked~* span[lang="{TAGS[other]}"]{{display:none}}' in text  # type: ignore[index]
    assert len(re.findall(r"<input [^>]* checked>", text)) == 1
    found = read(text)
    spans = [value for tag, name, value in found.attributes if tag == "span" and name == "lang"]
    assert spans.count(TAGS["zh"]) == spans.count(TAGS["en"]) > 50


def test_pictures_are_turned_like_a_mirror() -> None:
    rgb, face = sitter()
    on = view("foundation", face)
    seen = on.of(rgb).astype(np.float32)
    left_eye, right_eye = on.affine.apply(face.mesh[[473, 468], :2])
    assert left_eye[0] < right_eye[0]
    flipped = rgb[:, ::-1]
    mesh = face.mesh[mirror()] * np.array([-1.0, 1.0, 1.0], np.float32) + np.array(
        [rgb.shape[1] - 1.0, 0, 0], np.float32
    )
    back = view("foundation", FaceView.of_mesh(mesh.astype(np.float32), face.hw))
    again = back.of(np.ascontiguousarray(flipped)).astype(np.float32)
    assert again.shape == seen.shape
    assert np.abs(again[:, ::-1] - seen).mean() < 2.0


def test_a_tilted_face_is_set_upright() -> None:
    rgb, face = sitter()
    matrix = cv2.getRotationMatrix2D((192.0, 192.0), 25.0, 1.0)
    mesh = face.mesh.copy()
    mesh[:, :2] = mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    tilted = FaceView.of_mesh(mesh.astype(np.float32), face.hw)
    on = view("eyeliner", tilted)
    left, right = on.affine.apply(tilted.mesh[[473, 468], :2])
    assert abs(left[1] - right[1]) < 3.0
    assert left[0] < right[0]
    straight, turned = view("eyeliner", face), lesson(cv2.warpAffine(rgb, matrix, (384, 384)), tilted, look=LOOK)
    assert abs(straight.wh[1] - on.wh[1]) < 12
    guide = next(one.guide for one in turned.shown if one.step.kind == "eyeliner")
    assert guide is not None
    assert guide.shape[:2] == (on.wh[1], on.wh[0])


def test_a_one_sided_step_is_drawn_and_painted_on_that_side_of_the_mirror() -> None:
    step = next(one for one in taught().shown if one.step.kind == "blush")
    before = next(one for one in taught().shown if one.step.kind == "blush").guide
    assert before is not None
    assert step.after is not None
    marked = (np.abs(before.astype(int) - np.array([0, 214, 224])).sum(axis=2) < 90).sum(axis=0)
    middle = len(marked) // 2
    assert marked[:middle].sum() > 50
    assert marked[middle:].sum() == 0


def test_the_face_changes_step_by_step_and_ends_as_the_whole_look() -> None:
    done = [one for one in taught().shown if one.step.layer is not None]
    assert [one.step.kind for one in done] == ["blush", "eyeliner", "lip"]
    check = taught().shown[-1]
    assert check.after is not None
    assert np.array_equal(check.after, taught().after)
    assert not np.array_equal(taught().before, taught().after)
    assert all(one.guide is not None and one.after is not None for one in done)


def test_a_drawing_marks_the_place_and_leaves_the_rest() -> None:
    rgb, face = sitter()
    on = view("lip", face)
    bare = drawn(rgb, Layer("lens", (Shade.of_hex("#336699"),), region=("left",)), face, on=on)
    lips = drawn(rgb, LOOK.layers[0], face, on=on)
    changed = np.abs(bare.astype(int) - lips).sum(axis=2) > 20
    assert 0.02 < changed.mean() < 0.6
    assert not changed[:2].any()
    assert not changed[:, :2].any()


def test_a_large_photo_is_made_smaller_and_a_small_face_larger() -> None:
    rgb, face = sitter()
    big = np.repeat(np.repeat(rgb, 6, axis=0), 6, axis=1)
    mesh = face.mesh * np.float32(6.0)
    made = lesson(big, FaceView.of_mesh(mesh, big.shape[:2]), look=LOOK.only("lip"))
    assert max(made.before.shape) < 1200
    assert made.shown[1].guide is not None
    assert made.shown[1].guide.shape[1] >= 320


def test_pdf_holds_the_same_words() -> None:
    for language in LANGUAGES:
        data = handout(taught(), language=language)
        text = shown(data).replace(" ", "")
        for one in taught().shown:
            assert one.step.title.of(language).replace(" ", "") in text
            for words in (*one.step.how, *one.step.person, *one.step.warnings):
                assert words.of(language).replace(" ", "") in text
        figures = [body for body in objects(data).values() if b"/S /Figure" in body]
        assert len(figures) == 9
        assert all(b"/Alt <feff" in body for body in figures)


def test_a_foundation_is_taught_in_a_shade_for_this_skin(tmp_path: Path) -> None:
    rgb, face = sitter()
    look = Look("Base", (layer("foundation", "#201510", finish="satin"),))
    for fit, told in ((True, "a shade near your own skin"), (False, "This foundation comes out darker")):
        made = write(Sitter(load(rgb), (face,)), look, out=tmp_path / str(fit), languages=("en",), pdf=False, fit=fit)
        assert told in made[0].read_text(encoding="utf-8")


def test_files_are_written_and_places_refused(tmp_path: Path) -> None:
    made = write_lesson(taught(), tmp_path / "new" / "folder")
    assert [path.name for path in made] == ["tutorial.html", "tutorial-zh.pdf", "tutorial-en.pdf"]
    assert made[0].read_text(encoding="utf-8").startswith("<!doctype html>")
    assert all(path.read_bytes().startswith(b"%PDF-1.7") for path in made[1:])
    only = write_lesson(taught(), tmp_path / "one", languages=("en",), pdf=False)
    assert [path.name for path in only] == ["tutorial.html"]
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="is a file") as refused:
        write_lesson(taught(), tmp_path / "taken")
    assert refused.value.code == "unwritable"


def test_dye_is_drawn_where_the_hair_is_and_a_guessed_bare_face_comes_first() -> None:
    rgb, face = sitter()
    hair = np.zeros(rgb.shape[:2], np.float32)
    top = int(face.box.y0)
    hair[: max(top, 12)] = 1.0
    bare = np.full((64, 64, 4), (200, 160, 140, 255), np.uint8)
    look = Look("", (layer("lip", "#8a1030"), layer("hair", "#8a1030"), Layer("remove", residual=bare)))
    made = lesson(rgb, face, look=look, hair=hair)
    assert [one.step.kind for one in made.shown] == ["hair", "remove", "prepare", "lip", "check"]
    dyed, plain = (lesson(rgb, face, look=look.only("hair"), hair=h).shown[0].guide for h in (hair, None))
    assert dyed is not None
    assert plain is not None
    assert not np.array_equal(dyed, plain)
    removed = made.shown[1]
    assert removed.after is not None
    assert made.shown[0].after is not None
    assert np.abs(removed.after.astype(int).mean() - made.before.mean()) > 1.0


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks(most=2))
def test_any_look_can_be_taught(look: Look) -> None:
    rgb, face = sitter()
    made = lesson(rgb, face, look=look)
    read(page(made, languages=LANGUAGES))
    assert made.before.shape == made.after.shape
    assert shown(handout(made, language="zh"))
