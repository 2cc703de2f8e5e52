"""GRU as one operator: forward, forward with its reserve, and the backward through time.

Gates in the order z (update), r (reset), h (candidate). The reset gate acts on the state before
its product with R (linear_before_reset 0), or on that product (1, Keras's ``reset_after``). The
reserve is the gates after their functions, (directions, time, 3, batch, units), and where they
meet, (directions, time, 1, batch, units): r∘state (0), or R·state with its bias (1). Of a state
of which gates keep a part only, R and the reset gate see that part.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from studio.engine.bodies.gru import GRUCell
from studio.engine.bodies.operands import B, H, R
from studio.engine.operator import Buffer, Call
from studio.engine.operators.gates import Activation, activations
from studio.engine.operators.recurrent import (
    Direction,
    Family,
    arriving,
    as_rows,
    both_biases,
    by_gate,
    ended_by,
    finish,
    flat,
    for_each_direction,
    hold,
    input_gradients,
    inside,
    longest,
    projection,
    sum_rows,
    vanished,
    wanted,
)
from studio.engine.operators.state import (
    given_to_gates,
    outputs_before,
    recurrent_product,
    state_product,
    turned,
)

_GRU = Family("GRU", gates=3, states=1, reserve=(3, 1))


def _functions(walk: Direction) -> list[Activation]:
    """Of the gates z and r; of the candidate."""
    return activations(walk.b, ("Sigmoid", "Tanh"), walk.index)


def _resets_after(walk: Direction) -> bool:
    return bool(walk.b.attr("linear_before_reset", 0))


def _factors(walk: Direction) -> Buffer:
    """What z's and r's weights take inside; the candidate's product is wanted as it is."""
    to_gates, _ = _functions(walk)
    factors = inside(walk, (to_gates,) * 3)
    factors[2] = 1
    return factors


# -- forward -------------------------------------------------------------------------------------


def _forward(walk: Direction) -> Call:
    """Both GRU and GRUTraining: the reserve is scratch where nobody asked for it."""
    to_candidate, factors = _functions(walk)[1].whole(), _factors(walk)
    y, gates, meeting = walk.steps(), walk.reserve(2, 3), walk.reserve(3, 1)[:, 0]
    product, held = (walk.scratch(walk.batch, walk.units) for _ in range(2))
    first, ended_at = walk.start(H), ended_by(walk)
    summed = 2 if _resets_after(walk) else 3  # the bias of a product that is reset waits
    project = projection(walk, gates, factors, both_biases(walk, factors, summed))
    start, recur = (_recur_after if _resets_after(walk) else _recur_before)(walk)
    views = [(t, gates[t, :2], *gates[t], meeting[t], y[t]) for t in walk.order]

    def call() -> None:
        start()
        project()
        ended, empty = ended_at()
        h = first
        with walk.loop():
            for t, squashed, z, r, candidate, met, new_h in views:
                recur(h, squashed, r, candidate, met)
                to_candidate(candidate, candidate)
                np.subtract(h, candidate, product)
                np.multiply(z, product, product)
                np.add(candidate, product, new_h)
                column = ended[t]
                h = new_h if column is None else hold(column, h, new_h, held)
        finish(walk, h, empty=empty)

    return call


Recur = Callable[[Buffer, Buffer, Buffer, Buffer, Buffer], None]


def _recur_after(walk: Direction) -> tuple[Call, Recur]:
    """The state's part of the gates; the reset acts on the product."""
    to_gates, _ = _functions(walk)
    batch, units, bias = walk.batch, walk.units, walk.b.optional(B)
    turn, times_r, projected = state_product(walk, _factors(walk))
    product = walk.scratch(batch, units)
    of_gates, of_candidate = projected[:2], projected[2]
    late = walk.scratch(batch, units)

    def start() -> None:
        turn()
        np.copyto(late, 0 if bias is None else bias[walk.index, 5 * units :])

    def recur(h: Buffer, gates: Buffer, r: Buffer, candidate: Buffer, met: Buffer) -> None:
        times_r(h)
        np.add(gates, of_gates, gates)
        to_gates.apply(gates, gates)
        np.add(of_candidate, late, met)
        np.multiply(r, met, product)
        np.add(candidate, product, candidate)

    return start, recur


