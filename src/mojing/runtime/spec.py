"""ModelSpec: what NAME.json says about NAME.onnx.

    {"name": "body", "sha256": "...", "inputs": [{"name": "image", "dtype": "float32", "shape": ["N", 3, 256, 192],
     "range": [0, 1]}], "outputs": [{"name": "parse", "dtype": "float32", "shape": ["N", 21, 128, 96]}],
     "labels": ["background", ...], "datasets": ["..."], "licence": "Apache-2.0", "metrics": {"miou": 0.7},
     "revision": "git revision of the recipe"}

name, sha256, inputs and outputs are required. A size given as a string is free. Further keys are kept in `extra`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mojing.core.errors import ModelError

_HINT = "reinstall mojing, or point MOJING_MODELS to a folder of its models"
_KNOWN = {"name", "sha256", "inputs", "outputs", "labels", "datasets", "licence", "metrics", "revision"}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output: name, NumPy dtype, sizes (a string is a free size) and the range of values, if stated."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    range: tuple[float, float] | None = None

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape fits."""
        return len(shape) == len(self.shape) and all(
            isinstance(want, str) or want == got for want, got in zip(self.shape, shape, strict=True)
        )


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Description of one shipped model; `path` is the ONNX file."""

    name: str
    path: Path
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...] = ()
    datasets: tuple[Any, ...] = ()
    licence: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    revision: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Name and first eight digits of the hash: says in a report exactly which weights were used."""
        return f"{self.name}@{self.sha256[:8]}"

    @classmethod
    def read(cls, path: Path) -> ModelSpec:
        """Read NAME.json.

        Raises:
            ModelError: model_missing, model_corrupt.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                name=str(raw["name"]),
                path=path.with_suffix(".onnx"),
                sha256=str(raw["sha256"]),
                inputs=tuple(_tensor(item) for item in raw["inputs"]),
                outputs=tuple(_tensor(item) for item in raw["outputs"]),
                labels=tuple(raw.get("labels", ())),
                datasets=tuple(raw.get("datasets", ())),
                licence=str(raw.get("licence", "")),
                metrics=dict(raw.get("metrics", {})),
                revision=str(raw.get("revision", "")),
                extra={key: value for key, value in raw.items() if key not in _KNOWN},
            )
        except FileNotFoundError as exc:
            raise ModelError("model_missing", f"there is no {path.name}", hint=_HINT) from exc
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise ModelError("model_corrupt", f"{path.name} cannot be read: {exc!r}", hint=_HINT) from exc


def _tensor(raw: Mapping[str, Any]) -> TensorSpec:
    limits = raw.get("range")
    return TensorSpec(
        name=str(raw["name"]),
        dtype=str(raw.get("dtype", "float32")),
        shape=tuple(size if isinstance(size, str) else int(size) for size in raw["shape"]),
        range=(float(limits[0]), float(limits[1])) if limits is not None else None,
    )
