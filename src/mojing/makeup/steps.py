"""A look as a lesson: ordered steps in words, for one face.

The order is a make-up artist's (skin, then form, then eyes, then lips) and not the order in which the layers are
painted: dye and lenses come before everything, and skin is prepared even if the look does not say so. Every step tells
the tool, how much, where to begin, which way to go and how to blend, by kind, pattern, finish, and the face's own form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mojing.core.arrays import AnyArray
from mojing.makeup.cautions import cautions
from mojing.makeup.kinds import AREAS, ONE_SIDED, SIDES
from mojing.makeup.look import Layer, Look
from mojing.makeup.names import FINISH_NAMES, PATTERN_NAMES, REGION_NAMES
from mojing.makeup.strokes import WINGED, wing_tip
from mojing.makeup.traits import Traits, traits
from mojing.makeup.wording import Words, joined, plain, roles, say, shade_name, table
from mojing.perception.faceview import FaceView

_NO_EXTENT: Final = frozenset({"remove", "smooth", "foundation", "concealer", "brows", "lens", "hair", "lashes"})
"""Kinds that have no extent to speak of."""
_NO_EDGE: Final = frozenset({"remove", "smooth", "foundation", "lens", "hair", "lashes", "brows"})
_OWN_SKIN: Final = frozenset({"foundation", "concealer"})
"""Kinds whose shade is found on the skin; a colour without a name says little of what to buy."""
_PAIRED: Final = frozenset({"brows", "eyeliner", "contour"})


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Attributes:
        kind: one of `KINDS`, or `prepare` or `check`, which belong to no layer.
        layer: index of the look's layer that it puts on, or None.
        title: what is done.
        products: what is taken, one text a shade.
        tool: with what.
        dose: how much.
        how: sentences in order.
        person: what concerns this face in particular.
        warnings: what to mind; may be empty.
    """

    kind: str
    layer: int | None
    title: Words
    products: tuple[Words, ...]
    tool: Words
    dose: Words
    how: tuple[Words, ...]
    person: tuple[Words, ...]
    warnings: tuple[Words, ...]


def steps(look: Look, face: FaceView, *, skin: AnyArray | None = None) -> tuple[Step, ...]:
    """The steps of a look for one face, in the order in which they are done.

    `skin` (3,) is the albedo of the wearer's skin in linear light (`cautions.skin_colour`), or None where it is not
    known: then nothing is said of how a shade comes out. Layers put on with amount 0 are left out.
    """
    known = traits(face)
    rank = {kind: place for place, kind in enumerate(table()["order"])}
    worn = [(i, layer) for i, layer in enumerate(look.layers) if layer.amount > 0 and layer.coverage > 0]
    worn.sort(key=lambda item: (rank[item[1].kind], item[0]))
    made = [_step(layer, i, face=face, known=known, skin=skin) for i, layer in worn]
    made += [_frame("prepare", known, face), _frame("check", known, face)]
    return tuple(sorted(made, key=lambda step: rank[step.kind]))


def about(face: FaceView) -> tuple[Words, ...]:
    """What the photo says of a face, as short lines; a face that is turned too far is only said to be so."""
    known = traits(face)
    if not known.sure:
        return (table()["warnings"]["turned"],)
    shapes = table()["shapes"]
    if known.other:
        shape = say("shape_near", {"shape": shapes[known.shape], "other": shapes[known.other]})
    else:
        shape = say("shape_is", {"shape": shapes[known.shape]})
    corner = _first(known.hints, ("downturned", "upturned"), "level")
    return shape, say(f"corner_{corner}")


def _first(hints: Iterable[str], names: tuple[str, ...], otherwise: str) -> str:
    return next((hint for hint in hints if hint in names), otherwise)


def _frame(kind: str, known: Traits, face: FaceView) -> Step:
    """A step that no layer asks for: before the first and after the last product."""
    entry = table()["kinds"][kind]
    hints = ("glasses",) if kind == "prepare" and _shows(face, "glasses") else ()
    return Step(
        kind=kind,
        layer=None,
        title=entry["title"],
        products=(),
        tool=entry["tool"],
        dose=entry["dose"],
        how=tuple(entry["patterns"]["full"]["how"]),
        person=_person(kind, "full", known=known, more=hints),
        warnings=(),
    )


def _step(layer: Layer, index: int, *, face: FaceView, known: Traits, skin: AnyArray | None) -> Step:
    entry = table()["kinds"][layer.kind]
    pattern = entry["patterns"][layer.pattern]
    more = [part for part in ("beard", "hair") if layer.kind == "foundation" and _shows(face, part)]
    warnings = table()["warnings"]
    return Step(
        kind=layer.kind,
        layer=index,
        title=_title(layer, entry),
        products=_products(layer),
        tool=pattern.get("tool", entry["tool"]),
        dose=_dose(layer, entry),
        how=_how(layer, entry, wing=_wing(layer, face, known)),
        person=_person(layer.kind, layer.pattern, known=known, more=tuple(more)),
        warnings=tuple(warnings[name] for name in cautions(layer, skin=skin, face=face)),
    )


