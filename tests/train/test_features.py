"""The feature recipe: what its views and losses are, and that it trains, resumes and ships on a tiny data set."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mojing.core.arrays import U8
from mojing.perception.features import KINDS, Features
from mojing.runtime.store import ModelStore
from mojing.train.data import kinds
from mojing.train.nets.features import FeatureNet
from mojing.train.recipes import features
from mojing.train.ship import ship

torch.set_num_threads(1)


def picture(colour: tuple[int, int, int], *, kind: int = 0) -> kinds.Picture:
    """A square of one colour on grey, cut out."""
    rgb = np.full((kinds.STORED, kinds.STORED, 3), 128, np.uint8)
    alpha = np.zeros((kinds.STORED, kinds.STORED), np.uint8)
    rgb[40:104, 40:104], alpha[40:104, 40:104] = colour, 255
    return kinds.Picture(rgb, alpha, kind, "garments", "train")


@pytest.fixture(scope="module")
def options(data: Path, tmp_path_factory: pytest.TempPathFactory) -> features.Options:
    root = tmp_path_factory.mktemp("features")
    (data / "shop" / "tables").mkdir(exist_ok=True)
    rows = ["sku,product_type,categories,name", "MSH01,configurable,Default Category/Men/Bottoms/Shorts,Short"]
    rows += ["MS07,configurable,Default Category/Men/Tops/Tees,Deion Long-Sleeve Tee"]
    (data / "shop/tables/ConfigurableSampleData-products.csv").write_text("\n".join(rows) + "\n")
    for name in ("msh01-black_main", "ms07-blue_main", "luma-ball"):
        cv2.imwrite(str(data / f"shop/photos/{name}.webp"), np.full((80, 60, 3), 250, np.uint8))
    return features.Options(
        data=data, out=root / "run", cutouts=root / "cut", start=root / "none.pt", minutes=0.02, batch=6
    )


def test_photos_know_their_kind_and_their_part(options: features.Options) -> None:
    found = {part: kinds.load_pictures(options.data, parts=(part,)) for part in ("train", "sender", "photo")}
    everything = [p for some in found.values() for p in some]
    assert all(p.part == part for part, some in found.items() for p in some)
    names = [(p.source, KINDS[p.kind]) for p in everything]
    assert ("shop", "shorts") in names
    assert ("shop", "longsleeve") in names
    assert ("shop", "other") in names
    assert sum(source == "garments" for source, _ in names) == 8
    assert found["sender"]
    for p in found["train"]:
        assert p.rgb.shape == (kinds.STORED, kinds.STORED, 3)


def test_only_a_share_is_cut_out_and_the_same_again(options: features.Options, tmp_path: Path) -> None:
    store = ModelStore()
    if not store.has("garment"):
        pytest.skip("the models are not in the package")
    some = [picture((200, 30 + i, 30)) for i in range(6)]
    for p in some:
        p.alpha = None
    kinds.cut_out(some, tmp_path, models=store, share=0.5)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) < 6
    kinds.cut_out(some, tmp_path, models=store, share=0.5)
    assert sorted(tmp_path.iterdir()) == kept


def test_a_view_tells_the_colour_of_the_garment_not_of_its_background() -> None:
    """The mean of Lab is that of the cut-out square: a red one is far from a blue one, whatever lies about it."""
    rng = np.random.default_rng(0)
    looks = {c: np.mean([features.view(picture(c), rng, side=64)[1] for _ in range(8)], axis=0)
             for c in ((200, 30, 30), (30, 30, 200))}  # fmt: skip
    red, blue = looks.values()
    assert red[1] > 1
    assert blue[2] < -1
    assert np.linalg.norm(red[:3] - blue[:3]) > 3


def test_style_sees_stripes() -> None:
    plain = np.full((64, 64, 3), 128, np.uint8)
    striped: U8 = plain.copy()
    striped[::4] = striped[1::4] = 30
    weight = np.ones((64, 64), np.float32)
    a, b = features.style_of(plain, weight), features.style_of(striped, weight)
    assert np.allclose(a[3:] + features.USUAL[3:], 0, atol=1e-3)
    assert (b[6:] - a[6:] > 1).all()
    assert b[3] - a[3] > 0.5


def test_a_linear_map_explains_what_is_in_the_features() -> None:
    torch.manual_seed(0)
    looks = torch.randn(600, 8)
    feature = torch.cat([looks[:, :4] * 3, torch.randn(600, 20)], dim=1)
    shares = features.explained(feature, looks, ridge=1.0)
    assert (shares[:4] > 0.99).all()
    assert (shares[4:] < 0.1).all()


def test_nt_xent_is_least_when_views_agree_and_by_hand_for_equal_features() -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 32)
    same = features.nt_xent(torch.cat([x, x]), temperature=0.1)
    other = features.nt_xent(torch.cat([x, x.roll(1, 0)]), temperature=0.1)
    assert same < 0.1 < other
    equal = features.nt_xent(torch.ones(16, 4), temperature=0.5)
    assert float(equal) == pytest.approx(np.log(15), rel=1e-4)


def test_features_have_unit_variance_and_know_nothing_of_the_batch() -> None:
    torch.manual_seed(0)
    net = FeatureNet().train()
    feature, logits = net(torch.rand(32, 3, 64, 64))
    assert feature.shape == (32, 256)
    assert logits.shape == (32, len(KINDS))
    assert torch.allclose(feature.std(dim=0, unbiased=False), torch.ones(256), atol=0.05)
    net.eval()
    x = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(net(x)[0][:1], net(x[:1])[0], atol=1e-4)
    assert sum(p.numel() for p in net.parameters()) <= 1_500_000


def test_first_layers_come_from_the_garment_network() -> None:
    from mojing.train.nets.garment import GarmentNet

    torch.manual_seed(0)
    source, net = GarmentNet(), FeatureNet()
    taken = net.start_from(source.state_dict())
    assert taken > 50
    assert torch.equal(net.state_dict()["stem.0.weight"], source.state_dict()["unet.stem.0.weight"])


def test_it_trains_resumes_and_ships(options: features.Options, tmp_path: Path) -> None:
    features.train(options)
    first = torch.load(options.out / "last.pt", weights_only=True)
    assert first["step"] >= 1
    options.minutes = first["spent"] / 60 + 0.01
    features.train(options)
    assert torch.load(options.out / "last.pt", weights_only=True)["step"] > first["step"]
    rows = [json.loads(line) for line in (options.out / "log.jsonl").read_text().splitlines()]
    assert any("accuracy_new_senders" in row for row in rows)
    ship("features", options.out, tmp_path)
    about = json.loads((tmp_path / "features.json").read_text())
    assert about["labels"] == list(KINDS)
    assert (tmp_path / "features.onnx").stat().st_size <= 3_000_000
    assert "one CPU core" in (tmp_path / "features.md").read_text()
    seen = Features(ModelStore(tmp_path), threads=1, batch=4)(np.zeros((5, 40, 30, 3), np.uint8))
    assert seen.feature.shape == (5, 256)
    assert np.allclose(seen.kind.sum(axis=1), 1, atol=1e-5)
    assert len(seen.names) == 5
