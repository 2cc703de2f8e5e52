"""``new`` and ``demo``: what begins with an example."""

from pathlib import Path
from typing import Any

import pytest

from studio.examples import EXAMPLES
from studio.formats import loom
from tests.cli.commands import layerloom


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


def test_new_writes_an_example_that_checks(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "h.loom"
    assert layerloom("new", "--example", "headline", path) == 0
    assert str(path) in capsys.readouterr().out
    assert layerloom("check", path) == 0
    assert loom.load(path).document == EXAMPLES["headline"]()


def test_new_replaces_a_file_only_by_force(project: Path, table: Path, capsys: Any) -> None:
    for path, options in ((project, []), (table, []), (table, ["--force"])):
        before = path.read_bytes()
        assert layerloom("new", path, *options) == 1
        assert path.read_bytes() == before
        assert path.name in capsys.readouterr().err
    assert layerloom("new", project, "--force") == 0
    assert loom.load(project).document == EXAMPLES["headline"]()


def test_demo_does_it_all(tmp_path: Path, capsys: Any, monkeypatch: Any, project: Path) -> None:
    small = loom.load(project).document
    monkeypatch.setattr("studio.cli.starting.EXAMPLES", {"headline": lambda: small})
    assert layerloom("demo", tmp_path / "demo", "--epochs", "1") == 0
    assert (tmp_path / "demo" / "headline-demo.loom").is_file()
    assert (tmp_path / "demo" / "headline-demo.onnx").is_file()
    assert "headline-demo.onnx" in capsys.readouterr().out
