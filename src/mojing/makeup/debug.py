"""`--debug DIR` of the make-up: every layer as it was painted, and what was allowed to change."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mojing.core.arrays import U8
from mojing.core.image import save
from mojing.makeup.pipeline import MakeupResult
from mojing.makeup.render import Painted


def write_debug(result: MakeupResult, folder: Path) -> tuple[Path, ...]:
    """Write 01-foundation.png, 02-..., each layer alone as RGBA of the photo's size, mask.png (0/255) and result.png.

    Raises:
        InputError: unwritable.
    """
    written = [
        save(folder / f"{number:02d}-{painted.layer.kind}.png", _spread(painted, result.image.shape[:2]))
        for number, painted in enumerate(result.layers, start=1)
    ]
    written.append(save(folder / "mask.png", result.mask))
    written.append(save(folder / "result.png", result.picture))
    return tuple(written)


def _spread(painted: Painted, hw: tuple[int, ...]) -> U8:
    """The layer in a clear picture (H, W, 4) of the photo's size."""
    whole = np.zeros((*hw, 4), np.uint8)
    rows, cols = painted.box.slices((hw[0], hw[1]))
    whole[rows, cols] = painted.rgba
    return whole
