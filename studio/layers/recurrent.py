"""What the recurrent layers share: their ports, their weights, and the way through ONNX's operator.

A layer says its gates and what is its own of the biases; one operator then reads the sequence, in
one direction or in both, masked or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.constraints.base import Constraint
from studio.engine.builder import Value
from studio.engine.program import Array, Attribute, Spec
from studio.initializers.base import Initializer
from studio.layers.activations import range_of
from studio.layers.base import Layer, LayerBuilder, Port, Weight, Weights
from studio.layers.expect import float_input, known_last_axis
from studio.layers.masking import Packed, flip, pack, unpack
from studio.layers.recurrent_dropout import Operands, drops, read_dropping
from studio.layers.values import Range
from studio.problem import Problem, refuse
from studio.regularizers.base import Regularizer

# Keras's activations as ONNX's functions inside a cell, with alpha and beta where they have them.
IN_ONNX: dict[str, tuple[str, tuple[float, ...], tuple[float, ...]]] = {
    "tanh": ("Tanh", (), ()),
    "sigmoid": ("Sigmoid", (), ()),
    "relu": ("Relu", (), ()),
    "softsign": ("Softsign", (), ()),
    "softplus": ("Softplus", (), ()),
    "elu": ("Elu", (1.0,), ()),
    "leaky_relu": ("LeakyRelu", (0.2,), ()),
    "hard_sigmoid": ("HardSigmoid", (1 / 6,), (0.5,)),
    "linear": ("Affine", (1.0,), (0.0,)),
}
FUNCTIONS = tuple(IN_ONNX)


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)


class Recurrent(Layer):
    """Base of the layers that read a sequence step by step and keep a state.

    Attributes:
        operator: ONNX's name of it.
        states: what it keeps, by ONNX's letters: h, which is its output, and perhaps c.
        gates: ONNX's gates in order, each as its place among Keras's.
    """

    category = "Recurrent"
    supports_masking = True
    operator: ClassVar[str]
    states: ClassVar[tuple[str, ...]] = ("h",)
    gates: ClassVar[tuple[int, ...]] = (0,)
    units: int
    activation: str
    use_bias: bool
    kernel_initializer: Initializer
    recurrent_initializer: Initializer
    bias_initializer: Initializer
    kernel_regularizer: Regularizer | None
    recurrent_regularizer: Regularizer | None
    bias_regularizer: Regularizer | None
    kernel_constraint: Constraint | None
    recurrent_constraint: Constraint | None
    bias_constraint: Constraint | None
    dropout: float
    recurrent_dropout: float
    return_sequences: bool
    return_state: bool
    go_backwards: bool

    def inputs(self) -> tuple[Port, ...]:
        return Port("x"), *(Port(f"initial_{s}", optional=True) for s in self.states)

    def outputs(self) -> tuple[Port, ...]:
        states = self.states if self.return_state else ()
        return Port("output"), *(Port(f"state_{s}") for s in states)

    def problems(self) -> list[Problem]:
        found = super().problems()
        for name in ("dropout", "recurrent_dropout"):
            if not found and getattr(self, name) == 1:
                found.append(Problem("rate_one", args={"kind": self.kind}, fix={name: 0.5}))
        return found

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        width, columns = known_last_axis(self.kind, x[0]), len(self.gates) * self.units
        kernels = (
            Weight(
                "kernel",
                (width, columns),
                self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            ),
            Weight(
                "recurrent_kernel",
                (self.units, columns),
                self.recurrent_initializer,
                regularizer=self.recurrent_regularizer,
                constraint=self.recurrent_constraint,
            ),
        )
        if not self.use_bias:
            return kernels
        return *kernels, self.bias(columns)

    def bias(self, columns: int) -> Weight:
        """The bias, for this many columns of the kernels."""
        return Weight(
            "bias",
            (columns,),
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def both_biases(self, op: LayerBuilder, bias: Value) -> Value:
        """ONNX adds two biases, the input's and the state's; where Keras has one, it is the first.

        Gives (2·gates·units,), the gates in ONNX's order.
        """
        ours = self._gates_in_order(op, bias)
        return op.Concat(ours, np.zeros(ours.shape, np.dtype(ours.dtype)), axis=0)

    def functions(self) -> tuple[str, ...]:
        """Keras's names of the functions inside, in the order of ONNX's ``activations``."""
        raise TypeError(f"{self.kind} does not say what functions it has")

    def attributes(self) -> dict[str, Attribute]:
        """Of ONNX's operator, beside its size, direction and functions."""
        return {}

    def range(self, *x: Range | None) -> Range | None:
        """Gates scale what the activation gives; where a state is given, it counts as well."""
        gate = range_of(getattr(self, "recurrent_activation", "sigmoid"))
        if len(x) > 1 or not Range(0, 1).holds(gate.low, gate.high):
            return None
        inner = range_of(self.activation)
        return Range(min(inner.low, 0.0), max(inner.high, 0.0))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value | Sequence[Value]:
        first = [op.Unsqueeze(state, _ints(0)) for state in initial_states(self, self.units, x)]
        source, mask = x[0], op.mask(x[0]) if self.heeds_mask(len(x)) else None
        reverse = self.go_backwards
        if reverse and mask is not None:  # turned round before it is packed
            source, mask, reverse = flip(op, source), flip(op, mask), False
        direction = "reverse" if reverse else "forward"
        read = read_sequence(op, self, [w], source, mask, first, direction)
        states = [op.Squeeze(end, _ints(0)) for end in read.ends]
        if not self.return_sequences:
            output = op.Squeeze(read.ends[0], _ints(0))
        else:
            steps = op.Squeeze(read.steps, _ints(1))
            output = (
                op.Transpose(steps, perm=(1, 0, 2))
                if read.packed is None
                else unpack(op, steps, read.packed)
            )
            # ONNX gives a reverse pass in the input's order, Keras in the order it was read.
            output = flip(op, output) if reverse else output
        return (output, *states) if self.return_state else output

    def heeds_mask(self, arriving: int) -> bool:
        return heeds_mask(arriving)

    def mask(self, op: LayerBuilder, *x: Value) -> Value | None:
        return op.mask(x[0]) if self.return_sequences else None

    # -- to ONNX's layout -------------------------------------------------------------------------

    def kernels(self, op: LayerBuilder, w: Weights) -> tuple[Value, Value, Value | None]:
        """W, R and B, each (1, gates·units, …); B is None without biases."""
        kernel, recurrent = (
            self._gates_in_order(op, op.Transpose(weight, perm=(1, 0)))
            for weight in (w.kernel, w.recurrent_kernel)
        )
        bias = self.both_biases(op, w.bias) if self.use_bias else None
        return (
            op.Unsqueeze(kernel, _ints(0)),
            op.Unsqueeze(recurrent, _ints(0)),
            None if bias is None else op.Unsqueeze(bias, _ints(0)),
        )

    def _gates_in_order(self, op: LayerBuilder, rows: Value) -> Value:
        if self.gates == tuple(sorted(self.gates)):
            return rows
        places = np.array(self.gates)[:, None] * self.units + np.arange(self.units)
        return op.Gather(rows, places.reshape(-1), axis=0)


