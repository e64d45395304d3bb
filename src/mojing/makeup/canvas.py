"""The face while it is painted: albedo and gloss that every layer changes, and the way back to sRGB bytes."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import linear_to_srgb, to_uint8
from mojing.core.geometry import Box
from mojing.makeup.optics import mixed, swatch, transmission_for
from mojing.makeup.skin import Skin

_ENCODED: U8 = to_uint8(linear_to_srgb(np.linspace(0.0, 1.0, 65536)))
_STEPS = np.linspace(0.0, 1.0, 256)


class Canvas:
    """A face's crop that layers are laid on.

    Attributes:
        skin: the face as it was. albedo, rest: (3, h, w) as painted so far. touched: (h, w) bool.
        glow: (h, w) what product mirrors more, or where it is negative less, than skin does, in units of the light.
        gleam: (3, h, w) the same where it has a colour of its own, linear; None while there is none.
        What is painted over glow and gleam hides them.
    """

    def __init__(self, skin: Skin) -> None:
        self.skin = skin
        self.albedo: F32 = skin.albedo.copy()
        self.rest: F32 = skin.rest.copy()
        self.glow: F32 = np.zeros_like(skin.shine)
        self.gleam: F32 | None = None
        self._shines = False
        self.hw = int(skin.albedo.shape[1]), int(skin.albedo.shape[2])
        self.touched: AnyArray = np.zeros(self.hw, bool)
        self._normal: F32 | None = None

    def window(self, box: Box) -> tuple[slice, slice]:
        """Rows and columns of the crop that a box of the photo covers."""
        x0, y0 = round(self.skin.box.x0), round(self.skin.box.y0)
        return (
            slice(round(box.y0) - y0, round(box.y1) - y0),
            slice(round(box.x0) - x0, round(box.x1) - x0),
        )

    def normal(self, window: tuple[slice, slice]) -> F32:
        """Unit normals (3, h, w) of a window."""
        if self._normal is None:
            h, w = self.hw
            planes = [cv2.resize(n, (w, h), interpolation=cv2.INTER_LINEAR) for n in self.skin.normal]
            self._normal = np.stack(planes)
        return self._normal[:, window[0], window[1]]

    def mirror(self, more: F32, *, window: tuple[slice, slice]) -> None:
        """Add mirrored light of the light's colour, (h, w), or of its own, (3, h, w)."""
        if more.ndim == 2:
            self.glow[window] += more
            self._shines = True
            return
        if self.gleam is None:
            self.gleam = np.zeros_like(self.rest)
        self.gleam[:, window[0], window[1]] += more

    def _hide(self, coverage: F32, *, window: tuple[slice, slice]) -> None:
        """Lay something over what was mirrored so far."""
        if self._shines or self.gleam is not None:
            left = 1.0 - np.minimum(coverage, np.float32(1.0))
            self.glow[window] *= left
            if self.gleam is not None:
                self.gleam[:, window[0], window[1]] *= left

    def film(self, product: AnyArray, coverage: F32, *, window: tuple[slice, slice], sheer: bool = False) -> None:
        """Lay a film of `product` (3,) that hides `coverage` (h, w) 0..1 of what is under it.

        Coverage counts in steps of 1/255, finer than shows.
        """
        r = swatch(product)
        through, closed = _tables(tuple(r.tolist()), sheer)
        steps = cv2.convertScaleAbs(coverage, alpha=255.0)
        self._hide(coverage, window=window)
        for k in range(3):
            part = self.albedo[k][window]
            d = cv2.subtract(part, float(r[k]))
            below = cv2.multiply(d, cv2.LUT(steps, closed[k]))
            cv2.subtract(float(1.0 - r[k] * r[k]), below, below)
            cv2.multiply(d, cv2.LUT(steps, through[k]), d)
            np.add(cv2.divide(d, below, d), np.float32(r[k]), out=part)

    def film_of(self, product: F32, coverage: F32, *, window: tuple[slice, slice], sheer: bool = False) -> None:
        """The same with another product in every pixel, `product` (h, w, 3) in linear light."""
        steps = np.clip(coverage, 0.0, 1.0)
        self._hide(coverage, window=window)
        r = swatch(product)
        t = transmission_for(r, steps, sheer=sheer)
        for k in range(3):
            part = self.albedo[k][window]
            part[...] = np.where(steps > 0, mixed(part, r[..., k], transmission=t[..., k]), part)

    def encode(self, window: tuple[slice, slice]) -> U8:
        """sRGB bytes (h, w, 3) of a window.

        Where product mirrors more light than a channel can show, the others show it: highlights turn white, as film and
        cameras have them. Clipped one by one, channels would make those of golden skin yellow.
        """
        glow = self.glow[window]
        planes: list[AnyArray] = []
        for k, colour in enumerate(self.skin.light.tolist()):
            value = cv2.multiply(self.skin.lit[k][window], self.albedo[k][window])
            cv2.add(value, self.rest[k][window], value)
            if self._shines:
                value = cv2.scaleAdd(glow, colour, value)
            if self.gleam is not None:
                value += self.gleam[k][window]
            planes.append(value)
        if self._shines or self.gleam is not None:
            over = cv2.max(cv2.subtract(cv2.max(cv2.max(planes[0], planes[1]), planes[2]), 1.0), 0.0)
            planes = [cv2.add(value, over) for value in planes]
        encoded = [cv2.LUT(cv2.multiply(value, 65535.0, dtype=cv2.CV_16U), _ENCODED) for value in planes]
        return np.asarray(cv2.merge(encoded), np.uint8)


@lru_cache(maxsize=256)
def _tables(product: tuple[float, float, float], sheer: bool) -> tuple[F32, F32]:
    """T q and R (1 - T) of `mixed`, (3, 256) each, for coverages in steps of 1/255."""
    r = np.array(product)
    t = transmission_for(r, _STEPS, sheer=sheer)
    t[0] = 1.0
    return (
        np.ascontiguousarray((t * (1.0 - r * r)).T, np.float32),
        np.ascontiguousarray((r * (1.0 - t)).T, np.float32),
    )
