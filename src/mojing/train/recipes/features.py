"""Recipe of the fashion feature network: kind of garment, which photo it is, and how it looks, from one feature.

Every photo of a batch is shown twice, moved, re-lit and often cut out onto another background. The feature must tell
the kind (cross-entropy), find the other view among all of the batch (NT-Xent, Chen et al. 2020, eq. 1), which needs
colour, pattern and cut but not the background, and give the garment's mean colour, spread of colour and fineness of
detail by a linear map. The run works its way up from half the resolution (progressive resizing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mojing.core.arrays import F32, U8, AnyArray
from mojing.perception.features import KINDS, SIDE
from mojing.runtime.store import ModelStore
from mojing.train.data import augment as aug
from mojing.train.data.kinds import OTHER, STORED, Picture, cut_out, load_pictures
from mojing.train.loop import Ema, Prefetch, Run, checkpoint, cosine, descend, restore
from mojing.train.nets.body import channels_last_bf16
from mojing.train.nets.features import FeatureNet
from mojing.train.options import Basics, parse_options

USUAL = (1.9, 0.2, 0.1, 0.6, 0.2, 0.3, 0.7, 1.7)
"""About the mean look of garment photos, in the units of `style_of`."""

CHECK_EVERY = 0.33
"""Share of the run between checks on held-out photos, each of which costs as much as some fifty steps."""


@dataclass
class Options(Basics):
    """Settings of a run; each is a flag."""

    out: Path = Path("runs/features")
    """folder of the run: log, checkpoints; an existing run is resumed"""
    cutouts: Path = Path("runs/features-cutouts")
    """folder where the garments' cut-outs are kept"""
    cutout_share: float = 0.5
    """share of the garment photos that are cut out, so that backgrounds vary"""
    start: Path = Path("runs/garment/last.pt")
    """checkpoint of a garment or body run whose first layers are taken over; from scratch if there is no such file"""
    minutes: float = 10.0
    """training time, not counting loading"""
    half_share: float = 0.5
    """share of the time at which 64 px give way to 96"""
    small_share: float = 0.85
    """share of the time at which 96 px give way to 128"""
    batch: int = 48
    """photos a step, each seen twice"""
    lr: float = 2e-3
    """peak learning rate of AdamW"""
    match: float = 0.5
    """weight of finding the other view"""
    style: float = 0.5
    """weight of colour and pattern"""
    temperature: float = 0.2
    """temperature of finding the other view"""
    threads: int = 1


def view(picture: Picture, rng: np.random.Generator, *, side: int) -> tuple[U8, F32]:
    """One augmented view (side, side, 3), and how the garment looks in it (8,)."""
    scale = side / STORED * float(np.exp(rng.uniform(-0.22, 0.22)))
    shift = (rng.normal(0, 0.04) * side, rng.normal(0, 0.04) * side)
    middle = ((STORED - 1) / 2, (STORED - 1) / 2)
    m = aug.similarity(middle, scale=scale, degrees=rng.normal(0, 10), out_wh=(side, side), shift=shift)
    image = aug.warp_level(picture.rgb, m, (side, side))
    if picture.alpha is None:
        weight = _middle_weight(side)
    else:
        alpha = aug.warp_level(picture.alpha, m, (side, side), border=0)
        weight = np.asarray(alpha, np.float32) / np.float32(255)
        if rng.random() < 0.5:
            image = _put_on(image, weight, rng)
    if rng.random() < 0.5:
        image, weight = image[:, ::-1], weight[:, ::-1]
    image = aug.jitter_colour(np.ascontiguousarray(image), rng, strength=0.5)
    look = style_of(image, weight)
    return _erase(image, rng), look


def _middle_weight(side: int) -> F32:
    near = np.linspace(-1, 1, side)
    return ((near[:, None] ** 2 + near**2) < 0.36).astype(np.float32)


