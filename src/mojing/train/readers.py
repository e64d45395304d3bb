"""How well a make-up network reads, on pairs: for the log, and the thresholds of presence that go with the weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from mojing.core.arrays import F32, AnyArray
from mojing.core.color import delta_e_2000, rgb_to_lab
from mojing.makeup.reading import PART, READ
from mojing.train.data.makeup import SHADE_SCALE, Pairs
from mojing.train.nets.makeup import MakeupNet
from mojing.train.painting import paint, to_linear

LEAST_KNOWN = 0.9
"""A layer counts as there when it is known at least so well: when it changes the picture visibly."""


def _picture(array: AnyArray) -> Tensor:
    tensor = torch.from_numpy(np.array(array, np.float32) / np.float32(255.0))
    return tensor[None, None] if tensor.dim() == 2 else tensor.permute(2, 0, 1)[None]


@torch.no_grad()
def validate(net: nn.Module, pairs: Pairs, *, most: int = 96) -> dict[str, float]:
    """Figures of a network on pairs; of the baseline only `move`, the colour difference of the look on another face.

    Differences are ΔE00 over the texels that the look changes by more than 2 ΔE76.
    """
    moved, removed, nothing, rows = [], [], [], []
    n = min(most, len(pairs.made))
    for i in range(n):
        a, b = pairs.pair[i]
        worn, bare, valid = _picture(pairs.made[i, 0]), _picture(pairs.faces[a]), _picture(pairs.valid[a])
        other, other_bare, other_valid = (_picture(x) for x in (pairs.made[i, 1], pairs.faces[b], pairs.valid[b]))
        if isinstance(net, MakeupNet):
            row, cover, product = net(torch.cat([worn, valid], dim=1))
            rows.append(row[0].numpy())
            white = _picture(pairs.shade[b]) * (255.0 / SHADE_SCALE) * torch.tensor(pairs.light[b]).view(1, 3, 1, 1)
            made = paint(to_linear(other_bare), product, white=white)
            removed.append(_gap(worn + cover[:, 3:] * (cover[:, :3] - worn), bare, worn, valid))
            nothing.append(_gap(worn, bare, worn, valid))
        else:
            made = net(torch.cat([other_bare, other_valid, worn, valid], dim=1))
        moved.append(_gap(made, other, other_bare, other_valid))
    result = {"move_de00": float(np.mean(moved))}
    if rows:
        result |= {"remove_de00": float(np.mean(removed)), "nothing_de00": float(np.mean(nothing))}
        result |= _reading(np.stack(rows), pairs.rows[:n], pairs.known[:n])
    return result


def _gap(made: Tensor, true: Tensor, before: Tensor, valid: Tensor) -> float:
    """Mean ΔE00 of a picture from the true one where the true one differs from `before`."""
    m, t, b = (rgb_to_lab(x[0].permute(1, 2, 0).numpy()[::2, ::2]) for x in (made, true, before))
    on = (np.sqrt(np.square(t - b).sum(-1)) > 2.0) & (valid[0, 0].numpy()[::2, ::2] > 0)
    return float(delta_e_2000(m[on], t[on]).mean()) if on.any() else 0.0


def _reading(rows: F32, truth: F32, known: F32) -> dict[str, float]:
    there, sure = truth[..., 0] > 0, known[..., 0] >= LEAST_KNOWN
    said = rows[..., 0] > 0
    absent = ~there
    hit = float((said & there & sure).sum())
    f1 = 2 * hit / max(2 * hit + float((said & absent).sum()) + float((~said & there & sure).sum()), 1.0)
    on = there & sure
    colour, true = rows[..., PART["colour"]][on][:, :3], truth[..., PART["colour"]][on][:, :3]
    difference = delta_e_2000(rgb_to_lab(np.clip(colour, 0, 1)), rgb_to_lab(true))
    coverage = np.abs(rows[..., PART["scalar"]][on][:, 0] - truth[..., PART["scalar"]][on][:, 0])
    lips = on[:, READ.index("lip")]
    mouth = delta_e_2000(
        rgb_to_lab(np.clip(rows[:, READ.index("lip"), PART["colour"]][lips][:, :3], 0, 1)),
        rgb_to_lab(truth[:, READ.index("lip"), PART["colour"]][lips][:, :3]),
    )
    return {
        "presence_f1": f1,
        "colour_de00": float(difference.mean()) if on.any() else 0.0,
        "lip_colour_de00": float(mouth.mean()) if lips.any() else 0.0,
        "coverage_error": float(coverage.mean()) if on.any() else 0.0,
    }


@torch.no_grad()
def thresholds_of(net: nn.Module, pairs: Pairs, *, most: int = 240) -> list[float]:
    """Chance of presence (len(READ),) from which a kind is said to be there: that of the highest F1 on pairs.

    They must be pairs of held-out faces: of those it was trained on a network is too sure.
    """
    if not isinstance(net, MakeupNet):
        return []
    n = min(most, len(pairs.made))
    chance = np.empty((n, len(READ)), np.float32)
    for i in range(n):
        worn, valid = _picture(pairs.made[i, 0]), _picture(pairs.valid[pairs.pair[i, 0]])
        chance[i] = torch.sigmoid(net.trunk(torch.cat([worn, valid], dim=1))[1][0, :, 0]).numpy()
    there = pairs.rows[:n, :, 0] > 0
    known = np.where(there, pairs.known[:n, :, 0], 1.0)
    return [best_threshold(chance[:, k], there[:, k], known[:, k]) for k in range(len(READ))]


def best_threshold(chance: AnyArray, there: AnyArray, known: AnyArray) -> float:
    """The threshold 0.2..0.8 of chances (N,) with the highest F1; truths weigh as much as they are known."""
    best, found = -1.0, 0.5
    for threshold in np.linspace(0.2, 0.8, 25):
        said = chance >= threshold
        hit = float(known[said & there].sum())
        score = 2 * hit / max(2 * hit + float(known[said & ~there].sum()) + float(known[~said & there].sum()), 1e-6)
        if score > best + 1e-9 or (abs(score - best) <= 1e-9 and abs(threshold - 0.5) < abs(found - 0.5)):
            best, found = score, float(threshold)
    return round(found, 3)
