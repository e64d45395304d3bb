"""Start a network from weights that were trained before: from a run's checkpoint, or from a shipped ONNX file.

Shipped files hold convolutions with their batch norms folded in (`train/export.py`). Unfolding needs the statistics of
the convolutions' outputs, which are measured on a batch of examples; afterwards the network answers as the file does,
and its batch norms are as if it had been trained on such batches.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from mojing.core.arrays import AnyArray
from mojing.core.errors import ModelError
from mojing.train.export import Port, parity_gap


def start_from(net: nn.Module, path: Path, *, inputs: Sequence[Port]) -> None:
    """Give a network the weights of `path`: averaged weights of a checkpoint (.pt), or a shipped model (.onnx).

    Args:
        net: the network; its mode (training or not) stays as it is.
        path: the file.
        inputs: the network's inputs with a batch of true examples, at least 8 pictures or so.

    Raises:
        ModelError: model_mismatch, when the file is of another network.
    """
    if path.suffix == ".onnx":
        unfold(net, path, inputs=inputs)
        return
    state = torch.load(path, map_location="cpu", weights_only=True)["ema"]
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError("model_mismatch", f"{path} is a checkpoint of another network") from error


def origin(start: Path | None) -> dict[str, str]:
    """What a checkpoint keeps of where its run began, nothing for a run that began anew."""
    return {} if start is None else {"start": told(start)}


def told(path: Path) -> str:
    """Where a network came from, for its card: the file, and how long it was trained before."""
    if path.suffix == ".pt":
        state = torch.load(path, map_location="cpu", weights_only=True)
        before = f", which began {state['start']}" if "start" in state else ""
        return f"from a run of {state['spent'] / 60:.0f} minutes{before}" if "spent" in state else f"from {path.name}"
    card = path.with_suffix(".json")
    if path.suffix != ".onnx" or not card.exists():
        return f"from {path.name}"
    about = json.loads(card.read_text())
    minutes = next((v for k, v in about.get("training", {}).items() if k.startswith("minutes_on_")), 0.0)
    return f"from {path.name} {about['sha256'][:8]}, which was trained {minutes:.0f} minutes"


def unfold(net: nn.Module, path: Path, *, inputs: Sequence[Port], tolerance: float = 0.05) -> None:
    """Take over the weights of an ONNX file that `train/export.py` wrote of the same network: see `start_from`.

    Parameters that kept their names are taken by name, the others (folded convolutions, transposed linear maps) in the
    order in which they run, which is the order of the graph's nodes. What the file does not hold, such as a head that
    only training uses, stays as it is. Whether all went well is told by the answers.

    Raises:
        ModelError: model_mismatch.
    """
    model = onnx.load(str(path))
    stored = _stored(model.graph)
    training = net.training
    net.eval()
    try:
        _take(net, stored, model.graph, inputs=inputs)
        with torch.no_grad():
            expected = net(*[port.example for port in inputs])
    except (ValueError, RuntimeError) as error:  # shapes that do not fit
        raise ModelError("model_mismatch", f"{path} is another network: {error}") from error
    finally:
        net.train(training)
    expected = expected if isinstance(expected, tuple) else (expected,)
    gap = parity_gap(model.SerializeToString(), inputs=inputs, expected=expected)
    if not gap <= tolerance:
        raise ModelError("model_mismatch", f"{path} answers otherwise than what was read from it, by {gap:.3f}")


def _stored(graph: onnx.GraphProto) -> dict[str, AnyArray]:
    """Arrays of a graph by name, halved ones under the name that they had before."""
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    halved = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast" and node.input[0] in held}
    return {**held, **{name: held[half].astype(np.float32) for name, half in halved.items()}}


@torch.no_grad()
def _take(net: nn.Module, stored: dict[str, AnyArray], graph: onnx.GraphProto, *, inputs: Sequence[Port]) -> None:
    todo = dict(net.named_parameters())
    for name in [name for name in todo if name in stored]:
        _put(todo.pop(name), stored[name])
    for name, values in _constants(todo, stored).items():
        _put(todo.pop(name), values / _factor(net, name))
    for name, buffer in net.named_buffers():
        if name in stored and buffer.is_floating_point():
            _put(buffer, stored[name])
    convolutions = _nameless(graph, "Conv", stored, known=set(dict(net.named_parameters())))
    products = _nameless(graph, "MatMul", stored, known=set(dict(net.named_parameters())))
    names = {module: name for name, module in net.named_modules()}
    handles = []
    waiting: dict[str, Tensor] = {}

    def convolve(module: nn.Module, _: object) -> None:
        found = next(convolutions, None) if f"{names[module]}.weight" in todo else None
        if found is None:
            return
        weight, bias = found
        _put(todo.pop(f"{names[module]}.weight"), weight)
        own = todo.pop(f"{names[module]}.bias", None)
        shift = torch.zeros(len(weight)) if bias is None else torch.tensor(bias)
        if own is not None:
            _put(own, shift.numpy())
        else:
            waiting["shift"] = shift

    def normalise(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        assert isinstance(module, nn.BatchNorm2d)
        assert module.running_mean is not None and module.running_var is not None
        shift = waiting.pop("shift", None)
        if shift is None:
            return
        mean, var = args[0].float().mean((0, 2, 3)), args[0].float().var((0, 2, 3))
        module.running_mean.copy_(mean)
        module.running_var.copy_(var)
        todo.pop(f"{names[module]}.weight").copy_(torch.sqrt(var + module.eps))
        todo.pop(f"{names[module]}.bias").copy_(shift + mean)

    def multiply(module: nn.Module, _: object) -> None:
        found = next(products, None) if f"{names[module]}.weight" in todo else None
        if found is not None:
            _put(todo.pop(f"{names[module]}.weight"), found[0].T)

    hooks = {nn.Conv2d: convolve, nn.BatchNorm2d: normalise, nn.Linear: multiply}
    for module in net.modules():
        if type(module) in hooks:
            handles.append(module.register_forward_pre_hook(hooks[type(module)]))
    try:
        net(*[port.example for port in inputs])
    finally:
        for handle in handles:
            handle.remove()


def _constants(todo: Mapping[str, Tensor], stored: dict[str, AnyArray]) -> dict[str, AnyArray]:
    """Parameters of three axes, of no layer's, that lost their names with a constant they were joined to; by shape."""
    nameless = [v for name, v in stored.items() if name.startswith("onnx::") and not name.endswith("_half")]
    found = {name: [v for v in nameless if v.shape == tuple(p.shape)] for name, p in todo.items() if p.dim() == 3}
    return {name: same[0] for name, same in found.items() if len(same) == 1}


def _factor(net: nn.Module, name: str) -> float:
    """What a parameter is multiplied by before anything else: modules say so in `factors`."""
    owner, _, own = name.rpartition(".")
    return float(getattr(net.get_submodule(owner), "factors", {}).get(own, 1.0))


def _put(to: Tensor, values: AnyArray) -> None:
    if tuple(to.shape) != values.shape:
        raise ValueError(f"weights of shape {values.shape} where {tuple(to.shape)} is wanted")
    to.copy_(torch.tensor(values, dtype=torch.float32))


def _nameless(
    graph: onnx.GraphProto, kind: str, stored: dict[str, AnyArray], *, known: set[str]
) -> Iterator[tuple[AnyArray, AnyArray | None]]:
    """Weight and bias of the nodes of a kind whose weight lost its name, in order."""
    for node in graph.node:
        if node.op_type == kind and node.input[1] in stored and node.input[1] not in known:
            yield stored[node.input[1]], stored[node.input[2]] if len(node.input) > 2 else None