def _put_on(image: AnyArray, weight: F32, rng: np.random.Generator) -> U8:
    """The garment on white (half of the time) or another plain colour, sometimes with a gradient."""
    colour = np.full(3, 255.0) if rng.random() < 0.5 else rng.uniform(0, 256, 3)
    back = np.broadcast_to(colour, image.shape)
    if rng.random() < 0.3:
        back = back * np.linspace(rng.uniform(0.7, 1), rng.uniform(0.7, 1), len(image))[:, None, None]
    mixed = image * weight[..., None] + back * (1 - weight[..., None])
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _erase(image: U8, rng: np.random.Generator) -> U8:
    """Now and then hide a rectangle (arXiv:1708.04896)."""
    if rng.random() < 0.25:
        side = len(image)
        w, h = (int(side * rng.uniform(0.1, 0.35)) for _ in range(2))
        x, y = int(rng.uniform(0, side - w)), int(rng.uniform(0, side - h))
        image = image.copy()
        image[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return image


def style_of(image: U8, weight: F32) -> F32:
    """How the weighted part of a picture looks (8,): mean Lab, spread of Lab, fine and coarse detail of its lightness.

    Lab in CIE units over 25; detail is the mean absolute difference from a blur of sigma 1 and 4 px, over 5; all less
    what is usual, because Adam moves a bias no faster than the learning rate, and in a short run a linear map would
    spend itself on the mean.
    """
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
    share = cv2.resize(np.ascontiguousarray(weight), (64, 64), interpolation=cv2.INTER_AREA)
    share = share / max(float(share.sum()), 1e-3)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mean = (lab * share[..., None]).sum(axis=(0, 1))
    spread = np.sqrt((np.square(lab - mean) * share[..., None]).sum(axis=(0, 1)))
    light = lab[..., 0]
    detail = [float((np.abs(light - cv2.GaussianBlur(light, (0, 0), s)) * share).sum()) / 5 for s in (1.0, 4.0)]
    return (np.concatenate([mean / 25, spread / 25, detail]) - USUAL).astype(np.float32)


class Sampler:
    """Draws batches: rare kinds more often than their share, about an eighth from the shop, a tenth no garments."""

    def __init__(self, pictures: list[Picture], options: Options) -> None:
        self.pictures = pictures
        self.options = options
        self.side = SIDE
        kinds = np.array([p.kind for p in pictures])
        shop = np.array([p.source == "shop" for p in pictures])
        count = np.bincount(kinds, minlength=len(KINDS)).astype(float)
        weight = count[kinds] ** -0.5
        for mask, share in ((kinds == OTHER, 0.1), (shop & (kinds != OTHER), 0.12)):
            if mask.any() and not mask.all():
                weight[mask] *= share / (1 - share) * weight[~mask].sum() / weight[mask].sum()
        self.chance = weight / weight.sum()

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Images (2B, 3, H, W) uint8, first views then second ones; kinds (2B,); looks (2B, 8)."""
        rng = np.random.default_rng((self.options.seed, step))
        side = self.side
        few = len(self.pictures) < self.options.batch
        picked = rng.choice(len(self.pictures), self.options.batch, p=self.chance, replace=few)
        shown = [_recoloured(self.pictures[i], rng) for i in picked]
        views = [view(p, rng, side=side) for _ in range(2) for p in shown]
        images = torch.from_numpy(np.stack([v[0] for v in views])).permute(0, 3, 1, 2)
        kinds = torch.tensor([p.kind for p in shown] * 2)
        return images, kinds, torch.from_numpy(np.stack([v[1] for v in views]))


def _recoloured(picture: Picture, rng: np.random.Generator) -> Picture:
    """Sometimes the garment in another colour, the same in both views: colour must not tell the kind."""
    if picture.alpha is None or rng.random() > 0.4:
        return picture
    rgb = aug.recolour(picture.rgb, (picture.alpha > 127).astype(np.uint8), rng)
    return Picture(np.asarray(rgb, np.uint8), picture.alpha, picture.kind, picture.source, picture.part)


def nt_xent(feature: Tensor, *, temperature: float) -> Tensor:
    """Cross-entropy of finding each row's other view, n rows away, among the other rows (2n, D) (arXiv:2002.05709)."""
    unit = F.normalize(feature.float(), dim=1)
    n = len(unit) // 2
    alike = unit @ unit.T / temperature
    alike = alike.masked_fill(torch.eye(2 * n, dtype=torch.bool), float("-inf"))
    return F.cross_entropy(alike, torch.arange(2 * n).roll(n))


def losses(net: FeatureNet, batch: tuple[Tensor, Tensor, Tensor], options: Options) -> tuple[Tensor, dict[str, float]]:
    """Kind, other view, and look; the weighted sum and its parts."""
    images, kinds, looks = batch
    x = (images.float() / 255).contiguous(memory_format=torch.channels_last)
    with channels_last_bf16("cpu"):
        feature, logits = net(x)
    kind = F.cross_entropy(logits.float(), kinds, label_smoothing=0.1)
    match = nt_xent(feature, temperature=options.temperature)
    style = F.smooth_l1_loss(net.style(feature.float()), looks)
    total = kind + options.match * match + options.style * style
    return total, {"kind": kind.item(), "match": match.item(), "style": style.item()}


@torch.no_grad()
def look_at(net: nn.Module, images: Sequence[U8]) -> tuple[Tensor, Tensor]:
    """Features (N, 256) and kind logits (N, K) of pictures (H, W, 3) uint8 of one size."""
    found = []
    for start in range(0, len(images), 64):
        x = torch.from_numpy(np.stack(images[start : start + 64])).permute(0, 3, 1, 2).float() / 255
        found.append(net(x.contiguous(memory_format=torch.channels_last)))
    return torch.cat([f for f, _ in found]).float(), torch.cat([k for _, k in found]).float()


@torch.no_grad()
def validate(net: nn.Module, held_out: Sequence[Picture], *, seed: int = 1) -> dict[str, float]:
    """Kinds named rightly (new senders, new photos of known senders, shop), other views found, looks told."""
    small = [np.asarray(cv2.resize(p.rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8) for p in held_out]
    feature, logits = look_at(net, small)
    kinds = torch.tensor([p.kind for p in held_out])
    right = (logits.argmax(1) == kinds).float()
    close = (logits.topk(3, dim=1).indices == kinds[:, None]).any(1).float()
    garment = kinds != OTHER
    masks = {
        "new_senders": garment & torch.tensor([p.source == "garments" and p.part == "sender" for p in held_out]),
        "new_photos": garment & torch.tensor([p.part == "photo" for p in held_out]),
        "shop": garment & torch.tensor([p.source == "shop" for p in held_out]),
        "no_garment": ~garment,
    }
    result = {f"accuracy_{name}": float(right[mask].mean()) for name, mask in masks.items() if mask.any()}
    if masks["new_senders"].any():
        result["top3_new_senders"] = float(close[masks["new_senders"]].mean())
    chosen = [i for i, p in enumerate(held_out) if p.kind != OTHER and p.source == "garments"]
    if len(chosen) > 1:
        rng = np.random.default_rng(seed)
        some = [held_out[i] for i in chosen[:: max(len(chosen) // 200, 1)]]
        a, b = (look_at(net, [view(p, rng, side=SIDE)[0] for p in some])[0] for _ in range(2))
        found = torch.cdist(a, b).argmin(1) == torch.arange(len(some))
        result["other_view_found"] = float(found.float().mean())
        looks = np.stack([style_of(small[i], _middle_weight(SIDE)) for i in chosen])
        shares = explained(feature[chosen], torch.from_numpy(looks))
        result["colour_explained"] = float(shares[:3].mean())
        result["detail_explained"] = float(shares[6:].mean())
    return result


def explained(feature: Tensor, looks: Tensor, *, ridge: float = 30.0) -> Tensor:
    """Share of every look's variance (8,) that a linear map of the features tells, fitted on even rows, of odd ones."""
    x = torch.cat([feature.double(), torch.ones(len(feature), 1, dtype=torch.float64)], dim=1)
    y = looks.double()
    fit, test = slice(0, None, 2), slice(1, None, 2)
    gram = x[fit].T @ x[fit] + ridge * torch.eye(x.shape[1], dtype=torch.float64)
    error = y[test] - x[test] @ torch.linalg.solve(gram, x[fit].T @ y[fit])
    return 1 - error.square().mean(0) / y[test].var(0, unbiased=False).clamp(min=1e-9)


def train(options: Options) -> Path:
    """Train, or go on with, a feature network; returns the checkpoint's path."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    pictures = load_pictures(options.data, parts=("train",))
    held_out = load_pictures(options.data, parts=("sender", "photo"))
    for some in (pictures, held_out):
        cut_out(some, options.cutouts, models=ModelStore(), share=options.cutout_share, threads=options.threads)
    net = FeatureNet().to(memory_format=torch.channels_last)
    run = Run(options.out, minutes=options.minutes)
    state = run.load()
    if state is None and options.start.is_file():
        taken = net.start_from(torch.load(options.start, map_location="cpu", weights_only=True)["ema"])
        run.log(event="start", taken_over=float(taken))
    ema = Ema(net, decay=0.99)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.lr, weight_decay=0.05)
    if state is not None:
        restore(state, net=net, ema=ema, optimizer=optimizer, step=run.step)
    sampler = Sampler(pictures, options)
    sampler.side = side_at(run.progress, options)
    batches = Prefetch(sampler.batch, start=run.step)
    run.start()
    next_check = run.progress + CHECK_EVERY
    while run.progress < 1:
        sampler.side = side_at(run.progress, options)
        for group in optimizer.param_groups:
            group["lr"] = options.lr * cosine(run.progress)
        loss, parts = losses(net, next(batches), options)
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
    settle(ema.net, sampler, step=run.step)
    run.log(event="validation", **validate(ema.net, held_out))
    run.save(checkpoint(net, ema, optimizer))
    return run.folder / "last.pt"


def settle(net: nn.Module, sampler: Sampler, *, step: int, batches: int = 12) -> None:
    """Take the batch norms' statistics anew, at full resolution, for the averaged weights (arXiv:1803.05407, 3.2)."""
    sampler.side = SIDE
    images = (sampler.batch(step + i)[0].float() / 255 for i in range(batches))
    with channels_last_bf16("cpu"):
        torch.optim.swa_utils.update_bn((x.contiguous(memory_format=torch.channels_last) for x in images), net)


def side_at(progress: float, options: Options) -> int:
    """Side of the training pictures in px."""
    if progress < options.half_share:
        return SIDE // 2
    return SIDE * 3 // 4 if progress < options.small_share else SIDE


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train features`."""
    train(parse_options(Options, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
