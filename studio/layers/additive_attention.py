"""Attention by what a query and a key add up to."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.random import GlorotUniform
from studio.layers.attending import SCORED
from studio.layers.attention import Attention, every_sum
from studio.layers.base import Example, LayerBuilder, Weight, Weights
from studio.layers.expect import known_last_axis

_QUERY, _VALUE = Spec("float32", ("batch", 3, 2)), Spec("float32", ("batch", 4, 2))
_MASKS = Spec("bool", ("batch", 3)), Spec("bool", ("batch", 4))


@dataclass(frozen=True)
class AdditiveAttention(Attention):
    """For each query a mean of the values, weighed by tanh of query plus key.

    Keys are the values where none are wired (Bahdanau et al., 2015). Masks are as in Attention.
    """

    synonyms = ("Bahdanau", "additive", "注意力", "加性")
    use_scale: bool = param(True, "Weigh the features by numbers that are trained")
    score_mode: str = param("dot", "Of no effect here; Attention’s", choices=("dot", "concat"))
    examples = (
        Example({}, (_QUERY, _VALUE)),
        Example({"use_scale": False, **SCORED}, (_QUERY, _VALUE)),
        Example({"use_causal_mask": True, "dropout": 0.3}, (_QUERY, _VALUE)),
        Example(SCORED, (_QUERY, _VALUE, _VALUE, *_MASKS)),
    )

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        width = known_last_axis(self.kind, x[0])
        return (Weight("scale", (width,), GlorotUniform()),) if self.use_scale else ()

    def scores(self, op: LayerBuilder, w: Weights, query: Value, key: Value) -> Value:
        fits = op.Tanh(every_sum(op, query, key))
        fits = op.Mul(fits, w.scale) if self.use_scale else fits
        return op.ReduceSum(fits, np.array([-1], np.int64), keepdims=0)
