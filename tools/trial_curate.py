"""Trial of `mojing data check`: spoil copies of sound photos in known ways and count how many are found.

    python tools/trial_curate.py DATA/garments/photos --photos 60
    python tools/trial_curate.py DATA/garments/photos --photos 200 --strangers DATA/faces/photos

With --strangers, 25 held-out pictures of that folder, and 4 of noise, are put among the photos instead, as held out.

Writes only into a temporary folder, and prints a table: kind of fault, copies made, found for the right reason.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import U8
from mojing.core.image import encode, load, save
from mojing.curate.offtopic import Features, Sight
from mojing.curate.pipeline import survey
from mojing.perception.features import KINDS
from mojing.perception.features import Features as Network
from mojing.perception.ground_truth import is_validation
from mojing.runtime.store import ModelStore

Spoil = Callable[[U8], bytes]


def png(make: Callable[[U8], object]) -> Spoil:
    """The spoiled picture, itself saved without loss."""
    return lambda rgb: encode(np.ascontiguousarray(np.asarray(make(rgb), np.uint8)))


def jpeg(rgb: U8, quality: int) -> bytes:
    """As a JPEG file of the given quality."""
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return bytes(data)


def scaled(factor: float) -> Spoil:
    """Resized by a factor."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return png(lambda a: cv2.resize(a, None, fx=factor, fy=factor, interpolation=how))


def cropped(share: float) -> Spoil:
    """A share of height and width cut off, half on each side."""
    return png(
        lambda a: a[
            round(a.shape[0] * share / 2) : round(a.shape[0] * (1 - share / 2)),
            round(a.shape[1] * share / 2) : round(a.shape[1] * (1 - share / 2)),
        ]
    )


FAULTS: dict[str, tuple[str, Spoil]] = {
    "file cut to 60 %": ("truncated", lambda a: (d := jpeg(a, 90))[: len(d) * 6 // 10]),
    "cut and closed again": ("truncated", lambda a: (d := jpeg(a, 90))[: len(d) * 6 // 10] + b"\xff\xd9"),
    "header overwritten": ("corrupt", lambda a: bytes(64) + jpeg(a, 90)[64:]),
    "40 px": ("tiny", png(lambda a: cv2.resize(a, (40, 48), interpolation=cv2.INTER_AREA))),
    "one plain colour": ("near-blank", png(lambda a: np.full_like(a, a.mean()))),
    "strip, 1 to 3": ("wrong ratio", png(lambda a: a[: a.shape[1] // 3])),
    "blurred, sigma 1.5 px": ("blurred", png(lambda a: cv2.GaussianBlur(a, (0, 0), 1.5))),
    "blurred, sigma 2.5 px": ("blurred", png(lambda a: cv2.GaussianBlur(a, (0, 0), 2.5))),
    "same pixels": ("duplicate", png(lambda a: a)),
    "JPEG, quality 30": ("near-duplicate", lambda a: jpeg(a, 30)),
    "half the size": ("near-duplicate", scaled(0.5)),
    "twice the size": ("near-duplicate", scaled(2.0)),
    "mirrored": ("near-duplicate", png(lambda a: a[:, ::-1])),
    "brighter by a fifth": ("near-duplicate", png(lambda a: np.clip(a * 1.2, 0, 255))),
    "2 % cropped": ("near-duplicate", cropped(0.02)),
    "4 % cropped": ("near-duplicate", cropped(0.04)),
}


def network() -> Features:
    """What `mojing data` looks with."""
    seen, nothing = Network(ModelStore(), threads=1), KINDS.index("other")

    def look(images: Sequence[U8]) -> Sight:
        found = seen(images)
        return Sight(found.feature, found.kind[:, nothing])

    return look


def strangers(chosen: Sequence[Path], folder: Path) -> None:
    """Count which pictures of another folder, and of noise, are told to be off-topic among the photos."""
    others = [p for p in sorted(folder.iterdir()) if is_validation(p.stem)]
    others = [others[i] for i in np.linspace(0, len(others) - 1, min(25, len(others))).round().astype(int)]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as mixed:
        for kind, files in (("photos", chosen), ("strangers", others)):
            for i, file in enumerate(files):
                save(Path(mixed) / f"{kind} {i:04d}.png", load(file).flat())
        for i in range(4):
            save(Path(mixed) / f"noise {i:04d}.png", rng.integers(0, 256, (200, 200, 3), np.uint8))
        found = survey(Path(mixed), features=network())
    for kind in ("photos", "strangers", "noise"):
        own = [p for p in found.pictures if p.name.startswith(kind)]
        told = sum(any(flag.reason == "off-topic" for flag in p.flags) for p in own)
        print(f"{kind:<24} {'off-topic':<16} {len(own):>4} {told:>5}")


def main() -> None:
    """Run the trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos_folder", type=Path)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--strangers", type=Path)
    options = parser.parse_args()
    files = sorted(p for p in options.photos_folder.iterdir() if p.is_file())
    if options.strangers is not None:
        files = [p for p in files if is_validation(p.stem)]
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, options.photos).round().astype(int)]
    print(f"{'fault':<24} {'reason':<16} made found")
    if options.strangers is not None:
        strangers(chosen, options.strangers)
        return
    for fault, (reason, spoil) in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            for i, file in enumerate(chosen):
                rgb = load(file).rgb
                save(Path(folder) / f"{i:04d} sound.png", rgb)
                (Path(folder) / f"{i:04d} spoiled.png").write_bytes(spoil(rgb))
            found = survey(Path(folder))
            pairs: dict[str, set[str]] = {}
            for picture in found.pictures:
                pairs.setdefault(picture.name[:4], set()).update(flag.reason for flag in picture.flags)
        print(f"{fault:<24} {reason:<16} {len(chosen):>4} {sum(reason in seen for seen in pairs.values()):>5}")


if __name__ == "__main__":
    main()
