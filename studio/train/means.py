"""An epoch's logs: what batches gave, summed up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.document.plan import OutputPlan
from studio.engine.program import Array
from studio.metrics.base import Accumulator, Metric, put_state, spread_weight, state_of
from studio.train.arrays import Arrays
from studio.train.several import apart
from studio.train.step import Step

if TYPE_CHECKING:
    from studio.train.trainer import Trainer

Logs = dict[str, float]


class Means:
    """An epoch's logs: losses as means over samples, metrics by their own accumulators.

    As Keras: a batch counts by its rows, never by sample weights; keys are sorted; with a single
    output nothing is prefixed by its name and the total is its loss.
    """

    def __init__(self, trainer: "Trainer") -> None:
        self._trainer = trainer
        self._sums: Logs = {}
        self._rows = 0
        self._metrics: dict[str, _Running] | None = None  # started by the first batch

    def add(self, step: Step, batch: Arrays, results: Mapping[str, Array]) -> None:
        """Take in one batch's results."""
        rows = len(batch)
        self._rows += rows
        several = len(step.outputs) > 1
        values = {"loss": results[step.total]} if step.total else {}
        if several:
            values |= {f"{self._trainer.names[k]}_loss": results[n] for k, n in step.losses.items()}
        for key, value in values.items():
            self._sums[key] = self._sums.get(key, 0.0) + float(value) * rows
        if self._metrics is None:
            self._metrics = self._start(step, several)
        for metric in self._metrics.values():
            output = metric.output
            weight = batch.weights.get(output) if metric.is_weighted else None
            if output in step.masks and metric.is_masked:
                weight = _within(results[step.masks[output]], weight)
            metric.state.update(batch.targets[output], results[step.outputs[output]], weight)

    def _start(self, step: Step, several: bool) -> dict[str, "_Running"]:
        found: dict[str, _Running] = {}
        times: Counter[str] = Counter()
        for key, (target, output) in step.specs.items():
            if key not in step.targets:
                continue  # without a loss there is nothing to compare with
            plan = self._trainer.document.plan.outputs.get(key, OutputPlan())
            prefix = f"{self._trainer.names[key]}_" if several else ""
            for metrics, is_weighted in ((plan.metrics, False), (plan.weighted_metrics, True)):
                for metric in metrics:
                    name = _metric_name(metric, prefix, is_weighted, times)
                    state = metric.start(target, output)
                    found[name] = _Running(key, is_weighted, metric.is_masked, state)
        return found

    def logs(self) -> Logs:
        """Everything so far, by Keras's keys, sorted."""
        losses = {key: total / max(1, self._rows) for key, total in self._sums.items()}
        metrics: Logs = {}
        for key, metric in (self._metrics or {}).items():
            metrics |= apart(key, metric.state.result())
        return dict(sorted({**losses, **metrics}.items()))

    def loss(self) -> Logs:
        """The running means of the losses alone: cheap enough for every batch."""
        return {key: total / max(1, self._rows) for key, total in self._sums.items()}

    # -- to go on from ---------------------------------------------------------------------------

    def state(self) -> dict[str, Array]:
        """Copies of all sums, by names of their own; nothing before the first batch."""
        if self._metrics is None:
            return {}
        found = {f"sum/{key}": np.array(total) for key, total in self._sums.items()}
        found["rows"] = np.array(self._rows)
        for key, metric in self._metrics.items():
            found |= {f"{key}/{name}": a for name, a in state_of(metric.state).items()}
        return found

    def take_up(self, step: Step, state: Mapping[str, Array]) -> None:
        """Go on from what `state` gave in an epoch of the same step.

        Raises:
            ValueError: it is another step's.
        """
        self._rows = int(state["rows"])
        self._sums = {
            key.removeprefix("sum/"): float(value)
            for key, value in state.items()
            if key.startswith("sum/")
        }
        self._metrics = self._start(step, len(step.outputs) > 1)
        for key, metric in self._metrics.items():
            mine = (k for k in state if k.startswith(f"{key}/"))
            put_state(metric.state, {k.removeprefix(f"{key}/"): state[k] for k in mine})


@dataclass(frozen=True)
class _Running:
    """A metric under way: of which output, whether it counts samples by their weights."""

    output: str
    is_weighted: bool
    is_masked: bool
    state: Accumulator


def _within(mask: Array, weight: Array | None) -> Array:
    """The weight of each step of a masked sequence: its sample's, and 0 where masked."""
    valid = mask.astype(np.float64)
    return valid if weight is None else valid * spread_weight(weight, valid.shape)


def _metric_name(metric: Metric, prefix: str, is_weighted: bool, times: Counter[str]) -> str:
    """Keras's key; `times` counts how often each was given.

    A weighted metric is called so only where its name is taken; the next of one name is numbered.
    """
    name = f"{prefix}{metric.name}"
    if is_weighted and times[name]:
        name = f"{prefix}weighted_{metric.name}"
    times[name] += 1
    return name if times[name] == 1 else f"{name}_{times[name] - 1}"
