"""FaceView: its angles, its parts in the photo's pixels, and the square they are told on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32
from mojing.core.geometry import Affine, Box
from mojing.perception import facemesh as fm
from mojing.perception.faceview import FACE_PARTS, PARTS_SIZE, FaceView, parts_affine

HW = (400, 400)


def face(*, eyes: float = 60.0, roll: float = 0.0, at: tuple[float, float] = (200.0, 180.0)) -> F32:
    """The mean shape of this size, turned by `roll` degrees about the middle of its eyes, which lies at `at`."""
    turn = Affine.similarity(eyes, float(np.deg2rad(roll)), move=at)
    mesh = turn.apply(fm.mean_shape())
    mesh[:, 2] *= eyes
    return mesh.astype(np.float32)


def turned(degrees: float, axis: int) -> F32:
    """The mean shape turned in depth about the vertical (1) or the horizontal axis (0)."""
    a = np.deg2rad(degrees)
    c, s = np.cos(a), np.sin(a)
    matrix = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) if axis == 1 else np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    mesh = fm.mean_shape() @ matrix.T * 60
    mesh += np.array([200, 180, 0])
    return np.asarray(mesh, np.float32)


@settings(max_examples=25, deadline=None)
@given(st.floats(-80, 80), st.floats(12, 120))
def test_roll_and_eye_distance(roll: float, eyes: float) -> None:
    view = FaceView.of_mesh(face(eyes=eyes, roll=roll), HW)
    assert view.roll == pytest.approx(roll, abs=0.01)
    assert view.inter_ocular == pytest.approx(eyes, rel=1e-4)
    assert abs(view.yaw) < 0.5


@pytest.mark.parametrize("degrees", [-35.0, -10.0, 20.0, 40.0])
def test_yaw_and_pitch_follow_the_head(degrees: float) -> None:
    still = FaceView.of_mesh(fm.mean_shape() * 60, HW)
    assert FaceView.of_mesh(turned(degrees, 1), HW).yaw == pytest.approx(still.yaw - degrees, abs=0.5)
    assert FaceView.of_mesh(turned(degrees, 0), HW).pitch == pytest.approx(still.pitch + degrees, abs=0.5)


@settings(max_examples=25, deadline=None)
@given(st.floats(-90, 90), st.floats(15, 120), st.floats(50, 350), st.floats(50, 350))
def test_the_square_is_upright_and_the_face_lies_in_its_middle(roll: float, eyes: float, x: float, y: float) -> None:
    mesh = face(eyes=eyes, roll=roll, at=(x, y))
    affine = parts_affine(mesh)
    grid = affine.apply(mesh[:, :2])
    pixel = affine.scale  # a box is counted in whole pixels of the photo
    across = grid[473] - grid[468]
    assert across[1] == pytest.approx(0.0, abs=1e-3)
    box = Box.around(grid[list(fm.OVAL)])
    assert max(box.width, box.height) == pytest.approx(PARTS_SIZE / 1.6, abs=1.2 * pixel + 1.0)
    assert box.centre == pytest.approx((PARTS_SIZE / 2, PARTS_SIZE / 2), abs=0.6 * pixel + 0.6)


def test_parts_of_a_mesh_are_where_the_mesh_is() -> None:
    mesh = face(roll=20.0)
    view = FaceView.of_mesh(mesh, HW)
    whole = Box(0, 0, HW[1], HW[0])
    skin, mouth = view.part("skin", box=whole), view.part("mouth", box=whole)
    assert skin.shape == HW
    total = view.part(*FACE_PARTS, box=whole)
    assert np.allclose(total, 1.0, atol=1e-4)
    for point in (fm.NOSE_TIP, 50, 280, 151):
        x, y = np.rint(mesh[point, :2]).astype(int)
        assert skin[y, x] > 0.9
    for iris in (468, 473):
        x, y = np.rint(mesh[iris, :2]).astype(int)
        assert skin[y, x] < 0.5, "an eye is no skin"
    assert skin[5, 5] == 0
    assert mouth.sum() < 0.05 * skin.sum()


@settings(max_examples=20, deadline=None)
@given(st.floats(-30, 380), st.floats(-30, 380), st.floats(5, 120), st.floats(5, 120))
def test_a_part_of_a_box_is_that_of_the_whole_photo_there(x: float, y: float, w: float, h: float) -> None:
    view = FaceView.of_mesh(face(roll=-15.0), HW)
    box = Box(x, y, x + w, y + h).clip(HW)
    if box.area < 4:
        return
    rows, cols = box.slices(HW)
    whole = view.part("skin", box=Box(0, 0, HW[1], HW[0]))
    # OpenCV places samples to 1/32 px, which a step from skin to none multiplies.
    assert np.abs(view.part("skin", box=box) - whole[rows, cols]).max() < 0.05


def test_a_view_is_checked_and_cannot_be_changed() -> None:
    view = FaceView.of_mesh(face(), HW)
    with pytest.raises(ValueError, match="read-only"):
        view.mesh[0, 0] = 1.0
    with pytest.raises(ValueError, match="478"):
        FaceView(view.mesh[:468], 1.0, view.parts, view.to_parts, HW)
