"""The garment network: cut-out, anchors, category and sleeve from one product photo."""

from __future__ import annotations

from torch import Tensor, nn

from mojing.core.skeleton import GARMENT_ANCHORS
from mojing.train.nets.unet import ConvNorm, UNet

SEGMENTS = ("background", "garment", "inner")


class GarmentNet(nn.Module):
    """RGB (N, 3, 256, 256) in [0, 1] -> seg logits (N, 3, 128, 128), heat maps (N, 17, 64, 64), category logits (N, 5),
    sleeve logits (N, 3) and a feature vector (N, 224)."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(3)
        self.seg = nn.Conv2d(24, len(SEGMENTS), 1)
        self.anchors = nn.Sequential(ConvNorm(48, 48), nn.Conv2d(48, len(GARMENT_ANCHORS), 1))
        self.category = nn.Linear(224, 5)
        self.sleeve = nn.Linear(224, 3)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        half, quarter, bottom = self.unet((image - 0.5) * 4.0)
        pooled = bottom.mean(dim=(2, 3))
        dropped = nn.functional.dropout(pooled, 0.2, self.training)
        return self.seg(half), self.anchors(quarter), self.category(dropped), self.sleeve(dropped), pooled

    def start_from_body(self, weights: dict[str, Tensor]) -> None:
        """Take over the body network's U-Net (state dict of `BodyNet`)."""
        own = {key.removeprefix("unet."): value for key, value in weights.items() if key.startswith("unet.")}
        self.unet.load_state_dict(own)
