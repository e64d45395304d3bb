"""Products of any brands from one CSV or JSON file, and the demonstration catalogue and looks that are shipped."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mojing.core.errors import InputError
from mojing.core.files import read_text
from mojing.makeup.kinds import KINDS
from mojing.makeup.look import MAX_TEXT, Look, Product, Shade, is_name, loads, read_shade

COLUMNS: Final = ("id", "brand", "product", "kind", "shade", "hex", "spectrum", "finish", "coverage")
"""Columns of a CSV catalogue, in any order; `id` may be missing or empty, and one of `hex` and `spectrum`."""

MAX_BYTES: Final = 64 * 2**20
_HINT = "docs/look.md says what a catalogue may hold"
_FIELDS = ("id", "brand", "product", "kind", "finish", "coverage", "shades")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Products by id."""

    products: Mapping[str, Product]

    @classmethod
    def load(cls, path: str | Path) -> Catalogue:
        """Read a catalogue: CSV with one row a shade, or JSON with one object a product.

        Raises:
            InputError: not_found, bad_catalogue.
        """
        path = Path(path)
        text = read_text(path, what="catalogue", code="bad_catalogue", most=MAX_BYTES, hint=_HINT)
        return cls.of_json(text) if path.suffix.lower() == ".json" else cls.of_csv(text)

    @classmethod
    @cache
    def shipped(cls) -> Catalogue:
        """The demonstration catalogue: invented brands, every kind of product."""
        return cls.of_csv(_data("catalogue.csv"))

    @classmethod
    def of_csv(cls, text: str) -> Catalogue:
        """Catalogue of CSV text with a head row of `COLUMNS`; rows of one product need not follow each other."""
        reader = csv.DictReader(io.StringIO(text, newline=""))
        try:
            head = [name.strip() for name in reader.fieldnames or ()]
        except csv.Error as exc:
            raise _fault("row 1", f"CSV; this is not: {exc}") from exc
        unknown = [name for name in head if name not in COLUMNS]
        missing = [name for name in COLUMNS if name not in head and name not in ("id", "hex", "spectrum")]
        if unknown or missing or not ({"hex", "spectrum"} & set(head)) or len(set(head)) != len(head):
            raise _fault("row 1", f"the columns {', '.join(COLUMNS)}, each once", ", ".join(head))
        reader.fieldnames = head
        found: dict[str, tuple[dict[str, Any], list[Shade], str]] = {}
        try:
            for number, row in enumerate(reader, start=2):
                if None in row or None in row.values():
                    raise _fault(f"row {number}", f"{len(head)} cells")
                _add(found, {name: cell.strip() for name, cell in row.items()}, f"row {number}")
        except csv.Error as exc:
            raise _fault(f"row {reader.line_num}", f"CSV; this is not: {exc}") from exc
        return cls.of(_product(about, shades, place) for about, shades, place in found.values())

    @classmethod
    def of_json(cls, text: str) -> Catalogue:
        """Catalogue of JSON text: {"products": [{"brand", "product", "kind", "finish", "coverage", "shades": [{"name",
        "hex" or "spectrum"}, ...]}, ...]}, each with its own "id" if wanted."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise _fault("the catalogue", f"JSON; this is not: {exc}") from exc
        if not isinstance(data, dict) or set(data) != {"products"} or not isinstance(data["products"], list):
            raise _fault("the catalogue", '{"products": [...]}')
        return cls.of(_of_object(item, f"products[{i}]") for i, item in enumerate(data["products"]))

    @classmethod
    def of(cls, products: Iterable[Product]) -> Catalogue:
        """Catalogue of products, whose ids must differ."""
        found: dict[str, Product] = {}
        for product in products:
            if product.id in found:
                raise _fault(product.id, "the id of one product only")
            found[product.id] = product
        return cls(MappingProxyType(found))

    def of_kind(self, *kinds: str) -> tuple[Product, ...]:
        """The products of these kinds, in the order of the file."""
        return tuple(product for product in self.products.values() if product.kind in kinds)


def product_id(brand: str, name: str) -> str:
    """What a product is called in look files unless the catalogue says otherwise: `brand-product` in small letters."""
    words = re.findall(r"\w+", f"{brand} {name}".lower())
    return "-".join(words)


def shipped_looks() -> tuple[str, ...]:
    """Names of the shipped looks, the plainest first."""
    return _LOOKS


@cache
def shipped_look(name: str) -> Look:
    """A shipped look by name.

    Raises:
        InputError: not_found.
    """
    if name not in _LOOKS:
        raise InputError("not_found", f"there is no look {name!r}", "see `mojing makeup looks`, or give a file")
    return loads(_data(f"looks/{name}.json"), products=Catalogue.shipped().products)


_LOOKS: Final = (
    "natural",
    "office",
    "groomed",
    "dewy",
    "peach",
    "igari",
    "bridal",
    "sun-kissed",
    "retro",
    "evening",
    "smoky",
    "bronze-halo",
    "gothic",
    "festival",
    "editorial",
    "full",
)


def _data(name: str) -> str:
    return resources.files(__package__).joinpath("data", *name.split("/")).read_text(encoding="utf-8")


def _add(found: dict[str, tuple[dict[str, Any], list[Shade], str]], row: dict[str, str], place: str) -> None:
    """One row of a CSV file put with the others of its product."""
    colour: dict[str, Any] = {"name": row["shade"]}
    if row.get("hex"):
        colour["hex"] = row["hex"]
    if row.get("spectrum"):
        try:
            colour["spectrum"] = [float(word) for word in re.split(r"[\s;]+", row["spectrum"])]
        except ValueError as exc:
            raise _fault(f"{place}: spectrum", "numbers with blanks between them", row["spectrum"]) from exc
    key = row.get("id") or product_id(row["brand"], row["product"])
    about: dict[str, Any] = {name: row[name] for name in ("brand", "product", "kind", "finish", "coverage")}
    known, shades, _ = found.setdefault(key, ({"id": key, **about}, [], place))
    for name, value in about.items():
        if known[name] != value:
            raise _fault(f"{place}: {name}", f"{known[name]}, as in the product's other rows", value)
    if not row["shade"] or any(shade.name == row["shade"] for shade in shades):
        raise _fault(f"{place}: shade", "a name that the product has no other shade of", row["shade"])
    shades.append(_shade(colour, place))


def _of_object(item: object, place: str) -> Product:
    if not isinstance(item, dict) or not set(item) <= set(_FIELDS):
        raise _fault(place, f"an object of {', '.join(_FIELDS)}")
    missing = [name for name in _FIELDS[1:] if name not in item]
    if missing:
        raise _fault(place, f"an object with {', '.join(missing)}")
    if not isinstance(item["shades"], list) or not all(isinstance(shade, dict) for shade in item["shades"]):
        raise _fault(f"{place}.shades", "a list of objects")
    shades = [_shade(shade, f"{place}.shades[{i}]") for i, shade in enumerate(item["shades"])]
    names = [shade.name for shade in shades]
    if "" in names or len(set(names)) != len(names):
        raise _fault(f"{place}.shades", "shades with names that differ")
    key = item.get("id") or product_id(str(item["brand"]), str(item["product"]))
    return _product({**item, "id": key}, shades, place)


def _shade(fields: Mapping[str, Any], place: str) -> Shade:
    unknown = set(fields) - {"name", "hex", "spectrum"}
    if unknown:
        raise _fault(f"{place}.{min(unknown)}", "one of the fields name, hex, spectrum")
    try:
        return read_shade(fields, place)
    except InputError as exc:
        raise InputError("bad_catalogue", str(exc), _HINT) from exc


def _product(about: Mapping[str, Any], shades: list[Shade], place: str) -> Product:
    for name in ("id", "brand", "product", "kind"):
        if not is_name(about[name]) or not about[name]:
            raise _fault(f"{place}: {name}", f"text of at most {MAX_TEXT} characters that can be printed", about[name])
    if about["kind"] not in KINDS or about["kind"] in ("remove", "smooth"):
        kinds = [kind for kind in KINDS if kind not in ("remove", "smooth")]
        raise _fault(f"{place}: kind", f"one of {', '.join(kinds)}", about["kind"])
    if not shades:
        raise _fault(place, "a product with a shade")
    coverage: Any = about["coverage"]
    try:
        coverage = float(coverage) if isinstance(coverage, str) else coverage
        return Product(
            id=about["id"],
            brand=about["brand"],
            name=about["product"],
            kind=about["kind"],
            finish=about["finish"],
            coverage=coverage,
            shades=tuple(shades),
        )
    except ValueError as exc:
        raise _fault(f"{place}: coverage", "a number in 0..1", coverage) from exc
    except InputError as exc:
        raise InputError("bad_catalogue", f"{place}: {exc}", _HINT) from exc


def _fault(place: str, allowed: str, got: object = None) -> InputError:
    was = "" if got is None else f", not {got!r:.80}"
    return InputError("bad_catalogue", f"{place}: must be {allowed}{was}", _HINT)
