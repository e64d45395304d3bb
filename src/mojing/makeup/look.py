"""A look: what lies on a face, layer by layer, and the JSON file that says so. See docs/look.md.

A file is read strictly: what is unknown, out of range or of the wrong type is refused with its place in the file and
what is allowed there.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from mojing.core import files
from mojing.core.arrays import F32, U8, readonly
from mojing.core.color import linear_to_srgb, srgb_to_linear, to_uint8
from mojing.core.errors import InputError
from mojing.core.image import encode
from mojing.makeup.kinds import FINISHES, KINDS, PATTERNS, regions, shade_counts
from mojing.makeup.spectrum import WAVELENGTHS, linear_of_spectrum

__all__ = [
    "FINISHES",
    "KINDS",
    "PATTERNS",
    "VERSION",
    "Layer",
    "Look",
    "Product",
    "ProductRef",
    "Shade",
    "dumps",
    "load",
    "loads",
    "save",
]

VERSION: Final = 1
"""Version of the file format."""

MAX_LAYERS: Final = 64
MAX_BYTES: Final = 2**20
MAX_TEXT: Final = 200

SIZES: Final = (0.5, 2.0)
"""Least and greatest `size` of a layer; 1 is the usual one."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_HINT = "docs/look.md says what a look may hold"


@dataclass(frozen=True, eq=False, slots=True)
class Shade:
    """One colour of a product.

    Attributes:
        name: as the brand calls it, may be empty.
        colour: (3,) float32 in 0..1, linear light of the product as a layer through which nothing shows, under D65.
    """

    name: str
    colour: F32

    def __post_init__(self) -> None:
        colour = np.asarray(self.colour, np.float32)
        if colour.shape != (3,) or not (np.isfinite(colour).all() and (colour >= 0).all() and (colour <= 1).all()):
            raise _fault("colour", "three numbers in 0..1 in linear light")
        object.__setattr__(self, "colour", readonly(colour))

    @classmethod
    def of_hex(cls, code: str, name: str = "") -> Shade:
        """Shade of an sRGB code `#rrggbb`."""
        if not isinstance(code, str) or not _HEX.fullmatch(code):
            raise _fault("hex", "a colour like #a1203c", code)
        return cls(name, srgb_to_linear(np.frombuffer(bytes.fromhex(code[1:]), np.uint8)))

    @property
    def hex(self) -> str:
        """`#rrggbb` in sRGB, rounded to whole bytes."""
        red, green, blue = to_uint8(linear_to_srgb(self.colour))
        return f"#{red:02x}{green:02x}{blue:02x}"


@dataclass(frozen=True, eq=False, slots=True)
class Product:
    """Something that can be bought: `shades` by name, each of them one colour; `coverage` as in `Layer`."""

    id: str
    brand: str
    name: str
    kind: str
    finish: str
    coverage: float
    shades: tuple[Shade, ...]

    def __post_init__(self) -> None:
        _check_word("kind", self.kind, KINDS)
        _check_word("finish", self.finish, FINISHES)
        object.__setattr__(self, "coverage", _number("coverage", self.coverage, (0.0, 1.0)))

    def shade(self, name: str) -> Shade:
        """The shade of that name.

        Raises:
            InputError: bad_look.
        """
        found = [s for s in self.shades if s.name == name]
        if not found:
            raise _fault("shade", f"one of {self.id}'s: {', '.join(s.name for s in self.shades)}", name)
        return found[0]


