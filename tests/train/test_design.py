"""The design chain on drawn garments: cut-outs are laid upright, learnt from, grown, shipped, and designed with."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mojing.cli.app import app
from mojing.cli.judge import Judging, judge
from mojing.core.arrays import U8
from mojing.core.errors import InputError, ModelError
from mojing.eval.gan import draw_designs
from mojing.perception.garment import GarmentView
from mojing.perception.ground_truth import is_validation
from mojing.perception.outline import symmetry
from mojing.runtime.store import ModelStore
from mojing.studio.generate import Designer, flatten
from mojing.studio.latent import read_weights
from mojing.studio.novelty import Index
from mojing.train.adversarial import train
from mojing.train.data import designs as data
from mojing.train.export import Port, export
from mojing.train.recipes import design
from mojing.train.recipes.gan import parse
from mojing.train.ship import main as ship_main
from mojing.train.ship_design import ship_design
from tests.perception import figures
from tests.perception.test_garment import plain, tee
from tests.studio.toy import ToyFeatures

torch.set_num_threads(1)

RED, GREEN = (200, 30, 40), (20, 220, 20)
SHIRT = np.array([(-30, -60), (-80, -30), (-65, 0), (-40, -15), (-40, 70), (40, 70), (40, -15), (65, 0), (80, -30),
                  (30, -60), (0, -45)], np.float32)  # fmt: skip


def view(*, tilt: float = 0.0, scale: float = 1.0, at: tuple[float, float] = (120, 120)) -> GarmentView:
    """A red shirt, turned by `tilt` degrees, on a green ground that shines into its soft edge."""
    c, s = scale * np.cos(np.deg2rad(tilt)), scale * np.sin(np.deg2rad(tilt))
    points = SHIRT @ np.array([[c, s], [-s, c]], np.float32) + np.array(at, np.float32)
    large = np.zeros((960, 960), np.uint8)
    cv2.fillPoly(large, [np.rint(points * 4 + 1.5).astype(np.int32)], 255)
    alpha = cv2.resize(large, (240, 240), interpolation=cv2.INTER_AREA)
    weight = cv2.GaussianBlur(alpha, (0, 0), 1.0)[..., None] / 255.0
    rgb = (np.array(RED) * weight + np.array(GREEN) * (1 - weight)).astype(np.uint8)
    return GarmentView((240, 240), rgb, alpha, np.zeros_like(alpha), "top", {}, np.zeros((17, 3), np.float32), 0.9)


def laid(garment: GarmentView) -> U8:
    """The picture of a garment that is good enough."""
    cut = data.lay(garment)
    assert cut.rgba is not None, cut.reason
    return cut.rgba


@settings(max_examples=8, deadline=None)
@given(tilt=st.floats(-12, 12), scale=st.floats(0.6, 1.1), x=st.floats(110, 130), y=st.floats(110, 130))
def test_a_garment_comes_to_lie_upright_in_the_middle(tilt: float, scale: float, x: float, y: float) -> None:
    rgba = laid(view(tilt=tilt, scale=scale, at=(x, y)))
    assert rgba.shape == (data.SIDE, data.SIDE, 4)
    left, top, w, h = cv2.boundingRect((rgba[..., 3] > 127).astype(np.uint8))
    assert abs(left + w / 2 - data.SIDE / 2) < 2.5
    assert abs(top + h / 2 - data.SIDE / 2) < 2.5
    assert abs(max(w, h) - (data.SIDE - 2 * data.MARGIN)) < 5
    solid = rgba[..., 3] > 127
    assert (solid & solid[:, ::-1]).sum() > 0.94 * solid.sum()
    assert symmetry(rgba[..., 3]).overlap > 0.95
    assert (rgba[rgba[..., 3] == 0] == (255, 255, 255, 0)).all()


def test_the_ground_does_not_shine_through_the_edge() -> None:
    rgba = laid(view(tilt=5))
    edge = rgba[(rgba[..., 3] > 40) & (rgba[..., 3] < 250)]
    assert len(edge) > 50
    assert np.abs(edge[:, :3].astype(int) - RED).max() < 25
    assert np.abs(data.cloth_colour(rgba) - data.cloth_colour(laid(view()))).max() < 0.02


def spoilt(garment: GarmentView, alpha: U8) -> GarmentView:
    """The garment with another opacity."""
    return replace(garment, alpha=alpha)


def test_bad_cut_outs_are_left_out_and_say_why() -> None:
    good = view()
    assert data.lay(replace(good, confidence=0.3)).reason == "low confidence"
    assert data.lay(view(scale=0.4)).reason == "small"
    assert data.lay(view(at=(120, 200))).reason == "cropped"
    half = good.alpha.copy()
    half[:, 125:] //= 4
    half[170:, :] = good.alpha[170:, :]
    assert data.lay(spoilt(good, half)).reason == "crooked"
    torn = good.alpha.copy()
    torn[140:148] = 0
    assert data.lay(spoilt(good, torn)).reason == "in pieces"
    holed = good.alpha.copy()
    cv2.circle(holed, (120, 130), 22, 0, -1)
    assert data.lay(spoilt(good, holed)).reason == "holes"
    corner = good.alpha.copy()
    cv2.fillPoly(corner, [np.array([(120, 185), (160, 185), (150, 212)], np.int32)], 255)
    assert data.lay(spoilt(good, corner)).reason == "lopsided"
    frayed = good.alpha.copy()
    frayed[:, ::7], frayed[:, 1::7], frayed[:, 2::7] = (np.where(frayed[:, i::7] * 0 + np.arange(240)[:, None] > 120, 0,
                                                                 frayed[:, i::7]) for i in range(3))  # fmt: skip
    assert data.lay(spoilt(good, frayed)).reason in ("ragged", "in pieces")
    assert data.lay(spoilt(good, np.zeros_like(good.alpha))).reason == "small"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of painted tees: six that are good, one of another kind, one that shows nothing, one of shoes."""
    root = tmp_path_factory.mktemp("photos")
    (root / "garments" / "photos").mkdir(parents=True)
    rows = ["image,sender_id,label,kids"]
    for i in range(9):
        picture = plain(200 + i) if i == 7 else tee(plain(200 + i))
        cv2.imwrite(str(root / f"garments/photos/g{i:02d}.webp"), picture[..., ::-1])
        rows.append(f"g{i:02d},{i},{'Dress' if i == 6 else 'Shoes' if i == 8 else 'T-Shirt'},False")
    (root / "garments" / "images.csv").write_text("\n".join(rows) + "\n")
    return root


