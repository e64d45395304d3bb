"""Recipe of the garment network: made-up photos of worn and of drawn garments, and real ones by self-training.

Real photos teach category and sleeve from the first step; at two points of the run the averaged network labels their
cut-outs and anchors, and those it reads alike in a photo and its mirror image are trained on from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mojing.core.skeleton import GARMENT_ANCHORS, mirror_order
from mojing.perception.cutout import by_regions
from mojing.perception.garment import AGAIN, CATEGORIES, GROUND, on_white
from mojing.perception.kind import fit_legs, fit_trunk, level_pairs
from mojing.perception.outline import symmetry
from mojing.train.data import augment as aug
from mojing.train.data.drawn import cloth_of, draw_all
from mojing.train.data.garments import (
    SIDE,
    RealGarment,
    Scene,
    Worn,
    edges_of,
    lay_all_flat,
    load_garments,
    mirror,
    real_scene,
    scene,
    take_all_off,
)
from mojing.train.data.people import IGNORE, Person, load_people, whole_box
from mojing.train.export import Port
from mojing.train.loop import Ema, Prefetch, Run, checkpoint, cosine, descend, restore
from mojing.train.nets.body import BodyNet, channels_last_bf16
from mojing.train.nets.garment import GarmentNet
from mojing.train.options import Taught, parse_options
from mojing.train.recipes.body import CROP_WH, WHOLE, framed, pseudo_label
from mojing.train.ship import MODELS
from mojing.train.warmstart import origin, start_from

MIRROR = mirror_order(GARMENT_ANCHORS)


@dataclass
class Options(Taught):
    """Settings of a run; each is a flag."""

    body: Path = MODELS / "body.onnx"
    """body network, checkpoint (.pt) or shipped model (.onnx): it labels photos, and its weights are the start"""
    pseudo: Path = Path("runs/pseudo")
    """folder that keeps the labels made by the body network"""
    out: Path = Path("runs/garment")
    """folder of the run; an existing run is resumed"""
    start: Path | None = None
    """weights to go on from, a checkpoint (.pt) or a shipped model (.onnx), which label the real photos at once; none
    to begin with those of the body network"""
    minutes: float = 25.0
    """training time, not counting loading and self-labelling"""
    small_share: float = 0.45
    """share of the time spent at half resolution"""
    batch: int = 14
    """pictures a step at full resolution"""
    real_share: float = 0.4
    """share of real garment photos in a batch"""
    drawn: int = 900
    """how many garments are drawn, with anchors known by construction"""
    drawn_share: float = 0.35
    """share of drawn garments among the made-up pictures of a batch"""
    variants: int = 2
    """how many flat figures each worn garment is laid on"""
    lr: float = 1.5e-3
    """peak learning rate of AdamW"""


@dataclass
class Material:
    """Everything a run draws its pictures from."""

    worn: list[Worn]
    drawn: list[Worn]
    real: list[RealGarment]
    edges: list[NDArray[np.uint8]]
    body: dict[str, Tensor]
    """weights of the body network"""


def load_material(options: Options) -> Material:
    """Take garments off labelled and self-labelled people, lay them flat, and load the real photos."""
    people = load_people(options.data, options.teacher)
    body = BodyNet()
    start_from(body, options.body, inputs=[Port("image", _whole(people[:24]))])
    pseudo_label(body.eval().to(memory_format=torch.channels_last), people, confident=0.5, keep=options.pseudo)
    worn = take_all_off(people)
    lay_all_flat(worn, count=options.variants, seed=options.seed)
    drawn = draw_all(options.drawn, cloth_of(worn), seed=options.seed)
    real = load_garments(options.data)
    return Material(worn, drawn, real, edges_of(real), dict(body.state_dict()))


def _whole(people: Sequence[Person]) -> Tensor:
    """Whole people as the body network sees them."""
    crops = [aug.warp_levels(p.levels, framed(whole_box(p), WHOLE), CROP_WH) for p in people]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255


class Sampler:
    """Draws batches; worn garments evenly over categories, real photos evenly over categories."""

    def __init__(self, material: Material, options: Options) -> None:
        self.material = material
        self.options = options
        self.small = True
        self.worn_chance = _balanced([w.view.category for w in material.worn])
        self.real_chance = _balanced([(g.category, g.sleeve) for g in material.real])

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """Image, seg, heat, anchors-known, category and sleeve tensors of a step."""
        rng = np.random.default_rng((self.options.seed, step))
        count = self.options.batch * (2 if self.small else 1)
        side = SIDE // 2 if self.small else SIDE
        n_real = round(count * self.options.real_share)
        n_drawn = round((count - n_real) * self.options.drawn_share) if self.material.drawn else 0
        samples = []
        for i in rng.integers(len(self.material.drawn), size=n_drawn):
            samples.append(scene(self.material.drawn[i], rng, self.material.edges, side=side))
        for i in rng.choice(len(self.material.worn), count - n_real - n_drawn, p=self.worn_chance):
            samples.append(scene(self.material.worn[i], rng, self.material.edges, side=side))
        for i in rng.choice(len(self.material.real), n_real, p=self.real_chance):
            samples.append(real_scene(self.material.real[i], rng, side=side))
        samples = [mirror(s, MIRROR) if rng.random() < 0.5 else s for s in samples]
        return _tensors(samples, side)


def _balanced(kinds: Sequence[object]) -> NDArray[np.float64]:
    count = {k: kinds.count(k) for k in set(kinds)}
    chance = np.array([count[k] ** -0.6 for k in kinds])
    return chance / chance.sum()  # type: ignore[no-any-return]


def _tensors(samples: Sequence[Scene], side: int) -> tuple[Tensor, ...]:
    heat = [aug.heat_maps(s.anchors, s.anchors[:, 2] > 0, (side // 4, side // 4), stride=4.0) for s in samples]
    return (
        torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2),
        torch.from_numpy(np.stack([s.seg[::2, ::2] for s in samples])).long(),
        torch.from_numpy(np.stack(heat)),
        torch.tensor([s.anchors_known for s in samples]),
        torch.tensor([s.category for s in samples]),
        torch.tensor([s.sleeve for s in samples]),
    )


def losses(out: tuple[Tensor, ...], batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy and Dice for the cut-out, weighted MSE for anchors, cross-entropy for category and sleeve."""
    seg, heat, category, sleeve = (t.float() for t in out[:4])
    _, truth, target, known, kind, arm = batch
    weight = torch.tensor([1.0, 1.0, 2.0])
    ce = F.cross_entropy(seg, truth, weight=weight, ignore_index=IGNORE)
    seen = (truth != IGNORE).float()
    prob, cloth = torch.softmax(seg, 1)[:, 1], (truth == 1).float()
    inter = (prob * cloth * seen).sum((1, 2))
    dice = 1 - (2 * inter + 1) / ((prob * seen).sum((1, 2)) + cloth.sum((1, 2)) + 1)
    dice = (dice * (known > 0)).sum() / (known > 0).sum().clamp(min=1)
    mse = (((heat - target) ** 2 * (1 + 12 * target)).mean((1, 2, 3)) * known).sum() / known.sum().clamp(min=1) * 30
    cat = F.cross_entropy(category, kind, label_smoothing=0.05)
    slv = F.cross_entropy(sleeve, arm, ignore_index=-1) if bool((arm >= 0).any()) else sleeve.sum() * 0
    total = ce + 0.5 * dice + mse + 0.3 * cat + 0.3 * slv
    parts = {"ce": ce, "dice": dice, "heat": mse, "category": cat, "sleeve": slv}
    return total, {k: v.item() for k, v in parts.items()}


