"""Training of the make-up network, and of the picture-to-picture baseline on the same pairs.

The reader learns the numbers of random looks that our renderer painted. The dense answer learns two things against the
same pairs: the bare face under the make-up, and a map of the product which, painted on another face by the film model,
gives that face with the look on it. A patch discriminator judges both, next to plain differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.train.data.makeup import SHADE_SCALE, Pairs, find_faces, prepare
from mojing.train.export import Port, export
from mojing.train.loop import CLOCKS, Ema, Prefetch, Run, cosine, descend
from mojing.train.losses import discriminator_loss, generator_loss
from mojing.train.nets.body import channels_last_bf16
from mojing.train.nets.makeup import Judge, MakeupNet, Repainter
from mojing.train.options import Taught, parse_options
from mojing.train.painting import paint, rows_loss, to_linear
from mojing.train.readers import thresholds_of, validate
from mojing.train.warmstart import origin, start_from

CHECK_EVERY = 0.5
"""Share of the run between checks on held-out faces, whose time does not count."""

CROP = 32
"""Side, in cells of four texels, of the piece on which the dense answer is judged."""


@dataclass
class Options(Taught):
    """Settings of a run; each is a flag."""

    teacher: Path = Path("labels")
    """folder of the teacher's meshes"""
    out: Path = Path("runs/makeup")
    """folder of the run: log, checkpoints; an existing run is resumed"""
    pairs: Path = Path("runs/makeup-pairs")
    """folder of the painted pairs, made when it is not there; `held-out` in it holds those of held-out faces"""
    net: Literal["layers", "repaint"] = "layers"
    """our network, or the picture-to-picture baseline"""
    faces: int = 420
    """photos used at most, evenly spread"""
    count: int = 900
    """random looks, each painted on two faces"""
    held_out: int = 100
    """random looks on held-out faces"""
    prepare_only: bool = False
    """stop when the pairs are painted"""
    minutes: float = 40.0
    """training time, not counting loading"""
    clock: Literal["wall", "cpu"] = "wall"
    """what the minutes are counted in; CPU time is what compares runs on a busy machine"""
    start: Path | None = None
    """weights to go on from, a checkpoint (.pt) or a shipped model (.onnx); none to begin anew"""
    batch: int = 12
    """looks read a step"""
    drawn: int = 6
    """how many of these, at most all, are also drawn: bare face and map of product"""
    lr: float = 2e-3
    """peak learning rate of AdamW"""
    judge_lr: float = 4e-4
    """learning rate of the discriminator"""
    adversarial: float = 0.03
    """weight of the discriminator's opinion"""
    judge_from: float = 0.3
    """share of the run after which the discriminator plays"""
    threads: int = 1
    seed: int = 0
    """seed of weights, order and augmentation"""


@dataclass(frozen=True)
class Batch:
    """Faces made up and bare, (N or M, 3 or 1, 256, 256) in 0..1, and looks in numbers (N, kinds, WIDTH).

    `worn` (N) is read; the first M of these are also held against `bare`, and against the same look on another face.
    `white` is the linear light that a white surface would throw back there.
    """

    worn: Tensor
    valid: Tensor
    rows: Tensor
    known: Tensor
    bare: Tensor
    other: Tensor
    other_bare: Tensor
    other_valid: Tensor
    white: Tensor


class Sampler:
    """Draws batches from pairs; either face of a pair may be the one that is read."""

    def __init__(self, pairs: Pairs, options: Options) -> None:
        self.pairs, self.options = pairs, options

    def batch(self, step: int) -> Batch:
        """Batch number `step`, with light, noise and blur changed alike on a face's bare and made-up picture."""
        rng = np.random.default_rng((self.options.seed, step))
        p, n, m = self.pairs, self.options.batch, min(self.options.drawn, self.options.batch)
        picked = rng.choice(len(p.made), n, replace=len(p.made) < n)
        first = rng.integers(0, 2, n)
        few, second = picked[:m], 1 - first[:m]
        a, b = p.pair[picked, first], p.pair[few, second]
        flip = bool(rng.random() < 0.5)
        worn, bare = disturb(_tensor(p.made[picked, first], flip), _tensor(p.faces[a[:m]], flip), rng=rng)
        gain = torch.from_numpy(_gains(m, rng))
        other, other_bare = (lighten(_tensor(x, flip), gain) for x in (p.made[few, second], p.faces[b]))
        white = _tensor(p.shade[b], flip) * (255.0 / SHADE_SCALE) * torch.from_numpy(p.light[b]).view(m, 3, 1, 1)
        rows, known = (torch.from_numpy(np.ascontiguousarray(x[picked])) for x in (p.rows, p.known))
        valid, other_valid = _tensor(p.valid[a], flip), _tensor(p.valid[b], flip)
        return Batch(worn, valid, rows, known, bare, other, other_bare, other_valid, white * gain)

    def ports(self) -> list[Port]:
        """What the network is shown, with the faces of a few batches as an example."""
        batches = [self.batch(step) for step in range(3)]
        if self.options.net == "layers":
            return [Port("face", torch.cat([torch.cat([b.worn, b.valid], dim=1) for b in batches]))]
        return [Port("faces", torch.cat([pair_of(b) for b in batches]))]


