"""All chance of a run, drawn from (seed, step, purpose) alone.

So a resumed run needs no state of a random number generator, a batch is the same whatever came before it, and processes
that share a batch each draw the whole of it and take their part: two of 32 see what one of 64 sees.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Purpose(IntEnum):
    """What is drawn; each has a stream of its own."""

    order = 0
    latent = 1
    line = 2
    augment_real = 3
    augment_fake = 4
    flip = 5
    pool = 6
    fixed = 7
    dropout = 8
    noise = 9
    measure = 10
    order_b = 11
    latent_g = 12
    augment_g_real = 13
    augment_g_fake = 14


class Chance:
    """The draws of one process, `rank` of `world`, that takes `batch` samples of every global batch."""

    def __init__(self, seed: int, *, batch: int, rank: int = 0, world: int = 1) -> None:
        self.seed, self.batch, self.rank, self.world = seed, batch, rank, world
        self._order: dict[Purpose, tuple[int, int, NDArray[np.int64]]] = {}

    def _number(self, *key: int) -> int:
        return int(np.random.SeedSequence((self.seed, *key)).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def generator(self, step: int, purpose: Purpose, *, shared: bool = True) -> torch.Generator:
        """A fresh generator on the CPU; not `shared` means that each process draws its own."""
        key = (step, int(purpose)) if shared else (step, int(purpose), self.rank)
        return torch.Generator().manual_seed(self._number(*key))

    def seed_torch(self, step: int) -> None:
        """Seed torch's own generator, which dropout uses."""
        torch.manual_seed(self._number(step, int(Purpose.dropout), self.rank))

    def mine(self, drawn: Tensor) -> Tensor:
        """This process's part of something drawn for the whole batch."""
        return drawn[self.rank * self.batch : (self.rank + 1) * self.batch]

    def normal(self, step: int, purpose: Purpose, *, width: int) -> Tensor:
        """(batch, width) normal numbers."""
        shape = (self.batch * self.world, width)
        return self.mine(torch.randn(shape, generator=self.generator(step, purpose)))

    def uniform(self, step: int, purpose: Purpose) -> Tensor:
        """(batch,) numbers in [0, 1)."""
        return self.mine(torch.rand(self.batch * self.world, generator=self.generator(step, purpose)))

    def rows(self, step: int, count: int, *, purpose: Purpose = Purpose.order) -> Tensor:
        """(batch,) int64: which of `count` pictures this process takes; each comes once before any comes again."""
        start = step * self.batch * self.world + self.rank * self.batch
        at = np.arange(start, start + self.batch)
        out = np.empty(self.batch, np.int64)
        for epoch in np.unique(at // count):
            here = at // count == epoch
            out[here] = self._permutation(int(epoch), count, purpose=purpose)[at[here] % count]
        return torch.from_numpy(out)

    def _permutation(self, epoch: int, count: int, *, purpose: Purpose) -> NDArray[np.int64]:
        kept = self._order.get(purpose)
        if kept is not None and kept[:2] == (epoch, count):
            return kept[2]
        order = np.random.default_rng((self.seed, epoch, int(purpose))).permutation(count)
        self._order[purpose] = (epoch, count, order)
        return order
