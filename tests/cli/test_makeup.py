"""`mojing makeup`: a picture with the look on it, or one line that says why not, and nothing destroyed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mojing import Makeup
from mojing.core.arrays import U8
from mojing.core.image import load, save
from mojing.runtime import ModelStore
from tests.cli import portraits, spoilt
from tests.cli.conftest import Run
from tests.cli.test_bad_input import refused, told, unchanged

needs_face = pytest.mark.skipif(
    not (ModelStore().has("face") and portraits.PORTRAIT.is_file()), reason="needs the shipped face model"
)
needs_makeup = pytest.mark.skipif(not ModelStore().has("makeup"), reason="needs the shipped make-up model")

NOBODY = {"no_face", "not_a_photo"}


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """The bundled portrait's head, in a folder of its own."""
    return save(tmp_path / "in" / "portrait.png", portraits.closeup())


@pytest.fixture(scope="module")
def mirror() -> Makeup:
    """The shipped models, loaded once."""
    return Makeup(threads=1)


# -- orders that are refused before any network is loaded ------------------------------------------------------------


def test_orders_that_make_no_sense(run: Run, portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    orders: list[tuple[object, ...]] = [
        ("--look", "natural", "-o", out),
        (portrait, "-o", out),
        (portrait, "--look", "natural", "--video", portrait, "-o", out),
        (portrait, "--look", "natural", "--seconds", "2", "-o", out),
        (portrait, "--look", "natural", "--face", "none", "-o", out),
        (portrait, "--look", "natural", "--face", "0", "-o", out),
    ]
    with unchanged(tmp_path):
        for words in orders:
            refused(run("makeup", *words), {"bad_options"})


def test_looks_and_products_that_are_not_known(run: Run, portrait: Path, tmp_path: Path) -> None:
    folder = tmp_path / "looks"
    folder.mkdir()
    texts = {
        "empty": "",
        "list": "[]",
        "version": '{"version": 99, "layers": []}',
        "kind": '{"version": 1, "layers": [{"kind": "nose", "shades": [{"hex": "#aa1122"}]}]}',
        "hex": '{"version": 1, "layers": [{"kind": "lip", "shades": [{"hex": "red"}]}]}',
        "product": '{"version": 1, "layers": [{"kind": "lip", "product": {"id": "none", "shade": "none"}}]}',
        "residual": '{"version": 1, "layers": [{"kind": "lip", "shades": [], "residual": "../../secret.png"}]}',
        "deep": "[" * 50_000,
    }
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text)
    (folder / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (folder / "bad.csv").write_text("brand,product\nonly,two\n")
    out = tmp_path / "out.png"
    with unchanged(tmp_path):
        for name in (*texts, "bytes"):
            words = (portrait, "--look", folder / f"{name}.json", "-o", out)
            refused(run("makeup", *words), {"bad_look"})
        refused(run("makeup", portrait, "--look", "no-such-look", "-o", out), {"not_found"})
        refused(run("makeup", portrait, "--look", folder / "none.json", "-o", out), {"not_found"})
        for change in ("lip", "nose.shade=#112233", "lip.size=99", "lens.amount=1", "lip.product=none"):
            refused(run("makeup", portrait, "--look", "natural", "--set", change, "-o", out), {"bad_look"})
        refused(run("makeup", portrait, "--look", "natural", "--only", "nose", "-o", out), {"bad_look"})
        bad = ("--products", folder / "bad.csv", "-o", out)
        refused(run("makeup", portrait, "--look", "natural", *bad), {"bad_catalogue"})
        refused(run("makeup", portrait, "--look", "natural", "--products", folder / "none.csv"), {"not_found"})


def test_places_that_cannot_be_written(run: Run, portrait: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    look = tmp_path / "look.json"
    look.write_text('{"version": 1, "layers": []}')
    out = tmp_path / "out.png"
    orders: list[tuple[object, ...]] = [
        ("-o", tmp_path),
        ("-o", file / "x.png"),
        ("-o", tmp_path / "x.tga"),
        ("-o", portrait),
        ("-o", out, "--debug", file),
        ("-o", out, "--report", out),
        ("-o", out, "--report", portrait),
        ("-o", out, "--save-look", look),
        ("-o", out, "--save-look", file / "look.json"),
    ]
    with unchanged(tmp_path):
        for words in orders:
            refused(run("makeup", portrait, "--look", look, *words), {"unwritable"})
        refused(run("makeup", "transfer", portrait, portrait, "-o", portrait), {"unwritable"})
        refused(run("makeup", "remove", portrait, "-o", file / "x.png"), {"unwritable"})
        refused(run("makeup", "sheet", portrait, "-o", portrait), {"unwritable"})
        refused(run("makeup", "tutorial", portrait, "--look", "natural", "--out", file), {"unwritable"})
        refused(run("inspect", "face", portrait, "--out", file), {"unwritable"})


def test_a_refusal_is_in_the_report_too(run: Run, portrait: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    words = (portrait, "--look", "no-such-look", "-o", tmp_path / "x.png", "--report", report)
    refused(run("makeup", *words), {"not_found"})
    assert json.loads(report.read_text())["error"]["code"] == "not_found"


def test_photos_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    bad = spoilt.unreadable(Image.fromarray(portraits.closeup(160)))
    paths = spoilt.put(tmp_path, {name: data for name, (data, _) in bad.items()})
    with unchanged(tmp_path):
        for path in paths:
            refused(run("makeup", path, "--look", "natural", "-o", tmp_path / "out.png"), bad[path.name][1])
        refused(run("makeup", tmp_path / "none.jpg", "--look", "natural"), {"not_found"})
        refused(run("makeup", "match", tmp_path / "none.jpg", "--card", "1,2,3"), {"bad_options"})


def test_videos_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_bytes(b"not a video " * 100)
    (tmp_path / "empty.mp4").write_bytes(b"")
    out = tmp_path / "out.mp4"
    with unchanged(tmp_path):
        for name in ("text.mp4", "empty.mp4"):
            refused(run("makeup", "--video", tmp_path / name, "--look", "natural", "-o", out), {"bad_video"})
        refused(run("makeup", "--video", tmp_path / "none.mp4", "--look", "natural", "-o", out), {"not_found"})
        refused(run("makeup", "--camera", "97", "--look", "natural", "-o", out), {"no_camera"})
        refused(run("makeup", "--camera", "97", "--look", "natural"), {"no_camera"})
        words = ("--video", tmp_path / "text.mp4", "--look", "natural", "-o", tmp_path / "out.gif")
        refused(run("makeup", *words), {"unwritable"})


def test_the_first_word_may_be_left_out_and_lists_are_printed(run: Run, tmp_path: Path) -> None:
    code, out, err = run("makeup", "looks")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) >= 12
    assert "natural" in out
    code, out, _ = run("makeup", "products", "--kind", "lip", "--json")
    products = json.loads(out)
    assert code == 0
    assert {p["kind"] for p in products} == {"lip"}
    assert all(shade.startswith("#") for p in products for shade in p["shades"].values())
    for words in ((), ("--help",), ("apply", "--help"), ("match", "--help")):
        assert run("makeup", *words)[0] in (0, 2)
    code, out, err = run("makeup", "mtach", "photo.jpg")
    assert (code, out) == (2, "")


# -- portraits ---------------------------------------------------------------------------------------------------------


@needs_face
def test_a_portrait_is_made_up(run: Run, portrait: Path, tmp_path: Path) -> None:
    out, report, debug = tmp_path / "out.png", tmp_path / "r.json", tmp_path / "debug"
    words = (portrait, "--look", "evening", "-o", out, "--report", report, "--debug", debug)
    code, said, err = run("makeup", *words, "--save-look", tmp_path / "mine.json", "--set", "lip.shade=#a01830")
    assert (code, err) == (0, "")
    assert "out.png" in said
    before, after = load(portrait).rgb, load(out).rgb
    mask = load(debug / "mask.png").rgb[..., 0]
    assert before.shape == after.shape
    assert (before[mask == 0] == after[mask == 0]).all()
    assert 0.02 < float((mask > 0).mean()) < 0.6
    told = json.loads(report.read_text())
    assert told["status"] == "ok"
    kinds = [layer["kind"] for layer in told["look"]["layers"]]
    assert "lip" in kinds
    assert sum(p.name[:2].isdigit() for p in debug.iterdir()) >= len(set(kinds))
    again = tmp_path / "again.png"
    assert run("makeup", portrait, "--look", tmp_path / "mine.json", "-o", again)[0] == 0
    assert np.abs(load(again).rgb.astype(int) - after).max() <= 1, "the saved look is the look that was put on"


@needs_face
def test_only_and_amount(run: Run, portrait: Path, tmp_path: Path) -> None:
    before = load(portrait).rgb
    changed = {}
    for name, more in {"all": (), "lip": ("--only", "lip"), "little": ("--only", "lip", "--amount", "0.3")}.items():
        out = tmp_path / f"{name}.png"
        assert run("makeup", portrait, "--look", "evening", "-o", out, *more)[0] == 0
        changed[name] = np.abs(load(out).rgb.astype(int) - before)
    assert changed["lip"].any()
    assert (changed["lip"].any(axis=2) <= changed["all"].any(axis=2)).mean() > 0.999
    assert 0 < changed["little"].sum() < 0.7 * changed["lip"].sum()


@needs_face
def test_size_and_alpha_are_the_photos_own(run: Run, tmp_path: Path) -> None:
    rgb = portraits.closeup(333)
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:30], alpha[30:40] = 0, 128
    photo = save(tmp_path / "cut.png", np.dstack([rgb, alpha]))
    assert run("makeup", photo, "--look", "natural", "-o", tmp_path / "out.png")[0] == 0
    made = load(tmp_path / "out.png")
    assert made.alpha is not None
    assert (made.alpha == alpha).all()
    assert (made.rgb[:30] == rgb[:30]).all()


@needs_face
def test_pictures_without_a_face(mirror: Makeup, run: Run, tmp_path: Path) -> None:
    cases = portraits.no_faces()
    for name, rgb in cases.items():
        assert told(lambda rgb=rgb: mirror.look(rgb)) in NOBODY | {"dark"}, name  # type: ignore[misc]
    photo = save(tmp_path / "noise.png", cases["noise"])
    with unchanged(tmp_path):
        refused(run("makeup", photo, "--look", "natural", "-o", tmp_path / "out.png"), NOBODY)


@needs_face
@pytest.mark.parametrize(
    ("make", "codes"),
    [
        (portraits.tiny, {"small", "no_face"}),
        (portraits.dark, {"dark", "no_face"}),
        (portraits.masked, {"covered", "no_face"}),
        (portraits.sunglasses, {"covered", "no_face"}),
        (portraits.drawing, NOBODY),
        (portraits.cartoon, NOBODY),
        (portraits.statue, NOBODY),
        (portraits.profile, {"profile", *NOBODY}),
    ],
)
def test_faces_that_cannot_be_made_up(run: Run, tmp_path: Path, make: Callable[[], U8], codes: set[str]) -> None:
    photo = save(tmp_path / "photo.png", make())
    with unchanged(tmp_path):
        refused(run("makeup", photo, "--look", "evening", "-o", tmp_path / "out.png"), codes)


def test_an_unknown_brand_is_refused_before_the_photo_is_looked_at(run: Run, tmp_path: Path) -> None:
    blank = save(tmp_path / "blank.png", np.full((64, 64, 3), 120, np.uint8))
    refused(run("makeup", "match", blank, "--brand", "nobody's"), {"bad_table"})


@needs_makeup
@needs_face
def test_a_reference_that_cannot_be_read_is_named(run: Run, portrait: Path, tmp_path: Path) -> None:
    blank = save(tmp_path / "blank.png", np.full((64, 64, 3), 120, np.uint8))
    ran = run("makeup", "transfer", portrait, blank, "-o", tmp_path / "x.png")
    refused(ran, {"no_face"})
    assert "the reference" in ran[2]


@needs_face
def test_several_faces_one_of_them_or_all(run: Run, tmp_path: Path) -> None:
    photo = save(tmp_path / "two.png", portraits.two_people())
    before = load(photo).rgb
    halves = {}
    for which in ("", "1", "2", "all"):
        out = tmp_path / f"out{which}.png"
        words = ("--face", which) if which else ()
        assert run("makeup", photo, "--look", "evening", "-o", out, *words)[0] == 0
        changed = (load(out).rgb != before).any(axis=2)
        halves[which] = bool(changed[:, :340].any()), bool(changed[:, 340:].any())
    assert halves == {"": (True, False), "1": (True, False), "2": (False, True), "all": (True, True)}
    refused(run("makeup", photo, "--look", "evening", "--face", "9", "-o", tmp_path / "x.png"), {"bad_face"})
    for asked in (("match", photo), ("report", photo), ("harmony", photo), ("match", photo, "--json")):
        assert "2 faces found" in run("makeup", *asked)[1], "which face was read is told"


@needs_face
def test_a_video_of_the_portrait(run: Run, tmp_path: Path) -> None:
    rgb = portraits.closeup(240)
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (240, 240))
    for shift in range(6):
        writer.write(np.ascontiguousarray(np.roll(rgb, shift, axis=1)[..., ::-1]))
    writer.release()
    out, report = tmp_path / "out.mp4", tmp_path / "r.json"
    code, said, err = run("makeup", "--video", clip, "--look", "evening", "-o", out, "--report", report)
    assert (code, err) == (0, "")
    assert "6 of 6 frames" in said
    assert "sound" in said
    assert json.loads(report.read_text())["painted"] == 6
    save(tmp_path / "noise.png", portraits.no_faces()["noise"])
    blank = tmp_path / "blank.avi"
    writer = cv2.VideoWriter(str(blank), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (240, 240))
    for _ in range(3):
        writer.write(np.full((240, 240, 3), 90, np.uint8))
    writer.release()
    with unchanged(tmp_path):
        words = ("--video", blank, "--look", "evening", "-o", tmp_path / "nobody.mp4")
        refused(run("makeup", *words), {"no_face"})


