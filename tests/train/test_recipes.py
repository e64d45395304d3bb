"""Every recipe runs from data to artifact on a tiny data set, and goes on after it was stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mojing.core.errors import ModelError
from mojing.core.skeleton import J
from mojing.perception.labels import LABELS, L
from mojing.perception.lower import RIVALS
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore
from mojing.train.data import people as people_data
from mojing.train.data.dressing import augment, prepare
from mojing.train.data.garments import load_garments, scene, take_all_off
from mojing.train.export import Port, export
from mojing.train.recipes import body, garment, tryon
from mojing.train.ship import ship


@pytest.fixture(scope="module")
def body_run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("body")
    options = body.Options(data=data, teacher=data / "teacher", out=out, minutes=0.03, batch=2, threads=1)
    body.train(options)
    return out


def test_people_are_loaded_with_labels_joints_and_split(data: Path) -> None:
    train = people_data.load_people(data, data / "teacher")
    held = people_data.load_people(data, data / "teacher", validation=True)
    assert {p.key for p in train}.isdisjoint({p.key for p in held})
    labelled = [p for p in train if p.labelled]
    assert labelled
    parse = labelled[0].parse
    assert parse is not None
    assert {L["upper"], L["trousers"], L["face"], L["left_arm"], L["right_arm"]} <= set(np.unique(parse).tolist())


def test_labels_with_little_area_are_neither_present_nor_absent() -> None:
    parse = torch.zeros(1, 50, 40, dtype=torch.long)
    parse[0, :10] = L["skirt"]
    parse[0, 20, 0] = L["hat"]
    logits = torch.full((1, len(LABELS)), -9.0)
    logits[0, [L["background"], L["skirt"]]] = 9.0
    right = body.presence_loss(logits, parse, torch.ones(1))
    logits[0, L["hat"]] = 9.0
    assert torch.equal(body.presence_loss(logits, parse, torch.ones(1)), right)
    logits[0, L["skirt"]] = -9.0
    assert body.presence_loss(logits, parse, torch.ones(1)) > right + 0.3


def test_legs_are_cut_out_where_they_are_seen(data: Path) -> None:
    person = people_data.load_people(data, data / "teacher")[0]
    box = people_data.legs_box(person.joints)
    assert box is not None
    hips, toes = (person.joints[[J[f"left_{n}"], J[f"right_{n}"]], 1] for n in ("hip", "toe"))
    assert box[1] - box[3] / 2 < hips.min()
    assert box[1] + box[3] / 2 > toes.max()
    unseen = person.joints.copy()
    unseen[[J[f"{s}_{n}"] for s in ("left", "right") for n in ("ankle", "toe")], 2] = 0
    assert people_data.legs_box(unseen) is None


def test_shop_labels_follow_the_product(data: Path) -> None:
    person = people_data.load_people(data, data / "teacher")[0]
    person.key = "shop/mh01-black_main"
    assert person.parse is not None
    person.parse[person.parse == L["upper"]] = L["outer"]
    people_data.constrain_to_product(person)
    assert not (person.parse == L["outer"]).any()
    assert (person.parse == L["upper"]).any()


def test_a_mirrored_sample_keeps_the_wearers_sides(data: Path) -> None:
    person = people_data.load_people(data, data / "teacher")[0]
    assert person.parse is not None
    flipped = people_data.mirrored_parse(person.parse)
    left = np.nonzero(person.parse == L["left_arm"])[1].mean()
    right = np.nonzero(flipped == L["right_arm"])[1].mean()
    assert left + right == pytest.approx(person.parse.shape[1] - 1)


def test_the_body_recipe_trains_resumes_and_ships(body_run: Path, data: Path, tmp_path: Path) -> None:
    first = torch.load(body_run / "last.pt", weights_only=True)
    assert first["step"] >= 1
    body.train(body.Options(data=data, teacher=data / "teacher", out=body_run, minutes=0.04, batch=2, threads=1))
    assert torch.load(body_run / "last.pt", weights_only=True)["step"] >= first["step"]
    ship("body", body_run, tmp_path)
    spec = ModelStore(tmp_path).spec("body")
    out = Session(spec, threads=1).run({"image": np.zeros((1, 3, 256, 192), np.float32)})
    assert {k: v.shape[1:] for k, v in out.items()} == {
        "parse": (21, 128, 96),
        "alpha": (1, 128, 96),
        "heat": (21, 64, 48),
    }
    about = json.loads((tmp_path / "body.json").read_text())
    assert about["datasets"]
    assert about["limits"]


def test_runs_are_shipped_as_the_mean_of_their_weights(body_run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    state = torch.load(body_run / "last.pt", weights_only=True)
    larger = {k: 1.02 * v if v.is_floating_point() else v for k, v in state["ema"].items()}
    torch.save(state | {"ema": larger}, other / "last.pt")
    ship("body", body_run, tmp_path / "mean", others=[other])
    torch.save(
        state | {"ema": {k: v * 1.01 if v.is_floating_point() else v for k, v in state["ema"].items()}},
        other / "last.pt",
    )
    (other / "log.jsonl").write_text((body_run / "log.jsonl").read_text())
    ship("body", other, tmp_path / "alone")
    image = {"image": np.full((1, 3, 256, 192), 0.5, np.float32)}
    first, second = (Session(ModelStore(tmp_path / n).spec("body"), threads=1).run(image) for n in ("mean", "alone"))
    assert all(np.allclose(first[k], second[k], atol=1e-3) for k in first)
    assert "mean of 2 runs" in json.loads((tmp_path / "mean" / "body.json").read_text())["start"]


def test_the_garment_recipe_trains_from_the_body(body_run: Path, data: Path, tmp_path: Path) -> None:
    options = garment.Options(
        data=data, teacher=data / "teacher", body=body_run / "last.pt", out=tmp_path, minutes=0.02, batch=3, threads=1,
        pseudo=tmp_path / "pseudo",
    )  # fmt: skip
    garment.train(options)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert any(row.get("event") == "validation" and "iou" in row for row in rows)
    ship("garment", tmp_path, tmp_path / "models")
    assert ModelStore(tmp_path / "models").verify()[0].problem == ""
    options.start, options.out = tmp_path / "models" / "garment.onnx", tmp_path / "again"
    options.minutes, options.small_share = 0.005, 0.0
    state = torch.load(garment.train(options), weights_only=True)
    assert state["start"].startswith("from garment.onnx")


def test_the_tryon_recipe_trains_both_networks(data: Path, tmp_path: Path) -> None:
    options = tryon.Options(
        data=data, teacher=data / "teacher", body=tmp_path / "none.pt", crops=tmp_path / "crops", out=tmp_path / "run",
        minutes=0.05, batch=2, threads=1, gan_start=0.0, small_share=1.0,
    )  # fmt: skip
    tryon.train(options)
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert {"generator", "discriminator", "ema"} <= set(state)
    assert list((tmp_path / "run").glob("preview-*.png"))
    ship("render", tmp_path / "run", tmp_path / "models")
    assert ModelStore(tmp_path / "models").spec("render").outputs[0].shape == ("N", 3, 512, 384)


def test_made_up_garment_photos_know_their_truth(data: Path, rng: np.random.Generator) -> None:
    worn = take_all_off([p for p in people_data.load_people(data, data / "teacher") if p.labelled])
    assert {w.view.category for w in worn} >= {"top"}
    made = scene(worn[0], rng, [])
    assert made.image.shape == (256, 256, 3)
    assert (made.seg == 1).mean() > 0.02
    shown = made.anchors[made.anchors[:, 2] > 0]
    assert len(shown) >= 3
    assert len(load_garments(data)) + len(load_garments(data, validation=True)) == 7  # shoes are left out


def test_a_taken_off_garment_comes_back_near_where_it_was(data: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    people = [p for p in people_data.load_people(data, data / "teacher") if p.labelled]
    crops = prepare(people, tmp_path)
    assert crops
    worn = np.isin(crops[0].parse, [L["upper"], L["trousers"]])
    assert ((crops[0].alpha > 127) & worn).sum() > 0.4 * (crops[0].alpha > 127).sum()
    again = prepare(people, tmp_path)  # from the folder
    assert np.array_equal(again[0].mask, crops[0].mask)
    sample = augment(crops[0], rng, half=True)
    assert sample.picture.shape == (8, 256, 192)
    blanked = sample.picture[3] > 0
    assert np.abs(sample.picture[:3][:, blanked]).max() == 0


def test_an_export_that_differs_from_torch_is_refused(tmp_path: Path) -> None:
    class Unfaithful(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 if torch.onnx.is_in_onnx_export() else -x

    with pytest.raises(ModelError, match="differs"):
        export(Unfaithful(), tmp_path, "x", inputs=[Port("x", torch.rand(1, 4))], outputs=["y"], card={})
    assert not (tmp_path / "x.onnx").exists()


def test_the_prior_undoes_that_rare_clothes_are_drawn_more_often(data: Path) -> None:
    def wearing(name: str, weight: float) -> people_data.Person:
        parse = np.zeros((64, 48), np.uint8)
        parse[10:60, 4:44] = L[name]
        return people_data.Person(name, [], np.zeros((21, 3), np.float32), parse, parse, labelled=True, weight=weight)

    options = body.Options(data=data, reclothed_share=0.5, labelled_share=1.0)
    kinds = [wearing("dress", 1.0), wearing("skirt", 3.0), wearing("trousers", 1.0), wearing("trousers", 1.0)]
    plain = body.prior(body.Sampler(kinds, options, []))
    # Skirts: a quarter of the photos, half of what is drawn.
    np.testing.assert_allclose([plain[n] for n in RIVALS], np.log([1.5, 0.5, 1.5]), atol=1e-3)
    more = body.prior(body.Sampler(kinds, options, [], [wearing("dress", 1.0)]))
    assert more["dress"] < plain["dress"]
    assert body.prior(body.Sampler(kinds[:2], options, [])) == {}
