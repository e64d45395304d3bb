"""Cycles materials: skin, eyes, hair, cloth. Patterns follow the cloth because they read its fields."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from studio import Colour, linear

Value = Any  # a node socket or a float


class Graph:
    """A material's node graph, written as expressions."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.nodes = self.material.node_tree.nodes
        self.links = self.material.node_tree.links
        self.shader = self.nodes["Principled BSDF"]

    def _plug(self, socket: Any, value: Value) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.links.new(value, socket)
        elif value is not None:
            socket.default_value = value

    def set(self, name: str, value: Value) -> None:
        """Set an input of the surface shader."""
        self._plug(self.shader.inputs[name], value)

    def attribute(self, name: str) -> Any:
        """A field of the mesh."""
        node = self.nodes.new("ShaderNodeAttribute")
        node.attribute_name = name
        return node.outputs["Fac"]

    def math(self, operation: str, a: Value, b: Value = None) -> Any:
        """One arithmetic node."""
        node = self.nodes.new("ShaderNodeMath")
        node.operation = operation
        self._plug(node.inputs[0], a)
        self._plug(node.inputs[1], b)
        return node.outputs[0]

    def step(self, a: Value, low: float, high: float) -> Any:
        """Smooth 0..1 ramp from low to high (falling if low > high)."""
        node = self.nodes.new("ShaderNodeMapRange")
        node.interpolation_type = "SMOOTHSTEP"
        self._plug(node.inputs["Value"], a)
        flip = low > high
        for key, value in zip(
            ("From Min", "From Max", "To Min", "To Max"),
            (min(low, high), max(low, high), float(flip), float(not flip)),
            strict=True,
        ):
            node.inputs[key].default_value = value
        return node.outputs["Result"]

    def mix(self, factor: Value, a: Value, b: Value, *, blend: str = "MIX") -> Any:
        """Blend two colours."""
        node = self.nodes.new("ShaderNodeMix")
        node.data_type, node.blend_type = "RGBA", blend
        self._plug(node.inputs[0], factor)
        self._plug(node.inputs[6], a)
        self._plug(node.inputs[7], b)
        return node.outputs[2]

    def noise(self, scale: float, *, detail: float = 2.0) -> Any:
        """Noise 0..1 in object space."""
        where = self.nodes.new("ShaderNodeTexCoord")
        node = self.nodes.new("ShaderNodeTexNoise")
        node.inputs["Scale"].default_value = scale
        node.inputs["Detail"].default_value = detail
        self.links.new(where.outputs["Object"], node.inputs["Vector"])
        return node.outputs["Fac"]

    def image(self, path: Path, *, u: Value = None, v: Value = None, clip: bool = False) -> tuple[Any, Any]:
        """Colour and alpha of a picture, at (u, v) or at the mesh's own texture coordinates."""
        node = self.nodes.new("ShaderNodeTexImage")
        node.image = bpy.data.images.load(str(path), check_existing=True)
        node.extension = "CLIP" if clip else "REPEAT"
        if u is not None:
            where = self.nodes.new("ShaderNodeCombineXYZ")
            self._plug(where.inputs[0], u)
            self._plug(where.inputs[1], v)
            self.links.new(where.outputs[0], node.inputs["Vector"])
        return node.outputs["Color"], node.outputs["Alpha"]

    def bump(self, height: Value, *, strength: float, distance: float = 0.002) -> None:
        """Small relief."""
        node = self.nodes.new("ShaderNodeBump")
        node.inputs["Strength"].default_value = strength
        node.inputs["Distance"].default_value = distance
        self.links.new(height, node.inputs["Height"])
        self.links.new(node.outputs["Normal"], self.shader.inputs["Normal"])


def plain(name: str, colour: Colour, *, roughness: float = 0.6) -> Any:
    """One colour."""
    g = Graph(name)
    g.set("Base Color", linear(colour))
    g.set("Roughness", roughness)
    return g.material


def skin(tone: Colour, lips: Colour, scalp: Colour, textures: Path) -> Any:
    """Skin with lips and reddish blotches; dark where the field `scalp` says hair grows."""
    g = Graph("skin")
    redder: Colour = (min(tone[0] * 1.03, 1), tone[1] * 0.88, tone[2] * 0.84)
    colour = g.mix(g.step(g.noise(9, detail=4), 0.42, 0.72), linear(tone), linear(redder))
    mask, _ = g.image(textures / "mpfb_lips.jpg")
    colour = g.mix(g.math("MULTIPLY", mask, 0.85), colour, linear(lips))
    colour = g.mix(g.step(g.attribute("scalp"), 0.25, 0.75), colour, linear(scalp))
    g.set("Base Color", colour)
    g.set("Roughness", 0.48)
    g.set("Specular IOR Level", 0.35)
    g.bump(g.noise(420), strength=0.12)
    return g.material


def eye(iris: Colour) -> Any:
    """An eyeball; the field `gaze` is the cosine between a point and the line of sight."""
    g = Graph("eye")
    gaze = g.attribute("gaze")
    colour = g.mix(g.step(gaze, 0.855, 0.875), linear((0.93, 0.90, 0.88)), linear(tuple(c * 0.45 for c in iris)))
    colour = g.mix(g.step(gaze, 0.875, 0.90), colour, linear(iris))
    colour = g.mix(g.step(gaze, 0.965, 0.975), colour, linear((0.01, 0.01, 0.01)))
    g.set("Base Color", colour)
    g.set("Roughness", 0.12)
    return g.material


def hair(colour: Colour) -> Any:
    """Strands."""
    g = Graph("hair")
    lighter: Colour = tuple(min(c * 1.35 + 0.02, 1) for c in colour)
    g.set("Base Color", g.mix(g.noise(35), linear(colour), linear(lighter)))
    g.set("Roughness", 0.38)
    g.set("Specular IOR Level", 0.45)
    return g.material


