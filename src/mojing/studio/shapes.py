"""Other shapes tried on a design: within a kind, sleeves and lengths do not lie along a line.

Style mixing (Karras et al. 2019, section 3.1): the coarse layers make the outline, the fine ones colour and texture, so
a design keeps its looks in another one's shape. Shapes are the generator's own for that kind, or lie on the way between
kinds that differ by the attribute alone: what makes a T-shirt long-sleeved makes a dress so, too (vector arithmetic,
Radford et al. 2016, section 6.3.2, on the means of a conditional generator's styles).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from mojing.core.arrays import F32
from mojing.studio.colours import to_condition
from mojing.studio.generate import CATEGORY, SLEEVELESS, Design, Designer, truncate
from mojing.studio.kinds import LADDERS
from mojing.studio.latent import layer_rows

POOL: Final = 16
"""Designs of the kind whose shapes are tried."""
PSI: Final = 0.9
"""How far these may lie from the kind's average."""
SHARES: Final[F32] = np.array([0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6], np.float32)
"""How far one goes from kind to kind."""


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
    away = pool - design.styles
    return _moved(design, np.concatenate([np.float32(share) * away for share in (0.5, 1.0)]))


def between_kinds(designer: Designer, design: Design, attribute: str, *, more: bool) -> F32:
    """Styles (N, L, W) of a design in shapes towards kinds with more, or less, of an attribute; see LADDERS.

    A design of a kind of the ladder goes towards its neighbours, at the ladder's end beyond it; others go the way from
    each kind to the next. Nothing for designs that are worn elsewhere than those kinds.
    """
    ladder = [kind for kind in LADDERS.get(attribute, ()) if kind in designer.kinds]
    steps = list(pairwise(ladder if more else ladder[::-1]))
    onward = [step for step in steps if step[0] == design.kind]
    if design.kind in ladder:
        steps = onward or steps[-1:]
    if not steps or (CATEGORY.get(design.kind) in SLEEVELESS) != (CATEGORY[ladder[0]] in SLEEVELESS):
        return np.zeros((0, *design.styles.shape), np.float32)
    colour = None if design.colour is None else to_condition(np.array(design.colour, np.uint8))
    ways = (designer.mean(high, colour) - designer.mean(low, colour) for low, high in steps)
    return _moved(design, np.concatenate([SHARES[:, None, None] * way for way in ways]))


def _moved(design: Design, steps: F32) -> F32:
    """Styles (2 N, L, W) of a design gone by steps (N, L, W) in its coarse layers, then in coarse and middle ones."""
    tried = []
    for groups in (("coarse",), ("coarse", "middle")):
        made = np.repeat(design.styles[None], len(steps), axis=0)
        for rows in (layer_rows(group, len(design.styles)) for group in groups):
            made[:, rows] += steps[:, rows]
        tried.append(made)
    return np.concatenate(tried)
