"""GRU as one operator: forward, forward with its reserve, and the backward through time.

Gates in the order z (update), r (reset), h (candidate). The reset gate acts on the state before
its product with R (linear_before_reset 0), or on that product (1, Keras's ``reset_after``). The
reserve is the gates after their functions, and where they meet: r∘state (0), or R·state with its
bias (1).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from studio.engine.operator import Buffer, Call
from studio.engine.operators.gates import Activation, activations
from studio.engine.operators.recurrent import (
    B,
    Direction,
    Family,
    H,
    R,
    arriving,
    both_biases,
    ended_by,
    finish,
    flat,
    for_each_direction,
    hold,
    input_gradients,
    longest,
    outputs_before,
    projection,
    vanished,
    wanted,
)

_GRU = Family("GRU", gates=3, states=1, reserve=(3, 1))


def _functions(walk: Direction) -> list[Activation]:
    """Of the gates z and r; of the candidate."""
    return activations(walk.b, ("Sigmoid", "Tanh"), walk.index)


def _resets_after(walk: Direction) -> bool:
    return bool(walk.b.attr("linear_before_reset", 0))


def _blocks(gates: Buffer, units: int) -> tuple[Buffer, Buffer, Buffer]:
    """z, r and the candidate, as views."""
    z, r, h = (gates[..., k * units : (k + 1) * units] for k in range(3))
    return z, r, h


# -- forward -------------------------------------------------------------------------------------


def _forward(walk: Direction) -> Call:
    """Both GRU and GRUTraining: the reserve is scratch where nobody asked for it."""
    _, to_candidate = _functions(walk)
    units = walk.units
    y, gates, meeting = walk.steps(), walk.reserve(2, 3), walk.reserve(3, 1)
    product, held = walk.scratch(walk.batch, units), walk.scratch(walk.batch, units)
    first, ended_at = walk.start(H), ended_by(walk)
    summed = (2 if _resets_after(walk) else 3) * units  # the bias of a product that is reset waits
    project = projection(walk, gates, both_biases(walk, summed))
    recur = (_recur_after if _resets_after(walk) else _recur_before)(walk)
    views = [(t, gates[t], *_blocks(gates[t], units), meeting[t], y[t]) for t in walk.order]

    def call() -> None:
        project()
        ended, empty = ended_at()
        h = first
        with walk.loop():
            for t, all_gates, z, r, candidate, met, new_h in views:
                recur(h, all_gates, r, candidate, met)
                to_candidate.apply(candidate)
                np.subtract(h, candidate, product)
                np.multiply(z, product, product)
                np.add(candidate, product, new_h)
                column = ended[t]
                h = new_h if column is None else hold(column, h, new_h, held)
        finish(walk, h, empty=empty)

    return call


Recur = Callable[[Buffer, Buffer, Buffer, Buffer, Buffer], None]


def _recur_after(walk: Direction) -> Recur:
    """The state's part of the gates; the reset acts on the product."""
    to_gates, _ = _functions(walk)
    units, bias = walk.units, walk.b.optional(B)
    r_t, projected = walk.b.input(R)[walk.index].T, walk.scratch(walk.batch, 3 * units)
    product, of_gates = walk.scratch(walk.batch, units), projected[:, : 2 * units]
    of_candidate = projected[:, 2 * units :]
    late = np.zeros(1, projected.dtype) if bias is None else bias[walk.index, 5 * units :]

    def recur(h: Buffer, gates: Buffer, r: Buffer, candidate: Buffer, met: Buffer) -> None:
        squashed = gates[:, : 2 * units]
        np.matmul(h, r_t, projected)
        np.add(squashed, of_gates, squashed)
        to_gates.apply(squashed)
        np.add(of_candidate, late, met)
        np.multiply(r, met, product)
        np.add(candidate, product, candidate)

    return recur


