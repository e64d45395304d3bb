"""What is seen of one face: the mesh, and which pixels around it are skin, hair, glasses or something in front."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from mojing.core.arrays import F32, AnyArray, readonly
from mojing.core.geometry import Affine, Box
from mojing.perception.facemesh import CHIN, FOREHEAD, LEFT_EYE, LIPS_INNER, OVAL, POINTS, RIGHT_EYE, inter_ocular, yaw

FACE_PARTS: tuple[str, ...] = ("other", "skin", "hair", "beard", "glasses", "mouth", "cover")
"""What a pixel near a face can show: other = background and clothes; skin = bare skin of face, ears
and neck, lips and lids too; hair = of the head; beard = beard and moustache; glasses = frames and glasses;
mouth = what shows between open lips; cover = a hand, a mask or anything else in front of the face."""

PARTS_SIZE = 96
"""Side of the grid that parts are told on."""


@dataclass(frozen=True, eq=False)
class FaceView:
    """One face of a photo.

    Attributes:
        mesh: (478, 3) float32 x_px, y_px in the photo, and depth in px, negative towards the camera; see `facemesh`.
        confidence: 0..1, how sure it is that this is a face and the mesh fits.
        parts: (7, 96, 96) float32 probabilities of `FACE_PARTS`, summing to one, on a square grid around the face.
        to_parts: from photo pixels to pixels of that grid.
        hw: the photo's height and width.
        notices: what should be told to the user.
        lenses: (96, 96) float32 0..1, how surely skin and eyes are seen there through clear glasses; None without any.
    """

    mesh: F32
    confidence: float
    parts: F32
    to_parts: Affine
    hw: tuple[int, int]
    notices: tuple[str, ...] = ()
    lenses: F32 | None = None

    def __post_init__(self) -> None:
        if self.mesh.shape != (POINTS, 3) or self.parts.shape[0] != len(FACE_PARTS):
            raise ValueError(f"a face has {POINTS} points and {len(FACE_PARTS)} parts")
        object.__setattr__(self, "mesh", readonly(self.mesh))
        object.__setattr__(self, "parts", readonly(self.parts))

    @classmethod
    def of_mesh(cls, mesh: F32, hw: tuple[int, int], *, confidence: float = 1.0) -> FaceView:
        """A face of which only the mesh (478, 3) is known: all inside its outline is skin but eyes and mouth."""
        to_parts = parts_affine(mesh)
        grid = to_parts.apply(mesh[:, :2])
        skin = _filled(grid[list(OVAL)])
        mouth = np.minimum(_filled(grid[list(LIPS_INNER)]), skin)
        eyes = np.maximum(_filled(grid[list(RIGHT_EYE)]), _filled(grid[list(LEFT_EYE)]))
        skin = np.clip(skin - mouth - eyes, 0.0, 1.0)
        parts = np.zeros((len(FACE_PARTS), PARTS_SIZE, PARTS_SIZE), np.float32)
        parts[1], parts[5] = skin, mouth
        parts[0] = 1.0 - skin - mouth
        return cls(np.asarray(mesh, np.float32), confidence, parts, to_parts, hw)

    @property
    def inter_ocular(self) -> float:
        """Distance of the iris centres in px."""
        return inter_ocular(self.mesh)

    @property
    def box(self) -> Box:
        """Smallest box around the mesh."""
        return Box.around(self.mesh[:, :2])

    @property
    def roll(self) -> float:
        """Turn in the picture's plane in degrees: positive when the wearer's left eye is lower in the picture."""
        dx, dy = self.mesh[473, :2] - self.mesh[468, :2]
        return float(np.degrees(np.arctan2(dy, dx)))

    @property
    def yaw(self) -> float:
        """Turn to the side in degrees from the depths of the eyes: positive when the left eye is farther."""
        return yaw(self.mesh)

    @property
    def pitch(self) -> float:
        """Nod in degrees from the depths of forehead and chin: positive when the chin is farther (looking down)."""
        d = self.mesh[CHIN] - self.mesh[FOREHEAD]
        return float(np.degrees(np.arctan2(d[2], np.hypot(d[0], d[1]))))

    @cached_property
    def seen_parts(self) -> F32:
        """`parts` with what is seen through clear glasses as skin: what can be painted."""
        if self.lenses is None:
            return self.parts
        glasses, skin = FACE_PARTS.index("glasses"), FACE_PARTS.index("skin")
        through = self.parts[glasses] * self.lenses
        out = self.parts.copy()
        out[glasses] -= through
        out[skin] += through
        return readonly(out)

    def part(self, *names: str, box: Box, through: bool = False) -> F32:
        """Probability (h, w) float32 of the named parts together for the whole pixels of `box`, in the photo's pixels.

        Outside the grid the grid's border value goes on. With `through`, clear glasses are not in the way.
        """
        rows, cols = box.slices(self.hw)
        h, w = rows.stop - rows.start, cols.stop - cols.start
        parts = self.seen_parts if through else self.parts
        values = parts[[FACE_PARTS.index(n) for n in names]].sum(axis=0)
        matrix = self.to_parts.compose(Affine(np.array([[1.0, 0.0, cols.start], [0.0, 1.0, rows.start]])))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(values, matrix.matrix, (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(warped, 0.0, 1.0), np.float32)


def parts_affine(mesh: AnyArray, *, size: int = PARTS_SIZE, reach: float = 1.6) -> Affine:
    """Upright square of `reach` times the face's size around a mesh (478, 2+), as a map from photo to grid pixels."""
    eyes = mesh[473, :2] - mesh[468, :2]
    angle = float(np.arctan2(eyes[1], eyes[0]))
    level = Affine.similarity(1.0, -angle)
    box = Box.around(level.apply(mesh[list(OVAL), :2]))
    scale = size / (reach * max(box.width, box.height))
    cx, cy = box.centre
    turn = Affine.similarity(scale, -angle)
    moved = turn.apply(level.inverse().apply(np.array([[cx, cy]])))[0]
    return Affine.similarity(scale, -angle, move=((size - 1) / 2 - moved[0], (size - 1) / 2 - moved[1]))


def _filled(polygon: AnyArray) -> F32:
    """Coverage (96, 96) in 0..1 of a polygon (n, 2) in grid pixels, free of aliasing."""
    fine = 4
    big = np.zeros((PARTS_SIZE * fine, PARTS_SIZE * fine), np.uint8)
    points = np.rint(((polygon + 0.5) * fine - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(big, [points], 255, shift=4)
    small = cv2.resize(big, (PARTS_SIZE, PARTS_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255.0)
