"""Make-up on moving pictures: frames from a file or a camera, the face followed, each frame painted, a file written.

OpenCV reads pictures only: a sound track is not carried over. A frame without a face that can be painted stays as it
is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mojing.core import files
from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError
from mojing.core.geometry import Box
from mojing.core.progress import report
from mojing.makeup.look import Look
from mojing.makeup.render import render
from mojing.perception.faceview import FaceView

FORMATS: Final = {".mp4": "mp4v", ".mov": "mp4v", ".avi": "MJPG", ".webm": "VP80", ".mkv": "VP80"}
"""Suffix -> codec of the result: those that OpenCV's own build can write everywhere. Browsers play .webm alone."""

MAX_SIDE: Final = 4096
_USUAL_FPS: Final = 30.0
_VIDEO_HINT: Final = "give an MP4, MOV, WebM, MKV or AVI video"

Follow = Callable[[U8, float], FaceView | None]
"""Finds the face of a frame (H, W, 3) taken at this many seconds, or None: perception's `FaceTracker`, for one."""


@dataclass(frozen=True, eq=False)
class Clip:
    """An open video file or camera.

    Attributes:
        fps: frames a second, as the source says, or 30 where it says nothing that can be.
        frames: how many the file claims to have; 0 for a camera or where it says nothing.
        live: whether it is a camera.
    """

    capture: Any
    first: U8
    fps: float
    frames: int
    live: bool
    name: str

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width of the frames in px."""
        return int(self.first.shape[0]), int(self.first.shape[1])

    def __iter__(self) -> Iterator[tuple[U8, float]]:
        """Frames (H, W, 3) RGB with their time in seconds; frames of another size than the first end it."""
        start, number, frame = time.perf_counter(), 0, self.first
        while True:
            yield frame, time.perf_counter() - start if self.live else number / self.fps
            number += 1
            ok, bgr = self.capture.read()
            if not ok or bgr is None or bgr.shape != self.first.shape:
                return
            frame = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


@contextmanager
def opened(source: Path | int, *, wh: tuple[int, int] = (640, 480)) -> Iterator[Clip]:
    """Open a video file, or a camera by its number; a camera is asked for frames of `wh`.

    Raises:
        InputError: not_found, bad_video, no_camera, too_large.
    """
    live = isinstance(source, int)
    if not isinstance(source, int) and not source.is_file():
        raise InputError("not_found", f"there is no file {source}", hint="check the path")
    capture = cv2.VideoCapture(source if live else str(source))
    try:
        if live:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, wh[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wh[1])
        ok, bgr = capture.read() if capture.isOpened() else (False, None)
        if not ok or bgr is None or bgr.ndim != 3:
            raise _unusable(source)
        if max(bgr.shape) > MAX_SIDE:
            said = f"the video is {bgr.shape[1]}x{bgr.shape[0]}; at most {MAX_SIDE} px a side are read"
            raise InputError("too_large", said, hint="scale it down")
        fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        yield Clip(
            capture,
            cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB),
            fps if 1.0 <= fps <= 240.0 else _USUAL_FPS,
            int(count) if not live and 0 < count < 1e9 else 0,
            live,
            f"camera {source}" if isinstance(source, int) else source.name,
        )
    finally:
        capture.release()


def _unusable(source: Path | int) -> InputError:
    if isinstance(source, int):
        said = f"camera {source} cannot be opened, or gives no pictures"
        return InputError("no_camera", said, hint="try another number, or give a file with --video")
    return InputError("bad_video", f"{source.name} has no frame that can be read", hint=_VIDEO_HINT)


def check_suffix(path: Path) -> str:
    """Codec of a video written to `path`.

    Raises:
        InputError: unwritable.
    """
    codec = FORMATS.get(path.suffix.lower())
    if codec is None:
        raise InputError(
            "unwritable", f"{path.name} has no video suffix", f"end the name in one of {', '.join(sorted(FORMATS))}"
        )
    return codec


Judge = Callable[[U8, FaceView], InputError | None]
"""Says why the face of a frame must not be painted, if so: perception's `facefaults.fault_of`, for one."""

JUDGE_EVERY: Final = 30
"""Frames between two judgements of a face that is being followed; a new face is judged at once."""


def allow(rgb: U8, face: FaceView) -> InputError | None:
    """Let every face pass."""
    return None


@dataclass
class Live:
    """The mirror, frame by frame: follows one face and puts a look on it; keeps the times of all frames.

    Attributes:
        follow: finds the face of a frame.
        look: what is put on it; may be exchanged between frames.
        judge: says which faces must not be painted; they stay as they are until they are judged again.
        face_ms, paint_ms: milliseconds of every frame so far.
        painted: frames whose face was painted.
        fault: why a face was not painted last, None while all were.
        tone: albedo of the wearer's skin, held steady from frame to frame.
    """

    follow: Follow
    look: Look
    judge: Judge = allow
    face_ms: list[float] = field(default_factory=list)
    paint_ms: list[float] = field(default_factory=list)
    painted: int = 0
    fault: InputError | None = None
    tone: F32 | None = None
    _held: bool = False
    _judged: int = -1

    def __call__(self, rgb: U8, seconds: float) -> U8:
        """The frame (H, W, 3) uint8 with the look on it, or itself where there is no face to be painted."""
        start = time.perf_counter()
        face = self.follow(rgb, seconds)
        if self._allowed(rgb, face):
            assert face is not None
            found = time.perf_counter()
            hair = hair_of_parts(face) if any(layer.kind == "hair" for layer in self.look.layers) else None
            made = render(rgb, face, look=self.look, hair=hair, tone=self.tone, layers=False, still=False)
            out, self.tone = made.image, made.tone
            self.painted += 1
        else:
            found, out, self.tone = time.perf_counter(), rgb, None
        self.face_ms.append((found - start) * 1e3)
        self.paint_ms.append((time.perf_counter() - found) * 1e3)
        return out

    def _allowed(self, rgb: U8, face: FaceView | None) -> bool:
        """Whether this frame's face may be painted; judged when it is new and now and then."""
        if face is None:
            self._judged = -1
            return False
        if self._judged < 0 or self._judged >= JUDGE_EVERY:
            fault = self.judge(rgb, face)
            self.fault = fault if fault is not None else self.fault
            self._held, self._judged = fault is not None, 0
        self._judged += 1
        return not self._held


