"""Products of one-hots by index: the same results, and no one-hot left."""

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.passes.for_numpy import for_numpy
from studio.engine.program import Role, Spec
from tests.engine.cases import f
from tests.engine.passes.test_read_rows import computed, same_results, trained

DEPTH, UNITS, TIME = 5, 3, 4
places_of = {
    "a vector": ("batch",),
    "a sequence": ("batch", TIME),
    "a sequence of any length": ("batch", "batch"),
}


def one_hots(op, *shape, values=(0, 1)):
    """Some places are outside, at either end: rows of zeros, or counted back."""
    places = op.input("places", Spec("int32", shape))
    return op.OneHot(places, DEPTH, np.array(values, np.float32), axis=-1)


def squared(op, y, kernel):
    return trained(op, op.ReduceSum(op.Mul(y, y), keepdims=0), [kernel])


def left(program):
    return {n.op for n in computed(program)}


@pytest.mark.parametrize("shape", places_of.values(), ids=places_of.keys())
def test_a_kernel_is_read_and_its_gradient_summed_by_index(shape):
    op = Builder()
    kernel = op.state("kernel", f(DEPTH, UNITS), Role.WEIGHT)
    before = squared(op, op.MatMul(one_hots(op, *shape), kernel), kernel)
    after = for_numpy(before)
    same_results(before, after, low=-DEPTH - 2)
    assert {"OneHotMatMul", "OneHotMatMulGrad"} <= {n.op for n in after.nodes}
    assert "OneHot" not in left(after)


@pytest.mark.parametrize("target", [(-1, DEPTH), (0, -1, DEPTH), (2, -1, DEPTH)])
def test_one_hots_put_in_another_order_of_rows(target):
    """As where time is folded into the batch."""
    op = Builder()
    kernel = op.state("kernel", f(DEPTH, UNITS), Role.WEIGHT)
    x = op.Reshape(one_hots(op, "batch", TIME), np.array(target, np.int64))
    before = squared(op, op.MatMul(x, kernel), kernel)
    after = for_numpy(before)
    same_results(before, after, low=-DEPTH - 2)
    assert "OneHot" not in left(after)


def test_one_hots_whose_rows_are_joined_are_made():
    op = Builder()
    kernel = op.state("kernel", f(TIME * DEPTH, UNITS), Role.WEIGHT)
    x = op.Reshape(one_hots(op, "batch", TIME), np.array([0, TIME * DEPTH], np.int64))
    before = squared(op, op.MatMul(x, kernel), kernel)
    after = for_numpy(before)
    same_results(before, after, exact=True)
    assert "OneHot" in left(after)


def test_one_product_by_index_and_another_reader():
    op = Builder()
    kernel = op.state("kernel", f(DEPTH, UNITS), Role.WEIGHT)
    x = one_hots(op, "batch", TIME)
    y = op.Concat(op.MatMul(x, kernel), op.Exp(x), axis=-1)
    before = squared(op, y, kernel)
    after = for_numpy(before)
    same_results(before, after)
    assert {"OneHot", "OneHotMatMul"} <= left(after)


@pytest.mark.parametrize("values", [(0, 2), (1, 0)])
def test_other_numbers_than_0_and_1_are_multiplied(values):
    op = Builder()
    kernel = op.state("kernel", f(DEPTH, UNITS), Role.WEIGHT)
    x = one_hots(op, "batch", values=values)
    before = squared(op, op.MatMul(x, kernel), kernel)
    after = for_numpy(before)
    same_results(before, after)
    assert "OneHotMatMul" not in left(after)


def test_what_is_no_one_hot_is_multiplied():
    op = Builder()
    kernel = op.state("kernel", f(DEPTH, UNITS), Role.WEIGHT)
    before = squared(op, op.MatMul(op.input("x", f("batch", DEPTH)), kernel), kernel)
    assert "OneHotMatMul" not in left(for_numpy(before))
