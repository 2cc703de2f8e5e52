"""One pass over some rows: losses, metrics and every output judged, with raw rows to look at."""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.document import edits
from studio.document.analysis import obstacles
from studio.document.lowering import raise_first
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import ImageColumn
from studio.document.preprocess import Fitted
from studio.document.project import Project
from studio.document.store import Store
from studio.engine.engines import choose, executor
from studio.engine.program import Array
from studio.layers.cell import Cell
from studio.problem import ProblemError, refuse
from studio.progress import tell
from studio.train.arrays import Arrays, batches
from studio.train.bindings import ports_of
from studio.train.data import Dataset, load_data, load_table
from studio.train.encoding.picture_files import PictureError, decoded
from studio.train.encoding.pictures import PictureFiles
from studio.train.evaluation.judge import Judge, Target
from studio.train.evaluation.result import Evaluation, OutputEvaluation, Row, Which
from studio.train.means import Means
from studio.train.prediction import row_cells
from studio.train.step import Step, build_step
from studio.train.tables import Table, table_source
from studio.train.trainer import Trainer

_SIDE = 64  # of a picture that is shown
_WIDER = 4  # times the batch size: without a backward pass as much fits into memory


@dataclass(frozen=True)
class Judged:
    """An evaluation, with the table its rows are of and what they were bound to."""

    evaluation: Evaluation
    table: Table
    document: Document

    def rows(self, rows: Iterable[int]) -> list[Row]:
        """These rows as they stand in the file."""
        return raw_rows(self.document, self.table, rows)


def bare(project: Project, slots: bool = False) -> Project:
    """What is needed to judge a project: no picture, no optimizer's slots; arrays are shared.

    What is initialized in it is not in the project it was made of. With `slots` it also knows
    what the next step would be made with.
    """
    store = Store()
    for layer, cells in project.store.shared().items():
        kept = list(cells.items())
        store.adopt(layer, {k: _bare(c, slots) for k, c in kept})
    if slots:
        store.step = project.store.step
    # The models that runs keep may be as large as the project.
    runs = [replace(run, document=None, weights=None, fitted=None) for run in project.runs]
    return Project(project.document, store, dict(project.fitted), runs)


def _bare(cell: Cell, slots: bool) -> Cell:
    kept = Cell(cell.value, cell.trained)
    return replace(kept, slots=dict(cell.slots), lag=cell.lag) if slots else kept


def evaluate_project(
    project: Project,
    base: Path,
    which: Which = "validation",
    file: Path | None = None,
    threads: int = 0,
) -> Judged:
    """Judge a project on rows of its own data, or on all rows of another file.

    Args:
        project: its preprocessing is used as it was learnt; nothing of it changes.
        base: the folder relative data paths start from.
        which: its rows; validation rows must be there.
        file: columns named alike are read from it, instead of the project's source.
        threads: for matrix products; all cores if 0.

    Raises:
        ProblemError: what keeps the model from being computed or the data from being read;
            ``evaluation_no_targets``, ``evaluation_no_validation``.
        Cancelled: as whoever listens to the progress wants it.
    """
    began = time.perf_counter()
    document = project.document
    raise_first(obstacles(document))
    if file is not None:
        document, which = edits.set_data(document, source=table_source(file)), "all"
    if which == "all":
        split = replace(document.plan.data.split, kind="none")
        document = edits.set_data(document, split=split)
    data = load_data(document, base, project.fitted or None)
    arrays, rows = chosen(data, which)
    logs, outputs = judge(document, project.store, arrays, data.fitted, rows, threads)
    seconds = time.perf_counter() - began
    table = data.validation_table if which == "validation" else data.table
    found = Evaluation(which, table.name, len(arrays), logs, outputs, seconds, data.warnings)
    return Judged(found, table, document)


def chosen(data: Dataset, which: Which) -> tuple[Arrays, NDArray[np.intp]]:
    """Some rows of a dataset, and their places in its table.

    Raises:
        ProblemError: ``evaluation_no_validation``.
    """
    if which != "validation":
        return data.train, data.train_rows
    if data.validation is None:
        raise refuse("evaluation_no_validation")
    return data.validation, data.validation_rows


