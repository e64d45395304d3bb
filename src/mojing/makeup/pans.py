"""Shades of one layer that fade into each other, stirred together where they meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mojing.core.arrays import F32
from mojing.core.geometry import Box
from mojing.makeup.look import Shade
from mojing.makeup.optics import mixture
from mojing.makeup.placed import Placed

FULL = 1.02
"""Masks whose sum stays below share a place among them; above it they lie one over the other."""


@dataclass(frozen=True, eq=False)
class Patch:
    """Product where it lies: a placed mask, and its swatch, (3,) or one a pixel (h, w, 3), linear."""

    placed: Placed
    product: F32


def patches(parts: tuple[Placed, ...], shades: tuple[Shade, ...]) -> tuple[Patch, ...]:
    """What is painted, in order.

    Neighbouring shades of an ombre or a palette overlap with masks that sum to one. Painted one over the other they
    would hide less where they meet, which shows as a seam; so they are mixed there (`optics.mixture`).
    """
    groups: list[list[Placed]] = []
    for part in parts:
        for group in groups:
            others = all(part.shade != p.shade for p in group)
            if others and any(_meet(part.box, p.box) for p in group) and _shared([*group, part]):
                group.append(part)
                break
        else:
            groups.append([part])
    return tuple(_patch(group, shades) for group in groups)


def gathered(parts: tuple[Patch, ...]) -> tuple[tuple[Patch, ...], ...]:
    """Patches by where they lie: those whose boxes meet are together, in the order in which they came."""
    groups: list[list[Patch]] = []
    for part in parts:
        near = [g for g in groups if any(_meet(part.placed.box, p.placed.box) for p in g)]
        groups = [g for g in groups if all(g is not n for n in near)]
        groups.append([*(p for g in near for p in g), part])
    order = {id(part): i for i, part in enumerate(parts)}
    ordered = [sorted(g, key=lambda p: order[id(p)]) for g in groups]
    return tuple(tuple(g) for g in sorted(ordered, key=lambda g: order[id(g[0])]))


def union(parts: Sequence[Patch]) -> Patch:
    """One patch over all of them: the thickest mask everywhere, and the mean swatch (3,)."""
    box, masks = _together([p.placed for p in parts])
    means = [p.product if p.product.ndim == 1 else _mean(p) for p in parts]
    weight = masks.sum(axis=(1, 2)) + np.float32(1e-6)
    mean = np.asarray((np.stack(means) * weight[:, None]).sum(axis=0) / weight.sum(), np.float32)
    return Patch(Placed(box, masks.max(axis=0), parts[0].placed.shade), mean)


def _mean(patch: Patch) -> F32:
    weight = patch.placed.mask[..., None] / max(float(patch.placed.mask.sum()), 1e-6)
    return np.asarray((patch.product * weight).sum(axis=(0, 1)), np.float32)


def _patch(group: list[Placed], shades: tuple[Shade, ...]) -> Patch:
    if len(group) == 1:
        return Patch(group[0], shades[group[0].shade].colour if shades else np.zeros(3, np.float32))
    box, masks = _together(group)
    total = np.minimum(masks.sum(axis=0), np.float32(1.0))
    share = np.moveaxis(masks, 0, 2) / np.maximum(masks.sum(axis=0), np.float32(1e-6))[..., None]
    colours = np.stack([shades[p.shade].colour for p in group])
    share[..., 0] += 1.0 - share.sum(axis=2)
    return Patch(Placed(box, total, group[0].shade), np.asarray(mixture(colours, share), np.float32))


def _shared(group: list[Placed]) -> bool:
    _, masks = _together(group)
    return float(masks.sum(axis=0).max()) <= FULL


def _together(group: list[Placed]) -> tuple[Box, F32]:
    """The box around all of them and their masks (n, h, w) in it."""
    box = group[0].box
    for p in group[1:]:
        box = box.union(p.box)
    masks = np.zeros((len(group), round(box.height), round(box.width)), np.float32)
    for mask, p in zip(masks, group, strict=True):
        y, x = round(p.box.y0 - box.y0), round(p.box.x0 - box.x0)
        mask[y : y + p.mask.shape[0], x : x + p.mask.shape[1]] = p.mask
    return box, masks


def _meet(a: Box, b: Box) -> bool:
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1
