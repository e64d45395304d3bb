"""One picture: every fault is found with its figure, and sound pictures have none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mojing.core.arrays import U8
from mojing.core.image import Photo, encode, save
from mojing.curate.check import REASONS, Limits, contrast, filled_share, measure, sharpness, shrunk
from tests.curate.scenes import scene


def reasons(folder: Path, name: str, limits: Limits = Limits()) -> list[str]:  # noqa: B008
    picture, small = measure(folder, name, limits=limits)
    assert (small is None) == (picture.hw is None)
    return [flag.reason for flag in picture.flags]


@pytest.mark.parametrize("hw", [(160, 120), (120, 160), (400, 300), (700, 500)])
def test_sound_pictures(tmp_path: Path, hw: tuple[int, int]) -> None:
    for seed in range(4):
        save(tmp_path / "a.png", scene(seed, hw))
        assert reasons(tmp_path, "a.png") == []


def test_every_fault(tmp_path: Path) -> None:
    sound = scene(1)
    jpeg = encode(sound, "JPEG")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (tmp_path / "cut.png").write_bytes(encode(sound, "PNG")[:2000])
    filled = sound.copy()
    filled[100:] = 128
    made: dict[str, tuple[U8, str]] = {
        "tiny": (scene(1, (40, 50)), "tiny"),
        "wide": (scene(1, (80, 300)), "wrong ratio"),
        "tall": (scene(1, (300, 80)), "wrong ratio"),
        "white": (np.full((100, 100, 3), 255, np.uint8), "near-blank"),
        "grey": (np.full((100, 100, 3), 128, np.uint8), "near-blank"),
        "blurred": (np.asarray(cv2.GaussianBlur(sound, (0, 0), 2.5), np.uint8), "blurred"),
        "filled": (filled, "truncated"),
    }
    for name, (rgb, reason) in made.items():
        save(tmp_path / f"{name}.png", rgb)
        assert reasons(tmp_path, f"{name}.png") == [reason], name
    assert reasons(tmp_path, "empty.jpg") == ["corrupt"]
    assert reasons(tmp_path, "text.png") == ["corrupt"]
    assert reasons(tmp_path, "cut.jpg") == ["truncated"]
    assert reasons(tmp_path, "cut.png") == ["truncated"]
    assert reasons(tmp_path, "gone.png") == ["corrupt"]
    assert set(REASONS) >= {reason for _, reason in made.values()}


def test_limits_can_be_moved(tmp_path: Path) -> None:
    save(tmp_path / "a.png", scene(3, (28, 28)))
    assert reasons(tmp_path, "a.png") == ["tiny"]
    assert reasons(tmp_path, "a.png", Limits(min_side=28)) == []
    assert reasons(tmp_path, "a.png", Limits(min_side=28, max_ratio=0.9)) == ["wrong ratio"]


def test_other_kinds_of_pixels(tmp_path: Path) -> None:
    deep = (scene(4)[..., 0].astype(np.uint16) * 257).astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / "deep.png"), deep)
    see_through = np.dstack([scene(5), np.full((160, 120), 90, np.uint8)])
    save(tmp_path / "alpha.png", see_through)
    assert reasons(tmp_path, "deep.png") == reasons(tmp_path, "alpha.png") == []


def test_sharpness_is_of_the_picture_not_of_its_size_or_plainness() -> None:
    for seed in range(4):
        big = scene(seed, (1024, 768))
        soft = np.asarray(cv2.GaussianBlur(big, (0, 0), 9.0), np.uint8)
        assert sharpness(shrunk(soft, 256)) < 3.5 < sharpness(shrunk(big, 256))
        plain = (big * 0.25 + 150).astype(np.uint8)
        assert sharpness(shrunk(plain, 256)) > 3.5


def test_contrast_and_fill() -> None:
    half = np.zeros((64, 64, 3), np.uint8)
    half[:32] = 200
    assert contrast(half) == pytest.approx(100)
    grey = np.full((50, 20, 3), 128, np.uint8)
    assert filled_share(Photo(grey)) == 0
    grey[:40, 3] = 10
    assert filled_share(Photo(grey)) == pytest.approx(0.2)
