"""A run's log.jsonl as columns of numbers, for whoever wants to know how the run goes. NumPy only.

A live run may end in half a line, a stopped one in none; rows that cannot be read are left out and counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mojing.core.errors import InputError

F64 = NDArray[np.float64]

LATE: Final = 0.3
"""The last share of a log that counts as now."""
EARLY: Final = 0.2
SETTLING: Final = 0.4
"""The first share of a log that later rows are compared with."""
FEWEST: Final = 4
"""Rows that such a share has at least."""


@dataclass(frozen=True, eq=False)
class Logbook:
    """Training rows and metrics rows of one run, oldest first.

    `rows` and `metrics` map names to float64 (N,), nan where a row has no such number; `options` is what options.json
    says; `end` is the reason a finished run gives, None for a live one; `failed` the row of a run that stopped on a
    number that is not finite; `unread` how many lines were no JSON.
    """

    rows: Mapping[str, F64]
    metrics: Mapping[str, F64]
    options: Mapping[str, Any] = field(default_factory=dict)
    end: str | None = None
    failed: Mapping[str, Any] | None = None
    unread: int = 0

    def __len__(self) -> int:
        return len(self.rows["step"])

    @property
    def last_step(self) -> int:
        """The last step that was logged; 0 when none was."""
        steps = np.concatenate([self.rows["step"], self.metrics["step"]])
        return int(steps.max()) if len(steps) else 0

    def series(self, name: str) -> F64:
        """A training column (N,); all nan where the log has none."""
        return self.rows.get(name, np.full(len(self), np.nan))

    def late(self, name: str) -> F64:
        """The finite values of a column's last part, which is what the run does now."""
        return _finite(self.series(name)[-self._share(LATE) :])

    def settled(self, name: str) -> F64:
        """The finite values of a column without its first part, in which every run finds its feet."""
        return _finite(self.series(name)[self._share(SETTLING) :])

    def early(self, name: str) -> F64:
        """The finite values of a column's first part."""
        return _finite(self.series(name)[: self._share(EARLY)])

    def since(self) -> int:
        """The step with which the late part begins."""
        return int(self.rows["step"][-self._share(LATE) :][0]) if len(self) else 0

    def measured(self, name: str) -> tuple[F64, F64]:
        """Steps and values of a metric where it is finite."""
        values = self.metrics.get(name, np.zeros(0))
        good = np.isfinite(values)
        return self.metrics["step"][: len(values)][good], values[good]

    def option(self, name: str, default: float = 0.0) -> float:
        """A numeric setting of the run, or `default` where it is not known."""
        value = self.options.get(name, default)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default

    def _share(self, share: float) -> int:
        return min(len(self), max(FEWEST, math.ceil(share * len(self))))


def read_log(run: Path) -> Logbook:
    """Read RUN/log.jsonl and, where there is one, RUN/options.json.

    Raises:
        InputError: not_found, when there is no log.
    """
    path = run / "log.jsonl"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as exc:
        raise InputError("not_found", f"there is no {path}", "give the folder of a training run") from exc
    rows, unread = [], 0
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            unread += bool(line.strip())
    return logbook(rows, options=_options(run / "options.json"), unread=unread)


def last_metrics(run: Path) -> dict[str, float]:
    """The figures of a run's last measurement; none where it was never measured, or has no log."""
    try:
        measured = read_log(run).metrics
    except InputError:
        return {}
    last = {name: float(values[-1]) for name, values in measured.items() if len(values)}
    return {name: v for name, v in last.items() if name not in ("step", "minutes") and math.isfinite(v)}


def logbook(rows: Iterable[Mapping[str, Any]], *, options: Mapping[str, Any] | None = None, unread: int = 0) -> Logbook:
    """Sort the rows of a log into columns by what they are: training, metrics, the end."""
    training, measured = [], []
    end: str | None = None
    failed: Mapping[str, Any] | None = None
    for row in rows:
        event = row.get("event")
        if event is None and "step" in row:
            training.append(row)
            end, failed = None, None  # whatever ended before, the run goes on
        elif event == "metrics" and "step" in row:
            measured.append(row)
        elif event == "nan":
            failed = row
        elif event == "end":
            end = str(row.get("reason", "no reason given"))
    return Logbook(_columns(training), _columns(measured), dict(options or {}), end, failed, unread)


def _options(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _columns(rows: list[Mapping[str, Any]]) -> dict[str, F64]:
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: np.array([_number(row.get(name)) for row in rows]) for name in names if name != "event"}
    return {"step": np.zeros(0), **found}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _finite(values: F64) -> F64:
    return values[np.isfinite(values)]
