"""Finding and reading faces: the finder's geometry, the reasons to refuse, and what the shipped networks say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.core.image import load
from mojing.eval.face import errors, roc, rolled, shrunk
from mojing.makeup.look import Layer, Shade
from mojing.makeup.regions import place
from mojing.perception import facemesh as fm
from mojing.perception.crops import cut_square
from mojing.perception.face import SIDE, Faces
from mojing.perception.facefaults import brightest, covering, fault_of, flatness, iris_contrast, notices_of
from mojing.perception.facefind import MAPS, STRIDE, Found, apart, peaks, where
from mojing.perception.faceparts import clear_lenses, plausible
from mojing.perception.faceview import FACE_PARTS, PARTS_SIZE, FaceView, parts_affine
from mojing.runtime.store import ModelStore
from tests.perception.test_faceview import HW, face, turned

PORTRAIT = Path(__file__).parents[2] / "examples" / "faces" / "astronaut.jpg"
TEACHER = Path(__file__).with_name("astronaut-mesh.json")
"""What the teacher says of the bundled portrait: 478 points in px."""


def skin_picture(mesh: F32, hw: tuple[int, int] = HW) -> U8:
    """A grainy face of skin colour with dark irises where the mesh says."""
    rng = np.random.default_rng(0)
    rgb = np.full((*hw, 3), (90, 120, 160), np.uint8)
    cv2.fillPoly(rgb, [np.rint(mesh[list(fm.OVAL), :2]).astype(np.int32)], (210, 160, 130))
    for iris in (468, 473):
        cv2.circle(rgb, np.rint(mesh[iris, :2]).astype(int).tolist(), 4, (40, 30, 25), -1)
    return np.clip(rgb + rng.normal(0, 4, rgb.shape), 0, 255).astype(np.uint8)


def code_of(rgb: U8, view: FaceView) -> str | None:
    fault = fault_of(rgb, view)
    assert fault is None or fault.hint
    return None if fault is None else fault.code


def with_part(view: FaceView, name: str, rows: slice) -> FaceView:
    """The view with these rows of its grid all `name`."""
    parts = view.parts.copy()
    parts[:, rows] = 0.0
    parts[FACE_PARTS.index(name), rows] = 1.0
    return replace(view, parts=parts)


@settings(max_examples=25, deadline=None)
@given(st.floats(-50, 50), st.floats(10, 120), st.floats(50, 350), st.floats(50, 350))
def test_the_finder_cuts_what_the_mesh_cuts(roll: float, eyes: float, x: float, y: float) -> None:
    mesh = face(eyes=eyes, roll=roll, at=(x, y))
    found = Found(*where(mesh), 1.0)
    corners = np.array([[0.0, 0.0], [SIDE, 0.0], [0.0, SIDE]])
    gap = found.crop(SIDE).apply(parts_affine(mesh, size=SIDE).inverse().apply(corners)) - corners
    assert np.abs(gap).max() < 0.05


@settings(max_examples=25, deadline=None)
@given(st.floats(20, 230), st.floats(20, 230), st.floats(16, 200), st.floats(-60, 60))
def test_maps_tell_the_face_they_were_made_of(x: float, y: float, size: float, roll: float) -> None:
    maps = np.zeros((len(MAPS), 32, 32), np.float32)
    maps[0] = -9.0
    col, row = int((x + 0.5) / STRIDE), int((y + 0.5) / STRIDE)
    told = ((x + 0.5) / STRIDE - 0.5 - col, (y + 0.5) / STRIDE - 0.5 - row, np.log(size / STRIDE))
    maps[:, row, col] = (4.0, *told, np.sin(np.deg2rad(roll)), np.cos(np.deg2rad(roll)))
    (found,) = peaks(maps, limit=0.5)
    assert (found.x, found.y, found.size, found.roll) == pytest.approx((x, y, size, roll), abs=0.01)


def test_of_two_looks_at_one_face_the_surer_stays() -> None:
    one, same, other = Found(50, 50, 40, 0, 0.6), Found(54, 50, 42, 3, 0.9), Found(120, 50, 40, 0, 0.5)
    assert apart([one, same, other]) == (same, other)


@settings(max_examples=15, deadline=None)
@given(st.floats(-40, 40), st.floats(15, 150))
def test_a_crop_shows_the_face_where_it_should(roll: float, eyes: float) -> None:
    mesh = face(eyes=eyes, roll=roll, at=(200, 160))
    rgb = np.zeros((*HW, 3), np.uint8)
    cv2.circle(rgb, np.rint(mesh[fm.NOSE_TIP, :2]).astype(int).tolist(), max(int(eyes / 12), 1), (255, 255, 255), -1)
    crop = parts_affine(mesh, size=SIDE)
    seen = cut_square(rgb, crop, side=SIDE)[..., 0]
    at = crop.apply(mesh[fm.NOSE_TIP, :2][None])[0]
    box = Box.of_mask(seen, above=100)
    assert box is not None
    assert np.hypot(box.centre[0] - 0.5 - at[0], box.centre[1] - 0.5 - at[1]) < 4


def test_a_good_face_is_not_refused() -> None:
    mesh = face()
    view, rgb = FaceView.of_mesh(mesh, HW), skin_picture(mesh)
    assert code_of(rgb, view) is None
    assert notices_of(rgb, view) == ()


def test_small_and_turned_faces() -> None:
    for eyes, code in ((8.0, "small"), (16.0, None), (60.0, None)):
        mesh = face(eyes=eyes)
        view = FaceView.of_mesh(mesh, HW)
        assert code_of(skin_picture(mesh), view) == code
        if code is None:
            assert bool(notices_of(skin_picture(mesh), view)) == (eyes < 24)
    for degrees, code in ((-60.0, "profile"), (55.0, "profile"), (35.0, None)):
        view = FaceView.of_mesh(turned(degrees, 1), HW)
        assert code_of(skin_picture(view.mesh), view) == code
        if code is None:
            assert "turned" in notices_of(skin_picture(view.mesh), view)[0]


def test_dark_photos_are_told_from_dark_skin() -> None:
    mesh = face()
    view = FaceView.of_mesh(mesh, HW)
    rgb = skin_picture(mesh)
    assert code_of((rgb * 0.08).astype(np.uint8), view) == "dark"
    dark_skin = skin_picture(mesh)
    inside = np.zeros(HW, np.uint8)
    cv2.fillPoly(inside, [np.rint(mesh[list(fm.OVAL), :2]).astype(np.int32)], 1)
    dark_skin[inside > 0] = (dark_skin[inside > 0] * 0.28).astype(np.uint8)
    for iris in (468, 473):
        x, y = np.rint(mesh[iris, :2]).astype(int)
        dark_skin[y - 3 : y + 4, x - 14 : x - 4] = (215, 210, 205)
        dark_skin[y - 3 : y + 4, x + 5 : x + 14] = (215, 210, 205)
    assert code_of(dark_skin, view) is None
    assert brightest(dark_skin, view) > brightest((rgb * 0.08).astype(np.uint8), view) * 5


def test_masks_hands_and_sunglasses() -> None:
    mesh = face()
    view, rgb = FaceView.of_mesh(mesh, HW), skin_picture(mesh)
    assert max(covering(view).values()) < 0.02
    half = PARTS_SIZE // 2
    assert code_of(rgb, with_part(view, "cover", slice(half + 2, PARTS_SIZE))) == "covered"
    spectacles = with_part(view, "glasses", slice(half - 22, half))
    assert code_of(rgb, spectacles) is None, "clear lenses"
    assert any("glasses" in n for n in notices_of(rgb, spectacles))
    shades = rgb.copy()
    shades[int(mesh[468, 1]) - 25 : int(mesh[468, 1]) + 25] //= 4
    assert code_of(shades, spectacles) == "covered"
    assert code_of(shades, view) is None, "dark, but nobody saw glasses"
    beard = with_part(view, "beard", slice(half + 12, PARTS_SIZE))
    assert code_of(rgb, beard) is None, "a beard covers nothing"
    touched = with_part(view, "cover", slice(half + 22, PARTS_SIZE))
    assert code_of(rgb, touched) is None
    assert any("covered" in n for n in notices_of(rgb, touched))


def test_shadows_of_the_jaw_are_no_beard_and_crumbs_no_glasses() -> None:
    view = FaceView.of_mesh(face(), HW)
    grid = view.to_parts.apply(view.mesh[:, :2])
    beard, glasses, skin = (FACE_PARTS.index(n) for n in ("beard", "glasses", "skin"))
    jaw, chin, eye = (np.rint(grid[i]).astype(int) for i in (136, 199, 159))
    parts = view.parts.copy()
    parts[:, jaw[1] - 3 : jaw[1] + 4, jaw[0] - 3 : jaw[0] + 4] = 0.0
    parts[beard, jaw[1] - 3 : jaw[1] + 4, jaw[0] - 3 : jaw[0] + 4] = 1.0
    parts[:, eye[1], eye[0]], parts[glasses, eye[1], eye[0]] = 0.3 / 7, 0.7
    shaved = plausible(parts, grid)
    assert shaved[beard].max() == 0
    assert shaved[glasses].max() == 0
    assert shaved[skin, jaw[1], jaw[0]] == 1.0
    assert np.allclose(shaved.sum(axis=0), parts.sum(axis=0), atol=0.8)
    parts[:, chin[1] - 6 : chin[1] + 7, chin[0] - 8 : chin[0] + 9] = 0.0
    parts[beard, chin[1] - 6 : chin[1] + 7, chin[0] - 8 : chin[0] + 9] = 1.0
    assert plausible(parts, grid)[beard, jaw[1], jaw[0]] > 0.9, "with a chin's beard the jaw's stays"


def glasses_on(view: FaceView, *, bridge: bool, reach: float = 0.34) -> FaceView:
    """The view with glasses around the eyes, with or without what holds them together."""
    grid = view.to_parts.apply(view.mesh[:, :2])
    unit = float(np.hypot(*(grid[468] - grid[473])))
    mask = np.zeros((PARTS_SIZE, PARTS_SIZE), np.uint8)
    for iris in (468, 473):
        cv2.circle(mask, np.rint(grid[iris]).astype(int).tolist(), round(reach * unit), 1, -1)
    if bridge:
        ends = np.rint(grid[[468, 473]]).astype(int).tolist()
        cv2.line(mask, ends[0], ends[1], 1, 2)
    parts = view.parts.copy()
    parts[:, mask > 0] = 0.0
    parts[FACE_PARTS.index("glasses"), mask > 0] = 1.0
    return replace(view, parts=parts)


def test_glasses_have_a_bridge_or_are_broad() -> None:
    view = FaceView.of_mesh(face(), HW)
    grid, glasses = view.to_parts.apply(view.mesh[:, :2]), FACE_PARTS.index("glasses")
    for bridge, reach, kept in ((True, 0.1, True), (False, 0.1, False), (False, 0.3, True)):
        parts = glasses_on(view, bridge=bridge, reach=reach).parts
        found = plausible(parts, grid)
        assert (found[glasses].max() > 0) == kept, (bridge, reach)


def test_eyes_are_seen_through_clear_lenses_and_not_through_dark_ones() -> None:
    plain = FaceView.of_mesh(face(), HW)
    view = glasses_on(plain, bridge=True)
    grid, rgb = view.to_parts.apply(view.mesh[:, :2]), skin_picture(plain.mesh)
    behind = view.part("glasses", box=Box(0, 0, HW[1], HW[0])) > 0.5
    frame = behind & (cv2.erode(behind.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    rgb[frame] = (25, 20, 20)

    def through(picture: U8) -> FaceView:
        crop = cv2.warpAffine(picture, view.to_parts.matrix, (PARTS_SIZE, PARTS_SIZE))
        return replace(view, lenses=clear_lenses(view.parts, grid, crop=np.asarray(crop, np.uint8)))

    clear, dark = through(rgb), through(np.where(behind[..., None], rgb // 6, rgb).astype(np.uint8))
    assert covering(view)["behind"] == covering(view)["eyes"] > 0.9
    assert covering(clear)["behind"] < 0.2 < covering(clear)["eyes"]
    assert covering(dark)["behind"] > 0.9
    assert clear.seen_parts.sum(axis=0) == pytest.approx(view.parts.sum(axis=0), abs=1e-5)
    lids = clear.part("glasses", box=Box(0, 0, HW[1], HW[0]), through=True)
    assert lids[frame].mean() > 0.5 > lids[behind & ~frame].mean()
    liner = Layer("eyeliner", (Shade.of_hex("#101010"),))
    drawn = [sum(float(p.mask.sum()) for p in place(liner, one)) for one in (plain, clear, dark)]
    assert drawn[1] > 0.7 * drawn[0]
    assert drawn[2] < 0.2 * drawn[0]
    assert clear_lenses(plain.parts, grid, crop=rgb) is None


def test_all_faces_at_once_are_those_one_by_one() -> None:
    if not (ModelStore().has("face") and PORTRAIT.is_file()):
        pytest.skip("needs the shipped face model")
    rgb = load(PORTRAIT).flat()[:300, 60:400]
    small = cv2.resize(rgb[:, ::-1], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    both = np.hstack([rgb, np.pad(small, ((300 - small.shape[0], 0), (0, 0), (0, 0)), mode="edge")])
    faces = Faces(ModelStore(), threads=1)
    found = faces.everyone(both)
    assert [v.inter_ocular for v in found] == sorted((v.inter_ocular for v in found), reverse=True)
    assert [v.mesh[1, 0] for v in found] == [faces(both, face=n).mesh[1, 0] for n in (1, 2)]
    with pytest.raises(InputError) as caught:
        faces.everyone(np.full((200, 200, 3), 90, np.uint8))
    assert caught.value.code == "no_face"


def test_drawings_and_statues() -> None:
    mesh = face()
    view = FaceView.of_mesh(mesh, HW)
    flat = np.full((*HW, 3), (250, 205, 170), np.uint8)
    assert flatness(flat, view) == 1.0
    assert code_of(flat, view) == "not_a_photo"
    grain = np.random.default_rng(0).normal(0, 5, (*HW, 1))
    stone = np.clip(np.full((*HW, 3), (170, 169, 166)) + grain, 0, 255).astype(np.uint8)
    assert iris_contrast(stone, view) > 0.95
    assert code_of(stone, view) == "not_a_photo"
    grey = cv2.cvtColor(cv2.cvtColor(skin_picture(mesh), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert code_of(np.asarray(grey), view) is None, "a black-and-white photo of somebody"
    assert any("black-and-white" in n for n in notices_of(np.asarray(grey), view))


def test_errors_are_counted_in_eye_distances() -> None:
    mesh = face(eyes=50.0)
    assert errors(mesh + np.array([1.0, 0, 9], np.float32), mesh) == pytest.approx(2.0, abs=1e-3)
    rgb = skin_picture(mesh)
    image, moved = rolled(rgb, mesh, 30.0)
    assert FaceView.of_mesh(moved, HW).roll == pytest.approx(30.0, abs=0.01)
    small, less = shrunk(rgb, mesh, 64)
    assert less[fm.CHIN, 1] - less[fm.FOREHEAD, 1] == pytest.approx(64, abs=1)
    for picture, points in ((image, moved), (small, less)):
        x, y = np.rint(points[468, :2]).astype(int)
        assert picture[y, x].mean() < 100, "the iris is where the mesh says"
    told = roc([0.9, 0.8], [0.1, 0.85], [0.2], limit=0.5)
    assert told["no_face"] == {"auc": 0.75, "accepted": 0.5}
    assert told["wrong_crop"] == {"auc": 1.0, "accepted": 0.0}


needs_models = pytest.mark.skipif(
    not (ModelStore().has("face") and ModelStore().has("facefinder")), reason="the models are not in the package"
)


@pytest.fixture(scope="module")
def faces() -> Faces:
    return Faces(ModelStore(), threads=1)


@pytest.fixture(scope="module")
def portrait() -> U8:
    return load(PORTRAIT).flat()


@needs_models
def test_the_bundled_portrait_is_seen_as_it_was_when_shipped(faces: Faces, portrait: U8) -> None:
    view = faces(portrait)
    assert view.confidence > 0.8
    error = errors(view.mesh, np.array(json.loads(TEACHER.read_text()), np.float32))
    assert error.mean() < 4.0
    assert error[list(fm.FINE)].mean() < 4.0
    assert error.max() < 15.0
    assert abs(view.roll - 2.9) < 3
    box = Box(0, 0, 512, 512)
    hair, skin = view.part("hair", box=box), view.part("skin", box=box)
    assert hair[45, 190] > 0.5
    assert skin[125, 200] > 0.7
    assert covering(view)["face"] < 0.05


@needs_models
@pytest.mark.parametrize("degrees", [-40.0, 25.0, 45.0])
def test_rolled_faces_are_found(faces: Faces, portrait: U8, degrees: float) -> None:
    upright = faces(portrait).mesh
    image, wanted = rolled(portrait, upright, degrees)
    view = faces(image)
    assert errors(view.mesh, wanted).mean() < 6.0


@needs_models
def test_several_faces_and_none(faces: Faces, portrait: U8) -> None:
    head = portrait[:300, 60:400]
    small = cv2.resize(head, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    both = np.full((300, 340 + small.shape[1], 3), 190, np.uint8)
    both[:, :340] = head
    both[300 - small.shape[0] :, 340:] = small
    views = faces.find(both)
    assert len(views) == 2
    assert views[0].inter_ocular > views[1].inter_ocular
    assert "2 faces found" in faces(both).notices[0]
    assert faces(both, face=2).mesh[1, 0] > 340
    with pytest.raises(InputError) as caught:
        faces(both, face=3)
    assert caught.value.code == "bad_face"
    with pytest.raises(InputError) as caught:
        faces(portrait[290:500, 200:500])
    assert caught.value.code == "no_face"


@needs_models
def test_a_face_is_followed_and_let_go(faces: Faces, portrait: U8) -> None:
    view = faces(portrait)
    moved = np.roll(portrait, (5, 8), axis=(0, 1))
    followed = faces.follow(moved, view)
    assert followed is not None
    assert errors(followed.mesh, view.mesh + np.array([8, 5, 0], np.float32)).mean() < 3.0
    assert faces.follow(np.full_like(portrait, 120), view) is None
