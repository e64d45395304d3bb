"""Smooth backward maps (person px -> garment px): a thin-plate torso, and limbs that turn about their joints.

Every map takes an (..., 2) array of points in the person photo and gives points in the garment photo. A limb map is
the torso map turned about the shoulder (or hip) and again about the elbow (or knee). The turn grows with the angle
around the joint, not with the distance from it, so that every point of the cloth is met exactly once: nothing tears
on the outer side of a bend and nothing folds over on its inner side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F32, F64, AnyArray

Map = Callable[[AnyArray], AnyArray]
"""Points (..., 2) in person px -> points (..., 2) in garment px."""


@dataclass(frozen=True, eq=False)
class ThinPlate:
    """Thin-plate spline through control points (Bookstein 1989), evaluated in float32."""

    knots: F32
    coefficients: F32
    centre: F64
    scale: float

    @classmethod
    def fit(cls, person: AnyArray, garment: AnyArray, *, stiffness: float = 1e-4) -> ThinPlate:
        """Spline with f(person) = garment for (N, 2) points each, N >= 3 and not all on one line."""
        p, q = np.asarray(person, np.float64), np.asarray(garment, np.float64)
        centre = p.mean(axis=0)
        scale = float(np.sqrt(((p - centre) ** 2).sum(axis=1).mean())) + 1e-9
        k = (p - centre) / scale
        n = len(k)
        r2 = ((k[:, None] - k[None]) ** 2).sum(axis=2)
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = r2 * np.log(r2 + 1e-12) + stiffness * np.eye(n)
        system[:n, n] = system[n, :n] = 1.0
        system[:n, n + 1 :] = k
        system[n + 1 :, :n] = k.T
        target = np.zeros((n + 3, 2))
        target[:n] = q
        solved = np.linalg.lstsq(system, target, rcond=1e-12)[0]
        return cls(k.astype(np.float32), solved.astype(np.float32), centre, scale)

    def __call__(self, points: AnyArray, *, affine: bool = True) -> F32:
        """Map (..., 2) person px to garment px; without its affine part when that is added by the caller."""
        p = ((np.asarray(points, np.float64) - self.centre) / self.scale).astype(np.float32).reshape(-1, 2)
        n = len(self.knots)
        # Squared distances through a matrix product: three times faster than broadcasting at these sizes.
        r2 = (p**2).sum(axis=1)[:, None] + (self.knots**2).sum(axis=1)[None] - 2.0 * (p @ self.knots.T)
        np.maximum(r2, 1e-12, out=r2)
        r2 *= np.log(r2)
        out = (r2 @ self.coefficients[:n]).reshape(np.shape(points))
        return np.asarray(out + self.affine(points) if affine else out, np.float32)

    def affine(self, points: AnyArray) -> F32:
        """The affine part at (..., 2) person px."""
        linear = self.coefficients[len(self.knots) + 1 :] / np.float32(self.scale)
        shift = self.coefficients[len(self.knots)] - self.centre.astype(np.float32) @ linear
        return np.asarray(np.asarray(points, np.float32) @ linear + shift, np.float32)


@dataclass(frozen=True, eq=False)
class Bone:
    """A straight bone in both pictures and the linear map that lays one on the other."""

    person_a: F64
    person_b: F64
    garment_a: F64
    garment_b: F64
    across: float
    """Garment px per person px across the bone; along it the bone's own lengths decide."""

    @property
    def matrix(self) -> F64:
        """(2, 2) linear part of person px -> garment px."""
        dp, dg = self.person_b - self.person_a, self.garment_b - self.garment_a
        lp, lg = float(np.hypot(*dp)) + 1e-6, float(np.hypot(*dg)) + 1e-6
        u, v = dp / lp, dg / lg
        along = np.outer(v, u) * (lg / lp)
        side = np.outer([-v[1], v[0]], [-u[1], u[0]]) * self.across
        return np.asarray(along + side)

    def __call__(self, points: AnyArray) -> AnyArray:
        """Map (..., 2) person px to garment px as if the bone were alone."""
        shift = self.garment_a - self.matrix @ self.person_a
        return points @ self.matrix.T.astype(np.float32) + shift.astype(np.float32)


def wrap(angle: float) -> float:
    """Angle in (-pi, pi]."""
    return float(-((-angle + np.pi) % (2 * np.pi) - np.pi))


def _angle(v: AnyArray) -> float:
    return float(np.arctan2(v[1], v[0]))


