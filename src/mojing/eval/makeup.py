"""`mojing eval makeup`: how well make-up is placed and coloured, for every group of people and every light.

On portraits: whether the face is found, how far the mesh is from the teacher's, and how far regions placed by it cover
those placed by the teacher's mesh. On faces of known albedo and light: how far rendered colours are from what physics
expects (`eval.makeupcolour`). On pairs made by our renderer: how far a transferred look is from the true one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.color import delta_e_2000, rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.progress import track
from mojing.eval.groups import Measure, Sample, Verdict, compare, interval
from mojing.eval.makeupcolour import trials
from mojing.eval.portraits import Portrait, pictures, read_portraits
from mojing.eval.transfer import CHANGED, pairs
from mojing.makeup.look import Layer, Shade
from mojing.makeup.regions import place
from mojing.makeup.render import render
from mojing.makeup.transfer import Transfer
from mojing.perception import facemesh as fm
from mojing.perception.faceview import FaceView
from mojing.runtime.store import ModelStore

Finder = Callable[[U8], FaceView]
"""What sees a face in a photo (H, W, 3); raises InputError where it sees none."""

FOUND = Measure("faces found", "%", gap=5.0, more_is_better=True)
MESH = Measure("mesh error", "% of the eyes' distance", gap=1.0)
FINE = Measure("mesh error of lips and eyes", "% of the eyes' distance", gap=1.0)
PLACED = Measure("overlap of regions", "IoU in %", gap=5.0, more_is_better=True)
KNOWN = Measure("colour error, light known", "ΔE00", gap=1.5)
COLOUR = Measure("colour error, light found", "ΔE00", gap=2.5)
TRANSFER = Measure("transfer error", "ΔE00", gap=2.0)
MEASURES: dict[str, Measure] = {
    "found": FOUND,
    "mesh": MESH,
    "lips_and_eyes": FINE,
    "regions": PLACED,
    "colour_known_light": KNOWN,
    "colour": COLOUR,
    "transfer": TRANSFER,
}
"""What is measured, with the greatest gap that is allowed between the best group and the worst."""

LOST = 50.0
"""Mesh error from which on another face was found, or none."""
_INK = (Shade.of_hex("#803040"),)
REGIONS: dict[str, Layer] = {
    "lip": Layer("lip", _INK),
    "eyeshadow": Layer("eyeshadow", _INK),
    "blush": Layer("blush", _INK),
    "brows": Layer("brows", _INK),
    "foundation": Layer("foundation", _INK),
}
_LIPS_AND_EYES: tuple[int, ...] = (*fm.LIPS_OUTER, *fm.LIPS_INNER, *fm.LEFT_EYE, *fm.RIGHT_EYE)


@dataclass
class Samples:
    """Measurements by measure's name, and how often which refusal was given."""

    by_measure: dict[str, list[Sample]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, sample: Sample) -> None:
        """Count one measurement."""
        self.by_measure.setdefault(name, []).append(sample)


def mesh_error(ours: F32, theirs: F32, *, points: Sequence[int] | None = None) -> float:
    """Mean distance of two meshes (478, 2+) in per cent of the distance of the second one's eyes."""
    rows = slice(None) if points is None else list(points)
    gap = np.linalg.norm(ours[rows, :2] - theirs[rows, :2], axis=1)
    return float(100.0 * gap.mean() / fm.inter_ocular(theirs))


def overlap(layer: Layer, ours: FaceView, *, theirs: FaceView) -> float:
    """Overlap 0..1 of what a layer covers by two meshes of one photo: sum of the lesser over sum of the greater."""
    one, two = spread(layer, ours), spread(layer, theirs)
    most = float(np.maximum(one, two).sum())
    return float(np.minimum(one, two).sum()) / most if most > 0 else 1.0


def spread(layer: Layer, face: FaceView) -> F32:
    """How thick (H, W) 0..1 a layer lies on a photo."""
    out = np.zeros(face.hw, np.float32)
    for placed in place(layer, face):
        at = placed.box.slices(face.hw)
        out[at] = np.maximum(out[at], placed.mask)
    return out


