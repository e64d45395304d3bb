"""Copies: found whatever was done to them, and nothing else is."""

from __future__ import annotations

import sys
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.arrays import U8
from mojing.core.errors import MissingExtraError
from mojing.core.image import encode, load
from mojing.curate.duplicates import UnionFind, find_copies, fingerprint, group_images, recoloured
from tests.curate.scenes import scene

pytest.importorskip("imagehash", reason="the extra 'train' is not installed")

ALTERED: dict[str, Callable[[U8], U8]] = {
    "smaller": lambda a: cv2.resize(a, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "larger": lambda a: cv2.resize(a, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC),
    "compressed": lambda a: load(encode(a, "JPEG")).rgb,
    "mirrored": lambda a: np.ascontiguousarray(a[:, ::-1]),
    "brighter": lambda a: np.clip(a * 1.15 + 8, 0, 255).astype(np.uint8),
    "cropped": lambda a: np.ascontiguousarray(a[1:-1, 1:-1]),
}


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_union_find_is_connectedness(count: int, pairs: list[tuple[int, int]]) -> None:
    sets, known = UnionFind(count), [{i} for i in range(count)]
    for a, b in pairs:
        a, b = a % count, b % count
        sets.union(a, b)
        merged = known[a] | known[b]
        for item in merged:
            known[item] = merged
    groups = sets.groups()
    assert all((groups[i] == groups[j]) == (j in known[i]) for i in range(count) for j in range(count))
    assert list(dict.fromkeys(groups)) == list(range(len(set(groups))))


@pytest.mark.parametrize("how", ALTERED)
def test_altered_copies_are_found(how: str) -> None:
    first = [scene(seed) for seed in range(8)]
    prints = [fingerprint(image) for image in [*first, *(ALTERED[how](image) for image in first)]]
    found = find_copies(prints)
    assert found.groups == (*range(8), *range(8))
    assert found.matches[:8] == (None,) * 8
    for i, match in enumerate(found.matches[8:]):
        assert match is not None
        assert (match.index, match.mirrored, match.exact) == (i, how == "mirrored", False)


def test_different_pictures_are_not() -> None:
    found = find_copies([fingerprint(scene(seed)) for seed in range(60)])
    assert found.groups == tuple(range(60))
    assert not any(found.matches)


def test_exact_copies_and_copies_of_copies() -> None:
    a, b = scene(1), scene(2)
    smaller: U8 = ALTERED["smaller"](a)
    found = find_copies([fingerprint(image) for image in (a, b, smaller, smaller.copy(), a.copy())])
    assert found.groups == (0, 1, 0, 0, 0)
    indices = [None if match is None else (match.index, match.exact) for match in found.matches]
    assert indices == [None, None, (0, False), (0, False), (0, True)]


def test_another_colour_is_one_group_but_no_copy() -> None:
    cloth = np.full((160, 120, 3), 250, np.uint8)
    cv2.fillConvexPoly(cloth, np.array([[20, 30], [100, 20], [90, 140], [30, 120]]), (200, 40, 40))
    other = cloth[..., ::-1].copy()
    prints = [fingerprint(cloth), fingerprint(other)]
    found = find_copies(prints)
    assert found.groups == (0, 0)
    assert not any(found.matches)
    assert recoloured(prints[0], prints[1]) > 50
    assert recoloured(prints[0], prints[0]) == 0


def test_blank_pictures_are_alike_only_when_equal() -> None:
    blanks = [np.full((60, 60, 3), level, np.uint8) for level in (250, 251, 250)]
    found = find_copies([fingerprint(image) for image in blanks], plain=[True] * 3)
    assert found.groups == (0, 1, 0)


def test_alpha_counts() -> None:
    rgb, alpha = scene(1), np.full((160, 120), 200, np.uint8)
    assert fingerprint(rgb).pixels != fingerprint(rgb, alpha=alpha).pixels


def test_groups_of_arrays() -> None:
    images = [scene(1, (28, 28)), scene(2, (28, 28)), scene(1, (28, 28))[:, ::-1]]
    assert group_images(images) == (0, 1, 0)
    assert group_images(image[..., 0] for image in images) == (0, 1, 0)
    assert find_copies([]).groups == ()


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagehash", None)
    with pytest.raises(MissingExtraError, match="imagehash"):
        fingerprint(scene(0))
