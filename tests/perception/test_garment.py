"""The garment reader on painted cloth that a tiny graph can read."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx")

from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.skeleton import A
from mojing.perception import cutout
from mojing.perception.anchors import complete_anchors
from mojing.perception.body import BodyNet
from mojing.perception.export import write_garment, write_person
from mojing.perception.garment import GarmentNet, read_anchors
from tests.perception import figures
from tests.perception.test_outline import TEE

ON_TEE = {"neck": (200, 75), "left_shoulder": (255, 82), "right_shoulder": (145, 82), "left_hem": (283, 297),
          "right_hem": (117, 297), "left_waist": (283, 190), "right_waist": (117, 190)}  # fmt: skip


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> GarmentNet:
    return GarmentNet(figures.garment_store(tmp_path_factory.mktemp("models")), threads=1)


def tee(background: np.ndarray, *, anchors: bool = True) -> np.ndarray:
    """TEE in the colour CLOTH over a background (420, 400, 3)."""
    photo = np.where(TEE[..., None] > 0, figures.CLOTH, background).astype(np.uint8)
    if anchors:
        for name, (x, y) in ON_TEE.items():
            cv2.circle(photo, (x, y), 6, [int(v) for v in figures.ANCHOR_COLOURS[A[name]]], -1)
    return photo


def plain(grey: int = 225) -> np.ndarray:
    """A plain background with uneven light."""
    ramp = np.linspace(0, 18, 400)[None, :, None] + np.linspace(0, 9, 420)[:, None, None]
    return (grey - ramp).astype(np.uint8) * np.ones(3, np.uint8)


def busy(seed: int = 0) -> np.ndarray:
    """A background of coarse coloured noise, none of it like CLOTH."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(40, 256, (21, 20, 3)).astype(np.uint8)
    noise[..., 1] = np.maximum(noise[..., 1], 150)
    return np.asarray(cv2.resize(noise, (400, 420), interpolation=cv2.INTER_LINEAR), np.uint8)


def overlap(alpha: np.ndarray, truth: np.ndarray) -> float:
    """IoU of two masks."""
    a, b = alpha > 127, truth > 127
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(("background", "least"), [(plain(), 0.985), (plain(250), 0.985), (busy(), 0.94)])
def test_cut_out_category_and_anchors(net: GarmentNet, background: np.ndarray, least: float) -> None:
    view = net(Photo(tee(background)))
    assert view.category == "top"
    assert view.attributes["sleeve"] == "short"
    assert overlap(view.alpha, TEE) > least
    for name, place in ON_TEE.items():
        assert np.hypot(*(view.anchors[A[name], :2] - place)) < 14, name  # two cells of a heat map
    assert view.anchors[A["left_wrist"], 2] == 0
    assert not view.worn


def test_anchors_that_are_missing_are_read_off_the_outline_with_a_notice(net: GarmentNet) -> None:
    view = net(Photo(tee(plain(), anchors=False)))
    assert any("outline" in n for n in view.notices)
    assert view.confidence < 0.6
    assert np.hypot(*(view.anchors[A["neck"], :2] - (200, 75))) < 15


def test_anchors_can_be_given(net: GarmentNet, tmp_path: Path) -> None:
    path = tmp_path / "anchors.json"
    path.write_text(json.dumps({"anchors": {"neck": [201, 66], "left_elbow": None}}))
    view = net(Photo(tee(plain(), anchors=False)), anchors=path)
    assert view.anchors[A["neck"]].tolist() == [201, 66, 1]
    assert view.anchors[A["left_elbow"], 2] == 0
    assert not view.notices


@pytest.mark.parametrize(
    "bad",
    [
        {"nose": [1, 2]},
        {"neck": [1]},
        {"neck": "here"},
        {"neck": "12"},
        {"neck": ["1", "2"]},
        {"neck": {"1": 1, "2": 2}},
        {"neck": [True, False]},
        {"neck": [1, float("nan")]},
        {"neck": [1, 10**400]},
        {"neck": [1, 2, -1]},
        {"neck": [1, 2, 1, 1]},
        {"neck": [1, 2600]},
        {"anchors": None},
        [1, 2],
    ],
    ids=lambda bad: str(bad)[:40],
)
def test_bad_anchors_are_refused(bad: object) -> None:
    with pytest.raises(InputError) as refused:
        read_anchors(bad, hw=(1000, 800))  # type: ignore[arg-type]
    assert refused.value.code == "bad_anchors"