@dataclass(frozen=True, slots=True)
class ProductRef:
    """Which product a layer is made of, for the shopping list: its id, brand and the names of the shades used."""

    id: str
    brand: str = ""
    shade: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """One product on the face.

    Attributes:
        kind: one of `KINDS`.
        shades: as many as the pattern takes, see `kinds.shade_counts`; none where a residual holds the colours.
        finish: one of `FINISHES`.
        coverage: 0..1, how much of the skin the product hides where it is fully laid on.
        amount: 0..1, the wearer's slider: how much of it is put on.
        pattern: one of `PATTERNS[kind]`; empty = its first.
        region: sides and areas that the layer is kept to (`kinds.regions`); none = everywhere that it belongs.
        size: 0.5..2, of what the pattern draws (length of lashes, width of a line, reach of a blush); 1 = usual.
        softness: 0..1, how far edges fade out; 0.5 = usual for the kind.
        product: what was bought, or None.
        residual: RGBA picture in mesh UV that says what the shades cannot, or None: the path of a PNG, or (s, s, 4)
            uint8. See `residual.py` for what it means.
    """

    kind: str
    shades: tuple[Shade, ...] = ()
    finish: str = "satin"
    coverage: float = 0.6
    amount: float = 1.0
    pattern: str = ""
    region: tuple[str, ...] = ()
    size: float = 1.0
    softness: float = 0.5
    product: ProductRef | None = None
    residual: Path | U8 | None = None

    def __post_init__(self) -> None:
        _check_word("kind", self.kind, KINDS)
        _check_word("finish", self.finish, FINISHES)
        if not self.pattern:
            object.__setattr__(self, "pattern", PATTERNS[self.kind][0])
        _check_word("pattern", self.pattern, PATTERNS[self.kind])
        for name, bounds in (
            ("coverage", (0.0, 1.0)),
            ("amount", (0.0, 1.0)),
            ("size", SIZES),
            ("softness", (0.0, 1.0)),
        ):
            object.__setattr__(self, name, _number(name, getattr(self, name), bounds))
        for word in self.region:
            _check_word("region", word, regions(self.kind))
        if isinstance(self.residual, np.ndarray):
            if self.residual.dtype != np.uint8 or self.residual.ndim != 3 or self.residual.shape[2] != 4:
                raise _fault("residual", "an RGBA picture in uint8", f"{self.residual.dtype} {self.residual.shape}")
            object.__setattr__(self, "residual", readonly(self.residual))
        if len(set(self.region)) != len(self.region):
            raise _fault("region", "each word once", list(self.region))
        least, most = shade_counts(self.kind, self.pattern)
        if not least <= len(self.shades) <= most and (self.residual is None or self.shades):
            count = f"{least}" if least == most else f"{least} to {most}"
            raise _fault("shades", f"{count} for {self.kind} {self.pattern}", len(self.shades))

    def has(self, word: str) -> bool:
        """Whether a side or an area is painted."""
        from_same = [w for w in self.region if (w in ("left", "right")) == (word in ("left", "right"))]
        return not from_same or word in from_same


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """A named list of layers, painted first to last."""

    name: str
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if len(self.layers) > MAX_LAYERS:
            raise _fault("layers", f"at most {MAX_LAYERS}", len(self.layers))

    def only(self, *kinds: str) -> Look:
        """The same look with the layers of these kinds alone."""
        return replace(self, layers=tuple(layer for layer in self.layers if layer.kind in kinds))

    def at(self, amount: float) -> Look:
        """The same look put on `amount` (0..1) times as thickly."""
        return replace(self, layers=tuple(replace(la, amount=la.amount * amount) for la in self.layers))


# -- reading ---------------------------------------------------------------------------------------------------


def load(path: str | Path, *, products: Mapping[str, Product] | None = None) -> Look:
    """Read a look's file; residuals are looked for beside it.

    `products` are those that layers may name instead of colours; see `catalogue`.

    Raises:
        InputError: not_found, bad_look.
    """
    path = Path(path)
    text = files.read_text(path, what="look file", code="bad_look", most=MAX_BYTES, hint=_HINT)
    look = loads(text, products=products)
    beside = [path.parent / la.residual if isinstance(la.residual, Path) else None for la in look.layers]
    return replace(look, layers=tuple(replace(la, residual=at) for la, at in zip(look.layers, beside, strict=True)))


def loads(text: str, *, products: Mapping[str, Product] | None = None) -> Look:
    """Read a look from JSON text.

    Raises:
        InputError: bad_look, with the place of the fault as in `layers[2].shades[0].hex`.
    """
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        raise InputError("bad_look", f"a look is JSON; this is not: {exc}", _HINT) from exc
    fields = _fields(data, "", known=("version", "name", "layers"), needed=("version", "layers"))
    if fields["version"] != VERSION or isinstance(fields["version"], bool):
        raise _fault("version", f"{VERSION}", fields["version"])
    items = _list(fields["layers"], "layers", most=MAX_LAYERS)
    layers = tuple(_layer(item, f"layers[{i}]", products=products or {}) for i, item in enumerate(items))
    return Look(_text(fields.get("name", ""), "name"), layers)


LAYER_FIELDS: Final = (
    "kind",
    "shades",
    "finish",
    "coverage",
    "amount",
    "pattern",
    "region",
    "size",
    "softness",
    "product",
    "shade",
    "residual",
)


