"""`mojing train gan`, `train baseline`, `train export gan` and `bench gan`: the GAN laboratory on the command line."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mojing.cli.console import figures, progress_bar, say, to_json
from mojing.core.errors import MissingExtraError

if TYPE_CHECKING:
    from mojing.train.data.images import Pictures

SHOWN = 5


def need_training() -> None:
    """Refuse to go on without the extra `train`.

    Raises:
        MissingExtraError: torch or Lightning is not installed.
    """
    for package in ("torch", "lightning"):
        if find_spec(package) is None:
            raise MissingExtraError("train", needs=package)


def run_gan(argv: list[str]) -> None:
    """Train a GAN, or with --dry-run say what would be trained."""
    need_training()
    from mojing.train.adversarial import dry_run, load_material, train
    from mojing.train.recipes.gan import parse

    options = parse(argv)
    with progress_bar():
        material = load_material(options)
    _tell_skipped(material.train)
    if material.second is not None:
        _tell_skipped(material.second)
    if options.dry_run:
        say(figures(dry_run(options, material)))
        return
    with progress_bar():
        folder = train(options, material)
    say(str(folder))


def _tell_skipped(pictures: Pictures) -> None:
    skipped = pictures.skipped
    if skipped:
        say(f"{len(skipped)} of {len(pictures) + len(skipped)} pictures were left out:")
    for name, reason in skipped[:SHOWN]:
        say(f"  {name}: {reason}")
    if len(skipped) > SHOWN:
        say("  ... all of them are in the run's data.json")


def export_gan(argv: list[str]) -> None:
    """Write the generators of a run as ONNX with their lighter variants, and print sizes and times."""
    need_training()
    parser = argparse.ArgumentParser(prog="mojing train export gan", description=export_gan.__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--out", type=Path, help="where to write (RUN/export)")
    parser.add_argument("--name", help="name of the model (that of the run's folder)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of the timing (2)")
    given = parser.parse_args(argv)
    from mojing.train.variants import export_run

    folder = given.out or given.run / "export"
    rows = export_run(given.run, folder, name=given.name or given.run.resolve().name, threads=given.threads)
    say(f"{'variant':<34} {'MB':>7} {'ms/picture':>11} {'pictures/s':>11} {'gap to torch':>13}")
    for row in rows:
        note = "" if row.path is not None or row is rows[0] else "  not written: strays too far"
        numbers = f"{row.megabytes:7.2f} {row.one_ms:11.2f} {row.per_second:11.0f} {row.gap:13.6f}"
        say(f"{row.name:<34} {numbers}{note}")
    say(f"mojing models list --folder {folder}")


def run_baseline(argv: list[str]) -> None:
    """Train a baseline of the try-on and say where its model lies."""
    need_training()
    from mojing.train.recipes.baseline import parse, train

    kind, options = parse(argv)
    with progress_bar():
        model = train(kind, options)
    say(str(model))


def export_baseline(argv: list[str]) -> None:
    """Write the model of a baseline's run, finished or not."""
    need_training()
    parser = argparse.ArgumentParser(prog="mojing train export baseline", description=export_baseline.__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--out", type=Path, help="where to write (RUN/export)")
    given = parser.parse_args(argv)
    from mojing.train.recipes.baseline import export_baseline as write

    say(str(write(given.run, given.out or given.run / "export")))


def bench_gan(*, as_json: bool, size: int, width: int, rounds: int, threads: int) -> None:
    """Time the training loop against a plain loop of the same networks."""
    need_training()
    from mojing.train.overhead import bench_gan as measure
    from mojing.train.recipes.gan import recipe as options_of

    with progress_bar():
        result = measure(
            options_of("modern", threads=threads, width=width, batch=32, accelerator="cpu"), size=size, rounds=rounds
        )
    say(to_json(result) if as_json else figures(result))
