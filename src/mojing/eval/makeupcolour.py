"""Colour error of rendered make-up on faces of known albedo and light.

Truth is the same scene photographed again with the albedo that Kubelka-Munk theory gives for the film of product that
the look lays there (`makeup.optics.film`); surface gloss, light, camera and noise stay. The render sees only the photo,
the mesh and the look, and must find out the light by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mojing.core.arrays import F32, U8
from mojing.core.color import delta_e_2000, rgb_to_lab
from mojing.eval.groups import Sample
from mojing.eval.syntheticface import LIGHTS, Light, Scene, card, photograph, tone_albedo
from mojing.eval.syntheticstage import FINE, Pose
from mojing.makeup.look import Layer, Look, Shade
from mojing.makeup.optics import film, thickness_for
from mojing.makeup.regions import place
from mojing.makeup.render import render
from mojing.perception.faceview import FaceView

LIP_HEX = ("#a8182c", "#b5776a", "#5f1b33", "#e0604c")
BLUSH_HEX = ("#c9586a", "#d98a6a", "#8e3a4c")
POSES = (Pose(), Pose(yaw=18.0, roll=6.0), Pose(yaw=-14.0, pitch=8.0, roll=-9.0))
SOLID = 0.6
"""Colour is read where a mask is at least this share of its greatest value; edges are the regions' matter."""


@dataclass(frozen=True)
class Trial:
    """One product on one synthetic face, in ΔE00.

    Attributes:
        who: the scene's name. area: lip, cheek or foundation. tone: 1 to 10. light: its name.
        told: whether the render was given the light.
        delta_e: difference of the region's mean colour from the expected one.
        pixels: mean difference over the region's pixels. untouched: what `delta_e` would be without any product.
    """

    who: str
    area: str
    tone: int
    light: str
    told: bool
    delta_e: float
    pixels: float
    untouched: float

    def sample(self, *, pairs: bool = False) -> Sample:
        """The figure with the groups that it counts in; `pairs` puts two neighbouring tones in one."""
        tone = tone_pair(self.tone) if pairs else f"Monk {self.tone}"
        return Sample(self.who, self.delta_e, {"area": self.area, "tone": tone, "light": self.light})


def tone_pair(tone: int) -> str:
    """The name of a group of two neighbouring tones."""
    first = tone - 1 + tone % 2
    return f"Monk {first}-{first + 1}"


def layers(tone: int, index: int) -> dict[str, Layer]:
    """Lip, blush and foundation for trial number `index` on a tone: the colours take turns."""
    lip, blush = LIP_HEX[index % len(LIP_HEX)], BLUSH_HEX[index % len(BLUSH_HEX)]
    near = min(max(tone + (-1, 0, 1)[index % 3], 1), 10)
    return {
        "lip": Layer("lip", (Shade.of_hex(lip),), finish="satin", coverage=0.8),
        "cheek": Layer("blush", (Shade.of_hex(blush),), finish="satin", coverage=0.4),
        "foundation": Layer("foundation", (Shade("", tone_albedo(near)),), finish="satin", coverage=0.55),
    }


def expected(scene: Scene, layer: Layer, *, face: FaceView) -> tuple[U8, F32]:
    """The photo (H, W, 3) with the layer laid on in the scene itself, and its mask (H, W) in 0..1."""
    h, w = scene.rgb.shape[:2]
    whole = np.zeros((h, w), np.float32)
    parts = place(layer, face)
    for placed in parts:
        at = placed.box.slices((h, w))
        whole[at] = np.maximum(whole[at], placed.mask)

    def laid(albedo: F32) -> F32:
        out = albedo.copy()
        for placed in parts:
            rows, cols = placed.box.slices((h, w))
            at = slice(rows.start * FINE, rows.stop * FINE), slice(cols.start * FINE, cols.stop * FINE)
            wh = (cols.stop - cols.start) * FINE, (rows.stop - rows.start) * FINE
            hidden = cv2.resize(placed.mask, wh, interpolation=cv2.INTER_LINEAR) * layer.amount * layer.coverage
            colour = layer.shades[placed.shade].colour
            thickness = thickness_for(colour, np.clip(hidden, 0.0, 1.0), sheer=layer.finish == "sheer")
            out[at] = film(out[at], colour, thickness=thickness)
        return out

    return scene.again(laid), whole


def attempt(scene: Scene, layer: Layer, *, area: str, tone: int, who: str, told: Iterable[bool]) -> Iterator[Trial]:
    """Render one layer on a scene and compare: given a white card's colour (`told`), or left to find the light."""
    face = FaceView.of_mesh(scene.mesh, scene.rgb.shape[:2])
    truth, mask = expected(scene, layer, face=face)
    inside = mask >= SOLID * mask.max()
    bare, theirs = rgb_to_lab(scene.rgb[inside]).mean(axis=0), rgb_to_lab(truth[inside])
    for known in told:
        light = card(scene) if known else None
        made = render(scene.rgb, face, look=Look("", (layer,)), light=light, layers=False).image
        ours = rgb_to_lab(made[inside])
        yield Trial(
            who,
            area,
            tone,
            scene.light.name,
            known,
            float(delta_e_2000(ours.mean(axis=0), theirs.mean(axis=0))),
            float(delta_e_2000(ours, theirs).mean()),
            float(delta_e_2000(bare, theirs.mean(axis=0))),
        )


def trials(
    tones: Iterable[int] = range(1, 11),
    lights: Iterable[Light] = LIGHTS,
    *,
    poses: int = 2,
    told: Iterable[bool] = (True, False),
    swatch: bool = False,
) -> Iterator[Trial]:
    """Lip, cheek and foundation on all tones in all lights; poses, people and colours change from one to the next."""
    lights, told = tuple(lights), tuple(told)
    for tone in tones:
        for k, light in enumerate(lights):
            for p in range(poses):
                pose = POSES[(tone + k + p) % len(POSES)]
                scene = photograph(tone, light, pose=pose, seed=(tone + p) % 6, swatch=swatch)
                who = f"{tone}-{light.name}-{p}"
                for area, layer in layers(tone, tone + k + p).items():
                    yield from attempt(scene, layer, area=area, tone=tone, who=who, told=told)
