"""Sums of rows by index."""

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.program import Dim, Spec

_FIRST = np.array([0], np.int64)


def summed_rows(op: Builder, size: Value, indices: Value, rows: Value) -> Value:
    """For each of `size` rows the sum of those that its index names.

    Args:
        size: int64 (1,): how many rows the result has.
        indices: integers (n,); negative ones count from the end.
        rows: (n, width).

    Q: Why not ScatterND, which takes whole rows?
    A: onnxruntime adds duplicates from several threads at once and loses some of them. Elements
       lie along the second axis because it walks them faster so.
    """
    width: Dim = rows.shape[1]
    columns = op.Transpose(rows, perm=(1, 0))
    where = op.call(
        "Expand",
        (op.Unsqueeze(op.Cast(indices, to="int64"), _FIRST), op.Shape(columns)),
        specs=[Spec("int64", columns.shape)],
    )[0]
    shape = op.Concat(op.Slice(op.Shape(columns), _FIRST, np.array([1])), size, axis=0)
    spec = Spec(rows.dtype, (width, "rows"))
    zeros = op.call("Expand", (op.const(0, rows.dtype), shape), specs=[spec])[0]
    found = op.call(
        "ScatterElements", (zeros, where, columns), specs=[spec], axis=1, reduction="add"
    )[0]
    turned: Value = op.Transpose(found, perm=(1, 0))
    return turned
