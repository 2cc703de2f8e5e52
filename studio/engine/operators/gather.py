"""Operators that pick by index, and the gradient that puts back."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from studio.engine.bodies.scatter import summed_rows
from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, register
from studio.engine.program import Attribute, Spec

Grads = tuple[Value | None, ...]


def _gather(b: Binding) -> Call:
    """Indices were checked against the table before the first step; negative ones count back.

    Those of a file from elsewhere were not: constants are looked at here, and what is computed is
    taken modulo the size. NumPy's own way to wrap goes round as often as it takes, which for an
    index of 2**62 is for ever.
    """
    axis = int(b.attr("axis", 0))
    table, indices, out = b.input(0), b.input(1), b.out
    size = table.shape[axis]
    if b.known[1] and indices.size and not -size <= indices.min() <= indices.max() < size:
        raise ValueError(f"an index is not of 0 … {size - 1}")
    if b.known[1] or not size:
        return partial(np.take, table, indices, axis=axis, out=out, mode="wrap")
    places = b.scratch(indices.shape, indices.dtype)

    def call() -> None:
        np.remainder(indices, size, out=places)
        np.take(table, places, axis=axis, out=out, mode="clip")

    return call


def _gather_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    assert grads[0] is not None
    axis = int(n.attrs.get("axis", 0))  # type: ignore[arg-type]
    spec = [n.x.spec]
    shape = op.shape_of(n.x)
    return (op.call("GatherGrad", (n.input(1), grads[0], shape), specs=spec, axis=axis)[0], None)


register(Operator("Gather", _gather, _gather_gradient))


def _gather_grad(b: Binding) -> Call:
    """Sum the rows of a gradient by index: a product with a sparse 0/1 matrix for a table's rows.

    The product costs a tenth of ``np.add.at``; its order of summation is fixed, so it repeats.
    With a fourth input only that many indices count, and all of those differ. Constants that only
    rearrange, as the gates of recurrent layers are, are turned round.
    """
    indices, dy, out = b.input(0), b.input(1), b.out
    axis = int(b.attr("axis", 0)) % out.ndim
    count, size = indices.size, out.shape[axis]
    if b.known[0] and indices.shape == (size,) and len(np.unique(indices % size)) == size:
        return partial(np.take, dy, np.argsort(indices % size), axis, out, "clip")
    lead = out.shape[:axis]
    if lead and int(np.prod(lead)) != 1:
        return partial(_scatter_axis, indices, dy, out, axis)
    rows = dy.reshape(count, -1)
    table = out.reshape(size, -1)
    ends = b.own(np.arange(count + 1, dtype=np.int64))
    ones = b.own(np.ones(count, out.dtype))
    flat = indices.reshape(-1)
    filled = b.optional(3)
    if filled is not None:
        return partial(_place_rows, flat, rows, table, filled)

    b.passes(table.nbytes)

    def call() -> None:
        spread = sparse.csc_matrix((ones, flat % size, ends), shape=(size, count))
        np.copyto(table, spread @ rows)

    return call


def _place_rows(ids: Any, rows: Any, table: Any, count: Any) -> None:
    found = int(count)
    table.fill(0)
    table[ids[:found]] = rows[:found]


def _scatter_axis(indices: Any, dy: Any, out: Any, axis: int) -> None:
    out[...] = 0
    flat = dy.reshape(*out.shape[:axis], indices.size, *out.shape[axis + 1 :])
    np.add.at(np.moveaxis(out, axis, 0), indices.reshape(-1), np.moveaxis(flat, axis, 0))


def _gather_grad_body(
    op: Builder,
    indices: Value,
    dy: Value,
    shape: Value,
    count: Value | None = None,
    axis: int = 0,
) -> tuple[Value]:
    """Sums of lines; another axis than the first is brought to the front.

    With a count the indices are distinct ones, of which a body has no more.
    """
    rank = int(shape.shape[0])
    axis %= rank
    to_front = (axis, *(i for i in range(rank) if i != axis))
    if axis:
        picked = tuple(range(axis, axis + indices.rank))
        rest = tuple(i for i in range(dy.rank) if i not in picked)
        dy = op.Transpose(dy, perm=(*picked, *rest))
        shape = op.Gather(shape, np.array(to_front, np.int64), axis=0)
    first, line = np.array([0], np.int64), np.array([-1], np.int64)
    flat = op.Reshape(indices, line)
    lines = op.call(
        "Reshape",
        (dy, op.Concat(op.Shape(flat), line, axis=0)),
        specs=[Spec(dy.dtype, (*flat.shape, "width"))],
    )[0]
    found = summed_rows(op, op.Slice(shape, first, np.array([1])), flat, lines)
    spec = Spec(dy.dtype, tuple(f"size_{i}" for i in range(rank)))
    table = op.call("Reshape", (found, shape), specs=[spec])[0]
    if axis:
        table = op.Transpose(table, perm=tuple(int(i) for i in np.argsort(to_front)))
    return (table,)


def _gather_grad_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
) -> list[Spec]:
    dy = inputs[1]
    assert dy is not None and constants[2] is not None, "GatherGrad needs a known shape"
    return [Spec(dy.dtype, tuple(int(d) for d in constants[2]))]


register(Operator("GatherGrad", _gather_grad, shape=_gather_grad_shape, body=_gather_grad_body))


def _gather_elements(b: Binding) -> Call:
    x, indices, axis = b.input(0), b.input(1), int(b.attr("axis", 0))
    return lambda: np.copyto(b.out, np.take_along_axis(x, indices % x.shape[axis], axis))


def _gather_elements_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    zeros = op.call("Expand", (op.const(0, n.x.dtype), op.shape_of(n.x)), specs=[n.x.spec])[0]
    axis = n.attrs.get("axis", 0)
    return (op.ScatterElements(zeros, n.input(1), grads[0], axis=axis, reduction="add"), None)


register(Operator("GatherElements", _gather_elements, _gather_elements_gradient))


_REDUCTIONS = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _scatter_elements(b: Binding) -> Call:
    data, indices, updates, out = b.input(0), b.input(1), b.input(2), b.out
    axis, how = int(b.attr("axis", 0)), b.attr("reduction", "none")
    rest = np.ogrid[tuple(slice(size) for size in indices.shape)]

    def call() -> None:
        np.copyto(out, data)
        where = list(rest)
        where[axis] = indices % data.shape[axis]
        if how == "none":
            out[tuple(where)] = updates
        else:
            _REDUCTIONS[how].at(out, tuple(where), updates)

    return call


def _scatter_elements_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """What replaced or was added gets the gradient at its place; what was replaced gets none."""
    how, axis = n.attrs.get("reduction", "none"), n.attrs.get("axis", 0)
    if how not in ("none", "add"):
        raise ValueError(f"reduction {how!r}")
    there = op.GatherElements(grads[0], n.input(1), axis=axis)
    rest = grads[0]
    if how == "none" and n.needs[0]:
        rest = op.ScatterElements(grads[0], n.input(1), op.Sub(there, there), axis=axis)
    return (rest, None, there)


register(Operator("ScatterElements", _scatter_elements, _scatter_elements_gradient))


def _gather_nd(b: Binding) -> Call:
    """Each last vector of the indices names a place, behind as many axes of a batch as told."""
    x, indices, kept = b.input(0), b.input(1), int(b.attr("batch_dims", 0))
    batch = np.ogrid[tuple(slice(size) for size in indices.shape[:kept])]
    lead = [axis.reshape(*axis.shape, *(1,) * (indices.ndim - 1 - kept)) for axis in batch]
    return lambda: np.copyto(b.out, x[(*lead, *np.moveaxis(indices, -1, 0))])


def _gather_nd_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    if n.attrs.get("batch_dims", 0):
        raise ValueError("batch_dims is not 0")
    zeros = op.call("Expand", (op.const(0, n.x.dtype), op.shape_of(n.x)), specs=[n.x.spec])[0]
    return (op.ScatterND(zeros, n.input(1), grads[0], reduction="add"), None)


register(Operator("GatherND", _gather_nd, _gather_nd_gradient))


def _scatter_nd(b: Binding) -> Call:
    data, indices, updates, out = b.input(0), b.input(1), b.input(2), b.out
    how = b.attr("reduction", "none")

    def call() -> None:
        np.copyto(out, data)
        where = tuple(np.moveaxis(indices, -1, 0))
        if how == "none":
            out[where] = updates
        else:
            _REDUCTIONS[how].at(out, where, updates)

    return call


register(Operator("ScatterND", _scatter_nd))


# -- one-hots ------------------------------------------------------------------------------------


def _places(indices: Any, depth: int) -> Any:
    """Where the ones are: negative indices count back, and `depth` stands for nowhere."""
    ids = indices.astype(np.int64)
    ids = np.where(ids < 0, ids + depth, ids)
    return np.where((ids < 0) | (ids >= depth), depth, ids)


def _one_hot(b: Binding) -> Call:
    """Rows of off-values with one on-value; an index outside the depth gives off-values only."""
    indices, values, out = b.input(0), b.input(2), b.out
    axis = int(b.attr("axis", -1)) % out.ndim
    depth, rows = out.shape[axis], np.moveaxis(out, axis, -1)

    def call() -> None:
        out[...] = values[0]
        places = _places(indices, depth)
        hot = np.nonzero(places < depth)
        rows[(*hot, places[hot])] = values[1]

    return call


register(Operator("OneHot", _one_hot, constant=True))


def _one_hot_matmul(b: Binding) -> Call:
    """Indices, matrix → the product of their one-hots and the matrix: its rows, or zeros."""
    indices, matrix = b.input(0).reshape(-1), b.input(1)
    depth, rows = len(matrix), b.out.reshape(-1, matrix.shape[1])

    def call() -> None:
        places = _places(indices, depth)
        np.take(matrix, places, axis=0, out=rows, mode="clip")
        rows[places == depth] = 0

    return call


def _one_hot_matmul_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], _: Sequence[Any]
) -> list[Spec]:
    indices, matrix = inputs
    assert indices is not None and matrix is not None
    return [Spec(matrix.dtype, (*indices.shape, matrix.shape[1]))]


register(Operator("OneHotMatMul", _one_hot_matmul, shape=_one_hot_matmul_shape))


def _one_hot_matmul_grad(b: Binding) -> Call:
    """Indices, rows → the matrix's gradient: for each of its `depth` rows the sum of those at it.

    A product with a sparse 0/1 matrix, as in `_gather_grad`.
    """
    indices, dy, out = b.input(0), b.input(1), b.out
    depth, count = len(out), indices.size
    ones, ends = b.own(np.ones(count, out.dtype)), b.own(np.arange(count + 1))

    b.passes(out.nbytes)

    def call() -> None:
        shape = depth + 1, count
        spread = sparse.csc_matrix((ones, _places(indices, depth), ends), shape=shape)
        np.copyto(out, (spread @ dy)[:depth])

    return call


def _one_hot_matmul_grad_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], _: Sequence[Any]
) -> list[Spec]:
    dy, depth = inputs[1], attrs["depth"]
    assert dy is not None and isinstance(depth, int)
    return [Spec(dy.dtype, (depth, dy.shape[1]))]


register(Operator("OneHotMatMulGrad", _one_hot_matmul_grad, shape=_one_hot_matmul_grad_shape))
