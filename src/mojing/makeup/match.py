"""Which foundation shades are nearest to somebody's skin, and what the skin would look like with them.

A shade is known by one colour, most often that of a product picture. How far such pictures are from the product on
skin is not known, so the figures order shades rather than promise a match.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mojing.core.arrays import F64, U8, AnyArray, readonly
from mojing.core.color import delta_e_2000, srgb_to_linear
from mojing.core.errors import InputError
from mojing.core.files import read_text
from mojing.makeup.card import Card
from mojing.makeup.look import is_name
from mojing.makeup.optics import film, thickness_for
from mojing.makeup.skincolour import SkinColour, hex_of, lab_of, skin_colour
from mojing.perception.faceview import FaceView

COVERAGES: Final[dict[str, float]] = {"sheer": 0.3, "medium": 0.6, "full": 0.9}
"""How much of the skin a foundation hides, by the word on its label; an assumption."""
_SHORTLIST: Final = 160
_MAX_BYTES: Final = 64 * 2**20
_MAX_SHADES: Final = 200_000
_HEX: Final = re.compile(r"#?[0-9a-fA-F]{6}")
_HINT: Final = "give a CSV file with the columns brand, product, name (or shade) and hex"
_ADVICE: Final[dict[str, str]] = {
    "good": "",
    "rough": "rough: the right shade is among the neighbours of these; a grey card (--card) would tell more",
    "uncertain": "uncertain: use a card: hold a grey card of known reflectance beside the face (--card), in daylight",
}
SWATCH_LIMIT: Final = "shades are compared by the colours of their product pictures, which differ from shop to shop"


@dataclass(frozen=True, eq=False)
class ShadeTable:
    """Foundation shades: `brands`, `products`, `names` of each; `linear` (n, 3) linear sRGB, `lab` (n, 3)."""

    brands: tuple[str, ...]
    products: tuple[str, ...]
    names: tuple[str, ...]
    linear: F64
    lab: F64

    def __post_init__(self) -> None:
        if not len(self.brands) == len(self.products) == len(self.names) == len(self.linear) == len(self.lab):
            raise ValueError("a table of shades has columns of one length")
        object.__setattr__(self, "linear", readonly(self.linear))
        object.__setattr__(self, "lab", readonly(self.lab))

    def __len__(self) -> int:
        return len(self.brands)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, str, str]]) -> ShadeTable:
        """From (brand, product, name, hex); a shade named twice counts once."""
        kept: dict[tuple[str, str, str], str] = {}
        for brand, product, name, code in rows:
            kept.setdefault((brand, product, name), code)
        if not kept:
            raise InputError("bad_table", "the table has no shades", _HINT)
        codes = [code.lstrip("#") for code in kept.values()]
        rgb = np.array([[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in codes], np.uint8)
        linear = srgb_to_linear(rgb).astype(np.float64)
        brands, products, names = zip(*kept, strict=True)
        return cls(tuple(brands), tuple(products), tuple(names), linear, lab_of(linear))

    @classmethod
    def load(cls, path: str | Path) -> ShadeTable:
        """From a CSV file with a header: brand, product, name or shade (and `specific`, if there), hex.

        Raises:
            InputError: not_found, bad_table.
        """
        path = Path(path)
        text = read_text(path, what="table", code="bad_table", most=_MAX_BYTES, hint=_HINT)
        return cls.of(_rows(text, name=path.name))

    def within(self, brand: str | None) -> AnyArray:
        """Indices of a brand's shades, or of all; upper and lower case are alike.

        Raises:
            InputError: bad_table where there is no such brand.
        """
        if brand is None:
            return np.arange(len(self))
        wanted = brand.casefold().strip()
        found = np.array([i for i, b in enumerate(self.brands) if b.casefold() == wanted])
        if not len(found):
            like = sorted({b for b in self.brands if wanted and wanted[:3] in b.casefold()})[:8]
            hint = f"did you mean {', '.join(like)}?" if like else f"there are {len(set(self.brands))} brands"
            raise InputError("bad_table", f"there is no brand {brand!r:.60} in the table", hint)
        return found


def _rows(text: str, *, name: str) -> list[tuple[str, str, str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=None))
    try:
        fields = {f.strip().lower(): f for f in reader.fieldnames or ()}
    except csv.Error as exc:
        raise InputError("bad_table", f"{name}, line 1: {exc}", _HINT) from exc
    shade = fields.get("name") or fields.get("shade")
    if "brand" not in fields or "product" not in fields or "hex" not in fields or shade is None:
        raise InputError("bad_table", f"{name} lacks a column of brand, product, name, hex", _HINT)
    rows: list[tuple[str, str, str, str]] = []
    try:
        for line in reader:
            code = (line[fields["hex"]] or "").strip()
            if not _HEX.fullmatch(code):
                raise InputError("bad_table", f"{name}, line {reader.line_num}: {code!r:.20} is no #rrggbb", _HINT)
            said = [line[shade] or "", line[fields["specific"]] or "" if "specific" in fields else ""]
            full = " ".join(s.strip() for s in said if s.strip() not in ("", "NA"))
            brand, product = ((line[fields[k]] or "").strip() for k in ("brand", "product"))
            named = [" ".join(word.split()) for word in (brand, product, full or code)]
            if not all(map(is_name, named)):
                raise InputError("bad_table", f"{name}, line {reader.line_num}: a name cannot be printed", _HINT)
            rows.append((named[0], named[1], named[2], code))
            if len(rows) > _MAX_SHADES:
                raise InputError("bad_table", f"{name} has more than {_MAX_SHADES} shades", _HINT)
    except csv.Error as exc:
        raise InputError("bad_table", f"{name}, line {reader.line_num}: {exc}", _HINT) from exc
    return rows


@dataclass(frozen=True, eq=False)
class Worn:
    """The skin with a shade on: `coverage` 0..1, `lab` (3,), `hex`, and `delta_e`, CIEDE2000 from the bare skin."""

    finish: str
    coverage: float
    lab: F64
    hex: str
    delta_e: float


@dataclass(frozen=True, eq=False)
class Suggested:
    """A shade near the skin.

    Attributes:
        delta_e: mean CIEDE2000 between the swatch and the skin over what the skin may be.
        low, high: ends of the interval that holds it nine times in ten.
        best: how often it is the nearest of those suggested, 0..1.
        worn: predicted skin with it, by coverage.
    """

    brand: str
    product: str
    name: str
    hex: str
    delta_e: float
    low: float
    high: float
    best: float
    worn: tuple[Worn, ...]

    def to_json(self) -> dict[str, Any]:
        """Figures for a report."""
        return {
            "brand": self.brand,
            "product": self.product,
            "shade": self.name,
            "hex": self.hex,
            "delta_e00": round(self.delta_e, 2),
            "delta_e00_90_percent": [round(self.low, 2), round(self.high, 2)],
            "nearest_share": round(self.best, 2),
            "worn": [
                {
                    "coverage": w.finish,
                    "hides": w.coverage,
                    "hex": w.hex,
                    "lab_d65": [round(float(v), 2) for v in w.lab],
                    "delta_e00_from_bare": round(w.delta_e, 2),
                }
                for w in self.worn
            ],
        }


@dataclass(frozen=True, eq=False)
class Match:
    """The skin, the shades nearest to it, and what should be told."""

    skin: SkinColour
    top: tuple[Suggested, ...]
    brand: str | None
    advice: str
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Figures for a report, as `mojing makeup match --json` writes them."""
        return {
            "skin": self.skin.to_json(),
            "brand": self.brand,
            "top": [s.to_json() for s in self.top],
            "advice": self.advice,
            "notices": list(self.notices),
        }


