"""Everything Blender: an empty scene, meshes from arrays, lamps, a camera, a render to a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from body import Vectors
from numpy.typing import NDArray

Faces = Sequence[Sequence[int]] | NDArray[np.int64]
Colour = tuple[float, float, float]


def linear(colour: Colour) -> tuple[float, float, float, float]:
    """sRGB 0..1 to the linear RGBA that Blender wants."""
    r, g, b = ((c / 12.92) if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return (r, g, b, 1.0)


def new_scene(*, wh: tuple[int, int], samples: int) -> None:
    """Empty the scene and set up a small, single-threaded, denoised Cycles render."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.denoising_prefilter = "FAST"
    scene.cycles.denoising_quality = "BALANCED"
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.adaptive_threshold = 0.08
    scene.cycles.adaptive_min_samples = 4
    scene.cycles.max_bounces = 2
    scene.cycles_curves.shape = "RIBBONS"
    scene.cycles.seed = 1
    scene.render.threads_mode = "FIXED"
    scene.render.threads = 1
    scene.render.resolution_x, scene.render.resolution_y = wh
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"


def add_mesh(
    name: str,
    vertices: Vectors,
    faces: Faces,
    *,
    attributes: Mapping[str, Vectors] | None = None,
    uv: Vectors | None = None,
    material: Any = None,
) -> Any:
    """Link a smooth-shaded mesh; attributes are one float a vertex, uv one pair a face corner."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(vertices).tolist(), [], [list(map(int, f)) for f in faces])
    mesh.shade_smooth()
    for key, values in (attributes or {}).items():
        mesh.attributes.new(key, "FLOAT", "POINT").data.foreach_set("value", np.asarray(values, np.float32))
    if uv is not None:
        mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.asarray(uv, np.float32).ravel())
    if material is not None:
        mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def add_part(name: str, vertices: Vectors, faces: NDArray[np.int64], **options: Any) -> Any:
    """Link only the vertices that quads use; degenerate quads become triangles."""
    used, rows = np.unique(faces, return_inverse=True)
    quads = [list(dict.fromkeys(q)) for q in rows.reshape(faces.shape).tolist()]
    uv = options.pop("uv", None)
    if uv is not None:
        keep = [
            corner
            for q, face in zip(rows.reshape(faces.shape), quads, strict=True)
            for corner in ([True] * 4 if len(face) == 4 else [True, True, True, False])
        ]
        uv = uv.reshape(-1, 2)[np.array(keep)]
    return add_mesh(name, vertices[used], quads, uv=uv, **options)


def evaluated(thing: Any) -> tuple[Vectors, list[tuple[int, ...]]]:
    """Vertices and faces of an object after its modifiers."""
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    flat = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", flat)
    faces = [tuple(p.vertices) for p in mesh.polygons]
    return flat.reshape(-1, 3).astype(np.float64), faces


def subdivide(vertices: Vectors, faces: Faces, levels: int) -> tuple[Vectors, list[tuple[int, ...]]]:
    """Catmull-Clark."""
    thing = add_mesh("subdivide", vertices, faces)
    modifier = thing.modifiers.new("Subdivide", "SUBSURF")
    modifier.levels = levels
    out = evaluated(thing)
    bpy.data.objects.remove(thing)
    return out


def smooth_surface(thing: Any, *, levels: int = 1) -> None:
    """Render an object with a subdivision surface."""
    modifier = thing.modifiers.new("Subdivide", "SUBSURF")
    modifier.levels = modifier.render_levels = levels


def thicken(thing: Any, thickness: float) -> None:
    """Give cloth a thickness, so that hems have an edge."""
    modifier = thing.modifiers.new("Solidify", "SOLIDIFY")
    modifier.thickness = thickness
    modifier.offset = 0.0


def add_lamp(place: Sequence[float], target: Sequence[float], *, watts: float, size: float, colour: Colour) -> None:
    """A square soft box that looks at a target."""
    lamp = bpy.data.lights.new("lamp", "AREA")
    lamp.energy, lamp.size = watts, size
    lamp.color = linear(colour)[:3]
    thing = bpy.data.objects.new("lamp", lamp)
    thing.location = place
    thing.rotation_euler = _look(place, target)
    bpy.context.scene.collection.objects.link(thing)


def _look(place: Sequence[float], target: Sequence[float]) -> tuple[float, float, float]:
    d = np.asarray(target, float) - np.asarray(place, float)
    return (math.acos(-d[2] / float(np.linalg.norm(d))), 0.0, math.atan2(-d[0], d[1]))


def add_camera(place: Sequence[float], target: Sequence[float], *, height_m: float) -> None:
    """A long lens whose frame is `height_m` tall at the target."""
    camera = bpy.data.cameras.new("camera")
    camera.sensor_fit = "VERTICAL"
    camera.angle = 2 * math.atan(0.5 * height_m / float(np.linalg.norm(np.subtract(target, place))))
    thing = bpy.data.objects.new("camera", camera)
    thing.location = place
    thing.rotation_euler = _look(place, target)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = thing


def set_world(colour: Colour, strength: float) -> None:
    """Even light from all around."""
    world = bpy.data.worlds.new("world")
    world.node_tree.nodes["Background"].inputs["Color"].default_value = linear(colour)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = strength
    bpy.context.scene.world = world


def render(path: Path) -> None:
    """Write the picture as PNG."""
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
