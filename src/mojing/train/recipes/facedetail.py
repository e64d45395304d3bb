"""Recipe of the closer look at eyes and lips: patches cut from augmented crops of the teacher's faces.

A patch is placed by the mesh that the face network would give: the teacher's, a little off.
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
from mojing.perception.crops import cut_square
from mojing.perception.facedetail import PATCH, eye_region, lips_region, patch_affines, point_sets
from mojing.train.data.faces import Face, load_faces, load_others
from mojing.train.loop import Ema, Prefetch, Run, checkpoint, cosine, descend, restore
from mojing.train.nets.body import channels_last_bf16
from mojing.train.nets.face import FaceDetailNet
from mojing.train.options import Taught, parse_options
from mojing.train.recipes.face import crop, map_loss

SIDE = 256
"""Side of the augmented crop that patches are cut from: eyes some 67 px apart, about as in the stored faces."""
CHECK_EVERY = 0.1


@dataclass
class Options(Taught):
    """Settings of a run; each is a flag."""

    cache: Path = Path("runs/face/cache")
    """stored crops, shared with the face network's run; made on first use"""
    out: Path = Path("runs/facedetail")
    """folder of the run: log, checkpoints; an existing run is resumed"""
    minutes: float = 20.0
    """training time, not counting loading"""
    batch: int = 24
    """faces a step, three patches each"""
    wildness: float = 0.25
    """how often crops are turned, covered or degraded"""
    lr: float = 3e-3
    """peak learning rate of AdamW"""
    threads: int = 1


def patches_of(
    rgb: U8, mesh: F32, *, affines: tuple[Affine, Affine, Affine] | None = None, rng: np.random.Generator | None = None
) -> tuple[U8, F32, F32]:
    """Patches (3, 64, 64, 3) of a face, its points (K, 2) over the patches' sides, and px a point's inter-ocular.

    Args:
        rgb: (H, W, 3).
        mesh: (478, 3) the truth, in px.
        affines: where to cut; by the mesh itself if not given.
        rng: shifts, turns and scales each patch as a first mesh that is a little off would.
    """
    patches, points, sizes = [], [], []
    size = facemesh.inter_ocular(mesh)
    for affine, rows in zip(affines or patch_affines(mesh), point_sets(), strict=True):
        placed = affine if rng is None else _off(affine, rng, reach=size * affine.scale)
        patches.append(cut_square(rgb, placed, side=PATCH))
        points.append((placed.apply(mesh[rows, :2]) + 0.5) / PATCH)
        sizes.append(np.full(len(rows), size * placed.scale / PATCH))
    return np.stack(patches), np.concatenate(points).astype(np.float32), np.concatenate(sizes).astype(np.float32)


def _off(affine: Affine, rng: np.random.Generator, *, reach: float) -> Affine:
    """A patch's place as a mesh with errors of some 3 % of the inter-ocular distance (`reach`, patch px) gives it."""
    wild = 2.5 if rng.random() < 0.15 else 1.0
    scale, angle = float(np.exp(rng.normal(0, 0.04 * wild))), float(np.radians(rng.normal(0, 2.0 * wild)))
    middle = np.full(2, (PATCH - 1) / 2)
    shift = middle - Affine.similarity(scale, angle).apply(middle[None])[0] + rng.normal(0, 0.03 * wild, 2) * reach
    return Affine.similarity(scale, angle, move=(float(shift[0]), float(shift[1]))).compose(affine)


