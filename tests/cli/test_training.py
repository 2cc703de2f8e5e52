"""``train``: what it says before, while and after it trains, and what it leaves alone."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.engine.memory import VARIABLE
from studio.examples import EXAMPLES
from studio.formats import loom
from tests.cli.commands import COLUMNS, layerloom, mistake
from tests.references import meta


def test_train_writes_back_and_goes_on(project: Path, capsys: Any) -> None:
    assert layerloom("train", project, "--epochs", "1") == 0
    first = loom.load(project)
    assert len(first.runs) == 1
    assert first.fitted
    assert layerloom("train", project, "--epochs", "1", "--seed", "3") == 0
    again = loom.load(project)
    assert [run.id for run in again.runs] == ["r1", "r2"]
    assert again.store.step == 2 * first.store.step
    assert "Epoch 1/1" in capsys.readouterr().out


def test_train_to_another_file_leaves_the_project_alone(project: Path, tmp_path: Path) -> None:
    before = project.read_bytes()
    out = tmp_path / "trained.loom"
    assert layerloom("train", project, "--epochs", "1", "--out", out) == 0
    assert project.read_bytes() == before
    assert loom.load(out).runs


def test_train_takes_no_more_memory_than_it_may(
    project: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv(VARIABLE, "1G")  # whatever the option says is gone again after the test
    before = project.read_bytes()
    options = ("--epochs", "1", "--batch-size", "100")
    assert layerloom("train", project, *options, "--memory", "1M") == 1
    assert "more than the 1.00 MiB" in capsys.readouterr().err
    assert layerloom("train", project, *options, "--memory", "8M") == 1
    assert " fit. " in capsys.readouterr().err
    assert project.read_bytes() == before
    assert layerloom("train", project, "--memory", "much") == 2
    assert layerloom("train", project, *options, "--memory", "500M") == 0


def test_train_twice_from_the_same_file_gives_the_same_file(project: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.loom", "b.loom")]
    for path in files:
        assert layerloom("train", project, "--epochs", "1", "--out", path) == 0
    a, b = map(loom.load, files)
    assert a.runs[0].history == b.runs[0].history
    learnt = [{key: cell.value.tobytes() for key, cell in p.store.items()} for p in (a, b)]
    assert learnt[0] == learnt[1]


def test_train_as_json_lines(project: Path, capsys: Any) -> None:
    assert layerloom("train", project, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "started"
    assert [line["event"] for line in lines].count("epoch") == 2
    assert set(lines[-1]["history"]) >= {"loss", "val_loss", "main_output_loss"}


def test_what_a_model_cannot_learn_is_said_when_it_is_trained(tmp_path: Path, capsys: Any) -> None:
    document = EXAMPLES["tweets"]()
    small = edits.set_data(document, source=GeneratedSource("tweets", rows=20))
    path = tmp_path / "t.loom"
    loom.save(path, Project(edits.set_run(small, epochs=1)))
    assert layerloom("train", path) == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: ")
    assert "same_author" in said


@pytest.mark.parametrize(
    ("changes", "message", "status"),
    [
        ({"activation": "relu"}, "BinaryCrossentropy takes numbers of 0 … 1", 1),
        ({"units": 2, "activation": "softmax"}, "shares of one whole", 0),
    ],
)
def test_a_loss_that_does_not_fit_is_said_before_training(
    project: Path, capsys: Any, changes: dict[str, Any], message: str, status: int
) -> None:
    """An error keeps it from being trained, a warning does not."""
    loaded = loom.load(project)
    _, aux = loaded.document.graph.outputs
    layer = loaded.document.graph.calls[aux.call].layer
    document = edits.set_parameters(loaded.document, layer, **changes)
    if status == 0:
        data = document.plan.data
        targets = {**data.targets, aux.key: replace(data.targets[aux.key], one_hot=True)}
        document = edits.set_data(document, targets=targets)
    loom.save(project, Project(document))
    assert layerloom("check", project) == status
    assert message in capsys.readouterr().out
    assert layerloom("train", project, "--epochs", "1") == status
    assert message in capsys.readouterr().err


def test_what_no_loss_reaches_is_said_and_trained_around(project: Path, capsys: Any) -> None:
    document = loom.load(project).document
    main, _ = document.graph.outputs
    loom.save(project, Project(edits.plan_output(document, main, loss=None)))
    assert layerloom("check", project) == 0
    said = capsys.readouterr().out
    assert "main_output: The output “main_output” has no loss" in said
    assert "No loss depends on “main_output”" in said
    assert layerloom("train", project, "--epochs", "1", "--metric", "accuracy") == 0
    assert "Accuracy is not computed at “main_output”" in capsys.readouterr().err


def test_nothing_trainable_is_an_error(project: Path, capsys: Any) -> None:
    document = loom.load(project).document
    for layer in document.layers:
        document = edits.set_trainable(document, layer, False)
    loom.save(project, Project(document))
    assert layerloom("check", project) == 1
    assert "Nothing can be trained" in capsys.readouterr().out
    assert layerloom("train", project) == 1
    assert "Nothing can be trained" in capsys.readouterr().err


def test_data_that_does_not_fit_names_file_column_and_row(project: Path, tmp_path: Path) -> None:
    table = tmp_path / "bad.csv"
    rows = [f"One,{'x' if i == 3 else i},2,3,4,5,{i % 2}" for i in range(20)]
    header = "headline,hour,weekday,words,pictures,links,popular"
    table.write_text("\n".join([header, *rows]))
    spec = f"aux_input={table}:hour,weekday,words,pictures,links"
    code, stderr = mistake("train", project, "--data", spec)
    assert code == 1
    assert "bad.csv" in stderr
    assert "hour" in stderr
    assert "Traceback" not in stderr


def other_texts(folder: Path) -> list[str]:
    """Arguments that bind a table whose words the headline example never saw."""
    header = "headline,hour,weekday,words,pictures,links,popular"
    rows = [f"zyx{i} wvu{i} tsr{i},{i % 24},2,3,4,5,{i % 2}" for i in range(40)]
    table = folder / "other.csv"
    table.write_text("\n".join([header, *rows]))
    return [
        part for port, column in COLUMNS.items() for part in ("--data", f"{port}={table}:{column}")
    ]


def test_training_on_other_texts_says_that_the_words_are_unknown(
    project: Path, tmp_path: Path, capsys: Any
) -> None:
    assert layerloom("train", project, "--epochs", "1") == 0
    capsys.readouterr()
    data = other_texts(tmp_path)
    assert layerloom("train", project, "--epochs", "1", *data) == 0
    assert "unknown to the vocabulary" in capsys.readouterr().err
    assert layerloom("train", project, "--epochs", "1", "--fresh", *data) == 0
    assert "unknown" not in capsys.readouterr().err


def test_metrics_are_watched_when_asked_for(project: Path, capsys: Any) -> None:
    assert layerloom("train", project, "--epochs", "1", "--metric", "AUC", "--metric", "acc") == 0
    assert "val_main_output_AUC" in capsys.readouterr().out  # as Keras: as it was written
    assert layerloom("evaluate", project, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"main_output_AUC", "aux_output_acc"} <= set(found)
    keys = meta("later_metrics")["keys"]
    assert (keys["AUC"], keys["acc"]) == ("AUC", "acc")
    assert layerloom("train", project, "--metric", "nonsense") == 1


def test_train_writes_projects_only(project: Path, table: Path, capsys: Any) -> None:
    before = table.read_bytes()
    assert layerloom("train", project, "--epochs", "1", "--out", table) == 1
    assert table.read_bytes() == before
    printed = capsys.readouterr()
    assert ".loom" in printed.err
    assert "Epoch" not in printed.out


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_folder_that_may_only_be_read_is_refused_before_training(
    project: Path, capsys: Any
) -> None:
    project.parent.chmod(0o555)
    try:
        assert layerloom("train", project, "--epochs", "1") == 1
    finally:
        project.parent.chmod(0o755)
    printed = capsys.readouterr()
    assert str(project) in printed.err
    assert "Epoch" not in printed.out


def test_nothing_is_trained_that_could_not_be_saved(
    project: Path, tmp_path: Path, capsys: Any
) -> None:
    for out in (tmp_path / "nowhere" / "t.loom", tmp_path / "t.txt"):
        assert layerloom("train", project, "--epochs", "1", "--out", out) == 1
        printed = capsys.readouterr()
        assert str(out) in printed.err
        assert "Epoch" not in printed.out
    for wrong in (["--seed", str(2**63)], ["--epochs", str(2**63)], ["--engine", "gpu"]):
        assert layerloom("train", project, *wrong) == 2
        printed = capsys.readouterr()
        assert wrong[0] in printed.err
        assert "Epoch" not in printed.out
    assert layerloom("train", project, "--epochs", "1", "--seed", str(2**63 - 1)) == 0
