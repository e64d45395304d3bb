"""The pictures of a lesson: the face before, after every step, and where every step goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.geometry import Affine, Box, crop_affine, warp_crop
from mojing.makeup.cautions import skin_colour, uncertain_light
from mojing.makeup.guide import drawn, view
from mojing.makeup.look import Look
from mojing.makeup.render import render
from mojing.makeup.steps import Step, about, steps
from mojing.makeup.wording import Words, table
from mojing.perception.faceview import FaceView

FACE_PX: Final = 900.0
"""Width of the face in px that is enough for the pictures; a larger photo is made smaller first."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A step with its pictures, (h, w, 3) uint8, as in a mirror; None where there is nothing to show."""

    step: Step
    guide: U8 | None
    after: U8 | None

    def __post_init__(self) -> None:
        for name in ("guide", "after"):
            picture = getattr(self, name)
            if picture is not None:
                object.__setattr__(self, name, readonly(picture))


@dataclass(frozen=True, eq=False)
class Lesson:
    """A look taught on one face.

    Attributes:
        look: what is taught.
        before: (h, w, 3) uint8, the face without it, as in a mirror.
        after: the same with the whole look.
        shown: the steps in order, with their pictures.
        about: what the photo says of the face.
        notices: what should be told of the photo.
    """

    look: Look
    before: U8
    after: U8
    shown: tuple[Shown, ...]
    about: tuple[Words, ...]
    notices: tuple[Words, ...]


def lesson(rgb: U8, face: FaceView, *, look: Look, hair: F32 | None = None) -> Lesson:
    """Teach a look on the face of a photo.

    Args:
        rgb: (H, W, 3) uint8 photo.
        face: what is known of its face.
        look: what is put on.
        hair: (H, W) float32 alpha of the hair in 0..1; without it a hair colour is told and not shown.
    """
    rgb, face, hair = _near(rgb, face, hair)
    ordered = steps(look, face, skin=skin_colour(rgb, face))
    light = render(rgb, face, look=look, hair=hair, layers=False).light
    picture, shown = rgb, []
    worn: set[int] = set()
    for step in ordered:
        if step.layer is None:
            shown.append(Shown(step, None, view(step.kind, face).of(picture) if step.kind == "check" else None))
            continue
        layer, on = look.layers[step.layer], view(step.kind, face)
        guide = drawn(picture, layer, face, on=on, hair=hair)
        worn.add(step.layer)
        so_far = replace(look, layers=tuple(one for i, one in enumerate(look.layers) if i in worn))
        picture = render(rgb, face, look=so_far, hair=hair, light=light, layers=False).image
        shown.append(Shown(step, guide, on.of(picture)))
    whole = view("hair" if any(layer.kind == "hair" for layer in look.layers) else "foundation", face)
    notices = (table()["warnings"]["uncertain-light"],) if uncertain_light(light) else ()
    return Lesson(look, whole.of(rgb), whole.of(picture), tuple(shown), about(face), notices)


def _near(rgb: U8, face: FaceView, hair: F32 | None) -> tuple[U8, FaceView, F32 | None]:
    """The photo cut down to what the pictures show, and made smaller where the face is larger than `FACE_PX`."""
    box = view("hair", face).seen.union(view("foundation", face).seen).pad(0.02)
    rows, cols = box.slices(face.hw)
    whole = Box(cols.start, rows.start, cols.stop, rows.stop)
    scale = min(1.0, FACE_PX / max(face.box.width, 1.0))
    wh = max(round(whole.width * scale), 16), max(round(whole.height * scale), 16)
    to = crop_affine(whole, wh)
    mesh = np.asarray(face.mesh, np.float64).copy()
    mesh[:, :2] = to.apply(mesh[:, :2])
    mesh[:, 2] *= to.scale
    moved = replace(face, mesh=mesh.astype(np.float32), to_parts=face.to_parts.compose(to.inverse()), hw=(wh[1], wh[0]))
    small = _cut(rgb, to, rows=rows, cols=cols, wh=wh)
    return np.asarray(small, np.uint8), moved, None if hair is None else _cut(hair, to, rows=rows, cols=cols, wh=wh)


def _cut(image: AnyArray, to: Affine, *, rows: slice, cols: slice, wh: tuple[int, int]) -> AnyArray:
    same = wh == (cols.stop - cols.start, rows.stop - rows.start)
    return np.ascontiguousarray(image[rows, cols]) if same else warp_crop(image, to, out_wh=wh)
