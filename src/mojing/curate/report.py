"""The report on a folder: one HTML page that needs no other file, and two CSV tables."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Final

from mojing.core.errors import InputError
from mojing.core.image import encode, load
from mojing.core.progress import track
from mojing.curate.check import REASONS, Flag, shrunk
from mojing.curate.files import result_folder, write_lines
from mojing.curate.pipeline import Survey, write_csv

THUMB_SIDE: Final = 112
_CHINESE: Final[dict[str, str]] = {
    "corrupt": "损坏",
    "truncated": "不完整",
    "too large": "过大",
    "tiny": "过小",
    "wrong ratio": "比例不当",
    "near-blank": "近乎空白",
    "blurred": "模糊",
    "duplicate": "重复",
    "near-duplicate": "近似重复",
    "off-topic": "偏离主题",
}
assert _CHINESE.keys() == REASONS.keys()

_STYLE: Final = """
body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0}
th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:middle}
th{background:#f4f4f4}table.s th{position:sticky;top:0;cursor:pointer;user-select:none}
td.n{text-align:right;font-variant-numeric:tabular-nums}
th[aria-sort=ascending]::after{content:" ▲"}th[aria-sort=descending]::after{content:" ▼"}
img{max-width:112px;max-height:112px;display:block}
td.f{word-break:break-all;max-width:22rem}
"""

_SCRIPT: Final = """
document.querySelectorAll("table.s").forEach(table => {
  const body = table.tBodies[0];
  const pick = document.getElementById("reason");
  table.querySelectorAll("th").forEach((th, column) => th.addEventListener("click", () => {
    const up = th.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => { const cell = row.cells[column]; return cell.dataset.v ?? cell.textContent; };
    const numeric = th.dataset.n === "1";
    const order = (a, b) => numeric ? (parseFloat(value(a)) || 0) - (parseFloat(value(b)) || 0)
                                    : value(a).localeCompare(value(b));
    [...body.rows].sort((a, b) => up ? order(a, b) : order(b, a)).forEach(row => body.append(row));
  }));
  pick.addEventListener("change", () => [...body.rows].forEach(row => {
    row.hidden = pick.value !== "" && row.dataset.reason !== pick.value;
  }));
});
"""


def write_report(found: Survey, out: Path) -> tuple[Path, Path, Path]:
    """Write report.html, flags.csv (a row for every reason) and pictures.csv (a row for every picture) into `out`.

    Raises:
        InputError: unwritable.
    """
    result_folder(out, source=found.folder, empty=False)
    page = write_lines(out / "report.html", [_page(found)])
    flags = write_csv(
        out / "flags.csv",
        header=("file", "reason", "figure", "limit", "like", "words"),
        rows=[
            (p.name, f.reason, _text(f.figure), _text(f.limit), f.like, f.words)
            for p in found.pictures
            for f in p.flags
        ],
    )
    rows = [
        (
            p.name,
            p.size_bytes,
            *((p.hw[1], p.hw[0]) if p.hw else ("", "")),
            _text(p.sharpness),
            _text(p.contrast),
            _text(strange),
            group,
            "; ".join(flag.reason for flag in p.flags),
        )
        for p, group, strange in zip(found.pictures, found.groups, found.strange, strict=True)
    ]
    header = ("file", "bytes", "width", "height", "sharpness", "contrast", "strangeness", "group", "reasons")
    return page, flags, write_csv(out / "pictures.csv", header=header, rows=rows)


def _text(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.6g}"


def _page(found: Survey) -> str:
    flagged = sum(bool(p.flags) for p in found.pictures)
    title = f"{found.folder.name}: {flagged} of {len(found.pictures)} pictures flagged"
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in found.notes)
    counts = "".join(
        f'<tr><td>{reason} <span lang="zh">{_CHINESE[reason]}</span></td><td class="n">{count}</td>'
        f"<td>{html.escape(REASONS[reason])}</td></tr>"
        for reason, count in found.counts().items()
    )
    choices = "".join(f"<option>{reason}</option>" for reason, count in found.counts().items() if count)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{html.escape(title)}</h1>
<p>Nothing was deleted or changed. A picture can have several reasons. Click a heading to sort.
<span lang="zh">没有删除或修改任何图片；点击表头可排序。</span></p>
<ul>{notes}</ul>
<table><tr><th>reason</th><th>pictures</th><th>meaning</th></tr>{counts}</table>
<p><label>Show <select id="reason"><option value="">all</option>{choices}</select></label></p>
<table class="s"><thead><tr><th>picture</th><th>file</th><th>reason</th><th data-n="1">figure</th>
<th data-n="1">limit</th><th>words</th><th>like</th></tr></thead>
<tbody>{_rows(found)}</tbody></table><script>{_SCRIPT}</script></body></html>"""


def _rows(found: Survey) -> str:
    thumbs: dict[str, str] = {}
    rows = []
    flags = [(p.name, flag) for p in found.pictures for flag in p.flags]
    flags.sort(key=lambda item: (list(REASONS).index(item[1].reason), item[1].figure or 0.0, item[0]))
    for name, flag in track(flags, "report"):
        for wanted in (name, flag.like):
            if wanted and wanted not in thumbs:
                thumbs[wanted] = _thumb(found.folder / wanted)
        rows.append(_row(name, flag, thumbs=thumbs))
    return "\n".join(rows)


def _row(name: str, flag: Flag, *, thumbs: dict[str, str]) -> str:
    like = f"{thumbs[flag.like]}{html.escape(flag.like)}" if flag.like else ""
    shown = html.escape(_text(flag.figure))
    return (
        f'<tr data-reason="{flag.reason}"><td data-v="{html.escape(name)}">{thumbs[name]}</td>'
        f'<td class="f">{html.escape(name)}</td><td>{flag.reason}</td><td class="n">{shown}</td>'
        f'<td class="n">{_text(flag.limit)}</td><td>{html.escape(flag.words)}</td><td class="f">{like}</td></tr>'
    )


def _thumb(path: Path) -> str:
    """The picture as an <img> that holds its own data; nothing where it cannot be read."""
    try:
        small = shrunk(load(path, min_side=1).flat(), THUMB_SIDE)
    except InputError:
        return ""
    return f'<img alt="" src="data:image/webp;base64,{base64.b64encode(encode(small, "WEBP")).decode()}">'
