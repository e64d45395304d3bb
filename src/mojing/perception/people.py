"""Who is in the photo: separate people in the find pass, the crops to look at, and bodies we must refuse.

All thresholds on poses were set on the teacher's joints of 1,938 standing people (the least upright of whom has a
thigh of 0.58 torso lengths and shoulders 0.09 torso lengths apart) and of 140 back views.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.skeleton import J
from mojing.perception.crops import Rect, around
from mojing.perception.labels import L

PLAIN_NOSE = 0.6
"""Confidence of the nose from which no second look from further away is needed."""

SEEN = 0.25
"""Confidence from which a joint counts as seen."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One person of the find pass: region (h, w) uint8 0/1 in cells of the dense map, and its area in cells."""

    region: U8
    area: int


def separate(alpha: F32, nose: F32) -> list[Candidate]:
    """People of a find pass, from left to right.

    A connected piece of the mask with several heads (nose peaks) is cut halfway between them; pieces below an eighth of
    the largest are passers-by or noise.

    Args:
        alpha: (h, w) person probability.
        nose: (h / 2, w / 2) heat map of the nose.
    """
    mask = (alpha > 0.5).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 1:
        return []
    heads = _heads(nose)
    found: list[Candidate] = []
    for index in range(1, count):
        region = (pieces == index).astype(np.uint8)
        own = [x for x, y in heads if cv2.dilate(region, np.ones((5, 5), np.uint8))[y, x]]
        for part in _split(region, sorted(own), float(stats[index, cv2.CC_STAT_HEIGHT])):
            found.append(Candidate(part, int(part.sum())))
    largest = max(c.area for c in found)
    found = [c for c in found if c.area >= max(largest / 8, 12)]
    return sorted(found, key=lambda c: float(np.nonzero(c.region)[1].mean()))


def _heads(nose: F32) -> list[tuple[int, int]]:
    top = cv2.dilate(nose, np.ones((5, 5), np.uint8))
    ys, xs = np.nonzero((nose >= top) & (nose > max(0.3, 0.5 * float(nose.max()))))
    return [(int(x) * 2, int(y) * 2) for x, y in zip(xs, ys, strict=True)]


