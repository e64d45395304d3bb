"""What `mojing design` does: reads photos, asks the studio, writes designs; puts studio and try-on together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mojing.cli.console import progress_bar, say, write_json
from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.core.image import Photo, check_suffix, load, save
from mojing.core.progress import track
from mojing.studio.colours import nearest_name, palette_of, parse_colour

if TYPE_CHECKING:
    from mojing.perception.garment import GarmentView
    from mojing.studio.files import Entry, Stored
    from mojing.studio.generate import Design
    from mojing.studio.pipeline import Studio
    from mojing.studio.prints import Cloth, Printed

_EFFORT = ((64, 1, 12, 3, 0), (256, 2, 24, 5, 3), (512, 3, 32, 8, 5))


@dataclass(frozen=True, slots=True)
class Pattern:
    """What `mojing design print` was asked for; `name` is a pattern or a picture's path."""

    name: str
    colours: tuple[str, ...]
    repeat: float
    turn: float
    keep_print: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person that designs are for."""

    liked: tuple[Path, ...]
    disliked: tuple[Path, ...]
    colours: tuple[str, ...]
    wishes: tuple[str, ...]


def generate(
    kind: str,
    out: Path,
    *,
    n: int,
    colour: str | None,
    seed: int,
    truncation: float,
    near: bool,
    size: int | None,
    threads: int,
) -> None:
    """Design garments and write them."""
    from mojing.studio.files import write_designs
    from mojing.studio.pipeline import Studio

    asked = None if colour is None else parse_colour(colour)
    studio = Studio(threads=threads)
    with progress_bar():
        kinds = list(dict.fromkeys(studio.designer.kind(name) for name in kind.split(",")))
        counts = {k: len(range(i, n, len(kinds))) for i, k in enumerate(kinds)}
        drawn = [
            studio.design(k, n=count, seed=seed, colour=asked, truncation=truncation, allow_near=near)
            for k, count in counts.items()
            if count
        ]
    shown, withheld = [e for d in drawn for e in d.shown], [e for d in drawn for e in d.withheld]
    write_designs(out, shown, model=studio.designer.id, size=size, withheld=withheld)
    _tell(shown)
    _tell_withheld(withheld)
    if len(shown) < n:
        say(f"only {len(shown)} of {n} designs were new enough")
    say(f"{out}  ({len(shown)} designs)")


def _tell(entries: Sequence[Entry]) -> None:
    for notice in dict.fromkeys(notice for entry in entries for notice in entry.notices):
        say(f"notice: {notice}")


def _view(photo: Photo, category: str) -> GarmentView:
    from mojing.studio.look import look

    return look(photo, category=category)


def _cloth(photo: Path, out: Path, *, category: str) -> tuple[Photo, Cloth]:
    check_suffix(out)
    _keep_inputs(out, photo)
    loaded = load(photo)
    from mojing.studio.prints import Cloth

    with progress_bar():
        return loaded, Cloth.of(_view(loaded, category))


def _keep_inputs(out: Path, *given: Path) -> None:
    """Refuse to write a result over what it is made from; of a design, over its folder."""
    for path in given:
        if out.resolve() in (path.resolve(), path.resolve().parent):
            raise InputError("unwritable", f"{out} was given as an input", "choose another place for the result")


def _write(loaded: Photo, made: Printed, out: Path, *, cut: bool) -> None:
    """The photo with its new cloth, as transparent as it came; or the garment alone."""
    alpha = made.alpha if cut else loaded.alpha
    save(out, made.image if alpha is None else np.dstack([made.image, alpha]))
    for notice in dict.fromkeys((*loaded.notices, *made.notices)):
        say(f"notice: {notice}")
    changes = [f"{_named(a)} -> {_named(b)}" for a, b in zip(made.before, made.after, strict=True) if a != b]
    say(f"{out}  ({', '.join(changes) or _named(made.before[0])})")


def _named(code: str) -> str:
    return f"{code} {nearest_name(parse_colour(code))}"


def recolour(
    photo: Path, out: Path, *, colours: Sequence[str], palette: Path | None, old: str | None, category: str, cut: bool
) -> None:
    """`mojing design recolour`."""
    from mojing.studio.prints import recolour as dye

    chosen = [parse_colour(c) for c in colours]
    if palette is not None:
        source = load(palette)
        chosen += [(int(r), int(g), int(b)) for r, g, b in palette_of(source.rgb, source.alpha)]
    before = None if old is None else parse_colour(old)
    loaded, cloth = _cloth(photo, out, category=category)
    _write(loaded, dye(cloth, chosen, instead_of=before), out, cut=cut)


def print_on(photo: Path, out: Path, *, asked: Pattern, category: str, cut: bool) -> None:
    """`mojing design print`."""
    from mojing.studio.prints import print_pattern
    from mojing.studio.textiles import PATTERNS, procedural, seamless

    if asked.name in PATTERNS or not Path(asked.name).suffix:
        tile = procedural(asked.name, [parse_colour(c) for c in asked.colours], seed=asked.seed)
    else:
        tile = seamless(load(Path(asked.name)).flat())
    loaded, cloth = _cloth(photo, out, category=category)
    made = print_pattern(cloth, tile, repeat=asked.repeat, turn=asked.turn, keep_print=asked.keep_print)
    _write(loaded, made, out, cut=cut)


def put_logo(
    photos: tuple[Path, Path],
    out: Path,
    *,
    at: str | None,
    width: float | None,
    turn: float,
    knock_out: bool,
    category: str,
    cut: bool,
) -> None:
    """`mojing design logo`; `photos` are the garment's and the logo's."""
    from mojing.studio.prints import knocked_out, place_logo

    _keep_inputs(out, *photos)
    logo = load(photos[1])
    if knock_out:
        logo = knocked_out(logo)
    loaded, cloth = _cloth(photos[0], out, category=category)
    made = place_logo(cloth, logo, at=_place(at), width=width, turn=turn)
    _write(loaded, made, out, cut=cut)


def _place(text: str | None) -> str | tuple[float, float] | None:
    """A place's name, or two numbers `X,Y`."""
    if text is None or "," not in text:
        return text
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as exc:
        raise InputError("bad_place", f"{text} are not two numbers", hint="write --at 0.1,0.4") from exc
    return x, y


