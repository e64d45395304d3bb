"""How well faces are found and meshed: against the teacher's meshes and the hand-made labels, on held-out photos.

Errors are distances in the picture, in per cent of the teacher's inter-ocular distance. Everything goes through
the whole chain as users have it: finder, then the face network on its own crops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.geometry import Affine, Box
from mojing.core.image import load
from mojing.core.progress import track
from mojing.perception import facemesh
from mojing.perception.face import SIDE, Faces
from mojing.perception.facefaults import fault_of
from mojing.perception.faceview import FACE_PARTS, FaceView, parts_affine
from mojing.perception.ground_truth import is_validation, label_table, read_label
from mojing.perception.labels import L
from mojing.perception.track import FaceTracker
from mojing.runtime.store import ModelStore

SETS = ("faces", "shop", "people")
ROLL_DEG = 30.0
SMALL_PX = 64
"""Height of the face, hairline to chin, in the photos of small faces."""
MIN_EYES_PX = 10.0
"""Inter-ocular distance from which a street photo's face counts."""


@dataclass
class Tally:
    """Errors of the faces found in one kind of photo, of those that are not refused, and how many were not found."""

    every: list[float] = field(default_factory=list)
    fine: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    missed: int = 0
    surplus: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def result(self) -> dict[str, Any]:
        """Figures of this kind of photo; nothing but the counts where no face was found."""
        out: dict[str, Any] = {"photos": len(self.every) + self.missed, "found": len(self.every)}
        if self.every:
            out |= {
                "error_pct": float(np.mean(self.every)),
                "lips_eyes_pct": float(np.mean(self.fine)),
                "error_median_pct": float(np.median(self.every)),
                "error_p95_pct": float(np.quantile(self.every, 0.95)),
            }
            if self.accepted:
                out["accepted_error_pct"] = float(np.mean(self.accepted))
            out["precision"] = len(self.every) / (len(self.every) + self.surplus)
            out["recall"] = len(self.every) / (len(self.every) + self.missed)
        if self.refused:
            out["refused"] = dict(sorted(self.refused.items()))
        return out


def errors(mesh: F32, truth: F32) -> F32:
    """Distance of every point (478,) in per cent of the truth's inter-ocular distance."""
    gap = mesh[:, :2] - truth[:, :2]
    return np.asarray(np.hypot(gap[:, 0], gap[:, 1]) / facemesh.inter_ocular(truth) * 100, np.float32)


def held_out(data: Path, teacher: Path, name: str, *, everything: bool = False) -> Iterator[tuple[str, U8, F32]]:
    """Name, photo (H, W, 3) and the teacher's mesh (478, 3) of every held-out photo of a set with a face."""
    for path in sorted((teacher / name).glob("*.npz")):
        if not everything and not is_validation(path.stem):
            continue
        with np.load(path) as file:
            mesh = np.asarray(file["face"], np.float32)
        photo = data / name / "photos" / f"{path.stem}.webp"
        if len(mesh) == facemesh.POINTS and photo.exists():
            yield path.stem, load(photo).flat(), mesh


def rolled(rgb: U8, mesh: F32, degrees: float) -> tuple[U8, F32]:
    """The photo turned about the face's middle on a canvas of the same size, and its mesh."""
    middle = mesh[:468, :2].mean(axis=0)
    turn = Affine.similarity(1.0, float(np.deg2rad(degrees)))
    move = middle - turn.apply(middle[None])[0]
    turn = Affine.similarity(1.0, float(np.deg2rad(degrees)), move=(float(move[0]), float(move[1])))
    h, w = rgb.shape[:2]
    image = cv2.warpAffine(rgb, turn.matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(image, np.uint8), turn.apply(mesh).astype(np.float32)


def shrunk(rgb: U8, mesh: F32, height: float) -> tuple[U8, F32]:
    """The photo made smaller until its face is `height` px high, and its mesh."""
    scale = height / float(np.hypot(*(mesh[facemesh.CHIN, :2] - mesh[facemesh.FOREHEAD, :2])))
    h, w = rgb.shape[:2]
    wh = max(round(w * scale), 8), max(round(h * scale), 8)
    sx, sy = wh[0] / w, wh[1] / h
    small = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA)
    moved = mesh * np.array([sx, sy, sx], np.float32) + np.array([0.5 * sx - 0.5, 0.5 * sy - 0.5, 0], np.float32)
    return np.asarray(small, np.uint8), moved.astype(np.float32)


