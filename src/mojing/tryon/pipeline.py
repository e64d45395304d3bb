"""The try-on from two photos to one: look at the person, look at the garment, drape, render, judge.

result = TryOn()(person, garment)

mirror = TryOn()
look = mirror.look(person)              # once
for garment in garments:                # many times
    result = mirror(look, mirror.garment(garment))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mojing.core.arrays import F32, U8, readonly
from mojing.core.errors import InputError, QualityError
from mojing.core.image import Photo, Source, load
from mojing.core.progress import report
from mojing.core.skeleton import J
from mojing.core.warp import WarpField
from mojing.perception.body import BodyNet, BodyView
from mojing.perception.garment import AnchorSource, GarmentNet, GarmentView
from mojing.perception.labels import L
from mojing.runtime.store import ModelStore
from mojing.tryon.agnostic import Edit, edit_region
from mojing.tryon.debug import write_debug
from mojing.tryon.drape import drape
from mojing.tryon.fit import Fit
from mojing.tryon.pattern import Pattern, make_pattern
from mojing.tryon.quality import Quality, judge
from mojing.tryon.render import Rendered, Renderer

STAGES = ("person", "garment", "drape", "agnostic", "render", "quality")


@dataclass(frozen=True, eq=False)
class PersonLook:
    """A person photo, looked at once."""

    photo: Photo
    body: BodyView
    ms: float = 0.0


@dataclass(frozen=True, eq=False)
class GarmentLook:
    """A garment photo, looked at once, and its pattern ready for draping."""

    photo: Photo
    view: GarmentView
    pattern: Pattern
    ms: float = 0.0


@dataclass(frozen=True, eq=False)
class TryOnResult:
    """A finished try-on.

    Attributes:
        image: (H, W, 3) uint8 at the person photo's size.
        edit_mask: (H, W) uint8, 255 where pixels were allowed to change; elsewhere the image equals the photo.
        alpha: (H, W) float32 0..1, opacity of the new garment.
        quality: score, verdict, reasons and signs.
        notices: sentences about what is degraded or made up.
        timings_ms: stage -> milliseconds; a look that was done before costs 0. Person and garment, when both are
            new, are looked at side by side.
        models: ids of the models used.
        category: the garment's category as it was worn.
        rendered: the picture as the renderer left it, with its parts.
    """

    image: U8
    edit_mask: U8
    alpha: F32 = field(repr=False)
    quality: Quality
    notices: tuple[str, ...]
    timings_ms: dict[str, float]
    models: tuple[str, ...]
    category: str
    rendered: Rendered = field(repr=False)
    status: str = "ok"

    def __post_init__(self) -> None:
        for name in ("image", "edit_mask", "alpha"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    @property
    def warp(self) -> WarpField:
        """Person px -> garment px; made when it is first asked for."""
        return self.rendered.field

    def report(self) -> dict[str, Any]:
        """The same as plain values for JSON, without the pictures."""
        return {
            "status": self.status,
            "category": self.category,
            "quality": {
                "score": self.quality.score,
                "ok": self.quality.ok,
                "reasons": list(self.quality.reasons),
                "signs": self.quality.signs,
            },
            "notices": list(self.notices),
            "timings_ms": {k: round(v, 1) for k, v in self.timings_ms.items()},
            "models": list(self.models),
            "size": [int(self.image.shape[1]), int(self.image.shape[0])],
        }


class TryOn:
    """The mirror: loads its networks once and dresses any number of people.

    Args:
        models: folder of the models; the installed ones by default.
        threads: CPU threads of each network.
        gan: use the render network; without it the draped garment is laid over the photo as it is.
        strict: refuse results whose quality is too low.
    """

    def __init__(
        self, models: str | Path | None = None, *, threads: int = 2, gan: bool = True, strict: bool = True
    ) -> None:
        store = ModelStore(models)
        self.body = BodyNet(store, threads=threads)
        self.garments = GarmentNet(store, body=self.body, threads=threads)
        self.renderer = Renderer(store, threads=threads, gan=gan)
        self.strict = strict

    @property
    def network_ms(self) -> float:
        """Time spent inside the networks so far: the floor no pipeline around them can beat."""
        sessions = [self.body.session, self.garments.session, self.renderer.session]
        return sum(s.elapsed_ms for s in sessions if s is not None)

    def look(self, photo: Source | Photo, *, person: int | None = None) -> PersonLook:
        """Look at a person once, for many garments.

        Args:
            photo: path, bytes, array, Pillow image or Photo.
            person: which of several people, counted from the left from 1; the largest by default.

        Raises:
            InputError: the photo cannot be read, or nobody in it can be dressed.
        """
        loaded = load(photo).opaque()
        start = time.perf_counter()
        body = self.body(loaded.rgb, person=person)
        return PersonLook(loaded, body, (time.perf_counter() - start) * 1e3)

    def garment(
        self,
        photo: Source | Photo,
        *,
        category: str = "auto",
        anchors: AnchorSource | None = None,
        fit: Fit | None = None,
    ) -> GarmentLook:
        """Look at a garment once, for many people.

        Raises:
            InputError: the photo cannot be read, or no garment was found in it.
        """
        loaded = load(photo)
        start = time.perf_counter()
        view = self.garments(loaded, category=category, anchors=anchors)
        return GarmentLook(loaded, view, make_pattern(view, fit=fit), (time.perf_counter() - start) * 1e3)

    def __call__(
        self,
        person: PersonLook | Source | Photo,
        garment: GarmentLook | GarmentView | Source | Photo,
        *,
        category: str = "auto",
        anchors: AnchorSource | None = None,
        fit: Fit | None = None,
        debug: str | Path | None = None,
    ) -> TryOnResult:
        """Dress a person.

        Args:
            person: a photo, or what `look` gave.
            garment: a photo, what `garment` gave, or a view made by other means.
            category: top, outer, dress, skirt, trousers, or auto; for photos only.
            anchors: a file or mapping of known anchors; for photos only.
            fit: another size than the one photographed; for photos only.
            debug: folder for every intermediate picture.

        Raises:
            InputError: what was given cannot be used.
            QualityError: the picture would be too bad to show (when strict).
        """
        times: dict[str, float] = {}
        if isinstance(garment, GarmentView):
            garment = GarmentLook(load(garment.rgb), garment, make_pattern(garment, fit=fit))
        read = partial(self.garment, category=category, anchors=anchors, fit=fit)
        look, seen = self._both(person, garment, read)
        times["person"] = 0.0 if look is person else look.ms
        times["garment"] = 0.0 if seen is garment else seen.ms
        report(done := 2, len(STAGES), what="stages")
        _check_in_view(look.body, seen.view.category)
        with _clock(times, "drape"):
            draped = drape(seen.pattern, look.body)
        with _clock(times, "agnostic"):
            edit = edit_region(look.body, draped, seen.view.category)
        with _clock(times, "render"):
            rendered = self.renderer(look.photo.rgb, look.body, drape=draped, edit=edit, category=seen.view.category)
        report(done + 3, len(STAGES), what="stages")
        with _clock(times, "quality"):
            quality = judge(
                look.body, seen.view, drape=draped, rendered=rendered, edit=edit, weights=self.renderer.quality
            )
        report(len(STAGES), len(STAGES), what="stages")
        if debug is not None:
            write_debug(
                Path(debug),
                (look.photo, look.body),
                (seen.photo, seen.view),
                drape=draped,
                edit=edit,
                rendered=rendered,
            )
        return self._result(look, seen, edit=edit, rendered=rendered, quality=quality, times=times)

    def _both(
        self,
        person: PersonLook | Source | Photo,
        garment: GarmentLook | Source | Photo,
        read: Callable[[Source | Photo], GarmentLook],
    ) -> tuple[PersonLook, GarmentLook]:
        """Look at the person and the garment; side by side when both are new, as neither needs the other."""
        if isinstance(person, PersonLook):
            return person, garment if isinstance(garment, GarmentLook) else read(garment)
        if isinstance(garment, GarmentLook):
            return self.look(person), garment
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read, garment)
            look = self.look(person)
            return look, reading.result()

    def _result(
        self,
        look: PersonLook,
        seen: GarmentLook,
        *,
        edit: Edit,
        rendered: Rendered,
        quality: Quality,
        times: dict[str, float],
    ) -> TryOnResult:
        if self.strict and not quality.ok:
            why = quality.reasons[0] if quality.reasons else "the result would look wrong"
            message, _, hint = why.partition(": ")
            raise QualityError("poor_result", message, hint=hint, score=quality.score, reasons=quality.reasons)
        sessions = [self.body.session, self.garments.session, self.renderer.session]
        notices = (*look.photo.notices, *look.body.notices, *seen.view.notices, *edit.notices, *quality.reasons)
        return TryOnResult(
            image=rendered.image,
            edit_mask=edit.mask,
            alpha=rendered.alpha,
            quality=quality,
            notices=tuple(dict.fromkeys(notices)),
            timings_ms=times,
            models=tuple(s.spec.id for s in sessions if s is not None),
            category=seen.view.category,
            rendered=rendered,
            status="ok" if quality.ok else "poor",
        )


@contextmanager
def _clock(times: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    times[stage] = (time.perf_counter() - start) * 1e3


_NEEDED = {"skirt": ("knee", "legs"), "trousers": ("knee", "legs")}
"""Category -> the joints that must be in the photo and what to call them; the others need the shoulders."""


def _check_in_view(body: BodyView, category: str) -> None:
    """Refuse a photo that does not show the part of the body the garment covers."""
    joint, what = _NEEDED.get(category, ("shoulder", "shoulders"))
    at = body.joints[[J[f"left_{joint}"], J[f"right_{joint}"]]]
    h, w = body.hw
    inside = (at[:, 0] > -0.1 * w) & (at[:, 0] < 1.1 * w) & (at[:, 1] > 0) & (at[:, 1] < h) & (at[:, 2] > 0.12)
    # A network that sees only legs still guesses shoulders: without a head they must be seen surely.
    table = np.zeros(256, bool)
    table[[L[n] for n in ("face", "hair", "hat", "neck")]] = True
    headed = float(table[body.parse].sum()) > 0.01 * float((body.parse > 0).sum())
    sure = headed or float(at[:, 2].min()) > 0.5
    if np.any(inside) if joint == "knee" else np.all(inside) and sure:
        return
    raise InputError(
        "bad_crop",
        f"the {what} are not in the photo, so {category} cannot be put on",
        hint=f"use a photo that shows the person's {what} and all between",
    )
