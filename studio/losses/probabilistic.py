"""Losses between probabilities, as Keras 3 computes them on JAX (keras/src/backend/jax/nn.py)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import Unread, param
from studio.engine.builder import Builder, Value
from studio.engine.operators.crossentropy import EPSILON, clipped
from studio.engine.program import Spec
from studio.losses.base import Loss, axis_last, mean_last, sum_last
from studio.problem import Problem

_LOGITS = "Outputs are logits: before sigmoid or softmax"
_SMOOTHING = "Share of each target that is spread over all classes"
_AXIS = "The axis of the classes"
_ALPHA = "Weight of the classes: of all, or of each"
_GAMMA = "How much less well told samples count"


@dataclass(frozen=True)
class BinaryCrossentropy(Loss):
    """−mean(y·log p + (1 − y)·log(1 − p)), for outputs in [0, 1] such as a sigmoid's."""

    probabilities = "each"
    from_logits: bool = param(False, _LOGITS)
    label_smoothing: float = param(0.0, _SMOOTHING, min=0, max=1)
    axis: int = param(-1, "The axis the mean is taken over")

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        y = _evened(op, target, self.label_smoothing, 2)
        values = _of_logits(op, y, output) if self.from_logits else _binary(op, y, output)
        return op.ReduceMean(values, np.array([self.axis], np.int64), keepdims=0)


@dataclass(frozen=True)
class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy times (1 − p of the truth)^γ: what is told well counts less."""

    probabilities = "each"
    apply_class_balancing: bool = param(False, "Weigh ones by alpha, zeros by 1 − alpha")
    alpha: float = param(0.25, "Weight of the ones, where classes are balanced", min=0, max=1)
    gamma: float = param(2.0, _GAMMA, min=0)
    from_logits: bool = param(False, _LOGITS)
    label_smoothing: float = param(0.0, _SMOOTHING, min=0, max=1)
    axis: int = param(-1, "The axis the mean is taken over")

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        y = _evened(op, target, self.label_smoothing, 2)
        p = op.Sigmoid(output) if self.from_logits else output
        values, no = _binary(op, y, p), op.Sub(1.0, y)
        if self.gamma:
            told = op.Add(op.Mul(y, p), op.Mul(no, op.Sub(1.0, p)))
            values = op.Mul(op.Pow(op.Sub(1.0, told), self.gamma), values)
        if self.apply_class_balancing:
            weight = op.Add(op.Mul(y, self.alpha), op.Mul(no, 1 - self.alpha))
            values = op.Mul(weight, values)
        return op.ReduceMean(values, np.array([self.axis], np.int64), keepdims=0)


@dataclass(frozen=True)
class CategoricalCrossentropy(Loss):
    """−Σ y·log p over the last axis, for one-hot targets and outputs such as a softmax's."""

    probabilities = "shared"
    from_logits: bool = param(False, _LOGITS)
    label_smoothing: float = param(0.0, _SMOOTHING, min=0, max=1)
    axis: int = param(-1, _AXIS)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        y = _evened(op, target, self.label_smoothing, target.shape[-1])
        y, p = axis_last(op, y, self.axis), axis_last(op, output, self.axis)
        return _categorical(op, y, p, self.from_logits)


