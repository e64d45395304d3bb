"""Seamless tiles: procedural patterns, and pictures made seamless.

A tile is uint8 (h, w, 3) or (h, w, 4) whose left edge continues its right edge and whose top continues its bottom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.errors import InputError

SIDE = 256
_OVER = 2
"""Patterns are drawn this many times larger and averaged down, so that their edges are smooth."""

Colours = Sequence[Sequence[int]]


def _canvas(colour: Sequence[int]) -> U8:
    return np.full((SIDE * _OVER, SIDE * _OVER, 3), np.array(colour, np.uint8), np.uint8)


def _grid() -> tuple[AnyArray, AnyArray]:
    at = (np.arange(SIDE * _OVER) + 0.5) / (SIDE * _OVER)
    x, y = np.meshgrid(at, at)
    return x, y


def stripes(colours: Colours, *, seed: int = 0) -> U8:
    """Vertical stripes, one of each colour, equally wide."""
    x, _ = _grid()
    return _pick(colours, x * len(colours))


def breton(colours: Colours, *, seed: int = 0) -> U8:
    """Horizontal stripes of the second and later colours on a broad ground of the first."""
    _, y = _grid()
    out = _canvas(colours[0])
    n = len(colours) - 1
    for i, colour in enumerate(colours[1:]):
        out[(y * n - i >= 0.32) & (y * n - i < 0.68)] = colour
    return out


def checks(colours: Colours, *, seed: int = 0) -> U8:
    """A chessboard of the first two colours."""
    x, y = _grid()
    odd = (x >= 0.5) ^ (y >= 0.5)
    return np.where(odd[..., None], np.array(colours[1], np.uint8), np.array(colours[0], np.uint8))


def gingham(colours: Colours, *, seed: int = 0) -> U8:
    """Vichy check: bands of the second colour, woven both ways over the first."""
    x, y = _grid()
    cover = ((x < 0.5).astype(np.float32) + (y < 0.5)) / 2
    return _mix(colours[0], colours[1], cover)


def tartan(colours: Colours, *, seed: int = 0) -> U8:
    """A sett: the second colour in broad bands, the further ones in fine lines, both ways over the first."""
    warp = np.tile(np.array(colours[0], np.float32), (SIDE * _OVER, 1))
    at = (np.arange(SIDE * _OVER) + 0.5) / (SIDE * _OVER)
    warp[(at > 0.1) & (at < 0.45)] = colours[1]
    for i, colour in enumerate(colours[2:] or colours[1:2]):
        centre = 0.62 + 0.16 * i
        warp[np.abs(at - centre) < 0.022] = colour
    return np.rint((warp[None] + warp[:, None]) / 2).astype(np.uint8)


def dots(colours: Colours, *, seed: int = 0) -> U8:
    """Polka dots in a staggered grid, their colours taking turns."""
    out = _canvas(colours[0])
    _stamp(out, ((0.25, 0.25), (0.75, 0.75)), colours[1:], draw=lambda image, at, c: _disc(image, at, c, radius=0.13))
    return out


def chevron(colours: Colours, *, seed: int = 0) -> U8:
    """Zigzag bands, one of each colour."""
    x, y = _grid()
    phase = (y + np.abs(x * 2 % 1 - 0.5) * 0.5) * len(colours) % len(colours)
    return _pick(colours, phase)


def houndstooth(colours: Colours, *, seed: int = 0) -> U8:
    """Dogtooth: a 2/2 twill of four light and four dark threads both ways, thread by thread."""
    n = 16
    i, j = np.meshgrid(np.arange(n), np.arange(n))
    dark_warp, dark_weft = (i // 4) % 2 == 0, (j // 4) % 2 == 0
    over = (i + j) % 4 < 2
    dark = np.where(over, dark_warp, dark_weft)
    cell = np.where(dark[..., None], np.array(colours[1], np.uint8), np.array(colours[0], np.uint8))
    return np.asarray(cv2.resize(cell, (SIDE * _OVER,) * 2, interpolation=cv2.INTER_NEAREST), np.uint8)


def floral(colours: Colours, *, seed: int = 0) -> U8:
    """Scattered flowers of five or six petals with leaves, placed at random without overlap."""
    rng = np.random.default_rng(seed)
    out = _canvas(colours[0])
    placed: list[tuple[float, float, float]] = []
    for radius in [0.15] * 4 + [0.1] * 10 + [0.055] * 24:
        for _ in range(30):
            x, y = (float(v) for v in rng.random(2))
            apart = [np.hypot(_wrap(x - px), _wrap(y - py)) - pr - radius for px, py, pr in placed]
            if not apart or min(apart) > 0.012:
                placed.append((x, y, radius))
                petal = colours[1 + len(placed) % max(len(colours) - 1, 1)] if len(colours) > 1 else colours[0]
                turn = float(rng.random() * np.pi)
                _stamp(out, ((x, y),), (petal,), draw=_flower(radius, turn=turn, petals=5 + len(placed) % 2))
                break
    return out


def _flower(radius: float, *, turn: float, petals: int) -> Callable[[U8, tuple[float, float], Sequence[int]], None]:
    def draw(image: U8, at: tuple[float, float], colour: Sequence[int]) -> None:
        side = image.shape[0] / 3
        centre = np.array(at) * side + side
        leaf = tuple(int(v * 0.55 + w * 0.45) for v, w in zip(colour, (40, 90, 50), strict=True))
        for angle in (turn + 0.35, turn + 2.6):
            _petal(image, centre, angle, size=(1.02 * radius * side, 0.16 * radius * side), colour=leaf)
        for i in range(petals):
            angle = turn + 2 * np.pi * i / petals
            _petal(image, centre, angle, size=(0.92 * radius * side, 0.3 * radius * side), colour=colour)
        heart = tuple(int(255 - (255 - v) * 0.35) if sum(colour) < 420 else int(v * 0.6) for v in colour)
        _disc(image, at, heart, radius=0.24 * radius)

    return draw


def _petal(image: U8, centre: AnyArray, angle: float, *, size: tuple[float, float], colour: Sequence[int]) -> None:
    middle = centre + 0.5 * size[0] * np.array([np.cos(angle), np.sin(angle)])
    axes = max(round(size[0] * 0.5), 1), max(round(size[1]), 1)
    at = round(float(middle[0])), round(float(middle[1]))
    cv2.ellipse(image, at, axes, float(np.degrees(angle)), 0, 360, tuple(float(v) for v in colour), -1, cv2.LINE_AA)


def _disc(image: U8, at: tuple[float, float], colour: Sequence[int], *, radius: float) -> None:
    """A disc on a canvas of three by three tiles; `at` and `radius` in tiles, relative to the middle tile."""
    side = image.shape[0] / 3
    centre = round((at[0] + 1) * side), round((at[1] + 1) * side)
    cv2.circle(image, centre, max(round(radius * side), 1), tuple(float(v) for v in colour), -1, cv2.LINE_AA)


def _stamp(
    out: U8,
    places: Sequence[tuple[float, float]],
    colours: Colours,
    *,
    draw: Callable[[U8, tuple[float, float], Sequence[int]], None],
) -> None:
    """Draw at each place, and again one tile further on every side, so that shapes cross the edges whole."""
    wide = np.ascontiguousarray(np.tile(out, (3, 3, 1)))
    for i, (x, y) in enumerate(places):
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                draw(wide, (x + dx, y + dy), colours[i % len(colours)])
    side = out.shape[0]
    out[:] = wide[side : 2 * side, side : 2 * side]


def _pick(colours: Colours, at: AnyArray) -> U8:
    table = np.array(colours, np.uint8)
    return np.asarray(table[np.minimum(at.astype(int), len(colours) - 1)], np.uint8)


def _wrap(gap: float) -> float:
    return (gap + 0.5) % 1.0 - 0.5


def _mix(low: Sequence[int], high: Sequence[int], cover: AnyArray) -> U8:
    a, b = np.array(low, np.float32), np.array(high, np.float32)
    return np.rint(a + (b - a) * cover[..., None]).astype(np.uint8)


PATTERNS: dict[str, Callable[..., U8]] = {
    "stripes": stripes,
    "breton": breton,
    "checks": checks,
    "gingham": gingham,
    "tartan": tartan,
    "dots": dots,
    "chevron": chevron,
    "houndstooth": houndstooth,
    "floral": floral,
}
"""Name -> function (colours, seed) -> tile, before averaging."""


def procedural(name: str, colours: Colours, *, seed: int = 0) -> U8:
    """A tile uint8 (256, 256, 3) of a named pattern; the first colour is the ground.

    Raises:
        InputError: bad_pattern, when there is no such pattern or fewer than two colours.
    """
    if name not in PATTERNS:
        raise InputError(
            "bad_pattern", f"there is no pattern {name}", hint=f"use a picture or one of {', '.join(PATTERNS)}"
        )
    if len(colours) < 2:
        raise InputError("bad_pattern", f"{name} needs two colours or more", hint="repeat --color")
    large = np.ascontiguousarray(PATTERNS[name](colours, seed=seed), np.uint8)
    return np.asarray(cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def seamless(rgb: U8, *, overlap: float = 0.2, side: int = 512) -> U8:
    """Make a picture (H, W, 3) seamless: uint8, at most `side` px a side, smaller than the picture by the overlap.

    Uneven light is evened out first. Then the right strip is laid over the left and joined along the path where the two
    differ least (Efros and Freeman 2001, section 2.1, the path closed on itself), and likewise bottom over top.
    """
    scale = min(1.0, side / max(rgb.shape[:2]))
    wh = max(round(rgb.shape[1] * scale), 16), max(round(rgb.shape[0] * scale), 16)
    small = np.asarray(cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA), np.float32)
    sigma = 0.25 * min(wh)
    trend = np.asarray(cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)
    even = small - trend + small.mean(axis=(0, 1))
    joined = _join(even, max(round(overlap * wh[0]), 4))
    joined = _join(joined.swapaxes(0, 1), max(round(overlap * wh[1]), 4)).swapaxes(0, 1)
    return np.clip(np.rint(joined), 0, 255).astype(np.uint8)


def _join(image: F32, width: int) -> F32:
    """Wrap a picture (H, W, 3) horizontally over `width` px along the path of least difference: (H, W - width, 3)."""
    left, right = image[:, :width], image[:, -width:]
    cost = ((left - right) ** 2).sum(axis=2)
    path = _closed_path(cost)
    at = np.arange(width)[None] - path[:, None]
    # Left of the path the right strip goes on, right of it the left one; four pixels of blending.
    mix = np.clip(at / 4.0 + 0.5, 0.0, 1.0)[..., None].astype(np.float32)
    seam = mix * left + (1 - mix) * right
    return np.concatenate([seam, image[:, width:-width]], axis=1)


def _closed_path(cost: AnyArray) -> AnyArray:
    """Column of the cheapest path down `cost` (H, W) that moves a pixel a row at most and ends where it began: (H,)."""
    free = _path(cost, None)
    return _path(cost, int(np.median(free)))


def _path(cost: AnyArray, ends: int | None) -> AnyArray:
    h, w = cost.shape
    barrier = np.abs(np.arange(w) - ends) * 1e9 if ends is not None else np.zeros(w)
    total = np.empty((h, w))
    total[0] = cost[0] + barrier
    for y in range(1, h):
        padded = np.concatenate([[np.inf], total[y - 1], [np.inf]])
        total[y] = cost[y] + np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])
    path = np.empty(h, int)
    path[-1] = int((total[-1] + barrier).argmin())
    for y in range(h - 2, -1, -1):
        low = max(path[y + 1] - 1, 0)
        path[y] = low + int(total[y, low : path[y + 1] + 2].argmin())
    return path
