"""Random looks are looks, alike for the same chance, and leave nothing out."""

from __future__ import annotations

import numpy as np

from mojing.makeup.kinds import FINISHES, KINDS, PATTERNS
from mojing.makeup.look import dumps, loads
from mojing.makeup.sample import random_look


def test_random_looks_can_be_written_and_cover_every_kind_pattern_and_finish() -> None:
    rng = np.random.default_rng(3)
    looks = [random_look(rng) for _ in range(400)]
    for look in looks[:50]:
        assert dumps(loads(dumps(look))) == dumps(look)
    seen = {(layer.kind, layer.pattern) for look in looks for layer in look.layers}
    # The bare face cannot be drawn by chance, and hair is not what a face shows.
    wanted = {
        (kind, pattern) for kind in KINDS if kind not in ("remove", "smooth", "hair") for pattern in PATTERNS[kind]
    }
    assert not wanted - seen
    assert {layer.finish for look in looks for layer in look.layers} == set(FINISHES)


def test_the_same_chance_gives_the_same_look() -> None:
    first, again, other = (random_look(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert dumps(first) == dumps(again)
    assert dumps(first) != dumps(other)
