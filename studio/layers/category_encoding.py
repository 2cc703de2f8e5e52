"""Categories as zeros and ones."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import has_rank, integer_input
from studio.layers.values import Range

_SECOND = np.array([1], np.int64)


@dataclass(frozen=True)
class CategoryEncoding(Layer):
    """Makes of integers a vector with a place for each of them: a one, or how often it occurs."""

    category = "Core"
    synonyms = ("one-hot", "multi-hot", "bag of words", "count", "dummy", "独热", "多热", "编码")
    num_tokens: int = param(
        10, "How many categories there are: the largest integer plus one", min=1
    )
    output_mode: str = param(
        "multi_hot",
        "one_hot: a vector for each integer; multi_hot: one for all of a sample; count: how often",
        choices=("multi_hot", "one_hot", "count"),
    )
    examples = (
        Example({"num_tokens": 4}, (Spec("int32", ("batch", 3)),), high=4),
        Example({"num_tokens": 3, "output_mode": "count"}, (Spec("int32", ("batch", 4)),), high=3),
        Example({"num_tokens": 4, "output_mode": "one_hot"}, (Spec("int32", ("batch", 1)),)),
        Example({"num_tokens": 4, "output_mode": "one_hot"}, (Spec("int64", ("batch", 2)),)),
    )

    def range(self, *x: Range | None) -> Range:
        return Range(0.0) if self.output_mode == "count" else Range(0.0, 1.0)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        integer_input(self.kind, x[0].spec)
        has_rank(self.kind, x[0].spec, at_least=2)
        return encoded(op, x[0], self.num_tokens, self.output_mode)


def encoded(op: LayerBuilder, x: Value, depth: int, mode: str) -> Value:
    """Integers in one of CategoryEncoding's modes; those outside give zeros."""
    if mode == "one_hot" and x.shape[-1] == 1:
        x = op.Squeeze(x, np.array([-1], np.int64))
    each = op.OneHot(x, depth, np.array([0, 1], np.float32), axis=-1)
    if mode == "one_hot":
        return each
    reduce = op.ReduceSum if mode == "count" else op.ReduceMax
    return reduce(each, _SECOND, keepdims=0)
