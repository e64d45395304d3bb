"""The geometry of a synthetic face: the mean mesh turned and rasterised, with eyes, mouth, hair, neck, background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, AnyArray
from mojing.perception import facemesh as fm

FINE = 2
"""Samples a side of a pixel."""
NECK = -1.0
"""Value of `Stage.matte` where there is skin of the neck, whose colour is that of the face."""


SCLERA = (0.60, 0.435, 0.385)
IRIS = (0.06, 0.035, 0.02)
PUPIL = (0.008, 0.008, 0.008)
TEETH = (0.66, 0.53, 0.44)
HAIR = (0.03, 0.022, 0.016)
CLOTH = (0.12, 0.14, 0.2)
"""Linear albedos; whites of eyes and teeth as they measure on portraits before white paper: redder than they seem."""


@dataclass(frozen=True)
class Pose:
    """Turn of the head in degrees as `FaceView` tells it, and the distance of the irises in px."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    iris_px: float = 84.0

    @property
    def side(self) -> int:
        """Side of the picture in px."""
        return 2 * round(2.3 * self.iris_px)


@dataclass(frozen=True, eq=False)
class Stage:
    """A face in one pose, rasterised `FINE` times finer than its picture.

    Attributes:
        mesh: (478, 3) px in the picture.
        uv: (h, w, 2) place in the mesh's flat layout, NaN off the face.
        normal: (h, w, 3) unit, z negative to the camera. depth: (h, w) px, negative to the camera.
        matte: (h, w, 3) linear albedo of all that is not face.
        cover: (h, w) 0..1, where the face's skin is seen. shade: (h, w) 0..1 light that lids and lips let through.
        hw: height and width of the picture. unit: distance of the irises in px were the face turned to the camera.
    """

    mesh: F32
    uv: F32
    normal: F32
    depth: F32
    matte: F32
    cover: F32
    shade: F32
    hw: tuple[int, int]
    unit: float


def turned(pose: Pose) -> F32:
    """The mean mesh (478, 3) in px of the pose's picture."""
    yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll])
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    shape = fm.mean_shape().astype(np.float64)
    middle = np.array([0.0, 0.45, 0.5])
    mesh = (shape - middle) @ (about_z @ about_x @ about_y).T * pose.iris_px
    return np.asarray(mesh + np.array([pose.side / 2, pose.side / 2, 0.0]), np.float32)


@lru_cache(maxsize=8)
def stage_of(pose: Pose) -> Stage:
    """The stage of a pose; the last ones are kept."""
    side = pose.side
    mesh = turned(pose)
    fine = side * FINE
    ids, uv, normal, depth = _raster(mesh, fine)
    matte, shade, cover = _surroundings(mesh, fine, seen=ids >= 0)
    behind = ids < 0
    normal[behind] = (0.0, 0.0, -1.0)
    depth[behind] = float(mesh[:, 2].max()) + 20.0
    normal = cv2.GaussianBlur(normal, (0, 0), 0.02 * pose.iris_px * FINE)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    return Stage(mesh, uv, normal.astype(np.float32), depth, matte, cover, shade, (side, side), pose.iris_px)


def _raster(mesh: F32, fine: int) -> tuple[AnyArray, F32, F32, F32]:
    """Triangle number (-1 off the face), flat place, normal and depth of every fine pixel, the painter's way."""
    triangles = fm.triangles()
    corner = mesh[triangles].astype(np.float64)
    facing = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    facing *= -np.sign(facing[:, 2].sum())
    normals = np.zeros((fm.POINTS, 3))
    for k in range(3):
        np.add.at(normals, triangles[:, k], facing)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    flat = (corner[:, :, :2] + 0.5) * FINE - 0.5
    ids = np.full((fine, fine), -1, np.int32)
    for t in np.argsort(-corner[:, :, 2].mean(axis=1)):
        if facing[t, 2] < 0:
            cv2.fillConvexPoly(ids, np.rint(flat[t] * 16).astype(np.int32), int(t), shift=4)
    ys, xs = np.nonzero(ids >= 0)
    hit = ids[ys, xs]
    weight = _barycentric(flat[hit], np.column_stack([xs, ys]).astype(np.float64))
    which = triangles[hit]
    uv = np.full((fine, fine, 2), np.nan, np.float32)
    normal, depth = np.zeros((fine, fine, 3), np.float32), np.zeros((fine, fine), np.float32)
    uv[ys, xs] = np.einsum("nk,nkc->nc", weight, fm.uv()[which])
    normal[ys, xs] = np.einsum("nk,nkc->nc", weight, normals[which])
    depth[ys, xs] = np.einsum("nk,nk->n", weight, mesh[which][:, :, 2])
    return ids, uv, normal, depth


