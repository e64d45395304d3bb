"""`mojing makeup` and what hangs under it: declarations only, so that --help stays light; the work is in
`vanity` and `counter`.

`mojing makeup PHOTO ...` and `mojing makeup match PHOTO` share a name: what does not begin with the name of a
sub-command is an order for `apply`.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

USUAL = "apply"
"""The sub-command that is meant where none is named."""


class Language(StrEnum):
    """Languages of a tutorial."""

    zh = "zh"
    en = "en"
    both = "both"


LANGUAGES: dict[Language, tuple[Literal["zh", "en"], ...]] = {
    Language.zh: ("zh",),
    Language.en: ("en",),
    Language.both: ("zh", "en"),
}


class Usual(TyperGroup):
    """A group whose first word may be left out; a file that has a sub-command's name is reached by ./NAME."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the usual sub-command in front of what names none."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [USUAL, *args]
        return super().parse_args(ctx, args)


makeup = typer.Typer(
    cls=Usual,
    help="Put make-up on a photo, a video or a camera's picture; read looks, shades and skin off photos. "
    "`mojing makeup apply --help` shows the options for a photo.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    subcommand_metavar="PHOTO [OPTIONS] | COMMAND [ARGS]...",
)

Photo = Annotated[Path, typer.Argument(help="Photo of a face.")]
LookName = Annotated[str | None, typer.Option("--look", help="A look's JSON file, or the name of a shipped look.")]
Out = Annotated[Path, typer.Option("-o", "--out", help="Where to write the picture.")]
Face = Annotated[str, typer.Option("--face", help="Which face, counted from the left, or all; the largest if empty.")]
Amount = Annotated[float, typer.Option("--amount", min=0.0, max=1.0, help="How thickly, 0 to 1.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="Only these kinds of make-up: lip,blush,...")]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change the look: lip.shade=#a01830, eyeliner.pattern=wing; may be repeated."),
]
Products = Annotated[Path | None, typer.Option("--products", help="Catalogue of products (CSV or JSON).")]
Debug = Annotated[Path | None, typer.Option("--debug", help="Write every layer as RGBA picture and mask.png here.")]
Report = Annotated[Path | None, typer.Option("--report", help="Write a JSON report here.")]
SaveLook = Annotated[Path | None, typer.Option("--save-look", help="Write the look that was put on as JSON here.")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="CPU threads for the networks.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Card = Annotated[
    str | None, typer.Option("--card", metavar="X,Y,W,H", help="Where in the photo a white or grey card is, in px.")
]
Reflectance = Annotated[
    float | None,
    typer.Option("--card-reflectance", min=0.02, max=1.0, help="Share of light that the card reflects; grey: 0.18."),
]


