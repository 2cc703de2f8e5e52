"""Tables: CSV files, plain or gzipped, NumPy's .npy and .npz, and what a generator makes up.

A table keeps cells as the text they are; numbers are read when a column is asked for them. Rows
are numbered as a spreadsheet numbers them: the header is row 1. Beside cells there may be columns
of arrays.

Text of more than `LARGE_TEXT` bytes is read once, by blocks, into a temporary file of cells; arrays
of more than `LARGE` bytes stay in their file. Of such a table no more is in memory than some
blocks, and whatever has one number a row.
"""

import csv
import gzip
import hashlib
import io
import zlib
from array import array as numbers_of
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import TableSource
from studio.engine.program import Array, Dim
from studio.problem import Problem, ProblemError, refuse
from studio.train.array_files import LARGE, MOST_ARRAYS, map_array, read_arrays
from studio.train.cells import Cells, Spool, filled, written

Kind = Literal["number", "class", "text", "array"]
_T = TypeVar("_T")

DELIMITERS = (",", ";", "\t", "|")
FEW = 50  # a text column with at most so many distinct values is a class column
LARGEST_TABLE = 2**31  # bytes after decompression, of what is compressed
LARGE_TEXT = 2**24  # bytes; short cells take thirty times as many in memory
LOOKED_AT = 5000  # rows of a large table by which it is judged what its columns hold
LARGEST_CELL = 2**24  # characters; csv's own limit of 131,072 is too small for long texts
LARGEST_NUMBER = float(np.finfo(np.float32).max)


def shape_text(shape: Sequence[Dim]) -> str:
    """Sizes as people write them: ``20×784``."""
    return "×".join(map(str, shape))


