"""What a film of make-up does to the colour under it: Kubelka-Munk theory for a layer over a background.

A product is known by its swatch R, the reflectance of a layer through which nothing shows; that fixes K/S, how much it
absorbs for what it scatters, by K/S = (1 - R)^2 / 2R (Kubelka and Munk 1931). How much of it lies there is the
dimensionless scattering power S X; with both, the colour over any background is exact (Kubelka 1948).
All colours are linear light in 0..1, one channel of sRGB standing for one band of the spectrum.
"""

from __future__ import annotations

import numpy as np

from mojing.core.arrays import F32, F64, AnyArray

DARKEST, LIGHTEST = 1e-3, 0.995
"""Swatches are kept within: the theory's K/S is infinite for 0 and the hiding of a layer without absorption, 0.
Nothing is put on a face that reflects less or more."""

LUMA: F32 = np.array([0.2126, 0.7152, 0.0722], np.float32)


def film(albedo: AnyArray, product: AnyArray, *, thickness: AnyArray | float) -> F32:
    """Colour (..., 3) of skin of `albedo` (..., 3) under a film of a product with swatch `product` (3,) or (..., 3).

    `thickness` is S X, 0 (bare) to infinity (the swatch itself): one number, one a pixel (...), or with channels last,
    (3,) or (..., 3), when they scatter differently; `thickness_for` gives it for a coverage. Kubelka 1948, the
    exponential form of R(R_inf, S X, R_g): with d = R_g - R, q = 1 - R^2 and T = exp(-S X (1/R - R)) it is
    R + d T q / (q - R d (1 - T)).
    """
    r = swatch(product)
    t = np.asarray(thickness, np.float64)
    if t.shape == np.shape(albedo)[:-1] and t.shape != (3,):
        t = t[..., None]
    out = mixed(np.asarray(albedo, np.float64), r, transmission=np.exp(-t * (1.0 / r - r)))
    return np.clip(out, 0.0, 1.0).astype(np.float32)


def mixed(albedo: AnyArray, product: AnyArray, *, transmission: AnyArray) -> AnyArray:
    """The same from T = exp(-S X (1/R - R)), 1 (no film) to 0; shapes broadcast, `product` within `swatch`'s bounds."""
    d = albedo - product
    q = 1.0 - product * product
    return np.asarray(product + d * transmission * q / (q - product * d * (1.0 - transmission)))


def thickness_for(product: AnyArray, coverage: AnyArray | float, *, sheer: bool = False) -> F64:
    """S X (..., 3) of a film that hides `coverage` (...) 0..1 of what is under it; infinite for 1.

    Hiding is what is left of the difference between a white and a black background, 1 - (R_white - R_black), as in
    opacity charts (ISO 6504-3). Make-up holds white scatterers and pigments of many sizes, so by default it hides
    every channel alike, which fixes S of each channel. A sheer product is dye in oil with few of them: with one S
    for all channels T would be that of the lightest channel to the power of the ratio of their (1/R - R); the root of
    that ratio is taken, and the coverage is that of the luminance. So it tints: its own colour shows most.
    """
    r = swatch(product)
    t = transmission_for(r, np.asarray(coverage, np.float64), sheer=sheer)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(t) / (1.0 / r - r), np.float64)


def transmission_for(product: AnyArray, coverage: AnyArray | float, *, sheer: bool = False) -> F64:
    """T (..., 3) of `mixed` for a coverage (...); see `thickness_for`."""
    r = swatch(product)
    left = np.clip(1.0 - np.asarray(coverage, np.float64), 0.0, 1.0)[..., None]
    if sheer:
        return _sheer(r, left)
    # R_white - R_black = T (1 - R^2) (1 + R) / ((1 + R T) (1 - R^2 T)), a quadratic equation for T.
    p = (1.0 - r * r) * (1.0 + r) - left * r * (1.0 - r)
    return np.asarray(2.0 * left / (p + np.sqrt(p * p + 4.0 * left * left * r**3)), np.float64)


def contrast(product: AnyArray, transmission: AnyArray) -> AnyArray:
    """R_white - R_black, 0..1: what is left of the difference between a white and a black background."""
    r, t = product, transmission
    return np.asarray(t * (1.0 - r * r) * (1.0 + r) / ((1.0 + r * t) * (1.0 - r * r * t)))


def _sheer(r: F64, left: F64) -> F64:
    """T of a sheer film, by halving on the transmission of the lightest channel."""
    rate = 1.0 / r - r
    rate = np.sqrt(rate / rate.min(axis=-1, keepdims=True))
    low, high = np.zeros_like(left), np.ones_like(left)
    for _ in range(40):
        middle = (low + high) / 2
        short = (contrast(r, middle**rate) * LUMA).sum(axis=-1, keepdims=True) < left
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    found = np.where(left >= 1.0, 1.0, np.where(left <= 0.0, 0.0, (low + high) / 2))
    return np.asarray(found**rate, np.float64)


def swatch(product: AnyArray) -> F64:
    """A product's colour kept within what the theory can hold."""
    return np.clip(np.asarray(product, np.float64), DARKEST, LIGHTEST)


def mixture(products: AnyArray, shares: AnyArray) -> F64:
    """Swatch (..., 3) of products (n, 3) stirred together in `shares` (..., n), which sum to 1.

    K/S adds up (Duncan 1940). Scattering is taken to be alike in all of them.
    """
    r = swatch(products)
    ratio = np.asarray(shares, np.float64) @ ((1.0 - r) ** 2 / (2.0 * r))
    return np.asarray(1.0 + ratio - np.sqrt(ratio * ratio + 2.0 * ratio), np.float64)
