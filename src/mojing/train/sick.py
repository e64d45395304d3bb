"""A bench for the doctor: quick runs made ill by their settings, and healthy ones, through the loop of all recipes.

Nothing in a log is faked: each illness comes of settings known to cause it, on points in the plane or small drawn
pictures. Limits of the doctor are set on `CALIBRATION` seeds and judged on `JUDGEMENT` seeds.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mojing.core.progress import track
from mojing.train.adversarial import divide, train
from mojing.train.data.images import Pictures
from mojing.train.doctor import ILLNESSES, Finding, diagnose
from mojing.train.games import Material
from mojing.train.players import DivergedError
from mojing.train.settings import Options

JUDGEMENT: Final = (15, 16, 17, 18, 19)
CALIBRATION: Final = tuple(range(15))


@dataclass(frozen=True)
class Case:
    """One way to fare: what the doctor should say (`healthy` or an illness), on what, with which settings."""

    kind: str
    problem: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What the doctor said of one run: `told` the illnesses, most certain first; `seconds` of CPU time for the run."""

    case: Case
    seed: int
    told: tuple[Finding, ...]
    seconds: float

    @property
    def right(self) -> bool:
        """The illness is among those told; of a healthy run none is told."""
        kinds = {finding.kind for finding in self.told}
        return not kinds if self.case.kind == "healthy" else self.case.kind in kinds


_POINTS: Final[dict[str, Any]] = {
    "batch": 64, "latent": 8, "width": 64, "steps": 240, "log_every": 8, "metrics_every": 40,
    "metrics_samples": 300, "samples_every": 0, "save_every": 1e9, "tensorboard": False,
    "threads": 1, "ema": 0.98, "accelerator": "cpu", "lr_g": 3e-3, "lr_d": 3e-3, "beta1": 0.0, "beta2": 0.9,
}  # fmt: skip
_PICTURES: Final[dict[str, Any]] = {
    **_POINTS, "generator": "dcgan", "discriminator": "dcgan", "norm": "none", "batch": 16, "latent": 16, "width": 8,
    "steps": 100, "log_every": 4, "metrics_every": 20, "metrics_samples": 256, "lr_g": 2e-3, "lr_d": 2e-3, "size": 28,
}  # fmt: skip
_SHORT: Final[dict[str, Any]] = {"steps": 150, "log_every": 5, "metrics_every": 30}
_CALM: Final[dict[str, Any]] = {"loss": "relativistic", "r1": 0.05, "r2": 0.05}
_LONG: Final[dict[str, Any]] = {"steps": 450, "log_every": 15, "metrics_every": 75}
_LOGISTIC: Final = "non-saturating"

HEALTHY: Final = (
    Case("healthy", "ring", {**_LONG, **_CALM}),
    Case("healthy", "ring", {**_LONG, "loss": "wasserstein", "gradient_penalty": 0.3, "d_steps": 2}),
    Case("healthy", "grid", {**_LONG, **_CALM}),
    Case("healthy", "ring", {**_LONG, "loss": _LOGISTIC, "r1": 0.1}),
    Case("healthy", "grid", {**_LONG, "loss": "hinge", "r1": 0.1}),
    Case("healthy", "halves", {**_LONG, **_CALM, "conditional": True}),
)
"""Each is run with two seeds a bench."""

