"""Does the old garment's length leak into the new one? The worn type is read back by an independent look at the result.

For every case the share of cloth on a limb decides: of the points along the bone that show cloth or skin, how many show
cloth. Points under hair, bags or hands count for neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.skeleton import J
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.perception.worn import LEAST, worn_anchors

UPPER = tuple(L[n] for n in ("upper", "outer", "dress"))
ARMS = (L["left_arm"], L["right_arm"])
LEGS = tuple(L[n] for n in ("left_leg", "right_leg", "legwear"))
LOWER = (L["trousers"],)
SEEN = 0.3
CLEAR = 0.35
"""A limb counts as bare up to this share of cloth, and as covered from one minus it."""


@dataclass(frozen=True)
class Outfit:
    """What somebody wears: sleeve of what covers the chest, whether that is a dress, and what the legs are in."""

    sleeve: str
    dress: bool
    lower: str


def along(view: BodyView, a: str, b: str, *, span: tuple[float, float]) -> U8:
    """Labels at points along the bone from joint a to joint b and beside it, the ends left out; empty when unseen."""
    pa, pb = view.joints[J[a]], view.joints[J[b]]
    if min(pa[2], pb[2]) < SEEN:
        return np.zeros(0, np.uint8)
    bone = pb[:2] - pa[:2]
    aside = np.array([-bone[1], bone[0]]) * 0.05
    steps = np.linspace(*span, 16)[:, None]
    pts = np.concatenate([pa[:2] + steps * bone + k * aside for k in (-1, 0, 1)])
    h, w = view.hw
    inside = (pts[:, 0] >= 0) & (pts[:, 1] >= 0) & (pts[:, 0] <= w - 1) & (pts[:, 1] <= h - 1)
    x, y = np.round(pts[inside]).astype(int).T
    return np.asarray(view.parse[y, x], np.uint8)


def cover(view: BodyView, joints: F32, bones: tuple[str, str], **how: tuple[int, ...]) -> float | None:
    """Share of cloth on the left and right bone together, of a result read back.

    Args:
        view: the result as the body network sees it.
        joints: (21, 3) of the photo before, whose pose the result keeps.
        bones: names of upper and lower joint without their side.
        how: `cloth` and `skin`, label ids.

    Returns:
        None when too few points show either.
    """
    posed = BodyView(view.hw, joints, view.parse, view.alpha, view.box)
    span = (0.35, 0.85)
    labels = np.concatenate([along(posed, f"{s}_{bones[0]}", f"{s}_{bones[1]}", span=span) for s in ("left", "right")])
    cloth, skin = int(np.isin(labels, how["cloth"]).sum()), int(np.isin(labels, how["skin"]).sum())
    return cloth / (cloth + skin) if cloth + skin >= 12 else None


def outfit(view: BodyView) -> Outfit | None:
    """What the person wears by the parse map; None where the chest shows no cloth."""
    chest = np.concatenate([along(view, f"{s}_shoulder", f"{s}_hip", span=(0.3, 0.7)) for s in ("left", "right")])
    cloth = chest[np.isin(chest, UPPER)]
    if len(cloth) < 20:
        return None
    mask = np.isin(view.parse, UPPER)
    _, sleeve = worn_anchors(mask, view.joints, "top")
    area = np.bincount(view.parse.ravel(), minlength=21) / view.parse.size
    dress = bool((cloth == L["dress"]).mean() > 0.6)
    lower = "dress" if dress else ("trousers" if area[L["trousers"]] > max(LEAST, area[L["skirt"]]) else "skirt")
    return Outfit(sleeve, dress, lower)


Check = Callable[[BodyView, F32], bool | None]


def bare_forearms(view: BodyView, joints: F32) -> bool | None:
    """Short sleeves: the forearms show skin."""
    share = cover(view, joints, ("elbow", "wrist"), cloth=UPPER, skin=ARMS)
    return None if share is None else share <= CLEAR


def clad_forearms(view: BodyView, joints: F32) -> bool | None:
    """Long sleeves: the forearms are in cloth."""
    share = cover(view, joints, ("elbow", "wrist"), cloth=UPPER, skin=ARMS)
    return None if share is None else share >= 1 - CLEAR


def bare_upper_arms(view: BodyView, joints: F32) -> bool | None:
    """No sleeves: the upper arms show skin."""
    share = cover(view, joints, ("shoulder", "elbow"), cloth=UPPER, skin=ARMS)
    return None if share is None else share <= CLEAR


def top_not_dress(view: BodyView, joints: F32) -> bool | None:
    """A top where a dress was: the trunk reads as a top, and the thighs do not read as part of the same top."""
    posed = BodyView(view.hw, joints, view.parse, view.alpha, view.box)
    trunk = np.concatenate([along(posed, f"{s}_shoulder", f"{s}_hip", span=(0.25, 0.75)) for s in ("left", "right")])
    thighs = np.concatenate([along(posed, f"{s}_hip", f"{s}_knee", span=(0.4, 0.9)) for s in ("left", "right")])
    tops = (L["upper"], L["outer"])
    cloth = np.isin(trunk, UPPER)
    if cloth.sum() < 12:
        return None
    return bool(np.isin(trunk[cloth], tops).mean() > 0.6 and (len(thighs) < 12 or np.isin(thighs, tops).mean() < 0.4))


def bare_shins(view: BodyView, joints: F32) -> bool | None:
    """A skirt where trousers were: the shins show legs or stockings."""
    share = cover(view, joints, ("knee", "ankle"), cloth=LOWER, skin=LEGS)
    return None if share is None else share <= CLEAR


@dataclass(frozen=True)
class Case:
    """Who is dressed in what, and how the result is told right from wrong."""

    name: str
    category: str
    kinds: tuple[str, ...]
    """Labels of the garment photos that serve."""
    wears: Callable[[Outfit], bool]
    right: Check


CASES: tuple[Case, ...] = (
    Case("long_to_short", "top", ("T-Shirt", "Polo"), lambda o: o.sleeve == "long" and not o.dress, bare_forearms),
    Case("short_to_long", "top", ("Longsleeve",), lambda o: o.sleeve != "long" and not o.dress, clad_forearms),
    Case("to_sleeveless", "top", ("Undershirt",), lambda o: o.sleeve != "none" and not o.dress, bare_upper_arms),
    Case("dress_to_top", "top", ("T-Shirt", "Longsleeve"), lambda o: o.dress, top_not_dress),
    Case("trousers_to_skirt", "skirt", ("Skirt",), lambda o: o.lower == "trousers", bare_shins),
)


def summary(marks: dict[str, list[bool | None]]) -> dict[str, object]:
    """Share of right results by case and over all, leaving out those that could not be read."""
    by_case = {}
    for name, found in marks.items():
        known = [m for m in found if m is not None]
        by_case[name] = {
            "right": sum(known) / len(known) if known else None,
            "read": len(known),
            "unreadable": len(found) - len(known),
        }
    every = [m for found in marks.values() for m in found if m is not None]
    return {"right": sum(every) / len(every) if every else None, "cases": by_case}


class Ceiling:
    """How well the reading itself does: on unedited photos whose hand-made labels tell what is worn.

    No result can be expected to be read right more often than such photos are. The same rules read the hand-made labels
    with the teacher's joints, which is taken as the truth, and the body network's view of the photo.
    """

    def __init__(self) -> None:
        self.marks: dict[str, dict[bool, list[bool | None]]] = {case.name: {True: [], False: []} for case in CASES}

    def add(self, truth: BodyView, seen: BodyView) -> None:
        """One photo: by its hand-made labels, and as the body network sees it."""
        for case in CASES:
            told = case.right(truth, truth.joints)
            if told is not None:
                self.marks[case.name][told].append(case.right(seen, seen.joints))

    def result(self, weights: dict[str, int]) -> dict[str, object]:
        """By case, the share of photos that show what it asks for and are read so, and of others that are read so.

        Args:
            weights: how many results of each case were read; `right` is the mean over cases by these.
        """
        cases = {}
        total = [0.0, 0]
        for name, marks in self.marks.items():
            right, wrong = ([m for m in marks[told] if m is not None] for told in (True, False))
            share = sum(right) / len(right) if right else None
            false = 1 - sum(wrong) / len(wrong) if wrong else None
            cases[name] = {"right": share, "photos": len(right), "others_right": false, "others": len(wrong)}
            if share is not None:
                total = [total[0] + share * weights.get(name, 0), total[1] + weights.get(name, 0)]
        return {"right": total[0] / total[1] if total[1] else None, "cases": cases}


def cases_for(worn: Outfit) -> Iterator[Case]:
    """Cases that a person in this outfit can serve."""
    return (case for case in CASES if case.wears(worn))
