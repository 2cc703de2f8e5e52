"""Commands that put rows through a trained model: ``evaluate`` and ``predict``."""

import csv
import io
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli.console import say, say_json
from studio.cli.files import load, spare_data, spare_project
from studio.cli.options import (
    DataOption,
    JsonOption,
    MetricOption,
    ProjectFile,
    ReadingOption,
    expect_data,
    expect_one,
    prepared,
    read_reading,
)
from studio.document import edits
from studio.document.plan import TableSource
from studio.formats.atomic import check_writable, write_text
from studio.text import text


def evaluate(
    project_file: ProjectFile,
    data: DataOption = None,
    metric: MetricOption = None,
    rows: Annotated[
        str | None, typer.Option(help="validation, train or all; all if --data is given")
    ] = None,
    reading: ReadingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Losses and metrics on the held-out rows, or on all rows of other data."""
    from studio.train.data import load_data
    from studio.train.evaluation.result import WHICH
    from studio.train.trainer import Trainer

    project = load(project_file)
    document = prepared(project.document, data, metric, reading)
    rows = rows or ("all" if data else "validation")
    expect_one("--rows", rows, WHICH)
    if rows == "all":
        split = replace(document.plan.data.split, kind="none")
        document = edits.set_data(document, split=split)
    loaded = load_data(document, project_file.parent, project.fitted or None)
    chosen = loaded.validation if rows == "validation" and loaded.validation else loaded.train
    logs = Trainer(document, project.store).evaluate(chosen, document.plan.run.batch_size)
    if as_json:
        say_json({"rows": len(chosen), **logs})
        return
    say(text("cli.evaluated", rows=len(chosen)))
    for key, value in logs.items():
        say(f"  {key}: {value:.4f}")


def predict(
    project_file: ProjectFile,
    data: DataOption = None,
    reading: ReadingOption = None,
    out: Annotated[
        Path | None, typer.Option(help="A CSV to write, replacing one there; stdout if not given")
    ] = None,
) -> None:
    """Every output for every row of the data.

    ``--data FILE`` reads the columns the project is bound to; ``--data PORT=FILE:COLUMN`` others.
    """
    from studio.train.predict import predict as outputs_of
    from studio.train.prediction import predict_inputs, prediction_columns, told_rows

    project, base = load(project_file), project_file.parent
    if out is not None:
        spare_project(out, project_file)
        check_writable(out)
    expect_data(data or [])
    said = read_reading(reading or [])
    document, inputs = predict_inputs(project.document, project.fitted, base, data or [], said)
    rows = told_rows(document, base)
    if out is not None:
        plans = (project.document.plan.data, document.plan.data)
        sources = [source for plan in plans for source in (plan.source, plan.split.file)]
        spare_data(out, [base / s.path for s in sources if isinstance(s, TableSource)])
    outputs = outputs_of(document, project.store, inputs)
    table = io.StringIO(newline="")
    _write_csv(table, rows | prediction_columns(document, project.fitted, outputs))
    if out is None:
        sys.stdout.write(table.getvalue())
        return
    write_text(out, table.getvalue())
    say(text("cli.written", path=out))


def _write_csv(file: Any, columns: Mapping[str, Any]) -> None:
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
