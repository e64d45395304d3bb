"""What `mojing makeup` does: places checked first, then the look, the photo, and the networks last."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mojing.cli.console import progress_bar, read_photo, refusal, say, write_json
from mojing.cli.places import check_places, same
from mojing.core.errors import InputError, MojingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mojing.core.image import Photo
    from mojing.makeup.catalogue import Catalogue
    from mojing.makeup.look import Look
    from mojing.makeup.pipeline import Makeup, MakeupResult, Sitter


@dataclass(frozen=True, slots=True)
class Wish:
    """Which look is wanted: its file or name, and what shall be changed about it."""

    look: str | None
    amount: float = 1.0
    only: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    products: Path | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: a photo, where the results go, and the wish."""

    photo: Path | None
    out: Path | None
    wish: Wish = field(default_factory=lambda: Wish(None))
    face: str = ""
    debug: Path | None = None
    report: Path | None = None
    save_look: Path | None = None
    threads: int = 2

    @property
    def look_file(self) -> Path | None:
        """The look's file, where the wish names one."""
        from mojing.makeup.pipeline import is_shipped

        name = self.wish.look
        return None if name is None or is_shipped(name) else Path(name)


def apply(
    order: Order,
    *,
    video: Path | None = None,
    camera: int | None = None,
    seconds: float | None = None,
    port: int = 0,
    quiet: bool,
) -> None:
    """Put the wished look on a photo, a video or a camera's pictures.

    Raises:
        MojingError: whatever is refused; also written to the report, where one was asked for.
    """
    given = [
        name for name, value in (("PHOTO", order.photo), ("--video", video), ("--camera", camera)) if value is not None
    ]
    if len(given) != 1:
        said = "nothing to put make-up on was given" if not given else f"{' and '.join(given)} were given together"
        raise InputError("bad_options", said, "give one of PHOTO, --video FILE and --camera N")
    if order.out is None and camera is None:
        order = replace(order, out=Path("made-up.mp4" if order.photo is None else "made-up.png"))
    if order.photo is not None:
        if seconds is not None:
            raise InputError("bad_options", "--seconds is for videos and cameras", "leave it out")
        _with_report(order, (), lambda: _apply(order, quiet=quiet))
        return
    from mojing.cli.clip import paint_clip

    source: Path | int = video if video is not None else camera if camera is not None else 0
    _with_report(order, (video,), lambda: paint_clip(order, source, seconds=seconds, port=port, quiet=quiet))


def transfer(order: Order, reference: Path, *, quiet: bool) -> None:
    """Put the make-up of a reference photo on another face.

    Raises:
        MojingError: whatever is refused.
    """
    _with_report(order, (reference,), lambda: _transfer(order, reference, quiet=quiet))


def remove(order: Order, *, quiet: bool) -> None:
    """Guess the bare face.

    Raises:
        MojingError: whatever is refused.
    """
    _with_report(order, (), lambda: _remove(order, quiet=quiet))


def _with_report(order: Order, inputs: tuple[Path | None, ...], work: Callable[[], None]) -> None:
    """Do the work; write a refusal to the report, where that destroys nothing."""
    given = [p for p in (order.photo, order.look_file, order.wish.products, *inputs) if p is not None]
    try:
        check_places(
            (order.out, order.report, order.save_look),
            inputs=given,
            folders=(order.debug,),
        )
        work()
    except MojingError as error:
        if order.report is not None and not any(same(order.report, p) for p in (*given, order.out) if p is not None):
            # Why the order was refused matters more than that the report has no place.
            with suppress(InputError):
                write_json(order.report, refusal(error))
        raise


def _apply(order: Order, *, quiet: bool) -> None:
    out = _picture(order)
    look = wished(order.wish)
    photo = _read(order.photo)
    with progress_bar():
        mirror, sitter = seated(photo, order.face, threads=order.threads)
        shipped = order.wish.look is not None and order.look_file is None
        result = mirror(sitter, look, layers=order.debug is not None, fit=shipped, chosen=_chosen(order.wish))
    _deliver(result, out, order=order, quiet=quiet)