def hair_of_parts(face: FaceView) -> F32:
    """Alpha (H, W) float32 0..1 of the hair as far as the face's grid of parts reaches; 0 outside it."""
    h, w = face.hw
    alpha = np.zeros((h, w), np.float32)
    side = face.parts.shape[1]
    corners = face.to_parts.inverse().apply(np.array([[0.0, 0.0], [side, 0.0], [0.0, side], [side, side]]))
    box = Box.around(corners).clip((h, w))
    rows, cols = box.slices((h, w))
    inside = cv2.warpAffine(
        np.ones((side, side), np.float32),
        face.to_parts.matrix,
        (w, h),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0.0,
    )
    alpha[rows, cols] = face.part("hair", box=box)
    return np.asarray(alpha * inside, np.float32)


@dataclass(frozen=True)
class Painted:
    """What became of a video: numbers of frames, times in ms, and what the user should know."""

    size: tuple[int, int]
    fps: float
    frames: int
    painted: int
    seconds: float
    timings_ms: dict[str, float]
    notices: tuple[str, ...]

    def report(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "status": "ok",
            "size": list(self.size),
            "fps": round(self.fps, 3),
            "frames": self.frames,
            "painted": self.painted,
            "seconds": round(self.seconds, 3),
            "timings_ms": {k: round(v, 2) for k, v in self.timings_ms.items()},
            "notices": list(self.notices),
        }


def paint_video(
    live: Live,
    source: Path | int,
    *,
    out: Path,
    seconds: float | None = None,
    hush: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Painted:
    """Put the look of `live` on every frame of a video or camera and write the result to `out`, whole or not at all.

    A camera's frames are written as often as time asks for, so that the result lasts as long as the recording.

    Args:
        seconds: stop after so long; a camera needs it.
        hush: entered while the result's file is opened, where the encoder says things to stderr that are no errors.

    Raises:
        InputError: not_found, bad_video, no_camera, no_face (in no frame), unwritable.
    """
    codec = check_suffix(out)
    with opened(source) as clip, files.whole(out) as place:
        h, w = clip.hw[0] // 2 * 2, clip.hw[1] // 2 * 2  # what the codecs take
        with hush():
            writer = cv2.VideoWriter(str(place), cv2.VideoWriter.fourcc(*codec), clip.fps, (w, h))
        try:
            if not writer.isOpened():
                raise InputError(
                    "unwritable", f"{out.name} cannot be written as video", "choose another place or suffix"
                )
            read, written = _all_frames(live, clip, writer=writer, seconds=seconds)
        finally:
            writer.release()
        if live.painted == 0:
            raise live.fault or InputError(
                "no_face", f"no face was found in {clip.name}", hint="give a video of one face from the front, well lit"
            )
        notices = _notices(live, clip, read=read, limited=seconds is not None)
        total = np.add(live.face_ms, live.paint_ms)
        times = {
            "face": float(np.median(live.face_ms)),
            "paint": float(np.median(live.paint_ms)),
            "frame": float(np.median(total)),
            "frame_p95": float(np.percentile(total, 95)),
        }
        return Painted((w, h), clip.fps, written, live.painted, written / clip.fps, times, notices)


def frames(live: Live, clip: Clip, *, seconds: float | None = None) -> Iterator[U8]:
    """The frames of a clip (H, W, 3) with their make-up, as they come, for so many seconds at most."""
    for frame, at in clip:
        if seconds is not None and at >= seconds:
            return
        yield live(frame, at)


def _all_frames(live: Live, clip: Clip, *, writer: Any, seconds: float | None) -> tuple[int, int]:
    """Paint and write; also how many frames were read and how many written."""
    read = written = 0
    total = clip.frames if seconds is None else round(seconds * clip.fps)
    start = time.perf_counter()
    for made in frames(live, clip, seconds=seconds):
        read += 1
        bgr = cv2.cvtColor(made, cv2.COLOR_RGB2BGR)[: made.shape[0] // 2 * 2, : made.shape[1] // 2 * 2]
        due = max(round((time.perf_counter() - start) * clip.fps), 1) if clip.live else read
        while written < due:
            writer.write(np.ascontiguousarray(bgr))
            written += 1
        report(min(written, total) if total else written, total, what="frames")
    return read, written


def _notices(live: Live, clip: Clip, *, read: int, limited: bool) -> tuple[str, ...]:
    found = []
    if live.painted < read:
        why = f" ({live.fault})" if live.fault is not None else ""
        found.append(f"in {read - live.painted} of {read} frames no face could be painted{why}: they are as they were")
    if clip.frames and not limited and read < 0.9 * clip.frames:
        found.append(f"the video claims {clip.frames} frames but ends after {read}")
    if clip.hw[0] % 2 or clip.hw[1] % 2:
        found.append("the video's codec takes even sizes only: the last row or column of pixels is left out")
    if not clip.live:
        found.append("the sound, if there was any, is not in the result")
    return tuple(found)
