"""Make-up from a photo and a look to a picture: find the face, place the layers, paint them.

result = Makeup()(photo, "evening")

mirror = Makeup()
sitter = mirror.look(photo)            # once
for look in looks:                     # many times
    result = mirror(sitter, look)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mojing.core.arrays import F32, U8, readonly
from mojing.core.errors import InputError
from mojing.core.image import Photo, Source, load
from mojing.makeup import look as looks
from mojing.makeup import residual
from mojing.makeup.cautions import hidden
from mojing.makeup.look import Look, Product
from mojing.makeup.names import KIND_NAMES
from mojing.makeup.render import Painted, render
from mojing.perception.faceview import FaceView
from mojing.runtime.store import ModelStore

if TYPE_CHECKING:
    from mojing.makeup.card import Card
    from mojing.makeup.match import Match, ShadeTable
    from mojing.makeup.report import SkinReport
    from mojing.makeup.transfer import Transfer
    from mojing.perception.body import BodyNet
    from mojing.perception.face import Faces

LookSource = Look | str | Path
"""A look, the path of its file, or the name of one that is shipped."""


@dataclass(frozen=True, eq=False)
class Sitter:
    """A photo, looked at once: its faces, and its hair when a look asks for it.

    Attributes:
        photo: the photo with its own size and alpha.
        faces: the faces to be made up, largest first, or the chosen one.
        ms: how long looking took.
        read_hair: gives the alpha (H, W) float32 0..1 of every face's hair, or None where it has none that is known.
    """

    photo: Photo
    faces: tuple[FaceView, ...]
    ms: float = 0.0
    read_hair: Callable[[], tuple[F32 | None, ...]] = tuple

    @property
    def face(self) -> FaceView:
        """The first of the faces."""
        return self.faces[0]

    @property
    def notices(self) -> tuple[str, ...]:
        """What should be told of the photo and its faces."""
        return tuple(dict.fromkeys((*self.photo.notices, *(n for face in self.faces for n in face.notices))))

    @property
    def hair(self) -> F32 | None:
        """Alpha (H, W) float32 0..1 of the first face's hair."""
        return self.hairs[0]

    @cached_property
    def hairs(self) -> tuple[F32 | None, ...]:
        """Alpha of the hair of every face, found when first asked for."""
        return self.read_hair() or (None,) * len(self.faces)


