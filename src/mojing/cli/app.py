"""The command line: every command is declared here in a few lines and imports its work only when it runs.

Exit codes: 0 done, 3 the input was refused (one line: code, reason, what to do), 2 wrong usage or a missing extra,
1 something that should never happen.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from mojing import __version__
from mojing.cli.care import data
from mojing.cli.choices import Category
from mojing.cli.design import design
from mojing.cli.makeup import makeup
from mojing.core.errors import InputError, MissingExtraError, MojingError

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def _group(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


app = typer.Typer(
    help="mojing: a photo of a person and a photo of a garment become one photo.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
inspect = _group("Show what is seen in a photo.")
measure = _group("Measure the networks, the whole try-on, or generated pictures.")
bench = _group("Measure time and memory.")
train = _group("Train a network (needs the extra 'train'); options are the recipe's own.")
models = _group("The shipped models.")
app.add_typer(inspect, name="inspect")
app.add_typer(measure, name="eval")
app.add_typer(bench, name="bench")
app.add_typer(train, name="train")
app.add_typer(models, name="models")
app.add_typer(data, name="data")
app.add_typer(design, name="design")
app.add_typer(makeup, name="makeup")

Person = Annotated[
    int | None, typer.Option("--person", min=1, help="Which person, counted from the left; the largest if not given.")
]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads for the networks.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"mojing {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("tryon")
def tryon_command(
    person: Annotated[Path, typer.Argument(help="Photo of a person.")],
    garment: Annotated[Path, typer.Argument(help="Photo of a garment.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where to write the picture.")] = Path("result.png"),
    category: Annotated[Category, typer.Option(help="Kind of garment.")] = Category.auto,
    report: Annotated[Path | None, typer.Option(help="Write a JSON report here.")] = None,
    debug: Annotated[Path | None, typer.Option(help="Write every intermediate picture here.")] = None,
    anchors: Annotated[Path | None, typer.Option(help="Garment anchors to use instead of those found.")] = None,
    which: Person = None,
    gan: Annotated[bool, typer.Option("--gan/--no-gan", help="Refine with the generator.")] = True,
    threads: Threads = 2,
    quiet: Quiet = False,
) -> None:
    """Dress the person of one photo in the garment of another."""
    from mojing.cli.dress import Order, dress

    order = Order(person, garment, out, category.value, report, debug, anchors, which, gan, threads, quiet)
    dress(order)


@app.command("examples")
def examples_command(
    folder: Annotated[Path, typer.Argument(help="Folder with people/ and garments/.")] = Path("examples"),
    out: Annotated[Path, typer.Option("-o", "--out", help="Where to write the sheet.")] = Path("out/contact-sheet.jpg"),
    gan: Annotated[bool, typer.Option("--gan/--no-gan", help="Refine with the generator.")] = True,
    threads: Threads = 2,
) -> None:
    """Dress everyone of a folder in every garment of it, on one contact sheet."""
    from mojing.cli.examples import contact_sheet

    contact_sheet(folder, out, gan=gan, threads=threads)


@inspect.command("person")
def inspect_person(
    photo: Annotated[Path, typer.Argument(help="Photo of a person.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")],
    which: Person = None,
) -> None:
    """Write joints.json, parse.png, alpha.png and overlay.png."""
    from mojing.cli.inspect import person

    person(photo, out, which=which)


@inspect.command("garment")
def inspect_garment(
    photo: Annotated[Path, typer.Argument(help="Photo of a garment.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")],
    category: Annotated[Category, typer.Option(help="Kind of garment.")] = Category.auto,
) -> None:
    """Write cutout.png, anchors.json, attributes.json and overlay.png."""
    from mojing.cli.inspect import garment

    garment(photo, out, category=category.value)


@inspect.command("face")
def inspect_face(
    photo: Annotated[Path, typer.Argument(help="Photo of a face.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")],
    which: Annotated[
        int | None, typer.Option("--face", min=1, help="Which face, counted from the left; the largest if not given.")
    ] = None,
) -> None:
    """Write mesh.json, regions.png, regions.json, skin.json and overlay.png."""
    from mojing.cli.inspect import face

    face(photo, out, which=which)


Data = Annotated[Path, typer.Option("--data", help="Folder of the data sets.")]
JsonOut = Annotated[Path | None, typer.Option("--json", help="Write the figures here.")]
Teacher = Annotated[Path | None, typer.Option(help="Folder of the teacher's labels (mojing label).")]
Limit = Annotated[int | None, typer.Option(min=1, help="Use only this many photos.")]
Baselines = Annotated[list[Path] | None, typer.Option(help="Folder of a network to put beside ours; repeatable.")]
Everything = Annotated[bool, typer.Option("--all", help="Use all photos, not only those held out.")]


def _evaluate(
    task: str, data: Path, json_out: Path | None, teacher: Path | None, limit: int | None, everything: bool
) -> None:
    from mojing.cli.measure import evaluate

    evaluate(task, data, json_out=json_out, teacher=teacher, limit=limit, everything=everything)


@measure.command("body")
def eval_body(
    data: Data, json_out: JsonOut = None, teacher: Teacher = None, limit: Limit = None, everything: Everything = False
) -> None:
    """Measure the body network on labelled photos."""
    _evaluate("body", data, json_out, teacher, limit, everything)


@measure.command("face")
def eval_face(
    data: Data, json_out: JsonOut = None, teacher: Teacher = None, limit: Limit = None, everything: Everything = False
) -> None:
    """Measure the face networks: mesh, parts, finder, confidence, jitter."""
    _evaluate("face", data, json_out, teacher, limit, everything)


@measure.command("garment")
def eval_garment(
    data: Data, json_out: JsonOut = None, teacher: Teacher = None, limit: Limit = None, everything: Everything = False
) -> None:
    """Measure the garment network on labelled photos."""
    _evaluate("garment", data, json_out, teacher, limit, everything)


@measure.command("tryon")
def eval_tryon(
    data: Data,
    json_out: JsonOut = None,
    teacher: Teacher = None,
    limit: Limit = None,
    everything: Everything = False,
    baseline: Baselines = None,
) -> None:
    """Measure the whole try-on on labelled photos."""
    from mojing.cli.measure import evaluate

    evaluate(
        "tryon", data, json_out=json_out, teacher=teacher, limit=limit, everything=everything, baselines=baseline or []
    )


@measure.command("makeup")
def eval_makeup(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the data sets; without it, synthetic faces only.")
    ] = None,
    json_out: JsonOut = None,
    teacher: Teacher = None,
    limit: Limit = None,
    everything: Everything = False,
    markdown: Annotated[Path | None, typer.Option(help="Put the tables into this file (docs/fairness.md).")] = None,
) -> None:
    """Measure make-up for every group of skin tones and every light: faces found, mesh, regions, colour, transfer."""
    from mojing.cli.measure import evaluate_makeup

    evaluate_makeup(data, json_out=json_out, teacher=teacher, limit=limit, everything=everything, markdown=markdown)


@measure.command("transfer")
def eval_transfer(
    data: Data,
    json_out: JsonOut = None,
    teacher: Teacher = None,
    limit: Limit = None,
    baseline: Baselines = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a sheet of the first pairs here.")] = None,
) -> None:
    """Measure transfer and removal of make-up on held-out faces, beside histogram matching and a baseline network."""
    from mojing.cli.measure import evaluate_transfer

    evaluate_transfer(data, json_out=json_out, teacher=teacher, limit=limit, baselines=baseline or [], sheet=sheet)


@measure.command("match")
def eval_match(
    data: Data, json_out: JsonOut = None, teacher: Teacher = None, limit: Limit = None, everything: Everything = False
) -> None:
    """Measure how well the light on a face is undone, what light is refused, and how steady the shade match is."""
    from mojing.cli.measure import evaluate_match

    evaluate_match(data, json_out=json_out, teacher=teacher, limit=limit, everything=everything)


@measure.command("gan")
def eval_gan(
    target: Annotated[
        Path, typer.Argument(help="A run, a generator's ONNX file, or pictures: a folder or an npz file.")
    ],
    data: Annotated[Path, typer.Option("--data", help="The real pictures: a folder, npz or IDX file.")],
    extractor: Annotated[
        str, typer.Option(help="Features of ours, pixels, inception, or of a network NAME.onnx.")
    ] = "ours",
    json_out: JsonOut = None,
    count: Annotated[int, typer.Option("--n", min=8, help="Pictures to draw or to use, at most.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the latents.")] = 0,
    against: Annotated[
        list[Path] | None, typer.Option(help="A run or the like to compare with; may be repeated.")
    ] = None,
    threads: Threads = 2,
) -> None:
    """Measure generated pictures: FID, KID, precision, recall, density, coverage, diversity, nearest neighbours."""
    from mojing.cli.judge import Judging, judge

    judge(Judging(target, data, extractor, json_out, count, seed, threads, tuple(against or ())))


@bench.command("tryon")
def bench_tryon(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    repeats: Annotated[int, typer.Option(min=1, help="How often each is timed.")] = 15,
    threads: Threads = 2,
) -> None:
    """Time try-ons at 1024x768: photos new, and photos seen before."""
    from mojing.cli.measure import bench

    bench(as_json=as_json, repeats=repeats, threads=threads)


@bench.command("makeup")
def bench_makeup(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    frames: Annotated[int, typer.Option(min=1, help="How many frames of video are timed.")] = 150,
    photos: Annotated[int, typer.Option(min=1, help="How often the photo is timed.")] = 5,
    threads: Threads = 2,
) -> None:
    """Time make-up on a moving face at 640x480 and on a photo of 12 megapixels."""
    from mojing.cli.measure import bench_mirror

    bench_mirror(as_json=as_json, frames=frames, photos=photos, threads=threads)


@bench.command("gan")
def bench_gan(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    size: Annotated[int, typer.Option(help="Side of the pictures in px.")] = 64,
    width: Annotated[int, typer.Option(min=0, help="Width of the networks; 0 for their own choice.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="How often both loops take turns.")] = 12,
    threads: Threads = 2,
) -> None:
    """Time the GAN training loop against a plain loop of the same networks."""
    from mojing.cli.lab import bench_gan

    bench_gan(as_json=as_json, size=size, width=width, rounds=rounds, threads=threads)


@bench.command("design")
def bench_design(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    n: Annotated[int, typer.Option("--n", min=1, help="Designs that are timed together.")] = 64,
    repeats: Annotated[int, typer.Option(min=1, help="How often they are timed.")] = 5,
    threads: Threads = 2,
) -> None:
    """Time the design generator: designs a second, alone and with novelty."""
    from mojing.cli.measure import bench_studio

    bench_studio(as_json=as_json, n=n, repeats=repeats, threads=threads)


@bench.command("doctor")
def bench_doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="The seeds that the doctor's limits were set on.")
    ] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep the runs' logs in this folder.")] = None,
) -> None:
    """Make quick GAN runs ill on purpose and count what the doctor says of them."""
    from mojing.cli.clinic import bench_doctor

    bench_doctor(as_json=as_json, calibration=calibration, keep=keep)


@bench.command("modes")
def bench_modes(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="npz file of Fashion-MNIST; without it, points only.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of data and training.")] = 0,
) -> None:
    """Count the modes that every recipe covers in equal CPU time."""
    from mojing.cli.clinic import bench_modes

    bench_modes(as_json=as_json, data=data, seed=seed)


def _train(name: str, context: typer.Context) -> None:
    from mojing.cli.recipes import run_recipe

    run_recipe(name, list(context.args))


@train.command("body", context_settings=PASS_ON, add_help_option=False)
def train_body(context: typer.Context) -> None:
    """Train the body network (--help shows the recipe's options)."""
    _train("body", context)


@train.command("garment", context_settings=PASS_ON, add_help_option=False)
def train_garment(context: typer.Context) -> None:
    """Train the garment network (--help shows the recipe's options)."""
    _train("garment", context)


@train.command("features", context_settings=PASS_ON, add_help_option=False)
def train_features(context: typer.Context) -> None:
    """Train the fashion feature network (--help shows the recipe's options)."""
    _train("features", context)


@train.command("design", context_settings=PASS_ON, add_help_option=False)
def train_design(context: typer.Context) -> None:
    """Train the generator of `mojing design` on photos of garments (--help shows the recipe's options)."""
    _train("design", context)


@train.command("face", context_settings=PASS_ON, add_help_option=False)
def train_face(context: typer.Context) -> None:
    """Train the face network: mesh, confidence, parts (--help shows the recipe's options)."""
    _train("face", context)


@train.command("facedetail", context_settings=PASS_ON, add_help_option=False)
def train_facedetail(context: typer.Context) -> None:
    """Train the closer look at eyes and lips."""
    _train("facedetail", context)


@train.command("facefinder", context_settings=PASS_ON, add_help_option=False)
def train_facefinder(context: typer.Context) -> None:
    """Train the face finder (--help shows the recipe's options)."""
    _train("facefinder", context)


@train.command("makeup", context_settings=PASS_ON, add_help_option=False)
def train_makeup(context: typer.Context) -> None:
    """Train the network that reads looks off faces, or the baseline beside it (--net repaint)."""
    _train("makeup", context)


@train.command("tryon", context_settings=PASS_ON, add_help_option=False)
def train_tryon(context: typer.Context) -> None:
    """Train the try-on generator (--help shows the recipe's options)."""
    _train("tryon", context)


@train.command("baseline", context_settings=PASS_ON, add_help_option=False)
def train_baseline(context: typer.Context) -> None:
    """Train pix2pix or cyclegan as a baseline of the try-on (--help shows the options)."""
    from mojing.cli.lab import run_baseline

    run_baseline(list(context.args))


@train.command("gan", context_settings=PASS_ON, add_help_option=False)
def train_gan(context: typer.Context) -> None:
    """Train a GAN on your own pictures (--help shows recipes and options)."""
    from mojing.cli.lab import run_gan

    run_gan(list(context.args))


@train.command("doctor")
def train_doctor(
    run: Annotated[Path, typer.Argument(help="Folder of a run, live or finished.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how a GAN run fares: what is wrong, how sure that is, what it rests on, what to change."""
    from mojing.cli.clinic import doctor

    doctor(run, as_json=as_json)


@train.command("export", context_settings=PASS_ON, add_help_option=False)
def train_export(context: typer.Context) -> None:
    """Write NAME.onnx, NAME.json and NAME.md of a finished run (--help shows the options); `gan` or `baseline` too."""
    if context.args and context.args[0] in ("gan", "baseline"):
        from mojing.cli.lab import export_baseline, export_gan

        (export_gan if context.args[0] == "gan" else export_baseline)(list(context.args)[1:])
        return
    _train("export", context)


@app.command("label")
def label_command(
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the labels.")],
    python: Annotated[Path | None, typer.Option(help="Python of an environment with the extra 'teacher'.")] = None,
) -> None:
    """Label photos with the teacher, which lives in an environment of its own."""
    from mojing.cli.recipes import run_teacher

    run_teacher(photos, out, python=python)


ModelFolder = Annotated[
    Path | None, typer.Option("--folder", help="Folder of models; MOJING_MODELS or the shipped ones if not given.")
]


@models.command("list")
def models_list(folder: ModelFolder = None) -> None:
    """List the models with their size, licence and data sets."""
    from mojing.cli.models import list_models

    list_models(folder)


@models.command("verify")
def models_verify(folder: ModelFolder = None) -> None:
    """Compare every model file with the hash in its description."""
    from mojing.cli.models import verify_models

    verify_models(folder)


def exit_code(error: MojingError) -> int:
    """3 for a refused input, 2 for a missing extra, 1 for a broken installation."""
    if isinstance(error, InputError):
        return 3
    return 2 if isinstance(error, MissingExtraError) else 1


def main() -> None:
    """Run the command line and turn mojing's errors into one line and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name need not be text, nor fit the terminal
    try:
        app()
    except MojingError as error:
        line = f"{error.code}: {error}" + (f"; {error.hint}" if error.hint else "")
        typer.echo(" ".join(line.split()), err=True)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
