"""Try-on on held-out people: the worn garment put back against the photo itself, and garments of another length.

Put back: the garment is taken off its wearer by the parse map, then turned, scaled and bent by a smooth random map, its
anchors with it, so that it comes as another photo of it would; the try-on has to lay it where it was. SSIM and L1 are
taken inside the region that either method may change, the Fréchet distance over crops about that region. Baselines,
where there are any, get the same drape and the same region as our network.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.progress import track
from mojing.core.skeleton import A
from mojing.eval.leak import CASES, Case, Ceiling, outfit, summary
from mojing.eval.metrics import frechet, l1, ssim
from mojing.eval.people import read_people
from mojing.eval.products import read_small
from mojing.perception.body import BodyNet, BodyView
from mojing.perception.crops import as_input, cut, letterbox_rect
from mojing.perception.garment import GarmentView
from mojing.perception.ground_truth import garment_rows
from mojing.perception.outline import attributes
from mojing.perception.worn import take_off
from mojing.runtime import ModelStore, Session
from mojing.tryon.baselines import baseline_tryon, find_baselines, kind_of
from mojing.tryon.pattern import make_pattern
from mojing.tryon.pipeline import GarmentLook, PersonLook, TryOn

PER_CASE = 24
"""Most try-ons of one length-leak case."""


def measure_tryon(
    data: Path, ids: list[str], *, teacher: Path | None, baselines: Sequence[Path] = ()
) -> dict[str, Any]:
    """All figures of `mojing eval tryon` over the photos with these ids; `baselines` are folders of such models.

    Raises:
        InputError: bad_data, when a folder holds no baseline.
    """
    store = ModelStore()
    tryons = {"drape_only": TryOn(gan=False, strict=False)}
    if store.has("render"):
        tryons["gan"] = TryOn(strict=False)
    best = tryons.get("gan", tryons["drape_only"])
    specs = {kind_of(spec): spec for folder in baselines for spec in find_baselines(folder)}
    rivals = {kind: baseline_tryon(spec) for kind, spec in specs.items()}
    body = BodyNet(store)
    features = Features(store)
    back = _PutBack({**tryons, **rivals}, features)
    leak = _Leak(best, body, data)
    for index, person in enumerate(track(read_people(data, ids, teacher=teacher), "people", total=len(ids))):
        try:
            look = best.look(Photo(person.rgb))
        except InputError as error:
            back.skip(error.code)
            continue
        back.add(look, seed=index)
        leak.add(look)
        if person.parse is not None and person.joints is not None:
            leak.ceiling.add(person.view(), look.body)
    outside = back.outside + leak.outside
    found = {"put_back": back.result(), "length_leak": leak.result(), "changed_outside_mask": outside}
    trained = {kind: spec.extra.get("training") for kind, spec in specs.items()}
    return {**found, "training_of_baselines": trained} if trained else found


class Features:
    """Our own feature space: the `feature` output of the garment network, else its pooled body outputs."""

    def __init__(self, store: ModelStore) -> None:
        spec = store.spec("garment")
        self.own = any(t.name == "feature" for t in spec.outputs)
        self.session = Session(spec if self.own else store.spec("body"))

    def __call__(self, rgb: U8) -> F32:
        """Feature vector (D,) float32 of a picture (H, W, 3)."""
        wh = (256, 256) if self.own else (192, 256)
        out = self.session.run({"image": as_input(cut(rgb, letterbox_rect(rgb.shape[:2], wh), wh=wh, border="edge"))})
        if self.own:
            return np.asarray(out["feature"][0], np.float32).ravel()
        maps = [out[n][0].reshape(out[n].shape[1], -1) for n in ("parse", "heat")]
        return np.concatenate([np.concatenate([m.mean(axis=1), m.std(axis=1)]) for m in maps]).astype(np.float32)


def disturbed(view: GarmentView, rng: np.random.Generator) -> GarmentView:
    """The garment as another photo might show it: turned, scaled, stretched and bent, its anchors moved along."""
    x, y, w, h = cv2.boundingRect((view.alpha > 60).astype(np.uint8))
    pad = round(0.12 * max(w, h))
    side_wh = (w + 2 * pad, h + 2 * pad)
    angle, scale = np.deg2rad(rng.normal(0, 6)), float(np.exp(rng.normal(0, 0.08)))
    stretch = float(np.exp(rng.normal(0, 0.05)))
    c, s = np.cos(angle), np.sin(angle)
    linear = np.array([[c, -s], [s, c]]) @ np.diag([stretch / scale, 1 / (stretch * scale)])
    gy, gx = np.mgrid[0 : side_wh[1], 0 : side_wh[0]].astype(np.float32)
    here = np.stack([gx - side_wh[0] / 2, gy - side_wh[1] / 2], axis=-1)
    bend = rng.normal(0, 0.015 * max(w, h), (4, 4, 2)).astype(np.float32)
    bend = np.asarray(cv2.resize(bend, side_wh, interpolation=cv2.INTER_CUBIC), np.float32)
    field = (here @ linear.T.astype(np.float32) + np.array([x + w / 2, y + h / 2], np.float32) + bend).astype(
        np.float32
    )
    fx, fy = np.ascontiguousarray(field[..., 0]), np.ascontiguousarray(field[..., 1])
    rgb = np.asarray(cv2.remap(view.rgb, fx, fy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    alpha = np.asarray(cv2.remap(view.alpha, fx, fy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8)
    anchors = view.anchors.copy()
    for row in range(len(anchors)):
        away = (fx - anchors[row, 0]) ** 2 + (fy - anchors[row, 1]) ** 2
        at = int(away.argmin())
        if away.ravel()[at] > 9:
            anchors[row, 2] = 0
        anchors[row, :2] = at % side_wh[0], at // side_wh[0]
    hw = (side_wh[1], side_wh[0])
    return GarmentView(
        hw=hw,
        rgb=rgb,
        alpha=alpha,
        inner=np.zeros(hw, np.uint8),
        category=view.category,
        attributes=dict(view.attributes),
        anchors=anchors,
        confidence=view.confidence,
        worn=True,
    )


def worn_view(rgb: U8, body: BodyView) -> GarmentView | None:
    """The most visible garment of a person as a garment photo."""
    taken = take_off(body, rgb, None)
    if taken is None or taken.anchors[[A["left_hem"], A["right_hem"]], 2].max() == 0:
        return None
    none = np.zeros_like(taken.alpha)
    attrs = attributes(taken.alpha, none, anchors=taken.anchors, category=taken.category, sleeve=taken.sleeve)
    return GarmentView(
        body.hw, rgb, taken.alpha, none, taken.category, attrs, taken.anchors, taken.confidence, worn=True
    )


class _PutBack:
    """SSIM, L1 and features of each method on the same people."""

    def __init__(self, tryons: dict[str, TryOn], features: Features) -> None:
        self.tryons, self.features = tryons, features
        self.ssim: dict[str, list[float]] = {n: [] for n in tryons}
        self.l1: dict[str, list[float]] = {n: [] for n in tryons}
        self.clouds: dict[str, list[F32]] = {n: [] for n in (*tryons, "photo")}
        self.skipped: dict[str, int] = {}
        self.outside = 0

    def skip(self, why: str) -> None:
        """Count a photo that could not be used."""
        self.skipped[why] = self.skipped.get(why, 0) + 1

    def add(self, look: PersonLook, *, seed: int) -> None:
        """Take the garment off, put it back by every method, and compare with the photo."""
        rgb = look.photo.rgb
        garment = worn_view(rgb, look.body)
        if garment is None:
            return self.skip("garment")
        garment = disturbed(garment, np.random.default_rng(seed))
        seen = GarmentLook(Photo(garment.rgb), garment, make_pattern(garment))
        try:
            results = {n: t(look, seen) for n, t in self.tryons.items()}
        except InputError as error:
            return self.skip(error.code)
        changed = np.max([r.edit_mask for r in results.values()], axis=0)
        if not changed.any():
            return self.skip("nothing_changed")
        x, y, w, h = cv2.boundingRect(changed)
        window = np.s_[y : y + max(h, 11), x : x + max(w, 11)]
        for name, result in results.items():
            self.outside += int(((result.image != rgb).any(axis=2) & (result.edit_mask == 0)).sum())
            self.ssim[name].append(ssim(result.image, rgb, mask=changed))
            self.l1[name].append(l1(result.image, rgb, mask=changed))
            self.clouds[name].append(self.features(np.ascontiguousarray(result.image[window])))
        self.clouds["photo"].append(self.features(np.ascontiguousarray(rgb[window])))
        return None

    def result(self) -> dict[str, Any]:
        """Means, the gain of the GAN over drape-only with its standard error, and its margin over each baseline."""
        count = len(self.clouds["photo"])
        out: dict[str, Any] = {"people": count, "skipped": self.skipped}
        if count < 2:
            return out
        truth = np.stack(self.clouds["photo"])
        for name in self.tryons:
            out[name] = {
                "ssim": float(np.mean(self.ssim[name])),
                "l1": float(np.mean(self.l1[name])),
                "frechet": frechet(truth, np.stack(self.clouds[name])),
            }
        pairs = (("ssim", self.ssim), ("l1", self.l1)) if "gan" in self.tryons else ()
        for key, values in pairs:
            gain = np.array(values["gan"]) - np.array(values["drape_only"])
            out[f"{key}_gain"] = {"mean": float(gain.mean()), "standard_error": float(gain.std() / np.sqrt(count))}
        if len(self.tryons) > 2 and "gan" in self.tryons:
            out["margin_over"] = {name: self._margin(name, out) for name in self.tryons if name != "gan"}
        return out

    def _margin(self, name: str, out: dict[str, Any]) -> dict[str, float]:
        """By how much the GAN is better than another method, person by person; above 0 is better in every figure."""
        found: dict[str, float] = {}
        for key, values, sign in (("ssim", self.ssim, 1), ("l1", self.l1, -1)):
            gain = sign * (np.array(values["gan"]) - np.array(values[name]))
            found[key] = float(gain.mean())
            found[f"{key}_standard_error"] = float(gain.std() / np.sqrt(len(gain)))
        return {**found, "frechet": out[name]["frechet"] - out["gan"]["frechet"]}


class _Leak:
    """Length-leak cases with real garment photos of known kind."""

    def __init__(self, tryon: TryOn, body: BodyNet, data: Path) -> None:
        self.tryon, self.body = tryon, body
        self.marks: dict[str, list[bool | None]] = {case.name: [] for case in CASES}
        self.shown: dict[str, list[bool | None]] = {case.name: [] for case in CASES}
        self.refused: dict[str, int] = {}
        photos = _garments(data)
        self.held = {name: len(found) for name, found in photos.items()}
        self.garments = {name: cycle(found) for name, found in photos.items()}
        self.ceiling = Ceiling()
        self.outside = 0

    def add(self, look: PersonLook) -> None:
        """Dress a person for every case that their outfit serves."""
        worn = outfit(look.body)
        if worn is None:
            return
        for case in CASES:
            if case.wears(worn) and len(self.marks[case.name]) < PER_CASE:
                self._try(look, case)

    def _try(self, look: PersonLook, case: Case) -> None:
        path = next(self.garments[case.name], None)
        if path is None:
            return
        try:
            result = self.tryon(look, Photo(read_small(path)), category=case.category)
            seen = self.body(result.image, strict=False)
        except InputError as error:
            self.refused[error.code] = self.refused.get(error.code, 0) + 1
            return
        self.outside += int(((result.image != look.photo.rgb).any(axis=2) & (result.edit_mask == 0)).sum())
        mark = case.right(seen, look.body.joints)
        self.marks[case.name].append(mark)
        if result.status == "ok":
            self.shown[case.name].append(mark)

    def result(self) -> dict[str, Any]:
        """Shares of right results among those good enough to show, the same with the rest, what was refused, and how
        well unedited photos are read."""
        read = {name: sum(m is not None for m in found) for name, found in self.shown.items()}
        return {
            **summary(self.shown),
            "garment_photos": self.held,
            "ceiling": self.ceiling.result(read),
            "with_poor_ones": summary(self.marks),
            "refused": self.refused,
        }


def _garments(data: Path) -> dict[str, list[Path]]:
    """Garment photos of held-out senders that serve each case, by its name, adults' only."""
    there = (data / "garments" / "images.csv").is_file()
    rows = (garment_rows(data, validation=True) or garment_rows(data, validation=False)) if there else []
    usable = sorted((r.photo, r.label) for r in rows if not r.kids and r.photo.is_file())
    return {case.name: [photo for photo, label in usable if label in case.kinds] for case in CASES}
