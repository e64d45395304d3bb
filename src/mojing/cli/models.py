"""`mojing models`."""

from __future__ import annotations

import typer

from mojing.cli.console import say
from mojing.core.errors import ModelError
from mojing.runtime import ModelStore


def list_models() -> None:
    """One line a model: id, size, licence, data sets."""
    store = ModelStore()
    specs = store.list()
    if not specs:
        raise ModelError("model_missing", f"there are no models in {store.folder}", "reinstall mojing")
    for spec in specs:
        size = spec.path.stat().st_size / 1e6 if spec.path.is_file() else 0.0
        sets = ", ".join(str(item.get("name", item)) if isinstance(item, dict) else str(item) for item in spec.datasets)
        say(f"{spec.id:<24} {size:6.1f} MB  {spec.licence:<12} {sets}")


def verify_models() -> None:
    """One line a model, `ok` or what is wrong; exit code 1 when anything is."""
    store = ModelStore()
    checks = store.verify()
    if not checks:
        raise ModelError("model_missing", f"there are no models in {store.folder}", "reinstall mojing")
    for check in checks:
        say(f"{check.name:<16} {check.megabytes:6.1f} MB  {check.problem or 'ok'}")
    if any(check.problem for check in checks):
        raise typer.Exit(1)
