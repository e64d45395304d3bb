"""More people in skirts and dresses: the project's own try-on puts other people's and lying ones on labelled people.

Street photos show few of them, and they are taken for one another. What is worn afterwards is known: the labels of what
the try-on left alone are the person's own, the garment lies where its opacity is, and what was painted anew is labelled
by the render network.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mojing.core.errors import MojingError
from mojing.core.geometry import Box
from mojing.core.image import Photo
from mojing.core.skeleton import J
from mojing.perception.body import BodyView
from mojing.perception.decode import nearest_sides
from mojing.perception.ground_truth import garment_rows
from mojing.perception.labels import L
from mojing.perception.sleeves import like_skin
from mojing.train.data.garments import take_all_off
from mojing.train.data.people import IGNORE, Person, alpha_box, halved, levels_of
from mojing.tryon.pattern import make_pattern
from mojing.tryon.pipeline import GarmentLook, PersonLook, TryOn, TryOnResult

CATEGORIES = {"skirt": L["skirt"], "dress": L["dress"]}
LEAST_SCORE = 0.4
"""Least quality score of a try-on that is learned from."""

LEAST_AREA = {"skirt": 0.012, "dress": 0.025}
"""Smallest share of the photo that the garment must cover in the end."""


def reclothe(people: Sequence[Person], data: Path, folder: Path, *, each: int = 4, seed: int = 0) -> list[Person]:
    """People in other skirts and dresses; kept in `folder`, which is filled when it holds none.

    Args:
        people: photos with labels; others are passed over.
        data: folder of the data, whose `garments` are put on, too.
        folder: where pictures, labels and joints are kept.
        each: on how many people a worn garment is put; a lying one is put on one.
        seed: chooses the people.
    """
    if not any(folder.glob("*.npy")):
        folder.mkdir(parents=True, exist_ok=True)
        _fill(people, data, folder, each=each, seed=seed)
    return [_read(path) for path in sorted(folder.glob("*.npy"))]


def _fill(people: Sequence[Person], data: Path, folder: Path, *, each: int, seed: int) -> None:
    mirror = TryOn(threads=1, strict=False)
    wearers = [p for p in people if p.labelled and _standing(p)]
    worn = [w.view for w in take_all_off([p for p in people if p.labelled]) if w.view.category in CATEGORIES]
    rng = np.random.default_rng(seed)
    for i, view in enumerate(worn):
        look = GarmentLook(Photo(view.rgb), view, make_pattern(view))
        for person in rng.choice(len(wearers), each, replace=False):
            _dress(mirror, wearers[person], look, folder, name=f"worn{i:04d}")
    lying = [row for row in garment_rows(data, validation=False) if row.category in CATEGORIES and not row.kids]
    for row in lying:
        try:
            look = mirror.garment(row.photo, category=row.category)
        except MojingError:
            continue
        _dress(mirror, wearers[int(rng.integers(len(wearers)))], look, folder, name=f"lying{row.photo.stem[:8]}")


def _standing(person: Person) -> bool:
    """Whether hips and knees are in the photo and surely seen."""
    rows = [J[f"{side}_{n}"] for n in ("shoulder", "hip", "knee") for side in ("left", "right")]
    h, w = person.levels[0].shape[:2]
    x, y, sure = person.joints[rows].T
    return bool(((sure > 0.5) & (x > 0) & (x < w) & (y > 0) & (y < h)).all())


def _dress(mirror: TryOn, person: Person, look: GarmentLook, folder: Path, *, name: str) -> None:
    """Put a garment on a person and keep the picture, its labels and joints; nothing where it went wrong."""
    assert person.parse is not None
    known = np.where(person.parse == IGNORE, 0, person.parse).astype(np.uint8)
    h, w = known.shape
    alpha = cv2.resize(person.alpha, (w, h), interpolation=cv2.INTER_LINEAR)
    body = BodyView((h, w), person.joints, known, alpha, Box(*(2 * v for v in alpha_box(person.alpha))))
    try:
        result = mirror(PersonLook(Photo(person.levels[0]), body), look)
    except MojingError:
        return
    category = look.view.category
    if result.quality.score < LEAST_SCORE or float((result.alpha > 0.5).mean()) < LEAST_AREA[category]:
        return
    stem = folder / f"{name}_{zlib.crc32(person.key.encode()):08x}"
    cv2.imwrite(f"{stem}.webp", cv2.cvtColor(result.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, 92])
    cv2.imwrite(f"{stem}.png", labels_after(person.parse, person.joints, result))
    np.save(stem.with_suffix(".npy"), person.joints)


def labels_after(parse: NDArray[np.uint8], joints: NDArray[np.float32], result: TryOnResult) -> NDArray[np.uint8]:
    """Labels (H, W) of a try-on: those before, and within the edit mask what the try-on knows; 255 where it is unsure.

    Nobody wears trousers below: where the network sees them, it painted something in between. What is left of a dress
    above a skirt is a top now. Where a dress was put on and the network still sees the old sleeves, arms were painted:
    they have the face's colour.

    Args:
        parse: (H, W) labels before.
        joints: (21, 3) of the person.
        result: the try-on.
    """
    label = CATEGORIES[result.category]
    out = parse.copy()
    crop = result.rendered.crop
    painted = np.full_like(parse, IGNORE)
    if result.rendered.parse is not None:
        wh = (round(crop.x1 - crop.x0), round(crop.y1 - crop.y0))
        labels = cv2.resize(result.rendered.parse, wh, interpolation=cv2.INTER_NEAREST)
        h, w = parse.shape
        x0, y0 = round(crop.x0), round(crop.y0)
        top, left = max(-y0, 0), max(-x0, 0)
        labels = labels[top : h - y0, left : w - x0]
        y0, x0 = max(y0, 0), max(x0, 0)
        painted[y0 : y0 + labels.shape[0], x0 : x0 + labels.shape[1]] = labels
    edit = result.edit_mask > 0
    out[edit] = painted[edit]
    cloth = result.alpha
    out[(cloth > 0.15) & (cloth <= 0.6)] = IGNORE
    out[(edit & (out == label) & (cloth <= 0.15)) | (out == L["trousers"])] = IGNORE
    out[cloth > 0.6] = label
    if result.category == "skirt":
        out[out == L["dress"]] = L["upper"]
        return out
    return bare_arms(out, result.image, joints, edit=edit)


def bare_arms(
    parse: NDArray[np.uint8], rgb: NDArray[np.uint8], joints: NDArray[np.float32], *, edit: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Labels (H, W) in which tops and coats within `edit` (H, W) are arms where they look like skin, else 255."""
    sleeves = edit & np.isin(parse, [L["upper"], L["outer"]])
    out = np.where(sleeves, np.uint8(IGNORE), parse)
    out[like_skin(parse, rgb, sleeves)] = L["left_arm"]
    return nearest_sides(out, joints)


def _read(path: Path) -> Person:
    rgb = cv2.cvtColor(cv2.imread(str(path.with_suffix(".webp"))), cv2.COLOR_BGR2RGB)
    parse = np.asarray(cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED), np.uint8)
    levels, solid = levels_of(rgb), np.where(parse > 0, 255, 0).astype(np.uint8)
    return Person(f"reclothed/{path.stem}", levels, np.load(path), parse, halved(solid, levels), labelled=False)