def _recur_before(walk: Direction) -> Recur:
    """The state's part of the gates; the reset acts on the state, and a second product follows."""
    to_gates, _ = _functions(walk)
    units, r_t = walk.units, walk.b.input(R)[walk.index].T
    gates_t, candidate_t = r_t[:, : 2 * units], r_t[:, 2 * units :]
    projected = walk.scratch(walk.batch, 2 * units)
    product = walk.scratch(walk.batch, units)

    def recur(h: Buffer, gates: Buffer, r: Buffer, candidate: Buffer, met: Buffer) -> None:
        squashed = gates[:, : 2 * units]
        np.matmul(h, gates_t, projected)
        np.add(squashed, projected, squashed)
        to_gates.apply(squashed)
        np.multiply(r, h, met)
        np.matmul(met, candidate_t, product)
        np.add(candidate, product, candidate)

    return recur


# -- backward ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Steps:
    """What the two kinds of reset do differently on the way back.

    Attributes:
        gradients: (time, batch, …) everything the loop writes.
        to_inputs: (time, batch, 3·units) of it the gates' gradients, before their functions.
        slopes: takes the local derivatives of a chunk.
        step: of step t, at a place of its chunk: dh goes in, and becomes that of the state before.
        products: after the loop, what R and its bias get.
    """

    gradients: Buffer
    to_inputs: Buffer
    slopes: Callable[[slice], None]
    step: Callable[[int, int], None]
    products: Call


def _backward(walk: Direction) -> Call:
    batch, units, d = walk.batch, walk.units, walk.index
    y, *_ = _GRU.saved(walk)
    dy, end = _GRU.arrived(walk.b)
    dh, held = walk.scratch(batch, units), walk.scratch(batch, units)
    before = walk.scratch(walk.time, batch, units)
    chunks = walk.chunks(blocks=4)
    steps = (_after if _resets_after(walk) else _before)(walk, chunks, before, dh)
    read_before, ended_at = outputs_before(walk, y, before), ended_by(walk)
    input_products, dh0 = input_gradients(walk, steps.to_inputs), wanted(walk.b)[4]

    def call() -> None:
        ended, empty = ended_at()
        read_before(ended)
        arriving(walk, (end,), (dh,), empty)
        with walk.loop():
            for span in chunks:
                if dy is None and vanished(dh):
                    steps.gradients[walk.not_before(span)].fill(0)
                    break
                steps.slopes(span)
                for t in walk.steps_back(span):
                    column = ended[t]
                    if column is not None:
                        np.copyto(held, dh)
                    if dy is not None:
                        np.add(dh, dy[t, d], dh)
                    if column is not None:
                        np.copyto(dh, 0, where=column)
                    steps.step(t, t - span.start)
                    if column is not None:  # a row that ended hands its gradient on as it is
                        np.copyto(dh, held, where=column)
        input_products()
        steps.products()
        if dh0 is not None:
            np.copyto(dh0[d], dh)

    return call


def _after(walk: Direction, chunks: list[slice], before: Buffer, dh: Buffer) -> _Steps:
    """The reset acts on the product. Blocks: the product's candidate, z, r, the candidate.

    In this order what W takes (the last three) and what R takes (the first three) are one stretch
    each; R's rows are turned to match.
    """
    time, batch, units, d = walk.time, walk.batch, walk.units, walk.index
    _, gates, met = _GRU.saved(walk)
    _, _, dr, db, *_ = wanted(walk.b)
    recurrent = walk.b.input(R)[d]
    blocks = walk.scratch(time, batch, 4, units)
    all_steps = blocks.reshape(time, batch, 4 * units)
    slopes_of = walk.scratch(longest(chunks), batch, 4, units)
    gate_slopes = _gate_slopes(walk, chunks, gates, before)
    turned, d_turned = (walk.scratch(3 * units, units) for _ in range(2))
    kept, z_of = walk.scratch(batch, units), gates[:, :, :units]
    to_state = flat(all_steps[:, :, : 3 * units])

    def slopes(span: slice) -> None:
        if span == chunks[0]:
            np.copyto(turned[:units], recurrent[2 * units :])
            np.copyto(turned[units:], recurrent[: 2 * units])
        of_met, of_z, of_r, of_candidate = (slopes_of[: len(gates[span]), :, k] for k in range(4))
        gate_slopes(span, of_z, of_r, of_candidate)
        np.multiply(of_candidate, gates[span, :, units : 2 * units], of_met)
        np.multiply(of_r, of_candidate, of_r)
        np.multiply(of_r, met[span], of_r)

    def step(t: int, at: int) -> None:
        np.multiply(slopes_of[at], dh[:, None, :], blocks[t])
        np.multiply(dh, z_of[t], kept)
        np.matmul(all_steps[t, :, : 3 * units], turned, dh)
        np.add(dh, kept, dh)

    def products() -> None:
        if dr is not None:
            np.matmul(to_state.T, flat(before), d_turned)
            np.copyto(dr[d, 2 * units :], d_turned[:units])
            np.copyto(dr[d, : 2 * units], d_turned[units:])
        if db is not None:
            np.copyto(db[d, 3 * units : 5 * units], db[d, : 2 * units])
            np.sum(to_state[:, :units], axis=0, out=db[d, 5 * units :])

    return _Steps(all_steps, all_steps[:, :, units:], slopes, step, products)


