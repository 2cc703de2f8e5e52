"""Losses of arrays, and by the names of Keras's functions: ``mean_squared_error(y, p)``."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import Named
from studio.engine.builder import Builder, Value
from studio.engine.program import Array, Program, Spec
from studio.losses.base import Loss
from studio.losses.reduction import reduced
from studio.problem import ProblemError


@dataclass(frozen=True)
class LossFunction(Named):
    """A loss without reduction, as a function; `compile` takes it for the loss of its name."""

    def __call__(self, y_true: Any, y_pred: Any, **config: Any) -> Array:
        """The loss of each element; `config` are the loss's parameters."""
        loss = self.declaration(**config)
        assert isinstance(loss, Loss)
        return values(loss, y_true, y_pred)


def values(loss: Loss, y_true: Any, y_pred: Any) -> Array:
    """The loss of each element of arrays."""
    given = _Given(loss, y_true, y_pred)
    return given.run(given.op.program([given.values]))


def value(loss: Loss, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """The loss of arrays as one number, by its reduction."""
    given = _Given(loss, y_true, y_pred)
    op, factor = given.op, None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, given.output.dtype)
        while weight.ndim > max(1, given.values.rank):
            weight = weight[..., 0]
        factor = given.input("weight", weight)
        for _ in range(given.values.rank - weight.ndim):
            factor = op.Unsqueeze(factor, np.array([-1], np.int64))
    counted = loss.counted(op, given.target, given.values)
    total = reduced(op, loss, given.values, factor, counted)
    return float(given.run(op.program([total])))


class _Given:
    """Arrays as inputs of a program that computes a loss of them."""

    def __init__(self, loss: Loss, y_true: Any, y_pred: Any) -> None:
        self.op, self._feeds = Builder(), dict[str, Array]()
        output, target = np.asarray(y_pred, np.float32), np.asarray(y_true)
        self._alone = output.ndim == target.ndim == 1  # one row without a batch
        if self._alone:
            output, target = output[None], target[None]
        self.output = self.input("output", output)
        if misfit := loss.misfit(self.output.spec):
            raise ProblemError(misfit)
        spec = loss.target(self.output.spec)
        target = target.astype(spec.dtype)
        if target.ndim == spec.rank - 1 and spec.shape[-1] == 1:
            target = target[..., None]
        self.target = self.input("target", target)
        self.values = loss.lower(self.op, self.target, self.output)

    def input(self, name: str, array: Array) -> Value:
        self._feeds[name] = array
        return self.op.input(name, Spec(array.dtype.name, array.shape))

    def run(self, program: Program) -> Array:
        from studio.engine.numpy_executor import NumpyExecutor

        found = NumpyExecutor(program).run({n: self._feeds[n] for n in program.inputs})
        result = found[program.outputs[0]]
        return result[0] if self._alone and result.ndim else result
