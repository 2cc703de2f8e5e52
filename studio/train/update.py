"""The end of a training step: the gradient of every trained weight, and what the optimizer does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.document.lowering import Lowered
from studio.engine.builder import Builder, Value
from studio.engine.gradient import differentiate
from studio.engine.program import Node, Role, Spec
from studio.optimizers.base import Optimizer
from studio.problem import refuse

RATE, STEP = "learning_rate", "step"


@dataclass(frozen=True)
class Lagging:
    """The states that count a table's updates, and what its slots shrink by in each."""

    clock: str
    touched: str
    decay: Mapping[str, float]


@dataclass(frozen=True)
class Update:
    """What the optimizer keeps.

    Attributes:
        slots: by state name, the weight's state name and what the optimizer calls the slot.
        lags: by a weight's state name, its counters.
    """

    slots: dict[str, tuple[str, str]] = field(default_factory=dict)
    lags: dict[str, Lagging] = field(default_factory=dict)


def append_update(op: Builder, optimizer: Optimizer, lowered: Lowered, total: Value) -> Update:
    """Append the gradient of `total` and one step of the optimizer.

    Raises:
        ProblemError: ``nothing_trainable``, ``no_gradient``, ``gradient_refused``.
    """
    trained = {n: v for n, v in lowered.variables.items() if v.trainable}
    if not trained:
        raise refuse("nothing_trainable")
    with op.at("", "gradient"):
        seed = op.const(1.0, total.dtype)
        gradients = differentiate(op, {total: seed}, [v.value for v in trained.values()])
    if all(g is None for g in gradients):
        raise refuse("nothing_trainable")
    rate, step = op.input(RATE, Spec(total.dtype, ())), op.input(STEP, Spec(total.dtype, ()))
    update = Update()
    writers = {output: node for node in op.nodes for output in node.outputs}
    for (name, variable), gradient in zip(trained.items(), gradients, strict=True):
        if gradient is None:
            continue
        weight, constraint = variable.value, variable.weight.constraint
        by_rows = optimizer.lazy() is not None and constraint is None
        arriving = rows(op, writers, gradient) if by_rows else []
        with op.at("", f"{optimizer.kind.lower()}/{name}"):
            states = {s: f"{name}/{s}" for s in optimizer.slots()}
            values = {s: op.state(n, weight.spec, Role.SLOT) for s, n in states.items()}
            if arriving:
                lag = _lag(op, optimizer, name, weight, update)
                new, kept = optimizer.lower_rows(op, weight, arriving, values, lag, rate)
                values |= {"touched": lag["touched"]} if lag else {}
            else:
                new, kept = optimizer.lower(op, weight, gradient, values, rate, step)
            op.update(weight, constraint.lower(op, new) if constraint else new)
            for s, value in kept.items():
                op.update(values[s], value)
        update.slots.update({state: (name, s) for s, state in states.items()})
    return update


def rows(op: Builder, writers: Mapping[str, Node], gradient: Value) -> Sequence[Value]:
    """Where a table's gradient comes from, if that is rows alone: indices and rows, in turns.

    It is if the table is only looked up in, however often. Anything else, a regularizer or a
    product, reaches every row; then it is empty.
    """
    node = writers[gradient.name]
    if node.op == "Add":
        parts = [rows(op, writers, op.value(name)) for name in node.inputs]
        return [value for part in parts for value in part] if all(parts) else []
    if node.op != "GatherGrad" or node.attrs.get("axis", 0) != 0 or gradient.rank != 2:
        return []
    return [op.value(name) for name in node.inputs[:2]]


def _lag(
    op: Builder, optimizer: Optimizer, name: str, table: Value, update: Update
) -> dict[str, Value]:
    """The counters of a table whose slots wait; none if it has no such slots."""
    decay = optimizer.lazy()
    if not decay:
        return {}
    found = Lagging(f"{name}/clock", f"{name}/touched", decay)
    clock = op.state(found.clock, Spec("int32", ()), Role.COUNTER)
    touched = op.state(found.touched, Spec("int32", table.shape[:1]), Role.COUNTER)
    now = op.Add(clock, np.array(1, np.int32))
    op.update(clock, now)
    update.lags[name] = found
    return {"clock": now, "touched": touched}
