"""``summary`` and ``check``: what is told of a project that stays as it is."""

import json
from pathlib import Path
from typing import Any

from studio.document import edits
from studio.document.project import Project
from studio.engine.memory import VARIABLE
from studio.formats import loom
from tests.cli.commands import layerloom


def test_summary_lists_the_layers(project: Path, capsys: Any) -> None:
    assert layerloom("summary", project) == 0
    out = capsys.readouterr().out
    assert "main_output (Dense)" in out
    assert "Total parameters" in out


def test_check_lists_problems_and_fails(project: Path, tmp_path: Path, capsys: Any) -> None:
    document = loom.load(project).document
    (call, *_) = document.graph.inputs
    broken = tmp_path / "broken.loom"
    loom.save(broken, Project(edits.remove_calls(document, [call])))
    assert layerloom("check", broken) == 1
    assert "error" in capsys.readouterr().out


def test_check_says_what_training_takes(project: Path, capsys: Any, monkeypatch: Any) -> None:
    assert layerloom("check", project) == 0
    assert "of memory" in capsys.readouterr().out
    assert layerloom("summary", project) == 0
    assert "of memory" in capsys.readouterr().out
    monkeypatch.setenv(VARIABLE, "1M")
    assert layerloom("check", project) == 1
    assert "more than the 1.00 MiB" in capsys.readouterr().out


def test_check_counts_no_more_rows_than_the_data_has(project: Path, capsys: Any) -> None:
    found = loom.load(project)
    loom.save(project, Project(edits.set_run(found.document, batch_size=10**9)))
    assert layerloom("check", project) == 0
    assert "of memory" in capsys.readouterr().out


def test_check_names_a_batch_of_no_rows(project: Path, capsys: Any) -> None:
    found = loom.load(project)
    loom.save(project, Project(edits.set_run(found.document, batch_size=0)))
    assert layerloom("check", project) == 1
    assert "at least one row; 0 are set" in capsys.readouterr().out


def test_check_as_json_ends_with_a_count(project: Path, capsys: Any) -> None:
    assert layerloom("check", project, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"problems": 0}
