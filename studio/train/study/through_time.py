"""The gradient that flows back through time, step by step, of what a recurrent operator read.

Q: Why is it walked here, when the operator's own backward walks it?
A: That one keeps what training needs: gradients of weights and inputs. What passes between two
   steps it forgets. Here a program of a single step, by the operator's own gradient rule, is run
   for each step, the last read first: so this knows no cell, and is right for all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studio.engine.bodies.operands import B, H, R, W, X
from studio.engine.builder import Builder, Value
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.operators.recurrent import vanished
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Array, Attribute, Dim, Program, Role, Spec

_WEIGHTS = {W: "W", R: "R", B: "B"}
_HALVED = ("activations", "activation_alpha", "activation_beta")  # by direction


@dataclass(frozen=True)
class Walked:
    """One direction of a recurrent operator, as it ran.

    Attributes:
        operator: ``LSTM``, ``GRU`` or ``RNN``.
        attrs: the node's.
        x: (time, batch, width) what it read.
        weights: W, R and perhaps B by their operands' places, of this direction.
        states: for each state (time + 1, batch, units): before the step read first, and after
            each, in the order of reading.
        order: the steps in the order of reading.
        lengths: (batch,) how many steps of each row there are; None where all are read.
    """

    operator: str
    attrs: Mapping[str, Attribute]
    x: Array
    weights: Mapping[int, Array]
    states: Sequence[Array]
    order: Sequence[int]
    lengths: Array | None


def direction_attrs(attrs: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """The attributes of a node that reads one direction only, forwards."""
    found = dict(attrs)
    if found.get("direction") == "bidirectional":
        for name in _HALVED:
            if isinstance(both := found.get(name), tuple):
                found[name] = both[: len(both) // 2]
    return found | {"direction": "forward"}


def back_through_time(walked: Walked, arriving: Array, ends: Sequence[Array]) -> list[Array]:
    """For each state the gradient that flows into it at each step.

    Into h that is all: what comes from the step's output, and what comes from the steps after it.
    Into c it is what comes from the step after it, which takes c as it is.

    Args:
        walked: the forward run.
        arriving: (time, batch, units) the gradient of the output of each step.
        ends: likewise of each state after the last step, (batch, units).

    Returns:
        For each state (time, batch, units), the steps as the sequence has them; zeros where a row
        has none, and where next to nothing (1e-30) is left of all.
    """
    step = _Step(walked)
    flowing = [end.copy() for end in ends]
    found = [np.zeros_like(arriving) for _ in flowing]
    for at, t, read in _backwards(walked):
        before = [state.copy() for state in flowing]
        with np.errstate(all="ignore"):  # infinities are results like others
            flowing[0] += arriving[t]
        for into, now in zip(found, flowing, strict=True):
            into[t] = now
        if vanished(*flowing):  # the operator would leave them as they are, too
            flowing = [np.zeros_like(now) for now in flowing]
        else:
            flowing = step.run(walked.x[t], [state[at] for state in walked.states], flowing)
        if read is not None:  # a row without this step hands its gradients on as they are
            for now, old, into in zip(flowing, before, found, strict=True):
                np.copyto(now, old, where=~read)
                into[t][~read[:, 0]] = 0
    return found


def _backwards(walked: Walked) -> Iterator[tuple[int, int, Array | None]]:
    """Of each step, the last read first: how many were read before it, its place, whose it is."""
    for at in reversed(range(len(walked.order))):
        t = walked.order[at]
        yield at, t, None if walked.lengths is None else (walked.lengths > t)[:, None]


class _Step:
    """One step and its way back, as a program run by the NumPy engine in the arrays' own dtype."""

    def __init__(self, walked: Walked) -> None:
        self._states = len(walked.states)
        program = eliminate_dead(_program(walked, self._states))
        self._executor = NumpyExecutor(program.astype(walked.x.dtype.name), threads=1)
        self._executor.load({_WEIGHTS[at]: array for at, array in walked.weights.items()})

    def run(self, x: Array, before: Sequence[Array], after: Sequence[Array]) -> list[Array]:
        """The gradients of the states before a step, from those of the states after it."""
        feeds = {"X": x[None]}
        for number, (state, gradient) in enumerate(zip(before, after, strict=True)):
            feeds[f"state_{number}"], feeds[f"into_{number}"] = state[None], gradient[None]
        found = self._executor.run(feeds)
        return [found[name][0] for name in self._executor.program.outputs]


def _program(walked: Walked, states: int) -> Program:
    op = Builder()
    units = walked.states[0].shape[-1]
    operands: list[Value | None] = [None] * (H + states)
    operands[X] = op.input("X", Spec("float32", (1, "batch", walked.x.shape[-1])))
    for at, array in walked.weights.items():
        operands[at] = op.state(_WEIGHTS[at], Spec("float32", array.shape), Role.WEIGHT)
    shape: tuple[Dim, ...] = (1, "batch", units)
    starts = [op.input(f"state_{n}", Spec("float32", shape)) for n in range(states)]
    operands[H:] = starts
    attrs = direction_attrs(walked.attrs)
    results = op.call(walked.operator, operands, 1 + states, None, **attrs)
    into = [op.input(f"into_{n}", Spec("float32", shape)) for n in range(states)]
    found = differentiate(op, dict(zip(results[1:], into, strict=True)), starts)
    return op.program([value for value in found if value is not None])


def stacked(walked: Walked, times: int) -> Walked:
    """The same run, its batch so many times side by side: one for each loss."""
    return replace(
        walked,
        x=np.concatenate([walked.x] * times, axis=1),
        states=[np.concatenate([state] * times, axis=1) for state in walked.states],
        lengths=None if walked.lengths is None else np.tile(walked.lengths, times),
    )
