"""The networks the field started from, as baselines for our own: what each is told, and its answer on the photo.

Both see the crop that our render network sees, at their own size, and both get our drape: the garment already lies on
the body. What they are told is kept as bytes, because training holds all of it in memory; training and run time call
the same functions.

- pix2pix (Isola et al. 2017, arXiv:1611.07004): everything that our network is told but pose, labels, skin colour and
  category: the photo with the edit region blanked, that region, the draped garment and its opacity. It is trained on
  pairs, as try-on networks are.
- cyclegan (Zhu et al. 2017, arXiv:1703.10593): one ordinary picture, as its generators take: the edit region blanked to
  grey and the draped garment pasted over it, unrefined. It is trained without pairs; nothing tells it where the edit
  region is but the grey.

Neither gets what makes ours: the warp, the opacity and the shading that leave the garment photo's own pixels. A
baseline paints every pixel of the region itself, at its own resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.errors import InputError, ModelError
from mojing.core.geometry import Box, crop_affine, warp_crop
from mojing.perception.body import BodyView
from mojing.runtime import ModelSpec, Session
from mojing.tryon.agnostic import Edit, soft_mask
from mojing.tryon.conditions import CATEGORIES, crop_rect
from mojing.tryon.drape import Drape
from mojing.tryon.pipeline import TryOn
from mojing.tryon.render import Rendered, Renderer

PREFIX: Final = "baseline-"
"""A baseline's model is called this and its kind; baselines are not shipped."""


def paired_input(rgb: U8, mask: U8, *, cloth: F32, alpha: F32) -> U8:
    """What pix2pix is told: (8, H, W) uint8, 128 for nothing where a colour would be.

    Channels: blanked photo RGB, edit mask (0 or 255), draped garment RGB faded to grey by its opacity, that opacity.

    Args:
        rgb: (H, W, 3) crop of the photo.
        mask: (H, W) edit mask, 0 or 255.
        cloth: (H, W, 3) float32 0..255, the draped garment's colours times its opacity.
        alpha: (H, W) float32 0..1, its opacity.
    """
    grey = np.float32(128)
    blanked = np.where(mask[..., None] > 0, np.uint8(128), rgb)
    faded = _bytes(cloth + grey * (1 - alpha[..., None]))
    opacity = _bytes(alpha[..., None] * np.float32(255))
    return np.ascontiguousarray(np.concatenate([blanked, mask[..., None], faded, opacity], axis=2).transpose(2, 0, 1))


def pasted_input(rgb: U8, mask: U8, *, cloth: F32, alpha: F32) -> U8:
    """What CycleGAN is told: (3, H, W) uint8, the photo, grey in the edit region, the draped garment pasted there.

    Args: as for `paired_input`.
    """
    under = np.where(mask[..., None] > 0, np.float32(128), rgb.astype(np.float32))
    over = np.where(mask > 0, alpha, np.float32(0))[..., None]
    worn = np.where(mask[..., None] > 0, cloth, np.float32(0))
    return np.ascontiguousarray(_bytes(worn + under * (1 - over)).transpose(2, 0, 1))


def _bytes(values: F32) -> U8:
    return np.asarray(np.clip(values + np.float32(0.5), 0, 255), np.uint8)


INPUTS: Final[dict[str, Callable[..., U8]]] = {"pix2pix": paired_input, "cyclegan": pasted_input}
"""Kind of baseline -> what makes its input."""

CHANNELS: Final = {"pix2pix": 8, "cyclegan": 3}


def signed(pixels: U8) -> F32:
    """Bytes as float32 in [-1, 1], as networks take them."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


class BaselineRenderer(Renderer):
    """A baseline in the place of our render network: same drape, same edit region, and our feathering of that region.

    Its picture is brought up to the photo's size and laid into the edit region; background that need not change stays
    the photo's own, as in our own result.
    """

    def __init__(self, spec: ModelSpec, *, threads: int = 2) -> None:
        kind = kind_of(spec)
        channels, h, w = spec.inputs[0].shape[1:]
        if channels != CHANNELS[kind] or not isinstance(h, int) or not isinstance(w, int):
            raise ModelError("model_mismatch", f"{spec.name} takes {spec.inputs[0].shape}", "train the baseline anew")
        self.session: Session = Session(spec, threads=threads)
        self.quality = None
        self.tell = INPUTS[kind]
        self.wh = (w, h)

    def __call__(self, rgb: U8, body: BodyView, *, drape: Drape, edit: Edit, category: str) -> Rendered:
        """Finish a try-on; arguments as for `Renderer`."""
        assert category in CATEGORIES
        x, y, w, h = crop_rect(edit.mask, hw=body.hw)
        crop = Box(x, y, x + w, y + h)
        inside = edit.mask > 0
        alpha = np.where(inside, drape.alpha, 0).astype(np.float32)
        to = crop_affine(crop, self.wh)
        cloth = drape.rgb.astype(np.float32) * drape.alpha[..., None]
        told = self.tell(
            np.asarray(warp_crop(rgb, to, out_wh=self.wh), np.uint8),
            np.asarray(warp_crop(edit.mask, to, out_wh=self.wh, border=0, nearest=True), np.uint8),
            cloth=np.asarray(warp_crop(cloth, to, out_wh=self.wh, border=0), np.float32),
            alpha=np.asarray(warp_crop(drape.alpha, to, out_wh=self.wh, border=0), np.float32),
        )
        made = self.session.run({self.session.spec.inputs[0].name: signed(told)[None]})
        answer = made[self.session.spec.outputs[0].name][0].transpose(1, 2, 0)
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        new = cv2.warpAffine(
            np.ascontiguousarray(answer),
            to.matrix,
            (body.hw[1], body.hw[0]),
            flags=how,
            borderMode=cv2.BORDER_REPLICATE,
        )
        soft = np.maximum(soft_mask(edit, radius=max(1.5, 0.004 * max(body.hw))), alpha)
        mixed = rgb + ((new + 1) * np.float32(127.5) - rgb) * soft[..., None]
        image = np.where(inside[..., None], np.clip(mixed + 0.5, 0, 255), rgb).astype(np.uint8)
        kept = min(float(alpha.sum()) / max(float(drape.alpha.sum()), 1.0), 1.0)
        return Rendered(image, alpha, None, crop, 1.0, 0.0, kept, drape)


def kind_of(spec: ModelSpec) -> str:
    """Which baseline a model is.

    Raises:
        ModelError: model_mismatch, when it is none.
    """
    kind = spec.name.removeprefix(PREFIX)
    if not spec.name.startswith(PREFIX) or kind not in INPUTS:
        raise ModelError("model_mismatch", f"{spec.name} is no baseline", f"a model called {PREFIX}{'|'.join(INPUTS)}")
    return kind


def find_baselines(folder: Path) -> tuple[ModelSpec, ...]:
    """The baselines in a folder.

    Raises:
        InputError: bad_data, when there is none. ModelError: model_corrupt.
    """
    found = tuple(ModelSpec.read(path) for path in sorted(folder.glob(f"{PREFIX}*.json")))
    if not found:
        raise InputError("bad_data", f"{folder} holds no baseline", "make one with `mojing train baseline`")
    return found


def baseline_tryon(spec: ModelSpec, *, threads: int = 2) -> TryOn:
    """Our try-on with a baseline in the place of the render network; it shows every result, however bad.

    Raises:
        ModelError: model_mismatch, model_missing, model_corrupt.
    """
    mirror = TryOn(threads=threads, gan=False, strict=False)
    mirror.renderer = BaselineRenderer(spec, threads=threads)
    return mirror
