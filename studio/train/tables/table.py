"""A table: columns of cells, and of arrays, wherever they come from.

A table keeps cells as the text they are; numbers are read when a column is asked for them. Rows
are numbered as a spreadsheet numbers them: the header is row 1. Beside cells there may be columns
of arrays.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import ImageColumn
from studio.document.preprocess import is_gap
from studio.engine.program import Array, Dim
from studio.problem import Problem, ProblemError, refuse
from studio.progress import tell
from studio.train.cells import Cells, filled
from studio.train.tables.errors import UNCALCULATED, is_error
from studio.train.tables.kinds import LARGEST_NUMBER, Kind, kind_of, parsed

_T = TypeVar("_T")

LOOKED_AT = 5000  # rows of a large table by which it is judged what its columns hold


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
        folder: where the paths in its cells start, and below which they must lead; None of a row
            that is typed by hand.
        warnings: what was read otherwise than it stands there.
        sheet: of the file, where that has several.
        pictures: those that were opened, by column, size and colours.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    places: Sequence[int] = ()
    arrays: Mapping[str, Array] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    folder: Path | None = None
    warnings: tuple[Problem, ...] = ()
    sheet: str = ""
    _numbers: dict[tuple[str, bool], NDArray[np.float64]] = field(default_factory=dict, repr=False)
    _matrices: dict[tuple[bool, tuple[str, ...]], Array] = field(default_factory=dict, repr=False)
    _kinds: dict[str, Kind] = field(default_factory=dict, repr=False)
    _distinct: dict[str, int] = field(default_factory=dict, repr=False)
    pictures: dict[ImageColumn, Array] = field(default_factory=dict, repr=False)

    @cached_property
    def rows(self) -> int:
        """How many rows there are, without the header."""
        columns: list[Sized] = [*self.columns.values(), *self.arrays.values()]
        return len(columns[0]) if columns else 0

    @cached_property
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

    def some(self, rows: Sequence[int]) -> "Table":
        """A table of some of the rows, in memory."""
        columns = {name: [cells[row] for row in rows] for name, cells in self.columns.items()}
        arrays = {name: array[list(rows)] for name, array in self.arrays.items()}
        places = [self.place(row) for row in rows]
        own = self.name, columns, places, arrays, self.others, self.folder
        return Table(*own, sheet=self.sheet)

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

    def numbers(self, column: str, gaps: bool = False) -> NDArray[np.float64]:
        """The cells of a column as numbers, float64 (rows,).

        With `gaps`, a cell without a value (see `is_gap`) is NaN.

        Raises:
            ProblemError: ``column_missing``; ``cell_empty``, ``cell_error``, ``cell_not_number``
                or ``cell_not_finite``, at the first such cell.
        """
        key = column, gaps
        if key not in self._numbers:
            values = parsed(self.texts(column), gaps)
            if values is None:
                raise self._not_numbers(column, gaps)
            values.setflags(write=False)
            self._numbers[key] = values
        return self._numbers[key]

    def matrix(self, columns: Sequence[str], gaps: bool = False) -> NDArray[np.float64]:
        """Number columns side by side, float64 (rows, columns); of a large table in a file.

        Raises:
            ProblemError: all that `numbers` would raise.
        """
        if not self.large:
            found = _each(partial(self.numbers, gaps=gaps), columns)
            return np.stack(found, axis=1) if found else np.zeros((self.rows, 0))
        key = gaps, tuple(columns)
        if key not in self._matrices:
            wrong: set[str] = set()
            known = [c for c in columns if c in self.columns]
            parts = self._parsed_blocks(known, gaps, wrong)
            matrix = filled(self.rows, parts, in_file=True)
            _each(partial(self._expect_numbers, wrong, gaps), columns)
            self._matrices[key] = matrix
        return self._matrices[key]

    def _parsed_blocks(
        self, columns: Sequence[str], gaps: bool, wrong: set[str]
    ) -> Iterator[NDArray[np.float64]]:
        """The numbers block by block; the columns go to `wrong` that hold anything else."""
        for rows in self.blocks():
            tell("encoding", rows.start, self.rows)
            values = np.zeros((rows.stop - rows.start, len(columns)))
            for number, column in enumerate(columns):
                found = parsed(self.columns[column][rows], gaps)
                if found is None:
                    wrong.add(column)
                else:
                    values[:, number] = found
            yield values

    def _expect_numbers(self, wrong: Collection[str], gaps: bool, column: str) -> None:
        self.texts(column)
        if column in wrong:
            raise self._not_numbers(column, gaps)

    def kind(self, column: str) -> Kind:
        """What a column seems to hold: numbers, dates, a few repeated labels, text; or arrays.

        Cells without anything do not count. Of a large table's the first `LOOKED_AT` tell.
        """
        if column in self.arrays:
            return "array"
        if column not in self._kinds:
            self._kinds[column] = kind_of(self._looked_at(column))
        return self._kinds[column]

    def numeric(self, column: str) -> bool:
        """Whether a column of cells seems to hold numbers, whole or not."""
        return self.kind(column) in ("number", "integer")

    def distinct(self, column: str) -> int:
        """How many different values a column of cells holds, no errors; see `kind`."""
        if column not in self._distinct:
            self._distinct[column] = sum(not is_error(c) for c in set(self._looked_at(column)))
        return self._distinct[column]

    def _looked_at(self, column: str) -> Sequence[str]:
        cells = self.texts(column)
        return cells[:LOOKED_AT] if isinstance(cells, Cells) else cells

    def misfit(self, code: str, column: str, rows: Sequence[int]) -> Problem:
        """A problem of some cells of a column: it names the first and counts the others."""
        cell = self.columns[column][rows[0]]
        shown = cell if len(cell) <= 60 else f"{cell[:59]}…"
        place = {"row": self.place(rows[0]), "cell": shown}
        args = {"file": self._file, "column": column, **place}
        if len(rows) > 1:
            return Problem(f"{code}_and_more", args={**args, "more": len(rows) - 1})
        return Problem(code, args=args)

    @property
    def _file(self) -> str | Problem:
        if not self.sheet:
            return self.name
        return Problem("file_sheet", args={"file": self.name, "sheet": self.sheet})

    def empty_cells(self, column: str) -> list[Problem]:
        """Problems if cells of a column hold nothing but spaces, or an error."""
        rows = [i for i, cell in enumerate(self.texts(column)) if not cell or cell.isspace()]
        empty = [self.misfit("cell_empty", column, rows)] if rows else []
        return empty + self.error_cells(column)

    def error_cells(self, column: str, gaps: bool = False) -> list[Problem]:
        """Problems if cells of a column hold an error, or a formula that has no value yet.

        With `gaps`, an error that says that there is no value is none.
        """
        wrong = [i for i, cell in enumerate(self.texts(column)) if is_error(cell)]
        return self._errors(
            column, [i for i in wrong if not (gaps and is_gap(self.columns[column][i]))]
        )

    def _errors(self, column: str, wrong: Sequence[int]) -> list[Problem]:
        cells = self.columns[column]
        rows: dict[str, list[int]] = {}
        for row in wrong:
            code = "cell_uncalculated" if cells[row] == UNCALCULATED else "cell_error"
            rows.setdefault(code, []).append(row)
        return [self.misfit(code, column, some) for code, some in rows.items()]

    def _not_numbers(self, column: str, gaps: bool) -> ProblemError:
        empty: list[int] = []
        errors: list[int] = []
        wrong: list[int] = []
        infinite: list[int] = []
        for row, cell in enumerate(self.columns[column]):
            if gaps and is_gap(cell):
                continue
            try:
                if not abs(float(cell)) <= LARGEST_NUMBER:
                    infinite.append(row)
            except ValueError:
                kind = wrong if cell.strip() else empty
                (errors if is_error(cell) else kind).append(row)
        problems = [self.misfit("cell_empty", column, empty)] if empty else []
        problems += self._errors(column, errors)
        problems += [self.misfit("cell_not_number", column, wrong)] if wrong else []
        problems += [self.misfit("cell_not_finite", column, infinite)] if infinite else []
        return ProblemError(problems)


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
