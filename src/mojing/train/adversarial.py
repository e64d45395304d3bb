"""The loop of all GAN recipes: `train` plays a game until its budget is spent, on Lightning Fabric.

RUN/options.json, data.json, last.pt, log.jsonl, samples/*.png and tb/ are written by the first process alone. A run
goes on exactly where its last checkpoint was: all chance follows from (seed, step), everything else is in the
checkpoint, and what the log says of later steps is dropped.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import math
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor

from mojing.core.errors import InputError, MojingError
from mojing.core.progress import listening, report
from mojing.train.data.images import Frame, Pictures, held_out_rows, load_domains, load_pictures
from mojing.train.games import Game, Material, NoiseGame
from mojing.train.loop import CLOCKS, Run
from mojing.train.monitor import Board, Watch, Yardstick, check_features, write_sheet
from mojing.train.players import DivergedError, pace
from mojing.train.settings import Options
from mojing.train.translation import CycleGame, PairedGame

DEFAULT_MINUTES: Final = 10.0
_SHAPE: Final = (
    "generator", "discriminator", "width", "latent", "conditional", "norm", "minibatch_std", "spectral_norm", "augment",
    "images", "classes", "conditions", "parameters",
)  # fmt: skip
"""Options and facts that a checkpoint depends on."""

Progress = tuple[int, int, str]


def game_kind(options: Options) -> type[NoiseGame] | type[PairedGame] | type[CycleGame]:
    """Which game the options describe: two generators when there is a cycle loss, one between pairs for a U-Net."""
    if options.cycle > 0:
        return CycleGame
    return PairedGame if options.generator in ("unet", "resnet") else NoiseGame


def load_material(options: Options) -> Material:
    """Read the data and keep a part out of training.

    Raises:
        InputError: what `load_pictures` and `load_domains` raise.
    """
    frame = Frame(options.size, options.channels, pad=options.fit == "pad")
    kind = game_kind(options)
    if kind is NoiseGame:
        pictures = load_pictures(options.data, frame=frame, labels=options.labels, limit=options.limit)
        return Material(*divide(pictures, options.held_out))
    paired = kind is PairedGame
    a, b = load_domains(options.data, second=options.data_b, paired=paired, frame=frame)
    if options.limit:
        a, b = (p.take(np.linspace(0, len(p) - 1, min(len(p), options.limit)).round().astype(np.int64)) for p in (a, b))
    held = held_out_rows(a, options.held_out)
    held_b = held if paired else held_out_rows(b, options.held_out)
    rows, rows_b = np.flatnonzero(~held), np.flatnonzero(~held_b)
    return Material(a.take(rows), a.take(np.flatnonzero(held)), b.take(rows_b), b.take(np.flatnonzero(held_b)))


def divide(pictures: Pictures, share: float) -> tuple[Pictures, Pictures]:
    """Pictures to train on, and those held out."""
    held = held_out_rows(pictures, share)
    return pictures.take(np.flatnonzero(~held)), pictures.take(np.flatnonzero(held))


def build_game(options: Options, material: Material, *, fabric: Fabric) -> Game:
    """The game of the options on these pictures, with fresh networks."""
    return game_kind(options)(options, material, fabric=fabric)


def train(options: Options, material: Material | None = None) -> Path:
    """Train, or go on with, the run in `options.out`; returns its folder.

    Raises:
        InputError: the data or options cannot be used. DivergedError: something is not finite.
    """
    material = material or load_material(options)
    if options.devices <= 1:
        launch(options, partial(_work, options=options, material=material, queue=None))
        return options.out
    with _relayed() as queue:
        failure = launch(options, partial(_work, options=options, material=material, queue=queue))
    if failure is not None:
        raise failure
    return options.out


def make_fabric(options: Options) -> Fabric:
    """Fabric for the options: several devices, or processes on a CPU, share batches through DDP's process group."""
    return Fabric(
        accelerator=options.accelerator,
        devices=max(options.devices, 1),
        strategy="ddp_spawn" if options.devices > 1 else "auto",
        precision=options.precision,
    )


def launch(options: Options, work: Callable[[Fabric], Any]) -> Any:
    """`work(fabric)` in every process; what the first one returns. Its arguments are bound to it, as Fabric refuses to
    hand frozen dataclasses on."""
    return make_fabric(options).launch(work)


@contextmanager
def _relayed() -> Iterator[SimpleQueue[Progress | None]]:
    """A queue whose progress reports, from another process, are told to this one's listener."""
    queue: SimpleQueue[Progress | None] = multiprocessing.get_context("spawn").SimpleQueue()

    def pump() -> None:
        while (item := queue.get()) is not None:
            report(item[0], item[1], what=item[2])

    thread = threading.Thread(target=contextvars.copy_context().run, args=(pump,), daemon=True)
    thread.start()
    try:
        yield queue
    finally:
        queue.put(None)
        thread.join()


