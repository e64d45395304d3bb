"""The fashion feature network: a picture of a garment -> 256 numbers that tell kind, colour and pattern, and its kind.

Every number of a feature has about unit variance over the training photos, so plain Euclidean distance is the measure;
figures of distance compare with each other only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, readonly
from mojing.core.errors import InputError
from mojing.core.progress import report
from mojing.perception.crops import border_colour
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

SIDE: Final = 128
"""Side in px of the square picture the network reads."""

WIDTH: Final = 256
"""Numbers in a feature."""

KINDS: Final = (
    "t-shirt",
    "longsleeve",
    "shirt",
    "blouse",
    "polo",
    "undershirt",
    "top",
    "body",
    "hoodie",
    "outwear",
    "blazer",
    "dress",
    "skirt",
    "pants",
    "shorts",
    "shoes",
    "hat",
    "other",
)
"""Kinds told apart; `other` is no garment at all (bags, balls, portraits, noise)."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Features (N, 256) float32 and kind probabilities (N, 18) float32, in `KINDS` order, of N pictures."""

    feature: F32
    kind: F32

    def __post_init__(self) -> None:
        assert self.feature.shape == (len(self.kind), WIDTH)
        assert self.kind.shape[1:] == (len(KINDS),)
        object.__setattr__(self, "feature", readonly(self.feature))
        object.__setattr__(self, "kind", readonly(self.kind))

    def __len__(self) -> int:
        return len(self.feature)

    @property
    def names(self) -> tuple[str, ...]:
        """The likeliest kind of every picture."""
        return tuple(KINDS[i] for i in self.kind.argmax(axis=1))


class Features:
    """The feature network on the CPU; `batch` pictures a run."""

    def __init__(self, store: ModelStore, *, threads: int = 2, batch: int = 32) -> None:
        self.session = Session(store.spec("features"), threads=threads)
        self.batch = batch

    def __call__(self, images: U8 | Sequence[U8] | Iterable[U8]) -> Seen:
        """Look at pictures: uint8 (N, H, W, 3), or single ones (H, W, 3) of any sizes, read as they are needed.

        Each is shrunk whole onto a square; its outermost pixels' mean colour fills what is left. Transparent pictures
        are laid on white before, by `Photo.flat`.

        Raises:
            InputError: bad_array.
        """
        features: list[F32] = []
        kinds: list[F32] = []
        ready: list[F32] = []
        done = 0
        total = len(images) if isinstance(images, Sequence | np.ndarray) else 0
        for image in images:
            ready.append(to_input(square(image)))
            if len(ready) == self.batch:
                self._flush(ready, features, kinds)
                done += self.batch
                report(done, total, what="pictures looked at")
        if ready:
            self._flush(ready, features, kinds)
            report(done + len(ready), total, what="pictures looked at")
        if not features:
            return Seen(np.zeros((0, WIDTH), np.float32), np.zeros((0, len(KINDS)), np.float32))
        return Seen(np.concatenate(features), np.concatenate(kinds))

    def _flush(self, ready: list[F32], features: list[F32], kinds: list[F32]) -> None:
        out = self.session.run({"image": np.stack(ready)})
        ready.clear()
        logits = np.asarray(out["kind"], np.float32)
        power = np.exp(logits - logits.max(axis=1, keepdims=True))
        features.append(np.asarray(out["feature"], np.float32))
        kinds.append(np.asarray(power / power.sum(axis=1, keepdims=True), np.float32))


def square(rgb: U8, side: int = SIDE) -> U8:
    """The whole picture (H, W, 3) uint8 on a square (side, side, 3), its border's mean colour around it.

    Raises:
        InputError: bad_array.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < 1:
        raise InputError("bad_array", f"a picture is uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}")
    h, w = rgb.shape[:2]
    if h == w == side:
        return rgb
    scale = side / max(h, w)
    wh = (max(round(w * scale), 1), max(round(h * scale), 1))
    small = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    out = np.empty((side, side, 3), np.uint8)
    out[:] = border_colour(small)
    y, x = (side - wh[1]) // 2, (side - wh[0]) // 2
    out[y : y + wh[1], x : x + wh[0]] = small
    return out


def to_input(rgb: U8) -> F32:
    """RGB uint8 (H, W, 3) -> float32 (3, H, W) in 0..1."""
    return np.asarray(rgb.transpose(2, 0, 1), np.float32) / np.float32(255.0)
