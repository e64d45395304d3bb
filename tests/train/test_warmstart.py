from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mojing.core.errors import ModelError
from mojing.train.export import Port, export
from mojing.train.nets.unet import Attention, ConvNorm, ResBlock
from mojing.train.warmstart import start_from


class Small(nn.Module):
    """Every kind of layer that the project's networks have, and a head that no file holds."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvNorm(3, width), ResBlock(width, 2 * width), ConvNorm(2 * width, width, act=False))
        self.attention = Attention(width)
        self.dense = nn.Conv2d(width, 2, 1)
        self.kind = nn.Linear(width, 3)
        self.unused = nn.Linear(width, 5)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.attention(self.body(image))
        return self.dense(x), self.kind(x.mean((2, 3)))


def trained() -> Small:
    """A network whose batch norms have seen pictures and whose weights are nowhere at their first values."""
    torch.manual_seed(3)
    net = Small()
    for _ in range(20):
        net(torch.rand(8, 3, 16, 12) * 2)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    return net.eval()


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return export(
        trained(),
        tmp_path,
        "small",
        inputs=[Port("image", torch.rand(2, 3, 16, 12))],
        outputs=["dense", "kind"],
        card={},
    )


def test_a_shipped_file_becomes_a_network_again(shipped: Path) -> None:
    net, true = Small(), trained()
    examples = torch.rand(16, 3, 16, 12) * 2
    start_from(net, shipped, inputs=[Port("image", examples)])
    assert net.training
    other = torch.rand(4, 3, 16, 12)
    for ours, theirs in zip(net.eval()(other), true(other), strict=True):
        assert torch.allclose(ours, theirs, atol=0.02 * float(theirs.detach().abs().max()))
    # On pictures like the examples, batch statistics are the stored ones: training goes on where it was.
    still, batch = net(examples)[0], net.train()(examples)[0]
    assert (still - batch).abs().mean() < 0.02 * still.std()


def test_what_the_file_lacks_stays(shipped: Path) -> None:
    net = Small()
    before = net.unused.weight.clone()
    start_from(net, shipped, inputs=[Port("image", torch.rand(8, 3, 16, 12))])
    assert torch.equal(net.unused.weight, before)


@pytest.mark.parametrize("width", [4, 12])
def test_another_network_is_refused(shipped: Path, width: int) -> None:
    with pytest.raises(ModelError) as error:
        start_from(Small(width), shipped, inputs=[Port("image", torch.rand(8, 3, 16, 12))])
    assert error.value.code == "model_mismatch"


def test_a_checkpoint_is_read_by_its_averaged_weights(tmp_path: Path) -> None:
    true = trained()
    torch.save({"ema": true.state_dict()}, tmp_path / "last.pt")
    net = Small()
    start_from(net, tmp_path / "last.pt", inputs=[])
    assert torch.equal(net.dense.weight, true.dense.weight)
    with pytest.raises(ModelError):
        start_from(Small(4), tmp_path / "last.pt", inputs=[])
