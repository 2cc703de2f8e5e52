"""Matrix products."""

from functools import partial

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, register
from studio.engine.operators.elementwise import unbroadcast


def _matmul(b: Binding) -> Call:
    """A product of a rank-n by a rank-2 operand runs as one GEMM, its leading axes folded."""
    x, y, out = b.input(0), b.input(1), b.out
    if x.ndim > 2 and y.ndim == 2 and x.flags.c_contiguous and out.flags.c_contiguous:
        rows = x.size // x.shape[-1]
        return partial(np.matmul, x.reshape(rows, x.shape[-1]), y, out.reshape(rows, y.shape[1]))
    return partial(np.matmul, x, y, out)


def transposed(op: Builder, x: Value) -> Value:
    """`x` with its last two axes swapped."""
    order = (*range(x.rank - 2), x.rank - 1, x.rank - 2)
    return op.Transpose(x, perm=order)


def _matmul_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    """dA = dY·Bᵀ, dB = Aᵀ·dY; a rank-2 B under a rank-n A sums over all leading axes."""
    a, b, dy = n.input(0), n.input(1), grads[0]
    assert dy is not None
    da = db = None
    if a.rank == 1 or b.rank == 1:
        return _vector_gradient(op, n, dy)
    if n.needs[0]:
        da = unbroadcast(op, op.MatMul(dy, transposed(op, b)), a)
    if n.needs[1]:
        if b.rank == 2 and a.rank > 2:
            a, dy = _rows(op, a), _rows(op, dy)
        db = unbroadcast(op, op.MatMul(transposed(op, a), dy), b)
    return (da, db)


def _rows(op: Builder, x: Value) -> Value:
    """`x` with every axis but the last folded into one."""
    width = x.shape[-1]
    if not isinstance(width, int):
        raise ValueError(f"MatMul needs a known last axis to differentiate, got {x.spec}")
    return op.Reshape(x, np.array([-1, width], np.int64))


def _vector_gradient(op: Builder, n: GradientNode, dy: Value) -> tuple[Value | None, ...]:
    """A vector is a matrix with one row (left) or one column (right)."""
    a, b = n.input(0), n.input(1)
    first, last = np.array([-2], np.int64), np.array([-1], np.int64)
    wide = dy
    if b.rank == 1:
        wide = op.Unsqueeze(wide, last)
    if a.rank == 1:
        wide = op.Unsqueeze(wide, first)
    rows = op.Unsqueeze(a, first) if a.rank == 1 else a
    columns = op.Unsqueeze(b, last) if b.rank == 1 else b
    da = unbroadcast(op, op.MatMul(wide, transposed(op, columns)), rows)
    db = unbroadcast(op, op.MatMul(transposed(op, rows), wide), columns)
    return (op.like(da, a), op.like(db, b))


register(Operator("MatMul", _matmul, _matmul_gradient))


def _gemm(b: Binding) -> Call:
    x = b.input(0).T if b.attr("transA", 0) else b.input(0)
    y = b.input(1).T if b.attr("transB", 0) else b.input(1)
    c, out = b.optional(2), b.out
    alpha, beta = out.dtype.type(b.attr("alpha", 1.0)), out.dtype.type(b.attr("beta", 1.0))
    if alpha == 1 and c is None:
        return partial(np.matmul, x, y, out)

    def call() -> None:
        np.matmul(x, y, out)
        np.multiply(out, alpha, out)
        if c is not None:
            np.add(out, beta * c, out)

    return call


def _gemm_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    a, b, dy = n.input(0), n.input(1), grads[0]
    assert dy is not None
    scaled = op.Mul(dy, n.number("alpha", 1.0))
    left = a if n.attrs.get("transA", 0) else transposed(op, a)
    right = b if n.attrs.get("transB", 0) else transposed(op, b)
    da, db = op.MatMul(scaled, right), op.MatMul(left, scaled)
    da = transposed(op, da) if n.attrs.get("transA", 0) else da
    db = transposed(op, db) if n.attrs.get("transB", 0) else db
    c = n.optional(2)
    dc = unbroadcast(op, op.Mul(dy, n.number("beta", 1.0)), c) if c is not None else None
    return (da, db, dc)


register(Operator("Gemm", _gemm, _gemm_gradient))


def _determinant(b: Binding) -> Call:
    x, out = b.input(0), b.out
    return lambda: np.copyto(out, np.linalg.det(x))


register(Operator("Det", _determinant))
