"""The laboratory's networks: shapes over sizes and classes, what labels and styles do, and ONNX exports that agree."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from mojing.core.errors import InputError
from mojing.train.export import Port, export
from mojing.train.losses import discriminator_loss, generator_loss
from mojing.train.nets.exportable import Exportable, ports, style_port
from mojing.train.nets.gan import (
    DISCRIMINATORS,
    GENERATORS,
    TRANSLATORS,
    DiscriminatorSpec,
    GeneratorSpec,
    build_discriminator,
    build_generator,
)
from mojing.train.nets.modern import Mapping, ModernGenerator, Modulated, mean_style, truncate
from mojing.train.nets.specs import levels_of

PICTURES = [("dcgan", size) for size in (28, 32, 64, 112)] + [("modern", size) for size in (28, 32, 128)]


def small(name: str, size: int = 28, *, channels: int = 3, classes: int = 0, conditions: int = 0) -> GeneratorSpec:
    """A generator of few channels, so that tests are quick."""
    return GeneratorSpec(name, size=size, channels=channels, latent=8, classes=classes, width=4, conditions=conditions)


def modern(*, classes: int = 0, conditions: int = 0) -> ModernGenerator:
    torch.manual_seed(0)
    net = build_generator(small("modern", channels=4, classes=classes, conditions=conditions))
    assert isinstance(net, ModernGenerator)
    return net.eval()


def inputs_of(spec: GeneratorSpec, n: int) -> list[Tensor]:
    return [port.example for port in ports(spec, n=n)]


@pytest.mark.parametrize(("architecture", "size"), PICTURES)
@pytest.mark.parametrize("classes", [0, 5])
@pytest.mark.parametrize("channels", [1, 4])
def test_pictures_have_the_size_asked_for_and_get_one_logit(
    architecture: str, size: int, classes: int, channels: int
) -> None:
    spec = small(architecture, size, channels=channels, classes=classes)
    net = build_generator(spec)
    labels = torch.arange(3) % classes if classes else None
    x = net(torch.randn(3, 8), labels)
    assert x.shape == (3, channels, size, size)
    assert x.abs().max() <= 1
    assert net.eval()(torch.randn(1, 8), labels[:1] if labels is not None else None).shape[0] == 1
    judge = build_discriminator(
        DiscriminatorSpec(architecture, size=size, channels=channels, classes=classes, width=4, norm="batch")
    )
    assert judge(x, labels).shape == (3,)
    assert judge.eval()(x[:1], labels[:1] if labels is not None else None).shape == (1,)


@pytest.mark.parametrize("classes", [0, 4])
def test_points(classes: int) -> None:
    labels = torch.arange(5) % classes if classes else None
    x = build_generator(GeneratorSpec("points", latent=3, classes=classes))(torch.randn(5, 3), labels)
    assert x.shape == (5, 2)
    assert build_discriminator(DiscriminatorSpec("points", classes=classes))(x, labels).shape == (5,)


@pytest.mark.parametrize(("architecture", "hw"), [("unet", (64, 64)), ("unet", (128, 64)), ("resnet", (64, 48))])
def test_translators_keep_the_size(architecture: str, hw: tuple[int, int]) -> None:
    spec = GeneratorSpec(architecture, size=min(hw), channels=3, channels_in=4, width=4)
    x = build_generator(spec)(torch.rand(2, 4, *hw))
    assert x.shape == (2, 3, *hw)
    assert x.abs().max() <= 1
    logits = build_discriminator(DiscriminatorSpec("patch", size=64, channels=7, width=4))(torch.rand(2, 7, *hw))
    assert logits.shape[:2] == (2, 1)
    assert min(logits.shape[2:]) > 1


@pytest.mark.parametrize(("size", "sees"), [(256, 70), (32, 34)])
def test_a_patch_logit_sees_as_many_pixels_as_the_paper_says(size: int, sees: int) -> None:
    net = build_discriminator(DiscriminatorSpec("patch", size=size, channels=1, width=4, norm="none"))
    x = torch.randn(1, 1, 160, 160, requires_grad=True)
    logits = net(x)
    (slope,) = torch.autograd.grad(logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2], x)
    rows = slope[0, 0].abs().sum(1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == sees


@pytest.mark.parametrize("norm", ["batch", "instance", "layer", "none"])
def test_only_batch_norm_lets_one_picture_see_another(norm: str) -> None:
    torch.manual_seed(0)
    net = build_discriminator(DiscriminatorSpec("dcgan", size=28, channels=1, width=4, norm=norm))
    x = torch.randn(4, 1, 28, 28)
    alone = torch.cat([net(x[i : i + 1]) for i in range(4)])
    assert torch.allclose(alone, net(x), atol=1e-4) == (norm != "batch")


def test_what_cannot_be_built_is_refused() -> None:
    bad: list[Callable[[], object]] = [
        lambda: build_generator(GeneratorSpec("biggan")),
        lambda: build_discriminator(DiscriminatorSpec("resnet")),
        lambda: build_generator(GeneratorSpec("dcgan", size=50)),
        lambda: build_generator(GeneratorSpec("modern", size=512)),
        lambda: build_generator(GeneratorSpec("unet", size=10)),
        lambda: build_discriminator(DiscriminatorSpec("patch", norm="group")),
        lambda: build_generator(GeneratorSpec("dcgan", classes=3))(torch.randn(2, 128)),
        lambda: build_discriminator(DiscriminatorSpec("dcgan", classes=3))(torch.randn(2, 3, 64, 64)),
    ]
    for make in bad:
        with pytest.raises(InputError) as caught:
            make()
        assert caught.value.code == "bad_options"
        assert caught.value.hint
    assert levels_of(224) == (7, 5)
    assert levels_of(128) == (4, 5)


@pytest.mark.parametrize("architecture", ["points", "dcgan", "modern"])
def test_a_conditional_pair_reacts_to_the_label(architecture: str) -> None:
    torch.manual_seed(0)
    net = build_generator(replace(small(architecture, classes=3), width=16)).eval()
    z = torch.randn(1, 8).expand(3, 8)
    x = net(z, torch.arange(3))
    assert min(float((x[i] - x[j]).abs().mean().detach()) for i, j in ((0, 1), (0, 2), (1, 2))) > 1e-4
    judge = build_discriminator(DiscriminatorSpec(architecture, size=28, classes=3, width=16)).eval()
    logits = judge(x[:1].expand(3, *x.shape[1:]), torch.arange(3))
    assert logits.unique().numel() == 3


def test_a_few_steps_teach_labels_to_a_pair_of_points() -> None:
    """Three labels stand for three places; G must go to each of them on demand."""
    torch.manual_seed(0)
    places = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0]])
    g = build_generator(GeneratorSpec("points", latent=2, classes=3, width=32))
    d = build_discriminator(DiscriminatorSpec("points", classes=3, width=32))
    of_g, of_d = (torch.optim.Adam(net.parameters(), 1e-2, betas=(0.0, 0.9)) for net in (g, d))
    for _ in range(150):
        labels = torch.randint(3, (64,))
        real = places[labels] + 0.1 * torch.randn(64, 2)
        fake = g(torch.randn(64, 2), labels)
        loss = discriminator_loss("hinge", real=d(real, labels), fake=d(fake.detach(), labels))
        of_d.zero_grad()
        loss.backward()
        of_d.step()
        of_g.zero_grad()
        generator_loss("hinge", real=fake, fake=d(fake, labels)).backward()
        of_g.step()
    with torch.no_grad():
        labels = torch.arange(3).repeat_interleave(100)
        nearest = torch.cdist(g(torch.randn(300, 2), labels), places).argmin(1)
    assert (nearest == labels).float().mean() > 0.9


def test_modulation_is_that_of_weights() -> None:
    """Scaling features before and after the convolution equals StyleGAN2's modulated and demodulated weights."""
    torch.manual_seed(0)
    layer = Modulated(5, 6)
    x, w = torch.randn(3, 5, 7, 7), torch.randn(3, 128)
    for i in range(3):
        scaled = layer.conv.weight * layer.style(w[i])[None, :, None, None]
        scaled = scaled / scaled.square().sum((1, 2, 3), keepdim=True).add(1e-8).sqrt()
        expected = nn.functional.conv2d(x[i : i + 1], scaled, padding=1) + layer.bias
        torch.testing.assert_close(layer(x[i : i + 1], w[i : i + 1]), expected, rtol=1e-4, atol=1e-5)


