"""`mojing train gan`: the options of a command line, laid over those of a recipe or of a YAML file.

A YAML file holds settings by name, with dashes or underscores, and may name the recipe it starts from:

    recipe: modern
    lr-g: 5e-4
    tensorboard: false
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from mojing.core.errors import InputError
from mojing.train.adversarial import game_kind, load_material, train
from mojing.train.games import Game, NoiseGame
from mojing.train.options import parse_options
from mojing.train.settings import RECIPES, Options
from mojing.train.translation import CycleGame, PairedGame


def recipe(name: str, **changes: Any) -> Options:
    """The options of a named recipe, changed as told.

    Raises:
        InputError: bad_options, when there is no such recipe.
    """
    return Options(**{**_values(name), "recipe": name, **changes})


def parse(argv: Sequence[str] | None) -> Options:
    """The options of a command line.

    Raises:
        InputError: bad_options, bad_data (of a YAML file).
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--recipe", default=Options.recipe)
    chosen: str = first.parse_known_args(argv)[0].recipe
    flags: list[str] = []
    base = chosen
    if Path(chosen).suffix in (".yaml", ".yml"):
        settings = read_yaml(Path(chosen))
        base = str(settings.pop("recipe", Options.recipe))
        flags = _flags(settings)
    from_file = parse_options(Options, flags, defaults=_values(base)) if flags else None
    defaults = {f.name: getattr(from_file, f.name) for f in fields(Options)} if from_file else _values(base)
    return _checked(replace(parse_options(Options, argv, defaults=defaults), recipe=base))


def _values(name: str) -> dict[str, Any]:
    if name not in RECIPES:
        raise InputError("bad_options", f"there is no recipe {name!r}", hint=f"choose one of {', '.join(RECIPES)}")
    return RECIPES[name]


def read_yaml(path: Path) -> dict[str, Any]:
    """Settings of a YAML file by field name.

    Raises:
        InputError: not_found, bad_data, bad_options.
    """
    import yaml

    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise InputError("not_found", f"there is no file {path}", "check the path") from exc
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise InputError(
            "bad_data", f"{path.name} cannot be read: {exc}", "settings by name, as in `batch: 32`"
        ) from exc
    if not isinstance(raw, dict):
        raise InputError("bad_data", f"{path.name} holds no settings", "settings by name, as in `batch: 32`")
    settings = {str(key).replace("-", "_"): value for key, value in raw.items()}
    unknown = sorted(settings.keys() - {f.name for f in fields(Options)})
    if unknown:
        raise InputError("bad_options", f"{path.name}: there is no setting {unknown[0]!r}", "see train gan --help")
    return settings


def _flags(settings: dict[str, Any]) -> list[str]:
    """Settings as flags, so that a file is checked as a command line is."""
    flags = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{flag}" if value else f"--no-{flag}")
        elif value is not None:
            flags.append(f"--{flag}={value}")
    return flags


def _checked(options: Options) -> Options:
    """Refuse numbers that make no run.

    Raises:
        InputError: bad_options.
    """
    least = {
        "batch": 1, "d_steps": 1, "penalty_every": 1, "devices": 1, "threads": 1, "latent": 1, "steps": 0, "minutes": 0,
        "lr_g": 0, "lr_d": 0, "size": 0, "limit": 0, "width": 0, "log_every": 0, "samples_every": 0, "metrics_every": 0,
        "metrics_samples": 0, "pool": 0, "clip": 0, "r1": 0, "r2": 0, "gradient_penalty": 0, "seed": 0,
        "instance_noise": 0, "mode_seeking": 0, "save_every": 0,
    }  # fmt: skip
    for name, low in least.items():
        if not getattr(options, name) >= low:
            flag = name.replace("_", "-")
            raise InputError("bad_options", f"--{flag} is {getattr(options, name)}", f"give {low} or more")
    if not 0 <= options.held_out < 1 or not 0 <= options.ema < 1:
        raise InputError("bad_options", "--held-out and --ema are shares", "give numbers from 0 up to, not with, 1")
    _check_effect(options)
    if options.gradient_penalty and options.norm == "batch":
        raise InputError("bad_options", "a gradient penalty has no sense with batch norm", "--norm layer or none")
    return options


_ELSEWHERE: Final[dict[type[Game], tuple[str, ...]]] = {
    NoiseGame: ("l1", "identity", "pool", "data_b"),
    PairedGame: ("identity", "pool", "conditional", "labels", "d_steps", "mode_seeking"),
    CycleGame: ("l1", "conditional", "labels", "d_steps", "mode_seeking"),
}
"""Settings that a game has no use for."""


def _check_effect(options: Options) -> None:
    """Refuse settings that would do nothing, lest somebody believes they did.

    Raises:
        InputError: bad_options.
    """
    game = game_kind(options)
    for name in _ELSEWHERE[game]:
        if getattr(options, name) != getattr(Options, name):
            raise InputError(
                "bad_options",
                f"--{name.replace('_', '-')} does nothing in recipe {options.recipe}",
                hint="leave it out; it is for " + " and ".join(_users(name)),
            )


def _users(name: str) -> list[str]:
    """The recipes that a setting means something to."""
    return [known for known in RECIPES if name not in _ELSEWHERE[game_kind(Options(**RECIPES[known]))]]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the recipe without a command line around it."""
    options = parse(argv)
    train(options, load_material(options))
    return 0
