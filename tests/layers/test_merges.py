"""Merging layers: what they refuse, what the functional forms mean, which operators they become."""

from typing import Any

import numpy as np
import pytest

from studio import layers
from studio.declare import declared
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Spec
from studio.layers.shapes import shapes_of
from studio.problem import Problem, ProblemError
from tests.document.drawn import layer
from tests.engine.cases import f, i32
from tests.layers.building import build

KINDS = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


def refused(kind: str, *specs: Spec, **params: Any) -> Problem:
    (problem,) = shapes_of(layer(kind, **params), specs).problems
    return problem


@pytest.mark.parametrize("kind", KINDS)
def test_they_broadcast_and_say_where_they_cannot(kind: str) -> None:
    made = layer(kind)
    found = shapes_of(made, (f("batch", 2, 3), f("batch", 3)))
    assert found.outputs == (f("batch", 2, 3),)
    problem = refused(kind, f("batch", 2, 3), f("batch", 4))
    assert (problem.code, problem.args["axis"]) == ("not_broadcastable", 2)
    assert "float32(batch, 4)" in str(problem)
    assert refused(kind, f("batch", "time", 3), f("batch", 5, 3)).code == "not_broadcastable"
    assert refused(kind, f("batch", 3), i32("batch", 3)).code == "expects_floats"


def test_they_count_their_inputs() -> None:
    x = f("batch", 3)
    assert refused("Add", x).code == "expects_several"
    for kind in ("Subtract", "Dot"):
        for received in (1, 3):
            problem = refused(kind, *[x] * received)
            assert (problem.code, problem.args["received"]) == ("expects_two", received)


@pytest.mark.parametrize("kind", [*KINDS, "Dot", "Concatenate"])
def test_the_functional_form_is_the_layer(kind: str) -> None:
    a, b = layers.Input((3,)), layers.Input((3,))
    y = getattr(layers, kind.lower())([a, b], name="joined")
    assert (y.call.handle.declaration, y.name) == (declared("layers", kind)(), "joined")
    with pytest.raises(AttributeError, match="plus"):
        _ = layers.plus


def operators(kind: str, count: int, **params: Any) -> list[str]:
    return [n.op for n in build([layer(kind, **params)], [f("batch", 3)] * count).program.nodes]


def test_they_become_single_operators() -> None:
    assert operators("Add", 2) == ["Add"]
    assert operators("Add", 3) == ["Sum"]
    assert operators("Average", 3) == ["Mean"]
    assert operators("Maximum", 3) == ["Max"]
    assert operators("Minimum", 3) == ["Min"]
    assert operators("Multiply", 3) == ["Mul", "Mul"]
    assert operators("Dot", 2) == ["Mul", "ReduceSum"]


# -- Dot -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "axes", "formula"),
    [
        ((4,), (4,), (1, 1), "bi,bi->b"),
        ((3, 4), (4,), (2, 1), "bij,bj->bi"),
        ((4,), (3, 4), (1, 2), "bj,bij->bi"),
        ((3, 4), (3, 5), (1, 1), "bki,bkj->bij"),
        ((2, 3, 4), (5, 4), (3, 2), "bxyk,bjk->bxyj"),
        ((2, 4, 3), (5, 4, 2), (2, 2), "bxky,bjkz->bxyjz"),
        ((4,), (2, 4, 3), (-1, -2), "bk,bxky->bxy"),
    ],
)
def test_dot_sums_along_the_axes_it_is_given(
    first: tuple[int, ...], second: tuple[int, ...], axes: tuple[int, int], formula: str
) -> None:
    made, rng = layer("Dot", axes=axes), np.random.default_rng(0)
    built = build([made], [f("batch", *first), f("batch", *second)])
    a, b = (rng.normal(size=(3, *shape)).astype(np.float32) for shape in (first, second))
    (found,) = NumpyExecutor(built.program).run({"x0": a, "x1": b}).values()
    expected = np.einsum(formula, a, b)
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_dot_takes_one_axis_for_both() -> None:
    assert layer("Dot", axes=-1) == layer("Dot", axes=[-1, -1]) == layer("Dot")


@pytest.mark.parametrize(
    ("axes", "code", "fix"),
    [
        ([2, 2], "axes_differ", {"axes": (1, 2)}),
        ([0, 1], "axis_outside", {"axes": (-1, -1)}),
        ([1, 5], "axis_outside", {"axes": (-1, -1)}),
        ([1], "axes_not_two", {"axes": (-1, -1)}),
    ],
)
def test_dot_says_which_axes_fit(axes: list[int], code: str, fix: dict[str, Any]) -> None:
    problem = refused("Dot", f("batch", 3, 4), f("batch", 5, 3), axes=axes)
    assert (problem.code, problem.fix) == (code, fix)


def test_axes_without_a_pair_of_equal_sizes_have_no_repair() -> None:
    problem = refused("Dot", f("batch", 3), f("batch", 5))
    assert (problem.code, problem.fix) == ("axes_differ", None)


def test_the_cosine_of_nothing_is_zero_and_has_a_gradient() -> None:
    from tests.engine.cases import with_gradient

    program = build([layer("Dot", normalize=True)], [f("batch", 2)] * 2).program
    backward, _ = with_gradient(program, ["x0"])
    x = {"x0": np.zeros((1, 2), np.float32), "x1": np.ones((1, 2), np.float32)}
    seed = {f"seed/{program.outputs[0]}": np.ones((1, 1), np.float32)}
    (value,) = NumpyExecutor(program).run(x).values()
    (gradient,) = NumpyExecutor(backward).run({**x, **seed}).values()
    assert value.tolist() == [[0]]
    assert np.isfinite(gradient).all()


def test_what_a_problem_is_raised_with_names_the_sizes() -> None:
    a, b = layers.Input((3,)), layers.Input((4,))
    with pytest.raises(ProblemError, match=r"Subtract.*float32\(batch, 3\).*float32\(batch, 4\)"):
        layers.subtract([a, b])
