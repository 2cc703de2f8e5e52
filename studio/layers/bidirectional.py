"""A recurrent layer that reads in both directions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studio.declare import param, snake
from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Masks, Port, Weight, Weights
from studio.layers.gru import GRU
from studio.layers.lstm import LSTM
from studio.layers.masking import scatter
from studio.layers.recurrent import Recurrent, heeds_mask, initial_states, read_sequence
from studio.layers.simple_rnn import SimpleRNN
from studio.problem import Problem

_SIDES = ("forward", "backward")
_SEQUENCE = Spec("float32", ("batch", 4, 3))
_STATE = Spec("float32", ("batch", 2))


def _of_each_side(ports: Sequence[Port]) -> Iterator[Port]:
    for side in _SIDES:
        yield from (replace(port, name=f"{side}_{port.name}") for port in ports)


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)


@dataclass(frozen=True)
class Bidirectional(Layer):
    """Reads a sequence from both ends with two copies of a layer, and joins what they give.

    Q: Why one node and not two layers?
    A: ONNX's recurrent operators have both directions, and a masked sequence, once its valid
       steps are moved together, is turned round by its length.
    """

    category = "Recurrent"
    supports_masking = True
    synonyms = ("wrapper", "both directions", "bilstm", "bigru", "双向")
    layer: Layer = param(
        LSTM(),
        "The recurrent layer; each direction a copy",
        family="layers",
        choices=("SimpleRNN", "GRU", "LSTM"),
    )
    merge_mode: str | None = param(
        "concat",
        "How both results become one; None gives both",
        choices=("concat", "sum", "mul", "ave"),
        optional=True,
    )
    examples = (
        Example({"layer": LSTM(2)}, (_SEQUENCE,)),
        Example(
            {"layer": GRU(2, return_sequences=True, return_state=True), "merge_mode": "sum"},
            (_SEQUENCE, _STATE, _STATE),
        ),
        Example(
            {"layer": LSTM(2, return_sequences=True, return_state=True), "merge_mode": None},
            (_SEQUENCE, *(_STATE,) * 4),
        ),
        Example(
            {"layer": LSTM(2, dropout=0.3, recurrent_dropout=0.4, return_state=True)},
            (_SEQUENCE, *(_STATE,) * 4),
        ),
        Example({"layer": SimpleRNN(2, return_sequences=True)}, (_SEQUENCE,)),
        Example({"layer": SimpleRNN(2), "merge_mode": "mul"}, (_SEQUENCE,)),
        Example({"layer": GRU(2, return_sequences=True), "merge_mode": "ave"}, (_SEQUENCE,)),
    )

    def inputs(self) -> tuple[Port, ...]:
        inner = self._inner
        return Port("x"), *_of_each_side(inner.inputs()[1:] if inner else ())

    def outputs(self) -> tuple[Port, ...]:
        inner = self._inner
        first = [Port("output")] if self.merge_mode else [Port(f"{s}_output") for s in _SIDES]
        return *first, *_of_each_side(inner.outputs()[1:] if inner else ())

    def problems(self) -> list[Problem]:
        found, inner = super().problems(), self._inner
        if found or inner is None:
            return found
        if inner.go_backwards:
            about = {"kind": self.kind, "received": inner.kind}
            return [Problem("bidirectional_backwards", args=about)]
        return inner.problems()

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        inner = self.layer.weights(x[0])
        return tuple(replace(w, name=f"{side}/{w.name}") for side in self._names() for w in inner)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Sequence[Value]:
        cell = self._cell
        given, count = initial_states(self, cell.units, x), len(cell.states)
        each = zip(given[:count], given[count:], strict=True)
        first = [op.Concat(*(op.Unsqueeze(s, _ints(0)) for s in pair), axis=0) for pair in each]
        mask = op.mask(x[0]) if self.heeds_mask(len(x)) else None
        weights = [w.within(name) for name in self._names()]
        read = read_sequence(op, cell, weights, x[0], mask, first, "bidirectional")
        if not cell.return_sequences:
            both = op.Transpose(read.ends[0], perm=(1, 0, 2))
        elif read.packed is None:
            both = op.Transpose(read.steps, perm=(2, 0, 1, 3))
        else:
            steps = op.Transpose(read.steps, perm=(0, 2, 1, 3))
            joined = op.Reshape(steps, _ints(0, 0, 2 * cell.units))
            both = op.Reshape(scatter(op, joined, read.packed), _ints(0, 0, 2, cell.units))
        outputs = self._merge(op, both)
        ends = [(d, end) for d in range(2) for end in read.ends] if cell.return_state else []
        states = [op.Gather(end, np.array(d, np.int64), axis=0) for d, end in ends]
        self._measure(op, both, states)
        return [*outputs, *states]

    def heeds_mask(self, arriving: int) -> bool:
        return heeds_mask(arriving)

    def mask(self, op: LayerBuilder, *x: Value) -> Masks:
        mask = op.mask(x[0]) if self._cell.return_sequences else None
        return mask if self.merge_mode else (mask, mask)

    @property
    def _inner(self) -> Recurrent | None:
        return self.layer if isinstance(self.layer, Recurrent) else None

    @property
    def _cell(self) -> Recurrent:
        """The inner layer of a declaration without problems."""
        assert isinstance(self.layer, Recurrent)
        return self.layer

    def _names(self) -> list[str]:
        """What Keras calls the two copies."""
        return [f"{side}_{snake(self.layer.kind)}" for side in _SIDES]

    def _measure(self, op: LayerBuilder, both: Value, states: Sequence[Value]) -> None:
        """What the copies give costs what the inner layer says; before it is merged."""
        regularizer = self._cell.activity()
        if regularizer is not None:
            results = (op.Gather(both, np.array(d, np.int64), axis=both.rank - 2) for d in range(2))
            op.measured += [(regularizer, result) for result in (*results, *states)]

    def _merge(self, op: LayerBuilder, both: Value) -> list[Value]:
        """What both directions give, (…, 2, units), as one result or two."""
        axis = both.rank - 2
        if self.merge_mode == "concat":
            return [op.Reshape(both, _ints(*(0,) * axis, 2 * self._cell.units))]
        if self.merge_mode in ("sum", "ave"):
            reduce = op.ReduceSum if self.merge_mode == "sum" else op.ReduceMean
            return [reduce(both, _ints(axis), keepdims=0)]
        results = [op.Gather(both, np.array(d, np.int64), axis=axis) for d in range(2)]
        return [op.Mul(*results)] if self.merge_mode == "mul" else results
