"""The trunk's map: torso, pelvis and skirt as one thin-plate spline over rows laid across the body's axis.

Every row of the garment lies as far down the body as its own proportions put it. Across, the middle of a row keeps
the scale of the bones, and its ends follow three rules: never narrower than the body where the cloth is closed, never
wider than cloth of that girth hangs, never drawn to the outline of what the person wore.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mojing.core.arrays import F64, AnyArray
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.tryon.fields import ThinPlate
from mojing.tryon.parts import HIPS, Axis, Figure, Inside, axis_of, extents, sample
from mojing.tryon.pattern import UPPER, Pattern, garment_axis

_NOT_TRUNK = ("background", "hair", "bag", "hat", "shoes", "left_arm", "right_arm", "scarf", "accessories")
GAP = 0.07
"""Least height (torso lengths) of a gap between a top and what is worn below that is closed; less lies within a hem."""

RISE = 0.35
"""How much higher than its own proportions say a skirt or trousers may be worn, torso lengths."""

_LOOSE = 0.6
"""Share of a lying garment's excess width that still shows when it is worn; the rest goes round the body."""


@dataclass(frozen=True, eq=False)
class Trunk:
    """The fitted trunk map and the two axes it was made from; `scale` is person px per garment px."""

    field: ThinPlate
    person: Axis
    garment: Axis
    scale: float
    hem: float
    """s (torso lengths below the neck) at which the garment ends."""
    lift: tuple[float, float]
    """How far (person px) the cloth at the left and right shoulder is raised to lie on the body's outline."""


def fit_trunk(pattern: Pattern, figure: Figure, body: BodyView) -> Trunk:
    """Lay the garment's trunk on the body: `figure` is the body's complete figure, in px of the body's photo."""
    hips = figure.at["hips"]
    down = hips - figure.at["neck"]
    legs = figure.mid("knee") - hips
    if pattern.category in UPPER:
        person = axis_of(figure, tail=legs if pattern.category == "dress" else down)
        garment = garment_axis(pattern)
    else:
        person, garment = _lower_axes(pattern, axis_of(figure, tail=legs), figure)
    s = _rows(pattern, garment)
    at = s if pattern.category in UPPER else _up_to_the_top(pattern, body, (person, garment), s)
    person_ext, garment_ext, scale_across = _widths(pattern, body, (person, garment), s, at)
    guessed = pattern.category in UPPER and not pattern.worn
    lift = _lift(pattern, body, (person, garment)) if guessed else (0.0, 0.0)
    control_p, control_g = _control((at, s), (person, garment), person_ext, garment_ext, scale_across, lift)
    field = ThinPlate.fit(control_p, control_g)
    return Trunk(field, person, garment, person.length / garment.length, float(s[-1]), lift)


def _region(body: BodyView, without: tuple[str, ...]) -> Inside:
    """The person's pixels whose label is none of these."""
    keep = np.ones(256, bool)
    keep[[L[n] for n in without]] = False
    return lambda points: (sample(body.alpha, points) > 127) & keep[sample(body.parse, points)]


def _lift(pattern: Pattern, body: BodyView, axes: tuple[Axis, Axis]) -> tuple[float, float]:
    """How much higher than the joints say the cloth must lie so that its shoulders meet the body's outline.

    The joints of a lying garment are guessed to a few per cent of its height; where the shoulders' outline is free of
    hair it tells better. Limited to -7..10 % of the torso length (4 % without sleeves), 0 where nothing can be seen.
    """
    person, garment = axes
    coat = ("outer",) if pattern.category in ("top", "dress") else ()
    occluders = ("hair", "hat", "bag", "scarf", *coat)
    flesh = _region(body, occluders)
    hidden = [L[n] for n in (*occluders, "face")]
    limit = (-0.07, 0.1) if pattern.limbs else (-0.04, 0.04)

    def cloth(points: AnyArray) -> AnyArray:
        return pattern.inside(points, trunk=False)

    found: list[float | None] = []
    for sign in (1.0, -1.0):
        u = sign * np.array([0.5, 0.62, 0.74, 0.86, 0.98])
        own, _ = _height(cloth, garment, u)
        theirs, above = _height(flesh, person, u)
        free = (np.nan_to_num(own, nan=-1.0) > -0.03) & ~np.isnan(theirs)
        free &= ~np.isin(sample(body.parse, above), hidden)
        gaps = (theirs - own)[free]
        found.append(float(np.clip(np.median(gaps), *limit)) if len(gaps) >= 2 else None)
    left, right = found
    left = right if left is None else left
    right = left if right is None else right
    return (left or 0.0) * person.length, (right or 0.0) * person.length