class Sampler:
    """Draws batches of faces: portraits most often, then street photos, then the shop's."""

    def __init__(self, faces: Sequence[Face], others: Sequence[U8], options: Options) -> None:
        sets = sorted({f.name.partition("/")[0] for f in faces})
        self.sets = [[f for f in faces if f.name.startswith(s + "/")] for s in sets]
        weight = np.array([{"faces": 0.75, "shop": 0.13, "people": 0.12}.get(s, 0.3) for s in sets])
        self.share = weight / weight.sum()
        self.others, self.options = others, options

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Patches uint8 (N, 3, 3, 64, 64), points (N, K, 2) and their unit (N, K); the same for the same step."""
        rng = np.random.default_rng((self.options.seed, step))
        rows: list[tuple[U8, F32, F32]] = []
        while len(rows) < self.options.batch:
            group = self.sets[int(rng.choice(len(self.sets), p=self.share))]
            one = group[int(rng.integers(len(group)))]
            sample = crop(one, rng, side=SIDE, others=self.others, wildness=self.options.wildness)
            if not sample.face:
                continue
            mesh = sample.mesh * np.float32(SIDE)
            mesh[:, :2] -= 0.5
            rows.append(patches_of(sample.image, mesh, rng=rng))
        return collate(rows)


def collate(rows: Sequence[tuple[U8, F32, F32]]) -> tuple[Tensor, Tensor, Tensor]:
    """Samples as tensors."""
    patches, points, sizes = zip(*rows, strict=True)
    images = torch.from_numpy(np.stack(patches)).permute(0, 1, 4, 2, 3)
    return images, torch.from_numpy(np.stack(points)), torch.from_numpy(np.stack(sizes))


def point_weights() -> Tensor:
    """Weight (K,) of each told point, the mean being one: edges of lips, eyes and irises thrice."""
    told = np.concatenate(point_sets())
    follow = np.concatenate([r.follow[:, 0] for r in (eye_region(), eye_region(), lips_region())])
    weight = np.where(np.isin(told, facemesh.FINE), 3.0, 1.0) * (0.2 + 0.8 * follow)
    return torch.from_numpy((weight / weight.mean()).astype(np.float32))


def losses(
    out: tuple[Tensor, Tensor, Tensor], batch: tuple[Tensor, ...], *, weights: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """L1 of the points in inter-ocular distances, and cross-entropy of their maps."""
    points, eyes, lips = (t.float() for t in out)
    _, target, unit = batch
    far = ((points - target).abs().mean(dim=-1) / unit * weights).mean()
    split = 2 * eyes.shape[1]
    spot = map_loss(eyes, target[:, :split].reshape(len(eyes), -1, 2)).mean()
    spot = (2 * spot + map_loss(lips, target[:, split:]).mean()) / 3
    return 4.0 * far + 0.05 * spot, {"far": float(far.detach()), "spot": float(spot.detach())}


@torch.no_grad()
def validate(net: nn.Module, faces: Sequence[Face]) -> dict[str, float]:
    """Errors in % of the inter-ocular distance on held-out faces, patches placed a little off, portraits and others."""
    net.eval()
    told, result = np.concatenate(point_sets()), {}
    for name, chosen in (
        ("portraits", [f for f in faces if f.name.startswith("faces/")]),
        ("others", [f for f in faces if not f.name.startswith("faces/")][::3]),
    ):
        if not chosen:
            continue
        rows = [patches_of(f.rgb, f.mesh, rng=np.random.default_rng(i)) for i, f in enumerate(chosen)]
        image, target, unit = collate(rows)
        found = net(image.float() / 255)
        error = ((found - target).norm(dim=-1) / unit).numpy() * 100
        result[f"{name}_pct"] = float(error.mean())
        result[f"{name}_fine_pct"] = float(error[:, np.isin(told, facemesh.FINE)].mean())
    return result


def train(options: Options) -> Path:
    """Train, or go on with, a network of the closer look; returns the checkpoint's path."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    faces, held_out = (
        load_faces(options.data, options.teacher, cache=options.cache, held_out=part, threads=options.threads)
        for part in (False, True)
    )
    others = load_others(options.data, options.teacher, count=300, side=160, held_out=False)
    net = FaceDetailNet().to(memory_format=torch.channels_last)
    run, ema = Run(options.out, minutes=options.minutes), Ema(net)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.lr, weight_decay=0.02)
    if (state := run.load()) is not None:
        restore(state, net=net, ema=ema, optimizer=optimizer, step=run.step)
    batches = Prefetch(Sampler(faces, others, options).batch, start=run.step)
    weights = point_weights()
    run.start()
    next_check = run.progress + CHECK_EVERY
    while run.progress < 1:
        for group in optimizer.param_groups:
            group["lr"] = options.lr * cosine(run.progress)
        net.train()
        batch = next(batches)
        with channels_last_bf16("cpu"):
            out = net(batch[0].float().div_(255))
        loss, parts = losses(out, batch, weights=weights)
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
    run.log(event="validation", **validate(ema.net, held_out))
    run.save(checkpoint(net, ema, optimizer))
    return run.folder / "last.pt"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train facedetail`."""
    train(parse_options(Options, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
