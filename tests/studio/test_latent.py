"""Directions, edits, mixing and inversion on a generator whose styles are known."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.errors import InputError, ModelError
from mojing.runtime.store import ModelStore
from mojing.studio import attributes
from mojing.studio.assess import assess, has_room, independent
from mojing.studio.attributes import ATTRIBUTES
from mojing.studio.directions import Directions, find_directions, impression, unsupervised
from mojing.studio.directions import edit as change
from mojing.studio.generate import Designer, flatten
from mojing.studio.invert import Budget, invert, prepare
from mojing.studio.latent import interpolate, layer_rows, mix, principal, read_weights, sefa, write_weights
from mojing.studio.novelty import Index
from mojing.studio.personal import SEASONS, Judge, Wishes, breed, for_season, taste_of, usual_attributes
from mojing.studio.pipeline import Studio
from mojing.studio.shapes import in_other_shapes
from mojing.studio.steps import Eyes, least_change


@pytest.fixture(scope="module")
def designer(models: Path) -> Designer:
    return Designer(ModelStore(models), threads=1)


@pytest.fixture(scope="module")
def known(designer: Designer) -> Directions:
    return find_directions(designer, attributes.read, n=300, seed=1)


def test_attributes_see_what_is_drawn() -> None:
    picture = np.zeros((2, 64, 64, 4), np.uint8)
    picture[:, 10:50, 24:40] = (250, 40, 40, 255)
    picture[1, 10:20, 8:56] = (250, 40, 40, 255)
    picture[1, 30:50:4, 24:40, :3] = (20, 20, 200)
    plain, sleeved = (dict(zip(ATTRIBUTES, row, strict=True)) for row in attributes.read(picture))
    assert sleeved["sleeve"] > plain["sleeve"] + 0.3
    assert plain["length"] == pytest.approx(40 / (40 * 16) ** 0.5, abs=0.05)
    assert plain["red"] > 50
    assert sleeved["pattern"] > plain["pattern"] + 5
    assert not attributes.read(np.zeros((1, 64, 64, 4), np.uint8)).any()
    assert attributes.read(np.zeros((0, 64, 64, 4), np.uint8)).shape == (0, len(ATTRIBUTES))


def test_long_sleeves_against_the_trunk_are_sleeves() -> None:
    picture = np.zeros((2, 64, 64, 4), np.uint8)
    picture[:, 8:56, 22:42] = 255
    picture[1, 8:48, 12:52] = 255
    picture[1, 38:48, [20, 21, 42, 43]] = 0  # a gap opens between sleeve and trunk only near the cuffs
    plain, sleeved = attributes.read(picture)[:, ATTRIBUTES.index("sleeve")]
    assert plain < 0.05
    assert sleeved > 0.25


def test_a_design_keeps_its_fine_layers_in_other_shapes(designer: Designer) -> None:
    design = designer.draw("dress", n=1, seed=3)[0]
    tried = in_other_shapes(designer, design, count=5)
    assert tried.shape == (20, *design.styles.shape)
    fine = layer_rows("fine", designer.layers)
    assert (tried[:, fine] == design.styles[fine]).all()
    assert not np.isclose(tried[:, 0], design.styles[0]).all(axis=1).any()
    np.testing.assert_array_equal(tried, in_other_shapes(designer, design, count=5))


@pytest.mark.parametrize(("name", "kept"), [("lightness", "sleeve"), ("sleeve", "lightness")])
def test_the_way_of_least_change_leaves_alone_what_need_not_change(
    designer: Designer, known: Directions, name: str, kept: str
) -> None:
    design = designer.draw("t-shirt", n=1, seed=40, truncation=0.6)[0]
    eyes = Eyes(designer, attributes.read, known.spread, partial(impression, likeness=None))
    start, rows = eyes(design.styles[None]), [ATTRIBUTES.index(name)]
    goal = start.read[0, rows] + np.float32(0.8)
    groups = ("coarse", "middle", "fine")
    ways = least_change(eyes, start, kind="t-shirt", rows=rows, goal=goal, groups=groups)
    seen = ways.read - start.read
    best = seen[np.abs(seen[:, ATTRIBUTES.index(name)] - 0.8).argmin()]
    assert best[ATTRIBUTES.index(name)] == pytest.approx(0.8, abs=0.2)
    assert abs(best[ATTRIBUTES.index(kept)]) < 0.1


def test_directions_explain_and_move_their_attribute(designer: Designer, known: Directions) -> None:
    fit = dict(zip(known.names, known.fit, strict=True))
    assert min(fit[n] for n in ("sleeve", "length", "lightness")) > 0.6
    right = []
    for i, design in enumerate(designer.draw("t-shirt", n=8, seed=40, truncation=0.6)):
        for name in ("sleeve", "length", "lightness"):
            sign = 1.0 if i % 2 else -1.0
            made = change(designer, design, {name: sign}, known=known, reader=attributes.read)
            asked, reached = made.changes[name]
            assert asked == sign
            right.append(sign * reached > 0.3)
            assert made.design.kind == design.kind
            assert made.design.controls["edits"] == {name: sign}
    assert np.mean(right) >= 0.9


def test_an_edit_shows_the_picture_it_was_chosen_by(designer: Designer, known: Directions) -> None:
    design = designer.draw("t-shirt", n=1, seed=41)[0]
    made = change(designer, design, {"length": 1.0}, known=known, reader=attributes.read)
    np.testing.assert_array_equal(made.design.rgba, designer.render(made.design.styles[None])[0])
    change_seen = (attributes.read(made.design.rgba[None]) - attributes.read(design.rgba[None])) / known.spread
    assert made.changes["length"][1] == pytest.approx(float(change_seen[0, ATTRIBUTES.index("length")]), abs=1e-4)


def test_colour_and_hue_edits_come_nearer(designer: Designer, known: Directions) -> None:
    design = designer.draw("dress", n=1, seed=4, truncation=0.6)[0]
    made = change(designer, design, {"color": (0, 128, 128)}, known=known, reader=attributes.read).design
    teal = np.array([48.3, -28.8, -8.5])
    columns = [ATTRIBUTES.index(n) for n in ("lightness", "red", "yellow")]
    before, after = (attributes.read(d.rgba[None])[0, columns] for d in (design, made))
    assert np.linalg.norm(after - teal) < 0.6 * np.linalg.norm(before - teal)
    turned = change(designer, design, {"hue": 90.0}, known=known, reader=attributes.read)
    assert set(turned.changes) <= {"lightness", "red", "yellow"}
    nothing = change(designer, design, {"sleeve": 0.0}, known=known, reader=attributes.read)
    assert nothing.design is design
    with pytest.raises(InputError) as error:
        change(designer, design, {"smell": 1.0}, known=known, reader=attributes.read)
    assert error.value.code == "bad_design"


def test_directions_survive_their_file(known: Directions, tmp_path: Path) -> None:
    back = Directions.load(known.save(tmp_path / "d.npz"))
    assert back.names == known.names
    assert back.layers == known.layers
    np.testing.assert_array_equal(back.vectors, known.vectors)
    with pytest.raises(ModelError):
        Directions.load(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"?")
    with pytest.raises(ModelError):
        Directions.load(tmp_path / "bad.npz")


def test_sefa_finds_what_the_weights_read(models: Path) -> None:
    weights = read_weights(models)
    axes, power = sefa([w for w in weights if w.any()], count=12)
    np.testing.assert_allclose(axes @ axes.T, np.eye(12), atol=1e-4)
    assert (np.diff(power) <= 1e-4).all()
    # Eight rows are read (four of shape, four of colour): the directions beyond them change nothing.
    assert power[7] > 0.02
    assert np.abs(power[8:]).max() < 1e-2
    with pytest.raises(ModelError):
        read_weights(models / "none")


@given(st.integers(0, 50))
def test_sefa_of_a_known_matrix(seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=6)
    axis /= np.linalg.norm(axis)
    axes, power = sefa([np.outer(np.sign(rng.normal(size=5)), axis).astype(np.float32)], count=2)
    assert abs(float(axes[0] @ axis)) == pytest.approx(1, abs=1e-4)
    assert power[0] == pytest.approx(5, rel=1e-3)


def test_principal_components_go_there_and_back(designer: Designer) -> None:
    basis = unsupervised(designer, n=200, seed=2)
    styles = designer.draw("dress", n=3, seed=5)
    rows = np.stack([d.styles[0] for d in styles])
    np.testing.assert_allclose(basis.style(basis.coordinates(rows)), rows, atol=1e-3)
    assert (np.diff(basis.sigma) <= 0).all()


def test_constant_styles_have_no_components() -> None:
    basis = principal(np.ones((5, 4), np.float32) + np.outer(np.arange(5), [1, 0, 0, 0]).astype(np.float32))
    assert basis.components.shape == (1, 4)


def test_interpolation_and_mixing(models: Path) -> None:
    studio = Studio(models, threads=1)
    a, b = studio.designer.draw("t-shirt", n=2, seed=3)
    way = interpolate(a.styles, b.styles, steps=5)
    np.testing.assert_array_equal(way[0], a.styles)
    np.testing.assert_array_equal(way[-1], b.styles)
    both = studio.between(a, b, steps=3)
    np.testing.assert_array_equal(both[0].rgba, a.rgba)
    np.testing.assert_array_equal(both[-1].rgba, b.rgba)
    mixed = studio.mixed(a, b)
    np.testing.assert_array_equal(mixed.rgba[..., 3], a.rgba[..., 3])
    inside = (mixed.rgba[..., 3] == 255) & (b.rgba[..., 3] == 255)
    np.testing.assert_array_equal(mixed.rgba[inside], b.rgba[inside])
    np.testing.assert_array_equal(mix(a.styles, b.styles, crossover=0), b.styles)


@given(st.integers(1, 20))
def test_layer_groups_cover_all_layers_once(layers: int) -> None:
    rows = list(range(layers))
    parts = [rows[layer_rows(group, layers)] for group in ("coarse", "middle", "fine")]
    assert rows[layer_rows("all", layers)] == rows
    if layers >= 3:
        assert [row for part in parts for row in part] == rows


def test_unknown_layers() -> None:
    with pytest.raises(InputError):
        layer_rows("odd", 4)


def test_inversion_finds_a_design_again(designer: Designer) -> None:
    hidden = designer.draw("t-shirt", n=1, seed=99, truncation=0.8)[0]
    plan = Budget(samples=48, starts=1, coordinates=8, steps=4, layer_steps=1)
    found = invert(designer, hidden.rgba, kind="t-shirt", seed=0, budget=plan)
    assert found.error < 0.5 * found.start
    assert found.error < 0.06
    assert found.renders > 48
    np.testing.assert_array_equal(found.design.rgba, designer.render(found.design.styles[None])[0])


def test_other_eyes_agree_that_edits_work(designer: Designer, known: Directions) -> None:
    verdicts = assess(designer, known, garments=None, kind_of=lambda pictures: ["shirt"] * len(pictures), n=10)
    for name in ("lightness", "red", "yellow"):
        assert (verdicts[name].changed or 0.0) >= 0.8
    assert verdicts["sleeve"].tried == 0
    assert verdicts["red"].kind_kept == 1.0
    empty = replace(designer.draw("dress", n=1)[0], rgba=np.zeros((64, 64, 4), np.uint8))
    assert np.isnan(list(independent(empty, None).values())).all()


@pytest.mark.parametrize(
    ("name", "value", "sign", "room"),
    [("sleeve", 0.02, -1, False), ("sleeve", 0.02, 1, True), ("sleeve", 1.99, 1, False), ("length", 0.9, 1, True),
     ("sleeve", np.nan, 1, False)],
)  # fmt: skip
def test_what_cannot_be_done_is_not_asked_for(name: str, value: float, sign: float, room: bool) -> None:
    assert has_room(name, value, sign=sign) == room


def test_the_laboratory_s_generator_fits(tmp_path: Path) -> None:
    import torch

    from mojing.train.export import Port, export
    from mojing.train.nets.modern import ModernGenerator
    from mojing.train.nets.specs import GeneratorSpec

    torch.manual_seed(0)
    spec = GeneratorSpec("modern", size=32, channels=4, latent=8, classes=2, conditions=3, width=4)
    net = ModernGenerator(spec)

    class Mapping(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, z: torch.Tensor, kind: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
            return self.net.styles(z, kind.argmax(1), colour)

    card = {"labels": ["top", "skirt"], "colours": [[0.5, 0.5, 0.5]]}
    ports = [Port("z", torch.randn(2, 8)), Port("kind", torch.eye(2)), Port("colour", torch.rand(2, 3))]
    export(Mapping(), tmp_path, "design-mapping", inputs=ports, outputs=["styles"], card=card)
    styles = [Port("styles", torch.randn(2, net.synthesis.layers, 128))]
    export(net.synthesis, tmp_path, "design", inputs=styles, outputs=["rgba"], card={})
    write_weights(tmp_path, [w.numpy() for w in net.style_weights()])
    made = Designer(ModelStore(tmp_path), threads=1)
    designs = made.draw("skirt", n=3, seed=1, colour=(255, 0, 0))
    assert designs[0].rgba.shape == (32, 32, 4)
    assert designs[0].styles.shape == (net.synthesis.layers, 128)
    assert np.abs(made.draw_colours(np.random.default_rng(0), 20) - 0.5).max() < 0.2
    axes, _ = sefa(read_weights(tmp_path)[:2], count=3)
    assert axes.shape == (3, 128)


def test_a_photo_is_prepared_like_a_design() -> None:
    rgb = np.full((90, 50, 3), (10, 200, 30), np.uint8)
    alpha = np.zeros((90, 50), np.uint8)
    alpha[5:85, 10:40] = 255
    made = prepare(rgb, alpha, side=64)
    ys, xs = np.nonzero(made[..., 3] > 127)
    assert ys[-1] - ys[0] + 1 == pytest.approx(59, abs=2)
    assert abs((xs[0] + xs[-1]) / 2 - 31.5) <= 1
    assert (made[32, 32, :3] == (10, 200, 30)).all()
    assert not prepare(rgb, np.zeros_like(alpha), side=64).any()


def test_seasons_go_opposite_ways(designer: Designer, known: Directions) -> None:
    design = designer.draw("t-shirt", n=1, seed=8, truncation=0.5)[0]
    sleeve = ATTRIBUTES.index("sleeve")
    seen = {}
    for season in SEASONS:
        made = for_season(designer, design, season, known=known, reader=attributes.read)
        seen[season] = attributes.read(made.design.rgba[None])[0]
    assert seen["winter"][sleeve] > seen["summer"][sleeve]
    assert seen["winter"][ATTRIBUTES.index("lightness")] < seen["summer"][ATTRIBUTES.index("lightness")]
    with pytest.raises(InputError):
        for_season(designer, design, "monsoon", known=known, reader=attributes.read)


def test_designs_for_somebody_are_what_they_like(models: Path) -> None:
    studio = Studio(models, threads=1)
    assert studio.features is not None
    designer = studio.designer
    liked = [d.on_white() for d in designer.draw("t-shirt", n=3, seed=12, colour=(200, 30, 30), truncation=0.4)]
    hated = [d.on_white() for d in designer.draw("t-shirt", n=1, seed=13, colour=(20, 60, 200), truncation=0.4)]
    taste = taste_of(studio.features, liked, hated)
    usual, spread = usual_attributes(designer, attributes.read, kind="t-shirt", n=16)
    wishes = Wishes(((200, 40, 40),), {"sleeve": 1.0})
    judge = Judge(studio.features, attributes.read, taste, wishes, usual, spread)
    made = breed(designer, judge, kind="t-shirt", n=2, seed=1, pool=24, generations=3, offspring=6)
    assert all(b.score >= b.first for b in made)
    assert made[0].score >= made[1].score
    random = judge(np.stack([d.rgba for d in designer.draw("t-shirt", n=16, seed=77)]))
    assert made[0].score > np.percentile(random, 90)
    again = breed(designer, judge, kind="t-shirt", n=2, seed=1, pool=24, generations=3, offspring=6)
    np.testing.assert_array_equal(again[0].design.rgba, made[0].design.rgba)


def test_breeding_keeps_away_from_training_garments(models: Path) -> None:
    studio = Studio(models, threads=1)
    assert studio.features is not None
    designs = studio.designer.draw("t-shirt", n=4, seed=21)
    pictures = np.stack([d.rgba for d in designs])
    features = studio.features(flatten(pictures)).feature
    index = Index.of(["a", "b"], features[:2], near=5.0)
    taste = taste_of(studio.features, [d.on_white() for d in designs])
    zero, one = np.zeros(len(ATTRIBUTES), np.float32), np.ones(len(ATTRIBUTES), np.float32)
    free = Judge(studio.features, attributes.read, taste, Wishes(), zero, one)(pictures)
    bound = Judge(studio.features, attributes.read, taste, Wishes(), zero, one, index)(pictures)
    assert (bound[:2] < free[:2] - 1.9).all()
    with pytest.raises(InputError):
        taste_of(studio.features, [])
