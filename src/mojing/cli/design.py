"""`mojing design` and what hangs under it: declarations only, so that --help stays light; the work is in `atelier`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mojing.cli.choices import Category

design = typer.Typer(
    help="Design new garments; recolour, print on and put logos on real ones.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
)


class Method(StrEnum):
    """How directions in the latent space are found."""

    attributes = "attributes"
    sefa = "sefa"
    ganspace = "ganspace"


class Season(StrEnum):
    """Which season a design is made for."""

    summer = "summer"
    winter = "winter"
    both = "both"


Colours = Annotated[list[str] | None, typer.Option("--color", help="CSS name or hex code; may be given several times.")]
OutFile = Annotated[Path, typer.Option("-o", "--out", help="Where to write the picture.")]
OutDir = Annotated[Path, typer.Option("--out", help="Folder for the designs.")]
Kind = Annotated[
    str, typer.Option("--kind", help="Kind of garment: dress, t-shirt, pants, outwear, ...; several by commas.")
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same designs.")]
Garment = Annotated[Path, typer.Argument(help="Photo of a garment.")]
OneDesign = Annotated[Path, typer.Argument(help="A picture that `mojing design` wrote.")]
Kindly = Annotated[Category, typer.Option("--category", help="Kind of garment in the photo.")]
Known = Annotated[Path | None, typer.Option("--directions", help="File of directions instead of the installed one.")]
Size = Annotated[int | None, typer.Option("--size", min=32, max=4096, help="Side of the pictures in px.")]
Near = Annotated[bool, typer.Option("--allow-near", help="Show designs that are very near to a training garment too.")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="CPU threads for the networks.")]
CutOut = Annotated[bool, typer.Option("--cut-out", help="Write the garment alone, transparent around it (PNG).")]


@design.callback()
def _design(
    context: typer.Context,
    *,
    kind: Kind = "dress",
    n: Annotated[int, typer.Option("--n", min=1, max=10_000, help="How many.")] = 16,
    color: Annotated[str | None, typer.Option("--color", help="CSS name or hex code.")] = None,
    seed: Seed = 0,
    out: OutDir = Path("out/designs"),
    truncation: Annotated[
        float, typer.Option(min=0.0, max=1.5, help="0 gives the average design, 1 the full variety.")
    ] = 0.85,
    allow_near: Near = False,
    size: Size = None,
    threads: Threads = 2,
) -> None:
    """Without a sub-command: design N garments of a kind and write 0000.png ... and designs.json."""
    if context.invoked_subcommand is not None:
        return
    from mojing.cli.atelier import generate

    generate(
        kind, out, n=n, colour=color, seed=seed, truncation=truncation, near=allow_near, size=size, threads=threads
    )


@design.command("recolour")
def recolour_command(
    photo: Garment,
    *,
    color: Colours = None,
    palette: Annotated[Path | None, typer.Option(help="Take the colours from this picture.")] = None,
    instead_of: Annotated[str | None, typer.Option("--from", help="Replace the dye nearest to this colour.")] = None,
    out: OutFile = Path("recoloured.png"),
    category: Kindly = Category.auto,
    cut_out: CutOut = False,
) -> None:
    """Dye a photographed garment anew, keeping its folds and shadows.

    The first --color replaces the main dye, the second the next one, and so on.
    """
    from mojing.cli.atelier import recolour

    recolour(photo, out, colours=color or [], palette=palette, old=instead_of, category=category.value, cut=cut_out)


@design.command("print")
def print_command(
    photo: Garment,
    *,
    pattern: Annotated[
        str,
        typer.Option(
            help="stripes, breton, checks, gingham, tartan, dots, chevron, houndstooth, floral, or a picture."
        ),
    ] = "stripes",
    color: Colours = None,
    repeat: Annotated[float, typer.Option(help="Width of one repeat as a share of the garment's width.")] = 0.18,
    turn: Annotated[float, typer.Option(help="Degrees the pattern is turned by on the cloth.")] = 0.0,
    keep_print: Annotated[bool, typer.Option("--keep-print", help="Print on the main colour only.")] = False,
    seed: Seed = 0,
    out: OutFile = Path("printed.png"),
    category: Kindly = Category.auto,
    cut_out: CutOut = False,
) -> None:
    """Print a seamless pattern on a photographed garment; it turns with the sleeves and legs."""
    from mojing.cli.atelier import Pattern, print_on

    asked = Pattern(pattern, tuple(color or ("white", "navy")), repeat, turn, keep_print, seed)
    print_on(photo, out, asked=asked, category=category.value, cut=cut_out)


@design.command("logo")
def logo_command(
    photo: Garment,
    logo: Annotated[Path, typer.Argument(help="Picture of the logo; transparent parts show the cloth.")],
    *,
    at: Annotated[
        str | None,
        typer.Option(
            help="chest, left-chest, belly, back, hem, left-sleeve, right-sleeve, left-thigh, right-thigh, or X,Y."
        ),
    ] = None,
    width: Annotated[float | None, typer.Option(help="Width as a share of the garment's width.")] = None,
    turn: Annotated[float, typer.Option(help="Degrees, clockwise.")] = 0.0,
    knock_out: Annotated[
        bool, typer.Option("--knock-out", help="Take the logo's border colour as transparent.")
    ] = False,
    out: OutFile = Path("logo.png"),
    category: Kindly = Category.auto,
    cut_out: CutOut = False,
) -> None:
    """Put a logo on a photographed garment, lying in its folds."""
    from mojing.cli.atelier import put_logo

    put_logo(
        (photo, logo), out, at=at, width=width, turn=turn, knock_out=knock_out, category=category.value, cut=cut_out
    )


@design.command("edit")
def edit_command(
    source: OneDesign,
    *,
    change: Annotated[
        list[str],
        typer.Option(
            "--set", help="sleeve=+1, length=-1, neckline, lightness, red, yellow, pattern; hue=DEGREES; color=teal."
        ),
    ],
    out: OutDir = Path("out/edited"),
    known: Known = None,
    size: Size = None,
    allow_near: Near = False,
) -> None:
    """Change attributes of a design; numbers are in spreads: +1 is clearly more."""
    from mojing.cli.atelier import Saving, edit

    edit(source, out, changes=change, known=known, how=Saving(size, allow_near))


@design.command("mix")
def mix_command(
    shape: OneDesign,
    colour: Annotated[Path, typer.Argument(help="The design whose colours and texture are taken.")],
    *,
    crossover: Annotated[int | None, typer.Option(min=0, help="First layer taken from the second design.")] = None,
    out: OutDir = Path("out/mixed"),
    size: Size = None,
    allow_near: Near = False,
) -> None:
    """The shape of one design in the colours and texture of another."""
    from mojing.cli.atelier import Saving, mix

    mix(shape, colour, out, crossover=crossover, how=Saving(size, allow_near))


@design.command("interpolate")
def interpolate_command(
    first: OneDesign,
    second: Annotated[Path, typer.Argument(help="The design at the other end.")],
    *,
    steps: Annotated[int, typer.Option(min=2, max=1000, help="How many, both ends included.")] = 8,
    out: OutDir = Path("out/between"),
    size: Size = None,
    allow_near: Near = False,
) -> None:
    """Designs on the way from one to another."""
    from mojing.cli.atelier import Saving, between

    between(first, second, out, steps=steps, how=Saving(size, allow_near))


@design.command("invert")
def invert_command(
    photo: Garment,
    *,
    kind: Kind,
    out: OutDir = Path("out/inverted"),
    seed: Seed = 0,
    effort: Annotated[int, typer.Option(min=1, max=10, help="1 is quick, 3 usual, 10 thorough.")] = 3,
    category: Kindly = Category.auto,
    size: Size = None,
) -> None:
    """Find the design nearest to the garment of a photo, so that it can be edited."""
    from mojing.cli.atelier import invert

    invert(photo, out, kind=kind, seed=seed, effort=effort, category=category.value, size=size)


@design.command("season")
def season_command(
    source: OneDesign,
    *,
    to: Annotated[Season, typer.Option(help="Which season.")] = Season.both,
    out: OutDir = Path("out/season"),
    known: Known = None,
    size: Size = None,
    allow_near: Near = False,
) -> None:
    """A design's summer and winter versions, beside the design itself."""
    from mojing.cli.atelier import Saving, season

    season(source, out, to=to.value, known=known, how=Saving(size, allow_near))


