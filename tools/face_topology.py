"""Make src/mojing/perception/facemesh.npz from the teacher's meshes: mean shape, triangles, mirror image, flat layout.

    python tools/face_topology.py LABELS/faces --connections mesh_connections.json --out facemesh.npz

LABELS/faces are what `mojing label` wrote; mesh_connections.json holds the teacher's edge list FACEMESH_TESSELATION
as pairs of point numbers, under that name; in the teacher's environment (docs/training.md) it comes from

    python -c "import json; from mediapipe.python.solutions import face_mesh as f; \\
        print(json.dumps({'FACEMESH_TESSELATION': sorted(f.FACEMESH_TESSELATION)}))" > mesh_connections.json

Needs scipy, which the extra `train` brings.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from mojing.core.arrays import F64, I32, AnyArray
from mojing.perception.facemesh import LEFT_EYE, LEFT_IRIS, LIPS_INNER, OVAL, POINTS, RIGHT_EYE, RIGHT_IRIS

INSIDE_NOSE = ([279, 294, 358], [49, 64, 129])
"""Triples of edges that are no triangles: they span the wing of the nose a second time."""
HEAD = 2.6
"""Radius in inter-ocular distances of the cylinder that gives the flat layout its outline."""


def rotation(source: AnyArray, target: AnyArray) -> F64:
    """Proper rotation R (3, 3) with least squared error of source @ R against target (Kabsch 1976)."""
    u, _, v = np.linalg.svd(source.T @ target)
    return np.asarray(u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]) @ v, np.float64)


def unit(mesh: AnyArray) -> F64:
    """Centred, of unit mean square radius."""
    mesh = mesh - mesh.mean(axis=0)
    return np.asarray(mesh / np.sqrt((mesh**2).sum(axis=1).mean()), np.float64)


def mean_of(meshes: list[F64]) -> F64:
    """Generalised Procrustes mean (Gower 1975) of meshes."""
    shapes = [unit(m) for m in meshes]
    mean = shapes[0]
    for _ in range(10):
        mean = unit(np.mean([s @ rotation(s, mean) for s in shapes], axis=0))
    return mean


def mirror_of(mean: F64) -> I32:
    """Index (478,) of each point's mirror image: the assignment that a reflection of the mean shape fits best."""
    image = mean * (-1.0, 1.0, 1.0)
    order = np.arange(POINTS)
    for _ in range(30):
        cost = ((image[:, None] - mean[None]) ** 2).sum(axis=-1)
        _, order = linear_sum_assignment(cost)
        centred, target = image - image.mean(axis=0), mean[order] - mean[order].mean(axis=0)
        image = centred @ rotation(centred, target) + mean[order].mean(axis=0)
    assert (order[order] == np.arange(POINTS)).all(), "the mirror image of a mirror image is the point itself"
    return order.astype(np.int32)


def framed(mean: F64, mirror: I32) -> F64:
    """The mean shape made symmetric: x to the left eye, y down, z away; iris centres one apart, middle at zero."""
    image = mean[mirror] * (-1.0, 1.0, 1.0)
    a, b = image - image.mean(axis=0), mean - mean.mean(axis=0)
    both = (a @ rotation(a, b) + b) / 2
    across = both - both[mirror]
    x = np.linalg.svd(across[np.linalg.norm(across, axis=1) > 0.2])[2][0]
    x *= np.sign(x @ (both[263] - both[33]))
    down = both[152] - both[10]
    y = down - (down @ x) * x
    y /= np.linalg.norm(y)
    out = both @ np.stack([x, y, np.cross(x, y)], axis=1)
    out /= np.linalg.norm(out[468] - out[473])
    out -= (out[468] + out[473]) / 2
    return np.asarray((out + out[mirror] * (-1.0, 1.0, 1.0)) / 2, np.float64)


def triangles_of(edges: list[list[int]]) -> I32:
    """All triples of points that are pairwise joined (852, 3), but for those inside the nose."""
    joined: dict[int, set[int]] = {}
    for a, b in edges:
        joined.setdefault(a, set()).add(b)
        joined.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a in joined for b in joined[a] for c in joined[a] & joined[b]}
    return np.array(sorted(t for t in found if list(t) not in INSIDE_NOSE), np.int32)


