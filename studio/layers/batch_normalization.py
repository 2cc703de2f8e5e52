"""Normalization by the statistics of a batch."""

from dataclasses import dataclass

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value, table
from studio.engine.program import Role, Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Ones, Zeros
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import axis_within, float_input, known_axis
from studio.layers.masking import wide_mask
from studio.layers.moments import along, inverse_deviation, moments
from studio.layers.values import Range
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """Gives each feature mean 0 and deviation 1 over a batch (Ioffe & Szegedy, 2015).

    Training takes mean and variance of the batch, and keeps running means of them for later. A
    frozen one uses those in training as well.
    """

    category = "Normalization"
    synonyms = ("batchnorm", "BN", "standardize", "批归一化", "批标准化")
    supports_masking = True
    step_by_step = True
    axis: int = param(-1, "The axis of the features, each of which is normalized")
    momentum: float = param(0.99, "Share of the running statistics kept at a step", min=0, max=1)
    epsilon: float = param(1e-3, "Added to the variance, so as not to divide by zero", min=0)
    center: bool = param(True, "Add beta, which is trained")
    scale: bool = param(True, "Multiply by gamma, which is trained")
    beta_initializer: Initializer = param(Zeros(), "How beta starts", family="initializers")
    gamma_initializer: Initializer = param(Ones(), "How gamma starts", family="initializers")
    moving_mean_initializer: Initializer = param(
        Zeros(), "How the running mean starts", family="initializers"
    )
    moving_variance_initializer: Initializer = param(
        Ones(), "How the running variance starts", family="initializers"
    )
    beta_regularizer: Regularizer | None = param(
        None, "What large values of beta cost", family="regularizers"
    )
    gamma_regularizer: Regularizer | None = param(
        None, "What large values of gamma cost", family="regularizers"
    )
    beta_constraint: Constraint | None = param(
        None, "What beta must be after a step", family="constraints"
    )
    gamma_constraint: Constraint | None = param(
        None, "What gamma must be after a step", family="constraints"
    )
    examples = (
        Example({"momentum": 0.8}, (Spec("float32", ("batch", 3)),)),
        Example({"epsilon": 0.01}, (Spec("float32", ("batch", 4, 3)),)),
        Example({"axis": 1, "center": False}, (Spec("float32", ("batch", 3, 4)),)),
        Example({"axis": 2, "scale": False}, (Spec("float32", ("batch", 2, 3, 2)),)),
    )

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        shape = (known_axis(self.kind, axis_within(self.kind, self.axis, x[0]), x[0]),)
        gamma = Weight(
            "gamma",
            shape,
            self.gamma_initializer,
            regularizer=self.gamma_regularizer,
            constraint=self.gamma_constraint,
        )
        beta = Weight(
            "beta",
            shape,
            self.beta_initializer,
            regularizer=self.beta_regularizer,
            constraint=self.beta_constraint,
        )
        return (
            *([gamma] * self.scale),
            *([beta] * self.center),
            Weight("moving_mean", shape, self.moving_mean_initializer, False, Role.STATISTIC),
            Weight(
                "moving_variance", shape, self.moving_variance_initializer, False, Role.STATISTIC
            ),
        )

    def range(self, *x: Range | None) -> Range:
        return Range()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        axis = axis_within(self.kind, self.axis, x[0].spec)
        if op.training and not op.frozen:
            return self._by_batch(op, w, x[0], axis)
        return self._by_running(op, w, x[0], axis)

    def _by_batch(self, op: LayerBuilder, w: Weights, x: Value, axis: int) -> Value:
        others = [i for i in range(x.rank) if i != axis]
        mean, variance = moments(op, x, others, wide_mask(op, x))
        for state, now in ((w.moving_mean, mean), (w.moving_variance, variance)):
            kept = op.Mul(op.current(state), self.momentum)
            new = op.Mul(op.Reshape(now, np.array([-1], np.int64)), 1 - self.momentum)
            op.assign(state, op.Add(kept, new))
        factor = inverse_deviation(op, variance, self.epsilon)
        if self.scale:
            factor = op.Mul(factor, along(op, w.gamma, [axis], x.rank))
        y = op.Mul(op.Sub(x, mean), factor)
        return op.Add(y, along(op, w.beta, [axis], x.rank)) if self.center else y

    def _by_running(self, op: LayerBuilder, w: Weights, x: Value, axis: int) -> Value:
        """One operator where ONNX's fits, with the features at axis 1; else a factor and a term."""
        mean, variance = w.moving_mean, w.moving_variance
        if axis == 1:
            size = known_axis(self.kind, axis, x.spec)
            gamma = w.gamma if self.scale else table([size], lambda: np.ones(size, mean.dtype))
            beta = w.beta if self.center else table([size], lambda: np.zeros(size, mean.dtype))
            return op.BatchNormalization(x, gamma, beta, mean, variance, epsilon=self.epsilon)
        factor = inverse_deviation(op, variance, self.epsilon)
        factor = op.Mul(factor, w.gamma) if self.scale else factor
        term = op.Neg(op.Mul(mean, factor))
        term = op.Add(term, w.beta) if self.center else term
        factor, term = (along(op, v, [axis], x.rank) for v in (factor, term))
        return op.Add(op.Mul(x, factor), term)
