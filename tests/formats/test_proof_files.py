"""The proof beside an export: anybody repeats it, with onnxruntime alone."""

import hashlib
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.formats.onnx_export import export
from studio.formats.proof_files import folder_of
from studio.layers import Input, OnnxModel
from studio.models import Model
from studio.problem import ProblemError
from studio.text import set_language
from tests.formats.examples import fill, two_outputs

NAMES = ["inputs.npz", "outputs.npz", "repeat.py", "report.json", "report.txt"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.onnx"
    export(fill(two_outputs()), path, with_proof=True)
    return path


def repeat(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script where nothing of ours can be imported."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-W", "error", str(folder_of(path) / "repeat.py")]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=environment
    )


def test_everybody_can_repeat_it(model: Path, tmp_path: Path) -> None:
    assert sorted(p.name for p in folder_of(model).iterdir()) == NAMES
    ran = repeat(model, tmp_path)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == 6, "two outputs at three batch sizes"
    assert all(line.endswith("equal") for line in lines)
    script = (folder_of(model) / "repeat.py").read_text()
    assert "studio" not in script


def test_the_report_says_what_was_found(model: Path) -> None:
    report = json.loads((folder_of(model) / "report.json").read_text(encoding="utf-8"))
    assert report["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert (report["model"], report["size"]) == ("m.onnx", model.stat().st_size)
    assert report["outputs"].keys() == {"main_output", "aux_output"}
    assert all(o["difference"] <= o["allowed"] for o in report["outputs"].values())
    assert report["versions"].keys() == {"layerloom", "numpy", "onnx", "onnxruntime"}
    told = (folder_of(model) / "report.txt").read_text(encoding="utf-8")
    assert report["sha256"] in told
    assert "main_output" in told
    assert "export." not in told


def test_inputs_and_outputs_are_arrays_by_batch_and_name(model: Path) -> None:
    with np.load(folder_of(model) / "inputs.npz") as inputs:
        assert inputs["32/main_input"].shape == (32, 12)
        assert len(inputs.files) == 6
    with np.load(folder_of(model) / "outputs.npz") as outputs:
        assert outputs["3/main_output"].shape == (3, 1)


def test_a_weight_changed_since_is_found(model: Path, tmp_path: Path) -> None:
    changed = onnx.load(model)
    bias = next(i for i in changed.graph.initializer if "main_output" in i.name)
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + 0.01, bias.name))
    model.write_bytes(changed.SerializeToString())
    ran = repeat(model, tmp_path)
    assert ran.returncode == 1
    assert "another file" in ran.stderr
    path = folder_of(model) / "report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    report["sha256"] = hashlib.sha256(model.read_bytes()).hexdigest()
    path.write_text(json.dumps(report))
    ran = repeat(model, tmp_path)
    assert ran.returncode == 1
    assert "main_output: " in ran.stdout
    assert "DIFFERENT" in ran.stdout


@pytest.mark.parametrize("kind", ["bool", "int64", "double"])
def test_truths_and_integers_are_compared_too(kind: str, tmp_path: Path) -> None:
    path, out = tmp_path / "net.onnx", tmp_path / "m.onnx"
    element = getattr(TensorProto, kind.upper())
    value = partial(helper.make_tensor_value_info, shape=["N", 4])
    nodes = [
        helper.make_node("Mul", ["x", "c"], ["scaled"]),
        helper.make_node("Floor", ["scaled"], ["floor"]),
        helper.make_node("Cast", ["floor"], ["y"], to=element),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", TensorProto.FLOAT)],
        [value("y", element)],
        [numpy_helper.from_array(np.float32(100), "c")],
    )
    version = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=version, ir_version=9), path)
    inputs = Input(shape=(4,))
    export(Model(inputs, OnnxModel(str(path))(inputs)).project, out, with_proof=True)
    ran = repeat(out, tmp_path)
    assert ran.returncode == 0, ran.stderr
    with np.load(folder_of(out) / "outputs.npz") as given:
        (name,) = {place.partition("/")[2] for place in given.files}
        changed = dict(given)
    changed[f"3/{name}"][1, 2] = not changed[f"3/{name}"][1, 2]
    np.savez(folder_of(out) / "outputs.npz", **changed)
    ran = repeat(out, tmp_path)
    assert ran.returncode == 1
    assert ran.stdout.count("DIFFERENT") == 1


