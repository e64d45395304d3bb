"""Patterns: how each kind of garment is cut from the loose skin and how wide it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from body import Body, Vectors
from cloth import Field, Shell, tights

Neck = Literal["crew", "v", "scoop", "shirt", "strap"]
FAR = 1.0
CROTCH = 0.025
"""Below the hip joint (m) the loose skin divides into legs; longer tops are stretched instead."""


@dataclass(frozen=True)
class Top:
    """A garment of the trunk; lengths in metres on a body of average height.

    `sleeve` is measured from the shoulder in upper-arm lengths (0 none, 0.6 T-shirt, 1.85 to the wrist), `hem` below
    the hip joint (negative: above), `opening` the half gap of an open front at the hem.
    """

    sleeve: float = 0.6
    neck: Neck = "crew"
    hem: float = 0.06
    ease: float = 0.02
    flare: float = 0.02
    sleeve_ease: float = 0.02
    opening: float | None = None


@dataclass(frozen=True)
class Legs:
    """Trousers or shorts; `hem` above the ankle joint (m), ease at the thigh and how much wider the hem is."""

    hem: float = 0.02
    ease: float = 0.012
    flare: float = 0.01
    rise: float = 0.10


@dataclass(frozen=True)
class Skirt:
    """A tube from the waist; `hem` below the hip joint, `flare` widens it per metre, `waves` are its pleats,
    `over` the room for what is worn below."""

    hem: float = 0.40
    flare: float = 0.25
    waves: int = 9
    rise: float = 0.11
    over: float = 0.006


def cut(shell: Shell, name: str, distance: Field) -> Shell:
    """Clip where the distance to a cutting line is positive and remember the distance as a field."""
    fields = {**shell.fields, name: distance}
    return Shell(shell.vertices, shell.faces, fields).clip(distance)


def scale_of(body: Body) -> float:
    """Body size against the average: hip to neck."""
    return float(body.rest_joints["neck01"][2] - body.rest_joints["upperleg01.L"][2]) / 0.52


def _neckline(shell: Shell, body: Body, neck: Neck) -> Shell:
    s, pit = scale_of(body), body.rest_joints["neck01"]
    f = shell.fields
    y, z, x = f["y"] - pit[1], f["z"] - pit[2], np.abs(f["x"])
    rise = {"crew": 0.012, "shirt": 0.018, "v": 0.005}.get(neck, 0.0) * s
    plane = rise + 0.6 * y + 0.9 * np.clip(x - 0.055 * s, 0, None) - z
    shell = cut(shell, "neck", plane)
    if neck in ("crew", "shirt"):
        return shell
    f = shell.fields
    y, z, x = f["y"] - pit[1], f["z"] - pit[2], np.abs(f["x"])
    front = y < -0.02 * s
    if neck == "v":
        line = (-0.20 * s + 2.3 * x - z) / 2.5
    elif neck == "scoop":
        line = -0.13 * s + 15.0 * x**2 / s - z
    else:
        line = np.where(front, -0.15, -0.10) * s + 16.0 * x**2 / s - z
        front = np.ones_like(front)
    shell = cut(shell, "scoop", np.where(front, line, FAR))
    merged = np.minimum(shell.fields["neck"], shell.fields["scoop"])
    return Shell(shell.vertices, shell.faces, {**shell.fields, "neck": merged})


def cut_top(body: Body, spec: Top) -> Shell:
    """Cut a top and widen it by its ease."""
    s, joints = scale_of(body), body.rest_joints
    shell = tights(body)
    upper = float(np.linalg.norm(joints["lowerarm01.L"] - joints["upperarm01.L"]))
    hip = float(joints["upperleg01.L"][2])
    f = shell.fields
    shell = cut(shell, "hem", np.where(f["arm"] > 0, FAR, f["z"] - hip + min(spec.hem, CROTCH) * s))
    shell = _lengthened(shell, max(spec.hem - CROTCH, 0.0) * s, hip)
    f = shell.fields
    if spec.sleeve > 0:
        shell = cut(shell, "cuff", np.where(f["arm"] > 0, spec.sleeve * upper - f["along"], FAR))
    else:
        shell = cut(shell, "cuff", _armhole(f, body, inset=(0.045 if spec.neck == "strap" else 0.03) * s))
    shell = _neckline(shell, body, spec.neck)
    if spec.opening is not None:
        f = shell.fields
        depth = np.clip((joints["neck01"][2] - f["z"]) / (0.5 * s), 0, 1)
        gap = np.abs(f["x"]) - 0.012 - spec.opening * depth
        shell = cut(shell, "front", np.where(f["y"] < joints["neck01"][1] - 0.01, gap, FAR))
    f = shell.fields
    fall = np.clip(joints["neck01"][2] - 0.10 * s - f["z"], 0, 0.5)
    on_arm = np.clip(f["arm"] / 0.04, 0, 1)
    trunk = 0.3 * spec.ease + 0.7 * spec.ease * np.clip(fall / 0.15, 0, 1) + spec.flare * fall / 0.4
    narrow = 1 - 0.65 * np.clip((f["along"] - upper) / (0.8 * upper), 0, 1)
    arm = 0.4 * spec.ease + spec.sleeve_ease * np.clip(f["along"] / 0.12, 0, 1) * narrow
    return _widened(shell, trunk * (1 - on_arm) + arm * on_arm)


def _armhole(f: dict[str, Field], body: Body, *, inset: float) -> Field:
    """Positive inside the armhole of a sleeveless top: `inset` from the shoulder joint above, wider under the arm."""
    joint = body.rest_joints["upperarm01.L"]
    above = f["z"] - joint[2]
    strap = joint[0] - inset - 0.2 * above - np.abs(f["x"])
    return np.minimum(0.03 - f["arm"], np.where(above > -0.14, strap, FAR))


def _lengthened(shell: Shell, extra: float, hip: float) -> Shell:
    """Draw the lower part of the trunk down by `extra` metres, pattern and all."""
    f = shell.fields
    share = np.where(f["arm"] > 0, 0.0, np.clip((hip + 0.10 - f["z"]) / 0.12, 0, 1) ** 1.5)
    drop = extra * share
    vertices = shell.vertices - drop[:, None] * np.array([0.0, 0.0, 1.0])
    return Shell(vertices, shell.faces, {**f, "z": f["z"] - drop})


def cut_legs(body: Body, spec: Legs) -> Shell:
    """Cut trousers or shorts and widen them."""
    s, joints = scale_of(body), body.rest_joints
    shell = tights(body)
    hip, ankle = float(joints["upperleg01.L"][2]), float(joints["foot.L"][2])
    f = shell.fields
    shell = shell.clip(np.where(f["arm"] > 0, -FAR, FAR))
    shell = cut(shell, "waist", hip + spec.rise * s - shell.fields["z"])
    shell = cut(shell, "hem", shell.fields["z"] - ankle - spec.hem * s)
    depth = np.clip((hip - shell.fields["z"]) / (hip - ankle), 0, 1)
    knee = 0.4 * (spec.ease + spec.flare) * np.exp(-(((depth - 0.5) / 0.16) ** 2))
    return _widened(shell, 0.004 + spec.ease * np.clip((depth + 0.1) / 0.25, 0, 1) + spec.flare * depth + knee)


def _widened(shell: Shell, ease: Field) -> Shell:
    return shell.moved(shell.vertices + shell.normals() * ease[:, None]).smoothed(6)


def cut_skirt(body: Body, spec: Skirt, *, step: float) -> Shell:
    """Rings around hips and legs that never get narrower downwards, with pleats that grow towards the hem."""
    s = scale_of(body)
    hip = float((body.joints["upperleg01.L"][2] + body.joints["upperleg01.R"][2]) / 2)
    centre = (body.joints["upperleg01.L"] + body.joints["upperleg01.R"])[:2] / 2
    used = np.unique(body.groups["helper-tights"].faces)
    arms = arm_rows(body)
    points = body.vertices[used[~arms[used]]]
    top, bottom = hip + spec.rise * s, hip - spec.hem * s
    rows, columns = int((top - bottom) / step) + 1, int(1.1 / step)
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    facing = np.column_stack([np.sin(angle), -np.cos(angle)])
    reach = np.zeros(columns)
    vertices = []
    for k in range(rows):
        z = top - (top - bottom) * k / (rows - 1)
        near = points[np.abs(points[:, 2] - z) < 0.03][:, :2] - centre
        if len(near) and z > hip - 0.08:
            support = (near @ facing.T).max(axis=0)
            spread = np.cos(angle[:, None] - angle[None])
            radial = np.min(np.where(spread > 0.2, support[None] / np.maximum(spread, 0.2), np.inf), axis=1)
            reach = np.maximum(reach * (0.9 if k < 2 else 1), radial + spec.over)
        low = max(top - z - 0.05, 0.0)
        wave = np.sin(spec.waves * angle + 0.7 * np.sin(2 * angle)) * low * spec.flare * 0.35
        radius = reach + spec.flare * low * 0.6 + wave
        vertices.append(np.column_stack([centre + facing * radius[:, None], np.full(columns, z)]))
    stack: Vectors = np.vstack(vertices)
    faces = [
        (k * columns + i, (k + 1) * columns + i, (k + 1) * columns + (i + 1) % columns, k * columns + (i + 1) % columns)
        for k in range(rows - 1)
        for i in range(columns)
    ]
    flat = {name: stack[:, i] for i, name in enumerate("xyz")}
    signed = np.where(angle > np.pi, angle - 2 * np.pi, angle)
    flat["x"] = np.concatenate([signed * float(np.mean(np.hypot(*(v[:, :2] - centre).T))) for v in vertices])
    extra = {"arm": np.full(len(stack), -FAR), "along": np.zeros(len(stack)), "side": np.zeros(len(stack))}
    return Shell(stack, faces, {**flat, **extra, "waist": top - stack[:, 2], "hem": stack[:, 2] - bottom})


def arm_rows(body: Body) -> np.ndarray:
    """True for vertices of arms and hands."""
    from cloth import arm_fields

    return np.asarray(arm_fields(body, body.rest)[0] > 0)
