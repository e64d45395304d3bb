"""Export: a trained network becomes NAME.onnx + NAME.json, written only when ONNX Runtime agrees with torch.

Weights are stored as float16 behind a Cast, which the runtime folds away when it loads: half the file, float32 speed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from mojing.core.errors import ModelError


@dataclass(frozen=True)
class Port:
    """One input of a network: name, one example (N = 1 or more) and the range of its values."""

    name: str
    example: Tensor
    low: float = 0.0
    high: float = 1.0


def export(
    net: nn.Module,
    folder: Path,
    name: str,
    *,
    inputs: Sequence[Port],
    outputs: Sequence[str],
    card: Mapping[str, Any],
    tolerance: float = 0.05,
) -> Path:
    """Write folder/NAME.onnx and NAME.json; `card` holds labels, datasets, licence, metrics and notes.

    `tolerance` bounds the mean absolute difference of each output from torch's, relative to the output's spread.

    Raises:
        ModelError: parity, when ONNX Runtime and torch disagree.
    """
    net = net.cpu().float().eval()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp, torch.no_grad(), warnings.catch_warnings():
        # The older exporter folds batch norms into convolutions and needs no further package; torch still ships it.
        warnings.simplefilter("ignore", DeprecationWarning)
        path = Path(tmp) / f"{name}.onnx"
        torch.onnx.export(
            net,
            tuple(port.example for port in inputs),
            str(path),
            input_names=[port.name for port in inputs],
            output_names=list(outputs),
            dynamic_axes={key: {0: "N"} for key in [*[port.name for port in inputs], *outputs]},
            opset_version=17,
            dynamo=False,
        )
        model = halve_weights(onnx.load(str(path)))
        onnx.checker.check_model(model)
        data = model.SerializeToString()
        expected = net(*[port.example for port in inputs])
    expected = expected if isinstance(expected, tuple) else (expected,)
    _check_parity(data, name, inputs=inputs, expected=expected, tolerance=tolerance)
    description = {
        "name": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "inputs": [
            {
                "name": p.name,
                "dtype": str(p.example.dtype).removeprefix("torch."),
                "shape": ["N", *p.example.shape[1:]],
                "range": [p.low, p.high],
            }
            for p in inputs
        ],
        "outputs": [
            {"name": key, "dtype": "float32", "shape": ["N", *value.shape[1:]]}
            for key, value in zip(outputs, expected, strict=True)
        ],
        "parameters": sum(p.numel() for p in net.parameters()),
        "revision": _revision(),
        **card,
    }
    _replace(folder / f"{name}.onnx", data)
    _replace(folder / f"{name}.json", (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode())
    return folder / f"{name}.onnx"


def halve_weights(model: onnx.ModelProto, *, smallest: int = 1024) -> onnx.ModelProto:
    """Store float32 initializers of at least `smallest` numbers as float16, each behind a Cast to float32."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < smallest or np.abs(values).max() > 6e4:
            continue
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), tensor.name + "_half"))
        casts.append(helper.make_node("Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    return model


def _check_parity(
    data: bytes, name: str, *, inputs: Sequence[Port], expected: tuple[Tensor, ...], tolerance: float
) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = session.run(None, {port.name: port.example.numpy() for port in inputs})
    for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        reference = theirs.numpy()
        gap = float(np.abs(ours - reference).mean() / (reference.std() + 1e-6))
        if not gap <= tolerance:
            raise ModelError("model_mismatch", f"{name}: output {index} differs from torch by {gap:.4f} of its spread")


def _revision() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
