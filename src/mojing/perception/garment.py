"""A garment photo -> cut-out, category, attributes and anchors; a garment worn by somebody is taken off first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, readonly
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.skeleton import GARMENT_ANCHORS, A
from mojing.perception import decode, worn
from mojing.perception.anchors import REQUIRED, placed_anchors, rescaled
from mojing.perception.body import BodyNet, BodyView, Pass
from mojing.perception.crops import Rect, around, as_input, border_colour, cut, letterbox_rect
from mojing.perception.cutout import own_colour, silhouette
from mojing.perception.kind import settle, true_lining
from mojing.perception.outline import SLEEVES, SURE, attributes, outline_anchors
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

CATEGORIES = ("top", "outer", "dress", "skirt", "trousers")
INPUT_WH = (256, 256)
SHAPE_SIDE = 1024
"""Longest side in px, but for less than twice as much, at which an outline is measured."""

AGAIN = (1.5, 2.0)
"""Sides of the squares, in the garment's longer side, in which it is looked at once more by itself."""

GROUND = 248
"""Grey level of what is laid beneath it then: nearly the white of most shop photos."""

SPREAD = 2.0
"""Cells of a heat map over which it is smoothed before its peak is sought; the network's own hills have 1.5."""

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

    def again(self, rgb: U8, outline: U8, reading: Reading) -> Reading:
        """The network on the cut-out (H, W) uint8 alone, on white and from two distances: what lies about a garment
        is taken for its sleeves or legs.

        Anchors are those of the new looks; category and sleeve are agreed on by all.
        """
        x, y, w, h = cv2.boundingRect((outline > 127).astype(np.uint8))
        rects = [around((x + w / 2, y + h / 2), (size * w, size * h), INPUT_WH) for size in AGAIN]
        crops = []
        for rect in rects:
            cover, cloth = cut(outline, rect, wh=INPUT_WH, border=0), cut(rgb, rect, wh=INPUT_WH, border=(GROUND,) * 3)
            crops.append(as_input(on_white(cloth, cover)))
        out = self.session.run({"image": np.concatenate(crops)})
        heat = (out["heat"][0] + _over(rects[0], out["heat"][1], rects[1])) / 2
        return Reading(
            garment=reading.garment,
            inner=reading.inner,
            anchors=decode.to_photo(_peaks(heat), heat.shape[1:], rects[0]),
            category=_agreed(reading.category, out["category"], CATEGORIES),
            sleeve=_agreed(reading.sleeve, out["sleeve"], SLEEVES),
        )

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
        reading = self.again(rgb, outline, reading)
        likely = max(reading.category, key=lambda k: reading.category[k])
        kind = category or settle(likely, reading.anchors, outline, sure=reading.category[likely])
        inner = true_lining(_inner(reading, outline), outline, category=kind)
        alpha = np.where(inner > 0, np.minimum(outline, 255 - inner), outline).astype(np.uint8)
        sleeve = max(reading.sleeve, key=lambda k: reading.sleeve[k])
        # Of a large photo every so many pixels tell the shape.
        step = max(max(photo.hw) // SHAPE_SIDE, 1)
        anchors, missed = placed_anchors(
            reading.anchors,
            outline[::step, ::step],
            step=step,
            category=kind,
            sleeve=sleeve,
            sure=reading.sleeve[sleeve],
        )
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
        found = attributes(*small, anchors=rescaled(anchors, 1 / step), category=kind, sleeve=sleeve)
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


def _softmax(logits: F32) -> F32:
    e = np.exp(logits - logits.max(axis=0))
    return np.asarray(e / e.sum(axis=0), np.float32)


def _named(logits: F32, names: Sequence[str]) -> dict[str, float]:
    return dict(zip(names, (float(v) for v in _softmax(logits)), strict=True))


def on_white(rgb: U8, cover: U8) -> U8:
    """A cut-out (H, W, 3) by its opacity (H, W) on the ground that is laid beneath it for a look at it alone."""
    soft = cover[..., None].astype(np.float32) / np.float32(255)
    return np.asarray(rgb * soft + np.float32(GROUND) * (1 - soft), np.float32).astype(np.uint8)


def _agreed(before: Mapping[str, float], logits: F32, names: Sequence[str]) -> dict[str, float]:
    """Probabilities by name from those of the first look and the logits (2, K) of the others: their geometric mean, the
    first look counting as much as the others together."""
    first = np.log(np.maximum([before[name] for name in names], 1e-6))
    after = np.mean([np.log(np.maximum(_softmax(row), 1e-6)) for row in logits], axis=0)
    return _named(np.asarray((first + after) / 2, np.float32), names)


def _over(rect: Rect, maps: F32, other: Rect) -> F32:
    """Maps (K, h, w) over a square rectangle as maps over another one with the same middle."""
    scale = rect.wh[0] / other.wh[0]
    (h, w), half = maps.shape[1:], (1 - scale) / 2
    move = np.array([[scale, 0, half * w + 0.5 * scale - 0.5], [0, scale, half * h + 0.5 * scale - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([np.asarray(cv2.warpAffine(one, move, (w, h), flags=flags), np.float32) for one in maps])


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
