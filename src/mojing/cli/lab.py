"""`mojing train gan` and `mojing bench gan`: the GAN laboratory on the command line."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from mojing.cli.console import figures, progress_bar, say
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
