"""Pictures for the design generator: garments cut out of photos, upright in the middle of a clear square.

The cut-outs come from `mojing.perception.garment` as everywhere else, taken off their wearers where somebody wears
them. Whatever would teach the generator a fault (half a garment, a frayed edge, a cut-out that nobody is sure of) is
left out and counted by reason. All of it goes into one npz file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mojing.core import files
from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.image import load, save
from mojing.core.progress import track
from mojing.perception.cutout import own_colour
from mojing.perception.decode import fill_holes, largest_piece
from mojing.perception.features import KINDS
from mojing.perception.garment import GarmentNet, GarmentView
from mojing.perception.ground_truth import is_validation
from mojing.perception.outline import Mirror, symmetry
from mojing.runtime.store import ModelStore
from mojing.studio.colours import LAB_MIDDLE, LAB_SPAN
from mojing.studio.generate import CATEGORY, flatten
from mojing.train.data import augment as aug
from mojing.train.data.images import Pictures
from mojing.train.data.kinds import shop_kinds

SIDE: Final = 128
"""Side of the pictures in px."""

MARGIN: Final = 5
"""Clear pixels around the garment, at least."""

FILE: Final = "designs.npz"

LEAST: Final = {"confidence": 0.55, "symmetry": 0.86, "length_px": 80}
"""Least confidence and symmetry of a cut-out, its least length in the photo."""

OF_KIND: Final = 24
"""Pictures to train on that a kind must have to be learnt."""

MOST: Final = {"border": 0.06, "ragged": 0.3, "holes": 0.03, "torn": 0.12, "lopsided": 0.012}
"""Most of the outline that may lie on the photo's border, area that smoothing the outline moves (in px a px of its
length), share of holes, of loose pieces, of a part that has no counterpart on the other side."""


@dataclass(frozen=True)
class Source:
    """A photo: its id, file, kind of garment, sender (or shop product), and whether it is kept out of training."""

    name: str
    path: Path
    kind: str
    sender: str
    held: bool


@dataclass(frozen=True, eq=False)
class Cut:
    """A cut-out: RGBA uint8 (S, S, 4), straight alpha, white where clear; or None and the reason why it is left out."""

    rgba: U8 | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Designs:
    """What `designs.npz` holds.

    Attributes:
        images: (N, S, S, 4) uint8, straight alpha, white where clear.
        labels: (N,) int64, index into `classes`.
        conditions: (N, 3) float32, colour of the cloth as `studio.colours.to_condition` scales it, -1..1.
        names: (N,) ids of the photos, senders: (N,) who sent them.
        held: (N,) bool, kept out of training.
        classes: kinds of garment.
        left_out: ids of photos that were not used, and why.
    """

    images: U8
    labels: AnyArray
    conditions: F32
    names: tuple[str, ...]
    senders: tuple[str, ...]
    held: AnyArray
    classes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def save(self, path: Path) -> Path:
        """Write the npz file."""
        arrays = {
            "images": self.images,
            "labels": self.labels,
            "conditions": self.conditions,
            "names": np.array(self.names),
            "senders": np.array(self.senders),
            "held": self.held,
            "classes": np.array(self.classes),
            "left_out": np.array(self.left_out or [("", "")]),
        }
        held = io.BytesIO()
        np.savez_compressed(held, allow_pickle=False, **arrays)
        return files.write(path, held.getvalue())

    @classmethod
    def load(cls, path: Path) -> Designs:
        """Read an npz file.

        Raises:
            InputError: not_found, bad_data.
        """
        hint = "make it with `mojing train design --data DIR`"
        try:
            with np.load(path, allow_pickle=False) as f:
                words = {key: tuple(str(v) for v in f[key]) for key in ("names", "senders", "classes")}
                found = cls(
                    images=np.asarray(f["images"], np.uint8),
                    labels=np.asarray(f["labels"], np.int64),
                    conditions=np.asarray(f["conditions"], np.float32),
                    held=np.asarray(f["held"], np.bool_),
                    left_out=tuple((str(a), str(b)) for a, b in f["left_out"] if a),
                    **words,
                )
        except FileNotFoundError as exc:
            raise InputError("not_found", f"there is no file {path}", hint) from exc
        except (OSError, ValueError, KeyError, EOFError) as exc:
            raise InputError("bad_data", f"{path.name} cannot be read: {exc}", hint) from exc
        if found.images.ndim != 4 or found.images.shape[3] != 4 or not len(found.held) == len(found) >= 2:
            raise InputError("bad_data", f"{path.name} holds no RGBA pictures of one size", hint)
        return found

    def take(self, rows: AnyArray) -> Designs:
        """Those at the given indices."""
        return replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            conditions=self.conditions[rows],
            names=tuple(self.names[i] for i in rows),
            senders=tuple(self.senders[i] for i in rows),
            held=self.held[rows],
        )

    def pictures(self, size: int = SIDE) -> Pictures:
        """As the loop takes them, (N, 4, size, size): RGB as it looks on white, and opacity.

        On white rather than straight, as straight colours have no sense, and no smooth edge, where opacity ends.
        """
        on_white = np.concatenate([flatten(self.images), self.images[..., 3:]], axis=3)
        if size != self.images.shape[1]:
            shrunk = [cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in on_white]
            on_white = np.stack(shrunk).astype(np.uint8)
        pixels = np.ascontiguousarray(on_white.transpose(0, 3, 1, 2))
        return Pictures(pixels, self.names, self.labels, self.classes, self.left_out, self.conditions)


def sources(data: Path) -> list[Source]:
    """The photos of `data` that show a garment to be worn: `garments`, and those of `shop` seen from the front.

    Raises:
        InputError: not_found, when there is no garments/images.csv.
    """
    table = data / "garments" / "images.csv"
    if not table.is_file():
        raise InputError("not_found", f"there is no file {table}", "give the folder that holds garments/ and shop/")
    found = []
    with table.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind, name, sender = row["label"].lower(), row["image"], row["sender_id"]
            if kind in KINDS and kind in CATEGORY:
                path = table.parent / "photos" / f"{name}.webp"
                found.append(Source(name, path, kind, sender, is_validation(sender) or is_validation(name)))
    kinds = shop_kinds(data)
    for path in sorted((data / "shop" / "photos").glob("*.webp")):
        product = path.stem.split("-")[0]
        if product in kinds and "back" not in path.stem:
            found.append(Source(path.stem, path, kinds[product], product, is_validation(path.stem)))
    return found


def cut_out(source: Source, net: GarmentNet, *, side: int = SIDE) -> Cut:
    """The garment of a photo, or why it cannot be used."""
    try:
        view = net(load(source.path), category=CATEGORY[source.kind])
    except InputError as error:
        return Cut(None, error.code)
    return lay(view, side=side)


def lay(view: GarmentView, *, side: int = SIDE) -> Cut:
    """A garment upright in the middle of a clear square, its line of symmetry in the middle column."""
    outline = np.maximum(view.alpha, view.inner)
    whole = (outline > 127).astype(np.uint8)
    solid = largest_piece(whole)
    area = int(np.count_nonzero(solid))
    if area < 64:
        return Cut(None, "small")
    torn = 1 - area / int(np.count_nonzero(whole))
    outline = np.where(cv2.dilate(solid, np.ones((3, 3), np.uint8)) > 0, outline, 0).astype(np.uint8)
    outline = cv2.erode(outline, np.ones((3, 3), np.uint8))
    line = upright_line(outline)
    reason = _faults(view, solid, torn=torn, overlap=line.overlap)
    if reason:
        return Cut(None, reason)
    ys, xs = np.nonzero(outline > 127)
    offsets = np.stack([xs, ys], axis=1) - line.point
    across = offsets @ np.array([line.along[1], -line.along[0]])
    down = offsets @ line.along
    half, top, low = float(np.abs(across).max()) + 0.5, float(down.min()) - 0.5, float(down.max()) + 0.5
    scale = (side - 2 * MARGIN) / max(2 * half, low - top)
    centre = line.point + line.along * (top + low) / 2
    tilt = float(np.rad2deg(np.arctan2(line.along[0], line.along[1])))
    # A hundredth of its length: the edges of these small photos are wide.
    own = own_colour(view.rgb, outline, rim=0.012, reach=0.045)
    rgba = _placed(own, outline, centre=centre, tilt=tilt, scale=scale, side=side)
    if ragged(rgba[..., 3]) > MOST["ragged"]:
        return Cut(None, "ragged")
    if lopsided(rgba[..., 3]) > MOST["lopsided"]:
        return Cut(None, "lopsided")
    return Cut(rgba)


def _faults(view: GarmentView, solid: U8, *, torn: float, overlap: float) -> str:
    """Why a cut-out cannot be used, or nothing."""
    _, _, w, h = cv2.boundingRect(solid)
    edge = int(solid[0].sum()) + int(solid[-1].sum()) + int(solid[:, 0].sum()) + int(solid[:, -1].sum())
    filled = fill_holes(solid * np.uint8(255), share=1.0) > 0
    tests = {
        "small": max(w, h) < LEAST["length_px"],
        "cropped": edge > MOST["border"] * 2 * (w + h),
        "low confidence": view.confidence < LEAST["confidence"],
        "in pieces": torn > MOST["torn"],
        "holes": 1 - np.count_nonzero(solid) / np.count_nonzero(filled) > MOST["holes"],
        "crooked": overlap < LEAST["symmetry"],
    }
    return next((name for name, found in tests.items() if found), "")


def _placed(rgb: U8, alpha: U8, *, centre: AnyArray, tilt: float, scale: float, side: int) -> U8:
    """RGB (H, W, 3) and opacity (H, W) turned, scaled and moved onto a square (side, side, 4).

    Done on white, with opacity as weight, so that nothing of the photo's background bleeds in; the photo is shrunk by
    area first, as the warp alone would alias.
    """
    weight = alpha[..., None].astype(np.float32) / 255
    work = np.dstack([rgb * weight, weight * 255]).astype(np.float32)
    shrink = min(1.0, 1.5 * scale)
    if shrink < 1:
        before = np.array(alpha.shape[::-1], np.float64)
        wh = (max(round(alpha.shape[1] * shrink), 8), max(round(alpha.shape[0] * shrink), 8))
        work = cv2.resize(work, wh, interpolation=cv2.INTER_AREA)
        centre = (centre + 0.5) * (np.array(wh) / before) - 0.5
        scale = scale / shrink
    m = aug.similarity((float(centre[0]), float(centre[1])), scale=scale, degrees=-tilt, out_wh=(side, side))
    out = cv2.warpAffine(work, m, (side, side), flags=cv2.INTER_LINEAR, borderValue=0)
    opacity = out[..., 3:]
    colour = np.where(opacity > 1, out[..., :3] * 255 / np.maximum(opacity, 1), 255)
    return np.asarray(np.clip(np.concatenate([colour, opacity], axis=2) + 0.5, 0, 255), np.uint8)


def upright_line(outline: U8) -> Mirror:
    """The line of symmetry of a cut-out (H, W), found to a degree: `symmetry` tries every third, which shows here."""
    line = symmetry(outline)
    ys, xs = np.nonzero(outline > 127)
    if len(xs) < 64:
        return line
    side = 96
    tilt = float(np.rad2deg(np.arctan2(line.along[0], line.along[1])))
    reach = float(np.hypot(xs - line.point[0], ys - line.point[1]).max()) + 1
    small = cv2.GaussianBlur(outline, (0, 0), max(reach / side, 0.5))
    best = line
    for degrees in np.arange(tilt - 5, tilt + 5.1, 1.0):
        at = (float(line.point[0]), float(line.point[1]))
        m = aug.similarity(at, scale=side / 2 / reach, degrees=-degrees, out_wh=(side, side))
        turned = cv2.warpAffine(small, m, (side, side), flags=cv2.INTER_LINEAR, borderValue=0) > 127
        for shift in range(-5, 6):
            mirrored = np.roll(turned[:, ::-1], shift, axis=1)
            overlap = float((turned & mirrored).sum()) / max(float(turned.sum()), 1.0)
            if overlap > best.overlap + (1e-3 if best is not line else -1.0):
                along = np.array([np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))])
                across = np.array([along[1], -along[0]])
                best = Mirror(line.point + across * shift / 2 * 2 * reach / side, along, overlap)
    return best


def ragged(alpha: U8) -> float:
    """How frayed an outline is: area that opening and closing by a small disc changes, per px of its length."""
    mask = np.pad((alpha > 127).astype(np.uint8), 8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    smooth = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(c, closed=True) for c in contours)
    return float(np.count_nonzero(mask != smooth)) / max(length, 1.0)


def lopsided(alpha: U8) -> float:
    """Share of the largest piece of a laid cut-out whose mirror image is not cloth, nor near it.

    Finds a corner of the floor that came along, or a folded sleeve, better than the overlap of both halves does.
    """
    mask = (alpha > 127).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    alone = mask & (1 - cv2.dilate(np.ascontiguousarray(mask[:, ::-1]), disc))
    _, _, stats, _ = cv2.connectedComponentsWithStats(alone)
    return float(stats[1:, cv2.CC_STAT_AREA].max(initial=0)) / max(int(mask.sum()), 1)


def cloth_colour(rgba: U8) -> F32:
    """Median colour of the cloth of a picture (S, S, 4), its edge left out: (3,) float32, Lab scaled to -1..1."""
    inside = cv2.erode((rgba[..., 3] > 200).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inside = inside if inside.any() else rgba[..., 3] > 127
    lab = np.median(rgb_to_lab(rgba[..., :3][inside]), axis=0)
    return np.asarray(np.clip((lab - LAB_MIDDLE) / LAB_SPAN, -1, 1), np.float32)


def prepare(
    data: Path, out: Path, *, models: ModelStore, threads: int = 1, limit: int = 0, of_kind: int = OF_KIND
) -> Designs:
    """Cut all garments out of their photos and write the npz file `out`; an interrupted preparation goes on.

    A JSON file of the same name tells counts and reasons. Cut-outs are kept beside it in cutouts-ID, where ID says
    which networks and rules made them.

    Args:
        data: folder of the data sets.
        out: npz file to write.
        models: the networks.
        threads: CPU threads of the networks.
        limit: look at only so many photos, evenly spread; 0 looks at all.
        of_kind: pictures to train on that a kind must have.

    Raises:
        InputError: not_found; too_few, when hardly any photo can be used.
    """
    listed = sources(data)
    if limit and limit < len(listed):
        listed = [listed[i] for i in np.linspace(0, len(listed) - 1, limit).round().astype(int)]
    keep = out.parent / f"cutouts-{_made_by(models)}"
    cuts = list(_cut_all(listed, keep, models=models, threads=threads))
    designs = gather(listed, cuts, of_kind=of_kind)
    designs.save(out)
    counts = Counter(reason for _, reason in designs.left_out)
    kinds = Counter(designs.classes[i] for i in designs.labels)
    told: dict[str, Any] = {
        "used": len(designs),
        "held": int(designs.held.sum()),
        "kinds": dict(kinds.most_common()),
        "left_out": dict(counts.most_common()),
        "garment_network": models.spec("garment").id,
    }
    files.write(out.with_suffix(".json"), (json.dumps(told, indent=1) + "\n").encode())
    return designs


def _made_by(models: ModelStore) -> str:
    """Eight digits for the networks and the rules."""
    networks = [models.spec(name).sha256 for name in ("garment", "body") if models.has(name)]
    return hashlib.sha256(repr((networks, SIDE, MARGIN, LEAST, MOST)).encode()).hexdigest()[:8]


def _cut_all(listed: Sequence[Source], keep: Path, *, models: ModelStore, threads: int) -> Iterator[Cut]:
    """The cut-out of every photo, from `keep` where it was made before."""
    keep.mkdir(parents=True, exist_ok=True)
    reasons = keep / "left-out.json"
    known: dict[str, str] = json.loads(reasons.read_text()) if reasons.is_file() else {}
    net: GarmentNet | None = None
    for source in track(listed, "garments cut out"):
        path = keep / f"{source.name}.png"
        if source.name in known:
            yield Cut(None, known[source.name])
            continue
        if path.is_file():
            kept = load(path)
            assert kept.alpha is not None
            yield Cut(np.dstack([kept.rgb, kept.alpha]))
            continue
        net = net or GarmentNet(models, threads=threads)
        cut = cut_out(source, net)
        if cut.rgba is None:
            known[source.name] = cut.reason
            files.write(reasons, json.dumps(known).encode())
        else:
            save(path, cut.rgba)
        yield cut


def gather(listed: Sequence[Source], cuts: Sequence[Cut], *, of_kind: int) -> Designs:
    """Cut-outs with their labels; kinds of which there are too few to learn from are left out.

    Raises:
        InputError: too_few.
    """
    enough = Counter(s.kind for s, c in zip(listed, cuts, strict=True) if c.rgba is not None and not s.held)
    classes = tuple(kind for kind in KINDS if enough[kind] >= of_kind)
    used: list[tuple[Source, U8]] = []
    left_out = []
    for source, cut in zip(listed, cuts, strict=True):
        if cut.rgba is None:
            left_out.append((source.name, cut.reason))
        elif source.kind not in classes:
            left_out.append((source.name, "too few of its kind"))
        else:
            used.append((source, cut.rgba))
    if len(used) < 2:
        whole = sum(cut.rgba is not None for cut in cuts)
        told = f"of {len(listed)} photos {whole} make good cut-outs, but no kind has {of_kind} of them to train on"
        raise InputError("too_few", told, "give more photos of garments, or a smaller --of-kind")
    return Designs(
        images=np.stack([rgba for _, rgba in used]),
        labels=np.array([classes.index(s.kind) for s, _ in used], np.int64),
        conditions=np.stack([cloth_colour(rgba) for _, rgba in used]),
        names=tuple(s.name for s, _ in used),
        senders=tuple(s.sender for s, _ in used),
        held=np.array([s.held for s, _ in used], np.bool_),
        classes=classes,
        left_out=tuple(left_out),
    )
