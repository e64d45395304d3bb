"""Training, validation and test parts that share neither copies of a picture nor the one who sent it."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from mojing.core.errors import InputError
from mojing.curate.duplicates import UnionFind

SHARES: Final[dict[str, float]] = {"train": 0.8, "validation": 0.1, "test": 0.1}
"""The parts that `mojing data split` makes unless told otherwise."""


def assign(
    keys: Sequence[str], groups: Sequence[Hashable], *, shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Part of every key, such that no group lies in two parts.

    The same keys, groups, shares and seed give the same parts on every machine and in every order. Groups go large
    ones first (sizes by powers of two, at random among their like) to the part that lacks most of its share, of
    those parts where the group would be no more than a quarter of the whole part, so that no part is one group only;
    if there is none, to the part that lacks most pictures. No part exceeds its share by a whole group or more.

    Args:
        keys: what is to be split, each once.
        groups: the group of each key (`joined` makes one grouping of several).
        shares: name of each part -> its share; they are scaled to sum to 1.
        seed: another seed, another choice.

    Raises:
        InputError: bad_options (no share above 0, a negative one), bad_data (a key twice).
    """
    total = sum(shares.values())
    if not shares or min(shares.values()) < 0 or not 0 < total < math.inf:
        raise InputError("bad_options", f"the shares are {dict(shares)}", "give shares of 0 or more, one above 0")
    if len(set(keys)) != len(keys) or len(keys) != len(groups):
        raise InputError("bad_data", "keys to split must differ, and each needs a group", "give every key once")
    target = {part: len(keys) * share / total for part, share in shares.items() if share > 0}
    lacking = dict(target)
    members: dict[Hashable, list[str]] = {}
    for key, group in zip(keys, groups, strict=True):
        members.setdefault(group, []).append(key)
    part_of: dict[str, str] = {}
    for group_keys in sorted(members.values(), key=lambda g: (-len(g).bit_length(), _chance(min(g), seed))):
        size = len(group_keys)
        fits = [part for part, left in lacking.items() if size <= left and size <= max(target[part] / 4, 1)]
        part = max(fits, key=lambda p: lacking[p] / target[p]) if fits else max(lacking, key=lambda p: lacking[p])
        lacking[part] -= size
        part_of.update(dict.fromkeys(group_keys, part))
    return {key: part_of[key] for key in keys}


def _chance(key: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{key}".encode("utf-8", "surrogateescape"), digest_size=16).digest()


def joined(*groupings: Sequence[Hashable | None]) -> tuple[int, ...]:
    """One grouping in which whatever shares a group in any of several does so; None shares with nothing."""
    count = len(groupings[0])
    assert all(len(grouping) == count for grouping in groupings)
    sets = UnionFind(count)
    for grouping in groupings:
        first: dict[Hashable, int] = {}
        for item, group in enumerate(grouping):
            if group is not None:
                sets.union(first.setdefault(group, item), item)
    return sets.groups()


def column_of(names: Sequence[str], table: Path, *, column: str, key: str = "") -> tuple[str | None, ...]:
    """What a CSV says in `column` of every picture; None where it has no row for it or an empty field.

    The column `key` (the first one unless given) holds the picture's path inside the folder, its file name, or its
    name without suffix.

    Raises:
        InputError: not_found, bad_data.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            header = list(reader.fieldnames or ())
            rows = list(reader)
    except FileNotFoundError as exc:
        raise InputError("not_found", f"there is no file {table}", "give a CSV with a header") from exc
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise InputError("bad_data", f"{table} cannot be read: {exc}", "give a CSV in UTF-8 with a header") from exc
    key = key or (header[0] if header else "")
    for wanted in (key, column):
        if wanted not in header:
            known = ", ".join(header) or "no columns"
            raise InputError("bad_data", f"{table.name} has no column {wanted!r}", f"it has {known}")
    value = {(row[key] or "").strip(): (row[column] or "").strip() or None for row in rows}
    found = tuple(_looked_up(value, PurePosixPath(name)) for name in names)
    if not any(found):
        raise InputError("bad_data", f"{table.name} has no row for any picture", f"column {key!r} must hold file names")
    return found


def _looked_up(value: Mapping[str, str | None], path: PurePosixPath) -> str | None:
    for name in (str(path), path.name, str(path.with_suffix("")), path.stem):
        if name in value:
            return value[name]
    return None
