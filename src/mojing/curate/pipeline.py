"""A folder of pictures looked at as a whole; a clean copy of it; its parts for training."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.progress import track
from mojing.curate.check import REASONS, Flag, Limits, Picture, check_reasons, measure
from mojing.curate.duplicates import BITS, find_copies
from mojing.curate.files import in_parallel, pictures, result_folder, write_lines
from mojing.curate.offtopic import AT_HOME, FEWEST, Features, Sight, strangeness
from mojing.curate.split import assign, joined

_BATCH = 64
NO_FEATURES = "off-topic pictures were not looked for: no feature network was given"


@dataclass(frozen=True)
class Survey:
    """What was found in a folder.

    `pictures` are sorted by name; `groups` number the copies among them (a picture without copies is alone in its
    group); `strange` is the figure behind "off-topic" of every picture, None where it was not looked for; `notes`
    say in words what was not done.
    """

    folder: Path
    pictures: tuple[Picture, ...]
    groups: tuple[int, ...]
    strange: tuple[float | None, ...]
    limits: Limits
    notes: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many pictures have each reason, in the order of `REASONS`."""
        found = Counter(flag.reason for picture in self.pictures for flag in picture.flags)
        return {reason: found[reason] for reason in REASONS}

    def clean(self, *, keep: Collection[str] = ()) -> tuple[str, ...]:
        """Names of the pictures with no reason against them but those in `keep`.

        Raises:
            InputError: bad_options.
        """
        check_reasons(keep)
        return tuple(p.name for p in self.pictures if all(flag.reason in keep for flag in p.flags))


def survey(
    folder: Path,
    *,
    limits: Limits | None = None,
    features: Features | None = None,
    without: str = NO_FEATURES,
    threads: int = 2,
) -> Survey:
    """Look at every picture of a folder and its sub-folders, each by itself and then among the others.

    Args:
        folder: where the pictures are; it is only read.
        limits: where a figure becomes a reason.
        features: tells what is in pictures; without it off-topic pictures are not looked for.
        without: the note that says why there are no `features`.
        threads: photos read at the same time; memory holds some four photos a thread, whatever the folder's size.

    Raises:
        InputError: not_found, no_images. MissingExtraError: imagehash is not installed.
    """
    limits = limits or Limits()
    listing = pictures(folder)
    notes = [] if features else [without]
    if listing.others:
        notes.append(f"{listing.others} files that are no pictures by their suffix were passed over")
    seen: list[Picture] = []
    looking = _Looking(features)
    results = in_parallel(partial(measure, folder, limits=limits), listing.names, threads=threads)
    for picture, small in track(results, "pictures checked", total=len(listing.names)):
        if small is not None and "near-blank" not in _reasons(picture):
            looking.add(len(seen), small)
        seen.append(picture)
    looking.look()
    seen, groups = _with_copies(seen, limits=limits)
    strange = looking.strangeness(groups)
    for i, flag in looking.strangers(strange, limits):
        seen[i] = replace(seen[i], flags=(*seen[i].flags, flag))
    return Survey(folder, tuple(seen), groups, tuple(strange), limits, tuple(notes))


class _Looking:
    """Pictures shown to the feature network in batches, and what it says of them, by their numbers."""

    def __init__(self, features: Features | None) -> None:
        self.features = features
        self.batch: list[tuple[int, U8]] = []
        self.vectors: dict[int, F32] = {}
        self.foreign: dict[int, float] = {}

    def add(self, index: int, small: U8) -> None:
        """Look at a picture, with others."""
        self.batch.append((index, small))
        if len(self.batch) == _BATCH:
            self.look()

    def look(self) -> None:
        """Look at what waits."""
        if self.features is not None and self.batch:
            seen = self.features([small for _, small in self.batch])
            at = [index for index, _ in self.batch]
            if isinstance(seen, Sight):
                self.foreign.update(zip(at, map(float, seen.foreign), strict=True))
                seen = seen.feature
            self.vectors.update(zip(at, np.asarray(seen, np.float32), strict=True))
        self.batch.clear()

    def strangeness(self, groups: Sequence[int]) -> list[float | None]:
        """The figure of every picture of the survey, None where it was not looked at."""
        found: list[float | None] = [None] * len(groups)
        if self.vectors:
            at = list(self.vectors)
            figures = strangeness(np.stack([self.vectors[i] for i in at]), [groups[i] for i in at])
            for i, figure in zip(at, figures, strict=True):
                found[i] = float(figure)
        return found

    def strangers(self, strange: Sequence[float | None], limits: Limits) -> list[tuple[int, Flag]]:
        """Pictures far from all others and, in a set of what the network knows, those it does not know."""
        far = {
            i: Flag("off-topic", f, limits.strangeness) for i, f in enumerate(strange) if f and f > limits.strangeness
        }
        shares = list(self.foreign.values())
        if len(shares) >= FEWEST and float(np.median(shares)) < AT_HOME:
            for i, share in self.foreign.items():
                if share > limits.foreign:
                    words = "nothing that the network knows"
                    far.setdefault(i, Flag("off-topic", share, limits.foreign, words=words))
        return sorted(far.items())