@design.command("like")
def like_command(
    photos: Annotated[list[Path], typer.Argument(help="Photos of garments that are liked.")],
    *,
    kind: Kind = "dress",
    n: Annotated[int, typer.Option("--n", min=1, max=64, help="How many designs.")] = 4,
    not_like: Annotated[list[Path] | None, typer.Option("--not", help="Photo of a garment that is disliked.")] = None,
    color: Colours = None,
    wish: Annotated[list[str] | None, typer.Option("--wish", help="sleeve=+1, length=-1, ...")] = None,
    seed: Seed = 0,
    out: OutDir = Path("out/for-me"),
    size: Size = None,
    allow_near: Near = False,
) -> None:
    """Designs for somebody who likes these garments, best first."""
    from mojing.cli.atelier import Person, Saving, personal

    person = Person(tuple(photos), tuple(not_like or ()), tuple(color or ()), tuple(wish or ()))
    personal(person, out, kind=kind, n=n, seed=seed, how=Saving(size, allow_near))


@design.command("directions")
def directions_command(
    out: Annotated[Path, typer.Option("--out", help="File (attributes) or folder of pictures (sefa, ganspace).")],
    *,
    method: Annotated[Method, typer.Option(help="How directions are found.")] = Method.attributes,
    n: Annotated[int, typer.Option("--n", min=32, help="Random designs to learn from.")] = 1000,
    count: Annotated[int, typer.Option(min=1, max=64, help="How many directions are shown (sefa, ganspace).")] = 8,
    kind: Kind = "dress",
    seed: Seed = 0,
) -> None:
    """Find directions in the latent space: attributes by regression, or without labels by SeFa or GANSpace."""
    from mojing.cli.atelier import find

    find(out, method=method.value, n=n, count=count, kind=kind, seed=seed)


@design.command("check")
def check_command(
    *,
    n: Annotated[int, typer.Option("--n", min=2, help="Designs edited along each direction.")] = 40,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    known: Known = None,
    seed: Seed = 1000,
) -> None:
    """How often edits change what was asked for and keep the kind, by independent eyes."""
    from mojing.cli.atelier import check

    check(n=n, json_out=json_out, known=known, seed=seed)


@design.command("wear")
def wear_command(
    designs: Annotated[Path, typer.Argument(help="A folder that `mojing design` wrote, or one design.")],
    people: Annotated[list[Path], typer.Argument(help="Photos of people.")],
    *,
    out: OutFile = Path("out/worn.jpg"),
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many designs.")] = 12,
    gan: Annotated[bool, typer.Option("--gan/--no-gan", help="Refine with the generator of the try-on.")] = True,
    threads: Threads = 2,
) -> None:
    """Dress people in designs, on one contact sheet."""
    from mojing.cli.atelier import wear

    wear(designs, people, out, limit=limit, gan=gan, threads=threads)