SICK: Final = (
    Case("mode_collapse", "ring", {"loss": _LOGISTIC, "lr_g": 1e-2, "lr_d": 5e-4, "beta1": 0.5}),
    Case("mode_collapse", "grid", {"loss": "hinge", "lr_g": 1e-2, "lr_d": 5e-4, "beta1": 0.5}),
    Case("mode_collapse", "halves", {"loss": "hinge", "conditional": True, "lr_g": 1e-2, "lr_d": 5e-4, "beta1": 0.5}),
    Case("vanishing_gradients", "ring", {**_SHORT, "loss": "minimax", "lr_d": 5e-3, "d_steps": 3, "lr_g": 2e-5}),
    Case("vanishing_gradients", "shapes", {"loss": "minimax", "lr_d": 4e-3, "d_steps": 2, "lr_g": 1e-4}),
    Case("exploding_gradients", "ring", {**_SHORT, "loss": "wasserstein", "lr_d": 0.1, "lr_g": 0.1}),
    Case("exploding_gradients", "grid", {**_SHORT, "loss": "lsgan", "lr_d": 0.5, "lr_g": 0.5, "beta1": 0.5}),
    Case("discriminator_wins", "ring", {**_SHORT, "loss": _LOGISTIC, "lr_d": 5e-3, "d_steps": 3, "lr_g": 2e-5}),
    Case("discriminator_wins", "shapes", {"loss": _LOGISTIC, "lr_d": 4e-3, "lr_g": 2e-5}),
    Case("generator_wins", "ring", {"loss": _LOGISTIC, "lr_d": 1e-5}),
    Case("generator_wins", "grid", {"loss": "hinge", "lr_d": 3e-6, "lr_g": 1e-3}),
    Case("oscillation", "ring", {"loss": _LOGISTIC, "beta1": 0.9, "beta2": 0.99, "lr_d": 1e-2, "lr_g": 5e-3}),
    Case("oscillation", "grid", {"loss": "hinge", "beta1": 0.9, "beta2": 0.99, "lr_d": 1e-2, "lr_g": 5e-3}),
    Case("memorisation", "few points", {**_LONG, "loss": "relativistic", "r1": 0.02, "r2": 0.02, "width": 128,
                                        "schedule": "linear"}),
    Case("memorisation", "few points", {**_LONG, "loss": _LOGISTIC, "r1": 0.05, "width": 128, "schedule": "linear"}),
    Case("under_training", "ring", {**_CALM, "steps": 60, "log_every": 3, "metrics_every": 10}),
    Case("under_training", "shapes", {"loss": "relativistic", "r1": 0.3, "r2": 0.3, "steps": 30, "log_every": 2,
                                      "metrics_every": 5}),
)  # fmt: skip
"""Two ways into each illness, taken in turn by the seeds."""


def points(problem: str, count: int, *, seed: int, spread: float = 0.0) -> NDArray[np.float32]:
    """Points (count, 2) of the ring or halves of 8 (radius 1) or grid of 25 (side 2) Gaussians, deviation `spread`."""
    rng = np.random.default_rng(seed)
    centres = modes(problem)
    found = centres[rng.integers(0, len(centres), count)] + rng.normal(0, spread or 0.1, (count, 2))
    return found.astype(np.float32)


def modes(problem: str) -> NDArray[np.float64]:
    """The centres (K, 2) of a problem's Gaussians."""
    if problem in ("ring", "halves"):
        turn = np.arange(8) * np.pi / 4
        return np.stack([np.cos(turn), np.sin(turn)], axis=1)
    across = np.linspace(-1, 1, 5)
    return np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2)


def shapes(count: int, *, seed: int, side: int = 28) -> NDArray[np.uint8]:
    """Pictures (count, 1, side, side): one bright soft-edged ellipse of any place and shape on dark ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    cx, cy = rng.uniform(0.4, 0.6, (2, count, 1, 1)) * side
    w, h = rng.uniform(0.15, 0.3, (2, count, 1, 1)) * side
    far = np.hypot((x - cx) / w, (y - cy) / h)
    light = 1 / (1 + np.exp(np.clip((far - 1) * 5, -50, 50)))
    return np.round(light * 255).astype(np.uint8)[:, None]


def material(problem: str, seed: int) -> Material:
    """What a case is trained on, a tenth (of few points two thirds) held out; `halves` are labelled left and right."""
    labels = None
    if problem == "few points":
        pixels: NDArray[Any] = np.random.default_rng(seed).normal(0, 0.7, (24, 2)).astype(np.float32)
    elif problem == "shapes":
        pixels = shapes(600, seed=seed)
    else:
        pixels = points(problem, 2000, seed=seed, spread=0.1)
        labels = (pixels[:, 0] > 0).astype(np.int64) if problem == "halves" else None
    names = tuple(f"{i:04d}" for i in range(len(pixels)))
    return Material(*divide(Pictures(pixels, names, labels), 0.67 if problem == "few points" else 0.1))


def options(case: Case, seed: int, out: Path) -> Options:
    """The settings of a case's run."""
    base = _PICTURES if case.problem == "shapes" else _POINTS
    return replace(Options(), **{**base, **case.settings, "seed": seed, "out": out})


