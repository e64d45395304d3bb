"""`mojing data`: declarations only, so that --help stays light; the work is in `data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(
    help="Check, clean, augment and split a folder of pictures; nothing in it is ever changed.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Argument(help="Folder of pictures; it is only read.")]
Report = Annotated[Path, typer.Option("--report", help="Folder for report.html, flags.csv and pictures.csv.")]
LimitOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=VALUE",
        help="Move a limit: min_side, min_ratio, max_ratio, contrast, sharpness, filled, near, recolour, strangeness, "
        "foreign (docs/data.md); may be repeated.",
    ),
]
OffTopic = Annotated[bool, typer.Option("--off-topic/--no-off-topic", help="Look for pictures that do not belong.")]
Workers = Annotated[int, typer.Option("--threads", min=1, help="Pictures read at the same time.")]
Seed = Annotated[int, typer.Option(min=0, help="Another seed, another choice.")]


@data.command("check")
def data_check(
    folder: Folder,
    *,
    report: Report = Path("out/data"),
    limit: LimitOptions = None,
    off_topic: OffTopic = True,
    threads: Workers = 2,
) -> None:
    """Report broken, tiny, blurred, blank, oddly shaped, repeated and off-topic pictures."""
    from mojing.cli.data import Checking, check

    check(folder, report, how=Checking(limit or [], off_topic, threads))


@data.command("clean")
def data_clean(
    folder: Folder,
    *,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="New folder for copies of the clean ones.")] = None,
    listing: Annotated[Path | None, typer.Option("--list", help="Text file for the names of the clean ones.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="A reason that is none; may be repeated.")] = None,
    report: Report = Path("out/data"),
    limit: LimitOptions = None,
    off_topic: OffTopic = True,
    threads: Workers = 2,
) -> None:
    """Copy or list the pictures that the check has nothing against."""
    from mojing.cli.data import Checking, clean

    how = Checking(limit or [], off_topic, threads)
    clean(folder, out=out, listing=listing, report=report, keep=keep or [], how=how)


@data.command("augment")
def data_augment(
    folder: Folder,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="New folder for the copies and augment.csv.")],
    copies: Annotated[int, typer.Option(min=1, help="Altered copies of each picture.")] = 4,
    rotate: Annotated[float, typer.Option(help="Turn by up to so many degrees, 0 to 180.")] = 10.0,
    scale: Annotated[float, typer.Option(help="Enlarge or shrink by up to this share, 0 to 0.4.")] = 0.1,
    crop: Annotated[float, typer.Option(help="Cut off up to this share, 0 to 0.6.")] = 0.1,
    flip: Annotated[float, typer.Option(help="Chance to be mirrored, 0 to 1.")] = 0.5,
    colour: Annotated[float, typer.Option(help="Exposure, contrast, saturation, hue, 0 to 1.")] = 0.15,
    suffix: Annotated[
        str, typer.Option(help="Format of the copies: .png, .jpg, .webp; the original's if not given.")
    ] = "",
    seed: Seed = 0,
    threads: Workers = 2,
) -> None:
    """Write turned, scaled, cropped, mirrored, recoloured copies, and what was done to each."""
    from mojing.cli.data import augment
    from mojing.curate.augment import Ranges

    ranges = Ranges(rotate, scale, crop, flip, colour)
    augment(folder, out, ranges=ranges, copies=copies, seed=seed, suffix=suffix, threads=threads)


@data.command("split")
def data_split(
    folder: Folder,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="New folder for PART.txt and split.csv.")],
    shares: Annotated[str, typer.Option(help="Shares of train, validation, test; or NAME=SHARE,...")] = "0.8,0.1,0.1",
    table: Annotated[Path | None, typer.Option(help="CSV that says who sent each picture, or the like.")] = None,
    group_by: Annotated[list[str] | None, typer.Option(help="Column to keep together; may be repeated.")] = None,
    key: Annotated[str, typer.Option(help="Column of file names; the first if not given.")] = "",
    copy: Annotated[bool, typer.Option("--copy", help="Copy the pictures into OUT/PART too.")] = False,
    seed: Seed = 0,
    threads: Workers = 2,
) -> None:
    """Divide the pictures into parts that share neither copies nor, say, senders."""
    from mojing.cli.data import Grouping, split

    grouping = Grouping(table, group_by or [], key)
    split(folder, out, shares=shares, seed=seed, grouping=grouping, copy=copy, threads=threads)
