"""Recipe of the face network: mesh, confidence and parts from augmented crops of the teacher's faces.

The first part of the run works at two thirds of the resolution (progressive resizing).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.core.arrays import F32, F64, U8
from mojing.perception import facemesh
from mojing.perception.faceview import FACE_PARTS
from mojing.train.data import augment as aug
from mojing.train.data import face_augment as dress
from mojing.train.data.faces import IGNORE, REACH, Face, load_faces, load_others
from mojing.train.export import Port
from mojing.train.loop import Ema, Prefetch, Run, checkpoint, cosine, descend, restore
from mojing.train.nets.body import channels_last_bf16
from mojing.train.nets.face import ANCHORS, FaceNet
from mojing.train.options import Taught, parse_options
from mojing.train.refit import mesh_correction
from mojing.train.warmstart import origin, start_from

SIDE = 192
SMALL = 128
CROP_REACH = 1.6
"""Side of a crop over the size of the face, as `faceview.parts_affine` cuts them."""
CHECK_EVERY = 0.2
TURNED_DEG = 20.0
"""Yaw at which a face is drawn twice as often as one seen from the front."""


@dataclass
class Options(Taught):
    """Settings of a run; each is a flag."""

    out: Path = Path("runs/face")
    """folder of the run: stored crops, log, checkpoints; an existing run is resumed"""
    minutes: float = 50.0
    """training time, not counting loading; with 0 only the errors of `start` are corrected"""
    small_share: float = 0.4
    """share of the time at two thirds of the resolution"""
    polish_from: float = 0.8
    """share of the time from which crops are about as good as those of a second look"""
    batch: int = 24
    """crops a step"""
    others: int = 1500
    """squares without a face to learn from"""
    lr: float = 2e-3
    """peak learning rate of AdamW"""
    settle: int = 24
    """batches at the end from which the batch norms' statistics are taken anew"""
    rank: int = 40
    """ways in which meshes differ by which their errors are corrected at the end; 0 to leave them"""
    strength: float = 0.5
    """how firmly that correction is held back"""
    threads: int = 1
    start: Path | None = None
    """weights to go on from, a checkpoint (.pt) or a shipped model (.onnx); none to begin anew"""


@dataclass(frozen=True, eq=False)
class Sample:
    """One training crop: image (side, side, 3), label (side/2, side/2), mesh (478, 3) over the side, whether a face."""

    image: U8
    label: U8
    mesh: F32
    face: bool


def crop(face: Face, rng: np.random.Generator, *, side: int, others: Sequence[U8], wildness: float = 1.0) -> Sample:
    """A random crop as a finder, a first mesh or the last frame of a video might have cut it.

    `wildness` scales how often it is rolled or far off (a second look mends that), turned, covered or degraded:
    late in a run the common case gets the network's attention.
    """
    stored = len(face.rgb)
    wild = rng.random() < 0.35 * wildness
    degrees = rng.uniform(-48, 48) if wild else rng.normal(0, 5)
    if rng.random() < 0.4 * wildness:
        zoom, shift = np.exp(rng.uniform(-0.38, 0.28)), rng.normal(0, 0.07, 2)
    else:
        zoom, shift = np.exp(rng.normal(0, 0.06)), rng.normal(0, 0.025, 2)
    wrong = rng.random()
    if wrong < 0.04:
        degrees = rng.uniform(90, 270)
    elif wrong < 0.09:
        zoom *= np.exp(rng.choice([-1.0, 1.0]) * rng.uniform(0.95, 1.6))
    elif wrong < 0.14:
        turn = rng.uniform(0, 2 * np.pi)
        shift = np.array([np.cos(turn), np.sin(turn)]) * rng.uniform(0.42, 0.8)
    scale = side / (CROP_REACH / REACH * stored) * zoom
    middle = ((stored - 1) / 2, (stored - 1) / 2)
    m = aug.similarity(
        middle, scale=scale, degrees=degrees, out_wh=(side, side), shift=(shift[0] * side, shift[1] * side)
    )
    levels = (
        [face.rgb]
        if scale > 0.6
        else [face.rgb, cv2.resize(face.rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)]
    )
    image = aug.warp_levels(levels, m, (side, side))
    label = aug.warp_level(face.label, m, (side, side), nearest=True)
    mesh = aug.move_points(face.mesh, m)
    mesh[:, 2] *= scale
    if rng.random() < 0.5:
        image, label = np.ascontiguousarray(image[:, ::-1]), np.ascontiguousarray(label[:, ::-1])
        mesh = mesh[facemesh.mirror()]
        mesh[:, 0] = side - 1 - mesh[:, 0]
    image, label, mesh = _changed(image, label, mesh, rng, others=others, often=min(0.3 + wildness, 1.0))
    image = dress.lit(image, rng)
    if rng.random() < 0.3 + wildness:
        image = dress.degraded(image, rng)
    mesh[:, :2] += 0.5
    mesh /= np.float32(side)
    return Sample(image, np.ascontiguousarray(label[::2, ::2]), mesh, wrong >= 0.14)