def match(
    rgb: U8,
    face: FaceView,
    *,
    shades: ShadeTable,
    brand: str | None = None,
    top: int = 5,
    card: Card | None = None,
) -> Match:
    """The `top` shades nearest to the skin of a face in a photo uint8 (H, W, 3), of one brand or of all.

    Raises:
        InputError: covered, dark, overexposed, mixed_light, coloured_light; bad_table for an unknown brand.
    """
    shades.within(brand)
    return match_skin(skin_colour(rgb, face, card=card), shades=shades, brand=brand, top=top)


def match_skin(skin: SkinColour, *, shades: ShadeTable, brand: str | None = None, top: int = 5) -> Match:
    """The same for a skin colour that was read already."""
    within = shades.within(brand)
    near = within[np.argsort(delta_e_2000(shades.lab[within], skin.lab), kind="stable")[:_SHORTLIST]]
    apart = delta_e_2000(skin.draws[:, None], shades.lab[near][None])
    order = np.argsort(apart.mean(axis=0), kind="stable")[: max(top, 1)]
    best = np.bincount(apart[:, order].argmin(axis=1), minlength=len(order)) / len(apart)
    found = tuple(
        _suggested(skin, shades, index=int(near[k]), apart=apart[:, k], best=float(best[i]))
        for i, k in enumerate(order)
    )
    return Match(skin, found, brand, _ADVICE[skin.certainty], (*skin.notices, SWATCH_LIMIT))


def _suggested(skin: SkinColour, shades: ShadeTable, *, index: int, apart: F64, best: float) -> Suggested:
    low, high = np.quantile(apart, [0.05, 0.95])
    product = shades.linear[index]
    return Suggested(
        shades.brands[index],
        shades.products[index],
        shades.names[index],
        hex_of(product),
        float(apart.mean()),
        float(low),
        float(high),
        best,
        tuple(worn(skin.linear, product, coverage=c, finish=name) for name, c in COVERAGES.items()),
    )


def worn(skin: AnyArray, product: AnyArray, *, coverage: float, finish: str = "") -> Worn:
    """Skin of linear albedo (3,) under D65 with a film of a product (3,) that hides `coverage` of it."""
    with_it = film(skin, product, thickness=thickness_for(product, np.asarray(coverage))).astype(np.float64)
    lab = lab_of(with_it)
    return Worn(finish, coverage, lab, hex_of(with_it), float(delta_e_2000(lab, lab_of(skin))))


def overlap(one: Sequence[Suggested], other: Sequence[Suggested]) -> float:
    """Share 0..1 of the shades of one list that are in the other too."""
    named = {(s.brand, s.product, s.name) for s in other}
    return sum((s.brand, s.product, s.name) in named for s in one) / max(len(one), 1)
