"""LSTM as one operator: forward, forward with its reserve, and the backward through time.

Gates in the order i, o, f, c. The reserve is the gates after their functions, (directions, time,
4, batch, units), and the cells, (directions, time, 1, batch, units): of each step what it ended
with.
"""

from collections.abc import Callable

import numpy as np

from studio.engine.bodies.lstm import LSTMCell
from studio.engine.bodies.operands import C, H, R
from studio.engine.operator import Binding, Buffer, Call
from studio.engine.operators.gates import Activation, activations, squashing
from studio.engine.operators.recurrent import (
    Direction,
    Family,
    arriving,
    as_rows,
    both_biases,
    by_gate,
    ended_by,
    finish,
    for_each_direction,
    hold,
    input_gradients,
    inside,
    longest,
    projection,
    vanished,
)
from studio.engine.operators.state import state_gradients, state_product

_LSTM = Family("LSTM", gates=4, states=2, reserve=(4, 1))
_PEEPHOLES = 7


def _functions(walk: Direction) -> list[Activation]:
    """Of the gates i, o, f; of the candidate c; of the cell on its way to the output."""
    return activations(walk.b, ("Sigmoid", "Tanh", "Tanh"), walk.index)


def _refuse_unsupported(b: Binding) -> None:
    if b.optional(_PEEPHOLES) is not None:
        raise ValueError("the engine does not run peepholes")
    if b.attr("input_forget", 0):
        raise ValueError("the engine does not run input_forget")


# -- forward -------------------------------------------------------------------------------------


def _forward(walk: Direction) -> Call:
    """Both LSTM and LSTMTraining: the reserve is scratch where nobody asked for it."""
    _refuse_unsupported(walk.b)
    to_gates, to_candidate, to_result = _functions(walk)
    squash = squashing(to_gates, to_candidate, walk.b.input(R).dtype)
    result = to_result.whole()
    factors = inside(walk, (to_gates, to_gates, to_gates, to_candidate))
    y, gates, cells = walk.steps(), walk.reserve(3, 4), walk.reserve(4, 1)[:, 0]
    product, held = (walk.scratch(walk.batch, walk.units) for _ in range(2))
    first = walk.start(H), walk.start(C)
    project = projection(walk, gates, factors, both_biases(walk, factors, summed=4))
    (turn, times_r, projected), ended_at = state_product(walk, factors), ended_by(walk)
    views = [(t, gates[t], gates[t, :3], *gates[t], cells[t], y[t]) for t in walk.order]

    def call() -> None:
        turn()
        project()
        ended, empty = ended_at()
        h, c = first
        with walk.loop():
            for t, all_gates, squashed, i, o, f, g, new_c, new_h in views:
                times_r(h)
                np.add(all_gates, projected, all_gates)
                squash(all_gates, squashed, g)
                np.multiply(f, c, new_c)
                np.multiply(i, g, product)
                np.add(new_c, product, new_c)
                result(new_c, product)
                np.multiply(o, product, new_h)
                column = ended[t]
                if column is None:
                    h, c = new_h, new_c
                else:
                    np.copyto(new_c, c, where=column)
                    h, c = hold(column, h, new_h, held), new_c
        finish(walk, h, c, empty=empty)

    return call


# -- backward ------------------------------------------------------------------------------------


