"""What the figures of a GAN's log mean together: who is ahead, whether samples look like real pictures, what swings."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from mojing.train.logbook import F64, Logbook

IN_CLASS: Final = "sample_diversity_in_class"
"""Column of a log: mean distance between samples of one class, over that between real pictures of one class."""
UNLIKE_VARIETY: Final = (0.5, 1.2)
"""Doublings by which the samples' variety is off the real pictures'."""
UNLIKE_COVER: Final = (0.30, 0.10)
"""Precision or coverage."""
WANTING: Final = (0.30, 0.60)
"""One minus precision or coverage."""
COME: Final = (0.05, 0.15)
"""By how much precision or coverage has risen in all."""
RISING: Final = (0.5, 0.9)
"""Rank correlation of the samples' variety with the step."""
FALLING: Final = (0.3, 0.8)
"""Minus the rank correlation of an error with the step."""
NO_LEAD: Final = 0.05
"""The discriminator's lead below which it guesses."""
POOR: Final = (0.45, 0.25)
"""Precision or coverage, whichever is better, of samples that no run should end with."""
STILL_FALLING: Final = (0.12, 0.35)
"""Mean `descent` of all metrics."""


def ramp(value: float, zero: float, one: float) -> float:
    """0 at `zero` and beyond, 1 at `one` and beyond, linear between; `one` may be the smaller. nan gives 0."""
    if math.isnan(value):
        return 0.0
    return float(min(max((value - zero) / (one - zero), 0.0), 1.0))


def middle(values: F64) -> float:
    """The median; nan of nothing."""
    return float(np.median(values)) if len(values) else math.nan


def magnitude(value: float) -> float:
    """log10, with anything below 1e-12 taken for that."""
    return math.log10(max(value, 1e-12)) if math.isfinite(value) else math.nan


def advantage(log: Logbook) -> F64:
    """How far the discriminator is ahead in every row (N,): 0 it guesses, 1 it is sure and right, below 0 it is fooled.

    Its loss between that of guessing and the least possible; nan for the Wasserstein critic, which has no such scale.
    """
    loss, smoothing = str(log.options.get("loss", "")), log.option("smoothing")
    d_loss = log.series("d_loss")
    if loss == "wasserstein":
        return np.full(len(log), math.nan)
    chance = {"hinge": 2.0, "lsgan": 0.25, "relativistic": math.log(2)}.get(loss, 2 * math.log(2))
    least = 0.0
    if loss == "bce" and 0 < smoothing < 1:
        least = -(smoothing * math.log(smoothing) + (1 - smoothing) * math.log(1 - smoothing))
    if not loss:
        return (log.series("d_accuracy") - 0.5) * 2
    return (chance - d_loss) / (chance - least)


def late_advantage(log: Logbook) -> float:
    """Median of `advantage` over the late part of the log."""
    values = advantage(log)[-len(log.late("step")) :]
    return middle(values[np.isfinite(values)])


def guessed(log: Logbook) -> float:
    """Share of all rows in which the discriminator was hardly ahead of guessing, or behind it."""
    values = advantage(log)
    values = values[np.isfinite(values)]
    return float((values < NO_LEAD).mean()) if len(values) else 0.0


def unlike(log: Logbook) -> float:
    """0..1: how surely the samples of late are unlike the real pictures, by their variety and the last metrics."""
    signs = [ramp(abs(math.log2(max(variety(log), 1e-6))), *UNLIKE_VARIETY)]
    for name in ("precision", "coverage"):
        _, values = log.measured(name)
        if len(values):
            signs.append(ramp(float(values[-1]), *UNLIKE_COVER))
    return max(signs)


def variety(log: Logbook) -> float:
    """Mean distance between samples of late, over that between real pictures; 1 when the log has none."""
    values = log.late("sample_diversity")
    return middle(values) if len(values) else 1.0


def variety_in_class(log: Logbook) -> float:
    """The same among samples of one class; nan when the log has none."""
    return middle(log.late(IN_CLASS))


def opening(log: Logbook, name: str = "sample_diversity") -> float:
    """0..1: how steadily the samples' variety has risen over the whole log, by its rank correlation with the step."""
    values = log.series(name)
    return ramp(rank_correlation(values[np.isfinite(values)]), *RISING)


