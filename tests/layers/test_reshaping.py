"""Reshape, Permute, RepeatVector and the normalizing layers' axes: sizes, and what is refused."""

from typing import Any

import numpy as np
import pytest

from studio.document.analysis import analyse
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Spec
from studio.layers import Dense, Dropout, Input, Reshape
from studio.layers.shapes import shapes_of
from studio.layers.values import Range
from studio.models import Model
from tests.document.drawn import Drawing, layer
from tests.engine.cases import f, i32
from tests.layers.building import build


@pytest.mark.parametrize(
    ("given", "target", "found"),
    [
        (f("batch", 6), (2, 3), f("batch", 2, 3)),
        (f("batch", 6), (2, -1), f("batch", 2, 3)),
        (i32("batch", 2, 3), (-1,), i32("batch", 6)),
        (f("batch", "time", 4), (-1, 2, 2), f("batch", "time", 2, 2)),
        (f("batch", "time", 4), (-1, 2), f("batch", "2*time", 2)),
        (f("batch", 1), (), f("batch")),
    ],
)
def test_reshape_knows_the_size_that_is_left(
    given: Spec, target: tuple[int, ...], found: Spec
) -> None:
    made = layer("Reshape", target_shape=target)
    assert shapes_of(made, (given,)).outputs == (found,)
    program = build([made], [given]).program
    sizes = {"batch": 3, "time": 5}
    shape = [sizes[d] if isinstance(d, str) else d for d in given.shape]
    x = np.arange(np.prod(shape)).reshape(shape).astype(given.dtype)
    for engine in (NumpyExecutor, OnnxRuntimeExecutor):
        (y,) = engine(program).run({"x0": x}).values()
        np.testing.assert_array_equal(y, x.reshape(3, *target))


def test_a_multiple_of_an_open_size_trains() -> None:
    x = Input((None, 4))
    model = Model(x, Dense(1)(Dropout(0.5)(Reshape((-1, 2))(x))))
    model.compile("sgd", "mse")
    history = model.fit(np.ones((2, 3, 4)), np.ones((2, 6, 1)), verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("kind", "params", "given", "code", "fix"),
    [
        ("Reshape", {"target_shape": [4]}, f("batch", 6), "reshape_size", [-1]),
        ("Reshape", {"target_shape": [4, -1]}, f("batch", 6), "reshape_size", [-1]),
        ("Reshape", {"target_shape": [4, 4]}, f("batch", "time", 4), "reshape_size", [-1]),
        ("Reshape", {"target_shape": [3, -1]}, f("batch", "time", 4), "reshape_size", [-1]),
        ("Reshape", {"target_shape": [0, 6]}, f("batch", 6), "reshape_target", [-1]),
        ("Reshape", {"target_shape": [-1, -1]}, f("batch", 6), "reshape_target", [-1]),
        ("Permute", {"dims": [1, 3]}, f("batch", 2, 3), "permute_dims", [1, 2]),
        ("Permute", {"dims": [3, 1, 1]}, f("batch", 2, 3), "permute_dims", [2, 1]),
        ("Permute", {"dims": [2, 1]}, f("batch", 2, 3, 4), "permute_rank", [2, 1, 3]),
        ("Permute", {"dims": [2, 3, 1]}, f("batch", 2, 3), "permute_rank", [2, 1]),
        ("LayerNormalization", {"axis": [1, -1]}, f("batch", 3), "axes_wrong", [1]),
        ("LayerNormalization", {"axis": []}, f("batch", 3), "axes_wrong", [-1]),
        ("LayerNormalization", {"axis": [0]}, f("batch", 3), "axis_outside", [-1]),
        ("BatchNormalization", {"axis": 2}, f("batch", 3), "axis_outside", -1),
    ],
)
def test_what_does_not_fit_is_refused_with_a_repair_that_fits(
    kind: str, params: dict[str, Any], given: Spec, code: str, fix: Any
) -> None:
    d = Drawing()
    sizes = [None if isinstance(s, str) else s for s in given.shape[1:]]
    d.output(call := d.add(kind, d.add("Input", shape=sizes), **params))
    (problem,) = (p for p in analyse(d.document).problems if p.severity == "error")
    assert (problem.code, problem.where) == (code, call)
    repaired = problem.fix.edit(d.document)
    assert analyse(repaired).errors == []
    ((name, _),) = params.items()
    expected = tuple(fix) if isinstance(fix, list) else fix
    assert getattr(repaired.entry(call).body, name) == expected
    assert str(problem.fix) == f"Set {name} = {expected}"


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("BatchNormalization", f("batch", 3, "time"), "expects_known_axis"),
        ("BatchNormalization", i32("batch", 3), "expects_floats"),
        ("LayerNormalization", f("batch", 3, "time"), "expects_known_axis"),
        ("RepeatVector", f("batch", 2, 3), "expects_rank"),
        ("GlobalMaxPooling1D", f("batch", 3), "expects_rank"),
        ("GlobalAveragePooling1D", i32("batch", 2, 3), "expects_floats"),
        ("Masking", f("batch", 3), "expects_axes"),
    ],
)
def test_what_a_layer_cannot_take_is_said(kind: str, given: Spec, code: str) -> None:
    (problem,) = shapes_of(layer(kind), (given,)).problems
    assert problem.code == code
    assert kind in str(problem)
    assert str(given) in str(problem)


