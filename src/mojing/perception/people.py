"""Who is in the photo: separate people in the find pass, the crops to look at, and bodies we must refuse.

All thresholds on poses were set on the teacher's joints of 1,938 standing people (the least upright of whom has a
thigh of 0.58 torso lengths and shoulders 0.09 torso lengths apart) and of 140 back views.
"""

from __future__ import annotations

from collections.abc import Mapping
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

FAINT = 0.15
"""The same of somebody beside others, of whom the network, which learned from single people, sees joints faintly."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One person of the find pass: region (h, w) uint8 0/1 in cells of the dense map, and its area in cells."""

    region: U8
    area: int


def separate(alpha: F32, nose: F32, labels: U8) -> list[Candidate]:
    """People of a find pass, from left to right.

    The network is taught on single people; between two of them its mask is a muddle, but their heads are plain. With
    several heads, each takes the mask on its side of the halfway lines between them; otherwise people are the connected
    pieces of the mask. Whoever is below an eighth of the largest is a passer-by.

    Args:
        alpha: (h, w) person probability.
        nose: (h / 2, w / 2) heat map of the nose.
        labels: (h, w) label ids.
    """
    mask = (alpha > 0.5).astype(np.uint8)
    heads = _heads(nose, labels)
    if len(heads) > 1:
        cuts = [0, *((a + b) // 2 for a, b in pairwise(heads)), mask.shape[1]]
        parts = [_columns(mask, x0, x1) for x0, x1 in pairwise(cuts)]
    else:
        count, pieces, _, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        parts = [(pieces == index).astype(np.uint8) for index in range(1, count)]
    found = [Candidate(part, int(part.sum())) for part in parts if part.any()]
    largest = max((c.area for c in found), default=0)
    found = [c for c in found if c.area >= max(largest / 8, 12)]
    return sorted(found, key=lambda c: float(np.nonzero(c.region)[1].mean()))


def _heads(nose: F32, labels: U8) -> list[int]:
    """Columns, in cells of the dense map, of peaks of the nose's map about which there is a face, hair, hat or glasses.

    One connected head counts once, at its highest peak; so do peaks less than 0.06 of the map's height apart sideways.
    """
    solid = np.isin(labels, [L[n] for n in ("face", "hair", "hat", "glasses")]).astype(np.uint8)
    _, pieces = cv2.connectedComponents(solid, connectivity=8)
    head = np.asarray(cv2.blur(solid.astype(np.float32), (7, 7)), np.float32)
    top = cv2.dilate(nose, np.ones((5, 5), np.uint8))
    ys, xs = np.nonzero((nose >= top) & (nose > max(0.3, 0.5 * float(nose.max()))))
    best: dict[int, tuple[float, int]] = {}
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if head[y * 2, x * 2] > 0.4:
            near = pieces[max(y * 2 - 3, 0) : y * 2 + 4, max(x * 2 - 3, 0) : x * 2 + 4]
            piece = int(near[near > 0].max(initial=0))
            best[piece] = max(best.get(piece, (0.0, 0)), (float(nose[y, x]), x * 2))
    found = sorted(x for _, x in best.values())
    apart = 0.06 * labels.shape[0]
    return [x for i, x in enumerate(found) if i == 0 or x - found[i - 1] > apart]


def _columns(mask: U8, x0: int, x1: int) -> U8:
    part = np.zeros_like(mask)
    part[:, x0:x1] = mask[:, x0:x1]
    return part


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


def legs_rect(joints: F32, *, whole: Rect, wh: tuple[int, int]) -> Rect | None:
    """Crop from the waist to the toes; None without knees and ankles, or where it would be hardly closer."""
    length = torso(joints)
    rows = [J[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "toe") for side in ("left", "right")]
    seen = joints[rows]
    seen = seen[seen[:, 2] > SEEN]
    if length is None or len(seen) < 6:
        return None
    x0, y0 = seen[:, :2].min(axis=0)
    x1, y1 = seen[:, :2].max(axis=0)
    top, low = float(y0) - 0.35 * length, float(y1) + 0.15 * length
    rect = around((float(x0 + x1) / 2, (top + low) / 2), (float(x1 - x0) + 0.6 * length, low - top), wh)
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


def fault_of(kinds: Mapping[str, float]) -> str | None:
    """The fault that the kinds of a find pass tell: nobody, a face only, or a back view.

    On people from the front the probability of `none` stays below 0.23 and that of `back` and `face` below 0.42 in 99
    of 100 photos; heads in profile come closest to a back view.
    """
    nobody, face = kinds.get("none", 0.0), kinds.get("face", 0.0)
    if nobody > 0.7:
        return "no_person"
    if face > 0.45:
        return "only_face"
    if nobody + face > 0.8:
        return "no_person" if nobody > face else "only_face"
    return "back_view" if kinds.get("back", 0.0) > 0.7 else None


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
