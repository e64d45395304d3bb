"""The mesh's table: a symmetric shape, a flat layout without folds, indices that name what they say."""

from __future__ import annotations

import numpy as np
import pytest

from mojing.core.arrays import AnyArray
from mojing.perception import facemesh as fm

RINGS = (fm.OVAL, fm.LIPS_OUTER, fm.LIPS_INNER, fm.RIGHT_EYE, fm.LEFT_EYE, fm.RIGHT_BROW, fm.LEFT_BROW)
PAIRS = ((fm.RIGHT_EYE, fm.LEFT_EYE), (fm.RIGHT_BROW, fm.LEFT_BROW), (fm.RIGHT_IRIS, fm.LEFT_IRIS))


def area(polygon: AnyArray) -> float:
    """Signed area of a polygon (n, 2)."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def crossings(polygon: AnyArray) -> int:
    """How often a closed polygon (n, 2) crosses itself."""
    ends = list(zip(polygon, np.roll(polygon, -1, axis=0), strict=True))

    def side(a: AnyArray, b: AnyArray, c: AnyArray) -> float:
        return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    found = 0
    for i, (a, b) in enumerate(ends):
        for j, (c, d) in enumerate(ends[i + 2 :], i + 2):
            if (j + 1) % len(ends) != i:
                found += side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
    return found


def test_the_mean_shape_stands_as_it_says() -> None:
    mean = fm.mean_shape()
    assert mean.shape == (fm.POINTS, 3)
    assert fm.inter_ocular(mean) == pytest.approx(1.0, abs=1e-5)
    assert np.allclose((mean[468] + mean[473]) / 2, 0, atol=1e-5)
    assert mean[473, 0] > 0 > mean[468, 0], "the wearer's left is to the right of the picture"
    assert mean[fm.CHIN, 1] > mean[fm.NOSE_TIP, 1] > 0 > mean[fm.FOREHEAD, 1]
    assert mean[:468, 2].argmin() in (1, 4), "nothing is nearer to the camera than the nose's tip"


def test_mirroring_swaps_the_sides_and_twice_is_nothing() -> None:
    mirror, mean = fm.mirror(), fm.mean_shape()
    assert (mirror[mirror] == np.arange(fm.POINTS)).all()
    assert np.allclose(mean[mirror] * (-1, 1, 1), mean, atol=1e-4)
    for right, left in PAIRS:
        assert {int(mirror[i]) for i in right} == set(left)
    for ring in (fm.OVAL, fm.LIPS_OUTER, fm.LIPS_INNER):
        assert {int(mirror[i]) for i in ring} == set(ring)
    assert mirror[fm.NOSE_TIP] == fm.NOSE_TIP


def test_eyes_and_brows_of_both_sides_are_listed_in_the_same_order() -> None:
    for right, left in PAIRS[:2]:
        assert [int(fm.mirror()[i]) for i in right] == list(left)


@pytest.mark.parametrize("ring", RINGS)
def test_rings_go_round_once(ring: tuple[int, ...]) -> None:
    assert len(set(ring)) == len(ring)
    flat = fm.mean_shape()[list(ring), :2].astype(float)
    assert crossings(flat) == 0
    assert abs(area(flat)) > 0.001


def test_lips_lie_inside_each_other_point_by_point() -> None:
    outer, inner = (fm.mean_shape()[list(r), :2] for r in (fm.LIPS_OUTER, fm.LIPS_INNER))
    assert abs(area(inner)) < abs(area(outer))
    assert np.linalg.norm(outer - inner, axis=1).max() < 0.25


def test_the_flat_layout_has_no_folds_and_every_triangle_turns_alike() -> None:
    uv, triangles = fm.uv(), fm.triangles()
    assert triangles.shape == (852, 3)
    assert uv.min() >= 0
    assert uv.max() <= 1
    a, b, c = (uv[triangles[:, i]].astype(float) for i in range(3))
    signed = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (signed > 0).all() or (signed < 0).all()
    assert np.allclose(uv[fm.mirror()] * (-1, 1) + (1, 0), uv, atol=1e-5)


def test_every_edge_joins_two_triangles_but_for_the_rims() -> None:
    edges: dict[frozenset[int], int] = {}
    for t in fm.triangles().tolist():
        for a, b in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0])):
            edges[frozenset((a, b))] = edges.get(frozenset((a, b)), 0) + 1
    assert set(edges.values()) == {1, 2}
    rims = {
        frozenset((r[i - 1], r[i])) for r in (fm.OVAL, fm.LIPS_INNER, fm.LEFT_EYE, fm.RIGHT_EYE) for i in range(len(r))
    }
    assert {e for e, n in edges.items() if n == 1} == rims


def test_the_table_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        fm.mean_shape()[0, 0] = 1.0
