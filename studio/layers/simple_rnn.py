"""The plainest recurrent layer."""

from dataclasses import dataclass
from typing import ClassVar

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform, Orthogonal
from studio.layers.base import Example
from studio.layers.recurrent import FUNCTIONS, Recurrent
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    """Reads a sequence step by step; its output is its only memory (Elman, 1990).

    Q: Why does its activity_regularizer count, when Keras 3.15.1 takes one and forgets it?
    A: Who gives one wants it, and the other recurrent layers heed theirs.
    """

    operator: ClassVar[str] = "RNN"
    synonyms = ("recurrent", "elman", "vanilla rnn", "循环", "简单循环网络")
    units: int = param(32, "Size of the output, which is the state", min=1)
    activation: str = param("tanh", "Of the result", choices=FUNCTIONS)
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
    examples = (
        Example({"units": 3}, (Spec("float32", ("batch", 5, 4)),)),
        Example(
            {"units": 2, "activation": "sigmoid", "return_sequences": True, "return_state": True},
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
    )

    def functions(self) -> tuple[str, ...]:
        return (self.activation,)
