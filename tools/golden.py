"""What the shipped models say of the bundled examples, kept for tests/test_golden*.py: python tools/golden.py

Run it after new models were written, look at the difference, and commit the files with the models. With the argument
`features` or `transfer` only what the feature or the make-up network says is written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mojing.core.image import load
from mojing.core.skeleton import BODY_JOINTS, GARMENT_ANCHORS
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.render import render
from mojing.makeup.transfer import Transfer
from mojing.perception.faceview import FaceView
from mojing.perception.features import Features
from mojing.perception.labels import LABELS
from mojing.runtime.store import ModelStore
from mojing.tryon.pipeline import TryOn

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "tests" / "golden.json"
FEATURES = ROOT / "tests" / "golden-features.json"
TRANSFER = ROOT / "tests" / "golden-transfer.json"
STRONG = (
    Layer("eyeshadow", (Shade.of_hex("#3a4a8c"),), coverage=0.8),
    Layer("lip", (Shade.of_hex("#8c1c3a"),), coverage=0.9),
)
PAIRS = (("anna", "longsleeve-print"), ("kofi", "tee-striped"), ("mei", "dress"))


def describe(mirror: TryOn) -> dict[str, Any]:
    """Joints and label shares of every person, category and anchors of every garment, and three try-ons."""
    looks = {p.stem: mirror.look(p) for p in sorted((ROOT / "examples/people").glob("*.jpg"))}
    garments = {p.stem: mirror.garment(p) for p in sorted((ROOT / "examples/garments").glob("*.jpg"))}
    people = {}
    for name, look in looks.items():
        shares = np.bincount(look.body.parse.ravel(), minlength=len(LABELS)) / look.body.parse.size
        people[name] = {
            "joints": {n: [round(float(v), 1) for v in look.body.joints[i]] for i, n in enumerate(BODY_JOINTS)},
            "shares": {n: round(float(s), 4) for n, s in zip(LABELS, shares, strict=True) if s > 0.002},
        }
    clothes = {}
    for name, seen in garments.items():
        view = seen.view
        clothes[name] = {
            "category": view.category,
            "cover": round(float((view.alpha > 127).mean()), 4),
            "anchors": {
                n: [round(float(v), 1) for v in view.anchors[i, :2]]
                for i, n in enumerate(GARMENT_ANCHORS)
                if view.anchors[i, 2] > 0
            },
        }
    worn = {}
    for person, garment in PAIRS:
        result = mirror(looks[person], garments[garment])
        inside = result.edit_mask > 0
        worn[f"{person}+{garment}"] = {
            "score": result.quality.score,
            "mask": round(float(inside.mean()), 4),
            "mean_colour": [round(float(v), 1) for v in result.image[inside].mean(axis=0)],
        }
    return {"people": people, "garments": clothes, "worn": worn}


def describe_features(network: Features) -> dict[str, Any]:
    """Kind, its probability and the distances to the other garments of every example garment."""
    paths = sorted((ROOT / "examples/garments").glob("*.jpg"))
    seen = network([load(path).flat() for path in paths])
    apart = np.linalg.norm(seen.feature[:, None] - seen.feature[None], axis=2)
    return {
        path.stem: {
            "kind": seen.names[i],
            "sure": round(float(seen.kind[i].max()), 3),
            "apart": {other.stem: round(float(d), 2) for other, d in zip(paths, apart[i], strict=True)},
        }
        for i, path in enumerate(paths)
    }


def describe_transfer(transfer: Transfer, mesh: list[list[float]]) -> dict[str, Any]:
    """What is read off the bundled portrait with a known look on it, and how much of the look removal takes away.

    `star` is what stays as residual (share of the flat layout) when a star that no layer can say is drawn on a cheek.

    `mesh` (478, 3) is the portrait's, kept in the file so that the figures depend on this network alone.
    """
    rgb = load(ROOT / "examples" / "faces" / "astronaut.jpg").rgb
    face = FaceView.of_mesh(np.array(mesh, np.float32), (rgb.shape[0], rgb.shape[1]))
    look = Look("known", (Layer("blush", (Shade.of_hex("#b0405a"),), coverage=0.6), *STRONG))
    worn = render(rgb, face, look=look).image
    found = transfer.read(worn, face)
    bare = render(worn, face, look=transfer.bare(worn, face)).image
    changed = (worn != rgb).any(axis=2)
    left, before = (float(np.abs(image[changed].astype(float) - rgb[changed]).mean()) for image in (bare, worn))
    star = worn.copy()
    turns = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2, 5.0, 12.0)
    corners = face.mesh[280, :2] + np.stack([np.sin(turns), -np.cos(turns)], axis=1) * reach[:, None]
    cv2.fillPoly(star, [np.rint(corners).astype(np.int32)], (30, 60, 190), cv2.LINE_AA)
    kept = [layer for layer in transfer.read(star, face).layers if isinstance(layer.residual, np.ndarray)]
    return {
        "mesh": mesh,
        "star": {layer.kind: round(float((layer.residual[..., 3] > 60).mean()), 4) for layer in kept},
        "read": {
            layer.kind: {"shades": [s.hex for s in layer.shades], "coverage": round(layer.coverage, 2)}
            for layer in found.layers
        },
        "left_after_removal": round(left / before, 3),
    }


def main(only: str = "") -> None:
    """Write the files."""
    if only in ("", "transfer") and ModelStore().has("makeup"):
        kept = json.loads(TRANSFER.read_text())["mesh"]
        TRANSFER.write_text(json.dumps(describe_transfer(Transfer(ModelStore()), kept)) + "\n")
        print(f"wrote {TRANSFER.relative_to(ROOT)}")
    if only == "":
        TARGET.write_text(json.dumps(describe(TryOn(strict=False)), indent=1) + "\n")
        print(f"wrote {TARGET.relative_to(ROOT)}")
    if only in ("", "features") and ModelStore().has("features"):
        FEATURES.write_text(json.dumps(describe_features(Features(ModelStore())), indent=1) + "\n")
        print(f"wrote {FEATURES.relative_to(ROOT)}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