def _title(layer: Layer, entry: dict[str, Any]) -> Words:
    title: Words = entry["title"]
    if len(entry["patterns"]) > 1:
        name = PATTERN_NAMES[layer.kind][layer.pattern]
        title = Words(f"{title.en}: {name['en']}", f"{title.zh}：{name['zh']}")
    areas = [word for word in layer.region if word not in SIDES]
    if areas:
        listed = joined([_region(word) for word in areas])
        title = Words(f"{title.en} ({listed.en})", f"{title.zh}（{listed.zh}）")
    return title


def _region(word: str) -> Words:
    name = REGION_NAMES[word]
    return Words(name["en"], name["zh"])


def _products(layer: Layer) -> tuple[Words, ...]:
    finish = FINISH_NAMES[layer.finish]
    of = layer.product
    brand = f"{of.brand} " if of and of.brand else ""
    out = []
    for shade in layer.shades:
        name = shade_name(shade)
        if layer.kind in _OWN_SKIN and not (brand or shade.name):
            name = say("base_colour", {"colour": name})
        if layer.kind in ("lens", "hair"):
            out.append(Words(f"{brand}{name.en}", f"{brand}{name.zh}"))
        else:
            out.append(Words(f"{brand}{name.en}, {finish['en']}", f"{brand}{name.zh}，{finish['zh']}"))
    return tuple(out)


def _dose(layer: Layer, entry: dict[str, Any]) -> Words:
    dose: Words = entry["dose"]
    if "dose_group" not in entry:
        return dose
    cover = layer.amount * layer.coverage
    strength = say(f"{entry['dose_group']}_{'thin' if cover < 0.3 else 'medium' if cover < 0.65 else 'dense'}")
    return Words(f"{dose.en}; {strength.en}", f"{dose.zh}；{strength.zh}")


def _how(layer: Layer, entry: dict[str, Any], *, wing: Words) -> tuple[Words, ...]:
    values = roles(layer) | {"wing": wing}
    pattern = entry["patterns"][layer.pattern]
    pans = [text for count, text in pattern.get("pans", {}).items() if len(layer.shades) >= int(count)]
    sayings = entry.get("areas", {})
    areas = [word for word in AREAS[layer.kind] if layer.has(word)]
    named = len(areas) < len(AREAS[layer.kind])
    own = layer.pattern in entry.get("areas_when_named", ())
    out = [] if own and named else [sentence.filled(values) for sentence in (*pattern["how"], *pans)]
    if sayings and (named if own else "areas_when_named" not in entry):
        out += [sayings[word] for word in areas]
    elif named:
        out.append(say("areas", {"areas": joined([_region(word) for word in areas])}))
    group = entry.get("finish_group")
    if group:
        out.append(table()["finishes"][group][layer.finish])
    return (*out, *_extent(layer), *_side(layer))


def _extent(layer: Layer) -> list[Words]:
    """What the layer's size and softness say."""
    out = []
    percent = {"percent": plain(5 * round(abs(layer.size - 1.0) * 20))}
    if layer.kind not in _NO_EXTENT and not 0.84 < layer.size < 1.16:
        out.append(say("larger" if layer.size > 1.0 else "smaller", percent))
    if layer.kind not in _NO_EDGE and not 0.25 < layer.softness < 0.75:
        out.append(say("soft" if layer.softness >= 0.75 else "crisp"))
    return out


def _side(layer: Layer) -> list[Words]:
    if layer.kind in ONE_SIDED:
        return []
    sides = [side for side in SIDES if layer.has(side)]
    if len(sides) == 1:
        return [say(f"{sides[0]}_only")]
    return [say("both_sides")] if layer.kind in _PAIRED else []


def _person(kind: str, pattern: str, *, known: Traits, more: tuple[str, ...] = ()) -> tuple[Words, ...]:
    """Advice for this face; advice that would work against the pattern keeps quiet."""
    sayings = table()["person"].get(kind, {})
    only = table()["person_patterns"].get(kind, {})
    values = {"mm": plain(f"{abs(known.brow_mm):.0f}")}
    hints = (*known.hints, *more)
    told = [hint for hint in hints if hint in sayings and pattern in only.get(hint, [pattern])]
    return tuple(sayings[hint].filled(values) for hint in told)


def _wing(layer: Layer, face: FaceView, known: Traits) -> Words:
    """How long the drawn wing is beyond the corner of the eye, in mm; nothing where it cannot be told."""
    silent = plain("")
    if layer.kind != "eyeliner" or layer.pattern not in WINGED or not known.sure:
        return silent
    ends = {side: wing_tip(layer, face, side=side) for side in SIDES if layer.has(side)}
    corners = {"left": face.mesh[263, :2], "right": face.mesh[33, :2]}
    found = [float(np.hypot(*(tip - corners[side]))) for side, tip in ends.items() if tip is not None]
    mm = max(found, default=0.0) * known.mm_per_px
    return say("wing_mm", {"mm": plain(round(mm))}) if 1.0 <= mm <= 30.0 else silent


def _shows(face: FaceView, part: str) -> bool:
    """Whether hair, glasses or a beard lie over a fair part of the face."""
    rows, cols = face.box.slices(face.hw)
    if rows.stop - rows.start < 2 or cols.stop - cols.start < 2:
        return False
    covered = face.part(part, box=face.box) > 0.5
    limit = {"hair": 0.12, "beard": 0.06}.get(part, 0.03)
    return bool(covered.mean() > limit)
