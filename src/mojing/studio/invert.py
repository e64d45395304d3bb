"""Finding the styles of a given garment photo, so that it can be edited like a design.

No gradients exist at run time. Many random designs are compared first; from the nearest few, Gauss-Newton steps with
Levenberg's damping follow, the Jacobian by finite differences over principal coordinates: first one style for all
layers, then separately for coarse, middle and fine ones (as W and W+ in Abdal et al. 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.progress import report
from mojing.runtime.session import Session
from mojing.studio.generate import Design, Designer
from mojing.studio.latent import layer_rows, principal

SIDE = 32
"""Side in px at which pictures are compared."""

GROUPS = ("coarse", "middle", "fine")


@dataclass(frozen=True, slots=True)
class Inversion:
    """What was found.

    Attributes:
        design: the design nearest to the photo.
        error: root mean square difference of the pictures at SIDE px, opacity and colour on white alike, 0..1.
        start: the same of the best random design, before any step.
        renders: how many pictures were made.
    """

    design: Design
    error: float
    start: float
    renders: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How much work an inversion may be: random designs, starts, coordinates and steps of both stages."""

    samples: int = 256
    starts: int = 2
    coordinates: int = 24
    steps: int = 5
    layer_steps: int = 3


def prepare(rgb: U8, alpha: U8, *, side: int) -> U8:
    """A cut-out garment as the generator's designs are: (side, side, 4) uint8, centred, with a margin of 4 %."""
    ys, xs = np.flatnonzero(alpha.max(axis=1) > 127), np.flatnonzero(alpha.max(axis=0) > 127)
    if not len(ys):
        return np.zeros((side, side, 4), np.uint8)
    piece = np.dstack([rgb, alpha])[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1].astype(np.float32)
    piece[..., :3] *= piece[..., 3:] / 255.0
    scale = 0.92 * side / max(piece.shape[:2])
    wh = max(round(piece.shape[1] * scale), 1), max(round(piece.shape[0] * scale), 1)
    small = np.asarray(cv2.resize(piece, wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
    out = np.zeros((side, side, 4), np.float32)
    y, x = (side - wh[1]) // 2, (side - wh[0]) // 2
    out[y : y + wh[1], x : x + wh[0]] = small
    out[..., :3] /= np.maximum(out[..., 3:], 1.0) / 255.0
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def compared(rgba: U8) -> F32:
    """Pictures (N, S, S, 4) as vectors (N, SIDE * SIDE * 4) float32: colour on white and opacity, 0..1, shrunk."""
    a = rgba[..., 3:].astype(np.float32) / 255.0
    both = np.concatenate([rgba[..., :3] / np.float32(255) * a + (1 - a), a], axis=3).astype(np.float32)
    small = [cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in both]
    return np.stack(small).reshape(len(rgba), -1) if small else np.zeros((0, SIDE * SIDE * 4), np.float32)


class _Search:
    """One inversion at work: counts pictures and remembers the target."""

    def __init__(self, designer: Designer, target: U8) -> None:
        self.designer = designer
        self.target = compared(target[None])[0]
        self.renders = 0

    def residual(self, styles: F32) -> F32:
        """Differences (N, D) of the pictures of styles (N, L, W) from the target."""
        self.renders += len(styles)
        return np.asarray(compared(self.designer.render(styles)) - self.target, np.float32)

    def error(self, residual: AnyArray) -> float:
        return float(np.sqrt((residual**2).mean()))

    def descend(self, styles: F32, axes: F32, *, steps: int) -> F32:
        """Damped Gauss-Newton over coordinates along `axes` (k, L, W), from styles (L, W)."""
        damping, probe, prior = 0.3, np.float32(0.12), 0.002
        here = self.residual(styles[None])[0]
        at = np.zeros(len(axes), np.float32)
        for _ in range(steps):
            moved = self.residual(styles + probe * axes)
            jacobian = (moved - here) / probe
            gram = jacobian @ jacobian.T
            scale = float(np.trace(gram)) / max(len(gram), 1)
            slope = jacobian @ here + prior * scale * at
            better = False
            for _ in range(3):
                step = -np.linalg.solve(gram + (damping + prior) * scale * np.eye(len(gram)), slope).astype(np.float32)
                length = float(np.abs(step).max())
                step *= min(1.0, 1.5 / max(length, 1e-6))
                ahead = styles + np.tensordot(step, axes, axes=1)
                there = self.residual(ahead[None])[0]
                if self.error(there) < self.error(here):
                    styles, here, at, better = ahead, there, at + step, True
                    damping = max(damping / 3, 0.01)
                    break
                damping *= 4
            if not better:
                break
        return styles


ENCODER = "design-encoder"
"""Optional model beside the generator: `rgba` (N, 4, S, S) in -1..1 -> `styles` (N, L, W), a first guess."""


def invert(designer: Designer, target: U8, *, kind: str, seed: int = 0, budget: Budget | None = None) -> Inversion:
    """Styles whose picture comes nearest to a prepared garment.

    Where a model `design-encoder` is installed, its guess is one of the starts to choose from.

    Args:
        designer: the generator.
        target: (S, S, 4) uint8 as `prepare` makes it.
        kind: the garment's kind.
        seed: of the random designs.
        budget: how much work may be done.
    """
    plan = budget or Budget()
    kind = designer.kind(kind)
    search = _Search(designer, target)
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((plan.samples, designer.latent), np.float32)
    pool = designer.styles(z, kind=kind, colours=designer.draw_colours(rng, plan.samples))
    guess = encode(designer, target)
    if guess is not None:
        pool = np.concatenate([guess, pool])
    errors = (search.residual(pool) ** 2).mean(axis=1)
    order = np.argsort(errors)[: plan.starts]
    basis = principal(pool[:, 0], count=plan.coordinates)
    axes = np.repeat((basis.components * basis.sigma[:, None])[:, None], designer.layers, axis=1)
    found = []
    for i, row in enumerate(order):
        found.append(search.descend(pool[row], axes, steps=plan.steps))
        report(i + 1, len(order) + 1, what="starts")
    finals = [search.error(r) for r in search.residual(np.stack(found))]
    best = found[int(np.argmin(finals))]
    if plan.layer_steps:
        best = search.descend(best, _by_layer(axes, designer.layers), steps=plan.layer_steps)
    report(len(order) + 1, len(order) + 1, what="starts")
    error = search.error(search.residual(best[None])[0])
    design = Design(designer.render(best[None])[0], best, kind, seed, 0, None, {"inverted": True})
    return Inversion(design, error, float(np.sqrt(errors.min())), search.renders)


def encode(designer: Designer, target: U8) -> F32 | None:
    """The encoder's guess (1, L, W) at a picture's styles, or None where no encoder is installed."""
    if not designer.store.has(ENCODER):
        return None
    session = Session(designer.store.spec(ENCODER))
    image = (target.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
    return np.asarray(session.run({"rgba": np.ascontiguousarray(image)})["styles"], np.float32)


def _by_layer(axes: F32, layers: int) -> F32:
    """The axes (k, L, W) cut apart: each for the coarse, the middle and the fine layers alone, the strongest first."""
    parts = []
    for group in GROUPS:
        rows = layer_rows(group, layers)
        part = np.zeros_like(axes[: max(len(axes) * 2 // 3, 1)])
        part[:, rows] = axes[: len(part), rows]
        parts.append(part)
    return np.concatenate(parts)
