"""Labelled photos of people as the suites use them: held-out ones by default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.core.image import load
from mojing.core.skeleton import J
from mojing.perception.body import BodyView
from mojing.perception.ground_truth import is_validation, joints_from_pose, label_table, read_label, split_skin

VISIBLE = 0.5
"""Visibility from which the teacher's joint is taken as truth."""


@dataclass(frozen=True, eq=False)
class Person:
    """One photo: RGB (H, W, 3), the teacher's joints (21, 3) or None, parse (H, W) label ids or None."""

    key: str
    rgb: U8
    joints: F32 | None
    parse: U8 | None

    def counted(self) -> AnyArray:
        """Joints (21,) that the teacher is sure of and that lie inside the photo."""
        assert self.joints is not None
        h, w = self.rgb.shape[:2]
        x, y, sure = self.joints.T
        return np.asarray((sure > VISIBLE) & (x >= 0) & (y >= 0) & (x <= w - 1) & (y <= h - 1))

    def view(self) -> BodyView:
        """The truth as if the body network had said it."""
        assert self.joints is not None and self.parse is not None
        hw = (self.rgb.shape[0], self.rgb.shape[1])
        alpha = np.where(self.parse > 0, np.uint8(255), np.uint8(0)).astype(np.uint8)
        return BodyView(hw, self.joints, self.parse, alpha, Box.of_mask(self.parse) or Box(0, 0, hw[1], hw[0]))


def find_teacher(data: Path, teacher: Path | None) -> Path | None:
    """Folder of ID.npz of the street photos, given itself, its parent, or found beside the data; None without any."""
    places = [teacher] if teacher is not None else [data / "teacher", data / "people" / "teacher"]
    for place in places:
        for folder in (place / "people", place):
            if folder.is_dir() and next(folder.glob("*.npz"), None) is not None:
                return folder
    if teacher is not None:
        raise InputError("bad_data", f"{teacher} holds no labels of the teacher", hint="make them with `mojing label`")
    return None


def photo_ids(data: Path, *, everything: bool, limit: int | None, labelled: bool = False) -> list[str]:
    """Ids of the street photos, sorted; all of them when none would be held out (another data set of this layout).

    Raises:
        InputError: bad_data.
    """
    folder = data / "people" / "photos"
    photos = {p.stem for p in folder.glob("*.*")} if folder.is_dir() else set()
    if not photos:
        raise InputError("bad_data", f"there are no photos in {folder}", hint="see docs/training.md for the layout")
    if labelled:
        photos &= {p.stem for p in (data / "people" / "labels").glob("*.png")}
    held = {i for i in photos if is_validation(i)}
    chosen = sorted(photos if everything or not held else held)
    return chosen[:limit]


def read_people(data: Path, ids: list[str], *, teacher: Path | None) -> Iterator[Person]:
    """Photos with whatever is known of each; the parse needs the teacher's joints to split skin."""
    names = data / "people" / "label_names.json"
    table = label_table(names) if names.is_file() else None
    for key in ids:
        photo = next((data / "people" / "photos").glob(f"{key}.*"))
        rgb = load(photo).flat()
        joints, parse = None, None
        known = teacher / f"{key}.npz" if teacher is not None else None
        if known is not None and known.is_file():
            with np.load(known) as found:
                joints = joints_from_pose(found["pose"])
        label = data / "people" / "labels" / f"{key}.png"
        if joints is not None and table is not None and label.is_file():
            parse = split_skin(read_label(label), joints, *table)
        yield Person(key, rgb, joints, parse)


def upper_crop(person: Person) -> Person:
    """The tight upper-body part of a full-length photo: above the head to just below the hips, with the arms."""
    assert person.joints is not None
    at = {n: person.joints[i, :2] for n, i in J.items()}
    neck, hips = (at["left_shoulder"] + at["right_shoulder"]) / 2, (at["left_hip"] + at["right_hip"]) / 2
    torso = max(float(np.linalg.norm(neck - hips)), 8.0)
    arms = np.array([at[f"{s}_{n}"][0] for s in ("left", "right") for n in ("shoulder", "elbow")])
    h, w = person.rgb.shape[:2]
    x0 = int(np.clip(arms.min() - 0.3 * torso, 0, w - 33))
    x1 = int(np.clip(arms.max() + 0.3 * torso, x0 + 33, w))
    y0 = int(np.clip(at["nose"][1] - 0.6 * torso, 0, h - 33))
    y1 = int(np.clip(hips[1] + 0.15 * torso, y0 + 33, h))
    joints = person.joints - np.array([x0, y0, 0], np.float32)
    parse = None if person.parse is None else np.ascontiguousarray(person.parse[y0:y1, x0:x1])
    return Person(person.key, np.ascontiguousarray(person.rgb[y0:y1, x0:x1]), joints, parse)
