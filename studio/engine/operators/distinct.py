"""Which rows of a table a batch reads, each once: their number is known only when a step runs.

So what depends on it has room for the most there can be, and says how much of that is filled.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine.bodies import distinct as bodies
from studio.engine.operator import Binding, Call, Operator, register
from studio.engine.program import Attribute, Dim, Spec

Specs = Sequence[Spec | None]


def _distinct(b: Binding) -> Call:
    """Indices → ids, places, count: the first `count` ids are the distinct indices into `size` rows
    in the order of their last mention; `places` says for each index which id it is.

    Two passes over the indices and no sort; the table's size does not matter.
    """
    size = int(b.attr("size", 0))
    indices, (ids, places, count) = b.input(0).reshape(-1), b.outputs
    assert ids is not None and places is not None and count is not None
    order = b.own(np.arange(indices.size, dtype=np.int64))
    last_of = b.own(np.zeros(size, np.int64))
    numbers = places.reshape(-1)

    def call() -> None:
        rows = indices % size  # negative ones count back
        last_of[rows] = order  # of several the last one stays
        last = last_of[rows]
        is_last = last == order
        found = rows[is_last]
        ids[: len(found)] = found
        np.take(np.cumsum(is_last) - 1, last, out=numbers, mode="clip")
        count[...] = len(found)

    return call


def _distinct_shape(inputs: Specs, attrs: Mapping[str, Attribute], _: Sequence[Any]) -> list[Spec]:
    (indices,) = inputs
    assert indices is not None
    return [
        Spec("int64", (_count(indices.shape),)),
        Spec("int64", indices.shape),
        Spec("int64", ()),
    ]


register(
    Operator("Distinct", _distinct, shape=_distinct_shape, body=bodies.distinct, constant=True)
)


def _take_rows(b: Binding) -> Call:
    """Table, ids, count → the rows of the first `count` ids."""
    table, ids, count, out = b.input(0), b.input(1), b.input(2), b.out

    def call() -> None:
        found = int(count)
        np.take(table, ids[:found], axis=0, out=out[:found], mode="clip")

    return call


def _take_rows_shape(inputs: Specs, attrs: Mapping[str, Attribute], _: Sequence[Any]) -> list[Spec]:
    table, ids = inputs[:2]
    assert table is not None and ids is not None
    return [Spec(table.dtype, (*ids.shape, *table.shape[1:]))]


register(Operator("TakeRows", _take_rows, shape=_take_rows_shape, body=bodies.take_rows))


def _count(shape: Sequence[Dim]) -> Dim:
    known = [d for d in shape if isinstance(d, int)]
    if len(known) == len(shape):
        return int(np.prod(known, dtype=np.int64))
    return "*".join(map(str, shape))
