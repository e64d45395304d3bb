"""`mojing data`: check, clean, augment and split a folder of pictures; nothing in it is changed or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mojing.cli.console import figures, progress_bar, say
from mojing.core.errors import InputError

if TYPE_CHECKING:
    from mojing.core.arrays import U8
    from mojing.curate.augment import Ranges
    from mojing.curate.check import Limits
    from mojing.curate.offtopic import Features
    from mojing.curate.pipeline import Survey


@dataclass(frozen=True)
class Checking:
    """How a folder is looked at, as the command line says it."""

    limits: Sequence[str]
    off_topic: bool
    threads: int


def check(folder: Path, out: Path, *, how: Checking) -> None:
    """Report what is wrong with the pictures of a folder."""
    from mojing.curate.files import keep_out

    keep_out(out, source=folder)
    with progress_bar():
        found = _survey(folder, how)
        _report(found, out)


def clean(
    folder: Path, *, out: Path | None, listing: Path | None, report: Path, keep: Sequence[str], how: Checking
) -> None:
    """Copy, or list, the pictures that have nothing wrong with them."""
    from mojing.curate.check import check_reasons
    from mojing.curate.files import keep_out, result_folder, write_lines
    from mojing.curate.pipeline import clean_copy

    check_reasons(keep)
    if out is None and listing is None:
        raise InputError("bad_options", "there is nowhere to write to", "give --out FOLDER, --list FILE, or both")
    for place in (report, listing):
        if place is not None:
            keep_out(place, source=folder)
    if out is not None:
        result_folder(out, source=folder)
    with progress_bar():
        found = _survey(folder, how)
        names = found.clean(keep=keep)
        _report(found, report)
        if out is not None:
            clean_copy(found, out, keep=keep)
        if listing is not None:
            write_lines(listing, names)
    say(f"{len(names)} of {len(found.pictures)} pictures are clean: {out or listing}")


def augment(folder: Path, out: Path, *, ranges: Ranges, copies: int, seed: int, suffix: str, threads: int) -> None:
    """Write altered copies of every picture."""
    from mojing.curate.augment import augment as make

    with progress_bar():
        made = make(folder, out, ranges=ranges, copies=copies, seed=seed, suffix=suffix, threads=threads)
    for name, reason in made.skipped:
        say(f"skipped {name}: {reason}")
    say(f"{len(made.rows)} pictures written, {len(made.skipped)} skipped: {out}")


@dataclass(frozen=True)
class Grouping:
    """A CSV that says of pictures what they have in common, the columns to group by, and the column of file names."""

    table: Path | None
    columns: Sequence[str]
    key: str


def split(folder: Path, out: Path, *, shares: str, seed: int, grouping: Grouping, copy: bool, threads: int) -> None:
    """Divide a folder into parts that share neither copies nor groups."""
    from mojing.curate.files import pictures, result_folder
    from mojing.curate.pipeline import copy_files, split_parts, survey, write_parts
    from mojing.curate.split import column_of

    wanted = _shares(shares)
    if bool(grouping.columns) != (grouping.table is not None):
        raise InputError("bad_options", "--group-by and --table go together", "give both or neither")
    names = pictures(folder).names
    by = [
        column_of(names, grouping.table, column=column, key=grouping.key)
        for column in grouping.columns
        if grouping.table is not None
    ]
    result_folder(out, source=folder)
    with progress_bar():
        found = survey(folder, threads=threads)
        part_of, groups = split_parts(found, by=by, shares=wanted, seed=seed)
        counts = write_parts(found, part_of, groups=groups, out=out)
        if copy:
            copy_files(folder, {name: f"{part}/{name}" for name, part in part_of.items()}, out=out)
    for column, values in zip(grouping.columns, by, strict=True):
        missing = values.count(None)
        if missing:
            say(f"notice: {missing} pictures have no {column}: each is a group of its own")
    unread = len(names) - len(part_of)
    say(
        figures(
            {
                **counts,
                "groups": len({groups[i] for i, name in enumerate(names) if name in part_of}),
                "unreadable": unread,
            }
        )
    )
    say(str(out))


def _survey(folder: Path, how: Checking) -> Survey:
    from mojing.curate.pipeline import survey

    limits = _limits(how.limits)
    features, why = _features(how.threads) if how.off_topic else (None, "off-topic pictures were not asked for")
    return survey(folder, limits=limits, features=features, without=why, threads=how.threads)


def _report(found: Survey, out: Path) -> None:
    from mojing.curate.report import write_report

    page, *_ = write_report(found, out)
    say(figures(found.counts()))
    flagged = sum(bool(picture.flags) for picture in found.pictures)
    say(f"{flagged} of {len(found.pictures)} pictures flagged; the report is {page}")
    for note in found.notes:
        say(f"notice: {note}")


def _features(threads: int) -> tuple[Features | None, str]:
    """The shipped feature network as a function; None and the reason where it cannot be had."""
    from mojing.runtime import ModelStore

    store = ModelStore()
    if not store.has("features"):
        return None, "off-topic pictures were not looked for: the model features.onnx is not installed"
    from mojing.curate.offtopic import Sight
    from mojing.perception.features import KINDS
    from mojing.perception.features import Features as Network

    network, nothing = Network(store, threads=threads), KINDS.index("other")

    def look(images: Sequence[U8]) -> Sight:
        seen = network(images)
        return Sight(seen.feature, seen.kind[:, nothing])

    return look, ""


def _limits(settings: Sequence[str]) -> Limits:
    """Limits with NAME=VALUE settings applied.

    Raises:
        InputError: bad_options.
    """
    from mojing.curate.check import Limits

    limits = Limits()
    kinds = {f.name: type(f.default) for f in fields(Limits)}
    for setting in settings:
        name, _, value = setting.partition("=")
        name = name.strip().replace("-", "_")
        known = ", ".join(f"{f.name}={f.default}" for f in fields(Limits))
        if name not in kinds:
            raise InputError("bad_options", f"there is no limit {name!r}", f"limits are: {known}")
        try:
            number = int(value) if kinds[name] is int else float(value)
        except ValueError as exc:
            raise InputError("bad_options", f"{value!r} is no number for {name}", f"limits are: {known}") from exc
        changed = {name: number}
        limits = replace(limits, **changed)  # type: ignore[arg-type]
    return limits


def _shares(text: str) -> dict[str, float]:
    """Shares from `train=0.8,validation=0.1,test=0.1`, or three numbers for those parts.

    Raises:
        InputError: bad_options.
    """
    from mojing.curate.split import SHARES

    hint = "give 0.8,0.1,0.1 or train=0.9,test=0.1"
    words = [word.strip() for word in text.split(",")]
    pairs = [word.partition("=") for word in words]
    named = all(pair[1] for pair in pairs)
    if not named and (any(pair[1] for pair in pairs) or len(words) != len(SHARES)):
        raise InputError("bad_options", f"the shares are {text!r}", hint)
    names = [name.strip() for name, _, _ in pairs] if named else list(SHARES)
    if len(set(names)) != len(names) or not all(name.replace("-", "_").isidentifier() for name in names):
        raise InputError("bad_options", f"the parts are named {', '.join(names)}", hint)
    try:
        return {name: float(pair[2] if named else pair[0]) for name, pair in zip(names, pairs, strict=True)}
    except ValueError as exc:
        raise InputError("bad_options", f"the shares are {text!r}", hint) from exc
