"""A folder of designs: 0000.png ... (RGBA), designs.json (what each is), styles.npz (so that each can be edited again).

    {"format": 1, "model": "design@1a2b3c4d", "designs": [{"file": "0000.png", "seed": 7, "index": 0, "kind": "dress",
      "controls": {"truncation": 0.85, "color": "#008080"}, "category": "dress", "size": [128, 128],
      "anchors": {"neck": [x_px, y_px, confidence] or null, ...}, "attributes": {"sleeve": "none", ...},
      "neighbours": [{"id": "...", "distance": 9.1}, ...], "novelty": 0.62, "too_near": false, "notices": []}],
     "withheld": [{"seed": 7, "index": 3, "neighbours": [...], "novelty": 0.01}]}

neighbours, novelty and too_near are null where no index of the training garments is installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.color import linear_to_srgb, srgb_to_linear, to_uint8
from mojing.core.errors import InputError
from mojing.core.image import load, save
from mojing.studio.colours import hex_code, parse_colour
from mojing.studio.generate import Design
from mojing.studio.novelty import Novelty
from mojing.studio.shading import fill

INDEX, STYLES = "designs.json", "styles.npz"
_HINT = "give a folder, or a picture in a folder, that `mojing design` wrote"

Anchors = Mapping[str, Sequence[float] | None]


@dataclass(frozen=True, eq=False)
class Entry:
    """A design with what goes along into the try-on and onto the record.

    `anchors` are in px of the written picture; `category` is None for what is not put on (hats, shoes).
    """

    design: Design
    category: str | None = None
    anchors: Anchors = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    novelty: Novelty | None = None
    notices: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def write_designs(
    folder: Path, entries: Sequence[Entry], *, model: str, size: int | None = None, withheld: Sequence[Entry] = ()
) -> Path:
    """Write designs into a folder; `size` px a side, the generator's own by default. Returns the path of designs.json.

    Raises:
        InputError: unwritable.
    """
    rows = []
    for number, entry in enumerate(entries):
        name = f"{number:04d}.png"
        save(folder / name, enlarge(entry.design.rgba, size))
        rows.append({"file": name, **_record(entry), **_wearing(entry, size)})
    about = {
        "format": 1,
        "model": model,
        "designs": rows,
        "withheld": [_record(entry) for entry in withheld],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {f"{i:04d}": e.design.styles for i, e in enumerate(entries)}
        np.savez_compressed(folder / STYLES, allow_pickle=False, **arrays)
        path = folder / INDEX
        path.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as exc:
        raise InputError("unwritable", f"{folder} cannot be written: {exc.strerror}", "choose another place") from exc
    return path


def _record(entry: Entry) -> dict[str, Any]:
    design, novelty = entry.design, entry.novelty
    controls = dict(design.controls)
    if design.colour is not None:
        controls["color"] = hex_code(design.colour)
    return {
        "seed": design.seed,
        "index": design.index,
        "kind": design.kind,
        "controls": controls,
        "neighbours": None
        if novelty is None
        else [{"id": n.id, "distance": round(n.distance, 4)} for n in novelty.neighbours],
        "novelty": None if novelty is None else round(novelty.score, 4),
        "too_near": None if novelty is None else novelty.too_near,
        "notices": list(entry.notices),
        **entry.extra,
    }


def _wearing(entry: Entry, size: int | None) -> dict[str, Any]:
    own = entry.design.rgba.shape[0]
    side = own if size is None else size
    return {
        "category": entry.category,
        "size": [side, side],
        "anchors": {name: None if at is None else _moved(at, side / own) for name, at in entry.anchors.items()},
        "attributes": dict(entry.attributes),
    }


def _moved(at: Sequence[float], scale: float) -> list[float]:
    x, y, *rest = at
    return [round((x + 0.5) * scale - 0.5, 2), round((y + 0.5) * scale - 0.5, 2), *[round(v, 4) for v in rest]]


def enlarge(rgba: U8, side: int | None) -> U8:
    """A design (S, S, 4) at `side` px, resized in linear light with its colour weighted by its opacity."""
    if side is None or side == rgba.shape[0]:
        return rgba
    how = cv2.INTER_AREA if side < rgba.shape[0] else cv2.INTER_CUBIC
    a = rgba[..., 3:].astype(np.float32) / 255.0
    both = np.concatenate([srgb_to_linear(rgba[..., :3]) * a, a], axis=2)
    large = np.asarray(cv2.resize(both, (side, side), interpolation=how), np.float32).clip(0, 1)
    colour = linear_to_srgb(np.clip(large[..., :3] / np.maximum(large[..., 3:], 1e-3), 0, 1))
    return np.dstack([to_uint8(colour), to_uint8(large[..., 3])])


def crisp(rgba: U8, side: int) -> U8:
    """A design enlarged for the try-on, (side, side, 4): its edge steep again and its colour carried on beyond it.

    A generator's edges are a pixel or two wide; enlarged they would be worn as a halo.
    """
    large = enlarge(rgba, side)
    alpha = large[..., 3].astype(np.float32) / 255.0
    gain = max(2.0 * side / rgba.shape[0], 2.0)
    steep = np.clip((alpha - 0.5) * gain + 0.5, 0.0, 1.0)
    core = (alpha > 0.9).astype(np.float32)
    if not core.any():
        return large
    spread = fill(large[..., :3].astype(np.float32), core, sigma=max(side / 128, 1.0))
    keep = np.clip((alpha - 0.8) / 0.15, 0.0, 1.0)[..., None]
    colour = keep * large[..., :3] + (1.0 - keep) * spread
    return np.dstack([np.clip(np.rint(colour), 0, 255), np.rint(255.0 * steep)]).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Stored:
    """A design read back: the design at its own size, its row of designs.json, and the picture's path."""

    design: Design
    row: Mapping[str, Any]
    path: Path


def read_designs(path: Path) -> list[Stored]:
    """Designs of a folder, or the one design of a picture in such a folder.

    Raises:
        InputError: not_found, bad_design.
    """
    folder, wanted = (path, None) if path.is_dir() else (path.parent, path.name)
    if not path.exists():
        raise InputError("not_found", f"there is no {path}", hint=_HINT)
    if not (folder / INDEX).is_file():
        raise InputError("bad_design", f"there is no {INDEX} in {folder}", hint=_HINT)
    try:
        about = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        rows = [row for row in about["designs"] if wanted in (None, row["file"])]
        with np.load(folder / STYLES, allow_pickle=False) as arrays:
            out = [_stored(folder / row["file"], row, np.asarray(arrays[Path(row["file"]).stem])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputError("bad_design", f"the designs in {folder} cannot be read: {exc!r}", hint=_HINT) from exc
    if not out:
        raise InputError("bad_design", f"{path.name} is none of the designs of {folder}", hint=_HINT)
    return out


def _stored(path: Path, row: Mapping[str, Any], styles: Any) -> Stored:
    photo = load(path)
    alpha = np.full(photo.hw, 255, np.uint8) if photo.alpha is None else photo.alpha
    controls = dict(row.get("controls", {}))
    colour = controls.pop("color", None)
    design = Design(
        rgba=np.dstack([photo.rgb, alpha]),
        styles=np.asarray(styles, np.float32),
        kind=str(row["kind"]),
        seed=int(row.get("seed", 0)),
        index=int(row.get("index", 0)),
        colour=None if colour is None else parse_colour(str(colour)),
        controls=controls,
    )
    return Stored(design, row, path)