@torch.no_grad()
def label_real(net: nn.Module, garments: Sequence[RealGarment], *, agreement: float = 0.9) -> int:
    """Give real photos the network's own cut-out and anchors where it agrees with itself; returns how many."""
    kept = 0
    for start in range(0, len(garments), 16):
        some = garments[start : start + 16]
        seg, _, category = _both_ways(net, np.stack([g.image for g in some]))
        prob, flipped = torch.softmax(seg, 1).chunk(2)
        jobs = list(zip(some, prob, flipped.flip(3), category.argmax(1).tolist(), strict=False))
        with ThreadPoolExecutor(2) as pool:
            outlines = list(pool.map(lambda job: _believe(job[0], job[1:3], kind=job[3], agreement=agreement), jobs))
        sure = [(g, outline) for g, outline in zip(some, outlines, strict=True) if outline is not None]
        if sure:
            _anchor(net, sure)
        kept += len(sure)
    return kept


def _both_ways(net: nn.Module, images: NDArray[np.uint8]) -> tuple[Tensor, Tensor, Tensor]:
    """Cut-out logits (2 N, 3, h, w) of pictures and mirror images, anchors' heat maps of both averaged, categories."""
    x = torch.from_numpy(np.concatenate([images, images[:, :, ::-1]])).permute(0, 3, 1, 2).float() / 255
    with channels_last_bf16("cpu"):
        seg, heat, category, _, _ = net(x.contiguous(memory_format=torch.channels_last))
    straight, mirrored = heat.float().chunk(2)
    return seg.float(), (straight + mirrored[:, MIRROR].flip(3)) / 2, category.float()


