"""What LSTM, GRU and RNN and their backwards are in standard operators: a Scan over time each.

Inputs, outputs and reserves are those of the kernels; see `studio.engine.operators.recurrent`.
What does not depend on the step before is taken for all steps at once, before and after the Scan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from typing import Protocol

import numpy as np

from studio.engine.bodies.operands import INPUTS, KEPT, LENS, PLACES, B, H, R, W, X
from studio.engine.bodies.scatter import summed_rows
from studio.engine.builder import Builder, Value
from studio.engine.program import Attribute, Spec

_MOST = INPUTS + 6
ALL = slice(None)  # of the gates

Values = Sequence[Value]
Step = Callable[[Builder, Values, Values], tuple[Values, Values]]


@dataclass(frozen=True)
class Walk:
    """One direction of a node: its operands, and what every cell needs of them."""

    op: Builder
    inputs: tuple[Value | None, ...]
    attrs: Mapping[str, Attribute]
    index: int
    backwards: bool

    def given(self, index: int) -> Value:
        """The operand that must be there."""
        found = self.inputs[index]
        assert found is not None, f"input {index} is absent"
        return found

    def of(self, index: int) -> Value:
        """This direction's part of an operand whose first axis counts directions."""
        return self.part(self.given(index), 0)

    def part(self, value: Value, axis: int) -> Value:
        """This direction's part of a value, that axis gone."""
        return self.op.Gather(value, np.array(self.index, np.int64), axis=axis)

    @property
    def units(self) -> int:
        return _number(self.given(R).shape[2])

    @cached_property
    def steps(self) -> Value:
        """What says time and batch with its first two axes."""
        return self.inputs[PLACES] or self.given(X)

    def zeros(self, *axes: int, width: int) -> Value:
        """Zeros with these axes of `steps` (0: time, 1: batch), and one of `width`."""
        op = self.op
        sizes = op.Gather(op.shape_of(self.steps), np.array(axes, np.int64), axis=0)
        shape = op.Concat(sizes, np.array([width], np.int64), axis=0)
        spec = Spec(self.given(R).dtype, (*(self.steps.shape[a] for a in axes), width))
        return op.call("Expand", (op.const(0, spec.dtype), shape), specs=[spec])[0]

    def start(self, state: int) -> Value:
        """The state (operand `H` or `C`) before the first step: given, or zero."""
        return self.zeros(1, width=self.units) if self.inputs[state] is None else self.of(state)

    def biases(self) -> tuple[Value, Value] | None:
        """The input's bias and the state's, (gates·units,) each."""
        if self.inputs[B] is None:
            return None
        both = self.of(B)
        half = _number(both.shape[0]) // 2
        first, second = self.op.call("Split", (both, np.array([half] * 2, np.int64)), 2, axis=0)
        return first, second

    # -- the state's products --------------------------------------------------------------------

    @cached_property
    def _shares(self) -> list[tuple[Value, Value]] | None:
        """R's block of each gate, and what that gate keeps of the state; None where it is all."""
        if self.inputs[KEPT] is None:
            return None
        kept = self.of(KEPT)
        gates = [np.array(g, np.int64) for g in range(_number(kept.shape[0]))]
        parts = _blocks_of(self.op, self.of(R), self.units)
        return [(r, self.op.Gather(kept, g, axis=0)) for r, g in zip(parts, gates, strict=True)]

    def kept(self, gate: int) -> Value | None:
        """What a gate keeps of the state, (batch, units); None where it is all."""
        return None if self._shares is None else self._shares[gate][1]

    def times_state(self, gates: slice = ALL) -> Callable[[Builder, Value, Value | None], Value]:
        """What gives R·h of these gates, (batch, gates·units), something added."""
        op, units = self.op, self.units
        if self._shares is None:
            rows = _rows(op, self.of(R), gates, units)
            return lambda s, h, added: s.Gemm(h, rows, added, transB=1)
        shares = self._shares[gates]

        def product(s: Builder, h: Value, added: Value | None) -> Value:
            each: Values | list[None] = [None] * len(shares)
            if added is not None:
                each = split(s, added, *[units] * len(shares))
            parts = [
                s.Gemm(s.Mul(h, kept), r, some, transB=1)
                for (r, kept), some in zip(shares, each, strict=True)
            ]
            return joined(s, parts)

        return product

    def back_to_state(self, gates: slice = ALL) -> Callable[[Builder, Value], Value]:
        """What turns the gradients of these gates, (batch, gates·units), into the state's."""
        op, units = self.op, self.units
        if self._shares is None:
            rows = _rows(op, self.of(R), gates, units)
            return lambda s, d_gates: s.MatMul(d_gates, rows)
        shares = self._shares[gates]

        def product(s: Builder, d_gates: Value) -> Value:
            each = split(s, d_gates, *[units] * len(shares))
            parts = (s.Mul(s.MatMul(d, r), kept) for d, (r, kept) in zip(each, shares, strict=True))
            return reduce(lambda a, b: s.Add(a, b), parts)

        return product

    def recurrent_gradient(self, y: Value, d_gates: Value, gates: slice = ALL) -> Value:
        """dR's rows of these gates, where R multiplies the output before each step."""
        op = self.op
        before = self.before(y, self.start(H), kept=False)
        if self._shares is None:
            back = op.Transpose(lines(op, d_gates), perm=(1, 0))
            found: Value = op.MatMul(back, lines(op, before))
            return found
        shares = self._shares[gates]
        each = split(op, d_gates, *[self.units] * len(shares))
        parts = [
            op.MatMul(op.Transpose(lines(op, d), perm=(1, 0)), lines(op, op.Mul(before, kept)))
            for d, (_, kept) in zip(each, shares, strict=True)
        ]
        return joined(op, parts, axis=0)

    # -- lengths --------------------------------------------------------------------------------

    @cached_property
    def ended(self) -> Value | None:
        """(time, batch, 1) where a row ended before a step; None without sequence_lens."""
        op, lens = self.op, self.inputs[LENS]
        if lens is None:
            return None
        time = op.Gather(op.shape_of(self.steps), np.array(0, np.int64), axis=0)
        spec = Spec("int64", self.steps.shape[:1])
        steps = op.call("Range", (np.array(0), time, np.array(1)), specs=[spec])[0]
        last = np.array([-1], np.int64)
        over = op.LessOrEqual(op.Cast(lens, to="int64"), op.Unsqueeze(steps, last))
        return op.Unsqueeze(over, last)

    def unless_empty(self, state: Value) -> Value:
        """`state`, and zeros for rows without any step."""
        if self.ended is None:
            return state
        empty = self.op.Gather(self.ended, np.array(0, np.int64), axis=0)
        return self.op.Where(empty, zero(self.op, state), state)

    # -- before and after the loop --------------------------------------------------------------

    def projected(self, bias: Value | None) -> Value:
        """The input's part of every gate of every step, (time, batch, gates·units)."""
        op, places = self.op, self.inputs[PLACES]
        weight = op.Transpose(self.of(W), perm=(1, 0))
        if places is None:
            found = op.MatMul(self.given(X), weight)
        else:
            found = self._rows_of(weight)
        if bias is not None:
            found = op.Add(found, bias)
        return found if places is None else op.Gather(found, self._places, axis=0)

    def _rows_of(self, weight: Value) -> Value:
        """What each row is multiplied to; of one-hots W's columns, and zeros after them."""
        if self.inputs[X] is not None:
            return self.op.MatMul(self.given(X), weight)
        nothing = self.op.const(np.zeros((1, _number(weight.shape[1]))), weight.dtype)
        return self.op.Concat(weight, nothing, axis=0)

    @cached_property
    def _places(self) -> Value:
        """The row of each step; one-hots outside the depth read the zeros."""
        op, places = self.op, self.op.Cast(self.given(PLACES), to="int64")
        if self.inputs[X] is not None:
            return places
        depth = _number(self.given(W).shape[2])
        counted = op.Where(op.Less(places, 0), op.Add(places, depth), places)
        outside = op.Or(op.Less(counted, 0), op.GreaterOrEqual(counted, depth))
        return op.Where(outside, op.const(depth, places.dtype), counted)

    def input_gradients(self, d_gates: Value) -> tuple[Value | None, Value, Value]:
        """dX, dW and the dB of the input's bias; no dX of one-hots."""
        op, gates = self.op, lines(self.op, d_gates)
        bias = op.ReduceSum(gates, np.array([0], np.int64), keepdims=0)
        if self.inputs[PLACES] is not None:
            gates = self._summed(d_gates)
        back = op.Transpose(gates, perm=(1, 0))
        x = self.inputs[X]
        if x is None:
            return None, back, bias
        dx = op.MatMul(d_gates if self.inputs[PLACES] is None else gates, self.of(W))
        return dx, op.MatMul(back, lines(op, x)), bias

    def _summed(self, steps: Value) -> Value:
        """For each row the sum of `steps` (time, batch, n) over the steps that read it.

        Of one-hots, a product with them: there are few columns, and it is the faster sum.
        """
        op, rows, flat = self.op, self.inputs[X], lines(self.op, steps)
        places = op.Reshape(self._places, np.array([-1], np.int64))
        if rows is not None:
            size = op.Slice(op.Shape(rows), np.array([0]), np.array([1]))
            return summed_rows(op, size, places, flat)
        ends = op.const([0, 1], steps.dtype)
        depth = np.array(_number(self.given(W).shape[2]), np.int64)
        found: Value = op.MatMul(op.OneHot(places, depth, ends, axis=0), flat)
        return found

    def before(self, states: Value, first: Value, kept: bool = True) -> Value:
        """The state before each step, (time, batch, units).

        `kept`: do `states` hold a row's state beyond its end? Else, as in Y, there are zeros.
        """
        op, axis = self.op, np.array([0], np.int64)
        edge = op.Unsqueeze(first, axis)
        if self.backwards:
            found = op.Concat(self._without(states, first=True), edge, axis=0)
        else:
            found = op.Concat(edge, self._without(states, first=False), axis=0)
        if self.backwards and not kept and self.ended is not None:
            last = op.Slice(self.ended, np.array([-1]), np.array([2**31]), np.array([0]))
            ended = op.Concat(self._without(self.ended, first=True), last, axis=0)
            found = op.Where(ended, first, found)
        return found

    def _without(self, steps: Value, first: bool) -> Value:
        """All steps but the first, or but the last."""
        bounds = (np.array([1]), np.array([2**31])) if first else (np.array([0]), np.array([-1]))
        found: Value = self.op.Slice(steps, *bounds, np.array([0]))
        return found


