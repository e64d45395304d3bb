"""A generator small enough to know by heart: its styles move a drawn shirt's shape and colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mojing.core.arrays import F32, U8

KINDS = ("t-shirt", "dress", "hat")
LATENT, LAYERS, WIDTH, SIDE = 16, 6, 12, 64


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `design-mapping`, `design`, `features` and the style weights, without the other networks."""
    torch = pytest.importorskip("torch", reason="makes the tiny generator")
    from mojing.studio.latent import write_weights
    from mojing.train.export import Port, export
    from tests.studio.toy import ToyFeatures, ToyMapping, ToySynthesis

    torch.set_num_threads(1)
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("models")
    hot = torch.eye(len(KINDS))[:2]
    card = {"labels": list(KINDS), "datasets": ["made here"], "licence": "Apache-2.0"}
    ports = [Port("z", torch.randn(2, LATENT)), Port("kind", hot), Port("colour", torch.rand(2, 3))]
    mapping = ToyMapping(latent=LATENT, kinds=len(KINDS), layers=LAYERS, width=WIDTH)
    export(mapping, folder, "design-mapping", inputs=ports, outputs=["styles"], card=card)
    synthesis = ToySynthesis(layers=LAYERS, width=WIDTH, side=SIDE)
    styles = [Port("styles", torch.randn(2, LAYERS, WIDTH))]
    export(synthesis, folder, "design", inputs=styles, outputs=["rgba"], card=card)
    image = [Port("image", torch.rand(2, 3, 128, 128))]
    export(ToyFeatures(), folder, "features", inputs=image, outputs=["feature", "kind"], card=card)
    shape, colour = synthesis.shape.weight, synthesis.paint.weight
    middle = torch.zeros_like(shape)
    layers = [shape if i < 2 else colour if i > 3 else middle for i in range(LAYERS)]
    write_weights(folder, [layer.detach().numpy() for layer in layers])
    return folder


def shirt(*, side: int = 160, rgb: tuple[int, int, int] = (180, 40, 60), seed: int = 0) -> tuple[U8, U8, F32]:
    """A drawn shirt on grey in uneven light: photo (H, W, 3), opacity (H, W), and the true shading (H, W)."""
    ys, xs = np.mgrid[0:side, 0:side] / side
    body = (np.abs(xs - 0.5) < 0.22) & (ys > 0.15) & (ys < 0.9)
    sleeve = (np.abs(xs - 0.5) < 0.42) & (ys > 0.15) & (ys < 0.35)
    on = body | sleeve
    rng = np.random.default_rng(seed)
    shading = 0.85 + 0.12 * np.sin(18 * xs + 6 * ys) + 0.04 * np.cos(40 * ys) + rng.normal(0, 0.004, xs.shape)
    linear = (np.array(rgb) / 255.0) ** 2.2 * shading[..., None]
    cloth = np.clip(linear, 0, 1) ** (1 / 2.2) * 255
    photo = np.where(on[..., None], cloth, 128 + rng.normal(0, 2, (side, side, 1)))
    return np.clip(photo, 0, 255).astype(np.uint8), (on * 255).astype(np.uint8), shading.astype(np.float32)
