"""What is done to a stored face before the network sees it: moved, turned, re-lit, re-toned, dressed and covered.

All pictures are RGB uint8 squares; labels are `FACE_PARTS` ids of the same size; meshes (478, 3) in px of the square.
"""

from __future__ import annotations

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.perception import facemesh
from mojing.train.data.faces import IGNORE, PART, filled

GRID = 24
"""Cells along a side of the coarse field that turns a face in depth."""
_BEND, _STRETCH = 0.012, 0.05
"""Spread of a bend's control points over the picture's side, and of the change of width and height."""
_RAMP = np.arange(256, dtype=np.float64) / 255
_LINEAR = np.where(_RAMP <= 0.04045, _RAMP / 12.92, ((_RAMP + 0.055) / 1.055) ** 2.4)
_MELANIN = np.array([0.55, 0.85, 1.15])
"""How much more of blue than of red darker skin takes away, about as in reflectance spectra of skin."""


def turned(image: U8, label: U8, mesh: F32, *, yaw: float, pitch: float) -> tuple[U8, U8, F32]:
    """The face turned by `yaw` and `pitch` degrees in depth, as far as a smooth warp of the picture can.

    Depth between and beyond the mesh's points is their Gaussian-weighted mean; mesh and picture move by one field.
    """
    side = len(image)
    centre = mesh[facemesh.NOSE_TIP] * 0.3 + mesh[list(facemesh.OVAL)].mean(axis=0) * 0.7
    a, b = np.deg2rad(yaw), np.deg2rad(pitch)
    ticks = (np.arange(GRID, dtype=np.float32) + 0.5) * side / GRID - 0.5
    gx, gy = np.meshgrid(ticks, ticks)
    width = 0.16 * float(np.ptp(mesh[:, 0]))
    d2 = (gx.ravel()[:, None] - mesh[None, :468:3, 0]) ** 2 + (gy.ravel()[:, None] - mesh[None, :468:3, 1]) ** 2
    weight = np.exp(-d2 / (2 * width * width)) + np.float32(1e-9)
    reach = weight.sum(axis=1)
    depth = (weight @ mesh[:468:3, 2]) / reach
    rim = float(mesh[list(facemesh.OVAL), 2].mean())
    share = np.clip(reach / 2.0, 0, 1)
    z = (depth * share + rim * (1 - share) - centre[2]).reshape(GRID, GRID).astype(np.float32)
    x, y = gx - centre[0], gy - centre[1]
    dx = (np.cos(a) - 1) * x - np.sin(a) * z
    dy = (np.cos(b) - 1) * y - np.sin(b) * z
    field = cv2.resize(np.dstack([dx, dy]).astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    out, marks, moved = _warped(image, label, mesh, field=field)
    offset = mesh - centre
    moved[:, 2] = offset[:, 0] * np.sin(a) + offset[:, 1] * np.sin(b) + offset[:, 2] * np.cos(a) * np.cos(b) + centre[2]
    return out, marks, moved


def reshaped(image: U8, label: U8, mesh: F32, *, rng: np.random.Generator) -> tuple[U8, U8, F32]:
    """The face of somebody else: wider or longer, and bent by a smooth random field.

    A few hundred faces have few jaws; what moves with the mesh teaches the network to look rather than to remember.
    """
    side = len(image)
    bends = rng.normal(0, _BEND * side, (4, 4, 2)).astype(np.float32)
    field = cv2.resize(bends, (side, side), interpolation=cv2.INTER_CUBIC)
    x, y = mesh[list(facemesh.OVAL), :2].mean(axis=0)
    across, down = rng.normal(0, _STRETCH, 2)
    field[..., 0] += (np.float32(across) * (np.arange(side, dtype=np.float32) - np.float32(x)))[None]
    field[..., 1] += (np.float32(down) * (np.arange(side, dtype=np.float32) - np.float32(y)))[:, None]
    return _warped(image, label, mesh, field=np.asarray(field, np.float32))


def _warped(image: U8, label: U8, mesh: F32, *, field: F32) -> tuple[U8, U8, F32]:
    """Picture, labels and mesh moved by a smooth field (side, side, 2) in px."""
    side = len(image)
    own = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).astype(np.float32)
    edge = cv2.BORDER_REPLICATE
    source = own - field
    for _ in range(3):
        source = own - cv2.remap(field, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=edge)
    out = cv2.remap(image, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=edge)
    marks = cv2.remap(label, source[..., 0], source[..., 1], cv2.INTER_NEAREST, borderMode=edge)
    moved = mesh.copy()
    at = mesh[:, :2].astype(np.float32)
    moved[:, :2] += cv2.remap(field, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR, borderMode=edge)[0]
    return np.asarray(out, np.uint8), np.asarray(marks, np.uint8), moved


