"""Photos of people with whatever is known about each: teacher joints and mask, labels, pseudo-labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mojing.core.skeleton import BODY_JOINTS, J, mirror_order
from mojing.perception.ground_truth import is_validation, joints_from_pose, label_table, read_label, split_skin
from mojing.perception.labels import L, mirror_labels

IGNORE = 255
LONG_SIDE = 640
SHOP_VIEWS = ("_main", "_back", "_alt1", "_alternate", "_outfit")
RARE = {
    "skirt": 2.0,
    "dress": 1.2,
    "legwear": 0.7,
    "hat": 1.0,
    "scarf": 1.0,
    "belt": 0.5,
    "left_leg": 0.4,
    "trousers": 0.2,
}
"""How much more often than others a photo is drawn for each rare label it shows."""

LEAST_PX = 150
"""Pixels from which a label counts as shown."""

_MIRROR_JOINTS = mirror_order(BODY_JOINTS)
_MIRROR_LABELS = np.array([*mirror_labels(), *[IGNORE] * (256 - len(mirror_labels()))], np.uint8)


@dataclass
class Person:
    """One photo.

    `levels` are RGB uint8 at full, half and quarter size; joints (21, 3) in full-size pixels; `parse` uint8 labels, 255
    unknown (None where nothing is known); `alpha` uint8 person probability at half size.
    """

    key: str
    levels: list[NDArray[np.uint8]]
    joints: NDArray[np.float32]
    parse: NDArray[np.uint8] | None
    alpha: NDArray[np.uint8]
    labelled: bool
    weight: float = 1.0
    extra: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def load_people(
    data: Path,
    teacher: Path,
    *,
    sets: Sequence[str] = ("people", "shop"),
    validation: bool = False,
    limit: int | None = None,
) -> list[Person]:
    """Load the photos of the named sets that the teacher labelled; held-out ones only, or all but those."""
    jobs = []
    for name in sets:
        photos = {p.stem: p for p in (data / name / "photos").iterdir()}
        for label in sorted((teacher / name).glob("*.npz")):
            if name == "shop" and not label.stem.endswith(SHOP_VIEWS):
                continue
            if label.stem in photos and is_validation(label.stem) == validation:
                jobs.append((name, photos[label.stem], label))
    if limit is not None:
        jobs = jobs[:limit]
    table, skin = label_table(data / "people" / "label_names.json")
    labels = data / "people" / "labels"
    with ThreadPoolExecutor(2) as pool:
        loaded = pool.map(lambda job: _load(*job, labels=labels, table=table, skin=skin), jobs)
    return [p for p in loaded if p is not None]


def _load(name: str, photo: Path, teacher: Path, *, labels: Path, table: NDArray[np.uint8], skin: int) -> Person | None:
    bgr = cv2.imread(str(photo), cv2.IMREAD_COLOR)
    known = np.load(teacher)
    joints = joints_from_pose(known["pose"])
    if bgr is None or (name == "shop" and not _whole_enough(joints, bgr.shape[:2])):
        return None
    scale = min(1.0, LONG_SIDE / max(bgr.shape[:2]))
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    parse = None
    labelled = False
    if name == "people" and (labels / f"{photo.stem}.png").exists():
        parse = split_skin(read_label(labels / f"{photo.stem}.png"), joints, table, skin)
        labelled = True
    if scale < 1:
        wh = (round(bgr.shape[1] * scale), round(bgr.shape[0] * scale))
        rgb = cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA)
        parse = None if parse is None else cv2.resize(parse, wh, interpolation=cv2.INTER_NEAREST)
        joints[:, :2] *= scale
    levels = levels_of(rgb)
    mask = (parse > 0).astype(np.uint8) * np.uint8(255) if parse is not None else known["mask"]
    person = Person(f"{name}/{photo.stem}", levels, joints, parse, halved(mask, levels), labelled)
    if parse is not None:
        area = np.bincount(parse.ravel(), minlength=256)
        person.weight = 1.0 + sum(w for label, w in RARE.items() if area[L[label]] > LEAST_PX)
    return person


def levels_of(rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """A photo (H, W, 3) at full, half and quarter size."""
    half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return [rgb, half, cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)]


def halved(mask: NDArray[np.uint8], levels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """A mask (H, W) of whatever size at the half size of a photo's levels."""
    return cv2.resize(mask, (levels[1].shape[1], levels[1].shape[0]), interpolation=cv2.INTER_AREA)


PRODUCTS: dict[str, str] = {
    **dict.fromkeys(("mh", "ms", "mt", "wh", "ws", "wt", "wb"), "upper"),
    **dict.fromkeys(("mj", "wj"), "outer"),
    **dict.fromkeys(("mp", "msh", "wp", "wsh"), "trousers"),
}
"""First letters of a shop photo's name -> label of the product it shows (tops, jackets, trousers and shorts)."""


