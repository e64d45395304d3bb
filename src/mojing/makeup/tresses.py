"""Where hair colour goes around a head: everywhere, the lengths, streaks, or the roots.

Which pixels are hair is not known here: the renderer multiplies these masks by the hair's alpha.
"""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32
from mojing.core.geometry import Box
from mojing.makeup.charts import Grid
from mojing.makeup.geometry import Geometry
from mojing.makeup.look import Layer
from mojing.makeup.paint import ramp
from mojing.makeup.placed import Placed, whole
from mojing.makeup.strands import chance

_SIDE, _ABOVE, _BELOW = 4.0, 3.2, 9.0
"""How far from the eyes hair is looked for, in inter-ocular distances."""

_CROWN = 1.6
"""Height of the crown above the eyes, in inter-ocular distances."""


def place(layer: Layer, g: Geometry) -> list[Placed]:
    """One mask a shade. Of two shades of an ombre the first stays at the roots; streaks take turns.

    `size` moves the border of an ombre up and that of roots outwards, and makes streaks wider.
    """
    grid = Grid(_box(g), max(1, int(g.unit / 40.0)))
    if grid.box.area == 0:
        return []
    u, v = _head(g, grid)
    masks = _PATTERNS[layer.pattern](u, v, count=len(layer.shades), size=layer.size, softness=layer.softness)
    first = len(layer.shades) - len(masks)
    return [Placed(grid.box, grid.full(np.ascontiguousarray(m, np.float32)), first + i) for i, m in enumerate(masks)]


def _box(g: Geometry) -> Box:
    """Whole pixels of the photo that a head's hair can lie in."""
    corners = np.stack([g.middle + s * _SIDE * g.along + t * g.up for s in (-1.0, 1.0) for t in (_ABOVE, -_BELOW)])
    return whole(Box.around(corners), g.hw)


def _head(g: Geometry, grid: Grid) -> tuple[F32, F32]:
    """Coordinates (h, w) of the coarse pixels as the head has them: to the wearer's left and up, in units."""
    m = grid.to_photo().matrix
    h, w = grid.hw
    x = (np.arange(w) * m[0, 0] + m[0, 2] - g.middle[0])[None] / g.unit**2
    y = (np.arange(h) * m[1, 1] + m[1, 2] - g.middle[1])[:, None] / g.unit**2
    return (
        np.asarray(x * g.along[0] + y * g.along[1], np.float32),
        np.asarray(x * g.up[0] + y * g.up[1], np.float32),
    )


def _whole(u: F32, v: F32, *, count: int, size: float, softness: float) -> list[F32]:
    return [np.ones(np.broadcast_shapes(u.shape, v.shape), np.float32)]


def _ombre(u: F32, v: F32, *, count: int, size: float, softness: float) -> list[F32]:
    middle, reach = -1.9 + 0.6 * size, 0.3 + 1.0 * softness
    tips = ramp(v, middle + reach, middle - reach)
    return [np.asarray(1.0 - tips, np.float32), tips] if count == 2 else [tips]


def _roots(u: F32, v: F32, *, count: int, size: float, softness: float) -> list[F32]:
    # Hair leaves the scalp along the hairline (an arch around the face) and along the parting, up to the crown.
    arch = np.abs(np.hypot(u / 1.12, (v - 0.1) / 1.25) - 1.0) * 1.15
    parting = np.hypot(u, np.maximum(np.abs(v - (1.3 + _CROWN + 0.3) / 2) - 0.35, 0.0))
    near = np.minimum(arch, parting)
    reach = 0.32 * size
    return [ramp(near, reach * (1.0 + 1.6 * softness), reach * 0.5) * ramp(v, -0.3, 0.2)]


def _streaks(u: F32, v: F32, *, count: int, size: float, softness: float) -> list[F32]:
    # Strands fan out from the crown and then hang down: the same strand keeps its number all the way.
    fan = 1.2 * np.arctan2(u, np.maximum(_CROWN - v, 0.9))
    strand = fan * ramp(v, -0.8, 0.8) + u * (1.0 - ramp(v, -0.8, 0.8))
    noise = chance(6, 2, seed=11)
    bend = 0.05 * np.sin(1.7 * v + 3.0 * u) + 0.02 * np.sin(4.3 * v + 7.0 * u)
    t = (strand + bend) / (0.16 * size)
    phase = t + 0.45 * np.sin(1.9 * t + noise[0, 0]) + 0.10 * np.sin(5.3 * t + 3.0 * noise[1, 0])
    soft = 0.25 + 0.6 * softness
    stripes = ramp(np.sin(2.0 * np.pi * phase), 0.45 - soft, 0.45 + soft)
    # Strands change hands where there is nothing between them.
    turn = np.floor(phase + 0.25).astype(np.int64) % count
    return [stripes * (turn == i).astype(np.float32) for i in range(count)]


_PATTERNS = {"whole": _whole, "ombre": _ombre, "streaks": _streaks, "roots": _roots}
