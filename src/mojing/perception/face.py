"""A photo -> faces: mesh, confidence and parts of each, by a finder and the face network.

The network looks twice: at the crop that the finder cut, then at the upright crop that the first mesh gives. In a video
one look at the last frame's crop is enough. Eyes and lips are looked at once more from close by (`facedetail`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.errors import InputError
from mojing.core.geometry import Affine
from mojing.perception import facemesh
from mojing.perception.crops import as_input, cut_square
from mojing.perception.facedetail import FaceDetail
from mojing.perception.facefaults import SMALL_PX, fault_of, notices_of
from mojing.perception.facefind import FaceFinder
from mojing.perception.faceparts import clear_lenses, plausible
from mojing.perception.faceview import PARTS_SIZE, FaceView, parts_affine
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

SIDE = 192
"""Side of the network's input in px."""
LEAST_PX = 5.0
"""Inter-ocular distance below which anything may look like a face."""
DOUBTFUL = 0.02
"""Confidence of a first look below which there is no second one."""
LOOKS = 3
"""How often the network looks at a face of a photo at most."""


class Faces:
    """The finder and the face network; safe to call from several threads."""

    def __init__(self, store: ModelStore, *, threads: int = 2) -> None:
        spec = store.spec("face")
        self.session = Session(spec, threads=threads)
        self.finder = FaceFinder(store, threads=threads)
        self.detail = FaceDetail(store, threads=threads) if store.has("facedetail") else None
        self.limit = float(spec.extra.get("limit", 0.95))
        self.small_limit = float(spec.extra.get("small_limit", 0.99))
        self.follow_limit = float(spec.extra.get("follow_limit", 0.5))

    def find(self, rgb: U8) -> tuple[FaceView, ...]:
        """All faces of a photo (H, W, 3), largest first; none is no error."""
        for look in self.finder.looks(rgb):
            views: list[FaceView] = []
            for found in look:
                view = self._settled(rgb, found.crop(SIDE))
                if view is not None and self._sure(view) and not any(_same(view, v) for v in views):
                    views.append(view)
            if views:
                return tuple(sorted(views, key=lambda v: -v.inter_ocular))
        return ()

    def _sure(self, view: FaceView) -> bool:
        """Whether this is a face: the smaller it is, the surer the network must be."""
        if view.inter_ocular < LEAST_PX:
            return False
        return view.confidence >= (self.limit if view.inter_ocular >= SMALL_PX else self.small_limit)

    def __call__(self, rgb: U8, *, face: int | None = None) -> FaceView:
        """The face of a photo (H, W, 3): the largest, or number `face` from the left, counted from 1.

        Raises:
            InputError: no_face, bad_face (there is none of that number), profile, small, dark, covered,
                not_a_photo.
        """
        views = self.find(rgb)
        if not views:
            raise _no_face()
        chosen, notices = _chosen(views, face)
        fault = fault_of(rgb, chosen)
        if fault is not None:
            raise fault
        return replace(chosen, notices=(*notices, *notices_of(rgb, chosen)))

    def everyone(self, rgb: U8) -> tuple[FaceView, ...]:
        """Every face of a photo (H, W, 3) that can be made up, largest first; the first one's notices name the others.

        Raises:
            InputError: no_face; if none can be made up, why the first from the left cannot.
        """
        seen, refused = [], []
        for number, view in enumerate(sorted(self.find(rgb), key=_from_left), 1):
            fault = fault_of(rgb, view)
            if fault is None:
                seen.append(replace(view, notices=notices_of(rgb, view)))
            else:
                refused.append((number, fault))
        if not seen:
            raise refused[0][1] if refused else _no_face()
        first, *others = sorted(seen, key=lambda v: -v.inter_ocular)
        notes = tuple(f"face {number} from the left is left out: {fault}" for number, fault in refused)
        return (replace(first, notices=(*first.notices, *notes)), *others)

    def follow(self, rgb: U8, last: FaceView) -> FaceView | None:
        """The face in the next frame of a video, near where `last` saw it; None when it is lost."""
        view = self.look(rgb, parts_affine(last.mesh, size=SIDE))
        if view is None or view.confidence < self.follow_limit:
            return None
        ratio = view.inter_ocular / max(last.inter_ocular, 1e-3)
        return self._closer(rgb, view) if 0.6 < ratio < 1.7 else None

    def _settled(self, rgb: U8, crop: Affine) -> FaceView | None:
        """Look again at the crop each mesh gives until that crop hardly changes, then at it and its mirror image."""
        for _ in range(LOOKS - 1):
            view = self.look(rgb, crop)
            if view is None or view.confidence < DOUBTFUL:
                return None
            again = parts_affine(view.mesh, size=SIDE)
            near = _off(again, crop) < 0.03
            crop = again
            if near:
                break
        view = self.look(rgb, crop, mirrored=True)
        return None if view is None else self._closer(rgb, view)

    def _closer(self, rgb: U8, view: FaceView) -> FaceView:
        """The view with eyes and lips looked at from close by; as it is where these weights have no such network."""
        return view if self.detail is None else replace(view, mesh=self.detail(rgb, view.mesh))

    def look(self, rgb: U8, crop: Affine, *, mirrored: bool = False) -> FaceView | None:
        """One look through `crop` (photo px -> input px); None where the mesh is no face at all.

        With `mirrored` the network sees the mirror image too, and the mean of both is told.
        """
        seen = cut_square(rgb, crop, side=SIDE)
        image = as_input(seen)
        if mirrored:
            image = np.concatenate([image, image[..., ::-1]])
        out = self.session.run({"image": image})
        if mirrored:
            out = {name: _both(name, value) for name, value in out.items()}
        mesh = out["mesh"][0].astype(np.float64) * SIDE
        mesh[:, :2] = crop.inverse().apply(mesh[:, :2] - 0.5)
        mesh[:, 2] /= crop.scale
        if not np.isfinite(mesh).all() or np.hypot(*(mesh[468, :2] - mesh[473, :2])) < 2.0:
            return None
        logit = float(out["confidence"].ravel()[0])
        half = PARTS_SIZE / SIDE
        grid = Affine(np.array([[half, 0, 0.5 * half - 0.5], [0, half, 0.5 * half - 0.5]]))
        to_parts = grid.compose(crop)
        points = to_parts.apply(mesh[:, :2])
        parts = plausible(_softmax(out["parts"][0]), points)
        return FaceView(
            mesh=mesh.astype(np.float32),
            confidence=float(1.0 / (1.0 + np.exp(-logit))),
            parts=parts,
            to_parts=to_parts,
            hw=(rgb.shape[0], rgb.shape[1]),
            lenses=clear_lenses(parts, points, crop=seen),
        )


