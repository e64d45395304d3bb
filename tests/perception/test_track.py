"""The tracker: a still face stays still, a moving one is followed without lag that shows, a lost one is found again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mojing.core.arrays import F32, U8
from mojing.perception.faceview import FaceView
from mojing.perception.track import FaceTracker, OneEuro
from tests.perception.test_faceview import HW, face

FRAME = np.zeros((*HW, 3), np.uint8)


@dataclass
class Seen:
    """Faces that sees what it is told: one mesh a frame, or None; it follows only from near by."""

    meshes: list[F32 | None]
    found: int = 0
    followed: int = 0
    frame: int = field(default=-1)

    def _view(self) -> FaceView | None:
        mesh = self.meshes[self.frame]
        return None if mesh is None else FaceView.of_mesh(mesh, HW)

    def find(self, rgb: U8) -> tuple[FaceView, ...]:
        self.found += 1
        view = self._view()
        return () if view is None else (view,)

    def follow(self, rgb: U8, last: FaceView) -> FaceView | None:
        self.followed += 1
        view = self._view()
        if view is None or np.abs(view.mesh[:, :2] - last.mesh[:, :2]).max() > 40:
            return None
        return view


def run(meshes: list[F32 | None], fps: float = 30.0) -> tuple[list[FaceView | None], Seen]:
    seen = Seen(meshes)
    track = FaceTracker(seen)
    out = []
    for i in range(len(meshes)):
        seen.frame = i
        out.append(track(FRAME, i / fps))
    return out, seen


def test_noise_on_a_still_face_is_taken_away() -> None:
    rng = np.random.default_rng(0)
    meshes: list[F32 | None] = [(face() + rng.normal(0, 0.5, (478, 3))).astype(np.float32) for _ in range(90)]
    views, _ = run(meshes)
    told = np.stack([v.mesh[:, :2] for v in views if v is not None])
    raw = np.stack([m[:, :2] for m in meshes if m is not None])
    assert told[30:].std(axis=0).mean() < 0.45 * raw[30:].std(axis=0).mean()
    assert np.abs(told[30:].mean(axis=0) - face()[:, :2]).mean() < 0.2


def test_a_moving_face_is_hardly_behind() -> None:
    meshes: list[F32 | None] = [face(at=(120 + 4.0 * i, 180)) for i in range(40)]
    views, _ = run(meshes)
    last = views[-1]
    assert last is not None
    assert meshes[-1] is not None
    behind = meshes[-1][:, 0] - last.mesh[:, 0]
    assert behind.mean() < 4.0, "at most one frame behind at 120 px/s"


def test_a_lost_face_is_found_again_at_once() -> None:
    here, there = face(at=(120, 150)), face(at=(300, 250))
    views, seen = run([here, here, None, None, there, there])
    assert [v is None for v in views] == [False, False, True, True, False, False]
    assert views[4] is not None
    assert np.allclose(views[4].mesh, there), "nothing of the old place is left in the new one"
    assert (seen.found, seen.followed) == (4, 3)


def test_the_finder_rests_when_nobody_is_there() -> None:
    _, seen = run([None] * 41)
    assert 18 <= seen.found <= 24


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=3, max_size=12), st.floats(0.1, 5), st.floats(0, 20))
def test_a_filtered_value_stays_between_the_values(values: list[float], cutoff: float, beta: float) -> None:
    smooth = OneEuro(cutoff, beta)
    for i, value in enumerate(values):
        out = float(smooth(np.array([value]), i / 30)[0])
        assert min(values[: i + 1]) - 1e-9 <= out <= max(values[: i + 1]) + 1e-9


def test_time_that_stands_still_takes_the_new_value() -> None:
    smooth = OneEuro()
    smooth(np.array([1.0]), 1.0)
    assert smooth(np.array([5.0]), 1.0)[0] == pytest.approx(5.0)
