"""Rendering with a real, tiny network file, and without one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mojing.core.arrays import U8, AnyArray
from mojing.perception.body import BodyView
from mojing.perception.labels import L
from mojing.runtime.store import ModelStore
from mojing.tryon.agnostic import Edit, edit_region
from mojing.tryon.conditions import CONTEXT_CHANNELS, CROP_WH, PICTURE_CHANNELS
from mojing.tryon.drape import Drape, drape
from mojing.tryon.quality import THRESHOLD, judge
from mojing.tryon.render import Renderer, true_skin
from tests.tryon.wardrobe import body, garment, texture


def write_render_model(folder: Path, *, alpha: float = 10.0, flow: float = 0.0, gain: float = 1.0) -> None:
    """A network of the contracted shapes that always answers the same: mid-grey, this opacity, shift and shading."""
    w, h = CROP_WH
    shapes = {"rgb": (3, h, w), "alpha": (1, h, w), "flow": (2, h // 4, w // 4), "gain": (1, h // 4, w // 4)}
    shapes["parse"] = (21, h // 4, w // 4)
    values = {"rgb": 0.5, "alpha": alpha, "flow": flow, "gain": gain, "parse": 0.0}
    nodes, constants, outputs = [], [], []
    for name, shape in shapes.items():
        full = np.full((1, *shape), values[name], np.float32)
        if name == "parse":
            full[0, 3] = 5.0
        constants.append(onnx.numpy_helper.from_array(full, f"{name}_value"))
        nodes.append(helper.make_node("Identity", [f"{name}_value"], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, *shape)))
    sizes = {"picture": (1, PICTURE_CHANNELS, h, w), "context": (1, CONTEXT_CHANNELS, h // 4, w // 4)}
    inputs = [helper.make_tensor_value_info(k, TensorProto.FLOAT, s) for k, s in sizes.items()]
    graph = helper.make_graph(nodes, "render", inputs, outputs, constants)
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    (folder / "render.onnx").write_bytes(data)
    about = {
        "name": "render",
        "sha256": hashlib.sha256(data).hexdigest(),
        "inputs": [{"name": k, "shape": list(s)} for k, s in sizes.items()],
        "outputs": [{"name": k, "shape": [1, *s]} for k, s in shapes.items()],
    }
    (folder / "render.json").write_text(json.dumps(about))


def scene(category: str = "top") -> tuple[U8, BodyView, Drape, Edit]:
    view = body()
    rgb = np.ascontiguousarray(255 - texture(view.hw))
    draped = drape(garment(category), view)
    return rgb, view, draped, edit_region(view, draped, category)


@pytest.mark.parametrize("category", ["top", "dress", "trousers"])
@pytest.mark.parametrize("gan", [True, False])
def test_pixels_outside_the_edit_mask_are_the_photos(tmp_path: Path, category: str, gan: bool) -> None:
    write_render_model(tmp_path, flow=3.0, gain=1.2)
    rgb, view, draped, edit = scene(category)
    out = Renderer(ModelStore(tmp_path), threads=1, gan=gan)(rgb, view, drape=draped, edit=edit, category=category)
    assert out.image.shape == rgb.shape
    assert np.array_equal(out.image[edit.mask == 0], rgb[edit.mask == 0])
    assert not np.array_equal(out.image, rgb)


def test_the_garments_pixels_come_from_the_drape(tmp_path: Path) -> None:
    write_render_model(tmp_path)
    rgb, view, draped, edit = scene()
    out = Renderer(ModelStore(tmp_path), threads=1)(rgb, view, drape=draped, edit=edit, category="top")
    inside = (draped.alpha > 0.99) & (out.alpha > 0.99)
    assert inside.sum() > 1000
    gap = np.abs(out.image[inside].astype(int) - draped.rgb[inside].astype(int))
    assert np.percentile(gap, 99) <= 2


def test_a_network_that_removes_the_garment_is_judged_bad(tmp_path: Path) -> None:
    rgb, view, draped, edit = scene()
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder, alpha in ((good, 10.0), (bad, -10.0)):
        folder.mkdir()
        write_render_model(folder, alpha=alpha)
    scores = {}
    for folder in (good, bad):
        out = Renderer(ModelStore(folder), threads=1)(rgb, view, drape=draped, edit=edit, category="top")
        scores[folder.name] = judge(view, garment("top"), drape=draped, rendered=out, edit=edit)
    assert scores["bad"].score < THRESHOLD < scores["good"].score
    assert not scores["bad"].ok
    assert scores["bad"].reasons


def test_the_residual_flow_moves_the_garment_and_the_field(tmp_path: Path) -> None:
    still, moved = tmp_path / "still", tmp_path / "moved"
    for folder, flow in ((still, 0.0), (moved, 6.0)):
        folder.mkdir()
        write_render_model(folder, flow=flow)
    rgb, view, draped, edit = scene()
    a, b = (
        Renderer(ModelStore(f), threads=1)(rgb, view, drape=draped, edit=edit, category="top") for f in (still, moved)
    )
    assert a.shift == pytest.approx(0, abs=1e-6)
    assert b.shift > 0.005
    assert not np.array_equal(a.image, b.image)
    assert np.array_equal(a.field.map_xy, draped.field.map_xy)
    assert not np.array_equal(b.field.map_xy, draped.field.map_xy)


def test_a_crop_without_a_face_still_knows_the_skin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_render_model(tmp_path)
    _, view, draped, edit = scene("trousers")
    covered = view.parse.copy()
    covered[np.isin(covered, [L[f"{side}_{kind}"] for side in ("left", "right") for kind in ("arm", "leg")])] = 0
    view = replace(view, parse=covered)
    low = np.zeros(view.hw, np.uint8)
    low[int(0.8 * view.hw[0]) :] = edit.mask[int(0.8 * view.hw[0]) :]
    assert low.any()
    rgb = np.full((*view.hw, 3), 30, np.uint8)
    rgb[np.isin(view.parse, [L["face"], L["neck"]])] = (200, 150, 100)
    renderer = Renderer(ModelStore(tmp_path), threads=1)
    assert renderer.session is not None
    told: list[AnyArray] = []
    answer = renderer.session.run

    def listen(feeds: dict[str, AnyArray]) -> dict[str, AnyArray]:
        told.append(feeds["context"])
        return answer(feeds)

    monkeypatch.setattr(renderer.session, "run", listen)
    renderer(rgb, view, drape=draped, edit=replace(edit, mask=low), category="trousers")
    skin = (told[0][0, -8:-5, 0, 0] + 1) * 127.5
    assert np.allclose(skin, (200, 150, 100), atol=1)


def test_invented_skin_takes_the_persons_tone() -> None:
    painted = np.full((64, 48, 3), (0.9, 0.2, 0.5), np.float32)
    labels = np.zeros((16, 12), np.uint8)
    labels[4:12, 2:10] = L["left_arm"]
    brown = np.array([120, 80, 60], np.float32)
    out = true_skin(painted, labels, brown / 127.5 - 1)
    inside, outside = out[24:40, 16:32].mean(axis=(0, 1)), out[:4].mean(axis=(0, 1))
    assert np.allclose(outside, painted[0, 0] * 255, atol=1)
    ratio = inside / inside.sum()
    assert np.allclose(ratio, brown / brown.sum(), atol=0.12)
    assert np.abs(ratio - brown / brown.sum()).sum() < np.abs(outside / outside.sum() - brown / brown.sum()).sum() / 2
    unknown = true_skin(painted, labels, np.zeros(3, np.float32))
    assert np.allclose(unknown, painted * 255)
