"""Connectionist temporal classification in standard operators: a Scan forward, one back.

A path through `labels` is, before each label and after the last, at a *blank*, or at a *label*.
Both walks hold the log of what all paths weigh, (batch, labels + 1) and (batch, labels), and
compute as Keras's on JAX does: what is impossible weighs e^−100000, so it stays finite.
"""

from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Builder, Parts, Value, table
from studio.engine.program import Spec

IMPOSSIBLE, NOTHING = -1e5, -1e30  # Keras's log of 0; and what adds nothing beside that
_FIRST, _LAST = np.array([0], np.int64), np.array([-1], np.int64)
_END = np.array([np.iinfo(np.int64).max], np.int64)


@dataclass(frozen=True)
class _Steps:
    """Logarithms of probabilities, time first, and what the labels say of moves between them."""

    label: Value  # (time, batch, labels)
    blank: Value  # (time, batch, 1)
    repeats: Value  # (batch, labels): IMPOSSIBLE where the next label is the same, else 0
    differs: Value  # the reverse
    end: Value  # (batch, labels + 1): 1 at the blank a path ends with
    hot: Value  # (batch, labels, classes)


def ctc(op: Builder, logits: Value, labels: Value) -> tuple[Value]:
    """−log of the probability of the labels, for each sample."""
    steps = _steps(op, op.LogSoftmax(logits, axis=-1), labels)
    (blank, label), _ = _forward(op, steps)
    return (_cost(op, steps, blank, label),)


def ctc_training(op: Builder, logits: Value, labels: Value) -> tuple[Value, Value]:
    """As `ctc`, and its slope by the logits: their softmax − how surely a path is where."""
    logs = op.LogSoftmax(logits, axis=-1)
    steps = _steps(op, logs, labels)
    (blank, label), (blanks, at_labels) = _forward(op, steps)
    cost = _cost(op, steps, blank, label)
    blanks_after, labels_after = _back(op, steps)
    total = op.Unsqueeze(cost, np.array([0, 2], np.int64))
    on_blank = op.Exp(op.Add(op.Add(blanks, blanks_after), total))
    on_label = op.Exp(op.Add(op.Add(at_labels, labels_after), total))
    spread = op.MatMul(op.Transpose(on_label, perm=(1, 0, 2)), steps.hot)
    idle = op.Transpose(op.ReduceSum(on_blank, _LAST, keepdims=1), perm=(1, 0, 2))
    classes = int(logits.shape[-1])
    first = op.const(table([classes], lambda: np.eye(1, classes)), logits.dtype)
    sure = op.Add(spread, op.Mul(idle, first))
    return cost, op.Sub(op.Exp(logs), sure)


def _steps(op: Builder, logs: Value, labels: Value) -> _Steps:
    classes, kind = int(logs.shape[-1]), np.dtype(logs.dtype)
    hot = op.OneHot(labels, np.array(classes, labels.dtype), np.array([0, 1], kind), axis=-1)
    label = op.MatMul(logs, op.Transpose(hot, perm=(0, 2, 1)))
    blank = _cut(op, logs, 0, 1, 2)
    shifted = op.Concat(_cut(op, labels, 1, None, 1), _cut(op, labels, 0, 1, 1), axis=1)
    same = op.Cast(op.Equal(labels, op.like(shifted, labels)), to=logs.dtype)
    is_last = op.Equal(_places(op, labels, 1), op.Sub(_length(op, labels, 1), np.array(1)))
    same = op.Mul(same, op.Cast(op.Not(is_last), to=logs.dtype))
    counted = op.Cast(op.Not(op.Equal(labels, np.array(0, labels.dtype))), to="int64")
    count = op.ReduceSum(counted, _LAST, keepdims=1)
    end = op.Equal(_places(op, labels, 1, more=1), count)
    return _Steps(
        op.Transpose(label, perm=(1, 0, 2)),
        op.Transpose(blank, perm=(1, 0, 2)),
        op.Mul(same, IMPOSSIBLE),
        op.Mul(op.Sub(1.0, same), IMPOSSIBLE),
        op.Cast(end, to=logs.dtype),
        hot,
    )


