"""The rules of the code that no linter knows: sizes, public signatures, what an import may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mojing
from mojing.core.errors import CODES

SOURCE = Path(mojing.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
IDS = [str(path.relative_to(SOURCE)) for path in FILES]
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_POSITIONAL = 500, 60, 4


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_sizes_and_docstrings(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= MAX_FILE_LINES
    long = [f"{f.name}:{f.lineno}" for f in functions(tree) if (f.end_lineno or 0) - f.lineno >= MAX_FUNCTION_LINES]
    assert not long, "functions of more than 60 lines"
    assert path.name == "__init__.py" or ast.get_docstring(tree), "a module says what it is for"
    assert path.name != "utils.py"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_public_functions_take_few_positional_arguments(path: Path) -> None:
    if path.relative_to(SOURCE).as_posix() == "cli/app.py":
        return  # typer makes options of the arguments, none is passed by position
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bad = []
    for f in functions(tree):
        names = [a.arg for a in f.args.posonlyargs + f.args.args if a.arg not in ("self", "cls")]
        if not f.name.startswith("_") and len(names) > MAX_POSITIONAL:
            bad.append(f"{f.name}:{f.lineno}")
    assert not bad


def loaded_after(code: str) -> set[str]:
    """Top-level modules loaded by a fresh interpreter that runs `code`."""
    script = f"{code}\nimport sys; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_mojing_is_light() -> None:
    loaded = loaded_after("import mojing")
    assert not loaded & {"torch", "onnxruntime", "cv2", "PIL", "numpy", "rich"}


def test_help_is_light() -> None:
    code = "import sys; sys.argv = ['mojing', '--help']\nfrom mojing.cli.app import app\napp(standalone_mode=False)"
    assert not loaded_after(code) & {"torch", "onnxruntime", "cv2", "PIL", "numpy", "rich"}


def test_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mojing.nothing
    assert "TryOn" in dir(mojing)


def test_only_documented_error_codes_are_raised() -> None:
    kinds = {"InputError", "ModelError", "QualityError", "TrainingError"}
    bad = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant) and code.value not in CODES:
                    bad.append(f"{path.name}:{node.lineno} {code.value!r}")
    assert not bad
