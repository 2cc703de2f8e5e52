"""The end of a training step: the gradient of every trained weight, and what the optimizer does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.document.lowering import Lowered, Variable, raise_first
from studio.engine.builder import Builder, Value
from studio.engine.gradient import differentiate
from studio.engine.program import Node, Role, Spec
from studio.optimizers.base import Optimizer
from studio.optimizers.common import (
    ACCUMULATOR,
    AVERAGE,
    Turn,
    averaged,
    clipped,
    decayed,
    kept_slots,
    squares,
    turn,
)
from studio.problem import refuse

RATE, STEP = "learning_rate", "step"


@dataclass(frozen=True)
class Lagging:
    """The states that count a table's updates, and what its slots shrink by in each."""

    clock: str
    touched: str
    decay: Mapping[str, float]


@dataclass
class Update:
    """What the optimizer keeps.

    Attributes:
        slots: by state name, the weight's state name and what the optimizer calls the slot.
        lags: by a weight's state name, its counters.
        gradients: by a weight's state name, what the optimizer is given before it averages or
            clips anything.
        norm: the length of all of these together; None where it was not asked for.
        first: the first node behind the gradients.
    """

    slots: dict[str, tuple[str, str]] = field(default_factory=dict)
    lags: dict[str, Lagging] = field(default_factory=dict)
    gradients: Mapping[str, Value] = field(default_factory=dict)
    norm: Value | None = None
    first: int = 0


def append_update(
    op: Builder, optimizer: Optimizer, lowered: Lowered, total: Value, norm: bool = False
) -> Update:
    """Append the gradient of `total` and one step of the optimizer; its norm, too, if asked for.

    Raises:
        ProblemError: ``nothing_trainable``, ``no_gradient``, ``gradient_refused``, and what is
            wrong with the optimizer.
    """
    raise_first(optimizer.problems())
    trained = {n: v for n, v in lowered.variables.items() if v.trainable}
    if not trained:
        raise refuse("nothing_trainable")
    with op.at("", "gradient"):
        seed = op.const(1.0, total.dtype)
        gradients = differentiate(op, {total: seed}, [v.value for v in trained.values()])
    if all(g is None for g in gradients):
        raise refuse("nothing_trainable")
    for scalar in (RATE, STEP):
        op.input(scalar, Spec(total.dtype, ()))
    writers = {output: node for node in op.nodes for output in node.outputs}
    reached = {n: g for n, g in zip(trained, gradients, strict=True) if g is not None}
    update = Update(gradients=dict(reached), first=len(op.nodes))
    if norm:
        with op.at("", "gradient_norm"):
            update.norm = op.Sqrt(squares(op, list(reached.values())))
    slots = {name: _slots(op, optimizer, name, trained[name].value, update) for name in reached}
    with op.at("", "averaging"):
        now = turn(op, optimizer, op.value(STEP))
        if now:
            for name, gradient in reached.items():
                state = slots[name].pop(ACCUMULATOR)
                reached[name], kept = now.averaged(op, gradient, state)
                op.update(state, kept)
    with op.at("", "clipping"):
        reached = dict(zip(reached, clipped(op, optimizer, list(reached.values())), strict=True))
    for name, gradient in reached.items():
        by_rows = optimizer.lazy() is not None and optimizer.plain()
        by_rows = by_rows and trained[name].weight.constraint is None
        arriving = rows(op, writers, gradient) if by_rows else []
        with op.at("", f"{optimizer.kind.lower()}/{name}"):
            if arriving:
                table = trained[name].value
                _update_rows(op, optimizer, name, table, arriving, slots[name], update)
            else:
                _update_all(op, optimizer, trained[name], gradient, slots[name], now)
    return update


def _slots(
    op: Builder, optimizer: Optimizer, name: str, weight: Value, update: Update
) -> dict[str, Value]:
    """What the optimizer keeps of a weight, by its names of them."""
    kept = kept_slots(optimizer)
    update.slots.update({f"{name}/{slot}": (name, slot) for slot in kept})
    return {slot: op.state(f"{name}/{slot}", weight.spec, Role.SLOT) for slot in kept}


def _update_rows(
    op: Builder,
    optimizer: Optimizer,
    name: str,
    table: Value,
    arriving: Sequence[Value],
    slots: Mapping[str, Value],
    update: Update,
) -> None:
    """One step of a table of which few rows have a gradient."""
    lag = _lag(op, optimizer, name, table, update)
    rate = op.value(RATE)
    new, becomes = optimizer.lower_rows(op, table, arriving, slots, lag, rate)
    op.update(table, new)
    for slot, value in becomes.items():
        op.update(lag[slot] if slot in lag else slots[slot], value)


def _update_all(
    op: Builder,
    optimizer: Optimizer,
    variable: Variable,
    gradient: Value,
    slots: Mapping[str, Value],
    now: Turn | None,
) -> None:
    """One step of a weight, with all that stands around the optimizer's own mathematics."""
    rate, weight = op.value(RATE), variable.value
    step = now.number if now else op.value(STEP)
    start = decayed(op, optimizer, weight, rate)
    new, becomes = optimizer.lower(op, start, gradient, slots, rate, step)
    if now:
        new = op.Where(now.due, new, weight)
        becomes = {slot: op.Where(now.due, value, slots[slot]) for slot, value in becomes.items()}
    if optimizer.use_ema:
        new, becomes[AVERAGE] = averaged(op, optimizer, new, slots[AVERAGE], step)
    constraint = variable.weight.constraint
    op.update(weight, constraint.lower(op, new) if constraint else new)
    for slot, value in becomes.items():
        op.update(slots[slot], value)


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
