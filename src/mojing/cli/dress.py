"""`mojing tryon`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mojing.cli.console import progress_bar, refusal, say, write_json
from mojing.core.errors import MojingError


@dataclass(frozen=True, slots=True)
class Order:
    """What `mojing tryon` was asked for."""

    person: Path
    garment: Path
    out: Path
    category: str = "auto"
    report: Path | None = None
    debug: Path | None = None
    anchors: Path | None = None
    which: int | None = None
    gan: bool = True
    threads: int = 2
    quiet: bool = False


def dress(order: Order) -> None:
    """Make the picture and the report; a refusal is also written to the report.

    Raises:
        MojingError: whatever the try-on refuses.
    """
    from mojing.core.image import check_suffix

    check_suffix(order.out)
    try:
        _dress(order)
    except MojingError as error:
        if order.report is not None:
            write_json(order.report, refusal(error))
        raise


def _dress(order: Order) -> None:
    from mojing.core.image import load, save

    person, garment = load(order.person), load(order.garment)
    # Only now: a photo that cannot be read is refused before any network is loaded.
    from mojing.tryon.pipeline import TryOn

    with progress_bar():
        mirror = TryOn(threads=order.threads, gan=order.gan)
        who = person if order.which is None else mirror.look(person, person=order.which)
        result = mirror(who, garment, category=order.category, anchors=order.anchors, debug=order.debug)
    save(order.out, result.image)
    if order.report is not None:
        write_json(order.report, result.report())
    for notice in result.notices:
        say(f"notice: {notice}", quiet=order.quiet)
    say(f"{order.out}  ({result.category}, quality {result.quality.score:.2f})", quiet=order.quiet)