@dataclass(frozen=True)
class Table:
    """Columns of text cells, and of arrays, by name; all of one length.

    Attributes:
        name: what messages call it: the file's name.
        columns: the cells of each column, in the file's order.
        places: the number of each row in the file; empty where no blank line was skipped.
        arrays: columns of which each row is an array of numbers: pictures, films, features.
        others: how many rows those arrays of the file have that are no columns of this table.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    places: Sequence[int] = ()
    arrays: Mapping[str, Array] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    _numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)
    _matrices: dict[tuple[str, ...], Array] = field(default_factory=dict, repr=False)
    _kinds: dict[str, Kind] = field(default_factory=dict, repr=False)
    _distinct: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """How many rows there are, without the header."""
        columns: list[Sized] = [*self.columns.values(), *self.arrays.values()]
        return len(columns[0]) if columns else 0

    @property
    def large(self) -> bool:
        """Whether its cells are not in memory."""
        return any(isinstance(cells, Cells) for cells in self.columns.values())

    def blocks(self) -> Iterator[slice]:
        """All rows, block by block; of a table in memory at once."""
        found = (cells.edges for cells in self.columns.values() if isinstance(cells, Cells))
        edges = next(found, (0, self.rows))
        return (slice(a, b) for a, b in pairwise(edges))

    @property
    def names(self) -> list[str]:
        """Every column, of cells or of arrays."""
        return [*self.columns, *self.arrays]

    def place(self, row: int) -> int:
        """The number in the file of the row counted from 0."""
        return self.places[row] if self.places else row + 2

    def texts(self, column: str) -> Sequence[str]:
        """The cells of a column as they are.

        Raises:
            ProblemError: ``column_missing``, ``column_other_length``, ``column_of_arrays``.
        """
        if column in self.arrays:
            shape = shape_text(self.arrays[column].shape[1:])
            raise refuse("column_of_arrays", file=self.name, column=column, received=shape)
        if column in self.others:
            rows = {"received": self.others[column], "expected": self.rows}
            raise refuse("column_other_length", file=self.name, column=column, **rows)
        if column not in self.columns:
            columns = ", ".join(self.names)
            raise refuse("column_missing", file=self.name, column=column, columns=columns)
        return self.columns[column]

    def array(self, column: str) -> Array:
        """A column of arrays, rows first.

        Raises:
            ProblemError: ``column_missing``, ``column_other_length``, ``column_of_cells``.
        """
        if column not in self.arrays:
            self.texts(column)
            raise refuse("column_of_cells", file=self.name, column=column)
        return self.arrays[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        """The cells of a column as numbers, float64 (rows,).

        Raises:
            ProblemError: ``column_missing``; ``cell_empty``, ``cell_not_number`` or
                ``cell_not_finite``, at the first such cell.
        """
        if column not in self._numbers:
            values = parsed(self.texts(column))
            if values is None:
                raise self._not_numbers(column)
            values.setflags(write=False)
            self._numbers[column] = values
        return self._numbers[column]

    def matrix(self, columns: Sequence[str]) -> NDArray[np.float64]:
        """Number columns side by side, float64 (rows, columns); of a large table in a file.

        Raises:
            ProblemError: all that `numbers` would raise.
        """
        if not self.large:
            found = _each(self.numbers, columns)
            return np.stack(found, axis=1) if found else np.zeros((self.rows, 0))
        key = tuple(columns)
        if key not in self._matrices:
            wrong: set[str] = set()
            parts = self._parsed_blocks([c for c in columns if c in self.columns], wrong)
            matrix = filled(self.rows, parts, in_file=True)
            _each(partial(self._expect_numbers, wrong), columns)
            self._matrices[key] = matrix
        return self._matrices[key]

    def _parsed_blocks(
        self, columns: Sequence[str], wrong: set[str]
    ) -> Iterator[NDArray[np.float64]]:
        """The numbers block by block; the columns go to `wrong` that hold anything else."""
        for rows in self.blocks():
            values = np.zeros((rows.stop - rows.start, len(columns)))
            for number, column in enumerate(columns):
                found = parsed(self.columns[column][rows])
                if found is None:
                    wrong.add(column)
                else:
                    values[:, number] = found
            yield values

    def _expect_numbers(self, wrong: Collection[str], column: str) -> None:
        self.texts(column)
        if column in wrong:
            raise self._not_numbers(column)

    def kind(self, column: str) -> Kind:
        """What a column seems to hold: numbers, a few repeated labels, text; or arrays.

        Of a large table's cells the first `LOOKED_AT` tell.
        """
        if column in self.arrays:
            return "array"
        if column not in self._kinds:
            cells = self._looked_at(column)
            few = self.distinct(column) <= min(FEW, len(cells) // 2)
            number = parsed(cells) is not None
            self._kinds[column] = "number" if number else "class" if few else "text"
        return self._kinds[column]

    def distinct(self, column: str) -> int:
        """How many different values a column of cells holds; see `kind`."""
        if column not in self._distinct:
            self._distinct[column] = len(set(self._looked_at(column)))
        return self._distinct[column]

    def _looked_at(self, column: str) -> Sequence[str]:
        cells = self.texts(column)
        return cells[:LOOKED_AT] if isinstance(cells, Cells) else cells

    def misfit(self, code: str, column: str, rows: Sequence[int]) -> Problem:
        """A problem of some cells of a column: it names the first and counts the others."""
        cell = self.columns[column][rows[0]]
        shown = cell if len(cell) <= 60 else f"{cell[:59]}…"
        args = {"file": self.name, "column": column, "row": self.place(rows[0]), "cell": shown}
        if len(rows) > 1:
            return Problem(f"{code}_and_more", args={**args, "more": len(rows) - 1})
        return Problem(code, args=args)

    def empty_cells(self, column: str) -> list[Problem]:
        """A problem if cells of a column hold nothing but spaces."""
        rows = [i for i, cell in enumerate(self.texts(column)) if not cell or cell.isspace()]
        return [self.misfit("cell_empty", column, rows)] if rows else []

    def _not_numbers(self, column: str) -> ProblemError:
        wrong: list[int] = []
        infinite: list[int] = []
        for row, cell in enumerate(self.columns[column]):
            if cell.strip():
                try:
                    if not abs(float(cell)) <= LARGEST_NUMBER:
                        infinite.append(row)
                except ValueError:
                    wrong.append(row)
        problems = self.empty_cells(column)
        problems += [self.misfit("cell_not_number", column, wrong)] if wrong else []
        problems += [self.misfit("cell_not_finite", column, infinite)] if infinite else []
        return ProblemError(problems)


def parsed(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Cells as finite numbers of float32's range, if they are."""
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return values if (np.abs(values) <= LARGEST_NUMBER).all() else None