def test_styles_mix_truncate_and_factorise() -> None:
    net = modern(classes=2, conditions=3)
    z, labels, colours = torch.randn(2, 8), torch.tensor([0, 1]), torch.rand(2, 3)
    styles = net.styles(z, labels, colours)
    assert styles.shape == (2, net.synthesis.layers, 128)
    x = net.synthesis(styles)
    torch.testing.assert_close(x, net(z, labels, colours))
    mixed = styles[:1].clone()
    mixed[:, -2:] = styles[1:, -2:]
    y = net.synthesis(mixed)
    assert not torch.allclose(y, x[:1])
    mean = mean_style(
        net, labels=torch.zeros(64).long(), conditions=torch.rand(64, 3), count=64, generator=torch.Generator()
    )
    assert mean.shape == (128,)
    torch.testing.assert_close(truncate(styles, mean=mean, psi=1.0), styles)
    average = net.synthesis(truncate(styles, mean=mean, psi=0.0))
    torch.testing.assert_close(average[0], average[1])
    weights = net.style_weights()
    assert len(weights) == net.synthesis.layers
    assert {matrix.shape[1] for matrix in weights} == {128}
    direction = torch.linalg.svd(torch.cat(weights))[2][0]
    moved = net.synthesis(styles + 3 * direction)
    assert not torch.allclose(moved, x)


