"""Multiplications, counted."""

from studio.engine.builder import Builder
from studio.engine.program import Program, Spec
from studio.engine.work import multiplications
from tests.engine.cases import f, with_gradient


def test_products_of_matrices() -> None:
    op = Builder()
    x, w = op.input("x", Spec("float32", ("batch", 3, 4))), op.input("w", f(4, 5))
    program = op.program([op.Relu(op.MatMul(x, w))])
    assert multiplications(program) == 32 * 3 * 4 * 5
    op = Builder()
    a, b = op.input("a", f(2, 3)), op.input("b", f(7, 3))
    assert multiplications(op.program([op.Gemm(a, b, transB=1)])) == 2 * 3 * 7


def lstm() -> Program:
    op = Builder()
    x, w, r = (
        op.input(n, f(*s))
        for n, s in (("x", ("time", "batch", 3)), ("w", (1, 8, 3)), ("r", (1, 8, 2)))
    )
    return op.program([op.call("LSTM", (x, w, r), 1, hidden_size=2)[0]])


def test_a_recurrent_layer_multiplies_at_every_step_and_twice_on_the_way_back() -> None:
    forward = 100 * 32 * (8 * 3 + 8 * 2)
    assert multiplications(lstm()) == forward
    backward, _ = with_gradient(lstm(), ["x", "w", "r"])
    assert multiplications(backward) == 3 * forward


def test_a_convolution_multiplies_its_kernel_at_every_place_in_gradients_too() -> None:
    op = Builder()
    x, kernel = op.input("x", f("batch", 2, 5)), op.input("kernel", f(4, 2, 3))
    program = op.program([op.Conv(x, kernel)])
    forward = 32 * (4 * 3) * (2 * 3)
    assert multiplications(program) == forward
    backward, _ = with_gradient(program, ["x", "kernel"])
    assert multiplications(backward) == 3 * forward


def test_an_einsum_multiplies_once_for_each_choice_of_its_axes() -> None:
    op = Builder()
    x, w = op.input("x", f("batch", 3, 4)), op.input("w", f(4, 5, 6))
    program = op.program([op.Einsum(x, w, equation="abc,cde->abde")])
    assert multiplications(program) == 32 * 3 * 4 * 5 * 6
