"""Export of a GAN run: every generator to ONNX, and lighter variants where they still agree with torch.

NAME is what is shipped elsewhere too: float16 weights, float32 arithmetic. NAME-fp16 computes in float16 as well;
NAME-int8 has its matrices quantised to eight bits, the range of what they multiply found as it runs (Jacob et al. 2018,
arXiv:1712.05877). A variant outside the tolerance is not written; the table says so.
"""

from __future__ import annotations

import io
import json
import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from torch import Tensor, nn

from mojing.core.errors import InputError, ModelError
from mojing.train.export import Port, halve_weights, parity_gap, revision, to_onnx, write
from mojing.train.logbook import last_metrics
from mojing.train.nets.exportable import Exportable, ports
from mojing.train.nets.gan import GeneratorSpec, build_generator

TOLERANCE: Final = 0.05
EXAMPLES: Final = 16
BATCH: Final = 16


@dataclass(frozen=True)
class Variant:
    """A row of the export's table: file size in MB, ms for one picture, pictures a second in batches, gap to torch."""

    name: str
    megabytes: float
    one_ms: float
    per_second: float
    gap: float
    path: Path | None
    """None where the variant strays too far and was not written"""


@dataclass(frozen=True)
class Maker:
    """A generator out of a run, with its averaged weights where it has them."""

    name: str
    net: nn.Module
    spec: GeneratorSpec


