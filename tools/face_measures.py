"""What is usual of the figures in makeup/traits.py, as our face network draws them, and how far it is to be believed.

python tools/face_measures.py runs/teacher/faces --photos DATA/faces/photos

`USUAL` and `BROW_GAIN` of makeup/traits.py are what this prints of the training portraits; the held-out ones (every
ninth) tell how often the network is on the teacher's side of the usual where it is clear.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from mojing.core.arrays import F32, AnyArray
from mojing.core.image import load
from mojing.makeup.pipeline import Makeup
from mojing.makeup.traits import CLEAR, USUAL, measure, traits
from mojing.perception.faceview import FaceView

Row = dict[str, float]


def _frontal(path: Path, turn: float) -> FaceView | None:
    """The teacher's face of a file, if there is one and it is seen from the front."""
    mesh = np.load(path)["face"]
    if not len(mesh):
        return None
    view = FaceView.of_mesh(mesh, (512, 512))
    return view if abs(view.yaw) < turn and abs(view.pitch) < 25.0 else None


def _seen(photo: Path, teacher: FaceView, mirror: Makeup) -> FaceView | None:
    """The same face as the shipped network sees it."""
    found = mirror.faces.find(load(photo).flat())
    near = [v for v in found if _off(v.mesh, teacher.mesh) < 0.2 * teacher.inter_ocular]
    return near[0] if near else None


def _off(ours: F32, theirs: F32) -> float:
    return float(np.abs(ours[:, :2] - theirs[:, :2]).mean())


def _columns(views: list[FaceView]) -> dict[str, AnyArray]:
    rows: list[Row] = [measure(np.asarray(view.mesh, np.float64)) for view in views]
    return {name: np.array([row[name] for row in rows]) for name in USUAL}


def usual(pairs: list[tuple[FaceView, FaceView]]) -> None:
    """Print mean and spread of the network's figures, and how they follow the teacher's."""
    ours, theirs = (_columns([pair[i] for pair in pairs]) for i in (0, 1))
    print(f"{len(pairs)} training portraits seen from the front")
    for name, values in ours.items():
        told = f'    "{name}": ({values.mean():.3f}, {values.std():.3f}),'
        print(f"{told:36} # teacher {theirs[name].mean():.3f}, {theirs[name].std():.3f}")
    slope = float(np.polyfit(ours["brow_level"], theirs["brow_level"], 1)[0])
    print(f"BROW_GAIN = {slope:.2f}")


def believed(pairs: list[tuple[FaceView, FaceView]], *, what: str, centre: dict[str, float]) -> None:
    """Print how often the teacher is on the same side of its usual (`centre`) where the network's figure is clear."""
    ours, theirs = (_columns([pair[i] for pair in pairs]) for i in (0, 1))
    print(f"\n{len(pairs)} {what}")
    for name, (mean, spread) in USUAL.items():
        z = (ours[name] - mean) / spread
        clear = np.abs(z) > CLEAR
        same = np.sign(z) == np.sign(theirs[name] - centre[name])
        share = float(same[clear].mean()) if clear.any() else 0.0
        r = float(np.corrcoef(ours[name], theirs[name])[0, 1])
        print(f"{name:12} correlation {r:.2f}  clear in {int(clear.sum()):3d}, same side {share:.2f}")
    found = [traits(ours_) for ours_, _ in pairs]
    print(Counter(one.shape for one in found).most_common(), f"between two: {sum(bool(one.other) for one in found)}")
    print(Counter(hint for one in found for hint in one.hints).most_common())


def main() -> None:
    """Print what is usual, and how far it is to be believed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("meshes", type=Path, help="folder of the teacher's NAME.npz with `face` (478, 3)")
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos NAME.*")
    parser.add_argument("--turn", type=float, default=12.0, help="leave out faces turned further, degrees")
    args = parser.parse_args()
    mirror = Makeup()
    pairs: dict[bool, list[tuple[FaceView, FaceView]]] = {False: [], True: []}
    for path in sorted(args.meshes.glob("*.npz")):
        teacher, photos = _frontal(path, args.turn), sorted(args.photos.glob(f"{path.stem}.*"))
        view = _seen(photos[0], teacher, mirror) if teacher is not None and photos else None
        if view is not None and teacher is not None:
            pairs[path.stem.isdigit() and int(path.stem) % 9 == 4].append((view, teacher))
    usual(pairs[False])
    centre = {name: float(values.mean()) for name, values in _columns([p[1] for p in pairs[False]]).items()}
    believed(pairs[False], what="training portraits", centre=centre)
    believed(pairs[True], what="held-out portraits", centre=centre)


if __name__ == "__main__":
    main()
