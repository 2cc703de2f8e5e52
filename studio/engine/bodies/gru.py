"""GRU's steps and their derivatives. Gates in the order z (update), r (reset), h (candidate)."""

from collections.abc import Callable

import numpy as np

from studio.engine.bodies.activations import Activation, activations
from studio.engine.bodies.operands import H, R
from studio.engine.bodies.recurrent import Step, Values, Walk, blocks, lines, split
from studio.engine.builder import Builder, Value

USUAL = ("Sigmoid", "Tanh")  # of the gates z and r; of the candidate
_GATES = slice(2)  # z and r


class GRUCell:
    """A `Cell`. The reserve: the gates after their functions, and where reset and state meet."""

    states: int = 1
    reserve: tuple[int, ...] = (3, 1)

    def bias(self, walk: Walk) -> Value | None:
        """Both; where the product is reset, its candidate's waits for the step."""
        found = walk.biases()
        if found is None:
            return None
        of_input, of_state = found
        if _resets_after(walk):
            kept = np.repeat([1, 1, 0], walk.units)
            of_state = walk.op.Mul(of_state, walk.op.const(kept, of_state.dtype))
        return walk.op.Add(of_input, of_state)

    def step(self, walk: Walk) -> Step:
        """h' = g + z∘(h - g), the candidate g by either kind of reset."""
        candidate = _after(walk) if _resets_after(walk) else _before(walk)
        to_gate, to_candidate = activations(walk.attrs, USUAL, walk.index)

        def step(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
            (h,) = states
            z, r, summed, met = candidate(s, h, slices[0], to_gate)
            g = to_candidate.apply(s, summed)
            return [s.Add(g, s.Mul(z, s.Sub(h, g)))], [z, r, g, met]

        return step

    def back(self, walk: Walk, reserve: Values, y: Value) -> tuple[Values, Step]:
        """Local derivatives of all steps at once, then the loop of either kind of reset."""
        op = walk.op
        to_gates, to_candidate = activations(walk.attrs, USUAL, walk.index)
        z, r, g = blocks(op, reserve[0])
        (met,) = blocks(op, reserve[1])
        before = walk.before(y, walk.start(H), kept=False)
        of_z = op.Mul(to_gates.slope(op, z), op.Sub(before, g))
        of_r = to_gates.slope(op, r)
        of_g = op.Mul(to_candidate.slope(op, g), op.Sub(1.0, z))
        if _resets_after(walk):
            slopes = op.Concat(of_z, op.Mul(op.Mul(of_r, met), of_g), of_g, axis=-1)
            return [z, slopes, op.Mul(of_g, r)], _back_after(walk)
        return [z, r, of_z, op.Mul(of_r, before), of_g], _back_before(walk)

    def state_products(
        self, walk: Walk, reserve: Values, y: Value, results: Values, bias: Value
    ) -> tuple[Value, Value]:
        """The candidate's product is of the state, or of where reset and state meet."""
        op, units = walk.op, walk.units
        of_gates, of_candidate = split(op, results[0], 2 * units, units)
        if _resets_after(walk):
            d_product = op.Concat(of_gates, results[1], axis=-1)
            late = op.ReduceSum(lines(op, results[1]), np.array([0], np.int64), keepdims=0)
            first, _ = split(op, bias, 2 * units, units)
            return walk.recurrent_gradient(y, d_product), op.Concat(bias, first, late, axis=0)
        back = op.Transpose(lines(op, of_candidate), perm=(1, 0))
        candidate = op.MatMul(back, lines(op, *blocks(op, reserve[1])))
        dr = op.Concat(walk.recurrent_gradient(y, of_gates, _GATES), candidate, axis=0)
        return dr, op.Concat(bias, bias, axis=0)


def _resets_after(walk: Walk) -> bool:
    return bool(walk.attrs.get("linear_before_reset", 0))


Candidate = Callable[
    [Builder, Value, Value, Activation], tuple[Value, Value, Value, Value]
]  # z, r, the candidate before its function, where reset and state meet


def _after(walk: Walk) -> Candidate:
    """The reset acts on the state's product."""
    op, units, times_state = walk.op, walk.units, walk.times_state()
    found = walk.biases()
    late = None
    if found:
        late = op.Mul(found[1], op.const(np.repeat([0, 0, 1], units), found[1].dtype))

    def candidate(
        s: Builder, h: Value, x: Value, gate: Activation
    ) -> tuple[Value, Value, Value, Value]:
        x_z, x_r, x_g = split(s, x, units, units, units)
        h_z, h_r, met = split(s, times_state(s, h, late), units, units, units)
        z, r = gate.apply(s, s.Add(x_z, h_z)), gate.apply(s, s.Add(x_r, h_r))
        return z, r, s.Add(x_g, s.Mul(r, met)), met

    return candidate


def _before(walk: Walk) -> Candidate:
    """The reset acts on the state."""
    units, kept = walk.units, walk.kept(2)
    to_gates, of_candidate = walk.times_state(_GATES), _candidate(walk)

    def candidate(
        s: Builder, h: Value, x: Value, gate: Activation
    ) -> tuple[Value, Value, Value, Value]:
        x_gates, x_g = split(s, x, 2 * units, units)
        gates = gate.apply(s, to_gates(s, h, x_gates))
        z, r = split(s, gates, units, units)
        met = s.Mul(r, h if kept is None else s.Mul(h, kept))
        return z, r, s.Gemm(met, of_candidate, x_g, transB=1), met

    return candidate


def _back_after(walk: Walk) -> Step:
    units, back_to_state = walk.units, walk.back_to_state()

    def step(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
        (dh,), (z, slopes, of_met) = states, slices
        d_gates = s.Mul(slopes, s.Concat(dh, dh, dh, axis=-1))
        d_met = s.Mul(of_met, dh)
        of_gates, _ = split(s, d_gates, 2 * units, units)
        product = back_to_state(s, s.Concat(of_gates, d_met, axis=-1))
        return [s.Add(s.Mul(dh, z), product)], [d_gates, d_met]

    return step


def _back_before(walk: Walk) -> Step:
    back_to_state, of_candidate, kept = walk.back_to_state(_GATES), _candidate(walk), walk.kept(2)

    def step(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
        (dh,), (z, r, of_z, of_r, of_g) = states, slices
        dz, dg = s.Mul(of_z, dh), s.Mul(of_g, dh)
        d_met = s.MatMul(dg, of_candidate)
        d_met = d_met if kept is None else s.Mul(d_met, kept)
        d_gates = s.Concat(dz, s.Mul(of_r, d_met), axis=-1)
        rest = s.Add(s.Mul(dh, z), s.Mul(d_met, r))
        return [s.Add(rest, back_to_state(s, d_gates))], [s.Concat(d_gates, dg, axis=-1)]

    return step


def _candidate(walk: Walk) -> Value:
    """R's rows of the candidate."""
    sizes = np.array([2 * walk.units, walk.units], np.int64)
    return walk.op.call("Split", (walk.of(R), sizes), 2, axis=0)[1]
