"""The tables of docs/results.md from the files the measuring commands wrote: python tools/results.py DIR

DIR holds body.json, garment.json, tryon.json (`mojing eval ... --json`) and bench.json (`mojing bench tryon --json`),
for make-up face.json, makeup.json, transfer.json, match.json and bench-makeup.json, and for laboratory and studio
gan.json, design.json, bench-design.json and bench-gan.json. What is missing is left out, and tables of which nothing is
there stay. The tables replace what stands between the markers in docs/results.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import results_gan
from results_makeup import COMMANDS, section

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "results.md"
START, END = "<!-- tables: tools/results.py -->", "<!-- end of tables -->"
MAKEUP_START, MAKEUP_END = "<!-- make-up tables: tools/results.py -->", "<!-- end of make-up tables -->"
GAN_START, GAN_END = "<!-- GAN tables: tools/results.py -->", "<!-- end of GAN tables -->"
COCO = 17


def read(folder: Path, name: str) -> dict[str, Any]:
    """One file of figures; empty when it is not there."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    """A Markdown table."""
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row) + " |" for row in rows]
    return [*out, ""]


def coco_pck(figures: dict[str, Any]) -> float:
    """Mean of the PCKs of COCO's joints that were counted."""
    values = [v for v in list(figures["by_name"].items()) if not v[0].endswith(("hand", "toe"))]
    return sum(v for _, v in values) / len(values)


def body(d: dict[str, Any]) -> list[str]:
    """Parsing and joints."""
    if not d:
        return []
    out = ["### Body", "", "`mojing eval body --data DATA --teacher LABELS --json body.json`", ""]
    groups = d["parsing"]["groups"]
    out += table(("parsing, IoU", "value"), [*groups.items(), ("**mean of the twelve**", d["parsing"]["mean_iou"])])
    rows = [
        (name, d[key]["pck"], coco_pck(d[key]), d[key]["points"])
        for name, key in (("full length", "pck_full_length"), ("upper-body crops", "pck_upper_crops"))
    ]
    head = ("joints, PCK at 0.2 torso", "all 21", "COCO's 17, mean over joints", "joints counted")
    return out + table(head, rows)


def garment(d: dict[str, Any]) -> list[str]:
    """Cut-out and anchors."""
    if not d:
        return []
    out = ["### Garment", "", "`mojing eval garment --data DATA --teacher LABELS --json garment.json`", ""]
    rows = [
        (k, d[k]["iou"], d[k]["iou_median"], d[k]["anchors"]["pck"], d[k]["category_right"], d[k]["sleeve_right"])
        for k in ("plain", "busy")
        if k in d
    ]
    head = ("background", "IoU mean", "IoU median", "anchors PCK at 0.1 height", "category right", "sleeve right")
    out += table(head, rows)
    if "lying" in d:
        real = d["lying"]
        head = ("garments as they lie or hang, held-out senders", "category right", "sleeve right")
        out += table(head, [(f"{real['photos']} photos", real["category_right"], real["sleeve_right"])])
    return out


def flat(d: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Leaves of a nested dictionary as (dotted name, value)."""
    rows: list[tuple[str, Any]] = []
    for key, value in d.items():
        rows += flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return rows


def other(title: str, command: str, d: dict[str, Any]) -> list[str]:
    """Every figure of a report in one table."""
    if not d:
        return []
    rows = [
        (k, v)
        for k, v in flat(d)
        if "with_poor_ones" not in k and isinstance(v, int | float | None) and not isinstance(v, bool)
    ]
    return [f"### {title}", "", f"`{command}`", "", *table(("figure", "value"), rows)]


def main() -> int:
    """Rewrite the tables in docs/results.md."""
    folder = Path(sys.argv[1])
    lines = [*body(read(folder, "body")), *garment(read(folder, "garment"))]
    lines += other("Try-on", "mojing eval tryon --data DATA --teacher LABELS --json tryon.json", read(folder, "tryon"))
    lines += other("Speed and size", "mojing bench tryon --json", read(folder, "bench"))
    text = TARGET.read_text()
    if lines:
        text = between(text, (START, END), lines=lines)
    figures = {name: read(folder, name) for name in COMMANDS}
    if any(figures.values()):
        text = between(text, (MAKEUP_START, MAKEUP_END), lines=section(figures))
    figures = {name: read(folder, name) for name in results_gan.COMMANDS}
    if any(figures.values()):
        text = between(text, (GAN_START, GAN_END), lines=results_gan.section(figures))
    TARGET.write_text(text)
    return 0


def between(text: str, markers: tuple[str, str], *, lines: list[str]) -> str:
    """The page with these lines between two markers."""
    before, rest = text.split(markers[0])
    return before + markers[0] + "\n\n" + "\n".join(lines) + markers[1] + rest.split(markers[1])[1]


if __name__ == "__main__":
    raise SystemExit(main())
