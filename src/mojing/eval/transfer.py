"""Make-up transfer and removal on held-out faces: ours, what others do, and doing nothing.

A random look is painted on face A, which is the reference, and on face B, which is the truth. Every method is given A
made up and B bare. Some of the faces have darker skin than their photo's, so that what is taken over must be product
and not skin.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray
from mojing.core.color import delta_e_2000, linear_to_srgb, rgb_to_lab
from mojing.core.errors import ModelError
from mojing.core.geometry import Box
from mojing.core.image import save
from mojing.core.progress import track
from mojing.eval.portraits import Portrait, pictures, read_portraits
from mojing.makeup.histogram import REGIONS, match, regions
from mojing.makeup.look import Layer, Look
from mojing.makeup.reading import READ
from mojing.makeup.render import render
from mojing.makeup.sample import random_look
from mojing.makeup.transfer import Transfer
from mojing.makeup.uv import unwrap, wrap
from mojing.perception.face import Faces
from mojing.perception.faceview import FaceView
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

SEEN: Final = 6.0
"""Levels of 255 by which a layer must change the reference where it changes it most, to be asked for."""

CHANGED: Final = 2.0
"""ΔE76 by which a pixel must change to belong to what a look changes."""

Method = Callable[["Pair"], U8]


@dataclass(frozen=True, eq=False)
class Pair:
    """Reference A bare and made up, target B bare, and the truth: B with the same look."""

    look: Look
    a: Portrait
    b: Portrait
    reference: U8
    truth: U8
    seen: Mapping[str, float]


class Repaint:
    """The picture-to-picture baseline that `mojing train makeup --net repaint` leaves in RUN/export."""

    def __init__(self, store: ModelStore, *, threads: int = 2) -> None:
        self.session = Session(store.spec("makeup-repaint"), threads=threads)

    def __call__(self, pair: Pair) -> U8:
        """B repainted; the change is brought back to the photo's own resolution, which is kind to the baseline."""
        fed = [np.dstack(unwrap(rgb, p.mesh)) for rgb, p in ((pair.b.rgb, pair.b), (pair.reference, pair.a))]
        made = self.session.run({"faces": np.concatenate(fed, axis=2).transpose(2, 0, 1)[None]})["made"][0]
        change = np.asarray(made, np.float32).transpose(1, 2, 0) - fed[0][..., :3]
        box = _whole(pair.b.face)
        moved, cover = wrap(np.ascontiguousarray(change), pair.b.mesh, box=box)
        rows, cols = box.slices(pair.b.rgb.shape[:2])
        out = pair.b.rgb.copy()
        crop = out[rows, cols].astype(np.float32) + 255.0 * moved * cover[..., None]
        out[rows, cols] = np.clip(np.rint(crop), 0, 255).astype(np.uint8)
        return out


class Layers:
    """Another network of ours, for instance one trained as long as the baseline."""

    def __init__(self, store: ModelStore) -> None:
        self.transfer = Transfer(store)

    def __call__(self, pair: Pair) -> U8:
        """B in the look that is read off A."""
        look = self.transfer.read(pair.reference, pair.a.face)
        return render(pair.b.rgb, pair.b.face, look=look, layers=False).image


def rival(folder: Path) -> tuple[str, Method, Any]:
    """What a folder holds to be compared with ours: its name, the method, and what its card says of its training.

    Raises:
        ModelError: model_missing.
    """
    store = ModelStore(folder)
    for name, kind, method in (("repaint", "makeup-repaint", Repaint), ("ours-equal", "makeup", Layers)):
        if store.has(kind):
            return name, method(store), store.spec(kind).extra.get("training")
    raise ModelError("model_missing", f"there is no makeup-repaint.onnx nor makeup.onnx in {folder}", "give RUN/export")


