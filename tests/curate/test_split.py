"""Parts: no group crosses, nothing is lost, shares hold as well as groups allow, and the same comes out every time."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.errors import InputError
from mojing.curate.split import SHARES, assign, column_of, joined

Sizes = st.lists(st.integers(1, 30), min_size=1, max_size=40)


def keyed(sizes: list[int]) -> tuple[list[str], list[int]]:
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    return [f"photo {i}.jpg" for i in range(len(groups))], groups


@given(Sizes, st.integers(0, 5), st.lists(st.floats(0.01, 1), min_size=1, max_size=4))
def test_no_group_crosses_and_shares_hold(sizes: list[int], seed: int, weights: list[float]) -> None:
    keys, groups = keyed(sizes)
    shares = {f"part {i}": weight for i, weight in enumerate(weights)}
    part_of = assign(keys, groups, shares=shares, seed=seed)
    assert list(part_of) == keys
    assert len({(group, part_of[key]) for key, group in zip(keys, groups, strict=True)}) == len(sizes)
    counts = Counter(part_of.values())
    for part, share in shares.items():
        target = len(keys) * share / sum(weights)
        assert counts[part] < target + max(sizes)
        assert counts[part] > target - len(shares) * max(sizes)


@given(Sizes, st.integers(0, 5), st.randoms(use_true_random=False))
def test_order_does_not_matter(sizes: list[int], seed: int, shuffler: random.Random) -> None:
    keys, groups = keyed(sizes)
    pairs = list(zip(keys, groups, strict=True))
    shuffler.shuffle(pairs)
    renamed = [f"group {group}" for _, group in pairs]
    first = assign(keys, groups, shares=SHARES, seed=seed)
    assert assign([key for key, _ in pairs], renamed, shares=SHARES, seed=seed) == first


def test_single_pictures_meet_the_shares_exactly() -> None:
    keys, groups = keyed([1] * 1000)
    first = assign(keys, groups, shares=SHARES, seed=0)
    assert Counter(first.values()) == {"train": 800, "validation": 100, "test": 100}
    assert assign(keys, groups, shares=SHARES, seed=1) != first


def test_a_large_sender_is_not_the_whole_of_a_part() -> None:
    keys, groups = keyed([100, 90, 80, 60, *([5] * 100), *([1] * 170)])
    part_of = assign(keys, groups, shares=SHARES, seed=0)
    assert Counter(part_of.values()) == {"train": 800, "validation": 100, "test": 100}
    for part in ("validation", "test"):
        senders = {group for key, group in zip(keys, groups, strict=True) if part_of[key] == part}
        assert len(senders) >= 10


def test_a_part_without_a_share_stays_empty() -> None:
    keys, groups = keyed([3, 2, 1])
    assert set(assign(keys, groups, shares={"train": 1, "test": 0}, seed=0).values()) == {"train"}
    assert assign([], [], shares=SHARES, seed=0) == {}


def test_bad_shares_and_keys() -> None:
    for shares in ({}, {"a": 0.0}, {"a": 1.0, "b": -0.1}, {"a": float("nan")}, {"a": float("inf")}):
        with pytest.raises(InputError, match="shares"):
            assign(["x"], [0], shares=shares, seed=0)
    for keys in (["x", "x"], ["x"]):
        with pytest.raises(InputError, match="differ"):
            assign(keys, [0, 0], shares=SHARES, seed=0)


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 5))), min_size=1, max_size=30))
def test_joined_groupings(rows: list[tuple[int, int | None]]) -> None:
    firsts, seconds = [a for a, _ in rows], [b for _, b in rows]
    groups = joined(firsts, seconds)
    for i, (a, b) in enumerate(rows):
        for j, (c, d) in enumerate(rows):
            if a == c or (b is not None and b == d):
                assert groups[i] == groups[j]
    assert joined([None, None, None]) == (0, 1, 2)


def test_a_column_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("\ufeffimage,sender\na,anna\nb.jpg,bo\nsub/c.png,cy\nd,\n", encoding="utf-8")
    names = ["a.webp", "x/b.jpg", "sub/c.png", "d.png", "e.png"]
    assert column_of(names, table, column="sender") == ("anna", "bo", "cy", None, None)
    with pytest.raises(InputError, match="no column 'size'"):
        column_of(names, table, column="size")
    with pytest.raises(InputError, match="no row for any"):
        column_of(["z.png"], table, column="sender")
    with pytest.raises(InputError, match="no file"):
        column_of(names, tmp_path / "none.csv", column="sender")
    table.write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(InputError, match="cannot be read"):
        column_of(names, table, column="sender")
