"""The make-up counter: which looks and products there are, several looks on one sheet, and advice on shades."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mojing.cli.advice import harmony_lines, match_lines, report_lines
from mojing.cli.console import progress_bar, read_photo, say, to_json
from mojing.cli.places import check_places
from mojing.cli.vanity import catalogue, seated, tell
from mojing.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mojing.core.arrays import F32, U8
    from mojing.core.geometry import Box
    from mojing.makeup.card import Card
    from mojing.makeup.match import ShadeTable
    from mojing.makeup.names import Language
    from mojing.makeup.pipeline import Makeup, Sitter
    from mojing.perception.faceview import FaceView

DEMO_SHADES = "these shades are of invented brands; give real ones with --shades CSV"
SHEET_LOOKS = ("natural", "office", "dewy", "bridal", "retro", "evening", "smoky", "editorial")
_CELL = 340
_LABEL = 30


def list_looks(*, as_json: bool) -> None:
    """Print the shipped looks with what they are made of."""
    from mojing.makeup.catalogue import shipped_look, shipped_looks

    found = {name: [layer.kind for layer in shipped_look(name).layers] for name in shipped_looks()}
    if as_json:
        say(to_json(found))
        return
    for name, kinds in found.items():
        say(f"{name:<16} {', '.join(dict.fromkeys(kinds))}")


def list_products(path: Path | None, *, kind: str | None, as_json: bool) -> None:
    """Print the products of a catalogue, the shipped one if `path` is None.

    Raises:
        InputError: not_found, bad_catalogue, bad_look.
    """
    from mojing.makeup.adjust import kinds

    wanted = kinds([kind]) if kind else ()
    found = [p for p in catalogue(path).products.values() if not wanted or p.kind in wanted]
    if as_json:
        about = [
            {
                "id": p.id,
                "brand": p.brand,
                "name": p.name,
                "kind": p.kind,
                "finish": p.finish,
                "coverage": p.coverage,
                "shades": {s.name: s.hex for s in p.shades},
            }
            for p in found
        ]
        say(to_json(about))
        return
    for p in found:
        shades = ", ".join(f"{s.name} {s.hex}" for s in p.shades)
        say(f"{p.id:<28} {p.kind:<12} {p.finish:<12} {p.brand} {p.name}: {shades}")


def sheet(
    photo: Path, out: Path, *, names: tuple[str, ...], products: Path | None, face: str, threads: int, quiet: bool
) -> None:
    """Write a photo of a face and several looks on it as one labelled picture.

    Raises:
        InputError: whatever is refused.
    """
    from mojing.core.image import check_suffix, save
    from mojing.core.progress import track
    from mojing.makeup.pipeline import find_look, is_shipped

    check_suffix(out)
    check_places((out,), inputs=(photo, products))
    known = catalogue(products).products
    chosen = names or SHEET_LOOKS
    wanted = [find_look(name, products=known) for name in chosen]
    loaded = read_photo(photo)
    with progress_bar():
        mirror, sitter = seated(loaded, face, threads=threads)
        sitter = _enlarged(sitter)
        cells = [_cell(sitter, sitter.photo.flat(), "photo")]
        for name, look in track(list(zip(chosen, wanted, strict=True)), "looks"):
            made = mirror(sitter, look, layers=False, fit=is_shipped(name))
            cells.append(_cell(sitter, made.image, look.name or "look"))
    save(out, _grid(cells))
    tell(sitter.notices, quiet=quiet)
    say(f"{out}  ({len(wanted)} looks)", quiet=quiet)


def _enlarged(sitter: Sitter) -> Sitter:
    """The sitter with a photo in which the head is at least as large as on the sheet, so that lines are fine there."""
    from dataclasses import replace

    import cv2
    import numpy as np

    from mojing.core.geometry import Affine
    from mojing.core.image import Photo

    k = _CELL / _head(sitter.face).width
    if k <= 1.0 or k > 8.0:
        return sitter
    grow = Affine(np.array([[k, 0.0, 0.5 * k - 0.5], [0.0, k, 0.5 * k - 0.5]]))
    rgb = cv2.resize(sitter.photo.flat(), None, fx=k, fy=k, interpolation=cv2.INTER_CUBIC)

    def large_hair() -> tuple[F32 | None, ...]:
        wh = (rgb.shape[1], rgb.shape[0])
        return tuple(
            None if hair is None else np.asarray(cv2.resize(hair, wh, interpolation=cv2.INTER_LINEAR), np.float32)
            for hair in sitter.hairs
        )

    def grown(face: FaceView) -> FaceView:
        mesh = np.concatenate([grow.apply(face.mesh[:, :2]), face.mesh[:, 2:] * k], axis=1).astype(np.float32)
        to_parts = face.to_parts.compose(grow.inverse())
        return replace(face, mesh=mesh, to_parts=to_parts, hw=(rgb.shape[0], rgb.shape[1]))

    return replace(sitter, photo=Photo(rgb), faces=tuple(map(grown, sitter.faces)), read_hair=large_hair)


def _head(face: FaceView) -> Box:
    """A square around the head with its hair."""
    from mojing.core.geometry import Box

    box = face.box.pad(0.3).fit_aspect(1.0)
    up = 0.08 * box.height
    return Box(box.x0, box.y0 - up, box.x1, box.y1 - up)


def _cell(sitter: Sitter, rgb: U8, label: str) -> U8:
    """The head cut out of a picture, at one size, with a label below: uint8 (h, w, 3)."""
    import cv2
    import numpy as np

    from mojing.core.geometry import crop_affine, warp_crop

    head = warp_crop(rgb, crop_affine(_head(sitter.face), (_CELL, _CELL)), out_wh=(_CELL, _CELL))
    cell = np.full((_CELL + _LABEL, _CELL, 3), 255, np.uint8)
    cell[:_CELL] = head
    at, black = (8, _CELL + _LABEL - 10), (40.0, 40.0, 40.0)
    cv2.putText(cell, label, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, black, 1, cv2.LINE_AA)
    return cell


def _grid(cells: list[U8]) -> U8:
    """Cells in rows of at most three, on white."""
    import numpy as np

    columns = min(3, len(cells))
    blank = [np.full_like(cells[0], 255)] * (-len(cells) % columns)
    every = [*cells, *blank]
    return np.vstack([np.hstack(every[i : i + columns]) for i in range(0, len(every), columns)])


def match(
    photo: Path,
    *,
    shades: Path | None,
    brand: str | None,
    card: CardPlace,
    face: str,
    as_json: bool,
    threads: int,
) -> None:
    """Print the foundation shades nearest to the skin of a face.

    Raises:
        InputError: whatever is refused: bad light, an unreadable table, no face.
    """
    table = _shades(shades)
    table.within(brand)  # an unknown brand is refused before the photo is looked at
    mirror, sitter, found = _seen(photo, card=card, face=face, threads=threads)
    told = mirror.match(sitter, shades=table, card=found, brand=brand).to_json()
    told["notices"] = [*sitter.notices, *told["notices"], *([DEMO_SHADES] if shades is None else [])]
    _print(told, match_lines, as_json=as_json)


def _shades(path: Path | None) -> ShadeTable:
    """The table of that file, or the foundations of the shipped catalogue."""
    from mojing.makeup.match import ShadeTable

    if path is not None:
        return ShadeTable.load(path)
    found = [p for p in catalogue(None).products.values() if p.kind == "foundation"]
    return ShadeTable.of((p.brand, p.name, shade.name, shade.hex) for p in found for shade in p.shades)


def skin_report(photo: Path, *, card: CardPlace, face: str, as_json: bool, threads: int) -> None:
    """Print what can be said of the skin of a face.

    Raises:
        InputError: whatever is refused: no face, or light in which skin cannot be read.
    """
    mirror, sitter, found = _seen(photo, card=card, face=face, threads=threads)
    told = mirror.report(sitter, card=found).to_json()
    _print({**told, "notices": list(sitter.notices)}, report_lines, as_json=as_json)


def harmony(photo: Path, *, card: CardPlace, face: str, season: bool, as_json: bool, threads: int) -> None:
    """Print which colours suit a face.

    Raises:
        InputError: whatever is refused.
    """
    from mojing.makeup.harmony import harmony as suited

    _, sitter, found = _seen(photo, card=card, face=face, threads=threads)
    told = suited(sitter.photo.flat(), sitter.face, hair=sitter.hair, card=found, season=season)
    plain = told.to_json()
    _print({**plain, "notices": [*sitter.notices, *plain["notices"]]}, harmony_lines, as_json=as_json)


def tutorial(
    photo: Path,
    look: str,
    *,
    out: Path,
    products: Path | None,
    face: str,
    languages: tuple[Language, ...],
    pdf: bool,
    threads: int,
    quiet: bool,
) -> None:
    """Write the steps of a look on a face as HTML and PDF.

    Raises:
        InputError: whatever is refused.
    """
    from mojing.makeup.pipeline import find_look, is_shipped

    check_places((), folders=(out,))
    wanted = find_look(look, products=catalogue(products).products)
    loaded = read_photo(photo)
    from mojing.makeup.tutorial import write

    with progress_bar():
        _, sitter = seated(loaded, face, threads=threads)
        written = write(sitter, wanted, out=out, languages=languages, pdf=pdf, fit=is_shipped(look))
    tell(sitter.notices, quiet=quiet)
    for path in written:
        say(str(path), quiet=quiet)


@dataclass(frozen=True, slots=True)
class CardPlace:
    """Where the user says a card is (`X,Y,W,H`), if so, and how much of the light it reflects, if that is known."""

    place: str | None = None
    reflectance: float | None = None


def _seen(photo: Path, *, card: CardPlace, face: str, threads: int) -> tuple[Makeup, Sitter, Card | None]:
    """The mirror, the photo with its chosen face, and its card: at its place if that is told, else searched for."""
    place = card_box(card.place)
    if place is None and card.reflectance is not None:
        raise InputError("bad_options", "--card-reflectance is of a card whose place is not given", "give --card too")
    if face.strip().lower() == "all":
        raise InputError("bad_options", "skin is read of one face at a time", "give --face 1, 2, ...")
    loaded = read_photo(photo)
    from mojing.makeup.card import find_card, read_card

    rgb = loaded.flat()
    found = find_card(rgb) if place is None else read_card(rgb, place, reflectance=card.reflectance)
    return *seated(loaded, face, threads=threads), found


def card_box(text: str | None) -> Box | None:
    """`X,Y,W,H` as a box, or None.

    Raises:
        InputError: bad_options.
    """
    if text is None:
        return None
    from mojing.core.geometry import Box

    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        x = y = w = h = -1.0
    if not (x >= 0 and y >= 0 and w >= 1 and h >= 1 and max(x, y, w, h) < 1e6):
        raise InputError("bad_options", f"--card {text!r:.40} is no place in the photo", "write X,Y,W,H in px")
    return Box(x, y, x + w, y + h)


def _print(told: dict[str, Any], lines: Callable[[dict[str, Any]], list[str]], *, as_json: bool) -> None:
    say(to_json(told) if as_json else "\n".join(lines(told)))
