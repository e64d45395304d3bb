"""The one training loop: time-budgeted, resumable, with an exponential moving average of the weights.

Progress is the share of the training-time budget that is spent, so a schedule means the same on any machine.
"""

from __future__ import annotations

import copy
import json
import math
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import torch
from torch import nn

from mojing.core.progress import report

T = TypeVar("T")

Clock = Callable[[], float]

CLOCKS: Final[dict[str, Clock]] = {"wall": time.monotonic, "cpu": time.process_time}
"""What a budget can be counted in: seconds on the wall's clock, or those that this process's threads had a CPU."""


class Ema:
    """Exponential moving average of a network's weights and of its running statistics; counters are copied."""

    def __init__(self, net: nn.Module, decay: float = 0.998) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for weight, now in zip(self.net.parameters(), net.parameters(), strict=True):
            weight.lerp_(now.detach(), 1 - decay)
        for mean, buffer in zip(self.net.buffers(), net.buffers(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(buffer, 1 - decay)
            else:
                mean.copy_(buffer)


class Prefetch(Generic[T]):
    """Runs `make(step)` in a thread, a few batches ahead; an error in the thread is raised at the next `next()`."""

    def __init__(self, make: Callable[[int], T], *, start: int = 0, depth: int = 3) -> None:
        self.queue: queue.Queue[T | BaseException] = queue.Queue(depth)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(make, start), daemon=True)
        self.thread.start()

    def _run(self, make: Callable[[int], T], step: int) -> None:
        while not self.stop.is_set():
            try:
                item: T | BaseException = make(step)
            except BaseException as error:  # handed to the training thread, which raises it
                item = error
            while not self.stop.is_set():
                try:
                    self.queue.put(item, timeout=0.5)
                    break
                except queue.Full:
                    continue
            step += 1

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        item = self.queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """Stop the thread; batches not taken are dropped."""
        self.stop.set()


def cosine(progress: float, *, warmup: float = 0.03, floor: float = 0.02) -> float:
    """Learning-rate factor at `progress` in [0, 1]: linear warm-up, then cosine down to `floor` (arXiv:1608.03983)."""
    if progress < warmup:
        return max(progress / warmup, 0.02)
    t = min((progress - warmup) / (1 - warmup), 1.0)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * t))


class Run:
    """A run's folder: log.jsonl, last.pt, and the clock that counts training time over restarts.

    `clock` tells seconds: of the wall, or `time.process_time`, by which runs on a busy machine compare.
    """

    def __init__(self, folder: Path, *, minutes: float, steps: int = 0, clock: Clock = time.monotonic) -> None:
        self.folder = folder
        self.budget = minutes * 60
        self.steps = steps
        self.spent = 0.0
        self.lead = 0.0
        self.step = 0
        self.clock = clock
        self._last = clock()
        self._saved = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def progress(self) -> float:
        """Share of the budget that is spent, in [0, 1]: of the time or, where given, of the steps if that is more.

        It is 0 at the first step, whatever was spent before it (`prepared`).
        """
        share = self.step / self.steps if self.steps else 0.0
        return min(max((self.spent - self.lead) / max(self.budget - self.lead, 1.0), share), 1.0)

    def start(self) -> None:
        """Start the clock; loading the data does not count."""
        self._last = self.clock()

    def prepared(self) -> None:
        """Count the time since `start` as spent before the first step: it takes from the budget, not from schedules."""
        self._lap()
        self.lead = self.spent

    def _lap(self, most: float = math.inf) -> None:
        now = self.clock()
        self.spent += min(now - self._last, most)
        self._last = now

    def tick(self) -> None:
        """Count one step and the time since the last one (a sleeping machine counts for at most a minute)."""
        self._lap(60.0)
        self.step += 1
        if self.steps:
            report(min(self.step, self.steps), self.steps, what="steps of training")
        else:
            report(int(min(self.spent, self.budget)), int(self.budget), what="seconds of training")

    def log(self, **values: float | str | None) -> None:
        """Append one line to log.jsonl, floats to five significant digits or more."""
        row: dict[str, Any] = {"step": self.step, "minutes": round(self.spent / 60, 2), **values}
        short = {k: _short(v) if isinstance(v, float) else v for k, v in row.items()}
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(short) + "\n")

    def rewind(self) -> None:
        """Drop the log's rows of steps after the one that was loaded: they will be run again."""
        path = self.folder / "log.jsonl"
        if not path.exists():
            return
        kept = []
        for line in path.read_text().splitlines(keepends=True):
            try:
                if line.endswith("\n") and json.loads(line)["step"] <= self.step:
                    kept.append(line)
            except ValueError:
                continue  # half a line, cut off by whatever stopped the run
        temporary = path.with_suffix(".tmp")
        temporary.write_text("".join(kept))
        os.replace(temporary, path)

    def save(self, state: dict[str, Any], *, every_s: float = 0.0) -> None:
        """Write last.pt atomically, at most once in `every_s` seconds."""
        if every_s and self.spent - self._saved < every_s:
            return
        self._saved = self.spent
        temporary = self.folder / "last.pt.tmp"
        torch.save({"spent": self.spent, "lead": self.lead, "step": self.step, **state}, temporary)
        os.replace(temporary, self.folder / "last.pt")

    def load(self) -> dict[str, Any] | None:
        """Read last.pt, if there is one, and set the clock from it."""
        path = self.folder / "last.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.spent, self.step, self.lead = state.pop("spent"), state.pop("step"), state.pop("lead", 0.0)
        self._saved = self.spent
        return state


def descend(
    loss: torch.Tensor,
    parts: dict[str, float],
    *,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    clip: float = 5.0,
) -> None:
    """One update of a network's weights by a loss, its gradients shortened to a norm of `clip`.

    Raises:
        FloatingPointError: the loss is not finite; names the step and the part.
    """
    check_finite(loss, parts, step)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), clip)
    optimizer.step()


def checkpoint(net: nn.Module, ema: Ema, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What a run of one network needs to go on."""
    return {"net": net.state_dict(), "ema": ema.net.state_dict(), "optimizer": optimizer.state_dict()}


def restore(state: dict[str, Any], *, net: nn.Module, ema: Ema, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Bring a network, its average and its optimiser to where `checkpoint` left them after `step` steps."""
    net.load_state_dict(state["net"])
    ema.net.load_state_dict(state["ema"])
    ema.steps = step
    optimizer.load_state_dict(state["optimizer"])


def _short(value: float) -> float:
    return round(value, 5) if abs(value) >= 1 else float(f"{value:.5g}")


def check_finite(loss: torch.Tensor, parts: dict[str, float], step: int) -> None:
    """Stop a run whose loss is not a number, naming the step and the part."""
    if not torch.isfinite(loss):
        bad = [name for name, value in parts.items() if not math.isfinite(value)]
        raise FloatingPointError(
            f"loss is not finite at step {step}: {', '.join(bad) or 'sum'}; lower the learning rate"
        )
