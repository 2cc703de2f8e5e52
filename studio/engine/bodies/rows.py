"""Updates of only the rows of a table that gradients arrive at. Operands are those of the kernels.

Every row is read before it is written, so a table may be changed where it lies.
"""

from collections.abc import Sequence

import numpy as np

from studio.engine.bodies.distinct import numbered
from studio.engine.bodies.scatter import summed_rows
from studio.engine.builder import Builder, Value

_LINE = np.array([-1], np.int64)


def sgd(
    op: Builder, weight: Value, rate: Value, *arriving: Value | None, counted: int = 0
) -> tuple[Value]:
    """w - rate·g."""
    rows, gradient = _arrived(op, weight, arriving, counted)
    new = op.Sub(op.Gather(weight, rows, axis=0), op.Mul(gradient, rate))
    return (_put(op, weight, rows, new),)


def adagrad(
    op: Builder,
    weight: Value,
    accumulator: Value,
    rate: Value,
    *arriving: Value | None,
    epsilon: float,
    counted: int = 0,
) -> tuple[Value, Value]:
    """The sum of squares grows where something arrives."""
    rows, gradient = _arrived(op, weight, arriving, counted)
    total = op.Add(op.Gather(accumulator, rows, axis=0), op.Mul(gradient, gradient))
    change = op.Div(op.Mul(gradient, rate), op.Sqrt(op.Add(total, epsilon)))
    new = op.Sub(op.Gather(weight, rows, axis=0), change)
    return _put(op, weight, rows, new), _put(op, accumulator, rows, total)


def rmsprop(
    op: Builder,
    weight: Value,
    velocity: Value,
    touched: Value,
    now: Value,
    rate: Value,
    *arriving: Value | None,
    rho: float,
    epsilon: float,
    counted: int = 0,
) -> tuple[Value, Value, Value]:
    """Velocities first shrink by the steps in which nothing arrived at a row."""
    rows, gradient = _arrived(op, weight, arriving, counted)
    before = op.Gather(touched, rows, axis=0)
    missed = op.Sub(now, before)
    decay = op.Pow(op.const(rho, weight.dtype), op.Cast(missed, to=weight.dtype))
    square = op.Mul(op.Mul(gradient, gradient), 1 - rho)
    kept = op.Mul(op.Gather(velocity, rows, axis=0), op.Unsqueeze(decay, np.array([1], np.int64)))
    speed = op.Add(kept, square)
    change = op.Div(op.Mul(gradient, rate), op.Sqrt(op.Add(speed, epsilon)))
    return (
        _put(op, weight, rows, op.Sub(op.Gather(weight, rows, axis=0), change)),
        _put(op, velocity, rows, speed),
        _put(op, touched, rows, op.Add(before, missed)),
    )


def _arrived(
    op: Builder, table: Value, arriving: Sequence[Value | None], counted: int
) -> tuple[Value, Value]:
    """The distinct rows, int64 (n,), and what arrives at each, (n, width)."""
    stride = 3 if counted else 2
    firsts = arriving[::stride]
    if counted and len(firsts) == 1 and arriving[2] is not None:
        rows, gradient = arriving[:2]  # distinct already, and here no more than their count
        assert rows is not None and gradient is not None
        return rows, gradient
    width = np.array([-1, int(table.shape[1])], np.int64)
    indices = [op.Reshape(op.Cast(i, to="int64"), _LINE) for i in firsts]
    parts = [op.Reshape(dy, width) for dy in arriving[1::stride]]
    size = op.Squeeze(op.Slice(op.Shape(table), np.array([0]), np.array([1])), np.array([0]))
    rows, numbers = numbered(op, op.Concat(*indices, axis=0), size)
    count = op.Unsqueeze(op.Size(rows), np.array([0], np.int64))
    return rows, summed_rows(op, count, numbers, op.Concat(*parts, axis=0))


def _put(op: Builder, table: Value, rows: Value, new: Value) -> Value:
    found: Value = op.ScatterND(table, op.Unsqueeze(rows, _LINE), new)
    return found
