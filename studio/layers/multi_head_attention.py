"""Several attentions at once, each in a space of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform
from studio.layers.attending import SCORED, at_or_before, both_valid, same_size
from studio.layers.base import Example, Layer, LayerBuilder, Port, Weight, Weights
from studio.layers.expect import float_input, known_last_axis
from studio.layers.masking import truth
from studio.layers.noise import dropped
from studio.layers.products import for_product
from studio.layers.values import Range
from studio.regularizers.base import Regularizer

_APART = -1e9  # what a score becomes that does not count
_QUERY, _VALUE = Spec("float32", ("batch", 3, 4)), Spec("float32", ("batch", 2, 4))


@dataclass(frozen=True)
class MultiHeadAttention(Layer):
    """Attention in several learnt spaces at once, its results joined (Vaswani et al., 2017).

    Keys are the values where none are wired. Masks that travel with queries, values and keys
    count, and one may be wired that says for each query which values it sees.
    """

    category = "Attention"
    synonyms = ("transformer", "self-attention", "MHA", "多头注意力", "自注意力")
    supports_masking = True
    num_heads: int = param(4, "How many attentions there are", min=1)
    key_dim: int = param(16, "Size of each head’s queries and keys", min=1)
    value_dim: int | None = param(None, "Size of each head’s values; None: as the keys", min=1)
    dropout: float = param(0.0, "Share of weights set to zero while training", min=0, max=1)
    use_bias: bool = param(True, "Add bias vectors")
    output_shape: tuple[int, ...] | None = param(
        None, "Shape of the result’s features; None: as the query’s", min=1
    )
    kernel_initializer: Initializer = param(
        GlorotUniform(), "How the kernels start", family="initializers"
    )
    bias_initializer: Initializer = param(Zeros(), "How the biases start", family="initializers")
    kernel_regularizer: Regularizer | None = param(
        None, "What large values of the kernels cost", family="regularizers"
    )
    bias_regularizer: Regularizer | None = param(
        None, "What large values of the biases cost", family="regularizers"
    )
    activity_regularizer: Regularizer | None = param(
        None, "What large results of its four products cost, by sample", family="regularizers"
    )
    kernel_constraint: Constraint | None = param(
        None, "What the kernels must be after a step", family="constraints"
    )
    bias_constraint: Constraint | None = param(
        None, "What the biases must be after a step", family="constraints"
    )
    use_causal_mask: bool = param(False, "Each query sees the values up to its own place")
    return_attention_scores: bool = param(False, "Give the weights of the values as well")
    examples = (
        Example({"num_heads": 2, "key_dim": 2}, (_QUERY, _VALUE)),
        Example(
            {"num_heads": 2, "key_dim": 2, "value_dim": 3, "output_shape": [5], **SCORED},
            (_QUERY, _VALUE, Spec("float32", ("batch", 2, 3))),
        ),
        Example(
            {"num_heads": 1, "key_dim": 2, "use_causal_mask": True, "use_bias": False},
            (_QUERY, _QUERY),
        ),
        Example(
            {"num_heads": 2, "key_dim": 1, "dropout": 0.3},
            (_QUERY, _VALUE, _VALUE, Spec("bool", ("batch", 3, 2))),
        ),
        Example(
            {"num_heads": 2, "key_dim": 1, "output_shape": [2, 2], "use_causal_mask": True},
            (_QUERY, _VALUE, _VALUE, Spec("bool", ("batch", 3, 2))),
        ),
    )

    def __post_init__(self) -> None:
        shape: Any = self.output_shape
        if isinstance(shape, int):  # one alone, as in Keras
            object.__setattr__(self, "output_shape", (shape,))
        super().__post_init__()

    def inputs(self) -> tuple[Port, ...]:
        optional = (Port(n, optional=True) for n in ("key", "attention_mask"))
        return (Port("query"), Port("value"), *optional)

    def outputs(self) -> tuple[Port, ...]:
        scores = (Port("attention_scores"),) if self.return_attention_scores else ()
        return (Port("output"), *scores)

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        query, value = x[:2]
        key = x[2] if len(x) > 2 else value
        found: list[Weight] = []
        for name, spec, size in (
            ("query", query, self.key_dim),
            ("key", key, self.key_dim),
            ("value", value, self._value_dim()),
        ):
            width = known_last_axis(self.kind, spec)
            found += self._dense(name, (width,), (self.num_heads, size))
        heads = self.num_heads, self._value_dim()
        return (*found, *self._dense("attention_output", heads, self._result(query)))

    def activity(self) -> None:
        """Its result is not measured, but what each product with a kernel gives, as in Keras."""

    def _measure(self, op: LayerBuilder, product: Value) -> Value:
        if self.activity_regularizer is not None:
            op.measured.append((self.activity_regularizer, product))
        return product

    def range(self, *x: Range | None) -> Range:
        return Range()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value | Sequence[Value]:
        query, value = x[:2]
        key = x[2] if len(x) > 2 else value
        for given in (query, value, key):
            float_input(self.kind, given.spec, rank=3)
        same_size(self.kind, value, key, 1)
        queries, keys, values = (
            self._heads(op, w.within(name), given, size)
            for name, given, size in (
                ("query", query, self.key_dim),
                ("key", key, self.key_dim),
                ("value", value, self._value_dim()),
            )
        )
        scaled = op.Mul(queries, 1.0 / sqrt(self.key_dim))
        scores = op.MatMul(scaled, op.Transpose(keys, perm=(0, 1, 3, 2)))
        shares = self._shares(op, scores, self._valid(op, *x))
        given = dropped(op, shares, self.dropout) if op.training and self.dropout else shares
        joined = op.Transpose(op.MatMul(given, values), perm=(0, 2, 1, 3))
        output = self._joined(op, w.within("attention_output"), joined, self._result(query.spec))
        return (output, shares) if self.return_attention_scores else output

    def mask(self, op: LayerBuilder, *x: Value) -> Value | None:
        """The result goes with the queries."""
        return op.mask(x[0])

    def _shares(self, op: LayerBuilder, scores: Value, valid: Value | None) -> Value:
        """The weights of the values.

        Q: Why are they only zero where nothing is valid if dropout or the scores are wanted?
        A: Keras computes it in two ways. The one that gives the scores makes them 0; the other,
           taken if neither is wanted, weighs all values alike.
        """
        if valid is None:
            return op.Softmax(scores, axis=-1)
        shares = op.Softmax(op.Where(valid, scores, _APART), axis=-1)
        kept = self.dropout or self.return_attention_scores
        return op.Where(valid, shares, 0.0) if kept else shares

    def _valid(self, op: LayerBuilder, *x: Value) -> Value | None:
        """What each query may see: broadcasts against (batch, heads, queries, values)."""
        found = None
        if len(x) > 3:
            wired = truth(op, x[3])
            found = wired if wired.rank == 4 else op.Unsqueeze(wired, _ints(1))
        for of, axes in ((0, (1, 3)), (1, (1, 2)), (2, (1, 2))):
            travelling = op.mask(x[of]) if of < len(x) else None
            if travelling is not None:
                found = both_valid(op, found, op.Unsqueeze(travelling, _ints(*axes)))
        if self.use_causal_mask:
            found = both_valid(op, found, op.Unsqueeze(at_or_before(op, x[0], x[1]), _ints(1)))
        return found

    def _heads(self, op: LayerBuilder, w: Weights, x: Value, size: int) -> Value:
        """`x` in the space of each head: (batch, heads, time, size)."""
        columns = self.num_heads * size
        y = op.MatMul(x, op.Reshape(w.kernel, _ints(-1, columns)))
        if self.use_bias:
            y = op.Add(y, op.Reshape(w.bias, _ints(columns)))
        parts = self._measure(op, op.Reshape(y, _ints(0, 0, self.num_heads, size)))
        return op.Transpose(parts, perm=(0, 2, 1, 3))

    def _joined(self, op: LayerBuilder, w: Weights, x: Value, result: tuple[int, ...]) -> Value:
        """The heads of each query (batch, time, heads, size) mixed to one result."""
        rows, columns = self.num_heads * self._value_dim(), prod(result)
        y = op.MatMul(op.Reshape(x, _ints(0, 0, rows)), op.Reshape(w.kernel, _ints(rows, columns)))
        if self.use_bias:
            y = op.Add(y, op.Reshape(w.bias, _ints(columns)))
        return self._measure(op, y if len(result) == 1 else op.Reshape(y, _ints(0, 0, *result)))

    def _dense(self, name: str, of: tuple[int, ...], to: tuple[int, ...]) -> list[Weight]:
        kernel = Weight(
            f"{name}/kernel",
            (*of, *to),
            for_product(self.kernel_initializer, tuple(range(len(of)))),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        bias = Weight(
            f"{name}/bias",
            to,
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return [kernel, bias] if self.use_bias else [kernel]

    def _value_dim(self) -> int:
        return self.value_dim or self.key_dim

    def _result(self, query: Spec) -> tuple[int, ...]:
        """The features of the result."""
        return self.output_shape or (known_last_axis(self.kind, query),)


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)