def look_at(portrait: Portrait, finder: Finder, *, into: Samples) -> None:
    """Measure one picture of one face."""

    def add(name: str, value: float) -> None:
        into.add(name, Sample(portrait.who, value, portrait.groups))

    try:
        seen = finder(portrait.rgb)
    except InputError as refusal:
        into.refused[refusal.code] = into.refused.get(refusal.code, 0) + 1
        add("found", 0.0)
        return
    off = mesh_error(seen.mesh, portrait.mesh)
    add("found", 100.0 if off < LOST else 0.0)
    if off >= LOST:
        into.refused["wrong place"] = into.refused.get("wrong place", 0) + 1
        return
    add("mesh", off)
    add("lips_and_eyes", mesh_error(seen.mesh, portrait.mesh, points=_LIPS_AND_EYES))
    # What hides the skin is seen by our network alone: both meshes are given the same, so that places are compared.
    shared = FaceView.of_mesh(seen.mesh, seen.hw)
    overlaps = [overlap(layer, shared, theirs=portrait.face) for layer in REGIONS.values()]
    add("regions", 100.0 * float(np.mean(overlaps)))


def measure_faces(portraits: Iterable[Portrait], finder: Finder) -> Samples:
    """Every portrait as taken, re-toned and in another light."""
    samples = Samples()
    for number, portrait in enumerate(portraits):
        for picture in pictures(portrait, number=number):
            look_at(picture, finder, into=samples)
    return samples


def transfer_samples(data: Path, teacher: Path, *, count: int) -> Iterator[Sample]:
    """What `count` looks taken from references are off on other faces, where the true look changes them (ΔE00)."""
    store = ModelStore()
    if not store.has("makeup"):
        return
    reader = Transfer(store)
    for pair in itertools.islice(pairs(data, teacher), count):
        made = render(pair.b.rgb, pair.b.face, look=reader.read(pair.reference, pair.a.face), layers=False).image
        bare, truth, ours = rgb_to_lab(pair.b.rgb), rgb_to_lab(pair.truth), rgb_to_lab(made)
        changed = np.linalg.norm(truth - bare, axis=2) > CHANGED
        if changed.sum() > 20:
            value = float(delta_e_2000(ours[changed], truth[changed]).mean())
            yield Sample(pair.b.who, value, {k: g for k, g in pair.b.groups.items() if k != "light"})


def verdicts(samples: Mapping[str, Sequence[Sample]]) -> dict[str, dict[str, Verdict]]:
    """Every measure by every key of groups that its samples have."""
    out: dict[str, dict[str, Verdict]] = {}
    for name, own in samples.items():
        keys = sorted({key for s in own for key in s.groups})
        out[name] = {key: compare(own, MEASURES[name], key=key) for key in keys}
    return out


def overall(samples: Sequence[Sample]) -> dict[str, Any]:
    """Mean, its interval and the number of faces of a measure."""
    mean, low, high = interval(samples)
    return {"mean": mean, "interval": [low, high], "faces": len({s.who for s in samples}), "pictures": len(samples)}


def run_makeup(
    data: Path | None = None,
    *,
    teacher: Path | None = None,
    limit: int | None = None,
    everything: bool = False,
    finder: Finder | None = None,
) -> Samples:
    """All measurements of the suite; without `data` or the teacher's meshes only those on synthetic faces.

    Raises:
        InputError: bad_data. ModelError.
    """
    samples = Samples()
    if data is not None and teacher is not None:
        portraits = list(read_portraits(data, teacher, limit=limit, everything=everything))
        samples = measure_faces(track(portraits, "faces", total=len(portraits)), finder or shipped_finder())
        looks = list(track(transfer_samples(data, teacher, count=3 * len(portraits)), "looks transferred"))
        if looks:
            samples.by_measure["transfer"] = looks
    for trial in track(trials(), "colours"):
        samples.add("colour_known_light" if trial.told else "colour", trial.sample())
    return samples


def report(samples: Samples) -> dict[str, Any]:
    """All figures as a dictionary for JSON: over all, by group, and which measures differ too much by which groups."""
    judged = verdicts(samples.by_measure)
    return {
        "suite": "makeup",
        "overall": {name: overall(own) for name, own in samples.by_measure.items()},
        "refused": samples.refused,
        "groups": {name: {k: v.as_dict() for k, v in by.items()} for name, by in judged.items()},
        "unfair": [f"{name} by {key}" for name, by in judged.items() for key, v in by.items() if v.fair is False],
    }


def shipped_finder() -> Finder:
    """The face network that is shipped."""
    from mojing.perception.face import Faces

    faces = Faces(ModelStore())
    return lambda rgb: faces(rgb)
