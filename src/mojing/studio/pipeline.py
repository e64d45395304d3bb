"""The studio: generator, features, training index, directions, garment network, each loaded when needed.

studio = Studio()
for entry in studio.design("dress", n=16, colour=(0, 128, 128)).shown: ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.core.skeleton import A
from mojing.perception.export import anchors_json
from mojing.perception.features import Features
from mojing.perception.garment import GarmentNet, GarmentView, outline_anchors
from mojing.runtime.store import ModelStore
from mojing.studio import attributes, directions, kinds, novelty
from mojing.studio.attributes import Reader
from mojing.studio.directions import Directions, Edited
from mojing.studio.files import Entry, crisp
from mojing.studio.generate import CATEGORY, Design, Designer, flatten
from mojing.studio.invert import Budget, Inversion, invert, prepare
from mojing.studio.kinds import KindReader
from mojing.studio.latent import interpolate, mix
from mojing.studio.novelty import Index
from mojing.studio.personal import Bred, Judge, Wishes, breed, for_season, taste_of, usual_attributes

LOOK_SIDE = 512
"""Designs are enlarged to this before the garment network reads their anchors."""

TRY_FACTOR = 3
"""At most this many times as many designs are drawn as are asked for, to replace those withheld."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Designs to show, and those withheld because they are too near to a training garment."""

    shown: tuple[Entry, ...]
    withheld: tuple[Entry, ...]