def heeds_mask(arriving: int) -> bool:
    """Whether a mask counts for a layer at which so many values arrive: a sequence, and states.

    Q: Why not beside states?
    A: Keras 3.15.1 finds a travelling mask only where one tensor arrives. Given states, a layer
       reads every step, though it hands the mask on; and a model computes what it does in Keras.
    """
    return arriving == 1


def initial_states(layer: Layer, units: int, x: Sequence[Value]) -> Sequence[Value]:
    """The states that arrive beside the sequence, each (batch, units): all of them, or none.

    Raises:
        ProblemError: the sequence is none; some states are missing; one has another shape.
    """
    sequence, *states = x
    float_input(layer.kind, sequence.spec, rank=3)
    expected = layer.inputs()[1:]
    for state, port in zip(states, expected, strict=False):
        if state.rank != 2 or state.shape[-1] != units or state.dtype != sequence.dtype:
            wanted = Spec(sequence.dtype, (sequence.shape[0], units))
            about = {"kind": layer.kind, "port": port.name}
            raise refuse("state_differs", **about, expected=wanted, received=state.spec)
    if states and len(states) < len(expected):
        missing = ", ".join(port.name for port in expected[len(states) :])
        raise refuse("states_missing", kind=layer.kind, received=len(states), missing=missing)
    return states


