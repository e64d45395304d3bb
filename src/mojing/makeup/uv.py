"""A face unwrapped into the mesh's flat layout, and a flat picture wrapped back onto a face.

Both ways are piecewise affine over the triangles of `facemesh`, so that they are each other's inverse wherever the
face is seen. Texel (row, column) of a flat picture of side s lies at uv = ((column + 0.5) / s, (row + 0.5) / s).
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, I32, U8, AnyArray, readonly
from mojing.core.geometry import Box, shrink
from mojing.perception.facemesh import triangles, uv

SIZE = 256
"""Side of a flat picture of a face."""

FINE = 256
"""A wrapped face is looked up triangle by triangle on at most about so many grid lines, and between them linearly."""

_HIDDEN = 0.04
"""Distance in uv beyond which what is seen at a point of the photo is another part of the face: the nose before the
far cheek of a turned head."""

_SHIFT = 4


def unwrap(rgb: AnyArray, mesh: F32, *, size: int = SIZE) -> tuple[F32, F32]:
    """Flat picture of the face of `mesh` (478, 3) px in a photo or map `rgb` (H, W) or (H, W, C), uint8 or float32.

    Returns the texture, float32 (size, size[, C]), of uint8 divided by 255, and where it is valid, float32
    (size, size): 1 where the face is turned to the camera, is not hidden by itself and lies in the picture. The photo
    is averaged first when it is finer than the texture.
    """
    h, w = rgb.shape[:2]
    ids, weights, cover = _layout(size)
    corners = np.asarray(mesh[:, :2], np.float64)[triangles()]
    at = np.einsum("ijk,ijkl->ijl", weights, corners[ids]).astype(np.float32)
    grid = _Grid.of(mesh, Box.around(mesh[:468, :2]))
    inside = (at >= -0.5).all(-1) & (at[..., 0] <= w - 0.5) & (at[..., 1] <= h - 0.5)
    own = _texel_uv(size)
    seen = cv2.remap(grid.uv, *_two(grid.local(at)), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    visible = np.abs(seen - own).max(-1) < _HIDDEN
    valid = (cover > 0.5) & _facing(mesh)[ids] & inside & visible
    factor = _finer(corners, size)
    if factor > 1.5:
        rgb, (sx, sy) = shrink(rgb, factor)
        at = (at + np.float32(0.5)) * np.array([sx, sy], np.float32) - np.float32(0.5)
    texture = cv2.remap(rgb, *_two(at), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    scaled = texture.astype(np.float32) / np.float32(255.0) if rgb.dtype == np.uint8 else texture
    return np.asarray(scaled, np.float32), valid.astype(np.float32)


def wrap(texture: AnyArray, mesh: F32, *, box: Box) -> tuple[F32, F32]:
    """Lay a flat picture (s, s) or (s, s, C) float32 onto the face of `mesh`, for the whole pixels of `box`.

    `box` has whole-numbered edges and may reach outside the photo. Returns the values, float32 (h, w[, C]), going on
    beyond the face's edge, and how much of each pixel the mesh covers, float32 (h, w) in 0..1 (0 in eyes and mouth).
    """
    size = texture.shape[0]
    grid = _Grid.of(mesh, box)
    h, w = round(box.height), round(box.width)
    at = grid.full((h, w))
    texel = _two(at[..., :2] * np.float32(size) - np.float32(0.5))
    values = cv2.remap(np.asarray(texture, np.float32), *texel, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    edge = cv2.remap(_layout(size)[2], *texel, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0)
    return np.asarray(values, np.float32), np.asarray(edge * np.clip(at[..., 2], 0.0, 1.0), np.float32)


class _Grid:
    """uv of what is seen on a grid over `box`, `step` px apart, in `uv` (n, m, 2), and `near` (n, m): 1 on the face."""

    def __init__(self, box: Box, step: float, *, uv: F32, near: F32) -> None:
        self.box, self.step, self.uv, self.near = box, step, uv, near

    @classmethod
    def of(cls, mesh: F32, box: Box) -> _Grid:
        """Triangles are painted from far to near; beyond them the nearest triangle's map goes on."""
        face = Box.around(mesh[:468, :2])
        step = max(1.0, max(face.width, face.height) / FINE)
        w, h = int(np.ceil(box.width / step)) + 1, int(np.ceil(box.height / step)) + 1
        points = (np.asarray(mesh[:468, :2], np.float64) - (box.x0, box.y0)) / step
        tri = triangles()
        depth = np.asarray(mesh[:, 2])[tri].mean(axis=1)
        order = np.argsort(-depth, kind="stable")
        low, high = points[tri].min(axis=1), points[tri].max(axis=1)
        near = (high > -1.0).all(axis=1) & (low[:, 0] < w) & (low[:, 1] < h)
        order = order[(_facing(mesh) & near)[order]]
        ids = np.full((h, w), -1.0, np.float32)
        corners = np.rint(points * (1 << _SHIFT)).astype(np.int32)[tri]
        for index in order.tolist():
            cv2.fillConvexPoly(ids, corners[index], index, shift=_SHIFT)
        whole = ids.astype(np.int32)
        if not (whole >= 0).any():
            return cls(box, step, uv=np.full((h, w, 2), -1.0, np.float32), near=np.zeros((h, w), np.float32))
        whole, distance = _spread(whole)
        affine = _affine(points, uv().astype(np.float64)).astype(np.float32)[whole]
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        at = affine[..., 0] * x[..., None] + affine[..., 1] * y[..., None] + affine[..., 2]
        return cls(box, step, uv=at, near=(distance <= 1.0).astype(np.float32))

    def local(self, points: AnyArray) -> F32:
        """Grid coordinates of points (..., 2) of the photo."""
        return np.asarray((points - np.array([self.box.x0, self.box.y0])) / self.step, np.float32)

    def full(self, hw: tuple[int, int]) -> F32:
        """uv and nearness (h, w, 3) at the pixels of the box."""
        both = np.dstack([self.uv, self.near])
        if self.step == 1.0:
            return both[: hw[0], : hw[1]]
        matrix = np.array([[1 / self.step, 0.0, 0.0], [0.0, 1 / self.step, 0.0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(both, matrix, (hw[1], hw[0]), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, np.float32)


@cache
def _layout(size: int) -> tuple[I32, F64, F32]:
    """Of each texel: triangle id (s, s), its three weights (s, s, 3), and how much of it the mesh covers (s, s)."""
    corners = uv().astype(np.float64)[:468] * size - 0.5
    tri = triangles()
    ids = np.full((size, size), -1, np.int32)
    for index, triangle in enumerate(corners[tri]):
        x0, y0 = np.maximum(np.floor(triangle.min(0)), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(triangle.max(0)) + 1, size).astype(int)
        if x1 <= x0 or y1 <= y0:
            continue
        inside = (_weights(triangle, _pixels((x0, y0, x1, y1))) >= -1e-9).all(-1)
        ids[y0:y1, x0:x1][inside] = index
    ids, _ = _spread(ids)
    weights = _weights(corners[tri][ids], _pixels((0, 0, size, size)))
    fine = 4
    big = np.zeros((size * fine, size * fine), np.uint8)
    pieces = np.rint(((corners + 0.5) * fine - 0.5) * (1 << _SHIFT)).astype(np.int32)[tri]
    for piece in pieces:
        cv2.fillConvexPoly(big, piece, 255, shift=_SHIFT)
    cover = cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255.0)
    return readonly(ids), readonly(weights), readonly(cover)


@cache
def _texel_uv(size: int) -> F32:
    return readonly(((_pixels((0, 0, size, size)) + 0.5) / size).astype(np.float32))


def _pixels(edges: tuple[int, int, int, int]) -> F64:
    """Pixel centres (h, w, 2) of x0, y0, x1, y1."""
    x0, y0, x1, y1 = edges
    x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float64), np.arange(y0, y1, dtype=np.float64))
    return np.stack([x, y], axis=-1)


