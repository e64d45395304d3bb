"""Which way the hand moves: strokes of every kind and pattern over the points of the mesh.

A stroke is a row of mesh points (or places between two of them) from where the tool is set down to where it is lifted;
one point alone is dabbed. They are written for the right side of the face and mirrored for the left; strokes that lie
on the middle line are made once.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mojing.core.arrays import F64
from mojing.makeup.kinds import AREAS, ONE_SIDED, SIDES
from mojing.makeup.look import Layer
from mojing.makeup.regions import place
from mojing.perception.facemesh import NOSE_TIP, mirror
from mojing.perception.faceview import FaceView

Between = tuple[int, int, float]
"""A place on the way from one mesh point to another, 0 at the first, 1 at the second."""
Stroke = tuple[int | Between, ...]

_ALONG_LID: Final[Stroke] = (159, 160, 161, 246, 33)
_INNER_LID: Final[Stroke] = (133, 173, 157, 158, 159)
_UPPER_LIP: Final[Stroke] = (0, 37, 39, 40, 185, 61)
_LOWER_LIP: Final[Stroke] = (17, 84, 181, 91, 146, 61)

STROKES: Final[dict[tuple[str, str], tuple[Stroke, ...]]] = {
    ("remove", "full"): (((159, 28, 0.2), 145, 118), (0, 37, 40, 61)),
    ("smooth", "full"): ((129,), ((50, 36, 0.5),), (199,)),
    ("foundation", "full"): ((142, 36, 50, 123), (9, (107, 108, 0.5), 104), (200, 211, 150)),
    ("concealer", "under-eye"): ((233, 231, 229, (228, 117, 0.5)),),
    ("concealer", "nose"): ((98, 129, 126),),
    ("contour", "cheek"): ((137, (123, 147, 0.6), (187, 50, 0.35), (205, 207, 0.3)),),
    ("contour", "jaw"): ((213, 138, 135, 169, 170),),
    ("contour", "nose"): (((55, 193, 0.5), 193, 122, 236, 134),),
    ("contour", "forehead"): ((54, 103, 67, 109),),
    ("bronzer", "forehead"): ((71, 68, 104, 69),),
    ("bronzer", "cheek"): ((234, 116, 118),),
    ("bronzer", "jaw"): ((215, 138, 135),),
    ("bronzer", "nose"): ((6, 197, 195, 5),),
    ("blush", "lifted"): ((50, (116, 117, 0.3), (34, 127, 0.4)),),
    ("blush", "draped"): (((50, 205, 0.3), (116, 50, 0.3), (143, 111, 0.2), (70, 156, 0.3)),),
    ("blush", "sun-kissed"): ((123, 50, 101, 197, 330, 280, 352),),
    ("blush", "igari"): (((120, 100, 0.3), (119, 101, 0.3), (118, 50, 0.2), (117, 123, 0.15)),),
    ("highlighter", "cheekbone"): (((118, 117, 0.5), (116, 111, 0.6), (34, 143, 0.3), (139, 156, 0.4)),),
    ("highlighter", "nose"): ((168, 197, 5),),
    ("highlighter", "cupids-bow"): (((0, 164, 0.35),),),
    ("highlighter", "inner-corner"): ((243,),),
    ("highlighter", "brow-bone"): (((52, 223, 0.5), (53, 224, 0.5), (46, 225, 0.45)),),
    ("eyeshadow", "single"): (((28, 158, 0.4), (27, 159, 0.3), (30, 160, 0.2), (247, 161, 0.2)),),
    ("eyeshadow", "duo"): (((247, 246, 0.2), 30, (27, 159, 0.4)), ((56, 157, 0.4), (28, 158, 0.4))),
    ("eyeshadow", "gradient"): (((160, 30, 0.1), 29, 224), ((157, 56, 0.1), 28, 222)),
    ("eyeshadow", "halo"): (((247, 30, 0.5), (29, 27, 0.5)), ((56, 190, 0.5), (28, 27, 0.5)), ((159, 27, 0.5),)),
    ("eyeshadow", "cut-crease"): ((190, 56, 28, 27, 29, 30, 247),),
    ("eyeshadow", "smoky"): (((161, 247, 0.2), 30, 225), ((158, 28, 0.2), (28, 222, 0.6)), (145, 163, 7)),
    ("eyeshadow", "lid"): (((28, 158, 0.4), (27, 159, 0.3), (30, 160, 0.2), (247, 161, 0.2)),),
    ("eyeshadow", "crease"): ((190, 56, 28, 27, 29, 30, 247),),
    ("eyeshadow", "outer"): (((33, 246, 0.5), (130, 226, 0.5), (247, 113, 0.4), 30),),
    ("eyeshadow", "inner"): ((243, (173, 190, 0.5)),),
    ("eyeshadow", "lower"): ((7, 163, 144, 145),),
    ("eyeshadow", "brow-bone"): (((52, 223, 0.5), (53, 224, 0.5), (46, 225, 0.45)),),
    ("brows", "natural"): ((55, 107), (65, 66), (52, 105), ((53, 63, 0.5), (70, 46, 0.5))),
    ("brows", "arched"): ((55, 65, 52), ((52, 105, 0.2), 53, 46)),
    ("brows", "straight"): ((55, 65, 52, 53), ((63, 53, 0.5), (70, 46, 0.5))),
    ("brows", "feathered"): ((55, 107), ((55, 65, 0.5), (107, 66, 0.6)), (65, 66), (52, 105), (53, 63)),
    ("eyeliner", "classic"): (_ALONG_LID, _INNER_LID),
    ("eyeliner", "thin"): (_ALONG_LID, _INNER_LID[::-1]),
    ("eyeliner", "wing"): (_INNER_LID[::-1],),
    ("eyeliner", "cat-eye"): (_INNER_LID[::-1],),
    ("eyeliner", "puppy"): ((*_ALONG_LID, (33, 31, 0.55)), (144, 163, 7)),
    ("eyeliner", "smudged"): (_ALONG_LID, ((160, 29, 0.15), 29), ((246, 247, 0.3), 225)),
    ("eyeliner", "double"): (((28, 158, 0.35), 27, 30, (247, 156, 0.3)),),
    ("eyeliner", "graphic"): (((247, 156, 0.35), 30, 27),),
    ("eyeliner", "lower"): ((7, 163, 144, 145),),
    ("lashes", "upper"): ((159, 27), (161, 30), (157, 28)),
    ("lashes", "lower"): ((145, 23), (163, 25)),
    ("lip_liner", "upper"): (_UPPER_LIP[::-1],),
    ("lip_liner", "lower"): (_LOWER_LIP[::-1],),
    ("lip", "upper"): (((0, 13, 0.4), (39, 81, 0.4), (40, 80, 0.4), 185, 61),),
    ("lip", "lower"): (((17, 14, 0.5), (181, 178, 0.5), (91, 88, 0.5), 146),),
    ("lip", "ombre"): (((13, 0, 0.1), 0), ((81, 39, 0.1), 39), ((14, 17, 0.1), 17), ((178, 181, 0.1), 181)),
}
"""Strokes by kind and area, or by kind and pattern where the pattern moves differently."""

WINGED: Final = frozenset({"wing", "cat-eye", "double", "graphic"})
"""Patterns of eyeliner that go on beyond the corner of the eye; the way there is read off the drawn line."""

_BY_PATTERN: Final = {
    ("lashes", "cat"): ((160, 30), (246, 113), (33, 226)),
    ("lashes", "doll"): ((159, 27), (145, 23)),
}


def strokes(layer: Layer, face: FaceView) -> tuple[F64, ...]:
    """Where the tool moves, each (n, 2) px in the photo; the first point is where it is set down."""
    mesh = np.asarray(face.mesh[:, :2], np.float64)
    found: list[F64] = []
    ways = {"right": mesh, "left": mesh[mirror()]}
    for side in SIDES if layer.kind in ONE_SIDED else [side for side in SIDES if layer.has(side)]:
        if (layer.kind, layer.pattern) == ("blush", "apples"):
            found += _circle(layer, face, side=side)
        if layer.kind == "eyeliner" and layer.pattern in WINGED:
            found += _wing(layer, face, side=side, mesh=ways[side])
        for stroke in _named(layer):
            points = _points(stroke, ways[side])
            if not any(_same(points, other, unit=face.inter_ocular) for other in found):
                found.append(points)
    return tuple(found)


def _named(layer: Layer) -> list[Stroke]:
    if layer.kind == "eyeshadow" and layer.pattern == "single" and not all(map(layer.has, AREAS["eyeshadow"])):
        return [stroke for area in AREAS["eyeshadow"] if layer.has(area) for stroke in STROKES["eyeshadow", area]]
    named = _BY_PATTERN.get((layer.kind, layer.pattern)) or STROKES.get((layer.kind, layer.pattern))
    if named is not None:
        return list(named)
    return [s for area in AREAS[layer.kind] if layer.has(area) for s in STROKES.get((layer.kind, area), ())]


def _points(stroke: Stroke, mesh: F64) -> F64:
    at = [mesh[p] if isinstance(p, int) else mesh[p[0]] * (1.0 - p[2]) + mesh[p[1]] * p[2] for p in stroke]
    return np.stack(at)


def wing_tip(layer: Layer, face: FaceView, *, side: str) -> F64 | None:
    """The end (2,) px of an eyeliner beyond the outer corner of the eye of `side`; None where it ends at the corner."""
    corner, inner = (263, 362) if side == "left" else (33, 133)
    mesh = np.asarray(face.mesh[:, :2], np.float64)
    out = mesh[corner] - mesh[inner]
    out = out / max(float(np.hypot(*out)), 1e-6)
    best, tip = 0.03 * face.inter_ocular, None
    for placed in place(layer, face):
        y, x = np.nonzero(placed.mask > 0.4) if placed.area == side else (np.empty(0), np.empty(0))
        if len(x):
            at = np.stack([x + placed.box.x0, y + placed.box.y0], axis=1)
            far = (at - mesh[corner]) @ out
            if far.max() > best:
                best, tip = float(far.max()), np.asarray(at[int(far.argmax())], np.float64)
    return tip


def _wing(layer: Layer, face: FaceView, *, side: str, mesh: F64) -> list[F64]:
    """From the corner to the tip, and from the tip back to the lashes."""
    tip = wing_tip(layer, face, side=side)
    if tip is None:
        return []
    return [np.stack([mesh[33], tip]), np.stack([tip, (tip + 2 * mesh[247]) / 3, mesh[161]])]


def _circle(layer: Layer, face: FaceView, *, side: str) -> list[F64]:
    """A growing circle (n, 2) from the middle of the blush of one side."""
    out = 1.0 if side == "left" else -1.0
    nose = float(face.mesh[NOSE_TIP, 0])
    for placed in place(layer, face):
        rows, cols = placed.mask.shape
        y, x = np.mgrid[0:rows, 0:cols] + np.array([placed.box.y0, placed.box.x0])[:, None, None]
        weight = placed.mask * ((x - nose) * out > 0)
        total = float(weight.sum())
        if total > 0:
            centre = np.array([float((x * weight).sum()), float((y * weight).sum())]) / total
            turn = np.linspace(0.0, 2.2 * np.pi, 24)
            reach = face.inter_ocular * np.linspace(0.03, 0.2, 24)
            return [np.asarray(centre + np.stack([-out * np.cos(turn), np.sin(turn)], axis=1) * reach[:, None])]
    return []


def _same(a: F64, b: F64, *, unit: float) -> bool:
    """Whether two strokes cover the same way, in either direction."""
    if a.shape != b.shape:
        return False
    near = min(float(np.abs(a - b).max()), float(np.abs(a - b[::-1]).max()))
    return near < 0.04 * unit
