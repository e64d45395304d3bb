"""Curves through points of the mesh, and exactly how much of each pixel an outline covers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, AnyArray, readonly
from mojing.core.geometry import Box

STEP = 0.9
"""Edges are cut into pieces of at most so many px, so that each lies in few pixels."""


@lru_cache(maxsize=256)
def _catmull_rom(count: int, per: int, closed: bool) -> F64:
    """(m, count): what the points are multiplied by; `per` samples from each point to the next."""
    spans = count if closed else count - 1
    t = np.arange(per) / per
    basis = 0.5 * np.stack(
        [-(t**3) + 2 * t**2 - t, 3 * t**3 - 5 * t**2 + 2, -3 * t**3 + 4 * t**2 + t, t**3 - t**2], axis=1
    )
    rows = np.zeros((spans * per + (not closed), count))
    for span in range(spans):
        for k in range(4):
            at, weight = span + k - 1, basis[:, k]
            row = slice(span * per, (span + 1) * per)
            if closed:
                rows[row, at % count] += weight
            elif 0 <= at < count:
                rows[row, at] += weight
            else:  # beyond an open end the curve goes on as far as the last span was long
                end, inner = (0, 1) if at < 0 else (count - 1, count - 2)
                rows[row, end] += 2 * weight
                rows[row, inner] -= weight
    if not closed:
        rows[-1, count - 1] = 1.0
    return readonly(rows)


def spline(points: AnyArray, *, per: int = 8, closed: bool = False) -> F64:
    """Catmull-Rom curve through points (n, 2): (m, 2), the points themselves among them, `per` samples a span.

    Catmull and Rom 1974, uniform knots: linear in the points, so that the curve moves as smoothly as they do.
    """
    return np.asarray(_catmull_rom(len(points), per, closed) @ points, np.float64)


@lru_cache(maxsize=64)
def _even(count: int, out: int) -> F64:
    return readonly(np.linspace(0.0, count - 1.0, out))


def resample(curve: F64, count: int) -> F64:
    """`count` points (count, 2) evenly spaced by length along a curve (n, 2)."""
    steps = np.hypot(*np.diff(curve, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = _even(2, count) * length[-1]
    return np.stack([np.interp(at, length, curve[:, 0]), np.interp(at, length, curve[:, 1])], axis=1)


def directions(curve: F64) -> F64:
    """Steps (n, 2) along an open curve (n, 2), from the points before to those after."""
    along = np.empty_like(curve)
    along[1:-1] = (curve[2:] - curve[:-2]) * 0.5
    along[0], along[-1] = curve[1] - curve[0], curve[-1] - curve[-2]
    return along


def normals(curve: F64) -> F64:
    """Unit normals (n, 2) of an open curve (n, 2), a quarter turn from its direction towards -y for a walk along +x."""
    along = directions(curve)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    return np.stack([along[:, 1], -along[:, 0]], axis=1) / length[:, None]


def turn(outline: AnyArray) -> float:
    """Which way round a closed outline (n, 2) runs, as `fill` is told it: -1 or 1."""
    p = np.asarray(outline, np.float64)[:, :2]
    p = p - p[0]
    return -1.0 if float(p[:-1, 0] @ p[1:, 1] - p[:-1, 1] @ p[1:, 0]) > 0 else 1.0


def fill(outlines: Sequence[AnyArray], *, box: Box, way: float = 0.0) -> F32:
    """How much of each pixel of `box` (whole edges) lies inside any of closed outlines (n, 2): float32 (h, w) in 0..1.

    With `way` (`turn` of another outline) what an outline encloses the other way round, because it is folded over,
    does not count. Signed areas are summed along each row, as font rasterisers do (Levien 2016): exact but for edges
    that cross several pixels of a row within `STEP`, and moving an outline a little changes coverage a little.
    """
    h, w = round(box.height), round(box.width)
    if h <= 0 or w <= 0:
        return np.zeros((max(h, 0), max(w, 0)), np.float32)
    corner = np.array([box.x0 - 0.5, box.y0 - 0.5])
    starts, ends, signs = [], [], []
    for outline in outlines:
        p = np.asarray(outline, np.float64)[:, :2] - corner
        starts.append(p)
        ends.append(np.concatenate([p[1:], p[:1]]))
        signs.append(np.full(len(p), way or turn(p)))
    a, b, sign = np.concatenate(starts), np.concatenate(ends), np.concatenate(signs)
    return _accumulate(a, b, sign, hw=(h, w))


def fill_many(outlines: AnyArray, *, box: Box) -> F32:
    """As `fill` for many outlines of equally many points, (k, n, 2), which may overlap."""
    h, w = round(box.height), round(box.width)
    if h <= 0 or w <= 0 or not len(outlines):
        return np.zeros((max(h, 0), max(w, 0)), np.float32)
    p = np.asarray(outlines, np.float64) - np.array([box.x0 - 0.5, box.y0 - 0.5])
    q = np.concatenate([p[:, 1:], p[:, :1]], axis=1)
    area = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(axis=1)
    sign = np.repeat(np.where(area > 0, -1.0, 1.0), p.shape[1])
    return _accumulate(p.reshape(-1, 2), q.reshape(-1, 2), sign, hw=(h, w))


def _accumulate(a: F64, b: F64, sign: F64, *, hw: tuple[int, int]) -> F32:
    """Coverage of outlines given as edges from a (n, 2) to b (n, 2) in slice coordinates."""
    h, w = hw
    a, b, sign = _cut(a, b, sign)
    x0, x1 = np.clip(a[:, 0], 0.0, w), np.clip(b[:, 0], 0.0, w)
    y0, y1 = np.clip(a[:, 1], 0.0, h), np.clip(b[:, 1], 0.0, h)
    row0, row1 = np.floor(y0), np.floor(y1)
    crosses = row0 != row1
    middle = np.where(crosses, np.maximum(row0, row1), y1)
    share = np.where(crosses, (middle - y0) / np.where(y1 == y0, 1.0, y1 - y0), 1.0)
    xm = x0 + (x1 - x0) * share
    x = np.concatenate([x0 + xm, xm + x1]) / 2
    dy = np.concatenate([(middle - y0) * sign, (y1 - middle) * sign])
    row = np.minimum(np.concatenate([row0, row1]), h - 1)
    column = np.floor(x)
    right = dy * (x - column)
    cell = (row * (w + 2) + column).astype(np.int64)
    flat = np.bincount(np.concatenate([cell, cell + 1]), np.concatenate([dy - right, right]), h * (w + 2))
    # Row by row sums as differences of OpenCV's integral image, which takes a third of the time of numpy's cumsum.
    sums = cv2.integral(flat.reshape(h, w + 2)[:, :w], sdepth=cv2.CV_64F)
    covered = np.asarray(cv2.subtract(sums[1:, 1:], sums[:-1, 1:], dtype=cv2.CV_32F), np.float32)
    return np.clip(covered, 0.0, 1.0, out=covered)


def _cut(a: F64, b: F64, sign: F64) -> tuple[F64, F64, F64]:
    """The same edges in pieces of less than `STEP` px along x and along y."""
    pieces = np.maximum(np.ceil(np.abs(b - a).max(axis=1) / STEP), 1.0).astype(np.int64)
    if int(pieces.max()) == 1:
        return a, b, sign
    of = np.repeat(np.arange(len(a)), pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    t = (np.arange(len(of)) - first)[:, None]
    step = ((b - a) / pieces[:, None])[of]
    start = a[of] + step * t
    return start, start + step, sign[of]


def soften(mask: F32, sigma: float) -> F32:
    """Gaussian blur of a mask (h, w) by `sigma` px; nothing is done for less than a fifth of a pixel."""
    if sigma < 0.2 or mask.size == 0:
        return mask
    if sigma > 8.0:  # what is that soft needs no full resolution
        (h, w), every = mask.shape, int(sigma / 4.0)
        even = cv2.copyMakeBorder(mask, 0, -h % every, 0, -w % every, cv2.BORDER_REPLICATE)
        wh = even.shape[1], even.shape[0]
        small = cv2.resize(even, (wh[0] // every, wh[1] // every), interpolation=cv2.INTER_AREA)
        big = cv2.resize(soften(np.asarray(small, np.float32), sigma / every), wh, interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(big[:h, :w], np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def feather_inward(mask: F32, sigma: float) -> F32:
    """Softened by about `sigma` px without leaving the outline: 0 at the edge, whole some way inside."""
    if sigma < 0.2:
        return mask
    low = 0.5 * sigma / (sigma + 0.5)
    soft = (soften(mask, sigma) - low) * (1.0 / (1.0 - low))
    return np.asarray(np.clip(np.minimum(soft, mask), 0.0, 1.0), np.float32)


def shifted(outline: F64, distance: AnyArray | float) -> F64:
    """A closed outline (n, 2) moved outwards by `distance` px (one, or one for each point); inwards if negative."""
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    out = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    return np.asarray(outline - turn(outline) * out * np.reshape(distance, (-1, 1)), np.float64)


def band(centre: F64, half: AnyArray) -> F64:
    """Closed outline (2 n, 2) of a stroke along a curve (n, 2), `half` (n,) px to either side."""
    out = normals(centre) * np.asarray(half)[:, None]
    return np.concatenate([centre + out, (centre - out)[::-1]])
