"""The little that is shown of a table, however large that is, and how it is had before the rest."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import numpy as np

from studio.document.plan import GeneratedSource, Reading, Source, TableSource
from studio.engine.program import Array
from studio.progress import tell
from studio.train.data import load_table
from studio.train.profiles import ColumnProfile, profile
from studio.train.tables import Kind, Table, detected, peek_table, table_source

PEEKED = 1000  # rows of a large table that are read before all the others
HEAD = 1000  # rows of a table that are shown
HEAD_BYTES = 2**22  # of which their cells or arrays take no more
HEAD_CELLS = 50_000  # likewise
FEWEST = 16  # however large
LARGE_FILE = 2**19  # bytes
LARGE_ROWS = 20_000  # of a generator
PACKED = (".gz", ".npz", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".ods")
_readings = count(1)


@dataclass(frozen=True)
class TableView:
    """What is shown of a table, however large that is.

    Attributes:
        head: its first rows, in memory; of their columns it knows what the whole table told.
        rows: how many the table has; of one read only in part, how many were.
        whole: whether all rows were read.
        detected: how the file was read, every field filled in that concerns it.
        sheets: of a workbook, the names of all.
        profiles: what each column amounts to, by its name.
        token: tells the views of one reading from those of another, in any process.
    """

    head: Table
    rows: int
    whole: bool = True
    detected: Reading = Reading()
    sheets: tuple[str, ...] = ()
    profiles: Mapping[str, ColumnProfile] = field(default_factory=dict)
    token: tuple[int, int] = field(default_factory=lambda: (os.getpid(), next(_readings)))

    @property
    def name(self) -> str:
        return self.head.name

    @property
    def names(self) -> list[str]:
        """Every column, of cells or of arrays."""
        return self.head.names

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """The first cells of each column of cells."""
        return self.head.columns

    @property
    def arrays(self) -> Mapping[str, Array]:
        """The first rows of each column of arrays."""
        return self.head.arrays

    def kind(self, column: str) -> Kind:
        """What a column seems to hold, by all rows that were read."""
        return self.head.kind(column)

    def distinct(self, column: str) -> int:
        """How many different values a column of cells holds."""
        return self.head.distinct(column)

    def alike(self, other: "TableView | None") -> bool:
        """Whether another table has the same columns, of the same kinds, to choose from."""
        return other is not None and self._offer == other._offer

    @property
    def _offer(self) -> list[tuple[str, object]]:
        cells = [(name, self.kind(name)) for name in self.columns]
        return [*cells, *((name, array.shape[1:]) for name, array in self.arrays.items())]


@dataclass(frozen=True)
class Opened:
    """A source somebody is about to choose, and its beginning."""

    source: Source
    view: TableView


def open_source(place: Path | Source, base: Path, reading: Reading = Reading()) -> Opened:
    """The first rows of a file, a folder or another source; of a file also its print.

    Raises:
        ProblemError: what keeps it from being read.
    """
    source = table_source(place, base, reading) if isinstance(place, Path) else place
    table = beginning(source, base)
    whole = not isinstance(source, TableSource) or table.rows < PEEKED
    return Opened(source, view_of(table, source, base, whole))


def is_large(source: Source | None, base: Path) -> bool:
    """Whether a table takes so long to read that a window should not share its process."""
    if isinstance(source, GeneratedSource):
        return source.rows > LARGE_ROWS
    if not isinstance(source, TableSource):
        return False
    path = base / source.path
    if path.is_dir():
        return True
    with suppress(OSError):
        packed = path.suffix.lower() in PACKED
        return path.stat().st_size > (LARGE_FILE // 8 if packed else LARGE_FILE)
    return False


def beginning(source: Source, base: Path) -> Table:
    """The first rows of a source; all of one that is not in a file.

    Raises:
        ProblemError: what keeps them from being read.
    """
    if isinstance(source, TableSource):
        return peek_table(base / source.path, source.reading, PEEKED)
    return load_table(source, base)


def sheets_in(workbook: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets."""
    from studio.train.tables.workbooks import sheet_names

    return tuple(sheet_names(workbook))


def how_read(source: Source, base: Path) -> tuple[Reading, tuple[str, ...]]:
    """What was found out about a file, and the sheets to choose from in a workbook."""
    if not isinstance(source, TableSource):
        return Reading(), ()
    read = detected(base / source.path, source.reading)
    return read, sheets_in(base / source.path) if read.sheet else ()


def view_of(table: Table, source: Source, base: Path, whole: bool = True) -> TableView:
    """What is shown of a table that was read from a source."""
    read, sheets = how_read(source, base)
    profiles = {}
    for number, column in enumerate(table.names):
        tell("counting", number, len(table.names))
        profiles[column] = profile(table, column)
    rows = min(HEAD, table.rows, max(FEWEST, HEAD_CELLS // max(1, len(table.columns))))
    columns = {name: list(cells[:rows]) for name, cells in table.columns.items()}
    size = sum(array[:1].nbytes for array in table.arrays.values())
    size += sum(sum(map(len, cells)) for cells in columns.values()) // max(1, rows)
    rows = min(rows, max(FEWEST, HEAD_BYTES // max(1, size)))
    head = replace(
        table,
        columns={name: cells[:rows] for name, cells in columns.items()},
        places=table.places[:rows],
        arrays={name: np.array(array[:rows]) for name, array in table.arrays.items()},
        _numbers={},
        _matrices={},
        _kinds={column: table.kind(column) for column in table.columns},
        _distinct={column: table.distinct(column) for column in table.columns},
    )
    return TableView(head, table.rows, whole, read, sheets, profiles)
