"""A player: one network of an adversarial game with its optimizer, and what must hold whenever it learns.

Gradients are averaged over processes in one flat exchange, as StyleGAN3's loop does: unlike a wrapper around the
network it leaves gradient penalties, several passes a step, and frozen opponents alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from mojing.core.errors import TrainingError
from mojing.train.loop import cosine


class DivergedError(TrainingError):
    """A tensor holds numbers that are not finite: its name and the step are told."""

    def __init__(self, tensor: str, step: int) -> None:
        super().__init__(
            "diverged",
            f"{tensor} is not finite at step {step}",
            hint="lower the learning rate, clip gradients (--clip 1), or take a recipe with a penalty (--r1 1)",
        )
        self.tensor = tensor
        self.step = step

    def __reduce__(self) -> tuple[object, ...]:
        return DivergedError, (self.tensor, self.step)


class Player:
    """A network that learns. `norm` is the global norm of its last gradient, before clipping."""

    def __init__(
        self, name: str, net: nn.Module, *, lr: float, betas: tuple[float, float], clip: float, fabric: Fabric
    ) -> None:
        self.name = name
        self.net = fabric.to_device(net)
        self.fabric = fabric
        self.lr = lr
        self.clip = clip
        self.norm = torch.zeros(())
        self.weights = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(self.weights, lr=lr, betas=betas)

    def __call__(self, *inputs: Tensor | None) -> Tensor:
        with self.fabric.autocast():
            out: Tensor = self.net(*inputs)
        return out.float()

    def learn(self, loss: Tensor, step: int, *, parts: Mapping[str, Tensor]) -> None:
        """One update down the gradient of `loss`; `parts` are looked through when something is not finite.

        Raises:
            DivergedError: the loss or the gradient is not finite; the weights are not touched then.
        """
        self.clear()
        self.fabric.backward(loss)
        self.step(loss.detach(), step, parts=parts)

    def clear(self) -> None:
        """Forget the last gradient."""
        self.optimizer.zero_grad(set_to_none=True)

    def step(self, loss: Tensor, step: int, *, parts: Mapping[str, Tensor]) -> None:
        """The update of `learn` alone, where one backward pass served several players; `loss` has no gradient.

        Raises:
            DivergedError: as in `learn`.
        """
        total = self._exchange(loss)
        self.norm = nn.utils.get_total_norm([p.grad for p in self.weights if p.grad is not None])
        if not torch.isfinite(total + self.norm):
            raise DivergedError(self._blame(parts), step)
        if self.clip:
            nn.utils.clip_grads_with_norm_(self.weights, self.clip, self.norm)
        self.optimizer.step()

    def _exchange(self, loss: Tensor) -> Tensor:
        """Average gradients and loss over all processes; returns the loss."""
        if self.fabric.world_size == 1:
            return loss
        grads = [p.grad for p in self.weights if p.grad is not None]
        flat = self.fabric.all_reduce(torch.cat([*[g.flatten() for g in grads], loss.reshape(1)]), reduce_op="mean")
        assert isinstance(flat, Tensor)
        pieces = flat.split([*[g.numel() for g in grads], 1])
        for grad, piece in zip(grads, pieces[:-1], strict=True):
            grad.copy_(piece.view_as(grad))
        return pieces[-1][0]

    def _blame(self, parts: Mapping[str, Tensor]) -> str:
        """The name of a tensor that is not finite: a weight, else a part of the loss, else a gradient."""
        for name, weight in self.net.named_parameters():
            if not torch.isfinite(weight).all():
                return f"{self.name}.{name}"
        for name, part in parts.items():
            if not torch.isfinite(part).all():
                return name
        for name, weight in self.net.named_parameters():
            if weight.grad is not None and not torch.isfinite(weight.grad).all():
                return f"gradient of {self.name}.{name}"
        return f"loss of {self.name}"

    def pace(self, factor: float) -> float:
        """Set the learning rate to `factor` of its full value; returns it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * factor
        return self.lr * factor

    def layers(self) -> dict[str, float]:
        """Norm of the last gradient of every weight that is a matrix or a kernel."""
        named = self.net.named_parameters()
        return {n: float(p.grad.norm()) for n, p in named if p.grad is not None and p.dim() > 1}

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """No gradient for this network inside the block: it is the opponent."""
        self.net.requires_grad_(False)
        try:
            yield
        finally:
            for weight in self.weights:
                weight.requires_grad_(True)

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Nothing that happens inside the block changes the network, its running statistics included."""
        kept = [buffer.clone() for buffer in self.net.buffers()]
        try:
            with torch.no_grad():
                yield
        finally:
            with torch.no_grad():
                for buffer, before in zip(self.net.buffers(), kept, strict=True):
                    buffer.copy_(before)

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""
        return {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`."""
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])


def pace(schedule: str, progress: float) -> float:
    """Learning-rate factor at `progress` in [0, 1] of the run."""
    if schedule == "linear":
        return min(1.0, 2 * (1 - progress))
    return cosine(progress) if schedule == "cosine" else 1.0
