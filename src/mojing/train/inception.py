"""The Inception-v3 network of the published FID and IS figures, through torch-fidelity where that is installed.

torch-fidelity (Apache-2.0) needs torchvision and fetches the weights itself when first used; here nothing is fetched,
the weights must lie where torch keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch

from mojing.core.arrays import F32, U8
from mojing.core.errors import MissingExtraError, ModelError

WEIGHTS: Final = "weights-inception-2015-12-05-6726825d.pth"


class Inception:
    """Pictures (H, W, 3) uint8 -> pool features (N, 2048) and class probabilities (N, 1008), as in the papers.

    Raises:
        MissingExtraError: torch-fidelity is not installed. ModelError: model_missing, its weights are not there.
    """

    name = "inception-v3-compat of torch-fidelity"

    def __init__(self, *, threads: int = 2, batch: int = 16) -> None:
        if find_spec("torch_fidelity") is None:
            raise MissingExtraError("inception", needs="torch-fidelity", packages="torch-fidelity torchvision")
        weights = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS
        if not weights.is_file():
            raise ModelError(
                "model_missing", f"there is no {weights}", "run torch-fidelity once, which fetches it, or put it there"
            )
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        torch.set_num_threads(threads)
        self.batch = batch
        self.net = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], str(weights))

    @torch.no_grad()
    def __call__(self, images: Sequence[U8] | U8) -> tuple[F32, F32]:
        features, probs = [], []
        for start in range(0, len(images), self.batch):
            pictures = torch.from_numpy(np.stack(list(images[start : start + self.batch]))).permute(0, 3, 1, 2)
            feature, logits = self.net(pictures)
            features.append(feature.numpy())
            probs.append(torch.softmax(logits, dim=1).numpy())
        return np.concatenate(features), np.concatenate(probs)