def _changed(
    image: U8, label: U8, mesh: F32, rng: np.random.Generator, *, others: Sequence[U8], often: float
) -> tuple[U8, U8, F32]:
    """Of another shape, turned in depth, re-toned, made up, with glasses, a mask, something in front: now and then."""
    if rng.random() < 0.5:
        image, label, mesh = dress.reshaped(image, label, mesh, rng=rng)
    if rng.random() < 0.35 * often:
        yaw, pitch = rng.normal(0, 14), rng.normal(0, 8)
        image, label, mesh = dress.turned(image, label, mesh, yaw=float(yaw), pitch=float(pitch))
    if rng.random() < 0.45:
        melanin = rng.uniform(-0.25, 2.3)
        hair = rng.uniform(-0.7, 1.2) if rng.random() < 0.5 else 0.0
        image = dress.retoned(image, label, melanin=float(melanin), hair=float(hair))
    if rng.random() < 0.2:
        image = dress.made_up(image, mesh, rng)
    if rng.random() < 0.16:
        image, label = dress.spectacled(image, label, mesh, rng)
    patch = others[int(rng.integers(len(others)))]
    chance = rng.random()
    if chance < 0.07 * often:
        image, label = dress.masked(image, label, mesh, rng, patch=patch)
    elif chance < 0.2 * often:
        image, label = dress.covered(image, label, mesh, rng, patch=patch)
    return image, label, mesh


