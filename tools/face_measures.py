"""Mean and spread of the figures in makeup/traits.py over faces seen from the front.

python tools/face_measures.py runs/teacher/faces
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from mojing.makeup.traits import measure, traits
from mojing.perception.faceview import FaceView


def main() -> None:
    """Print a line for every figure, and how often each shape is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("meshes", type=Path, help="folder of the teacher's NAME.npz with `face` (478, 3)")
    parser.add_argument("--turn", type=float, default=12.0, help="leave out faces turned further, degrees")
    args = parser.parse_args()
    faces = []
    for path in sorted(args.meshes.glob("*.npz")):
        mesh = np.load(path)["face"]
        if len(mesh):
            view = FaceView.of_mesh(mesh, (512, 512))
            if abs(view.yaw) < args.turn and abs(view.pitch) < 25.0:
                faces.append(view)
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
