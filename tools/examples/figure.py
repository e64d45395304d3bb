"""Put a body into the scene: skin, eyes, lashes, brows, hair, shoes."""

from __future__ import annotations

from typing import Any

import bpy  # it makes bmesh and mathutils importable, so it comes first

# isort: split
import bmesh
import hair
import materials
import numpy as np
from body import Body, Vectors, data_folder
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from studio import Colour, add_mesh, add_part, smooth_surface


def add_body(body: Body, tone: Colour, *, lips: Colour, hair_colour: Colour) -> Any:
    """Skin with its scalp darkened, eyelashes."""
    group = body.groups["body"]
    used = np.unique(group.faces)
    material = materials.skin(tone, lips, hair_colour, data_folder() / "textures")
    thing = add_part(
        "body",
        body.vertices,
        group.faces,
        uv=group.uv,
        material=material,
        attributes={"scalp": hair.scalp_weight(body)[used]},
    )
    smooth_surface(thing)
    lashes = materials.plain("lashes", (0.06, 0.045, 0.04))
    for side in "lr":
        for row in "12":
            add_part("lashes", body.vertices, body.groups[f"helper-{side}-eyelashes-{row}"].faces, material=lashes)
    return thing


def add_eyes(body: Body, iris: Colour) -> None:
    """Two spheres that look ahead."""
    material = materials.eye(iris)
    for side in "lr":
        rows = np.unique(body.groups[f"helper-{side}-eye"].faces)
        points = body.vertices[rows]
        low, high = points.min(axis=0), points.max(axis=0)
        radius = float(max(high[0] - low[0], high[2] - low[2])) / 2
        centre = np.array([(low[0] + high[0]) / 2, low[1] + radius, (low[2] + high[2]) / 2])
        sphere = bmesh.new()
        bmesh.ops.create_uvsphere(sphere, u_segments=48, v_segments=32, radius=radius)
        vertices = np.array([v.co for v in sphere.verts])
        faces = [[v.index for v in f.verts] for f in sphere.faces]
        sphere.free()
        gaze = -vertices[:, 1] / radius
        add_mesh("eye", vertices + centre, faces, attributes={"gaze": gaze}, material=material)


def tree_of(*things: Any) -> BVHTree:
    """A search tree over all triangles of some objects, modifiers left aside."""
    vertices: list[Vector] = []
    faces: list[list[int]] = []
    for thing in things:
        start = len(vertices)
        vertices.extend(v.co for v in thing.data.vertices)
        faces.extend([i + start for i in p.vertices] for p in thing.data.polygons)
    return BVHTree.FromPolygons(vertices, faces)


def add_hair(body: Body, style: hair.Style, colour: Colour, obstacles: list[Any], *, seed: int) -> None:
    """Hair and eyebrows."""
    material = materials.hair(colour)
    tree = tree_of(*obstacles)
    hair.add_strands("hair", hair.grow(body, style, tree, seed=seed), style.thickness, material)
    face = tree_of(obstacles[0])
    brow: Colour = tuple(c * 0.8 for c in colour)
    hair.add_strands("brows", hair.brows(body, face, seed=seed), 0.0009, materials.hair(brow))


def add_shoes(body: Body, upper: Colour, sole: Colour) -> None:
    """A trainer around each foot: the hull of toes and sole joined to the hull of heel and instep."""
    material = materials.Graph("shoe")
    height = material.attribute("height")
    material.set(
        "Base Color", material.mix(material.step(height, 0.021, 0.023), materials.linear(sole), materials.linear(upper))
    )
    used = np.unique(body.groups["body"].faces)
    for side in "LR":
        ankle, toe = body.joints[f"foot.{side}"], body.joints[f"toe2-1.{side}"]
        points = body.vertices[used]
        near = np.linalg.norm(points[:, :2] - (ankle + toe)[:2] / 2, axis=1) < 0.2
        same = np.abs(points[:, 0] - ankle[0]) < 0.12
        foot = points[near & same & (points[:, 2] < ankle[2] + 0.005)]
        forward = (toe - ankle)[:2] / np.linalg.norm((toe - ankle)[:2])
        run = (foot[:, :2] - ankle[:2]) @ forward
        pieces = [foot[foot[:, 2] < 0.05], foot[run < 0.06], foot[(run > -0.02) & (foot[:, 2] < 0.075)]]
        centre = foot.mean(axis=0)
        thing = _hulls([(p - centre) * [1.13, 1.09, 1.06] + centre for p in pieces])
        thing.data.materials.append(material.material)
        flat = np.empty(len(thing.data.vertices) * 3, np.float32)
        thing.data.vertices.foreach_get("co", flat)
        z = flat.reshape(-1, 3)[:, 2]
        thing.data.attributes.new("height", "FLOAT", "POINT").data.foreach_set("value", z.astype(np.float32))


def _hulls(pieces: list[Vectors]) -> Any:
    """One smooth mesh around the convex hulls of several point sets."""
    mesh = bmesh.new()
    for points in pieces:
        verts = [mesh.verts.new(p) for p in points]
        bmesh.ops.convex_hull(mesh, input=verts)
    loose = [v for v in mesh.verts if not v.link_faces]
    bmesh.ops.delete(mesh, geom=loose, context="VERTS")
    data = bpy.data.meshes.new("shoe")
    mesh.to_mesh(data)
    mesh.free()
    thing = bpy.data.objects.new("shoe", data)
    bpy.context.scene.collection.objects.link(thing)
    remesh = thing.modifiers.new("Remesh", "REMESH")
    remesh.mode, remesh.voxel_size, remesh.use_smooth_shade = "VOXEL", 0.006, True
    relax = thing.modifiers.new("Smooth", "SMOOTH")
    relax.iterations, relax.factor = 8, 0.5
    depsgraph = bpy.context.evaluated_depsgraph_get()
    final = bpy.data.meshes.new_from_object(thing.evaluated_get(depsgraph))
    thing.modifiers.clear()
    thing.data = final
    return thing
