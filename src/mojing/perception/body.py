"""A photo of a person -> joints, parse map and alpha, by one network that looks up to four times.

The find pass sees the letterboxed photo, the next the whole person, two more torso and legs.
A pass that would show hardly more than the whole one is left out. All but the find pass look at the crop and at
its mirror image and take the mean of the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, readonly
from mojing.core.blend import guided_alpha
from mojing.core.errors import InputError
from mojing.core.geometry import Border, Box
from mojing.core.skeleton import BODY_JOINTS, J, mirror_order
from mojing.perception import decode, people
from mojing.perception.crops import Rect, as_input, border_colour, cut, letterbox_rect
from mojing.perception.labels import LABELS, mirror_labels
from mojing.perception.lower import one_garment_below
from mojing.perception.sleeves import clothe_limbs
from mojing.perception.views import ViewHead, describe
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

INPUT_WH = (192, 256)
"""Width and height of the network's input."""

CLOSER_WEIGHT = (0.7, 0.4)
"""Share of the torso and of the legs pass where the whole pass sees a pixel too: that one knows better what a garment
is that leaves the closer crop."""

FAULTS: dict[str, tuple[str, str, str]] = {
    "no_person": ("no_person", "no person was found", "use a photo of one person, upright, from head to hips or feet"),
    "only_face": ("bad_crop", "only a face is in view", "use a photo that shows at least the shoulders and the chest"),
    "back_view": ("back_view", "the person is seen from behind", "use a photo from the front"),
    "sitting": ("bad_pose", "the person is sitting", "use a photo of the person standing"),
}
"""Fault -> code, message and hint of the error it becomes."""