def judge(faces: Faces, rgb: U8, truth: F32, tally: Tally) -> FaceView | None:
    """Look for the face of a photo and count what was found; the view of the face that the teacher saw, or None."""
    views = faces.find(rgb)
    middle, reach = truth[:468, :2].mean(axis=0), facemesh.inter_ocular(truth)
    right = [v for v in views if np.hypot(*(v.mesh[:468, :2].mean(axis=0) - middle)) < reach]
    tally.surplus += len(views) - min(len(right), 1)
    if not right:
        tally.missed += 1
        return None
    error = errors(right[0].mesh, truth)
    tally.every.append(float(error.mean()))
    tally.fine.append(float(error[list(facemesh.FINE)].mean()))
    refusal = fault_of(rgb, right[0])
    if refusal is not None:
        tally.refused[refusal.code] = tally.refused.get(refusal.code, 0) + 1
    else:
        tally.accepted.append(float(error.mean()))
    return right[0]


def run_face(
    data: Path, *, teacher: Path | None = None, limit: int | None = None, everything: bool = False
) -> dict[str, Any]:
    """All figures of the face networks.

    Raises:
        InputError: bad_data, when there are no meshes to compare with.
    """
    labels = teacher if teacher is not None else data / "teacher"
    if not (labels / SETS[0]).is_dir():
        raise InputError("bad_data", f"there are no meshes in {labels}", hint="make them with `mojing label`")
    faces = Faces(ModelStore())
    tallies = {name: Tally() for name in (*SETS, "rolled", "small")}
    scores: list[float] = []
    parts = PartMeter(data)
    portraits: list[tuple[U8, F32]] = []
    for name in SETS:
        shown = list(held_out(data, labels, name, everything=everything))[:limit]
        for stem, rgb, truth in track(shown, name, total=len(shown)):
            if facemesh.inter_ocular(truth) < MIN_EYES_PX:
                continue
            view = judge(faces, rgb, truth, tallies[name])
            scores.append(_score(faces, rgb, parts_affine(truth, size=SIDE)))
            if view is not None and name == "people":
                parts.add(view, stem)
            if name == "faces":
                portraits.append((rgb, truth))
    for i, (rgb, truth) in enumerate(track(portraits, "rolled and small", total=len(portraits))):
        judge(faces, *rolled(rgb, truth, ROLL_DEG if i % 2 else -ROLL_DEG), tallies["rolled"])
        judge(faces, *shrunk(rgb, truth, SMALL_PX), tallies["small"])
    strangers, alarms, photos = nobody(faces, data, count=limit or 150)
    wrong = wrong_crops(faces, portraits)
    return {
        "suite": "face",
        **{name: tally.result() for name, tally in tallies.items()},
        "parts_iou_people": parts.result(),
        "confidence": roc(scores, strangers, wrong, limit=faces.limit),
        "garments": {"photos": photos, "false_faces": alarms},
        "jitter": jitter(faces, portraits[0][0], portraits[0][1]) if portraits else {},
    }


def _score(faces: Faces, rgb: U8, crop: Affine) -> float:
    view = faces.look(rgb, crop)
    return view.confidence if view is not None else 0.0


def nobody(faces: Faces, data: Path, *, count: int) -> tuple[list[float], int, int]:
    """Photos of garments: confidences of random squares, faces falsely found, and how many photos there were."""
    rng = np.random.default_rng(0)
    paths = [p for p in sorted((data / "garments" / "photos").glob("*")) if is_validation(p.stem)]
    picked = [paths[i] for i in rng.permutation(len(paths))[:count]]
    scores, alarms = [], 0
    for path in track(picked, "garments", total=len(picked)):
        rgb = load(path).flat()
        alarms += len(faces.find(rgb))
        size = min(rgb.shape[:2]) * rng.uniform(0.2, 0.9)
        x, y = rng.uniform(0, rgb.shape[1] - size), rng.uniform(0, rgb.shape[0] - size)
        scale = SIDE / size
        scores.append(_score(faces, rgb, Affine.similarity(scale, move=(-x * scale, -y * scale))))
    return scores, alarms, len(picked)


def wrong_crops(faces: Faces, portraits: Sequence[tuple[U8, F32]]) -> list[float]:
    """Confidences of crops that miss the face: aside, much too large, much too small, upside down."""
    scores = []
    for i, (rgb, truth) in enumerate(portraits):
        right = parts_affine(truth, size=SIDE)
        middle = np.array([[(SIDE - 1) / 2, (SIDE - 1) / 2]])
        scale, angle, aside = ((1.0, 0.0, 0.6), (3.2, 0.0, 0.0), (0.3, 0.0, 0.0), (1.0, np.pi, 0.0))[i % 4]
        turn = Affine.similarity(scale, angle)
        move = middle[0] - turn.apply(middle)[0] + (aside * SIDE, 0.0)
        change = Affine.similarity(scale, angle, move=(float(move[0]), float(move[1])))
        scores.append(_score(faces, rgb, change.compose(right)))
    return scores


