"""`mojing train doctor`, `mojing bench doctor` and `mojing bench modes`: how GAN runs fare, on the command line."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mojing.cli.console import progress_bar, say, to_json
from mojing.cli.lab import need_training

WIDTH = 110


def doctor(run: Path, *, as_json: bool) -> None:
    """Say what the log of a run tells; needs no torch."""
    from mojing.train.doctor import diagnose

    found = diagnose(run)
    if as_json:
        say(to_json({"run": str(run), "findings": [asdict(finding) for finding in found]}))
        return
    for finding in found:
        say(f"{finding.kind.replace('_', ' ')} (confidence {finding.confidence:.2f})")
        for title, text in (("seen", finding.evidence), ("do", finding.advice)):
            say(textwrap.fill(text, WIDTH, initial_indent=f"  {title:<6}", subsequent_indent=" " * 8))


def bench_doctor(*, as_json: bool, calibration: bool, keep: Path | None) -> None:
    """Make quick runs ill on purpose and count what the doctor says of them."""
    need_training()
    from mojing.train import sick

    with progress_bar():
        result = sick.bench(sick.CALIBRATION if calibration else sick.JUDGEMENT, keep=keep)
    say(to_json(result) if as_json else doctor_table(result))


def bench_modes(*, as_json: bool, data: Path | None, seed: int) -> None:
    """Count the modes that every recipe covers in equal CPU time."""
    need_training()
    from mojing.train import modes

    with progress_bar():
        result = modes.bench(data, seed=seed)
    say(to_json(result) if as_json else modes_table(result))


def doctor_table(result: dict[str, Any]) -> str:
    """The figures of `sick.bench` in columns."""
    lines = [f"{'illness':<22}{'runs':>6}{'detected':>10}{'told first':>12}   also told"]
    for kind, row in result["kinds"].items():
        also = ", ".join(f"{name} {count}" for name, count in row["also_told"].items())
        lines.append(f"{kind:<22}{row['runs']:>6}{row['detected']:>10}{row['told_first']:>12}   {also}")
    lines.append(
        f"detection {result['detection']:.3f} of {result['ill_runs']} ill runs (first {result['told_first']:.3f}), "
        f"false alarms {result['false_alarms']:.3f} of {result['healthy_runs']} healthy ones, seeds {result['seeds']}, "
        f"{result['cpu_seconds']:.0f} s of CPU time"
    )
    return "\n".join(lines)


def modes_table(result: dict[str, Any]) -> str:
    """The figures of `modes.bench` in columns."""
    lines = [f"{'problem':<10}{'recipe':<12}{'modes':>12}{'quality':>9}{'KL':>8}{'steps':>8}{'CPU s':>7}"]
    for row in result["rows"]:
        covered = f"{row['modes']} of {row['of']}"
        lines.append(
            f"{row['problem']:<10}{row['recipe']:<12}{covered:>12}{row['quality']:>9.3f}{row['kl']:>8.3f}"
            f"{row['steps']:>8}{row['seconds']:>7.1f}" + (f"  {row['failed']}" if "failed" in row else "")
        )
    for name, reason in result.get("skipped", {}).items():
        lines.append(f"{name} was left out: {reason}")
    if "classifier_accuracy" in result:
        lines.append(f"accuracy of the classifier on held-out pictures: {result['classifier_accuracy']:.3f}")
    return "\n".join(lines)
