"""Long short-term memory."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.program import Array, Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform, Orthogonal
from studio.layers.base import Example, Weight
from studio.layers.recurrent import FUNCTIONS, Recurrent
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class ForgetBias(Initializer):
    """The LSTM's bias: `rest` everywhere, ones for the forget gate (Jozefowicz et al., 2015)."""

    rest: Initializer = Zeros()

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        self.rest.accept(weight, shape)

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        bias = self.rest.fill(shape, rng)
        units = shape[0] // 4
        bias[units : 2 * units] = 1
        return bias


@dataclass(frozen=True)
class LSTM(Recurrent):
    """Reads a sequence step by step, keeping a memory cell (Hochreiter & Schmidhuber, 1997)."""

    operator: ClassVar[str] = "LSTM"
    synonyms = ("long short-term memory", "recurrent", "长短期记忆", "循环")
    states = ("h", "c")
    gates = (0, 3, 1, 2)  # i, o, f, c in ONNX; i, f, c, o in Keras
    units: int = param(32, "Size of the output and of the memory", min=1)
    activation: str = param("tanh", "Of the candidate and the result", choices=FUNCTIONS)
    recurrent_activation: str = param("sigmoid", "Of the gates", choices=FUNCTIONS)
    use_bias: bool = param(True, "Add a bias vector")
    kernel_initializer: Initializer = param(
        GlorotUniform(), "How the input's kernel starts", family="initializers"
    )
    recurrent_initializer: Initializer = param(
        Orthogonal(), "How the state's kernel starts", family="initializers"
    )
    bias_initializer: Initializer = param(Zeros(), "How the bias starts", family="initializers")
    unit_forget_bias: bool = param(True, "Start the forget gate's bias at 1")
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
    return_state: bool = param(False, "Give the last output and memory as well")
    go_backwards: bool = param(False, "Read the sequence from its end")
    examples = (
        Example({"units": 3}, (Spec("float32", ("batch", 5, 4)),)),
        Example({"units": 2, "return_sequences": True}, (Spec("float32", ("batch", 4, 3)),)),
        Example(
            {"units": 2, "go_backwards": True, "return_sequences": True, "use_bias": False},
            (Spec("float32", ("batch", 4, 3)),),
        ),
        Example(
            {"units": 2, "return_state": True},
            (Spec("float32", ("batch", 4, 3)), *(Spec("float32", ("batch", 2)),) * 2),
        ),
        Example(
            {"units": 2, "dropout": 0.3, "recurrent_dropout": 0.4, "return_sequences": True},
            (Spec("float32", ("batch", 4, 3)),),
        ),
        Example({"units": 2, "dropout": 0.4}, (Spec("float32", ("batch", 3, 2)),)),
    )

    def bias(self, columns: int) -> Weight:
        bias = super().bias(columns)
        forget = ForgetBias(self.bias_initializer) if self.unit_forget_bias else bias.initializer
        return replace(bias, initializer=forget)

    def functions(self) -> tuple[str, ...]:
        return self.recurrent_activation, self.activation, self.activation
