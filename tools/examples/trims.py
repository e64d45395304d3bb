"""What is sewn onto a garment after it has fallen into place: collars, hoods, plackets, pockets, buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy  # it makes bmesh and mathutils importable, so it comes first

# isort: split
import bmesh
import numpy as np
from body import Vectors
from cloth import Field, Shell
from mathutils import Vector

import studio

Section = Callable[[float], Vectors]
"""Angle from the front (0) to the back (pi) -> points (K, 2): how far out and how far up from the neckline."""


def shirt_collar(angle: float) -> Vectors:
    """A stand, and a fall that folds outwards, longest at the two points beside the front."""
    near = np.clip(angle / 0.5, 0, 1)
    leaf = np.interp(angle, [0.0, 0.5, 1.3, np.pi], [0.012, 0.072, 0.046, 0.044])
    lean = 0.55 if angle < 1.0 else 0.75
    stand = [(0.000, -0.004), (-0.003, 0.010), (-0.003, 0.022), (0.002, 0.027 - 0.004 * (1 - near))]
    fall = [(0.004 + lean * leaf * t, 0.026 - 0.004 * (1 - near) - leaf * t) for t in (0.15, 0.45, 0.75, 1.0)]
    return np.array(stand + fall)


def hood(angle: float) -> Vectors:
    """A hood that stands up behind the neck and comes down to nothing in front."""
    t = float(np.clip(angle / (0.75 * np.pi), 0, 1))
    h = 0.04 + 0.13 * t * t * (3 - 2 * t)
    return np.array(
        [
            (0.000, -0.006),
            (0.016, 0.20 * h),
            (0.030 + 0.015 * t, 0.45 * h),
            (0.034 + 0.012 * t, 0.70 * h),
            (0.026 + 0.008 * t, 0.92 * h),
            (0.012, h),
            (-0.008 - 0.015 * t, 0.98 * h),
        ]
    )


def loft(shell: Shell, section: Section, *, gap: float) -> tuple[Vectors, list[tuple[int, ...]]]:
    """Sweep a section along the neckline of a garment; `gap` radians stay free on each side of the front."""
    edge = shell.vertices[(shell.fields["neck"] < 1e-6) & shell.border()]
    centre = (edge.min(axis=0) + edge.max(axis=0)) / 2
    around = np.arctan2(edge[:, 0] - centre[0], -(edge[:, 1] - centre[1]))
    order = np.argsort(around)
    turn = np.linspace(-np.pi + 1e-3, np.pi - 1e-3, 96)
    turn = turn[np.abs(turn) > gap]
    turn = np.concatenate([turn[turn > 0], turn[turn < 0] + 2 * np.pi])
    wrapped = np.where(turn > np.pi, turn - 2 * np.pi, turn)
    ring = np.column_stack([np.interp(wrapped, around[order], edge[order, k], period=2 * np.pi) for k in range(3)])
    kernel = np.ones(7) / 7
    padded = np.pad(ring, ((3, 3), (0, 0)), mode="edge")
    ring = np.column_stack([np.convolve(padded[:, k], kernel, "valid") for k in range(3)])
    rows = []
    for place, angle in zip(ring, wrapped, strict=True):
        outward = np.array([np.sin(angle), -np.cos(angle), 0.0])
        curve = section(abs(float(angle)))
        rows.append(place + curve[:, :1] * outward + curve[:, 1:] * np.array([0.0, 0.0, 1.0]))
    k = rows[0].shape[0]
    faces = [
        (i * k + j, (i + 1) * k + j, (i + 1) * k + j + 1, i * k + j + 1)
        for i in range(len(rows) - 1)
        for j in range(k - 1)
    ]
    return np.vstack(rows), faces


def patch(shell: Shell, field: Field, *, lift: float) -> Shell:
    """The part of a garment where a field is positive, lifted off it."""
    return shell.moved(shell.vertices + shell.normals() * lift).clip(field)


def add_buttons(shell: Shell, heights: Vectors, *, x: float, radius: float, material: Any) -> None:
    """Small discs on the front of a garment at given rest heights."""
    normals = shell.normals()
    f = shell.fields
    front = f["y"] < np.median(f["y"])
    for z in heights:
        far = np.hypot(f["x"] - x, f["z"] - z) + np.where(front, 0, 1)
        i = int(np.argmin(far))
        disc = bmesh.new()
        bmesh.ops.create_cone(disc, segments=24, radius1=radius, radius2=radius * 0.85, depth=0.003, cap_ends=True)
        spin = Vector((0, 0, 1)).rotation_difference(Vector(normals[i]))
        vertices = np.array([spin @ v.co for v in disc.verts]) + shell.vertices[i] + normals[i] * 0.006
        studio.add_mesh("button", vertices, [[v.index for v in face.verts] for face in disc.faces], material=material)
        disc.free()


def remove(thing: Any) -> None:
    """Take an object out of the scene."""
    bpy.data.objects.remove(thing)
