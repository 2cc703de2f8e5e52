"""Normalization of each sample by itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value, table
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Ones, Zeros
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import axis_within, float_input, known_axis
from studio.layers.moments import along, inverse_deviation, moments
from studio.layers.values import Range
from studio.problem import refuse
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class LayerNormalization(Layer):
    """Gives the features of each sample mean 0 and deviation 1 (Ba et al., 2016)."""

    category = "Normalization"
    synonyms = ("layernorm", "LN", "standardize", "层归一化", "层标准化")
    supports_masking = True
    axis: tuple[int, ...] = param((-1,), "The axes to normalize over")
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
    rms_scaling: bool = param(
        False, "Only divide by the deviation and multiply by gamma; given up in Keras 3"
    )
    examples = (
        Example({}, (Spec("float32", ("batch", 6)),)),
        Example({"axis": [1, 2], "epsilon": 0.01}, (Spec("float32", ("batch", 2, 4)),)),
        Example({"scale": False}, (Spec("float32", ("batch", 2, 6)),)),
        Example({"axis": [1], "center": False}, (Spec("float32", ("batch", 5, 2)),)),
        Example({"axis": [3, 1]}, (Spec("float32", ("batch", 3, 2, 3)),)),
        Example({"rms_scaling": True}, (Spec("float32", ("batch", 6)),)),
    )

    def __post_init__(self) -> None:
        axis: Any = self.axis
        if isinstance(axis, int):  # one alone, as in Keras
            object.__setattr__(self, "axis", (axis,))
        super().__post_init__()

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        shape = tuple(known_axis(self.kind, axis, x[0]) for axis in self._axes(x[0]))
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
        if self.rms_scaling:
            return (gamma,)
        return (*([gamma] * self.scale), *([beta] * self.center))

    def range(self, *x: Range | None) -> Range:
        return Range()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        axes, rank = self._axes(x[0].spec), x[0].rank
        if axes == list(range(axes[0], rank)) and not self.rms_scaling:
            sizes = [known_axis(self.kind, axis, x[0].spec) for axis in axes]
            gamma = w.gamma if self.scale else table(sizes, lambda: np.ones(sizes, x[0].dtype))
            beta = [w.beta] if self.center else []
            attrs = {"axis": axes[0], "epsilon": self.epsilon}
            return op.LayerNormalization(x[0], gamma, *beta, **attrs)
        mean, variance = moments(op, x[0], axes)
        factor = inverse_deviation(op, variance, self.epsilon)
        if self.scale or self.rms_scaling:
            factor = op.Mul(factor, along(op, w.gamma, axes, rank))
        if self.rms_scaling:
            return op.Mul(x[0], factor)
        y = op.Mul(op.Sub(x[0], mean), factor)
        return op.Add(y, along(op, w.beta, axes, rank)) if self.center else y

    def _axes(self, x: Spec) -> list[int]:
        """Counted from 0, in rising order."""
        last = {"axis": (-1,)}
        axes = sorted(axis_within(self.kind, axis, x, last) for axis in self.axis)
        if not axes or len(set(axes)) < len(axes):
            fix = {"axis": tuple(dict.fromkeys(axes))} if axes else last
            raise refuse("axes_wrong", kind=self.kind, received=self.axis, spec=x, fix=fix)
        return axes
