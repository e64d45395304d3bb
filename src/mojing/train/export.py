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
    model = halve_weights(to_onnx(net, inputs=inputs, outputs=outputs))
    with torch.no_grad():
        expected = net(*[port.example for port in inputs])
    expected = expected if isinstance(expected, tuple) else (expected,)
    card = {"parameters": sum(p.numel() for p in net.parameters()), "revision": revision(), **card}
    return write(model, folder, name, inputs=inputs, outputs=outputs, expected=expected, card=card, tolerance=tolerance)


def to_onnx(net: nn.Module, *, inputs: Sequence[Port], outputs: Sequence[str]) -> onnx.ModelProto:
    """The ONNX graph of a float32 network in eval mode on the CPU, its first axis free."""
    with tempfile.TemporaryDirectory() as tmp, torch.no_grad(), warnings.catch_warnings():
        # The older exporter folds batch norms into convolutions and needs no further package; torch still ships it.
        warnings.simplefilter("ignore", DeprecationWarning)
        # It gives up folding the sizes of a reflection padding and says so; the graph is right either way.
        warnings.filterwarnings("ignore", message="Constant folding", category=UserWarning)
        path = Path(tmp) / "model.onnx"
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
        return onnx.load(str(path))


def write(
    model: onnx.ModelProto,
    folder: Path,
    name: str,
    *,
    inputs: Sequence[Port],
    outputs: Sequence[str],
    expected: Sequence[Tensor],
    card: Mapping[str, Any],
    tolerance: float = 0.05,
) -> Path:
    """Write folder/NAME.onnx and NAME.json of a graph whose outputs are those `expected` within `tolerance`.

    Raises:
        ModelError: model_mismatch, when ONNX Runtime and torch disagree; nothing is written then.
    """
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    gap = parity_gap(data, inputs=inputs, expected=expected)
    if not gap <= tolerance:
        raise ModelError("model_mismatch", f"{name} differs from torch by {gap:.4f} of its spread")
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
        **card,
    }
    folder.mkdir(parents=True, exist_ok=True)
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


def parity_gap(data: bytes, *, inputs: Sequence[Port], expected: Sequence[Tensor]) -> float:
    """The largest mean absolute difference of an output from torch's, relative to that output's spread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    found = session.run(None, {port.name: port.example.numpy() for port in inputs})
    gaps = []
    for ours, theirs in zip(found, expected, strict=True):
        reference = theirs.numpy()
        gaps.append(float(np.abs(ours - reference).mean() / (reference.std() + 1e-6)))
    return max(gaps, key=lambda gap: float("inf") if np.isnan(gap) else gap)


def revision() -> str:
    """Git revision of the working folder, empty outside a repository."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
