"""`mojing tryon`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mojing.cli.console import progress_bar, read_photo, refusal, say, write_json
from mojing.cli.places import check_places, same
from mojing.core.errors import InputError, MojingError


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
    try:
        _check_places(order)
        _dress(order)
    except MojingError as error:
        taken = [place for place in (*_given(order), order.out) if place is not None]
        if order.report is not None and not any(same(order.report, place) for place in taken):
            # Why the order was refused matters more than that the report has no place.
            with suppress(InputError):
                write_json(order.report, refusal(error))
        raise


def _check_places(order: Order) -> None:
    """Refuse places that cannot be written, or that would destroy what was given, before any work is done."""
    from mojing.core.image import check_suffix

    check_suffix(order.out)
    check_places((order.out, order.report), inputs=_given(order), folders=(order.debug,))


def _given(order: Order) -> tuple[Path | None, ...]:
    return order.person, order.garment, order.anchors


def _dress(order: Order) -> None:
    from mojing.core.image import save

    person, garment = read_photo(order.person), read_photo(order.garment)
    # Only now: a photo that cannot be read is refused before any network is loaded.
    from mojing.perception.garment import read_anchors
    from mojing.tryon.pipeline import TryOn

    anchors = None if order.anchors is None else read_anchors(order.anchors, hw=garment.hw)
    with progress_bar():
        mirror = TryOn(threads=order.threads, gan=order.gan)
        who = person if order.which is None else mirror.look(person, person=order.which)
        result = mirror(who, garment, category=order.category, anchors=anchors, debug=order.debug)
    save(order.out, result.image)
    if order.report is not None:
        write_json(order.report, result.report())
    for notice in result.notices:
        say(f"notice: {notice}", quiet=order.quiet)
    say(f"{order.out}  ({result.category}, quality {result.quality.score:.2f})", quiet=order.quiet)
