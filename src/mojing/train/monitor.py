"""What is told of a GAN run while it trains: the figures of a log row, sample sheets, metrics, TensorBoard."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from mojing.core.arrays import U8
from mojing.core.image import save
from mojing.eval.generative import density_coverage, diversity, kid, nearest, precision_recall
from mojing.eval.metrics import frechet
from mojing.train.games import Game, Material, to_bytes
from mojing.train.settings import Options

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

WATCHED_SIDE = 32
"""Pictures are watched at this side at most: variety of pixels beyond tells nothing more and costs."""
PIXEL_SIDE = 8
MIN_HELD = 256
"""With fewer held-out pictures than this, metrics compare with those trained on."""
LEAST = 8
"""Metrics of fewer pictures than this mean nothing."""
COLUMNS = 8


def watched(images: Tensor) -> Tensor:
    """Images (N, C, H, W) in [-1, 1] small enough to watch, as whole numbers 0..255 in a uint8; points as they are."""
    if images.dim() == 2:
        return images.cpu()
    if images.shape[2] > WATCHED_SIDE:
        images = F.adaptive_avg_pool2d(images, WATCHED_SIDE)
    return to_bytes(images).cpu()


def spread(images: Tensor) -> tuple[float, float]:
    """Mean over pixels of the standard deviation over images (N, ...), and mean distance of all pairs."""
    flat = images.flatten(1).float()
    deviation = float(flat.std(0).mean())
    pairs = torch.pdist(flat)
    return deviation, float(pairs.mean())


def spread_within(images: Tensor, labels: Tensor) -> float | None:
    """Mean distance of pairs of images (N, ...) of one label, averaged over labels (N,); None where none repeats."""
    groups = [images[labels == label].flatten(1).float() for label in labels.unique()]
    apart = [float(torch.pdist(group).mean()) for group in groups if len(group) > 1]
    return sum(apart) / len(apart) if apart else None


class Watch:
    """Computes log rows; remembers the last samples, so that it can tell how much they change."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.last = watched(game.fixed(averaged=False))
        reals, self.labels = watched(game.reals()), game.fixed_labels()
        self.real = spread(reals)
        self.real_within = None if self.labels is None else spread_within(reals, self.labels)

    def row(self, step: int, stats: dict[str, Tensor]) -> dict[str, float | None]:
        """Figures of a log row after `step`, but for speed and learning rates, which the loop knows."""
        now = watched(self.game.fixed(averaged=False))
        deviation, apart = spread(now)
        scale = 255.0 if now.dtype == torch.uint8 else 1.0
        change = float((now.float() - self.last.float()).abs().mean()) / scale
        self.last = now
        held = self.game.held_out_score(step)
        return {
            **{name: float(value) for name, value in stats.items()},
            **self._gradients(),
            "sample_std": deviation / max(self.real[0], 1e-9),
            "sample_diversity": apart / max(self.real[1], 1e-9),
            "sample_diversity_in_class": self._within(now),
            "sample_change": change,
            "d_held_out": None if held is None else float(held),
        }

    def _within(self, now: Tensor) -> float | None:
        """How far samples of one class are apart, over real pictures; None without classes."""
        if self.labels is None or self.real_within is None:
            return None
        return (spread_within(now, self.labels) or 0.0) / max(self.real_within, 1e-9)

    def _gradients(self) -> dict[str, float]:
        players, ratios = self.game.players, []
        for name in self.game.makers:
            norms = list(players[name].layers().values())
            ratios.append(min(norms, default=0.0) / max(*norms, 1e-30))
        return {
            "grad_d": max(float(players[name].norm) for name in self.game.judges),
            "grad_g": max(float(players[name].norm) for name in self.game.makers),
            "grad_g_min_layer": min(ratios),
        }

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"last": self.last}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`."""
        self.last = state["last"]


def sheet(images: Tensor, *, columns: int = COLUMNS) -> U8:
    """Images uint8 (N, C, H, W) side by side on one sheet (H', W', 3); points (N, 2) as a scatter plot."""
    if images.dim() == 2:
        return _scatter(images)
    n, _, h, w = images.shape
    rows = -(-n // columns)
    columns = min(columns, n)
    canvas = np.full((rows * (h + 1) + 1, columns * (w + 1) + 1, 3), 255, np.uint8)
    pictures = images[:, :3].permute(0, 2, 3, 1).cpu().numpy()
    for i, picture in enumerate(pictures):
        y, x = 1 + (i // columns) * (h + 1), 1 + (i % columns) * (w + 1)
        canvas[y : y + h, x : x + w] = picture
    factor = max(1, 256 // max(h, 1) // 4)
    return canvas.repeat(factor, 0).repeat(factor, 1)


def _scatter(points: Tensor, side: int = 256) -> U8:
    canvas = np.full((side, side, 3), 255, np.uint8)
    xy = points.cpu().numpy()
    reach = max(float(np.abs(xy).max()) * 1.1, 1e-6)
    for x, y in (xy / reach * 0.5 + 0.5) * (side - 1):
        cv2.circle(canvas, (round(float(x)), round(side - 1 - float(y))), 2, (40, 40, 160), -1)
    return canvas


def features(kind: str, pixels: Tensor) -> NDArray[np.float64]:
    """Features (N, D) of pictures uint8 (N, C, H, W): `pixels` scales them down to 8x8, `ours` asks our network."""
    if pixels.dim() == 2:
        return pixels.double().cpu().numpy()
    if kind == "ours":
        from mojing.perception.features import Features
        from mojing.runtime import ModelStore

        rgb = pixels[:, :3].expand(-1, 3, -1, -1) if pixels.shape[1] < 3 else pixels[:, :3]
        return Features(ModelStore())(rgb.permute(0, 2, 3, 1).contiguous().cpu().numpy()).feature.astype(np.float64)
    small = F.adaptive_avg_pool2d(pixels.float(), min(PIXEL_SIDE, pixels.shape[2])) / 255
    return small.flatten(1).double().cpu().numpy()


def check_features(kind: str) -> None:
    """Refuse a feature space that cannot be had before hours are spent on a run that ends with it.

    Raises:
        ModelError: model_missing.
    """
    if kind == "ours":
        from mojing.runtime import ModelStore

        ModelStore().spec("features")


class Yardstick:
    """The real pictures' features, taken once, and what made ones measure against them."""

    def __init__(self, material: Material, options: Options) -> None:
        train, held = material.train, material.held
        if material.second is not None:
            train, held = material.second, material.second_held or held
        self.kind, self.count = options.features, options.metrics_samples
        self.train = features(self.kind, _some(train.pixels, 4 * self.count))
        self.held = features(self.kind, _some(held.pixels, self.count)) if len(held) else None
        enough = self.held is not None and len(self.held) >= MIN_HELD
        few = np.linspace(0, len(self.train) - 1, min(self.count, len(self.train))).round().astype(np.int64)
        self.real = self.held if enough and self.held is not None else self.train[few]

    def row(self, game: Game) -> dict[str, float | None]:
        """Figures of made pictures against held-out ones or, where those are few, those trained on; {} for too few."""
        made = features(self.kind, game.make(self.count))
        if min(len(self.real), len(made)) < LEAST:
            return {}
        likeness, cover = precision_recall(self.real, made), density_coverage(self.real, made)
        row: dict[str, float | None] = {
            "fid": frechet(self.real, made),
            "kid": kid(self.real, made).mean,
            "precision": likeness.fidelity,
            "recall": likeness.spread,
            "density": cover.fidelity,
            "coverage": cover.spread,
            "diversity": diversity(made),
            "nearest_train": None,
        }
        if self.held is not None:
            usual = float(nearest(self.held, self.train).distance.mean())
            row["nearest_train"] = float(nearest(made, self.train).distance.mean()) / max(usual, 1e-9)
        return row


def _some(pixels: NDArray[Any], count: int) -> Tensor:
    rows = np.linspace(0, len(pixels) - 1, min(count, len(pixels))).round().astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(pixels[rows]))


class Board:
    """TensorBoard files of a run: scalars of every log row, gradient norms by layer, sample sheets."""

    def __init__(self, folder: Path, *, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer: SummaryWriter = SummaryWriter(str(folder), purge_step=step + 1 if step else None)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()  # type: ignore[no-untyped-call]

    def scalars(self, group: str, row: dict[str, Any], step: int) -> None:
        """Numbers of a row under `group/`."""
        for name, value in row.items():
            if isinstance(value, int | float):
                self.writer.add_scalar(f"{group}/{name}", value, step)  # type: ignore[no-untyped-call]

    def gradients(self, game: Game, step: int) -> None:
        """Norm of the last gradient of every layer of every player."""
        for name, player in game.players.items():
            self.scalars(f"gradients/{name}", player.layers(), step)

    def picture(self, picture: U8, step: int) -> None:
        """A sample sheet (H, W, 3)."""
        self.writer.add_image("samples", picture, step, dataformats="HWC")  # type: ignore[no-untyped-call]


def write_sheet(game: Game, folder: Path, step: int) -> U8:
    """Write samples/STEP.png of a run; returns the sheet."""
    picture = sheet(game.sheet())
    save(folder / "samples" / f"{step:07d}.png", picture)
    return picture
