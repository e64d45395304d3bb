"""Steps that change what was asked for and as little else as can be.

About a design, pictures and attributes are linearised by finite differences over the principal coordinates of its
kind's styles, some layers apart from others. Of all steps that change the attributes as asked to first order, the one
that changes the picture least is gone a short way, and so on from there: least-norm Gauss-Newton steps in the metric
that the generator pulls back from its pictures (Shao et al. 2018, arXiv:1711.08014). A sleeve grows, the rest stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mojing.core.arrays import F32, F64, AnyArray
from mojing.studio.attributes import Reader
from mojing.studio.generate import Design, Designer
from mojing.studio.invert import compared
from mojing.studio.latent import layer_rows, principal, sample_styles

SAMPLES: Final = 256
"""Random designs of the kind whose styles tell the principal coordinates."""
COORDINATES: Final = 10
"""Principal coordinates of each group of layers."""
PROBE: Final = 0.5
"""Length of the finite differences, in standard deviations."""
STRETCHES: Final = 4
"""How often pictures and attributes are linearised anew."""
REACH: Final = 1.5
"""How far one stretch may go along a coordinate, in standard deviations."""
LENGTHS: Final[F32] = np.array([0.4, 0.7, 1.0, 1.5], np.float32)
"""Shares of the step that are tried in each stretch: pictures answer less than linearly."""
DAMPING: Final = 0.1
"""What a step along a coordinate costs beside its change of the picture, in the mean of those changes."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What a reader is to see: columns `rows` of what it gives changed by `amounts` (len(rows),), in spreads.

    `spread` (A,) are the reader's units of a spread.
    """

    rows: list[int]
    amounts: F32
    spread: F32
    reader: Reader


def least_change(designer: Designer, design: Design, asked: Asked, *, groups: tuple[str, ...]) -> F32:
    """Styles (M, L, W) on the way on which a design comes to show what is asked for and changes least besides.

    `groups` of layers may change, each for itself.
    """
    axes = _axes(designer, design.kind, groups)

    def read(pictures: AnyArray) -> F32:
        return np.asarray(asked.reader(pictures)[:, asked.rows] / asked.spread[asked.rows], np.float32)

    goal = read(design.rgba[None])[0] + asked.amounts
    here, picture = design.styles, design.rgba[None]
    found = []
    for _ in range(STRETCHES):
        probes = designer.render(here + np.float32(PROBE) * axes)
        now = read(picture)
        slopes, looks = (read(probes) - now) / PROBE, (compared(probes) - compared(picture)) / PROBE
        step = _step(slopes.astype(np.float64), looks.astype(np.float64), left=goal - now[0])
        tried = here + LENGTHS[:, None, None] * np.tensordot(step, axes, axes=1)
        pictures = designer.render(tried)
        best = int(((read(pictures) - goal) ** 2).sum(axis=1).argmin())
        here, picture = tried[best], pictures[best : best + 1]
        found.append(tried)
    return np.concatenate(found)


def _axes(designer: Designer, kind: str, groups: tuple[str, ...]) -> F32:
    """Principal directions (G k, L, W) of a kind's styles, a standard deviation long, each for one group of layers."""
    styles, _ = sample_styles(designer, n=SAMPLES, kinds=(kind,))
    basis = principal(styles[:, 0], count=COORDINATES)
    axes = np.zeros((len(groups), len(basis.sigma), designer.layers, designer.width), np.float32)
    for axis, group in zip(axes, groups, strict=True):
        axis[:, layer_rows(group, designer.layers)] = (basis.components * basis.sigma[:, None])[:, None]
    return axes.reshape(-1, designer.layers, designer.width)


def _step(slopes: F64, looks: F64, *, left: AnyArray) -> F32:
    """Coordinates (n,) of the step that changes attributes, slopes (n, m), by `left` (m,) and the picture, slopes
    (n, D), least; none longer than REACH."""
    metric = looks @ looks.T
    metric += (DAMPING * np.trace(metric) / len(metric) + 1e-9) * np.eye(len(metric))
    towards = np.linalg.solve(metric, slopes)
    gain = slopes.T @ towards
    gain += (1e-6 * np.trace(gain) + 1e-9) * np.eye(len(gain))
    step = towards @ np.linalg.solve(gain, left)
    return np.asarray(step * min(1.0, REACH / max(float(np.abs(step).max()), 1e-6)), np.float32)