class Studio:
    """Everything `mojing design` does with the generator.

    Args:
        models: folder of the models; the installed ones by default.
        threads: CPU threads of each network.
        known: file of directions to use instead of the installed one.
    """

    def __init__(self, models: str | Path | None = None, *, threads: int = 2, known: Path | None = None) -> None:
        self.store = ModelStore(models)
        self.threads = threads
        self._known = known

    @cached_property
    def designer(self) -> Designer:
        """The generator."""
        return Designer(self.store, threads=self.threads)

    @cached_property
    def features(self) -> Features | None:
        """The feature network, where it is installed."""
        return Features(self.store, threads=self.threads) if self.store.has("features") else None

    @cached_property
    def index(self) -> Index | None:
        """The training garments, where their index is installed."""
        path = self.store.folder / novelty.FILE
        return Index.load(path) if path.is_file() else None

    @cached_property
    def directions(self) -> Directions:
        """The installed directions, or those of the file given."""
        return Directions.load(self._known or self.store.folder / directions.FILE)

    @cached_property
    def kinds(self) -> KindReader | None:
        """The edit's own eyes for kinds, where they are installed."""
        path = self.store.folder / kinds.FILE
        return KindReader.load(path) if path.is_file() else None

    @cached_property
    def reader(self) -> Reader:
        """What reads attributes off designs."""
        return partial(attributes.read, sleeves=None if self.kinds is None else self.kinds.sleeves)

    @cached_property
    def garments(self) -> GarmentNet | None:
        """The garment network, where it is installed."""
        return GarmentNet(self.store, threads=self.threads) if self.store.has("garment") else None

    def design(
        self,
        kind: str,
        *,
        n: int,
        seed: int = 0,
        colour: Sequence[int] | None = None,
        truncation: float = 0.85,
        allow_near: bool = False,
    ) -> Drawn:
        """`n` new designs; those too near to a training garment are withheld, and others drawn in their place.

        Raises:
            InputError: bad_category; too_near, when hardly any design is new enough.
        """
        shown: list[Entry] = []
        withheld: list[Entry] = []
        start = 0
        while len(shown) < n and start < TRY_FACTOR * n:
            count = min(n - len(shown), TRY_FACTOR * n - start)
            drawn = self.designer.draw(kind, n=count, seed=seed, start=start, colour=colour, truncation=truncation)
            start += count
            for entry in self.entries(drawn):
                near = entry.novelty is not None and entry.novelty.too_near
                (withheld if near and not allow_near else shown).append(entry)
        if not shown:
            raise InputError(
                "too_near",
                f"all {start} designs are too near to a training garment",
                hint="use another --seed, more --truncation, or --allow-near",
            )
        return Drawn(tuple(shown), tuple(withheld))

    def entries(self, designs: Sequence[Design], *, extra: Sequence[Mapping[str, object]] = ()) -> list[Entry]:
        """Designs with their anchors, attributes and novelty."""
        if not designs:
            return []
        verdicts: list[novelty.Novelty | None] = [None] * len(designs)
        unknown: tuple[str, ...] = ()
        if self.features is not None and self.index is not None:
            seen = self.features(np.stack([d.on_white() for d in designs]))
            verdicts = list(self.index.judge(seen.feature))
        else:
            unknown = ("no index of training garments is installed: how new the design is, is not known",)
        out = []
        for i, design in enumerate(designs):
            category = CATEGORY.get(design.kind)
            view, said = self.view(design)
            anchors = {} if view is None else _anchors(view, scale=design.rgba.shape[0] / LOOK_SIDE)
            found = {} if view is None else view.attributes
            more = extra[i] if extra else {}
            notices = (*unknown, *said)
            out.append(Entry(design, category, anchors, found, verdicts[i], notices, more))
        return out

    def view(self, design: Design) -> tuple[GarmentView | None, tuple[str, ...]]:
        """A design as the try-on takes it, LOOK_SIDE px a side, and what is wrong with it, if anything."""
        category = CATEGORY.get(design.kind)
        if category is None:
            return None, (f"a {design.kind} cannot be tried on",)
        large = crisp(design.rgba, LOOK_SIDE)
        photo = Photo(np.ascontiguousarray(large[..., :3]), np.ascontiguousarray(large[..., 3]))
        if self.garments is None:
            anchors = outline_anchors(large[..., 3], category)
            empty = np.zeros_like(large[..., 3])
            flat = photo.flat()
            return GarmentView(photo.hw, flat, large[..., 3], empty, category, {}, anchors, 0.35), ()
        try:
            view = self.garments(photo, category=category)
        except InputError as error:
            return None, (f"the design is no garment that can be tried on: {error}",)
        return view, view.notices

    def edit(self, design: Design, wishes: Mapping[str, float | Sequence[int]]) -> Edited:
        """Change attributes of a design; see `directions.edit`."""
        return directions.edit(
            self.designer, design, wishes, known=self.directions, reader=self.reader, kinds=self.kinds
        )

    def season(self, design: Design, season: str) -> Edited:
        """The summer or winter version of a design."""
        return for_season(self.designer, design, season, known=self.directions, reader=self.reader, kinds=self.kinds)

    def between(self, a: Design, b: Design, *, steps: int) -> list[Design]:
        """Designs on the way from a to b, both included."""
        ways = interpolate(a.styles, b.styles, steps=steps)
        share = np.linspace(0, 1, len(ways)).round(3)
        return [
            self.designer.again(a, w, controls={"towards_second": float(s)}) for w, s in zip(ways, share, strict=True)
        ]

    def mixed(self, shape: Design, colour: Design, *, crossover: int | None = None) -> Design:
        """The shape of one design in the colours and texture of another."""
        styles = mix(shape.styles, colour.styles, crossover=crossover)
        return self.designer.again(shape, styles, controls={"fine_styles_of": [colour.seed, colour.index]})

    def invert(self, view: GarmentView, *, kind: str, seed: int = 0, budget: Budget | None = None) -> Inversion:
        """The design nearest to the garment of a photo."""
        side = self.designer.render(self.designer.mean(self.designer.kind(kind))[None]).shape[1]
        target = prepare(view.rgb, view.alpha, side=side)
        return invert(self.designer, target, kind=kind, seed=seed, budget=budget)

    def personal(
        self, kind: str, *, liked: Sequence[U8], disliked: Sequence[U8] = (), wishes: Wishes, n: int, seed: int = 0
    ) -> list[Bred]:
        """Designs for a person, best first; `liked` and `disliked` are garments on white (S, S, 3).

        Raises:
            ModelError: model_missing, without the feature network.
        """
        looker = self.features or Features(self.store, threads=self.threads)
        kind = self.designer.kind(kind)
        usual, spread = usual_attributes(self.designer, self.reader, kind=kind)
        taste = taste_of(looker, liked, disliked, index=self.index)
        judge = Judge(looker, self.reader, taste, wishes, usual, spread, self.index)
        return breed(self.designer, judge, kind=kind, n=n, seed=seed)


def on_white(view: GarmentView, side: int) -> U8:
    """A photographed garment as designs are looked at: its cut-out on white, (side, side, 3)."""
    return flatten(prepare(view.rgb, view.alpha, side=side))


def _anchors(view: GarmentView, *, scale: float) -> dict[str, list[float] | None]:
    """Anchors in px of the design's own picture."""
    found = anchors_json(view)["anchors"]
    out: dict[str, list[float] | None] = {}
    for name in A:
        at = found.get(name)
        out[name] = None if at is None else [(at[0] + 0.5) * scale - 0.5, (at[1] + 0.5) * scale - 0.5, at[2]]
    return out
