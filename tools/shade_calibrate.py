"""Measure what the clues to the light look like on portraits: the constants of makeup/light.py and skincolour.py.

    python tools/shade_calibrate.py DATA LABELS [--every N]

reads DATA/faces/photos with the teacher's meshes LABELS/faces; held-out portraits are left out. The portraits are
official ones and are taken to be in neutral light on the average.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import AnyArray
from mojing.core.errors import InputError
from mojing.eval.match import tone_group
from mojing.eval.portraits import Portrait, read_portraits
from mojing.makeup.bare import bare_skin
from mojing.makeup.light import read_light, sides_apart, white_cloth
from mojing.makeup.places import Patch, closeup, eye_white, log_chroma, luminance, read, teeth
from mojing.makeup.skincolour import hue_of, skin_of
from mojing.perception.ground_truth import is_validation

Found = dict[str, list[list[float]]]


def main() -> None:
    """Print every constant with the number of portraits it comes from."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--every", type=int, default=1, help="use every n-th portrait only")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    found: Found = {}
    refused: dict[str, int] = {}
    chosen = [p for p in read_portraits(given.data, given.labels, everything=True) if not is_validation(p.who)]
    for portrait in chosen[:: given.every]:
        try:
            _look(portrait, found)
        except InputError as error:
            refused[error.code] = refused.get(error.code, 0) + 1
    print(f"portraits {len(chosen[:: given.every])}, refused {refused}")
    for name in ("eyes", "eye", "teeth", "cloth", "skin"):
        _tell(name, np.array(found.get(name, [])))
    sides = np.abs(np.array(found["sides"]))
    print("sides: 90, 95, 98, 99 % below", np.percentile(sides, [90, 95, 98, 99]).round(3))
    _hue(np.array(found["hue"]))
    known = np.array(found["chi2"])[:, 0]
    print(f"light: 90 % regions hold neutral in {100 * np.mean(known < 4.605):.0f} % of portraits")


def _look(portrait: Portrait, found: Found) -> None:
    view = closeup(portrait.rgb, portrait.face)
    skin = bare_skin(view)
    both = [p for p in (eye_white(view, "right"), eye_white(view, "left")) if p is not None]
    for patch in both:
        _add(found, "eye", patch)
    if len(both) == 2:
        middle = (both[0].colour + both[1].colour) / 2
        found.setdefault("eyes", []).append([*log_chroma(middle), float(np.log(luminance(middle)))])
    for name, seen in (("teeth", teeth(view)), ("cloth", white_cloth(view, skin))):
        if seen is not None:
            _add(found, name, seen)
    found.setdefault("skin", []).append([*log_chroma(skin.colour), float(np.log(luminance(skin.colour)))])
    if all(read(view, f"brow_{side}").pixels for side in ("left", "right")):
        found.setdefault("sides", []).append([sides_apart(view)])
    colour = skin_of(view)
    found.setdefault("hue", []).append(
        [float(colour.lab[0]), float(hue_of(colour.lab)), float(tone_group(colour.lab)[0])]
    )
    light = read_light(view, skin=skin)
    white = log_chroma(light.white)
    found.setdefault("chi2", []).append([float(white @ np.linalg.solve(light.cov, white))])


def _add(found: Found, name: str, patch: Patch) -> None:
    found.setdefault(name, []).append([*patch.chroma, float(np.log(patch.luminance))])


def _tell(name: str, values: AnyArray) -> None:
    if len(values) < 3:
        print(name, "too few")
        return
    middle = np.median(values, axis=0)
    mad = 1.4826 * np.median(np.abs(values - middle), axis=0)
    kept = values[(np.abs(values - middle) < 3.5 * mad).all(axis=1)]
    sd, rho = kept.std(axis=0), np.corrcoef(kept[:, :2].T)[0, 1]
    print(f"{name}: n {len(values)}, ln(R/G), ln(B/G), ln(Y) {middle.round(3)} sd {sd.round(3)} rho {rho:.2f}")


def _hue(values: AnyArray) -> None:
    """Hue as a line over lightness, all skin-tone groups weighing alike."""
    groups = values[:, 2].astype(int)
    weight = np.sqrt(1.0 / np.bincount(groups)[groups])
    line = np.column_stack([np.ones(len(values)), values[:, 0]])
    fit = np.linalg.lstsq(line * weight[:, None], values[:, 1] * weight, rcond=None)[0]
    off = values[:, 1] - line @ fit
    print(
        "usual hue", fit.round(3), "quartiles", np.percentile(off, [25, 75]).round(1), "groups", np.bincount(groups)[1:]
    )


if __name__ == "__main__":
    main()