def _recur_before(walk: Direction) -> tuple[Call, Recur]:
    """The state's part of the gates; the reset acts on the state, and a second product follows."""
    to_gates, _ = _functions(walk)
    turn, recurrent = turned(walk, _factors(walk))
    of_gates, of_candidate = recurrent[:2], recurrent[2]
    projected = walk.scratch(2, walk.batch, walk.units)
    product = walk.scratch(walk.batch, walk.units)
    kept = walk.kept
    given = given_to_gates(walk, None if kept is None else kept[:2])

    def recur(h: Buffer, gates: Buffer, r: Buffer, candidate: Buffer, met: Buffer) -> None:
        np.matmul(given(h), of_gates, projected)
        np.add(gates, projected, gates)
        to_gates.apply(gates, gates)
        np.multiply(r, h, met)
        if kept is not None:
            np.multiply(met, kept[2], met)
        np.dot(met, of_candidate, product)
        np.add(candidate, product, candidate)

    return turn, recur


# -- backward ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Steps:
    """What the two kinds of reset do differently on the way back.

    Attributes:
        gradients: (time, batch, …) everything the loop gives.
        to_inputs: (time, batch, 3·units) of it the gates' gradients, before their functions.
        slopes: takes the local derivatives of a chunk, which its steps turn into gradients.
        step: of step t, at a place of its chunk: dh goes in, and becomes that of the state before.
        blocks: (steps, …, batch, units) what the slopes and then the gradients of a chunk are in.
        products: after the loop, what R and its bias get.
    """

    gradients: Buffer
    to_inputs: Buffer
    slopes: Callable[[slice], None]
    step: Callable[[int, int], None]
    blocks: Buffer
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
                gradients = steps.gradients[span]
                as_rows(steps.blocks[: len(gradients)], gradients)
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
    _, gates, meeting = _GRU.saved(walk)
    _, _, dr, db, *_ = wanted(walk.b)
    recurrent = by_gate(walk, walk.b.input(R)[d])
    rows, blocks = walk.scratch(time, batch, 4 * units), _chunk(walk, chunks, 4)
    gate_slopes = _gate_slopes(walk, chunks, gates, before)
    reordered, to_state = walk.scratch(3, units, units), walk.scratch(3, batch, units)
    rest, d_reordered = walk.scratch(batch, units), walk.scratch(3 * units, units)
    z_of, taken, kept = gates[:, 0], rows[:, :, : 3 * units], walk.kept
    shares = None if kept is None else (kept[2], *kept[:2])
    product = recurrent_product(walk, taken, before, d_reordered, shares)
    from_met, from_z, from_r = to_state
    views = [(at[:3], *at) for at in blocks]

    def slopes(span: slice) -> None:
        if span == chunks[0]:
            np.copyto(reordered[0], recurrent[2])
            np.copyto(reordered[1:], recurrent[:2])
        of_met, of_z, of_r, of_candidate = (blocks[: len(gates[span]), k] for k in range(4))
        gate_slopes(span, of_z, of_r, of_candidate)
        np.multiply(of_candidate, gates[span, 1], of_met)
        np.multiply(of_r, of_candidate, of_r)
        np.multiply(of_r, meeting[span, 0], of_r)

    def step(t: int, at: int) -> None:
        taken_by_r, met, z, r, candidate = views[at]
        np.multiply(met, dh, met)
        np.multiply(z, dh, z)
        np.multiply(r, dh, r)
        np.multiply(candidate, dh, candidate)
        np.multiply(dh, z_of[t], rest)
        np.matmul(taken_by_r, reordered, to_state)
        if kept is not None:
            np.multiply(from_met, kept[2], from_met)
            np.multiply(to_state[1:], kept[:2], to_state[1:])
        np.add(from_met, from_z, from_met)
        np.add(from_r, rest, rest)
        np.add(from_met, rest, dh)

    def products() -> None:
        if dr is not None:
            product()
            np.copyto(dr[d, 2 * units :], d_reordered[:units])
            np.copyto(dr[d, : 2 * units], d_reordered[units:])
        if db is not None:
            np.copyto(db[d, 3 * units : 5 * units], db[d, : 2 * units])
            sum_rows(flat(rows)[:, :units], db[d, 5 * units :])

    return _Steps(rows, rows[:, :, units:], slopes, step, blocks, products)


