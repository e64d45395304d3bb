"""A generator of the laboratory as the exporter wants it: only the inputs it was made for, and an example of each."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mojing.train.export import Port
from mojing.train.nets.modern import Synthesis
from mojing.train.nets.specs import TRANSLATORS, GeneratorSpec


class Exportable(nn.Module):
    """`net` with the inputs that `spec` asks for as its only arguments, in the order of `ports`.

    Fits a whole generator and the mapping network of a modern one, which take the same inputs.
    """

    def __init__(self, net: nn.Module, spec: GeneratorSpec) -> None:
        super().__init__()
        self.net = net
        self.labelled = bool(spec.classes) and spec.architecture not in TRANSLATORS

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        if self.labelled:
            return self.net(first, *others)
        return self.net(first, None, *others)


def ports(spec: GeneratorSpec, *, n: int = 2) -> list[Port]:
    """Inputs of `Exportable`: "image" (N, C, H, W) for translators; else "z" (N, latent) standard normal, "label"
    (N,) int64 where there are classes and "condition" (N, K) where there are conditions. `n` examples of each.

    The range of z says where nearly all of a standard normal lies; it is not a limit.
    """
    if spec.architecture in TRANSLATORS:
        channels = spec.channels_in or spec.channels
        return [Port("image", torch.rand(n, channels, *(spec.hw or (spec.size, spec.size))) * 2 - 1, -1.0, 1.0)]
    found = [Port("z", torch.randn(n, spec.latent), -4.0, 4.0)]
    if spec.classes:
        found.append(Port("label", torch.arange(n) % spec.classes, 0.0, spec.classes - 1.0))
    if spec.conditions and spec.architecture == "modern":
        found.append(Port("condition", torch.rand(n, spec.conditions)))
    return found


def style_port(synthesis: Synthesis, *, n: int = 2) -> Port:
    """The input of a modern generator's synthesis network: "styles" (N, L, W)."""
    return Port("styles", torch.randn(n, synthesis.layers, synthesis.style), -4.0, 4.0)
