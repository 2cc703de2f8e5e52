"""Means over samples: of what a function gives for each, or of a loss's values."""

from collections.abc import Callable

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.program import Array, Spec
from studio.metrics.base import spread_weight

Values = Callable[[Array, Array], Array]
Lower = Callable[[Builder, Value, Value], Value]


class Mean:
    """A weighted mean over all elements of all batches.

    Weights are one number per sample, or one per step of each sample.

    Attributes:
        values: what is averaged, of a batch's targets and outputs.
    """

    def __init__(self, values: Values) -> None:
        self.values = values
        self._sum = 0.0
        self._count = 0.0

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        values = self.values(target, output).astype(np.float64)
        if weight is None:
            self._sum += float(values.sum())
            self._count += values.size
            return
        spread = spread_weight(weight, values.shape)
        self._sum += float((values * spread).sum())
        self._count += float(spread.sum())

    def result(self) -> float:
        return self._sum / self._count if self._count else 0.0


class Root(Mean):
    """The square root of a mean."""

    def result(self) -> float:
        return float(np.sqrt(super().result()))


def computed(lower: Lower, target: Spec, output: Spec) -> Values:
    """A function of arrays from operators: what a loss computes is said once."""
    from studio.engine.numpy_executor import NumpyExecutor

    op = Builder()
    p, y = op.input("output", output), op.input("target", target)
    program = op.program([lower(op, y, p)])
    runner = NumpyExecutor(program)

    def values(target_batch: Array, output_batch: Array) -> Array:
        feeds = {"output": output_batch, "target": target_batch.astype(target.dtype, copy=False)}
        given = {name: feeds[name] for name in program.inputs}
        return runner.run(given)[program.outputs[0]]

    return values