@needs_face
def test_what_inspect_writes(run: Run, portrait: Path, tmp_path: Path) -> None:
    code, _, err = run("inspect", "face", portrait, "--out", tmp_path / "seen")
    assert (code, err) == (0, "")
    mesh = np.array(json.loads((tmp_path / "seen" / "mesh.json").read_text())["mesh"])
    assert mesh.shape == (478, 3)
    scale = 480 / 240
    for index, place in ((468, portraits.RIGHT_EYE), (473, portraits.LEFT_EYE), (152, portraits.CHIN)):
        expected = (np.array(place) - (100, 20)) * scale
        assert np.hypot(*(mesh[index, :2] - expected)) < 12, index
    names = {p.name for p in (tmp_path / "seen").iterdir()}
    assert names == {"mesh.json", "regions.png", "regions.json", "skin.json", "overlay.png"}
    assert json.loads((tmp_path / "seen" / "skin.json").read_text())


@needs_face
def test_advice_in_words_and_in_json(run: Run, portrait: Path, tmp_path: Path) -> None:
    table = tmp_path / "shades.csv"
    rows = [f"Brand,Line,Shade {i},#{c}" for i, c in enumerate(("f3d8c4", "e2b898", "c68f6a", "8a5a3c", "4a2e20"))]
    table.write_text("brand,product,name,hex\n" + "\n".join(rows) + "\n")
    for words in (("match", portrait, "--shades", table), ("report", portrait), ("harmony", portrait)):
        code, out, err = run("makeup", *words, "--json")
        assert (code, err) == (0, ""), words
        assert json.loads(out)
        code, out, _ = run("makeup", *words)
        assert (code, bool(out)) == (0, True)