def retoned(image: U8, label: U8, *, melanin: float, hair: float) -> U8:
    """Skin darkened (or, below zero, lightened) by `melanin`, hair by `hair`: factors on linear light, blue most."""
    out = image
    for names, amount, shape in ((("skin",), melanin, _MELANIN), (("hair", "beard"), hair, np.ones(3))):
        if abs(amount) < 0.02:
            continue
        mask = np.isin(label, [PART[n] for n in names]) | ((label == IGNORE) & (names[0] == "skin"))
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), len(image) / 130)
        table = _encoded(_LINEAR[:, None] * np.exp(-amount * shape))
        other = cv2.LUT(out, table[:, None, :])
        out = cv2.blendLinear(other, out, soft, 1 - soft)
    return np.asarray(out, np.uint8)


def _encoded(linear: AnyArray) -> U8:
    linear = np.clip(linear, 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(srgb * 255), np.uint8)


def made_up(image: U8, mesh: F32, rng: np.random.Generator) -> U8:
    """Lips, lids or cheeks in some colour: reference photos wear make-up, the training faces hardly any."""
    side = len(image)
    out = image
    areas = []
    if rng.random() < 0.7:
        lips = filled(mesh[list(facemesh.LIPS_OUTER), :2], side) - filled(mesh[list(facemesh.LIPS_INNER), :2], side)
        areas.append((lips, 1.2))
    if rng.random() < 0.6:
        for eye, brow in ((facemesh.RIGHT_EYE, facemesh.RIGHT_BROW), (facemesh.LEFT_EYE, facemesh.LEFT_BROW)):
            upper = mesh[list(eye[8:]), :2]
            lid = np.concatenate([upper, (mesh[list(brow[:5]), :2] * 0.6 + mesh[list(eye[9:14]), :2] * 0.4)[::1]])
            areas.append((filled(cv2.convexHull(lid.astype(np.float32))[:, 0], side), 3.0))
    colour = np.empty_like(image)
    for area, blur in areas:
        colour[:] = rng.integers(0, 256, 3) if blur > 2 else (rng.integers(60, 256), *rng.integers(0, 140, 2))
        soft = cv2.GaussianBlur(area.astype(np.float32), (0, 0), blur) * np.float32(rng.uniform(0.25, 0.85))
        out = cv2.blendLinear(colour, out, soft, 1 - soft)
    return np.asarray(out, np.uint8)