def _height(inside: Inside, axis: Axis, u: F64) -> tuple[F64, F64]:
    """Height (torso lengths above the line of the shoulder joints, NaN if unclear) of a region's upper edge.

    At distances u (half shoulder widths) from the neck; and the points just above that edge.
    """
    rise = np.linspace(-0.14, 0.3, 45)
    base = axis.neck + u[:, None] * axis.half0 * axis.across0
    points = base[:, None] - rise[None, :, None] * axis.length * axis.down
    hit = inside(points)
    broken = ~hit & (np.cumsum(hit, axis=1) > 0)
    end = np.where(broken.any(axis=1), broken.argmax(axis=1), 0)
    clear = broken.any(axis=1) & (hit[:, :10].any(axis=1))
    height = np.where(clear, rise[end] - 0.5 * (rise[1] - rise[0]), np.nan)
    above = base - (rise[end] + 0.03)[:, None] * axis.length * axis.down
    return height, above


def _lower_axes(pattern: Pattern, person: Axis, figure: Figure) -> tuple[Axis, Axis]:
    """Axes of a skirt or trousers, which have no shoulders: the garment's torso is made up from its hips and waist."""
    own = pattern.figure
    hips = own.at["hips"]
    across = own.at["left_hip"] - own.at["right_hip"]
    half = float(np.hypot(*across)) / 2 + 1e-6
    votes = [(half / (person.half1 + 1e-6), 1.0)]
    for upper, lower, weight in (("hip", "knee", 2.0), ("knee", "ankle", 1.0)):
        if own.knows(lower):
            pair = [
                float(np.hypot(*(f.at[f"{side}_{lower}"] - f.at[f"{side}_{upper}"])))
                for f in (own, figure)
                for side in ("left", "right")
            ]
            votes.append(((pair[0] + pair[1]) / (pair[2] + pair[3] + 1e-6), weight))
    if own.knows("waist") and not pattern.worn:
        waist = float(np.hypot(*(own.at["left_waist"] - own.at["right_waist"]))) / 2
        # A waistband lying flat shows half its girth: about 1.25 times the width of the body inside it.
        votes.append((waist / (1.25 * float(_slim(person, np.array([0.78]))[0]) + 1e-6), 1.0))
    logs, weights = np.log([v for v, _ in votes]), [w for _, w in votes]
    scale = float(np.exp(np.average(logs, weights=weights)))  # garment px per person px
    across = across / (2 * half)
    legs = own.mid("knee") - hips
    up = np.array([across[1], -across[0]])
    up = up if float(up @ legs) <= 0 else -up
    if not own.knows("knee") and own.knows("hem", "waist"):
        legs = -up
    garment = Axis(
        hips + up * person.length * scale,
        hips,
        across,
        across,
        person.half0 * scale,
        half,
        legs / (np.hypot(*legs) + 1e-9),
    )
    flat = replace(person, across0=person.across1)
    return flat, garment


def _rows(pattern: Pattern, garment: Axis) -> F64:
    """Rows (s) of control points, from the garment's upper edge to its hem."""
    name = "trunk" if pattern.category in UPPER else "cloth"
    mask = pattern.shown(name)
    ys, xs = np.nonzero(mask[::2, ::2] > 127)
    if len(xs) == 0:
        return np.linspace(-0.2, 1.2, 9)
    ratio = pattern.hw[1] / mask.shape[1]
    s, _ = garment.coordinates((np.stack([xs, ys], axis=1) * 2 + 0.5) * ratio - 0.5)
    # Beyond the hips the axis may bend; the straight frame shortens it by a cosine that is close to 1.
    top, hem = float(np.percentile(s, 0.2)), float(np.percentile(s, 99.8))
    bend = max(float(garment.tail @ garment.down), 0.5)
    hem = 1.0 + (hem - 1.0) / bend if hem > 1.0 else hem
    top = float(np.clip(top, -0.6, 1.2))
    hem = float(np.clip(hem, top + 0.2, 4.0))
    inner = [v for v in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 1.9, 2.4, 3.0) if top + 0.06 < v < hem - 0.06]
    return np.array([top, *inner, hem])