def _backward(walk: Direction) -> Call:
    _refuse_unsupported(walk.b)
    time, batch, units, d = walk.time, walk.batch, walk.units, walk.index
    y, gates, _ = _LSTM.saved(walk)
    dy, *ends = _LSTM.arrived(walk.b)
    d_gates, to_state = walk.scratch(time, batch, 4 * units), walk.scratch(4, batch, units)
    dh, dc, product = (walk.scratch(batch, units) for _ in range(3))
    r, local = by_gate(walk, walk.b.input(R)[d]), _local_derivatives(walk)
    input_products = input_gradients(walk, d_gates)
    state_products = state_gradients(walk, y, d_gates, (dh, dc))
    ended_at, held = ended_by(walk), walk.scratch(2, batch, units)
    arrivals = [None] * time if dy is None else list(dy[:, d])
    from_i, from_o, from_f, from_g = to_state
    kept = walk.kept
    forget = gates[:, 2]

    def call() -> None:
        ended, empty = ended_at()
        arriving(walk, ends, (dh, dc), empty)
        with walk.loop():
            for span, slopes in local:
                if dy is None and vanished(dh, dc):
                    d_gates[walk.not_before(span)].fill(0)
                    break
                blocks, views = slopes()
                for t in walk.steps_back(span):
                    blocks_t, i, o, f, g, to_cell = views[t - span.start]
                    column, dy_t = ended[t], arrivals[t]
                    if column is not None:
                        np.copyto(held, (dh, dc))
                    if dy_t is not None:
                        np.add(dh, dy_t, dh)
                    np.multiply(dh, to_cell, product)
                    np.add(dc, product, dc)
                    np.multiply(i, dc, i)
                    np.multiply(o, dh, o)
                    np.multiply(f, dc, f)
                    np.multiply(g, dc, g)
                    np.multiply(dc, forget[t], dc)
                    if column is not None:
                        np.copyto(blocks_t, 0, where=column)
                    np.matmul(blocks_t, r, to_state)
                    if kept is not None:
                        np.multiply(to_state, kept, to_state)
                    np.add(from_i, from_o, from_i)
                    np.add(from_f, from_g, from_f)
                    np.add(from_i, from_f, dh)
                    if column is not None:  # a row that ended hands its gradients on as they are
                        np.copyto(dh, held[0], where=column)
                        np.copyto(dc, held[1], where=column)
                as_rows(blocks, d_gates[span])
        input_products()
        state_products(ended)

    return call


_Views = list[tuple[Buffer, ...]]


def _local_derivatives(
    walk: Direction,
) -> list[tuple[slice, Callable[[], tuple[Buffer, _Views]]]]:
    """Chunks of steps, the last walked first, each with a function that gives its derivatives.

    It gives ``to_gates``, (steps, 4, batch, units), d(pre-activation gate)/d(what arrives there),
    which the loop turns into the gates' gradients; and for each step the views that the loop
    reads: its four blocks, each of them, and d(cell)/d(output).
    """
    gate, candidate, result = _functions(walk)
    squash = result.whole()
    batch, units = walk.batch, walk.units
    _, gates, cells = _LSTM.saved(walk)
    first = walk.start(C)
    chunks = walk.chunks(blocks=4)
    length = longest(chunks)
    to_gates = walk.scratch(length, 4, batch, units)
    to_cell, squashed = (walk.scratch(length, batch, units) for _ in range(2))
    views = [(blocks, *blocks, cell) for blocks, cell in zip(to_gates, to_cell, strict=True)]

    def slopes_of(span: slice) -> Callable[[], tuple[Buffer, _Views]]:
        n = span.stop - span.start
        i, o, _, g = (gates[span, k] for k in range(4))
        to_i, to_o, to_f, to_g = (to_gates[:n, k] for k in range(4))
        before = [(to_f[where], what) for where, what in walk.previous(cells[:, 0], first, span)]

        def slopes() -> tuple[Buffer, _Views]:
            gate.slope(gates[span, :3], to_gates[:n, :3])
            candidate.slope(g, to_g)
            np.multiply(to_i, g, to_i)
            np.multiply(to_g, i, to_g)
            for out, what in before:
                np.multiply(out, what, out)
            squash(cells[span, 0], squashed[:n])
            np.multiply(to_o, squashed[:n], to_o)
            result.slope(squashed[:n], to_cell[:n])
            np.multiply(to_cell[:n], o, to_cell[:n])
            return to_gates[:n], views

        return slopes

    return [(span, slopes_of(span)) for span in chunks]


_LSTM.register(for_each_direction(_forward), for_each_direction(_backward), LSTMCell())