def _layer(data: object, path: str, *, products: Mapping[str, Product]) -> Layer:
    fields = _fields(data, path, known=LAYER_FIELDS, needed=())
    ref, product, shades = _product(fields, path, products=products)
    if "shades" in fields:
        items = _list(fields["shades"], f"{path}.shades", most=5)
        shades = tuple(_shade(item, f"{path}.shades[{i}]") for i, item in enumerate(items))
    kind = fields.get("kind", product.kind if product else None)
    if product is not None and kind != product.kind:
        raise _fault(f"{path}.kind", f"{product.kind}, as product {product.id} is", kind)
    try:
        return Layer(
            kind=_text(kind, "kind"),
            shades=shades,
            finish=fields.get("finish", product.finish if product else "satin"),
            coverage=fields.get("coverage", product.coverage if product else 0.6),
            amount=fields.get("amount", 1.0),
            pattern=_text(fields.get("pattern", ""), "pattern"),
            region=_words(fields.get("region", []), "region"),
            size=fields.get("size", 1.0),
            softness=fields.get("softness", 0.5),
            product=ref,
            residual=_residual(fields.get("residual")),
        )
    except InputError as exc:
        raise InputError("bad_look", f"{path}.{exc}", exc.hint) from exc


def _product(
    fields: Mapping[str, Any], path: str, *, products: Mapping[str, Product]
) -> tuple[ProductRef | None, Product | None, tuple[Shade, ...]]:
    """What a layer's `product` and `shade` say: the reference, the product of the catalogue, and the shades."""
    given = fields.get("product")
    if given is None:
        if "shade" in fields:
            raise _fault(f"{path}.shade", "a product beside it; without one give `shades`")
        return None, None, ()
    if not isinstance(given, str):
        of = _fields(given, f"{path}.product", known=("id", "brand", "shade"), needed=("id",))
        ref = ProductRef(*(_text(of.get(name, ""), f"{path}.product.{name}") for name in ("id", "brand", "shade")))
        if "shade" in fields:
            raise _fault(f"{path}.shade", "no shade here where `product` is an object; put it inside")
        if "shades" in fields:
            return ref, None, ()
        names: tuple[str, ...] = (ref.shade,)
    else:
        if "shades" in fields:
            raise _fault(f"{path}.shades", "either `shades`, or a product's id with `shade`")
        if "shade" not in fields:
            raise _fault(f"{path}.shade", "the name of a shade (or a list of names) of the product")
        names = _words(fields["shade"], f"{path}.shade")
        ref = ProductRef(given, "", ", ".join(names))
    found = products.get(ref.id)
    if found is None:
        raise _fault(f"{path}.product", "a product of the catalogue, or `shades` beside it", ref.id)
    try:
        shades = tuple(found.shade(name) for name in names)
    except InputError as exc:
        raise InputError("bad_look", f"{path}.{exc}", exc.hint) from exc
    return replace(ref, brand=found.brand), found, shades


def _shade(data: object, path: str) -> Shade:
    if isinstance(data, str):
        data = {"hex": data}
    return read_shade(_fields(data, path, known=("name", "hex", "spectrum"), needed=()), path)


def read_shade(fields: Mapping[str, Any], path: str) -> Shade:
    """Shade of `name` and either `hex` or `spectrum` (31 reflectances in 0..1, 400 to 700 nm).

    Raises:
        InputError: bad_look.
    """
    name = _text(fields.get("name", ""), f"{path}.name")
    if ("hex" in fields) == ("spectrum" in fields):
        raise _fault(path, "either `hex` or `spectrum`")
    if "hex" in fields:
        try:
            return Shade.of_hex(fields["hex"], name)
        except InputError as exc:
            raise InputError("bad_look", f"{path}.{exc}", exc.hint) from exc
    values = _list(fields["spectrum"], f"{path}.spectrum", most=len(WAVELENGTHS))
    if len(values) != len(WAVELENGTHS):
        raise _fault(f"{path}.spectrum", f"{len(WAVELENGTHS)} values, 400 to 700 nm in steps of 10", len(values))
    numbers = [_number(f"{path}.spectrum[{i}]", value, (0.0, 1.0)) for i, value in enumerate(values)]
    return Shade(name, linear_of_spectrum(numbers))


def _residual(given: object) -> Path | None:
    if given is None:
        return None
    name = PurePosixPath(_text(given, "residual"))
    beyond = name.is_absolute() or ".." in name.parts or any(letter in str(name) for letter in "\\:")
    if beyond or name.suffix.lower() != ".png":
        raise _fault("residual", "the name of a PNG file beside the look's file", given)
    return Path(name)


# -- writing ---------------------------------------------------------------------------------------------------


