"""`mojing inspect`."""

from __future__ import annotations

from pathlib import Path

from mojing.cli.console import read_photo, say, write_json
from mojing.core import files


def person(photo_path: Path, out: Path, *, which: int | None) -> None:
    """Write what the body network sees in a photo into the folder `out`."""
    from mojing.perception.body import BodyNet
    from mojing.perception.export import write_person
    from mojing.runtime import ModelStore

    files.check_folder(out)
    photo = read_photo(photo_path).opaque()
    view = BodyNet(ModelStore())(photo.rgb, person=which)
    write_person(view, photo, out)
    _tell((*photo.notices, *view.notices), out)


def garment(photo_path: Path, out: Path, *, category: str) -> None:
    """Write what the garment network sees in a photo into the folder `out`."""
    from mojing.perception.export import write_garment
    from mojing.perception.garment import GarmentNet
    from mojing.runtime import ModelStore

    files.check_folder(out)
    photo = read_photo(photo_path)
    view = GarmentNet(ModelStore())(photo, category=category)
    write_garment(view, photo, out)
    _tell((*photo.notices, *view.notices), out)


def face(photo_path: Path, out: Path, *, which: int | None) -> None:
    """Write what is seen of a face in a photo into the folder `out`."""
    files.check_folder(out)
    photo = read_photo(photo_path)
    from mojing.makeup.pipeline import Makeup
    from mojing.makeup.report import skin_json
    from mojing.perception.faceexport import write_face

    sitter = Makeup().look(photo, face=which)
    rgb = photo.flat()
    write_face(sitter.face, rgb, out)
    write_json(out / "skin.json", skin_json(rgb, sitter.face))
    _tell((*photo.notices, *sitter.face.notices), out)


def _tell(notices: tuple[str, ...], out: Path) -> None:
    for notice in dict.fromkeys(notices):
        say(f"notice: {notice}")
    say(str(out))
