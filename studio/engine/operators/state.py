"""What multiplies a state on its way through a recurrent operator, and the products back.

Where a training variant is given what each gate keeps of the state (operand `KEPT`), each gate's
block of R multiplies a state of its own.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from studio.engine.bodies.operands import H, R
from studio.engine.operator import Buffer, Call
from studio.engine.operators.recurrent import Direction, by_gate, flat, wanted


def turned(walk: Direction, factors: Buffer) -> tuple[Call, Buffer]:
    """R for products from the right, (gates, units, units), `factors` in it; and what fills it."""
    recurrent = by_gate(walk, walk.b.input(R)[walk.index])
    out = walk.scratch(len(factors), walk.units, walk.units)
    return partial(np.multiply, recurrent.swapaxes(1, 2), factors, out), out


def state_product(
    walk: Direction, factors: Buffer
) -> tuple[Call, Callable[[Buffer], object], Buffer]:
    """What turns R for a run, what multiplies a state by it, and where, (gates, batch, units).

    The gates of a single row are one row: one product, which NumPy's dot starts in half the time.
    """
    out, kept = walk.scratch(len(factors), walk.batch, walk.units), walk.kept
    if walk.batch != 1 or kept is not None:
        turn, r = turned(walk, factors)
        if kept is None:
            return turn, lambda h: np.matmul(h, r, out), out
        given = given_to_gates(walk, kept)
        return turn, lambda h: np.matmul(given(h), r, out), out
    recurrent, row = by_gate(walk, walk.b.input(R)[walk.index]), out.reshape(1, -1)
    blocks = walk.scratch(walk.units, len(factors), walk.units)
    side_by_side = blocks.reshape(walk.units, -1)
    turn = partial(np.multiply, recurrent.transpose(2, 0, 1), factors[:, 0], blocks)
    return turn, lambda h: np.dot(h, side_by_side, row), out


def given_to_gates(walk: Direction, kept: Buffer | None) -> Callable[[Buffer], Buffer]:
    """What gates multiply of a state: itself, or for each of them (gates, batch, units) its own."""
    if kept is None:
        return lambda h: h
    out = walk.scratch(*kept.shape)
    return lambda h: np.multiply(h, kept, out)


def state_gradients(
    walk: Direction, y: Buffer, d_gates: Buffer, d_first: Sequence[Buffer]
) -> Callable[[list[Buffer | None]], None]:
    """The product after the loop that gives dR, the dB of the state's bias, and the first states'.

    `y` is (time, batch, units), `d_first` what the loop leaves of the gradients of the states.
    """
    d, gates = walk.index, flat(d_gates)
    _, _, dr, db, *firsts = wanted(walk.b)
    before = walk.scratch(*y.shape)
    read_before = outputs_before(walk, y, before)
    product = None if dr is None else recurrent_product(walk, d_gates, before, dr[d], walk.kept)

    def call(ended: list[Buffer | None]) -> None:
        if product is not None:
            read_before(ended)
            product()
        if db is not None:  # both biases are added alike
            np.copyto(db[d, gates.shape[1] :], db[d, : gates.shape[1]])
        for first, gradient in zip(firsts, d_first, strict=False):
            if first is not None:
                np.copyto(first[d], gradient)

    return call


def recurrent_product(
    walk: Direction,
    d_gates: Buffer,
    before: Buffer,
    out: Buffer,
    kept: Buffer | Sequence[Buffer] | None,
) -> Call:
    """Gates' gradients (time, batch, gates·units) times the states before them: rows of dR.

    `kept` has a block for each of these gates, (batch, units).
    """
    gates = flat(d_gates)
    if kept is None:
        return lambda: np.matmul(gates.T, flat(before), out)
    state, units = walk.scratch(*before.shape), walk.units
    rows = walk.scratch(len(gates), units)  # a product with some columns of others is slow
    parts = [slice(g * units, (g + 1) * units) for g in range(len(kept))]

    def call() -> None:
        for part, share in zip(parts, kept, strict=True):
            np.multiply(before, share, state)
            np.copyto(rows, gates[:, part])
            np.matmul(rows.T, flat(state), out[part])

    return call


def outputs_before(
    walk: Direction, y: Buffer, out: Buffer
) -> Callable[[list[Buffer | None]], None]:
    """Fills `out` (time, batch, units) with the output before each step, for dR's product."""
    first = walk.start(H)
    pairs = [(out[where], what) for where, what in walk.previous(y, first, slice(0, walk.time))]

    def call(ended: list[Buffer | None]) -> None:
        for place, what in pairs:
            np.copyto(place, what)
        if walk.backwards:  # read backwards, a row starts at its own last step
            for t, column in enumerate(ended[1:]):
                if column is not None:
                    np.copyto(out[t], first, where=column)

    return call
