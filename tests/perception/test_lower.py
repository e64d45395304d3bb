from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.arrays import F32, U8
from mojing.core.skeleton import BODY_JOINTS, J
from mojing.perception.labels import LABELS, L
from mojing.perception.lower import one_garment_below

PRESENT: U8 = np.arange(len(LABELS), dtype=np.uint8)


def standing(height: int, *, seen: float = 1.0) -> F32:
    """Joints (21, 3) of somebody whose shoulders are at a fifth and hips at the middle of a map of this height."""
    out = np.full((len(BODY_JOINTS), 3), (20.0, 0.0, seen), np.float32)
    for name, y in (("shoulder", 0.2), ("hip", 0.5)):
        for side in ("left", "right"):
            out[J[f"{side}_{name}"], 1] = y * height
    return out


def logits_of(labels: U8, *, margin: float = 2.0) -> F32:
    """Logits (21, H, W) by which every pixel's label leads all others by `margin`."""
    out = np.zeros((len(LABELS), *labels.shape), np.float32)
    np.put_along_axis(out, labels[None].astype(np.int64), margin, axis=0)
    return out


def skirt_with_a_patch() -> U8:
    labels = np.zeros((100, 40), np.uint8)
    labels[20:40, 10:30] = L["upper"]
    labels[40:80, 10:30] = L["skirt"]
    labels[60:75, 12:20] = L["dress"]
    return labels


def test_a_patch_takes_the_label_of_its_piece() -> None:
    labels = skirt_with_a_patch()
    out = one_garment_below(labels, logits_of(labels), standing(100), present=PRESENT)
    assert set(np.unique(out[40:80, 10:30])) == {L["skirt"]}
    assert np.array_equal(out[:40], labels[:40])


def test_being_sure_counts_more_than_being_many() -> None:
    labels = skirt_with_a_patch()
    labels[60:80, 10:30] = L["dress"]
    logits = logits_of(labels, margin=0.2)
    logits[L["dress"], 60:80, 10:30] = 6.0
    out = one_garment_below(labels, logits, standing(100), present=PRESENT)
    assert set(np.unique(out[40:80, 10:30])) == {L["dress"]}


def test_without_a_dress_below_there_is_none_above() -> None:
    labels = skirt_with_a_patch()
    labels[20:34, 10:30] = L["dress"]
    out = one_garment_below(labels, logits_of(labels), standing(100), present=PRESENT)
    assert L["dress"] not in out
    assert set(np.unique(out[20:34, 10:30])) <= {L["upper"], L["outer"]}


def test_labels_that_no_channel_has_are_not_given() -> None:
    labels = skirt_with_a_patch()
    present = np.array([L[n] for n in ("background", "upper", "dress", "skirt")], np.uint8)
    out = one_garment_below(labels, logits_of(labels)[present], standing(100), present=present)
    assert np.array_equal(out, one_garment_below(labels, logits_of(labels), standing(100), present=PRESENT))


def test_who_is_not_seen_from_shoulders_to_hips_is_left_alone() -> None:
    labels = skirt_with_a_patch()
    assert one_garment_below(labels, logits_of(labels), standing(100, seen=0.1), present=PRESENT) is labels


@given(st.integers(0, 10_000))
def test_other_labels_never_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(LABELS), (12, 8)).astype(np.uint8).repeat(5, 0).repeat(5, 1)
    logits = rng.normal(size=(len(LABELS), *labels.shape)).astype(np.float32)
    out = one_garment_below(labels, logits, standing(60), present=PRESENT)
    changed = out != labels
    assert np.isin(labels[changed], [L[n] for n in ("dress", "skirt", "trousers")]).all()
    assert np.isin(out[changed], [L[n] for n in ("dress", "skirt", "trousers", "upper", "outer")]).all()


def test_what_is_usual_tips_a_close_call_and_no_clear_one() -> None:
    labels = skirt_with_a_patch()
    usual = {"trousers": 0.6, "skirt": -0.8}
    close, clear = logits_of(labels, margin=0.2), logits_of(labels, margin=4.0)
    close[L["trousers"], 40:80, 10:30] = 0.15
    for logits, plain, told in ((close, "skirt", "trousers"), (clear, "skirt", "skirt")):
        for prior, winner in ((None, plain), (usual, told)):
            out = one_garment_below(labels, logits, standing(100), present=PRESENT, prior=prior)
            assert set(np.unique(out[40:80, 10:30])) == {L[winner]}
