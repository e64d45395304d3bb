"""New garments from the generator.

It is two graphs, `design-mapping` (latent, kind, colour -> styles) and `design` (styles -> picture): styles can be
edited in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.errors import InputError, ModelError
from mojing.core.progress import report
from mojing.runtime.session import Session
from mojing.runtime.spec import ModelSpec, TensorSpec
from mojing.runtime.store import ModelStore
from mojing.studio.colours import from_condition, to_condition

CATEGORY: dict[str, str] = {
    "t-shirt": "top",
    "longsleeve": "top",
    "shirt": "top",
    "blouse": "top",
    "polo": "top",
    "undershirt": "top",
    "top": "top",
    "body": "top",
    "hoodie": "top",
    "outwear": "outer",
    "blazer": "outer",
    "outer": "outer",
    "dress": "dress",
    "skirt": "skirt",
    "pants": "trousers",
    "shorts": "trousers",
    "trousers": "trousers",
}
"""Kind of a design -> category of the try-on; hats and shoes are not put on."""

SLEEVELESS = ("skirt", "trousers")
"""Categories that have neither sleeves nor necklines."""

ALIASES = {
    "tee": "t-shirt",
    "tshirt": "t-shirt",
    "jacket": "outwear",
    "coat": "outwear",
    "trousers": "pants",
    "outer": "outwear",
}

COLOUR_SPREAD: F32 = np.array([0.45, 0.16, 0.18], np.float32)
"""Spread of colour conditions drawn where neither a colour is asked for nor training colours are stored."""

_MEAN_SEED, _MEAN_COUNT = 20_240_501, 512


@dataclass(frozen=True, eq=False)
class Design:
    """One design.

    Attributes:
        rgba: (S, S, 4) uint8, straight alpha, clear outside the garment.
        styles: (L, W) float32, what the picture was made from.
        kind: one of the generator's kinds.
        seed: the seed it was drawn with, and index: its place in that draw.
        colour: the colour asked for or drawn, RGB.
        controls: what was asked for beyond: truncation, edits, parents.
    """

    rgba: U8
    styles: F32 = field(repr=False)
    kind: str
    seed: int = 0
    index: int = 0
    colour: tuple[int, int, int] | None = None
    controls: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.rgba.ndim == 3 and self.rgba.shape[2] == 4 and self.rgba.dtype == np.uint8
        assert self.styles.ndim == 2
        object.__setattr__(self, "rgba", readonly(self.rgba))
        object.__setattr__(self, "styles", readonly(self.styles))

    def on_white(self) -> U8:
        """The design on white: uint8 (S, S, 3)."""
        return flatten(self.rgba)


def flatten(rgba: U8, background: int = 255) -> U8:
    """RGBA uint8 (..., 4) on a plain grey level: uint8 (..., 3)."""
    a = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * a + np.uint16(background) * (255 - a) + 127) // 255).astype(np.uint8)


class Designer:
    """The generator; raises ModelError model_missing where its files are not installed."""

    def __init__(self, store: ModelStore, *, threads: int = 2, batch: int = 16) -> None:
        self.store = store
        self.mapping = Session(store.spec("design-mapping"), threads=threads)
        self.synthesis = Session(store.spec("design"), threads=threads)
        spec = self.mapping.spec
        self.kinds = spec.labels or self.synthesis.spec.labels
        self.latent = _size(spec, "z", axis=1)
        self.layers = _size(self.synthesis.spec, "styles", axis=1)
        self.width = _size(self.synthesis.spec, "styles", axis=2)
        self.batch = batch
        self._means: dict[str, F32] = {}
        if not self.kinds:
            raise ModelError("model_mismatch", "the description of design-mapping lists no kinds under labels")

    @property
    def id(self) -> str:
        """Which weights make the designs."""
        return self.synthesis.spec.id

    def kind(self, name: str) -> str:
        """The generator's own name of a kind.

        Raises:
            InputError: bad_category.
        """
        word = name.strip().lower()
        for candidate in (word, ALIASES.get(word, word)):
            if candidate in self.kinds:
                return candidate
        raise InputError("bad_category", f"no {name} can be designed", hint=f"use one of {', '.join(self.kinds)}")

    def styles(self, z: F32, *, kind: str, colours: F32) -> F32:
        """Styles (N, L, W) of latents (N, Z) of one kind; `colours` (N, 3) as `colours.to_condition` gives them."""
        feeds: dict[str, AnyArray] = {"z": np.asarray(z, np.float32)}
        for tensor in self.mapping.spec.inputs:
            if tensor.name == "kind":
                feeds["kind"] = _kind_input(tensor, self.kinds.index(kind), count=len(z))
            elif tensor.name == "colour":
                feeds["colour"] = np.asarray(colours, np.float32)
        return np.asarray(self.mapping.run(feeds)["styles"], np.float32)

    def render(self, styles: F32) -> U8:
        """Pictures (N, S, S, 4) uint8 of styles (N, L, W)."""
        made = []
        for start in range(0, len(styles), self.batch):
            out = self.synthesis.run({"styles": np.asarray(styles[start : start + self.batch], np.float32)})["rgba"]
            made.append(np.clip(np.rint((out + 1.0) * 127.5), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1))
            report(min(start + self.batch, len(styles)), len(styles), what="designs")
        if not made:
            side = _size(self.synthesis.spec, "rgba", axis=2, outputs=True)
            return np.zeros((0, side, side, 4), np.uint8)
        return np.concatenate(made)

    def mean(self, kind: str, colour: F32 | None = None) -> F32:
        """Mean styles (L, W) of a kind over many latents: the centre of truncation. `colour` (3,) holds it fixed."""
        key = kind if colour is None else f"{kind}:{np.asarray(colour, np.float32).round(3).tolist()}"
        if key not in self._means:
            rng = np.random.default_rng(_MEAN_SEED)
            z = rng.standard_normal((_MEAN_COUNT, self.latent), np.float32)
            colours = self.draw_colours(rng, _MEAN_COUNT) if colour is None else np.tile(colour, (_MEAN_COUNT, 1))
            mean = self.styles(z, kind=kind, colours=colours).mean(axis=0)
            self._means[key] = np.asarray(mean, np.float32)
        return self._means[key]

    def draw_colours(self, rng: np.random.Generator, count: int) -> F32:
        """Colour conditions (count, 3): of training garments where the model's description lists some under `colours`
        (rows of three), a little varied; otherwise Gaussian about mid-grey, kept within -1..1."""
        stored = np.asarray(self.mapping.spec.extra.get("colours", ()), np.float32).reshape(-1, 3)
        if len(stored):
            varied = stored[rng.integers(len(stored), size=count)] + rng.normal(0.0, 0.03, (count, 3))
            return np.asarray(np.clip(varied, -1.0, 1.0), np.float32)
        drawn = rng.standard_normal((count, 3)).astype(np.float32) * COLOUR_SPREAD
        return np.asarray(np.clip(drawn, -1.0, 1.0), np.float32)

    def draw(
        self,
        kind: str,
        *,
        n: int,
        seed: int = 0,
        start: int = 0,
        colour: Sequence[int] | None = None,
        truncation: float = 0.85,
    ) -> list[Design]:
        """New designs.

        Args:
            kind: one of `kinds` or an everyday name of one.
            n: how many, and start: the index of the first, so that a draw can be carried on.
            seed: the same seed gives the same designs, other ones for every kind.
            colour: RGB asked for; drawn at random if not given.
            truncation: 0..1, how far designs may lie from the average one; 1 is the generator's full variety.
        """
        kind = self.kind(kind)
        which = self.kinds.index(kind)
        rngs = [np.random.default_rng([seed, index, which]) for index in range(start, start + n)]
        z = (
            np.stack([rng.standard_normal(self.latent, np.float32) for rng in rngs])
            if n
            else np.zeros((0, self.latent))
        )
        drawn = [self.draw_colours(rng, 1)[0] for rng in rngs]
        asked = None if colour is None else to_condition(np.array(colour, np.uint8))
        colours = np.array([d if asked is None else asked for d in drawn], np.float32).reshape(n, 3)
        if n == 0:
            return []
        styles = self.styles(z.astype(np.float32), kind=kind, colours=colours)
        styles = truncate(styles, mean=self.mean(kind, asked), psi=truncation)
        pictures, used = self.render(styles), from_condition(colours)
        return [
            Design(
                rgba=pictures[i],
                styles=styles[i],
                kind=kind,
                seed=seed,
                index=start + i,
                colour=(int(used[i, 0]), int(used[i, 1]), int(used[i, 2])),
                controls={"truncation": truncation} | ({"colour_asked": True} if asked is not None else {}),
            )
            for i in range(n)
        ]

    def again(self, design: Design, styles: F32, *, controls: dict[str, Any] | None = None) -> Design:
        """The design with other styles (L, W) and further controls."""
        rgba = self.render(styles[None])[0]
        return replace(design, rgba=rgba, styles=styles, controls=design.controls | (controls or {}))


def truncate(styles: F32, *, mean: F32, psi: float) -> F32:
    """Styles (N, L, W) drawn towards their mean (L, W): Karras et al. 2019 (StyleGAN), appendix B."""
    return np.asarray(mean + psi * (styles - mean), np.float32)


def _size(spec: ModelSpec, name: str, *, axis: int, outputs: bool = False) -> int:
    for tensor in spec.outputs if outputs else spec.inputs:
        if tensor.name == name and len(tensor.shape) > axis and isinstance(tensor.shape[axis], int):
            return int(tensor.shape[axis])
    raise ModelError("model_mismatch", f"{spec.name} does not say the size of {name}")


def _kind_input(tensor: TensorSpec, index: int, *, count: int) -> AnyArray:
    """`kind` as the model takes it: class numbers (N,), or one-hot rows (N, K)."""
    if len(tensor.shape) == 1:
        return np.full(count, index, np.dtype(tensor.dtype))
    hot = np.zeros((count, int(tensor.shape[1])), np.dtype(tensor.dtype))
    hot[:, index] = 1
    return hot
