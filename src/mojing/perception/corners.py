"""Side points of a garment's outline at its waist and its lower edge: the corners of what hangs there.

A row of the outline will not do: waistbands slant, shirts hide a part of them, hems are cut askew, and of two trouser
legs the longer one alone reaches the lowest row. A corner is the point farthest down (or up) and outwards at once.
"""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.skeleton import J

SLOPE = 0.6
"""How much a step outwards counts against a step down; edges that spread less than 1 in 0.6 keep their corner."""

LOOSE = 0.02
"""Share of the outline's longer side; what is thinner than twice as much (a string, a strap) has no corner."""

LEAST_LEG = 0.15
"""Share of the other leg's cloth below which a leg is not seen well enough to tell where it ends."""


def without_strings(mask: AnyArray) -> AnyArray:
    """A mask (H, W) bool without what is too thin to be the edge of a garment; itself where nothing else is left."""
    _, _, w, h = cv2.boundingRect(mask.astype(np.uint8))
    side = 2 * round(LOOSE * max(w, h)) + 1
    solid = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8)) > 0
    return np.asarray(solid if solid.any() else mask)


def corner(mask: AnyArray, *, ahead: AnyArray, side: AnyArray) -> AnyArray:
    """Point (2,) px of a mask (H, W) bool farthest along `ahead` and, by SLOPE, along `side` (unit vectors)."""
    ys, xs = np.nonzero(mask)
    way = np.asarray(ahead, np.float64) + SLOPE * np.asarray(side, np.float64)
    best = int(np.argmax(xs * way[0] + ys * way[1]))
    return np.array([xs[best], ys[best]], np.float64)


def pair_of_corners(mask: AnyArray, *, ahead: AnyArray) -> tuple[AnyArray, AnyArray]:
    """The corners (2,) px at the end of a mask that lies along `ahead`: the picture's right one, the left one.

    They are the wearer's left and right corner of a garment seen from the front.
    """
    across = np.array([abs(ahead[1]), -ahead[0] * np.sign(ahead[1] or 1.0)])
    return corner(mask, ahead=ahead, side=across), corner(mask, ahead=ahead, side=-across)


def legs_of(mask: AnyArray, joints: F32) -> dict[str, AnyArray]:
    """The cloth (H, W) bool nearer to either leg's bones, by side, below the hips; of sides that show enough cloth."""
    ys, xs = np.nonzero(mask)
    points = np.stack([xs, ys], axis=1).astype(np.float32)
    far = {}
    for side in ("left", "right"):
        hip, knee, ankle = (joints[J[f"{side}_{name}"], :2] for name in ("hip", "knee", "ankle"))
        far[side] = np.minimum(_distance(points, hip, knee), _distance(points, knee, ankle))
    hips = float(joints[[J["left_hip"], J["right_hip"]], 1].mean())
    below = points[:, 1] >= min(hips, float(np.median(points[:, 1])))
    own = {"left": below & (far["left"] <= far["right"]), "right": below & (far["left"] > far["right"])}
    most = max(int(chosen.sum()) for chosen in own.values())
    legs = {}
    for side, chosen in own.items():
        if chosen.sum() >= max(LEAST_LEG * most, 1):
            leg = np.zeros(mask.shape, bool)
            leg[ys[chosen], xs[chosen]] = True
            legs[side] = leg
    return legs


def _distance(points: F32, a: F32, b: F32) -> AnyArray:
    """Distances (N,) px of points (N, 2) from the bone a-b."""
    bone = b - a
    t = np.clip((points - a) @ bone / (float(bone @ bone) + 1e-6), 0, 1)
    return np.asarray(np.hypot(*(points - a - t[:, None] * bone).T))


def side_points(outline: U8, category: str, *, axis: tuple[AnyArray, AnyArray]) -> dict[str, AnyArray]:
    """Waist and hem of a lying skirt, of lying trousers, and the hem of a dress: (2,) px by anchor name.

    The hem of what ends about the hips is left out: sleeves lie beside it, and their cuffs are corners too.

    Args:
        outline: (H, W) uint8 opacity.
        category: of the garment.
        axis: a point (2,) on the garment's middle line and its unit direction (2,), downwards.
    """
    if category not in ("dress", "skirt", "trousers"):
        return {}
    point, along = axis
    solid = without_strings(outline > 127)
    ys, xs = np.nonzero(solid)
    if not len(xs):
        return {}
    across = np.array([along[1], -along[0]])
    v = xs * along[0] + ys * along[1]
    low = v >= (v.min() + v.max()) / 2
    out = {}
    if category != "dress":
        out["left_waist"], out["right_waist"] = pair_of_corners(_part(solid, ~low), ahead=-along)
    if category != "trousers":
        out["left_hem"], out["right_hem"] = pair_of_corners(_part(solid, low), ahead=along)
        return out
    left = (xs - point[0]) * across[0] + (ys - point[1]) * across[1] > 0
    for name, own, side in (("left_hem", low & left, across), ("right_hem", low & ~left, -across)):
        if own.any():
            out[name] = corner(_part(solid, own), ahead=along, side=side)
    return out


def _part(mask: AnyArray, chosen: AnyArray) -> AnyArray:
    """The mask (H, W) with only those of its pixels (N,), in the order of rows, that are chosen."""
    out = np.zeros(mask.shape, bool)
    out[mask] = chosen
    return out