def test_photos_become_one_file_and_an_interrupted_preparation_goes_on(
    photos: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    models = figures.garment_store(tmp_path_factory.mktemp("graph"))
    out = tmp_path / "designs.npz"
    found = data.prepare(photos, out, models=models, of_kind=2)
    told = json.loads((tmp_path / "designs.json").read_text())
    assert told["left_out"] == {"too few of its kind": 1, "no_garment": 1}
    assert told["kinds"] == {"t-shirt": 6}
    assert found.classes == ("t-shirt",)
    assert found.images.shape == (6, data.SIDE, data.SIDE, 4)
    for name, sender, held in zip(found.names, found.senders, found.held, strict=True):
        assert held == (is_validation(sender) or is_validation(name))
    assert 0 < found.held.sum() < 6
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("cutouts-*/*")}
    again = data.prepare(photos, out, models=models, of_kind=2)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("cutouts-*/*")} == made
    np.testing.assert_array_equal(again.images, found.images)
    kept = data.Designs.load(out)
    np.testing.assert_array_equal(kept.conditions, found.conditions)
    assert (kept.names, kept.left_out) == (found.names, found.left_out)
    with pytest.raises(InputError, match=r"images\.csv"):
        data.sources(tmp_path)


def drawn(count: int = 24) -> data.Designs:
    """Shirts and skirts in all colours, on 64 px, every eighth held out."""
    rng = np.random.default_rng(4)
    images = np.full((count, 64, 64, 4), 255, np.uint8)
    images[..., 3] = 0
    for i in range(count):
        shape = SHIRT if i % 2 else np.array([(-20, -50), (20, -50), (45, 60), (-45, 60)], np.float32)
        colour = [int(v) for v in rng.integers(20, 236, 3)]
        cv2.fillPoly(images[i], [np.rint(shape * 0.36 + 32).astype(np.int32)], (*colour, 255))
    return data.Designs(
        images=images,
        labels=np.arange(count) % 2,
        conditions=np.stack([data.cloth_colour(image) for image in images]),
        names=tuple(f"photo-{i}" for i in range(count)),
        senders=tuple("ms01" if i == 1 else str(i) for i in range(count)),
        held=np.arange(count) % 8 == 7,
        classes=("skirt", "t-shirt"),
    )


