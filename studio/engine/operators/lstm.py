"""LSTM as one operator: forward, forward with its reserve, and the backward through time.

Gates in the order i, o, f, c. The reserve is the gates after their functions, and the cells.
"""

from collections.abc import Callable

import numpy as np

from studio.engine.operator import Binding, Buffer, Call
from studio.engine.operators.gates import Activation, activations
from studio.engine.operators.recurrent import (
    C,
    Direction,
    Family,
    H,
    R,
    arriving,
    both_biases,
    ended_by,
    finish,
    for_each_direction,
    hold,
    input_gradients,
    longest,
    projection,
    state_gradients,
    vanished,
)

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


def _blocks(gates: Buffer, units: int) -> tuple[Buffer, Buffer, Buffer, Buffer]:
    """The four gates i, o, f, c, as views."""
    i, o, f, c = (gates[..., k * units : (k + 1) * units] for k in range(4))
    return i, o, f, c


# -- forward -------------------------------------------------------------------------------------


def _forward(walk: Direction) -> Call:
    """Both LSTM and LSTMTraining: the reserve is scratch where nobody asked for it."""
    _refuse_unsupported(walk.b)
    to_gates, to_candidate, to_result = _functions(walk)
    batch, units, d = walk.batch, walk.units, walk.index
    y, gates, cells = walk.steps(), walk.reserve(3, 4), walk.reserve(4, 1)
    projected, product = walk.scratch(batch, 4 * units), walk.scratch(batch, units)
    held = walk.scratch(batch, units)
    first = walk.start(H), walk.start(C)
    r_t = walk.b.input(R)[d].T
    project, ended_at = projection(walk, gates, both_biases(walk)), ended_by(walk)
    views = [
        (t, gates[t], gates[t, :, : 3 * units], *_blocks(gates[t], units), cells[t], y[t])
        for t in walk.order
    ]

    def call() -> None:
        project()
        ended, empty = ended_at()
        h, c = first
        with walk.loop():
            for t, all_gates, squashed, i, o, f, g, new_c, new_h in views:
                np.matmul(h, r_t, projected)
                np.add(all_gates, projected, all_gates)
                to_gates.apply(squashed)
                to_candidate.apply(g)
                np.multiply(f, c, new_c)
                np.multiply(i, g, product)
                np.add(new_c, product, new_c)
                np.copyto(product, new_c)
                to_result.apply(product)
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
    batch, units, d = walk.batch, walk.units, walk.index
    d_gates = walk.scratch(walk.time, batch, 4 * units)
    dh, dc, product = (walk.scratch(batch, units) for _ in range(3))
    y, *_ = _LSTM.saved(walk)
    dy, *ends = _LSTM.arrived(walk.b)
    r = walk.b.input(R)[d]
    local = _local_derivatives(walk)
    input_products = input_gradients(walk, d_gates)
    state_products = state_gradients(walk, y, d_gates, (dh, dc))
    ended_at, held = ended_by(walk), walk.scratch(2, batch, units)
    views = [(flat, flat.reshape(batch, 4, units)) for flat in d_gates]

    def call() -> None:
        ended, empty = ended_at()
        arriving(walk, ends, (dh, dc), empty)
        with walk.loop():
            for span, slopes in local:
                if dy is None and vanished(dh, dc):
                    d_gates[walk.not_before(span)].fill(0)
                    break
                to_gates, to_cell, forget = slopes()
                for t in walk.steps_back(span):
                    at = t - span.start
                    flat, blocks = views[t]
                    column = ended[t]
                    if column is not None:
                        np.copyto(held, (dh, dc))
                    if dy is not None:
                        np.add(dh, dy[t, d], dh)
                    np.multiply(dh, to_cell[at], product)
                    np.add(dc, product, dc)
                    np.multiply(to_gates[at], dc[:, None, :], blocks)
                    np.multiply(to_gates[at, :, 1], dh, blocks[:, 1])  # the output gate sees dh
                    np.multiply(dc, forget[at], dc)
                    if column is not None:
                        np.copyto(flat, 0, where=column)
                    np.matmul(flat, r, dh)
                    if column is not None:  # a row that ended hands its gradients on as they are
                        np.copyto(dh, held[0], where=column)
                        np.copyto(dc, held[1], where=column)
        input_products()
        state_products(ended)

    return call


def _local_derivatives(
    walk: Direction,
) -> list[tuple[slice, Callable[[], tuple[Buffer, Buffer, Buffer]]]]:
    """Chunks of steps, the last walked first, each with a function that gives its derivatives.

    For each step of a chunk: ``to_gates`` (batch, 4, units) is d(pre-activation gate)/d(its
    incoming gradient), ``to_cell`` = d(cell)/d(output) and ``forget`` = the forget gate.
    """
    gate, candidate, result = _functions(walk)
    batch, units = walk.batch, walk.units
    _, gates, cells = _LSTM.saved(walk)
    first = walk.start(C)
    chunks = walk.chunks(blocks=4)
    length = longest(chunks)
    to_gates = walk.scratch(length, batch, 4, units)
    to_cell, squashed, forget = (walk.scratch(length, batch, units) for _ in range(3))

    def slopes_of(span: slice) -> Callable[[], tuple[Buffer, Buffer, Buffer]]:
        n = span.stop - span.start
        i, o, f, g = _blocks(gates[span], units)
        to_i, to_o, to_f, to_g = (to_gates[:n, :, k] for k in range(4))
        before = [(to_f[where], what) for where, what in walk.previous(cells, first, span)]

        def slopes() -> tuple[Buffer, Buffer, Buffer]:
            for values, out in ((i, to_i), (o, to_o), (f, to_f)):
                gate.slope(values, out)
            candidate.slope(g, to_g)
            np.multiply(to_i, g, to_i)
            np.multiply(to_g, i, to_g)
            for out, what in before:
                np.multiply(out, what, out)
            np.copyto(forget[:n], f)
            np.copyto(squashed[:n], cells[span])
            result.apply(squashed[:n])
            np.multiply(to_o, squashed[:n], to_o)
            result.slope(squashed[:n], to_cell[:n])
            np.multiply(to_cell[:n], o, to_cell[:n])
            return to_gates, to_cell, forget

        return slopes

    return [(span, slopes_of(span)) for span in chunks]


_LSTM.register(for_each_direction(_forward), for_each_direction(_backward))
