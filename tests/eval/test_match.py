"""The measure of the shade match itself: lights do what they say, and a small folder is measured end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mojing.core.color import srgb_to_linear
from mojing.core.image import save
from mojing.eval.match import adaptation, halves, relit, run_match, tone_group
from mojing.makeup.match import ShadeTable
from tests.makeup.studio import photo, seen


def test_a_light_scales_linear_light(rng: np.random.Generator) -> None:
    rgb = np.full((40, 40, 3), 120, np.uint8)
    other = relit(rgb, np.array([2.0, 1.0, 0.5]), stops=-1.0, rng=rng)
    ratio = srgb_to_linear(other).mean(axis=(0, 1)) / srgb_to_linear(rgb).mean(axis=(0, 1))
    np.testing.assert_allclose(ratio, [0.5, 0.25, 0.125], rtol=0.03)


def test_two_lights_go_over_across_the_face() -> None:
    gains = halves(seen(), np.array([1.0, 0, 0]), left=np.array([0, 0, 1.0]))
    x = seen().mesh[:, 0]
    assert gains[150, int(x.min())][0] == pytest.approx(1.0), "the wearer's right side is on the picture's left"
    assert gains[150, int(x.max())][2] == pytest.approx(1.0)


def test_groups_go_from_light_to_dark() -> None:
    names = [tone_group(np.array([lightness, 12.0, 16.0])) for lightness in (80, 66, 60, 55, 45, 30)]
    assert names == sorted(names)
    assert names[0] == "1 very light"
    assert names[-1] == "6 dark"


def test_the_cones_in_use_suit_skin_best() -> None:
    found = adaptation()
    for kelvin in ("2700 K", "3500 K", "8000 K"):
        assert found["hunt_pointer_estevez"][kelvin] == min(row[kelvin] for row in found.values())


def test_a_folder_of_portraits_is_measured(tmp_path: Path) -> None:
    save(tmp_path / "data" / "faces" / "photos" / "0004.png", photo())
    (tmp_path / "labels" / "faces").mkdir(parents=True)
    np.savez(tmp_path / "labels" / "faces" / "0004.npz", face=seen().mesh)
    shades = ShadeTable.of(
        [("A", "B", str(v), f"#{v:02x}{int(v * 0.8):02x}{int(v * 0.65):02x}") for v in range(40, 250, 3)]
    )
    result = run_match(tmp_path / "data", teacher=tmp_path / "labels", shades=shades, limit=1)
    assert result["faces"] == 1
    assert result["angle_after"]["mean"] < result["angle_before"]["mean"]
    assert result["skin_after"]["mean"] < result["skin_before"]["mean"]
    assert result["refusals"]["dark"] == {"pictures": 1, "dark": 1.0}
    assert result["refusals"]["coloured: green"]["coloured_light"] == 1.0
    assert 0 <= result["top5_kept"]["mean"] <= 1
    assert result["synthetic_skin"]["mean"] > 0
