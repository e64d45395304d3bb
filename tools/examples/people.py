"""The people of the examples: who they are, how they stand, what they wear, and the room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import figure
import materials
import numpy as np
from body import Body, Pose, Shape, make_body
from cloth import Fabric, Shell, simulate
from hair import Style
from materials import Look
from wardrobe import Legs, Skirt, Top, cut_legs, cut_skirt, cut_top

import studio
from studio import Colour

Pattern = Top | Legs | Skirt


@dataclass(frozen=True)
class Person:
    """One example person. `clothes` are put on in order, each over the one before."""

    shape: Shape
    pose: Pose
    tone: Colour
    lips: Colour
    iris: Colour
    hair: Style
    hair_colour: Colour
    clothes: tuple[tuple[Pattern, Look], ...]
    shoes: tuple[Colour, Colour]
    wall: Colour
    frame: tuple[float, float] = (0.90, 1.94)


def both(name: str, direction: tuple[float, float, float]) -> dict[str, tuple[float, float, float]]:
    """The same direction for the left bone and, mirrored, for the right one."""
    x, y, z = direction
    return {f"{name}.L": (x, y, z), f"{name}.R": (-x, y, z)}


RELAXED = {
    **both("upperarm01", (0.30, 0.03, -1.0)),
    **both("lowerarm01", (0.16, -0.18, -1.0)),
    **both("wrist", (0.03, -0.16, -1.0)),
    **both("upperleg01", (0.045, 0.0, -1.0)),
    **both("lowerleg01", (0.02, 0.03, -1.0)),
}
PEOPLE: dict[str, Person] = {
    "anna": Person(
        shape=Shape(
            {
                "gender": 1.0,
                "age": 0.62,
                "muscle": 0.5,
                "weight": 0.42,
                "height": 0.56,
                "proportions": 0.75,
                "caucasian": 1.0,
                "african": 0.0,
                "asian": 0.0,
                "cupsize": 0.5,
                "firmness": 0.6,
            },
            expression={"mouthSmileLeft": 0.3, "mouthSmileRight": 0.3},
        ),
        pose=Pose({**RELAXED, "upperleg01.R": (-0.09, -0.05, -1.0)}, {"head": (0, 0, 6)}),
        tone=(0.86, 0.67, 0.57),
        lips=(0.70, 0.38, 0.37),
        iris=(0.30, 0.42, 0.50),
        hair=Style(length=0.36, lift=0.014, back=0.2, gravity=0.5),
        hair_colour=(0.27, 0.17, 0.10),
        clothes=(
            (Legs(hem=0.03, ease=0.008, flare=0.012), Look((0.16, 0.22, 0.38), twill=0.25, seams=("hem",))),
            (Top(sleeve=0.55, neck="crew", hem=0.02, ease=0.016, flare=0.02), Look((0.20, 0.58, 0.58), ribs=("neck",))),
        ),
        shoes=((0.90, 0.90, 0.89), (0.82, 0.81, 0.79)),
        wall=(0.78, 0.77, 0.75),
    ),
    "kofi": Person(
        shape=Shape(
            {
                "gender": 0.0,
                "age": 0.60,
                "muscle": 0.68,
                "weight": 0.50,
                "height": 0.62,
                "proportions": 0.7,
                "caucasian": 0.0,
                "african": 1.0,
                "asian": 0.0,
            },
            expression={"mouthSmileLeft": 0.15, "mouthSmileRight": 0.15},
        ),
        pose=Pose(
            {
                **RELAXED,
                "upperarm01.R": (-0.62, 0.12, -1.0),
                "lowerarm01.R": (0.55, -0.32, -0.85),
                "wrist.R": (0.8, 0.1, -0.6),
                "upperleg01.L": (0.12, -0.04, -1.0),
            },
            {"head": (0, 0, -8)},
        ),
        tone=(0.36, 0.23, 0.165),
        lips=(0.40, 0.21, 0.19),
        iris=(0.16, 0.09, 0.05),
        hair=Style(length=0.016, lift=0.012, back=0.5, gravity=0.0, strands=14000, thickness=0.0012),
        hair_colour=(0.045, 0.035, 0.03),
        clothes=(
            (Legs(hem=0.02, ease=0.012, flare=0.015), Look((0.21, 0.21, 0.23), seams=("hem",))),
            (
                Top(sleeve=1.85, neck="crew", hem=0.05, ease=0.018, flare=0.01, sleeve_ease=0.016),
                Look((0.17, 0.29, 0.60), ribs=("neck", "cuff"), seams=("hem",)),
            ),
        ),
        shoes=((0.22, 0.22, 0.23), (0.85, 0.84, 0.82)),
        wall=(0.66, 0.71, 0.74),
    ),
    "mei": Person(
        shape=Shape(
            {
                "gender": 1.0,
                "age": 0.58,
                "muscle": 0.45,
                "weight": 0.36,
                "height": 0.36,
                "proportions": 0.65,
                "caucasian": 0.0,
                "african": 0.0,
                "asian": 1.0,
                "cupsize": 0.35,
                "firmness": 0.6,
            },
            expression={"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4},
        ),
        pose=Pose(
            {**RELAXED, "upperarm01.L": (0.45, 0.05, -1.0), "lowerarm01.L": (0.30, -0.45, -1.0)},
            {"head": (0, 4, 10), "spine03": (0, 0, 5)},
        ),
        tone=(0.82, 0.63, 0.49),
        lips=(0.72, 0.34, 0.33),
        iris=(0.14, 0.08, 0.05),
        hair=Style(length=0.20, lift=0.018, back=0.1, gravity=0.5, part=-0.01),
        hair_colour=(0.05, 0.04, 0.04),
        clothes=(
            (Skirt(hem=0.27, flare=0.12, rise=0.12), Look((0.20, 0.20, 0.24), seams=("hem",))),
            (
                Top(sleeve=1.8, neck="crew", hem=-0.03, ease=0.016, flare=0.012, sleeve_ease=0.014),
                Look((0.22, 0.45, 0.27), ribs=("neck", "cuff")),
            ),
        ),
        shoes=((0.12, 0.11, 0.11), (0.10, 0.10, 0.10)),
        wall=(0.80, 0.77, 0.72),
    ),
    "rosa": Person(
        shape=Shape(
            {
                "gender": 1.0,
                "age": 0.74,
                "muscle": 0.45,
                "weight": 0.78,
                "height": 0.45,
                "proportions": 0.5,
                "caucasian": 0.5,
                "african": 0.4,
                "asian": 0.1,
                "cupsize": 0.6,
                "firmness": 0.4,
            },
            expression={"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5},
        ),
        pose=Pose({**RELAXED, **both("upperarm01", (0.42, 0.04, -1.0))}, {"head": (0, -4, -5)}),
        tone=(0.62, 0.42, 0.31),
        lips=(0.60, 0.27, 0.25),
        iris=(0.20, 0.12, 0.07),
        hair=Style(length=0.12, lift=0.022, back=0.6, gravity=0.35),
        hair_colour=(0.13, 0.085, 0.06),
        clothes=(
            (Top(sleeve=0.0, neck="scoop", hem=-0.115, ease=0.007, flare=0.0), Look((0.62, 0.12, 0.16), seams=())),
            (Skirt(hem=0.40, flare=0.25, rise=0.13, over=0.008), Look((0.62, 0.12, 0.16), seams=("hem", "waist"))),
        ),
        shoes=((0.75, 0.68, 0.58), (0.55, 0.45, 0.36)),
        wall=(0.76, 0.79, 0.75),
    ),
    "tom": Person(
        shape=Shape(
            {
                "gender": 0.0,
                "age": 0.66,
                "muscle": 0.5,
                "weight": 0.72,
                "height": 0.55,
                "proportions": 0.5,
                "caucasian": 0.9,
                "african": 0.0,
                "asian": 0.1,
            },
        ),
        pose=Pose({**RELAXED, **both("upperarm01", (0.38, 0.02, -1.0)), "lowerarm01.L": (0.1, -0.6, -1.0)}),
        tone=(0.80, 0.60, 0.50),
        lips=(0.62, 0.37, 0.34),
        iris=(0.25, 0.33, 0.25),
        hair=Style(length=0.05, lift=0.016, back=0.7, gravity=0.12, strands=12000),
        hair_colour=(0.36, 0.25, 0.15),
        clothes=(
            (Legs(hem=0.46, ease=0.02, flare=0.03), Look((0.38, 0.40, 0.36), seams=("hem",))),
            (Top(sleeve=0.62, neck="crew", hem=0.06, ease=0.02, flare=0.01), Look((0.36, 0.27, 0.50), ribs=("neck",))),
        ),
        shoes=((0.25, 0.30, 0.40), (0.9, 0.9, 0.88)),
        wall=(0.72, 0.72, 0.76),
    ),
}


def dress(body: Body, clothes: tuple[tuple[Pattern, Look], ...], skin: Any) -> list[Any]:
    """Cut and simulate each garment over what is already worn; returns the garments' objects."""
    worn: list[Any] = []
    for i, (pattern, look) in enumerate(clothes):
        shell, pin, fabric = _cut(body, pattern)
        done = simulate(shell, [skin, *worn], pin=pin, fabric=fabric, frames=20)
        neck_z = float(body.rest_joints["neck01"][2])
        material = materials.cloth(f"cloth{i}", look, neck_z=neck_z)
        thing = studio.add_mesh(f"cloth{i}", done.vertices, done.faces, attributes=done.fields, material=material)
        worn.append(thing)
    for thing in worn:
        thing.modifiers.clear()
        studio.thicken(thing, 0.0025)
        studio.smooth_surface(thing)
    return worn