def spectacled(image: U8, label: U8, mesh: F32, rng: np.random.Generator) -> tuple[U8, U8]:
    """Drawn glasses: frames with clear, tinted or dark lenses."""
    side = len(image)
    size = float(np.hypot(*(mesh[468, :2] - mesh[473, :2])))
    across = (mesh[473, :2] - mesh[468, :2]) / size
    down = np.array([-across[1], across[0]])
    rx, ry = size * rng.uniform(0.30, 0.44), size * rng.uniform(0.22, 0.40)
    drop, power = size * rng.uniform(0.0, 0.12), float(rng.choice([2.0, 3.0, 5.0]))
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    shape = (
        np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power),
        (np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power)),
    )
    lenses, frame = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    thick = max(round(size * rng.uniform(0.015, 0.09)), 1)
    rims = []
    for iris, bow, sign in ((468, 127, -1.0), (473, 356, 1.0)):
        middle = mesh[iris, :2] + down * drop + across * sign * size * 0.04
        ring = middle + shape[0][:, None] * rx * across + shape[1][:, None] * ry * down
        points = np.rint(ring * 16).astype(np.int32)
        cv2.fillPoly(lenses, [points], 255, cv2.LINE_AA, 4)
        cv2.polylines(frame, [points], True, 255, thick, cv2.LINE_AA, 4)
        outer = middle + across * sign * rx
        ends = np.rint(np.stack([outer, mesh[bow, :2]]) * 16).astype(np.int32)
        cv2.line(frame, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 255, thick, cv2.LINE_AA, 4)
        rims.append(np.rint((middle - across * sign * rx) * 16).astype(int))
    cv2.line(frame, tuple(map(int, rims[0])), tuple(map(int, rims[1])), 255, thick, cv2.LINE_AA, 4)
    dark = rng.random() < 0.45
    tint = rng.uniform(0.75, 1.0) if dark else (rng.uniform(0.1, 0.4) if rng.random() < 0.3 else rng.uniform(0, 0.05))
    fill = np.full_like(image, 0)
    fill[:] = rng.integers(0, 70, 3) if dark else rng.integers(0, 256, 3)
    if rng.random() < 0.5:  # a reflection of the sky
        fill = np.clip(fill + np.linspace(rng.uniform(0, 130), 0, side)[:, None, None], 0, 255).astype(np.uint8)
    soft = lenses.astype(np.float32) * np.float32(tint / 255)
    image = np.asarray(cv2.blendLinear(fill, image, soft, 1 - soft), np.uint8)
    fill[:] = rng.integers(0, 90, 3) if rng.random() < 0.7 else rng.integers(0, 256, 3)
    soft = frame.astype(np.float32) * np.float32(rng.uniform(0.7, 1.0) / 255)
    image = np.asarray(cv2.blendLinear(fill, image, soft, 1 - soft), np.uint8)
    label = label.copy()
    label[frame > 127] = PART["glasses"]
    if tint > 0.3:
        label[lenses > 127] = PART["glasses"]
    return image, label


def masked(image: U8, label: U8, mesh: F32, rng: np.random.Generator, *, patch: U8) -> tuple[U8, U8]:
    """A surgical or cloth mask over mouth, chin and part of the nose."""
    side = len(image)
    jaw = facemesh.OVAL[10:27] if rng.random() < 0.5 else facemesh.OVAL[11:26]
    top = [(50, 205, 123), (195, 5, 197), (280, 425, 352)]
    ridge = [mesh[t[int(rng.integers(3))], :2] for t in top]
    centre = mesh[[1, 152], :2].mean(axis=0)
    chin = centre + (mesh[list(jaw), :2] - centre) * rng.uniform(1.0, 1.08)
    area = filled(np.concatenate([chin, ridge]), side)
    fill = np.empty_like(image)
    if rng.random() < 0.3:
        fill = np.asarray(cv2.resize(patch, (side, side)), np.uint8)
    else:
        fill[:] = [(150, 195, 220), (240, 240, 240), (25, 25, 28), (90, 160, 160)][int(rng.integers(4))]
        folds = 1 + 0.08 * np.sin(np.arange(side) * rng.uniform(0.3, 0.9))
        light = np.linspace(rng.uniform(0.6, 1.05), rng.uniform(0.6, 1.05), side)
        fill = np.clip(fill * folds[:, None, None] * light[None, :, None], 0, 255).astype(np.uint8)
    return _pasted(image, label, area, fill)


def covered(image: U8, label: U8, mesh: F32, rng: np.random.Generator, *, patch: U8) -> tuple[U8, U8]:
    """A hand or some thing in front of the face: fingers of the person's own colour, or a blob of another picture."""
    side = len(image)
    size = float(np.hypot(*(mesh[468, :2] - mesh[473, :2])))
    spot = mesh[int(rng.choice(facemesh.OVAL)), :2] if rng.random() < 0.6 else mesh[int(rng.integers(468)), :2]
    area = np.zeros((side, side), np.uint8)
    fill = np.empty_like(image)
    if rng.random() < 0.5:
        away = spot - mesh[:468, :2].mean(axis=0)
        turn = np.arctan2(away[1], away[0]) + rng.normal(0, 0.5)
        along, aside = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        width = size * rng.uniform(0.16, 0.28)
        for k in range(int(rng.integers(1, 5))):
            tip = spot - along * size * rng.uniform(0.0, 0.5) + aside * width * 1.05 * k
            root = spot + along * size * rng.uniform(1.0, 2.4) + aside * width * (1.0 * k + rng.normal(0, 0.3))
            cv2.line(
                area,
                tuple(np.rint(tip).astype(int).tolist()),
                tuple(np.rint(root).astype(int).tolist()),
                1,
                max(int(width), 2),
            )
        x, y = np.clip(mesh[[50, 280][int(rng.integers(2))], :2], 0, side - 1).astype(int)
        fill[:] = np.clip(image[y, x] * rng.uniform(0.75, 1.2) + rng.normal(0, 6, 3), 0, 255)
        edge = cv2.distanceTransform(area, cv2.DIST_L2, 3)
        shade = np.clip(0.6 + edge / max(float(edge.max()), 1e-3) * 0.5, 0, 1.1)
        fill = np.clip(fill * shade[..., None], 0, 255).astype(np.uint8)
    else:
        angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radius = size * rng.uniform(0.2, 0.9) * rng.uniform(0.6, 1.3, 9)
        area = filled(spot + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None], side)
        if rng.random() < 0.6:
            fill = np.asarray(cv2.resize(patch, (side, side)), np.uint8)
        else:
            fill[:] = rng.integers(0, 256, 3)
    return _pasted(image, label, area, fill)


