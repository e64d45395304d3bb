"""Shapes of other designs of a kind, tried on a design: within a kind, sleeves and lengths do not lie along a line.

Style mixing (Karras et al. 2019, section 3.1): the coarse layers make the outline, the fine ones colour and texture, so
a design keeps its looks in another one's shape. All shapes tried are the generator's own for that kind.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mojing.core.arrays import F32
from mojing.studio.colours import to_condition
from mojing.studio.generate import Design, Designer, truncate
from mojing.studio.latent import layer_rows

POOL: Final = 16
"""Designs of the kind whose shapes are tried."""
PSI: Final = 0.9
"""How far these may lie from the kind's average."""


def in_other_shapes(designer: Designer, design: Design, *, count: int = POOL) -> F32:
    """Styles (4 count, L, W) of a design in the shapes of random designs of its kind and colour.

    Coarse layers, or coarse and middle ones, are those of the other, or half-way to them. The same design is given the
    same shapes every time.
    """
    rng = np.random.default_rng([design.seed, design.index, 11])
    z = rng.standard_normal((count, designer.latent), np.float32)
    colours = designer.draw_colours(rng, count)
    if design.colour is not None:
        colours = np.tile(to_condition(np.array(design.colour, np.uint8)), (count, 1)).astype(np.float32)
    pool = truncate(designer.styles(z, kind=design.kind, colours=colours), mean=designer.mean(design.kind), psi=PSI)
    tried = []
    for groups in (("coarse",), ("coarse", "middle")):
        for share in (0.5, 1.0):
            made = np.repeat(design.styles[None], count, axis=0)
            for rows in (layer_rows(group, designer.layers) for group in groups):
                made[:, rows] += np.float32(share) * (pool[:, rows] - made[:, rows])
            tried.append(made)
    return np.concatenate(tried)
