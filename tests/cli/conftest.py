"""Running a command line in a test."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from mojing.cli import app as cli

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: exit code, stdout, stderr. Anything but an exit is a traceback."""

    def go(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["mojing", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        out, err = capfd.readouterr()
        return code, out, err

    return go