def _cut(body: Body, pattern: Pattern) -> tuple[Shell, Any, Fabric]:
    if isinstance(pattern, Top):
        shell = cut_top(body, pattern)
        return shell, (shell.fields["neck"] < 0.012).astype(float), Fabric(grow=0.03)
    if isinstance(pattern, Legs):
        shell = cut_legs(body, pattern)
        return shell, (shell.fields["waist"] < 0.03).astype(float), Fabric(mass=0.3, grow=0.03, bending=2.0)
    shell = cut_skirt(body, pattern, step=0.025)
    return shell, (shell.fields["waist"] < 0.03).astype(float), Fabric(mass=0.25)


def add_room(wall: Colour) -> None:
    """A paper sweep: floor that bends up into the wall."""
    bend = [(-6.0, 0.0), (0.9, 0.0)]
    bend += [(0.9 + np.sin(a), 1 - np.cos(a)) for a in np.linspace(0.05, np.pi / 2, 24)]
    bend += [(1.9, 5.0)]
    vertices = np.array([(x, y, z) for y, z in bend for x in (-6.0, 6.0)])
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(bend) - 1)]
    studio.add_mesh("room", vertices, faces, material=materials.plain("room", wall, roughness=0.9))


def render_person(person: Person, path: Path, *, samples: int, scale: float = 1.0) -> None:
    """Render one person to a PNG file."""
    studio.new_scene(wh=(round(768 * scale), round(1024 * scale)), samples=samples)
    body = make_body(person.shape, person.pose)
    skin = figure.add_body(body, person.tone, lips=person.lips, hair_colour=person.hair_colour)
    skin.modifiers.clear()
    worn = dress(body, person.clothes, skin)
    skin.modifiers.clear()
    studio.smooth_surface(skin)
    figure.add_eyes(body, person.iris)
    figure.add_hair(body, person.hair, person.hair_colour, [skin, *worn], seed=3)
    figure.add_shoes(body, *person.shoes)
    add_room(person.wall)
    height = float(body.vertices[:, 2].max())
    middle, tall = person.frame
    middle *= height / 1.75
    tall *= height / 1.75
    studio.add_camera((0.0, -6.0, middle + 0.15), (0.0, -0.05, middle), height_m=tall)
    studio.set_world((1.0, 1.0, 1.0), 0.38)
    studio.add_lamp((-2.2, -3.2, 3.0), (0, 0, 1.1), watts=190, size=1.6, colour=(1.0, 0.98, 0.95))
    studio.add_lamp((2.8, -2.6, 1.8), (0, 0, 1.0), watts=60, size=2.0, colour=(0.96, 0.98, 1.0))
    studio.render(path)
