"""Model descriptions, the verified store and sessions, on a network of one addition."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mojing.core.errors import ModelError
from mojing.runtime import ModelSpec, ModelStore, Session, TensorSpec

onnx = pytest.importorskip("onnx", reason="makes the tiny network")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one model, `plus`: out = image + 1."""
    helper = onnx.helper
    shape, float32 = ["N", 3, 4, 4], onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Add", ["image", "one"], ["out"])],
        "plus",
        [helper.make_tensor_value_info("image", float32, shape)],
        [helper.make_tensor_value_info("out", float32, shape)],
        [helper.make_tensor("one", float32, [1], [1.0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data = model.SerializeToString()
    (tmp_path / "plus.onnx").write_bytes(data)
    describe(tmp_path, sha256=hashlib.sha256(data).hexdigest())
    return tmp_path


def describe(folder: Path, **changes: Any) -> None:
    """Write plus.json, with changes."""
    tensor = {"dtype": "float32", "shape": ["N", 3, 4, 4]}
    card = {
        "name": "plus",
        "sha256": "0" * 64,
        "inputs": [{"name": "image", **tensor, "range": [0, 1]}],
        "outputs": [{"name": "out", **tensor}],
        "labels": ["a", "b"],
        "datasets": ["made here"],
        "licence": "Apache-2.0",
        "parameters": 1,
    }
    (folder / "plus.json").write_text(json.dumps(card | changes))


def code_of(error: pytest.ExceptionInfo[ModelError]) -> str:
    return error.value.code


def test_description_is_read(folder: Path) -> None:
    spec = ModelStore(folder).spec("plus")
    assert spec.inputs == (TensorSpec("image", "float32", ("N", 3, 4, 4), (0.0, 1.0)),)
    assert spec.labels == ("a", "b")
    assert spec.extra == {"parameters": 1}
    assert spec.id == f"plus@{spec.sha256[:8]}"
    assert ModelStore(folder).list() == (spec,)
    assert ModelStore(folder).has("plus")
    assert not ModelStore(folder).has("minus")


def test_session_runs_any_batch_and_counts_its_time(folder: Path) -> None:
    session = Session(ModelStore(folder).spec("plus"), threads=1)
    for n in (1, 3):
        image = np.zeros((n, 4, 4, 3), np.float32).transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(session.run({"image": image})["out"], 1)
    assert session.elapsed_ms > 0


@pytest.mark.parametrize(
    "feeds",
    [
        {},
        {"picture": np.zeros((1, 3, 4, 4), np.float32)},
        {"image": np.zeros((1, 3, 4, 4), np.float64)},
        {"image": np.zeros((1, 3, 4, 5), np.float32)},
        {"image": np.zeros((3, 4, 4), np.float32)},
    ],
    ids=["nothing", "name", "dtype", "size", "rank"],
)
def test_wrong_feeds(folder: Path, feeds: dict[str, Any]) -> None:
    session = Session(ModelStore(folder).spec("plus"))
    with pytest.raises(ModelError, match="plus takes image") as error:
        session.run(feeds)
    assert code_of(error) == "model_mismatch"


def test_altered_model_does_not_run(folder: Path) -> None:
    with (folder / "plus.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError) as error:
        Session(ModelStore(folder).spec("plus"))
    assert code_of(error) == "model_corrupt"
    (check,) = ModelStore(folder).verify()
    assert check.problem.startswith("model_corrupt")


def test_garbage_with_the_right_hash_does_not_run(folder: Path) -> None:
    (folder / "plus.onnx").write_bytes(b"garbage")
    describe(folder, sha256=hashlib.sha256(b"garbage").hexdigest())
    with pytest.raises(ModelError) as error:
        Session(ModelStore(folder).spec("plus"))
    assert code_of(error) == "model_corrupt"


def test_output_that_the_model_lacks(folder: Path) -> None:
    sha = ModelStore(folder).spec("plus").sha256
    describe(folder, sha256=sha, outputs=[{"name": "other", "shape": ["N"]}])
    with pytest.raises(ModelError) as error:
        Session(ModelStore(folder).spec("plus"))
    assert code_of(error) == "model_mismatch"


def test_verify_tells_all(folder: Path) -> None:
    assert [check.problem for check in ModelStore(folder).verify()] == [""]
    (folder / "stray.onnx").write_bytes(b"?")
    (folder / "broken.json").write_text("{")
    (folder / "lost.json").write_text((folder / "plus.json").read_text())
    problems = {check.name: check.problem.partition(":")[0] for check in ModelStore(folder).verify()}
    assert problems == {"plus": "", "stray": "model_corrupt", "broken": "model_corrupt", "lost": "model_missing"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "plus"}', '{"name": "x", "sha256": "", "inputs": 3}'])
def test_broken_descriptions(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ModelError) as error:
        ModelSpec.read(tmp_path / "x.json")
    assert code_of(error) == "model_corrupt"


def test_missing_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        ModelStore(tmp_path).spec("body")
    assert code_of(error) == "model_missing"
    assert ModelStore(tmp_path).list() == ()


def test_the_environment_names_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOJING_MODELS", str(folder))
    assert ModelStore().folder == folder
    monkeypatch.delenv("MOJING_MODELS")
    assert ModelStore().folder.name == "models"


def test_shipped_models_are_the_ones_described_and_small() -> None:
    checks = ModelStore().verify()
    assert [check for check in checks if check.problem] == []
    tryon = {"body", "garment", "render"}
    assert sum(check.megabytes for check in checks if check.name in tryon) <= 40
    assert sum(check.megabytes for check in checks) <= 48
    for spec in ModelStore().list():
        assert spec.licence, spec.name
        assert spec.datasets, spec.name
        assert (ModelStore().folder / f"{spec.name}.md").is_file(), f"{spec.name} has no model card"
