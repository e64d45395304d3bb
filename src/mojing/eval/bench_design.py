"""How many designs a second the studio's generator makes: `mojing bench design`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mojing.core.progress import track
from mojing.eval.machine import peak_rss_mb
from mojing.runtime.store import ModelStore
from mojing.studio.pipeline import Studio


def bench_design(
    *, n: int = 64, repeats: int = 5, threads: int = 2, models: ModelStore | None = None
) -> dict[str, Any]:
    """Time the generator of `models` (the installed ones by default), after one draw to warm up.

    Args:
        n: designs that are drawn together.
        repeats: how often; the median is reported.
        threads: of the networks.
        models: where the generator lies.

    Returns:
        `designs_per_s`: from latents to pictures, RGBA uint8; `one_ms`: a single design; `with_novelty_per_s`: nearest
        training garments found for each too, None where there is no feature network or index; `size_px`; `peak_rss_mb`.

    Raises:
        ModelError: model_missing, without a generator.
    """
    store = models or ModelStore()
    studio = Studio(store.folder, threads=threads)
    designer = studio.designer
    kind = designer.kinds[0]
    designs = designer.draw(kind, n=n, seed=0)
    many = _median(lambda: designer.draw(kind, n=n, seed=1), repeats=repeats, what="draws")
    one = _median(lambda: designer.draw(kind, n=1, seed=2), repeats=3 * repeats, what="single designs")
    looker, index = studio.features, studio.index
    novelty: float | None = None
    if looker is not None and index is not None:
        pictures = np.stack([design.on_white() for design in designs])
        index.judge(looker(pictures).feature)
        novelty = _median(lambda: index.judge(looker(pictures).feature), repeats=repeats, what="looks")
    return {
        "model": designer.id,
        "size_px": int(designs[0].rgba.shape[0]),
        "designs_per_s": n / many,
        "one_ms": one * 1000,
        "with_novelty_per_s": None if novelty is None else n / (many + novelty),
        "peak_rss_mb": peak_rss_mb(),
        "n": n,
        "repeats": repeats,
        "threads": threads,
    }


def _median(work: Callable[[], object], *, repeats: int, what: str) -> float:
    """Seconds that the work takes, the median of some tries."""
    times = []
    for _ in track(range(repeats), what):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
