"""`mojing eval` and `mojing bench`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mojing.cli.console import figures, progress_bar, say, to_json, write_json
from mojing.core.errors import InputError


def evaluate(
    task: str,
    data: Path,
    *,
    json_out: Path | None,
    teacher: Path | None,
    limit: int | None,
    everything: bool,
    baselines: Sequence[Path] = (),
) -> None:
    """Run one suite, print its figures and write them as JSON; `baselines` are folders, for the try-on alone."""
    for folder in (data, teacher, *baselines):
        if folder is not None and not folder.is_dir():
            raise InputError("bad_data", f"there is no folder {folder}", "see docs/training.md for the data")
    from mojing.eval.face import run_face
    from mojing.eval.suites import run_body, run_garment, run_tryon

    suites: dict[str, Callable[..., dict[str, Any]]] = {
        "body": run_body,
        "face": run_face,
        "garment": run_garment,
        "tryon": partial(run_tryon, baselines=baselines),
    }
    with progress_bar():
        result = suites[task](data, teacher=teacher, limit=limit, everything=everything)
    say(figures(result))
    if json_out is not None:
        write_json(json_out, result)
        say(str(json_out))


def evaluate_transfer(
    data: Path,
    *,
    json_out: Path | None,
    teacher: Path | None,
    limit: int | None,
    baselines: Sequence[Path],
    sheet: Path | None,
) -> None:
    """Measure make-up transfer and print the figures; `teacher` holds the meshes."""
    for folder in (data, teacher, *baselines):
        if folder is not None and not folder.is_dir():
            raise InputError("bad_data", f"there is no folder {folder}", "see docs/training.md for the data")
    if teacher is None:
        raise InputError("bad_options", "the meshes of the faces are needed", "give --teacher LABELS")
    from mojing.eval.transfer import run_transfer

    with progress_bar():
        result = run_transfer(data, teacher=teacher, limit=limit or 100, baselines=baselines, sheet=sheet)
    say(figures(result))
    if json_out is not None:
        write_json(json_out, result)
        say(str(json_out))


def evaluate_makeup(
    data: Path | None,
    *,
    json_out: Path | None,
    teacher: Path | None,
    limit: int | None,
    everything: bool,
    markdown: Path | None,
) -> None:
    """Measure make-up by group, print the figures, and write them as JSON and as tables."""
    for folder in (data, teacher):
        if folder is not None and not folder.is_dir():
            raise InputError("bad_data", f"there is no folder {folder}", "see docs/training.md for the data")
    if data is None and teacher is not None:
        raise InputError("bad_options", "meshes alone are no photos", "give --data DATA too")
    from mojing.eval.fairness import tables, write
    from mojing.eval.makeup import report, run_makeup

    with progress_bar():
        samples = run_makeup(data, teacher=teacher, limit=limit, everything=everything)
    result = report(samples)
    say(figures(result))
    if teacher is None:
        say("meshes and transfer were not measured: they need --data DATA --teacher LABELS")
    if json_out is not None:
        write_json(json_out, result)
        say(str(json_out))
    if markdown is not None:
        write(markdown, tables(samples))
        say(str(markdown))


def evaluate_match(
    data: Path, *, json_out: Path | None, teacher: Path | None, limit: int | None, everything: bool
) -> None:
    """Measure light and shade match and print the figures; `teacher` holds the meshes."""
    for folder in (data, teacher):
        if folder is not None and not folder.is_dir():
            raise InputError("bad_data", f"there is no folder {folder}", "see docs/training.md for the data")
    if teacher is None:
        raise InputError("bad_options", "the meshes of the faces are needed", "give --teacher LABELS")
    from mojing.eval.match import run_match

    with progress_bar():
        result = run_match(data, teacher=teacher, limit=limit, everything=everything)
    say(figures(result))
    if json_out is not None:
        write_json(json_out, result)
        say(str(json_out))


def bench(*, as_json: bool, repeats: int, threads: int) -> None:
    """Time the try-on and print the figures."""
    from mojing.eval.bench import bench_tryon

    with progress_bar():
        result = bench_tryon(repeats=repeats, threads=threads)
    say(to_json(result) if as_json else figures(result))


def bench_studio(*, as_json: bool, n: int, repeats: int, threads: int) -> None:
    """Time the design generator and print the figures."""
    from mojing.eval.bench_design import bench_design

    with progress_bar():
        result = bench_design(n=n, repeats=repeats, threads=threads)
    say(to_json(result) if as_json else figures(result))


def bench_mirror(*, as_json: bool, frames: int, photos: int, threads: int) -> None:
    """Time the make-up mirror and print the figures."""
    from mojing.eval.bench_makeup import bench_makeup

    with progress_bar():
        result = bench_makeup(frames=frames, photos=photos, threads=threads)
    say(to_json(result) if as_json else figures(result))
