"""Mode coverage: how many of a known number of kinds of things each recipe learns to make in equal CPU time.

Ring of 8 and grid of 25 Gaussians (Metz et al. 2017, arXiv:1611.02163; Srivastava et al. 2017, arXiv:1705.07761),
and pictures of three stacked Fashion-MNIST channels, 1,000 modes, told apart by a classifier trained on the fly.
Deviations: Fashion-MNIST instead of digits, and a minute of one CPU core instead of tens of thousands of steps.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mojing.core.errors import InputError
from mojing.core.progress import track
from mojing.train.adversarial import build_game, divide, make_fabric, train
from mojing.train.data.images import Pictures
from mojing.train.games import Material
from mojing.train.players import DivergedError
from mojing.train.settings import RECIPES, Options
from mojing.train.sick import modes, points

SPREAD: Final = {"ring": 0.02, "grid": 0.025}
"""Standard deviation of the Gaussians; the ring's radius is 1, the grid's side 2."""
POINTS_DRAWN: Final = 2500
STACKS_DRAWN: Final = 10000
STACKS: Final = 6000
"""Stacked pictures to train on, each of three random pictures."""
SIGMAS: Final = 3.0
"""A point is of high quality within so many standard deviations of its mode (arXiv:1705.07761, section 5.1)."""
SURE: Final = 0.8
"""A stacked picture is of high quality when the classifier is this sure of each of its channels."""


@dataclass(frozen=True)
class Coverage:
    """What a set of samples covers.

    `modes` of `of` modes that were hit; `quality` the share 0..1 of high-quality samples; `kl` the Kullback-Leibler
    divergence of the samples' modes from the true ones, in nats; `steps` of the generator and
    `seconds` of CPU time that training took.
    """

    problem: str
    recipe: str
    modes: int
    of: int
    quality: float
    kl: float
    steps: int
    seconds: float
    failed: str = ""


def unconditional() -> list[str]:
    """Recipes that make pictures out of noise alone."""
    translators = ("unet", "resnet")
    plain = (n for n, v in RECIPES.items() if not v.get("conditional") and v.get("generator") not in translators)
    return sorted(plain)


def divergence(counts: NDArray[np.int64], truth: NDArray[np.float64]) -> float:
    """KL(samples || truth) in nats of mode counts (K,) against true shares (K,), which are positive."""
    share = counts / max(int(counts.sum()), 1)
    seen = share > 0
    return float((share[seen] * np.log(share[seen] / truth[seen])).sum())


def point_modes(problem: str, made: NDArray[np.floating[Any]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The nearest mode (N,) of points (N, 2), and whether each is of high quality (N,)."""
    apart = np.linalg.norm(made[:, None].astype(np.float64) - modes(problem)[None], axis=2)
    return apart.argmin(1), apart.min(1) <= SIGMAS * SPREAD[problem]


