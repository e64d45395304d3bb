"""Flags from dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from mojing.train.options import field_help, parse_options
from mojing.train.recipes import baseline, body, design, garment, tryon


@dataclass
class Some:
    """Two settings."""

    minutes: float = 3.0
    """how long"""
    out_dir: Path = Path("runs")
    """where, in 100 % of cases"""


def test_flags_have_the_declared_types_and_defaults() -> None:
    assert parse_options(Some, []) == Some()
    assert parse_options(Some, ["--minutes", "7", "--out-dir", "x"]) == Some(7.0, Path("x"))


def test_help_comes_from_the_docstrings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(Some, ["--help"])
    out = capsys.readouterr().out
    assert "how long (3.0)" in out
    assert "100 %" in out


@dataclass
class More(Some):
    """What it inherits and its own."""

    minutes: float = 4.0
    """how long, said anew"""
    width: int = 1
    """how wide"""


def test_settings_are_inherited_with_their_help_after_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert field_help(More) == {
        "minutes": "how long, said anew", "out_dir": "where, in 100 % of cases", "width": "how wide",
    }  # fmt: skip
    assert parse_options(More, ["--out-dir", "x"]) == More(4.0, Path("x"), 1)
    with pytest.raises(SystemExit):
        parse_options(More, ["--help"])
    out = capsys.readouterr().out
    assert out.index("how wide") < out.index("where, in")


@pytest.mark.parametrize("cls", [body.Options, garment.Options, tryon.Options, baseline.Options, design.DesignOptions])
def test_every_setting_of_every_recipe_is_documented(
    cls: type,
) -> None:
    assert set(field_help(cls)) == {f.name for f in fields(cls)}
