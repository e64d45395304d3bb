"""The correction of meshes: finds errors that depend on the shape, whatever the roll, and folds into linear maps."""

from __future__ import annotations

import numpy as np
import pytest

from mojing.core.arrays import F64
from mojing.perception import facemesh as fm
from mojing.train.refit import mesh_correction, mirrored, rolled


def meshes(count: int, seed: int) -> F64:
    """Mean shapes in a crop, each wider and shorter, or longer and narrower, by a factor of its own."""
    wider = np.random.default_rng(seed).normal(0, 0.08, (count, 1))
    factors = np.exp(np.stack([wider, -wider, 0 * wider], axis=2))
    return np.asarray(0.25 * factors * fm.mean_shape() + (0.5, 0.5, 0.0))


def flattened(true: F64) -> F64:
    """What a network would say that draws every face halfway towards the average one."""
    mean = meshes(400, 5).mean(axis=0)
    return np.asarray(mean + 0.5 * (true - mean))


def distance(a: F64, b: F64) -> float:
    return float(np.linalg.norm((a - b)[..., :2], axis=-1).mean())


@pytest.mark.parametrize("degrees", [0.0, 17.0])
def test_faces_drawn_towards_the_average_are_set_right_however_they_are_rolled(degrees: float) -> None:
    true = meshes(120, 1)
    found = mesh_correction(flattened(true), true, rank=10, strength=0.01)
    fresh = meshes(40, 2)
    said = rolled(flattened(fresh), degrees)
    made = found(said.reshape(40, -1)).reshape(said.shape)
    assert distance(made, rolled(fresh, degrees)) < 0.5 * distance(said, rolled(fresh, degrees))


def test_left_and_right_are_corrected_alike() -> None:
    true = meshes(60, 1)
    said = true + np.random.default_rng(0).normal(0, 0.004, true.shape)
    found = mesh_correction(said, true, rank=10, strength=0.1)
    one = mirrored(found(said.reshape(60, -1)).reshape(said.shape))
    other = found(mirrored(said).reshape(60, -1)).reshape(said.shape)
    assert np.allclose(one, other, atol=1e-4)


def test_a_map_that_is_corrected_answers_what_the_correction_would_make_of_it() -> None:
    true = meshes(60, 1)
    found = mesh_correction(flattened(true), true, rank=10, strength=0.1)
    rng = np.random.default_rng(3)
    weight, bias, x = rng.normal(0, 0.1, (true[0].size, 7)), true[0].ravel(), rng.normal(0, 0.1, 7)
    folded = found.of_map(weight) @ x + found.of_map(bias) + found.shift
    assert np.allclose(folded, found((weight @ x + bias)[None])[0])
    assert found.of_map(weight.astype(np.float32)).dtype == np.float32