def _split(region: U8, heads: list[int], height: float) -> list[U8]:
    apart = [h for i, h in enumerate(heads) if i == 0 or h - heads[i - 1] > 0.12 * height]
    if len(apart) < 2:
        return [region]
    cuts = [0, *((a + b) // 2 for a, b in pairwise(apart)), region.shape[1]]
    parts = []
    for x0, x1 in pairwise(cuts):
        part = np.zeros_like(region)
        part[:, x0:x1] = region[:, x0:x1]
        parts.append(part)
    return [p for p in parts if p.any()]


def person_rect(region: U8, joints: F32, *, frame: Rect, wh: tuple[int, int]) -> Rect:
    """Crop for the whole person: the region's and its seen joints' bounds with a margin of 6 % of their height.

    Args:
        region: (h, w) uint8 0/1 cells of a map that covers `frame`.
        joints: (21, 3) in px of the photo.
        frame: what the find pass looked at.
        wh: size of the network's input.
    """
    x, y, w, h = cv2.boundingRect(region)
    sx, sy = frame.wh[0] / region.shape[1], frame.wh[1] / region.shape[0]
    box = np.array([x * sx + frame.x0, y * sy + frame.y0, (x + w) * sx + frame.x0, (y + h) * sy + frame.y0])
    near = 0.1 * (box[3] - box[1])
    pts = joints[joints[:, 2] > SEEN, :2]
    pts = pts[((pts > box[:2] - near) & (pts < box[2:] + near)).all(axis=1)]
    if len(pts):
        box[:2], box[2:] = np.minimum(box[:2], pts.min(axis=0)), np.maximum(box[2:], pts.max(axis=0))
    margin = 0.06 * (box[3] - box[1])
    size = (float(box[2] - box[0] + 2 * margin), float(box[3] - box[1] + 2 * margin))
    return around((float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2), size, wh)


def torso_rect(joints: F32, *, whole: Rect, wh: tuple[int, int]) -> Rect | None:
    """Crop from above the head to below the hips with both arms; None when it would be hardly closer than `whole`."""
    length = torso(joints)
    if length is None:
        return None
    names = ("nose", "shoulder", "elbow", "wrist", "hand", "hip", "ear")
    rows = [i for n, i in J.items() if n.split("_")[-1] in names]
    seen = joints[rows]
    seen = seen[seen[:, 2] > SEEN]
    head = joints[J["nose"]]
    top = float(head[1] - 0.65 * length) if head[2] > SEEN else float(seen[:, 1].min() - 0.3 * length)
    hips = joints[[J["left_hip"], J["right_hip"]], 1]
    low = float(max(hips.max() + 0.3 * length, seen[:, 1].max() + 0.1 * length))
    left, right = float(seen[:, 0].min() - 0.25 * length), float(seen[:, 0].max() + 0.25 * length)
    rect = around(((left + right) / 2, (top + low) / 2), (right - left, low - top), wh)
    return rect if rect.wh[1] < 0.8 * whole.wh[1] else None


def torso(joints: F32) -> float | None:
    """Length in px from shoulders to hips, from the shoulders' width where hips are unseen; None without shoulders."""
    shoulders = joints[[J["left_shoulder"], J["right_shoulder"]]]
    hips = joints[[J["left_hip"], J["right_hip"]]]
    if shoulders[:, 2].max() < SEEN:
        return None
    if hips[:, 2].max() >= SEEN:
        seen_s, seen_h = shoulders[shoulders[:, 2] >= SEEN], hips[hips[:, 2] >= SEEN]
        length = float(np.linalg.norm(seen_s[:, :2].mean(axis=0) - seen_h[:, :2].mean(axis=0)))
    else:
        length = 1.5 * float(np.linalg.norm(shoulders[0, :2] - shoulders[1, :2]))
    return length if length > 4 else None


def close_up(parse: F32, alpha: F32, joints: F32) -> bool:
    """Whether a find pass from further away shows a head and little else, from its logits and joints (21, 3)."""
    person = alpha > 0
    if not person.any():
        return False
    labels = parse.argmax(axis=0)[person]
    face = float((labels == L["face"]).mean())
    hips = float(joints[[J["left_hip"], J["right_hip"]], 2].mean())
    elbows = float(joints[[J["left_elbow"], J["right_elbow"]], 2].mean())
    return face > 0.1 and hips < 0.25 and elbows < 0.35 and joints[J["nose"], 2] > 0.4


def refusal(joints: F32, parse: U8, hw: tuple[int, int]) -> str | None:
    """Why this body cannot be dressed (`only_face`, `back_view`, `sitting`), or None.

    Args:
        joints: (21, 3) x_px, y_px, confidence.
        parse: (H, W) label ids of the photo or of a shrunken copy of it.
        hw: the photo's size.
    """
    length = torso(joints)
    shoulders = joints[[J["left_shoulder"], J["right_shoulder"]]]
    if length is None or shoulders[:, 2].min() < 0.5 * SEEN:
        return "only_face"
    width = float(np.linalg.norm(shoulders[0, :2] - shoulders[1, :2]))
    hips = joints[[J["left_hip"], J["right_hip"]]]
    if hips[:, 2].max() < SEEN and hw[0] - float(shoulders[:, 1].mean()) < 0.55 * width:
        return "only_face"
    faced = int(np.count_nonzero(parse == L["face"])) / max(int(np.count_nonzero(parse)), 1)
    if shoulders[0, 0] - shoulders[1, 0] < -0.15 * length and faced < 0.012:
        return "back_view"
    return "sitting" if _sits(joints, length, hw) else None


def _sits(joints: F32, length: float, hw: tuple[int, int]) -> bool:
    """Both thighs fall less than 0.45 torso lengths although both knees are plainly seen inside the photo."""
    drops = []
    for side in ("left", "right"):
        hip, knee = joints[J[f"{side}_hip"]], joints[J[f"{side}_knee"]]
        if min(hip[2], knee[2]) < SEEN or not (0 <= knee[0] < hw[1] and 0 <= knee[1] < 0.97 * hw[0]):
            return False
        drops.append(float(knee[1] - hip[1]) / length)
    return max(drops) < 0.45
