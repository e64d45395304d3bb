"""What `mojing eval gan` measures: a set of generated pictures against real ones, in a feature space of choice.

Every figure stands beside the one that real training pictures get against the same reference, because no figure here
means much alone: it depends on the extractor, on the count of pictures and on how varied the real ones are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.errors import InputError, ModelError
from mojing.eval import generative
from mojing.eval.metrics import frechet
from mojing.perception.features import Features, square
from mojing.runtime.session import Session
from mojing.runtime.spec import ModelSpec, TensorSpec
from mojing.runtime.store import ModelStore
from mojing.studio.generate import Designer

Pictures = Sequence[U8] | U8
"""RGB uint8 (H, W, 3) each, in a list or stacked (N, H, W, 3)."""

FEWEST: Final = 8
"""Fewer pictures than this on either side are no set."""

ENOUGH: Final = 100
"""Held-out pictures from which they alone are the reference; with fewer, all real pictures are."""

PIXEL_SIDE: Final = 8
EXTRACTORS: Final = ("ours", "pixels", "inception")

BETTER: Final = {"fid": -1, "kid": -1, "precision": 1, "recall": 1, "density": 1, "coverage": 1}
"""Figures of `compare`: -1 where less is better, 1 where more is."""


@dataclass(frozen=True, eq=False)
class Looked:
    """Features (N, D) float32 of N pictures, and class probabilities (N, K), if the extractor tells classes."""

    feature: F32
    probs: F32 | None = None


@dataclass(frozen=True)
class Extractor:
    """A name for the report, and what makes features of pictures, RGB uint8 (H, W, 3) each."""

    name: str
    look: Callable[[Pictures], Looked]


def ours(store: ModelStore, *, threads: int = 2) -> Extractor:
    """The shipped fashion feature network.

    Raises:
        ModelError: model_missing, model_corrupt.
    """
    network = Features(store, threads=threads)

    def look(images: Pictures) -> Looked:
        seen = network(images)
        return Looked(seen.feature, seen.kind)

    return Extractor(network.session.spec.id, look)


def pixels() -> Extractor:
    """The pictures themselves, shrunk to 8 px a side, levels 0..1: for pictures that are no fashion."""

    def look(images: Pictures) -> Looked:
        flat = np.zeros((len(images), PIXEL_SIDE * PIXEL_SIDE * 3), np.float32)
        for row, image in enumerate(images):
            wh = (PIXEL_SIDE, PIXEL_SIDE)
            flat[row] = cv2.resize(image, wh, interpolation=cv2.INTER_AREA).reshape(-1) / np.float32(255)
        return Looked(flat)

    return Extractor(f"pixels at {PIXEL_SIDE}x{PIXEL_SIDE}", look)


def from_onnx(path: Path, *, threads: int = 2, batch: int = 32) -> Extractor:
    """Any ONNX network of one picture with its NAME.json beside it: its output `feature`, else its first, flattened.

    Raises:
        ModelError: model_missing, model_corrupt, model_mismatch.
    """
    spec = ModelSpec.read(path.with_suffix(".json"))
    port = _only(spec)
    if len(port.shape) != 4 or port.shape[1] != 3 or isinstance(port.shape[3], str):
        raise ModelError("model_mismatch", f"{path.name} takes {port.shape}, not pictures (N, 3, S, S)")
    side, (low, high) = int(port.shape[3]), port.range or (0.0, 1.0)
    session = Session(spec, threads=threads)
    names = [out.name for out in spec.outputs]
    chosen = "feature" if "feature" in names else names[0]

    def look(images: Pictures) -> Looked:
        found = []
        for start in range(0, len(images), batch):
            part = np.stack([square(image, side) for image in images[start : start + batch]])
            levels = np.asarray(part.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
            out = session.run({port.name: levels * np.float32(high - low) + np.float32(low)})[chosen]
            found.append(np.asarray(out, np.float32).reshape(len(part), -1))
        return Looked(np.concatenate(found))

    return Extractor(spec.id, look)


def draw(path: Path, count: int, *, seed: int = 0, batch: int = 16, threads: int = 2) -> U8:
    """Pictures (count, H, W, 3) uint8 from a generator's ONNX file with its NAME.json beside it.

    The first input is the latent, drawn from a normal distribution; an input of whole numbers is the class, drawn
    evenly from as many as the description's `labels` names; the first output is (N, 1 or 3, H, W) in -1..1.

    Raises:
        ModelError: model_missing, model_corrupt, model_mismatch.
    """
    spec = ModelSpec.read(path.with_suffix(".json"))
    latent, *others = spec.inputs
    if len(latent.shape) != 2 or isinstance(latent.shape[1], str) or any(not _is_class(p, spec) for p in others):
        raise ModelError("model_mismatch", f"{path.name} is no generator: its inputs are {spec.inputs}")
    session = Session(spec, threads=threads)
    rng = np.random.default_rng(seed)
    made = []
    for start in range(0, count, batch):
        n = min(batch, count - start)
        feeds: dict[str, AnyArray] = {latent.name: rng.standard_normal((n, int(latent.shape[1]))).astype(np.float32)}
        for port in others:
            feeds[port.name] = rng.integers(0, len(spec.labels), n).astype(port.dtype)
        out = session.run(feeds)[spec.outputs[0].name]
        if out.ndim != 4 or out.shape[1] not in (1, 3):
            raise ModelError("model_mismatch", f"{path.name} makes {out.shape}, not pictures (N, 1 or 3, H, W)")
        made.append(to_levels(np.asarray(out, np.float32)))
    return np.concatenate(made)


def draw_designs(folder: Path, count: int, *, seed: int = 0, threads: int = 2) -> U8:
    """Designs on white (count, S, S, 3) uint8 of a shipped design generator, untruncated, kinds as in its data.

    Raises:
        ModelError: model_missing, model_corrupt, model_mismatch.
    """
    designer = Designer(ModelStore(folder), threads=threads)
    often = np.asarray(designer.mapping.spec.extra.get("pictures_of_each") or [1] * len(designer.kinds), np.float64)
    kinds = np.random.default_rng(seed).choice(len(designer.kinds), count, p=often / often.sum())
    made = np.zeros((count, 0, 0, 3), np.uint8)
    for i, kind in enumerate(designer.kinds):
        rows = np.flatnonzero(kinds == i)
        for row, design in zip(rows, designer.draw(kind, n=len(rows), seed=seed, truncation=1.0), strict=True):
            if not made.size:
                made = np.empty((count, *design.rgba.shape[:2], 3), np.uint8)
            made[row] = design.on_white()
    return made


def to_levels(pictures: F32) -> U8:
    """A generator's (N, 1 or 3, H, W) in -1..1 as RGB uint8 (N, H, W, 3)."""
    levels = np.clip((pictures + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(np.repeat(levels, 3, axis=3) if levels.shape[3] == 1 else levels)


def _only(spec: ModelSpec) -> TensorSpec:
    if len(spec.inputs) != 1:
        raise ModelError("model_mismatch", f"{spec.path.name} has {len(spec.inputs)} inputs, not one picture")
    return spec.inputs[0]


def _is_class(port: TensorSpec, spec: ModelSpec) -> bool:
    return port.dtype.startswith("int") and len(port.shape) == 1 and len(spec.labels) > 0


def judge(
    samples: Pictures,
    real: Pictures,
    *,
    held_out: AnyArray,
    extractor: Extractor,
    names: Sequence[str] = (),
) -> dict[str, Any]:
    """All figures of a set of generated pictures.

    Args:
        samples: generated pictures, RGB uint8 (H, W, 3).
        real: real ones at the same size, or the figures tell the difference in sharpness.
        held_out: (len(real),) bool, those that were kept from training.
        extractor: what makes features of pictures.
        names: of the real pictures, for the list of nearest neighbours.

    Raises:
        InputError: too_few.
    """
    held_out = np.asarray(held_out, bool)
    if min(len(samples), int((~held_out).sum())) < FEWEST:
        raise InputError(
            "too_few",
            f"{len(samples)} generated and {int((~held_out).sum())} real pictures are too few to compare",
            f"give at least {FEWEST} of each",
        )
    fake, truth = extractor.look(samples), extractor.look(real)
    train = truth.feature[~held_out]
    alone = int(held_out.sum()) >= ENOUGH
    reference = truth.feature[held_out] if alone else truth.feature
    result: dict[str, Any] = {
        "extractor": extractor.name,
        "features": fake.feature.shape[1],
        "samples": len(samples),
        "real": {"train": len(train), "held_out": int(held_out.sum())},
        "reference": "held-out pictures" if alone else "all real pictures",
        "generated": compare(fake.feature, reference),
    }
    if alone:
        rows = np.random.default_rng(0).permutation(len(train))[: len(samples)]
        result["training_pictures_instead"] = compare(train[rows], reference)
    result["diversity"] = _diversity(fake.feature, truth.feature)
    if fake.probs is not None and truth.probs is not None:
        result["inception_score"] = _inception_scores(fake.probs, truth.probs)
    result["pixels"] = _pixels(samples, real)
    result["nearest_train"] = _memory(fake.feature, truth.feature, held_out=held_out, names=names)
    result["notices"] = _notices(result)
    return result


def improvement(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float | None]:
    """By how many percent of theirs our figures of `compare` are better; None where theirs are not above zero."""
    found: dict[str, float | None] = {}
    for name, sign in BETTER.items():
        gain = sign * (ours[name] - theirs[name])
        found[name] = 100.0 * gain / theirs[name] if theirs[name] > 0 else None
    return found


def compare(fake: AnyArray, real: AnyArray) -> dict[str, float]:
    """FID, KID (and its spread over subsets), precision, recall, density and coverage of features (N, D) and (M, D)."""
    kid = generative.kid(real, fake)
    shares = generative.precision_recall(real, fake)
    dense = generative.density_coverage(real, fake)
    return {
        "fid": frechet(fake, real),
        "kid": kid.mean,
        "kid_std": kid.std,
        "precision": shares.fidelity,
        "recall": shares.spread,
        "density": dense.fidelity,
        "coverage": dense.spread,
    }


def _diversity(fake: F32, real: F32) -> dict[str, float]:
    ours, theirs = generative.diversity(fake), generative.diversity(real)
    return {"generated": ours, "real": theirs, "ratio": ours / max(theirs, 1e-12)}


def _inception_scores(fake: F32, real: F32) -> dict[str, float]:
    ours, theirs = generative.inception_score(fake), generative.inception_score(real)
    return {"generated": ours.mean, "generated_std": ours.std, "real": theirs.mean}


def _pixels(samples: Pictures, real: Pictures) -> dict[str, float]:
    """How far the mean picture is off (levels 0..1), and the generated pixels' mean variance over the real ones'."""
    size = samples[0].shape[:2]
    alike = [r if r.shape[:2] == size else cv2.resize(r, size[::-1], interpolation=cv2.INTER_AREA) for r in real]
    a = generative.pixel_statistics(samples)
    b = generative.pixel_statistics(np.asarray(r, np.uint8) for r in alike)
    return {
        "mean_gap": float(np.abs(a.mean - b.mean).mean()),
        "variance_generated": float(a.variance.mean()),
        "variance_real": float(b.variance.mean()),
    }


def _memory(fake: F32, real: F32, *, held_out: AnyArray, names: Sequence[str]) -> dict[str, Any]:
    """How near the samples come to training pictures, against how near pictures that were never trained on come."""
    rows = np.nonzero(~held_out)[0]
    found = generative.nearest(fake, real[rows])
    distance = found.distance[:, 0]
    result: dict[str, Any] = {"mean": float(distance.mean()), "least": float(distance.min())}
    if int(held_out.sum()) >= FEWEST:
        fresh = generative.nearest(real[held_out], real[rows]).distance[:, 0]
        result["held_out_mean"] = float(fresh.mean())
        result["ratio"] = float(distance.mean() / max(float(fresh.mean()), 1e-12))
        result["nearer_than_all_but_5_percent_of_held_out"] = float((distance < np.quantile(fresh, 0.05)).mean())
    result["closest"] = [
        {
            "sample": int(i),
            "picture": names[rows[found.index[i, 0]]] if len(names) else int(rows[found.index[i, 0]]),
            "distance": float(distance[i]),
        }
        for i in np.argsort(distance, kind="stable")[:10]
    ]
    return result


def _notices(result: dict[str, Any]) -> list[str]:
    notices = []
    least = min(result["samples"], result["real"]["held_out"] or result["real"]["train"])
    if least <= result["features"]:
        notices.append("fewer pictures than features: FID is biased upward, trust KID and compare at equal counts")
    memory = result["nearest_train"]
    if memory.get("nearer_than_all_but_5_percent_of_held_out", 0.0) > 0.25:
        notices.append("many samples lie nearer to a training picture than held-out pictures do: memorised?")
    if result["diversity"]["ratio"] < 0.7:
        notices.append("the samples are far less varied than the real pictures: collapsed modes?")
    return notices
