"""A posed parametric body as plain arrays: Anny gives shape and skin weights, this file poses and groups them.

Axes are Blender's: x to the wearer's left, -y the way the face looks, z up; metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Direction = tuple[float, float, float]

TIPS = {
    "upperarm01": "lowerarm01",
    "lowerarm01": "wrist",
    "wrist": "finger3-1",
    "upperleg01": "lowerleg01",
    "lowerleg01": "foot",
    "clavicle": "shoulder01",
    "foot": "toe2-1",
    "neck01": "head",
}
"""Bone -> the bone whose head is its tip, for the bones that can be aimed."""


@dataclass(frozen=True)
class Shape:
    """What Anny needs to know: phenotypes in 0..1, local changes in -1..1, facial actions in 0..1."""

    phenotypes: Mapping[str, float]
    changes: Mapping[str, float] = field(default_factory=dict)
    expression: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pose:
    """Directions some bones point to, and turns (degrees about x, y, z) of others, in world axes."""

    aims: Mapping[str, Direction] = field(default_factory=dict)
    turns: Mapping[str, Direction] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Faces of one part of the mesh: quads of vertex rows, and the same corners in texture space."""

    faces: NDArray[np.int64]
    uv: NDArray[np.float64]


@dataclass(frozen=True)
class Body:
    """All vertices (V, 3), helpers included, and joints, each posed and at rest; the groups of faces."""

    vertices: Vectors
    rest: Vectors
    groups: Mapping[str, Group]
    joints: Mapping[str, Vectors]
    rest_joints: Mapping[str, Vectors]


@cache
def _model() -> Any:
    import anny
    import torch
    from anny.models.model_data import TopologyConfig

    torch.set_num_threads(1)
    topology = TopologyConfig("makehuman", remove_unattached_vertices=False, triangulate_faces=False)
    model = anny.Anny(
        rig="makehuman", topology=topology, local_changes="default", facial_actions="all", phenotypes="all"
    )
    return model.to(dtype=torch.float32)


def data_folder() -> Path:
    """Folder of the CC0 mesh data inside the installed Anny package."""
    import anny

    return Path(anny.__file__).parent / "data" / "mpfb2"


@cache
def _groups() -> dict[str, Group]:
    """Read the quads of every named part from the base mesh; Anny itself keeps only body and eyes."""
    corners: dict[str, list[list[tuple[int, int]]]] = {}
    texture: list[tuple[float, float]] = []
    name = ""
    for line in (data_folder() / "3dobjs" / "base.obj").read_text().splitlines():
        kind, *rest = line.split()
        if kind == "g":
            name = rest[0]
        elif kind == "vt":
            texture.append((float(rest[0]), float(rest[1])))
        elif kind == "f" and not name.startswith("joint"):
            face = [tuple(int(i) - 1 for i in corner.split("/")[:2]) for corner in rest]
            corners.setdefault(name, []).append([(c[0], c[1]) for c in face])
    uv = np.array(texture)
    out = {}
    for key, faces in corners.items():
        rows = np.array([face if len(face) == 4 else [*face, face[-1]] for face in faces])
        out[key] = Group(rows[..., 0], uv[rows[..., 1]])
    return out


def _turn(axis: Vectors, angle: float) -> Vectors:
    """Rotation matrix about a unit axis (Rodrigues)."""
    x, y, z = axis
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k))


def _between(a: Vectors, b: Vectors) -> Vectors:
    """Smallest rotation that turns direction a to direction b."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    axis = np.cross(a, b)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        return np.eye(3)
    return _turn(axis / sine, float(np.arctan2(sine, a @ b)))


def _bone_motion(pose: Pose, names: list[str], parents: list[int], heads: Vectors) -> tuple[Vectors, Vectors]:
    """Rotation (J, 3, 3) and shift (J, 3) of every bone from rest, parents first."""
    row = {n: i for i, n in enumerate(names)}
    rotation, shift = np.zeros((len(names), 3, 3)), np.zeros((len(names), 3))
    for i, name in enumerate(names):
        base = (rotation[parents[i]], shift[parents[i]]) if parents[i] >= 0 else (np.eye(3), np.zeros(3))
        stem, dot, side = name.partition(".")
        own = np.eye(3)
        if name in pose.aims:
            tip = row[TIPS[stem] + dot + side]
            own = _between(base[0] @ (heads[tip] - heads[i]), np.array(pose.aims[name]))
        for axis, degrees in zip(np.eye(3), pose.turns.get(name, ()), strict=False):
            own = _turn(axis, np.radians(degrees)) @ own
        place = base[0] @ heads[i] + base[1]
        rotation[i] = own @ base[0]
        shift[i] = place - rotation[i] @ heads[i]
    return rotation, shift


def make_body(shape: Shape, pose: Pose) -> Body:
    """Shape and pose the body, standing on z = 0."""
    import torch

    model = _model()
    phenotypes = dict.fromkeys(model.phenotype_labels, 0.5) | dict(shape.phenotypes)
    still = torch.eye(4)[None, None].repeat(1, model.bone_count, 1, 1)
    with torch.no_grad():
        out = model(
            pose_parameters=still,
            phenotype_kwargs=phenotypes,
            local_changes_kwargs=dict(shape.changes),
            facial_actions=dict(shape.expression),
        )
    rest = out["rest_vertices"][0].double().numpy()
    heads = out["rest_bone_heads"][0].double().numpy()
    names = list(model.bone_labels)
    rotation, shift = _bone_motion(pose, names, [int(p) for p in model.bone_parents], heads)
    weights = model.vertex_bone_weights.double().numpy()
    bones = model.vertex_bone_indices.numpy()
    vertices = np.zeros_like(rest)
    for k in range(weights.shape[1]):
        moved = np.einsum("vij,vj->vi", rotation[bones[:, k]], rest) + shift[bones[:, k]]
        vertices += weights[:, k : k + 1] * moved
    joints = {n: rotation[i] @ heads[i] + shift[i] for i, n in enumerate(names)}
    floor = vertices[_groups()["body"].faces.ravel(), 2].min()
    lift = np.array([0.0, 0.0, -floor])
    at_rest = {n: heads[i] for i, n in enumerate(names)}
    return Body(vertices + lift, rest, _groups(), {n: p + lift for n, p in joints.items()}, at_rest)
