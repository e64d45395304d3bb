"""The try-on generator, its composition and its discriminator."""

from __future__ import annotations

import pytest
import torch

from mojing.tryon.conditions import CONTEXT_CHANNELS, PICTURE_CHANNELS

render = pytest.importorskip("mojing.train.nets.render")


def inputs(n: int = 2, h: int = 64, w: int = 32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    photo = torch.rand(n, 3, h, w, generator=g)
    picture = torch.zeros(n, PICTURE_CHANNELS, h, w)
    picture[:, 3, 16:48, 8:24] = 1
    picture[:, 7, 20:40, 10:20] = 1
    picture[:, 4:7] = (torch.rand(n, 3, h, w, generator=g) * 2 - 1) * picture[:, 7:8]
    picture[:, :3] = (photo * 2 - 1) * (1 - picture[:, 3:4])
    return photo, picture, torch.rand(n, CONTEXT_CHANNELS, h // 4, w // 4, generator=g)


def test_the_generator_gives_the_shapes_and_ranges_it_says() -> None:
    _, picture, context = inputs()
    with torch.no_grad():
        rgb, alpha, flow, gain, parse = render.Generator().eval()(picture, context)
    assert rgb.shape == (2, 3, 64, 32)
    assert alpha.shape == (2, 1, 64, 32)
    assert flow.shape == (2, 2, 16, 8)
    assert gain.shape == (2, 1, 16, 8)
    assert parse.shape == (2, 21, 16, 8)
    assert 0 <= float(rgb.min()) <= float(rgb.max()) <= 1
    assert float(flow.abs().max()) <= render.MAX_FLOW * 64


def test_nothing_changes_outside_the_edit_mask() -> None:
    photo, picture, context = inputs()
    out = render.Generator().eval()(picture, context)
    result, alpha, _ = render.compose(out, photo=photo, picture=picture)
    outside = picture[:, 3:4] == 0
    assert torch.equal(result[outside.expand_as(result)], photo[outside.expand_as(photo)])
    assert float(alpha[:, :, :8].detach().max()) == 0  # no garment where none was draped


def test_an_opaque_garment_without_flow_and_gain_is_laid_over_as_it_is() -> None:
    photo, picture, _ = inputs()
    n, _, h, w = photo.shape
    none = torch.zeros(n, 2, h // 4, w // 4)
    out = (photo * 0, torch.full((n, 1, h, w), 20.0), none, torch.ones(n, 1, h // 4, w // 4), none)
    result, _, _ = render.compose(out, photo=photo, picture=picture)
    solid = (picture[:, 7:8] == 1).expand_as(result)
    assert torch.allclose(result[solid], ((picture[:, 4:7] + 1) / 2)[solid], atol=1e-4)


def test_gradients_reach_every_weight_of_both_networks() -> None:
    photo, picture, context = inputs()
    generator, critic = render.Generator(), render.Discriminator()
    out = generator(picture, context)
    result, alpha, _ = render.compose(out, photo=photo, picture=picture)
    score, features = critic(torch.cat([result, picture[:, 3:4], picture[:, 7:8]], 1))
    assert score.shape[1] == 1
    assert len(features) == 3
    (score.mean() + alpha.mean() + out[4].mean()).backward()
    for net in (generator, critic):
        missing = [name for name, p in net.named_parameters() if p.grad is None]
        assert not missing
