"""Fitting `perception.views` to the body network: photos of every kind in, softmax weights for body.json out.

    python -m mojing.eval.viewfit DATA --teacher LABELS --models FOLDER

Kinds come from the folders: street photos, two of them side by side, crops of them, shop photos by their names
(`_main`, `_back`), portraits and crops about a face, garment photos, worn garments cut out, and the scenery beside
people. Checked by four-fold cross-validation in which all photos of one person or product stay together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.arrays import U8, AnyArray
from mojing.core.progress import track
from mojing.core.skeleton import J
from mojing.eval.fitting import amend, place, put
from mojing.eval.metrics import torso_length
from mojing.eval.people import Person, read_people
from mojing.eval.products import make_product, pieces_of, plain, read_small
from mojing.perception.body import BodyNet
from mojing.perception.views import KINDS

Example = tuple[str, str, U8]
"""Kind, whose photo it is, RGB (H, W, 3)."""


def examples(data: Path, teacher: Path, *, every: int = 3) -> Iterator[Example]:
    """Photos of every kind; `every` thins out the street photos."""
    rng = np.random.default_rng(0)
    ids = sorted(p.stem for p in teacher.glob("*.npz"))[::every]
    before: Person | None = None
    for index, person in enumerate(read_people(data, ids, teacher=teacher)):
        if before is not None and index % 5 == 0:
            yield "front", person.key, side_by_side(before.rgb, person.rgb)
        before = person
        kind = ("front", "front", "face", "legs", "none", "front")[index % 6]
        rgb = person.rgb if index % 6 == 0 else _part(person, kind, rng)
        if rgb is not None:
            yield kind, person.key, rgb
        if index % 4 == 0 and person.parse is not None:
            for piece in pieces_of(person)[:1]:
                yield "none", person.key, make_product(piece, plain(rng), rng).rgb
    for path in sorted((data / "faces" / "photos").glob("*.*"))[::5]:
        yield "face", path.stem, read_small(path)
    for path in sorted((data / "garments" / "photos").glob("*.*"))[::11]:
        yield "none", path.stem, read_small(path)
    for path in sorted((data / "shop" / "photos").glob("*.*")):
        shop_kind = _shop_kind(path.stem)
        if shop_kind is not None:
            yield shop_kind, path.stem.split("-")[0], read_small(path)


def side_by_side(left: U8, right: U8) -> U8:
    """One photo of two people: the second photo next to the first (H, W, 3), as high as that."""
    h = left.shape[0]
    width = max(round(right.shape[1] * h / right.shape[0]), 1)
    return np.hstack([left, np.asarray(cv2.resize(right, (width, h), interpolation=cv2.INTER_AREA), np.uint8)])


def _part(person: Person, kind: str, rng: np.random.Generator) -> U8 | None:
    """A crop of a full-length photo: chest, face, legs, or the scenery to the person's right."""
    assert person.joints is not None
    at, t = person.joints[:, :2], torso_length(person.joints)
    nose, hips = at[J["nose"]], (at[J["left_hip"]] + at[J["right_hip"]]) / 2
    h, w = person.rgb.shape[:2]
    half = rng.uniform(0.6, 1.1) * t
    box = (nose[0] - half, nose[1] - rng.uniform(0.3, 0.7) * t, nose[0] + half, hips[1] + rng.uniform(-0.3, 0.6) * t)
    if kind == "face":
        size = rng.uniform(0.8, 1.7) * (abs(float(at[J["left_ear"], 0] - at[J["right_ear"], 0])) + 0.06 * t)
        box = (nose[0] - size, nose[1] - 0.7 * size, nose[0] + size, nose[1] + 1.3 * size)
    elif kind == "legs":
        box = (hips[0] - 0.8 * t, hips[1] - rng.uniform(0.1, 0.5) * t, hips[0] + 0.8 * t, h)
    elif kind == "none":
        box = (0, 0, float(at[:, 0].min()) - 0.3 * t, h)
    x0, y0, x1, y1 = (int(np.clip(v, 0, top)) for v, top in zip(box, (w, h, w, h), strict=True))
    return np.ascontiguousarray(person.rgb[y0:y1, x0:x1]) if min(x1 - x0, y1 - y0) >= 48 else None


def _shop_kind(name: str) -> str | None:
    """Kind of a shop photo by its article number (m or w for the wearer, then the article) and its view."""
    if not name.startswith(("m", "w")) or name[1] in "bgt":
        return "none" if name.startswith(("ug", "luma", "mb", "wb", "mg", "wg")) else None
    if name.endswith("_main"):
        return "legs" if name[1] == "p" or name[1:3] == "sh" else "front"
    return "back" if name.endswith("_back") and name[1] in "hjst" and name[1:3] != "sh" else None


def fit(features: AnyArray, kinds: AnyArray, *, decay: float = 3e-3, steps: int = 3000) -> dict[str, AnyArray]:
    """Softmax regression by gradient descent with momentum; kinds weighted by the root of their rarity."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 0.03
    x = np.concatenate([(features - mean) / scale, np.ones((len(features), 1))], axis=1)
    truth = np.eye(len(KINDS))[kinds]
    count = np.maximum(truth.sum(axis=0), 1.0)
    weight = np.sqrt(len(kinds) / count / len(KINDS))[kinds][:, None]
    w = np.zeros((x.shape[1], len(KINDS)))
    step = np.zeros_like(w)
    for _ in range(steps):
        odds = x @ w
        odds = np.exp(odds - odds.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        slope = x.T @ ((odds - truth) * weight) / len(x)
        slope[:-1] += decay * w[:-1]
        step = 0.9 * step + slope
        w = w - 0.3 * step
    return {"mean": mean, "scale": scale, "weights": w}


def check(features: AnyArray, kinds: AnyArray, owners: Sequence[str]) -> dict[str, Any]:
    """Four-fold cross-validation: share right, and the table of truth by answer."""
    fold = np.array([sum(map(ord, owner)) % 4 for owner in owners])
    table = np.zeros((len(KINDS), len(KINDS)), int)
    for k in range(4):
        if not (fold == k).any() or (fold == k).all():
            continue
        found = fit(features[fold != k], kinds[fold != k])
        x = np.concatenate([(features - found["mean"]) / found["scale"], np.ones((len(features), 1))], axis=1)
        answers = (x @ found["weights"]).argmax(axis=1)
        np.add.at(table, (kinds[fold == k], answers[fold == k]), 1)
    return {"right": float(np.trace(table) / max(table.sum(), 1)), "kinds": list(KINDS), "table": table.tolist()}


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and write the weights into body.json."""
    at = place(argv, what="Fit the kinds of photo to the body network.")
    net = BodyNet(at.store)
    rows = [(kind, owner, net.describe(rgb)) for kind, owner, rgb in track(examples(at.data, at.teacher), "photos")]
    features = np.array([r[2] for r in rows], np.float64)
    kinds = np.array([KINDS.index(r[0]) for r in rows])
    write(at.store.folder / "body.json", features, kinds, owners=[r[1] for r in rows])
    return 0


def write(path: Path, features: AnyArray, kinds: AnyArray, *, owners: Sequence[str]) -> None:
    """Put the fitted weights and their check into a model's description."""
    found = fit(features, kinds)
    weights = {key: np.round(value, 4).tolist() for key, value in found.items()}
    amend(path, put("views", weights, metric="views", figures=check(features, kinds, owners)))


if __name__ == "__main__":
    raise SystemExit(main())