def judge(case: Case, seed: int, *, folder: Path) -> Verdict:
    """Train a case in `folder` and ask the doctor."""
    start = time.process_time()
    with suppress(DivergedError):  # the log tells it, and the doctor reads the log
        train(options(case, seed, folder), material(case.problem, seed))
    seconds = time.process_time() - start
    return Verdict(case, seed, tuple(f for f in diagnose(folder) if f.kind in ILLNESSES), seconds)


def rounds(seeds: Sequence[int]) -> list[tuple[Case, int]]:
    """All runs of a bench: every illness with every seed, its two ways in turn, and two healthy runs of each case."""
    kinds = list(dict.fromkeys(case.kind for case in SICK))
    ways = {kind: [case for case in SICK if case.kind == kind] for kind in kinds}
    ill = [(ways[kind][i % len(ways[kind])], seed) for kind in kinds for i, seed in enumerate(seeds)]
    return ill + [(case, seed) for case in HEALTHY for seed in seeds[:2]]


def bench(seeds: Sequence[int] = JUDGEMENT, *, keep: Path | None = None) -> dict[str, Any]:
    """Train every run, ask the doctor, and sum up; `keep` is a folder for the runs' logs.

    `detection` is the share of ill runs whose illness is told, `false_alarms` the share of healthy runs of which any
    illness is told, `first` the share of ill runs in which it is told first.
    """
    verdicts = []
    for i, (case, seed) in enumerate(track(rounds(seeds), "runs")):
        with tempfile.TemporaryDirectory() as scratch:
            run = Path(scratch) / "run"
            verdicts.append(judge(case, seed, folder=run))
            if keep is not None:
                kept = keep / f"{i:02d}-{case.kind}-{case.problem.replace(' ', '-')}-{seed}"
                shutil.copytree(run, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("last.pt", "samples"))
    return summary(verdicts, seeds)


def summary(verdicts: Sequence[Verdict], seeds: Sequence[int]) -> dict[str, Any]:
    """The figures of a bench."""
    ill = [v for v in verdicts if v.case.kind != "healthy"]
    well = [v for v in verdicts if v.case.kind == "healthy"]
    kinds: dict[str, dict[str, Any]] = {}
    for kind in dict.fromkeys(v.case.kind for v in ill):
        here = [v for v in ill if v.case.kind == kind]
        also = [f.kind for v in here for f in v.told if f.kind != kind]
        kinds[kind] = {
            "runs": len(here),
            "detected": sum(v.right for v in here),
            "told_first": sum(bool(v.told) and v.told[0].kind == kind for v in here),
            "also_told": {other: also.count(other) for other in dict.fromkeys(also)},
        }
    return {
        "seeds": list(seeds),
        "detection": sum(v.right for v in ill) / max(len(ill), 1),
        "told_first": sum(k["told_first"] for k in kinds.values()) / max(len(ill), 1),
        "false_alarms": sum(not v.right for v in well) / max(len(well), 1),
        "ill_runs": len(ill),
        "healthy_runs": len(well),
        "cpu_seconds": round(sum(v.seconds for v in verdicts), 1),
        "kinds": kinds,
        "runs": [
            {
                "kind": v.case.kind,
                "problem": v.case.problem,
                "seed": v.seed,
                "right": v.right,
                "told": {f.kind: f.confidence for f in v.told},
                "cpu_seconds": round(v.seconds, 2),
            }
            for v in verdicts
        ],
    }
