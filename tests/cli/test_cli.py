"""The first word, the exit status, and what the system refuses."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.engine import memory
from tests.cli.commands import layerloom, mistake


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


def test_a_command_does_not_wait_for_what_it_does_not_use() -> None:
    code = "import sys, studio.cli; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"scipy", "onnxruntime", "PySide6", "PIL", "platformdirs", "charset_normalizer"}
    assert slow & set(ran.stdout.split()) == set()


def test_an_environment_that_says_no_amount_is_told_of_once(
    project: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv(memory.VARIABLE, "-5G")
    assert layerloom("check", project) == 0
    said = capsys.readouterr().err
    assert said.count("warning") == said.count("LAYERLOOM_MEMORY takes 8G, 512M or 70%") == 1
    assert "-5G" in said
