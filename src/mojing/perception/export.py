"""Writing what was perceived in fixed formats, so that others can read and measure it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from mojing.core import files
from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.image import Photo, save
from mojing.core.skeleton import BODY_BONES, BODY_JOINTS, GARMENT_ANCHORS, A, J
from mojing.perception.body import BodyView
from mojing.perception.garment import GarmentView
from mojing.perception.labels import LABELS

_GARMENT_BONES = (
    ("left_shoulder", "neck"),
    ("neck", "right_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_waist", "right_waist"),
    ("left_hip", "right_hip"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
    ("left_hem", "right_hem"),
)


def _palette() -> U8:
    """Colours (21, 3): hues a golden angle apart, so that neighbours in the list of labels differ most."""
    hues = (np.arange(len(LABELS)) * 137.508) % 360 / 2
    value = np.where(np.arange(len(LABELS)) % 2 == 0, 230, 170)
    hsv = np.stack([hues, np.full(len(LABELS), 190), value], axis=1).astype(np.uint8)
    rgb = np.asarray(cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0], np.uint8)
    rgb[0] = 0
    return rgb


PALETTE: U8 = _palette()
"""Colour of each label in overlays, RGB uint8 (21, 3)."""


def joints_json(view: BodyView) -> dict[str, dict[str, list[float]]]:
    """`{"joints": {name: [x_px, y_px, confidence]}}`."""
    return {"joints": {n: _numbers(view.joints[i]) for n, i in J.items()}}


def anchors_json(view: GarmentView) -> dict[str, dict[str, list[float] | None]]:
    """`{"anchors": {name: [x_px, y_px, confidence] or null where the garment has none}}`."""
    return {"anchors": {n: _numbers(view.anchors[i]) if view.anchors[i, 2] > 0 else None for n, i in A.items()}}


def _numbers(point: AnyArray) -> list[float]:
    return [round(float(point[0]), 2), round(float(point[1]), 2), round(float(point[2]), 4)]


def write_person(view: BodyView, photo: Photo, folder: Path) -> tuple[Path, ...]:
    """Write joints.json, parse.png (8-bit label ids, the photo's size), alpha.png and overlay.png into `folder`."""
    return (
        _write_json(folder / "joints.json", joints_json(view)),
        save(folder / "parse.png", view.parse),
        save(folder / "alpha.png", view.alpha),
        save(folder / "overlay.png", person_overlay(view, photo.flat())),
    )


def write_garment(view: GarmentView, photo: Photo, folder: Path) -> tuple[Path, ...]:
    """Write cutout.png (RGBA, the photo's size), anchors.json, attributes.json and overlay.png into `folder`."""
    about = {
        "category": view.category,
        **view.attributes,
        "confidence": round(view.confidence, 4),
        "worn": view.worn,
        "notices": list(view.notices),
    }
    return (
        save(folder / "cutout.png", np.dstack([photo.rgb, view.alpha])),
        _write_json(folder / "anchors.json", anchors_json(view)),
        _write_json(folder / "attributes.json", about),
        save(folder / "overlay.png", garment_overlay(view)),
    )


def _write_json(path: Path, content: object) -> Path:
    return files.write(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def person_overlay(view: BodyView, rgb: U8) -> U8:
    """The photo (H, W, 3) with labels laid over it and the skeleton drawn."""
    tinted = cv2.addWeighted(rgb, 0.5, PALETTE[view.parse], 0.5, 0)
    out = np.where((view.parse > 0)[..., None], tinted, rgb // 2 + 60).astype(np.uint8)
    return _skeleton(out, view.joints, BODY_JOINTS, BODY_BONES)


def garment_overlay(view: GarmentView) -> U8:
    """The cut-out on grey, its inner back tinted, with the anchors drawn."""
    a = view.alpha[..., None].astype(np.float32) / 255
    out = (view.rgb * a + (view.rgb * 0.25 + 96) * (1 - a)).astype(np.uint8)
    out[view.inner > 127] = out[view.inner > 127] // 2 + np.array([96, 0, 64], np.uint8)
    return _skeleton(out, view.anchors, GARMENT_ANCHORS, _GARMENT_BONES)


def _skeleton(image: U8, points: F32, names: tuple[str, ...], bones: tuple[tuple[str, str], ...]) -> U8:
    size = max(round(max(image.shape) / 250), 1)
    row = {n: i for i, n in enumerate(names)}
    drawn = np.ascontiguousarray(image)

    def at(i: int) -> tuple[int, int]:
        return round(float(points[i, 0])), round(float(points[i, 1]))

    for a, b in bones:
        if min(points[row[a], 2], points[row[b], 2]) > 0.1:
            cv2.line(drawn, at(row[a]), at(row[b]), (255, 255, 255), size, cv2.LINE_AA)
    for i, name in enumerate(names):
        if points[i, 2] > 0.1:
            side = name.partition("_")[0]
            colour = {"left": (40, 220, 60), "right": (240, 60, 40)}.get(side, (250, 220, 40))
            cv2.circle(drawn, at(i), 2 * size, colour, -1, cv2.LINE_AA)
    return drawn