@dataclass(frozen=True, eq=False)
class BodyView:
    """What is known of the person in a photo.

    Attributes:
        hw: the photo's height and width in px.
        joints: (21, 3) float32 in `core.skeleton.BODY_JOINTS` order: x_px, y_px, confidence 0..1. A joint outside the
            photo keeps a low confidence and lies where the network guesses it.
        parse: (H, W) uint8 label ids, `perception.labels.LABELS`.
        alpha: (H, W) uint8 opacity of the person.
        box: the bounds of the person within the photo, in px.
        notices: sentences about what is degraded.
        fault: key of FAULTS that says why this body cannot be dressed, None when it can.
    """

    hw: tuple[int, int]
    joints: F32
    parse: U8
    alpha: U8
    box: Box
    notices: tuple[str, ...] = ()
    fault: str | None = None

    def __post_init__(self) -> None:
        assert self.joints.shape == (len(BODY_JOINTS), 3)
        assert self.parse.shape == self.hw == self.alpha.shape
        for name in ("joints", "parse", "alpha"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


@dataclass(frozen=True, eq=False)
class Pass:
    """One run of the network: what it looked at and what it said, in cells of the outputs."""

    rect: Rect
    parse: F32 = field(repr=False)
    alpha: F32 = field(repr=False)
    heat: F32 = field(repr=False)
    joints: F32 = field(repr=False)
    kinds: Mapping[str, float] = field(default_factory=dict)
    """For a find pass, the probability of each of `views.KINDS`; empty when unknown."""


@dataclass(frozen=True, eq=False)
class Looks:
    """The passes at one person; torso and legs are None where a closer look would show hardly more."""

    whole: Pass
    torso: Pass | None
    legs: Pass | None

    @property
    def closer(self) -> list[tuple[Pass, float]]:
        """The closer passes there are, each with its share where the whole pass sees a pixel too."""
        pairs = zip((self.torso, self.legs), CLOSER_WEIGHT, strict=True)
        return [(look, weight) for look, weight in pairs if look is not None]


class BodyNet:
    """The body network with its find, whole, torso and legs passes.

    The last three look at the mirror image too, unless the model's description says `"mirrored": false`.
    """

    def __init__(self, store: ModelStore, *, threads: int = 2) -> None:
        spec = store.spec("body")
        self.session = Session(spec, threads=threads)
        self.mirrored = bool(spec.extra.get("mirrored", True))
        biases = spec.extra.get("logit_bias", {})
        self.head = ViewHead.read(spec.extra)
        self.prior: Mapping[str, float] = spec.extra.get("prior", {})
        self.bias = np.array([biases.get(name, 0.0) for name in LABELS], np.float32)

    def __call__(
        self, rgb: U8, *, person: int | None = None, strict: bool = True, found: Pass | None = None
    ) -> BodyView:
        """Look at a person.

        Args:
            rgb: (H, W, 3) uint8.
            person: which of several people, counted from the left from 1; the largest by default.
            strict: refuse bodies that cannot be dressed; otherwise their `fault` is set.
            found: the find pass, when it was made already.

        Raises:
            InputError: no_person, several_people (there is none of that number) and, when strict, bad_crop, back_view,
                bad_pose.
        """
        found = self.find(rgb) if found is None else found
        told = people.fault_of(found.kinds)
        if told == "no_person" and len(self.candidates(found)) > 1:
            told = None  # the kinds of photo were told from photos of one person, mostly
        if told is not None and (strict or told == "no_person"):
            raise refuse(told)
        chosen, others, notices = self._pick(rgb, found, person)
        looks = self._closer(rgb, found, chosen=chosen, others=others)
        view = _assemble(rgb, looks, others=others, notices=notices, prior=self.prior)
        if told is not None:
            view = replace(view, fault=told)
        if strict and view.fault is not None:
            raise refuse(view.fault)
        return view

    def find(self, rgb: U8) -> Pass:
        """The find pass: the network on the letterboxed photo (H, W, 3).

        What kind of photo it is, the view head tells. For weights without one, where no nose is plainly seen, it looks
        again from further away: a face that fills the frame is like nothing the network knows, but inside a margin it
        is a head.
        """
        rect = letterbox_rect(rgb.shape[:2], INPUT_WH)
        found = self._look(rgb, rect)
        if self.head is not None:
            return replace(found, kinds=self.head(_features(found)))
        if found.joints[J["nose"], 2] >= people.PLAIN_NOSE:
            return found
        dx, dy = round(0.4 * rect.wh[0]), round(0.4 * rect.wh[1])
        wider = self._look(rgb, Rect(rect.x0 - dx, rect.y0 - dy, rect.x1 + dx, rect.y1 + dy), border=border_colour(rgb))
        close = people.close_up(wider.parse, wider.alpha, wider.joints)
        return replace(wider, kinds={"face": 1.0}) if close else found

    def describe(self, rgb: U8) -> F32:
        """Features of a photo (H, W, 3) for fitting the view head."""
        return _features(self._look(rgb, letterbox_rect(rgb.shape[:2], INPUT_WH)))

    def window(self, rgb: U8, rect: Rect) -> Pass:
        """One pass over a rectangle of a photo (H, W, 3), which may reach beyond it: the edge pixels go on."""
        return self._look(rgb, rect)

    def passes(self, rgb: U8) -> Looks:
        """The passes at the largest person.

        Raises:
            InputError: no_person.
        """
        found = self.find(rgb)
        chosen, others, _ = self._pick(rgb, found, None)
        return self._closer(rgb, found, chosen=chosen, others=others)

    def _pick(self, rgb: U8, found: Pass, person: int | None) -> tuple[people.Candidate, U8 | None, tuple[str, ...]]:
        candidates = self.candidates(found)
        if not candidates:
            raise refuse("no_person")
        chosen, notices = _choose(candidates, person)
        return chosen, _others(candidates, chosen, found.rect, rgb.shape[:2]), notices

    def candidates(self, found: Pass) -> list[people.Candidate]:
        """People of the find pass from left to right; pieces of the mask without a head or shoulders are no people."""
        alpha = decode.sigmoid(found.alpha)
        found_people = people.separate(alpha, found.heat[J["nose"]], decode.labels_of(found.parse))
        evidence = found.heat[[J[n] for n in ("nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip")]]
        evidence = np.stack([cv2.resize(m, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR) for m in evidence])
        least = people.FAINT if len(found_people) > 1 else people.SEEN
        kept = []
        for candidate in found_people:
            region = cv2.dilate(candidate.region, np.ones((5, 5), np.uint8)) > 0
            best = np.sort(evidence[:, region].max(axis=1))
            if best[-2] > least and candidate.area >= 0.004 * alpha.size:
                kept.append(candidate)
        return kept

    def _closer(self, rgb: U8, found: Pass, *, chosen: people.Candidate, others: U8 | None) -> Looks:
        rect = people.person_rect(chosen.region, found.joints, frame=found.rect, wh=INPUT_WH)
        if others is not None:
            rgb = np.where(others[..., None] > 0, np.array(border_colour(rgb), np.uint8), rgb)
        if rect.wh[1] >= 0.85 * found.rect.wh[1] and others is None:
            rect = found.rect
        whole = found if rect is found.rect and not self.mirrored else self._look(rgb, rect, mirrored=self.mirrored)
        rects = (
            people.torso_rect(whole.joints, whole=whole.rect, wh=INPUT_WH),
            people.legs_rect(whole.joints, whole=whole.rect, wh=INPUT_WH),
        )
        torso, legs = (None if r is None else self._look(rgb, r, mirrored=self.mirrored) for r in rects)
        return Looks(whole, torso, legs)

    def _look(self, rgb: U8, rect: Rect, *, border: Border = "edge", mirrored: bool = False) -> Pass:
        image = as_input(cut(rgb, rect, wh=INPUT_WH, border=border))
        out = self.session.run({"image": np.concatenate([image, image[..., ::-1]]) if mirrored else image})
        parse, alpha, heat = out["parse"], out["alpha"][:, 0], out["heat"]
        if mirrored:
            parse = (parse[:1] + parse[1:, MIRRORED_LABELS, :, ::-1]) / 2
            alpha = (alpha[:1] + alpha[1:, :, ::-1]) / 2
            heat = (heat[:1] + heat[1:, MIRRORED_JOINTS, :, ::-1]) / 2
        cells = decode.untangle(decode.peaks(heat[0]), heat[0], MIRROR_PAIRS)
        joints = decode.to_photo(cells, heat.shape[2:], rect)
        return Pass(rect, parse[0] + self.bias[:, None, None], alpha[0], heat[0], joints)


MIRRORED_JOINTS = mirror_order(BODY_JOINTS)
MIRRORED_LABELS = mirror_labels()
MIRROR_PAIRS = [(i, j) for i, j in enumerate(MIRRORED_JOINTS) if i < j and i >= J["left_shoulder"]]
"""Rows of mirror joints below the head; eyes and ears may lie on one another in profile."""


def refuse(fault: str) -> InputError:
    """The error for one of FAULTS."""
    code, message, hint = FAULTS[fault]
    return InputError(code, message, hint=hint)


def _features(found: Pass) -> F32:
    return describe(found.parse, found.alpha, found.joints, side=float(max(found.rect.wh)))


def _choose(candidates: list[people.Candidate], person: int | None) -> tuple[people.Candidate, tuple[str, ...]]:
    if person is not None:
        if not 1 <= person <= len(candidates):
            hint = f"people are counted from the left: 1 to {len(candidates)}"
            raise InputError("several_people", f"there is no person {person} in the photo", hint=hint)
        return candidates[person - 1], ()
    largest = max(candidates, key=lambda c: c.area)
    if len(candidates) == 1:
        return largest, ()
    number = candidates.index(largest) + 1
    told = f"{len(candidates)} people found: number {number} from the left, the largest, is used"
    return largest, (f"{told}; --person N (person=N) picks another",)


def _others(
    candidates: list[people.Candidate], chosen: people.Candidate, frame: Rect, hw: tuple[int, int]
) -> U8 | None:
    """Mask (H, W) 0/1 of everybody else, for blanking them; None when there is nobody else."""
    rest = [c.region for c in candidates if c is not chosen]
    if not rest:
        return None
    blocked = cv2.dilate(np.max(rest, axis=0), np.ones((3, 3), np.uint8))
    blocked[cv2.dilate(chosen.region, np.ones((3, 3), np.uint8)) > 0] = 0
    large = cv2.resize(blocked, frame.wh, interpolation=cv2.INTER_NEAREST)
    inner = frame.inside(hw).moved(-frame.x0, -frame.y0)
    return np.ascontiguousarray(large[inner.y0 : inner.y1, inner.x0 : inner.x1])


def merged_joints(looks: Looks) -> F32:
    """Joints of all passes; a closer look wins where it sees a joint at least nearly as surely."""
    joints = looks.whole.joints.copy()
    for look, lead in ((looks.torso, TORSO_LEAD), (looks.legs, LEGS_LEAD)):
        if look is None:
            continue
        w, h = look.rect.wh
        close = look.joints
        inside = (
            (close[:, 0] > look.rect.x0 + 0.02 * w)
            & (close[:, 0] < look.rect.x1 - 0.02 * w)
            & (close[:, 1] > look.rect.y0 + 0.02 * h)
            & (close[:, 1] < look.rect.y1 - 0.02 * h)
        )
        better = inside & (close[:, 2] > lead * looks.whole.joints[:, 2])
        joints[better] = close[better]
    return joints


def _lead(own: Mapping[str, float], *, other: float) -> F32:
    return np.array([own.get(n.split("_")[-1], other) for n in BODY_JOINTS], np.float32)


TORSO_LEAD = _lead({"hip": 1.3, "knee": 9.0, "ankle": 9.0, "toe": 9.0}, other=0.8)
"""How many times as sure as the whole pass the torso pass must be of a joint; hips lie too near its lower edge."""
LEGS_LEAD = _lead({"knee": 0.8, "ankle": 0.8, "toe": 0.8}, other=9.0)
"""The same for the legs pass, which sees no more than the hips' level of the trunk."""


def _assemble(
    rgb: U8, looks: Looks, *, others: U8 | None, notices: tuple[str, ...], prior: Mapping[str, float]
) -> BodyView:
    hw = (rgb.shape[0], rgb.shape[1])
    canvas_rect = looks.whole.rect
    scale = min(1.0, decode.CANVAS / canvas_rect.wh[1])
    canvas_wh = (max(round(canvas_rect.wh[0] * scale), 8), max(round(canvas_rect.wh[1] * scale), 8))
    present = _present(looks)
    canvas = enlarged_logits(looks, wh=canvas_wh, present=present)
    joints = merged_joints(looks)
    placed = on_map(joints, canvas_rect, canvas_wh)
    person = decode.sigmoid(canvas[-1])
    labels = decode.only_person(decode.drop_specks(present[decode.labels_of(canvas[:-1])]), person)
    labels = decode.without_gaps(labels, person)
    labels = one_garment_below(labels, canvas[:-1], placed, present=present, prior=prior)
    labels = decode.nearest_sides(labels, placed)
    labels = clothe_limbs(labels, cut(rgb, canvas_rect, wh=canvas_wh, border="edge"))
    fault = people.refusal(joints, labels, hw)
    inner = canvas_rect.inside(hw)
    parse, alpha = _to_photo(rgb, labels, person, rect=canvas_rect)
    if others is not None:
        parse[others > 0], alpha[others > 0] = 0, 0
    x, y, w, h = cv2.boundingRect((alpha[inner.y0 : inner.y1, inner.x0 : inner.x1] > 127).astype(np.uint8))
    box = Box(float(inner.x0 + x), float(inner.y0 + y), float(inner.x0 + x + w), float(inner.y0 + y + h))
    return BodyView(hw=hw, joints=joints, parse=parse, alpha=alpha, box=box, notices=notices, fault=fault)


def enlarged_logits(looks: Looks, *, wh: tuple[int, int], present: U8 | None = None) -> F32:
    """Logits of all passes over the whole pass's rectangle, (C + 1, H, W): the labels `present` (all by default), then
    alpha."""
    chosen = np.arange(len(LABELS), dtype=np.uint8) if present is None else present
    canvas = decode.upsample(np.concatenate([looks.whole.parse[chosen], looks.whole.alpha[None]]), wh)
    for look, weight in looks.closer:
        _add_closer(canvas, looks.whole.rect, look, present=chosen, share=weight)
    return canvas


def _present(looks: Looks) -> U8:
    """Labels that are the largest somewhere in any pass: the others need not be enlarged. Background always is."""
    passes = [looks.whole, *(look for look, _ in looks.closer)]
    count = np.sum([np.bincount(decode.labels_of(p.parse).ravel(), minlength=len(LABELS)) for p in passes], axis=0)
    count[0] += 1
    return np.flatnonzero(count).astype(np.uint8)


def on_map(joints: F32, rect: Rect, wh: tuple[int, int]) -> F32:
    """Joints (21, 3) in px of the photo -> in px of a map of size `wh` that covers `rect`."""
    scale = np.array([wh[0] / rect.wh[0], wh[1] / rect.wh[1], 1.0], np.float32)
    return (joints - np.array([rect.x0, rect.y0, 0], np.float32)) * scale


def _add_closer(canvas: F32, rect: Rect, look: Pass, *, present: U8, share: float) -> None:
    """Blend a closer pass into canvas logits (C + 1, H, W) of the labels `present` and alpha that cover `rect`."""
    h, w = canvas.shape[1:]
    sx, sy = w / rect.wh[0], h / rect.wh[1]
    at = Rect(
        round((look.rect.x0 - rect.x0) * sx),
        round((look.rect.y0 - rect.y0) * sy),
        round((look.rect.x1 - rect.x0) * sx),
        round((look.rect.y1 - rect.y0) * sy),
    )
    seen = at.inside((h, w))
    open_sides = (at.x0 <= 0, at.y0 <= 0, at.x1 >= w, at.y1 >= h)
    weight = decode.soft_window(at.wh, open_sides=open_sides) * np.float32(share)
    detail = decode.upsample(np.concatenate([look.parse[present], look.alpha[None]]), at.wh)
    part = seen.moved(-at.x0, -at.y0)
    window = np.s_[part.y0 : part.y1, part.x0 : part.x1]
    decode.merge(canvas, detail[(slice(None), *window)], at=seen, weight=weight[window])


def _to_photo(rgb: U8, labels: U8, alpha: F32, *, rect: Rect) -> tuple[U8, U8]:
    """Parse and alpha at the photo's size from maps that cover `rect`; alpha follows the photo's edges.

    The guided filter works at the network's own resolution, above which alpha holds nothing that the photo does not
    know better.
    """
    hw = rgb.shape[:2]
    inner = rect.inside(hw)
    local = inner.moved(-rect.x0, -rect.y0)
    parse, opacity = np.zeros(hw, np.uint8), np.zeros(hw, np.uint8)
    parse[inner.y0 : inner.y1, inner.x0 : inner.x1] = decode.resize_labels(labels, rect.wh, part=local)
    alpha = _own_alpha(alpha, labels)
    rows, cols = alpha.shape
    sx, sy = cols / rect.wh[0], rows / rect.wh[1]
    low = alpha[round(local.y0 * sy) : round(local.y1 * sy), round(local.x0 * sx) : round(local.x1 * sx)]
    guide = rgb[inner.y0 : inner.y1, inner.x0 : inner.x1]
    opacity[inner.y0 : inner.y1, inner.x0 : inner.x1] = guided_alpha(np.ascontiguousarray(low), guide)
    return parse, opacity


def _own_alpha(alpha: F32, labels: U8) -> F32:
    """Alpha at half the canvas, zero away from the person's labels: a passer-by fades out."""
    h, w = alpha.shape
    wh = (max(w // 2, 4), max(h // 2, 4))
    small = np.asarray(cv2.resize(alpha, wh, interpolation=cv2.INTER_AREA), np.float32)
    own = np.asarray(cv2.resize((labels > 0).astype(np.uint8), wh, interpolation=cv2.INTER_NEAREST), np.uint8)
    reach = max(round(0.03 * h), 3)
    small[cv2.dilate(own, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) == 0] = 0
    return small
