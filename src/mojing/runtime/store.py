"""ModelStore: the folder of NAME.onnx + NAME.json, and the check that each file is the one described."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from mojing.core.errors import ModelError
from mojing.runtime.spec import ModelSpec

ENVIRONMENT = "MOJING_MODELS"
_HINT = f"reinstall mojing, or point {ENVIRONMENT} to a folder of its models"


@dataclass(frozen=True, slots=True)
class Check:
    """What `verify` found for one model; `problem` is empty when its file is the one described."""

    name: str
    problem: str
    megabytes: float


class ModelStore:
    """Models in one folder: `folder`, else the one named by MOJING_MODELS, else those installed with the package."""

    def __init__(self, folder: str | Path | None = None) -> None:
        chosen = folder or os.environ.get(ENVIRONMENT) or Path(__file__).parents[1] / "models"
        self.folder = Path(chosen)

    def list(self) -> tuple[ModelSpec, ...]:
        """All described models, by name.

        Raises:
            ModelError: model_corrupt.
        """
        return tuple(ModelSpec.read(path) for path in sorted(self.folder.glob("*.json")))

    def has(self, name: str) -> bool:
        """Whether both files of a model are there."""
        return (self.folder / f"{name}.json").is_file() and (self.folder / f"{name}.onnx").is_file()

    def spec(self, name: str) -> ModelSpec:
        """Description of the model called `name`.

        Raises:
            ModelError: model_missing, model_corrupt.
        """
        return ModelSpec.read(self.folder / f"{name}.json")

    def verify(self) -> tuple[Check, ...]:
        """Compare every model file with the hash in its description; raises nothing, tells all."""
        checks = []
        for path in sorted(self.folder.glob("*.json")):
            onnx = path.with_suffix(".onnx")
            size = onnx.stat().st_size / 1e6 if onnx.is_file() else 0.0
            try:
                read_verified(ModelSpec.read(path))
                checks.append(Check(path.stem, "", size))
            except ModelError as exc:
                checks.append(Check(path.stem, f"{exc.code}: {exc}", size))
        described = {path.stem for path in self.folder.glob("*.json")}
        stray = sorted(path for path in self.folder.glob("*.onnx") if path.stem not in described)
        checks.extend(Check(p.stem, "model_corrupt: no description beside it", p.stat().st_size / 1e6) for p in stray)
        return tuple(checks)


def read_verified(spec: ModelSpec) -> bytes:
    """The model file's bytes, read once, so that what was checked is what runs.

    Raises:
        ModelError: model_missing, model_corrupt.
    """
    try:
        data = spec.path.read_bytes()
    except OSError as exc:
        raise ModelError("model_missing", f"{spec.path.name} cannot be read: {exc.strerror}", hint=_HINT) from exc
    found = hashlib.sha256(data).hexdigest()
    if found != spec.sha256:
        raise ModelError(
            "model_corrupt",
            f"{spec.path.name} has the hash {found[:12]}..., its description says {spec.sha256[:12]}...",
            hint=_HINT,
        )
    return data
