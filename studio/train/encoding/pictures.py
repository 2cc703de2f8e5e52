"""A column of pictures as a port takes it: opened once, kept as bytes, divided batch by batch.

Paths that are not absolute start from the table's folder; all must lead below it. What was opened
stays with the table, in a temporary file without a name where it is large, and is opened again only
where the size or the colours change.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from pathlib import Path
from typing import TypeVar

import numpy as np

from studio.document.plan import ImageColumn
from studio.document.preprocess import divided
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.progress import tell
from studio.train.array_files import LARGE
from studio.train.arrays import Packed
from studio.train.cells import filled
from studio.train.encoding.common import raise_any
from studio.train.encoding.picture_files import PictureError, decoded, expect_picture
from studio.train.ports import DataPort
from studio.train.streamed import column_of
from studio.train.tables import Table
from studio.train.tables.below import Below

_T = TypeVar("_T")

TOGETHER = 64  # pictures opened between two words to whoever waits
LOOKED_INTO = 50  # files of which a check reads the first bytes


def image_column(port: DataPort, table: Table, binding: ImageColumn) -> Packed:
    """The pictures of a column as the port takes them.

    Raises:
        ProblemError: ``column_missing``, ``cell_empty``, ``picture_outside``,
            ``picture_missing``, ``picture_unreadable``: of each the first, and how many there are.
    """
    size = replace(binding, divisor=1.0)
    if size not in table.pictures:
        table.pictures[size] = picture_arrays(table, binding)
    return Packed(column_of(table.pictures[size]), partial(_taken, port, binding))


def image_problems(table: Table, binding: ImageColumn) -> list[Problem]:
    """What is wrong with the files of a column, as far as it shows without unpacking them."""
    try:
        paths = picture_paths(table, binding.column)
    except ProblemError as error:
        return list(error.problems)
    opener = _Opener(table, binding.column)
    for _ in opener.blocks(expect_picture, paths[:LOOKED_INTO]):
        pass
    return opener.problems()


def picture_paths(table: Table, column: str) -> list[Path]:
    """The files that the cells of a column name.

    Raises:
        ProblemError: ``column_missing``, ``cell_empty``, ``picture_outside``, ``picture_missing``.
    """
    cells = table.texts(column)
    problems = table.empty_cells(column)
    files = PictureFiles(table.folder)
    paths = [files.at(cell) for cell in cells]
    outside = [row for row, path in enumerate(paths) if path is None and cells[row].strip()]
    if outside:
        problem = table.misfit("picture_outside", column, outside)
        below = str(Path(table.folder or "").absolute())
        problems.append(replace(problem, args={**problem.args, "path": below}))
    named = [(row, path) for row, path in enumerate(paths) if path and cells[row].strip()]
    gone = [row for row, path in named if not path.is_file()]
    if gone:
        problem = table.misfit("picture_missing", column, gone)
        about = {**problem.args, "path": str(paths[gone[0]])}
        problems.append(replace(problem, args=about))
    raise_any(problems)
    return [path for path in paths if path]


class PictureFiles:
    """Where the pictures are that a table's cells name: below its folder, or nowhere.

    What is typed or chosen by hand belongs to no folder, and may be anywhere.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder or Path()
        self._below = None if folder is None else Below(folder)

    def at(self, cell: str) -> Path | None:
        """The path that a cell says; None if it leads out of the folder."""
        path = self._folder / cell.strip()
        here = self._may_be(path)
        if here and "\\" in cell and not path.is_file():
            path = self._folder / cell.strip().replace("\\", "/")  # written on Windows
            here = self._may_be(path)
        return path if here else None

    def _may_be(self, path: Path) -> bool:
        return self._below is None or path in self._below


@dataclass
class _Opener:
    """Opens the pictures of a column, and collects the rows where that fails."""

    table: Table
    column: str
    rows: list[int] = field(default_factory=list)
    reason: str = ""

    def blocks(self, use: Callable[[Path], _T], paths: Sequence[Path]) -> Iterator[list[_T]]:
        """What is made of the files, some at a time by several threads; failures are left out."""
        with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1)) as threads:
            for start in range(0, len(paths), TOGETHER):
                tell("decoding", start, len(paths))
                tried = threads.map(partial(_tried, use), paths[start : start + TOGETHER])
                found: list[_T] = []
                for row, result in enumerate(tried, start):
                    if isinstance(result, PictureError):
                        self.rows.append(row)
                        self.reason = self.reason or str(result)
                    else:
                        found.append(result)
                yield found

    def problems(self) -> list[Problem]:
        """A problem if some could not be opened."""
        if not self.rows:
            return []
        problem = self.table.misfit("picture_unreadable", self.column, self.rows)
        return [replace(problem, args={**problem.args, "reason": self.reason})]


def _tried(use: Callable[[Path], _T], path: Path) -> _T | PictureError:
    try:
        return use(path)
    except PictureError as error:
        return error


def picture_arrays(table: Table, binding: ImageColumn) -> Array:
    """All pictures of a column, uint8 (rows, height, width, channels)."""
    paths = picture_paths(table, binding.column)
    opener = _Opener(table, binding.column)
    shape = (binding.height, binding.width, binding.channels)
    opened = opener.blocks(partial(decoded, binding=binding), paths)
    blocks = (np.array(some, np.uint8).reshape(-1, *shape) for some in opened)
    found = filled(len(paths), blocks, in_file=len(paths) * prod(shape) > LARGE)
    raise_any(opener.problems())
    return found


def _taken(port: DataPort, binding: ImageColumn, values: Array) -> Array:
    """Pictures as the port's numbers: divided, and without axes where it has none for them."""
    plain = values if port.integers else divided(values, binding.divisor)
    sizes = plain.shape[1:3] if port.spec.rank == 3 else plain.shape[1:]
    sizes = (-1,) if port.spec.rank == 2 else sizes
    return np.ascontiguousarray(plain.reshape(len(plain), *sizes), port.spec.dtype)