def judge(
    document: Document,
    store: Store,
    data: Arrays,
    fitted: Mapping[str, Fitted],
    rows: Array | None = None,
    threads: int = 0,
) -> tuple[Mapping[str, float], tuple[OutputEvaluation, ...]]:
    """Losses and metrics by Keras's keys, and each output judged.

    Args:
        document: says losses and metrics; outputs without a loss are not judged.
        store: weights never initialized are initialized now, by the document's seed.
        data: inputs and targets.
        fitted: what was learnt of the targets' columns.
        rows: the place in the table of each sample; counted from 0 if None.
        threads: for matrix products; all cores if 0.

    Raises:
        ProblemError: ``evaluation_no_targets``; what keeps the document from being lowered.
    """
    trainer = Trainer(document, store)
    step = build_step(document, False, data.weighted, data.one_hots, each=True)
    if not step.targets:
        raise refuse("evaluation_no_targets")
    engine = choose(trainer.settings.engine, step.program).engine
    runner = executor(engine, step.program, threads)
    runner.load(trainer.state(step))
    rows = np.arange(len(data)) if rows is None else rows
    judges = _judges(document, step, len(data), fitted)
    means, done = Means(trainer), 0
    tell("evaluating", 0, len(data))
    for batch in batches(data, _WIDER * document.plan.run.batch_size):
        results = runner.run(trainer.feeds(step, batch))
        means.add(step, batch, results)
        _hand_out(judges, step, batch, results, rows[done : done + len(batch)])
        done += len(batch)
        tell("evaluating", done, len(data))
    outputs = tuple(
        judges[e.key].result() if e.key in judges else OutputEvaluation(e.key, name, "unjudged")
        for e, name in output_names(document).items()
    )
    return means.logs(), outputs


def _judges(
    document: Document, step: Step, samples: int, fitted: Mapping[str, Fitted]
) -> dict[str, Judge]:
    names = {e.key: name for e, name in output_names(document).items()}
    bindings = {port.key: port.binding for port in ports_of(document) if port.loss}
    found = {}
    for key in step.targets:
        loss = document.plan.outputs[key].loss
        assert loss is not None, "a target is of a loss"
        about = Target(key, names[key], loss, bindings.get(key), fitted.get(key))
        found[key] = Judge(about, samples, document.plan.run.seed)
    return found


def _hand_out(
    judges: Mapping[str, Judge],
    step: Step,
    batch: Arrays,
    results: Mapping[str, Array],
    rows: Array,
) -> None:
    for key, judge in judges.items():
        valid = results[step.counted[key]] if key in step.counted else None
        output, losses = results[step.outputs[key]], results[step.each[key]]
        judge.add(np.asarray(batch.targets[key]), output, losses, valid, rows)


# -- raw rows ------------------------------------------------------------------------------------


def raw_rows(document: Document, table: Table, rows: Iterable[int]) -> list[Row]:
    """Rows of a table, counted from 0, as they stand in its file."""
    pictures = [column for column in table.columns if table.kind(column) == "image"]
    return [_raw_row(document, table, row, pictures) for row in rows]


def row_of_data(document: Document, base: Path, row: int) -> Row:
    """A row of a document's data, counted from 0, as it stands in its file.

    Raises:
        ProblemError: what keeps the table from being read.
    """
    return raw_rows(document, load_table(document.plan.data.source, base), [row])[0]


def _raw_row(document: Document, table: Table, row: int, pictures: Iterable[str]) -> Row:
    cells = {column: cells[row] for column, cells in table.columns.items()}
    shown = {}
    files = PictureFiles(table.folder)
    for column in pictures:
        path = files.at(cells[column])
        with suppress(PictureError):  # it is told where it is trained with
            binding = ImageColumn(column, _SIDE, _SIDE, resize="pad")
            if path is not None:
                shown[column] = decoded(path, binding)
    before: dict[str, list[str]] = {}
    if document.plan.data.series is not None:
        with suppress(ProblemError):  # too few rows come before it
            found = row_cells(document, table, row)
            before = {c: cell for c, cell in found.items() if isinstance(cell, list)}
    arrays = {column: np.array(array[row]) for column, array in table.arrays.items()}
    return Row(row, table.place(row), cells, arrays, shown, table.folder, before)
