"""Pictures and folders that several tests use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

from mojing.core.arrays import U8

# Machines that share their cores are slow at times, and a test that fails now and then helps nobody.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture
def rng() -> np.random.Generator:
    """The same random numbers in every run."""
    return np.random.default_rng(7)


@pytest.fixture
def picture(rng: np.random.Generator) -> U8:
    """A 48x64 picture with smooth colours and one hard edge."""
    ys, xs = np.mgrid[:48, :64]
    rgb = np.stack([xs * 3, ys * 4, 255 - xs * 2], axis=-1).astype(np.uint8)
    rgb[20:30, 10:30] = (200, 30, 60)
    return rgb