def no_face(other: U8, rng: np.random.Generator, *, side: int) -> Sample:
    """A square without a face, lit and degraded like the others."""
    zoom = np.exp(rng.uniform(0, 0.7)) * side / len(other)
    middle = ((len(other) - 1) / 2, (len(other) - 1) / 2)
    m = aug.similarity(middle, scale=zoom, degrees=rng.uniform(-40, 40), out_wh=(side, side))
    image = dress.degraded(dress.lit(aug.warp_level(other, m, (side, side)), rng), rng)
    return Sample(image, np.zeros((side // 2, side // 2), np.uint8), np.zeros((facemesh.POINTS, 3), np.float32), False)


class Sampler:
    """Draws batches of `share` faces of every set and an eighth of squares without one."""

    def __init__(self, faces: Sequence[Face], others: Sequence[U8], options: Options) -> None:
        sets = sorted({f.name.partition("/")[0] for f in faces})
        self.sets = [[f for f in faces if f.name.startswith(s + "/")] for s in sets]
        self.chances = [chances(own) for own in self.sets]
        weight = np.array([{"faces": 0.55, "shop": 0.15, "people": 0.3}.get(s, 0.3) for s in sets])
        self.share = weight / weight.sum()
        self.others, self.options, self.side, self.wildness = others, options, SMALL, 1.0

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Image uint8 (N, 3, S, S), label (N, S/2, S/2), mesh (N, 478, 3), face (N,); the same for the same step."""
        rng = np.random.default_rng((self.options.seed, step))
        side, samples = self.side, []
        for _ in range(self.options.batch):
            if rng.random() < 0.12:
                samples.append(no_face(self.others[int(rng.integers(len(self.others)))], rng, side=side))
                continue
            which = int(rng.choice(len(self.sets), p=self.share))
            one = self.sets[which][int(rng.choice(len(self.sets[which]), p=self.chances[which]))]
            samples.append(crop(one, rng, side=side, others=self.others, wildness=self.wildness))
        return collate(samples)


def chances(faces: Sequence[Face]) -> F64:
    """How likely each face is drawn: few are turned to the side, so these come up to five times as often."""
    turned = np.array([facemesh.yaw(f.mesh) for f in faces]) / TURNED_DEG
    weight = 1.0 + np.minimum(turned**2, 4.0)
    return np.asarray(weight / weight.sum())


def collate(samples: Sequence[Sample]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Samples as tensors."""
    return (
        torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2),
        torch.from_numpy(np.stack([s.label for s in samples])).long(),
        torch.from_numpy(np.stack([s.mesh for s in samples])),
        torch.tensor([float(s.face) for s in samples]),
    )


def start_shape(net: FaceNet, faces: Sequence[Face], *, seed: int = 0, noise: float = 0.012) -> None:
    """Set the linear map from anchors to mesh to the least-squares one of the training meshes, turned and moved.

    `noise` is the error of an anchor over the crop's side that the map must not make worse.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for i in rng.integers(len(faces), size=min(8 * len(faces), 6000)):
        face = faces[i]
        middle = ((len(face.rgb) - 1) / 2, (len(face.rgb) - 1) / 2)
        scale = REACH / CROP_REACH / len(face.rgb) * float(np.exp(rng.normal(0, 0.15)))
        shift = rng.normal(0, 0.05, 2)
        m = aug.similarity(
            middle, scale=scale, degrees=rng.normal(0, 25), out_wh=(1, 1), shift=(shift[0] + 0.5, shift[1] + 0.5)
        )
        mesh = aug.move_points(face.mesh, m)
        mesh[:, 2] *= scale
        rows.append(mesh)
    meshes = np.stack(rows).astype(np.float64)
    x = meshes[:, list(ANCHORS), :2].reshape(len(rows), -1)
    y = meshes.reshape(len(rows), -1)
    xm, ym = x.mean(axis=0), y.mean(axis=0)
    gram = (x - xm).T @ (x - xm) / len(x) + noise**2 * np.eye(x.shape[1])
    weight = np.linalg.solve(gram, (x - xm).T @ (y - ym) / len(x))
    with torch.no_grad():
        net.anchors_to_mesh.weight.copy_(torch.from_numpy(weight.T.astype(np.float32)))
        net.anchors_to_mesh.bias.copy_(torch.from_numpy((ym - xm @ weight).astype(np.float32)))


def point_weights() -> Tensor:
    """Weight (478, 1) of each point: the edge of the face twice, as it is the hardest; lips, eyes and irises, which
    are looked at from close by afterwards, half as much again."""
    weight = torch.ones(facemesh.POINTS)
    weight[list(facemesh.FINE)] = 1.5
    weight[list(facemesh.OVAL)] = 2.0
    return (weight / weight.mean())[:, None]


def losses(
    out: tuple[Tensor, ...], batch: tuple[Tensor, ...], *, points: Tensor, classes: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """L1 of mesh and anchors in inter-ocular distances, cross-entropy of the parts, BCE of the confidence."""
    mesh, sure, parts, anchors, heat = (t.float() for t in out)
    _, label, target, face = batch
    scale = (target[:, 468, :2] - target[:, 473, :2]).norm(dim=-1).clamp(min=0.05)[:, None, None]
    count = face.sum().clamp(min=1.0)
    error = (mesh - target).abs() / scale
    flat = (error[..., :2].mean(dim=-1) * points[:, 0]).mean(dim=-1)
    deep = error[..., 2].mean(dim=-1)
    near = ((anchors - target[:, list(ANCHORS), :2]).abs() / scale).mean(dim=(1, 2))
    flat, deep, near = ((t * face).sum() / count for t in (flat, deep, near))
    spot = (map_loss(heat, target[:, list(ANCHORS), :2]) * face).sum() / count
    # A wrong crop's labels are right, but nobody will ask for them.
    known = torch.where(face[:, None, None] > 0, label, torch.full_like(label, IGNORE))
    known = torch.where((label == 0) & (target[:, 0, 0] == 0)[:, None, None], label, known)
    seen = F.cross_entropy(parts, known, weight=classes, ignore_index=IGNORE)
    bce = F.binary_cross_entropy_with_logits(sure[:, 0], face)
    total = 4.0 * flat + 0.7 * deep + 2.0 * near + 0.15 * spot + 0.5 * seen + 0.3 * bce
    named = {"flat": flat, "deep": deep, "near": near, "spot": spot, "parts": seen, "sure": bce}
    return total, {k: float(v.detach()) for k, v in named.items()}


def map_loss(heat: Tensor, points: Tensor, *, sigma: float = 1.0) -> Tensor:
    """Cross-entropy (N,) of heat maps (N, K, h, w) with Gaussians of `sigma` cells at points (N, K, 2) in 0..1.

    It keeps the maps local (cf. Nibali et al. 2018, arXiv:1801.07372); points outside the crop are left out.
    """
    n, k, h, w = heat.shape
    xs = (torch.arange(w, device=heat.device) + 0.5)[None, None]
    ys = (torch.arange(h, device=heat.device) + 0.5)[None, None]
    across = torch.exp(-((xs - points[..., :1] * w) ** 2) / (2 * sigma**2))
    down = torch.exp(-((ys - points[..., 1:] * h) ** 2) / (2 * sigma**2))
    wanted = (down[..., :, None] * across[..., None, :]).reshape(n, k, h * w)
    wanted = wanted / wanted.sum(dim=-1, keepdim=True).clamp(min=1e-6)
    inside = ((points > 0) & (points < 1)).all(dim=-1).float()
    loss = -(wanted * torch.log_softmax(heat.reshape(n, k, h * w), dim=-1)).sum(dim=-1)
    return (loss * inside).sum(dim=-1) / inside.sum(dim=-1).clamp(min=1)


def class_weights(faces: Sequence[Face]) -> Tensor:
    """Cross-entropy weights of the parts: frequency to the power -0.35; rare and drawn ones are capped."""
    area = np.ones(len(FACE_PARTS))
    for face in faces[:: max(len(faces) // 300, 1)]:
        area += np.bincount(face.label.ravel(), minlength=256)[: len(FACE_PARTS)]
    share = np.maximum(area / area.sum(), 0.004)
    weight = share**-0.35
    return torch.tensor(weight / (weight * share).sum(), dtype=torch.float32)


def check_views(faces: Sequence[Face], *, degrees: float = 0.0, pixels: int = SIDE) -> Iterator[tuple[U8, U8, F32]]:
    """Crops slightly off, rolled by `degrees`, shrunk to `pixels` before; labels and meshes (478, 3) over the side."""
    for i, face in enumerate(faces):
        rng = np.random.default_rng(i)
        stored = len(face.rgb)
        middle = ((stored - 1) / 2, (stored - 1) / 2)
        scale = SIDE / (CROP_REACH / REACH * stored) * float(np.exp(rng.normal(0, 0.04)))
        turn = degrees * (1 if i % 2 else -1)
        shift = rng.normal(0, 0.02, 2) * SIDE
        m = aug.similarity(middle, scale=scale, degrees=turn, out_wh=(SIDE, SIDE), shift=(shift[0], shift[1]))
        image = aug.warp_level(face.rgb, m, (SIDE, SIDE))
        if pixels < SIDE:
            small = cv2.resize(image, (pixels, pixels), interpolation=cv2.INTER_AREA)
            image = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        mesh = aug.move_points(face.mesh, m)
        mesh[:, 2] *= scale
        mesh[:, :2] += 0.5
        label = aug.warp_level(face.label, m, (SIDE, SIDE), nearest=True)[::2, ::2]
        yield image, label, (mesh / SIDE).astype(np.float32)


@torch.no_grad()
def look_at(net: nn.Module, images: Sequence[U8], *, batch: int = 32) -> tuple[F32, F32, F32]:
    """Meshes (N, 478, 3), confidence logits (N,) and parts logits (N, 7, 96, 96) of crops."""
    net.eval()
    found: list[tuple[F32, ...]] = []
    for i in range(0, len(images), batch):
        x = torch.from_numpy(np.stack(images[i : i + batch])).permute(0, 3, 1, 2).float() / 255
        with channels_last_bf16("cpu"):
            mesh, sure, parts = net(x.contiguous(memory_format=torch.channels_last))
        found.append((mesh.float().numpy(), sure.float().numpy()[:, 0], parts.float().numpy()))
    mesh, sure, parts = (np.concatenate(column) for column in zip(*found, strict=True))
    return mesh, sure, parts


def validate(net: nn.Module, faces: Sequence[Face], others: Sequence[U8]) -> dict[str, float]:
    """Errors in % of the inter-ocular distance, parts' IoU, and how well faces are told from other squares."""
    result: dict[str, float] = {}
    portraits = [f for f in faces if not f.name.startswith("people/")]
    street = [f for f in faces if f.name.startswith("people/")][::2]
    cases = {"": (portraits, 0.0, SIDE), "street_": (street, 0.0, SIDE)}
    cases |= {"rolled_": (portraits, 30.0, SIDE), "small_": (portraits, 0.0, 64)}
    sure_faces = np.zeros(0, np.float32)
    for name, (chosen, degrees, pixels) in cases.items():
        if not chosen:
            continue
        images, labels, targets = zip(*check_views(chosen, degrees=degrees, pixels=pixels), strict=True)
        mesh, sure, parts = look_at(net, images)
        target = np.stack(targets)
        error = np.hypot(*np.moveaxis((mesh - target)[..., :2], -1, 0))
        error /= np.hypot(*(target[:, 468] - target[:, 473])[:, :2].T)[:, None]
        result[f"{name}mesh_pct"] = float(error.mean() * 100)
        result[f"{name}fine_pct"] = float(error[:, list(facemesh.FINE)].mean() * 100)
        if not degrees and pixels == SIDE:
            sure_faces = np.concatenate([sure_faces, sure])
            for key, value in part_iou(parts, np.stack(labels)).items():
                result[f"{name}iou_{key}"] = value
    squares = [np.asarray(cv2.resize(o, (SIDE, SIDE)), np.uint8) for o in others]
    if squares:
        sure = look_at(net, squares)[1]
        result["told_from_others"] = float(np.mean(sure_faces[:, None] > sure[None]))
        result["faces_sure"] = float((sure_faces > 0).mean())
        result["others_sure"] = float((sure > 0).mean())
    return result


def part_iou(parts: F32, label: U8) -> dict[str, float]:
    """Intersection over union of each part, over all known pixels."""
    said, known = parts.argmax(axis=1), label != IGNORE
    out = {}
    for i, name in enumerate(FACE_PARTS):
        a, b = (said == i) & known, label == i
        if b.sum() > 50:
            out[name] = float((a & b).sum() / max(int((a | b).sum()), 1))
    return out


def train(options: Options) -> Path:
    """Train, or go on with, a face network; returns the checkpoint's path."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    cache = options.out / "cache"
    faces, held_out = (
        load_faces(options.data, options.teacher, cache=cache, held_out=part, threads=options.threads)
        for part in (False, True)
    )
    others = load_others(options.data, options.teacher, count=options.others, side=160, held_out=False)
    strangers = load_others(options.data, options.teacher, count=options.others // 8, side=160, held_out=True)
    sampler = Sampler(faces, others, options)
    net = started(sampler).to(memory_format=torch.channels_last)
    began = origin(options.start)
    run, ema = Run(options.out, minutes=options.minutes), Ema(net)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.lr, weight_decay=0.02)
    state = run.load()
    if state is not None:
        restore(state, net=net, ema=ema, optimizer=optimizer, step=run.step)
    batches = Prefetch(sampler.batch, start=run.step)
    points, classes = point_weights(), class_weights(faces)
    run.start()
    next_check = run.progress + CHECK_EVERY
    while options.minutes > 0 and run.progress < 1:
        sampler.side = SMALL if run.progress < options.small_share else SIDE
        sampler.wildness = 1.0 if sampler.side < SIDE else 0.4 if run.progress < options.polish_from else 0.1
        for group in optimizer.param_groups:
            group["lr"] = options.lr * cosine(run.progress)
        parts = step(net, optimizer, next(batches), points=points, classes=classes, number=run.step)
        ema.update(net)
        run.tick()
        if run.step % 25 == 0:
            run.log(progress=run.progress, **parts)
        if run.progress >= next_check:
            next_check = run.progress + CHECK_EVERY
            run.log(event="validation", **validate(ema.net, held_out, strangers))
        run.save(checkpoint(net, ema, optimizer) | began, every_s=60)
    batches.close()
    if run.step:
        settle(ema.net, sampler, number=run.step, batches=options.settle)
    assert isinstance(ema.net, FaceNet)
    if large := [face for face in faces if len(face.rgb) >= SIDE]:
        refit(ema.net, large, rank=options.rank, strength=options.strength)
    run.log(event="validation", **validate(ema.net, held_out, strangers))
    run.save(checkpoint(net, ema, optimizer) | began)
    return run.folder / "last.pt"


def started(sampler: Sampler) -> FaceNet:
    """The network at the beginning of a run: with the weights that `start` names, or new with the faces' shapes."""
    net = FaceNet()
    if sampler.options.start is None:
        start_shape(net, [face for own in sampler.sets for face in own])
        return net
    sampler.side = SIDE
    images = torch.cat([sampler.batch(i)[0] for i in range(2)]).float() / 255
    start_from(net, sampler.options.start, inputs=[Port("image", images)])
    return net


def step(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: tuple[Tensor, ...],
    *,
    points: Tensor,
    classes: Tensor,
    number: int,
) -> dict[str, float]:
    """One step; returns the loss's parts."""
    net.train()
    image = batch[0].float().div_(255).contiguous(memory_format=torch.channels_last)
    with channels_last_bf16("cpu"):
        out = net(image)
    loss, parts = losses(out, batch, points=points, classes=classes)
    descend(loss, parts, net=net, optimizer=optimizer, step=number)
    return parts


def settle(net: nn.Module, sampler: Sampler, *, number: int, batches: int) -> None:
    """Take the batch norms' statistics anew, at full resolution, for the averaged weights (arXiv:1803.05407, 3.2)."""
    sampler.side = SIDE
    images = (sampler.batch(number + i)[0].float() / 255 for i in range(batches))
    with channels_last_bf16("cpu"):
        torch.optim.swa_utils.update_bn((x.contiguous(memory_format=torch.channels_last) for x in images), net)


@torch.no_grad()
def refit(net: FaceNet, faces: Sequence[Face], *, rank: int, strength: float) -> None:
    """Correct the maps to the mesh by what the network gets wrong on upright crops of faces (`train/refit.py`)."""
    images, _, targets = zip(*check_views(faces), strict=True)
    found = mesh_correction(look_at(net, images)[0], np.stack(targets), rank=rank, strength=strength)
    for layer in (net.anchors_to_mesh, net.context_to_mesh):
        for held in (layer.weight, layer.bias):
            held.copy_(torch.from_numpy(found.of_map(held.numpy())))
    net.context_to_mesh.bias.add_(torch.from_numpy(found.shift))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train face`."""
    train(parse_options(Options, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
