"""LSTM's steps and their derivatives. Gates in the order i, o, f, c."""

from studio.engine.bodies.activations import activations
from studio.engine.bodies.operands import C
from studio.engine.bodies.recurrent import Step, Values, Walk, blocks, split
from studio.engine.builder import Builder, Value

USUAL = ("Sigmoid", "Tanh", "Tanh")  # of the gates i, o, f; of the candidate; of the cell


class LSTMCell:
    """A `Cell`. The reserve: the gates after their functions, and the cells."""

    states: int = 2
    reserve: tuple[int, ...] = (4, 1)

    def bias(self, walk: Walk) -> Value | None:
        """Both."""
        found = walk.biases()
        return walk.op.Add(*found) if found else None

    def step(self, walk: Walk) -> Step:
        """c' = f∘c + i∘g; h' = o∘tanh(c')."""
        to_gate, to_candidate, to_result = activations(walk.attrs, USUAL, walk.index)
        units, times_state = walk.units, walk.times_state()

        def step(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
            h, c = states
            gates = times_state(s, h, slices[0])
            *rest, candidate = split(s, gates, units, units, units, units)
            i, o, f = (to_gate.apply(s, gate) for gate in rest)
            g = to_candidate.apply(s, candidate)
            c = s.Add(s.Mul(f, c), s.Mul(i, g))
            h = s.Mul(o, to_result.apply(s, c))
            return [h, c], [i, o, f, g]

        return step

    def back(self, walk: Walk, reserve: Values, y: Value) -> tuple[Values, Step]:
        """Local derivatives of all steps at once; dR's product is all that waits for the next."""
        op = walk.op
        gate, candidate, result = activations(walk.attrs, USUAL, walk.index)
        i, o, f, g = blocks(op, reserve[0])
        (cells,) = blocks(op, reserve[1])
        squashed = result.apply(op, cells)
        slopes = op.Concat(
            op.Mul(gate.slope(op, i), g),
            op.Mul(gate.slope(op, o), squashed),
            op.Mul(gate.slope(op, f), walk.before(cells, walk.start(C))),
            op.Mul(candidate.slope(op, g), i),
            axis=-1,
        )
        to_cell = op.Mul(result.slope(op, squashed), o)
        back_to_state = walk.back_to_state()

        def step(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
            (dh, dc), (slope, cell, forget) = states, slices
            dc = s.Add(dc, s.Mul(dh, cell))
            d_gates = s.Mul(slope, s.Concat(dc, dh, dc, dc, axis=-1))  # the output gate sees dh
            return [back_to_state(s, d_gates), s.Mul(dc, forget)], [d_gates]

        return [slopes, to_cell, f], step

    def state_products(
        self, walk: Walk, reserve: Values, y: Value, results: Values, bias: Value
    ) -> tuple[Value, Value]:
        """Both biases are added alike."""
        return walk.recurrent_gradient(y, results[0]), walk.op.Concat(bias, bias, axis=0)
