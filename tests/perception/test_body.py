"""The passes around the body network, on painted figures that a tiny graph can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from mojing.core.errors import InputError
from mojing.core.skeleton import J
from mojing.perception.body import MIRRORED_JOINTS, MIRRORED_LABELS, BodyNet
from mojing.perception.labels import L
from tests.perception import figures


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> BodyNet:
    folder: Path = tmp_path_factory.mktemp("models")
    return BodyNet(figures.body_store(folder), threads=1)


def test_a_standing_figure_is_read_at_the_photos_size(net: BodyNet) -> None:
    photo = figures.blank((800, 600))
    truth = figures.joints(310, 60, 700)
    labels = figures.paint(photo, truth, 700)
    view = net(photo)
    assert view.hw == (800, 600)
    assert view.fault is None
    assert not view.notices
    error = np.linalg.norm(view.joints[:, :2] - truth, axis=1)
    assert np.median(error) < 4.0
    assert error[J["left_hip"]] < 6.0
    for name in ("upper", "trousers", "hair"):
        both = (view.parse == L[name]) & (labels == L[name])
        either = (view.parse == L[name]) | (labels == L[name])
        assert both.sum() / either.sum() > 0.75, name
    person = view.alpha > 127
    assert (person & (labels > 0)).sum() / (person | (labels > 0)).sum() > 0.93
    assert view.box.iou(type(view.box).of_mask(labels)) > 0.93  # type: ignore[arg-type]


def test_the_result_cannot_be_written_to(net: BodyNet) -> None:
    photo = figures.blank((400, 300))
    figures.paint(photo, figures.joints(150, 20, 360), 360)
    view = net(photo)
    with pytest.raises(ValueError, match="read-only"):
        view.parse[0, 0] = 1


def test_a_figure_that_fills_the_frame_needs_no_second_pass(net: BodyNet) -> None:
    photo = figures.blank((512, 384))
    figures.paint(photo, figures.joints(192, 20, 480), 480)
    before = net.session.elapsed_ms
    found = net.find(photo)
    one = net.session.elapsed_ms - before
    assert found.rect.wh == (384, 512)
    assert one > 0
    looks = net._closer(photo, found, chosen=net.candidates(found)[0], others=None)
    assert looks.whole is found
    assert looks.torso is not None
    assert looks.legs is not None
    assert looks.torso.rect.wh[1] < 0.8 * 512
    assert looks.legs.rect.wh[1] < 0.8 * 512
    assert looks.torso.rect.y0 < looks.legs.rect.y0
    assert looks.torso.rect.y1 > looks.legs.rect.y0, "between them nothing is left out"


def test_a_look_at_the_mirror_image_too_takes_no_side(net: BodyNet) -> None:
    photo = figures.blank((512, 384))
    figures.paint(photo, figures.joints(150, 20, 480), 480)
    rect = net.find(photo).rect
    one = net._look(photo, rect, mirrored=True)
    other = net._look(np.ascontiguousarray(photo[:, ::-1]), rect, mirrored=True)
    assert np.allclose(one.parse, other.parse[MIRRORED_LABELS, :, ::-1], atol=1e-4)
    assert np.allclose(one.heat, other.heat[MIRRORED_JOINTS, :, ::-1], atol=1e-5)
    assert np.allclose(one.alpha, other.alpha[:, ::-1], atol=1e-5)


def test_of_two_people_the_larger_is_used_and_the_other_can_be_picked(net: BodyNet) -> None:
    photo = figures.blank((600, 900))
    left, right = figures.joints(250, 100, 480), figures.joints(650, 20, 570)
    figures.paint(photo, left, 480)
    figures.paint(photo, right, 570)
    view = net(photo)
    assert "2 people" in view.notices[0]
    assert abs(view.joints[J["nose"], 0] - 650) < 8
    assert view.alpha[:, :400].max() == 0
    other = net(photo, person=1)
    assert not other.notices
    assert abs(other.joints[J["nose"], 0] - 250) < 8
    with pytest.raises(InputError) as refused:
        net(photo, person=3)
    assert refused.value.code == "several_people"


def test_touching_people_are_told_apart_by_their_heads(net: BodyNet) -> None:
    photo = figures.blank((600, 700))
    for x in (230, 430):
        figures.paint(photo, figures.joints(x, 40, 520), 520)
    assert len(net.candidates(net.find(photo))) == 2


def test_an_empty_photo_is_refused(net: BodyNet) -> None:
    with pytest.raises(InputError) as refused:
        net(figures.blank((300, 300)))
    assert refused.value.code == "no_person"
    assert refused.value.hint


def test_a_back_view_is_refused_but_can_be_looked_at(net: BodyNet) -> None:
    photo = figures.blank((800, 600))
    mirrored = {n: (-x, y) for n, (x, y) in figures.POSE.items()}
    figures.paint(photo, figures.joints(300, 60, 700, pose=mirrored), 700, face=False)
    with pytest.raises(InputError) as refused:
        net(photo)
    assert refused.value.code == "back_view"
    assert net(photo, strict=False).fault == "back_view"


def test_a_sitting_person_is_refused(net: BodyNet) -> None:
    seated = dict(figures.POSE)
    for s, sign in (("left", 1), ("right", -1)):
        seated[f"{s}_knee"] = (0.13 * sign, 0.58)
        seated[f"{s}_ankle"] = (0.13 * sign, 0.78)
        seated[f"{s}_toe"] = (0.15 * sign, 0.82)
    photo = figures.blank((800, 700))
    figures.paint(photo, figures.joints(350, 60, 700, pose=seated), 700)
    with pytest.raises(InputError) as refused:
        net(photo)
    assert refused.value.code == "bad_pose"


def test_only_a_face_is_refused(net: BodyNet) -> None:
    photo = figures.blank((400, 400))
    figures.paint(photo, figures.joints(200, 20, 1500), 1500)
    with pytest.raises(InputError) as refused:
        net(photo)
    assert refused.value.code == "bad_crop"


def test_an_upper_body_crop_is_accepted(net: BodyNet) -> None:
    photo = figures.blank((500, 450))
    truth = figures.joints(225, 20, 860)
    figures.paint(photo, truth, 860)
    view = net(photo)
    assert view.fault is None
    assert np.linalg.norm(view.joints[J["left_shoulder"], :2] - truth[J["left_shoulder"]]) < 5
