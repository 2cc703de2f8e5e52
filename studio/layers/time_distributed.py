"""One layer for every step of time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Value
from studio.engine.program import Array, Dim, Spec
from studio.layers.base import Layer, LayerBuilder, Weights
from studio.layers.expect import has_rank
from studio.limits import STEPS_APART
from studio.problem import refuse


@dataclass(frozen=True)
class Inner:
    """The layer inside a wrapper, as something that lowers.

    Attributes:
        lower: what it gives for a value, its mask travelling with it.
        step_by_step: whether it holds statistics that each step updates in turn.
    """

    lower: Callable[[Value], Value]
    step_by_step: bool = False


@dataclass(frozen=True)
class TimeDistributed(Layer):
    """Applies one layer, or one model, to every step of a sequence, with the same weights.

    Q: Why does it not hold the layer as a parameter?
    A: What it applies may be used elsewhere too, so it is a layer of the document, named by its
       id. By itself, without one, it refuses; around one, `around` is its mathematics.
    """

    category = "Recurrent"
    synonyms = ("wrapper", "per step", "map over time", "时间分布", "逐步")
    supports_masking = True

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        raise refuse("wrapper_empty", kind=self.kind)

    def around(self, op: LayerBuilder, inner: Inner, x: Value) -> Value:
        """`inner` over every step of `x` (batch, time, …).

        Time is folded into the batch. Statistics are taken step by step, as Keras takes them.
        """
        self.step(x.spec)
        y = self._each(op, inner, x) if inner.step_by_step else self._folded(op, inner, x)
        mask = op.mask(x)
        if mask is not None:
            op.set_mask(y, mask)
        return y

    def step(self, x: Spec) -> Spec:
        """What the inner layer is given.

        Raises:
            ProblemError: ``expects_axes``: there is no time, or nothing at a step of it.
        """
        has_rank(self.kind, x, at_least=3)
        return Spec(x.dtype, (_folded_size(x), *x.shape[2:]))

    def steps(self, x: Spec, y: Spec) -> Spec:
        """What comes out for `x` when the inner layer gives `y`."""
        return Spec(y.dtype, (*x.shape[:2], *y.shape[1:]))

    def _folded(self, op: LayerBuilder, inner: Inner, x: Value) -> Value:
        fed = _reshaped(op, x, op.shape_of(x), 2, self.step(x.spec))
        mask = op.mask(x)
        if mask is not None and mask.rank > 2:  # one that says something within a step, too
            spec = Spec("bool", (fed.shape[0], *mask.shape[2:]))
            op.set_mask(fed, _reshaped(op, mask, op.shape_of(mask), 2, spec))
        y = inner.lower(fed)
        shape = op.Concat(_part(op, x, 0, 2), _part(op, y, 1, y.rank), axis=0)
        return op.call("Reshape", (y, shape), specs=[self.steps(x.spec, y.spec)])[0]

    def _each(self, op: LayerBuilder, inner: Inner, x: Value) -> Value:
        count = x.shape[1]
        if not isinstance(count, int):
            raise refuse("steps_unknown", kind=self.kind, received=x.spec)
        if count > STEPS_APART:
            raise refuse("steps_many", kind=self.kind, received=count, expected=STEPS_APART)
        mask, found = op.mask(x), list[Value]()
        for number in range(count):
            index = np.array(number, np.int64)
            fed = op.Gather(x, index, axis=1)
            # A vector at a step is valid or not; a sequence there needs a mask that says more.
            if mask is not None and (mask.rank > 2 or fed.rank == 2):
                op.set_mask(fed, op.Gather(mask, index, axis=1))
            found.append(op.Unsqueeze(inner.lower(fed), _ints(1)))
        return op.Concat(*found, axis=1) if len(found) > 1 else found[0]


def _folded_size(x: Spec) -> Dim:
    batch, time = x.shape[:2]
    if isinstance(batch, int) and isinstance(time, int):
        return batch * time
    return f"{batch}*{time}"


def _reshaped(op: LayerBuilder, x: Value, shape: Value, kept_from: int, spec: Spec) -> Value:
    """`x` with the axes before `kept_from` put into one."""
    if all(isinstance(d, int) for d in spec.shape[1:]):
        target = op.const((-1, *spec.shape[1:]), "int64")
    else:
        rest = op.Slice(shape, _ints(kept_from), _ints(x.rank))
        target = op.Concat(op.const([-1], "int64"), rest, axis=0)
    return op.call("Reshape", (x, target), specs=[spec])[0]


def _part(op: LayerBuilder, x: Value, start: int, stop: int) -> Value:
    """Some sizes of `x`: a constant where they are known."""
    sizes = x.shape[start:stop]
    if all(isinstance(d, int) for d in sizes):
        return op.const(sizes, "int64")
    return op.Slice(op.shape_of(x), _ints(start), _ints(stop))


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)
