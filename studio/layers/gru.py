"""Gated recurrent unit."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Attribute, Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform, Orthogonal
from studio.layers.base import Example, LayerBuilder, Weight
from studio.layers.recurrent import FUNCTIONS, Recurrent
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class GRU(Recurrent):
    """Reads a sequence step by step, its gates mixing old state and new (Cho et al., 2014)."""

    operator: ClassVar[str] = "GRU"
    synonyms = ("gated recurrent unit", "recurrent", "门控循环单元", "循环")
    gates = (0, 1, 2)  # z, r, h in Keras and in ONNX
    units: int = param(32, "Size of the output, which is the state", min=1)
    activation: str = param("tanh", "Of the candidate", choices=FUNCTIONS)
    recurrent_activation: str = param("sigmoid", "Of the gates", choices=FUNCTIONS)
    use_bias: bool = param(True, "Add a bias vector")
    kernel_initializer: Initializer = param(
        GlorotUniform(), "How the input's kernel starts", family="initializers"
    )
    recurrent_initializer: Initializer = param(
        Orthogonal(), "How the state's kernel starts", family="initializers"
    )
    bias_initializer: Initializer = param(Zeros(), "How the bias starts", family="initializers")
    kernel_regularizer: Regularizer | None = param(
        None, "What large values of the input's kernel cost", family="regularizers"
    )
    recurrent_regularizer: Regularizer | None = param(
        None, "What large values of the state's kernel cost", family="regularizers"
    )
    bias_regularizer: Regularizer | None = param(
        None, "What large values of the bias cost", family="regularizers"
    )
    activity_regularizer: Regularizer | None = param(
        None, "What large results cost, by sample", family="regularizers"
    )
    kernel_constraint: Constraint | None = param(
        None, "What the input's kernel must be after a step", family="constraints"
    )
    recurrent_constraint: Constraint | None = param(
        None, "What the state's kernel must be after a step", family="constraints"
    )
    bias_constraint: Constraint | None = param(
        None, "What the bias must be after a step", family="constraints"
    )
    dropout: float = param(
        0.0, "Share of the input set to zero while training, alike at each step", min=0, max=1
    )
    recurrent_dropout: float = param(
        0.0, "Share of the state that each gate misses while training", min=0, max=1
    )
    return_sequences: bool = param(False, "Give the output of every step, not only the last")
    return_state: bool = param(False, "Give the last state as well")
    go_backwards: bool = param(False, "Read the sequence from its end")
    reset_after: bool = param(
        True, "Reset after the product with the state's kernel, not before; it has a bias then"
    )
    examples = (
        Example({"units": 3}, (Spec("float32", ("batch", 5, 4)),)),
        Example(
            {"units": 2, "reset_after": False, "return_sequences": True, "return_state": True},
            (Spec("float32", ("batch", 4, 3)), Spec("float32", ("batch", 2))),
        ),
        Example(
            {"units": 2, "go_backwards": True, "return_sequences": True, "use_bias": False},
            (Spec("float32", ("batch", 4, 3)),),
        ),
        Example(
            {"units": 2, "dropout": 0.3, "recurrent_dropout": 0.4, "return_sequences": True},
            (Spec("float32", ("batch", 4, 3)),),
        ),
        Example({"units": 2, "dropout": 0.4}, (Spec("float32", ("batch", 3, 2)),)),
        Example(
            {"units": 2, "reset_after": False, "dropout": 0.3, "recurrent_dropout": 0.4},
            (Spec("float32", ("batch", 4, 3)),),
        ),
    )

    def bias(self, columns: int) -> Weight:
        """Two rows where the state's product has a bias of its own, before the reset."""
        bias = super().bias(columns)
        return replace(bias, shape=(2, columns)) if self.reset_after else bias

    def both_biases(self, op: LayerBuilder, bias: Value) -> Value:
        if not self.reset_after:
            return super().both_biases(op, bias)
        return op.Reshape(bias, np.array([-1], np.int64))

    def functions(self) -> tuple[str, ...]:
        return self.recurrent_activation, self.activation

    def attributes(self) -> dict[str, Attribute]:
        return {"linear_before_reset": int(self.reset_after)}