@dataclass(frozen=True)
class Print:
    """A picture on the chest: centre (x, z below the neck), width and height in metres."""

    path: Path
    below: float
    width: float
    height: float


@dataclass(frozen=True)
class Look:
    """How cloth looks.

    Stripes are (colour, period, share), checks (colour, period), dots (colour, period, radius), in metres; `twill` is
    how worn denim is; `ribs` and `seams` name the edges with a ribbed band (in the colour `trim`) or a stitched line.
    """

    colour: Colour
    stripes: tuple[Colour, float, float] | None = None
    checks: tuple[Colour, float] | None = None
    dots: tuple[Colour, float, float] | None = None
    trim: Colour | None = None
    print: Print | None = None
    twill: float = 0.0
    ribs: tuple[str, ...] = ()
    seams: tuple[str, ...] = ("hem", "cuff")
    sheen: float = 0.15


def _pattern(g: Graph, look: Look, colour: Value, x: Value, down: Value) -> Value:
    """Lay stripes, checks and dots over a colour."""
    if look.stripes:
        second, period, share = look.stripes
        phase = g.math("PINGPONG", g.math("ADD", down, 10.0), period / 2)
        colour = g.mix(g.step(phase, period / 2 * share + 0.0006, period / 2 * share - 0.0006), colour, linear(second))
    if look.checks:
        second, period = look.checks
        for value, shift in ((x, 10.0), (down, 10.01)):
            phase = g.math("PINGPONG", g.math("ADD", value, shift), period / 2)
            band = g.step(phase, period * 0.16, period * 0.14)
            colour = g.mix(g.math("MULTIPLY", band, 0.5), colour, linear(second))
            thin = g.math("MULTIPLY", g.step(phase, period * 0.46, period * 0.475), 0.4)
            colour = g.mix(thin, colour, linear((0.95, 0.93, 0.88)))
    if look.dots:
        second, period, radius = look.dots
        row = g.math("FLOOR", g.math("DIVIDE", g.math("ADD", down, 10.0), period / 2))
        shift = g.math("MULTIPLY", g.math("MODULO", row, 2.0), period / 2)
        across = g.math("PINGPONG", g.math("ADD", g.math("ADD", x, shift), 10.0), period / 2)
        up = g.math("SUBTRACT", g.math("MODULO", g.math("ADD", down, 10.0), period / 2), period / 4)
        far = g.math("SQRT", g.math("ADD", g.math("POWER", across, 2.0), g.math("POWER", up, 2.0)))
        colour = g.mix(g.step(far, radius + 0.0006, radius - 0.0006), colour, linear(second))
    return colour


def cloth(name: str, look: Look, *, neck_z: float = 0.0) -> Any:
    """Cloth of a given look; `neck_z` is the rest height of the neck, from which prints are placed."""
    g = Graph(name)
    trunk_x, z, arm, along, side = (g.attribute(n) for n in ("x", "z", "arm", "along", "side"))
    on_arm = g.step(arm, -0.0005, 0.0005)
    x = g.math("ADD", g.math("MULTIPLY", g.math("SUBTRACT", side, trunk_x), on_arm), trunk_x)
    down = g.math("ADD", g.math("MULTIPLY", g.math("SUBTRACT", along, z), on_arm), z)
    colour: Value = linear(look.colour)
    colour = _pattern(g, look, colour, x, down)
    if look.print:
        p = look.print
        u = g.math("ADD", g.math("DIVIDE", trunk_x, p.width), 0.5)
        v = g.math("ADD", g.math("DIVIDE", g.math("SUBTRACT", z, neck_z - p.below), p.height), 0.5)
        ink, alpha = g.image(p.path, u=u, v=v, clip=True)
        front = g.math("MULTIPLY", g.step(g.attribute("y"), -0.01, -0.02), g.step(arm, 0.0, -0.001))
        colour = g.mix(g.math("MULTIPLY", alpha, front), colour, ink)
    if look.twill:
        worn = g.step(g.noise(7, detail=5), 0.35, 0.75)
        pale: Colour = tuple(c * 0.6 + 0.35 for c in look.colour)
        colour = g.mix(g.math("MULTIPLY", worn, look.twill), colour, linear(pale))
    lines: Value = 0.0
    for seam in look.seams:
        d = g.attribute(seam)
        lines = g.math("MAXIMUM", lines, g.math("MULTIPLY", g.step(d, 0.018, 0.019), g.step(d, 0.021, 0.020)))
    armhole = g.math("MULTIPLY", g.step(arm, -0.002, -0.0005), g.step(arm, 0.002, 0.0005))
    lines = g.math("MAXIMUM", lines, armhole)
    for rib in look.ribs:
        d = g.attribute(rib)
        band = g.step(d, 0.0225, 0.0215)
        if look.trim:
            colour = g.mix(band, colour, linear(look.trim))
        lines = g.math("MAXIMUM", lines, g.math("MULTIPLY", band, g.step(d, 0.0195, 0.0215)))
    colour = g.mix(g.math("MULTIPLY", lines, 0.45), colour, (0.0, 0.0, 0.0, 1.0))
    grain = g.noise(260, detail=3)
    colour = g.mix(
        0.22, colour, g.mix(g.step(grain, 0.3, 0.7), (0.25, 0.25, 0.25, 1), (0.75, 0.75, 0.75, 1)), blend="SOFT_LIGHT"
    )
    g.set("Base Color", colour)
    g.set("Roughness", 0.85)
    g.set("Specular IOR Level", 0.2)
    g.set("Sheen Weight", look.sheen)
    g.bump(g.math("SUBTRACT", grain, g.math("MULTIPLY", lines, 1.5)), strength=0.25)
    return g.material