def areas(uv: AnyArray, triangles: AnyArray) -> F64:
    """Signed areas of flat triangles."""
    a, b, c = (uv[triangles[:, i]] for i in range(3))
    return np.asarray(((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2, np.float64)


def flattened(shape: F64, triangles: I32) -> tuple[F64, I32]:
    """Flat layout (478, 2) without folds, and the triangles all turning the same way in it.

    Tutte's embedding with mean value weights (Floater 2003), the outline on a cylinder around the head, eyes and mouth
    filled by a fan each; then moved towards the cylinder's own layout as far as no triangle flips.
    """
    holes = [list(LEFT_EYE), list(RIGHT_EYE), list(LIPS_INNER)]
    points = np.vstack([shape, [shape[h].mean(axis=0) for h in holes]])
    fans = [[h[i], h[(i + 1) % len(h)], POINTS + k] for k, h in enumerate(holes) for i in range(len(h))]
    every = np.vstack([triangles, fans])
    turn = np.arctan2(points[:, 0], HEAD - (points[:, 2] - shape[1, 2]))
    cylinder = np.stack([turn * HEAD, points[:, 1]], axis=1)
    flat = _tutte(points, every, cylinder)
    flip = areas(flat, every) < 0
    every[flip] = every[flip][:, [0, 2, 1]]
    used = np.isin(np.arange(len(points)), every)
    best = flat
    for mix in np.linspace(0, 1, 21):
        tried = flat * (1 - mix) + cylinder * mix
        tried[~used] = 0
        if areas(tried, every).min() > 1e-5:
            best = tried
    for hole, iris in ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS)):
        known = np.c_[shape[list(hole), :2], np.ones(len(hole))]
        fit = np.linalg.lstsq(known, best[list(hole)], rcond=None)[0]
        best[list(iris)] = np.c_[shape[list(iris), :2], np.ones(len(iris))] @ fit
    return best[:POINTS], every[: len(triangles)]


def _tutte(points: F64, triangles: AnyArray, outline: F64) -> F64:
    """Every inner point at the mean value weighted mean of its neighbours, those of the oval where `outline` says."""
    n = len(points)
    weight = np.zeros((n, n))
    for t in triangles:
        for k in range(3):
            i, j, m = t[k], t[(k + 1) % 3], t[(k + 2) % 3]
            a, b = points[j] - points[i], points[m] - points[i]
            la, lb = np.linalg.norm(a), np.linalg.norm(b)
            half = np.tan(np.arccos(np.clip(a @ b / (la * lb), -1, 1)) / 2)
            weight[i, j] += half / la
            weight[i, m] += half / lb
    matrix, wanted = np.eye(n), outline.copy()
    free = np.isin(np.arange(n), triangles)
    free[list(OVAL)] = False
    for i in np.flatnonzero(free):
        matrix[i] = -weight[i] / weight[i].sum()
        matrix[i, i], wanted[i] = 1.0, 0.0
    return np.asarray(np.linalg.solve(matrix, wanted), np.float64)


def centred(uv: F64, mirror: I32, *, fill: float = 0.94) -> F64:
    """The layout made symmetric and laid into the middle of the unit square."""
    uv = (uv + uv[mirror] * (-1.0, 1.0)) / 2
    low, high = uv.min(axis=0), uv.max(axis=0)
    return np.asarray((uv - (low + high) / 2) * (fill / (high - low)) + 0.5, np.float64)


def main() -> int:
    """Write the file and, with --picture, the layout as a picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("meshes", type=Path, help="folder of the teacher's labels of frontal portraits")
    parser.add_argument("--connections", type=Path, required=True, help="JSON of the teacher's edges")
    parser.add_argument("--out", type=Path, required=True, help="the npz file to write")
    parser.add_argument("--picture", type=Path, help="draw the flat layout here")
    args = parser.parse_args()
    meshes = []
    for path in sorted(args.meshes.glob("*.npz")):
        with np.load(path) as file:
            if len(file["face"]) == POINTS:
                meshes.append(file["face"].astype(np.float64))
    mean = mean_of(meshes)
    mirror = mirror_of(mean)
    shape = framed(mean, mirror)
    edges = json.loads(args.connections.read_text())["FACEMESH_TESSELATION"]
    uv, triangles = flattened(shape, triangles_of(edges))
    uv = centred(uv, mirror)
    assert areas(uv, triangles).min() > 0, "no triangle is folded over"
    np.savez_compressed(
        args.out,
        mean=shape.astype(np.float32),
        uv=uv.astype(np.float32),
        triangles=triangles.astype(np.int16),
        mirror=mirror.astype(np.int16),
    )
    if args.picture:
        image = np.full((1024, 1024, 3), 255, np.uint8)
        for t in triangles:
            cv2.polylines(image, [np.rint(uv[t] * 1024).astype(np.int32)], True, (0, 0, 0), 1, cv2.LINE_AA)
        cv2.imwrite(str(args.picture), image)
    sys.stdout.write(f"{args.out}: {len(meshes)} meshes, {len(triangles)} triangles\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