def _tensor(array: np.ndarray[Any, Any], flip: bool) -> Tensor:
    """uint8 (N, H, W[, C]) as float (N, C, H, W) in 0..1."""
    array = array[:, :, ::-1] if flip else array
    tensor = torch.from_numpy(np.ascontiguousarray(array)).float() / 255.0
    return tensor[:, None] if tensor.dim() == 3 else tensor.permute(0, 3, 1, 2)


def _gains(n: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Exposure and colour of the light (n, 3, 1, 1) as factors on linear light."""
    log = rng.normal(0, 0.16, (n, 1)) + rng.normal(0, 0.035, (n, 3))
    return np.exp(log).astype(np.float32).reshape(n, 3, 1, 1)


def lighten(rgb: Tensor, gain: Tensor) -> Tensor:
    """Encoded picture in another light; the curve of sRGB is taken for a power of 2.2, which is the same both ways."""
    return (rgb * gain ** (1 / 2.2)).clamp(0.0, 1.0)


def disturb(worn: Tensor, bare: Tensor, *, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Made-up pictures (N, 3, H, W) and bare ones of the first M faces, in the same other light, noise and place."""
    n, m = len(worn), len(bare)
    gain = torch.from_numpy(_gains(n, rng))
    both = torch.cat([lighten(worn, gain), lighten(bare, gain[:m])])
    if rng.random() < 0.35:
        both = F.interpolate(F.avg_pool2d(both, 2), scale_factor=2.0, mode="bilinear", align_corners=False)
    if rng.random() < 0.5:
        noise = torch.from_numpy(rng.standard_normal(worn.shape, dtype=np.float32))
        both = (both + float(rng.uniform(0, 0.02)) * torch.cat([noise, noise[:m]])).clamp(0.0, 1.0)
    down, right = (int(v) for v in rng.integers(-1, 2, 2))
    both = torch.roll(both, (down, right), dims=(2, 3))
    return both[:n], both[n:]


class Piece:
    """The piece of the flat layout that is judged in a step: nearly always the eyes, the mouth or a cheek is in it."""

    def __init__(self, rng: np.random.Generator, *, cells: int = 64) -> None:
        self.y, self.x = (int(v) for v in rng.integers(4, cells - CROP - 3, 2))

    def cells(self, x: Tensor) -> Tensor:
        """That part of features (N, C, 64, 64)."""
        return x[:, :, self.y : self.y + CROP, self.x : self.x + CROP]

    def texels(self, x: Tensor) -> Tensor:
        """That part of pictures (N, C, 256, 256)."""
        y, x0, n = 4 * self.y, 4 * self.x, 4 * CROP
        return x[:, :, y : y + n, x0 : x0 + n]


@dataclass(frozen=True)
class Answer:
    """What is judged of a step: (source, made, true) pictures, and the loss of everything else with its parts."""

    shown: tuple[tuple[Tensor, Tensor, Tensor], ...]
    loss: Tensor
    parts: dict[str, float]


def layers_step(net: MakeupNet, batch: Batch, piece: Piece) -> Answer:
    """Our network on a batch."""
    face = torch.cat([batch.worn, batch.valid], dim=1).contiguous(memory_format=torch.channels_last)
    m = len(batch.bare)
    with channels_last_bf16("cpu"):
        half, rows, skin = net.trunk(face)
        worn, bare, valid = (piece.texels(x) for x in (batch.worn[:m], batch.bare, batch.valid[:m]))
        cover, product = net.layers(piece.cells(half[:m]), worn, skin[:m])
    other, other_bare, other_valid = (piece.texels(x) for x in (batch.other, batch.other_bare, batch.other_valid))
    removed = worn + cover[:, 3:] * (cover[:, :3] - worn)
    moved = paint(to_linear(other_bare), product, white=piece.texels(batch.white))
    reading, parts = rows_loss(rows.float(), batch.rows, batch.known)
    remove = difference(removed, bare, before=worn, valid=valid)
    move = difference(moved, other, before=other_bare, valid=other_valid * valid)
    thin = 0.004 * cover[:, 3].mean() + 0.004 * product[:, 3].mean()
    loss = reading + 8.0 * remove + 8.0 * move + thin
    parts |= {"remove": remove.item(), "move": move.item()}
    return Answer(((worn, removed, bare), (other_bare, moved, other)), loss, parts)


def pair_of(batch: Batch) -> Tensor:
    """What the baseline is shown (M, 8, 256, 256): the other face bare, and the face that is read."""
    m = len(batch.bare)
    return torch.cat([batch.other_bare, batch.other_valid, batch.worn[:m], batch.valid[:m]], dim=1)


def repaint_step(net: Repainter, batch: Batch, piece: Piece) -> Answer:
    """The baseline on a batch."""
    with channels_last_bf16("cpu"):
        seen = net.seen(pair_of(batch)).contiguous(memory_format=torch.channels_last)
        other_bare = piece.texels(batch.other_bare)
        made = net.paint(piece.cells(net.trunk(seen)), piece.texels(seen), other_bare)
    other, valid = piece.texels(batch.other), piece.texels(batch.other_valid)
    move = difference(made, other, before=other_bare, valid=valid)
    return Answer(((other_bare, made, other),), 8.0 * move, {"move": move.item()})


def difference(made: Tensor, true: Tensor, *, before: Tensor, valid: Tensor) -> Tensor:
    """Difference of pictures (N, 3, H, W), that where make-up changes `before` weighing as much as that elsewhere.

    Make-up covers little of a face: a plain mean absolute difference, whose best guess is the median, is content with
    changing nothing. Charbonnier's penalty, a parabola near 0, and that of slopes besides.
    """
    seen = 0.1 + 0.9 * valid
    changed = ((true - before).abs().amax(dim=1, keepdim=True) / 0.04).clamp(0.0, 1.0) * seen
    gap = (made - true).square().add(4e-4).sqrt().sub(0.02).mean(dim=1, keepdim=True)
    there = (gap * changed).sum() / (changed.sum() + 0.005 * changed.numel())
    elsewhere = (gap * (seen - changed)).sum() / (seen - changed).sum().clamp(min=1.0)
    slopes = (made - true) * seen
    slope = (slopes[:, :, 1:] - slopes[:, :, :-1]).abs().mean() + (slopes[..., 1:] - slopes[..., :-1]).abs().mean()
    return there + elsewhere + 0.5 * slope


def train(options: Options) -> Path | None:
    """Train, or go on with, a network; returns the checkpoint's path, None when only pairs were asked for."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    pairs, held_out = load_pairs(options)
    if options.prepare_only:
        return None
    net: nn.Module = MakeupNet() if options.net == "layers" else Repainter()
    net = net.to(memory_format=torch.channels_last)
    judge = Judge().to(memory_format=torch.channels_last)
    sampler = Sampler(pairs, options)
    began = origin(options.start)
    if options.start is not None:
        start_from(net, options.start, inputs=sampler.ports())
    run, ema = Run(options.out, minutes=options.minutes, clock=CLOCKS[options.clock]), Ema(net, decay=0.995)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.lr, weight_decay=0.02)
    referee = torch.optim.Adam(judge.parameters(), lr=options.judge_lr, betas=(0.5, 0.99))
    state = run.load()
    if state is not None:
        ema.steps = run.step
        for name, part in _parts(net, judge, ema=ema, optimizer=optimizer, referee=referee).items():
            part.load_state_dict(state[name])
    batches = Prefetch(sampler.batch, start=run.step, depth=2)
    rng = np.random.default_rng((options.seed, run.step, 1))
    run.start()
    next_check = run.progress + CHECK_EVERY
    while run.progress < 1:
        for group in optimizer.param_groups:
            group["lr"] = options.lr * cosine(run.progress)
        playing = run.progress >= options.judge_from
        parts = step(net, judge, next(batches), piece=Piece(rng), players=(optimizer, referee),
                     weight=options.adversarial if playing else 0.0, number=run.step)  # fmt: skip
        ema.update(net)
        run.tick()
        if run.step % 25 == 0:
            run.log(progress=run.progress, **parts)
        if run.progress >= next_check:
            next_check = run.progress + CHECK_EVERY
            run.log(event="validation", **validate(ema.net, held_out))
            run.start()
        run.save(_states(net, judge, ema=ema, optimizer=optimizer, referee=referee) | began, every_s=60)
    batches.close()
    run.log(event="validation", **validate(ema.net, held_out))
    states = _states(net, judge, ema=ema, optimizer=optimizer, referee=referee)
    run.save(states | began | {"thresholds": thresholds_of(ema.net, held_out)})
    if isinstance(ema.net, Repainter):
        export_baseline(ema.net, run, clock=options.clock)
    return run.folder / "last.pt"


def export_baseline(net: Repainter, run: Run, *, clock: str) -> Path:
    """Write the baseline to `export` in the run's folder, where `mojing eval transfer --baseline` looks for it."""
    card = {"purpose": "picture-to-picture baseline of make-up transfer, for comparison only", "licence": "Apache-2.0",
            "training": {"minutes": round(run.spent / 60, 1), "clock": clock, "steps": run.step}}  # fmt: skip
    ports = [Port("faces", torch.rand(1, 8, 256, 256))]
    return export(net, run.folder / "export", "makeup-repaint", inputs=ports, outputs=["made"], card=card)


def step(
    net: nn.Module,
    judge: Judge,
    batch: Batch,
    *,
    piece: Piece,
    players: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
    weight: float,
    number: int,
) -> dict[str, float]:
    """One step of the network and, where its opinion has a `weight`, of the discriminator; the losses' parts."""
    optimizer, referee = players
    if isinstance(net, MakeupNet):
        answer = layers_step(net, batch, piece)
    else:
        assert isinstance(net, Repainter)
        answer = repaint_step(net, batch, piece)
    loss, parts = answer.loss, answer.parts
    if weight:
        source, made, true = (torch.cat([s[i] for s in answer.shown]) for i in range(3))
        with channels_last_bf16("cpu"):
            real, fake = judge(source, true).float(), judge(source, made.detach()).float()
        blame = discriminator_loss("hinge", real=real, fake=fake)
        referee.zero_grad(set_to_none=True)
        blame.backward()
        referee.step()
        judge.requires_grad_(False)
        with channels_last_bf16("cpu"):
            praise = generator_loss("hinge", real=real.detach(), fake=judge(source, made).float())
        judge.requires_grad_(True)
        loss = loss + weight * praise
        parts |= {"judge": blame.item(), "praise": praise.item()}
    descend(loss, parts, net=net, optimizer=optimizer, step=number)
    return parts


def load_pairs(options: Options) -> tuple[Pairs, Pairs]:
    """Pairs of training and of held-out faces, painted where they are not there yet."""
    held = find_faces(options.data, options.teacher, held_out=True)
    seen = find_faces(options.data, options.teacher, held_out=False)
    seen = [seen[i] for i in np.unique(np.linspace(0, len(seen) - 1, options.faces).astype(int))]
    folder = options.pairs / "held-out"
    held_out = prepare(held, folder, count=options.held_out, seed=options.seed + 1, dark=0.2)
    return prepare(seen, options.pairs / "seen", count=options.count, seed=options.seed), held_out


def _parts(
    net: nn.Module, judge: nn.Module, *, ema: Ema, optimizer: torch.optim.Optimizer, referee: torch.optim.Optimizer
) -> dict[str, Any]:
    return {"net": net, "judge": judge, "ema": ema.net, "optimizer": optimizer, "referee": referee}


def _states(
    net: nn.Module, judge: nn.Module, *, ema: Ema, optimizer: torch.optim.Optimizer, referee: torch.optim.Optimizer
) -> dict[str, Any]:
    """What a resumed run needs."""
    parts = _parts(net, judge, ema=ema, optimizer=optimizer, referee=referee)
    return {name: part.state_dict() for name, part in parts.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train makeup`."""
    train(parse_options(Options, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
