"""What LSTM, GRU and RNN share: directions, lengths, states, chunks of time, and their rules.

Time-major, ONNX's layouts: X (time, batch, input), W (directions, gates·units, input),
R (directions, gates·units, units), B (directions, 2·gates·units). A reserve, what a training
variant keeps for its backward, is (directions, time, blocks, batch, units): of each step one block
for each gate, in the order of W's, after the gates' functions. Rows that ended hold anything there.

A training variant may be given its sequence as rows: X is then (rows, input), PLACES (time, batch)
says which row each step reads, and COUNT how many of them are filled. Without X the rows are those
of an identity matrix, and a place outside it is a row of zeros: one-hots, kept as integers.

It may also be given what each gate keeps of the state it multiplies, the same at every step: KEPT
(directions, gates, batch, units), zeros and factors. That is recurrent dropout.

With sequence_lens a row of the batch holds its state over the steps beyond its length, and gives
zeros there; a row of length 0 ends with zeros, as on onnxruntime.

What makes them fast: the input projections of all steps are one product before the loop, the
weight gradients one product after it; the backward takes its local derivatives by chunks of time
that fit the cache, so the loop that remains multiplies, on one thread where the products are small.
What the loop reads and writes lies in one piece: NumPy takes some times as long for a gate that is
some columns of a wider array. So do its weights, turned once for a run: a small product with a
transposed matrix takes twice as long. They take in what their gate's function multiplies first.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from studio.engine.bodies import recurrent as bodies
from studio.engine.bodies.operands import COUNT, INPUTS, KEPT, LENS, PLACES, B, H, R, W, X
from studio.engine.bodies.recurrent import Cell
from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Buffer, Call, GradientNode, Kernel, Operator, register
from studio.engine.operators.gates import Activation
from studio.engine.program import Attribute, Dim, Spec
from studio.engine.threads import small_products

_VANISHED = 1e-30  # below this a gradient only breeds denormal numbers, which are slow
_CHUNK_BYTES = 1 << 20  # local derivatives are taken for as many steps as fit this

Ended = Callable[[], tuple[list[Buffer | None], Buffer | None]]


@dataclass(frozen=True)
class Direction:
    """One direction of a node: where it starts, how it walks, and where its results go."""

    b: Binding
    index: int
    backwards: bool  # whether it walks time from its end

    @property
    def _steps(self) -> Buffer:
        """What says time and batch: X, or which rows of it are read."""
        places = self.b.optional(PLACES)
        return self.b.input(X) if places is None else places

    @property
    def time(self) -> int:
        return int(self._steps.shape[0])

    @property
    def batch(self) -> int:
        return int(self._steps.shape[1])

    @property
    def units(self) -> int:
        return int(self.b.input(R).shape[2])

    @property
    def order(self) -> range:
        """The steps in the order they are walked."""
        return range(self.time)[::-1] if self.backwards else range(self.time)

    def loop(self) -> AbstractContextManager[object]:
        """Around the loop over time, whose products are those of one step."""
        return small_products(self.batch * int(np.prod(self.b.input(R).shape[1:])))

    def scratch(self, *shape: int) -> Buffer:
        return self.b.scratch(shape, self.b.input(R).dtype)

    def start(self, state: int) -> Buffer:
        """The state (input `H` or `C`) before the first step: given, or zero."""
        given = self.b.optional(state)
        if given is None:
            return self.b.own(np.zeros((self.batch, self.units), self.b.input(R).dtype))
        found: Buffer = given[self.index]
        return found

    @property
    def kept(self) -> Buffer | None:
        """What each gate keeps of the state it multiplies, (gates, batch, units); None: all."""
        given = self.b.optional(KEPT)
        return None if given is None else given[self.index]

    def steps(self) -> Buffer:
        """Where Y goes, (time, batch, units); scratch where nobody asked for it."""
        y = self.b.outputs[0]
        return self.scratch(self.time, self.batch, self.units) if y is None else y[:, self.index]

    def reserve(self, output: int, blocks: int) -> Buffer:
        """Where a reserve goes, (time, blocks, batch, units); scratch in an inference program."""
        kept = self.b.outputs[output] if output < len(self.b.outputs) else None
        if kept is None:
            return self.scratch(self.time, blocks, self.batch, self.units)
        found: Buffer = kept[self.index]
        return found

    def previous(
        self, states: Buffer, first: Buffer, span: slice
    ) -> tuple[tuple[slice, Buffer], ...]:
        """For the steps of `span` the state before each: pairs (steps within the span, states)."""
        lo, hi = span.start, span.stop
        if self.backwards:
            edge = first if hi == self.time else states[hi]
            return (slice(0, hi - lo - 1), states[lo + 1 : hi]), (slice(hi - lo - 1, hi - lo), edge)
        edge = first if lo == 0 else states[lo - 1]
        return (slice(1, hi - lo), states[lo : hi - 1]), (slice(0, 1), edge)

    def chunks(self, blocks: int) -> list[slice]:
        """Stretches of time, the last walked first, of which `blocks` of units fit the cache."""
        a_step = self.batch * blocks * self.units * self.b.input(R).dtype.itemsize
        length = max(1, min(self.time, _CHUNK_BYTES // a_step))
        found = [slice(t, min(t + length, self.time)) for t in range(0, self.time, length)]
        return found if self.backwards else found[::-1]

    def steps_back(self, span: slice) -> range:
        """The steps of `span`, the last walked first."""
        steps = range(span.start, span.stop)
        return steps if self.backwards else steps[::-1]

    def not_before(self, span: slice) -> slice:
        """`span` and what was walked before it."""
        return slice(span.start, self.time) if self.backwards else slice(0, span.stop)


def for_each_direction(bind: Callable[[Direction], Call]) -> Kernel:
    """The kernel that binds each direction by itself and runs them one after the other."""

    def kernel(b: Binding) -> Call:
        _refuse_unsupported(b)
        known = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
        walks = known[b.attr("direction", "forward")]
        calls = [bind(Direction(b, d, backwards)) for d, backwards in enumerate(walks)]
        if len(calls) == 1:
            return calls[0]

        def call() -> None:
            for direction in calls:
                direction()

        return call

    return kernel


def _refuse_unsupported(b: Binding) -> None:
    if "clip" in b.attrs:
        raise ValueError("the engine does not run clip")
    if b.attr("layout", 0) != 0:
        raise ValueError("the engine runs time-major sequences (layout 0) only")


# -- lengths -------------------------------------------------------------------------------------


def ended_by(walk: Direction) -> Ended:
    """What sequence_lens says of a run: for each step the rows that ended before it.

    As a (batch, 1) column, or None where none ended; and likewise the rows without any step.
    """
    lens = walk.b.optional(LENS)
    if lens is None:
        nothing: list[Buffer | None] = [None] * walk.time
        return lambda: (nothing, None)

    def read() -> tuple[list[Buffer | None], Buffer | None]:
        ended = [(lens <= t)[:, None] for t in range(walk.time)]
        return [column if column.any() else None for column in ended], ended[0]

    return read


def hold(column: Buffer, h: Buffer, new_h: Buffer, held: Buffer) -> Buffer:
    """Rows that ended keep their state, gathered in `held`, and give zeros; gives the state."""
    if h is not held:
        np.copyto(held, h)
    np.copyto(held, new_h, where=~column)
    np.copyto(new_h, 0, where=column)
    return held


def finish(walk: Direction, *states: Buffer, empty: Buffer | None) -> None:
    """Write the states after the last step where they are wanted: outputs 1 and on."""
    for end, state in zip(walk.b.outputs[1 : 1 + len(states)], states, strict=False):
        if end is not None:
            np.copyto(end[walk.index], state)
            if empty is not None:
                np.copyto(end[walk.index], 0, where=empty)


# -- the products before and after the loop ------------------------------------------------------


def inside(walk: Direction, functions: Sequence[Activation]) -> Buffer:
    """What each gate's weights and biases are multiplied by, of its function: (gates, 1, 1)."""
    factors = np.array([f.inside for f in functions], walk.b.input(R).dtype)
    return factors[:, None, None]


