"""Columns of arrays, such as pictures."""

from functools import partial
from math import prod

import numpy as np

from studio.document import edits
from studio.document.edits import Fix
from studio.document.model import Document
from studio.document.plan import ArrayColumn
from studio.document.preprocess import divided
from studio.engine.program import Array
from studio.problem import Problem
from studio.train.arrays import Column, Packed
from studio.train.encoding.common import each_a_probability, raise_any, shaped, shaped_array
from studio.train.ports import DataPort
from studio.train.streamed import Streamed, blocks, column_of
from studio.train.tables import LARGEST_NUMBER, Table, shape_text


def array_column(document: Document, port: DataPort, table: Table, binding: ArrayColumn) -> Column:
    """A column of arrays as the port takes them; bytes stay bytes until a batch is taken.

    Raises:
        ProblemError: the column is missing or of cells, its arrays are of another size or hold
            what the port cannot take.
    """
    values = column_of(table.array(binding.column))
    wrong = _size_problem(document, port, table, binding, values)
    raise_any([wrong] if wrong else [])
    raise_any(_array_problems(port, table, binding, values))
    if port.integers or (binding.divisor == 1 and values.dtype == port.spec.dtype):
        return shaped(port, values)
    return Packed(values, partial(_divided, port, binding.divisor))


def _divided(port: DataPort, divisor: float, values: Array) -> Array:
    return shaped_array(port, divided(values, divisor))


def _size_problem(
    document: Document,
    port: DataPort,
    table: Table,
    binding: ArrayColumn,
    values: Array | Streamed,
) -> Problem | None:
    """Arrays with more or fewer numbers than the port takes, or of texts."""
    about = {"file": table.name, "column": binding.column}
    if values.dtype.kind == "U":
        return port.problem("array_of_texts", **about)
    shape, sizes = values.shape[1:], port.spec.shape[1:]
    fits = prod(shape) == port.width or (
        len(shape) == len(sizes)
        and all(a == b or isinstance(b, str) for a, b in zip(shape, sizes, strict=True))
    )
    if fits:
        return None
    args = {"received": shape_text(shape), "expected": shape_text(sizes), **about}
    if port.loss:
        return port.problem("array_size", **args)
    layer = document.graph.calls[port.call].layer
    edit = edits.setting(layer, shape=shape)
    return port.problem("array_size", Fix("input_shape", edit, args), **args)


def _array_problems(
    port: DataPort, table: Table, binding: ArrayColumn, values: Array | Streamed
) -> list[Problem]:
    """The first number that the port cannot take, of each kind of misfit."""
    low, high = _range(port, binding)
    if values.dtype.kind == "u" and low <= 0 and np.iinfo(values.dtype).max <= high:
        return []  # bytes of pictures: many, and never wrong
    problems: dict[str, Problem] = {}
    for start, block in blocks(values):
        flat = block.reshape(len(block), -1)
        checks = [("array_value", ~((flat >= low) & (flat <= high)))]  # a NaN is neither
        if port.integers and flat.dtype.kind == "f":
            checks.append(("array_not_whole", flat != np.floor(flat)))
        for code, wrong in checks:
            for row in np.flatnonzero(wrong.any(axis=1))[:1].tolist():
                value = flat[row][np.argmax(wrong[row])].item()
                args = {"received": value, "expected": f"{low:.4g}…{high:.4g}"}
                at = table.place(start + row)
                place = {"file": table.name, "column": binding.column, "row": at}
                problems.setdefault(code, port.problem(code, **args, **place))
    return list(problems.values())


def _range(port: DataPort, binding: ArrayColumn) -> tuple[float, float]:
    """The least and the largest number a port takes from an array, before it is divided."""
    if port.integers:
        bounds = np.iinfo(port.spec.dtype)
        return (0, port.limit - 1) if port.limit else (bounds.min, bounds.max)
    if each_a_probability(port):
        return min(0.0, binding.divisor), max(0.0, binding.divisor)
    return -LARGEST_NUMBER, LARGEST_NUMBER
