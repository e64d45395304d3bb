"""Drape: lay a garment photo on a body part by part, bone to bone, without any network.

    pattern = make_pattern(garment)        # once per garment, ~15 ms; drape() also takes a GarmentView itself
    result = drape(pattern, body)          # the person photo's own size
    small = drape(pattern, body, hw=(256, 192))   # training: the same at another size, a few ms

`hw` is the size of the output that shows the whole photo of `body`. To drape onto a crop for training, give a BodyView
of the crop (joints, parse and alpha cut and scaled alike). In training the garment should come small, too (long
side <= 384): nothing is gained from more pixels than the output shows.

The parts are layers, back to front: a forearm behind the back, the trunk, upper arms, forearms in front; legs over the
pelvis. Each layer has its own smooth map, so an arm may cross the body; maps agree at the joints, so cloth does not
tear there. Pixels are taken from the garment photo once, by a map brought up to the output's size.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.skeleton import BODY_JOINTS
from mojing.core.warp import WarpField
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.tryon.fields import Bone, ThinPlate, limb
from mojing.tryon.fit import Fit
from mojing.tryon.limbs import bare_limbs, layout
from mojing.tryon.parts import FOREARM, SHIN, SIDES, THIGH, UPPER_ARM, Figure, complete, sample
from mojing.tryon.pattern import PARTS, UPPER, Pattern, make_pattern
from mojing.tryon.trunk import Trunk, fit_trunk

if TYPE_CHECKING:
    from mojing.perception.garment import GarmentView

_ROUND = 0.88
"""Width of a worn sleeve or trouser leg, seen from the front, over that of the same cloth lying flat."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One part: its map on a window of the coarse grid, the garment mask it may show, and ids of its halves."""

    mask: str
    grid: F32
    ids: tuple[int, int]
    share: F32 | None = None
    origin: tuple[int, int] = (0, 0)
    """Row and column of the grid's first cell."""
    depth: int = 0
    only: int | None = None
    """0 or 1: show only the upper or lower half."""

    def shown(self, part: U8) -> U8:
        """Where a part map (h, w) shows this layer, 0 or 255."""
        first, second = (cv2.compare(part, number, cv2.CMP_EQ) for number in self.ids)
        return np.asarray(cv2.bitwise_or(first, second), np.uint8)


