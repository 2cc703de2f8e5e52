"""A column whose cells hold several numbers, as a port takes it: cut or filled to one length."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import SequenceColumn
from studio.document.preprocess import pad_sequences
from studio.engine.program import Array
from studio.problem import Problem
from studio.progress import tell
from studio.train.cells import filled
from studio.train.encoding.common import raise_any, shaped
from studio.train.ports import DataPort
from studio.train.streamed import Streamed, column_of
from studio.train.tables import LARGEST_NUMBER, Table
from studio.train.tables.kinds import sequence


def sequence_column(port: DataPort, table: Table, binding: SequenceColumn) -> Array | Streamed:
    """The sequences of a column as the port takes them; an empty cell is all padding.

    Raises:
        ProblemError: ``column_missing``, and what `sequence_problems` finds.
    """
    raise_any(sequence_problems(port, table, binding))
    parts = _padded(table, binding)
    return shaped(port, column_of(filled(table.rows, parts, in_file=table.large)))


def _padded(table: Table, binding: SequenceColumn) -> Iterator[NDArray[np.float64]]:
    cells = table.texts(binding.column)
    for rows in table.blocks():
        tell("encoding", rows.start, table.rows)
        found = [sequence(cell) or [] for cell in cells[rows]]
        ends = binding.padding, binding.truncating
        yield pad_sequences(found, binding.length, *ends, dtype=np.float64)


def sequence_problems(port: DataPort, table: Table, binding: SequenceColumn) -> list[Problem]:
    """What of a column's cells the port cannot take: the first of each kind, and their number."""
    cells = table.texts(binding.column)
    low, high = _range(port)
    found: dict[str, list[int]] = {}
    for rows in table.blocks():
        for row, cell in enumerate(cells[rows], rows.start):
            code = _wrong(sequence(cell), port, low, high)
            if code:
                found.setdefault(code, []).append(row)
    problems = []
    for code, places in found.items():
        problem = table.misfit(code, binding.column, places)
        args = {**problem.args, "port": port.name, "expected": f"{low:.4g}…{high:.4g}"}
        problems.append(replace(problem, args=args))
    return problems


def _range(port: DataPort) -> tuple[float, float]:
    """The least and the largest number that a port takes."""
    if port.integers:
        bounds = np.iinfo(port.spec.dtype)
        return (0, port.limit - 1) if port.limit else (float(bounds.min), float(bounds.max))
    if port.loss is not None and port.loss.probabilities == "each":
        return 0.0, 1.0
    return -LARGEST_NUMBER, LARGEST_NUMBER


def _wrong(found: Sequence[float] | None, port: DataPort, low: float, high: float) -> str:
    if found is None:
        return "cell_not_sequence"
    if not all(low <= value <= high for value in found):  # a NaN is neither
        return "sequence_outside"
    if port.integers and not all(value.is_integer() for value in found):
        return "cell_not_whole"
    return ""
