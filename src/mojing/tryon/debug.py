"""`--debug DIR`: every intermediate picture of a try-on, for whoever wants to see where it goes wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mojing.core.image import Photo, save
from mojing.perception.body import BodyView
from mojing.perception.export import write_garment, write_person
from mojing.perception.garment import GarmentView
from mojing.tryon.agnostic import Edit
from mojing.tryon.drape import Drape
from mojing.tryon.render import Rendered


def write_debug(
    folder: Path,
    person: tuple[Photo, BodyView],
    garment: tuple[Photo, GarmentView],
    *,
    drape: Drape,
    edit: Edit,
    rendered: Rendered,
) -> None:
    """Write person/ and garment/ as `mojing inspect` does, coarse.png (RGBA), agnostic.png, edit_mask.png, keep.png,
    generated_parse.png (8-bit label ids of the network's crop), garment_alpha.png and result.png.

    Raises:
        InputError: unwritable.
    """
    photo, body = person
    write_person(body, photo, folder / "person")
    write_garment(garment[1], garment[0], folder / "garment")
    coarse = np.dstack([drape.rgb, np.clip(drape.alpha * 255 + 0.5, 0, 255).astype(np.uint8)])
    save(folder / "coarse.png", coarse)
    save(folder / "agnostic.png", np.where(edit.mask[..., None] > 0, np.uint8(128), photo.rgb))
    save(folder / "edit_mask.png", edit.mask)
    save(folder / "keep.png", edit.keep)
    if rendered.parse is not None:
        save(folder / "generated_parse.png", rendered.parse)
    save(folder / "garment_alpha.png", np.clip(rendered.alpha * 255 + 0.5, 0, 255).astype(np.uint8))
    save(folder / "result.png", rendered.image)
