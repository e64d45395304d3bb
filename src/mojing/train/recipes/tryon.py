"""Recipe of the try-on GAN: put back the garment that was taken off, after the drape laid it a little wrong.

Generator losses: L1, gradient L1 and SSIM inside the edit mask, cross-entropy of the new parse map, L1 of the garment's
alpha, total variation of the flow, and after a warm-up the hinge adversarial loss (arXiv:1705.02894) of a PatchGAN with
feature matching (arXiv:1711.11585). The first part of the run works at half resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.train.data.dressing import Dressing, augment, prepare, read_all
from mojing.train.data.people import IGNORE, load_people
from mojing.train.export import Port
from mojing.train.loop import Ema, Prefetch, Run, check_finite, cosine
from mojing.train.nets.body import BodyNet, channels_last_bf16
from mojing.train.nets.render import Discriminator, Generator, compose
from mojing.train.options import Taught, parse_options
from mojing.train.recipes.body import pseudo_label
from mojing.train.warmstart import start_from

FULL_EVERY = 3
"""In the second part of a run every third step is at full resolution, the others at half."""


@dataclass
class Options(Taught):
    """Settings of a run; each is a flag."""

    body: Path = Path("runs/body/last.pt")
    """checkpoint of the body network, which labels photos without labels; ignored when missing"""
    pseudo: Path = Path("runs/pseudo")
    """folder that keeps the labels made by the body network"""
    crops: Path = Path("runs/dressing")
    """folder that keeps the prepared crops"""
    ready: int = 0
    """1: take the crops as they lie in the folder, without looking for photos (for another machine)"""
    prepare_only: bool = False
    """make the crops and stop"""
    out: Path = Path("runs/tryon")
    """folder of the run; an existing run is resumed"""
    start: Path | None = None
    """weights to go on from, a checkpoint (.pt) of both networks or a shipped generator (.onnx); none to begin anew"""
    minutes: float = 40.0
    """training time, not counting loading"""
    small_share: float = 0.6
    """share of the time spent at half resolution only"""
    batch: int = 8
    """crops a step at half resolution (half as many at full)"""
    lr: float = 4e-4
    """peak learning rate of Adam, both networks"""
    gan_start: float = 0.15
    """share of the run after which the adversarial loss begins"""
    gan_weight: float = 0.1
    """weight of the adversarial loss; at 0.4 invented skin and cloth took garish colours"""
    match_weight: float = 2.0
    """weight of feature matching"""


class Sampler:
    """Draws batches evenly over categories."""

    def __init__(self, crops: list[Dressing], options: Options) -> None:
        self.crops = crops
        self.options = options
        self.half = True
        kinds = [c.category for c in crops]
        count = {k: kinds.count(k) for k in set(kinds)}
        chance = np.array([count[c.category] ** -0.4 * c.weight for c in crops])
        self.chance = chance / chance.sum()

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """Picture, context, photo, parse, garment and weight tensors of a step."""
        rng = np.random.default_rng((self.options.seed, step))
        half = self.half or step % FULL_EVERY != 0
        count = self.options.batch if half else max(self.options.batch // 2, 1)
        picked = rng.choice(len(self.crops), count, p=self.chance)
        return stack([augment(self.crops[i], rng, half=half) for i in picked])


def stack(samples: Sequence[Any]) -> tuple[Tensor, ...]:
    """Tensors of a list of samples, photos as float 0..1."""
    return (
        torch.from_numpy(np.stack([s.picture for s in samples])),
        torch.from_numpy(np.stack([s.context for s in samples])),
        torch.from_numpy(np.stack([s.photo for s in samples])).permute(0, 3, 1, 2).float() / 255,
        torch.from_numpy(np.stack([s.parse for s in samples])).long(),
        torch.from_numpy(np.stack([s.garment for s in samples])),
        torch.tensor([s.weight for s in samples], dtype=torch.float32),
    )


def inside(value: Tensor, mask: Tensor) -> Tensor:
    """Mean over the mask (N, 1, H, W) of (N, C, H, W), every picture counting alike."""
    area = mask.sum((1, 2, 3)).clamp(min=1)
    return ((value * mask).sum((1, 2, 3)) / (area * value.shape[1])).mean()


def gradient_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """L1 distance of horizontal and vertical differences inside the mask."""
    d = a - b
    dx, dy = d[..., :, 1:] - d[..., :, :-1], d[..., 1:, :] - d[..., :-1, :]
    return inside(dx.abs(), mask[..., :, 1:]) + inside(dy.abs(), mask[..., 1:, :])


def structure(a: Tensor, b: Tensor, mask: Tensor, *, window: int = 7) -> Tensor:
    """1 - SSIM (Wang et al. 2004) inside the mask, with a flat window; colours in 0..1."""

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, window, stride=1, padding=window // 2, count_include_pad=False)

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    like = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va.clamp(min=0) + vb.clamp(min=0) + c2))
    return inside(1 - like, mask)


def tone_l1(a: Tensor, b: Tensor, mask: Tensor, *, cells: int = 32) -> Tensor:
    """L1 distance of colours averaged over H/32 x H/32 px: the tone of an area, whatever its texture."""
    size = max(a.shape[2] // cells, 1)
    share = F.avg_pool2d(mask, size)
    return inside((F.avg_pool2d((a - b) * mask, size)).abs() / share.clamp(min=0.05), share)


def generator_losses(
    out: tuple[Tensor, ...], composed: tuple[Tensor, Tensor, Tensor], batch: tuple[Tensor, ...]
) -> tuple[Tensor, dict[str, float]]:
    """All of the generator's losses but the adversarial ones."""
    picture, _, photo, parse, garment, weight = batch
    result, alpha, _ = composed
    mask = picture[:, 3:4]
    l1 = inside((result - photo).abs(), mask)
    rgb = inside((out[0] - photo).abs(), mask)
    edge = gradient_l1(result, photo, mask)
    ce = F.cross_entropy(out[4], parse, ignore_index=IGNORE, reduction="none")
    ce = (ce * weight[:, None, None]).mean()
    known = (garment != 255).float()[:, None] * mask
    solid = (picture[:, 7:8] > 0.5).float() * known
    cover = inside((alpha - garment[:, None].clamp(max=1).float()).abs(), solid)
    flow = out[2] / photo.shape[2]
    smooth = (flow[..., 1:] - flow[..., :-1]).abs().mean() + (flow[..., 1:, :] - flow[..., :-1, :]).abs().mean()
    tone = tone_l1(result, photo, mask)
    like = structure(result, photo, mask)
    total = (
        2 * like
        + 10 * l1
        + 10 * tone
        + 2 * rgb
        + 10 * edge
        + 0.5 * ce
        + 1.5 * cover
        + 15 * smooth
        + 0.3 * flow.abs().mean()
    )
    parts = {
        "l1": l1,
        "tone": tone,
        "rgb": rgb,
        "edge": edge,
        "parse": ce,
        "alpha": cover,
        "smooth": smooth,
        "ssim": like,
    }
    return total, {k: v.item() for k, v in parts.items()}


