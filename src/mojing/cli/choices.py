"""Choices that several groups of commands offer."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """What kind of garment a photo shows; `auto` lets the garment network say."""

    auto = "auto"
    top = "top"
    outer = "outer"
    dress = "dress"
    skirt = "skirt"
    trousers = "trousers"