def _up_to_the_top(pattern: Pattern, body: BodyView, axes: tuple[Axis, Axis], s: F64) -> F64:
    """Rows on the person of a skirt's or trousers' rows `s`: stretched to where what is worn above ends, if they begin
    below that.

    A waist about the hips would leave nothing between it and a top that was tucked into something higher, and what is
    there nobody's clothes can tell.
    """
    person, garment = axes
    seam = _seam(body, person)
    if seam is None:
        return s
    # A waistband lying flat often sags in the middle.
    depth = np.linspace(s[0], s[0] + 0.3, 31)
    starts = []
    for u in (-0.4, 0.0, 0.4):
        cloth = pattern.inside(garment.centre(depth) + u * garment.half1 * garment.across(depth), trunk=True)
        starts.append(float(depth[int(cloth.argmax())]))
    gap = float(np.median(starts)) - seam
    if gap < GAP:
        return s
    rise = min(gap + 0.01, RISE)
    end = 1.0 if pattern.limbs else float(s[0]) + 0.8
    return np.asarray(s - rise * np.interp(s, [s[0], max(end, float(s[0]) + 0.15)], [1.0, 0.0]))


def _seam(body: BodyView, person: Axis) -> float | None:
    """s at which a top ends and a skirt or trousers begin; None where the photo does not show that."""
    s = np.linspace(0.25, 1.3, 85)
    below, above = ([L[n] for n in names] for names in (("skirt", "trousers", "belt"), ("upper", "outer")))
    found = []
    for u in (-0.8, -0.4, 0.0, 0.4, 0.8):
        labels = sample(body.parse, person.centre(s) + u * person.half1 * person.across(s))
        lower = np.isin(labels, below)
        first = int(lower.argmax())
        if lower.any() and first > 2 and np.isin(labels[max(first - 6, 0) : first], above).mean() > 0.5:
            found.append(float(s[first]))
    return float(np.median(found)) if len(found) >= 3 else None


def _slim(person: Axis, s: AnyArray) -> F64:
    """Half width of a slim body (px) at s, from its joints alone; the silhouette may include loose clothes."""
    hs, hh = person.half0, person.half1
    mid = 0.5 * HIPS * person.length
    hh = 0.5 * hh + 0.5 * min(mid, 1.6 * hh)
    return np.asarray(
        np.interp(s, [0.0, 0.35, 0.7, 1.0, 1.25], [hs, 0.95 * hs, 0.4 * hs + 0.72 * hh, 1.85 * hh, 1.85 * hh])
    )


def _widths(pattern: Pattern, body: BodyView, axes: tuple[Axis, Axis], s: F64, at: F64) -> tuple[F64, F64, F64]:
    """Half widths of the cloth to the left and right: on the person, in the garment (N, 2); and the scale (N,).

    `s` are rows of the garment, `at` those of the person where they lie.
    """
    person, garment = axes
    # A coat over it is wider than the body that a top or a dress has to cover.
    coat = ("outer",) if pattern.category in ("top", "dress") else ()
    trunk = _region(body, (*_NOT_TRUNK, *coat))

    def cloth(points: AnyArray) -> AnyArray:
        return pattern.inside(points, trunk=True)

    # Edges are measured a little inside, where a drawstring, a strap or a rounded hem no longer narrows the row.
    own = extents(cloth, garment, np.clip(s, s[0] + 0.05, s[-1] - 0.05), reach=2.2 * garment.length)
    own[0], own[-1] = np.maximum(own[0], 0.7 * own[1]), np.maximum(own[-1], 0.7 * own[-2])
    scale = _scale_across(pattern, person, garment, s)
    hung = own * scale[:, None]
    slim = _slim(person, at)[:, None]
    seen = extents(trunk, person, at, reach=1.2 * person.length)
    seen = np.where(seen > 0.4 * slim, seen, 0.0 if pattern.worn else slim)
    body_half = np.minimum(seen, 1.15 * slim)
    lower = pattern.category not in UPPER
    target = hung
    if not pattern.worn:
        limit = 1.15 * np.maximum(slim, np.minimum(body_half, 1.1 * slim))
        target = np.where(hung > limit, limit + _LOOSE * (hung - limit), hung)
    if pattern.closed:
        # Below the hips two legs stand apart or a skirt flares: only the trunk itself has a width to cover.
        tight = np.interp(s, [0.3, 0.45, 1.1, 1.3], [0.0, 1.0, 1.0, 0.0])[:, None]
        need = np.maximum(target, np.minimum(1.01 * body_half, 1.35 * target))
        target = target + tight * (need - target)
    if lower and not pattern.worn:
        band = np.interp(s, [0.55, 0.95, 1.15], [1.0, 1.0, 0.0])[:, None]
        fitted = np.clip(target, 0.98 * body_half, 1.1 * body_half)
        target = target + band * (fitted - target)
    ratio = np.where(own > 1e-6, target / np.maximum(hung, 1e-6), 1.0).clip(0.6, 1.4)
    if len(ratio) > 2:
        ratio[1:-1] = 0.25 * ratio[:-2] + 0.5 * ratio[1:-1] + 0.25 * ratio[2:]
    fallback = 1.2 * garment.half(s)[:, None]
    garment_ext = np.where(own > 0.3 * fallback, own, fallback)
    return garment_ext * scale[:, None] * ratio, garment_ext, scale


