"""Whether make-up is as good for everybody: tables of all groups, and a quick check that needs no data.

The quick check judges what is shipped on synthetic faces of ten tones and on one portrait whose skin is re-toned, so it
runs wherever the tests run. The full figures come from `mojing eval makeup` on portraits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mojing.core import files
from mojing.core.arrays import U8
from mojing.core.errors import InputError
from mojing.eval.groups import LEAST, Verdict, interval, markdown
from mojing.eval.makeup import MEASURES, Finder, Samples, look_at, mesh_error, verdicts
from mojing.eval.makeupcolour import POSES, Trial, attempt, layers
from mojing.eval.portraits import Portrait
from mojing.eval.syntheticface import LIGHTS, photograph
from mojing.makeup.tones import retone
from mojing.perception.faceview import FaceView

START, END = "<!-- tables: mojing eval makeup --markdown -->", "<!-- end of tables -->"
TITLES = {
    "found": "Faces found",
    "mesh": "Mesh",
    "lips_and_eyes": "Mesh of lips and eyes",
    "regions": "Regions",
    "colour_known_light": "Colour, in known light",
    "colour": "Colour, in light that has to be found",
    "transfer": "Transfer",
}
BANDS = (("Monk 1-3", 3), ("Monk 4-6", 6), ("Monk 7-10", 10))
"""Groups of tones in the quick check of the mesh, and the last tone of each: wide ones, so that few faces suffice."""
SMALL = 40.0
"""Distance of the eyes in px on the faces of the quick check."""


def tables(samples: Samples) -> list[str]:
    """Markdown of all measures by all keys of groups, with verdicts."""
    lines: list[str] = []
    judged = verdicts(samples.by_measure)
    for name, title in TITLES.items():
        own = samples.by_measure.get(name)
        if not own:
            continue
        mean, low, high = interval(own)
        measure = MEASURES[name]
        faces = len({s.who for s in own})
        lines += [f"### {title}", ""]
        lines += [
            f"All: {mean:.2f} {measure.unit} ({low:.2f} to {high:.2f}; {faces} faces, {len(own)} measurements).",
            "",
        ]
        for verdict in judged[name].values():
            lines += markdown(verdict)
    if samples.refused:
        said = ", ".join(f"{code} {n}" for code, n in sorted(samples.refused.items()))
        lines += [f"Pictures in which no face or a wrong place was found: {said}.", ""]
    return lines


def write(path: Path, lines: Sequence[str]) -> None:
    """Put tables between the markers of a Markdown file.

    Raises:
        InputError: not_found, bad_data, unwritable.
    """
    if not path.is_file():
        raise InputError("not_found", f"there is no file {path}", hint="give docs/fairness.md")
    text = path.read_text(encoding="utf-8")
    if START not in text or END not in text.split(START)[1]:
        raise InputError("bad_data", f"{path} has no markers for the tables", hint=f"it needs {START} and {END}")
    before, rest = text.split(START, 1)
    files.write(path, (before + START + "\n\n" + "\n".join(lines) + END + rest.split(END, 1)[1]).encode())


def quick_colours(scenes: int = LEAST) -> Iterator[Trial]:
    """Lips, cheeks and foundation on `scenes` small faces of each of five pairs of tones, lights and poses in turn."""
    for pair in range(5):
        for k in range(scenes):
            tone = 2 * pair + 1 + k % 2
            light = LIGHTS[k % len(LIGHTS)]
            pose = replace(POSES[k % len(POSES)], iris_px=SMALL)
            scene = photograph(tone, light, pose=pose, seed=k % 4)
            for area, layer in layers(tone, k).items():
                yield from attempt(scene, layer, area=area, tone=tone, who=f"{tone}-{k}", told=(True, False))


def quick_meshes(finder: Finder, *, scenes: int = LEAST) -> Samples:
    """Where the network sees the same synthetic faces, whose mesh is known."""
    samples = Samples()
    for tone in range(1, 11):
        for k in range(scenes // 2):
            pose = replace(POSES[k % len(POSES)], iris_px=SMALL)
            scene = photograph(tone, LIGHTS[(tone + k) % len(LIGHTS)], pose=pose, seed=k % 4)
            groups = {"tone": next(name for name, most in BANDS if tone <= most)}
            look_at(Portrait(f"{tone}-{k}", scene.rgb, scene.mesh, groups=groups), finder, into=samples)
    return samples


def retoned_drift(rgb: U8, face: FaceView, *, finder: Finder, melanin: Sequence[float]) -> dict[float, float]:
    """Mesh error in % of the eyes' distance against the untouched photo's mesh, by melanin; infinite if not found."""
    out = {}
    for level in melanin:
        try:
            seen = finder(retone(rgb, face, melanin=level))
        except InputError:
            out[level] = float("inf")
            continue
        out[level] = mesh_error(seen.mesh, face.mesh)
    return out


def unfair(found: Sequence[Verdict]) -> list[str]:
    """What breaks the gaps allowed, in words."""
    return [
        f"{v.measure.name} by {v.key}: "
        + ", ".join(f"{g.name} {g.mean:.2f}" for g in (v.behind or v.judged[-1:]))
        + f"; best {max(v.judged or v.groups, key=lambda g: sign * g.mean).name}; "
        + f"allowed {v.measure.gap:.2f} {v.measure.unit}"
        for v in found
        for sign in (1.0 if v.measure.more_is_better else -1.0,)
        if v.fair is False
    ]