def by_gate(walk: Direction, weights: Buffer) -> Buffer:
    """(gates·units, n) as (gates, units, n)."""
    return weights.reshape(len(weights) // walk.units, walk.units, weights.shape[1])


def both_biases(walk: Direction, factors: Buffer, summed: int) -> Callable[[], Buffer]:
    """What is added to every step's gates, (gates, 1, units), `factors` in it.

    The input's bias, and of the state's that of the first `summed` gates; zero without biases.
    """
    found = walk.b.optional(B)
    if found is None:
        none = np.zeros((len(factors), 1, walk.units), factors.dtype)
        return lambda: none
    of_input, of_state = found[walk.index].reshape(2, len(factors), 1, walk.units)

    def both() -> Buffer:
        total: Buffer = of_input.copy()
        total[:summed] += of_state[:summed]
        total *= factors
        return total

    return both


def projection(walk: Direction, gates: Buffer, factors: Buffer, bias: Callable[[], Buffer]) -> Call:
    """Write the input's part of every gate of every step, `bias` added: one product.

    `gates` is (time, gates, batch, units). Where the sequence is given as rows, each row is
    multiplied once, then spread over its steps.
    """
    if walk.b.optional(PLACES) is not None:
        return _projection_of_rows(walk, gates, factors, bias)
    x, w = flat(walk.b.input(X)), walk.b.input(W)[walk.index]
    scaled = walk.scratch(*w.shape)
    alike = len(factors) == 1 or walk.batch == 1  # a step's blocks, one after the other, are rows
    rows = gates.reshape(len(x), len(w)) if alike else walk.scratch(len(x), len(w))
    blocks = rows.reshape(walk.time, walk.batch, len(factors), walk.units).swapaxes(1, 2)

    def call() -> None:
        np.multiply(by_gate(walk, w), factors, by_gate(walk, scaled))
        np.matmul(x, scaled.T, rows)
        np.add(rows, bias().reshape(-1), rows)
        if not alike:
            np.copyto(gates, blocks)

    return call


def _projection_of_rows(
    walk: Direction, gates: Buffer, factors: Buffer, bias: Callable[[], Buffer]
) -> Call:
    x, w = walk.b.optional(X), walk.b.input(W)[walk.index]
    rows, read = _Rows(walk), w.shape[1] + 1 if x is None else len(x)
    scaled, projected = walk.scratch(*w.shape), walk.scratch(read, len(w))
    blocks, nth = projected.reshape(-1, walk.units), np.arange(len(factors))[:, None]

    def call() -> None:
        places, count = rows.places().reshape(walk.time, 1, walk.batch), rows.count()
        filled = projected[:count]
        np.multiply(by_gate(walk, w), factors, by_gate(walk, scaled))
        if x is None:
            np.copyto(filled[:-1], scaled.T)
            filled[-1] = 0
        else:
            np.matmul(x[:count], scaled.T, filled)
        np.add(filled, bias().reshape(-1), filled)
        np.take(blocks, places * len(factors) + nth, axis=0, out=gates, mode="clip")

    return call


@dataclass(frozen=True)
class _Rows:
    """A sequence given as rows: how many there are, and which each step reads."""

    walk: Direction

    def count(self) -> int:
        """How many rows are filled; of one-hots all, and one of zeros after them."""
        count = self.walk.b.optional(COUNT)
        return int(self.walk.b.input(W).shape[2]) + 1 if count is None else int(count)

    def places(self) -> Buffer:
        """The row of each step, (time·batch,)."""
        places = self.walk.b.input(PLACES).reshape(-1)
        if self.walk.b.optional(X) is not None:
            return places
        depth = self.walk.b.input(W).shape[2]
        counted = np.where(places < 0, places + depth, places)  # negative ones count back
        return np.where((counted < 0) | (counted >= depth), depth, counted)

    def summed(self, steps: Buffer) -> Buffer:
        """For each row the sum of `steps` (time·batch, n) over the steps that read it.

        A product with a sparse 0/1 matrix.
        """
        count = len(steps)
        ones, ends = np.ones(count, steps.dtype), np.arange(count + 1)
        spread = sparse.csc_matrix((ones, self.places(), ends), shape=(self.count(), count))
        found: Buffer = spread @ steps
        return found


def wanted(b: Binding) -> tuple[Buffer | None, ...]:
    """Of a backward: where dX, dW, dR, dB, and the gradients of h and c go; None where unwanted."""
    return (*b.outputs, *(None,) * (6 - len(b.outputs)))


def input_gradients(walk: Direction, d_gates: Buffer) -> Call:
    """The products after the loop that give dX, dW, and the dB of the input's bias.

    A second direction adds its dX. Where the sequence is given as rows, the steps' gradients are
    summed for each row before they are multiplied.
    """
    if walk.b.optional(PLACES) is not None:
        return _gradients_of_rows(walk, flat(d_gates))
    b, d = walk.b, walk.index
    x, w, gates = flat(b.input(X)), b.input(W)[d], flat(d_gates)
    dx, dw, _, db = wanted(b)[:4]
    out = None if dx is None else flat(dx)
    added = walk.scratch(*x.shape) if d and out is not None else None

    def call() -> None:
        if out is not None and added is None:
            np.matmul(gates, w, out)
        elif out is not None:
            np.add(out, np.matmul(gates, w, added), out)
        if dw is not None:
            np.matmul(gates.T, x, dw[d])
        if db is not None:
            sum_rows(gates, db[d, : gates.shape[1]])

    return call


def _gradients_of_rows(walk: Direction, gates: Buffer) -> Call:
    b, d, rows = walk.b, walk.index, _Rows(walk)
    x, w = b.optional(X), b.input(W)[d]
    dx, dw, _, db = wanted(b)[:4]

    def call() -> None:
        summed, count = rows.summed(gates), rows.count()
        if dx is not None and d == 0:
            np.matmul(summed, w, dx[:count])
        elif dx is not None:
            np.add(dx[:count], summed @ w, dx[:count])
        if dw is not None and x is None:
            np.copyto(dw[d], summed[:-1].T)
        elif dw is not None and x is not None:
            np.matmul(summed.T, x[:count], dw[d])
        if db is not None:
            sum_rows(summed, db[d, : gates.shape[1]])

    return call


def arriving(
    walk: Direction, ends: Sequence[Buffer | None], states: Sequence[Buffer], empty: Buffer | None
) -> None:
    """Start each state's gradient with what arrives at the end; rows without a step get none."""
    for end, gradient in zip(ends, states, strict=True):
        np.copyto(gradient, 0 if end is None else end[walk.index])
        if empty is not None:
            np.copyto(gradient, 0, where=empty)


def vanished(*gradients: Buffer) -> bool:
    """Whether nothing that matters is left to hand to earlier steps."""
    return all(np.abs(gradient).max() < _VANISHED for gradient in gradients)


def flat(steps: Buffer) -> Buffer:
    """(time, batch, n) as (time·batch, n): the same memory, also where n is some of the columns."""
    time, batch, width = steps.shape
    found = steps.reshape(time * batch, width)
    assert found.size == 0 or np.shares_memory(found, steps)
    return found


def as_rows(blocks: Buffer, rows: Buffer) -> None:
    """Copy (steps, blocks, batch, units) to rows, (steps, batch, blocks·units)."""
    steps, count, batch, units = blocks.shape
    np.copyto(rows.reshape(steps, batch, count, units), blocks.swapaxes(1, 2))


def sum_rows(rows: Buffer, out: Buffer) -> None:
    """Their sum, as a product: three times as fast as NumPy's sum over the first axis."""
    np.matmul(np.ones(len(rows), rows.dtype), rows, out)


def longest(chunks: Sequence[slice]) -> int:
    """How many steps the longest chunk has."""
    return max(int(span.stop) - int(span.start) for span in chunks)


# -- rules ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """One recurrent operator, its training variant and its backward: what their rules follow from.

    Attributes:
        name: ONNX's.
        gates: how many blocks of units W has.
        states: 1 (h) or 2 (h and c).
        reserve: how many blocks each value has that its backward reads beside Y.

    The backward takes the training variant's inputs, all of them, Y, the reserve, and the gradients
    that arrive at Y and the last states; it gives those of X, W, R, B and the first states.
    """

    name: str
    gates: int
    states: int
    reserve: tuple[int, ...]

    def register(self, forward: Kernel, backward: Kernel, cell: Cell) -> None:
        """Put the three operators in the table; one kernel runs both forward ones."""
        training, grad = f"{self.name}Training", f"{self.name}Grad"
        register(Operator(self.name, forward, training=training))
        register(
            Operator(
                training,
                forward,
                self._gradient,
                shape=self._training_shape,
                body=bodies.training(cell),
            )
        )
        register(Operator(grad, backward, shape=self._grad_shape, body=bodies.grad(cell)))

    def saved(self, walk: Direction) -> list[Buffer]:
        """Of a backward: Y (time, batch, units), then the reserve (time, blocks, batch, units)."""
        d, b = walk.index, walk.b
        reserve = [b.input(INPUTS + 1 + i)[d] for i in range(len(self.reserve))]
        return [b.input(INPUTS)[:, d], *reserve]

    def arrived(self, b: Binding) -> list[Buffer | None]:
        """Of a backward: the gradients of Y and the last states, None where none arrives."""
        start = INPUTS + 1 + len(self.reserve)
        return [b.optional(start + i) for i in range(1 + self.states)]

    def _gradient(
        self, op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
    ) -> Sequence[Value | None]:
        inputs = [*n.inputs, *(None,) * (INPUTS - len(n.inputs))]
        kept = (n.outputs[0], *n.outputs[1 + self.states :])
        operands = (*inputs, *kept, *grads[: 1 + self.states])
        places = (X, W, R, B, *range(H, H + self.states))
        results = op.call(f"{self.name}Grad", operands, len(places), None, **n.attrs)
        given = dict(zip(places, results, strict=True))
        return [given.get(i) if inputs[i] else None for i in range(len(n.inputs))]

    def _training_shape(
        self,
        inputs: Sequence[Spec | None],
        attrs: Mapping[str, Attribute],
        constants: Sequence[Any],
    ) -> list[Spec]:
        r = _there(inputs[R])
        (time, batch), (directions, _, size) = _sequence(inputs), r.shape
        units = _size(size)

        def spec(*shape: Dim) -> Spec:
            return Spec(r.dtype, shape)

        return [
            spec(time, directions, batch, units),
            *(spec(directions, batch, units) for _ in range(self.states)),
            *(spec(directions, time, blocks, batch, units) for blocks in self.reserve),
        ]

    def _grad_shape(
        self,
        inputs: Sequence[Spec | None],
        attrs: Mapping[str, Attribute],
        constants: Sequence[Any],
    ) -> list[Spec]:
        w, r = _there(inputs[W]), _there(inputs[R])
        directions, units = r.shape[0], _size(r.shape[2])
        bias = Spec(r.dtype, (directions, 2 * self.gates * units))
        state = Spec(r.dtype, (directions, _sequence(inputs)[1], units))
        x = inputs[X] or Spec(r.dtype, ())  # of one-hots nobody asks a gradient
        return [x, w, r, bias, *(state for _ in range(self.states))]


def _sequence(inputs: Sequence[Spec | None]) -> tuple[Dim, Dim]:
    """Time and batch."""
    places = inputs[PLACES] if len(inputs) > PLACES else None
    time, batch, *_ = _there(places or inputs[X]).shape
    return time, batch


def _there(spec: Spec | None) -> Spec:
    assert spec is not None
    return spec


def _size(dim: Dim) -> int:
    assert isinstance(dim, int)
    return dim