def _forward(op: Builder, steps: _Steps) -> tuple[Parts, Parts]:
    """What weighs what leads to each place, after the last step and after each."""
    start = op.Mul(op.Sub(1.0, _first_place(op, steps.end)), IMPOSSIBLE)
    label = op.Add(op.Mul(_cut(op, steps.end, 1, None, 1), 0.0), IMPOSSIBLE)

    def step(s: Builder, states: Parts, slices: Parts) -> tuple[Parts, Parts]:
        (blank, at_label), (label, idle) = states, slices
        blank = _arriving(s, blank, s.Add(at_label, steps.repeats))
        new = s.Add(_sum(s, _cut(s, blank, 0, -1, 1), at_label), label)
        left = s.Add(s.Add(at_label, idle), steps.differs)
        blank = _arriving(s, s.Add(blank, idle), left)
        return [blank, s.like(new, at_label)], [blank, new]

    return op.scan(step, [start, label], [steps.label, steps.blank])


def _back(op: Builder, steps: _Steps) -> tuple[Value, Value]:
    """What weighs what leads from each place to the end, after each step."""
    end = op.Mul(op.Sub(1.0, steps.end), NOTHING)
    after = _cut(op, end, 1, None, 1)

    def step(s: Builder, states: Parts, slices: Parts) -> tuple[Parts, Parts]:
        (blank, at_label), (label, idle) = states, slices
        further = s.Add(at_label, label)
        idled = s.Add(blank, idle)
        first = _sum(s, _cut(s, idled, 0, -1, 1), further)
        before = s.Concat(first, _cut(s, idled, -1, None, 1), axis=1)
        left = s.Add(_cut(s, idled, 1, None, 1), steps.differs)
        skipped = s.Add(_cut(s, before, 1, None, 1), steps.repeats)
        new = _sum(s, _sum(s, further, left), skipped)
        return [s.like(before, blank), s.like(new, at_label)], [blank, at_label]

    _, found = op.scan(step, [end, after], [steps.label, steps.blank], backwards=True)
    return found[0], found[1]


def _cost(op: Builder, steps: _Steps, blank: Value, label: Value) -> Value:
    last = op.Mul(_arriving(op, blank, label), steps.end)
    return op.Neg(op.ReduceSum(last, _LAST, keepdims=0))


def _arriving(op: Builder, blank: Value, label: Value) -> Value:
    """The blanks, each but the first joined by what comes from the label before it."""
    others = _sum(op, _cut(op, blank, 1, None, 1), label)
    return op.like(op.Concat(_cut(op, blank, 0, 1, 1), others, axis=1), blank)


def _sum(op: Builder, a: Value, b: Value) -> Value:
    """log(eᵃ + eᵇ)."""
    apart = op.Softplus(op.Neg(op.Abs(op.Sub(a, b))))
    return op.Add(op.Max(a, b), apart)


def _cut(op: Builder, x: Value, start: int, end: int | None, axis: int) -> Value:
    """From `start` to before `end` along an axis."""
    ends = _END if end is None else np.array([end], np.int64)
    size = x.shape[axis]
    if end is not None and end > 0:
        kept: int | str = end - start
    elif isinstance(size, int):
        kept = len(range(size)[start:end])
    else:
        kept = 1 if start < 0 else size.removesuffix("+1") if "+1" in size else f"{size}-1"
    shape = (*x.shape[:axis], kept, *x.shape[axis + 1 :])
    operands = (x, np.array([start], np.int64), ends, np.array([axis], np.int64))
    return op.call("Slice", operands, specs=[Spec(x.dtype, shape)])[0]


def _length(op: Builder, x: Value, axis: int) -> Value:
    """A size, as a scalar."""
    return op.Gather(op.shape_of(x), np.array(axis, np.int64), axis=0)


def _places(op: Builder, x: Value, axis: int, more: int = 0) -> Value:
    """0, 1, … along an axis of `x`, and `more` beyond it."""
    size = x.shape[axis]
    length = op.Add(_length(op, x, axis), np.array(more, np.int64))
    longer = size + more if isinstance(size, int) else f"{size}+{more}" if more else size
    spec = Spec("int64", (longer,))
    return op.call("Range", (np.array(0), length, np.array(1)), specs=[spec])[0]


def _first_place(op: Builder, x: Value) -> Value:
    """1 at the first place of each row, 0 elsewhere."""
    is_first = op.Cast(op.Equal(_places(op, x, 1), np.array(0)), to=x.dtype)
    return op.Add(op.Mul(x, 0.0), is_first)