def read_run(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options and last checkpoint of a GAN run.

    Raises:
        InputError: bad_data, when the folder is no GAN run.
    """
    try:
        options = json.loads((run / "options.json").read_text(encoding="utf-8"))
        state = torch.load(run / "last.pt", map_location="cpu", weights_only=True)
        return {**options, "facts": dict(options["facts"])}, dict(state)
    except (OSError, ValueError, KeyError) as exc:
        raise InputError("bad_data", f"{run} is no finished GAN run: {exc}", "give the --out of `train gan`") from exc


def load_makers(run: Path) -> list[Maker]:
    """The generators of a run, in eval mode.

    Raises:
        InputError: bad_data.
    """
    options, state = read_run(run)
    facts, game = options["facts"], state["game"]
    makers = []
    for name in ("generator", "a_to_b", "b_to_a"):
        if name not in game["players"]:
            continue
        spec = _spec(name, options, facts)
        net = build_generator(spec)
        kept = game["averages"].get(name) or game["players"][name]
        net.load_state_dict(kept["net"])
        makers.append(Maker(name, net.eval(), spec))
    return makers


def _spec(name: str, options: dict[str, Any], facts: dict[str, Any]) -> GeneratorSpec:
    told = bool(options["conditional"])
    sides = (facts["channels"], facts["channels_b"] or facts["channels"])
    c_in, c_out = sides if name != "b_to_a" else sides[::-1]
    return GeneratorSpec(
        "points" if facts["points"] else options["generator"],
        size=facts["size"],
        channels=c_out,
        latent=options["latent"],
        classes=facts["classes"] if told else 0,
        width=options["width"],
        conditions=facts["conditions"] if told else 0,
        channels_in=c_in if facts["channels_b"] else 0,
        hw=tuple(facts["hw"]) if "hw" in facts else None,
    )


def export_run(run: Path, folder: Path, *, name: str, threads: int = 2) -> list[Variant]:
    """Write NAME.onnx and NAME.json of every generator of a run into `folder`, and its lighter variants.

    Raises:
        InputError: bad_data. ModelError: model_mismatch, when the plain export disagrees with torch.
    """
    options, state = read_run(run)
    makers = load_makers(run)
    rows = []
    for maker in makers:
        title = name if len(makers) == 1 else f"{name}-{maker.name.replace('_', '-')}"
        rows += _export(maker, folder, title, card=_card(options, state, run), threads=threads)
    return rows


def output(inputs: Sequence[Port]) -> str:
    """Name of the output: `image`, or `result` where that is what goes in."""
    return "result" if any(port.name == "image" for port in inputs) else "image"


def _card(options: dict[str, Any], state: dict[str, Any], run: Path) -> dict[str, Any]:
    return {
        "purpose": f"generator of a {options['recipe']} run",
        "licence": "that of the data",
        "datasets": [Path(options["data"]).name],
        "labels": options["facts"]["class_names"],
        "training": {"minutes": round(state["spent"] / 60, 1), "steps": state["step"], "recipe": options["recipe"]},
        "metrics": last_metrics(run),
        "revision": revision(),
    }


def _export(maker: Maker, folder: Path, title: str, *, card: dict[str, Any], threads: int) -> list[Variant]:
    torch.manual_seed(0)
    net, inputs = Exportable(maker.net, maker.spec).eval(), ports(maker.spec, n=EXAMPLES)
    plain = to_onnx(net, inputs=inputs, outputs=[output(inputs)])
    with torch.no_grad():
        expected = [net(*[port.example for port in inputs])]
    card = {**card, "parameters": sum(p.numel() for p in net.parameters())}
    data = plain.SerializeToString()
    halved = halve_weights(onnx.load_from_string(data))
    gap = parity_gap(data, inputs=inputs, expected=expected)
    one, many = _speed(data, inputs, threads)
    rows = [Variant("torch's float32, not written", len(data) / 1e6, one, many, gap, None)]
    for ending, model in (("", halved), ("-fp16", _fp16(data)), ("-int8", _int8(data))):
        for suffix in (".onnx", ".json"):  # of an earlier export, which may have been within the tolerance
            (folder / (title + ending + suffix)).unlink(missing_ok=True)
        if model is None:
            continue
        rows.append(
            _measured(model, folder, title + ending, inputs=inputs, expected=expected, card=card, threads=threads)
        )
    if rows[1].path is None:
        raise ModelError(
            "model_mismatch",
            f"{title} differs from torch by {rows[1].gap:.4f} of its spread",
            hint="its weights may have no room in float16: see mojing train doctor RUN",
        )
    return rows


def _measured(
    model: onnx.ModelProto,
    folder: Path,
    name: str,
    *,
    inputs: Sequence[Port],
    expected: Sequence[Tensor],
    card: dict[str, Any],
    threads: int,
) -> Variant:
    data = model.SerializeToString()
    gap = parity_gap(data, inputs=inputs, expected=expected)
    one, many = _speed(data, inputs, threads)
    path = None
    if gap <= TOLERANCE:
        facts = {**card, "parity_gap": gap, "one_ms": round(one, 3), "per_second": round(many, 1)}
        path = write(
            model,
            folder,
            name,
            inputs=inputs,
            outputs=[output(inputs)],
            expected=expected,
            card=facts,
            tolerance=TOLERANCE,
        )
    return Variant(name, len(data) / 1e6, one, many, gap, path)


def _fp16(data: bytes) -> onnx.ModelProto | None:
    """All arithmetic in float16, inputs and outputs float32; None where the converter cannot."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    logging.getLogger("onnxruntime.transformers.float16").setLevel(logging.ERROR)
    try:
        model = OnnxModel(convert_float_to_float16(onnx.load_from_string(data), keep_io_types=True))
    except (ValueError, RuntimeError):
        return None
    model.topological_sort()
    return model.model


def _int8(data: bytes) -> onnx.ModelProto | None:
    """Matrix products in int8 (convolutions stay: ONNX Runtime's CPU is slower with them in int8); None without any."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().disabled, before = True, logging.getLogger().disabled
    try:
        with tempfile.TemporaryDirectory() as tmp:
            path = Path(tmp) / "int8.onnx"
            quantize_dynamic(onnx.load_from_string(data), path, op_types_to_quantize=["MatMul", "Gemm"],
                             weight_type=QuantType.QInt8)  # fmt: skip
            model = onnx.load(io.BytesIO(path.read_bytes()))
            found = any(node.op_type == "DynamicQuantizeLinear" for node in model.graph.node)
            return halve_weights(model) if found else None
    finally:
        logging.getLogger().disabled = before


def _speed(data: bytes, inputs: Sequence[Port], threads: int) -> tuple[float, float]:
    """Least ms for one picture of several tries, and so pictures a second in batches."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def seconds(n: int, repeats: int) -> float:
        feeds = {port.name: port.example[:n].numpy() for port in inputs}
        session.run(None, feeds)
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            session.run(None, feeds)
            times.append(time.perf_counter() - start)
        return min(times)

    return seconds(1, 9) * 1000, BATCH / seconds(BATCH, 5)
