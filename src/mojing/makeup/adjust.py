"""A look changed by hand, as the command line says it: `lip.shade=#a01830`, `eyeliner.pattern=wing`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mojing.core.errors import InputError
from mojing.makeup.kinds import KINDS
from mojing.makeup.look import LAYER_FIELDS, Layer, Look, Product, ProductRef, Shade

FIELDS: Final = tuple(name for name in LAYER_FIELDS if name not in ("kind", "shades", "residual"))
"""What of a layer can be changed."""

_NUMBERS: Final = ("coverage", "amount", "size", "softness")
_HINT: Final = "write KIND.FIELD=VALUE, such as lip.shade=#a01830 or blush.amount=0.5"


def adjusted(look: Look, changes: Sequence[str], *, products: Mapping[str, Product] | None = None) -> Look:
    """The look with `KIND.FIELD=VALUE` applied to every layer of that kind.

    A kind that the look has not is added when its shade or product is given. `shade` takes hex codes or names of the
    layer's product, several by commas; `product` takes an id, of which the first shades are used unless `shade` names
    others; `region` takes words by commas.

    Raises:
        InputError: bad_look.
    """
    wanted: dict[str, dict[str, str]] = {}
    for change in changes:
        kind, name, value = _parsed(change)
        wanted.setdefault(kind, {})[name] = value
    layers = list(look.layers)
    for kind, values in wanted.items():
        found = [i for i, layer in enumerate(layers) if layer.kind == kind]
        if found:
            for i in found:
                layers[i] = _changed(layers[i], values, products=products or {})
        else:
            layers.insert(_place(layers, kind), _changed(_new(look, kind, values), values, products=products or {}))
    return replace(look, layers=tuple(layers))


def kinds(words: Sequence[str]) -> tuple[str, ...]:
    """Kinds of products named by `words`, each one or several by commas.

    Raises:
        InputError: bad_look.
    """
    found = tuple(part.strip().replace("-", "_") for word in words for part in word.split(",") if part.strip())
    for kind in found:
        if kind not in KINDS:
            raise InputError("bad_look", f"there is no kind of make-up {kind!r:.40}", f"choose of {', '.join(KINDS)}")
    return found


def _parsed(change: str) -> tuple[str, str, str]:
    target, equals, value = change.partition("=")
    kind, dot, name = target.strip().partition(".")
    kind, name = kind.replace("-", "_"), {"shades": "shade", "colour": "shade", "color": "shade"}.get(name, name)
    if not (equals and dot and value.strip()):
        raise InputError("bad_look", f"{change!r:.60} does not say what shall be changed", _HINT)
    if kind not in KINDS:
        raise InputError("bad_look", f"there is no kind of make-up {kind!r:.40}", f"choose of {', '.join(KINDS)}")
    if name not in FIELDS:
        raise InputError("bad_look", f"a layer has no {name!r:.40}", f"choose of {', '.join(FIELDS)}")
    return kind, name, value.strip()


def _place(layers: list[Layer], kind: str) -> int:
    """Before the first layer that is usually put on later."""
    later = [i for i, layer in enumerate(layers) if KINDS.index(layer.kind) > KINDS.index(kind)]
    return later[0] if later else len(layers)


def _new(look: Look, kind: str, values: Mapping[str, str]) -> Layer:
    if kind == "smooth":
        return Layer("smooth")
    if not {"shade", "product"} & set(values):
        has = ", ".join(dict.fromkeys(layer.kind for layer in look.layers)) or "nothing"
        raise InputError(
            "bad_look", f"the look has no {kind}, only {has}", f"give its colour too: {kind}.shade=#rrggbb"
        )
    return Layer(kind, (Shade.of_hex("#808080"),))


def _changed(layer: Layer, values: Mapping[str, str], *, products: Mapping[str, Product]) -> Layer:
    new: dict[str, Any] = {}
    product = None
    if "product" in values:
        product = _product(values["product"], layer.kind, products=products)
        new |= {"finish": product.finish, "coverage": product.coverage, "shades": product.shades[:1]}
        new["product"] = ProductRef(product.id, product.brand, product.shades[0].name)
        new["residual"] = None
    elif layer.product is not None:
        product = products.get(layer.product.id)
    if "shade" in values:
        shades = tuple(_shade(word.strip(), product) for word in values["shade"].split(","))
        bought = product is not None and all(any(s is own for own in product.shades) for s in shades)
        new["shades"] = shades
        new["product"] = (
            ProductRef(product.id, product.brand, ", ".join(s.name for s in shades)) if bought and product else None
        )
        new["residual"] = None
    for name, value in values.items():
        if name in _NUMBERS:
            new[name] = _number(name, value)
        elif name in ("finish", "pattern"):
            new[name] = value
        elif name == "region":
            new[name] = tuple(word.strip() for word in value.split(",") if word.strip())
    return replace(layer, **new)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as exc:
        raise InputError("bad_look", f"{name}: must be a number, not {value!r:.40}", _HINT) from exc


def _product(name: str, kind: str, *, products: Mapping[str, Product]) -> Product:
    found = products.get(name)
    if found is None:
        raise InputError("bad_look", f"there is no product {name!r:.60}", "mojing makeup products lists them")
    if found.kind != kind:
        raise InputError(
            "bad_look", f"{found.id} is {found.kind}, not {kind}", f"write {found.kind}.product={found.id}"
        )
    return found


def _shade(word: str, product: Product | None) -> Shade:
    if not word.startswith("#") and product is not None:
        return product.shade(word)
    return Shade.of_hex(word)
