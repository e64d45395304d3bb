"""The suites on a tiny data folder of painted figures, read by tiny real graphs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx")

from mojing.cli.measure import evaluate
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.core.skeleton import J
from mojing.eval import leak, people, products
from mojing.eval.suites import run_body, run_garment, run_tryon
from mojing.perception.body import BodyView
from mojing.perception.ground_truth import POSE_33
from mojing.perception.labels import L
from tests.perception import figures
from tests.tryon.test_baselines import write_baseline
from tests.tryon.test_render import write_render_model

NAMES = ["null", "hair", "skin", "shirt", "pants", "shoes"]
TO_59 = {"hair": 1, "face": 2, "left_arm": 2, "right_arm": 2, "upper": 3, "trousers": 4, "shoes": 5}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people with labels and teacher joints, and one photo for busy backgrounds."""
    root: Path = tmp_path_factory.mktemp("data")
    for name in ("people/photos", "people/labels", "teacher/people", "garments/photos"):
        (root / name).mkdir(parents=True)
    (root / "people" / "label_names.json").write_text(json.dumps(NAMES))
    for index, key in enumerate(("0004", "0005", "0013")):
        photo = figures.blank((640, 480))
        pts = figures.joints(230 + 10 * index, 40, 560)
        truth = figures.paint(photo, pts, 560)
        label = np.zeros_like(truth)
        for name, value in TO_59.items():
            label[truth == L[name]] = value
        cv2.imwrite(str(root / f"people/photos/{key}.png"), photo[..., ::-1])
        cv2.imwrite(str(root / f"people/labels/{key}.png"), label)
        pose = np.ones((33, 4), np.float32)
        for name, rows in POSE_33.items():
            pose[list(rows), :2] = pts[J[name]]
        np.savez(root / f"teacher/people/{key}.npz", pose=pose)
    rng = np.random.default_rng(0)
    table = [["image", "sender_id", "label", "kids"]]
    for name, sender in (("a", "1"), ("b", "4"), ("c", "4")):
        noise = rng.integers(100, 250, (200, 160, 3)).astype(np.uint8)
        cv2.imwrite(str(root / f"garments/photos/{name}.webp"), noise)
        table.append([name, sender, "T-Shirt", str(name == "c")])
    with (root / "garments" / "images.csv").open("w", newline="") as out:
        csv.writer(out).writerows(table)
    return root


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures.body_store(tmp_path)
    figures.garment_store(tmp_path)
    monkeypatch.setenv("MOJING_MODELS", str(tmp_path))


@pytest.mark.usefixtures("models")
def test_body_suite_measures_the_held_out_photos(data: Path) -> None:
    result = run_body(data)
    assert result["photos"] == 2
    assert result["pck_full_length"]["pck"] > 0.95
    assert result["pck_upper_crops"]["pck"] > 0.9
    assert set(result["parsing"]["groups"]) >= {
        "background", "hair", "face", "top", "trousers", "footwear+legwear", "arms"
    }  # fmt: skip
    assert result["parsing"]["mean_iou"] > 0.6
    assert run_body(data, everything=True, limit=3)["photos"] == 3
    json.dumps(result)


