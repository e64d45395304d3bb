"""`mojing eval gan`: reads the pictures, chooses the extractor, says what was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mojing.cli.console import figures, progress_bar, say, write_json
from mojing.core.arrays import U8, AnyArray
from mojing.core.errors import InputError, MissingExtraError
from mojing.eval import gan
from mojing.runtime.spec import ModelSpec
from mojing.runtime.store import ModelStore
from mojing.train.data.images import Frame, held_out_rows, load_pictures

HELD_OUT = 0.1


@dataclass(frozen=True)
class Judging:
    """What to judge, against what and how."""

    target: Path
    data: Path
    extractor: str
    json_out: Path | None
    count: int
    seed: int
    threads: int
    against: tuple[Path, ...] = ()


def judge(order: Judging) -> None:
    """Measure generated pictures against real ones, and against those of others, and print the figures."""
    names = [path.resolve().name for path in order.against]
    if len(set(names)) < len(names):
        raise InputError("bad_options", f"--against is given {', '.join(names)}", "give each another name")
    extractor = remembering(choose_extractor(order.extractor, threads=order.threads))
    with progress_bar():
        result = _measured(order, extractor)
        others = {
            name: _measured(replace(order, target=path), extractor)
            for name, path in zip(names, order.against, strict=True)
        }
    if others:
        kept = ("training", "size_px", "samples", "generated")
        result["against"] = {name: {key: other[key] for key in kept} for name, other in others.items()}
        result["improvement_percent"] = {
            name: gan.improvement(result["generated"], other["generated"]) for name, other in others.items()
        }
    say(figures(result))
    if order.json_out is not None:
        write_json(order.json_out, result)
        say(str(order.json_out))


def _measured(order: Judging, extractor: gan.Extractor) -> dict[str, Any]:
    """All figures of the target of an order."""
    material = gather(order)
    samples, real = as_rgb(material.samples), as_rgb(material.real)
    found = gan.judge(samples, real, held_out=material.held, extractor=extractor, names=material.names)
    known = {"training": material.training, "size_px": int(samples.shape[1]), "skipped": material.skipped}
    return {**known, **found}


def remembering(extractor: gan.Extractor) -> gan.Extractor:
    """The same, but looking once at pictures that come again, as the real ones do."""
    seen: dict[bytes, gan.Looked] = {}

    def look(images: gan.Pictures) -> gan.Looked:
        stack = np.ascontiguousarray(images)
        key = hashlib.blake2b(repr(stack.shape).encode() + stack.tobytes()).digest()
        if key not in seen:
            seen[key] = extractor.look(images)
        return seen[key]

    return gan.Extractor(extractor.name, look)


def choose_extractor(name: str, *, threads: int) -> gan.Extractor:
    """One of `eval.gan.EXTRACTORS`, or a network given as an ONNX file.

    Raises:
        InputError: bad_options. MissingExtraError: inception without its library. ModelError.
    """
    if name == "ours":
        return gan.ours(ModelStore(), threads=threads)
    if name == "pixels":
        return gan.pixels()
    if name == "inception":
        if find_spec("torch") is None:
            raise MissingExtraError("train", needs="torch")
        from mojing.train.inception import Inception

        network = Inception(threads=threads)
        return gan.Extractor(network.name, lambda images: gan.Looked(*network(images)))
    if name.endswith(".onnx"):
        return gan.from_onnx(Path(name), threads=threads)
    raise InputError(
        "bad_options", f"there is no extractor {name}", f"use one of {', '.join(gan.EXTRACTORS)} or a file NAME.onnx"
    )


@dataclass(frozen=True, eq=False)
class Material:
    """Generated and real pictures, both (N, C, H, W) uint8 of one size, and what is known of the real ones."""

    samples: U8
    real: U8
    held: AnyArray
    names: tuple[str, ...]
    skipped: int
    training: Mapping[str, Any] | None = None
    """what the generator's training took, where it is known"""


def gather(order: Judging) -> Material:
    """Read the pictures of both sides; real ones are brought to the size of those generated.

    A run's own split decides what was held out, or the npz file's, otherwise a tenth by a hash of the pictures.

    Raises:
        InputError: not_found, no_images, too_few, bad_data. MissingExtraError: a run without torch.
    """
    target = order.target
    if (target / "options.json").is_file():
        return _from_run(order)
    training = None
    if target.suffix == ".onnx":
        if target.name == "design.onnx":
            drawn = gan.draw_designs(target.parent, order.count, seed=order.seed, threads=order.threads)
        else:
            drawn = gan.draw(target, order.count, seed=order.seed, threads=order.threads)
        training = ModelSpec.read(target.with_suffix(".json")).extra.get("training")
        samples = np.ascontiguousarray(drawn.transpose(0, 3, 1, 2))
    else:
        samples = load_pictures(target, frame=Frame(channels=3), limit=order.count).pixels
    real = load_pictures(order.data, frame=Frame(size=int(samples.shape[2])))
    return Material(samples, real.pixels, held_out_rows(real, HELD_OUT), real.names, len(real.skipped), training)


def _from_run(order: Judging) -> Material:
    if find_spec("torch") is None or find_spec("lightning") is None:
        raise MissingExtraError("train", needs="torch and lightning")
    from mojing.train.draw import draw

    drawn = draw(order.target, order.count, data=order.data, seed=order.seed)
    real = np.concatenate([drawn.train.pixels, drawn.held.pixels])
    held = np.arange(len(real)) >= len(drawn.train)
    names = (*drawn.train.names, *drawn.held.names)
    return Material(drawn.samples, real, held, names, len(drawn.train.skipped), drawn.training)


def as_rgb(pictures: AnyArray) -> U8:
    """Pictures (N, 1 or 3, H, W) or (N, H, W, 3) uint8 as (N, H, W, 3)."""
    if pictures.shape[-1] != 3:
        pictures = pictures.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(np.broadcast_to(pictures, (*pictures.shape[:3], 3)), np.uint8)