def _each(read: Callable[[str], _T], columns: Sequence[str]) -> list[_T]:
    """What is read of each column; raises the problems of all."""
    found: list[_T] = []
    problems: list[Problem] = []
    for column in columns:
        try:
            found.append(read(column))
        except ProblemError as error:
            problems += error.problems
    if problems:
        raise ProblemError(problems)
    return found


# -- reading -------------------------------------------------------------------------------------


def read_table(path: Path) -> Table:
    """Read a CSV file, plain or gzipped, an .npz or .npy; kept until the file changes.

    Text is UTF-8, with or without a byte order mark. Cells are parted by the one of ``, ; tab |``
    that parts the header most often, and quoted as RFC 4180 says. The first row is the header.

    An .npy file makes a table of all such files in its folder, each a column by its name; it says
    how many rows there are.

    Raises:
        ProblemError: what is wrong with the file, naming it and, where there is one, the row.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise refuse("file_unreadable", file=path.name, reason=Problem("reason_folder"))
        states = [file.stat() for file in (path, *_beside(path))]
        size, modified = sum(s.st_size for s in states), max(s.st_mtime_ns for s in states)
        return _read(path.resolve(), size, modified)
    except FileNotFoundError:
        raise refuse("file_missing", file=path.name, path=str(path)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise refuse("file_unreadable", file=path.name, reason=reason) from None


@lru_cache(maxsize=4)
def _read(path: Path, size: int, modified: int) -> Table:
    match path.suffix.lower():
        case ".npz":
            return table_of_arrays(path.name, read_arrays(path, LARGEST_TABLE))
        case ".npy":
            return _table_of_folder(path)
        case _:
            return _table_of_text(path)


def _beside(path: Path) -> list[Path]:
    """The other .npy files of an .npy file's folder."""
    if path.suffix.lower() != ".npy":
        return []
    found = (p for p in path.parent.glob("*.npy") if p.is_file() and p.name != path.name)
    return sorted(found)[:MOST_ARRAYS]


def _table_of_folder(path: Path) -> Table:
    arrays = {path.stem: map_array(path)}
    for other in _beside(path):
        with suppress(ProblemError, OSError):  # a stranger; it may be no array at all
            arrays[other.stem] = map_array(other)
    found = {name: array for name, array in arrays.items() if array.ndim}
    rows = len(found[path.stem]) if path.stem in found else 0
    return table_of_arrays(path.name, found, rows)


def _table_of_text(path: Path) -> Table:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
        try:
            data = stream.read(LARGE_TEXT + 1)
            if len(data) <= LARGE_TEXT:
                return parse_table(path.name, data)
            stream.seek(0)
            return _table_in_file(path.name, stream, LARGEST_TABLE if zipped else None)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise refuse("file_unreadable", file=path.name, reason=str(error)) from None


def parse_table(name: str, data: bytes) -> Table:
    """A table from the bytes of a CSV file called `name`; see `read_table`."""
    with _text(io.BytesIO(data)) as text:
        header, records = _opened(name, text)
        places, rows = zip(*records, strict=True)
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    return Table(name, columns, _unless_whole(places))


def _table_in_file(name: str, stream: IO[bytes], most: int | None) -> Table:
    """Likewise, the cells in a temporary file; of text of at most so many bytes."""
    places = numbers_of("q")
    with _text(stream) as text:
        header, records = _opened(name, text, most)

        def rows() -> Iterator[list[str]]:
            for place, record in records:
                places.append(place)
                yield record

        spool = Spool(rows())
    columns = {title: spool.column(number) for number, title in enumerate(header)}
    return Table(name, columns, _unless_whole(places))


def _unless_whole(places: Sequence[int]) -> Sequence[int]:
    """The numbers of rows, unless they are those from 2 on, as without blank lines."""
    return () if places[0] == 2 and places[-1] == len(places) + 1 else places