class Cell(Protocol):
    """One family: what happens in a step, and on the way back.

    Attributes:
        states: 1 (h) or 2 (h and c).
        reserve: for each value the backward reads beside Y how many blocks of units it has: first
            what a step keeps, then c.
    """

    states: int
    reserve: tuple[int, ...]

    def bias(self, walk: Walk) -> Value | None:
        """What is added to every step's gates before the loop."""

    def step(self, walk: Walk) -> Step:
        """One step: states and (the input's part of the gates,) → states, what is kept of it."""

    def back(self, walk: Walk, reserve: Values, y: Value) -> tuple[Values, Step]:
        """What the way back reads of each step; and one step: gradients of states → before it."""

    def state_products(
        self, walk: Walk, reserve: Values, y: Value, results: Values, bias: Value
    ) -> tuple[Value, Value]:
        """dR, and the dB of both biases, from the steps' results and the input bias's dB."""


def training(cell: Cell) -> Callable[..., Sequence[Value]]:
    """The body of the training variant: Y, the last states, the reserve."""

    def body(op: Builder, *inputs: Value | None, **attrs: Attribute) -> Sequence[Value]:
        parts = [_forward(cell, walk) for walk in _walks(op, inputs, attrs)]
        first, *others = zip(*parts, strict=True)
        return [_stacked(op, first, 1), *(_stacked(op, values, 0) for values in others)]

    return body


