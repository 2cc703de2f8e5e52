"""The rows of a table a batch reads, each once."""

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.program import Spec


def distinct(op: Builder, indices: Value, size: int) -> tuple[Value, Value, Value]:
    """Ids, places and count as of the kernel; here there is no room beyond the count."""
    ids, places = numbered(op, indices, op.const(size, "int64"))
    return ids, op.like(places, indices), op.Size(ids)


def numbered(op: Builder, indices: Value, size: Value) -> tuple[Value, Value]:
    """The distinct indices, negative ones counted from `size`, and for each index its number."""
    flat = op.Reshape(op.Cast(indices, to="int64"), np.array([-1], np.int64))
    flat = op.Where(op.Less(flat, 0), op.Add(flat, size), flat)
    line = Spec("int64", ("distinct",))
    found = op.call("Unique", (flat,), specs=[line, line, flat.spec, line], sorted=0)
    return found[0], found[2]


def take_rows(op: Builder, table: Value, ids: Value, count: Value) -> tuple[Value]:
    """The rows of all ids: there are no more than count."""
    return (op.Gather(table, ids, axis=0),)
