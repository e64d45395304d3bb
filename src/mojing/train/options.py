"""Settings of a recipe: a dataclass whose fields are command-line flags and whose field docstrings are their help."""

from __future__ import annotations

import argparse
import ast
import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import TypeVar

T = TypeVar("T")


def field_help(cls: type) -> dict[str, str]:
    """Field name -> the string literal that stands below it in the class's source."""
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


def parse_options(cls: type[T], argv: Sequence[str] | None) -> T:
    """An instance of the dataclass `cls` from command-line flags: one flag a field, default and type as declared."""
    parser = argparse.ArgumentParser(description=cls.__doc__)
    help_of = field_help(cls)
    for f in fields(cls):  # type: ignore[arg-type]
        assert f.default is not MISSING, f"{cls.__name__}.{f.name} needs a default"
        text = f"{help_of[f.name]} ({f.default})".replace("%", "%%")
        parser.add_argument(f"--{f.name.replace('_', '-')}", type=type(f.default), default=f.default, help=text)
    return cls(**vars(parser.parse_args(argv)))