@dataclass(frozen=True)
class CategoricalFocalCrossentropy(Loss):
    """Categorical cross-entropy times α·(1 − p)^γ for each class: what is told well counts less."""

    probabilities = "shared"
    alpha: tuple[float, ...] | float = param(0.25, _ALPHA, min=0)
    gamma: float = param(2.0, _GAMMA, min=0)
    from_logits: bool = param(False, _LOGITS)
    label_smoothing: float = param(0.0, _SMOOTHING, min=0, max=1)
    axis: int = param(-1, _AXIS)

    def misfit(self, output: Spec) -> Problem | None:
        found = super().misfit(output)
        if found or not isinstance(self.alpha, tuple):
            return found
        classes = output.shape[self.axis]
        if len(self.alpha) == classes:
            return None
        args = {"loss": self.kind, "received": len(self.alpha), "expected": classes}
        return Problem("loss_alpha", args=args)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        y = _evened(op, target, self.label_smoothing, target.shape[-1])
        y, p = axis_last(op, y, self.axis), axis_last(op, output, self.axis)
        p = op.Softmax(p, axis=-1) if self.from_logits else p
        share = op.Div(p, op.ReduceSum(p, np.array([-1], np.int64), keepdims=1))
        share = clipped(op, share)
        weight = np.array(self.alpha, share.dtype) if isinstance(self.alpha, tuple) else self.alpha
        factor = op.Mul(op.Pow(op.Sub(1.0, share), self.gamma), weight)
        return op.Neg(sum_last(op, op.Mul(factor, op.Mul(y, op.Log(share)))))


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(Loss):
    """−log p of the target's class, for targets given as class numbers."""

    order = ("from_logits", "ignore_class", "reduction", "axis", "name", "dtype")
    unread: ClassVar[Unread] = {**Loss.unread, "axis": (-1,)}
    probabilities = "shared"
    from_logits: bool = param(False, _LOGITS)
    ignore_class: int | None = param(None, "A class number whose places do not count")

    def target(self, output: Spec) -> Spec:
        return Spec("int32", (*output.shape[:-1], 1))

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        counted = self._labelled(op, target)
        if counted is None:
            return _categorical(op, one_hot(op, target, output), output, self.from_logits)
        known = op.Where(op.Unsqueeze(counted, _LAST), target, np.array(0, np.int32))
        hot = one_hot(op, known, output)
        values = _categorical(op, hot, _unfed(op, counted, output), self.from_logits)
        return op.Where(counted, values, 0.0)

    def counted(self, op: Builder, target: Value, values: Value) -> Value | None:
        return self._labelled(op, target)

    def _labelled(self, op: Builder, target: Value) -> Value | None:
        if self.ignore_class is None:
            return None
        ignored = op.Equal(target, np.array(self.ignore_class, np.int32))
        return op.Not(op.Squeeze(ignored, _LAST))


@dataclass(frozen=True)
class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 − p^q) / q of the target's class, for class numbers some of which are wrong."""

    probabilities = "shared"
    q: float = param(
        0.5, "Towards 0 it is cross-entropy, towards 1 the absolute error", min=0.001, max=1
    )

    def target(self, output: Spec) -> Spec:
        return Spec("int32", (*output.shape[:-1], 1))

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        p = sum_last(op, op.Mul(output, one_hot(op, target, output)))
        return op.Div(op.Sub(1.0, op.Pow(p, self.q)), self.q)


@dataclass(frozen=True)
class KLDivergence(Loss):
    """Σ y·log(y / p) over the last axis: how far one distribution is from another."""

    takes = (0.0, 1.0)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        y, p = (op.Min(op.Max(x, EPSILON), 1.0) for x in (target, output))
        return sum_last(op, op.Mul(y, op.Log(op.Div(y, p))))


@dataclass(frozen=True)
class Poisson(Loss):
    """Mean of p − y·log p, for counts and outputs above 0."""

    takes = (0.0, np.inf)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        log = op.Log(op.Add(output, EPSILON))
        return mean_last(op, op.Sub(output, op.Mul(target, log)))


_LAST = np.array([-1], np.int64)


def one_hot(op: Builder, target: Value, output: Value) -> Value:
    """Class numbers with a last axis of 1 as rows like the output's; those outside are all 0."""
    classes = op.Squeeze(target, _LAST)
    depth = np.array(output.shape[-1], np.dtype(target.dtype))
    return op.OneHot(classes, depth, np.array([0, 1], np.dtype(output.dtype)), axis=-1)


def _evened(op: Builder, target: Value, smoothing: float, classes: object) -> Value:
    """Targets with a share of them spread evenly over the classes."""
    if not smoothing or not isinstance(classes, int):
        return target
    return op.Add(op.Mul(target, 1 - smoothing), smoothing / classes)


def _binary(op: Builder, target: Value, output: Value) -> Value:
    p = clipped(op, output)
    positive = op.Mul(target, op.Log(p))
    negative = op.Mul(op.Sub(1.0, target), op.Log(op.Sub(1.0, p)))
    return op.Neg(op.Add(positive, negative))


def _of_logits(op: Builder, target: Value, logits: Value) -> Value:
    """log(1 + e^−x) is −log of the sigmoid, and safe for every x."""
    positive = op.Mul(target, op.Softplus(op.Neg(logits)))
    return op.Add(positive, op.Mul(op.Sub(1.0, target), op.Softplus(logits)))


def _categorical(op: Builder, target: Value, output: Value, from_logits: bool) -> Value:
    if not from_logits:
        return op.CategoricalCrossentropy(target, output)
    return op.Neg(sum_last(op, op.Mul(target, op.LogSoftmax(output, axis=-1))))


def _unfed(op: Builder, counted: Value, output: Value) -> Value:
    """Outputs that count; rows of ones for the others, so that no gradient is 0 / 0."""
    return op.Where(op.Unsqueeze(counted, _LAST), output, 1.0)
