"""The GAN tutorial stays true: quoted lines stand in the source, names exist, commands parse, both languages agree."""

from __future__ import annotations

import importlib
import inspect
import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

from mojing.cli.app import app
from mojing.train.adversarial import train
from mojing.train.recipes.gan import parse, recipe

ROOT = Path(__file__).parents[1]
DOCS = {name: ROOT / "docs" / name for name in ("tutorial-gan.md", "tutorial-gan.zh.md")}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in DOCS.items()}
QUOTE = re.compile(r"```python\n# (?P<file>\S+): (?P<name>\S+)\n(?P<lines>.*?)\n```", re.DOTALL)
NAME = re.compile(
    r"`(?P<module>(?:eval\.)?(?:losses|regularisers|diffaugment|games|players|loop|metrics|generative))\.(?P<name>[\w.]+)`"
)
PLACES = {"generative": "mojing.eval.generative", "eval.metrics": "mojing.eval.metrics"}

both = pytest.mark.parametrize("name", list(TEXTS))


def found(module: str, name: str) -> Any:
    """The object of a dotted name."""
    thing: Any = importlib.import_module(module)
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


def commands(text: str) -> list[list[str]]:
    """The words of every indented command line."""
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith("    ")]


@both
def test_every_quoted_line_stands_in_the_function_it_is_said_to_be_of(name: str) -> None:
    quotes = list(QUOTE.finditer(TEXTS[name]))
    assert len(quotes) == TEXTS[name].count("```python") >= 20
    for quote in quotes:
        module = "mojing." + quote["file"].removesuffix(".py").replace("/", ".")
        source = inspect.getsource(found(module, quote["name"]))
        for line in quote["lines"].splitlines():
            assert line.strip() in source, f"{quote['file']}: {quote['name']} has no line {line}"


@both
def test_functions_named_in_the_text_exist(name: str) -> None:
    named = {(m["module"], m["name"]) for m in NAME.finditer(TEXTS[name])}
    assert len(named) >= 15
    for module, attribute in named:
        found(PLACES.get(module, f"mojing.train.{module}"), attribute)


@both
def test_commands_parse(name: str) -> None:
    seen = []
    for words in commands(TEXTS[name]):
        if words[:3] == ["mojing", "train", "gan"]:
            options = parse(words[3:])
            assert options.out.parts[0] == "runs"
            seen.append(options.recipe)
        elif words[0] == "mojing":
            command: Any = typer.main.get_command(app)
            rest = words[1:]
            while hasattr(command, "commands"):
                command, rest = command.commands[rest[0]], rest[1:]
            command.make_context(words[-1], rest)
        elif words[:2] == ["python", "-c"]:
            compile(words[2], "tutorial", "exec")
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file()
        else:
            assert words[0] in ("pip", "tensorboard")
    assert {"dcgan", "cgan", "wgan-gp"} <= set(seen)


@both
def test_options_named_in_the_text_exist(name: str) -> None:
    known = {f"--{field.replace('_', '-')}" for field in vars(recipe("modern"))}
    given = set(re.findall(r"`(--[a-z0-9-]+)", TEXTS[name]))
    off = {flag.replace("--", "--no-", 1) for flag in known}
    assert given - {"--help"} <= known | off


@both
def test_mathematics_is_written_as_github_reads_it(name: str) -> None:
    """An inline formula begins after a space, and nothing in it is an escape or emphasis of Markdown."""
    text = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    for line in text.splitlines():
        if line.startswith("$$"):
            assert line.endswith("$$")
            formulas = [line.strip("$")]
        elif line.startswith("    "):
            continue
        else:
            pieces = line.split("$")
            assert len(pieces) % 2, line
            formulas = pieces[1::2]
            for before, after in zip(pieces[:-1:2], pieces[2::2], strict=True):
                assert before == "" or before[-1] == " ", line
                assert not after[:1].isalnum(), line
        for formula in formulas:
            assert formula == formula.strip() or line.startswith("$$")
            assert not re.search(r"\\[^a-zA-Z]|}_|\*|<|operatorname|\]\(", formula), formula
            assert formula.count("{") == formula.count("}"), formula


@both
def test_figures_and_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXTS[name]):
        assert (ROOT / "docs" / target).is_file(), target


def test_both_languages_have_the_same_formulas_code_commands_and_figures() -> None:
    english, chinese = TEXTS.values()
    for pattern in (r"(?s)```.*?```", r"(?m)^\$\$.*$", r"(?m)^    .*$", r"!\[[^]]*\]\(([^)]*)\)"):
        assert re.findall(pattern, english) == re.findall(pattern, chinese)


def test_figures_are_made_from_runs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", images=rng.integers(0, 256, (24, 28, 28), np.uint8), labels=np.arange(24) % 3)
    np.savez(tmp_path / "p.npz", points=rng.normal(size=(40, 2)))
    tiny: dict[str, Any] = {
        "batch": 4, "width": 8, "latent": 4, "steps": 2, "log_every": 1, "samples_every": 1, "metrics_samples": 0,
        "tensorboard": False, "threads": 1, "accelerator": "cpu",
    }  # fmt: skip
    for name, data, kind in (("pictures", "x.npz", "cgan"), ("points", "p.npz", "dcgan")):
        train(recipe(kind, data=tmp_path / data, out=tmp_path / name, **tiny))
    main = runpy.run_path(str(ROOT / "tools" / "tutorial_figures.py"))["main"]
    out = tmp_path / "figures"
    assert main([str(tmp_path / "pictures"), str(tmp_path / "points"), "--out", str(out)]) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "gan-curves.png", "pictures-progress.png", "pictures-samples.png", "points-samples.png"
    ]  # fmt: skip
    with Image.open(out / "pictures-samples.png") as sheet:
        assert sheet.size == (2 * (8 * 29 + 1), 2 * (3 * 29 + 1))
