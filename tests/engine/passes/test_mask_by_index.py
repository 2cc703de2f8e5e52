"""What Masking asks of one-hots, asked of their indices: the same masks and rows."""

import numpy as np
import pytest

from studio.engine.passes.for_numpy import for_numpy
from studio.engine.passes.mask_by_index import mask_by_index
from studio.engine.program import Spec
from studio.layers.base import LayerBuilder, Weights
from studio.layers.masking_layer import Masking
from tests.engine.cases import f
from tests.engine.passes.test_read_rows import computed, read, same_results, trained, weights

DEPTH, TIME = 5, 6


def one_hots(op, depth=DEPTH, values=(0, 1)):
    places = op.input("places", Spec("int32", ("batch", TIME)))
    return op.OneHot(places, depth, np.array(values, np.float32), axis=-1)


def masked(op, x, value=0.0):
    """The rows that are left, and the mask that goes with them."""
    y = Masking(value).lower(op, Weights({}), x)
    return y, op.Cast(op.mask(y), to="float32")


def left(program):
    return [n.op for n in computed(program)]


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("values", [(0, 1), (1, 0), (2, 2)])
@pytest.mark.parametrize("depth", [DEPTH, 1])
def test_masks_and_rows_are_those_of_the_one_hots(value, values, depth):
    op = LayerBuilder()
    before = op.program(masked(op, one_hots(op, depth, values), value))
    same_results(before, mask_by_index(before), exact=True, low=-DEPTH - 2)


def test_no_one_hot_is_made_for_a_mask():
    op = LayerBuilder()
    before = op.program(masked(op, one_hots(op))[1:])
    after = mask_by_index(before)
    same_results(before, after, exact=True, low=-DEPTH - 2)
    assert "OneHot" in left(before)
    assert "OneHot" not in left(after)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_masked_one_hots_are_read_by_index(kind, direction):
    op = LayerBuilder()
    y, _ = masked(op, one_hots(op))
    mask = op.Cast(op.mask(y), to="int32")
    kernels = weights(op, kind, direction)
    total = read(op, kind, {}, direction, y, kernels, True)
    total = op.Add(total, op.ReduceSum(op.Cast(mask, to="float32"), keepdims=0))
    before = trained(op, total, kernels)
    after = for_numpy(before)
    same_results(before, after, low=-DEPTH - 2)
    assert "OneHot" not in left(after)


def test_rows_kept_by_anything_else_and_other_reductions_stay():
    op = LayerBuilder()
    x = one_hots(op)
    whole, some = op.input("whole", f("batch", TIME, DEPTH)), op.input("some", f(1))
    results = [
        op.Where(op.Greater(whole, 0.0), x, 0.0),  # not by row
        op.Where(op.Greater(some, 0.0), x, 2.0),  # not by zeros
        op.ReduceMax(x, np.array([1], np.int64), keepdims=1),  # not over the last axis
        op.ReduceMax(x, np.array([-1], np.int64), keepdims=0),
        op.Cast(op.Equal(x, whole), to="float32"),  # not with a number
    ]
    before = op.program(results)
    after = mask_by_index(before)
    same_results(before, after, exact=True, low=-DEPTH - 2)
    assert sorted(left(after)) == sorted(left(before))
