"""A simple recurrent step and its derivative."""

from studio.engine.bodies.activations import activations
from studio.engine.bodies.recurrent import Step, Values, Walk
from studio.engine.builder import Builder, Value

USUAL = ("Tanh",)


class RNNCell:
    """A `Cell`. Its derivative follows from the output, so there is no reserve."""

    states: int = 1
    reserve: tuple[int, ...] = ()

    def bias(self, walk: Walk) -> Value | None:
        """Both."""
        found = walk.biases()
        return walk.op.Add(*found) if found else None

    def step(self, walk: Walk) -> Step:
        """h' = f(x + R·h)."""
        (function,) = activations(walk.attrs, USUAL, walk.index)
        times_state = walk.times_state()

        def step(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
            return [function.apply(s, times_state(s, states[0], slices[0]))], []

        return step

    def back(self, walk: Walk, reserve: Values, y: Value) -> tuple[Values, Step]:
        """The slopes of all steps at once."""
        (function,) = activations(walk.attrs, USUAL, walk.index)
        back_to_state = walk.back_to_state()

        def step(s: Builder, states: Values, slices: Values) -> tuple[Values, Values]:
            d_step = s.Mul(slices[0], states[0])
            return [back_to_state(s, d_step)], [d_step]

        return [function.slope(walk.op, y)], step

    def state_products(
        self, walk: Walk, reserve: Values, y: Value, results: Values, bias: Value
    ) -> tuple[Value, Value]:
        """Both biases are added alike."""
        return walk.recurrent_gradient(y, results[0]), walk.op.Concat(bias, bias, axis=0)
