"""From network outputs to joints and label maps: sub-pixel peaks, merged logits, clean labels at the photo's size.

A network cell (i, j) of a map that covers a crop lies where `cv2.resize` would put it: the map is the crop, shrunk.
Nothing here holds 21 float channels at more than the canvas size (long side 512 px).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.skeleton import J
from mojing.perception.crops import Rect
from mojing.perception.labels import L

CANVAS = 384
"""Longest side in px of the working canvas on which logits are merged."""

NOBODY = 0.5
"""Probability of a person below which a pixel shows none, whatever label is likeliest."""


def sigmoid(x: F32) -> F32:
    """Logistic function, safe for large arguments."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), np.float32)


def peaks(heat: F32, *, second: bool = False) -> F32:
    """Highest point of each heat map.

    Args:
        heat: (J, h, w) float32, about 0..1, Gaussian bumps.
        second: look for the highest point that is at least three cells away from the highest one instead.

    Returns:
        (J, 3) float32: x, y in cells (centres at integers, refined by a parabola through the logarithms of the
        neighbours, which is exact for a Gaussian) and the map's value there clipped to 0..1.
    """
    n, h, w = heat.shape
    flat = heat.reshape(n, -1)
    at = flat.argmax(axis=1)
    if second:
        ys, xs = np.divmod(at, w)
        far = (np.abs(np.arange(h)[None, :, None] - ys[:, None, None]) > 3) | (
            np.abs(np.arange(w)[None, None, :] - xs[:, None, None]) > 3
        )
        masked = np.where(far, heat, -1.0)
        padded = cv2.dilate(masked.transpose(1, 2, 0), np.ones((3, 3), np.uint8)).reshape(h, w, n).transpose(2, 0, 1)
        masked = np.where((masked >= padded) & (heat >= padded), masked, -1.0)
        at = masked.reshape(n, -1).argmax(axis=1)
    rows = np.arange(n)
    ys, xs = np.divmod(at, w)
    value = flat[rows, at]

    def shift(a: Any, b: Any) -> Any:
        la, lb, lc = (np.log(np.maximum(v, 1e-4)) for v in (a, b, value))
        curve = la + lb - 2 * lc
        return np.where(curve < -1e-3, np.clip(0.5 * (la - lb) / np.minimum(curve, -1e-3), -0.5, 0.5), 0.0)

    inner_x, inner_y = (xs > 0) & (xs < w - 1), (ys > 0) & (ys < h - 1)
    left, right = heat[rows, ys, np.maximum(xs - 1, 0)], heat[rows, ys, np.minimum(xs + 1, w - 1)]
    up, down = heat[rows, np.maximum(ys - 1, 0), xs], heat[rows, np.minimum(ys + 1, h - 1), xs]
    x = xs + np.where(inner_x, shift(left, right), 0.0)
    y = ys + np.where(inner_y, shift(up, down), 0.0)
    found = masked.reshape(n, -1)[rows, at] if second else value
    return np.stack([x, y, np.clip(found, 0.0, 1.0)], axis=1).astype(np.float32)


def to_photo(points: F32, heat_hw: tuple[int, int], rect: Rect) -> F32:
    """Points (J, 3) in cells of a heat map that covers `rect` -> x_px, y_px in the photo, confidence kept."""
    w, h = rect.wh
    out = points.copy()
    out[:, 0] = (points[:, 0] + 0.5) * (w / heat_hw[1]) - 0.5 + rect.x0
    out[:, 1] = (points[:, 1] + 0.5) * (h / heat_hw[0]) - 0.5 + rect.y0
    return out


def untangle(points: F32, heat: F32, pairs: list[tuple[int, int]]) -> F32:
    """Move one of two mirror joints that share one peak to its own second peak, where it has one.

    A network that is unsure which wrist it sees fires in both maps. The joint whose second peak is the stronger
    moves; both stay when no second peak reaches half the first (an arm seen edge-on, crossed ankles).
    """
    close = [
        (a, b) for a, b in pairs if np.hypot(*(points[a, :2] - points[b, :2])) < 2.0 and points[[a, b], 2].min() > 0.1
    ]
    if not close:
        return points
    out, other = points.copy(), peaks(heat, second=True)
    for a, b in close:
        ratio_a, ratio_b = other[a, 2] / points[a, 2], other[b, 2] / points[b, 2]
        move, ratio = (a, ratio_a) if ratio_a >= ratio_b else (b, ratio_b)
        if ratio > 0.5:
            out[move] = other[move]
    return out


def upsample(logits: F32, wh: tuple[int, int]) -> F32:
    """Logits (C, h, w) resized bilinearly to (C, H, W)."""
    out = np.empty((len(logits), wh[1], wh[0]), np.float32)
    for source, target in zip(logits, out, strict=True):
        cv2.resize(source, wh, dst=target, interpolation=cv2.INTER_LINEAR)
    return out


