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


@dataclass(frozen=True, eq=False)
class Trial:
    """One product on one synthetic face: difference of the region's mean colour, and the mean over its pixels."""

    who: str
    area: str
    tone: int
    light: str
    delta_e: float
    pixels: float
    untouched: float
    rendered_lab: tuple[float, float, float]
    expected_lab: tuple[float, float, float]

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
    albedo_of = []
    for placed in place(layer, face):
        mask = np.zeros((h, w), np.float32)
        rows, cols = placed.box.slices((h, w))
        mask[rows, cols] = placed.mask
        whole = np.maximum(whole, mask)
        fine = cv2.resize(mask, (w * FINE, h * FINE), interpolation=cv2.INTER_LINEAR)
        colour = layer.shades[placed.shade].colour
        hidden = np.clip(fine, 0.0, 1.0) * layer.amount * layer.coverage
        albedo_of.append((colour, thickness_for(colour, hidden, sheer=layer.finish == "sheer")))

    def laid(albedo: F32) -> F32:
        for colour, thickness in albedo_of:
            albedo = film(albedo, colour, thickness=thickness)
        return albedo

    return scene.again(laid), whole


def trial(scene: Scene, layer: Layer, *, area: str, tone: int, who: str = "", told: bool = False) -> Trial:
    """Render one layer on a scene and compare; `told`: the render is given a white card's colour, not left
    to find the light."""
    face = FaceView.of_mesh(scene.mesh, scene.rgb.shape[:2])
    truth, mask = expected(scene, layer, face=face)
    made = render(scene.rgb, face, look=Look("", (layer,)), hair=None, light=card(scene) if told else None).image
    inside = mask >= SOLID * mask.max()
    ours, theirs = rgb_to_lab(made[inside]), rgb_to_lab(truth[inside])
    bare = rgb_to_lab(scene.rgb[inside])
    mean_ours, mean_theirs = ours.mean(axis=0), theirs.mean(axis=0)
    return Trial(
        who,
        area,
        tone,
        scene.light.name,
        float(delta_e_2000(mean_ours, mean_theirs)),
        float(delta_e_2000(ours, theirs).mean()),
        float(delta_e_2000(bare.mean(axis=0), mean_theirs)),
        tuple(np.round(mean_ours, 2)),
        tuple(np.round(mean_theirs, 2)),
    )


def trials(
    tones: Iterable[int] = range(1, 11),
    lights: Iterable[Light] = LIGHTS,
    *,
    poses: int = len(POSES),
    told: bool = False,
    swatch: bool = False,
) -> Iterator[Trial]:
    """Lip, cheek and foundation on all tones in all lights; poses and people change from one to the next."""
    lights = tuple(lights)
    for tone in tones:
        for k, light in enumerate(lights):
            for p in range(poses):
                scene = photograph(tone, light, pose=POSES[p], seed=(tone + p) % 6, swatch=swatch)
                for area, layer in layers(tone, tone + k + p).items():
                    yield trial(scene, layer, area=area, tone=tone, who=f"{tone}-{light.name}-{p}", told=told)
