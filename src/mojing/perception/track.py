"""A face through a video: the last mesh gives the next crop, and the one-euro filter keeps a still face still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.perception.faceview import FaceView

LOST = 10
"""Frames without a face after which the finder is asked only at every third."""


class Follows(Protocol):
    """What the tracker needs of `face.Faces`."""

    def find(self, rgb: U8) -> tuple[FaceView, ...]: ...

    def follow(self, rgb: U8, last: FaceView) -> FaceView | None: ...


@dataclass
class OneEuro:
    """One-euro filter of an array (Casiez, Roussel & Vogel 2012): a low pass whose cut-off rises with the speed.

    `cutoff` is the least cut-off in Hz, `beta` its rise for each unit of speed, `speed_cutoff` that of the speed in Hz.
    Speed is per second in the values' own unit. Unlike the paper, one speed is taken for each point (row): its
    coordinates must be smoothed alike, or it would move on a bent path.
    """

    cutoff: float = 0.6
    beta: float = 0.05
    speed_cutoff: float = 1.0
    value: F64 | None = None
    speed: F64 | None = None
    seconds: float = 0.0

    def __call__(self, value: AnyArray, seconds: float, *, unit: float = 1.0) -> F64:
        """The filtered value at this time; `unit` divides the speed, so that faces near and far are filtered alike."""
        now = np.asarray(value, np.float64)
        if self.value is None or self.speed is None or seconds <= self.seconds:
            self.value, self.speed, self.seconds = now, np.zeros_like(now), seconds
            return now
        dt = seconds - self.seconds
        self.seconds = seconds
        a = _share(np.array(self.speed_cutoff), dt)
        self.speed = a * (now - self.value) / dt + (1 - a) * self.speed
        pace = np.linalg.norm(self.speed, axis=-1, keepdims=True) / unit
        a = _share(self.cutoff + self.beta * pace, dt)
        self.value = a * now + (1 - a) * self.value
        return self.value


def _share(cutoff: F64, dt: float) -> F64:
    """Weight of the new value in a first-order low pass: 1 / (1 + tau / dt), tau = 1 / (2 pi cutoff)."""
    return np.asarray(1.0 / (1.0 + 1.0 / (2 * np.pi * cutoff * dt)), np.float64)


class FaceTracker:
    """Follows the largest face from frame to frame."""

    def __init__(self, faces: Follows, *, cutoff: float = 0.6, beta: float = 12.0) -> None:
        self.faces = faces
        self.cutoff, self.beta = cutoff, beta
        self._last: FaceView | None = None
        self._mesh = OneEuro(cutoff, beta)
        self._parts: F32 | None = None
        self._missed = 0

    def __call__(self, rgb: U8, seconds: float) -> FaceView | None:
        """The face in this frame (H, W, 3) at this time in seconds, None while there is none."""
        seen = self.faces.follow(rgb, self._last) if self._last is not None else None
        if seen is None:
            seen = self._found(rgb)
            self._mesh, self._parts = OneEuro(self.cutoff, self.beta), None
        if seen is None:
            self._last = None
            self._missed += 1
            return None
        self._missed = 0
        size = max(seen.inter_ocular, 1.0)
        mesh = self._mesh(seen.mesh, seconds, unit=size).astype(np.float32)
        self._last = replace(seen, mesh=mesh)
        return self._last

    def _found(self, rgb: U8) -> FaceView | None:
        """The largest face, searched for in every frame at first and in every third once it is long gone."""
        if self._missed > LOST and self._missed % 3:
            return None
        found = self.faces.find(rgb)
        return found[0] if found else None