@pytest.mark.usefixtures("models")
def test_body_suite_needs_a_teacher(data: Path, tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    with pytest.raises(InputError) as refused:
        run_body(data, teacher=tmp_path)
    assert refused.value.code == "bad_data"
    with pytest.raises(InputError) as refused:
        run_body(tmp_path, teacher=data / "teacher")
    assert refused.value.code == "bad_data"


@pytest.mark.usefixtures("models")
def test_garment_suite_makes_its_own_product_photos(data: Path) -> None:
    result = run_garment(data, limit=1)
    assert result["garments"] >= 1
    assert set(result) >= {"plain", "busy", "flip_agreement"}
    assert 0 <= result["plain"]["iou"] <= 1
    assert result["lying"]["photos"] == 1  # of the held-out sender, not a child's
    assert result["lying"]["category_right"] in (0, 1)
    json.dumps(result)


@pytest.mark.usefixtures("models")
def test_baselines_put_the_same_garments_back_on_the_same_people(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_render_model(tmp_path)
    for kind, takes in (("pix2pix", (4, 5, 6)), ("cyclegan", (0, 1, 2))):
        (tmp_path / kind).mkdir()
        write_baseline(tmp_path / kind, kind, takes=takes)
    alone = run_tryon(data, limit=2)
    out = tmp_path / "tryon.json"
    evaluate(
        "tryon", data, json_out=out, teacher=None, limit=2, everything=False,
        baselines=[tmp_path / "pix2pix", tmp_path / "cyclegan"],
    )  # fmt: skip
    back = json.loads(out.read_text())["put_back"]
    assert back["people"] == 2
    assert "margin_over" in capsys.readouterr().out
    for name, value in alone["put_back"].items():
        assert back[name] == pytest.approx(value), "baselines change no other figure"
    assert set(back["margin_over"]) == {"drape_only", "pix2pix", "cyclegan"}
    for name, margin in back["margin_over"].items():
        assert margin["ssim"] == pytest.approx(back["gan"]["ssim"] - back[name]["ssim"])
        assert margin["l1"] == pytest.approx(back[name]["l1"] - back["gan"]["l1"])
        assert margin["frechet"] == pytest.approx(back[name]["frechet"] - back["gan"]["frechet"])
    assert back["pix2pix"] != back["cyclegan"]
    with pytest.raises(InputError) as refused:
        run_tryon(data, limit=2, baselines=[tmp_path])
    assert refused.value.code == "bad_data"


def test_products_carry_their_truth_along(data: Path) -> None:
    teacher = people.find_teacher(data, None)
    person = next(people.read_people(data, ["0004"], teacher=teacher))
    pieces = products.pieces_of(person)
    assert "top" in {p.category for p in pieces}
    top = next(p for p in pieces if p.category == "top")
    product = products.make_product(top, products.plain(np.random.default_rng(0)), np.random.default_rng(1))
    seen = product.anchors[product.anchors[:, 2] > 0]
    x, y = np.clip(seen[:, :2].round().astype(int).T, 0, products.SIDE - 1)
    near = cv2.dilate(product.truth.astype(np.uint8), np.ones((41, 41), np.uint8))
    assert near[y, x].mean() > 0.9
    assert 0.1 < product.truth.mean() < 0.7


def test_upper_crops_end_below_the_hips(data: Path) -> None:
    person = next(people.read_people(data, ["0004"], teacher=people.find_teacher(data, None)))
    crop = people.upper_crop(person)
    assert crop.joints is not None
    assert crop.parse is not None
    assert crop.parse.shape == crop.rgb.shape[:2]
    assert crop.counted()[J["left_hip"]]
    assert not crop.counted()[J["left_knee"]]


def dressed(**swap: int) -> BodyView:
    """A painted figure as the body network would see it, some labels swapped."""
    canvas = figures.blank((800, 600))
    pts = figures.joints(300, 40, 700)
    parse = figures.paint(canvas, pts, 700)
    for name, label in swap.items():
        parse[parse == L[name]] = label
    joints = np.concatenate([pts, np.ones((21, 1), np.float32)], axis=1)
    return BodyView((800, 600), joints, parse, np.where(parse > 0, 255, 0).astype(np.uint8), Box(0, 0, 600, 800))


def test_outfits_and_lengths_are_read_back() -> None:
    short = dressed()
    worn = leak.outfit(short)
    assert worn == leak.Outfit("short", False, "trousers")
    assert leak.bare_forearms(short, short.joints)
    assert not leak.clad_forearms(short, short.joints)
    assert leak.bare_upper_arms(short, short.joints) is False
    assert leak.top_not_dress(short, short.joints)
    assert leak.bare_shins(short, short.joints) is False
    long = dressed(left_arm=L["upper"], right_arm=L["upper"])
    assert leak.outfit(long) == leak.Outfit("long", False, "trousers")
    assert leak.clad_forearms(long, long.joints)
    gown = dressed(upper=L["dress"], trousers=L["left_leg"])
    assert leak.outfit(gown) == leak.Outfit("short", True, "dress")
    assert leak.top_not_dress(gown, gown.joints) is False
    assert leak.bare_shins(gown, gown.joints)
    hidden = dressed(left_arm=L["bag"], right_arm=L["bag"])
    assert leak.bare_forearms(hidden, hidden.joints) is None


def test_the_ceiling_counts_photos_that_are_read_as_their_labels_say() -> None:
    ceiling = leak.Ceiling()
    short, long = dressed(), dressed(left_arm=L["upper"], right_arm=L["upper"])
    for truth, seen in ((short, short), (short, long), (long, long), (long, short)):
        ceiling.add(truth, seen)
    found = ceiling.result({"long_to_short": 3, "short_to_long": 1})
    cases = found["cases"]
    assert isinstance(cases, dict)
    assert cases["long_to_short"] == {"right": 0.5, "photos": 2, "others_right": 0.5, "others": 2}
    assert cases["to_sleeveless"]["right"] is None
    assert found["right"] == pytest.approx(0.5)


def test_marks_are_summed_up() -> None:
    found = leak.summary({"a": [True, True, None], "b": [False], "c": []})
    assert found["right"] == pytest.approx(2 / 3)
    cases = found["cases"]
    assert isinstance(cases, dict)
    assert cases["a"] == {"right": 1.0, "read": 2, "unreadable": 1}
    assert cases["c"]["right"] is None
