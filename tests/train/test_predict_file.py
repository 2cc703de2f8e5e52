"""Predictions on a file: every row, beside it, whole or not at all."""

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import ClassColumn, NumberColumns, Series
from studio.document.preprocess import FittedClasses, FittedNumbers
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.probabilistic import SparseCategoricalCrossentropy
from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from studio.train import predict_file as module
from studio.train.predict import predict
from studio.train.predict_file import Predicted, predict_file, predictions_path
from studio.train.prediction import encode_columns, prediction_columns
from studio.train.tables import read_table

NAMES = ("cat", "dog", "owl")


def classifier(series: Series | None = None) -> Project:
    """Two numbers to three classes; of a series the numbers of as many rows as it says."""
    shape = (series.length, 2) if series else (2,)
    document, x = edits.add_layer(Document(), Input(shape=shape), name="x")
    document, flat = edits.add_layer(document, Flatten(), name="flat")
    document, y = edits.add_layer(document, Dense(units=3, activation="softmax"), name="animal")
    for start, end in ((x, flat), (flat, y)):
        document = edits.connect(document, Endpoint(start, "output"), Endpoint(end, "x"))
    output = Endpoint(y, "output")
    document = edits.mark_output(document, output)
    document = edits.plan_output(document, output, loss=SparseCategoricalCrossentropy())
    numbers, classes = NumberColumns(("a", "b"), "standardize"), ClassColumn("kind")
    document = edits.set_data(
        document, inputs={x: numbers}, targets={output.key: classes}, series=series
    )
    fitted = {
        x: FittedNumbers(numbers, (1.0, 2.0), (0.5, 4.0)),
        output.key: FittedClasses(classes, NAMES),
    }
    project = Project(document, fitted=fitted)
    width = 2 * (series.length if series else 1)
    kernel = np.random.default_rng(0).normal(size=(width, 3)).astype(np.float32)
    project.store.put(document.graph.calls[y].layer, "kernel", kernel)
    project.store.put(document.graph.calls[y].layer, "bias", np.zeros(3, np.float32))
    return project


def table(path: Path, rows: int = 50) -> Path:
    rng = np.random.default_rng(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "a", "b", "animal"])
        for row in range(rows):
            a, b = rng.normal(size=2)
            writer.writerow([f"ü{row}", f"{a:.4f}", f"{b:.4f}", "says, who?"])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@contextmanager
def cancelled_at(doing: str, done: int) -> Iterator[None]:
    def listen(what: str, so_far: int, total: int) -> None:
        if (what, so_far >= done) == (doing, True):
            raise Cancelled

    with watched(listen), pytest.raises(Cancelled):
        yield


def test_every_row_is_predicted_beside_its_own_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 16)
    monkeypatch.setattr(module, "_BATCH", 5)
    project, path = classifier(), table(tmp_path / "zoo.csv")
    before = path.read_bytes()
    told: list[tuple[str, int, int]] = []
    with watched(lambda *how: told.append(how)):
        found = predict_file(project, path, tmp_path / "out.csv")
    columns = ("animal_cat", "animal_dog", "animal_owl", "animal_class")
    assert found == Predicted(tmp_path / "out.csv", 50, 50, columns)
    rows, source = read(found.path), read(path)
    assert [{k: r[k] for k in source[0]} for r in rows] == source
    whole = read_table(path)
    inputs = encode_columns(project.document, project.fitted, whole)
    outputs = predict(project.document, project.store, inputs)
    expected = prediction_columns(project.document, project.fitted, outputs)
    for name in columns[:3]:
        assert [float(r[name]) for r in rows] == pytest.approx(list(map(float, expected[name])))
    assert [r["animal_class"] for r in rows] == expected["animal_class"]
    assert len(set(expected["animal_class"])) > 1
    done = [so_far for what, so_far, total in told if (what, total) == ("predicting", 50)]
    assert done == sorted(done)
    assert done[-1] >= 45
    assert path.read_bytes() == before


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    project, path = classifier(), tmp_path / "zoo.csv"
    path.write_text("a,b,animal_class,animal_class_predicted\n1,2,x,y\n3,4,z,w\n")
    found = predict_file(project, path, tmp_path / "out.csv")
    assert found.columns[-1] == "animal_class_predicted_predicted"
    assert read(found.path)[1]["animal_class"] == "z"


def test_what_it_writes_is_whole_or_not_there(tmp_path: Path) -> None:
    project, path, out = classifier(), table(tmp_path / "zoo.csv", 5000), tmp_path / "out.csv"
    out.write_text("of before")
    with cancelled_at("predicting", 3000):
        predict_file(project, path, out)
    assert out.read_text() == "of before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "zoo.csv"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("a,c\n1,2\n", "column_missing"),
        ("a,b\n1,x\n", "cell_not_number"),
        ("", "file_empty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_nothing_is_written(
    tmp_path: Path, content: str, code: str
) -> None:
    path = tmp_path / "zoo.csv"
    path.write_text(content)
    with pytest.raises(ProblemError) as caught:
        predict_file(classifier(), path, tmp_path / "out.csv")
    assert caught.value.problems[0].code == code
    assert [p.name for p in tmp_path.iterdir()] == ["zoo.csv"]


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(ProblemError) as caught:
        predict_file(classifier(), tmp_path / "missing.csv", tmp_path / "out.csv")
    assert caught.value.problems[0].code == "file_not_written"


def test_of_a_series_the_rows_that_end_a_window_are_predicted(tmp_path: Path) -> None:
    project = classifier(Series(length=3))
    found = predict_file(project, table(tmp_path / "zoo.csv", 10), tmp_path / "out.csv")
    assert (found.rows, found.samples) == (10, 8)
    said = [row["animal_class"] for row in read(found.path)]
    assert said[:2] == ["", ""]
    assert all(name in NAMES for name in said[2:])


def test_it_stands_beside_the_file_by_its_name(tmp_path: Path) -> None:
    for name, wanted in (
        ("zoo.csv", "zoo.predictions.csv"),
        ("zoo.csv.gz", "zoo.predictions.csv"),
        ("my.data.parquet", "my.data.predictions.csv"),
        ("plain", "plain.predictions.csv"),
        (".hidden", ".hidden.predictions.csv"),
    ):
        assert predictions_path(tmp_path / name) == tmp_path / wanted
    (tmp_path / "pictures.of").mkdir()
    assert predictions_path(tmp_path / "pictures.of").name == "pictures.of.predictions.csv"


def test_a_packed_file_is_predicted(tmp_path: Path) -> None:
    path = tmp_path / "zoo.csv.gz"
    path.write_bytes(gzip.compress(table(tmp_path / "zoo.csv").read_bytes()))
    assert predict_file(classifier(), path, predictions_path(path)).rows == 50