@dataclass(frozen=True)
class Read:
    """What a recurrent operator gives of a sequence.

    Attributes:
        steps: (time, directions, batch, units) the output of every step, by the input's order;
            where there is a mask of the packed steps.
        ends: each state after the last step, (directions, batch, units).
        packed: how the valid steps were moved together; None without a mask.
    """

    steps: Value
    ends: tuple[Value, ...]
    packed: Packed | None


def read_sequence(
    op: LayerBuilder,
    layer: Recurrent,
    weights: Sequence[Weights],
    x: Value,
    mask: Value | None,
    first: Sequence[Value],
    direction: str,
) -> Read:
    """One node that reads `x` (batch, time, width), masked or not.

    Args:
        op: where it is appended.
        layer: whose cell it is.
        weights: for each direction, by Keras's names.
        x: the sequence.
        mask: its valid steps, or None: all.
        first: the states before the first step, (directions, batch, units); none means zeros.
        direction: ``forward``, ``reverse`` or ``bidirectional``.
    """
    packed = None if mask is None else pack(op, x, mask)
    steps = op.Transpose(x, perm=(1, 0, 2)) if packed is None else packed.steps
    lengths = None if packed is None else packed.lengths
    kernels = [layer.kernels(op, w) for w in weights]
    if drops(op, layer):
        y, *ends = _dropping(op, layer, steps, kernels, lengths, first, direction)
    else:
        both = [_joined(op, some) for some in zip(*kernels, strict=True)]
        operands = (steps, *both, lengths, *first)
        y, *ends = _called(op, layer, layer.operator, operands, direction)
    if packed is not None:
        op.heeded[y.name] = packed.mask
    return Read(y, tuple(ends), packed)


def _dropping(
    op: LayerBuilder,
    layer: Recurrent,
    steps: Value,
    kernels: Sequence[Sequence[Value | None]],
    lengths: Value | None,
    first: Sequence[Value],
    direction: str,
) -> list[Value]:
    """As the operator's results, of a node for each direction."""
    names = ("forward", "reverse") if direction == "bidirectional" else (direction,)
    results = []
    for index, (name, own) in enumerate(zip(names, kernels, strict=True)):
        starts = [op.Gather(state, _ints(index), axis=0) for state in first]
        kind, operands = read_dropping(op, layer, Operands(steps, own, lengths, starts))
        results.append(_called(op, layer, kind, operands, name))
    if len(results) == 1:
        return list(results[0])
    ys, *ends = zip(*results, strict=True)
    return [op.Concat(*ys, axis=1), *(op.Concat(*end, axis=0) for end in ends)]


def _called(
    op: LayerBuilder, layer: Recurrent, kind: str, operands: Sequence[object], direction: str
) -> Sequence[Value]:
    """One node: the outputs of all steps, and each state after the last."""
    given = list(operands)
    while given[-1] is None:
        given.pop()
    attrs = {
        **_functions(layer, 2 if direction == "bidirectional" else 1),
        **layer.attributes(),
        "direction": direction,
        "hidden_size": layer.units,
    }
    plain = 1 + len(layer.states)
    return op.call(kind, given, plain if kind == layer.operator else 99, None, **attrs)[:plain]


def _joined(op: LayerBuilder, each: Sequence[Value | None]) -> Value | None:
    """Each direction's operand along their axis; None where there is none."""
    there = [value for value in each if value is not None]
    return there[0] if len(there) == 1 else op.Concat(*there, axis=0) if there else None


def _functions(layer: Recurrent, directions: int) -> dict[str, Attribute]:
    """Keras's names as ONNX's attributes, for each direction in turn."""
    chosen = [IN_ONNX[name] for name in layer.functions()] * directions
    alphas = tuple(alpha for _, some, _ in chosen for alpha in some)
    betas = tuple(beta for _, _, some in chosen for beta in some)
    found: dict[str, Attribute] = {"activations": tuple(name for name, _, _ in chosen)}
    numbers: dict[str, Attribute] = {"activation_alpha": alphas, "activation_beta": betas}
    return found | {name: given for name, given in numbers.items() if given}
