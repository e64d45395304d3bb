"""Settings of a recipe: a dataclass whose fields are command-line flags and whose field docstrings are their help."""

from __future__ import annotations

import argparse
import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass
class Basics:
    """What the recipe of every network of the project is told."""

    data: Path = Path("data")
    """folder of the data sets"""
    threads: int = 2
    """CPU threads"""
    seed: int = 0
    """seed of weights and augmentation"""


@dataclass
class Taught(Basics):
    """What the recipe of a network that learns from the teacher is told."""

    teacher: Path = Path("data/teacher")
    """folder of the teacher's labels, one sub-folder a set"""


def field_help(cls: type) -> dict[str, str]:
    """Field name -> the string literal that stands below it in the source of the class or of one it inherits from."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        found |= _own_help(each) if is_dataclass(each) else {}
    return found


def _own_help(cls: type) -> dict[str, str]:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(node, ast.ClassDef)
    found: dict[str, str] = {}
    name = ""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            name = item.target.id
        elif isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and name:
            found[name] = str(item.value.value)
    return found


def parse_options(cls: type[T], argv: Sequence[str] | None, *, defaults: Mapping[str, Any] | None = None) -> T:
    """An instance of the dataclass `cls` from command-line flags: one flag a field, type and default as declared; its
    own come before those it inherits.

    A bool becomes --flag and --no-flag, a Literal a choice; of `X | None` the flag takes an X. `defaults` replace those
    declared.
    """
    parser = argparse.ArgumentParser(description=cls.__doc__)
    help_of, types, given = field_help(cls), get_type_hints(cls), defaults or {}
    own = inspect.get_annotations(cls)
    for f in sorted(fields(cls), key=lambda f: f.name not in own):  # type: ignore[arg-type]
        assert f.default is not MISSING, f"{cls.__name__}.{f.name} needs a default"
        default = given.get(f.name, f.default)
        text = help_of[f.name] + ("" if default is None else f" ({default})")
        how = _argument(types[f.name])
        parser.add_argument(f"--{f.name.replace('_', '-')}", default=default, help=text.replace("%", "%%"), **how)
    return cls(**vars(parser.parse_args(argv)))


def _argument(kind: Any) -> dict[str, Any]:
    """What argparse must know of a field's type."""
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return {"type": type(choices[0]), "choices": choices}
    if isinstance(kind, UnionType):
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    return {"type": kind, "metavar": kind.__name__.upper()}
