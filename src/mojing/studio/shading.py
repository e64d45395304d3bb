"""Shading split from colour: a garment photo as dyes (what the cloth is) times shading (how the light falls on it).

The model is I = (sum over dyes k of w_k A_k) S + g in linear light: A_k the colour of a dye, w_k how much of the pixel
it covers, S a grey shading, 1 where the cloth is fully lit, and g the gloss, light mirrored without the cloth's colour.

As in colour Retinex (Grosse et al. 2009, section 4) a change of chromaticity or a sharp change of luminance is a change
of dye, a soft change of luminance is shading. We decide for whole colour clusters instead of single gradients: two
clusters of the same chromaticity are one dye in more and less light unless the border between them is sharp. The
relative brightness of two dyes is the ratio measured across their borders, where the light on both sides is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray, readonly
from mojing.core.blend import unit
from mojing.core.color import srgb_to_linear
from mojing.core.errors import InputError

WORK = 320
"""Longest side in px at which dyes are told apart."""

CLUSTERS = 7
LIGHTNESS = 0.45
"""Weight of lightness beside chromaticity when colours are clustered: shading changes lightness most."""

SAME, SAME_CHROMA = 8.0, 8.0
"""Clusters nearer than these (all together; in chromaticity alone) may be one dye."""

DARK, DARK_CHROMA = 30.0, 1.7
"""Below this lightness chromaticity is noisy: clusters may differ by that much more and be one dye."""

SATURATION = 0.3
"""Weight of a difference in saturation beside one in hue: cameras show lit and shaded cloth more or less saturated."""

SHARP, SHARP_STEP = 0.42, 20.0
"""Of one chromaticity, two clusters are two dyes if this share of their difference falls within two pixels of the
working size, and they are this far apart in lightness."""

LEAST_SHARE = 0.012
BLACK = 0.0025
"""Linear light below which cameras and JPEG leave little."""

_LUMA: F32 = np.array([0.2126, 0.7152, 0.0722], np.float32)
_SEED = 11


@dataclass(frozen=True, eq=False)
class Dyes:
    """The colours of a cloth.

    Attributes:
        colour: (k, 3) float32 linear light, as fully lit; the dye that covers most comes first.
        share: (k,) float32, how much of the garment each covers.
        mean: (k, 3) and spread: (k, 3) float32 of each dye's pixels in feature space (lightness and chromaticity).
    """

    colour: F32
    share: F32
    mean: F32 = field(repr=False)
    spread: F32 = field(repr=False)


@dataclass(frozen=True, eq=False)
class Split:
    """A garment photo taken apart; all arrays have the photo's size.

    Attributes:
        rgb: (H, W, 3) uint8, the photo, and linear: (H, W, 3) float32, the same in linear light.
        region: (H, W) float32 0..1, opacity of the garment, its inner back included.
        dyes: the colours found.
        weight: (H, W, k) float32, how much of each pixel is of each dye; sums to 1.
        shading: (H, W) float32, 1 where the cloth is fully lit.
        gloss: (H, W) float32 linear light without colour.
        behind: (H, W, 3) float32 linear light of what is behind the garment, carried on under its edge.
        busy: 0..1, share of the garment that lies near a border of dyes: how much the shading had to be guessed.
    """

    rgb: U8
    linear: F32
    region: F32
    dyes: Dyes
    weight: F32
    shading: F32
    gloss: F32
    behind: F32
    busy: float

    def __post_init__(self) -> None:
        for name in ("rgb", "linear", "region", "weight", "shading", "gloss", "behind"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


def split(rgb: U8, alpha: AnyArray) -> Split:
    """Take a garment apart.

    Args:
        rgb: (H, W, 3) photo.
        alpha: (H, W) opacity of the garment, uint8 or float 0..1.

    Raises:
        InputError: no_garment, when less than 64 pixels are cloth.
    """
    region = unit(alpha)
    size = _extent(region)
    core = _core(region, size)
    linear = srgb_to_linear(rgb)
    luminance = np.maximum(linear @ _LUMA, np.float32(1e-4))
    features = cloth_features(rgb, size=size)
    dyes = find_dyes(features, luminance, linear=linear, core=core)
    weight = memberships(features, dyes)
    region = _settle_region(region, features, dyes=dyes, weight=weight)
    lit = weight @ (dyes.colour @ _LUMA)
    # Blacks that the camera crushed hold no folds: the offset keeps them from becoming deep ones.
    ratio = np.log(np.clip((luminance + BLACK) / (lit + BLACK), 0.02, 8.0))
    trust, busy = _trust(weight, core, size=size)
    smooth = fill(ratio, trust, sigma=max(size / 60, 2.0))
    # A detail that no dye explains (thin lines, tiny flowers) must not be taken for a deep fold.
    span = 0.45 + 0.75 * (1.0 - busy)
    fine = smooth + np.clip(ratio - smooth, -span, 0.8 * span)
    detail = trust if len(dyes.colour) > 1 else np.where(core, np.float32(1), trust)
    detail = detail * np.float32(1.0 - 0.6 * max(busy - 0.35, 0.0) / 0.65)
    shading = np.exp(smooth + detail * (fine - smooth))
    gloss = _gloss(luminance, lit=lit, shading=shading, core=core)
    behind = fill(linear, (region <= 0.0).astype(np.float32), sigma=max(size / 120, 1.5))
    return Split(rgb, linear, region, dyes, weight, shading.astype(np.float32), gloss, behind, busy)


def _extent(region: F32) -> float:
    """Longest side in px of the box around the garment."""
    ys, xs = np.flatnonzero(region.max(axis=1) > 0.5), np.flatnonzero(region.max(axis=0) > 0.5)
    if len(ys) < 4 or len(xs) < 4 or int((region > 0.5).sum()) < 64:
        raise InputError("no_garment", "there is no cloth in the cut-out", hint="use a photo of one garment")
    return float(max(ys[-1] - ys[0], xs[-1] - xs[0]) + 1)


def _core(region: F32, size: float) -> AnyArray:
    """(H, W) bool: cloth far enough from the edge to be free of the background."""
    side = 2 * max(1, round(size / 130)) + 1
    solid = (region > 0.9).astype(np.uint8)
    core = cv2.erode(solid, np.ones((side, side), np.uint8), borderType=cv2.BORDER_REPLICATE) > 0
    return core if core.sum() > 0.3 * solid.sum() and core.sum() >= 64 else region > 0.5


def cloth_features(rgb: U8, *, size: float) -> F32:
    """(H, W, 3) float32: LIGHTNESS * L, and chromaticity (a, b) / (L + 16) scaled like Lab at mid-grey.

    a and b grow like L + 16 when light grows, so that their ratio does not change with shading. Small texture and noise
    are smoothed within edges first.
    """
    smooth = cv2.bilateralFilter(rgb, 5 if size < 700 else 9, 28, max(size / 150, 1.5))
    lab = np.asarray(cv2.cvtColor(smooth.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32)
    scale = 70.0 / np.maximum(lab[..., 0] + 16.0, 35.0)
    return np.dstack([LIGHTNESS * lab[..., 0], lab[..., 1] * scale, lab[..., 2] * scale]).astype(np.float32)


def find_dyes(features: F32, luminance: F32, *, linear: F32, core: AnyArray) -> Dyes:
    """The dyes of the cloth in `core` (H, W), told apart on a small copy."""
    scale = min(1.0, WORK / max(core.shape))
    wh = max(round(core.shape[1] * scale), 1), max(round(core.shape[0] * scale), 1)
    small = np.asarray(cv2.resize(features, wh, interpolation=cv2.INTER_AREA), np.float32)
    colour = np.asarray(cv2.resize(linear, wh, interpolation=cv2.INTER_AREA), np.float32)
    light = np.asarray(cv2.resize(luminance, wh, interpolation=cv2.INTER_AREA), np.float32)
    inside = cv2.resize(core.astype(np.uint8), wh, interpolation=cv2.INTER_NEAREST) > 0
    if not inside.any():
        inside = cv2.resize(core.astype(np.float32), wh, interpolation=cv2.INTER_AREA) > 0
    labels = _merge(_cluster(small, inside), small)
    order = np.argsort(-np.bincount(labels[inside]), kind="stable")
    labels = np.where(inside, np.argsort(order)[np.maximum(labels, 0)], -1)
    count = len(order)
    own = [labels == k for k in range(count)]
    mean = np.stack([np.median(small[m], axis=0) for m in own])
    floor = np.array([4.0, 3.5, 3.5], np.float32)
    spread = np.stack([np.maximum(small[m].std(axis=0), floor) for m in own])
    level = _levels(labels, light, count=count)
    tint = np.stack([np.median(colour[m] / light[m][:, None], axis=0) for m in own])
    tint /= np.maximum(tint @ _LUMA, 1e-6)[:, None]
    share = np.array([m.sum() for m in own], np.float32) / float(inside.sum())
    lit = (tint * level[:, None]).astype(np.float32)
    return Dyes(lit, share, mean.astype(np.float32), spread.astype(np.float32))


def _settle_region(region: F32, features: F32, *, dyes: Dyes, weight: F32) -> F32:
    """Decide by colour what a cut-out was unsure of: wide soft edges, and pieces of the background it took along.

    Wide edges by Bayes: the cut-out as the prior, dyes and four background colours as likelihoods. A minor dye that
    lies at the edge and looks like the background is background. Nothing outside the cut-out becomes cloth.
    """
    clear = region <= 0.0
    if clear.sum() < 256:
        return region
    some = features[clear]
    some = np.ascontiguousarray(some[:: max(1, len(some) // 3000)])
    cv2.setRNGSeed(_SEED)
    rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 0.5)
    _, _, found = cv2.kmeans(some, min(4, len(some)), None, rule, 1, cv2.KMEANS_PP_CENTERS)
    centres = np.asarray(found)
    out = region.copy()
    soft = (region > 0.02) & (region < 0.98)
    if soft.sum() >= 16:
        pixels = features[soft]
        cloth = np.stack([(((pixels - m) / s) ** 2).sum(axis=1) for m, s in zip(dyes.mean, dyes.spread, strict=True)])
        behind = np.stack([(((pixels - c) / 6.0) ** 2).sum(axis=1) for c in centres])
        lean = np.clip((behind.min(axis=0) - cloth.min(axis=0)) / 4.0, -4.0, 4.0)
        prior = np.log(region[soft] / (1.0 - region[soft]))
        settled = 1.0 / (1.0 + np.exp(-(prior + lean)))
        # A thin soft edge is anti-aliasing and stays as it is; only wide ones are guesses.
        mix = np.clip((cv2.blur(soft.astype(np.float32), (9, 9))[soft] - 0.45) / 0.3, 0.0, 1.0)
        out[soft] = (1 - mix) * region[soft] + mix * settled
    for k in range(1, len(dyes.share)):
        near = min(float(np.hypot(_chroma_gap(c, dyes.mean[k]), c[0] - dyes.mean[k][0])) for c in centres)
        own = (weight[..., k] > 0.5) & (region > 0.5)
        if near < (11.0 if dyes.share[k] < 0.1 else 6.0) and dyes.share[k] < 0.3 and _at_edge(own, region) > 0.5:
            out *= 1.0 - weight[..., k]
    return out


def _at_edge(mask: AnyArray, region: F32) -> float:
    """Share of a mask (H, W) in pieces that reach the edge of the garment."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    rim = cv2.dilate((region < 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    hit = np.zeros(count, bool)
    hit[np.unique(labels[rim & mask])] = True
    hit[0] = False
    return float(hit[labels].sum()) / max(float(mask.sum()), 1.0)


