"""Whatever is handed in ends in a good result or in one line that says what to do, and destroys nothing.

What the networks make of odd photos may change whenever they are trained again, so that only the kinds of outcome that
are allowed are held here, not the very one.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mojing import TryOn
from mojing.core.errors import InputError
from mojing.core.image import Photo, load
from mojing.runtime import ModelStore
from tests.cli import spoilt
from tests.cli.conftest import Outcome, Run

ROOT = Path(__file__).parents[2]
ANNA, TOM, ROSA = (ROOT / "examples" / "people" / f"{name}.jpg" for name in ("anna", "tom", "rosa"))
TEE, SKIRT = (ROOT / "examples" / "garments" / f"{name}.jpg" for name in ("tee-striped", "skirt"))
DATA = ROOT.parent / "shared" / "data"
READY = all(p.is_file() for p in (ANNA, TOM, ROSA, TEE, SKIRT)) and all(
    ModelStore().has(name) for name in ("body", "garment", "render")
)
pytestmark = pytest.mark.skipif(not READY, reason="needs the shipped models and the bundled examples")

NO_BODY = {"no_person", "bad_crop", "back_view", "bad_pose"}
NO_RESULT = {*NO_BODY, "no_garment", "several_people", "poor_result"}


@pytest.fixture(scope="module")
def mirror() -> TryOn:
    """The shipped models, loaded once."""
    return TryOn(threads=1)


@pytest.fixture(scope="module")
def anna() -> Image.Image:
    """A person from the front; half the size is enough to be seen and saves time."""
    return Image.open(ANNA).convert("RGB").reduce(2)


@pytest.fixture(scope="module")
def tee() -> Image.Image:
    """A garment lying on white."""
    return Image.open(TEE).convert("RGB").reduce(2)


@pytest.fixture
def scenery() -> Image.Image:
    """Sky over a meadow."""
    rgb = np.zeros((600, 400, 3), np.uint8)
    rgb[:300] = np.linspace([90, 140, 220], [180, 210, 250], 300)[:, None]
    rgb[300:] = (60, 120, 50)
    return Image.fromarray(rgb + np.random.default_rng(0).integers(0, 12, rgb.shape).astype(np.uint8))


def refused(outcome: Outcome, codes: set[str]) -> None:
    """Exit code 3, nothing on stdout, and one line: code, reason, what to do."""
    exit_code, out, err = outcome
    assert (exit_code, out) == (3, ""), (outcome, codes)
    assert len(err.strip().splitlines()) == 1, err
    code, _, rest = err.partition(": ")
    assert code in codes, err
    assert rest.partition("; ")[2].strip(), f"what shall be done about it? {err}"


def told(act: Callable[[], object]) -> str:
    """Code of the refusal, which has a hint, or `ok`."""
    try:
        act()
    except InputError as error:
        return error.code if error.hint else f"{error.code} without a hint"
    return "ok"


@contextlib.contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Nothing in a folder is written, made or lost."""
    before = {p: p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")}
    yield
    assert {p: p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")} == before


def test_files_that_hold_no_picture(run: Run, tmp_path: Path, anna: Image.Image) -> None:
    (tmp_path / "out.png").write_bytes(b"an older result")
    (tmp_path / "folder.jpg").mkdir()
    cases = spoilt.unreadable(anna.resize((192, 256)))
    spoilt.put(tmp_path, {name: data for name, (data, _) in cases.items()})
    codes = {name: allowed for name, (_, allowed) in cases.items()}
    codes |= {"folder.jpg": {"undecodable"}, "none.jpg": {"not_found"}, "text.jpg/x.png": {"not_found"}}
    with unchanged(tmp_path):
        for name, allowed in codes.items():
            bad, out = tmp_path / name, tmp_path / "out.png"
            refused(run("tryon", bad, TEE, "-o", out, "--debug", tmp_path / "debug"), allowed)
            refused(run("tryon", ANNA, bad, "-o", out), allowed)
            outcome = run("inspect", "person", bad, "--out", tmp_path / "seen")
            refused(outcome, allowed)
            assert Path(name).name in outcome[2], "which file it is"
            refused(run("inspect", "garment", bad, "--out", tmp_path / "seen"), allowed)


def test_files_that_hold_no_picture_in_python(mirror: TryOn, anna: Image.Image, tee: Image.Image) -> None:
    for name, (data, allowed) in spoilt.unreadable(anna.resize((192, 256))).items():
        assert told(lambda data=data: mirror.look(data)) in allowed, name  # type: ignore[misc]
        assert told(lambda data=data: mirror.garment(data)) in allowed, name  # type: ignore[misc]
    for nothing in (None, 3, [[1, 2]], np.zeros((40, 40)), np.zeros((0, 0, 3), np.uint8)):
        assert told(lambda x=nothing: mirror.look(x)) in {"bad_array", "too_small"}  # type: ignore[misc]
        assert told(lambda x=nothing: mirror.garment(x)) in {"bad_array", "too_small"}  # type: ignore[misc]
    assert told(lambda: mirror.garment(tee, category="shoe")) == "bad_category"
    assert told(lambda: mirror.garment(tee, anchors={"neck": (1e9, 0)})) == "bad_anchors"


def test_unusual_kinds_of_file_are_seen_as_the_picture_they_show(
    mirror: TryOn, anna: Image.Image, tee: Image.Image
) -> None:
    known = mirror.look(anna)
    flat = mirror.garment(tee)
    for name, data in spoilt.odd(anna).items():
        look = mirror.look(data)
        sure = (known.body.joints[:, 2] > 0.5) & (look.body.joints[:, 2] > 0.5)
        off = np.hypot(*(look.body.joints[sure, :2] - known.body.joints[sure, :2]).T)
        assert look.photo.hw == known.photo.hw
        assert float(np.median(off)) < 0.03 * known.photo.hw[0], name
        assert any("first" in notice for notice in look.photo.notices) == name.startswith("animated"), name
    for name, data in spoilt.odd(tee).items():
        if "grey" in name:
            continue  # a garment without its colours may be read as anything
        alpha = mirror.garments(load(data)).alpha > 127
        both, either = (alpha & (flat.view.alpha > 127)).sum(), (alpha | (flat.view.alpha > 127)).sum()
        assert both > 0.85 * either, name


def test_turned_photos_are_seen_upright(mirror: TryOn, anna: Image.Image) -> None:
    upright = load(anna)
    for orientation in range(1, 9):
        exactly = load(spoilt.stored_turned(anna, orientation))
        np.testing.assert_array_equal(exactly.rgb, upright.rgb)
        nearly = load(spoilt.stored_turned(anna, orientation, "JPEG"))
        assert nearly.hw == upright.hw
        assert np.abs(nearly.rgb.astype(int) - upright.rgb).mean() < 2
    known, look = mirror.look(upright), mirror.look(spoilt.stored_turned(anna, 6, "JPEG"))
    sure = (known.body.joints[:, 2] > 0.5) & (look.body.joints[:, 2] > 0.5)
    assert np.median(np.hypot(*(look.body.joints - known.body.joints)[sure, :2].T)) < 5


def test_transparency(mirror: TryOn, anna: Image.Image, tee: Image.Image) -> None:
    hidden = (255, 0, 255)
    look = mirror.look(spoilt.cut_out(anna, hidden))
    assert look.photo.alpha is None
    assert not (look.photo.rgb == hidden).all(axis=2).any(), "what is transparent must not come back"
    assert any("white" in notice for notice in look.photo.notices)
    view = mirror.garment(spoilt.cut_out(tee, hidden)).view
    assert not (view.rgb == hidden).all(axis=2)[view.alpha > 0].any()
    clear = np.dstack([np.asarray(anna), np.zeros((anna.height, anna.width), np.uint8)])
    assert told(lambda: mirror.look(clear)) == "no_person"
    assert told(lambda: mirror.garment(clear)) == "no_garment"


def test_photos_without_a_person_to_dress(mirror: TryOn, anna: Image.Image, scenery: Image.Image) -> None:
    edges = 255 - cv2.dilate(cv2.Canny(np.asarray(anna), 40, 120), np.ones((3, 3), np.uint8))
    noise = np.random.default_rng(0).integers(0, 255, (600, 400, 3)).astype(np.uint8)
    surely = {"white": Image.new("RGB", (600, 800), "white"), "tee": Image.open(TEE), "skirt": Image.open(SKIRT)}
    maybe = {
        "scenery": scenery,
        "noise": Image.fromarray(noise),
        "drawing": Image.fromarray(edges),
        "head": anna.crop((150, 20, 235, 107)).resize((680, 700)),
        "bust": anna.crop((100, 15, 285, 165)),
        "legs": anna.crop((75, 260, 310, 512)),
        "upside down": anna.rotate(180),
        "lying": anna.rotate(90, expand=True),
        "tiny": anna.resize((32, 43)),
        "wide": Image.new("RGB", (4000, 32), "grey"),
        "tall": anna.resize((40, 9000)),
    }
    for name, photo in surely.items():
        assert told(lambda photo=photo: mirror.look(photo)) in NO_BODY, name  # type: ignore[misc]
    for name, photo in maybe.items():
        assert told(lambda photo=photo: mirror.look(photo)) in {"ok", *NO_BODY}, name  # type: ignore[misc]


def test_photos_without_a_garment(mirror: TryOn, anna: Image.Image, tee: Image.Image, scenery: Image.Image) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (600, 400, 3)).astype(np.uint8)
    maybe = {
        "scenery": scenery,
        "noise": Image.fromarray(noise),
        "black": Image.new("RGB", (300, 400)),
        "head": anna.crop((150, 20, 235, 107)).resize((680, 700)),
        "tiny": tee.resize((32, 32)),
        "wide": Image.new("RGB", (4000, 32), "grey"),
        "tall": anna.resize((40, 9000)),
        "tall tee": tee.resize((32, 9000)),
    }
    assert told(lambda: mirror.garment(Image.new("RGB", (600, 800), "white"))) == "no_garment"
    for name, photo in maybe.items():
        assert told(lambda photo=photo: mirror.garment(photo)) in {"ok", "no_garment"}, name  # type: ignore[misc]


def test_swapped_photos_and_worn_garments(run: Run, mirror: TryOn, tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"an older result")
    with unchanged(tmp_path):
        refused(run("tryon", TEE, ANNA, "-o", tmp_path / "out.png"), NO_BODY)
    worn = mirror.garment(ROSA).view
    assert worn.worn
    assert any("taken off" in notice for notice in worn.notices)
    assert mirror.garment(TOM, category="top").view.category == "top"
    assert told(lambda: mirror.garment(ROSA, category="trousers")) in {"no_garment", "ok"}
    code, out, err = run("inspect", "garment", ROSA, "--out", tmp_path / "worn")
    assert (code, err) == (0, "")
    assert "taken off" in out
    assert json.loads((tmp_path / "worn" / "attributes.json").read_text())["worn"] is True


def test_several_people(run: Run, mirror: TryOn, tmp_path: Path, anna: Image.Image) -> None:
    both = Image.new("RGB", (2 * anna.width, anna.height))
    both.paste(anna, (0, 0))
    both.paste(Image.open(TOM).reduce(2), (anna.width, 0))
    both.save(tmp_path / "two people.png")
    code, out, err = run("inspect", "person", tmp_path / "two people.png", "--out", tmp_path / "seen")
    assert (code, err) == (0, "")
    assert "2 people" in out
    assert "--person" in out
    for number in (1, 2):
        look = mirror.look(both, person=number)
        middle = float(np.median(look.body.joints[look.body.joints[:, 2] > 0.5, 0]))
        assert (middle > anna.width) == (number == 2)
    with unchanged(tmp_path):
        words = ("tryon", tmp_path / "two people.png", TEE, "-o", tmp_path / "out.png", "--person", "9")
        refused(run(*words), {"several_people"})
    assert told(lambda: mirror.look(both, person=0)) == "several_people"
    assert told(lambda: mirror.look(both, person=-1)) == "several_people"
    for word in ("0", "-1", "two"):
        assert run("tryon", ANNA, TEE, "--person", word)[0] == 2


def some(folder: str, pattern: str, *, count: int) -> list[Path]:
    """Photos of the data sets, spread over the folder; skips where they are not."""
    found = sorted((DATA / folder / "photos").glob(pattern))
    if len(found) < count:
        pytest.skip(f"needs the photos of {folder}, which are not part of the project")
    return found[:: len(found) // count][:count]


def test_back_views_of_real_people(mirror: TryOn) -> None:
    codes = [told(lambda p=p: mirror.look(p)) for p in some("shop", "*_back*", count=8)]  # type: ignore[misc]
    assert set(codes) <= {"ok", *NO_BODY}
    assert sum(code != "ok" for code in codes) >= 3, codes


def test_portraits_of_real_people(mirror: TryOn) -> None:
    photos = some("faces", "*.webp", count=6)
    codes = [told(lambda p=p: mirror.look(p)) for p in photos]  # type: ignore[misc]
    assert set(codes) <= {"ok", *NO_BODY}
    assert sum(code != "ok" for code in codes) >= 4, codes
    garments = [told(lambda p=p: mirror.garment(p)) for p in photos[:3]]  # type: ignore[misc]
    assert set(garments) <= {"ok", "no_garment"}


def test_shoes_and_hats_are_no_traceback(mirror: TryOn) -> None:
    photos = some("garments", "*.webp", count=200)
    table = dict(row.split(",")[::2][:2] for row in (DATA / "garments" / "images.csv").read_text().splitlines())
    chosen = [p for p in photos if table.get(p.stem) in ("Shoes", "Hat")][:6]
    codes = [told(lambda p=p: mirror.garment(p)) for p in chosen]  # type: ignore[misc]
    assert set(codes) <= {"ok", "no_garment"}


ANCHORS = {
    "broken": "{",
    "empty": "",
    "list": "[1]",
    "unknown": '{"anchors": {"knee_pit": [1, 2]}}',
    "text": '{"neck": "12"}',
    "number": '{"neck": [1' + "0" * 400 + ", 2]}",
    "infinite": '{"neck": [1e999, 2]}',
    "nan": '{"neck": [NaN, 2]}',
    "deep": "[" * 100_000,
    "far": '{"neck": [1e9, -1e9]}',
}


@pytest.mark.parametrize("name", ANCHORS)
def test_anchor_files(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "anchors.json").write_text(ANCHORS[name])
    with unchanged(tmp_path):
        words = ("tryon", ANNA, TEE, "-o", tmp_path / "out.png", "--anchors", tmp_path / "anchors.json")
        refused(run(*words), {"bad_anchors"})


def test_anchors_that_are_no_file(run: Run, tmp_path: Path) -> None:
    for place, code in ((tmp_path, "bad_anchors"), (TEE, "bad_anchors"), (tmp_path / "none.json", "not_found")):
        refused(run("tryon", ANNA, TEE, "-o", tmp_path / "out.png", "--anchors", place), {code})


def test_places_that_cannot_be_written_are_refused_before_the_work(run: Run, tmp_path: Path) -> None:
    mine, file = tmp_path / "mine.jpg", tmp_path / "file"
    mine.write_bytes(ANNA.read_bytes())
    file.write_text("in the way")
    (tmp_path / "folder.png").mkdir()
    out = tmp_path / "out.png"
    out.write_bytes(b"an older result")
    orders: list[tuple[object, ...]] = [
        (ANNA, TEE, "-o", tmp_path / "folder.png"),
        (ANNA, TEE, "-o", file / "x.png"),
        (ANNA, TEE, "-o", tmp_path / "x.tga"),
        (ANNA, TEE, "-o", tmp_path / "x"),
        (ANNA, TEE, "-o", tmp_path / ("n" * 300 + ".png")),
        (ANNA, TEE, "-o", "-"),
        (ANNA, TEE, "-o", out, "--report", tmp_path / "folder.png"),
        (ANNA, TEE, "-o", out, "--report", file / "r.json"),
        (ANNA, TEE, "-o", out, "--report", out),
        (ANNA, TEE, "-o", out, "--debug", file),
        (ANNA, TEE, "-o", out, "--debug", file / "deep"),
        (mine, TEE, "-o", mine),
        (ANNA, mine, "-o", tmp_path / "folder.png" / ".." / "mine.jpg"),
        (mine, TEE, "-o", out, "--report", mine),
    ]
    with unchanged(tmp_path):
        for words in orders:
            refused(run("tryon", *words), {"unwritable"})
        for kind, photo in (("person", ANNA), ("garment", TEE)):
            for place in (file, file / "deep"):
                refused(run("inspect", kind, photo, "--out", place), {"unwritable"})


def test_a_refusal_with_a_report(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "deep" / "r.json"
    refused(run("tryon", tmp_path / "none.jpg", TEE, "-o", tmp_path / "x.tga", "--report", report), {"unwritable"})
    assert json.loads(report.read_text())["error"]["code"] == "unwritable"
    words = ("tryon", tmp_path / "none.jpg", TEE, "-o", tmp_path / "x.png", "--report")
    refused(run(*words, report), {"not_found"})
    assert json.loads(report.read_text())["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "words",
    [("--category", "shoe"), ("--threads", "0"), ("--report",), ("--nonsense",), ("-x.jpg",), ("third.jpg",)],
    ids=" ".join,
)
def test_wrong_usage(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    code, out, err = run("tryon", ANNA, TEE, "-o", tmp_path / "out.png", *words)
    assert (code, out) == (2, "")
    assert err.startswith(("Usage", "Error"))
    assert not list(tmp_path.iterdir())


def test_names_of_every_kind(tmp_path: Path) -> None:
    """A real process in a place whose terminal knows ASCII only; one name is no text at all."""
    strange = os.fsdecode("-上衣 tee\n".encode() + b"\xff.jpg")
    (tmp_path / strange).write_bytes(TEE.read_bytes())
    program = [sys.executable, "-m", "mojing", "inspect", "garment", "--out"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "OMP_NUM_THREADS": "1"}

    def mojing(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*program, *words], capture_output=True, check=False, cwd=tmp_path, env=environment)

    done = mojing("über 名前", "--", strange)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "über 名前" / "cutout.png").is_file()
    done = mojing("x", "--", strange + "x")
    assert done.returncode == 3
    assert done.stderr.startswith(b"not_found: ")
    assert len(done.stderr.splitlines()) == 1
    assert mojing("x", strange).returncode == 2, "a name that begins with - needs -- before it"


def test_names_of_every_kind_in_a_report(run: Run, tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode("名前 ".encode() + b"\xff.jpg")
    refused(run("tryon", strange, TEE, "-o", tmp_path / "ü.png", "--report", tmp_path / "报告.json"), {"not_found"})
    assert "名前" in json.loads((tmp_path / "报告.json").read_text(encoding="utf-8"))["error"]["message"]


def test_a_photo_object_with_transparency_is_taken_too(mirror: TryOn, anna: Image.Image) -> None:
    alpha = np.full((anna.height, anna.width), 255, np.uint8)
    alpha[:50] = 0
    look = mirror.look(Photo(np.asarray(anna), alpha))
    assert (look.photo.rgb[:50] == 255).all()