def parse_changes(changes: Sequence[str]) -> dict[str, float | tuple[int, int, int]]:
    """`["sleeve=+1", "color=teal"]` as a table.

    Raises:
        InputError: bad_design.
    """
    out: dict[str, float | tuple[int, int, int]] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        name = {"colour": "color"}.get(name.strip(), name.strip())
        try:
            if not equals:
                raise ValueError
            number = None if name == "color" else float(value)
        except ValueError as exc:
            raise InputError("bad_design", f"{change} is no change", hint="write sleeve=+1 or color=teal") from exc
        out[name] = parse_colour(value) if number is None else number
    return out


@dataclass(frozen=True, slots=True)
class Saving:
    """How designs are written: at which side in px, and whether those too near to a training garment are too."""

    size: int | None = None
    near: bool = False


def _save_all(
    studio: Studio,
    designs: Sequence[Design],
    out: Path,
    *,
    how: Saving,
    given: int = 0,
    extra: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write designs; the first `given` are the user's own and stay whatever they are near to.

    Raises:
        InputError: too_near, when none of the others may be shown; unwritable.
    """
    from mojing.studio.files import write_designs

    entries = studio.entries(designs, extra=extra)
    near = [e.novelty is not None and e.novelty.too_near and not how.near for e in entries]
    shown = [e for i, e in enumerate(entries) if i < given or not near[i]]
    withheld = [e for i, e in enumerate(entries) if i >= given and near[i]]
    if withheld and len(shown) == given:
        raise InputError(
            "too_near",
            "what came out is too near to a training garment",
            hint="ask for another change, or --allow-near",
        )
    write_designs(out, shown, model=studio.designer.id, size=how.size, withheld=withheld)
    _tell(shown)
    _tell_withheld(withheld)
    say(f"{out}  ({len(shown)} designs)")


def _tell_withheld(entries: Sequence[Entry]) -> None:
    if entries:
        say(f"{len(entries)} designs were withheld: too near to a training garment (--allow-near shows them)")


def _one(path: Path) -> Stored:
    from mojing.studio.files import read_designs

    return read_designs(path)[0]


def edit(source: Path, out: Path, *, changes: Sequence[str], known: Path | None, how: Saving) -> None:
    """`mojing design edit`: writes the design before and after."""
    from mojing.studio.pipeline import Studio

    wishes = parse_changes(changes)
    _keep_inputs(out, source)
    stored = _one(source)
    studio = Studio(known=known)
    with progress_bar():
        made = studio.edit(stored.design, wishes)
        _save_all(studio, [stored.design, made.design], out, how=how, given=1)
    _changes(made.changes)


def _changes(changes: Mapping[str, tuple[float, float]]) -> None:
    for name, (asked, reached) in changes.items():
        say(f"{name:<10} asked {asked:+.2f}  reached {reached:+.2f} spreads")


def mix(shape: Path, colour: Path, out: Path, *, crossover: int | None, how: Saving) -> None:
    """`mojing design mix`: both parents, then the mixture."""
    from mojing.studio.pipeline import Studio

    _keep_inputs(out, shape, colour)
    a, b = _one(shape).design, _one(colour).design
    studio = Studio()
    _save_all(studio, [a, b, studio.mixed(a, b, crossover=crossover)], out, how=how, given=2)


def between(first: Path, second: Path, out: Path, *, steps: int, how: Saving) -> None:
    """`mojing design interpolate`."""
    from mojing.studio.pipeline import Studio

    _keep_inputs(out, first, second)
    a, b = _one(first).design, _one(second).design
    studio = Studio()
    _save_all(studio, studio.between(a, b, steps=steps), out, how=how)


def invert(photo: Path, out: Path, *, kind: str, seed: int, effort: int, category: str, size: int | None) -> None:
    """`mojing design invert`."""
    from mojing.studio.invert import Budget
    from mojing.studio.pipeline import Studio

    loaded = load(photo)
    studio = Studio()
    budget = Budget(*_EFFORT[0 if effort < 3 else 1 if effort < 6 else 2])
    with progress_bar():
        found = studio.invert(_view(loaded, category), kind=kind, seed=seed, budget=budget)
        error = [{"inversion_error": round(found.error, 4)}]
        _save_all(studio, [found.design], out, how=Saving(size), given=1, extra=error)
    say(f"difference {found.error:.3f} (best of the random designs {found.start:.3f}), {found.renders} pictures tried")


def season(source: Path, out: Path, *, to: str, known: Path | None, how: Saving) -> None:
    """`mojing design season`: the design, then its versions."""
    from mojing.studio.pipeline import Studio

    _keep_inputs(out, source)
    stored = _one(source)
    studio = Studio(known=known)
    names = ["summer", "winter"] if to == "both" else [to]
    made = [studio.season(stored.design, name) for name in names]
    labels = [{"season": name} for name in ("as it was", *names)]
    _save_all(studio, [stored.design, *[m.design for m in made]], out, how=how, given=1, extra=labels)
    for name, version in zip(names, made, strict=True):
        say(name)
        _changes(version.changes)


def personal(person: Person, out: Path, *, kind: str, n: int, seed: int, how: Saving) -> None:
    """`mojing design like`."""
    from mojing.studio.attributes import ATTRIBUTES
    from mojing.studio.personal import Wishes
    from mojing.studio.pipeline import Studio, on_white

    wishes = {k: v for k, v in parse_changes(person.wishes).items() if isinstance(v, float)}
    unknown = set(wishes) - set(ATTRIBUTES)
    if unknown:
        raise InputError("bad_design", f"{min(unknown)} cannot be wished for", hint=f"wish for {', '.join(ATTRIBUTES)}")
    colours = tuple(parse_colour(c) for c in person.colours)
    studio = Studio()
    with progress_bar():
        liked = [on_white(_view(load(p), "auto"), 128) for p in track(person.liked, "liked garments")]
        disliked = [on_white(_view(load(p), "auto"), 128) for p in person.disliked]
        found = studio.personal(kind, liked=liked, disliked=disliked, wishes=Wishes(colours, wishes), n=n, seed=seed)
        extra = [{"score": round(b.score, 4), "score_before_breeding": round(b.first, 4)} for b in found]
        _save_all(studio, [b.design for b in found], out, how=how, extra=extra)


def find(out: Path, *, method: str, n: int, count: int, kind: str, seed: int) -> None:
    """`mojing design directions`."""
    from mojing.studio.directions import find_directions
    from mojing.studio.pipeline import Studio

    studio = Studio()
    if method != "attributes":
        _show_unlabelled(studio, out, method=method, n=n, count=count, kind=kind, seed=seed)
        return
    with progress_bar():
        found = find_directions(studio.designer, studio.reader, n=n, seed=seed)
    found.save(out)
    for name, fit, layers in zip(found.names, found.fit, found.layers, strict=True):
        say(f"{name:<10} explains {fit:6.1%} of the variance within a kind; moves {layers} layers")
    say(str(out))


def check(*, n: int, json_out: Path | None, known: Path | None, seed: int) -> None:
    """`mojing design check`."""
    from mojing.studio.assess import assess, judge_of
    from mojing.studio.pipeline import Studio

    studio = Studio(known=known)
    with progress_bar():
        found = assess(
            studio.designer,
            studio.directions,
            garments=studio.garments,
            kind_of=None if studio.features is None else judge_of(studio.features),
            reader=studio.reader,
            kinds=studio.kinds,
            n=n,
            seed=seed,
        )
    for name, verdict in found.items():
        kept = "unknown" if verdict.kind_kept is None else f"{verdict.kind_kept:6.1%}"
        exactly = "unknown" if verdict.kind_kept_exactly is None else f"{verdict.kind_kept_exactly:6.1%}"
        changed = "unknown" if verdict.changed is None else f"{verdict.changed:6.1%}"
        say(f"{name:<10} changed as asked {changed}  kind kept {kept} (exactly {exactly})  of {verdict.tried}")
    if json_out is not None:
        write_json(json_out, {name: asdict(verdict) for name, verdict in found.items()})


def _show_unlabelled(studio: Studio, out: Path, *, method: str, n: int, count: int, kind: str, seed: int) -> None:
    """One sheet: a row for each direction, the design moved from -3 to +3 standard deviations along it."""
    from mojing.studio.directions import unsupervised
    from mojing.studio.generate import flatten
    from mojing.studio.latent import read_weights, sefa

    basis = unsupervised(studio.designer, n=n, seed=seed)
    if method == "ganspace":
        axes, span = basis.components[:count], basis.sigma[:count]
    else:
        axes, _ = sefa(read_weights(studio.store.folder), count=count)
        span = np.full(len(axes), float(np.sqrt((basis.sigma**2).sum() / len(basis.sigma))), np.float32)
    styles = studio.designer.draw(kind, n=1, seed=seed)[0].styles
    steps = np.linspace(-3, 3, 7, dtype=np.float32)
    rows = []
    for axis, size in zip(axes, span, strict=True):
        moved = styles[None] + steps[:, None, None] * size * axis[None, None]
        rows.append(np.hstack(list(flatten(studio.designer.render(moved)))))
    save(out / f"{method}.png", np.vstack(rows))
    say(str(out / f"{method}.png"))


def wear(designs: Path, people: Sequence[Path], out: Path, *, limit: int, gan: bool, threads: int) -> None:
    """`mojing design wear`: the first row shows the designs, the first column the people."""
    from mojing.cli.examples import cell, tried, words
    from mojing.studio.files import crisp, read_designs
    from mojing.studio.generate import flatten
    from mojing.studio.pipeline import LOOK_SIDE
    from mojing.tryon.pipeline import TryOn

    check_suffix(out)
    stored = read_designs(designs)[:limit]
    photos = [load(path) for path in people]
    made, blank = 0, np.full((64, 64, 3), 255, np.uint8)
    rows = [np.hstack([cell(blank), *(cell(flatten(s.design.rgba)) for s in stored)])]
    with progress_bar():
        mirror = TryOn(threads=threads, gan=gan)
        garments = [tried(partial(_wearable, mirror, s, crisp(s.design.rgba, LOOK_SIDE))) for s in stored]
        for photo, path in zip(photos, track(people, "people"), strict=True):
            person = tried(partial(mirror.look, photo))
            cells = [cell(photo.flat())]
            for garment, item in zip(garments, stored, strict=True):
                result = _worn(mirror, person, garment)
                made += not isinstance(result, InputError)
                if isinstance(result, InputError):
                    say(f"{path.name} + {item.path.name}: {result.code}: {result}")
                cells.append(words(result.code) if isinstance(result, InputError) else cell(result))
            rows.append(np.hstack(cells))
    save(out, np.vstack(rows))
    say(f"{made} of {len(stored) * len(photos)} pictures made; the sheet is {out}")


def _wearable(mirror: Any, item: Stored, rgba: U8) -> Any:
    """A design as the try-on takes it: its cut-out and the anchors of its record."""
    if item.row.get("category") is None:
        raise InputError("bad_category", f"a {item.design.kind} cannot be tried on", hint="design a garment")
    scale = rgba.shape[0] / float(item.row["size"][0])
    anchors = {}
    for name, at in item.row["anchors"].items():
        anchors[name] = None if at is None else [(at[0] + 0.5) * scale - 0.5, (at[1] + 0.5) * scale - 0.5, *at[2:]]
    photo = Photo(np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3]))
    return mirror.garment(photo, category=item.row["category"], anchors=anchors or None)


def _worn(mirror: Any, person: Any, garment: Any) -> U8 | InputError:
    from mojing.cli.examples import tried

    for failed in (person, garment):
        if isinstance(failed, InputError):
            return failed
    result = tried(partial(mirror, person, garment))
    return result if isinstance(result, InputError) else np.asarray(result.image)