def _scale_across(pattern: Pattern, person: Axis, garment: Axis, s: F64) -> F64:
    """Person px per garment px across the body at s: from the shoulders', hips' and torso's own ratios."""
    along = person.length / garment.length
    if pattern.category in UPPER:
        top = float(np.clip(person.half0 / (garment.half0 + 1e-6), 0.35 * along, 1.4 * along))
    else:
        top = along
    hip = float(np.clip(person.half1 / (garment.half1 + 1e-6), 0.75 * top, 1.33 * top))
    if not pattern.worn:
        # Hip joints are guessed, not seen, in a lying garment: they only nudge the scale that the shoulders give.
        hip = top * (hip / top) ** 0.4
    return np.asarray(np.interp(s, [0.0, 1.0], [top, hip]))


def _control(
    rows_of: tuple[F64, F64],
    axes: tuple[Axis, Axis],
    person_ext: F64,
    garment_ext: F64,
    scale: F64,
    lift: tuple[float, float],
) -> tuple[F64, F64]:
    """Pairs of control points (N, 2): person, garment; `rows_of` are their rows.

    Besides the rows of the cloth there is a wide frame around them, so that the spline keeps its direction far
    outside and the garment appears nowhere twice.
    """
    person, garment = axes
    at, s = rows_of
    frame = np.zeros(len(s) + 2, bool)
    frame[[0, len(s) // 2 + 1, -1]] = True
    there, rows = (np.concatenate([[r[0] - 0.5], r, [r[-1] + 0.5]]) for r in (at, s))
    pick = np.clip(np.arange(-1, len(s) + 1), 0, len(s) - 1)
    scale, person_ext, garment_ext = scale[pick], person_ext[pick], garment_ext[pick]
    centre_p, centre_g = person.centre(there), garment.centre(rows)
    across_p, across_g = person.across(there), garment.across(rows)
    joint_p, joint_g = person.half(there), garment.half(rows)
    fade = np.interp(rows, [0.0, 0.35], [1.0, 0.0])[:, None] * -person.down
    out_p, out_g = [centre_p + 0.5 * (lift[0] + lift[1]) * fade], [centre_g]
    for k, sign in enumerate((1.0, -1.0)):
        wide_g = np.where(rows < 0.3, joint_g, garment_ext[:, k])
        wide_p = np.where(rows < 0.3, joint_g * scale, person_ext[:, k])
        wide_p = np.where(np.abs(rows) < 1e-9, joint_p, wide_p)
        inner_p = 0.55 * wide_g * scale
        inner_p = np.minimum(0.75 * inner_p + 0.25 * 0.55 * wide_p, 0.8 * wide_p)
        columns = ((0.55, inner_p, ~frame), (1.0, wide_p, frame | True), (1.5, wide_p + 0.5 * wide_g * scale, ~frame))
        far = (4.0, wide_p + 3.0 * wide_g * scale, frame)
        for share_g, dist_p, use in (*columns, far):
            out_g.append((centre_g + sign * (share_g * wide_g)[:, None] * across_g)[use])
            out_p.append((centre_p + lift[k] * fade + sign * dist_p[:, None] * across_p)[use])
    return np.concatenate(out_p), np.concatenate(out_g)
