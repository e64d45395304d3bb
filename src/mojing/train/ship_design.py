"""Turn a run of the design recipe into what `mojing design` loads: two graphs, style weights and the novelty index.

The run's generator makes RGB as it looks on white and opacity; the shipped graph gives straight colours. The index
holds features and ids of the training garments, never their pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from mojing.core.errors import InputError, ModelError
from mojing.perception.features import Features
from mojing.runtime.store import ModelStore
from mojing.studio.generate import flatten
from mojing.studio.kinds import FILE as KINDS_FILE
from mojing.studio.kinds import KindReader
from mojing.studio.latent import write_weights
from mojing.studio.novelty import FILE as INDEX_FILE
from mojing.studio.novelty import Index
from mojing.train.data.designs import Designs
from mojing.train.export import Port, export
from mojing.train.logbook import last_metrics
from mojing.train.nets.exportable import style_port
from mojing.train.nets.modern import ModernGenerator
from mojing.train.recipes.design import SMALL
from mojing.train.ship import GARMENTS, SHOP
from mojing.train.variants import load_makers, read_run

CLEAR: Final = 0.03
"""Opacity below which a made pixel is clear, and above 1 minus which it is opaque: tanh comes only near its ends."""

LEAST_OPACITY: Final = 0.1
"""Colours are divided by the opacity, but by no less than this."""

COLOURS: Final = 256
"""So many colours of training garments are listed, from which random designs draw theirs."""

LIMITS: Final = [
    "a generator trained within hours on a CPU: outlines and colours are believable, fine detail is soft",
    "kinds with few photos are drawn with less variety; the card lists how many pictures each kind had",
    "cut-outs of the garment network, with its faults, are what it learnt from",
]


class Mapping(nn.Module):
    """z (N, Z), kind (N,) int64, colour (N, 3) -> styles (N, L, W)."""

    def __init__(self, net: ModernGenerator) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: Tensor, kind: Tensor, colour: Tensor) -> Tensor:
        return self.net.styles(z, kind, colour)


class Picture(nn.Module):
    """styles (N, L, W) -> straight RGBA (N, 4, S, S) in -1..1, exactly clear where the garment is not."""

    def __init__(self, net: ModernGenerator) -> None:
        super().__init__()
        self.synthesis = net.synthesis

    def forward(self, styles: Tensor) -> Tensor:
        made = (self.synthesis(styles) + 1) / 2
        alpha = ((made[:, 3:] - CLEAR) / (1 - 2 * CLEAR)).clamp(0, 1)
        colour = (1 - (1 - made[:, :3]) / alpha.clamp(min=LEAST_OPACITY)).clamp(0, 1)
        return torch.cat([colour, alpha], 1) * 2 - 1


@dataclass(frozen=True, eq=False)
class Finished:
    """A run of the design recipe: its generator, the pictures it learnt from, its options, its last checkpoint."""

    net: ModernGenerator
    designs: Designs
    options: dict[str, Any]
    state: dict[str, Any]
    run: Path


def read(run: Path) -> Finished:
    """The averaged generator of a run and its data.

    Raises:
        InputError: bad_data, when this is no run of the design recipe; not_found, when its npz file is gone.
    """
    options, state = read_run(run)
    (maker,) = load_makers(run)
    if not isinstance(maker.net, ModernGenerator) or maker.spec.channels != 4 or not options["conditional"]:
        raise InputError("bad_data", f"{run} is no run of the design recipe", "give the --out of `train design`")
    return Finished(maker.net, Designs.load(Path(options["data"])), options, state, run)


def ship_design(run: Path, folder: Path) -> Path:
    """Write design-mapping, design, design-style-weights, design-kinds and design-index.npz of a run into `folder`.

    The feature network is taken from `folder`, or from the installed models.

    Raises:
        InputError: bad_data, not_found. ModelError: model_missing, when there is no feature network; model_mismatch.
    """
    store = next((s for s in (ModelStore(folder), ModelStore()) if s.has("features")), None)
    if store is None:
        raise ModelError("model_missing", "there is no feature network, which the novelty index needs",
                         hint="train and export `features` first")  # fmt: skip
    finished = read(run)
    net, classes = finished.net, list(finished.designs.classes)
    generator = torch.Generator().manual_seed(0)
    n = max(len(classes), 8)
    told = finished.designs.take(np.flatnonzero(~finished.designs.held))
    few = np.linspace(0, len(told) - 1, min(COLOURS, len(told))).round().astype(np.int64)
    colours = told.conditions[few]
    ports = [
        Port("z", torch.randn(n, net.mapping.start.latent, generator=generator), -4.0, 4.0),
        Port("kind", torch.arange(n) % len(classes), 0.0, len(classes) - 1.0),
        Port("colour", torch.from_numpy(colours[np.arange(n) % len(colours)]), -1.0, 1.0),
    ]
    card = about(finished, told)
    mapping = Mapping(net)
    more = {"purpose": "latent numbers, kind and colour of the cloth -> styles", "colours": colours.round(3).tolist()}
    export(mapping, folder, "design-mapping", inputs=ports, outputs=["styles"], card=card | more)
    with torch.no_grad():
        styles = mapping(*[port.example for port in ports])
    usual = style_port(net.synthesis)
    port = Port(usual.name, styles, usual.low, usual.high)
    more = {"purpose": "styles -> a garment that does not exist, RGBA"}
    path = export(Picture(net), folder, "design", inputs=[port], outputs=["rgba"], card=card | more)
    write_weights(folder, [w.numpy() for w in net.style_weights()])
    features = Features(store, threads=1)(flatten(told.images)).feature
    kinds = [classes[i] for i in told.labels]
    KindReader.fit(told.images, kinds).save(folder / KINDS_FILE)
    Index.of(told.names, features, kinds=kinds).save(folder / INDEX_FILE)
    return path


def about(finished: Finished, told: Designs) -> dict[str, Any]:
    """What both descriptions say of data, training and figures; `told` are the pictures that were trained on."""
    shop = sum(not sender.isdigit() for sender in told.senders)
    minutes, steps = finished.state["spent"] / 60, finished.state["step"]
    small = finished.run / SMALL / "last.pt"
    if small.is_file():
        before = torch.load(small, map_location="cpu", weights_only=True)
        minutes, steps = minutes + before["spent"] / 60, steps + before["step"]
    counts = np.bincount(told.labels, minlength=len(told.classes))
    threads = finished.options["threads"]
    where = f"{threads}_cpu_cores" if finished.options["accelerator"] == "cpu" else "one_gpu"
    return {
        "labels": list(told.classes),
        "pictures_of_each": [int(c) for c in counts],
        "pictures": {"trained_on": len(told), "held_out": int(finished.designs.held.sum()), "from_shop": shop},
        "datasets": [GARMENTS, SHOP] if shop else [GARMENTS],
        "licence": "Apache-2.0",
        "limits": LIMITS,
        "recipe": "design",
        "training": {f"minutes_on_{where}": round(minutes, 1), "steps": steps},
        "metrics": last_metrics(finished.run),
    }
