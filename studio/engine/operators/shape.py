"""Operators that move data without computing: reshape, transpose, join, cut, repeat."""

from functools import partial

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Buffer, Call, GradientNode, Operator, as_tuple, register
from studio.engine.operators.elementwise import unbroadcast
from studio.engine.program import Spec

Grads = tuple[Value | None, ...]
_FAR = 2**31  # no axis is longer


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
    """Each input gets its own piece, as long along the axis as it is itself."""
    axis, start = _axis(n), op.const([0], "int64")
    found = list[Value | None]()
    for i, needed in enumerate(n.needs):
        x = n.input(i)
        end = op.Add(start, _size(op, x, axis))
        bounds = (start, end, np.array([axis], np.int64))
        piece = op.call("Slice", (grads[0], *bounds), specs=[x.spec]) if needed else (None,)
        found.append(piece[0])
        start = end
    return tuple(found)


def _size(op: Builder, x: Value, axis: int) -> Value:
    """The size of an axis as a vector of one; known or not, it is a number once shapes are."""
    size = x.shape[axis]
    if isinstance(size, int):
        return op.const([size], "int64")
    return op.Gather(op.shape_of(x), np.array([axis], np.int64))


def _concat(b: Binding) -> Call:
    """Only what is not written there already, by a plan that knew where it would lie."""
    axis, inputs = int(b.attr("axis", 0)), [b.input(i) for i in range(len(b.inputs))]
    ends = np.cumsum([x.shape[axis] for x in inputs])
    pieces = zip(np.split(b.out, ends[:-1], axis), inputs, strict=True)
    pairs = [(p, x) for p, x in pieces if p.ctypes.data != x.ctypes.data]
    if len(pairs) == len(inputs):
        return partial(np.concatenate, inputs, axis=axis, out=b.out)

    def call() -> None:
        for piece, x in pairs:
            np.copyto(piece, x)

    return call


register(Operator("Concat", _concat, _concat_gradient))


def _split(b: Binding) -> Call:
    x, axis = b.input(0), int(b.attr("axis", 0))
    ends = np.cumsum([0 if o is None else o.shape[axis] for o in b.outputs])
    given = b.fixed(1)
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
    if any(y is None for y in n.outputs):
        raise ValueError("one of its outputs is unwanted")
    parts = [
        op.call("Expand", (op.const(0, y.dtype), op.shape_of(y)), specs=[y.spec])[0]
        if g is None
        else g
        for g, y in zip(grads, n.outputs, strict=True)
        if y is not None
    ]
    return (op.Concat(*parts, axis=n.attrs.get("axis", 0)), None)


register(Operator("Split", _split, _split_gradient))


def _slices(b: Binding) -> tuple[slice, ...]:
    """ONNX's bounds as Python's: a start or an end beyond the axis means its edge."""
    x, starts, ends = b.input(0), b.fixed(1) or (), b.fixed(2) or ()
    axes = b.fixed(3) or tuple(range(len(starts)))
    steps = b.fixed(4) or (1,) * len(starts)
    chosen = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = x.shape[axis]
        if step < 0:
            chosen[axis] = slice(max(start, -size), None if end < -size else end, step)
        else:
            chosen[axis] = slice(start, end, step)
    return tuple(chosen)


def _slice(b: Binding) -> Call:
    return partial(np.copyto, b.out, b.input(0)[_slices(b)])


def _slice_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """One axis after the other: zeros around the gradient, or its steps put back in place."""
    starts, ends = _constant(op, n, 1), _constant(op, n, 2)
    axes = _constant(op, n, 3) if n.optional(3) else tuple(range(len(starts)))
    steps = _constant(op, n, 4) if n.optional(4) else (1,) * len(starts)
    grad = grads[0]
    assert grad is not None
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        grad = _unslice(op, n.x, grad, axis % n.x.rank, (start, end, step))
    return (grad, *(None for _ in n.inputs[1:]))


def _constant(op: Builder, n: GradientNode, index: int) -> tuple[int, ...]:
    found = n.input(index)
    if found.name not in op.consts:
        raise ValueError(f"its input {index} is computed")
    return as_tuple(op.consts[found.name])


def _unslice(op: Builder, x: Value, grad: Value, axis: int, bounds: tuple[int, int, int]) -> Value:
    """The gradient of ``x[..., start:end:step, ...]`` along one axis."""
    start, end, step = bounds
    size = x.shape[axis]
    spec = [Spec(grad.dtype, (*grad.shape[:axis], size, *grad.shape[axis + 1 :]))]
    one = np.array([axis], np.int64)
    if step == 1:
        length = _size(op, x, axis)
        first = _bound(op, start, length)
        after = op.Sub(length, op.Max(first, _bound(op, end, length)))
        return op.call("Pad", (grad, op.Concat(first, after, axis=0), None, one), specs=spec)[0]
    if step == -1 and start == -1 and end < -_FAR:
        bound = [np.array([v], np.int64) for v in (start, end, axis, step)]
        return op.call("Slice", (grad, *bound), specs=spec)[0]
    if not isinstance(size, int):
        raise ValueError(f"a step of {step} along axis {axis} of unknown size")
    taken = range(size)[start : None if step < 0 and end < -size else end : step]
    where = np.array(taken, np.int64)
    sizes = (_size(op, x if i == axis else grad, i) for i in range(x.rank))
    shape = op.Concat(*sizes, axis=0)
    return op.call("GatherGrad", (where, grad, shape), specs=spec, axis=axis)[0]


def _bound(op: Builder, at: int, size: Value) -> Value:
    """Where a slice starts or ends, counted from 0 and kept within the axis."""
    if at >= 0:
        return op.Min(size, np.array([at], np.int64))
    return op.Max(op.Add(size, np.array([max(at, -_FAR)], np.int64)), np.array([0], np.int64))


register(Operator("Slice", _slice, _slice_gradient))


def _pad(b: Binding) -> Call:
    """Constant padding, whose negative amounts crop; the other modes are NumPy's own."""
    x, pads, out, mode = b.input(0), b.fixed(1) or (), b.out, b.attr("mode", "constant")
    axes = b.fixed(3) or tuple(range(x.ndim))
    amounts = [(0, 0)] * x.ndim
    for i, axis in enumerate(axes):
        amounts[axis] = (pads[i], pads[i + len(axes)])
    if mode != "constant":
        return lambda: np.copyto(out, np.pad(x, amounts, mode))
    inner, taken = (
        tuple(
            slice(max(sign * before, 0), array.shape[axis] - max(sign * after, 0))
            for axis, (before, after) in enumerate(amounts)
        )
        for sign, array in ((1, out), (-1, x))
    )
    hole, piece, fill = out[inner], x[taken], b.optional(2)

    def call() -> None:
        out[...] = 0 if fill is None else fill
        np.copyto(hole, piece)

    return call


def _pad_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """What was added is cut off again, what was cut off gets zeros."""
    if n.attrs.get("mode", "constant") != "constant":
        raise ValueError(f"mode {n.attrs['mode']!r}")
    rest = n.inputs[3:4]
    crop = op.call("Pad", (grads[0], op.Neg(n.input(1)), None, *rest), specs=[n.x.spec])[0]
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
