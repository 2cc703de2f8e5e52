"""Precision and recall in one number (keras/src/metrics/f_score_metrics.py)."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric, Result, numbers, spread_weight
from studio.problem import Problem

EPSILON = 1e-7
_AVERAGE = "Over classes: alike, by their size, or of all answers together; none gives each"
_AVERAGES = ("micro", "macro", "weighted")
_THRESHOLD = "Outputs above it count as 1; if none is given, the largest of each sample does"


class _Scores:
    """True and false answers by class, or of all classes together."""

    def __init__(
        self, classes: int, average: str | None, beta: float, threshold: float | None
    ) -> None:
        self._average, self._beta, self._threshold = average, beta, threshold
        none = np.zeros(() if average == "micro" else classes)
        self._right = self._extra = self._missed = self._true = none

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        if self._threshold is None:
            told = (output >= output.max(-1, keepdims=True)) & (np.abs(output) > 1e-9)
        else:
            told = output > self._threshold
        truth = target.astype(np.float64)
        each = np.ones(truth.shape) if weight is None else spread_weight(weight, truth.shape)
        axis = None if self._average == "micro" else 0
        self._right = self._right + (each * told * truth).sum(axis)
        self._extra = self._extra + (each * told * (1 - truth)).sum(axis)
        self._missed = self._missed + (each * ~told * truth).sum(axis)
        self._true = self._true + (each * truth).sum(axis)

    def result(self) -> Result:
        precision = self._right / (self._right + self._extra + EPSILON)
        recall = self._right / (self._right + self._missed + EPSILON)
        square = self._beta**2
        score = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self._average == "weighted":
            score = score * self._true / (self._true.sum() + EPSILON)
            return float(score.sum())
        return numbers(score) if self._average is None else float(score.mean())


@dataclass(frozen=True)
class _Score(Metric):
    """Base of the scores, of rows with a number for each class."""

    is_masked = False
    compares = "alike"

    def misfit(self, target: Spec, output: Spec) -> Problem | None:
        if output.rank != 2:
            return Problem("metric_rank", args={"metric": self.kind, "output": output})
        return super().misfit(target, output)


def _classes(output: Spec) -> int:
    classes = output.shape[-1]
    assert isinstance(classes, int)
    return classes


@dataclass(frozen=True)
class FBetaScore(_Score):
    """Precision and recall in one number, recall counting β² times as much."""

    usual_name = "fbeta_score"
    average: str | None = param(None, _AVERAGE, choices=_AVERAGES)
    beta: float = param(1.0, "How much more recall counts than precision", min=0)
    threshold: float | None = param(None, _THRESHOLD, min=0, max=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _Scores(_classes(output), self.average, self.beta, self.threshold)


@dataclass(frozen=True)
class F1Score(_Score):
    """The harmonic mean of precision and recall."""

    usual_name = "f1_score"
    average: str | None = param(None, _AVERAGE, choices=_AVERAGES)
    threshold: float | None = param(None, _THRESHOLD, min=0, max=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _Scores(_classes(output), self.average, 1.0, self.threshold)