def roc(right: Sequence[float], strangers: Sequence[float], wrong: Sequence[float], *, limit: float) -> dict[str, Any]:
    """Area under the ROC curve of faces against squares without one and against wrong crops; rates at `limit`."""
    sure = np.asarray(right)
    out: dict[str, Any] = {"limit": limit, "faces_accepted": float((sure >= limit).mean()) if len(sure) else None}
    for name, values in (("no_face", np.asarray(strangers)), ("wrong_crop", np.asarray(wrong))):
        if len(values) and len(sure):
            above = (sure[:, None] > values).mean() + 0.5 * (sure[:, None] == values).mean()
            out[name] = {"auc": float(above), "accepted": float((values >= limit).mean())}
    return out


class PartMeter:
    """Intersection over union of parts with the hand-made labels of street photos, inside the grid around the face."""

    NAMES = ("skin", "hair", "glasses")

    def __init__(self, data: Path) -> None:
        self.labels = data / "people" / "labels"
        names = data / "people" / "label_names.json"
        self.table, self.skin = label_table(names) if names.exists() else (np.zeros(256, np.uint8), 0)
        self.both = dict.fromkeys(self.NAMES, 0)
        self.either = dict.fromkeys(self.NAMES, 0)
        self.photos = 0

    def add(self, view: FaceView, stem: str) -> None:
        """Count one photo, if it has labels."""
        if not (self.labels / f"{stem}.png").exists():
            return
        self.photos += 1
        label = self.table[read_label(self.labels / f"{stem}.png")]
        said = view.parts.argmax(axis=0)
        side = said.shape[0]
        grid = cv2.warpAffine(label, view.to_parts.matrix, (side, side), flags=cv2.INTER_NEAREST, borderValue=255)
        # Lips and eyes are skin to those who labelled; a beard is hair or skin.
        merged = np.isin(said, [FACE_PARTS.index(n) for n in ("skin", "mouth", "beard")])
        inner = view.to_parts.apply(view.mesh[list(facemesh.OVAL), :2])
        hull = np.zeros((side, side), np.uint8)
        cv2.fillConvexPoly(hull, np.rint(cv2.convexHull(inner.astype(np.float32))).astype(np.int32), 1)
        merged |= (said == FACE_PARTS.index("other")) & (hull > 0)
        masks = {
            "skin": (merged, grid == L["face"]),
            "hair": (said == FACE_PARTS.index("hair"), grid == L["hair"]),
            "glasses": (said == FACE_PARTS.index("glasses"), grid == L["glasses"]),
        }
        for name, (ours, theirs) in masks.items():
            known = grid != 255
            self.both[name] += int((ours & theirs & known).sum())
            self.either[name] += int(((ours | theirs) & known).sum())

    def result(self) -> dict[str, Any]:
        """IoU over all photos together."""
        iou = {n: self.both[n] / self.either[n] for n in self.NAMES if self.either[n]}
        return {"photos": self.photos, **iou}


def still_clip(
    rgb: U8, truth: F32, *, frames: int = 60, noise: float = 3.0, wh: tuple[int, int] = (640, 480)
) -> Iterator[U8]:
    """A still face as a camera of `wh` sees it: face 90 px between the eyes, Gaussian sensor noise in 8-bit steps."""
    scale = 90.0 / facemesh.inter_ocular(truth)
    middle = Box.around(truth[:468, :2]).centre
    affine = Affine.similarity(scale, move=(wh[0] / 2 - scale * middle[0], wh[1] / 2 - scale * middle[1]))
    frame = cv2.warpAffine(rgb, affine.matrix, wh, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    rng = np.random.default_rng(0)
    for _ in range(frames):
        yield np.clip(frame + rng.normal(0, noise, frame.shape), 0, 255).astype(np.uint8)


def jitter(faces: Faces, rgb: U8, truth: F32, *, fps: float = 30.0, frames: int = 60) -> dict[str, float]:
    """Root mean square distance of a still face's points from their own mean place, in px at 640x480.

    With the tracker's filter, and of the network alone (each frame meshed from the last raw mesh).
    """
    tracker = FaceTracker(faces)
    clip = list(still_clip(rgb, truth, frames=frames))
    filtered = _spread(lambda image, i: tracker(image, i / fps), clip)
    last: list[FaceView] = []

    def raw(image: U8, _: int) -> FaceView | None:
        view = faces.follow(image, last[-1]) if last else next(iter(faces.find(image)), None)
        if view is not None:
            last.append(view)
        return view

    return {"tracked_px": filtered, "network_px": _spread(raw, clip)}


def _spread(follow: Callable[[U8, int], FaceView | None], clip: Sequence[U8]) -> float:
    seen = [follow(image, i) for i, image in enumerate(clip)]
    meshes = np.stack([v.mesh[:, :2] for v in seen if v is not None])
    if len(meshes) < len(clip):
        return float("nan")
    away = meshes - meshes.mean(axis=0)
    return float(np.sqrt((away**2).sum(axis=-1).mean()))
