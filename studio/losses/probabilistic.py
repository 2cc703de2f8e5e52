"""Losses between probabilities, as Keras 3 computes them on JAX (keras/src/backend/jax/nn.py)."""

from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operators.crossentropy import clipped
from studio.engine.program import Spec
from studio.losses.base import Loss, mean_last


@dataclass(frozen=True)
class BinaryCrossentropy(Loss):
    """−mean(y·log p + (1 − y)·log(1 − p)), for outputs in [0, 1] such as a sigmoid's."""

    probabilities = "each"

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        p = clipped(op, output)
        positive = op.Mul(target, op.Log(p))
        negative = op.Mul(op.Sub(1.0, target), op.Log(op.Sub(1.0, p)))
        return mean_last(op, op.Neg(op.Add(positive, negative)))


@dataclass(frozen=True)
class CategoricalCrossentropy(Loss):
    """−Σ y·log p over the last axis, for one-hot targets and outputs such as a softmax's."""

    probabilities = "shared"

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        return op.CategoricalCrossentropy(target, output)


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(Loss):
    """−log p of the target's class, for targets given as class numbers."""

    probabilities = "shared"

    def target(self, output: Spec) -> Spec:
        return Spec("int32", (*output.shape[:-1], 1))

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        depth = output.shape[-1]
        classes = op.Squeeze(target, np.array([-1], np.int64))
        on_off = np.array([0, 1], np.dtype(output.dtype))
        hot = op.OneHot(classes, np.array(depth, np.dtype(target.dtype)), on_off, axis=-1)
        return op.CategoricalCrossentropy(hot, output)