def _both(name: str, value: AnyArray) -> AnyArray:
    """Mean of an output for a crop and for its mirror image, (1, ...)."""
    plain, other = value[:1], value[1:]
    if name == "mesh":
        other = other[:, facemesh.mirror()].copy()
        other[..., 0] = 1.0 - other[..., 0]
    elif name == "parts":
        other = other[..., ::-1]
    return np.asarray((plain + other) / 2)


def _no_face() -> InputError:
    hint = "use a photo in which one face is seen from the front, upright, not cut off and not too small"
    return InputError("no_face", "no face was found in the photo", hint=hint)


def _from_left(view: FaceView) -> float:
    return float(view.mesh[:, 0].mean())


def _chosen(views: tuple[FaceView, ...], face: int | None) -> tuple[FaceView, tuple[str, ...]]:
    from_left = sorted(views, key=_from_left)
    count = len(views)
    if face is not None:
        if not 1 <= face <= count:
            many = "one face was found" if count == 1 else f"{count} faces were found"
            raise InputError(
                "bad_face", f"there is no face number {face}: {many}", hint="faces are counted from the left, from 1"
            )
        return from_left[face - 1], ()
    if count == 1:
        return views[0], ()
    number = next(i for i, v in enumerate(from_left, 1) if v is views[0])
    told = f"{count} faces found: number {number} from the left, the largest, is used"
    return views[0], (f"{told}; --face N (face=N) picks another",)


def _same(a: FaceView, b: FaceView) -> bool:
    gap = a.mesh[:468, :2].mean(axis=0) - b.mesh[:468, :2].mean(axis=0)
    return bool(np.hypot(*gap) < max(a.inter_ocular, b.inter_ocular))


def _off(a: Affine, b: Affine) -> float:
    """How far the input's corners move from one crop to the other, over its side."""
    corners = np.array([[0.0, 0.0], [SIDE, 0.0], [0.0, SIDE], [SIDE, SIDE]])
    gap = a.apply(b.inverse().apply(corners)) - corners
    return float(np.hypot(gap[:, 0], gap[:, 1]).max() / SIDE)


def _softmax(logits: AnyArray) -> F32:
    e = np.exp(logits - logits.max(axis=0))
    return np.asarray(e / e.sum(axis=0), np.float32)
