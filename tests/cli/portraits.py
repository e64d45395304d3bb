"""Portraits that nobody should be made up in, drawn here or made of the bundled one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mojing.core.arrays import F32, U8, AnyArray
from mojing.core.image import load

PORTRAIT = Path(__file__).parents[2] / "examples" / "faces" / "astronaut.jpg"
RIGHT_EYE, LEFT_EYE, NOSE, MOUTH, CHIN = (203.7, 101.4), (246.8, 103.6), (223.6, 130.7), (223.4, 143.6), (222.5, 177.5)
"""Where these are in the bundled portrait, px."""
FACE = (178.7, 70.8, 271.1, 177.5)
"""Left, upper, right and lower edge of its face, px."""


def astronaut(scale: float = 1.0) -> U8:
    """The bundled portrait (512 px), enlarged."""
    rgb = load(PORTRAIT).flat()
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)) if scale != 1 else rgb


def closeup(side: int = 480) -> U8:
    """The bundled portrait's head alone, square."""
    return np.asarray(cv2.resize(astronaut()[20:260, 100:340], (side, side), interpolation=cv2.INTER_CUBIC))


def two_people(gap: int = 0) -> U8:
    """The portrait and its smaller mirror image beside it."""
    first = astronaut()[:300, 60:400]
    second = cv2.resize(first[:, ::-1], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    canvas = np.full((300, first.shape[1] + gap + second.shape[1], 3), 190, np.uint8)
    canvas[:, : first.shape[1]] = first
    canvas[300 - second.shape[0] :, -second.shape[1] :] = second
    return canvas


def tiny(eyes: float = 7.0) -> U8:
    """A face with its eyes so far apart (px), in a picture of ordinary size."""
    scale = eyes / 43.1
    small = cv2.resize(astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((400, 600, 3), (150, 160, 170), np.uint8)
    canvas[100 : 100 + small.shape[0], 200 : 200 + small.shape[1]] = small
    return canvas


def dark(exposure: float = 0.012) -> U8:
    """The portrait as a camera sees it in the night: little light, much noise."""
    linear = (astronaut().astype(np.float32) / 255) ** 2.2 * exposure
    noise = np.random.default_rng(0).normal(0, 0.002, linear.shape)
    return (np.clip(linear + noise, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


def masked() -> U8:
    """A medical mask over nose, mouth and chin."""
    rgb = closeup()
    points = _close([(FACE[0] + 6, 122), (NOSE[0], 112), (FACE[2] - 6, 124), (262, 152), (CHIN[0], 184), (186, 152)])
    cloth = rgb.copy()
    cv2.fillPoly(cloth, [points], (130, 190, 215), cv2.LINE_AA)
    for y in (125, 140, 155):
        ends = _close([(186, y), (NOSE[0], y + 8), (262, y)])
        cv2.polylines(cloth, [ends], False, (100, 160, 190), 2, cv2.LINE_AA)
    for side in ((184, 124, 172, 108), (266, 126, 276, 112)):
        ends = _close([side[:2], side[2:]])
        cv2.polylines(cloth, [ends], False, (235, 235, 235), 3, cv2.LINE_AA)
    return cloth


def sunglasses() -> U8:
    """Black glasses over both eyes."""
    rgb = closeup().copy()
    for eye in (RIGHT_EYE, LEFT_EYE):
        x, y = _close([eye])[0].tolist()
        cv2.ellipse(rgb, (x, y + 4), (40, 32), 0, 0, 360, (18, 18, 22), -1, cv2.LINE_AA)
    ends = _close([RIGHT_EYE, LEFT_EYE]).tolist()
    cv2.line(rgb, ends[0], ends[1], (18, 18, 22), 6, cv2.LINE_AA)
    return rgb


def drawing() -> U8:
    """A face as a child draws it: lines on paper."""
    rgb = np.full((480, 480, 3), (250, 248, 240), np.uint8)
    ink = (30, 30, 40)
    cv2.ellipse(rgb, (240, 250), (120, 150), 0, 0, 360, ink, 4, cv2.LINE_AA)
    for x in (195, 285):
        cv2.ellipse(rgb, (x, 220), (24, 13), 0, 0, 360, ink, 3, cv2.LINE_AA)
        cv2.circle(rgb, (x, 220), 8, ink, -1, cv2.LINE_AA)
        cv2.ellipse(rgb, (x, 190), (30, 10), 0, 190, 350, ink, 4, cv2.LINE_AA)
    cv2.line(rgb, (240, 225), (228, 285), ink, 3, cv2.LINE_AA)
    cv2.line(rgb, (228, 285), (248, 288), ink, 3, cv2.LINE_AA)
    cv2.ellipse(rgb, (240, 325), (45, 18), 0, 10, 170, (170, 40, 50), 5, cv2.LINE_AA)
    return rgb


def cartoon() -> U8:
    """A face of flat colours without any light on it."""
    rgb = np.full((480, 480, 3), (120, 190, 240), np.uint8)
    cv2.ellipse(rgb, (240, 190), (140, 130), 0, 0, 360, (70, 40, 20), -1, cv2.LINE_AA)
    cv2.ellipse(rgb, (240, 250), (115, 145), 0, 0, 360, (250, 205, 170), -1, cv2.LINE_AA)
    for x in (195, 285):
        cv2.ellipse(rgb, (x, 230), (26, 18), 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(rgb, (x, 230), 13, (40, 90, 200), -1, cv2.LINE_AA)
        cv2.circle(rgb, (x, 230), 6, (0, 0, 0), -1, cv2.LINE_AA)
        cv2.ellipse(rgb, (x, 195), (30, 8), 0, 180, 360, (70, 40, 20), -1, cv2.LINE_AA)
    cv2.ellipse(rgb, (240, 285), (14, 9), 0, 0, 360, (225, 165, 130), -1, cv2.LINE_AA)
    cv2.ellipse(rgb, (240, 335), (40, 15), 0, 0, 360, (215, 70, 80), -1, cv2.LINE_AA)
    return rgb


def statue() -> U8:
    """The head in stone: no colour, eyes without irises, a grain, hair of the same stone."""
    rgb = closeup()
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.bilateralFilter(grey, 9, 40, 9)
    stone = 95 + 0.6 * smooth
    weight = np.zeros(grey.shape, np.float32)
    for eye in (RIGHT_EYE, LEFT_EYE):
        x, y = _close([eye])[0].tolist()
        cv2.ellipse(weight, (x, y), (22, 10), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    weight = cv2.GaussianBlur(weight, (0, 0), 3)
    stone = stone * (1 - weight) + (175 + np.zeros_like(stone)) * weight
    stone += np.random.default_rng(0).normal(0, 5, stone.shape)
    return np.asarray(np.clip(stone[..., None] * np.array([1.0, 0.99, 0.96]), 0, 255), np.uint8)


def profile() -> U8:
    """A head seen from the side, as a shadow with a lit cheek, an eye and an ear."""
    rgb = np.full((480, 400, 3), (175, 185, 195), np.uint8)
    outline = np.array(
        [
            *((250, 60), (170, 75), (130, 120), (120, 170), (124, 205), (98, 258), (122, 268), (112, 292)),
            *((120, 300), (113, 312), (122, 330), (130, 362), (180, 372), (205, 380), (210, 440), (310, 440)),
            *((300, 340), (325, 250), (325, 140), (300, 85)),
        ],
        np.int32,
    )
    cv2.fillPoly(rgb, [outline], (205, 160, 135), cv2.LINE_AA)
    hair = np.array([(250, 55), (160, 70), (125, 115), (200, 130), (215, 200), (250, 260), (325, 280), (330, 130)])
    cv2.fillPoly(rgb, [hair.astype(np.int32)], (70, 45, 30), cv2.LINE_AA)
    cv2.ellipse(rgb, (145, 200), (14, 8), 0, 0, 360, (245, 240, 235), -1, cv2.LINE_AA)
    cv2.circle(rgb, (137, 200), 6, (50, 60, 70), -1, cv2.LINE_AA)
    cv2.ellipse(rgb, (245, 235), (16, 28), 0, 0, 360, (190, 140, 115), -1, cv2.LINE_AA)
    cv2.line(rgb, (118, 300), (150, 300), (160, 70, 70), 4, cv2.LINE_AA)
    light = np.linspace(1.1, 0.7, 400)[None, :, None] + np.random.default_rng(0).normal(0, 0.02, (480, 400, 1))
    return np.asarray(np.clip(cv2.GaussianBlur(rgb, (0, 0), 1.5) * light, 0, 255), np.uint8)


def no_faces() -> dict[str, U8]:
    """Pictures without any face."""
    rng = np.random.default_rng(0)
    slope: F32 = np.linspace(60, 230, 400, dtype=np.float32)
    meadow = np.zeros((300, 400, 3), np.uint8)
    meadow[:150], meadow[150:] = (120, 170, 230), (60, 120, 50)
    return {
        "black": np.zeros((300, 400, 3), np.uint8),
        "white": np.full((300, 400, 3), 255, np.uint8),
        "slope": np.repeat(np.repeat(slope[None, :, None], 300, axis=0), 3, axis=2).astype(np.uint8),
        "noise": rng.integers(0, 256, (300, 400, 3)).astype(np.uint8),
        "meadow": np.clip(meadow + rng.normal(0, 6, meadow.shape), 0, 255).astype(np.uint8),
        "suit": astronaut()[280:500, 200:500],
        "upside down suit": astronaut()[512:280:-1, 0:300],
    }


def _close(points: AnyArray | list[tuple[float, float]]) -> AnyArray:
    """Points of the portrait as whole pixels of `closeup`."""
    scale = 480 / 240
    return np.rint((np.asarray(points, np.float64) - (100, 20) + 0.5) * scale - 0.5).astype(np.int32)