def _work(
    fabric: Fabric, *, options: Options, material: Material, queue: SimpleQueue[Progress | None] | None
) -> MojingError | None:
    """What every process does. A process that was spawned hands its error back, as a traceback would lose its type."""
    torch.set_num_threads(max(options.threads // fabric.world_size, 1))
    if queue is None:
        Trial(options, material, fabric=fabric).run_all()
        return None

    def tell(done: int, total: int, *, what: str) -> None:
        if fabric.is_global_zero:
            queue.put((done, total, what))

    try:
        with listening(tell):
            Trial(options, material, fabric=fabric).run_all()
    except MojingError as error:
        return error
    return None


class Trial:
    """One process's part of a run."""

    def __init__(self, options: Options, material: Material, *, fabric: Fabric) -> None:
        minutes = options.minutes or (math.inf if options.steps else DEFAULT_MINUTES)
        self.options, self.material, self.fabric = options, material, fabric
        self.first = fabric.is_global_zero
        self.game = build_game(options, material, fabric=fabric)
        self.facts = describe(self.game, material)
        check_same(options, self.facts)
        if options.metrics_samples and not material.train.points:
            check_features(options.features)
        self.watch = Watch(self.game)
        self.run = Run(options.out, minutes=minutes, steps=options.steps, clock=CLOCKS[options.clock])
        self.board: Board | None = None
        self.yardstick: Yardstick | None = None
        self.counted = (0, 0.0)

    def run_all(self) -> None:
        """Play until the budget is spent."""
        with self.opened():
            if self._progress() >= 1:
                return
            while self._progress() < 1:
                self.once()
            if self.first:
                self._finish()
        self.fabric.barrier()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The run's files and clock, ready for `once`: from the last checkpoint, if there is one."""
        state = self.run.load()
        self.fabric.barrier()
        if state is not None and "game" not in state:
            raise InputError("bad_data", f"{self.run.folder} holds a run of another kind", "give another --out")
        if state is not None:
            self.game.restore(state["game"])
            self.watch.restore(state["watch"])
        if self.first:
            self._open(new=state is None)
        self.counted = (self.run.step, self.run.spent)
        self.run.start()
        with self._board():
            try:
                yield
            except DivergedError as error:
                if self.first:
                    self.run.log(event="nan", tensor=error.tensor, step=error.step)
                raise

    def once(self) -> None:
        """One step, and whatever is told and saved after it."""
        run, game, o = self.run, self.game, self.options
        progress = self._progress()
        factor = pace(o.schedule, progress)
        for player in game.players.values():
            player.pace(factor)
        game.advance(progress)
        stats = game.play(run.step)
        run.tick()
        self._tell(stats, factor)
        if self.first:
            run.save(self._state(), every_s=o.save_every)

    def _progress(self) -> float:
        """Share of the budget that is spent, the same in all processes."""
        if self.fabric.world_size == 1 or not self.options.minutes:
            return self.run.progress
        return float(self.fabric.broadcast(self.run.progress))

    def _open(self, *, new: bool) -> None:
        """Write what is known before the first step, or drop what the log says of steps that will be run again."""
        run, o = self.run, self.options
        facts = self.facts
        record = {**plain(o), "facts": facts}
        (run.folder / "options.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        (run.folder / "data.json").write_text(json.dumps(about(self.material), indent=1, ensure_ascii=False) + "\n")
        if not new:
            run.rewind()
            return
        (run.folder / "log.jsonl").unlink(missing_ok=True)
        skipped = len(self.material.train.skipped)
        run.log(event="data", images=facts["images"], held_out=facts["held_out"], skipped=skipped)

    def _board(self) -> contextlib.AbstractContextManager[Board | None]:
        if self.first and self.options.tensorboard:
            self.board = Board(self.run.folder / "tb", step=self.run.step)
            return self.board
        return contextlib.nullcontext()

    def _tell(self, stats: dict[str, Tensor], factor: float) -> None:
        """Log, samples and metrics, each when its step has come."""
        o, run = self.options, self.run
        if _due(run.step, o.log_every):
            if self.fabric.world_size > 1:
                means = self.fabric.all_reduce(torch.stack([v.float() for v in stats.values()]), reduce_op="mean")
                assert isinstance(means, Tensor)
                stats = dict(zip(stats, means.unbind(), strict=True))
            if self.first:
                row = self.watch.row(run.step, stats)
                self._log(
                    "run", {**row, "images_per_s": self._speed(), "lr_d": o.lr_d * factor, "lr_g": o.lr_g * factor}
                )
        if self.first and _due(run.step, o.samples_every):
            self._sheet()
        if self.first and o.metrics_samples and _due(run.step, o.metrics_every):
            self._measure()

    def _speed(self) -> float:
        """Pictures a second since the last log row, over all processes."""
        steps, seconds = self.run.step - self.counted[0], self.run.spent - self.counted[1]
        self.counted = (self.run.step, self.run.spent)
        return steps * self.options.batch * self.fabric.world_size / max(seconds, 1e-9)

    def _log(self, group: str, row: dict[str, float | None], *, event: str | None = None) -> None:
        self.run.log(**({"event": event} if event else {}), **row)
        if self.board is not None:
            self.board.scalars(group, row, self.run.step)

    def _sheet(self) -> None:
        picture = write_sheet(self.game, self.run.folder, self.run.step)
        if self.board is not None:
            self.board.picture(picture, self.run.step)
            self.board.gradients(self.game, self.run.step)

    def _measure(self) -> None:
        self.yardstick = self.yardstick or Yardstick(self.material, self.options)
        row = self.yardstick.row(self.game)
        if row:
            self._log("metrics", row, event="metrics")

    def _finish(self) -> None:
        """Last samples, metrics, the end's row and checkpoint."""
        o, run = self.options, self.run
        if not _due(run.step, o.samples_every):
            self._sheet()
        if o.metrics_samples and not _due(run.step, o.metrics_every):
            self._measure()
        run.log(event="end", reason="steps" if o.steps and run.step >= o.steps else "minutes")
        run.save(self._state())

    def _state(self) -> dict[str, Any]:
        return {"game": self.game.state(), "watch": self.watch.state()}


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def plain(options: Options) -> dict[str, Any]:
    """The options as JSON knows them."""
    return {name: str(v) if isinstance(v, Path) else v for name, v in asdict(options).items()}


def about(material: Material) -> dict[str, Any]:
    """What data.json says: which pictures were held out, which were left out and why."""
    out: dict[str, Any] = {
        "held_out": list(material.held.names),
        "skipped": [{"name": name, "reason": reason} for name, reason in material.train.skipped],
        "classes": list(material.train.classes),
    }
    if material.second is not None:
        held = material.second_held
        out["second"] = {
            "held_out": list(held.names) if held is not None else [],
            "skipped": [{"name": name, "reason": reason} for name, reason in material.second.skipped],
        }
    return out


def describe(game: Game, material: Material) -> dict[str, Any]:
    """Facts about a run: the pictures and the networks."""
    train, labels = material.train, material.train.labels
    classes = len(np.unique(labels)) if labels is not None else 0
    conditions = train.conditions
    return {
        "images": len(train),
        "held_out": len(material.held),
        "size": train.size,
        "hw": list(train.hw),
        "channels": train.channels,
        "channels_b": material.second.channels if material.second is not None else 0,
        "points": train.points,
        "classes": max(len(train.classes), int(labels.max()) + 1 if labels is not None else 0, classes),
        "class_names": list(train.classes),
        "conditions": 0 if conditions is None else int(conditions.shape[1]),
        "parameters": {name: sum(p.numel() for p in player.net.parameters()) for name, player in game.players.items()},
    }


def check_same(options: Options, facts: Mapping[str, Any]) -> None:
    """Refuse to go on with a run of other networks or of other pictures.

    Raises:
        InputError: bad_options.
    """
    path = options.out / "options.json"
    if not path.exists() or not (options.out / "last.pt").exists():
        return
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        before = {**record["facts"], **record}
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputError("bad_data", f"{path} is not what a run wrote: {exc}", "give another --out") from exc
    now = {**facts, **plain(options)}
    for name in _SHAPE:
        if before.get(name) != now[name]:
            raise InputError(
                "bad_options",
                f"{options.out} was begun with {name} {before.get(name)}, not {now[name]}",
                hint="give the same options to go on, or another --out for a new run",
            )


def dry_run(options: Options, material: Material) -> dict[str, Any]:
    """One step forward and back on the real data, nothing written: options, data, networks, and the step's figures."""
    options = replace(options, devices=1)
    torch.set_num_threads(options.threads)
    found: list[dict[str, Any]] = []

    def once(fabric: Fabric) -> None:
        game = build_game(options, material, fabric=fabric)
        stats = game.play(0)
        row = Watch(game).row(0, stats)
        found.append({"facts": describe(game, material), "step": row, "networks": networks(game)})

    launch(options, once)
    data = about(material)
    data["held_out"] = len(data["held_out"])
    facts = found[0].pop("facts")
    return {"options": plain(options), "data": {**facts, **data}, **found[0]}


def networks(game: Game) -> dict[str, Any]:
    """Class, parameters and optimizer of every player."""
    return {
        name: {
            "class": type(player.net).__name__,
            "parameters": sum(p.numel() for p in player.net.parameters()),
            "learning_rate": player.lr,
        }
        for name, player in game.players.items()
    }
