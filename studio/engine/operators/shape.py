"""Operators that move data without computing: reshape, transpose, join, cut, repeat."""

from functools import partial
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Buffer, Call, GradientNode, Operator, as_tuple, register
from studio.engine.operators.elementwise import unbroadcast

Grads = tuple[Value | None, ...]


def _copy(b: Binding) -> Call:
    """The kernel where a view cannot be had: the output has the right shape, only fill it."""
    return lambda: np.copyto(b.out, b.input(0).reshape(b.out.shape))


def _as_output(b: Binding) -> Buffer:
    return b.input(0).reshape(b.out.shape)


def _back(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    assert grads[0] is not None
    return (op.like(grads[0], n.x), *(None for _ in n.inputs[1:]))


for _name in ("Reshape", "Flatten", "Squeeze", "Unsqueeze"):
    register(Operator(_name, _copy, _back, view=_as_output))


def _order(b: Binding) -> tuple[int, ...]:
    default = tuple(reversed(range(b.input(0).ndim)))
    return as_tuple(b.attr("perm", default)) if default else ()


def _transpose_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    order = as_tuple(n.attrs.get("perm", tuple(reversed(range(n.x.rank)))))
    return (op.Transpose(grads[0], perm=tuple(int(i) for i in np.argsort(order))),)


register(
    Operator(
        "Transpose",
        lambda b: partial(np.copyto, b.out, b.input(0).transpose(_order(b))),
        _transpose_gradient,
    )
)


def _axis(n: GradientNode) -> int:
    axis = int(n.attrs.get("axis", 0))  # type: ignore[arg-type]
    return axis + n.y.rank if axis < 0 else axis


def _concat_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """Each input gets its own slice; sizes along the axis must be known."""
    axis, start, found = _axis(n), 0, list[Value | None]()
    for i, needed in enumerate(n.needs):
        x = n.input(i)
        size = x.shape[axis]
        if not isinstance(size, int):
            raise ValueError(f"Concat: the size of axis {axis} is unknown in {x.spec}")
        found.append(_cut(op, grads[0], axis, start, start + size) if needed else None)
        start += size
    return tuple(found)


def _cut(op: Builder, x: Any, axis: int, start: int, stop: int) -> Value:
    return op.Slice(x, *(np.array([v], np.int64) for v in (start, stop, axis)))


register(
    Operator(
        "Concat",
        lambda b: partial(np.concatenate, b.inputs, axis=b.attr("axis", 0), out=b.out),
        _concat_gradient,
    )
)


def _split(b: Binding) -> Call:
    x, axis = b.input(0), int(b.attr("axis", 0))
    ends = np.cumsum([0 if o is None else o.shape[axis] for o in b.outputs])
    given = b.optional(1)
    if given is not None:
        ends = np.cumsum(given)
    pairs = [
        (piece, out)
        for piece, out in zip(np.split(x, ends[:-1], axis), b.outputs, strict=True)
        if out is not None
    ]

    def call() -> None:
        for piece, out in pairs:
            np.copyto(out, piece)

    return call


def _split_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    parts = [
        g if g is not None else op.Mul(y, 0.0)
        for g, y in zip(grads, n.outputs, strict=True)
        if y is not None
    ]
    return (op.Concat(*parts, axis=n.attrs.get("axis", 0)), None)


register(Operator("Split", _split, _split_gradient))


def _slices(b: Binding) -> tuple[slice, ...]:
    x, starts, ends = b.input(0), b.input(1), b.input(2)
    axes = b.optional(3) if b.optional(3) is not None else np.arange(len(starts))
    steps = b.optional(4) if b.optional(4) is not None else np.ones(len(starts), np.int64)
    chosen = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):  # type: ignore[arg-type]
        size = x.shape[axis]
        stop = None if step < 0 and end < -size else int(end)
        chosen[axis] = slice(int(start), stop, int(step))
    return tuple(chosen)


def _slice(b: Binding) -> Call:
    return partial(np.copyto, b.out, b.input(0)[_slices(b)])


def _slice_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """Zeros around the gradient: Pad where the step is 1."""
    starts, ends, axes = (_constant(op, n, i) for i in (1, 2, 3))
    if n.optional(4) is not None and any(s != 1 for s in _constant(op, n, 4)):
        raise ValueError("Slice with a step other than 1 has no gradient yet")
    before, after = [0] * n.x.rank, [0] * n.x.rank
    for start, end, axis in zip(starts, ends, axes, strict=True):
        size = n.x.shape[axis]
        if not isinstance(size, int):
            raise ValueError(f"Slice: the size of axis {axis} is unknown in {n.x.spec}")
        first, last, _ = slice(start, end).indices(size)
        before[axis], after[axis] = first, size - max(first, last)
    padded = op.call("Pad", (grads[0], np.array(before + after, np.int64)), specs=[n.x.spec])[0]
    return (padded, *(None for _ in n.inputs[1:]))


def _constant(op: Builder, n: GradientNode, index: int) -> tuple[int, ...]:
    found = n.optional(index)
    if found is None:
        return tuple(range(len(_constant(op, n, 1))))
    if found.name not in op.consts:
        raise ValueError("Slice with computed bounds has no gradient")
    return as_tuple(op.consts[found.name])


register(Operator("Slice", _slice, _slice_gradient))


def _pad(b: Binding) -> Call:
    """Constant padding; negative amounts crop."""
    x, pads, out = b.input(0), as_tuple(b.input(1)), b.out
    if b.attr("mode", "constant") != "constant":
        raise ValueError(f"Pad: mode {b.attrs['mode']!r} is not one the engine runs")
    value = b.optional(2)
    axes = as_tuple(b.input(3)) if b.optional(3) is not None else tuple(range(x.ndim))
    inner, taken = [slice(None)] * x.ndim, [slice(None)] * x.ndim
    for i, axis in enumerate(axes):
        before, after, size = pads[i], pads[i + len(axes)], out.shape[axis]
        inner[axis] = slice(max(before, 0), size - max(after, 0))
        taken[axis] = slice(max(-before, 0), x.shape[axis] - max(-after, 0))
    hole, piece = out[tuple(inner)], x[tuple(taken)]
    fill = 0 if value is None else value

    def call() -> None:
        out[...] = fill
        np.copyto(hole, piece)

    return call


def _pad_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    pads = as_tuple(op.consts[n.input(1).name])
    crop = op.call("Pad", (grads[0], np.array([-p for p in pads], np.int64)), specs=[n.x.spec])[0]
    return (crop, *(None for _ in n.inputs[1:]))


register(Operator("Pad", _pad, _pad_gradient))


def _expand_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    assert grads[0] is not None
    return (unbroadcast(op, grads[0], n.x), None)


register(Operator("Expand", lambda b: partial(np.copyto, b.out, b.input(0)), _expand_gradient))
register(
    Operator(
        "Shape",
        lambda b: partial(
            np.copyto, b.out, np.array(b.input(0).shape, np.int64)[_span(b, b.input(0).ndim)]
        ),
        constant=True,
    )
)
register(
    Operator("Size", lambda b: partial(np.copyto, b.out, np.int64(b.input(0).size)), constant=True)
)


def _span(b: Binding, rank: int) -> slice:
    return slice(b.attr("start", 0), b.attr("end", rank))


register(
    Operator(
        "ConstantOfShape",
        lambda b: partial(b.out.fill, np.asarray(b.attr("value", 0)).item()),
        constant=True,
    )
)
