"""Clothes: pieces cut out of the body's loose skin by scalar fields, then left to fall on the body.

Every garment starts as the `tights` shell that comes with the base mesh. Fields are measured on the body at rest, where
arms stand off the trunk, so one recipe fits every shape and pose: `x`, `y`, `z` (metres), `arm` (distance past the
armhole), `along` (distance from shoulder along the arm), `side` (distance across the arm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import bpy
import numpy as np
from body import Body, Vectors
from numpy.typing import NDArray

from studio import add_mesh, evaluated, subdivide

Field = Vectors


@dataclass(frozen=True)
class Shell:
    """A piece of cloth: vertices (V, 3), polygons, and named fields of one number a vertex."""

    vertices: Vectors
    faces: list[tuple[int, ...]]
    fields: dict[str, Field]

    def clip(self, field: Field) -> Shell:
        """Keep the part where the field is positive; cut polygons along its zero line."""
        columns = np.column_stack([self.vertices, *self.fields.values()])
        extra: list[Vectors] = []
        on_edge: dict[tuple[int, int], int] = {}
        faces = []
        for face in self.faces:
            inside = [field[i] > 0 for i in face]
            if not any(inside):
                continue
            if all(inside):
                faces.append(face)
                continue
            cut: list[int] = []
            for k, a in enumerate(face):
                b = face[(k + 1) % len(face)]
                if field[a] > 0:
                    cut.append(a)
                if (field[a] > 0) != (field[b] > 0):
                    key = (min(a, b), max(a, b))
                    if key not in on_edge:
                        on_edge[key] = len(columns) + len(extra)
                        lo, hi = key
                        t = float(np.clip(field[lo] / (field[lo] - field[hi]), 0.02, 0.98))
                        extra.append(columns[lo] * (1 - t) + columns[hi] * t)
                    cut.append(on_edge[key])
            if len(cut) > 2:
                faces.append(tuple(cut))
        everything = np.vstack([columns, *extra]) if extra else columns
        used = np.unique(np.concatenate([np.array(f) for f in faces]))
        new_row = np.full(len(everything), -1)
        new_row[used] = np.arange(len(used))
        kept = everything[used]
        fields = {name: kept[:, 3 + i] for i, name in enumerate(self.fields)}
        return Shell(kept[:, :3], [tuple(int(new_row[i]) for i in f) for f in faces], fields)

    def moved(self, vertices: Vectors) -> Shell:
        """The same cloth elsewhere."""
        return Shell(vertices, self.faces, self.fields)

    def normals(self) -> Vectors:
        """Unit normals of the vertices, outward."""
        out = np.zeros_like(self.vertices)
        triangles = np.array([(f[0], f[i], f[i + 1]) for f in self.faces for i in range(1, len(f) - 1)])
        a, b, c = (self.vertices[triangles[:, i]] for i in range(3))
        n = np.cross(b - a, c - a)
        for i in range(3):
            np.add.at(out, triangles[:, i], n)
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))

    def smoothed(self, times: int) -> Shell:
        """Laplacian smoothing; open edges are smoothed along themselves, so that hems get straight."""
        inner, rim = self._edges()
        v = self.vertices.copy()
        on_rim = np.zeros(len(v), bool)
        on_rim[rim.ravel()] = True
        for _ in range(times):
            v = np.where(on_rim[:, None], _averaged(v, rim), _averaged(v, inner))
        return self.moved(v)

    def border(self) -> NDArray[np.bool_]:
        """True for vertices on an open edge."""
        out = np.zeros(len(self.vertices), bool)
        out[self._edges()[1].ravel()] = True
        return out

    def _edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All edges, and those of one face only, as pairs of vertex rows."""
        pairs = np.array([(f[i - 1], f[i]) for f in self.faces for i in range(len(f))])
        edges, count = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
        return edges, edges[count == 1]


def _averaged(v: Vectors, edges: NDArray[np.int64]) -> Vectors:
    """Half way from each vertex to the mean of its neighbours."""
    total, count = np.zeros_like(v), np.zeros(len(v))
    for here, there in ((0, 1), (1, 0)):
        np.add.at(total, edges[:, here], v[edges[:, there]])
        np.add.at(count, edges[:, here], 1)
    return np.where(count[:, None] > 0, 0.5 * v + 0.5 * total / np.maximum(count, 1)[:, None], v)


