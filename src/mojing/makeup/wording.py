"""Sentences in two languages, kept in data/tutorial.json: what to do for every kind and pattern, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np

from mojing.core.color import delta_e_2000, rgb_to_lab
from mojing.makeup.look import Layer, Shade
from mojing.makeup.names import Language

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

TAGS: Final[dict[Language, str]] = {"zh": "zh-Hans", "en": "en"}
"""BCP 47 tags of the languages, for readers and browsers."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text in every language."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """The text in one language."""
        return self.en if language == "en" else self.zh

    def filled(self, values: Mapping[str, Words]) -> Words:
        """The text with every {name} replaced; a name that is not given is a mistake of the program."""
        return Words(
            self.en.format_map({name: value.en for name, value in values.items()}),
            self.zh.format_map({name: value.zh for name, value in values.items()}),
        )


def plain(text: object) -> Words:
    """What reads alike in every language: a name, a number."""
    return Words(str(text), str(text))


@cache
def table() -> dict[str, Any]:
    """The whole of data/tutorial.json, with `Words` in place of its texts."""
    text = (resources.files("mojing.makeup") / "data" / "tutorial.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, object_hook=_words)
    return found


def _words(data: dict[str, Any]) -> object:
    return Words(data["en"], data["zh"]) if data.keys() == {"en", "zh"} else data


def say(name: str, values: Mapping[str, Words] | None = None) -> Words:
    """A text of the page itself."""
    words: Words = table()["say"][name]
    return words.filled(values or {})


def joined(items: Sequence[Words], *, by: str = "list") -> Words:
    """Texts as a list in one sentence; `by` is how `say` calls what stands between them."""
    between = say(by)
    return Words(between.en.join(item.en for item in items), between.zh.join(item.zh for item in items))


@cache
def _colours() -> tuple[tuple[Words, ...], Any]:
    named = table()["colours"]
    rgb = np.array([list(bytes.fromhex(code[1:])) for code in named], np.uint8)
    return tuple(named.values()), rgb_to_lab(rgb)


def colour_name(shade: Shade) -> Words:
    """What people call the colour: the nearest of the named ones (CIEDE2000)."""
    names, labs = _colours()
    lab = rgb_to_lab(np.frombuffer(bytes.fromhex(shade.hex[1:]), np.uint8))
    return names[int(np.argmin(delta_e_2000(lab, labs)))]


def shade_name(shade: Shade) -> Words:
    """A shade by its colour, and by its own name if it has one."""
    colour = colour_name(shade)
    if not shade.name:
        return colour
    return Words(f'{colour.en} "{shade.name}"', f"{colour.zh}“{shade.name}”")


_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")


def roles(layer: Layer) -> dict[str, Words]:
    """What the sentences of a pattern call the layer's shades: `first` to `fifth`, `last`, and `order` for all of them.

    A layer without shades, or with fewer than its sentences name, repeats the last that is known.
    """
    names = [shade_name(shade) for shade in layer.shades] or [say("reference_colour")]
    by_place = {name: names[min(i, len(names) - 1)] for i, name in enumerate(_ORDINALS)}
    return by_place | {"last": names[-1], "order": joined(names, by="then")}
