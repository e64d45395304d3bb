"""Recipe of the face finder: photos at random scale and roll, alone or two together, against the teacher's meshes.

The middle of a face is learnt with the penalty-reduced focal loss of CenterNet (Zhou et al. 2019, arXiv:1904.07850,
equation 1), offset, size and roll by L1 near the middles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from mojing.core.arrays import F32, U8
from mojing.core.geometry import Affine
from mojing.perception import facemesh
from mojing.perception.facefind import SIDE, STRIDE, peaks, where
from mojing.perception.ground_truth import is_validation
from mojing.train.data import face_augment as dress
from mojing.train.data.faces import IGNORE, PART, SETS, filled, moved_mesh, read_photo, trusted
from mojing.train.loop import Ema, Prefetch, Run, checkpoint, cosine, descend, restore
from mojing.train.nets.body import channels_last_bf16
from mojing.train.nets.facefinder import FinderNet
from mojing.train.options import Taught, parse_options

STORED = 384
"""Longer side of the stored photos in px."""
CHECK_EVERY = 0.25


@dataclass
class Options(Taught):
    """Settings of a run; each is a flag."""

    out: Path = Path("runs/facefinder")
    """folder of the run: log, checkpoints; an existing run is resumed"""
    minutes: float = 15.0
    """training time, not counting loading"""
    batch: int = 16
    """pictures a step"""
    others: int = 600
    """photos of garments without anybody"""
    lr: float = 3e-3
    """peak learning rate of AdamW"""
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Shot:
    """A stored photo (h, w, 3) and the mesh (478, 3) in it, None where there is nobody."""

    rgb: U8
    mesh: F32 | None
    name: str


def load_shots(options: Options, *, held_out: bool) -> list[Shot]:
    """Photos with a trusted mesh, and of garments without anybody, of the training part or of the held-out one."""
    shots = []
    for name in SETS:
        for path in sorted((options.teacher / name).glob("*.npz")):
            if is_validation(path.stem) != held_out:
                continue
            with np.load(path) as file:
                mesh, pose, hw = file["face"], file["pose"], tuple(int(v) for v in file["hw"])
            rgb = read_photo(options.data / name / "photos", path.stem) if trusted(mesh, pose, (hw[0], hw[1])) else None
            if rgb is not None:
                small, affine = _shrunk(rgb)
                shots.append(Shot(small, moved_mesh(mesh, affine), f"{name}/{path.stem}"))
    garments = sorted((options.data / "garments" / "photos").glob("*"))
    garments = [p for p in garments if is_validation(p.stem) == held_out]
    count = options.others if not held_out else options.others // 6
    for i in np.random.default_rng(options.seed).permutation(len(garments))[:count]:
        rgb = read_photo(garments[i].parent, garments[i].stem)
        if rgb is not None:
            shots.append(Shot(_shrunk(rgb)[0], None, f"garments/{garments[i].stem}"))
    return shots


def _shrunk(rgb: U8) -> tuple[U8, Affine]:
    h, w = rgb.shape[:2]
    scale = min(STORED / max(h, w), 1.0)
    wh = round(w * scale), round(h * scale)
    sx, sy = wh[0] / w, wh[1] / h
    small = np.asarray(cv2.resize(rgb, wh, interpolation=cv2.INTER_AREA), np.uint8)
    return small, Affine(np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5]]))


def placed(shot: Shot, rng: np.random.Generator, *, ground: U8, box: tuple[int, int]) -> tuple[U8, F32 | None]:
    """The photo at a random scale and roll on `ground` (SIDE, SIDE, 3), inside columns box[0]..box[1]; and its mesh."""
    h, w = shot.rgb.shape[:2]
    room = box[1] - box[0]
    if shot.mesh is None:
        scale = np.exp(rng.uniform(-0.4, 0.6)) * room / max(h, w)
        at, target = np.array([w / 2, h / 2]), np.array([(box[0] + box[1]) / 2, SIDE / 2])
    else:
        between = facemesh.inter_ocular(shot.mesh)
        wanted = np.exp(rng.uniform(np.log(5.0), np.log(0.42 * room)))
        scale = min(wanted / between, 3.5)
        at = shot.mesh[:468, :2].mean(axis=0)
        reach = min(0.9 * between * scale, 0.46 * room)
        target = np.array([rng.uniform(box[0] + reach, box[1] - reach), rng.uniform(reach, SIDE - reach)])
    degrees = rng.uniform(-52, 52) if rng.random() < 0.35 else rng.normal(0, 7)
    turn = Affine.similarity(float(scale), float(np.deg2rad(degrees)))
    moved = target - turn.apply(at[None])[0]
    affine = Affine.similarity(float(scale), float(np.deg2rad(degrees)), move=(float(moved[0]), float(moved[1])))
    rgb = shot.rgb
    if scale < 0.6:
        factor = 0.5 ** int(np.ceil(np.log2(0.6 / scale)))
        rgb = np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        up = Affine(np.array([[1 / factor, 0, 0.5 / factor - 0.5], [0, 1 / factor, 0.5 / factor - 0.5]]))
    else:
        up = Affine.identity()
    matrix = affine.compose(up).matrix
    seen = cv2.warpAffine(np.full(rgb.shape[:2], 255, np.uint8), matrix, (SIDE, SIDE))
    edge = cv2.BORDER_REPLICATE if rng.random() < 0.15 else cv2.BORDER_CONSTANT
    image = cv2.warpAffine(rgb, matrix, (SIDE, SIDE), borderMode=edge)
    if edge == cv2.BORDER_REPLICATE:
        seen[:] = 255
    seen[:, : box[0]] = 0
    seen[:, box[1] :] = 0
    out = np.where(seen[..., None] > 127, image, ground).astype(np.uint8)
    return out, None if shot.mesh is None else moved_mesh(shot.mesh, affine)


def draw(shots: Sequence[Shot], rng: np.random.Generator) -> tuple[U8, list[F32]]:
    """One training picture (SIDE, SIDE, 3) and the meshes in it: one photo, or two side by side."""
    ground = np.empty((SIDE, SIDE, 3), np.uint8)
    ground[:] = (rng.integers(0, 256) + rng.normal(0, 12, 3)).clip(0, 255) if rng.random() < 0.7 else 255
    empty = [s for s in shots[-40:] if s.mesh is None]
    if empty and rng.random() < 0.3:
        ground = np.asarray(cv2.resize(empty[int(rng.integers(len(empty)))].rgb, (SIDE, SIDE)), np.uint8)
    halves = [(0, SIDE)]
    if rng.random() < 0.3:
        middle = int(rng.uniform(0.35, 0.65) * SIDE)
        halves = [(0, middle), (middle, SIDE)]
    image, meshes = ground, []
    for box in halves:
        image, mesh = placed(shots[int(rng.integers(len(shots)))], rng, ground=image, box=box)
        if mesh is not None:
            meshes.append(mesh)
    if meshes and rng.random() < 0.4:
        label = np.full((SIDE, SIDE), PART["other"], np.uint8)
        for mesh in meshes:
            label[filled(mesh[list(facemesh.OVAL), :2], SIDE) > 0] = PART["skin"]
        label[label == IGNORE] = PART["other"]
        image = dress.retoned(image, label, melanin=float(rng.uniform(0, 2.3)), hair=0.0)
    for mesh in meshes:
        if rng.random() < 0.15:
            image, _ = dress.spectacled(image, np.zeros((SIDE, SIDE), np.uint8), mesh, rng)
        elif rng.random() < 0.1:
            patch = shots[int(rng.integers(len(shots)))].rgb
            image, _ = dress.masked(image, np.zeros((SIDE, SIDE), np.uint8), mesh, rng, patch=patch)
    image = dress.degraded(dress.lit(image, rng), rng)
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        for i, mesh in enumerate(meshes):
            flipped = mesh[facemesh.mirror()]
            flipped[:, 0] = SIDE - 1 - flipped[:, 0]
            meshes[i] = flipped
    return image, meshes


def targets(meshes: Sequence[F32]) -> tuple[F32, F32]:
    """Wanted maps (6, h, w), the first a Gaussian of each middle, and the weight (h, w) of the other five."""
    cells = SIDE // STRIDE
    maps, near = np.zeros((6, cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    rows, cols = np.mgrid[:cells, :cells]
    for mesh in meshes:
        x, y, size, roll = where(mesh)
        cx, cy = (x + 0.5) / STRIDE - 0.5, (y + 0.5) / STRIDE - 0.5
        sigma = max(0.12 * size / STRIDE, 0.45)
        row, col = (int(np.clip(round(v), 0, cells - 1)) for v in (cy, cx))
        if not (-0.5 <= cx <= cells - 0.5 and -0.5 <= cy <= cells - 0.5):
            continue
        bump = np.exp(-((cols - cx) ** 2 + (rows - cy) ** 2) / (2 * sigma**2)).astype(np.float32)
        bump[row, col] = 1.0
        mine = bump > np.maximum(maps[0], 0.3)
        maps[0] = np.maximum(maps[0], bump)
        told = (cx - cols, cy - rows, np.log(size / STRIDE), np.sin(np.deg2rad(roll)), np.cos(np.deg2rad(roll)))
        for i, value in enumerate(told, start=1):
            maps[i] = np.where(mine, value, maps[i])
        near = np.where(mine, bump, near)
    return maps, near


class Sampler:
    """Draws batches."""

    def __init__(self, shots: Sequence[Shot], options: Options) -> None:
        self.shots, self.options = shots, options

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Image uint8 (N, 3, S, S), maps (N, 6, h, w) and weight (N, h, w) of a step; the same for the same step."""
        rng = np.random.default_rng((self.options.seed, step))
        drawn = [draw(self.shots, rng) for _ in range(self.options.batch)]
        maps, near = zip(*(targets(meshes) for _, meshes in drawn), strict=True)
        image = torch.from_numpy(np.stack([d[0] for d in drawn])).permute(0, 3, 1, 2)
        return image, torch.from_numpy(np.stack(maps)), torch.from_numpy(np.stack(near))


