"""Predictions for all rows of a file, written as a table beside it."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.document.plan import Reading
from studio.document.project import Project
from studio.engine.program import Array
from studio.engine.threads import available, limited
from studio.formats.atomic import check_writable, writing
from studio.progress import tell
from studio.train.predict import predict
from studio.train.prediction import encode_columns, prediction_columns, sample_rows
from studio.train.tables import Table, read_table

_BLOCK = 2048  # rows that are predicted before they are written
_BATCH = 128


@dataclass(frozen=True)
class Predicted:
    """What became of it.

    Attributes:
        path: where the predictions are.
        rows: of the file.
        samples: how many of them were predicted: of a series those that a window ends with.
        columns: the names of the columns that hold predictions.
    """

    path: Path
    rows: int
    samples: int
    columns: tuple[str, ...]


def predictions_path(path: Path) -> Path:
    """Where predictions for a file, or for a folder of files, stand: ``NAME.predictions.csv``."""
    name = path.name if path.is_dir() else path.name.removesuffix(".gz").rpartition(".")[0]
    return path.with_name(f"{name or path.name}.predictions.csv")


def predict_file(
    project: Project, path: Path, out: Path, reading: Reading = Reading()
) -> Predicted:
    """Every output for every row of a file, beside the file's own cells.

    The file needs the columns that the inputs read; it is never changed. Nothing is left behind
    where it is refused or cancelled.

    Raises:
        ProblemError: what keeps the file from being read or predicted, or `out` from being
            written.
    """
    check_writable(out)
    table = read_table(path, reading)
    with limited(max(1, available() - 1)), writing(out) as raw:  # a window keeps one core
        file = io.TextIOWrapper(raw, "utf-8-sig", newline="")  # by which spreadsheets know UTF-8
        writer = csv.writer(file)
        columns: Sequence[str] = ()
        samples = 0
        for rows, cells in _predicted(project, table):
            if not columns:
                columns = _titles(table, list(cells))
                writer.writerow([*table.columns, *columns])
            samples += sum(any(values) for values in zip(*cells.values(), strict=True))
            own = [[column[row] for row in rows] for column in table.columns.values()]
            writer.writerows(zip(*own, *cells.values(), strict=True))
        file.flush()
        file.detach()
    return Predicted(out, table.rows, samples, tuple(columns))


def _titles(table: Table, names: Sequence[str]) -> list[str]:
    """What columns of predictions are called beside the table's own."""
    taken, titles = set(table.names), []
    for name in names:
        while name in taken:
            name = f"{name}_predicted"
        taken.add(name)
        titles.append(name)
    return titles


def _predicted(
    project: Project, table: Table
) -> Iterator[tuple[range, Mapping[str, Sequence[str]]]]:
    """Rows of a table with the columns predicted for them, block by block."""
    if project.document.plan.data.series is not None:
        yield range(table.rows), _windows(project, table)
        return
    for start in range(0, table.rows, _BLOCK):
        rows = range(start, min(start + _BLOCK, table.rows))
        yield rows, _columns(project, table.some(rows), _Telling(start, table.rows))
    tell("writing", table.rows, table.rows)


def _columns(project: Project, table: Table, watch: "_Telling") -> dict[str, list[str]]:
    inputs = encode_columns(project.document, project.fitted, table)
    found = predict(project.document, project.store, inputs, _BATCH, watch=watch)
    return prediction_columns(project.document, project.fitted, found)


def _windows(project: Project, table: Table) -> dict[str, list[str]]:
    """Predictions at the last row of each window; the cells of other rows are empty."""
    samples = sample_rows(project.document, table)
    spread: dict[str, list[str]] = {}
    for name, cells in _columns(project, table, _Telling(0, len(samples))).items():
        column = spread[name] = [""] * table.rows
        for row, cell in zip(samples.tolist(), cells, strict=True):
            column[row] = cell
    return spread


class _Telling:
    """Tells how far a prediction is, of which so many samples are done already."""

    def __init__(self, done: int, samples: int) -> None:
        self._done, self._samples = done, samples

    def begin(self) -> None:
        """Nothing to tell yet."""

    def batch_begin(self, batch: int) -> None:
        tell("predicting", self._done + batch * _BATCH, self._samples)

    def batch_end(self, batch: int, outputs: Mapping[str, Array]) -> None:
        """Told at the next."""

    def end(self) -> None:
        """Nothing more to tell."""
