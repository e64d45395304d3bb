"""A garment photo -> cut-out, category, attributes and anchors; a garment worn by somebody is taken off first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.skeleton import GARMENT_ANCHORS, A, mirror_order
from mojing.perception import decode, worn
from mojing.perception.body import BodyNet, BodyView, Pass
from mojing.perception.corners import side_points
from mojing.perception.crops import Rect, as_input, border_colour, cut, letterbox_rect
from mojing.perception.cutout import own_colour, silhouette
from mojing.perception.kind import fit_legs, fit_trunk, level_pairs, settle, true_lining
from mojing.perception.outline import SLEEVES, SURE, TOPS, Mirror, attributes, outline_anchors, symmetry
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

CATEGORIES = ("top", "outer", "dress", "skirt", "trousers")
INPUT_WH = (256, 256)
SHAPE_SIDE = 1024
"""Longest side in px, but for less than twice as much, at which an outline is measured."""

CLEAR_END = 0.3
"""Confidence of an elbow or a wrist from which the garment reaches there, whatever it is called."""

SEEN = 0.1
"""Confidence from which the network's anchor is believed; the place is often right where the heat map is faint."""

SPREAD = 2.0
"""Cells of a heat map over which it is smoothed before its peak is sought; the network's own hills have 1.5."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "top": ("neck", "left_shoulder", "right_shoulder", "left_waist", "right_waist", "left_hem", "right_hem"),
    "outer": ("neck", "left_shoulder", "right_shoulder", "left_waist", "right_waist", "left_hem", "right_hem"),
    "dress": ("neck", "left_shoulder", "right_shoulder", "left_waist", "right_waist", "left_hem", "right_hem"),
    "skirt": ("left_waist", "right_waist", "left_hem", "right_hem"),
    "trousers": ("left_waist", "right_waist", "left_hip", "right_hip", "left_hem", "right_hem"),
}
"""Anchors that a garment of a category always has; one that the network misses is read off the outline."""

Points = Mapping[str, tuple[float, float, float]]

AnchorSource = str | Path | Mapping[str, Sequence[float] | None]
"""A file as `inspect garment` writes it, or anchor name -> (x_px, y_px[, confidence]) or None where there is none."""


@dataclass(frozen=True, eq=False)
class GarmentView:
    """What is known of the garment in a photo.

    Attributes:
        hw: the photo's height and width in px.
        rgb: (H, W, 3) uint8, the photo.
        alpha: (H, W) uint8 opacity of the cut-out, the inner back of the collar left out.
        inner: (H, W) uint8 opacity of the inner back.
        category: one of CATEGORIES.
        attributes: sleeve (none, short, long), neckline (crew, v, collar, hood, strapless, other), length (cropped,
            regular, long; mini, knee, midi, maxi; shorts, cropped, full), closure (open, closed, none).
        anchors: (17, 3) float32 in `core.skeleton.GARMENT_ANCHORS` order: x_px, y_px, confidence 0..1 (0: not there).
        confidence: 0..1, how sure cut-out, category and anchors are.
        notices: sentences about what is degraded.
        worn: whether the garment was taken off somebody.
    """

    hw: tuple[int, int]
    rgb: U8
    alpha: U8
    inner: U8
    category: str
    attributes: dict[str, str]
    anchors: F32
    confidence: float
    notices: tuple[str, ...] = ()
    worn: bool = False

    def __post_init__(self) -> None:
        assert self.category in CATEGORIES
        assert self.anchors.shape == (len(GARMENT_ANCHORS), 3)
        assert self.rgb.shape[:2] == self.alpha.shape == self.inner.shape == self.hw
        for name in ("rgb", "alpha", "inner", "anchors"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


@dataclass(frozen=True, eq=False)
class Reading:
    """The network's outputs in terms of the photo: probabilities (h, w) over the whole photo, the rest by name."""

    garment: F32 = field(repr=False)
    inner: F32 = field(repr=False)
    anchors: F32 = field(repr=False)
    category: dict[str, float]
    sleeve: dict[str, float]