def test_an_anchor_file_that_is_not_there_or_not_json(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_anchors(tmp_path / "none.json")
    assert refused.value.code == "not_found"
    for content in (b"{", b"", b"\xff\xd8\xff", b"[" * 100_000, b'{"neck": [1' + b"0" * 400 + b", 2]}"):
        (tmp_path / "odd.json").write_bytes(content)
        with pytest.raises(InputError) as refused:
            read_anchors(str(tmp_path / "odd.json"))
        assert refused.value.code == "bad_anchors"
    with pytest.raises(InputError) as refused:
        read_anchors(tmp_path)
    assert refused.value.code == "bad_anchors"


def test_anchor_files_of_other_editors(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"neck": [1, 2, 1.5]}', encoding="utf-8-sig")
    assert read_anchors(tmp_path / "a.json", hw=(40, 40)) == {"neck": (1.0, 2.0, 1.0)}


def test_transparency_is_the_cut_out(net: GarmentNet) -> None:
    alpha = TEE.copy()
    alpha[:60] = 0
    view = net(Photo(tee(busy()), alpha))
    assert overlap(view.alpha, alpha) > 0.999


def test_the_inner_back_is_not_part_of_the_cut_out(net: GarmentNet) -> None:
    photo = tee(plain())
    collar = np.zeros_like(TEE)
    cv2.ellipse(collar, (200, 55), (30, 14), 0, 0, 180, 255, -1)
    photo[collar > 0] = figures.INNER
    view = net(Photo(photo))
    assert overlap(view.inner, collar) > 0.6
    assert np.minimum(view.alpha, view.inner).max() < 140


def test_no_garment_and_no_such_category(net: GarmentNet) -> None:
    with pytest.raises(InputError) as refused:
        net(Photo(plain()))
    assert refused.value.code == "no_garment"
    with pytest.raises(InputError) as refused:
        net(Photo(tee(plain())), category="sock")
    assert refused.value.code == "bad_category"
    assert net(Photo(tee(plain())), category="auto").category == "top"
    assert net(Photo(tee(plain())), category="outer").category == "outer"


def test_a_second_thing_and_a_soft_shadow_are_left_out() -> None:
    rgb = plain()
    shadow = cv2.GaussianBlur(np.roll(TEE, (9, 12), axis=(0, 1)).astype(np.float32) / 255, (0, 0), 7)
    rgb = (rgb * (1 - 0.09 * shadow[..., None])).astype(np.uint8)
    rgb[390:410, 20:60] = (20, 20, 20)
    rgb = np.where(TEE[..., None] > 0, figures.CLOTH, rgb).astype(np.uint8)
    soft = cv2.GaussianBlur(TEE.astype(np.float32) / 255, (0, 0), 5)
    alpha, by_colour = cutout.silhouette(rgb, np.asarray(cv2.resize(soft, (128, 134)), np.float32))
    assert by_colour
    assert overlap(alpha, TEE) > 0.97


def test_a_white_shirt_on_white_keeps_its_inside() -> None:
    rgb = np.full((420, 400, 3), 252, np.uint8)
    edge = cv2.morphologyEx(TEE, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0
    rgb[edge & (TEE > 0)] = 236
    soft = cv2.GaussianBlur(TEE.astype(np.float32) / 255, (0, 0), 6)
    alpha, by_colour = cutout.silhouette(rgb, np.asarray(soft, np.float32))
    assert by_colour
    assert overlap(alpha, TEE) > 0.97


def test_most_anchors_missing_falls_back_altogether() -> None:
    few = np.zeros((17, 3), np.float32)
    few[A["left_hem"]] = (10, 10, 0.9)
    anchors, missed = complete_anchors(few, TEE, category="top", sleeve="none")
    assert "neck" in missed
    assert np.hypot(*(anchors[A["left_hem"], :2] - (285, 297))) < 6


def test_a_worn_garment_is_taken_off(tmp_path: Path) -> None:
    figures.garment_store(tmp_path)
    store = figures.body_store(tmp_path)
    photo = figures.blank((800, 600))
    truth = figures.joints(310, 60, 700)
    labels = figures.paint(photo, truth, 700)
    net = GarmentNet(store, threads=1)
    view = net(Photo(photo))
    assert view.worn
    assert view.category == "top"
    top = view
    assert top.category == "top"
    assert overlap(top.alpha, np.where(labels == 3, 255, 0)) > 0.8
    assert top.attributes["sleeve"] == "short"
    assert np.hypot(*(top.anchors[A["left_shoulder"], :2] - truth[5])) < 6
    assert top.anchors[A["left_wrist"], 2] == 0
    with pytest.raises(InputError) as refused:
        net(Photo(photo), category="skirt")
    assert refused.value.code == "no_garment"


def test_exports_have_the_photos_size_and_all_names(net: GarmentNet, tmp_path: Path) -> None:
    from mojing.core.image import load

    photo = Photo(tee(plain()))
    write_garment(net(photo), photo, tmp_path / "garment")
    assert {p.name for p in (tmp_path / "garment").iterdir()} == {
        "anchors.json", "attributes.json", "cutout.png", "overlay.png"
    }  # fmt: skip
    assert load(tmp_path / "garment" / "cutout.png").alpha is not None
    anchors = json.loads((tmp_path / "garment" / "anchors.json").read_text())["anchors"]
    assert set(anchors) == set(A)
    assert anchors["left_wrist"] is None
    assert read_anchors(tmp_path / "garment" / "anchors.json")["neck"][2] > 0
    person = Photo(figures.blank((400, 300)))
    rgb = person.rgb.copy()
    figures.paint(rgb, figures.joints(150, 20, 360), 360)
    view = BodyNet(figures.body_store(tmp_path), threads=1)(rgb)
    write_person(view, Photo(rgb), tmp_path / "person")
    joints = json.loads((tmp_path / "person" / "joints.json").read_text())["joints"]
    assert len(joints) == 21
    assert len(joints["nose"]) == 3
    parse = cv2.imread(str(tmp_path / "person" / "parse.png"), cv2.IMREAD_UNCHANGED)
    assert parse is not None
    assert parse.shape == (400, 300)
    assert parse.max() <= 20


def test_a_cloths_own_colour_covers_what_shines_in_along_its_edge() -> None:
    rgb, outline = np.full((240, 240, 3), 255, np.uint8), np.zeros((240, 240), np.uint8)
    rgb[40:200, 60:180], outline[40:200, 60:180] = (30, 60, 120), 255
    rgb[40:42, 60:180] = (140, 150, 180)  # mixed with the white behind
    out = cutout.own_colour(rgb, outline, rim=0.02)
    near, inside = out[36:44, 80:160].astype(int), np.s_[60:180, 80:160]
    assert np.abs(near - (30, 60, 120)).max() <= 3
    assert np.array_equal(out[inside], rgb[inside])
    assert np.array_equal(out[:20], rgb[:20])
    assert np.array_equal(cutout.own_colour(rgb, np.zeros_like(outline)), rgb)


def test_the_cut_out_is_looked_at_by_itself(net: GarmentNet) -> None:
    class Seen:
        """The session, and what it was shown."""

        def __init__(self) -> None:
            self.pictures: list[np.ndarray] = []

        def run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            self.pictures.append(feeds["image"])
            return net.session.run(feeds)

    photo = tee(busy())
    first = net.read(photo)
    looker = GarmentNet.__new__(GarmentNet)
    looker.session = seen = Seen()  # type: ignore[assignment]
    reading = looker.again(photo, np.where(TEE > 0, np.uint8(255), np.uint8(0)), first)
    (pictures,) = seen.pictures
    assert pictures.shape == (2, 3, 256, 256)
    corners = pictures[:, :, :20, :20]
    assert np.allclose(corners, 248 / 255, atol=0.01), "nothing of the background is left"
    cloth = [(np.abs(p - 248 / 255) > 0.1).any(axis=0).any(axis=1).sum() for p in pictures]
    assert cloth[0] > 1.25 * cloth[1], "seen from two distances"
    assert sum(reading.category.values()) == pytest.approx(1, abs=1e-4)
    assert np.hypot(*(reading.anchors[A["neck"], :2] - ON_TEE["neck"])) < 14
    assert reading.garment is first.garment
