"""An optimizer's step on a table of which a batch reads few rows: only those are touched.

Q: What of the rows no index names?
A: They have no gradient. SGD and Adagrad leave them as they are; RMSprop, too, but their running
   mean square goes on shrinking by rho at each step. That is made up for when a row is touched
   again: ``now`` counts the steps, ``touched`` says at which of them each row was last written.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from scipy import sparse

from studio.engine.bodies import rows as bodies
from studio.engine.operator import Binding, Buffer, Call, Operator, ShapeRule, register

_BLOCK = 1 << 16  # elements of a table that are worked on at once: three such arrays fit the L2


class _Arriving:
    """Gradients of rows: inputs of a node, indices and what arrives there in turns, from `first`.

    With the attribute ``counted`` a third input follows each: how many of both there are, all
    distinct; or none, if all are there.

    `find` gives the distinct rows in the order of their last mention, and the sum for each. The
    sum is a product with a sparse 0/1 matrix; its order is fixed, so it repeats bit for bit.
    """

    def __init__(self, b: Binding, table: Buffer, first: int) -> None:
        self._size = len(table)
        stride = 3 if b.attr("counted", 0) else 2
        starts = range(first, len(b.inputs), stride)
        self._indices = [b.input(i).reshape(-1) for i in starts]
        self._parts = [b.input(i + 1).reshape(-1, table.shape[1]) for i in starts]
        self._counts = [b.optional(i + 2) if stride == 3 else None for i in starts]
        count = sum(map(len, self._indices))
        self._order = b.own(np.arange(count, dtype=np.int32))
        self._ends = b.own(np.arange(count + 1, dtype=np.int32))
        self._ones = b.own(np.ones(count, table.dtype))
        self._place = b.own(np.empty(self._size, np.int32))  # by row: where it is mentioned last

    def find(self) -> tuple[Buffer, Buffer]:
        """The rows, int64, and their gradients; both only to be read."""
        filled = [
            len(i) if n is None else int(n)
            for i, n in zip(self._indices, self._counts, strict=True)
        ]
        parts = [part[:n] for part, n in zip(self._parts, filled, strict=True)]
        indices = [i[:n] for i, n in zip(self._indices, filled, strict=True)]
        if len(parts) == 1 and self._counts[0] is not None:
            return indices[0], parts[0]
        flat = np.concatenate(indices, dtype=np.int64)
        flat %= self._size
        order = self._order[: len(flat)]
        self._place[flat] = order
        rows = flat[self._place[flat] == order]
        self._place[rows] = order[: len(rows)]
        return rows, self._summed(parts, self._place[flat], len(rows))

    def _summed(self, parts: Sequence[Buffer], numbers: Buffer, rows: int) -> Buffer:
        """What arrives at each of the rows that `numbers` counts."""
        total: Buffer | None = None
        start = 0
        for part in parts:
            count = len(part)
            columns = (self._ones[:count], numbers[start : start + count], self._ends[: count + 1])
            found = sparse.csc_matrix(columns, shape=(rows, count)) @ part
            total, start = found if total is None else total + found, start + count
        assert total is not None, "a table's update needs the gradient of some rows"
        return total


class _Blocks:
    """Rows some at a time, and memory to work on them in: so many elements stay in the cache."""

    def __init__(self, b: Binding, table: Buffer, spares: int) -> None:
        width = table.shape[1]
        self._rows = max(1, _BLOCK // max(1, width))
        self._spares = [b.scratch((self._rows, width), table.dtype) for _ in range(spares)]

    def of(self, *columns: Buffer) -> Iterator[list[Buffer]]:
        """The columns block by block, each followed by the spare arrays, as long as the block."""
        for start in range(0, len(columns[0]), self._rows):
            found = [column[start : start + self._rows] for column in columns]
            yield found + [spare[: len(found[0])] for spare in self._spares]


def _subtract(table: Buffer, rows: Buffer, change: Buffer, spare: Buffer) -> None:
    """``table[rows] -= change``, faster, for distinct rows."""
    np.take(table, rows, axis=0, out=spare, mode="clip")
    spare -= change
    table[rows] = spare


def _same_specs(count: int) -> ShapeRule:
    """The outputs are the first inputs, changed."""
    return lambda inputs, attrs, constants: [spec for spec in inputs[:count] if spec]


def _in_place(b: Binding, count: int) -> tuple[list[Buffer], list[Call]]:
    """What to write, and the calls that make it the first inputs where it is other memory."""
    news = [b.outputs[i] if i < len(b.outputs) else None for i in range(count)]
    olds = [b.input(i) for i in range(count)]
    written = [
        b.own(np.empty_like(old)) if new is None else new
        for new, old in zip(news, olds, strict=True)
    ]
    return written, [
        partial(np.copyto, n, o) for n, o in zip(written, olds, strict=True) if n is not o
    ]


# -- SGD: weight, rate, indices, dy, … → weight --------------------------------------------------


def _sgd(b: Binding) -> Call:
    (weight,), copies = _in_place(b, 1)
    rate, arriving = b.input(1), _Arriving(b, weight, 2)
    blocks = _Blocks(b, weight, 2)

    def call() -> None:
        for copy in copies:
            copy()
        for rows, gradient, change, spare in blocks.of(*arriving.find()):
            np.multiply(gradient, rate, change)
            _subtract(weight, rows, change, spare)

    return call


register(Operator("SGDRows", _sgd, shape=_same_specs(1), body=bodies.sgd, over=1))


# -- Adagrad: weight, accumulator, rate, indices, dy, … → weight, accumulator --------------------


def _adagrad(b: Binding) -> Call:
    (weight, accumulator), copies = _in_place(b, 2)
    rate, arriving = b.input(2), _Arriving(b, weight, 3)
    epsilon, blocks = weight.dtype.type(b.attr("epsilon", 1e-7)), _Blocks(b, weight, 2)

    def call() -> None:
        for copy in copies:
            copy()
        for rows, gradient, spread, spare in blocks.of(*arriving.find()):
            np.multiply(gradient, gradient, spare)
            np.take(accumulator, rows, axis=0, out=spread, mode="clip")
            spread += spare
            accumulator[rows] = spread
            spread += epsilon
            np.sqrt(spread, spread)
            np.multiply(gradient, rate, spare)
            np.divide(spare, spread, spread)
            _subtract(weight, rows, spread, spare)

    return call


register(Operator("AdagradRows", _adagrad, shape=_same_specs(2), body=bodies.adagrad, over=2))


# -- RMSprop: weight, velocity, touched, now, rate, indices, dy, … → weight, velocity, touched ---


def _rmsprop(b: Binding) -> Call:
    (weight, velocity, touched), copies = _in_place(b, 3)
    now, rate, arriving = b.input(3), b.input(4), _Arriving(b, weight, 5)
    kind = weight.dtype.type
    kept, fresh = kind(b.attr("rho", 0.9)), kind(1 - b.attr("rho", 0.9))
    epsilon, blocks = kind(b.attr("epsilon", 1e-7)), _Blocks(b, weight, 2)

    def call() -> None:
        for copy in copies:
            copy()
        named, arrived = arriving.find()
        missed = now - touched[named]
        decays = np.power(kept, missed, dtype=weight.dtype)[:, None]
        touched[named] = now
        for rows, gradient, decay, spread, spare in blocks.of(named, arrived, decays):
            np.multiply(gradient, gradient, spare)
            spare *= fresh
            np.take(velocity, rows, axis=0, out=spread, mode="clip")
            spread *= decay
            spread += spare
            velocity[rows] = spread
            spread += epsilon
            np.sqrt(spread, spread)
            np.multiply(gradient, rate, spare)
            np.divide(spare, spread, spread)
            _subtract(weight, rows, spread, spare)

    return call


register(Operator("RMSpropRows", _rmsprop, shape=_same_specs(3), body=bodies.rmsprop, over=3))