class GarmentNet:
    """The garment network, and the body network (its own, unless given) for garments that somebody wears."""

    def __init__(self, store: ModelStore, *, body: BodyNet | None = None, threads: int = 2) -> None:
        self.session = Session(store.spec("garment"), threads=threads)
        if body is None and store.has("body"):
            body = BodyNet(store, threads=threads)
        self.body = body

    def __call__(
        self, photo: Photo, *, category: str | None = None, anchors: AnchorSource | None = None
    ) -> GarmentView:
        """Look at a garment.

        Args:
            photo: one garment, lying, hanging or worn; its transparency, if any, is taken as the cut-out.
            category: one of CATEGORIES, or `auto`: read from the photo, the default.
            anchors: known anchors, which replace those found.

        Raises:
            InputError: no_garment, bad_category, bad_anchors.
        """
        category = None if category == "auto" else category
        if category is not None and category not in CATEGORIES:
            raise InputError(
                "bad_category", f"there is no category {category}", hint=f"use one of {', '.join(CATEGORIES)}"
            )
        given = read_anchors(anchors, hw=photo.hw) if anchors is not None else {}
        if photo.alpha is None and self.body is not None:
            found = self.body.find(photo.rgb)
            if worn.somebody(found):
                body = self.body(photo.rgb, strict=False, found=found)
                if worn.bare(body.parse) > worn.LEAST_BARE:
                    return self._take_off(photo, found, body, category=category, given=given)
        return self._lying(photo, category=category, given=given)

    def read(self, rgb: U8) -> Reading:
        """The network on a letterboxed photo (H, W, 3), and once more closer when the garment is small in it."""
        whole = letterbox_rect(rgb.shape[:2], INPUT_WH)
        out = self._look(rgb, whole)
        box = _box(out["seg"][1], whole, rgb.shape[:2])
        if box is not None and box.wh[0] < 0.6 * whole.wh[0]:
            return _reading(self._look(rgb, box), box, rgb.shape[:2])
        return _reading(out, whole, rgb.shape[:2])

    def _look(self, rgb: U8, rect: Rect) -> dict[str, F32]:
        crop = cut(rgb, rect, wh=INPUT_WH, border=tuple(float(v) for v in border_colour(rgb)))
        out = {k: v[0] for k, v in self.session.run({"image": as_input(crop)}).items()}
        return out | {"seg": _softmax(out["seg"])}

    def _lying(self, photo: Photo, *, category: str | None, given: Points) -> GarmentView:
        rgb = photo.flat()
        reading = self.read(rgb)
        both = reading.garment + reading.inner
        if photo.alpha is not None and float((photo.alpha < 128).mean()) > 0.02:
            outline, by_colour = photo.alpha, True
        else:
            outline, by_colour = silhouette(rgb, both)
        area = float((outline > 127).mean())
        if area < 0.01 or float(both.max()) < 0.5:
            raise InputError(
                "no_garment", "no garment was found", hint="use a photo of one garment, lying, hanging or worn"
            )
        likely = max(reading.category, key=lambda k: reading.category[k])
        kind = category or settle(likely, reading.anchors, outline, sure=reading.category[likely])
        inner = true_lining(_inner(reading, outline), outline, category=kind)
        alpha = np.where(inner > 0, np.minimum(outline, 255 - inner), outline).astype(np.uint8)
        sleeve = max(reading.sleeve, key=lambda k: reading.sleeve[k])
        # Of a large photo every so many pixels tell the shape.
        step = max(max(photo.hw) // SHAPE_SIDE, 1)
        anchors, missed = _placed_anchors(reading, outline[::step, ::step], step=step, category=kind, sleeve=sleeve)
        confidence = _confidence(reading, anchors, outline, category=category)
        notices = list(photo.notices)
        if missed and not given:
            notices.append(f"anchors read off the outline: {', '.join(missed)}")
        if confidence < 0.5 and not given:
            notices.append("the garment was read with low confidence: check its anchors, or lay it flat for the photo")
        if not by_colour and confidence < 0.3:
            notices.append("the background is busy: the cut-out may be rough")
        anchors = _override(anchors, given)
        small = [np.ascontiguousarray(mask[::step, ::step]) for mask in (alpha, inner)]
        found = attributes(*small, anchors=_rescaled(anchors, 1 / step), category=kind, sleeve=sleeve)
        rgb = own_colour(rgb, outline)
        return GarmentView(photo.hw, rgb, alpha, inner, kind, found, anchors, confidence, tuple(notices))

    def _take_off(
        self, photo: Photo, found: Pass, body: BodyView, *, category: str | None, given: Points
    ) -> GarmentView:
        """The garment off the person who wears it."""
        taken = worn.take_off(body, photo.rgb, category, legs=found.kinds.get("legs", 0.0) > 0.5)
        if taken is None:
            what = category or "garment"
            told = f"the person in the garment photo wears no {what} that can be seen"
            raise InputError("no_garment", told, hint="use another photo or another --category")
        anchors = _override(taken.anchors, given)
        inner = np.zeros_like(taken.alpha)
        attrs = attributes(taken.alpha, inner, anchors=anchors, category=taken.category, sleeve=taken.sleeve)
        return GarmentView(
            hw=photo.hw,
            rgb=own_colour(photo.rgb, taken.alpha),
            alpha=taken.alpha,
            inner=inner,
            category=taken.category,
            attributes=attrs,
            anchors=anchors,
            confidence=taken.confidence,
            notices=(*photo.notices, "the garment was taken off the person who wears it", *body.notices),
            worn=True,
        )


def _placed_anchors(reading: Reading, outline: U8, *, step: int, category: str, sleeve: str) -> tuple[F32, list[str]]:
    """Anchors (17, 3) in px of the photo, and the names of those that the outline gave.

    `outline` is every so many pixels (`step`) of the cut-out.
    """
    outline = np.ascontiguousarray(outline)
    mirror = symmetry(outline)
    seen, sure = _rescaled(reading.anchors, 1 / step), reading.sleeve[sleeve]
    anchors, missed = complete_anchors(seen, outline, category=category, sleeve=sleeve, sure=sure, mirror=mirror)
    for name, at in side_points(outline, category, axis=mirror[:2]).items():
        anchors[A[name]] = *at, max(anchors[A[name], 2], SURE)
    if category == "trousers":
        anchors = fit_legs(anchors, outline)
    anchors = level_pairs(anchors, outline, category=category, mirror=mirror)
    return _rescaled(fit_trunk(anchors, outline, category=category, mirror=mirror), step), missed


def _rescaled(anchors: F32, scale: float) -> F32:
    """Anchors in a picture `scale` times as large, whose first pixels lie on each other; absent ones stay."""
    out = np.array(anchors, np.float32)
    out[out[:, 2] > 0, :2] *= np.float32(scale)
    return out


def _softmax(logits: F32) -> F32:
    e = np.exp(logits - logits.max(axis=0))
    return np.asarray(e / e.sum(axis=0), np.float32)


def _named(logits: F32, names: Sequence[str]) -> dict[str, float]:
    return dict(zip(names, (float(v) for v in _softmax(logits)), strict=True))


def _box(garment: F32, rect: Rect, hw: tuple[int, int]) -> Rect | None:
    """Square crop around the garment with a margin of 12 %, of the photo's pixels."""
    mask = decode.largest_piece((garment > 0.5).astype(np.uint8), keep_share=0.3)
    x, y, w, h = cv2.boundingRect(mask)
    if w < 4 or h < 4:
        return None
    sx, sy = rect.wh[0] / garment.shape[1], rect.wh[1] / garment.shape[0]
    size = 1.24 * max(w * sx, h * sy)
    cx, cy = rect.x0 + (x + w / 2) * sx, rect.y0 + (y + h / 2) * sy
    side = max(round(size), 16)
    x0, y0 = round(cx - side / 2), round(cy - side / 2)
    return Rect(x0, y0, x0 + side, y0 + side)


def _reading(out: dict[str, F32], rect: Rect, hw: tuple[int, int]) -> Reading:
    anchors = decode.to_photo(_peaks(out["heat"]), out["heat"].shape[1:], rect)
    return Reading(
        garment=_over_photo(out["seg"][1], rect, hw),
        inner=_over_photo(out["seg"][2], rect, hw),
        anchors=anchors,
        category=_named(out["category"], CATEGORIES),
        sleeve=_named(out["sleeve"], SLEEVES),
    )


def _peaks(heat: F32) -> F32:
    """Anchors (17, 3) in cells of their heat maps (17, h, w): where most of a map lies together, and its highest value.

    Of a joint that nothing marks, such as a hip, the network gives a flat hill with chance peaks; blurred, it has one.
    """
    blurred = np.stack([cv2.GaussianBlur(map_, (0, 0), SPREAD) for map_ in heat])
    out = decode.peaks(blurred)
    out[:, 2] = np.clip(heat.reshape(len(heat), -1).max(axis=1), 0.0, 1.0)
    return out


def _over_photo(prob: F32, rect: Rect, hw: tuple[int, int]) -> F32:
    """A map over `rect` as a map over the whole photo, at about the map's own scale and at most 512 px long."""
    scale = min(prob.shape[1] / rect.wh[0] * 2, 512 / max(hw), 1.0)
    wh = (max(round(hw[1] * scale), 2), max(round(hw[0] * scale), 2))
    sx, sy = prob.shape[1] / rect.wh[0] * hw[1] / wh[0], prob.shape[0] / rect.wh[1] * hw[0] / wh[1]
    mx, my = prob.shape[1] / rect.wh[0] * -rect.x0, prob.shape[0] / rect.wh[1] * -rect.y0
    move = np.array([[sx, 0, mx + 0.5 * sx - 0.5], [0, sy, my + 0.5 * sy - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(prob, move, wh, flags=flags, borderMode=cv2.BORDER_CONSTANT), np.float32)


def _inner(reading: Reading, outline: U8) -> U8:
    """Opacity of the inner back at the photo's size, within the outline."""
    wins = reading.inner - reading.garment
    if float(wins.max()) < 0.05:
        return np.zeros_like(outline)
    large = cv2.resize(wins, (outline.shape[1], outline.shape[0]), interpolation=cv2.INTER_LINEAR)
    soft = np.clip(large * 2.0 + 0.5, 0.0, 1.0) * 255.0
    return np.asarray(np.minimum(soft, outline), np.uint8)


def complete_anchors(
    anchors: F32, outline: U8, *, category: str, sleeve: str, sure: float = 0.0, mirror: Mirror | None = None
) -> tuple[F32, list[str]]:
    """The network's anchors, unsure ones set to absent, those that must be there read off the outline.

    `sure` is the probability of the sleeve, `mirror` the outline's line of symmetry where it is known.

    Returns the anchors (17, 3) and the names of those the outline gave.
    """
    out = anchors.copy()
    out[out[:, 2] < SEEN] = 0
    lower = category not in TOPS
    upper = ("neck", "shoulder", "elbow", "wrist")
    # A limb's end that is clearly seen counts more than a word for the sleeve that is not sure.
    ends = {n: float(max(out[A[f"left_{n}"], 2], out[A[f"right_{n}"], 2])) for n in ("elbow", "wrist")}
    short = "short" if sleeve == "none" and ends["elbow"] > CLEAR_END else sleeve
    longest = "long" if ends["wrist"] > CLEAR_END else short
    worn_sleeve = sleeve if sure > 0.8 else longest
    absent = upper if lower else {"none": ("elbow", "wrist"), "short": ("wrist",)}.get(worn_sleeve, ())
    for name, row in A.items():
        if name.split("_")[-1] in absent:
            out[row] = 0
    fallback = outline_anchors(outline, category)
    out = _believable(out, outline, tops=not lower, mirror=mirror or symmetry(outline))
    missed = [n for n in REQUIRED[category] if out[A[n], 2] == 0 and fallback[A[n], 2] > 0]
    if len(missed) > 0.5 * len(REQUIRED[category]):
        return fallback, list(REQUIRED[category])
    for name in missed:
        out[A[name]] = fallback[A[name]]
    if not lower and sleeve != "none":
        for name in ("left_elbow", "right_elbow"):
            if out[A[name], 2] == 0:
                out[A[name]] = fallback[A[name]]
    return out, missed


def _believable(anchors: F32, outline: U8, *, tops: bool, mirror: Mirror) -> F32:
    """Drop anchors far off the cloth or on the wrong side, and let the surer of two mirror anchors correct the other.

    A lying garment is nearly symmetric. Where its outline is, and left and right disagree by more than a fifth of its
    width or one of them is missing, and one is at least twice as sure as the other, that one is mirrored.
    """
    out = anchors.copy()
    x, y, w, h = cv2.boundingRect((outline > 127).astype(np.uint8))
    reach = 0.15 * max(w, h)
    off = (out[:, 0] < x - reach) | (out[:, 0] > x + w + reach) | (out[:, 1] < y - reach) | (out[:, 1] > y + h + reach)
    out[off] = 0
    point, along, overlap = mirror
    out = _in_order(out, outline, along=along, tops=tops)
    across = np.array([along[1], -along[0]])
    for left, right in MIRROR_PAIRS:
        for row, sign in ((left, 1.0), (right, -1.0)):
            if sign * float((out[row, :2] - point) @ across) < -0.04 * w:
                out[row] = 0
    for name in ("waist", "hem"):
        rows = [A[f"left_{name}"], A[f"right_{name}"]]
        if out[rows, 2].min() > 0 and abs(float((out[rows[0], :2] - out[rows[1], :2]) @ along)) > 0.1 * h:
            out[rows] = 0
    if overlap < 0.75:
        return out
    for left, right in MIRROR_PAIRS:
        a, b = (left, right) if out[left, 2] >= out[right, 2] else (right, left)
        if out[a, 2] == 0:
            continue
        rest = out[a, :2] - point
        mirrored = point + 2 * (rest @ along) * along - rest
        unsure = out[b, 2] < 0.5 * out[a, 2]
        if unsure and (out[b, 2] == 0 or np.hypot(*(out[b, :2] - mirrored)) > 0.2 * min(w, h)):
            out[b] = *mirrored, 0.6 * out[a, 2]
    return out


RANGES = {
    True: {
        "shoulder": (-0.1, 0.45),
        "neck": (-0.1, 0.45),
        "waist": (0.15, 0.95),
        "hip": (0.2, 1.15),
        "hem": (0.6, 1.05),
    },
    False: {"waist": (-0.1, 0.3), "hip": (0.0, 0.7), "knee": (0.2, 1.1), "ankle": (0.5, 1.15), "hem": (0.6, 1.05)},
}
"""Where anchors may lie along the garment, 0 its top and 1 its lower end, for tops and for what is worn below."""


def _in_order(anchors: F32, outline: U8, *, along: AnyArray, tops: bool) -> F32:
    """Drop anchors that lie where they cannot be along the garment, such as a waist above the shoulders."""
    ys, xs = np.nonzero(outline[::4, ::4] > 127)
    if not len(xs):
        return anchors
    places = 4 * np.stack([xs, ys], axis=1) @ along
    start, end = (float(v) for v in np.percentile(places, [0.5, 99.5]))
    out = anchors.copy()
    share = (out[:, :2] @ along - start) / max(end - start, 1.0)
    for name, row in A.items():
        low, high = RANGES[tops].get(name.split("_")[-1], (-1.0, 2.0))
        if not low <= share[row] <= high:
            out[row] = 0
    return out


MIRROR_PAIRS = [(i, j) for i, j in enumerate(mirror_order(GARMENT_ANCHORS)) if i < j]
"""Rows of left anchors and their right ones."""


def _confidence(reading: Reading, anchors: F32, outline: U8, *, category: str | None) -> float:
    """Product of how sure the mask, the category and the required anchors are, each 0..1."""
    kind = category or max(reading.category, key=lambda k: reading.category[k])
    both = np.clip(reading.garment + reading.inner, 0, 1)
    on = both > 0.5
    mask = float((2 * both[on] - 1).mean()) if on.any() else 0.0
    rows = [A[n] for n in REQUIRED[kind]]
    points = float(np.clip(anchors[rows, 2] / 0.7, 0, 1).mean())
    sure = 1.0 if category is not None else reading.category[kind]
    return float(np.clip(mask * sure * points, 0, 1))


def read_anchors(source: AnchorSource, *, hw: tuple[int, int] | None = None) -> dict[str, tuple[float, float, float]]:
    """Anchors by name from a file or a mapping; a missing confidence is 1, None means that the garment has none there.

    They may lie up to twice its longer side from the middle of the photo, when its size `hw` is given.

    Raises:
        InputError: bad_anchors, not_found.
    """
    raw: Any = source
    if isinstance(source, str | Path):
        try:
            with Path(source).open(encoding="utf-8-sig") as file:
                raw = json.loads(file.read(_ANCHOR_CHARS))
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise InputError("not_found", f"there is no file {source}", hint="check the path") from exc
        except OSError as exc:
            raise InputError("bad_anchors", f"{source} cannot be read: {exc.strerror}", hint=_ANCHOR_HINT) from exc
        except (ValueError, RecursionError) as exc:
            raise InputError("bad_anchors", f"{source} is not JSON: {exc}", hint=_ANCHOR_HINT) from exc
    if isinstance(raw, Mapping) and "anchors" in raw:
        raw = raw["anchors"]
    if not isinstance(raw, Mapping):
        raise InputError("bad_anchors", "anchors are a table of names", hint=_ANCHOR_HINT)
    out = {}
    for name, value in raw.items():
        if name not in A:
            raise InputError("bad_anchors", f"there is no anchor {str(name)[:40]}", hint=f"names: {', '.join(A)}")
        x, y, _ = out[str(name)] = _point(str(name), value)
        if hw is not None and max(abs(x - hw[1] / 2), abs(y - hw[0] / 2)) > 2 * max(hw):
            told = f"{name} lies at {x:.6g}, {y:.6g}, far outside the photo of {hw[1]}x{hw[0]}"
            raise InputError("bad_anchors", told, hint="give anchors in px of the garment photo")
    return out


_ANCHOR_CHARS = 1_000_000
"""Characters of an anchor file that are read; no file that holds anchors only is as long."""


_ANCHOR_HINT = 'write {"anchors": {"neck": [x_px, y_px], ...}} as `mojing inspect garment` does'


def _point(name: str, value: Any) -> tuple[float, float, float]:
    if value is None:
        return 0.0, 0.0, 0.0
    wrong = InputError("bad_anchors", f"{name} is not [x_px, y_px] or [x_px, y_px, confidence]", hint=_ANCHOR_HINT)
    if isinstance(value, str | bytes | Mapping):
        raise wrong
    try:
        numbers = [float(v) for v in value if not isinstance(v, str | bool)]
        if len(numbers) != len(value) or len(numbers) not in (2, 3) or not np.isfinite(numbers).all():
            raise wrong
    except (TypeError, ValueError, OverflowError) as exc:
        raise wrong from exc
    x, y, sure = numbers if len(numbers) == 3 else (*numbers, 1.0)
    if sure < 0:
        raise wrong
    return x, y, min(sure, 1.0)


def _override(anchors: F32, given: Points) -> F32:
    out = anchors.copy()
    for name, point in given.items():
        out[A[name]] = point
    return out


__all__ = ["CATEGORIES", "SURE", "AnchorSource", "GarmentNet", "GarmentView", "outline_anchors", "read_anchors"]
