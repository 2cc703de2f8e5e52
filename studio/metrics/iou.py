"""Overlap of what is told to be a class with what is one (keras/src/metrics/iou_metrics.py)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import Unread, param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric, spread_weight
from studio.problem import Problem

EPSILON = 1e-7
_CLASSES = "How many classes there are"
_IDS = "The classes that are averaged"
_IGNORED = "A class whose places do not count"
_TRUE = "Targets are class numbers, not one-hot"
_NAMED = ("name", "dtype", "ignore_class")
_PRED = "Outputs are class numbers, not a share for each class"


class _Overlap:
    """Which class was told how often where which was true; weights are cut to whole numbers."""

    def __init__(
        self,
        classes: int,
        averaged: tuple[int, ...],
        sparse: tuple[bool, bool],
        ignored: int | None = None,
        threshold: float | None = None,
    ) -> None:
        self._counts = np.zeros((classes, classes))
        self._averaged, self._sparse = list(averaged), sparse
        self._ignored, self._threshold = ignored, threshold

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        if self._threshold is not None:
            output = output >= np.float32(self._threshold)
        numbers = [
            (array if sparse else array.argmax(-1)).astype(np.int64)
            for array, sparse in zip((target, output), self._sparse, strict=True)
        ]
        shape = numbers[1].shape
        each = np.ones(shape) if weight is None else np.trunc(spread_weight(weight, shape))
        y, p = (array.reshape(-1) for array in numbers)
        classes = len(self._counts)
        known = (y >= 0) & (y < classes) & (p >= 0) & (p < classes)
        if self._ignored is not None:
            known &= y != self._ignored
        place = y[known] * classes + p[known]
        found = np.bincount(place, each.reshape(-1)[known], classes**2)
        self._counts += found.reshape(classes, classes)

    def result(self) -> float:
        both = self._counts.diagonal()[self._averaged]
        either = (self._counts.sum(0) + self._counts.sum(1))[self._averaged] - both
        there = either > 1e-9
        shares = np.where(there, both / (either + EPSILON), 0.0)
        return float(shares.sum() / (there.sum() + EPSILON))


@dataclass(frozen=True)
class _OfClasses(Metric):
    """Base of the overlaps: each class averaged must be one of those there are."""

    unread: ClassVar[Unread] = {**Metric.unread, "axis": (-1,)}
    is_masked = False
    is_counted = True

    def misfit(self, target: Spec, output: Spec) -> Problem | None:
        classes = getattr(self, "num_classes", 2)
        for number in getattr(self, "target_class_ids", ()):
            if not 0 <= number < classes:
                args = {"metric": self.kind, "received": number, "expected": classes}
                return Problem("metric_class_ids", args=args)
        return super().misfit(target, output)

    def counts(self, output: Spec) -> int:
        return int(getattr(self, "num_classes", 2)) ** 2


@dataclass(frozen=True)
class BinaryIoU(_OfClasses):
    """Overlap of two classes, told apart by a threshold."""

    order = ("target_class_ids", "threshold", "name", "dtype")
    unread = Metric.unread
    compares = "alike"
    target_class_ids: tuple[int, ...] = param((0, 1), _IDS, min=0)
    threshold: float = param(0.5, "Outputs from it on count as 1", min=0, max=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _Overlap(2, self.target_class_ids, (True, True), threshold=self.threshold)


@dataclass(frozen=True)
class IoU(_OfClasses):
    """Overlap of some classes: what was told rightly over what was told or true."""

    order = ("num_classes", "target_class_ids", *_NAMED, "sparse_y_true", "sparse_y_pred", "axis")
    num_classes: int = param(2, _CLASSES, min=1)
    target_class_ids: tuple[int, ...] = param((0, 1), _IDS, min=0)
    ignore_class: int | None = param(None, _IGNORED)
    sparse_y_true: bool = param(True, _TRUE)
    sparse_y_pred: bool = param(True, _PRED)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        sparse = self.sparse_y_true, self.sparse_y_pred
        return _Overlap(self.num_classes, self.target_class_ids, sparse, self.ignore_class)


@dataclass(frozen=True)
class MeanIoU(_OfClasses):
    """Overlap of all classes that occur, averaged."""

    order = ("num_classes", *_NAMED, "sparse_y_true", "sparse_y_pred", "axis")
    num_classes: int = param(2, _CLASSES, min=1)
    ignore_class: int | None = param(None, _IGNORED)
    sparse_y_true: bool = param(True, _TRUE)
    sparse_y_pred: bool = param(True, _PRED)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        every, sparse = tuple(range(self.num_classes)), (self.sparse_y_true, self.sparse_y_pred)
        return _Overlap(self.num_classes, every, sparse, self.ignore_class)


@dataclass(frozen=True)
class OneHotIoU(_OfClasses):
    """Overlap of some classes, for one-hot targets."""

    order = ("num_classes", "target_class_ids", *_NAMED, "sparse_y_pred", "axis")
    compares = "alike"
    num_classes: int = param(2, _CLASSES, min=1)
    target_class_ids: tuple[int, ...] = param((0, 1), _IDS, min=0)
    ignore_class: int | None = param(None, _IGNORED)
    sparse_y_pred: bool = param(False, _PRED)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        sparse = False, self.sparse_y_pred
        return _Overlap(self.num_classes, self.target_class_ids, sparse, self.ignore_class)


@dataclass(frozen=True)
class OneHotMeanIoU(_OfClasses):
    """Overlap of all classes that occur, averaged, for one-hot targets."""

    order = ("num_classes", *_NAMED, "sparse_y_pred", "axis")
    compares = "alike"
    num_classes: int = param(2, _CLASSES, min=1)
    ignore_class: int | None = param(None, _IGNORED)
    sparse_y_pred: bool = param(False, _PRED)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        every, sparse = tuple(range(self.num_classes)), (False, self.sparse_y_pred)
        return _Overlap(self.num_classes, every, sparse, self.ignore_class)
