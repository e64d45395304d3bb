"""Joint and anchor names."""

from __future__ import annotations

import pytest

from mojing.core.skeleton import BODY_BONES, BODY_JOINTS, GARMENT_ANCHORS, mirror_order


@pytest.mark.parametrize("names", [BODY_JOINTS, GARMENT_ANCHORS])
def test_mirroring_twice_changes_nothing(names: tuple[str, ...]) -> None:
    order = mirror_order(names)
    assert [order[i] for i in order] == list(range(len(names)))
    assert len(set(names)) == len(names)


def test_bones_join_joints() -> None:
    assert all(a in BODY_JOINTS and b in BODY_JOINTS for a, b in BODY_BONES)
