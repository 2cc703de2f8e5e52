"""The shell: what each command does, prints and exits with."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio import cli
from studio.console import interruptible
from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from tests.references import meta


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


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_written_and_named_in_the_help(
    name: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "p.loom"
    assert layerloom("new", "--example", name, path) == 0
    assert loom.load(path).document == EXAMPLES[name]()
    assert layerloom("check", path) == 0
    capsys.readouterr()
    assert layerloom("new", "--help") == 0
    assert name in capsys.readouterr().out
    assert layerloom("new", "--example", "nothing", path) == 2
    assert name in capsys.readouterr().err


def test_what_a_model_cannot_learn_is_said_when_it_is_trained(tmp_path: Path, capsys: Any) -> None:
    document = EXAMPLES["tweets"]()
    small = edits.set_data(document, source=GeneratedSource("tweets", rows=20))
    path = tmp_path / "t.loom"
    loom.save(path, Project(edits.set_run(small, epochs=1)))
    assert layerloom("train", path) == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: ")
    assert "same_author" in said


@pytest.fixture
def trained(project: Path) -> Path:
    """The same after one epoch."""
    assert layerloom("train", project, "--epochs", "1") == 0
    return project


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


def test_a_training_step_is_exported(project: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "step.onnx"
    assert layerloom("export", project, out, "--training") == 0
    assert out.is_file()
    assert "aux_output_loss" in capsys.readouterr().out


def test_summary_lists_the_layers(project: Path, capsys: Any) -> None:
    assert layerloom("summary", project) == 0
    out = capsys.readouterr().out
    assert "main_output (Dense)" in out
    assert "Total parameters" in out


def test_demo_does_it_all(tmp_path: Path, capsys: Any, monkeypatch: Any, project: Path) -> None:
    small = loom.load(project).document
    monkeypatch.setattr("studio.cli.EXAMPLES", {"headline": lambda: small})
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


COLUMNS = {
    "main_input": "headline",
    "aux_input": "hour,weekday,words,pictures,links",
    "main_output": "popular",
    "aux_output": "popular",
}


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


# -- what the system refuses ---------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_named(trained: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    for arguments in (
        ["predict", trained, "--out", missing / "p.csv"],
        ["predict", trained, "--out", tmp_path],
        ["new", missing / "h.loom"],
        ["export", trained, missing / "m.onnx"],
        ["demo", trained],
        ["demo", trained / "below"],
    ):
        code, stderr = mistake(*arguments)
        assert code == 1, (arguments, stderr)
        assert str(arguments[-1]).removesuffix("below") in stderr
        assert len(stderr.splitlines()) == 1, stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_output_is_said_once(trained: Path) -> None:
    for arguments in (["summary"], ["check"], ["predict"], ["train", "--epochs", "1"]):
        command = [sys.executable, "-m", "studio.cli", arguments[0], str(trained), *arguments[1:]]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1, (arguments, done.stderr)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        assert len(errors) == 1
        assert "standard output" in errors[0]
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


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


# -- the first word ------------------------------------------------------------------------------


def test_a_word_that_is_neither_command_nor_file_is_wrong_usage(capsys: Any) -> None:
    for arguments in (["bogus"], ["bogus", "x.loom"]):
        assert layerloom(*arguments) == 2
        message = capsys.readouterr().err
        assert "no command or file called bogus" in message
        assert "evaluate" in message


def test_a_window_needs_a_file_that_exists_and_a_screen(
    project: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    assert layerloom(tmp_path / "nowhere.loom") == 1
    assert "nowhere.loom" in capsys.readouterr().err
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for arguments in ([], [project]):
        assert layerloom(*arguments) == 1
        assert "DISPLAY" in capsys.readouterr().err


# -- Ctrl+C --------------------------------------------------------------------------------------


def start_training(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """A training that never ends by itself, after its first epoch."""
    command = [sys.executable, "-u", "-m", "studio.cli", "train", str(project)]
    training = subprocess.Popen(
        [*command, "--epochs", "1000000", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert training.stdout is not None
    while line := training.stdout.readline():
        if "Epoch 1/" in line or '"event": "epoch"' in line:
            break
    return training


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_keeps_what_was_learnt(project: Path, as_json: bool) -> None:
    training = start_training(project, *(["--json"] if as_json else []))
    training.send_signal(signal.SIGINT)
    out, err = training.communicate(timeout=60)
    assert training.returncode == 0, err
    assert not err
    if as_json:
        finished = json.loads(out.splitlines()[-1])
        assert finished["event"] == "finished"
        assert finished["stopped"] is True
    else:
        assert "What was learnt so far is saved." in out
    assert loom.load(project).store.step > 0


def test_a_second_ctrl_c_ends_at_once(capsys: Any) -> None:
    def interrupt_twice() -> None:
        with interruptible() as asked:
            signal.raise_signal(signal.SIGINT)
            assert asked.is_set()
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(SystemExit) as ended:
        interrupt_twice()
    assert ended.value.code == 130
    assert "Nothing was saved." in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# -- options -------------------------------------------------------------------------------------


def test_check_as_json_ends_with_a_count(project: Path, capsys: Any) -> None:
    assert layerloom("check", project, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"problems": 0}


def test_no_output_at_all_is_no_fault(project: Path) -> None:
    program = "import os, sys; os.close(1); sys.stdout = None; from studio.cli import main; main()"
    command = [sys.executable, "-c", program, "summary", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_letter_the_terminal_does_not_know_ends_nothing(project: Path) -> None:
    command = [sys.executable, "-m", "studio.cli", "train", str(project), "--epochs", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "best so far" in done.stdout


def test_a_command_does_not_wait_for_what_it_does_not_use() -> None:
    code = "import sys, studio.cli; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"scipy", "onnxruntime", "PySide6", "PIL", "platformdirs", "charset_normalizer"}
    assert slow & set(ran.stdout.split()) == set()
