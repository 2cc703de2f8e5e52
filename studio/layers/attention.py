"""Attention by comparing each query with each key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.constant import Ones
from studio.layers.attending import SCORED, at_or_before, both_valid, same_size
from studio.layers.base import Example, Layer, LayerBuilder, Port, Weight, Weights
from studio.layers.expect import float_input
from studio.layers.masking import truth
from studio.layers.noise import dropped

_APART = 1e9  # what is taken off a score that does not count, Keras's number
_QUERY, _VALUE = Spec("float32", ("batch", 3, 2)), Spec("float32", ("batch", 4, 2))
_MASKS = Spec("bool", ("batch", 3)), Spec("bool", ("batch", 4))


@dataclass(frozen=True)
class Attention(Layer):
    """For each query a mean of the values, weighed by how well it fits their keys.

    Keys are the values where none are wired (Luong et al., 2015). A query that is masked gives
    zeros; a value that is masked has no weight.
    """

    category = "Attention"
    synonyms: ClassVar[tuple[str, ...]] = ("dot-product", "Luong", "self-attention", "注意力")
    supports_masking = True
    use_scale: bool = param(False, "Multiply the scores by a number that is trained")
    score_mode: str = param(
        "dot", "Compare by a product, or by tanh of the sum", choices=("dot", "concat")
    )
    dropout: float = param(0.0, "Share of weights set to zero while training", min=0, max=1)
    use_causal_mask: bool = param(False, "Each query sees the values up to its own place")
    return_attention_scores: bool = param(False, "Give the weights of the values as well")
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, (_QUERY, _VALUE)),
        Example({"use_scale": True}, (_QUERY, Spec("float32", ("batch", 4, 3)), _VALUE)),
        Example({"score_mode": "concat", **SCORED}, (_QUERY, _VALUE)),
        Example({"score_mode": "concat", "use_scale": True}, (_QUERY, _VALUE)),
        Example({"use_causal_mask": True, "dropout": 0.3}, (_QUERY, _VALUE)),
        Example(SCORED, (_QUERY, _VALUE, _VALUE, *_MASKS)),
    )

    def inputs(self) -> tuple[Port, ...]:
        optional = (Port(n, optional=True) for n in ("key", "query_mask", "value_mask"))
        return (Port("query"), Port("value"), *optional)

    def outputs(self) -> tuple[Port, ...]:
        scores = (Port("attention_scores"),) if self.return_attention_scores else ()
        return (Port("output"), *scores)

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        scale, concat = Weight("scale", (), Ones()), Weight("concat_score_weight", (), Ones())
        return (*([scale] * self.use_scale), *([concat] * (self.score_mode == "concat")))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value | Sequence[Value]:
        query, value = x[:2]
        key = x[2] if len(x) > 2 else value
        for given in (query, value, key):
            float_input(self.kind, given.spec, rank=3)
        same_size(self.kind, query, key, 2)
        same_size(self.kind, value, key, 1)
        scores = self.scores(op, w, query, key)
        valid = self._valid(op, *x)
        if valid is not None:
            scores = op.Where(valid, scores, op.Sub(scores, _APART))
        shares = op.Softmax(scores, axis=-1)
        if op.training and self.dropout:
            shares = dropped(op, shares, self.dropout)
        output = op.MatMul(shares, value)
        queries = self._mask(op, 0, *x)
        if queries is not None:
            output = op.Where(op.Unsqueeze(queries, np.array([-1], np.int64)), output, 0.0)
        return (output, shares) if self.return_attention_scores else output

    def scores(self, op: LayerBuilder, w: Weights, query: Value, key: Value) -> Value:
        """How well each query fits each key: (batch, queries, keys)."""
        if self.score_mode == "dot":
            found = op.MatMul(query, op.Transpose(key, perm=(0, 2, 1)))
            return op.Mul(found, w.scale) if self.use_scale else found
        sums = every_sum(op, query, key)
        fits = op.Tanh(op.Mul(sums, w.scale) if self.use_scale else sums)
        each = op.ReduceSum(fits, np.array([-1], np.int64), keepdims=0)
        return op.Mul(each, w.concat_score_weight)

    def mask(self, op: LayerBuilder, *x: Value) -> Value | None:
        """The result goes with the queries."""
        return self._mask(op, 0, *x)

    def _mask(self, op: LayerBuilder, of: int, *x: Value) -> Value | None:
        """The mask of the queries (0) or of the values (1): wired, or the one that travels."""
        return truth(op, x[3 + of]) if len(x) > 3 + of else op.mask(x[of])

    def _valid(self, op: LayerBuilder, *x: Value) -> Value | None:
        """What each query may see: (batch or 1, queries or 1, values)."""
        values = self._mask(op, 1, *x)
        seen = None if values is None else op.Unsqueeze(values, np.array([1], np.int64))
        if not self.use_causal_mask:
            return seen
        return both_valid(op, seen, at_or_before(op, x[0], x[1]))


def every_sum(op: LayerBuilder, query: Value, key: Value) -> Value:
    """Each query and each key added: (batch, queries, keys, width)."""
    rows = op.Unsqueeze(query, np.array([2], np.int64))
    return op.Add(rows, op.Unsqueeze(key, np.array([1], np.int64)))
