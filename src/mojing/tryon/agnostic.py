"""Which pixels of a person photo a new garment may change, and which stay whatever happens.

The rules by category, of the clothes the person has on:

| new garment | taken off | stays |
|---|---|---|
| top | upper, outer; a dress down to the waist | skirt, trousers, the dress's skirt (the new hem falls over them) |
| outer | outer | upper and dress, seen where the coat is open |
| dress | upper, outer, dress, skirt, trousers, belt | legwear, shoes |
| skirt, trousers | skirt, trousers, belt; a dress from the waist down | upper and outer, in front |

Hair, face, hat, glasses, scarf, bags and hands are in front of everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.skeleton import BODY_JOINTS
from mojing.perception.body import BodyView
from mojing.perception.labels import LABELS, L
from mojing.tryon.drape import Drape
from mojing.tryon.limbs import Limb, bare_limbs, layout
from mojing.tryon.parts import SIDES, Figure, complete
from mojing.tryon.pattern import PARTS, UPPER

_OFF: dict[str, tuple[str, ...]] = {
    "top": ("upper", "outer", "dress"),
    "outer": ("outer",),
    "dress": ("upper", "outer", "dress", "skirt", "trousers", "belt"),
    "skirt": ("skirt", "trousers", "belt"),
    "trousers": ("skirt", "trousers", "belt"),
}
_FRONT = ("hair", "face", "hat", "glasses", "scarf", "bag")
_ARMS = ("left_arm", "right_arm")
_LEGS = ("left_leg", "right_leg")
WAIST = 0.68
"""How far down from the neck to the hips the waist lies."""


@dataclass(frozen=True, eq=False)
class Edit:
    """Where a try-on may change a photo. Every mask is (H, W) uint8, 0 or 255, at the person photo's size.

    Attributes:
        mask: pixels that may change; never overlaps `keep`. Wide enough that the old silhouette does not show.
        keep: pixels that stay in front of the new garment: hair, face, hat, glasses, scarf, bags, hands, bare arms
            that cross the body, and for skirts and trousers the upper clothes.
        remove: pixels of the clothes that are taken off.
        stay: pixels inside `mask` whose original can simply be kept: background that is background before and after,
            and whatever neither the old nor the new garment touches. `mask & ~stay` is what really changes.
        bare: where the new garment leaves an arm or a leg bare, drawn from the joints; true skin or to be invented.
        notices: sentences about what has to be made up.
        limbs: the arms and legs of `bare`.
    """

    mask: U8
    keep: U8
    remove: U8
    stay: U8
    bare: U8
    notices: tuple[str, ...] = ()
    limbs: tuple[Limb, ...] = ()

    def __post_init__(self) -> None:
        for name in ("mask", "keep", "remove", "stay", "bare"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


def edit_region(body: BodyView, drape: Drape, category: str, *, margin: float = 0.05) -> Edit:
    """Decide what may change.

    Args:
        body: the person; `drape` must be draped on it at its own size.
        drape: the new garment on the body.
        category: top, outer, dress, skirt or trousers.
        margin: how far (torso lengths) the mask reaches beyond the old garment; training varies it.
    """
    assert drape.alpha.shape == body.hw, (drape.alpha.shape, body.hw)
    box = (body.box.x0, body.box.y0, body.box.x1, body.box.y1)
    figure = complete(body.joints, BODY_JOINTS, bounds=box, floor=0.05)
    length = float(np.hypot(*(figure.at["hips"] - figure.at["neck"])))
    new = np.asarray(cv2.compare(drape.alpha, 0.02, cv2.CMP_GT), np.uint8)
    remove, notices = _taken_off(body, figure, category, drape)
    bared = tuple(bare_limbs(figure, drape, category).values())
    bare = _bare(bared, drape)
    keep = _in_front(body, figure, drape, category, length=length, new=new)
    reach = max(margin * length, 2.0)
    mask = np.maximum(grow(remove, reach), grow(new, max(0.4 * reach, 1.5)))
    limbs = _labels(body.parse, _ARMS if category in UPPER else _LEGS)
    if category == "outer":
        # Beneath an open coat the clothes stay; arms change only where it has sleeves.
        mask = np.maximum(mask, cv2.bitwise_and(limbs, grow(np.maximum(new, remove), reach)))
    elif category in UPPER:
        mask = np.maximum(mask, grow(np.maximum(limbs, _hull(figure, body.hw)), 0.4 * reach))
    else:
        mask = np.maximum(mask, limbs)
    mask = np.maximum(mask, cv2.bitwise_and(bare, grow(remove, reach)))
    if category == "dress":
        mask = np.maximum(mask, cv2.bitwise_and(limbs, grow(new, reach)))
    mask = np.asarray(cv2.bitwise_and(mask, cv2.bitwise_not(keep)), np.uint8)
    stay = _stay(body, mask=mask, new=new, remove=remove, length=length)
    return Edit(mask, keep, remove, stay, bare, notices, bared)


def grow(mask: U8, radius: float) -> U8:
    """Everything within `radius` px of a 0/255 mask, as 0/255; by distances, so its cost does not grow with it.

    From 8 px on it is measured at half size, to within 1 px.
    """
    out = np.zeros_like(mask)
    x, y, w, h = cv2.boundingRect(mask)
    if w == 0:
        return out
    pad = int(radius) + 2
    rows, cols = slice(max(y - pad, 0), y + h + pad), slice(max(x - pad, 0), x + w + pad)
    part = mask[rows, cols]
    if radius < 8:
        far = cv2.distanceTransform(cv2.bitwise_not(part), cv2.DIST_L2, 3)
        out[rows, cols] = cv2.compare(far, radius, cv2.CMP_LE)
        return out
    wh = (part.shape[1], part.shape[0])
    small = cv2.resize(part, (-(-wh[0] // 2), -(-wh[1] // 2)), interpolation=cv2.INTER_AREA)
    far = cv2.distanceTransform(cv2.compare(small, 0, cv2.CMP_EQ), cv2.DIST_L2, 3)
    near = cv2.compare(far, radius / 2, cv2.CMP_LE)
    out[rows, cols] = np.maximum(cv2.resize(near, wh, interpolation=cv2.INTER_NEAREST), part)
    return out


def _labels(parse: U8, names: tuple[str, ...]) -> U8:
    table = np.zeros(256, np.uint8)
    table[[L[n] for n in names]] = 255
    return np.asarray(cv2.LUT(parse, table), np.uint8)


def _taken_off(body: BodyView, figure: Figure, category: str, drape: Drape) -> tuple[U8, tuple[str, ...]]:
    """The clothes that are taken off, and what follows from it."""
    remove = _labels(body.parse, _OFF[category])
    some = body.parse[::4, ::4]
    area = np.bincount(some.ravel(), minlength=len(LABELS)) / max(int(np.count_nonzero(some)), 1)
    notices: list[str] = []
    has = {name for name in ("upper", "outer", "dress", "skirt", "trousers") if area[L[name]] > 0.02}
    if category == "top" and "dress" in has:
        notices.append("the dress stays below as a skirt: only its part above the waist is replaced")
        below = _below(figure, body.hw, min(_waist(figure), _ends(drape, figure)[1]))
        remove = cv2.bitwise_and(remove, cv2.bitwise_not(cv2.bitwise_and(below, _labels(body.parse, ("dress",)))))
    if category == "top" and "outer" in has:
        notices.append("the coat or jacket is taken off to show the new top")
    if category == "dress" and "trousers" in has:
        notices.append("the trousers are taken off: bare legs are made up below the dress")
    if category == "outer" and any(key.endswith("sleeve") for key in drape.extents):
        # Sleeves of what is worn beneath vanish in the coat's; they must not stick out of them.
        inner = cv2.bitwise_and(_labels(body.parse, ("upper", "dress")), cv2.bitwise_not(_hull(figure, body.hw)))
        remove = np.maximum(remove, cv2.bitwise_and(inner, _limb_area(figure, body.hw, ("shoulder", "elbow", "wrist"))))
    if category in ("skirt", "trousers"):
        # A belt around a coat is the coat's.
        belt, lower = _labels(body.parse, ("belt",)), _labels(body.parse, ("skirt", "trousers"))
        length = float(np.hypot(*(figure.at["hips"] - figure.at["neck"])))
        remove = np.maximum(lower, cv2.bitwise_and(belt, grow(lower, 0.1 * length)))
    if category in ("skirt", "trousers") and "dress" in has:
        notices.append("the dress stays as a top: only its part below the new waist is replaced")
        below = _below(figure, body.hw, _ends(drape, figure)[0])
        remove = np.maximum(remove, cv2.bitwise_and(below, _labels(body.parse, ("dress",))))
    return remove, tuple(notices)


def _waist(figure: Figure) -> float:
    """Row of the waist, where a dress is cut in two."""
    return float(figure.at["neck"][1] + WAIST * (figure.at["hips"][1] - figure.at["neck"][1]))


def _ends(drape: Drape, figure: Figure) -> tuple[float, float]:
    """First and last row of the new garment on the trunk's axis; the hips' row where it lies nowhere."""
    rows = np.nonzero((drape.alpha > 0.5).any(axis=1))[0]
    hips = float(figure.at["hips"][1])
    return (float(rows[0]), float(rows[-1])) if len(rows) else (hips, hips)


def _below(figure: Figure, hw: tuple[int, int], row: float) -> U8:
    """All that lies below a line across the trunk that meets its axis in `row`, 0/255."""
    axis = figure.at["hips"] - figure.at["neck"]
    down = axis / (np.hypot(*axis) + 1e-6)
    middle = figure.at["hips"] + down * (row - figure.at["hips"][1]) / max(float(down[1]), 0.3)
    xs, ys = ((np.arange(n, dtype=np.float32) - m) * d for n, m, d in zip(hw[::-1], middle, down, strict=True))
    return np.where(xs[None] > -ys[:, None], np.uint8(255), np.uint8(0))


def _in_front(body: BodyView, figure: Figure, drape: Drape, category: str, *, length: float, new: U8) -> U8:
    keep = _labels(body.parse, _FRONT)
    arms = _labels(body.parse, _ARMS)
    if category in ("skirt", "trousers"):
        keep = np.maximum(keep, arms)
        keep = np.maximum(keep, _labels(body.parse, ("upper", "outer")))
        return np.asarray(np.maximum(keep, _labels(body.parse, ("shoes",))), np.uint8)
    if category == "outer":
        # A coat hides the arms it has sleeves for; what shows of the clothes beneath is not in front of it.
        keep = np.maximum(keep, _labels(body.parse, ("shoes",)))
    hands = np.zeros(body.hw, np.uint8)
    far = np.zeros(body.hw, np.uint8)
    for side in SIDES:
        hand = figure.at.get(f"{side}_hand")
        wrist, elbow, shoulder = (figure.at[f"{side}_{n}"] for n in ("wrist", "elbow", "shoulder"))
        ahead = (wrist - elbow) / (np.hypot(*(wrist - elbow)) + 1e-6)
        centre = wrist + 0.12 * length * ahead if hand is None else hand + 0.35 * (hand - wrist)
        cv2.circle(hands, _xy(centre), max(int(0.14 * length), 2), 255, -1)
        start = shoulder + 0.55 * (elbow - shoulder)
        for a, b in ((start, elbow), (elbow, wrist)):
            cv2.line(far, _xy(a), _xy(b), 255, max(int(0.2 * length), 2))
    # A sleeve hides the arm inside it; over the trunk's cloth a bare forearm lies in front.
    table = np.full(256, 255, np.uint8)
    table[[PARTS[f"{s}_{h}_sleeve"] for s in SIDES for h in ("upper", "lower")]] = 0
    trunk = np.maximum(new, _hull(figure, body.hw))
    crossing = cv2.bitwise_and(cv2.bitwise_and(far, trunk), cv2.LUT(drape.part, table))
    return np.asarray(np.maximum(keep, cv2.bitwise_and(arms, np.maximum(hands, crossing))), np.uint8)


def _xy(point: AnyArray) -> tuple[int, int]:
    x, y = np.clip(point, -30000, 30000)
    return round(float(x)), round(float(y))


def _hull(figure: Figure, hw: tuple[int, int]) -> U8:
    """Trunk from the shoulder joints to the hips, a little wider than the joints."""
    out = np.zeros(hw, np.uint8)
    neck, hips = figure.at["neck"], figure.at["hips"]
    corners = [neck + 1.15 * (figure.at[f"{s}_shoulder"] - neck) for s in SIDES]
    corners += [hips + 1.5 * (figure.at[f"{s}_hip"] - hips) for s in reversed(SIDES)]
    cv2.fillConvexPoly(out, np.rint(np.clip(np.array(corners), -30000, 30000)).astype(np.int32), 255)
    return out


def _limb_area(figure: Figure, hw: tuple[int, int], joints: tuple[str, ...]) -> U8:
    """Generous capsules around both arms or both legs."""
    out = np.zeros(hw, np.uint8)
    width = max(int(0.34 * np.hypot(*(figure.at["hips"] - figure.at["neck"]))), 2)
    for side in SIDES:
        for a, b in pairwise(joints):
            cv2.line(out, _xy(figure.at[f"{side}_{a}"]), _xy(figure.at[f"{side}_{b}"]), 255, width)
    return out


def _bare(limbs: tuple[Limb, ...], drape: Drape) -> U8:
    """Area of the bare limbs: arms lie in front of the trunk's cloth, legs behind any."""
    hw = (drape.alpha.shape[0], drape.alpha.shape[1])
    arms = layout(tuple(limb for limb in limbs if limb.kind == "arm"), hw)
    legs = layout(tuple(limb for limb in limbs if limb.kind == "leg"), hw)
    covered = drape.alpha > 0.5
    legs[covered] = 0
    arms[covered & (drape.part != PARTS["torso"]) & (drape.part != PARTS["skirt"])] = 0
    return np.maximum(arms, legs)


