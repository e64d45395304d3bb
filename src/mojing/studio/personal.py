"""Designs for one person: ranked and bred by what they like, wish for, and what does not exist yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.color import delta_e_2000, rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.progress import report
from mojing.studio.attributes import ATTRIBUTES, Reader
from mojing.studio.directions import Directions, Edited, edit
from mojing.studio.generate import Design, Designer, flatten
from mojing.studio.kinds import KindReader
from mojing.studio.latent import Pca, principal
from mojing.studio.novelty import Index, Looker, distances

SEASONS: dict[str, dict[str, float]] = {
    "summer": {"sleeve": -1.2, "length": -0.6, "lightness": 0.9, "neckline": 0.5},
    "winter": {"sleeve": 1.2, "length": 0.6, "lightness": -0.9, "neckline": -0.5},
}
"""What becomes of a garment in another season, in spreads of each attribute."""


@dataclass(frozen=True, eq=False)
class Taste:
    """What a person likes, as features (M, F) of liked garments and (D, F) of disliked ones.

    `reach` is the feature distance over which liking fades to 0.88; the median distance of training garments to their
    nearest neighbour does well.
    """

    liked: F32
    disliked: F32
    reach: float

    def __post_init__(self) -> None:
        if len(self.liked) == 0:
            raise InputError("bad_data", "there is no liked garment", hint="give one photo or more of what is liked")
        assert self.reach > 0
        object.__setattr__(self, "liked", readonly(self.liked))
        object.__setattr__(self, "disliked", readonly(self.disliked))

    def score(self, features: F32) -> F32:
        """Liking (N,) of garments with features (N, F): Gaussian in distance, the nearest three liked ones averaged,
        less the nearest disliked one; about -1..1."""
        near = np.sort(distances(features, self.liked), axis=1)[:, :3]
        # Relative to the nearest there is, so that far tastes still rank.
        good = np.exp(-0.5 * (near / (2.0 * self.reach)) ** 2).mean(axis=1)
        bad = np.zeros(len(features), np.float32)
        if len(self.disliked):
            gap = distances(features, self.disliked).min(axis=1)
            bad = np.exp(-0.5 * (gap / (2.0 * self.reach)) ** 2)
        return np.asarray(good - bad, np.float32)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks for beyond their taste.

    Attributes:
        colours: RGB, any of which would do.
        attributes: attribute -> +1 (more than usual) or -1 (less), in spreads of the kind.
    """

    colours: tuple[tuple[int, int, int], ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Judge:
    """Everything that scores a design, put together once.

    Attributes:
        looker: pictures on white -> features.
        reader: designs -> attributes.
        taste: what is liked.
        wishes: what is asked for.
        usual: (A,) mean attributes of the kind and spread: (A,).
        index: training garments, to keep away from; None leaves novelty out.
    """

    looker: Looker
    reader: Reader
    taste: Taste
    wishes: Wishes
    usual: F32
    spread: F32
    index: Index | None = None

    def __call__(self, rgba: U8) -> F32:
        """Scores (N,) of designs (N, S, S, 4); higher is better, about -2..3."""
        features = self.looker(flatten(rgba)).feature
        total = self.taste.score(features).astype(np.float32)
        values = self.reader(rgba)
        for name, amount in self.wishes.attributes.items():
            column = ATTRIBUTES.index(name)
            have = (values[:, column] - self.usual[column]) / self.spread[column]
            total += 0.5 * np.tanh(np.sign(amount) * have / max(abs(amount), 0.25)).astype(np.float32)
        if self.wishes.colours:
            lab = values[:, [ATTRIBUTES.index(n) for n in ("lightness", "red", "yellow")]]
            asked = rgb_to_lab(np.array(self.wishes.colours, np.uint8))
            gap = np.stack([delta_e_2000(lab, colour) for colour in asked]).min(axis=0)
            total += np.exp(-0.5 * (gap / 20.0) ** 2).astype(np.float32)
        if self.index is not None:
            first = distances(features, self.index.features).min(axis=1)
            total -= 2.0 * np.clip(1.0 - first / max(self.index.near, 1e-6), 0.0, 1.0).astype(np.float32)
        return total


def usual_attributes(designer: Designer, reader: Reader, *, kind: str, n: int = 64, seed: int = 5) -> tuple[F32, F32]:
    """Mean and spread (A,) of the attributes of `n` random designs of a kind."""
    designs = designer.draw(kind, n=n, seed=seed, truncation=1.0)
    values = reader(np.stack([d.rgba for d in designs]))
    return values.mean(axis=0), np.maximum(values.std(axis=0), 1e-4)


@dataclass(frozen=True, slots=True)
class Bred:
    """A design made for somebody, its score, and the score of the draw it was bred from."""

    design: Design
    score: float
    first: float


def breed(
    designer: Designer,
    judge: Callable[[U8], F32],
    *,
    kind: str,
    n: int,
    seed: int = 0,
    pool: int = 96,
    generations: int = 6,
    offspring: int = 12,
) -> list[Bred]:
    """`n` designs for a person, best first: the best of a random pool, apart from each other, each bred further.

    Breeding is a separable CMA evolution strategy (Ros and Hansen 2008) over whitened principal coordinates of the
    styles, kept within about two and a half standard deviations, where the generator was trained.
    """
    kind = designer.kind(kind)
    drawn = designer.draw(kind, n=max(pool, n), seed=seed, truncation=0.9)
    styles = np.stack([d.styles for d in drawn])
    scores = judge(np.stack([d.rgba for d in drawn]))
    basis = principal(styles[:, 0], count=32)
    at = basis.coordinates(styles[:, 0])
    out = []
    chosen = _spread_out(scores, at, n=n)
    for done, row in enumerate(chosen):
        rng = np.random.default_rng([seed, 77, int(row)])
        where, score = _evolve(
            designer, judge, basis, start=at[row], first=float(scores[row]), rng=rng, size=(generations, offspring)
        )
        better = np.repeat(basis.style(where)[None], designer.layers, axis=0)
        design = drawn[row]
        if score > float(scores[row]):
            design = designer.again(design, better, controls={"bred": {"generations": generations}})
        out.append(Bred(design, max(score, float(scores[row])), float(scores[row])))
        report(done + 1, n, what="designs bred")
    return sorted(out, key=lambda bred: -bred.score)


def _spread_out(scores: F32, at: F32, *, n: int) -> list[int]:
    """Rows of good designs that are not alike: each next one maximises score plus distance to those chosen."""
    order = [int(scores.argmax())]
    span = max(float(scores.std()), 1e-6)
    while len(order) < min(n, len(scores)):
        gap = np.linalg.norm(at[:, None] - at[order], axis=2).min(axis=1) / np.sqrt(at.shape[1])
        value = scores / span + 0.5 * gap
        value[order] = -np.inf
        order.append(int(value.argmax()))
    return order


def _evolve(
    designer: Designer,
    judge: Callable[[U8], F32],
    basis: Pca,
    *,
    start: F32,
    first: float,
    rng: np.random.Generator,
    size: tuple[int, int],
) -> tuple[F32, float]:
    """Best coordinates (k,) and their score after some generations; never worse than the start."""
    generations, offspring = size
    k, parents = len(start), max(offspring // 2, 1)
    weights = np.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
    weights /= weights.sum()
    mean, sigma, variance = start.astype(np.float64), 0.35, np.ones(k)
    best, best_score = start.astype(np.float64), first
    for _ in range(generations):
        steps = rng.standard_normal((offspring, k)) * np.sqrt(variance)
        tried = np.clip(mean + sigma * steps, -2.5, 2.5)
        styles = np.repeat(basis.style(tried.astype(np.float32))[:, None], designer.layers, axis=1)
        scores = judge(designer.render(styles))
        order = np.argsort(-scores)
        top = order[:parents]
        mean = weights @ tried[top]
        variance = 0.8 * variance + 0.2 * (weights @ (steps[top] ** 2))
        success = float((scores > best_score).mean())
        sigma *= float(np.exp(0.6 * (success - 0.2)))
        if float(scores[order[0]]) > best_score:
            best, best_score = tried[order[0]], float(scores[order[0]])
    return best.astype(np.float32), best_score


def for_season(
    designer: Designer,
    design: Design,
    season: str,
    *,
    known: Directions,
    reader: Reader,
    kinds: KindReader | None = None,
) -> Edited:
    """The summer or winter version of a design.

    Raises:
        InputError: bad_design, for another season.
    """
    if season not in SEASONS:
        raise InputError("bad_design", f"there is no season {season}", hint=f"use one of {', '.join(SEASONS)}")
    return edit(designer, design, SEASONS[season], known=known, reader=reader, kinds=kinds)


def taste_of(
    looker: Looker, liked: Sequence[AnyArray], disliked: Sequence[AnyArray] = (), *, index: Index | None = None
) -> Taste:
    """Taste from pictures of garments on white (S, S, 3) uint8, all of one size."""
    good = looker(np.stack(liked)).feature if liked else np.zeros((0, 1), np.float32)
    bad = looker(np.stack(disliked)).feature if disliked else np.zeros((0, good.shape[1]), np.float32)
    if index is not None:
        reach = float(np.median(index.own))
    else:
        gaps = distances(good, good)[np.triu_indices(len(good), 1)] if len(good) > 1 else np.array([10.0])
        reach = 0.5 * float(np.median(gaps))
    return Taste(good, bad, max(reach, 1e-3))