def judged(image: Tensor, picture: Tensor) -> Tensor:
    """What the discriminator sees: the picture, the edit mask and the coarse garment's alpha."""
    both = torch.cat([image * 2 - 1, picture[:, 3:4], picture[:, 7:8]], dim=1)
    return both.contiguous(memory_format=torch.channels_last)


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Mean L1 distance of the discriminator's features of a real and a generated picture."""
    terms = [F.l1_loss(f.float(), r.detach().float()) for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


class Trainer:
    """Both networks, their optimizers and one step."""

    def __init__(self, options: Options) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        self.generator = Generator().to(memory_format=torch.channels_last)
        self.discriminator = Discriminator().to(memory_format=torch.channels_last)
        self.ema = Ema(self.generator)
        self.opt_g = torch.optim.Adam(self.generator.parameters(), lr=options.lr, betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=options.lr, betas=(0.5, 0.99))

    def step(self, batch: tuple[Tensor, ...], *, adversarial: bool, step: int) -> dict[str, float]:
        """One update of the generator and, when adversarial, one of the discriminator."""
        picture, context, photo = batch[0].contiguous(memory_format=torch.channels_last), batch[1], batch[2]
        with channels_last_bf16("cpu"):
            raw = self.generator(picture, context)
        out = tuple(v.float() for v in raw)
        composed = compose(out, photo=photo, picture=picture)  # type: ignore[arg-type]
        loss, parts = generator_losses(out, composed, batch)
        if adversarial:
            with channels_last_bf16("cpu"):
                score, fake = self.discriminator(judged(composed[0], picture))
                with torch.no_grad():
                    _, real = self.discriminator(judged(photo, picture))
            gan, match = -score.float().mean(), feature_matching(real, fake)
            loss = loss + self.options.gan_weight * gan + self.options.match_weight * match
            parts |= {"gan": gan.item(), "match": match.item()}
        check_finite(loss, parts, step)
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.generator.parameters(), 10.0)
        self.opt_g.step()
        self.ema.update(self.generator)
        if adversarial:
            parts["d"] = self._discriminate(photo, composed[0].detach(), picture)
        return parts

    def _discriminate(self, photo: Tensor, result: Tensor, picture: Tensor) -> float:
        both = torch.cat([judged(photo, picture), judged(result, picture)])
        with channels_last_bf16("cpu"):
            score, _ = self.discriminator(both)
        real, fake = score.float().chunk(2)
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        self.opt_d.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def rate(self, progress: float) -> None:
        """Set both learning rates."""
        for group in [*self.opt_g.param_groups, *self.opt_d.param_groups]:
            group["lr"] = self.options.lr * cosine(progress)

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""
        names = ("generator", "discriminator", "opt_g", "opt_d")
        return {**{n: getattr(self, n).state_dict() for n in names}, "ema": self.ema.net.state_dict()}

    def restore(self, state: dict[str, Any], *, steps: int) -> None:
        """Go on from `state()`."""
        for name in ("generator", "discriminator", "opt_g", "opt_d"):
            getattr(self, name).load_state_dict(state[name])
        self.ema.net.load_state_dict(state["ema"])
        self.ema.steps = steps


