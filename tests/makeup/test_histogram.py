"""The baseline that matches histograms."""

from __future__ import annotations

import numpy as np
import pytest

from mojing.core.arrays import U8
from mojing.core.color import rgb_to_lab
from mojing.core.geometry import Box
from mojing.makeup.histogram import REGIONS, Method, match, regions
from mojing.makeup.uv import unwrap, wrap
from mojing.perception.faceview import FaceView
from tests.makeup.test_uv import mesh_at


def portrait(skin: tuple[int, int, int], lips: tuple[int, int, int]) -> tuple[U8, FaceView]:
    """A face of two colours with a little noise."""
    mesh = mesh_at(70.0)
    mouth = wrap(regions(128)[REGIONS.index("lips")], mesh, box=Box(0, 0, 320, 320))[0][..., None]
    noise = np.random.default_rng(1).normal(0, 4, (320, 320, 1))
    rgb = np.asarray(skin) * (1 - mouth) + np.asarray(lips) * mouth + noise
    return np.clip(rgb, 0, 255).astype(np.uint8), FaceView.of_mesh(mesh, (320, 320))


def test_regions_do_not_overlap() -> None:
    assert regions(128).shape == (3, 128, 128)
    assert regions(128).sum(axis=0).max() <= 1.01
    assert all(region.max() > 0.95 for region in regions(128))
    np.testing.assert_allclose(regions(128), regions(128)[:, :, ::-1], atol=0.2)


@pytest.mark.parametrize("method", ["histogram", "reinhard"])
def test_regions_take_the_colours_of_the_reference(method: Method) -> None:
    (target, face), (reference, other) = (
        portrait((200, 160, 140), (180, 110, 110)),
        portrait((190, 150, 130), (150, 20, 60)),
    )
    made = match(target, face, reference=reference, reference_face=other, method=method)
    on = regions()[REGIONS.index("lips")] > 0.9
    ours, wanted = (rgb_to_lab(unwrap(rgb, face.mesh)[0][on]).mean(axis=0) for rgb in (made, reference))
    assert np.abs(ours - wanted).max() < 5.0
    assert (made[:20] == target[:20]).all()


def test_a_face_matched_with_itself_stays() -> None:
    target, face = portrait((200, 160, 140), (180, 110, 110))
    made = match(target, face, reference=target, reference_face=face)
    assert np.abs(made.astype(int) - target).mean() < 1.0
