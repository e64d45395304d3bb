"""Faces to train on: crops around the teacher's meshes, and what every pixel around them shows.

Nobody labelled the parts of these faces. They come from our own body network, shown the face at the size it knows,
from the hand-made labels of the street photos, from the mesh (mouth, eyes), and from the colour of each face's own
cheeks (beards). Where these disagree a pixel is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.geometry import Affine, Box
from mojing.perception import facemesh
from mojing.perception.faceview import FACE_PARTS, parts_affine
from mojing.perception.ground_truth import is_validation, label_table, read_label
from mojing.perception.labels import LABELS, L
from mojing.runtime.session import Session
from mojing.runtime.store import ModelStore

IGNORE = 255
REACH = 2.6
"""Side of a stored crop over the size of the face: room for turning, shrinking and shifting it."""
SETS: dict[str, int] = {"faces": 384, "shop": 256, "people": 160}
"""Set of photos -> side of its stored crops in px: about as many as its faces have."""
PART = {name: i for i, name in enumerate(FACE_PARTS)}
_OF_BODY = {"hair": "hair", "face": "skin", "neck": "skin", "glasses": "glasses"}
_CHEEKS = (50, 280, 101, 330, 117, 346, 118, 347, 36, 266)


@dataclass(frozen=True, eq=False)
class Face:
    """One stored face: crop (S, S, 3), what its pixels show (S, S; IGNORE where unknown), mesh in the crop's px."""

    rgb: U8
    label: U8
    mesh: F32
    name: str


def trusted(mesh: F32, pose: F32, hw: tuple[int, int]) -> bool:
    """Whether a teacher's mesh can be believed: of human proportions, where the pose has its eyes, not a profile."""
    if len(mesh) != facemesh.POINTS or facemesh.inter_ocular(mesh) < 9.0:
        return False
    size = facemesh.inter_ocular(mesh)
    eyes = (pose[2, :2] + pose[5, :2]) / 2
    if np.hypot(*(mesh[[468, 473], :2].mean(axis=0) - eyes)) > 0.7 * size:
        return False
    box = Box.around(mesh[:, :2])
    if box.x0 < -0.1 * size or box.y0 < -0.1 * size or box.x1 > hw[1] + 0.1 * size or box.y1 > hw[0] + 0.1 * size:
        return False
    return abs(facemesh.yaw(mesh)) < 55


def load_faces(data: Path, teacher: Path, *, cache: Path, held_out: bool, threads: int = 1) -> list[Face]:
    """Stored faces of the training part or of the held-out one; made and kept in the folder `cache` when missing."""
    faces = []
    for name in SETS:
        path = cache / f"{name}.npz"
        if not path.exists() and (teacher / name).is_dir():
            _keep(path, list(_make(data / name, teacher / name, side=SETS[name], threads=threads)))
        if path.exists():
            faces += [f for f in _kept(path) if is_validation(f.name.partition("/")[2]) == held_out]
    return faces