def test_pictures_for_the_loop_are_on_white_and_keep_their_opacity() -> None:
    some = drawn(4)
    whole, small = some.pictures(64), some.pictures(32)
    np.testing.assert_array_equal(whole.pixels[:, :3].transpose(0, 2, 3, 1), flatten(some.images))
    np.testing.assert_array_equal(whole.pixels[:, 3], some.images[..., 3])
    assert small.pixels.shape == (4, 4, 32, 32)
    assert whole.classes == ("skirt", "t-shirt")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps at 32 px and two at 64."""
    out = tmp_path_factory.mktemp("design") / "run"
    out.mkdir()
    drawn().save(out / data.FILE)
    asked = design.DesignOptions(
        out=out, size=64, steps=2, width=4, batch=4, threads=1, metrics_samples=8, accelerator="cpu"
    )
    assert design.run_design(asked) == out
    return out


def test_a_run_grows_from_half_its_size(run: Path) -> None:
    options = json.loads((run / "options.json").read_text())
    small = json.loads((run / "small" / "options.json").read_text())
    assert (options["facts"]["size"], small["facts"]["size"]) == (64, 32)
    assert options["facts"]["conditions"] == 3
    assert len(json.loads((run / "data.json").read_text())["held_out"]) == 3
    state = torch.load(run / "last.pt", weights_only=True)
    assert state["step"] == 2


def test_growing_takes_over_all_but_the_outermost_layers(run: Path) -> None:
    before = torch.load(run / "small" / "last.pt", weights_only=True)["game"]["players"]
    fresh = torch.load(run / "last.pt", weights_only=True)["game"]["players"]
    maker = design.grown(fresh["generator"]["net"], before["generator"]["net"], judge=False)
    judge = design.grown(fresh["discriminator"]["net"], before["discriminator"]["net"], judge=True)
    assert torch.equal(maker["mapping.body.0.weight"], before["generator"]["net"]["mapping.body.0.weight"])
    for i in range(3):
        name = f"synthesis.blocks.{i}.fine.conv.weight"
        assert torch.equal(maker[name], before["generator"]["net"][name])
        assert torch.equal(
            judge[f"blocks.{i + 1}.fine.weight"], before["discriminator"]["net"][f"blocks.{i}.fine.weight"]
        )
    for made, first in ((maker, fresh["generator"]["net"]), (judge, fresh["discriminator"]["net"])):
        assert made.keys() == first.keys()
        assert all(made[name].shape == first[name].shape for name in first)
    last = "synthesis.blocks.3.fine.conv.weight"
    assert torch.equal(maker[last], fresh["generator"]["net"][last])


def test_a_run_that_was_grown_but_took_no_step_is_grown_from_what_the_first_half_is_now(
    run: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(run, tmp_path / "run"))
    state = torch.load(out / "last.pt", weights_only=True)
    state["step"] = 0
    for weight in state["game"]["players"]["generator"]["net"].values():
        weight.zero_()
    torch.save(state, out / "last.pt")
    asked = design.DesignOptions(
        out=out, size=64, steps=2, width=4, batch=4, threads=1, metrics_samples=8, accelerator="cpu"
    )
    design.run_design(asked)
    small = torch.load(out / "small" / "last.pt", weights_only=True)["game"]["players"]["generator"]["net"]
    now = torch.load(out / "last.pt", weights_only=True)["game"]["players"]["generator"]["net"]
    name = "synthesis.blocks.0.fine.conv.weight"
    assert (now[name] - small[name]).abs().max() < 0.1 * small[name].abs().max()


@pytest.fixture(scope="module")
def shipped(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's export beside a toy feature network."""
    folder = tmp_path_factory.mktemp("models")
    image = [Port("image", torch.rand(2, 3, 128, 128))]
    card = {"datasets": ["made here"], "licence": "Apache-2.0"}
    export(ToyFeatures(), folder, "features", inputs=image, outputs=["feature", "kind"], card=card)
    assert ship_main(["design", "--run", str(run), "--out", str(folder)]) == 0
    return folder


