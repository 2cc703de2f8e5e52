"""What every kind of column needs on its way into a port."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.document.edits import Fix
from studio.document.preprocess import is_gap
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.progress import tell
from studio.train.cells import Stripped, filled
from studio.train.ports import DataPort
from studio.train.streamed import Streamed, blocks, column_of
from studio.train.tables import Table

TOGETHER = 2**14  # rows encoded between two words to whoever waits


def raise_any(problems: Sequence[Problem]) -> None:
    """Raise these problems, if there are any."""
    if problems:
        raise ProblemError(problems)


def fixed_empty(problems: Sequence[Problem], fix: Fix | None) -> list[Problem]:
    """With a repair for those that are of cells without a value."""
    return [replace(p, fix=fix) if is_gap(str(p.args["cell"])) else p for p in problems]


def told_blocks(table: Table) -> Iterator[slice]:
    """All rows of a table in blocks, of each of which whoever waits is told."""
    for rows in table.blocks():
        for start in range(rows.start, rows.stop, TOGETHER):
            tell("encoding", start, table.rows)
            yield slice(start, min(start + TOGETHER, rows.stop))
    if not table.rows:
        yield slice(0, 0)


def told_rows(train: NDArray[np.intp]) -> Iterator[int]:
    """The rows that train, one after the other; whoever waits is told at times."""
    for start in range(0, len(train), TOGETHER):
        tell("learning", start, len(train))
        yield from train[start : start + TOGETHER].tolist()


def applied(encode: Callable[[Array], Array], column: Array | Streamed) -> Array | Streamed:
    """What becomes of a column, sample by sample; one in a file becomes another in a file."""
    if not isinstance(column, Streamed):
        return encode(column)
    parts = (encode(block) for _, block in blocks(column))
    return column_of(filled(len(column), parts, in_file=True))


def labels(table: Table, column: str) -> Sequence[str]:
    """The labels of a column, without spaces around them."""
    cells = table.texts(column)
    return Stripped(cells) if table.large else [cell.strip() for cell in cells]


def shaped(port: DataPort, values: Array | Streamed) -> Array | Streamed:
    """In the port's dtype and shape, one sample a row."""
    if isinstance(values, Streamed):
        sizes = shaped_array(port, np.zeros((1, *values.sizes))).shape[1:]
        return values.astype(port.spec.dtype).sized(*sizes)
    return shaped_array(port, values)


def shaped_array(port: DataPort, values: Array) -> Array:
    """`shaped`, of what is in memory."""
    sizes = [size if isinstance(size, int) else -1 for size in port.spec.shape[1:]]
    return np.ascontiguousarray(values.reshape(len(values), *sizes), port.spec.dtype)


def each_a_probability(port: DataPort) -> bool:
    """Whether a target takes a probability in each of its numbers."""
    return port.loss is not None and port.loss.probabilities == "each"