def _reasons(picture: Picture) -> set[str]:
    return {flag.reason for flag in picture.flags}


def _with_copies(seen: list[Picture], *, limits: Limits) -> tuple[list[Picture], tuple[int, ...]]:
    """The pictures with flags on copies, and group numbers; of copies the soundest, largest, sharpest one stays."""

    def rank(index: int) -> tuple[bool, int, float, str]:
        picture = seen[index]
        h, w = picture.hw or (0, 0)
        return bool(picture.flags), -h * w, -(picture.sharpness or 0.0), picture.name

    order = sorted((i for i, picture in enumerate(seen) if picture.fingerprint is not None), key=rank)
    prints = [seen[i].fingerprint for i in order]
    plain = ["near-blank" in _reasons(seen[i]) for i in order]
    copies = find_copies([p for p in prints if p is not None], limit=limits.near, recolour=limits.recolour, plain=plain)
    marked = list(seen)
    group: list[Hashable] = [f"alone {i}" for i in range(len(seen))]
    for at, index in enumerate(order):
        group[index] = copies.groups[at]
        match = copies.matches[at]
        if match is None:
            continue
        like = seen[order[match.index]].name
        if match.exact:
            flag = Flag("duplicate", 0, 0, like=like)
        else:
            words = f"{match.bits} of {BITS} bits differ" + (", mirrored" if match.mirrored else "")
            flag = Flag("near-duplicate", match.bits, limits.near, like=like, words=words)
        marked[index] = replace(seen[index], flags=(*seen[index].flags, flag))
    return marked, joined(group)


def clean_copy(found: Survey, out: Path, *, keep: Collection[str] = ()) -> tuple[str, ...]:
    """Copy the clean pictures, byte for byte, into the new folder `out`; the source stays as it is.

    Raises:
        InputError: unwritable, bad_options.
    """
    names = found.clean(keep=keep)
    result_folder(out, source=found.folder)
    copy_files(found.folder, {name: name for name in names}, out=out)
    return names


def copy_files(folder: Path, targets: Mapping[str, str], *, out: Path) -> None:
    """Copy files of `folder`, name -> name under `out`, making folders as needed.

    Raises:
        InputError: unwritable.
    """
    for name, target in track(targets.items(), "pictures copied", total=len(targets)):
        to = out / target
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, to)
        except OSError as exc:
            raise InputError("unwritable", f"{to} cannot be written: {exc.strerror}", "choose another place") from exc


def split_parts(
    found: Survey, *, by: Sequence[Sequence[str | None]] = (), shares: Mapping[str, float], seed: int = 0
) -> tuple[dict[str, str], tuple[int, ...]]:
    """Part of every readable picture by name, and the group of every picture of the survey.

    Args:
        found: the survey; copies of a picture stay together.
        by: for each further grouping (say, the sender) what it says of every picture of the survey, None if nothing.
        shares: name of each part -> its share.
        seed: another seed, another choice.

    Raises:
        InputError: bad_options, no_images.
    """
    groups = joined(found.groups, *by)
    usable = [i for i, picture in enumerate(found.pictures) if picture.hw is not None]
    if not usable:
        raise InputError("no_images", f"no picture of {found.folder} can be read", "see mojing data check")
    keys, of = [found.pictures[i].name for i in usable], [groups[i] for i in usable]
    return assign(keys, of, shares=shares, seed=seed), groups


def write_parts(found: Survey, part_of: Mapping[str, str], *, groups: Sequence[int], out: Path) -> dict[str, int]:
    """Write PART.txt (one name a line) for every part and split.csv (file, part, group); counts by part.

    Raises:
        InputError: unwritable.
    """
    parts: dict[str, list[str]] = {}
    for name, part in part_of.items():
        parts.setdefault(part, []).append(name)
    for part, names in parts.items():
        write_lines(out / f"{part}.txt", names)
    rows = [(p.name, part_of[p.name], g) for p, g in zip(found.pictures, groups, strict=True) if p.name in part_of]
    write_csv(out / "split.csv", header=("file", "part", "group"), rows=rows)
    return {part: len(names) for part, names in sorted(parts.items())}


def write_csv(path: Path, *, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """Write a CSV, making folders as needed; None becomes an empty field.

    Raises:
        InputError: unwritable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as exc:
        raise InputError("unwritable", f"{path} cannot be written: {exc.strerror}", "choose another place") from exc
    return path
