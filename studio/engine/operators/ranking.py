"""The greatest or least elements along an axis, in order."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, register
from studio.engine.program import Attribute, Spec

Grads = tuple[Value | None, ...]


def _top(b: Binding) -> Call:
    """Values and their indices, the better first; of equal ones the earlier. Sorted always."""
    b.fixed(1)
    x, axis = b.input(0), int(b.attr("axis", -1))
    (size,) = {o.shape[axis] for o in b.outputs if o is not None}

    def call() -> None:
        if b.attr("largest", 1):  # a stable sort of the turned axis keeps the later of equal ones
            turned = np.argsort(np.flip(x, axis), axis, kind="stable")
            order = np.flip(x.shape[axis] - 1 - turned, axis)
        else:
            order = np.argsort(x, axis, kind="stable")
        chosen = order.take(range(size), axis)
        for out, found in zip(
            b.outputs, (np.take_along_axis(x, chosen, axis), chosen), strict=False
        ):
            if out is not None:
                np.copyto(out, found)

    return call


def _top_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """Each value's gradient goes back to where it was found."""
    places = n.outputs[1] if len(n.outputs) > 1 else None
    assert places is not None and grads[0] is not None
    zeros = op.Sub(n.x, n.x)
    return (op.ScatterElements(zeros, places, grads[0], axis=n.attrs.get("axis", -1)), None)


def _top_shapes(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
) -> list[Spec]:
    x, count = inputs[0], constants[1]
    assert x is not None
    if count is None:
        raise ValueError("how many is no constant")
    shape = list(x.shape)
    shape[int(attrs.get("axis", -1))] = int(count[0])  # type: ignore[arg-type]
    return [Spec(x.dtype, tuple(shape)), Spec("int64", tuple(shape))]


# Its gradient needs the indices, so training keeps them.
register(Operator("TopK", _top, _top_gradient, shape=_top_shapes, training="TopK"))
