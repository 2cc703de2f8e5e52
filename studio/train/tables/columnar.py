"""Parquet files as tables, by arro3: columns of values become cells, lists of numbers arrays.

A file is gone through once for how many rows there are and which columns hold lists of one length,
once for its cells, and once for each column of arrays.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from studio.engine.program import Array
from studio.problem import Problem, refuse
from studio.progress import tell
from studio.train.array_files import LARGE
from studio.train.cells import filled
from studio.train.tables.headers import named
from studio.train.tables.sound import expect_sound
from studio.train.tables.table import Table
from studio.train.tables.values import cell_of, table_of_rows

if TYPE_CHECKING:
    from arro3.core import Array as Values
    from arro3.core import RecordBatch

TOGETHER = 2**13  # rows read together
_REASON = 300  # characters of what is wrong, in a library's words
LARGE_CELLS = 1_000_000  # from which they go to a temporary file
_T = TypeVar("_T")


def table_of_parquet(path: Path, rows: int | None = None) -> Table:
    """The table in a Parquet file, or its first rows.

    Nothing is an empty cell, and so is what is not a number. A column whose lists of numbers are
    all of one length is one of arrays; other lists of numbers are sequences in a cell, what else
    is nested is JSON. Columns of bytes are left out.

    Raises:
        ProblemError: ``file_unreadable``, ``file_without_rows``.
    """
    count, names, sizes, left_out = 0, list[str](), dict[int, tuple[int, ...]](), set[int]()
    for batch in _batches(path, rows):
        names = names or list(batch.column_names)
        for number, values in enumerate(batch.columns):
            own = _sizes(values)
            sizes[number] = own if sizes.get(number, own) == own else ()
            left_out |= {number} if _of_bytes(values) else set()
        count += batch.num_rows
    if not count:
        raise refuse("file_without_rows", file=path.name)
    header, warnings = named(path.name, names)
    arrays = {header[n]: _array(path, rows, count, n, s) for n, s in sizes.items() if s}
    chosen = [n for n in range(len(names)) if not sizes[n] and n not in left_out]
    return table_of_rows(
        path.name,
        [header[n] for n in chosen],
        _blocks(path, rows, chosen, count) if chosen else (),
        range(1, count + 1),
        large=count * len(chosen) > LARGE_CELLS,
        arrays=arrays,
        folder=path.parent,
        warnings=[*warnings, *(_left_out(path, header[n]) for n in sorted(left_out))],
    )


def _left_out(path: Path, column: str) -> Problem:
    return Problem(
        "column_of_bytes", args={"file": path.name, "column": column}, severity="warning"
    )


def _blocks(
    path: Path, rows: int | None, chosen: list[int], count: int
) -> Iterator[list[tuple[str, ...]]]:
    """The cells of some columns, row by row."""
    done = 0
    for batch in _batches(path, rows):
        tell("reading", done, count)
        done += batch.num_rows
        yield list(zip(*(_cells(batch.columns[n]) for n in chosen), strict=True))


def _cells(values: "Values") -> list[str]:
    if _is(values, "float16", "float32"):
        known = [np.float32("nan") if v is None else np.float32(v) for v in values.to_pylist()]
        return ["" if v != v else cell_of(float(str(v))) for v in known]
    if _is(values, "timestamp") and values.type.tz:
        values = values.cast(type(values.type).string())  # needs no data base of time zones
    return list(map(cell_of, values.to_pylist()))


# -- columns of arrays ---------------------------------------------------------------------------


def _array(path: Path, rows: int | None, count: int, number: int, sizes: tuple[int, ...]) -> Array:
    """A column of lists of numbers, rows first; large ones in a temporary file."""
    parts = (_leaves(batch.columns[number]).reshape(-1, *sizes) for batch in _batches(path, rows))
    first = next(_read(path, 1))
    size = count * prod(sizes) * _leaves(first.columns[number]).dtype.itemsize
    return filled(count, parts, in_file=size > LARGE)


def _leaves(values: "Values") -> Array:
    from arro3.core import list_flatten

    while _is_list(values):
        values = list_flatten(values)
    return values.to_numpy()


def _sizes(values: "Values") -> tuple[int, ...]:
    """The sizes of the arrays that lists of numbers make; empty where they make none."""
    from arro3.core import list_flatten

    found = []
    while _is_list(values):
        inner: Values = list_flatten(values)
        size = len(inner) // max(1, len(values))
        lengths = {len(row) for row in values.to_pylist() if row is not None}
        if values.null_count or lengths != {size} or not size:
            return ()
        found.append(size)
        values = inner
    return tuple(found) if _is(values, "integer", "floating") and not values.null_count else ()


def _is_list(values: "Values") -> bool:
    return _is(values, "list", "large_list", "fixed_size_list")


def _of_bytes(values: "Values") -> bool:
    return _is(values, "binary", "large_binary", "binary_view", "fixed_size_binary")


def _is(values: "Values", *kinds: str) -> bool:
    """Whether values are of one of these kinds, named as arro3 names its tests."""
    kind: Any = values.type
    return any(getattr(type(kind), f"is_{name}")(kind) for name in kinds)


# -- the file ------------------------------------------------------------------------------------


def _batches(path: Path, rows: int | None) -> Iterator["RecordBatch"]:
    """The first rows of a file, or all, some at a time."""
    expect_sound(path, rows)
    yield from _read(path, rows)


def go_through_parquet(path: Path, rows: int | None) -> None:
    """Unpack what is going to be read, and keep nothing.

    Raises:
        ProblemError: ``file_unreadable``.
    """
    for _ in _read(path, rows):
        pass


def _read(path: Path, rows: int | None) -> Iterator["RecordBatch"]:
    left = rows
    reader = _opened(path, min(TOGETHER, rows or TOGETHER))
    while left is None or left > 0:
        batch = _guarded(path.name, partial(next, reader, None))
        if batch is None:
            return
        batch = batch if left is None else batch.slice(0, min(left, batch.num_rows))
        left = None if left is None else left - batch.num_rows
        yield batch


def _opened(path: Path, rows: int) -> Iterator["RecordBatch"]:
    from arro3.io import read_parquet

    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 8))
        end = file.read()
    if size < 12 or end[4:] != b"PAR1" or int.from_bytes(end[:4], "little") > size - 12:
        raise refuse("file_unreadable", file=path.name, reason=Problem("reason_not_parquet"))
    return iter(_guarded(path.name, lambda: read_parquet(path, batch_size=rows)))


def _guarded(name: str, read: Callable[[], _T]) -> _T:
    """What is read; a damaged file makes arro3 raise errors, or panic, which is no Exception."""
    try:
        return read()
    except MemoryError:
        raise
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # its words are for whoever wrote arro3
            raise refuse("file_unreadable", file=name, reason=Problem("reason_damaged")) from None
        if isinstance(error, Exception):
            reason = " ".join(str(error).split())[:_REASON]
            raise refuse("file_unreadable", file=name, reason=reason) from None
        raise
