"""What is measured: overlap of regions, joints found, likeness of pictures, distance of feature clouds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mojing.perception.labels import EVAL_GROUPS, LABELS, L

UNGROUPED = len(EVAL_GROUPS)


def group_table() -> NDArray[np.uint8]:
    """Look-up table (256,): label id -> index of its EVAL_GROUPS entry; labels of no group share index 12."""
    table = np.full(256, UNGROUPED, np.uint8)
    for index, names in enumerate(EVAL_GROUPS.values()):
        for name in names:
            table[L[name]] = index
    return table


def iou(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Intersection over union of two masks (H, W), anything non-zero counting as inside; 1 when both are empty."""
    a, b = np.asarray(a) > 0, np.asarray(b) > 0
    union = int(np.count_nonzero(a | b))
    return 1.0 if union == 0 else int(np.count_nonzero(a & b)) / union


@dataclass
class ParseMeter:
    """Intersections and unions of parse maps, summed over a whole set before the ratio is taken.

    A group that never occurs in the truth of the set is left out of the mean, as a ratio of nothing to noise tells
    nothing; small labels that belong to no group (hat, glasses, scarf, belt, accessories) still cost the group that
    claims their pixels.
    """

    matrix: NDArray[np.int64] = field(default_factory=lambda: np.zeros((UNGROUPED + 1, UNGROUPED + 1), np.int64))
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(LABELS), len(LABELS)), np.int64))
    photos: int = 0

    def add(self, predicted: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Count one photo: label ids (H, W) uint8, both of one size."""
        if predicted.shape != truth.shape:
            raise ValueError(f"parse maps differ in size: {predicted.shape} and {truth.shape}")
        n = len(LABELS)
        pair = truth.astype(np.int64).ravel() * n + predicted.ravel()
        counts = np.bincount(pair, minlength=n * n).reshape(n, n)
        self.labels += counts
        table = group_table()[:n]
        np.add.at(self.matrix, (table[:, None], table[None, :]), counts)
        self.photos += 1

    def result(self) -> dict[str, Any]:
        """`mean_iou`, IoU of every group present in the truth, IoU of every label present, and the count of photos."""
        groups = {name: _ratio(self.matrix, i) for i, name in enumerate(EVAL_GROUPS) if self.matrix[i].sum() > 0}
        labels = {name: _ratio(self.labels, i) for i, name in enumerate(LABELS) if self.labels[i].sum() > 0}
        mean = float(np.mean(list(groups.values()))) if groups else float("nan")
        return {"mean_iou": mean, "groups": groups, "labels": labels, "photos": self.photos}


def _ratio(matrix: NDArray[np.int64], i: int) -> float:
    union = int(matrix[i].sum() + matrix[:, i].sum() - matrix[i, i])
    return float(matrix[i, i] / union) if union else 1.0


@dataclass
class PointMeter:
    """Share of points found within a tolerance (PCK, Yang and Ramanan 2013), overall and by name."""

    names: tuple[str, ...]
    tolerance: float
    hits: NDArray[np.int64] = field(init=False)
    seen: NDArray[np.int64] = field(init=False)
    photos: int = 0

    def __post_init__(self) -> None:
        self.hits = np.zeros(len(self.names), np.int64)
        self.seen = np.zeros(len(self.names), np.int64)

    def add(
        self, predicted: NDArray[Any], truth: NDArray[Any], *, scale_px: float, counted: NDArray[np.bool_] | None = None
    ) -> None:
        """Count one photo.

        Args:
            predicted: (N, 2 or 3) x_px, y_px; non-finite points are misses.
            truth: (N, 2 or 3) x_px, y_px.
            scale_px: the length that the tolerance is a share of (torso, or garment height).
            counted: (N,) which points take part; all by default.
        """
        use = np.ones(len(self.names), bool) if counted is None else counted.astype(bool)
        with np.errstate(invalid="ignore"):
            distance = np.linalg.norm(np.asarray(predicted)[:, :2] - np.asarray(truth)[:, :2], axis=1)
            near = distance <= self.tolerance * scale_px
        self.hits += near & use
        self.seen += use
        self.photos += 1

    def result(self) -> dict[str, Any]:
        """`pck` over all counted points, by name, and the counts."""
        total = int(self.seen.sum())
        by_name = {n: float(h / s) for n, h, s in zip(self.names, self.hits, self.seen, strict=True) if s}
        return {
            "pck": float(self.hits.sum() / total) if total else float("nan"),
            "by_name": by_name,
            "points": total,
            "photos": self.photos,
        }


def torso_length(joints: NDArray[Any]) -> float:
    """Distance in px from the middle of the shoulders to the middle of the hips of body joints (21, 2 or 3)."""
    from mojing.core.skeleton import J

    top = (joints[J["left_shoulder"], :2] + joints[J["right_shoulder"], :2]) / 2
    low = (joints[J["left_hip"], :2] + joints[J["right_hip"], :2]) / 2
    return float(np.linalg.norm(top - low))


def l1(a: NDArray[np.uint8], b: NDArray[np.uint8], *, mask: NDArray[Any] | None = None) -> float:
    """Mean absolute difference of two uint8 pictures in 0..1, over the pixels where `mask` (H, W) is non-zero."""
    diff = cv2.absdiff(a, b)
    if mask is None:
        return float(diff.mean()) / 255.0
    inside = np.asarray(mask) > 0
    return float(diff[inside].mean()) / 255.0 if inside.any() else 0.0


def ssim(a: NDArray[np.uint8], b: NDArray[np.uint8], *, mask: NDArray[Any] | None = None) -> float:
    """Structural similarity, mean of channels (Wang et al. 2004, eq. 13, Gaussian window 11x11, sigma 1.5).

    Only windows that lie wholly inside the picture count; with `mask` (H, W), only those centred where it is not zero.
    Pictures are uint8, (H, W) or (H, W, 3), at least 11 px a side.
    """
    if a.shape != b.shape:
        raise ValueError(f"pictures differ in size: {a.shape} and {b.shape}")
    if min(a.shape[:2]) < 11:
        raise ValueError(f"pictures must be at least 11 px a side, not {a.shape}")
    x, y = a.astype(np.float64), b.astype(np.float64)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = _window(x), _window(y)
    vx, vy, cov = _window(x * x) - mx * mx, _window(y * y) - my * my, _window(x * y) - mx * my
    value = ((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    if mask is None:
        return float(value.mean())
    inside = (np.asarray(mask) > 0)[5:-5, 5:-5]
    return float(value[inside].mean()) if inside.any() else 1.0


def _window(x: NDArray[np.float64]) -> NDArray[np.float64]:
    out = cv2.GaussianBlur(x, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(out[5:-5, 5:-5], np.float64)


def frechet(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Fréchet distance of two clouds of features (N, D) and (M, D) taken as Gaussians (Heusel et al. 2017, eq. 6).

    The trace of (S1 S2)^1/2 is that of the symmetric (S1^1/2 S2 S1^1/2)^1/2: eigenvalues of symmetric matrices do.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if min(len(a), len(b)) < 2:
        raise ValueError("each cloud needs at least two points")
    gap = a.mean(axis=0) - b.mean(axis=0)
    sa, sb = np.atleast_2d(np.cov(a, rowvar=False)), np.atleast_2d(np.cov(b, rowvar=False))
    root = _symmetric_sqrt(sa)
    middle = np.linalg.eigvalsh(root @ sb @ root)
    cross = float(np.sqrt(np.clip(middle, 0.0, None)).sum())
    return max(float(gap @ gap + np.trace(sa) + np.trace(sb) - 2.0 * cross), 0.0)


def _symmetric_sqrt(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T, np.float64)
