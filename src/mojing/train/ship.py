"""Turn a run's checkpoint into the shipped artifact: `python -m mojing.train.ship body --run runs/body`.

What the artifact's JSON says of data, licence and limits is written here, once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mojing.core.skeleton import BODY_JOINTS, GARMENT_ANCHORS
from mojing.makeup.reading import READ
from mojing.perception.facedetail import PATCH
from mojing.perception.facefind import MAPS
from mojing.perception.faceview import FACE_PARTS
from mojing.perception.features import KINDS, SIDE
from mojing.perception.garment import CATEGORIES
from mojing.perception.labels import LABELS
from mojing.train.export import Port, export
from mojing.train.nets.body import BodyNet
from mojing.train.nets.face import FaceDetailNet, FaceNet
from mojing.train.nets.facefinder import FinderNet
from mojing.train.nets.features import FeatureNet
from mojing.train.nets.garment import SEGMENTS, GarmentNet
from mojing.train.nets.makeup import MakeupNet
from mojing.train.nets.render import Generator
from mojing.tryon.conditions import CONTEXT_CHANNELS, CROP_WH, PICTURE_CHANNELS, STRIDE

MODELS = Path(__file__).parents[1] / "models"

PEOPLE = "people: street photos of clothing-co-parsing, Apache-2.0; joints and masks by MediaPipe 0.10.21"
SHOP = "shop: apparel photos of magento2-sample-data, AFL-3.0"
GARMENTS = "garments: clothing-dataset, CC0-1.0"
FACES = "faces: official portraits of CivilServiceUSA, MIT; only as pictures that show no garment"
PORTRAITS = "faces: official portraits of CivilServiceUSA, MIT; meshes by MediaPipe 0.10.21"
LIMITS = [
    "street photos skew to women and to outerwear; there are few darker-skinned women",
    "no photo pairs of a flat garment and the same garment worn exist in the data",
]


def body_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the body network."""
    card = {
        "labels": list(LABELS),
        "joints": list(BODY_JOINTS),
        "datasets": [PEOPLE, SHOP, GARMENTS],
        "purpose": "one crop of a person -> 21-class parse, person alpha, 21 joint heat maps",
    }
    return BodyNet(), [Port("image", torch.rand(2, 3, 256, 192))], ["parse", "alpha", "heat"], card


