"""The JSON Schema of look files, made from the same tables that the reader checks against.

It is shipped as `data/look.schema.json`, so that editors can complete and check look files.
"""

from __future__ import annotations

import json
from typing import Any

from mojing.makeup.kinds import FINISHES, KINDS, PATTERNS, regions, shade_counts
from mojing.makeup.look import MAX_LAYERS, SIZES, VERSION
from mojing.makeup.spectrum import WAVELENGTHS

_UNIT = {"type": "number", "minimum": 0, "maximum": 1}
_TEXT = {"type": "string", "maxLength": 200}


def look_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a look file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mojing look",
        "description": "What lies on a face, layer by layer; see docs/look.md.",
        "type": "object",
        "additionalProperties": False,
        "required": ["version", "layers"],
        "properties": {
            "version": {"const": VERSION},
            "name": _TEXT,
            "layers": {"type": "array", "maxItems": MAX_LAYERS, "items": {"$ref": "#/$defs/layer"}},
        },
        "$defs": {"layer": _layer(), "shade": _shade(), "product": _product()},
    }


def schema_text() -> str:
    """The schema as the shipped file holds it."""
    return json.dumps(look_schema(), indent=1, ensure_ascii=False) + "\n"


def _layer() -> dict[str, Any]:
    words = list(dict.fromkeys(word for kind in KINDS for word in regions(kind)))
    word = {"type": "string", "enum": words}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "kind": {"enum": list(KINDS)},
            "pattern": {"enum": list(dict.fromkeys(name for names in PATTERNS.values() for name in names))},
            "shades": {"type": "array", "maxItems": 5, "items": {"$ref": "#/$defs/shade"}},
            "finish": {"enum": list(FINISHES)},
            "coverage": _UNIT,
            "amount": {**_UNIT, "default": 1},
            "region": {"oneOf": [word, {"type": "array", "items": word, "uniqueItems": True, "maxItems": 8}]},
            "size": {"type": "number", "minimum": SIZES[0], "maximum": SIZES[1], "default": 1},
            "softness": {**_UNIT, "default": 0.5},
            "product": {"oneOf": [_TEXT, {"$ref": "#/$defs/product"}]},
            "shade": {"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "maxItems": 5}]},
            "residual": {"type": "string", "pattern": r"\.[pP][nN][gG]$"},
        },
        "anyOf": [{"required": ["kind"]}, {"required": ["product", "shade"]}],
        "allOf": [_of_kind(kind) for kind in KINDS],
    }


def _of_kind(kind: str) -> dict[str, Any]:
    """What follows from a layer's kind: its patterns, its sides and areas, and how many shades its patterns take."""
    most = max(shade_counts(kind, pattern)[1] for pattern in PATTERNS[kind])
    allowed: dict[str, Any] = {"pattern": {"enum": list(PATTERNS[kind])}, "shades": {"maxItems": most}}
    words = list(regions(kind))
    allowed["region"] = {"oneOf": [{"enum": words}, {"type": "array", "items": {"enum": words}}]} if words else False
    return {"if": {"required": ["kind"], "properties": {"kind": {"const": kind}}}, "then": {"properties": allowed}}


def _shade() -> dict[str, Any]:
    count = len(WAVELENGTHS)
    code = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
    spectrum = {"type": "array", "items": _UNIT, "minItems": count, "maxItems": count}
    fields = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"name": _TEXT, "hex": code, "spectrum": spectrum},
        "oneOf": [{"required": ["hex"]}, {"required": ["spectrum"]}],
    }
    return {"oneOf": [code, fields]}


def _product() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {"id": _TEXT, "brand": _TEXT, "shade": _TEXT},
    }
