"""`mojing makeup --video` and `--camera`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mojing.cli.console import progress_bar, say, unheard, write_json
from mojing.cli.vanity import tell, wished
from mojing.core.errors import InputError

if TYPE_CHECKING:
    from mojing.cli.vanity import Order
    from mojing.makeup.video import Live

CAMERA_SECONDS = 10.0
"""How long a camera is recorded unless --seconds says otherwise."""


def paint_clip(order: Order, source: Path | int, *, seconds: float | None, port: int, quiet: bool) -> None:
    """Put the wished look on a video or on what a camera sees, and write it as a video.

    A camera without a file to write to is shown live on a page of this machine.

    Raises:
        InputError: whatever is refused; nothing is written then.
    """
    from mojing.makeup.video import Live, check_suffix, opened, paint_video

    for name, value in (("--face", order.face), ("--debug", order.debug), ("--save-look", order.save_look)):
        if value:
            raise InputError("bad_options", f"{name} is for photos", "leave it out: the largest face is followed")
    out = order.out
    if out is not None:
        check_suffix(out)
    look = wished(order.wish)
    _silence()
    with unheard(), opened(source):
        pass  # refused before the networks are loaded
    from mojing.makeup.pipeline import Makeup
    from mojing.perception.facefaults import fault_of
    from mojing.perception.track import FaceTracker

    live = Live(FaceTracker(Makeup(threads=order.threads).faces), look, fault_of)
    if out is None:
        show(live, source, seconds=seconds, port=port)
        return
    limit = CAMERA_SECONDS if isinstance(source, int) and seconds is None else seconds
    with progress_bar():
        made = paint_video(live, source, out=out, seconds=limit, hush=unheard)
    if order.report is not None:
        write_json(order.report, {**made.report(), "look": look.name})
    tell(made.notices, quiet=quiet)
    ms = made.timings_ms
    took = f"{ms['frame']:.1f} ms a frame, p95 {ms['frame_p95']:.1f}"
    say(f"{out}  ({made.painted} of {made.frames} frames, {took})", quiet=quiet)


def show(live: Live, source: Path | int, *, seconds: float | None, port: int) -> None:
    """Show the camera's frames with their make-up until Ctrl-C or for so many seconds."""
    from mojing.cli.window import Window, mirror
    from mojing.makeup.video import frames, opened

    window = Window(port)
    try:
        say(f"the mirror is at {window.address} on this machine; Ctrl-C ends it")
        with opened(source) as clip:
            count = mirror(frames(live, clip, seconds=seconds), window)
    finally:
        window.close()
    say(f"{count} frames were shown, {live.painted} with a face")


def _silence() -> None:
    """Tell the video library to keep its remarks on damaged files to itself; what matters is told as a notice."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