def constrain_to_product(person: Person) -> None:
    """Correct the pseudo-labels of a shop photo by what its name says is shown: one top or jacket, trousers below."""
    name = person.key.removeprefix("shop/")
    kind = PRODUCTS.get("".join(itertools.takewhile(str.isalpha, name)))
    if person.parse is None or kind is None or not person.key.startswith("shop/"):
        return
    neck, hips = (person.joints[[J[f"left_{n}"], J[f"right_{n}"]], 1].mean() for n in ("shoulder", "hip"))
    rows = np.arange(person.parse.shape[0])[:, None]
    above = rows < hips + (0.15 if kind != "trousers" else -0.15) * (hips - neck)
    top = L["upper"] if kind == "trousers" else L[kind]
    cloth = np.isin(person.parse, [L[n] for n in ("upper", "outer", "dress", "scarf")])
    lower = np.isin(person.parse, [L[n] for n in ("skirt", "trousers", "dress", "upper", "outer")])
    person.parse[cloth & above] = top
    person.parse[np.isin(person.parse, [L["skirt"], L["trousers"]]) & above & (rows < hips - 0.15 * (hips - neck))] = (
        top
    )
    person.parse[lower & ~above & (rows > hips + 0.5 * (hips - neck))] = L["trousers"]


def _whole_enough(joints: NDArray[np.float32], hw: tuple[int, int]) -> bool:
    """Shoulders or hips must be seen: detail photos of shoes and bags are left out."""
    rows = [J["left_shoulder"], J["right_shoulder"], J["left_hip"], J["right_hip"]]
    inside = (joints[rows, 0] > 0) & (joints[rows, 0] < hw[1]) & (joints[rows, 1] > 0) & (joints[rows, 1] < hw[0])
    return bool((inside & (joints[rows, 2] > 0.5)).sum() >= 2)


def visible(joints: NDArray[np.float32], wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Joints the teacher trusts that lie inside a picture of size (width, height)."""
    x, y, v = joints.T
    return (v > 0.4) & (x >= 0) & (y >= 0) & (x <= wh[0] - 1) & (y <= wh[1] - 1)  # type: ignore[no-any-return]


def whole_box(person: Person) -> tuple[float, float, float, float]:
    """Centre x, centre y, width and height (px) of the box around everything known of the person."""
    x0, y0, x1, y1 = alpha_box(person.alpha)
    return (x0 + x1), (y0 + y1), 2.0 * (x1 - x0), 2.0 * (y1 - y0)


def alpha_box(alpha: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Bounding box x0, y0, x1, y1 of the larger part of a person mask."""
    solid = (alpha > 127).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2:
        return 0, 0, alpha.shape[1], alpha.shape[0]
    x, y, w, h, _ = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))]
    return int(x), int(y), int(x + w), int(y + h)


def torso_box(joints: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Centre x, centre y, width and height (px) of the upper body: head to hips, with the arms."""
    rows = [J[n] for n in ("nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_hip", "right_hip")]
    arms = [J[n] for n in ("left_elbow", "right_elbow")]
    pts = joints[rows + arms, :2]
    x0, y0 = pts.min(axis=0)
    x1, y1 = pts.max(axis=0)
    head = 0.45 * max(y1 - y0, 1.0)
    y0, y1 = y0 - 0.5 * head, y1 + 0.4 * head
    return (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * 1.35, y1 - y0


def legs_box(joints: NDArray[np.float32]) -> tuple[float, float, float, float] | None:
    """Centre x, centre y, width and height (px) of all from the waist to the toes; None where they are unseen."""
    rows = [J[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "toe") for side in ("left", "right")]
    pts = joints[rows]
    if (pts[:, 2] > 0.4).sum() < 6:
        return None
    torso = float(
        joints[[J["left_hip"], J["right_hip"]], 1].mean() - joints[[J["left_shoulder"], J["right_shoulder"]], 1].mean()
    )
    x0, y0 = pts[:, :2].min(axis=0)
    x1, y1 = pts[:, :2].max(axis=0)
    y0, y1 = y0 - 0.35 * torso, y1 + 0.12 * torso
    return (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) + 0.6 * torso, y1 - y0


def mirrored(joints: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Joints of the horizontally flipped picture."""
    out = joints[_MIRROR_JOINTS].copy()
    out[:, 0] = width - 1 - out[:, 0]
    return out


def mirrored_parse(parse: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Parse map of the horizontally flipped picture; 255 stays 255."""
    return _MIRROR_LABELS[np.ascontiguousarray(parse[:, ::-1])]
