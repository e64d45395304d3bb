"""The teacher: MediaPipe labels photos with joints, a person mask and a face mesh. Runs in the `[teacher]` environment.

MediaPipe 0.10.21 is the last release whose wheel holds its models; it needs numpy < 2, so it never shares an
environment with the rest. This file therefore imports nothing of mojing and is also run as a script:

    python src/mojing/train/data/teacher.py PHOTOS --out LABELS

For every photo PHOTOS/ID.webp it writes LABELS/ID.npz with
`pose` float32 (33, 4): x_px, y_px, depth, visibility in [0, 1]; `mask` uint8 (H, W): person probability * 255 at half
size; `face` float32 (478, 3) in pixels, or an empty array where no face was found; `hw` int32 (2,).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SUFFIXES = {".webp", ".jpg", ".jpeg", ".png"}


def head_box(pose: np.ndarray, hw: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Square around the head from pose landmarks 0-10, as x0, y0, x1, y1 in pixels; None when outside the photo."""
    pts = pose[:11, :2]
    centre = pts.mean(axis=0)
    side = 3.0 * max(float(np.ptp(pts[:, 0])), float(np.ptp(pts[:, 1])), 0.25 * float(np.ptp(pose[11:13, 0])), 8.0)
    x0, y0 = (centre - side / 2).astype(int)
    x1, y1 = (centre + side / 2).astype(int)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, hw[1]), min(y1, hw[0])
    return (x0, y0, x1, y1) if x1 - x0 > 8 and y1 - y0 > 8 else None


def label(rgb: np.ndarray, pose_model: Any, face_model: Any) -> dict[str, np.ndarray] | None:
    """Label one RGB uint8 photo; None when the teacher sees no person."""
    h, w = rgb.shape[:2]
    found = pose_model.process(rgb)
    if found.pose_landmarks is None:
        return None
    pose = np.array([[p.x * w, p.y * h, p.z * w, p.visibility] for p in found.pose_landmarks.landmark], np.float32)
    mask = found.segmentation_mask if found.segmentation_mask is not None else np.zeros((h, w), np.float32)
    mask8 = (cv2.resize(mask, (w // 2, h // 2), interpolation=cv2.INTER_AREA) * 255).clip(0, 255).astype(np.uint8)
    face = np.zeros((0, 3), np.float32)
    box = head_box(pose, (h, w))
    if box is not None:
        x0, y0, x1, y1 = box
        head = cv2.resize(np.ascontiguousarray(rgb[y0:y1, x0:x1]), (384, 384), interpolation=cv2.INTER_CUBIC)
        mesh = face_model.process(head)
        if mesh.multi_face_landmarks:
            face = np.array([[p.x, p.y, p.z] for p in mesh.multi_face_landmarks[0].landmark], np.float32)
            face = face * np.array([x1 - x0, y1 - y0, x1 - x0], np.float32) + np.array([x0, y0, 0], np.float32)
    return {"pose": pose, "mask": mask8, "face": face, "hw": np.array([h, w], np.int32)}


def main(argv: list[str] | None = None) -> int:
    """Label a folder of photos; photos already labelled are skipped, so a stopped run goes on where it was."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    import mediapipe as mp

    args.out.mkdir(parents=True, exist_ok=True)
    photos = sorted(p for p in args.photos.rglob("*") if p.suffix.lower() in SUFFIXES)
    missing = 0
    pose_model = mp.solutions.pose.Pose(static_image_mode=True, model_complexity=1, enable_segmentation=True)
    face_model = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=1)
    for i, path in enumerate(photos):
        target = args.out / f"{path.stem}.npz"
        if target.exists():
            continue
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        found = None if bgr is None else label(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), pose_model, face_model)
        if found is None:
            missing += 1
            continue
        np.savez_compressed(target, pose=found["pose"], mask=found["mask"], face=found["face"], hw=found["hw"])
        if i % 200 == 0:
            sys.stderr.write(f"{i}/{len(photos)}\n")
    sys.stderr.write(f"labelled {len(photos) - missing} of {len(photos)} photos into {args.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