def _barycentric(tri: F64, at: F64) -> F64:
    a, b, c = tri[:, 0], tri[:, 1], tri[:, 2]
    v0, v1, v2 = b - a, c - a, at - a
    area = v0[:, 0] * v1[:, 1] - v0[:, 1] * v1[:, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    second = np.clip((v2[:, 0] * v1[:, 1] - v2[:, 1] * v1[:, 0]) / area, 0, 1)
    third = np.clip((v0[:, 0] * v2[:, 1] - v0[:, 1] * v2[:, 0]) / area, 0, 1)
    weight = np.stack([1 - second - third, second, third], axis=1)
    return np.asarray(weight, np.float64)


def _mask(polygon: AnyArray, fine: int, *, soft: float = 0.0) -> F32:
    """Coverage (fine, fine) of a polygon (n, 2) in picture px, softened over `soft` fine pixels."""
    mask = np.zeros((fine, fine), np.uint8)
    points = (polygon[:, :2] + 0.5) * FINE - 0.5
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    out = np.asarray(mask, np.float32) / np.float32(255)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), soft), np.float32) if soft > 0 else out


def _ellipse(centre: AnyArray, axes: tuple[float, float], angle: float) -> F64:
    t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    xy = np.column_stack([axes[0] * np.cos(t), axes[1] * np.sin(t)])
    return np.asarray(xy @ np.array([[c, s], [-s, c]]) + centre[:2], np.float64)


def _surroundings(mesh: F32, fine: int, *, seen: AnyArray) -> tuple[F32, F32, F32]:
    """Albedo (fine, fine, 3) of all that is not face, light let through to it, and where the face's skin is seen."""
    unit = fm.inter_ocular(mesh)
    across = mesh[473, :2] - mesh[468, :2]
    angle = float(np.arctan2(across[1], across[0]))
    down = np.array([-np.sin(angle), np.cos(angle)])
    oval = mesh[list(fm.OVAL)]
    middle = oval[:, :2].mean(axis=0)
    rows = np.linspace(0, 1, fine, dtype=np.float32)[:, None, None]
    matte = np.broadcast_to(np.array([0.42, 0.43, 0.45], np.float32) * (1.1 - 0.35 * rows), (fine, fine, 3)).copy()
    shade = np.ones((fine, fine), np.float32)

    _lay(
        matte,
        _mask(_ellipse(middle - 0.25 * unit * down, (1.5 * unit, 1.75 * unit), angle), fine, soft=2.0),
        colour=HAIR,
    )
    neck = middle + 1.6 * unit * down
    torso = _ellipse(neck + 1.9 * unit * down, (3.0 * unit, 1.5 * unit), angle)
    on_neck = _mask(_ellipse(neck, (0.75 * unit, 1.1 * unit), angle), fine) > 0.5
    matte[on_neck] = NECK
    shade[on_neck & ~seen] = 0.55
    cloth = _mask(torso, fine) > 0.5
    matte[cloth], shade[cloth] = CLOTH, 1.0
    cover = np.asarray(cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 0.7), np.float32)
    for ring, iris in ((fm.RIGHT_EYE, fm.RIGHT_IRIS), (fm.LEFT_EYE, fm.LEFT_IRIS)):
        cover = cover * (1 - _eye(mesh, ring, iris, matte=matte, shade=shade))
    mouth = _mask(mesh[list(fm.LIPS_INNER)], fine, soft=0.8)
    _lay(matte, mouth, colour=TEETH)
    shade[:] = shade * (1 - mouth) + 0.5 * mouth
    cover = cover * (1 - mouth)
    return matte, shade, np.asarray(cover, np.float32)


def _lay(matte: F32, mask: F32, *, colour: tuple[float, float, float]) -> None:
    matte[:] = matte * (1 - mask[..., None]) + np.array(colour, np.float32) * mask[..., None]


def _eye(mesh: F32, ring: tuple[int, ...], iris: tuple[int, ...], *, matte: F32, shade: F32) -> F32:
    """Draw an eye and its upper lashes into `matte`, the lid's shade into `shade`; returns where they hide the skin."""
    fine, unit = len(matte), fm.inter_ocular(mesh)
    eye = _mask(mesh[list(ring)], fine, soft=0.8)
    centre = mesh[iris[0]]
    radius = float(np.linalg.norm(mesh[list(iris[1:]), :2] - centre[:2], axis=1).mean())
    _lay(matte, eye, colour=SCLERA)
    _lay(matte, _mask(_ellipse(centre, (radius, radius), 0.0), fine, soft=1.0) * eye, colour=IRIS)
    _lay(matte, _mask(_ellipse(centre, (0.42 * radius, 0.42 * radius), 0.0), fine, soft=0.8) * eye, colour=PUPIL)
    inside = eye > 0.02
    depth = cv2.distanceTransform((eye > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / (0.06 * unit * FINE)
    lid = 0.45 + 0.5 * np.clip(depth, 0, 1)
    shade[inside] = (shade * (1 - eye) + lid * eye)[inside]
    lashes = np.zeros((fine, fine), np.uint8)
    upper = ((mesh[[*ring[8:], ring[0]], :2] + 0.5) * FINE - 0.5) * 16
    width = max(1, round(0.02 * unit * FINE))
    cv2.polylines(lashes, [np.rint(upper).astype(np.int32)], False, 255, width, cv2.LINE_AA, shift=4)
    lash = np.asarray(lashes, np.float32) / np.float32(255) * np.float32(0.7)
    _lay(matte, lash, colour=PUPIL)
    return np.asarray(1 - (1 - eye) * (1 - lash), np.float32)