def _believe(g: RealGarment, prob: tuple[Tensor, Tensor], *, kind: int, agreement: float) -> NDArray[np.uint8] | None:
    """Label a photo by its own and its mirror image's cut-out if they agree and its category is right; its outline."""
    first, second = prob[0][1] > 0.5, prob[1][1] > 0.5
    union = float((first | second).sum())
    if union < 300 or float((first & second).sum()) / union < agreement or kind != g.category:
        g.seg = g.anchors = None
        return None
    mean = ((prob[0] + prob[1]) / 2)[None]
    up = F.interpolate(mean, scale_factor=2.0, mode="bilinear", align_corners=False)[0].numpy()
    outline = cv2.resize(by_regions(g.image, up[1] + up[2]), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    outline[g.inside == 0] = 0
    label = np.where(outline > 127, np.where(up[2] > np.maximum(up[1], 0.5), 2, 1), 0).astype(np.uint8)
    # Where colour and network contradict each other flatly nobody knows.
    label[(outline > 127) & (up[0] > 0.97) | (outline <= 127) & (up[1] > 0.97)] = IGNORE
    label[g.inside == 0] = 0
    g.seg = label
    return np.asarray(outline, np.uint8)


def _anchor(net: nn.Module, sure: Sequence[tuple[RealGarment, NDArray[np.uint8]]]) -> None:
    """Give photos the anchors that the network sees in their cut-outs alone, from near by and afar."""
    found = []
    for size in AGAIN:
        moves = [_framed(outline, size) for _, outline in sure]
        alone = [cv2.warpAffine(on_white(g.image, o), m, (SIDE, SIDE), borderValue=(GROUND,) * 3)
                 for (g, o), m in zip(sure, moves, strict=True)]  # fmt: skip
        heat = _both_ways(net, np.stack(alone))[1].numpy()
        found.append([_back(_anchors_of(h), m) for h, m in zip(heat, moves, strict=True)])
    for (g, outline), near, far in zip(sure, *found, strict=True):
        mean = (near + far) / 2
        mean[(near[:, 2] == 0) | (far[:, 2] == 0)] = 0
        g.anchors = _clean_anchors(mean, outline, kind=CATEGORIES[g.category])


def _framed(outline: NDArray[np.uint8], size: float) -> NDArray[np.float32]:
    """What moves a cut-out into a picture whose side is `size` times its longer side."""
    x, y, w, h = cv2.boundingRect((outline > 127).astype(np.uint8))
    return aug.similarity((x + w / 2, y + h / 2), scale=SIDE / (size * max(w, h, 8)), degrees=0, out_wh=(SIDE, SIDE))


def _back(anchors: NDArray[np.float32], m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Anchors of a picture that was made by `m`, in what it was made from; those not there stay 0."""
    moved = aug.move_points(anchors, cv2.invertAffineTransform(m).astype(np.float32))
    return np.where(anchors[:, 2:] > 0, moved, 0).astype(np.float32)


def _clean_anchors(anchors: NDArray[np.float32], outline: NDArray[np.uint8], *, kind: str) -> NDArray[np.float32]:
    """Anchors as the pipeline corrects them by the outline, so that the network learns the correction."""
    seen = anchors[:, 2] > 0
    out = fit_legs(anchors, outline) if kind == "trousers" else anchors
    mirror = symmetry(outline)
    out = level_pairs(out, outline, category=kind, mirror=mirror)
    out = fit_trunk(out, outline, category=kind, mirror=mirror)
    return np.where(seen[:, None] & (out[:, 2:] > 0), out, 0).astype(np.float32)


def _anchors_of(heat: NDArray[np.float32], *, least: float = 0.3) -> NDArray[np.float32]:
    k, _, w = heat.shape
    flat = heat.reshape(k, -1)
    peak = flat.argmax(axis=1)
    out = np.stack([peak % w * 4 + 1.5, peak // w * 4 + 1.5, flat.max(axis=1)], axis=1).astype(np.float32)
    out[out[:, 2] < least] = 0
    return out


@torch.no_grad()
def validate(
    net: nn.Module, worn: Sequence[Worn], real: Sequence[RealGarment], edges: list[NDArray[np.uint8]]
) -> dict[str, float]:
    """Held-out people's garments in fixed made-up scenes, and category and sleeve on held-out senders' photos."""
    iou, hits, total = [], 0, 0
    for i, w in enumerate(worn):
        s = scene(w, np.random.default_rng((99, i)), edges)
        x = torch.from_numpy(s.image).permute(2, 0, 1)[None].float() / 255
        seg, heat, *_ = net(x.contiguous(memory_format=torch.channels_last))
        found = F.interpolate(seg, scale_factor=2.0, mode="bilinear", align_corners=False)[0].argmax(0).numpy() == 1
        truth = s.seg == 1
        iou.append((found & truth).sum() / max((found | truth).sum(), 1))
        at = _anchors_of(heat[0].numpy(), least=0.0)
        height = cv2.boundingRect(truth.astype(np.uint8))[3]
        ok = s.anchors[:, 2] > 0
        hits += int((np.linalg.norm(at[ok, :2] - s.anchors[ok, :2], axis=1) < 0.1 * height).sum())
        total += int(ok.sum())
    right = [int(_category(net, g.image)[0] == g.category) for g in real]
    sleeves = [int(_category(net, g.image)[1] == g.sleeve) for g in real if g.sleeve >= 0]
    return {
        "iou": float(sum(iou)) / max(len(iou), 1),
        "pck": hits / max(total, 1),
        "category": sum(right) / max(len(right), 1),
        "sleeve": sum(sleeves) / max(len(sleeves), 1),
    }


def _category(net: nn.Module, image: NDArray[np.uint8]) -> tuple[int, int]:
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    out = net(x.contiguous(memory_format=torch.channels_last))
    return int(out[2].argmax()), int(out[3].argmax())


def train(options: Options) -> Path:
    """Train, or go on with, a garment network; returns the checkpoint's path."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    material = load_material(options)
    held_people = load_people(options.data, options.teacher, sets=("people",), validation=True)
    held_worn = take_all_off([p for p in held_people if p.labelled])
    lay_all_flat(held_worn, count=1)
    held_real = load_garments(options.data, validation=True)[::3]
    net = GarmentNet()
    net.start_from_body(material.body)
    net = net.to(memory_format=torch.channels_last)
    ema = Ema(net)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.lr, weight_decay=0.02)
    run = Run(options.out, minutes=options.minutes)
    sampler = Sampler(material, options)
    rounds = _begin(options, run, sampler, nets=(net, ema), optimizer=optimizer)
    about = origin(options.start)
    run.log(event="material", worn=len(material.worn), real=len(material.real), held_worn=len(held_worn))
    sampler.small = run.progress < options.small_share
    batches = Prefetch(sampler.batch, start=run.step)
    run.start()
    next_check = run.progress
    while run.progress < 1:
        sampler.small = run.progress < options.small_share
        if rounds and run.progress >= rounds[0]:
            rounds.pop(0)
            run.log(event="real photos labelled", kept=label_real(ema.net, material.real))
            run.start()
        batch = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = options.lr * cosine(run.progress)
        image = (batch[0].float() / 255).contiguous(memory_format=torch.channels_last)
        with channels_last_bf16("cpu"):
            out = net(image)
        loss, parts = losses(out, batch)
        descend(loss, parts, net=net, optimizer=optimizer, step=run.step)
        ema.update(net)
        run.tick()
        if run.step % 50 == 0:
            run.log(progress=run.progress, **parts)
        if run.progress >= next_check + 0.12 or run.progress >= 1:
            next_check = run.progress
            run.log(event="validation", **validate(ema.net, held_worn, held_real, material.edges))
        run.save(checkpoint(net, ema, optimizer) | about, every_s=120)
    batches.close()
    run.save(checkpoint(net, ema, optimizer) | about)
    return run.folder / "last.pt"


def _begin(
    options: Options, run: Run, sampler: Sampler, *, nets: tuple[nn.Module, Ema], optimizer: torch.optim.Optimizer
) -> list[float]:
    """Load what an earlier run left, label the real photos by it, and tell when to label them anew."""
    net, ema = nets
    real = sampler.material.real
    rounds = [] if options.start is not None else [0.45, 0.72]
    if (state := run.load()) is not None:
        restore(state, net=net, ema=ema, optimizer=optimizer, step=run.step)
        if options.start is not None or run.progress >= rounds[0]:
            label_real(ema.net, real)
        return [r for r in rounds if r > run.progress]
    if options.start is not None:
        sampler.small = False
        start_from(net, options.start, inputs=[Port("image", sampler.batch(0)[0].float() / 255)])
        ema.net.load_state_dict(net.state_dict())
        run.log(event="real photos labelled", kept=label_real(ema.net, real))
    return rounds


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train garment`."""
    train(parse_options(Options, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
