"""Flags from dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from mojing.train.options import field_help, parse_options
from mojing.train.recipes import body, garment, tryon


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


@pytest.mark.parametrize("cls", [body.Options, garment.Options, tryon.Options])
def test_every_setting_of_every_recipe_is_documented(
    cls: type[body.Options] | type[garment.Options] | type[tryon.Options],
) -> None:
    assert set(field_help(cls)) == {f.name for f in fields(cls)}
