"""The make-up tables of docs/results.md, from the files the measuring commands wrote; used by tools/results.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Figures = Mapping[str, Mapping[str, Any]]
"""By name: face, makeup, transfer, match, bench-makeup; empty where a file is missing."""

COMMANDS = {
    "face": "mojing eval face --data DATA --teacher LABELS --json face.json",
    "makeup": "mojing eval makeup --data DATA --teacher LABELS --json makeup.json",
    "transfer": "mojing eval transfer --data DATA --teacher LABELS --baseline RUNS/repaint/export "
    "--baseline RUNS/ours-equal/export --json transfer.json",
    "match": "mojing eval match --data DATA --teacher LABELS --json match.json",
    "bench-makeup": "mojing bench makeup --json > bench-makeup.json",
}


def dig(figures: Figures, path: str) -> Any:
    """The value at a dotted path whose first word is a file's name; None where there is none."""
    at: Any = figures
    for key in path.split("."):
        if not isinstance(at, Mapping) or key not in at:
            return None
        at = at[key]
    return at


def _number(value: Any, digits: int = 2) -> str:
    return "not measured" if value is None else f"{value:.{digits}f}"


def _worst(figures: Figures, name: str) -> Any:
    """Mean of the worst tone of a colour measure, judged or not."""
    groups = dig(figures, f"makeup.groups.{name}.tone.groups")
    return max(g["mean"] for g in groups.values()) if groups else None


def _better(figures: Figures, area: str) -> str:
    """Ours, and what it is compared with, by ΔE00 in an area."""
    methods = dig(figures, "transfer.transfer") or {}
    said = [f"{name} {_number(own.get(f'de00_{area}'))}" for name, own in methods.items() if f"de00_{area}" in own]
    return ", ".join(said) or "not measured"


def targets(figures: Figures) -> list[tuple[str, str, str, str]]:
    """Rows: what, target, value, command."""
    both: Callable[..., str] = lambda *paths, digits=2: " / ".join(_number(dig(figures, p), digits) for p in paths)  # noqa: E731
    rows = [
        (
            "mesh error on held-out portraits, % of the eyes' distance: all / lips and eyes",
            "<= 2.5 / <= 2.0",
            both("face.faces.error_pct", "face.faces.lips_eyes_pct"),
            "face",
        ),
        (
            "the same turned by 30° / with faces 64 px high",
            "<= 4",
            both("face.rolled.error_pct", "face.small.error_pct"),
            "face",
        ),
        ("jitter of a still face, 60 frames with noise, px at 640x480", "<= 0.3", _jitter(figures), "face"),
        (
            "rendered colour on synthetic faces, light known, ΔE00: mean / worst tone",
            "<= 2 / <= 3",
            f"{both('makeup.overall.colour_known_light.mean')} / {_number(_worst(figures, 'colour_known_light'))}",
            "makeup",
        ),
        (
            "the same, light found from the photo: mean / worst tone",
            "<= 2 / <= 3",
            f"{both('makeup.overall.colour.mean')} / {_number(_worst(figures, 'colour'))}",
            "makeup",
        ),
        (
            "transfer, ΔE00 where the look changes the face",
            "better than both baselines",
            _better(figures, "changed"),
            "transfer",
        ),
        (
            "transfer, ΔE00 of skin that the look leaves bare",
            "better than both baselines",
            _better(figures, "unchanged"),
            "transfer",
        ),
        (
            "transfer, greatest change outside the layers",
            "0",
            both("transfer.transfer.ours.outside_layers_max", digits=0),
            "transfer",
        ),
        (
            "640x480 video with a full look, 2 threads: frames/s / p95 ms",
            ">= 30 / <= 40",
            both("bench-makeup.fps", "bench-makeup.frame_p95_ms", digits=1),
            "bench-makeup",
        ),
        ("a 12-megapixel photo, full look, ms", "<= 700", both("bench-makeup.photo12mp_ms", digits=0), "bench-makeup"),
        ("artifacts of face and make-up, MB", "<= 8", both("bench-makeup.artifacts_mb"), "bench-makeup"),
        (
            "groups of tones and lights behind the best by more than is allowed ([fairness.md](fairness.md))",
            "none",
            _unfair(figures),
            "makeup",
        ),
    ]
    return rows


def _jitter(figures: Figures) -> str:
    found = dig(figures, "face.jitter")
    if not isinstance(found, Mapping):
        return "not measured"
    return _number(found.get("tracked_px"))


def _unfair(figures: Figures) -> str:
    found = dig(figures, "makeup.unfair")
    return "not measured" if found is None else ", ".join(found).replace("_", " ") or "none"


def section(figures: Figures) -> list[str]:
    """The target table and the commands in Markdown."""
    lines = ["| what | target | now | file |", "|---|---|---|---|"]
    lines += [f"| {what} | {target} | {value} | {name} |" for what, target, value, name in targets(figures)]
    lines += ["", "The files come from:", ""]
    return [*lines, *(f"- {name}: `{command}`" for name, command in COMMANDS.items()), ""]
