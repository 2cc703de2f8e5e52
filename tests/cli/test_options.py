"""Data and splits, as the shell is told of them."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.cli.options import read_split
from studio.document import edits
from studio.document.plan import ImageColumn, Split, TableSource
from studio.document.project import Project
from studio.formats import loom
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.probabilistic import BinaryCrossentropy
from studio.train.generators import generate
from tests.cli.commands import COLUMNS, layerloom
from tests.train.tables_and_models import chain


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("last:0.3", Split("last", 0.3)),
        ("random", Split("random", 0.2)),
        ("none", Split("none", 0.2)),
        ("fold=test", Split("column", 0.2, column="fold", value="test")),
        ("stratified:0.3", Split("stratified", 0.3)),
        ("stratified::kind", Split("stratified", 0.2, column="kind")),
        ("last:0.1:day", Split("last", 0.1, column="day")),
    ],
)
def test_a_split_is_written_shortly(written: str, expected: Split) -> None:
    assert read_split(written, Split()) == expected


def test_another_file_validates_when_asked_for(project: Path, tmp_path: Path, capsys: Any) -> None:
    table = generate("headline", 30, 7)
    held = tmp_path / "held.csv"
    with held.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(zip(*table.columns.values(), strict=True))
    assert layerloom("train", project, "--epochs", "1", "--split", f"file:{held}", "--json") == 0
    started = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (started["samples"], started["validation_samples"]) == (160, 30)
    split = loom.load(project).document.plan.data.split
    assert split.file is not None
    assert Path(split.file.path) == held.resolve()
    assert layerloom("train", project, "--split", "file:nowhere.csv") == 1


def test_the_last_rows_validate_when_asked_for(project: Path, capsys: Any) -> None:
    assert layerloom("train", project, "--epochs", "1", "--split", "last:0.5", "--json") == 0
    started = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (started["samples"], started["validation_samples"]) == (80, 80)
    assert loom.load(project).document.plan.data.split.kind == "last"
    for wrong in ("last:2", "sideways", "last:x", "random:0.2:kind", "none:0.1:kind", "file:"):
        assert layerloom("train", project, "--split", wrong) == 2


def test_given_data_is_judged_whole(project: Path, table: Path, capsys: Any) -> None:
    assert layerloom("train", project, "--epochs", "1") == 0
    one_row = table.with_name("one.csv")
    one_row.write_text("".join(table.read_text().splitlines(keepends=True)[:2]))
    for path, rows in ((table, 2), (one_row, 1)):
        data = [f"--data={port}={path}:{column}" for port, column in COLUMNS.items()]
        capsys.readouterr()
        assert layerloom("evaluate", project, *data, "--json") == 0
        assert json.loads(capsys.readouterr().out)["rows"] == rows
    data = [f"--data={port}={table}:{column}" for port, column in COLUMNS.items()]
    assert layerloom("evaluate", project, *data, "--json", "--rows", "train") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1


@pytest.mark.parametrize("spec", ["main_input", "main_input=", "nowhere=d.csv"])
@pytest.mark.parametrize("command", ["train", "predict", "evaluate"])
def test_data_that_is_no_file_and_no_port_is_wrong_usage(
    project: Path, command: str, spec: str, capsys: Any
) -> None:
    assert layerloom(command, project, "--data", spec) == 2
    assert "PORT=FILE" in capsys.readouterr().err


def test_data_that_is_missing_or_an_empty_folder_says_so(
    project: Path, tmp_path: Path, capsys: Any
) -> None:
    assert layerloom("predict", project, "--data", tmp_path / "none.csv") == 1
    assert "none.csv" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    for spec in (str(tmp_path / "empty"), f"main_input={tmp_path / 'empty'}:headline"):
        assert layerloom("predict", project, "--data", spec) == 1
        assert "folder" in capsys.readouterr().err


def test_how_a_file_is_read_is_found_out_or_said(
    project: Path, table: Path, tmp_path: Path, capsys: Any
) -> None:
    assert layerloom("train", project, "--epochs", "1") == 0
    lines = [",".join(row) for row in csv.reader(table.read_text().splitlines())]
    assert not any(";" in line for line in lines)
    other = tmp_path / "other.txt"
    other.write_bytes("\n".join(line.replace(",", ";") for line in lines).encode("utf-16"))
    data = [f"--data={port}={other}:{column}" for port, column in COLUMNS.items()]
    capsys.readouterr()
    assert layerloom("evaluate", project, *data, "--json") == 0
    expected = json.loads(capsys.readouterr().out)
    assert expected["rows"] == len(lines) - 1
    said = ["--reading", "delimiter=semicolon", "--reading=header=yes", "--reading=encoding=utf-16"]
    assert layerloom("evaluate", project, *data, *said, "--json") == 0
    assert json.loads(capsys.readouterr().out) == expected
    assert layerloom("evaluate", project, *data, "--reading=delimiter=|") == 1
    assert "has no column" in capsys.readouterr().err
    for wrong in ("nothing=1", "delimiter", "header=maybe"):
        assert layerloom("evaluate", project, *data, "--reading", wrong) == 2
        assert "--reading" in capsys.readouterr().err


def test_a_folder_of_pictures_is_data(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "pets"
    for number in range(8):
        place = folder / ("cat" if number % 2 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        grey = np.full((9, 11), 20 * number, np.uint8)
        Image.fromarray(grey).save(place / f"{number}.png")
    layers = (Input((4, 4, 3)), Flatten(), Dense(1, "sigmoid"))
    document = chain(*layers, loss=BinaryCrossentropy())[0]
    binding = ImageColumn("image", 4, 4)
    document = edits.set_data(document, inputs={document.graph.inputs[0]: binding})
    path = tmp_path / "p.loom"
    loom.save(path, Project(edits.set_run(document, epochs=2)))
    data = ["--data", f"x={folder}", "--data", f"y={folder}:label"]
    assert layerloom("train", path, *data, "--split", "none") == 0
    source = loom.load(path).document.plan.data.source
    assert isinstance(source, TableSource)
    assert source.path == str(folder)
    capsys.readouterr()
    assert layerloom("predict", path, "--data", folder) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert len(rows) == 8
    assert {row["y_class"] for row in rows} <= {"cat", "dog"}
