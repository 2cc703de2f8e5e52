"""``export``: an ONNX file, and what it may not be written over."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import layerloom


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


def test_the_proof_is_written_beside_it(project: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "m.onnx"
    assert layerloom("export", project, out, "--proof") == 0
    assert (tmp_path / "m.proof" / "repeat.py").is_file()
    assert "m.proof" in capsys.readouterr().out
    assert layerloom("export", project, tmp_path / "s.onnx", "--proof", "--training") == 2
    assert not (tmp_path / "s.onnx").exists()


def test_what_was_changed_of_an_export_stays(project: Path, tmp_path: Path, capsys: Any) -> None:
    out, script = tmp_path / "m.onnx", tmp_path / "m.py"
    assert layerloom("export", project, out) == 0
    script.write_text(script.read_text().replace("sys.argv[1]", "sys.argv[2]"))
    before = script.read_bytes()
    assert layerloom("export", project, out) == 1
    said = capsys.readouterr().err
    assert str(script) in said
    assert "Move it" in said
    assert script.read_bytes() == before


@pytest.mark.parametrize("command", ["train", "predict", "export", "picture", "report", "parity"])
def test_the_help_says_that_a_file_is_replaced(command: str, capsys: Any) -> None:
    assert layerloom(command, "--help") == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "there is replaced" in said or "replacing one there" in said


@pytest.mark.parametrize(
    ("command", "suffix"),
    [
        ("export", ".onnx"),
        ("picture", ".svg"),
        ("report", ".html"),
        ("predict --out", ".csv"),
        ("train --epochs 1 --out", ".loom"),
    ],
)
def test_a_name_that_is_too_long_is_said(
    project: Path, tmp_path: Path, capsys: Any, command: str, suffix: str
) -> None:
    name, *options = command.split()
    assert layerloom(name, project, *options, tmp_path / f"{'a' * 300}{suffix}") == 1
    assert "too long" in capsys.readouterr().err


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