def losses(maps: Tensor, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, float]]:
    """Focal loss of the middles, weighted L1 of offset, size and roll."""
    _, wanted, near = batch
    maps = maps.float()
    logit, goal = maps[:, 0], wanted[:, 0]
    p = torch.sigmoid(logit)
    hit = goal >= 0.999
    yes = -nn.functional.logsigmoid(logit) * (1 - p) ** 2
    no = -nn.functional.logsigmoid(-logit) * p**2 * (1 - goal) ** 4
    middles = hit.sum().clamp(min=1)
    face = torch.where(hit, yes, no).sum() / middles
    error = (maps[:, 1:] - wanted[:, 1:]).abs() * near[:, None]
    place, size, roll = (
        error[:, part].sum() / near.sum().clamp(min=1) for part in (slice(0, 2), slice(2, 3), slice(3, 5))
    )
    total = face + 0.6 * place + 1.2 * size + 0.8 * roll
    return total, {"face": face.item(), "place": place.item(), "size": size.item(), "roll": roll.item()}


@torch.no_grad()
def validate(net: nn.Module, shots: Sequence[Shot], *, rounds: int = 1, limit: float = 0.35) -> dict[str, float]:
    """Recall and precision on drawn held-out pictures (to a quarter of the face's size), errors of size and roll."""
    net.eval()
    found_all = right = there = 0
    sizes, rolls = [], []
    for i in range(len(shots) * rounds // 4):
        image, meshes = draw(shots, np.random.default_rng((7, i)))
        x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        found = peaks(net(x.contiguous(memory_format=torch.channels_last))[0].float().numpy(), limit=limit)
        told = [where(m) for m in meshes]
        found_all, there = found_all + len(found), there + len(told)
        for x0, y0, size, roll in told:
            near = [f for f in found if np.hypot(f.x - x0, f.y - y0) < 0.25 * size and 0.6 < f.size / size < 1.6]
            if near:
                right += 1
                sizes.append(abs(np.log(near[0].size / size)))
                rolls.append(abs((near[0].roll - roll + 180) % 360 - 180))
    result = {"recall": right / max(there, 1), "precision": right / max(found_all, 1)}
    if sizes:
        result |= {"size_error": float(np.mean(sizes)), "roll_error_deg": float(np.mean(rolls))}
    return result


def train(options: Options) -> Path:
    """Train, or go on with, a finder; returns the checkpoint's path."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    shots, held_out = (load_shots(options, held_out=part) for part in (False, True))
    net = FinderNet().to(memory_format=torch.channels_last)
    run, ema = Run(options.out, minutes=options.minutes), Ema(net, decay=0.995)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.lr, weight_decay=0.02)
    state = run.load()
    if state is not None:
        restore(state, net=net, ema=ema, optimizer=optimizer, step=run.step)
    sampler = Sampler(shots, options)
    batches = Prefetch(sampler.batch, start=run.step)
    run.start()
    next_check = run.progress + CHECK_EVERY
    while run.progress < 1:
        for group in optimizer.param_groups:
            group["lr"] = options.lr * cosine(run.progress)
        net.train()
        batch = next(batches)
        image = batch[0].float().div_(255).contiguous(memory_format=torch.channels_last)
        with channels_last_bf16("cpu"):
            maps = net(image)
        loss, parts = losses(maps, batch)
        descend(loss, parts, net=net, optimizer=optimizer, step=run.step)
        ema.update(net)
        run.tick()
        if run.step % 25 == 0:
            run.log(progress=run.progress, **parts)
        if run.progress >= next_check:
            next_check = run.progress + CHECK_EVERY
            run.log(event="validation", **validate(ema.net, held_out))
        run.save(checkpoint(net, ema, optimizer), every_s=60)
    batches.close()
    run.log(event="validation", **validate(ema.net, held_out, rounds=4))
    run.save(checkpoint(net, ema, optimizer))
    return run.folder / "last.pt"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train facefinder`."""
    train(parse_options(Options, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
