"""The exported script makes of raw cells what training made of them: steps, dates, windows."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import (
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    Missing,
    NumberColumns,
    Scaling,
    Series,
    Split,
    TableSource,
    TextColumn,
)
from studio.document.project import Project
from studio.formats.onnx_export import export
from studio.layers.activation import Activation
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.train.arrays import unpacked
from studio.train.data import load_data
from studio.train.prediction import encode_columns, sample_rows
from studio.train.tables import Table, read_table
from tests.formats.examples import fill
from tests.train.tables_and_models import chain, written


def passing(shape: tuple[int | None, ...]) -> Document:
    """A model that gives what it takes."""
    return chain(Input(shape=shape), Activation("linear"), loss=MeanSquaredError())[0]


def learnt(
    document: Document, folder: Path, binding: Binding, series: Series | None = None
) -> Project:
    """A project that learnt from ``t.csv``; no target is needed for that."""
    (call,), (output,) = document.graph.inputs, document.graph.outputs
    document = edits.plan_output(document, output, loss=None)
    document = edits.set_data(
        document,
        source=TableSource("t.csv"),
        inputs={call: binding},
        split=Split("none"),
        series=series,
    )
    project = fill(Project(document))
    project.fitted = dict(load_data(document, folder).fitted)
    return project


def script(project: Project, folder: Path, table: Path) -> list[dict[str, str]]:
    """What the exported script writes about a table."""
    export(project, folder / "m.onnx")
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(folder / "m.py"), str(table)],
        capture_output=True,
        cwd=folder,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return list(csv.DictReader(ran.stdout.splitlines()))


def same_inputs(project: Project, folder: Path, table: Path) -> Table:
    """What the script feeds is what we feed: the model gives what it takes."""
    answers = script(project, folder, table)
    found = read_table(table)
    (column,) = encode_columns(project.document, project.fitted, found).values()
    ours = unpacked(column)
    theirs = np.array([[float(cell) for cell in row["y"].split()] for row in answers])
    np.testing.assert_allclose(theirs, ours.reshape(len(ours), -1), rtol=1e-5, atol=1e-6)
    return found


TRAINED = (
    "a,b,colour,when",
    "1,,red,31/1/2024",
    ",10,blue,1/2/2024 06:00",
    "4,30,red,29/2/2024 11:59 pm",
    "7,NA,,",
    "8,1,,31.12.1969",
    "9,25,green,2030-01-01T10:20:30+05:30",
)
NEW = (
    "a,b,colour,when",
    "2,null,pink,5/6/2024",
    '?,-1e3,blue,"Wed, 31 Jan 2024 17:06:00 GMT"',
    '0,0, ,"Feb 3, 2021 12:05 AM"',
    "1,1,red,1700000000",
    "1,1,red,2024年5月6日 7时8分",
    "1,1,green,20240229T0102",
    "1,1,green, N/A",
)
WHOLE = ("year", "month", "day", "weekday", "hour", "minute", "elapsed")


@pytest.mark.parametrize("scaling", ["none", "standardize", "min_max"])
@pytest.mark.parametrize("missing", ["mean", "median", "zero"])
def test_numbers(tmp_path: Path, scaling: Scaling, missing: Missing) -> None:
    written(tmp_path, TRAINED)
    project = learnt(passing((2,)), tmp_path, NumberColumns(("a", "b"), scaling, missing))
    same_inputs(project, tmp_path, written(tmp_path, NEW, "new.csv"))


@pytest.mark.parametrize("cyclic", [True, False])
def test_dates(tmp_path: Path, cyclic: bool) -> None:
    written(tmp_path, TRAINED)
    binding = DateColumn("when", WHOLE, cyclic, "standardize", missing="median")  # type: ignore[arg-type]
    project = learnt(passing((12 if cyclic else 7,)), tmp_path, binding)
    same_inputs(project, tmp_path, written(tmp_path, NEW, "new.csv"))


def test_steps_side_by_side(tmp_path: Path) -> None:
    written(tmp_path, TRAINED)
    binding = FeatureColumns(
        (
            NumberColumns(("b",), "min_max", "median"),
            ClassColumn("colour", missing="class"),
            DateColumn("when", ("weekday", "elapsed"), missing="median"),
            NumberColumns(("a",), "none", "mean"),
        )
    )
    project = learnt(passing((9,)), tmp_path, binding)
    same_inputs(project, tmp_path, written(tmp_path, NEW, "new.csv"))


def test_unspaced_text(tmp_path: Path) -> None:
    path = written(tmp_path, ("t", "今天天气好 won't", "ที่นี่ hot!", "それは Python3", "a中b"))
    layers = Input(shape=(7,), dtype="int32"), Embedding(input_dim=30, output_dim=2)
    document = chain(*layers, loss=MeanSquaredError())[0]
    project = learnt(document, tmp_path, TextColumn("t", 7, 30, "unspaced"))
    answers = script(project, tmp_path, path)
    found = encode_columns(project.document, project.fitted, read_table(path))
    (numbers,) = found.values()
    ((_, cell),) = project.store.items()
    expected = cell.value[unpacked(numbers)].reshape(4, -1)
    theirs = np.array([[float(v) for v in row["y"].split()] for row in answers])
    np.testing.assert_allclose(theirs, expected, rtol=1e-5)


SERIES = (
    "shop,day,n,kind",
    *("b,13/1/2024,13,u", "a,2/1/2024,2,v", "a,1/1/2024,,u", "b,1/1/2024,11,w"),
    *("a,14/1/2024,4,u", "c,1/1/2024,21,u", "b,2/1/2024,12,v", "a,3/1/2024,3,w"),
)


@pytest.mark.parametrize(
    ("series", "count"),
    [
        (Series(2, 1, order="day", group="shop"), 5),
        (Series(2, 1, group="shop"), 5),
        (Series(2, 1, order="day"), 7),
        (Series(3, 0), 6),
    ],
)
def test_windows(tmp_path: Path, series: Series, count: int) -> None:
    path = written(tmp_path, SERIES)
    binding = FeatureColumns((NumberColumns(("n",), "standardize", "zero"), ClassColumn("kind")))
    project = learnt(passing((series.length, 4)), tmp_path, binding, series)
    found = same_inputs(project, tmp_path, path)
    rows = sample_rows(project.document, found).tolist()
    assert len(rows) == count
    answers = script(project, tmp_path, path)
    for column in (series.group, series.order):
        if column:
            assert [a[column] for a in answers] == [found.columns[column][row] for row in rows]


def test_of_windows_an_input_without_a_time_axis_takes_the_last_row(tmp_path: Path) -> None:
    path = written(tmp_path, SERIES)
    numbers = NumberColumns(("n",), missing="zero")
    project = learnt(passing((1,)), tmp_path, numbers, Series(2, 1, order="day", group="shop"))
    same_inputs(project, tmp_path, path)


def test_a_scaled_target_comes_back_in_its_units(tmp_path: Path) -> None:
    path = written(tmp_path, ("a,b", "1,10", "2,20", "3,40"))
    document = passing((1,))
    (call,), (output,) = document.graph.inputs, document.graph.outputs
    assert isinstance(output, Endpoint)
    document = edits.set_data(
        document,
        source=TableSource("t.csv"),
        inputs={call: NumberColumns(("a",))},
        targets={output.key: NumberColumns(("b",), "min_max")},
        split=Split("none"),
    )
    project = fill(Project(document))
    project.fitted = dict(load_data(document, tmp_path).fitted)
    found = [float(row["y"]) for row in script(project, tmp_path, path)]
    assert found == pytest.approx([1 * 30 + 10, 2 * 30 + 10, 3 * 30 + 10])