def _keep(path: Path, faces: list[Face]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.part.npz")
    np.savez(
        temporary,
        name=np.array([f.name for f in faces]),
        rgb=np.stack([f.rgb for f in faces]),
        label=np.stack([f.label for f in faces]),
        mesh=np.stack([f.mesh for f in faces]),
    )
    temporary.replace(path)


def _kept(path: Path) -> Iterator[Face]:
    with np.load(path) as file:
        rgb, label, mesh, names = (file[key] for key in ("rgb", "label", "mesh", "name"))
    for row in zip(rgb, label, mesh, names, strict=True):
        yield Face(row[0], row[1], row[2], str(row[3]))


def read_photo(folder: Path, stem: str) -> U8 | None:
    """Photo `stem` of a folder as RGB, whatever its format; None when there is none."""
    for suffix in (".webp", ".jpg", ".png"):
        bgr = cv2.imread(str(folder / f"{stem}{suffix}")) if (folder / f"{stem}{suffix}").exists() else None
        if bgr is not None:
            return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    return None


def _make(data: Path, teacher: Path, *, side: int, threads: int) -> Iterator[Face]:
    """Every trusted face of one set."""
    labeller = Labeller(data, threads=threads)
    for path in sorted(teacher.glob("*.npz")):
        with np.load(path) as file:
            mesh, pose, hw = file["face"], file["pose"], tuple(int(v) for v in file["hw"])
        if not trusted(mesh, pose, (hw[0], hw[1])):
            continue
        rgb = read_photo(data / "photos", path.stem)
        if rgb is None:
            continue
        affine = parts_affine(mesh, size=side, reach=REACH)
        crop = _warp(rgb, affine, side)
        moved = moved_mesh(mesh, affine)
        yield Face(crop, labeller(rgb, mesh, affine, crop=crop, stem=path.stem), moved, f"{data.name}/{path.stem}")


def moved_mesh(mesh: F32, affine: Affine) -> F32:
    """A mesh (N, 3) seen through a similarity; depth is scaled with it."""
    out = affine.apply(mesh)
    out[:, 2] *= affine.scale
    return out.astype(np.float32)


def _warp(rgb: U8, affine: Affine, side: int) -> U8:
    if affine.scale < 0.6:
        factor = 0.5 ** int(np.ceil(np.log2(0.6 / affine.scale)))
        rgb = np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        up = Affine(np.array([[1 / factor, 0, 0.5 / factor - 0.5], [0, 1 / factor, 0.5 / factor - 0.5]]))
        affine = affine.compose(up)
    out = cv2.warpAffine(rgb, affine.matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


class Labeller:
    """What each pixel of a crop shows, as far as it can be told."""

    def __init__(self, data: Path, *, threads: int) -> None:
        self.session = Session(ModelStore().spec("body"), threads=threads)
        self.hand = data / "labels" if (data / "label_names.json").exists() else None
        self.table = label_table(data / "label_names.json")[0] if self.hand is not None else None
        self.of_body = np.array([PART[_OF_BODY.get(name, "other")] for name in LABELS], np.uint8)
        self.bearded = bearded_names(data)
        self.of_body[[L["left_arm"], L["right_arm"]]] = PART["cover"]

    def __call__(self, rgb: U8, mesh: F32, affine: Affine, *, crop: U8, stem: str) -> U8:
        """Labels (S, S) of the crop that `affine` cuts from the photo."""
        side = len(crop)
        label = self._hand_made(stem, affine, side)
        if label is None:
            label = self._by_network(rgb, mesh, affine, side)
        points = affine.apply(mesh[:, :2])
        inside = filled(points[list(facemesh.OVAL)], side)
        outside = cv2.dilate(inside, np.ones((3, 3), np.uint8), iterations=max(side // 40, 1)) == 0
        # Inside the face, what the body network takes for clothes or background is more likely its mistake.
        label[(inside > 0) & (label == PART["other"])] = IGNORE
        label[outside & (label == PART["cover"])] = PART["other"]
        label[(inside == 0) & (label == PART["glasses"]) & outside] = IGNORE
        label = beards(crop, label, points, inside=inside, bearded=stem in self.bearded)
        for eye in (facemesh.RIGHT_EYE, facemesh.LEFT_EYE):
            hole = filled(points[list(eye)], side) > 0
            label[hole & (label != PART["glasses"]) & (label != IGNORE)] = PART["other"]
        lips = filled(points[list(facemesh.LIPS_OUTER)], side) > 0
        label[lips] = np.where(np.isin(label[lips], (PART["cover"], IGNORE)), label[lips], PART["skin"])
        label[filled(points[list(facemesh.LIPS_INNER)], side) > 0] = PART["mouth"]
        return label

    def _hand_made(self, stem: str, affine: Affine, side: int) -> U8 | None:
        if self.hand is None or self.table is None or not (self.hand / f"{stem}.png").exists():
            return None
        label = self.of_body[self.table[read_label(self.hand / f"{stem}.png")]]
        flags = cv2.INTER_NEAREST
        return np.asarray(cv2.warpAffine(label, affine.matrix, (side, side), flags=flags), np.uint8)

    def _by_network(self, rgb: U8, mesh: F32, affine: Affine, side: int) -> U8:
        """Parts by the body network; it knows heads of some 16-20 px between the eyes, so that is what it is shown."""
        eyes, size = mesh[[468, 473], :2].mean(axis=0), facemesh.inter_ocular(mesh)
        known = np.unique(self.of_body)
        total = np.zeros((len(known), side, side), np.float32)
        for wanted in (16.0, 20.0):
            s = wanted / size
            shown = Affine(np.array([[s, 0, 95.5 - s * eyes[0]], [0, s, 68.0 - s * eyes[1]]]))
            small = cv2.resize(rgb, None, fx=s, fy=s, interpolation=cv2.INTER_AREA) if s < 0.6 else rgb
            fit = small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0]
            up = Affine(np.array([[1 / fit[0], 0, 0.5 / fit[0] - 0.5], [0, 1 / fit[1], 0.5 / fit[1] - 0.5]]))
            view = cv2.warpAffine(small, shown.compose(up).matrix, (192, 256), borderMode=cv2.BORDER_REPLICATE)
            logits = self.session.run({"image": view.transpose(2, 0, 1)[None].astype(np.float32) / 255})["parse"][0]
            half = Affine(np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]]))
            back = affine.compose(shown.inverse()).compose(half).matrix
            for i, part in enumerate(known):
                plane = logits[self.of_body == part].max(axis=0)
                mode = cv2.BORDER_REPLICATE
                total[i] += cv2.warpAffine(plane, back, (side, side), flags=cv2.INTER_LINEAR, borderMode=mode)
        return known[total.argmax(axis=0)]


