"""A tiny data set of drawn people and garments in the layout of the real one."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mojing.core.arrays import F32, U8
from mojing.perception.ground_truth import FROM_59

torch = pytest.importorskip("torch", reason="training needs the train extra")
torch.set_num_threads(1)  # tiny networks lose more by waiting for a second thread than they gain

HW = (200, 140)
NAMES = sorted(FROM_59)
LIMBS = [(11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28)]


def pose(shift: float) -> F32:
    """33 landmarks of somebody standing upright: x_px, y_px, depth, visibility."""
    out = np.zeros((33, 4), np.float32)
    out[:, :2] = (70 + shift, 30)
    out[:, 3] = 0.9
    places = {
        0: (0, 24), 2: (4, 21), 5: (-4, 21), 7: (9, 23), 8: (-9, 23), 9: (2, 29), 10: (-2, 29),
        11: (20, 48), 12: (-20, 48), 13: (30, 74), 14: (-30, 74), 15: (33, 96), 16: (-33, 96),
        17: (34, 102), 18: (-34, 102), 19: (34, 102), 20: (-34, 102), 23: (11, 104), 24: (-11, 104),
        25: (12, 142), 26: (-12, 142), 27: (12, 178), 28: (-12, 178), 31: (14, 186), 32: (-14, 186),
    }  # fmt: skip
    for row, (x, y) in places.items():
        out[row, :2] = (70 + shift + x, y)
    return out


def draw(landmarks: F32, seed: int) -> tuple[U8, U8]:
    """RGB photo and 59-class label map of that person, in a coloured shirt and trousers."""
    rng = np.random.default_rng(seed)
    label = np.zeros(HW, np.uint8)
    at = np.rint(landmarks[:, :2]).astype(int)
    skin, shirt, trousers, hair = (NAMES.index(n) for n in ("skin", "t-shirt", "pants", "hair"))
    label[:] = NAMES.index("null")
    cv2.circle(label, (int(at[0][0]), 20), 13, hair, -1)
    cv2.circle(label, (int(at[0][0]), 25), 10, skin, -1)
    for a, b in LIMBS:
        cv2.line(label, at[a].tolist(), at[b].tolist(), trousers if a >= 23 else skin, 12)
    corners = [at[i] + d for i, d in ((12, (-6, -4)), (11, (6, -4)), (23, (8, 6)), (24, (-8, 6)))]
    cv2.fillConvexPoly(label, np.array(corners, np.int32), shirt)
    colours = rng.integers(30, 226, (256, 3)).astype(np.uint8)
    rgb = colours[label].astype(np.int16) + rng.integers(-8, 9, (*HW, 3))
    return np.clip(rgb, 0, 255).astype(np.uint8), label


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with people (12 photos, three of four labelled), garments and the teacher's labels under `teacher`."""
    root = tmp_path_factory.mktemp("data")
    for name in ("people/photos", "people/labels", "shop/photos", "garments/photos", "teacher/people", "teacher/shop"):
        (root / name).mkdir(parents=True)
    (root / "people" / "label_names.json").write_text(json.dumps(NAMES))
    for i in range(1, 15):
        landmarks = pose(shift=float(i % 5) * 3 - 6)
        rgb, label = draw(landmarks, i)
        cv2.imwrite(str(root / f"people/photos/{i:04d}.webp"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        if i % 4:
            cv2.imwrite(str(root / f"people/labels/{i:04d}.png"), label)
        mask = cv2.resize((label != NAMES.index("null")).astype(np.uint8) * 255, (HW[1] // 2, HW[0] // 2))
        np.savez(
            root / f"teacher/people/{i:04d}.npz",
            pose=landmarks, mask=mask, face=np.zeros((0, 3), np.float32), hw=np.array(HW, np.int32),
        )  # fmt: skip
    rows = ["image,sender_id,label,kids"]
    for i, kind in enumerate(["T-Shirt", "Longsleeve", "Pants", "Dress", "Skirt", "Shoes", "T-Shirt", "Pants"]):
        photo = np.full((160, 120, 3), 240, np.uint8)
        cv2.rectangle(photo, (30, 30), (90, 120), (40, 60, 20 + 20 * i), -1)
        cv2.imwrite(str(root / f"garments/photos/g{i}.webp"), photo)
        rows.append(f"g{i},{i if i < 6 else 4 + 9 * i},{kind},False")
    (root / "garments" / "images.csv").write_text("\n".join(rows) + "\n")
    return root
