"""Metrics by the names of Keras's functions: ``binary_accuracy(y, p)``, a number for each row."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import Named
from studio.engine.program import Array, Spec
from studio.metrics.base import Metric
from studio.metrics.mean import Mean


@dataclass(frozen=True)
class MetricFunction(Named):
    """What a metric averages, as a function; `compile` takes it for the metric of its name."""

    def __call__(self, y_true: Any, y_pred: Any, **config: Any) -> Array:
        """A number for each row, or step; `config` are the metric's parameters."""
        metric = self.declaration(**config)
        assert isinstance(metric, Metric)
        output = np.asarray(y_pred, np.float32)
        target = np.asarray(y_true)
        if metric.compares == "classes" and target.ndim == output.ndim - 1:
            target = target[..., None]
        target = target if metric.compares == "classes" else target.astype(output.dtype)
        state = metric.start(*(Spec(a.dtype.name, a.shape) for a in (target, output)))
        assert isinstance(state, Mean), "it is a mean of values"
        return state.values(target, output)