@dataclass(frozen=True, eq=False)
class Turn:
    """A joint: one map holds before it, `bone` along the limb that starts there.

    `plus` and `minus` are the angles (rad) around the joint, on either side of the limb, at which the turn begins and
    ends to fade: (full, none).
    """

    bone: Bone
    heading: float
    """Direction (rad) of the limb in the garment picture as the map before it would lay it."""
    turn: float
    """Rotation (rad) from there to where the garment really has the limb."""
    plus: tuple[float, float]
    minus: tuple[float, float]

    def turned(self, before: F32, after: F32) -> tuple[F32, F32]:
        """Join two maps (..., 2) at the joint: `before` it, and `after` it along the bone; and the weight (...)."""
        pivot = self.bone.garment_a.astype(np.float32)
        q = before - pivot
        weight = self.weight(q)
        q += weight[..., None] * ((after - pivot) @ _rotation(-self.turn).T.astype(np.float32) - q)
        angle = self.turn * weight
        c, s = np.cos(angle), np.sin(angle)
        out = np.empty_like(q)
        out[..., 0] = c * q[..., 0] - s * q[..., 1] + pivot[0]
        out[..., 1] = s * q[..., 0] + c * q[..., 1] + pivot[1]
        return out, weight

    def weight(self, q: AnyArray) -> F32:
        """How far (0..1) points q (..., 2), relative to the joint in garment px, belong to the limb."""
        c, s = np.cos(self.heading), np.sin(self.heading)
        c, s = np.float32(c), np.float32(s)
        psi = np.arctan2(c * q[..., 1] - s * q[..., 0], c * q[..., 0] + s * q[..., 1] + np.float32(1e-6))
        side = (psi < 0).astype(np.intp)
        full = np.array([self.plus[0], self.minus[0]], np.float32)[side]
        none = np.array([self.plus[1], self.minus[1]], np.float32)[side]
        return np.asarray(_ramp(np.abs(psi), full, none), np.float32)


def _ramp(angle: AnyArray, full: AnyArray | float, none: AnyArray | float) -> AnyArray:
    """1 up to `full`, 0 from `none`, between them halfway from a line to a smoothstep: slope at most 1.25 / range."""
    t = np.clip((none - angle) / (none - full), 0.0, 1.0)
    return np.asarray(t * (0.5 + t * (1.5 - t)))


def _rotation(angle: float) -> F64:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def hinge_at_body(before: Map, bone: Bone, *, outward: F64, reach: float) -> Turn:
    """Shoulder or hip: the torso map `before` turns into the limb's first bone.

    `outward` is the direction away from the body in the garment picture: angles are counted from it, so that an arm
    that is raised in one picture and hangs in the other turns through the outside, never through the torso. `reach`
    is the length (person px) over which the torso's own slope at the joint is taken.
    """
    dp = bone.person_b - bone.person_a
    ahead = bone.person_a + dp / (np.hypot(*dp) + 1e-6) * reach
    carried = np.asarray(before(ahead[None]), np.float64)[0] - np.asarray(before(bone.person_a[None]), np.float64)[0]
    zero = _angle(outward)
    heading = wrap(_angle(carried) - zero)
    target = wrap(_angle(bone.garment_b - bone.garment_a) - zero)
    turn = target - heading
    # The side on which angles are squeezed needs a ramp longer than 1.25 times the turn to stay one-to-one.
    none = float(np.clip(np.deg2rad(25) + 1.4 * abs(turn), np.deg2rad(95), np.deg2rad(178)))
    return Turn(bone, heading + zero, turn, (np.deg2rad(25), none), (np.deg2rad(25), none))


def hinge_in_limb(first: Bone, second: Bone) -> Turn:
    """Elbow or knee: the first bone's map turns into the second bone's."""
    base = _angle(first.garment_b - first.garment_a)
    carried = first.matrix @ (second.person_b - second.person_a)
    bend = wrap(_angle(carried) - base)
    target = wrap(_angle(second.garment_b - second.garment_a) - base)
    turn = target - bend
    # Angles from the second bone round to the first one, on its plus and minus sides.
    plus, minus = np.pi - bend, np.pi + bend
    return Turn(second, bend + base, turn, (0.12 * plus, 0.88 * plus), (0.12 * minus, 0.88 * minus))


def limb(
    points: F32, before: F32, trunk: Map, bones: tuple[Bone, Bone], *, outward: F64, reach: float
) -> tuple[F32, F32]:
    """The map of a whole arm or leg, evaluated.

    Args:
        points: (..., 2) float32 person px.
        before: (..., 2) float32, the trunk's map at these points.
        trunk: the trunk's map itself, for its slope at the joint.
        bones: upper and lower bone.
        outward: direction away from the body in the garment picture.
        reach: see `hinge_at_body`.

    Returns:
        The limb's map (..., 2) in garment px, and how far (0..1) each point belongs to its lower half.
    """
    first, second = bones
    upper = hinge_at_body(trunk, first, outward=outward, reach=reach)
    turned, _ = upper.turned(before, np.asarray(first(points), np.float32))
    # Far from the body's joint the first bone holds alone, so that a forearm folded over the chest is not taken for
    # cloth of the torso.
    plain = np.asarray(first(points), np.float32)
    root = plain + _near(points, first)[..., None] * (turned - plain)
    lower = hinge_in_limb(first, second)
    return lower.turned(root, np.asarray(second(points), np.float32))


def _near(points: AnyArray, bone: Bone) -> F32:
    """1 at the bone's start and behind it, 0 from its end on, measured along the bone."""
    d = bone.person_b - bone.person_a
    d = d / (float(d @ d) + 1e-6)
    t = points @ d.astype(np.float32) - np.float32(bone.person_a @ d)
    return np.asarray(_ramp(t, 0.45, 1.0), np.float32)
