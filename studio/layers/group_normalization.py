"""Normalization of groups of channels, sample by sample."""

from dataclasses import dataclass
from math import isqrt

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Ones, Zeros
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import axis_within, float_input, known_axis
from studio.layers.moments import inverse_deviation, moments
from studio.layers.values import Range
from studio.problem import Problem, refuse
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class GroupNormalization(Layer):
    """Gives groups of channels of each sample mean 0 and deviation 1 (Wu & He, 2018)."""

    category = "Normalization"
    synonyms = ("groupnorm", "GN", "instance normalization", "standardize", "组归一化")
    supports_masking = True
    groups: int = param(32, "How many groups; −1 makes each channel one", min=-1)
    axis: int = param(-1, "The axis of the channels")
    epsilon: float = param(1e-3, "Added to the variance, so as not to divide by zero", min=0)
    center: bool = param(True, "Add beta, which is trained")
    scale: bool = param(True, "Multiply by gamma, which is trained")
    beta_initializer: Initializer = param(Zeros(), "How beta starts", family="initializers")
    gamma_initializer: Initializer = param(Ones(), "How gamma starts", family="initializers")
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
        Example({"groups": 2}, (Spec("float32", ("batch", 3, 4)),)),
        Example({"groups": -1, "center": False}, (Spec("float32", ("batch", 4, 3)),)),
        Example({"groups": 2, "axis": 1, "scale": False}, (Spec("float32", ("batch", 4, 3)),)),
        Example({"groups": 1}, (Spec("float32", ("batch", 2, 2, 3)),)),
        Example({"groups": 2}, (Spec("float32", ("batch", 6)),)),
    )

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and self.groups == 0:
            about = {"kind": self.kind, "name": "groups", "received": 0, "expected": 1}
            found.append(Problem("parameter_min", args=about))
        return found

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
        return (*([gamma] * self.scale), *([beta] * self.center))

    def range(self, *x: Range | None) -> Range:
        return Range()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        axis = axis_within(self.kind, self.axis, x[0].spec)
        parts = self._parts(x[0].spec, axis)
        after = [known_axis(self.kind, i, x[0].spec) for i in range(axis + 1, x[0].rank)]
        grouped = op.Reshape(x[0], np.array([*[0] * axis, *parts, *after], np.int64))
        within = [i for i in range(1, grouped.rank) if i != axis]
        mean, variance = moments(op, grouped, within)
        factor = inverse_deviation(op, variance, self.epsilon)
        shape = np.array([*parts, *(1 for _ in after)], np.int64)
        if self.scale:
            factor = op.Mul(factor, op.Reshape(w.gamma, shape))
        y = op.Mul(op.Sub(grouped, mean), factor)
        return op.like(op.Add(y, op.Reshape(w.beta, shape)) if self.center else y, x[0])

    def _parts(self, x: Spec, axis: int) -> tuple[int, int]:
        """How many groups, and how many channels each has."""
        channels = known_axis(self.kind, axis, x)
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            halves = [n for n in range(1, isqrt(channels) + 1) if channels % n == 0]
            fitting = max(n for m in halves for n in (m, channels // m) if n < groups)
            fix = {"groups": fitting}
            args = {"received": groups, "expected": channels}
            raise refuse("groups_uneven", kind=self.kind, fix=fix, **args)
        return groups, channels // groups