def test_what_is_shipped_is_what_the_studio_loads(shipped: Path) -> None:
    designer = Designer(ModelStore(shipped), threads=1)
    assert designer.kinds == ("skirt", "t-shirt")
    assert (designer.layers, designer.width) == (10, 128)
    made = designer.draw("skirt", n=2, seed=1)
    assert made[0].rgba.shape == (64, 64, 4)
    assert not np.array_equal(made[0].styles, made[1].styles)
    assert len(read_weights(shipped)) == designer.layers
    index = Index.load(shipped / "design-index.npz")
    assert len(index.ids) == 21
    assert set(index.kinds) == {"skirt", "t-shirt"}
    with np.load(shipped / "design-index.npz") as f:
        assert sorted(f.files) == ["features", "ids", "kinds", "near"]
    card = (shipped / "design.md").read_text()
    assert "mojing train design" in card
    about = json.loads((shipped / "design-mapping.json").read_text())
    assert about["pictures"] == {"trained_on": 21, "held_out": 3, "from_shop": 1}
    assert about["pictures_of_each"] == [12, 9]
    assert np.abs(np.array(about["colours"])).max() <= 1


def test_mojing_design_runs_on_it(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOJING_MODELS", str(shipped))
    words = ["design", "--kind", "t-shirt", "--n", "2", "--color", "teal", "--allow-near", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "designs.json").read_text())["designs"]
    assert [row["file"] for row in rows] == ["0000.png", "0001.png"]
    assert rows[0]["novelty"] is not None


def test_a_run_of_designs_is_compared_with_other_generators_on_the_garments_both_never_saw(
    run: Path, shipped: Path, tmp_path: Path
) -> None:
    others = tmp_path / "dcgan"
    flags = ["--size", "64", "--steps", "1", "--batch", "4", "--width", "2", "--threads", "1", "--no-tensorboard"]
    quiet = ["--metrics-samples", "0", "--samples-every", "0", "--accelerator", "cpu"]
    train(parse(["--recipe", "dcgan", "--data", str(run / data.FILE), "--out", str(others), *flags, *quiet]))
    held = json.loads((run / "data.json").read_text())["held_out"]
    assert json.loads((others / "data.json").read_text())["held_out"] == held == ["photo-7", "photo-15", "photo-23"]
    out = tmp_path / "gan.json"
    order = Judging(run, run / data.FILE, "pixels", out, 12, 0, 1, (others,))
    judge(order)
    found = json.loads(out.read_text())
    assert found["real"] == {"train": 21, "held_out": 3}
    assert found["training"]["steps"] == 4
    assert found["against"]["dcgan"]["training"]["recipe"] == "dcgan"
    ours, theirs = found["generated"]["fid"], found["against"]["dcgan"]["generated"]["fid"]
    assert found["improvement_percent"]["dcgan"]["fid"] == pytest.approx(100 * (1 - ours / theirs))
    made = draw_designs(shipped, 5, threads=1)
    assert made.shape == (5, 64, 64, 3)
    judge(replace(order, target=shipped / "design.onnx", against=()))
    assert json.loads(out.read_text())["samples"] == 12


def test_without_a_feature_network_nothing_is_shipped(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOJING_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="feature network"):
        ship_design(run, tmp_path)


def test_the_command_line_refuses_what_makes_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="small-share"):
        design.main(["--out", str(tmp_path), "--small-share", "1"])
    with pytest.raises(InputError, match=r"images\.csv"):
        design.main(["--out", str(tmp_path), "--data", str(tmp_path)])
