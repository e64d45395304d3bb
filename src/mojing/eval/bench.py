"""How long a try-on takes, and what it costs to have it installed: `mojing bench tryon`."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import Photo, load
from mojing.core.progress import track
from mojing.eval.machine import bundled, peak_rss_mb
from mojing.runtime import ModelStore
from mojing.tryon.pipeline import TryOn

SIZE_WH = (768, 1024)
"""Width and height of the person photos that are timed."""

MODELS = ("body", "garment", "render")
"""What a try-on loads."""


def bench_tryon(*, repeats: int = 15, threads: int = 2, examples: Path | None = None) -> dict[str, Any]:
    """Time try-ons on the bundled examples at 1024x768.

    Args:
        repeats: how many try-ons of each kind are timed; medians are reported.
        threads: of the networks and of OpenCV.
        examples: folder with `people` and `garments`; the bundled ones by default.

    Returns:
        `new_ms`: person and garment never seen before; `seen_ms`: both looked at before; `floor_ms` and
        `seen_floor_ms`: time inside the networks alone on the same photos, one network after another, in turn with the
        timed runs; `ratio`: new_ms / floor_ms; `peak_rss_mb` of
        this process; `artifacts_mb` of the models that a try-on loads, `all_artifacts_mb` of the whole folder;
        `import_ms` of `mojing --help` in a fresh interpreter.

    Raises:
        InputError: bad_data, when there are no examples.
    """
    people, garments = _photos(examples)
    cv2.setNumThreads(threads)
    tryon = TryOn(threads=threads)
    tryon(people[0], garments[0])
    new, new_floor = _timed(tryon, people, garments, repeats=repeats, seen=False)
    seen, seen_floor = _timed(tryon, people, garments, repeats=repeats, seen=True)
    floor = statistics.median(new_floor)
    own = (f"{name}.{end}" for name in MODELS for end in ("onnx", "json", "md"))
    return {
        "new_ms": round(statistics.median(new), 1),
        "seen_ms": round(statistics.median(seen), 1),
        "floor_ms": round(floor, 1),
        "seen_floor_ms": round(statistics.median(seen_floor), 1),
        "ratio": round(statistics.median(new) / floor, 3) if floor > 0 else None,
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "artifacts_mb": _megabytes(ModelStore().folder / name for name in own),
        "all_artifacts_mb": _megabytes(ModelStore().folder.iterdir()),
        "import_ms": round(_import_ms(), 1),
        "threads": threads,
        "repeats": repeats,
        "size_wh": list(SIZE_WH),
    }


def _megabytes(paths: Iterable[Path]) -> float:
    return round(sum(p.stat().st_size for p in paths if p.is_file()) / 1e6, 2)


def _photos(examples: Path | None) -> tuple[list[Photo], list[Photo]]:
    """People filled up to SIZE_WH by a plain border where their shape differs, and garments as they are."""
    folder = examples if examples is not None else bundled()
    people = [Photo(_fit(load(p).flat())) for p in _pictures(folder / "people")]
    garments = [load(p) for p in _pictures(folder / "garments")]
    if not people or not garments:
        raise InputError("bad_data", f"there are no example photos in {folder}", hint="work from a checkout")
    return people, garments


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})


def _fit(rgb: U8) -> U8:
    h, w = rgb.shape[:2]
    scale = min(SIZE_WH[0] / w, SIZE_WH[1] / h)
    wh = (min(round(w * scale), SIZE_WH[0]), min(round(h * scale), SIZE_WH[1]))
    small = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    dx, dy = SIZE_WH[0] - wh[0], SIZE_WH[1] - wh[1]
    sides = (dy // 2, dy - dy // 2, dx // 2, dx - dx // 2)
    return np.asarray(cv2.copyMakeBorder(small, *sides, cv2.BORDER_REPLICATE), np.uint8)


def _timed(
    tryon: TryOn, people: list[Photo], garments: list[Photo], *, repeats: int, seen: bool
) -> tuple[list[float], list[float]]:
    """Wall time and network time in ms of each try-on; a refused pair is passed over.

    Person and garment are looked at side by side when both are new, where each network slows the other, so the
    networks' own time is taken from a run that goes step by step.
    """
    times, floors = [], []
    for i in track(range(repeats), "seen" if seen else "new"):
        person, garment = people[i % len(people)], garments[(i // len(people)) % len(garments)]
        gc.collect()
        try:
            start_floor = tryon.network_ms
            looked, read = tryon.look(person), tryon.garment(garment)
            before_seen, start = tryon.network_ms, time.perf_counter()
            tryon(looked, read)
            done, after = time.perf_counter(), tryon.network_ms
            if not seen:
                start = time.perf_counter()
                tryon(person, garment)
                done = time.perf_counter()
        except InputError:
            continue
        times.append((done - start) * 1000)
        floors.append(after - (before_seen if seen else start_floor))
    if not times:
        raise InputError("bad_data", "every example was refused")
    return times, floors


def _import_ms(tries: int = 5) -> float:
    code = "import sys; sys.argv = ['mojing', '--help']; from mojing.cli.app import main; main()"
    command = [sys.executable, "-c", code]
    found = []
    for _ in range(tries):
        start = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        found.append((time.perf_counter() - start) * 1000)
    return statistics.median(found)
