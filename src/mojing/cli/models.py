"""`mojing models`."""

from __future__ import annotations

from pathlib import Path

import typer

from mojing.cli.console import say
from mojing.core.errors import ModelError
from mojing.runtime import ModelStore


def list_models(folder: Path | None = None) -> None:
    """One line a model of `folder`, by default the shipped ones: id, size, licence, data sets."""
    store = ModelStore(folder)
    specs = store.list()
    if not specs:
        raise ModelError("model_missing", f"there are no models in {store.folder}", "reinstall mojing")
    for spec in specs:
        size = spec.path.stat().st_size / 1e6 if spec.path.is_file() else 0.0
        sets = ", ".join(str(item.get("name", item)) if isinstance(item, dict) else str(item) for item in spec.datasets)
        say(f"{spec.id:<24} {size:6.1f} MB  {spec.licence:<12} {sets}")


def verify_models(folder: Path | None = None) -> None:
    """One line a model of `folder` (by default the shipped ones): `ok` or what is wrong, and then exit code 1."""
    store = ModelStore(folder)
    checks = store.verify()
    if not checks:
        raise ModelError("model_missing", f"there are no models in {store.folder}", "reinstall mojing")
    for check in checks:
        say(f"{check.name:<16} {check.megabytes:6.1f} MB  {check.problem or 'ok'}")
    if any(check.problem for check in checks):
        raise typer.Exit(1)
