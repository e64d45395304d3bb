"""Render the example people and garments of `examples/`.

python tools/examples/make_examples.py                    # everything, into examples/
python tools/examples/make_examples.py anna shirt -o out  # some, elsewhere
python tools/examples/make_examples.py --draft -o out     # small and rough, to try a change
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import bpy  # it makes bmesh and mathutils importable, so it comes first

# isort: split
from garments import GARMENTS, render_garment
from people import PEOPLE, render_person
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 150 * 1024
"""No committed picture may be larger (bytes)."""


def save_jpeg(source: Path, target: Path) -> None:
    """Turn a PNG into a JPEG that is as good as the size limit allows."""
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(source).convert("RGB")
    for quality in (92, 88, 84, 80, 75, 70):
        picture.save(target, quality=quality, optimize=True, subsampling=0)
        if target.stat().st_size <= LARGEST:
            return


def main(argv: list[str] | None = None) -> int:
    """Render what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join([*PEOPLE, *GARMENTS])}")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "examples")
    parser.add_argument("--draft", action="store_true", help="small and rough")
    args = parser.parse_args(argv)
    unknown = sorted(set(args.names) - {*PEOPLE, *GARMENTS})
    if unknown:
        parser.error(f"no such example: {', '.join(unknown)}")
    scale, samples = (0.5, 8) if args.draft else (1.0, 14)
    wanted = args.names or [*PEOPLE, *GARMENTS]
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            picture = Path(folder) / f"{name}.png"
            if name in PEOPLE:
                kind = "people"
                render_person(PEOPLE[name], picture, samples=samples, scale=scale)
            else:
                kind = "garments"
                render_garment(GARMENTS[name], picture, samples=samples, scale=scale)
            save_jpeg(picture, args.out / kind / f"{name}.jpg")
            print(args.out / kind / f"{name}.jpg", f"(Blender {bpy.app.version_string})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
