"""One vector, several times."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import has_rank


@dataclass(frozen=True)
class RepeatVector(Layer):
    """Makes a sequence of a vector by repeating it."""

    category = "Reshaping"
    synonyms = ("tile", "broadcast", "encoder decoder", "重复", "复制")
    rearranges = True
    n: int = param(2, "How often: the length of the sequence", min=1)
    examples = (
        Example({"n": 3}, (Spec("float32", ("batch", 4)),)),
        Example({"n": 1}, (Spec("float32", ("batch", 2)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        has_rank(self.kind, x[0].spec, rank=2)
        one = op.Unsqueeze(x[0], np.array([1], np.int64))
        return op.Expand(one, np.array([1, self.n, 1], np.int64))