@dataclass(frozen=True, eq=False)
class Drape:
    """A garment laid on a body.

    Attributes:
        rgb: (H, W, 3) uint8, 0 where no garment is.
        alpha: (H, W) float32 in 0..1, the garment's opacity.
        part: (H, W) uint8, ids of `pattern.PARTS`.
        extents: how far the garment reaches, in body measures: `hem` in torso lengths below the neck (hips = 1),
            `left_sleeve`, `right_sleeve` along the arm (1 = elbow, 2 = wrist), `left_leg`, `right_leg` along the leg
            (1 = knee, 2 = ankle); only what the garment has.
        layers: the maps of its parts, on cells of `step` px; the trunk's, which covers the whole picture, first.
        step: side of a cell in px.
    """

    rgb: U8
    alpha: F32
    part: U8
    extents: dict[str, float]
    layers: tuple[Layer, ...] = field(repr=False)
    step: int

    def __post_init__(self) -> None:
        for name in ("rgb", "alpha", "part"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    @cached_property
    def field(self) -> WarpField:
        """Person px -> garment px, of the front part where parts overlap; made when it is first asked for."""
        trunk, *limbs = self.layers
        h, w = self.part.shape
        out = np.ascontiguousarray(_enlarge(trunk.grid, self.step)[:h, :w], np.float32)
        for layer in limbs:
            (oy, ox), (gh, gw) = layer.origin, layer.grid.shape[:2]
            window = np.s_[oy * self.step : (oy + gh) * self.step, ox * self.step : (ox + gw) * self.step]
            part = self.part[window]
            big = _enlarge(layer.grid, self.step)[: part.shape[0], : part.shape[1]]
            cv2.copyTo(np.ascontiguousarray(big), layer.shown(part), out[window])
        return WarpField(out)

    def cells(self) -> tuple[F32, U8]:
        """`field` (h, w, 2) and `part` (h, w) at the middle of every cell."""
        trunk, *limbs = self.layers
        out = trunk.grid.copy()
        at = [
            np.minimum(np.arange(n) * self.step + self.step // 2, size - 1)
            for n, size in zip(out.shape, self.part.shape, strict=False)
        ]
        part = self.part[np.ix_(*at)]
        for layer in limbs:
            (oy, ox), (gh, gw) = layer.origin, layer.grid.shape[:2]
            window = np.s_[oy : oy + gh, ox : ox + gw]
            cv2.copyTo(layer.grid, layer.shown(part[window]), out[window])
        return out, part


def drape(
    garment: GarmentView | Pattern, body: BodyView, *, fit: Fit | None = None, hw: tuple[int, int] | None = None
) -> Drape:
    """Lay a garment on a body.

    Args:
        garment: the garment, or its pattern when it is draped more than once (`fit` is then already in the pattern).
        body: whom to dress.
        fit: another size than the one in the photo.
        hw: output size that shows the whole of the body's photo; the photo's own by default.
    """
    pattern = garment if isinstance(garment, Pattern) else make_pattern(garment, fit=fit)
    hw = body.hw if hw is None else hw
    figure = body_figure(body, facing=pattern.figure.facing)
    trunk = fit_trunk(pattern, figure, body)
    step = max(2, round(max(hw) / 192))
    layers, extents = _layers(pattern, figure, body, trunk=trunk, points=_Points(body.hw, hw, step))
    result = _render(pattern, layers, hw=hw, step=step, extents=extents)
    return _arms_in_front(result, figure, body) if pattern.category in ("top", "dress") else result


def _arms_in_front(result: Drape, figure: Figure, body: BodyView) -> Drape:
    """Bare arms, from where a sleeve ends, lie beside or in front of the trunk's cloth: cut it away there.

    Without this a wide sleeveless top would hide the upper arms that hang at the wearer's sides, or stand out beyond.
    """
    scale = result.alpha.shape[0] / body.hw[0]
    over = np.zeros(result.alpha.shape, np.uint8)
    hips = (figure.at["hips"] + 0.5) * scale - 0.5
    limbs = bare_limbs(figure, result, "top")
    for side, bare in limbs.items():
        end = 1.0 if _hidden(figure, body, side=side) else 2.0
        arm = replace(bare.scaled(scale), start=max(bare.start, 0.22), end=end)
        np.maximum(over, layout((arm,), over.shape, edge=0.97), out=over)
        for corners in arm.beyond(hips):
            cv2.fillConvexPoly(over, np.rint(np.clip(corners, -30000, 30000)).astype(np.int32), 255)
    table = np.zeros(256, np.uint8)
    table[[PARTS["torso"], PARTS["skirt"]]] = 255
    over = np.asarray(cv2.bitwise_and(over, cv2.LUT(result.part, table)), np.uint8)
    x, y, w, h = cv2.boundingRect(over)
    if w == 0:
        return result
    length = next(iter(limbs.values())).length * scale
    pad = max(round(0.02 * length), 2)
    window = np.s_[max(y - pad, 0) : y + h + pad, max(x - pad, 0) : x + w + pad]
    trunk = cv2.LUT(result.part[window], table) > 0
    soft = cv2.GaussianBlur(over[window], (0, 0), max(0.004 * length, 0.5)).astype(np.float32) / 255
    rgb, alpha, part = result.rgb.copy(), result.alpha.copy(), result.part.copy()
    alpha[window] *= np.where(trunk, 1 - soft, np.float32(1))
    gone = alpha[window] <= 0
    rgb[window][gone], part[window][gone] = 0, 0
    return replace(result, rgb=rgb, alpha=alpha, part=part)


def body_figure(body: BodyView, *, facing: float) -> Figure:
    """Complete joints of a body; left and right exchanged when it faces the other way than the garment."""
    box = (body.box.x0, body.box.y0, body.box.x1, body.box.y1)
    figure = complete(body.joints, BODY_JOINTS, bounds=box, floor=0.05)
    return figure.swapped() if figure.facing * facing < 0 and abs(figure.facing) > 0.3 else figure


@dataclass(frozen=True)
class _Points:
    """Grids of points (in px of the body's photo) at which maps are evaluated."""

    body_hw: tuple[int, int]
    hw: tuple[int, int]
    step: int

    def at(self, coarse: int = 1) -> F32:
        """(h, w, 2) centres of cells of step * coarse output px; the last cells may reach beyond the picture."""
        size = self.step * coarse
        out = np.empty((-(-self.hw[0] // size), -(-self.hw[1] // size), 2), np.float32)
        for k, axis in ((0, 1), (1, 0)):
            n, full, target = out.shape[axis], self.body_hw[axis], self.hw[axis]
            centres = ((np.arange(n) + 0.5) * size) * (full / target) - 0.5
            out[..., k] = centres[None] if axis == 1 else centres[:, None]
        return out


def _sampled(field: ThinPlate, points: _Points, *, coarse: int = 4) -> F32:
    """The trunk's map at `points.at()`, evaluated on a grid `coarse` times coarser and interpolated between."""
    fine, grid = points.at(), points.at(coarse)
    # What is affine in the map is computed; only the rest is interpolated, so nothing bends at the borders.
    rest = field(grid, affine=False)
    rows, cols = grid.shape[0] * coarse, grid.shape[1] * coarse
    wide = cv2.resize(rest, (cols, rows), interpolation=cv2.INTER_CUBIC)[: fine.shape[0], : fine.shape[1]]
    return np.asarray(wide + field.affine(fine), np.float32)


def _layers(
    pattern: Pattern, figure: Figure, body: BodyView, *, trunk: Trunk, points: _Points
) -> tuple[list[Layer], dict[str, float]]:
    fine, sampled = points.at(), _sampled(trunk.field, points)
    skirt = PARTS["skirt"] if pattern.category in ("skirt", "dress") else PARTS["torso"]
    extents = {"hem": trunk.hem}
    share = None
    if pattern.category == "dress":
        rel = fine - trunk.person.hips.astype(np.float32)
        share = np.asarray((rel @ trunk.person.down.astype(np.float32) > 0.1 * trunk.person.length), np.float32)
    ids = (skirt if pattern.category == "skirt" else PARTS["torso"], skirt)
    layers = [Layer("trunk", sampled, ids, share, depth=2)]
    upper = pattern.category in UPPER
    joints = ("shoulder", "elbow", "wrist") if upper else ("hip", "knee", "ankle")
    names = ("upper_sleeve", "lower_sleeve") if upper else ("thigh", "shin")
    for side in pattern.limbs:
        bones = _bones(pattern, figure, trunk, side=side, joints=joints)
        sign = 1.0 if side == "left" else -1.0
        axis = trunk.garment
        outward = sign * (axis.across0 if upper else axis.across1)
        window = _around(fine, bones, reach=0.45 * trunk.person.length)
        grid, half = limb(
            fine[window],
            sampled[window],
            trunk.field,
            bones,
            outward=outward,
            reach=0.3 * trunk.person.length,
        )
        origin = (window[0].start, window[1].start)
        part = (PARTS[f"{side}_{names[0]}"], PARTS[f"{side}_{names[1]}"])
        key = f"{side}_sleeve" if upper else f"{side}_leg"
        extents[key] = _limb_extent(pattern, side, bones)
        if upper and _hidden(figure, body, side=side):
            layers.append(Layer(side, grid, part, half, origin, depth=1, only=1))
            layers.append(Layer(side, grid, part, half, origin, depth=3, only=0))
        else:
            layers.append(Layer(side, grid, part, half, origin, depth=3))
    return sorted(layers, key=lambda layer: layer.depth), extents


def _around(fine: F32, bones: tuple[Bone, Bone], *, reach: float) -> tuple[slice, slice]:
    """Rows and columns of the grid within `reach` px of the bones; at least 2 by 2 cells."""
    ends = np.stack([bones[0].person_a, bones[0].person_b, bones[1].person_b])
    low, high = ends.min(axis=0) - reach, ends.max(axis=0) + reach
    out = []
    for k, centres in ((1, fine[:, 0, 1]), (0, fine[0, :, 0])):
        start, stop = np.searchsorted(centres, [low[k], high[k]])
        start = int(min(start, len(centres) - 2))
        out.append(slice(start, int(max(stop, start + 2))))
    return out[0], out[1]


def _bones(
    pattern: Pattern, figure: Figure, trunk: Trunk, *, side: str, joints: tuple[str, str, str]
) -> tuple[Bone, Bone]:
    own = [pattern.figure.at[f"{side}_{j}"] for j in joints]
    theirs = [figure.at[f"{side}_{j}"] for j in joints]
    theirs[0] = theirs[0] - trunk.person.down * trunk.lift[side == "right"]
    wide = trunk.scale * (1.0 if pattern.worn else _ROUND)
    shares = (UPPER_ARM, FOREARM) if joints[0] == "shoulder" else (THIGH, SHIN)
    for i in (0, 1):
        if f"{side}_{joints[i + 1]}" not in pattern.figure.known:
            _lengthen(own, theirs, i, shares[i], trunk)
    for i in (0, 1):
        # A bone that points at the camera in the garment photo is too short to be drawn out to the body's length.
        d = own[i + 1] - own[i]
        long, least = float(np.hypot(*d)), 0.55 * float(np.hypot(*(theirs[i + 1] - theirs[i]))) / trunk.scale
        if long < least:
            shift = d * (least / (long + 1e-6) - 1.0)
            own[i + 1 :] = [point + shift for point in own[i + 1 :]]
        # One that points at the camera in the person photo still shows some of its sleeve.
        d = theirs[i + 1] - theirs[i]
        short, most = float(np.hypot(*d)), 0.4 * max(long, least) * trunk.scale
        if short < most:
            ahead = d / short if short > 1e-3 else trunk.person.down
            theirs[i + 1 :] = [point + ahead * (most - short) for point in theirs[i + 1 :]]
    first, second = (Bone(theirs[i], theirs[i + 1], own[i], own[i + 1], 1.0 / wide) for i in (0, 1))
    return first, second


def _lengthen(own: list[F64], theirs: list[F64], i: int, share: float, trunk: Trunk) -> None:
    """Length of a garment's bone whose end it does not reach: the body's own, unless that is seen foreshortened."""
    body = float(np.hypot(*(theirs[i + 1] - theirs[i]))) / trunk.person.length
    d = own[i + 1] - own[i]
    wanted = float(np.clip(body / share, 0.85, 1.2)) * share * trunk.garment.length
    shift = d * (wanted / (float(np.hypot(*d)) + 1e-6) - 1.0)
    own[i + 1 :] = [point + shift for point in own[i + 1 :]]


def _limb_extent(pattern: Pattern, side: str, bones: tuple[Bone, Bone]) -> float:
    """How far the cloth of a sleeve or trouser leg reaches along its limb, in bones: 1 at its middle joint."""
    mask, alpha = pattern.masks[side], pattern.rgba[..., 3]
    scale = mask.shape[1] / pattern.hw[1]
    reach = 0.0
    offsets = np.linspace(-0.12, 0.12, 5)
    for i, bone in enumerate(bones):
        d = bone.garment_b - bone.garment_a
        along = np.linspace(0.05, 1.4, 55)
        along = along if i else along[along <= 1.0]
        points = bone.garment_a + along[:, None] * d + offsets[:, None, None] * np.array([-d[1], d[0]])
        on = (sample(alpha, points) > 127) & (sample(mask, (points + 0.5) * scale - 0.5) > 127)
        hit = on.mean(axis=0) >= 0.6
        if hit.any():
            reach = max(reach, i + float(along[hit].max()))
        if not hit.any() or along[hit].max() < 0.95:
            break
    return reach


def _hidden(figure: Figure, body: BodyView, *, side: str) -> bool:
    """Whether a forearm lies behind the back: the hand lies over the trunk and no skin of that arm is to be seen."""
    tip = figure.at.get(f"{side}_hand", figure.at[f"{side}_wrist"])
    length = float(np.hypot(*(figure.at["hips"] - figure.at["neck"])))
    ring = np.stack(np.meshgrid(np.linspace(-0.14, 0.14, 9), np.linspace(-0.14, 0.14, 9)), axis=-1) * length
    labels = sample(body.parse, tip + ring)
    skin = np.isin(labels, [L["left_arm"], L["right_arm"]]).mean()
    cloth = np.isin(labels, [L[n] for n in ("upper", "outer", "dress", "skirt", "trousers")]).mean()
    return bool(skin < 0.02 and cloth > 0.85)


def _render(
    pattern: Pattern, layers: list[Layer], *, hw: tuple[int, int], step: int, extents: dict[str, float]
) -> Drape:
    """Sample every layer once at the output's size and lay one over the other."""
    trunk = next(layer for layer in layers if layer.mask == "trunk")
    limbs = [layer for layer in layers if layer.mask != "trunk"]
    rgb, alpha, part = np.zeros((*hw, 3), np.uint8), np.zeros(hw, np.float32), np.zeros(hw, np.uint8)
    found = [_window(pattern, layer) for layer in layers]
    windows = [(layer, window) for layer, window in zip(layers, found, strict=True) if window is not None]
    boxes = [_pixels(layer, window, hw=hw, step=step) for layer, window in windows]
    if boxes:
        y0, x0 = (min(box[k].start for box in boxes) for k in (0, 1))
        y1, x1 = (max(box[k].stop for box in boxes) for k in (0, 1))
        canvas = np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
        shrink = _shrink_factor(trunk.grid, step, pattern.hw)
        rows = max(_BAND // (step * (x1 - x0)), 1)
        for layer, (top, low, left, right) in windows:
            source = pattern.picture(layer.mask, shrink)
            for row in range(top, low, rows):
                window = (row, min(row + rows, low), left, right)
                at = _pixels(layer, window, hw=hw, step=step)
                inner = tuple(slice(s.start - o, s.stop - o) for s, o in zip(at, (y0, x0), strict=True))
                _lay_band(layer, source, (window, pattern.hw, step), canvas=canvas[inner], part=part[at])
        box = np.s_[y0:y1, x0:x1]
        rgb[box] = cv2.cvtColor(canvas, cv2.COLOR_RGBA2RGB)
        np.multiply(canvas[..., 3], np.float32(1 / 255), out=alpha[box])
    return Drape(rgb, alpha, part, extents, (trunk, *limbs), step)


_BAND = 100_000
"""About how many px are sampled at a time: few enough for a processor's cache."""


def _pixels(layer: Layer, window: tuple[int, int, int, int], *, hw: tuple[int, int], step: int) -> tuple[slice, slice]:
    """Rows and columns of the output that a window of the layer's cells covers."""
    (oy, ox), (y0, y1, x0, x1) = layer.origin, window
    return (
        slice((y0 + oy) * step, min((y1 + oy) * step, hw[0])),
        slice((x0 + ox) * step, min((x1 + ox) * step, hw[1])),
    )


def _lay_band(
    layer: Layer,
    source: U8,
    where: tuple[tuple[int, int, int, int], tuple[int, int], int],
    *,
    canvas: U8,
    part: U8,
) -> None:
    """Lay some rows of a layer over what `canvas` (h, w, 4) and `part` (h, w) show already.

    `where` is the window of the layer's cells, the garment photo's size, and the side of a cell.
    """
    window, full, step = where
    h, w = part.shape
    big = _enlarge(layer.grid, step, window)[:h, :w]
    seen = _look(source, big, (source.shape[1] / full[1], source.shape[0] / full[0]))
    lower = None
    if layer.share is not None:
        lower = np.ascontiguousarray(_enlarge((layer.share * 255).astype(np.uint8), step, window)[:h, :w])
        if layer.only is not None:
            shown = lower if layer.only else cv2.bitwise_not(lower)
            seen[..., 3] = cv2.multiply(cv2.extractChannel(seen, 3), shown, scale=1 / 255)
    front = cv2.compare(cv2.extractChannel(seen, 3), 127, cv2.CMP_GT)
    canvas[...] = _lay(seen, np.ascontiguousarray(canvas))
    ids = np.full((h, w), layer.ids[0], np.uint8)
    if lower is not None:
        ids[lower > 127] = layer.ids[1]
    cv2.copyTo(ids, front, part)


def _look(source: U8, at: AnyArray, scale: tuple[float, float]) -> U8:
    """Colours and alpha (H, W, 4) of a picture `scale` times the garment photo, at garment px (H, W, 2)."""
    shift = np.array([[scale[0], 0.0, 0.5 * scale[0] - 0.5], [0.0, scale[1], 0.5 * scale[1] - 0.5]])
    xs, ys = cv2.split(cv2.transform(at, shift))
    border = cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.remap(source, xs, ys, cv2.INTER_LINEAR, borderMode=border, borderValue=(0, 0, 0, 0)), np.uint8
    )


def _lay(top: U8, below: U8) -> U8:
    """Straight-alpha RGBA over straight-alpha RGBA; only the few soft pixels cost arithmetic."""
    a = np.ascontiguousarray(top[..., 3])
    out = np.asarray(cv2.copyTo(top, cv2.compare(a, 251, cv2.CMP_GT), below), np.uint8)
    soft = np.flatnonzero((a > 2) & (a < 252))
    over = top.reshape(-1, 4)[soft].astype(np.float32)
    mixed = below.reshape(-1, 4)[soft].astype(np.float32)
    share = over[:, 3:] * np.float32(1 / 255)
    rest = mixed[:, 3:] * np.float32(1 / 255) * (1.0 - share)
    alpha = share + rest
    mixed[:, :3] = (over[:, :3] * share + mixed[:, :3] * rest) / np.maximum(alpha, 1e-4)
    mixed[:, 3:] = alpha * 255
    out.reshape(-1, 4)[soft] = np.rint(mixed).astype(np.uint8)
    return out


def _shrink_factor(grid: F32, step: int, garment_hw: tuple[int, int]) -> float:
    """How many garment px one output px covers (median over the garment), at least 1."""
    inside = (grid > 0).all(axis=2) & (grid[..., 0] < garment_hw[1]) & (grid[..., 1] < garment_hw[0])
    dx, dy = np.diff(grid, axis=1)[:-1], np.diff(grid, axis=0)[:, :-1]
    area = np.abs(dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0])[inside[:-1, :-1]]
    return max(1.0, float(np.sqrt(np.median(area))) / step) if len(area) else 1.0


def _window(pattern: Pattern, layer: Layer) -> tuple[int, int, int, int] | None:
    """Cells (y0, y1, x0, x1) of the layer's grid where it shows anything, with a margin; None when nowhere."""
    shown = pattern.shown(layer.mask)
    seen = _look_gray(shown, layer.grid * np.float32(shown.shape[1] / pattern.hw[1]))
    x, y, w, h = cv2.boundingRect(seen)
    if w == 0:
        return None
    gh, gw = seen.shape
    return max(y - 2, 0), min(y + h + 2, gh), max(x - 2, 0), min(x + w + 2, gw)


def _look_gray(mask: U8, at: AnyArray) -> U8:
    xs, ys = cv2.split(at)
    return np.asarray(
        cv2.remap(mask, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0), np.uint8
    )


def _enlarge(grid: AnyArray, step: int, window: tuple[int, int, int, int] | None = None) -> AnyArray:
    """Bring a grid of cells of `step` px (or a window of its cells) up to single px."""
    gh, gw = grid.shape[:2]
    y0, y1, x0, x1 = window or (0, gh, 0, gw)
    if step == 1:
        return grid[y0:y1, x0:x1]
    padded = _padded(grid, (y0, y1, x0, x1))
    h, w = padded.shape[:2]
    big = cv2.resize(padded, (w * step, h * step), interpolation=cv2.INTER_LINEAR)
    return np.asarray(big[step:-step, step:-step])


def _padded(grid: AnyArray, window: tuple[int, int, int, int]) -> AnyArray:
    """A window of the grid with one more cell on every side, continued in a straight line beyond the grid."""
    y0, y1, x0, x1 = window
    gh, gw = grid.shape[:2]
    out = grid[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1]

    def edge(a: AnyArray, b: AnyArray) -> AnyArray:
        return 2 * a - b if grid.ndim == 3 else a

    if y0 == 0:
        out = np.concatenate([edge(out[:1], out[1:2]), out])
    if y1 == gh:
        out = np.concatenate([out, edge(out[-1:], out[-2:-1])])
    if x0 == 0:
        out = np.concatenate([edge(out[:, :1], out[:, 1:2]), out], axis=1)
    if x1 == gw:
        out = np.concatenate([out, edge(out[:, -1:], out[:, -2:-1])], axis=1)
    return np.ascontiguousarray(out)


__all__ = ["PARTS", "SIDES", "Drape", "body_figure", "drape", "make_pattern"]