@dataclass(frozen=True, eq=False)
class MakeupResult:
    """A face made up.

    Attributes:
        image: (H, W, 3) uint8 at the photo's size; where `mask` is 0 it equals the photo, bit for bit.
        alpha: (H, W) uint8 as the photo had it, None where the photo is opaque.
        layers: every layer as it was painted, RGBA within its box, in painting order; empty if they were not asked for.
        mask: (H, W) uint8, 255 where pixels were allowed to change.
        faces: what was seen of the faces that were made up.
        look: what was put on, with every change made to it.
        timings_ms: stage -> milliseconds; looking at a sitter seen before costs 0.
        notices: sentences about what is degraded or left out.
        models: ids of the models used.
    """

    image: U8
    alpha: U8 | None
    layers: tuple[Painted, ...] = field(repr=False)
    mask: U8 = field(repr=False)
    faces: tuple[FaceView, ...] = field(repr=False)
    look: Look
    timings_ms: dict[str, float]
    notices: tuple[str, ...]
    models: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("image", "mask"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    @property
    def face(self) -> FaceView:
        """The first of the faces."""
        return self.faces[0]

    @property
    def picture(self) -> U8:
        """The image as it is saved: (H, W, 3), or (H, W, 4) where the photo has alpha."""
        return self.image if self.alpha is None else np.dstack([self.image, self.alpha])

    def report(self) -> dict[str, Any]:
        """The same as plain values for JSON, without the pictures."""
        return {
            "status": "ok",
            "look": json.loads(looks.dumps(self.look)),
            "faces": [_about(face) for face in self.faces],
            "changed_share": round(float(np.count_nonzero(self.mask)) / self.mask.size, 4),
            "notices": list(self.notices),
            "timings_ms": {k: round(v, 1) for k, v in self.timings_ms.items()},
            "models": list(self.models),
            "size": [int(self.image.shape[1]), int(self.image.shape[0])],
        }


def _about(face: FaceView) -> dict[str, Any]:
    box = face.box
    return {
        "box": [round(v, 1) for v in (box.x0, box.y0, box.x1, box.y1)],
        "confidence": round(face.confidence, 4),
        "inter_ocular_px": round(face.inter_ocular, 2),
        "roll_deg": round(face.roll, 1),
        "yaw_deg": round(face.yaw, 1),
        "pitch_deg": round(face.pitch, 1),
    }


class Makeup:
    """The make-up mirror: loads each network when it is first needed, and makes up any number of faces.

    Args:
        models: folder of the models; the installed ones by default.
        threads: CPU threads of each network.
    """

    def __init__(self, models: str | Path | None = None, *, threads: int = 2) -> None:
        self.store = ModelStore(models)
        self.threads = threads

    @cached_property
    def faces(self) -> Faces:
        """The face network."""
        from mojing.perception.face import Faces

        return Faces(self.store, threads=self.threads)

    @cached_property
    def body(self) -> BodyNet:
        """The body network, which knows hair."""
        from mojing.perception.body import BodyNet

        return BodyNet(self.store, threads=self.threads)

    @cached_property
    def transfers(self) -> Transfer:
        """The network that reads looks off faces."""
        from mojing.makeup.transfer import Transfer

        return Transfer(self.store, threads=self.threads)

    def look(self, photo: Source | Photo, *, face: int | None = None, everyone: bool = False) -> Sitter:
        """Look at a photo once, for many looks.

        Args:
            photo: path, bytes, array, Pillow image or Photo.
            face: which of several faces, counted from the left from 1; the largest by default.
            everyone: take every face that can be made up, instead of one.

        Raises:
            InputError: the photo cannot be read, or no face in it can be made up.
        """
        loaded = load(photo)
        seen = loaded.flat()
        start = time.perf_counter()
        faces = self.faces.everyone(seen) if everyone else (self.faces(seen, face=face),)
        ms = (time.perf_counter() - start) * 1e3
        return Sitter(loaded, faces, ms, lambda: self._hair(seen, faces))

    def _hair(self, rgb: U8, faces: Sequence[FaceView]) -> tuple[F32 | None, ...]:
        from mojing.makeup.hair import hair_alpha, own_share

        everyone = self.faces.find(rgb)
        found = [hair_alpha(rgb, self.body, face=face) for face in faces]
        return tuple(
            hair if hair is None else hair * own_share(face, everyone) for face, hair in zip(faces, found, strict=True)
        )

    def __call__(
        self,
        sitter: Sitter | Source | Photo,
        look: LookSource,
        *,
        products: Mapping[str, Product] | None = None,
        layers: bool = True,
        fit: bool | None = None,
        chosen: Collection[str] = (),
    ) -> MakeupResult:
        """Put a look on the faces of a sitter.

        Args:
            sitter: a photo, or what `look` gave.
            look: a look, the path of its file, or the name of a shipped one.
            products: what the layers of a look's file may name instead of colours.
            layers: whether the layers are wanted as pictures; without them it takes less time.
            fit: take foundation and what else must suit the skin in shades for this face; by default for shipped
                looks, not for files, which say what they mean.
            chosen: kinds whose shades were chosen for this wearer and stay, whatever else is fitted.

        Raises:
            InputError: what was given cannot be used.
        """
        wanted = look if isinstance(look, Look) else find_look(look, products=products)
        seen = sitter if isinstance(sitter, Sitter) else self.look(sitter)
        times = {"face": 0.0 if seen is sitter else seen.ms}
        notices: tuple[str, ...] = ()
        suits = [la.kind for la in wanted.layers if la.kind in MUST_SUIT and la.kind not in chosen]
        if suits and (is_shipped(look) if fit is None else fit):
            from mojing.makeup.transfer import fitted

            wanted = fitted(wanted, seen.photo.flat(), seen.face, chosen=chosen)
            notices = (f"shades fitted to this skin: {', '.join(dict.fromkeys(suits))}",)
        return self._painted(seen, wanted, times=times, notices=notices, keep=layers)

    def _painted(
        self,
        sitter: Sitter,
        look: Look,
        *,
        times: dict[str, float],
        notices: tuple[str, ...] = (),
        keep: bool = True,
    ) -> MakeupResult:
        hairs: tuple[F32 | None, ...] = (None,) * len(sitter.faces)
        if any(layer.kind == "hair" for layer in look.layers):
            start = time.perf_counter()
            hairs = sitter.hairs
            times["hair"] = (time.perf_counter() - start) * 1e3
            if any(hair is None for hair in hairs):
                notices = (*notices, "no hair was found that could be dyed, so it keeps its colour")
        start = time.perf_counter()
        image, mask = sitter.photo.rgb, np.zeros(sitter.photo.hw, np.uint8)
        layers: list[Painted] = []
        for face, hair in zip(sitter.faces, hairs, strict=True):
            made = render(image, face, look=look, hair=hair, layers=keep)
            image = made.image
            layers.extend(made.layers)
            mask = np.maximum(mask, made.mask)
        times["paint"] = (time.perf_counter() - start) * 1e3
        told = (*sitter.notices, *notices, *_left_out(look, sitter.faces))
        return MakeupResult(
            image=image,
            alpha=sitter.photo.alpha,
            layers=tuple(layers),
            mask=mask,
            faces=sitter.faces,
            look=look,
            timings_ms=times,
            notices=tuple(dict.fromkeys(told)),
            models=self.models,
        )

    @property
    def models(self) -> tuple[str, ...]:
        """Ids of the models loaded so far."""
        loaded = [vars(self).get(name) for name in ("faces", "body", "transfers")]
        parts = [part for whole in loaded for part in (getattr(whole, "finder", None), whole) if part is not None]
        return tuple(part.session.spec.id for part in parts)

    def transfer(
        self,
        sitter: Sitter | Source | Photo,
        reference: Sitter | Source | Photo,
        *,
        only: Sequence[str] = (),
        amount: float = 1.0,
    ) -> MakeupResult:
        """The look of a reference photo on a sitter; `look` of the result is what was read.

        Args:
            sitter: a photo, or what `look` gave.
            reference: another photo, whose largest face is read.
            only: kinds of make-up to take over; all of them when empty.
            amount: 0..1, how thickly.

        Raises:
            InputError: what was given cannot be used.
        """
        seen = sitter if isinstance(sitter, Sitter) else self.look(sitter)
        model = reference if isinstance(reference, Sitter) else self._look_at_reference(reference)
        start = time.perf_counter()
        look = self.transfers.read(model.photo.flat(), model.face)
        look = self.transfers.fit(look, seen.photo.flat(), seen.face)
        read_ms = (time.perf_counter() - start) * 1e3
        look = (look.only(*only) if only else look).at(amount)
        times = {
            "face": 0.0 if seen is sitter else seen.ms,
            "reference": 0.0 if model is reference else model.ms,
            "read": read_ms,
        }
        notes = tuple(f"the reference: {notice}" for notice in (*model.photo.notices, *model.face.notices))
        if not look.layers:
            notes = (*notes, "no make-up of that kind was seen in the reference")
        return self._painted(seen, look, times=times, notices=notes)

    def _look_at_reference(self, reference: Source | Photo) -> Sitter:
        try:
            return self.look(reference)
        except InputError as error:
            raise InputError(error.code, f"the reference: {error}", error.hint) from error

    def remove(self, sitter: Sitter | Source | Photo, *, amount: float = 1.0) -> MakeupResult:
        """The bare face under the make-up, as far as it can be guessed.

        Raises:
            InputError: what was given cannot be used.
        """
        seen = sitter if isinstance(sitter, Sitter) else self.look(sitter)
        start = time.perf_counter()
        look = self.transfers.bare(seen.photo.flat(), seen.face).at(amount)
        times = {"face": 0.0 if seen is sitter else seen.ms, "read": (time.perf_counter() - start) * 1e3}
        return self._painted(seen, look, times=times, notices=("the skin under make-up is not seen but guessed",))

    def match(
        self,
        sitter: Sitter | Source | Photo,
        *,
        shades: ShadeTable,
        brand: str | None = None,
        card: Card | None = None,
    ) -> Match:
        """The foundation shades nearest to the skin of a sitter's face.

        Raises:
            InputError: what was given cannot be used, or the light forbids it.
        """
        from mojing.makeup.match import match

        seen = sitter if isinstance(sitter, Sitter) else self.look(sitter)
        return match(seen.photo.flat(), seen.face, shades=shades, brand=brand, card=card)

    def report(self, sitter: Sitter | Source | Photo, *, card: Card | None = None) -> SkinReport:
        """What can be said of the skin of a sitter's face; cosmetic, not medical.

        Raises:
            InputError: what was given cannot be used, or the light forbids it.
        """
        from mojing.makeup.report import skin_report

        seen = sitter if isinstance(sitter, Sitter) else self.look(sitter)
        return skin_report(seen.photo.flat(), seen.face, card=card)


def _left_out(look: Look, faces: Sequence[FaceView]) -> tuple[str, ...]:
    """What of a look cannot be seen on a face, as sentences."""
    kinds = dict.fromkeys(layer.kind for layer in look.layers if any(hidden(layer, face) for face in faces))
    named = ", ".join(KIND_NAMES[kind]["en"] for kind in kinds)
    return (f"left out where hair, dark glasses or a hand are in front: {named}",) if named else ()


MUST_SUIT: Final = ("foundation", "concealer", "contour", "bronzer")
"""Kinds that look wrong on another skin than the one they are chosen for."""


def is_shipped(look: LookSource) -> bool:
    """Whether a look is given by the name of a shipped one."""
    return isinstance(look, str) and not _is_file(look)


def _is_file(name: str | Path) -> bool:
    path = Path(name)
    return path.suffix.lower() == ".json" or len(path.parts) > 1


def find_look(source: LookSource, *, products: Mapping[str, Product] | None = None) -> Look:
    """A look from its file's path or the name of a shipped one.

    Raises:
        InputError: not_found, bad_look.
    """
    if isinstance(source, Look):
        return source
    if _is_file(source):
        return looks.load(source, products=products)
    from mojing.makeup.catalogue import shipped_look

    return shipped_look(str(source))


def save_look(look: Look, path: str | Path) -> Path:
    """Write a look's file with all that it needs beside it, wherever its residuals came from.

    Raises:
        InputError: not_found, bad_look, unwritable.
    """
    own = [la if la.residual is None else replace(la, residual=residual.picture(la)) for la in look.layers]
    return looks.save(replace(look, layers=tuple(own)), path)
