"""Photos by kind of garment, with a cut-out where the garment network makes one, and who is held out.

Held out are whole senders (garment photos), whole products (shop) and, besides, single photos of known senders, so that
both a new wardrobe and a new photo from a known one can be judged.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.progress import track
from mojing.perception.features import KINDS, square
from mojing.perception.ground_truth import is_validation
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore
from mojing.train.data.garments import SIDE as SEG_SIDE

STORED = 144
"""Side in px at which photos are kept in memory."""

OTHER = KINDS.index("other")

SHOP_KINDS = {
    "Hoodies & Sweatshirts": "hoodie",
    "Jackets": "outwear",
    "Tees": "t-shirt",
    "Tanks": "undershirt",
    "Bras & Tanks": "undershirt",
    "Pants": "pants",
    "Shorts": "shorts",
}
"""Last part of a shop product's category -> kind; bras are tops, and tees that say so have long sleeves."""


@dataclass
class Picture:
    """A photo on a square (STORED, STORED, 3), its garment's opacity (STORED, STORED) uint8 or None, its kind's index.

    `part` is train, sender (held out with all its sender's or product's photos) or photo (held out alone).
    """

    rgb: U8
    alpha: U8 | None
    kind: int
    source: str
    part: str


def load_pictures(data: Path, *, parts: Sequence[str]) -> list[Picture]:
    """Photos of garments, shop and, as pictures that are no garment, portraits; only those of the given parts."""
    rows = [row for row in _rows(data) if row[3] in parts]
    found = []
    for path, kind, source, part in track(rows, "photos read"):
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is not None:
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            found.append(Picture(square(np.asarray(rgb, np.uint8), STORED), None, kind, source, part))
    return found


def _rows(data: Path) -> list[tuple[Path, int, str, str]]:
    """Path, kind, source and part of every photo."""
    rows = []
    with (data / "garments" / "images.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind = row["label"].lower()
            if kind in KINDS:
                alone = "photo" if is_validation(row["image"]) else "train"
                part = "sender" if is_validation(row["sender_id"]) else alone
                rows.append((data / f"garments/photos/{row['image']}.webp", KINDS.index(kind), "garments", part))
    products = shop_kinds(data)
    for path in sorted((data / "shop" / "photos").glob("*.webp")):
        name = products.get(re.split(r"[-.]", path.stem)[0], "other")
        part = "sender" if is_validation(path.stem) else "train"
        rows.append((path, KINDS.index(name), "shop", part))
    for path in sorted((data / "faces" / "photos").glob("*.webp")):
        rows.append((path, OTHER, "faces", "sender" if is_validation(path.stem) else "train"))
    return rows


def shop_kinds(data: Path) -> dict[str, str]:
    """Product number in lower case -> kind, from the shop's table; what is not in it is no garment."""
    path = data / "shop" / "tables" / "ConfigurableSampleData-products.csv"
    if not path.exists():
        return {}
    found = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            last = row["categories"].split(",")[0].split("/")[-1]
            if row["product_type"] != "configurable" or last not in SHOP_KINDS:
                continue
            kind = SHOP_KINDS[last]
            name = row["name"].lower()
            kind = "longsleeve" if kind == "t-shirt" and "long-sleeve" in name else kind
            found[row["sku"].lower()] = "top" if last == "Bras & Tanks" and "bra" in name.split() else kind
    return found


def cut_out(
    pictures: Sequence[Picture], keep: Path, *, models: ModelStore, share: float = 1.0, threads: int = 1
) -> None:
    """Give a `share` of the garment photos their opacity from the garment network; kept in `keep` for other runs.

    Only the network's own map, without the care `mojing.perception.garment` takes: it serves to vary backgrounds. An
    opacity that covers hardly anything or nearly everything is taken for a failure and left out. Without a garment
    network only what was kept before is used.
    """
    todo = [p for p in pictures if p.source == "garments" and p.kind != OTHER]
    able = models.has("garment")
    keep.mkdir(parents=True, exist_ok=True)
    session: Session | None = None
    for p in track(todo, "garments cut out"):
        name = hashlib.sha256(p.rgb.tobytes()).hexdigest()
        if int(name[:6], 16) >= share * 16**6:
            continue
        path = keep / f"{name[:20]}.png"
        alpha = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.exists() else None
        if alpha is None and not able:
            continue
        if alpha is None:
            session = session or Session(models.spec("garment"), threads=threads)
            alpha = _opacity(session, p.rgb)
            cv2.imwrite(str(path), alpha)
        p.alpha = np.asarray(alpha, np.uint8) if 0.06 < float((alpha > 127).mean()) < 0.85 else None


def _opacity(session: Session, rgb: U8) -> U8:
    large = cv2.resize(rgb, (SEG_SIDE, SEG_SIDE), interpolation=cv2.INTER_CUBIC)
    image = np.asarray(large.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
    logits = np.asarray(session.run({"image": image})["seg"][0], np.float32)
    power = np.exp(logits - logits.max(axis=0))
    prob: F32 = power[1] / power.sum(axis=0)
    level = (np.clip((prob - 0.3) / 0.4, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.resize(level, (STORED, STORED), interpolation=cv2.INTER_LINEAR), np.uint8)
