"""Named directions in the space of styles, found by regression from styles to attributes, and edits along them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mojing.core.arrays import F32, F64, U8, AnyArray, readonly
from mojing.core.color import rgb_to_lab
from mojing.core.errors import InputError, ModelError
from mojing.studio.attributes import ATTRIBUTES, Reader
from mojing.studio.generate import CATEGORY, SLEEVELESS, Design, Designer
from mojing.studio.invert import compared
from mojing.studio.kinds import LADDERS, KindReader
from mojing.studio.latent import Pca, layer_rows, principal, sample_styles
from mojing.studio.shapes import between_kinds, in_other_shapes
from mojing.studio.steps import Eyes, Tried, least_change

FILE = "design-directions.npz"
EDITS = (*ATTRIBUTES, "hue", "color")
"""What can be asked for: attributes in their own spread over designs of a kind, hue in degrees, color by name."""

TRIES: F32 = np.array([0.5, 0.75, 1.0, 1.5, 2.0, 3.0], np.float32)
"""Lengths of step tried, relative to what the linear model asks for; the picture answers less than linearly."""

SHAPE = frozenset(("sleeve", "length", "neckline"))
"""Attributes of the outline."""

_COLOUR = ("lightness", "red", "yellow")
_REST, _LOOK, _KIND, _KIND_IN_COLOURS = 0.05, 20.0, 0.5, 3.0
"""What a change of the other attributes (squares of spreads), of the picture (mean square of opacity and colour on
white, 0..1) and of its likeness to kinds (squares of standard deviations) weighs beside the miss (squares of spreads):
a garment whose look changes much is read as another kind, for which another colour is no reason at all."""
_RIDGE = 0.05


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions of the attributes.

    Attributes:
        names: attribute of each row.
        vectors: (A, L, W) float32; a step of 1 changes the attribute by about one `spread`.
        spread: (A,) float32, standard deviation of the attribute among designs of one kind; of sleeves, among all.
        fit: (A,) float32, share of that variance which the linear model explains on designs it was not fitted to.
        layers: which layers each moves.
    """

    names: tuple[str, ...]
    vectors: F32
    spread: F32
    fit: F32
    layers: tuple[str, ...]

    def __post_init__(self) -> None:
        assert self.vectors.ndim == 3 and len(self.vectors) == len(self.names) == len(self.spread) == len(self.layers)
        object.__setattr__(self, "vectors", readonly(self.vectors))

    def save(self, path: Path) -> Path:
        """Write to an .npz file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            path,
            names=np.array(self.names),
            vectors=self.vectors,
            spread=self.spread,
            fit=self.fit,
            layers=np.array(self.layers),
        )
        return path

    @classmethod
    def load(cls, path: Path) -> Directions:
        """Read what `save` wrote.

        Raises:
            ModelError: model_missing, model_corrupt.
        """
        if not path.is_file():
            raise ModelError("model_missing", f"there is no {path.name}", hint="run `mojing design directions` first")
        try:
            with np.load(path, allow_pickle=False) as f:
                names, layers = tuple(map(str, f["names"])), tuple(map(str, f["layers"]))
                return cls(names, f["vectors"], f["spread"], f["fit"], layers)
        except (OSError, ValueError, KeyError) as exc:
            raise ModelError("model_corrupt", f"{path.name} cannot be read: {exc}") from exc


def find_directions(
    designer: Designer, reader: Reader, *, n: int = 1000, seed: int = 0, names: Sequence[str] = ATTRIBUTES
) -> Directions:
    """Find the directions of attributes in a generator.

    `n` random designs of all kinds are drawn and read. Within each kind (kind means taken out of both sides) the
    attributes are regressed on the whitened principal coordinates of the styles by ridge regression; each direction is
    then made orthogonal to those of the other attributes (conditional manipulation, Shen et al. 2020, section 3.3) and
    to the differences between kinds, so that an edit keeps the rest. Last, the layers are chosen in which the direction
    changes its own attribute most and the others least.
    """
    styles, kinds = sample_styles(designer, n=n, seed=seed)
    values = np.asarray(reader(designer.render(styles)), np.float64)
    basis = principal(styles[:, 0])
    x = basis.coordinates(styles[:, 0]).astype(np.float64)
    means = {k: _rows(kinds, k) for k in dict.fromkeys(kinds)}
    centres = np.stack([x[rows].mean(axis=0) for rows in means.values()])
    for column, name in enumerate(names):
        if name in ("sleeve", "neckline"):
            values[[CATEGORY.get(kind) in SLEEVELESS for kind in kinds], column] = np.nan
    over_all = np.nanstd(values, axis=0)
    for rows in means.values():
        x[rows] -= x[rows].mean(axis=0)
        values[rows] -= values[rows].mean(axis=0)
    spread = np.maximum(np.nanstd(values, axis=0), 1e-6)
    if "sleeve" in names:  # kinds differ by it alone: what is usual within one is next to nothing
        spread[names.index("sleeve")] = max(over_all[names.index("sleeve")], 1e-6)
    values = np.nan_to_num(values)  # no sleeve to be told of is the average one
    slopes, fit = _regress(x, values / spread)
    kind_plane = _orthonormal(centres - centres.mean(axis=0))
    steps = np.stack([_clean(slopes, i, kind_plane) for i in range(len(slopes))])
    rows_w = (steps * basis.sigma) @ basis.components
    vectors = np.repeat(rows_w[:, None], designer.layers, axis=1).astype(np.float32)
    chosen = _choose_layers(designer, reader, styles[: min(12, n)], vectors=vectors, spread=spread)
    for i, group in enumerate(chosen):
        keep = np.zeros(designer.layers, bool)
        keep[layer_rows(group, designer.layers)] = True
        vectors[i, ~keep] = 0
    return Directions(tuple(names), vectors, spread.astype(np.float32), fit.astype(np.float32), chosen)


def _rows(kinds: Sequence[str], name: str) -> AnyArray:
    return np.array([i for i, k in enumerate(kinds) if k == name])


def _regress(x: F64, y: F64) -> tuple[F64, F64]:
    """Ridge slopes (A, k) of y (N, A) on x (N, k), and the variance explained on every fourth row left out (A,)."""
    held = np.arange(len(x)) % 4 == 3

    def solve(a: F64, b: F64) -> F64:
        gram = a.T @ a + _RIDGE * len(a) * np.eye(a.shape[1])
        return np.asarray(np.linalg.solve(gram, a.T @ b), np.float64)

    trial = x[held] @ solve(x[~held], y[~held])
    left = ((y[held] - trial) ** 2).mean(axis=0) / np.maximum(y[held].var(axis=0), 1e-9)
    return solve(x, y).T, np.clip(1.0 - left, 0.0, 1.0)


def _orthonormal(rows: F64) -> F64:
    """Orthonormal basis (r, k) of the rows' span."""
    _, values, basis = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(basis[values > 1e-6 * max(float(values[0]), 1e-12)], np.float64)