def _transfer(order: Order, reference: Path, *, quiet: bool) -> None:
    from mojing.makeup.adjust import adjusted, kinds

    out = _picture(order)
    only = kinds(order.wish.only)
    photo, model = _read(order.photo), read_photo(reference)
    with progress_bar():
        mirror, sitter = seated(photo, order.face, threads=order.threads)
        result = mirror.transfer(sitter, model, only=only, amount=order.wish.amount)
        if order.wish.changes:
            look = adjusted(result.look, order.wish.changes, products=catalogue(order.wish.products).products)
            again = mirror(sitter, look)
            told = tuple(dict.fromkeys((*result.notices, *again.notices)))
            result = replace(again, notices=told, timings_ms=result.timings_ms | again.timings_ms)
    _deliver(result, out, order=order, quiet=quiet)


def _remove(order: Order, *, quiet: bool) -> None:
    out = _picture(order)
    photo = _read(order.photo)
    with progress_bar():
        mirror, sitter = seated(photo, order.face, threads=order.threads)
        result = mirror.remove(sitter, amount=order.wish.amount)
    _deliver(result, out, order=order, quiet=quiet)


def _picture(order: Order) -> Path:
    """Where the picture goes."""
    from mojing.core.image import check_suffix

    out = order.out if order.out is not None else Path("made-up.png")
    check_suffix(out)
    return out


def _read(path: Path | None) -> Photo:
    if path is None:
        raise InputError("bad_options", "no photo was given", "give a photo of a face")
    return read_photo(path)


def wished(wish: Wish) -> Look:
    """The look that was wished for, with every change.

    Raises:
        InputError: not_found, bad_look, bad_catalogue, bad_options.
    """
    from mojing.makeup.adjust import adjusted, kinds
    from mojing.makeup.look import Look
    from mojing.makeup.pipeline import find_look

    if wish.look is None and not wish.changes:
        raise InputError("bad_options", "no look was given", "name one with --look; mojing makeup looks lists them")
    products = catalogue(wish.products).products
    look = Look("", ()) if wish.look is None else find_look(wish.look, products=products)
    look = adjusted(look, wish.changes, products=products)
    if wish.only:
        only = kinds(wish.only)
        kept = look.only(*only)
        if not kept.layers:
            has = ", ".join(dict.fromkeys(layer.kind for layer in look.layers)) or "nothing"
            raise InputError(
                "bad_look", f"the look has no {', '.join(only)}, only {has}", "choose of these with --only"
            )
        look = kept
    return look.at(wish.amount)


def _chosen(wish: Wish) -> frozenset[str]:
    """Kinds whose shade or product the user chose."""
    targets = [change.partition("=")[0].strip().partition(".") for change in wish.changes]
    return frozenset(kind.replace("-", "_") for kind, _, name in targets if name not in _SLIDERS)


_SLIDERS = frozenset({"amount", "coverage", "finish", "pattern", "region", "size", "softness"})
"""What of a layer can be changed without saying anything of its colour."""


def catalogue(path: Path | None) -> Catalogue:
    """The catalogue of that file, or the shipped one.

    Raises:
        InputError: not_found, bad_catalogue.
    """
    from mojing.makeup.catalogue import Catalogue

    return Catalogue.load(path) if path is not None else Catalogue.shipped()


def seated(photo: Photo, face: str, *, threads: int) -> tuple[Makeup, Sitter]:
    """The mirror and the photo with its chosen face: a number from the left, `all`, or empty for the largest.

    Raises:
        InputError: no face that can be made up, bad_options.
    """
    from mojing.makeup.pipeline import Makeup

    everyone = face.strip().lower() == "all"
    number = None
    if face.strip() and not everyone:
        if not face.strip().isdecimal() or int(face) < 1:
            raise InputError("bad_options", f"--face {face!r:.20} is no number of a face", "give 1, 2, ... or all")
        number = int(face)
    mirror = Makeup(threads=threads)
    return mirror, mirror.look(photo, face=number, everyone=everyone)


def _deliver(result: MakeupResult, out: Path, *, order: Order, quiet: bool) -> None:
    """Write the picture, then what else was asked for."""
    from mojing.core.image import save

    if order.debug is not None:
        from mojing.makeup.debug import write_debug

        write_debug(result, order.debug)
    if order.save_look is not None:
        from mojing.makeup.pipeline import save_look

        save_look(result.look, order.save_look)
    save(out, result.picture)
    if order.report is not None:
        write_json(order.report, result.report())
    tell(result.notices, quiet=quiet)
    painted = ", ".join(dict.fromkeys(layer.kind for layer in result.look.layers)) or "nothing"
    say(f"{out}  ({painted})", quiet=quiet)


def tell(notices: tuple[str, ...], *, quiet: bool = False) -> None:
    """Print the notices."""
    for notice in notices:
        say(f"notice: {notice}", quiet=quiet)
