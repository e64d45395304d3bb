"""What the pipeline refuses before it drapes anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mojing.core.errors import InputError
from mojing.core.skeleton import J
from mojing.tryon.pipeline import _check_in_view
from tests.tryon.wardrobe import body


@pytest.mark.parametrize("category", ["top", "outer", "dress", "skirt", "trousers"])
def test_a_whole_person_can_wear_everything(category: str) -> None:
    _check_in_view(body(), category)


@pytest.mark.parametrize(
    ("joint", "refused", "accepted"), [("shoulder", ("top", "outer", "dress"), "trousers"), ("knee", ("skirt",), "top")]
)
@pytest.mark.parametrize("how", ["unseen", "outside"])
def test_what_is_not_in_the_photo_cannot_be_dressed(
    joint: str, refused: tuple[str, ...], accepted: str, how: str
) -> None:
    view = body()
    joints = np.array(view.joints)
    for side in ("left", "right"):
        row = J[f"{side}_{joint}"]
        if how == "unseen":
            joints[row, 2] = 0.02
        else:
            joints[row, 1] = -40 if joint == "shoulder" else view.hw[0] + 40
    cropped = replace(view, joints=joints)
    for category in refused:
        with pytest.raises(InputError, match=category) as caught:
            _check_in_view(cropped, category)
        assert caught.value.code == "bad_crop"
        assert joint[:3] in caught.value.hint or "legs" in caught.value.hint
    _check_in_view(cropped, accepted)