def _stay(body: BodyView, *, mask: U8, new: U8, remove: U8, length: float) -> U8:
    """Pixels of the mask whose original is as good as any."""
    rim = max(0.015 * length, 1.5)
    out = np.zeros_like(mask)
    x, y, w, h = cv2.boundingRect(mask)
    pad = int(1.2 * rim) + 4
    near = np.s_[max(y - pad, 0) : y + h + pad, max(x - pad, 0) : x + w + pad]
    person = np.asarray(cv2.compare(body.alpha[near], 12, cv2.CMP_GT), np.uint8)
    nothing = cv2.bitwise_not(np.maximum(grow(person, rim), grow(new[near], rim)))
    # Beside a garment its edge was cut by eye and its shadow lies on what is next to it; further off all is as it was.
    touched = grow(np.maximum(remove[near], new[near]), 1.2 * rim)
    out[near] = cv2.bitwise_and(mask[near], np.maximum(nothing, cv2.bitwise_not(touched)))
    return out


def soft_mask(edit: Edit, *, radius: float, rect: tuple[int, int, int, int] | None = None) -> F32:
    """What really changes, `mask & ~stay`, feathered inwards over `radius` px: float32 (h, w) in 0..1.

    `rect` x, y, width, height limits it to a part of the photo that holds the whole mask. At the photo's own border
    nothing is feathered: there the garment goes on outside.
    """
    h, w = edit.mask.shape
    x, y, width, height = rect or (0, 0, w, h)
    left, above = min(x, 1), min(y, 1)
    around = np.s_[y - above : min(y + height + 1, h), x - left : min(x + width + 1, w)]
    change = cv2.bitwise_and(edit.mask[around], cv2.bitwise_not(edit.stay[around]))
    far = cv2.distanceTransform(change, cv2.DIST_L2, 3)[above : above + height, left : left + width]
    return np.asarray(np.clip(far / max(radius, 1e-3), 0, 1), np.float32)
