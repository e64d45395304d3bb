"""The laboratory's and studio's tables of docs/results.md, from what the commands wrote; used by tools/results.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from results_makeup import Figures, dig

COMMANDS = {
    "gan": "mojing eval gan RUNS/modern --against RUNS/dcgan --against RUNS/wgan-gp --data RUNS/design/designs.npz "
    "--json gan.json",
    "gan-shipped": "mojing eval gan src/mojing/models/design.onnx --data RUNS/design/designs.npz "
    "--json gan-shipped.json",
    "design": "mojing design check --json design.json",
    "bench-design": "mojing bench design --json > bench-design.json",
    "bench-gan": "mojing bench gan --width 16 --rounds 3 --json > bench-gan.json",
    "tryon-baselines": "mojing eval tryon --data DATA --teacher LABELS --baseline RUNS/pix2pix/export "
    "--baseline RUNS/cyclegan/export --json tryon-baselines.json",
}
"""File of figures -> the command that writes it."""

SHOWN = ("fid", "kid", "precision", "recall", "density", "coverage")
MUST_BEAT = ("fid", "kid", "coverage")


def _number(value: Any, digits: int = 2) -> str:
    return "not measured" if value is None else f"{value:.{digits}f}"


def _percent(value: Any) -> str:
    return "not measured" if value is None else f"{100 * value:.0f} %"


def _mean(values: Iterable[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _gains(figures: Figures) -> str:
    """By how much ours is better than each of the others."""
    found = dig(figures, "gan.improvement_percent") or {}
    said = []
    for other, gains in found.items():
        parts = [f"{name} {'not told' if gains[name] is None else f'{gains[name]:+.0f} %'}" for name in MUST_BEAT]
        said.append(f"{other}: {', '.join(parts)}")
    return "; ".join(said) or "not measured"


def targets(figures: Figures) -> list[tuple[str, str, str, str]]:
    """Rows: what, target, value, file."""
    edits: Mapping[str, Any] = figures.get("design", {})
    changed = _mean(verdict["changed"] for verdict in edits.values())
    kept = _mean(verdict["kind_kept"] for verdict in edits.values())
    return [
        ("generator against others at equal compute, better by", ">= 30 % each", _gains(figures), "gan"),
        ("recall of the shipped generator", ">= 0.3", _number(dig(figures, "gan-shipped.generated.recall")),
         "gan-shipped"),
        ("edits change what was asked / keep the kind", ">= 80 % / >= 90 %", f"{_percent(changed)} / {_percent(kept)}",
         "design"),
        ("designs a second at 128 px, 2 threads", ">= 100", _number(dig(figures, "bench-design.designs_per_s"), 0),
         "bench-design"),
        ("CPU time of the training loop over a plain loop's", "<= 1.10",
         _number(dig(figures, "bench-gan.cpu_time_ratio")), "bench-gan"),
    ]  # fmt: skip


def _generators(figures: Figures) -> list[str]:
    """A row for every generator at equal compute and for the shipped one, and one for training pictures instead."""
    gan: Mapping[str, Any] = figures.get("gan", {})
    shipped: Mapping[str, Any] = figures.get("gan-shipped", {})
    rows = [("ours", gan), *(dig(figures, "gan.against") or {}).items()] if gan else []
    rows += [("ours as shipped, longer trained", shipped)] if shipped else []
    if not rows:
        return []
    lines = [
        "| generator | trained | px | FID | KID | precision | recall | density | coverage |",
        "|" + "---|" * 9,
    ]
    for name, found in rows:
        told, side = found.get("training") or {}, found.get("size_px", "")
        lines.append(f"| {name} | {_spent(told)} | {side} | {_shown(found['generated'])} |")
    first = rows[0][1]
    real = first.get("training_pictures_instead")
    if real:
        lines.append(f"| training pictures |  | {first.get('size_px', '')} | {_shown(real)} |")
    held, looked = first["real"]["held_out"], first["extractor"]
    note = f"{first['samples']} samples of each against {held} held-out garments, features of {looked}."
    return [*lines, "", note, ""]


def _shown(found: Mapping[str, Any]) -> str:
    return " | ".join(_number(found[key], 3) for key in SHOWN)


def _spent(told: Mapping[str, Any]) -> str:
    """What a training took; a budget of CPU time counts all threads together."""
    for key in told:
        if key.startswith("minutes_on_"):  # of a shipped model's description
            return f"{told[key]:.0f} minutes on {key.removeprefix('minutes_on_').replace('_', ' ')}"
    if not {"minutes", "threads"} <= told.keys():
        return ""
    if told.get("clock") == "cpu":
        return f"{told['minutes']:.0f} CPU minutes"
    return f"{told['minutes']:.0f} minutes x {told['threads']} threads"


METHODS = {"drape_only": "drape only", "pix2pix": "pix2pix", "cyclegan": "CycleGAN", "gan": "ours"}


def _tryons(figures: Figures) -> list[str]:
    """A row for every way to put a garment back on."""
    found: Mapping[str, Any] = dig(figures, "tryon-baselines.put_back") or {}
    trained: Mapping[str, Any] = dig(figures, "tryon-baselines.training_of_baselines") or {}
    if not found:
        return []
    lines = ["| put back by | trained | SSIM | L1 | Fréchet |", "|---|---|---|---|---|"]
    for name, title in METHODS.items():
        if name in found:
            shown = " | ".join(_number(found[name][key], 3) for key in ("ssim", "l1", "frechet"))
            lines.append(f"| {title} | {_spent(trained.get(name) or {})} | {shown} |")
    return [*lines, "", f"{found['people']} held-out people, one drape and one edit region for all.", ""]


def _edits(figures: Figures) -> list[str]:
    edits = figures.get("design", {})
    if not edits:
        return []
    lines = ["| edit | changed as asked | kind kept | exactly | edits judged |", "|---|---|---|---|---|"]
    for name, verdict in edits.items():
        shares = " | ".join(_percent(verdict[key]) for key in ("changed", "kind_kept", "kind_kept_exactly"))
        lines.append(f"| {name} | {shares} | {verdict['tried']} |")
    return [*lines, ""]


def section(figures: Figures) -> list[str]:
    """The target table, that of the generators, that of the edits, and the commands, in Markdown."""
    lines = ["| what | target | now | file |", "|---|---|---|---|"]
    lines += [f"| {what} | {target} | {value} | {name} |" for what, target, value, name in targets(figures)]
    lines += ["", *_generators(figures), *_edits(figures), *_tryons(figures), "The files come from:", ""]
    return [*lines, *(f"- {name}: `{command}`" for name, command in COMMANDS.items()), ""]