def garment_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the garment network."""
    card = {
        "labels": list(SEGMENTS),
        "anchors": list(GARMENT_ANCHORS),
        "categories": list(CATEGORIES),
        "datasets": [PEOPLE, SHOP, GARMENTS],
        "purpose": "one letterboxed garment photo -> cut-out, anchors, category, sleeve, feature vector",
    }
    outputs = ["seg", "heat", "category", "sleeve", "feature"]
    return GarmentNet(), [Port("image", torch.rand(2, 3, 256, 256))], outputs, card


def render_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the try-on generator."""
    w, h = CROP_WH
    picture = torch.rand(1, PICTURE_CHANNELS, h, w) * 2 - 1
    context = torch.rand(1, CONTEXT_CHANNELS, h // STRIDE, w // STRIDE)
    card = {
        "labels": list(LABELS),
        "datasets": [PEOPLE, SHOP],
        "purpose": "blanked photo, draped garment and pose -> flow, opacity, shading, new pixels, parse",
    }
    ports = [Port("picture", picture, -1.0, 1.0), Port("context", context, -1.0, 1.0)]
    return Generator(), ports, ["rgb", "alpha", "flow", "gain", "parse"], card


def features_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the fashion feature network."""
    card = {
        "labels": list(KINDS),
        "datasets": [GARMENTS, SHOP, FACES],
        "purpose": "one garment picture on a square -> feature that tells kind, colour and pattern; kind of garment",
        "limits": [
            "the labels are the senders' own and overlap: t-shirt and top, shirt and blouse, undershirt and top",
            "kinds with few photos (blouse, top, hoodie, undershirt) are named rightly far less often than common ones",
            "portraits are told from garments, bags and other things mostly are not: for them the distance to known "
            "garments is the better sign",
            "distances between features compare with each other only, never with Inception figures",
        ],
        "start": "its first layers taken over from the garment network where the run had one",
        "cores": "one CPU core",
    }
    return FeatureNet(), [Port("image", torch.rand(4, 3, SIDE, SIDE))], ["feature", "kind"], card


def makeup_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the make-up network."""
    card = {
        "labels": list(READ),
        "datasets": [
            "faces: official portraits of CivilServiceUSA, MIT; meshes by MediaPipe 0.10.21",
            SHOP,
            "random looks, painted on them by the project's own renderer",
        ],
        "purpose": "a face in the mesh's flat layout -> kinds, shades, coverage, finish and pattern of what it wears, "
        "the bare face under it, a map of product",
        "limits": [
            "it has only seen make-up that our renderer paints: real products, jewels and face paint are new to it",
            "many of the women in the photos are made up already and were taken for bare, so light everyday make-up "
            "is read as skin and is not removed",
            "frames of glasses and strong shadows of the lids are sometimes read as eyeliner; of eyeshadows of several "
            "pans the pattern is mostly wrong; lenses, bronzer and concealer are found less than half of the time",
            "removal takes away about a tenth of the colour difference on the mean: it is a hint, not a bare face",
            "concealer, contour and foundation near the skin's own colour can hardly be seen and are often missed",
            "hair colour, smoothing and which side of the face a layer is kept to are not read",
            "four in five of the photos show light skin; darker skin is mostly made from them by the renderer's "
            "pigment model",
        ],
        "cores": "one CPU core",
    }
    return MakeupNet(), [Port("face", torch.rand(1, 4, 256, 256))], ["rows", "bare", "product"], card


def face_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the face network."""
    card = {
        "labels": list(FACE_PARTS),
        "datasets": [PORTRAITS, SHOP, PEOPLE],
        "purpose": "one upright crop of a face -> mesh of 478 points (x, y, z over the crop's side), confidence logit, "
        "and which pixels are skin, hair, beard, glasses, mouth or something in front",
        "limits": [
            "the meshes it learnt from are another network's, not hand-made; it is not better than its teacher",
            "nobody labelled the parts: they come from our body network, the mesh and each face's own colours, so thin "
            "frames, stubble and the edge of a bare head are unsure; things in front of faces were drawn, hardly any "
            "photo shows a real one",
            "the portraits skew to light-skinned, older men; darker skin is mostly made from them by re-toning",
            "faces turned more than some 40 degrees to the side, and children, were hardly seen",
        ],
        "limit": 0.95,
        "small_limit": 0.99,
        "follow_limit": 0.5,
        "cores": "one CPU core",
    }
    return FaceNet(), [Port("image", _blotches(8, 192))], ["mesh", "confidence", "parts"], card


def facedetail_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the closer look at eyes and lips."""
    card = {
        "datasets": [PORTRAITS, SHOP, PEOPLE],
        "purpose": "patches of 64 px around right eye, left eye (in a mirror) and lips -> points of the mesh there",
        "limits": [
            "the points it learnt from are another network's, not hand-made; it is not better than its teacher",
            "the portraits skew to light-skinned, older men; darker skin is mostly made from them by re-toning",
        ],
        "cores": "one CPU core",
    }
    return FaceDetailNet(), [Port("patches", _blotches(9, PATCH).unflatten(0, (3, 3)))], ["points"], card


def facefinder_parts() -> tuple[nn.Module, list[Port], list[str], dict[str, Any]]:
    """Network, inputs, outputs and card of the face finder."""
    card = {
        "labels": list(MAPS),
        "datasets": [PORTRAITS, SHOP, PEOPLE, GARMENTS],
        "purpose": "one letterboxed photo -> where faces are, how large and how far they are rolled",
        "limits": [
            "most photos it learnt from show one person; crowds and faces rolled by more than 50 degrees were not seen",
            "faces smaller than a fortieth of the photo's longer side are found only when nothing else is",
        ],
        "cores": "one CPU core",
    }
    return FinderNet(), [Port("image", _blotches(4, 256))], ["maps"], card


def _blotches(count: int, side: int) -> Tensor:
    """Pictures of random blotches: unlike plain noise, they differ enough for one number a picture to have a spread."""
    coarse = torch.nn.functional.interpolate(torch.rand(count, 3, 5, 5), (side, side), mode="bicubic")
    return (coarse * torch.rand(count, 1, 1, 1) * 1.3 + 0.05 * torch.rand(count, 3, side, side)).clamp(0.0, 1.0)


PARTS = {
    "body": body_parts,
    "face": face_parts,
    "facedetail": facedetail_parts,
    "facefinder": facefinder_parts,
    "features": features_parts,
    "garment": garment_parts,
    "makeup": makeup_parts,
    "render": render_parts,
}


def ship(name: str, run: Path, folder: Path = MODELS, *, others: Sequence[Path] = ()) -> Path:
    """Export the averaged weights of a run as model `name` into `folder`, with the run's length and last validation.

    `others` are runs of the same network that the run went on from, or that went on from the same weights; the mean of
    all weights is exported (Wortsman et al. 2022, arXiv:2203.05482).
    """
    net, inputs, outputs, card = PARTS[name]()
    state, *rest = (torch.load(one / "last.pt", map_location="cpu", weights_only=True) for one in (run, *others))
    net.load_state_dict(_mean([state["ema"], *(other["ema"] for other in rest)]))
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    checks = [row for row in rows if row.get("event") == "validation"]
    last = {k: v for k, v in (checks[-1] if checks else {}).items() if isinstance(v, float) and k != "minutes"}
    cores = str(state.get("cores", card.pop("cores", "two CPU cores")))
    trained = {f"minutes_on_{cores.lower().replace(' ', '_')}": round(state["spent"] / 60, 1), "steps": state["step"]}
    card = {"licence": "Apache-2.0", "limits": LIMITS, **card, "training": trained, "metrics": last}
    card |= {key: state[key] for key in ("thresholds", "start", "prior") if key in state}
    if rest:
        card["start"] = f"{card.get('start', 'from scratch')}; the mean of {len(rest) + 1} runs' weights"
    path = export(net, folder, name, inputs=inputs, outputs=outputs, card=card)
    path.with_suffix(".md").write_text(model_card(json.loads(path.with_suffix(".json").read_text())))
    return path


def _mean(weights: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of networks' weights; counters are the first one's."""
    first = weights[0]
    return {k: torch.stack([w[k] for w in weights]).mean(0) if v.is_floating_point() else v for k, v in first.items()}


def model_card(about: dict[str, Any]) -> str:
    """Markdown card of a model from its JSON description."""
    data = "\n".join(f"- {line}" for line in about["datasets"])
    limits = "\n".join(f"- {line}" for line in about["limits"])
    metrics = "\n".join(f"| {k} | {v:.4f} |" for k, v in about["metrics"].items()) or "| none was made | |"
    recipe = about.get("recipe", "tryon" if about["name"] == "render" else about["name"])
    (cores, minutes), *_ = ((k, v) for k, v in about["training"].items() if k.startswith("minutes_on_"))
    cores = cores.removeprefix("minutes_on_").replace("_", " ").replace("cpu", "CPU")
    return f"""# Model card: {about["name"]}

{about["purpose"]}

- Licence: {about["licence"]}
- Parameters: {about["parameters"]:,}, stored as float16
- Trained {minutes} minutes ({about["training"]["steps"]} steps) on {cores},
  {about.get("start", "from scratch")}; the recipe is `mojing train {recipe}` (docs/training.md)

## Data

{data}

## Figures of the last check in training, on held-out photos

From the run's own log, at the network's resolution; the figures of the whole pipeline are in docs/results.md.

| figure | value |
|---|---|
{metrics}

## Known limits

{limits}
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mojing train export`."""
    parser = argparse.ArgumentParser(description="write NAME.onnx and NAME.json of a finished run")
    parser.add_argument("name", choices=sorted([*PARTS, "design"]))
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument(
        "--mean-with", type=Path, nargs="*", default=[], help="runs whose weights are averaged with its"
    )
    parser.add_argument("--out", type=Path, default=MODELS, help="where to write; the package's own models by default")
    args = parser.parse_args(argv)
    if args.name == "design":
        from mojing.train.ship_design import ship_design

        path = ship_design(args.run, args.out)
        for about in (path.with_suffix(".json"), path.with_name("design-mapping.json")):
            about.with_suffix(".md").write_text(model_card(json.loads(about.read_text())))
        return 0
    ship(args.name, args.run, args.out, others=args.mean_with)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