def soft_window(wh: tuple[int, int], *, open_sides: tuple[bool, bool, bool, bool], band: float = 0.08) -> F32:
    """Weight (H, W) 0..1 that falls to 0 at the borders of a crop, except at open sides (left, top, right, bottom)."""
    w, h = wh
    fade_x, fade_y = max(band * w, 1.0), max(band * h, 1.0)
    x, y = np.arange(w, dtype=np.float32) + 0.5, np.arange(h, dtype=np.float32) + 0.5
    wx, wy = np.ones(w, np.float32), np.ones(h, np.float32)
    if not open_sides[0]:
        wx = np.minimum(wx, x / fade_x)
    if not open_sides[2]:
        wx = np.minimum(wx, (w - x) / fade_x)
    if not open_sides[1]:
        wy = np.minimum(wy, y / fade_y)
    if not open_sides[3]:
        wy = np.minimum(wy, (h - y) / fade_y)
    return np.outer(wy, wx).astype(np.float32)


def merge(canvas: F32, detail: F32, *, at: Rect, weight: F32) -> None:
    """Blend the logits of a closer crop (C, h, w), already at canvas scale, into the canvas (C, H, W) in place."""
    part = canvas[:, at.y0 : at.y1, at.x0 : at.x1]
    for low, high in zip(part, detail, strict=True):
        low += (high - low) * weight


def labels_of(canvas: F32) -> U8:
    """Label of the largest logit (C, H, W) -> (H, W) uint8; channels that win nowhere cost one comparison."""
    best = canvas[0].copy()
    out = np.zeros(best.shape, np.uint8)
    for index in range(1, len(canvas)):
        wins = canvas[index] > best
        out[wins] = index
        np.maximum(best, canvas[index], out=best)
    return out


def drop_specks(parse: U8, *, share: float = 0.0004) -> U8:
    """Give every connected piece smaller than `share` of the map the label of its nearest other pixel."""
    smallest = max(int(share * parse.size), 4)
    bad = np.zeros(parse.shape, np.uint8)
    for label in np.flatnonzero(np.bincount(parse.ravel(), minlength=1)):
        mask = cv2.compare(parse, int(label), cv2.CMP_EQ)
        x, y, w, h = cv2.boundingRect(mask)
        window = mask[y : y + h, x : x + w]
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(window, connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < smallest
        small[0] = False
        if count > 1 and small.any():
            bad[y : y + h, x : x + w] |= small[pieces].astype(np.uint8)
    return fill_from_nearest(parse, bad)


def only_person(parse: U8, alpha: F32) -> U8:
    """Drop labelled pieces (H, W) that belong to nobody or to somebody else.

    The piece with the most person probability (H, W) stays, and others that are mostly person themselves: a hand or a
    bag that hair or a strap cuts off.
    """
    count, pieces, stats, _ = cv2.connectedComponentsWithStats((parse > 0).astype(np.uint8), connectivity=8)
    if count <= 2:
        return parse
    weight = np.bincount(pieces.ravel(), weights=alpha.ravel(), minlength=count)
    weight[0] = 0
    area = np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    keep = (weight > 0.6 * area) & (weight > 0.01 * weight.max())
    keep[int(weight.argmax())] = True
    keep[0] = False
    return np.where(keep[pieces], parse, np.uint8(0)).astype(np.uint8)


def without_gaps(parse: U8, alpha: F32) -> U8:
    """Labels (H, W) without what the person probability (H, W) says is nobody: the gap between an arm and the trunk."""
    return np.where(alpha < NOBODY, np.uint8(0), parse).astype(np.uint8)


def nearest_sides(parse: U8, joints: F32) -> U8:
    """Give arm and leg pixels (H, W) the side whose bones are nearer; a network at this size mixes sides up.

    Args:
        parse: label ids.
        joints: (21, 3) in px of the map; a limb of which a side is unseen is left as it is.
    """
    out = parse
    for limb, names in LIMBS.items():
        rows = [[J[f"{s}_{n}"] for n in names] for s in ("left", "right")]
        if joints[np.ravel(rows), 2].min() < 0.25:
            continue
        ids = np.array([L[f"left_{limb}"], L[f"right_{limb}"]], np.uint8)
        ys, xs = np.nonzero((parse == ids[0]) | (parse == ids[1]))
        if not len(xs):
            continue
        pts = np.stack([xs, ys], axis=1).astype(np.float32)
        left, right = (_distance(pts, joints[chain, :2]) for chain in rows)
        out = out.copy() if out is parse else out
        out[ys, xs] = np.where(left <= right, ids[0], ids[1])
    return out


LIMBS = {"arm": ("shoulder", "elbow", "wrist", "hand"), "leg": ("hip", "knee", "ankle", "toe")}
"""Joints along each limb, from the trunk outwards."""


def _distance(pts: F32, chain: F32) -> F32:
    """Squared distance of points (N, 2) from a line through the points of a chain (K, 2)."""
    best = np.full(len(pts), np.inf, np.float32)
    for a, b in pairwise(chain):
        ab = b - a
        t = np.clip(((pts - a) @ ab) / max(float(ab @ ab), 1e-6), 0, 1)
        gap = pts - (a + t[:, None] * ab)
        np.minimum(best, (gap * gap).sum(axis=1), out=best)
    return best


def fill_from_nearest(parse: U8, bad: U8) -> U8:
    """Replace labels where `bad` is non-zero by the nearest label elsewhere; unchanged when nothing else is left."""
    if not bad.any() or bad.all():
        return parse
    x, y, w, h = cv2.boundingRect(bad)
    x0, y0 = max(x - 40, 0), max(y - 40, 0)
    x1, y1 = min(x + w + 40, parse.shape[1]), min(y + h + 40, parse.shape[0])
    hole, source = bad[y0:y1, x0:x1], parse[y0:y1, x0:x1]
    if hole.all():
        x0, y0, x1, y1 = 0, 0, parse.shape[1], parse.shape[0]
        hole, source = bad, parse
    _, index = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(index.max()) + 1, np.uint8)
    keep = hole == 0
    table[index[keep]] = source[keep]
    out = parse.copy()
    out[y0:y1, x0:x1][~keep] = table[index[~keep]]
    return out


