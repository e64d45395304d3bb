"""Coloured contact lenses: a printed film over the iris, under the wet surface that mirrors the light."""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.makeup.canvas import Canvas
from mojing.makeup.optics import LUMA, mixed, swatch, transmission_for

CATCH = 2.2
"""An iris brighter than this many times its median mirrors a light there."""

LID = 0.5
"""Greatest share of the face's light that reaches an eye under its lids."""

BESIDE = 0.5
"""What the brighter pixels beside an iris (white of the eye, lids) reflect: they tell the light in a deep-set eye."""


def lay_lens(canvas: Canvas, product: AnyArray, coverage: F32, *, window: tuple[slice, slice]) -> None:
    """Lay a lens of `product` (3,) or (h, w, 3) over an iris; `coverage` (h, w) 0..1.

    The catchlight, what is far brighter than the iris, stays on top; the fibres of the iris, its fine light and dark,
    stay under the print and show through as far as the film lets them.
    """
    skin = canvas.skin
    light = skin.light[:, None, None]
    seen = (
        canvas.albedo[:, window[0], window[1]] * skin.lit[:, window[0], window[1]]
        + canvas.rest[:, window[0], window[1]]
    )
    level = np.maximum(np.tensordot(LUMA, seen, axes=1), 0.0)  # what other layers took away may be more than all
    inside = coverage > 0.5 * float(coverage.max())
    usual = float(np.median(level[inside])) if inside.any() else 0.05
    catch = np.clip(level / max(usual, 0.004) / CATCH - 1.0, 0.0, 1.0)
    catch = np.maximum(catch, np.clip((level / float(LUMA @ skin.light) - 0.55) / 0.2, 0.0, 1.0))
    beside = level[coverage <= 0.02 * float(coverage.max())]
    shown = float(np.percentile(beside, 75)) / (BESIDE * float(LUMA @ skin.light)) if beside.size else LID
    around = np.float32(min(max(shown, 0.12), LID)) * np.clip((level / max(usual, 0.004)) ** 0.35, 0.6, 1.35)
    base = np.clip(seen / (light * around), 0.0, 1.0)
    r = swatch(product)
    cover = coverage * (1.0 - catch)
    t = np.moveaxis(transmission_for(r, cover), -1, 0)
    swatches = np.moveaxis(r, -1, 0) if r.ndim == 3 else r[:, None, None]
    painted = light * around * mixed(base, swatches, transmission=t)
    change = np.where(cover > 0, painted - light * around * base, 0.0)
    canvas.rest[:, window[0], window[1]] += change.astype(np.float32)