def _pasted(image: U8, label: U8, area: U8, fill: U8) -> tuple[U8, U8]:
    soft = cv2.GaussianBlur(area.astype(np.float32), (0, 0), 0.9)
    out = cv2.blendLinear(np.ascontiguousarray(fill), image, soft, 1 - soft)
    return np.asarray(out, np.uint8), np.where(area > 0, PART["cover"], label).astype(np.uint8)


def lit(image: U8, rng: np.random.Generator) -> U8:
    """Light from one side or a spot, a colour cast, exposure, contrast and saturation."""
    side = len(image)
    out = image
    if rng.random() < 0.45:
        turn, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.3)
        ramp = np.linspace(-1, 1, side, dtype=np.float32)
        t = np.cos(turn) * ramp[None] + np.sin(turn) * ramp[:, None]
        if rng.random() < 0.35:
            t = np.tanh(t * np.float32(rng.uniform(1, 5)) + np.float32(rng.normal(0, 0.5)))
        gain = np.exp(np.float32(strength) * (t - 0.3) * 0.5).astype(np.float32)
        out = np.asarray(cv2.multiply(out, cv2.merge([gain] * 3), dtype=cv2.CV_8U), np.uint8)
    cast = np.exp(rng.normal(0, 0.10, 3)) * np.exp(rng.normal(-0.05, 0.3))
    linear = _LINEAR ** np.exp(rng.normal(0, 0.18))
    out = cv2.LUT(out, _encoded(linear[:, None] * cast)[:, None, :])
    if rng.random() < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        a = 1.0 if rng.random() < 0.25 else float(rng.uniform(-0.3, 0.7))
        out = cv2.addWeighted(out, 1 - a, grey, a, 0)
    return np.asarray(out, np.uint8)


def degraded(image: U8, rng: np.random.Generator) -> U8:
    """A small, blurred, noisy or hard-pressed picture, as cameras and the web make them."""
    side = len(image)
    out = image
    kind = rng.random()
    if kind < 0.3:
        small = int(rng.uniform(0.17, 0.6) * side)
        out = cv2.resize(out, (small, small), interpolation=cv2.INTER_AREA)
        if rng.random() < 0.4:
            out = _pressed(out, rng)
        out = cv2.resize(out, (side, side), interpolation=cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR)
    elif kind < 0.42:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.5, 2.2)) * side / 192)
    elif kind < 0.5:
        n = int(rng.integers(3, 9))
        kernel = cv2.warpAffine(
            np.pad(np.ones((1, n), np.float32), ((n // 2, n - 1 - n // 2), (0, 0))),
            cv2.getRotationMatrix2D(((n - 1) / 2, (n - 1) / 2), float(rng.uniform(0, 180)), 1.0),
            (n, n),
        )
        out = cv2.filter2D(out, -1, kernel / max(float(kernel.sum()), 1e-3))
    if rng.random() < 0.35:
        noise = np.empty(out.shape, np.int16)
        cv2.randn(noise, 0, float(rng.uniform(2, 14)))
        out = cv2.add(out, noise, dtype=cv2.CV_8U)
    if rng.random() < 0.15:
        out = _pressed(out, rng)
    return np.asarray(out, np.uint8)


def _pressed(image: AnyArray, rng: np.random.Generator) -> AnyArray:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 80))])
    assert ok
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
