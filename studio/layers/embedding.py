"""Integers to vectors."""

from dataclasses import dataclass

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.random import RandomUniform
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import integer_input
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class Embedding(Layer):
    """Each integer becomes a trainable vector, a row of a table."""

    category = "Core"
    synonyms = ("lookup", "word vectors", "嵌入", "词向量")
    input_dim: int = param(1000, "Number of rows: one above the largest integer", min=1)
    output_dim: int = param(64, "Length of each vector", min=1)
    embeddings_initializer: Initializer = param(
        RandomUniform(), "How the table starts", family="initializers"
    )
    embeddings_regularizer: Regularizer | None = param(
        None, "What large values of the table cost", family="regularizers"
    )
    embeddings_constraint: Constraint | None = param(
        None, "What the table must be after a step", family="constraints"
    )
    mask_zero: bool = param(False, "Integer 0 is padding: later layers skip it")
    examples = (
        Example({"input_dim": 7, "output_dim": 3}, (Spec("int32", ("batch", 5)),), high=7),
        Example({"input_dim": 4, "output_dim": 2}, (Spec("int32", ("batch", 2, 3)),), high=4),
    )

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        shape = (self.input_dim, self.output_dim)
        table = Weight(
            "embeddings",
            shape,
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        return (table,)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        integer_input(self.kind, x[0].spec)
        return op.Gather(w.embeddings, x[0], axis=0)

    def mask(self, op: LayerBuilder, *x: Value) -> Value | None:
        if not self.mask_zero:
            return None
        return op.Not(op.Equal(x[0], np.array(0, x[0].dtype)))
