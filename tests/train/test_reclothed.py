"""People in other skirts: the shipped try-on puts a bundled skirt on bundled people, whose labels follow."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mojing.core.image import load
from mojing.perception.body import BodyNet
from mojing.perception.labels import L
from mojing.runtime.store import ModelStore
from mojing.train.data.people import IGNORE, Person
from mojing.train.data.reclothed import bare_arms, reclothe

ROOT = Path(__file__).parents[2]
ANNA, SKIRT = ROOT / "examples" / "people" / "anna.jpg", ROOT / "examples" / "garments" / "skirt.jpg"
READY = ANNA.is_file() and all(ModelStore().has(name) for name in ("body", "garment", "render"))

pytestmark = pytest.mark.skipif(not READY, reason="needs the shipped models and the bundled examples")


@pytest.fixture(scope="module")
def anna() -> Person:
    """Anna, her labels and joints as the body network reads them."""
    rgb = cv2.resize(load(ANNA).rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    body = BodyNet(ModelStore(), threads=1)(rgb)
    half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(body.alpha, (half.shape[1], half.shape[0]), interpolation=cv2.INTER_AREA)
    return Person("people/anna", [rgb, half, half[::2, ::2]], body.joints.copy(), body.parse.copy(), alpha, True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the bundled skirt, the same for a child, and from a held-out sender."""
    photos = tmp_path / "garments" / "photos"
    photos.mkdir(parents=True)
    rows = [
        "image,sender_id,label,kids",
        "0001,1,Skirt,False",
        "0002,1,Skirt,True",
        "0003,1,Hat,False",
        "0004,4,Skirt,False",
    ]
    (tmp_path / "garments" / "images.csv").write_text("\n".join(rows))
    for name in ("0001", "0002", "0003", "0004"):
        (photos / f"{name}.webp").write_bytes(SKIRT.read_bytes())
    return tmp_path


def test_the_new_skirt_is_labelled_and_the_rest_is_as_before(anna: Person, data: Path) -> None:
    made = reclothe([anna], data, data / "kept", each=1)
    assert len(made) == 1  # hats, children's skirts and those of held-out senders are left out
    after = made[0]
    assert after.parse is not None
    assert anna.parse is not None
    skirt = after.parse == L["skirt"]
    assert 0.01 < skirt.mean() < 0.4
    assert not np.isin(after.parse, [L["trousers"], L["dress"]]).any()
    assert np.array_equal(after.joints, anna.joints)
    head = np.isin(anna.parse, [L["hair"], L["face"]])
    assert np.array_equal(after.parse[head], anna.parse[head])
    difference = np.abs(after.levels[0].astype(int) - anna.levels[0]).max(axis=2)
    assert np.median(difference[skirt]) > 20  # cloth is there
    assert np.median(difference[head]) < 10  # the codec's
    assert (after.parse == IGNORE).mean() < 0.1


def test_a_filled_folder_is_read_and_not_made_anew(anna: Person, data: Path) -> None:
    first = reclothe([anna], data, data / "kept", each=1)
    (data / "garments" / "images.csv").unlink()
    again = reclothe([anna], data, data / "kept", each=1)
    assert [p.key for p in again] == [p.key for p in first]
    for a, b in zip(again, first, strict=True):
        assert a.parse is not None
        assert b.parse is not None
        assert np.array_equal(a.parse, b.parse)


def test_arms_painted_where_sleeves_were_are_arms_by_their_colour(anna: Person) -> None:
    assert anna.parse is not None
    rgb, parse = anna.levels[0].copy(), anna.parse.copy()
    arms = np.isin(parse, [L["left_arm"], L["right_arm"]])
    cloth = parse == L["upper"]
    parse[arms] = L["outer"]
    rgb[arms] = np.median(rgb[parse == L["face"]], axis=0)
    rgb[cloth] = (20, 30, 200)
    after = bare_arms(parse, rgb, anna.joints, edit=arms | cloth)
    assert np.isin(after[arms], [L["left_arm"], L["right_arm"]]).mean() > 0.9
    assert (after[cloth] == IGNORE).all()
    assert np.array_equal(after[~(arms | cloth)], parse[~(arms | cloth)])
