"""Videos: every frame is painted where a face is, the file is whole or not there, and what is lost is told."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.makeup.look import Look
from mojing.makeup.video import Live, check_suffix, hair_of_parts, opened, paint_video
from mojing.perception.faceview import FaceView
from tests.makeup.faces import LOOK, layer, sitter

FRAMES = 8


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A still face of eight frames, in a codec that changes pixels little."""
    path = tmp_path_factory.mktemp("clip") / "face.avi"
    rgb, _ = sitter()
    h, w = rgb.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (w, h))
    for _ in range(FRAMES):
        writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def known(rgb: U8, seconds: float) -> FaceView | None:
    """Where the face is in every frame."""
    return sitter()[1]


def absent(rgb: U8, seconds: float) -> FaceView | None:
    """Nobody."""
    return None


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_a_video_of_the_same_length_with_the_look_on_it(clip: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "deep" / f"out{suffix}"
    made = paint_video(Live(known, LOOK), clip, out=out)
    assert (made.frames, made.painted, made.fps) == (FRAMES, FRAMES, 25.0)
    assert made.report()["size"] == list(sitter()[0].shape[1::-1])
    assert made.timings_ms["frame"] > 0
    rgb, face = sitter()
    with opened(out) as result:
        frames = [frame for frame, _ in result]
        assert abs(result.fps - 25.0) < 0.1
    assert len(frames) == FRAMES
    x, y = np.rint(face.mesh[[17, 14], :2].mean(axis=0)).astype(int)
    assert np.abs(frames[-1][y, x].astype(int) - rgb[y, x]).max() > 25
    assert np.abs(frames[-1][:60].astype(int) - rgb[:60]).mean() < 8
    assert [p.name for p in out.parent.iterdir()] == [out.name]


def test_frames_without_a_face_stay_and_are_told_of(clip: Path, tmp_path: Path) -> None:
    def at_first(rgb: U8, seconds: float) -> FaceView | None:
        return sitter()[1] if seconds < 0.1 else None

    made = paint_video(Live(at_first, LOOK), clip, out=tmp_path / "out.avi")
    assert 0 < made.painted < made.frames == FRAMES
    assert any("no face" in notice for notice in made.notices)


def test_faces_that_must_not_be_painted_are_left_alone(clip: Path, tmp_path: Path) -> None:
    dark = InputError("dark", "the face is too dark", hint="use a light")
    with pytest.raises(InputError) as caught:
        paint_video(Live(known, LOOK, lambda _rgb, _face: dark), clip, out=tmp_path / "out.avi")
    assert caught.value is dark
    assert not list(tmp_path.iterdir())
    judged: list[int] = []

    def first_dark(rgb: U8, face: FaceView) -> InputError | None:
        judged.append(1)
        return dark if len(judged) == 1 else None

    def away_once(rgb: U8, seconds: float) -> FaceView | None:
        return None if 0.15 < seconds < 0.17 else sitter()[1]

    made = paint_video(Live(away_once, LOOK, first_dark), clip, out=tmp_path / "out.avi")
    assert (made.painted, len(judged)) == (3, 2), "judged again when it comes back"
    assert any("too dark" in notice for notice in made.notices)


def test_seconds_end_it(clip: Path, tmp_path: Path) -> None:
    made = paint_video(Live(known, LOOK), clip, out=tmp_path / "out.avi", seconds=0.12)
    assert made.frames == 3


def refused(source: Path | int, out: Path, follow: object = known) -> str:
    with pytest.raises(InputError) as caught:
        paint_video(Live(follow, LOOK), source, out=out)  # type: ignore[arg-type]
    assert caught.value.hint
    return caught.value.code


def test_what_is_refused_leaves_nothing_behind(clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = clip.read_bytes()
    bad = {
        "text.mp4": b"no video at all" * 50,
        "empty.mp4": b"",
        "head.avi": data[:300],
        "noise.webm": np.random.default_rng(0).bytes(3000),
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        assert refused(tmp_path / name, tmp_path / "out.mp4") == "bad_video", name
    assert refused(tmp_path / "none.mp4", tmp_path / "out.mp4") == "not_found"
    assert refused(tmp_path, tmp_path / "out.mp4") == "not_found"
    assert refused(99, tmp_path / "out.mp4") == "no_camera"
    assert refused(clip, tmp_path / "out.mp4", absent) == "no_face"
    assert refused(clip, tmp_path / "out.gif") == "unwritable"
    assert refused(clip, tmp_path / "text.mp4" / "out.mp4") == "unwritable"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(bad)
    capfd.readouterr()  # the decoders of C say what they think of such files


def test_a_video_that_ends_too_early_gives_what_it_has(clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    (tmp_path / "half.avi").write_bytes(data[: len(data) // 2])
    made = paint_video(Live(known, LOOK), tmp_path / "half.avi", out=tmp_path / "out.avi")
    assert 0 < made.frames < FRAMES


def test_suffixes() -> None:
    assert check_suffix(Path("a.MP4")) == "mp4v"
    with pytest.raises(InputError, match="suffix"):
        check_suffix(Path("a"))


def test_hair_of_a_frame_reaches_as_far_as_the_grid(clip: Path) -> None:
    _, face = sitter()
    parts = np.zeros_like(face.parts)
    parts[2] = 1.0
    shaggy = FaceView(face.mesh, 1.0, parts, face.to_parts, face.hw)
    alpha = hair_of_parts(shaggy)
    assert alpha.shape == face.hw
    cx, cy = face.box.centre
    assert alpha[int(cy), int(cx)] == pytest.approx(1.0)
    rgb = sitter()[0]
    live = Live(lambda _rgb, _s: shaggy, Look("", (layer("hair", "#803050"),)))
    assert (live(rgb, 0.0) != rgb).any()
