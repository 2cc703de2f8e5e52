"""``evaluate`` and ``predict``: rows through a trained model."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from studio.formats import loom
from tests.cli.commands import layerloom


def test_evaluate_says_what_the_history_says(project: Path, capsys: Any) -> None:
    assert layerloom("train", project) == 0
    capsys.readouterr()
    assert layerloom("evaluate", project, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    history = loom.load(project).runs[0].history
    assert found["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-5)
    assert found["rows"] == 32


def test_predict_writes_a_row_for_each_row(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "preds.csv"
    assert layerloom("train", project, "--epochs", "1") == 0
    table = tmp_path / "new.csv"
    header = "headline,hour,weekday,words,pictures,links"
    table.write_text(f"{header}\nA quiet day at the harbour,9,2,6,1,0\nTen ways,20,6,2,3,4\n")
    assert layerloom("predict", project, "--data", table, "--out", out) == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert 0 <= float(rows[0]["main_output"]) <= 1
    assert 0 <= float(rows[1]["aux_output"]) <= 1


def test_predict_overwrites_neither_project_nor_data(
    project: Path, table: Path, tmp_path: Path, capsys: Any
) -> None:
    assert layerloom("train", project, "--epochs", "1") == 0
    link = tmp_path / "link.csv"
    link.symlink_to(table)
    disguised = tmp_path / "q.csv"
    disguised.write_bytes(project.read_bytes())
    other = tmp_path / "other.loom"
    for source, out in (
        (project, table), (project, link), (project, project),
        (project, other), (disguised, disguised),
    ):  # fmt: skip
        before = out.read_bytes() if out.exists() else None
        capsys.readouterr()
        assert layerloom("predict", source, "--data", table, "--out", out) == 1
        assert (out.read_bytes() if out.exists() else None) == before
        assert out.name in capsys.readouterr().err
