"""ONNX files read in a process of their own come back as they are, and whole; or as a sentence."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from studio import apart
from studio.engine import onnx_apart
from studio.engine.onnx_apart import open_onnx
from studio.engine.onnx_bounds import refuse_large
from studio.engine.onnx_reader import _packed, _parsed, _unpacked, imported, normalized, read_onnx
from studio.layers.onnx_model import OnnxModel, frozen_problem
from studio.layers.shapes import shapes_of
from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from tests.reliability.onnx_mutants import INT, SEEDS, N, dense, file, numbers, shapes


def text_of(model: onnx.ModelProto) -> str:
    return normalized(_parsed(model.SerializeToString()))[0]


def test_what_comes_back_is_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(dense(), path)
    text, weights = open_onnx(path)
    expected, arrays = read_onnx(path)
    assert text == expected
    assert list(weights) == list(arrays)
    for name, array in weights.items():
        np.testing.assert_array_equal(array, arrays[name])
    weights["W"][0, 0] = 1  # its own, to be trained


def test_weights_in_another_file_come_back_too(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    large = file([N("MatMul", ["x", "W"], ["y"])], {"W": numbers(3, 2**20)})
    onnx.save(large, path, save_as_external_data=True, location="net.bin", size_threshold=0)
    _, weights = open_onnx(path)
    np.testing.assert_array_equal(weights["W"], numbers(3, 2**20))


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ProblemError) as caught:
        open_onnx(tmp_path / "bad.onnx")
    assert str(caught.value) == (
        "“bad.onnx” cannot be opened: The ONNX file cannot be read:"
        " it ends too early, or is no ONNX file"
    )


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"none\.onnx.*No such file"):
        open_onnx(tmp_path / "none.onnx")


def test_reading_can_be_let_go(tmp_path: Path) -> None:
    onnx.save(dense(), tmp_path / "net.onnx")

    def listen(*told: object) -> None:
        raise Cancelled

    with watched(listen), pytest.raises(Cancelled):
        open_onnx(tmp_path / "net.onnx")


TEXT, WEIGHTS = normalized(dense())
SHAPES = [[name, list(array.shape)] for name, array in WEIGHTS.items()]
BYTES = bytearray(sum(a.nbytes for a in WEIGHTS.values()))
STRANGE: dict[str, tuple[Any, bytearray]] = {
    "nothing": (None, BYTES),
    "no text": ([3, SHAPES], BYTES),
    "another text": (["AAAA", SHAPES], BYTES),
    "fewer arrays": ([TEXT, SHAPES[1:]], BYTES),
    "no shapes": ([TEXT, 5], BYTES),
    "strange shapes": ([TEXT, [["W", "x"]]], BYTES),
    "larger shapes": ([TEXT, [[n, [2**40, *s]] for n, s in SHAPES]], BYTES),
    "fewer bytes": ([TEXT, SHAPES], BYTES[:-1]),
    "more bytes": ([TEXT, SHAPES], BYTES + b"x"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_an_answer_that_is_not_what_a_file_comes_to_is_refused(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx.save(dense(), tmp_path / "net.onnx")
    monkeypatch.setattr(apart, "ask", lambda *about: STRANGE[what])
    with pytest.raises(ProblemError) as caught:
        open_onnx(tmp_path / "net.onnx")
    assert caught.value.problems[0].code == "file_unreadable"


def test_an_honest_answer_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    text, arrays = onnx_apart._checked([TEXT, SHAPES], BYTES)
    assert text == TEXT
    assert {n: a.shape for n, a in arrays.items()} == {n: a.shape for n, a in WEIGHTS.items()}


# -- texts, as they lie in a project, which nobody has checked -------------------------------------


def changed(
    make: Callable[[], onnx.ModelProto], change: Callable[[onnx.ModelProto], object]
) -> str:
    """A text in which something is not as the reader writes it."""
    model = onnx.ModelProto.FromString(_unpacked(base64.b64decode(text_of(make()))))
    change(model)
    return _packed(model.SerializeToString())


def _index(model: onnx.ModelProto) -> None:
    (zero,) = (t for t in model.graph.initializer if t.name == "zero")
    zero.raw_data = np.array([2**62]).tobytes()


def _long(model: onnx.ModelProto) -> None:
    (zero,) = (t for t in model.graph.initializer if t.name == "zero")
    zero.dims[:] = [2**40, 0]
    zero.raw_data = b""


def test_an_index_of_2_to_62_does_not_go_round_for_ever() -> None:
    layer = OnnxModel(changed(shapes, _index))
    file = layer.file()
    assert file is not None
    assert frozen_problem(layer.model) is None
    (problem, *_) = shapes_of(layer, tuple(file.inputs.values())).problems
    assert "index" in str(problem)


def test_an_array_of_nothing_that_is_endlessly_long_is_refused() -> None:
    layer = OnnxModel(changed(shapes, _long))
    file = layer.file()
    assert file is not None
    assert shapes_of(layer, tuple(file.inputs.values())).problems


DAMAGES: dict[str, Callable[[onnx.ModelProto], object]] = {
    "a value that nobody makes": lambda m: m.graph.node[1].input.__setitem__(0, "gone"),
    "a value made twice": lambda m: m.graph.node[1].output.__setitem__(
        0, m.graph.node[0].output[0]
    ),
    "a result without a name": lambda m: setattr(m.graph.output[0], "name", ""),
    "an operator of nobody": lambda m: setattr(m.graph.node[0], "op_type", "Magic"),
    "no list of weights": lambda m: m.ClearField("metadata_props"),
    "an array elsewhere": lambda m: setattr(
        m.graph.initializer.add(name="a", data_type=INT, dims=[1]), "data_location", 1
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_text_is_a_problem_of_the_layer(what: str) -> None:
    layer = OnnxModel(changed(dense, DAMAGES[what]))
    (problem,) = layer.problems()
    assert problem.code in ("onnx_unreadable", "onnx_operator")
    assert layer.file() is None


@pytest.mark.parametrize("make", SEEDS)
def test_what_is_whole_is_followed(make: Callable[[], onnx.ModelProto]) -> None:
    refuse_large(make().SerializeToString())
    file = imported(text_of(make()))
    assert not shapes_of(OnnxModel(text_of(make())), tuple(file.inputs.values())).problems


def test_a_failure_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    file = imported(text_of(dense()))
    calls = []

    def broken(*about: object) -> None:
        calls.append(about)
        raise KeyError("a kernel's own")

    monkeypatch.setattr("studio.engine.imported.unfolded", broken)
    for _ in range(2):
        with pytest.raises(ValueError, match="KeyError"):
            file.straight({})
    assert len(calls) == 1