@needs_face
def test_a_sheet_and_a_tutorial(run: Run, portrait: Path, tmp_path: Path) -> None:
    words = ("sheet", portrait, "--look", "natural", "--look", "evening", "-o", tmp_path / "sheet.jpg")
    assert run("makeup", *words)[0] == 0
    assert load(tmp_path / "sheet.jpg").rgb.std() > 20
    lesson = ("tutorial", portrait, "--look", "natural", "--out", tmp_path / "lesson", "--no-pdf")
    assert run("makeup", *lesson)[0] == 0
    page = next((tmp_path / "lesson").glob("*.html")).read_text(encoding="utf-8")
    assert "<img" in page


@needs_face
@needs_makeup
def test_transfer_and_removal(run: Run, portrait: Path, tmp_path: Path) -> None:
    worn = tmp_path / "worn.png"
    assert run("makeup", portrait, "--look", "evening", "-o", worn)[0] == 0
    out, look = tmp_path / "out.png", tmp_path / "look.json"
    assert run("makeup", "transfer", portrait, worn, "-o", out, "--save-look", look, "--only", "lip")[0] == 0
    kinds = {layer["kind"] for layer in json.loads(look.read_text())["layers"]}
    assert kinds <= {"lip"}
    assert load(out).rgb.shape == load(portrait).rgb.shape
    assert run("makeup", portrait, "--look", look, "-o", tmp_path / "again.png")[0] == 0
    assert run("makeup", "remove", worn, "-o", tmp_path / "bare.png")[0] == 0
