"""Recipe of the body network: teacher joints and masks for all photos, 21-class parsing for the labelled ones.

Two rounds of self-training label the other photos with the run's own averaged network. The first part of the run
works at half resolution (progressive resizing), which learns what things are at a quarter of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mojing.perception.labels import LABELS, L, mirror_labels
from mojing.perception.lower import RIVALS
from mojing.perception.sleeves import clothe_limbs
from mojing.train.data import augment as aug
from mojing.train.data.people import (
    IGNORE,
    LEAST_PX,
    RARE,
    Person,
    constrain_to_product,
    legs_box,
    load_people,
    mirrored,
    mirrored_parse,
    torso_box,
    visible,
    whole_box,
)
from mojing.train.data.reclothed import reclothe
from mojing.train.export import Port
from mojing.train.loop import Ema, Prefetch, Run, checkpoint, cosine, descend, restore
from mojing.train.nets.body import BodyNet, channels_last_bf16
from mojing.train.options import Taught, parse_options
from mojing.train.warmstart import origin, start_from

CROP_WH = (192, 256)
WHOLE = 0.88
"""Share of a crop that a whole person takes where nothing is left to chance."""
CROPS = (0.5, 0.32, 0.18)
"""How often a crop shows the whole person, the torso, the legs."""
CLOTHES = ("upper", "outer", "dress", "skirt", "trousers", "legwear", "shoes", "bag", "hat", "scarf")


@dataclass
class Options(Taught):
    """Settings of a run; each is a flag."""

    out: Path = Path("runs/body")
    """folder of the run: log, checkpoints; an existing run is resumed"""
    start: Path | None = None
    """weights to go on from, a checkpoint (.pt) or a shipped model (.onnx); none to begin anew"""
    pseudo: Path | None = None
    """folder of pseudo-labels to begin with, filled by the first weights where it lacks some; none to begin without"""
    relabel: float = 0.5
    """share of a run that goes on from weights at which it renews its pseudo-labels; 1 for never"""
    minutes: float = 60.0
    """training time, not counting loading"""
    small_share: float = 0.25
    """share of the time spent at half resolution"""
    batch: int = 16
    """photos a step at full resolution (twice as many at half)"""
    labelled_share: float = 0.72
    """share of a batch that carries hand-made labels"""
    reclothed: Path | None = None
    """folder of labelled people in other skirts and dresses, filled when it is empty; none to do without"""
    reclothed_share: float = 0.2
    """share of a batch that shows them"""
    lr: float = 2e-3
    """peak learning rate of AdamW"""


@dataclass
class Sample:
    """One training crop."""

    image: NDArray[np.uint8]
    parse: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    heat: NDArray[np.float32]
    weight: float


def crop(
    person: Person,
    rng: np.random.Generator,
    *,
    wh: tuple[int, int],
    backgrounds: Sequence[NDArray[np.uint8]],
    wild: float = 1.0,
) -> Sample:
    """A random crop of the whole person, the upper body or the legs: labels at half size, heat maps at a quarter.

    `wild` in 0..1 is how often the picture is altered.
    """
    kind = rng.choice(["whole", "torso", "legs"], p=CROPS)
    box = legs_box(person.joints) if kind == "legs" else None
    cx, cy, bw, bh = box or (torso_box(person.joints) if kind == "torso" else whole_box(person))
    fill = rng.uniform(0.75, 1.2) if kind == "torso" else rng.uniform(0.7, 1.15)
    scale = fill * min(wh[0] / max(bw, 20.0), wh[1] / max(bh, 20.0))
    shift = (rng.normal(0, 0.05) * wh[0], rng.normal(0, 0.05) * wh[1])
    m = aug.similarity((cx, cy), scale=scale, degrees=rng.normal(0, 8), out_wh=wh, shift=shift)
    image = aug.warp_levels(person.levels, m, wh)
    joints = aug.move_points(person.joints, m)
    alpha = aug.warp_level(person.alpha, m, wh, factor=2.0, border=0)
    if person.parse is None:
        parse = np.full((wh[1], wh[0]), IGNORE, np.uint8)
    else:
        parse = aug.warp_level(person.parse, m, wh, nearest=True, border=int(L["background"]))
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        alpha = np.ascontiguousarray(alpha[:, ::-1])
        parse = mirrored_parse(parse)
        joints = mirrored(joints, wh[0])
    if rng.random() < wild:
        image, parse, alpha = _restyle(image, parse, alpha, person, rng, backgrounds)
    half = (wh[0] // 2, wh[1] // 2)
    return Sample(
        aug.jitter_colour(image, rng, strength=0.5 + 0.5 * wild),
        np.ascontiguousarray(parse[::2, ::2]),
        (cv2.resize(alpha, half, interpolation=cv2.INTER_AREA) / 255).astype(np.float32),
        aug.heat_maps(joints, visible(joints, wh), (wh[1] // 4, wh[0] // 4), stride=4.0),
        1.0 if person.labelled else 0.6,
    )


def _restyle(
    image: NDArray[np.uint8],
    parse: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    person: Person,
    rng: np.random.Generator,
    backgrounds: Sequence[NDArray[np.uint8]],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Recolour garments, replace the background, hide a part."""
    if person.parse is not None and rng.random() < 0.5:
        for name in [n for n in CLOTHES if rng.random() < 0.4]:
            mask = (parse == L[name]).astype(np.uint8)
            image = aug.recolour(image, mask, rng) if mask.any() else image
    if rng.random() < (0.4 if person.labelled else 0.15):
        h, w = image.shape[:2]
        if rng.random() < 0.5:
            colour = 255 if rng.random() < 0.4 else rng.integers(0, 256, 3)
            back = np.full((h, w, 3), colour, np.uint8)
        else:
            other = backgrounds[int(rng.integers(len(backgrounds)))]
            back = cv2.resize(other, (w, h), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(alpha, (0, 0), 0.8)[..., None].astype(np.float32) / 255
        image = (image * soft + back * (1 - soft)).astype(np.uint8)
    if rng.random() < 0.15:
        image, area = aug.occlude(image, rng, backgrounds[int(rng.integers(len(backgrounds)))])
        parse = np.where(area > 0, IGNORE, parse).astype(np.uint8)
    return image, parse, alpha


class Sampler:
    """Draws batches: labelled photos by weight of their rare labels, the rest and people in other clothes evenly."""

    def __init__(
        self,
        people: list[Person],
        options: Options,
        backgrounds: Sequence[NDArray[np.uint8]],
        reclothed: Sequence[Person] = (),
    ) -> None:
        self.reclothed = reclothed
        self.labelled = [p for p in people if p.labelled]
        self.rest = [p for p in people if not p.labelled]
        weights = np.array([p.weight for p in self.labelled])
        self.chance = weights / weights.sum()
        self.options = options
        self.backgrounds = backgrounds
        self.small = True
        self.wild = 1.0

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Image, parse, alpha, heat and weight tensors of step `step`; the same for the same seed and step."""
        rng = np.random.default_rng((self.options.seed, step))
        count = self.options.batch * (2 if self.small else 1)
        wh = (CROP_WH[0] // 2, CROP_WH[1] // 2) if self.small else CROP_WH
        again = round(count * self.options.reclothed_share) if self.reclothed else 0
        n = round((count - again) * self.options.labelled_share) if self.rest else count - again
        picked = [self.labelled[i] for i in rng.choice(len(self.labelled), n, p=self.chance)]
        picked += [self.rest[i] for i in rng.integers(len(self.rest), size=count - again - n)] if self.rest else []
        picked += [self.reclothed[i] for i in rng.integers(len(self.reclothed), size=again)] if again else []
        samples = [crop(p, rng, wh=wh, backgrounds=self.backgrounds, wild=self.wild) for p in picked]
        image = torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2)
        return (
            image,
            torch.from_numpy(np.stack([s.parse for s in samples])).long(),
            torch.from_numpy(np.stack([s.alpha for s in samples])),
            torch.from_numpy(np.stack([s.heat for s in samples])),
            torch.tensor([s.weight for s in samples]),
        )


def class_weights(people: list[Person]) -> Tensor:
    """Cross-entropy weights: label frequency to the power -0.4, the mean over pixels being one, at most 6."""
    area = np.ones(len(LABELS))
    for p in people:
        if p.labelled and p.parse is not None:
            area += np.bincount(p.parse.ravel(), minlength=256)[: len(LABELS)]
    share = area / area.sum()
    weight = np.minimum(share**-0.4, (1 / 300) ** -0.4)
    return torch.tensor(weight / (weight * share).sum() / 1.0, dtype=torch.float32).clamp(max=6.0)


def losses(out: tuple[Tensor, ...], batch: tuple[Tensor, ...], weights: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Weighted cross-entropy plus batch Dice for the parse, BCE for alpha and for the labels that are present, weighted
    MSE for heat maps."""
    logits, alpha_logits, heat, present = (t.float() for t in out)
    _, parse, alpha, target, weight = batch
    ce = F.cross_entropy(logits, parse, weight=weights, ignore_index=IGNORE, reduction="none")
    known = (parse != IGNORE).float()
    ce = (ce * weight[:, None, None]).sum() / known.sum().clamp(min=1)
    dice = dice_loss(logits, parse)
    bce = F.binary_cross_entropy_with_logits(alpha_logits[:, 0], alpha)
    mse = ((heat - target) ** 2 * (1 + 12 * target)).mean() * 30
    seen = presence_loss(present, parse, weight)
    total = ce + 0.5 * dice + 0.5 * bce + mse + seen
    parts = {"ce": ce, "dice": dice, "bce": bce, "heat": mse, "presence": seen}
    return total, {name: value.item() for name, value in parts.items()}


def presence_loss(logits: Tensor, parse: Tensor, weight: Tensor, *, least: float = 0.002) -> Tensor:
    """BCE that a label covers at least a share `least` of the crop; labels with less, but some, are left out."""
    share = torch.stack([(parse == c).float().mean((1, 2)) for c in range(len(LABELS))], dim=1)
    told = ((share == 0) | (share >= least)) * weight[:, None]
    bce = F.binary_cross_entropy_with_logits(logits, (share >= least).float(), reduction="none")
    return (bce * told).sum() / told.sum().clamp(min=1)


def dice_loss(logits: Tensor, parse: Tensor) -> Tensor:
    """1 - Dice, averaged over the labels present in the batch, pixels pooled over the batch (arXiv:1606.04797)."""
    known = (parse != IGNORE)[:, None]
    prob = torch.softmax(logits, dim=1) * known
    truth = F.one_hot(parse.clamp(max=len(LABELS) - 1), len(LABELS)).permute(0, 3, 1, 2) * known
    inter = (prob * truth).sum((0, 2, 3))
    both = prob.sum((0, 2, 3)) + truth.sum((0, 2, 3))
    present = truth.sum((0, 2, 3)) > 0
    return (1 - (2 * inter + 1) / (both + 1))[present].mean()


@torch.no_grad()
def pseudo_label(net: nn.Module, people: list[Person], *, confident: float = 0.6, keep: Path | None = None) -> None:
    """Label photos without labels by the network on the whole person and on the torso, flips averaged.

    Pixels less sure than `confident` become unknown. `keep` is a folder in which the labels are kept for other runs.
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    rest = [p for p in people if not p.labelled]
    for start in range(0, len(rest), 8):
        todo = []
        for p in rest[start : start + 8]:
            path = None if keep is None else keep / f"{p.key.replace('/', '_')}.png"
            p.parse = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path is not None and path.exists() else None
            todo += [] if p.parse is not None else [p]
        if todo:
            _label_some(net, todo, confident=confident)
        for p in todo:
            constrain_to_product(p)
            p.parse = clothe_limbs(p.parse, p.levels[0]) if p.parse is not None else None
            if keep is not None and p.parse is not None:
                cv2.imwrite(str(keep / f"{p.key.replace('/', '_')}.png"), p.parse)


def framed(box: tuple[float, float, float, float], margin: float) -> NDArray[np.float32]:
    """What moves a box (centre, width, height) into the middle of a crop, of which it takes a share `margin`."""
    cx, cy, bw, bh = box
    scale = margin * min(CROP_WH[0] / max(bw, 20), CROP_WH[1] / max(bh, 20))
    return aug.similarity((cx, cy), scale=scale, degrees=0, out_wh=CROP_WH)


def _label_some(net: nn.Module, people: Sequence[Person], *, confident: float) -> None:
    best = [np.zeros(p.levels[0].shape[:2], np.float32) for p in people]
    labels = [np.zeros(p.levels[0].shape[:2], np.uint8) for p in people]
    for box_of, margin in ((whole_box, WHOLE), (lambda p: torso_box(p.joints), 0.95)):
        matrices = []
        for p in people:
            matrices.append(framed(box_of(p), margin))
        images = [aug.warp_levels(p.levels, m, CROP_WH) for p, m in zip(people, matrices, strict=True)]
        for i, prob in enumerate(flip_average(net, np.stack(images))):
            h, w = people[i].levels[0].shape[:2]
            inverse = cv2.invertAffineTransform(matrices[i])
            ones = np.ones((CROP_WH[1], CROP_WH[0]), np.uint8)
            inside = cv2.warpAffine(ones, inverse, (w, h), flags=cv2.INTER_NEAREST)
            sure = cv2.warpAffine(prob.max(axis=0), inverse, (w, h), flags=cv2.INTER_LINEAR)
            label = cv2.warpAffine(prob.argmax(axis=0).astype(np.uint8), inverse, (w, h), flags=cv2.INTER_NEAREST)
            use = (inside > 0) & (sure >= best[i])
            labels[i][use] = label[use]
            best[i][use] = sure[use]
    for p, parse, sure in zip(people, labels, best, strict=True):
        parse[(sure > 0) & (sure < confident)] = IGNORE
        p.parse = parse


def flip_average(net: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Parse probabilities (N, 21, H, W) of RGB crops (N, H, W, 3), averaged with their mirror images'."""
    both = np.concatenate([images, images[:, :, ::-1]])
    x = torch.from_numpy(both).permute(0, 3, 1, 2).float() / 255
    with channels_last_bf16("cpu"):
        logits = net(x.contiguous(memory_format=torch.channels_last))[0].float()
    straight, flipped = torch.softmax(logits, 1).chunk(2)
    mean = (straight + flipped[:, mirror_labels()].flip(3)) / 2
    return F.interpolate(mean, scale_factor=2.0, mode="bilinear", align_corners=False).numpy()  # type: ignore[no-any-return]


@torch.no_grad()
def validate(net: nn.Module, people: list[Person]) -> dict[str, float]:
    """Quick check on held-out photos: mean IoU of the parse and PCK@0.2 torso on the whole-person crop."""
    inter = np.zeros(len(LABELS))
    union = np.zeros(len(LABELS))
    hits = total = 0
    for p in people:
        m = framed(whole_box(p), WHOLE)
        x = torch.from_numpy(aug.warp_levels(p.levels, m, CROP_WH)).permute(2, 0, 1)[None].float() / 255
        with channels_last_bf16("cpu"):
            logits, _, heat = net(x.contiguous(memory_format=torch.channels_last))
        if p.parse is not None:
            top = logits.float()[0].argmax(0).numpy()
            truth = aug.warp_level(p.parse, m, CROP_WH, nearest=True, border=0)[::2, ::2]
            for c in range(len(LABELS)):
                a, b = top == c, truth == c
                inter[c] += (a & b).sum()
                union[c] += (a | b).sum()
        joints = aug.move_points(p.joints, m)
        peak = heat.float()[0].flatten(1).argmax(1).numpy()
        found = np.stack([peak % 48, peak // 48], axis=1) * 4 + 1.5
        torso = np.linalg.norm(joints[[5, 6], :2].mean(0) - joints[[11, 12], :2].mean(0))
        ok = visible(joints, CROP_WH)
        hits += int((np.linalg.norm(found - joints[:, :2], axis=1) < 0.2 * torso)[ok].sum())
        total += int(ok.sum())
    iou = inter / np.maximum(union, 1)
    return {
        "pck": hits / max(total, 1),
        "miou": float(iou.mean()),
        **{n: float(v) for n, v in zip(LABELS, iou, strict=True)},
    }


def train(options: Options) -> Path:
    """Train, or go on with, a body network; returns the checkpoint's path."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    people = load_people(options.data, options.teacher)
    held_out = [p for p in load_people(options.data, options.teacher, sets=("people",), validation=True) if p.labelled]
    backgrounds = [p.levels[2] for p in people[::7]]
    backgrounds += [b for p in people[::9] for b in (p.levels[1][:, :60], p.levels[1][:, -60:])]
    net = BodyNet().to(memory_format=torch.channels_last)
    ema = Ema(net)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.lr, weight_decay=0.02)
    run = Run(options.out, minutes=options.minutes)
    more = reclothe(people, options.data, options.reclothed) if options.reclothed is not None else []
    sampler = Sampler(people, options, backgrounds, more)
    run.log(event="material", people=len(people), reclothed=len(more), **_shown(sampler.labelled))
    rounds = _begin(options, run, people, nets=(net, ema), optimizer=optimizer, sampler=sampler)
    weights = class_weights(people)
    about = _about(options) | {"prior": prior(sampler)}
    sampler.small = run.progress < options.small_share
    batches = Prefetch(sampler.batch, start=run.step)
    run.start()
    next_check = run.progress
    while run.progress < 1:
        sampler.wild = float(np.clip(2.4 - 2.2 * run.progress, 0.2, 1.0))
        if sampler.small and run.progress >= options.small_share:
            sampler.small = False
        if rounds and run.progress >= rounds[0]:
            rounds.pop(0)
            pseudo_label(ema.net, people)
            run.log(event="pseudo-labels renewed")
        batch = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = options.lr * cosine(run.progress)
        image = (batch[0].float() / 255).contiguous(memory_format=torch.channels_last)
        with channels_last_bf16("cpu"):
            out = net.answer(image)
        loss, parts = losses(out, batch, weights)
        descend(loss, parts, net=net, optimizer=optimizer, step=run.step)
        ema.update(net)
        run.tick()
        if run.step % 50 == 0:
            run.log(progress=run.progress, **parts)
        if run.progress >= next_check + 0.07 or run.progress >= 1:
            next_check = run.progress
            run.log(event="validation", **validate(ema.net, held_out))
        run.save(checkpoint(net, ema, optimizer) | about, every_s=120)
    batches.close()
    run.save(checkpoint(net, ema, optimizer) | about)
    return run.folder / "last.pt"


def _shown(people: Sequence[Person]) -> dict[str, int]:
    """How many photos show each of the rare labels."""
    areas = [np.bincount(p.parse.ravel(), minlength=256) for p in people if p.parse is not None]
    return {name: sum(int(a[L[name]]) > LEAST_PX for a in areas) for name in RARE}


def prior(sampler: Sampler) -> dict[str, float]:
    """By name, the log of how much more often labelled photos show dress, skirt or trousers than training does, which
    draws rare labels, and people in other clothes, more often; see `perception.lower`."""
    again = sampler.options.reclothed_share if sampler.reclothed else 0.0
    hand_made = (1 - again) * (sampler.options.labelled_share if sampler.rest else 1.0)
    worn = np.array([_shows(p) for p in sampler.labelled])
    usual, shown = worn.mean(axis=0), hand_made * sampler.chance @ worn
    if again:
        shown = shown + again * np.array([_shows(p) for p in sampler.reclothed]).mean(axis=0)
    if min(usual.min(), shown.min()) <= 0:
        return {}
    gaps = np.log(usual / usual.sum()) - np.log(shown / shown.sum())
    return {name: round(float(gap), 3) for name, gap in zip(RIVALS, gaps, strict=True)}


def _shows(person: Person) -> NDArray[np.bool_]:
    """Which of RIVALS covers most of somebody, (3,); none where there is hardly any."""
    assert person.parse is not None
    area = np.bincount(person.parse.ravel(), minlength=256)[[L[name] for name in RIVALS]]
    return np.asarray((np.arange(len(RIVALS)) == area.argmax()) & (area.max() > LEAST_PX))


def _about(options: Options) -> dict[str, str]:
    """What the model card says of the run beyond its length."""
    cores = "one CPU core" if options.threads == 1 else f"{options.threads} CPU cores"
    return {"cores": cores, **origin(options.start)}


def _begin(
    options: Options,
    run: Run,
    people: list[Person],
    *,
    nets: tuple[nn.Module, Ema],
    optimizer: torch.optim.Optimizer,
    sampler: Sampler,
) -> list[float]:
    """Load what an earlier run left and the pseudo-labels that go with it; the shares at which to renew them."""
    net, ema = nets
    state = run.load()
    rounds = [0.3, 0.6]
    if state is None and options.start is not None:
        sampler.small = False
        start_from(net, options.start, inputs=[Port("image", sampler.batch(0)[0].float() / 255)])
        ema.net.load_state_dict(net.state_dict())
        rounds = [options.relabel]
    if options.pseudo is not None:
        pseudo_label(ema.net, people, keep=options.pseudo)
    if state is not None:
        restore(state, net=net, ema=ema, optimizer=optimizer, step=run.step)
        if run.progress >= rounds[0] and options.pseudo is None:
            pseudo_label(ema.net, people)
        rounds = [r for r in rounds if r > run.progress + 0.1]
    return rounds


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train body`."""
    train(parse_options(Options, argv))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