def _cluster(features: F32, inside: AnyArray) -> AnyArray:
    """k-means labels (h, w) int32, -1 outside."""
    pixels = np.ascontiguousarray(features[inside])
    some = np.ascontiguousarray(pixels[:: max(1, len(pixels) // 5000)])
    count = min(CLUSTERS, len(some))
    cv2.setRNGSeed(_SEED)
    rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.5)
    _, _, centres = cv2.kmeans(some, count, None, rule, 1, cv2.KMEANS_PP_CENTERS)
    gaps = np.stack([((pixels - c) ** 2).sum(axis=1) for c in np.asarray(centres)])
    labels = np.full(inside.shape, -1, np.int32)
    labels[inside] = gaps.argmin(axis=0)
    return labels


def _merge(labels: AnyArray, features: F32) -> AnyArray:
    """Join clusters that are one dye: alike, or of one chromaticity with a soft border, or too small to be one."""
    labels = labels.copy()
    while True:
        names = [int(n) for n in np.unique(labels) if n >= 0]
        total = int((labels >= 0).sum())
        size = {n: int((labels == n).sum()) for n in names}
        mean = {n: features[labels == n].mean(axis=0) for n in names}
        best: tuple[float, int, int] | None = None
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                chroma = _chroma_gap(mean[a], mean[b])
                gap = float(np.hypot(chroma, mean[a][0] - mean[b][0]))
                tiny = min(size[a], size[b]) < LEAST_SHARE * total
                dim = max(mean[a][0], mean[b][0]) < LIGHTNESS * DARK
                near = chroma < SAME_CHROMA * (DARK_CHROMA if dim else 1.0)
                soft = near and not _sharp(labels == a, labels == b, light=features[..., 0])
                if (gap < SAME or tiny or soft) and (best is None or gap < best[0]):
                    best = gap, a, b
        if best is None:
            break
        labels[labels == best[2]] = best[1]
    names = [int(n) for n in np.unique(labels) if n >= 0]
    table = np.full(CLUSTERS + 1, -1)
    table[names] = np.arange(len(names))
    return table[labels]


def _chroma_gap(a: F32, b: F32) -> float:
    """Difference of the chromaticities of two features (3,), saturation counting less where both have a hue."""
    own, other = float(np.hypot(a[1], a[2])), float(np.hypot(b[1], b[2]))
    gap = float(np.hypot(a[1] - b[1], a[2] - b[2]))
    radial = own - other
    # Lab bends the hues of saturated colours (blue most), and cameras clip their strongest channel.
    across = max(gap * gap - radial * radial, 0.0) ** 0.5 / (1.0 + min(own, other) / 40.0)
    coloured = float(np.clip((min(own, other) - 4.0) / 8.0, 0.0, 1.0))
    return float(np.hypot(across, radial * (1.0 - (1.0 - SATURATION) * coloured)))


_STEPS = ((0, 2), (2, 0))


def _pairs(a: AnyArray, b: AnyArray, *, values: F32) -> F32:
    """Values (n, 2) on both sides of the border of masks a and b, two pixels apart: the a side first."""
    out = []
    for dy, dx in _STEPS:
        here, there = (slice(0, a.shape[0] - dy), slice(0, a.shape[1] - dx)), (slice(dy, None), slice(dx, None))
        for first, second in ((here, there), (there, here)):
            on = a[first] & b[second]
            out.append(np.stack([values[first][on], values[second][on]], axis=1))
    return np.concatenate(out).astype(np.float32)


def _sharp(a: AnyArray, b: AnyArray, *, light: F32) -> bool:
    """Whether lightness jumps between two clusters, as between dyes, instead of gliding, as in folds."""
    gap = abs(float(light[a].mean()) - float(light[b].mean()))
    if gap < LIGHTNESS * SHARP_STEP:
        return False
    pairs = _pairs(a, b, values=light)
    if len(pairs) < 12:
        return True
    return float(np.median(np.abs(pairs[:, 0] - pairs[:, 1]))) > SHARP * gap


def _levels(labels: AnyArray, light: F32, *, count: int) -> F32:
    """Luminance (k,) of each dye when fully lit: of the main dye as seen, of the others by the ratio across borders."""
    level = np.zeros(count, np.float32)
    level[0] = np.percentile(light[labels == 0], 62)
    done = {0}
    log = np.log(light)
    while len(done) < count:
        best: tuple[int, int, float] | None = None
        for new in set(range(count)) - done:
            for known in done:
                pairs = _pairs(labels == new, labels == known, values=log)
                if len(pairs) >= 8 and (best is None or len(pairs) > best[0]):
                    best = len(pairs), new, float(np.log(level[known]) + np.median(pairs[:, 0] - pairs[:, 1]))
        if best is None:
            for new in sorted(set(range(count)) - done):
                level[new] = np.median(light[labels == new])
            break
        level[best[1]] = np.exp(best[2])
        done.add(best[1])
    for k in range(1, count):
        own = (labels == k).astype(np.uint8)
        inner = cv2.erode(own, np.ones((3, 3), np.uint8)).sum() / max(int(own.sum()), 1)
        if inner < 0.25:
            # Lines so thin that their borders hold no pure pixel: what is seen on average is surer.
            level[k] = np.median(light[labels == k])
    return np.clip(level, 2e-3, 1.0)


def memberships(features: F32, dyes: Dyes) -> F32:
    """(H, W, k) float32: probability of each dye for each pixel, dyes as Gaussians in feature space."""
    if len(dyes.mean) == 1:
        return np.ones((*features.shape[:2], 1), np.float32)
    score = np.empty((*features.shape[:2], len(dyes.mean)), np.float32)
    for k, (mean, spread) in enumerate(zip(dyes.mean, dyes.spread, strict=True)):
        gap = (features - mean) / spread
        score[..., k] = -0.5 * np.minimum((gap * gap).sum(axis=2), 60.0) - np.log(spread).sum()
    score += 0.5 * np.log(np.maximum(dyes.share, 1e-3))
    score -= score.max(axis=2, keepdims=True)
    np.exp(score, out=score)
    return np.asarray(score / score.sum(axis=2, keepdims=True), np.float32)


def _trust(weight: F32, core: AnyArray, *, size: float) -> tuple[F32, float]:
    """How far the shading read at a pixel can be believed (H, W) 0..1, and the share of cloth where it cannot."""
    trust = core.astype(np.float32)
    if weight.shape[2] == 1:
        return trust, 0.0
    winner = weight.argmax(axis=2).astype(np.uint8)
    side = 2 * max(1, round(size / 300)) + 1
    kernel = np.ones((side, side), np.uint8)
    border = cv2.dilate(winner, kernel) != cv2.erode(winner, kernel)
    sure = np.clip((weight.max(axis=2) - 0.6) / 0.35, 0.0, 1.0) * ~border
    busy = float(1.0 - sure[core].mean()) if core.any() else 0.0
    return (trust * (0.02 + 0.98 * sure)).astype(np.float32), busy


def fill(values: F32, weight: F32, *, sigma: float) -> F32:
    """Values (H, W) or (H, W, C) smoothed by normalised convolution and carried on to where `weight` (H, W) is 0.

    Knutsson and Westin 1993, with Gaussians of sigma, 4 sigma and 16 sigma px, the finest that has support deciding.
    """
    flat = values if values.ndim == 3 else values[..., None]
    total = max(float(weight.sum()), 1e-6)
    out: AnyArray = np.broadcast_to((flat * weight[..., None]).sum(axis=(0, 1)) / total, flat.shape)
    for reach in (16.0 * sigma, 4.0 * sigma, sigma):
        step = max(1, int(reach / 3.0))
        wh = max(values.shape[1] // step, 1), max(values.shape[0] // step, 1)
        both = np.dstack([flat * weight[..., None], weight]).astype(np.float32)
        low = both if step == 1 else np.asarray(cv2.resize(both, wh, interpolation=cv2.INTER_AREA))
        low = np.asarray(cv2.GaussianBlur(low, (0, 0), reach / step, borderType=cv2.BORDER_REPLICATE))
        if step > 1:
            low = np.asarray(cv2.resize(low, (values.shape[1], values.shape[0]), interpolation=cv2.INTER_LINEAR))
        low = low.reshape(*flat.shape[:2], flat.shape[2] + 1)
        support = low[..., -1:]
        mix = support / (support + 0.02)
        out = mix * (low[..., :-1] / np.maximum(support, 1e-6)) + (1 - mix) * out
    return np.ascontiguousarray(out.reshape(values.shape), np.float32)


def _gloss(luminance: F32, *, lit: F32, shading: F32, core: AnyArray) -> F32:
    """Light (H, W) beyond what lit cloth sends back: the top of the shading, kept without the cloth's colour."""
    top = max(1.45, 1.1 * float(np.percentile(shading[core], 97))) if core.any() else 1.45
    excess = np.maximum(luminance / np.maximum(lit, 1e-4) - top, 0.0) * lit * core
    return np.minimum(excess, 0.5).astype(np.float32)
