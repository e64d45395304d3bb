"""The three evaluation suites: photos in, a dictionary of figures out. `mojing eval body|garment|tryon` prints them.

All of them use the held-out photos of a folder laid out as docs/training.md says, or all photos when asked to.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.image import Photo, load
from mojing.core.progress import track
from mojing.core.skeleton import BODY_JOINTS, GARMENT_ANCHORS
from mojing.eval.metrics import ParseMeter, PointMeter, iou, torso_length
from mojing.eval.people import Person, find_teacher, photo_ids, read_people, upper_crop
from mojing.eval.products import Product, busy_sources, pieces_of, products, read_small
from mojing.perception.body import BodyNet, BodyView
from mojing.perception.garment import GarmentNet
from mojing.perception.ground_truth import garment_rows
from mojing.runtime import ModelStore


def run_body(
    data: Path, *, teacher: Path | None = None, limit: int | None = None, everything: bool = False
) -> dict[str, Any]:
    """Parsing and joints on street photos, full length and cropped to the upper body.

    Parsing is measured at the photo's size against the hand-made labels; joints against the teacher's, PCK at 0.2 of
    the teacher's torso length over joints that it sees inside the picture. A refused photo counts as all background and
    no joint. Without a teacher's folder there is no split of skin and so no truth: bad_data.

    Raises:
        InputError: bad_data.
    """
    labels = find_teacher(data, teacher)
    if labels is None:
        raise InputError("bad_data", "the teacher's joints are needed", hint="make them with `mojing label`")
    net = BodyNet(ModelStore())
    ids = photo_ids(data, everything=everything, limit=limit)
    full, upper = _BodyMeter(), _BodyMeter()
    for person in track(read_people(data, ids, teacher=labels), "people", total=len(ids)):
        if person.joints is None:
            continue
        full.add(net, person)
        upper.add(net, upper_crop(person))
    return {
        "suite": "body",
        "photos": full.points.photos,
        "parsing": full.parse.result(),
        "parsing_upper_crops": upper.parse.result(),
        "pck_full_length": full.points.result(),
        "pck_upper_crops": upper.points.result(),
        "refused": {"full_length": full.refused, "upper_crops": upper.refused},
    }


class _BodyMeter:
    """Figures of one kind of crop."""

    def __init__(self) -> None:
        self.parse = ParseMeter()
        self.points = PointMeter(BODY_JOINTS, 0.2)
        self.refused: dict[str, int] = {}

    def add(self, net: BodyNet, person: Person) -> None:
        """Look at one person and count."""
        assert person.joints is not None
        parse, joints = self._look(net, person.rgb)
        scale = torso_length(person.joints)
        self.points.add(joints, person.joints, scale_px=scale, counted=person.counted())
        if person.parse is not None:
            self.parse.add(parse, person.parse)

    def _look(self, net: BodyNet, rgb: U8) -> tuple[U8, F32]:
        try:
            view: BodyView = net(rgb, strict=False)
        except InputError as error:
            self.refused[error.code] = self.refused.get(error.code, 0) + 1
            return np.zeros(rgb.shape[:2], np.uint8), np.full((len(BODY_JOINTS), 3), np.nan, np.float32)
        if view.fault is not None:
            self.refused[view.fault] = self.refused.get(view.fault, 0) + 1
        return view.parse, view.joints


def run_garment(
    data: Path, *, teacher: Path | None = None, limit: int | None = None, everything: bool = False
) -> dict[str, Any]:
    """Cut-out, anchors, category and sleeve on product photos made from worn garments of held-out people.

    See `eval.products` for how they are made. IoU is the mean over pictures; PCK is at 0.1 of the garment's height over
    the anchors that the wearer's joints give. `flip_agreement` needs no truth: IoU of a real phone photo's cut-out with
    that of its mirror image. `lying` is of real photos, all of held-out senders: category and sleeve by their labels.

    Raises:
        InputError: bad_data.
    """
    labels = find_teacher(data, teacher)
    if labels is None:
        raise InputError("bad_data", "the teacher's joints are needed", hint="make them with `mojing label`")
    net = GarmentNet(ModelStore())
    ids = photo_ids(data, everything=everything, limit=limit, labelled=True)
    people = read_people(data, ids, teacher=labels)
    pieces = [piece for p in people if p.parse is not None and p.joints is not None for piece in pieces_of(p)]
    if not pieces:
        raise InputError("bad_data", "no whole garment was found on the labelled people")
    meters = {"plain": _GarmentMeter(), "busy": _GarmentMeter()}
    for kind, product in track(products(pieces, data), "garments"):
        meters[kind].add(net, product)
    return {
        "suite": "garment",
        "garments": len(pieces),
        **{kind: meter.result() for kind, meter in meters.items() if meter.ious},
        "flip_agreement": _flip_agreement(net, data, count=min(40, limit or 40)),
        "lying": _lying(net, data, limit=limit),
    }


class _GarmentMeter:
    """Figures of one kind of background."""

    def __init__(self) -> None:
        self.ious: list[float] = []
        self.points = PointMeter(GARMENT_ANCHORS, 0.1)
        self.right = {"category": 0, "sleeve": 0}
        self.tops = 0
        self.refused: dict[str, int] = {}

    def add(self, net: GarmentNet, product: Product) -> None:
        """Read one product photo and count."""
        rows = np.flatnonzero(product.truth.any(axis=1))
        height = float(rows[-1] - rows[0] + 1)
        counted = product.anchors[:, 2] > 0.3
        try:
            view = net(Photo(product.rgb))
        except InputError as error:
            self.refused[error.code] = self.refused.get(error.code, 0) + 1
            self.ious.append(0.0)
            nothing = np.full((len(GARMENT_ANCHORS), 2), np.nan)
            self.points.add(nothing, product.anchors, scale_px=height, counted=counted)
            return
        self.ious.append(iou(np.maximum(view.alpha, view.inner) > 127, product.truth))
        found = np.where(view.anchors[:, 2:] > 0, view.anchors[:, :2], np.nan)
        self.points.add(found, product.anchors, scale_px=height, counted=counted)
        self.right["category"] += view.category == product.piece.category
        if product.piece.category in ("top", "outer", "dress"):
            self.tops += 1
            self.right["sleeve"] += view.attributes["sleeve"] == product.piece.sleeve

    def result(self) -> dict[str, Any]:
        """Mean and median IoU, PCK, and shares of right categories and sleeves."""
        return {
            "iou": float(np.mean(self.ious)),
            "iou_median": float(np.median(self.ious)),
            "iou_tenth": float(np.percentile(self.ious, 10)),
            "anchors": self.points.result(),
            "category_right": self.right["category"] / len(self.ious),
            "sleeve_right": self.right["sleeve"] / max(self.tops, 1),
            "refused": self.refused,
            "pictures": len(self.ious),
        }


def _flip_agreement(net: GarmentNet, data: Path, *, count: int) -> dict[str, float]:
    found = []
    for path in busy_sources(data, count=count):
        rgb = read_small(path)
        try:
            one = net(Photo(rgb))
            other = net(Photo(np.ascontiguousarray(rgb[:, ::-1])))
        except InputError:
            continue
        found.append(iou(one.alpha > 127, other.alpha[:, ::-1] > 127))
    return {"iou": float(np.mean(found)) if found else float("nan"), "photos": float(len(found))}


def _lying(net: GarmentNet, data: Path, *, limit: int | None) -> dict[str, float]:
    """How often category and sleeve are what the sender of a real photo says."""
    rows = [row for row in garment_rows(data, validation=True) if not row.kids]
    right = read = sleeves_right = sleeves = 0
    for row in track(rows[:: max(len(rows) // limit, 1) if limit else 1], "garments as they lie"):
        read += 1
        try:
            view = net(load(row.photo))
        except InputError:
            continue
        right += view.category == row.category
        if row.sleeve is not None and view.category == row.category:
            sleeves += 1
            sleeves_right += view.attributes["sleeve"] == row.sleeve
    return {"category_right": right / max(read, 1), "sleeve_right": sleeves_right / max(sleeves, 1), "photos": read}


def run_tryon(
    data: Path,
    *,
    teacher: Path | None = None,
    limit: int | None = None,
    everything: bool = False,
    baselines: Sequence[Path] = (),
) -> dict[str, Any]:
    """Putting worn garments back, length leak, and pixels outside the edit mask: see `eval.putback` and `eval.leak`.

    Baselines in the folders given (`tryon.baselines`) put the same garments back on the same people.

    Raises:
        InputError: bad_data.
    """
    from mojing.eval.putback import measure_tryon

    ids = photo_ids(data, everything=everything, limit=limit, labelled=False)
    return {"suite": "tryon", **measure_tryon(data, ids, teacher=find_teacher(data, teacher), baselines=baselines)}