def run_transfer(
    data: Path, *, teacher: Path, limit: int = 100, baselines: Sequence[Path] = (), sheet: Path | None = None
) -> dict[str, Any]:
    """Figures of `limit` pairs of held-out faces by method; `baselines` are folders for `rival`."""
    store = ModelStore()
    transfer = Transfer(store)
    faces = Faces(store) if store.has("face") else None
    methods: dict[str, Method] = {
        "nothing": lambda pair: pair.b.rgb,
        "reinhard": lambda pair: _matched(pair, "reinhard"),
        "histogram": lambda pair: _matched(pair, "histogram"),
    }
    training = {"ours": store.spec("makeup").extra.get("training")}
    for folder in baselines:
        name, method, took = rival(folder)
        methods[name], training[name] = method, took
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    reading = Reading()
    rows: list[U8] = []
    for pair in track(list(itertools.islice(pairs(data, teacher), limit)), "pairs transferred"):
        found = transfer.read(pair.reference, pair.a.face)
        reading.add(pair, found)
        made = render(pair.b.rgb, pair.b.face, look=found)
        results = {name: method(pair) for name, method in methods.items()} | {"ours": made.image}
        areas = areas_of(pair)
        for name, image in results.items():
            judge(image, pair, areas, into=figures[name])
            if faces is not None:
                figures[name]["landmark_shift"] += landmark_shift(image, pair, faces)
        if faces is not None:
            figures["truth"]["landmark_shift"] += landmark_shift(pair.truth, pair, faces)
        outside = made.image[made.mask == 0].astype(int) - pair.b.rgb[made.mask == 0]
        figures["ours"]["outside_layers_max"].append(float(np.abs(outside).max(initial=0)))
        _judge_removal(pair, transfer, into=figures)
        if sheet is not None and len(rows) < 30:
            rows.append(_row([pair.a.rgb, pair.reference, pair.b.rgb, *results.values(), pair.truth], pair))
    if sheet is not None and rows:
        save(sheet, np.concatenate(rows))
    means = {n: {k: _mean(v) for k, v in sorted(f.items())} for n, f in figures.items()}
    return {
        "pairs": reading.pairs,
        "transfer": means,
        "training": training,
        "reading": reading.figures(),
        "sheet": ["A", "reference", "B", *methods, "ours", "truth"],
    }


def pairs(data: Path, teacher: Path, *, seed: int = 7) -> Any:
    """Pairs without end, the same every time: every face is A and B in turn, one in three of them re-toned."""
    rng = np.random.default_rng(seed)
    known = list(read_portraits(data, teacher))
    chosen = [_variant(portrait, i) for i, portrait in enumerate(known)]
    while True:
        order = rng.permutation(len(chosen))
        for i, j in zip(order, np.roll(order, 1), strict=True):
            yield pair_of(random_look(rng), chosen[i], chosen[j])


def _variant(portrait: Portrait, number: int) -> Portrait:
    if number % 3:
        return portrait
    darker = [
        p for p in itertools.islice(pictures(portrait, number=number), 3) if p.retoned and p.light == portrait.light
    ]
    return darker[0] if darker else portrait


def pair_of(look: Look, a: Portrait, b: Portrait) -> Pair:
    """The look on both faces, and by how many levels each kind changes A where it changes it most."""
    made = render(a.rgb, a.face, look=look)
    now, seen = a.rgb.astype(np.float32), dict[str, float]()
    for part in made.layers:
        rows, cols = part.box.slices(a.rgb.shape[:2])
        alpha = part.rgba[..., 3:].astype(np.float32) / np.float32(255.0)
        change = alpha * (part.rgba[..., :3] - now[rows, cols])
        now[rows, cols] += change
        seen[part.layer.kind] = max(seen.get(part.layer.kind, 0.0), _strongest(change, a.face))
    truth = render(b.rgb, b.face, look=look, layers=False).image
    return Pair(look, a, b, made.image, truth, seen)


