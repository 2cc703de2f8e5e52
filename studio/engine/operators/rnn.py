"""RNN as one operator: forward, forward that keeps its steps, and the backward through time.

One function of input and state; its derivative follows from the output, so Y is all the reserve.
"""

import numpy as np

from studio.engine.bodies.operands import H, R
from studio.engine.bodies.rnn import RNNCell
from studio.engine.operator import Buffer, Call
from studio.engine.operators.gates import activations
from studio.engine.operators.recurrent import (
    Direction,
    Family,
    arriving,
    both_biases,
    ended_by,
    finish,
    for_each_direction,
    hold,
    input_gradients,
    inside,
    projection,
    vanished,
)
from studio.engine.operators.state import given_to_gates, state_gradients, turned

_RNN = Family("RNN", gates=1, states=1, reserve=())


def _forward(walk: Direction) -> Call:
    """Both RNN and RNNTraining, which differ in that Y is always wanted."""
    (function,) = activations(walk.b, ("Tanh",), walk.index)
    y, projected = walk.steps(), walk.scratch(walk.time, 1, walk.batch, walk.units)
    held, first = walk.scratch(walk.batch, walk.units), walk.start(H)
    factors = inside(walk, (function,))
    project = projection(walk, projected, factors, both_biases(walk, factors, summed=1))
    (turn, (r,)), ended_at = turned(walk, factors), ended_by(walk)
    given = given_to_gates(walk, _kept(walk))
    views = [(t, projected[t, 0], y[t]) for t in walk.order]

    def call() -> None:
        turn()
        project()
        ended, empty = ended_at()
        h = first
        with walk.loop():
            for t, x, new_h in views:
                np.dot(given(h), r, new_h)
                np.add(new_h, x, new_h)
                function.apply(new_h, new_h)
                column = ended[t]
                h = new_h if column is None else hold(column, h, new_h, held)
        finish(walk, h, empty=empty)

    return call


def _backward(walk: Direction) -> Call:
    (function,) = activations(walk.b, ("Tanh",), walk.index)
    batch, units, d = walk.batch, walk.units, walk.index
    (steps,), (dy, end) = _RNN.saved(walk), _RNN.arrived(walk.b)
    d_steps = walk.scratch(walk.time, batch, units)
    dh, held = walk.scratch(batch, units), walk.scratch(batch, units)
    r, kept, ended_at = walk.b.input(R)[d], _kept(walk), ended_by(walk)
    input_products = input_gradients(walk, d_steps)
    state_products = state_gradients(walk, steps, d_steps, (dh,))
    chunks = walk.chunks(blocks=1)

    def call() -> None:
        ended, empty = ended_at()
        arriving(walk, (end,), (dh,), empty)
        with walk.loop():
            for span in chunks:
                if dy is None and vanished(dh):
                    d_steps[walk.not_before(span)].fill(0)
                    break
                function.slope(steps[span], d_steps[span])
                for t in walk.steps_back(span):
                    d_step, column = d_steps[t], ended[t]
                    if column is not None:
                        np.copyto(held, dh)
                    if dy is not None:
                        np.add(dh, dy[t, d], dh)
                    np.multiply(d_step, dh, d_step)
                    if column is not None:
                        np.copyto(d_step, 0, where=column)
                    np.dot(d_step, r, dh)
                    if kept is not None:
                        np.multiply(dh, kept, dh)
                    if column is not None:  # a row that ended hands its gradient on as it is
                        np.copyto(dh, held, where=column)
        input_products()
        state_products(ended)

    return call


def _kept(walk: Direction) -> Buffer | None:
    """What its one gate keeps of the state, (batch, units)."""
    return None if walk.kept is None else walk.kept[0]


_RNN.register(for_each_direction(_forward), for_each_direction(_backward), RNNCell())
