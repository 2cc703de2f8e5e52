"""Tables of arrays: NumPy's .npz, and .npy with those beside it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from studio.engine.program import Array
from studio.limits import ARRAYS
from studio.problem import ProblemError, refuse
from studio.train.array_files import LARGE, map_array, read_arrays
from studio.train.cells import Cells, written
from studio.train.tables.below import Below
from studio.train.tables.folders import links_problems
from studio.train.tables.records import LARGE_CELLS
from studio.train.tables.table import Table


def table_of_npz(path: Path, most: int) -> Table:
    """The arrays of an .npz file; see `read_arrays`."""
    return table_of_arrays(path.name, read_arrays(path, most))


def table_of_npy(path: Path) -> Table:
    """An .npy file, which says how many rows there are, with the others of its folder.

    As many as there is room for are in memory, the file itself first: a process is killed that
    reads what somebody cuts off a mapped one.
    """
    arrays = {path.stem: map_array(path)}
    outside: list[str] = []
    for other in beside(path, outside):
        with suppress(ProblemError, OSError):  # a stranger; it may be no array at all
            arrays[other.stem] = map_array(other)
    room = LARGE
    for name, array in arrays.items():
        if array.nbytes <= room:
            room -= array.nbytes
            arrays[name] = np.array(array, order="C")
    found = {name: array for name, array in arrays.items() if array.ndim}
    rows = len(found[path.stem]) if path.stem in found else 0
    table = table_of_arrays(path.name, found, rows)
    return replace(table, warnings=links_problems(path.parent, outside))


def beside(path: Path, outside: list[str] | None = None) -> list[Path]:
    """The other .npy files of an .npy file's folder; the names of links out of it to `outside`."""
    if path.suffix.lower() != ".npy":
        return []
    found = sorted(p for p in path.parent.glob("*.npy") if p.is_file() and p.name != path.name)
    below = Below(path.parent)
    if outside is not None:
        outside += [p.name for p in found if p not in below]
    return [p for p in found if p in below][:ARRAYS]


def table_of_arrays(name: str, found: Mapping[str, Array], rows: int | None = None) -> Table:
    """A table from arrays of a file called `name`.

    The longest first axis counts the rows unless they are given; an array of another length is no
    column. One number or text a row becomes a cell, more become an array. Rows are counted from 0,
    as NumPy's are.

    Raises:
        ProblemError: ``file_without_arrays``.
    """
    rows = max(map(len, found.values()), default=0) if rows is None else rows
    if not rows:
        raise refuse("file_without_arrays", file=name)
    columns = {column: array for column, array in found.items() if len(array) == rows}
    flat = {column: array for column, array in columns.items() if array.ndim == 1}
    large = any(array.nbytes > LARGE for array in columns.values()) or _many(flat)
    cells = {
        column: Cells.of_array(array, len(flat)) if large else written(array)
        for column, array in flat.items()
    }
    arrays = {column: array for column, array in columns.items() if array.ndim > 1}
    others = {column: len(array) for column, array in found.items() if len(array) != rows}
    return Table(name, cells, range(rows), arrays, others)


def _many(flat: Mapping[str, Array]) -> bool:
    """Whether cells written out would take far more memory than the numbers do."""
    return sum(map(len, flat.values())) > LARGE_CELLS
