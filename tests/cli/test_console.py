"""A terminal that takes nothing, or not every letter, and Ctrl+C."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.cli.console import interruptible
from studio.formats import loom


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
