"""`--debug DIR` of the make-up: every layer as it was painted, and what was allowed to change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mojing.core.arrays import U8
from mojing.core.image import save
from mojing.makeup.pipeline import MakeupResult
from mojing.makeup.render import Painted


def write_debug(result: MakeupResult, folder: Path) -> tuple[Path, ...]:
    """Write 01-foundation.png, 02-..., each layer alone as RGBA of the photo's size, mask.png (0/255) and result.png.

    What was painted of one layer on several places or faces is in one file.

    Raises:
        InputError: unwritable.
    """
    parts: dict[int, list[Painted]] = {}
    for painted in result.layers:
        parts.setdefault(id(painted.layer), []).append(painted)
    written = [
        save(folder / f"{number:02d}-{some[0].layer.kind}.png", _spread(some, result.image.shape[:2]))
        for number, some in enumerate(parts.values(), start=1)
    ]
    written.append(save(folder / "mask.png", result.mask))
    written.append(save(folder / "result.png", result.picture))
    return tuple(written)


def _spread(parts: Sequence[Painted], hw: tuple[int, ...]) -> U8:
    """The parts of a layer, one over the other, in a clear picture (H, W, 4) of the photo's size, straight alpha."""
    whole = np.zeros((*hw, 4), np.uint8)
    for painted in parts:
        below = whole[painted.box.slices((hw[0], hw[1]))]
        top = painted.rgba.astype(np.float32)
        over = top[..., 3:] / np.float32(255.0)
        under = below[..., 3:].astype(np.float32) * (1.0 - over)
        alpha = top[..., 3:] + under
        colour = (top[..., :3] * top[..., 3:] + below[..., :3] * under) / np.maximum(alpha, 1.0)
        below[...] = np.rint(np.dstack([colour, alpha])).astype(np.uint8)
    return whole