def filled(polygon: AnyArray, side: int) -> U8:
    """Mask (side, side) 0/1 of a polygon (n, 2) in px."""
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32)], 1, shift=4)
    return mask


def beards(crop: U8, label: U8, points: AnyArray, *, inside: U8, bearded: bool) -> U8:
    """Turn skin of the lower face that is plainly darker or greyer than the cheeks into beard.

    A beard has two sides and a middle (chin or upper lip); light from above darkens the jaw but not the chin's front.
    Without these, or where nobody `bearded` is expected, it is shadow: left out rather than named. So are hair
    in the lower face, hair of the cheeks' colour on the forehead (a bare head), and whatever has not the cheeks' colour
    around the eyes (thin frames).
    """
    side = len(crop)
    label = label.copy()
    darker = _unlike_cheeks(crop, label, points)
    if darker is None:
        return label
    lips = cv2.dilate(filled(points[list(facemesh.LIPS_OUTER)], side), np.ones((3, 3), np.uint8), iterations=2) > 0
    rows, columns = np.mgrid[:side, :side]
    low = (rows > points[2, 1]) & (inside > 0) & ~lips
    label[low & (label == PART["hair"])] = IGNORE
    plain = low & (darker > 4.5)
    left = columns > points[[2, 152], 0].mean()
    shares = [(plain & half).sum() / max(int((low & half).sum()), 1) for half in (left, ~left)]
    front = np.zeros((side, side), bool)
    for above, below in ((17, 175), (2, 0)):
        front[int(max(points[above, 1], 0)) : int(max(points[below, 1], 0))] = True
    front &= low & (np.abs(columns - points[[2, 152], 0].mean()) < 0.22 * np.hypot(*(points[468] - points[473])))
    middle = (plain & front).sum() / max(int(front.sum()), 1)
    label[low & (darker > 2.2)] = IGNORE
    if bearded and min(shares) > 0.12 and middle > 0.3:
        label[plain] = PART["beard"]
    label[(rows < points[9, 1]) & (label == PART["hair"]) & (darker < 1.8)] = IGNORE
    spectacles = np.zeros((side, side), np.uint8)
    reach = 0.5 * float(np.hypot(*(points[468] - points[473])))
    for x, y in points[[468, 473]]:
        cv2.circle(spectacles, (int(x), int(y)), int(reach), 1, -1)
    brows = np.zeros((side, side), np.uint8)
    for brow in (facemesh.RIGHT_BROW, facemesh.LEFT_BROW):
        brows |= cv2.dilate(filled(points[list(brow)], side), np.ones((3, 3), np.uint8), iterations=max(side // 100, 1))
    label[(spectacles > 0) & (brows == 0) & (label == PART["skin"]) & (darker > 3.0)] = IGNORE
    return label


def _unlike_cheeks(crop: U8, label: U8, points: AnyArray) -> F32 | None:
    """How much darker or otherwise coloured than the cheeks every pixel is, in their spreads; None without cheeks."""
    side = len(crop)
    lab = cv2.cvtColor(cv2.GaussianBlur(crop, (0, 0), side / 130), cv2.COLOR_RGB2LAB).astype(np.float32)
    spots = np.zeros((side, side), np.uint8)
    for x, y in points[list(_CHEEKS)]:
        cv2.circle(spots, (int(x), int(y)), max(side // 48, 2), 1, -1)
    spots[label != PART["skin"]] = 0
    if spots.sum() < 12:
        return None
    cheek = lab[spots > 0]
    middle = np.median(cheek, axis=0)
    spread = np.maximum(np.median(np.abs(cheek - middle), axis=0) * 1.5, (8.0, 4.0, 4.0))
    away = (lab - middle) / spread
    darker = np.clip(-away[..., 0], 0, None) + 0.6 * np.abs(away[..., 1:]).sum(axis=-1)
    return np.asarray(darker, np.float32)


def bearded_names(data: Path) -> set[str]:
    """Photos of one set in which a beard would not surprise: men's portraits and clothes; none of the street."""
    table = data / "faces.csv"
    if table.exists():
        rows = (line.split(",") for line in table.read_text().splitlines()[1:])
        return {row[0] for row in rows if row[1] == "male"}
    return {p.stem for p in (data / "photos").glob("m*")}


def load_others(data: Path, teacher: Path, *, count: int, side: int, held_out: bool, seed: int = 0) -> list[U8]:
    """Squares (side, side, 3) without a face in them: garments, clothes and backgrounds of street and shop photos."""
    rng = np.random.default_rng(seed + held_out)
    found: list[U8] = []
    names = [("garments", p.stem) for p in (data / "garments" / "photos").glob("*")]
    names += [(s, p.stem) for s in ("people", "shop") for p in (data / s / "photos").glob("*")]
    names = sorted(n for n in names if is_validation(n[1]) == held_out)
    for i in rng.permutation(len(names)):
        if len(found) >= count:
            break
        kind, stem = names[i]
        rgb = read_photo(data / kind / "photos", stem)
        head = _head(teacher / kind / f"{stem}.npz")
        if rgb is None or (kind != "garments" and head is None):
            continue
        found += list(_squares(rgb, head, side=side, rng=rng))
    return found[:count]


def _head(path: Path) -> Box | None:
    """Where a photo's head is: the mesh, or without one the pose's head (seen from behind, cut off or aside)."""
    if not path.exists():
        return None
    with np.load(path) as file:
        points = file["face"] if len(file["face"]) else file["pose"][:11]
    return Box.around(points).pad(0.6)


def _squares(rgb: U8, head: Box | None, *, side: int, rng: np.random.Generator) -> Iterator[U8]:
    h, w = rgb.shape[:2]
    for _ in range(2):
        size = min(h, w) * rng.uniform(0.12, 1.0)
        x, y = rng.uniform(0, w - size), rng.uniform(0, h - size)
        box = Box(x, y, x + size, y + size)
        if (
            head is not None
            and max(box.x0, head.x0) < min(box.x1, head.x1)
            and max(box.y0, head.y0) < min(box.y1, head.y1)
        ):
            continue
        affine = Affine.similarity(side / size, move=(-x * side / size, -y * side / size))
        yield _warp(rgb, affine, side)
