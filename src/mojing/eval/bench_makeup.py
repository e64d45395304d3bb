"""How long the make-up mirror takes: `mojing bench makeup`."""

from __future__ import annotations

import gc
import statistics
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.geometry import Affine, warp_crop
from mojing.core.image import Photo, load
from mojing.core.progress import track
from mojing.eval.machine import bundled, peak_rss_mb
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.pipeline import Makeup
from mojing.makeup.video import Live
from mojing.perception.facefaults import fault_of
from mojing.perception.faceview import FaceView
from mojing.perception.track import FaceTracker
from mojing.runtime.store import ModelStore

FRAME_WH: Final = (640, 480)
PHOTO_WH: Final = (4000, 3000)
FRAME_EYES_PX: Final = 90.0
"""Distance of the eyes in the timed frames: a face at arm's length before a laptop's camera."""
PHOTO_EYES_PX: Final = 560.0
"""Distance of the eyes in the timed photo: the same share of its height."""
FPS: Final = 30.0
MODELS: Final = ("face", "facedetail", "facefinder", "makeup")
_NOISE: Final = 2.0


def full_look() -> Look:
    """What is timed: foundation, blush, three pans of eyeshadow, eyeliner, lashes and a glossy lip."""

    def layer(kind: str, *codes: str, **more: Any) -> Layer:
        return Layer(kind, tuple(Shade.of_hex(code) for code in codes), **more)

    return Look(
        "full",
        (
            layer("foundation", "#d9a685", finish="satin", coverage=0.5),
            layer("blush", "#d4606a", finish="satin", coverage=0.4),
            layer("eyeshadow", "#b57a6a", "#7a4a44", "#3a2230", pattern="gradient", finish="shimmer"),
            layer("eyeliner", "#151114", pattern="wing", finish="matte", coverage=0.95),
            layer("lashes", "#0c0a0c", pattern="volume", finish="matte", coverage=0.95),
            layer("lip", "#a01830", finish="gloss", coverage=0.8),
        ),
    )


def bench_makeup(*, frames: int = 150, photos: int = 5, threads: int = 2, face: Path | None = None) -> dict[str, Any]:
    """Time a moving face at 640x480 and a photo of 12 megapixels, both made of the bundled portrait.

    Args:
        frames: how many frames of video are timed, after ten to warm up.
        photos: how often the photo is timed; the median is reported.
        threads: of the networks and of OpenCV.
        face: another portrait.

    Returns:
        `mesh_ms` and `mesh_p95_ms`: finding and smoothing the mesh of a frame; `frame_ms` and `frame_p95_ms`: mesh and
        full look; `fps`: frames over the time they all took; `photo12mp_ms`: face found anew and full look, from
        decoded pixels to new ones; `peak_rss_mb` of this process; `artifacts_mb` of the networks for faces.

    Raises:
        InputError: bad_data, when there is no portrait.
    """
    path = face if face is not None else bundled() / "faces" / "astronaut.jpg"
    if not path.is_file():
        raise InputError("bad_data", f"there is no portrait {path}", hint="work from a checkout")
    portrait = load(path).flat()
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        mirror = Makeup(threads=threads)
        at = mirror.look(portrait).face
        live = Live(FaceTracker(mirror.faces), full_look(), fault_of)
        wall = _run_frames(live, portrait, at=at, frames=frames)
        times = _run_photos(mirror, _framed(portrait, at, wh=PHOTO_WH, eyes=PHOTO_EYES_PX), photos)
    finally:
        cv2.setNumThreads(before)
    total = np.add(live.face_ms, live.paint_ms)
    return {
        "mesh_ms": round(float(np.median(live.face_ms)), 2),
        "mesh_p95_ms": round(float(np.percentile(live.face_ms, 95)), 2),
        "frame_ms": round(float(np.median(total)), 2),
        "frame_p95_ms": round(float(np.percentile(total, 95)), 2),
        "fps": round(frames / wall, 1),
        "photo12mp_ms": round(statistics.median(times), 1),
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "artifacts_mb": round(_artifacts_mb(), 2),
        "painted": live.painted,
        "frames": frames,
        "photos": photos,
        "threads": threads,
    }


def _run_frames(live: Live, portrait: U8, *, at: FaceView, frames: int) -> float:
    """Wall time in seconds of the timed frames; `live` keeps each one's."""
    rng = np.random.default_rng(0)
    still = _framed(portrait, at, wh=FRAME_WH, eyes=FRAME_EYES_PX)
    clip = [_moved(still, i / FPS, rng=rng) for i in range(frames + 10)]
    for i, frame in enumerate(clip[:10]):
        live(frame, i / FPS)
    live.face_ms.clear()
    live.paint_ms.clear()
    live.painted = 0
    gc.collect()
    start = time.perf_counter()
    for i, frame in track(enumerate(clip[10:], start=10), "frames", total=frames):
        live(frame, i / FPS)
    return time.perf_counter() - start


def _run_photos(mirror: Makeup, photo: U8, repeats: int) -> list[float]:
    """Milliseconds of each made-up photo, its face found anew every time."""
    look, times = full_look(), []
    for _ in track(range(repeats + 1), "photos"):
        gc.collect()
        start = time.perf_counter()
        mirror(Photo(photo), look)
        times.append((time.perf_counter() - start) * 1e3)
    return times[1:]


def _framed(portrait: U8, face: FaceView, *, wh: tuple[int, int], eyes: float) -> U8:
    """The portrait scaled so that the eyes are `eyes` px apart, the face in the middle of a picture of `wh`."""
    scale = eyes / face.inter_ocular
    cx, cy = face.box.centre
    move = (wh[0] / 2 - scale * cx, wh[1] / 2 - scale * cy)
    return np.asarray(warp_crop(portrait, Affine.similarity(scale, 0.0, move=move), out_wh=wh), np.uint8)


def _moved(still: U8, seconds: float, *, rng: np.random.Generator) -> U8:
    """A frame of a head that sways a little, with a camera's noise."""
    h, w = still.shape[:2]
    angle = 0.05 * np.sin(1.9 * seconds)
    turn = Affine.similarity(1.0 + 0.03 * np.sin(1.1 * seconds), angle)
    cx, cy = turn.apply(np.array([[w / 2, h / 2]]))[0]
    sway = (w / 2 - cx + 25 * np.sin(1.3 * seconds), h / 2 - cy + 8 * np.sin(2.3 * seconds))
    moved = Affine(np.column_stack([turn.matrix[:, :2], turn.matrix[:, 2] + sway]))
    frame = warp_crop(still, moved, out_wh=(w, h)).astype(np.float32)
    return np.clip(frame + rng.normal(0.0, _NOISE, frame.shape), 0, 255).astype(np.uint8)


def _artifacts_mb() -> float:
    folder = ModelStore().folder
    return sum(p.stat().st_size for name in MODELS for p in folder.glob(f"{name}.*")) / 1e6
