"""What EinsumDense makes of its equation."""

from typing import Any

import numpy as np
import pytest

from studio.engine.program import Spec
from studio.layers import EinsumDense, Input
from studio.layers.shapes import shapes_of
from studio.models import Model
from tests.document.drawn import layer
from tests.engine.cases import f

STEPS = f("batch", 5, 4)


@pytest.mark.parametrize(
    ("equation", "shape", "kernel", "result"),
    [
        ("abc,cd->abd", (None, 7), (4, 7), ("batch", 5, 7)),
        ("...x,xy->...y", (7,), (4, 7), ("batch", 5, 7)),
        ("abc,bcd->ad", (7,), (5, 4, 7), ("batch", 7)),
        ("abc,bd->adc", (7, None), (5, 7), ("batch", 7, 4)),
        ("ab...,bc->ac...", (7,), (5, 7), ("batch", 7, 4)),
        ("abc,c->abc", (None, None), (4,), ("batch", 5, 4)),
        (" abc , cd -> abd", (5, 7), (4, 7), ("batch", 5, 7)),
    ],
)
def test_shapes_follow_from_the_equation(
    equation: str, shape: tuple[int | None, ...], kernel: tuple[int, ...], result: tuple[Any, ...]
) -> None:
    made = layer("EinsumDense", equation=equation, output_shape=shape)
    found = shapes_of(made, (STEPS,))
    assert found.problems == ()
    assert [w.shape for w in found.weights] == [kernel]
    assert [o.shape for o in found.outputs] == [result]


@pytest.mark.parametrize(
    ("equation", "shape"),
    [
        ("abc,cd", (None, 7)),
        ("ab,bd->ad", (7,)),  # too few axes
        ("abc,cd->abd", (7,)),  # too small a shape
        ("abc,cd->abd", (3, 7)),  # another size
        ("abc,cd->abe", (None, 7)),  # an axis from nowhere
        ("abc,ce->abd", (None, 7)),
        ("abc,cd->bad", (None, 7)),  # the batch moved
        ("aac,cd->aad", (None, 7)),
        ("...c,cd->d...", (7,)),
    ],
)
def test_an_equation_that_does_not_go_is_refused(equation: str, shape: tuple[int, ...]) -> None:
    made = layer("EinsumDense", equation=equation, output_shape=shape)
    (problem,) = shapes_of(made, (STEPS,)).problems
    assert problem.code == "einsum_equation"
    assert equation in str(problem)


def test_a_bias_stands_along_axes_of_the_result() -> None:
    made = layer("EinsumDense", equation="abc,cde->abde", output_shape=(None, 2, 3), bias_axes="d")
    assert [w.shape for w in made.weights(STEPS)] == [(4, 2, 3), (2, 1)]
    wrong = layer("EinsumDense", equation="abc,cd->abd", output_shape=(None, 2), bias_axes="c")
    (problem,) = shapes_of(wrong, (STEPS,)).problems
    assert problem.code == "einsum_equation"


def test_a_kernel_starts_by_what_it_reads_and_gives() -> None:
    made = layer("EinsumDense", equation="abc,cde->abde", output_shape=(None, 8, 8))
    (kernel,) = made.weights(f("batch", 5, 64))
    largest = abs(kernel.initializer.fill(kernel.shape, np.random.default_rng(0))).max()
    assert 0.99 * np.sqrt(6 / 128) < largest <= np.sqrt(6 / 128)


def test_an_open_length_goes_through() -> None:
    x = Input((None, 4))
    model = Model(x, EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(x))
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 6, 4)), np.ones((4, 6, 3)), verbose=0)
    assert model.predict(np.ones((2, 7, 4)), verbose=0).shape == (2, 7, 3)
    made = layer("EinsumDense", equation="abc,bd->adc", output_shape=(7, None))
    (problem,) = shapes_of(made, (Spec("float32", ("batch", "time", 4)),)).problems
    assert problem.code == "expects_known_sizes"
