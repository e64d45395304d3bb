"""Figures by group of people, how sure they are, and whether a group fares worse than it may.

The mean of a group comes with a bootstrap interval (Efron 1979) in which faces, not measurements, are drawn again:
several measurements of one face are not several faces. A group is judged only if it has `LEAST` faces and its interval
is no wider than the gap allowed; otherwise the report says that it is too small, and it counts neither as good nor bad,
unless the whole of its interval is behind the whole of another's by more than the gap: that is sure enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mojing.core.arrays import F64

LEAST = 8
DRAWS = 1000
WIDTH = 95.0
"""Width of intervals in per cent."""


@dataclass(frozen=True)
class Sample:
    """One measurement: `value` of face `who`, which belongs to a group of each key of `groups`."""

    who: str
    value: float
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """What is measured: its unit, whether less or more is better, and the greatest gap allowed between groups."""

    name: str
    unit: str
    gap: float
    more_is_better: bool = False


@dataclass(frozen=True)
class Group:
    """Mean of a group of `faces` faces with its interval; `why` says why it is not judged, empty when it is."""

    name: str
    faces: int
    mean: float
    low: float
    high: float
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "faces": self.faces,
            "mean": self.mean,
            "interval": [self.low, self.high],
            "judged": not self.why,
            **({"why": self.why} if self.why else {}),
        }


@dataclass(frozen=True)
class Verdict:
    """All groups of one key for one measure, and how far the worst is behind the best of those judged."""

    measure: Measure
    key: str
    groups: tuple[Group, ...]

    @property
    def judged(self) -> tuple[Group, ...]:
        """Groups that are large enough, best first."""
        sign = -1.0 if self.measure.more_is_better else 1.0
        return tuple(sorted((g for g in self.groups if not g.why), key=lambda g: sign * g.mean))

    @property
    def gap(self) -> float:
        """Worst minus best in the measure's unit, 0 or more; NaN with fewer than two groups that can be judged."""
        judged = self.judged
        return abs(judged[-1].mean - judged[0].mean) if len(judged) > 1 else float("nan")

    @property
    def behind(self) -> tuple[Group, ...]:
        """Groups of enough faces that are surely behind another one by more than the gap, judged or not."""
        many = [g for g in self.groups if g.faces >= LEAST]
        if self.measure.more_is_better:
            best = max((g.low for g in many), default=float("nan"))
            return tuple(g for g in many if best - g.high > self.measure.gap)
        best = min((g.high for g in many), default=float("nan"))
        return tuple(g for g in many if g.low - best > self.measure.gap)

    @property
    def fair(self) -> bool | None:
        """Whether the gap is allowed; None when there is nothing to compare."""
        if self.behind:
            return False
        return None if np.isnan(self.gap) else bool(self.gap <= self.measure.gap)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        judged = self.judged
        return {
            "unit": self.measure.unit,
            "more_is_better": self.measure.more_is_better,
            "groups": {g.name: g.as_dict() for g in self.groups},
            "best": judged[0].name if judged else None,
            "worst": judged[-1].name if judged else None,
            "gap": None if np.isnan(self.gap) else self.gap,
            "gap_allowed": self.measure.gap,
            "surely_behind": [g.name for g in self.behind],
            "fair": self.fair,
        }


def interval(samples: Sequence[Sample], *, seed: int = 0) -> tuple[float, float, float]:
    """Mean of the faces' means and its 95 % interval, by drawing faces again."""
    means = _by_face(samples)
    rng = np.random.default_rng([seed, len(means)])
    drawn = means[rng.integers(0, len(means), (DRAWS, len(means)))].mean(axis=1)
    low, high = np.percentile(drawn, [(100 - WIDTH) / 2, (100 + WIDTH) / 2])
    return float(means.mean()), float(low), float(high)


def _by_face(samples: Sequence[Sample]) -> F64:
    faces: dict[str, list[float]] = {}
    for s in samples:
        faces.setdefault(s.who, []).append(s.value)
    return np.array([np.mean(v) for v in faces.values()], np.float64)


def compare(samples: Sequence[Sample], measure: Measure, *, key: str) -> Verdict:
    """All groups of a key, in the order of their names; samples without the key are left out."""
    names = sorted({s.groups[key] for s in samples if key in s.groups}, key=_order)
    groups = []
    for name in names:
        own = [s for s in samples if s.groups.get(key) == name]
        mean, low, high = interval(own)
        faces = len({s.who for s in own})
        why = ""
        if faces < LEAST:
            why = f"too few faces: {faces}, {LEAST} are needed"
        elif high - low > measure.gap:
            why = f"the interval is {high - low:.2g} wide, the gap allowed {measure.gap:.2g}"
        groups.append(Group(name, faces, mean, low, high, why))
    return Verdict(measure, key, tuple(groups))


def _order(name: str) -> tuple[int, str]:
    digits = "".join(c for c in name.split("-")[0] if c.isdigit())
    return (int(digits) if digits else 10**6, name)


def markdown(verdict: Verdict) -> list[str]:
    """A Markdown table of the groups with a line that says what it means."""
    unit = f" ({verdict.measure.unit})" if verdict.measure.unit else ""
    lines = [f"| {verdict.key} | faces | {verdict.measure.name}{unit} | 95 % interval | |", "|---|---|---|---|---|"]
    lines += [
        f"| {g.name} | {g.faces} | {g.mean:.2f} | {g.low:.2f} to {g.high:.2f} | {g.why} |" for g in verdict.groups
    ]
    if len(verdict.judged) < 2:
        said = "Fewer than two groups are large enough to compare."
    else:
        best, worst = verdict.judged[0], verdict.judged[-1]
        said = (
            f"Worst ({worst.name}) minus best ({best.name}): {verdict.gap:.2f}; allowed {verdict.measure.gap:.2f}: "
            + ("kept." if verdict.gap <= verdict.measure.gap else "**not kept**.")
        )
    if verdict.behind:
        said += f" **Surely behind by more than allowed**: {', '.join(g.name for g in verdict.behind)}."
    return [*lines, "", said, ""]
