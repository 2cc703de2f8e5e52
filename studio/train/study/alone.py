"""What an optimizer's step would do to a weight if one gradient alone arrived at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.program import Dim, Node, Spec
from studio.optimizers.base import Optimizer

_LINE = np.array([-1], np.int64)
_ONE = np.array([1], np.int64)


@dataclass(frozen=True)
class Looked:
    """The gradient of a table that is only looked up in: what arrives at each row that is named.

    Attributes:
        indices: int64 (n,), none negative: which row.
        arriving: (n, width).
    """

    indices: Value
    arriving: Value


@dataclass(frozen=True)
class Rows:
    """Rows of a table by the places that name them, (n, width); a row that several name counts
    at one of them, where `first` is true.
    """

    indices: Value
    place: Value
    first: Value

    @classmethod
    def named(cls, op: Builder, indices: Value, size: int) -> "Rows":
        """Those of a table of so many rows."""
        ones = op.call("Expand", (op.const(1, "int64"), op.shape_of(indices)), specs=[indices.spec])
        order = op.Sub(op.CumSum(ones[0], np.array(0, np.int64)), op.const(1, "int64"))
        none = op.const(np.full(size, -1), "int64")
        last = op.ScatterElements(none, indices, order, axis=0, reduction="max")
        place = op.Gather(last, indices, axis=0)
        return cls(indices, place, op.Unsqueeze(op.Equal(place, order), _ONE))

    def of(self, op: Builder, table: Value) -> Value:
        """The rows of a table, at each place that names them."""
        return op.Gather(table, self.indices, axis=0)

    def summed(self, op: Builder, arriving: Value) -> Value:
        """The sum of what arrives at each row, where it counts; elsewhere zeros."""
        shape = op.shape_of(arriving)
        operands = (self.place, arriving, shape)
        return op.call("GatherGrad", operands, specs=[arriving.spec], axis=0)[0]

    def once(self, op: Builder, rows: Value) -> Value:
        """Rows where they count; elsewhere zeros."""
        return op.Where(self.first, rows, 0.0)

    def count(self, op: Builder, rows: Value) -> Value:
        """How many numbers the rows have that count."""
        found: Value = op.ReduceSum(op.Cast(self.first, to="float32"), keepdims=0)
        return op.Mul(found, float(int(rows.shape[1])))


def looked(op: Builder, pairs: Sequence[Value], size: int) -> Looked:
    """Indices of any shape and what arrives there, in turns, in one line."""
    width = int(pairs[1].shape[-1])
    indices = [_line(op, value, size) for value in pairs[::2]]
    arriving = [
        op.call("Reshape", (dy, np.array([-1, width], np.int64)), specs=[_wide(i, dy)])[0]
        for i, dy in zip(indices, pairs[1::2], strict=True)
    ]
    if len(indices) == 1:
        return Looked(indices[0], arriving[0])
    count = "+".join(str(i.shape[0]) for i in indices)
    both = op.call("Concat", indices, specs=[Spec("int64", (count,))], axis=0)[0]
    spec = Spec(arriving[0].dtype, (count, width))
    return Looked(both, op.call("Concat", arriving, specs=[spec], axis=0)[0])


def _line(op: Builder, indices: Value, size: int) -> Value:
    known = [d for d in indices.shape if isinstance(d, int)]
    whole = len(known) == indices.rank
    count: Dim = prod(known) if whole else "*".join(map(str, indices.shape))
    spec = Spec("int64", (count,))
    flat = op.call("Reshape", (op.Cast(indices, to="int64"), _LINE), specs=[spec])[0]
    return op.Where(op.Less(flat, 0), op.Add(flat, size), flat)


def _wide(indices: Value, arriving: Value) -> Spec:
    return Spec(arriving.dtype, (indices.shape[0], arriving.shape[-1]))


class Alone:
    """The change an optimizer makes of a weight by one gradient, without what it would do anyway.

    That is its step with the gradient, less its step with zeros: so what momentum coasts on is
    nothing, and a gradient of zeros is exactly nothing.

    Args:
        weight: before the step; or some rows of it.
        slots: what the optimizer keeps of it, likewise.
        rate, step: as of `Optimizer.lower`.
    """

    def __init__(
        self,
        op: Builder,
        optimizer: Optimizer,
        weight: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> None:
        self._op, self._optimizer, self._weight = op, optimizer, weight
        self._slots, self._rate, self._step = slots, rate, step
        self._idle: Value | None = None  # what it does anyway

    def change(self, gradient: Value) -> Value:
        """By how much it changes the weight because of this gradient."""
        found = self._stepped(gradient)
        if self._optimizer.lazy() is not None and self._optimizer.by_number:
            return found  # rows without a gradient stay as they are
        if self._idle is None:
            zero = self._op.const(0, gradient.dtype)
            shape = self._op.shape_of(self._weight)
            spec = Spec(gradient.dtype, self._weight.shape)
            zeros = self._op.call("Expand", (zero, shape), specs=[spec])[0]
            self._idle = self._stepped(zeros)
        return self._op.Sub(found, self._idle)

    def _stepped(self, gradient: Value) -> Value:
        """What is taken off the weight, or put on it, where that is apart from it; else the new
        weight in float64, since a small step is lost beside a large weight.
        """
        op, optimizer, began = self._op, self._optimizer, len(self._op.nodes)
        given = (self._weight, gradient, self._slots, self._rate, self._step)
        new, _ = optimizer.lower(op, *given)
        if (change := _beside(op.nodes[began:], self._weight.name, new.name)) is not None:
            return op.value(change)
        wide = {name: op.Cast(value, to="float64") for name, value in self._slots.items()}
        weight, gradient, rate, step = (
            op.Cast(value, to="float64")
            for value in (self._weight, gradient, self._rate, self._step)
        )
        return optimizer.lower(op, weight, gradient, wide, rate, step)[0]


def _beside(nodes: Sequence[Node], weight: str, new: str) -> str | None:
    """The other operand, where the weight is read only to add something to it, or take it off."""
    readers = [node for node in nodes if weight in node.inputs]
    if len(readers) != 1 or readers[0].outputs != (new,) or readers[0].op not in ("Add", "Sub"):
        return None
    first, second = readers[0].inputs
    if first == weight:
        return second
    return first if readers[0].op == "Add" else None
