"""Connectionist temporal classification: how probable labels are when nobody says at which step.

Graves et al., 2006, as Keras computes it on JAX (keras/src/backend/jax/nn.py). The training variant
gives its slope as well, from a walk back over the steps: see the body, which names every part.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine.bodies import ctc as bodies
from studio.engine.bodies.ctc import IMPOSSIBLE, NOTHING
from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Buffer, Call, GradientNode, Operator, register
from studio.engine.program import Attribute, Spec

Specs = Sequence[Spec | None]
Grads = tuple[Value | None, ...]


class _Walks:
    """Both walks over the steps of a batch, in memory of their own."""

    def __init__(self, b: Binding) -> None:
        self.logits, self.labels = b.input(0), b.input(1)
        batch, time, self.classes = self.logits.shape
        count, kind = self.labels.shape[1], self.logits.dtype
        self.logs = b.scratch(self.logits.shape, kind)
        self.blank = b.own(np.empty((time, batch, count + 1), kind))
        self.label = b.own(np.empty((time, batch, count), kind))
        self.rows = np.arange(batch)

    def forward(self) -> Buffer:
        """The logarithm of the probability of each sample's labels."""
        self._prepare()
        blank, label = self.start
        for t, (at_label, idle) in enumerate(self._steps()):
            blank = _arriving(blank, label + self.repeats)
            left = label + idle + self.differs
            label = np.logaddexp(blank[:, :-1], label, out=self.label[t])
            label += at_label
            blank += idle
            blank = _arriving(blank, left, out=self.blank[t])
        found: Buffer = _arriving(blank, label)[self.rows, self.counts]
        return found

    def slope(self, total: Buffer, out: Buffer) -> None:
        """Softmax − how surely a path is at a class, after `forward` gave the totals."""
        np.exp(self.logs, out)
        blank = np.full(self.blank.shape[1:], NOTHING, self.logs.dtype)
        blank[self.rows, self.counts] = 0
        label = blank[:, 1:].copy()
        for t, (at_label, idle) in reversed(list(enumerate(self._steps()))):
            on_blank = np.exp(self.blank[t] + blank - total[:, None])
            out[:, t, 0] -= on_blank.sum(-1)
            on_label = np.exp(self.label[t] + label - total[:, None])
            np.subtract.at(out[:, t], (self.rows[:, None], self.labels), on_label)
            further, before = label + at_label, blank + idle
            left = before[:, 1:] + self.differs
            np.logaddexp(before[:, :-1], further, out=before[:, :-1])
            skipped = before[:, 1:] + self.repeats
            blank, label = before, np.logaddexp(np.logaddexp(further, left), skipped)

    def _prepare(self) -> None:
        x, kind = self.logits, self.logs.dtype.type
        np.subtract(x, x.max(-1, keepdims=True), self.logs)
        self.logs -= np.log(np.exp(self.logs).sum(-1, keepdims=True))
        same = np.zeros(self.labels.shape, bool)
        np.equal(self.labels[:, :-1], self.labels[:, 1:], out=same[:, :-1])
        self.repeats, self.differs = (np.where(w, kind(IMPOSSIBLE), kind(0)) for w in (same, ~same))
        self.counts = (self.labels != 0).sum(-1)
        blank = np.full(self.blank.shape[1:], IMPOSSIBLE, kind)
        self.start = blank, blank[:, 1:].copy()
        blank[:, 0] = 0

    def _steps(self) -> list[tuple[Buffer, Buffer]]:
        """Of each step the labels' logarithms and the blank's."""
        index = np.broadcast_to(self.labels[:, None], (*self.logs.shape[:2], self.labels.shape[1]))
        found = np.take_along_axis(self.logs, index, -1)
        return [(found[:, t], self.logs[:, t, :1]) for t in range(found.shape[1])]


def _arriving(blank: Buffer, label: Buffer, out: Buffer | None = None) -> Buffer:
    found = np.empty_like(blank) if out is None else out
    found[:, 0] = blank[:, 0]
    np.logaddexp(blank[:, 1:], label, out=found[:, 1:])
    return found


def _ctc(b: Binding) -> Call:
    walks, out = _Walks(b), b.out
    return lambda: np.negative(walks.forward(), out)


def _ctc_training(b: Binding) -> Call:
    walks, (out, slope) = _Walks(b), b.outputs

    def call() -> None:
        total = walks.forward()
        if out is not None:
            np.negative(total, out)
        if slope is not None:
            walks.slope(total, slope)

    return call


def _gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    slope, arriving = n.outputs[1], grads[0]
    if slope is None or arriving is None:
        return (None, None)
    return (op.Mul(slope, op.Unsqueeze(arriving, np.array([1, 2], np.int64))), None)


def _shape(inputs: Specs, _: Mapping[str, Attribute], __: Any) -> list[Spec]:
    (logits, _labels) = inputs
    assert logits is not None
    return [Spec(logits.dtype, logits.shape[:1])]


def _training_shape(inputs: Specs, attrs: Mapping[str, Attribute], known: Any) -> list[Spec]:
    (logits, _labels) = inputs
    assert logits is not None
    return [*_shape(inputs, attrs, known), logits]


register(Operator("CTC", _ctc, shape=_shape, body=bodies.ctc, training="CTCTraining"))
register(
    Operator(
        "CTCTraining",
        _ctc_training,
        _gradient,
        shape=_training_shape,
        body=bodies.ctc_training,
    )
)
