"""Hair: strands grown from the scalp along a parting, pulled down, kept outside head, neck and shoulders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from body import Body, Vectors
from mathutils import Vector
from mathutils.bvhtree import BVHTree


@dataclass(frozen=True)
class Style:
    """`length` of the strands (m); `lift` how far they stand off the head; `part` where the parting is (x, m).

    `back` sweeps the hair backwards (0 falls to the sides, 1 combed back), `gravity` bends strands down at each step.
    """

    length: float
    lift: float = 0.012
    part: float = 0.012
    back: float = 0.3
    gravity: float = 0.35
    strands: int = 9000
    thickness: float = 0.0009


def hairline(body: Body) -> Vectors:
    """How far (m) each vertex lies above the hairline, on the body at rest; far below zero off the head."""
    p = body.rest
    eye = (body.rest_joints["eye.L"] + body.rest_joints["eye.R"]) / 2
    depth = p[:, 1] - eye[1]
    steps = ([-0.05, 0.0, 0.035, 0.065, 0.09, 0.12, 0.17], [0.075, 0.068, 0.045, 0.0, -0.005, -0.06, -0.075])
    edge = np.interp(depth, *steps)
    side = np.clip(np.abs(p[:, 0]) - 0.045, 0, 1) * np.where(depth < 0.05, 0.25, 0.0)
    above = p[:, 2] - eye[2] - edge - side
    on_head = p[:, 2] > body.rest_joints["neck03"][2] - 0.02
    return np.where(on_head, above, -1.0)


def scalp_weight(body: Body) -> Vectors:
    """1 where hair grows, 0 elsewhere, soft between."""
    return np.clip(hairline(body) / 0.012, 0, 1)


def _roots(body: Body, count: int, rng: np.random.Generator) -> tuple[Vectors, Vectors, Vectors]:
    """Random points on the scalp, their normals, and their heights above the hairline."""
    quads = body.groups["body"].faces
    above = hairline(body)
    quads = quads[(above[quads] > 0).all(axis=1)]
    ears = np.abs(body.rest[quads].mean(axis=1)[:, 0]) > 0.078
    quads = quads[~ears]
    a, b, c, d = (body.vertices[quads[:, i]] for i in range(4))
    normal = np.cross(c - a, d - b)
    area = np.linalg.norm(normal, axis=1)
    pick = rng.choice(len(quads), count, p=area / area.sum())
    s, t = rng.random((2, count, 1))
    spot = (a[pick] * (1 - s) + b[pick] * s) * (1 - t) + (d[pick] * (1 - s) + c[pick] * s) * t
    return spot, normal[pick] / area[pick, None], above[quads][pick].mean(axis=1)


def grow(body: Body, style: Style, obstacles: BVHTree, *, seed: int, steps: int = 18) -> Vectors:
    """Strands (N, steps + 1, 3) in world space."""
    rng = np.random.default_rng(seed)
    spot, normal, above = _roots(body, style.strands, rng)
    head = body.joints["head"]
    side = np.sign(spot[:, 0] - head[0] - style.part * np.clip((spot[:, 2] - head[2]) / 0.15, 0, 1))
    flow = np.column_stack([side * (1 - style.back), np.full(len(spot), 0.25 + style.back), np.full(len(spot), 0.1)])
    flow += rng.normal(0, 0.12, flow.shape)
    flow -= normal * np.sum(flow * normal, axis=1, keepdims=True)
    flow /= np.linalg.norm(flow, axis=1, keepdims=True)
    heading = flow + normal * 0.2
    length = style.length * rng.uniform(0.82, 1.0, len(spot)) * np.clip(0.45 + above / 0.05, 0.45, 1)
    stand = style.lift * rng.uniform(0.15, 1.0, len(spot)) ** 0.7
    path = [spot]
    for k in range(steps):
        heading /= np.linalg.norm(heading, axis=1, keepdims=True)
        spot = spot + heading * (length / steps)[:, None]
        heading = heading + np.array([0, 0, -style.gravity]) + rng.normal(0, 0.03, heading.shape)
        gap = stand * min(1.0, (k + 1) / 5)
        held = np.clip((spot[:, 2] - head[2] - 0.01) / 0.05, 0, 1) * 0.8
        spot, heading = _settle(spot, heading, gap, held, obstacles)
        path.append(spot)
    return np.stack(path, axis=1)


def _settle(spot: Vectors, heading: Vectors, gap: Vectors, held: Vectors, tree: BVHTree) -> tuple[Vectors, Vectors]:
    """Push points out of the body to their gap, draw those still on the head (`held` 0..1) back to it."""
    spot, heading = spot.copy(), heading.copy()
    for i, p in enumerate(spot):
        place, normal, _, _ = tree.find_nearest(Vector(p), 0.08)
        if place is None:
            continue
        n = np.array(normal)
        depth = float((p - np.array(place)) @ n)
        if depth < gap[i]:
            spot[i] = np.array(place) + n * gap[i]
            heading[i] -= n * min(float(heading[i] @ n), 0.0)
        elif held[i] > 0:
            spot[i] = p - n * (depth - gap[i]) * held[i]
            heading[i] -= n * float(heading[i] @ n) * held[i]
    return spot, heading


def add_strands(name: str, paths: Vectors, thickness: float, material: Any) -> Any:
    """Link curves (N, P, 3) that taper to their tips."""
    count, points, _ = paths.shape
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([points] * count)
    curves.attributes["position"].data.foreach_set("vector", paths.astype(np.float32).ravel())
    taper = np.linspace(1.0, 0.35, points)
    radius = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    radius.data.foreach_set("value", np.tile(taper * thickness / 2, count).astype(np.float32))
    curves.materials.append(material)
    thing = bpy.data.objects.new(name, curves)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def brows(body: Body, face: BVHTree, *, seed: int, count: int = 260) -> Vectors:
    """Two eyebrows (N, 4, 3): short hairs laid on an arch above each eye."""
    rng = np.random.default_rng(seed)
    forward = np.array([0.0, 1.0, 0.0])
    out = []
    for sign, eye in ((1, body.joints["eye.L"]), (-1, body.joints["eye.R"])):
        t = rng.random(count)
        x = sign * (-0.017 + 0.044 * t)
        arch = 0.0185 + 0.006 * np.sin(np.pi * np.clip(t * 0.9 + 0.1, 0, 1)) - 0.004 * t
        z = arch + rng.normal(0, 1, count) * 0.0017 * (1 - 0.6 * t)
        for dx, dz, k in zip(x, z, t, strict=True):
            start = eye + np.array([dx, -0.08, dz])
            place, normal, _, _ = face.ray_cast(Vector(start), Vector(forward), 0.2)
            if place is None:
                continue
            n = np.array(normal)
            along = np.array([sign * (0.6 + 0.4 * k), 0.0, 0.7 * (1 - k) - 0.2])
            along -= n * (along @ n)
            along *= 0.0075 / np.linalg.norm(along)
            steps = np.linspace(0, 1, 4)[:, None]
            out.append(np.array(place) + n * 0.0006 + along * steps + n * 0.0008 * np.sin(np.pi * steps))
    return np.stack(out)
