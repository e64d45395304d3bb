"""Which garment a photo shows, for printing on: worn by somebody, or lying and only taken for worn."""

from __future__ import annotations

import numpy as np

from mojing.core.color import rgb_to_lab
from mojing.core.errors import InputError
from mojing.core.image import Photo
from mojing.perception.garment import GarmentNet, GarmentView
from mojing.runtime.store import ModelStore
from mojing.studio.colours import palette_of

ALIKE, SHARE, LEAST = 14.0, 0.6, 0.04
"""What a view taken off a person leaves out is cloth when this share of it is within so many Lab units of the cloth's
colours; less than LEAST of the garment does not matter."""


def look(photo: Photo, *, category: str = "auto", store: ModelStore | None = None, threads: int = 2) -> GarmentView:
    """The garment of a photo.

    A shirt on an invisible mannequin can be taken for worn; then its hood or sleeves are left out as if they were hair
    or skin. Where what was left out has the cloth's own colours, the garment is looked at once more as lying.

    Raises:
        InputError: no_garment, bad_category.
    """
    net = GarmentNet(store or ModelStore(), threads=threads)
    view = net(photo, category=category)
    if not view.worn:
        return view
    net.body = None
    try:
        lying = net(photo, category=view.category if category == "auto" else category)
    except InputError:
        return view
    return lying if left_out_is_cloth(view, lying) else view


def left_out_is_cloth(worn: GarmentView, lying: GarmentView) -> bool:
    """Whether the cloth seen in `lying` beyond that of `worn` has the same colours."""
    whole = np.maximum(lying.alpha, lying.inner) > 127
    rest = whole & (worn.alpha < 64)
    if rest.sum() < LEAST * max(int((worn.alpha > 127).sum()), 1):
        return False
    cloth = palette_of(worn.rgb, worn.alpha, count=4)
    if not len(cloth):
        return False
    pixels = rgb_to_lab(worn.rgb[rest][:: max(1, int(rest.sum()) // 4000)])
    gap = np.linalg.norm(pixels[:, None] - rgb_to_lab(cloth)[None], axis=2).min(axis=1)
    return bool((gap < ALIKE).mean() > SHARE)