def rank_correlation(values: F64) -> float:
    """Spearman's correlation of a series with its own order, -1 (it always falls) to 1 (it always rises)."""
    if len(values) < 3 or float(values.std()) == 0:
        return 0.0
    return float(np.corrcoef(np.arange(len(values)), values.argsort().argsort())[0, 1])


def swing(values: F64, *, least: float = 0.5) -> float:
    """How far a series swings about its own line of trend: standard deviation over its mean level, or over `least`."""
    if len(values) < 4:
        return 0.0
    x = np.arange(len(values), dtype=np.float64)
    slope, start = np.polyfit(x, values, 1)
    return float((values - start - slope * x).std() / max(abs(float(values.mean())), least))


def period(values: F64, steps: F64) -> float | None:
    """Steps between two peaks of a series, by its autocorrelation; None when it has no rhythm."""
    n = len(values)
    if n < 12 or float(values.std()) == 0:
        return None
    x = np.arange(n, dtype=np.float64)
    rest = values - np.polyval(np.polyfit(x, values, 1), x)
    power = np.correlate(rest, rest, "full")[n - 1 :]
    power = power / max(power[0], 1e-12)
    below = np.flatnonzero(power < 0)
    if not len(below):
        return None
    peak = int(below[0] + np.argmax(power[below[0] : max(n // 2, below[0] + 1)]))
    return float((steps[-1] - steps[0]) / (n - 1) * peak) if power[peak] > 0.3 else None


def descent(values: F64) -> float:
    """The share of a falling figure's whole way down that lies in the last third of its readings; 0..1.

    Near 0 the figure has settled, from 1/3 on it falls as fast as ever. Each third counts with its median. A figure
    that has hardly moved from where it began, or goes up and down, counts for less, as its falling means little.
    """
    if len(values) < 3:
        return 0.0
    first, last = float(values[0]), middle(np.asarray(values[-max(1, len(values) // 3) :]))
    rest = values[1 : len(values) - max(1, len(values) // 3)]
    before = middle(rest) if len(rest) else first
    whole = first - min(last, before)
    if whole <= 0:
        return 0.0
    steady = ramp(-rank_correlation(values), *FALLING)
    return min(max((before - last) / whole, 0.0), 1.0) * ramp(whole / first, 0.05, 0.25) * steady


def errors(log: Logbook) -> dict[str, F64]:
    """Metrics as positive figures that fall as samples get better, where there are at least three readings."""
    found = {}
    for name, turned in (("fid", False), ("kid", False), ("precision", True), ("coverage", True)):
        _, values = log.measured(name)
        if len(values) >= 3:
            found[name] = 1 - values if turned else values
    return found


def improving(log: Logbook, *, without: str = "") -> float:
    """0..1: how surely the samples are still getting better, by the mean `descent` of all metrics.

    FID and KID have a floor of noise, where falling means nothing: they count only as far as precision or coverage
    leaves something to be wished for. These two count as far as they have come any way at all. One can be left out.
    """
    found = errors(log)
    bounded = {name: found[name] for name in ("precision", "coverage") if name in found}
    wanting = max((ramp(float(values[-1]), *WANTING) for values in bounded.values()), default=1.0)
    weight = {name: ramp(float(values[0] - values[-1]), *COME) for name, values in bounded.items()}
    falls = [weight.get(name, wanting) * descent(values) for name, values in found.items() if name != without]
    return ramp(sum(falls) / len(falls), *STILL_FALLING) if falls else 0.0


def spreading(log: Logbook) -> float:
    """0..1: how surely the samples still come to cover more of the real pictures: `improving` but for precision."""
    return improving(log, without="precision")


def unfinished(log: Logbook) -> float:
    """0..1: how surely the samples are still poor but have been getting better on the whole."""
    precision, coverage = (log.measured(name)[1] for name in ("precision", "coverage"))
    if min(len(precision), len(coverage)) < 3:
        return 0.0
    poor = ramp(max(float(precision[-1]), float(coverage[-1])), *POOR)
    return min(poor, ramp(rank_correlation(coverage), 0.0, 0.5))
