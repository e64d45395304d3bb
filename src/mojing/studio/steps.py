"""Steps that change what was asked for and as little else as can be.

About a design, pictures and attributes are linearised by finite differences over the principal coordinates of its
kind's styles, some layers apart from others. Of all steps that change the attributes as asked to first order, the one
that changes the picture least is gone a short way, and so on from there: least-norm Gauss-Newton steps in the metric
that the generator pulls back from its pictures (Shao et al. 2018, arXiv:1711.08014). A sleeve grows, the rest stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.studio.attributes import Reader
from mojing.studio.generate import Designer
from mojing.studio.latent import layer_rows, principal, sample_styles

SAMPLES: Final = 256
"""Random designs of the kind whose styles tell the principal coordinates."""
COORDINATES: Final = 8
"""Principal coordinates of each group of layers."""
PROBE: Final = 0.5
"""Length of the finite differences, in standard deviations."""
STRETCHES: Final = 4
"""How often pictures and attributes are linearised anew at most."""
CLOSE: Final = 0.1
"""Nearer than this, in spreads, to what was asked for no further stretch is gone."""
REACH: Final = 1.5
"""How far one stretch may go along a coordinate, in standard deviations."""
LENGTHS: Final[F32] = np.array([0.4, 0.7, 1.0, 1.5], np.float32)
"""Shares of the step that are tried in each stretch: pictures answer less than linearly."""
DAMPING: Final = 0.1
"""What a step along a coordinate costs beside its change of the picture, in the mean of those changes."""


Impression = Callable[[U8], F32]
"""Pictures (N, S, S, 4) -> vectors (N, D) whose squared distance is what a change of the picture costs."""


@dataclass(frozen=True, eq=False)
class Tried:
    """Designs looked at: styles (M, L, W), pictures (M, S, S, 4), what was read (M, A), in spreads, and impressions
    (M, D)."""

    styles: F32
    rgba: U8
    read: F32
    impression: F32

    def row(self, index: int) -> Tried:
        """One of them, M = 1."""
        at = slice(index, index + 1)
        return Tried(self.styles[at], self.rgba[at], self.read[at], self.impression[at])

    @staticmethod
    def joined(parts: Sequence[Tried]) -> Tried:
        """All of several."""
        return Tried(
            np.concatenate([p.styles for p in parts]),
            np.concatenate([p.rgba for p in parts]),
            np.concatenate([p.read for p in parts]),
            np.concatenate([p.impression for p in parts]),
        )


@dataclass(frozen=True, eq=False)
class Eyes:
    """Makes pictures of styles and looks at them; `spread` (A,) are the reader's units of a spread."""

    designer: Designer
    reader: Reader
    spread: F32
    impression: Impression

    def __call__(self, styles: F32) -> Tried:
        return self.at(styles, self.designer.render(styles))

    def at(self, styles: F32, rgba: U8) -> Tried:
        """Styles whose pictures are known."""
        return Tried(styles, rgba, np.asarray(self.reader(rgba) / self.spread, np.float32), self.impression(rgba))


def least_change(eyes: Eyes, start: Tried, *, kind: str, rows: list[int], goal: F32, groups: tuple[str, ...]) -> Tried:
    """Designs on the way on which one comes to show what is asked for and changes least besides.

    Args:
        eyes: what looks at designs.
        start: the design (M = 1), and kind: what it is.
        rows: columns of what is read that are to become `goal` (len(rows),).
        groups: layers that may change, each group for itself.
    """
    axes = _axes(eyes.designer, kind, groups)
    here = start
    found = []
    for _ in range(STRETCHES):
        probes = eyes(here.styles + np.float32(PROBE) * axes)
        slopes = (probes.read[:, rows] - here.read[:, rows]).astype(np.float64) / PROBE
        looks = (probes.impression - here.impression).astype(np.float64) / PROBE
        step = _step(slopes, looks, left=goal - here.read[0, rows])
        found.append(eyes(here.styles + LENGTHS[:, None, None] * np.tensordot(step, axes, axes=1)))
        gaps = np.linalg.norm(found[-1].read[:, rows] - goal, axis=1)
        here = found[-1].row(int(gaps.argmin()))
        if gaps.min() < CLOSE:
            break
    return Tried.joined(found)


@lru_cache(maxsize=64)
def _axes(designer: Designer, kind: str, groups: tuple[str, ...]) -> F32:
    """Principal directions (G k, L, W) of a kind's styles, a standard deviation long, each for one group of layers."""
    styles, _ = sample_styles(designer, n=SAMPLES, kinds=(kind,))
    basis = principal(styles[:, 0], count=COORDINATES)
    axes = np.zeros((len(groups), len(basis.sigma), designer.layers, designer.width), np.float32)
    for axis, group in zip(axes, groups, strict=True):
        axis[:, layer_rows(group, designer.layers)] = (basis.components * basis.sigma[:, None])[:, None]
    return readonly(axes.reshape(-1, designer.layers, designer.width))


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
