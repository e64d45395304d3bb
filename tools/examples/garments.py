"""The garments of the examples, as a shop would photograph them: on an invisible mannequin before plain paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import materials
import numpy as np
import trims
from body import Body, Pose, Shape, make_body
from cloth import Fabric, Field, Shell, simulate
from materials import Look, Print
from people import RELAXED, both
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from wardrobe import Legs, Skirt, Top, cut_legs, cut_skirt, cut_top

import studio
from studio import Colour

WHITE: Colour = (1.0, 1.0, 1.0)
COTTON = Fabric(grow=0.03)
BONE: Colour = (0.93, 0.92, 0.88)
HORN: Colour = (0.20, 0.15, 0.12)


@dataclass(frozen=True)
class Garment:
    """One product photo: the pieces (joined at the waist), their look, what is sewn on (a key of TRIMS), the paper."""

    pieces: tuple[Top | Legs | Skirt, ...]
    look: Look
    man: bool = False
    trim: str = ""
    printed: bool = False
    fabric: Fabric = COTTON
    wh: tuple[int, int] = (768, 768)
    paper: Colour = WHITE


GARMENTS: dict[str, Garment] = {
    "tee-striped": Garment(
        (Top(sleeve=0.58, neck="crew", hem=0.07, ease=0.016, flare=0.015),),
        Look((0.95, 0.95, 0.93), stripes=((0.12, 0.17, 0.33), 0.036, 0.42), trim=(0.12, 0.17, 0.33), ribs=("neck",)),
    ),
    "longsleeve-print": Garment(
        (Top(sleeve=1.85, neck="crew", hem=0.07, ease=0.02, flare=0.012, sleeve_ease=0.016),),
        Look((0.70, 0.71, 0.72), ribs=("neck", "cuff"), seams=("hem",)),
        man=True,
        printed=True,
    ),
    "shirt": Garment(
        (Top(sleeve=1.85, neck="shirt", hem=0.11, ease=0.02, flare=0.02, sleeve_ease=0.02),),
        Look((0.66, 0.78, 0.92), sheen=0.05),
        man=True,
        trim="shirt",
        paper=(0.93, 0.92, 0.90),
    ),
    "hoodie": Garment(
        (Top(sleeve=1.85, neck="crew", hem=0.06, ease=0.03, flare=0.005, sleeve_ease=0.028, opening=0.035),),
        Look((0.16, 0.33, 0.27), trim=(0.12, 0.26, 0.21), ribs=("hem", "cuff"), seams=()),
        man=True,
        trim="hoodie",
        fabric=Fabric(mass=0.3, bending=3.0, grow=0.03),
    ),
    "tank": Garment(
        (Top(sleeve=0.0, neck="strap", hem=0.04, ease=0.008, flare=0.0),),
        Look((0.93, 0.47, 0.38), ribs=(), seams=("hem",)),
        wh=(640, 768),
    ),
    "dress": Garment(
        (Top(sleeve=0.5, neck="v", hem=-0.125, ease=0.010, flare=0.0), Skirt(hem=0.42, flare=0.30, rise=0.13)),
        Look((0.20, 0.34, 0.60), dots=((0.95, 0.94, 0.90), 0.035, 0.0055), seams=("hem",)),
        trim="belt",
        wh=(640, 768),
    ),
    "skirt": Garment(
        (Skirt(hem=0.45, flare=0.30, waves=8),),
        Look((0.55, 0.12, 0.15), checks=((0.10, 0.16, 0.22), 0.075), seams=("hem",)),
        trim="waistband",
        paper=(0.90, 0.92, 0.93),
    ),
    "trousers": Garment(
        (Legs(hem=0.02, ease=0.012, flare=0.018),),
        Look((0.19, 0.26, 0.42), twill=0.30, seams=("hem",)),
        man=True,
        trim="trousers",
        fabric=Fabric(mass=0.3, bending=2.0, grow=0.03),
        wh=(640, 768),
    ),
    "shorts": Garment(
        (Legs(hem=0.46, ease=0.02, flare=0.04),),
        Look((0.74, 0.66, 0.50), seams=("hem",)),
        man=True,
        trim="trousers",
        fabric=Fabric(mass=0.3, bending=2.0, grow=0.03),
    ),
    "jacket": Garment(
        (Top(sleeve=1.85, neck="shirt", hem=0.0, ease=0.028, flare=0.005, sleeve_ease=0.024, opening=0.05),),
        Look((0.42, 0.29, 0.20), seams=("hem", "cuff", "front")),
        man=True,
        trim="jacket",
        fabric=Fabric(mass=0.35, bending=4.0, grow=0.03),
        paper=(0.94, 0.94, 0.95),
    ),
}


def _mannequin(man: bool) -> Body:
    heritage = {"caucasian": 0.34, "african": 0.33, "asian": 0.33}
    shape = Shape(
        {"gender": 0.0 if man else 1.0, "age": 0.6, "weight": 0.48, "height": 0.5, "cupsize": 0.45, **heritage}
    )
    arms = {
        **both("upperarm01", (0.52, 0.0, -1.0)),
        **both("lowerarm01", (0.46, -0.06, -1.0)),
        **both("wrist", (0.40, -0.05, -1.0)),
    }
    return make_body(
        shape,
        Pose({**RELAXED, **arms, **both("upperleg01", (-0.005, 0.0, -1.0)), **both("lowerleg01", (0.01, 0.0, -1.0))}),
    )


def draw_print(path: Path) -> None:
    """The chest print: a mirror with a moon in it, and the project's name. Pillow's own (CC0) font."""
    picture = Image.new("RGBA", (960, 960))
    draw = ImageDraw.Draw(picture)
    navy, teal = (28, 40, 82, 255), (40, 140, 160, 255)
    draw.ellipse((230, 40, 730, 540), fill=navy)
    draw.ellipse((272, 82, 688, 498), fill=teal)
    draw.ellipse((380, 100, 720, 440), fill=(236, 240, 244, 255))
    draw.rectangle((452, 536, 508, 640), fill=navy)
    font = ImageFont.load_default(size=230)
    left, top, right, bottom = draw.textbbox((0, 0), "mojing", font=font)
    draw.text((480 - (left + right) / 2, 790 - (top + bottom) / 2), "mojing", font=font, fill=navy)
    picture.save(path)


def _join(shells: list[Shell]) -> Shell:
    """One shell of several; fields that a piece lacks are far from zero."""
    names = {n for s in shells for n in s.fields}
    fields = {n: np.concatenate([s.fields.get(n, np.ones(len(s.vertices))) for s in shells]) for n in sorted(names)}
    faces: list[tuple[int, ...]] = []
    start = 0
    for s in shells:
        faces += [tuple(i + start for i in f) for f in s.faces]
        start += len(s.vertices)
    return Shell(np.vstack([s.vertices for s in shells]), faces, fields)


def _sew(garment: Garment, body: Body) -> tuple[Shell, Any]:
    """Cut and join the pieces; where the cloth is held."""
    cutters: dict[type, Callable[..., Shell]] = {Top: cut_top, Legs: cut_legs}
    shells = []
    for piece in garment.pieces:
        if isinstance(piece, Skirt):
            shells.append(cut_skirt(body, piece, step=0.025))
        else:
            shells.append(cutters[type(piece)](body, piece))
    shell = _join(shells)
    pin = (np.minimum(shell.fields.get("neck", 1.0), shell.fields.get("waist", 1.0)) < 0.02).astype(float)
    if len(garment.pieces) > 1:
        pin = np.maximum(pin, (shells_mask(shells) & (shell.fields["hem"] < 0.02)).astype(float))
    return shell, pin


def shells_mask(shells: list[Shell]) -> Any:
    """True for vertices of the first of several joined shells."""
    return np.arange(sum(len(s.vertices) for s in shells)) < len(shells[0].vertices)


def _finish(shell: Shell, material: Any, name: str, *, thickness: float = 0.0025) -> None:
    thing = studio.add_mesh(name, shell.vertices, shell.faces, attributes=shell.fields, material=material)
    studio.thicken(thing, thickness)
    studio.smooth_surface(thing)


@dataclass(frozen=True)
class _Bench:
    """A garment on the sewing bench: its cloth, and where neck and hips are at rest (m)."""

    shell: Shell
    material: Any
    neck_z: float
    hip_z: float

    @property
    def front(self) -> Field:
        """Positive on the front half, negative behind."""
        y = self.shell.fields["y"]
        return np.where(y < np.median(y), 1.0, -1.0)

    def box(self, *, x: float, z: float, half_wh: tuple[float, float]) -> Field:
        """Positive inside a rectangle on the front, given by its centre at rest."""
        f = self.shell.fields
        inside = np.minimum(half_wh[0] - np.abs(f["x"] - x), half_wh[1] - np.abs(f["z"] - z))
        return np.minimum(inside, self.front)

    def sew(self, name: str, field: Field, *, lift: float, material: Any = None) -> None:
        """Sew a second layer onto the part where a field is positive."""
        _finish(trims.patch(self.shell, field, lift=lift), material or self.material, name, thickness=lift)

    def sweep(self, name: str, section: trims.Section, *, gap: float, thickness: float = 0.0025) -> None:
        """Sew a collar or hood to the neckline."""
        vertices, faces = trims.loft(self.shell, section, gap=gap)
        plain = {n: np.ones(len(vertices)) for n in self.shell.fields} | {"arm": -np.ones(len(vertices))}
        fields = plain | {n: vertices[:, i] for i, n in enumerate("xyz")}
        _finish(Shell(vertices, faces, fields), self.material, name, thickness=thickness)


def _trim_shirt(bench: _Bench) -> None:
    bench.sweep("collar", trims.shirt_collar, gap=0.05)
    bench.sew("pocket", bench.box(x=0.082, z=bench.neck_z - 0.20, half_wh=(0.042, 0.052)), lift=0.0025)
    bench.sew("placket", np.minimum(0.016 - np.abs(bench.shell.fields["x"]), bench.front), lift=0.003)
    heights = np.linspace(bench.neck_z - 0.075, bench.hip_z - 0.02, 7)
    trims.add_buttons(
        bench.shell, heights, x=0.0, radius=0.0055, material=materials.plain("button", BONE, roughness=0.3)
    )


def _trim_jacket(bench: _Bench) -> None:
    bench.sweep("collar", trims.shirt_collar, gap=0.55)
    for x in (0.105, -0.105):
        bench.sew("pocket", bench.box(x=x, z=bench.neck_z - 0.20, half_wh=(0.05, 0.058)), lift=0.0025)
    heights = np.linspace(bench.neck_z - 0.10, bench.hip_z + 0.05, 5)
    trims.add_buttons(
        bench.shell, heights, x=0.075, radius=0.009, material=materials.plain("button", HORN, roughness=0.3)
    )


def _trim_hoodie(bench: _Bench) -> None:
    bench.sweep("hood", trims.hood, gap=0.22, thickness=0.005)
    zipper = materials.plain("zip", (0.80, 0.80, 0.78), roughness=0.35)
    bench.sew("zip", 0.009 - bench.shell.fields["front"], lift=0.0035, material=zipper)
    for x in (0.115, -0.115):
        bench.sew("pocket", bench.box(x=x, z=bench.hip_z + 0.055, half_wh=(0.058, 0.06)), lift=0.004)


def _trim_waistband(bench: _Bench) -> None:
    bench.sew("waistband", 0.036 - bench.shell.fields["waist"], lift=0.003)


def _trim_trousers(bench: _Bench) -> None:
    _trim_waistband(bench)
    f, horn = bench.shell.fields, materials.plain("button", HORN, roughness=0.3)
    fly = np.minimum(0.019 - np.abs(f["x"] - 0.019), 0.17 - f["waist"])
    bench.sew("fly", np.minimum(fly, bench.front), lift=0.0025)
    trims.add_buttons(bench.shell, np.array([bench.hip_z + 0.082]), x=0.012, radius=0.008, material=horn)
    for side in (1, -1):
        slant = 0.0016 - np.abs(side * f["x"] - 0.115 - 0.35 * (f["waist"] - 0.10))
        slit = np.minimum(slant, 0.065 - np.abs(f["waist"] - 0.10))
        bench.sew("slit", np.minimum(slit, bench.front), lift=0.003, material=horn)


def _trim_belt(bench: _Bench) -> None:
    leather = materials.plain("belt", (0.36, 0.22, 0.14), roughness=0.4)
    waist = bench.shell.fields["waist"]
    bench.sew("belt", np.minimum(0.012 - waist, waist + 0.02), lift=0.008, material=leather)


TRIMS: dict[str, Callable[[_Bench], None]] = {
    "shirt": _trim_shirt,
    "jacket": _trim_jacket,
    "hoodie": _trim_hoodie,
    "waistband": _trim_waistband,
    "trousers": _trim_trousers,
    "belt": _trim_belt,
}


def _photograph(path: Path, garment: Garment) -> None:
    """Frame the garment and light it evenly; nothing else is in the picture, the paper is put behind afterwards."""
    things = [o for o in bpy.context.scene.objects if o.type == "MESH"]
    corners = np.array([o.matrix_world @ v.co for o in things for v in o.data.vertices])
    low, high = corners.min(axis=0), corners.max(axis=0)
    middle = (low + high) / 2
    size = high - low
    ratio = garment.wh[0] / garment.wh[1]
    height = 1.16 * max(size[2], size[0] / ratio)
    bpy.context.scene.render.film_transparent = True
    studio.add_camera((middle[0], -7.0, middle[2] + 0.45), (middle[0], middle[1], middle[2]), height_m=height)
    studio.set_world(WHITE, 0.5)
    studio.add_lamp((-1.3, -3.4, middle[2] + 1.5), middle, watts=120, size=1.8, colour=WHITE)
    studio.add_lamp((2.4, -3.0, middle[2] + 0.4), middle, watts=40, size=2.2, colour=WHITE)
    studio.render(path)
    _lay_on_paper(Image.open(path).convert("RGBA"), garment.paper).save(path)


def _lay_on_paper(picture: Image.Image, paper: Colour) -> Image.Image:
    """Put a cut-out on paper with the soft shadow of a garment that lies almost flat."""
    size = picture.size[1]
    covered = picture.getchannel("A")
    edge = covered.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(0.6))
    picture.putalpha(ImageChops.darker(edge, covered.point(lambda a: 255 if a else 0)))
    ground = Image.new("RGBA", picture.size, (*(round(255 * c) for c in paper), 255))
    for shift, blur, strength in ((0.004, 0.006, 0.22), (0.016, 0.024, 0.16)):
        shade = Image.new("L", picture.size)
        shade.paste(picture.getchannel("A"), (round(shift * size * 0.6), round(shift * size)))
        shade = shade.filter(ImageFilter.GaussianBlur(blur * size)).point(lambda a, s=strength: round(a * s))
        ground.paste((20, 20, 28, 255), mask=shade)
    return Image.alpha_composite(ground, picture).convert("RGB")


def render_garment(garment: Garment, path: Path, *, samples: int, scale: float = 1.0) -> None:
    """Render one product photo to a PNG file."""
    wh = (round(garment.wh[0] * scale), round(garment.wh[1] * scale))
    studio.new_scene(wh=wh, samples=samples)
    body = _mannequin(garment.man)
    dummy = studio.add_part("dummy", body.vertices, body.groups["body"].faces)
    shell, pin = _sew(garment, body)
    shell = simulate(shell, [dummy], pin=pin, fabric=garment.fabric, frames=20)
    trims.remove(dummy)
    look = garment.look
    if garment.printed:
        drawing = path.with_name("print.png")
        draw_print(drawing)
        look = replace(look, print=Print(drawing, below=0.23, width=0.24, height=0.24))
    neck_z, hip_z = (float(body.rest_joints[n][2]) for n in ("neck01", "upperleg01.L"))
    material = materials.cloth("cloth", look, neck_z=neck_z)
    _finish(shell, material, "garment")
    if garment.trim:
        TRIMS[garment.trim](_Bench(shell, material, neck_z, hip_z))
    _photograph(path, garment)