@torch.no_grad()
def preview(generator: nn.Module, crops: Sequence[Dressing], path: Path) -> dict[str, float]:
    """Write a sheet (photo, blanked, coarse, result) of held-out crops; L1 inside the mask, ours and the drape's."""
    rows, ours, plain = [], [], []
    for i, crop in enumerate(crops):
        batch = stack([augment(crop, np.random.default_rng((7, i)), half=False)])
        picture, photo = batch[0].contiguous(memory_format=torch.channels_last), batch[2]
        with channels_last_bf16("cpu"):
            out = generator(picture, batch[1])
        result = compose(tuple(v.float() for v in out), photo=photo, picture=picture)[0]  # type: ignore[arg-type]
        mask, alpha = picture[:, 3:4], picture[:, 7:8]
        coarse = mask * (picture[:, 4:7] + alpha) / 2 + (1 - mask * alpha) * ((picture[:, :3] + 1) / 2)
        ours.append(inside((result - photo).abs(), mask).item())
        plain.append(inside((coarse - photo).abs(), mask).item())
        row = torch.cat([photo[0], (picture[0, :3] + 1) / 2, coarse[0], result[0]], dim=2).permute(1, 2, 0).numpy()
        rows.append(
            cv2.resize((row.clip(0, 1) * 255).astype(np.uint8), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        )
    rows = rows[:24]
    sheet = np.vstack([np.hstack(rows[i : i + 2]) for i in range(0, len(rows) - 1, 2)])
    cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    return {"l1": float(np.mean(ours)), "l1_drape": float(np.mean(plain))}


def load_crops(options: Options) -> tuple[list[Dressing], list[Dressing]]:
    """Crops to train on, and crops of labelled held-out people."""
    held_folder = options.crops / "validation"
    if options.ready:
        return read_all(options.crops), read_all(held_folder)
    people = load_people(options.data, options.teacher)
    if options.body.exists():
        body = BodyNet()
        body.load_state_dict(torch.load(options.body, map_location="cpu", weights_only=True)["ema"])
        pseudo_label(body.eval().to(memory_format=torch.channels_last), people, confident=0.5, keep=options.pseudo)
    held = [p for p in load_people(options.data, options.teacher, sets=("people",), validation=True) if p.labelled]
    return prepare(people, options.crops), prepare(held, held_folder, limit=60)


def train(options: Options) -> Path:
    """Train, or go on with, a try-on GAN; returns the checkpoint's path, or the crops' folder if they alone are asked
    for."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    crops, held = load_crops(options)
    if options.prepare_only:
        return options.crops
    trainer = Trainer(options)
    run = Run(options.out, minutes=options.minutes)
    state = run.load()
    if state is not None:
        trainer.restore(state, steps=run.step)
    sampler = Sampler(crops, options)
    if state is None and options.start is not None:
        _begin(trainer, sampler, options.start)
    run.log(event="material", crops=len(crops), held=len(held))
    sampler.half = run.progress < options.small_share
    batches = Prefetch(sampler.batch, start=run.step)
    run.start()
    next_check = run.progress + 0.04
    while run.progress < 1:
        sampler.half = run.progress < options.small_share
        trainer.rate(run.progress)
        parts = trainer.step(next(batches), adversarial=run.progress >= options.gan_start, step=run.step)
        run.tick()
        if run.step % 50 == 0:
            run.log(progress=run.progress, **parts)
        if run.progress >= next_check or run.progress >= 1:
            next_check = run.progress + 0.12
            path = run.folder / f"preview-{run.step:06d}.png"
            run.log(event="validation", **preview(trainer.ema.net, held, path))
        run.save(trainer.state(), every_s=120)
    batches.close()
    run.save(trainer.state())
    return run.folder / "last.pt"


def _begin(trainer: Trainer, sampler: Sampler, start: Path) -> None:
    """Take over both networks of a run, or the generator of a shipped model, whose discriminator is not kept."""
    if start.suffix != ".onnx":
        trainer.restore(torch.load(start, map_location="cpu", weights_only=True), steps=1000)
        return
    sampler.half = False
    picture, context, *_ = sampler.batch(0)
    start_from(trainer.generator, start, inputs=[Port("picture", picture), Port("context", context)])
    trainer.ema.net.load_state_dict(trainer.generator.state_dict())


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train tryon`."""
    train(parse_options(Options, argv))  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
