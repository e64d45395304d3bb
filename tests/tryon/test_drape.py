"""The drape held against what it must be: identity, mirrors, sizes, lengths, missing anchors, bent arms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F64, U8, AnyArray
from mojing.core.skeleton import BODY_JOINTS, J, mirror_order
from mojing.perception.body import BodyView
from mojing.perception.garment import GarmentView
from mojing.perception.labels import L
from mojing.tryon.drape import Drape, drape
from mojing.tryon.fit import Fit
from mojing.tryon.pattern import PARTS, make_pattern
from tests.perception.figures import POSE
from tests.tryon.wardrobe import (
    BENT,
    HW,
    RAISED,
    STRIDE,
    TRUNK,
    body,
    garment,
    lying,
    mirrored,
    mirrored_garment,
)

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("top", {"sleeve": "long"}),
    ("top", {"sleeve": "short"}),
    ("top", {"sleeve": "none"}),
    ("outer", {"sleeve": "long", "hem": 1.3}),
    ("dress", {"sleeve": "none", "hem": 1.7}),
    ("skirt", {"hem": 1.6}),
    ("trousers", {"legs": "full"}),
    ("trousers", {"legs": "shorts"}),
]


def errors(result: Drape, alpha: U8) -> F64:
    """Distance of the field from identity, px, on the solid pixels of the garment."""
    ys, xs = np.nonzero((alpha > 250) & (result.alpha > 0.9))
    at = result.field.map_xy[ys, xs]
    return np.asarray(np.hypot(at[:, 0] - xs, at[:, 1] - ys), np.float64)


def overlap(a: AnyArray, b: AnyArray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def hem(result: Drape, *, columns: slice = slice(None)) -> float:
    """Lowest row of the garment."""
    return float(np.nonzero((result.alpha[:, columns] > 0.5).any(axis=1))[0][-1])


@pytest.mark.parametrize(("category", "cut"), KINDS)
@pytest.mark.parametrize("pose", [POSE, BENT, RAISED, STRIDE], ids=["hanging", "bent", "raised", "stride"])
def test_a_worn_garment_returns_to_where_it_was(
    category: str, cut: dict[str, Any], pose: dict[str, tuple[float, float]]
) -> None:
    person = body(pose)
    worn = garment(category, of=person, **cut)
    result = drape(worn, person)
    off = errors(result, worn.alpha)
    # A short sleeve's direction is read off its cloth; everything else has joints on both sides.
    assert np.percentile(off, 90) < (3.0 if cut.get("sleeve") == "short" else 2.0)
    assert np.median(off) < 1.0
    assert overlap(result.alpha > 0.5, worn.alpha > 127) > 0.93


@pytest.mark.parametrize(("category", "cut"), KINDS)
def test_a_mirrored_world_gives_a_mirrored_drape(category: str, cut: dict[str, Any]) -> None:
    person, worn = body(RAISED), lying(garment(category, **cut))
    plain = drape(worn, person)
    flipped = drape(mirrored_garment(worn), mirrored(person))
    assert np.abs(flipped.alpha[:, ::-1] - plain.alpha).mean() < 0.01
    both = (plain.alpha > 0.9) & (flipped.alpha[:, ::-1] > 0.9)
    x = HW[1] - 1 - flipped.field.map_xy[:, ::-1, 0]
    assert np.percentile(np.abs(x - plain.field.map_xy[..., 0])[both], 90) < 1.5


@settings(max_examples=8)
@given(st.floats(0.5, 1.9), st.sampled_from(KINDS))
def test_a_person_of_another_size_wears_it_alike(scale: float, kind: tuple[str, dict[str, Any]]) -> None:
    category, cut = kind
    worn = lying(garment(category, **cut))
    hw = (round(HW[0] * scale), round(HW[1] * scale))
    small, large = drape(worn, body()), drape(worn, body(hw=hw, height=420.0 * scale, x=180.0 * scale))
    assert hem(large) == pytest.approx(hem(small) * scale, abs=0.03 * TRUNK * scale + 2)
    share = (large.alpha > 0.5).sum() / (small.alpha > 0.5).sum()
    assert share == pytest.approx(scale**2, rel=0.06)


@pytest.mark.parametrize(("category", "cut"), KINDS)
def test_another_output_size_shows_the_same(category: str, cut: dict[str, Any]) -> None:
    pattern = make_pattern(garment(category, **cut))
    person = body(BENT)
    full, half = drape(pattern, person), drape(pattern, person, hw=(HW[0] // 2, HW[1] // 2))
    assert half.alpha.shape == half.part.shape == half.rgb.shape[:2] == half.field.hw == (HW[0] // 2, HW[1] // 2)
    reduced = full.alpha.reshape(HW[0] // 2, 2, HW[1] // 2, 2).mean(axis=(1, 3))
    assert np.abs(reduced - half.alpha).mean() < 0.01


@settings(max_examples=12)
@given(st.floats(0.7, 1.35), st.floats(0.85, 1.2))
def test_the_hem_lies_where_the_garment_has_it(length: float, torso: float) -> None:
    """A top that ends `length` torso lengths below the neck does so on a body with another torso."""
    short = {name: (x, y if y < 0.21 else 0.2 + (y - 0.2) * torso) for name, (x, y) in POSE.items()}
    person = body(short)
    result = drape(lying(garment("top", sleeve="none", hem=length)), person)
    neck = float(person.joints[5, 1])
    assert (hem(result) - neck) / (TRUNK * torso) == pytest.approx(length, abs=0.05)
    assert result.extents["hem"] == pytest.approx(length, abs=0.06)


@pytest.mark.parametrize("pose", [POSE, BENT, RAISED], ids=["hanging", "bent", "raised"])
def test_sleeves_end_where_the_garment_ends_them(pose: dict[str, tuple[float, float]]) -> None:
    person = body(pose)
    ends = {}
    for sleeve in ("none", "short", "long"):
        result = drape(lying(garment("top", sleeve=sleeve)), person)
        ends[sleeve] = result.extents.get("left_sleeve", 0.0)
        on_wrist = result.alpha[_pixel(person, "left_wrist")]
        on_forearm = result.alpha[_pixel(person, "left_elbow", "left_wrist")]
        if sleeve == "long":
            assert on_forearm > 0.9
        elif pose is not BENT:  # a bent forearm lies over the trunk, whose cloth is there in any case
            assert on_wrist == 0
            assert on_forearm == 0
    assert ends["none"] == 0
    assert ends["short"] == pytest.approx(0.6, abs=0.25)
    assert ends["long"] > 1.9


def _pixel(person: BodyView, *names: str) -> tuple[int, int]:
    x, y = np.mean([person.joints[J[n], :2] for n in names], axis=0)
    return round(float(y)), round(float(x))


def test_a_forearm_lies_over_the_trunk_and_one_behind_the_back_does_not() -> None:
    front = body(BENT)
    result = drape(lying(garment("top", sleeve="long")), front)
    middle = _pixel(front, "left_elbow", "left_wrist")
    assert result.part[middle] == PARTS["left_lower_sleeve"]
    behind = {**BENT, "left_wrist": (-0.02, 0.42), "left_hand": (-0.04, 0.44)}
    person = body(behind)
    parse = np.array(person.parse)
    parse[parse == L["left_arm"]] = L["upper"]
    hidden = BodyView(person.hw, person.joints, parse, person.alpha, person.box)
    result = drape(lying(garment("top", sleeve="long")), hidden)
    assert result.part[_pixel(hidden, "left_wrist")] == PARTS["torso"]


@pytest.mark.parametrize("category", ["top", "dress", "trousers", "skirt"])
@settings(max_examples=10)
@given(data=st.data())
def test_missing_anchors_and_joints_never_give_nan(category: str, data: st.DataObject) -> None:
    whole = garment(category)
    person = body()
    anchors, joints = np.array(whole.anchors), np.array(person.joints)
    anchors[data.draw(st.lists(st.integers(0, 16), max_size=17)), 2] = 0
    joints[data.draw(st.lists(st.integers(0, 20), max_size=21)), 2] = 0
    joints[data.draw(st.lists(st.integers(0, 20), max_size=3)), :2] = np.nan
    view = GarmentView(HW, whole.rgb, whole.alpha, whole.inner, category, {}, anchors, 1.0)
    result = drape(view, BodyView(HW, joints, person.parse, person.alpha, person.box))
    assert np.isfinite(result.field.map_xy).all()
    assert np.isfinite(result.alpha).all()
    assert result.alpha.min() >= 0
    assert result.alpha.max() <= 1
    assert all(np.isfinite(v) for v in result.extents.values())


def test_nothing_lies_where_no_cloth_is() -> None:
    whole = garment("top")
    empty = GarmentView(HW, whole.rgb, np.zeros(HW, np.uint8), whole.inner, "top", {}, whole.anchors, 1.0)
    result = drape(empty, body())
    assert result.alpha.max() == 0
    assert result.part.max() == 0
    assert result.rgb.max() == 0
    result = drape(whole, body())
    assert (result.part[result.alpha == 0] == PARTS["none"]).all()
    assert (result.part[result.alpha > 0.6] != PARTS["none"]).all()


def test_a_person_facing_away_sees_no_mirrored_print() -> None:
    person = body()
    turned = np.array(person.joints)
    turned = turned[mirror_order(BODY_JOINTS)]
    result = drape(garment("top"), BodyView(HW, turned, person.parse, person.alpha, person.box))
    assert np.percentile(errors(result, garment("top").alpha), 90) < 2.0


def test_colours_come_from_the_cloth_and_not_from_its_background() -> None:
    worn = garment("top")
    rgb = np.where(worn.alpha[..., None] > 127, np.uint8(40), np.uint8(255)) * np.ones(3, np.uint8)
    view = GarmentView(HW, rgb.astype(np.uint8), worn.alpha, worn.inner, "top", worn.attributes, worn.anchors, 1.0)
    result = drape(view, body(BENT))
    assert result.rgb[result.alpha > 0.1].max() < 90


def test_a_larger_size_hangs_wider_and_longer() -> None:
    person, view = body(), lying(garment("top"))
    usual = drape(view, person)
    large = drape(view, person, fit=Fit(width=1.15, length=1.08, sleeve=1.05))
    small = drape(view, person, fit=Fit(width=0.9, length=0.94, sleeve=0.96))
    assert hem(small) < hem(usual) < hem(large)
    middle = round(float(person.joints[5, 1] + 0.6 * TRUNK))

    def width(result: Drape) -> int:
        return int((result.part[middle] == PARTS["torso"]).sum())

    # The small one cannot be narrower than the body in it.
    assert width(usual) < width(large)
    assert width(small) < width(large)


@pytest.mark.parametrize(("category", "cut"), [("skirt", {"hem": 1.6}), ("trousers", {"legs": "full"})])
@pytest.mark.parametrize("high", [0.0, 0.12, 0.25])
def test_no_gap_opens_below_a_top_that_ends_high(category: str, cut: dict[str, Any], high: float) -> None:
    """What is worn above was tucked into something higher by `high` torso lengths: the new waist reaches it."""
    person = body()
    neck, hips = (float(person.joints[[J[f"left_{n}"], J[f"right_{n}"]], 1].mean()) for n in ("shoulder", "hip"))
    view = lying(garment(category, **cut))
    usual = drape(view, person)
    start = float(np.nonzero(usual.alpha[:, 180] > 0.5)[0][0])
    seam = start - high * (hips - neck)
    parse = person.parse.copy()
    rows = np.arange(HW[0])[:, None]
    parse[np.isin(parse, [L["upper"], L["trousers"]]) & (rows < seam)] = L["upper"]
    parse[(parse == L["upper"]) & (rows >= seam)] = L["trousers"]
    result = drape(view, replace(person, parse=parse))
    assert float(np.nonzero(result.alpha[:, 180] > 0.5)[0][0]) <= seam + 0.08 * (hips - neck)
    assert hem(result) == pytest.approx(hem(usual), abs=4)
