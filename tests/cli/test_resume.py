"""``train --resume``: a training in the shell that was cut off goes on."""

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.cli import training
from studio.document import edits
from studio.formats import loom
from studio.formats.atomic import not_written
from studio.train.checkpoints import place_of
from tests.cli.commands import layerloom
from tests.train.resuming import cut_off

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks where Linux keeps states")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "layerloom" / "training"


def test_a_training_that_was_killed_is_gone_on_with(
    project: Path, state: Path, tmp_path: Path, capsys: Any
) -> None:
    kept = loom.load(project)
    kept.document = edits.set_run(kept.document, checkpoint_minutes=1e-9)
    loom.save(project, kept)
    whole = tmp_path / "whole.loom"
    assert layerloom("train", project, "--epochs", "9", "--out", whole) == 0
    command = [sys.executable, "-u", "-m", "studio.cli", "train", str(project), "--epochs", "9"]
    running = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    while "checkpoint" not in (line := running.stdout.readline()):
        assert line, "it says when it has written where it is"
    running.kill()
    running.communicate()
    assert not loom.load(project).runs
    assert layerloom("train", project, "--epochs", "9", "--resume") == 0
    (found,), (expected,) = loom.load(project).runs, loom.load(whole).runs
    assert found.history == expected.history
    learnt = [
        {key: cell.value.tobytes() for key, cell in loom.load(path).store.items()}
        for path in (project, whole)
    ]
    assert learnt[0] == learnt[1]
    assert not list(state.iterdir()), "nobody needs it any more"
    capsys.readouterr()
    assert layerloom("train", project, "--resume") == 1
    assert "no training to go on with" in capsys.readouterr().err


def test_a_training_that_was_cut_off_is_told_of(project: Path, state: Path, capsys: Any) -> None:
    cut_off(loom.load(project).document, 5, place_of(project))
    assert layerloom("train", project, "--epochs", "1") == 0
    assert "was cut off in epoch 2 of 2" in capsys.readouterr().err
    assert not list(state.iterdir())


def test_with_other_options_it_is_refused(project: Path, state: Path, capsys: Any) -> None:
    cut_off(loom.load(project).document, 5, place_of(project))
    assert layerloom("train", project, "--batch-size", "8", "--resume") == 1
    assert "another run settings" in capsys.readouterr().err
    assert list(state.iterdir()), "with the right ones it still can"


def test_what_could_not_be_saved_in_the_end_can_be_saved_elsewhere(
    project: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: Any) -> None:
        raise not_written(path, OSError(errno.ENOSPC, "the disk is full"))

    kept = loom.load(project)
    kept.document = edits.set_run(kept.document, checkpoint_minutes=1e-9)
    loom.save(project, kept)
    with monkeypatch.context() as there:
        there.setattr(training, "save", full)
        assert layerloom("train", project) == 1
    said = capsys.readouterr().err
    assert "the disk is full" in said
    assert "the same command with --resume" in said
    out = tmp_path / "elsewhere.loom"
    assert layerloom("train", project, "--resume", "--out", out) == 0
    assert len(loom.load(out).runs[0].history["loss"]) == 2