def _weights(triangle: F64, points: F64) -> F64:
    """Barycentric weights (..., 3) of points (..., 2) in triangles (3, 2) or (..., 3, 2)."""
    a, b, c = triangle[..., 0, :], triangle[..., 1, :], triangle[..., 2, :]
    whole = _cross(b - a, c - a)
    beta, gamma = _cross(points - a, c - a) / whole, _cross(b - a, points - a) / whole
    return np.stack([1.0 - beta - gamma, beta, gamma], axis=-1)


def _cross(p: F64, q: F64) -> F64:
    return np.asarray(p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0])


def _facing(mesh: F32) -> AnyArray:
    """Which triangles (852,) are turned to the camera: bool."""
    corners = np.asarray(mesh[:, :2], np.float64)[triangles()]
    flat = uv().astype(np.float64)[triangles()[0]]
    sign = np.sign(_cross(flat[1] - flat[0], flat[2] - flat[0]))
    area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) * sign
    return np.asarray(area > 1e-6)


def _affine(points: F64, target: F64) -> F64:
    """Maps (852, 2, 3) from points (468, 2) to target (478, 2), transposed to (852, 3, 2): x, y and constant part."""
    tri = triangles()
    p, q = points[tri], target[tri]
    e1, e2 = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    whole = _cross(e1, e2)
    whole = np.where(np.abs(whole) < 1e-9, 1e-9, whole)[:, None]
    f1, f2 = q[:, 1] - q[:, 0], q[:, 2] - q[:, 0]
    along_x = (f1 * e2[:, 1:] - f2 * e1[:, 1:]) / whole
    along_y = (f2 * e1[:, :1] - f1 * e2[:, :1]) / whole
    rest = q[:, 0] - along_x * p[:, 0, :1] - along_y * p[:, 0, 1:]
    return np.stack([along_x, along_y, rest], axis=-1)


def _spread(ids: I32) -> tuple[I32, F32]:
    """Ids (h, w) of which -1 are replaced by the nearest known one, and the distance to it in px."""
    missing: U8 = (ids < 0).astype(np.uint8)
    if not missing.any():
        return ids, np.zeros(ids.shape, np.float32)
    distance, label = cv2.distanceTransformWithLabels(missing, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = missing == 0
    table = np.zeros(int(label.max()) + 1, np.int32)
    table[label[known]] = ids[known]
    return table[label], np.asarray(distance, np.float32)


def _finer(corners: F64, size: int) -> float:
    """How many times finer the photo is than a texture of `size`, from the areas of the triangles (852, 3, 2)."""
    flat = uv().astype(np.float64)[triangles()] * size
    photo = np.abs(_cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])).sum()
    texels = np.abs(_cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])).sum()
    return float(np.sqrt(photo / texels))


def _two(points: AnyArray) -> tuple[F32, F32]:
    """x and y of points (..., 2) as the two maps that cv2.remap takes."""
    return np.ascontiguousarray(points[..., 0], np.float32), np.ascontiguousarray(points[..., 1], np.float32)