def dumps(look: Look) -> str:
    """JSON text that `loads` reads back; what is as usual is left out, colours are rounded to sRGB bytes.

    Residuals that are no files yet get the names that `save` would give them in the current folder.
    """
    names = [_residual_name(look.layers, i, stem="look") for i in range(len(look.layers))]
    return _text_of(look, names)


def save(look: Look, path: str | Path) -> Path:
    """Write a look's file, and beside it the residuals that are no files yet; those that are must lie there or below.

    Raises:
        InputError: unwritable, bad_look.
    """
    path = Path(path)
    folder, names = path.parent.resolve(), list[str]()
    for i, layer in enumerate(look.layers):
        name = _residual_name(look.layers, i, stem=path.stem)
        if isinstance(layer.residual, np.ndarray):
            files.write(path.with_name(name), encode(layer.residual))
        elif layer.residual is not None:
            try:
                name = layer.residual.resolve().relative_to(folder).as_posix()
            except ValueError as exc:
                fault = _fault(f"layers[{i}].residual", "a file beside the look's file", str(layer.residual))
                raise fault from exc
        names.append(name)
    return files.write(path, _text_of(look, names).encode())


def _residual_name(layers: Sequence[Layer], index: int, *, stem: str) -> str:
    """Name of the file of a layer's residual, empty where it has none."""
    residual = layers[index].residual
    if residual is None:
        return ""
    return residual.as_posix() if isinstance(residual, Path) else f"{stem}-{index + 1}-{layers[index].kind}.png"


def _text_of(look: Look, residuals: Sequence[str]) -> str:
    layers = [_plain_layer(layer, name) for layer, name in zip(look.layers, residuals, strict=True)]
    return json.dumps({"version": VERSION, "name": look.name, "layers": layers}, indent=1, ensure_ascii=False) + "\n"


def _plain_layer(layer: Layer, residual: str) -> dict[str, object]:
    shades = [{"name": s.name, "hex": s.hex} if s.name else {"hex": s.hex} for s in layer.shades]
    out: dict[str, object] = {"kind": layer.kind, "pattern": layer.pattern, "shades": shades, "finish": layer.finish}
    out["coverage"] = layer.coverage
    usual = {"amount": 1.0, "size": 1.0, "softness": 0.5}
    out |= {name: getattr(layer, name) for name, value in usual.items() if getattr(layer, name) != value}
    if layer.region:
        out["region"] = list(layer.region)
    if layer.product:
        ref = layer.product
        out["product"] = {k: v for k, v in (("id", ref.id), ("brand", ref.brand), ("shade", ref.shade)) if v}
    if residual:
        out["residual"] = residual
    return out


# -- checks ----------------------------------------------------------------------------------------------------


def _fault(path: str, allowed: str, got: object = None) -> InputError:
    was = "" if got is None else f", not {got!r:.80}"
    return InputError("bad_look", f"{path}: must be {allowed}{was}", _HINT)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _fields(data: object, path: str, *, known: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _fault(path or "the look", "an object { ... }", type(data).__name__)
    dot = f"{path}." if path else ""
    for name in data:
        if name not in known:
            raise _fault(f"{dot}{name:.40}", f"one of the fields {', '.join(known)}")
    for name in needed:
        if name not in data:
            raise _fault(f"{dot}{name}", "given")
    return data


def _list(value: object, path: str, *, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise _fault(
            path, f"a list of at most {most}", type(value).__name__ if not isinstance(value, list) else len(value)
        )
    return value


def _text(value: object, path: str) -> str:
    if not is_name(value):
        raise _fault(path, f"text of at most {MAX_TEXT} characters that can be printed", value)
    assert isinstance(value, str)
    return value


def is_name(value: object) -> bool:
    """Whether a value is a text of moderate length without control characters and halves of characters, which would
    reach terminals and pages."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return False
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value)


def _words(value: object, path: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else _list(value, path, most=8)
    return tuple(_text(item, path) for item in items)


def _check_word(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise _fault(name, f"one of {', '.join(allowed)}" if allowed else "left out for this kind", value)


def _number(name: str, value: object, bounds: tuple[float, float]) -> float:
    low, high = bounds
    # Compared before it is made a float, which whole numbers from a file may be too large for.
    good = isinstance(value, int | float | np.floating) and not isinstance(value, bool) and low <= value <= high
    if not good:
        raise _fault(name, f"a number in {low:g}..{high:g}", value)
    return float(value)  # type: ignore[arg-type]