def spoil(report: dict[str, Any], how: str) -> None:
    """Make a report promise less than it did."""
    outputs = report["outputs"]
    match how:
        case "no batches":
            report["batch_sizes"] = []
        case "fewer batches":
            report["batch_sizes"] = [3, 3, 32]
        case "no outputs":
            report["outputs"] = {}
        case "fewer outputs":
            del outputs["aux_output"]
        case "another output":
            outputs["third"] = outputs.pop("aux_output")
        case "nothing of an output":
            outputs["aux_output"] = {}
        case _:
            member, value = how.split()
            outputs["aux_output"][member] = float(value)


@pytest.mark.parametrize(
    "how",
    [
        "no batches",
        "fewer batches",
        "no outputs",
        "fewer outputs",
        "another output",
        "nothing of an output",
        "allowed inf",
        "allowed nan",
        "allowed 1e9",
        "allowed 0",
        "difference 0.5",
        "difference nan",
    ],
)
def test_a_report_that_promises_less_is_no_proof(model: Path, tmp_path: Path, how: str) -> None:
    path = folder_of(model) / "report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    spoil(report, how)
    path.write_text(json.dumps(report))
    ran = repeat(model, tmp_path)
    assert ran.returncode == 1
    assert ran.stderr


@pytest.mark.parametrize("file", ["inputs", "outputs"])
def test_arrays_that_are_missing_are_no_proof(model: Path, tmp_path: Path, file: str) -> None:
    place = folder_of(model) / f"{file}.npz"
    with np.load(place) as found:
        arrays = dict(found)
    of_three = next(name for name in arrays if name.startswith("3/"))
    for left in (
        {},
        {name: array for name, array in arrays.items() if name != of_three},
        {name: array[:0] for name, array in arrays.items()},
    ):
        np.savez(place, **left)
        ran = repeat(model, tmp_path)
        assert ran.returncode == 1
        assert "there" in ran.stderr or "DIFFERENT" in ran.stdout


def test_it_is_written_again_over_its_own_files_only(model: Path, tmp_path: Path) -> None:
    before = model.read_bytes()
    export(fill(two_outputs(), seed=1), model, with_proof=True)
    assert model.read_bytes() != before
    assert repeat(model, tmp_path).returncode == 0
    mine = folder_of(tmp_path / "other.onnx")
    mine.mkdir()
    (mine / "repeat.py").write_text("mine")
    with pytest.raises(ProblemError, match=r"other\.proof.*in the way"):
        export(fill(two_outputs()), tmp_path / "other.onnx", with_proof=True)
    assert not (tmp_path / "other.onnx").exists()
    assert (mine / "repeat.py").read_text() == "mine"
    folder_of(tmp_path / "third.onnx").write_text("a file")
    with pytest.raises(ProblemError, match="in the way"):
        export(fill(two_outputs()), tmp_path / "third.onnx", with_proof=True)


def test_without_being_asked_for_there_is_none(tmp_path: Path) -> None:
    export(fill(two_outputs()), tmp_path / "m.onnx")
    assert not folder_of(tmp_path / "m.onnx").exists()


def test_in_chinese_the_report_is_chinese(tmp_path: Path) -> None:
    set_language("zh_CN")
    export(fill(two_outputs()), tmp_path / "模型.onnx", with_proof=True)
    assert "重做验证" in (tmp_path / "模型.proof" / "report.txt").read_text(encoding="utf-8")
    assert repeat(tmp_path / "模型.onnx", tmp_path).returncode == 0
