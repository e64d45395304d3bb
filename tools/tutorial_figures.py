"""The figures of docs/tutorial-gan.md, made from runs of `mojing train gan`.

    python tools/tutorial_figures.py RUN ... --out docs/images/tutorial [--name gan]

NAME-curves.png: a row for each RUN, with losses, logits and variety as RUN/log.jsonl tells them. For each RUN, by the
name of its folder, RUN-samples.png: new pictures of the last checkpoint, a row for each class where the run knows
classes, and RUN-progress.png: what the same eight latents became while it trained. Only made pictures are shown.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import save
from mojing.train.games import to_bytes
from mojing.train.logbook import F64, Logbook, read_log
from mojing.train.variants import Maker, load_makers, read_run

COLUMNS = 8
ROWS = 6
STAGES = 6
POINTS = 500
REACH = 1.6
ZOOM = 2
SHARP = 2
"""Curves are drawn this many times larger and shrunk, for smooth lines."""
PANEL = (400, 230)
MARGIN = (52, 30, 14, 26)
"""Left, top, right and bottom of a panel, px."""
COLOURS = ((31, 90, 180), (214, 96, 28), (60, 140, 70))
GREY = (130, 130, 130)
PANELS = (
    ("losses", ("d_loss", "g_loss"), math.nan),
    ("mean logits of D", ("d_real", "d_fake", "d_held_out"), 0.0),
    ("variety of the samples, real = 1", ("sample_diversity", "sample_std"), 1.0),
)
"""Title, columns of the log, and the level at which a dotted line is drawn."""


@dataclass(frozen=True, eq=False)
class Line:
    """One curve: its name, steps (N,) and values (N,)."""

    name: str
    steps: F64
    values: F64


def tiles(pictures: U8, *, columns: int, zoom: int = ZOOM) -> U8:
    """Pictures (N, C, H, W) uint8, C 1 or 3, side by side on white: (H', W', 3)."""
    n, _, h, w = pictures.shape
    rgb = np.broadcast_to(pictures, (n, 3, h, w)).transpose(0, 2, 3, 1)
    canvas = np.full((-(-n // columns) * (h + 1) + 1, columns * (w + 1) + 1, 3), 255, np.uint8)
    for i, picture in enumerate(rgb):
        y, x = 1 + i // columns * (h + 1), 1 + i % columns * (w + 1)
        canvas[y : y + h, x : x + w] = picture
    return canvas.repeat(zoom, 0).repeat(zoom, 1)


@torch.no_grad()
def samples(maker: Maker, *, seed: int = 0) -> U8:
    """A sheet of new pictures; of a conditional generator a row for each class, all with the same eight latents.

    Of a generator of points in the plane, where its points lie.
    """
    generator = torch.Generator().manual_seed(seed)
    if maker.spec.architecture == "points":
        return scatter(maker.net(torch.randn((POINTS, maker.spec.latent), generator=generator)).numpy())
    classes = maker.spec.classes
    if classes:
        z = torch.randn((COLUMNS, maker.spec.latent), generator=generator).repeat(classes, 1)
        labels = torch.arange(classes).repeat_interleave(COLUMNS)
        made = maker.net(z, labels)
    else:
        made = maker.net(torch.randn((ROWS * COLUMNS, maker.spec.latent), generator=generator))
    return tiles(to_bytes(made).numpy(), columns=COLUMNS)


def scatter(points: F64) -> U8:
    """Points (N, 2) on the square from -REACH to REACH, in the middle the unit circle: (H, W, 3)."""
    side = PANEL[1] * SHARP
    canvas = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, side - 1, side - 1), outline=GREY)
    at = (points * (1, -1) / REACH + 1) * side / 2
    low, high = side / 2 * (1 - 1 / REACH), side / 2 * (1 + 1 / REACH)
    draw.ellipse((low, low, high, high), outline=GREY, width=SHARP)
    for x, y in at:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=COLOURS[0])
    return np.asarray(canvas.resize((side // SHARP, side // SHARP), Image.Resampling.LANCZOS))


def progress(run: Path) -> U8 | None:
    """The first row of some sample sheets of a run under each other; None where it wrote fewer than two, or points."""
    sheets = sorted((run / "samples").glob("*.png"))
    if len(sheets) < 2 or recorded_points(run):
        return None
    chosen = [sheets[i] for i in np.unique(np.geomspace(1, len(sheets), STAGES).round().astype(int)) - 1]
    rows = []
    for path in chosen:
        sheet = np.asarray(Image.open(path).convert("RGB"))
        band = sheet[: sheet.shape[0] // COLUMNS]
        label = Image.new("RGB", (84, band.shape[0]), "white")
        where = (78, band.shape[0] / 2)
        ImageDraw.Draw(label).text(where, f"{int(path.stem)}", fill="black", anchor="rm", font=_font(18))
        rows.append(np.concatenate([np.asarray(label), band], axis=1))
    return np.concatenate(rows)


def recorded_points(run: Path) -> bool:
    """Whether a run makes points in the plane, whose sheets have no rows."""
    return bool(read_run(run)[0]["facts"]["points"])


def curves(runs: Sequence[tuple[str, Logbook]]) -> U8:
    """A row of panels for each run: (H, W, 3)."""
    w, h = PANEL
    canvas = Image.new("RGB", (w * len(PANELS) * SHARP, h * len(runs) * SHARP), "white")
    draw = ImageDraw.Draw(canvas)
    for row, (name, log) in enumerate(runs):
        for column, (title, columns, level) in enumerate(PANELS):
            lines = [Line(c, log.series("step"), log.series(c)) for c in columns]
            panel(draw, (column * w, row * h), lines=lines, title=f"{name}: {title}", level=level)
    return np.asarray(canvas.resize((canvas.width // SHARP, canvas.height // SHARP), Image.Resampling.LANCZOS))


def panel(draw: ImageDraw.ImageDraw, at: tuple[int, int], *, lines: Sequence[Line], title: str, level: float) -> None:
    """Axes and curves with their top left corner at `at`, in px before enlarging."""
    left, top, right, bottom = at[0] + MARGIN[0], at[1] + MARGIN[1], *(a + b for a, b in zip(at, PANEL, strict=True))
    right, bottom = right - MARGIN[2], bottom - MARGIN[3]
    shown = [line for line in lines if np.isfinite(line.values).any()]
    everything = np.concatenate([line.values[np.isfinite(line.values)] for line in shown] or [np.zeros(1)])
    low, high = span(everything, level=level)
    last = max((float(line.steps.max()) for line in shown), default=1.0)

    def place(step: float, value: float) -> tuple[float, float]:
        x = left + (right - left) * step / max(last, 1.0)
        y = bottom - (bottom - top) * (min(max(value, low), high) - low) / (high - low)
        return x * SHARP, y * SHARP

    for mark in np.linspace(low, high, 4):
        draw.line([place(0, mark), place(last, mark)], fill=(226, 226, 226), width=SHARP)
        _write(draw, (left - 5, place(0, mark)[1] / SHARP), f"{mark:.2g}", anchor="rm", colour=GREY)
    if math.isfinite(level):
        draw.line([place(0, level), place(last, level)], fill=GREY, width=SHARP)
    for share in (0.0, 0.5, 1.0):
        anchor = ("la", "ma", "ra")[int(2 * share)]
        _write(draw, (left + (right - left) * share, bottom + 5), f"{share * last:.0f}", anchor=anchor, colour=GREY)
    x = float(left)
    for line, colour in zip(shown, COLOURS, strict=False):
        good = np.isfinite(line.values)
        points = [place(s, v) for s, v in zip(line.steps[good], line.values[good], strict=True)]
        draw.line(points, fill=colour, width=2 * SHARP, joint="curve")
        _write(draw, (x, at[1] + 16), line.name, anchor="la", colour=colour)
        x += 12 + _font(12).getlength(line.name)
    _write(draw, (left, at[1] + 1), title, anchor="la", colour=(0, 0, 0))


def span(values: F64, *, level: float) -> tuple[float, float]:
    """Lowest and highest value of an axis: all but the outermost hundredth of the values, and the marked level."""
    low, high = (float(v) for v in np.quantile(values, (0.01, 0.99)))
    if math.isfinite(level):
        low, high = min(low, level), max(high, level)
    room = max(0.05 * (high - low), 1e-3)
    return low - room, high + room


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, *, anchor: str, colour: tuple[int, int, int]
) -> None:
    where = (at[0] * SHARP, at[1] * SHARP)
    draw.text(where, text, fill=colour, anchor=anchor, font=_font(12 * SHARP))


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


def main(argv: Sequence[str] | None = None) -> int:
    """Write the figures and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--out", type=Path, default=Path("docs/images/tutorial"))
    parser.add_argument("--name", default="gan", help="of the figure of curves")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    figures = {f"{args.name}-curves": curves([(run.name, read_log(run)) for run in args.runs])}
    for run in args.runs:
        try:
            figures[f"{run.name}-samples"] = samples(load_makers(run)[0])
            if (stages := progress(run)) is not None:
                figures[f"{run.name}-progress"] = stages
        except InputError as error:
            print(f"{run}: {error}")  # a run that was stopped before its first checkpoint still has curves
    for name, picture in figures.items():
        save(args.out / f"{name}.png", picture)
        print(args.out / f"{name}.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