def _clean(slopes: F64, index: int, kinds: F64) -> F64:
    """Step (k,) that changes attribute `index` by one and, to first order, no other and not the kind.

    Where cleaning would leave less than a fifth of the slope, the attribute cannot be had alone: only the kind is kept.
    """
    own = slopes[index]
    for rows in (np.concatenate([np.delete(slopes, index, axis=0), kinds]), kinds, np.zeros((0, len(own)))):
        basis = _orthonormal(rows) if len(rows) else rows
        step = own - basis.T @ (basis @ own)
        if np.linalg.norm(step) > 0.2 * np.linalg.norm(own):
            break
    return np.asarray(step / max(float(step @ own), 1e-9), np.float64)


def _choose_layers(
    designer: Designer, reader: Reader, styles: F32, *, vectors: F32, spread: AnyArray
) -> tuple[str, ...]:
    """Per direction the group of layers whose move changes the own attribute most against the root mean of others."""
    chosen = []
    before = reader(designer.render(styles))
    for i, vector in enumerate(vectors):
        best = (-np.inf, "all")
        for group in ("all", "coarse", "middle", "fine"):
            part = np.zeros_like(vector)
            rows = layer_rows(group, designer.layers)
            part[rows] = vector[rows]
            change = (reader(designer.render(styles + 1.5 * part)) - before) / spread
            own = float(change[:, i].mean())
            others = float(np.sqrt((np.delete(change, i, axis=1) ** 2).mean()))
            # A group that hardly moves anything is not chosen for being clean.
            best = max(best, (own / (others + 0.3), group))
        chosen.append(best[1])
    return tuple(chosen)


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited design, and what was asked and reached, attribute -> (asked, reached), in spreads."""

    design: Design
    changes: dict[str, tuple[float, float]]


def edit(
    designer: Designer,
    design: Design,
    wishes: Mapping[str, float | Sequence[int]],
    *,
    known: Directions,
    reader: Reader,
    kinds: KindReader | None = None,
) -> Edited:
    """Change attributes of a design.

    Args:
        designer: the generator.
        design: what is changed; its kind stays.
        wishes: attribute -> change in spreads (+1 is clearly more, -1 clearly less); `hue` -> degrees to turn by;
            `color` -> RGB wanted.
        known: the directions.
        reader: reads attributes off pictures. Of designs on the way that changes the picture least, of steps of several
            lengths along the directions and, where the outline is to change, of other designs' shapes and those
            between kinds, the one is taken in which it sees best what was asked for, and which changes least besides.
        kinds: tells what else a change costs: likeness to another kind, if that differs by more than what is asked.

    Raises:
        InputError: bad_design, for an attribute that has no direction.
    """
    asked = _asked(wishes, reader(design.rgba[None])[0], known)
    if not asked:
        return Edited(design, {})
    first = next((name for name in asked if name in LADDERS), "")
    likeness = None if kinds is None else partial(kinds.likeness, own=design.kind, attribute=first)
    weight = _KIND if any(name in SHAPE for name in asked) else _KIND_IN_COLOURS
    eyes = Eyes(designer, reader, known.spread, partial(impression, likeness=likeness, weight=weight))
    start = eyes.at(design.styles[None], design.rgba[None])
    rows = [known.names.index(name) for name in asked]
    amounts = np.array(list(asked.values()), np.float32)
    far = design.styles + TRIES[:, None, None] * np.tensordot(amounts, known.vectors[rows], axes=1)
    tried = _tried(eyes, design, start, asked=asked, rows=rows, far=far)
    best = tried.row(int(_costs(tried, start, rows=rows, amounts=amounts).argmin()))
    edits = {**design.controls.get("edits", {})}
    for name in asked:
        edits[name] = round(float(edits.get(name, 0.0) + asked[name]), 4)
    controls = design.controls | {"edits": edits}
    made = replace(design, rgba=best.rgba[0], styles=best.styles[0], controls=controls)
    seen = (best.read - start.read)[0]
    return Edited(made, {name: (asked[name], float(seen[row])) for name, row in zip(asked, rows, strict=True)})


def impression(rgba: U8, *, likeness: Callable[[U8], F32] | None, weight: float = _KIND) -> F32:
    """Pictures (N, S, S, 4) as vectors (N, D) whose squared distance is what a change of the picture costs in an edit:
    of look, and of its likeness to kinds (N, K), weighed so, where they are read."""
    look = compared(rgba)
    look *= np.float32(np.sqrt(_LOOK / look.shape[1]))
    return look if likeness is None else np.concatenate([look, np.float32(np.sqrt(weight)) * likeness(rgba)], axis=1)


def _tried(eyes: Eyes, design: Design, start: Tried, *, asked: Mapping[str, float], rows: list[int], far: F32) -> Tried:
    """Designs that may show what was asked for, attributes `rows`; `far` are styles along the directions."""
    shape = any(name in SHAPE for name in asked)
    ways = [between_kinds(eyes.designer, design, name, more=more > 0) for name, more in asked.items()]
    shapes = eyes(np.concatenate([in_other_shapes(eyes.designer, design), *ways])) if shape else start
    if list(asked) == ["sleeve"] and len(ways[0]):
        return Tried.joined([start, shapes])  # whatever else reads as other sleeves is seldom a garment
    groups = ("coarse", "middle") if shape else ("middle", "fine")
    goal = start.read[0, rows] + np.array(list(asked.values()), np.float32)
    near = least_change(eyes, start, kind=design.kind, rows=rows, goal=goal, groups=groups)
    return Tried.joined([near, eyes(far), shapes])


def _costs(tried: Tried, start: Tried, *, rows: list[int], amounts: F32) -> F32:
    """What speaks against each design (M,): what it misses, and what it changes besides."""
    seen = tried.read - start.read
    miss = ((seen[:, rows] - amounts) ** 2).sum(axis=1)
    rest = (np.delete(seen, rows, axis=1) ** 2).sum(axis=1)
    return np.asarray(miss + _REST * rest + ((tried.impression - start.impression) ** 2).sum(axis=1), np.float32)


def _asked(wishes: Mapping[str, float | Sequence[int]], now: F32, known: Directions) -> dict[str, float]:
    """Wishes as changes in spreads; hue and color become changes of lightness, red and yellow."""
    out: dict[str, float] = {}
    place = {name: i for i, name in enumerate(ATTRIBUTES)}
    for name, value in wishes.items():
        if name in ("hue", "color"):
            lab = now[[place[n] for n in _COLOUR]].astype(np.float64)
            want = _turned(lab, float(value)) if isinstance(value, int | float) else _lab(value)
            for part, change in zip(_COLOUR, want - lab, strict=True):
                row = known.names.index(part)
                out[part] = out.get(part, 0.0) + float(change) / float(known.spread[row])
        elif name in known.names and isinstance(value, int | float):
            out[name] = out.get(name, 0.0) + float(value)
        else:
            raise InputError("bad_design", f"{name} cannot be edited so", hint=f"edit one of {', '.join(EDITS)}")
    return {name: value for name, value in out.items() if abs(value) > 1e-6}


def _turned(lab: F64, degrees: float) -> F64:
    """Lab (3,) with its hue turned; grey is given a little chroma first, or there is no hue to turn."""
    chroma = max(float(np.hypot(lab[1], lab[2])), 20.0)
    angle = float(np.arctan2(lab[2], lab[1])) + np.deg2rad(degrees)
    return np.array([lab[0], chroma * np.cos(angle), chroma * np.sin(angle)])


def _lab(rgb: Sequence[int]) -> F64:
    return np.asarray(rgb_to_lab(np.array(list(rgb), np.uint8)), np.float64)


def unsupervised(designer: Designer, *, n: int = 1000, seed: int = 0) -> Pca:
    """GANSpace: principal components of the styles of `n` random designs of all kinds."""
    styles, _ = sample_styles(designer, n=n, seed=seed)
    return principal(styles[:, 0])