def tights(body: Body, *, levels: int = 1) -> Shell:
    """The loose skin around the whole body but head and hands, finely divided, with its fields."""
    faces = body.groups["helper-tights"].faces
    used, rows = np.unique(faces, return_inverse=True)
    quads = [tuple(dict.fromkeys(q)) for q in rows.reshape(faces.shape).tolist()]
    posed, fine = subdivide(body.vertices[used], quads, levels)
    rest, _ = subdivide(body.rest[used], quads, levels)
    arm, along = arm_fields(body, rest)
    shoulder, elbow = body.rest_joints["upperarm01.L"], body.rest_joints["lowerarm01.L"]
    down = (elbow - shoulder)[[0, 2]] / np.linalg.norm((elbow - shoulder)[[0, 2]])
    side = (np.abs(rest[:, 0]) - shoulder[0]) * -down[1] + (rest[:, 2] - shoulder[2]) * down[0]
    places = {"x": rest[:, 0], "y": rest[:, 1], "z": rest[:, 2]}
    return Shell(posed, fine, {**places, "arm": arm, "along": along, "side": side})


def arm_fields(body: Body, rest: Vectors) -> tuple[Field, Field]:
    """Distance past the armhole (negative on the trunk) and distance along the arm from the shoulder joint."""
    q = rest * [1, 1, 1]
    q[:, 0] = np.abs(q[:, 0])
    chain = [body.rest_joints[f"{n}.L"] for n in ("upperarm01", "lowerarm01", "wrist", "finger3-1")]
    best, along, start = np.full(len(q), np.inf), np.zeros(len(q)), 0.0
    for a, b in pairwise(chain):
        length = float(np.linalg.norm(b - a))
        t = (q - a) @ (b - a) / length
        nearest = a + np.clip(t, 0 if start else -0.2, length)[:, None] * (b - a) / length
        d = np.linalg.norm(q - nearest, axis=1)
        closer = d < best
        along = np.where(closer, start + np.minimum(t, length), along)
        best = np.minimum(best, d)
        start += length
    down = (chain[1] - chain[0]) / np.linalg.norm(chain[1] - chain[0])
    normal = down + np.array([0.9, 0.0, 0.0])
    normal /= np.linalg.norm(normal)
    arm = np.minimum((q - chain[0]) @ normal + 0.01, 0.13 - best)
    return arm, along


@dataclass(frozen=True)
class Fabric:
    """How cloth moves: mass of a vertex (kg), stiffness, bending stiffness, and growth (cut wider than the shell)."""

    mass: float = 0.2
    stiffness: float = 15.0
    bending: float = 0.6
    grow: float = 0.0


def simulate(shell: Shell, obstacles: Sequence[Any], *, pin: Field, fabric: Fabric, frames: int = 40) -> Shell:
    """Let the cloth fall on the obstacles (Blender objects); `pin` 0..1 holds vertices where they are."""
    thing = add_mesh("cloth", shell.vertices, shell.faces)
    group = thing.vertex_groups.new(name="pin")
    for i in np.nonzero(pin > 0)[0]:
        group.add([int(i)], float(pin[i]), "REPLACE")
    for obstacle in obstacles:
        if not any(m.type == "COLLISION" for m in obstacle.modifiers):
            obstacle.modifiers.new("Collision", "COLLISION")
            obstacle.collision.thickness_outer = 0.003
            obstacle.collision.cloth_friction = 15.0
    modifier = thing.modifiers.new("Cloth", "CLOTH")
    cloth = modifier.settings
    cloth.quality = 5
    cloth.mass = fabric.mass
    cloth.tension_stiffness = cloth.compression_stiffness = fabric.stiffness
    cloth.shear_stiffness = fabric.stiffness / 3
    cloth.bending_stiffness = fabric.bending
    cloth.air_damping = 2.0
    cloth.shrink_min = cloth.shrink_max = -fabric.grow
    cloth.vertex_group_mass = "pin"
    cloth.pin_stiffness = 1.0
    modifier.collision_settings.distance_min = 0.003
    modifier.collision_settings.collision_quality = 2
    modifier.collision_settings.use_self_collision = False
    modifier.point_cache.frame_end = frames + 2
    for frame in range(1, frames + 1):
        bpy.context.scene.frame_set(frame)
    vertices, _ = evaluated(thing)
    bpy.data.objects.remove(thing)
    return shell.moved(vertices)