class Classifier(nn.Module):
    """Grey pictures (N, 1, 28, 28) in [-1, 1] -> logits (N, 10): two strided convolutions and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 24, 5, 2, 2), nn.BatchNorm2d(24), nn.ReLU(),
            nn.Conv2d(24, 48, 3, 2, 1), nn.BatchNorm2d(48), nn.ReLU(),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(48 * 49, 10),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return out


def teach(images: NDArray[np.uint8], labels: NDArray[np.int64], *, epochs: int = 6, seed: int = 0) -> Classifier:
    """A classifier of grey pictures (N, 28, 28)."""
    torch.manual_seed(seed)
    net = Classifier().train()
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    x, y = _signed(images[:, None]), torch.from_numpy(labels)
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / epochs)
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    return net.eval()


@torch.no_grad()
def stack_modes(net: Classifier, stacks: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The mode (N,), 0..999, of stacked pictures (N, 3, 28, 28), and whether each is of high quality (N,)."""
    digits, sure = [], []
    for part in np.array_split(stacks, max(len(stacks) // 256, 1)):
        probabilities = net(_signed(part.reshape(-1, 1, *part.shape[2:]))).softmax(1).view(-1, 3, 10)
        best = probabilities.max(2)
        digits.append(best.indices)
        sure.append((best.values >= SURE).all(1))
    return (torch.cat(digits) @ torch.tensor([100, 10, 1])).numpy(), torch.cat(sure).numpy()


def _signed(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).float() / 127.5 - 1


@dataclass(frozen=True)
class Problem:
    """Something with known modes: what to train on, how to tell the modes of samples, and their true shares (K,).

    When `strict`, only a sample of high quality covers its mode; for stacked pictures any does, as in the literature.
    """

    name: str
    material: Material
    tell: Callable[[NDArray[Any]], tuple[NDArray[np.int64], NDArray[np.bool_]]]
    truth: NDArray[np.float64]
    drawn: int
    settings: Mapping[str, Any]
    strict: bool = True

    def cover(self, made: NDArray[Any], *, recipe: str, steps: int = 0, seconds: float = 0.0) -> Coverage:
        """What samples cover."""
        mode, good = self.tell(made)
        k = len(self.truth)
        hit = np.bincount(mode[good] if self.strict else mode, minlength=k)
        kl = divergence(np.bincount(mode, minlength=k), self.truth)
        return Coverage(self.name, recipe, int((hit > 0).sum()), k, float(good.mean()), kl, steps, seconds)


def point_problem(name: str, seed: int) -> Problem:
    """`ring` or `grid`."""
    k = len(modes(name))
    spots = points(name, 10000, seed=seed, spread=SPREAD[name])
    settings = {"batch": 128, "latent": 16, "width": 128}
    return Problem(
        name, _material(spots), lambda made: point_modes(name, made), np.full(k, 1 / k), POINTS_DRAWN, settings
    )


def stacked_problem(
    data: Path, seed: int, *, count: int = STACKS, drawn: int = STACKS_DRAWN
) -> tuple[Problem, float, NDArray[np.uint8]]:
    """Stacked Fashion-MNIST, with its classifier's accuracy on held-out pictures, and real stacks of those.

    Raises:
        InputError: bad_data, when the file has not `images` (N, 28, 28) and `labels` (N,) of 10 classes.
    """
    images, labels = _fashion(data)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    held, own = order[: len(order) // 6], order[len(order) // 6 :]
    net = teach(images[own], labels[own], seed=seed)
    with torch.no_grad():
        right = float((net(_signed(images[held][:, None])).argmax(1).numpy() == labels[held]).mean())
    stacks = images[rng.choice(own, (count, 3))]
    share = np.bincount(labels[own], minlength=10) / len(own)
    truth = np.einsum("a,b,c->abc", share, share, share).ravel()
    settings = {"batch": 32, "latent": 64, "width": 16, "size": 28}
    problem = Problem(
        "stacked", _material(stacks), lambda made: stack_modes(net, made), truth, drawn, settings, strict=False
    )
    return problem, right, images[rng.choice(held, (drawn, 3))]


def _fashion(data: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    hint = "give the npz file of Fashion-MNIST with `images` (N, 28, 28) uint8 and `labels` (N,) 0..9"
    try:
        with np.load(data, allow_pickle=False) as found:
            images, labels = found["images"], found["labels"].astype(np.int64)
    except (OSError, ValueError, KeyError, EOFError) as exc:
        raise InputError("bad_data", f"{data} cannot be used: {exc}", hint) from exc
    fits = images.dtype == np.uint8 and images.shape[1:] == (28, 28) and len(images) >= 60
    if not fits or labels.shape != images.shape[:1] or set(np.unique(labels)) != set(range(10)):
        raise InputError("bad_data", f"{data} holds images {images.shape}, labels {labels.shape}", hint)
    return images, labels


def _material(pixels: NDArray[Any]) -> Material:
    return Material(*divide(Pictures(pixels, tuple(str(i) for i in range(len(pixels)))), 0.02))


def settings(recipe: str, problem: Problem, *, seed: int, out: Path) -> Options:
    """A recipe's own settings on a problem: networks of one size for all, no metrics, no files but the checkpoint."""
    quiet = {
        "log_every": 0, "samples_every": 0, "metrics_samples": 0, "save_every": 1e9, "tensorboard": False,
        "threads": 1, "accelerator": "cpu",
    }  # fmt: skip
    named = {"recipe": recipe, "seed": seed, "out": out}
    return replace(Options(), **{**RECIPES[recipe], **problem.settings, **quiet, **named})


def seconds_a_step(options: Options, material: Material, *, steps: int = 12) -> float:
    """CPU time of one step, a median over a few after the first ones."""
    game, taken = build_game(options, material, fabric=make_fabric(options)), []
    for step in range(steps + 4):
        start = time.process_time()
        game.play(step)
        taken.append(time.process_time() - start)
    return float(np.mean(taken[4:]))


def learn(recipe: str, problem: Problem, *, seconds: float, seed: int) -> Coverage:
    """Train a recipe for about so many seconds of CPU time and see what it covers."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(recipe, problem, seed=seed, out=Path(folder) / "run")
        chosen = replace(chosen, steps=max(int(seconds / seconds_a_step(chosen, problem.material)), 1))
        start = time.process_time()
        try:
            train(chosen, problem.material)
        except DivergedError as error:
            return Coverage(problem.name, recipe, 0, len(problem.truth), 0.0, float("nan"), error.step, 0.0, str(error))
        took = time.process_time() - start
        game = build_game(chosen, problem.material, fabric=make_fabric(chosen))
        game.restore(torch.load(chosen.out / "last.pt", weights_only=True)["game"])
        made = game.make(problem.drawn).numpy()
    return problem.cover(made, recipe=recipe, steps=chosen.steps, seconds=took)


def bench(data: Path | None = None, *, seconds: float = 5.0, stacked: float = 20.0, seed: int = 0) -> dict[str, Any]:
    """Every recipe on every problem: `seconds` of CPU time each for points, `stacked` for stacked pictures.

    Without `data`, Fashion-MNIST is left out and the result says so.
    """
    problems = [point_problem(name, seed) for name in SPREAD]
    rows: list[Coverage] = []
    notes: dict[str, Any] = {}
    for problem in problems:
        fresh = points(problem.name, POINTS_DRAWN, seed=seed + 1, spread=SPREAD[problem.name])
        rows.append(problem.cover(fresh, recipe="real data"))
    if data is None:
        notes["skipped"] = {"stacked": "no --data was given: it needs the npz file of Fashion-MNIST"}
    else:
        problem, accuracy, real = stacked_problem(data, seed)
        problems.append(problem)
        rows.append(problem.cover(real, recipe="real data"))
        notes["classifier_accuracy"] = round(accuracy, 4)
    work = [(recipe, problem) for problem in problems for recipe in unconditional()]
    for recipe, problem in track(work, "recipes"):
        budget = stacked if problem.name == "stacked" else seconds
        rows.append(learn(recipe, problem, seconds=budget, seed=seed))
    return {
        "seed": seed,
        "cpu_seconds": {"points": seconds, "stacked": stacked},
        **notes,
        "rows": [_plain(r) for r in rows],
    }


def _plain(row: Coverage) -> dict[str, Any]:
    short = {k: round(v, 4) if isinstance(v, float) else v for k, v in vars(row).items()}
    return {k: v for k, v in short.items() if k != "failed" or v}
