"""Writing what was seen of a face in fixed formats: `mojing inspect face`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mojing.core import files
from mojing.core.arrays import U8, AnyArray
from mojing.core.geometry import Box
from mojing.core.image import save
from mojing.perception.facemesh import (
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    triangles,
)
from mojing.perception.faceview import FACE_PARTS, PARTS_SIZE, FaceView

_DRAWN: Final[tuple[tuple[str, tuple[int, ...]], ...]] = (
    ("right_brow", RIGHT_BROW),
    ("left_brow", LEFT_BROW),
    ("right_eye", RIGHT_EYE),
    ("left_eye", LEFT_EYE),
    ("right_iris", RIGHT_IRIS[1:]),
    ("left_iris", LEFT_IRIS[1:]),
    ("lips", LIPS_OUTER),
)
"""Regions told by the mesh, painted over the parts in this order; mouth is cut out of the lips again."""

REGIONS: Final[tuple[str, ...]] = (*FACE_PARTS, *(name for name, _ in _DRAWN))
"""Names of the ids in regions.png."""

_OVERLAY_EYES: Final = 260.0
"""Distance of the eyes in overlay.png, px."""

_HIDING: Final = ("cover", "hair", "glasses")
_COLOURS: Final = (
    *((0, 0, 0), (236, 188, 160), (110, 70, 40), (90, 60, 90), (60, 160, 220), (120, 20, 40), (120, 120, 120)),
    *((180, 120, 40), (180, 120, 40), (245, 245, 245), (245, 245, 245), (40, 160, 90), (40, 160, 90), (220, 40, 90)),
)


def regions(face: FaceView) -> U8:
    """Ids (H, W) uint8 of `REGIONS`: the likeliest part of each pixel, and what the mesh tells where nothing hides it.

    Outside the grid of parts all is `other`.
    """
    h, w = face.hw
    side = face.parts.shape[1]
    corners = face.to_parts.inverse().apply(np.array([[0.0, 0.0], [side, 0.0], [0.0, side], [side, side]]))
    rows, cols = Box.around(corners).slices((h, w))
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    ids = np.zeros((h, w), np.uint8)
    if box.area == 0:
        return ids
    parts = np.stack([face.part(name, box=box) for name in FACE_PARTS])
    near = parts.argmax(axis=0).astype(np.uint8)
    near[~_inside_grid(face, box)] = 0
    hidden = parts[[FACE_PARTS.index(name) for name in _HIDING]].sum(axis=0) > 0.5
    mouth = _filled(face.mesh[list(LIPS_INNER), :2], box) & ~hidden
    for name, indices in _DRAWN:
        eye = {"right_iris": RIGHT_EYE, "left_iris": LEFT_EYE}.get(name)
        where = _filled(face.mesh[list(indices), :2], box) if eye is None else _iris(face, indices, box=box)
        if eye is not None:
            where &= _filled(face.mesh[list(eye), :2], box)
        near[where & ~hidden] = REGIONS.index(name)
    near[mouth] = REGIONS.index("mouth")
    ids[rows, cols] = near
    return ids


def _iris(face: FaceView, edge: tuple[int, ...], *, box: Box) -> AnyArray:
    """The ellipse with the four points of an iris' edge as the ends of its axes."""
    points = face.mesh[list(edge), :2]
    turns = np.linspace(0, 2 * np.pi, 32, endpoint=False)[:, None]
    middle = points.mean(axis=0)
    a, b = (points[0] - points[2]) / 2, (points[1] - points[3]) / 2
    return _filled(middle + a * np.cos(turns) + b * np.sin(turns), box)


def _filled(polygon: AnyArray, box: Box) -> AnyArray:
    """Which pixels (h, w) of the box lie in a polygon (n, 2) in px of the photo."""
    canvas = np.zeros((round(box.height), round(box.width)), np.uint8)
    points = np.rint((polygon - (box.x0, box.y0)) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [points], 1, shift=4)
    return canvas > 0


def _inside_grid(face: FaceView, box: Box) -> AnyArray:
    h, w = round(box.height), round(box.width)
    grid = face.to_parts.apply(
        np.stack(np.meshgrid(np.arange(w) + box.x0, np.arange(h) + box.y0), axis=-1).reshape(-1, 2)
    )
    return np.asarray(((grid > -0.5) & (grid < PARTS_SIZE - 0.5)).all(axis=1).reshape(h, w))


def mesh_json(face: FaceView) -> dict[str, Any]:
    """`{"mesh": [[x_px, y_px, z] x 478], "confidence": c}` and what follows from the mesh."""
    return {
        "mesh": [[round(float(v), 2) for v in point] for point in face.mesh],
        "confidence": round(face.confidence, 4),
        "inter_ocular_px": round(face.inter_ocular, 2),
        "roll_deg": round(face.roll, 2),
        "yaw_deg": round(face.yaw, 2),
        "pitch_deg": round(face.pitch, 2),
        "notices": list(face.notices),
    }


def write_face(face: FaceView, rgb: U8, folder: Path) -> tuple[Path, ...]:
    """Write mesh.json, regions.png (8-bit ids, the photo's size), regions.json and overlay.png (a close-up) into
    `folder`.

    Raises:
        InputError: unwritable.
    """
    ids = regions(face)
    names = {"regions": {name: number for number, name in enumerate(REGIONS)}}
    return (
        _write_json(folder / "mesh.json", mesh_json(face)),
        save(folder / "regions.png", ids),
        _write_json(folder / "regions.json", names),
        save(folder / "overlay.png", overlay(face, rgb, ids=ids)),
    )


def _write_json(path: Path, content: object) -> Path:
    return files.write(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def overlay(face: FaceView, rgb: U8, *, ids: U8) -> U8:
    """The face and its surroundings, enlarged where it is small: regions `ids` laid over it and the mesh drawn."""
    rows, cols = face.box.pad(0.35).slices(face.hw)
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    scale = min(max(_OVERLAY_EYES / max(face.inter_ocular, 1.0), 0.25), 12.0)
    tinted = cv2.addWeighted(rgb[rows, cols], 0.6, np.array(_COLOURS, np.uint8)[ids[rows, cols]], 0.4, 0)
    near = np.where((ids[rows, cols] > 0)[..., None], tinted, rgb[rows, cols]).astype(np.uint8)
    wh = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    out = np.ascontiguousarray(cv2.resize(near, wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
    points = (face.mesh[:, :2] - (box.x0, box.y0) + 0.5) * scale - 0.5
    corners = np.rint(points * 16).astype(np.int32)
    lines = out.copy()
    cv2.polylines(lines, list(corners[triangles()]), True, (255, 255, 255), 1, cv2.LINE_AA, 4)
    out = cv2.addWeighted(lines, 0.45, out, 0.55, 0)
    for loop in (OVAL, LIPS_OUTER, LIPS_INNER, RIGHT_EYE, LEFT_EYE):
        cv2.polylines(out, [corners[list(loop)]], True, (250, 220, 40), 2, cv2.LINE_AA, 4)
    for iris in (RIGHT_IRIS, LEFT_IRIS):
        for point in iris:
            cv2.circle(out, (corners[point, 0], corners[point, 1]), 40, (40, 220, 60), -1, cv2.LINE_AA, 4)
    return np.asarray(out, np.uint8)