def grad(cell: Cell) -> Callable[..., Sequence[Value | None]]:
    """The body of the backward: the gradients of X, W, R, B and the first states."""

    def body(op: Builder, *inputs: Value | None, **attrs: Attribute) -> Sequence[Value | None]:
        parts = [_backward(cell, walk) for walk in _walks(op, inputs, attrs)]
        dxs, *others = zip(*parts, strict=True)
        dx = dxs[0]
        for other in dxs[1:]:
            dx = None if dx is None else op.Add(dx, other)
        return [dx, *(_stacked(op, values, 0) for values in others)]

    return body


def _walks(
    op: Builder, inputs: Sequence[Value | None], attrs: Mapping[str, Attribute]
) -> list[Walk]:
    known = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
    directions = known[str(attrs.get("direction", "forward"))]
    filled = (*inputs, *(None,) * (_MOST - len(inputs)))
    return [Walk(op, filled, attrs, d, back) for d, back in enumerate(directions)]


def _forward(cell: Cell, walk: Walk) -> Values:
    op, step = walk.op, cell.step(walk)
    sequences = [walk.projected(cell.bias(walk))]
    sequences += [walk.ended] if walk.ended is not None else []

    def held(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
        """Rows that ended keep their state and give zeros."""
        news, kept = step(s, states, slices[:1])
        y = news[0]
        if len(slices) > 1:
            y = s.Where(slices[1], zero(s, y), y)
            news = [s.Where(slices[1], o, n) for o, n in zip(states, news, strict=True)]
        return news, [y, *kept, *news[1:]]

    starts = [walk.start(state) for state in range(H, H + cell.states)]
    lasts, (y, *kept) = op.scan(held, starts, sequences, walk.backwards)
    ends = np.cumsum((0, *cell.reserve))
    reserve = [_stacked(op, kept[lo:hi], 1) for lo, hi in pairwise(ends)]
    return [y, *map(walk.unless_empty, lasts), *reserve]


def _backward(cell: Cell, walk: Walk) -> list[Value | None]:
    op = walk.op
    y = walk.part(walk.given(INPUTS), 1)
    arrive = INPUTS + 1 + len(cell.reserve)
    reserve = [walk.of(i) for i in range(INPUTS + 1, arrive)]
    dy, *ends = walk.inputs[arrive : arrive + 1 + cell.states]
    reads, step = cell.back(walk, reserve, y)
    sequences = list(reads)
    sequences += [] if dy is None else [walk.part(dy, 1)]
    sequences += [] if walk.ended is None else [walk.ended]

    def held(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
        """A row that ended hands its gradients on as they are."""
        ours, more = slices[: len(reads)], slices[len(reads) :]
        incoming = states if dy is None else [s.Add(states[0], more[0]), *states[1:]]
        news, results = step(s, incoming, ours)
        if walk.ended is not None:
            column = more[-1]
            news = [s.Where(column, o, n) for o, n in zip(states, news, strict=True)]
            results = [s.Where(column, zero(s, r), r) for r in results]
        return news, results

    starts = [
        walk.zeros(1, width=walk.units) if end is None else walk.unless_empty(walk.part(end, 0))
        for end in ends
    ]
    firsts, results = op.scan(held, starts, sequences, not walk.backwards)
    dx, dw, bias = walk.input_gradients(results[0])
    dr, db = cell.state_products(walk, reserve, y, results, bias)
    return [dx, dw, dr, db, *firsts]


def blocks(op: Builder, kept: Value) -> tuple[Value, ...]:
    """Of a reserve (time, gates, batch, units) each gate, (time, batch, units)."""
    count = _number(kept.shape[1])
    parts = op.call("Split", (kept, np.ones(count, np.int64)), count, axis=1)
    return tuple(op.Squeeze(part, np.array([1], np.int64)) for part in parts)


def lines(op: Builder, steps: Value) -> Value:
    """(…, n) as (rows, n)."""
    width = _number(steps.shape[-1])
    return op.Reshape(steps, np.array([-1, width], np.int64))


def split(op: Builder, x: Value, *widths: int) -> tuple[Value, ...]:
    """Stretches of the last axis."""
    if len(widths) == 1:
        return (x,)
    return op.call("Split", (x, np.array(widths, np.int64)), len(widths), axis=-1)


def joined(op: Builder, parts: Values, axis: int = -1) -> Value:
    """Values one after the other; one alone is itself."""
    return parts[0] if len(parts) == 1 else op.Concat(*parts, axis=axis)


def _rows(op: Builder, recurrent: Value, gates: slice, units: int) -> Value:
    """R's rows of these gates."""
    if gates == ALL:
        return recurrent
    return joined(op, _blocks_of(op, recurrent, units)[gates], axis=0)


def _blocks_of(op: Builder, recurrent: Value, units: int) -> Values:
    """R's rows of each gate, (units, units)."""
    count = _number(recurrent.shape[0]) // units
    if count == 1:
        return [recurrent]
    return op.call("Split", (recurrent, np.array([units] * count, np.int64)), count, axis=0)


def zero(op: Builder, like: Value) -> Value:
    """Zero in the dtype of a value."""
    return op.const(0, like.dtype)


def _stacked(op: Builder, values: Sequence[Value], axis: int) -> Value:
    """Values along a new axis."""
    each = [op.Unsqueeze(v, np.array([axis], np.int64)) for v in values]
    return joined(op, each, axis)


def _number(dim: int | str) -> int:
    assert isinstance(dim, int)
    return dim
