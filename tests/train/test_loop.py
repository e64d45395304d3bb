"""The training loop's parts: clock, checkpoint, average, prefetching, schedule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mojing.train.loop import Ema, Prefetch, Run, check_finite, cosine


def test_a_run_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    run = Run(tmp_path, minutes=10)
    run.start()
    for _ in range(3):
        run.tick()
    run.spent = 120.0
    run.save({"net": {"w": torch.ones(2)}})
    again = Run(tmp_path, minutes=10)
    state = again.load()
    assert state is not None
    assert torch.equal(state["net"]["w"], torch.ones(2))
    assert (again.step, again.spent) == (3, 120.0)
    assert again.progress == pytest.approx(0.2)


def test_a_budget_counts_what_its_clock_tells(tmp_path: Path) -> None:
    for name, seconds in (("busy", 30.0), ("idle", 6.0)):
        times = iter([0.0, 0.0, seconds])
        run = Run(tmp_path / name, minutes=1, clock=lambda times=times: next(times))  # type: ignore[misc]
        run.start()
        run.tick()
        assert run.progress == pytest.approx(seconds / 60)


def test_time_before_the_first_step_takes_from_the_budget_but_not_from_the_schedule(tmp_path: Path) -> None:
    times = iter([0.0, 0.0, 120.0])
    run = Run(tmp_path, minutes=10, clock=lambda: next(times))
    run.start()
    run.prepared()
    run.save({})
    assert (run.spent, run.progress) == (120.0, 0.0)
    again = Run(tmp_path, minutes=10)
    again.load()
    again.spent += 240.0
    assert again.progress == pytest.approx(240 / 480)


def test_saving_waits_for_its_time(tmp_path: Path) -> None:
    run = Run(tmp_path, minutes=1)
    run.spent = 10.0
    run.save({"a": 1}, every_s=60)
    assert not (tmp_path / "last.pt").exists()
    run.spent = 70.0
    run.save({"a": 1}, every_s=60)
    assert (tmp_path / "last.pt").exists()


def test_the_log_is_one_json_object_a_line(tmp_path: Path) -> None:
    run = Run(tmp_path, minutes=1)
    run.log(loss=0.123456789, event="x")
    run.log(loss=1.0)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[0]["loss"] == 0.12346
    assert len(rows) == 2


def test_the_average_approaches_the_weights() -> None:
    net = nn.Linear(3, 2)
    ema = Ema(net, decay=0.9)
    with torch.no_grad():
        net.weight.fill_(1.0)
    for _ in range(200):
        ema.update(net)
    assert torch.allclose(next(ema.net.parameters()), net.weight, atol=1e-4)
    assert not any(p.requires_grad for p in ema.net.parameters())


def test_prefetching_keeps_order_and_raises_what_the_thread_raised() -> None:
    def make(step: int) -> int:
        if step == 5:
            raise ValueError("broken batch")
        return step

    batches = Prefetch(make, start=2)
    assert [next(batches) for _ in range(3)] == [2, 3, 4]
    with pytest.raises(ValueError, match="broken batch"):
        next(batches)
    batches.close()


@given(st.floats(0, 1))
def test_the_learning_rate_stays_between_floor_and_peak(progress: float) -> None:
    assert 0.0 < cosine(progress) <= 1.0


def test_the_learning_rate_rises_then_falls() -> None:
    assert cosine(0.001) < cosine(0.03) > cosine(0.5) > cosine(1.0)


def test_a_loss_that_is_not_a_number_stops_the_run_and_names_the_part() -> None:
    with pytest.raises(FloatingPointError, match=r"step 7.*ce"):
        check_finite(torch.tensor(float("nan")), {"ce": float("nan"), "bce": 1.0}, 7)