def _before(walk: Direction, chunks: list[slice], before: Buffer, dh: Buffer) -> _Steps:
    """The reset acts on the state. Blocks: z, r, the candidate."""
    time, batch, units, d = walk.time, walk.batch, walk.units, walk.index
    _, gates, met = _GRU.saved(walk)
    _, _, dr, db, *_ = wanted(walk.b)
    recurrent = walk.b.input(R)[d]
    of_gates, of_product = recurrent[: 2 * units], recurrent[2 * units :]
    blocks = walk.scratch(time, batch, 3, units)
    all_steps = blocks.reshape(time, batch, 3 * units)
    slopes_of = walk.scratch(longest(chunks), batch, 3, units)
    gate_slopes = _gate_slopes(walk, chunks, gates, before)
    kept, d_met = walk.scratch(batch, units), walk.scratch(batch, units)
    z_of, r_of = gates[:, :, :units], gates[:, :, units : 2 * units]
    to_state = flat(all_steps)

    def slopes(span: slice) -> None:
        of_z, of_r, of_candidate = (slopes_of[: len(gates[span]), :, k] for k in range(3))
        gate_slopes(span, of_z, of_r, of_candidate)
        np.multiply(of_r, before[span], of_r)

    def step(t: int, at: int) -> None:
        at_t, d_t = slopes_of[at], blocks[t]
        np.multiply(at_t[:, ::2], dh[:, None, :], d_t[:, ::2])  # z and the candidate
        np.matmul(d_t[:, 2], of_product, d_met)
        np.multiply(at_t[:, 1], d_met, d_t[:, 1])
        np.multiply(dh, z_of[t], kept)
        np.multiply(d_met, r_of[t], d_met)
        np.add(kept, d_met, kept)
        np.matmul(all_steps[t, :, : 2 * units], of_gates, dh)
        np.add(dh, kept, dh)

    def products() -> None:
        if dr is not None:
            np.matmul(to_state[:, : 2 * units].T, flat(before), dr[d, : 2 * units])
            np.matmul(to_state[:, 2 * units :].T, flat(met), dr[d, 2 * units :])
        if db is not None:
            np.copyto(db[d, 3 * units :], db[d, : 3 * units])

    return _Steps(all_steps, all_steps, slopes, step, products)


def _gate_slopes(
    walk: Direction, chunks: list[slice], gates: Buffer, before: Buffer
) -> Callable[[slice, Buffer, Buffer, Buffer], None]:
    """Local derivatives of a chunk: d(output)/d(z's and the candidate's input), and r's slope."""
    to_gates, to_candidate = _functions(walk)
    scratch = walk.scratch(longest(chunks), walk.batch, walk.units)

    def slopes(span: slice, of_z: Buffer, of_r: Buffer, of_candidate: Buffer) -> None:
        z, r, candidate = _blocks(gates[span], walk.units)
        other = scratch[: len(z)]
        to_gates.slope(z, of_z)
        np.multiply(of_z, np.subtract(before[span], candidate, other), of_z)
        to_gates.slope(r, of_r)
        to_candidate.slope(candidate, of_candidate)
        np.multiply(of_candidate, np.subtract(1, z, other), of_candidate)

    return slopes


_GRU.register(for_each_direction(_forward), for_each_direction(_backward))
