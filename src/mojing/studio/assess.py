"""Do edits do what they say? Judged by other eyes than those that found the directions.

The garment network reads sleeves and, from its anchors, length; colours are medians instead of means, pattern is the
number of colours instead of their scatter; the feature network says whether the kind was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.color import rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.progress import track
from mojing.core.skeleton import A
from mojing.perception.features import KINDS, Features
from mojing.perception.garment import GarmentNet
from mojing.studio import attributes
from mojing.studio.attributes import ATTRIBUTES, Reader
from mojing.studio.colours import palette_of
from mojing.studio.directions import Directions, edit
from mojing.studio.files import crisp
from mojing.studio.generate import CATEGORY, SLEEVELESS, Design, Designer
from mojing.studio.kinds import LADDERS, KindReader

_SLEEVES = np.array([0.0, 1.0, 2.0], np.float32)
_SIDE = 256
_BY_NETWORK = ("sleeve", "length")
"""What only the garment network can read."""

KindJudge = Callable[[U8], Sequence[str]]
"""Pictures on white (N, S, S, 3) -> the kind of each."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the edits of one attribute.

    Attributes:
        tried: how many edits were judged.
        changed: share whose independently read attribute moved the way that was asked for, by more than its noise;
            None where none could be read.
        kind_kept: share whose kind is read as before, or as what it is; kinds that differ by the attribute alone count
            as one (`kinds.LADDERS`: a T-shirt with long sleeves). None without a kind reader.
        kind_kept_exactly: the same if they do not.
    """

    tried: int
    changed: float | None
    kind_kept: float | None
    kind_kept_exactly: float | None


def assess(
    designer: Designer,
    known: Directions,
    *,
    garments: GarmentNet | None,
    kind_of: KindJudge | None,
    reader: Reader = attributes.read,
    kinds: KindReader | None = None,
    n: int = 40,
    amount: float = 1.5,
    seed: int = 1000,
) -> dict[str, Verdict]:
    """Edit `n` designs of all wearable kinds up and down along every direction and judge what came out.

    `reader` and `kinds` are what the edit itself sees with, see `directions.edit`.
    What cannot be done is not asked for: see `has_room`.
    """
    wearable = [k for k in designer.kinds if CATEGORY.get(k)]
    drawn = [designer.draw(wearable[i % len(wearable)], n=1, seed=seed, start=i)[0] for i in range(n)]
    before = [independent(d, garments) for d in drawn]
    out = {}
    for name in track(known.names, "attributes"):
        right: list[bool] = []
        exactly: list[bool] = []
        kept: list[bool] = []
        for i, design in enumerate(drawn):
            sign = 1.0 if i % 2 else -1.0
            if not has_room(name, before[i][name], sign=sign):
                continue  # trousers have no sleeves to change, a vest has none to lose
            made = edit(designer, design, {name: sign * amount}, known=known, reader=reader, kinds=kinds).design
            change = independent(made, garments if name in _BY_NETWORK else None)[name] - before[i][name]
            if np.isfinite(change):
                right.append(bool(sign * change > NOISE[name]))
            if kind_of is not None:
                first, second = kind_of(np.stack([design.on_white(), made.on_white()]))
                before_and_is = (first, design.kind)
                ladder = LADDERS.get(name, ())
                exactly.append(second in before_and_is)
                kept.append(exactly[-1] or (second in ladder and any(kind in ladder for kind in before_and_is)))
        out[name] = Verdict(len(right), _share(right), _share(kept), _share(exactly))
    return out


def _share(found: Sequence[bool]) -> float | None:
    return float(np.mean(found)) if found else None


def judge_of(looker: Features) -> KindJudge:
    """The feature network as a judge of kinds, in which colour has no part: it reads every picture in grey, its mirror
    image, and both at 9/10 of their size, which is right more often than one look in colour."""

    def judge(pictures: U8) -> list[str]:
        looks = [view for picture in pictures for view in _views(picture)]
        kind = np.log(looker(looks).kind + np.float32(1e-6)).reshape(len(pictures), -1, len(KINDS)).mean(axis=1)
        return [KINDS[i] for i in kind.argmax(axis=1)]

    return judge


def _views(picture: U8) -> list[U8]:
    grey = np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
    edge = round(len(grey) / 18)
    far = np.pad(grey, ((edge, edge), (edge, edge), (0, 0)), constant_values=255)
    return [grey, np.ascontiguousarray(grey[:, ::-1]), far, np.ascontiguousarray(far[:, ::-1])]


NOISE: dict[str, float] = {
    "sleeve": 0.05,
    "length": 0.05,
    "neckline": 0.01,
    "lightness": 1.0,
    "red": 1.0,
    "yellow": 1.0,
    "pattern": 0.0,
}
"""A change must be greater than this to count, in the units of `independent`."""


RANGE: dict[str, tuple[float, float]] = {"sleeve": (0.0, 2.0), "neckline": (0.0, 1.0)}
"""What `independent` can give, where that is bounded."""


def has_room(name: str, value: float, *, sign: float) -> bool:
    """Whether an attribute that is read as `value` can move the way of `sign` by more than its noise."""
    low, high = RANGE.get(name, (-np.inf, np.inf))
    return bool(np.isfinite(value) and low <= value + sign * NOISE[name] <= high)


def independent(design: Design, garments: GarmentNet | None) -> dict[str, float]:
    """Attributes of a design by other means than `attributes.read`; NaN for what cannot be read.

    sleeve: expected sleeve 0 none, 1 short, 2 long; length: neck to hem (waist to hem) by anchors, in mean widths at
    waist, hips and hem; neckline: share of the cut-out's upper middle that is open; lightness, red, yellow: medians in
    Lab; pattern: colours that differ, counted by clustering, with the share that is not of the main one as a tie-break.
    """
    mask = design.rgba[..., 3] > 127
    out = dict.fromkeys(ATTRIBUTES, float("nan"))
    if mask.sum() < 32:
        return out
    lab = rgb_to_lab(design.rgba[..., :3][mask])
    out["lightness"], out["red"], out["yellow"] = (float(v) for v in np.median(lab, axis=0))
    colours = palette_of(design.rgba[..., :3], design.rgba[..., 3], count=6)
    away = np.linalg.norm(lab - rgb_to_lab(colours[0]), axis=1) > 12.0 if len(colours) else np.zeros(1)
    out["pattern"] = len(colours) + float(away.mean())
    out["neckline"] = _open_top(mask)
    if garments is not None and CATEGORY.get(design.kind):
        out |= _by_network(design, garments)
    if CATEGORY.get(design.kind) in SLEEVELESS:
        out["sleeve"] = out["neckline"] = float("nan")
    return out


def _open_top(mask: AnyArray) -> float:
    """Share of the box over the middle third of the upper quarter that is not cloth."""
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    h, w = ys[-1] - ys[0] + 1, xs[-1] - xs[0] + 1
    centre = int(np.median(np.nonzero(mask)[1]))
    part = mask[ys[0] : ys[0] + max(h // 4, 1), max(centre - w // 6, 0) : centre + w // 6 + 1]
    return float(1.0 - part.mean())


def _by_network(design: Design, garments: GarmentNet) -> dict[str, float]:
    """Sleeve and length as the garment network sees them."""
    large = crisp(design.rgba, _SIDE)
    photo = Photo(np.ascontiguousarray(large[..., :3]), np.ascontiguousarray(large[..., 3]))
    reading = garments.read(photo.flat())
    sleeve = float(np.array([reading.sleeve[k] for k in ("none", "short", "long")], np.float32) @ _SLEEVES)
    try:
        view = garments(photo, category=CATEGORY[design.kind])
    except InputError:
        return {"sleeve": sleeve}
    return {"sleeve": sleeve, "length": _length(view.anchors)}


def _length(anchors: F32) -> float:
    hem = anchors[[A["left_hem"], A["right_hem"]]]
    top = anchors[[A["neck"]]] if anchors[A["neck"], 2] > 0 else anchors[[A["left_waist"], A["right_waist"]]]
    if hem[:, 2].max() <= 0 or top[:, 2].max() <= 0:
        return float("nan")
    low, high = hem[hem[:, 2] > 0, 1].mean(), top[top[:, 2] > 0, 1].mean()
    pairs = [anchors[[A[f"left_{n}"], A[f"right_{n}"]]] for n in ("waist", "hip", "hem")]
    widths = [abs(float(pair[0, 0] - pair[1, 0])) for pair in pairs if pair[:, 2].min() > 0]
    return float(low - high) / max(float(np.mean(widths)), 1.0) if widths else float("nan")
