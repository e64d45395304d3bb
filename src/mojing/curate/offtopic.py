"""Pictures that do not belong: far, by a feature network, from whatever lies nearest to them in the set, or told by the
network to be nothing of the kind that the set shows.

The first finds a lonely stranger, the second strangers that keep each other company, such as twenty portraits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mojing.core.arrays import F64, U8, AnyArray
from mojing.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Sight:
    """Features (N, D) of N pictures, and how surely each is nothing of what the network knows, (N,) in 0..1."""

    feature: AnyArray
    foreign: AnyArray


Features = Callable[[Sequence[U8]], AnyArray | Sight]
"""Features (N, D), any float, of N pictures, RGB uint8 HxWx3 of any sizes, alone or as a `Sight`; Euclidean distance is
the measure."""

AT_HOME: Final = 0.25
"""A set is of what the network knows when its median picture is foreign by less than this."""

NEIGHBOURS: Final = 5
FEWEST: Final = 20
"""Fewer pictures than this have no usual distance to be unlike."""
_ROWS: Final = 512


def strangeness(features: AnyArray, groups: Sequence[int], *, neighbours: int = NEIGHBOURS) -> F64:
    """How far each picture lies from the set, float64 (N,): 0 as usual, 6 six robust standard deviations farther.

    The figure is the logarithm of the mean distance to the `neighbours` nearest pictures of other groups (copies of
    a stranger do not make it at home), less the set's median, over 1.4826 times the median absolute deviation
    (Rousseeuw and Croux 1993): strangers among the pictures do not move the measure. `features` (N, D);
    `groups` one number a picture, equal for copies.

    Raises:
        InputError: bad_array.
    """
    x = np.asarray(features, np.float64)
    if x.ndim != 2 or len(x) != len(groups) or not np.isfinite(x).all():
        raise InputError("bad_array", f"features are finite numbers ({len(groups)}, D); got {x.shape}")
    group = np.asarray(groups)
    if len(np.unique(group)) < max(FEWEST, neighbours + 1):
        return np.zeros(len(x))
    norms = (x**2).sum(axis=1)
    mean = np.empty(len(x))
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        squared: Any = norms[rows, None] + norms[None] - 2 * x[rows] @ x.T
        squared[group[rows, None] == group[None]] = np.inf
        nearest = np.partition(squared, neighbours - 1, axis=1)[:, :neighbours]
        mean[rows] = np.sqrt(np.maximum(nearest, 0.0)).mean(axis=1)
    log = np.log(np.where(np.isfinite(mean), mean, np.nanmax(mean[np.isfinite(mean)])) + 1e-12)
    centre = np.median(log)
    spread = 1.4826 * np.median(np.abs(log - centre))
    return np.asarray((log - centre) / max(float(spread), 1e-9), np.float64)
