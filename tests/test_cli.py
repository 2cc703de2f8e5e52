"""The shell: what each command does, prints and exits with."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio import cli
from studio.document import edits
from studio.document.plan import GeneratedSource, Split
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom


def layerloom(*arguments: str | Path) -> int:
    """Run the command in this process; its exit status."""
    before = sys.argv
    sys.argv = ["layerloom", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as status:
        return int(status.code or 0)
    finally:
        sys.argv = before
    return 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The headline example, made small: 160 rows, vectors of 8."""
    document = EXAMPLES["headline"]()
    document = edits.set_data(document, source=GeneratedSource("headline", rows=160))
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=8)
    path = tmp_path / "p.loom"
    loom.save(path, Project(edits.set_run(document, epochs=2)))
    return path


def test_new_writes_an_example_that_checks(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "h.loom"
    assert layerloom("new", "--example", "headline", path) == 0
    assert str(path) in capsys.readouterr().out
    assert layerloom("check", path) == 0
    assert loom.load(path).document == EXAMPLES["headline"]()


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


def test_export_proves_and_writes(project: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "m.onnx"
    assert layerloom("train", project, "--epochs", "1") == 0
    assert layerloom("export", project, out) == 0
    assert out.is_file()
    assert "main_output" in capsys.readouterr().out


def test_summary_lists_the_layers(project: Path, capsys: Any) -> None:
    assert layerloom("summary", project) == 0
    out = capsys.readouterr().out
    assert "main_output (Dense)" in out
    assert "Total parameters" in out


def test_demo_does_it_all(tmp_path: Path, capsys: Any, monkeypatch: Any, project: Path) -> None:
    small = loom.load(project).document
    monkeypatch.setattr("studio.examples.EXAMPLES", {"headline": lambda: small})
    assert layerloom("demo", tmp_path / "demo", "--epochs", "1") == 0
    assert (tmp_path / "demo" / "headline-demo.loom").is_file()
    assert (tmp_path / "demo" / "headline-demo.onnx").is_file()
    assert "headline-demo.onnx" in capsys.readouterr().out


# -- mistakes ------------------------------------------------------------------------------------


def mistake(*arguments: str | Path) -> tuple[int, str]:
    """Status and stderr of the command in a process of its own."""
    command = [sys.executable, "-m", "studio.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["train", "nowhere.loom"], 1),
        (["check", "nowhere.loom"], 1),
        (["new", "--example", "nonsense", "x.loom"], 2),
        (["train"], 2),
        (["nonsense", "x.loom"], 2),
        (["train", "nowhere.loom", "--epochs", "no"], 2),
    ],
)
def test_a_mistake_has_its_status_and_no_traceback(arguments: list[str], status: int) -> None:
    code, stderr = mistake(*arguments)
    assert code == status
    assert stderr.strip()
    assert "Traceback" not in stderr


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


def test_check_lists_problems_and_fails(project: Path, tmp_path: Path, capsys: Any) -> None:
    document = loom.load(project).document
    (call, *_) = document.graph.inputs
    broken = tmp_path / "broken.loom"
    loom.save(broken, Project(edits.remove_calls(document, [call])))
    assert layerloom("check", broken) == 1
    assert "error" in capsys.readouterr().out


def other_texts(folder: Path) -> list[str]:
    """Arguments that bind a table whose words the headline example never saw."""
    header = "headline,hour,weekday,words,pictures,links,popular"
    rows = [f"zyx{i} wvu{i} tsr{i},{i % 24},2,3,4,5,{i % 2}" for i in range(40)]
    table = folder / "other.csv"
    table.write_text("\n".join([header, *rows]))
    ports = {
        "main_input": "headline",
        "aux_input": "hour,weekday,words,pictures,links",
        "main_output": "popular",
        "aux_output": "popular",
    }
    return [
        part for port, column in ports.items() for part in ("--data", f"{port}={table}:{column}")
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
    assert "val_main_output_auc" in capsys.readouterr().out
    assert layerloom("evaluate", project, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"main_output_auc", "aux_output_accuracy"} <= set(found)
    assert layerloom("train", project, "--metric", "nonsense") == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("last:0.3", Split("last", 0.3)),
        ("random", Split("random", 0.2)),
        ("none", Split("none", 0.2)),
        ("fold=test", Split("column", 0.2, column="fold", value="test")),
    ],
)
def test_a_split_is_written_shortly(written: str, expected: Split) -> None:
    assert cli.read_split(written, Split()) == expected


def test_the_last_rows_validate_when_asked_for(project: Path, capsys: Any) -> None:
    assert layerloom("train", project, "--epochs", "1", "--split", "last:0.5", "--json") == 0
    started = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (started["samples"], started["validation_samples"]) == (80, 80)
    assert loom.load(project).document.plan.data.split.kind == "last"
    for wrong in ("last:2", "sideways", "last:x"):
        assert layerloom("train", project, "--split", wrong) == 2


# -- files that must survive ---------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV that the headline example can predict and be judged on."""
    path = tmp_path / "d.csv"
    header = "headline,hour,weekday,words,pictures,links,popular"
    path.write_text(f"{header}\nA quiet day,9,2,6,1,0,0\nTen ways,20,6,2,3,4,1\n")
    return path


def test_export_overwrites_neither_project_nor_table(
    project: Path, table: Path, tmp_path: Path, capsys: Any
) -> None:
    disguised = tmp_path / "q.onnx"
    disguised.write_bytes(project.read_bytes())
    for source, out in ((project, project), (project, table), (disguised, disguised)):
        before = out.read_bytes()
        assert layerloom("export", source, out) == 1
        assert out.read_bytes() == before
        assert out.name in capsys.readouterr().err


def test_new_replaces_a_file_only_by_force(project: Path, table: Path, capsys: Any) -> None:
    for path, options in ((project, []), (table, []), (table, ["--force"])):
        before = path.read_bytes()
        assert layerloom("new", path, *options) == 1
        assert path.read_bytes() == before
        assert path.name in capsys.readouterr().err
    assert layerloom("new", project, "--force") == 0
    assert loom.load(project).document == EXAMPLES["headline"]()


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


def test_train_writes_projects_only(project: Path, table: Path, capsys: Any) -> None:
    before = table.read_bytes()
    assert layerloom("train", project, "--epochs", "1", "--out", table) == 1
    assert table.read_bytes() == before
    printed = capsys.readouterr()
    assert ".loom" in printed.err
    assert "Epoch" not in printed.out
