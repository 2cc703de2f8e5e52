"""What recurrent layers drop while they train: of what they read, and of the state they carry.

A draw holds for all steps of a sequence (Gal & Ghahramani, 2016). As in Keras 3.15.1 the state is
dropped for each gate by itself, and then so is the input; without that, all gates read the same.

Q: Why has each direction a node of its own where something is dropped?
A: Each has draws of its own, and one node reads one sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from studio.engine.bodies.operands import KEPT
from studio.engine.builder import Value, table
from studio.layers.base import LayerBuilder
from studio.layers.noise import dropped, share_kept


class Dropping(Protocol):
    """What is read of a recurrent layer."""

    operator: ClassVar[str]
    gates: ClassVar[tuple[int, ...]]
    units: int
    dropout: float
    recurrent_dropout: float


def drops(op: LayerBuilder, layer: Dropping) -> bool:
    """Whether anything is dropped in the program at hand."""
    return op.training and (layer.dropout > 0 or layer.recurrent_dropout > 0)


@dataclass(frozen=True)
class Operands:
    """One direction's operands, from the sequence on; `kernels` are ONNX's W, R and B."""

    steps: Value
    kernels: Sequence[Value | None]
    lengths: Value | None
    first: Sequence[Value]


def read_dropping(op: LayerBuilder, layer: Dropping, given: Operands) -> tuple[str, list[object]]:
    """The operator that reads a direction while something is dropped, and its operands."""
    steps, (w, *others) = given.steps, given.kernels
    assert w is not None
    if layer.dropout:
        steps, w = _input_dropped(op, layer, steps, w)
    operands: list[object] = [steps, w, *others, given.lengths, *given.first]
    if not layer.recurrent_dropout:
        return layer.operator, operands
    batch, gates = steps.shape[1], len(layer.gates)
    kept = share_kept(op, steps, layer.recurrent_dropout, (1, gates, batch, layer.units))
    operands += [None] * (KEPT - len(operands))
    return f"{layer.operator}Training", [*operands, kept]


def _input_dropped(
    op: LayerBuilder, layer: Dropping, steps: Value, w: Value
) -> tuple[Value, Value]:
    """The sequence (time, batch, width), and W to read it with.

    Where each gate reads a sequence of its own, they stand side by side, and of W's rows a gate's
    are zero but for its own.
    """
    gates, width = len(layer.gates), w.shape[2]
    assert isinstance(width, int)
    batch = steps.shape[1]
    if not layer.recurrent_dropout or gates == 1:
        return dropped(op, steps, layer.dropout, (batch, width)), w
    beside = op.Concat(*[steps] * gates, axis=2)
    one = (layer.units, width)
    shape = (1, gates * layer.units, gates * width)
    own = table(shape, lambda: np.kron(np.eye(gates), np.ones(one))[None])
    rows = op.Mul(op.Concat(*[w] * gates, axis=2), op.const(own, w.dtype))
    return dropped(op, beside, layer.dropout, (batch, gates * width)), rows