def resize_labels(parse: U8, wh: tuple[int, int], *, part: Rect | None = None) -> U8:
    """Resize a label map with smooth borders: each label's mask is resized bilinearly and the largest wins.

    Nearest-neighbour enlargement leaves steps as large as a cell; this vote costs one 8-bit resize a label, inside
    that label's own box. Only `part` of the resized map is made, the whole by default.
    """
    h, w = parse.shape
    if wh == (w, h):
        return parse if part is None else parse[part.y0 : part.y1, part.x0 : part.x1]
    part = part or Rect(0, 0, *wh)
    if wh[0] < w or wh[1] < h:
        small = cv2.resize(parse, wh, interpolation=cv2.INTER_NEAREST_EXACT)
        return np.asarray(small[part.y0 : part.y1, part.x0 : part.x1], np.uint8)
    present = np.flatnonzero(np.bincount(parse.ravel()))
    out = np.full(part.wh[::-1], present[0], np.uint8)
    if len(present) == 1:
        return out
    scale = (wh[0] / w, wh[1] / h)
    # Where nothing but the first label is near, it stands already: usually all the background.
    inner = _enlarged_box(parse != present[0], scale, part=part)
    best = np.zeros((inner.y1 - inner.y0, inner.x1 - inner.x0), np.uint8)
    for label in present:
        mask = cv2.compare(parse, int(label), cv2.CMP_EQ)
        at = _enlarged_box(mask, scale, part=inner)
        if min(at.wh) <= 0:
            continue
        move = np.array([[1 / s, 0, (a + 0.5) / s - 0.5] for s, a in ((scale[0], at.x0), (scale[1], at.y0))])
        move[1, :2] = move[1, 1::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        vote = cv2.warpAffine(mask, move, at.wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        region = out[at.y0 - part.y0 : at.y1 - part.y0, at.x0 - part.x0 : at.x1 - part.x0]
        score = best[at.y0 - inner.y0 : at.y1 - inner.y0, at.x0 - inner.x0 : at.x1 - inner.x0]
        cv2.copyTo(np.full(vote.shape, label, np.uint8), cv2.compare(vote, score, cv2.CMP_GT), region)
        cv2.max(vote, score, dst=score)
    return out


def _enlarged_box(mask: AnyArray, scale: tuple[float, float], *, part: Rect) -> Rect:
    """Bounds of a mask, two cells wider, in a map `scale` times as large; within `part`, empty where it is not."""
    x, y, w, h = cv2.boundingRect(np.asarray(mask, np.uint8))
    corners = (max(x - 2, 0), max(y - 2, 0), min(x + w + 2, mask.shape[1]), min(y + h + 2, mask.shape[0]))
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(corners, (*scale, *scale), strict=True))
    return Rect(max(x0, part.x0), max(y0, part.y0), max(min(x1, part.x1), part.x0), max(min(y1, part.y1), part.y0))


def largest_piece(mask: U8, *, keep_share: float = 1.0) -> U8:
    """Keep the largest connected piece of a mask (H, W), and every piece at least `keep_share` of its area."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    area[0] = 0
    keep = area >= keep_share * area.max()
    keep[0] = False
    return np.where(keep[pieces], mask, np.uint8(0)).astype(np.uint8)


def fill_holes(mask: U8, *, share: float) -> U8:
    """Fill background pieces inside a 0/255 mask that are smaller than `share` of the mask's area."""
    limit = share * float(np.count_nonzero(mask))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats((mask == 0).astype(np.uint8), connectivity=4)
    if count <= 1:
        return mask
    h, w = mask.shape
    x, y = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    edge = (x == 0) | (y == 0) | (x + stats[:, cv2.CC_STAT_WIDTH] == w) | (y + stats[:, cv2.CC_STAT_HEIGHT] == h)
    fill = (stats[:, cv2.CC_STAT_AREA] < limit) & ~edge
    fill[0] = False
    return np.where(fill[pieces], np.uint8(255), mask).astype(np.uint8) if fill.any() else mask