def _before(walk: Direction, chunks: list[slice], before: Buffer, dh: Buffer) -> _Steps:
    """The reset acts on the state. Blocks: z, r, the candidate."""
    time, batch, units, d = walk.time, walk.batch, walk.units, walk.index
    _, gates, meeting = _GRU.saved(walk)
    _, _, dr, db, *_ = wanted(walk.b)
    recurrent = by_gate(walk, walk.b.input(R)[d])
    of_gates, of_product = recurrent[:2], recurrent[2]
    rows, blocks = walk.scratch(time, batch, 3 * units), _chunk(walk, chunks, 3)
    gate_slopes = _gate_slopes(walk, chunks, gates, before)
    rest, d_met, to_state = (walk.scratch(*n, batch, units) for n in ((), (), (2,)))
    z_of, r_of, kept = gates[:, 0], gates[:, 1], walk.kept
    d_gates, d_candidates = rows[:, :, : 2 * units], flat(rows)[:, 2 * units :]
    shares = None if kept is None else kept[:2]
    product = None
    if dr is not None:
        product = recurrent_product(walk, d_gates, before, dr[d, : 2 * units], shares)
    views = [(at[:2], *at) for at in blocks]

    def slopes(span: slice) -> None:
        of_z, of_r, of_candidate = (blocks[: len(gates[span]), k] for k in range(3))
        gate_slopes(span, of_z, of_r, of_candidate)
        np.multiply(of_r, before[span], of_r)

    def step(t: int, at: int) -> None:
        taken_by_r, z, r, candidate = views[at]
        np.multiply(z, dh, z)
        np.multiply(candidate, dh, candidate)
        np.dot(candidate, of_product, d_met)
        if kept is not None:
            np.multiply(d_met, kept[2], d_met)
        np.multiply(r, d_met, r)
        np.multiply(dh, z_of[t], rest)
        np.multiply(d_met, r_of[t], d_met)
        np.add(rest, d_met, rest)
        np.matmul(taken_by_r, of_gates, to_state)
        if kept is not None:
            np.multiply(to_state, kept[:2], to_state)
        np.add(to_state[0], to_state[1], dh)
        np.add(dh, rest, dh)

    def products() -> None:
        if product is not None and dr is not None:
            product()
            np.matmul(d_candidates.T, flat(meeting[:, 0]), dr[d, 2 * units :])
        if db is not None:
            np.copyto(db[d, 3 * units :], db[d, : 3 * units])

    return _Steps(rows, rows, slopes, step, blocks, products)


def _chunk(walk: Direction, chunks: list[slice], blocks: int) -> Buffer:
    return walk.scratch(longest(chunks), blocks, walk.batch, walk.units)


def _gate_slopes(
    walk: Direction, chunks: list[slice], gates: Buffer, before: Buffer
) -> Callable[[slice, Buffer, Buffer, Buffer], None]:
    """Local derivatives of a chunk: d(output)/d(z's and the candidate's input), and r's slope."""
    to_gates, to_candidate = _functions(walk)
    scratch = walk.scratch(longest(chunks), walk.batch, walk.units)

    def slopes(span: slice, of_z: Buffer, of_r: Buffer, of_candidate: Buffer) -> None:
        z, r, candidate = (gates[span, k] for k in range(3))
        other = scratch[: len(z)]
        to_gates.slope(z, of_z)
        np.multiply(of_z, np.subtract(before[span], candidate, other), of_z)
        to_gates.slope(r, of_r)
        to_candidate.slope(candidate, of_candidate)
        np.multiply(of_candidate, np.subtract(1, z, other), of_candidate)

    return slopes


_GRU.register(for_each_direction(_forward), for_each_direction(_backward), GRUCell())