def test_every_style_layer_and_the_condition_change_the_picture() -> None:
    net = modern(conditions=3)
    z = torch.randn(1, 8)
    assert not torch.allclose(net(z, None, torch.zeros(1, 3)), net(z, None, torch.ones(1, 3)))
    styles = net.styles(z, None, torch.zeros(1, 3))
    for layer in range(net.synthesis.layers):
        other = styles.clone()
        other[:, layer] += torch.randn(128)
        assert (net.synthesis(other) - net.synthesis(styles)).abs().max() > 1e-4, layer


def test_the_modern_generator_is_light_and_starts_in_range() -> None:
    torch.manual_seed(0)
    net = build_generator(GeneratorSpec("modern", size=128, channels=4, classes=10, conditions=3))
    assert sum(p.numel() for p in net.parameters()) < 4e6
    macs = 0

    def count(layer: nn.Module, _: object, y: Tensor) -> None:
        nonlocal macs
        assert isinstance(layer, nn.Conv2d)
        macs += y[0].numel() * layer.weight[0].numel()

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        x = net(torch.randn(2, 128), torch.tensor([0, 1]), torch.rand(2, 3))
    assert 2 * macs < 0.6e9
    assert 0.05 < float(x.std()) < 0.75, "tanh is not at its ends"


@pytest.mark.parametrize(
    "spec",
    [
        small("points"),
        small("points", classes=3),
        small("dcgan", channels=1),
        small("dcgan", 32, classes=3),
        small("modern", 32, channels=4),
        small("modern", channels=4, classes=3),
        small("modern", channels=4, conditions=3),
        small("modern", channels=4, classes=3, conditions=3),
        GeneratorSpec("unet", size=32, channels=3, channels_in=4, width=4),
        GeneratorSpec("resnet", size=32, width=4),
    ],
    ids=lambda s: f"{s.architecture}-{s.size}-{s.classes}-{s.conditions}",
)
def test_every_generator_exports(spec: GeneratorSpec, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = build_generator(spec).eval()
    path = export(Exportable(net, spec), tmp_path, "g", inputs=ports(spec), outputs=["made"], card={}, tolerance=0.01)
    about = json.loads(path.with_suffix(".json").read_text())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for n in (1, 3):  # another batch than the one it was exported with
        feed = {p.name: p.example.numpy() for p in ports(spec, n=n)}
        assert [i["name"] for i in about["inputs"]] == list(feed)
        assert [i["dtype"] for i in about["inputs"]] == [str(v.dtype) for v in feed.values()]
        (found,) = session.run(None, feed)
        expected = Exportable(net, spec)(*[torch.from_numpy(v) for v in feed.values()]).detach()
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0.02, atol=0.02)


def test_mapping_and_synthesis_export_apart(tmp_path: Path) -> None:
    spec = small("modern", channels=4, classes=3, conditions=3)
    net = modern(classes=3, conditions=3)
    assert isinstance(net.mapping, Mapping)
    parts: dict[str, tuple[nn.Module, list[Port]]] = {
        "mapping": (Exportable(net.mapping, spec), ports(spec)),
        "synthesis": (net.synthesis, [style_port(net.synthesis)]),
    }
    for name, (part, inputs) in parts.items():
        assert export(part, tmp_path, name, inputs=inputs, outputs=["out"], card={}, tolerance=0.01).exists()


def test_the_lists_of_names_are_those_that_build() -> None:
    for name in GENERATORS:
        build_generator(GeneratorSpec(name, size=32, width=4))
    for name in DISCRIMINATORS:
        build_discriminator(DiscriminatorSpec(name, size=32, width=4))
    assert set(TRANSLATORS) < set(GENERATORS)