def _strongest(change: F32, face: FaceView) -> float:
    gap = np.abs(change).mean(axis=2).ravel()
    if not gap.size:
        return 0.0
    most = min(max(round(face.box.area / 250), 60), gap.size)
    return float(np.partition(gap, gap.size - most)[-most:].mean())


def _matched(pair: Pair, method: Any) -> U8:
    return match(pair.b.rgb, pair.b.face, reference=pair.reference, reference_face=pair.a.face, method=method)


# -- pictures --------------------------------------------------------------------------------------------------


def _whole(face: FaceView) -> Box:
    rows, cols = face.box.pad(0.06).slices(face.hw)
    return Box(cols.start, rows.start, cols.stop, rows.stop)


def areas_of(pair: Pair) -> dict[str, AnyArray]:
    """Pixels of B's crop by area: `REGIONS`, what the look changes, and what it leaves as it is."""
    box = _whole(pair.b.face)
    masks, cover = wrap(np.ascontiguousarray(regions().transpose(1, 2, 0)), pair.b.mesh, box=box)
    rows, cols = box.slices(pair.b.rgb.shape[:2])
    gap = _lab(pair.truth[rows, cols]) - _lab(pair.b.rgb[rows, cols])
    changed = np.sqrt(np.square(gap).sum(axis=2)) > CHANGED
    same = (pair.truth[rows, cols] == pair.b.rgb[rows, cols]).all(axis=2)
    found = {name: masks[..., i] * cover > 0.5 for i, name in enumerate(REGIONS)}
    return found | {"changed": changed, "unchanged": same & (cover > 0.5)}


def judge(image: U8, pair: Pair, areas: Mapping[str, AnyArray], *, into: dict[str, list[float]]) -> None:
    """Colour differences from the truth by area, and what happens to pixels that the look leaves as they are."""
    rows, cols = _whole(pair.b.face).slices(pair.b.rgb.shape[:2])
    gap = delta_e_2000(_lab(image[rows, cols]), _lab(pair.truth[rows, cols]))
    for name, on in areas.items():
        if on.sum() > 20:
            into[f"de00_{name}"].append(float(gap[on].mean()))
    outside = np.ones(pair.b.rgb.shape[:2], bool)
    outside[rows, cols] = False
    into["outside_face_max"].append(float(np.abs(image.astype(int) - pair.b.rgb)[outside].max(initial=0)))


def landmark_shift(image: U8, pair: Pair, faces: Faces) -> list[float]:
    """How far our face network sees B's points moved, as a mean in per cent of the eyes' distance; none if not seen."""
    was, now = (faces.follow(rgb, pair.b.face) for rgb in (pair.b.rgb, image))
    if was is None or now is None:
        return []
    moved = np.linalg.norm(now.mesh[:, :2] - was.mesh[:, :2], axis=1).mean()
    return [100.0 * float(moved) / max(was.inter_ocular, 1.0)]


def _judge_removal(pair: Pair, transfer: Transfer, *, into: dict[str, dict[str, list[float]]]) -> None:
    """Bare A estimated from the reference, against A itself where the look changed it; grain = spread of detail."""
    bare = render(pair.reference, pair.a.face, look=transfer.bare(pair.reference, pair.a.face), layers=False).image
    rows, cols = _whole(pair.a.face).slices(pair.a.rgb.shape[:2])
    true, worn, made = (x[rows, cols] for x in (pair.a.rgb, pair.reference, bare))
    on = np.sqrt(np.square(_lab(true) - _lab(worn)).sum(axis=2)) > CHANGED
    if on.sum() > 20:
        for name, image in (("nothing", worn), ("ours", made)):
            into[name]["removal_de00"].append(float(delta_e_2000(_lab(image), _lab(true))[on].mean()))
            into[name]["removal_grain"].append(_grain(image, on) / max(_grain(true, on), 1e-6))
    off = ~on
    into["ours"]["removal_de00_elsewhere"].append(float(delta_e_2000(_lab(made), _lab(true))[off].mean()))