@makeup.command(USUAL)
def apply_command(
    photo: Annotated[Path | None, typer.Argument(help="Photo of a face.")] = None,
    *,
    look: LookName = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Where to write the picture or video.")] = None,
    face: Face = "",
    amount: Amount = 1.0,
    only: Only = None,
    change: Change = None,
    products: Products = None,
    debug: Debug = None,
    report: Report = None,
    save_look: SaveLook = None,
    video: Annotated[Path | None, typer.Option("--video", help="A video instead of a photo.")] = None,
    camera: Annotated[int | None, typer.Option("--camera", min=0, help="A camera by its number.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.1, help="Stop a video or camera then.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the live page of a camera.")] = 8017,
    threads: Threads = 2,
    quiet: Quiet = False,
) -> None:
    """Put a look on a photo (`apply` may be left out), a --video or a --camera.

    A camera with -o is recorded; without, it is shown live on a page of this machine.
    """
    from mojing.cli.vanity import Order, Wish, apply

    wish = Wish(look, amount, tuple(only or ()), tuple(change or ()), products)
    order = Order(photo, out, wish, face=face, debug=debug, report=report, save_look=save_look, threads=threads)
    apply(order, video=video, camera=camera, seconds=seconds, port=port, quiet=quiet)


@makeup.command("transfer")
def transfer_command(
    photo: Photo,
    reference: Annotated[Path, typer.Argument(help="Photo of a face whose make-up is wanted.")],
    *,
    out: Out = Path("made-up.png"),
    only: Only = None,
    amount: Amount = 1.0,
    change: Change = None,
    products: Products = None,
    save_look: SaveLook = None,
    face: Face = "",
    debug: Debug = None,
    report: Report = None,
    threads: Threads = 2,
    quiet: Quiet = False,
) -> None:
    """Put the make-up of one photo on the face of another, as layers that can be changed."""
    from mojing.cli.vanity import Order, Wish, transfer

    wish = Wish(None, amount, tuple(only or ()), tuple(change or ()), products)
    order = Order(photo, out, wish, face=face, debug=debug, report=report, save_look=save_look, threads=threads)
    transfer(order, reference, quiet=quiet)


@makeup.command("remove")
def remove_command(
    photo: Photo,
    *,
    out: Out = Path("bare.png"),
    amount: Amount = 1.0,
    face: Face = "",
    debug: Debug = None,
    report: Report = None,
    threads: Threads = 2,
    quiet: Quiet = False,
) -> None:
    """Guess the bare face under the make-up."""
    from mojing.cli.vanity import Order, Wish, remove

    order = Order(photo, out, Wish(None, amount), face=face, debug=debug, report=report, threads=threads)
    remove(order, quiet=quiet)


@makeup.command("match")
def match_command(
    photo: Photo,
    *,
    shades: Annotated[Path | None, typer.Option("--shades", help="CSV of foundation shades.")] = None,
    brand: Annotated[str | None, typer.Option("--brand", help="Only shades of this brand.")] = None,
    card: Card = None,
    card_reflectance: Reflectance = None,
    face: Face = "",
    as_json: AsJson = False,
    threads: Threads = 2,
) -> None:
    """Find the foundation shades nearest to the skin, with how sure that is."""
    from mojing.cli.counter import CardPlace, match

    place = CardPlace(card, card_reflectance)
    match(photo, shades=shades, brand=brand, card=place, face=face, as_json=as_json, threads=threads)


@makeup.command("report")
def report_command(
    photo: Photo,
    *,
    card: Card = None,
    card_reflectance: Reflectance = None,
    face: Face = "",
    as_json: AsJson = False,
    threads: Threads = 2,
) -> None:
    """Describe the skin: tone, evenness, redness, shine, dark circles. Cosmetic, not medical."""
    from mojing.cli.counter import CardPlace, skin_report

    place = CardPlace(card, card_reflectance)
    skin_report(photo, card=place, face=face, as_json=as_json, threads=threads)


@makeup.command("harmony")
def harmony_command(
    photo: Photo,
    *,
    card: Card = None,
    card_reflectance: Reflectance = None,
    season: Annotated[bool, typer.Option("--season", help="Name a season too, as rules of thumb do.")] = False,
    face: Face = "",
    as_json: AsJson = False,
    threads: Threads = 2,
) -> None:
    """Say which shades and garment colours suit skin, eyes and hair."""
    from mojing.cli.counter import CardPlace, harmony

    place = CardPlace(card, card_reflectance)
    harmony(photo, card=place, face=face, season=season, as_json=as_json, threads=threads)


@makeup.command("tutorial")
def tutorial_command(
    photo: Photo,
    *,
    look: Annotated[str, typer.Option("--look", help="A look's JSON file, or the name of a shipped look.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the tutorial.")] = Path("out/tutorial"),
    lang: Annotated[Language, typer.Option("--lang", help="Which languages.")] = Language.both,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Write PDF beside the page.")] = True,
    products: Products = None,
    face: Face = "",
    threads: Threads = 2,
    quiet: Quiet = False,
) -> None:
    """Write the steps of a look on one's own face, in Chinese and English, as a page and PDF."""
    from mojing.cli.counter import tutorial

    tutorial(
        photo,
        look,
        out=out,
        products=products,
        face=face,
        languages=LANGUAGES[lang],
        pdf=pdf,
        threads=threads,
        quiet=quiet,
    )


@makeup.command("sheet")
def sheet_command(
    photo: Photo,
    *,
    look: Annotated[list[str] | None, typer.Option("--look", help="A look; may be repeated. Eight if none.")] = None,
    out: Out = Path("out/makeup-sheet.jpg"),
    products: Products = None,
    face: Face = "",
    threads: Threads = 2,
    quiet: Quiet = False,
) -> None:
    """Put several looks on one photo, side by side with their names."""
    from mojing.cli.counter import sheet

    sheet(photo, out, names=tuple(look or ()), products=products, face=face, threads=threads, quiet=quiet)


@makeup.command("looks")
def looks_command(
    as_json: AsJson = False,
) -> None:
    """List the shipped looks."""
    from mojing.cli.counter import list_looks

    list_looks(as_json=as_json)


@makeup.command("products")
def products_command(
    *,
    products: Products = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only this kind of product.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the products of a catalogue, the shipped demonstration one if none is given."""
    from mojing.cli.counter import list_products

    list_products(products, kind=kind, as_json=as_json)