def _text(stream: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, "utf-8-sig", newline="")


def _opened(
    name: str, text: io.TextIOWrapper, most: int | None = None
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header of a CSV file, and its rows with their numbers, at least one."""
    records = _records(name, text, most)
    _, header = next(records, (0, []))
    if not header:
        raise refuse("file_empty", file=name)
    header = [cell.strip() for cell in header]
    _check_header(name, header)
    even = _even(name, records, len(header))
    first = next(even, None)
    if first is None:
        raise refuse("file_without_rows", file=name)
    return header, chain([first], even)


def _even(
    name: str, records: Iterator[tuple[int, list[str]]], width: int
) -> Iterator[tuple[int, list[str]]]:
    """Rows as long as the header."""
    for place, record in records:
        if len(record) != width:
            args = {"row": place, "received": len(record), "expected": width}
            raise refuse("row_ragged", file=name, **args)
        yield place, record


def _records(
    name: str, text: io.TextIOWrapper, most: int | None
) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank lines, numbered from 1 with blank lines counted."""
    csv.field_size_limit(LARGEST_CELL)
    stream: Any = text.buffer
    delimiter = _delimiter(stream.read(65536).decode("utf-8-sig", "ignore"))
    stream.seek(0)
    reader = csv.reader(_bounded(name, text, most), delimiter=delimiter, strict=True)
    place = 0
    try:
        for place, record in enumerate(reader, 1):
            if record:
                yield place, record
    except csv.Error as error:
        raise refuse("file_malformed", file=name, row=place + 1, reason=str(error)) from None
    except UnicodeDecodeError:
        raise refuse("file_not_utf8", file=name, row=_undecodable(stream)) from None


def _bounded(name: str, lines: Iterable[str], most: int | None) -> Iterator[str]:
    """Lines, refused once they are more than so many bytes, or characters, together."""
    length = 0
    for line in lines:
        length += len(line)
        if most is not None and length > most:
            raise refuse("file_too_large", file=name, expected=most // 2**20)
        yield line


def _undecodable(stream: IO[bytes]) -> int:
    """The number of the first line that is not UTF-8."""
    stream.seek(0)
    for row, line in enumerate(stream, 1):
        try:
            line.decode()
        except UnicodeDecodeError:
            return row
    return 0


def _delimiter(text: str) -> str:
    """The delimiter that occurs most often in the header, outside quotes; a comma if none does."""
    header = text.lstrip("\r\n").splitlines()[:1] or [""]
    outside = "".join(header[0].split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _check_header(name: str, header: list[str]) -> None:
    problems = []
    for number, column in enumerate(header, 1):
        if not column:
            problems.append(Problem("header_empty", args={"file": name, "number": number}))
        elif column in header[: number - 1]:
            problems.append(Problem("header_twice", args={"file": name, "column": column}))
    if problems:
        raise ProblemError(problems)


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
    large = any(array.nbytes > LARGE for array in columns.values())
    cells = {
        column: Cells.of_array(array, len(flat)) if large else written(array)
        for column, array in flat.items()
    }
    arrays = {column: array for column, array in columns.items() if array.ndim > 1}
    others = {column: len(array) for column, array in found.items() if len(array) != rows}
    return Table(name, cells, range(rows), arrays, others)


# -- where tables are ----------------------------------------------------------------------------


def fingerprint(path: Path) -> tuple[int, str]:
    """A file's size in bytes and its SHA-256, to tell later whether it changed."""
    status = Path(path).stat()
    return status.st_size, _digest(Path(path).resolve(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def table_source(path: Path, base: Path | None = None) -> TableSource:
    """What a plan keeps of a file: its path, relative to `base` where it lies below, and print.

    Raises:
        ProblemError: ``file_missing`` or ``file_unreadable``.
    """
    read_table(path)
    whole = Path(path).resolve()
    size, digest = fingerprint(whole)
    below = base is not None and whole.is_relative_to(base.resolve())
    kept = whole.relative_to(base.resolve()) if base is not None and below else whole
    return TableSource(kept.as_posix(), size, digest)
