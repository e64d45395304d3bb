"""Mean and spread of the figures in makeup/traits.py over faces seen from the front.

python tools/face_measures.py runs/teacher/faces
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from mojing.core.errors import InputError
from mojing.makeup.pipeline import Makeup
from mojing.makeup.traits import USUAL, measure, traits
from mojing.perception.faceview import FaceView


def _frontal(path: Path, turn: float) -> FaceView | None:
    """The teacher's face of a file, if there is one and it is seen from the front."""
    mesh = np.load(path)["face"]
    if not len(mesh):
        return None
    view = FaceView.of_mesh(mesh, (512, 512))
    return view if abs(view.yaw) < turn and abs(view.pitch) < 25.0 else None


def compare(named: dict[str, FaceView], photos: Path) -> None:
    """Print how well the shipped network's figures follow the teacher's on faces that neither was trained on."""
    mirror = Makeup()
    pairs = []
    for name, teacher in named.items():
        found = sorted(photos.glob(f"{name}.*"))
        if not (name.isdigit() and int(name) % 9 == 4 and found):
            continue
        try:
            pairs.append((mirror.look(found[0]).face, teacher))
        except InputError as refused:
            print(f"{name}: {refused.code}")
    ours, theirs = ([measure(np.asarray(pair[i].mesh, np.float64)) for pair in pairs] for i in (0, 1))
    for name, (_, spread) in USUAL.items():
        a, b = (np.array([row[name] for row in rows]) for rows in (ours, theirs))
        error = float((a - b).std()) / spread
        print(f"{name:10} correlation {np.corrcoef(a, b)[0, 1]:5.2f}  error {error:5.2f} standard deviations")
    clear = [(traits(a).shape, traits(b)) for a, b in pairs if not traits(a).other]
    same = sum(shape in (other.shape, other.other) for shape, other in clear)
    print(f"{len(pairs)} faces; a clear shape in {len(clear)}, which the teacher names too in {same}")


def main() -> None:
    """Print a line for every figure, and how often each shape is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("meshes", type=Path, help="folder of the teacher's NAME.npz with `face` (478, 3)")
    parser.add_argument("--turn", type=float, default=12.0, help="leave out faces turned further, degrees")
    parser.add_argument("--photos", type=Path, help="folder of the photos, to compare the shipped face network")
    args = parser.parse_args()
    named = {path.stem: view for path in sorted(args.meshes.glob("*.npz")) if (view := _frontal(path, args.turn))}
    if args.photos:
        compare(named, args.photos)
        return
    faces = list(named.values())
    rows = [measure(np.asarray(view.mesh, np.float64)) for view in faces]
    print(f"{len(rows)} faces")
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        print(f"{name:10} mean {values.mean():7.3f}  sd {values.std():6.3f}")
    found = [traits(view) for view in faces]
    print(Counter(one.shape for one in found).most_common(), f"between two: {sum(bool(one.other) for one in found)}")
    print(Counter(hint for one in found for hint in one.hints).most_common())


if __name__ == "__main__":
    main()