def _grain(image: U8, on: AnyArray) -> float:
    grey = image.astype(np.float32).mean(axis=2)
    return float((grey - cv2.GaussianBlur(grey, (0, 0), 1.2))[on].std())


def _lab(image: U8) -> F64:
    return rgb_to_lab(image)


def _row(images: list[U8], pair: Pair) -> U8:
    """Crops of A's and B's faces side by side, 200 px high."""
    cells = []
    for k, image in enumerate(images):
        rows, cols = (pair.a if k < 2 else pair.b).face.box.pad(0.12).slices(image.shape[:2])
        cells.append(cv2.resize(image[rows, cols], (168, 200), interpolation=cv2.INTER_AREA))
    return np.concatenate(cells, axis=1)


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4)


# -- what was read ---------------------------------------------------------------------------------------------


class Reading:
    """Collects how well looks were read."""

    def __init__(self) -> None:
        self.pairs = 0
        self.counts = {kind: [0, 0, 0] for kind in READ}
        self.errors: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.colours: dict[str, list[F64]] = defaultdict(list)

    def add(self, pair: Pair, found: Look) -> None:
        """Count one look that was read against the one that was put on; what cannot be seen is not asked for."""
        self.pairs += 1
        for kind in READ:
            true, said = (_layer(look, kind) for look in (pair.look, found))
            visible = true is not None and pair.seen.get(kind, 0.0) >= SEEN
            if true is not None and not visible:
                continue
            hit, false, missed = self.counts[kind]
            both = true is not None and said is not None
            self.counts[kind] = [
                hit + both,
                false + (true is None and said is not None),
                missed + (said is None and visible),
            ]
            if true is not None and true.shades:
                self.colours[kind].append(_shade(true))
            if true is not None and said is not None:
                self._compare(kind, true, said)

    def _compare(self, kind: str, true: Layer, said: Layer) -> None:
        into = self.errors[kind]
        if true.shades and said.shades:
            into["colour_de00"].append(float(delta_e_2000(_shade(said), _shade(true))))
        into["coverage_error"].append(abs(said.coverage * said.amount - true.coverage * true.amount))
        into["pattern_right"].append(float(said.pattern == true.pattern))
        into["finish_right"].append(float(said.finish == true.finish))

    def figures(self) -> dict[str, Any]:
        """By kind and for all together: F1 of presence, first shade's ΔE00 and that of always guessing the mean."""
        by_kind = {kind: self._figures([kind]) for kind in READ if sum(self.counts[kind])}
        return {"all": self._figures(list(READ)), "by_kind": by_kind}

    def _figures(self, kinds: list[str]) -> dict[str, float]:
        hit, false, missed = (sum(self.counts[k][i] for k in kinds) for i in range(3))
        out = {"presence_f1": round(2 * hit / max(2 * hit + false + missed, 1), 4), "layers": float(hit + missed)}
        for name in ("colour_de00", "coverage_error", "pattern_right", "finish_right"):
            values = [v for k in kinds for v in self.errors[k][name]]
            if values:
                out[name] = _mean(values)
        guess = [float(d) for k in kinds if self.colours[k] for d in _from_mean(self.colours[k])]
        if guess:
            out["colour_de00_guessing_the_mean"] = _mean(guess)
        return out


def _layer(look: Look, kind: str) -> Layer | None:
    layers = [layer for layer in look.layers if layer.kind == kind]
    return max(layers, key=lambda la: la.coverage * la.amount) if layers else None


def _shade(layer: Layer) -> F64:
    return rgb_to_lab(linear_to_srgb(layer.shades[0].colour))


def _from_mean(colours: list[F64]) -> F64:
    """ΔE00 of every colour from the mean of the others; empty for one alone."""
    stack = np.stack(colours)
    if len(stack) < 2:
        return np.zeros(0)
    return delta_e_2000(stack, (stack.sum(axis=0) - stack) / (len(stack) - 1))