@pytest.mark.parametrize(
    ("kind", "params", "length"),
    [
        ("ZeroPadding1D", {"padding": [1, 2]}, "time+3"),
        ("Cropping1D", {"cropping": [0, 2]}, "time-2"),
        ("UpSampling1D", {"size": 3}, "3*time"),
    ],
)
def test_sequences_of_open_length_become_longer_or_shorter(
    kind: str, params: dict[str, Any], length: str
) -> None:
    made = layer(kind, **params)
    assert shapes_of(made, (f("batch", "time", 2),)).outputs == (f("batch", length, 2),)
    program = build([made], [f("batch", "time", 2)]).program
    x = np.arange(20, dtype=np.float32).reshape(2, 5, 2)
    expected = {
        "ZeroPadding1D": np.pad(x, ((0, 0), (1, 2), (0, 0))),
        "Cropping1D": x[:, :3],
        "UpSampling1D": x.repeat(3, 1),
    }[kind]
    for engine in (NumpyExecutor, OnnxRuntimeExecutor):
        (found,) = engine(program).run({"x0": x}).values()
        np.testing.assert_array_equal(found, expected)


def test_edges_are_given_as_keras_takes_them() -> None:
    assert layer("ZeroPadding1D", padding=2) == layer("ZeroPadding1D", padding=[2, 2])
    for given in (2, [2, 2], [[2, 2], [2, 2]], [2, 2, 2, 2]):
        assert layer("Cropping2D", cropping=given) == layer("Cropping2D", cropping=2)
    assert layer("ZeroPadding2D", padding=[1, 2]).padding == (1, 1, 2, 2)
    (problem,) = layer("ZeroPadding2D", padding=[1, 2, 3]).problems()
    assert (problem.code, problem.fix) == ("edges_count", {"padding": (1, 1, 1, 1)})
    (problem,) = layer("UpSampling2D", size=[2]).problems()
    assert (problem.code, problem.fix) == ("edges_count", {"size": (2, 2)})


@pytest.mark.parametrize(("kind", "given"), [("Cropping1D", (2, 1)), ("Cropping2D", (1, 1))])
def test_something_must_be_left_after_cropping(kind: str, given: tuple[int, int]) -> None:
    shape = (3, 4) if kind == "Cropping1D" else (5, 2, 4)
    (problem,) = shapes_of(layer(kind, cropping=given), (f("batch", *shape),)).problems
    assert problem.code == "cropping_all"


def test_sparsemax_sorts_a_known_last_axis() -> None:
    made = layer("Activation", activation="sparsemax")
    (problem,) = shapes_of(made, (Spec("float32", ("batch", "time")),)).problems
    assert problem.code == "sparsemax_open"


@pytest.mark.parametrize("size", [5, "time"])
def test_glu_halves_an_even_last_axis(size: int | str) -> None:
    (problem,) = shapes_of(layer("Activation", activation="glu"), (f("batch", size),)).problems
    assert problem.code == "glu_halves"


@pytest.mark.parametrize(
    ("axis", "expected"), [([-1], True), ([1, 2], True), ([2, 1], True), ([1], False)]
)
def test_trailing_axes_are_one_operator(axis: list[int], expected: bool) -> None:
    program = build([layer("LayerNormalization", axis=axis)], [f("batch", 2, 3)]).program
    assert ([n.op for n in program.nodes] == ["LayerNormalization"]) == expected


def test_one_axis_may_be_given_alone() -> None:
    assert layer("LayerNormalization", axis=-1) == layer("LayerNormalization")


def test_smooth_pictures_go_beyond_what_arrived() -> None:
    given = Range(0.0, 1.0)
    for kind, params in (("UpSampling2D", {}), ("Resizing", {"height": 3})):
        for name, expected in (("nearest", given), ("bilinear", given), ("bicubic", Range())):
            assert layer(kind, interpolation=name, **params).range(given) == expected
